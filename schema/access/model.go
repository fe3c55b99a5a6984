package access

import "slices"

// A Model names what the states of one organization speak of. Two states that
// are compared share one model, so whatever exists in either is listed; what
// does not exist in a state has no members, no grants, nothing attached.
type Model struct {
	Universe  *Universe
	Members   []string // e-mail addresses, sorted
	Groups    []string // addresses, sorted
	Sources   []string // addresses of what grants, such as roles, sorted
	Standings []Standing

	// Settings are what a member has one value of instead of the best of many
	// grants, such as a spend limit or a plugin.
	Settings []SettingKind

	// Seats are the seat tiers; the first, called "", caps nothing.
	Seats []Seat

	members, groups, sources map[string]int32
}

// A Standing is what a member is in the organization, such as an organization
// role, and says where the member's access comes from.
type Standing struct {
	Name       string
	Own        Set  // what it gives by itself
	FromGroups bool // whether what the member's groups grant counts
	Uncapped   bool // whether no ceiling, seat or list lessens it
	Absent     bool // not in the organization: no access at all, no setting
}

// A Seat is a seat tier. Nobody has more than the cap of their seat, whatever
// is granted. Which seat a member has is declared and never moved by a plan.
type Seat struct {
	Name string
	Cap  Set
}

// NewModel returns a model; the lists are sorted and repetitions dropped. The
// first standing is that of people who are not in the organization, and the
// first seat one that caps nothing; NewModel adds both under the name "".
func NewModel(u *Universe, members, groups, sources []string, standings []Standing, settings []SettingKind, seats ...Seat) *Model {
	m := &Model{
		Universe: u,
		Members:  unique(members), Groups: unique(groups), Sources: unique(sources),
		Standings: append([]Standing{{Name: "", Own: u.NewSet(), Absent: true}}, standings...),
		Settings:  settings,
		Seats:     append([]Seat{{Name: "", Cap: u.Full()}}, seats...),
	}
	m.members, m.groups, m.sources = number(m.Members), number(m.Groups), number(m.Sources)
	if len(m.Standings) > 255 || len(m.Seats) > 255 {
		panic("access: more than 255 standings or seats")
	}
	return m
}

// With returns the model with more members, whom it does not have, behind its
// own: the numbers of all others stay.
func (m *Model) With(members []string) *Model {
	more := *m
	more.Members = slices.Concat(m.Members, members)
	more.members = number(more.Members)
	return &more
}

func unique(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

func number(list []string) map[string]int32 {
	m := make(map[string]int32, len(list))
	for i, s := range list {
		m[s] = int32(i)
	}
	return m
}

// Member returns the number of a member, -1 if there is none of that address.
func (m *Model) Member(email string) int32 { return find(m.members, email) }

// Group returns the number of a group, -1 if there is none of that address.
func (m *Model) Group(addr string) int32 { return find(m.groups, addr) }

// Source returns the number of a source, -1 if there is none of that address.
func (m *Model) Source(addr string) int32 { return find(m.sources, addr) }

// Standing returns the number of the standing called name.
func (m *Model) Standing(name string) (uint8, bool) {
	i := slices.IndexFunc(m.Standings, func(s Standing) bool { return s.Name == name })
	return uint8(max(i, 0)), i >= 0
}

// Setting returns the number of the setting called key, -1 if there is none.
func (m *Model) Setting(key string) int {
	return slices.IndexFunc(m.Settings, func(k SettingKind) bool { return k.Key == key })
}

// SeatOf returns the number of the seat called name.
func (m *Model) SeatOf(name string) (uint8, bool) {
	i := slices.IndexFunc(m.Seats, func(s Seat) bool { return s.Name == name })
	return uint8(max(i, 0)), i >= 0
}

func find(index map[string]int32, key string) int32 {
	if i, ok := index[key]; ok {
		return i
	}
	return -1
}

// A State is everything that decides access, at one moment. The slices run
// along the lists of the model.
type State struct {
	Standing    []uint8   // of each member, a number in Model.Standings
	Seat        []uint8   // of each member, a number in Model.Seats
	Memberships [][]int32 // of each member, its groups, sorted
	Attached    [][]int32 // of each group, its sources, sorted
	Grants      []Set     // of each source
	Ceiling     Set       // of the organization, for everybody
	Lists       []List    // of each group
	Settings    []Setting // of each kind of setting
}

// A List is what a group lets its members use of some permissions, where the
// system narrows by group, such as the tool allowlist of a team.
//
// If exactly one of a member's groups speaks of a level, the member has it
// only if that group allows it. If none speaks, or several do (the system then
// falls back on what the organization holds), no list lessens anything.
type List struct {
	Speaks Set // what the group has a say in: all levels of a permission, or none
	Allow  Set // what it lets through; of no meaning where it does not speak
}

// Empty reports whether the list has a say in nothing. Its sets may be nil.
func (l List) Empty() bool { return l.Speaks.Empty() }

func (l List) clone() List { return List{Speaks: l.Speaks.Clone(), Allow: l.Allow.Clone()} }

// equal compares what lists do, not what they hold without a say.
func (l List) equal(o List) bool {
	if l.Empty() && o.Empty() {
		return true
	}
	if l.Empty() || o.Empty() || !l.Speaks.Equal(o.Speaks) {
		return false
	}
	for i, w := range l.Speaks {
		if (l.Allow[i]^o.Allow[i])&w != 0 {
			return false
		}
	}
	return true
}

// NewState returns a state in which nobody is in the organization, nothing is
// granted, nothing is capped and nothing set.
func (m *Model) NewState() *State {
	s := &State{
		Standing:    make([]uint8, len(m.Members)),
		Seat:        make([]uint8, len(m.Members)),
		Memberships: make([][]int32, len(m.Members)),
		Attached:    make([][]int32, len(m.Groups)),
		Grants:      make([]Set, len(m.Sources)),
		Ceiling:     m.Universe.Full(),
		Lists:       make([]List, len(m.Groups)),
		Settings:    make([]Setting, len(m.Settings)),
	}
	for i := range s.Grants {
		s.Grants[i] = m.Universe.NewSet()
	}
	for i := range s.Settings {
		s.Settings[i] = newSetting(len(m.Groups), len(m.Seats))
	}
	return s
}

// With returns a copy of the state for a model with more members, who are not
// in the organization.
func (s *State) With(more *Model) *State {
	c := s.Clone()
	n := len(more.Members) - len(s.Standing)
	c.Standing = append(c.Standing, make([]uint8, n)...)
	c.Seat = append(c.Seat, make([]uint8, n)...)
	c.Memberships = append(c.Memberships, make([][]int32, n)...)
	return c
}

// Clone returns a copy of s that shares nothing that Apply changes.
func (s *State) Clone() *State {
	c := &State{
		Standing:    slices.Clone(s.Standing),
		Seat:        slices.Clone(s.Seat),
		Memberships: slices.Clone(s.Memberships), // inner slices are replaced, never written
		Attached:    slices.Clone(s.Attached),
		Grants:      make([]Set, len(s.Grants)),
		Ceiling:     s.Ceiling.Clone(),
		Lists:       make([]List, len(s.Lists)),
		Settings:    make([]Setting, len(s.Settings)),
	}
	for i, g := range s.Grants {
		c.Grants[i] = g.Clone()
	}
	for i, l := range s.Lists {
		c.Lists[i] = l.clone()
	}
	for i, p := range s.Settings {
		c.Settings[i] = p.clone()
	}
	return c
}

// Equal reports whether s and t are the same state.
func (s *State) Equal(t *State) bool {
	return slices.Equal(s.Standing, t.Standing) && slices.Equal(s.Seat, t.Seat) &&
		slices.EqualFunc(s.Memberships, t.Memberships, slices.Equal[[]int32]) &&
		slices.EqualFunc(s.Attached, t.Attached, slices.Equal[[]int32]) &&
		slices.EqualFunc(s.Grants, t.Grants, Set.Equal) &&
		s.Ceiling.Equal(t.Ceiling) &&
		slices.EqualFunc(s.Lists, t.Lists, List.equal) &&
		slices.EqualFunc(s.Settings, t.Settings, Setting.equal)
}

// Join puts a member into a group.
func (s *State) Join(member, group int32) {
	s.Memberships[member] = with(s.Memberships[member], group)
}

// Leave takes a member out of a group.
func (s *State) Leave(member, group int32) {
	s.Memberships[member] = without(s.Memberships[member], group)
}

// Attach attaches a source to a group.
func (s *State) Attach(group, source int32) { s.Attached[group] = with(s.Attached[group], source) }

// Detach detaches a source from a group.
func (s *State) Detach(group, source int32) { s.Attached[group] = without(s.Attached[group], source) }

// Speak gives a group a say in a permission, at nothing until the list allows
// more, or takes it away.
func (s *State) Speak(u *Universe, group int32, p Perm, say bool) {
	l := &s.Lists[group]
	if l.Speaks == nil {
		l.Speaks, l.Allow = u.NewSet(), u.NewSet()
	}
	if say {
		u.Put(l.Speaks, p, u.Permission(p).Scale.Top())
	} else {
		u.Put(l.Speaks, p, 0)
	}
}

// Allow sets the level up to which the list of a group lets a permission
// through.
func (s *State) Allow(u *Universe, group int32, p Perm, level Level) {
	l := &s.Lists[group]
	if l.Speaks == nil {
		l.Speaks, l.Allow = u.NewSet(), u.NewSet()
	}
	u.Put(l.Allow, p, level)
}

func with(list []int32, x int32) []int32 {
	i, ok := slices.BinarySearch(list, x)
	if ok {
		return list
	}
	return slices.Insert(slices.Clone(list), i, x)
}

func without(list []int32, x int32) []int32 {
	i, ok := slices.BinarySearch(list, x)
	if !ok {
		return list
	}
	return slices.Delete(slices.Clone(list), i, i+1)
}
