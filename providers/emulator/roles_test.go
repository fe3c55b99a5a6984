package emulator_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/emulator"
)

const rolesPath = "/v1/organizations/rbac_roles"

// permissions walks the permissions of a role, as action and resource type.
func permissions(c *client, id string, limit int) []string {
	out := []string{}
	next := ""
	for {
		v := c.ok("GET", rolesPath+"/"+id+"/permissions?limit="+itoa(limit)+next, "")
		for _, item := range v["data"].([]any) {
			p := item.(map[string]any)
			out = append(out, p["action"].(string)+" "+p["resource"].(map[string]any)["type"].(string))
		}
		page, ok := v["next_page"].(string)
		if !ok {
			return out
		}
		next = "&page=" + page
	}
}

func TestRoles(t *testing.T) {
	c := start(t, emulator.Options{})
	got := c.all(rolesPath, 1, "id")
	if len(got) != 2 {
		t.Errorf("roles = %v, want the two of this organization", got)
	}
	r := c.ok("GET", rolesPath+"/rbac_role_std", "")
	if r["display_name"] != "Standard" || r["name"] != "Standard" || r["type"] != "rbac_role" {
		t.Errorf("role = %v", r)
	}
	newer := c.with("anthropic-version", "2026-10-21").ok("GET", rolesPath+"/rbac_role_std", "")
	if _, ok := newer["name"]; ok {
		t.Errorf("2026-10-21 has the deprecated name: %v", newer)
	}
	for _, id := range []string{"rbac_role_labs", "rbac_role_no"} {
		c.refused("GET", rolesPath+"/"+id, "", 404, "not_found_error")
		c.refused("GET", rolesPath+"/"+id+"/permissions", "", 404, "not_found_error")
	}
}

func TestRowsOfFeaturesThatAreOff(t *testing.T) {
	c := start(t, emulator.Options{})
	want := []string{"use all_connectors", "chat organization"}
	if diff := cmp.Diff(want, permissions(c, "rbac_role_std", 1)); diff != "" {
		t.Errorf("while Cowork is off (-want +got):\n%s", diff)
	}
	c.ok("PUT", "/console/features/cowork", `{"enabled":true}`)
	want = []string{"use all_connectors", "chat organization", "cowork organization"}
	if diff := cmp.Diff(want, permissions(c, "rbac_role_std", 1)); diff != "" {
		t.Errorf("once Cowork is on (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"permission_identity_manage organization"}, permissions(c, "rbac_role_adm", 20)); diff != "" {
		t.Errorf("admin permissions need no feature (-want +got):\n%s", diff)
	}
}

func TestPermissionPagesCanBeEmpty(t *testing.T) {
	c := start(t, emulator.Options{})
	c.ok("PUT", "/console/features/chat", `{"enabled":false}`)
	v := c.ok("GET", rolesPath+"/rbac_role_std/permissions?limit=1", "")
	v = c.ok("GET", rolesPath+"/rbac_role_std/permissions?limit=1&page="+v["next_page"].(string), "")
	if len(v["data"].([]any)) != 0 || v["has_more"] != true {
		t.Errorf("second page = %v, want an empty one that is not the last", v)
	}
}

func TestPermissionShapes(t *testing.T) {
	c := start(t, emulator.Options{})
	role := c.ok("POST", "/console/roles", `{"name":"All","permissions":[
		{"action":"capability_access_all_ga","resource":{"type":"organization","organization_id":"3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e"}},
		{"action":"use","resource":{"type":"connector_tool","connector_id":"mcpsrv_jira","tool_name":"find it"}},
		{"action":"grant","resource":{"type":"connector_scope","connector_id":"mcpsrv_jira","scope":"read:jira"}},
		{"action":"managed","resource":{"type":"connector","connector_id":"mcpsrv_jira"}},
		{"action":"always_allow","resource":{"type":"all_connectors"}}]}`)
	v := c.ok("GET", rolesPath+"/"+role["id"].(string)+"/permissions", "")
	encoded := regexp.MustCompile(`^(tool|scope)_[0-9a-f]{32}$`)
	for _, item := range v["data"].([]any) {
		r := item.(map[string]any)["resource"].(map[string]any)
		for _, name := range []string{"tool_name", "scope"} {
			if s, ok := r[name].(string); ok && !encoded.MatchString(s) {
				t.Errorf("%s = %q is not encoded", name, s)
			}
		}
		if r["type"] == "organization" && r["organization_id"] != "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e" {
			t.Errorf("organization row = %v", r)
		}
	}
	if n := len(v["data"].([]any)); n != 5 {
		t.Errorf("%d permissions, want 5", n)
	}
}

func TestConnectorRowsNeedConnectorPermissions(t *testing.T) {
	c := start(t, emulator.Options{SeedData: []byte(`{"organization":{"connector_permissions":false},"features":{"chat":true},
		"roles":[{"id":"r","name":"R","permissions":[{"action":"chat","resource":{"type":"organization"}},{"action":"use","resource":{"type":"all_connectors"}}]}]}`)})
	if diff := cmp.Diff([]string{"chat organization"}, permissions(c, "r", 20)); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
	c.refused("POST", "/console/roles", `{"name":"x","permissions":[{"action":"use","resource":{"type":"all_connectors"}}]}`, 400, "invalid_request_error")
}
