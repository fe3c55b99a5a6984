package claude

import (
	"fmt"
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// deleteGroup deletes a group, and with it its memberships, what is attached
// to it, its limit and what it has of plugins. It takes one request.
func (e *expander) deleteGroup(c *schema.Change) {
	g := c.Before
	s := schema.Step{
		ID: string(c.Addr) + "/delete", Addr: c.Addr, Via: schema.ByAPI, Phase: phaseRemovals,
		Action:  "delete the group " + quoted(g.Key),
		Request: &schema.Request{Method: "DELETE", Path: "/v1/organizations/rbac_groups/" + ref(g)},
		Proof:   schema.Exact, Settle: slow, Effects: []schema.Effect{{Addr: c.Addr, Op: schema.Drop}},
	}
	for _, email := range g.Get(attrMembers).AsSet() {
		if e.desired.Objects[schema.MakeAddress("member", email, "")] != nil { // else the removal of the person moves it
			s.Moves = append(s.Moves, membership(email, c.Addr, access.In, access.Out))
		}
	}
	roles := g.Get(attrRoles).AsSet()
	if g.Get(attrRoles).Kind() == schema.KindUnavailable { // it may have any
		for _, r := range e.live.Of("role") {
			roles = append(roles, string(r.Addr))
		}
	}
	for _, role := range roles {
		for _, part := range roleParts {
			s.Moves = append(s.Moves, access.Move{Kind: access.MoveAttachment, Group: string(c.Addr),
				Source: sourceName(schema.Address(role), part), From: access.In, To: access.Out})
		}
	}
	if l := g.Get(attrLimit); l.Kind() == schema.KindText {
		s.Moves = append(s.Moves, access.Move{Kind: access.MoveGroupSetting, Group: string(c.Addr), Setting: monthlySpend, From: l.AsText()})
	}
	for _, p := range e.live.Of("plugin") {
		if word := g.Get(attrPlugin + e.pluginKey(p.Key)).AsText(); word != "" {
			if !slices.Contains(pluginLevels, word) { // newer than rolecall, so as much as can be
				word = pluginLevels[len(pluginLevels)-1]
			}
			s.Moves = append(s.Moves, access.Move{Kind: access.MoveGroupSetting, Group: string(c.Addr), Setting: string(p.Addr), From: word})
		}
	}
	e.add(s)
}

// deleteRole deletes a role by hand, once it is attached to nothing.
func (e *expander) deleteRole(c *schema.Change) {
	_, down := e.grantMoves(c.Addr, e.parts(c.Before), e.parts(nil))
	e.add(schema.Step{
		ID: string(c.Addr) + "/delete", Addr: c.Addr, Via: schema.ByConsole, Phase: phaseRemovals,
		Action: "delete the role " + quoted(c.Before.Key),
		Console: &schema.Console{Where: rolesPage + " › " + quoted(c.Before.Key), By: byIdentity,
			Do: []string{fmt.Sprintf("Check that no group has %s any more.", quoted(c.Before.Key)), "Delete the role. If the page offers no deletion, the vendor made it: describe it with its id and builtin = true."}},
		Proof: schema.Exact, Settle: slow, Moves: down, Effects: []schema.Effect{{Addr: c.Addr, Op: schema.Drop}},
	})
}
