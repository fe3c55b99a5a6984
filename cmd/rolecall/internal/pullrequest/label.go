package pullrequest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"
)

// PutLabels makes the labels of a pull request that start with the prefix be
// exactly those given. Other labels are left alone.
func (c *Client) PutLabels(ctx context.Context, n int, prefix string, want []string) error {
	var have []string
	o := &github.ListOptions{PerPage: perPage}
	for {
		list, resp, err := c.api.Issues.ListLabelsByIssue(ctx, c.owner, c.name, n, o)
		if err != nil {
			return c.explain(fmt.Sprintf("list the labels of #%d", n), err)
		}
		for _, l := range list {
			if strings.HasPrefix(l.GetName(), prefix) {
				have = append(have, l.GetName())
			}
		}
		if resp.NextPage == 0 {
			break
		}
		o.Page = resp.NextPage
	}
	var add []string
	for _, l := range want {
		if !slices.Contains(have, l) {
			add = append(add, l)
		}
	}
	if len(add) > 0 {
		if _, _, err := c.api.Issues.AddLabelsToIssue(ctx, c.owner, c.name, n, add); err != nil {
			return c.explain(fmt.Sprintf("label #%d", n), err)
		}
	}
	for _, l := range have {
		if slices.Contains(want, l) {
			continue
		}
		_, err := c.api.Issues.RemoveLabelForIssue(ctx, c.owner, c.name, n, l)
		var r *github.ErrorResponse
		if errors.As(err, &r) && r.Response.StatusCode == http.StatusNotFound {
			continue // somebody else took it away
		}
		if err != nil {
			return c.explain(fmt.Sprintf("take a label from #%d", n), err)
		}
	}
	return nil
}
