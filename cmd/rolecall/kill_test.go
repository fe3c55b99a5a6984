package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// TestKilledAfterEachWrite kills the program at each single write of an apply
// and runs it again. It ends where an apply that nobody disturbed ends, nothing
// is there twice, and after no write of either run had anybody more or less
// than the bound allows, by the emulator's own computation of access.
func TestKilledAfterEachWrite(t *testing.T) {
	program, err := exec.LookPath("rolecall")
	if err != nil {
		t.Fatal(err)
	}
	undisturbed, k, url := openKilled(t, nil)
	before := undisturbed.Access()
	if code, stdout, stderr := call(t, url, "apply", "-C", killedDir(t), "--auto-approve", "--accept", "guard.max_members_losing_access"); code != 0 {
		t.Fatalf("apply exits with %d:\n%s%s", code, stdout, stderr)
	}
	after, total := undisturbed.Access(), k.writes
	if outside(before, before, after) == "" || total < 6 {
		t.Fatalf("the organization is too small to show anything: %d writes", total)
	}
	want := names(t, undisturbed)
	t.Logf("%d writes", total)
	for n := 1; n <= total; n++ {
		if testing.Short() && n != 1 && n != total/2 && n != total {
			continue
		}
		for _, when := range []string{"unsent", "unanswered", "answered"} {
			t.Run(fmt.Sprintf("%d/%s", n, when), func(t *testing.T) {
				t.Parallel()
				bad, took, within := "", 0, between(before, after)
				server, k, url := openKilled(t, func(e emulator.Event) {
					took++
					if s := within.outside(e.Access()); s != "" && bad == "" {
						bad = fmt.Sprintf("after %s %s: %s", e.Method, e.Path, s)
					}
				})
				dir := killedDir(t)
				ctx, kill := context.WithCancel(t.Context())
				defer kill()
				k.at, k.when, k.kill = n, when, kill
				cmd := exec.CommandContext(ctx, program, "apply", "-C", dir, "--auto-approve", "--accept", "guard.max_members_losing_access")
				cmd.Env = append(os.Environ(), "ROLECALL_ENDPOINT="+url, "NO_COLOR=1")
				out, err := cmd.CombinedOutput()
				if ctx.Err() == nil {
					t.Fatalf("it was not killed: %v\n%s", err, out)
				}
				k.busy.Wait() // what was under way arrives, and nothing after it
				k.at = 0

				code, _, stderr := call(t, url, "apply", "-C", dir, "--auto-approve", "--accept", "guard.max_members_losing_access")
				if code != 0 {
					t.Fatalf("the next apply exits with %d:\n%s", code, stderr)
				}
				if when != "answered" && !strings.Contains(stderr, "was killed before its end. These may have taken effect") {
					t.Errorf("the next apply does not say what was under way:\n%s", stderr)
				}
				if bad != "" {
					t.Error(bad)
				}
				if s := outside(after, after, server.Access()); s != "" {
					t.Error("in the end ", s)
				}
				if got := names(t, server); !slices.Equal(got, want) {
					t.Errorf("in the end there are\n%q, want\n%q", got, want)
				}
				if took != total {
					t.Errorf("%d writes took effect in both runs, want %d: each once", took, total)
				}
				if code, out, stderr := call(t, url, "plan", "-C", dir, "--detailed-exitcode"); code != 0 {
					t.Errorf("plan exits with %d:\n%s%s", code, out, stderr)
				}
			})
		}
	}
}

func openKilled(t *testing.T, after func(emulator.Event)) (*emulator.Server, *killer, string) {
	t.Helper()
	e, err := emulator.Open(emulator.Options{SeedData: []byte(killSeed), AfterWrite: after})
	if err != nil {
		t.Fatal(err)
	}
	k := &killer{handler: e.Handler()}
	server := httptest.NewServer(k)
	t.Cleanup(func() {
		server.Close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, k, server.URL
}

func killedDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "org.hcl"), []byte(killConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// names returns every role and group, the latter with its members and roles,
// so that what is there twice is listed twice.
func names(t *testing.T, s *emulator.Server) []string {
	t.Helper()
	var all struct {
		Roles []struct {
			ID, Name    string
			Permissions []json.RawMessage
		}
		Groups []struct {
			Name           string
			Roles, Members []string
		}
	}
	if err := json.Unmarshal(s.StateJSON(), &all); err != nil {
		t.Fatal(err)
	}
	byID := map[string]string{}
	var list []string
	for _, r := range all.Roles {
		byID[r.ID] = r.Name
		list = append(list, fmt.Sprintf("role %s with %d permissions", r.Name, len(r.Permissions)))
	}
	for _, g := range all.Groups {
		for i, id := range g.Roles {
			if name := byID[id]; name != "" {
				g.Roles[i] = name
			}
		}
		slices.Sort(g.Roles)
		slices.Sort(g.Members)
		list = append(list, fmt.Sprintf("group %s of %v with %v", g.Name, g.Members, g.Roles))
	}
	slices.Sort(list)
	if len(list) < 4 {
		t.Fatalf("too little is known: %q", list)
	}
	return list
}
