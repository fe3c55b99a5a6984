package claude

import (
	"cmp"
	"fmt"
	"net/url"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// pluginStep is one write of a plugin's setting. It takes effect with a
// member's next session, so there is nothing to wait for.
//
// Source: Plugins API reference, installation settings; help centre, plugins;
// read 2026-11-22.
func (e *expander) pluginStep(addr schema.Address, id, pluginID, target string, f schema.Field) schema.Step {
	path := "/v1/organizations/plugins/" + url.PathEscape(pluginID) + "/installation_settings/" + target
	s := schema.Step{
		ID: string(addr) + "/" + id, Addr: addr, Via: schema.ByAPI, Phase: phasePlugins, Proof: schema.Exact,
		Request: &schema.Request{Method: "POST", Path: path, Body: body("installation_preference", f.After.AsText())},
		Effects: []schema.Effect{{Addr: addr, Attr: f.Name, Op: schema.Put, Value: f.After}},
	}
	if f.After.Kind() == schema.KindAbsent {
		s.Request = &schema.Request{Method: "DELETE", Path: path}
		s.Effects[0].Op = schema.Drop
	}
	return s
}

// plugin sets what the organization has of a plugin.
func (e *expander) plugin(c *schema.Change) {
	for _, f := range c.Fields {
		if f.Name != attrInstall {
			continue
		}
		s := e.pluginStep(c.Addr, "install", c.After.Key, "organization", f)
		s.Action = fmt.Sprintf("set the plugin %s of the organization to %s", quoted(e.pluginName(c.After)), installTitle(f.After))
		s.Moves = []access.Move{{Kind: access.MoveDefault, Setting: string(c.Addr), From: f.Before.AsText(), To: f.After.AsText()}}
		e.add(s)
	}
}

// groupPlugin sets what a group has of a plugin. The plugin itself is among
// the effects so that it is read with the group.
func (e *expander) groupPlugin(c *schema.Change, key string, f schema.Field) {
	p := e.pluginObject(key)
	if p == nil || f.Before.Kind() == schema.KindAbsent && f.After.Kind() == schema.KindAbsent {
		return // a plugin that is not there is reported; a new group inherits
	}
	s := e.pluginStep(c.Addr, "plugin/"+key, p.Key, ref(c.After), f)
	s.Action = fmt.Sprintf("set the plugin %s of the group %s to %s", quoted(e.pluginName(p)), quoted(c.After.Key), installTitle(f.After))
	s.Needs = e.needs(c.Addr)
	s.Effects = append(s.Effects, schema.Effect{Addr: p.Addr, Op: schema.Put, Value: schema.Text(p.Key)})
	s.Moves = []access.Move{{Kind: access.MoveGroupSetting, Group: string(c.Addr), Setting: string(p.Addr), From: f.Before.AsText(), To: f.After.AsText()}}
	e.add(s)
}

func (e *expander) pluginObject(key string) *schema.Object {
	for _, p := range e.live.Of("plugin") {
		if e.pluginKey(p.Key) == key {
			return p
		}
	}
	return nil
}

func (e *expander) pluginName(p *schema.Object) string {
	return cmp.Or(p.Get(attrName).AsText(), e.pluginKey(p.Key))
}

// installTitle is how the console names a setting.
//
// Source: help centre, plugins; read 2026-11-22.
func installTitle(v schema.Value) string {
	switch v.AsText() {
	case "required":
		return quoted("Required")
	case "auto_install":
		return quoted("Installed by default")
	case "available":
		return quoted("Available to install")
	case "not_available":
		return quoted("Not available")
	case "":
		return "what it inherits"
	}
	return quoted(v.AsText())
}

// marketplace sets the default of a marketplace, which reaches every plugin of
// it that has no setting of its own.
func (e *expander) marketplace(c *schema.Change) {
	for _, f := range c.Fields {
		if f.Name != attrInstall || c.Before == nil {
			continue
		}
		s := schema.Step{
			ID: string(c.Addr) + "/install", Addr: c.Addr, Via: schema.ByAPI, Phase: phasePlugins, Proof: schema.Exact,
			Action:  fmt.Sprintf("set the default of the marketplace %s to %s", quoted(cmp.Or(c.After.Get(attrName).AsText(), c.After.Key)), installTitle(f.After)),
			Request: &schema.Request{Method: "POST", Path: "/v1/organizations/plugin_marketplaces/" + url.PathEscape(c.After.Key), Body: body("default_installation_preference", f.After.AsText())},
			Effects: []schema.Effect{{Addr: c.Addr, Attr: attrInstall, Op: schema.Put, Value: f.After}},
		}
		for _, p := range e.live.Of("plugin") {
			if p.Get(attrMarketplace).AsText() == c.After.Key {
				s.Moves = append(s.Moves, access.Move{Kind: access.MoveFallback, Setting: string(p.Addr), From: f.Before.AsText(), To: f.After.AsText()})
			}
		}
		e.add(s)
	}
}
