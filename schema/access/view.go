package access

import (
	"runtime"
	"slices"
	"sync"
)

// A View is the access of every member in one state, computed by class:
// members with the same standing, seat, groups and settings of their own share
// one result.
type View struct {
	Model   *Model
	State   *State
	Classes []Class // in the order of their first members
	Of      []int32 // the class of each member
}

// A Class is members whose access is the same because what it comes from is.
type Class struct {
	Member   int32 // the first of them
	Count    int
	Access   Set
	Settings []Limit // of each kind of setting; Unset for people who are not members
}

// NewView computes the access of every member in s.
func NewView(m *Model, s *State) *View {
	v := &View{Model: m, State: s, Of: make([]int32, len(m.Members))}
	v.Classes = s.classify(v.Of)
	groups := s.groupGrants(m)
	spread(len(v.Classes), 64, func(_, lo, hi int) {
		for c := lo; c < hi; c++ {
			cl := &v.Classes[c]
			cl.Access = s.access(m, groups, cl.Member)
			cl.Settings = s.settings(m, cl.Member)
		}
	})
	return v
}

// Access returns the access of one member.
func (v *View) Access(member int32) Set { return v.Classes[v.Of[member]].Access }

// Setting returns the value that one member has of a setting.
func (v *View) Setting(member int32, setting int) Limit {
	return v.Classes[v.Of[member]].Settings[setting]
}

// spread divides 0 to n among the processors, if there are at least enough of
// them to be worth it. Parts are contiguous and in order; at most maxParts.
func spread(n, enough int, do func(part, lo, hi int)) (parts int) {
	parts = max(1, min(runtime.GOMAXPROCS(0), n/enough, maxParts))
	var wg sync.WaitGroup
	for part := range parts {
		lo, hi := n*part/parts, n*(part+1)/parts
		if part == parts-1 {
			do(part, lo, hi)
			break
		}
		wg.Go(func() { do(part, lo, hi) })
	}
	wg.Wait()
	return parts
}

const maxParts = 8

// classify writes the class of each member and returns the classes, in the
// order of their first members, whatever the number of processors: each takes
// a run of members, and the classes of the runs are joined in order.
func (s *State) classify(of []int32) []Class {
	own := s.withOwn(len(of))
	var tables [maxParts]classTable
	spread(len(of), 4096, func(part, lo, hi int) {
		t := &tables[part]
		t.init(s, own)
		for i := lo; i < hi; i++ {
			of[i] = t.class(int32(i), 1)
		}
		t.hi = hi
	})
	all := classTable{}
	all.init(s, own)
	var names [maxParts][]int32
	for part := range tables {
		t := &tables[part]
		names[part] = make([]int32, len(t.classes))
		for c, cl := range t.classes {
			names[part][c] = all.class(cl.Member, cl.Count)
		}
	}
	lo := 0
	for part := range tables[1:] {
		lo = tables[part].hi
		for i := lo; i < tables[part+1].hi; i++ {
			of[i] = names[part+1][of[i]]
		}
	}
	return all.classes
}

// withOwn reports which members have any setting of their own; nil if nobody.
func (s *State) withOwn(members int) []bool {
	var own []bool
	for i := range s.Settings {
		for m := range s.Settings[i].Member {
			if own == nil {
				own = make([]bool, members)
			}
			own[m] = true
		}
	}
	return own
}

// A classTable finds classes by what decides access, without a key for each
// member: by hash, and by comparing with the first member of the class.
type classTable struct {
	s       *State
	own     []bool
	classes []Class
	hashes  []uint64
	slots   []int32 // class + 1, by hash; a power of two of them
	hi      int     // the end of the run of members that it was made for
}

func (t *classTable) init(s *State, own []bool) {
	t.s, t.own, t.slots = s, own, make([]int32, 1024)
}

// class returns the class of a member who stands for count members.
func (t *classTable) class(member int32, count int) int32 {
	h := t.hash(member)
	mask := uint64(len(t.slots) - 1)
	i := h & mask
	for ; t.slots[i] != 0; i = (i + 1) & mask {
		if c := t.slots[i] - 1; t.hashes[c] == h && t.same(member, t.classes[c].Member) {
			t.classes[c].Count += count
			return c
		}
	}
	t.classes = append(t.classes, Class{Member: member, Count: count})
	t.hashes = append(t.hashes, h)
	t.slots[i] = int32(len(t.classes))
	if 2*len(t.classes) > len(t.slots) {
		t.grow()
	}
	return int32(len(t.classes) - 1)
}

func (t *classTable) grow() {
	t.slots = make([]int32, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for c, h := range t.hashes {
		i := h & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = int32(c + 1)
	}
}

func (t *classTable) hash(member int32) uint64 {
	h := mix(uint64(t.s.Standing[member])<<8 | uint64(t.s.Seat[member]))
	for _, g := range t.s.Memberships[member] {
		h = mix(h ^ uint64(uint32(g)))
	}
	if t.own != nil && t.own[member] {
		for i := range t.s.Settings {
			h = mix(h ^ uint64(t.s.Settings[i].Own(member)))
		}
	}
	return h
}

// mix spreads the bits of x; it is one-to-one.
func mix(x uint64) uint64 {
	x = (x + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
	return x ^ x>>29
}

// same reports whether all that decides the access of two members is equal.
func (t *classTable) same(a, b int32) bool {
	s := t.s
	if s.Standing[a] != s.Standing[b] || s.Seat[a] != s.Seat[b] || !slices.Equal(s.Memberships[a], s.Memberships[b]) {
		return false
	}
	if t.own == nil || !t.own[a] && !t.own[b] {
		return true
	}
	for i := range s.Settings {
		if s.Settings[i].Own(a) != s.Settings[i].Own(b) {
			return false
		}
	}
	return true
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
	standing := &m.Standings[s.Standing[member]]
	set := standing.Own.Clone()
	if standing.FromGroups {
		for _, g := range s.Memberships[member] {
			set.Or(groups[g])
		}
	}
	if !standing.Uncapped {
		set.And(s.Ceiling)
		set.And(m.Seats[s.Seat[member]].Cap)
		s.Narrow(set, s.Memberships[member])
	}
	return set
}

// Narrow takes out of set what the lists of the groups do not allow: where
// exactly one of them speaks, what it does not let through.
func (s *State) Narrow(set Set, groups []int32) {
	var once, twice, denied Set
	for _, g := range groups {
		l := s.Lists[g]
		if l.Empty() {
			continue
		}
		if once == nil {
			once, twice, denied = make(Set, len(set)), make(Set, len(set)), make(Set, len(set))
		}
		for i, w := range l.Speaks {
			twice[i] |= once[i] & w
			once[i] |= w
			denied[i] |= w &^ l.Allow[i]
		}
	}
	for i := range denied {
		set[i] &^= denied[i] &^ twice[i]
	}
}

func (s *State) settings(m *Model, member int32) []Limit {
	values := make([]Limit, len(s.Settings))
	absent := m.Standings[s.Standing[member]].Absent
	for i := range s.Settings {
		values[i] = Unset
		if !absent {
			values[i] = s.Settings[i].Effective(member, s.Memberships[member], s.Seat[member], m.Settings[i].Nothing())
		}
	}
	return values
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
	Ceiling Level  // what it is capped at: by the organization, the seat, a list
	Paths   []Path // those that grant Best, in order; nil if nothing does
}

// Explain returns why a member has the level of p that they have in s.
func Explain(m *Model, s *State, member int32, p Perm) Reason {
	u := m.Universe
	standing := m.Standings[s.Standing[member]]
	r := Reason{Ceiling: u.Permission(p).Scale.Top()}
	if caps := Caps(m, s, member, p); len(caps) > 0 {
		r.Ceiling = caps[0].Level
	}
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
