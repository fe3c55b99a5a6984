package pullrequest

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-github/v60/github"
)

// An Issue is an issue that the client keeps.
type Issue struct {
	Number int
	Title  string
	Body   string
	URL    string
	Open   bool
}

// FindIssue returns the issue that starts with the marker and that the client
// itself wrote: the open one if there is one, else the newest that is closed,
// nil if there is none.
func (c *Client) FindIssue(ctx context.Context, marker string) (*Issue, error) {
	var closed *Issue
	for _, state := range []string{"open", "closed"} {
		o := &github.IssueListByRepoOptions{State: state, Creator: c.login, Sort: "created", Direction: "desc", ListOptions: github.ListOptions{PerPage: perPage}}
		for {
			list, resp, err := c.api.Issues.ListByRepo(ctx, c.owner, c.name, o)
			if err != nil {
				return nil, c.explain("list the issues", err)
			}
			for _, i := range list {
				if i.IsPullRequest() || !c.own(i.GetUser()) || !strings.HasPrefix(i.GetBody(), marker) {
					continue
				}
				found := &Issue{Number: i.GetNumber(), Title: i.GetTitle(), Body: i.GetBody(), URL: i.GetHTMLURL(), Open: i.GetState() == "open"}
				if found.Open {
					return found, nil
				}
				if closed == nil {
					closed = found
				}
			}
			if resp.NextPage == 0 || closed != nil {
				break
			}
			o.Page = resp.NextPage
		}
	}
	return closed, nil
}

// PutIssue makes the issue with the marker say title and body and be open. One
// that was closed is opened again, so that there is one for all time.
func (c *Client) PutIssue(ctx context.Context, marker, title, body string) (*Issue, error) {
	body, err := marked(marker, body)
	if err != nil {
		return nil, err
	}
	title = cut(title, maxTitle)
	found, err := c.FindIssue(ctx, marker)
	if err != nil {
		return nil, err
	}
	for try := 1; found == nil; try++ {
		made, _, err := c.api.Issues.Create(ctx, c.owner, c.name, &github.IssueRequest{Title: &title, Body: &body})
		if err == nil {
			return &Issue{Number: made.GetNumber(), Title: title, Body: body, URL: made.GetHTMLURL(), Open: true}, nil
		}
		if !unclear(err) || try == attempts {
			return nil, c.explain("open an issue", err)
		}
		if err := c.sleep(ctx, backoff(try)); err != nil {
			return nil, err
		}
		if found, err = c.FindIssue(ctx, marker); err != nil {
			return nil, err
		}
	}
	if found.Open && found.Title == title && found.Body == body {
		return found, nil
	}
	if _, _, err := c.api.Issues.Edit(ctx, c.owner, c.name, found.Number, &github.IssueRequest{Title: &title, Body: &body, State: github.String("open")}); err != nil {
		return nil, c.explain(fmt.Sprintf("edit issue #%d", found.Number), err)
	}
	found.Title, found.Body, found.Open = title, body, true
	return found, nil
}

// CloseIssue closes the issue with the marker, whose body then says body. It
// returns nil if none is open.
func (c *Client) CloseIssue(ctx context.Context, marker, body string) (*Issue, error) {
	found, err := c.FindIssue(ctx, marker)
	if err != nil || found == nil || !found.Open {
		return nil, err
	}
	if body, err = marked(marker, body); err != nil {
		return nil, err
	}
	if _, _, err := c.api.Issues.Edit(ctx, c.owner, c.name, found.Number, &github.IssueRequest{Body: &body, State: github.String("closed"), StateReason: github.String("completed")}); err != nil {
		return nil, c.explain(fmt.Sprintf("close issue #%d", found.Number), err)
	}
	found.Body, found.Open = body, false
	return found, nil
}
