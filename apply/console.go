package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rolecall/rolecall/apply/journal"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

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
