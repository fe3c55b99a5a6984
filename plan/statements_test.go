package plan_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/prove"
	"github.com/rolecall/rolecall/schema"
)

// TestAcceptTakesOneRisk: an accept block takes one risk by its name, up to
// what it says, until it expires; accepting hides nothing.
func TestAcceptTakesOneRisk(t *testing.T) {
	tests := map[string]struct {
		accept string
		want   plan.Verdict
	}{
		"as-much":       {`accept "guard.max_removals" { up_to = 2 }`, plan.Changes},
		"less":          {`accept "guard.max_removals" { up_to = 1 }`, plan.Blocked},
		"another":       {`accept "guard.max_group_shrink" { up_to = 60 }`, plan.Blocked},
		"expired":       {"accept \"guard.max_removals\" {\n up_to = 2\n expires = \"2026-11-22\"\n}", plan.Blocked},
		"still-running": {"accept \"guard.max_removals\" {\n up_to = 2\n expires = \"2026-11-23\"\n}", plan.Changes},
		"none":          {"", plan.Blocked},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config, live := shrinking(20, 2, "max_removals = 1\nmax_members_losing_access = 9")
			block := strings.Replace(tt.accept, "{ up_to", "{\n up_to", 1)
			block = strings.Replace(block, " }", "\n}", 1)
			if block != "" {
				block = strings.Replace(block, "up_to", "reason = \"ticket\"\n up_to", 1)
			}
			p := build(t, config+"\n"+block, live)
			if p.Verdict != tt.want || p.Summary.Errors != 1 {
				t.Errorf("verdict %s with %d errors, want %s with 1: %v", p.Verdict, p.Summary.Errors, tt.want, findings(p))
			}
			if f := p.Findings[0]; f.Accepted != (tt.want == plan.Changes) || f.Accepted != strings.Contains(f.AcceptedBy, "main.hcl:") {
				t.Errorf("accepted %v by %q", f.Accepted, f.AcceptedBy)
			}
		})
	}
}

// TestHoldLeavesAsItIs: what is held is shown and is neither drift nor change,
// until its day.
func TestHoldLeavesAsItIs(t *testing.T) {
	for until, held := range map[string]bool{"2026-11-22": false, "2026-11-23": true} {
		config, live := shrinking(10, 2, "max_members_losing_access = 9")
		p := build(t, config+"\nhold \"incident\" {\n objects = [group.more]\n until = \""+until+"\"\n reason = \"cut\"\n}", live)
		if held {
			if p.Verdict != plan.NoChanges || p.Summary.HeldSteps != 2 || p.Summary.Update != 0 || len(p.Changed) != 1 || !p.Changed[0].Held ||
				!strings.Contains(p.Stages[0].HeldWhy, `hold "incident" until 2026-11-23: cut`) || p.Summary.MembersLosing != 0 {
				t.Errorf("until %s: %s, %+v, %+v", until, p.Verdict, p.Summary, p.Stages)
			}
		} else if p.Verdict != plan.Changes || p.Summary.HeldSteps != 0 || p.Summary.Steps != 2 {
			t.Errorf("until %s: %s, %+v", until, p.Verdict, p.Summary)
		}
	}
}

// TestRemovedDeletes: leaving a block out deletes nothing, a removed block
// deletes what it named, with one step that can be proved safe.
func TestRemovedDeletes(t *testing.T) {
	live := org{
		members: map[string]string{"ann@acme.com": "managed", "bob@acme.com": "managed"},
		roles:   map[string][]string{"base": {"chat"}, "old": {"saffron"}},
		groups: []liveGroup{{name: "all", roles: []string{"base"}, members: []string{"ann@acme.com", "bob@acme.com"}},
			{name: "Old team", roles: []string{"old"}, members: []string{"ann@acme.com"}}},
		limits: map[string]string{"Old team": "5000"},
	}
	lax := "guard {\n max_members_losing_access = 9\n max_spend_increase = 99999\n}\n"
	tests := map[string]struct {
		config  string
		want    []string
		blocked bool
	}{
		"left-out":     {"", nil, false},
		"by-name":      {"removed {\n from = group.old_team\n name = \"Old team\"\n}\n", []string{"group.old_team"}, true},
		"by-id":        {"removed {\n from = group.old_team\n id = \"rbac_group_Old team\"\n}\n", []string{"x"}, true},
		"gone-already": {"removed {\n from = group.gone\n name = \"Gone\"\n}\n", nil, false},
		"role":         {"removed {\n from = role.old\n}\n", []string{"role.old"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := build(t, tt.config+lax, live)
			var gone []schema.Address
			for _, c := range p.Changed {
				if c.Action == schema.Delete {
					gone = append(gone, c.Address)
				}
			}
			if len(gone) != len(tt.want) || p.Summary.Delete != len(tt.want) {
				t.Fatalf("deletes %v, want %v", gone, tt.want)
			}
			// A group that would be emptied always counts.
			if emptied := len(findings(p, "guard-exceeded")) > 0; emptied != tt.blocked {
				t.Errorf("verdict %s: %v", p.Verdict, findings(p))
			}
			if r, err := prove.Verify(saved(t, p)); err != nil || !r.OK() {
				t.Errorf("%v: %+v", err, r)
			}
		})
	}
}

// TestLimitedPlans: the analysis covers everything, and what is outside of what
// was asked for is held, together with what is safe only after it.
func TestLimitedPlans(t *testing.T) {
	config, live := mixed()
	c := load(t, config)
	tests := map[string]struct {
		change func(*plan.Input)
		only   func(plan.StepView, plan.Stage) bool
	}{
		"only":   {func(in *plan.Input) { in.Only = []string{"members"} }, func(_ plan.StepView, st plan.Stage) bool { return st.Phase == "members" }},
		"target": {func(in *plan.Input) { in.Targets = []schema.Address{"group.pilot"} }, nil},
		"narrow": {func(in *plan.Input) { in.Order.NarrowOnly = true }, func(s plan.StepView, _ plan.Stage) bool { return s.Direction != "widens" }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(t, c, live.snapshot())
			tt.change(&in)
			p, err := plan.Build(in)
			if err != nil {
				t.Fatal(err)
			}
			all := build(t, config, live).Summary
			if p.Summary.Steps+p.Summary.HeldSteps != all.Steps+all.HeldSteps || p.Summary.HeldSteps <= all.HeldSteps {
				t.Errorf("%d steps and %d held, of %d and %d", p.Summary.Steps, p.Summary.HeldSteps, all.Steps, all.HeldSteps)
			}
			for _, st := range p.Stages {
				for _, s := range st.Steps {
					on := slices.ContainsFunc(p.Steps[s.ID].Effects, func(e schema.Effect) bool { return e.Addr == "group.pilot" })
					if !st.Held && (tt.only == nil && !on || tt.only != nil && !tt.only(s, st)) {
						t.Errorf("%s is carried out (%s)", s.ID, s.Direction)
					}
				}
			}
			if r, err := prove.Verify(saved(t, p)); err != nil || !r.OK() {
				t.Errorf("%v: %+v", err, r)
			}
		})
	}
	in := input(t, c, live.snapshot())
	in.Only = []string{"member"}
	var e *plan.OptionError
	if _, err := plan.Build(in); !errors.As(err, &e) || !strings.Contains(e.Error(), "did you mean members") {
		t.Errorf("%v", err)
	}
}

// TestGapsAreAccepted: where there is no safe order, --accept-gaps goes
// on, and says who is without what.
func TestGapsAreAccepted(t *testing.T) {
	in := input(t, load(t, trade), tradeOrg().snapshot())
	in.Order.AcceptGaps = true // which is enough: the gaps need no name beside it
	p, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	f := findings(p, "unsafe-order")
	if p.Verdict == plan.Blocked || p.Summary.Steps == 0 || len(f) == 0 || !strings.Contains(f[0], "(accepted)") {
		t.Errorf("verdict %s, %d steps: %v", p.Verdict, p.Summary.Steps, findings(p))
	}
}

// TestStaleIsNamed: a saved plan fits only what it was made from.
func TestStaleIsNamed(t *testing.T) {
	config, live := mixed()
	c := load(t, config)
	s, err := plan.Load(saved(t, build(t, config, live)))
	if err != nil {
		t.Fatal(err)
	}
	s.ConfigDigest = c.Digest // the directory differs, the contents do not
	same, err := plan.Build(input(t, c, live.snapshot()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Same(same); err != nil {
		t.Errorf("the same plan: %v", err)
	}
	tests := map[string]struct {
		change func(*org)
		want   []schema.Address
	}{
		"somebody-joined":       {func(o *org) { o.groups[0].members = append(slices.Clone(o.groups[0].members), "own@acme.com") }, []schema.Address{"group.pilot"}},
		"organization-role":     {func(o *org) { o.members["ann@acme.com"] = "managed" }, []schema.Address{`member["ann@acme.com"]`}},
		"limit-raised":          {func(o *org) { o.limits["bob@acme.com"] = "600" }, []schema.Address{`member["bob@acme.com"]`}},
		"nothing-that-it-is-on": {func(o *org) { o.groups = append(o.groups, liveGroup{name: "Elsewhere"}) }, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, o := mixed()
			tt.change(&o)
			p, err := plan.Build(input(t, c, o.snapshot()))
			if err != nil {
				t.Fatal(err)
			}
			var e *plan.StaleError
			if err := s.Same(p); !errors.As(err, &e) {
				if tt.want != nil || err != nil {
					t.Fatalf("not stale: %v", err)
				}
				return
			}
			if diff := cmp.Diff(tt.want, e.Objects); diff != "" {
				t.Errorf("%v (-want +got):\n%s", e, diff)
			}
		})
	}
	if err := s.SameConfiguration("other"); err == nil || !strings.Contains(err.Error(), "configuration") {
		t.Errorf("%v", err)
	}
}

// TestUnmanagedRemove: what nothing describes is deleted only where that is
// asked for, and what the identity provider owns is not.
func TestUnmanagedRemove(t *testing.T) {
	live := org{members: map[string]string{"ann@acme.com": "managed"}, roles: map[string][]string{"base": {"chat"}},
		groups: []liveGroup{{name: "all", roles: []string{"base"}, members: []string{"ann@acme.com"}}, {name: "stray"}, {name: "synced", scim: true}}}
	in := input(t, load(t, "group \"all\" {}\n"), live.snapshot())
	for what, want := range map[string]int{"ignore": 0, "report": 0, "remove": 1} {
		in.Description.Unmanaged = map[string]string{"group": what}
		p, err := plan.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		if p.Summary.Delete != want || want == 1 && p.Changed[0].Address != "group.stray" {
			t.Errorf("%s: deletes %d: %v", what, p.Summary.Delete, p.Changed)
		}
	}
}

// TestWhoIsMentioned: people are removed only if no block speaks of them, other
// than as part of everyone.
func TestWhoIsMentioned(t *testing.T) {
	live := org{members: map[string]string{"ann@acme.com": "managed", "bob@acme.com": "user", "cat@vendor.com": "user", "own@acme.com": "owner", "inn@acme.com": "user"},
		groups: []liveGroup{{name: "all"}, {name: "open", members: []string{"inn@acme.com"}}}}
	all := "ann@acme.com bob@acme.com cat@vendor.com inn@acme.com"
	for text, want := range map[string]string{
		"": all,
		"group \"all\" {\n members = everyone\n}\n":                                               all,
		"group \"all\" {\n members = [\"bob@acme.com\"]\n}\n":                                     "ann@acme.com cat@vendor.com inn@acme.com",
		"group \"all\" {\n members = domain(\"vendor.com\")\n}\n":                                 "ann@acme.com bob@acme.com inn@acme.com",
		"group \"all\" {\n members = organization_role(\"managed\")\n}\n":                         "bob@acme.com cat@vendor.com inn@acme.com",
		"group \"all\" {\n members = minus(everyone, domain(\"vendor.com\"))\n}\n":                all,
		"group \"all\" {\n members = minus(domain(\"acme.com\"), [\"bob@acme.com\"])\n}\n":        "bob@acme.com cat@vendor.com",
		"group \"all\" {\n members = intersect(everyone, domain(\"vendor.com\"))\n}\n":            "ann@acme.com bob@acme.com inn@acme.com",
		"group \"all\" {\n members = group.open.members\n}\ngroup \"open\" {\n}\n":                "ann@acme.com bob@acme.com cat@vendor.com",
		"member \"Bob@acme.com\" {\n}\n":                                                          "ann@acme.com cat@vendor.com inn@acme.com",
		"migration {\n wave \"w\" {\n members = [\"ann@acme.com\"]\n state = \"closed\"\n }\n}\n": "bob@acme.com cat@vendor.com inn@acme.com",
		"guard {\n protected = [\"ann@acme.com\", \"bob@acme.com\"]\n}\n":                         "cat@vendor.com inn@acme.com",
	} {
		in := input(t, load(t, text), live.snapshot())
		in.Description.Unmanaged = map[string]string{"member": "remove"}
		p, err := plan.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		var gone []string
		for _, c := range p.Changed {
			if c.Action == schema.Delete {
				gone = append(gone, strings.Trim(strings.TrimPrefix(string(c.Address), "member["), "\"]"))
			}
		}
		if got := strings.Join(gone, " "); got != want {
			t.Errorf("%s removes %s, want %s", text, got, want)
		}
	}
}
