package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rolecall/rolecall/providers/emulator"
)

// killSeed and killConfig are a small organization in which people gain and
// lose, and in which roles and groups are created, filled and emptied.
const killSeed = `{
  "organization": {"id": "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e", "name": "Acme", "provisioning": "login_only"},
  "features": {"chat": true, "web_search": true},
  "roles": [{"id": "rbac_role_base", "name": "base", "permissions": [
    {"action": "chat", "resource": {"type": "organization"}},
    {"action": "web_search", "resource": {"type": "organization"}},
    {"action": "use", "resource": {"type": "all_connectors"}}
  ]}],
  "groups": [{"id": "rbac_group_old", "name": "Old", "roles": ["rbac_role_base"], "members": ["ann@acme.com", "bob@acme.com"]}],
  "members": [
    {"email": "ann@acme.com", "name": "Ann", "role": "managed"},
    {"email": "bob@acme.com", "name": "Bob", "role": "managed"},
    {"email": "cy@acme.com", "name": "Cy", "role": "user"},
    {"email": "own@acme.com", "name": "Own", "role": "primary_owner"}
  ]
}`

const killConfig = `organization "acme" {
  system = "claude-enterprise"
  settle = "0s"
}

feature "chat" {
  enabled = true
}

feature "web_search" {
  enabled = true
}

role "base" {
  capabilities      = ["chat", "web_search"]
  connector_default = "needs_approval"
}

role "narrow" {
  capabilities      = ["chat"]
  connector_default = "needs_approval"
}

group "old" {
  name    = "Old"
  roles   = [role.base]
  members = ["bob@acme.com"]
}

group "all" {
  name    = "All"
  roles   = [role.narrow]
  members = ["ann@acme.com", "bob@acme.com", "cy@acme.com"]
}

migration {
  wave "everyone" {
    members = everyone
  }
}
`

// A killer serves an emulator, and kills whoever sent the write of number at.
type killer struct {
	handler http.Handler
	at      int    // from 1, 0 for never
	when    string // "unsent": it never arrives; "unanswered": its answer is lost; "answered"
	kill    func()

	mu     sync.Mutex
	writes int
	busy   sync.WaitGroup
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.busy.Add(1)
	defer k.busy.Done()
	if r.Method == http.MethodGet {
		k.handler.ServeHTTP(w, r)
		return
	}
	k.mu.Lock()
	k.writes++
	now := k.at > 0 && k.writes == k.at
	k.mu.Unlock()
	if !now {
		k.handler.ServeHTTP(w, r)
		return
	}
	switch k.when {
	case "unsent":
		k.kill()
		panic(http.ErrAbortHandler)
	case "unanswered":
		k.handler.ServeHTTP(httptest.NewRecorder(), r)
		k.kill()
		panic(http.ErrAbortHandler)
	default:
		k.handler.ServeHTTP(w, r)
		if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
		k.kill()
	}
}

// A killing is a command whose program is killed at each of its requests.
type killing struct {
	name   string
	seed   string
	dir    func(*testing.T) string
	args   func(dir string) []string
	silent bool // it keeps no journal, and does not say what was under way
}

// killings are an apply of several steps, and each row of the matrix, so that
// every write of the vendor's API is met; see TestEveryWriteHasARow.
func killings() []killing {
	list := []killing{{name: "several", seed: killSeed, dir: killedDir, args: func(dir string) []string {
		return []string{"apply", "-C", dir, "--auto-approve", "--accept", "guard.max_members_losing_access"}
	}}}
	for _, r := range matrixRows {
		list = append(list, killing{name: r.name(), seed: matrixSeed, dir: r.dir, args: r.args, silent: r.command != nil})
	}
	return list
}

// TestKilledAfterEachWrite kills the program at each single write and runs it
// again. It ends where a run that nobody disturbed ends, nothing is there twice,
// and after no write of either run had anybody more or less than the bound
// allows, by the emulator's own computation of access.
func TestKilledAfterEachWrite(t *testing.T) {
	program, err := exec.LookPath("rolecall")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range killings() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := &killer{}
			undisturbed, url := c.serve(t, k, nil)
			before := undisturbed.Access()
			if code, stdout, stderr := call(t, url, c.args(c.dir(t))...); code != 0 {
				t.Fatalf("it exits with %d:\n%s%s", code, stdout, stderr)
			}
			total, after := k.writes, undisturbed.Access()
			if total == 0 || c.name == "several" && (total < 6 || outside(before, before, after) == "") {
				t.Fatalf("this is too small to show anything: %d writes", total)
			}
			want := state(undisturbed)
			for n := 1; n <= total; n++ {
				for _, when := range []string{"unsent", "unanswered", "answered"} {
					if testing.Short() && (c.name != "several" && when != "unanswered" || n != 1 && n != total/2 && n != total) {
						continue
					}
					t.Run(fmt.Sprintf("%d/%s", n, when), func(t *testing.T) {
						t.Parallel()
						k := &killer{at: n, when: when}
						c.meet(t, program, k, total, between(before, after), want)
					})
				}
			}
		})
	}
}

// meet kills the program as k is told and runs it again. An undisturbed run has
// total writes, and want is what the organization is in its end.
func (c killing) meet(t *testing.T, program string, k *killer, total int, within *bound, want string) {
	bad, took := "", 0
	server, url := c.serve(t, k, func(e emulator.Event) {
		took++
		if s := within.outside(e.Access()); s != "" && bad == "" {
			bad = fmt.Sprintf("after %s %s: %s", e.Method, e.Path, s)
		}
	})
	dir := c.dir(t)
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	k.kill = kill
	cmd := exec.CommandContext(ctx, program, c.args(dir)...)
	cmd.Env = append(os.Environ(), "ROLECALL_ENDPOINT="+url, "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	if ctx.Err() == nil {
		t.Fatalf("it was not killed: %v\n%s", err, out)
	}
	k.busy.Wait() // what was under way arrives, and nothing after it
	k.at = 0

	code, stdout, stderr := call(t, url, c.args(dir)...)
	if code != 0 {
		t.Fatalf("the next run exits with %d:\n%s%s", code, stdout, stderr)
	}
	if k.when != "answered" && !c.silent && !strings.Contains(stderr, "was killed before its end. These may have taken effect") {
		t.Errorf("the next run does not say what was under way:\n%s", stderr)
	}
	if bad != "" {
		t.Error(bad)
	}
	if got := state(server); got != want {
		t.Errorf("in the end the organization is\n%s\nwant\n%s", got, want)
	}
	if took != total {
		t.Errorf("%d writes took effect in both runs, want %d: each once", took, total)
	}
	if code, out, stderr := call(t, url, "plan", "-C", dir, "--detailed-exitcode"); code != 0 {
		t.Errorf("plan exits with %d:\n%s%s", code, out, stderr)
	}
}

// serve serves the organization through k, and tells after what takes effect.
func (c killing) serve(t *testing.T, k *killer, after func(emulator.Event)) (*emulator.Server, string) {
	t.Helper()
	e, err := emulator.Open(emulator.Options{SeedData: []byte(c.seed), AfterWrite: after})
	if err != nil {
		t.Fatal(err)
	}
	k.handler = e.Handler()
	server := httptest.NewServer(k)
	t.Cleanup(func() {
		server.Close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, server.URL
}

func killedDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "org.hcl"), []byte(killConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
