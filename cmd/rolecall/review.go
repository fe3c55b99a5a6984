package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/cmd/rolecall/internal/pullrequest"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/render"
	"github.com/rolecall/rolecall/schema"
)

func reviewCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "review", Usage: "show the plan on a pull request: comment, check run, labels",
		UsageText: "rolecall review [options]\n\n   rolecall review --help\n   GITHUB_TOKEN=… rolecall review --pr 7 --repo acme/access -C examples/acme",
		Description: "Plans, or takes a saved plan, and shows it on a pull request: one comment that is edited in place, and one\n" +
			"check run with a remark at the line of each finding. It reads and writes GitHub with GITHUB_TOKEN, or with\n" +
			"GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY; the organization it only reads. It exits as plan does.",
		Flags: append(commonFlags("text", "json"),
			&cli.IntFlag{Name: "pr", Usage: "the pull request, by its `NUMBER`"},
			&cli.StringFlag{Name: "head", Usage: "instead: the open pull request from `OWNER:BRANCH`, whose newest commit is --commit"},
			&cli.StringFlag{Name: "commit", Usage: "with --head: the `SHA` that was planned"},
			repoFlag(),
			&cli.StringFlag{Name: "plan", Usage: "show the saved plan in `FILE` instead of making one"},
			&cli.StringFlag{Name: "people", Usage: "call people by their `counts|initials|full` address (default: counts where everybody can read it, else full)"},
			&cli.BoolFlag{Name: "labels", Usage: "label the pull request by what it risks"},
			&cli.StringFlag{Name: "sarif", Usage: "write the findings to `FILE` for code scanning"},
			&cli.StringSliceFlag{Name: "accept", Usage: "accept one guard or finding by `NAME`"},
			&cli.BoolFlag{Name: "stats", Usage: "print how many requests were sent and how long it took, on stderr"},
			&cli.BoolFlag{Name: "reset", Usage: "start the embedded emulator over from its seed"},
			authorFlag(),
			snapshotFlag(),
		),
		Action: func(c *cli.Context) error { return doReview(c, s) },
	}
}

func doReview(c *cli.Context, s streams) error {
	if _, err := setUp(c, s, "text", "json"); err != nil {
		return err
	}
	if (c.Int("pr") > 0) == (c.String("head") != "") || c.Int("pr") < 0 {
		return usage("which pull request? give --pr NUMBER, or --head OWNER:BRANCH with --commit SHA")
	}
	if c.String("head") != "" && c.String("commit") == "" {
		return usage("--head goes with --commit SHA, so that the comment is about what was planned")
	}
	p, err := planToShow(c, s)
	if err != nil {
		return err
	}
	gh, err := toGitHub(c, s)
	if err != nil {
		return err
	}
	r, err := newReview(c, s, gh, p)
	if err != nil {
		return err
	}
	if err := r.write(); err != nil {
		return err
	}
	if err := r.say(); err != nil {
		return err
	}
	return status(planStatus(p, false))
}

// planToShow returns the plan to be shown: a saved one, or a new one.
func planToShow(c *cli.Context, s streams) (*plan.Plan, error) {
	if path := c.String("plan"); path != "" {
		saved, err := loadPlan(path)
		if err != nil {
			return nil, err
		}
		return saved.Plan, nil
	}
	log, err := setUp(c, s, "text", "json")
	if err != nil {
		return nil, err
	}
	cfg, err := load(c, s)
	if err != nil {
		return nil, err
	}
	conn, err := connect(c, s, cfg)
	if err != nil {
		return nil, err
	}
	p, err := makePlan(c.Context, c, s, cfg, conn.Reader, log)
	return p, errors.Join(err, conn.Close())
}

// A review is a plan on its way to a pull request.
type review struct {
	c  *cli.Context
	s  streams
	gh *pullrequest.Client
	p  *plan.Plan

	pr       *pullrequest.PullRequest
	commit   string // that the plan is of
	people   plan.People
	approval *pullrequest.Approval // nil where the plan cannot be what is applied

	commentURL, checkURL string
}

func newReview(c *cli.Context, s streams, gh *pullrequest.Client, p *plan.Plan) (*review, error) {
	r := &review{c: c, s: s, gh: gh, p: p, people: plan.People(c.String("people"))}
	n := c.Int("pr")
	if head := c.String("head"); head != "" {
		found, err := gh.ByHead(c.Context, head, c.String("commit"))
		if err != nil {
			return nil, err
		}
		n = found
	}
	var err error
	if r.pr, err = gh.PullRequest(c.Context, n); err != nil {
		return nil, err
	}
	r.commit = r.pr.Head
	if sha := c.String("commit"); sha != "" && sha != r.pr.Head {
		return nil, fmt.Errorf("pull request %d has a newer commit than %s; the run for that one will comment", n, schema.Printable(sha))
	}
	if r.people == "" {
		r.people = plan.Counts
		if r.pr.Private {
			r.people = plan.Full
		}
	}
	if c.String("plan") == "" && !r.pr.Fork { // a plan that others made approves nothing
		a, err := approvalOf(p)
		if err != nil {
			return nil, err
		}
		r.approval = &a
	}
	return r, nil
}

// write writes everything that the flags ask for: files first, so that they
// are there even if GitHub is not.
func (r *review) write() error {
	if err := r.summary(); err != nil {
		return err
	}
	if err := r.sarif(); err != nil {
		return err
	}
	body, err := r.comment()
	if err != nil {
		return err
	}
	ctx := r.c.Context
	if r.commentURL, err = r.gh.PutComment(ctx, r.pr.Number, planMarker(r.p.Organization), body); err != nil {
		return err
	}
	if r.checkURL, err = r.gh.PutCheck(ctx, r.check(), time.Now()); err != nil {
		return err
	}
	if r.c.Bool("labels") {
		return r.gh.PutLabels(ctx, r.pr.Number, labelPrefix, r.labels())
	}
	return nil
}

// margin is what a comment holds besides the plan and the approval, in bytes.
const margin = 2048

// comment returns the plan as Markdown, with what it was made of.
func (r *review) comment() (string, error) {
	line, rest := "", pullrequest.MaxBody-margin
	if r.approval != nil {
		line = "\n" + r.approval.Line() + "\n"
		rest -= len(line)
	}
	var b strings.Builder
	if err := render.Markdown(&b, r.p, render.Options{People: r.people, MaxBytes: rest, Elsewhere: r.elsewhere()}); err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "\n<sub>%s of commit %s", checkName("plan"), r.commit[:min(9, len(r.commit))])
	if r.approval != nil {
		fmt.Fprintf(&b, ", plan %.12s. What is applied may take no risk that is not in this plan.", r.approval.Plan)
	} else {
		b.WriteString(". It is compared without the live organization, and approves nothing.")
	}
	b.WriteString("</sub>\n")
	return b.String() + line, nil
}

// jobURL matches the address of a run of a workflow. Nothing in it needs to be
// escaped.
var jobURL = regexp.MustCompile(`^https://[\w.:-]+/[\w.-]+/[\w.-]+/actions/runs/[0-9]+$`)

// elsewhere says where what a comment leaves out can be read: in the summary of
// the job, if it runs in one, which holds sixteen times as much.
func (r *review) elsewhere() string {
	url := r.s.getenv("GITHUB_SERVER_URL") + "/" + r.s.getenv("GITHUB_REPOSITORY") + "/actions/runs/" + r.s.getenv("GITHUB_RUN_ID")
	if r.s.getenv("GITHUB_STEP_SUMMARY") == "" || !jobURL.MatchString(url) {
		return ""
	}
	return fmt.Sprintf("the [summary of the job](%s) has more of it, and `rolecall plan` shows all", url)
}

// conclusion says how a plan counts as a check.
func (r *review) conclusion() pullrequest.Conclusion {
	switch planStatus(r.p, false) {
	case exitOK:
		return pullrequest.Success
	case exitUndetermined: // a check that could not look is never green
		return pullrequest.ActionRequired
	}
	return pullrequest.Failure
}

// check returns the check run, with a remark at the line of each finding.
func (r *review) check() pullrequest.Check {
	k := pullrequest.Check{Name: checkName(r.p.Organization), Commit: r.commit, Conclusion: r.conclusion(), Summary: r.commentURL}
	if r.approval != nil {
		k.ID = r.approval.Digest()
	}
	s := r.p.Summary
	k.Title = fmt.Sprintf("%s, %s; %s, %s", verbed(s.MembersLosing, "loses", "lose"), verbed(s.MembersGaining, "gains", "gain"),
		schema.Count(s.Errors, "error"), schema.Count(s.Warnings, "warning"))
	if r.p.Verdict == plan.NoChanges {
		k.Title = "No changes"
	}
	shown, err := r.p.Call(r.people)
	if err != nil {
		return k
	}
	for _, f := range shown.Findings {
		if f.Range == nil {
			continue
		}
		path, ok := inRepository(r.c, f.Range.Filename)
		if !ok {
			continue
		}
		level := map[plan.Severity]string{plan.Error: "failure", plan.Warning: "warning"}[f.Severity]
		if level == "" || f.Accepted {
			level = "notice"
		}
		message := schema.PrintableLines(f.Message)
		if f.Fix != "" {
			message += "\nTo fix: " + schema.PrintableLines(f.Fix)
		}
		k.Annotations = append(k.Annotations, pullrequest.Annotation{Path: path, Line: f.Range.Start.Line, Level: level, Title: f.Rule, Message: message})
	}
	return k
}

func verbed(n int, one, many string) string {
	if n == 1 {
		return "1 person " + one
	}
	return schema.CountPeople(n) + " " + many
}

// labelPrefix starts every label that a review sets or takes away.
const labelPrefix = "rolecall: "

// labels names what a plan risks.
func (r *review) labels() []string {
	var list []string
	add := func(yes bool, name string) {
		if yes {
			list = append(list, labelPrefix+name)
		}
	}
	s := r.p.Summary
	add(r.p.Verdict == plan.Blocked, "blocked")
	add(r.p.Verdict == plan.Undetermined, "undetermined")
	add(s.MembersLosing > 0, "removes access")
	add(s.MembersGaining > 0, "adds access")
	add(s.Delete > 0, "deletes")
	add(s.ConsoleSteps > 0, "console steps")
	add(r.p.Verdict == plan.NoChanges, "no changes")
	return list
}

// maxSummary is how long the summary of a job may be, in bytes.
//
// Source: GitHub documentation, "Workflow commands": 1 MiB for each step.
const maxSummary = 1000 << 10

// summary adds the plan to the summary of the job, where there is one.
func (r *review) summary() error {
	path := r.s.getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("summary of the job: %w", err)
	}
	err = render.Markdown(f, r.p, render.Options{People: r.people, MaxBytes: maxSummary})
	return errors.Join(err, f.Close())
}

// say prints what was done.
func (r *review) say() error {
	if r.c.String("format") == "json" {
		return writeJSON(r.s, map[string]any{
			"format_version": "1.0", "organization": r.p.Organization, "pull_request": r.pr.Number, "verdict": r.p.Verdict,
			"conclusion": r.conclusion(), "comment": r.commentURL, "check": r.checkURL, "requests": r.gh.Requests(),
		})
	}
	_, err := fmt.Fprintf(r.s.out, "%s on pull request %d: %s\n", checkName(r.p.Organization), r.pr.Number, r.commentURL)
	return err
}
