package render_test

import (
	"bytes"
	"flag"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/render"
)

var update = flag.Bool("update", false, "write the golden files")

// TestEveryFindingReadsAsItDid compares, to the byte, how a plan with a finding
// of each rule reads. Run with -update to write the files, and read the
// difference as a reviewer would.
func TestEveryFindingReadsAsItDid(t *testing.T) {
	p := planOf("example", 1)
	p.Findings = nil
	for _, r := range plan.Rules {
		p.Findings = append(p.Findings, plan.Finding{Rule: r.ID, Severity: r.Severity, Message: r.Doc, Fix: "as the rule says",
			Range: &plan.Range{Filename: "org.hcl", Start: plan.Position{Line: 3, Column: 1}, Text: `group "g" {`}})
	}
	for file, got := range map[string]string{
		"findings.txt": write(t, func(b *bytes.Buffer) error { return render.Text(b, p, render.Options{Width: 100}) }),
		"findings.md":  write(t, func(b *bytes.Buffer) error { return render.Markdown(b, p, render.Options{}) }),
	} {
		path := filepath.Join("testdata", file)
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
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
		for _, r := range plan.Rules {
			if !strings.Contains(html.UnescapeString(got), r.ID) { // Markdown writes hyphens as entities
				t.Errorf("%s does not show a finding of %s", file, r.ID)
			}
		}
	}
}
