package plan

import (
	"fmt"
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// A Schedule is an order in which steps may be carried out. Steps and stages
// are called by their numbers.
type Schedule struct {
	// Stages are to be carried out one after the other. Within one, any
	// subset of its steps may be in force.
	Stages [][]int

	// Boundaries are what lies between the stages: Boundaries[i] is the wait
	// after Stages[i]. There is one less than there are stages.
	Boundaries []Boundary

	// Joined are steps of one stage that are halves of one save.
	Joined [][]int

	// Held are steps that are not carried out, with the reason: their wave is
	// closed, or they are safe only after a step that is held.
	Held map[int]string

	// Stuck is set if no safe order was found for the steps that are left in
	// it: the smallest violation that each of them would cause.
	Stuck []Violation

	// Witness says why there is no safe order: whichever of its steps comes
	// first, before the others of them, somebody is out of bounds, whatever
	// else is in force. It is as small as it can be. Stuck without it means
	// that none was found; if Searched is set, every order was tried.
	Witness  []Violation
	Searched bool

	// Gaps are who is out of bounds for how long, if that was accepted.
	Gaps []Gap

	// Exposed are groups that give whoever joins meanwhile more than they give
	// before and after.
	Exposed []Exposure

	// Crowded are steps that need room for one more object than there is, in
	// every order that was found.
	Crowded []int

	// Relaxed says that the stages keep between before and after, but not
	// between where they start and after, which is the stronger promise.
	Relaxed bool
}

// A Boundary is the wait between two stages.
type Boundary struct {
	Seconds int // 0: the next stage need not wait

	// Partners are the steps that must be in force everywhere before the next
	// stage begins. All others may still be on their way.
	Partners []int

	// Over and Gap say what the wait protects from: somebody having too much,
	// or too little, of which Member and Permission are one example.
	Over, Gap  bool
	Member     int32
	Permission string

	// Unproven are partners of which no read shows before the next stage
	// whether they are in force, and Doubt is what would be if one of them, its
	// Step, were not: nil if there are none.
	Unproven []int
	Doubt    *Violation
}

// A Violation is a member who would have too much or too little.
type Violation struct {
	Step       int     // the step that would cause it, -1 if it is not one alone
	Member     int32   // -1 for whoever joins Groups meanwhile, if any
	Groups     []int32 // none: the organization itself
	Permission string  // key of the permission or setting, "" if only something else is in the way
	Over       bool    // too much, else too little
}

// A Gap is members who have too much or too little of something for a time.
type Gap struct {
	Members    []int32
	Permission string // key of the permission or setting
	Over       bool   // too much, which only settings can come to
	From, To   int    // the first and the last stage during which it may be so
}

// An Exposure is a group, or two together, that give whoever joins during a
// stage more than they give before and after the plan. No group is the
// organization itself.
type Exposure struct {
	Groups     []int32
	Permission string // key of the permission or setting
	Stage      int
	Open       bool // people can enter without an administrator
}

// OrderOptions are what an order may and may not do.
type OrderOptions struct {
	// AcceptGaps lets members be without something for a while where there is
	// no safe order. Nobody has too much even then, but for settings, where
	// that cannot always be avoided.
	AcceptGaps bool

	// NarrowOnly holds everything that does not take away.
	NarrowOnly bool

	// Open are addresses of groups that people can enter while the plan is
	// carried out; they are kept from having too much where that is possible.
	Open []string

	// Back says that the steps lead back to an earlier state: what a person has
	// to do, and can be done in several stages, is done in the last of them.
	Back bool

	// Room is how many objects of a kind may be added before others are
	// taken away.
	Room []Room
}

// A Room is a limit on objects of one kind: as many of the steps Takes may be
// carried out as there is Free room, and one more for each of the steps Frees
// that is in force everywhere.
type Room struct {
	Free         int
	Takes, Frees []string // ids of steps
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
func Order(m *access.Model, from, to []*access.State, steps []schema.Step, phases []string, opts OrderOptions) (*Schedule, error) {
	p, err := newPlanner(m, from, to, steps, phases, opts)
	if err != nil {
		return nil, err
	}
	return p.schedule()
}

func (p *planner) schedule() (*Schedule, error) {
	run := p.find()
	s := &Schedule{Held: map[int]string{}, Relaxed: run.relaxed, Searched: run.searched}
	var exempt []exemption
	if len(run.stuck) > 0 {
		s.Stuck = p.stuck(run)
		s.Witness = p.witness(run.stuck)
		if p.opts.AcceptGaps {
			run, exempt = p.withGaps(run)
		}
	}
	if len(run.stuck) == 0 && len(exempt) == 0 {
		p.improve(run)
	}
	for _, stage := range run.stages {
		s.Stages = append(s.Stages, p.stepsOf(stage))
	}
	for u, why := range run.why {
		for _, step := range p.units[u].steps {
			s.Held[step] = why
		}
	}
	if len(exempt) == 0 {
		if v := p.verify(run.stages, run.relaxed); v != nil {
			return nil, fmt.Errorf("plan: bug: the schedule does not keep its own bound: %s", p.describe(*v))
		}
	}
	s.Joined = p.joined(run)
	s.Boundaries = p.boundaries(run.stages)
	s.Gaps = p.gaps(run.stages, len(exempt) > 0)
	s.Exposed = p.exposed(run.stages, s.Boundaries)
	s.Crowded = p.crowded(run.stages)
	return s, nil
}

func (p *planner) describe(v Violation) string {
	if v.Permission == "" {
		return p.steps[v.Step].ID + " comes before what it needs"
	}
	who := "whoever joins meanwhile"
	if v.Member >= 0 {
		who = p.model.Members[v.Member]
	}
	return fmt.Sprintf("%s of %s", v.Permission, who)
}

type planner struct {
	model       *access.Model
	start, goal []*access.State // of each reading
	steps       []schema.Step
	bound       [][]access.Bound
	byID        map[string]int32 // step by its id
	wider       []bool           // steps that do not only take away, if only narrowing is wanted
	units       []unit
	classes     []class
	people      int     // classes that are not phantoms come first
	unitOf      []int32 // unit of each step
	opts        OrderOptions
	open        []int32 // groups
	rooms       []room
	limited     bool // whether any setting says anything, before or after
	off         [numRules]bool

	byGroup   [][]int32 // classes that are or may come to be in a group
	bySource  [][]int32 // groups a source is or may come to be attached to
	sourcesOf [][]int32 // sources that are or may come to be attached to a group
	speaks    []bool    // groups that have a list, before or after

	grantMoves   [][]unitMove // by source
	attachMoves  [][]unitMove // by group
	listMoves    []map[access.Perm][]unitMove
	ceilingMoves []unitMove
	settingMoves [][]unitMove // by setting, but for those of members
	mixed        []int32      // units with moves that are nobody's own
	blocked      map[int32][]int32
}

// A unitMove is one move and the unit that makes it.
type unitMove struct {
	access.Bound
	unit int32
}

// A room is a Room in units.
type room struct {
	free         int
	takes, frees []int32
}

// ruleOff, if set, is a rule that the planner ignores: tests show so that
// every rule is needed.
var ruleOff = rule(-1)

func newPlanner(m *access.Model, from, to []*access.State, steps []schema.Step, phases []string, opts OrderOptions) (*planner, error) {
	p := &planner{model: m, start: from, goal: to, steps: steps, opts: opts, byID: make(map[string]int32, len(steps))}
	if ruleOff >= 0 {
		p.off[ruleOff] = true
	}
	if len(from) != len(to) || len(from) == 0 {
		return nil, fmt.Errorf("plan: bug: %d states before and %d after", len(from), len(to))
	}
	p.bound = make([][]access.Bound, len(steps))
	for i := range steps {
		p.byID[steps[i].ID] = int32(i)
		for _, v := range steps[i].Moves {
			b, err := m.Bind(v)
			if err != nil {
				return nil, fmt.Errorf("step %s: %w", steps[i].ID, err)
			}
			p.bound[i] = append(p.bound[i], b)
		}
	}
	for r := range from {
		end := from[r].Clone()
		for _, moves := range p.bound {
			for _, b := range moves {
				end.Apply(m.Universe, b)
			}
		}
		if !end.Equal(to[r]) {
			return nil, fmt.Errorf("plan: bug: the steps do not lead to the desired state: %s", difference(m, end, to[r]))
		}
	}
	for _, a := range opts.Open {
		if g := m.Group(a); g >= 0 {
			p.open = append(p.open, g)
		}
	}
	p.limited = limited(from) || limited(to)
	p.wider = make([]bool, len(steps))
	if opts.NarrowOnly {
		p.findWider()
	}
	p.classify(p.bound, from, to, phases)
	p.people = len(p.classes)
	p.needs()
	for i := range steps {
		if u := p.unitOf[i]; p.wider[i] && p.units[u].held == "" {
			p.units[u].held = "does not only take away"
		}
	}
	if !p.off[rulePhantom] {
		p.addPhantoms(p.open, p.open)
	}
	p.link()
	return p, nil
}

// needs fills in what units need, and what they have room for.
func (p *planner) needs() {
	for i := range p.steps {
		u := p.unitOf[i]
		for _, id := range p.steps[i].Needs {
			step, ok := p.byID[id]
			if !ok || p.off[ruleNeeds] {
				continue
			}
			if need := p.unitOf[step]; need != u && !slices.Contains(p.units[u].needs, need) {
				p.units[u].needs = append(p.units[u].needs, need)
			}
		}
	}
	if p.off[ruleRoom] {
		return
	}
	for _, r := range p.opts.Room {
		x := room{free: r.Free}
		for _, id := range r.Takes {
			if i, ok := p.byID[id]; ok {
				x.takes = append(x.takes, p.unitOf[i])
			}
		}
		for _, id := range r.Frees {
			if i, ok := p.byID[id]; ok {
				x.frees = append(x.frees, p.unitOf[i])
			}
		}
		p.rooms = append(p.rooms, x)
	}
}

// limited reports whether any scope of any setting says something.
func limited(states []*access.State) bool {
	set := func(l access.Limit) bool { return l != access.Unset }
	for _, s := range states {
		for _, x := range s.Settings {
			if len(x.Member) > 0 || set(x.Default) || set(x.Fallback) || set(x.Ceiling) ||
				slices.ContainsFunc(x.Group, set) || slices.ContainsFunc(x.Seat, set) {
				return true
			}
		}
	}
	return false
}

// reversed returns the planner of the change back: from the goal to the start
// by steps that undo. A plan that keeps the bound keeps it backwards, since
// the states on the way are the same.
func (p *planner) reversed() *planner {
	q := *p
	q.start, q.goal = p.goal, p.start
	q.units = slices.Clone(p.units)
	for i := range q.units {
		u := &q.units[i]
		u.own, u.global, u.needs, u.never = back(u.own), back(u.global), nil, false
		u.rank = rank(slices.Concat(u.own, u.global))
	}
	for i := range p.units {
		for _, n := range p.units[i].needs {
			q.units[n].needs = append(q.units[n].needs, int32(i))
		}
	}
	q.classes = slices.Clone(p.classes)
	for c := range q.classes {
		cl := &q.classes[c]
		cl.refs, cl.ends = slices.Clone(cl.refs), slices.Clone(cl.ends)
		for i := range cl.refs {
			cl.refs[i].moves = back(cl.refs[i].moves)
		}
		for r := range cl.ends {
			e := &cl.ends[r]
			for _, x := range p.classes[c].refs {
				for _, b := range x.moves {
					e.start.apply(b)
				}
			}
			e.before, e.then, e.from, e.to = e.then, e.before, e.to, e.from
		}
	}
	q.rooms = nil
	q.index()
	return &q
}

func back(moves []access.Bound) []access.Bound {
	list := slices.Clone(moves)
	for i := range list {
		list[i].From, list[i].To = list[i].To, list[i].From
	}
	return list
}

func (p *planner) stepsOf(units []int32) []int {
	var list []int
	for _, u := range units {
		list = append(list, p.units[u].steps...)
	}
	slices.Sort(list)
	return list
}

// difference says in a few words where two states first differ.
func difference(m *access.Model, a, b *access.State) string {
	for i := range m.Members {
		if a.Standing[i] != b.Standing[i] {
			return fmt.Sprintf("%s is %q instead of %q", m.Members[i], m.Standings[a.Standing[i]].Name, m.Standings[b.Standing[i]].Name)
		}
		if a.Seat[i] != b.Seat[i] {
			return fmt.Sprintf("the seat of %s", m.Members[i])
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
	for i := range m.Settings {
		if x, y := a.Settings[i], b.Settings[i]; x.Default != y.Default || x.Highest != y.Highest || !slices.Equal(x.Group, y.Group) {
			return "the setting " + m.Settings[i].Key
		}
	}
	return "lists or settings"
}

func names(list []string, index []int32) []string {
	out := make([]string, len(index))
	for i, n := range index {
		out[i] = list[n]
	}
	return out
}
