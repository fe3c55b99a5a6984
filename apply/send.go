package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rolecall/rolecall/apply/journal"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// parallel is how many requests are under way at once. The pace is the
// provider's matter; this only keeps a fast server busy.
const parallel = 8

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
// again, once. One that is refused may have been done already, by its own first
// delivery or by somebody else: it looks, and takes for done what it sees.
func (r *runner) attempt(ctx context.Context, step *schema.Step) (providers.Done, error) {
	done, err := r.Editor.Do(ctx, *step)
	unclear := errors.Is(err, providers.ErrUnclear)
	if unclear {
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
	if errors.Is(err, providers.ErrRefused) {
		look := r.proved
		if unclear { // the list may lag behind the first one
			look = r.look
		}
		if shown, lookErr := look(ctx, step); shown && lookErr == nil {
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

// shown looks whether a step took effect. What no read shows is taken as shown.
func (r *runner) shown(ctx context.Context, step *schema.Step) (bool, error) {
	return r.all(ctx, step, r.shows)
}

// proved looks whether a step took effect. What no read shows is not taken as
// shown.
func (r *runner) proved(ctx context.Context, step *schema.Step) (bool, error) {
	return r.all(ctx, step, func(o *schema.Object, e schema.Effect) bool { return e.Shown(o) })
}

func (r *runner) all(ctx context.Context, step *schema.Step, shows func(*schema.Object, schema.Effect) bool) (bool, error) {
	objects, err := r.read(ctx, []*schema.Step{step})
	if err != nil {
		return false, err
	}
	for _, e := range step.Effects {
		if !shows(objects[e.Addr], e) {
			return false, nil
		}
	}
	return true, nil
}
