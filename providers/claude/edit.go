package claude

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// Edit returns the edit of the configuration that makes a move. Memberships
// are left to the list of the group, as in every system.
func (s *System) Edit(v access.Move, objects *schema.State) (schema.Edit, bool) {
	switch v.Kind {
	case access.MoveCeiling:
		return s.editCeiling(v)
	case access.MoveAttachment:
		return s.editAttachment(v)
	case access.MoveGrant:
		return s.editGrant(v)
	}
	return schema.Edit{}, false
}

// block returns the block that describes an object, nil if none does.
func (s *System) block(addr schema.Address) *schema.Described {
	i := slices.IndexFunc(s.config.Blocks, func(b *schema.Described) bool { return b.Addr == addr })
	if i < 0 {
		return nil
	}
	return s.config.Blocks[i]
}

// editCeiling is a switch of a feature, or a policy of a tool.
func (s *System) editCeiling(v access.Move) (schema.Edit, bool) {
	if label, ok := s.capabilityOf(v.Permission); ok {
		on := v.To != "none"
		addr := schema.MakeAddress("feature", label, "")
		b := s.block(addr)
		if b == nil {
			return schema.Edit{Kind: schema.Insert, Address: addr, Block: "feature " + schema.Quote(label), Value: fmt.Sprintf("enabled = %v", on)}, true
		}
		return schema.Edit{Kind: schema.SetAttr, Address: addr, Range: b.Where("enabled"), Attr: "enabled", Value: fmt.Sprint(on)}, true
	}
	label, tool, ok := s.toolOf(v.Permission)
	b := s.block(schema.Address(permConnector(label)))
	if !ok || b == nil {
		return schema.Edit{}, false
	}
	e := schema.Edit{Kind: schema.SetAttr, Address: b.Addr, Range: b.Where("policy"), Attr: "policy", Value: schema.Quote(v.To)}
	own := b.Attr("tool_policy")
	if tool != "" {
		e = schema.Edit{Kind: schema.PutKey, Address: b.Addr, Range: b.Where("tool_policy"), Attr: "tool_policy", Key: mapKey(tool), Value: schema.Quote(v.To)}
		if own != nil {
			if item, ok := own.Entries[tool]; ok {
				e.Range = item.Range
			}
		}
	}
	return e, true
}

// capabilityOf returns the label of a capability that has a name.
func (s *System) capabilityOf(key string) (string, bool) {
	for label := range s.words.byLabel {
		if permCapability(label) == key {
			return label, true
		}
	}
	return "", false
}

// toolOf returns the connector and the tool of a permission; the tool is ""
// for whatever the connector has besides.
func (s *System) toolOf(key string) (label, tool string, ok bool) {
	for l := range s.connectors {
		rest, is := strings.CutPrefix(key, permConnector(l))
		switch {
		case !is:
		case rest == ".*":
			return l, "", true
		case strings.HasPrefix(rest, "."):
			return l, rest[1:], true
		case strings.HasPrefix(rest, `["`) && strings.HasSuffix(rest, `"]`):
			return l, rest[2 : len(rest)-2], true
		}
	}
	return "", "", false
}

// editAttachment attaches a role to a group or takes it off, all parts of the
// role at once.
func (s *System) editAttachment(v access.Move) (schema.Edit, bool) {
	b := s.block(schema.Address(v.Group))
	role, _ := splitSource(v.Source)
	if b == nil || b.Attr("roles") == nil || s.block(role) == nil {
		return schema.Edit{}, false
	}
	e := schema.Edit{Kind: schema.AddItem, Address: b.Addr, Range: b.Where("roles"), Attr: "roles", Value: string(role)}
	if v.To == access.Out {
		e.Kind = schema.TakeItem
		for _, item := range b.Attr("roles").Items {
			if item.Text == string(role) {
				e.Range = item.Range
			}
		}
	}
	return e, true
}

// splitSource returns the role and the part that a source is.
func splitSource(source string) (schema.Address, string) {
	for _, part := range roleParts {
		if part != "" && strings.HasSuffix(source, part) {
			return schema.Address(strings.TrimSuffix(source, part)), part
		}
	}
	return schema.Address(source), partRows
}

// editGrant raises or lowers what one part of a role says.
func (s *System) editGrant(v access.Move) (schema.Edit, bool) {
	role, part := splitSource(v.Source)
	b := s.block(role)
	if b == nil || b.Bool("builtin", false) {
		return schema.Edit{}, false
	}
	if label, ok := s.capabilityOf(v.Permission); ok {
		return s.editCapability(b, part, label, v.To)
	}
	if area, ok := strings.CutPrefix(v.Permission, "admin."); ok && part == partRows {
		return editAdmin(b, area, v.To)
	}
	if v.Permission == anyConnector && part == partDefault {
		return schema.Edit{Kind: schema.SetAttr, Address: role, Range: b.Where("connector_default"), Attr: "connector_default", Value: schema.Quote(v.To)}, true
	}
	label, tool, ok := s.toolOf(v.Permission)
	if !ok {
		return schema.Edit{}, false
	}
	if levelOf(v.To) == 0 {
		return s.editToolOff(b, part, label, tool)
	}
	return s.editToolOn(b, part, label, tool, v.To)
}

func (s *System) editCapability(b *schema.Described, part, label, to string) (schema.Edit, bool) {
	list := b.Attr("capabilities")
	if list == nil {
		return schema.Edit{}, false
	}
	e := schema.Edit{Kind: schema.AddItem, Address: b.Addr, Range: list.Range, Attr: "capabilities", Value: schema.Quote(label)}
	texts := b.Texts("capabilities")
	if to == "none" {
		i := slices.Index(texts, label)
		if i < 0 || part != partRows { // a blanket cannot be lessened by one
			return schema.Edit{}, false
		}
		e.Kind, e.Range = schema.TakeItem, list.Items[i].Range
		return e, true
	}
	return e, part == partRows && !slices.Contains(texts, labelAll) && !slices.Contains(texts, labelAllGA)
}

// editAdmin writes an admin permission, or the map without it.
func editAdmin(b *schema.Described, area, to string) (schema.Edit, bool) {
	a := b.Attr("admin_permissions")
	e := schema.Edit{Kind: schema.PutKey, Address: b.Addr, Range: b.Where("admin_permissions"), Attr: "admin_permissions", Key: area, Value: schema.Quote(to)}
	if to != "none" {
		i := slices.IndexFunc(adminAreas, func(x struct {
			area, title string
			levels      []string
		}) bool {
			return x.area == area
		})
		if i < 0 {
			return schema.Edit{}, false
		}
		if !slices.Contains(adminAreas[i].levels, to) { // not every area has every level
			e.Value = schema.Quote(adminAreas[i].levels[0])
		}
		return e, true
	}
	if a == nil {
		return schema.Edit{}, false
	}
	var rest []string
	for _, k := range slices.Sorted(maps.Keys(a.Entries)) {
		if k != area {
			rest = append(rest, fmt.Sprintf("%s = %s", k, schema.Quote(a.Entries[k].Text)))
		}
	}
	e.Kind, e.Key, e.Value = schema.SetAttr, "", "{ "+strings.Join(rest, ", ")+" }"
	if len(rest) == 0 {
		e.Value = "{}"
	}
	return e, true
}

// nested returns the connector block of a role, nil if it has none of the
// label.
func nested(b *schema.Described, label string) *schema.Described {
	for _, c := range b.Of("connector") {
		if c.Label == label {
			return c
		}
	}
	return nil
}

// editToolOn gives a role a level on a tool it gives nothing on.
func (s *System) editToolOn(b *schema.Described, part, label, tool, to string) (schema.Edit, bool) {
	if !s.perms {
		return schema.Edit{}, false
	}
	c := nested(b, label)
	e := schema.Edit{Address: b.Addr, Block: "connector " + schema.Quote(label), Range: b.Range}
	byTool := part == partTools && tool != ""
	if c == nil && b.Attr("connector_default") == nil && len(b.Of("connector")) == 0 {
		return schema.Edit{}, false // its connectors are not managed here, and a block would take them over
	}
	switch {
	case c == nil && byTool:
		e.Kind, e.Value = schema.Insert, fmt.Sprintf("tools = { %s = %s }", mapKey(tool), schema.Quote(to))
	case c == nil && part == partConnectors && tool == "":
		e.Kind, e.Value = schema.Insert, "access = "+schema.Quote(to)
	case c != nil && c.Attr("tools") != nil && byTool:
		e.Kind, e.Attr, e.Key, e.Value, e.Range = schema.PutKey, "tools", mapKey(tool), schema.Quote(to), c.Where("tools")
		if item, ok := c.Attr("tools").Entries[tool]; ok {
			e.Range = item.Range
		}
	case c != nil && c.Attr("access") != nil && part == partConnectors:
		e.Kind, e.Attr, e.Value, e.Range = schema.SetAttr, "access", schema.Quote(to), c.Where("access")
	default:
		return schema.Edit{}, false
	}
	return e, true
}

// editToolOff takes from a role what it gives on a tool.
func (s *System) editToolOff(b *schema.Described, part, label, tool string) (schema.Edit, bool) {
	c := nested(b, label)
	e := schema.Edit{Address: b.Addr, Block: "connector " + schema.Quote(label), Range: b.Range}
	switch part {
	case partTools:
		if c == nil || c.Attr("tools") == nil {
			return schema.Edit{}, false
		}
		item, ok := c.Attr("tools").Entries[tool]
		if !ok {
			return schema.Edit{}, false
		}
		e.Kind, e.Attr, e.Key, e.Value, e.Range = schema.PutKey, "tools", mapKey(tool), schema.Quote("blocked"), item.Range
	case partConnectors:
		if c == nil || c.Attr("access") == nil {
			return schema.Edit{}, false
		}
		e.Kind, e.Attr, e.Value, e.Range = schema.SetAttr, "access", schema.Quote("blocked"), c.Where("access")
	case partDefault:
		if c != nil || b.Attr("connector_default") == nil {
			return schema.Edit{}, false
		}
		e.Kind, e.Value = schema.Insert, "access = "+schema.Quote("blocked")
	default:
		return schema.Edit{}, false
	}
	return e, true
}

// mapKey writes a key of a map as HCL.
func mapKey(s string) string {
	if schema.MakeAddress("t", s, "") == schema.Address("t."+s) {
		return s
	}
	return schema.Quote(s)
}
