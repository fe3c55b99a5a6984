package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2/maybe"
	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/apply"
	"github.com/rolecall/rolecall/cmd/rolecall/internal/pullrequest"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/render"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

func applyCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "apply", Usage: "plan, ask, and carry the plan out",
		UsageText: "rolecall apply [options]\n\n   rolecall apply -C examples/acme\n   rolecall apply -C examples/acme --auto-approve",
		Description: "Carries the plan out stage by stage. Every write is read back before it counts.\n" +
			"Console steps are shown with what to enter; they count when a read shows that they were done.",
		ArgsUsage: "[PLANFILE]",
		Flags: append(append(commonFlags("text", "json"), limitFlags()...),
			&cli.BoolFlag{Name: "auto-approve", Usage: "do not ask"},
			&cli.StringFlag{Name: "console", Usage: "what to make of console steps: `auto|wait|stop` (default: auto on the emulator, wait on a terminal, else stop)"},
			authorFlag(),
			&cli.StringSliceFlag{Name: "accept", Usage: "accept one guard or finding by `NAME`, such as guard.max_removals"},
			&cli.BoolFlag{Name: "stats", Usage: "print how many requests were sent and how long it took, on stderr"},
			&cli.BoolFlag{Name: "approved-by-comment", Usage: "apply only what the reviewers of the merged pull request were shown, or less (status 6 else)"},
			&cli.IntFlag{Name: "pr", Usage: "with --approved-by-comment: the pull request, by its `NUMBER` (default: the one that merged GITHUB_SHA)"},
			&cli.BoolFlag{Name: "github", Usage: "keep one issue with the console steps that wait; it is closed when there are none"},
			repoFlag(),
			&cli.DurationFlag{Name: "max-duration", Usage: "stop safely after `TIME`, such as 50m, with status 7; the next apply goes on"},
			&cli.BoolFlag{Name: "reset", Usage: "start the embedded emulator over from its seed"},
		),
		Action: func(c *cli.Context) error { return doApply(c, s) },
	}
}

func doApply(c *cli.Context, s streams) (err error) {
	log, err := setUp(c, s, "text", "json")
	if err != nil {
		return err
	}
	cfg, err := load(c, s)
	if err != nil {
		return err
	}
	start := time.Now()
	until, err := deadline(c, start)
	if err != nil {
		return err
	}
	gh, err := gitHubOf(c, s)
	if err != nil {
		return err
	}
	unlock, err := lock(c.String("C"))
	if err != nil {
		return err
	}
	defer unlock()
	if !c.Bool("reset") {
		sayKilled(s, c.String("C"))
	}
	conn, editor, err := cfg.kind.ConnectToWrite(c.Context, cfg.Config, environment(c, s))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	mode, err := consoleMode(c, s, conn)
	if err != nil {
		return err
	}
	read := &remembering{Reader: conn.Reader}
	p, err := reviewed(c, s, cfg, read, log)
	if err != nil {
		return err
	}
	asJSON := c.String("format") == "json"
	if !asJSON {
		if err := show(c, s, p); err != nil {
			return err
		}
	}
	if stop, err := mayApply(c, s, p, fmt.Sprintf("Apply this to %s?", schema.Printable(p.Organization))); stop || err != nil {
		if asJSON {
			return errors.Join(writeResult(s, p, apply.Result{}, err), err)
		}
		return err
	}
	if gh != nil && c.Bool("approved-by-comment") {
		if err := approved(c, s, gh, p); err != nil {
			if asJSON {
				return errors.Join(writeResult(s, p, apply.Result{}, err), err)
			}
			return err
		}
	}
	run := &running{start: start, cfg: cfg, conn: conn, editor: editor, read: read, mode: mode, until: until, gh: gh}
	result, err := run.carryOut(c, s, p)
	if asJSON {
		err = errors.Join(err, writeResult(s, p, result, err))
	}
	if err != nil {
		return err
	}
	after, err := makePlanWith(c.Context, c, s, cfg, conn.Reader, log, p.Options)
	if err != nil {
		return fmt.Errorf("everything was applied and read back, but the last look failed: %w", err)
	}
	if after.Summary.Steps > 0 {
		if err := render.Text(s.err, after, render.Options{Style: style(), Width: s.width}); err != nil {
			return err
		}
		return fmt.Errorf("everything was applied and read back, and the organization still differs: %d steps are left; plan again", after.Summary.Steps)
	}
	if !asJSON {
		proof := "all read back"
		if n := len(result.Unproven); n > 0 {
			proof = fmt.Sprintf("read back but for a part of %d that no read shows", n)
		}
		_, err = fmt.Fprintf(s.out, "\nApplied: %d steps, %s. %s is as described.\n", result.Done, proof, schema.Printable(p.Organization))
	}
	return err
}

// A running is what carrying out a plan takes, beside the plan.
type running struct {
	start  time.Time
	cfg    *configuration
	conn   *providers.Connection
	editor providers.Editor
	read   *remembering // what the plan was made from
	mode   apply.ConsoleMode
	until  time.Time           // zero for no end
	gh     *pullrequest.Client // nil without one
}

// carryOut carries a plan out and keeps the record of it.
func (r *running) carryOut(c *cli.Context, s streams, p *plan.Plan) (result apply.Result, err error) {
	watch := newWatcher(s)
	rest := unsettled{filepath.Join(c.String("C"), ".rolecall", "unsettled.json")}
	if c.Bool("reset") { // a new organization has nothing under way
		if err := os.RemoveAll(rest.path); err != nil {
			return result, fmt.Errorf("reset: %w", err)
		}
	}
	confirmed := writtenDown(r.cfg, r.start) // looks at the journal before this one
	record, err := startRecord(c, s, r.cfg, p, r.read)
	if err != nil {
		return result, fmt.Errorf("nothing was applied: %w", err)
	}
	o := apply.Options{Plan: p, Reader: r.conn.Reader, Editor: r.editor, Console: r.mode, Observe: watch.observe,
		Unsettled: rest.note, Rest: rest.left(time.Now()), Record: record.journal.Write, Deadline: r.until,
		Confirmed: confirmed}
	if r.conn.Emulated { // which puts every change in force at once, unless it was told to take its time
		o.MaxSettle, o.Speed = max(time.Second, r.conn.InForce), r.conn.Speed
	}
	if s.terminal {
		o.Confirm = func(step *schema.Step) bool {
			answer, err := ask(c.Context, s, fmt.Sprintf("\nNo read shows all of %s. Was it done? Only \"yes\" goes on: ", schema.Printable(step.ID)))
			return err == nil && answer == "yes"
		}
	}
	result, err = apply.Run(c.Context, o)
	watch.close(err)
	err = errors.Join(err, record.end(err))
	record.undo(s, c, result, err)
	if r.gh != nil && c.Bool("github") {
		err = errors.Join(err, keepChecklist(c, r.gh, p, result))
	}
	return result, err
}

// unsettled is a file that says until when the changes of an apply may not be
// in force everywhere. It outlives the process, so that an apply that was
// stopped in the middle of a wait does not cost the wait.
type unsettled struct{ path string }

type unsettledFile struct {
	Until time.Time `json:"until"`
}

// note writes that changes are in force in d from now.
func (u unsettled) note(d time.Duration) error {
	b, err := json.Marshal(unsettledFile{time.Now().Add(d).UTC()})
	if err != nil {
		return err
	}
	if err := maybe.WriteFile(u.path, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("note the wait: %w", err)
	}
	return nil
}

// left returns how long it still takes, 0 if nothing is under way. What cannot
// be read counts as nothing, and a clock that was set back as no longer than
// an hour.
func (u unsettled) left(now time.Time) time.Duration {
	b, err := os.ReadFile(u.path)
	if err != nil {
		return 0
	}
	var f unsettledFile
	if json.Unmarshal(b, &f) != nil {
		return 0
	}
	return min(max(f.Until.Sub(now), 0), time.Hour)
}

// ask asks a question on the terminal. It returns when the context ends, too:
// an interrupt must not wait for an answer.
func ask(ctx context.Context, s streams, question string) (string, error) {
	fmt.Fprint(s.out, question)
	type reply struct {
		text string
		err  error
	}
	replies := make(chan reply, 1)
	go func() { // ends with the process if nobody answers
		text, err := bufio.NewReader(s.in).ReadString('\n')
		replies <- reply{strings.TrimSpace(text), err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-replies:
		if r.text != "" {
			return r.text, nil
		}
		return "", r.err
	}
}

// mayApply reports whether there is nothing to apply, or why it must not be
// done. On a terminal it asks the question.
func mayApply(c *cli.Context, s streams, p *plan.Plan, question string) (stop bool, err error) {
	switch {
	case p.Verdict == plan.Undetermined, p.Verdict == plan.Blocked:
		return true, &statusError{planStatus(p, false), fmt.Errorf("nothing was applied: the plan is %s%s", p.Verdict, howToAccept(c, p))}
	case p.Summary.Steps == 0:
		return true, nil
	case p.Frozen:
		return true, &statusError{exitBlocked, errors.New("nothing was applied: the guard block says frozen = true")}
	case c.Bool("auto-approve"):
		return false, nil
	case !s.terminal:
		return true, errors.New("nothing was applied: there is no terminal to ask on; use --auto-approve")
	}
	answer, err := ask(c.Context, s, "\n"+question+" Only \"yes\" goes on: ")
	if answer == "yes" {
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("nothing was applied: %w", err)
	}
	return true, errors.New("nothing was applied")
}

// consoleMode returns what to make of console steps.
func consoleMode(c *cli.Context, s streams, conn *providers.Connection) (apply.ConsoleMode, error) {
	switch mode := apply.ConsoleMode(c.String("console")); {
	case mode == apply.Auto && !conn.Emulated:
		return "", usage("--console auto is for the embedded emulator only: a person has to do the console steps of a real organization")
	case mode == apply.Auto, mode == apply.Wait, mode == apply.Stop:
		return mode, nil
	case mode != "":
		return "", usage("--console %q: use auto, wait or stop", mode)
	case conn.Emulated:
		return apply.Auto, nil
	case s.terminal:
		return apply.Wait, nil
	}
	return apply.Stop, nil
}

// lock makes sure that one apply at a time works on a configuration.
func lock(dir string) (unlock func(), err error) { return lockFor(dir, "apply") }

// lockFor makes sure that one run at a time of a command works on a
// configuration.
func lockFor(dir, command string) (unlock func(), err error) {
	path := filepath.Join(dir, ownDir, command+".lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".gitignore"), []byte("*\n"), 0o600); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	l := flock.New(path)
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !ok {
		return nil, fmt.Errorf("another %s of %s is under way (it holds %s); wait until it is done", command, dir, path)
	}
	return func() { _ = l.Unlock() }, nil // the end of the process unlocks it too
}

// writeResult prints the result of an apply as JSON; cause is what it ended
// with.
func writeResult(s streams, p *plan.Plan, r apply.Result, cause error) error {
	how := outcome(cause)
	message := ""
	if cause == nil && r.Done == 0 {
		how = "nothing"
	}
	if cause != nil {
		message = cause.Error()
	}
	waiting := []plan.StepView{}
	for _, st := range p.Stages {
		for _, v := range st.Steps {
			for _, w := range r.Waiting {
				if w.ID == v.ID {
					waiting = append(waiting, v)
				}
			}
		}
	}
	return writeJSON(s, map[string]any{"format_version": p.FormatVersion, "organization": p.Organization, "outcome": how, "message": message,
		"total": p.Summary.Steps, "done": r.Done, "unproven": len(r.Unproven), "waiting": waiting, "findings": p.Findings})
}
