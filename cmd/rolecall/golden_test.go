package main

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// TestPlansReadAsTheyDid compares the whole text of the examples' plans with
// golden files. Read a difference as a reviewer of access would.
func TestPlansReadAsTheyDid(t *testing.T) {
	for name := range examples {
		t.Run(name, func(t *testing.T) {
			dir := copyDir(t, filepath.Join("..", "..", "examples", name))
			var texts [2]string
			for i := range texts { // same input, same bytes
				s, out, errs := silent()
				if code := run(context.Background(), []string{"rolecall", "plan", "-C", dir, "--now", "2026-11-22"}, s); code != 0 {
					t.Fatalf("plan exits with %d: %s", code, errs)
				}
				texts[i] = strings.ReplaceAll(out.String(), dir, "DIR")
			}
			if texts[0] != texts[1] {
				t.Error("two plans of the same differ")
			}
			file := filepath.Join("testdata", name+".plan.txt")
			if *update {
				if err := os.WriteFile(file, []byte(texts[0]), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), texts[0]); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			people := strings.Index(texts[0], "Who gains what")
			if steps := strings.Index(texts[0], "Steps, in an order"); people < 0 || steps < people {
				t.Error("gains do not stand above the first step")
			}
		})
	}
}

// TestPlanJSON checks the documented fields, and that the same input gives the
// same bytes.
func TestPlanJSON(t *testing.T) {
	dir := copyDir(t, filepath.Join("..", "..", "examples", "acme"))
	var texts [2]string
	for i := range texts {
		s, out, errs := silent()
		if code := run(context.Background(), []string{"rolecall", "plan", "--format", "json", "-C", dir, "--now", "2026-11-22"}, s); code != 0 {
			t.Fatalf("plan exits with %d: %s", code, errs)
		}
		texts[i] = out.String()
	}
	if texts[0] != texts[1] {
		t.Error("two plans of the same differ")
	}
	var p map[string]any
	if err := json.Unmarshal([]byte(texts[0]), &p); err != nil {
		t.Fatal(err)
	}
	lists := []string{"access", "limits", "findings", "guards", "unread", "unsafe", "stages", "changes"}
	for _, name := range lists {
		if _, ok := p[name].([]any); !ok {
			t.Errorf("%s is %T, want a list", name, p[name])
		}
	}
	for name, want := range map[string]any{"format_version": "1.0", "rolecall_version": "dev", "organization": "acme",
		"system": "claude-enterprise", "created_at": "2026-11-22T00:00:00Z", "verdict": "changes"} {
		if p[name] != want {
			t.Errorf("%s is %v, want %v", name, p[name], want)
		}
	}
	has := func(where string, v any, fields ...string) {
		t.Helper()
		m, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("%s is %T, want an object", where, v)
		}
		for _, f := range fields {
			if _, ok := m[f]; !ok {
				t.Errorf("%s has no %s", where, f)
			}
		}
	}
	has("summary", p["summary"], "create", "update", "delete", "rename", "steps", "console_steps", "held_steps", "stages",
		"requests", "seconds", "members_gaining", "members_losing", "errors", "warnings")
	first := func(list string) any { return p[list].([]any)[0] }
	has("access[0]", first("access"), "permission", "from", "to", "direction", "count", "members", "because")
	has("access[0].because[0]", first("access").(map[string]any)["because"].([]any)[0], "member", "via")
	has("findings[0]", first("findings"), "rule", "severity", "message", "accepted")
	has("guards[0]", first("guards"), "name", "value", "limit", "ok")
	stage := first("stages").(map[string]any)
	has("stages[0]", stage, "phase", "settle_seconds", "requests", "seconds", "held", "steps")
	has("stages[0].steps[0]", stage["steps"].([]any)[0], "id", "via", "action", "address", "console", "proof", "direction")
	has("changes[0]", first("changes"), "address", "action", "before", "after", "steps")
	if err := os.Remove(filepath.Join(dir, "ledger.json")); err != nil {
		t.Fatal(err)
	}
	s, out, errs := silent()
	if code := run(context.Background(), []string{"rolecall", "plan", "--format", "json", "-C", dir, "--now", "2026-11-22"}, s); code != 3 {
		t.Fatalf("plan without a ledger exits with %d: %s", code, errs)
	}
	if err := json.Unmarshal(out.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	has("unread[0]", first("unread"), "what", "why", "affects")
	if strings.Contains(texts[0], "null") && p["access"] == nil {
		t.Error("a list is null")
	}
}

// TestHostileNames plans an organization whose names try to command the
// terminal and to hide what they say.
func TestHostileNames(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("live.json", `{"organization": {"name": "A", "provisioning": "login_only"}, "features": {"chat": true},
		"groups": [{"name": "evil\u001b[2J\u202egroup"}, {"name": "two\nlines\u0007"}],
		"members": [{"email": "a@b.c", "name": "\u001b]0;title\u0007", "role": "user"}]}`)
	write("a.hcl", `organization "a" {
  system = "claude-enterprise"
  api {
    emulator = "live.json"
  }
}
group "x" {
  name    = "evil\u001b[31m"
  members = everyone
}
`)
	for _, args := range [][]string{{"plan"}, {"apply", "--auto-approve", "--console", "stop"}} {
		s, out, errs := silent()
		run(context.Background(), append([]string{"rolecall", args[0], "-C", dir}, args[1:]...), s)
		all := out.String() + errs.String()
		if !strings.Contains(all, "evil") {
			t.Fatalf("the names are not shown at all:\n%s", all)
		}
		for _, bad := range []string{"\x1b", "\u202e", "\x07", "two\nlines"} {
			if strings.Contains(all, bad) {
				t.Errorf("%s prints %q:\n%q", args[0], bad, all)
			}
		}
	}
}
