package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

func doctorCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "look at key, scopes, organization, clock and budget, and what a plan cannot see",
		UsageText:   "rolecall doctor [options]\n\n   rolecall doctor -C examples/acme",
		Description: "Only reads. Status 1: something that a plan needs does not work. Status 5: a plan would work and not see everything.",
		Flags:       commonFlags("text", "json"),
		Action:      func(c *cli.Context) error { return doDoctor(c, s) },
	}
}

func doDoctor(c *cli.Context, s streams) error {
	if _, err := setUp(c, s, "text", "json"); err != nil {
		return err
	}
	cfg, err := load(c, s)
	if err != nil {
		return err
	}
	if cfg.kind.Diagnose == nil {
		return fmt.Errorf("%s has no connection to look at", cfg.System.Name)
	}
	d, err := cfg.kind.Diagnose(c.Context, cfg.Config, environment(c, s))
	if err != nil {
		return err
	}
	code := exitOK
	switch {
	case slices.ContainsFunc(d.Checks, func(k providers.Check) bool { return k.Status == "error" }):
		code = exitError
	case slices.ContainsFunc(d.Checks, func(k providers.Check) bool { return k.Status == "warning" && k.Name != "clock" }):
		code = exitUndetermined
	}
	if c.String("format") == "json" {
		if err := writeJSON(s, map[string]any{"format_version": "1.0", "status": code, "checks": d.Checks, "unread": d.Unread}); err != nil {
			return err
		}
		return status(code)
	}
	for _, k := range d.Checks {
		fmt.Fprintf(s.out, "%-8s %s: %s\n", k.Status, k.Name, schema.Printable(k.Text))
		if k.Fix != "" {
			fmt.Fprintf(s.out, "         → %s\n", schema.Printable(k.Fix))
		}
	}
	if len(d.Unread) > 0 {
		fmt.Fprintln(s.out, "\nA plan cannot see:")
		for _, u := range d.Unread {
			fmt.Fprintf(s.out, "  %s (%s): %s\n", schema.Printable(u.What), schema.Printable(u.Why), schema.Printable(u.Affects))
		}
	}
	return status(code)
}
