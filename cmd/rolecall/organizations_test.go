package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/cmd/rolecall/internal/githubtest"
	"github.com/rolecall/rolecall/providers/emulator"
)

const (
	acmeID = "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e"
	labsID = "91012d09-e48b-438e-a489-1bebfd8fa6f9"
)

// Both organizations have the same groups, and each sees the roles that the
// other attached to them. Ann is in Acme, Lab in Labs, and Bo in both.
const sharedGroups = `[
    {"id": "rbac_group_shared", "name": "Shared", "roles": ["rbac_role_acme", "rbac_role_labs"], "members": ["ann@a.io", "lab@a.io"]},
    {"id": "rbac_group_pilot", "name": "Pilot", "roles": [], "members": ["bo@a.io"]}]`

func organizationSeed(id, name, role, members, otherID, otherName, otherRole, otherMembers string) string {
	return `{
  "organization": {"id": "` + id + `", "name": "` + name + `", "provisioning": "login_only"},
  "other_organizations": [{"id": "` + otherID + `", "name": "` + otherName + `", "members": [` + otherMembers + `],
    "roles": [{"id": "rbac_role_` + otherRole + `", "name": "` + otherName + ` base"}]}],
  "features": {"chat": true, "web_search": true},
  "roles": [{"id": "rbac_role_` + role + `", "name": "` + name + ` base", "permissions": [
    {"action": "chat", "resource": {"type": "organization"}},
    {"action": "use", "resource": {"type": "all_connectors"}}]}],
  "groups": ` + sharedGroups + `,
  "members": [` + members + `],
  "keys": [{"key": "sk-` + role + `", "scopes": ` + allScopes + `}]
}`
}

const (
	allScopes = `["read:members", "write:members", "read:rbac_groups", "write:rbac_groups", "read:spend_limits", "write:spend_limits", "read:plugins", "write:plugins", "read:compliance_org_data", "read:compliance_user_data", "read:compliance_activities"]`
	annSeed   = `{"id": "user_ann", "email": "ann@a.io", "role": "managed"}`
	boSeed    = `{"id": "user_bo", "email": "bo@a.io"}`
	labSeed   = `{"id": "user_lab", "email": "lab@a.io", "role": "managed"}`
	ownSeed   = `{"id": "user_own", "email": "own@a.io", "role": "primary_owner"}`
)

// A parent serves the organizations of one parent on one address. The key says
// which organization is meant; groups and memberships belong to the parent, so
// that a write to them shows in each of its organizations.
type parent map[string]*emulator.Server

func (p parent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mine, ok := p[r.Header.Get("x-api-key")]
	if !ok {
		http.Error(w, `{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}`, http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if r.Method != http.MethodGet && strings.HasPrefix(r.URL.Path, "/v1/organizations/rbac_groups") {
		for key, other := range p {
			if other == mine {
				continue
			}
			again := r.Clone(r.Context())
			again.Header.Set("x-api-key", key)
			again.Body = io.NopCloser(bytes.NewReader(body))
			other.Handler().ServeHTTP(httptest.NewRecorder(), again)
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	mine.Handler().ServeHTTP(w, r)
}

// TestOrganizationsOfOneParent plans, reviews, applies and watches two
// organizations of one parent from one repository, a directory each.
func TestOrganizationsOfOneParent(t *testing.T) {
	open := func(seed string) *emulator.Server {
		t.Helper()
		s, err := emulator.Open(emulator.Options{SeedData: []byte(seed)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	acme := open(organizationSeed(acmeID, "Acme", "acme", annSeed+","+boSeed+","+ownSeed, labsID, "Labs", "labs", `{"email": "lab@a.io", "name": "Lab"}, {"email": "bo@a.io", "name": "Bo"}`))
	labs := open(organizationSeed(labsID, "Labs", "labs", labSeed+","+boSeed+","+ownSeed, acmeID, "Acme", "acme", `{"email": "ann@a.io", "name": "Ann"}, {"email": "bo@a.io", "name": "Bo"}`))
	api := httptest.NewServer(parent{"sk-acme": acme, "sk-labs": labs})
	defer api.Close()
	hub := githubtest.New("acme/access", "ghs_token", "github-actions[bot]")
	defer hub.Close()
	hub.Private = true
	const head, merged = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"
	hub.AddPull(githubtest.Pull{Number: 7, Author: "jane", Head: head})

	repository := t.TempDir()
	write := func(dir, config string) {
		t.Helper()
		path := filepath.Join(repository, dir, "org.hcl")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := func(name, id, title, members, pilot string) string {
		return `organization "` + name + `" {
  system = "claude-enterprise"
  id     = "` + id + `"
  settle = "0s"
}
feature "chat" {
  enabled = true
}
role "base" {
  name              = "` + title + ` base"
  capabilities      = ["chat"]
  connector_default = "needs_approval"
}
group "shared" {
  name    = "Shared"
  roles   = [role.base]
  members = [` + members + `]
}
` + pilot + `migration {
  wave "all" {
    members = [` + members + `]
  }
}
guard {
  max_members_losing_access = "100%"
}
`
	}
	env := map[string]string{"ROLECALL_ENDPOINT": api.URL, "GITHUB_API_URL": hub.URL, "GITHUB_REPOSITORY": "acme/access", "GITHUB_TOKEN": "ghs_token",
		"GITHUB_ACTIONS": "true", "GITHUB_SHA": merged}
	rolecall := func(key string, want int, args ...string) (out, errs string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		with := maps.Clone(env)
		with["ANTHROPIC_ADMIN_KEY"] = key
		code := run(context.Background(), append([]string{"rolecall"}, args...), streams{
			in: strings.NewReader(""), out: &stdout, err: &stderr, getenv: func(k string) string { return with[k] }})
		if code != want {
			t.Fatalf("rolecall %s exits with %d, want %d:\n%s%s", strings.Join(args, " "), code, want, stdout.String(), stderr.String())
		}
		return stdout.String(), stderr.String()
	}
	at := func(dir string) string { return filepath.Join(repository, dir) }
	keyOf := map[string]string{"acme": "sk-acme", "labs": "sk-labs"}

	// Both are as they are described: the role of the other organization and its
	// people are no difference, and nothing to take away.
	write("acme", config("acme", acmeID, "Acme", `"ann@a.io"`, ""))
	write("labs", config("labs", labsID, "Labs", `"lab@a.io"`, ""))
	for dir, key := range keyOf {
		rolecall(key, 0, "plan", "-C", at(dir), "--detailed-exitcode")
		rolecall(key, 0, "drift", "-C", at(dir))
	}

	// A key of the wrong organization reads nothing more and writes nothing.
	was := [2]string{state(acme), state(labs)}
	for dir, other := range map[string]string{"acme": "sk-labs", "labs": "sk-acme"} {
		for _, args := range [][]string{{"plan"}, {"apply", "--auto-approve"}, {"drift"}, {"review", "--pr", "7"}} {
			_, errs := rolecall(other, 1, append(args, "-C", at(dir))...)
			if !strings.Contains(errs, acmeID) || !strings.Contains(errs, labsID) {
				t.Errorf("%s of %s with the key of the other does not name both:\n%s", args[0], dir, errs)
			}
		}
	}
	if len(hub.Comments(7)) != 0 || was != [2]string{state(acme), state(labs)} {
		t.Error("with the wrong key something was written")
	}

	// Bo, who is in both, joins the shared group in each, and moves to custom
	// roles in each: two plans, two comments, two checks.
	write("acme", config("acme", acmeID, "Acme", `"ann@a.io", "bo@a.io"`, ""))
	write("labs", config("labs", labsID, "Labs", `"lab@a.io", "bo@a.io"`, ""))
	for range 2 {
		for dir, key := range keyOf {
			rolecall(key, 0, "review", "-C", at(dir), "--pr", "7")
		}
	}
	comments := hub.Comments(7)
	for _, c := range comments {
		if !strings.Contains(c.Body, "shared&#45;membership") {
			t.Errorf("a comment does not say that the group has a role of the other organization:\n%s", c.Body)
		}
	}
	if len(comments) != 2 || comments[0].Edits+comments[1].Edits != 0 || len(hub.Checks(head)) < 2 {
		t.Fatalf("%d comments with %d edits, want one of each organization", len(comments), comments[0].Edits)
	}
	for _, dir := range []string{"acme", "labs"} {
		n := 0
		for _, c := range comments {
			if strings.Contains(c.Body, "**"+dir+"&#58; of 3 members, ") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d comments are about %s", n, dir)
		}
	}
	hub.Merge(7, merged)

	// The membership is the parent's: once Acme's apply has made it, there is less
	// left to do in Labs, and what is left is no more than was approved.
	rolecall("sk-acme", 0, "apply", "-C", at("acme"), "--auto-approve", "--approved-by-comment")
	out, _ := rolecall("sk-labs", 0, "apply", "-C", at("labs"), "--auto-approve", "--approved-by-comment")
	if strings.Contains(out, "add bo@a.io to the group") || !strings.Contains(out, "move bo@a.io") {
		t.Errorf("Labs adds Bo again, or does not move him:\n%s", out)
	}
	for dir, key := range keyOf {
		rolecall(key, 0, "plan", "-C", at(dir), "--detailed-exitcode")
	}
	for name, s := range map[string]*emulator.Server{"acme": acme, "labs": labs} {
		g := groupOf(t, s, "Shared")
		if strings.Join(g.Roles, " ") != "rbac_role_acme rbac_role_labs" || len(g.Members) != 3 {
			t.Errorf("%s: in the end the shared group is %+v", name, g)
		}
		for _, p := range s.Access().Members {
			if p.Email == "bo@a.io" && (p.Role != "managed" || !p.Capabilities["chat"]) {
				t.Errorf("%s: in the end Bo has %+v", name, p)
			}
		}
	}

	// Somebody takes Bo out in Labs: it is drift in both, with an issue each; when
	// Labs puts him back, both are closed.
	bo := idOf(t, labs, "bo@a.io")
	take := func(method, path, body string) {
		t.Helper()
		r, err := http.NewRequest(method, api.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("x-api-key", "sk-labs")
		resp, err := http.DefaultClient.Do(r)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
	}
	take("DELETE", "/v1/organizations/rbac_groups/rbac_group_shared/members/"+bo, "")
	for range 2 {
		for dir, key := range keyOf {
			rolecall(key, 2, "drift", "-C", at(dir), "--github")
		}
	}
	issues := hub.Issues()
	if len(issues) != 2 || issues[0].Title == issues[1].Title {
		t.Fatalf("issues: %+v, want one of each organization", issues)
	}
	rolecall("sk-labs", 0, "apply", "-C", at("labs"), "--auto-approve")
	for dir, key := range keyOf {
		rolecall(key, 0, "drift", "-C", at(dir), "--github")
	}
	for _, i := range hub.Issues() {
		if i.State != "closed" {
			t.Errorf("still open: %s", i.Title)
		}
	}

	// What one organization does to a shared group must not take away what the
	// other has there: deleting it is refused, or says so.
	without := strings.Replace(config("acme", acmeID, "Acme", `"ann@a.io", "bo@a.io"`, ""), "group \"shared\" {\n  name    = \"Shared\"\n  roles   = [role.base]\n", "group \"mine\" {\n  name    = \"Mine\"\n  roles   = [role.base]\n", 1) +
		"removed {\n  from = group.shared\n  id   = \"rbac_group_shared\"\n}\n"
	write("acme", without)
	out, _ = rolecall("sk-acme", 3, "plan", "-C", at("acme"))
	if !strings.Contains(out, "shared-group: group.Shared is to be deleted and has 1 person and 1 role of other organizations") {
		t.Errorf("the plan does not say that Labs uses the group:\n%s", out)
	}
}

type sharedGroup struct {
	Name           string
	Roles, Members []string
}

func groupOf(t *testing.T, s *emulator.Server, name string) sharedGroup {
	t.Helper()
	var all struct{ Groups []sharedGroup }
	if err := json.Unmarshal(s.StateJSON(), &all); err != nil {
		t.Fatal(err)
	}
	for _, g := range all.Groups {
		if g.Name == name {
			return g
		}
	}
	return sharedGroup{}
}
