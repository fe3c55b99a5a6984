package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
)

// shrinking is a group of n members of whom k leave, all of whom keep a role.
func shrinking(n, k int, guard string) (string, org) {
	members := people(n)
	all := addresses(members)
	o := org{members: members, roles: map[string][]string{"base": {"chat"}, "more": {"saffron"}},
		groups: []liveGroup{{name: "base", roles: []string{"base"}, members: all}, {name: "more", roles: []string{"more"}, members: all}}}
	return fmt.Sprintf("group \"more\" { members = %s }\nguard {\n%s\n}", quoteAll(all[k:]), guard), o
}

func TestGuards(t *testing.T) {
	lax := map[string]string{"max_members_losing_access": `"100%"`, "max_removals": "1000", "max_group_shrink": `"100%"`}
	guardText := func(name, value string) string {
		var lines []string
		for k, v := range lax {
			if k != name {
				lines = append(lines, k+" = "+v)
			}
		}
		if value != "" {
			lines = append(lines, name+" = "+value)
		}
		return strings.Join(lines, "\n")
	}
	tests := map[string]struct {
		guard, value string
		members, go_ int
		ok           bool
		is           string
	}{
		"losing-number-below":    {"max_members_losing_access", "3", 20, 2, true, "2"},
		"losing-number-at":       {"max_members_losing_access", "3", 20, 3, true, "3"},
		"losing-number-above":    {"max_members_losing_access", "3", 20, 4, false, "4"},
		"losing-share-below":     {"max_members_losing_access", `"10%"`, 20, 1, true, "1"},
		"losing-share-at":        {"max_members_losing_access", `"10%"`, 20, 2, true, "2"},
		"losing-share-above":     {"max_members_losing_access", `"10%"`, 20, 3, false, "3"},
		"losing-default-at":      {"max_members_losing_access", "", 20, 1, true, "1"},
		"losing-default-above":   {"max_members_losing_access", "", 20, 2, false, "2"},
		"losing-nothing-allowed": {"max_members_losing_access", "0", 20, 1, false, "1"},
		"removals-below":         {"max_removals", "3", 20, 2, true, "2"},
		"removals-at":            {"max_removals", "3", 20, 3, true, "3"},
		"removals-above":         {"max_removals", "3", 20, 4, false, "4"},
		"removals-default-at":    {"max_removals", "", 40, 25, true, "25"},
		"removals-default-above": {"max_removals", "", 40, 26, false, "26"},
		"shrink-share-below":     {"max_group_shrink", `"50%"`, 10, 4, true, "group.more: 4 of 10"},
		"shrink-share-at":        {"max_group_shrink", `"50%"`, 10, 5, true, "group.more: 5 of 10"},
		"shrink-share-above":     {"max_group_shrink", `"50%"`, 10, 6, false, "group.more: 6 of 10"},
		"shrink-number-at":       {"max_group_shrink", "2", 10, 2, true, "group.more: 2 of 10"},
		"shrink-number-above":    {"max_group_shrink", "2", 10, 3, false, "group.more: 3 of 10"},
		"shrink-emptied":         {"max_group_shrink", `"100%"`, 3, 3, false, "group.more: 3 of 3"},
		"shrink-nothing":         {"max_group_shrink", `"0%"`, 3, 0, true, "0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config, live := shrinking(tt.members, tt.go_, guardText(tt.guard, tt.value))
			p := build(t, config, live)
			var got plan.GuardResult
			for _, g := range p.Guards {
				if g.Name == tt.guard {
					got = g
				}
			}
			if got.OK != tt.ok || got.Value != tt.is {
				t.Errorf("%+v, want ok=%v and %q", got, tt.ok, tt.is)
			}
			want := []string{}
			verdict := plan.Changes
			if tt.go_ == 0 {
				verdict = plan.NoChanges
			}
			if !tt.ok {
				verdict = plan.Blocked
				want = []string{"guard-exceeded error "}
				if tt.guard == "max_members_losing_access" {
					want[0] += " " + strings.Join(addresses(live.members)[:tt.go_], ",")
				}
			}
			if diff := cmp.Diff(want, findings(p)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if p.Verdict != verdict {
				t.Errorf("verdict %s, want %s", p.Verdict, verdict)
			}
		})
	}
}

func TestGuardAcceptedByName(t *testing.T) {
	tests := map[string]struct {
		accept  []string
		verdict plan.Verdict
	}{
		"by-name":            {[]string{"guard.max_removals"}, plan.Changes},
		"not-at-all":         {nil, plan.Blocked},
		"another-guard":      {[]string{"guard.max_group_shrink"}, plan.Blocked},
		"not-all-at-once":    {[]string{"guard-exceeded"}, plan.Blocked},
		"name-without-guard": {[]string{"max_removals"}, plan.Blocked},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config, live := shrinking(20, 2, "max_removals = 1\nmax_members_losing_access = 9")
			p := build(t, config, live, tt.accept...)
			if p.Verdict != tt.verdict {
				t.Errorf("verdict %s, want %s (%v)", p.Verdict, tt.verdict, findings(p))
			}
			if p.Summary.Errors != 1 {
				t.Errorf("%d errors, want 1: accepting hides nothing", p.Summary.Errors)
			}
		})
	}
}

// TestGuardsOfAnEmptyOrganization checks that nothing is divided by zero.
func TestGuardsOfAnEmptyOrganization(t *testing.T) {
	p := build(t, `group "g" {}`, org{})
	for _, g := range p.Guards {
		if !g.OK {
			t.Errorf("%+v", g)
		}
	}
	if len(p.Guards) != 5 || p.Verdict != plan.Changes || p.Members != 0 {
		t.Errorf("%d guards, verdict %s, %d members", len(p.Guards), p.Verdict, p.Members)
	}
}

func TestGuardDoesNotCountWhatOpenWavesExplain(t *testing.T) {
	live := org{members: map[string]string{"ann@acme.com": "user", "bob@acme.com": "user"}, roles: map[string][]string{"base": {"chat"}},
		groups: []liveGroup{{name: "all", roles: []string{"base"}, members: []string{"ann@acme.com", "bob@acme.com"}}}}
	p := build(t, covered+"migration {\n wave \"one\" { members = everyone }\n}\nguard { max_members_losing_access = 0 }", live)
	if f := findings(p); len(f) > 0 {
		t.Errorf("findings: %v", f)
	}
	if p.Summary.MembersLosing != 2 {
		t.Errorf("%d members lose something, want 2: the wave takes what the role does not give", p.Summary.MembersLosing)
	}
}

func TestGuardOfSpend(t *testing.T) {
	tests := map[string]struct {
		guard, limit string // of the group, in the configuration
		before       string
		ok           bool
		value        string
	}{
		"share-below":         {`"20%"`, `monthly = "119.99"`, "10000", true, "19.99"},
		"share-at":            {`"20%"`, `monthly = "120.00"`, "10000", true, "20.00"},
		"share-above":         {`"20%"`, `monthly = "120.01"`, "10000", false, "20.01"},
		"number-below":        {"10", `monthly = "109.99"`, "10000", true, "9.99"},
		"number-at":           {"10", `monthly = "110.00"`, "10000", true, "10.00"},
		"number-above":        {"10", `monthly = "110.01"`, "10000", false, "10.01"},
		"lower":               {`"0%"`, `monthly = "50.00"`, "10000", true, ""},
		"share-of-nothing":    {`"20%"`, `monthly = "0.01"`, "0", false, "0.01"},
		"finite-to-unlimited": {`"100%"`, `unlimited = true`, "10000", false, "1 unlimited"},
		"finite-to-inherited": {`"100%"`, `inherit = true`, "10000", false, "1 unlimited"},
		"unlimited-to-finite": {`"0%"`, `monthly = "50.00"`, "", true, "0.00"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			live := org{members: map[string]string{"ann@acme.com": "user"}, groups: []liveGroup{{name: "g", members: []string{"ann@acme.com"}}}}
			if tt.before != "" {
				live.limits = map[string]string{"g": tt.before}
			}
			p := build(t, fmt.Sprintf("group \"g\" {\n spend_limit {\n %s\n }\n}\nguard {\n max_spend_increase = %s\n max_members_losing_access = 9\n}", tt.limit, tt.guard), live)
			for _, g := range p.Guards {
				if g.Name == "max_spend_increase" && (g.OK != tt.ok || tt.value != "" && g.Value != tt.value) {
					t.Errorf("%+v, want ok=%v and %s", g, tt.ok, tt.value)
				}
			}
			if n := len(findings(p, "guard-exceeded")); (n == 0) != tt.ok {
				t.Errorf("%d findings", n)
			}
		})
	}
}

func TestProtected(t *testing.T) {
	tests := map[string]struct {
		protected string
		want      []string
	}{
		"somebody-who-loses":  {`["m00@acme.com"]`, []string{"protected-loses error  m00@acme.com"}},
		"somebody-who-stays":  {`["m05@acme.com"]`, []string{}},
		"everyone":            {`everyone`, []string{"protected-loses error  m00@acme.com,m01@acme.com"}},
		"nobody":              {`[]`, []string{}},
		"stranger":            {`["x@other.org"]`, []string{}},
		"group":               {`group.base.members`, []string{"protected-loses error  m00@acme.com,m01@acme.com"}},
		"group-without-those": {`minus(everyone, ["m00@acme.com"])`, []string{"protected-loses error  m01@acme.com"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config, live := shrinking(10, 2, "max_members_losing_access = 9\nprotected = "+tt.protected)
			p := build(t, "group \"base\" {}\n"+config, live)
			if diff := cmp.Diff(tt.want, findings(p)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFrozen(t *testing.T) {
	for _, frozen := range []bool{true, false} {
		p := build(t, fmt.Sprintf("group \"g\" {}\nguard { frozen = %v }", frozen), org{})
		if p.Frozen != frozen {
			t.Errorf("frozen %v, want %v", p.Frozen, frozen)
		}
		if g := p.Guards[len(p.Guards)-1]; g != (plan.GuardResult{Name: "frozen", Value: fmt.Sprint(frozen), Limit: "false", OK: !frozen}) {
			t.Errorf("guard %+v", g)
		}
	}
}
