package elvex

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

var (
	roleScale   = &access.Scale{Name: "role", Levels: []string{"none", "viewer", "editor", "owner"}}
	manageScale = &access.Scale{Name: "manage", Levels: []string{"none", "allowed"}}
)

// The access model's groups and sources. A member of an elvex group is in the
// one for the role in it and in those for lower roles, so that a change of role
// only adds or only takes away; a mapping is a group of those who came through it;
// "everyone", and a group for each person with something of their own, hold
// what is public and what is shared with one. Each share is a source of its
// own, so that taking one away leaves the others.
const everyone = "everyone"

func inRole(group schema.Address, role string) string { return fmt.Sprintf("%s (%s)", group, role) }
func sharedWith(resource schema.Address, with string) string {
	return fmt.Sprintf("%s (shared with %s)", resource, with)
}
func made(resource schema.Address) string       { return string(resource) + " (creator)" }
func public(resource schema.Address) string     { return string(resource) + " (public)" }
func manage(group schema.Address) string        { return string(group) + ".manage" }
func roleLevel(role string) access.Level        { l, _ := roleScale.Level(role); return l }
func isPublic(o *schema.Object) bool            { return providers.Before(o, attrVisibility).AsText() == "public" }
func shares(o *schema.Object) map[string]string { return providers.Before(o, attrShares).AsMap() }

// world is everything that states speak of.
type world struct {
	*System
	groups, mappings, resources map[schema.Address]bool
	with                        map[schema.Address]map[string]bool // whom resources are shared with
	people                      map[string]bool                    // with something of their own
	came                        map[schema.Address]map[string]bool // who came in through a mapping
}

func (s *System) world(states []*schema.State) *world {
	w := &world{s, map[schema.Address]bool{}, map[schema.Address]bool{}, map[schema.Address]bool{}, map[schema.Address]map[string]bool{}, map[string]bool{}, map[schema.Address]map[string]bool{}}
	for addr, r := range s.resources {
		w.resource(addr)
		if r.creator != "" {
			w.people[string(providers.MemberAddress(r.creator))] = true
		}
	}
	for _, st := range states {
		for addr, o := range st.Objects {
			switch o.Type {
			case "group":
				w.groups[addr] = true
			case "mapping":
				if !w.mappings[addr] {
					w.mappings[addr], w.came[addr] = true, map[string]bool{}
				}
				for _, email := range o.Get(attrMembers).AsSet() {
					w.came[addr][email] = true
				}
				w.groups[schema.Address(o.Get(attrGroup).AsText())] = true
			case "resource":
				w.resource(addr)
				for with := range shares(o) {
					w.with[addr][with] = true
					if a := schema.Address(with); a.Type() == "group" {
						w.groups[a] = true
					} else {
						w.people[with] = true
					}
				}
			}
		}
	}
	delete(w.groups, "")
	return w
}

func (w *world) resource(addr schema.Address) {
	if !w.resources[addr] {
		w.resources[addr], w.with[addr] = true, map[string]bool{}
	}
}

// gives returns the sources that being in a group with a role brings, whatever
// they grant.
func (w *world) gives(group schema.Address, role string) []string {
	list := []string{inRole(group, role)}
	for _, addr := range slices.Sorted(maps.Keys(w.resources)) {
		if w.with[addr][string(group)] {
			list = append(list, sharedWith(addr, string(group)))
		}
	}
	return list
}

// brings returns the sources that coming in through a mapping brings; none for
// no mapping.
func (w *world) brings(o *schema.Object) []string {
	group := schema.Address(providers.Before(o, attrGroup).AsText())
	if group == "" {
		return nil
	}
	return w.gives(group, o.Get(attrRole).AsText())
}

// model returns the model of everything.
func (w *world) model(members []string) *access.Model {
	var perms []access.Permission
	groups, sources := []string{everyone}, []string{}
	for g := range w.groups {
		perms = append(perms, access.Permission{Key: string(g), Scale: roleScale}, access.Permission{Key: manage(g), Scale: manageScale})
		for _, role := range groupRoles {
			groups = append(groups, inRole(g, role))
			sources = append(sources, w.gives(g, role)...)
		}
	}
	for m := range w.mappings {
		groups = append(groups, string(m))
	}
	for p := range w.people {
		groups = append(groups, p)
	}
	for r := range w.resources {
		perms = append(perms, access.Permission{Key: string(r), Scale: roleScale})
		sources = append(sources, made(r), public(r))
		for with := range w.with[r] {
			sources = append(sources, sharedWith(r, with))
		}
	}
	u := access.NewUniverse(perms)
	all := u.NewSet()
	for r := range w.resources {
		p, _ := u.Find(string(r))
		u.Put(all, p, roleScale.Top())
	}
	var standings []access.Standing
	for _, role := range companyRoles {
		st := access.Standing{Name: role, Own: u.NewSet(), FromGroups: true}
		if role == "owner" {
			st.Own = all
		}
		standings = append(standings, st)
	}
	return access.NewModel(u, members, groups, sources, standings, nil)
}

// Access maps states into the access model: the highest of what is shared with
// a person, with the person's groups, what being public gives everybody, what
// the person made, and everything for company owners.
func (s *System) Access(states ...*schema.State) (*access.Model, [][]*access.State) {
	w := s.world(states)
	var members []string
	for _, st := range states {
		for _, o := range st.Of("member") {
			members = append(members, o.Key)
		}
	}
	model := w.model(members)
	readings := make([][]*access.State, len(states))
	for i, st := range states {
		readings[i] = []*access.State{w.state(model, st)}
	}
	return model, readings
}

// standing returns the standing of a member.
func standing(o *schema.Object) string {
	if role := providers.Before(o, attrCompanyRole).AsText(); slices.Contains(companyRoles, role) {
		return role
	}
	return "member"
}

func (w *world) state(model *access.Model, st *schema.State) *access.State {
	u, s := model.Universe, model.NewState()
	grant := func(source, key string, level access.Level) {
		p, _ := u.Find(key)
		u.Put(s.Grants[model.Source(source)], p, level)
	}
	attach := func(group string, sources ...string) {
		for _, source := range sources {
			s.Attach(model.Group(group), model.Source(source))
		}
	}
	join := func(email, group string) {
		if m, g := model.Member(email), model.Group(group); m >= 0 && g >= 0 && s.Standing[m] != 0 {
			s.Join(m, g)
		}
	}
	for _, o := range st.Of("member") {
		s.Standing[model.Member(o.Key)], _ = model.Standing(standing(o))
		join(o.Key, everyone)
		join(o.Key, string(o.Addr))
	}
	for g := range w.groups { // what a role in a group is, whether or not the group is there: then nobody has it
		for _, role := range groupRoles {
			attach(inRole(g, role), w.gives(g, role)...)
			grant(inRole(g, role), string(g), roleLevel(role))
			if role != "viewer" {
				grant(inRole(g, role), manage(g), 1)
			}
		}
	}
	for _, o := range st.Of("group") {
		for _, role := range groupRoles {
			for _, email := range atLeast(o, role) {
				join(email, inRole(o.Addr, role))
			}
		}
	}
	for _, o := range st.Of("mapping") {
		if st.Objects[schema.Address(o.Get(attrGroup).AsText())] != nil {
			attach(string(o.Addr), w.brings(o)...)
		}
	}
	for m := range w.mappings { // people stay known by it when it is gone, and have nothing through it
		for email := range w.came[m] {
			join(email, string(m))
		}
	}
	for r := range w.resources {
		attach(everyone, public(r))
		if c := w.System.resources[r].creator; c != "" {
			attach(string(providers.MemberAddress(c)), made(r))
			grant(made(r), string(r), roleScale.Top())
		}
		o := st.Objects[r]
		if isPublic(o) {
			grant(public(r), string(r), roleLevel("viewer"))
		}
		for with := range w.with[r] {
			if schema.Address(with).Type() != "group" {
				attach(with, sharedWith(r, with))
			}
			if role := shares(o)[with]; role != "" {
				grant(sharedWith(r, with), string(r), roleLevel(role))
			}
		}
	}
	return s
}

// atLeast returns the people whom a group lists in a role or a higher one.
func atLeast(o *schema.Object, role string) []string {
	var list []string
	for _, r := range groupRoles[slices.Index(groupRoles, role):] {
		list = append(list, o.Get(r).AsSet()...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Check finds shares that do nothing, and private datasources that whoever has
// them can make public by way of something else.
func (s *System) Check(in schema.Inspection) []schema.Finding {
	var found []schema.Finding
	for _, o := range in.Desired.Of("resource") {
		var idle []string
		with := slices.Sorted(maps.Keys(shares(o)))
		for _, w := range with {
			if shares(o)[w] == "viewer" {
				idle = append(idle, w)
			}
		}
		if isPublic(o) && len(idle) > 0 {
			found = append(found, schema.Finding{Rule: "public-floor", Address: o.Addr, Range: o.Where(attrVisibility),
				Message: fmt.Sprintf("%s is public, so everybody may view it, and its shares as viewer with %s do nothing", o.Addr, strings.Join(idle, ", ")),
				Fix:     "write visibility = \"private\", or remove these shares"})
		}
		if s.resources[o.Addr].kind == "datasource" && !isPublic(o) && len(with) > 0 {
			found = append(found, schema.Finding{Rule: "private-datasource-escape", Address: o.Addr, Range: o.Where(attrShares),
				Message: fmt.Sprintf("%s is private and shared with %s, who can attach it to a public assistant", o.Addr, strings.Join(with, ", ")),
				Fix:     "share an assistant that uses it instead, or accept this"})
		}
	}
	return found
}
