package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/apply/journal"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/schema"
)

func confirmCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "confirm", Usage: "note in the ledger that console steps were done which no read shows", ArgsUsage: "STEP…",
		UsageText: "rolecall confirm STEP… [options]\n\n   rolecall confirm -C examples/studio integration.hubspot/connect --by Liv",
		Description: "Writes into ledger.json, beside the configuration, what the steps leave behind, with who says so, when, and\n" +
			"for which configuration. Steps are called as plan and apply call them. Nothing is sent anywhere and nothing\n" +
			"is pushed: commit the file, and have it reviewed like the configuration.",
		Flags: append(commonFlags("text", "json"),
			&cli.StringFlag{Name: "by", Usage: "confirm as `NAME` (default: user.name and user.email of git, else the login name)"},
		),
		Action: func(c *cli.Context) error { return doConfirm(c, s) },
	}
}

func doConfirm(c *cli.Context, s streams) error {
	log, err := setUp(c, s, "text", "json")
	if err != nil {
		return err
	}
	if !c.Args().Present() {
		return usage("confirm which steps? Name them as plan shows them")
	}
	by := strings.TrimSpace(c.String("by"))
	if by == "" {
		by = whoami(s)
	}
	if by == "" {
		return usage("nobody is known to confirm: give --by NAME")
	}
	at, err := now(c, s)
	if err != nil {
		return err
	}
	cfg, err := load(c, s)
	if err != nil {
		return err
	}
	unlock, err := lockFor(c.String("C"), "confirm") // not that of apply, which may be waiting for this
	if err != nil {
		return err
	}
	defer unlock()
	conn, err := connect(c, s, cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	p, err := makePlan(c.Context, c, s, cfg, conn.Reader, log)
	if err != nil {
		return err
	}
	steps, err := confirmable(p, c.Args().Slice())
	if err != nil {
		return err
	}
	l, err := ledger.For(cfg.Config)
	if err != nil {
		return err
	}
	for _, step := range steps {
		l.Record(step.Effects, ledger.Entry{By: by, At: at, Configuration: cfg.Digest})
	}
	if err := l.Save(); err != nil {
		return err
	}
	left := p.Summary.Steps - len(steps)
	if c.String("format") == "json" {
		ids := make([]string, len(steps))
		for i, step := range steps {
			ids[i] = step.ID
		}
		return writeJSON(s, map[string]any{"format_version": "1.0", "confirmed": ids, "by": by, "ledger": l.Path(), "left": left})
	}
	_, err = fmt.Fprintf(s.out, "%s confirmed by %s in %s; %s left. Commit the file.\n",
		schema.Count(len(steps), "step"), schema.Printable(by), schema.Printable(l.Path()), schema.Count(left, "step"))
	return err
}

// confirmable returns the named steps of a plan, what must precede first. A
// step is refused if rolecall can do it or see it by itself, if its place in
// the plan has not come, or if it is not in the plan at all.
func confirmable(p *plan.Plan, ids []string) ([]*schema.Step, error) {
	held := map[string]bool{}
	var order []string
	for _, st := range p.Stages {
		for _, v := range st.Steps {
			held[v.ID] = st.Held
			order = append(order, v.ID)
		}
	}
	ids = slices.Clone(ids)
	for i, id := range ids {
		id = schema.Spelled(id, order)
		ids[i] = id
		step := p.Steps[id]
		switch {
		case step == nil:
			if n := schema.Nearest(id, order); n != "" {
				return nil, usage("the plan has no step %q; did you mean %q?", id, n)
			}
			return nil, usage("the plan has no step %q: see rolecall plan for those it has", id)
		case held[id]:
			return nil, fmt.Errorf("step %s is held, so it is not to be done yet", id)
		case step.Via == schema.ByAPI:
			return nil, fmt.Errorf("step %s is one that rolecall does by itself: run apply", id)
		case slices.Contains([]schema.Proof{schema.Exact, schema.Event, schema.Deferred}, step.Proof):
			return nil, fmt.Errorf("step %s needs no word of yours: a read shows it (proof: %s). Run apply again once it is done", id, step.Proof)
		}
		for _, need := range step.Needs {
			if !slices.Contains(ids, need) {
				return nil, fmt.Errorf("step %s comes after %s: confirm that one too, or do it first", id, need)
			}
		}
	}
	var steps []*schema.Step
	for done := map[string]bool{}; len(steps) < len(p.Steps); {
		before := len(steps)
		for _, id := range order {
			if step := p.Steps[id]; slices.Contains(ids, id) && !done[id] && !slices.ContainsFunc(step.Needs, func(n string) bool { return !done[n] }) {
				done[id] = true
				steps = append(steps, step)
			}
		}
		if len(steps) == before {
			break
		}
	}
	return steps, nil
}

// whoami returns who works here, as far as it is known.
func whoami(s streams) string {
	var parts []string
	for _, key := range []string{"user.name", "user.email"} {
		out, err := exec.Command("git", "config", key).Output()
		if v := strings.TrimSpace(string(out)); err == nil && v != "" {
			parts = append(parts, v)
		}
	}
	if len(parts) == 2 {
		return parts[0] + " <" + parts[1] + ">"
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return s.getenv("USER")
}

// writtenDown returns what says whether the ledger holds what a step leaves
// behind where no read shows it: the same values, for this configuration, and
// confirmed since the step was last asked for. What was confirmed before that
// may have been undone. The file is read anew each time.
func writtenDown(cfg *configuration, start time.Time) func(*schema.Step) (bool, error) {
	asked := askedFor(cfg.Dir)
	return func(step *schema.Step) (bool, error) {
		l, err := ledger.For(cfg.Config)
		if err != nil {
			return false, err
		}
		since, ok := asked[step.ID]
		if !ok {
			since = start
		}
		for _, e := range step.Effects {
			entry, ok := l.Lookup(e.Addr, e.Attr, since.UTC().Truncate(time.Second))
			if e.Op == schema.Drop && e.Attr == "" {
				return false, nil // leaves no entry behind: only a read shows it
			}
			if !ok || entry.Configuration != cfg.Digest {
				return false, nil
			}
			o := &schema.Object{Type: e.Addr.Type(), Addr: e.Addr}
			if e.Attr == "" {
				continue
			}
			o.Put(e.Attr, entry.Value)
			if !e.Make(o).Get(e.Attr).Equal(entry.Value) { // the effect is in it already
				return false, nil
			}
		}
		return len(step.Effects) > 0, nil
	}
}

// askedFor returns when the last apply of a configuration showed which console
// steps. A journal that cannot be read knows of none.
func askedFor(dir string) map[string]time.Time {
	asked := map[string]time.Time{}
	files, err := journal.List(filepath.Join(dir, ownDir, journalDir))
	if err != nil || len(files) == 0 {
		return asked
	}
	records, err := journal.Read(files[len(files)-1])
	if err != nil {
		return asked
	}
	for _, r := range records {
		if r.Kind == journal.Console {
			asked[r.Step] = r.At
		}
	}
	return asked
}
