package pullrequest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/go-github/v60/github"
)

// annotationBatch is how many annotations one request may carry, and
// maxMessage how long the message of one may be, in bytes.
//
// Source: GitHub REST documentation, "Update a check run".
const (
	annotationBatch = 50
	maxMessage      = 60 << 10
	maxTitle        = 250
)

// A Conclusion is how a check run ends.
type Conclusion string

// The conclusions that are used.
const (
	Success        Conclusion = "success"
	Neutral        Conclusion = "neutral"
	Failure        Conclusion = "failure"
	ActionRequired Conclusion = "action_required"
)

// An Annotation is a remark at a line of a file.
type Annotation struct {
	Path    string // from the root of the repository, with slashes
	Line    int    // from 1
	Level   string // failure, warning, notice
	Title   string
	Message string
}

// A Check is a check run on a commit.
type Check struct {
	Name        string
	Commit      string // SHA
	Conclusion  Conclusion
	Title       string
	Summary     string // Markdown, up to MaxBody
	Annotations []Annotation

	// ID is an id of our own that the run carries.
	ID string
}

// PutCheck writes a check run. A newer one of the same name takes the place of
// an older one in the pull request, with its annotations; that is why a run is
// never edited to say something else, and why writing it twice does no harm.
// Annotations beyond the first batch are added by further requests.
func (c *Client) PutCheck(ctx context.Context, k Check, now time.Time) (string, error) {
	if len(k.Summary) > MaxBody-1 {
		return "", fmt.Errorf("github: the summary of check %s has %d bytes, more than GitHub takes", k.Name, len(k.Summary))
	}
	var all []*github.CheckRunAnnotation
	for _, a := range k.Annotations {
		line := max(a.Line, 1)
		all = append(all, &github.CheckRunAnnotation{
			Path: &a.Path, StartLine: &line, EndLine: &line, AnnotationLevel: &a.Level,
			Title: github.String(cut(a.Title, maxTitle)), Message: github.String(cut(a.Message, maxMessage)),
		})
	}
	output := func(batch []*github.CheckRunAnnotation) *github.CheckRunOutput {
		return &github.CheckRunOutput{Title: github.String(cut(k.Title, maxTitle)), Summary: &k.Summary, Annotations: batch}
	}
	first := all[:min(len(all), annotationBatch)]
	rest := all[len(first):]
	var run *github.CheckRun
	for try := 1; run == nil; try++ {
		made, _, err := c.api.Checks.CreateCheckRun(ctx, c.owner, c.name, github.CreateCheckRunOptions{
			Name: k.Name, HeadSHA: k.Commit, Status: github.String("completed"),
			Conclusion: github.String(string(k.Conclusion)), CompletedAt: &github.Timestamp{Time: now}, Output: output(first),
			ExternalID: &k.ID,
		})
		switch {
		case err == nil:
			run = made
		case !unclear(err) || try == attempts:
			return "", c.explain("write check "+k.Name, err)
		default:
			if err := c.sleep(ctx, backoff(try)); err != nil {
				return "", err
			}
		}
	}
	for len(rest) > 0 {
		batch := rest[:min(len(rest), annotationBatch)]
		rest = rest[len(batch):]
		if _, _, err := c.api.Checks.UpdateCheckRun(ctx, c.owner, c.name, run.GetID(), github.UpdateCheckRunOptions{Name: k.Name, Output: output(batch)}); err != nil {
			return "", c.explain("annotate check "+k.Name, err)
		}
	}
	return run.GetHTMLURL(), nil
}

// cut shortens s to at most n bytes, at a letter's border.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n -= len("…")
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
