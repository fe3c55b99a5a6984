package plan

import (
	"fmt"
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// A Schedule is an order in which steps may be carried out.
type Schedule struct {
	// Stages are to be carried out one after the other, each settled before
	// the next begins. Within one, any subset of its steps may be in force.
	Stages [][]int

	// Held are steps that are not carried out, with the reason: their wave is
	// closed, or they are safe only after a step that is held.
	Held map[int]string

	// Stuck is set if no safe order was found for the steps that are left in
	// it: the smallest violation that each of them would cause.
	Stuck []Violation
}

// A Violation is a member who would have too much or too little.
type Violation struct {
	Step       int // the step that would cause it
	Member     int32
	Permission string // key of the permission, or "spend.<period>"
	Over       bool   // too much, else too little
}

// Order finds the stages for steps, which together take the organization from
// every state of from to the state at the same place of to. There is more
// than one such pair if something could not be read and may be either way;
// every stage is then safe whichever it is.
//
// The guarantee, for every stage, every subset S of its steps, every member m
// and permission p, where X is the state the stage starts from and A1 the
// access in the end (steps that are held included):
//
//	min(A(X), A1) <= A(X with S) <= max(A(X), A1)
//
// See README.md for the argument. Same input, same schedule.
func Order(m *access.Model, from, to []*access.State, steps []schema.Step, phases []string) (*Schedule, error) {
	p, err := newPlanner(m, from, to, steps, phases)
	if err != nil {
		return nil, err
	}
	s := p.run()
	if len(s.Stuck) > 0 {
		return s, nil
	}
	p.later(s)
	if v := p.verify(s); v != nil {
		return nil, fmt.Errorf("plan: bug: the schedule does not keep its own bound: step %s, %s of %s",
			steps[max(v.Step, 0)].ID, v.Permission, m.Members[v.Member])
	}
	return s, nil
}

// A unit is what the planner schedules: one step that concerns everybody, or
// the same step of all members of one class. Copying one member's schedule to
// his twins is safe, so nothing is lost by moving them together.
type unit struct {
	steps []int
	class int32 // -1 if it concerns everybody
	moves []access.Bound
	needs []int32 // units that must be done before, or in the same stage
	held  string
	rank  int // what is held first when there is a choice: lowest first
	phase int
}

// A class is members with the same variables before and after, in every
// reading, and the same steps.
type class struct {
	members []int32
	units   []int32 // its own, sorted
	to      []access.Set
	limits  [][]access.Limit // per reading and period, in the end
}

type planner struct {
	model   *access.Model
	read    []*reading
	units   []unit
	classes []class
	unitOf  []int32 // unit of each step

	byGroup  [][]int32 // classes that are or may come to be in a group
	bySource [][]int32 // groups a source is or may come to be attached to
	steps    []schema.Step
}

// A reading is one of the states that the organization may be in.
type reading struct {
	start   *access.State // before anything
	now     *access.State // at the start of the stage that is being made; only of class representatives
	to      *access.State
	srcHi   []access.Set // the most and the least that a source grants, over the free units
	srcLo   []access.Set
	grpHi   []access.Set // the same of a group
	grpLo   []access.Set
	ceilHi  access.Set
	ceilLo  access.Set
	nowView []access.Set // access of each class at the start of the stage
	scratch [4]access.Set
}

// ranks of units: what waits first when there is a choice.
const (
	rankCeilingUp = iota
	rankRemoval
	rankDeletion
	rankMembership
	rankLimit
	rankStanding
	rankAttachment
	rankGrant
)

func newPlanner(m *access.Model, from, to []*access.State, steps []schema.Step, phases []string) (*planner, error) {
	p := &planner{model: m, steps: steps, unitOf: make([]int32, len(steps))}
	if len(from) != len(to) || len(from) == 0 {
		return nil, fmt.Errorf("plan: bug: %d states before and %d after", len(from), len(to))
	}
	bound := make([][]access.Bound, len(steps))
	for i := range steps {
		for _, v := range steps[i].Moves {
			b, err := m.Bind(v)
			if err != nil {
				return nil, fmt.Errorf("step %s: %w", steps[i].ID, err)
			}
			bound[i] = append(bound[i], b)
		}
	}
	for r := range from {
		end := from[r].Clone()
		for _, moves := range bound {
			for _, b := range moves {
				end.Apply(m.Universe, b)
			}
		}
		if !end.Equal(to[r]) {
			return nil, fmt.Errorf("plan: bug: the steps do not lead to the desired state: %s", difference(m, end, to[r]))
		}
		p.read = append(p.read, &reading{start: from[r], to: to[r]})
	}
	p.classify(bound, phases)
	p.reset()
	return p, nil
}

// reset goes back to the start of the plan.
func (p *planner) reset() {
	for _, r := range p.read {
		r.now = r.start.Clone()
	}
}

// apply puts the unit in force, for the representative of its class.
func (p *planner) apply(u int32) {
	for _, b := range p.units[u].moves {
		for _, r := range p.read {
			r.now.Apply(p.model.Universe, b)
		}
	}
}

// run makes stages until nothing is left that may be done.
func (p *planner) run() *Schedule {
	s := &Schedule{Held: map[int]string{}}
	f := newFrontier(p)
	for f.left > 0 {
		stage := f.next()
		if len(stage) == 0 {
			break
		}
		s.Stages = append(s.Stages, p.stepsOf(stage))
		for _, u := range stage {
			p.apply(u)
		}
	}
	p.explainHeld(f, s)
	return s
}

func (p *planner) stepsOf(units []int32) []int {
	var list []int
	for _, u := range units {
		list = append(list, p.units[u].steps...)
	}
	slices.Sort(list)
	return list
}

// explainHeld says of everything that is left why: it is held, or it waits
// for what is held, or there is no safe order for it. To tell the last two
// apart it goes on as if nothing were held: what cannot be scheduled even then
// has no order.
func (p *planner) explainHeld(f *frontier, s *Schedule) {
	why := make([]string, len(p.units)) // of units that wait for what is held
	first := ""
	for u := range p.units {
		if f.status[u] != done && p.units[u].held != "" {
			why[u] = p.units[u].held
			if first == "" {
				first = p.units[u].held
			}
		}
	}
	waits := slices.Clone(f.status)
	f.unhold()
	for f.left > 0 {
		stage := f.next()
		if len(stage) == 0 {
			break
		}
		for _, u := range stage {
			p.apply(u)
			if why[u] == "" {
				why[u] = "is safe only after what " + first
			}
		}
	}
	for u := range p.units {
		switch {
		case waits[u] == done:
		case why[u] != "":
			for _, step := range p.units[u].steps {
				s.Held[step] = why[u]
			}
		default:
			v := f.violation(int32(u))
			v.Step = p.units[u].steps[0]
			s.Stuck = append(s.Stuck, v)
		}
	}
}

// verify checks every stage of s once more, without any repair, and that it
// ends where it should. It returns the first violation, nil if there is none.
func (p *planner) verify(s *Schedule) *Violation {
	p.reset()
	f := newFrontier(p)
	for _, stage := range s.Stages {
		units := p.unitsOf(stage)
		f.begin(units)
		if v := f.check(units); v != nil {
			v.Step = stage[0]
			return v
		}
		for _, u := range units {
			f.finish(u)
			p.apply(u)
		}
	}
	return nil
}

func (p *planner) unitsOf(steps []int) []int32 {
	var list []int32
	for _, i := range steps {
		list = append(list, p.unitOf[i])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// later moves steps of late phases (whatever the system names last) to later
// stages where that keeps the bound, so that a plan reads in the order that
// admins know. It never adds a stage.
func (p *planner) later(s *Schedule) {
	if len(s.Stages) < 2 {
		return
	}
	stageOf := map[int32]int{}
	var late []int32
	for i, stage := range s.Stages {
		for _, u := range p.unitsOf(stage) {
			stageOf[u] = i
			late = append(late, u)
		}
	}
	// Latest phases first, so that what they wait for can follow them.
	slices.SortStableFunc(late, func(a, b int32) int { return p.units[b].phase - p.units[a].phase })
	maxPhase := 0
	for _, u := range p.units {
		maxPhase = max(maxPhase, u.phase)
	}
	last := make([]int, maxPhase+1) // the last stage in which each phase is at work
	for u, i := range stageOf {
		last[p.units[u].phase] = max(last[p.units[u].phase], i)
	}
	// A phase is late up to the last stage in which an earlier phase works.
	target := make([]int, maxPhase+1)
	for ph := 1; ph <= maxPhase; ph++ {
		target[ph] = max(target[ph-1], last[ph-1])
	}
	for ph := maxPhase; ph > 0; ph-- {
		p.postpone(s, stageOf, ph, target[ph], late)
	}
	s.Stages = slices.DeleteFunc(s.Stages, func(stage []int) bool { return len(stage) == 0 })
}

// postpone moves the units of a phase as late as they can go, at most into the
// stage numbered to: all at once if that works, else one by one.
func (p *planner) postpone(s *Schedule, stageOf map[int32]int, phase, to int, units []int32) {
	for ; to > 0; to-- {
		var batch []int32
		for _, u := range units {
			if p.units[u].phase == phase && stageOf[u] < to {
				batch = append(batch, u)
			}
		}
		if len(batch) == 0 || p.move(s, stageOf, batch, to) || len(batch) > maxPostponed {
			continue
		}
		for _, u := range batch {
			p.move(s, stageOf, []int32{u}, to)
		}
	}
}

// maxPostponed bounds how many units of one phase are postponed one by one,
// each with a check of the whole plan. Beyond it they stay where they were
// found safe, which costs nothing but looks.
const maxPostponed = 32

// move tries to put units into the stage numbered to, and reports whether the
// schedule is still safe; if not, it is left as it was.
func (p *planner) move(s *Schedule, stageOf map[int32]int, units []int32, to int) bool {
	before := map[int32]int{}
	for _, u := range units {
		before[u] = stageOf[u]
		stageOf[u] = to
	}
	trial := &Schedule{Stages: make([][]int, len(s.Stages)), Held: s.Held}
	for i := range s.Stages {
		for _, u := range p.unitsOf(s.Stages[i]) {
			trial.Stages[stageOf[u]] = append(trial.Stages[stageOf[u]], p.units[u].steps...)
		}
	}
	ok := true
	for u, i := range stageOf {
		for _, need := range p.units[u].needs {
			if j, scheduled := stageOf[need]; scheduled && j > i {
				ok = false
			}
		}
	}
	if ok = ok && p.verify(trial) == nil; ok {
		for i := range trial.Stages {
			slices.Sort(trial.Stages[i])
		}
		s.Stages = trial.Stages
		return true
	}
	for u, i := range before {
		stageOf[u] = i
	}
	return false
}

// difference says in a few words where two states first differ.
func difference(m *access.Model, a, b *access.State) string {
	for i := range m.Members {
		if a.Standing[i] != b.Standing[i] {
			return fmt.Sprintf("%s is %q instead of %q", m.Members[i], m.Standings[a.Standing[i]].Name, m.Standings[b.Standing[i]].Name)
		}
		if !slices.Equal(a.Memberships[i], b.Memberships[i]) {
			return fmt.Sprintf("groups of %s: %v instead of %v", m.Members[i], names(m.Groups, a.Memberships[i]), names(m.Groups, b.Memberships[i]))
		}
	}
	for g := range m.Groups {
		if !slices.Equal(a.Attached[g], b.Attached[g]) {
			return fmt.Sprintf("roles of %s: %v instead of %v", m.Groups[g], names(m.Sources, a.Attached[g]), names(m.Sources, b.Attached[g]))
		}
	}
	for r := range m.Sources {
		if !a.Grants[r].Equal(b.Grants[r]) {
			return fmt.Sprintf("what %s grants", m.Sources[r])
		}
	}
	if !a.Ceiling.Equal(b.Ceiling) {
		return "the ceilings of the organization"
	}
	return "spend limits"
}

func names(list []string, index []int32) []string {
	out := make([]string, len(index))
	for i, n := range index {
		out[i] = list[n]
	}
	return out
}
