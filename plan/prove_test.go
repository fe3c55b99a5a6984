package plan_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/prove"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// safe tries every subset of every stage, the slow way.
func safe(before, after *world, steps []worldStep, stages [][]int) bool {
	now := before.copy()
	for _, stage := range stages {
		for mask := range 1 << len(stage) {
			x := now.copy()
			for k, n := range stage {
				if mask>>k&1 == 1 {
					steps[n].do(x)
				}
			}
			if bound(now, after, x) != nil {
				return false
			}
		}
		for _, n := range stage {
			steps[n].do(now)
		}
	}
	return true
}

// spoil moves a step or two of a plan into other stages.
func spoil(r *rand.Rand, stages [][]int) [][]int {
	out := make([][]int, len(stages)+1)
	for i := range stages {
		out[i] = slices.Clone(stages[i])
	}
	for range 1 + r.IntN(2) {
		from, to := r.IntN(len(out)), r.IntN(len(out))
		if len(out[from]) == 0 || from == to {
			continue
		}
		k := r.IntN(len(out[from]))
		out[to] = append(out[to], out[from][k])
		out[from] = slices.Delete(out[from], k, k+1)
	}
	return slices.DeleteFunc(out, func(s []int) bool { return len(s) == 0 })
}

// TestProofIsEnumeration: a plan is proved exactly if every subset of every
// stage is in bounds. Good plans are, and spoilt ones are judged as the
// enumeration judges them: nothing is missed and there is no false alarm.
func TestProofIsEnumeration(t *testing.T) {
	n := runs(t)
	if testing.Short() {
		n = min(n, 2_000)
	}
	var proved, refused, unsafe int
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 21))
		c := draw(seed)
		before, after, steps, list := c.before, c.after, c.steps, c.list()
		from, to := []*access.State{before.state()}, []*access.State{after.state()}
		s, err := plan.Order(worldModel, from, to, list, []string{"one"}, plan.OrderOptions{})
		if err != nil || len(s.Stuck) > 0 || s.Relaxed || len(steps) == 0 {
			continue
		}
		for k, stages := range [][][]int{s.Stages, spoil(r, s.Stages), spoil(r, s.Stages)} {
			want := safe(before, after, steps, stages)
			if k == 0 && !want {
				t.Fatalf("seed %d: the planner's own order is unsafe", seed)
			}
			report, err := prove.Verify(plan.SaveOrder(worldModel, from, to, list, stages))
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if report.OK() != want {
				t.Fatalf("seed %d, plan %d: proved %v, want %v: %+v", seed, k, report.OK(), want, report)
			}
			switch {
			case !want:
				unsafe++
				if len(report.Violations) == 0 || report.Violations[0].Member == "" || report.Violations[0].Permission == "" {
					t.Fatalf("seed %d: refused without a witness: %+v", seed, report)
				}
			default:
				proved++
			}
			refused += len(report.Problems)
		}
	}
	t.Logf("%d plans proved, %d unsafe ones refused with a witness", proved, unsafe)
	if proved < n || unsafe < n/20 || refused > 0 {
		t.Errorf("%d proved and %d unsafe of %d changes: the test does not try enough", proved, unsafe, n)
	}
}

// TestProofOfASavedPlan: what is saved can be proved, and a file in which two
// steps were swapped by hand is refused, with who would have what and when.
func TestProofOfASavedPlan(t *testing.T) {
	live := org{off: []string{"cowork"}, members: map[string]string{"ann@acme.com": "user"}}
	p := build(t, covered+"feature \"cowork\" { enabled = true }\nmigration {\n wave \"one\" { members = everyone }\n}\nguard { max_members_losing_access = 9 }", live)
	b := saved(t, p)
	r, err := prove.Verify(b)
	if err != nil || !r.OK() || r.Stages < 3 || r.Tried == 0 {
		t.Fatalf("%v: %+v", err, r)
	}
	lines := strings.SplitAfter(string(b), "\n")
	find := func(id string) int {
		i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, `step {"id":"`+id) })
		if i < 0 {
			t.Fatalf("no step %s in\n%s", id, b)
		}
		return i
	}
	i, j := find("feature.cowork"), find(`member[\"ann@acme.com\"]`)
	lines[i], lines[j] = lines[j], lines[i]
	r, err = prove.Verify([]byte(strings.Join(lines, "")))
	if err != nil {
		t.Fatal(err)
	}
	if r.OK() || !r.Altered || len(r.Violations) != 1 {
		t.Fatalf("swapped steps are not refused: %+v", r)
	}
	v := r.Violations[0]
	if v.Member != "ann@acme.com" || v.Permission != "capability.cowork" || v.Had != "none" || v.Will != "none" || v.Gets != "allowed" || v.InForce[0] != "feature.cowork/on" {
		t.Errorf("%s", v)
	}
	if _, err := plan.Load([]byte(strings.Join(lines, ""))); err == nil {
		t.Error("and it can be loaded")
	}
}

// TestProofSeesWhatIsMissing: steps that are taken out, and values that do not
// fit, are found even when nobody's access is out of bounds.
func TestProofSeesWhatIsMissing(t *testing.T) {
	config, live := mixed()
	b := saved(t, build(t, config, live))
	if r, err := prove.Verify(b); err != nil || !r.OK() {
		t.Fatalf("%v: %+v", err, r)
	}
	contents := string(b[bytes.Index(b, []byte("\nplan "))+1:])
	tests := map[string]struct{ from, to, want string }{
		"a-step-less":   {"step {\"id\":\"member[\\\"bob@acme.com\\\"]/limit\"", "nothing {\"id\":\"", "in the end, the member setting of bob@acme.com"},
		"another-start": {`"from":"500","to":"700"`, `"from":"600","to":"700"`, "starts from another value"},
		"another-end":   {`"from":"500","to":"700"`, `"from":"500","to":"701"`, "in the end, the member setting of bob@acme.com"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(contents, tt.from) {
				t.Fatalf("there is no %s in\n%s", tt.from, contents)
			}
			r, err := prove.Verify(plan.Seal([]byte(strings.ReplaceAll(contents, tt.from, tt.to))))
			if err != nil {
				t.Fatal(err)
			}
			if r.OK() || !strings.Contains(strings.Join(r.Problems, "\n"), tt.want) {
				t.Errorf("%+v, want %q", r, tt.want)
			}
		})
	}
}

// TestProofOfWhatThePlanPromises: access that comes, goes and comes again is
// between before and after, and moves back. A plan that promises no more than
// the first is proved, and one that promises both is not; one that promises
// something unknown is not judged.
func TestProofOfWhatThePlanPromises(t *testing.T) {
	w := named(func(w *world) {
		set(w.in, ann, "group.p")
		set(w.has, "group.q", "role.a")
		w.row[[2]string{"role.a", permF}] = 1
	})
	list := []schema.Step{{ID: "attach", Moves: []access.Move{attach("group.p", "role.a")}},
		{ID: "leave", Moves: []access.Move{leave(ann, "group.p")}}, {ID: "join", Moves: []access.Move{join(ann, "group.q")}}}
	from, to := w.state(), w.state()
	for _, s := range list {
		b, err := worldModel.Bind(s.Moves[0])
		if err != nil {
			t.Fatal(err)
		}
		to.Apply(worldModel.Universe, b)
	}
	back, straight := [][]int{{0}, {1}, {2}}, [][]int{{0}, {2}, {1}}
	for name, tt := range map[string]struct {
		bound  string
		stages [][]int
		proved bool
	}{
		"moves-back":                 {"", back, false},
		"moves-back-and-says-so":     {"plan", back, true},
		"straight":                   {"", straight, true},
		"straight-and-promises-less": {"plan", straight, true},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := prove.Verify(plan.SaveOrderFor(tt.bound, worldModel, []*access.State{from}, []*access.State{to}, list, tt.stages))
			if err != nil || r.OK() != tt.proved || r.Weaker != (tt.bound != "") {
				t.Errorf("%v: %+v", err, r)
			}
		})
	}
	if _, err := prove.Verify(plan.SaveOrderFor("nothing", worldModel, []*access.State{from}, []*access.State{to}, list, back)); err == nil {
		t.Error("an unknown promise is proved")
	}

	// What is in force before and after must stay, also where less is promised.
	gap := []schema.Step{{ID: "leave", Moves: []access.Move{leave(ann, "group.p")}}, {ID: "join", Moves: []access.Move{join(ann, "group.q")}}}
	from.Attach(worldModel.Group("group.p"), worldModel.Source("role.a"))
	to.Attach(worldModel.Group("group.p"), worldModel.Source("role.a"))
	for _, bound := range []string{"", "plan"} {
		if r, err := prove.Verify(plan.SaveOrderFor(bound, worldModel, []*access.State{from}, []*access.State{to}, gap, [][]int{{0}, {1}})); err != nil || r.OK() {
			t.Errorf("%q: a gap is proved: %v", bound, err)
		}
	}

	// No wait is long enough for what somebody else brings into force: the
	// feature may come on before ann has accepted, and after.
	w = named(func(w *world) {
		w.standing[ann] = "user"
		w.ceiling[permF] = 0
	})
	from, to = w.state(), w.state()
	late := []schema.Step{{ID: "migrate", Settle: schema.Never, Moves: []access.Move{migrate(ann)}}, {ID: "feature", Moves: []access.Move{switchOn(permF)}}}
	for _, s := range late {
		b, err := worldModel.Bind(s.Moves[0])
		if err != nil {
			t.Fatal(err)
		}
		to.Apply(worldModel.Universe, b)
	}
	for settle, proved := range map[int]bool{0: true, schema.Never: false} {
		late[0].Settle = settle
		if r, err := prove.Verify(plan.SaveOrder(worldModel, []*access.State{from}, []*access.State{to}, late, [][]int{{0}, {1}})); err != nil || r.OK() != proved {
			t.Errorf("settle %d: %v %+v", settle, err, r)
		}
	}
}

func FuzzVerify(f *testing.F) {
	config, live := mixed()
	b := saved(f, build(f, config, live))
	f.Add(b[bytes.Index(b, []byte("\nplan "))+1:])
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := prove.Verify(plan.Seal(b)); err != nil && err.Error() == "" {
			t.Error("an error says nothing")
		}
	})
}
