package emulator_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/emulator"
)

const (
	here = "/v1/compliance/organizations/3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e"
	labs = "/v1/compliance/organizations/91012d09-e48b-438e-a489-1bebfd8fa6f9"
)

func TestComplianceReads(t *testing.T) {
	c := start(t, emulator.Options{})
	tests := map[string]struct {
		path, field string
		want        []string
	}{
		"organizations": {"/v1/compliance/organizations", "name", []string{"Acme", "Acme Labs"}},
		"users":         {here + "/users", "email", []string{"po@acme.com", "own@acme.com", "adm@acme.com", "ana@acme.com", "ben@acme.com", "cy+x@acme.com"}},
		"roles-of-labs": {labs + "/roles", "name", []string{"Labs"}},
		"permissions":   {here + "/roles/rbac_role_std/permissions", "resource_id", []string{"*", "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e"}},
		"group-prefix":  {"/v1/compliance/groups?name_prefix=Pi", "description", []string{"First"}},
		"group-members": {"/v1/compliance/groups/rbac_group_pilot/members", "email", []string{"ana@acme.com", "lab@acme.com"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, limit := range []int{1, 1000} {
				if diff := cmp.Diff(tt.want, c.all(tt.path, limit, tt.field)); diff != "" {
					t.Errorf("limit %d (-want +got):\n%s", limit, diff)
				}
			}
		})
	}
	if got := c.all(labs+"/users", 1, "email"); len(got) != 2 {
		t.Errorf("users of the other organization = %v", got)
	}
	if v := c.ok("GET", "/v1/compliance/groups/rbac_group_pilot", ""); v["description"] != "First" {
		t.Errorf("group = %v", v)
	}
	if v := c.ok("GET", here+"/roles/rbac_role_std", ""); v["name"] != "Standard" {
		t.Errorf("role = %v", v)
	}
}

func TestComplianceErrors(t *testing.T) {
	c := start(t, emulator.Options{})
	tests := map[string]struct {
		path    string
		status  int
		kind    string
		message string
	}{
		"limit":        {here + "/users?limit=1500", 400, "invalid_request_error", "The limit parameter must be between 1 and 1000, inclusive. Got 1500."},
		"feed-limit":   {"/v1/compliance/activities?limit=5001", 400, "invalid_request_error", "The limit parameter must be between 1 and 5000, inclusive. Got 5001."},
		"cursor":       {"/v1/compliance/activities?after_id=activity_invalid123", 400, "invalid_request_error", "Invalid `after_id`. No activity found for `after_id` \"activity_invalid123\""},
		"time":         {"/v1/compliance/activities?created_at.gte=2024-01-01", 400, "invalid_request_error", "The `created_at.gte` parameter contains an invalid timestamp format. Timestamps must be provided in RFC 3339 format e.g., \"2024-03-01T00:00:00Z\". Got \"2024-01-01\"."},
		"organization": {"/v1/compliance/organizations/no/users", 404, "not_found_error", "The \"no\" organization does not exist or the requester is not authorized to access it."},
		"role":         {here + "/roles/rbac_role_labs", 404, "not_found_error", "Role not found."},
		"group":        {"/v1/compliance/groups/no", 404, "not_found_error", "Group not found."},
		"settings":     {"/v1/compliance/organizations/no/settings", 404, "not_found_error", "organization `no` not found in this organization's hierarchy"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := c.refused("GET", tt.path, "", tt.status, tt.kind); got != tt.message {
				t.Errorf("message = %s\nwant      %s", got, tt.message)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	c := start(t, emulator.Options{SeedData: []byte(`{"features":{"chat":true,"saffron":false,"claude_design":true},
		"settings":{"public_projects_enabled":"projects","chat_enabled":""}}`)})
	setting := func() map[string]any {
		out := map[string]any{}
		for _, item := range c.ok("GET", here+"/settings", "")["settings"].([]any) {
			s := item.(map[string]any)
			out[s["name"].(string)] = s["value"]
		}
		return out
	}
	got := setting()
	want := map[string]any{
		"claude_code_fast_mode_enabled": false, "claude_code_security_enabled": false, "claude_design_enabled": true,
		"code_execution_enabled": false, "directory_sync_enabled": false, "hipaa_compliance_enabled": false,
		"memory_enabled": false, "public_projects_enabled": false, "sso_enabled": false, "sso_provisioning_mode": "login_only",
		"user_skill_creation_enabled": false, "web_search_enabled": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	c.ok("PUT", "/console/features/saffron", `{"enabled":true}`)
	c.ok("PUT", "/console/features/projects", `{"enabled":true}`)
	c.ok("PUT", "/console/provisioning", `{"mode":"scim_advanced"}`)
	got = setting()
	if got["memory_enabled"] != true || got["public_projects_enabled"] != true || got["directory_sync_enabled"] != true || got["sso_provisioning_mode"] != "scim_advanced" {
		t.Errorf("settings = %v", got)
	}
}

func TestFeed(t *testing.T) {
	now := newClock()
	c := start(t, emulator.Options{Now: now.Now})
	c.ok("PUT", "/console/features/cowork", `{"enabled":true}`)
	c.ok("PUT", "/console/features/cowork", `{"enabled":true}`)
	now.Add(1e9)
	c.ok("PUT", "/console/features/saffron", `{"enabled":false}`)
	c.ok("POST", groupsPath, `{"name":"G"}`)
	c.ok("PUT", "/console/connectors/mcpsrv_jira", `{"tool_policy":{"create":null}}`)
	want := []string{"org_cowork_enabled", "claude_organization_settings_updated", "group_created", "mcp_tool_policy_updated"}
	if diff := cmp.Diff(want, c.events()); diff != "" {
		t.Fatalf("events (-want +got):\n%s", diff)
	}
	list := c.ok("GET", "/v1/compliance/activities", "")["data"].([]any)
	policy, key, toggle := list[0].(map[string]any), list[1].(map[string]any), list[2].(map[string]any)
	if got := policy["actor"].(map[string]any); got["user_id"] != "user_po" || policy["max_permission"] != nil {
		t.Errorf("policy event = %v", policy)
	}
	if got := key["actor"].(map[string]any); got["type"] != "api_actor" || key["group_name"] != "G" {
		t.Errorf("group event = %v", key)
	}
	wantUpdates := []any{map[string]any{"type": "enabled_saffron", "previous_value": true, "current_value": false}}
	if diff := cmp.Diff(wantUpdates, toggle["updates"]); diff != "" {
		t.Errorf("updates (-want +got):\n%s", diff)
	}
	for query, want := range map[string][]string{
		"activity_types[]=group_created":                                          {"group_created"},
		"exclude_activity_types[]=group_created&limit=1":                          {"mcp_tool_policy_updated"},
		"created_at.gt=2026-11-22T12:00:00Z&created_at.lte=2026-11-22T12:00:01Z":  {"mcp_tool_policy_updated", "group_created", "claude_organization_settings_updated"},
		"created_at.lt=2026-11-22T12:00:01Z":                                      {"org_cowork_enabled"},
		"actor_ids[]=user_po&activity_types[]=org_cowork_enabled":                 {"org_cowork_enabled"},
		"organization_ids[]=91012d09-e48b-438e-a489-1bebfd8fa6f9":                 {},
		"after_id=" + key["id"].(string) + "&activity_types[]=org_cowork_enabled": {"org_cowork_enabled"},
		"before_id=" + key["id"].(string):                                         {"mcp_tool_policy_updated"},
	} {
		if diff := cmp.Diff(want, column(c.ok("GET", "/v1/compliance/activities?"+query, ""), "data", "type")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	c.refused("GET", "/v1/compliance/activities?activity_types[]=a&exclude_activity_types[]=b", "", 400, "invalid_request_error")
}
