package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
)

var roleRoutes = []route{
	{method: "GET", pattern: "/v1/organizations/rbac_roles", family: familyAdmin, scopes: readMembers, get: (*call).listRoles},
	{method: "GET", pattern: "/v1/organizations/rbac_roles/{role_id}", family: familyAdmin, scopes: readMembers, get: (*call).getRole},
	{method: "GET", pattern: "/v1/organizations/rbac_roles/{role_id}/permissions", family: familyAdmin, scopes: readMembers, get: (*call).listPermissions},
}

// roleBody is a custom role. Name is the deprecated twin of DisplayName.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationrbacrole.go.
type roleBody struct {
	Type        string  `json:"type"`
	ID          string  `json:"id"`
	DisplayName string  `json:"display_name"`
	Name        *string `json:"name,omitempty"`
	CreatedAt   string  `json:"created_at"`
	UpdatedAt   string  `json:"updated_at"`
}

func (c *call) roleBody(v role) roleBody {
	b := roleBody{"rbac_role", v.ID, v.Name, nil, stamp(v.Created), stamp(v.Updated)}
	if c.old() {
		b.Name = &b.DisplayName
	}
	return b
}

// rolesOf returns the roles of an organization, oldest first; the empty ID is
// this organization.
func (st *state) rolesOf(organizationID string) []role {
	list := []role{}
	for _, v := range st.roles.sorted(compareRoles) {
		if v.OrganizationID == organizationID {
			list = append(list, v)
		}
	}
	return list
}

func (v role) sortKey() string { return timeKey(v.Created, v.Order, v.ID) }

// listRoles returns the roles of this organization.
func (c *call) listRoles() (any, error) {
	page, next, err := paginate(c, adminPage, c.st.rolesOf(""), role.sortKey)
	if err != nil {
		return nil, err
	}
	bodies := []roleBody{}
	for _, v := range page {
		bodies = append(bodies, c.roleBody(v))
	}
	return cursorPage[roleBody]{bodies, next != nil, next}, nil
}

// role returns a role of this organization. One of another organization is a
// 404.
//
// Source: User management guide, read 2026-11-22.
func (c *call) role() (role, error) {
	v, ok := c.st.ownRole(c.params["role_id"])
	if !ok {
		return role{}, notFound("RBAC role not found: %s.", c.params["role_id"])
	}
	return v, nil
}

func (c *call) getRole() (any, error) {
	v, err := c.role()
	if err != nil {
		return nil, err
	}
	return c.roleBody(v), nil
}

// permissionBody is a permission of a role.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationrbacrolepermission.go.
type permissionBody struct {
	Type     string       `json:"type"`
	Action   string       `json:"action"`
	Resource resourceBody `json:"resource"`
}

// resourceBody is what a permission is about; the fields depend on Type.
type resourceBody struct {
	Type           string `json:"type"`
	OrganizationID string `json:"organization_id,omitempty"`
	ConnectorID    string `json:"connector_id,omitempty"`
	ToolName       string `json:"tool_name,omitempty"`
	Scope          string `json:"scope,omitempty"`
}

func (r row) body(organizationID string) permissionBody {
	res := resourceBody{Type: r.Type, ConnectorID: r.ConnectorID,
		ToolName: encodeName("tool", r.Tool), Scope: encodeName("scope", r.Scope)}
	if r.Type == "organization" {
		res.OrganizationID = organizationID
	}
	return permissionBody{"rbac_role_permission", r.Action, res}
}

var plainName = regexp.MustCompile(`^[a-zA-Z0-9_-]*$`)

// encodeName returns a name as the API shows it: as it is, or, if it has other
// characters than letters, digits, _ and -, a prefix and 32 hexadecimal digits
// that always stand for it. The prefix and the function are invented.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationrbacrolepermission.go.
func encodeName(prefix, name string) string {
	if plainName.MatchString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return prefix + "_" + hex.EncodeToString(sum[:16])
}

// shown reports whether the API shows a row: not if its feature is off. Rows
// on connectors are shown once connector permissions are on (inferred).
//
// Source: User management guide and anthropic-sdk-go v1.84.0,
// betaorganizationrbacrolepermission.go; read 2026-11-22.
func (st *state) shown(r row) bool {
	if aboutConnectors(r) {
		return st.org().ConnectorPermissions
	}
	return blanket(r.Action) || adminRow(r.Action) || st.features.rows[r.Action].Enabled
}

// shownRows is a page of rows from which those that are not shown are gone, so
// that a page can be short or empty while there is a next one.
func (c *call) shownRows(size pageSize, v role) (rows []row, next *string, err error) {
	page, next, err := paginate(c, size, v.Rows, row.key)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range page {
		if c.st.shown(r) {
			rows = append(rows, r)
		}
	}
	return rows, next, nil
}

// listPermissions returns the permissions of a role.
func (c *call) listPermissions() (any, error) {
	v, err := c.role()
	if err != nil {
		return nil, err
	}
	rows, next, err := c.shownRows(adminPage, v)
	if err != nil {
		return nil, err
	}
	bodies := []permissionBody{}
	for _, r := range rows {
		bodies = append(bodies, r.body(c.st.org().ID))
	}
	return cursorPage[permissionBody]{bodies, next != nil, next}, nil
}
