package plan

import (
	"cmp"
	"slices"

	"github.com/rolecall/rolecall/schema/access"
)

// repair holds units until class c is within the bound. If forced is set it
// stops where there is a choice.
func (f *frontier) repair(c int32, forced bool) {
	for {
		b := f.findBreach(c)
		if b == nil {
			break
		}
		var options [][]int32
		if len(f.mixedOf(c)) == 0 {
			if b.over {
				options = f.overPaths(c, b)
			} else {
				options = f.gapOptions(c, b)
			}
		}
		pick := f.choose(options, b.over, forced)
		if len(pick) == 0 && !forced {
			pick = f.culprit(c)
		}
		if len(pick) == 0 {
			break
		}
		for _, u := range pick {
			f.hold(u)
		}
	}
	if forced {
		return
	}
	for f.findAny(c) != nil {
		pick := f.culprit(c)
		if len(pick) == 0 {
			break
		}
		f.hold(pick[0])
	}
}

// culprit returns the unit to hold first of a smallest set of free units that
// takes class c out of bounds: units are held one after the other for as long
// as the breach stays, those that should rather not wait first.
func (f *frontier) culprit(c int32) []int32 {
	list := f.freeOf(c)
	slices.SortFunc(list, func(a, b int32) int { return cmp.Or(cmp.Compare(f.ranks[b], f.ranks[a]), cmp.Compare(b, a)) })
	f.log, f.logging = f.log[:0], true
	var needed []int32
	for _, u := range list {
		if f.status[u] != free {
			continue // held with another that it needs
		}
		mark := len(f.log)
		f.hold(u)
		if f.findAny(c) == nil {
			needed = append(needed, u)
			f.restore(mark)
		}
	}
	f.restore(0)
	f.logging = false
	if len(needed) == 0 {
		return nil
	}
	return needed[len(needed)-1:]
}

// restore frees again what was held since the log had the given length.
func (f *frontier) restore(mark int) {
	for _, u := range f.log[mark:] {
		f.free(u)
	}
	f.log = f.log[:mark]
}

// freeOf returns the free units that may move the access of class c.
func (f *frontier) freeOf(c int32) []int32 {
	cl := &f.classes[c]
	var list []int32
	add := func(u int32) {
		if f.status[u] == free && !slices.Contains(list, u) {
			list = append(list, u)
		}
	}
	for _, x := range cl.refs {
		add(x.unit)
	}
	for _, g := range cl.groups {
		for _, v := range f.attachMoves[g] {
			add(v.unit)
		}
		for _, moves := range f.listMoves[g] {
			for _, v := range moves {
				add(v.unit)
			}
		}
		for _, s := range f.sourcesOf[g] {
			for _, v := range f.grantMoves[s] {
				add(v.unit)
			}
		}
	}
	for _, v := range f.ceilingMoves {
		add(v.unit)
	}
	for _, moves := range f.settingMoves {
		for _, v := range moves {
			if v.Kind != access.MoveGroupSetting || contains(cl.groups, v.Group) {
				add(v.unit)
			}
		}
	}
	slices.Sort(list)
	return list
}

// choose picks what to hold. Too much: every path must be broken, by holding
// one of its units. Too little: one path must be kept, by holding all units
// that break it. If forced is set, only what leaves no choice is picked.
func (f *frontier) choose(options [][]int32, over, forced bool) []int32 {
	if len(options) == 0 {
		return nil
	}
	if over {
		count := map[int32]int{}
		for _, path := range options {
			switch len(path) {
			case 0:
				return nil // nothing on the way can be held
			case 1:
				return path
			}
			for _, u := range path {
				count[u]++
			}
		}
		if forced {
			return nil
		}
		best := int32(-1)
		for u, n := range count {
			if best < 0 || f.before(u, n, best, count[best]) {
				best = u
			}
		}
		return []int32{best}
	}
	if len(options) == 1 {
		return options[0]
	}
	if forced {
		return nil
	}
	return slices.MinFunc(options, func(a, b []int32) int {
		return cmp.Or(cmp.Compare(f.maxRank(a), f.maxRank(b)), cmp.Compare(len(a), len(b)), slices.Compare(a, b))
	})
}

func (f *frontier) before(u int32, n int, v int32, m int) bool {
	return cmp.Or(cmp.Compare(f.ranks[u], f.ranks[v]), cmp.Compare(m, n), cmp.Compare(u, v)) < 0
}

func (f *frontier) maxRank(units []int32) int {
	worst := 0
	for _, u := range units {
		worst = max(worst, f.ranks[u])
	}
	return worst
}

// overPaths returns, for each way in which class c may come to the level of b
// that it must not reach, the free units that the way consists of.
func (f *frontier) overPaths(c int32, b *breach) [][]int32 {
	m, u, r := f.model, f.model.Universe, f.read[b.reading]
	cl, now := &f.classes[c], &f.cur[c][b.reading]
	var paths [][]int32
	f.standings(cl, now, func(standing uint8, unit int32) {
		base := f.appendUnit(nil, unit)
		st := &m.Standings[standing]
		if !st.Uncapped && u.Get(r.now.Ceiling, b.perm) < b.level {
			base = f.appendUnit(base, f.mover(f.ceilingMoves, b.perm, ruleCeiling))
		}
		if u.Get(st.Own, b.perm) >= b.level {
			paths = append(paths, slices.Clone(base))
		}
		if !st.FromGroups {
			return
		}
		for _, g := range f.mayGroups(cl, now) {
			join := int32(-1)
			if !contains(now.groups, g) {
				join = f.membership(cl, g, true)
			}
			for _, s := range f.maySources(r, g) {
				if u.Get(r.srcHi[s], b.perm) < b.level {
					continue
				}
				path := f.appendUnit(slices.Clone(base), join)
				if !contains(r.now.Attached[g], s) {
					path = f.appendUnit(path, f.attachment(g, s))
				}
				if u.Get(r.now.Grants[s], b.perm) < b.level {
					path = f.appendUnit(path, f.mover(f.grantMoves[s], b.perm, ruleGrant))
				}
				paths = append(paths, path)
			}
		}
	})
	return paths
}

// gapOptions returns the sets of free units one of which must be held so that
// class c keeps the level of b.
func (f *frontier) gapOptions(c int32, b *breach) [][]int32 {
	m, u, r := f.model, f.model.Universe, f.read[b.reading]
	cl, now := &f.classes[c], &f.cur[c][b.reading]
	if u.Get(r.ceilLo, b.perm) < b.level {
		if way := f.appendUnit(nil, f.mover(f.ceilingMoves, b.perm, ruleCeiling)); len(way) > 0 {
			return [][]int32{way}
		}
		return nil
	}
	var kept [][]int32 // ways the class has the level now through groups, with what may break each
	for _, g := range now.groups {
		leave := f.membership(cl, g, false)
		for _, s := range r.now.Attached[g] {
			if u.Get(r.now.Grants[s], b.perm) < b.level {
				continue
			}
			way := f.appendUnit(nil, leave)
			way = f.appendUnit(way, f.attachment(g, s))
			if u.Get(r.srcLo[s], b.perm) < b.level {
				way = f.appendUnit(way, f.mover(f.grantMoves[s], b.perm, ruleGrant))
			}
			kept = append(kept, way)
		}
	}
	var options [][]int32
	f.standings(cl, now, func(standing uint8, unit int32) {
		st := &m.Standings[standing]
		if len(options) > 0 || u.Get(st.Own, b.perm) >= b.level {
			return
		}
		if st.FromGroups {
			if slices.ContainsFunc(kept, func(way []int32) bool { return len(way) == 0 }) {
				return // kept whatever is in force
			}
			options = append(options, kept...)
		}
		if unit >= 0 && f.status[unit] == free {
			options = append(options, []int32{unit})
		}
	})
	return options
}

// mover returns the unit of the stage among moves that moves a permission.
func (f *frontier) mover(moves []unitMove, p access.Perm, r rule) int32 {
	for _, v := range moves {
		if v.Perm == p && f.moving(v.unit, r) {
			return v.unit
		}
	}
	return -1
}

func (f *frontier) maySources(r *reading, g int32) []int32 {
	list := slices.Clone(r.now.Attached[g])
	for _, v := range f.attachMoves[g] {
		if f.moving(v.unit, ruleAttachment) && v.To == 1 && !contains(r.now.Attached[g], v.Source) {
			list = append(list, v.Source)
		}
	}
	return list
}

// appendUnit adds a unit that can be held.
func (f *frontier) appendUnit(list []int32, u int32) []int32 {
	if u < 0 || f.status[u] != free || slices.Contains(list, u) {
		return list
	}
	return append(list, u)
}
