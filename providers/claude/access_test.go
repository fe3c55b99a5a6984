package claude

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// organizationText starts a configuration that does not care about it.
const organizationText = `organization "acme" {
  system = "claude-enterprise"
}
`

// configure loads a configuration from text.
func configure(t testing.TB, text string) *schema.Config {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, diags := schema.Load(dir, schema.Options{Systems: []*schema.System{language}})
	if diags.HasErrors() {
		t.Fatalf("configuration: %v", diags)
	}
	return c
}

// A world is a live organization written down plainly.
type world struct {
	roles    map[string][]Row    // by name
	groups   map[string][]string // roles by group, by name
	members  map[string][]string // organization role and groups by address
	settings map[string]bool     // capabilities by their setting
	limits   []SpendLimit
	unknown  []string // groups whose roles cannot be read
	foreign  []string // groups with roles of another organization
	strange  []string // groups with people of another organization
}

func (w world) snapshot() *Snapshot {
	snap := &Snapshot{Organization: Organization{ID: "12345678-1234-5678-1234-567812345678", Name: "Acme"}, SpendLimits: w.limits,
		Settings: Settings{Known: true, Values: map[string]Setting{}}}
	for name, on := range w.settings {
		snap.Settings.Values[name] = Setting{Type: "boolean", Value: []byte(fmt.Sprint(on))}
	}
	for name, rows := range w.roles {
		snap.Roles = append(snap.Roles, Role{ID: "rbac_role_" + name, Name: name, Rows: rows, RowsKnown: true})
	}
	for email, m := range w.members {
		snap.Users = append(snap.Users, User{ID: "user_" + email, Email: email, Role: m[0]})
	}
	for name, roles := range w.groups {
		g := Group{ID: "rbac_group_" + name, Name: name, SourceType: "direct", RolesKnown: !slices.Contains(w.unknown, name), MembersKnown: true}
		for _, r := range roles {
			g.RoleIDs = append(g.RoleIDs, "rbac_role_"+r)
		}
		if slices.Contains(w.foreign, name) {
			g.RoleIDs = append(g.RoleIDs, "rbac_role_elsewhere")
		}
		if slices.Contains(w.strange, name) {
			g.Members = append(g.Members, GroupMember{UserID: "user_elsewhere", Email: "zoe@elsewhere.io"})
		}
		for email, m := range w.members {
			if slices.Contains(m[1:], name) {
				g.Members = append(g.Members, GroupMember{UserID: "user_" + email, Email: email})
			}
		}
		snap.Groups = append(snap.Groups, g)
	}
	return snap
}

// live returns the state of a world with the roles of groups as addresses, and
// the connectors of the configuration, as a plan would see it.
func (s *System) live(w world) *schema.State {
	st := s.State(w.snapshot())
	ids := map[string]string{}
	for _, r := range st.Of("role") {
		ids[r.ID] = string(r.Addr)
	}
	for _, g := range st.Of("group") {
		if roles := g.Get(attrRoles); roles.Kind() == schema.KindSet {
			var refs []string
			for _, id := range roles.AsSet() {
				refs = append(refs, ids[id])
			}
			g.Put(attrRoles, schema.Set(refs...))
		}
	}
	desired := schema.NewState()
	d, diags := s.Describe()
	if diags.HasErrors() {
		panic(diags.Error())
	}
	for _, o := range d.Objects {
		if o.Type == "connector" {
			desired.Add(o)
			if st.Objects[o.Addr] == nil { // confirmed as it is described
				st.Add(o.Clone())
			}
		}
	}
	s.Complete(st, desired)
	return st
}

// levels returns the level of one permission in every reading.
func levels(t testing.TB, m *access.Model, readings []*access.State, email, perm string) []string {
	t.Helper()
	p, ok := m.Universe.Find(perm)
	if !ok {
		t.Fatalf("no permission %s in the model", perm)
	}
	i := m.Member(email)
	if i < 0 {
		t.Fatalf("no member %s in the model", email)
	}
	var list []string
	for _, s := range readings {
		list = append(list, m.Universe.LevelName(p, m.Universe.Get(access.NewView(m, s).Access(i), p)))
	}
	return list
}

// level is levels where there is one reading.
func level(t testing.TB, s *System, w world, email, perm string) string {
	t.Helper()
	m, readings := s.Access(s.live(w))
	if len(readings[0]) != 1 {
		t.Fatalf("%d readings, want 1", len(readings[0]))
	}
	return levels(t, m, readings[0], email, perm)[0]
}

// allOn is the settings of every capability that has one, and the rows of the
// others, which show that they are on too.
func allOn() (settings map[string]bool, rows []Row) {
	settings = map[string]bool{}
	for _, c := range capabilities {
		if c.setting != "" {
			settings[c.setting] = true
		} else {
			rows = append(rows, Row{Action: c.action, ResourceType: "organization"})
		}
	}
	return settings, rows
}

func toolRow(tool, action string) Row {
	return Row{Action: action, ResourceType: "connector_tool", ConnectorID: "mcpsrv_jira", ToolName: tool}
}

// TestConnectorTruthTable is the table of the help centre, "Set up custom
// roles", on how the organization's tool policy and the roles of a member
// meet, row by row. The personal options are out of scope. The fifth row is
// not in the article and follows from "the stricter of the two".
func TestConnectorTruthTable(t *testing.T) {
	tests := map[string]struct{ policy, best, want string }{
		"1": {"always_allow", "always_allow", "always_allow"},
		"2": {"always_allow", "needs_approval", "needs_approval"},
		"3": {"always_allow", "blocked", "blocked"},
		"4": {"needs_approval", "always_allow", "needs_approval"},
		"5": {"needs_approval", "needs_approval", "needs_approval"},
		"6": {"needs_approval", "blocked", "blocked"},
		"7": {"blocked", "always_allow", "blocked"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			settings, rest := allOn()
			var rows []Row
			if a := actionOf(tt.best); a != "" {
				rows = append(rows, toolRow("search", a))
			}
			w := world{settings: settings,
				roles:   map[string][]Row{"r": rows, "rest": rest},
				groups:  map[string][]string{"g": {"r"}},
				members: map[string][]string{"ann@acme.com": {"managed", "g"}, "usr@acme.com": {"user"}, "own@acme.com": {"owner"}},
			}
			for _, how := range []string{
				fmt.Sprintf(`policy = %q`, tt.policy),
				fmt.Sprintf(`tool_policy = { search = %q }`, tt.policy),
			} {
				s := New(configure(t, organizationText+fmt.Sprintf("connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"search\"]\n %s\n}\n", how)))
				if got := level(t, s, w, "ann@acme.com", "connector.jira.search"); got != tt.want {
					t.Errorf("%s, role %s: %s, want %s", how, tt.best, got, tt.want)
				}
				// Built-in roles skip roles and have every connector under the policy.
				for _, email := range []string{"usr@acme.com", "own@acme.com"} {
					if got := level(t, s, w, email, "connector.jira.search"); got != tt.policy {
						t.Errorf("%s, %s: %s, want %s", how, email, got, tt.policy)
					}
				}
			}
		})
	}
}

// TestPolicyOfOneToolLeavesTheOthers checks that a tool's own policy replaces
// the connector's, in both directions, and nothing else.
func TestPolicyOfOneToolLeavesTheOthers(t *testing.T) {
	s := New(configure(t, organizationText+`connector "jira" {
  id          = "mcpsrv_jira"
  tools       = ["search", "delete", "create"]
  policy      = "needs_approval"
  tool_policy = { delete = "blocked", create = "always_allow" }
}
connector "slack" {
  id = "mcpsrv_slack"
}
`))
	settings, rest := allOn()
	w := world{settings: settings, roles: map[string][]Row{"rest": rest}, members: map[string][]string{"usr@acme.com": {"user"}}}
	got := map[string]string{}
	for _, p := range []string{"connector.jira.search", "connector.jira.delete", "connector.jira.create", "connector.jira.*", "connector.slack.*", "connector.*"} {
		got[p] = level(t, s, w, "usr@acme.com", p)
	}
	want := map[string]string{
		"connector.jira.search": "needs_approval", "connector.jira.delete": "blocked", "connector.jira.create": "always_allow",
		"connector.jira.*": "needs_approval", "connector.slack.*": "always_allow", "connector.*": "always_allow",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("levels (-want +got):\n%s", diff)
	}
}

// TestOrganizationRoles says where the access of each organization role comes
// from.
//
// Source: help centre, roles and permissions; read 2026-11-22.
func TestOrganizationRoles(t *testing.T) {
	const chat, billing, tool = "capability.chat", "admin.billing", "connector.jira.search"
	tests := map[string]struct {
		role   string
		groups []string
		want   map[string]string
	}{
		"user":                         {"user", nil, map[string]string{chat: "allowed", "capability.web_search": "none", billing: "none", tool: "always_allow"}},
		"user-in-group-with-role":      {"user", []string{"full"}, map[string]string{chat: "allowed", "capability.web_search": "none", billing: "none", tool: "always_allow"}},
		"membership_admin":             {"membership_admin", nil, map[string]string{chat: "allowed", "capability.web_search": "none", billing: "none", tool: "always_allow"}},
		"owner":                        {"owner", nil, map[string]string{chat: "allowed", "capability.web_search": "none", billing: "manage", tool: "always_allow"}},
		"primary_owner":                {"primary_owner", nil, map[string]string{chat: "allowed", "capability.web_search": "none", billing: "manage", tool: "always_allow"}},
		"managed":                      {"managed", []string{"full"}, map[string]string{chat: "allowed", "capability.web_search": "none", billing: "view", tool: "needs_approval"}},
		"managed-without-groups":       {"managed", nil, map[string]string{chat: "none", "capability.web_search": "none", billing: "none", tool: "blocked"}},
		"managed-group-without-role":   {"managed", []string{"empty"}, map[string]string{chat: "none", "capability.web_search": "none", billing: "none", tool: "blocked"}},
		"managed-one-empty-group-more": {"managed", []string{"empty", "full"}, map[string]string{chat: "allowed", "capability.web_search": "none", billing: "view", tool: "needs_approval"}},
		"managed-role-without-rows":    {"managed", []string{"void"}, map[string]string{chat: "none", "capability.web_search": "none", billing: "none", tool: "blocked"}},
	}
	s := New(configure(t, organizationText+"connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"search\"]\n}\n"))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			settings, rest := allOn()
			settings["web_search_enabled"] = false
			w := world{settings: settings,
				roles: map[string][]Row{
					"full": {{Action: "chat", ResourceType: "organization"}, {Action: "web_search", ResourceType: "organization"},
						{Action: "permission_billing_view", ResourceType: "organization"}, toolRow("search", "use")},
					"void": nil, "rest": rest,
				},
				groups:  map[string][]string{"full": {"full"}, "empty": nil, "void": {"void"}},
				members: map[string][]string{"ann@acme.com": append([]string{tt.role}, tt.groups...)},
			}
			got := map[string]string{}
			for p := range tt.want {
				got[p] = level(t, s, w, "ann@acme.com", p)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("levels (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOrganizationRoleNobodyKnows treats a role that the vendor added as one
// that custom roles do not govern, so that nothing is concluded from it.
func TestOrganizationRoleNobodyKnows(t *testing.T) {
	settings, rest := allOn()
	w := world{settings: settings, roles: map[string][]Row{"rest": rest}, members: map[string][]string{"ann@acme.com": {"developer"}}}
	s := New(configure(t, organizationText))
	if got := level(t, s, w, "ann@acme.com", "capability.chat"); got != "allowed" {
		t.Errorf("chat is %s, want allowed", got)
	}
	if got := level(t, s, w, "ann@acme.com", "admin.billing"); got != "none" {
		t.Errorf("billing is %s, want none", got)
	}
}

// TestRolesAddUp draws random roles and attachments: a member has the highest
// level that any role of any group of theirs states, and one role more never
// takes anything away.
func TestRolesAddUp(t *testing.T) {
	s := New(configure(t, organizationText+"connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"a\", \"b\"]\n}\n"))
	actions := []string{"", "use", "always_allow"}
	rapid.Check(t, func(t *rapid.T) {
		settings, rest := allOn()
		w := world{settings: settings, roles: map[string][]Row{"rest": rest}, groups: map[string][]string{},
			members: map[string][]string{"ann@acme.com": {"managed"}}}
		byRole := map[string][3]int{} // level of a, of b, chat
		for _, role := range []string{"r1", "r2", "r3", "r4"} {
			var rows []Row
			all := rapid.IntRange(0, 2).Draw(t, "all")
			conn := rapid.IntRange(0, 2).Draw(t, "connector")
			a := rapid.IntRange(0, 2).Draw(t, "a")
			chat := rapid.IntRange(0, 1).Draw(t, "chat")
			if all > 0 {
				rows = append(rows, Row{Action: actions[all], ResourceType: "all_connectors"})
			}
			if conn > 0 {
				rows = append(rows, Row{Action: actions[conn], ResourceType: "connector", ConnectorID: "mcpsrv_jira"})
			}
			if a > 0 {
				rows = append(rows, toolRow("a", actions[a]))
			}
			if chat > 0 {
				rows = append(rows, Row{Action: "chat", ResourceType: "organization"})
			}
			w.roles[role] = rows
			byRole[role] = [3]int{max(all, conn, a), max(all, conn), chat}
		}
		want := [3]int{}
		for _, g := range []string{"g1", "g2", "g3"} {
			w.groups[g] = []string{}
			in := rapid.Bool().Draw(t, "in")
			if in {
				w.members["ann@acme.com"] = append(w.members["ann@acme.com"], g)
			}
			for role, has := range byRole {
				if rapid.Bool().Draw(t, "attached") {
					w.groups[g] = append(w.groups[g], role)
					for i := range want {
						if in {
							want[i] = max(want[i], has[i])
						}
					}
				}
			}
		}
		m, readings := s.Access(s.live(w))
		view := access.NewView(m, readings[0][0])
		for i, perm := range []string{"connector.jira.a", "connector.jira.b", "capability.chat"} {
			p, _ := m.Universe.Find(perm)
			if got := int(m.Universe.Get(view.Access(0), p)); got != want[i] {
				t.Fatalf("%s is %d, want %d", perm, got, want[i])
			}
		}
	})
}

// TestBlanketCapabilities checks what the two blanket rows cover, and that
// neither covers administration.
//
// Source: anthropic-sdk-go v1.84.0, BetaRBACRolePermission; read 2026-11-22.
func TestBlanketCapabilities(t *testing.T) {
	tests := map[string]struct {
		action                              string
		named, tomorrow, preview, connector string
	}{
		"all":    {"capability_access_all", "allowed", "allowed", "allowed", "blocked"},
		"all-ga": {"capability_access_all_ga", "allowed", "allowed", "none", "blocked"},
		"one":    {"memory", "none", "none", "none", "blocked"},
	}
	s := New(configure(t, organizationText))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			settings, rest := allOn()
			settings["memory_enabled"] = false
			w := world{settings: settings, groups: map[string][]string{"g": {"r"}},
				roles:   map[string][]Row{"r": {{Action: tt.action, ResourceType: "organization"}}, "rest": rest},
				members: map[string][]string{"ann@acme.com": {"managed", "g"}}}
			want := map[string]string{
				"capability.chat": tt.named, "capability.cowork": tt.named, "capability.memory": "none",
				"capability.*": tt.tomorrow, "capability.*preview": tt.preview,
				"admin.billing": "none", "admin.identity_access": "none", "connector.*": tt.connector,
			}
			got := map[string]string{}
			for p := range want {
				got[p] = level(t, s, w, "ann@acme.com", p)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("levels (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPreviewsAreNotGenerallyAvailable has a feature that is declared to be a
// preview: the one blanket covers it, the other does not.
//
// Source: anthropic-sdk-go v1.84.0, BetaRBACRolePermission; read 2026-11-22.
func TestPreviewsAreNotGenerallyAvailable(t *testing.T) {
	for action, want := range map[string][2]string{"capability_access_all": {"allowed", "allowed"}, "capability_access_all_ga": {"none", "allowed"}, "web_search": {"allowed", "none"}} {
		settings, rest := allOn()
		w := world{settings: settings, groups: map[string][]string{"g": {"r"}},
			roles:   map[string][]Row{"r": {{Action: action, ResourceType: "organization"}}, "rest": rest},
			members: map[string][]string{"ann@acme.com": {"managed", "g"}}}
		s := New(configure(t, organizationText+"feature \"web_search\" {\n enabled = true\n preview = true\n}\n"))
		if got := [2]string{level(t, s, w, "ann@acme.com", "capability.web_search"), level(t, s, w, "ann@acme.com", "capability.chat")}; got != want {
			t.Errorf("%s: a preview and chat are %v, want %v", action, got, want)
		}
	}
}

// TestFeatureOffIsOffForEverybody holds for owners too.
func TestFeatureOffIsOffForEverybody(t *testing.T) {
	s := New(configure(t, organizationText))
	for _, role := range []string{"user", "managed", "membership_admin", "owner", "primary_owner"} {
		t.Run(role, func(t *testing.T) {
			settings, rest := allOn()
			w := world{settings: settings, groups: map[string][]string{"g": {"r"}},
				roles:   map[string][]Row{"r": {{Action: "web_search", ResourceType: "organization"}}, "rest": rest},
				members: map[string][]string{"ann@acme.com": {role, "g"}}}
			for on, want := range map[bool]string{true: "allowed", false: "none"} {
				settings["web_search_enabled"] = on
				if got := level(t, s, w, "ann@acme.com", "capability.web_search"); got != want {
					t.Errorf("with the feature on=%v: %s, want %s", on, got, want)
				}
			}
		})
	}
}

// TestUnknownToggleGivesTwoReadings never guesses.
func TestUnknownToggleGivesTwoReadings(t *testing.T) {
	settings, _ := allOn() // cowork has no setting, and no row shows it here
	w := world{settings: settings, groups: map[string][]string{"g": {"r"}},
		roles:   map[string][]Row{"r": {{Action: "capability_access_all", ResourceType: "organization"}, {Action: "claude_code", ResourceType: "organization"}}},
		members: map[string][]string{"ann@acme.com": {"managed", "g"}, "own@acme.com": {"owner"}}}
	s := New(configure(t, organizationText))
	live := s.live(w)
	m, readings := s.Access(live, live)
	for i := range readings {
		for _, email := range m.Members {
			if diff := cmp.Diff([]string{"none", "allowed"}, levels(t, m, readings[i], email, "capability.cowork")); diff != "" {
				t.Errorf("cowork of %s (-want +got):\n%s", email, diff)
			}
			if diff := cmp.Diff([]string{"allowed", "allowed"}, levels(t, m, readings[i], email, "capability.claude_code")); diff != "" {
				t.Errorf("claude_code of %s (-want +got):\n%s", email, diff)
			}
		}
	}
	// A state that knows it has as many readings as one that does not.
	known := schema.NewState()
	for _, o := range live.Objects {
		c := o.Clone()
		if c.Type == "feature" {
			c.Put(attrEnabled, schema.Bool(true))
		}
		known.Add(c)
	}
	m, readings = s.Access(live, known)
	if len(readings[0]) != 2 || len(readings[1]) != 2 {
		t.Fatalf("%d and %d readings, want 2 and 2", len(readings[0]), len(readings[1]))
	}
	if diff := cmp.Diff([]string{"allowed", "allowed"}, levels(t, m, readings[1], "ann@acme.com", "capability.cowork")); diff != "" {
		t.Errorf("cowork where it is known (-want +got):\n%s", diff)
	}
}

// TestUnreadableRolesGiveTwoReadings covers role_ids null: the group may have
// any role, or none.
func TestUnreadableRolesGiveTwoReadings(t *testing.T) {
	settings, rest := allOn()
	w := world{settings: settings, unknown: []string{"dark"}, groups: map[string][]string{"dark": nil, "lit": {"base"}},
		roles: map[string][]Row{"base": {{Action: "chat", ResourceType: "organization"}, toolRow("search", "use")},
			"more": {toolRow("search", "always_allow"), {Action: "permission_privacy_manage", ResourceType: "organization"}}, "rest": rest},
		members: map[string][]string{"ann@acme.com": {"managed", "dark"}, "bob@acme.com": {"managed", "lit"}, "cyd@acme.com": {"managed", "lit", "dark"}, "usr@acme.com": {"user", "dark"}}}
	s := New(configure(t, organizationText+"connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"search\"]\n}\n"))
	m, readings := s.Access(s.live(w))
	tests := map[string]map[string][]string{
		"ann@acme.com": {"capability.chat": {"none", "allowed"}, "connector.jira.search": {"blocked", "always_allow"}, "admin.privacy": {"none", "manage"}},
		"bob@acme.com": {"capability.chat": {"allowed", "allowed"}, "connector.jira.search": {"needs_approval", "needs_approval"}, "admin.privacy": {"none", "none"}},
		"cyd@acme.com": {"capability.chat": {"allowed", "allowed"}, "connector.jira.search": {"needs_approval", "always_allow"}, "admin.privacy": {"none", "manage"}},
		"usr@acme.com": {"capability.chat": {"allowed", "allowed"}, "connector.jira.search": {"always_allow", "always_allow"}, "admin.privacy": {"none", "none"}},
	}
	for email, want := range tests {
		got := map[string][]string{}
		for p := range want {
			got[p] = levels(t, m, readings[0], email, p)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", email, diff)
		}
	}
}

// TestForeignRolesAndPeopleCountForNothing covers groups that are shared with
// other organizations under the same parent.
func TestForeignRolesAndPeopleCountForNothing(t *testing.T) {
	settings, rest := allOn()
	w := world{settings: settings, foreign: []string{"g"}, strange: []string{"g"}, groups: map[string][]string{"g": nil},
		roles: map[string][]Row{"rest": rest}, members: map[string][]string{"ann@acme.com": {"managed", "g"}}}
	s := New(configure(t, organizationText))
	if got := level(t, s, w, "ann@acme.com", "capability.chat"); got != "none" {
		t.Errorf("chat is %s, want none: the role is another organization's", got)
	}
	live := s.live(w)
	m, readings := s.Access(live)
	if diff := cmp.Diff([]string{"ann@acme.com"}, m.Members); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if n := access.Granted(m, readings[0][0], 0); n != 0 {
		t.Errorf("%d sources count, want 0", n)
	}
	g := live.Objects["group.g"]
	if diff := cmp.Diff([]string{"rbac_role_elsewhere"}, g.Get(attrForeignRoles).AsSet()); diff != "" {
		t.Errorf("foreign roles (-want +got):\n%s", diff)
	}
	if got := g.Get(attrForeignMembers).AsText(); got != "1" {
		t.Errorf("foreign members: %q, want 1", got)
	}
	if diff := cmp.Diff([]string{"ann@acme.com"}, g.Get(attrMembers).AsSet()); diff != "" {
		t.Errorf("members of the group (-want +got):\n%s", diff)
	}
}

// TestConnectorRows reads every form in which a level can be written, and the
// rows that say nothing of a level.
//
// Source: anthropic-sdk-go v1.84.0, BetaRBACRolePermission. That an
// all-connectors row and narrower rows add up is inferred; a probe role would
// show it. Read 2026-11-22.
func TestConnectorRows(t *testing.T) {
	row := func(typ, action string) Row {
		r := Row{Action: action, ResourceType: typ}
		if typ != "all_connectors" {
			r.ConnectorID = "mcpsrv_jira"
		}
		return r
	}
	type want struct{ Search, Delete, Jira, Slack, Tomorrow string }
	const no, ask, yes = "blocked", "needs_approval", "always_allow"
	tests := map[string]struct {
		rows []Row
		want want
	}{
		"no-rows":                       {nil, want{no, no, no, no, no}},
		"all-always":                    {[]Row{row("all_connectors", "always_allow")}, want{yes, yes, yes, yes, yes}},
		"all-always-and-use":            {[]Row{row("all_connectors", "use"), row("all_connectors", "always_allow")}, want{yes, yes, yes, yes, yes}},
		"all-always-before-use":         {[]Row{row("all_connectors", "always_allow"), row("all_connectors", "use")}, want{yes, yes, yes, yes, yes}},
		"all-use":                       {[]Row{row("all_connectors", "use")}, want{ask, ask, ask, ask, ask}},
		"connector-always":              {[]Row{row("connector", "always_allow")}, want{yes, yes, yes, no, no}},
		"connector-always-and-use":      {[]Row{row("connector", "always_allow"), row("connector", "use")}, want{yes, yes, yes, no, no}},
		"connector-use":                 {[]Row{row("connector", "use")}, want{ask, ask, ask, no, no}},
		"tool-use":                      {[]Row{toolRow("search", "use")}, want{ask, no, no, no, no}},
		"tool-always":                   {[]Row{toolRow("search", "always_allow")}, want{yes, no, no, no, no}},
		"tool-always-and-use":           {[]Row{toolRow("search", "use"), toolRow("search", "always_allow")}, want{yes, no, no, no, no}},
		"all-use-connector-always":      {[]Row{row("all_connectors", "use"), row("connector", "always_allow")}, want{yes, yes, yes, ask, ask}},
		"all-always-connector-use":      {[]Row{row("all_connectors", "always_allow"), row("connector", "use")}, want{yes, yes, yes, yes, yes}},
		"all-use-tool-always":           {[]Row{row("all_connectors", "use"), toolRow("search", "always_allow")}, want{yes, ask, ask, ask, ask}},
		"grant-says-nothing-of-a-level": {[]Row{row("all_connectors", "grant"), row("connector", "grant")}, want{no, no, no, no, no}},
		"scope-says-nothing-of-a-level": {[]Row{{Action: "grant", ResourceType: "connector_scope", ConnectorID: "mcpsrv_jira", Scope: "read"}}, want{no, no, no, no, no}},
		"interactive-and-managed":       {[]Row{row("connector", "interactive"), row("all_connectors", "managed")}, want{no, no, no, no, no}},
		"use-beside-interactive":        {[]Row{row("connector", "interactive"), row("connector", "use"), row("connector", "managed")}, want{ask, ask, ask, no, no}},
		"action-nobody-knows":           {[]Row{row("connector", "sometimes")}, want{no, no, no, no, no}},
		"resource-nobody-knows":         {[]Row{{Action: "use", ResourceType: "galaxy"}}, want{no, no, no, no, no}},
	}
	s := New(configure(t, organizationText+`
connector "jira" {
  id    = "mcpsrv_jira"
  tools = ["search", "delete"]
}
connector "slack" {
  id = "mcpsrv_slack"
}
`))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			settings, rest := allOn()
			w := world{settings: settings, roles: map[string][]Row{"r": tt.rows, "rest": rest}, groups: map[string][]string{"g": {"r"}},
				members: map[string][]string{"ann@acme.com": {"managed", "g"}}}
			l := func(p string) string { return level(t, s, w, "ann@acme.com", p) }
			got := want{l("connector.jira.search"), l("connector.jira.delete"), l("connector.jira.*"), l("connector.slack.*"), l("connector.*")}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("levels (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMoreSpecificWinsInsideOneRole is what the configuration says, where rows
// of the API only add up: a connector that is named is held under the default.
func TestMoreSpecificWinsInsideOneRole(t *testing.T) {
	tests := map[string]struct {
		role string
		want [3]string // jira.search, jira.delete, slack.*
	}{
		"default-only":          {`connector_default = "needs_approval"`, [3]string{"needs_approval", "needs_approval", "needs_approval"}},
		"custom":                {`connector_default = "custom"`, [3]string{"blocked", "blocked", "blocked"}},
		"blocked":               {`connector_default = "blocked"`, [3]string{"blocked", "blocked", "blocked"}},
		"nothing-written":       {``, [3]string{"blocked", "blocked", "blocked"}},
		"connector-above":       {"connector_default = \"needs_approval\"\nconnector \"jira\" {\n access = \"always_allow\"\n}", [3]string{"always_allow", "always_allow", "needs_approval"}},
		"connector-below":       {"connector_default = \"always_allow\"\nconnector \"jira\" {\n access = \"needs_approval\"\n}", [3]string{"needs_approval", "needs_approval", "always_allow"}},
		"connector-blocked":     {"connector_default = \"always_allow\"\nconnector \"jira\" {\n access = \"blocked\"\n}", [3]string{"blocked", "blocked", "always_allow"}},
		"tools-under-a-default": {"connector_default = \"always_allow\"\nconnector \"jira\" {\n tools = { search = \"needs_approval\" }\n}", [3]string{"needs_approval", "blocked", "always_allow"}},
		"tools-alone":           {"connector \"jira\" {\n tools = { search = \"always_allow\" }\n}", [3]string{"always_allow", "blocked", "blocked"}},
		"tool-blocked":          {"connector_default = \"needs_approval\"\nconnector \"jira\" {\n tools = { search = \"blocked\", delete = \"always_allow\" }\n}", [3]string{"blocked", "always_allow", "needs_approval"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := New(configure(t, organizationText+"connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"search\", \"delete\"]\n}\nconnector \"slack\" {\n id = \"mcpsrv_slack\"\n}\n"+
				"role \"r\" {\n capabilities = []\n"+tt.role+"\n}\n"))
			d, diags := s.Describe()
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			st := schema.NewState()
			for _, o := range d.Objects {
				if o.Type == "role" || o.Type == "connector" {
					st.Add(o)
				}
			}
			g := &schema.Object{Type: "group", Addr: "group.g", Key: "g"}
			g.Put(attrRoles, schema.Set("role.r"))
			g.Put(attrMembers, schema.Set("ann@acme.com"))
			m1 := &schema.Object{Type: "member", Addr: memberAddress("ann@acme.com"), Key: "ann@acme.com"}
			m1.Put(attrOrganizationRole, schema.Text(roleManaged))
			st.Add(g)
			st.Add(m1)
			m, readings := s.Access(st)
			for i, p := range []string{"connector.jira.search", "connector.jira.delete", "connector.slack.*"} {
				if got := levels(t, m, readings[0], "ann@acme.com", p)[0]; got != tt.want[i] {
					t.Errorf("%s is %s, want %s", p, got, tt.want[i])
				}
			}
		})
	}
}

// TestConnectorPermissionsOff checks that roles say nothing of connectors
// where the vendor has not enabled it: whoever has a role has them like
// everybody else, and who has none has nothing.
func TestConnectorPermissionsOff(t *testing.T) {
	s := New(configure(t, strings.Replace(organizationText, "}", "connector_permissions = \"off\"\n}", 1)+"connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"search\"]\n tool_policy = { search = \"needs_approval\" }\n}\n"))
	settings, rest := allOn()
	w := world{settings: settings, roles: map[string][]Row{"rest": rest}, groups: map[string][]string{"g": {"rest"}},
		members: map[string][]string{"ann@acme.com": {"managed", "g"}, "bob@acme.com": {"managed"}}}
	for perm, want := range map[string]string{"connector.jira.search": "needs_approval", "connector.jira.*": "always_allow", "connector.*": "always_allow",
		"admin.billing": "none"} {
		if got := level(t, s, w, "ann@acme.com", perm); got != want {
			t.Errorf("%s is %s, want %s", perm, got, want)
		}
		if got := level(t, s, w, "bob@acme.com", perm); got != "none" && got != "blocked" {
			t.Errorf("%s is %s for a member without a role", perm, got)
		}
	}
}

// TestAdminPermissions gives areas through roles to managed members only, and
// everything to owners.
func TestAdminPermissions(t *testing.T) {
	s := New(configure(t, organizationText))
	var rows []Row
	for _, a := range adminAreas {
		rows = append(rows, Row{Action: adminPrefix + a.area + "_" + a.levels[0], ResourceType: "organization"})
	}
	rows = append(rows, Row{Action: "permission_privacy_manage", ResourceType: "organization"}, Row{Action: "permission_galaxy_manage", ResourceType: "organization"})
	settings, rest := allOn()
	w := world{settings: settings, roles: map[string][]Row{"r": rows, "rest": rest}, groups: map[string][]string{"g": {"r"}}, members: map[string][]string{}}
	for _, role := range []string{"user", "managed", "membership_admin", "owner", "primary_owner"} {
		w.members[role+"@acme.com"] = []string{role, "g"}
	}
	for _, a := range adminAreas {
		given := a.levels[0]
		if a.area == "privacy" {
			given = "manage"
		}
		for role, want := range map[string]string{"user": "none", "membership_admin": "none", "managed": given, "owner": "manage", "primary_owner": "manage"} {
			if got := level(t, s, w, role+"@acme.com", permAdmin(a.area)); got != want {
				t.Errorf("%s of %s is %s, want %s", a.area, role, got, want)
			}
		}
	}
}

// TestSpendLimits resolves limits as the vendor does: a member's own, else the
// lowest or highest of the groups', else none.
//
// Source: help centre, group spend limits; Spend Limits API guide; read
// 2026-11-22.
func TestSpendLimits(t *testing.T) {
	amount := func(s string) *string { return &s }
	group := func(name string, a *string) SpendLimit {
		return SpendLimit{ID: "spl_" + name, ScopeType: "rbac_group", GroupID: "rbac_group_" + name, Amount: a, Period: "monthly"}
	}
	own := func(email string, a *string, period string) SpendLimit {
		return SpendLimit{ID: "spl_" + email, ScopeType: "user", UserID: "user_" + email, Amount: a, Period: period}
	}
	tests := map[string]struct {
		limits          []SpendLimit
		lowest, highest access.Limit
	}{
		"nothing-set":           {nil, access.Unlimited, access.Unlimited},
		"one-group":             {[]SpendLimit{group("a", amount("10000"))}, 10000, 10000},
		"two-groups":            {[]SpendLimit{group("a", amount("10000")), group("b", amount("20000"))}, 10000, 20000},
		"zero-is-a-limit":       {[]SpendLimit{group("a", amount("0")), group("b", amount("20000"))}, 0, 20000},
		"group-of-others":       {[]SpendLimit{group("c", amount("1"))}, access.Unlimited, access.Unlimited},
		"unlimited-group":       {[]SpendLimit{group("a", nil), group("b", amount("20000"))}, 20000, access.Unlimited},
		"own-lower":             {[]SpendLimit{group("a", amount("10000")), own("ann@acme.com", amount("500"), "monthly")}, 500, 500},
		"own-higher":            {[]SpendLimit{group("a", amount("10000")), own("ann@acme.com", amount("99900"), "monthly")}, 99900, 99900},
		"own-unlimited":         {[]SpendLimit{group("a", amount("10000")), own("ann@acme.com", nil, "monthly")}, access.Unlimited, access.Unlimited},
		"own-zero":              {[]SpendLimit{group("a", amount("10000")), own("ann@acme.com", amount("0"), "monthly")}, 0, 0},
		"own-of-another-period": {[]SpendLimit{group("a", amount("10000")), own("ann@acme.com", amount("500"), "weekly")}, 10000, 10000},
		"own-of-somebody-else":  {[]SpendLimit{group("a", amount("10000")), own("bob@acme.com", amount("500"), "monthly")}, 10000, 10000},
	}
	for name, tt := range tests {
		for precedence, want := range map[string]access.Limit{"lowest": tt.lowest, "highest": tt.highest} {
			t.Run(name+"/"+precedence, func(t *testing.T) {
				s := New(configure(t, strings.Replace(organizationText, "}", fmt.Sprintf("spend_precedence = %q\n}", precedence), 1)))
				settings, rest := allOn()
				w := world{settings: settings, limits: tt.limits, roles: map[string][]Row{"rest": rest},
					groups:  map[string][]string{"a": nil, "b": nil, "c": nil},
					members: map[string][]string{"ann@acme.com": {"user", "a", "b"}, "bob@acme.com": {"user"}}}
				m, readings := s.Access(s.live(w))
				if got := access.NewView(m, readings[0][0]).Setting(m.Member("ann@acme.com"), 0); got != want {
					t.Errorf("limit %q, want %q", got, want)
				}
			})
		}
	}
}
