package claude

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolecall/rolecall/apply"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/emulator"
	"github.com/rolecall/rolecall/schema"
)

// requestsText documents what reading and applying cost. The tables are read by
// TestRequestsAreThoseOfTheFormula, which holds them against what is sent.
const requestsText = `
## Requests

` + "`--stats`" + ` prints how many requests were sent. ` + "`pages(n, k)`" + ` is how many pages a list
of n entries takes at k a page, at least one; what is per group, role or plugin is
counted for each by its own size.

| a first plan reads | requests |
|---|---|
| which organization the key belongs to | 1 |
| members | pages(members, 1000) |
| pending invites | pages(invites, 1000) |
| groups | pages(groups, 1000) |
| who is in each group | groups × pages(group_members, 1000) |
| roles | pages(roles, 1000) |
| the rows of each role | roles × pages(role_rows, 1000) |
| limits | pages(limits, 1000) |
| marketplaces | pages(marketplaces, 1000) |
| plugins, where there is a marketplace | pages(plugins, 100) |
| the settings of each plugin | plugins × pages(plugin_settings, 100) |
| the settings in force | 1 |
| the activity feed, as far as it tells what no list shows | pages(events, 5000) |
| its newest entries, for the next plan | 1 |

The next plan asks the feed what has changed since. If nothing has, it costs:

| a cached plan reads | requests |
|---|---|
| which organization the key belongs to | 1 |
| the activity since the last plan | pages(changes, 5000) |
| the settings in force | 1 |

An apply reads everything, without the newest entries of the feed. Then, for each
stage, it looks at what the stage touches, writes, and looks again until every
write is shown:

| one look at groups and their members reads | requests |
|---|---|
| members | pages(members, 1000) |
| groups | pages(groups, 1000) |
| who is in each group that the stage touches | touched × pages(group_members, 1000) |
| roles | pages(roles, 1000) |
| limits | pages(limits, 1000) |

While the API says that the roles of a group are not available, groups are asked
for up to three times more. Where the key does not open the organization's id, the
Compliance API is asked for it, for one request more.
`

// A sizes says how large an organization is, in the words of the formula.
type sizes map[string]int

var (
	pagesTerm = regexp.MustCompile(`^(?:(\w+) × )?pages\((\w+), (\d+)\)$`)
	tableRow  = regexp.MustCompile(`^\| (.+) \| (.+) \|$`)
)

// documentedRequests evaluates the table of README.md whose head begins so.
func documentedRequests(t *testing.T, head string, of sizes) int {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(readme), "| "+head+" | requests |\n|---|---|\n")
	if !ok {
		t.Fatalf("README.md has no table %q", head)
	}
	sum := 0
	for line := range strings.Lines(rest) {
		m := tableRow.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			break
		}
		if n, err := strconv.Atoi(m[2]); err == nil {
			sum += n
			continue
		}
		p := pagesTerm.FindStringSubmatch(m[2])
		if p == nil {
			t.Fatalf("no formula: %s", m[2])
		}
		if strings.HasPrefix(m[1], "plugins, where") && of["marketplaces"] == 0 {
			continue
		}
		size, known := of[p[2]]
		per, _ := strconv.Atoi(p[3])
		n := max(1, (size+per-1)/per)
		if p[1] != "" {
			times, there := of[p[1]]
			known = known && there
			n *= times
		}
		if !known {
			t.Fatalf("the test says no size of %s", m[2])
		}
		sum += n
	}
	return sum
}

// organizationOf is a seed of an organization of some size.
func organizationOf(n sizes) string {
	type entry = map[string]any
	members, groups, roles, limits, plugins, marketplaces := []entry{}, []entry{}, []entry{}, []entry{}, []entry{}, []entry{}
	email := func(i int) string { return fmt.Sprintf("p%d@acme.com", i) }
	for i := range n["members"] {
		role := "user"
		if i == 0 {
			role = "primary_owner"
		}
		members = append(members, entry{"id": fmt.Sprintf("user_%d", i), "email": email(i), "role": role})
	}
	for i := range n["roles"] {
		rows := []entry{}
		for k := range n["role_rows"] {
			rows = append(rows, entry{"action": "use", "resource": entry{"type": "connector_tool", "connector_id": "mcpsrv_x", "tool_name": fmt.Sprintf("t%d", k)}})
		}
		roles = append(roles, entry{"id": fmt.Sprintf("rbac_role_%d", i), "name": fmt.Sprintf("Role %d", i), "permissions": rows})
	}
	for i := range n["groups"] {
		in := []string{}
		for k := range n["group_members"] {
			in = append(in, email(k))
		}
		groups = append(groups, entry{"id": fmt.Sprintf("rbac_group_%d", i), "name": fmt.Sprintf("Group %d", i), "members": in})
	}
	for i := range n["limits"] {
		limits = append(limits, entry{"scope": entry{"type": "user", "email": email(i)}, "amount": "100"})
	}
	if n["marketplaces"] > 0 {
		marketplaces = append(marketplaces, entry{"id": "marketplace_m", "name": "Tools", "source": "github"})
	}
	for i := range n["plugins"] {
		plugins = append(plugins, entry{"id": fmt.Sprintf("plugin_%d", i), "name": fmt.Sprintf("p%d", i), "marketplace": "Tools", "created_at": "2026-01-01T00:00:00Z"})
	}
	b, _ := json.Marshal(entry{"organization": entry{"id": "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e", "name": "Acme", "provisioning": "login_only"},
		"features": entry{"chat": true}, "connectors": []entry{{"id": "mcpsrv_x", "name": "X"}}, "members": members, "roles": roles, "groups": groups,
		"spend_limits": limits, "plugin_marketplaces": marketplaces, "plugins": plugins}) // texts and lists always encode
	return string(b)
}

// TestRequestsAreThoseOfTheFormula reads organizations of many sizes, once, once
// more, and applies a change: what --stats counts, what the emulator counted,
// and what README.md says are one number.
func TestRequestsAreThoseOfTheFormula(t *testing.T) {
	for name, n := range map[string]sizes{
		"smallest":                    {"members": 1, "groups": 1},
		"acme":                        {"members": 67, "groups": 8, "roles": 5, "role_rows": 6, "group_members": 12, "limits": 3},
		"plugins":                     {"members": 5, "groups": 2, "marketplaces": 1, "plugins": 101, "roles": 1},
		"no-plugins-in-a-marketplace": {"members": 5, "groups": 1, "marketplaces": 1},
		"exact-pages":                 {"members": 1000, "groups": 2, "group_members": 1000, "limits": 999},
		"many-pages":                  {"members": 1003, "groups": 3, "group_members": 1001, "roles": 2, "role_rows": 1001, "limits": 1001},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, key := range []string{"invites", "groups", "group_members", "roles", "role_rows", "limits", "marketplaces", "plugins", "plugin_settings", "events", "changes"} {
				n[key] += 0 // what is not said is nothing
			}
			var ago atomic.Int64 // how far the emulator's clock is behind
			ago.Store(int64(time.Hour))
			e, err := emulator.Open(emulator.Options{SeedData: []byte(organizationOf(n)), Now: func() time.Time { return time.Now().Add(-time.Duration(ago.Load())) }})
			if err != nil {
				t.Fatal(err)
			}
			s := httptest.NewServer(e.Handler())
			defer s.Close()
			do(t, s.URL, "POST", "/v1/organizations/rbac_groups/rbac_group_0", `{"name":"Group zero"}`) // so that the feed is not empty
			ago.Store(0)

			c := configure(t, organizationText+"group \"zero\" {\n id = \"rbac_group_0\"\n name = \"Group zero\"\n members = everyone\n}\nguard {\n max_spend_increase = \"100%\"\n}\n")
			env := providers.Environment{Getenv: func(name string) string {
				return map[string]string{"ROLECALL_ENDPOINT": s.URL, "ANTHROPIC_ADMIN_KEY": "sk-ant-api01-test"}[name]
			}}

			// count runs f and compares the counters with the documentation.
			count := func(what string, r providers.Reader, want int, f func()) {
				t.Helper()
				sent, served := r.Requests(), len(e.Requests())
				f()
				sent, served = r.Requests()-sent, len(e.Requests())-served
				if sent != want || served != want {
					t.Errorf("%s: %d sent, %d served, %d documented", what, sent, served, want)
				}
			}
			read := func(r providers.Reader) (st *schema.State) {
				t.Helper()
				st, err := r.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return st
			}
			conn, err := Connect(t.Context(), c, env)
			if err != nil {
				t.Fatal(err)
			}
			count("first plan", conn.Reader, documentedRequests(t, "a first plan reads", n), func() { read(conn.Reader) })
			if _, err := os.Stat(filepath.Join(c.Dir, ".rolecall", "cache.json")); err != nil {
				t.Fatalf("nothing was kept: %v", err)
			}
			count("cached plan", conn.Reader, documentedRequests(t, "a cached plan reads", n), func() { read(conn.Reader) })

			conn, editor, err := ConnectToWrite(t.Context(), c, env)
			if err != nil {
				t.Fatal(err)
			}
			d, _ := New(c).Describe()
			var p *plan.Plan
			whole := documentedRequests(t, "a first plan reads", n) - 1
			count("plan of an apply", conn.Reader, whole, func() {
				if p, err = plan.Build(plan.Input{Config: c, Description: d, System: New(c), Live: read(conn.Reader), Now: noon}); err != nil {
					t.Fatal(err)
				}
			})
			joins := n["members"] - n["group_members"]
			if len(p.Steps) != joins || joins > 0 && len(p.Stages) != 1 {
				t.Fatalf("%d steps in %d stages, want %d in one", len(p.Steps), len(p.Stages), joins)
			}
			n["touched"] = 1
			look := 0
			if joins > 0 {
				look = documentedRequests(t, "one look at groups and their members reads", n)
			}
			after := sizes{}
			for k, v := range n {
				after[k] = v
			}
			again := 0
			if after["group_members"] = n["members"]; joins > 0 {
				again = documentedRequests(t, "one look at groups and their members reads", after)
			}
			count("apply", conn.Reader, look+joins+again, func() {
				_, err := apply.Run(context.WithoutCancel(t.Context()), apply.Options{Plan: p, Reader: conn.Reader, Editor: editor, Console: apply.Stop, MaxSettle: time.Millisecond})
				if err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// do sends a request as another admin.
func do(t *testing.T, base, method, path, body string) {
	t.Helper()
	_, w, err := NewClient(Options{Endpoint: base, Key: "another", Unpaced: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Send(t.Context(), schema.Request{Method: method, Path: path, Body: json.RawMessage(body)}); err != nil {
		t.Fatal(err)
	}
}
