package render_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/render"
	"github.com/rolecall/rolecall/schema"
)

// blockedPlan has so many findings that block, of three rules.
func blockedPlan(n int) *plan.Plan {
	p := planOf("example", 1)
	p.Verdict, p.Findings = plan.Blocked, nil
	for i := range n {
		rule := []string{"duplicate-name", "uncovered-member", "exclusive-groups"}[i%3]
		p.Findings = append(p.Findings, plan.Finding{Rule: rule, Severity: plan.Error, Address: schema.Address(fmt.Sprintf("group.team_%04d", i)),
			Message: fmt.Sprintf("group.team_%04d is wrong in a way that takes a whole sentence to say, of which nobody wants to read another word", i),
			Fix:     "as the rule says"})
	}
	return p
}

// TestEverythingThatBlocksIsAtTheTop: whoever reads the first 40 lines knows of
// everything that is in the way, however much it is: as far as there is room in
// its words, then by its address, and then by its number.
func TestEverythingThatBlocksIsAtTheTop(t *testing.T) {
	for _, n := range []int{1, 9, 17, 40, 50, 90, 400, 5_000} {
		p := blockedPlan(n)
		for _, width := range []int{100, 0} {
			got := write(t, func(b *bytes.Buffer) error { return render.Text(b, p, render.Options{Width: width}) })
			top, _, cut := strings.Cut(got, "\n\n") // what comes next is a section of its own
			lines := strings.Count(top, "\n") + 1
			if !cut || lines > 40 {
				t.Errorf("%d findings at width %d: the top has %d lines", n, width, lines)
			}
			at := 0
			for _, f := range p.Findings {
				if strings.Contains(top, string(f.Address)) {
					at++
				}
			}
			if n <= 90 && at != n {
				t.Errorf("%d findings at width %d: the top names %d of their objects:\n%s", n, width, at, top)
			}
			if n > 90 && (at < 12 || !strings.Contains(top, "more, below")) {
				t.Errorf("%d findings at width %d: the top names %d and does not say that there are more", n, width, at)
			}
			for _, rule := range []string{"duplicate-name", "uncovered-member", "exclusive-groups"}[:min(n, 3)] {
				if !strings.Contains(top, rule) {
					t.Errorf("%d findings at width %d: the top does not name the rule %s", n, width, rule)
				}
			}
			if n <= 9 && strings.Count(strings.Join(strings.Fields(top), " "), "another word") != n {
				t.Errorf("%d findings at width %d are not all in their words:\n%s", n, width, top)
			}
		}
	}
	got := write(t, func(b *bytes.Buffer) error { return render.Text(b, blockedPlan(50), render.Options{Width: 100}) })
	path := filepath.Join("testdata", "blocked.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
