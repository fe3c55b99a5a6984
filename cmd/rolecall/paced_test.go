package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/providers/emulator"
)

// withoutSettling copies an example and takes its settling out, so that what is
// left of the time is requests.
func withoutSettling(t *testing.T, example string) string {
	t.Helper()
	dir := copyDir(t, filepath.Join("..", "..", "examples", example))
	name := filepath.Join(dir, "organization.hcl")
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(src), `settle = "1s"`, `settle = "0s"`, 1)
	if text == string(src) {
		t.Fatal("the example has no settle to replace")
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestApplyTakesWhatTheLimitsAllow applies an example under the documented
// limits: nothing is refused, and all of it takes no more than 5 % longer than
// the requests divided by the limit of their family, 100 in a minute. The larger
// example is for the longer run, ROLECALL_RUNS.
func TestApplyTakesWhatTheLimitsAllow(t *testing.T) {
	example, scale := "acme", 30.0
	if os.Getenv("ROLECALL_RUNS") != "" {
		example, scale = "real-org", 60
	}
	dir := withoutSettling(t, example)
	e, url := serveEmulator(t, emulator.Options{Seed: filepath.Join(dir, examples[example].seed), RateLimits: true, TimeScale: scale})
	start := time.Now()
	code, out, stderr := call(t, url, "apply", "-C", dir, "--auto-approve")
	took := time.Since(start)
	if code != 0 {
		t.Fatalf("apply exits with %d:\n%s%s", code, out, stderr)
	}
	n, refused := map[string]int{}, 0
	for _, r := range e.Requests() {
		n[r.Family]++
		if r.Status == 429 {
			refused++
		}
	}
	ideal := time.Duration(float64(n["admin"]) / 100 * float64(time.Minute) / scale)
	t.Logf("%s: %v requests took %v, which is %.1f %% of requests / limit (%v); in documented time %v", example, n, took, 100*float64(took)/float64(ideal), ideal, time.Duration(float64(took)*scale).Round(time.Second))
	if took > ideal*105/100 {
		t.Errorf("%d requests took %v, more than 5 %% over %v", n["admin"], took, ideal)
	}
	if refused > 0 {
		t.Errorf("%d requests were refused", refused)
	}
}

// crowd is an organization of n people who all move to custom roles: a request
// for the group and one for the migration of each.
func crowd(n int) (seed []byte, configuration string) {
	var b strings.Builder
	b.WriteString(`{"organization": {"id": "` + sketchID + `", "name": "Acme", "provisioning": "login_only"},
		"features": {"chat": true, "web_search": true}, "settings": {"chat_enabled": "chat", "web_search_enabled": "web_search"},
		"members": [{"email": "own@acme.com", "role": "primary_owner"}`)
	for i := range n - 1 {
		fmt.Fprintf(&b, `, {"id": "user_%05d", "email": "p%05d@acme.com", "role": "user"}`, i, i)
	}
	b.WriteString("]}")
	return []byte(b.String()), `organization "acme" {
  system = "claude-enterprise"
  settle = "0s"
}
guard {
  max_members_losing_access = "100%"
}
feature "chat" {
  enabled = true
}
feature "web_search" {
  enabled = true
}
role "base" {
  capabilities      = ["chat"]
  connector_default = "needs_approval"
}
group "all" {
  members = everyone
  roles   = [role.base]
}
migration {
  wave "everyone" {
    members = everyone
  }
}
`
}

// TestStoppedAndResumed applies a migration of many people under the documented
// limits, in pieces: each run stops at its --max-duration, safely, and the next
// goes on, until all is done. At each stop, and every so many writes, everybody is
// within the bound; in the end every write took effect once. In the longer run,
// ROLECALL_RUNS, there are 20,000 people and 40,000 requests.
func TestStoppedAndResumed(t *testing.T) {
	people, scale, piece, every := 300, 150.0, "700ms", 20
	if os.Getenv("ROLECALL_RUNS") != "" {
		people, scale, piece, every = 20_000, 300, "30s", 500
	}
	seed, configuration := crowd(people)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "org.hcl"), []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	before, after, code, stderr := ends(t, emulator.Options{SeedData: seed}, copyDir(t, dir))
	if code != 0 {
		t.Fatalf("apply exits with %d:\n%s", code, stderr)
	}
	within := between(before, after)
	took, writes, bad := map[string]int{}, 0, ""
	e, url := serveEmulator(t, emulator.Options{SeedData: seed, RateLimits: true, TimeScale: scale, AfterWrite: func(ev emulator.Event) {
		took[ev.Method+" "+ev.Path]++
		if writes++; writes%every == 0 && bad == "" {
			bad = within.outside(ev.Access())
		}
	}})
	start, stops := time.Now(), 0
	for {
		code, _, stderr := call(t, url, "apply", "-C", dir, "--auto-approve", "--max-duration", piece)
		if s := within.outside(e.Access()); s != "" {
			t.Errorf("after stop %d, %s", stops, s)
		}
		if code == 0 {
			break
		}
		if code != exitDeadline {
			t.Fatalf("apply exits with %d:\n%s", code, stderr)
		}
		if stops++; stops > 1000 {
			t.Fatal("it does not come to an end")
		}
	}
	if bad != "" {
		t.Error(bad)
	}
	if s := outside(after, after, e.Access()); s != "" {
		t.Error("in the end, ", s)
	}
	if stops < 2 {
		t.Errorf("it stopped %d times, want several", stops)
	}
	if want := 2*people - 1; writes < want || writes > want+5 { // the owner joins the group, and is not migrated
		t.Errorf("%d writes took effect, want about %d", writes, want)
	}
	members := 0
	for what, n := range took {
		if n > 1 && !strings.HasSuffix(what, "/members") {
			t.Errorf("%s took effect %d times", what, n)
		}
		if strings.HasSuffix(what, "/members") {
			members += n
		}
	}
	if members != people {
		t.Errorf("%d people were put into the group, want %d", members, people)
	}
	refused, all := 0, e.Requests()
	for _, r := range all {
		switch {
		case r.Status == 429:
			refused++
		case r.Status >= 400 && r.Status != 404:
			t.Errorf("%s %s was answered with %d", r.Method, r.Path, r.Status)
		}
	}
	if refused > 8*stops { // a new run, which sends so many at once, cannot know what the one before it left of the minute
		t.Errorf("%d requests were refused in %d runs", refused, stops+1)
	}
	t.Logf("%d people, %d writes, %d stops, %d requests in %v: %v of documented time", people, writes, stops, all[len(all)-1].N, time.Since(start).Round(time.Second), time.Duration(float64(time.Since(start))*scale).Round(time.Minute))
}
