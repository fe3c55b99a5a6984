package plan

import (
	"slices"

	"github.com/rolecall/rolecall/schema/access"
)

// The status of a unit while a stage is made.
const (
	waiting uint8 = 0 // not in this stage
	free    uint8 = 1 // in this stage: may be in force or not
	done    uint8 = 2 // in force
	loose   uint8 = 3 // carried out, and in force at some time later
)

// A frontier makes one stage after the other. A stage starts with everything
// that is left, and units are held back until every subset of the rest is
// safe. Holding back only shrinks the set of subsets, so a class that is fine
// stays fine, and one pass over the classes is enough.
type frontier struct {
	*planner
	read   []*reading
	cur    [][]variables // of each class, in each reading
	status []uint8
	ranks  []int
	left   int  // units that may still be scheduled
	all    bool // units that are held may be scheduled too
	begun  bool // the stage has begun, so that what is computed for it has to be kept up
	last   bool // nothing else is left, so that what somebody else brings into force may go

	log     []int32 // what was held, in order, while logging
	logging bool

	strict   bool // nobody gets more of a permission, not even what they will have
	ends     bool // compare with before and after the plan, not with the start of the stage
	noGaps   bool // do not mind that somebody has too little
	noOver   bool // do not mind that a setting is too high
	onlyGaps bool // do not mind that anything is too much
}

// A reading is one of the states that the organization may be in, without
// what is a member's own.
type reading struct {
	now            *access.State // at the start of the stage that is being made
	srcHi, srcLo   []access.Set  // the most and the least that a source grants, over the free units
	grpHi, grpLo   []access.Set  // the same of a group
	grpNow         []access.Set
	ceilHi, ceilLo access.Set
	lists          []listSpan
	ref            []access.Set     // access of each class that the stage is measured by, with its end
	refSetting     [][]access.Limit // the same of settings
	scratch        [10]access.Set
}

// A listSpan is what the list of a group can come to for each level: to say
// nothing, to allow it, to deny it. Nil sets are those of a group without one.
type listSpan struct{ silent, allow, deny access.Set }

func newFrontier(p *planner) *frontier {
	f := &frontier{planner: p, status: make([]uint8, len(p.units)), ranks: make([]int, len(p.units)), strict: p.opts.NarrowOnly}
	for r := range p.start {
		f.read = append(f.read, &reading{now: shared(p.start[r]),
			ref: make([]access.Set, len(p.classes)), refSetting: make([][]access.Limit, len(p.classes))})
	}
	f.cur = make([][]variables, len(p.classes))
	flat := make([]variables, len(p.classes)*len(p.start))
	for c := range p.classes {
		f.cur[c], flat = flat[:len(p.start):len(p.start)], flat[len(p.start):]
		for r := range p.start {
			f.cur[c][r] = p.classes[c].ends[r].start
		}
	}
	for u := range p.units {
		f.ranks[u] = p.units[u].rank
		if f.mayGo(u) {
			f.left++
		}
	}
	return f
}

// shared returns a copy of what in a state is nobody's own.
func shared(s *access.State) *access.State {
	return (&access.State{Attached: s.Attached, Grants: s.Grants, Ceiling: s.Ceiling, Lists: s.Lists, Settings: s.Settings}).Clone()
}

// moving reports whether a unit may be in force or not, as far as a rule goes.
func (f *frontier) moving(u int32, r rule) bool { return f.status[u]&1 == 1 && !f.off[r] }

// mayGo reports whether u is not held.
func (f *frontier) mayGo(u int) bool { return f.all || f.off[ruleHeld] || f.units[u].held == "" }

// unhold lets units be scheduled that are held, and takes what is on its way
// to be in force.
func (f *frontier) unhold() {
	f.all, f.left, f.strict = true, 0, false
	for u := range f.units {
		switch f.status[u] {
		case loose:
			f.status[u] = done
			f.apply(int32(u), -1)
		case done:
		default:
			f.left++
		}
	}
}

// apply puts a unit in force, for one class or, with -1, for all.
func (f *frontier) apply(u, class int32) {
	x := &f.units[u]
	for _, r := range f.read {
		for _, b := range x.global {
			r.now.Apply(f.model.Universe, b)
		}
	}
	if class >= 0 {
		f.applyOwn(u, class)
		return
	}
	if x.class >= 0 {
		f.applyOwn(u, x.class)
		return
	}
	if x.touches {
		for _, c := range f.classesOf(u) {
			f.applyOwn(u, c)
		}
	}
}

func (f *frontier) applyOwn(u, c int32) {
	for _, x := range f.classes[c].refs {
		if x.unit != u {
			continue
		}
		for r := range f.read {
			for _, b := range x.moves {
				f.cur[c][r].apply(b)
			}
		}
	}
}

// finish counts u as carried out, and puts it in force unless that is for
// somebody else to do.
func (f *frontier) finish(u int32) {
	if f.mayGo(int(u)) {
		f.left--
	}
	if f.units[u].never && !f.off[ruleNever] {
		f.status[u] = loose
		return
	}
	f.status[u] = done
	f.apply(u, -1)
}

// next returns the units of the next stage, sorted, and counts them as done.
// It returns nothing if nothing can be done from here.
//
// What somebody else brings into force at a time of their own goes as late as
// it can: into the last stage of all the rest, or after it. Earlier it would
// have to be safe in force and not in every stage to come, and be so in bounds
// that get narrower; later that is asked of fewer states, so no order is lost.
func (f *frontier) next() []int32 {
	if !f.last {
		if stage := f.nextOf(false); len(stage) > 0 {
			return stage
		}
		f.last = true
	}
	return f.nextOf(true)
}

// later reports whether u is left for the last stage.
func (f *frontier) later(u int) bool {
	return f.units[u].never && !f.off[ruleNever]
}

// nextOf is next with or without what somebody else brings into force.
func (f *frontier) nextOf(all bool) []int32 {
	for u := range f.units {
		if f.status[u] == waiting && f.mayGo(u) && (all || !f.later(u)) {
			f.status[u] = free
		}
	}
	f.begun = false
	for u := range f.units { // what needs something held is held with it
		if f.status[u] == waiting {
			f.cascade(int32(u))
		}
	}
	f.makeRoom()
	var units []int32
	for u := range f.units {
		if f.status[u] == free {
			units = append(units, int32(u))
		}
	}
	if len(units) == 0 {
		return nil
	}
	f.begin(units)
	dirty := f.dirty(units)
	for _, forced := range []bool{true, false} {
		for _, c := range dirty {
			f.repair(c, forced)
		}
	}
	f.readmit(units)
	units = f.admitLast(units)
	if f.astray(units) {
		for _, u := range units {
			f.hold(u)
		}
		return nil
	}
	var stage []int32
	for _, u := range units {
		if f.status[u] == free {
			stage = append(stage, u)
		}
	}
	for _, u := range stage {
		f.finish(u)
	}
	return stage
}

// admitLast lets what was left for the last stage into this one, if it is the
// last and as far as that is safe. It returns the units, with those.
func (f *frontier) admitLast(units []int32) []int32 {
	if f.last {
		return units
	}
	var list []int32
	for u := range f.units {
		if f.status[u] != waiting || !f.mayGo(u) {
			continue
		}
		if !f.later(u) {
			return units
		}
		list = append(list, int32(u))
	}
	if len(list) == 0 {
		return units
	}
	for _, c := range f.dirty(list) {
		f.measure(c)
	}
	f.readmit(list)
	units = append(units, list...)
	slices.Sort(units)
	return units
}

// astray reports whether some class of the units is out of bounds because of
// what is in force at a time of its own, and no holding helps.
func (f *frontier) astray(units []int32) bool {
	return slices.Contains(f.status, loose) && f.checkClasses(f.dirty(units)) != nil
}

// makeRoom holds what there is no room for yet.
func (f *frontier) makeRoom() {
	for _, r := range f.rooms {
		room := r.free
		for _, u := range r.frees {
			if f.status[u] == done {
				room++
			}
		}
		for _, u := range r.takes {
			if f.status[u] >= done {
				room--
			}
		}
		for _, u := range r.takes {
			if f.status[u] != free {
				continue
			}
			if room--; room < 0 {
				f.hold(u)
			}
		}
	}
}

// hasRoom reports whether there is room for u in the stage that is made.
func (f *frontier) hasRoom(u int32) bool {
	for _, r := range f.rooms {
		if !slices.Contains(r.takes, u) {
			continue
		}
		room := r.free
		for _, v := range r.frees {
			if f.status[v] == done {
				room++
			}
		}
		for _, v := range r.takes {
			if f.status[v] != waiting {
				room--
			}
		}
		if room <= 0 {
			return false
		}
	}
	return true
}

// maxReadmitted bounds how many units that concern everybody are tried once
// more in a stage: a bound on work, not on safety.
const maxReadmitted = 256

// readmit tries to free each unit that was held after all: what it was held
// for may have been held since.
func (f *frontier) readmit(units []int32) {
	tries := 0
	for _, u := range units {
		if f.status[u] != waiting || !f.ready(u) || !f.hasRoom(u) {
			continue
		}
		if f.units[u].class < 0 {
			if tries++; tries > maxReadmitted {
				continue
			}
		}
		f.free(u)
		if f.checkClasses(f.classesOf(u)) != nil {
			f.hold(u)
		}
	}
}

// ready reports whether everything that u needs is in force or in the stage.
func (f *frontier) ready(u int32) bool {
	for _, n := range f.units[u].needs {
		if f.status[n] == waiting {
			return false
		}
	}
	return true
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
	if f.logging {
		f.log = append(f.log, u)
	}
	f.refresh(u)
	f.cascade(u)
}

func (f *frontier) cascade(u int32) {
	for _, v := range f.blocked[u] {
		f.hold(v)
	}
}

// dirty returns the classes whose access the units may move.
func (f *frontier) dirty(units []int32) []int32 {
	mark := make([]bool, len(f.classes))
	for _, u := range units {
		for _, c := range f.classesOf(u) {
			mark[c] = true
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

// refresh computes again what u has a part in.
func (f *frontier) refresh(u int32) {
	if !f.begun {
		return
	}
	for _, r := range f.read {
		for _, b := range f.units[u].global {
			switch b.Kind {
			case access.MoveAttachment:
				f.computeGroup(r, b.Group)
			case access.MoveGrant:
				f.computeSource(r, b.Source)
				for _, g := range f.bySource[b.Source] {
					f.computeGroup(r, g)
				}
			case access.MoveCeiling:
				f.computeCeiling(r)
			case access.MoveListSpeaks, access.MoveListLevel:
				f.computeList(r, b.Group)
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
	f.compute()
	for _, c := range f.dirty(units) {
		f.measure(c)
	}
}

// compute works out what everybody shares.
func (f *frontier) compute() {
	m := f.model
	for _, r := range f.read {
		if r.srcHi == nil {
			r.srcHi, r.srcLo = sets(m, len(m.Sources)), sets(m, len(m.Sources))
			r.grpHi, r.grpLo, r.grpNow = sets(m, len(m.Groups)), sets(m, len(m.Groups)), sets(m, len(m.Groups))
			r.lists = make([]listSpan, len(m.Groups))
			for i := range r.scratch {
				r.scratch[i] = m.Universe.NewSet()
			}
		}
		for s := range m.Sources {
			f.computeSource(r, int32(s))
		}
		for g := range m.Groups {
			f.computeGroup(r, int32(g))
			clear(r.grpNow[g])
			for _, s := range r.now.Attached[g] {
				r.grpNow[g].Or(r.now.Grants[s])
			}
			f.computeList(r, int32(g))
		}
		f.computeCeiling(r)
	}
}

// measure notes what class c has at the start of the stage.
func (f *frontier) measure(c int32) {
	for i, r := range f.read {
		e := &f.classes[c].ends[i]
		if f.ends {
			r.ref[c], r.refSetting[c] = e.before, e.from
			continue
		}
		v, cl := &f.cur[c][i], &f.classes[c]
		if !cl.values {
			r.ref[c] = grantsOf(f.model, r.now, v, r.grpNow)
		}
		if f.limited && (cl.values || !cl.phantom) {
			r.refSetting[c] = settingsOf(f.model, r.now, v)
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
	u := f.model.Universe
	copy(r.srcHi[s], r.now.Grants[s])
	copy(r.srcLo[s], r.now.Grants[s])
	for _, v := range f.grantMoves[s] {
		if f.moving(v.unit, ruleGrant) {
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
		if f.attachment(g, s) < 0 {
			r.grpLo[g].Or(r.srcLo[s])
		}
	}
	for _, v := range f.attachMoves[g] {
		if f.moving(v.unit, ruleAttachment) && v.To == 1 {
			r.grpHi[g].Or(r.srcHi[v.Source])
		}
	}
}

func (f *frontier) computeCeiling(r *reading) {
	u := f.model.Universe
	r.ceilHi, r.ceilLo = r.now.Ceiling.Clone(), r.now.Ceiling.Clone()
	for _, v := range f.ceilingMoves {
		if f.moving(v.unit, ruleCeiling) {
			u.Put(r.ceilHi, v.Perm, max(u.Get(r.ceilHi, v.Perm), access.Level(v.To)))
			u.Put(r.ceilLo, v.Perm, min(u.Get(r.ceilLo, v.Perm), access.Level(v.To)))
		}
	}
}

// computeList works out what the list of a group can come to: what it says
// now, and for each permission of which it changes what it says, that in every
// combination of the units that change it.
func (f *frontier) computeList(r *reading, g int32) {
	if !f.speaks[g] {
		return
	}
	u, l, now := f.model.Universe, &r.lists[g], r.now.Lists[g]
	if l.silent == nil {
		l.silent, l.allow, l.deny = u.NewSet(), u.NewSet(), u.NewSet()
	}
	for i := range l.silent {
		var says, lets uint64
		if now.Speaks != nil {
			says, lets = now.Speaks[i], now.Allow[i]
		}
		l.silent[i], l.allow[i], l.deny[i] = ^says, says&lets, says&^lets
	}
	for perm, moves := range f.listMoves[g] {
		var units []int32
		for _, v := range moves {
			if f.moving(v.unit, ruleList) && !slices.Contains(units, v.unit) {
				units = append(units, v.unit)
			}
		}
		for mask := 1; mask < 1<<len(units); mask++ {
			says, lets := false, access.Level(0)
			if now.Speaks != nil {
				says, lets = u.Get(now.Speaks, perm) > 0, u.Get(now.Allow, perm)
			}
			for _, v := range moves {
				if k := slices.Index(units, v.unit); k < 0 || mask>>k&1 == 0 {
					continue
				}
				if v.Kind == access.MoveListSpeaks {
					says = v.To == 1
				} else {
					lets = access.Level(v.To)
				}
			}
			top := u.Permission(perm).Scale.Top()
			if !says {
				u.Put(l.silent, perm, top)
				continue
			}
			u.Put(l.allow, perm, max(u.Get(l.allow, perm), lets))
			word, above := u.Above(perm, lets)
			l.deny[word] |= above
		}
	}
}

// attachment returns the unit that may detach source s from group g in this
// stage, or attach it, -1 if there is none.
func (f *frontier) attachment(g, s int32) int32 {
	for _, v := range f.attachMoves[g] {
		if v.Source == s && f.moving(v.unit, ruleAttachment) {
			return v.unit
		}
	}
	return -1
}
