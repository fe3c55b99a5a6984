package conduit

import "github.com/rolecall/rolecall/schema"

// Name is what `system = "…"` says for Conduit.
const Name = "conduit"

// DefaultEndpoint is where Conduit is.
//
// Source: migration page of the vendor; read 2026-11-22.
const DefaultEndpoint = "https://conduit.wyre.ai"

// language declares the blocks of Conduit.
var language = &schema.System{
	Name:   Name,
	Blocks: []*schema.Block{organizationBlock, vendorBlock, teamBlock, memberBlock},
}

var organizationBlock = &schema.Block{
	Type: "organization", Label: "name", Once: true, Write: schema.WayLocal, ReadBack: schema.WayLocal,
	Doc: "The organization that this directory describes.",
	Attrs: []*schema.Attr{
		{Name: "system", Type: schema.TextType, Required: true, Example: `"conduit"`, Doc: "The system that the organization belongs to."},
		{Name: "id", Type: schema.TextType, Default: "the one organization that the session sees", Example: `"org_7f3a"`,
			Doc: "The organization's id. Needed where there is no session, or it sees several."},
	},
	Blocks: []*schema.Block{
		{Type: "api", Once: true, Doc: "How the live organization is reached: teams and their members by SCIM with the token in CONDUIT_SCIM_TOKEN, everything else by the JSON routes with the browser session in CONDUIT_SESSION. What a missing one cannot read comes from the ledger.",
			Attrs: []*schema.Attr{
				{Name: "endpoint", Type: schema.TextType, Default: DefaultEndpoint, Example: `"https://conduit.wyre.ai"`,
					Doc: "Where the service is. ROLECALL_ENDPOINT overrides it."},
				{Name: "emulator", Type: schema.TextType, Example: `"msp.org.json"`,
					Doc: "Use the embedded emulator, seeded from this file, instead of an endpoint. Its live copy is kept in .rolecall/."},
			}},
	},
}

var vendorBlock = &schema.Block{
	Type: "vendor", Label: "slug", Write: schema.WayAPI, ReadBack: schema.WayAPI,
	Doc: "A vendor whose tools the gateway serves, and the organization's list of allowed tools, which is a ceiling for everybody but the owner.",
	Attrs: []*schema.Attr{
		{Name: "tools", Type: schema.ListType, Default: "what the service discovers", Example: `["search_tickets", "update_ticket"]`,
			Doc: "The names of its tools, without the vendor's prefix.", Write: schema.WayNone},
		{Name: "allowed", Type: schema.ListType, Word: inherit, Example: `["search_tickets"]`,
			Doc: "The tools that the organization allows, to administrators and members alike. inherit is no list, so every tool there is and will be. An empty list is an error: the service would store it as no list, which allows everything."},
		{Name: "personal", Type: schema.TextType, OneOf: []string{"assume", "ignore"}, Default: "assume", Example: `"assume"`, Write: schema.WayLocal, ReadBack: schema.WayTrust,
			Doc: "Whether members may use credentials of their own, which no team's list narrows. assume shows that as permissions of its own: personal.<vendor>.<tool>."},
	},
}

var teamBlock = &schema.Block{
	Type: "team", Label: "name", Write: schema.WayAPI, ReadBack: schema.WayAPI,
	Doc: "A team. A member is in one at most: with two that hold credentials for a vendor, neither's list narrows anything.",
	Attrs: []*schema.Attr{
		{Name: "name", Type: schema.TextType, Default: "the label", Example: `"Tier 1"`, Doc: "The name that people see. No two teams have the same."},
		{Name: "previous_names", Type: schema.ListType, Example: `["Helpdesk"]`, Write: schema.WayLocal, ReadBack: schema.WayLocal,
			Doc: "Earlier names: a rename in place. A deletion would take the team's lists with it."},
		{Name: "members", Type: schema.PeopleType, Example: `["ana@msp.com"]`,
			Doc: "Who is in it: whoever is not listed is removed. Left out, members are not managed here."},
	},
	Blocks: []*schema.Block{{
		Type: "vendor", Label: "vendor",
		Doc: "A vendor that the team may use. If a team has any such block, it may use no other vendor; without any, they are not managed here.",
		Attrs: []*schema.Attr{
			{Name: "credentials", Type: schema.TextType, OneOf: []string{"team", "organization"}, Example: `"team"`, Write: schema.WayConsole,
				Doc: "Whose credentials the team uses. Without its own, the team's list does nothing. Entering them takes a secret, which never passes through rolecall."},
			{Name: "allowed", Type: schema.ListType, Word: inherit, Example: `["search_tickets"]`,
				Doc: "The tools that the team's list allows. It narrows the organization's and never widens it. inherit is no list of the team's own (\"Reset to inherit\"). An empty list is an error."},
		},
	}},
}

var memberBlock = &schema.Block{
	Type: "member", Label: "e-mail address", Write: schema.WayAPI, ReadBack: schema.WayAPI,
	Doc: "One person of the organization.",
	Attrs: []*schema.Attr{
		{Name: "vendors", Type: schema.ListType, Example: `["autotask"]`, Note: "ten writes an hour; none sends mail",
			Doc: "The vendors that the person may use besides those of the team. Prefer teams: the service bounds these writes, and hands out such access by itself when it starts."},
	},
}
