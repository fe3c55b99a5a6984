package plan

import (
	"math/bits"
	"slices"

	"github.com/rolecall/rolecall/schema/access"
)

// The status of a unit while a stage is made.
const (
	waiting uint8 = iota // not in this stage
	free                 // in this stage: may be in force or not
	done                 // in force
)

// A frontier makes one stage after the other. A stage starts with everything
// that is left, and units are held back until every subset of the rest is
// safe. Holding back only shrinks the set of subsets, so a class that is fine
// stays fine, and one pass over the classes is enough.
type frontier struct {
	p      *planner
	status []uint8
	left   int  // units that may still be scheduled
	all    bool // units that are held may be scheduled too
	begun  bool // the stage has begun, so that what is computed for it has to be kept up

	attach  map[[2]int32]int32 // unit that moves an attachment (group, source)
	grant   map[[2]int32]int32 // unit that moves a grant (source, permission)
	ceiling map[int32]int32    // unit that moves a ceiling
	blocked map[int32][]int32  // units that need a unit

	grantMoves   [][]unitMove // by source
	attachMoves  [][]unitMove // by group
	ceilingMoves []unitMove
	limitMoves   []unitMove // of groups, default, ceiling and precedence
	limited      bool       // whether anything moves limits, or any limit is set
}

// A unitMove is one move and the unit that makes it.
type unitMove struct {
	access.Bound
	unit int32
}

func newFrontier(p *planner) *frontier {
	f := &frontier{
		p: p, status: make([]uint8, len(p.units)),
		attach: map[[2]int32]int32{}, grant: map[[2]int32]int32{}, ceiling: map[int32]int32{},
		blocked:     map[int32][]int32{},
		grantMoves:  make([][]unitMove, len(p.model.Sources)),
		attachMoves: make([][]unitMove, len(p.model.Groups)),
	}
	for _, r := range p.read {
		for _, s := range []*access.State{r.start, r.to} {
			for _, spend := range s.Settings {
				f.limited = f.limited || len(spend.Member) > 0 || spend.Default != access.Unset || spend.Ceiling != access.Unset ||
					slices.ContainsFunc(spend.Group, func(l access.Limit) bool { return l != access.Unset })
			}
		}
	}
	for i := range p.units {
		u := int32(i)
		if p.units[i].held == "" {
			f.left++
		}
		for _, b := range p.units[i].moves {
			switch b.Kind {
			case access.MoveAttachment:
				f.attach[[2]int32{b.Group, b.Source}] = u
				f.attachMoves[b.Group] = append(f.attachMoves[b.Group], unitMove{b, u})
			case access.MoveGrant:
				f.grant[[2]int32{b.Source, int32(b.Perm)}] = u
				f.grantMoves[b.Source] = append(f.grantMoves[b.Source], unitMove{b, u})
			case access.MoveCeiling:
				f.ceiling[int32(b.Perm)] = u
				f.ceilingMoves = append(f.ceilingMoves, unitMove{b, u})
			case access.MoveGroupSetting, access.MoveDefault, access.MoveSettingCeiling, access.MovePrecedence:
				f.limitMoves = append(f.limitMoves, unitMove{b, u})
			}
		}
		for _, n := range p.units[i].needs {
			f.blocked[n] = append(f.blocked[n], u)
		}
	}
	return f
}

// mayGo reports whether u is not held.
func (f *frontier) mayGo(u int) bool { return f.all || f.p.units[u].held == "" }

// unhold lets units be scheduled that are held.
func (f *frontier) unhold() {
	f.all, f.left = true, 0
	for u := range f.p.units {
		if f.status[u] != done {
			f.left++
		}
	}
}

// finish puts u in force.
func (f *frontier) finish(u int32) {
	f.status[u] = done
	if f.mayGo(int(u)) {
		f.left--
	}
}

// next returns the units of the next stage, sorted, and counts them as done.
// It returns nothing if nothing can be done from here.
func (f *frontier) next() []int32 {
	for u := range f.p.units {
		if f.status[u] != done && f.mayGo(u) {
			f.status[u] = free
		}
	}
	f.begun = false
	for u := range f.p.units { // what needs something held is held with it
		if f.status[u] == waiting {
			f.cascade(int32(u))
		}
	}
	var units []int32
	for u := range f.p.units {
		if f.status[u] == free {
			units = append(units, int32(u))
		}
	}
	f.begin(units)
	dirty := f.dirty(units)
	for _, forced := range []bool{true, false} {
		for _, c := range dirty {
			f.repair(c, forced)
		}
	}
	f.readmit(units, dirty)
	var stage []int32
	for _, u := range units {
		if f.status[u] == free {
			stage = append(stage, u)
		}
	}
	for _, u := range units {
		f.status[u] = waiting
	}
	for _, u := range stage {
		f.finish(u)
	}
	return stage
}

// readmit tries to free each unit that was held after all: what it was held
// for may have been held since.
func (f *frontier) readmit(units, dirty []int32) {
	tries := 0
	for _, u := range units {
		if f.status[u] != waiting || !f.ready(u) {
			continue
		}
		if f.p.units[u].class < 0 {
			if tries++; tries > 256 { // a bound on work, not on safety
				continue
			}
		}
		f.free(u)
		if f.checkClasses(f.concerned(u, dirty)) != nil {
			f.hold(u)
		}
	}
}

// ready reports whether everything that u needs is in force or in the stage.
func (f *frontier) ready(u int32) bool {
	for _, n := range f.p.units[u].needs {
		if f.status[n] == waiting {
			return false
		}
	}
	return true
}

// concerned returns the classes whose access u may move.
func (f *frontier) concerned(u int32, dirty []int32) []int32 {
	if c := f.p.units[u].class; c >= 0 {
		return []int32{c}
	}
	return dirty
}

func (f *frontier) free(u int32) {
	f.status[u] = free
	f.refresh(u)
}

// hold takes u out of the stage, and with it what needs it.
func (f *frontier) hold(u int32) {
	if f.status[u] != free {
		return
	}
	f.status[u] = waiting
	f.refresh(u)
	f.cascade(u)
}

func (f *frontier) cascade(u int32) {
	for _, v := range f.blocked[u] {
		f.hold(v)
	}
}

// refresh computes again what u has a part in.
func (f *frontier) refresh(u int32) {
	if f.p.units[u].class >= 0 || !f.begun {
		return
	}
	for _, r := range f.p.read {
		for _, b := range f.p.units[u].moves {
			switch b.Kind {
			case access.MoveAttachment:
				f.computeGroup(r, b.Group)
			case access.MoveGrant:
				f.computeSource(r, b.Source)
				for _, g := range f.p.bySource[b.Source] {
					f.computeGroup(r, g)
				}
			case access.MoveCeiling:
				f.computeCeiling(r)
			}
		}
	}
}

// begin starts a stage in which the given units are free: it computes what
// every source and group may grant, and what every class has now.
func (f *frontier) begin(units []int32) {
	for _, u := range units {
		f.status[u] = free
	}
	f.begun = true
	m := f.p.model
	for _, r := range f.p.read {
		r.srcHi, r.srcLo = sets(m, len(m.Sources)), sets(m, len(m.Sources))
		r.grpHi, r.grpLo = sets(m, len(m.Groups)), sets(m, len(m.Groups))
		for i := range r.scratch {
			r.scratch[i] = m.Universe.NewSet()
		}
		for s := range m.Sources {
			f.computeSource(r, int32(s))
		}
		now := sets(m, len(m.Groups))
		for g := range m.Groups {
			f.computeGroup(r, int32(g))
			for _, s := range r.now.Attached[g] {
				now[g].Or(r.now.Grants[s])
			}
		}
		f.computeCeiling(r)
		if r.nowView == nil {
			r.nowView = make([]access.Set, len(f.p.classes))
		}
		for _, c := range f.dirty(units) {
			rep := f.p.classes[c].members[0]
			st := m.Standings[r.now.Standing[rep]]
			set := r.nowView[c]
			if set == nil {
				set = m.Universe.NewSet()
			}
			copy(set, st.Own)
			if st.FromGroups {
				for _, g := range r.now.Memberships[rep] {
					set.Or(now[g])
				}
			}
			set.And(r.now.Ceiling)
			r.nowView[c] = set
		}
	}
}

func sets(m *access.Model, n int) []access.Set {
	list := make([]access.Set, n)
	for i := range list {
		list[i] = m.Universe.NewSet()
	}
	return list
}

func (f *frontier) computeSource(r *reading, s int32) {
	u := f.p.model.Universe
	copy(r.srcHi[s], r.now.Grants[s])
	copy(r.srcLo[s], r.now.Grants[s])
	for _, v := range f.grantMoves[s] {
		if f.status[v.unit] == free {
			u.Put(r.srcHi[s], v.Perm, max(u.Get(r.srcHi[s], v.Perm), access.Level(v.To)))
			u.Put(r.srcLo[s], v.Perm, min(u.Get(r.srcLo[s], v.Perm), access.Level(v.To)))
		}
	}
}

func (f *frontier) computeGroup(r *reading, g int32) {
	clear(r.grpHi[g])
	clear(r.grpLo[g])
	for _, s := range r.now.Attached[g] {
		r.grpHi[g].Or(r.srcHi[s])
		if !f.freeAttachment(g, s) {
			r.grpLo[g].Or(r.srcLo[s])
		}
	}
	for _, v := range f.attachMoves[g] {
		if f.status[v.unit] == free && v.To == 1 {
			r.grpHi[g].Or(r.srcHi[v.Source])
		}
	}
}

func (f *frontier) computeCeiling(r *reading) {
	u := f.p.model.Universe
	r.ceilHi, r.ceilLo = r.now.Ceiling.Clone(), r.now.Ceiling.Clone()
	for _, v := range f.ceilingMoves {
		if f.status[v.unit] == free {
			u.Put(r.ceilHi, v.Perm, max(u.Get(r.ceilHi, v.Perm), access.Level(v.To)))
			u.Put(r.ceilLo, v.Perm, min(u.Get(r.ceilLo, v.Perm), access.Level(v.To)))
		}
	}
}

// freeAttachment reports whether the stage may detach source s from group g.
func (f *frontier) freeAttachment(g, s int32) bool {
	u, ok := f.attach[[2]int32{g, s}]
	return ok && f.status[u] == free
}

// dirty returns the classes whose access the units may move.
func (f *frontier) dirty(units []int32) []int32 {
	mark := make([]bool, len(f.p.classes))
	all := func() {
		for c := range mark {
			mark[c] = true
		}
	}
	group := func(g int32) {
		for _, c := range f.p.byGroup[g] {
			mark[c] = true
		}
	}
	for _, u := range units {
		if c := f.p.units[u].class; c >= 0 {
			mark[c] = true
			continue
		}
		for _, b := range f.p.units[u].moves {
			switch b.Kind {
			case access.MoveAttachment, access.MoveGroupSetting, access.MoveMembership:
				group(b.Group)
			case access.MoveGrant:
				for _, g := range f.p.bySource[b.Source] {
					group(g)
				}
			default:
				all()
			}
		}
	}
	var list []int32
	for c, ok := range mark {
		if ok {
			list = append(list, int32(c))
		}
	}
	return list
}

// interval leaves in r.scratch[0] and [1] the most and the least access that
// class c has over all subsets of the free units: exact, because within one
// expression of minima and maxima every free unit moves in one direction.
func (f *frontier) interval(r *reading, c int32) (hi, lo access.Set) {
	m := f.p.model
	cl := &f.p.classes[c]
	rep := cl.members[0]
	hi, lo = r.scratch[0], r.scratch[1]
	groupsHi, groupsLo := r.scratch[2], r.scratch[3]
	clear(groupsHi)
	clear(groupsLo)
	for _, g := range r.now.Memberships[rep] {
		groupsHi.Or(r.grpHi[g])
		if f.ownMove(cl, rep, access.MoveMembership, g) < 0 {
			groupsLo.Or(r.grpLo[g])
		}
	}
	for _, u := range cl.units {
		if f.status[u] != free {
			continue
		}
		for _, b := range f.p.units[u].moves {
			if b.Kind == access.MoveMembership && b.Member == rep && b.To == 1 {
				groupsHi.Or(r.grpHi[b.Group])
			}
		}
	}
	clear(hi)
	copy(lo, r.ceilLo)
	each := func(standing uint8) {
		st := &m.Standings[standing]
		hi.Or(st.Own)
		if st.FromGroups {
			hi.Or(groupsHi)
		}
		for i := range lo {
			w := st.Own[i]
			if st.FromGroups {
				w |= groupsLo[i]
			}
			lo[i] &= w
		}
	}
	each(r.now.Standing[rep])
	for _, u := range cl.units {
		if f.status[u] == free {
			for _, b := range f.p.units[u].moves {
				if b.Kind == access.MoveStanding && b.Member == rep {
					each(uint8(b.To))
				}
			}
		}
	}
	hi.And(r.ceilHi)
	return hi, lo
}

// ownMove returns the free unit of the class that moves a variable of its
// representative, -1 if there is none. For memberships g says which.
func (f *frontier) ownMove(cl *class, rep int32, kind access.MoveKind, g int32) int32 {
	for _, u := range cl.units {
		if f.status[u] != free {
			continue
		}
		for _, b := range f.p.units[u].moves {
			if b.Kind == kind && b.Member == rep && (kind != access.MoveMembership || b.Group == g) {
				return u
			}
		}
	}
	return -1
}

// A breach is a violation as the planner sees it: one level of one permission.
type breach struct {
	r     *reading
	perm  access.Perm
	level access.Level
	over  bool
}

// firstBreach returns the first level of a grant at which class c may leave
// the bound, nil if there is none.
func (f *frontier) firstBreach(c int32) *breach {
	u := f.p.model.Universe
	for i, r := range f.p.read {
		hi, lo := f.interval(r, c)
		now, to := r.nowView[c], f.p.classes[c].to[i]
		for w := range hi {
			if over := hi[w] &^ (now[w] | to[w]); over != 0 {
				perm, level := u.Bit(w*64 + bits.TrailingZeros64(over))
				return &breach{r, perm, level, true}
			}
			if gap := now[w] & to[w] &^ lo[w]; gap != 0 {
				perm, level := u.Bit(w*64 + bits.TrailingZeros64(gap))
				return &breach{r, perm, level, false}
			}
		}
	}
	return nil
}

// check returns the first violation that any subset of the free units causes,
// nil if there is none.
func (f *frontier) check(units []int32) *Violation { return f.checkClasses(f.dirty(units)) }

func (f *frontier) checkClasses(classes []int32) *Violation {
	for _, c := range classes {
		rep := f.p.classes[c].members[0]
		if b := f.firstBreach(c); b != nil {
			return &Violation{Step: -1, Member: rep, Permission: f.p.model.Universe.Key(b.perm), Over: b.over}
		}
		if period, over, ok := f.spendBreach(c); ok {
			return &Violation{Step: -1, Member: rep, Permission: f.p.model.Settings[period].Key, Over: over}
		}
	}
	return nil
}

// violation returns what would go wrong if u alone were carried out next.
func (f *frontier) violation(u int32) Violation {
	f.begin([]int32{u})
	v := f.check([]int32{u})
	f.status[u] = waiting
	if v == nil {
		return Violation{Member: f.memberOf(u)}
	}
	return *v
}

func (f *frontier) memberOf(u int32) int32 {
	if c := f.p.units[u].class; c >= 0 {
		return f.p.classes[c].members[0]
	}
	return 0
}

// repair holds units until class c is within the bound. If forced is set it
// stops where there is a choice.
func (f *frontier) repair(c int32, forced bool) {
	for {
		b := f.firstBreach(c)
		if b == nil {
			break
		}
		var options [][]int32
		if b.over {
			options = f.overPaths(c, b)
		} else {
			options = f.gapOptions(c, b)
		}
		pick := f.choose(options, b.over, forced)
		if len(pick) == 0 {
			break
		}
		for _, u := range pick {
			f.hold(u)
		}
	}
	if !forced {
		f.repairSpend(c)
	}
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
			if len(path) == 1 {
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
		if best < 0 {
			return nil
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
		if d := f.maxRank(a) - f.maxRank(b); d != 0 {
			return d
		}
		if d := len(a) - len(b); d != 0 {
			return d
		}
		return slices.Compare(a, b)
	})
}

func (f *frontier) before(u int32, n int, v int32, m int) bool {
	a, b := f.p.units[u].rank, f.p.units[v].rank
	if a != b {
		return a < b
	}
	if n != m {
		return n > m
	}
	return u < v
}

func (f *frontier) maxRank(units []int32) int {
	worst := 0
	for _, u := range units {
		worst = max(worst, f.p.units[u].rank)
	}
	return worst
}

// standings calls yield with each standing the class may have in this stage,
// and with the free unit that brings it there, -1 for the one it has now.
func (f *frontier) standings(r *reading, cl *class, yield func(standing uint8, unit int32)) {
	rep := cl.members[0]
	yield(r.now.Standing[rep], -1)
	for _, u := range cl.units {
		if f.status[u] != free {
			continue
		}
		for _, b := range f.p.units[u].moves {
			if b.Kind == access.MoveStanding && b.Member == rep && uint8(b.To) != r.now.Standing[rep] {
				yield(uint8(b.To), u)
			}
		}
	}
}

// overPaths returns, for each way in which class c may come to the level of b
// that it must not reach, the free units that the way consists of.
func (f *frontier) overPaths(c int32, b *breach) [][]int32 {
	m, u, r := f.p.model, f.p.model.Universe, b.r
	cl := &f.p.classes[c]
	rep := cl.members[0]
	var paths [][]int32
	f.standings(r, cl, func(standing uint8, unit int32) {
		base := appendUnit(nil, unit)
		if u.Get(r.now.Ceiling, b.perm) < b.level {
			base = appendUnit(base, f.freeUnit(f.ceiling, int32(b.perm)))
		}
		st := &m.Standings[standing]
		if u.Get(st.Own, b.perm) >= b.level {
			paths = append(paths, slices.Clone(base))
		}
		if !st.FromGroups {
			return
		}
		for _, g := range f.mayGroups(r, cl, rep) {
			join := int32(-1)
			if !contains(r.now.Memberships[rep], g) {
				join = f.ownMove(cl, rep, access.MoveMembership, g)
			}
			for _, s := range f.maySources(r, g) {
				if u.Get(r.srcHi[s], b.perm) < b.level {
					continue
				}
				path := appendUnit(slices.Clone(base), join)
				if !contains(r.now.Attached[g], s) {
					path = appendUnit(path, f.attach[[2]int32{g, s}])
				}
				if u.Get(r.now.Grants[s], b.perm) < b.level {
					path = appendUnit(path, f.grant[[2]int32{s, int32(b.perm)}])
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
	m, u, r := f.p.model, f.p.model.Universe, b.r
	cl := &f.p.classes[c]
	rep := cl.members[0]
	if u.Get(r.ceilLo, b.perm) < b.level {
		return [][]int32{{f.freeUnit(f.ceiling, int32(b.perm))}}
	}
	var kept [][]int32 // ways the class has the level now through groups, with what may break each
	for _, g := range r.now.Memberships[rep] {
		leave := f.ownMove(cl, rep, access.MoveMembership, g)
		for _, s := range r.now.Attached[g] {
			if u.Get(r.now.Grants[s], b.perm) < b.level {
				continue
			}
			way := appendUnit(nil, leave)
			if f.freeAttachment(g, s) {
				way = appendUnit(way, f.attach[[2]int32{g, s}])
			}
			if u.Get(r.srcLo[s], b.perm) < b.level {
				way = appendUnit(way, f.grant[[2]int32{s, int32(b.perm)}])
			}
			kept = append(kept, way)
		}
	}
	var options [][]int32
	f.standings(r, cl, func(standing uint8, unit int32) {
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
		if unit >= 0 {
			options = append(options, []int32{unit})
		}
	})
	return options
}

func (f *frontier) mayGroups(r *reading, cl *class, rep int32) []int32 {
	list := slices.Clone(r.now.Memberships[rep])
	for _, u := range cl.units {
		if f.status[u] != free {
			continue
		}
		for _, b := range f.p.units[u].moves {
			if b.Kind == access.MoveMembership && b.Member == rep && b.To == 1 && !contains(r.now.Memberships[rep], b.Group) {
				list = append(list, b.Group)
			}
		}
	}
	return list
}

func (f *frontier) maySources(r *reading, g int32) []int32 {
	list := slices.Clone(r.now.Attached[g])
	for _, v := range f.attachMoves[g] {
		if f.status[v.unit] == free && v.To == 1 && !contains(r.now.Attached[g], v.Source) {
			list = append(list, v.Source)
		}
	}
	return list
}

func (f *frontier) freeUnit(index map[int32]int32, key int32) int32 {
	if u, ok := index[key]; ok && f.status[u] == free {
		return u
	}
	return -1
}

func appendUnit(list []int32, u int32) []int32 {
	if u < 0 || slices.Contains(list, u) {
		return list
	}
	return append(list, u)
}

func contains(sorted []int32, x int32) bool {
	_, ok := slices.BinarySearch(sorted, x)
	return ok
}
