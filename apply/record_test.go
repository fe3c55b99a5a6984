package apply_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/apply"
	"github.com/rolecall/rolecall/apply/journal"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// A book keeps records in memory, and fails when it is told to.
type book struct {
	mu      sync.Mutex
	lines   []string
	failsAt int // number of the record that cannot be written, 0 for none
}

var errFull = errors.New("disk full")

func (b *book) write(r journal.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failsAt > 0 && len(b.lines) >= b.failsAt-1 {
		return errFull
	}
	b.lines = append(b.lines, strings.TrimSpace(fmt.Sprintf("%s %d %s %s", r.Kind, r.Stage, r.Step, r.Request)))
	return nil
}

func TestRecordsEveryStepBeforeAndAfter(t *testing.T) {
	s := newService(group("g"), member("ann@x.io"))
	p := planOf(s, 60, []schema.Step{join("g", "ann@x.io")}, []schema.Step{attach("g", "role.r")})
	b := &book{}
	if _, err := carry(t.Context(), s, p, func(o *apply.Options) { o.Record = b.write }); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"stage 1", "intent 1 group.g/join/ann@x.io", "done 1 group.g/join/ann@x.io req_group.g/join/ann@x.io", "proven 1", "settle 1",
		"stage 2", "intent 2 group.g/attach/role.r", "done 2 group.g/attach/role.r", "proven 2",
	}
	if diff := cmp.Diff(want, b.lines); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedStepIsRecorded(t *testing.T) {
	s := newService(group("g"), member("ann@x.io"))
	s.trouble = func(schema.Step, int) (bool, error) { return false, providers.ErrDenied }
	b := &book{}
	_, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{join("g", "ann@x.io")}), func(o *apply.Options) { o.Record = b.write })
	partial(t, err, providers.ErrDenied, 0, 1, "group.g/join/ann@x.io")
	if got := b.lines[len(b.lines)-1]; got != "failed 1 group.g/join/ann@x.io" {
		t.Errorf("last record %q", got)
	}
}

// What cannot be recorded is not done: nothing is sent after the disk is full.
func TestNothingIsDoneThatCannotBeRecorded(t *testing.T) {
	for at, sent := range map[int]int{1: 0, 2: 0, 3: 1} {
		s := newService(group("g"), member("ann@x.io"))
		b := &book{failsAt: at}
		_, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{join("g", "ann@x.io")}, []schema.Step{join("g", "bob@x.io")}), func(o *apply.Options) { o.Record = b.write })
		if !errors.Is(err, errFull) || len(s.sent) != sent {
			t.Errorf("record %d fails: sent %v, %v", at, s.sent, err)
		}
	}
}

func TestDeadlineStopsBeforeTheNextStep(t *testing.T) {
	s := newService(group("g"), member("ann@x.io"), member("bob@x.io"))
	p := planOf(s, 60, []schema.Step{join("g", "ann@x.io")}, []schema.Step{join("g", "bob@x.io")})
	_, err := carry(t.Context(), s, p, func(o *apply.Options) {
		o.Deadline = time.Now().Add(100 * time.Millisecond)
		o.Sleep = func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() } // the time is up while it settles
	})
	partial(t, err, apply.ErrDeadline, 1, 2, "")
	if len(s.sent) != 1 {
		t.Errorf("sent %v", s.sent)
	}
}

// The request that is under way at the deadline is finished, and counts.
func TestDeadlineLetsARequestFinish(t *testing.T) {
	s := newService(group("g"), member("ann@x.io"))
	s.trouble = func(schema.Step, int) (bool, error) { time.Sleep(50 * time.Millisecond); return true, nil }
	_, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{join("g", "ann@x.io")}, []schema.Step{join("g", "bob@x.io")}), func(o *apply.Options) {
		o.Deadline = time.Now().Add(20 * time.Millisecond)
	})
	partial(t, err, apply.ErrDeadline, 1, 2, "")
	if !s.objects["group.g"].Get("members").Has("ann@x.io") {
		t.Error("the request was cut off")
	}
}

// A slow answer is an error and not the deadline.
func TestTimeoutOfARequestIsNoDeadline(t *testing.T) {
	s := newService(group("g"), member("ann@x.io"))
	s.trouble = func(schema.Step, int) (bool, error) {
		return false, fmt.Errorf("POST: %w", context.DeadlineExceeded)
	}
	_, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{join("g", "ann@x.io")}), func(o *apply.Options) { o.Deadline = time.Now().Add(time.Hour) })
	if errors.Is(err, apply.ErrDeadline) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// What a step needs is carried out and read back before it, in the same stage
// too: a group is there before people join it.
func TestStepsOfAStageWaitForWhatTheyNeed(t *testing.T) {
	s := newService(member("ann@x.io"), member("bob@x.io"))
	first, second, third := create("new"), join("new", "ann@x.io"), join("new", "bob@x.io")
	second.Needs, third.Needs = []string{first.ID}, []string{second.ID}
	var mu sync.Mutex
	made := map[string]bool{}
	s.trouble = func(step schema.Step, _ int) (bool, error) {
		mu.Lock()
		for _, id := range step.Needs {
			if !made[id] {
				t.Errorf("%s is sent before %s", step.ID, id)
			}
		}
		mu.Unlock()
		if len(step.Needs) == 0 { // the others would overtake it
			time.Sleep(20 * time.Millisecond)
		}
		mu.Lock()
		defer mu.Unlock()
		made[step.ID] = true
		return true, nil
	}
	r, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{third, second, first}))
	if err != nil || r.Done != 3 {
		t.Errorf("%d done, %v", r.Done, err)
	}
}

// Steps that need each other are sent together rather than never.
func TestStepsInACircleAreSent(t *testing.T) {
	s := newService(group("g"), member("ann@x.io"), member("bob@x.io"))
	a, b := join("g", "ann@x.io"), join("g", "bob@x.io")
	a.Needs, b.Needs = []string{b.ID}, []string{a.ID}
	if r, err := carry(t.Context(), s, planOf(s, 0, []schema.Step{a, b})); err != nil || r.Done != 2 {
		t.Errorf("%d done, %v", r.Done, err)
	}
}
