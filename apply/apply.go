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
	"sync"
	"time"

	"github.com/rolecall/rolecall/apply/journal"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

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

	// Speed is how many times faster than a plan assumes changes get in force,
	// which only an emulator's do; 0 is 1. MaxSettle caps every wait until they
	// are, 0 for no cap.
	Speed     float64
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
	if r.MaxSettle > 0 {
		r.Rest = min(r.Rest, r.MaxSettle)
	}
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
		settle := r.wait(st.SettleSeconds)
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

// wait returns how long it takes until changes are in force, of which a plan
// says that it takes so many seconds.
func (r *runner) wait(seconds int) time.Duration {
	d := time.Duration(seconds) * time.Second
	if r.Speed > 0 {
		d = time.Duration(float64(d) / r.Speed)
	}
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
	return r.Unsettled(r.wait(settle))
}
