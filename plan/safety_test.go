package plan_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers/claude"
)

// trade is a change that has no safe order: role r moves from group p to q,
// ann in both keeps what it grants, bob moves from q to p and never has it.
const trade = `
role "r" {
  capabilities = ["memory"]
}
role "c" {
  capabilities = ["chat"]
}
group "p" {
  roles   = [role.c]
  members = ["ann@acme.com", "bob@acme.com"]
}
group "q" {
  roles   = [role.c, role.r]
  members = ["ann@acme.com"]
}
guard {
  max_members_losing_access = "100%"
}
`

func tradeOrg() org {
	return org{
		roles: map[string][]string{"r": {"saffron"}, "c": {"chat"}},
		groups: []liveGroup{
			{name: "p", roles: []string{"r", "c"}, members: []string{"ann@acme.com"}},
			{name: "q", roles: []string{"c"}, members: []string{"ann@acme.com", "bob@acme.com"}},
		},
		members: map[string]string{"ann@acme.com": "managed", "bob@acme.com": "managed", "cyd@acme.com": "user"},
	}
}

// TestRefusesWhatHasNoSafeOrder: neither a rule, nor an acceptance, nor a
// closed wave that has nothing to do with it lets such a plan through.
func TestRefusesWhatHasNoSafeOrder(t *testing.T) {
	tests := map[string]struct {
		more   string
		accept []string
	}{
		"alone":                    {},
		"rule-off":                 {more: "rule \"unsafe-order\" {\n severity = \"off\"\n}\n"},
		"accepted":                 {accept: []string{"unsafe-order"}},
		"beside-an-unrelated-wave": {more: "group \"x\" {\n roles = [role.c]\n members = [\"cyd@acme.com\"]\n}\nmigration {\n wave \"later\" {\n members = [\"cyd@acme.com\"]\n state = \"closed\"\n }\n}\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := build(t, trade+tt.more, tradeOrg(), tt.accept...)
			if p.Verdict != plan.Blocked || len(p.Unsafe) == 0 {
				t.Errorf("verdict %s with %d unsafe steps, want blocked: %v", p.Verdict, len(p.Unsafe), findings(p))
			}
			for _, st := range p.Stages {
				if strings.Contains(st.HeldWhy, "is safe only after") {
					t.Errorf("steps are held for a wave that does not help them: %s", st.HeldWhy)
				}
			}
		})
	}
}

// TestGuardsAreNotSwitchedOffTogether: guards and protection are passed one at
// a time and by name.
func TestGuardsAreNotSwitchedOffTogether(t *testing.T) {
	o := org{
		roles:   map[string][]string{"c": {"chat", "saffron"}},
		groups:  []liveGroup{{name: "g", roles: []string{"c"}, members: []string{"ann@acme.com", "bob@acme.com"}}},
		members: map[string]string{"ann@acme.com": "managed", "bob@acme.com": "managed"},
	}
	config := "role \"c\" {\n capabilities = [\"chat\"]\n}\ngroup \"g\" {\n roles = [role.c]\n}\n" +
		"guard {\n protected = [\"ann@acme.com\"]\n}\n"
	for _, more := range []string{"", "rule \"guard-exceeded\" {\n severity = \"off\"\n}\nrule \"protected-loses\" {\n severity = \"info\"\n}\n"} {
		p := build(t, config+more, o)
		want := []string{"guard-exceeded error  ann@acme.com,bob@acme.com", "protected-loses error  ann@acme.com"}
		if diff := cmp.Diff(want, findings(p, "guard-exceeded", "protected-loses")); diff != "" || p.Verdict != plan.Blocked {
			t.Errorf("verdict %s, findings (-want +got):\n%s", p.Verdict, diff)
		}
	}
	p := build(t, config, o, "guard.max_members_losing_access", "protected-loses")
	if p.Verdict != plan.Changes {
		t.Errorf("verdict %s after both were accepted by name: %v", p.Verdict, findings(p))
	}
}

// TestProtectsWhoeverIsDescribed: a protected group that is still to be
// created protects the people it will have.
func TestProtectsWhoeverIsDescribed(t *testing.T) {
	p := build(t, "role \"c\" {\n capabilities = []\n}\ngroup \"g\" {\n roles = [role.c]\n}\ngroup \"vip\" {\n members = [\"ann@acme.com\"]\n}\n"+
		"guard {\n protected = group.vip.members\n max_members_losing_access = \"100%\"\n}\n", org{
		roles:   map[string][]string{"c": {"chat"}},
		groups:  []liveGroup{{name: "g", roles: []string{"c"}, members: []string{"ann@acme.com"}}},
		members: map[string]string{"ann@acme.com": "managed"},
	})
	if diff := cmp.Diff([]string{"protected-loses error  ann@acme.com"}, findings(p, "protected-loses")); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestWavesExplainOnlyWhatTheyDo: moving somebody to custom roles explains
// what they lose by that, not a limit that is cut at the same time.
func TestWavesExplainOnlyWhatTheyDo(t *testing.T) {
	o := org{
		roles:   map[string][]string{"c": {"chat"}},
		groups:  []liveGroup{{name: "g", roles: []string{"c"}, members: []string{"ann@acme.com"}}},
		members: map[string]string{"ann@acme.com": "user"},
	}
	config := "migration {\n wave \"all\" {\n members = everyone\n }\n}\n"
	if p := build(t, config, o); p.Verdict != plan.Changes || p.Summary.MembersLosing != 1 {
		t.Errorf("verdict %s, %d lose something: %v", p.Verdict, p.Summary.MembersLosing, findings(p))
	}
	p := build(t, config+"member \"ann@acme.com\" {\n spend_limit {\n monthly = 1\n }\n}\n", o)
	if diff := cmp.Diff([]string{"guard-exceeded error  ann@acme.com"}, findings(p, "guard-exceeded")); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestEachLiveObjectIsMeantOnce: two blocks that come to the same live object
// by different ways are an error, not a creation and a rename.
func TestEachLiveObjectIsMeantOnce(t *testing.T) {
	o := org{groups: []liveGroup{{name: "Alpha"}}}
	tests := map[string]struct {
		config   string
		changes  []string
		findings []string
	}{
		"id-and-name": {
			"group \"a\" {\n id = \"rbac_group_Alpha\"\n name = \"Beta\"\n}\ngroup \"b\" {\n name = \"Alpha\"\n}\n",
			nil, []string{"duplicate-name error group.b"},
		},
		"name-before-earlier-name": {
			"group \"a\" {\n name = \"Beta\"\n previous_names = [\"Alpha\"]\n}\ngroup \"b\" {\n name = \"Alpha\"\n}\n",
			[]string{"create group.a"}, nil,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := build(t, tt.config, o)
			if diff := cmp.Diff(append([]string{}, tt.findings...), findings(p)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if tt.changes != nil {
				if diff := cmp.Diff(tt.changes, changes(p)); diff != "" {
					t.Errorf("changes (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestSamePersonUnderAnEarlierAddress: who is listed by a new address and is
// live under an earlier one is the same member, in groups and waves too.
func TestSamePersonUnderAnEarlierAddress(t *testing.T) {
	p := build(t, "member \"jane@acme.com\" {\n previous_emails = [\"jane@old.com\"]\n}\nrole \"c\" {\n capabilities = [\"chat\"]\n}\n"+
		"group \"g\" {\n roles = [role.c]\n members = [\"jane@acme.com\"]\n}\nmigration {\n wave \"one\" {\n groups = [group.g]\n }\n}\n", org{
		roles: map[string][]string{"c": {"chat"}}, groups: []liveGroup{{name: "g"}},
		members: map[string]string{"jane@old.com": "user"},
	})
	if diff := cmp.Diff([]string{}, findings(p)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	want := []string{`group.g/join/jane@old.com`, `role.c/attach`, `member["jane@old.com"]/organization_role`}
	got := stepIDs(p, false)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// TestUnknownSwitchIsNotBelievedToBeOff: a capability whose feature cannot be
// read is granted by a step, not taken for granted already.
func TestUnknownSwitchIsNotBelievedToBeOff(t *testing.T) {
	o := org{dark: true, roles: map[string][]string{"c": {"chat"}}, groups: []liveGroup{{name: "g", roles: []string{"c"}}}}
	p := build(t, "role \"c\" {\n capabilities = [\"chat\", \"claude_code\"]\n}\n", o)
	if diff := cmp.Diff([]string{"role.c/add"}, stepIDs(p, false)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// TestWhatNoReadShowsIsSaid: a level under a role's default has no row, so it
// is never silently taken as done.
func TestWhatNoReadShowsIsSaid(t *testing.T) {
	p := build(t, "connector \"jira\" {\n id = \"mcpsrv_jira\"\n}\nrole \"c\" {\n capabilities = [\"chat\"]\n connector_default = \"needs_approval\"\n connector \"jira\" {\n access = \"blocked\"\n }\n}\n",
		org{roles: map[string][]string{"c": {"chat", "use@all"}}})
	if diff := cmp.Diff([]string{"unverified warning role.c"}, findings(p)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if len(p.Unread) != 1 || !strings.Contains(p.Findings[0].Fix, "jira on “Blocked”") {
		t.Errorf("unread %v, fix %q", p.Unread, p.Findings[0].Fix)
	}
}

// TestExceptionsComeWithTheDefault: a default that is raised opens every
// connector, so those that are held under it are part of the same save.
func TestExceptionsComeWithTheDefault(t *testing.T) {
	p := build(t, "connector \"jira\" {\n id = \"mcpsrv_jira\"\n}\nrole \"c\" {\n capabilities = [\"chat\"]\n connector_default = \"needs_approval\"\n connector \"jira\" {\n access = \"blocked\"\n }\n}\n",
		org{roles: map[string][]string{"c": {"chat"}}, groups: []liveGroup{{name: "g", roles: []string{"c"}, members: []string{"ann@acme.com"}}},
			members: map[string]string{"ann@acme.com": "managed"}})
	if diff := cmp.Diff([]string{"role.c/add"}, stepIDs(p, false)); diff != "" {
		t.Fatalf("steps (-want +got):\n%s", diff)
	}
	do := strings.Join(p.Steps["role.c/add"].Console.Do, "\n")
	if !strings.Contains(do, "“All connectors” to “Needs approval”") || !strings.Contains(do, "jira to “Blocked”") {
		t.Errorf("the step says:\n%s", do)
	}
	for _, a := range p.Access {
		if strings.HasPrefix(a.Permission, "connector.jira") {
			t.Errorf("%s changes to %s", a.Permission, a.To)
		}
	}
}

// TestSpendDefaultOfTheOrganization: a limit above the default is a raise.
func TestSpendDefaultOfTheOrganization(t *testing.T) {
	o := org{members: map[string]string{"ann@acme.com": "user"}}
	snap := o.snapshot()
	amount := "10000"
	snap.SpendLimits = append(snap.SpendLimits, claude.SpendLimit{ID: "spl_org", ScopeType: "organization", Amount: &amount, Period: "monthly"})
	p, err := tryBuild(t, "member \"ann@acme.com\" {\n spend_limit {\n monthly = 500\n }\n}\n", snap)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Limits) != 1 || p.Limits[0].From != "10000" || p.Limits[0].To != "50000" || p.Limits[0].Direction != "raise" {
		t.Errorf("limits: %+v", p.Limits)
	}
	if diff := cmp.Diff([]string{"guard-exceeded error "}, findings(p)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestUnreadPlansAreDeterministic builds a plan with unreadable roles many
// times.
func TestUnreadPlansAreDeterministic(t *testing.T) {
	o := org{
		roles: map[string][]string{"a": {"chat", "always_allow@all"}, "b": {"use@all"}},
		groups: []liveGroup{
			{name: "dark", unread: true, members: nil},
			{name: "ask", roles: []string{"b"}, members: nil},
		},
		members: map[string]string{"ann@acme.com": "managed", "bob@acme.com": "managed"},
	}
	config := "group \"dark\" {\n members = [\"ann@acme.com\", \"bob@acme.com\"]\n}\ngroup \"ask\" {\n members = [\"bob@acme.com\"]\n}\n"
	var first []byte
	for i := range 30 {
		b, err := build(t, config, o).JSON()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = b
		} else if !bytes.Equal(first, b) {
			t.Fatalf("build %d differs", i+1)
		}
	}
	seen := map[string]bool{}
	for _, a := range build(t, config, o).Access {
		k := fmt.Sprint(a.Permission, a.From, a.To, a.Direction)
		if seen[k] {
			t.Errorf("two entries for %s from %s to %s", a.Permission, a.From, a.To)
		}
		seen[k] = true
	}
}

// TestNeedsOfAHeldStep: what needs a step that is held is held too, also if
// the held step changes nobody's access.
func TestNeedsOfAHeldStep(t *testing.T) {
	create := step("create")
	create.held = "waits"
	follow := step("join", join(cyd, "group.r"))
	follow.needs = []string{"create"}
	s, at := schedule(t, []namedStep{create, follow}, named(func(w *world) { w.in[[2]string{cyd, "group.r"}] = false }))
	if len(at) != 0 || len(s.Held) != 2 || len(s.Stuck) != 0 {
		t.Errorf("scheduled %v, held %v, stuck %v", at, s.Held, s.Stuck)
	}
}
