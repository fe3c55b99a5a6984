package emulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/emulator"
)

const (
	pluginsPath      = "/v1/organizations/plugins"
	marketplacesPath = "/v1/organizations/plugin_marketplaces"
	increasesPath    = "/v1/organizations/spend_limit_increase_requests"
)

// pluginSeed has two marketplaces of the organization and one of a member.
const pluginSeed = `{
  "organization": {"seat_tiers": [
    {"name": "chat", "seats": 3, "excludes": ["claude_code"]},
    {"name": "full"}, {"name": "unassigned", "no_access": true}]},
  "other_organizations": [{"id": "91012d09-e48b-438e-a489-1bebfd8fa6f9", "name": "Labs"}],
  "features": {"chat": true, "claude_code": true},
  "connectors": [{"id": "mcpsrv_x", "name": "X", "tools": ["t"]}],
  "members": [
    {"id": "user_po", "email": "po@a.b", "role": "primary_owner", "seat_tier": "full"},
    {"id": "user_ana", "email": "ana@a.b", "seat_tier": "chat"},
    {"id": "user_ben", "email": "ben@a.b", "seat_tier": "full"},
    {"id": "user_cy", "email": "cy@a.b", "seat_tier": "unassigned"}],
  "groups": [
    {"id": "rbac_group_a", "name": "A", "members": ["ana@a.b", "ben@a.b"]},
    {"id": "rbac_group_b", "name": "B", "members": ["ben@a.b"]}],
  "spend_limits": [{"id": "spl_org", "scope": {"type": "organization"}, "amount": "900000"}],
  "spend_limit_increase_requests": [
    {"id": "slir_1", "email": "ana@a.b", "created_at": "2026-06-20T08:00:00Z"},
    {"id": "slir_2", "email": "ben@a.b", "status": "denied", "created_at": "2026-06-21T08:00:00Z"}],
  "plugin_marketplaces": [
    {"id": "marketplace_tools", "name": "Tools", "source": "github", "default_installation_preference": "available"},
    {"id": "marketplace_lib", "name": "Library"},
    {"id": "marketplace_ben", "name": "Ben's", "owner": "ben@a.b"}],
  "plugins": [
    {"id": "plugin_lint", "name": "lint-kit", "marketplace": "Tools", "reach": "privileged", "version": "1.2.0",
     "components": [{"type": "hook", "name": "pre-commit"}], "created_at": "2026-01-01T00:00:00Z"},
    {"id": "plugin_docs", "name": "docs", "marketplace": "Library", "organization": "required",
     "groups": {"A": "available", "rbac_group_b": "not_available"}, "created_at": "2026-01-02T00:00:00Z"},
    {"id": "plugin_mine", "name": "mine", "marketplace": "Ben's", "owner": "ben@a.b", "created_at": "2026-01-03T00:00:00Z"}]
}`

func startPlugins(t *testing.T, o emulator.Options) *client {
	t.Helper()
	o.SeedData = []byte(pluginSeed)
	return start(t, o).with("anthropic-beta", "ce-plugins-2026-09-01")
}

func TestPluginsNeedTheirBetaHeader(t *testing.T) {
	c := startPlugins(t, emulator.Options{})
	for _, path := range []string{pluginsPath, pluginsPath + "/plugin_lint", pluginsPath + "/plugin_docs/installation_settings",
		marketplacesPath, marketplacesPath + "/marketplace_lib"} {
		c.ok("GET", path, "")
		bare := c.with("anthropic-beta", "something-else")
		bare.refused("GET", path, "", 404, "not_found_error")
		c.refused("GET", path+"?surprise=1", "", 400, "invalid_request_error")
		c.ok("GET", path+"?beta=true", "")
	}
}

func TestPluginsAreNotThereForEverybody(t *testing.T) {
	for _, setting := range []string{`"hipaa": true`, `"plugins_api": false`} {
		c := start(t, emulator.Options{SeedData: []byte(`{"organization":{` + setting + `}}`)}).with("anthropic-beta", "ce-plugins-2026-09-01")
		c.refused("GET", pluginsPath, "", 404, "not_found_error")
	}
}

func TestListPlugins(t *testing.T) {
	c := startPlugins(t, emulator.Options{})
	for query, want := range map[string][]string{
		"?limit=1":                                 nil,
		"?owner_type=organization":                 {"plugin_docs", "plugin_lint"},
		"?owner_type=user":                         {"plugin_mine"},
		"?owner_user_id=user_ben":                  {"plugin_mine"},
		"?marketplace_id=marketplace_tools":        {"plugin_lint"},
		"?created_at[gte]=2026-01-02T00:00:00Z":    {"plugin_mine", "plugin_docs"},
		"?created_at%5Blt%5D=2026-01-02T00:00:00Z": {"plugin_lint"},
	} {
		got := c.ok("GET", pluginsPath+query, "")
		if _, more := got["has_more"]; more {
			t.Errorf("%s: the list has has_more", query)
		}
		if want != nil {
			if diff := cmp.Diff(want, column(got, "data", "id")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		}
	}
	if diff := cmp.Diff([]string{"plugin_mine", "plugin_docs", "plugin_lint"}, c.all(pluginsPath, 1, "id")); diff != "" {
		t.Errorf("newest first (-want +got):\n%s", diff)
	}
	c.refused("GET", pluginsPath+"?limit=101", "", 400, "invalid_request_error")
	c.refused("GET", pluginsPath+"?owner_type=group", "", 400, "invalid_request_error")
	c.refused("GET", pluginsPath+"?organization_id=no", "", 400, "invalid_request_error")
	c.refused("GET", pluginsPath+"?organization_id=11111111-1111-1111-1111-111111111111", "", 404, "not_found_error")
	c.ok("GET", pluginsPath+"?organization_id=3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e", "")
	if got := c.ok("GET", pluginsPath+"?organization_id=91012d09-e48b-438e-a489-1bebfd8fa6f9", ""); len(got["data"].([]any)) != 0 {
		t.Errorf("plugins of another organization: %v", got)
	}
	lint := c.ok("GET", pluginsPath+"/plugin_lint", "")
	if lint["organization_installation_preference"] != "available" || lint["organization_installation_preference_inherited"] != true || lint["reach"] != "privileged" {
		t.Errorf("a plugin that inherits: %v", lint)
	}
	mine := c.ok("GET", pluginsPath+"/plugin_mine", "")
	if mine["organization_installation_preference"] != nil || mine["owner"].(map[string]any)["user_id"] != "user_ben" {
		t.Errorf("a member's plugin: %v", mine)
	}
}

func TestInstallationSettings(t *testing.T) {
	c := startPlugins(t, emulator.Options{})
	docs, lint := pluginsPath+"/plugin_docs/installation_settings", pluginsPath+"/plugin_lint/installation_settings"
	if got := column(c.ok("GET", docs+"?target_type=rbac_group", ""), "data", "installation_preference"); len(got) != 2 {
		t.Errorf("settings of groups: %v", got)
	}
	if got := c.all(lint, 1, "installation_preference"); len(got) != 0 {
		t.Errorf("a plugin that inherits has settings: %v", got)
	}
	before := len(c.events())
	got := c.ok("POST", lint+"/organization", `{"installation_preference":"available"}`) // as the default, yet its own
	c.ok("POST", lint+"/organization", `{"installation_preference":"available"}`)
	if got["target"].(map[string]any)["type"] != "organization" || got["type"] != "plugin_installation_setting" {
		t.Errorf("setting = %v", got)
	}
	if p := c.ok("GET", pluginsPath+"/plugin_lint", ""); p["organization_installation_preference_inherited"] != false || p["updated_at"] != p["created_at"] {
		t.Errorf("after its own setting: %v", p)
	}
	c.ok("POST", lint+"/rbac_group_b", `{"installation_preference":"required"}`)
	if diff := cmp.Diff([]string{"plugin_installation_preference_updated", "plugin_installation_preference_updated"}, c.events()[before:]); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	gone := c.ok("DELETE", lint+"/organization", "")
	want := map[string]any{"plugin_id": "plugin_lint", "target": map[string]any{"type": "organization"}, "type": "plugin_installation_setting_deleted"}
	if diff := cmp.Diff(want, gone); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	c.refused("DELETE", lint+"/organization", "", 404, "not_found_error")
	c.refused("POST", lint+"/everybody", `{"installation_preference":"required"}`, 400, "invalid_request_error")
	c.refused("POST", lint+"/rbac_group_none", `{"installation_preference":"required"}`, 404, "not_found_error")
	c.refused("POST", lint+"/organization", `{"installation_preference":"must"}`, 400, "invalid_request_error")
	c.refused("POST", lint+"/organization", `{}`, 400, "invalid_request_error")
	c.refused("POST", pluginsPath+"/plugin_mine/installation_settings/organization", `{"installation_preference":"required"}`, 404, "not_found_error")
	c.refused("GET", pluginsPath+"/plugin_mine/installation_settings", "", 404, "not_found_error")

	c.ok("DELETE", groupsPath+"/rbac_group_b", "")
	if got := c.all(lint, 100, "type"); len(got) != 0 {
		t.Errorf("settings outlive their group: %v", got)
	}
}

// TestParallelSettings: while one setting of a plugin is being written, another
// is refused, and one of another plugin is not.
func TestParallelSettings(t *testing.T) {
	c := startPlugins(t, emulator.Options{})
	c.faulty(`{"method":"POST","path":"` + pluginsPath + `/plugin_lint/*","do":"delay","delay_ms":2000}`)
	path := pluginsPath + "/plugin_lint/installation_settings/organization"
	done := make(chan int)
	go func() {
		resp, err := c.request("POST", path, `{"installation_preference":"required"}`)
		if err != nil {
			done <- 0
			return
		}
		_ = resp.Body.Close()
		done <- resp.StatusCode
	}()
	for len(c.s.Requests()) == 0 { // until the first is under way
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	deadline := time.Now().Add(time.Second)
	for {
		resp, err := c.request("DELETE", path, "")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusServiceUnavailable {
			if got := resp.Header.Get("X-Should-Retry"); got != "true" {
				t.Errorf("x-should-retry = %q", got)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("an overlapping write was never refused")
		}
	}
	c.ok("POST", pluginsPath+"/plugin_docs/installation_settings/organization", `{"installation_preference":"available"}`)
	if status := <-done; status != http.StatusOK {
		t.Errorf("the first write: %d", status)
	}
	c.ok("DELETE", path, "")
}

func TestMarketplaces(t *testing.T) {
	c := startPlugins(t, emulator.Options{})
	if got := c.all(marketplacesPath+"?owner_type=organization", 1, "id"); len(got) != 2 {
		t.Errorf("marketplaces: %v", got)
	}
	lib := c.ok("GET", marketplacesPath+"/marketplace_lib", "")
	if lib["default_installation_preference"] != "not_available" || lib["sync_status"] != nil {
		t.Errorf("a default that was never set: %v", lib)
	}
	if m := c.ok("GET", marketplacesPath+"/marketplace_ben", ""); m["default_installation_preference"] != nil {
		t.Errorf("a member's marketplace: %v", m)
	}
	c.ok("POST", marketplacesPath+"/marketplace_lib", `{"default_installation_preference":"auto_install"}`)
	c.refused("POST", marketplacesPath+"/marketplace_ben", `{"default_installation_preference":"auto_install"}`, 403, "permission_error")
	c.refused("POST", marketplacesPath+"/marketplace_lib", `{"default_installation_preference":null}`, 400, "invalid_request_error")
	events := c.events()
	if events[len(events)-1] != "marketplace_updated" {
		t.Errorf("events: %v", events)
	}
	c.refused("DELETE", pluginsPath+"/plugin_lint", "", 400, "invalid_request_error") // from a repository
	c.refused("DELETE", pluginsPath+"/plugin_mine", "", 403, "permission_error")
	c.ok("DELETE", pluginsPath+"/plugin_docs", "")
	c.refused("GET", pluginsPath+"/plugin_docs", "", 404, "not_found_error")
}

// TestPluginAccess: a group's value replaces the organization's even if it is
// less; of several groups the most counts.
func TestPluginAccess(t *testing.T) {
	c := startPlugins(t, emulator.Options{})
	check := func(email, docs, lint string) {
		t.Helper()
		want := map[string]string{"plugin_docs": docs, "plugin_lint": lint}
		if diff := cmp.Diff(want, access(t, c.s.Access(), email).Plugins); diff != "" {
			t.Errorf("%s (-want +got):\n%s", email, diff)
		}
	}
	check("cy@a.b", "required", "available")
	check("ana@a.b", "available", "available")
	check("ben@a.b", "available", "available") // not_available in B, available in A
	c.ok("POST", pluginsPath+"/plugin_lint/installation_settings/rbac_group_b", `{"installation_preference":"required"}`)
	c.ok("DELETE", pluginsPath+"/plugin_docs/installation_settings/rbac_group_a", "")
	check("ana@a.b", "required", "available")
	check("ben@a.b", "not_available", "required")
	c.ok("DELETE", pluginsPath+"/plugin_docs/installation_settings/organization", "")
	check("ana@a.b", "not_available", "available")
}

func TestSeatsCapAccess(t *testing.T) {
	c := startPlugins(t, emulator.Options{})
	a := c.s.Access()
	if m := access(t, a, "ana@a.b"); m.Capabilities["claude_code"] || !m.Capabilities["chat"] || m.Seat != "chat" {
		t.Errorf("a seat without Claude Code: %+v", m)
	}
	if m := access(t, a, "ben@a.b"); !m.Capabilities["claude_code"] {
		t.Errorf("a full seat: %+v", m)
	}
	if m := access(t, a, "cy@a.b"); m.Capabilities["chat"] || m.Connectors["mcpsrv_x"].Tools["t"] != "blocked" || m.AnyConnector != "blocked" {
		t.Errorf("no seat: %+v", m)
	}
	if got := access(t, a, "ana@a.b").Spend["monthly"].Ceiling; got == nil || *got != "900000" {
		t.Errorf("ceiling = %v", got)
	}
	for _, email := range []string{"d@a.b", "e@a.b", "f@a.b"} {
		c.ok("POST", "/console/members", `{"email":"`+email+`"}`)
	}
	a = c.s.Access()
	if got := access(t, a, "e@a.b").Seat + " " + access(t, a, "f@a.b").Seat; got != "chat full" {
		t.Errorf("new members got the seats %s", got)
	}
	c.ok("PUT", "/console/seats", `{"seat_tiers":[{"name":"chat","seats":3},{"name":"full","seats":3}]}`)
	c.refused("POST", invitesPath, `{"email":"g@a.b","role":"user"}`, 400, "invalid_request_error")
	c.ok("PUT", "/console/members/user_ben", `{"seat_tier":"unassigned"}`)
	c.ok("POST", invitesPath, `{"email":"g@a.b","role":"user"}`)
	c.refused("POST", invitesPath, `{"email":"h@a.b","role":"user"}`, 400, "invalid_request_error") // the invite holds it
}

func TestProvisioningIsPartOfAccess(t *testing.T) {
	for mode, want := range map[string]emulator.ProvisioningAccess{
		"login_only":      {Mode: "login_only", Invites: true, Removals: true, Roles: true},
		"jit_permissive":  {Mode: "jit_permissive", Removals: true, Roles: true},
		"jit_advanced":    {Mode: "jit_advanced", Removals: true},
		"scim_permissive": {Mode: "scim_permissive", Roles: true},
		"scim_advanced":   {Mode: "scim_advanced"},
	} {
		c := start(t, emulator.Options{})
		c.ok("PUT", "/console/provisioning", `{"mode":"`+mode+`"}`)
		if got := c.s.Access().Provisioning; got != want {
			t.Errorf("%s: %+v", mode, got)
		}
		// What the API does must agree.
		status := func(method, path, body string) bool {
			code, _ := c.do(method, path, body)
			return code == http.StatusOK
		}
		got := emulator.ProvisioningAccess{Mode: mode,
			Invites:  status("POST", invitesPath, `{"email":"new@acme.com","role":"user"}`),
			Roles:    status("POST", "/v1/organizations/users/user_ben", `{"role":"managed"}`),
			Removals: status("DELETE", "/v1/organizations/users/user_ben", ""),
		}
		if got != want {
			t.Errorf("%s: the API did %+v", mode, got)
		}
	}
}

func TestIncreaseRequests(t *testing.T) {
	c := startPlugins(t, emulator.Options{})
	if diff := cmp.Diff([]string{"slir_2", "slir_1"}, c.all(increasesPath, 1, "id")); diff != "" {
		t.Errorf("newest first (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"slir_1"}, c.all(increasesPath+"?status[]=pending", 1, "id")); diff != "" {
		t.Errorf("pending (-want +got):\n%s", diff)
	}
	if got := c.all(increasesPath+"?actor_ids[]=user_cy", 1, "id"); len(got) != 0 {
		t.Errorf("of somebody else: %v", got)
	}
	one := c.ok("GET", increasesPath+"/slir_1", "")
	summary, _ := one["spend_summary"].(map[string]any)
	if one["resolved_by"] != nil || summary["amount"] != "900000" {
		t.Errorf("request = %v", one)
	}
	c.refused("POST", increasesPath+"/slir_1/approve", `{"amount":null}`, 400, "invalid_request_error")
	c.refused("POST", increasesPath+"/slir_1/approve", `{}`, 400, "invalid_request_error")
	c.refused("POST", increasesPath+"/slir_9/approve", `{"amount":"1"}`, 404, "not_found_error")
	c.refused("POST", "/console/members/user_ana/request_more_usage", "", 400, "invalid_request_error")

	done := c.ok("POST", increasesPath+"/slir_1/approve", `{"amount":"75000","suppress_notification":true}`)
	limit, _ := done["spend_limit"].(map[string]any)
	if done["status"] != "approved" || limit["amount"] != "75000" || done["spend_summary"] != nil || done["resolved_by"] == nil {
		t.Errorf("approved = %v", done)
	}
	c.refused("POST", increasesPath+"/slir_1/approve", `{"amount":"75000"}`, 400, "invalid_request_error")
	c.refused("POST", increasesPath+"/slir_1/deny", `{}`, 400, "invalid_request_error")
	if got := c.ok("POST", increasesPath+"/slir_2/deny", `{}`); got["status"] != "denied" {
		t.Errorf("denied twice = %v", got)
	}
	next := c.ok("POST", "/console/members/user_ana/request_more_usage", "")
	c.ok("POST", increasesPath+"/"+next["id"].(string)+"/deny", `{"suppress_notification":false}`)
	events := strings.Join(c.events(), " ")
	if !strings.HasSuffix(events, "extra_usage_spend_limit_created extra_usage_spend_limit_increase_request_approved extra_usage_spend_limit_increase_request_denied") {
		t.Errorf("events: %s", events)
	}
	c.ok("DELETE", "/v1/organizations/users/user_ana", "")
	if diff := cmp.Diff([]string{"slir_2"}, c.all(increasesPath, 10, "id")); diff != "" {
		t.Errorf("after the person left (-want +got):\n%s", diff)
	}
}

// TestPluginConsole: marketplaces and plugins come and go by hand.
func TestPluginConsole(t *testing.T) {
	c := startPlugins(t, emulator.Options{})
	m := c.ok("POST", "/console/plugin_marketplaces", `{"name":"New","default_installation_preference":"required"}`)["id"].(string)
	p := c.ok("POST", "/console/plugins", `{"marketplace_id":"`+m+`","name":"fresh","reach":"remote"}`)
	if p["organization_installation_preference"] != "required" || p["created_by"] == nil {
		t.Errorf("plugin = %v", p)
	}
	c.refused("POST", "/console/plugins", `{"marketplace_id":"`+m+`","name":"fresh"}`, 400, "invalid_request_error")
	c.refused("POST", "/console/plugins", `{"marketplace_id":"`+m+`","name":"Not A Name"}`, 400, "invalid_request_error")
	c.ok("PUT", "/console/plugins/"+p["id"].(string)+"/installation_settings/rbac_group_a", `{"installation_preference":"available"}`)
	c.ok("DELETE", "/console/plugins/"+p["id"].(string)+"/installation_settings/rbac_group_a", "")
	c.ok("DELETE", "/console/plugin_marketplaces/"+m, "")
	c.refused("GET", pluginsPath+"/"+p["id"].(string), "", 404, "not_found_error")
	want := "marketplace_created claude_plugin_created plugin_installation_preference_updated plugin_installation_preference_updated claude_plugin_deleted marketplace_deleted"
	if got := strings.Join(c.events(), " "); got != want {
		t.Errorf("events = %s", got)
	}
}

// TestPluginStateIsASeed: what was written can be read again.
func TestPluginStateIsASeed(t *testing.T) {
	c := startPlugins(t, emulator.Options{})
	again := start(t, emulator.Options{SeedData: c.s.StateJSON()})
	if diff := cmp.Diff(string(c.s.StateJSON()), string(again.s.StateJSON())); diff != "" {
		t.Errorf("(-first +again):\n%s", diff)
	}
}
