package claude

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/anthropics/anthropic-sdk-go"
)

func (c *core) users(ctx context.Context) ([]User, error) {
	list, err := walk(ctx, c, "read users", "/v1/organizations/users", byID, func(ctx context.Context, cursor string) (string, error) {
		p := anthropic.BetaOrganizationUserListParams{Limit: anthropic.Int(pageSize)}
		if cursor != "" {
			p.AfterID = anthropic.String(cursor)
		}
		return rawOf(c.admin.Beta.Organization.Users.List(ctx, p))
	}, func(raw json.RawMessage) (User, error) {
		var w struct {
			ID, Email, Name, Role *string
			AddedAt               *string `json:"added_at"`
		}
		if err := decode(string(raw), &w); err != nil {
			return User{}, err
		}
		u := User{AddedAt: deref(w.AddedAt), Name: deref(w.Name)}
		var email string
		err := texts("user", field{"id", w.ID, &u.ID}, field{"email", w.Email, &email}, field{"role", w.Role, &u.Role})
		u.Email, u.Raw = canonical(email)
		return u, err
	})
	return tidy(list, func(u User) string { return u.ID }, func(a, b User) int {
		return cmp.Or(cmp.Compare(a.Email, b.Email), cmp.Compare(a.ID, b.ID))
	}), err
}

func (c *core) invites(ctx context.Context) ([]Invite, error) {
	list, err := walk(ctx, c, "read invites", "/v1/organizations/invites", byID, func(ctx context.Context, cursor string) (string, error) {
		p := anthropic.BetaOrganizationInviteListParams{Limit: anthropic.Int(pageSize), Statuses: []string{"pending"}}
		if cursor != "" {
			p.AfterID = anthropic.String(cursor)
		}
		return rawOf(c.admin.Beta.Organization.Invites.List(ctx, p))
	}, func(raw json.RawMessage) (Invite, error) {
		var w struct {
			ID, Email, Role, Status *string
			ExpiresAt               *string  `json:"expires_at"`
			GroupIDs                []string `json:"rbac_group_ids"`
		}
		if err := decode(string(raw), &w); err != nil {
			return Invite{}, err
		}
		i := Invite{ExpiresAt: deref(w.ExpiresAt), GroupIDs: sorted(w.GroupIDs)}
		var email string
		err := texts("invite", field{"id", w.ID, &i.ID}, field{"email", w.Email, &email},
			field{"role", w.Role, &i.Role}, field{"status", w.Status, &i.Status})
		i.Email, i.Raw = canonical(email)
		return i, err
	})
	// The filter is in the SDK, but one page of the vendor's says that there
	// is none.
	list = slices.DeleteFunc(list, func(i Invite) bool { return i.Status != "pending" })
	return tidy(list, func(i Invite) string { return i.ID }, func(a, b Invite) int {
		return cmp.Or(cmp.Compare(a.Email, b.Email), cmp.Compare(a.ID, b.ID))
	}), err
}
