package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/cmd/rolecall/internal/pullrequest"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

// actionsLogin is who the token of Actions speaks as.
const actionsLogin = "github-actions[bot]"

func repoFlag() cli.Flag {
	return &cli.StringFlag{Name: "repo", Usage: "the repository, `OWNER/NAME` (default: GITHUB_REPOSITORY)"}
}

// toGitHub connects to the repository that the command is about, with the
// credentials of the environment. They are never printed.
func toGitHub(c *cli.Context, s streams) (*pullrequest.Client, error) {
	o := pullrequest.Options{
		Endpoint: s.getenv("GITHUB_API_URL"), Repository: c.String("repo"), UserAgent: "rolecall/" + version,
		Token: s.getenv("GITHUB_TOKEN"), AppKey: []byte(s.getenv("GITHUB_APP_PRIVATE_KEY")),
	}
	if o.Repository == "" {
		o.Repository = s.getenv("GITHUB_REPOSITORY")
	}
	if o.Repository == "" {
		return nil, usage("which repository? give --repo OWNER/NAME, or set GITHUB_REPOSITORY")
	}
	for name, n := range map[string]*int64{"GITHUB_APP_ID": &o.AppID, "GITHUB_APP_INSTALLATION_ID": &o.AppInstall} {
		if v := s.getenv(name); v != "" {
			id, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%s is not a number", name)
			}
			*n = id
		}
	}
	if o.Token != "" && s.getenv("GITHUB_ACTIONS") == "true" && !strings.HasPrefix(o.Token, "github_pat_") && !strings.HasPrefix(o.Token, "ghp_") {
		o.Login = actionsLogin
	}
	return pullrequest.New(c.Context, o)
}

// checkName is the name of the check run of an organization.
func checkName(organization string) string { return "rolecall " + schema.Printable(organization) }

// planMarker marks the comment that shows the plan of an organization.
func planMarker(organization string) string { return pullrequest.Marker("plan", organization) }

// approvalOf returns what a reviewer of p is shown.
func approvalOf(p *plan.Plan) (pullrequest.Approval, error) {
	b, err := p.Save()
	if err != nil {
		return pullrequest.Approval{}, err
	}
	saved, err := plan.Load(b)
	if err != nil {
		return pullrequest.Approval{}, fmt.Errorf("the plan does not read back: %w", err)
	}
	return pullrequest.NewApproval(saved.Checksum, p.RiskIDs()), nil
}

// approved refuses a plan that takes a risk which the reviewers of its pull
// request were not shown. One with fewer passes.
func approved(c *cli.Context, s streams, gh *pullrequest.Client, p *plan.Plan) error {
	n := c.Int("pr")
	if n == 0 {
		sha := s.getenv("GITHUB_SHA")
		if sha == "" {
			sha = git(c.Context, c.String("C"), "rev-parse", "HEAD")
		}
		if sha == "" {
			return usage("which pull request? give --pr N; there is no GITHUB_SHA and no commit in %s", c.String("C"))
		}
		found, err := gh.MergedBy(c.Context, sha)
		if err != nil {
			return err
		}
		n = found
	}
	pr, err := gh.PullRequest(c.Context, n)
	if err != nil {
		return err
	}
	a, err := gh.Approved(c.Context, pr, planMarker(p.Organization), checkName(p.Organization))
	if err != nil {
		return &statusError{exitStale, fmt.Errorf("nothing was applied: %w", err)}
	}
	fresh, err := a.New(p.RiskIDs())
	if err != nil {
		return &statusError{exitStale, fmt.Errorf("nothing was applied: pull request %d: %w; review the plan of the default branch in a new pull request", n, err)}
	}
	if len(fresh) == 0 {
		return nil
	}
	for i, id := range fresh {
		if i == 10 {
			fmt.Fprintf(s.err, "rolecall: and %s more\n", schema.Thousands(len(fresh)-i))
			break
		}
		fmt.Fprintf(s.err, "rolecall: not in what was approved: %s\n", schema.Printable(id))
	}
	return &statusError{exitStale, fmt.Errorf("nothing was applied: the plan has %s that the reviewers of pull request %d were not shown; have the new plan reviewed",
		schema.Count(len(fresh), "risk"), n)}
}

// inRepository returns the path of a file from the root of the repository of
// dir, and false if it is not below it: what stands in a plan that somebody
// else made may be any text.
func inRepository(c *cli.Context, filename string) (string, bool) {
	filename = filepath.ToSlash(filename)
	if rest, ok := strings.CutPrefix(filename, pullRequestDir+"/"); ok {
		filename = rest
	}
	if root := git(c.Context, c.String("C"), "rev-parse", "--show-toplevel"); root != "" {
		if abs, err := filepath.Abs(filename); err == nil {
			if real, err := filepath.EvalSymlinks(abs); err == nil {
				abs = real
			}
			if rel, err := filepath.Rel(root, abs); err == nil {
				filename = filepath.ToSlash(rel)
			}
		}
	}
	return filename, filepath.IsLocal(filename) && filename != "."
}

// pullRequestDir is where the shipped workflow checks out a fork's branch.
const pullRequestDir = ".pull-request"
