package main

import (
	"fmt"
	"os"

	"github.com/fatih/color"
	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/render"
)

// planFormats are the forms that a plan can be shown in.
var planFormats = []string{"text", "json", "markdown", "html"}

func showCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "show a saved plan", ArgsUsage: "PLANFILE",
		UsageText: "rolecall show [options] PLANFILE\n\n   rolecall show change.plan\n   rolecall show change.plan --format html",
		Description: "Shows what plan --out wrote, in any form. It needs neither the configuration nor the organization.\n" +
			"A file that was altered is refused.",
		Flags: append(commonFlags(planFormats...), peopleFlag()),
		Action: func(c *cli.Context) error {
			if _, err := setUp(c, s, planFormats...); err != nil {
				return err
			}
			if c.NArg() != 1 {
				return usage("show takes one argument, the file of a saved plan")
			}
			saved, err := loadPlan(c.Args().First())
			if err != nil {
				return err
			}
			return show(c, s, saved.Plan)
		},
	}
}

func peopleFlag() cli.Flag {
	return &cli.StringFlag{Name: "people", Value: string(plan.Full), Usage: "call people by their `counts|initials|full` address; counts names nobody"}
}

// maxPlanFile is how large a saved plan may be. One of 20,000 people takes a
// hundredth of it.
const maxPlanFile = 1 << 30

// loadPlan reads a saved plan.
func loadPlan(path string) (*plan.Saved, error) {
	b, err := readPlan(path)
	if err != nil {
		return nil, err
	}
	saved, err := plan.Load(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return saved, nil
}

func readPlan(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("the saved plan cannot be read: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxPlanFile {
		return nil, fmt.Errorf("%s is no saved plan", path)
	}
	return os.ReadFile(path)
}

// show prints a plan on stdout.
func show(c *cli.Context, s streams, p *plan.Plan) error {
	o, err := renderOptions(c, s)
	if err != nil {
		return err
	}
	switch c.String("format") {
	case "json":
		shown, err := p.Call(o.People)
		if err != nil {
			return err
		}
		b, err := shown.JSON()
		if err != nil {
			return err
		}
		_, err = s.out.Write(b)
		return err
	case "markdown":
		return render.Markdown(s.out, p, o)
	case "html":
		return render.HTML(s.out, p, o)
	}
	return render.Text(s.out, p, o)
}

// renderOptions says how this run writes plans for people.
func renderOptions(c *cli.Context, s streams) (render.Options, error) {
	o := render.Options{Style: style(), Width: s.width, People: plan.People(c.String("people"))}
	switch o.People {
	case "", plan.Full, plan.Initials, plan.Counts:
		return o, nil
	}
	return o, usage("--people %q: use counts, initials or full", c.String("people"))
}

// style colors a plan for a terminal; the color library leaves text plain
// where colors are not wanted.
func style() render.Style {
	paint := func(attrs ...color.Attribute) func(string) string {
		c := color.New(attrs...)
		return func(t string) string { return c.Sprint(t) }
	}
	return render.Style{
		Bold: paint(color.Bold), Loss: paint(color.FgRed), Gain: paint(color.FgGreen),
		Warn: paint(color.FgYellow), Error: paint(color.FgRed, color.Bold), Dim: paint(color.Faint),
	}
}
