package emulator

import (
	"slices"
	"strings"
)

const complianceOrg = "/v1/compliance/organizations/{organization_id}"

var complianceRoutes = []route{
	{method: "GET", pattern: "/v1/compliance/organizations", family: familyCompliance, scopes: readOrgData, get: (*call).complianceOrganizations},
	{method: "GET", pattern: complianceOrg + "/users", family: familyCompliance, scopes: readUserData, get: (*call).complianceUsers},
	{method: "GET", pattern: complianceOrg + "/roles", family: familyCompliance, scopes: readOrgData, get: (*call).complianceRoles},
	{method: "GET", pattern: complianceOrg + "/roles/{role_id}", family: familyCompliance, scopes: readOrgData, get: (*call).complianceRole},
	{method: "GET", pattern: complianceOrg + "/roles/{role_id}/permissions", family: familyCompliance, scopes: readOrgData, get: (*call).compliancePermissions},
	{method: "GET", pattern: complianceOrg + "/settings", family: familyCompliance, scopes: readOrgData, get: (*call).complianceSettings},
	{method: "GET", pattern: "/v1/compliance/groups", family: familyCompliance, scopes: readOrgData, get: (*call).complianceGroups},
	{method: "GET", pattern: "/v1/compliance/groups/{group_id}", family: familyCompliance, scopes: readOrgData, get: (*call).complianceGroup},
	{method: "GET", pattern: "/v1/compliance/groups/{group_id}/members", family: familyCompliance, scopes: readUserData, get: (*call).complianceGroupMembers},
	{method: "GET", pattern: "/v1/compliance/activities", family: familyCompliance, scopes: readFeed, get: (*call).listActivities},
}

// Page sizes of the Compliance API.
//
// Source: Compliance API reference, limit parameters; read 2026-11-22.
var (
	compliancePage    = pageSize{500, 1000}
	complianceOrgPage = pageSize{1000, 1000}
)

func cursorPageOf[T any](data []T, next *string) cursorPage[T] {
	if data == nil {
		data = []T{}
	}
	return cursorPage[T]{data, next != nil, next}
}

// complianceOrganization is an organization of the parent.
//
// Source: Compliance API reference, organizations; read 2026-11-22.
type complianceOrganization struct {
	UUID      string `json:"uuid"`
	Name      string `json:"name"`
	CreatedAt string `json:"created_at"`
}

// complianceOrganizations returns the organizations that the key sees, oldest
// first.
func (c *call) complianceOrganizations() (any, error) {
	o := c.st.org()
	list := []sibling{{ID: o.ID, Name: o.Name, Created: o.Created}}
	if c.key.linked {
		for _, s := range c.st.siblings.rows {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b sibling) int { return byTime(a.Created, b.Created, a.Order, b.Order) })
	page, next, err := paginate(c, complianceOrgPage, list,
		func(s sibling) string { return timeKey(s.Created, s.Order, s.ID) })
	if err != nil {
		return nil, err
	}
	var bodies []complianceOrganization
	for _, s := range page {
		bodies = append(bodies, complianceOrganization{s.ID, s.Name, stamp(s.Created)})
	}
	return cursorPageOf(bodies, next), nil
}

// linkedOrganization returns the organization of the path as roles refer to it:
// empty for this one, the ID for a sibling.
//
// Source of the text: Compliance API docs, Errors; read 2026-11-22.
func (c *call) linkedOrganization() (string, error) {
	id := c.params["organization_id"]
	if strings.EqualFold(id, c.st.org().ID) {
		return "", nil
	}
	if _, ok := c.st.siblings.get(id); ok && c.key.linked {
		return id, nil
	}
	return "", notFound("The %q organization does not exist or the requester is not authorized to access it.", id)
}

// complianceUser is a member of an organization.
//
// Source: Compliance API reference, organization users; read 2026-11-22.
type complianceUser struct {
	ID        string `json:"id"`
	FullName  string `json:"full_name"`
	Email     string `json:"email"`
	Role      string `json:"organization_role"`
	CreatedAt string `json:"created_at"`
}

// complianceUsers returns the members of an organization, first joiner first.
// The seed gives members of a sibling no role; they are shown as user.
func (c *call) complianceUsers() (any, error) {
	id, err := c.linkedOrganization()
	if err != nil {
		return nil, err
	}
	list := c.st.members.sorted(compareMembers)
	if id != "" {
		list = nil
		for _, o := range c.st.outsiders.rows {
			if o.OrganizationID == id {
				list = append(list, member{ID: o.UserID, Email: o.Email, Name: o.Name, Role: "user", Added: o.Added, Order: o.Order})
			}
		}
		slices.SortFunc(list, compareMembers)
	}
	page, next, err := paginate(c, compliancePage, list, func(m member) string { return timeKey(m.Added, m.Order, m.ID) })
	if err != nil {
		return nil, err
	}
	var bodies []complianceUser
	for _, m := range page {
		bodies = append(bodies, complianceUser{m.ID, m.Name, m.Email, m.Role, stamp(m.Added)})
	}
	return cursorPageOf(bodies, next), nil
}

// complianceRoleBody is a custom role.
//
// Source: Compliance API reference, organization roles; read 2026-11-22.
type complianceRoleBody struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	CreatedAt   string `json:"created_at"`
	UpdatedAt   string `json:"updated_at"`
}

func (v role) complianceBody() complianceRoleBody {
	return complianceRoleBody{v.ID, v.Name, v.Description, stamp(v.Created), stamp(v.Updated)}
}

func (c *call) complianceRoles() (any, error) {
	id, err := c.linkedOrganization()
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(c, compliancePage, c.st.rolesOf(id), role.sortKey)
	if err != nil {
		return nil, err
	}
	var bodies []complianceRoleBody
	for _, v := range page {
		bodies = append(bodies, v.complianceBody())
	}
	return cursorPageOf(bodies, next), nil
}

func (c *call) linkedRole() (role, error) {
	id, err := c.linkedOrganization()
	if err != nil {
		return role{}, err
	}
	v, ok := c.st.roles.get(c.params["role_id"])
	if !ok || v.OrganizationID != id {
		return role{}, notFound("Role not found.")
	}
	return v, nil
}

func (c *call) complianceRole() (any, error) {
	v, err := c.linkedRole()
	if err != nil {
		return nil, err
	}
	return v.complianceBody(), nil
}

// compliancePermission is a permission in its flat form.
//
// Source: Compliance API reference, role permissions; read 2026-11-22. The
// sample has only the form for an organization. The others are invented: the ID
// of the connector, that ID and the tool or OAuth scope after a slash, and * for
// all connectors.
type compliancePermission struct {
	Action       string `json:"action"`
	ResourceID   string `json:"resource_id"`
	ResourceType string `json:"resource_type"`
}

// resourceID is the flat form of what a row is about.
func (r row) resourceID(organizationID string) string {
	switch r.Type {
	case "organization":
		return organizationID
	case "all_connectors":
		return "*"
	case "connector_tool":
		return r.ConnectorID + "/" + encodeName("tool", r.Tool)
	case "connector_scope":
		return r.ConnectorID + "/" + encodeName("scope", r.Scope)
	}
	return r.ConnectorID
}

// compliancePermissions leaves out the rows that the Admin API leaves out
// (inferred).
func (c *call) compliancePermissions() (any, error) {
	v, err := c.linkedRole()
	if err != nil {
		return nil, err
	}
	rows, next, err := c.shownRows(compliancePage, v)
	if err != nil {
		return nil, err
	}
	id := v.OrganizationID
	if id == "" {
		id = c.st.org().ID
	}
	var bodies []compliancePermission
	for _, r := range rows {
		bodies = append(bodies, compliancePermission{r.Action, r.resourceID(id), r.Type})
	}
	return cursorPageOf(bodies, next), nil
}

// complianceGroupBody is a group with its description.
//
// Source: Compliance API reference, groups; read 2026-11-22.
type complianceGroupBody struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	SourceType  string   `json:"source_type"`
	Roles       []string `json:"roles"`
	CreatedAt   string   `json:"created_at"`
	UpdatedAt   string   `json:"updated_at"`
}

func (c *call) complianceGroupBody(g group) complianceGroupBody {
	b := c.groupBody(g)
	return complianceGroupBody{g.ID, g.Name, g.Description, g.Source, b.RoleIDs, b.CreatedAt, b.UpdatedAt}
}

func (c *call) complianceGroups() (any, error) {
	list := c.st.groups.sorted(compareGroups)
	if prefix := c.query.Get("name_prefix"); prefix != "" {
		list = slices.DeleteFunc(list, func(g group) bool { return !strings.HasPrefix(g.Name, prefix) })
	}
	page, next, err := paginate(c, compliancePage, list, func(g group) string { return timeKey(g.Created, g.Order, g.ID) })
	if err != nil {
		return nil, err
	}
	var bodies []complianceGroupBody
	for _, g := range page {
		bodies = append(bodies, c.complianceGroupBody(g))
	}
	return cursorPageOf(bodies, next), nil
}

func (c *call) linkedGroup() (group, error) {
	g, ok := c.st.groups.get(c.params["group_id"])
	if !ok {
		return group{}, notFound("Group not found.")
	}
	return g, nil
}

func (c *call) complianceGroup() (any, error) {
	g, err := c.linkedGroup()
	if err != nil {
		return nil, err
	}
	return c.complianceGroupBody(g), nil
}

// complianceMember is a membership of a group.
//
// Source: Compliance API reference, group members; read 2026-11-22.
type complianceMember struct {
	UserID    string `json:"user_id"`
	Email     string `json:"email"`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
}

func (c *call) complianceGroupMembers() (any, error) {
	g, err := c.linkedGroup()
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(c, compliancePage, c.st.groupMembers(g.ID), membership.sortKey)
	if err != nil {
		return nil, err
	}
	emails := c.st.emails()
	var bodies []complianceMember
	for _, m := range page {
		bodies = append(bodies, complianceMember{m.UserID, emails[m.UserID], stamp(m.Created), stamp(m.Created)})
	}
	return cursorPageOf(bodies, next), nil
}
