package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

func planCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "plan", Usage: "show who gains and who loses what, and in which steps",
		UsageText: "rolecall plan [options]\n\n   rolecall plan -C examples/acme\n   rolecall plan -C examples/acme --format json\n   rolecall plan -C examples/acme --against examples/acme\n   rolecall plan --prove change.plan",
		Description: "Compares the configuration with the live organization. It reads and cannot write.\n" +
			"Blocked plans exit with 3, plans that hang on something unreadable with 5.",
		Flags: append(append(commonFlags(planFormats...), limitFlags()...),
			&cli.BoolFlag{Name: "detailed-exitcode", Usage: "exit with 2 if there are changes"},
			authorFlag(),
			&cli.StringSliceFlag{Name: "accept", Usage: "accept one guard or finding by `NAME`, such as guard.max_removals"},
			&cli.BoolFlag{Name: "stats", Usage: "print how many requests were sent and how long it took, on stderr"},
			peopleFlag(),
			&cli.StringFlag{Name: "out", Usage: "save the plan to `FILE`, for show, plan --prove and apply"},
			&cli.StringFlag{Name: "prove", Usage: "check the saved plan `FILE` again, from its own contents, and do nothing else"},
			snapshotFlag(),
			&cli.StringFlag{Name: "against", Usage: "compare with the configuration in `DIR`, or with a snapshot, without any key or network; the plan is only to look at"},
			cacheFlag(),
			&cli.BoolFlag{Name: "reset", Usage: "start the embedded emulator over from its seed"},
		),
		Action: func(c *cli.Context) error { return doPlan(c, s) },
	}
}

func doPlan(c *cli.Context, s streams) error {
	log, err := setUp(c, s, planFormats...)
	if err != nil {
		return err
	}
	if path := c.String("prove"); path != "" {
		return provePlan(c, s, path)
	}
	cfg, err := load(c, s)
	if err != nil {
		return err
	}
	conn, err := connect(c, s, cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	p, err := makePlan(c.Context, c, s, cfg, conn.Reader, log)
	if err != nil {
		return err
	}
	if path := c.String("out"); path != "" {
		if err := savePlan(path, p); err != nil {
			return err
		}
	}
	if err := show(c, s, p); err != nil {
		return err
	}
	return status(planStatus(p, c.Bool("detailed-exitcode")))
}

// limitFlags limit what a plan carries out. The analysis always covers the
// whole organization.
func limitFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "only", Usage: "carry out only the steps of `PHASE,…`"},
		&cli.StringSliceFlag{Name: "target", Usage: "carry out only the steps that touch `ADDRESS`"},
		&cli.BoolFlag{Name: "narrow-only", Usage: "carry out only what takes away, whatever else is unfinished: for offboarding and incidents"},
		&cli.BoolFlag{Name: "accept-gaps", Usage: "where there is no safe order, let members be without something for a while; nobody gets too much"},
	}
}

// savePlan writes a plan to a file that only its owner can read: it names
// people and what they can do.
func savePlan(path string, p *plan.Plan) error {
	b, err := p.Save()
	if err != nil {
		return err
	}
	if err := maybe.WriteFile(path, b, 0o600); err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	return nil
}

// makePlan reads the live organization and plans. It holds a reader, so it
// cannot write.
func makePlan(ctx context.Context, c *cli.Context, s streams, cfg *configuration, reader providers.Reader, log *slog.Logger) (*plan.Plan, error) {
	return makePlanWith(ctx, c, s, cfg, reader, log, planOptions(c))
}

// planOptions returns what the flags ask for.
func planOptions(c *cli.Context) plan.Options {
	o := plan.Options{Accept: c.StringSlice("accept"), AcceptGaps: c.Bool("accept-gaps"), NarrowOnly: c.Bool("narrow-only"), Only: c.StringSlice("only")}
	for _, t := range c.StringSlice("target") {
		o.Targets = append(o.Targets, schema.Address(t))
	}
	return o
}

// makePlanWith is makePlan with options that may come from a saved plan.
func makePlanWith(ctx context.Context, c *cli.Context, s streams, cfg *configuration, reader providers.Reader, log *slog.Logger, o plan.Options) (*plan.Plan, error) {
	at, err := now(c, s)
	if err != nil {
		return nil, err
	}
	for _, name := range o.Accept {
		if known := plan.Acceptable(); !slices.Contains(known, name) {
			if n := schema.Nearest(name, known); n != "" {
				return nil, usage("--accept %q: there is no such guard or check that can be accepted; did you mean %q?", name, n)
			}
			return nil, usage("--accept %q: there is no such guard or check that can be accepted; there are %s", name, strings.Join(known, ", "))
		}
	}
	start := time.Now()
	live, err := reader.Read(ctx)
	if err != nil {
		return nil, err
	}
	read := time.Since(start)
	p, err := plan.Build(plan.Input{
		Config: cfg.Config, Description: cfg.description, System: cfg.system, Live: live, Against: c.String("against"),
		Version: version, Now: at, Accept: o.Accept, Author: author(c), Only: o.Only, Targets: o.Targets,
		Order: plan.OrderOptions{NarrowOnly: o.NarrowOnly, AcceptGaps: o.AcceptGaps, Back: cfg.back},
	})
	if err != nil {
		return nil, err
	}
	log.Info("planned", "requests", reader.Requests(), "read", read, "plan", time.Since(start)-read)
	if c.Bool("stats") {
		fmt.Fprintf(s.err, "rolecall: %d requests, read in %.2f s, planned in %.2f s\n", reader.Requests(), read.Seconds(), (time.Since(start) - read).Seconds())
	}
	return p, nil
}

// planStatus returns the exit status of a plan.
func planStatus(p *plan.Plan, detailed bool) int {
	switch p.Verdict {
	case plan.Undetermined:
		return exitUndetermined
	case plan.Blocked:
		return exitBlocked
	case plan.Changes:
		if detailed {
			return exitDifferences
		}
	}
	return exitOK
}
