package claude

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/anthropics/anthropic-sdk-go"
)

// groups reads the groups without members, and asks again for roles that the
// API did not tell.
func (c *core) groups(ctx context.Context) ([]Group, error) {
	list, err := c.groupsOnce(ctx)
	for n := 0; err == nil && n < rolesRetries; n++ {
		unknown := map[string]*Group{}
		for i := range list {
			if !list[i].RolesKnown {
				unknown[list[i].ID] = &list[i]
			}
		}
		if len(unknown) == 0 {
			break
		}
		if err := c.pace.sleep(ctx, c.pace.passing(n)); err != nil {
			return nil, &APIError{Op: "read groups", Method: http.MethodGet, Path: "/v1/organizations/rbac_groups", Message: "stopped: " + err.Error(), Err: err}
		}
		again, err := c.groupsOnce(ctx)
		if err != nil {
			return nil, err
		}
		for _, g := range again {
			if old := unknown[g.ID]; old != nil && g.RolesKnown {
				old.RoleIDs, old.RolesKnown = g.RoleIDs, true
			}
		}
	}
	return list, err
}

func (c *core) groupsOnce(ctx context.Context) ([]Group, error) {
	list, err := walk(ctx, c, "read groups", "/v1/organizations/rbac_groups", byCursor, func(ctx context.Context, cursor string) (string, error) {
		p := anthropic.BetaOrganizationRBACGroupListParams{Limit: anthropic.Int(pageSize)}
		if cursor != "" {
			p.Page = anthropic.String(cursor)
		}
		return rawOf(c.admin.Beta.Organization.RBACGroups.List(ctx, p))
	}, decodeGroup)
	return tidy(list, func(g Group) string { return g.ID }, func(a, b Group) int { return cmp.Compare(a.ID, b.ID) }), err
}

// decodeGroup keeps three answers apart: role_ids is a list, is null because
// the API cannot tell, or is not there at all. In the last case its old name
// counts.
//
// Source: anthropic-sdk-go v1.84.0, BetaRBACGroup.RoleIDs; Claude API
// reference, rbac_groups (roles); read 2026-11-22.
func decodeGroup(raw json.RawMessage) (Group, error) {
	var w struct {
		ID, Name   *string
		SourceType *string         `json:"source_type"`
		RoleIDs    json.RawMessage `json:"role_ids"`
		Roles      json.RawMessage `json:"roles"`
	}
	if err := decode(string(raw), &w); err != nil {
		return Group{}, err
	}
	g := Group{RoleIDs: []string{}, Members: []GroupMember{}, Name: deref(w.Name)}
	if err := texts("group", field{"id", w.ID, &g.ID}, field{"source_type", w.SourceType, &g.SourceType}); err != nil {
		return Group{}, err
	}
	if w.Name == nil {
		return Group{}, odd("a group has no name")
	}
	ids := w.RoleIDs
	if ids == nil {
		ids = w.Roles
	}
	if ids == nil || string(ids) == "null" {
		return g, nil
	}
	list, err := textList(ids)
	if err != nil {
		return Group{}, odd("the role_ids of a group are not a list of ids")
	}
	g.RoleIDs, g.RolesKnown = sorted(list), true
	return g, nil
}

func (c *core) members(ctx context.Context, groupID, label string) ([]GroupMember, error) {
	path := "/v1/organizations/rbac_groups/" + url.PathEscape(groupID) + "/members"
	list, err := walk(ctx, c, "read members of group "+label, path, byCursor, func(ctx context.Context, cursor string) (string, error) {
		p := anthropic.BetaOrganizationRBACGroupMemberListParams{Limit: anthropic.Int(pageSize)}
		if cursor != "" {
			p.Page = anthropic.String(cursor)
		}
		return rawOf(c.admin.Beta.Organization.RBACGroups.Members.List(ctx, groupID, p))
	}, func(raw json.RawMessage) (GroupMember, error) {
		var w struct {
			UserID *string `json:"user_id"`
			Email  *string
		}
		if err := decode(string(raw), &w); err != nil {
			return GroupMember{}, err
		}
		var m GroupMember
		var email string
		err := texts("group member", field{"user_id", w.UserID, &m.UserID}, field{"email", w.Email, &email})
		m.Email, _ = canonical(email)
		return m, err
	})
	return tidy(list, func(m GroupMember) string { return m.UserID }, func(a, b GroupMember) int {
		return cmp.Or(cmp.Compare(a.Email, b.Email), cmp.Compare(a.UserID, b.UserID))
	}), err
}
