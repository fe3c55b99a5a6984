package emulator_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/emulator"
)

const groupsPath = "/v1/organizations/rbac_groups"

func TestGroupVersions(t *testing.T) {
	c := start(t, emulator.Options{})
	roles := []any{"rbac_role_labs", "rbac_role_std"}
	old := c.ok("GET", groupsPath+"/rbac_group_pilot", "")
	if diff := cmp.Diff([]any{roles, roles}, []any{old["role_ids"], old["roles"]}); diff != "" {
		t.Errorf("roles of 2023-06-01 (-want +got):\n%s", diff)
	}
	newer := c.with("anthropic-version", "2026-10-21").ok("GET", groupsPath+"/rbac_group_pilot", "")
	if _, ok := newer["roles"]; ok || newer["role_ids"] == nil {
		t.Errorf("2026-10-21: %v", newer)
	}
	member := c.with("anthropic-version", "2026-10-21").ok("GET", groupsPath+"/rbac_group_pilot/members?limit=1", "")
	if got := member["data"].([]any)[0].(map[string]any); got["group_id"] != nil || got["rbac_group_id"] != "rbac_group_pilot" {
		t.Errorf("member of 2026-10-21: %v", got)
	}
	c.with("anthropic-version", "1999-01-01").refused("GET", groupsPath, "", 400, "invalid_request_error")
}

func TestGroupLife(t *testing.T) {
	c := start(t, emulator.Options{})
	g := c.ok("POST", groupsPath+"?beta=true", `{"name":"Design"}`)
	id := g["id"].(string)
	want := map[string]any{"type": "rbac_group", "id": id, "name": "Design", "source_type": "direct",
		"role_ids": []any{}, "roles": []any{}, "created_at": "2026-11-22T12:00:00Z", "updated_at": "2026-11-22T12:00:00Z"}
	if diff := cmp.Diff(want, g); diff != "" {
		t.Errorf("new group (-want +got):\n%s", diff)
	}
	if twin := c.ok("POST", groupsPath, `{"name":"Design"}`); twin["id"] == id {
		t.Error("two groups with one name have one ID")
	}
	if v := c.ok("POST", groupsPath+"/"+id, `{"name":"Design and brand"}`); v["name"] != "Design and brand" {
		t.Errorf("renamed: %v", v)
	}
	c.ok("POST", groupsPath+"/"+id, `{}`)
	c.ok("POST", groupsPath+"/"+id+"/members", `{"user_id":"user_ben"}`)
	c.ok("PUT", "/console/spend_limits", `{"scope":{"type":"rbac_group","rbac_group_id":"`+id+`"},"amount":"1"}`)
	if diff := cmp.Diff(map[string]any{"id": id, "type": "rbac_group_deleted"}, c.ok("DELETE", groupsPath+"/"+id, "")); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	if s := string(c.s.StateJSON()); strings.Contains(s, id) {
		t.Error("the deleted group is still mentioned in the state")
	}
	for _, method := range []string{"GET", "DELETE"} {
		c.refused(method, groupsPath+"/"+id, "", 404, "not_found_error")
	}
	c.refused("POST", groupsPath+"/"+id, `{"name":"x"}`, 404, "not_found_error")
	wantEvents := []string{"group_created", "group_created", "group_updated", "group_member_added",
		"extra_usage_spend_limit_created", "group_deleted"}
	if diff := cmp.Diff(wantEvents, c.events()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestGroupNames(t *testing.T) {
	c := start(t, emulator.Options{})
	c.ok("POST", groupsPath, `{"name":"`+strings.Repeat("é", 255)+`"}`)
	for _, body := range []string{`{"name":""}`, `{"name":"` + strings.Repeat("é", 256) + `"}`, `{}`, `{"name":1}`, `{"name":null}`, `{"name":"x","roles":[]}`} {
		c.refused("POST", groupsPath, body, 400, "invalid_request_error")
	}
	c.refused("POST", groupsPath+"/rbac_group_pilot", `{"name":""}`, 400, "invalid_request_error")
}

func TestGroupCap(t *testing.T) {
	c := start(t, emulator.Options{})
	for i := range 98 {
		c.ok("POST", groupsPath, fmt.Sprintf(`{"name":"Team %d"}`, i))
	}
	c.refused("POST", groupsPath, `{"name":"One too many"}`, 400, "invalid_request_error")
}

func TestSCIMGroupIsReadOnly(t *testing.T) {
	c := start(t, emulator.Options{})
	const path = groupsPath + "/rbac_group_idp"
	c.refused("POST", path, `{"name":"x"}`, 400, "invalid_request_error")
	c.refused("DELETE", path, "", 400, "invalid_request_error")
	c.refused("POST", path+"/members", `{"user_id":"user_cy"}`, 400, "invalid_request_error")
	c.refused("DELETE", path+"/members/user_ben", "", 400, "invalid_request_error")
	c.ok("PUT", "/console/groups/rbac_group_idp/roles/rbac_role_std", "")
}

func TestGroupMembers(t *testing.T) {
	c := start(t, emulator.Options{})
	const path = groupsPath + "/rbac_group_pilot/members"
	got := c.ok("POST", path, `{"user_id":"user_ben"}`)
	want := map[string]any{"type": "rbac_group_member", "rbac_group_id": "rbac_group_pilot", "group_id": "rbac_group_pilot",
		"user_id": "user_ben", "email": "ben@acme.com", "created_at": "2026-11-22T12:00:00Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
	// Oldest membership first, people of other organizations included.
	wantEmails := []string{"ana@acme.com", "lab@acme.com", "ben@acme.com"}
	if diff := cmp.Diff(wantEmails, c.all(path, 1, "email")); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	c.refused("POST", path, `{"user_id":"user_ben"}`, 400, "invalid_request_error")
	c.refused("POST", path, `{"user_id":"user_no"}`, 404, "not_found_error")
	c.refused("POST", path, `{"user_id":""}`, 400, "invalid_request_error")
	c.refused("POST", path, `{"user_ids":["user_cy"]}`, 400, "invalid_request_error")
	c.refused("POST", groupsPath+"/rbac_group_no/members", `{"user_id":"user_ben"}`, 404, "not_found_error")
	c.refused("GET", groupsPath+"/rbac_group_no/members", "", 404, "not_found_error")

	want = map[string]any{"rbac_group_id": "rbac_group_pilot", "group_id": "rbac_group_pilot", "user_id": "user_ben",
		"type": "rbac_group_member_deleted"}
	if diff := cmp.Diff(want, c.ok("DELETE", path+"/user_ben", "")); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	c.refused("DELETE", path+"/user_ben", "", 404, "not_found_error")
}

func TestCursors(t *testing.T) {
	c := start(t, emulator.Options{})
	v := c.ok("GET", groupsPath+"?limit=1&beta=true", "")
	page, _ := v["next_page"].(string)
	if v["has_more"] != true || page == "" {
		t.Fatalf("first page: %v", v)
	}
	// A group that goes away between two pages must not hide the next.
	c.ok("POST", groupsPath, `{"name":"Later"}`)
	rest := c.ok("GET", groupsPath+"?limit=5&page="+url.QueryEscape(page), "")
	if got := len(rest["data"].([]any)); got != 2 {
		t.Errorf("second page has %d groups, want 2", got)
	}
	c.refused("GET", "/v1/organizations/rbac_roles?page="+url.QueryEscape(page), "", 400, "invalid_request_error")
	for _, bad := range []string{"x", "e30=", "bnVsbA=="} {
		c.refused("GET", groupsPath+"?page="+bad, "", 400, "invalid_request_error")
	}
	for _, limit := range []string{"0", "-1", "1001", "9999999999999999999"} {
		c.refused("GET", groupsPath+"?limit="+limit, "", 400, "invalid_request_error")
	}
}
