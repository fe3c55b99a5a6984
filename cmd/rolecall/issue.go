package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/apply"
	"github.com/rolecall/rolecall/cmd/rolecall/internal/pullrequest"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/render"
	"github.com/rolecall/rolecall/schema"
)

// gitHubOf connects to GitHub if the flags of an apply ask for it, before
// anything is locked or read.
func gitHubOf(c *cli.Context, s streams) (*pullrequest.Client, error) {
	if !c.Bool("github") && !c.Bool("approved-by-comment") {
		return nil, nil
	}
	return toGitHub(c, s)
}

// keepChecklist keeps the issue with the console steps that an apply waits
// for, and closes it when it waits for none.
func keepChecklist(c *cli.Context, gh *pullrequest.Client, p *plan.Plan, r apply.Result) error {
	marker := pullrequest.Marker("checklist", p.Organization)
	if len(r.Waiting) == 0 {
		_, err := gh.CloseIssue(c.Context, marker, fmt.Sprintf("Nothing waits to be done by hand. %s steps of the last apply were carried out.\n", schema.Thousands(r.Done)))
		return err
	}
	list, err := waitingSteps(c, gh, p, r)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "The apply stopped here: %s, %s of %s done.\n\nDo these in the console, in any order. The next run sees that they were done, goes on, and closes this issue.\n\n",
		schema.Count(len(list), "console step"), schema.Thousands(r.Done), schema.Count(r.Total, "step"))
	if err := render.Checklist(&b, list, pullrequest.MaxBody-margin); err != nil {
		return err
	}
	_, err = gh.PutIssue(c.Context, marker, fmt.Sprintf("%s: %s to do by hand", checkName(p.Organization), schema.Count(len(list), "console step")), b.String())
	return err
}

// waitingSteps returns the steps that wait, with people called so that who may
// read the repository may read it.
func waitingSteps(c *cli.Context, gh *pullrequest.Client, p *plan.Plan, r apply.Result) ([]plan.StepView, error) {
	people := plan.Full
	private, err := gh.Private(c.Context)
	if err != nil {
		return nil, err
	}
	if !private {
		people = plan.Counts
	}
	shown, err := p.Call(people)
	if err != nil {
		return nil, err
	}
	var list []plan.StepView
	for i, st := range p.Stages {
		for j, v := range st.Steps {
			if slices.ContainsFunc(r.Waiting, func(w *schema.Step) bool { return w.ID == v.ID }) {
				list = append(list, shown.Stages[i].Steps[j])
			}
		}
	}
	return list, nil
}
