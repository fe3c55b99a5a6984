package apply_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolecall/rolecall/apply"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/claude"
	"github.com/rolecall/rolecall/providers/emulator"
	"github.com/rolecall/rolecall/schema"
)

// wire carries requests to a handler in the same process. Nothing but the
// clock makes anybody wait.
type wire struct {
	handler http.Handler

	mu      sync.Mutex
	written int // requests that are not reads, the emulator's own aside
	refused int
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	in := req.Clone(req.Context())
	in.RequestURI, in.RemoteAddr = req.URL.RequestURI(), "127.0.0.1:1"
	in.Host = req.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, in)
	w.mu.Lock()
	defer w.mu.Unlock()
	if req.Method != http.MethodGet && strings.HasPrefix(req.URL.Path, "/v1/") {
		w.written++
	}
	if rec.Code == http.StatusTooManyRequests {
		w.refused++
	}
	return rec.Result(), nil
}

// people returns the seed of an organization of n people, and its configuration
// without what a case adds.
func people(n int) (seed map[string]any, hcl string) {
	var members []map[string]any
	for i := range n {
		members = append(members, map[string]any{"id": fmt.Sprintf("user_%d", i), "email": email(i), "name": email(i), "role": "managed"})
	}
	members = append(members, map[string]any{"id": "user_owner", "email": "owner@acme.com", "name": "Owner", "role": "primary_owner"})
	return map[string]any{
			"organization": map[string]any{"id": "12345678-1234-5678-1234-567812345678", "name": "Acme", "provisioning": "login_only", "currency": "USD", "usage_credits": true},
			"features":     map[string]any{"chat": true, "web_search": true},
			"members":      members,
			"roles": []map[string]any{
				{"id": "rbac_role_std", "name": "standard", "permissions": []map[string]any{{"action": "chat", "resource": map[string]any{"type": "organization"}}}},
				{"id": "rbac_role_web", "name": "web", "permissions": []map[string]any{{"action": "web_search", "resource": map[string]any{"type": "organization"}}}},
			},
			"groups": []map[string]any{
				{"id": "rbac_group_all", "name": "all", "source_type": "direct", "roles": []string{"standard"}, "members": emails(0, n)},
				{"id": "rbac_group_old", "name": "old", "source_type": "direct", "roles": []string{"web"}, "members": emails(0, n/2)},
				{"id": "rbac_group_new", "name": "new", "source_type": "direct", "roles": []string{"web"}, "members": []string{}},
			},
		}, `organization "acme" {
  system = "claude-enterprise"
}
guard {
  max_members_losing_access = "100%"
  max_removals              = 100000
  max_group_shrink          = "100%"
  max_spend_increase        = "100%"
}
accept "guard.max_group_shrink" {
  up_to   = 100
  reason  = "test"
  expires = "2100-01-01"
}
role "standard" {}
role "web" {}
group "all" {}
`
}

func email(i int) string { return fmt.Sprintf("p%04d@acme.com", i) }

func emails(from, to int) []string {
	list := []string{}
	for i := from; i < to; i++ {
		list = append(list, email(i))
	}
	return list
}

func hclList(list []string) string { b, _ := json.Marshal(list); return string(b) }

// TestEstimate applies plans on the emulator with the documented limits and
// compares what the plan said it would take with what it took. The time is that
// of a clock that only waiting moves, for the limits, the pace and the waits
// alike; so nothing hangs on how fast the machine is.
func TestEstimate(t *testing.T) {
	for name, c := range map[string]struct {
		people int
		hcl    func(n int) string
		scale  float64
		least  int // seconds that it takes at least, so that a case is about the limits
		settle bool
	}{
		"memberships": {1300, func(n int) string {
			return fmt.Sprintf("group \"new\" {\n  members = %s\n}\n", hclList(emails(0, n)))
		}, 1, 600, false},
		"memberships with clock and limits sixty times as fast": {1300, func(n int) string {
			return fmt.Sprintf("group \"new\" {\n  members = %s\n}\n", hclList(emails(0, n)))
		}, 60, 600, false},
		"more people than a page holds": {2600, func(n int) string {
			return fmt.Sprintf("group \"new\" {\n  members = %s\n}\n", hclList(emails(0, 2200)))
		}, 1, 1000, false},
		"many groups": {400, func(n int) string {
			var b strings.Builder
			for g := range 90 {
				fmt.Fprintf(&b, "group \"team-%d\" {\n  roles   = [role.standard]\n  members = %s\n}\n", g, hclList(emails(4*g, 4*g+8)))
			}
			return b.String()
		}, 1, 600, false},
		"limits": {700, func(n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "member %q {\n  spend_limit {\n    monthly = \"%d.00\"\n  }\n}\n", email(i), 100+i%7)
			}
			return b.String()
		}, 1, 600, false},
		"limits and memberships": {600, func(n int) string {
			var b strings.Builder
			fmt.Fprintf(&b, "group \"new\" {\n  members = %s\n}\n", hclList(emails(0, n)))
			for i := range n {
				fmt.Fprintf(&b, "member %q {\n  spend_limit {\n    monthly = \"50.00\"\n  }\n}\n", email(i))
			}
			return b.String()
		}, 1, 500, false},
		"from one group to another, with waits": {1000, func(n int) string {
			return fmt.Sprintf("group \"new\" {\n  members = %s\n}\ngroup \"old\" {\n  members = %s\n}\n", hclList(emails(0, n/2)), hclList(emails(n/2, n)))
		}, 1, 600, true},
		"from one group to another, with waits, sixty times as fast": {1000, func(n int) string {
			return fmt.Sprintf("group \"new\" {\n  members = %s\n}\ngroup \"old\" {\n  members = %s\n}\n", hclList(emails(0, n/2)), hclList(emails(n/2, n)))
		}, 60, 600, true},
	} {
		t.Run(name, func(t *testing.T) {
			seed, hcl := people(c.people)
			data, err := json.Marshal(seed)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "acme.hcl"), []byte(hcl+c.hcl(c.people)), 0o600); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				p, took, w := timed(t, dir, data, c.scale)
				if p.Summary.Requests != w.written {
					t.Errorf("the plan says %d requests that write, and %d were sent", p.Summary.Requests, w.written)
				}
				if w.refused > 0 {
					t.Errorf("%d requests were refused for their pace", w.refused)
				}
				if c.settle != (p.Summary.SettleSeconds > 0) {
					t.Errorf("%d seconds of waiting until changes are in force", p.Summary.SettleSeconds)
				}
				said := float64(p.Summary.Seconds)
				t.Logf("%d requests that write: %.0f s expected, %.0f s needed (%+.1f %%), %d s of them waits", w.written, said, took, (said/took-1)*100, p.Summary.SettleSeconds)
				if took < float64(c.least) {
					t.Errorf("took %.0f s, which says nothing about the limits", took)
				}
				if math.Abs(said-took) > took/10 {
					t.Errorf("the plan expects %.0f s, and it took %.0f s", said, took)
				}
				if rest := took - float64(p.Summary.SettleSeconds); math.Abs(said-float64(p.Summary.SettleSeconds)-rest) > rest/10 {
					t.Errorf("besides waits the plan expects %.0f s, and it took %.0f s", said-float64(p.Summary.SettleSeconds), rest)
				}
			})
		})
	}
}

// timed plans and applies, and returns what it took in documented seconds.
func timed(t *testing.T, dir string, seed []byte, scale float64) (*plan.Plan, float64, *wire) {
	e, err := emulator.Open(emulator.Options{SeedData: seed, RateLimits: true, TimeScale: scale})
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{handler: e.Handler()}
	kind := claude.Kind()
	cfg, diags := schema.Load(dir, schema.Options{Systems: []*schema.System{kind.Language}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	system := kind.New(cfg)
	description, diags := system.Describe()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	conn, editor, err := kind.ConnectToWrite(t.Context(), cfg, providers.Environment{HTTP: w, Getenv: func(key string) string {
		return map[string]string{"ROLECALL_ENDPOINT": "http://127.0.0.1:1"}[key]
	}})
	if err != nil {
		t.Fatal(err)
	}
	live, err := conn.Reader.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(plan.Input{Config: cfg, Description: description, System: system, Live: live, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Findings {
		if f.Severity == plan.Error && !f.Accepted {
			t.Logf("%s: %s", f.Rule, f.Message)
		}
	}
	start := time.Now()
	result, err := apply.Run(t.Context(), apply.Options{Plan: p, Reader: conn.Reader, Editor: editor, Console: apply.Auto,
		Sleep: func(ctx context.Context, d time.Duration) error {
			time.Sleep(time.Duration(float64(d) / scale))
			return ctx.Err()
		}})
	took := time.Since(start).Seconds() * scale
	if err != nil || result.Done != p.Summary.Steps {
		t.Fatalf("%d of %d steps: %v", result.Done, p.Summary.Steps, err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return p, took, w
}
