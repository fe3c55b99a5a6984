package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"

	"github.com/rolecall/rolecall/apply"
	"github.com/rolecall/rolecall/schema"
)

// heartbeat is how often an apply says that it is still at work where there is
// no terminal to show a bar on.
const heartbeat = 30 * time.Second

// redraw is how often the bar is drawn.
const redraw = 100 * time.Millisecond

// A watcher shows how an apply goes on: a bar on a terminal, else a line a
// stage and a heartbeat. It writes to stderr.
type watcher struct {
	w       io.Writer
	bar     progress.Writer
	tracker *progress.Tracker

	mu   sync.Mutex
	last time.Time
}

func newWatcher(s streams) *watcher {
	w := &watcher{w: s.err, last: time.Now()}
	if s.terminal && s.getenv("CI") == "" {
		w.bar = progress.NewWriter()
		w.bar.SetOutputWriter(s.err)
		w.bar.SetAutoStop(false)
		if s.width > 0 { // a line that wraps is not drawn over
			w.bar.SetTerminalWidth(s.width)
		}
		w.bar.SetTrackerLength(20)
		w.bar.SetMessageLength(26)
		w.bar.SetUpdateFrequency(redraw)
		w.bar.Style().Options.TimeInProgressPrecision = time.Second
		w.bar.Style().Options.TimeDonePrecision = time.Second
		w.bar.Style().Visibility.ETA = true
		w.bar.Style().Visibility.Speed = true
		w.tracker = &progress.Tracker{Message: "apply"}
		w.bar.AppendTracker(w.tracker)
		go w.bar.Render()
	}
	return w
}

func (w *watcher) observe(e apply.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bar != nil {
		w.tracker.UpdateTotal(int64(e.Total))
		w.tracker.SetValue(int64(e.Done))
		w.tracker.UpdateMessage(w.phase(e))
	}
	switch e.Kind {
	case apply.StageBegins:
		w.say("stage %d of %d, %s: %s", e.Stage+1, e.Stages, w.phase(e), schema.Count(len(e.Of.Steps), "step"))
	case apply.StepDone:
		if w.bar == nil && time.Since(w.last) >= heartbeat {
			w.say("%d of %d steps done", e.Done, e.Total)
		}
	case apply.Settling:
		w.say("waiting %d s until it is in force everywhere", e.Seconds)
	case apply.ConsoleStep:
		w.console(e.Step)
	}
}

func (w *watcher) phase(e apply.Event) string {
	phase := schema.Printable(e.Of.Phase)
	if e.Of.Wave != "" {
		phase += ", wave " + schema.Printable(e.Of.Wave)
	}
	return phase
}

// say prints a line, above the bar where there is one.
func (w *watcher) say(format string, args ...any) {
	w.last = time.Now()
	if w.bar != nil {
		w.bar.Log(format, args...)
		return
	}
	fmt.Fprintf(w.w, format+"\n", args...)
}

// console prints what a person has to do.
func (w *watcher) console(step *schema.Step) {
	w.say("\nConsole step %s: %s", schema.Printable(step.ID), schema.Printable(step.Action))
	w.say("  where: %s", schema.Printable(step.Console.Where))
	w.say("  who:   %s", schema.Printable(step.Console.By))
	for i, line := range step.Console.Do {
		w.say("  %d. %s", i+1, schema.Printable(line))
	}
	w.say("  proof: %s", shownBy[step.Proof])
	if step.Settle > 0 {
		w.say("  takes: up to %s until it is in force everywhere", time.Duration(step.Settle)*time.Second)
	}
	if slices.Contains([]schema.Proof{schema.Attested, schema.Canary, schema.Unverified}, step.Proof) {
		w.say("  when it is done: rolecall confirm %s", quoteArgument(schema.Printable(step.ID)))
	}
}

// shownBy says what shows that a step was done.
var shownBy = map[schema.Proof]string{
	schema.Exact: "a read shows it", schema.Event: "the activity feed shows it", schema.Deferred: "a later step of this plan makes it readable, and it is read then",
	schema.Canary: "a member who has it is asked", schema.Attested: "nothing shows all of it: your word, in the ledger", schema.Unverified: "nothing shows it",
}

// close ends the bar; err is what the apply ended with.
func (w *watcher) close(err error) {
	if w.bar == nil {
		return
	}
	if err != nil {
		w.tracker.UpdateMessage("stopped")
		w.tracker.MarkAsErrored()
	} else {
		w.tracker.UpdateMessage("applied")
		w.tracker.MarkAsDone()
	}
	time.Sleep(2 * redraw) // let it show the end
	w.bar.Stop()
}

// readProgress returns a function that shows how reading goes on, on a
// terminal and only if it takes a while.
func readProgress(s streams) func(done, total int) {
	if !s.terminal || s.getenv("CI") != "" {
		return nil
	}
	start := time.Now()
	var mu sync.Mutex
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(start) < 2*time.Second {
			return
		}
		end := ""
		if done == total {
			end = "\n"
		}
		fmt.Fprintf(s.err, "\rreading: %d of %d lists%s", done, total, end)
	}
}

// quoteArgument writes an argument so that a shell takes it as one.
func quoteArgument(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("./_-@+:", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
