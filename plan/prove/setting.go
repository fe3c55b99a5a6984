package prove

import (
	"slices"
	"strconv"
)

// A scope is what one scope says of a setting: base until the step is in
// force, alt from then on.
type scope struct {
	base, alt int64
	step      int // in free, -1 for a constant
}

func (s scope) is(on func(int) bool) int64 {
	if s.step >= 0 && on(s.step) {
		return s.alt
	}
	return s.base
}

// both returns every value that the scope can have.
func (s scope) both() []int64 {
	if s.step < 0 {
		return []int64{s.base}
	}
	return []int64{s.base, s.alt}
}

func (p *prover) scope(r int, v variable) scope {
	n := p.now[r].get(v)
	s := scope{n, n, -1}
	for _, t := range p.touched[v] {
		if t.to != n {
			s.alt, s.step = t.to, t.step
		}
	}
	return s
}

// A resolution is everything that decides what a member has of one setting.
type resolution struct {
	nothing  int64
	absent   literal // not in the organization: the least there is
	own      scope
	groups   []groupScope
	seat     scope
	compared bool // the seat is compared with the groups
	highest  scope
	others   []scope // default and fallback, in this order
	ceiling  scope
}

type groupScope struct {
	in literal
	scope
}

func (p *prover) resolution(r int, who, s int32) resolution {
	v := func(kind string) scope { return p.scope(r, variable{kind: kind, per: s}) }
	out := resolution{
		nothing:  unlimited,
		absent:   p.about(r, who, func(n int64) bool { return p.standings[n].Absent }),
		own:      p.scope(r, variable{kind: "member_setting", who: who, per: s}),
		seat:     p.scope(r, variable{kind: "seat_setting", who: int32(p.now[r].get(variable{kind: "seat", who: who})), per: s}),
		compared: p.now[r].get(variable{kind: "seat_compared", per: s}) == 1,
		highest:  v("precedence"), ceiling: v("setting_ceiling"),
		others: []scope{v("default"), v("fallback")},
	}
	if p.settings[s].Levels != nil {
		out.nothing = 0
	}
	for _, g := range sorted(p.groupsOf[who]) {
		in := p.yes(r, variable{kind: "membership", who: who, in: g}, 1)
		set := p.scope(r, variable{kind: "group_setting", who: g, per: s})
		if in != constant(false) && (set.step >= 0 || set.base != unset) {
			out.groups = append(out.groups, groupScope{in, set})
		}
	}
	return out
}

// value resolves: the first scope that says something, of several groups the
// lowest or the highest, and never more than the ceiling.
func (s resolution) value(on func(int) bool) int64 {
	if s.absent.step >= 0 && on(s.absent.step) && s.absent.alt || (s.absent.step < 0 || !on(s.absent.step)) && s.absent.base {
		return 0
	}
	return s.capped(s.resolve(on), s.ceiling.is(on))
}

func (s resolution) capped(n, ceiling int64) int64 {
	if ceiling == unset {
		return n
	}
	return min(n, ceiling)
}

func (s resolution) resolve(on func(int) bool) int64 {
	if n := s.own.is(on); n != unset {
		return n
	}
	best, highest := unset, s.highest.is(on) == 1
	compare := func(n int64) {
		if n != unset && (best == unset || highest && n > best || !highest && n < best) {
			best = n
		}
	}
	for _, g := range s.groups {
		in := g.in.base
		if g.in.step >= 0 && on(g.in.step) {
			in = g.in.alt
		}
		if in {
			compare(g.is(on))
		}
	}
	if s.compared {
		compare(s.seat.is(on))
	}
	if best != unset {
		return best
	}
	for _, o := range append([]scope{s.seat}, s.others...) {
		if n := o.is(on); n != unset {
			return n
		}
	}
	return s.nothing
}

// steps returns the free steps that the value hangs on.
func (s resolution) steps() []int {
	list := []int{s.absent.step, s.own.step, s.seat.step, s.highest.step, s.ceiling.step}
	for _, o := range s.others {
		list = append(list, o.step)
	}
	for _, g := range s.groups {
		list = append(list, g.in.step, g.step)
	}
	list = slices.DeleteFunc(list, func(i int) bool { return i < 0 })
	slices.Sort(list)
	return slices.Compact(list)
}

// value checks one setting of one class: whatever is in force, it lies between
// what it is when the stage begins and what it will be in the end.
func (p *prover) value(r int, c class, s int32) *Violation {
	p.report.Checks++
	e := p.resolution(r, c.member, s)
	steps := e.steps()
	if len(steps) == 0 {
		return nil
	}
	q := question{r, c.member, s, true}
	had, will := e.value(func(int) bool { return false }), p.goals[q]
	if p.report.Weaker {
		had = p.starts[q]
	}
	low, high := min(had, will), max(had, will)
	wrong := func(on func(int) bool) bool { n := e.value(on); return n < low || n > high }
	state := p.search(steps, wrong)
	if state == nil && len(steps) > enumerated {
		p.report.Bounded++
		if lo, hi := e.bounds(); lo < low || hi > high {
			p.undecided(c, p.settings[s].Key)
		}
	}
	if state == nil {
		return nil
	}
	return p.violation(c, p.settings[s].Key, steps, state, func(on func(int) bool) string { return p.text(s, e.value(on)) }, wrong, p.text(s, will))
}

func (p *prover) text(s int32, n int64) string {
	switch levels := p.settings[s].Levels; {
	case levels != nil && n >= 0 && n < int64(len(levels)):
		return levels[n]
	case n == unlimited:
		return "unlimited"
	}
	return strconv.FormatInt(n, 10)
}

// bounds returns values that the setting is never below and never above, from
// the values that each scope can have by itself.
func (s resolution) bounds() (low, high int64) {
	lows, highs := []int64{}, []int64{}
	if s.absent.base || s.absent.alt {
		lows, highs = append(lows, 0), append(highs, 0)
	}
	for _, ceiling := range s.ceiling.both() {
		for _, highest := range s.highest.both() {
			lo, hi := s.inherited(highest == 1)
			own := s.own.both()
			if !slices.Contains(own, unset) { // no other scope is asked
				lo, hi = slices.Min(own), slices.Max(own)
			}
			for _, n := range own {
				if n != unset {
					lo, hi = min(lo, n), max(hi, n)
				}
			}
			lows, highs = append(lows, s.capped(lo, ceiling)), append(highs, s.capped(hi, ceiling))
		}
	}
	return slices.Min(lows), slices.Max(highs)
}

// inherited bounds what a member without a value of their own has. A group
// counts for sure if the member is in it and it is set whatever is in force.
func (s resolution) inherited(highest bool) (low, high int64) {
	groups := slices.Clone(s.groups)
	if s.compared {
		groups = append(groups, groupScope{constant(true), s.seat})
	}
	var all, sure []int64 // values of groups that may count; of those that count for sure, the values that bound
	for _, g := range groups {
		values := slices.DeleteFunc(g.both(), func(n int64) bool { return n == unset })
		if len(values) == 0 {
			continue
		}
		all = append(all, values...)
		if g.in.base && g.in.alt && len(values) == len(g.both()) {
			if highest {
				sure = append(sure, slices.Min(values))
			} else {
				sure = append(sure, slices.Max(values))
			}
		}
	}
	if len(sure) == 0 { // it may come to what follows the groups
		all = append(all, s.after()...)
		return slices.Min(all), slices.Max(all)
	}
	if highest {
		return slices.Max(sure), slices.Max(all)
	}
	return slices.Min(all), slices.Min(sure)
}

// after returns every value that the scopes after the groups can come to.
func (s resolution) after() []int64 {
	var list []int64
	for _, o := range append([]scope{s.seat}, s.others...) {
		open := false
		for _, n := range o.both() {
			if n == unset {
				open = true
			} else {
				list = append(list, n)
			}
		}
		if !open {
			return list
		}
	}
	return append(list, s.nothing)
}

// answers works out what everybody has in a state of each reading.
func (p *prover) answers(of []world) map[question]int64 {
	now, list := p.now, map[question]int64{}
	p.now, p.touched = of, nil
	none := func(int) bool { return false }
	for r := range of {
		for _, c := range p.classes {
			for _, k := range p.kinds {
				if n := p.levelNow(r, c.member, k.perm, none); n > 0 {
					list[question{r, c.member, k.perm, false}] = n
				}
			}
			for s := range p.settings {
				list[question{r, c.member, int32(s), true}] = p.resolution(r, c.member, int32(s)).value(none)
			}
		}
	}
	p.now = now
	return list
}
