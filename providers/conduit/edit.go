package conduit

import (
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// Edit returns the edit of the configuration that makes a move: of a team's
// members, as far as nobody comes to be in two; of the vendors of a team or of
// a person; and of a list of the organization or a team. The zero Edit says
// that nothing anybody could write makes it.
func (s *System) Edit(v access.Move, objects *schema.State) (schema.Edit, bool) {
	switch v.Kind {
	case access.MoveMembership:
		return s.editMembership(v, objects)
	case access.MoveAttachment:
		return s.editVendors(v), true
	case access.MoveGrant:
		addr := schema.Address(strings.TrimSuffix(v.Source, forAdmins))
		b := s.block(addr)
		if b == nil {
			return schema.Edit{}, true
		}
		return s.editList(b, addr, "", b.Label, v), true
	case access.MoveListLevel:
		addr := schema.Address(strings.TrimSuffix(v.Group, forAdmins))
		b := s.block(addr)
		if b == nil {
			return schema.Edit{}, true
		}
		for _, own := range b.Of("vendor") {
			if _, ok := s.toolOf(own.Label, v.Permission); ok {
				return s.editList(own, addr, "vendor "+schema.Quote(own.Label), own.Label, v), true
			}
		}
		return schema.Edit{}, true
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

// editMembership leaves the list of the team to what every system has, unless
// it would put somebody into a second team, which is an error. The group of one
// person has no list at all.
func (s *System) editMembership(v access.Move, objects *schema.State) (schema.Edit, bool) {
	addr := schema.Address(strings.TrimSuffix(v.Group, forAdmins))
	if addr.Type() != "team" {
		return schema.Edit{}, true
	}
	if v.To == access.In {
		for _, o := range objects.Of("team") {
			if o.Addr != addr && o.Get(attrMembers).Has(v.Member) {
				return schema.Edit{}, true
			}
		}
	}
	return schema.Edit{}, false
}

// editVendors gives a team or a person a vendor, or takes it from a person.
func (s *System) editVendors(v access.Move) schema.Edit {
	addr := schema.Address(strings.TrimSuffix(v.Group, forAdmins))
	vendor := s.block(schema.Address(strings.TrimSuffix(v.Source, forAdmins)))
	b := s.block(addr)
	if vendor == nil || b == nil {
		return schema.Edit{}
	}
	slug := schema.Quote(vendor.Label)
	if addr.Type() == "team" {
		if v.To != access.In {
			return schema.Edit{} // a block that goes
		}
		return schema.Edit{Kind: schema.Insert, Address: addr, Range: b.Range, Block: "vendor " + slug, Value: `credentials = "organization"`}
	}
	e := schema.Edit{Kind: schema.AddItem, Address: addr, Range: b.Where("vendors"), Attr: "vendors", Value: slug}
	if v.To != access.In {
		e.Kind = schema.TakeItem
	}
	return e
}

// toolOf returns the tool of a vendor that a permission is of, "" for those
// that nothing names.
func (s *System) toolOf(slug, permission string) (tool string, ok bool) {
	k := keysOf(slug, s.vendors[slug].tools, true)
	for _, set := range []map[string]string{k.gateway, k.personal} {
		for tool, key := range set {
			if key == permission {
				return tool, true
			}
		}
	}
	return "", false
}

// editList lets one tool through a list, or no longer. What no list names is
// let through by having no list. No list can be empty: the service would store
// it as no list.
func (s *System) editList(b *schema.Described, addr schema.Address, block, slug string, v access.Move) schema.Edit {
	tool, ok := s.toolOf(slug, v.Permission)
	list := b.Attr("allowed")
	e := schema.Edit{Address: addr, Range: b.Where("allowed"), Block: block, Attr: "allowed", Value: schema.Quote(tool)}
	named := b.Texts("allowed")
	switch has := slices.Contains(named, tool); {
	case !ok, v.To == scale.Levels[1] && has:
		return schema.Edit{}
	case v.To == scale.Levels[1] && tool == "":
		e.Kind, e.Value = schema.SetAttr, inherit
	case v.To == scale.Levels[1]:
		e.Kind = schema.AddItem
	case has && len(named) > 1:
		e.Kind = schema.TakeItem
	case has || list != nil && len(named) > 0:
		return schema.Edit{}
	default: // no list: one of all the others
		rest := slices.DeleteFunc(slices.Clone(s.vendors[slug].tools), func(t string) bool { return t == tool })
		if len(rest) == 0 {
			return schema.Edit{}
		}
		e.Kind, e.Value = schema.SetAttr, "["
		for i, t := range rest {
			if i > 0 {
				e.Value += ", "
			}
			e.Value += schema.Quote(t)
		}
		e.Value += "]"
	}
	return e
}
