package access

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// A Model names what the states of one organization speak of. Two states that
// are compared share one model, so whatever exists in either is listed; what
// does not exist in a state has no members, no grants, nothing attached.
type Model struct {
	Universe  *Universe
	Members   []string // e-mail addresses, sorted
	Groups    []string // addresses, sorted
	Sources   []string // addresses of what grants, such as roles, sorted
	Standings []Standing

	// Periods are the periods that spend is limited by, such as "monthly".
	Periods []string

	members, groups, sources map[string]int32
}

// A Standing is what a member is in the organization, such as an organization
// role, and says where the member's access comes from.
type Standing struct {
	Name       string
	Own        Set  // what it gives by itself
	FromGroups bool // whether what the member's groups grant counts
	Absent     bool // not in the organization: no access at all, no spend
}

// NewModel returns a model; the lists are sorted and repetitions dropped. The
// first standing is that of people who are not in the organization; it is
// added by NewModel under the name "".
func NewModel(u *Universe, members, groups, sources []string, standings []Standing, periods []string) *Model {
	m := &Model{
		Universe: u,
		Members:  unique(members), Groups: unique(groups), Sources: unique(sources),
		Standings: append([]Standing{{Name: "", Own: u.NewSet(), Absent: true}}, standings...),
		Periods:   periods,
	}
	m.members, m.groups, m.sources = number(m.Members), number(m.Groups), number(m.Sources)
	if len(m.Standings) > 255 {
		panic("access: more than 255 standings")
	}
	return m
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
	Memberships [][]int32 // of each member, its groups, sorted
	Attached    [][]int32 // of each group, its sources, sorted
	Grants      []Set     // of each source
	Ceiling     Set       // of the organization, for everybody
	Spend       []Spend   // of each period
}

// NewState returns a state in which nobody is in the organization, nothing is
// granted, nothing is capped and nothing limited.
func (m *Model) NewState() *State {
	s := &State{
		Standing:    make([]uint8, len(m.Members)),
		Memberships: make([][]int32, len(m.Members)),
		Attached:    make([][]int32, len(m.Groups)),
		Grants:      make([]Set, len(m.Sources)),
		Ceiling:     m.Universe.Full(),
		Spend:       make([]Spend, len(m.Periods)),
	}
	for i := range s.Grants {
		s.Grants[i] = m.Universe.NewSet()
	}
	for i := range s.Spend {
		s.Spend[i] = newSpend(len(m.Groups))
	}
	return s
}

// Clone returns a copy of s that shares nothing that Apply changes.
func (s *State) Clone() *State {
	c := &State{
		Standing:    slices.Clone(s.Standing),
		Memberships: slices.Clone(s.Memberships), // inner slices are replaced, never written
		Attached:    slices.Clone(s.Attached),
		Grants:      make([]Set, len(s.Grants)),
		Ceiling:     s.Ceiling.Clone(),
		Spend:       make([]Spend, len(s.Spend)),
	}
	for i, g := range s.Grants {
		c.Grants[i] = g.Clone()
	}
	for i, p := range s.Spend {
		c.Spend[i] = p.clone()
	}
	return c
}

// Equal reports whether s and t are the same state.
func (s *State) Equal(t *State) bool {
	return slices.Equal(s.Standing, t.Standing) &&
		slices.EqualFunc(s.Memberships, t.Memberships, slices.Equal[[]int32]) &&
		slices.EqualFunc(s.Attached, t.Attached, slices.Equal[[]int32]) &&
		slices.EqualFunc(s.Grants, t.Grants, Set.Equal) &&
		s.Ceiling.Equal(t.Ceiling) &&
		slices.EqualFunc(s.Spend, t.Spend, Spend.equal)
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

// A Limit is an amount of money in the minor unit of the currency.
type Limit int64

// The limits that are not amounts.
const (
	Unset     Limit = -1            // this scope says nothing
	Unlimited Limit = math.MaxInt64 // this scope says: no limit
)

// String returns the limit in minor units, "unlimited", or "" if it is unset.
func (l Limit) String() string {
	switch l {
	case Unset:
		return ""
	case Unlimited:
		return "unlimited"
	}
	return strconv.FormatInt(int64(l), 10)
}

// ParseLimit reads what String wrote.
func ParseLimit(s string) (Limit, error) {
	switch s {
	case "":
		return Unset, nil
	case "unlimited":
		return Unlimited, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n == math.MaxInt64 {
		return Unset, fmt.Errorf("access: %q is not an amount in minor units", s)
	}
	return Limit(n), nil
}

// A Spend is what limits spend in one period: the first scope that says
// something wins, in the order of member, groups, organization default. Of
// several groups the lowest wins, or the highest if Highest is set. The
// organization's ceiling caps them all.
type Spend struct {
	Member  map[int32]Limit // only members who have one of their own
	Group   []Limit
	Default Limit
	Ceiling Limit
	Highest bool
}

func newSpend(groups int) Spend {
	s := Spend{Member: map[int32]Limit{}, Group: make([]Limit, groups), Default: Unset, Ceiling: Unset}
	for i := range s.Group {
		s.Group[i] = Unset
	}
	return s
}

func (s Spend) clone() Spend {
	s.Member = maps.Clone(s.Member)
	s.Group = slices.Clone(s.Group)
	return s
}

func (s Spend) equal(t Spend) bool {
	return maps.Equal(s.Member, t.Member) && slices.Equal(s.Group, t.Group) &&
		s.Default == t.Default && s.Ceiling == t.Ceiling && s.Highest == t.Highest
}

// Effective returns the limit of a member who is in the given groups.
func (s Spend) Effective(member int32, groups []int32) Limit {
	l, ok := s.Member[member]
	if !ok {
		l = s.inherited(groups)
	}
	if s.Ceiling != Unset {
		l = min(l, s.Ceiling)
	}
	return l
}

func (s Spend) inherited(groups []int32) Limit {
	best := Unset
	for _, g := range groups {
		switch l := s.Group[g]; {
		case l == Unset:
		case best == Unset, s.Highest && l > best, !s.Highest && l < best:
			best = l
		}
	}
	if best != Unset {
		return best
	}
	if s.Default != Unset {
		return s.Default
	}
	return Unlimited
}
