package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/belay"
	"github.com/rolecall/rolecall/providers/conduit"
	"github.com/rolecall/rolecall/providers/elvex"
	"github.com/rolecall/rolecall/providers/providertest"
	"github.com/rolecall/rolecall/schema"
)

// A situation is a configuration and the organization that it meets.
type situation struct {
	config string
	live   org
	author string

	// kind and state stand for live where the system is another one. A nil
	// state is what the system's own reader reads.
	kind  *providers.Kind
	state *schema.State

	// refused is the summary of the error by which the configuration is
	// refused before anything is planned.
	refused string
}

// confirm makes what no read shows be as it is described, as if somebody had
// looked and the ledger said so.
func confirm(in plan.Input) {
	for _, o := range in.Description.Objects {
		have := in.Live.Objects[o.Addr]
		if have == nil && slices.Contains([]string{"connector", "seat_tier", "role_mapping"}, o.Type) {
			have = &schema.Object{Type: o.Type, Addr: o.Addr, ID: o.ID, Key: o.Key}
			in.Live.Add(have)
		}
		for _, attr := range []string{"policy", "tool_policy", "spend_ceiling.monthly", "spend_precedence"} {
			if v := o.Get(attr); v.Known() {
				have.Put(attr, v)
			}
		}
		if o.Type == "role_mapping" {
			have.Put("role", o.Get("role"))
		}
		if list, ok := o.People["members"].(*schema.Listed); ok && o.Type == "seat_tier" {
			have.Put("members", schema.Set(list.Emails...))
		}
	}
}

// findings plans and returns the findings above info, and those of a rule.
func (s situation) findings(t *testing.T, rule string) []string {
	t.Helper()
	var p *plan.Plan
	switch {
	case s.kind != nil:
		_, _, diags := providertest.Load(t, *s.kind, s.config)
		for _, d := range diags {
			if s.refused != "" && d.Summary == s.refused {
				return []string{rule}
			}
		}
		p, _ = providertest.Plan(t, *s.kind, s.config, s.state)
	default:
		in := input(t, load(t, s.config), s.live.snapshot())
		in.Author = s.author
		if rule != "unverified" {
			confirm(in)
		}
		var err error
		if p, err = plan.Build(in); err != nil {
			t.Fatal(err)
		}
	}
	var list []string
	for _, f := range p.Findings {
		if f.Rule == rule && (f.Message == "" || f.Fix == "") {
			t.Errorf("no message or no fix: %+v", f)
		}
		if f.Severity == plan.Info && f.Rule != rule || slices.Contains(list, f.Rule) {
			continue
		}
		list = append(list, f.Rule)
	}
	return list
}

// cases has, for every rule there is, a situation in which it fires alone, with
// no other finding above info, and one beside it in which nothing above info
// and nothing of it is found.
func cases() map[string][2]situation {
	const (
		role = "role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n}\n"
		g    = "group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n}\n"
		jira = "connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"t\", \"u\"]\n}\n"
	)
	with := func(changes ...func(*org)) org {
		o := org{members: map[string]string{"ann@acme.com": "managed"}, roles: map[string][]string{"base": {"chat"}},
			groups: []liveGroup{{name: "g", roles: []string{"base"}, members: []string{"ann@acme.com"}}}}
		for _, change := range changes {
			change(&o)
		}
		return o
	}
	member := func(email, role string) func(*org) { return func(o *org) { o.members[email] = role } }
	mode := func(mode string) func(*org) { return func(o *org) { o.mode = mode } }
	off := func(actions ...string) func(*org) { return func(o *org) { o.off = actions } }
	rows := func(role string, rows ...string) func(*org) { return func(o *org) { o.roles[role] = rows } }
	group := func(g liveGroup) func(*org) { return func(o *org) { o.groups = append(o.groups, g) } }
	only := func(groups ...liveGroup) func(*org) { return func(o *org) { o.groups = groups } }
	organization := func(body string) string {
		return "organization \"acme\" {\n system = \"claude-enterprise\"\n unmanaged {\n roles = \"ignore\"\n groups = \"ignore\"\n }\n" + body + "}\n"
	}
	claude := func(fires string, fireLive org, silent string, silentLive org) [2]situation {
		return [2]situation{{config: fires, live: fireLive}, {config: silent, live: silentLive}}
	}
	ann := with()
	extra := func(name, body string) string {
		return fmt.Sprintf("role %q {\n%s\n}\ngroup %q {\n roles = [role.%s]\n members = [\"ann@acme.com\"]\n}\n", name, body, name, name)
	}
	level := func(level string) string {
		return "capabilities = [\"memory\"]\n connector_default = \"custom\"\n connector \"jira\" {\n access = \"" + level + "\"\n }"
	}
	wave := func(name, body string) string { return " wave \"" + name + "\" {\n" + body + "\n }\n" }
	migration := func(waves ...string) string { return "migration {\n" + strings.Join(waves, "") + "}\n" }

	var crowd, few strings.Builder
	hands := map[string]string{"ann@acme.com": "managed"}
	for i := range 6_010 {
		email := fmt.Sprintf("p%04d@acme.com", i)
		hands[email] = "managed"
		fmt.Fprintf(&crowd, "%q, ", email)
		if i < 5_890 {
			fmt.Fprintf(&few, "%q, ", email)
		}
	}
	more := liveGroup{name: "all", roles: []string{"base"}, members: slices.Sorted(maps.Keys(hands))}
	large := func(list string) string {
		return role + extra("m", "capabilities = [\"memory\"]\n connector_default = \"custom\"") + "group \"large\" {\n roles = [role.m]\n members = [" + list + "]\n}\n"
	}
	crowded := func(o *org) { o.members, o.groups = hands, append(o.groups, more) }
	shrinkConfig, shrinkLive := shrinking(20, 4, "max_removals = 3\nmax_members_losing_access = \"100%\"")
	shrinkLess, shrinkLessLive := shrinking(20, 3, "max_removals = 3\nmax_members_losing_access = \"100%\"")

	limit := func(scope, amount string) func(*org) {
		return func(o *org) {
			if o.limits == nil {
				o.limits = map[string]string{}
			}
			o.limits[scope] = amount
		}
	}
	// Both groups have a limit, of which the lower goes: what is left is higher.
	limited := with(group(liveGroup{name: "h", members: []string{"ann@acme.com"}}), limit("g", "1000"), limit("h", "2000"))
	adds := "role \"m\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n}\n"
	// Memory comes from another role, so the one must have it before the other
	// goes. A row of what is switched off cannot be read, so neither can the save.
	moved := func(more string) string {
		return "role \"base\" {\n capabilities = [" + more + "\"chat\", \"memory\"]\n connector_default = \"custom\"\n}\n" + g + "group \"o\" {\n roles = []\n members = [\"ann@acme.com\"]\n}\n"
	}
	moves := with(off("cowork"), rows("old", "saffron"), group(liveGroup{name: "o", roles: []string{"old"}, members: []string{"ann@acme.com"}}))

	all := map[string][2]situation{
		"admin-untouchable": claude(role+g+"member \"own@acme.com\" {\n remove = true\n}\n", with(member("own@acme.com", "owner")), role+g, with(member("own@acme.com", "owner"))),
		"author-gains": {{config: role + g, live: with(only(liveGroup{name: "g", roles: []string{"base"}})), author: "ann@acme.com"},
			{config: role + g, live: with(only(liveGroup{name: "g", roles: []string{"base"}})), author: "bob@acme.com"}},
		"cross-role-conflict": claude(jira+role+g+extra("x", level("needs_approval"))+extra("y", level("always_allow")), ann,
			jira+role+g+extra("x", level("needs_approval"))+extra("y", level("needs_approval")), ann),
		"custom-role-without-effect": claude(role+g, with(member("ann@acme.com", "user")), role+g, ann),
		"disabled-feature": claude(role+g+extra("m", "capabilities = [\"memory\"]\n connector_default = \"custom\"")+"feature \"memory\" { enabled = false }\n", with(off("saffron")),
			role+g+extra("m", "capabilities = [\"memory\"]\n connector_default = \"custom\"")+"feature \"memory\" { enabled = true }\n", ann),
		"duplicate-name":   claude(role+g, with(group(liveGroup{name: "g", id: "rbac_group_other"})), role+g, with(group(liveGroup{name: "h", id: "rbac_group_other"}))),
		"exclusive-groups": claude(role+g+"group \"h\" {\n members = [\"ann@acme.com\"]\n}\nexclusive \"x\" {\n groups = [group.g, group.h]\n}\n", ann, role+g+"group \"h\" {\n members = []\n}\nexclusive \"x\" {\n groups = [group.g, group.h]\n required = true\n}\n", ann),
		"expiring": claude(role+g+"accept \"redundant\" {\n reason = \"x\"\n expires = \"2026-12-01\"\n}\n", ann,
			role+g+"accept \"redundant\" {\n reason = \"x\"\n expires = \"2027-12-01\"\n}\n", ann),
		"feature-reaches-unmigrated": claude("role \"base\" {\n capabilities = [\"chat\", \"cowork\"]\n connector_default = \"custom\"\n}\n"+g+"feature \"cowork\" { enabled = true }\n"+migration(wave("one", "members = [\"ann@acme.com\"]")),
			with(off("cowork"), member("bob@acme.com", "user")),
			"role \"base\" {\n capabilities = [\"chat\", \"cowork\"]\n connector_default = \"custom\"\n}\n"+g+"feature \"cowork\" { enabled = true }\n"+migration(wave("one", "members = [\"ann@acme.com\"]")), with(off("cowork"))),
		"group-limit":       claude("group \"g\" {\n for_each = toset([for i in range(101) : tostring(i)])\n}\n", org{}, "group \"g\" {\n for_each = toset([for i in range(100) : tostring(i)])\n}\n", org{}),
		"guard-exceeded":    claude(shrinkConfig, shrinkLive, shrinkLess, shrinkLessLive),
		"identity-lost":     claude(role+"group \"g\" {\n id = \"rbac_group_gone\"\n roles = [role.base]\n}\n", ann, role+"group \"g\" {\n id = \"rbac_group_g\"\n roles = [role.base]\n}\n", ann),
		"incomplete-object": claude(role+g+"role \"m\" {\n connector_default = \"custom\"\n}\n", ann, role+g+"role \"m\" {\n capabilities = []\n connector_default = \"custom\"\n}\n", ann),
		"individual-limit-overrides": claude(role+"group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n spend_limit { monthly = \"10\" }\n}\nmember \"ann@acme.com\" {\n spend_limit { monthly = \"20\" }\n}\n", with(limit("g", "1000"), limit("ann@acme.com", "2000")),
			role+g+"member \"ann@acme.com\" {\n spend_limit { monthly = \"20\" }\n}\n", with(limit("ann@acme.com", "2000"))),
		"joiner-exposed": claude(role+g+adds+"group \"h\" {\n roles = [role.m]\n members = []\n}\n", with(rows("m", "chat", "saffron"), group(liveGroup{name: "h"})),
			role+g+adds+"group \"h\" {\n source = \"scim\"\n roles = [role.m]\n}\n", with(rows("m", "chat", "saffron"), group(liveGroup{name: "h", scim: true}), mode("scim_permissive"))),
		"joiner-uncovered": claude(role+g+migration(wave("w", "members = everyone")), ann,
			role+"group \"g\" {\n roles = [role.base]\n members = everyone\n}\n"+migration(wave("w", "members = everyone")), ann),
		"large-direct-group":  claude(large(crowd.String()), with(crowded), large(few.String()), with(crowded)),
		"limit-above-ceiling": claude(organization(" spend_ceiling { monthly = \"15\" }\n")+role+"group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n spend_limit { monthly = \"20\" }\n}\n", with(limit("g", "2000")), organization(" spend_ceiling { monthly = \"25\" }\n")+role+"group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n spend_limit { monthly = \"20\" }\n}\n", with(limit("g", "2000"))),
		"mapping-during-setup": claude(role+g+migration(wave("w", "members = [\"ann@acme.com\"]")), with(mode("scim_advanced"), member("ann@acme.com", "user")),
			organization(" provisioning = \"scim_mapped\"\n")+role+g+migration(wave("w", "members = [\"ann@acme.com\"]"))+"role_mapping \"staff\" {\n role = \"managed\"\n}\n", with(mode("scim_advanced"), member("ann@acme.com", "user"))),
		"member-without-chat":    claude("role \"base\" {\n capabilities = [\"memory\"]\n connector_default = \"custom\"\n}\n"+g, with(rows("base", "saffron")), role+g, ann),
		"new-connector-exposure": claude("role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"always_allow\"\n}\n"+g, ann, "role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"needs_approval\"\n}\n"+g, ann),
		"not-a-member":           claude(role+"group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\", \"zed@acme.com\"]\n}\n", ann, role+g, ann),
		"organization-differs":   claude(organization(" provisioning = \"jit\"\n")+role+g, with(mode("login_only")), organization(" provisioning = \"invite\"\n")+role+g, with(mode("login_only"))),
		"permissive-default":     claude(role+g+"role \"new\" {\n capabilities = []\n connector_default = \"always_allow\"\n}\n", ann, role+g+"role \"new\" {\n capabilities = []\n connector_default = \"needs_approval\"\n}\n", ann),
		"policy-reaches-claude-code": claude(strings.Replace(jira, "]\n}", "]\n tool_policy = { t = \"blocked\" }\n}", 1)+"role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n connector \"jira\" {\n tools = { u = \"needs_approval\" }\n }\n}\n"+g, ann,
			strings.Replace(jira, "]\n}", "]\n tool_policy = { t = \"blocked\" }\n}", 1)+"role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n connector \"jira\" {\n tools = { u = \"needs_approval\" }\n }\n}\n"+g, with(rows("base", "chat", "use@mcpsrv_jira/u"))),
		"protected-loses": claude("role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n}\n"+g+"guard {\n protected = [\"ann@acme.com\"]\n max_members_losing_access = \"100%\"\n}\n", with(rows("base", "chat", "saffron")),
			role+g+"guard {\n protected = [\"bob@acme.com\"]\n max_members_losing_access = \"100%\"\n}\n", with(rows("base", "chat", "saffron"), member("bob@acme.com", "user"))),
		"redundant":          claude(role+g+extra("again", "capabilities = [\"chat\"]\n connector_default = \"custom\""), ann, role+g, ann),
		"scim-group-missing": claude(role+g+"group \"idp\" {\n source = \"scim\"\n roles = [role.base]\n}\n", ann, role+g+"group \"idp\" {\n source = \"scim\"\n roles = [role.base]\n}\n", with(group(liveGroup{name: "idp", scim: true}), mode("scim_permissive"))),
		"scim-group-unsupported": claude(role+g+"group \"idp\" {\n source = \"scim\"\n roles = [role.base]\n}\n", with(group(liveGroup{name: "idp", scim: true}), mode("login_only")),
			role+g+"group \"idp\" {\n source = \"scim\"\n roles = [role.base]\n}\n", with(group(liveGroup{name: "idp", scim: true}), mode("scim_permissive"))),
		"scim-group-unused": claude(role+g, with(group(liveGroup{name: "idp", scim: true}), mode("scim_permissive")), role+g, with(group(liveGroup{name: "idp", scim: true, roles: []string{"base"}}), mode("scim_permissive"))),
		"scim-membership-described": claude(role+g, with(only(liveGroup{name: "g", scim: true, roles: []string{"base"}, members: []string{"ann@acme.com"}}), mode("scim_permissive")),
			role+"group \"g\" {\n source = \"scim\"\n roles = [role.base]\n}\n", with(only(liveGroup{name: "g", scim: true, roles: []string{"base"}, members: []string{"ann@acme.com"}}), mode("scim_permissive"))),
		"seat-unknown": claude(role+g+"seat_tier \"chat\" {\n excludes = [\"claude_code\"]\n members = []\n}\n", ann,
			role+g+"seat_tier \"chat\" {\n excludes = [\"claude_code\"]\n members = [\"ann@acme.com\"]\n}\n", ann),
		"self-widening-role": claude("role \"base\" {\n capabilities = [\"chat\"]\n admin_permissions = { identity_access = \"manage\" }\n connector_default = \"custom\"\n}\n"+g, ann,
			"role \"base\" {\n capabilities = [\"chat\"]\n admin_permissions = { identity_access = \"view\" }\n connector_default = \"custom\"\n}\n"+g, ann),
		"shared-group":           claude(removeGone, gone(liveGroup{foreign: 1}), removeGone, gone(liveGroup{})),
		"shared-membership":      claude(role+g, with(only(liveGroup{name: "g", roles: []string{"base"}, foreignRole: true})), role+g, with(only(liveGroup{name: "g", roles: []string{"base"}, foreignRole: true, members: []string{"ann@acme.com"}}))),
		"tag-address":            claude(role+g, with(member("ann+x@acme.com", "user")), role+g, with(member("bob+x@acme.com", "user"))),
		"test-failed":            claude(role+g+"test \"t\" {\n who = [group.g]\n can = [\"capability.memory\"]\n}\n", ann, role+g+"test \"t\" {\n who = [group.g]\n can = [\"capability.chat\"]\n}\n", ann),
		"uncovered-member":       claude(role+g+migration(wave("w", "members = [\"bob@acme.com\"]")), with(member("bob@acme.com", "user")), role+strings.Replace(g, "[\"ann", "[\"bob@acme.com\", \"ann", 1)+migration(wave("w", "members = [\"bob@acme.com\"]")), with(member("bob@acme.com", "user"))),
		"unknown-connector-tool": claude(jira+role+g, with(rows("old", "use@mcpsrv_jira/zz")), jira+role+g, with(rows("old", "use@mcpsrv_jira/u"))),
		"unmanaged-object":       claude("organization \"acme\" {\n system = \"claude-enterprise\"\n}\n"+role+g, with(group(liveGroup{name: "h", roles: []string{"base"}})), "organization \"acme\" {\n system = \"claude-enterprise\"\n}\n"+role+g, ann),
		"unread":                 claude(role+g, with(only(liveGroup{name: "g", unread: true, members: []string{"ann@acme.com"}})), role+g, ann),
		"unsafe-order":           claude(trade, tradeOrg(), strings.ReplaceAll(trade, "[\"ann@acme.com\"]", "[\"ann@acme.com\", \"bob@acme.com\"]"), tradeOrg()),
		"unverified": claude(jira+"role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"needs_approval\"\n connector \"jira\" {\n access = \"blocked\"\n }\n}\n"+g+"guard {\n max_members_losing_access = \"100%\"\n}\n", with(rows("base", "chat", "use@all")),
			jira+"role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"needs_approval\"\n}\n"+g, with(rows("base", "chat", "use@all"))),
		"unverified-order": claude(moved("\"cowork\", ")+"feature \"cowork\" { enabled = true }\n", moves, moved("")+"feature \"cowork\" { enabled = true }\n", moves),
		"void-grant": claude(strings.Replace(jira, "]\n}", "]\n policy = \"needs_approval\"\n}", 1)+"role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n connector \"jira\" {\n tools = { t = \"always_allow\" }\n }\n}\n"+g, with(rows("base", "chat", "always_allow@mcpsrv_jira/t")),
			jira+"role \"base\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n connector \"jira\" {\n tools = { t = \"always_allow\" }\n }\n}\n"+g, with(rows("base", "chat", "always_allow@mcpsrv_jira/t"))),
		"wave-overlap": claude(role+g+migration(wave("a", "members = [\"ann@acme.com\"]\n state = \"closed\""), wave("b", "members = [\"ann@acme.com\"]")), with(member("ann@acme.com", "user")),
			role+g+migration(wave("b", "members = [\"ann@acme.com\"]"), wave("a", "members = [\"ann@acme.com\"]\n state = \"closed\"")), with(member("ann@acme.com", "user"))),
		"widening-removal": claude(role+"group \"g\" {\n roles = [role.base]\n members = [\"ann@acme.com\"]\n spend_limit { inherit = true }\n}\nguard { max_spend_increase = \"100%\" }\n", limited, role+g, limited),
	}
	maps.Copy(all, otherCases())
	return all
}

// gateway is an organization of one member, one team without lists and two
// vendors, which the team can use.
func gateway() *schema.State {
	s := schema.NewState()
	add := func(typ, key string, attrs map[string]schema.Value) {
		s.Add(&schema.Object{Type: typ, Addr: schema.MakeAddress(typ, key, ""), Key: key, ID: key, Attrs: attrs})
	}
	s.Add(&schema.Object{Type: "organization", Addr: "organization", ID: "o", Key: "o", Attrs: map[string]schema.Value{"session": schema.Bool(true)}})
	add("member", "p@m.co", map[string]schema.Value{"organization_role": schema.Text("member")})
	add("vendor", "v", map[string]schema.Value{"allowed": schema.Set("a", "b"), "allowed_admin": schema.Set("a", "b"), "tools": schema.Set("a", "b", "c")})
	add("vendor", "w", map[string]schema.Value{"allowed": schema.Text("inherit"), "allowed_admin": schema.Text("inherit"), "tools": schema.Set("z")})
	add("team", "t", map[string]schema.Value{"name": schema.Text("t"), "members": schema.Set("p@m.co"), "vendors": schema.Set("v", "w"),
		"allowed.v": schema.Text("inherit"), "credentials.v": schema.Text("team")})
	return s
}

// otherCases are those of rules that only other systems have.
func otherCases() map[string][2]situation {
	kinds := map[string]providers.Kind{"conduit": conduit.Kind(), "belay": belay.Kind(), "elvex": elvex.Kind()}
	other := func(system, head, fires, silent string) [2]situation {
		k := kinds[system]
		var state *schema.State
		if system == "conduit" { // whose reader needs a network
			state, head = gateway(), "guard { max_members_losing_access = \"100%\" }\n"
		}
		head = fmt.Sprintf("organization \"o\" {\n system = %q\n}\n", system) + head
		return [2]situation{{kind: &k, config: head + fires, state: state}, {kind: &k, config: head + silent, state: state}}
	}
	refused := func(summary string, pair [2]situation) [2]situation {
		pair[0].refused = summary
		return pair
	}
	const hubspot = "integration \"hubspot\" {\n connected = true\n scopes = { \"contacts:read\" = \"read\", \"all:delete\" = \"admin\" }\n}\nintegration \"drive\" {\n connected = false\n scopes = { \"files:read\" = \"read\" }\n}\n"
	scopes := func(integration, scope string) string {
		return fmt.Sprintf("group \"a\" {\n members = [\"p@s.co\"]\n integration %q {\n scopes = [%q]\n }\n}\n", integration, scope)
	}
	resource := func(kind, visibility, role string) string {
		return fmt.Sprintf("resource %q \"x\" {\n creator = \"s@c.co\"\n visibility = %q\n share {\n member = \"t@c.co\"\n role = %q\n }\n}\n", kind, visibility, role)
	}
	vendor := func(allowed string) string {
		return "vendor \"v\" {\n tools = [\"a\", \"b\", \"c\"]\n allowed = " + allowed + "\n personal = \"ignore\"\n}\n"
	}
	team := func(list string) string {
		return "team \"t\" {\n members = [\"p@m.co\"]\n vendor \"v\" {\n allowed = " + list + "\n credentials = \"team\"\n }\n vendor \"w\" {\n allowed = inherit\n }\n}\nvendor \"w\" {}\n"
	}
	return map[string][2]situation{
		"admin-scope":               other("belay", hubspot, scopes("hubspot", "all:delete"), scopes("hubspot", "contacts:read")),
		"scope-not-connected":       refused("Integration not connected", other("belay", hubspot, scopes("drive", "files:read"), scopes("hubspot", "contacts:read"))),
		"public-floor":              other("elvex", "", resource("assistant", "public", "viewer"), resource("assistant", "public", "editor")),
		"private-datasource-escape": other("elvex", "", resource("datasource", "private", "viewer"), resource("assistant", "private", "viewer")),
		"dead-allowlist-entry":      other("conduit", "", vendor("[\"a\"]")+team("[\"a\", \"b\"]"), vendor("[\"a\", \"b\"]")+team("[\"a\", \"b\"]")),
		"full-allowlist":            other("conduit", "", vendor("[\"a\", \"b\", \"c\"]"), vendor("[\"a\", \"b\"]")),
		"team-without-tools":        other("conduit", "", vendor("[\"a\"]")+team("[\"b\"]"), vendor("[\"a\"]")+team("[\"a\"]")),
		"personal-bypass":           other("conduit", "", strings.Replace(vendor("[\"a\", \"b\"]"), "ignore", "assume", 1)+team("[\"a\"]"), vendor("[\"a\", \"b\"]")+team("[\"a\"]")),
		"empty-allowlist":           refused("Empty allowlist", other("conduit", "", vendor("[]"), vendor("[\"a\"]"))),
		"team-of-two":               refused("In two teams", other("conduit", "", vendor("[\"a\"]")+"team \"t\" {\n members = [\"p@m.co\"]\n}\nteam \"u\" {\n members = [\"p@m.co\"]\n}\n", vendor("[\"a\"]")+"team \"t\" {\n members = [\"p@m.co\"]\n}\n")),
	}
}

// TestEveryRuleFiresAloneAndStaysSilent lists every rule that lacks a case, and
// wants of every case what it promises.
func TestEveryRuleFiresAloneAndStaysSilent(t *testing.T) {
	all := cases()
	var lack []string
	for _, r := range plan.Rules {
		if _, ok := all[r.ID]; !ok {
			lack = append(lack, r.ID)
		}
	}
	if len(lack) > 0 {
		t.Errorf("rules without a case in which they fire and one in which they do not: %v", lack)
	}
	for rule, pair := range all {
		t.Run(rule, func(t *testing.T) {
			if !slices.ContainsFunc(plan.Rules, func(r plan.Rule) bool { return r.ID == rule }) {
				t.Fatal("there is no such rule")
			}
			if got := pair[0].findings(t, rule); !slices.Equal(got, []string{rule}) {
				t.Errorf("where it fires: %v, want it alone", got)
			}
			if got := pair[1].findings(t, rule); len(got) > 0 {
				t.Errorf("where it is silent: %v", got)
			}
		})
	}
}

// TestGuardsCountWhateverHasPeople: a team is a group under another name.
func TestGuardsCountWhateverHasPeople(t *testing.T) {
	p, _ := providertest.Plan(t, conduit.Kind(), "organization \"o\" {\n system = \"conduit\"\n}\nteam \"t\" {\n members = []\n}\nguard {\n max_removals = 0\n max_members_losing_access = \"100%\"\n}\n", gateway())
	got := map[string]string{}
	for _, g := range p.Guards {
		got[g.Name] = fmt.Sprintf("%s %v", g.Value, g.OK)
	}
	if got["max_group_shrink"] != "team.t: 1 of 1 false" || got["max_removals"] != "1 false" {
		t.Errorf("guards %v", got)
	}
	if texts := messages(p, "guard-exceeded"); !strings.Contains(texts, "team.t would be emptied") {
		t.Errorf("findings %q", texts)
	}
	// Nor is a role spoken of where there are none.
	if text := messages(p, "uncovered-member"); !strings.Contains(text, "nothing gives them anything") || strings.Contains(text, "role") {
		t.Errorf("uncovered: %q", text)
	}
	for _, c := range p.Access {
		for _, b := range c.Because {
			if !strings.Contains(b.Why, "nothing gives it any more") {
				t.Errorf("%s of %s: %q", c.Permission, b.Member, b.Why)
			}
		}
	}
}

// messages joins what findings of a rule say, and how to mend it.
func messages(p *plan.Plan, rule string) string {
	text := ""
	for _, f := range p.Findings {
		if f.Rule == rule {
			text += f.Message + "; " + f.Fix + "\n"
		}
	}
	return text
}

// TestChangeOfRoleInAGroupIsNoRemoval: whoever becomes an editor of a group
// has not left it.
func TestChangeOfRoleInAGroupIsNoRemoval(t *testing.T) {
	config := func(body string) string {
		return "organization \"o\" {\n system = \"elvex\"\n}\ngroup \"g\" {\n owner = [\"s@c.co\"]\n" + body + "}\nguard {\n max_removals = 0\n max_group_shrink = \"0%\"\n max_members_losing_access = \"100%\"\n}\n"
	}
	before, _ := providertest.Plan(t, elvex.Kind(), config("viewer = [\"t@c.co\", \"u@c.co\"]\n editor = []\n"), nil)
	for body, want := range map[string]string{
		"viewer = [\"u@c.co\"]\n editor = [\"t@c.co\"]\n": "",
		"viewer = [\"u@c.co\"]\n editor = []\n":           "group.g would lose 1 of 3 members",
	} {
		p, _ := providertest.Plan(t, elvex.Kind(), config(body), before.Desired.Clone())
		if p.Summary.Steps == 0 {
			t.Fatalf("%s: no steps", body)
		}
		if text := messages(p, "guard-exceeded"); (text != "") != (want != "") || !strings.Contains(text, want) {
			t.Errorf("%s: %q, want %q", body, text, want)
		}
	}
}
