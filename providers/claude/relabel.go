package claude

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// Unlabel turns the labels of the configuration into what they stand for: ids
// of connectors and plugins, and capabilities as they are called without a
// configuration.
func (s *System) Unlabel(live *schema.State) {
	builtin := newVocabulary()
	relabel(live, func(label string) string { return builtin.label(s.words.action(label)) }, s.connectorID, s.splitTool)
	relabelPlugins(live, func(label string) string { return cmp.Or(s.plugins[label], label) }, func(string) string { return "" })
}

// Relabel turns ids into the labels of the configuration. Of a feature that
// the state does not have, only a new reading could show whether it is on.
func (s *System) Relabel(live *schema.State) {
	builtin := newVocabulary()
	relabel(live, func(label string) string { return s.words.label(builtin.action(label)) }, s.connectorLabel,
		func(key string) (string, string) { id, tool, _ := strings.Cut(key, "."); return id, tool })
	relabelPlugins(live, s.pluginKey, func(id string) string { return s.pluginOf[id] })
	s.unreadAgain(live)
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
		"spend":  {attrOtherLimits},
	}
}

// relabelPlugins gives plugins other labels: key turns what groups call one in
// their settings into what they are to call it, and label the id of one into
// its label, "" to call it by its name.
func relabelPlugins(live *schema.State, key, label func(string) string) {
	var moved []*schema.Object
	for addr, o := range live.Objects {
		switch o.Type {
		case "plugin":
			delete(live.Objects, addr)
			moved = append(moved, o)
		case "group":
			attrs := map[string]schema.Value{}
			for name, v := range o.Attrs {
				if p, ok := strings.CutPrefix(name, attrPlugin); ok {
					name = attrPlugin + key(p)
				}
				attrs[name] = v
			}
			o.Attrs = attrs
		}
	}
	slices.SortFunc(moved, func(a, b *schema.Object) int { return strings.Compare(a.Key, b.Key) })
	for _, o := range moved {
		o.Addr = schema.MakeAddress(o.Type, cmp.Or(label(o.Key), o.Get(attrName).AsText(), o.Key), "")
		addLive(live, o)
	}
}

// unreadAgain says of plugins and marketplaces that the configuration describes
// that they could not be read, if none could when the state was.
func (s *System) unreadAgain(live *schema.State) {
	if !slices.ContainsFunc(live.Unread, func(u schema.Unread) bool { return u.What == MissingPlugins }) {
		return
	}
	for _, o := range s.unreadPlugins(&Snapshot{}) {
		if live.Objects[o.Addr] == nil {
			live.Add(o)
		}
	}
	for _, g := range live.Of("group") {
		for label := range s.plugins {
			if _, ok := g.Attrs[attrPlugin+label]; !ok {
				g.Put(attrPlugin+label, schema.Unavailable("plugins could not be read"))
			}
		}
	}
}

// Words says which attributes hold words of the product.
func (s *System) Words() schema.Words {
	return schema.Words{
		Attrs: []string{attrEnabled, attrCapabilities, attrAdmin, attrConnectorDefault, attrForeignMembers, attrSource, attrOrganizationRole,
			attrLimit, attrProvisioning, attrPolicy, attrCeiling, attrEnforced, attrPrecedence, attrExcludes, attrInstall, attrReach, attrRole},
		Values: []string{attrConnectors, attrTools, attrBelow, attrToolPolicy},
		ByID:   []string{attrPlugin},
	}
}
