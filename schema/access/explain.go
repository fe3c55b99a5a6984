package access

import (
	"cmp"
	"math/bits"
	"slices"
)

// A Cause says why a member does not have more of a permission.
type Cause string

// The causes. Where several apply, it is the first that would have to go.
const (
	Topmost    Cause = ""             // there is no more to have
	Outside    Cause = "not-a-member" // not in the organization
	NoGroup    Cause = "no-group"     // access comes from groups, and the member is in none
	NoSource   Cause = "no-source"    // nothing is attached to any of the member's groups
	NotGranted Cause = "not-granted"  // what counts for the member does not grant more
	ByOrg      Cause = "organization" // more is granted, and the organization's ceiling holds it back
	BySeat     Cause = "seat"         // so does the member's seat
	ByList     Cause = "list"         // so does the list of one of the member's groups
)

// A Cap is what holds a permission of a member at a level.
type Cap struct {
	By    Cause // ByOrg, BySeat or ByList
	Group int32 // of the list; -1 else
	Level Level
}

// An Answer is what a member has of one permission, and why.
//
// Level and Most are what is in force in the reading with the least access
// and in the one with the most: they differ where something could not be read.
// Everything else is of the reading with the least.
type Answer struct {
	Level, Most Level
	Best        Level // the best that anything grants
	Cause       Cause // why it is not more

	// Ways are all ways that count for the member, also those that grant
	// nothing; the best first, then in the order of the model. Caps are those
	// that are in force and below the top of the scale, lowest first.
	Ways []Path
	Caps []Cap
}

// Unknown reports whether the level hangs on something that could not be read.
func (a Answer) Unknown() bool { return a.Level != a.Most }

// Ask returns what a member has of p, given the readings of one state in the
// order of least to most access.
func Ask(m *Model, readings []*State, member int32, p Perm) Answer {
	s := readings[0]
	a := Answer{Ways: Ways(m, s, member, p), Caps: Caps(m, s, member, p)}
	if len(a.Ways) > 0 {
		a.Best = a.Ways[0].Level
	}
	a.Level = a.Best
	if len(a.Caps) > 0 {
		a.Level = min(a.Best, a.Caps[0].Level)
	}
	a.Most = a.Level
	if last := len(readings) - 1; last > 0 {
		a.Most = Explain(m, readings[last], member, p).Level
	}
	a.Cause = cause(m, s, member, p, a)
	return a
}

// Ways returns every way in which p could come to a member: what the standing
// gives by itself, if it gives anything, and each source of each of the
// member's groups, if those count. The best comes first.
func Ways(m *Model, s *State, member int32, p Perm) []Path {
	u := m.Universe
	standing := &m.Standings[s.Standing[member]]
	var list []Path
	if l := u.Get(standing.Own, p); l > 0 {
		list = append(list, Path{Group: -1, Source: -1, Level: l})
	}
	if standing.FromGroups {
		for _, g := range s.Memberships[member] {
			for _, source := range s.Attached[g] {
				list = append(list, Path{Group: g, Source: source, Level: u.Get(s.Grants[source], p)})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Path) int { return cmp.Compare(b.Level, a.Level) })
	return list
}

// Caps returns what holds p of a member below the top of its scale, lowest
// first.
func Caps(m *Model, s *State, member int32, p Perm) []Cap {
	if m.Standings[s.Standing[member]].Uncapped {
		return nil
	}
	u := m.Universe
	var list []Cap
	add := func(c Cap) {
		if c.Level < u.Permission(p).Scale.Top() {
			list = append(list, c)
		}
	}
	add(Cap{ByOrg, -1, u.Get(s.Ceiling, p)})
	add(Cap{BySeat, -1, u.Get(m.Seats[s.Seat[member]].Cap, p)})
	speaks := int32(-1)
	for _, g := range s.Memberships[member] {
		if l := s.Lists[g]; !l.Empty() && u.Get(l.Speaks, p) > 0 {
			if speaks >= 0 { // several speak, so none counts
				speaks = -1
				break
			}
			speaks = g
		}
	}
	if speaks >= 0 {
		add(Cap{ByList, speaks, u.Get(s.Lists[speaks].Allow, p)})
	}
	slices.SortStableFunc(list, func(a, b Cap) int { return cmp.Compare(a.Level, b.Level) })
	return list
}

func cause(m *Model, s *State, member int32, p Perm, a Answer) Cause {
	standing := &m.Standings[s.Standing[member]]
	switch {
	case standing.Absent:
		return Outside
	case a.Level < a.Best:
		return a.Caps[0].By
	case a.Level == m.Universe.Permission(p).Scale.Top():
		return Topmost
	case !standing.FromGroups || len(a.Ways) > 0:
		return NotGranted
	case len(s.Memberships[member]) == 0:
		return NoGroup
	}
	return NoSource
}

// A Scope is who may say what the value of a setting is.
type Scope string

// The scopes, in the order in which they are asked.
const (
	OfMember  Scope = "member"
	OfGroup   Scope = "group"
	OfSeat    Scope = "seat"
	OfDefault Scope = "default"
	Fallback  Scope = "fallback"
	OfNobody  Scope = "nothing" // no scope says anything
)

// A Voice is what one scope says of a setting.
type Voice struct {
	Scope Scope
	Group int32 // -1 unless a group says it
	Value Limit
	Wins  bool
}

// A Value is what a member has of a setting, and why. Where it could not be
// read, Most differs from Value.
type Value struct {
	Value, Most Limit
	Voices      []Voice // those that say something, in the order of scopes
	Ceiling     Limit   // Unset for none
	Capped      bool    // the ceiling is what decides
}

// Unknown reports whether the value hangs on something that could not be read.
func (v Value) Unknown() bool { return v.Value != v.Most }

// AskSetting returns what a member has of the setting numbered i, given the
// readings of one state.
func AskSetting(m *Model, readings []*State, member int32, i int) Value {
	value := func(s *State) Limit {
		if m.Standings[s.Standing[member]].Absent {
			return Unset
		}
		return s.Settings[i].Effective(member, s.Memberships[member], s.Seat[member], m.Settings[i].Nothing())
	}
	s := readings[0]
	set := s.Settings[i]
	v := Value{Value: value(s), Most: value(readings[len(readings)-1]), Ceiling: set.Ceiling}
	if v.Value == Unset {
		return v
	}
	add := func(scope Scope, group int32, l Limit) {
		if l != Unset {
			v.Voices = append(v.Voices, Voice{Scope: scope, Group: group, Value: l})
		}
	}
	add(OfMember, -1, set.Own(member))
	for _, g := range s.Memberships[member] {
		add(OfGroup, g, set.Group[g])
	}
	add(OfSeat, -1, set.Seat[s.Seat[member]])
	add(OfDefault, -1, set.Default)
	add(Fallback, -1, set.Fallback)
	if len(v.Voices) == 0 {
		add(OfNobody, -1, m.Settings[i].Nothing())
	}
	set.Ceiling = Unset
	won := set.Effective(member, s.Memberships[member], s.Seat[member], m.Settings[i].Nothing())
	v.Capped = v.Value != won
	for k := range v.Voices {
		w := &v.Voices[k]
		if w.Value == won && (w.Scope == v.Voices[0].Scope || set.SeatCompared && w.Scope == OfSeat && v.Voices[0].Scope == OfGroup) {
			w.Wins = true
			break
		}
	}
	return v
}

// A Flip is moves that together turn a member's answer about one permission
// around: from nothing to something, or from something to nothing.
type Flip struct {
	Moves []Move

	// Others counts what else changes at most: levels of the same member, and
	// levels of other people. The smallest flip comes first.
	Others int
}

// Flips returns the ways of turning around what a member has of p in v,
// smallest first. There are none for who is not in the organization, and none
// that would move a member's standing: that takes much else along.
func Flips(v *View, member int32, p Perm) []Flip {
	f := flipper{View: v, member: member, p: p, grants: v.State.groupGrants(v.Model)}
	r := Explain(v.Model, v.State, member, p)
	f.had = r.Level > 0
	standing := v.Model.Standings[v.State.Standing[member]]
	switch {
	case standing.Absent:
		return nil
	case r.Level > 0:
		f.off(standing)
	default:
		f.on(r, standing)
	}
	slices.SortStableFunc(f.list, func(a, b Flip) int {
		return cmp.Or(cmp.Compare(a.Others, b.Others), cmp.Compare(len(a.Moves), len(b.Moves)))
	})
	return f.list
}

type flipper struct {
	*View
	member int32
	p      Perm
	had    bool  // whether the member has any of p
	grants []Set // of each group
	people []int // how many people are in each group, once it is asked for
	held   []int // how many people have each source, once it is asked for
	list   []Flip
}

func (f *flipper) add(others int, moves ...Move) {
	if f.after(moves) > 0 != f.had {
		f.list = append(f.list, Flip{Moves: moves, Others: max(others, 0)})
	}
}

// after returns the level that the member would have of p after some moves:
// joining a group may bring a list along that narrows, or one that ends
// another's say. No state is copied, because it may have very many members.
func (f *flipper) after(moves []Move) Level {
	m, s, u := f.Model, f.State, f.Model.Universe
	standing := &m.Standings[s.Standing[f.member]]
	groups := slices.Clone(s.Memberships[f.member])
	ceiling := u.Get(s.Ceiling, f.p)
	type at struct{ group, source int32 }
	attached, grants, allow := map[at]bool{}, map[int32]Level{}, map[int32]Level{}
	for _, v := range moves {
		b, err := m.Bind(v)
		if err != nil {
			panic("access: " + err.Error()) // the moves are made here
		}
		switch v.Kind {
		case MoveMembership:
			if b.To == 1 {
				groups = with(groups, b.Group)
			} else {
				groups = without(groups, b.Group)
			}
		case MoveAttachment:
			attached[at{b.Group, b.Source}] = true
		case MoveGrant:
			grants[b.Source] = Level(b.To)
		case MoveCeiling:
			ceiling = Level(b.To)
		case MoveListLevel:
			allow[b.Group] = Level(b.To)
		}
	}
	level := u.Get(standing.Own, f.p)
	grant := func(source int32) {
		l, moved := grants[source]
		if !moved {
			l = u.Get(s.Grants[source], f.p)
		}
		level = max(level, l)
	}
	speaking, list := 0, Level(0)
	for _, g := range groups {
		if standing.FromGroups {
			for _, source := range s.Attached[g] {
				grant(source)
			}
		}
		if l := s.Lists[g]; !l.Empty() && u.Get(l.Speaks, f.p) > 0 {
			speaking++
			list = u.Get(l.Allow, f.p)
			if to, moved := allow[g]; moved {
				list = to
			}
		}
	}
	for a := range attached {
		grant(a.source)
	}
	if standing.Uncapped {
		return level
	}
	level = min(level, ceiling, u.Get(m.Seats[s.Seat[f.member]].Cap, f.p))
	if speaking == 1 {
		level = min(level, list)
	}
	return level
}

// on looks for what gives the member the least that is something. A seat is not
// moved.
func (f *flipper) on(r Reason, standing Standing) {
	var first []Move // what has to go in any case
	others := 0
	for _, c := range Caps(f.Model, f.State, f.member, f.p) {
		switch {
		case c.Level > 0:
		case c.By == BySeat:
			return
		case c.By == ByList:
			first = append(first, Move{Kind: MoveListLevel, Group: f.Model.Groups[c.Group], Permission: f.Model.Universe.Key(f.p), From: f.name(0), To: f.name(1)})
			others += f.in(c.Group) - 1
		default:
			first = append(first, f.ceiling(0, 1))
			others += f.reached() - 1
		}
	}
	if r.Best > 0 {
		f.add(others, first...)
		return
	}
	if !standing.FromGroups {
		return
	}
	with := func(more int, moves ...Move) { f.add(others+more, append(slices.Clone(first), moves...)...) }
	s, m, u := f.State, f.Model, f.Model.Universe
	grants := f.grants
	mine := s.Memberships[f.member]
	for g := range m.Groups {
		if slices.Contains(mine, int32(g)) {
			continue
		}
		if u.Get(grants[g], f.p) > 0 {
			with(f.gained(grants[g])-1, f.membership(int32(g), Out, In))
		}
	}
	seen := map[int32]bool{}
	for _, g := range mine {
		for source := range s.Grants {
			if u.Get(s.Grants[source], f.p) > 0 {
				with(f.attached(g, int32(source))-1, Move{Kind: MoveAttachment, Group: m.Groups[g], Source: m.Sources[source], From: Out, To: In})
			}
		}
		for _, source := range s.Attached[g] {
			if !seen[source] {
				seen[source] = true
				with(f.having(source)-1, f.grant(source, 0, 1))
			}
		}
	}
	if len(f.list) > 0 {
		return
	}
	// Nothing grants it anywhere: then into a group, and its source is raised.
	for g := range m.Groups {
		for _, source := range s.Attached[g] {
			if !slices.Contains(mine, int32(g)) {
				with(f.gained(grants[g])+f.having(source), f.membership(int32(g), Out, In), f.grant(source, 0, 1))
			}
		}
	}
}

// off looks for what takes from the member everything of p.
func (f *flipper) off(standing Standing) {
	s, m, u := f.State, f.Model, f.Model.Universe
	if !standing.Uncapped { // last among equals: what is for one person goes first
		defer func() { f.add(f.reached()-1, f.ceiling(u.Get(s.Ceiling, f.p), 0)) }()
	}
	if u.Get(standing.Own, f.p) > 0 {
		return
	}
	var leave, revoke []Move
	var left []int32
	others := 0
	for _, w := range Ways(m, s, f.member, f.p) {
		if w.Level == 0 {
			break
		}
		if !slices.Contains(left, w.Group) {
			left = append(left, w.Group)
			leave = append(leave, f.membership(w.Group, In, Out))
		}
		v := f.grant(w.Source, w.Level, 0)
		if !slices.Contains(revoke, v) {
			revoke = append(revoke, v)
			others += f.having(w.Source)
		}
	}
	f.add(f.lost(left)-1, leave...)
	f.add(others-1, revoke...)
}

func (f *flipper) ceiling(from, to Level) Move {
	return Move{Kind: MoveCeiling, Permission: f.Model.Universe.Key(f.p), From: f.name(from), To: f.name(to)}
}

func (f *flipper) grant(source int32, from, to Level) Move {
	return Move{Kind: MoveGrant, Source: f.Model.Sources[source], Permission: f.Model.Universe.Key(f.p), From: f.name(from), To: f.name(to)}
}

func (f *flipper) membership(group int32, from, to string) Move {
	return Move{Kind: MoveMembership, Member: f.Model.Members[f.member], Group: f.Model.Groups[group], From: from, To: to}
}

func (f *flipper) name(l Level) string { return f.Model.Universe.LevelName(f.p, l) }

// reached counts who would have something of p if nothing capped it.
func (f *flipper) reached() int {
	u := f.Model.Universe
	n := 0
	for _, c := range f.Classes {
		standing := &f.Model.Standings[f.State.Standing[c.Member]]
		if u.Get(standing.Own, f.p) > 0 || standing.FromGroups &&
			slices.ContainsFunc(f.State.Memberships[c.Member], func(g int32) bool { return u.Get(f.grants[g], f.p) > 0 }) {
			n += c.Count
		}
	}
	return n
}

// in counts who is in a group.
func (f *flipper) in(group int32) int {
	if f.people == nil {
		f.people = make([]int, len(f.Model.Groups))
		for _, c := range f.Classes {
			for _, g := range f.State.Memberships[c.Member] {
				f.people[g] += c.Count
			}
		}
	}
	return f.people[group]
}

// having counts who has a source.
func (f *flipper) having(source int32) int {
	if f.held == nil {
		f.held = make([]int, len(f.Model.Sources))
		last := make([]int, len(f.Model.Sources)) // the class that was counted last, from 1
		for i, c := range f.Classes {
			if !f.Model.Standings[f.State.Standing[c.Member]].FromGroups {
				continue
			}
			for _, g := range f.State.Memberships[c.Member] {
				for _, r := range f.State.Attached[g] {
					if last[r] != i+1 {
						last[r] = i + 1
						f.held[r] += c.Count
					}
				}
			}
		}
	}
	return f.held[source]
}

// gained counts the levels that the member would have more of with what is
// granted.
func (f *flipper) gained(granted Set) int { return f.beyond(granted, f.Access(f.member)) }

// beyond counts the levels of granted, under the organization's ceiling, that
// are not in have.
func (f *flipper) beyond(granted, have Set) int {
	n := 0
	for i, w := range granted {
		n += bits.OnesCount64(w & f.State.Ceiling[i] &^ have[i])
	}
	return n
}

// attached counts what changes at most if a source is attached to a group: for
// everybody in it, what the group did not grant before.
func (f *flipper) attached(group, source int32) int {
	return f.in(group) * f.beyond(f.State.Grants[source], f.grants[group])
}

// lost counts the permissions that the member has less of outside of groups.
func (f *flipper) lost(groups []int32) int {
	less := f.Access(f.member).Clone()
	stay := f.Model.Standings[f.State.Standing[f.member]].Own.Clone()
	for _, g := range f.State.Memberships[f.member] {
		if !slices.Contains(groups, g) {
			for _, source := range f.State.Attached[g] {
				stay.Or(f.State.Grants[source])
			}
		}
	}
	return f.beyond(less, stay)
}

// Has reports whether a source is attached to any group of a member.
func (s *State) Has(member, source int32) bool {
	for _, g := range s.Memberships[member] {
		if _, ok := slices.BinarySearch(s.Attached[g], source); ok {
			return true
		}
	}
	return false
}
