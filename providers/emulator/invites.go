package emulator

import (
	"errors"
	"slices"
	"strings"
	"time"
)

var inviteRoutes = []route{
	{method: "POST", pattern: "/v1/organizations/invites", family: familyInvite, scopes: writeMembers, set: (*call).createInvite},
	{method: "GET", pattern: "/v1/organizations/invites", family: familyAdmin, scopes: readMembers, get: (*call).listInvites},
	{method: "GET", pattern: "/v1/organizations/invites/{invite_id}", family: familyAdmin, scopes: readMembers, get: (*call).getInvite},
	{method: "DELETE", pattern: "/v1/organizations/invites/{invite_id}", family: familyAdmin, scopes: writeMembers, set: (*call).deleteInvite},
}

// inviteLife is how long an invite can be accepted. It is read off the dates of
// a sample in the User management guide (read 2026-11-22), so inferred.
const inviteLife = 21 * 24 * time.Hour

// inviteBody is an invite.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationinvite.go.
type inviteBody struct {
	Type         string   `json:"type"`
	ID           string   `json:"id"`
	Email        string   `json:"email"`
	Role         string   `json:"role"`
	InvitedAt    string   `json:"invited_at"`
	ExpiresAt    string   `json:"expires_at"`
	AcceptedAt   *string  `json:"accepted_at"`
	Status       string   `json:"status"`
	RBACGroupIDs []string `json:"rbac_group_ids"`
}

// status is the status of the invite at a time: a pending one expires.
func (v invite) status(now time.Time) string {
	if v.Status == "pending" && !now.Before(v.Expires) {
		return "expired"
	}
	return v.Status
}

func (v invite) body(now time.Time) inviteBody {
	b := inviteBody{Type: "invite", ID: v.ID, Email: v.Email, Role: v.Role, InvitedAt: stamp(v.Invited),
		ExpiresAt: stamp(v.Expires), Status: v.status(now), RBACGroupIDs: orEmpty(v.Groups)}
	if v.Accepted != nil {
		at := stamp(*v.Accepted)
		b.AcceptedAt = &at
	}
	return b
}

// createInvite invites a person.
//
// Errors: 400 for another role than user and managed, for an address that has a
// pending invite or is a member, without a free seat, and while people join by
// JIT or SCIM; 403 for managed or groups without write:rbac_groups. A group
// that does not exist is a 404 and one of the identity provider a 400 (both
// inferred).
//
// Source: User management guide, read 2026-11-22; anthropic-sdk-go v1.84.0,
// betaorganizationinvite.go.
func (c *call) createInvite(x *tx) (any, error) {
	var p problems
	n, err := c.fields(&p, "email", "role", "rbac_group_ids")
	if err != nil {
		return nil, err
	}
	v := invite{Email: p.email(n.field("email")), Role: p.name(n.field("role"), 100), Groups: p.strs(n.field("rbac_group_ids"))}
	if err := p.err(); err != nil {
		return nil, err
	}
	if v.Role != "user" && v.Role != "managed" {
		return nil, invalid("role: must be user or managed; got %q", v.Role)
	}
	if v.Role == "managed" || len(v.Groups) > 0 {
		if err := c.key.needs("write:members", "write:rbac_groups"); err != nil {
			return nil, err
		}
	}
	if err := c.checkInvite(v); err != nil {
		return nil, err
	}
	if v, err = x.newInvite(v); err != nil {
		return nil, err
	}
	return v.body(x.now), nil
}

// checkInvite checks an invite against the organization.
func (c *call) checkInvite(v invite) error {
	if mode := c.st.org().Provisioning; mode != "login_only" {
		return invalid("Members of this organization are provisioned by the identity provider (%s); invites are not available.", mode)
	}
	for i, id := range v.Groups {
		g, ok := c.st.groups.get(id)
		switch {
		case !ok:
			return notFound("RBAC group not found: %s.", id)
		case g.Source == "scim":
			return invalid("The group %s is synced from the identity provider and cannot be changed.", id)
		case slices.Contains(v.Groups[:i], id):
			return invalid("rbac_group_ids[%d]: %s is in the list already", i, id)
		}
	}
	if id := c.st.byEmail[v.Email]; id != "" {
		return invalid("%s is already a member of this organization: %s.", v.Email, id)
	}
	for _, other := range c.st.invites.rows {
		if other.Email == v.Email && other.status(c.now) == "pending" {
			return invalid("An invite for %s is already pending: %s.", v.Email, other.ID)
		}
	}
	if err := c.st.seatFree(c.now); errors.Is(err, errSeats) {
		return invalid("The invite cannot be sent: %s.", err)
	}
	return nil
}

func (x *tx) newInvite(v invite) (invite, error) {
	var err error
	if v.Order, err = x.order(); err != nil {
		return v, err
	}
	if v.ID, err = x.newID("invite_", v.Email); err != nil {
		return v, err
	}
	v.Status, v.Invited, v.Expires = "pending", x.now, x.now.Add(inviteLife)
	if err := put(x, &x.st.invites, v.ID, v); err != nil {
		return v, err
	}
	return v, x.event("org_user_invite_sent", fields{"invited_email": v.Email, "invited_role": v.Role,
		"invited_rbac_group_ids": v.Groups, "invited_seat_tier": nil})
}

// listInvites returns invites, most recent first.
func (c *call) listInvites() (any, error) {
	roles := c.values("roles")
	statuses, err := c.valuesOf("statuses", "accepted", "expired", "pending")
	if err != nil {
		return nil, err
	}
	email := c.query.Get("email")
	newest := c.st.invites.sorted(func(a, b invite) int { return byTime(b.Invited, a.Invited, b.Order, a.Order) })
	bodies := []inviteBody{}
	for _, v := range newest {
		b := v.body(c.now)
		if (email == "" || lookupEmail(email) == lookupEmail(v.Email)) &&
			(len(roles) == 0 || slices.Contains(roles, v.Role)) &&
			(len(statuses) == 0 || slices.Contains(statuses, b.Status)) {
			bodies = append(bodies, b)
		}
	}
	idOf := func(b inviteBody) string { return b.ID }
	page, more, err := paginateByID(c, adminPage, bodies, idOf)
	if err != nil {
		return nil, err
	}
	return newIDPage(page, more, idOf), nil
}

func (c *call) invite() (invite, error) {
	v, ok := c.st.invites.get(c.params["invite_id"])
	if !ok {
		return invite{}, notFound("Invite not found: %s.", c.params["invite_id"])
	}
	return v, nil
}

func (c *call) getInvite() (any, error) {
	v, err := c.invite()
	if err != nil {
		return nil, err
	}
	return v.body(c.now), nil
}

// deleteInvite withdraws a pending invite, which frees its seat. An invite that
// was accepted or has expired is a 400.
//
// Source: User management guide, read 2026-11-22. That a withdrawn invite is
// gone from then on is inferred: lists never return the status deleted.
func (c *call) deleteInvite(x *tx) (any, error) {
	v, err := c.invite()
	if err != nil {
		return nil, err
	}
	if status := v.status(c.now); status != "pending" {
		return nil, invalid("The invite %s cannot be deleted: it is %s.", v.ID, status)
	}
	remove(x, &x.st.invites, v.ID)
	return deletedBody{v.ID, "invite_deleted"}, x.event("org_user_invite_deleted", fields{"invited_email": v.Email})
}

// accept makes a member of an invited person, with the role and those groups
// of the invite that still exist.
func (x *tx) accept(v invite) (member, error) {
	m, err := x.newMember(member{Email: v.Email, Name: localPart(v.Email), Role: v.Role})
	if err != nil {
		return m, err
	}
	for _, id := range v.Groups {
		if _, ok := x.st.groups.get(id); !ok || x.st.ofUser[m.ID][id] {
			continue
		}
		if _, err := x.join(id, m.ID); err != nil {
			return m, err
		}
	}
	v.Status, v.Accepted = "accepted", &x.now
	if err := put(x, &x.st.invites, v.ID, v); err != nil {
		return m, err
	}
	return m, x.event("org_user_invite_accepted", fields{"invited_email": v.Email})
}

// newMember makes a member. A person whom another organization of the parent
// knows keeps the user ID.
func (x *tx) newMember(m member) (member, error) {
	var err error
	if m.Order, err = x.order(); err != nil {
		return m, err
	}
	for _, o := range x.st.outsiders.rows {
		if o.Email == m.Email {
			m.ID = o.UserID
		}
	}
	if m.ID == "" {
		if m.ID, err = x.newID("user_", m.Email); err != nil {
			return m, err
		}
	}
	if m.SeatTier == "" {
		m.SeatTier = x.st.lowestTier()
	}
	m.Added = x.now
	if err := put(x, &x.st.members, m.ID, m); err != nil {
		return m, err
	}
	return m, x.roleEvent(m, "", m.Role)
}

func localPart(email string) string {
	local, _, _ := strings.Cut(email, "@")
	return local
}
