package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheTopSaysItAll: whoever reads the first 40 lines of the plan of a large
// organization knows whether it may go on, how many people gain and lose, and
// everything that is in the way.
func TestTheTopSaysItAll(t *testing.T) {
	dir := copyDir(t, filepath.Join("..", "..", "examples", "real-org"))
	file := filepath.Join(dir, "organization.hcl")
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	src = bytes.Replace(src, []byte("= local.owners"), []byte(`= ["person0002@example.org", "person0008@example.org"]`), 1)
	if err := os.WriteFile(file, src, 0o600); err != nil {
		t.Fatal(err)
	}
	plan := func(args ...string) string {
		s, out, errs := silent()
		s.width = 100
		if code := run(context.Background(), append([]string{"rolecall", "plan", "-C", dir, "--now", "2026-11-22"}, args...), s); code != exitBlocked {
			t.Fatalf("plan exits with %d: %s", code, errs)
		}
		return out.String()
	}
	var p struct {
		Verdict string
		Summary struct {
			MembersGaining int `json:"members_gaining"`
			MembersLosing  int `json:"members_losing"`
		}
		Findings []struct{ Rule, Severity, Message string }
	}
	if err := json.Unmarshal([]byte(plan("--format", "json")), &p); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(plan(), "\n")
	if len(lines) <= 40 {
		t.Fatalf("the plan has %d lines: too few to hide anything", len(lines))
	}
	top := strings.Join(strings.Fields(strings.Join(lines[:40], " ")), " ") // folded lines made whole
	dot := func(n int) string {                                             // 1,375; these are below a million
		if n < 1000 {
			return fmt.Sprint(n)
		}
		return fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	want := []string{"Blocked: ", dot(p.Summary.MembersGaining) + " gain and " + dot(p.Summary.MembersLosing) + " lose"}
	for _, f := range p.Findings {
		if f.Severity == "error" {
			want = append(want, f.Rule+": "+f.Message)
		}
	}
	if p.Verdict != "blocked" || len(want) < 3 || p.Summary.MembersLosing == 0 {
		t.Fatalf("the plan is %s, with %d things to look for", p.Verdict, len(want))
	}
	for _, s := range want {
		if !strings.Contains(top, s) {
			t.Errorf("the first 40 lines do not say %q:\n%s", s, strings.Join(lines[:40], "\n"))
		}
	}
}
