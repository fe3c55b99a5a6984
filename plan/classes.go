package plan

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// A unit is what the planner schedules: one step that concerns everybody, or
// the same step of all members of one class. Copying one member's schedule to
// his twins is safe, so nothing is lost by moving them together.
type unit struct {
	steps   []int
	class   int32          // -1 unless it moves nothing but variables of one class
	own     []access.Bound // moves of the class's variables, for its first member
	global  []access.Bound // moves of variables that are nobody's own
	needs   []int32        // units that must be done before, or in the same stage
	held    string
	rank    int // what waits first when there is a choice: lowest first
	phase   int
	settle  int    // seconds, of the slowest of its steps
	touches bool   // beside what is everybody's it moves variables of classes
	never   bool   // in force at some time later, which no wait is long enough for
	console bool   // a person has to do it
	save    string // halves with the same text are one save where they share a stage

	// mixed says that one variable that the unit moves may raise what another
	// of them lowers, so that it has to be decided as a whole.
	mixed   bool
	classes []int32 // whose access it may move, sorted; nil until asked for
}

// A class is members with the same variables before and after, in every
// reading, and the same steps.
type class struct {
	members []int32
	refs    []ref    // the units that move variables of its own, sorted
	groups  []int32  // it is in, or may come to be, sorted
	ends    []ending // of each reading

	// phantom says that nobody is in the class: it stands for whoever joins its
	// groups meanwhile, who must not get too much. It is about permissions, or
	// about settings if values is set.
	phantom, values bool
}

// A ref is what one unit moves of one class's own variables.
type ref struct {
	unit  int32
	moves []access.Bound
	mixed bool
}

// An ending is a class before the plan and after it, in one reading.
type ending struct {
	start        variables
	before, then access.Set
	from, to     []access.Limit // of each setting; 0 for people who are not there
}

// variables are what decides the access of a class beside what is everybody's.
type variables struct {
	standing, seat uint8
	groups         []int32
	own            []access.Limit // of each setting
}

// variablesOf returns the variables of a member.
func variablesOf(s *access.State, member int32) variables {
	v := variables{standing: s.Standing[member], seat: s.Seat[member], groups: s.Memberships[member]}
	for i := range s.Settings {
		v.own = append(v.own, s.Settings[i].Own(member))
	}
	return v
}

// apply makes a move of the class's own variables. The slices of v are
// replaced, never written.
func (v *variables) apply(b access.Bound) {
	switch b.Kind {
	case access.MoveStanding:
		v.standing = uint8(b.To)
	case access.MoveMembership:
		i, in := slices.BinarySearch(v.groups, b.Group)
		switch {
		case b.To == 1 && !in:
			v.groups = slices.Insert(slices.Clone(v.groups), i, b.Group)
		case b.To == 0 && in:
			v.groups = slices.Delete(slices.Clone(v.groups), i, i+1)
		}
	case access.MoveMemberSetting:
		v.own = slices.Clone(v.own)
		v.own[b.Setting] = access.Limit(b.To)
	}
}

// ofMember reports whether a move is of a variable that is one member's.
func ofMember(b access.Bound) bool { return b.Member >= 0 }

// classify groups members into classes and steps into units.
func (p *planner) classify(bound [][]access.Bound, from, to []*access.State, phases []string) {
	m := p.model
	own := make([][]int32, len(m.Members))     // steps that concern one member only
	touched := make([][]int32, len(m.Members)) // steps for everybody that move something of a member
	unitOf := make([]int32, len(p.steps))
	parts := map[[2]int32][]access.Bound{} // step and member: the moves of a step for everybody
	for i, moves := range bound {
		if member := only(moves); member >= 0 {
			own[member] = append(own[member], int32(i))
			continue
		}
		u := unit{class: -1}
		for _, b := range moves {
			if !ofMember(b) {
				u.global = append(u.global, b)
				continue
			}
			k := [2]int32{int32(i), b.Member}
			u.touches = true
			if parts[k] == nil {
				touched[b.Member] = append(touched[b.Member], int32(i))
			}
			parts[k] = append(parts[k], b)
		}
		unitOf[i] = p.addUnit(u, moves, int32(i), phases)
	}
	var before, after []*access.View
	for r := range from {
		before, after = append(before, access.NewView(m, from[r])), append(after, access.NewView(m, to[r]))
	}
	index := map[string]int32{}
	var key []byte
	for member := range m.Members {
		key = key[:0]
		for r := range from {
			key = binary.LittleEndian.AppendUint32(key, uint32(before[r].Of[member]))
			key = binary.LittleEndian.AppendUint32(key, uint32(after[r].Of[member]))
		}
		mine := own[member]
		slices.SortFunc(mine, func(a, b int32) int { return cmp.Or(compareMoves(bound[a], bound[b]), cmp.Compare(a, b)) })
		for _, i := range mine {
			key = p.appendSignature(key, bound[i], i)
		}
		for _, i := range touched[member] {
			key = binary.LittleEndian.AppendUint32(append(key, 't'), uint32(i))
			key = p.appendSignature(key, parts[[2]int32{i, int32(member)}], -1)
		}
		c, ok := index[string(key)]
		if !ok {
			c = int32(len(p.classes))
			index[string(key)] = c
			p.classes = append(p.classes, p.newClass(int32(member), from, to, before, after))
			cl := &p.classes[c]
			for _, i := range mine {
				u := p.addUnit(unit{class: c, own: bound[i]}, bound[i], i, phases)
				p.units[u].steps = nil // filled in below, for every member
				cl.refs = append(cl.refs, ref{unit: u, moves: bound[i]})
			}
			for _, i := range touched[member] {
				cl.refs = append(cl.refs, ref{unit: unitOf[i], moves: parts[[2]int32{i, int32(member)}]})
			}
		}
		cl := &p.classes[c]
		cl.members = append(cl.members, int32(member))
		for k, i := range mine {
			u := cl.refs[k].unit
			p.addStep(u, i)
			unitOf[i] = u
		}
	}
	for c := range p.classes {
		slices.SortFunc(p.classes[c].refs, func(a, b ref) int { return cmp.Compare(a.unit, b.unit) })
	}
	p.unitOf = unitOf
}

func (p *planner) newClass(member int32, from, to []*access.State, before, after []*access.View) class {
	var cl class
	for r := range from {
		e := ending{
			start:  variablesOf(from[r], member),
			before: before[r].Access(member), then: after[r].Access(member),
			from: present(before[r].Classes[before[r].Of[member]].Settings), to: present(after[r].Classes[after[r].Of[member]].Settings),
		}
		cl.ends = append(cl.ends, e)
		cl.groups = append(append(cl.groups, from[r].Memberships[member]...), to[r].Memberships[member]...)
	}
	slices.Sort(cl.groups)
	cl.groups = slices.Compact(cl.groups)
	return cl
}

// present returns values in which somebody who is not there has nothing.
func present(values []access.Limit) []access.Limit {
	values = slices.Clone(values)
	for i, l := range values {
		if l == access.Unset {
			values[i] = 0
		}
	}
	return values
}

// grantsOf returns the access of whoever has the variables v; groups is what
// each group grants, nil if that is not known.
func grantsOf(m *access.Model, s *access.State, v *variables, groups []access.Set) access.Set {
	st := &m.Standings[v.standing]
	set := st.Own.Clone()
	if st.FromGroups {
		for _, g := range v.groups {
			if groups != nil {
				set.Or(groups[g])
				continue
			}
			for _, source := range s.Attached[g] {
				set.Or(s.Grants[source])
			}
		}
	}
	if !st.Uncapped {
		set.And(s.Ceiling)
		set.And(m.Seats[v.seat].Cap)
		s.Narrow(set, v.groups)
	}
	return set
}

// addUnit adds a unit that is modeled on step i.
func (p *planner) addUnit(u unit, moves []access.Bound, i int32, phases []string) int32 {
	step := &p.steps[i]
	u.phase = max(slices.Index(phases, step.Phase), 0)
	u.rank = rank(moves)
	u.held = step.Held
	u.never = step.Settle == schema.Never
	u.console = step.Via == schema.ByConsole
	u.save = step.Save
	p.units = append(p.units, u)
	n := int32(len(p.units) - 1)
	p.addStep(n, i)
	return n
}

func (p *planner) addStep(u, i int32) {
	p.units[u].steps = append(p.units[u].steps, int(i))
	p.units[u].settle = max(p.units[u].settle, p.steps[i].Settle)
}

// link fills in what units need and the indexes.
func (p *planner) link() {
	m := p.model
	p.byGroup = make([][]int32, len(m.Groups))
	for c := range p.classes {
		for _, g := range p.classes[c].groups {
			p.byGroup[g] = append(p.byGroup[g], int32(c))
		}
	}
	p.bySource, p.sourcesOf = make([][]int32, len(m.Sources)), make([][]int32, len(m.Groups))
	for g := range m.Groups {
		for r := range p.start {
			for _, src := range slices.Concat(p.start[r].Attached[g], p.goal[r].Attached[g]) {
				p.bySource[src] = append(p.bySource[src], int32(g))
				if !slices.Contains(p.sourcesOf[g], src) {
					p.sourcesOf[g] = append(p.sourcesOf[g], src)
				}
			}
		}
	}
	for s := range p.bySource {
		slices.Sort(p.bySource[s])
		p.bySource[s] = slices.Compact(p.bySource[s])
	}
	p.index()
}

// index lists the moves by the variables they move.
func (p *planner) index() {
	m := p.model
	p.grantMoves = make([][]unitMove, len(m.Sources))
	p.attachMoves = make([][]unitMove, len(m.Groups))
	p.listMoves = make([]map[access.Perm][]unitMove, len(m.Groups))
	p.settingMoves = make([][]unitMove, len(m.Settings))
	p.ceilingMoves, p.mixed = nil, nil
	p.blocked = map[int32][]int32{}
	p.speaks = make([]bool, len(m.Groups))
	for r := range p.start {
		for _, s := range []*access.State{p.start[r], p.goal[r]} {
			for g := range s.Lists {
				p.speaks[g] = p.speaks[g] || !s.Lists[g].Empty()
			}
		}
	}
	for i := range p.units {
		u := int32(i)
		for _, b := range p.units[i].global {
			mv := unitMove{b, u}
			switch b.Kind {
			case access.MoveAttachment:
				p.attachMoves[b.Group] = append(p.attachMoves[b.Group], mv)
			case access.MoveGrant:
				p.grantMoves[b.Source] = append(p.grantMoves[b.Source], mv)
			case access.MoveCeiling:
				p.ceilingMoves = append(p.ceilingMoves, mv)
			case access.MoveListSpeaks, access.MoveListLevel:
				if p.listMoves[b.Group] == nil {
					p.listMoves[b.Group] = map[access.Perm][]unitMove{}
				}
				p.listMoves[b.Group][b.Perm] = append(p.listMoves[b.Group][b.Perm], mv)
			default:
				p.settingMoves[b.Setting] = append(p.settingMoves[b.Setting], mv)
			}
		}
		for _, n := range p.units[i].needs {
			p.blocked[n] = append(p.blocked[n], u)
		}
	}
	for i := range p.units {
		u := &p.units[i]
		if u.mixed = p.isMixed(slices.Concat(u.own, u.global)); u.mixed && len(u.global) > 0 {
			p.mixed = append(p.mixed, int32(i))
		}
	}
	for c := range p.classes {
		for k := range p.classes[c].refs {
			x := &p.classes[c].refs[k]
			global := p.units[x.unit].global
			x.mixed = p.units[x.unit].mixed || p.isMixed(slices.Concat(x.moves, global)) ||
				slices.ContainsFunc(x.moves, func(b access.Bound) bool { return b.Kind == access.MoveMembership && p.speaks[b.Group] })
		}
	}
}

// isMixed reports whether moves that are made at once may raise and lower the
// same permission, or move several scopes of one setting.
func (p *planner) isMixed(moves []access.Bound) bool {
	if len(moves) < 2 {
		return false
	}
	up, down := map[access.Perm]bool{}, map[access.Perm]bool{}
	const all = access.Perm(-1)
	note := func(perm access.Perm, rises bool) {
		if rises {
			up[perm] = true
		} else {
			down[perm] = true
		}
	}
	type scope struct {
		kind access.MoveKind
		at   int64
	}
	scopes := map[scope]bool{}
	lists, others, listOf := false, false, int32(-1)
	for _, b := range moves {
		others = others || b.Kind != access.MoveListLevel && b.Kind != access.MoveListSpeaks
		switch b.Kind {
		case access.MoveMembership:
			note(all, b.To == 1)
			scopes[scope{access.MoveGroupSetting, int64(b.Group)}] = true
		case access.MoveAttachment:
			note(all, b.To == 1)
		case access.MoveStanding:
			x, y := p.model.Standings[b.From], p.model.Standings[b.To]
			if !y.Absent {
				note(all, true)
			}
			if !x.Absent {
				note(all, false)
				if y.Absent { // everything goes, and nothing else matters
					delete(up, all)
				}
			}
			scopes[scope{b.Kind, 0}] = true
		case access.MoveGrant, access.MoveCeiling:
			note(b.Perm, b.To > b.From)
		case access.MoveListSpeaks, access.MoveListLevel:
			others = others || listOf >= 0 && listOf != b.Group // two lists
			lists, listOf = true, b.Group
		case access.MoveGroupSetting:
			scopes[scope{b.Kind, int64(b.Group)}] = true
		case access.MoveSeatSetting:
			scopes[scope{b.Kind, int64(b.Seat)}] = true
		default:
			scopes[scope{b.Kind, int64(b.Setting)}] = true
		}
	}
	if lists && others || p.limited && (len(scopes) > 1 || slices.ContainsFunc(moves, func(a access.Bound) bool {
		return slices.ContainsFunc(moves, func(b access.Bound) bool { return crosses(a, b) })
	})) {
		return true
	}
	for perm := range up {
		if down[perm] || down[all] || perm == all && len(down) > 0 {
			return true
		}
	}
	return false
}

// crosses reports whether a moves somebody in or out of a group of which b moves
// a setting, other than to take both away or to bring both: there is a value then
// that goes only with being in the group, or only with not being in it.
func crosses(a, b access.Bound) bool {
	return a.Kind == access.MoveMembership && b.Kind == access.MoveGroupSetting && a.Group == b.Group &&
		!(a.To == 0 && access.Limit(b.To) == access.Unset) && !(a.To == 1 && access.Limit(b.From) == access.Unset)
}

// classesOf returns the classes whose access a unit may move.
func (p *planner) classesOf(u int32) []int32 {
	x := &p.units[u]
	if x.classes != nil {
		return x.classes
	}
	if x.class >= 0 {
		x.classes = []int32{x.class}
		return x.classes
	}
	mark := make([]bool, len(p.classes))
	group := func(g int32) {
		for _, c := range p.byGroup[g] {
			mark[c] = true
		}
	}
	for _, b := range x.global {
		switch b.Kind {
		case access.MoveAttachment, access.MoveGroupSetting, access.MoveListSpeaks, access.MoveListLevel:
			group(b.Group)
		case access.MoveGrant:
			for _, g := range p.bySource[b.Source] {
				group(g)
			}
		default:
			for c := range mark {
				mark[c] = true
			}
		}
	}
	x.classes = []int32{}
	for c := range p.classes {
		if mark[c] || slices.ContainsFunc(p.classes[c].refs, func(r ref) bool { return r.unit == u }) {
			x.classes = append(x.classes, int32(c))
		}
	}
	return x.classes
}

// only returns the one member whom all moves concern, -1 if there is none.
func only(moves []access.Bound) int32 {
	if len(moves) == 0 {
		return -1
	}
	member := moves[0].Member
	for _, b := range moves {
		if b.Member != member {
			return -1
		}
	}
	return member
}

// appendSignature says what moves do, apart from to whom, and what else tells
// the step apart; step -1 is one that everybody shares.
func (p *planner) appendSignature(key []byte, moves []access.Bound, step int32) []byte {
	for _, v := range moves {
		key = fmt.Appendf(key, "%s,%d,%d,%d,%d;", v.Kind, v.Group, v.Setting, v.From, v.To)
	}
	if step < 0 {
		return append(key, 0)
	}
	s := &p.steps[step]
	key = fmt.Appendf(key, "%s,%s,%d,%t,%t,", s.Via, s.Phase, len(s.Needs), s.Settle == schema.Never, p.wider[step])
	for _, id := range s.Needs {
		switch i, ok := p.byID[id]; {
		case ok && only(p.bound[i]) >= 0: // of the same member: twins need one each
			for _, b := range p.bound[i] {
				key = fmt.Appendf(key, "%s,%d,%d;", b.Kind, b.Group, b.To)
			}
		case ok:
			key = fmt.Appendf(key, "%d,", i)
		}
	}
	return append(append(key, s.Held...), 0)
}

func compareMoves(a, b []access.Bound) int {
	return slices.CompareFunc(a, b, func(v, w access.Bound) int {
		return cmp.Or(cmp.Compare(v.Kind, w.Kind), cmp.Compare(v.Group, w.Group),
			cmp.Compare(v.Setting, w.Setting), cmp.Compare(v.To, w.To))
	})
}

// ranks of units: what waits first when there is a choice.
const (
	rankCeilingUp = iota
	rankRemoval
	rankDeletion
	rankMembership
	rankSetting
	rankStanding
	rankList
	rankAttachment
	rankGrant
)

// rank says how early a unit is held when there is a choice: nothing ever
// waits for a ceiling to go up, so that waits first.
func rank(moves []access.Bound) int {
	best := rankGrant
	for _, b := range moves {
		r := rankGrant
		switch b.Kind {
		case access.MoveCeiling, access.MoveSettingCeiling:
			if b.To > b.From {
				r = rankCeilingUp
			}
		case access.MoveMembership:
			r = rankMembership
		case access.MoveStanding:
			r = rankStanding
			if b.To == 0 {
				r = rankRemoval
			}
		case access.MoveListSpeaks, access.MoveListLevel:
			r = rankList
		case access.MoveAttachment:
			r = rankAttachment
		case access.MoveMemberSetting, access.MoveGroupSetting, access.MoveSeatSetting,
			access.MoveDefault, access.MoveFallback, access.MovePrecedence:
			r = rankSetting
		}
		best = min(best, r)
	}
	if len(moves) > 1 && only(moves) < 0 && best == rankMembership {
		return rankDeletion
	}
	return best
}
