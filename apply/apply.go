// Package apply carries out a plan: stage by stage, each step once, each read
// back before it counts. It does exactly what the plan lists, in its order, or
// stops.
//
// It keeps no state of its own. The live organization is the state: stopped at
// any point and started again with a new plan, it goes on from what is there.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rolecall/rolecall/apply/journal"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// parallel is how many requests are under way at once. The pace is the
// provider's matter; this only keeps a fast server busy.
const parallel = 8

// A ConsoleMode says what to make of console steps.
type ConsoleMode string

// The modes.
const (
	Auto ConsoleMode = "auto" // the editor does them by itself, which only the emulator's can
	Wait ConsoleMode = "wait" // show them, and wait until a read shows that they were done
	Stop ConsoleMode = "stop" // show them, and stop
)

// Options say how to carry out a plan.
type Options struct {
	Plan    *plan.Plan
	Reader  providers.Reader
	Editor  providers.Editor
	Console ConsoleMode

	// Observe is told what happens; it may be nil. Calls do not overlap.
	Observe func(Event)

	// Confirm asks whether a console step was done of which no read shows
	// every part. Nil means that nobody can be asked: such a step then waits.
	Confirm func(*schema.Step) bool

	// Confirmed reports whether somebody wrote down, since a console step was
	// asked for, that its parts were done which no read shows. It may be nil.
	// What a read shows has to be shown all the same.
	Confirmed func(*schema.Step) (bool, error)

	// Unsettled is called before steps are carried out, with how long it takes
	// from then until they are in force everywhere. Rest is what is left of
	// such a wait from an earlier run; it is waited for first.
	Unsettled func(time.Duration) error
	Rest      time.Duration

	// Record is told of everything that is done or about to be done, before
	// anything else happens; it may be nil. An error stops the apply: what
	// cannot be recorded is not done.
	Record func(journal.Record) error

	// Deadline is when to stop, safely, before the next step; the zero time
	// for never.
	Deadline time.Time

	// MaxSettle caps every wait until changes are in force, 0 for no cap.
	MaxSettle time.Duration

	// Sleep waits; nil for real time. Poll is the wait between two looks at
	// whether a console step was done, and Lag how long a read may go on
	// showing what was before a write. They have defaults.
	Sleep func(context.Context, time.Duration) error
	Poll  time.Duration
	Lag   time.Duration
	Look  time.Duration // how long to look whether a write whose answer was lost took effect
}

// An Event is something that happens during an apply.
type Event struct {
	Kind    EventKind
	Stage   int // from 0, among the stages that are carried out
	Stages  int
	Of      *plan.Stage
	Step    *schema.Step // for StepDone and ConsoleStep
	Done    int          // steps of the whole plan so far
	Total   int
	Seconds int    // for Settling
	Request string // for StepDone: the id of the request
}

// An EventKind is the kind of an event.
type EventKind int

// The kinds of events.
const (
	StageBegins EventKind = iota + 1
	StepDone
	ConsoleStep // a person has to do it
	ReadingBack
	Settling
	StageDone
)

var (
	// ErrStale means that someone changed the organization since the plan.
	ErrStale = errors.New("the organization has changed since the plan was made")

	// ErrConsole means that a console step waits to be done.
	ErrConsole = errors.New("waiting for a console step")

	// ErrDeadline means that the time was up. What was done stands and is
	// within bounds; the next apply goes on.
	ErrDeadline = errors.New("the deadline was reached; what was done stands, and the next apply goes on from there")

	// ErrNotShown means that a write was answered and no read shows it.
	ErrNotShown = errors.New("a read does not show it")
)

// A PartialError says how far an apply came. Everything that was done was read
// back, unless Err says otherwise.
type PartialError struct {
	Done, Total int
	Step        string // where it stopped
	Err         error
}

func (e *PartialError) Error() string {
	at := ""
	if e.Step != "" {
		at = " at " + e.Step
	}
	why := fmt.Sprint(e.Err)
	if errors.Is(e.Err, context.Canceled) {
		why = "interrupted; what was done stands, and the next apply goes on from there"
	}
	return fmt.Sprintf("stopped after %d of %d steps%s: %s", e.Done, e.Total, at, why)
}

// Unwrap returns the cause.
func (e *PartialError) Unwrap() error { return e.Err }

// A Result says what was done.
type Result struct {
	Done, Total int
	// Waiting are the console steps that a person has to do, if it stopped
	// for them.
	Waiting []*schema.Step
	// Unproven are steps that were carried out and of which no read shows
	// every part.
	Unproven []*schema.Step
}

// runner carries out one plan.
type runner struct {
	Options
	ctx    context.Context                   // of the whole run, to tell a deadline from a slow answer
	expect map[schema.Address]*schema.Object // what the organization should look like by now
	late   map[schema.Address][]string       // items that no read shows yet
	mu     sync.Mutex
	result Result
	stage  int
	stages []*plan.Stage
}

// Run carries out a plan. It does not ask whether the plan is blocked or
// approved: that is the caller's to decide.
//
// Errors: a *PartialError that wraps ErrStale, ErrConsole, ErrNotShown, the
// context's error, or what the provider said.
func Run(ctx context.Context, o Options) (Result, error) {
	r := &runner{Options: o, expect: map[schema.Address]*schema.Object{}, late: map[schema.Address][]string{}}
	if r.Sleep == nil {
		r.Sleep = sleep
	}
	if r.Poll == 0 {
		r.Poll = 10 * time.Second
	}
	if r.Lag == 0 {
		r.Lag = 2 * time.Minute
	}
	if r.Look == 0 {
		r.Look = 5 * time.Second
	}
	if !o.Deadline.IsZero() {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, o.Deadline, ErrDeadline)
		defer stop()
	}
	r.ctx = ctx
	var known []*schema.Object
	for addr, obj := range o.Plan.Live.Objects {
		r.expect[addr] = obj
		known = append(known, obj)
	}
	o.Reader.Remember(known)
	for i := range o.Plan.Stages {
		if !o.Plan.Stages[i].Held {
			r.stages = append(r.stages, &o.Plan.Stages[i])
			r.result.Total += len(o.Plan.Stages[i].Steps)
		}
	}
	r.Rest = r.capped(r.Rest)
	if r.Rest > 0 && len(r.stages) > 0 { // what an earlier run did may not be in force yet
		r.observe(Event{Kind: Settling, Seconds: int(r.Rest.Round(time.Second).Seconds())})
		if err := r.Sleep(ctx, r.Rest); err != nil {
			return r.result, r.partial("", err)
		}
	}
	for i, st := range r.stages {
		r.stage = i
		if err := r.record(journal.Record{Kind: journal.Stage, Stage: i + 1, Phase: st.Phase}); err != nil {
			return r.result, r.partial("", err)
		}
		if err := r.run(ctx, st); err != nil {
			return r.result, err
		}
	}
	return r.result, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (r *runner) observe(e Event) {
	if r.Observe == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Stage, e.Stages, e.Of, e.Total = r.stage, len(r.stages), r.stages[r.stage], r.result.Total
	e.Done = r.result.Done
	r.Observe(e)
}

// partial says how far the apply came. A deadline shows as the end of the
// context; that of a single request does not, and stays an error.
func (r *runner) partial(step string, err error) error {
	if cause := context.Cause(r.ctx); errors.Is(cause, ErrDeadline) && errors.Is(err, context.DeadlineExceeded) {
		err = cause
	}
	return &PartialError{Done: r.result.Done, Total: r.result.Total, Step: step, Err: err}
}

// run carries out one stage: look again, write, read back, settle.
func (r *runner) run(ctx context.Context, st *plan.Stage) error {
	if err := ctx.Err(); err != nil {
		return r.partial("", err)
	}
	r.observe(Event{Kind: StageBegins})
	var api, console []*schema.Step
	for _, v := range st.Steps {
		step := r.Plan.Steps[v.ID]
		if step.Via == schema.ByAPI {
			api = append(api, step)
		} else {
			console = append(console, step)
		}
	}
	all := slices.Concat(api, console)
	if err := r.unchanged(ctx, all); err != nil {
		return err
	}
	if err := r.unsettled(all); err != nil {
		return r.partial("", err)
	}
	batches := inOrder(api)
	for i, batch := range batches {
		if err := r.send(ctx, batch); err != nil {
			return err
		}
		if i < len(batches)-1 { // what the next ones need has to be there, and known by its id
			if err := r.proven(ctx, batch); err != nil {
				return err
			}
		}
	}
	if len(batches) > 1 {
		api = batches[len(batches)-1] // the others are proven
	}
	if len(api) > 0 && len(console) > 0 { // what was just created has an id now, which the console steps may need
		if err := r.proven(ctx, api); err != nil {
			return err
		}
	}
	rest := slices.Concat(api, console)
	if len(api) > 0 && len(console) > 0 {
		rest = console
	}
	if err := r.byHand(ctx, console); err != nil {
		return err
	}
	r.observe(Event{Kind: ReadingBack})
	if err := r.proven(ctx, rest); err != nil {
		return err
	}
	if err := r.record(journal.Record{Kind: journal.Proven}); err != nil {
		return r.partial("", err)
	}
	if err := r.unsettled(all); err != nil { // counted from the last of them
		return r.partial("", err)
	}
	if st.SettleSeconds > 0 {
		settle := r.capped(time.Duration(st.SettleSeconds) * time.Second)
		r.observe(Event{Kind: Settling, Seconds: int(settle.Seconds())})
		if err := r.record(journal.Record{Kind: journal.Settle, Seconds: int(settle.Seconds())}); err != nil {
			return r.partial("", err)
		}
		if err := r.Sleep(ctx, settle); err != nil {
			return r.partial("", err)
		}
	}
	r.observe(Event{Kind: StageDone})
	return nil
}

// capped returns d, or the longest wait there is.
func (r *runner) capped(d time.Duration) time.Duration {
	if r.MaxSettle > 0 {
		return min(d, r.MaxSettle)
	}
	return d
}

// record writes one record of the journal, about the stage that is carried out.
func (r *runner) record(rec journal.Record) error {
	if r.Record == nil {
		return nil
	}
	rec.Stage = r.stage + 1
	return r.Record(rec)
}

// about returns a record about a step.
func about(kind journal.Kind, step *schema.Step) journal.Record {
	return journal.Record{Kind: kind, Step: step.ID, Address: string(step.Addr), Action: step.Action}
}

// unsettled tells how long it takes until steps are in force everywhere.
func (r *runner) unsettled(steps []*schema.Step) error {
	settle := 0
	for _, step := range steps {
		settle = max(settle, step.Settle)
	}
	if r.Unsettled == nil || settle == 0 {
		return nil
	}
	return r.Unsettled(r.capped(time.Duration(settle) * time.Second))
}

// inOrder divides the steps of a stage into batches, each of which needs nothing
// but what is in the batches before it. Within a stage every order is safe for
// everybody's access; this is about what an API takes, such as a group before
// its members.
func inOrder(steps []*schema.Step) [][]*schema.Step {
	left := map[string]bool{}
	for _, step := range steps {
		left[step.ID] = true
	}
	var batches [][]*schema.Step
	for len(steps) > 0 {
		var ready, rest []*schema.Step
		for _, step := range steps {
			if slices.ContainsFunc(step.Needs, func(id string) bool { return left[id] && id != step.ID }) {
				rest = append(rest, step)
			} else {
				ready = append(ready, step)
			}
		}
		if len(ready) == 0 { // a circle cannot be ordered
			ready, rest = rest, nil
		}
		for _, step := range ready {
			delete(left, step.ID)
		}
		batches = append(batches, ready)
		steps = rest
	}
	return batches
}

// send sends the requests of the API steps, several at a time. When the
// context ends, requests under way are finished and no new one is begun.
func (r *runner) send(ctx context.Context, steps []*schema.Step) error {
	var g errgroup.Group
	g.SetLimit(parallel)
	var failed error
	var at string
	for _, step := range steps {
		r.mu.Lock()
		stop := failed != nil
		r.mu.Unlock()
		if stop || ctx.Err() != nil {
			break
		}
		g.Go(func() (err error) {
			defer func() {
				if p := recover(); p != nil { // one bad step must not end the process in the middle of an apply
					err = fmt.Errorf("apply: panic in step %s: %v", step.ID, p)
				}
				if err != nil {
					r.mu.Lock()
					if failed == nil {
						failed, at = err, step.ID
					}
					r.mu.Unlock()
				}
			}()
			return r.do(context.WithoutCancel(ctx), step)
		})
	}
	_ = g.Wait() // the first error is in failed
	if failed != nil {
		return r.partial(at, failed)
	}
	if err := ctx.Err(); err != nil {
		return r.partial("", err)
	}
	return nil
}

// do carries out one API step, and records that it is about to and that it did.
func (r *runner) do(ctx context.Context, step *schema.Step) error {
	if err := r.record(about(journal.Intent, step)); err != nil {
		return err
	}
	done, err := r.attempt(ctx, step)
	if err != nil {
		failed := about(journal.Failed, step)
		failed.Message = err.Error()
		return errors.Join(err, r.record(failed))
	}
	made := about(journal.Done, step)
	made.Request = done.RequestID
	if err := r.record(made); err != nil {
		return err
	}
	r.mu.Lock()
	r.result.Done++
	r.mu.Unlock()
	r.observe(Event{Kind: StepDone, Step: step, Request: done.RequestID})
	return nil
}

// attempt sends a step; if its answer was lost, it looks before it is sent
// again, once.
func (r *runner) attempt(ctx context.Context, step *schema.Step) (providers.Done, error) {
	done, err := r.Editor.Do(ctx, *step)
	if errors.Is(err, providers.ErrUnclear) {
		shown, lookErr := r.look(ctx, step)
		switch {
		case lookErr != nil:
			return done, fmt.Errorf("%w; looking whether it did: %w", err, lookErr)
		case !shown:
			done, err = r.Editor.Do(ctx, *step)
		default:
			err = nil
		}
	}
	return done, err
}

// look looks for a while whether a step took effect whose answer was lost: a
// read may lag behind the write.
func (r *runner) look(ctx context.Context, step *schema.Step) (bool, error) {
	wait := 200 * time.Millisecond
	for waited := time.Duration(0); ; waited += wait {
		shown, err := r.shown(ctx, step)
		if shown || err != nil || waited >= r.Look {
			return shown, err
		}
		wait = min(2*wait, 2*time.Second)
		if err := r.Sleep(ctx, wait); err != nil {
			return false, err
		}
	}
}

// shown looks whether a step took effect.
func (r *runner) shown(ctx context.Context, step *schema.Step) (bool, error) {
	objects, err := r.read(ctx, []*schema.Step{step})
	if err != nil {
		return false, err
	}
	for _, e := range step.Effects {
		if !r.shows(objects[e.Addr], e) {
			return false, nil
		}
	}
	return true, nil
}

// byHand has the console steps done: by the emulator, or by a person.
func (r *runner) byHand(ctx context.Context, steps []*schema.Step) error {
	if len(steps) == 0 {
		return nil
	}
	if r.Console == Auto {
		driver, ok := r.Editor.(providers.Console)
		if !ok {
			return r.partial(steps[0].ID, errors.New("console steps can only be done by themselves on the emulator: use --console wait or stop"))
		}
		for _, step := range steps {
			if err := ctx.Err(); err != nil {
				return r.partial("", err)
			}
			if err := r.record(about(journal.Intent, step)); err != nil {
				return r.partial(step.ID, err)
			}
			if err := driver.Drive(ctx, *step); err != nil {
				failed := about(journal.Failed, step)
				failed.Message = err.Error()
				return r.partial(step.ID, errors.Join(err, r.record(failed)))
			}
			if err := r.record(about(journal.Done, step)); err != nil {
				return r.partial(step.ID, err)
			}
			r.mu.Lock()
			r.result.Done++
			r.mu.Unlock()
			r.observe(Event{Kind: StepDone, Step: step})
		}
		return nil
	}
	steps, err := r.confirmed(ctx, steps)
	if err != nil || len(steps) == 0 {
		return err
	}
	for _, step := range steps {
		if err := r.record(about(journal.Console, step)); err != nil {
			return r.partial(step.ID, err)
		}
		r.observe(Event{Kind: ConsoleStep, Step: step})
	}
	if r.Console != Wait {
		r.result.Waiting = steps
		return r.partial(steps[0].ID, ErrConsole)
	}
	open := slices.Clone(steps)
	for {
		var left []*schema.Step
		objects, err := r.read(ctx, open)
		if err != nil {
			return r.partial(open[0].ID, err)
		}
		for _, step := range open {
			if slices.ContainsFunc(step.Effects, func(e schema.Effect) bool { return !e.Late && !r.shows(objects[e.Addr], e) }) {
				left = append(left, step)
				continue
			}
			if unreadable(objects, step) {
				written, err := r.writtenDown(step)
				if err != nil {
					return r.partial(step.ID, err)
				}
				if !written && r.Confirm == nil {
					r.result.Waiting = open
					return r.partial(step.ID, fmt.Errorf("%w that no read shows, and there is nobody to ask", ErrConsole))
				}
				if !written && !r.Confirm(step) {
					left = append(left, step)
					continue
				}
			}
			if err := r.record(about(journal.Done, step)); err != nil {
				return r.partial(step.ID, err)
			}
			r.result.Done++
			r.observe(Event{Kind: StepDone, Step: step})
		}
		if open = left; len(open) == 0 {
			return nil
		}
		if err := r.Sleep(ctx, r.Poll); err != nil {
			r.result.Waiting = open
			return r.partial(open[0].ID, err)
		}
	}
}

// read reads the objects that steps touch, as they should be by now or, where
// a step creates them, by their name.
func (r *runner) read(ctx context.Context, steps []*schema.Step) (map[schema.Address]*schema.Object, error) {
	var list []*schema.Object
	seen := map[schema.Address]bool{}
	for _, step := range steps {
		for _, e := range step.Effects {
			if seen[e.Addr] {
				continue
			}
			seen[e.Addr] = true
			o := r.expect[e.Addr]
			if o == nil {
				o = r.Plan.Desired.Objects[e.Addr]
			}
			if o == nil {
				return nil, fmt.Errorf("%s: step %s touches an object that the plan does not know", e.Addr, step.ID)
			}
			list = append(list, o)
		}
	}
	found, err := r.Reader.ReadAgain(ctx, list)
	if err != nil {
		return nil, err
	}
	objects := map[schema.Address]*schema.Object{}
	var known []*schema.Object
	for i, o := range found {
		if o == nil {
			continue
		}
		c := o.Clone()
		c.Addr = list[i].Addr
		objects[c.Addr] = c
		known = append(known, c)
	}
	r.Reader.Remember(known)
	r.references(objects)
	return objects, nil
}

// references turns the ids of roles and groups into addresses.
func (r *runner) references(objects map[schema.Address]*schema.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := map[string]string{}
	for _, all := range []map[schema.Address]*schema.Object{r.expect, objects} {
		for addr, o := range all {
			if (o.Type == "role" || o.Type == "group") && o.ID != "" {
				ids[o.ID] = string(addr)
			}
		}
	}
	for _, o := range objects {
		for _, attr := range []string{"roles", "groups"} {
			v := o.Get(attr)
			if v.Kind() != schema.KindSet {
				continue
			}
			refs := make([]string, len(v.AsSet()))
			for i, id := range v.AsSet() {
				refs[i] = id
				if addr, ok := ids[id]; ok {
					refs[i] = addr
				}
			}
			o.Put(attr, schema.Set(refs...))
		}
	}
}

// shows reports whether an object as it was read shows an effect. What no read
// shows at all is taken as shown: its proof says so in the plan.
func (r *runner) shows(o *schema.Object, e schema.Effect) bool {
	if o != nil && e.Attr != "" {
		if _, readable := o.Attrs[e.Attr]; !readable {
			return true
		}
	}
	return e.Shown(o)
}

// confirmed counts those console steps as done of which a read shows what can
// be shown and somebody wrote down the rest, and returns the others.
func (r *runner) confirmed(ctx context.Context, steps []*schema.Step) ([]*schema.Step, error) {
	if r.Confirmed == nil {
		return steps, nil
	}
	objects, err := r.read(ctx, steps)
	if err != nil {
		return nil, r.partial(steps[0].ID, err)
	}
	var left []*schema.Step
	for _, step := range steps {
		written := false
		if unreadable(objects, step) && r.missing(objects, []*schema.Step{step}) == "" {
			if written, err = r.writtenDown(step); err != nil {
				return nil, r.partial(step.ID, err)
			}
		}
		if !written {
			left = append(left, step)
			continue
		}
		if err := r.record(about(journal.Done, step)); err != nil {
			return nil, r.partial(step.ID, err)
		}
		r.mu.Lock()
		r.result.Done++
		r.mu.Unlock()
		r.observe(Event{Kind: StepDone, Step: step})
	}
	return left, nil
}

func (r *runner) writtenDown(step *schema.Step) (bool, error) {
	if r.Confirmed == nil {
		return false, nil
	}
	return r.Confirmed(step)
}

// unreadable reports whether a part of a step is shown by no read.
func unreadable(objects map[schema.Address]*schema.Object, step *schema.Step) bool {
	return slices.ContainsFunc(step.Effects, func(e schema.Effect) bool {
		o := objects[e.Addr]
		if o == nil || e.Attr == "" || e.Minor {
			return false
		}
		_, readable := o.Attrs[e.Attr]
		return !readable
	})
}

// unchanged compares what the steps touch with what the plan saw, and what was
// done since.
func (r *runner) unchanged(ctx context.Context, steps []*schema.Step) error {
	objects, err := r.read(ctx, steps)
	if err != nil {
		return r.partial(steps[0].ID, err)
	}
	var stale []string
	for _, step := range steps {
		for _, e := range step.Effects {
			if s := r.differs(objects[e.Addr], e); s != "" && !slices.Contains(stale, s) {
				stale = append(stale, s)
			}
		}
	}
	if len(stale) > 0 {
		return r.partial(steps[0].ID, fmt.Errorf("%w: %s; plan again", ErrStale, strings.Join(stale, "; ")))
	}
	return nil
}

// differs says how an object that was read differs from what it should be, as
// far as an effect is about it; "" if it does not.
func (r *runner) differs(have *schema.Object, e schema.Effect) string {
	want := r.expect[e.Addr]
	switch {
	case want == nil && have == nil:
		return ""
	case want == nil:
		if e.Attr != "" {
			return ""
		}
		return fmt.Sprintf("%s is there already", e.Addr)
	case have == nil:
		return fmt.Sprintf("%s is not there any more", e.Addr)
	case e.Attr == "":
		return ""
	}
	a, readable := have.Attrs[e.Attr]
	b := want.Get(e.Attr)
	if !readable || a.Kind() == schema.KindUnavailable || b.Kind() == schema.KindUnavailable {
		return ""
	}
	if late := r.late[e.Addr]; len(late) > 0 && a.Kind() == schema.KindSet {
		drop := func(v schema.Value) schema.Value {
			return schema.Set(slices.DeleteFunc(slices.Clone(v.AsSet()), func(s string) bool { return slices.Contains(late, s) })...)
		}
		a, b = drop(a), drop(b)
	}
	if a.Equal(b) || a.Kind() == schema.KindAbsent && len(b.AsSet())+len(b.AsMap()) == 0 && b.Kind() != schema.KindText {
		return ""
	}
	return fmt.Sprintf("%s of %s changed%s", e.Attr, e.Addr, change(b, a))
}

// change says how a value changed, as far as one line holds it.
func change(before, after schema.Value) string {
	if before.Kind() == schema.KindSet && after.Kind() == schema.KindSet {
		var parts []string
		for _, s := range after.AsSet() {
			if !before.Has(s) {
				parts = append(parts, "+"+s)
			}
		}
		for _, s := range before.AsSet() {
			if !after.Has(s) {
				parts = append(parts, "-"+s)
			}
		}
		if len(parts) > 3 {
			parts = append(parts[:3], fmt.Sprintf("and %d more", len(parts)-3))
		}
		return " (" + strings.Join(parts, ", ") + ")"
	}
	return fmt.Sprintf(" from %s to %s", before, after)
}

// proven reads back what the steps touched until every effect is shown. A read
// may go on showing what was for a while.
func (r *runner) proven(ctx context.Context, steps []*schema.Step) error {
	wait := 200 * time.Millisecond
	for waited := time.Duration(0); ; {
		objects, err := r.read(ctx, steps)
		if err != nil {
			return r.partial(steps[0].ID, err)
		}
		missing := r.missing(objects, steps)
		if missing == "" {
			r.accept(objects, steps)
			return nil
		}
		if waited >= r.Lag {
			return r.partial(missing, fmt.Errorf("%w, %s after it was done", ErrNotShown, waited))
		}
		if err := r.Sleep(ctx, wait); err != nil {
			return r.partial(missing, err)
		}
		waited += wait
		wait = min(2*wait, 10*time.Second)
	}
}

// missing returns the first step of which an effect is not shown.
func (r *runner) missing(objects map[schema.Address]*schema.Object, steps []*schema.Step) string {
	for _, step := range steps {
		for _, e := range step.Effects {
			if !e.Late && !r.shows(objects[e.Addr], e) {
				return step.ID
			}
		}
	}
	return ""
}

// accept takes over what was read as what should be from now on.
func (r *runner) accept(objects map[schema.Address]*schema.Object, steps []*schema.Step) {
	for _, step := range steps {
		if unreadable(objects, step) {
			r.result.Unproven = append(r.result.Unproven, step)
		}
		for _, e := range step.Effects {
			if e.Late && e.Op == schema.Include {
				r.late[e.Addr] = append(r.late[e.Addr], e.Item)
			}
			o := r.expect[e.Addr]
			if o != nil || e.Attr == "" {
				o = e.Make(o)
			}
			if o == nil {
				delete(r.expect, e.Addr)
				continue
			}
			if read := objects[e.Addr]; read != nil && o.ID == "" {
				o = o.Clone()
				o.ID = read.ID
				for name, v := range read.Attrs { // what the creation brought with it
					if _, ok := o.Attrs[name]; !ok {
						o.Put(name, v)
					}
				}
			}
			r.expect[e.Addr] = o
		}
	}
}
