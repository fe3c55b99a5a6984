package belay

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

var scale = &access.Scale{Name: "scope", Levels: []string{"none", "allowed"}}

// member is the one standing of people in the organization: administrators
// manage groups, and what they may use comes from groups like everybody's.
// Inferred: no page describes them as passing over scopes.
const member = "member"

// permScope returns the permission to use one scope of an integration.
func permScope(label, scope string) string {
	return providers.Below(schema.MakeAddress("integration", label, ""), scope)
}

// permContext returns the permission that a group's system prompt is.
func permContext(group schema.Address) string {
	return "context" + strings.TrimPrefix(string(group), "group")
}

// Access maps states into the access model: a member has the union of the
// scopes that the member's groups are granted, as far as their integrations
// are connected, and the system prompt of each of the groups.
func (s *System) Access(states ...*schema.State) (*access.Model, [][]*access.State) {
	perms := map[string]bool{}
	scopes := map[string][]string{} // permissions by integration
	var members, groups []string
	scope := func(label, name string) {
		key := permScope(label, name)
		if !perms[key] {
			perms[key] = true
			scopes[label] = append(scopes[label], key)
		}
	}
	for label, catalogue := range s.catalogue {
		for name := range catalogue {
			scope(label, name)
		}
	}
	for _, st := range states {
		for _, o := range st.Objects {
			switch o.Type {
			case "member":
				members = append(members, o.Key)
			case "group":
				groups = append(groups, string(o.Addr))
				perms[permContext(o.Addr)] = true
				for label, v := range grants(o) {
					for _, name := range v.AsSet() {
						scope(label, name)
					}
				}
			}
		}
	}
	var list []access.Permission
	for key := range perms {
		list = append(list, access.Permission{Key: key, Scale: scale})
	}
	u := access.NewUniverse(list)
	model := access.NewModel(u, members, groups, groups, []access.Standing{{Name: member, Own: u.NewSet(), FromGroups: true}}, nil)
	readings := make([][]*access.State, len(states))
	for i, st := range states {
		readings[i] = []*access.State{state(model, st, scopes)}
	}
	return model, readings
}

func state(model *access.Model, st *schema.State, scopes map[string][]string) *access.State {
	u, s := model.Universe, model.NewState()
	put := func(set access.Set, key string, level access.Level) {
		if p, ok := u.Find(key); ok {
			u.Put(set, p, level)
		}
	}
	for label, keys := range scopes {
		if o := st.Objects[schema.MakeAddress("integration", label, "")]; o == nil || !o.Get(attrConnected).AsBool() {
			for _, key := range keys {
				put(s.Ceiling, key, 0)
			}
		}
	}
	for _, o := range st.Objects {
		if o.Type == "member" {
			s.Standing[model.Member(o.Key)], _ = model.Standing(member)
		}
	}
	for _, group := range model.Groups { // also one that is not there yet, which grants nothing and has nobody
		s.Attach(model.Group(group), model.Source(group))
	}
	for _, o := range st.Of("group") {
		g, source := model.Group(string(o.Addr)), model.Source(string(o.Addr))
		for key, level := range granted(o) {
			put(s.Grants[source], key, level)
		}
		for _, email := range o.Get(attrMembers).AsSet() {
			if m := model.Member(email); m >= 0 && s.Standing[m] != 0 {
				s.Join(m, g)
			}
		}
	}
	return s
}

// granted returns the permissions that a group gives; none for no group.
func granted(o *schema.Object) map[string]access.Level {
	keys := map[string]access.Level{}
	if o == nil {
		return keys
	}
	if o.Get(attrRole).AsText() != "" {
		keys[permContext(o.Addr)] = 1
	}
	for label, v := range grants(o) {
		for _, name := range v.AsSet() {
			keys[permScope(label, name)] = 1
		}
	}
	return keys
}

// Check finds groups with scopes that can destroy and that nobody said may have
// them.
func (s *System) Check(in schema.Inspection) []schema.Finding {
	trusted := map[string]bool{}
	for _, r := range s.config.Rules {
		if a := r.Attrs["trusted"]; a != nil {
			for _, item := range a.Items {
				trusted[item.Text] = true
			}
		}
	}
	var found []schema.Finding
	for _, o := range in.Desired.Of("group") {
		if trusted[string(o.Addr)] {
			continue
		}
		g := grants(o)
		for _, label := range slices.Sorted(maps.Keys(g)) {
			for _, scope := range g[label].AsSet() {
				if s.catalogue[label][scope] != "admin" {
					continue
				}
				found = append(found, schema.Finding{Rule: "admin-scope", Address: o.Addr, Range: o.Where(attrGrant + label),
					About: []schema.Address{schema.MakeAddress("integration", label, "")}, Members: o.Get(attrMembers).AsSet(),
					Message: fmt.Sprintf("%s holds %s of integration.%s, which is of class admin and can destroy", o.Addr, scope, label),
					Fix:     fmt.Sprintf("take %s out of its scopes, or write rule \"admin-scope\" { trusted = [%s] }", scope, o.Addr)})
			}
		}
	}
	return found
}
