package main

import (
	"fmt"
	"log/slog"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
)

// reviewed makes the plan that an apply carries out. If the command names a
// saved plan it is that one or none: the plan that is made now, from the same
// configuration with the same options, must be the plan in the file.
func reviewed(c *cli.Context, s streams, cfg *configuration, reader providers.Reader, log *slog.Logger) (*plan.Plan, error) {
	if c.NArg() == 0 {
		return makePlan(c.Context, c, s, cfg, reader, log)
	}
	if c.NArg() > 1 {
		return nil, usage("apply takes one argument, the file of a saved plan")
	}
	for _, name := range []string{"accept", "accept-gaps", "narrow-only", "only", "target"} {
		if c.IsSet(name) {
			return nil, usage("--%s belongs to plan: a saved plan is applied as it was reviewed", name)
		}
	}
	saved, err := loadPlan(c.Args().First())
	if err != nil {
		return nil, err
	}
	if saved.Against != "" {
		return nil, &statusError{exitBlocked, fmt.Errorf("nothing was applied: the saved plan compares with %s and not with the live organization, so it is only to look at; plan without --against", saved.Against)}
	}
	if err := saved.SameConfiguration(cfg.Digest); err != nil {
		return nil, &statusError{exitStale, fmt.Errorf("nothing was applied: %w", err)}
	}
	p, err := makePlanWith(c.Context, c, s, cfg, reader, log, saved.Options)
	if err != nil {
		return nil, err
	}
	if err := saved.Same(p); err != nil {
		return nil, &statusError{exitStale, fmt.Errorf("nothing was applied: %w", err)}
	}
	return p, nil
}
