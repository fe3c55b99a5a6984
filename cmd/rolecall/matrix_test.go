package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rolecall/rolecall/providers/emulator"
)

// matrixSeed and matrixConfig are an organization that is as it is described,
// with one of everything that a write can change.
const matrixSeed = `{
  "organization": {"id": "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e", "name": "Acme", "provisioning": "login_only"},
  "features": {"chat": true},
  "roles": [{"id": "rbac_role_base", "name": "base", "permissions": [
    {"action": "chat", "resource": {"type": "organization"}},
    {"action": "use", "resource": {"type": "all_connectors"}}
  ]}],
  "groups": [
    {"id": "rbac_group_a", "name": "A", "roles": ["rbac_role_base"], "members": ["ann@a.io", "ben@a.io"]},
    {"id": "rbac_group_b", "name": "B", "members": ["ben@a.io", "cy@a.io"]},
    {"id": "rbac_group_c", "name": "C", "members": []}
  ],
  "members": [
    {"id": "user_ann", "email": "ann@a.io", "role": "managed"},
    {"id": "user_ben", "email": "ben@a.io"},
    {"id": "user_cy", "email": "cy@a.io"},
    {"id": "user_dee", "email": "dee@a.io"},
    {"id": "user_own", "email": "own@a.io", "role": "primary_owner"}
  ],
  "invites": [{"id": "invite_old", "email": "old@a.io", "role": "user"}],
  "spend_limits": [
    {"id": "spl_org", "scope": {"type": "organization"}, "amount": "90000"},
    {"id": "spl_ben", "scope": {"type": "user", "email": "ben@a.io"}, "amount": "50000"}
  ],
  "spend_limit_increase_requests": [{"id": "slir_ann", "email": "ann@a.io", "created_at": "2026-06-20T08:00:00Z"}],
  "plugin_marketplaces": [
    {"id": "marketplace_tools", "name": "Tools", "source": "github", "default_installation_preference": "available"}],
  "plugins": [
    {"id": "plugin_lint", "name": "lint-kit", "marketplace": "Tools", "organization": "available", "groups": {"A": "required"}, "version": "1.2.0", "created_at": "2026-01-01T00:00:00Z"}]
}`

const matrixConfig = `organization "acme" {
  system  = "claude-enterprise"
  invites = "send"
  settle  = "0s"
}
feature "chat" {
  enabled = true
}
role "base" {
  capabilities      = ["chat"]
  connector_default = "needs_approval"
}
marketplace "tools" {
  id      = "marketplace_tools"
  install = "available"
}
plugin "lint-kit" {
  id      = "plugin_lint"
  install = "available"
}
group "a" {
  name    = "A"
  roles   = [role.base]
  members = ["ann@a.io", "ben@a.io"]
  plugin "lint-kit" {
    install = "required"
  }
}
group "b" {
  name    = "B"
  members = ["ben@a.io", "cy@a.io"]
}
group "c" {
  name    = "C"
  members = []
}
member "ben@a.io" {
  spend_limit {
    monthly = "500.00"
  }
}
migration {
  wave "all" {
    members = ["ann@a.io"]
  }
}
approval "all" {
  groups  = [group.a]
  ceiling = "1500.00"
  step    = "250.00"
}
guard {
  max_members_losing_access = "100%"
  max_group_shrink          = "100%"
  max_spend_increase        = "100%"
}
`

// A matrixRow is one write: a change of the configuration that needs it and
// nothing else.
type matrixRow struct {
	method, path string
	change       [][2]string // of matrixConfig: what, by what
	command      []string    // apply unless given
	object       string      // what a message about it must name
	twins        string      // what it says if another of the same is there, which the system takes
	same         string      // the body with which another admin does the same first
}

var matrixRows = []matrixRow{
	{method: "POST", path: "/v1/organizations/users/{user_id}", change: [][2]string{{`members = ["ann@a.io"]`, `members = ["ann@a.io", "ben@a.io"]`}}, object: "ben@a.io", same: `{"role": "managed"}`},
	{method: "DELETE", path: "/v1/organizations/users/{user_id}", change: [][2]string{{`migration {`, "member \"dee@a.io\" {\n  remove = true\n}\nmigration {"}}, object: "dee@a.io"},
	{method: "POST", path: "/v1/organizations/invites", change: [][2]string{{`members = ["ann@a.io", "ben@a.io"]`, `members = ["ann@a.io", "ben@a.io", "new@a.io"]`}}, object: "new@a.io", same: `{"email": "new@a.io", "role": "user", "rbac_group_ids": ["rbac_group_a"]}`},
	{method: "DELETE", path: "/v1/organizations/invites/{invite_id}", change: [][2]string{{`members = ["ann@a.io", "ben@a.io"]`, `members = ["ann@a.io", "ben@a.io", "old@a.io"]`}}, object: "old@a.io"},
	{method: "POST", path: "/v1/organizations/rbac_groups", change: [][2]string{{`migration {`, "group \"new\" {\n  name    = \"New\"\n  members = []\n}\nmigration {"}}, object: "group.new", twins: `2 live groups are called "New": rbac_group_\w+, rbac_group_\w+; .* delete .* run again`, same: `{"name": "New"}`},
	{method: "POST", path: "/v1/organizations/rbac_groups/{group_id}", change: [][2]string{{`name    = "B"`, "name    = \"Bee\"\n  previous_names = [\"B\"]"}}, object: "group.b", same: `{"name": "Bee"}`},
	{method: "DELETE", path: "/v1/organizations/rbac_groups/{group_id}", change: [][2]string{{"group \"c\" {\n  name    = \"C\"\n  members = []\n}\n", "removed {\n  from = group.c\n  id   = \"rbac_group_c\"\n}\n"}}, object: "group.C"},
	{method: "POST", path: "/v1/organizations/rbac_groups/{group_id}/members", change: [][2]string{{`members = ["ben@a.io", "cy@a.io"]`, `members = ["ben@a.io", "cy@a.io", "ann@a.io"]`}}, object: "ann@a.io", same: `{"user_id": "user_ann"}`},
	{method: "DELETE", path: "/v1/organizations/rbac_groups/{group_id}/members/{user_id}", change: [][2]string{{`members = ["ben@a.io", "cy@a.io"]`, `members = ["ben@a.io"]`}}, object: "cy@a.io"},
	{method: "POST", path: "/v1/organizations/spend_limits", change: [][2]string{{`monthly = "500.00"`, `monthly = "600.00"`}}, object: "ben@a.io", same: `{"amount": "60000", "scope": {"type": "user", "user_id": "user_ben"}}`},
	{method: "DELETE", path: "/v1/organizations/spend_limits/{limit_id}", change: [][2]string{{`monthly = "500.00"`, `inherit = true`}}, object: "ben@a.io"},
	{method: "POST", path: "/v1/organizations/plugins/{plugin_id}/installation_settings/{target}", change: [][2]string{{`install = "required"`, `install = "auto_install"`}}, object: "lint-kit", same: `{"installation_preference": "auto_install"}`},
	{method: "DELETE", path: "/v1/organizations/plugins/{plugin_id}/installation_settings/{target}", change: [][2]string{{`install = "required"`, `install = "inherit"`}}, object: "lint-kit"},
	{method: "POST", path: "/v1/organizations/plugin_marketplaces/{marketplace_id}", change: [][2]string{{"marketplace_tools\"\n  install = \"available\"", "marketplace_tools\"\n  install = \"not_available\""}}, object: "tools", same: `{"default_installation_preference": "not_available"}`},
	{method: "POST", path: "/v1/organizations/spend_limit_increase_requests/{request_id}/approve", command: []string{"requests", "approve", "slir_ann", "--yes"}, object: "slir_ann", same: `{"amount": "115000"}`},
	{method: "POST", path: "/v1/organizations/spend_limit_increase_requests/{request_id}/deny", command: []string{"requests", "deny", "slir_ann", "--yes"}, object: "slir_ann", same: `{}`},
}

// name returns the write as the name of a test.
func (r matrixRow) name() string { return strings.ReplaceAll(r.method+r.path, "/", "_") }

func (r matrixRow) dir(t *testing.T) string {
	t.Helper()
	config := matrixConfig
	for _, c := range r.change {
		if strings.Count(config, c[0]) != 1 {
			t.Fatalf("%s: %q is there %d times", r.path, c[0], strings.Count(config, c[0]))
		}
		config = strings.Replace(config, c[0], c[1], 1)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "org.hcl"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ids of matrixSeed and of what the rows make, by the parameter of a path.
var matrixIDs = map[string]map[string]string{
	"group_id": {"group.b": "rbac_group_b", "group.C": "rbac_group_c", "ann@a.io": "rbac_group_b", "cy@a.io": "rbac_group_b"},
	"user_id":  {"ben@a.io": "user_ben", "dee@a.io": "user_dee", "cy@a.io": "user_cy", "ann@a.io": "user_ann"},
}

var parameter = regexp.MustCompile(`\{(\w+)\}`)

// concrete returns the path of the row's own write.
func (r matrixRow) concrete() string {
	return parameter.ReplaceAllStringFunc(r.path, func(p string) string {
		switch name := strings.Trim(p, "{}"); name {
		case "invite_id":
			return "invite_old"
		case "limit_id":
			return "spl_ben"
		case "plugin_id":
			return "plugin_lint"
		case "target":
			return "rbac_group_a"
		case "marketplace_id":
			return "marketplace_tools"
		case "request_id":
			return "slir_ann"
		default:
			return matrixIDs[name][r.object]
		}
	})
}

// A matrixFault is what goes wrong with a write, and what becomes of it.
type matrixFault struct {
	name  string
	fault string // of the emulator, without method and path
	exit  int
	says  string // cause and what to do, for an exit other than 0
	short bool   // also with -short
}

// The statuses are those that the vendor documents for its writes, each of them
// as long as the cause lasts; what passes by itself happens once.
//
// Source: facts/claude-enterprise 6.1, 6.3, 6.4; providers/emulator/README.md.
var matrixFaults = []matrixFault{
	{name: "400", fault: `"times": -1, "do": "status", "status": 400, "message": "The request is refused."`, exit: 1, says: `400 invalid_request_error: The request is refused\. .*correct .* run again`, short: true},
	{name: "401", fault: `"times": -1, "do": "status", "status": 401, "message": "The API key provided is invalid or has been revoked."`, exit: 1, says: `401 authentication_error: The API key .*the key is missing, wrong or disabled`},
	{name: "402", fault: `"times": -1, "do": "status", "status": 402, "type": "billing_error", "message": "No."`, exit: 1, says: `402 billing_error: No\. .*billing`},
	{name: "403", fault: `"times": -1, "do": "status", "status": 403, "message": "Missing required scopes. Got: ['read:members'] Needed: ['write:everything']"`, exit: 1, says: `403 permission_error: .*the key lacks write:everything`, short: true},
	{name: "403-without-scopes", fault: `"times": -1, "do": "status", "status": 403, "message": "No."`, exit: 1, says: `403 permission_error: No\. .*compare its scopes`},
	{name: "404", fault: `"times": -1, "do": "status", "status": 404, "message": "Not found."`, exit: 1, says: `404 not_found_error: .*plan again`},
	{name: "409", fault: `"times": -1, "do": "status", "status": 409, "type": "conflict_error", "message": "Another request is being carried out."`, exit: 1, says: `409 conflict_error: .* run again`},
	{name: "413", fault: `"times": -1, "do": "status", "status": 413, "type": "request_too_large", "message": "Too large."`, exit: 1, says: `413 request_too_large: .*(report|correct)`},
	{name: "429", fault: `"do": "status", "status": 429, "headers": {"retry-after": "0"}`, exit: 0, short: true},
	{name: "429-for-an-hour", fault: `"times": -1, "do": "status", "status": 429, "headers": {"retry-after": "3600"}`, exit: 1, says: `429 rate_limit_error: .*wait 1h0m0s.*run again later`},
	{name: "500", fault: `"do": "status", "status": 500, "headers": {"retry-after": "0.01"}`, exit: 0},
	{name: "500-always", fault: `"times": -1, "do": "status", "status": 500, "headers": {"retry-after": "0.01"}`, exit: 1, says: `500 api_error: .*run again later`},
	{name: "500-do-not-repeat", fault: `"times": -1, "do": "status", "status": 500, "headers": {"x-should-retry": "false"}`, exit: 1, says: `500 api_error: .*run again later`},
	{name: "503", fault: `"do": "status", "status": 503, "headers": {"x-should-retry": "true", "retry-after": "0.01"}`, exit: 0},
	{name: "504", fault: `"do": "status", "status": 504, "type": "timeout_error", "headers": {"retry-after": "0.01"}`, exit: 0},
	{name: "529", fault: `"do": "status", "status": 529, "type": "overloaded_error", "headers": {"retry-after": "0.01"}`, exit: 0},
	{name: "never-arrives", fault: `"do": "drop_before"`, exit: 0},
	{name: "answer-lost", fault: `"do": "drop_after"`, exit: 0, short: true},
	{name: "answer-cut", fault: `"do": "cut_body"`, exit: 0},
	{name: "done-but-500", fault: `"do": "status_after", "status": 500, "headers": {"retry-after": "0.01"}`, exit: 0},
	{name: "delivered-twice", fault: `"do": "duplicate"`, exit: 0},
	{name: "late", fault: `"do": "delay", "delay_ms": 30`, exit: 0},
	{name: "same-by-another-admin", fault: "same", exit: 0, short: true},
}

// unusedWrites are the writes of the vendor's API that rolecall never makes.
var unusedWrites = []string{"DELETE /v1/organizations/plugins/{plugin_id}"}

// TestEveryWriteHasARow keeps the matrix complete: every write that the emulator
// serves is in it, and so in the test that kills the program at each.
func TestEveryWriteHasARow(t *testing.T) {
	rows := slices.Clone(unusedWrites)
	for _, r := range matrixRows {
		rows = append(rows, r.method+" "+r.path)
	}
	var served []string
	for _, e := range emulator.Endpoints() {
		if e.Method != "GET" {
			served = append(served, e.Method+" "+e.Path)
		}
	}
	slices.Sort(rows)
	slices.Sort(served)
	if !slices.Equal(rows, served) {
		t.Errorf("rows of the matrix:\n%s\nwrites of the API:\n%s", strings.Join(rows, "\n"), strings.Join(served, "\n"))
	}
}

// TestMatrix lets each write meet each documented error and each fault of the
// emulator, from the command line: the status and the message are right, and
// once the cause is gone the next run converges, with nothing there twice.
func TestMatrix(t *testing.T) {
	type cell struct {
		name string
		run  func(fail func(string, ...any))
		errs []string
	}
	var cells []*cell
	for _, r := range matrixRows {
		dir := r.dir(t)
		want := r.undisturbed(t, dir)
		for _, f := range matrixFaults {
			if testing.Short() && !f.short {
				continue
			}
			dir := r.dir(t)
			cells = append(cells, &cell{name: r.name() + "/" + f.name,
				run: func(fail func(string, ...any)) { r.meet(t, f, dir, want, fail) }})
		}
	}
	var all sync.WaitGroup
	free := make(chan struct{}, 64) // most of the time is waiting
	for _, c := range cells {
		all.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			c.run(func(format string, args ...any) { c.errs = append(c.errs, fmt.Sprintf(format, args...)) })
		})
	}
	all.Wait()
	for _, c := range cells {
		t.Run(c.name, func(t *testing.T) {
			for _, e := range c.errs {
				t.Error(e)
			}
		})
	}
}

func (r matrixRow) open(t *testing.T) (*emulator.Server, *httptest.Server) {
	t.Helper()
	e, err := emulator.Open(emulator.Options{SeedData: []byte(matrixSeed)})
	if err != nil {
		t.Fatal(err)
	}
	return e, httptest.NewServer(e.Handler())
}

func (r matrixRow) args(dir string) []string {
	if r.command != nil {
		return append(slices.Clone(r.command), "-C", dir)
	}
	return []string{"apply", "--auto-approve", "-C", dir}
}

// undisturbed returns what the organization is after the row's command, which
// makes the row's write and no other of its endpoint.
func (r matrixRow) undisturbed(t *testing.T, dir string) string {
	t.Helper()
	e, server := r.open(t)
	defer server.Close()
	before := state(e)
	if code, out, errs := call(t, server.URL, r.args(dir)...); code != 0 {
		t.Fatalf("%s %s: undisturbed, it exits with %d:\n%s%s", r.method, r.path, code, out, errs)
	}
	n, path := 0, r.concrete()
	for _, q := range e.Requests() {
		if q.Method == r.method && q.Path == path {
			n++
		}
	}
	if after := state(e); n != 1 || after == before {
		t.Fatalf("%s %s: undisturbed, it is sent %d times, and the organization changes: %v", r.method, path, n, after != before)
	}
	return state(e)
}

// lastID returns the id of the group of a name that was made last.
func lastID(t *testing.T, e *emulator.Server, name string) (id string) {
	t.Helper()
	var all struct{ Groups []struct{ ID, Name string } }
	decode(t, e.StateJSON(), &all)
	for _, g := range all.Groups {
		if g.Name == name {
			id = g.ID
		}
	}
	return id
}

// meet carries out one cell.
func (r matrixRow) meet(t *testing.T, f matrixFault, dir, want string, fail func(string, ...any)) {
	e, server := r.open(t)
	defer server.Close()
	fault := fmt.Sprintf(`{"method": %q, "path": %q, %s}`, r.method, r.concrete(), f.fault)
	if f.fault == "same" {
		body := ""
		if r.same != "" {
			body = `, "body": ` + r.same
		}
		fault = fmt.Sprintf(`{"method": %q, "path": %q, "do": "edit", "edit": {"method": %q, "path": %q%s}}`, r.method, r.concrete(), r.method, r.concrete(), body)
	}
	if err := e.AddFaults([]byte(fault)); err != nil {
		fail("%v", err)
		return
	}
	if r.twins != "" && (f.name == "delivered-twice" || f.fault == "same") {
		f.exit, f.says = exitError, r.twins
	}
	code, out, errs := call(t, server.URL, r.args(dir)...)
	if code != f.exit {
		fail("exits with %d, want %d:\n%s%s", code, f.exit, out, errs)
	}
	if f.exit != 0 {
		if !regexp.MustCompile(f.says).MatchString(errs) {
			fail("the message does not say %q:\n%s", f.says, errs)
		}
		if !strings.Contains(errs, r.object) {
			fail("the message does not name %s:\n%s", r.object, errs)
		}
		if state(e) == want {
			fail("the organization has changed although the request was refused")
		}
	}
	if f.says == r.twins && f.says != "" {
		request(t, "DELETE", server.URL+"/v1/organizations/rbac_groups/"+lastID(t, e, "New"), "")
	}
	if got := e.Requests(); !slices.ContainsFunc(got, func(q emulator.Request) bool { return q.Fault != "" }) {
		fail("the fault did not fire")
	}

	request(t, "DELETE", server.URL+"/emulator/faults", "")
	if code != 0 {
		if code, out, errs := call(t, server.URL, r.args(dir)...); code != 0 {
			fail("with the cause gone it exits with %d:\n%s%s", code, out, errs)
		}
	}
	if code, out, errs := call(t, server.URL, "plan", "--detailed-exitcode", "-C", dir); code != 0 {
		fail("in the end plan exits with %d:\n%s%s", code, out, errs)
	}
	if got := state(e); got != want {
		fail("in the end the organization is\n%s\nwant\n%s", got, want)
	}
}
