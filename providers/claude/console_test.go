package claude

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/schema"
)

// consoleSteps is every kind of save that a person is asked for, each from what
// is live and what is wanted.
func consoleSteps(t *testing.T) map[string]map[string]schema.Step {
	unknown := schema.Unavailable("not read")
	text, set, entries := schema.Text, schema.Set, schema.Map
	role := func(attrs ...any) *schema.Object { return thing("role", "Base", attrs...) }
	none := entries(nil)
	levels := func(pairs ...string) schema.Value {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return entries(m)
	}
	spend := func(attrs ...any) *schema.Object {
		o := thing("spend", "organization", attrs...)
		o.ID = ""
		return o
	}
	mode := func(m string) *schema.Object {
		o := thing("organization", "acme", attrProvisioning, text(m))
		o.Addr = "organization"
		return o
	}
	jira := func(attrs ...any) *schema.Object {
		o := thing("connector", "jira", append([]any{attrTools, set("search", "delete")}, attrs...)...)
		o.Key = "mcpsrv_jira"
		return o
	}
	group := func(attrs ...any) *schema.Object { return thing("group", "Pilot", attrs...) }
	seat := func(attrs ...any) *schema.Object { return thing("seat_tier", "chat", attrs...) }
	feature := func(v schema.Value) *schema.Object { return thing("feature", "cowork", attrEnabled, v) }
	ann := func(role string) *schema.Object {
		return thing("member", "ann@acme.com", attrOrganizationRole, text(role))
	}
	mapping := func(role string) *schema.Object { return thing("role_mapping", "okta-eng", attrRole, text(role)) }
	whole := role(attrName, text("Base"), attrDescription, text("For everybody."), attrCapabilities, set("web_search", "chat", "memory", "claude_design"), attrAdmin, levels("libraries", "manage", "billing", "view"),
		attrConnectorDefault, text("needs_approval"), attrConnectors, levels("slack", "always_allow"), attrTools, levels("jira.search", "always_allow"), attrBelow, levels("jira", "custom"))
	plain := role(attrName, text("Base"), attrDescription, text("Old."), attrCapabilities, set("chat", "cowork"), attrAdmin, levels("privacy", "view", "billing", "manage"),
		attrConnectorDefault, text("always_allow"), attrConnectors, none, attrTools, none, attrBelow, none)
	fresh := whole.Clone()
	fresh.ID = ""
	tests := map[string][2]*schema.State{
		"role-create":          {stateOf(), stateOf(fresh)},
		"role-edit":            {stateOf(plain), stateOf(whole)},
		"role-delete":          {stateOf(whole), stateOf()},
		"role-rename":          {stateOf(role(attrName, text("Old"))), stateOf(role(attrName, text("Base")))},
		"role-all":             {stateOf(role(attrCapabilities, set("chat"))), stateOf(role(attrCapabilities, set("all")))},
		"attach":               {stateOf(whole, group(attrRoles, set())), stateOf(whole, group(attrRoles, set("role.Base")))},
		"detach":               {stateOf(whole, group(attrRoles, set("role.Base"))), stateOf(whole, group(attrRoles, set()))},
		"feature-on":           {stateOf(feature(schema.Bool(false))), stateOf(feature(schema.Bool(true)))},
		"feature-off":          {stateOf(feature(schema.Bool(true))), stateOf(feature(schema.Bool(false)))},
		"feature-unknown":      {stateOf(feature(unknown)), stateOf(feature(schema.Bool(false)))},
		"group-limit":          {stateOf(group(attrLimit, schema.Absent)), stateOf(group(attrLimit, text("20000")))},
		"group-limit-lifted":   {stateOf(group(attrLimit, text("20000"))), stateOf(group(attrLimit, text("unlimited")))},
		"group-limit-gone":     {stateOf(group(attrLimit, text("20000"))), stateOf(group(attrLimit, schema.Absent))},
		"seat-limit":           {stateOf(seat(attrLimit, schema.Absent)), stateOf(seat(attrLimit, text("20000")))},
		"seat-members":         {stateOf(seat(attrMembers, set("ann@acme.com"))), stateOf(seat(attrMembers, set("bob@acme.com")))},
		"seat-members-unknown": {stateOf(seat(attrMembers, unknown)), stateOf(seat(attrMembers, set("bob@acme.com")))},
		"spend-all":            {stateOf(spend(attrLimit, text("100"), attrCeiling, text("1000"), attrPrecedence, text("lowest"))), stateOf(spend(attrLimit, text("200"), attrCeiling, text("2000"), attrPrecedence, text("highest")))},
		"spend-unknown":        {stateOf(spend(attrCeiling, unknown, attrPrecedence, unknown)), stateOf(spend(attrCeiling, text("2000"), attrPrecedence, text("lowest")))},
		"policy-base":          {stateOf(jira(attrPolicy, text("always_allow"), attrToolPolicy, none)), stateOf(jira(attrPolicy, text("needs_approval"), attrToolPolicy, levels("delete", "blocked")))},
		"policy-tools":         {stateOf(jira(attrPolicy, text("always_allow"), attrToolPolicy, levels("delete", "blocked"))), stateOf(jira(attrPolicy, text("always_allow"), attrToolPolicy, levels("search", "needs_approval")))},
		"policy-unknown":       {stateOf(jira(attrPolicy, unknown, attrToolPolicy, unknown)), stateOf(jira(attrPolicy, text("needs_approval"), attrToolPolicy, levels("delete", "blocked", "search", "always_allow")))},
		"mapping-new":          {stateOf(), stateOf(mapping("managed"))},
		"mapping-changed":      {stateOf(mapping("managed")), stateOf(mapping("membership_admin"))},
		"mapping-gone":         {stateOf(mapping("managed")), stateOf()},
		"idp-role":             {stateOf(mode("scim_advanced"), ann("user")), stateOf(mode("scim_advanced"), ann("managed"))},
		"idp-removal":          {stateOf(mode("scim_permissive"), ann("user")), stateOf(mode("scim_permissive"))},
	}
	all := map[string]map[string]schema.Step{}
	for name, tt := range tests {
		all[name] = expand(t, jiraBlock, tt[0], tt[1])
	}
	return all
}

// TestConsoleStepsRead compares what people are asked to do with what they were
// asked before; -update writes it. Each says where, who, what, how long, and
// what shows it.
func TestConsoleStepsRead(t *testing.T) {
	var b strings.Builder
	all := consoleSteps(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "== %s\n", name)
		for _, id := range ids(all[name]) {
			s := all[name][id]
			if s.Console == nil || s.Console.Where == "" || s.Console.By == "" || len(s.Console.Do) == 0 || s.Proof == "" {
				t.Errorf("%s: %s says not everything: %+v", name, id, s)
				continue
			}
			fmt.Fprintf(&b, "%s (%s, in force within %d s)\n  %s\n  %s, by %s\n", s.ID, s.Proof, s.Settle, s.Action, s.Console.Where, s.Console.By)
			for i, do := range s.Console.Do {
				fmt.Fprintf(&b, "    %d. %s\n", i+1, do)
			}
		}
	}
	file := filepath.Join("testdata", "console.golden")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("console steps (-want +got):\n%s", diff)
	}
}

// TestChangesOfOneObjectAreOneSave edits several things of one role and of the
// spending defaults: one visit each.
func TestChangesOfOneObjectAreOneSave(t *testing.T) {
	snap := unreadWorld()
	text := strings.Replace(everythingUnread, `capabilities      = ["chat"]`, "name = \"Foundation\"\n previous_names = [\"base\"]\n capabilities = [\"chat\", \"memory\"]\n admin_permissions = { billing = \"view\" }", 1)
	organization := strings.Replace(strings.Replace(everythingOrganization, `"highest"`, `"lowest"`, 1), "spend_ceiling", "spend_limit { monthly = \"5.00\" }\n spend_ceiling", 1)
	p := planned(t, organization+text, snap, confirmedAll(t, confirmations...))
	want := []string{"role.base/add exact", "spend.organization/defaults attested"}
	if diff := cmp.Diff(want, asked(p)); diff != "" {
		t.Fatalf("steps (-want +got):\n%s", diff)
	}
	wantDo := []string{"Name: change it to Foundation", "Capabilities: switch “Memory” on", "Permissions: Billing to “Can view”", "Leave everything else as it is, and save."}
	if diff := cmp.Diff(wantDo, p.Steps["role.base/add"].Console.Do); diff != "" {
		t.Errorf("the role (-want +got):\n%s", diff)
	}
	wantDo = []string{"Default limit for each member: 5.00 a month.", "Multi-group spend limit: “Lower group limit”", "Save."}
	if diff := cmp.Diff(wantDo, p.Steps["spend.organization/defaults"].Console.Do); diff != "" {
		t.Errorf("the defaults (-want +got):\n%s", diff)
	}
}
