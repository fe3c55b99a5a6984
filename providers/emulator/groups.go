package emulator

import (
	"slices"
)

var groupRoutes = []route{
	{method: "GET", pattern: "/v1/organizations/rbac_groups", family: familyAdmin, scopes: readGroups, linked: true, get: (*call).listGroups},
	{method: "POST", pattern: "/v1/organizations/rbac_groups", family: familyAdmin, scopes: writeGroups, linked: true, set: (*call).createGroup},
	{method: "GET", pattern: "/v1/organizations/rbac_groups/{group_id}", family: familyAdmin, scopes: readGroups, linked: true, get: (*call).getGroup},
	{method: "POST", pattern: "/v1/organizations/rbac_groups/{group_id}", family: familyAdmin, scopes: writeGroups, linked: true, set: (*call).updateGroup},
	{method: "DELETE", pattern: "/v1/organizations/rbac_groups/{group_id}", family: familyAdmin, scopes: writeGroups, linked: true, set: (*call).deleteGroup},
	{method: "GET", pattern: "/v1/organizations/rbac_groups/{group_id}/members", family: familyAdmin, scopes: readGroups, linked: true, get: (*call).listGroupMembers},
	{method: "POST", pattern: "/v1/organizations/rbac_groups/{group_id}/members", family: familyAdmin, scopes: writeGroups, linked: true, set: (*call).addGroupMember},
	{method: "DELETE", pattern: "/v1/organizations/rbac_groups/{group_id}/members/{user_id}", family: familyAdmin, scopes: writeGroups, linked: true, set: (*call).removeGroupMember},
}

// maxGroups is how many groups an organization can have. SCIM groups count
// (inferred).
//
// Source: Claude help centre, groups; read 2026-11-22.
const maxGroups = 100

// groupBody is a group. RoleIDs is null when role data is not available, which
// the fault null_role_ids brings about. Roles is its deprecated twin.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationrbacgroup.go.
type groupBody struct {
	Type       string    `json:"type"`
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	SourceType string    `json:"source_type"`
	RoleIDs    []string  `json:"role_ids"`
	Roles      *[]string `json:"roles,omitempty"`
	CreatedAt  string    `json:"created_at"`
	UpdatedAt  string    `json:"updated_at"`
}

func (c *call) groupBody(g group) groupBody {
	roles := orEmpty(g.Roles)
	if c.fault != nil && c.fault.Do == doNullRoleIDs {
		roles = nil
	}
	b := groupBody{"rbac_group", g.ID, g.Name, g.Source, roles, nil, stamp(g.Created), stamp(g.Updated)}
	if c.old() {
		b.Roles = &b.RoleIDs
	}
	return b
}

// listGroups returns groups, oldest first (the order is invented).
func (c *call) listGroups() (any, error) {
	page, next, err := paginate(c, adminPage, c.st.groups.sorted(compareGroups),
		func(g group) string { return timeKey(g.Created, g.Order, g.ID) })
	if err != nil {
		return nil, err
	}
	bodies := []groupBody{}
	for _, g := range page {
		bodies = append(bodies, c.groupBody(g))
	}
	return cursorPage[groupBody]{bodies, next != nil, next}, nil
}

func (c *call) group() (group, error) {
	g, ok := c.st.groups.get(c.params["group_id"])
	if !ok {
		return group{}, notFound("RBAC group not found: %s.", c.params["group_id"])
	}
	return g, nil
}

// directGroup is group for a change: a group of the identity provider cannot be
// changed.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationrbacgroup.go; User
// management guide, read 2026-11-22.
func (c *call) directGroup() (group, error) {
	g, err := c.group()
	if err == nil && g.Source == "scim" {
		return group{}, invalid("The group %s is synced from the identity provider and cannot be changed.", g.ID)
	}
	return g, err
}

func (c *call) getGroup() (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	return c.groupBody(g), nil
}

// createGroup makes a direct group without roles and members. Names are not
// unique: a repeated request makes a second group.
//
// Errors: 400 for a name that has not 1 to 255 characters, and at [maxGroups]
// (inferred).
func (c *call) createGroup(x *tx) (any, error) {
	var p problems
	n, err := c.fields(&p, "name")
	if err != nil {
		return nil, err
	}
	name := p.name(n.field("name"), 255)
	if err := p.err(); err != nil {
		return nil, err
	}
	if len(c.st.groups.rows) >= maxGroups {
		return nil, invalid("The organization has %d groups, which is the limit.", len(c.st.groups.rows))
	}
	g, err := x.newGroup(name)
	if err != nil {
		return nil, err
	}
	return c.groupBody(g), nil
}

func (x *tx) newGroup(name string) (group, error) {
	order, err := x.order()
	if err != nil {
		return group{}, err
	}
	id, err := x.newID("rbac_group_", name)
	if err != nil {
		return group{}, err
	}
	g := group{ID: id, Name: name, Source: "direct", Roles: []string{}, Created: x.now, Updated: x.now, Order: order}
	if err := put(x, &x.st.groups, id, g); err != nil {
		return group{}, err
	}
	return g, x.event("group_created", fields{"group_id": id, "group_name": name})
}

// updateGroup renames a group. A body without a name changes nothing
// (inferred).
func (c *call) updateGroup(x *tx) (any, error) {
	var p problems
	n, err := c.fields(&p, "name")
	if err != nil {
		return nil, err
	}
	f := n.field("name")
	name := ""
	if !f.absent() {
		name = p.name(f, 255)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	g, err := c.directGroup()
	if err != nil {
		return nil, err
	}
	if name == "" || name == g.Name {
		return c.groupBody(g), nil
	}
	g.Name = name
	if g, err = x.updateGroup(g); err != nil {
		return nil, err
	}
	return c.groupBody(g), nil
}

// updateGroup stores a changed group and notes it in the feed.
func (x *tx) updateGroup(g group) (group, error) {
	g.Updated = x.now
	if err := put(x, &x.st.groups, g.ID, g); err != nil {
		return g, err
	}
	return g, x.event("group_updated", fields{"group_id": g.ID})
}

// deleteGroup removes a group with its memberships, its spend limits and its
// plugin settings. The
// members stay in the organization; the roles stay as they are.
//
// Source: User management guide, read 2026-11-22.
func (c *call) deleteGroup(x *tx) (any, error) {
	g, err := c.directGroup()
	if err != nil {
		return nil, err
	}
	for userID := range x.st.inGroup[g.ID] {
		remove(x, &x.st.memberships, g.ID+"/"+userID)
	}
	for _, v := range x.st.limits.rows {
		if v.Scope.GroupID == g.ID {
			remove(x, &x.st.limits, v.ID)
		}
	}
	for _, s := range x.st.pluginSettings.rows {
		if s.Target == g.ID {
			remove(x, &x.st.pluginSettings, s.key())
		}
	}
	remove(x, &x.st.groups, g.ID)
	return deletedBody{g.ID, "rbac_group_deleted"}, x.event("group_deleted", fields{"group_id": g.ID})
}

// groupMemberBody is a membership. GroupID is the deprecated twin of
// RBACGroupID.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationrbacgroupmember.go.
type groupMemberBody struct {
	Type        string `json:"type"`
	RBACGroupID string `json:"rbac_group_id"`
	GroupID     string `json:"group_id,omitempty"`
	UserID      string `json:"user_id"`
	Email       string `json:"email"`
	CreatedAt   string `json:"created_at"`
}

func (c *call) groupMemberBody(m membership, email string) groupMemberBody {
	b := groupMemberBody{"rbac_group_member", m.GroupID, "", m.UserID, email, stamp(m.Created)}
	if c.old() {
		b.GroupID = m.GroupID
	}
	return b
}

// groupMembers returns the memberships of a group, oldest first.
func (st *state) groupMembers(groupID string) []membership {
	list := make([]membership, 0, len(st.inGroup[groupID]))
	for _, m := range st.inGroup[groupID] {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b membership) int { return byTime(a.Created, b.Created, a.Order, b.Order) })
	return list
}

func (m membership) sortKey() string { return timeKey(m.Created, m.Order, m.UserID) }

// listGroupMembers returns the members of a group, from all organizations of
// the parent, oldest membership first.
func (c *call) listGroupMembers() (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(c, adminPage, c.st.groupMembers(g.ID), membership.sortKey)
	if err != nil {
		return nil, err
	}
	emails := c.st.emails()
	bodies := []groupMemberBody{}
	for _, m := range page {
		bodies = append(bodies, c.groupMemberBody(m, emails[m.UserID]))
	}
	return cursorPage[groupMemberBody]{bodies, next != nil, next}, nil
}

// addGroupMember adds one person.
//
// Errors: 404 for a group that does not exist and for a person who is in no
// organization of the parent; 400 for a member of the group and for a group of
// the identity provider.
//
// Source: User management guide, read 2026-11-22.
func (c *call) addGroupMember(x *tx) (any, error) {
	var p problems
	n, err := c.fields(&p, "user_id")
	if err != nil {
		return nil, err
	}
	userID := p.name(n.field("user_id"), 255)
	if err := p.err(); err != nil {
		return nil, err
	}
	g, err := c.directGroup()
	if err != nil {
		return nil, err
	}
	email, ok := c.st.person(userID)
	if !ok {
		return nil, notFound("User not found: %s.", userID)
	}
	if c.st.ofUser[userID][g.ID] {
		return nil, invalid("The user %s is already in the group %s.", userID, g.ID)
	}
	m, err := x.join(g.ID, userID)
	if err != nil {
		return nil, err
	}
	return c.groupMemberBody(m, email), nil
}

// join puts a person into a group and notes it in the feed.
func (x *tx) join(groupID, userID string) (membership, error) {
	order, err := x.order()
	if err != nil {
		return membership{}, err
	}
	m := membership{groupID, userID, x.now, order}
	if err := put(x, &x.st.memberships, groupID+"/"+userID, m); err != nil {
		return m, err
	}
	return m, x.event("group_member_added", fields{"group_id": groupID, "member_ids": []string{userID}})
}

// groupMemberDeletedBody is what removing a member returns.
type groupMemberDeletedBody struct {
	RBACGroupID string `json:"rbac_group_id"`
	GroupID     string `json:"group_id,omitempty"`
	UserID      string `json:"user_id"`
	Type        string `json:"type"`
}

// removeGroupMember takes one person out of a group.
//
// Errors: 404 for a person who is not in the group.
func (c *call) removeGroupMember(x *tx) (any, error) {
	g, err := c.directGroup()
	if err != nil {
		return nil, err
	}
	userID := c.params["user_id"]
	if !c.st.ofUser[userID][g.ID] {
		return nil, notFound("The user %s is not in the group %s.", userID, g.ID)
	}
	remove(x, &x.st.memberships, g.ID+"/"+userID)
	b := groupMemberDeletedBody{g.ID, "", userID, "rbac_group_member_deleted"}
	if c.old() {
		b.GroupID = g.ID
	}
	return b, x.event("group_member_removed", fields{"group_id": g.ID, "member_ids": []string{userID}})
}
