package claude

import "github.com/rolecall/rolecall/schema"

// Name is what `system = "…"` says for Claude Enterprise.
const Name = "claude-enterprise"

var (
	connectorLevels = []string{"blocked", "needs_approval", "always_allow"}
	defaultLevels   = []string{"always_allow", "needs_approval", "blocked", "custom"}
)

// language declares the blocks of Claude Enterprise.
var language = &schema.System{
	Name: Name,
	Blocks: []*schema.Block{
		organizationBlock,
		connectorBlock,
		featureBlock,
		roleBlock,
		groupBlock,
		memberBlock,
		migrationBlock,
	},
}

var organizationBlock = &schema.Block{
	Type: "organization", Label: "name", Once: true,
	Doc: "The organization that this directory describes.",
	Attrs: []*schema.Attr{
		{Name: "system", Type: schema.TextType, Required: true, Example: `"claude-enterprise"`,
			Doc: "The system that the organization belongs to."},
		{Name: "id", Type: schema.TextType, Example: `"12345678-1234-5678-1234-567812345678"`,
			Doc: "The organization's UUID. A different live id is an error, so that a wrong key changes nothing."},
		{Name: "provisioning", Type: schema.TextType, Example: `"invite"`,
			OneOf: []string{"invite", "jit", "jit_mapped", "scim", "scim_mapped"}, Default: "what the live organization says",
			Doc: "How people come into the organization. It decides what the API can write."},
		{Name: "connector_permissions", Type: schema.TextType, OneOf: []string{"on", "off"}, Default: "on", Example: `"on"`,
			Doc: "Whether the vendor has enabled connector permissions on roles."},
		{Name: "billing", Type: schema.TextType, OneOf: []string{"usage", "seats"}, Default: "usage", Example: `"usage"`,
			Doc: "How the organization is billed. Under seats there are no spend limits."},
		{Name: "spend_precedence", Type: schema.TextType, OneOf: []string{"lowest", "highest"}, Default: "lowest", Example: `"lowest"`,
			Doc: "Which limit wins for a member of several groups with limits."},
		{Name: "settle", Type: schema.TextType, Default: "15m", Example: `"15m"`,
			Doc: "The longest wait for a change to be in force everywhere. Where the documented time is shorter, that is used."},
		{Name: "invites", Type: schema.TextType, OneOf: []string{"report", "send"}, Default: "report", Example: `"report"`,
			Doc: "What to do about listed people who are not members yet."},
	},
	Blocks: []*schema.Block{
		{Type: "api", Once: true, Doc: "How the live organization is reached.", Attrs: []*schema.Attr{
			{Name: "endpoint", Type: schema.TextType, Default: "https://api.anthropic.com", Example: `"https://api.anthropic.com"`,
				Doc: "Where the API is. ROLECALL_ENDPOINT overrides it."},
			{Name: "key_env", Type: schema.TextType, Default: "ANTHROPIC_ADMIN_KEY", Example: `"ANTHROPIC_ADMIN_KEY"`,
				Doc: "The environment variable that holds the key."},
			{Name: "compliance_key_env", Type: schema.TextType, Example: `"ANTHROPIC_COMPLIANCE_KEY"`,
				Doc: "The variable of a second key, where the compliance scopes are on a key of their own."},
			{Name: "key_command", Type: schema.ListType, Example: `["op", "read", "op://vault/claude/key"]`,
				Doc: "A command that prints the key, instead of a variable."},
			{Name: "emulator", Type: schema.TextType, Example: `"acme.org.json"`,
				Doc: "Use the embedded emulator, seeded from this file, instead of an endpoint. Its live copy is kept in .rolecall/."},
		}},
		{Type: "unmanaged", Once: true, Doc: "What to make of live objects that no block describes. They are always read and always count.",
			Attrs: []*schema.Attr{
				unmanagedAttr("roles", "report"), unmanagedAttr("groups", "report"), unmanagedAttr("members", "ignore"),
				unmanagedAttr("invites", "ignore"), unmanagedAttr("limits", "ignore"),
			}},
	},
}

func unmanagedAttr(name, def string) *schema.Attr {
	return &schema.Attr{Name: name, Type: schema.TextType, OneOf: []string{"ignore", "report"}, Default: def,
		Example: `"report"`, Doc: "What to make of " + name + " that no block describes."}
}

var connectorBlock = &schema.Block{
	Type: "connector", Label: "name",
	Doc: "A connector of the organization, and its organization-wide tool policy, which is a ceiling for everybody.",
	Attrs: []*schema.Attr{
		{Name: "id", Type: schema.TextType, Required: true, Example: `"mcpsrv_01AbC"`, Doc: "The connector's id."},
		{Name: "tools", Type: schema.ListType, Example: `["search_issues", "create_issue"]`, Doc: "The names of its tools."},
		{Name: "policy", Type: schema.TextType, OneOf: connectorLevels, Default: "always_allow", Example: `"always_allow"`,
			Doc: "The organization-wide policy for its tools. No API reads it: what is written is taken on trust."},
		{Name: "tool_policy", Type: schema.MapType, OneOf: connectorLevels, Example: `{ delete_issue = "blocked" }`,
			Doc: "The policy of single tools, where it differs."},
	},
}

var featureBlock = &schema.Block{
	Type: "feature", Label: "capability",
	Doc: "An organization-wide switch: off means nobody has it.",
	Attrs: []*schema.Attr{
		{Name: "enabled", Type: schema.BoolType, Required: true, Example: "true", Doc: "Whether the feature is on."},
		{Name: "action", Type: schema.TextType, Default: "the label", Example: `"saffron"`,
			Doc: "What the API calls the capability in role permissions."},
		{Name: "setting", Type: schema.TextType, Default: "<label>_enabled", Example: `"memory_enabled"`,
			Doc: "Its row in the effective settings, or \"\" if it has none."},
	},
}

var roleBlock = &schema.Block{
	Type: "role", Label: "name",
	Doc: "A custom role. Roles add up: the most permissive one wins.",
	Attrs: []*schema.Attr{
		idAttr("role"), nameAttr, previousNamesAttr,
		{Name: "builtin", Type: schema.BoolType, Default: "false", Example: "true",
			Doc: "Marks a role that the vendor made: it is referred to by id and never changed."},
		{Name: "description", Type: schema.TextType, Example: `"What everybody has."`, Doc: "What the role is for."},
		{Name: "capabilities", Type: schema.ListType, Example: `["chat", "web_search"]`,
			Doc: "The features it grants; [\"all\"] is every one there will ever be, [\"all_ga\"] every generally available one."},
		{Name: "admin_permissions", Type: schema.MapType, OneOf: []string{"view", "manage"}, Example: `{ billing = "view" }`,
			Doc: "Administration areas with view or manage."},
		{Name: "connector_default", Type: schema.TextType, OneOf: defaultLevels, Example: `"needs_approval"`,
			Doc: "The level for every connector that the role does not name; custom gives nothing."},
	},
	Blocks: []*schema.Block{{
		Type: "connector", Label: "name", Doc: "What the role gives on one connector.",
		Attrs: []*schema.Attr{
			{Name: "access", Type: schema.TextType, OneOf: connectorLevels, Example: `"always_allow"`, Doc: "The level for all its tools."},
			{Name: "tools", Type: schema.MapType, OneOf: connectorLevels, Example: `{ search_issues = "needs_approval" }`,
				Doc: "Levels by tool; tools not named are blocked."},
		},
	}},
}

var groupBlock = &schema.Block{
	Type: "group", Label: "name",
	Doc: "A group: the people in it get what its roles give.",
	Attrs: []*schema.Attr{
		idAttr("group"), nameAttr, previousNamesAttr,
		{Name: "source", Type: schema.TextType, OneOf: []string{"direct", "scim"}, Default: "direct", Example: `"scim"`,
			Doc: "Where its members come from. The identity provider owns name and members of a scim group."},
		{Name: "roles", Type: schema.RefList, Refs: "role", Example: `[role.standard]`, Doc: "The roles attached to it."},
		{Name: "members", Type: schema.PeopleType, Example: `["jane@acme.com"]`,
			Doc: "Who is in it: whoever is not listed is removed. Left out, members are not managed here."},
		{Name: "owners", Type: schema.ListType, Example: `["lead@acme.com"]`, Doc: "Who should approve changes to it."},
	},
	Blocks: []*schema.Block{spendLimitBlock(
		&schema.Attr{Name: "enforce", Type: schema.TextType, OneOf: []string{"console"}, Default: "console", Example: `"console"`,
			Doc: "How the limit is set: as a group limit, by hand."})},
}

var memberBlock = &schema.Block{
	Type: "member", Label: "e-mail address",
	Doc: "One person, where something is to be said of them that groups do not say.",
	Attrs: []*schema.Attr{
		{Name: "previous_emails", Type: schema.ListType, Example: `["jane@old-acme.com"]`, Doc: "Earlier addresses of the same person."},
		{Name: "remove", Type: schema.BoolType, Default: "false", Example: "true", Doc: "Removes the person from the organization."},
	},
	Blocks: []*schema.Block{spendLimitBlock()},
}

var migrationBlock = &schema.Block{
	Type: "migration", Once: true,
	Doc: "Moves members to the organization role managed (\"Custom roles\"), wave by wave.",
	Blocks: []*schema.Block{{
		Type: "wave", Label: "name", Doc: "The members who are moved together.",
		Attrs: []*schema.Attr{
			{Name: "groups", Type: schema.RefList, Refs: "group", Example: `[group.pilot]`, Doc: "Everybody in these groups."},
			{Name: "members", Type: schema.PeopleType, Example: `everyone`, Doc: "These people."},
			{Name: "except", Type: schema.PeopleType, Example: `["auditor@acme.com"]`, Doc: "Who is left out."},
			{Name: "state", Type: schema.TextType, OneOf: []string{"open", "closed", "reverted"}, Default: "open", Example: `"closed"`,
				Doc: "closed: shown as held, not applied. reverted: back to the organization role user."},
		},
	}},
}

var (
	nameAttr = &schema.Attr{Name: "name", Type: schema.TextType, Default: "the label", Example: `"Standard Access"`,
		Doc: "The name that people see, and by which the live object is found."}
	previousNamesAttr = &schema.Attr{Name: "previous_names", Type: schema.ListType, Example: `["Base"]`,
		Doc: "Earlier names: a rename, not a deletion and a creation."}
)

func idAttr(what string) *schema.Attr {
	return &schema.Attr{Name: "id", Type: schema.TextType, Example: `"rbac_` + what + `_01AbC"`,
		Doc: "The live " + what + "'s id, where its name is not enough."}
}

func spendLimitBlock(more ...*schema.Attr) *schema.Block {
	return &schema.Block{Type: "spend_limit", Once: true, Doc: "A spend limit for each member, by period.",
		Attrs: append([]*schema.Attr{
			{Name: "monthly", Type: schema.AmountType, Example: `"200.00"`, Doc: "The amount in major units of the currency."},
			{Name: "weekly", Type: schema.AmountType, Example: `"50.00"`, Doc: "Not available yet: an error that says so."},
			{Name: "daily", Type: schema.AmountType, Example: `"10.00"`, Doc: "Not available yet: an error that says so."},
			{Name: "unlimited", Type: schema.BoolType, Example: "true", Doc: "No limit."},
			{Name: "inherit", Type: schema.BoolType, Example: "true", Doc: "No limit of its own."},
		}, more...)}
}
