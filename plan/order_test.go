package plan_test

import (
	"fmt"
	"maps"
	"math/bits"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// runs is how many random changes a property is tried on: 10,000, fewer with
// -short, or what ROLECALL_RUNS says for a longer search.
func runs(t *testing.T) int {
	if s := os.Getenv("ROLECALL_RUNS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return 2_000
	}
	return 10_000
}

// A change is a random organization, a random target, and the steps between.
type change struct {
	before, after *world
	steps         []worldStep
	shape         string
}

// draw draws a change of one of the shapes, some with several variables in one
// step. The same seed gives the same change.
func draw(seed int) change {
	r := rand.New(rand.NewPCG(uint64(seed), 7))
	names := slices.Sorted(maps.Keys(shapes))
	c := change{shape: names[seed%len(names)]}
	c.before = near(r, randomWorld(r, shapes[c.shape]), 0, shapes[c.shape])
	c.after = near(r, c.before, 2+r.IntN(8), shapes[c.shape])
	c.steps = stepsBetween(c.before, c.after)
	if r.IntN(3) == 0 {
		c.steps = saves(r, c.steps)
	}
	return c
}

func (c change) list() []schema.Step {
	list := make([]schema.Step, len(c.steps))
	for i := range c.steps {
		list[i] = c.steps[i].Step
	}
	return list
}

func (c change) order(t testing.TB, opts plan.OrderOptions) *plan.Schedule {
	t.Helper()
	s, err := plan.Order(worldModel, []*access.State{c.before.state()}, []*access.State{c.after.state()}, c.list(), []string{"one"}, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// eachSubset calls yield with every state that a stage can be in.
func (c change) eachSubset(now *world, stage []int, yield func(mask int, x *world)) {
	for mask := range 1 << len(stage) {
		x := now.copy()
		for k, n := range stage {
			if mask>>k&1 == 1 {
				c.steps[n].do(x)
			}
		}
		yield(mask, x)
	}
}

// unsafe returns the first state of any stage that is out of bounds, nil if
// there is none, and the number of states.
func (c change) unsafe(s *plan.Schedule) (states int, err error) {
	now := c.before.copy()
	for i, stage := range s.Stages {
		ref := now
		if s.Relaxed {
			ref = c.before
		}
		if len(stage) > 16 {
			return states, fmt.Errorf("a stage of %d steps cannot be enumerated: make the changes smaller", len(stage))
		}
		c.eachSubset(now, stage, func(mask int, x *world) {
			states++
			if e := bound(ref, c.after, x); e != nil && err == nil {
				err = fmt.Errorf("stage %d of %d, subset %b: %w", i+1, len(s.Stages), mask, e)
			}
		})
		for _, n := range stage {
			c.steps[n].do(now)
		}
	}
	return states, err
}

// TestEverySubsetIsSafe plans random changes of every system's shape and puts
// every subset of every stage in force.
func TestEverySubsetIsSafe(t *testing.T) {
	var states, stages int
	unordered, tried := map[string]int{}, map[string]int{}
	for seed := range runs(t) {
		c := draw(seed)
		s := c.order(t, plan.OrderOptions{})
		tried[c.shape]++
		if len(s.Stuck) > 0 {
			unordered[c.shape]++
			continue
		}
		n, err := c.unsafe(s)
		if err != nil {
			t.Fatalf("seed %d (%s): %v", seed, c.shape, err)
		}
		states += n
		stages += len(s.Stages)
		if seen := len(slices.Concat(s.Stages...)); seen != len(c.steps) {
			t.Fatalf("seed %d: %d of %d steps scheduled and nothing held", seed, seen, len(c.steps))
		}
	}
	t.Logf("%d changes, %d states, %d stages; without a safe order: %v of %v", runs(t), states, stages, unordered, tried)
	for name, n := range unordered {
		if n*10 > tried[name] {
			t.Errorf("%s: %d of %d changes have no order: the planner gives up too early", name, n, tried[name])
		}
	}
}

// orderExists searches all orders of single steps for one that keeps the
// bound and whatever else it has to, the slow way.
func orderExists(before, after *world, steps []worldStep, also ...func(now, next *world) bool) bool {
	dead := map[int]bool{}
	var search func(mask int, now *world) bool
	search = func(mask int, now *world) bool {
		if mask == 1<<len(steps)-1 {
			return true
		}
		if dead[mask] {
			return false
		}
		for i := range steps {
			if mask>>i&1 == 1 {
				continue
			}
			next := now.copy()
			steps[i].do(next)
			if slices.ContainsFunc(also, func(fits func(now, next *world) bool) bool { return !fits(now, next) }) {
				continue
			}
			if bound(now, after, next) == nil && search(mask|1<<i, next) {
				return true
			}
		}
		dead[mask] = true
		return false
	}
	return search(0, before)
}

// TestNoOrderMeansNone compares "no safe order" with exhaustive search, and
// every witness with the states that it speaks of: in each of them somebody is
// out of bounds, and with any step less that is not so.
func TestNoOrderMeansNone(t *testing.T) {
	var hopeless, missed, witnessed, searched int
	for seed := range runs(t) {
		c := draw(seed)
		s := c.order(t, plan.OrderOptions{})
		if len(s.Stuck) == 0 {
			continue
		}
		if orderExists(c.before, c.after, c.steps) {
			missed++
			t.Logf("seed %d (%s): an order exists for %d steps", seed, c.shape, len(c.steps))
			continue
		}
		hopeless++
		if s.Searched {
			searched++
		}
		if len(s.Witness) == 0 {
			continue
		}
		witnessed++
		var set []int
		for _, v := range s.Witness {
			set = append(set, v.Step)
		}
		if !c.certified(set) {
			t.Fatalf("seed %d: the witness %v does not hold", seed, set)
		}
		for i := range set {
			if less := slices.Delete(slices.Clone(set), i, i+1); len(less) > 1 && c.certified(less) {
				t.Fatalf("seed %d: the witness %v holds without its step %d", seed, set, i)
			}
		}
	}
	t.Logf("%d changes: %d have no order, %d with a witness, %d searched to the end, %d have one that was not found", runs(t), hopeless, witnessed, searched, missed)
	if missed > 0 {
		t.Errorf("%d orders missed", missed)
	}
	if hopeless > 20 && witnessed*100 < hopeless*75 {
		t.Errorf("%d of %d have a witness", witnessed, hopeless)
	}
}

// certified is the definition of a witness: for each of its steps there is a
// member and a permission out of bounds in every state in which the step is in
// force and no other of the witness is.
func (c change) certified(set []int) bool {
	var others []int
	for i := range c.steps {
		if !slices.Contains(set, i) {
			others = append(others, i)
		}
	}
	for _, s := range set {
		start := c.before.copy()
		c.steps[s].do(start)
		var wrong map[string]bool
		c.eachSubset(start, others, func(_ int, x *world) {
			out := outOfBounds(c.before, c.after, x)
			if wrong == nil {
				wrong = out
				return
			}
			maps.DeleteFunc(wrong, func(k string, _ bool) bool { return !out[k] })
		})
		if len(wrong) == 0 {
			return false
		}
	}
	return true
}

// outOfBounds returns every member and permission out of bounds.
func outOfBounds(now, end, x *world) map[string]bool {
	out := map[string]bool{}
	check := func(what string, a, b, l int64) {
		if l > max(a, b) {
			out[what+" over"] = true
		} else if l < min(a, b) {
			out[what+" gap"] = true
		}
	}
	for _, m := range worldMembers {
		for _, p := range worldPerms {
			check(m+" "+p, int64(now.level(m, p)), int64(end.level(m, p)), int64(x.level(m, p)))
		}
		check(m+" spend.monthly", now.limit(m), end.limit(m), x.limit(m))
		check(m+" plugin.k", now.install(m), end.install(m), x.install(m))
	}
	return out
}

// fewest returns the smallest number of stages there is, by search over all
// sets of steps; 0 if there is no order.
func (c change) fewest() int {
	n := len(c.steps)
	worlds := make([]*world, 1<<n)
	worlds[0] = c.before
	for mask := 1; mask < 1<<n; mask++ {
		low := bits.TrailingZeros(uint(mask))
		worlds[mask] = worlds[mask&(mask-1)].copy()
		c.steps[low].do(worlds[mask])
	}
	ok := func(from, stage int) bool {
		for sub := stage; ; sub = (sub - 1) & stage {
			if bound(worlds[from], c.after, worlds[from|sub]) != nil {
				return false
			}
			if sub == 0 {
				return true
			}
		}
	}
	all := 1<<n - 1
	steps := map[int]int{0: 0}
	for queue := []int{0}; len(queue) > 0; queue = queue[1:] {
		from := queue[0]
		if from == all {
			return steps[from]
		}
		rest := all &^ from
		for stage := rest; stage > 0; stage = (stage - 1) & rest {
			if _, seen := steps[from|stage]; !seen && ok(from, stage) {
				steps[from|stage] = steps[from] + 1
				queue = append(queue, from|stage)
			}
		}
	}
	return 0
}

// TestFewestStages compares the number of stages with the smallest there is,
// for changes of at most eight steps.
func TestFewestStages(t *testing.T) {
	histogram := map[[2]int]int{}
	compared, over, worse := 0, 0, 0
	for seed := 0; compared < runs(t); seed++ {
		c := draw(seed)
		if len(c.steps) > 8 || len(c.steps) == 0 {
			continue
		}
		compared++
		s := c.order(t, plan.OrderOptions{})
		best := 1
		if len(s.Stages) != 1 { // nothing is less than one
			best = c.fewest()
		}
		if len(s.Stuck) > 0 || s.Relaxed {
			continue
		}
		histogram[[2]int{best, len(s.Stages) - best}]++
		if len(s.Stages) > best {
			over++
		}
		if len(s.Stages) > best+1 {
			worse++
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(histogram), func(a, b [2]int) int { return slices.Compare(a[:], b[:]) }) {
		t.Logf("fewest %d, planned %d: %d changes", k[0], k[0]+k[1], histogram[k])
	}
	if worse*100 > compared || over*100 > compared {
		t.Errorf("%d of %d changes take more stages than they could, %d of them more than one", over, compared, worse)
	}
}

// TestEverySuffixIsPlannedAgain plans what is left after each stage, as a run
// does that was killed.
func TestEverySuffixIsPlannedAgain(t *testing.T) {
	for seed := range runs(t) / 4 {
		c := draw(seed)
		s := c.order(t, plan.OrderOptions{})
		if len(s.Stuck) > 0 || s.Relaxed {
			continue
		}
		now, done := c.before.copy(), map[int]bool{}
		for _, stage := range s.Stages {
			for _, n := range stage {
				c.steps[n].do(now)
				done[n] = true
			}
			rest := change{before: now.copy(), after: c.after}
			for i := range c.steps {
				if !done[i] {
					rest.steps = append(rest.steps, c.steps[i])
				}
			}
			again := rest.order(t, plan.OrderOptions{})
			if len(again.Stuck) > 0 {
				t.Fatalf("seed %d: no order after a stage of the plan", seed)
			}
			if _, err := rest.unsafe(again); err != nil {
				t.Fatalf("seed %d: after a stage: %v", seed, err)
			}
		}
	}
}

// TestWaitsAreLongEnough lets every step be as late as it can be and looks at
// every state: nobody is out of the bound of the whole plan, although the next
// stage does not wait for everything.
func TestWaitsAreLongEnough(t *testing.T) {
	var boundaries, short, partners, before int
	for seed := range runs(t) {
		c := draw(seed)
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		for i := range c.steps {
			c.steps[i].Settle = []int{0, 60, 900}[r.IntN(3)]
		}
		s := c.order(t, plan.OrderOptions{})
		if len(s.Stuck) > 0 {
			continue
		}
		if len(s.Boundaries) != max(len(s.Stages)-1, 0) {
			t.Fatalf("seed %d: %d boundaries between %d stages", seed, len(s.Boundaries), len(s.Stages))
		}
		late, err := c.lateness(s)
		if err != nil {
			t.Fatalf("seed %d (%s): %v", seed, c.shape, err)
		}
		for i, b := range s.Boundaries {
			boundaries++
			partners, before = partners+len(b.Partners), before+len(s.Stages[i])
			if b.Seconds > 0 && !b.Over && !b.Gap {
				t.Fatalf("seed %d: a wait of %d seconds protects from nothing", seed, b.Seconds)
			}
		}
		short += late
	}
	t.Logf("%d boundaries, %d steps still on their way beyond one; %d of %d steps are waited for", boundaries, short, partners, before)
	if short == 0 {
		t.Error("every boundary waits for everything")
	}
}

// lateness puts every subset of what is not yet in force, as far as the waits
// go, together with the next stage, and counts the late steps.
func (c change) lateness(s *plan.Schedule) (late int, err error) {
	at := make([]int, len(s.Stages)) // when each stage is carried out
	for i := range s.Boundaries {
		at[i+1] = at[i] + s.Boundaries[i].Seconds
	}
	for i, stage := range s.Stages {
		now, moving := c.before.copy(), slices.Clone(stage)
		for j := range i {
			for _, n := range s.Stages[j] {
				if at[j]+c.steps[n].Settle <= at[i] {
					c.steps[n].do(now)
				} else {
					moving = append(moving, n)
					late++
				}
			}
		}
		c.eachSubset(now, moving, func(mask int, x *world) {
			if e := bound(c.before, c.after, x); e != nil && err == nil {
				err = fmt.Errorf("stage %d, subset %b of %v: %w", i+1, mask, moving, e)
			}
		})
	}
	return late, err
}

// TestDoubtIsTrue has some steps that no read shows, and leaves the one out of
// which a boundary says what it would do: somebody is then out of the bound in
// just that, in some state that the plan can come to.
func TestDoubtIsTrue(t *testing.T) {
	doubts, joining := 0, 0
	for seed := range runs(t) {
		c := draw(seed)
		r := rand.New(rand.NewPCG(uint64(seed), 17))
		for i := range c.steps {
			c.steps[i].Settle = []int{0, 60, 900}[r.IntN(3)]
			c.steps[i].Proof = []schema.Proof{schema.Exact, schema.Deferred}[r.IntN(2)]
		}
		var open []string // that people can enter
		for _, g := range worldGroups {
			if r.IntN(2) == 0 {
				open = append(open, g)
			}
		}
		s := c.order(t, plan.OrderOptions{Open: open})
		if len(s.Stuck) > 0 {
			continue
		}
		for i, b := range s.Boundaries {
			if (b.Doubt == nil) != (len(b.Unproven) == 0) {
				t.Fatalf("seed %d: boundary %d has the doubt %+v of %v", seed, i+1, b.Doubt, b.Unproven)
			}
			if b.Doubt == nil {
				continue
			}
			doubts++
			if b.Doubt.Member < 0 {
				joining++
			}
			if !slices.Contains(b.Unproven, b.Doubt.Step) {
				t.Fatalf("seed %d: boundary %d doubts %d, which is none of %v", seed, i+1, b.Doubt.Step, b.Unproven)
			}
			moving := slices.DeleteFunc(slices.Concat(s.Stages[:i+2]...), func(n int) bool { return n == b.Doubt.Step })
			shown := false
			c.eachSubset(c.before, moving, func(_ int, x *world) {
				shown = shown || c.outside(x, *b.Doubt)
			})
			if !shown {
				t.Fatalf("seed %d (%s): without step %d nobody has what boundary %d says: %+v", seed, c.shape, b.Doubt.Step, i+1, *b.Doubt)
			}
		}
	}
	t.Logf("%d doubts, %d of them of whoever joins", doubts, joining)
	if doubts == joining || joining == 0 {
		t.Error("nothing is ever in doubt")
	}
}

// outside reports whether a state has what a violation says.
func (c change) outside(x *world, v plan.Violation) bool {
	if v.Member < 0 {
		return v.Over && slices.ContainsFunc(joiners(shapes[c.shape]), func(j joiner) bool {
			return slices.Equal(names(v.Groups), j.groups) && slices.Contains(tooMuch(joe, j.in(c.before), j.in(c.after), j.in(x)), v.Permission)
		})
	}
	value := func(w *world, member string) int64 {
		switch v.Permission {
		case worldModel.Settings[0].Key:
			return w.limit(member)
		case worldModel.Settings[1].Key:
			return w.install(member)
		}
		return int64(w.level(member, v.Permission))
	}
	member := worldMembers[v.Member]
	before, after, is := value(c.before, member), value(c.after, member), value(x, member)
	if v.Over {
		return is > max(before, after)
	}
	return is < min(before, after)
}

// TestAcceptedGapsAreListed goes on where there is no safe order: nobody ever
// has too much of a permission, and whoever has too little is listed for the
// stage.
func TestAcceptedGapsAreListed(t *testing.T) {
	plans, listed := 0, 0
	for seed := range runs(t) {
		c := draw(seed)
		if s := c.order(t, plan.OrderOptions{}); len(s.Stuck) == 0 {
			continue
		}
		s := c.order(t, plan.OrderOptions{AcceptGaps: true})
		if seen := len(slices.Concat(s.Stages...)); seen != len(c.steps) {
			if c.split() && !shapes[c.shape].has("list") { // leaving a group may widen where lists narrow
				t.Fatalf("seed %d (%s): %d of %d steps scheduled with gaps accepted", seed, c.shape, seen, len(c.steps))
			}
			continue
		}
		plans++
		gaps := map[string]bool{}
		for _, g := range s.Gaps {
			for i := g.From; i <= g.To; i++ {
				for _, m := range g.Members {
					way := "gap"
					if g.Over {
						way = "over"
						if g.Permission != "spend.monthly" && g.Permission != "plugin.k" {
							t.Fatalf("seed %d: somebody has too much of %s", seed, g.Permission)
						}
					}
					gaps[fmt.Sprint(i, " ", worldModel.Members[m], " ", g.Permission, " ", way)] = true
				}
			}
		}
		listed += len(gaps)
		now := c.before.copy()
		seen := map[string]bool{}
		for i, stage := range s.Stages {
			c.eachSubset(now, stage, func(_ int, x *world) {
				for k := range outOfBounds(c.before, c.after, x) {
					seen[fmt.Sprint(i, " ", k)] = true
				}
			})
			for _, n := range stage {
				c.steps[n].do(now)
			}
		}
		if diff := cmp.Diff(seen, gaps); diff != "" {
			t.Fatalf("seed %d (%s): gaps (-seen +listed):\n%s", seed, c.shape, diff)
		}
	}
	t.Logf("%d plans with %d gaps", plans, listed)
}

// split reports whether no step does two things at once.
func (c change) split() bool {
	return !slices.ContainsFunc(c.steps, func(s worldStep) bool { return len(s.Moves) > 1 })
}

// TestNarrowOnlyTakesAway carries out a part of each change and looks that
// nobody gets anything by it.
func TestNarrowOnlyTakesAway(t *testing.T) {
	done, kept := 0, 0
	for seed := range runs(t) / 2 {
		c := draw(seed)
		s := c.order(t, plan.OrderOptions{NarrowOnly: true})
		if _, err := c.unsafe(s); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		now := c.before.copy()
		for _, stage := range s.Stages {
			for _, n := range stage {
				c.steps[n].do(now)
				done++
			}
		}
		for _, m := range worldMembers {
			for _, p := range worldPerms {
				if now.level(m, p) > c.before.level(m, p) {
					t.Fatalf("seed %d (%s): %s gets %s", seed, c.shape, m, p)
				}
			}
		}
		kept += len(s.Held)
		if len(s.Held)+len(slices.Concat(s.Stages...))+len(s.Stuck) != len(c.steps) {
			t.Fatalf("seed %d: %d held and %d scheduled of %d", seed, len(s.Held), len(slices.Concat(s.Stages...)), len(c.steps))
		}
	}
	if done == 0 || kept == 0 {
		t.Errorf("%d steps carried out, %d held", done, kept)
	}
}

// TestHeldStepsNeverEnterAStage holds some steps of each change; what is
// carried out is safe with regard to everything that is asked for.
func TestHeldStepsNeverEnterAStage(t *testing.T) {
	for seed := range runs(t) / 2 {
		c := draw(seed)
		r := rand.New(rand.NewPCG(uint64(seed), 13))
		for i := range c.steps {
			if r.IntN(3) == 0 {
				c.steps[i].Held = "waits"
			}
		}
		s := c.order(t, plan.OrderOptions{})
		for _, n := range slices.Concat(s.Stages...) {
			if c.steps[n].Held != "" {
				t.Fatalf("seed %d: a held step is carried out", seed)
			}
		}
		if _, err := c.unsafe(s); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// TestSameInputSameOrder plans each change twice.
func TestSameInputSameOrder(t *testing.T) {
	for seed := range runs(t) / 10 {
		c := draw(seed)
		for _, o := range []plan.OrderOptions{{}, {AcceptGaps: true}} {
			if diff := cmp.Diff(c.order(t, o), c.order(t, o)); diff != "" {
				t.Fatalf("seed %d:\n%s", seed, diff)
			}
		}
	}
}
