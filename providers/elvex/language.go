package elvex

import "github.com/rolecall/rolecall/schema"

// Name is what `system = "…"` says for elvex.
const Name = "elvex"

// What can be written, lowest first where there is an order.
//
// Source: product guide, groups; help centre, roles and permissions, sharing
// with groups; read 2026-11-22.
var (
	companyRoles = []string{"consumer", "member", "creator", "admin", "owner"}
	groupRoles   = []string{"viewer", "editor", "owner"}
	shareRoles   = []string{"viewer", "editor"}
	visibilities = []string{"private", "public"}
	kinds        = []string{"assistant", "conversation", "datasource", "flow"}
	publicKinds  = []string{"assistant", "datasource"} // for the others, being public is not documented
)

// language declares the blocks of elvex.
var language = &schema.System{
	Name:   Name,
	Blocks: []*schema.Block{organizationBlock, memberBlock, groupBlock, mappingBlock, resourceBlock},
}

var organizationBlock = &schema.Block{
	Type: "organization", Label: "name", Once: true, Write: schema.WayLocal, ReadBack: schema.WayLocal,
	Doc: "The company that this directory describes. elvex has no API for administration: the live state is ledger.json, which rolecall confirm writes.",
	Attrs: []*schema.Attr{
		{Name: "system", Type: schema.TextType, Required: true, Example: `"elvex"`, Doc: "The system that the organization belongs to."},
	},
}

var memberBlock = &schema.Block{
	Type: "member", Label: "e-mail address", Write: schema.WayConsole, ReadBack: schema.WayLedger,
	Doc: "One person of the company. People whom groups and shares name need no block of their own.",
	Attrs: []*schema.Attr{
		{Name: "company_role", Type: schema.TextType, OneOf: companyRoles, Example: `"creator"`,
			Doc: "The person's role in the company. An owner has every resource; an admin has no more of them than anybody else. Without a role that is known, a person counts as member."},
	},
}

var groupBlock = &schema.Block{
	Type: "group", Label: "name", Group: true, Write: schema.WayConsole, ReadBack: schema.WayLedger,
	Doc: "A group. Whatever their role in it, its members have what is shared with it; people who come in through a mapping are apart from those listed here.",
	Attrs: []*schema.Attr{
		{Name: "name", Type: schema.TextType, Default: "the label", Example: `"Marketing"`, Doc: "The name that people see."},
		{Name: "previous_names", Type: schema.ListType, Example: `["Campaigns"]`, Doc: "Earlier names: a rename, not a deletion and a creation.",
			Write: schema.WayLocal, ReadBack: schema.WayLocal},
		{Name: "visibility", Type: schema.TextType, OneOf: visibilities, Example: `"private"`,
			Doc: "Who can see that the group is there: its members, or everybody. Nobody can join by themselves either way."},
		{Name: "owner", Type: schema.PeopleType, Example: `["sarah@corp.com"]`,
			Doc: "Who manages it whole: group.<label>.manage. At least one, and no consumer."},
		{Name: "editor", Type: schema.PeopleType, Example: `[]`, Doc: "Who may add and remove people: group.<label>.manage. No consumer."},
		{Name: "viewer", Type: schema.PeopleType, Example: `["tom@corp.com"]`,
			Doc: "Everybody else in it. Of each role that is written, whoever is not listed loses it."},
	},
}

var mappingBlock = &schema.Block{
	Type: "mapping", Label: "name", Write: schema.WayConsole, ReadBack: schema.WayLedger,
	Doc: "A SAML attribute group: at login, people with one of these values of the attribute called groups come into a group. Who they are only the group's page shows.",
	Attrs: []*schema.Attr{
		{Name: "values", Type: schema.ListType, Required: true, Example: `["MKT"]`, Doc: "The values, compared byte by byte."},
		{Name: "group", Type: schema.Ref, Refs: "group", Required: true, Example: `group.marketing`, Doc: "The group."},
		{Name: "role", Type: schema.TextType, OneOf: shareRoles, Required: true, Example: `"viewer"`,
			Doc: "Their role in the group. Of several mappings into one group, and a listing in it, the highest counts."},
	},
}

var resourceBlock = &schema.Block{
	Type: "resource", Label: "kind", Second: "name", Write: schema.WayConsole, ReadBack: schema.WayLedger,
	Doc: "An assistant, flow, datasource or conversation that somebody made. The highest of everything that a person has it through counts.",
	Attrs: []*schema.Attr{
		{Name: "creator", Type: schema.TextType, Required: true, Example: `"sarah@corp.com"`, Write: schema.WayNone, ReadBack: schema.WayTrust,
			Doc: "Who made it, and so owns it."},
		{Name: "visibility", Type: schema.TextType, OneOf: visibilities, Example: `"private"`,
			Doc: "public makes everybody a viewer; only assistants and datasources can be."},
	},
	Blocks: []*schema.Block{{
		Type: "share", Doc: "One share of the resource. If it has any, nobody else has one; without any, shares are not managed here.",
		Attrs: []*schema.Attr{
			{Name: "group", Type: schema.Ref, Refs: "group", Example: `group.marketing`, Doc: "The group that it is shared with. Write this, or member."},
			{Name: "member", Type: schema.TextType, Example: `"tom@corp.com"`, Doc: "The person that it is shared with."},
			{Name: "role", Type: schema.TextType, OneOf: shareRoles, Required: true, Example: `"viewer"`,
				Doc: "What they may do: use it, or change it and its shares too."},
		},
	}},
}
