package plan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers/claude"
	"github.com/rolecall/rolecall/schema"
)

// header starts every configuration of these tests.
const header = `organization "acme" {
  system = "claude-enterprise"
  unmanaged {
    roles  = "ignore"
    groups = "ignore"
  }
}
`

// load reads a configuration from text.
func load(t testing.TB, text string) *schema.Config {
	t.Helper()
	if !strings.Contains(text, "organization \"") {
		text = header + text
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, diags := schema.Load(dir, schema.Options{Systems: []*schema.System{claude.Kind().Language}})
	if diags.HasErrors() {
		t.Fatalf("configuration: %v", diags)
	}
	return c
}

// An org is a live organization written down plainly. Names stand for ids:
// the group Pilot has the id rbac_group_Pilot.
type org struct {
	off     []string            // actions of features that are off; all others are on
	roles   map[string][]string // rows: "chat", "use@all", "use@mcpsrv_jira", "use@mcpsrv_jira/search"
	groups  []liveGroup
	members map[string]string // organization roles
	limits  map[string]string // minor units by address or group name
	mode    string            // provisioning
	dark    bool              // nothing shows which features are on
}

type liveGroup struct {
	name           string
	roles, members []string
	id             string
	scim, unread   bool // unread: its roles cannot be read
}

var actions = []string{"chat", "claude_code", "cowork", "web_search", "saffron", "wiggle", "public_projects", "skill_creation",
	"claude_code_fast_mode", "claude_code_security", "omelette", "claude_browser_extension"}

func (o org) snapshot() *claude.Snapshot {
	snap := &claude.Snapshot{Organization: claude.Organization{ID: "12345678-1234-5678-1234-567812345678", Name: "acme"}, SpendLimits: []claude.SpendLimit{}}
	if !o.dark {
		on, _ := json.Marshal(slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return slices.Contains(o.off, a) }))
		snap.Events = []claude.Event{{ID: "e1", Type: "claude_organization_settings_updated",
			Fields: []byte(fmt.Sprintf(`{"updates":[{"type":"capabilities","current_value":%s}]}`, on))}}
	}
	if o.mode != "" {
		snap.Settings = claude.Settings{Known: true, Values: map[string]claude.Setting{"sso_provisioning_mode": {Type: "provisioning_mode", Value: []byte(`"` + o.mode + `"`)}}}
	}
	for name, rows := range o.roles {
		r := claude.Role{ID: "rbac_role_" + name, Name: name, RowsKnown: true}
		for _, row := range rows {
			r.Rows = append(r.Rows, parseRow(row))
		}
		snap.Roles = append(snap.Roles, r)
	}
	for email, role := range o.members {
		snap.Users = append(snap.Users, claude.User{ID: "user_" + email, Email: email, Name: email, Role: role})
		if l, ok := o.limits[email]; ok {
			snap.SpendLimits = append(snap.SpendLimits, claude.SpendLimit{ID: "spl_" + email, ScopeType: "user", UserID: "user_" + email, Amount: &l, Period: "monthly"})
		}
	}
	for _, g := range o.groups {
		if g.id == "" {
			g.id = "rbac_group_" + g.name
		}
		c := claude.Group{ID: g.id, Name: g.name, SourceType: "direct", RolesKnown: !g.unread, MembersKnown: true}
		if g.scim {
			c.SourceType = "scim"
		}
		for _, r := range g.roles {
			c.RoleIDs = append(c.RoleIDs, "rbac_role_"+r)
		}
		for _, m := range g.members {
			c.Members = append(c.Members, claude.GroupMember{UserID: "user_" + m, Email: m})
		}
		snap.Groups = append(snap.Groups, c)
		if l, ok := o.limits[g.name]; ok {
			snap.SpendLimits = append(snap.SpendLimits, claude.SpendLimit{ID: "spl_" + g.id, ScopeType: "rbac_group", GroupID: g.id, Amount: &l, Period: "monthly"})
		}
	}
	return snap
}

func parseRow(s string) claude.Row {
	action, target, _ := strings.Cut(s, "@")
	r := claude.Row{Action: action}
	id, tool, isTool := strings.Cut(target, "/")
	switch {
	case target == "":
		r.ResourceType = "organization"
	case target == "all":
		r.ResourceType = "all_connectors"
	case isTool:
		r.ResourceType, r.ConnectorID, r.ToolName = "connector_tool", id, tool
	default:
		r.ResourceType, r.ConnectorID = "connector", id
	}
	return r
}

// build makes a plan for a configuration and a live organization.
func build(t testing.TB, config string, o org, accept ...string) *plan.Plan {
	t.Helper()
	p, err := tryBuild(t, config, o.snapshot(), accept...)
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	return p
}

func tryBuild(t testing.TB, config string, snap *claude.Snapshot, accept ...string) (*plan.Plan, error) {
	t.Helper()
	c := load(t, config)
	s := claude.New(c)
	d, diags := s.Describe()
	if diags.HasErrors() {
		t.Fatalf("description: %v", diags)
	}
	return plan.Build(plan.Input{Config: c, Description: d, System: s, Live: s.State(snap), Version: "test",
		Now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), Accept: accept})
}

// findings writes the findings of some rules in one line each.
func findings(p *plan.Plan, rules ...string) []string {
	list := []string{}
	for _, f := range p.Findings {
		if len(rules) == 0 || slices.Contains(rules, f.Rule) {
			s := fmt.Sprintf("%s %s %s", f.Rule, f.Severity, f.Address)
			if len(f.Members) > 0 {
				s += " " + strings.Join(f.Members, ",")
			}
			if f.Accepted {
				s += " (accepted)"
			}
			list = append(list, s)
		}
	}
	return list
}

// changes writes the changes of a plan in one line each.
func changes(p *plan.Plan) []string {
	list := []string{}
	for _, c := range p.Changed {
		s := string(c.Action) + " " + string(c.Address)
		if c.Held {
			s += " (held)"
		}
		list = append(list, s)
	}
	return list
}

// stepIDs returns the ids of the steps that are, or are not, held.
func stepIDs(p *plan.Plan, held bool) []string {
	list := []string{}
	for _, st := range p.Stages {
		if st.Held == held {
			for _, s := range st.Steps {
				list = append(list, s.ID)
			}
		}
	}
	slices.Sort(list)
	return list
}

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

// covered is a configuration in which everybody has a role, for waves.
const covered = `role "base" {
  capabilities      = ["chat"]
  connector_default = "custom"
}
group "all" {
  roles   = [role.base]
  members = everyone
}
`

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
			if diff := cmp.Diff(append([]string{}, tt.findings...), findings(p)); diff != "" {
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

func TestScimMembershipDescribed(t *testing.T) {
	live := org{members: map[string]string{"ann@acme.com": "user", "bob@acme.com": "user"}, groups: []liveGroup{{name: "g", scim: true, members: []string{"ann@acme.com"}}}}
	p := build(t, `group "g" { members = ["bob@acme.com"] }`, live)
	if diff := cmp.Diff([]string{"scim-membership-described error group.g"}, findings(p)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if steps := stepIDs(p, false); len(steps) > 0 {
		t.Errorf("steps %v: the identity provider owns the members", steps)
	}
}

// TestAccessChanges checks what a plan says of who gains and who loses, and
// why.
func TestAccessChanges(t *testing.T) {
	p := build(t, "role \"base\" {\n capabilities = [\"chat\", \"memory\"]\n}\ngroup \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\", \"bob@acme.com\"]\n}\ngroup \"h\" { members = [\"cyd@acme.com\"] }\n"+
		"guard {\n max_members_losing_access = 9\n max_group_shrink = \"100%\"\n}", org{
		members: map[string]string{"ann@acme.com": "managed", "bob@acme.com": "managed", "cyd@acme.com": "managed"},
		roles:   map[string][]string{"base": {"chat"}, "tool": {"always_allow@all"}},
		groups: []liveGroup{{name: "g", roles: []string{"base"}, members: []string{"ann@acme.com"}},
			{name: "h", roles: []string{"tool"}, members: []string{"ann@acme.com", "cyd@acme.com"}}},
	})
	var got []string
	for _, c := range p.Access {
		got = append(got, fmt.Sprintf("%s %s %s>%s %d %s", c.Direction, c.Permission, c.From, c.To, c.Count, strings.Join(c.Members, ",")))
		for i, b := range c.Because {
			if b.Member != c.Members[i] || b.Why == "" || len(b.Via) == 0 {
				t.Errorf("%s: because %+v", c.Permission, b)
			}
		}
	}
	want := []string{
		"loss connector.* always_allow>blocked 1 ann@acme.com",
		"gain capability.chat none>allowed 1 bob@acme.com",
		"gain capability.memory none>allowed 2 ann@acme.com,bob@acme.com",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("access (-want +got):\n%s", diff)
	}
	if p.Summary.MembersGaining != 2 || p.Summary.MembersLosing != 1 {
		t.Errorf("summary %+v", p.Summary)
	}
}

// mixed is a change with something of everything, for the tests of the form.
func mixed() (string, org) {
	config := covered + "feature \"cowork\" { enabled = true }\nrole \"more\" {\n capabilities = [\"cowork\"]\n connector_default = \"custom\"\n}\n" +
		"group \"pilot\" {\n roles = [role.more, role.base]\n members = [\"ann@acme.com\", \"raj@acme.com\"]\n spend_limit {\n monthly = \"120.00\"\n }\n}\n" +
		"member \"bob@acme.com\" {\n spend_limit {\n monthly = 7\n }\n}\nmember \"old@acme.com\" { remove = true }\n" +
		"migration {\n wave \"one\" { groups = [group.pilot] }\n wave \"two\" {\n members = everyone\n state = \"closed\"\n }\n}\nguard { max_members_losing_access = 9 }\n"
	return config, org{off: []string{"cowork"}, limits: map[string]string{"pilot": "10000", "bob@acme.com": "500"},
		members: map[string]string{"ann@acme.com": "user", "bob@acme.com": "user", "old@acme.com": "user", "own@acme.com": "owner", "cyd@acme.com": "managed"},
		roles:   map[string][]string{"base": {"chat", "saffron"}},
		groups:  []liveGroup{{name: "pilot", members: []string{"cyd@acme.com", "old@acme.com"}, roles: []string{"base"}}},
	}
}

func TestPlanIsDeterministic(t *testing.T) {
	config, live := mixed()
	var first []byte
	for i := range 8 {
		snap := live.snapshot()
		r := rand.New(rand.NewPCG(uint64(i), 1))
		r.Shuffle(len(snap.Users), func(i, j int) { snap.Users[i], snap.Users[j] = snap.Users[j], snap.Users[i] })
		r.Shuffle(len(snap.Groups), func(i, j int) { snap.Groups[i], snap.Groups[j] = snap.Groups[j], snap.Groups[i] })
		r.Shuffle(len(snap.Roles), func(i, j int) { snap.Roles[i], snap.Roles[j] = snap.Roles[j], snap.Roles[i] })
		p, err := tryBuild(t, config, snap)
		if err != nil {
			t.Fatal(err)
		}
		b, err := p.JSON()
		if err != nil {
			t.Fatal(err)
		}
		b = bytes.ReplaceAll(b, []byte(filepath.Dir(p.Desired.Objects["group.pilot"].Decl.Filename)), []byte("DIR"))
		if first == nil {
			first = b
		}
		if diff := cmp.Diff(string(first), string(b)); diff != "" {
			t.Fatalf("build %d differs (-first +this):\n%s", i, diff)
		}
	}
}

// TestJSONForm checks the documented fields, and that lists are lists.
func TestJSONForm(t *testing.T) {
	top := []string{"format_version", "rolecall_version", "organization", "system", "created_at", "verdict", "summary", "access", "limits",
		"findings", "guards", "unread", "unsafe", "stages", "changes"}
	summary := []string{"create", "update", "delete", "rename", "steps", "console_steps", "held_steps", "stages", "requests", "seconds",
		"members_gaining", "members_losing", "errors", "warnings"}
	config, live := mixed()
	tests := map[string]struct {
		config string
		live   org
	}{
		"mixed": {config, live},
		"empty": {"", org{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := build(t, tt.config, tt.live)
			b, err := p.JSON()
			if err != nil {
				t.Fatal(err)
			}
			var doc map[string]any
			if err := json.Unmarshal(b, &doc); err != nil {
				t.Fatal(err)
			}
			keys(t, "plan", doc, top...)
			keys(t, "summary", doc["summary"], summary...)
			for _, f := range []string{"access", "limits", "findings", "guards", "unread", "unsafe", "stages", "changes"} {
				if _, ok := doc[f].([]any); !ok {
					t.Errorf("%s is %v, want a list", f, doc[f])
				}
			}
			if doc["created_at"] != "2026-11-22T09:00:00Z" || doc["format_version"] != "1.0" || doc["system"] != "claude-enterprise" || doc["organization"] != "acme" {
				t.Errorf("head of the document: %v %v %v %v", doc["created_at"], doc["format_version"], doc["system"], doc["organization"])
			}
			for _, x := range doc["access"].([]any) {
				keys(t, "access", x, "permission", "from", "to", "direction", "count", "members", "because")
				for _, b := range x.(map[string]any)["because"].([]any) {
					keys(t, "because", b, "member", "via", "why")
				}
			}
			for _, x := range doc["limits"].([]any) {
				keys(t, "limit", x, "period", "from", "to", "direction", "count", "members", "because")
			}
			for _, x := range doc["guards"].([]any) {
				keys(t, "guard", x, "name", "value", "limit", "ok")
			}
			for _, x := range doc["stages"].([]any) {
				for _, k := range []string{"phase", "settle_seconds", "requests", "seconds", "held", "steps"} {
					if _, ok := x.(map[string]any)[k]; !ok {
						t.Errorf("a stage has no %s", k)
					}
				}
				for _, s := range x.(map[string]any)["steps"].([]any) {
					for _, k := range []string{"id", "via", "action", "address", "proof", "direction"} {
						if _, ok := s.(map[string]any)[k]; !ok {
							t.Errorf("a step has no %s", k)
						}
					}
				}
			}
			for _, x := range doc["changes"].([]any) {
				for _, k := range []string{"address", "action", "before", "after", "steps"} {
					if _, ok := x.(map[string]any)[k]; !ok {
						t.Errorf("a change has no %s", k)
					}
				}
			}
			if bytes.Contains(b, []byte(`"members": null`)) || bytes.Contains(b, []byte(`"because": null`)) || bytes.Contains(b, []byte(`"via": null`)) {
				t.Errorf("a list is null:\n%s", b)
			}
		})
	}
}

// keys checks that v is an object with exactly the given fields.
func keys(t *testing.T, what string, v any, want ...string) {
	t.Helper()
	m, ok := v.(map[string]any)
	if !ok {
		t.Fatalf("%s is no object: %v", what, v)
	}
	var got []string
	for k := range m {
		got = append(got, k)
	}
	slices.Sort(got)
	want = slices.Clone(want)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields of %s (-want +got):\n%s", what, diff)
	}
}

// TestPlanTwiceIsEmpty takes the desired state for the live one: what a plan
// leads to needs no plan.
func TestPlanTwiceIsEmpty(t *testing.T) {
	config, live := mixed()
	config = strings.ReplaceAll(config, `state = "closed"`, "")
	c := load(t, config)
	s := claude.New(c)
	d, _ := s.Describe()
	in := plan.Input{Config: c, Description: d, System: s, Live: s.State(live.snapshot()), Now: time.Unix(0, 0)}
	p, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	next := schema.NewState()
	for _, o := range p.Desired.Objects {
		o = o.Clone()
		if o.ID == "" {
			o.ID = "made_" + string(o.Addr)
		}
		next.Add(o)
	}
	ids := func(v schema.Value) schema.Value {
		var list []string
		for _, a := range v.AsSet() {
			list = append(list, next.Objects[schema.Address(a)].ID)
		}
		return schema.Set(list...)
	}
	for _, g := range next.Of("group") {
		g.Put("roles", ids(g.Get("roles")))
	}
	in.Description, _ = claude.New(c).Describe()
	in.Live = next
	again, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	if again.Verdict != plan.NoChanges || len(again.Changed) > 0 {
		t.Errorf("verdict %s, changes %v", again.Verdict, changes(again))
	}
}
