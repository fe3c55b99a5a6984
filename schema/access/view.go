package access

import (
	"encoding/binary"
	"slices"
)

// A View is the access of every member in one state, computed by class:
// members with the same standing, groups and limits of their own share one
// result.
type View struct {
	Model   *Model
	State   *State
	Classes []Class
	Of      []int32 // the class of each member
}

// A Class is members whose access is the same because what it comes from is.
type Class struct {
	Member int32 // the first of them
	Count  int
	Access Set
	Spend  []Limit // of each period; Unset for people who are not members
}

// NewView computes the access of every member in s.
func NewView(m *Model, s *State) *View {
	v := &View{Model: m, State: s, Of: make([]int32, len(m.Members))}
	groups := s.groupGrants(m)
	index := map[string]int32{}
	var key []byte
	for i := range m.Members {
		key = s.appendClassKey(key[:0], int32(i))
		c, ok := index[string(key)]
		if !ok {
			c = int32(len(v.Classes))
			index[string(key)] = c
			v.Classes = append(v.Classes, Class{
				Member: int32(i),
				Access: s.access(m, groups, int32(i)),
				Spend:  s.spend(m, int32(i)),
			})
		}
		v.Classes[c].Count++
		v.Of[i] = c
	}
	return v
}

// Access returns the access of one member.
func (v *View) Access(member int32) Set { return v.Classes[v.Of[member]].Access }

// Limit returns the limit of one member in one period.
func (v *View) Limit(member int32, period int) Limit {
	return v.Classes[v.Of[member]].Spend[period]
}

// appendClassKey appends what decides the member's access to key.
func (s *State) appendClassKey(key []byte, member int32) []byte {
	key = append(key, s.Standing[member])
	for i := range s.Spend {
		if l, ok := s.Spend[i].Member[member]; ok {
			key = binary.LittleEndian.AppendUint64(key, uint64(l))
		}
		key = append(key, 0xff, byte(i))
	}
	for _, g := range s.Memberships[member] {
		key = binary.LittleEndian.AppendUint32(key, uint32(g))
	}
	return key
}

// groupGrants returns what each group grants through its sources.
func (s *State) groupGrants(m *Model) []Set {
	grants := make([]Set, len(m.Groups))
	for g, sources := range s.Attached {
		grants[g] = m.Universe.NewSet()
		for _, r := range sources {
			grants[g].Or(s.Grants[r])
		}
	}
	return grants
}

func (s *State) access(m *Model, groups []Set, member int32) Set {
	standing := m.Standings[s.Standing[member]]
	set := standing.Own.Clone()
	if standing.FromGroups {
		for _, g := range s.Memberships[member] {
			set.Or(groups[g])
		}
	}
	set.And(s.Ceiling)
	return set
}

func (s *State) spend(m *Model, member int32) []Limit {
	limits := make([]Limit, len(s.Spend))
	absent := m.Standings[s.Standing[member]].Absent
	for i := range s.Spend {
		limits[i] = Unset
		if !absent {
			limits[i] = s.Spend[i].Effective(member, s.Memberships[member])
		}
	}
	return limits
}

// A Delta is one difference of access, and everybody whom it concerns.
type Delta struct {
	Perm     Perm
	From, To Level
	Members  []int32 // sorted
}

// A LimitDelta is one difference of limits, and everybody whom it concerns.
type LimitDelta struct {
	Period   int
	From, To Limit // Unset for somebody who is not a member
	Members  []int32
}

// Diff returns how access differs from v to w, which must share their model.
// Deltas are sorted by permission, then by level before and after.
func Diff(v, w *View) ([]Delta, []LimitDelta) {
	type pair struct{ a, b int32 }
	members := map[pair][]int32{}
	for i := range v.Of {
		p := pair{v.Of[i], w.Of[i]}
		members[p] = append(members[p], int32(i))
	}
	u := v.Model.Universe
	type change struct {
		perm     Perm
		from, to Level
	}
	type limit struct {
		period   int
		from, to Limit
	}
	changes, limits := map[change][][]int32{}, map[limit][][]int32{}
	differ := u.NewSet()
	for p, list := range members {
		a, b := v.Classes[p.a], w.Classes[p.b]
		for i := range differ {
			differ[i] = a.Access[i] ^ b.Access[i]
		}
		for _, perm := range u.Perms(differ) {
			c := change{perm, u.Get(a.Access, perm), u.Get(b.Access, perm)}
			changes[c] = append(changes[c], list)
		}
		for i := range a.Spend {
			if a.Spend[i] != b.Spend[i] {
				l := limit{i, a.Spend[i], b.Spend[i]}
				limits[l] = append(limits[l], list)
			}
		}
	}
	deltas := make([]Delta, 0, len(changes))
	for c, lists := range changes {
		deltas = append(deltas, Delta{c.perm, c.from, c.to, merge(lists)})
	}
	slices.SortFunc(deltas, func(a, b Delta) int {
		if a.Perm != b.Perm {
			return int(a.Perm) - int(b.Perm)
		}
		return (int(a.From)-int(b.From))*256 + int(a.To) - int(b.To)
	})
	moved := make([]LimitDelta, 0, len(limits))
	for l, lists := range limits {
		moved = append(moved, LimitDelta{l.period, l.from, l.to, merge(lists)})
	}
	slices.SortFunc(moved, func(a, b LimitDelta) int { return int(a.Members[0]) - int(b.Members[0]) })
	return deltas, moved
}

func merge(lists [][]int32) []int32 {
	if len(lists) == 1 {
		return lists[0]
	}
	all := slices.Concat(lists...)
	slices.Sort(all)
	return all
}

// A Path is one way in which a member comes to a level of a permission: what
// the standing gives by itself (Source and Group are -1), or a source attached
// to one of the member's groups.
type Path struct {
	Group, Source int32
	Level         Level // before any ceiling
}

// A Reason says why a member has the level they have.
type Reason struct {
	Level   Level  // in force
	Best    Level  // the best that any source grants
	Ceiling Level  // what it is capped at
	Paths   []Path // those that grant Best, in order; nil if nothing does
}

// Explain returns why a member has the level of p that they have in s.
func Explain(m *Model, s *State, member int32, p Perm) Reason {
	u := m.Universe
	standing := m.Standings[s.Standing[member]]
	r := Reason{Ceiling: u.Get(s.Ceiling, p)}
	add := func(path Path) {
		switch {
		case path.Level == 0, path.Level < r.Best:
		case path.Level > r.Best:
			r.Best, r.Paths = path.Level, []Path{path}
		default:
			r.Paths = append(r.Paths, path)
		}
	}
	add(Path{Group: -1, Source: -1, Level: u.Get(standing.Own, p)})
	if standing.FromGroups {
		for _, g := range s.Memberships[member] {
			for _, source := range s.Attached[g] {
				add(Path{Group: g, Source: source, Level: u.Get(s.Grants[source], p)})
			}
		}
	}
	r.Level = min(r.Best, r.Ceiling)
	return r
}

// Granted returns how many sources count for a member: those attached to the
// member's groups if the standing takes from groups, else -1.
func Granted(m *Model, s *State, member int32) int {
	if !m.Standings[s.Standing[member]].FromGroups {
		return -1
	}
	n := 0
	for _, g := range s.Memberships[member] {
		n += len(s.Attached[g])
	}
	return n
}
