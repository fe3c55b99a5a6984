package main

import (
	"errors"
	"fmt"
	"log/slog"
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
		UsageText: "rolecall rollback [options] SNAPSHOT\n\n   rolecall snapshot -C examples/acme -o acme.snapshot.json\n   rolecall rollback -C examples/acme acme.snapshot.json",
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
		return usage("rollback takes one argument, the file of a snapshot")
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
	stop, err := mayApply(c, s, p)
	if err == nil && !stop {
		run := &running{start: start, cfg: former, conn: conn, editor: editor, read: read, mode: mode, until: until}
		out.result, err = run.carryOut(c, s, p)
	}
	if err == nil {
		err = out.confirm(c, s, cfg, former, conn.Reader, log)
	}
	if asJSON {
		return errors.Join(err, out.writeJSON(s, err))
	}
	return err
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
	back := plan.WayBack(cfg.description, live, before, at)
	former, config := *cfg, *cfg.Config
	config.Removals, config.Moves, config.Tests = back.Removals, nil, nil
	former.Config, former.description = &config, back.Description
	return back, &former, nil
}

// confirm looks whether everything is as it was, and edits the configuration.
func (out *rolledBack) confirm(c *cli.Context, s streams, cfg, former *configuration, reader providers.Reader, log *slog.Logger) error {
	after, err := makePlan(c.Context, c, s, former, reader, log)
	if err != nil {
		return fmt.Errorf("everything was carried out and read back, but the last look failed: %w", err)
	}
	if after.Summary.Steps > after.Summary.HeldSteps {
		return fmt.Errorf("everything was carried out and read back, and the organization is not yet as it was: %d steps are left; roll back again", after.Summary.Steps)
	}
	text := c.String("format") != "json"
	if text {
		fmt.Fprintf(s.out, "\nRolled back: %s. %s is as it was, but for what is listed above.\n", schema.Count(out.result.Done, "step"), schema.Printable(out.plan.Organization))
	}
	if c.Bool("no-edit") {
		return nil
	}
	read := &remembering{Reader: reader}
	next, err := makePlan(c.Context, c, s, cfg, read, log)
	if err != nil {
		return fmt.Errorf("rolled back, but the configuration was not edited: %w", err)
	}
	differing := next.Drift().Objects
	t, err := takeOver(c, s, cfg, read.live, next, differing)
	if err != nil {
		return fmt.Errorf("rolled back, but the configuration was not edited: %w", err)
	}
	if err := t.files.write(c.Context, c.String("C"), true); err != nil {
		return fmt.Errorf("rolled back, but the configuration was not edited: %w", err)
	}
	for _, o := range differing {
		if why, ok := t.byHand[o.Address]; ok {
			out.byHand = append(out.byHand, byHandItem{o.Address, why})
		} else {
			out.edited = append(out.edited, o.Address)
		}
	}
	if !text {
		return nil
	}
	t.show(s)
	for _, h := range out.byHand {
		fmt.Fprintf(s.out, "By hand, or the next apply undoes it: %s: %s\n", schema.Printable(string(h.Address)), schema.Printable(h.Why))
	}
	return nil
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
