package pullrequest

import (
	"context"
	"fmt"

	"github.com/google/go-github/v60/github"
)

// MergedBy returns the number of the pull request that brought a commit into
// the default branch.
//
// Errors: none was merged with it, or several were.
func (c *Client) MergedBy(ctx context.Context, sha string) (int, error) {
	list, _, err := c.api.PullRequests.ListPullRequestsWithCommit(ctx, c.owner, c.name, sha, &github.ListOptions{PerPage: perPage})
	if err != nil {
		return 0, c.explain("find the pull request of "+short(sha), err)
	}
	n := 0
	for _, p := range list {
		if p.GetMergedAt().IsZero() {
			continue
		}
		if n != 0 && n != p.GetNumber() {
			return 0, fmt.Errorf("github: commit %s was merged by #%d and by #%d; say which with --pr", short(sha), n, p.GetNumber())
		}
		n = p.GetNumber()
	}
	if n == 0 {
		return 0, fmt.Errorf("github: no merged pull request has commit %s, so nobody reviewed it; open one, or apply without --approved-by-comment", short(sha))
	}
	return n, nil
}

// ByHead returns the open pull request from a branch, "owner:branch", whose
// newest commit is sha. Who runs a workflow for a fork knows these three from
// GitHub itself, and nothing else that can be trusted.
func (c *Client) ByHead(ctx context.Context, head, sha string) (int, error) {
	list, _, err := c.api.PullRequests.List(ctx, c.owner, c.name, &github.PullRequestListOptions{State: "open", Head: head, ListOptions: github.ListOptions{PerPage: perPage}})
	if err != nil {
		return 0, c.explain("find the pull request from "+head, err)
	}
	for _, p := range list {
		if p.GetHead().GetSHA() == sha {
			return p.GetNumber(), nil
		}
	}
	return 0, fmt.Errorf("github: no open pull request from %s has %s for its newest commit; somebody pushed meanwhile, and the next run will comment", head, short(sha))
}

// Private reports whether the repository is not for everybody to read.
func (c *Client) Private(ctx context.Context) (bool, error) {
	r, _, err := c.api.Repositories.Get(ctx, c.owner, c.name)
	if err != nil {
		return false, c.explain("read the repository", err)
	}
	return r.GetPrivate() || r.GetVisibility() == "internal", nil
}
