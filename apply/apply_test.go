package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/apply"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// A service is an organization in memory: a reader, an editor and a console.
type service struct {
	mu      sync.Mutex
	objects map[schema.Address]*schema.Object
	sent    []string // steps, in the order they arrived
	driven  []string

	// trouble is asked before a step takes effect; what it returns becomes the
	// answer, and false means that the step takes no effect.
	trouble func(step schema.Step, nth int) (bool, error)

	reads   int
	stale   int // so many reads go on showing what was
	old     map[schema.Address]*schema.Object
	onRead  func(n int)       // before the read numbered n, from 1
	readErr func(n int) error // of the read numbered n
}

func newService(objects ...*schema.Object) *service {
	s := &service{objects: map[schema.Address]*schema.Object{}}
	for _, o := range objects {
		s.objects[o.Addr] = o
	}
	return s
}

func (s *service) Read(context.Context) (*schema.State, error) { return nil, errors.New("not here") }
func (s *service) Remember([]*schema.Object)                   {}
func (s *service) Requests() int                               { return 0 }

func (s *service) ReadAgain(_ context.Context, objects []*schema.Object) ([]*schema.Object, error) {
	s.mu.Lock()
	s.reads++
	n := s.reads
	onRead := s.onRead
	s.mu.Unlock()
	if onRead != nil {
		onRead(n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readErr != nil {
		if err := s.readErr(n); err != nil {
			return nil, err
		}
	}
	from := s.objects
	if s.stale > 0 && s.old != nil {
		s.stale--
		from = s.old
	}
	list := make([]*schema.Object, len(objects))
	for i, o := range objects {
		if have, ok := from[o.Addr]; ok {
			list[i] = have.Clone()
		}
	}
	return list, nil
}

func (s *service) Do(ctx context.Context, step schema.Step) (providers.Done, error) {
	s.mu.Lock()
	s.sent = append(s.sent, step.ID)
	nth := 0
	for _, id := range s.sent {
		if id == step.ID {
			nth++
		}
	}
	trouble := s.trouble
	s.mu.Unlock()
	effect, err := true, error(nil)
	if trouble != nil {
		effect, err = trouble(step, nth)
	}
	if ctx.Err() != nil { // a request that is cut off
		effect, err = false, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if effect {
		s.make(step)
	}
	return providers.Done{RequestID: "req_" + step.ID}, err
}

// make puts the effects of a step in force; the lock is held.
func (s *service) make(step schema.Step) {
	if s.old == nil {
		s.old = map[schema.Address]*schema.Object{}
		for a, o := range s.objects {
			s.old[a] = o
		}
	}
	for _, e := range step.Effects {
		o := e.Make(s.objects[e.Addr])
		if o == nil {
			delete(s.objects, e.Addr)
			continue
		}
		if o.ID == "" { // what the service makes has every attribute
			o.ID = "made_" + string(e.Addr)
			o.Put("members", schema.Set())
			o.Put("roles", schema.Set())
		}
		s.objects[e.Addr] = o
	}
}

// console gives a service the power to do console steps.
type console struct{ *service }

func (c console) Drive(_ context.Context, step schema.Step) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.driven = append(c.driven, step.ID)
	c.make(step)
	return nil
}

func group(name string, members ...string) *schema.Object {
	o := &schema.Object{Type: "group", Addr: schema.MakeAddress("group", name, ""), ID: "id_" + name, Key: name}
	o.Put("name", schema.Text(name))
	o.Put("members", schema.Set(members...))
	o.Put("roles", schema.Set())
	return o
}

func member(email string) *schema.Object {
	return &schema.Object{Type: "member", Addr: schema.MakeAddress("member", email, ""), ID: "id_" + email, Key: email, Attrs: map[string]schema.Value{"organization_role": schema.Text("user")}}
}

func join(g, email string) schema.Step {
	a := schema.MakeAddress("group", g, "")
	return schema.Step{ID: string(a) + "/join/" + email, Addr: a, Via: schema.ByAPI, Phase: "members", Proof: schema.Exact,
		Effects: []schema.Effect{{Addr: a, Attr: "members", Op: schema.Include, Item: email}}}
}

func create(g string) schema.Step {
	a := schema.MakeAddress("group", g, "")
	return schema.Step{ID: string(a) + "/create", Addr: a, Via: schema.ByAPI, Phase: "groups", Proof: schema.Exact,
		Effects: []schema.Effect{{Addr: a, Op: schema.Put, Value: schema.Text(g)}}}
}

func attach(g, role string) schema.Step {
	a := schema.MakeAddress("group", g, "")
	return schema.Step{ID: string(a) + "/attach/" + role, Addr: a, Via: schema.ByConsole, Phase: "groups", Proof: schema.Exact,
		Effects: []schema.Effect{{Addr: a, Attr: "roles", Op: schema.Include, Item: role}}}
}

// planOf makes a plan of stages for what the service holds now. Its desired
// state has every object that a step creates.
func planOf(s *service, settle int, stages ...[]schema.Step) *plan.Plan {
	p := &plan.Plan{Live: schema.NewState(), Desired: schema.NewState(), Steps: map[string]*schema.Step{}}
	for _, o := range s.objects {
		p.Live.Add(o.Clone())
		p.Desired.Add(o.Clone())
	}
	for i, steps := range stages {
		st := plan.Stage{Phase: steps[0].Phase}
		if i < len(stages)-1 {
			st.SettleSeconds = settle
		}
		for _, step := range steps {
			p.Steps[step.ID] = &step
			st.Steps = append(st.Steps, plan.StepView{ID: step.ID, Via: step.Via})
			for _, e := range step.Effects {
				o := e.Make(p.Desired.Objects[e.Addr])
				if o == nil {
					delete(p.Desired.Objects, e.Addr)
					continue
				}
				p.Desired.Add(o)
			}
		}
		p.Stages = append(p.Stages, st)
	}
	return p
}

// A watch waits without waiting.
type watch struct {
	mu     sync.Mutex
	slept  []time.Duration
	before func(n int) // before the wait numbered n, from 1
}

func (w *watch) Sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	w.slept = append(w.slept, d)
	n := len(w.slept)
	w.mu.Unlock()
	if w.before != nil {
		w.before(n)
	}
	return ctx.Err()
}

func (w *watch) total() (sum time.Duration) {
	for _, d := range w.slept {
		sum += d
	}
	return sum
}

// carry runs a plan on a service.
func carry(ctx context.Context, s *service, p *plan.Plan, change ...func(*apply.Options)) (apply.Result, error) {
	w := &watch{}
	o := apply.Options{Plan: p, Reader: s, Editor: console{s}, Console: apply.Auto, Sleep: w.Sleep}
	for _, c := range change {
		c(&o)
	}
	return apply.Run(ctx, o)
}

// partial checks how far an apply came before it stopped.
func partial(t *testing.T, err error, is error, done, total int, step string) {
	t.Helper()
	var p *apply.PartialError
	if !errors.As(err, &p) {
		t.Fatalf("error %v, want a partial one", err)
	}
	if !errors.Is(err, is) {
		t.Errorf("error %v, want %v", err, is)
	}
	if p.Done != done || p.Total != total || p.Step != step {
		t.Errorf("stopped at %q after %d of %d, want %q, %d of %d (%v)", p.Step, p.Done, p.Total, step, done, total, err)
	}
}

func TestCarriesOutInOrder(t *testing.T) {
	s := newService(group("old", "ann@x.io"), member("ann@x.io"), member("bob@x.io"))
	p := planOf(s, 90, []schema.Step{create("new")}, []schema.Step{join("new", "ann@x.io"), join("new", "bob@x.io")}, []schema.Step{attach("new", "role.r")})
	p.Stages = append(p.Stages, plan.Stage{Held: true, Steps: []plan.StepView{{ID: "never"}}})
	var events []string
	w := &watch{}
	r, err := carry(t.Context(), s, p, func(o *apply.Options) {
		o.Sleep = w.Sleep
		o.Observe = func(e apply.Event) {
			if e.Kind == apply.StepDone || e.Kind == apply.Settling {
				events = append(events, fmt.Sprintf("%d/%d %d of %d, %d s", e.Stage, e.Stages, e.Done, e.Total, e.Seconds))
			}
		}
	})
	if err != nil || r.Done != 4 || r.Total != 4 {
		t.Fatalf("%+v, %v", r, err)
	}
	slices.Sort(s.sent[1:])
	if diff := cmp.Diff([]string{"group.new/create", "group.new/join/ann@x.io", "group.new/join/bob@x.io"}, s.sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"group.new/attach/role.r"}, s.driven); diff != "" {
		t.Errorf("driven (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Duration{90 * time.Second, 90 * time.Second}, w.slept); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	want := []string{"0/3 1 of 4, 0 s", "0/3 1 of 4, 90 s", "1/3 2 of 4, 0 s", "1/3 3 of 4, 0 s", "1/3 3 of 4, 90 s", "2/3 4 of 4, 0 s"}
	slices.Sort(events)
	slices.Sort(want)
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestLostAnswer never sends a second time what took effect.
func TestLostAnswer(t *testing.T) {
	lost := fmt.Errorf("connection reset: %w", providers.ErrUnclear)
	tests := map[string]struct {
		trouble func(schema.Step, int) (bool, error)
		sent    int
		err     error
	}{
		"took-effect":    {func(_ schema.Step, n int) (bool, error) { return true, lost }, 1, nil},
		"took-no-effect": {func(_ schema.Step, n int) (bool, error) { return n > 1, map[bool]error{true: lost}[n == 1] }, 2, nil},
		"lost-twice":     {func(_ schema.Step, n int) (bool, error) { return false, lost }, 2, providers.ErrUnclear},
		"refused":        {func(schema.Step, int) (bool, error) { return false, providers.ErrDenied }, 1, providers.ErrDenied},
		"second-try-is-refused": {func(_ schema.Step, n int) (bool, error) {
			if n == 1 {
				return false, lost
			}
			return false, providers.ErrDenied
		}, 2, providers.ErrDenied},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newService(group("g"))
			s.trouble = tt.trouble
			r, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{create("new")}))
			if len(s.sent) != tt.sent {
				t.Errorf("sent %d times, want %d", len(s.sent), tt.sent)
			}
			if tt.err != nil {
				partial(t, err, tt.err, 0, 1, "group.new/create")
				return
			}
			if err != nil || r.Done != 1 {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	t.Run("look-fails-too", func(t *testing.T) {
		s := newService(group("g"))
		down := errors.New("service is down")
		s.trouble = func(schema.Step, int) (bool, error) { return false, lost }
		s.readErr = func(n int) error { return map[bool]error{true: down}[n == 2] }
		_, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{create("new")}))
		partial(t, err, down, 0, 1, "group.new/create")
		partial(t, err, providers.ErrUnclear, 0, 1, "group.new/create")
		if len(s.sent) != 1 {
			t.Errorf("sent %d times, want 1: nobody knows what the first did", len(s.sent))
		}
	})
}

// TestErrorAmongMany lets what is under way finish, and begins nothing new.
func TestErrorAmongMany(t *testing.T) {
	s := newService(group("g"))
	var steps []schema.Step
	for i := range 40 {
		steps = append(steps, join("g", fmt.Sprintf("m%02d@x.io", i)))
	}
	boom := errors.New("boom")
	var under sync.WaitGroup
	under.Add(8) // as many as are under way at once
	s.trouble = func(step schema.Step, _ int) (bool, error) {
		under.Done()
		under.Wait()
		if step.ID == "group.g/join/m03@x.io" {
			return false, boom
		}
		return true, nil
	}
	_, err := carry(t.Context(), s, planOf(s, 0, steps[:8], steps[8:]))
	partial(t, err, boom, 7, 40, "group.g/join/m03@x.io")
	if len(s.sent) != 8 {
		t.Errorf("%d requests, want 8", len(s.sent))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.objects["group.g"].Get("members").AsSet()); n != 7 {
		t.Errorf("%d joined, want 7", n)
	}
}

func TestErrorBeginsNothingNewInItsStage(t *testing.T) {
	s := newService(group("g"))
	var steps []schema.Step
	for i := range 400 {
		steps = append(steps, join("g", fmt.Sprintf("m%03d@x.io", i)))
	}
	boom := errors.New("boom")
	s.trouble = func(schema.Step, int) (bool, error) { return false, boom }
	_, err := carry(t.Context(), s, planOf(s, 0, steps))
	if !errors.Is(err, boom) || len(s.sent) > 24 { // those under way, and a few that began meanwhile
		t.Errorf("%d requests after the first error, %v", len(s.sent), err)
	}
}

func TestPanicOfAnEditorIsAnError(t *testing.T) {
	s := newService(group("g"))
	s.trouble = func(step schema.Step, _ int) (bool, error) { panic("out of range") }
	_, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{create("new")}))
	var p *apply.PartialError
	if !errors.As(err, &p) || p.Step != "group.new/create" || !strings.Contains(err.Error(), "out of range") {
		t.Errorf("error %v", err)
	}
}

// TestStale stops before it writes on top of somebody else's change.
func TestStale(t *testing.T) {
	tests := map[string]struct {
		change func(*service)
		want   string
	}{
		"member-joined": {func(s *service) { s.objects["group.g"] = group("g", "ann@x.io", "zoe@x.io") }, "members of group.g changed (+zoe@x.io)"},
		"member-left":   {func(s *service) { s.objects["group.g"] = group("g") }, "members of group.g changed (-ann@x.io)"},
		"gone":          {func(s *service) { delete(s.objects, "group.g") }, "group.g is not there any more"},
		"there-already": {func(s *service) { s.objects["group.new"] = group("new") }, "group.new is there already"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newService(group("g", "ann@x.io"))
			p := planOf(s, 0, []schema.Step{create("new"), join("g", "bob@x.io")})
			tt.change(s)
			_, err := carry(t.Context(), s, p)
			partial(t, err, apply.ErrStale, 0, 2, "group.new/create")
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
			if len(s.sent) > 0 {
				t.Errorf("sent %v", s.sent)
			}
		})
	}
	t.Run("before-the-second-stage", func(t *testing.T) {
		s := newService(group("g"), group("h"))
		p := planOf(s, 0, []schema.Step{join("g", "ann@x.io")}, []schema.Step{join("h", "ann@x.io")})
		s.onRead = func(n int) {
			if n == 3 { // first stage: look, prove
				s.mu.Lock()
				s.objects["group.h"] = group("h", "zoe@x.io")
				s.mu.Unlock()
			}
		}
		_, err := carry(t.Context(), s, p)
		partial(t, err, apply.ErrStale, 1, 2, "group.h/join/ann@x.io")
	})
	t.Run("own-changes-are-not-stale", func(t *testing.T) {
		s := newService(group("g"))
		p := planOf(s, 0, []schema.Step{join("g", "ann@x.io")}, []schema.Step{join("g", "bob@x.io")})
		if _, err := carry(t.Context(), s, p); err != nil {
			t.Error(err)
		}
	})
	t.Run("whoever-joins-would-get-another-role", func(t *testing.T) {
		s := newService(group("g"))
		p := planOf(s, 0, []schema.Step{join("g", "ann@x.io")})
		changed := group("g")
		changed.Put("roles", schema.Set("role.z"))
		s.objects["group.g"] = changed
		_, err := carry(t.Context(), s, p)
		partial(t, err, apply.ErrStale, 0, 1, "group.g/join/ann@x.io")
		if len(s.sent) > 0 {
			t.Errorf("sent %v", s.sent)
		}
	})
	t.Run("words-are-not-looked-at", func(t *testing.T) {
		s := newService(group("g"))
		p := planOf(s, 0, []schema.Step{join("g", "ann@x.io")})
		changed := group("g")
		changed.Put("description", schema.Text("another one"))
		s.objects["group.g"] = changed
		if _, err := carry(t.Context(), s, p); err != nil {
			t.Error(err)
		}
	})
}

// TestReadsLag allows reads to show what was for a while, and no longer.
func TestReadsLag(t *testing.T) {
	run := func(stale int) (*watch, error) {
		s := newService(group("g"))
		p := planOf(s, 0, []schema.Step{join("g", "ann@x.io")})
		s.old = map[schema.Address]*schema.Object{"group.g": group("g")}
		s.stale = stale
		w := &watch{}
		_, err := carry(t.Context(), s, p, func(o *apply.Options) { o.Sleep = w.Sleep; o.Lag = time.Minute })
		return w, err
	}
	if w, err := run(4); err != nil || len(w.slept) != 3 { // the look before the stage is one of the four
		t.Errorf("%v after waits of %v", err, w.slept)
	}
	w, err := run(1 << 20)
	partial(t, err, apply.ErrNotShown, 1, 1, "group.g/join/ann@x.io")
	if sum := w.total(); sum < time.Minute || sum > 2*time.Minute {
		t.Errorf("gave up after %s, want about a minute", sum)
	}
}

func TestConsole(t *testing.T) {
	stages := func(s *service) *plan.Plan {
		return planOf(s, 0, []schema.Step{create("new"), attach("new", "role.r"), attach("g", "role.r")}, []schema.Step{join("new", "ann@x.io")})
	}
	t.Run("stop", func(t *testing.T) {
		s := newService(group("g"))
		r, err := carry(t.Context(), s, stages(s), func(o *apply.Options) { o.Console = apply.Stop })
		partial(t, err, apply.ErrConsole, 1, 4, "group.new/attach/role.r")
		if len(r.Waiting) != 2 || len(s.driven) > 0 || len(s.sent) != 1 {
			t.Errorf("%d steps wait, %d driven, %d sent", len(r.Waiting), len(s.driven), len(s.sent))
		}
	})
	t.Run("auto", func(t *testing.T) {
		s := newService(group("g"))
		if r, err := carry(t.Context(), s, stages(s)); err != nil || r.Done != 4 || len(s.driven) != 2 {
			t.Errorf("%+v, %v, driven %v", r, err, s.driven)
		}
	})
	t.Run("auto-on-the-real-thing", func(t *testing.T) {
		s := newService(group("g"))
		_, err := carry(t.Context(), s, stages(s), func(o *apply.Options) { o.Editor = s })
		var p *apply.PartialError
		if !errors.As(err, &p) || p.Done != 1 || !strings.Contains(err.Error(), "--console wait or stop") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("wait", func(t *testing.T) {
		s := newService(group("g"))
		p := stages(s)
		var shown []string
		w := &watch{before: func(n int) { // a person does one after the other
			for i, id := range []string{"group.g/attach/role.r", "group.new/attach/role.r"} {
				if n == i+2 {
					_ = console{s}.Drive(t.Context(), *p.Steps[id])
				}
			}
		}}
		r, err := carry(t.Context(), s, p, func(o *apply.Options) {
			o.Console, o.Sleep, o.Poll = apply.Wait, w.Sleep, 7*time.Second
			o.Observe = func(e apply.Event) {
				if e.Kind == apply.ConsoleStep || e.Kind == apply.StepDone {
					shown = append(shown, fmt.Sprintf("%d %s", e.Kind, e.Step.ID))
				}
			}
		})
		if err != nil || r.Done != 4 || len(r.Waiting) > 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		if diff := cmp.Diff([]time.Duration{7 * time.Second, 7 * time.Second, 7 * time.Second}, w.slept); diff != "" {
			t.Errorf("waits (-want +got):\n%s", diff)
		}
		want := []string{"2 group.new/create", "3 group.new/attach/role.r", "3 group.g/attach/role.r", "2 group.g/attach/role.r", "2 group.new/attach/role.r", "2 group.new/join/ann@x.io"}
		if diff := cmp.Diff(want, shown); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
	t.Run("wait-is-interrupted", func(t *testing.T) {
		s := newService(group("g"))
		ctx, cancel := context.WithCancel(t.Context())
		w := &watch{before: func(int) { cancel() }}
		r, err := carry(ctx, s, stages(s), func(o *apply.Options) { o.Console, o.Sleep = apply.Wait, w.Sleep })
		partial(t, err, context.Canceled, 1, 4, "group.new/attach/role.r")
		if len(r.Waiting) != 2 {
			t.Errorf("%d steps wait, want 2", len(r.Waiting))
		}
	})
}

func TestCanceled(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		s := newService(group("g"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := carry(ctx, s, planOf(s, 0, []schema.Step{join("g", "ann@x.io")}))
		partial(t, err, context.Canceled, 0, 1, "")
		if s.reads+len(s.sent) > 0 {
			t.Errorf("%d reads, %d writes", s.reads, len(s.sent))
		}
	})
	t.Run("during", func(t *testing.T) { // what is under way is finished and counted
		s := newService(group("g"))
		ctx, cancel := context.WithCancel(t.Context())
		var steps []schema.Step
		for i := range 100 {
			steps = append(steps, join("g", fmt.Sprintf("m%03d@x.io", i)))
		}
		s.trouble = func(step schema.Step, _ int) (bool, error) { cancel(); return true, nil }
		_, err := carry(ctx, s, planOf(s, 0, steps))
		partial(t, err, context.Canceled, len(s.sent), 100, "")
		if n := len(s.sent); n == 0 || n > 24 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("while-settling", func(t *testing.T) {
		s := newService(group("g"), group("h"))
		ctx, cancel := context.WithCancel(t.Context())
		w := &watch{before: func(int) { cancel() }}
		_, err := carry(ctx, s, planOf(s, 900, []schema.Step{join("g", "ann@x.io")}, []schema.Step{join("h", "ann@x.io")}), func(o *apply.Options) { o.Sleep = w.Sleep })
		partial(t, err, context.Canceled, 1, 2, "")
		if len(s.sent) != 1 || w.total() != 15*time.Minute {
			t.Errorf("%d requests, waited %s", len(s.sent), w.total())
		}
	})
}

// TestSecondRunGoesOn stops in the middle, plans again and goes on.
func TestSecondRunGoesOn(t *testing.T) {
	s := newService(group("g"))
	boom := errors.New("boom")
	s.trouble = func(step schema.Step, _ int) (bool, error) {
		if step.ID == "group.g/join/m5@x.io" {
			return false, boom
		}
		return true, nil
	}
	all := []schema.Step{}
	for i := range 10 {
		all = append(all, join("g", fmt.Sprintf("m%d@x.io", i)))
	}
	stages := func(steps []schema.Step) (list [][]schema.Step) {
		for _, step := range steps {
			list = append(list, []schema.Step{step})
		}
		return list
	}
	_, err := carry(t.Context(), s, planOf(s, 0, stages(all)...))
	partial(t, err, boom, 5, 10, "group.g/join/m5@x.io")
	s.trouble = nil
	var left []schema.Step
	for _, step := range all {
		if !step.Effects[0].Shown(s.objects["group.g"]) {
			left = append(left, step)
		}
	}
	r, err := carry(t.Context(), s, planOf(s, 0, stages(left)...))
	if err != nil || r.Done != 5 || r.Total != 5 {
		t.Fatalf("%+v, %v", r, err)
	}
	sent := map[string]int{}
	for _, id := range s.sent {
		sent[id]++
	}
	for _, step := range all {
		want := 1
		if step.ID == "group.g/join/m5@x.io" {
			want = 2
		}
		if sent[step.ID] != want {
			t.Errorf("%s was sent %d times, want %d", step.ID, sent[step.ID], want)
		}
	}
}

func removal(email string, groups ...string) schema.Step {
	a := schema.MakeAddress("member", email, "")
	s := schema.Step{ID: string(a) + "/remove", Addr: a, Via: schema.ByAPI, Phase: "removals", Effects: []schema.Effect{{Addr: a, Op: schema.Drop}}}
	for _, g := range groups {
		s.Effects = append(s.Effects, schema.Effect{Addr: schema.MakeAddress("group", g, ""), Attr: "members", Op: schema.Exclude, Item: email})
	}
	return s
}

func TestRemoval(t *testing.T) {
	s := newService(group("g", "ann@x.io", "bob@x.io"), member("ann@x.io"))
	r, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{removal("ann@x.io", "g")}, []schema.Step{join("g", "cyd@x.io")}))
	if err != nil || r.Done != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	if diff := cmp.Diff([]string{"bob@x.io", "cyd@x.io"}, s.objects["group.g"].Get("members").AsSet()); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

// TestRemovalBesideAConsoleStep: a removal by API and a console step in one
// stage are both proven, each once.
func TestRemovalBesideAConsoleStep(t *testing.T) {
	s := newService(group("g", "ann@x.io"), member("ann@x.io"))
	result, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{removal("ann@x.io", "g"), attach("g", "role.r")}))
	if err != nil || result.Done != 2 {
		t.Errorf("done %d: %v", result.Done, err)
	}
}

// TestAWaitOutlivesAStop: what an earlier run left of a wait is waited for
// before the first step, and every stage says how long its own takes.
func TestAWaitOutlivesAStop(t *testing.T) {
	s := newService(group("g"), member("ann@x.io"))
	step := join("g", "ann@x.io")
	step.Settle = 900
	w := &watch{before: func(int) {
		if len(s.objects["group.g"].Get("members").AsSet()) != 0 {
			t.Error("something was done before the wait of the earlier run was over")
		}
	}}
	var notes []time.Duration
	_, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{step}), func(o *apply.Options) {
		o.Sleep, o.Rest = w.Sleep, 10*time.Minute
		o.Unsettled = func(d time.Duration) error { notes = append(notes, d); return nil }
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.total() != 10*time.Minute {
		t.Errorf("waited %v, want 10m", w.total())
	}
	if len(notes) != 2 || notes[0] != 15*time.Minute || notes[1] != 15*time.Minute {
		t.Errorf("noted %v, want 15m before and after the step", notes)
	}
}

// TestAPartThatNoReadShows: somebody has to say that it was done.
func TestAPartThatNoReadShows(t *testing.T) {
	hidden := attach("g", "role.r")
	hidden.Effects = append(hidden.Effects, schema.Effect{Addr: "group.g", Attr: "invisible", Op: schema.Put, Value: schema.Text("x")})
	tests := map[string]struct {
		mode      apply.ConsoleMode
		confirm   func(*schema.Step) bool
		confirmed func(*schema.Step) (bool, error)
		done      int
		is        error
	}{
		"nobody-to-ask":        {apply.Wait, nil, nil, 0, apply.ErrConsole},
		"yes":                  {apply.Wait, func(*schema.Step) bool { return true }, nil, 1, nil},
		"written-down":         {apply.Wait, nil, word(true, nil), 1, nil},
		"not-written-down":     {apply.Wait, nil, word(false, nil), 0, apply.ErrConsole},
		"stop-not-shown":       {apply.Stop, nil, word(true, nil), 0, apply.ErrConsole},
		"stop-no-word":         {apply.Stop, nil, word(false, nil), 0, apply.ErrConsole},
		"unreadable-word-file": {apply.Wait, nil, word(false, errWord), 0, errWord},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newService(group("g"))
			w := &watch{before: func(int) { s.make(attach("g", "role.r")) }} // all of it that a read can show
			result, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{hidden}), func(o *apply.Options) {
				o.Console, o.Confirm, o.Confirmed, o.Sleep = tt.mode, tt.confirm, tt.confirmed, w.Sleep
			})
			if !errors.Is(err, tt.is) || result.Done != tt.done {
				t.Errorf("done %d, %v; want %d, %v", result.Done, err, tt.done, tt.is)
			}
			if tt.is == nil && len(result.Unproven) != 1 {
				t.Errorf("%d unproven steps, want 1", len(result.Unproven))
			}
		})
	}
}

var errWord = errors.New("half a ledger")

func word(done bool, err error) func(*schema.Step) (bool, error) {
	return func(*schema.Step) (bool, error) { return done, err }
}

// TestAStepThatNoReadShows: with nothing to see, what was written down counts,
// and nobody is shown the step again.
func TestAStepThatNoReadShows(t *testing.T) {
	hidden := attach("g", "role.r")
	hidden.Effects = []schema.Effect{{Addr: "group.g", Attr: "invisible", Op: schema.Put, Value: schema.Text("x")}}
	for _, written := range []bool{false, true} {
		s := newService(group("g"))
		shown := 0
		result, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{hidden}), func(o *apply.Options) {
			o.Console, o.Confirmed = apply.Stop, word(written, nil)
			o.Observe = func(e apply.Event) {
				if e.Kind == apply.ConsoleStep {
					shown++
				}
			}
		})
		if written && (err != nil || result.Done != 1 || shown != 0) {
			t.Errorf("written down: done %d, shown %d, %v", result.Done, shown, err)
		}
		if !written && (!errors.Is(err, apply.ErrConsole) || result.Done != 0 || shown != 1) {
			t.Errorf("not written down: done %d, shown %d, %v", result.Done, shown, err)
		}
	}
}
