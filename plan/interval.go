package plan

import (
	"math/bits"
	"slices"

	"github.com/rolecall/rolecall/schema/access"
)

// maxDecided bounds how many units of a class are decided one way and the
// other, each doubling the work. Beyond it what is computed may be wider than
// what can happen, which is safe and may cost a stage.
const maxDecided = 8

// combinations calls visit for every way in which the mixed units of class c
// may be in force, with that decided and everything else free. For one way the
// closed forms are exact; over all ways they are so together. It stops if
// visit returns false.
func (f *frontier) combinations(c int32, visit func() bool) bool {
	return f.decide(c, f.mixedOf(c), visit)
}

func (f *frontier) decide(c int32, units []int32, visit func() bool) bool {
	if len(units) == 0 || len(units) > maxDecided {
		return visit()
	}
	u, was := units[0], f.status[units[0]]
	f.status[u] = waiting
	f.refresh(u)
	more := f.decide(c, units[1:], visit)
	if more {
		kept := slices.Clone(f.cur[c])
		f.apply(u, c)
		f.refresh(u)
		more = f.decide(c, units[1:], visit)
		copy(f.cur[c], kept)
		for _, r := range f.read {
			for _, b := range back(f.units[u].global) {
				r.now.Apply(f.model.Universe, b)
			}
		}
	}
	f.status[u] = was
	f.refresh(u)
	return more
}

// mixedOf returns the free units of class c that have to be decided as a whole.
func (f *frontier) mixedOf(c int32) []int32 {
	var list []int32
	cl := &f.classes[c]
	for _, x := range cl.refs {
		if x.mixed && f.status[x.unit]&1 == 1 {
			list = append(list, x.unit)
		}
	}
	for _, u := range f.mixed {
		if f.status[u]&1 == 1 && !slices.Contains(list, u) {
			if _, ok := slices.BinarySearch(f.classesOf(u), c); ok {
				list = append(list, u)
			}
		}
	}
	return list
}

// interval leaves in scratch sets the most and the least access that class c
// has over all subsets of the free units, decided ones apart. Within one
// expression of minima and maxima every unit that is not mixed moves in one
// direction, so both ends are reached.
func (f *frontier) interval(reading int, c int32) (hi, lo access.Set) {
	m, r := f.model, f.read[reading]
	cl, now := &f.classes[c], &f.cur[c][reading]
	hi, lo = r.scratch[0], r.scratch[1]
	groupsHi, groupsLo := r.scratch[2], r.scratch[3]
	clear(groupsHi)
	clear(groupsLo)
	for _, g := range now.groups {
		groupsHi.Or(r.grpHi[g])
		if f.membership(cl, g, false) < 0 {
			groupsLo.Or(r.grpLo[g])
		}
	}
	for _, g := range f.joining(cl, now) {
		groupsHi.Or(r.grpHi[g])
	}
	capHi, capLo := r.scratch[4], r.scratch[5]
	f.caps(r, cl, now, capHi, capLo)
	clear(hi)
	first := true
	f.standings(cl, now, func(standing uint8, _ int32) {
		st := &m.Standings[standing]
		for i := range hi {
			h, l := st.Own[i], st.Own[i]
			if st.FromGroups {
				h, l = h|groupsHi[i], l|groupsLo[i]
			}
			if !st.Uncapped {
				h, l = h&capHi[i], l&capLo[i]
			}
			hi[i] |= h
			if first {
				lo[i] = l
			} else {
				lo[i] &= l
			}
		}
		first = false
	})
	return hi, lo
}

// caps writes the most and the least that ceiling, seat and lists let through.
func (f *frontier) caps(r *reading, cl *class, now *variables, hi, lo access.Set) {
	seat := f.model.Seats[now.seat].Cap
	for i := range hi {
		hi[i], lo[i] = r.ceilHi[i]&seat[i], r.ceilLo[i]&seat[i]
	}
	any := false
	one, two, may, allowed, denied, sureDenied := r.scratch[6], r.scratch[7], r.scratch[8], r.scratch[9], access.Set(nil), access.Set(nil)
	add := func(g int32, sure bool) {
		l := &r.lists[g]
		if !f.speaks[g] {
			return
		}
		if !any {
			any = true
			clear(one)
			clear(two)
			clear(may)
			clear(allowed)
			denied, sureDenied = make(access.Set, len(hi)), make(access.Set, len(hi))
		}
		for i := range one {
			speaks := l.allow[i] | l.deny[i]
			certain := speaks &^ l.silent[i]
			if !sure {
				certain = 0
			}
			two[i] |= one[i] & certain
			one[i] |= certain
			may[i] |= speaks &^ certain
			allowed[i] |= certain & l.allow[i]
			sureDenied[i] |= certain & l.deny[i]
			denied[i] |= l.deny[i]
		}
	}
	for _, g := range now.groups {
		add(g, f.membership(cl, g, false) < 0)
	}
	for _, g := range f.joining(cl, now) {
		add(g, false)
	}
	if !any {
		return
	}
	for i := range hi {
		hi[i] &= ^one[i] | two[i] | allowed[i] | may[i]
		lo[i] &= two[i] | one[i]&^sureDenied[i] | ^one[i]&^denied[i]
	}
}

// membership returns the free unit that takes class cl out of group g, or into
// it if joins is set; -1 if there is none.
func (f *frontier) membership(cl *class, g int32, joins bool) int32 {
	for i := range cl.refs {
		x := &cl.refs[i]
		if !f.moving(x.unit, ruleMembership) {
			continue
		}
		for _, b := range x.moves {
			if b.Kind == access.MoveMembership && b.Group == g && (b.To == 1) == joins {
				return x.unit
			}
		}
	}
	return -1
}

// joining returns the groups that the class may join in this stage.
func (f *frontier) joining(cl *class, now *variables) []int32 {
	var list []int32
	for i := range cl.refs {
		x := &cl.refs[i]
		if !f.moving(x.unit, ruleMembership) {
			continue
		}
		for _, b := range x.moves {
			if b.Kind == access.MoveMembership && b.To == 1 && !contains(now.groups, b.Group) {
				list = append(list, b.Group)
			}
		}
	}
	return list
}

// mayGroups returns the groups that the class may be in in this stage.
func (f *frontier) mayGroups(cl *class, now *variables) []int32 {
	return append(slices.Clone(now.groups), f.joining(cl, now)...)
}

// standings calls yield with each standing the class may have in this stage,
// and with the free unit that brings it there, -1 for the one it has now.
func (f *frontier) standings(cl *class, now *variables, yield func(standing uint8, unit int32)) {
	yield(now.standing, -1)
	for i := range cl.refs {
		x := &cl.refs[i]
		if !f.moving(x.unit, ruleStanding) {
			continue
		}
		for _, b := range x.moves {
			if b.Kind == access.MoveStanding && uint8(b.To) != now.standing {
				yield(uint8(b.To), x.unit)
			}
		}
	}
}

// A breach is a violation as the planner sees it: one level of one permission,
// or a setting.
type breach struct {
	reading int
	perm    access.Perm
	level   access.Level
	setting int // -1 for a permission
	over    bool
}

// findBreach returns the first level of a permission at which class c may
// leave the bound, nil if there is none.
func (f *frontier) findBreach(c int32) *breach {
	b := f.closedBreach(c)
	if b == nil || len(f.mixedOf(c)) == 0 {
		return b
	}
	f.combinations(c, func() bool {
		b = f.closedBreach(c)
		return b == nil
	})
	return b
}

// closedBreach is findBreach for one combination.
func (f *frontier) closedBreach(c int32) *breach {
	u, cl := f.model.Universe, &f.classes[c]
	if cl.values {
		return nil
	}
	for i, r := range f.read {
		if f.off[ruleReadings] && i > 0 {
			break
		}
		hi, lo := f.interval(i, c)
		ref, then := r.ref[c], cl.ends[i].then
		for w := range hi {
			most := ref[w] | then[w]
			if f.strict {
				most = ref[w]
			}
			if over := hi[w] &^ most; over != 0 && !f.onlyGaps && !f.off[ruleOver] {
				perm, level := u.Bit(w*64 + bits.TrailingZeros64(over))
				return &breach{i, perm, level, -1, true}
			}
			if gap := ref[w] & then[w] &^ lo[w]; gap != 0 && !cl.phantom && !f.noGaps && !f.off[ruleGap] {
				perm, level := u.Bit(w*64 + bits.TrailingZeros64(gap))
				return &breach{i, perm, level, -1, false}
			}
		}
	}
	return nil
}

// findAny is findBreach that looks at settings too.
func (f *frontier) findAny(c int32) *breach {
	if b := f.findBreach(c); b != nil {
		return b
	}
	return f.findSettingBreach(c)
}

// checkClasses returns the first violation that any subset of the free units
// causes in the given classes, nil if there is none.
func (f *frontier) checkClasses(classes []int32) *Violation {
	for _, c := range classes {
		if b := f.findAny(c); b != nil {
			v := f.violationOf(c, b)
			return &v
		}
	}
	return nil
}

func (f *frontier) violationOf(c int32, b *breach) Violation {
	v := Violation{Step: -1, Member: -1, Over: b.over}
	if cl := &f.classes[c]; !cl.phantom {
		v.Member = cl.members[0]
	} else {
		v.Groups = cl.groups
	}
	if b.setting >= 0 {
		v.Permission = f.model.Settings[b.setting].Key
	} else {
		v.Permission = f.model.Universe.Key(b.perm)
	}
	return v
}

// alone returns what would go wrong if u alone were carried out next.
func (f *frontier) alone(u int32) Violation {
	f.begin([]int32{u})
	v := f.checkClasses(f.classesOf(u))
	f.status[u] = waiting
	if v == nil {
		v = &Violation{Member: -1}
		if list := f.classesOf(u); len(list) > 0 && !f.classes[list[0]].phantom {
			v.Member = f.classes[list[0]].members[0]
		}
	}
	v.Step = f.units[u].steps[0]
	return *v
}

func contains(sorted []int32, x int32) bool {
	_, ok := slices.BinarySearch(sorted, x)
	return ok
}
