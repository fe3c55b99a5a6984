package plan

import (
	"cmp"
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// boundaries works out what lies between the stages. A stage need not wait for
// everything before it: what is still on its way is in force or not, like the
// steps of the stage itself, and only where that could take somebody out of
// the bound of the whole plan is there something to wait for.
func (p *planner) boundaries(stages [][]int32) []Boundary {
	if len(stages) < 2 {
		return nil
	}
	list := make([]Boundary, len(stages)-1)
	if p.off[ruleWait] {
		return list
	}
	t := newTransit(p, len(stages))
	for k, next := range stages[1:] {
		t.sent(k, stages[k])
		t.compute()
		list[k] = t.boundary(t.moving, next, t.elapsed)
		t.wait(k, list[k].Seconds)
	}
	return list
}

// A transit follows what was carried out until it is in force, and looks at it
// by the bound of the whole plan.
type transit struct {
	*frontier
	moving  []unsettled
	elapsed []int // seconds since each stage was carried out
}

// An unsettled is a unit that was carried out and may not be in force yet.
type unsettled struct {
	unit  int32
	stage int
}

func newTransit(p *planner, stages int) *transit {
	t := &transit{frontier: newFrontier(p), elapsed: make([]int, stages)}
	t.ends, t.all, t.begun = true, true, true
	t.compute()
	return t
}

// sent notes that a stage was carried out.
func (t *transit) sent(stage int, units []int32) {
	for _, u := range units {
		if t.units[u].never {
			t.status[u] = loose
			continue
		}
		t.status[u] = free
		t.moving = append(t.moving, unsettled{u, stage})
	}
	t.arrive()
}

// wait lets time pass after a stage was carried out.
func (t *transit) wait(stage, seconds int) {
	for i := range stage + 1 {
		t.elapsed[i] += seconds
	}
	t.arrive()
}

// arrive puts in force what has been on its way for long enough.
func (t *transit) arrive() {
	t.moving = slices.DeleteFunc(t.moving, func(m unsettled) bool {
		if t.units[m.unit].settle > t.elapsed[m.stage] && t.status[m.unit] == free {
			return false
		}
		if t.status[m.unit] == free {
			t.settle(m.unit)
		}
		return true
	})
}

// settle puts a unit in force that was on its way, and unsettle takes that
// back.
func (f *frontier) settle(u int32) {
	f.status[u] = done
	f.apply(u, -1)
	f.refresh(u)
}

func (f *frontier) unsettle(u int32) {
	f.status[u] = free
	x := &f.units[u]
	for _, r := range f.read {
		for _, b := range back(x.global) {
			r.now.Apply(f.model.Universe, b)
		}
	}
	for _, c := range f.classesOf(u) {
		for _, own := range f.classes[c].refs {
			if own.unit != u {
				continue
			}
			for r := range f.read {
				for _, b := range back(own.moves) {
					f.cur[c][r].apply(b)
				}
			}
		}
	}
	f.refresh(u)
}

// boundary finds what must be in force before the units of next are carried
// out, and puts it in force.
func (f *frontier) boundary(moving []unsettled, next []int32, elapsed []int) Boundary {
	b := Boundary{Member: -1}
	since := make(map[int32]int, len(moving))
	for _, m := range moving {
		since[m.unit] = m.stage
	}
	remaining := func(u int32) int { return f.units[u].settle - elapsed[since[u]] }
	for _, u := range next {
		f.status[u] = free
		f.refresh(u)
	}
	for _, c := range f.dirty(next) {
		f.measure(c)
		found := f.findAny(c)
		if found == nil {
			continue
		}
		if b.Permission == "" {
			v := f.violationOf(c, found)
			b.Member, b.Permission = v.Member, v.Permission
		}
		b.Over = b.Over || found.over
		f.onlyGaps = true
		b.Gap = b.Gap || f.findAny(c) != nil
		f.onlyGaps = false
		var wait []int32
		for _, u := range f.freeOf(c) {
			if _, ok := since[u]; ok {
				wait = append(wait, u)
			}
		}
		for _, u := range wait {
			f.settle(u)
		}
		// What takes longest is waited for last.
		slices.SortFunc(wait, func(x, y int32) int { return cmp.Or(cmp.Compare(remaining(y), remaining(x)), cmp.Compare(x, y)) })
		for _, u := range wait {
			f.unsettle(u)
			without := f.findAny(c)
			if without == nil {
				continue
			}
			if step := f.unproven(u); b.Doubt == nil && step >= 0 {
				v := f.violationOf(c, without)
				v.Step, b.Doubt = step, &v
			}
			f.settle(u)
			b.Partners = append(b.Partners, f.units[u].steps...)
			b.Seconds = max(b.Seconds, remaining(u))
		}
	}
	slices.Sort(b.Partners)
	for _, i := range b.Partners {
		if isUnproven(&f.steps[i]) {
			b.Unproven = append(b.Unproven, i)
		}
	}
	return b
}

// unproven is the first step of a unit of which no read shows whether it is in
// force, -1 if there is none.
func (f *frontier) unproven(u int32) int {
	for _, i := range f.units[u].steps {
		if isUnproven(&f.steps[i]) {
			return i
		}
	}
	return -1
}

func isUnproven(s *schema.Step) bool {
	return s.Proof == schema.Deferred || s.Proof == schema.Unverified
}

// findWider finds the steps that do not only take away. Leaving takes away,
// whatever becomes of settings by it; a setting that appears or goes is judged
// by what it alone does to people.
func (p *planner) findWider() {
	var view [][]access.Limit
	for i := range p.steps {
		p.wider[i] = p.isWider(i, &view)
	}
}

func (p *planner) isWider(step int, before *[][]access.Limit) bool {
	m := p.model
	scoped := false
	for _, b := range p.bound[step] {
		switch b.Kind {
		case access.MoveMembership, access.MoveAttachment, access.MoveGrant, access.MoveCeiling, access.MovePrecedence:
			if b.To > b.From {
				return true
			}
		case access.MoveStanding:
			x, y := m.Standings[b.From], m.Standings[b.To]
			if !y.Absent && (x.Absent || !y.Own.Within(x.Own) || y.Uncapped && !x.Uncapped || y.FromGroups && !x.FromGroups && p.gainsFromGroups(b)) {
				return true
			}
		case access.MoveListSpeaks:
			if b.To == 0 {
				return true
			}
		case access.MoveListLevel:
			if b.To > b.From && !slices.ContainsFunc(p.bound[step], func(o access.Bound) bool {
				return o.Kind == access.MoveListSpeaks && o.Group == b.Group && o.Perm == b.Perm
			}) {
				return true
			}
		default:
			if b.From >= 0 && b.To > b.From {
				return true
			}
			scoped = scoped || b.From < 0 || b.To < 0
		}
	}
	if !scoped || slices.ContainsFunc(p.bound[step], func(b access.Bound) bool { return b.Kind == access.MoveStanding && m.Standings[b.To].Absent }) {
		return false
	}
	for r := range p.start {
		s := p.start[r].Clone()
		for _, b := range p.bound[step] {
			s.Apply(m.Universe, b)
		}
		a, b := access.NewView(m, p.start[r]), access.NewView(m, s)
		for i := range m.Members {
			for k := range m.Settings {
				if b.Setting(int32(i), k) > a.Setting(int32(i), k) {
					return true
				}
			}
		}
	}
	return false
}

// gainsFromGroups reports whether somebody whose standing moves gets from
// their groups, before the plan, what their standing did not give.
func (p *planner) gainsFromGroups(b access.Bound) bool {
	for r := range p.start {
		v := variablesOf(p.start[r], b.Member)
		had := grantsOf(p.model, p.start[r], &v, nil)
		v.standing = uint8(b.To)
		if !grantsOf(p.model, p.start[r], &v, nil).Within(had) {
			return true
		}
	}
	return false
}
