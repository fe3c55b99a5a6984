package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

func whoCanCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "who-can", Usage: "list who can do something, and through what", ArgsUsage: "PERMISSION",
		UsageText: "rolecall who-can PERMISSION [options]\n\n   rolecall who-can connector.jira.create_issue -C examples/acme\n   rolecall who-can capability.cowork -C examples/acme --live --format json",
		Description: "Lists everybody who has the permission, by level and by where it comes from, for what the configuration\n" +
			"leads to, or with --live for now. Exits with 5 if it hangs on something that could not be read.",
		Flags: append(questionFlags("text", "json"), &cli.BoolFlag{Name: "all", Usage: "name everybody, instead of the first few"}),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage("who-can takes one permission, such as: who-can capability.cowork")
			}
			at, err := lookAt(c, s, "text", "json")
			if err != nil {
				return err
			}
			topic, err := at.asked.Topic(c.Args().First())
			if err != nil {
				return err
			}
			h := at.asked.WhoCan(topic)
			if err := writeHolders(c, s, h); err != nil {
				return err
			}
			if len(h.Perhaps) > 0 {
				return status(exitUndetermined)
			}
			return nil
		},
		BashComplete: completePermissions(s),
	}
}

func writeHolders(c *cli.Context, s streams, h *plan.Holders) error {
	if c.String("format") == "json" {
		return writeAnswer(c, s, map[string]any{"holders": h})
	}
	w := &lines{w: s.out}
	if h.Count == 0 {
		w.line("Nobody of %s has %s.", schema.Count(h.Of, "member"), h.Permission)
	} else {
		w.line("%s of %s have %s.", schema.Thousands(h.Count), schema.Count(h.Of, "member"), h.Permission)
	}
	if h.Covers != "" {
		w.line("Note: nothing here is called so; this is who has whatever %s covers.", h.Covers)
	}
	for _, way := range h.Ways {
		people := strings.Join(way.Members, ", ")
		if !c.Bool("all") && len(way.Members) > 5 {
			people = strings.Join(way.Members[:4], ", ") + fmt.Sprintf(" and %s more", schema.Thousands(len(way.Members)-4))
		}
		w.line("\n%s at %s, through %s:\n  %s", schema.CountPeople(len(way.Members)), way.Level, way.Text, people)
	}
	if len(h.Perhaps) > 0 {
		w.line("\n%s perhaps, which hangs on what could not be read:\n  %s", schema.CountPeople(len(h.Perhaps)), fewPeople(h.Perhaps))
	}
	return w.err
}

func verifyCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "list whom to look at after an apply, and what they should see",
		UsageText: "rolecall verify [options]\n\n   rolecall verify -C examples/acme",
		Description: "A checklist for spot checks: up to three people of each group, one who is in several, one who is in none,\n" +
			"and who joined last, each with what the product should show them. Ask them, or look with them.",
		Flags: questionFlags("text", "json"),
		Action: func(c *cli.Context) error {
			at, err := lookAt(c, s, "text", "json")
			if err != nil {
				return err
			}
			spots := at.asked.Spots()
			if c.String("format") == "json" {
				return writeAnswer(c, s, map[string]any{"people": spots})
			}
			w := &lines{w: s.out}
			w.line("%s to look at. Each should see exactly this:", schema.CountPeople(len(spots)))
			for _, p := range spots {
				w.line("\n[ ] %s, who %s", p.Member, strings.Join(p.Why, ", "))
				for _, line := range p.Sees {
					w.line("      %s", line)
				}
			}
			return w.err
		},
	}
}

func rulesCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "rules", Usage: "list the checks, with what each finds and what to do", ArgsUsage: "[RULE...]",
		UsageText:   "rolecall rules [RULE...] [options]\n\n   rolecall rules\n   rolecall rules cross-role-conflict --format json",
		Description: "Every check of a plan, with its severity. A rule block changes the severity and what is passed over; an\naccept block, or --accept, takes one finding.",
		Flags:       commonFlags("text", "json"),
		Action: func(c *cli.Context) error {
			if _, err := setUp(c, s, "text", "json"); err != nil {
				return err
			}
			list, err := rulesNamed(c.Args().Slice())
			if err != nil {
				return err
			}
			if c.String("format") == "json" {
				return writeJSON(s, map[string]any{"format_version": "1.0", "rules": list})
			}
			w := &lines{w: s.out}
			for _, r := range list {
				w.line("%-8s %s\n         %s", r.Severity, r.ID, r.Doc)
				switch {
				case !r.Acceptable:
					w.line("         Neither a rule block nor an accept block changes it.")
				case !r.Changeable:
					w.line("         A rule block does not change it; an accept block takes it.")
				}
			}
			return w.err
		},
		BashComplete: func(*cli.Context) {
			for _, r := range plan.Rules {
				fmt.Fprintln(s.out, r.ID)
			}
		},
	}
}

// rulesNamed returns the rules of some names, or all.
func rulesNamed(names []string) ([]plan.RuleInfo, error) {
	all := plan.RuleInfos()
	if len(names) == 0 {
		return all, nil
	}
	var ids []string
	byID := map[string]plan.RuleInfo{}
	for _, r := range all {
		ids = append(ids, r.ID)
		byID[r.ID] = r
	}
	var list []plan.RuleInfo
	for _, name := range names {
		r, ok := byID[name]
		if !ok {
			if n := schema.Nearest(name, ids); n != "" {
				return nil, usage("there is no check %q; did you mean %q?", name, n)
			}
			return nil, usage("there is no check %q; rolecall rules lists them", name)
		}
		list = append(list, r)
	}
	return list, nil
}

func testCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "test", Usage: "evaluate the test blocks of the configuration", ArgsUsage: "[NAME...]",
		UsageText: "rolecall test [NAME...] [options]\n\n   rolecall test -C examples/acme",
		Description: "Evaluates the test blocks against the state that the configuration leads to, as every plan does too. Exits\n" +
			"with 3 if one fails, with 5 if one cannot be decided because something could not be read.",
		Flags: questionFlags("text", "json"),
		Action: func(c *cli.Context) error {
			at, err := lookAt(c, s, "text", "json")
			if err != nil {
				return err
			}
			results, err := testsNamed(at.asked.Test(), c.Args().Slice())
			if err != nil {
				return err
			}
			if c.String("format") == "json" {
				err = writeAnswer(c, s, map[string]any{"tests": results})
			} else {
				err = writeTests(s, results)
			}
			if err != nil {
				return err
			}
			code := exitOK
			for _, r := range results {
				switch r.Outcome {
				case plan.NotSure:
					code = exitUndetermined
				case plan.Failed:
					if code == exitOK {
						code = exitBlocked
					}
				}
			}
			return status(code)
		},
	}
}

func testsNamed(all []plan.TestResult, names []string) ([]plan.TestResult, error) {
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	for _, r := range all {
		known = append(known, r.Name)
	}
	list := []plan.TestResult{}
	for _, name := range names {
		found := false
		for _, r := range all {
			if r.Name == name {
				list, found = append(list, r), true
			}
		}
		if !found {
			if n := schema.Nearest(name, known); n != "" {
				return nil, usage("there is no test %q; did you mean %q?", name, n)
			}
			return nil, usage("there is no test %q", name)
		}
	}
	return list, nil
}

func writeTests(s streams, results []plan.TestResult) error {
	w := &lines{w: s.out}
	passed := 0
	for _, r := range results {
		if r.Outcome == plan.Passed {
			passed++
			note := ""
			if r.People == 0 {
				note = ", though it is about nobody"
			}
			w.line("ok            %s (%s%s)", r.Name, schema.CountPeople(r.People), note)
			continue
		}
		w.line("%-13s %s", strings.ToUpper(r.Outcome), r.Name)
		for _, f := range r.Failures {
			where := ""
			if f.Range != nil {
				where = fmt.Sprintf(" (%s:%d:%d)", f.Range.Filename, f.Range.Start.Line, f.Range.Start.Column)
			}
			w.line("  %s %s%s: %s", strings.ReplaceAll(f.Assertion, "_", " "), f.Permission, where, f.Because)
			if n := len(f.Members); n > 1 {
				w.line("    so it is for %s: %s", schema.CountPeople(n), fewPeople(f.Members))
			}
		}
	}
	if len(results) == 0 {
		w.line("There are no test blocks in the configuration.")
	} else {
		w.line("%d of %s passed.", passed, schema.Count(len(results), "test"))
	}
	return w.err
}
