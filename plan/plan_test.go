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
	unseen         bool // its members cannot be read
	foreign        int  // people of another organization in it
	foreignRole    bool
	plugins        map[string]string // what it has of each plugin; the plugins are those of all groups
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
		c := claude.Group{ID: g.id, Name: g.name, SourceType: "direct", RolesKnown: !g.unread, MembersKnown: !g.unseen}
		for i := range g.foreign {
			c.Members = append(c.Members, claude.GroupMember{UserID: fmt.Sprintf("user_elsewhere_%d", i), Email: "elsewhere@other.com"})
		}
		if g.foreignRole {
			c.RoleIDs = append(c.RoleIDs, "rbac_role_elsewhere")
		}
		for id, word := range g.plugins {
			at := slices.IndexFunc(snap.Plugins, func(p claude.Plugin) bool { return p.ID == id })
			if at < 0 {
				at, snap.Plugins = len(snap.Plugins), append(snap.Plugins, claude.Plugin{ID: id, Name: id, SettingsKnown: true})
			}
			snap.Plugins[at].Settings = append(snap.Plugins[at].Settings, claude.PluginSetting{TargetType: "rbac_group", GroupID: g.id, Preference: word})
		}
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
	fits(t, p)
	return p
}

func tryBuild(t testing.TB, config string, snap *claude.Snapshot, accept ...string) (*plan.Plan, error) {
	t.Helper()
	return plan.Build(input(t, load(t, config), snap, accept...))
}

// input is what the plan of a configuration is made from.
func input(t testing.TB, c *schema.Config, snap *claude.Snapshot, accept ...string) plan.Input {
	t.Helper()
	s := claude.New(c)
	d, diags := s.Describe()
	if diags.HasErrors() {
		t.Fatalf("description: %v", diags)
	}
	return plan.Input{Config: c, Description: d, System: s, Live: s.State(snap), Version: "test",
		Now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), Accept: accept}
}

// buildAt makes a plan at a time.
func buildAt(t testing.TB, c *schema.Config, o org, at time.Time) *plan.Plan {
	t.Helper()
	in := input(t, c, o.snapshot())
	in.Now = at
	p, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
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
		"findings", "guards", "risks", "unread", "unsafe", "stages", "changes", "groups", "memberships"}
	summary := []string{"create", "update", "delete", "rename", "steps", "console_steps", "held_steps", "stages", "requests", "seconds", "settle_seconds",
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
			for _, f := range []string{"access", "limits", "findings", "guards", "risks", "unread", "unsafe", "stages", "changes"} {
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
