package plan

import (
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// entered returns the groups of the model that people can enter while a plan is
// carried out without an administrator putting them in: those that an identity
// provider fills, those that are described to take in whoever joins the
// organization, and those that a pending invite leads to.
func (b *binder) entered(m *access.Model) []string {
	open := map[schema.Address]bool{}
	for _, st := range []*schema.State{b.b.live, b.b.desired} {
		for _, o := range st.Objects {
			if o.Get("source").AsText() == "scim" {
				open[o.Addr] = true
			}
			if o.Type == "invite" {
				for _, g := range o.Get("groups").AsSet() {
					open[schema.Address(g)] = true
				}
			}
		}
	}
	for addr, p := range b.people {
		if b.takesNewcomers(p, map[schema.Address]bool{addr: true}) {
			open[addr] = true
		}
	}
	var list []string
	for _, g := range m.Groups {
		if open[sourceAddress(g)] {
			list = append(list, g)
		}
	}
	return list
}

// takesNewcomers reports whether people who are not members yet may be in p once
// they are; seen are the groups that are being asked about.
func (b *binder) takesNewcomers(p schema.People, seen map[schema.Address]bool) bool {
	takes := func(p schema.People) bool { return b.takesNewcomers(p, seen) }
	switch p := p.(type) {
	case *schema.Everyone, *schema.Domain:
		return true
	case *schema.MembersOf:
		of, described := b.people[p.Group]
		if !described {
			o := b.b.live.Objects[p.Group]
			return o != nil && o.Get("source").AsText() == "scim"
		}
		if seen[p.Group] {
			return false
		}
		seen[p.Group] = true
		return takes(of)
	case *schema.Union:
		return slices.ContainsFunc(p.Of, takes)
	case *schema.Intersect:
		return !slices.ContainsFunc(p.Of, func(p schema.People) bool { return !takes(p) })
	case *schema.Minus: // who is taken out is known only for sure if it is everyone
		return takes(p.From) && !slices.ContainsFunc(p.Without, func(p schema.People) bool { _, all := p.(*schema.Everyone); return all })
	}
	return false
}
