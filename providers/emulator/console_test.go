package emulator_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/emulator"
)

func TestConsoleRoles(t *testing.T) {
	c := start(t, emulator.Options{})
	fresh := c.ok("POST", "/console/roles", `{"name":"Fresh"}`)
	if got := fresh["permissions"].([]any); len(got) != 2 {
		t.Errorf("a role without rows has %v, want chat and approval on all connectors", got)
	}
	v := c.ok("POST", "/console/roles", `{"name":"Pilot role","description":"D","permissions":`+rowsOf("chat organization", "chat organization")+`}`)
	id := v["id"].(string)
	want := map[string]any{"id": id, "name": "Pilot role", "description": "D",
		"permissions": []any{map[string]any{"action": "chat", "resource": map[string]any{"type": "organization"}}},
		"created_at":  "2026-11-22T12:00:00Z", "updated_at": "2026-11-22T12:00:00Z"}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("role (-want +got):\n%s", diff)
	}
	v = c.ok("PATCH", "/console/roles/"+id, `{"name":"New","add":`+rowsOf("cowork organization", "chat organization")+`,"remove":`+rowsOf("web_search organization")+`}`)
	if v["name"] != "New" || len(v["permissions"].([]any)) != 2 {
		t.Errorf("changed role = %v", v)
	}
	before := c.s.StateJSON()
	events := len(c.events())
	c.ok("PATCH", "/console/roles/"+id, `{"add":`+rowsOf("chat organization")+`}`)
	c.ok("PATCH", "/console/roles/"+id, `{}`)
	if diff := cmp.Diff(string(before), string(c.s.StateJSON())); diff != "" || len(c.events()) != events {
		t.Errorf("a save without a change changed something:\n%s", diff)
	}
	v = c.ok("PUT", "/console/roles/"+id+"/permissions", `{"permissions":[]}`)
	if len(v["permissions"].([]any)) != 0 {
		t.Errorf("emptied role = %v", v)
	}
	for range 2 {
		v = c.ok("PUT", "/console/groups/rbac_group_pilot/roles/"+id, "")
		if got := len(v["roles"].([]any)); got != 3 {
			t.Errorf("%d roles on the group, want 3", got)
		}
	}
	for range 2 {
		c.ok("DELETE", "/console/groups/rbac_group_pilot/roles/rbac_role_std", "")
	}
	c.ok("DELETE", "/console/roles/"+id, "")
	if v := c.ok("GET", groupsPath+"/rbac_group_pilot", ""); len(v["role_ids"].([]any)) != 1 {
		t.Errorf("group after the role was deleted = %v", v)
	}
	wantEvents := []string{"rbac_role_created", "rbac_role_permission_added", "rbac_role_permission_added",
		"rbac_role_created", "rbac_role_permission_added", "rbac_role_updated", "rbac_role_permission_added",
		"rbac_role_permission_removed", "rbac_role_permission_removed", "rbac_role_assigned", "rbac_role_unassigned",
		"rbac_role_unassigned", "rbac_role_deleted"}
	if diff := cmp.Diff(wantEvents, c.events()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestConsoleRefuses(t *testing.T) {
	c := start(t, emulator.Options{})
	const role = "/console/roles/rbac_role_std"
	tests := map[string]struct {
		method, path, body string
		status             int
	}{
		"role-without-name":         {"POST", "/console/roles", `{}`, 400},
		"row-without-action":        {"POST", "/console/roles", `{"name":"x","permissions":[{"resource":{"type":"organization"}}]}`, 400},
		"row-of-unknown-type":       {"POST", "/console/roles", `{"name":"x","permissions":[{"action":"use","resource":{"type":"tool"}}]}`, 400},
		"row-of-another-org":        {"POST", "/console/roles", `{"name":"x","permissions":[{"action":"chat","resource":{"type":"organization","organization_id":"91012d09-e48b-438e-a489-1bebfd8fa6f9"}}]}`, 400},
		"use-on-the-organization":   {"POST", "/console/roles", `{"name":"x","permissions":` + rowsOf("use organization") + `}`, 400},
		"grant-on-a-tool":           {"POST", "/console/roles", `{"name":"x","permissions":` + rowsOf("grant connector_tool mcpsrv_jira t") + `}`, 400},
		"unknown-connector-in-role": {"POST", "/console/roles", `{"name":"x","permissions":` + rowsOf("use connector mcpsrv_no") + `}`, 400},
		"unknown-field":             {"PATCH", role, `{"permissions":[]}`, 400},
		"added-and-removed":         {"PATCH", role, `{"add":` + rowsOf("a organization") + `,"remove":` + rowsOf("a organization") + `}`, 400},
		"permissions-left-out":      {"PUT", role + "/permissions", `{}`, 400},
		"unknown-role":              {"PATCH", "/console/roles/rbac_role_no", `{}`, 404},
		"role-of-labs":              {"DELETE", "/console/roles/rbac_role_labs", ``, 404},
		"attach-unknown-role":       {"PUT", "/console/groups/rbac_group_pilot/roles/no", ``, 404},
		"attach-to-unknown-group":   {"PUT", "/console/groups/no/roles/rbac_role_std", ``, 404},
		"unknown-group":             {"PATCH", "/console/groups/no", `{"description":"x"}`, 404},
		"unknown-feature":           {"PUT", "/console/features/no", `{"enabled":true}`, 404},
		"feature-without-value":     {"PUT", "/console/features/chat", `{}`, 400},
		"bad-policy":                {"PUT", "/console/connectors/mcpsrv_jira", `{"tool_policy":{"create":"never"}}`, 400},
		"bad-tools":                 {"PUT", "/console/connectors/mcpsrv_jira", `{"tools":["a","a"]}`, 400},
		"limit-without-amount":      {"PUT", "/console/spend_limits", `{"scope":{"type":"organization"}}`, 400},
		"limit-of-unknown-group":    {"PUT", "/console/spend_limits", `{"scope":{"type":"rbac_group","rbac_group_id":"no"},"amount":"1"}`, 404},
		"limit-of-unknown-user":     {"PUT", "/console/spend_limits", `{"scope":{"type":"user","user_id":"no"},"amount":"1"}`, 404},
		"unknown-limit":             {"DELETE", "/console/spend_limits/no", ``, 404},
		"bad-precedence":            {"PUT", "/console/spending", `{"precedence":"middle"}`, 400},
		"precedence-left-out":       {"PUT", "/console/spending", `{}`, 400},
		"unknown-member":            {"PUT", "/console/members/no", `{"role":"user"}`, 404},
		"unknown-member-role":       {"PUT", "/console/members/user_ben", `{"role":"king"}`, 400},
		"second-primary-owner":      {"PUT", "/console/members/user_ben", `{"role":"primary_owner"}`, 400},
		"no-primary-owner":          {"PUT", "/console/members/user_po", `{"role":"owner"}`, 400},
		"member-twice":              {"POST", "/console/members", `{"email":"BEN@acme.com"}`, 400},
		"unknown-invite":            {"POST", "/console/invites/no/accept", ``, 404},
		"unknown-mode":              {"PUT", "/console/provisioning", `{"mode":"x"}`, 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			kind := map[int]string{400: "invalid_request_error", 404: "not_found_error"}[tt.status]
			c.refused(tt.method, tt.path, tt.body, tt.status, kind)
		})
	}
}

func TestConsoleWrites(t *testing.T) {
	c := start(t, emulator.Options{})
	c.ok("PUT", "/console/members/user_ben", `{"role":"owner","seat_tier":"premium"}`)
	c.ok("PUT", "/console/connectors/mcpsrv_new", `{"name":"New","tools":["a"],"policy":"ask","tool_policy":{"a":"blocked"}}`)
	c.ok("PUT", "/console/connectors/mcpsrv_new", `{"tool_policy":{"a":null}}`)
	c.ok("PUT", "/console/spending", `{"precedence":"highest"}`)
	c.ok("PATCH", "/console/groups/rbac_group_pilot", `{"description":"Second"}`)
	limit := c.ok("PUT", "/console/spend_limits", `{"scope":{"type":"seat_tier","seat_tier":"enterprise_standard"},"amount":null,"period":"monthly"}`)
	if limit["id"] != "spl_seat" || limit["amount"] != nil {
		t.Errorf("limit = %v", limit)
	}
	c.ok("DELETE", "/console/spend_limits/spl_org", "")
	s := string(c.s.StateJSON())
	for _, want := range []string{`"seat_tier": "premium"`, `"spend_precedence": "highest"`, `"description": "Second"`, `"name": "New"`} {
		if !strings.Contains(s, want) {
			t.Errorf("the state does not have %s", want)
		}
	}
	if strings.Contains(s, "spl_org") {
		t.Error("the limit is still there")
	}
	if v := c.ok("GET", "/console/state", ""); v["features"].(map[string]any)["cowork"] != false {
		t.Errorf("console state: features = %v", v["features"])
	}
}

// TestLocalOnly: a page in a browser must not reach the console by way of a
// name that it lets point here.
func TestLocalOnly(t *testing.T) {
	s, err := emulator.Open(emulator.Options{SeedData: []byte(acme)})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		host, remote, origin string
		want                 int
	}{
		"local":         {"127.0.0.1:8787", "127.0.0.1:1", "", 200},
		"localhost":     {"localhost", "[::1]:1", "http://localhost:3000", 200},
		"another-name":  {"evil.example:8787", "127.0.0.1:1", "", 403},
		"another-host":  {"127.0.0.1", "192.0.2.1:1", "", 403},
		"another-page":  {"127.0.0.1", "127.0.0.1:1", "https://evil.example", 403},
		"empty-origins": {"127.0.0.1", "127.0.0.1:1", "null", 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/console/state", "/emulator/health"} {
				r := httptest.NewRequest("GET", path, nil)
				r.Host, r.RemoteAddr = tt.host, tt.remote
				if tt.origin != "" {
					r.Header.Set("Origin", tt.origin)
				}
				w := httptest.NewRecorder()
				s.Handler().ServeHTTP(w, r)
				if w.Code != tt.want {
					t.Errorf("%s: %d, want %d", path, w.Code, tt.want)
				}
			}
		})
	}
}

func TestBodyTooLarge(t *testing.T) {
	c := start(t, emulator.Options{})
	c.refused("POST", groupsPath, `{"name":"`+strings.Repeat("x", 1<<20)+`"}`, http.StatusRequestEntityTooLarge, "request_too_large")
}
