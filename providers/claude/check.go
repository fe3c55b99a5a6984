package claude

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/schema"
)

// Check finds what only this system can: what follows from provisioning, from
// seats, and from the names of its tools and areas.
func (s *System) Check(in schema.Inspection) []schema.Finding {
	var found []schema.Finding
	for _, o := range in.Desired.Of("role") {
		found = append(found, s.selfWidening(o, in)...)
		found = append(found, s.unknownTools(o)...)
	}
	found = append(found, s.unusableGroups(in)...)
	found = append(found, s.sharedGroups(in)...)
	found = append(found, s.sharedMemberships(in)...)
	found = append(found, s.mappings(in)...)
	found = append(found, s.seatless(in)...)
	found = append(found, s.withoutChat(in)...)
	found = append(found, s.reachesClaudeCode(in)...)
	return found
}

// selfWidening finds roles that can change roles, their own among them.
//
// Source: help centre, custom roles, “Admin permissions”: Identity & Access
// covers groups, roles and models; read 2026-11-22.
func (s *System) selfWidening(o *schema.Object, in schema.Inspection) []schema.Finding {
	if !o.Described() || o.Get(attrAdmin).AsMap()["identity_access"] != "manage" {
		return nil
	}
	var members []string
	for _, g := range in.Desired.Of("group") {
		if g.Get(attrRoles).Has(string(o.Addr)) {
			members = append(members, g.Get(attrMembers).AsSet()...)
		}
	}
	slices.Sort(members)
	return []schema.Finding{{Rule: "self-widening-role", Address: o.Addr, Range: o.Where(attrAdmin), Members: slices.Compact(members),
		Message: fmt.Sprintf("%s can change roles and groups, so whoever has it can give themselves everything", o.Addr),
		Fix:     "take identity_access = \"manage\" out of admin_permissions, or give the role to as few as can be"}}
}

// unknownTools finds tools of a live role that their connector does not list.
// Described ones are refused before; a hash stands for a name that the API does
// not write out.
func (s *System) unknownTools(o *schema.Object) []schema.Finding {
	var found []schema.Finding
	for _, key := range slices.Sorted(maps.Keys(o.Get(attrTools).AsMap())) {
		label, tool := s.splitTool(key)
		for _, b := range s.config.Of("connector") {
			if b.Label == label && b.Attr("tools") != nil && !slices.Contains(b.Texts("tools"), tool) {
				found = append(found, schema.Finding{Rule: "unknown-connector-tool", Address: o.Addr, About: []schema.Address{b.Addr}, Range: b.Where("tools"),
					Message: fmt.Sprintf("%s grants %s of %s, which the connector does not list", o.Addr, tool, b.Addr),
					Fix:     fmt.Sprintf("add %q to tools of %s", tool, b.Addr)})
			}
		}
	}
	return found
}

// sharedGroups finds groups that are deleted although other organizations under
// the same parent use them. Who they are, and what they lose, is not seen here.
//
// Source: RBAC API reference, groups belong to the parent organization; read
// 2026-11-22.
func (s *System) sharedGroups(in schema.Inspection) []schema.Finding {
	var found []schema.Finding
	for _, c := range in.Changes {
		if c.Action != schema.Delete || c.Before.Type != "group" {
			continue
		}
		var what []string
		if n, _ := strconv.Atoi(c.Before.Get(attrForeignMembers).AsText()); n > 0 {
			what = append(what, schema.CountPeople(n))
		}
		if n := len(c.Before.Get(attrForeignRoles).AsSet()); n > 0 {
			what = append(what, schema.Count(n, "role"))
		}
		if len(what) > 0 {
			found = append(found, schema.Finding{Rule: "shared-group", Address: c.Addr, Range: s.removedAt(c.Addr),
				Message: fmt.Sprintf("%s is to be deleted and has %s of other organizations, who lose by it what is not seen here", c.Addr, strings.Join(what, " and ")),
				Fix:     "take them out of the group from their own organization first, or accept it"})
		}
	}
	return found
}

// sharedMemberships finds people who join or leave a group that has roles of
// other organizations under the same parent: those of them who are members there
// gain or lose by it what is not seen here.
//
// Source: RBAC API reference, groups belong to the parent organization; read
// 2026-11-22.
func (s *System) sharedMemberships(in schema.Inspection) []schema.Finding {
	var found []schema.Finding
	for _, c := range in.Changes {
		if c.Action == schema.Delete || c.Before == nil || c.After == nil || c.Before.Type != "group" {
			continue
		}
		roles := len(c.Before.Get(attrForeignRoles).AsSet())
		before, after := c.Before.Get(attrMembers), c.After.Get(attrMembers)
		if roles == 0 || !before.Known() || !after.Known() {
			continue
		}
		var people []string
		for _, pair := range [2][2]schema.Value{{before, after}, {after, before}} {
			for _, email := range pair[0].AsSet() {
				if !pair[1].Has(email) {
					people = append(people, email)
				}
			}
		}
		if len(people) == 0 {
			continue
		}
		slices.Sort(people)
		found = append(found, schema.Finding{Rule: "shared-membership", Address: c.Addr, Range: c.After.Where(attrMembers), Members: people,
			Message: fmt.Sprintf("%s join or leave %s, which has %s of other organizations: who is a member there, too, gains or loses by it what is not seen here", schema.CountPeople(len(people)), c.Addr, schema.Count(roles, "role")),
			Fix:     "ask the owners of the other organizations, or use a group of this organization alone"})
	}
	return found
}

// removedAt returns where an object is described as removed.
func (s *System) removedAt(addr schema.Address) hcl.Range {
	for _, r := range s.config.Removals {
		if r.From == addr {
			return r.Decl
		}
	}
	return hcl.Range{}
}

// unusableGroups finds groups of the identity provider that carry roles under
// a mode in which they do nothing.
//
// Source: help centre, groups and provisioning; read 2026-11-22.
func (s *System) unusableGroups(in schema.Inspection) []schema.Finding {
	mode := modeOf(in.Live)
	if mode == "" || strings.HasPrefix(mode, "scim_") {
		return nil
	}
	var found []schema.Finding
	for _, g := range in.Desired.Of("group") {
		if g.Described() && g.Get(attrSource).AsText() == "scim" {
			found = append(found, schema.Finding{Rule: "scim-group-unsupported", Address: g.Addr, Range: g.Where(attrSource),
				Message: fmt.Sprintf("%s is filled by the identity provider, and under %s such groups give no roles", g.Addr, mode),
				Fix:     "fill a group by hand instead, or switch the organization to SCIM first"})
		}
	}
	return found
}

func modeOf(st *schema.State) string {
	if o := st.Objects["organization"]; o != nil {
		return o.Get(attrProvisioning).AsText()
	}
	return ""
}

// mappings finds role changes that are planned while the identity provider
// decides organization roles, and no mapping leads to them.
//
// Source: product guide, role-based permissions: mappings are switched on last,
// because people in no mapped group may lose their account; read 2026-11-22.
func (s *System) mappings(in schema.Inspection) []schema.Finding {
	if !strings.HasSuffix(modeOf(in.Live), "_advanced") {
		return nil
	}
	for _, b := range s.config.Of("role_mapping") {
		if b.Text("role", "") == roleManaged {
			return nil
		}
	}
	var members []string
	f := schema.Finding{Rule: "mapping-during-setup"}
	for _, c := range in.Changes {
		if c.After != nil && c.Before != nil && c.Addr.Type() == "member" && c.Held == "" && c.After.Get(attrOrganizationRole).AsText() == roleManaged &&
			!c.Before.Get(attrOrganizationRole).Equal(c.After.Get(attrOrganizationRole)) {
			members = append(members, c.After.Key)
		}
	}
	if len(members) == 0 {
		return nil
	}
	for _, b := range s.config.Of("migration") {
		f.Range = b.Range
	}
	slices.Sort(members)
	f.Members = members
	f.Message = fmt.Sprintf("the identity provider decides organization roles, and no role_mapping leads %s to “Custom roles”", schema.CountPeople(len(members)))
	f.Fix = "describe the mapping in a role_mapping block, or finish the migration before mappings are switched on"
	return []schema.Finding{f}
}

// seatless finds members of whom no seat is declared although seats matter.
func (s *System) seatless(in schema.Inspection) []schema.Finding {
	tiers := in.Desired.Of("seat_tier")
	matters := slices.ContainsFunc(tiers, func(o *schema.Object) bool {
		return o.Get(attrLimit).Known() || len(o.Get(attrExcludes).AsSet()) > 0
	})
	if !matters {
		return nil
	}
	has := map[string]bool{}
	for _, o := range tiers {
		for _, e := range o.Get(attrMembers).AsSet() {
			has[e] = true
		}
	}
	var members []string
	for _, o := range in.Desired.Of("member") {
		if !has[o.Key] {
			members = append(members, o.Key)
		}
	}
	if len(members) == 0 {
		return nil
	}
	return []schema.Finding{{Rule: "seat-unknown", Address: tiers[0].Addr, Range: tiers[0].Decl, Members: members,
		Message: fmt.Sprintf("no seat_tier block says which seat %s have, and no API does; they are taken to have one that excludes nothing", schema.CountPeople(len(members))),
		Fix:     "list them in a seat_tier block"}}
}
