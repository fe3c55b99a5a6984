package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/providers/all"
	"github.com/rolecall/rolecall/providers/emulator"
)

// TestImportOfAnExample imports the largest example after it was applied, and
// plans what was written.
func TestImportOfAnExample(t *testing.T) {
	dir := copyDir(t, filepath.Join("..", "..", "examples", "real-org"))
	_, url := openEmulator(t, filepath.Join(dir, "real-org.org.json"), nil)
	if code, _, stderr := call(t, url, "apply", "-C", dir, "--auto-approve"); code != 0 {
		t.Fatalf("apply exits with %d:\n%s", code, stderr)
	}
	for name, flags := range map[string][]string{"lists": nil, "tables": {"--csv", "40"}} {
		t.Run(name, func(t *testing.T) {
			to := filepath.Join(t.TempDir(), "imported")
			start := time.Now()
			code, out, stderr := call(t, url, append([]string{"import", "--system", "claude-enterprise", "-C", to}, flags...)...)
			if code != 0 {
				t.Fatalf("import exits with %d:\n%s", code, stderr)
			}
			imported := time.Since(start)
			if strings.Contains(out, "Not described") {
				t.Errorf("not everything is described:\n%s", out)
			}
			start = time.Now()
			if code, out, stderr := call(t, url, "plan", "-C", to, "--detailed-exitcode"); code != 0 {
				t.Errorf("plan exits with %d:\n%s%s", code, out, stderr)
			}
			t.Logf("1,384 members and 96 groups: import %v, plan %v", imported.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
		})
	}
}

// A seedGen makes an organization of any shape: twins, groups of the identity
// provider, roles and people of another organization, rows that the language
// has no word for, limits of every scope, plugins, seat tiers, invites.
type seedGen struct{ *rapid.T }

func (g seedGen) pick(label string, of ...string) string {
	return rapid.SampledFrom(of).Draw(g.T, label)
}
func (g seedGen) some(label string, of ...string) []string {
	n := rapid.IntRange(0, len(of)).Draw(g.T, label)
	return append([]string{}, rapid.Permutation(of).Draw(g.T, label)[:n]...) // never nil, which is no list in JSON
}
func (g seedGen) sometimes(label string) bool { return rapid.IntRange(0, 3).Draw(g.T, label) == 0 }

var (
	oddNames    = []string{"Base", "base", "Base ", "R&D", "Sales – \"EMEA\"", "${x}", "%{if}", "営業部", "Café", "Cafe\u0301", "🚀", "a\tb", "=1+1", "'; --", "1st", "for", "\u202eevil", "role.base", strings.Repeat("é", 120)}
	someActions = []string{"chat", "web_search", "cowork", "claude_code", "saffron", "wiggle", "omelette", "hologram", "time-travel", "memory2", "claude_code_fast_mode"}
	someTools   = []string{"search", "get_issue", "x-1", "tool_0123456789abcdef0123456789abcdef"}
	someLevels  = []string{"use", "always_allow"}
	people      = []string{"ann@acme.com", "bob@acme.com", "cyd+test@acme.com", "cyd@acme.com", "o'neil@acme.com", "=eve@acme.com", "fay@other.org"}
)

func (g seedGen) rows() []any {
	row := func(action, typ string, more ...string) map[string]any {
		r := map[string]string{"type": typ}
		for i := 0; i+1 < len(more); i += 2 {
			r[more[i]] = more[i+1]
		}
		return map[string]any{"action": action, "resource": r}
	}
	all := []any{}
	for _, a := range g.some("actions", someActions...) {
		all = append(all, row(a, "organization"))
	}
	if g.sometimes("blanket") {
		all = append(all, row(g.pick("which blanket", "capability_access_all", "capability_access_all_ga"), "organization"))
		if g.sometimes("blanket alone") {
			all = all[len(all)-1:]
		}
	}
	for _, a := range g.some("admin", "permission_billing_view", "permission_billing_manage", "permission_privacy_manage", "permission_unheard_of") {
		all = append(all, row(a, "organization"))
	}
	if g.sometimes("default") {
		all = append(all, row(g.pick("default level", someLevels...), "all_connectors"))
	}
	for _, c := range g.some("connectors of a role", "mcpsrv_01A", "mcpsrv_01B", "mcpsrv_01a") {
		if g.sometimes("whole connector") {
			all = append(all, row(g.pick("level", someLevels...), "connector", "connector_id", c))
		}
		for _, tool := range g.some("tools", someTools...) {
			all = append(all, row(g.pick("level", someLevels...), "connector_tool", "connector_id", c, "tool_name", tool))
		}
		if g.sometimes("scope") {
			all = append(all, row("grant", "connector_scope", "connector_id", c, "scope", "read"))
			all = append(all, row(g.pick("method", "interactive", "managed"), "connector", "connector_id", c))
		}
	}
	return all
}

// betas are the features that are not generally available.
func (g seedGen) betas() []string {
	if !g.sometimes("betas") {
		return []string{}
	}
	return g.some("beta", someActions...)
}

// plugins makes marketplaces, each with a plugin or two that some groups have a
// setting for.
func (g seedGen) plugins(groups int) (marketplaces, plugins []any) {
	marketplaces, plugins = []any{}, []any{}
	if !g.sometimes("plugins") {
		return marketplaces, plugins
	}
	levels := []string{"required", "auto_install", "available", "not_available"}
	for m := range rapid.IntRange(1, 2).Draw(g.T, "marketplaces") {
		id := fmt.Sprintf("marketplace_%d", m)
		marketplace := map[string]any{"id": id, "name": g.pick("marketplace name", oddNames...), "source": "manual"}
		if rapid.Bool().Draw(g.T, "has a default") {
			marketplace["default_installation_preference"] = g.pick("default", levels...)
		}
		marketplaces = append(marketplaces, marketplace)
		for i := range rapid.IntRange(1, 2).Draw(g.T, "plugins of it") {
			settings := map[string]string{}
			for group := range groups {
				if rapid.Bool().Draw(g.T, "a group has a setting") {
					settings[fmt.Sprintf("rbac_group_%d", group)] = g.pick("of the group", levels...)
				}
			}
			plugin := map[string]any{"id": fmt.Sprintf("plugin_%d%d", m, i), "name": g.pick("plugin name", "lint-kit", "db-kit", "1st", "for") + fmt.Sprint("-", i), "marketplace": id, "groups": settings}
			if rapid.Bool().Draw(g.T, "has a setting") {
				plugin["organization"] = g.pick("of everybody", levels...)
			}
			plugins = append(plugins, plugin)
		}
	}
	if g.sometimes("a member's own") {
		marketplaces = append(marketplaces, map[string]any{"id": "marketplace_own", "name": "Own", "owner": people[0]})
		plugins = append(plugins, map[string]any{"id": "plugin_own", "name": "own", "marketplace": "marketplace_own", "owner": people[0]})
	}
	return marketplaces, plugins
}

// invites makes pending invites, and one that has expired.
func (g seedGen) invites(groups int) []any {
	invites := []any{}
	ids := []string{}
	for i := range groups {
		ids = append(ids, fmt.Sprintf("rbac_group_%d", i))
	}
	for _, email := range g.some("invited", "new@acme.com", "later@acme.com", "Mixed.Case@Acme.com", "=eve2@acme.com") {
		invites = append(invites, map[string]any{"email": email, "role": g.pick("invited as", "user", "managed"),
			"status": g.pick("status of the invite", "pending", "pending", "expired"), "groups": g.some("invited into", ids...)})
	}
	return invites
}

func (g seedGen) seed() []byte {
	roleIDs, roles := []string{"rbac_role_foreign"}, []any{}
	for i := range rapid.IntRange(0, 4).Draw(g.T, "roles") {
		id := fmt.Sprintf("rbac_role_%d", i)
		roleIDs = append(roleIDs, id)
		roles = append(roles, map[string]any{"id": id, "name": g.pick("role name", oddNames...), "permissions": g.rows()})
	}
	groups, groupNames := []any{}, map[string]int{}
	for i := range rapid.IntRange(0, 4).Draw(g.T, "groups") {
		name := g.pick("group name", oddNames...)
		groupNames[name]++
		groups = append(groups, map[string]any{"id": fmt.Sprintf("rbac_group_%d", i), "name": name, "source_type": g.pick("source", "direct", "direct", "scim"),
			"roles": g.some("attached", roleIDs...), "members": g.some("members", append([]string{"zed@sister.com"}, people...)...)})
	}
	members := []any{}
	for _, e := range people {
		members = append(members, map[string]any{"email": e, "name": g.pick("name", oddNames...), "role": g.pick("role", "user", "managed", "managed", "owner", "membership_admin"),
			"seat_tier": g.pick("seat", "enterprise_standard", "enterprise_premium")})
	}
	members = append(members, map[string]any{"email": "own@acme.com", "name": "Own", "role": "primary_owner"})
	amount := func() any {
		if g.sometimes("no amount") {
			return nil
		}
		return g.pick("amount", "0", "1", "5000", "123456789")
	}
	limits := []any{}
	limit := func(typ string, more ...string) {
		scope := map[string]string{"type": typ}
		for i := 0; i+1 < len(more); i += 2 {
			scope[more[i]] = more[i+1]
		}
		limits = append(limits, map[string]any{"scope": scope, "amount": amount()})
	}
	for _, e := range g.some("limited people", people...) {
		limit("user", "email", e)
	}
	for _, n := range slices.Sorted(maps.Keys(groupNames)) {
		if groupNames[n] == 1 && g.sometimes("group limit") { // a name of two says nothing
			limit("rbac_group", "group", n)
		}
	}
	for _, scope := range g.some("scopes", "organization", "seat_tier", "organization_service") {
		switch scope {
		case "organization":
			limit(scope)
		case "seat_tier":
			limit(scope, "seat_tier", "enterprise_standard")
		default:
			limit(scope, "service", "cowork")
		}
	}
	features := map[string]bool{}
	for _, a := range someActions {
		features[a] = rapid.Bool().Draw(g.T, "feature "+a)
	}
	organization := map[string]any{"id": "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e", "name": g.pick("organization", oddNames...), "usage_credits": true,
		"provisioning":     g.pick("provisioning", "login_only", "jit_permissive", "jit_advanced", "scim_permissive", "scim_advanced"),
		"spend_precedence": g.pick("precedence", "lowest", "highest"), "connector_permissions": !g.sometimes("no connector permissions")}
	if g.sometimes("tiers") {
		tiers := []any{}
		for _, name := range []string{"enterprise_standard", "enterprise_premium"} {
			tiers = append(tiers, map[string]any{"name": name, "excludes": g.some("excluded", "chat", "web_search", "cowork", "claude_code", "saffron", "wiggle", "omelette")})
		}
		organization["seat_tiers"] = tiers
	}
	connectors := []any{}
	for _, c := range [][2]string{{"mcpsrv_01A", "A"}, {"mcpsrv_01B", "B"}, {"mcpsrv_01a", "a"}} {
		policies := map[string]string{}
		for _, tool := range g.some("tools with a policy", someTools...) {
			policies[tool] = g.pick("policy of a tool", "allow", "ask", "blocked")
		}
		connectors = append(connectors, map[string]any{"id": c[0], "name": c[1], "tools": someTools,
			"policy": g.pick("policy", "allow", "allow", "ask", "blocked"), "tool_policy": policies})
	}
	marketplaces, plugins := g.plugins(len(groups))
	seed := map[string]any{
		"organization": organization,
		"other_organizations": []any{map[string]any{"id": "00000000-7a8b-49c0-9d1e-2f3a4b5c6d7e", "name": "Sister",
			"members": []any{map[string]any{"email": "zed@sister.com", "name": "Zed"}, map[string]any{"email": "bob@acme.com", "name": "Bob"}}, "roles": []any{map[string]any{"id": "rbac_role_foreign", "name": "Foreign"}}}},
		"features": features, "beta_features": g.betas(), "roles": roles, "groups": groups, "members": members, "spend_limits": limits, "invites": g.invites(len(groups)),
		"connectors": connectors, "plugin_marketplaces": marketplaces, "plugins": plugins,
	}
	if g.sometimes("null roles") {
		seed["faults"] = []any{map[string]any{"path": "/v1/organizations/rbac_groups", "do": "null_role_ids", "times": -1}}
	}
	b, err := json.MarshalIndent(seed, "", "  ")
	if err != nil {
		g.Fatal(err)
	}
	return b
}

// often sets how many examples rapid tries: fewer in a short run, of which
// rapid itself makes a fifth, and another number if ROLECALL_RUNS or a flag
// asks for it.
func often(t *testing.T, long, short int) {
	n := long
	if testing.Short() {
		n = short
	}
	if v := os.Getenv("ROLECALL_RUNS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil || n < 1 {
			t.Fatalf("ROLECALL_RUNS=%q is not a number of runs", v)
		}
	}
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() != checks.DefValue {
		return
	}
	if err := checks.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = checks.Value.Set(checks.DefValue) }) // it was valid before
}

// TestImportedIsAsItWas imports random organizations: a plan of what is
// written finds nothing to change, whether it reads the organization, a
// snapshot, or a snapshot in which nothing is real; formatting finds nothing to
// do; nothing was left out for want of coming back as it was; and what can be
// said of plugins, seat tiers and invites is there.
func TestImportedIsAsItWas(t *testing.T) {
	often(t, 30, 10)
	rapid.Check(t, func(rt *rapid.T) {
		src := seedGen{rt}.seed()
		e, err := emulator.Open(emulator.Options{SeedData: src})
		if err != nil {
			rt.Fatalf("%v\n%s", err, src)
		}
		server := httptest.NewServer(e.Handler())
		defer func() { server.Close(); _ = e.Close() }()
		tmp, err := os.MkdirTemp("", "rolecall-test-*")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(tmp)
		dir, snap := filepath.Join(tmp, "a"), filepath.Join(tmp, "a.snapshot.json")
		want := func(args ...string) string {
			code, out, stderr := call(t, server.URL, args...)
			if code != 0 {
				rt.Fatalf("%v exits with %d:\n%s%s\nof\n%s", args, code, out, stderr, src)
			}
			return out
		}
		args := []string{"import", "--system", "claude-enterprise", "-C", dir}
		if rapid.Bool().Draw(rt, "tables") {
			args = append(args, "--csv", "2")
		}
		if out := want(args...); strings.Contains(out, "a plan of it would") {
			rt.Fatalf("something was left out:\n%s\nof\n%s", out, src)
		}
		want("plan", "-C", dir, "--detailed-exitcode")
		want("fmt", "-C", dir, "--check")
		if missing := unsaidOf(rt, src, dir); missing != "" {
			rt.Fatalf("%s\nof\n%s", missing, src)
		}
		want("snapshot", "-C", dir, "-o", snap)
		want("plan", "-C", dir, "--detailed-exitcode", "--snapshot", snap)
		again := filepath.Join(tmp, "b")
		want("import", "--snapshot", snap, "-C", again)
		want("plan", "-C", again, "--detailed-exitcode", "--snapshot", snap)
		odd, pseudonyms := filepath.Join(tmp, "odd.snapshot.json"), filepath.Join(tmp, "c")
		want("snapshot", "-C", dir, "-o", odd, "--pseudonymise")
		want("import", "--snapshot", odd, "-C", pseudonyms)
		want("plan", "-C", pseudonyms, "--detailed-exitcode", "--snapshot", odd)
		for _, typ := range []string{"marketplace", "plugin", "seat_tier", "group", "role"} {
			if a, b := blocksOf(rt, dir, typ), blocksOf(rt, pseudonyms, typ); len(a) != len(b) {
				rt.Fatalf("%d blocks of type %s became %d under pseudonyms\nof\n%s", len(a), typ, len(b), src)
			}
		}
	})
}

// blocksOf returns the top-level blocks of a type in a directory.
func blocksOf(t *rapid.T, dir, typ string) []*hclsyntax.Block {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	var list []*hclsyntax.Block
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, diags := hclsyntax.ParseConfig(b, path, hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, b := range file.Body.(*hclsyntax.Body).Blocks {
			if b.Type == typ {
				list = append(list, b)
			}
		}
	}
	return list
}

// unsaidOf returns what of an organization's plugins, seat tiers and invites is
// not in the configuration that was written of it, "" if everything is.
func unsaidOf(t *rapid.T, seed []byte, dir string) string {
	t.Helper()
	var org struct {
		Groups []struct {
			ID     string
			Source string `json:"source_type"`
		}
		Limits []struct {
			Scope struct{ Type string }
		} `json:"spend_limits"`
		Marketplaces []struct{ Owner string } `json:"plugin_marketplaces"`
		Plugins      []struct {
			Owner  string
			Groups map[string]string
		}
		Invites []struct {
			Email, Status string
			Groups        []string
		}
	}
	if err := json.Unmarshal(seed, &org); err != nil {
		t.Fatal(err)
	}
	marketplaces, plugins, settings, seats := 0, 0, 0, 0
	for _, m := range org.Marketplaces {
		if m.Owner == "" {
			marketplaces++
		}
	}
	for _, p := range org.Plugins {
		if p.Owner == "" {
			plugins++
			settings += len(p.Groups)
		}
	}
	for _, l := range org.Limits {
		if l.Scope.Type == "seat_tier" {
			seats++
		}
	}
	written := blocksOf(t, dir, "group")
	nested := 0
	for _, b := range written {
		for _, n := range b.Body.Blocks {
			if n.Type == "plugin" {
				nested++
			}
		}
	}
	for what, n := range map[string][2]int{
		"marketplace": {marketplaces, len(blocksOf(t, dir, "marketplace"))}, "plugin": {plugins, len(blocksOf(t, dir, "plugin"))},
		"seat_tier": {seats, len(blocksOf(t, dir, "seat_tier"))},
	} {
		if n[0] != n[1] {
			return fmt.Sprintf("%d of %d blocks of type %s", n[1], n[0], what)
		}
	}
	list, err := os.ReadFile(filepath.Join(dir, "not-described.hcl"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	unsaid := strings.Join(strings.Fields(strings.ReplaceAll(string(list), "\n#", " ")), " ")
	if n := settings - nested; n != 0 && len(written) == len(org.Groups) {
		return fmt.Sprintf("%d settings of groups for plugins are missing", n)
	}
	for _, i := range org.Invites {
		if i.Status == "pending" && !strings.Contains(unsaid, strings.ToLower(i.Email)) {
			return i.Email + " is invited, and not listed"
		}
	}
	return ""
}

// TestStarters checks that every system has a configuration to begin with,
// that it is valid and in canonical form, and that it says something.
func TestStarters(t *testing.T) {
	for _, k := range all.Kinds() {
		t.Run(k.Language.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "new")
			for _, args := range [][]string{{"init", "--system", k.Language.Name, "-C", dir}, {"validate", "-C", dir}, {"fmt", "-C", dir, "--check"}} {
				if code, out, stderr := call(t, "", args...); code != 0 || strings.Contains(stderr, "Warning") {
					t.Errorf("%v exits with %d:\n%s%s", args, code, out, stderr)
				}
			}
			b, err := os.ReadFile(filepath.Join(dir, "organization.hcl"))
			if err != nil || strings.Count(string(b), "#") < 5 {
				t.Errorf("it teaches little (%v):\n%s", err, b)
			}
		})
	}
}
