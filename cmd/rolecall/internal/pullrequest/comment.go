package pullrequest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v60/github"
)

// MaxBody is how many bytes a comment, an issue or the summary of a check run
// may have. GitHub counts 65,536 characters; bytes are never fewer.
const MaxBody = 65536

// perPage is the largest page that GitHub gives.
const perPage = 100

// A Comment is a comment that the client itself wrote.
type Comment struct {
	ID   int64
	Body string
	URL  string
}

// A PullRequest is what has to be known of one.
type PullRequest struct {
	Number  int
	Head    string // SHA of its newest commit
	Base    string // SHA it is compared with
	Author  string // login
	Fork    bool   // whether its code comes from another repository
	Private bool   // whether the repository is private or internal
	Merged  bool
}

// PullRequest returns the pull request numbered n, with one request.
func (c *Client) PullRequest(ctx context.Context, n int) (*PullRequest, error) {
	p, _, err := c.api.PullRequests.Get(ctx, c.owner, c.name, n)
	if err != nil {
		return nil, c.explain(fmt.Sprintf("read pull request %d", n), err)
	}
	base := p.GetBase().GetRepo()
	return &PullRequest{
		Number: n, Head: p.GetHead().GetSHA(), Base: p.GetBase().GetSHA(), Author: p.GetUser().GetLogin(),
		Fork:    p.GetHead().GetRepo() == nil || p.GetHead().GetRepo().GetFullName() != base.GetFullName(),
		Private: base.GetPrivate() || base.GetVisibility() == "internal",
		Merged:  p.GetMerged(),
	}, nil
}

// Marker returns the hidden line that a text of the given kind starts with.
// The key says which of them it is, such as the name of an organization; it is
// written so that nothing in it can end the HTML comment.
func Marker(kind, key string) string {
	return fmt.Sprintf("<!-- rolecall:%s:%x -->", kind, key)
}

// FindComment returns the newest comment of a pull request or issue that
// starts with the marker and that the client itself wrote, nil if there is
// none.
func (c *Client) FindComment(ctx context.Context, n int, marker string) (*Comment, error) {
	var found *Comment
	o := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: perPage}}
	for {
		list, resp, err := c.api.Issues.ListComments(ctx, c.owner, c.name, n, o)
		if err != nil {
			return nil, c.explain(fmt.Sprintf("list the comments of #%d", n), err)
		}
		for _, m := range list {
			if c.own(m.GetUser()) && strings.HasPrefix(m.GetBody(), marker) {
				found = &Comment{ID: m.GetID(), Body: m.GetBody(), URL: m.GetHTMLURL()}
			}
		}
		if resp.NextPage == 0 {
			return found, nil
		}
		o.Page = resp.NextPage
	}
}

// own reports whether a user is the one that the client writes as.
func (c *Client) own(u *github.User) bool { return strings.EqualFold(u.GetLogin(), c.login) }

// PutComment makes the comment with the marker say body, which is put behind
// it: edits the one that is there, or writes one. It returns its address.
func (c *Client) PutComment(ctx context.Context, n int, marker, body string) (string, error) {
	body, err := marked(marker, body)
	if err != nil {
		return "", err
	}
	found, err := c.FindComment(ctx, n, marker)
	if err != nil {
		return "", err
	}
	for try := 1; found == nil; try++ {
		made, _, err := c.api.Issues.CreateComment(ctx, c.owner, c.name, n, &github.IssueComment{Body: &body})
		if err == nil {
			return made.GetHTMLURL(), nil
		}
		if !unclear(err) || try == attempts {
			return "", c.explain(fmt.Sprintf("comment on #%d", n), err)
		}
		// The answer was lost, but perhaps not the comment: look before writing another.
		if err := c.sleep(ctx, backoff(try)); err != nil {
			return "", err
		}
		if found, err = c.FindComment(ctx, n, marker); err != nil {
			return "", err
		}
	}
	if found.Body == body {
		return found.URL, nil
	}
	edited, _, err := c.api.Issues.EditComment(ctx, c.owner, c.name, found.ID, &github.IssueComment{Body: &body})
	if err != nil {
		return "", c.explain(fmt.Sprintf("edit the comment on #%d", n), err)
	}
	return edited.GetHTMLURL(), nil
}

func marked(marker, body string) (string, error) {
	body = marker + "\n" + body
	if len(body) > MaxBody {
		return "", fmt.Errorf("github: a text of %d bytes is longer than the %d that GitHub takes", len(body), MaxBody)
	}
	return body, nil
}

// unclear reports whether a write that failed may have taken effect.
func unclear(err error) bool {
	var r *github.ErrorResponse
	if errors.As(err, &r) {
		return r.Response != nil && r.Response.StatusCode >= http.StatusInternalServerError
	}
	var limited *github.RateLimitError
	var abuse *github.AbuseRateLimitError
	return !errors.As(err, &limited) && !errors.As(err, &abuse) && !errors.Is(err, errRateLimit) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}
