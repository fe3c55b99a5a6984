package claude

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/rolecall/rolecall/schema"
	"golang.org/x/sync/errgroup"
)

// Page sizes are the largest that the API allows, so that the number of
// requests is the smallest: one for each thousand entries of a list, and one
// list for each group and role.
//
// Source: anthropic-sdk-go v1.84.0, list parameters; Claude Compliance API,
// activity feed; read 2026-11-22.
const (
	pageSize     = 1000
	feedPageSize = 5000
	maxPages     = 10_000 // of one list; a server that never ends is refused
	rolesRetries = 3      // times to ask again while attached roles are not available
)

// DefaultEventTypes returns the types of activity that tell what no other read
// shows: features without a settings row, tool policies, connector names.
//
// Source: Claude Compliance API, activity types; read 2026-11-22.
func DefaultEventTypes() []string {
	return []string{
		"org_cowork_enabled",
		"org_cowork_disabled",
		"claude_organization_settings_updated",
		"mcp_tool_policy_updated",
		"mcp_server_created",
		"mcp_server_updated",
		"rbac_role_permission_added", "rbac_role_permission_removed",
	}
}

// Fetch reads the organization.
//
// Errors: users, groups, their members, roles and their rows are whole or
// Fetch fails; a short list would look like people to be removed. The other
// reads fail it as well, except when the API answers 400, 403 or 404: then the
// key or the organization does not have them, and Missing says so.
func (r *Reading) Fetch(ctx context.Context) (*Snapshot, error) { return r.fetch(ctx, Organization{}) }

// fetch is Fetch for an organization that may be known already.
func (r *Reading) fetch(ctx context.Context, known Organization) (*Snapshot, error) {
	f := &fetch{known: known, c: r.c, events: r.events, progress: progress{report: r.progress}, snap: &Snapshot{
		Settings: Settings{Values: map[string]Setting{}},
		Missing:  []Missing{},
	}}
	f.group, f.ctx = errgroup.WithContext(ctx)
	f.run(f.organization)
	f.run(f.users)
	f.run(f.invites)
	f.run(f.groups)
	f.run(f.roles)
	f.run(f.spendLimits)
	f.run(f.plugins)
	f.run(f.activity)
	if err := f.group.Wait(); err != nil {
		return nil, err
	}
	f.ctx = ctx
	if err := f.settingsAtLast(); err != nil {
		return nil, err
	}
	slices.SortFunc(f.snap.Missing, func(a, b Missing) int { return cmp.Compare(a.What, b.What) })
	return f.snap, nil
}

// A fetch is one read of everything. Each task writes its own part of snap;
// missing and members of the slices are guarded by mu or by their index.
type fetch struct {
	c        *core
	ctx      context.Context
	group    *errgroup.Group
	events   []string
	progress progress
	known    Organization

	mu   sync.Mutex
	snap *Snapshot
}

// run starts a task that reads one list. How many requests are under way at
// once is bounded in the core, not here, so that a task may start others.
func (f *fetch) run(task func() error) {
	f.progress.expect(1)
	f.group.Go(func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("claude: reading failed: %v\n%s", p, debug.Stack())
			}
		}()
		if err := task(); err != nil {
			return err
		}
		f.progress.finish()
		return nil
	})
}

// optional turns an error that says "not for you" into an entry of Missing.
func (f *fetch) optional(what string, err error) error {
	var api *APIError
	if !errors.As(err, &api) || !dispensable(api.Status) {
		return err
	}
	why := fmt.Sprintf("%d", api.Status)
	if api.Message != "" {
		why += ": " + api.Message
	}
	f.miss(Missing{What: what, Why: why, Scope: strings.Join(api.MissingScopes, ", ")})
	return nil
}

func dispensable(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusForbidden || status == http.StatusNotFound
}

func (f *fetch) miss(m Missing) {
	f.mu.Lock()
	f.snap.Missing = append(f.snap.Missing, m)
	f.mu.Unlock()
}

// organization asks which organization the key belongs to. The vendor does
// not promise this endpoint for Claude Enterprise, so a refusal says nothing.
func (f *fetch) organization() error {
	org, err := f.known, error(nil)
	if org.ID == "" {
		org, err = f.c.organization(f.ctx)
	}
	var api *APIError
	if errors.As(err, &api) && dispensable(api.Status) {
		return nil // settingsAtLast finds it out in another way
	}
	if err != nil {
		return err
	}
	f.snap.Organization = org
	f.run(f.settings)
	return nil
}

func (f *fetch) settings() error {
	s, err := f.c.settings(f.ctx, f.snap.Organization.ID)
	if err != nil {
		return f.optional(MissingSettings, err)
	}
	f.snap.Settings = s
	return nil
}

// settingsAtLast reads the settings if the organization's id was not known
// before: it is in the rows of roles, or the only one that a Compliance key
// sees.
func (f *fetch) settingsAtLast() error {
	if f.snap.Organization.ID != "" {
		return nil
	}
	f.snap.Organization.ID = idInRows(f.snap.Roles)
	if f.snap.Organization.ID == "" {
		f.progress.expect(1)
		list, err := f.c.organizations(f.ctx)
		if err != nil {
			if err := f.optional(MissingOrganization, err); err != nil {
				return err
			}
		} else if len(list) == 1 {
			f.snap.Organization = list[0]
		} else {
			f.miss(Missing{What: MissingOrganization, Why: fmt.Sprintf("the key sees %d organizations", len(list))})
		}
		f.progress.finish()
	}
	if f.snap.Organization.ID == "" {
		f.miss(Missing{What: MissingSettings, Why: "the id of the organization is not known"})
		return nil
	}
	f.progress.expect(1)
	defer f.progress.finish()
	return f.settings()
}

// idInRows returns the organization that the rows name, "" if they name none
// or several.
func idInRows(roles []Role) string {
	id := ""
	for _, role := range roles {
		for _, row := range role.Rows {
			if row.OrganizationID == "" || row.OrganizationID == id {
				continue
			}
			if id != "" {
				return ""
			}
			id = row.OrganizationID
		}
	}
	return id
}

func (f *fetch) users() (err error) {
	f.snap.Users, err = f.c.users(f.ctx)
	return err
}

func (f *fetch) invites() error {
	list, err := f.c.invites(f.ctx)
	if err != nil {
		return f.optional(MissingInvites, err)
	}
	f.snap.Invites = list
	return nil
}

func (f *fetch) groups() error {
	list, err := f.c.groups(f.ctx)
	if err != nil {
		return err
	}
	f.snap.Groups = list
	for i := range list {
		g := &list[i]
		if !g.RolesKnown {
			f.miss(Missing{
				What: fmt.Sprintf("roles of group %q", plain(g.Name)),
				Why:  "the API says that they are not available at the moment",
			})
		}
		f.run(func() error {
			members, err := f.c.members(f.ctx, g.ID, fmt.Sprintf("%q", plain(g.Name)))
			if err != nil {
				return err
			}
			g.Members, g.MembersKnown = members, true
			return nil
		})
	}
	return nil
}

func (f *fetch) roles() error {
	list, err := f.c.roles(f.ctx)
	if err != nil {
		return err
	}
	f.snap.Roles = list
	for i := range list {
		role := &list[i]
		f.run(func() error {
			rows, err := f.c.rows(f.ctx, role.ID, fmt.Sprintf("%q", plain(role.Name)))
			if err != nil {
				return err
			}
			role.Rows, role.RowsKnown = rows, true
			return nil
		})
	}
	return nil
}

func (f *fetch) spendLimits() error {
	list, err := f.c.spendLimits(f.ctx)
	if err != nil {
		return f.optional(MissingSpendLimits, err)
	}
	f.snap.SpendLimits = list
	return nil
}

func (f *fetch) activity() error {
	list, err := f.c.activity(f.ctx, f.events)
	if err != nil {
		return f.optional(MissingEvents, err)
	}
	f.snap.Events = list
	return nil
}

// A progress counts lists. Its total grows as reading finds out what there is.
type progress struct {
	report func(done, total int)

	mu          sync.Mutex
	done, total int
}

func (p *progress) expect(n int) {
	p.mu.Lock()
	p.total += n
	p.mu.Unlock()
}

func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if p.report != nil {
		p.report(p.done, p.total)
	}
}

// FetchOrganization reads which organization the key belongs to. The vendor
// does not promise that a key of Claude Enterprise may ask.
func (r *Reading) FetchOrganization(ctx context.Context) (Organization, error) {
	return r.c.organization(ctx)
}

// FetchUsers reads all members of the organization.
func (r *Reading) FetchUsers(ctx context.Context) ([]User, error) { return r.c.users(ctx) }

// FetchInvites reads the pending invites.
func (r *Reading) FetchInvites(ctx context.Context) ([]Invite, error) { return r.c.invites(ctx) }

// FetchGroups reads all groups, without their members. While the API cannot
// tell the roles of a group, it asks again a few times.
func (r *Reading) FetchGroups(ctx context.Context) ([]Group, error) { return r.c.groups(ctx) }

// FetchMembers reads the members of one group.
func (r *Reading) FetchMembers(ctx context.Context, groupID string) ([]GroupMember, error) {
	return r.c.members(ctx, groupID, groupID)
}

// FetchRoles reads all custom roles, without their rows.
func (r *Reading) FetchRoles(ctx context.Context) ([]Role, error) { return r.c.roles(ctx) }

// FetchRows reads the rows of one role.
func (r *Reading) FetchRows(ctx context.Context, roleID string) ([]Row, error) {
	return r.c.rows(ctx, roleID, roleID)
}

// FetchSettings reads the settings in force for an organization, given its
// UUID.
func (r *Reading) FetchSettings(ctx context.Context, orgID string) (Settings, error) {
	return r.c.settings(ctx, orgID)
}

// FetchSpendLimits reads all configured limits.
func (r *Reading) FetchSpendLimits(ctx context.Context) ([]SpendLimit, error) {
	return r.c.spendLimits(ctx)
}

// FetchEvents reads the activities of the given types, newest first, and
// those of Options.EventTypes if there are none.
func (r *Reading) FetchEvents(ctx context.Context, types ...string) ([]Event, error) {
	if len(types) == 0 {
		types = r.events
	}
	return r.c.activity(ctx, types)
}

func (c *core) organization(ctx context.Context) (Organization, error) {
	var org Organization
	k := call{op: "read the organization", method: http.MethodGet, path: "/v1/organizations/me", repeat: true}
	err := c.do(ctx, k, func(ctx context.Context) error {
		raw, err := rawOf(c.admin.Beta.Organization.Get(ctx))
		if err != nil {
			return err
		}
		var w struct{ ID, Name *string }
		if err := decode(raw, &w); err != nil {
			return err
		}
		org.Name = deref(w.Name)
		return texts("organization", field{"id", w.ID, &org.ID})
	})
	return org, err
}

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
		}
		if err := decode(string(raw), &w); err != nil {
			return Role{}, err
		}
		role := Role{Rows: []Row{}}
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

func (c *core) settings(ctx context.Context, orgID string) (Settings, error) {
	s := Settings{Known: true}
	path := "/v1/compliance/organizations/" + url.PathEscape(orgID) + "/settings"
	k := call{op: "read organization settings", method: http.MethodGet, path: path, repeat: true}
	err := c.do(ctx, k, func(ctx context.Context) error {
		raw, err := c.comply(ctx, path, nil)
		if err != nil {
			return err
		}
		var w struct {
			Settings json.RawMessage
		}
		if err := decode(raw, &w); err != nil {
			return err
		}
		items, err := array("settings", w.Settings)
		if err != nil {
			return err
		}
		s.Values = make(map[string]Setting, len(items))
		for _, item := range items {
			var w struct {
				Name, Type *string
				Value      json.RawMessage
			}
			if err := decode(string(item), &w); err != nil {
				return err
			}
			var name string
			v := Setting{Value: w.Value}
			if err := texts("setting", field{"name", w.Name, &name}, field{"type", w.Type, &v.Type}); err != nil {
				return err
			}
			if v.Value == nil {
				return odd("setting %q has no value", plain(name))
			}
			s.Values[name] = v
		}
		return nil
	})
	if err != nil {
		return Settings{Values: map[string]Setting{}}, err
	}
	return s, nil
}

// organizations reads the organizations that the Compliance key sees.
func (c *core) organizations(ctx context.Context) ([]Organization, error) {
	const path = "/v1/compliance/organizations"
	return walk(ctx, c, "read the organizations of the compliance key", path, byToken, func(ctx context.Context, cursor string) (string, error) {
		q := url.Values{"limit": {strconv.Itoa(pageSize)}}
		if cursor != "" {
			q.Set("page", cursor)
		}
		return c.comply(ctx, path, q)
	}, func(raw json.RawMessage) (Organization, error) {
		var w struct{ UUID, Name *string }
		if err := decode(string(raw), &w); err != nil {
			return Organization{}, err
		}
		org := Organization{Name: deref(w.Name)}
		return org, texts("organization", field{"uuid", w.UUID, &org.ID})
	})
}

func (c *core) activity(ctx context.Context, types []string) ([]Event, error) {
	const path = "/v1/compliance/activities"
	list, err := walk(ctx, c, "read the activity feed", path, byID, func(ctx context.Context, cursor string) (string, error) {
		q := url.Values{"limit": {strconv.Itoa(feedPageSize)}, "activity_types[]": types}
		if cursor != "" {
			q.Set("after_id", cursor)
		}
		return c.comply(ctx, path, q)
	}, decodeEvent)
	return tidy(list, func(e Event) string { return e.ID }, func(a, b Event) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID))
	}), err
}

func decodeEvent(raw json.RawMessage) (Event, error) {
	var fields map[string]json.RawMessage
	if err := decode(string(raw), &fields); err != nil {
		return Event{}, err
	}
	var w struct {
		ID, Type  *string
		CreatedAt *string `json:"created_at"`
	}
	if err := decode(string(raw), &w); err != nil {
		return Event{}, err
	}
	var e Event
	var at string
	if err := texts("activity", field{"id", w.ID, &e.ID}, field{"type", w.Type, &e.Type}, field{"created_at", w.CreatedAt, &at}); err != nil {
		return Event{}, err
	}
	t, err := parseTime(at)
	if err != nil {
		return Event{}, odd("an activity has no usable created_at")
	}
	e.At = t
	for _, name := range []string{"id", "type", "created_at"} {
		delete(fields, name)
	}
	var actor map[string]json.RawMessage
	if json.Unmarshal(fields["actor"], &actor) == nil && actor != nil {
		delete(actor, "ip_address")
		delete(actor, "user_agent")
		if fields["actor"], err = json.Marshal(actor); err != nil {
			return Event{}, err
		}
	}
	e.Fields, err = json.Marshal(fields)
	return e, err
}

// parseTime reads an RFC 3339 timestamp. The Compliance API sometimes leaves
// the zone out; it is UTC then, which is inferred.
func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	return time.Parse("2006-01-02T15:04:05", s)
}

// comply gets a path of the Compliance API, which the SDK has no types for.
func (c *core) comply(ctx context.Context, path string, q url.Values) (string, error) {
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	var body []byte
	err := c.compliance.Get(ctx, strings.TrimPrefix(path, "/"), nil, &body)
	return string(body), err
}

// A style is a way of the API to cut a list into pages.
//
// Source: anthropic-sdk-go v1.84.0, pagination; Claude Compliance API,
// pagination; read 2026-11-22.
type style int

const (
	_        style = iota
	byID           // has_more, last_id; next is after_id
	byCursor       // next_page; next is page, whatever has_more says
	byToken        // has_more, next_page; next is page
)

// walk reads all pages of a list. Each page is repeated by itself if its
// answer is lost. There is no partial result.
func walk[T any](ctx context.Context, c *core, op, path string, s style,
	get func(ctx context.Context, cursor string) (string, error),
	item func(json.RawMessage) (T, error),
) ([]T, error) {
	list := []T{}
	cursor := ""
	seen := map[string]bool{}
	k := call{op: op, method: http.MethodGet, path: path, repeat: true}
	for range maxPages {
		var page []T
		var next string
		err := c.do(ctx, k, func(ctx context.Context) error {
			raw, err := get(ctx, cursor)
			if err != nil {
				return err
			}
			var items []json.RawMessage
			if items, next, err = openPage(raw, s); err != nil {
				return err
			}
			if next != "" && (next == cursor || seen[next]) {
				return odd("the list leads back to a page that was read already")
			}
			page = make([]T, 0, len(items))
			for _, raw := range items {
				v, err := item(raw)
				if err != nil {
					return err
				}
				page = append(page, v)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		list = append(list, page...)
		if next == "" {
			return list, nil
		}
		seen[next] = true
		cursor = next
	}
	return nil, &APIError{Op: op, Method: k.method, Path: path, Message: fmt.Sprintf("the list has more than %d pages", maxPages)}
}

// openPage returns the entries of a page and the cursor of the next one, ""
// after the last. It accepts only what surely is a page: the SDK reads null,
// {} and {"data": {}} as an empty list, which would plan the removal of
// everybody.
func openPage(raw string, s style) (items []json.RawMessage, next string, err error) {
	var w struct {
		Data     json.RawMessage
		HasMore  *bool           `json:"has_more"`
		NextPage json.RawMessage `json:"next_page"`
		LastID   *string         `json:"last_id"`
	}
	if err := decode(raw, &w); err != nil {
		return nil, "", err
	}
	if items, err = array("data", w.Data); err != nil {
		return nil, "", err
	}
	more := w.HasMore != nil && *w.HasMore
	if s == byID {
		switch {
		case w.HasMore == nil:
			return nil, "", odd("a page does not say whether there are more (has_more)")
		case !more:
			return items, "", nil
		case len(items) == 0 || deref(w.LastID) == "":
			return nil, "", odd("there are more pages (has_more), but not where (last_id)")
		}
		return items, *w.LastID, nil
	}
	var page *string
	if w.NextPage != nil {
		if err := json.Unmarshal(w.NextPage, &page); err != nil {
			return nil, "", odd("next_page is neither a string nor null")
		}
	}
	switch {
	case w.HasMore == nil && w.NextPage == nil:
		return nil, "", odd("a page does not say whether there are more (next_page)")
	case more && deref(page) == "":
		return nil, "", odd("there are more pages (has_more), but not where (next_page)")
	case s == byToken && !more:
		return items, "", nil
	}
	return items, deref(page), nil
}

// rawOf returns the whole reply that the SDK decoded.
func rawOf[T any, P interface {
	*T
	RawJSON() string
}](reply P, err error) (string, error) {
	if err != nil {
		return "", err
	}
	if reply == nil {
		return "null", nil
	}
	return reply.RawJSON(), nil
}

// decode reads one JSON object. The SDK's own decoder lets a number pass for
// a string; this one does not.
func decode(raw string, into any) error {
	if !strings.HasPrefix(strings.TrimLeft(raw, " \t\r\n"), "{") {
		return odd("not a JSON object")
	}
	if err := json.Unmarshal([]byte(raw), into); err != nil {
		var t *json.UnmarshalTypeError
		if errors.As(err, &t) {
			return odd("field %q is a %s", t.Field, t.Value)
		}
		return odd("not JSON")
	}
	return nil
}

// array returns the elements of raw, which has to be an array.
func array(name string, raw json.RawMessage) ([]json.RawMessage, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); len(raw) == 0 || raw[0] != '[' || err != nil {
		return nil, odd("%s is not a list", name)
	}
	return items, nil
}

// textList reads a list of strings, none of which is null or empty.
func textList(raw json.RawMessage) ([]string, error) {
	var list []*string
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	texts := make([]string, len(list))
	for i, s := range list {
		if deref(s) == "" {
			return nil, errors.New("empty element")
		}
		texts[i] = *s
	}
	return texts, nil
}

// A field is a text that must be there.
type field struct {
	name string
	from *string
	to   *string
}

// texts copies required texts. An absent, null or empty one is an error.
func texts(what string, fields ...field) error {
	for _, f := range fields {
		if deref(f.from) == "" {
			return odd("a %s has no %s", what, f.name)
		}
		*f.to = *f.from
	}
	return nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// canonical returns an address in lower case, and as it was if that differs.
func canonical(email string) (lower, raw string) {
	lower, err := schema.ParseEmail(email)
	if err != nil {
		lower = strings.ToLower(email) // kept, so that the person is seen
	}
	if lower != email {
		raw = email
	}
	return lower, raw
}

func sorted(list []string) []string {
	list = append([]string{}, list...)
	slices.Sort(list)
	return slices.Compact(list)
}

// tidy sorts a list and keeps one of the entries that two pages both had. A
// nil list, which is no list, stays nil.
func tidy[T any, K comparable](list []T, key func(T) K, compare func(a, b T) int) []T {
	seen := make(map[K]bool, len(list))
	list = slices.DeleteFunc(list, func(v T) bool {
		k := key(v)
		dup := seen[k]
		seen[k] = true
		return dup
	})
	slices.SortStableFunc(list, compare)
	return list
}
