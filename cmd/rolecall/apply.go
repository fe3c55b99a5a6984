package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/apply"
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
		Flags: append(commonFlags("text", "json"),
			&cli.BoolFlag{Name: "auto-approve", Usage: "do not ask"},
			&cli.StringFlag{Name: "console", Usage: "what to make of console steps: `auto|wait|stop` (default: auto on the emulator, wait on a terminal, else stop)"},
			&cli.StringSliceFlag{Name: "accept", Usage: "accept one guard or finding by `NAME`, such as guard.max_removals"},
			&cli.BoolFlag{Name: "stats", Usage: "print how many requests were sent and how long it took, on stderr"},
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
	unlock, err := lock(c.String("C"))
	if err != nil {
		return err
	}
	defer unlock()
	conn, err := connect(c, s, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	mode, err := consoleMode(c, s, conn)
	if err != nil {
		return err
	}
	p, err := makePlan(c.Context, c, s, cfg, conn.Reader, log)
	if err != nil {
		return err
	}
	json := c.String("format") == "json"
	if !json {
		if err := show(c, s, p); err != nil {
			return err
		}
	}
	if stop, err := mayApply(c, s, p); stop || err != nil {
		if json {
			return errors.Join(writeResult(s, p, apply.Result{}), err)
		}
		return err
	}
	watch := newWatcher(s)
	result, err := apply.Run(c.Context, apply.Options{Plan: p, Reader: conn.Reader, Editor: conn.Editor, Console: mode, Observe: watch.observe})
	watch.close(err)
	if json {
		err = errors.Join(err, writeResult(s, p, result))
	}
	if err != nil {
		return err
	}
	after, err := makePlan(c.Context, c, s, cfg, conn.Reader, log)
	if err != nil {
		return fmt.Errorf("everything was applied and read back, but the last look failed: %w", err)
	}
	if after.Summary.Steps > 0 {
		if err := render.Text(s.err, after, style()); err != nil {
			return err
		}
		return fmt.Errorf("everything was applied and read back, and the organization still differs: %d steps are left; plan again", after.Summary.Steps)
	}
	if !json {
		_, err = fmt.Fprintf(s.out, "\nApplied: %d steps, all read back. %s is as described.\n", result.Done, schema.Printable(p.Organization))
	}
	return err
}

// mayApply reports whether there is nothing to apply, or why it must not be
// done.
func mayApply(c *cli.Context, s streams, p *plan.Plan) (stop bool, err error) {
	switch {
	case p.Verdict == plan.Undetermined, p.Verdict == plan.Blocked:
		return true, &statusError{planStatus(p, false), fmt.Errorf("nothing was applied: the plan is %s", p.Verdict)}
	case p.Summary.Steps == 0:
		return true, nil
	case p.Frozen:
		return true, &statusError{exitBlocked, errors.New("nothing was applied: the guard block says frozen = true")}
	case c.Bool("auto-approve"):
		return false, nil
	case !s.terminal:
		return true, errors.New("nothing was applied: there is no terminal to ask on; use --auto-approve")
	}
	fmt.Fprintf(s.out, "\nApply this to %s? Only \"yes\" goes on: ", schema.Printable(p.Organization))
	answer, err := bufio.NewReader(s.in).ReadString('\n')
	if strings.TrimSpace(answer) == "yes" {
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
func lock(dir string) (unlock func(), err error) {
	path := filepath.Join(dir, ".rolecall", "apply.lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	l := flock.New(path)
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !ok {
		return nil, fmt.Errorf("another apply of %s is under way (it holds %s); wait until it is done", dir, path)
	}
	return func() { _ = l.Unlock() }, nil // the end of the process unlocks it too
}

// writeResult prints the result of an apply as JSON.
func writeResult(s streams, p *plan.Plan, r apply.Result) error {
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
	return writeJSON(s, map[string]any{"format_version": p.FormatVersion, "organization": p.Organization, "verdict": p.Verdict,
		"steps": p.Summary.Steps, "done": r.Done, "waiting": waiting, "findings": p.Findings})
}
