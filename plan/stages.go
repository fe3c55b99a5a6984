package plan

import (
	"math/rand/v2"
	"slices"
)

// A run is stages of units, and what became of the units that are in none.
type run struct {
	stages   [][]int32
	why      map[int32]string // units that are held, or safe only after what is
	stuck    []int32          // units for which there is no safe order
	relaxed  bool
	searched bool
}

// An attempt says how to look for stages.
type attempt struct {
	seed int64 // 0 for the usual ranks, else for random ones
	ends bool  // keep between before and after, not between now and after
}

// maxUnitsTried bounds the size of changes that are tried with other ranks;
// larger ones are tried twice.
const (
	maxUnitsTried = 2_000
	maxTries      = 16
)

// find looks for an order. If there is none for everything, what is only wished
// for gives way: first that whoever joins meanwhile is kept in bounds too, then
// that there is room. The planner goes on without regard to who joins if that is
// what gave way; what is crowded is counted later, and is a finding.
func (p *planner) find() *run {
	best, room := p.look(), p.roomless()
	for _, q := range []*planner{p.unaware(true), p.unaware(false), room, room.unaware(true), room.unaware(false)} {
		if len(best.stuck) == 0 {
			break
		}
		if q == nil {
			continue
		}
		r := q.look()
		if len(r.stuck) == 0 || len(q.rooms) == len(p.rooms) && len(r.stuck) <= len(best.stuck) {
			best = r
			q.rooms = p.rooms
			*p = *q
		}
	}
	if len(best.stuck) > 0 { // who joins is not to be in anybody's way from here on
		if q := p.unaware(false); q != nil {
			*p = *q
			best.searched = false
		}
	}
	return best
}

// roomless returns the planner that does not mind how much room there is, nil
// if that is this one.
func (p *planner) roomless() *planner {
	if len(p.rooms) == 0 {
		return nil
	}
	q := *p
	q.rooms = nil
	return &q
}

// look looks for the fewest stages: forward; if that takes more than two,
// backward too. If something is left, by other ranks, then with the weaker
// bound, then by search.
func (p *planner) look() *run {
	best := p.try(attempt{})
	held := len(best.why) > 0 || p.opts.NarrowOnly
	if len(best.stuck) == 0 {
		if len(best.stages) > 2 && !held {
			if mirror := p.mirror(); mirror != nil && len(mirror.stages) < len(best.stages) {
				return mirror
			}
		}
		return best
	}
	if !held {
		if mirror := p.mirror(); mirror != nil {
			return mirror
		}
	}
	tries := maxTries
	if len(p.units) > maxUnitsTried {
		tries = 2
	}
	for _, ends := range []bool{false, true} {
		for seed := range int64(tries) {
			if seed == 0 && !ends {
				continue
			}
			if r := p.try(attempt{seed: seed, ends: ends}); len(r.stuck) == 0 {
				return r
			}
		}
	}
	for _, from := range []*run{best, p.nothing(best)} {
		if len(from.stuck) > maxSearched {
			break
		}
		found, finished := p.search(from)
		if found != nil {
			return found
		}
		best.searched = finished && len(from.stages) == 0
	}
	return best
}

// nothing is a run in which nothing was done yet of what a run does.
func (p *planner) nothing(r *run) *run {
	n := &run{why: r.why, stuck: slices.Clone(r.stuck)}
	for _, stage := range r.stages {
		n.stuck = append(n.stuck, stage...)
	}
	slices.Sort(n.stuck)
	return n
}

func (p *planner) newAttempt(a attempt) *frontier {
	f := newFrontier(p)
	f.ends = a.ends
	if a.seed != 0 {
		r := rand.New(rand.NewPCG(uint64(a.seed), 1))
		for u := range f.ranks {
			f.ranks[u] = r.IntN(1000)
		}
	}
	return f
}

// try makes stages until nothing is left that may be done, and says of
// everything that is left why: it is held, or it waits for what is held, or
// there is no safe order for it. To tell the last two apart it goes on as if
// nothing were held: what cannot be scheduled even then has no order.
func (p *planner) try(a attempt) *run {
	f := p.newAttempt(a)
	r := &run{why: map[int32]string{}, relaxed: a.ends}
	for f.left > 0 {
		stage := f.next()
		if len(stage) == 0 {
			break
		}
		r.stages = append(r.stages, stage)
	}
	after := ""
	for u := range p.units {
		if f.status[u]&2 == 0 && p.units[u].held != "" && !p.off[ruleHeld] {
			r.why[int32(u)] = p.units[u].held
			if after == "" {
				after = "what " + p.units[u].held
			}
		}
	}
	if after == "" && p.opts.NarrowOnly {
		after = "what does not only take away"
	}
	if after == "" {
		for u := range p.units {
			if f.status[u] == loose {
				after = "somebody else has acted: " + p.steps[p.units[u].steps[0]].ID
				break
			}
		}
	}
	f.unhold()
	for f.left > 0 {
		stage := f.next()
		if len(stage) == 0 {
			break
		}
		for _, u := range stage {
			if r.why[u] == "" {
				r.why[u] = "is safe only after " + after
			}
		}
	}
	for u := range p.units {
		if f.status[u]&2 == 0 && r.why[int32(u)] == "" {
			r.stuck = append(r.stuck, int32(u))
		}
	}
	return r
}

// mirror plans the change back and turns the stages around. It returns nil if
// that leaves something out or does not keep the ratchet. What no wait is long
// enough for is a step like any other on the way back, which knows no better;
// whether the stages turned around are safe all the same, with it undecided in
// every stage after its own, is for the check of them to say.
func (p *planner) mirror() *run {
	back := p.reversed().try(attempt{})
	if len(back.stuck) > 0 || len(back.why) > 0 {
		return nil
	}
	slices.Reverse(back.stages)
	if p.verify(back.stages, false) != nil || len(p.crowded(back.stages)) > 0 {
		return nil
	}
	return back
}

// maxSearched is the number of units up to which every order is tried.
const maxSearched = 16

// search tries every order of the units that are left in a run, one at a time,
// and makes stages of the first that is safe. It reports whether it came to
// the end.
func (p *planner) search(from *run) (found *run, finished bool) {
	left := from.stuck
	dead := map[uint32]bool{}
	var order []int32
	all := uint32(1)<<len(left) - 1
	const maxStates = 20_000              // a bound on work
	safe := func(stages [][]int32) bool { // as far as the last stage goes
		last := len(stages) - 1
		return p.verifyFor(stages, false, nil, last, last) == nil && len(p.crowded(stages)) == 0
	}
	var look func(mask uint32) bool
	look = func(mask uint32) bool {
		if mask == all {
			return true
		}
		if dead[mask] || len(dead) > maxStates {
			return false
		}
		for i, u := range left {
			if mask>>i&1 == 1 {
				continue
			}
			order = append(order, u)
			if safe(append(slices.Clone(from.stages), single(order)...)) && look(mask|1<<i) {
				return true
			}
			order = order[:len(order)-1]
		}
		dead[mask] = true
		return false
	}
	if !look(0) {
		return nil, len(dead) <= maxStates
	}
	r := &run{stages: slices.Clone(from.stages), why: from.why}
	for _, u := range order {
		if last := len(r.stages) - 1; last >= len(from.stages) {
			joined := slices.Clone(r.stages)
			joined[last] = append(slices.Clone(joined[last]), u)
			if safe(joined) {
				r.stages = joined
				continue
			}
		}
		r.stages = append(r.stages, []int32{u})
	}
	return r, true
}

func single(units []int32) [][]int32 {
	var list [][]int32
	for _, u := range units {
		list = append(list, []int32{u})
	}
	return list
}

// verify checks every stage once more, without any repair, and what needs
// what. It returns the first violation, nil if there is none.
func (p *planner) verify(stages [][]int32, ends bool) *Violation {
	return p.verifyFor(stages, ends, nil, 0, len(stages)-1)
}

// verifyFor is verify of the stages from one to another, for some classes
// only; nil is all that a stage may move.
func (p *planner) verifyFor(stages [][]int32, ends bool, classes []int32, first, last int) *Violation {
	f := newFrontier(p)
	f.ends, f.all = ends, true
	for i, units := range stages[:last+1] {
		if i >= first {
			for _, u := range units {
				f.status[u] = free
			}
			for _, u := range units {
				if !f.ready(u) {
					return &Violation{Step: p.units[u].steps[0], Member: -1}
				}
			}
			list := classes
			f.begun = true
			f.compute()
			if list == nil {
				list = f.dirty(units)
			}
			for _, c := range list {
				f.measure(c)
			}
			if v := f.checkClasses(list); v != nil {
				if len(units) > 0 {
					v.Step = p.units[units[0]].steps[0]
				}
				return v
			}
		}
		for _, u := range units {
			f.finish(u)
		}
		f.begun = false
	}
	return nil
}
