package claude

import (
	"encoding/json"
	"fmt"

	"github.com/rolecall/rolecall/schema"
)

// invite invites somebody with all their groups in one request. An invite
// cannot be changed: one that differs is withdrawn and sent again, and one that
// has expired is not there any more.
//
// Source: Admin API reference, invites; read 2026-11-22.
func (e *expander) invite(c *schema.Change) {
	if c.Before != nil {
		e.add(schema.Step{
			ID: string(c.Addr) + "/withdraw", Addr: c.Addr, Via: schema.ByAPI, Phase: phaseMembers, // read back before it is sent again
			Action:  "withdraw the invite of " + c.Before.Key,
			Request: &schema.Request{Method: "DELETE", Path: "/v1/organizations/invites/" + c.Before.ID},
			Proof:   schema.Exact, Effects: []schema.Effect{{Addr: c.Addr, Op: schema.Drop}},
		})
	}
	if c.After == nil {
		return
	}
	role, groups := c.After.Get(attrOrganizationRole), c.After.Get(attrGroups)
	s := schema.Step{
		ID: string(c.Addr) + "/send", Addr: c.Addr, Via: schema.ByAPI, Phase: phaseInvites, Proof: schema.Exact,
		Action: fmt.Sprintf("invite %s as %s into %s", c.After.Key, quoted(roleTitle[role.AsText()]), schema.Count(len(groups.AsSet()), "group")),
		Effects: []schema.Effect{
			{Addr: c.Addr, Op: schema.Put, Value: schema.Text(c.After.Key)},
			{Addr: c.Addr, Attr: attrOrganizationRole, Op: schema.Put, Value: role},
			{Addr: c.Addr, Attr: attrGroups, Op: schema.Put, Value: groups},
		},
	}
	if c.Before != nil {
		s.Needs = append(s.Needs, string(c.Addr)+"/withdraw")
	}
	ids := []string{}
	for _, g := range groups.AsSet() {
		addr := schema.Address(g)
		s.Needs = append(s.Needs, e.needs(addr)...)
		if o := e.desired.Objects[addr]; o != nil {
			ids = append(ids, ref(o))
		}
	}
	b, _ := json.Marshal(struct { // texts always encode
		Email  string   `json:"email"`
		Role   string   `json:"role"`
		Groups []string `json:"rbac_group_ids"`
	}{c.After.Key, role.AsText(), ids})
	s.Request = &schema.Request{Method: "POST", Path: "/v1/organizations/invites", Body: b}
	e.add(s)
}

// roleTitle is how the console names the organization roles that can be given.
//
// Source: product guide, role-based permissions; that Admin is membership_admin
// is inferred from its definition. Read 2026-11-22.
var roleTitle = map[string]string{roleManaged: "Custom roles", roleUser: "User", roleMembershipAdmin: "Admin", roleOwner: "Owner"}
