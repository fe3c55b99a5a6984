package pullrequest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/cmd/rolecall/internal/pullrequest"
)

func risks(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("loss:capability.chat:person%05d@example.org", i))
	}
	return list
}

func TestApprovalCoversFewerAndNotMore(t *testing.T) {
	a := pullrequest.NewApproval("ab12", risks(100))
	a, err := pullrequest.ReadApproval("text\n" + a.Line() + "\nmore text")
	if err != nil {
		t.Fatal(err)
	}
	if a.Plan != "ab12" {
		t.Errorf("plan %q", a.Plan)
	}
	for name, tt := range map[string]struct {
		risks []string
		fresh int
	}{
		"the-same": {risks(100), 0}, "fewer": {risks(40), 0}, "none": {nil, 0}, "one-more": {risks(101), 1},
		"another": {append(risks(99), "gain:capability.chat:eve@example.org"), 1},
	} {
		got, err := a.New(tt.risks)
		if err != nil || len(got) != tt.fresh {
			t.Errorf("%s: %d are new, %v; want %d", name, len(got), err, tt.fresh)
		}
	}
}

func TestApprovalOfNothingCoversNothing(t *testing.T) {
	a, err := pullrequest.ReadApproval(pullrequest.NewApproval("ab", nil).Line())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.New(risks(3)); err != nil || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
}

// Of many risks only the digest of all is written down: the same plan passes,
// any other is refused rather than waved through.
func TestManyRisks(t *testing.T) {
	a := pullrequest.NewApproval("ab", risks(20000))
	if n := len(a.Line()); n > 1000 {
		t.Errorf("the line has %d bytes", n)
	}
	a, err := pullrequest.ReadApproval(a.Line())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.New(risks(20000)); err != nil || len(got) > 0 {
		t.Errorf("the same: %d new, %v", len(got), err)
	}
	for _, n := range []int{1, 19999, 20001} {
		if _, err := a.New(risks(n)); !errors.Is(err, pullrequest.ErrManyRisks) {
			t.Errorf("%d: %v", n, err)
		}
	}
	if n := len(pullrequest.NewApproval(strings.Repeat("f", 64), risks(2000)).Line()); n > pullrequest.MaxApproval {
		t.Errorf("the longest line has %d bytes", n)
	}
}

func TestAlteredApprovalIsRefused(t *testing.T) {
	line := pullrequest.NewApproval("ab", risks(3)).Line()
	for name, body := range map[string]string{
		"none":      "text",
		"two":       line + "\n" + line,
		"one-less":  strings.Replace(line, "count=3", "count=2", 1),
		"list-gone": strings.Replace(line, "list="+line[strings.Index(line, "list=")+5:len(line)-4], "list=AAAA", 1),
		"no-base64": strings.Replace(line, "list=", "list=*", 1),
		"no-number": strings.Replace(line, "count=3", "count=x", 1),
	} {
		if a, err := pullrequest.ReadApproval(body); err == nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

const check = "rolecall acme"

func review(t *testing.T, c *pullrequest.Client, commit string, a pullrequest.Approval) {
	t.Helper()
	put(t, c, "plan\n"+a.Line())
	if _, err := c.PutCheck(t.Context(), pullrequest.Check{Name: check, Commit: commit, Conclusion: pullrequest.Success, ID: a.Digest()}, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestApprovedIsWhatWasShownForTheNewestCommit(t *testing.T) {
	s, c, _ := connect(t)
	approved := func() (pullrequest.Approval, error) {
		p, err := c.PullRequest(t.Context(), 7)
		if err != nil {
			t.Fatal(err)
		}
		return c.Approved(t.Context(), p, marker, check)
	}
	if _, err := approved(); err == nil {
		t.Error("approved without any plan")
	}
	a := pullrequest.NewApproval("ab", risks(3))
	review(t, c, head, a)
	if got, err := approved(); err != nil || got.Plan != "ab" {
		t.Errorf("%+v, %v", got, err)
	}
	s.Push(7, "2222222222222222222222222222222222222222")
	if _, err := approved(); err == nil {
		t.Error("a push after the review kept the approval")
	}
	review(t, c, "2222222222222222222222222222222222222222", pullrequest.NewApproval("cd", risks(2)))
	if got, err := approved(); err != nil || got.Plan != "cd" {
		t.Errorf("%+v, %v", got, err)
	}
	// Whoever may write to the repository may edit the comment, but not the check.
	s.EditComment(7, func(string) string {
		return marker + "\nplan\n" + pullrequest.NewApproval("cd", risks(9)).Line()
	})
	if _, err := approved(); err == nil || !strings.Contains(err.Error(), "edited") {
		t.Errorf("an edited comment: %v", err)
	}
}

func FuzzReadApproval(f *testing.F) {
	f.Add(pullrequest.NewApproval("ab", risks(3)).Line())
	f.Add(pullrequest.NewApproval("", nil).Line())
	f.Add("<!-- rolecall:approval:1 count=99999999999999999999 list= -->")
	f.Fuzz(func(t *testing.T, body string) {
		a, err := pullrequest.ReadApproval(body)
		if err != nil {
			return
		}
		if b, err := pullrequest.ReadApproval(a.Line()); err != nil || b.Digest() != a.Digest() {
			t.Errorf("%q: reads back as %+v, %v", body, b, err)
		}
	})
}
