package plan

import (
	"maps"
	"slices"

	"github.com/rolecall/rolecall/schema"
)

// An improver moves units between stages, each time only if the plan stays
// safe, and never adds a stage.
type improver struct {
	*planner
	run     *run
	stageOf []int // of each unit, -1 if it is in none
	budget  int   // classes that may still be checked: a bound on work, not on safety
}

// maxChecked is how many classes are checked to improve a plan.
const maxChecked = 3_000_000

// improve makes a plan easier to carry out and to read: what the system names
// last comes late; halves of one save share a stage; work in the console is in
// as few stages as it can be.
func (p *planner) improve(r *run) {
	if len(r.stages) < 2 {
		return
	}
	m := &improver{planner: p, run: r, stageOf: make([]int, len(p.units)), budget: maxChecked}
	for u := range m.stageOf {
		m.stageOf[u] = -1
	}
	for i, stage := range r.stages {
		for _, u := range stage {
			m.stageOf[u] = i
		}
	}
	m.later()
	m.join()
	m.console()
	r.stages = slices.DeleteFunc(m.stages(), func(stage []int32) bool { return len(stage) == 0 })
}

func (m *improver) stages() [][]int32 {
	stages := make([][]int32, len(m.run.stages))
	for u, i := range m.stageOf {
		if i >= 0 {
			stages[i] = append(stages[i], int32(u))
		}
	}
	return stages
}

// move tries to put units into one stage, and reports whether that is safe; if
// not, nothing is changed.
func (m *improver) move(units []int32, to int) bool {
	first, last := to, to
	before := make([]int, len(units))
	mark := make([]bool, len(m.classes))
	var classes []int32
	for k, u := range units {
		before[k] = m.stageOf[u]
		first, last = min(first, before[k]), max(last, before[k])
		for _, c := range m.classesOf(u) {
			if !mark[c] {
				mark[c] = true
				classes = append(classes, c)
			}
		}
	}
	if first == last {
		return true
	}
	if m.budget -= (last-first+1)*len(classes) + len(m.units)/8; m.budget < 0 {
		return false
	}
	for _, u := range units {
		m.stageOf[u] = to
	}
	slices.Sort(classes)
	ok := true
	for u, i := range m.stageOf {
		if !ok || i < 0 {
			continue
		}
		for _, need := range m.planner.units[u].needs {
			ok = ok && m.stageOf[need] <= i
		}
	}
	if ok && m.roomy() && m.verifyFor(m.stages(), m.run.relaxed, classes, first, last) == nil {
		return true
	}
	for k, u := range units {
		m.stageOf[u] = before[k]
	}
	return false
}

// roomy reports whether there is room for what is added in each stage.
func (m *improver) roomy() bool {
	return len(m.rooms) == 0 || len(m.crowded(m.stages())) == 0
}

// later moves steps of late phases (whatever the system names last) to later
// stages, so that a plan reads in the order that admins know.
func (m *improver) later() {
	phases := 0
	for u := range m.units {
		phases = max(phases, m.units[u].phase)
	}
	last := make([]int, phases+1) // the last stage in which each phase is at work
	for u, i := range m.stageOf {
		if i >= 0 {
			last[m.units[u].phase] = max(last[m.units[u].phase], i)
		}
	}
	target := make([]int, phases+1) // a phase is late up to the last stage in which an earlier one works
	for ph := 1; ph <= phases; ph++ {
		target[ph] = max(target[ph-1], last[ph-1])
	}
	for ph := phases; ph > 0; ph-- { // latest first, so that what they wait for can follow them
		m.postpone(ph, target[ph])
	}
}

// maxPostponed bounds how many units of one phase are postponed one by one.
// Beyond it they stay where they were found safe, which costs nothing but
// looks.
const maxPostponed = 32

// postpone moves the units of a phase as late as they can go, at most into the
// stage numbered to: all at once if that works, else one by one.
func (m *improver) postpone(phase, to int) {
	for ; to > 0; to-- {
		var batch []int32
		for u, i := range m.stageOf {
			if i >= 0 && i < to && m.units[u].phase == phase {
				batch = append(batch, int32(u))
			}
		}
		if len(batch) == 0 || m.move(batch, to) || len(batch) > maxPostponed {
			continue
		}
		for _, u := range batch {
			m.move([]int32{u}, to)
		}
	}
}

// halves returns the units of each save that is more than one of them.
func (p *planner) halves() [][]int32 {
	index := map[string]int{}
	var list [][]int32
	for u := range p.units {
		s := p.units[u].save
		if s == "" {
			continue
		}
		i, ok := index[s]
		if !ok {
			i = len(list)
			index[s] = i
			list = append(list, nil)
		}
		list[i] = append(list[i], int32(u))
	}
	return slices.DeleteFunc(list, func(units []int32) bool { return len(units) < 2 })
}

// join moves the halves of each save into one stage where that is safe.
func (m *improver) join() {
	for _, units := range m.halves() {
		first, last := len(m.run.stages), -1
		for _, u := range units {
			first, last = min(first, m.stageOf[u]), max(last, m.stageOf[u])
		}
		if first < 0 {
			continue // one of them is held
		}
		for to := first; to <= last && first < last; to++ {
			if m.move(units, to) {
				break
			}
		}
	}
}

// joined returns the steps that are one save: halves in the same stage.
func (p *planner) joined(r *run) [][]int {
	stageOf := map[int32]int{}
	for i, stage := range r.stages {
		for _, u := range stage {
			stageOf[u] = i + 1
		}
	}
	var list [][]int
	for _, units := range p.halves() {
		for i := range r.stages {
			var same []int32
			for _, u := range units {
				if stageOf[u] == i+1 {
					same = append(same, u)
				}
			}
			if len(same) > 1 {
				list = append(list, p.stepsOf(same))
			}
		}
	}
	return list
}

// console moves what a person has to do into fewer stages: each of them calls
// somebody back. The stages with the least of it are emptied first.
func (m *improver) console() {
	for {
		work := make([][]int32, len(m.run.stages))
		var busy []int
		for u, i := range m.stageOf {
			if i >= 0 && m.units[u].console {
				work[i] = append(work[i], int32(u))
			}
		}
		for i := range work {
			if len(work[i]) > 0 {
				busy = append(busy, i)
			}
		}
		if len(busy) < 2 {
			return
		}
		slices.SortStableFunc(busy, func(a, b int) int { return len(work[a]) - len(work[b]) })
		if !m.empty(work, busy) {
			return
		}
	}
}

func (m *improver) empty(work [][]int32, busy []int) bool {
	into := busy
	if m.opts.Back { // after the features, which come first
		into = slices.Sorted(slices.Values(busy))
		slices.Reverse(into)
	}
	for _, from := range busy {
		for _, to := range into {
			if from != to && m.move(work[from], to) {
				return true
			}
		}
	}
	return false
}

// crowded returns the steps that need room there is not.
func (p *planner) crowded(stages [][]int32) []int {
	var list []int
	stageOf := map[int32]int{}
	for i, stage := range stages {
		for _, u := range stage {
			stageOf[u] = i
		}
	}
	for _, r := range p.rooms {
		for i, stage := range stages {
			room := r.free
			for _, u := range r.frees {
				if at, ok := stageOf[u]; ok && at < i {
					room++
				}
			}
			for _, u := range r.takes {
				if at, ok := stageOf[u]; ok && at < i {
					room--
				}
			}
			for _, u := range stage {
				if slices.Contains(r.takes, u) {
					if room--; room < 0 {
						list = append(list, p.units[u].steps...)
					}
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

// rooms returns how much room there is for objects of the types that the steps
// create, as far as the system has a limit.
func rooms(system System, live *schema.State, steps []schema.Step) []Room {
	takes, frees := map[string][]string{}, map[string][]string{}
	for i := range steps {
		for _, e := range steps[i].Effects {
			switch typ := e.Addr.Type(); {
			case e.Attr != "":
			case e.Op == schema.Put:
				takes[typ] = append(takes[typ], steps[i].ID)
			case e.Op == schema.Drop:
				frees[typ] = append(frees[typ], steps[i].ID)
			}
		}
	}
	var list []Room
	for _, typ := range slices.Sorted(maps.Keys(takes)) {
		if limit := system.Limits(typ); limit > 0 {
			list = append(list, Room{Free: limit - len(live.Of(typ)), Takes: takes[typ], Frees: frees[typ]})
		}
	}
	return list
}

// join puts one step in the place of the halves of each save, in the steps and
// in the schedule, and returns the steps, of which none is a half any more.
func (s *Schedule) join(steps []schema.Step) []schema.Step {
	steps = slices.Clone(steps)
	defer func() {
		for i := range steps {
			steps[i].Save = ""
		}
	}()
	if len(s.Joined) == 0 {
		return steps
	}
	gone, renamed := make([]bool, len(steps)), map[string]string{}
	for _, halves := range s.Joined {
		var list []schema.Step
		for _, i := range halves {
			list = append(list, steps[i])
			gone[i], renamed[steps[i].ID] = true, steps[i].Save
		}
		steps[halves[0]], gone[halves[0]] = merge(list), false
	}
	s.Joined = nil
	at := make([]int, len(steps)) // where each step is found from now on
	rest := steps[:0:0]
	for i := range steps {
		at[i] = len(rest)
		if gone[i] {
			at[i] = -1
			continue
		}
		needs := slices.Clone(steps[i].Needs)
		for k, id := range needs {
			if to, ok := renamed[id]; ok {
				needs[k] = to
			}
		}
		steps[i].Needs = slices.DeleteFunc(slices.Compact(needs), func(id string) bool { return id == steps[i].ID })
		rest = append(rest, steps[i])
	}
	move := func(list []int) []int {
		var moved []int
		for _, i := range list {
			if at[i] >= 0 {
				moved = append(moved, at[i])
			}
		}
		return moved
	}
	for i := range s.Stages {
		s.Stages[i] = move(s.Stages[i])
	}
	for i := range s.Boundaries {
		b := &s.Boundaries[i]
		b.Partners, b.Unproven = move(b.Partners), move(b.Unproven)
		if b.Doubt != nil {
			b.Doubt.Step = max(at[b.Doubt.Step], 0)
		}
	}
	held := map[int]string{}
	for i, why := range s.Held {
		held[at[i]] = why
	}
	s.Held, s.Crowded = held, move(s.Crowded)
	for _, list := range [][]Violation{s.Stuck, s.Witness} {
		for i := range list {
			list[i].Step = max(at[list[i].Step], 0)
		}
	}
	steps = rest
	return steps
}

// merge returns the one save that steps are halves of, in the order given. Its
// id is that of the save; whoever needs one of the halves needs it.
func merge(halves []schema.Step) schema.Step {
	s := halves[0]
	s.ID = s.Save
	s.Moves, s.Effects = slices.Clone(s.Moves), slices.Clone(s.Effects)
	if s.Console != nil {
		console := *s.Console
		console.Do = slices.Clone(console.Do)
		s.Console = &console
	}
	for _, h := range halves[1:] {
		s.Moves = append(s.Moves, h.Moves...)
		s.Effects = append(s.Effects, h.Effects...)
		s.Settle = max(s.Settle, h.Settle)
		for _, n := range h.Needs {
			if !slices.Contains(s.Needs, n) {
				s.Needs = append(slices.Clone(s.Needs), n)
			}
		}
		if weaker(h.Proof, s.Proof) {
			s.Proof = h.Proof
		}
		if s.Console != nil && h.Console != nil {
			do := s.Console.Do
			if n := len(do); n > 0 && len(h.Console.Do) > 0 && do[n-1] == h.Console.Do[len(h.Console.Do)-1] {
				do = do[:n-1] // both end with the same click
			}
			s.Console.Do = append(do, h.Console.Do...)
		}
	}
	return s
}

// proofs are the kinds of proof, the strongest first.
var proofs = []schema.Proof{schema.Exact, schema.Event, schema.Canary, schema.Deferred, schema.Attested, schema.Unverified}

func weaker(a, b schema.Proof) bool { return slices.Index(proofs, a) > slices.Index(proofs, b) }
