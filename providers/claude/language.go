package claude

import (
	"slices"

	"github.com/rolecall/rolecall/schema"
)

// Name is what `system = "…"` says for Claude Enterprise.
const Name = "claude-enterprise"

var (
	connectorLevels = []string{"blocked", "needs_approval", "always_allow"}
	defaultLevels   = []string{"always_allow", "needs_approval", "blocked", "custom"}

	// pluginLevels are the installation preferences of a plugin, lowest first.
	pluginLevels = []string{"not_available", "available", "auto_install", "required"}
)

// inherited is written for a plugin that has no setting of its own.
const inherited = "inherit"

// language declares the blocks of Claude Enterprise.
//
// Source: anthropic-sdk-go v1.84.0 and the Admin, Spend Limits, Plugins and
// Compliance API references, for what can be written and read; help centre and
// product guides for what is done by hand. Read 2026-11-22.
var language = &schema.System{
	Name: Name,
	Blocks: []*schema.Block{
		organizationBlock,
		seatTierBlock,
		connectorBlock,
		featureBlock,
		roleBlock,
		groupBlock,
		marketplaceBlock,
		pluginBlock,
		memberBlock,
		migrationBlock,
		roleMappingBlock,
		approvalBlock,
	},
}

var organizationBlock = &schema.Block{
	Type: "organization", Label: "name", Once: true, Write: schema.WayConsole, ReadBack: schema.WayAPI,
	Doc: "The organization that this directory describes.",
	Attrs: []*schema.Attr{
		{Name: "system", Type: schema.TextType, Required: true, Example: `"claude-enterprise"`, Write: schema.WayLocal, ReadBack: schema.WayLocal,
			Doc: "The system that the organization belongs to."},
		{Name: "id", Type: schema.TextType, Example: `"12345678-1234-5678-1234-567812345678"`, Default: "any organization that the key opens", Write: schema.WayNone,
			Doc: "The organization's UUID. A different live id is an error, so that a wrong key changes nothing."},
		{Name: "provisioning", Type: schema.TextType, Example: `"invite"`,
			OneOf: []string{"invite", "jit", "jit_mapped", "scim", "scim_mapped"}, Default: "what the live organization says",
			Doc: "How people come into the organization. It decides what the API can write: no invites under jit and scim, no removals under scim, no organization roles where the identity provider maps them. A different live mode is an error."},
		{Name: "connector_permissions", Type: schema.TextType, OneOf: []string{"on", "off"}, Default: "on", Example: `"on"`, Write: schema.WayNone, ReadBack: schema.WayTrust,
			Doc: "Whether the vendor has enabled connector permissions on roles. Under off, roles say nothing of connectors."},
		{Name: "billing", Type: schema.TextType, OneOf: []string{"usage", "seats"}, Default: "usage", Example: `"usage"`, Write: schema.WayNone, ReadBack: schema.WayTrust,
			Doc: "How the organization is billed. Under seats there are no spend limits."},
		{Name: "spend_precedence", Type: schema.TextType, OneOf: []string{"lowest", "highest"}, Default: "lowest", Example: `"lowest"`, ReadBack: schema.WayLedger,
			Doc: "Which limit wins for a member of several groups with limits: “Multi-group spend limit” on the Usage page."},
		{Name: "settle", Type: schema.TextType, Default: "15m", Example: `"15m"`, Write: schema.WayLocal, ReadBack: schema.WayLocal,
			Doc: "The longest wait for a change to be in force everywhere. Where the documented time is shorter, that is used."},
		{Name: "invites", Type: schema.TextType, OneOf: []string{"report", "send"}, Default: "report", Example: `"report"`, Write: schema.WayAPI,
			Doc: "What to do about people in groups who are not members yet: report them, or invite them into their groups at once. A pending invite that differs is withdrawn and sent again."},
	},
	Blocks: []*schema.Block{
		{Type: "api", Once: true, Doc: "How the live organization is reached.", Write: schema.WayLocal, ReadBack: schema.WayLocal, Attrs: []*schema.Attr{
			{Name: "endpoint", Type: schema.TextType, Default: "https://api.anthropic.com", Example: `"https://api.anthropic.com"`,
				Doc: "Where the API is. ROLECALL_ENDPOINT overrides it."},
			{Name: "key_env", Type: schema.TextType, Default: "ANTHROPIC_ADMIN_KEY", Example: `"ANTHROPIC_ADMIN_KEY"`,
				Doc: "The environment variable that holds the key. Variables of other tools are not read."},
			{Name: "compliance_key_env", Type: schema.TextType, Default: "the first key", Example: `"ANTHROPIC_COMPLIANCE_KEY"`,
				Doc: "The variable of a second key, where the compliance scopes are on a key of their own."},
			{Name: "key_command", Type: schema.ListType, Default: "the variable in key_env", Example: `["op", "read", "op://vault/claude/key"]`,
				Doc: "A command that prints the key, instead of a variable. It is started without a shell."},
			{Name: "emulator", Type: schema.TextType, Default: "the endpoint", Example: `"acme.org.json"`,
				Doc: "Use the embedded emulator, seeded from this file, instead of an endpoint. Its live copy is kept in .rolecall/."},
		}},
		{Type: "unmanaged", Once: true, Write: schema.WayAPI,
			Doc: "What to make of live objects that no block describes. They are always read and always count in the analysis. ignore says nothing of them, report makes a finding, remove takes them away, counted by the guards.",
			Attrs: []*schema.Attr{
				unmanagedAttr("roles", "report", schema.WayConsole), unmanagedAttr("groups", "report", schema.NoWay), unmanagedAttr("members", "ignore", schema.NoWay),
				unmanagedAttr("invites", "ignore", schema.NoWay), unmanagedAttr("limits", "ignore", schema.NoWay),
			}},
		limitBlock("spend_limit", "The limit of members who have no other: neither their own, nor one of a group or a seat tier.", schema.WayConsole, unlimitedAttr, inheritAttr),
		{Type: "spend_ceiling", Once: true, Write: schema.WayConsole, ReadBack: schema.WayLedger,
			Doc:   "The hard ceiling of the whole organization. It caps what any member can spend.",
			Attrs: []*schema.Attr{monthlyAttr(true), weeklyAttr, dailyAttr}},
	},
}

func unmanagedAttr(name, def string, write schema.Way) *schema.Attr {
	doc := "What to make of " + name + " that no block describes."
	if name == "limits" {
		doc = "What to make of individual spend limits that no member block and no enforced group explains."
	}
	return &schema.Attr{Name: name, Type: schema.TextType, OneOf: []string{"ignore", "report", "remove"}, Default: def,
		Example: `"report"`, Write: write, Doc: doc}
}

var seatTierBlock = &schema.Block{
	Type: "seat_tier", Label: "name", Group: true, Write: schema.WayConsole, ReadBack: schema.WayLedger,
	Doc: "A seat tier: who has which seat can be neither read nor written by API, so it is declared here, or unknown and said so.",
	Attrs: []*schema.Attr{
		{Name: "id", Type: schema.TextType, Default: "the label", Example: `"enterprise_standard"`, Write: schema.WayNone, ReadBack: schema.WayAPI,
			Doc: "What the API calls the seat tier where it has a spend limit."},
		{Name: "excludes", Type: schema.ListType, Default: "nothing", Example: `["claude_code"]`, Write: schema.WayNone,
			ReadBack: schema.WayTrust,
			Doc:      "Capabilities that nobody with this seat has, whatever is granted."},
		{Name: "members", Type: schema.PeopleType, Default: "nobody that is known", Example: `["ann@acme.com"]`,
			Doc: "Who has the seat. Nobody has two."},
	},
	Blocks: []*schema.Block{limitBlock("spend_limit", "The limit of each member with this seat who has none of their own and none of a group.", schema.WayConsole, unlimitedAttr, inheritAttr)},
}

var connectorBlock = &schema.Block{
	Type: "connector", Label: "name", Write: schema.WayConsole, ReadBack: schema.WayLedger,
	Doc: "A connector of the organization, and its organization-wide tool policy, which is a ceiling for everybody.",
	Attrs: []*schema.Attr{
		{Name: "id", Type: schema.TextType, Required: true, Example: `"mcpsrv_01AbC"`, Write: schema.WayNone, ReadBack: schema.WayAPI, Doc: "The connector's id."},
		{Name: "tools", Type: schema.ListType, Default: "any", Example: `["search_issues", "create_issue"]`, Write: schema.WayNone,
			ReadBack: schema.WayTrust,
			Doc:      "The names of its tools. A tool that the API calls by a hash is written as the API calls it."},
		{Name: "policy", Type: schema.TextType, OneOf: connectorLevels, Default: "not managed; a policy that nothing tells caps nothing", Example: `"always_allow"`,
			Note: "The activity feed tells the last change, if it was recorded; else the ledger says what was confirmed.",
			Doc:  "The organization-wide policy for its tools."},
		{Name: "tool_policy", Type: schema.MapType, OneOf: connectorLevels, Default: "not managed", Example: `{ delete_issue = "blocked" }`,
			Note: "As for policy.", Doc: "The policy of single tools, where it differs."},
	},
}

var featureBlock = &schema.Block{
	Type: "feature", Label: "capability", Write: schema.WayConsole, ReadBack: schema.WayAPI,
	Doc: "An organization-wide switch: off means nobody has it.",
	Attrs: []*schema.Attr{
		{Name: "enabled", Type: schema.BoolType, Required: true, Example: "true", Doc: "Whether the feature is on."},
		{Name: "action", Type: schema.TextType, Default: "the label", Example: `"saffron"`, Write: schema.WayNone,
			Doc: "What the API calls the capability in role permissions."},
		{Name: "setting", Type: schema.TextType, Default: "<label>_enabled", Example: `"memory_enabled"`, Write: schema.WayNone,
			Doc: "Its row in the effective settings, or \"\" if it has none: then permission rows and the activity feed show whether it is on, and else the ledger says what was confirmed."},
		{Name: "preview", Type: schema.BoolType, Default: "false", Example: "true", Write: schema.WayNone, ReadBack: schema.WayTrust,
			Doc: "Whether the vendor calls it a beta or a preview: then [\"all_ga\"] does not cover it. No read shows it."},
	},
}

var roleBlock = &schema.Block{
	Type: "role", Label: "name", Write: schema.WayConsole, ReadBack: schema.WayAPI,
	Doc: "A custom role. Roles add up: the most permissive one wins. What a live role holds that this language cannot say (OAuth scopes, authentication methods, models) is left alone.",
	Attrs: []*schema.Attr{
		idAttr("role"), nameAttr, previousNamesAttr,
		{Name: "builtin", Type: schema.BoolType, Default: "false", Example: "true", Write: schema.WayNone,
			Doc: "Marks a role that the vendor made: it is referred to by id, since its name can change, and never changed."},
		{Name: "description", Type: schema.TextType, Default: "not managed", Example: `"What everybody has."`, ReadBack: schema.WayTrust, Doc: "What the role is for."},
		{Name: "capabilities", Type: schema.ListType, Default: "not managed; a new role must say", Example: `["chat", "web_search"]`,
			Note: "Rows of a feature that is off are not shown: they are proved once it is on.",
			Doc:  "The features it grants; [\"all\"] is every one there will ever be, [\"all_ga\"] every generally available one."},
		{Name: "admin_permissions", Type: schema.MapType, OneOf: []string{"view", "manage"}, Keys: areaNames(), Default: "not managed", Example: `{ billing = "view" }`,
			Doc: "Administration areas with view or manage."},
		{Name: "connector_default", Type: schema.TextType, OneOf: defaultLevels, Default: "not managed; a new role must say", Example: `"needs_approval"`,
			Doc: "The level for every connector that the role does not name, the “All connectors” row; custom gives nothing."},
	},
	Blocks: []*schema.Block{{
		Type: "connector", Label: "name", Doc: "What the role gives on one connector.",
		Attrs: []*schema.Attr{
			{Name: "access", Type: schema.TextType, OneOf: connectorLevels, Default: "tools decides", Example: `"always_allow"`,
				Note: "A level below connector_default has no row that shows it: the ledger says what was confirmed since the role was last edited.", Doc: "The level for all its tools."},
			{Name: "tools", Type: schema.MapType, OneOf: connectorLevels, Default: "access decides", Example: `{ search_issues = "needs_approval" }`,
				Doc: "Levels by tool; tools not named are blocked."},
		},
	}},
}

var groupBlock = &schema.Block{
	Type: "group", Label: "name", Group: true, Write: schema.WayAPI, ReadBack: schema.WayAPI,
	Doc: "A group: the people in it get what its roles give.",
	Attrs: []*schema.Attr{
		idAttr("group"), nameAttr, previousNamesAttr,
		{Name: "source", Type: schema.TextType, OneOf: []string{"direct", "scim"}, Default: "direct", Example: `"scim"`, Write: schema.WayNone,
			Doc: "Where its members come from. The identity provider owns name and members of a scim group; roles, limits and plugins are managed here."},
		{Name: "roles", Type: schema.RefList, Refs: "role", Default: "not managed", Example: `[role.standard]`, Write: schema.WayConsole, Doc: "The roles attached to it."},
		{Name: "members", Type: schema.PeopleType, Default: "not managed", Example: `["jane@acme.com"]`,
			Doc: "Who is in it: whoever is not listed is removed. People of other organizations under the same parent are counted and left alone."},
		{Name: "owners", Type: schema.ListType, Default: "nobody", Example: `["lead@acme.com"]`, Write: schema.WayLocal, ReadBack: schema.WayLocal,
			Doc: "Who should approve changes to it. The plan shows them as required approvers."},
	},
	Blocks: []*schema.Block{
		limitBlock("spend_limit", "A spend limit for each member of the group.", schema.WayConsole, unlimitedAttr, inheritAttr,
			&schema.Attr{Name: "enforce", Type: schema.TextType, OneOf: []string{"console", "members"}, Default: "console", Example: `"members"`, Write: schema.WayLocal, ReadBack: schema.WayLocal,
				Doc: "How the limit is set. console: as the group's limit, by hand. members: as an individual limit of each member, by API; a member block that says something of a limit goes before it."}),
		{Type: "plugin", Label: "name", Doc: "What the group's members have of a plugin, in the place of what the organization says.", Attrs: []*schema.Attr{installAttr(true)}},
		{Type: "temporary", Label: "e-mail address", Doc: "A membership that ends by itself: it is planned out from a day on.", Attrs: []*schema.Attr{
			{Name: "until", Type: schema.DayType, Required: true, Example: `"2027-01-31"`, Write: schema.WayLocal, ReadBack: schema.WayLocal,
				Doc: "The day, in UTC, from which on the person is not in the group."},
			{Name: "reason", Type: schema.TextType, Default: "none", Example: `"Launch support"`, Write: schema.WayLocal, ReadBack: schema.WayLocal, Doc: "Why, for whoever reviews it."},
		}},
	},
}

var marketplaceBlock = &schema.Block{
	Type: "marketplace", Label: "name", Write: schema.WayAPI, ReadBack: schema.WayAPI,
	Doc: "A plugin marketplace of the organization: what holds for its plugins that have no setting of their own.",
	Attrs: []*schema.Attr{
		{Name: "id", Type: schema.TextType, Required: true, Example: `"marketplace_01AbC"`, Write: schema.WayNone, Doc: "The marketplace's id."},
		{Name: "install", Type: schema.TextType, OneOf: pluginLevels, Default: "not managed", Example: `"available"`,
			Doc: "The default for its plugins. It can be changed and not removed."},
	},
}

var pluginBlock = &schema.Block{
	Type: "plugin", Label: "name", Write: schema.WayAPI, ReadBack: schema.WayAPI,
	Doc: "A plugin of the organization. Groups that have a setting for it replace what is said here, even by less; among them the most permissive wins.",
	Attrs: []*schema.Attr{
		{Name: "id", Type: schema.TextType, Required: true, Example: `"plugin_01XyZ"`, Write: schema.WayNone, Doc: "The plugin's id."},
		installAttr(false),
	},
}

func installAttr(required bool) *schema.Attr {
	a := &schema.Attr{Name: "install", Type: schema.TextType, OneOf: append(slices.Clone(pluginLevels), inherited), Required: required, Example: `"available"`,
		Doc: "required and auto_install put it on everybody's machine, available offers it, not_available hides it; inherit has no setting here."}
	if !required {
		a.Default = "not managed"
	}
	return a
}

var memberBlock = &schema.Block{
	Type: "member", Label: "e-mail address", Write: schema.WayAPI, ReadBack: schema.WayAPI,
	Doc: "One person, where something is to be said of them that groups do not say.",
	Attrs: []*schema.Attr{
		{Name: "previous_emails", Type: schema.ListType, Default: "none", Example: `["jane@old-acme.com"]`, Write: schema.WayLocal,
			Doc: "Earlier addresses of the same person."},
		{Name: "remove", Type: schema.BoolType, Default: "false", Example: "true",
			Note: "Administrators stay, whatever is written. Under scim the identity provider removes people.", Doc: "Removes the person from the organization, or withdraws a pending invite."},
	},
	Blocks: []*schema.Block{limitBlock("spend_limit", "The individual limit of the person. It overrides every group.", schema.WayAPI, unlimitedAttr, inheritAttr)},
}

var migrationBlock = &schema.Block{
	Type: "migration", Once: true, Write: schema.WayAPI, ReadBack: schema.WayAPI,
	Doc: "Moves members to the organization role managed (\"Custom roles\"), wave by wave.",
	Blocks: []*schema.Block{{
		Type: "wave", Label: "name", Doc: "The members who are moved together. The first wave that names somebody decides.",
		Attrs: []*schema.Attr{
			{Name: "groups", Type: schema.RefList, Refs: "group", Default: "none", Example: `[group.pilot]`, Doc: "Everybody in these groups."},
			{Name: "members", Type: schema.PeopleType, Groups: true, Default: "nobody", Example: `everyone`, Doc: "These people."},
			{Name: "except", Type: schema.PeopleType, Groups: true, Default: "nobody", Example: `["auditor@acme.com"]`, Doc: "Who is left out."},
			{Name: "state", Type: schema.TextType, OneOf: []string{"open", "closed", "reverted"}, Default: "open", Example: `"closed"`, Write: schema.WayLocal, ReadBack: schema.WayLocal,
				Doc: "open: carried out. closed: shown as held, not applied. reverted: back to the organization role user."},
		},
	}},
}

var roleMappingBlock = &schema.Block{
	Type: "role_mapping", Label: "identity provider group", Write: schema.WayConsole, ReadBack: schema.WayLedger,
	Doc: "A group of the identity provider that is mapped to an organization role. Only under jit_mapped and scim_mapped, where the identity provider decides. Who is in no mapped group may lose their account.",
	Attrs: []*schema.Attr{
		{Name: "role", Type: schema.TextType, Required: true, OneOf: []string{roleUser, roleManaged, roleMembershipAdmin, roleOwner}, Example: `"managed"`,
			Note: "No read shows mappings; the organization roles of members show what they lead to.",
			Doc:  "The organization role of the people in it. Of several, managed wins."},
	},
}

var approvalBlock = &schema.Block{
	Type: "approval", Label: "name", Write: schema.WayAPI, ReadBack: schema.WayAPI,
	Doc: "A rule for requests for a higher spend limit, for `rolecall requests approve`. The first rule that names the person decides. A request says no amount: the rule does. Nothing is approved by a plan, an apply, or without --yes.",
	Attrs: []*schema.Attr{
		{Name: "groups", Type: schema.RefList, Refs: "group", Default: "none", Example: `[group.engineering]`, Write: schema.WayLocal, Doc: "Everybody in these groups."},
		{Name: "members", Type: schema.PeopleType, Groups: true, Default: "nobody; without groups and members, everyone", Example: `domain("acme.com")`, Write: schema.WayLocal, Doc: "These people."},
		{Name: "except", Type: schema.PeopleType, Groups: true, Default: "nobody", Example: `["ann@acme.com"]`, Write: schema.WayLocal, Doc: "Who is left out."},
		{Name: "ceiling", Type: schema.AmountType, Required: true, Example: `"1000.00"`, Doc: "The highest monthly limit that is granted, in major units."},
		{Name: "step", Type: schema.AmountType, Default: "up to the ceiling at once", Example: `"250.00"`, Doc: "How much is added to the limit that the person has now, at most up to the ceiling."},
		{Name: "otherwise", Type: schema.TextType, OneOf: []string{"leave", "deny"}, Default: "leave", Example: `"deny"`,
			Doc: "What becomes of a request of somebody who is at the ceiling already. A denied person cannot ask again for 30 days."},
		{Name: "notify", Type: schema.BoolType, Default: "true", Example: "false", Doc: "Whether the person gets an e-mail."},
	},
}

var (
	nameAttr = &schema.Attr{Name: "name", Type: schema.TextType, Default: "the label", Example: `"Standard Access"`,
		Doc: "The name that people see, and by which the live object is found."}
	previousNamesAttr = &schema.Attr{Name: "previous_names", Type: schema.ListType, Default: "none", Example: `["Base"]`, Write: schema.WayLocal,
		Doc: "Earlier names: a rename, not a deletion and a creation."}
)

func idAttr(what string) *schema.Attr {
	return &schema.Attr{Name: "id", Type: schema.TextType, Default: "found by name", Example: `"rbac_` + what + `_01AbC"`, Write: schema.WayNone,
		Doc: "The live " + what + "'s id, where its name is not enough."}
}

const onlyMonthly = "only monthly limits work today. Write monthly."

var (
	weeklyAttr = &schema.Attr{Name: "weekly", Type: schema.AmountType, Example: `"50.00"`, Default: "none", NotYet: onlyMonthly, Doc: "The amount for a week."}
	dailyAttr  = &schema.Attr{Name: "daily", Type: schema.AmountType, Example: `"10.00"`, Default: "none", NotYet: onlyMonthly, Doc: "The amount for a day."}

	unlimitedAttr = &schema.Attr{Name: "unlimited", Type: schema.BoolType, Default: "false", Example: "true", Doc: "No limit, even where another scope has one."}
	inheritAttr   = &schema.Attr{Name: "inherit", Type: schema.BoolType, Default: "false", Example: "true", Doc: "No limit of its own: the next scope decides."}
)

func monthlyAttr(required bool) *schema.Attr {
	a := &schema.Attr{Name: "monthly", Type: schema.AmountType, Example: `"200.00"`, Required: required, Doc: "The amount for a month, in major units of the currency. It starts over on the first, 00:00 UTC."}
	if !required {
		a.Default = "unlimited or inherit says"
	}
	return a
}

func limitBlock(typ, doc string, write schema.Way, more ...*schema.Attr) *schema.Block {
	return &schema.Block{Type: typ, Once: true, Doc: doc, Write: write, ReadBack: schema.WayAPI,
		Attrs: append([]*schema.Attr{monthlyAttr(false), weeklyAttr, dailyAttr}, more...)}
}
