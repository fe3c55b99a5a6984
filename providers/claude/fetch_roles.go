package claude

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"

	"github.com/anthropics/anthropic-sdk-go"
)

func (c *core) roles(ctx context.Context) ([]Role, error) {
	list, err := walk(ctx, c, "read roles", "/v1/organizations/rbac_roles", byCursor, func(ctx context.Context, cursor string) (string, error) {
		p := anthropic.BetaOrganizationRBACRoleListParams{Limit: anthropic.Int(pageSize)}
		if cursor != "" {
			p.Page = anthropic.String(cursor)
		}
		return rawOf(c.admin.Beta.Organization.RBACRoles.List(ctx, p))
	}, func(raw json.RawMessage) (Role, error) {
		var w struct {
			ID          *string
			DisplayName *string `json:"display_name"`
			Name        *string
			UpdatedAt   *string `json:"updated_at"`
		}
		if err := decode(string(raw), &w); err != nil {
			return Role{}, err
		}
		role := Role{Rows: []Row{}, UpdatedAt: deref(w.UpdatedAt)}
		return role, texts("role", field{"id", w.ID, &role.ID}, field{"display_name", cmp.Or(w.DisplayName, w.Name), &role.Name})
	})
	return tidy(list, func(r Role) string { return r.ID }, func(a, b Role) int { return cmp.Compare(a.ID, b.ID) }), err
}

func (c *core) rows(ctx context.Context, roleID, label string) ([]Row, error) {
	path := "/v1/organizations/rbac_roles/" + url.PathEscape(roleID) + "/permissions"
	list, err := walk(ctx, c, "read permissions of role "+label, path, byCursor, func(ctx context.Context, cursor string) (string, error) {
		p := anthropic.BetaOrganizationRBACRolePermissionListParams{Limit: anthropic.Int(pageSize)}
		if cursor != "" {
			p.Page = anthropic.String(cursor)
		}
		return rawOf(c.admin.Beta.Organization.RBACRoles.Permissions.List(ctx, roleID, p))
	}, decodeRow)
	return tidy(list, func(r Row) Row { return r }, compareRows), err
}

// decodeRow refuses a row whose resource lacks what its type needs: read
// loosely, a grant of one tool could pass for a grant of more.
func decodeRow(raw json.RawMessage) (Row, error) {
	var w struct {
		Action   *string
		Resource struct {
			Type           *string
			OrganizationID *string `json:"organization_id"`
			ConnectorID    *string `json:"connector_id"`
			ToolName       *string `json:"tool_name"`
			Scope          *string
		}
	}
	if err := decode(string(raw), &w); err != nil {
		return Row{}, err
	}
	r := Row{
		OrganizationID: deref(w.Resource.OrganizationID),
		ConnectorID:    deref(w.Resource.ConnectorID),
		ToolName:       deref(w.Resource.ToolName),
		Scope:          deref(w.Resource.Scope),
	}
	need := []field{{"action", w.Action, &r.Action}, {"resource.type", w.Resource.Type, &r.ResourceType}}
	connector := field{"resource.connector_id", w.Resource.ConnectorID, &r.ConnectorID}
	switch deref(w.Resource.Type) {
	case "organization":
		need = append(need, field{"resource.organization_id", w.Resource.OrganizationID, &r.OrganizationID})
	case "connector":
		need = append(need, connector)
	case "connector_tool":
		need = append(need, connector, field{"resource.tool_name", w.Resource.ToolName, &r.ToolName})
	case "connector_scope":
		need = append(need, connector, field{"resource.scope", w.Resource.Scope, &r.Scope})
	}
	return r, texts("permission", need...)
}

func compareRows(a, b Row) int {
	return cmp.Or(
		cmp.Compare(a.ResourceType, b.ResourceType),
		cmp.Compare(a.OrganizationID, b.OrganizationID),
		cmp.Compare(a.ConnectorID, b.ConnectorID),
		cmp.Compare(a.ToolName, b.ToolName),
		cmp.Compare(a.Scope, b.Scope),
		cmp.Compare(a.Action, b.Action),
	)
}
