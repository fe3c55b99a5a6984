package emulator

import (
	"slices"
	"strings"
)

var userRoutes = []route{
	{method: "GET", pattern: "/v1/organizations/me", family: familyAdmin, get: (*call).getOrganization},
	{method: "GET", pattern: "/v1/organizations/users", family: familyAdmin, scopes: readMembers, get: (*call).listUsers},
	{method: "GET", pattern: "/v1/organizations/users/{user_id}", family: familyAdmin, scopes: readMembers, get: (*call).getUser},
	{method: "POST", pattern: "/v1/organizations/users/{user_id}", family: familyAdmin, scopes: writeMembers, set: (*call).updateUser},
	{method: "DELETE", pattern: "/v1/organizations/users/{user_id}", family: familyAdmin, scopes: writeMembers, set: (*call).removeUser},
}

// Scopes of routes; any one of a list is enough.
//
// Source: Create an Admin API key guide, read 2026-11-22.
var (
	readMembers  = []string{"read:members", "read:org_audit"}
	writeMembers = []string{"write:members"}
	readGroups   = []string{"read:rbac_groups", "read:org_audit"}
	writeGroups  = []string{"write:rbac_groups"}
	readLimits   = []string{"read:spend_limits"}
	writeLimits  = []string{"write:spend_limits"}
	readOrgData  = []string{"read:compliance_org_data", "read:org_audit"}
	readUserData = []string{"read:compliance_user_data", "read:org_audit"}
	readFeed     = []string{"read:compliance_activities", "read:org_audit"}
)

// organizationBody is the answer of /v1/organizations/me.
//
// Source: anthropic-sdk-go v1.84.0, betaorganization.go. The User management
// guide does not list the endpoint among those for Claude Enterprise.
type organizationBody struct {
	ID   string `json:"id"` // UUID
	Name string `json:"name"`
	Type string `json:"type"`
}

func (c *call) getOrganization() (any, error) {
	o := c.st.org()
	return organizationBody{o.ID, o.Name, "organization"}, nil
}

// userBody is a member.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationuser.go.
type userBody struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Email   string `json:"email"`
	Name    string `json:"name"`
	Role    string `json:"role"`
	AddedAt string `json:"added_at"`
}

// A deleted object is what its DELETE returns.
type deletedBody struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

func (m member) body() userBody {
	return userBody{"user", m.ID, m.Email, m.Name, m.Role, stamp(m.Added)}
}

// listUsers returns members, newest joiner first.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationuser.go; User management
// guide, read 2026-11-22.
func (c *call) listUsers() (any, error) {
	roles, err := c.valuesOf("roles", "admin", "billing", "claude_code_user", "developer", "managed",
		"membership_admin", "owner", "primary_owner", "user")
	if err != nil {
		return nil, err
	}
	email := c.query.Get("email")
	bodies := []userBody{}
	for _, m := range slices.Backward(c.st.members.sorted(compareMembers)) {
		if email != "" && lookupEmail(email) != lookupEmail(m.Email) {
			continue
		}
		if len(roles) > 0 && !slices.Contains(roles, m.Role) {
			continue
		}
		bodies = append(bodies, m.body())
	}
	idOf := func(b userBody) string { return b.ID }
	page, more, err := paginateByID(c, adminPage, bodies, idOf)
	if err != nil {
		return nil, err
	}
	return newIDPage(page, more, idOf), nil
}

func (c *call) user() (member, error) {
	m, ok := c.st.members.get(c.params["user_id"])
	if !ok {
		return member{}, notFound("User not found: %s.", c.params["user_id"])
	}
	return m, nil
}

func (c *call) getUser() (any, error) {
	m, err := c.user()
	if err != nil {
		return nil, err
	}
	return m.body(), nil
}

// administrator reports whether the API refuses to touch members of a role.
//
// Source: User management guide, read 2026-11-22.
func administrator(role string) bool {
	return role == "owner" || role == "primary_owner" || role == "membership_admin"
}

// updateUser sets the organization role of a member to user or managed.
//
// Errors: 400 for another role, for an administrator, and while the identity
// provider manages roles; 403 for managed without write:rbac_groups. Setting
// the role that the member has is a 200 without effect (inferred).
//
// Source: User management guide, read 2026-11-22; anthropic-sdk-go v1.84.0,
// betaorganizationuser.go, for the second scope (its status is inferred).
func (c *call) updateUser(x *tx) (any, error) {
	var p problems
	n, err := c.fields(&p, "role")
	if err != nil {
		return nil, err
	}
	role := p.str(n.field("role"))
	if p.must(n.field("role")); len(p.list) > 0 {
		return nil, p.err()
	}
	if role != "user" && role != "managed" {
		return nil, invalid("role: must be user or managed; got %q", role)
	}
	if role == "managed" {
		if err := c.key.needs("write:members", "write:rbac_groups"); err != nil {
			return nil, err
		}
	}
	m, err := c.user()
	if err != nil {
		return nil, err
	}
	if administrator(m.Role) {
		return nil, invalid("The role of a member with the role %s cannot be changed through the API.", m.Role)
	}
	if strings.HasSuffix(c.st.org().Provisioning, "_advanced") {
		return nil, invalid("Roles are managed by the identity provider of this organization.")
	}
	if m, err = x.setMemberRole(m, role); err != nil {
		return nil, err
	}
	return m.body(), nil
}

// setMemberRole gives a member a role and notes it in the feed.
func (x *tx) setMemberRole(m member, role string) (member, error) {
	if m.Role == role {
		return m, nil
	}
	before := m.Role
	m.Role = role
	if err := put(x, &x.st.members, m.ID, m); err != nil {
		return m, err
	}
	return m, x.roleEvent(m, before, role)
}

// roleEvent notes a change of an organization role; an empty role means that
// the person is not a member.
//
// Source: Compliance API reference, activities, claude_user_role_updated; read
// 2026-11-22.
func (x *tx) roleEvent(m member, before, role string) error {
	return x.event("claude_user_role_updated", fields{
		"user_id": m.ID, "user_email": m.Email, "previous_role": orNull(before), "current_role": orNull(role),
	})
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// removeUser takes a member out of the organization, with the memberships in
// groups, the individual spend limits and the requests for higher ones.
//
// Errors: 400 for an administrator and while SCIM manages membership.
//
// Source: User management guide, read 2026-11-22. That the memberships stay
// while another organization of the parent has the person is inferred.
func (c *call) removeUser(x *tx) (any, error) {
	m, err := c.user()
	if err != nil {
		return nil, err
	}
	if administrator(m.Role) {
		return nil, invalid("A member with the role %s cannot be removed through the API.", m.Role)
	}
	if strings.HasPrefix(c.st.org().Provisioning, "scim_") {
		return nil, invalid("Membership of this organization is managed by SCIM.")
	}
	remove(x, &x.st.members, m.ID)
	if !x.st.elsewhere(m.ID) {
		for groupID := range x.st.ofUser[m.ID] {
			remove(x, &x.st.memberships, groupID+"/"+m.ID)
		}
	}
	for _, v := range x.st.limits.rows {
		if v.Scope.UserID == m.ID {
			remove(x, &x.st.limits, v.ID)
		}
	}
	for _, v := range x.st.increases.rows {
		if v.UserID == m.ID {
			remove(x, &x.st.increases, v.ID)
		}
	}
	if err := x.event("org_user_deleted", fields{"deleted_user_id": m.ID, "deleted_user_email": m.Email}); err != nil {
		return nil, err
	}
	return deletedBody{m.ID, "user_deleted"}, x.roleEvent(m, m.Role, "")
}
