package claude

import (
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// Unlabel turns the labels of the configuration into what they stand for: ids
// of connectors, and capabilities as they are called without a configuration.
func (s *System) Unlabel(live *schema.State) {
	builtin := newVocabulary()
	relabel(live, func(label string) string { return builtin.label(s.words.action(label)) }, s.connectorID, s.splitTool)
}

// Relabel turns ids into the labels of the configuration. Of a feature that
// the state does not have, only a new reading could show whether it is on.
func (s *System) Relabel(live *schema.State) {
	builtin := newVocabulary()
	relabel(live, func(label string) string { return s.words.label(builtin.action(label)) }, s.connectorLabel,
		func(key string) (string, string) { id, tool, _ := strings.Cut(key, "."); return id, tool })
	for label, c := range s.words.byLabel {
		addr := schema.MakeAddress("feature", label, "")
		if live.Objects[addr] == nil {
			o := &schema.Object{Type: "feature", Addr: addr, Key: c.action}
			o.Put(attrEnabled, schema.Unavailable("it was not noted, because no block described it"))
			live.Add(o)
		}
	}
}

// relabel gives capabilities and connectors other labels, wherever they are
// named. split takes the key of a tool apart.
func relabel(live *schema.State, capability, connector func(string) string, split func(string) (string, string)) {
	var moved []*schema.Object
	for addr, o := range live.Objects {
		switch o.Type {
		case "feature", "connector":
			delete(live.Objects, addr)
			moved = append(moved, o)
		case "role":
			relabelRole(o, capability, connector, split)
		}
	}
	slices.SortFunc(moved, func(a, b *schema.Object) int { return strings.Compare(a.Key, b.Key) })
	for _, o := range moved { // both have what the API calls them as their key
		to := capability
		if o.Type == "connector" {
			to = connector
		}
		o.Addr = schema.MakeAddress(o.Type, to(o.Key), "")
		live.Add(o)
	}
}

func relabelRole(o *schema.Object, capability, connector func(string) string, split func(string) (string, string)) {
	if v := o.Get(attrCapabilities); v.Kind() == schema.KindSet {
		var labels []string
		for _, l := range v.AsSet() {
			if l != labelAll && l != labelAllGA {
				l = capability(l)
			}
			labels = append(labels, l)
		}
		o.Put(attrCapabilities, schema.Set(labels...))
	}
	for _, attr := range []string{attrConnectors, attrTools, attrBelow} {
		v := o.Get(attr)
		if v.Kind() != schema.KindMap {
			continue
		}
		m := map[string]string{}
		for key, level := range v.AsMap() {
			if attr == attrTools {
				label, tool := split(key)
				m[connector(label)+"."+tool] = level
			} else {
				m[connector(key)] = level
			}
		}
		o.Put(attr, schema.Map(m))
	}
}

// Observed says which attributes of live objects nobody sets.
func (s *System) Observed() map[string][]string {
	return map[string][]string{
		"member": {attrName, attrAddedAt, attrLimitID},
		"group":  {attrForeignMembers},
		"plugin": {attrName, attrMarketplace, attrReach},
	}
}

// Words says which attributes hold words of the product.
func (s *System) Words() schema.Words {
	attrs := []string{attrEnabled, attrCapabilities, attrAdmin, attrConnectorDefault, attrForeignMembers, attrSource, attrOrganizationRole,
		attrLimit, attrProvisioning, attrPolicy, attrCeiling, attrEnforced, attrPrecedence, attrExcludes, attrInstall, attrReach}
	for label := range s.plugins {
		attrs = append(attrs, attrPlugin+label)
	}
	slices.Sort(attrs)
	return schema.Words{
		Attrs:  attrs,
		Values: []string{attrConnectors, attrTools, attrBelow, attrToolPolicy},
	}
}
