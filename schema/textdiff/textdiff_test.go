package textdiff_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/schema/textdiff"
)

func TestUnified(t *testing.T) {
	numbered := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString("line " + string(rune('a'+i)) + "\n")
		}
		return b.String()
	}
	tests := map[string]struct{ before, after, want string }{
		"equal":     {"a\n", "a\n", ""},
		"all-new":   {"", "a\n", "--- old\n+++ new\n@@ -0,0 +1,1 @@\n+a\n"},
		"all-gone":  {"a\n", "", "--- old\n+++ new\n@@ -1,1 +0,0 @@\n-a\n"},
		"no-end":    {"a", "a\n", "--- old\n+++ new\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n"},
		"one-hunk":  {numbered(8), strings.Replace(numbered(8), "line d\n", "", 1), "--- old\n+++ new\n@@ -1,7 +1,6 @@\n line a\n line b\n line c\n-line d\n line e\n line f\n line g\n"},
		"two-hunks": {numbered(12), strings.NewReplacer("line b", "line B", "line k", "line K").Replace(numbered(12)), "--- old\n+++ new\n@@ -1,5 +1,5 @@\n line a\n-line b\n+line B\n line c\n line d\n line e\n@@ -8,5 +8,5 @@\n line h\n line i\n line j\n-line k\n+line K\n line l\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := textdiff.Unified("old", tt.before, "new", tt.after); got != tt.want {
				t.Errorf("got:\n%swant:\n%s", got, tt.want)
			}
		})
	}
}

// TestPatchApplies checks that git makes the new text of the old one with the
// diff.
func TestPatchApplies(t *testing.T) {
	dir := t.TempDir()
	texts := rapid.Custom(func(t *rapid.T) string {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "", " x", "-y", "+z"}), 0, 30).Draw(t, "lines")
		return strings.Join(lines, "\n") + rapid.SampledFrom([]string{"", "\n"}).Draw(t, "end")
	})
	check := func(t *rapid.T) {
		before, after := texts.Draw(t, "before"), texts.Draw(t, "after")
		patch := textdiff.Unified("a/text", before, "b/text", after)
		if before == after || before == "" || after == "" { // git takes these for files that come or go
			return
		}
		path := filepath.Join(dir, "text")
		if err := os.WriteFile(path, []byte(before), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("git", "apply", "--unidiff-zero", "--whitespace=nowarn", "-")
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(patch)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s\n%s", err, out, patch)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != after {
			t.Fatalf("%v: got %q, want %q\n%s", err, got, after, patch)
		}
	}
	rapid.Check(t, check)
}
