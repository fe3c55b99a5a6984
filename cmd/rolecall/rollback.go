package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/apply"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/render"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

func rollbackCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "rollback", Usage: "plan the way back to a snapshot, ask, and carry it out", ArgsUsage: "SNAPSHOT",
		UsageText: "rolecall rollback [options] SNAPSHOT\n\n   rolecall snapshot -C examples/acme -o acme.snapshot.json\n   rolecall rollback -C examples/acme acme.snapshot.json --no-edit",
		Description: "Every apply keeps the state before it in .rolecall/snapshots. A rollback leads from what is live to that state,\n" +
			"in a safe order, with the guards of the configuration. Groups and roles made since are removed; nobody is taken\n" +
			"out of the organization. What cannot be put back is listed. Then the configuration is edited, so that the next\n" +
			"apply does not undo it: look at the change, and commit it.",
		Flags: append(commonFlags("text", "json"),
			&cli.BoolFlag{Name: "auto-approve", Usage: "do not ask"},
			&cli.StringFlag{Name: "console", Usage: "what to make of console steps: `auto|wait|stop` (default: auto on the emulator, wait on a terminal, else stop)"},
			&cli.StringSliceFlag{Name: "accept", Usage: "accept one guard or finding by `NAME`, such as guard.max_removals"},
			&cli.BoolFlag{Name: "accept-gaps", Usage: "where there is no safe order, let members be without something for a while; nobody gets too much"},
			&cli.BoolFlag{Name: "no-edit", Usage: "leave the configuration as it is"},
			&cli.DurationFlag{Name: "max-duration", Usage: "stop safely after `TIME`, such as 50m, with status 7; the same rollback goes on"},
		),
		Action: func(c *cli.Context) error { return doRollback(c, s) },
	}
}

// A rolledBack is the outcome of a rollback.
type rolledBack struct {
	plan   *plan.Plan
	result apply.Result
	left   []plan.Left // what is not as it was
	edited []schema.Address
	byHand []byHandItem
}

func doRollback(c *cli.Context, s streams) (err error) {
	log, err := setUp(c, s, "text", "json")
	if err != nil {
		return err
	}
	if c.NArg() != 1 {
		return whichSnapshot(c)
	}
	start := time.Now()
	until, err := deadline(c, start)
	if err != nil {
		return err
	}
	cfg, err := load(c, s)
	if err != nil {
		return err
	}
	snap, err := openSnapshot(c.Args().First(), cfg.System.Name)
	if err != nil {
		return err
	}
	unlock, err := lock(c.String("C"))
	if err != nil {
		return err
	}
	defer unlock()
	conn, editor, err := cfg.kind.ConnectToWrite(c.Context, cfg.Config, environment(c, s))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	mode, err := consoleMode(c, s, conn)
	if err != nil {
		return err
	}
	back, former, err := wayBack(c, cfg, conn, snap)
	if err != nil {
		return err
	}
	read := &remembering{Reader: conn.Reader}
	p, err := makePlan(c.Context, c, s, former, read, log)
	if err != nil {
		return err
	}
	out := &rolledBack{plan: p, left: append(back.Left, back.Unwritten(p)...)}
	asJSON := c.String("format") == "json"
	if !asJSON {
		if err := render.Text(s.out, p, render.Options{Style: style(), Width: s.width}); err != nil {
			return err
		}
		out.showLeft(s, snap)
	}
	stop, err := mayApply(c, s, p, out.question(snap))
	if err == nil && !stop {
		run := &running{start: start, cfg: former, conn: conn, editor: editor, read: read, mode: mode, until: until}
		if out.result, err = run.carryOut(c, s, p); err == nil {
			err = out.confirm(c, s, former, conn.Reader, log)
		}
	}
	if err == nil && !c.Bool("no-edit") {
		err = out.edit(c, s, cfg, conn.Reader, log, stop)
	}
	if asJSON {
		return errors.Join(err, out.writeJSON(s, err))
	}
	return err
}

// maxOffered is how many snapshots are offered where none was named.
const maxOffered = 5

// whichSnapshot says which states a rollback can lead to: those before the last
// applies, the newest first.
func whichSnapshot(c *cli.Context) error {
	if c.NArg() > 1 {
		return usage("rollback takes one argument, the file of a snapshot, and was given %d", c.NArg())
	}
	files, err := filepath.Glob(filepath.Join(c.String("C"), ownDir, snapshotsDir, "*.json")) // by name, which is the time
	if err != nil || len(files) == 0 {
		return usage("rollback to which state? Name the file of a snapshot; %s holds none of an apply", filepath.Join(c.String("C"), ownDir, snapshotsDir))
	}
	slices.Reverse(files)
	lines := []string{"rollback to which state? These are kept, the newest first:"}
	for _, f := range files[:min(len(files), maxOffered)] {
		lines = append(lines, "   "+again(c, shellWord(f)))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// wayBack returns the way from what is live to a snapshot, and the configuration
// that a plan of it is made from: that of the directory, with its guards, rules
// and holds, but describing the snapshot. Its tests are of the state that it
// describes, and not of one before.
func wayBack(c *cli.Context, cfg *configuration, conn *providers.Connection, snap *schema.Snapshot) (*plan.Back, *configuration, error) {
	path := c.Args().First()
	if snap.Pseudonymised {
		return nil, nil, fmt.Errorf("%s is pseudonymised: no name or id in it is a real one, so nothing can be put back from it", path)
	}
	live, err := conn.Reader.Read(c.Context)
	if err != nil {
		return nil, nil, err
	}
	if o := live.Objects["organization"]; o != nil && !strings.EqualFold(o.ID, snap.ID) {
		return nil, nil, fmt.Errorf("nothing was applied: %s is a snapshot of %s (%s), and the live organization is %s (%s)", path, snap.ID, snap.Name, o.ID, o.Key)
	}
	before, err := providers.Offline(snap, cfg.system).Reader.Read(c.Context)
	if err != nil {
		return nil, nil, err
	}
	at := hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}
	var observed map[string][]string
	if s, ok := cfg.system.(providers.Observer); ok {
		observed = s.Observed()
	}
	back := plan.WayBack(cfg.description, live, before, observed, at)
	former, config := *cfg, *cfg.Config
	config.Removals, config.Moves, config.Tests = back.Removals, nil, nil
	former.Config, former.description, former.back = &config, back.Description, true
	return back, &former, nil
}

// question asks for a rollback, with what is taken from how many.
func (out *rolledBack) question(snap *schema.Snapshot) string {
	sum, what := out.plan.Summary, []string{}
	if sum.MembersLosing > 0 {
		what = append(what, verbed(sum.MembersLosing, "loses", "lose")+" something")
	}
	if sum.MembersGaining > 0 {
		what = append(what, verbed(sum.MembersGaining, "gains", "gain")+" something")
	}
	if sum.Delete > 0 {
		what = append(what, schema.Count(sum.Delete, "object")+" deleted")
	}
	if len(what) == 0 {
		what = append(what, "nobody's access changes")
	}
	return fmt.Sprintf("Take %s back to %s? %s.", schema.Printable(out.plan.Organization), snap.TakenAt.Format(time.RFC3339), strings.Join(what, ", "))
}

// confirm looks whether everything is as it was.
func (out *rolledBack) confirm(c *cli.Context, s streams, former *configuration, reader providers.Reader, log *slog.Logger) error {
	after, err := makePlan(c.Context, c, s, former, reader, log)
	if err != nil {
		return fmt.Errorf("everything was carried out and read back, but the last look failed: %w", err)
	}
	if after.Summary.Steps > 0 { // held steps are not among them
		return fmt.Errorf("everything was carried out and read back, and the organization is not yet as it was: %d steps are left; roll back again", after.Summary.Steps)
	}
	if c.String("format") != "json" {
		fmt.Fprintf(s.out, "\nRolled back: %s. %s is as it was, but for what is listed above.\n", schema.Count(out.result.Done, "step"), schema.Printable(out.plan.Organization))
	}
	return nil
}

// edit writes what is live into the configuration, so that the next apply does
// not undo the rollback. If there was nothing to carry out nobody has agreed to
// anything yet, and is asked.
func (out *rolledBack) edit(c *cli.Context, s streams, cfg *configuration, reader providers.Reader, log *slog.Logger, asks bool) error {
	read := &remembering{Reader: reader}
	next, err := makePlan(c.Context, c, s, cfg, read, log)
	if err != nil {
		return fmt.Errorf("the configuration was not edited: %w", err)
	}
	differing := next.Drift().Objects
	t, err := takeOver(c, s, cfg, read.live, next, differing)
	if err != nil {
		return fmt.Errorf("the configuration was not edited: %w", err)
	}
	for _, o := range differing {
		if why, ok := t.byHand[o.Address]; ok {
			out.byHand = append(out.byHand, byHandItem{o.Address, why})
		} else {
			out.edited = append(out.edited, o.Address)
		}
	}
	text := c.String("format") != "json"
	if text {
		if asks {
			fmt.Fprintf(s.out, "\nNothing to carry out: %s is as it was, but for what is listed above.\n", schema.Printable(out.plan.Organization))
		}
		t.show(s)
		for _, h := range out.byHand {
			fmt.Fprintf(s.out, "By hand, or the next apply undoes it: %s: %s\n", schema.Printable(string(h.Address)), schema.Printable(h.Why))
		}
	}
	if len(t.files) == 0 {
		return nil
	}
	if asks {
		if err := out.mayEdit(c, s); err != nil {
			out.edited = nil
			return err
		}
	}
	if err := t.files.write(c.Context, c.String("C"), true); err != nil {
		out.edited = nil
		return fmt.Errorf("the configuration was not edited: %w", err)
	}
	if text {
		fmt.Fprintln(s.out, "The configuration was edited as shown. Look at the change, and commit it.")
	}
	return nil
}

// mayEdit asks whether the configuration is to be edited.
func (out *rolledBack) mayEdit(c *cli.Context, s streams) error {
	const how = "the configuration was not edited"
	switch {
	case c.Bool("auto-approve"):
		return nil
	case !s.terminal:
		return errors.New(how + ": there is no terminal to ask on; use --auto-approve, or --no-edit")
	}
	answer, err := ask(c.Context, s, "\nWrite this into the configuration? Only \"yes\" goes on: ")
	if answer == "yes" {
		return nil
	}
	if err != nil {
		return fmt.Errorf(how+": %w", err)
	}
	return errors.New(how)
}

// showLeft lists what is not put back.
func (out *rolledBack) showLeft(s streams, snap *schema.Snapshot) {
	fmt.Fprintf(s.out, "\nBack to %s.\n", snap.TakenAt.Format(time.RFC3339))
	for _, l := range out.left {
		fmt.Fprintf(s.out, "Not put back: %s\n", schema.Printable(strings.TrimPrefix(string(l.Address)+": "+l.Why, ": ")))
	}
}

// writeJSON prints how the rollback ended; cause is what it ended with.
func (out *rolledBack) writeJSON(s streams, cause error) error {
	how, message := outcome(cause), ""
	if cause != nil {
		message = cause.Error()
	} else if out.result.Done == 0 {
		how = "nothing"
	}
	return writeJSON(s, map[string]any{"format_version": "1.0", "organization": out.plan.Organization, "outcome": how, "message": message,
		"total": out.plan.Summary.Steps, "done": out.result.Done, "findings": out.plan.Findings,
		"left": append([]plan.Left{}, out.left...), "edited": append([]schema.Address{}, out.edited...), "by_hand": append([]byHandItem{}, out.byHand...)})
}
