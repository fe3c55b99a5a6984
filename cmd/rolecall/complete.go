package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers/all"
	"github.com/rolecall/rolecall/schema"
)

// completePeopleAndPermissions completes a member, then a permission, from the
// configuration alone: completing must not wait for a network.
func completePeopleAndPermissions(s streams) cli.BashCompleteFunc {
	return complete(s, func(p *plan.Picture, args int) []string {
		if args == 0 {
			return p.Model.Members
		}
		return p.Keys()
	})
}

// completePermissions completes a permission.
func completePermissions(s streams) cli.BashCompleteFunc {
	return complete(s, func(p *plan.Picture, _ int) []string { return p.Keys() })
}

// complete prints what may come next, and nothing if the configuration cannot
// be read.
func complete(s streams, next func(p *plan.Picture, args int) []string) cli.BashCompleteFunc {
	return func(c *cli.Context) {
		cfg, diags := schema.Load(c.String("C"), schema.Options{Systems: all.Languages(), Vars: c.StringSlice("var"), VarFiles: c.StringSlice("var-file"), Environ: s.environ})
		kind, ok := all.Find(cfg)
		if !ok || diags.HasErrors() {
			return
		}
		system := kind.New(cfg)
		description, diags := system.Describe()
		if diags.HasErrors() {
			return
		}
		_, desired := plan.Pictures(plan.Input{Config: cfg, Description: description, System: system, Live: plan.Population(system, description, nil)})
		for _, word := range next(desired, c.NArg()) {
			fmt.Fprintln(s.out, word)
		}
	}
}
