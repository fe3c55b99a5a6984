package prove

import (
	"fmt"
	"math"
	"slices"
)

// A literal is a yes or no that a free step may turn around: it is base as
// long as the step is not in force, and alt once it is. A literal without a
// step is constant.
type literal struct {
	base, alt bool
	step      int // in free, -1 for a constant
}

func constant(b bool) literal { return literal{b, b, -1} }

// stage checks what is free now: every class, reading, and level of every
// permission, and every setting.
func (p *prover) stage(number int) {
	p.touched = map[variable][]touch{}
	for i, s := range p.free {
		for _, b := range p.moves[s.ID] {
			p.touched[b.variable] = append(p.touched[b.variable], touch{i, b.to})
		}
	}
	for v, list := range p.touched {
		if len(list) > 1 {
			p.problem("stage %d: %s and %s move the same thing: %s", number, p.free[list[0].step].ID, p.free[list[1].step].ID, p.named(v))
			p.touched[v] = list[:1]
		}
	}
	p.report.states = logSum(p.report.states, float64(len(p.free))*math.Log10(2))
	var found []Violation
	for r := range p.now {
		for _, c := range p.classes {
			for _, k := range p.kinds {
				for level := int64(1); level < int64(len(p.permissions[k.perm].Levels)); level++ {
					if v := p.level(r, c, k.perm, level); v != nil {
						found = append(found, *v)
					}
				}
			}
			for s := range p.settings {
				if v := p.value(r, c, int32(s)); v != nil {
					found = append(found, *v)
				}
			}
		}
	}
	if len(found) > 0 {
		worst := slices.MinFunc(found, func(a, b Violation) int {
			if d := len(a.InForce) + len(a.Missing) - len(b.InForce) - len(b.Missing); d != 0 {
				return d
			}
			return b.Others - a.Others
		})
		worst.Stage = number
		p.report.Violations = append(p.report.Violations, worst)
	}
}

// logSum returns log10(10^a + 10^b).
func logSum(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	return a + math.Log10(1+math.Pow(10, b-a))
}

// yes is the literal "the variable has at least this value".
func (p *prover) yes(r int, v variable, level int64) literal {
	n := p.now[r].get(v)
	l := constant(n >= level)
	for _, t := range p.touched[v] {
		l.alt, l.step = t.to >= level, t.step
	}
	return l.fold()
}

func (l literal) fold() literal {
	if l.base == l.alt {
		return constant(l.base)
	}
	return l
}

// about is the literal "of the member's standing, this is true".
func (p *prover) about(r int, who int32, is func(standing int64) bool) literal {
	v := variable{kind: "standing", who: who}
	l := constant(is(p.now[r].get(v)))
	for _, t := range p.touched[v] {
		l.alt, l.step = is(t.to), t.step
	}
	return l.fold()
}

// An expression says when a member has at least one level of one permission:
// uncapped, or under the ceilings, and then by the standing itself or by one of
// the products. A product is true if all that it is made of is: the standing
// counts groups, the member is in the group, the role is attached to it, the
// role grants the level.
type expression struct {
	uncapped literal
	ceilings []literal // all of them
	lists    []list    // of the groups that have, or may come to have, a say
	own      literal
	products [][]literal
}

// A list is what narrows: if exactly one of them speaks and does not allow the
// level, the member does not have it.
type list struct {
	in, speaks, allows literal
}

func (p *prover) expression(r int, who, perm int32, level int64) expression {
	st := func(is func(standing) bool) literal {
		return p.about(r, who, func(n int64) bool { return is(p.standings[n]) })
	}
	e := expression{
		uncapped: st(func(s standing) bool { return s.Uncapped }),
		own:      p.about(r, who, func(n int64) bool { return p.own[n][perm] >= level }),
		ceilings: []literal{p.yes(r, variable{kind: "ceiling", per: perm}, level),
			constant(p.caps[p.now[r].get(variable{kind: "seat", who: who})][perm] >= level)},
	}
	counts := st(func(s standing) bool { return s.FromGroups })
	for _, g := range sorted(p.groupsOf[who]) {
		in := p.yes(r, variable{kind: "membership", who: who, in: g}, 1)
		if in == constant(false) {
			continue
		}
		if l := (list{in, p.yes(r, variable{kind: "list_speaks", who: g, per: perm}, 1), p.yes(r, variable{kind: "list_level", who: g, per: perm}, level)}); l.speaks != constant(false) {
			e.lists = append(e.lists, l)
		}
		for _, s := range sorted(p.sourcesOf[g]) {
			product := []literal{counts, in, p.yes(r, variable{kind: "attachment", who: g, in: s}, 1), p.yes(r, variable{kind: "grant", who: s, per: perm}, level)}
			if slices.Contains(product, constant(false)) {
				continue
			}
			product = slices.DeleteFunc(product, func(l literal) bool { return l.step < 0 })
			if len(product) == 0 { // it is always true, so nothing else matters
				e.products = [][]literal{nil}
				continue
			}
			if len(e.products) != 1 || e.products[0] != nil {
				e.products = append(e.products, product)
			}
		}
	}
	return e
}

func sorted(set map[int32]bool) []int32 {
	out := make([]int32, 0, len(set))
	for i := range set {
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}

// steps returns the free steps that the expression hangs on.
func (e expression) steps() []int {
	var steps []int
	add := func(list ...literal) {
		for _, l := range list {
			if l.step >= 0 {
				steps = append(steps, l.step)
			}
		}
	}
	if slices.Contains(e.ceilings, constant(false)) && e.uncapped == constant(false) {
		return nil // closed whatever happens
	}
	add(e.uncapped, e.own)
	if e.uncapped != constant(true) {
		add(e.ceilings...)
		for _, l := range e.lists {
			add(l.in, l.speaks, l.allows)
		}
	}
	for _, product := range e.products {
		add(product...)
	}
	slices.Sort(steps)
	return slices.Compact(steps)
}

// holds evaluates the expression; on tells which free steps are in force.
func (e expression) holds(on func(step int) bool) bool {
	is := func(l literal) bool {
		if l.step >= 0 && on(l.step) {
			return l.alt
		}
		return l.base
	}
	has := is(e.own)
	for _, product := range e.products {
		has = has || !slices.ContainsFunc(product, func(l literal) bool { return !is(l) })
	}
	if !has || is(e.uncapped) {
		return has
	}
	if slices.ContainsFunc(e.ceilings, func(l literal) bool { return !is(l) }) {
		return false
	}
	speaking, allowed := 0, true
	for _, l := range e.lists {
		if is(l.in) && is(l.speaks) {
			speaking++
			allowed = is(l.allows)
		}
	}
	return speaking != 1 || allowed
}

// level checks one level of one permission of one class: where the member has
// it both when the stage begins and in the end, they have it at every moment,
// and where in neither, at none.
func (p *prover) level(r int, c class, perm int32, level int64) *Violation {
	p.report.Checks++
	e := p.expression(r, c.member, perm, level)
	steps := e.steps()
	if len(steps) == 0 {
		return nil
	}
	none := func(int) bool { return false }
	q := question{r, c.member, perm, false}
	had, will := e.holds(none), p.goals[q] >= level
	if p.report.Weaker {
		had = p.starts[q] >= level
	}
	if had != will {
		return nil // whatever it is in between, it is between the two
	}
	wrong := func(on func(int) bool) bool { return e.holds(on) != had }
	state := p.search(steps, wrong)
	if state == nil && len(steps) > enumerated {
		p.report.Bounded++
		if low, high := e.bounds(); low != high {
			if on := e.extreme(!had); wrong(on) {
				state = chosen(steps, on)
			} else {
				p.undecided(c, p.permissions[perm].Key)
			}
		}
	}
	if state == nil {
		return nil
	}
	levels := p.permissions[perm].Levels
	return p.violation(c, p.permissions[perm].Key, steps, state, func(on func(int) bool) string {
		return levels[p.levelNow(r, c.member, perm, on)]
	}, wrong, levels[p.goals[q]])
}

func (p *prover) undecided(c class, key string) {
	if len(p.report.Undecided) < 20 {
		p.report.Undecided = append(p.report.Undecided, fmt.Sprintf("%s of %s hangs on more than %d steps of one stage, and their bounds do not settle it", key, p.memberNames[c.member], enumerated))
	}
}

// levelNow returns the level of a permission with some of the free steps in
// force.
func (p *prover) levelNow(r int, who, perm int32, on func(int) bool) int64 {
	best := int64(0)
	for level := int64(1); level < int64(len(p.permissions[perm].Levels)); level++ {
		if p.expression(r, who, perm, level).holds(on) {
			best = level
		}
	}
	return best
}

// search tries all combinations of steps, those with the fewest in force
// first in each count of bits, and returns the first that is wrong.
func (p *prover) search(steps []int, wrong func(on func(int) bool) bool) []int {
	if len(steps) > enumerated {
		return nil
	}
	mask := 0
	on := func(step int) bool {
		i, ok := slices.BinarySearch(steps, step)
		return ok && mask>>i&1 == 1
	}
	for mask = range 1 << len(steps) {
		p.report.Tried++
		if wrong(on) {
			return chosen(steps, on)
		}
	}
	return nil
}

// chosen returns the steps that are in force.
func chosen(steps []int, on func(int) bool) []int {
	list := []int{}
	for _, s := range steps {
		if on(s) {
			list = append(list, s)
		}
	}
	return list
}

// violation writes down a moment. What does not matter for it is left out: a
// step is named as in force, or as missing, only if it has to be so.
func (p *prover) violation(c class, key string, steps, state []int, says func(on func(int) bool) string, wrong func(func(int) bool) bool, will string) *Violation {
	in := func(list []int) func(int) bool { return func(s int) bool { return slices.Contains(list, s) } }
	for _, s := range slices.Clone(state) { // as few as possible
		if less := slices.DeleteFunc(slices.Clone(state), func(x int) bool { return x == s }); wrong(in(less)) {
			state = less
		}
	}
	v := &Violation{Member: p.memberNames[c.member], Others: c.count - 1, Permission: key, Had: says(in(nil)), Will: will, Gets: says(in(state))}
	for _, s := range steps {
		switch {
		case slices.Contains(state, s):
			v.InForce = append(v.InForce, p.free[s].ID)
		case !wrong(in(append(slices.Clone(state), s))):
			v.Missing = append(v.Missing, p.free[s].ID)
		}
	}
	return v
}

// bounds returns the least and the most that an expression can be if every
// literal could be chosen by itself. They are certain, and where a step occurs
// in one direction only they are exact.
func (e expression) bounds() (low, high bool) {
	least := func(l literal) bool { return l.base && l.alt }
	most := func(l literal) bool { return l.base || l.alt }
	low, high = e.part(least, most), e.part(most, least)
	return low, high
}

// part evaluates with every literal read as is, and lists read the other way.
func (e expression) part(is, not func(literal) bool) bool {
	has := is(e.own)
	for _, product := range e.products {
		has = has || !slices.ContainsFunc(product, func(l literal) bool { return !is(l) })
	}
	if !has || is(e.uncapped) {
		return has
	}
	if slices.ContainsFunc(e.ceilings, func(l literal) bool { return !is(l) }) {
		return false
	}
	if len(e.lists) == 0 {
		return true
	}
	// Lists are not of one direction: at least it is closed by any that may
	// speak, at most it is open if any may be silent.
	open := is(constant(true)) && is(literal{base: false, alt: true, step: 0})
	return open || !slices.ContainsFunc(e.lists, func(l list) bool { return not(l.in) && not(l.speaks) && !is(l.allows) })
}

// extreme puts in force exactly the steps that raise, or that lower.
func (e expression) extreme(up bool) func(int) bool {
	raises := map[int]bool{}
	note := func(list ...literal) {
		for _, l := range list {
			if l.step >= 0 && l.alt {
				raises[l.step] = true
			}
		}
	}
	note(e.own, e.uncapped)
	note(e.ceilings...)
	for _, product := range e.products {
		note(product...)
	}
	return func(step int) bool { return raises[step] == up }
}
