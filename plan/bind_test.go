package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
)

func people(n int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprintf("m%02d@acme.com", i)] = "managed"
	}
	return m
}

func addresses(m map[string]string) []string {
	var list []string
	for e := range m {
		list = append(list, e)
	}
	slices.Sort(list)
	return list
}

func quoteAll(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = fmt.Sprintf("%q", s)
	}
	return "[" + strings.Join(q, ", ") + "]"
}

func TestBinding(t *testing.T) {
	ann := map[string]string{"ann@acme.com": "user"}
	tests := map[string]struct {
		config   string
		live     org
		changes  []string
		findings []string
		name     string // that group.g has live, if it is to be there
		id       string // that group.g is bound to
	}{
		"by-exact-name": {
			config: `group "g" {}`, live: org{members: ann, groups: []liveGroup{{name: "g"}}},
			changes: []string{}, id: "rbac_group_g",
		},
		"name-differs-in-case": {
			config: `group "g" {}`, live: org{members: ann, groups: []liveGroup{{name: "G"}}},
			changes: []string{"create group.g"},
		},
		"by-name-attribute": {
			config: `group "g" { name = "Pilot" }`, live: org{members: ann, groups: []liveGroup{{name: "Pilot"}, {name: "g"}}},
			changes: []string{}, id: "rbac_group_Pilot",
		},
		"id-beats-name": {
			config:  "group \"g\" {\n id = \"rbac_group_2\"\n name = \"one\"\n}",
			live:    org{members: ann, groups: []liveGroup{{name: "one", id: "rbac_group_1"}, {name: "two", id: "rbac_group_2"}}},
			changes: []string{"rename group.g"}, id: "rbac_group_2",
		},
		"previous-name-is-a-rename": {
			config:  "group \"g\" {\n name = \"New\"\n previous_names = [\"Older\", \"Old\"]\n}",
			live:    org{members: ann, groups: []liveGroup{{name: "Old"}}},
			changes: []string{"rename group.g"}, id: "rbac_group_Old",
		},
		"name-beats-previous-name": {
			config:  "group \"g\" {\n name = \"New\"\n previous_names = [\"Old\"]\n}",
			live:    org{members: ann, groups: []liveGroup{{name: "Old"}, {name: "New"}}},
			changes: []string{}, id: "rbac_group_New",
		},
		"newest-previous-name-first": {
			config:  "group \"g\" {\n name = \"New\"\n previous_names = [\"Old\", \"Oldest\"]\n}",
			live:    org{members: ann, groups: []liveGroup{{name: "Oldest"}, {name: "Old"}}},
			changes: []string{"rename group.g"}, id: "rbac_group_Old",
		},
		"previous-name-that-is-taken": {
			config:  "group \"a\" { name = \"Old\" }\ngroup \"g\" {\n name = \"New\"\n previous_names = [\"Old\"]\n}",
			live:    org{members: ann, groups: []liveGroup{{name: "Old"}}},
			changes: []string{"create group.g"},
		},
		"moved-is-a-rename": {
			config:  "group \"g\" {}\nmoved {\n from = group.eng\n to = group.g\n}",
			live:    org{members: ann, groups: []liveGroup{{name: "eng"}}},
			changes: []string{"rename group.g"}, id: "rbac_group_eng",
		},
		"moved-twice-is-one-rename": {
			config:  "group \"g\" {}\nmoved {\n from = group.a\n to = group.b\n}\nmoved {\n from = group.b\n to = group.g\n}",
			live:    org{members: ann, groups: []liveGroup{{name: "a"}}},
			changes: []string{"rename group.g"}, id: "rbac_group_a",
		},
		"moved-key-of-a-for-each": {
			config:  "group \"t\" {\n for_each = toset([\"new\"])\n}\ngroup \"g\" {}\nmoved {\n from = group.t[\"old\"]\n to = group.t[\"new\"]\n}",
			live:    org{members: ann, groups: []liveGroup{{name: "t old"}, {name: "g"}}},
			changes: []string{"rename group.t[\"new\"]"}, id: "rbac_group_g",
		},
		"moved-that-says-its-name-is-found-by-it": {
			config:  "group \"g\" { name = \"Engineering\" }\nmoved {\n from = group.eng\n to = group.g\n}",
			live:    org{members: ann, groups: []liveGroup{{name: "Engineering"}, {name: "eng"}}},
			changes: []string{}, id: "rbac_group_Engineering",
		},
		"moved-that-says-another-name-is-not-the-old-one": {
			config:  "group \"g\" { name = \"New\" }\nmoved {\n from = group.eng\n to = group.g\n}",
			live:    org{members: ann, groups: []liveGroup{{name: "eng"}}},
			changes: []string{"create group.g"},
		},
		"moved-and-renamed-already": {
			config:  "group \"g\" {}\nmoved {\n from = group.eng\n to = group.g\n}",
			live:    org{members: ann, groups: []liveGroup{{name: "g"}}},
			changes: []string{}, id: "rbac_group_g",
		},
		"moved-and-the-old-address-described-again": {
			config:  "group \"g\" {}\ngroup \"x\" { name = \"eng\" }\nmoved {\n from = group.eng\n to = group.g\n}",
			live:    org{members: ann, groups: []liveGroup{{name: "eng"}}},
			changes: []string{"create group.g"},
		},
		"two-live-groups-of-one-name": {
			config:   `group "g" {}`,
			live:     org{members: ann, groups: []liveGroup{{name: "g", id: "rbac_group_2"}, {name: "g", id: "rbac_group_1"}}},
			changes:  []string{},
			findings: []string{"duplicate-name error group.g"},
		},
		"two-of-one-name-and-an-id": {
			config:  "group \"g\" { id = \"rbac_group_1\" }",
			live:    org{members: ann, groups: []liveGroup{{name: "g", id: "rbac_group_2"}, {name: "g", id: "rbac_group_1"}}},
			changes: []string{}, id: "rbac_group_1",
		},
		"two-of-one-name-that-nobody-describes": {
			config:  ``,
			live:    org{members: ann, groups: []liveGroup{{name: "g", id: "rbac_group_2"}, {name: "g", id: "rbac_group_1"}}},
			changes: []string{},
		},
		"id-that-is-gone": {
			config:   "group \"g\" { id = \"rbac_group_9\" }",
			live:     org{members: ann, groups: []liveGroup{{name: "other"}}},
			changes:  []string{"create group.g"},
			findings: []string{"identity-lost error group.g"},
		},
		"most-ids-are-gone": { // one finding, not one for each
			config:   "group \"g\" { id = \"rbac_group_9\" }\ngroup \"h\" { id = \"rbac_group_8\" }\ngroup \"i\" { id = \"rbac_group_other\" }",
			live:     org{members: ann, groups: []liveGroup{{name: "other"}}},
			changes:  []string{"create group.g", "create group.h", "rename group.i"},
			findings: []string{"identity-lost error group.g"},
		},
		"some-ids-are-gone": {
			config: "group \"g\" { id = \"rbac_group_9\" }\ngroup \"h\" { id = \"rbac_group_8\" }\n" +
				"group \"other\" { id = \"rbac_group_other\" }\ngroup \"more\" { id = \"rbac_group_more\" }",
			live:     org{members: ann, groups: []liveGroup{{name: "other"}, {name: "more"}}},
			changes:  []string{"create group.g", "create group.h"},
			findings: []string{"identity-lost error group.g", "identity-lost error group.h"},
		},
		"live-twin-of-an-address": { // a live group is called what the block's label is, and is another one
			config:  `group "g" { name = "Pilot" }`,
			live:    org{members: ann, groups: []liveGroup{{name: "g", members: []string{"ann@acme.com"}}}},
			changes: []string{"create group.g"},
		},
		"new-role-without-capabilities": {
			config: `role "r" {}`, live: org{members: ann},
			changes: []string{"create role.r"}, findings: []string{"incomplete-object error role.r"},
		},
		"live-role-without-capabilities": {
			config: `role "r" {}`, live: org{members: ann, roles: map[string][]string{"r": {"chat"}}}, changes: []string{},
		},
		"role-of-the-vendor": {
			config: "role \"r\" {\n id = \"rbac_role_Theirs\"\n builtin = true\n}", live: org{members: ann, roles: map[string][]string{"Theirs": {"chat"}}}, changes: []string{},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := build(t, tt.config, tt.live)
			if diff := cmp.Diff(tt.changes, changes(p)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			want := tt.findings
			if want == nil {
				want = []string{}
			}
			if diff := cmp.Diff(want, findings(p)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if tt.id != "" {
				if o := p.Live.Objects["group.g"]; o == nil || o.ID != tt.id {
					t.Errorf("group.g is bound to %+v, want %s", o, tt.id)
				}
			}
		})
	}
}

// TestTwinOfAnAddressCounts checks that a live group whose name is another
// block's label still counts in the analysis, under an address of its own.
func TestTwinOfAnAddressCounts(t *testing.T) {
	p := build(t, `group "g" { name = "Pilot" }`, org{
		members: map[string]string{"ann@acme.com": "managed"}, roles: map[string][]string{"r": {"chat"}},
		groups: []liveGroup{{name: "g", roles: []string{"r"}, members: []string{"ann@acme.com"}}}})
	o := p.Live.Objects["group.rbac_group_g"]
	if o == nil || o.Key != "g" {
		t.Fatalf("the live group is not there under its id: %v", p.Live.Objects)
	}
	if diff := cmp.Diff([]string{"role.r"}, o.Get("roles").AsSet()); diff != "" {
		t.Errorf("its roles (-want +got):\n%s", diff)
	}
	if len(p.Access) != 0 || len(findings(p)) != 0 {
		t.Errorf("access %v, findings %v; want none", p.Access, findings(p))
	}
}

func TestPeople(t *testing.T) {
	tests := map[string]struct {
		config string // of group.g's members, and more blocks after a line "---"
		want   []string
	}{
		"everyone-with-administrators": {"everyone", []string{"ann@acme.com", "bob@acme.com", "own@acme.com", "vic@vendor.com"}},
		"domain-exactly":               {`domain("vendor.com")`, []string{"vic@vendor.com"}},
		"domain-in-capitals":           {`domain("VENDOR.com")`, []string{"vic@vendor.com"}},
		"domain-is-no-suffix":          {`domain("dor.com")`, []string{}},
		"organization-role":            {`organization_role("user")`, []string{"bob@acme.com", "vic@vendor.com"}},
		"union":                        {`union(domain("vendor.com"), ["bob@acme.com"])`, []string{"bob@acme.com", "vic@vendor.com"}},
		"minus":                        {`minus(everyone, domain("vendor.com"), ["own@acme.com"])`, []string{"ann@acme.com", "bob@acme.com"}},
		"intersect":                    {`intersect(domain("acme.com"), organization_role("user"))`, []string{"bob@acme.com"}},
		"intersect-of-nothing":         {`intersect(domain("vendor.com"), organization_role("owner"))`, []string{}},
		"described-group":              {"group.h.members\n---\ngroup \"h\" { members = [\"ann@acme.com\"] }", []string{"ann@acme.com"}},
		"live-group":                   {"group.staff.members\n---\ngroup \"staff\" {}", []string{"bob@acme.com", "own@acme.com"}},
		"live-group-minus":             {"minus(everyone, group.staff.members)\n---\ngroup \"staff\" {}", []string{"ann@acme.com", "vic@vendor.com"}},
		"group-of-a-group":             {"group.h.members\n---\ngroup \"h\" { members = union(group.staff.members, [\"ann@acme.com\"]) }\ngroup \"staff\" {}", []string{"ann@acme.com", "bob@acme.com", "own@acme.com"}},
		"address-in-capitals":          {`["Ann@ACME.com"]`, []string{"ann@acme.com"}},
		"nobody":                       {`[]`, []string{}},
	}
	live := org{
		members: map[string]string{"ann@acme.com": "managed", "bob@acme.com": "user", "own@acme.com": "owner", "vic@vendor.com": "user"},
		roles:   map[string][]string{"r": {"chat"}},
		groups:  []liveGroup{{name: "staff", members: []string{"bob@acme.com", "own@acme.com"}}, {name: "base", roles: []string{"r"}, members: []string{"ann@acme.com"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			expr, more, _ := strings.Cut(tt.config, "---")
			p := build(t, "group \"g\" {\n members = "+expr+"\n}\n"+more, live)
			got := append([]string{}, p.Desired.Objects["group.g"].Get("members").AsSet()...)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
			if f := findings(p); len(f) > 0 {
				t.Errorf("findings: %v", f)
			}
		})
	}
}

func TestStrangers(t *testing.T) {
	live := org{members: map[string]string{"jane@acme.com": "user", "raj@acme.com": "user"}}
	tests := map[string]struct {
		config  string
		members []string
		fix     string
	}{
		"typing-error":    {`group "g" { members = ["jnae@acme.com", "raj@acme.com"] }`, []string{"jnae@acme.com"}, "did you mean jane@acme.com?"},
		"nobody-near":     {`group "g" { members = ["somebody.else@other.org"] }`, []string{"somebody.else@other.org"}, "invite them"},
		"two-strangers":   {`group "g" { members = ["x@other.org", "a@other.org"] }`, []string{"a@other.org", "x@other.org"}, "invite them"},
		"member-block":    {"member \"jnae@acme.com\" {\n spend_limit {\n monthly = 1\n }\n}", []string{"jnae@acme.com"}, "did you mean jane@acme.com?"},
		"wave":            {"migration {\n wave \"w\" { members = [\"x@other.org\"] }\n}", []string{"x@other.org"}, "invite them"},
		"removed-already": {`member "gone@acme.com" { remove = true }`, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := build(t, tt.config, live)
			var got *plan.Finding
			for i, f := range p.Findings {
				if f.Rule == "not-a-member" {
					got = &p.Findings[i]
				}
			}
			if got == nil {
				if tt.members != nil {
					t.Fatalf("no finding not-a-member in %v", findings(p))
				}
				return
			}
			if diff := cmp.Diff(tt.members, got.Members); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
			if !strings.Contains(got.Fix, tt.fix) {
				t.Errorf("fix %q, want %q in it", got.Fix, tt.fix)
			}
			if got.Range == nil || got.Range.Start.Line < 8 {
				t.Errorf("range %+v does not point into the block", got.Range)
			}
			for _, o := range p.Desired.Objects {
				for _, m := range tt.members {
					if o.Key == m || o.Get("members").Has(m) {
						t.Errorf("%s is in %s", m, o.Addr)
					}
				}
			}
		})
	}
}

func TestWaves(t *testing.T) {
	base := []liveGroup{{name: "all", roles: []string{"base"}, members: []string{"ann@acme.com", "bob@acme.com", "cyd@acme.com", "own@acme.com"}},
		{name: "pilot", members: []string{"ann@acme.com"}}}
	step := func(name string) string { return `member["` + name + `@acme.com"]/organization_role` }
	tests := map[string]struct {
		config   string
		members  map[string]string
		off      []string
		open     []string
		held     []string
		wave     map[string]string // wave by step
		why      string            // in the reason of every held stage
		findings []string
	}{
		"everyone-but-administrators": {
			config: "migration {\n wave \"one\" { members = everyone }\n}",
			open:   []string{step("ann"), step("bob")}, wave: map[string]string{step("ann"): "one", step("bob"): "one"},
		},
		"first-wave-decides": {
			config: "migration {\n wave \"one\" { members = [\"ann@acme.com\"] }\n wave \"two\" { members = everyone }\n}",
			open:   []string{step("ann"), step("bob")}, wave: map[string]string{step("ann"): "one", step("bob"): "two"},
		},
		"first-wave-decides-though-closed": {
			config: "migration {\n wave \"one\" {\n members = [\"ann@acme.com\"]\n state = \"closed\"\n }\n wave \"two\" { members = everyone }\n}",
			open:   []string{step("bob")}, held: []string{step("ann")}, wave: map[string]string{step("ann"): "one", step("bob"): "two"}, why: `wave "one"`,
			findings: []string{"wave-overlap warning  ann@acme.com"},
		},
		"except": {
			config: "migration {\n wave \"one\" {\n members = everyone\n except = [\"bob@acme.com\"]\n }\n}",
			open:   []string{step("ann")}, wave: map[string]string{step("ann"): "one"},
		},
		"except-leaves-them-to-a-later-wave": {
			config: "migration {\n wave \"one\" {\n members = everyone\n except = [\"bob@acme.com\"]\n }\n wave \"two\" { members = everyone }\n}",
			open:   []string{step("ann"), step("bob")}, wave: map[string]string{step("ann"): "one", step("bob"): "two"},
		},
		"first-wave-decides-against-a-reverted-one": {
			config: "migration {\n wave \"one\" { members = [\"ann@acme.com\"] }\n wave \"two\" {\n members = everyone\n state = \"reverted\"\n }\n}",
			open:   []string{step("ann"), step("cyd")}, wave: map[string]string{step("ann"): "one", step("cyd"): "two"},
		},
		"groups": {
			config: "group \"pilot\" {}\nmigration {\n wave \"one\" { groups = [group.pilot] }\n}",
			open:   []string{step("ann")}, wave: map[string]string{step("ann"): "one"},
		},
		"closed": {
			config: "migration {\n wave \"one\" {\n members = everyone\n state = \"closed\"\n }\n}",
			held:   []string{step("ann"), step("bob")}, why: `waits for wave "one"`,
		},
		"reverted": {
			config: "migration {\n wave \"one\" {\n members = everyone\n state = \"reverted\"\n }\n}",
			open:   []string{step("cyd")}, wave: map[string]string{step("cyd"): "one"},
		},
		"feature-behind-a-closed-wave": {
			config: "feature \"cowork\" { enabled = true }\nmigration {\n wave \"one\" { members = [\"ann@acme.com\"] }\n wave \"two\" {\n members = everyone\n state = \"closed\"\n }\n}",
			off:    []string{"cowork"},
			open:   []string{step("ann")}, held: []string{"feature.cowork/on", step("bob")}, why: `wave "two"`,
			findings: []string{"feature-reaches-unmigrated warning feature.cowork bob@acme.com"},
		},
		"feature-behind-open-waves": {
			config: "feature \"cowork\" { enabled = true }\nmigration {\n wave \"one\" { members = everyone }\n}",
			off:    []string{"cowork"},
			open:   []string{"feature.cowork/on", step("ann"), step("bob")},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			members := map[string]string{"ann@acme.com": "user", "bob@acme.com": "user", "cyd@acme.com": "managed", "own@acme.com": "owner"}
			p := build(t, covered+tt.config, org{members: members, off: tt.off, roles: map[string][]string{"base": {"chat"}}, groups: base})
			if diff := cmp.Diff(append([]string{}, tt.open...), stepIDs(p, false)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append([]string{}, tt.held...), stepIDs(p, true)); diff != "" {
				t.Errorf("held steps (-want +got):\n%s", diff)
			}
			for id, wave := range tt.wave {
				if got := p.Steps[id].Wave; got != wave {
					t.Errorf("%s is of wave %q, want %q", id, got, wave)
				}
			}
			for _, st := range p.Stages {
				if st.Held && !strings.Contains(st.HeldWhy, tt.why) {
					t.Errorf("held because %q, want %q in it", st.HeldWhy, tt.why)
				}
			}
			if diff := cmp.Diff(append([]string{}, tt.findings...), findings(p, "feature-reaches-unmigrated", "not-a-member", "uncovered-member", "wave-overlap")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			verdict := plan.Changes
			if len(tt.open) == 0 {
				verdict = plan.NoChanges
			}
			if p.Verdict != verdict || p.Summary.HeldSteps != len(tt.held) || p.Summary.Steps != len(tt.open) {
				t.Errorf("verdict %s with %d steps and %d held, want %s", p.Verdict, p.Summary.Steps, p.Summary.HeldSteps, verdict)
			}
		})
	}
}

func TestScimMembershipDescribed(t *testing.T) {
	live := org{members: map[string]string{"ann@acme.com": "user", "bob@acme.com": "user"}, groups: []liveGroup{{name: "g", scim: true, members: []string{"ann@acme.com"}}}}
	p := build(t, `group "g" { members = ["bob@acme.com"] }`, live)
	if diff := cmp.Diff([]string{"scim-membership-described error group.g"}, findings(p, "scim-membership-described")); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if steps := stepIDs(p, false); len(steps) > 0 {
		t.Errorf("steps %v: the identity provider owns the members", steps)
	}
}
