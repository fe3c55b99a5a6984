package claude

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// factRows are the rows of the vendor's tables and rules, by what they are
// about. TestFacts has a case for each of them.
//
// Source: help centre and product guides, connector permissions (connector,
// rows), groups, SCIM and provisioning (provisioning, parent), spend limits
// (spend); Plugins API guide, resolution (plugin). Read 2026-11-22.
var factRows = []string{
	// The organization's policy meets the best grant of a member's roles.
	"connector/always-always", "connector/always-approval", "connector/always-blocked",
	"connector/approval-always", "connector/approval-approval", "connector/approval-blocked", "connector/blocked-any",
	"connector/best-of-roles", "connector/built-in-skips-roles", "connector/future-under-custom",

	// What the console shows becomes rows.
	"rows/all-always", "rows/all-approval", "rows/one-always", "rows/one-approval", "rows/one-custom", "rows/one-blocked",
	"rows/under-a-default", "rows/scopes", "rows/methods",

	// What the provisioning mode leaves to the API.
	"provisioning/login_only", "provisioning/jit_permissive", "provisioning/jit_advanced", "provisioning/scim_permissive", "provisioning/scim_advanced",
	"provisioning/scim-group-read-only", "provisioning/scim-group-carries", "provisioning/scim-group-unsupported", "provisioning/same-name",
	"parent/foreign-people", "parent/foreign-roles", "parent/delete-affects-others",

	// Which limit a member has.
	"spend/own-lower", "spend/own-higher", "spend/own-unlimited", "spend/groups-lowest", "spend/groups-highest", "spend/seat-after-groups",
	"spend/seat", "spend/default", "spend/nothing", "spend/ceiling", "spend/service-is-nobodys", "spend/other-period", "spend/zero",

	// How a plugin is installed for a member.
	"plugin/own", "plugin/own-over-marketplace", "plugin/marketplace", "plugin/marketplace-never-set", "plugin/nothing", "plugin/group-replaces-by-less", "plugin/best-of-groups",
	"plugin/group-of-others", "plugin/hard-block", "plugin/whoever-is-in-the-group", "plugin/deleted-group", "plugin/new-word",
}

// TestFacts has a case for each row, and names those that are missing.
func TestFacts(t *testing.T) {
	cases := map[string]func(*testing.T){}
	for _, list := range []map[string]func(*testing.T){connectorFacts(), rowFacts(), provisioningFacts(), parentFacts(), spendFacts(), pluginFacts()} {
		for name, run := range list {
			if _, twice := cases[name]; twice {
				t.Errorf("two cases are called %s", name)
			}
			cases[name] = run
		}
	}
	for _, row := range factRows {
		run, ok := cases[row]
		if !ok {
			t.Errorf("no case for the row %s", row)
			continue
		}
		t.Run(row, run)
		delete(cases, row)
	}
	if len(cases) > 0 {
		t.Errorf("cases of no row: %v", slices.Sorted(maps.Keys(cases)))
	}
}

const twoConnectors = "connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"search\", \"delete\"]\n%s}\nconnector \"slack\" {\n id = \"mcpsrv_slack\"\n}\n"

// hasTool says what somebody with roles of these rows has of a tool under a
// policy.
func hasTool(policy, role, perm, want string, roles ...[]Row) func(*testing.T) {
	return func(t *testing.T) {
		settings, rest := allOn()
		w := world{settings: settings, roles: map[string][]Row{"rest": rest}, groups: map[string][]string{"g": nil}, members: map[string][]string{"ann@acme.com": {role, "g"}}}
		for i, rows := range roles {
			name := string(rune('a' + i))
			w.roles[name] = rows
			w.groups["g"] = append(w.groups["g"], name)
		}
		if policy != "" {
			policy = " policy = \"" + policy + "\"\n"
		}
		if got := level(t, New(configure(t, organizationText+strings.Replace(twoConnectors, "%s", policy, 1))), w, "ann@acme.com", perm); got != want {
			t.Errorf("%s is %s, want %s", perm, got, want)
		}
	}
}

func connectorFacts() map[string]func(*testing.T) {
	const search = "connector.jira.search"
	use, always := []Row{toolRow("search", "use")}, []Row{toolRow("search", "always_allow")}
	return map[string]func(*testing.T){
		"connector/always-always":        hasTool("always_allow", "managed", search, "always_allow", always),
		"connector/always-approval":      hasTool("always_allow", "managed", search, "needs_approval", use),
		"connector/always-blocked":       hasTool("always_allow", "managed", search, "blocked", nil),
		"connector/approval-always":      hasTool("needs_approval", "managed", search, "needs_approval", always),
		"connector/approval-approval":    hasTool("needs_approval", "managed", search, "needs_approval", use),
		"connector/approval-blocked":     hasTool("needs_approval", "managed", search, "blocked", nil),
		"connector/blocked-any":          hasTool("blocked", "managed", search, "blocked", always),
		"connector/best-of-roles":        hasTool("", "managed", search, "always_allow", use, nil, always),
		"connector/built-in-skips-roles": hasTool("needs_approval", "user", search, "needs_approval", nil),
		"connector/future-under-custom":  hasTool("", "managed", "connector.*", "blocked", always),
	}
}

func rowFacts() map[string]func(*testing.T) {
	all := func(action string) Row { return Row{Action: action, ResourceType: "all_connectors"} }
	one := func(action string) Row {
		return Row{Action: action, ResourceType: "connector", ConnectorID: "mcpsrv_jira"}
	}
	// reads checks what the language says of a role that has rows.
	reads := func(def, connectors, tools string, rows ...Row) func(*testing.T) {
		return func(t *testing.T) {
			o := New(configure(t, organizationText+strings.Replace(twoConnectors, "%s", "", 1))).roleObject(Role{ID: "r", Name: "R", RowsKnown: true, Rows: rows})
			if got := o.Get(attrConnectorDefault).AsText(); got != def {
				t.Errorf("default %s, want %s", got, def)
			}
			if got := o.Get(attrConnectors).String(); got != connectors {
				t.Errorf("connectors %s, want %s", got, connectors)
			}
			if got := o.Get(attrTools).String(); got != tools {
				t.Errorf("tools %s, want %s", got, tools)
			}
		}
	}
	const none = "{  }"
	return map[string]func(*testing.T){
		"rows/all-always":   reads("always_allow", none, none, all("always_allow"), all("use")),
		"rows/all-approval": reads("needs_approval", none, none, all("use")),
		"rows/one-always":   reads("custom", `{ jira = "always_allow" }`, none, one("use"), one("always_allow")),
		"rows/one-approval": reads("custom", `{ jira = "needs_approval" }`, none, one("use")),
		"rows/one-custom": reads("custom", none, `{ jira.delete = "needs_approval", jira.search = "always_allow" }`,
			toolRow("search", "always_allow"), toolRow("delete", "use")),
		"rows/one-blocked": reads("custom", none, none),
		"rows/under-a-default": func(t *testing.T) { // no row says it: asked for until it is confirmed
			p := planned(t, everythingOrganization+everythingUnread, unreadWorld(), confirmedAll(t, confirmations[:5]...))
			if !slices.Contains(asked(p), "role.base/take attested") {
				t.Errorf("steps %v", asked(p))
			}
		},
		"rows/scopes":  reads("needs_approval", none, none, all("use"), all("grant"), Row{Action: "grant", ResourceType: "connector_scope", ConnectorID: "mcpsrv_jira", Scope: "scope_0123456789abcdef0123456789abcdef"}),
		"rows/methods": reads("custom", `{ jira = "needs_approval" }`, none, one("use"), one("interactive"), one("managed"), all("interactive")),
	}
}

func provisioningFacts() map[string]func(*testing.T) {
	const people = "group \"g\" {\n members = [\"ann@acme.com\", \"new@acme.com\"]\n roles = [role.base]\n}\nrole \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n}\n" +
		"member \"old@acme.com\" {\n remove = true\n}\nmigration {\n wave \"w\" {\n members = [\"ann@acme.com\"]\n }\n}\nguard {\n max_members_losing_access = \"100%\"\n}\n"
	sends := strings.Replace(organizationText, "}", " invites = \"send\"\n}", 1)
	// mode says who does what under a provisioning mode.
	mode := func(mode string, invites, roles, removals bool) func(*testing.T) {
		return func(t *testing.T) {
			settings, rest := allOn()
			w := world{settings: settings, roles: map[string][]Row{"base": {{Action: "chat", ResourceType: "organization"}}, "rest": rest}, groups: map[string][]string{"g": {"base"}},
				members: map[string][]string{"ann@acme.com": {"user", "g"}, "old@acme.com": {"user"}, "own@acme.com": {"owner"}}}
			snap := w.snapshot()
			snap.Settings.Values["sso_provisioning_mode"] = Setting{Type: "provisioning_mode", Value: []byte(`"` + mode + `"`)}
			p := planned(t, sends+people, snap, confirmedAll(t))
			_, invited := p.Steps[`invite["new@acme.com"]/send`]
			move, remove := p.Steps[`member["ann@acme.com"]/organization_role`], p.Steps[`member["old@acme.com"]/remove`]
			if move == nil || remove == nil {
				t.Fatalf("steps %v", asked(p))
			}
			if invited != invites || (move.Via == schema.ByAPI) != roles || (remove.Via == schema.ByAPI) != removals {
				t.Errorf("invites %v, organization role by %s, removal by %s", invited, move.Via, remove.Via)
			}
		}
	}
	found := func(text string, snap *Snapshot, rule string, want bool) func(*testing.T) {
		return func(t *testing.T) {
			p := planned(t, organizationText+text, snap, confirmedAll(t))
			got := false
			for _, f := range p.Findings {
				got = got || f.Rule == rule
			}
			if got != want {
				t.Errorf("the finding %s is %v, want %v: %+v", rule, got, want, p.Findings)
			}
		}
	}
	synced := func(mode string) *Snapshot {
		settings, rest := allOn()
		snap := world{settings: settings, roles: map[string][]Row{"base": {{Action: "chat", ResourceType: "organization"}}, "rest": rest},
			groups: map[string][]string{"g": {"base"}}, members: map[string][]string{"ann@acme.com": {"managed", "g"}}}.snapshot()
		snap.Groups[0].SourceType = "scim"
		snap.Settings.Values["sso_provisioning_mode"] = Setting{Type: "provisioning_mode", Value: []byte(`"` + mode + `"`)}
		return snap
	}
	const carries = "group \"g\" {\n source = \"scim\"\n roles = [role.base]\n spend_limit { monthly = \"10\" }\n}\nrole \"base\" {}\n"
	twins := synced("scim_permissive")
	twins.Groups = append(twins.Groups, Group{ID: "rbac_group_twin", Name: "g", SourceType: "direct", RolesKnown: true, MembersKnown: true})
	return map[string]func(*testing.T){
		"provisioning/login_only":             mode("login_only", true, true, true),
		"provisioning/jit_permissive":         mode("jit_permissive", false, true, true),
		"provisioning/jit_advanced":           mode("jit_advanced", false, false, true),
		"provisioning/scim_permissive":        mode("scim_permissive", false, true, false),
		"provisioning/scim_advanced":          mode("scim_advanced", false, false, false),
		"provisioning/scim-group-read-only":   found("group \"g\" {\n members = []\n}\n", synced("scim_permissive"), "scim-membership-described", true),
		"provisioning/scim-group-unsupported": found(carries, synced("jit_permissive"), "scim-group-unsupported", true),
		"provisioning/same-name":              found("group \"g\" {}\n", twins, "duplicate-name", true),
		"provisioning/scim-group-carries": func(t *testing.T) {
			p := planned(t, organizationText+carries, synced("scim_permissive"), confirmedAll(t))
			if s := p.Steps["group.g/limit"]; s == nil || s.Via != schema.ByConsole || len(p.Steps) != 1 {
				t.Errorf("steps %v", asked(p))
			}
		},
	}
}

func parentFacts() map[string]func(*testing.T) {
	settings, rest := allOn()
	w := world{settings: settings, roles: map[string][]Row{"base": {{Action: "chat", ResourceType: "organization"}}, "rest": rest},
		groups: map[string][]string{"g": {"base"}}, members: map[string][]string{"ann@acme.com": {"managed", "g"}}, foreign: []string{"g"}, strange: []string{"g"}}
	const as = "group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n}\nrole \"base\" {}\n"
	nothing := func(t *testing.T) {
		if p := planned(t, organizationText+as, w.snapshot(), confirmedAll(t)); len(p.Steps) > 0 {
			t.Errorf("steps %v", asked(p))
		}
	}
	return map[string]func(*testing.T){
		"parent/foreign-people": nothing,
		"parent/foreign-roles":  nothing,
		"parent/delete-affects-others": func(t *testing.T) {
			p := planned(t, organizationText+"role \"base\" {}\nremoved {\n from = group.g\n name = \"g\"\n}\n", w.snapshot(), confirmedAll(t))
			if !slices.ContainsFunc(p.Findings, func(f plan.Finding) bool {
				return f.Rule == "shared-group" && strings.Contains(f.Message, "1 person and 1 role")
			}) {
				t.Errorf("findings %+v", p.Findings)
			}
		},
	}
}

func spendFacts() map[string]func(*testing.T) {
	limitOf := func(typ, amount string) SpendLimit {
		l := SpendLimit{ID: "spl_" + typ + amount, ScopeType: typ, Period: "monthly", IsEnabled: true}
		switch typ {
		case "a", "b":
			l.ScopeType, l.GroupID = "rbac_group", "rbac_group_"+typ
		case "user":
			l.UserID = "user_ann@acme.com"
		case "seat_tier":
			l.SeatTier = "enterprise_standard"
		case "organization_service":
			l.Service = "slack"
		}
		if amount != "" {
			l.Amount = &amount
		}
		return l
	}
	has := func(organization string, want access.Limit, limits ...SpendLimit) func(*testing.T) {
		return func(t *testing.T) {
			w := world{groups: map[string][]string{"a": nil, "b": nil}, members: map[string][]string{"ann@acme.com": {"user", "a", "b"}}, limits: limits}
			text := strings.Replace(organizationText, "}", organization+"\n}", 1) + "seat_tier \"enterprise_standard\" {\n members = [\"ann@acme.com\"]\n}\n"
			p := planned(t, text, w.snapshot(), confirmedAll(t, put(spendAddress, attrCeiling, schema.Text("5000")), put(spendAddress, attrPrecedence, schema.Text("highest")),
				put("seat_tier.enterprise_standard", attrMembers, schema.Set("ann@acme.com"))))
			m, readings := New(configure(t, text)).Access(p.Live)
			for _, r := range readings[0] {
				if got := access.NewView(m, r).Setting(m.Member("ann@acme.com"), m.Setting(monthlySpend)); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			}
		}
	}
	const capped, highest = "spend_ceiling { monthly = \"50\" }", "spend_precedence = \"highest\""
	lowest := func(want access.Limit, limits ...SpendLimit) func(*testing.T) { // nothing was confirmed: the reading that is documented as the default
		return func(t *testing.T) {
			w := world{groups: map[string][]string{"a": nil, "b": nil}, members: map[string][]string{"ann@acme.com": {"user", "a", "b"}}, limits: limits}
			s := New(configure(t, organizationText))
			m, readings := s.Access(s.live(w))
			if got := access.NewView(m, readings[0][0]).Setting(0, m.Setting(monthlySpend)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
	weekly := limitOf("user", "1")
	weekly.Period = "weekly"
	return map[string]func(*testing.T){
		"spend/own-lower":          lowest(1, limitOf("user", "1"), limitOf("a", "200"), limitOf("organization", "300")),
		"spend/own-higher":         lowest(900, limitOf("user", "900"), limitOf("a", "200"), limitOf("organization", "300")),
		"spend/own-unlimited":      lowest(access.Unlimited, limitOf("user", ""), limitOf("a", "200"), limitOf("organization", "300")),
		"spend/groups-lowest":      lowest(200, limitOf("a", "200"), limitOf("b", "400"), limitOf("organization", "100")),
		"spend/groups-highest":     has(highest, 400, limitOf("a", "200"), limitOf("b", "400"), limitOf("organization", "100")),
		"spend/seat-after-groups":  has(highest, 200, limitOf("a", "200"), limitOf("seat_tier", "900")),
		"spend/seat":               has(highest, 900, limitOf("seat_tier", "900"), limitOf("organization", "100")),
		"spend/default":            lowest(100, limitOf("organization", "100")),
		"spend/nothing":            lowest(access.Unlimited),
		"spend/ceiling":            has(capped, 5000, limitOf("user", "")),
		"spend/service-is-nobodys": lowest(access.Unlimited, limitOf("organization_service", "7")),
		"spend/other-period":       lowest(200, weekly, limitOf("a", "200")),
		"spend/zero":               lowest(0, limitOf("user", "0"), limitOf("a", "200")),
	}
}

func pluginFacts() map[string]func(*testing.T) {
	org := func(p string) PluginSetting { return PluginSetting{TargetType: "organization", Preference: p} }
	group := func(name, p string) PluginSetting {
		return PluginSetting{TargetType: "rbac_group", GroupID: "rbac_group_" + name, Preference: p}
	}
	has := func(marketplace string, role string, want []string, settings ...PluginSetting) func(*testing.T) {
		return func(t *testing.T) {
			snap := world{groups: map[string][]string{"a": nil, "b": nil, "c": nil}, members: map[string][]string{"ann@acme.com": {role, "a", "b"}}}.snapshot()
			snap.Marketplaces = []Marketplace{{ID: "marketplace_m", Name: "M", Default: marketplace}}
			snap.Plugins = []Plugin{{ID: "plugin_p", Name: "p", MarketplaceID: "marketplace_m", Settings: settings, SettingsKnown: true}}
			s := New(configure(t, organizationText))
			m, readings := s.Access(s.State(snap))
			var got []string
			k := m.Setting("plugin.p")
			for _, r := range readings[0] {
				got = append(got, m.Settings[k].Text(access.NewView(m, r).Setting(m.Member("ann@acme.com"), k)))
			}
			got = slices.Compact(got)
			if !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		}
	}
	one := func(s string) []string { return []string{s} }
	return map[string]func(*testing.T){
		"plugin/own":                     has("", "user", one("required"), org("required")),
		"plugin/own-over-marketplace":    has("required", "user", one("available"), org("available")),
		"plugin/marketplace":             has("auto_install", "user", one("auto_install")),
		"plugin/marketplace-never-set":   has("", "user", one("not_available")),
		"plugin/nothing":                 has("not_available", "user", one("not_available")),
		"plugin/group-replaces-by-less":  has("required", "user", one("available"), org("required"), group("a", "available")),
		"plugin/best-of-groups":          has("", "user", one("auto_install"), org("not_available"), group("a", "available"), group("b", "auto_install")),
		"plugin/group-of-others":         has("", "user", one("available"), org("available"), group("c", "required")),
		"plugin/hard-block":              has("required", "user", one("not_available"), org("not_available")),
		"plugin/whoever-is-in-the-group": has("", "managed", one("required"), group("a", "required")),
		"plugin/deleted-group":           has("", "user", one("not_available"), group("gone", "required")),
		"plugin/new-word":                has("", "user", []string{"not_available", "required"}, org("sometimes")),
	}
}
