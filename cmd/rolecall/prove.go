package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan/prove"
	"github.com/rolecall/rolecall/schema"
)

// provePlan checks a saved plan from its own contents, with code that has
// nothing to do with the planner's. A plan that does not stand is blocked.
func provePlan(c *cli.Context, s streams, path string) error {
	b, err := readPlan(path)
	if err != nil {
		return err
	}
	r, err := prove.Verify(b)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if c.String("format") == "json" {
		if err := writeJSON(s, proofJSON(r)); err != nil {
			return err
		}
	} else if _, err := fmt.Fprint(s.out, proofText(r)); err != nil {
		return err
	}
	if r.OK() {
		return nil
	}
	return &statusError{exitBlocked, fmt.Errorf("%s is not proved", path)}
}

func proofText(r *prove.Report) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	switch {
	case r.OK() && r.Weaker:
		line("Proved: at every moment of this plan everybody has no more than the larger, and no less than the smaller, of before and after.")
		line("It promises no more than that: between two stages, access may move back for a while.")
	case r.OK():
		line("Proved: at every moment of this plan everybody has no more than the larger, and no less than the smaller, of before and after.")
	default:
		line("Not proved.")
	}
	if r.Altered {
		line("  the file was altered: its checksum is not that of its contents")
	}
	for _, p := range r.Problems {
		line("  %s", schema.Printable(p))
	}
	for _, v := range r.Violations {
		line("  %s", schema.Printable(v.String()))
	}
	for _, u := range r.Undecided {
		line("  not decided: %s", schema.Printable(u))
	}
	line("%s in %s, %s of %s that differ; %s.", schema.Count(r.Steps, "step"), schema.Count(r.Stages, "stage"), schema.Count(r.Classes, "kind"),
		schema.Count(r.Members, "member"), schema.Count(r.Readings, "reading"))
	line("%s and %s of steps tried, which stands for %s states of the organization.",
		schema.Count(r.Checks, "check"), schema.Count(r.Tried, "combination"), r.States())
	if r.Bounded > 0 {
		line("%s with too many steps to try every combination: bounded, not enumerated.", schema.Count(r.Bounded, "check"))
	}
	return b.String()
}

func proofJSON(r *prove.Report) map[string]any {
	violations := []map[string]any{}
	for _, v := range r.Violations {
		violations = append(violations, map[string]any{"member": v.Member, "others": v.Others, "permission": v.Permission, "had": v.Had, "will": v.Will,
			"gets": v.Gets, "stage": v.Stage, "in_force": list(v.InForce), "missing": list(v.Missing)})
	}
	return map[string]any{"format_version": "1.0", "proved": r.OK(), "weaker": r.Weaker, "altered": r.Altered, "problems": list(r.Problems), "violations": violations,
		"undecided": list(r.Undecided), "members": r.Members, "classes": r.Classes, "readings": r.Readings, "stages": r.Stages, "steps": r.Steps,
		"checks": r.Checks, "tried": r.Tried, "bounded": r.Bounded, "states": r.States()}
}

// list makes no list an empty one.
func list(s []string) []string { return append([]string{}, s...) }
