package claude

import "github.com/rolecall/rolecall/schema"

// Recruit returns a member as one who joins: on organization role user, or on
// "Custom roles" if groups are to govern them.
func (s *System) Recruit(email string, governed bool) *schema.Object {
	o := &schema.Object{Type: "member", Addr: memberAddress(email), Key: email}
	o.Put(attrOrganizationRole, schema.Text(roleUser))
	if governed {
		o.Put(attrOrganizationRole, schema.Text(roleManaged))
	}
	return o
}
