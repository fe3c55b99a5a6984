package conduit

import (
	"slices"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

var scale = &access.Scale{Name: "tool", Levels: []string{"blocked", "allowed"}}

// The roles in the organization.
const (
	roleOwner  = "owner"
	roleAdmin  = "admin"
	roleMember = "member"
)

// Administrators have a list of their own, so every team is two groups of the
// access model and every vendor two sources: for members and for
// administrators.
const forAdmins = " (administrators)"

func part(addr schema.Address, role string) string {
	if role == roleAdmin || role == roleOwner {
		return string(addr) + forAdmins
	}
	return string(addr)
}

func vendorAddr(slug string) schema.Address { return schema.MakeAddress("vendor", slug, "") }

// keys are the permissions of one vendor: through the organization's or the
// team's credentials, and through the member's own.
type keys struct {
	tools             []string
	gateway, personal map[string]string // permission by tool; "" stands for every tool that nothing names
}

func keysOf(slug string, tools []string, personal bool) keys {
	k := keys{tools: tools, gateway: map[string]string{"": string(vendorAddr(slug)) + ".*"}, personal: map[string]string{}}
	own := schema.MakeAddress("personal", slug, "")
	for _, t := range tools {
		k.gateway[t] = providers.Below(vendorAddr(slug), t)
	}
	if personal {
		k.personal[""] = string(own) + ".*"
		for _, t := range tools {
			k.personal[t] = providers.Below(own, t)
		}
	}
	return k
}

// mapping turns states into the access model.
type mapping struct {
	*System
	vendors map[string]keys
	roles   map[string]string // of members, by address
}

// vocabulary collects the vendors and their tools, from wherever they are
// named.
func (s *System) vocabulary(states []*schema.State) *mapping {
	tools := map[string][]string{}
	add := func(slug string, names ...string) { tools[slug] = append(tools[slug], names...) }
	for slug, v := range s.vendors {
		add(slug, v.tools...)
	}
	m := &mapping{System: s, vendors: map[string]keys{}, roles: map[string]string{}}
	for _, st := range states {
		for _, o := range st.Objects {
			switch o.Type {
			case "vendor":
				add(o.Key, o.Get(attrTools).AsSet()...)
				add(o.Key, o.Get(attrAllowed).AsSet()...)
				add(o.Key, o.Get(attrAllowedAdmin).AsSet()...)
			case "team":
				for _, slug := range o.Get(attrVendors).AsSet() {
					add(slug)
				}
				for _, slug := range speaksOf(o) {
					add(slug, o.Get(allowedOf(slug)).AsSet()...)
				}
			case "member":
				m.roles[o.Key] = o.Get(attrRole).AsText()
				for _, slug := range o.Get(attrVendors).AsSet() {
					add(slug)
				}
			}
		}
	}
	for slug, names := range tools {
		slices.Sort(names)
		v, described := s.vendors[slug]
		m.vendors[slug] = keysOf(slug, slices.Compact(names), v.personal || !described)
	}
	return m
}

// speaksOf returns the vendors of which a team has a list or credentials.
func speaksOf(o *schema.Object) []string {
	var list []string
	for name := range o.Attrs {
		for _, prefix := range []string{attrAllowed + ".", attrCredentials} {
			if len(name) > len(prefix) && name[:len(prefix)] == prefix {
				list = append(list, name[len(prefix):])
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Access maps states into the access model. A member can use the vendors that
// the member or the member's team was given, and of each the tools on the
// organization's list for the member's role. A team's list narrows that where
// exactly one of the member's teams holds credentials for the vendor, and never
// what the member does with credentials of their own. Owners pass over all of
// it.
//
// Source: product guide "Tool access"; the vendor's API documentation; read
// 2026-11-22.
func (s *System) Access(states ...*schema.State) (*access.Model, [][]*access.State) {
	m := s.vocabulary(states)
	var perms []access.Permission
	var members, groups, sources []string
	for slug, k := range m.vendors {
		for _, set := range []map[string]string{k.gateway, k.personal} {
			for _, key := range set {
				perms = append(perms, access.Permission{Key: key, Scale: scale})
			}
		}
		sources = append(sources, part(vendorAddr(slug), roleMember), part(vendorAddr(slug), roleAdmin))
	}
	n := 1
	for _, st := range states {
		for _, o := range st.Objects {
			switch o.Type {
			case "member":
				members = append(members, o.Key)
				if v := o.Get(attrVendors); len(v.AsSet()) > 0 || v.Kind() == schema.KindUnavailable {
					groups = append(groups, string(o.Addr))
				}
			case "team":
				groups = append(groups, part(o.Addr, roleMember), part(o.Addr, roleAdmin))
			}
			for _, v := range o.Attrs {
				if v.Kind() == schema.KindUnavailable {
					n = 2
				}
			}
		}
	}
	u := access.NewUniverse(perms)
	model := access.NewModel(u, members, groups, sources, []access.Standing{
		{Name: roleOwner, Own: u.Full(), Uncapped: true},
		{Name: roleAdmin, Own: u.NewSet(), FromGroups: true},
		{Name: roleMember, Own: u.NewSet(), FromGroups: true},
	}, nil)
	readings := make([][]*access.State, len(states))
	for i, st := range states {
		for r := range n {
			readings[i] = append(readings[i], m.state(model, st, r == n-1))
		}
	}
	return model, readings
}

func standing(role string) string {
	if role == roleOwner || role == roleAdmin {
		return role
	}
	return roleMember
}

// allows reports whether a list lets a tool through; "" stands for tools that
// nothing names. What could not be read lets through everything or nothing.
func allows(list schema.Value, tool string, most bool) bool {
	switch list.Kind() {
	case schema.KindSet:
		return list.Has(tool)
	case schema.KindUnavailable:
		return most
	}
	return true
}

func (m *mapping) state(model *access.Model, st *schema.State, most bool) *access.State {
	u, s := model.Universe, model.NewState()
	perm := func(key string) access.Perm { p, _ := u.Find(key); return p }
	for slug, k := range m.vendors {
		o := st.Objects[vendorAddr(slug)]
		for role, attr := range map[string]string{roleMember: attrAllowed, roleAdmin: attrAllowedAdmin} {
			grants := s.Grants[model.Source(part(vendorAddr(slug), role))]
			for _, set := range []map[string]string{k.gateway, k.personal} {
				for tool, key := range set {
					if allows(providers.Before(o, attr), tool, most) {
						u.Put(grants, perm(key), 1)
					}
				}
			}
		}
	}
	slugs := func(v schema.Value) []string {
		if v.Kind() == schema.KindUnavailable && most {
			var all []string
			for slug := range m.vendors {
				all = append(all, slug)
			}
			return all
		}
		return v.AsSet()
	}
	for _, o := range st.Of("member") {
		i := model.Member(o.Key)
		s.Standing[i], _ = model.Standing(standing(o.Get(attrRole).AsText()))
		if g := model.Group(string(o.Addr)); g >= 0 {
			s.Join(i, g)
			for _, slug := range slugs(o.Get(attrVendors)) {
				s.Attach(g, model.Source(part(vendorAddr(slug), o.Get(attrRole).AsText())))
			}
		}
	}
	for _, o := range st.Of("team") {
		for _, role := range []string{roleMember, roleAdmin} {
			g := model.Group(part(o.Addr, role))
			for _, slug := range slugs(o.Get(attrVendors)) {
				s.Attach(g, model.Source(part(vendorAddr(slug), role)))
			}
			for _, slug := range speaksOf(o) {
				m.narrow(u, s, g, o, slug, most)
			}
		}
		for _, email := range o.Get(attrMembers).AsSet() {
			if i := model.Member(email); i >= 0 && s.Standing[i] != 0 {
				s.Join(i, model.Group(part(o.Addr, m.roles[email])))
			}
		}
	}
	return s
}

// narrow gives a team its say in a vendor. It has one with credentials of its
// own, also without a list: then two teams have one, which is none.
func (m *mapping) narrow(u *access.Universe, s *access.State, g int32, o *schema.Object, slug string, most bool) {
	credentials := o.Get(attrCredentials + slug)
	speaks := credentials.AsText() == "team" || credentials.Kind() == schema.KindUnavailable && !most
	for tool, key := range m.vendors[slug].gateway {
		p, _ := u.Find(key)
		s.Speak(u, g, p, speaks)
		level := access.Level(0)
		if allows(o.Get(allowedOf(slug)), tool, most) {
			level = 1
		}
		s.Allow(u, g, p, level)
	}
}
