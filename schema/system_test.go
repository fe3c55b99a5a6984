package schema_test

import "github.com/rolecall/rolecall/schema"

// testSystem declares a language for the tests, with every type of attribute.
func testSystem() *schema.System {
	text := func(name string) *schema.Attr { return &schema.Attr{Name: name} }
	attr := func(name string, t schema.AttrType) *schema.Attr { return &schema.Attr{Name: name, Type: t} }
	choice := func(name string, values ...string) *schema.Attr { return &schema.Attr{Name: name, OneOf: values} }
	refs := func(name, typ string) *schema.Attr {
		return &schema.Attr{Name: name, Type: schema.RefList, Refs: typ}
	}
	access := []string{"always_allow", "needs_approval", "blocked"}
	limit := &schema.Block{Type: "spend_limit", Once: true, Attrs: []*schema.Attr{
		attr("monthly", schema.AmountType), {Name: "weekly", Type: schema.AmountType, NotYet: "only monthly limits work today. Write monthly."},
		attr("unlimited", schema.BoolType), attr("inherit", schema.BoolType),
		choice("enforce", "console", "members"),
	}}
	extend := map[string][]*schema.Attr{"rule": {
		{Name: "trusted", Type: schema.RefList, Refs: "group", For: []string{"admin-scope"}},
	}}
	return &schema.System{Name: "test", Extend: extend, Blocks: []*schema.Block{
		{
			Type: "organization", Label: "name", Once: true,
			Attrs: []*schema.Attr{
				{Name: "system", Required: true}, text("id"),
				choice("provisioning", "invite", "jit", "scim"),
				choice("connector_permissions", "on", "off"),
				attr("seats", schema.NumberType),
			},
			Blocks: []*schema.Block{
				{Type: "api", Once: true, Attrs: []*schema.Attr{
					text("endpoint"), text("emulator"), text("key_env"), attr("key_command", schema.ListType),
				}},
				{Type: "unmanaged", Once: true, Attrs: []*schema.Attr{
					choice("roles", "ignore", "report", "remove"), choice("groups", "ignore", "report", "remove"),
				}},
				{Type: "spend_limit", Once: true, Attrs: limit.Attrs},
			},
		},
		{Type: "connector", Label: "name", Attrs: []*schema.Attr{
			{Name: "id", Required: true, Example: `"mcpsrv_01AbC"`}, attr("tools", schema.ListType),
			choice("policy", access...),
			{Name: "tool_policy", Type: schema.MapType, OneOf: access},
		}},
		{Type: "feature", Label: "name of the capability", Attrs: []*schema.Attr{
			{Name: "enabled", Type: schema.BoolType, Required: true}, text("action"), text("setting"),
		}},
		{
			Type: "role", Label: "name",
			Attrs: []*schema.Attr{
				text("name"), attr("previous_names", schema.ListType), text("description"),
				attr("capabilities", schema.ListType),
				{Name: "admin_permissions", Type: schema.MapType, OneOf: []string{"view", "manage"}},
				choice("connector_default", append(access, "custom")...),
			},
			Blocks: []*schema.Block{{Type: "connector", Label: "connector", Attrs: []*schema.Attr{
				choice("access", access...), {Name: "tools", Type: schema.MapType, OneOf: access},
			}}},
		},
		{
			Type: "group", Label: "name",
			Attrs: []*schema.Attr{
				text("name"), refs("roles", "role"), attr("members", schema.PeopleType),
				attr("owners", schema.ListType), choice("source", "direct", "scim"),
				{Name: "parent", Type: schema.Ref, Refs: "group"},
			},
			Blocks: []*schema.Block{limit},
		},
		{Type: "member", Label: "e-mail address", Attrs: []*schema.Attr{
			attr("remove", schema.BoolType), attr("previous_emails", schema.ListType),
		}},
		{Type: "resource", Label: "kind", Second: "name", Attrs: []*schema.Attr{
			text("creator"), {Name: "group", Type: schema.Ref, Refs: "group"},
		}},
		{Type: "squad", Label: "name", Group: true, Attrs: []*schema.Attr{
			attr("leads", schema.PeopleType), {Name: "since", Type: schema.DayType}, text("motto"),
		}},
		{Type: "migration", Once: true, Blocks: []*schema.Block{
			{Type: "wave", Label: "name", Attrs: []*schema.Attr{
				refs("groups", "group"), attr("members", schema.PeopleType), attr("except", schema.PeopleType),
				choice("state", "open", "closed", "reverted"),
			}},
		}},
	}}
}

// otherSystem declares a second system, to tell its blocks from unknown ones.
func otherSystem() *schema.System {
	return &schema.System{Name: "other", Blocks: []*schema.Block{
		{Type: "organization", Label: "name", Once: true, Attrs: []*schema.Attr{{Name: "system", Required: true}}},
		{Type: "vendor", Label: "name", Attrs: []*schema.Attr{{Name: "tools", Type: schema.ListType}}},
	}}
}

func options() schema.Options {
	return schema.Options{Systems: []*schema.System{testSystem(), otherSystem()}}
}
