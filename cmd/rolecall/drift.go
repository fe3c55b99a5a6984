package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/apply/journal"
	"github.com/rolecall/rolecall/cmd/rolecall/internal/pullrequest"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/render"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

var driftFormats = []string{"text", "json", "markdown"}

func driftCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "drift", Usage: "show what is live and not as described, who changed it, and when", ArgsUsage: "[ADDRESS…]",
		UsageText: "rolecall drift [options] [ADDRESS…]\n\n   rolecall drift -C examples/acme\n   rolecall drift -C examples/acme --accept group.marketing",
		Description: "Reads the live organization and cannot write to it. What is held, by a closed wave or a hold block, is no drift.\n" +
			"Exits with 2 if anything differs. --accept writes the live values into the configuration, in place; look at the\n" +
			"change, and commit it. To put the organization back as it is described instead, run apply.",
		Flags: append(commonFlags(driftFormats...),
			&cli.BoolFlag{Name: "accept", Usage: "write the live values into the configuration: of the objects named by ADDRESS, or of all"},
			&cli.BoolFlag{Name: "github", Usage: "keep one issue about what differs; it is closed when nothing does"},
			repoFlag(),
			peopleFlag(),
			snapshotFlag(),
			cacheFlag(),
			&cli.BoolFlag{Name: "stats", Usage: "print how many requests were sent and how long it took, on stderr"},
			&cli.BoolFlag{Name: "reset", Usage: "start the embedded emulator over from its seed"},
		),
		Action: func(c *cli.Context) error { return doDrift(c, s) },
	}
}

func doDrift(c *cli.Context, s streams) error {
	log, err := setUp(c, s, driftFormats...)
	if err != nil {
		return err
	}
	if c.NArg() > 0 && !c.Bool("accept") {
		return usage("drift looks at everything; ADDRESS goes with --accept")
	}
	if c.Bool("accept") && c.Bool("github") {
		return usage("--accept changes the configuration, and --github reports on it; give one of the two")
	}
	o, err := renderOptions(c, s)
	if err != nil {
		return err
	}
	cfg, err := load(c, s)
	if err != nil {
		return err
	}
	var gh *pullrequest.Client
	if c.Bool("github") {
		if gh, err = toGitHub(c, s); err != nil {
			return err
		}
	}
	conn, err := connect(c, s, cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	read := &remembering{Reader: conn.Reader}
	p, err := makePlan(c.Context, c, s, cfg, read, log)
	if err != nil {
		return err
	}
	d := p.Drift()
	if err := whoDrifted(c, conn, p, d); err != nil {
		fmt.Fprintln(s.err, "rolecall: who changed it is not known for all: "+schema.PrintableLines(err.Error()))
	}
	if c.Bool("accept") {
		return acceptDrift(c, s, cfg, read.live, p, d)
	}
	if gh != nil {
		if err := keepDrift(c, gh, d); err != nil {
			return err
		}
	}
	shown, err := d.Call(o.People)
	if err != nil {
		return err
	}
	switch c.String("format") {
	case "json":
		err = writeJSON(s, shown)
	case "markdown":
		err = render.DriftMarkdown(s.out, shown, 0)
	default:
		if err = render.DriftText(s.out, shown, o.Style); err == nil && len(d.Objects) > 0 {
			_, err = fmt.Fprintf(s.out, "\nTo put the organization back as described: rolecall apply -C %[1]s\nTo take over what is live: rolecall drift -C %[1]s --accept [ADDRESS…]\n", schema.Printable(c.String("C")))
		}
	}
	return errors.Join(err, status(driftStatus(d)))
}

// driftStatus returns the exit status of a drift.
func driftStatus(d *plan.Drift) int {
	switch d.Verdict {
	case plan.DriftUnproven:
		return exitUndetermined
	case plan.Differs:
		return exitDifferences
	}
	return exitOK
}

// whoDrifted adds who changed each object last, as far as the system tells, and
// the last apply that touched it, as far as the journals here do. What is not
// known is left out, and the error says why.
func whoDrifted(c *cli.Context, conn *providers.Connection, p *plan.Plan, d *plan.Drift) error {
	if len(d.Objects) == 0 {
		return nil
	}
	applied, err := journal.Last(filepath.Join(c.String("C"), ownDir, journalDir))
	for _, m := range p.Moved { // journals know it by the address it had then
		if last, ok := applied[string(m.From)]; ok && last.At.After(applied[string(m.To)].At) {
			applied[string(m.To)] = last
		}
	}
	var live []*schema.Object
	for _, o := range d.Objects {
		for _, s := range []*schema.State{p.Live, p.Desired} {
			if x := s.Objects[o.Address]; x != nil {
				live = append(live, x)
				break
			}
		}
	}
	var changed map[schema.Address]providers.Activity
	if h, ok := conn.Reader.(providers.Historian); ok {
		list, e := h.History(c.Context, live)
		changed, err = list, errors.Join(err, e)
	}
	for i := range d.Objects {
		o := &d.Objects[i]
		if a, ok := changed[o.Address]; ok {
			o.Changed = &plan.LastChange{At: a.At, By: a.By, What: a.What}
		}
		if a, ok := applied[string(o.Address)]; ok {
			o.Applied = &plan.LastChange{At: a.At, By: a.Actor, What: a.Step, Commit: a.Commit}
		}
	}
	return err
}

// keepDrift keeps the issue about what differs, and closes it when nothing
// does. What could not be read closes nothing.
func keepDrift(c *cli.Context, gh *pullrequest.Client, d *plan.Drift) error {
	marker := pullrequest.Marker("drift", d.Organization)
	if len(d.Objects) == 0 {
		if d.Verdict != plan.Clean {
			return nil
		}
		_, err := gh.CloseIssue(c.Context, marker, "The live organization is as described.\n")
		return err
	}
	people := plan.Full
	private, err := gh.Private(c.Context)
	if err != nil {
		return err
	}
	if !private {
		people = plan.Counts
	}
	shown, err := d.Call(people)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := render.DriftMarkdown(&b, shown, pullrequest.MaxBody-margin); err != nil {
		return err
	}
	b.WriteString("\nRun `rolecall apply` to put it back, or `rolecall drift --accept` and commit to take it over. This issue closes itself when nothing differs.\n")
	_, err = gh.PutIssue(c.Context, marker, fmt.Sprintf("%s: %s changed by hand", checkName(d.Organization), schema.Count(len(d.Objects), "object")), b.String())
	return err
}
