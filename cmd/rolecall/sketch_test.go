package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A sketch is a small organization that can be written both as a seed of the
// emulator and as a configuration. Everything is of one organization, so that
// two sketches with the same people are a before and an after.
type sketch struct {
	features map[string]bool              // action to on
	policy   map[string]map[string]string // connector to tool to the organization's policy
	roles    []sketchRole
	groups   []sketchGroup
	role     map[string]string // address to organization role
	limit    map[string]string // address to amount in minor units; absent: none of its own
	plugin   map[string]string // "organization" or the number of a group to a setting
}

type sketchRole struct {
	capabilities []string
	level        string            // of all connectors: always_allow or needs_approval; "" for none
	connectors   map[string]string // where level is "": connector to level
}

type sketchGroup struct {
	roles   []int
	members []string
	limit   string
}

// What a sketch is about, in the words of the API: the label of a feature, its
// action and its setting, and the connectors with their tools.
var (
	sketchFeatures = []struct{ label, action, setting string }{
		{"chat", "chat", "chat_enabled"}, {"web_search", "web_search", "web_search_enabled"},
		{"memory", "saffron", "memory_enabled"}, {"public_projects", "public_projects", "public_projects_enabled"},
	}
	sketchConnectors = []string{"jira", "slack"}
	sketchTools      = []string{"read", "write"}
)

const sketchID = "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e"

func sketchPeople(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("p%02d@acme.com", i)
	}
	return list
}

// randomSketch makes an organization of some people, of which the first is the
// primary owner. Everybody has a role that gives something, so that a migration
// is not refused.
func randomSketch(r *rand.Rand, people []string) *sketch {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	some := func(list []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(string) bool { return r.IntN(2) == 0 })
	}
	k := &sketch{features: map[string]bool{}, policy: map[string]map[string]string{}, role: map[string]string{}, limit: map[string]string{}, plugin: map[string]string{}}
	var actions []string
	for _, f := range sketchFeatures {
		actions = append(actions, f.label)
		k.features[f.action] = r.IntN(5) > 0
	}
	for _, c := range sketchConnectors {
		k.policy[c] = map[string]string{}
		for _, t := range sketchTools {
			k.policy[c][t] = pick([]string{"allow", "allow", "ask", "blocked"})
		}
	}
	for range 4 {
		one := sketchRole{capabilities: some(actions), level: pick([]string{"always_allow", "needs_approval", ""}), connectors: map[string]string{}}
		if len(one.capabilities) == 0 {
			one.capabilities = []string{"chat"}
		}
		if one.level == "" {
			for _, c := range some(sketchConnectors) {
				one.connectors[c] = pick([]string{"always_allow", "needs_approval"})
			}
		}
		k.roles = append(k.roles, one)
	}
	for i := range 5 {
		g := sketchGroup{members: some(people)}
		for n := range k.roles {
			if r.IntN(3) == 0 || i == 0 && n == 0 {
				g.roles = append(g.roles, n)
			}
		}
		if i == 0 {
			g.members = slices.Clone(people)
		}
		if r.IntN(4) == 0 {
			g.limit = fmt.Sprint(10_000 * (1 + r.IntN(5)))
		}
		k.groups = append(k.groups, g)
		if r.IntN(4) == 0 {
			k.plugin[fmt.Sprint(i)] = pick([]string{"required", "auto_install", "available", "not_available"})
		}
	}
	k.plugin["organization"] = pick([]string{"required", "available", "not_available"})
	for i, m := range people {
		k.role[m] = pick([]string{"managed", "managed", "user"})
		if i == 0 {
			k.role[m] = "primary_owner"
		}
		if r.IntN(5) == 0 {
			k.limit[m] = fmt.Sprint(10_000 * (1 + r.IntN(5)))
		}
	}
	return k
}

// seed writes a sketch as a seed of the emulator.
func (k *sketch) seed() []byte {
	type object = map[string]any
	row := func(action string, resource object) object { return object{"action": action, "resource": resource} }
	use := map[string]string{"always_allow": "always_allow", "needs_approval": "use"}
	actionOf := map[string]string{}
	settings := object{}
	for _, f := range sketchFeatures {
		actionOf[f.label], settings[f.setting] = f.action, f.action
	}
	var connectors, roles, groups, members []object
	limits := []object{}
	for _, c := range sketchConnectors {
		connectors = append(connectors, object{"id": "mcpsrv_" + c, "name": c, "tools": sketchTools, "policy": "allow", "tool_policy": k.policy[c]})
	}
	for i, one := range k.roles {
		rows := []object{}
		for _, c := range one.capabilities {
			rows = append(rows, row(actionOf[c], object{"type": "organization"}))
		}
		if one.level != "" {
			rows = append(rows, row(use[one.level], object{"type": "all_connectors"}))
		}
		for _, c := range slices.Sorted(maps.Keys(one.connectors)) {
			rows = append(rows, row(use[one.connectors[c]], object{"type": "connector", "connector_id": "mcpsrv_" + c}))
		}
		roles = append(roles, object{"id": fmt.Sprintf("rbac_role_%d", i), "name": fmt.Sprintf("Role %d", i), "permissions": rows})
	}
	for i, g := range k.groups {
		ids := []string{}
		for _, n := range g.roles {
			ids = append(ids, fmt.Sprintf("rbac_role_%d", n))
		}
		groups = append(groups, object{"id": fmt.Sprintf("rbac_group_%d", i), "name": fmt.Sprintf("Group %d", i), "roles": ids, "members": g.members})
		if g.limit != "" {
			limits = append(limits, object{"scope": object{"type": "rbac_group", "group": fmt.Sprintf("Group %d", i)}, "amount": g.limit})
		}
	}
	for _, m := range slices.Sorted(maps.Keys(k.role)) {
		members = append(members, object{"id": "user_" + strings.TrimSuffix(m, "@acme.com"), "email": m, "role": k.role[m]})
		if a := k.limit[m]; a != "" {
			limits = append(limits, object{"scope": object{"type": "user", "email": m}, "amount": a})
		}
	}
	plugin := object{"id": "plugin_lint", "name": "lint-kit", "marketplace": "Tools", "reach": "contained", "version": "1.0.0"}
	own := object{}
	for target, setting := range k.plugin {
		if target == "organization" {
			plugin["organization"] = setting
		} else {
			own["rbac_group_"+target] = setting
		}
	}
	plugin["groups"] = own
	activities := []object{} // what the feed says of how it came to this
	happened := func(kind string, own object) {
		own["type"], own["created_at"] = kind, fmt.Sprintf("2026-01-05T09:%02d:%02dZ", len(activities)/60, len(activities)%60)
		activities = append(activities, own)
	}
	for i, one := range k.roles {
		id := fmt.Sprintf("rbac_role_%d", i)
		happened("rbac_role_created", object{"role_id": id, "role_name": fmt.Sprintf("Role %d", i)})
		for _, c := range one.capabilities {
			happened("rbac_role_permission_added", object{"role_id": id, "action": actionOf[c], "resource_type": "organization", "resource_id": sketchID})
		}
	}
	for _, c := range sketchConnectors {
		happened("mcp_tool_policy_updated", object{"mcp_server_id": "mcpsrv_" + c, "mcp_server_name": c, "tool_name": "*", "max_permission": "allow"})
		for _, tool := range sketchTools {
			happened("mcp_tool_policy_updated", object{"mcp_server_id": "mcpsrv_" + c, "mcp_server_name": c, "tool_name": tool, "max_permission": k.policy[c][tool]})
		}
	}
	b, err := json.Marshal(object{
		"organization": object{"id": sketchID, "name": "Acme", "provisioning": "login_only"},
		"features":     k.features, "settings": settings, "connectors": connectors, "roles": roles, "groups": groups, "members": members, "spend_limits": limits,
		"plugin_marketplaces": []object{{"id": "marketplace_tools", "name": "Tools", "source": "github", "default_installation_preference": "not_available"}},
		"plugins":             []object{plugin},
		"activities":          activities,
	})
	if err != nil {
		panic(err)
	}
	return b
}

// configuration writes a sketch as a configuration, with so much settling.
func (k *sketch) configuration(settle string) string {
	var b strings.Builder
	list := func(items []string) string {
		raw, err := json.Marshal(append([]string{}, items...))
		if err != nil {
			panic(err)
		}
		return string(raw)
	}
	money := func(minor string) string { return fmt.Sprintf("%q", minor[:len(minor)-2]+"."+minor[len(minor)-2:]) }
	fmt.Fprintf(&b, "organization \"acme\" {\n  system = \"claude-enterprise\"\n  settle = %q\n}\n", settle)
	b.WriteString("guard {\n  max_members_losing_access = \"100%\"\n  max_group_shrink = \"100%\"\n  max_removals = 100\n}\nrule \"feature-reaches-unmigrated\" {\n  severity = \"info\"\n}\n")
	for _, f := range sketchFeatures {
		fmt.Fprintf(&b, "feature %q {\n  enabled = %v\n  action  = %q\n  setting = %q\n}\n", f.label, k.features[f.action], f.action, f.setting)
	}
	level := map[string]string{"allow": "always_allow", "ask": "needs_approval", "blocked": "blocked"}
	for _, c := range sketchConnectors {
		fmt.Fprintf(&b, "connector %q {\n  id     = %q\n  tools  = %s\n  policy = \"always_allow\"\n  tool_policy = {", c, "mcpsrv_"+c, list(sketchTools))
		for _, t := range sketchTools {
			if p := k.policy[c][t]; p != "allow" {
				fmt.Fprintf(&b, " %s = %q,", t, level[p])
			}
		}
		b.WriteString(" }\n}\n")
	}
	b.WriteString("marketplace \"tools\" {\n  id = \"marketplace_tools\"\n  install = \"not_available\"\n}\n")
	fmt.Fprintf(&b, "plugin \"lint-kit\" {\n  id      = \"plugin_lint\"\n  install = %q\n}\n", k.plugin["organization"])
	for i, one := range k.roles {
		fmt.Fprintf(&b, "role \"r%d\" {\n  name = \"Role %d\"\n  capabilities = %s\n", i, i, list(one.capabilities))
		if one.level != "" {
			fmt.Fprintf(&b, "  connector_default = %q\n", one.level)
		} else {
			b.WriteString("  connector_default = \"custom\"\n")
		}
		for _, c := range slices.Sorted(maps.Keys(one.connectors)) {
			fmt.Fprintf(&b, "  connector %q {\n    access = %q\n  }\n", c, one.connectors[c])
		}
		b.WriteString("}\n")
	}
	for i, g := range k.groups {
		refs := make([]string, len(g.roles))
		for n, r := range g.roles {
			refs[n] = fmt.Sprintf("role.r%d", r)
		}
		fmt.Fprintf(&b, "group \"g%d\" {\n  name = \"Group %d\"\n  roles = [%s]\n  members = %s\n", i, i, strings.Join(refs, ", "), list(g.members))
		if g.limit != "" {
			fmt.Fprintf(&b, "  spend_limit {\n    monthly = %s\n  }\n", money(g.limit))
		} else {
			b.WriteString("  spend_limit {\n    inherit = true\n  }\n")
		}
		setting := k.plugin[fmt.Sprint(i)]
		if setting == "" {
			setting = "inherit"
		}
		fmt.Fprintf(&b, "  plugin \"lint-kit\" {\n    install = %q\n  }\n}\n", setting)
	}
	var in, out []string
	for _, m := range slices.Sorted(maps.Keys(k.role)) {
		switch k.role[m] {
		case "managed":
			in = append(in, m)
		case "user":
			out = append(out, m)
		}
		limit := "inherit = true"
		if a := k.limit[m]; a != "" {
			limit = "monthly = " + money(a)
		}
		fmt.Fprintf(&b, "member %q {\n  spend_limit {\n    %s\n  }\n}\n", m, limit)
	}
	fmt.Fprintf(&b, "migration {\n  wave \"in\" {\n    members = %s\n  }\n  wave \"out\" {\n    members = %s\n    state = \"reverted\"\n  }\n}\n", list(in), list(out))
	return b.String()
}

// dir writes the configuration of a sketch into a directory of its own.
func (k *sketch) dir(t *testing.T, settle string) string {
	t.Helper()
	dir := t.TempDir()
	k.write(t, dir, settle)
	return dir
}

func (k *sketch) write(t *testing.T, dir, settle string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "org.hcl"), []byte(k.configuration(settle)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runs returns how many random cases to try: few in a short test, more
// otherwise, and what ROLECALL_RUNS says for a longer search.
func runs(t *testing.T, short, usual int) int {
	t.Helper()
	if v := os.Getenv("ROLECALL_RUNS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatalf("ROLECALL_RUNS: %v", err)
		}
		return n
	}
	if testing.Short() {
		return short
	}
	return usual
}
