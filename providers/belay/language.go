package belay

import "github.com/rolecall/rolecall/schema"

// Name is what `system = "…"` says for Belay.
const Name = "belay"

// The classes of scopes, mildest first. A scope's class cannot be told from its
// name.
//
// Source: product guide, groups; integration pages; read 2026-11-22.
var classes = []string{"read", "write", "admin"}

// language declares the blocks of Belay.
var language = &schema.System{
	Name:   Name,
	Blocks: []*schema.Block{organizationBlock, integrationBlock, groupBlock},
	Extend: map[string][]*schema.Attr{"rule": {{
		Name: "trusted", Type: schema.RefList, Refs: "group", For: []string{"admin-scope"}, Default: "[]", Example: `[group.marketing]`,
		Doc: "The groups that may hold scopes of class admin.", Write: schema.WayLocal, ReadBack: schema.WayLocal,
	}}},
}

var organizationBlock = &schema.Block{
	Type: "organization", Label: "name", Once: true, Write: schema.WayLocal, ReadBack: schema.WayLocal,
	Doc: "The organization that this directory describes. Belay has no API for administration: the live state is ledger.json, which rolecall confirm writes.",
	Attrs: []*schema.Attr{
		{Name: "system", Type: schema.TextType, Required: true, Example: `"belay"`, Doc: "The system that the organization belongs to."},
	},
	Blocks: []*schema.Block{{
		Type: "canary", Once: true,
		Doc: "A member who is in one group only, as whom Belay's MCP server is asked what that group gives. What it answers is believed over the ledger.",
		Attrs: []*schema.Attr{
			{Name: "token_env", Type: schema.TextType, Default: "BELAY_CANARY_TOKEN", Example: `"BELAY_CANARY_TOKEN"`,
				Doc: "The environment variable that holds the member's MCP token. Without the variable nobody is asked."},
			{Name: "group", Type: schema.Ref, Refs: "group", Required: true, Example: `group.marketing`,
				Doc: "The one group that the member is in."},
			{Name: "endpoint", Type: schema.TextType, Default: DefaultEndpoint, Example: `"https://app.onbelay.ai/api/mcp"`,
				Doc: "Where the MCP server is."},
		},
	}},
}

var integrationBlock = &schema.Block{
	Type: "integration", Label: "name", Write: schema.WayConsole, ReadBack: schema.WayLedger,
	Doc: "An integration of the organization. Unless it is connected, no group has any of its scopes.",
	Attrs: []*schema.Attr{
		{Name: "connected", Type: schema.BoolType, Required: true, Example: "true",
			Doc: "Whether the organization has connected it. Connecting takes a secret, which never passes through rolecall."},
		{Name: "scopes", Type: schema.MapType, Required: true, OneOf: classes, Example: `{ "contacts:read" = "read", "contacts:write" = "write" }`,
			Doc: "Its scopes, each with its class, as the integration's page lists them.", Write: schema.WayNone, ReadBack: schema.WayTrust},
	},
}

var groupBlock = &schema.Block{
	Type: "group", Label: "name", Write: schema.WayConsole, ReadBack: schema.WayLedger,
	Doc: "A functional group: its members have its system prompt and the scopes that it is granted. Groups add up.",
	Attrs: []*schema.Attr{
		{Name: "name", Type: schema.TextType, Default: "the label", Example: `"Marketing"`, Doc: "The name that people and Claude know it by. No two groups have the same."},
		{Name: "previous_names", Type: schema.ListType, Example: `["Campaigns"]`, Doc: "Earlier names: a rename, not a deletion and a creation.",
			Write: schema.WayLocal, ReadBack: schema.WayLocal},
		{Name: "description", Type: schema.TextType, Example: `"Campaigns and content"`, Doc: "What the group is for."},
		{Name: "claude_role", Type: schema.TextType, Example: `file("marketing.prompt.md")`,
			Doc: "The system prompt of its members: the permission context.<label>. An empty text is no prompt."},
		{Name: "members", Type: schema.PeopleType, Example: `["liv@studio.co"]`,
			Doc: "Who is in it: whoever is not listed is removed. Left out, members are not managed here."},
	},
	Blocks: []*schema.Block{{
		Type: "integration", Label: "integration",
		Doc: "What the group is granted of one integration. If a group has any such block, integrations without one are not granted; without any block, grants are not managed here.",
		Attrs: []*schema.Attr{
			{Name: "scopes", Type: schema.ListType, Required: true, Example: `["contacts:read"]`,
				Doc: "The scopes that the group may use. [] takes the grant away."},
		},
	}},
}
