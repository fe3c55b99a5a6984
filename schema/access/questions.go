package access

import (
	"slices"
	"strings"
)

// A Subject is the permissions that a key speaks of.
type Subject struct {
	Perms []Perm

	// Star says that nothing is called so: Perms is then what covers whatever
	// appears later, such as `connector.*` for a connector that nobody named.
	Star bool

	// Whole says that the key names several permissions at once, such as all
	// tools of one connector.
	Whole bool
}

// Subject returns what a key speaks of: one permission; all those below it,
// such as the tools of `connector.jira`, the star for the ones to come among
// them; or, if nothing is called so, the narrowest star that covers it. It is
// empty if there is none.
func (u *Universe) Subject(key string) Subject {
	if p, ok := u.index[key]; ok {
		return Subject{Perms: []Perm{p}, Star: strings.HasSuffix(key, "*")}
	}
	if below := u.below(key); len(below) > 0 {
		return Subject{Perms: below, Whole: true}
	}
	for at := len(key); at > 0; {
		at = LastSegment(key[:at])
		if at < 0 {
			break
		}
		if p, ok := u.index[key[:at]+".*"]; ok {
			return Subject{Perms: []Perm{p}, Star: true}
		}
	}
	return Subject{}
}

// below returns the permissions whose keys continue key by a segment.
func (u *Universe) below(key string) []Perm {
	var list []Perm
	for _, sep := range []string{".", "["} {
		i, _ := slices.BinarySearchFunc(u.perms, key+sep, func(p Permission, k string) int { return strings.Compare(p.Key, k) })
		for ; i < len(u.perms) && strings.HasPrefix(u.perms[i].Key, key+sep); i++ {
			list = append(list, Perm(i))
		}
	}
	slices.Sort(list)
	return list
}

// LastSegment returns where the last segment of a key begins: `.name`, or
// `["name"]`, in which dots do not count; -1 if there is only one.
func LastSegment(key string) int {
	if strings.HasSuffix(key, `"]`) {
		return strings.LastIndex(key, `["`)
	}
	return strings.LastIndexByte(key, '.')
}

// Holders returns who has at least the level l of p, sorted: in every reading,
// and those who have it only if what could not be read is so.
func Holders(views []*View, p Perm, l Level) (certain, possible []int32) {
	least, most := views[0], views[len(views)-1]
	u := least.Model.Universe
	in := make([]uint8, len(least.Classes))
	for i, c := range least.Classes {
		if u.Get(c.Access, p) >= l {
			in[i] = 1
		}
	}
	may := make([]uint8, len(most.Classes))
	for i, c := range most.Classes {
		if u.Get(c.Access, p) >= l {
			may[i] = 1
		}
	}
	for m, c := range least.Of {
		switch {
		case in[c] == 1:
			certain = append(certain, int32(m))
		case may[most.Of[m]] == 1:
			possible = append(possible, int32(m))
		}
	}
	return certain, possible
}

// GroupAccess returns what each group of a state grants to a member whose
// access comes from groups and who is in no other, under the ceilings.
func GroupAccess(m *Model, s *State) []Set {
	grants := s.groupGrants(m)
	for _, set := range grants {
		set.And(s.Ceiling)
	}
	return grants
}

// Uncovered returns who is governed by groups and has nothing by them, sorted.
func Uncovered(v *View) []int32 {
	bare := make([]bool, len(v.Classes))
	for i, c := range v.Classes {
		n := Granted(v.Model, v.State, c.Member)
		bare[i] = n == 0 || n > 0 && c.Access.Empty()
	}
	var list []int32
	for m, c := range v.Of {
		if bare[c] {
			list = append(list, int32(m))
		}
	}
	return list
}

// A Grant is a level that a source grants of a permission.
type Grant struct {
	Source  int32
	Perm    Perm
	Level   Level
	Ceiling Level
}

// Void returns the grants that a ceiling makes useless, wholly or in part, of
// sources that somebody has; in the order of sources and permissions.
func Void(v *View) []Grant {
	m, s, u := v.Model, v.State, v.Model.Universe
	var list []Grant
	for source := range m.Sources {
		if !inUse(v, int32(source)) {
			continue
		}
		over := s.Grants[source].Clone()
		for i, w := range s.Ceiling {
			over[i] &^= w
		}
		for _, p := range u.Perms(over) {
			list = append(list, Grant{int32(source), p, u.Get(s.Grants[source], p), u.Get(s.Ceiling, p)})
		}
	}
	return list
}

// inUse reports whether anybody has a source.
func inUse(v *View, source int32) bool {
	return slices.ContainsFunc(v.Classes, func(c Class) bool {
		return v.Model.Standings[v.State.Standing[c.Member]].FromGroups && v.State.Has(c.Member, source)
	})
}

// Redundant returns what adds nothing to anyone who has it, although somebody
// has: groups, and owners of sources. Several sources may belong to one owner,
// such as the parts of a role; owner gives it. Both lists are sorted.
//
// Each is judged by itself: of two that give the same, both are redundant, and
// only one of them can go.
func Redundant(v *View, owner func(source int32) string) (groups []int32, owners []string) {
	m, s := v.Model, v.State
	grants := s.groupGrants(m)
	used, useful := make([]bool, len(m.Groups)), make([]bool, len(m.Groups))
	usedBy, usefulBy := map[string]bool{}, map[string]bool{}
	owners = nil
	name := make([]string, len(m.Sources))
	for i := range m.Sources {
		name[i] = owner(int32(i))
	}
	for _, c := range v.Classes {
		standing := m.Standings[s.Standing[c.Member]]
		if !standing.FromGroups {
			continue
		}
		mine := s.Memberships[c.Member]
		for _, g := range mine {
			if used[g] = true; useful[g] || grants[g].Empty() {
				continue
			}
			rest := standing.Own.Clone()
			for _, h := range mine {
				if h != g {
					rest.Or(grants[h])
				}
			}
			useful[g] = !s.capped(m, c.Member, rest).Equal(c.Access)
		}
		for _, o := range ownersOf(s, mine, name) {
			if usedBy[o] = true; usefulBy[o] {
				continue
			}
			rest := standing.Own.Clone()
			for _, h := range mine {
				for _, source := range s.Attached[h] {
					if name[source] != o {
						rest.Or(s.Grants[source])
					}
				}
			}
			usefulBy[o] = !s.capped(m, c.Member, rest).Equal(c.Access)
		}
	}
	for g := range m.Groups {
		if used[g] && !useful[g] && !grants[g].Empty() && s.Lists[g].Empty() && !s.sets(int32(g)) {
			groups = append(groups, int32(g))
		}
	}
	for o := range usedBy {
		if !usefulBy[o] {
			owners = append(owners, o)
		}
	}
	slices.Sort(owners)
	return groups, owners
}

// sets reports whether a group says anything of a setting.
func (s *State) sets(group int32) bool {
	return slices.ContainsFunc(s.Settings, func(x Setting) bool { return x.Group[group] != Unset })
}

// capped returns what is left of granted under the ceilings of a member.
func (s *State) capped(m *Model, member int32, granted Set) Set {
	if !m.Standings[s.Standing[member]].Uncapped {
		granted.And(s.Ceiling)
		granted.And(m.Seats[s.Seat[member]].Cap)
		s.Narrow(granted, s.Memberships[member])
	}
	return granted
}

func ownersOf(s *State, groups []int32, name []string) []string {
	var list []string
	for _, g := range groups {
		for _, source := range s.Attached[g] {
			if !slices.Contains(list, name[source]) {
				list = append(list, name[source])
			}
		}
	}
	return list
}
