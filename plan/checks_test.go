package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
)

// TestFeatureComesAfterTheMigration checks the order of stages of a migration.
func TestFeatureComesAfterTheMigration(t *testing.T) {
	p := build(t, covered+"feature \"cowork\" { enabled = true }\nmigration {\n wave \"one\" { members = everyone }\n}", org{
		off: []string{"cowork"}, members: map[string]string{"ann@acme.com": "user", "bob@acme.com": "user"}})
	var got []string
	for _, st := range p.Stages {
		got = append(got, fmt.Sprintf("%s %d", st.Phase, len(st.Steps)))
	}
	want := []string{"roles 1", "groups 2", "members 2", "migration 2", "features 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	if s := p.Stages[3].SettleSeconds; s != 900 {
		t.Errorf("%d seconds to settle before the feature, want 900", s)
	}
	if s := p.Stages[4].SettleSeconds; s != 0 {
		t.Errorf("%d seconds to settle at the end, want 0", s)
	}
	if n := p.Summary; n.Steps != 8 || n.ConsoleSteps != 3 || n.Requests != 5 || n.Create != 2 || n.Update != 3 {
		t.Errorf("summary %+v", n)
	}
}

func TestUncoveredMember(t *testing.T) {
	roles := map[string][]string{"base": {"chat"}, "void": {}}
	tests := map[string]struct {
		config string
		live   org
		want   []string
	}{
		"made": {
			"migration {\n wave \"one\" { members = everyone }\n}",
			org{members: map[string]string{"ann@acme.com": "user"}, roles: roles},
			[]string{"uncovered-member error  ann@acme.com"},
		},
		"made-with-a-group-without-role": {
			"migration {\n wave \"one\" { members = everyone }\n}",
			org{members: map[string]string{"ann@acme.com": "user"}, roles: roles, groups: []liveGroup{{name: "g", members: []string{"ann@acme.com"}}}},
			[]string{"uncovered-member error  ann@acme.com"},
		},
		"made-with-a-role-that-gives-nothing": {
			"migration {\n wave \"one\" { members = everyone }\n}",
			org{members: map[string]string{"ann@acme.com": "user"}, roles: roles, groups: []liveGroup{{name: "g", roles: []string{"void"}, members: []string{"ann@acme.com"}}}},
			[]string{"uncovered-member error  ann@acme.com"},
		},
		"covered": {
			"migration {\n wave \"one\" { members = everyone }\n}",
			org{members: map[string]string{"ann@acme.com": "user"}, roles: roles, groups: []liveGroup{{name: "g", roles: []string{"base"}, members: []string{"ann@acme.com"}}}},
			[]string{},
		},
		"made-by-leaving-the-group": {
			"group \"g\" { members = [\"bob@acme.com\"] }\nguard { max_members_losing_access = 9 }",
			org{members: map[string]string{"ann@acme.com": "managed", "bob@acme.com": "managed"}, roles: roles,
				groups: []liveGroup{{name: "g", roles: []string{"base"}, members: []string{"ann@acme.com", "bob@acme.com"}}}},
			[]string{"uncovered-member error  ann@acme.com"},
		},
		"were": {
			"",
			org{members: map[string]string{"ann@acme.com": "managed", "bob@acme.com": "user"}, roles: roles},
			[]string{"uncovered-member warning  ann@acme.com"},
		},
		"will-be-once-the-wave-opens": {
			"migration {\n wave \"one\" {\n members = everyone\n state = \"closed\"\n }\n}",
			org{members: map[string]string{"ann@acme.com": "user"}, roles: roles},
			[]string{"uncovered-member warning  ann@acme.com"},
		},
		"removed-from-the-organization": {
			`member "ann@acme.com" { remove = true }` + "\nguard { max_members_losing_access = 9 }",
			org{members: map[string]string{"ann@acme.com": "managed", "bob@acme.com": "user"}, roles: roles},
			[]string{},
		},
		"owners-need-no-role": {
			"migration {\n wave \"one\" { members = everyone }\n}",
			org{members: map[string]string{"own@acme.com": "owner", "adm@acme.com": "membership_admin"}, roles: roles},
			[]string{},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := build(t, tt.config, tt.live)
			if diff := cmp.Diff(tt.want, findings(p, "uncovered-member")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if blocked := slices.ContainsFunc(tt.want, func(s string) bool { return strings.Contains(s, " error ") }); blocked != (p.Verdict == plan.Blocked) {
				t.Errorf("verdict %s", p.Verdict)
			}
		})
	}
}

func TestCrossRoleConflict(t *testing.T) {
	jira := func(body string) string { return "connector \"jira\" {\n" + body + "\n}\n" }
	def := func(level string) string { return fmt.Sprintf("connector_default = %q\n", level) }
	tests := map[string]struct {
		x, y  string // of the two roles
		more  string // blocks
		apart bool   // nobody has both
		want  []string
		text  string
	}{
		"two-rows-differ": {
			x: jira(`access = "needs_approval"`), y: jira(`access = "always_allow"`),
			want: []string{"cross-role-conflict warning role.x ann@acme.com"}, text: "role.x says needs_approval for connector.jira",
		},
		"two-rows-agree":       {x: jira(`access = "needs_approval"`), y: jira(`access = "needs_approval"`)},
		"nobody-has-both":      {x: jira(`access = "needs_approval"`), y: jira(`access = "always_allow"`), apart: true},
		"different-connectors": {x: jira(`access = "needs_approval"`), y: "connector \"slack\" {\n access = \"always_allow\"\n}\n"},
		"rows-of-one-tool-differ": {
			x: jira(`tools = { search = "always_allow" }`), y: jira(`tools = { search = "needs_approval" }`),
			want: []string{"cross-role-conflict warning role.y ann@acme.com"}, text: "connector.jira.search",
		},
		"rows-of-different-tools": {x: jira(`tools = { search = "always_allow" }`), y: jira(`tools = { create = "needs_approval" }`)},
		"tool-against-connector": {
			x: jira(`tools = { search = "needs_approval" }`), y: jira(`access = "always_allow"`),
			want: []string{"cross-role-conflict warning role.x ann@acme.com"}, text: "connector.jira.search",
		},
		"row-below-the-others-default": {
			x: def("custom") + jira(`access = "needs_approval"`), y: def("always_allow"),
			want: []string{"cross-role-conflict warning role.x ann@acme.com"}, text: "role.y too, which says always_allow",
		},
		"row-above-the-others-default": {x: def("custom") + jira(`access = "always_allow"`), y: def("needs_approval")},
		"base-and-additive":            {x: def("needs_approval"), y: def("custom") + jira(`tools = { search = "always_allow" }`)},
		"additive-and-additive":        {x: def("custom") + jira(`access = "always_allow"`), y: def("custom") + "connector \"slack\" {\n access = \"needs_approval\"\n}\n"},
		"defaults-differ": {
			x: def("needs_approval"), y: def("always_allow"),
			want: []string{"cross-role-conflict warning role.x ann@acme.com"}, text: "role.x says needs_approval for connector,",
		},
		"defaults-agree":      {x: def("needs_approval"), y: def("needs_approval")},
		"default-custom":      {x: def("custom"), y: def("always_allow")},
		"nothing-said":        {x: "", y: def("always_allow")},
		"capabilities-differ": {x: "", y: ""},
		"default-that-a-row-replaces": { // role.y says of jira what role.x says, whatever its default is
			x: def("custom") + jira(`access = "always_allow"`), y: def("needs_approval") + jira(`access = "always_allow"`)},
		"blocked-against-always-allow": {
			x: def("custom") + jira(`access = "blocked"`), y: def("custom") + jira(`access = "always_allow"`),
			want: []string{"cross-role-conflict warning role.x ann@acme.com"}, text: "role.x says blocked for connector.jira",
		},
		"default-blocked-against-always-allow": {
			x: def("blocked"), y: def("always_allow"),
			want: []string{"cross-role-conflict warning role.x ann@acme.com"}, text: "role.x says blocked",
		},
		"severity-error": {
			x: jira(`access = "needs_approval"`), y: jira(`access = "always_allow"`), more: `rule "cross-role-conflict" { severity = "error" }`,
			want: []string{"cross-role-conflict error role.x ann@acme.com"},
		},
		"severity-info": {
			x: jira(`access = "needs_approval"`), y: jira(`access = "always_allow"`), more: `rule "cross-role-conflict" { severity = "info" }`,
			want: []string{"cross-role-conflict info role.x ann@acme.com"},
		},
		"severity-off": {x: jira(`access = "needs_approval"`), y: jira(`access = "always_allow"`), more: `rule "cross-role-conflict" { severity = "off" }`},
		"ignored-connector": {
			x: jira(`access = "needs_approval"`), y: jira(`access = "always_allow"`), more: `rule "cross-role-conflict" { ignore = [connector.jira] }`},
		"ignored-connector-of-a-tool": {
			x: jira(`tools = { search = "always_allow" }`), y: jira(`tools = { search = "needs_approval" }`), more: `rule "cross-role-conflict" { ignore = [connector.jira] }`},
		"ignored-role": {
			x: jira(`access = "needs_approval"`), y: jira(`access = "always_allow"`), more: `rule "cross-role-conflict" { ignore = [role.y] }`},
		"ignored-other-connector": {
			x: jira(`access = "needs_approval"`), y: jira(`access = "always_allow"`), more: `rule "cross-role-conflict" { ignore = [connector.slack] }`,
			want: []string{"cross-role-conflict warning role.x ann@acme.com"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config := header + "connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"search\", \"create\"]\n}\nconnector \"slack\" {\n id = \"mcpsrv_slack\"\n}\n" +
				"role \"x\" {\n capabilities = [\"chat\"]\n" + tt.x + "}\nrole \"y\" {\n capabilities = [\"memory\"]\n" + tt.y + "}\n" +
				"group \"x\" {\n roles = [role.x]\n members = [\"ann@acme.com\", \"usr@acme.com\"]\n}\ngroup \"y\" {\n roles = [role.y]\n members = %s\n}\n" + tt.more
			both := `["ann@acme.com", "usr@acme.com"]`
			if tt.apart {
				both = `["bob@acme.com", "usr@acme.com"]`
			}
			p := build(t, fmt.Sprintf(config, both), org{members: map[string]string{"ann@acme.com": "managed", "bob@acme.com": "managed", "usr@acme.com": "user"}})
			if diff := cmp.Diff(append([]string{}, tt.want...), findings(p, "cross-role-conflict")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			for _, f := range p.Findings {
				if f.Rule == "cross-role-conflict" && !strings.Contains(f.Message, tt.text) {
					t.Errorf("message %q, want %q in it", f.Message, tt.text)
				}
			}
		})
	}
}

func TestFeatureReachesUnmigrated(t *testing.T) {
	const roles = "role \"extra\" {\n capabilities = [\"cowork\"]\n connector_default = \"custom\"\n}\ngroup \"extra\" {\n roles = [role.extra]\n members = [\"ann@acme.com\"]\n}\n"
	tests := map[string]struct {
		config string
		want   []string
	}{
		"somebody-in-no-wave": {roles + "feature \"cowork\" { enabled = true }\nmigration {\n wave \"one\" { members = [\"ann@acme.com\"] }\n}",
			[]string{"feature-reaches-unmigrated error feature.cowork bob@acme.com"}},
		"everybody-in-a-wave":                 {roles + "feature \"cowork\" { enabled = true }\nmigration {\n wave \"one\" { members = everyone }\n}", []string{}},
		"no-role-grants-it":                   {"feature \"cowork\" { enabled = true }\nmigration {\n wave \"one\" { members = [\"ann@acme.com\"] }\n}", []string{}},
		"no-migration-at-all":                 {roles + "feature \"cowork\" { enabled = true }", []string{}},
		"feature-that-is-on-already":          {roles + "feature \"memory\" { enabled = true }\nmigration {\n wave \"one\" { members = [\"ann@acme.com\"] }\n}", []string{}},
		"feature-that-is-switched-off":        {roles + "feature \"memory\" { enabled = false }\nmigration {\n wave \"one\" { members = [\"ann@acme.com\"] }\n}", []string{}},
		"switched-off-by-rule":                {roles + "rule \"feature-reaches-unmigrated\" { severity = \"off\" }\nfeature \"cowork\" { enabled = true }\nmigration {\n wave \"one\" { members = [\"ann@acme.com\"] }\n}", []string{}},
		"somebody-in-no-wave-and-others-wait": {roles + "feature \"cowork\" { enabled = true }\nmigration {\n wave \"one\" {\n members = [\"ann@acme.com\"]\n state = \"closed\"\n }\n}", []string{"feature-reaches-unmigrated error feature.cowork bob@acme.com"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := build(t, covered+tt.config, org{off: []string{"cowork"},
				members: map[string]string{"ann@acme.com": "user", "bob@acme.com": "user", "own@acme.com": "owner"}})
			if diff := cmp.Diff(tt.want, findings(p, "feature-reaches-unmigrated")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGroupLimit(t *testing.T) {
	tests := map[string]struct {
		described, live int
		want            []string
	}{
		"at-the-limit":           {100, 0, []string{}},
		"above-the-limit":        {101, 0, []string{"group-limit error group.g[\"99\"]"}},
		"live-ones-count":        {98, 2, []string{}},
		"live-ones-count-beyond": {99, 2, []string{"group-limit error group.g[\"98\"]"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var live []liveGroup
			for i := range tt.live {
				live = append(live, liveGroup{name: fmt.Sprintf("other %d", i)})
			}
			p := build(t, fmt.Sprintf("group \"g\" {\n for_each = toset([for i in range(%d) : tostring(i)])\n}", tt.described), org{groups: live})
			if diff := cmp.Diff(tt.want, findings(p)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnreadIsNeverADifference(t *testing.T) {
	live := org{members: map[string]string{"ann@acme.com": "managed"}, roles: map[string][]string{"base": {"chat"}},
		groups: []liveGroup{{name: "all", unread: true, members: []string{"ann@acme.com"}}}}
	t.Run("asked", func(t *testing.T) {
		p := build(t, covered, live)
		if p.Verdict != plan.Undetermined {
			t.Errorf("verdict %s, want undetermined", p.Verdict)
		}
		if steps := stepIDs(p, false); len(steps) > 0 {
			t.Errorf("steps rest on what could not be read: %v", steps)
		}
		if diff := cmp.Diff([]string{"unread warning "}, findings(p, "unread")); diff != "" {
			t.Errorf("findings (-want +got):\n%s", diff)
		}
		if len(p.Unread) != 1 || !strings.Contains(p.Unread[0].What, "group.all") || p.Unread[0].Why == "" {
			t.Errorf("unread %+v", p.Unread)
		}
	})
	t.Run("not-asked", func(t *testing.T) {
		p := build(t, `group "all" {}`, live)
		if p.Verdict != plan.NoChanges || len(findings(p, "unread")) > 0 {
			t.Errorf("verdict %s, findings %v", p.Verdict, findings(p))
		}
	})
	t.Run("unknown-level-is-shown-as-such", func(t *testing.T) {
		p := build(t, `member "ann@acme.com" { remove = true }`+"\nguard { max_members_losing_access = 1 }", live)
		for _, c := range p.Access {
			if c.Permission == "capability.chat" && c.From != "unknown" {
				t.Errorf("%s was %s, want unknown", c.Permission, c.From)
			}
		}
		if len(p.Access) == 0 {
			t.Error("no change of access")
		}
	})
}
