package plan

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/rolecall/rolecall/schema/access"
)

// An exemption is a stage that is let through although it is not safe.
type exemption struct{ stage int }

// maxWeighed is how many units are weighed against each other to find the one
// whose gaps concern the fewest; maxExempted how many are let through so.
const (
	maxWeighed  = 512
	maxExempted = 3
)

// withGaps goes on where there is no safe order: the unit whose gaps concern
// the fewest members and permissions is let through, alone in its stage. After
// a few of them the lower bound is dropped for the rest. That never gives
// anybody too much of a permission, as long as edits that add and take are two
// units: all narrowing, then what people are in the organization, then all
// widening. For settings even that cannot be promised.
func (p *planner) withGaps(r *run) (*run, []exemption) {
	q := *p
	q.units = slices.Clone(p.units)
	for u, why := range r.why {
		q.units[u].held = why
	}
	f := newFrontier(&q)
	out := &run{why: r.why}
	for _, stage := range r.stages {
		for _, u := range stage {
			f.finish(u)
		}
		out.stages = append(out.stages, stage)
	}
	var exempt []exemption
	for f.left > 0 {
		stage := f.next()
		if len(stage) == 0 {
			if stage = f.exempt(len(exempt)); stage == nil {
				break
			}
			exempt = append(exempt, exemption{len(out.stages)})
		} else if f.noGaps {
			exempt = append(exempt, exemption{len(out.stages)})
		}
		out.stages = append(out.stages, stage)
	}
	for u := range q.units {
		if f.status[u]&2 == 0 && q.units[u].held == "" {
			out.stuck = append(out.stuck, int32(u))
		}
	}
	return out, exempt
}

// exempt returns a stage that is let through, nil if there is none that gives
// nobody too much of a permission.
func (f *frontier) exempt(before int) []int32 {
	var candidates []int32
	for u := range f.units {
		if f.status[u] == waiting && f.mayGo(u) && f.ready(int32(u)) && f.hasRoom(int32(u)) {
			candidates = append(candidates, int32(u))
		}
	}
	if before < maxExempted && len(candidates) <= maxWeighed && !f.noGaps {
		best, least := int32(-1), 0
		for _, u := range candidates {
			if n, over := f.weigh(u); !over && (best < 0 || n < least) {
				best, least = u, n
			}
		}
		if best >= 0 {
			f.begun = false
			f.finish(best)
			return []int32{best}
		}
	}
	for !f.noGaps || !f.noOver {
		if !f.noGaps {
			f.noGaps = true
		} else {
			f.noOver = true
		}
		if stage := f.next(); len(stage) > 0 {
			return stage
		}
	}
	return nil
}

// weigh counts the members and permissions that a unit alone would leave
// without something, and reports whether it would give anybody too much.
func (f *frontier) weigh(u int32) (n int, over bool) {
	f.begin([]int32{u})
	for _, c := range f.classesOf(u) {
		f.outside(c, func(_ access.Perm, _ int, isOver bool) {
			over = over || isOver
			n += len(f.classes[c].members)
		})
	}
	f.status[u] = waiting
	return n, over
}

// outside calls yield for each permission, or setting if that is not negative,
// of which class c may have too much or too little in this stage.
func (f *frontier) outside(c int32, yield func(p access.Perm, setting int, over bool)) {
	u, cl := f.model.Universe, &f.classes[c]
	if cl.values {
		return
	}
	for i, r := range f.read {
		over, gap := u.NewSet(), u.NewSet()
		high, low := make([]bool, len(f.model.Settings)), make([]bool, len(f.model.Settings))
		f.combinations(c, func() bool {
			hi, lo := f.interval(i, c)
			for w := range hi {
				over[w] |= hi[w] &^ (r.ref[c][w] | cl.ends[i].then[w])
				gap[w] |= r.ref[c][w] & cl.ends[i].then[w] &^ lo[w]
			}
			for k := range high {
				if f.limited && !cl.phantom {
					lo, hi := f.settingInterval(i, c, k)
					now, to := r.refSetting[c][k], cl.ends[i].to[k]
					high[k], low[k] = high[k] || hi > max(now, to), low[k] || lo < min(now, to)
				}
			}
			return true
		})
		for _, p := range u.Perms(over) {
			yield(p, -1, true)
		}
		if cl.phantom {
			continue
		}
		for _, p := range u.Perms(gap) {
			yield(p, -1, false)
		}
		for k := range high {
			if high[k] {
				yield(-1, k, true)
			}
			if low[k] {
				yield(-1, k, false)
			}
		}
	}
}

// gaps lists who is out of the bound of the whole plan, of what, and from
// which stage to which.
func (p *planner) gaps(stages [][]int32, any bool) []Gap {
	if !any {
		return nil
	}
	type key struct {
		class int32
		what  string
		over  bool
	}
	type spell struct{ from, to int }
	spells := map[key][]spell{}
	f := newFrontier(p)
	f.ends, f.all = true, true
	for i, units := range stages {
		f.begin(units)
		for c := range p.people {
			if f.read[0].ref[c] == nil {
				continue // nothing has touched it yet
			}
			f.outside(int32(c), func(perm access.Perm, setting int, over bool) {
				k := key{int32(c), "", over}
				if setting >= 0 {
					k.what = p.model.Settings[setting].Key
				} else {
					k.what = p.model.Universe.Key(perm)
				}
				list := spells[k]
				if n := len(list); n > 0 && list[n-1].to >= i-1 {
					list[n-1].to = i
				} else {
					list = append(list, spell{i, i})
				}
				spells[k] = list
			})
		}
		for _, u := range units {
			f.finish(u)
		}
		f.begun = false
	}
	type group struct {
		what     string
		over     bool
		from, to int
	}
	members := map[group][]int32{}
	for k, list := range spells {
		for _, s := range list {
			g := group{k.what, k.over, s.from, s.to}
			members[g] = append(members[g], p.classes[k.class].members...)
		}
	}
	var gaps []Gap
	for g, list := range members {
		slices.Sort(list)
		gaps = append(gaps, Gap{Members: list, Permission: g.what, Over: g.over, From: g.from, To: g.to})
	}
	slices.SortFunc(gaps, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Permission, b.Permission), cmp.Compare(a.To, b.To), slices.Compare(a.Members, b.Members))
	})
	return gaps
}

// stuck returns what each unit would do that has no safe place, if it came
// next.
func (p *planner) stuck(r *run) []Violation {
	f := newFrontier(p)
	for _, stage := range r.stages {
		for _, u := range stage {
			f.finish(u)
		}
	}
	f.unhold()
	var list []Violation
	for u := range r.why { // what only waits is not in anybody's way
		f.status[u] = done
		f.apply(u, -1)
	}
	for _, u := range r.stuck {
		list = append(list, f.alone(u))
	}
	return list
}

// How far a witness is looked for: in every set of so many units, or else by
// following who is in whose way.
const (
	maxCombined    = 14
	maxCombination = 4
	maxFollowed    = 24
	maxSeeds       = 8
)

// witness returns for each step of a smallest set the violation that it brings
// about if it comes before the others, whatever else is in force. It returns
// nil if there is no such set, or it was not found.
func (p *planner) witness(stuck []int32) []Violation {
	w := &witnesser{frontier: newFrontier(p)}
	w.ends, w.all, w.begun = true, true, true
	for u := range w.status {
		w.status[u] = free
	}
	var best []int32
	if len(stuck) <= maxCombined {
		for size := 2; size <= maxCombination && best == nil; size++ {
			best = w.combine(stuck, nil, size)
		}
	}
	for i := 0; best == nil && i < min(len(stuck), maxSeeds); i++ {
		best = w.follow(stuck, stuck[i])
	}
	var list []Violation
	for _, u := range best {
		list = append(list, *w.line(u, best))
	}
	return list
}

type witnesser struct{ *frontier }

// combine tries every set of the given size.
func (w *witnesser) combine(from, set []int32, size int) []int32 {
	if size == 0 {
		if w.certified(set) {
			return set
		}
		return nil
	}
	for i := range from {
		if found := w.combine(from[i+1:], append(slices.Clone(set), from[i]), size-1); found != nil {
			return found
		}
	}
	return nil
}

// follow starts with one unit, adds what must be out of force for it to do
// harm, and so on, and then leaves out what is not needed.
func (w *witnesser) follow(stuck []int32, first int32) []int32 {
	set := []int32{first}
	for i := 0; i < len(set); i++ {
		if len(set) > maxFollowed {
			return nil
		}
		partners := w.partners(stuck, set[i])
		if partners == nil {
			return nil
		}
		for _, u := range partners {
			if !slices.Contains(set, u) {
				set = append(set, u)
			}
		}
	}
	slices.Sort(set)
	if !w.certified(set) {
		return nil
	}
	for i := 0; i < len(set); {
		less := slices.Delete(slices.Clone(set), i, i+1)
		if len(less) > 1 && w.certified(less) {
			set, i = less, 0
			continue
		}
		i++
	}
	return set
}

// partners returns a smallest set of units with which u does harm if none of
// them is in force, u among them.
func (w *witnesser) partners(stuck []int32, u int32) []int32 {
	near := map[int32]bool{}
	for _, c := range w.classesOf(u) {
		for _, v := range w.freeOf(c) {
			near[v] = true
		}
		if len(near) > 4*maxFollowed {
			break
		}
	}
	var set []int32
	for _, v := range stuck {
		if near[v] || v == u {
			set = append(set, v)
		}
	}
	if len(set) > 8*maxFollowed || w.line(u, set) == nil {
		return nil
	}
	for i := 0; i < len(set); {
		less := slices.Delete(slices.Clone(set), i, i+1)
		if set[i] != u && w.line(u, less) != nil {
			set = less
			continue
		}
		i++
	}
	return set
}

func (w *witnesser) certified(set []int32) bool {
	for _, u := range set {
		if w.line(u, set) == nil {
			return false
		}
	}
	return true
}

// line returns a violation that there is in every state in which u is in force
// and no other of the set is, nil if there is none.
func (w *witnesser) line(u int32, set []int32) *Violation {
	for _, v := range set {
		w.status[v] = waiting
	}
	w.status[u] = done
	w.apply(u, -1)
	w.compute()
	var found *Violation
	for _, c := range w.classesOf(u) {
		if w.classes[c].phantom {
			continue
		}
		if b := w.certain(c); b != nil {
			v := w.violationOf(c, b)
			v.Step = w.units[u].steps[0]
			found = &v
			break
		}
	}
	w.unsettle(u)
	for _, v := range set {
		w.status[v] = free
	}
	return found
}

// certain returns how class c is out of bounds in every state, nil if it is
// not.
func (w *witnesser) certain(c int32) *breach {
	u, e := w.model.Universe, w.classes[c].ends
	for i := range w.read {
		most, least := u.NewSet(), u.Full()
		lows, highs := slices.Repeat([]access.Limit{access.Unlimited}, len(w.model.Settings)), make([]access.Limit, len(w.model.Settings))
		w.combinations(c, func() bool {
			hi, lo := w.interval(i, c)
			most.Or(hi)
			least.And(lo)
			for k := range lows {
				lo, hi := w.settingInterval(i, c, k)
				lows[k], highs[k] = min(lows[k], lo), max(highs[k], hi)
			}
			return true
		})
		for word := range most {
			if over := least[word] &^ (e[i].before[word] | e[i].then[word]); over != 0 {
				perm, level := u.Bit(word*64 + bits.TrailingZeros64(over))
				return &breach{i, perm, level, -1, true}
			}
			if gap := e[i].before[word] & e[i].then[word] &^ most[word]; gap != 0 {
				perm, level := u.Bit(word*64 + bits.TrailingZeros64(gap))
				return &breach{i, perm, level, -1, false}
			}
		}
		for k := range lows {
			if !w.limited {
				break
			}
			now, to := e[i].from[k], e[i].to[k]
			if lows[k] > max(now, to) || highs[k] < min(now, to) {
				return &breach{reading: i, setting: k, over: lows[k] > max(now, to)}
			}
		}
	}
	return nil
}
