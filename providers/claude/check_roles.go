package claude

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rolecall/rolecall/schema"
)

// withoutChat finds members whom roles govern and none lets talk: without the
// capability they see an empty product, whatever else they were given.
//
// Source: help centre, custom roles: chat is a capability of a role like any
// other, and a role that is made new has it; read 2026-11-22.
func (s *System) withoutChat(in schema.Inspection) []schema.Finding {
	chat := s.words.label("chat")
	gives, says := map[string]bool{}, map[string]bool{} // roles by address
	for _, o := range in.Desired.Of("role") {
		capabilities := o.Get(attrCapabilities)
		says[string(o.Addr)] = !capabilities.Known() || len(capabilities.AsSet()) > 0
		gives[string(o.Addr)] = !capabilities.Known() || capabilities.Has(chat) || capabilities.Has(labelAll) || capabilities.Has(labelAllGA)
	}
	talks, has := map[string]bool{}, map[string]schema.Address{}
	for _, g := range in.Desired.Of("group") {
		roles := g.Get(attrRoles)
		talk := roles.Kind() == schema.KindUnavailable || slices.ContainsFunc(roles.AsSet(), func(r string) bool { return gives[r] })
		role := schema.Address("")
		for _, r := range roles.AsSet() {
			if says[r] && role == "" {
				role = schema.Address(r)
			}
		}
		if !talk && role == "" {
			continue
		}
		for _, email := range g.Get(attrMembers).AsSet() {
			if talk {
				talks[email] = true
			} else if has[email] == "" {
				has[email] = role
			}
		}
	}
	byRole := map[schema.Address][]string{}
	for _, o := range in.Desired.Of("member") {
		if role := has[o.Key]; role != "" && !talks[o.Key] && o.Get(attrOrganizationRole).AsText() == roleManaged {
			byRole[role] = append(byRole[role], o.Key)
		}
	}
	var found []schema.Finding
	for _, addr := range slices.Sorted(maps.Keys(byRole)) {
		members := byRole[addr]
		slices.Sort(members)
		f := schema.Finding{Rule: "member-without-chat", Address: addr, Members: members,
			Message: fmt.Sprintf("%s have %s and no role that gives them %s, so they cannot start a conversation", schema.CountPeople(len(members)), addr, permCapability(chat)),
			Fix:     fmt.Sprintf("add %q to capabilities of %s, or put them into a group whose role has it", chat, addr)}
		if len(members) == 1 {
			f.Message = fmt.Sprintf("%s has %s and no role that gives them %s, so they cannot start a conversation", members[0], addr, permCapability(chat))
		}
		if o := in.Desired.Objects[addr]; o != nil {
			f.Range = o.Where(attrCapabilities)
		}
		found = append(found, f)
	}
	return found
}

// reachesClaudeCode finds that the tool policy begins to hold in the command
// line client. That connector permissions are switched on is read nowhere; it
// shows in roles, because each that was there is then given a row for all
// connectors. So live roles that say nothing of connectors mean that they are
// off, and roles described to say something that they are to be switched on.
//
// Source: help centre, connector permissions: switching them on makes the
// organization's tool policy hold in Claude Code for all members; read
// 2026-11-22.
func (s *System) reachesClaudeCode(in schema.Inspection) []schema.Finding {
	if !s.perms {
		return nil
	}
	says := func(o *schema.Object) bool {
		return levelOf(o.Get(attrConnectorDefault).AsText()) > 0 || len(o.Get(attrConnectors).AsMap())+len(o.Get(attrTools).AsMap()) > 0
	}
	live := in.Live.Of("role")
	if len(live) == 0 || slices.ContainsFunc(live, func(o *schema.Object) bool { return !o.Get(attrCapabilities).Known() || says(o) }) {
		return nil
	}
	if !slices.ContainsFunc(in.Desired.Of("role"), says) {
		return nil
	}
	top := connectorLevels[len(connectorLevels)-1]
	var found []schema.Finding
	for _, o := range in.Desired.Of("connector") {
		var held []string
		for _, tool := range slices.Sorted(maps.Keys(o.Get(attrToolPolicy).AsMap())) {
			if level := o.Get(attrToolPolicy).AsMap()[tool]; level != top {
				held = append(held, tool+" at "+level)
			}
		}
		if level := o.Get(attrPolicy).AsText(); level != "" && level != top {
			held = append([]string{"all its tools at " + level}, held...)
		}
		if len(held) == 0 {
			continue
		}
		more := ""
		if len(held) > 1 {
			more = fmt.Sprintf(" and %d more", len(held)-1)
		}
		found = append(found, schema.Finding{Rule: "policy-reaches-claude-code", Address: o.Addr, Range: o.Where(attrToolPolicy),
			Message: fmt.Sprintf("no live role says anything of connectors, so connector permissions are not on yet; once they are, the policy of %s (%s%s) holds in Claude Code for everybody", o.Addr, held[0], more),
			Fix:     fmt.Sprintf("look through policy and tool_policy of %s with those who use it there, before connector permissions are switched on", o.Addr)})
	}
	return found
}
