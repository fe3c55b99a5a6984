package emulator_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/emulator"
)

// rowsOf writes rows such as "use connector X" or "chat organization".
func rowsOf(texts ...string) string {
	rows := []map[string]any{}
	for _, text := range texts {
		f := strings.Fields(text)
		res := map[string]string{"type": f[1]}
		if len(f) > 2 {
			res["connector_id"] = f[2]
		}
		if len(f) > 3 && f[1] == "connector_tool" {
			res["tool_name"] = f[3]
		}
		if len(f) > 3 && f[1] == "connector_scope" {
			res["scope"] = f[3]
		}
		rows = append(rows, map[string]any{"action": f[0], "resource": res})
	}
	raw, _ := json.Marshal(rows)
	return string(raw)
}

// world starts an emulator with the member a@b.c in a group that has one role
// for each list of rows.
func world(t *testing.T, role, policy, more string, roles ...[]string) emulator.MemberAccess {
	t.Helper()
	var defs, names []string
	for i, rows := range roles {
		name := fmt.Sprintf("R%d", i)
		names = append(names, `"`+name+`"`)
		defs = append(defs, `{"name":"`+name+`","permissions":`+rowsOf(rows...)+`}`)
	}
	seed := `{"organization":{` + more + `},
		"features":{"chat":true,"cowork":false,"claude_design":true},"beta_features":["claude_design"],
		"connectors":[{"id":"X","name":"X","tools":["t","u"],` + policy + `},{"id":"Y","name":"Y","tools":["v"]}],
		"roles":[` + strings.Join(defs, ",") + `],
		"groups":[{"name":"G","members":["a@b.c"],"roles":[` + strings.Join(names, ",") + `]}],
		"members":[{"email":"a@b.c","role":"` + role + `"}]}`
	s, err := emulator.Open(emulator.Options{SeedData: []byte(seed)})
	if err != nil {
		t.Fatal(err)
	}
	return access(t, s.Access(), "a@b.c")
}

// TestCeilings has every row of the vendor's table of organization policy and
// best role grant.
//
// Source: Claude help centre, custom roles, connector permissions; read
// 2026-11-22.
func TestCeilings(t *testing.T) {
	tests := map[string]struct{ policy, grant, want string }{
		"always-allow-and-always-allow":     {"allow", "always_allow connector X", "allow"},
		"always-allow-and-needs-approval":   {"allow", "use connector X", "ask"},
		"always-allow-and-blocked":          {"allow", "chat organization", "blocked"},
		"needs-approval-and-always-allow":   {"ask", "always_allow connector X", "ask"},
		"needs-approval-and-needs-approval": {"ask", "use connector X", "ask"},
		"needs-approval-and-blocked":        {"ask", "chat organization", "blocked"},
		"blocked-and-always-allow":          {"blocked", "always_allow connector X", "blocked"},
		"blocked-and-needs-approval":        {"blocked", "use connector X", "blocked"},
		"blocked-and-blocked":               {"blocked", "chat organization", "blocked"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			whole := world(t, "managed", `"policy":"`+tt.policy+`"`, "", []string{tt.grant})
			if got := whole.Connectors["X"]; got.Tools["t"] != tt.want || got.AnyTool != tt.want {
				t.Errorf("policy of the connector: %v, want %s", got, tt.want)
			}
			one := world(t, "managed", `"policy":"allow","tool_policy":{"t":"`+tt.policy+`"}`, "", []string{tt.grant})
			if got := one.Connectors["X"].Tools["t"]; got != tt.want {
				t.Errorf("policy of the tool: %s, want %s", got, tt.want)
			}
		})
	}
}

// TestBuiltInRoles: roles of groups do not concern them, policies and switches
// do.
func TestBuiltInRoles(t *testing.T) {
	for _, role := range []string{"user", "membership_admin", "owner", "primary_owner"} {
		t.Run(role, func(t *testing.T) {
			got := world(t, role, `"policy":"ask","tool_policy":{"u":"blocked"}`, "", []string{"cowork organization", "permission_billing_view organization"})
			admin := map[string]bool{}
			if strings.HasSuffix(role, "owner") {
				admin["permission_billing_view"] = true
			}
			want := emulator.MemberAccess{
				Email: "a@b.c", UserID: got.UserID, Role: role, Plugins: map[string]string{},
				Capabilities:  map[string]bool{"chat": true, "cowork": false, "claude_design": true},
				AnyCapability: "all", Admin: admin, AnyConnector: "allow",
				Connectors: map[string]emulator.ConnectorAccess{
					"X": {Tools: map[string]string{"t": "ask", "u": "blocked"}, AnyTool: "ask"},
					"Y": {Tools: map[string]string{"v": "allow"}, AnyTool: "allow"},
				},
				Spend: map[string]emulator.SpendAccess{"monthly": {}},
			}
			settings := map[string]bool{"saffron": false, "web_search": false, "wiggle": false, "skill_creation": false,
				"claude_code_fast_mode": false, "claude_code_security": false}
			for action, on := range settings {
				want.Capabilities[action] = on
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("access (-want +got):\n%s", diff)
			}
		})
	}
}

func TestManaged(t *testing.T) {
	tests := map[string]struct {
		roles [][]string
		more  string
		check func(emulator.MemberAccess) []any
		want  []any
	}{
		"no-role-is-nothing": {nil, "", func(m emulator.MemberAccess) []any {
			return []any{m.Capabilities["chat"], m.AnyCapability, len(m.Admin), m.AnyConnector, m.Connectors["X"].Tools["t"]}
		}, []any{false, "none", 0, "blocked", "blocked"}},
		"union-of-roles": {[][]string{{"chat organization"}, {"claude_design organization"}}, "", func(m emulator.MemberAccess) []any {
			return []any{m.Capabilities["chat"], m.Capabilities["claude_design"], m.AnyCapability}
		}, []any{true, true, "none"}},
		"feature-that-is-off": {[][]string{{"cowork organization", "capability_access_all organization"}}, "", func(m emulator.MemberAccess) []any {
			return []any{m.Capabilities["cowork"], m.AnyCapability}
		}, []any{false, "all"}},
		"all-covers-beta-but-no-admin": {[][]string{{"capability_access_all organization"}, {"chat organization", "use connector Y"}}, "", func(m emulator.MemberAccess) []any {
			return []any{m.Capabilities["chat"], m.Capabilities["claude_design"], len(m.Admin)}
		}, []any{true, true, 0}},
		"ga-leaves-beta-out": {[][]string{{"capability_access_all_ga organization"}}, "", func(m emulator.MemberAccess) []any {
			return []any{m.Capabilities["chat"], m.Capabilities["claude_design"], m.AnyCapability}
		}, []any{true, false, "ga"}},
		"admin-needs-no-feature": {[][]string{{"permission_x organization"}}, "", func(m emulator.MemberAccess) []any {
			return []any{m.Admin["permission_x"], m.Capabilities["chat"]}
		}, []any{true, false}},
		"best-row-per-tool": {[][]string{{"use all_connectors"}, {"always_allow connector_tool X t"}}, "", func(m emulator.MemberAccess) []any {
			return []any{m.Connectors["X"].Tools["t"], m.Connectors["X"].Tools["u"], m.Connectors["X"].AnyTool, m.AnyConnector}
		}, []any{"allow", "ask", "ask", "ask"}},
		"use-and-always-allow-together": {[][]string{{"use all_connectors", "always_allow all_connectors"}}, "", func(m emulator.MemberAccess) []any {
			return []any{m.Connectors["X"].Tools["t"], m.AnyConnector}
		}, []any{"allow", "allow"}},
		"connector-says-nothing-of-another": {[][]string{{"always_allow connector X"}}, "", func(m emulator.MemberAccess) []any {
			return []any{m.Connectors["X"].AnyTool, m.Connectors["Y"].Tools["v"], m.AnyConnector}
		}, []any{"allow", "blocked", "blocked"}},
		"grants-and-methods-are-no-level": {[][]string{{"grant all_connectors", "interactive connector X", "managed connector X", "grant connector_scope X s"}}, "", func(m emulator.MemberAccess) []any {
			return []any{m.Connectors["X"].Tools["t"], m.AnyConnector}
		}, []any{"blocked", "blocked"}},
		"without-connector-permissions": {[][]string{{"chat organization"}}, `"connector_permissions":false`, func(m emulator.MemberAccess) []any {
			return []any{m.Connectors["X"].Tools["t"], m.AnyConnector}
		}, []any{"allow", "allow"}},
		"without-connector-permissions-and-roles": {nil, `"connector_permissions":false`, func(m emulator.MemberAccess) []any {
			return []any{m.Connectors["X"].Tools["t"], m.AnyConnector}
		}, []any{"blocked", "blocked"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := world(t, "managed", `"policy":"allow"`, tt.more, tt.roles...)
			if diff := cmp.Diff(tt.want, tt.check(m)); diff != "" {
				t.Errorf("access (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAccessOverHTTP(t *testing.T) {
	c := start(t, emulator.Options{})
	v := c.ok("GET", "/emulator/access", "")
	want := []string{"adm@acme.com", "ana@acme.com", "ben@acme.com", "cy+x@acme.com", "own@acme.com", "po@acme.com"}
	if diff := cmp.Diff(want, column(v, "members", "email")); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	// A role of another organization on the group gives nothing here.
	ana := access(t, c.s.Access(), "ana@acme.com")
	if !ana.Capabilities["chat"] || ana.Capabilities["web_search"] || ana.Connectors["mcpsrv_jira"].Tools["delete"] != "blocked" {
		t.Errorf("ana = %+v", ana)
	}
	before := c.s.Access()
	c.ok("PUT", "/console/features/chat", `{"enabled":false}`)
	if access(t, before, "ana@acme.com").Capabilities["chat"] != true || access(t, c.s.Access(), "ana@acme.com").Capabilities["chat"] {
		t.Error("an Access taken earlier changed, or a later one did not")
	}
}

// largeSeed is an organization of 1,400 members, 95 groups, 10 roles and 50
// tools.
func largeSeed() []byte {
	seed := map[string]any{"features": map[string]bool{"chat": true}}
	var members, groups, roles, tools []any
	for i := range 50 {
		tools = append(tools, fmt.Sprintf("tool_%d", i))
	}
	for i := range 10 {
		roles = append(roles, map[string]any{"name": fmt.Sprintf("R%d", i),
			"permissions": json.RawMessage(rowsOf("chat organization", "use all_connectors", fmt.Sprintf("always_allow connector_tool X tool_%d", i)))})
	}
	for i := range 95 {
		var people []string
		for j := i; j < 1400; j += 95 {
			people = append(people, fmt.Sprintf("p%d@b.c", j), fmt.Sprintf("p%d@b.c", (j+7)%1400))
		}
		groups = append(groups, map[string]any{"name": fmt.Sprintf("G%d", i), "members": people, "roles": []string{fmt.Sprintf("R%d", i%10)}})
	}
	for i := range 1400 {
		members = append(members, map[string]any{"email": fmt.Sprintf("p%d@b.c", i), "role": "managed"})
	}
	seed["members"], seed["groups"], seed["roles"] = members, groups, roles
	seed["connectors"] = []any{map[string]any{"id": "X", "name": "X", "tools": tools}}
	raw, _ := json.Marshal(seed)
	return raw
}

func BenchmarkAccess(b *testing.B) {
	c := start(b, emulator.Options{SeedData: largeSeed()})
	on := false
	for b.Loop() {
		b.StopTimer()
		on = !on
		c.ok("PUT", "/console/features/chat", fmt.Sprintf(`{"enabled":%v}`, on))
		b.StartTimer()
		c.s.Access()
	}
}

func BenchmarkListUsers(b *testing.B) {
	c := start(b, emulator.Options{SeedData: largeSeed()})
	for b.Loop() {
		c.ok("GET", "/v1/organizations/users?limit=1000", "")
	}
}

func BenchmarkWrite(b *testing.B) {
	c := start(b, emulator.Options{SeedData: largeSeed(), State: b.TempDir() + "/state.json"})
	id := column(c.ok("GET", "/v1/organizations/users?limit=1", ""), "data", "id")[0]
	roles := []string{"user", "managed"}
	i := 0
	for b.Loop() {
		c.ok("POST", "/v1/organizations/users/"+id, `{"role":"`+roles[i%2]+`"}`)
		i++
	}
}
