package plan

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/rolecall/rolecall/schema/access"
)

// classify groups members into classes and steps into units.
func (p *planner) classify(bound [][]access.Bound, phases []string) {
	m := p.model
	own := make([][]int32, len(m.Members)) // steps that concern one member only
	var global []int32
	for i, moves := range bound {
		if member := only(moves); member >= 0 {
			own[member] = append(own[member], int32(i))
		} else {
			global = append(global, int32(i))
		}
	}
	touched := make([][]int32, len(m.Members)) // steps for everybody that move something of a member
	for _, i := range global {
		for _, b := range bound[i] {
			if b.Member >= 0 {
				touched[b.Member] = append(touched[b.Member], i)
			}
		}
	}

	index := map[string]int32{}
	unitIndex := map[string]int32{}
	var key []byte
	for member := range m.Members {
		key = key[:0]
		for _, r := range p.read {
			key = appendVariables(key, r.start, int32(member))
			key = appendVariables(key, r.to, int32(member))
		}
		slices.SortFunc(own[member], func(a, b int32) int { return compareMoves(bound[a], bound[b]) })
		for _, i := range own[member] {
			key = append(key, signature(bound[i], p.steps[i].Held)...)
		}
		for _, i := range touched[member] {
			key = binary.LittleEndian.AppendUint32(append(key, 't'), uint32(i))
		}
		c, ok := index[string(key)]
		if !ok {
			c = int32(len(p.classes))
			index[string(key)] = c
			p.classes = append(p.classes, class{})
		}
		cl := &p.classes[c]
		cl.members = append(cl.members, int32(member))
		for k, i := range own[member] {
			unitKey := fmt.Sprintf("%d/%d", c, k)
			u, ok := unitIndex[unitKey]
			if !ok {
				u = p.addUnit(unit{class: c, moves: bound[i], held: p.steps[i].Held}, i, phases)
				unitIndex[unitKey] = u
				cl.units = append(cl.units, u)
			}
			p.units[u].steps = append(p.units[u].steps, int(i))
			p.unitOf[i] = u
		}
	}
	for _, i := range global {
		u := p.addUnit(unit{class: -1, moves: bound[i], held: p.steps[i].Held}, i, phases)
		p.units[u].steps = []int{int(i)}
		p.unitOf[i] = u
	}
	for c := range p.classes { // steps for everybody that move something of the class
		for _, i := range touched[p.classes[c].members[0]] {
			p.classes[c].units = append(p.classes[c].units, p.unitOf[i])
		}
		slices.Sort(p.classes[c].units)
		p.classes[c].units = slices.Compact(p.classes[c].units)
	}
	p.link()
}

// addUnit adds a unit that is modeled on step i.
func (p *planner) addUnit(u unit, i int32, phases []string) int32 {
	u.phase = max(slices.Index(phases, p.steps[i].Phase), 0)
	u.rank = rank(u.moves)
	p.units = append(p.units, u)
	return int32(len(p.units) - 1)
}

// link fills in what units need, where they end, and the indexes.
func (p *planner) link() {
	m := p.model
	byID := make(map[string]int32, len(p.steps))
	for i := range p.steps {
		byID[p.steps[i].ID] = p.unitOf[i]
	}
	for i := range p.steps {
		u := p.unitOf[i]
		for _, id := range p.steps[i].Needs {
			if need, ok := byID[id]; ok && need != u && !slices.Contains(p.units[u].needs, need) {
				p.units[u].needs = append(p.units[u].needs, need)
			}
		}
	}
	for _, r := range p.read {
		view := access.NewView(m, r.to)
		for c := range p.classes {
			rep := p.classes[c].members[0]
			p.classes[c].to = append(p.classes[c].to, view.Access(rep))
			p.classes[c].limits = append(p.classes[c].limits, view.Classes[view.Of[rep]].Settings)
		}
	}
	p.byGroup = make([][]int32, len(m.Groups))
	p.bySource = make([][]int32, len(m.Sources))
	for c := range p.classes {
		rep := p.classes[c].members[0]
		for _, r := range p.read {
			for _, g := range slices.Concat(r.start.Memberships[rep], r.to.Memberships[rep]) {
				p.byGroup[g] = append(p.byGroup[g], int32(c))
			}
		}
	}
	for g := range p.byGroup {
		slices.Sort(p.byGroup[g])
		p.byGroup[g] = slices.Compact(p.byGroup[g])
	}
	for g := range m.Groups {
		for _, r := range p.read {
			for _, src := range slices.Concat(r.start.Attached[g], r.to.Attached[g]) {
				p.bySource[src] = append(p.bySource[src], int32(g))
			}
		}
	}
	for s := range p.bySource {
		slices.Sort(p.bySource[s])
		p.bySource[s] = slices.Compact(p.bySource[s])
	}
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

// appendVariables appends everything of a member that a state says.
func appendVariables(key []byte, s *access.State, member int32) []byte {
	key = append(key, 's', s.Standing[member])
	for _, g := range s.Memberships[member] {
		key = binary.LittleEndian.AppendUint32(key, uint32(g))
	}
	for i := range s.Settings {
		key = append(key, 'l')
		if l, ok := s.Settings[i].Member[member]; ok {
			key = binary.LittleEndian.AppendUint64(key, uint64(l))
		}
	}
	return key
}

// signature says what moves do, apart from to whom.
func signature(moves []access.Bound, held string) []byte {
	var b []byte
	for _, v := range moves {
		b = fmt.Appendf(b, "%s,%d,%d,%d,%d;", v.Kind, v.Group, v.Setting, v.From, v.To)
	}
	return append(append(b, held...), 0)
}

func compareMoves(a, b []access.Bound) int {
	return slices.CompareFunc(a, b, func(v, w access.Bound) int {
		return cmp.Or(cmp.Compare(v.Kind, w.Kind), cmp.Compare(v.Group, w.Group),
			cmp.Compare(v.Setting, w.Setting), cmp.Compare(v.To, w.To))
	})
}

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
		case access.MoveAttachment:
			r = rankAttachment
		case access.MoveMemberSetting, access.MoveGroupSetting, access.MoveDefault, access.MovePrecedence:
			r = rankLimit
		}
		best = min(best, r)
	}
	if len(moves) > 1 && only(moves) < 0 && best == rankMembership {
		return rankDeletion
	}
	return best
}
