package claude

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

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
