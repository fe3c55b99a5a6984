package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers/claude"
)

// pictures returns the live and the desired picture of a configuration over a
// live organization.
func pictures(t *testing.T, config string, o org) (live, desired *plan.Picture) {
	t.Helper()
	c := load(t, config)
	s := claude.New(c)
	d, diags := s.Describe()
	if diags.HasErrors() {
		t.Fatalf("description: %v", diags)
	}
	return plan.Pictures(plan.Input{Config: c, Description: d, System: s, Live: s.State(o.snapshot()), Version: "test",
		Now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)})
}

func explain(t *testing.T, p *plan.Picture, email, key string) *plan.Explanation {
	t.Helper()
	m, err := p.Member(email)
	if err != nil {
		t.Fatal(err)
	}
	topic, err := p.Topic(key)
	if err != nil {
		t.Fatal(err)
	}
	return p.Explain(m, topic)
}

// TestExplain has each reason in the words that people read.
func TestExplain(t *testing.T) {
	const role = "role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n}\n"
	tests := map[string]struct {
		config, key   string
		standing      string
		off           []string
		answer, cause string
		text, flip    string
	}{
		"no-group": {role + "group \"g\" {\n roles = [role.base]\n members = []\n}", "capability.chat", "managed", nil, "no", "no-group",
			"they are in none", `add "ann@acme.com" to members of group.g`},
		"no-role": {role + "group \"g\" {\n roles = []\n members = [\"ann@acme.com\"]\n}\ngroup \"h\" {\n roles = [role.base]\n members = []\n}", "capability.chat", "managed", nil, "no", "no-source",
			"nothing is attached to it", `add "ann@acme.com" to members of group.h`},
		"not-granted": {role + "group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n}", "capability.memory", "managed", nil, "no", "not-granted",
			"all they have is role.base", `add "memory" to capabilities of role.base`},
		"feature-off": {role + "group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n}\nfeature \"chat\" { enabled = false }", "capability.chat", "managed", nil, "no", "organization",
			"feature.chat", `write enabled = true in feature.chat`},
		"granted": {role + "group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n}", "capability.chat", "managed", nil, "yes", "",
			"through group.g, which has role.base", `take `},
		"by-standing": {"feature \"chat\" { enabled = true }", "capability.chat", "user", nil, "yes", "",
			"it comes with the organization role user", `write enabled = false in feature.chat`},
		"administration": {role, "admin.billing", "user", nil, "no", "not-granted", "groups do not count for them", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, p := pictures(t, tt.config, org{off: tt.off, members: map[string]string{"ann@acme.com": tt.standing, "bob@acme.com": "managed"}})
			e := explain(t, p, "ann@acme.com", tt.key)
			if e.Answer != tt.answer || e.Cause != tt.cause || !strings.Contains(e.Text, tt.text) {
				t.Errorf("%s because %q: %s\nwant %s because %q: …%s…", e.Answer, e.Cause, e.Text, tt.answer, tt.cause, tt.text)
			}
			flip := ""
			for _, f := range e.Flip {
				flip += f.Text
			}
			if !strings.Contains(flip, tt.flip) || tt.flip == "" && flip != "" {
				t.Errorf("to turn it around: %q, want %q in it", flip, tt.flip)
			}
		})
	}
}

// TestTestBlocks has each assertion hold, fail and be undecided.
func TestTestBlocks(t *testing.T) {
	const base = "connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"a\", \"b\"]\n}\n" +
		"role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n connector \"jira\" {\n tools = { a = \"needs_approval\" }\n }\n}\n" +
		"group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n}\nmember \"ann@acme.com\" {\n spend_limit { monthly = \"50\" }\n}\n"
	unread := []liveGroup{{name: "dark", unread: true, members: []string{"ann@acme.com"}}}
	tests := map[string]struct {
		test   string
		groups []liveGroup
		want   string // outcome
		text   string
	}{
		"can":                    {test: `can = ["capability.chat", "connector.jira.a"]`, want: "passed"},
		"can-some-tool":          {test: `can = ["connector.jira"]`, want: "passed"},
		"can-not-granted":        {test: `can = ["capability.memory"]`, want: "failed", text: "all they have is role.base"},
		"cannot":                 {test: `cannot = ["capability.memory", "connector.jira.b"]`, want: "passed"},
		"cannot-any-tool":        {test: `cannot = ["connector.jira"]`, want: "failed", text: "connector.jira"},
		"cannot-granted":         {test: `cannot = ["capability.chat"]`, want: "failed", text: "through group.g, which has role.base"},
		"cannot-what-comes-next": {test: `cannot = ["capability.tomorrow", "connector.tomorrow.t"]`, want: "passed"},
		"at-most":                {test: `at_most = { "connector.jira.a" = "needs_approval" }`, want: "passed"},
		"at-most-broken":         {test: `at_most = { "connector.jira.a" = "blocked" }`, want: "failed", text: "at needs_approval"},
		"at-most-no-such-level":  {test: `at_most = { "connector.jira.a" = "sometimes" }`, want: "failed", text: "has no level"},
		"spend":                  {test: `spend_at_most = { monthly = "50.00" }`, want: "passed"},
		"spend-broken":           {test: `spend_at_most = { monthly = "49.99" }`, want: "failed", text: "50.00"},
		"undecided":              {test: `cannot = ["capability.memory"]`, groups: unread, want: "undetermined", text: "could not be read"},
		"decided-all-the-same":   {test: `can = ["capability.chat"]`, groups: unread, want: "passed"},
		"no-such-permission":     {test: `can = ["admin.bilking"]`, want: "failed", text: "did you mean admin.billing"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			live := org{members: map[string]string{"ann@acme.com": "managed"}, groups: tt.groups, roles: map[string][]string{"other": {"saffron"}}}
			config := base + "test \"x\" {\n who = [group.g]\n" + tt.test + "\n}\n"
			_, p := pictures(t, config, live)
			results := p.Test()
			if len(results) != 1 || results[0].Outcome != tt.want || results[0].People != 1 {
				t.Fatalf("results %+v, want %s", results, tt.want)
			}
			for _, f := range results[0].Failures {
				if !strings.Contains(f.Because, tt.text) || f.Range == nil {
					t.Errorf("because %q at %v, want %q in it", f.Because, f.Range, tt.text)
				}
			}
			failed := findings(build(t, config, live), "test-failed")
			if (tt.want != "passed") != (len(failed) == 1) {
				t.Errorf("a plan finds %v", failed)
			}
		})
	}
	t.Run("nobody", func(t *testing.T) {
		p := build(t, base+"test \"x\" {\n who = []\n can = [\"capability.chat\"]\n}\n", org{members: map[string]string{"ann@acme.com": "managed"}})
		if diff := cmp.Diff([]string{"test-failed warning "}, findings(p, "test-failed")); diff != "" {
			t.Errorf("findings (-want +got):\n%s", diff)
		}
	})
}

// TestChecksFireAndStaySilent has, for checks that every system has, a case in
// which it fires and one beside it in which it does not.
func TestChecksFireAndStaySilent(t *testing.T) {
	const g = "group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n}\n"
	const role = "role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n}\n"
	ann := org{members: map[string]string{"ann@acme.com": "managed"}, roles: map[string][]string{"base": {"chat"}},
		groups: []liveGroup{{name: "g", roles: []string{"base"}, members: []string{"ann@acme.com"}}}}
	with := func(change func(*org)) org {
		o := org{members: map[string]string{"ann@acme.com": "managed"}, roles: ann.roles, groups: slices.Clone(ann.groups)}
		change(&o)
		return o
	}
	jira := func(policy, access string) string {
		return "connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"t\"]\n policy = \"" + policy + "\"\n}\nrole \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n connector \"jira\" {\n tools = { t = \"" + access + "\" }\n }\n}\n" + g
	}
	tests := map[string]struct {
		fires, silent        string
		fireLive, silentLive org
		want                 string
	}{
		"void-grant":       {fires: jira("needs_approval", "always_allow"), silent: jira("always_allow", "always_allow"), fireLive: ann, silentLive: ann, want: "void-grant warning role.base"},
		"disabled-feature": {fires: role + g + "feature \"memory\" { enabled = false }\nrole \"m\" {\n capabilities = [\"memory\"]\n}\ngroup \"m\" {\n roles = [role.m]\n members = [\"ann@acme.com\"]\n}", silent: role + g, fireLive: ann, silentLive: ann, want: "disabled-feature warning role.m"},
		"redundant":        {fires: role + g + "role \"again\" {\n capabilities = [\"chat\"]\n}\ngroup \"h\" {\n roles = [role.again]\n members = [\"ann@acme.com\"]\n}", silent: role + g, fireLive: ann, silentLive: ann, want: "redundant info role.again"},
		"custom-role-without-effect": {fires: role + g, silent: role + g, fireLive: with(func(o *org) { o.members = map[string]string{"ann@acme.com": "user"} }), silentLive: ann,
			want: "custom-role-without-effect warning group.g ann@acme.com"},
		"exclusive-groups": {fires: role + g + "group \"h\" {\n members = [\"ann@acme.com\"]\n}\nexclusive \"x\" {\n groups = [group.g, group.h]\n}", silent: role + g + "group \"h\" {\n members = []\n}\nexclusive \"x\" {\n groups = [group.g, group.h]\n required = true\n}",
			fireLive: ann, silentLive: ann, want: "exclusive-groups error  ann@acme.com"},
		"individual-limit-overrides": {fires: role + "group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n spend_limit { monthly = \"10\" }\n}\nmember \"ann@acme.com\" {\n spend_limit { monthly = \"20\" }\n}",
			silent: role + g + "member \"ann@acme.com\" {\n spend_limit { monthly = \"20\" }\n}", fireLive: ann, silentLive: ann, want: "individual-limit-overrides warning group.g ann@acme.com"},
		"expiring": {fires: role + g + "accept \"redundant\" {\n reason = \"x\"\n expires = \"2026-12-01\"\n}", silent: role + g + "accept \"redundant\" {\n reason = \"x\"\n expires = \"2027-12-01\"\n}", fireLive: ann, silentLive: ann, want: "expiring warning "},
		"tag-address": {fires: role + g, silent: role + g, fireLive: with(func(o *org) { o.members["ann+x@acme.com"] = "user" }), silentLive: with(func(o *org) { o.members["bob+x@acme.com"] = "user" }),
			want: `tag-address info member["ann+x@acme.com"] ann+x@acme.com,ann@acme.com`},
		"scim-group-unused": {fires: role + g, silent: role + g, fireLive: with(func(o *org) { o.groups = append(o.groups, liveGroup{name: "idp", scim: true, id: "rbac_group_2"}) }),
			silentLive: ann, want: "scim-group-unused info group.idp"},
		"joiner-uncovered": {fires: role + g + "migration {\n wave \"w\" { members = everyone }\n}", silent: role + "group \"g\" {\n roles = [role.base]\n members = everyone\n}\nmigration {\n wave \"w\" { members = everyone }\n}",
			fireLive: ann, silentLive: ann, want: "joiner-uncovered warning "},
		"widening-removal": {fires: role + "group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n spend_limit { inherit = true }\n}", silent: role + g,
			fireLive: with(func(o *org) { o.limits = map[string]string{"g": "1000"} }), silentLive: with(func(o *org) { o.limits = map[string]string{"g": "1000"} }), want: "widening-removal warning group.g ann@acme.com"},
		"permissive-default": {fires: role + g + "role \"new\" {\n capabilities = []\n connector_default = \"always_allow\"\n}", silent: role + g + "role \"new\" {\n capabilities = []\n connector_default = \"needs_approval\"\n}",
			fireLive: ann, silentLive: ann, want: "permissive-default warning role.new"},
		"new-connector-exposure": {fires: "role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"always_allow\"\n}\n" + g, silent: "role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"needs_approval\"\n}\n" + g,
			fireLive: ann, silentLive: ann, want: "new-connector-exposure warning role.base ann@acme.com"},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			p := build(t, tt.fires, tt.fireLive)
			if diff := cmp.Diff([]string{tt.want}, findings(p, rule)); diff != "" {
				t.Errorf("where it fires (-want +got):\n%s", diff)
			}
			for _, f := range p.Findings {
				if f.Rule == rule && (f.Message == "" || f.Fix == "") {
					t.Errorf("no message or no fix: %+v", f)
				}
			}
			if got := findings(build(t, tt.silent, tt.silentLive), rule); len(got) > 0 {
				t.Errorf("where it is silent: %v", got)
			}
		})
	}
}

// TestAuthorGains names who wrote the change, and stays silent for others.
func TestAuthorGains(t *testing.T) {
	const config = "role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n}\ngroup \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n}\n"
	for author, want := range map[string][]string{"Ann@acme.com": {"author-gains warning  ann@acme.com"}, "bob@acme.com": {}, "": {}, "else@acme.com": {}} {
		c := load(t, config)
		s := claude.New(c)
		d, _ := s.Describe()
		p, err := plan.Build(plan.Input{Config: c, Description: d, System: s, Version: "test", Author: author,
			Live: s.State(org{members: map[string]string{"ann@acme.com": "managed", "bob@acme.com": "managed"}}.snapshot())})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, findings(p, "author-gains")); diff != "" {
			t.Errorf("author %q (-want +got):\n%s", author, diff)
		}
	}
}

// TestCompare finds a refactoring equal, and of a change the smallest example.
func TestCompare(t *testing.T) {
	input := func(config string) plan.Input {
		c := load(t, config)
		s := claude.New(c)
		d, diags := s.Describe()
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return plan.Input{Config: c, Description: d, System: s, Live: plan.Population(s, d, []string{"ann@acme.com", "bob@acme.com"})}
	}
	const one = "role \"base\" {\n capabilities = [\"chat\", \"memory\"]\n connector_default = \"custom\"\n}\ngroup \"g\" {\n roles = [role.base]\n members = everyone\n}\n"
	const two = "role \"a\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n}\nrole \"b\" {\n capabilities = [\"memory\"]\n connector_default = \"custom\"\n}\ngroup \"h\" {\n roles = [role.a, role.b]\n members = everyone\n}\n"
	a, b := plan.Against(input(one), input(two))
	if c := plan.Compare(a, b); !c.Equal || c.Members != 2 {
		t.Errorf("a refactoring is not equal: %+v", c)
	}
	a, b = plan.Against(input(one), input(strings.Replace(two, "members = everyone", `members = ["ann@acme.com"]`, 1)))
	c := plan.Compare(a, b)
	if c.Equal || c.Differ != 1 || c.Example == nil || c.Example.Member != "bob@acme.com" || c.Example.Old.Answer != "yes" || c.Example.New.Answer != "no" {
		t.Errorf("comparison %+v, example %+v", c, c.Example)
	}
	if back := plan.Compare(b, a); back.Equal || back.Differ != 1 { // what is gained differs as well as what is lost
		t.Errorf("the other way round: %+v", back)
	}
}
