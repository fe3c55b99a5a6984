package claude

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/schema"
)

// thing makes an object; attributes come in pairs of a name and a value. A
// live object has an id, which is "id_" and its key.
func thing(typ, key string, attrs ...any) *schema.Object {
	o := &schema.Object{Type: typ, Addr: schema.MakeAddress(typ, key, ""), Key: key, ID: "id_" + key, Attrs: map[string]schema.Value{}}
	for i := 0; i < len(attrs); i += 2 {
		o.Put(attrs[i].(string), attrs[i+1].(schema.Value))
	}
	return o
}

func stateOf(objects ...*schema.Object) *schema.State {
	st := schema.NewState()
	for _, o := range objects {
		st.Add(o.Clone())
	}
	return st
}

// changesOf compares two states attribute by attribute.
func changesOf(live, desired *schema.State) []*schema.Change {
	var list []*schema.Change
	addrs := slices.Sorted(maps.Keys(live.Objects))
	addrs = slices.AppendSeq(addrs, maps.Keys(desired.Objects))
	slices.Sort(addrs)
	for _, addr := range slices.Compact(addrs) {
		have, want := live.Objects[addr], desired.Objects[addr]
		c := &schema.Change{Addr: addr, Action: schema.Update, Before: have, After: want}
		switch {
		case want == nil:
			c.Action = schema.Delete
			list = append(list, c)
			continue
		case have == nil:
			c.Action = schema.Create
		}
		for _, name := range slices.Sorted(maps.Keys(want.Attrs)) {
			before := schema.Absent
			if have != nil {
				before = have.Get(name)
			}
			if have == nil || !before.Equal(want.Attrs[name]) {
				c.Fields = append(c.Fields, schema.Field{Name: name, Before: before, After: want.Attrs[name]})
				if name == attrName && have != nil {
					c.Action = schema.Rename
				}
			}
		}
		if len(c.Fields) > 0 || have == nil {
			list = append(list, c)
		}
	}
	return list
}

// expand returns the steps between two states by id.
func expand(t testing.TB, config string, live, desired *schema.State) map[string]schema.Step {
	t.Helper()
	s := New(configure(t, organizationText+config))
	steps := map[string]schema.Step{}
	for _, step := range s.Expand(changesOf(live, desired), live, desired) {
		if _, ok := steps[step.ID]; ok {
			t.Errorf("two steps are called %s", step.ID)
		}
		if !slices.Contains(s.Phases(), step.Phase) {
			t.Errorf("%s is of phase %q", step.ID, step.Phase)
		}
		if (step.Via == schema.ByAPI) != (step.Request != nil) || (step.Via == schema.ByConsole) != (step.Console != nil) {
			t.Errorf("%s is carried out by %s and has request %v, console %v", step.ID, step.Via, step.Request, step.Console)
		}
		steps[step.ID] = step
	}
	return steps
}

func ids(steps map[string]schema.Step) []string { return slices.Sorted(maps.Keys(steps)) }

// request writes a request in one line.
func request(s schema.Step) string {
	if s.Request == nil {
		return "console"
	}
	return strings.TrimSpace(s.Request.Method + " " + s.Request.Path + " " + string(s.Request.Body))
}

func moves(s schema.Step) []string {
	list := []string{}
	for _, v := range s.Moves {
		list = append(list, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s %s %s>%s", v.Kind, v.Member, v.Group, v.Source, v.Permission, v.From, v.To)), " "))
	}
	slices.Sort(list)
	return list
}

const jiraBlock = "connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"search\", \"delete\"]\n}\nconnector \"slack\" {\n id = \"mcpsrv_slack\"\n}\n"

// TestRoleTable checks what a person is told to enter for a new role, with
// what has to be switched off because it is on by default.
//
// Source: help centre, custom roles; read 2026-11-22.
func TestRoleTable(t *testing.T) {
	tests := map[string]struct {
		role *schema.Object
		want []string
	}{
		"empty": {thing("role", "Void", attrCapabilities, schema.Set(), attrConnectorDefault, schema.Text("custom")), []string{
			"Name: Void", "Capabilities: “Only selected”, and exactly these on: none (Chat is on in a new role: switch it off)",
			"Permissions: leave all on “No access”", "Connectors: “All connectors” on “Custom”", "Save. Do not attach it to a group yet."}},
		"without-chat": {thing("role", "Extra", attrCapabilities, schema.Set("memory", "cowork"), attrConnectorDefault, schema.Text("custom")), []string{
			"Name: Extra", "Capabilities: “Only selected”, and exactly these on: Claude Cowork, Memory (Chat is on in a new role: switch it off)",
			"Permissions: leave all on “No access”", "Connectors: “All connectors” on “Custom”", "Save. Do not attach it to a group yet."}},
		"everything": {thing("role", "Full", attrDescription, schema.Text("All."), attrCapabilities, schema.Set("chat"),
			attrAdmin, schema.Map(map[string]string{"libraries": "manage", "billing": "view"}), attrConnectorDefault, schema.Text("needs_approval"),
			attrConnectors, schema.Map(map[string]string{"slack": "always_allow"}), attrTools, schema.Map(map[string]string{"jira.search": "always_allow"}),
			attrBelow, schema.Map(map[string]string{"jira": "custom"})), []string{
			"Name: Full", "Description: All.", "Capabilities: “Only selected”, and exactly these on: Chat",
			"Permissions: Identity & Access on “No access”", "Permissions: Billing on “Can view”", "Permissions: Analytics on “No access”",
			"Permissions: Privacy on “No access”", "Permissions: User Management on “No access”", "Permissions: Libraries on “Can manage”", "Permissions: Directory management on “No access”", "Connectors: “All connectors” on “Needs approval”",
			"Connectors: slack on “Always allow”", "Connectors: jira on “Custom”, its tool search on “Always allow”",
			"Connectors: jira on “Custom”, with no tool above what stands here", "Save. Do not attach it to a group yet."}},
		"all":    {thing("role", "A", attrCapabilities, schema.Set("all")), []string{"Name: A", "Capabilities: Capability access on “All capabilities”", "Permissions: leave all on “No access”", "Save. Do not attach it to a group yet."}},
		"all-ga": {thing("role", "A", attrCapabilities, schema.Set("all_ga")), []string{"Name: A", "Capabilities: Capability access on “All generally available”", "Permissions: leave all on “No access”", "Save. Do not attach it to a group yet."}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.role.ID = ""
			steps := expand(t, jiraBlock, stateOf(), stateOf(tt.role))
			if len(steps) != 1 {
				t.Fatalf("steps %v, want one", ids(steps))
			}
			step := steps[string(tt.role.Addr)+"/create"]
			if diff := cmp.Diff(tt.want, step.Console.Do); diff != "" {
				t.Errorf("what to do (-want +got):\n%s", diff)
			}
			if step.Console.Where != "Organization settings › Roles › Create role" || step.Phase != phaseRoles || step.Settle != 900 {
				t.Errorf("%s, phase %s, settles in %d s", step.Console.Where, step.Phase, step.Settle)
			}
		})
	}
}

func TestRoleEditInTwoHalves(t *testing.T) {
	live := thing("role", "r", attrName, schema.Text("r"), attrCapabilities, schema.Set("chat", "memory"), attrAdmin, schema.Map(map[string]string{"billing": "manage"}),
		attrConnectorDefault, schema.Text("always_allow"), attrConnectors, schema.Map(nil), attrTools, schema.Map(map[string]string{"jira.delete": "needs_approval"}))
	want := thing("role", "r", attrName, schema.Text("r"), attrCapabilities, schema.Set("chat", "cowork"), attrAdmin, schema.Map(map[string]string{"billing": "view", "privacy": "view"}),
		attrConnectorDefault, schema.Text("custom"), attrConnectors, schema.Map(map[string]string{"slack": "always_allow"}), attrTools, schema.Map(map[string]string{"jira.search": "always_allow"}))
	steps := expand(t, jiraBlock, stateOf(live), stateOf(want))
	if diff := cmp.Diff([]string{"role.r/add", "role.r/take"}, ids(steps)); diff != "" {
		t.Fatalf("steps (-want +got):\n%s", diff)
	}
	add, take := steps["role.r/add"], steps["role.r/take"]
	if add.Phase != phaseRoles || take.Phase != phaseRemovals {
		t.Errorf("phases %s and %s", add.Phase, take.Phase)
	}
	wantAdd := []string{"Capabilities: switch “Claude Cowork” on", "Permissions: Privacy to “Can view”", "Connectors: slack to “Always allow”",
		"Connectors: jira on “Custom”, its tool search to “Always allow”", "Leave everything else as it is, and save."}
	if diff := cmp.Diff(wantAdd, add.Console.Do); diff != "" {
		t.Errorf("what to add (-want +got):\n%s", diff)
	}
	wantTake := []string{"Capabilities: switch “Memory” off", "Permissions: Billing to “Can view”", "Connectors: “All connectors” to “Custom”",
		"Connectors: jira on “Custom”, its tool delete to “Blocked”", "Leave everything else as it is, and save."}
	if diff := cmp.Diff(wantTake, take.Console.Do); diff != "" {
		t.Errorf("what to take (-want +got):\n%s", diff)
	}
	wantUp := []string{
		"grant role.r (connector) connector.slack.* blocked>always_allow", "grant role.r (tool) connector.jira.search blocked>always_allow",
		"grant role.r admin.privacy none>view", "grant role.r capability.cowork none>allowed",
	}
	if diff := cmp.Diff(wantUp, moves(add)); diff != "" {
		t.Errorf("moves up (-want +got):\n%s", diff)
	}
	wantDown := []string{
		"grant role.r (all connectors) connector.* always_allow>blocked", "grant role.r (all connectors) connector.jira.* always_allow>blocked",
		"grant role.r (all connectors) connector.jira.delete always_allow>blocked", "grant role.r (all connectors) connector.jira.search always_allow>blocked",
		"grant role.r (all connectors) connector.slack.* always_allow>blocked", "grant role.r (tool) connector.jira.delete needs_approval>blocked",
		"grant role.r admin.billing manage>view", "grant role.r capability.memory allowed>none",
	}
	if diff := cmp.Diff(wantDown, moves(take)); diff != "" {
		t.Errorf("moves down (-want +got):\n%s", diff)
	}
}

func TestAttach(t *testing.T) {
	role := func(name string) *schema.Object { return thing("role", name, attrCapabilities, schema.Set("chat")) }
	group := func(name string, roles ...string) *schema.Object {
		return thing("group", name, attrRoles, schema.Set(roles...))
	}
	tests := map[string]struct {
		live, want []*schema.Object
		steps      map[string]string // first line of what to do
	}{
		"one-role-to-many-groups": {
			[]*schema.Object{group("g"), group("h")}, []*schema.Object{group("g", "role.a"), group("h", "role.a")},
			map[string]string{"role.a/attach": "Add: “g”, “h”"}},
		"many-roles-to-one-group": {
			[]*schema.Object{group("g")}, []*schema.Object{group("g", "role.a", "role.b")},
			map[string]string{"group.g/attach": "Add: “a”, “b”"}},
		"as-many-roles-as-groups": {
			[]*schema.Object{group("g"), group("h")}, []*schema.Object{group("g", "role.a"), group("h", "role.b")},
			map[string]string{"role.a/attach": "Add: “g”", "role.b/attach": "Add: “h”"}},
		"exchange": {
			[]*schema.Object{group("g", "role.a")}, []*schema.Object{group("g", "role.b")},
			map[string]string{"role.b/attach": "Add: “g”", "group.g/detach": "Remove: “a”"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			roles := []*schema.Object{role("a"), role("b")}
			steps := expand(t, "", stateOf(append(tt.live, roles...)...), stateOf(append(tt.want, roles...)...))
			got := map[string]string{}
			for id, s := range steps {
				got[id] = s.Console.Do[0]
				if phase := map[bool]string{true: phaseRemovals, false: phaseGroups}[strings.HasSuffix(id, "detach")]; s.Phase != phase {
					t.Errorf("%s is of phase %s, want %s", id, s.Phase, phase)
				}
			}
			if diff := cmp.Diff(tt.steps, got); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewGroup(t *testing.T) {
	g := thing("group", "My team", attrName, schema.Text("My team"), attrRoles, schema.Set("role.r"), attrMembers, schema.Set("ann@acme.com"), attrLimit, schema.Text("20000"))
	g.ID = ""
	r := thing("role", "r", attrCapabilities, schema.Set("chat"))
	r.ID = ""
	ann := thing("member", "ann@acme.com", attrOrganizationRole, schema.Text("user"))
	steps := expand(t, "", stateOf(ann), stateOf(ann, g, r))
	addr := `group["My team"]`
	want := map[string]string{
		addr + "/create":            `POST /v1/organizations/rbac_groups {"name":"My team"}`,
		addr + "/join/ann@acme.com": `POST /v1/organizations/rbac_groups/${` + "group%5B%22My%20team%22%5D" + `}/members {"user_id":"id_ann@acme.com"}`,
		addr + "/limit":             "console", "role.r/create": "console", "role.r/attach": "console",
	}
	got := map[string]string{}
	for id, s := range steps {
		got[id] = request(s)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	for id, needs := range map[string][]string{addr + "/create": nil, addr + "/join/ann@acme.com": {addr + "/create"},
		addr + "/limit": {addr + "/create"}, "role.r/create": nil, "role.r/attach": {addr + "/create", "role.r/create"}} {
		if diff := cmp.Diff(needs, steps[id].Needs); diff != "" {
			t.Errorf("needs of %s (-want +got):\n%s", id, diff)
		}
	}
	if do := steps[addr+"/limit"].Console.Do[0]; do != "Limit for each member: 200.00 a month." {
		t.Errorf("limit: %s", do)
	}
}

// TestProvisioningDecidesWhoWrites checks migration and removal under every
// provisioning mode.
//
// Source: Admin API reference, users: the identity provider manages roles
// under advanced provisioning, and membership under SCIM; read 2026-11-22.
func TestProvisioningDecidesWhoWrites(t *testing.T) {
	api := schema.ByAPI
	hand := schema.ByConsole
	tests := map[string]struct{ migrate, remove schema.Via }{
		"login_only": {api, api}, "jit_permissive": {api, api}, "jit_advanced": {hand, api}, "scim_permissive": {api, hand}, "scim_advanced": {hand, hand},
	}
	for mode, want := range tests {
		t.Run(mode, func(t *testing.T) {
			o := &schema.Object{Type: "organization", Addr: "organization", Key: "acme", Attrs: map[string]schema.Value{attrProvisioning: schema.Text(mode)}}
			ann := thing("member", "ann@acme.com", attrOrganizationRole, schema.Text("user"))
			old := thing("member", "old@acme.com", attrOrganizationRole, schema.Text("user"), attrLimit, schema.Text("500"))
			g := thing("group", "g", attrMembers, schema.Set("ann@acme.com", "old@acme.com"))
			after := thing("group", "g", attrMembers, schema.Set("ann@acme.com"))
			moved := thing("member", "ann@acme.com", attrOrganizationRole, schema.Text("managed"))
			steps := expand(t, "", stateOf(o, ann, old, g), stateOf(o, moved, after))
			move, remove := steps[`member["ann@acme.com"]/organization_role`], steps[`member["old@acme.com"]/remove`]
			if len(steps) != 2 || move.Via != want.migrate || remove.Via != want.remove {
				t.Fatalf("steps %v: %s and %s, want %+v", ids(steps), move.Via, remove.Via, want)
			}
			if got := request(move); want.migrate == api && got != `POST /v1/organizations/users/id_ann@acme.com {"role":"managed"}` {
				t.Errorf("request %s", got)
			}
			if got := request(remove); want.remove == api && got != `DELETE /v1/organizations/users/id_old@acme.com` {
				t.Errorf("request %s", got)
			}
			if want.migrate == hand && !strings.Contains(move.Console.Do[0], "mapped to “Custom roles”") {
				t.Errorf("what to do: %v", move.Console.Do)
			}
			if diff := cmp.Diff([]string{"member_setting old@acme.com 500>", "membership old@acme.com group.g in>out", "standing old@acme.com user>"}, moves(remove)); diff != "" {
				t.Errorf("moves of the removal (-want +got):\n%s", diff)
			}
			wantEffects := []schema.Effect{{Addr: `member["old@acme.com"]`, Op: schema.Drop}, {Addr: "group.g", Attr: attrMembers, Op: schema.Exclude, Item: "old@acme.com"}}
			if diff := cmp.Diff(wantEffects, remove.Effects); diff != "" {
				t.Errorf("effects of the removal (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFeatureSteps(t *testing.T) {
	feature := func(key string, on schema.Value) *schema.Object {
		o := thing("feature", key, attrEnabled, on)
		o.ID = ""
		return o
	}
	tests := map[string]struct {
		key    string
		before schema.Value
		on     bool
		proof  schema.Proof
		lines  int
		move   string
	}{
		"on-with-a-setting":      {"web_search", schema.Bool(false), true, schema.Exact, 2, "ceiling capability.web_search none>allowed"},
		"off-with-a-setting":     {"web_search", schema.Bool(true), false, schema.Exact, 2, "ceiling capability.web_search allowed>none"},
		"on-without-a-setting":   {"cowork", schema.Bool(false), true, schema.Event, 2, "ceiling capability.cowork none>allowed"},
		"on-and-nobody-knows":    {"cowork", schema.Unavailable("no event"), true, schema.Attested, 3, "ceiling capability.cowork none>allowed"},
		"action-is-not-its-name": {"saffron", schema.Bool(false), true, schema.Exact, 2, "ceiling capability.memory none>allowed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			steps := expand(t, "", stateOf(feature(tt.key, tt.before)), stateOf(feature(tt.key, schema.Bool(tt.on))))
			id := "feature." + tt.key + "/" + onOff(tt.on)
			s, ok := steps[id]
			if !ok || len(steps) != 1 {
				t.Fatalf("steps %v, want %s", ids(steps), id)
			}
			if s.Proof != tt.proof || s.Phase != phaseFeatures || len(s.Console.Do) != tt.lines {
				t.Errorf("proof %s, phase %s, what to do %q", s.Proof, s.Phase, s.Console.Do)
			}
			if diff := cmp.Diff([]string{tt.move}, moves(s)); diff != "" {
				t.Errorf("moves (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMemberLimitSteps(t *testing.T) {
	tests := map[string]struct {
		before, after schema.Value
		request, move string
	}{
		"set":       {schema.Absent, schema.Text("75000"), `POST /v1/organizations/spend_limits {"amount":"75000","period":"monthly","scope":{"type":"user","user_id":"id_ann@acme.com"}}`, "member_setting ann@acme.com >75000"},
		"zero":      {schema.Absent, schema.Text("0"), `POST /v1/organizations/spend_limits {"amount":"0","period":"monthly","scope":{"type":"user","user_id":"id_ann@acme.com"}}`, "member_setting ann@acme.com >0"},
		"unlimited": {schema.Text("500"), schema.Text("unlimited"), `POST /v1/organizations/spend_limits {"amount":null,"period":"monthly","scope":{"type":"user","user_id":"id_ann@acme.com"}}`, "member_setting ann@acme.com 500>unlimited"},
		"delete":    {schema.Text("500"), schema.Absent, `DELETE /v1/organizations/spend_limits/spl_1`, "member_setting ann@acme.com 500>"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			steps := expand(t, "", stateOf(thing("member", "ann@acme.com", attrLimit, tt.before, attrLimitID, schema.Text("spl_1"))),
				stateOf(thing("member", "ann@acme.com", attrLimit, tt.after, attrLimitID, schema.Text("spl_1"))))
			s := steps[`member["ann@acme.com"]/limit`]
			if got := request(s); got != tt.request || s.Phase != phaseSpend {
				t.Errorf("request %s in phase %s, want %s", got, s.Phase, tt.request)
			}
			if diff := cmp.Diff([]string{tt.move}, moves(s)); diff != "" {
				t.Errorf("moves (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStepsLeadFromOneStateToTheOther draws two states: the effects of all
// steps make one of the other, and so do their moves in the access model.
func TestStepsLeadFromOneStateToTheOther(t *testing.T) {
	s := New(configure(t, organizationText+jiraBlock))
	emails := []string{"ann@acme.com", "bob@acme.com", "cyd@acme.com"}
	rapid.Check(t, func(t *rapid.T) {
		some := func(what string, list ...string) []string {
			return slices.DeleteFunc(slices.Clone(list), func(string) bool { return !rapid.Bool().Draw(t, what) })
		}
		entries := func(what string, levels []string, keys ...string) schema.Value {
			m := map[string]string{}
			for _, k := range some(what, keys...) {
				m[k] = rapid.SampledFrom(levels).Draw(t, what)
			}
			return schema.Map(m)
		}
		limit := func() schema.Value {
			return rapid.SampledFrom([]schema.Value{schema.Absent, schema.Text("unlimited"), schema.Text("0"), schema.Text("500")}).Draw(t, "limit")
		}
		draw := func(live bool) *schema.State {
			st := schema.NewState()
			present := emails
			if !live { // one may be removed; nobody is added
				present = some("stays", emails...)
			}
			for _, e := range present {
				st.Add(thing("member", e, attrOrganizationRole, schema.Text(rapid.SampledFrom([]string{"user", "managed"}).Draw(t, "role")), attrLimit, limit(), attrLimitID, schema.Text("spl_1")))
			}
			for _, f := range []string{"web_search", "cowork"} {
				st.Add(thing("feature", f, attrEnabled, schema.Bool(rapid.Bool().Draw(t, "on"))))
			}
			for i, name := range []string{"a", "b", "c"} {
				if live && i == 2 {
					continue // to be created
				}
				above := []string{"needs_approval", "always_allow"}
				o := thing("role", name, attrName, schema.Text(name), attrCapabilities, schema.Set(some("capabilities", "chat", "memory", "cowork")...),
					attrAdmin, entries("admin", []string{"view", "manage"}, "billing", "privacy"),
					attrConnectorDefault, schema.Text(rapid.SampledFrom([]string{"custom", "needs_approval", "always_allow"}).Draw(t, "default")),
					attrConnectors, entries("connectors", above, "jira", "slack"), attrTools, entries("tools", above, "jira.search", "jira.delete"))
				if n := levelOf(o.Get(attrConnectorDefault).AsText()); n > 0 && i < 2 { // of a role that is there already
					o.Put(attrBelow, entries("below", []string{"blocked", "needs_approval"}[:n], "jira", "slack"))
				} else if i < 2 {
					o.Put(attrBelow, schema.Map(nil))
				}
				st.Add(o)
			}
			for i, name := range []string{"g", "h"} {
				if live && i == 1 {
					continue
				}
				roles := []string{"role.a", "role.b"}
				if !live {
					roles = append(roles, "role.c")
				}
				st.Add(thing("group", name, attrName, schema.Text(name), attrRoles, schema.Set(some("roles", roles...)...), attrMembers, schema.Set(some("members", present...)...), attrLimit, limit()))
			}
			return st
		}
		live, desired := draw(true), draw(false)
		steps := s.Expand(changesOf(live, desired), live, desired)

		objects := maps.Clone(live.Objects)
		m, readings := s.Access(live, desired)
		state := readings[0][0].Clone()
		for _, step := range steps {
			for _, f := range step.Effects {
				if o := f.Make(objects[f.Addr]); o != nil {
					objects[f.Addr] = o
				} else {
					delete(objects, f.Addr)
				}
			}
			for _, v := range step.Moves {
				b, err := m.Bind(v)
				if err != nil {
					t.Fatalf("%s: %v", step.ID, err)
				}
				state.Apply(m.Universe, b)
			}
		}
		if diff := cmp.Diff(plainly(desired.Objects), plainly(objects)); diff != "" {
			t.Fatalf("objects (-want +got):\n%s", diff)
		}
		if !state.Equal(readings[1][0]) {
			t.Fatalf("the moves do not lead to the desired access")
		}
	})
}

// plainly writes attributes so that what says nothing is left out.
func plainly(objects map[schema.Address]*schema.Object) map[string]string {
	m := map[string]string{}
	for addr, o := range objects {
		m[string(addr)] = o.Type
		for name, v := range o.Attrs {
			if name == attrName || name == attrLimitID || v.Kind() == schema.KindAbsent ||
				v.Kind() != schema.KindText && v.Kind() != schema.KindBool && len(v.AsSet())+len(v.AsMap()) == 0 || v.AsText() == "custom" {
				continue
			}
			m[string(addr)+"#"+name] = v.String()
		}
	}
	return m
}
