package emulator

import (
	"maps"
	"net/http"
	"slices"
)

// consoleRoutes are what an Owner does by hand in claude.ai. The vendor has no
// API for any of it; paths and bodies are this package's own. They are served
// to this machine only and need no key.
var consoleRoutes = []route{
	{method: "GET", pattern: "/console/state", get: (*call).consoleState},
	{method: "POST", pattern: "/console/roles", set: (*call).consoleCreateRole},
	{method: "PATCH", pattern: "/console/roles/{role_id}", set: (*call).consoleUpdateRole},
	{method: "DELETE", pattern: "/console/roles/{role_id}", set: (*call).consoleDeleteRole},
	{method: "PUT", pattern: "/console/roles/{role_id}/permissions", set: (*call).consoleSetPermissions},
	{method: "PATCH", pattern: "/console/groups/{group_id}", set: (*call).consoleUpdateGroup},
	{method: "PUT", pattern: "/console/groups/{group_id}/roles/{role_id}", set: (*call).consoleAttachRole},
	{method: "DELETE", pattern: "/console/groups/{group_id}/roles/{role_id}", set: (*call).consoleDetachRole},
	{method: "PUT", pattern: "/console/features/{action}", set: (*call).consoleSetFeature},
	{method: "PUT", pattern: "/console/connectors/{connector_id}", set: (*call).consoleSetConnector},
	{method: "PUT", pattern: "/console/spend_limits", set: (*call).consoleSetLimit},
	{method: "DELETE", pattern: "/console/spend_limits/{limit_id}", set: (*call).consoleDeleteLimit},
	{method: "PUT", pattern: "/console/spending", set: (*call).consoleSetSpending},
	{method: "POST", pattern: "/console/members", set: (*call).consoleAddMember},
	{method: "PUT", pattern: "/console/members/{user_id}", set: (*call).consoleSetMember},
	{method: "POST", pattern: "/console/invites/{invite_id}/accept", set: (*call).consoleAcceptInvite},
	{method: "PUT", pattern: "/console/provisioning", set: (*call).consoleSetProvisioning},
	{method: "PUT", pattern: "/console/seats", set: (*call).consoleSetSeats},
	{method: "POST", pattern: "/console/members/{user_id}/request_more_usage", set: (*call).consoleRequestIncrease},
	{method: "POST", pattern: "/console/plugin_marketplaces", set: (*call).consoleCreateMarketplace},
	{method: "DELETE", pattern: "/console/plugin_marketplaces/{marketplace_id}", set: (*call).consoleDeleteMarketplace},
	{method: "POST", pattern: "/console/plugins", set: (*call).consoleUploadPlugin},
	{method: "DELETE", pattern: "/console/plugins/{plugin_id}", set: (*call).consoleDeletePlugin},
	{method: "PUT", pattern: "/console/plugins/{plugin_id}/installation_settings/{target}", set: (*call).consoleSetPlugin},
	{method: "DELETE", pattern: "/console/plugins/{plugin_id}/installation_settings/{target}", set: (*call).consoleUnsetPlugin},
}

// serveConsole serves /console.
func (s *Server) serveConsole(c *call, r *http.Request) result {
	if !local(r) {
		return result{err: fail(http.StatusForbidden, "The console is served to this machine only.")}
	}
	rt, params, err := s.router.find(r.Method, r.URL)
	if err != nil {
		return result{err: err}
	}
	c.params = params
	value, err := s.run(rt, c, nil)
	return result{value: value, err: err}
}

// consoleState returns the state as a seed, with times.
func (c *call) consoleState() (any, error) { return c.st.document(true).bytes(), nil }

// readConsole reads a console body, which no vendor document describes.
func (c *call) readConsole(x *tx, p *problems, names ...string) (node, error) {
	x.actor = c.st.consoleActor()
	return c.fields(p, names...)
}

// consoleRole is a role with all its rows, of features that are off too.
func consoleRole(v role) any { return v.document() }

// consoleCreateRole makes a role. Without permissions it has those of a new
// role: chat, and approval on every connector.
//
// Source: Claude help centre, custom roles; read 2026-11-22.
func (c *call) consoleCreateRole(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "name", "description", "permissions")
	if err != nil {
		return nil, err
	}
	v := role{Name: p.name(n.field("name"), 255), Description: p.str(n.field("description"))}
	v.Rows = defaultRows(c.st)
	if f := n.field("permissions"); !f.absent() {
		v.Rows = c.readRows(&p, f)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	if v.Order, err = x.order(); err != nil {
		return nil, err
	}
	if v.ID, err = x.newID("rbac_role_", v.Name); err != nil {
		return nil, err
	}
	v.Created = x.now
	if err := x.event("rbac_role_created", fields{"role_id": v.ID, "role_name": v.Name}); err != nil {
		return nil, err
	}
	return c.saveRole(x, role{ID: v.ID}, v)
}

func defaultRows(st *state) []row {
	rows := []row{{Action: "chat", Type: "organization"}}
	if st.org().ConnectorPermissions {
		rows = append(rows, row{Action: "use", Type: "all_connectors"})
	}
	slices.SortFunc(rows, compareRows)
	return rows
}

// readRows reads rows for a role. While connector permissions are off, the
// console has no place for rows on connectors.
func (c *call) readRows(p *problems, n node) []row {
	rows := readRows(p, c.st, n)
	if !c.st.org().ConnectorPermissions && slices.ContainsFunc(rows, aboutConnectors) {
		p.add(n, "connector permissions are not enabled for this organization")
	}
	return rows
}

// saveRole stores have in place of old and notes the rows that came and went.
func (c *call) saveRole(x *tx, old, have role) (any, error) {
	slices.SortFunc(have.Rows, compareRows)
	have.Updated = x.now
	if err := put(x, &x.st.roles, have.ID, have); err != nil {
		return nil, err
	}
	for _, r := range have.Rows {
		if !slices.Contains(old.Rows, r) {
			if err := x.rowEvent("rbac_role_permission_added", have.ID, r); err != nil {
				return nil, err
			}
		}
	}
	for _, r := range old.Rows {
		if !slices.Contains(have.Rows, r) {
			if err := x.rowEvent("rbac_role_permission_removed", have.ID, r); err != nil {
				return nil, err
			}
		}
	}
	return consoleRole(have), nil
}

func (x *tx) rowEvent(kind, roleID string, r row) error {
	return x.event(kind, fields{"role_id": roleID, "action": r.Action, "resource_type": r.Type,
		"resource_id": r.resourceID(x.st.org().ID)})
}

// consoleUpdateRole renames a role and adds and removes rows, in one save.
// Adding a row that is there and removing one that is not changes nothing. A
// row in both lists is a 400.
func (c *call) consoleUpdateRole(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "name", "description", "add", "remove")
	if err != nil {
		return nil, err
	}
	old, err := c.role()
	if err != nil {
		return nil, err
	}
	have := old
	if f := n.field("name"); !f.absent() {
		have.Name = p.name(f, 255)
	}
	if f := n.field("description"); !f.absent() {
		have.Description = p.str(f)
	}
	add, drop := c.readRows(&p, n.field("add")), readRows(&p, c.st, n.field("remove"))
	have.Rows = slices.Clone(old.Rows)
	for _, r := range add {
		if slices.Contains(drop, r) {
			p.add(n.field("add"), "%s on %s is to be added and removed", r.Action, r.Type)
		}
		if !slices.Contains(have.Rows, r) {
			have.Rows = append(have.Rows, r)
		}
	}
	have.Rows = slices.DeleteFunc(have.Rows, func(r row) bool { return slices.Contains(drop, r) })
	if err := p.err(); err != nil {
		return nil, err
	}
	return c.replaceRole(x, old, have)
}

// replaceRole is saveRole for a role that is there: nothing happens if it is
// the same, and a new name or description is noted.
func (c *call) replaceRole(x *tx, old, have role) (any, error) {
	named := old.Name != have.Name || old.Description != have.Description
	slices.SortFunc(have.Rows, compareRows)
	if !named && slices.Equal(old.Rows, have.Rows) {
		return consoleRole(old), nil
	}
	if named {
		if err := x.event("rbac_role_updated", fields{"role_id": have.ID}); err != nil {
			return nil, err
		}
	}
	return c.saveRole(x, old, have)
}

func (c *call) consoleSetPermissions(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "permissions")
	if err != nil {
		return nil, err
	}
	old, err := c.role()
	if err != nil {
		return nil, err
	}
	have := old
	if f := n.field("permissions"); p.must(f) {
		have.Rows = c.readRows(&p, f)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return c.replaceRole(x, old, have)
}

// consoleDeleteRole deletes a role and detaches it from every group.
func (c *call) consoleDeleteRole(x *tx) (any, error) {
	x.actor = c.st.consoleActor()
	v, err := c.role()
	if err != nil {
		return nil, err
	}
	for _, g := range c.st.groups.sorted(compareGroups) {
		if err := x.detach(g, v.ID); err != nil {
			return nil, err
		}
	}
	remove(x, &x.st.roles, v.ID)
	return deletedBody{v.ID, "rbac_role_deleted"}, x.event("rbac_role_deleted", fields{"role_id": v.ID})
}

// detach takes a role off a group that may have it.
func (x *tx) detach(g group, roleID string) error {
	if !slices.Contains(g.Roles, roleID) {
		return nil
	}
	g.Roles = slices.DeleteFunc(slices.Clone(g.Roles), func(id string) bool { return id == roleID })
	return x.setGroupRoles(g, "rbac_role_unassigned", roleID)
}

// setGroupRoles stores a group whose roles have changed. The time of its last
// change moves with it (invented).
func (x *tx) setGroupRoles(g group, kind, roleID string) error {
	g.Updated = x.now
	if err := put(x, &x.st.groups, g.ID, g); err != nil {
		return err
	}
	return x.event(kind, fields{"role_id": roleID, "principal_id": g.ID, "principal_type": "group"})
}

// groupAndRole returns both objects of the path. Roles can be attached to
// groups of the identity provider too.
func (c *call) groupAndRole(x *tx) (group, role, error) {
	x.actor = c.st.consoleActor()
	g, err := c.group()
	if err != nil {
		return g, role{}, err
	}
	v, err := c.role()
	return g, v, err
}

func (c *call) consoleAttachRole(x *tx) (any, error) {
	g, v, err := c.groupAndRole(x)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(g.Roles, v.ID) {
		g.Roles = slices.Sorted(slices.Values(append(slices.Clone(g.Roles), v.ID)))
		if err := x.setGroupRoles(g, "rbac_role_assigned", v.ID); err != nil {
			return nil, err
		}
	}
	return c.consoleGroup(g.ID), nil
}

func (c *call) consoleDetachRole(x *tx) (any, error) {
	g, v, err := c.groupAndRole(x)
	if err != nil {
		return nil, err
	}
	if err := x.detach(g, v.ID); err != nil {
		return nil, err
	}
	return c.consoleGroup(g.ID), nil
}

// consoleGroup is a group with its description, without its members.
func (c *call) consoleGroup(id string) any {
	g, _ := c.st.groups.get(id)
	return complianceGroupBody{g.ID, g.Name, g.Description, g.Source, orEmpty(g.Roles), stamp(g.Created), stamp(g.Updated)}
}

func (c *call) consoleUpdateGroup(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "description")
	if err != nil {
		return nil, err
	}
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	f := n.field("description")
	description := p.str(f)
	if err := p.err(); err != nil {
		return nil, err
	}
	if !f.absent() && description != g.Description {
		g.Description = description
		if _, err := x.updateGroup(g); err != nil {
			return nil, err
		}
	}
	return c.consoleGroup(g.ID), nil
}

// knownFeature reports whether anything in the organization names an action.
func (st *state) knownFeature(action string) bool {
	if _, ok := st.features.get(action); ok {
		return true
	}
	return slices.Contains(slices.Collect(maps.Values(st.settings.rows)), action) || slices.Contains(st.roleActions(), action)
}

// roleActions returns the features that roles of this organization name.
func (st *state) roleActions() []string {
	var list []string
	for _, v := range st.roles.rows {
		for _, r := range v.Rows {
			if v.OrganizationID == "" && r.Type == "organization" && !blanket(r.Action) && !adminRow(r.Action) {
				list = append(list, r.Action)
			}
		}
	}
	return list
}

func (c *call) consoleSetFeature(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "enabled")
	if err != nil {
		return nil, err
	}
	p.must(n.field("enabled"))
	enabled := p.flag(n.field("enabled"), false)
	if err := p.err(); err != nil {
		return nil, err
	}
	action := c.params["action"]
	if !actionForm.MatchString(action) || !c.st.knownFeature(action) {
		return nil, notFound("Feature not found: %s.", action)
	}
	f := c.st.features.rows[action]
	if f.Enabled != enabled {
		before := f.Enabled
		f.Enabled = enabled
		if err := put(x, &x.st.features, action, f); err != nil {
			return nil, err
		}
		if err := x.featureEvent(action, before, enabled); err != nil {
			return nil, err
		}
	}
	return fields{"action": action, "enabled": enabled, "beta": f.Beta}, nil
}

// consoleSetConnector adds or changes a connector. tool_policy changes the
// tools it names; null puts a tool back under the policy of the connector.
func (c *call) consoleSetConnector(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "name", "tools", "policy", "tool_policy")
	if err != nil {
		return nil, err
	}
	id := c.params["connector_id"]
	old, there := c.st.connectors.get(id)
	have := old
	if !there {
		have = connector{ID: id, Name: id, Tools: []string{}, Policy: "allow"}
	}
	if f := n.field("name"); !f.absent() {
		have.Name = p.name(f, 255)
	}
	if f := n.field("tools"); !f.absent() {
		have.Tools = readTools(&p, f)
	}
	if f := n.field("policy"); !f.absent() {
		have.Policy = p.oneOf(f, policies...)
	}
	have.ToolPolicy = readToolPolicy(&p, n.field("tool_policy"), old.ToolPolicy)
	if err := p.err(); err != nil {
		return nil, err
	}
	if err := x.saveConnector(old, have, there); err != nil {
		return nil, err
	}
	return connectorDoc{have.ID, have.Name, have.Tools, have.Policy, have.ToolPolicy}, nil
}

func readToolPolicy(p *problems, n node, old map[string]string) map[string]string {
	policy := maps.Clone(old)
	if policy == nil {
		policy = map[string]string{}
	}
	p.object(n, n.names...)
	for _, tool := range n.names {
		f := n.field(tool)
		if tool == "" {
			p.add(n, "a tool must have a name")
		}
		if f.null() {
			delete(policy, tool)
			continue
		}
		policy[tool] = p.oneOf(f, policies...)
	}
	return policy
}

func (x *tx) saveConnector(old, have connector, there bool) error {
	if there && old.Name == have.Name && slices.Equal(old.Tools, have.Tools) && old.Policy == have.Policy &&
		maps.Equal(old.ToolPolicy, have.ToolPolicy) {
		return nil
	}
	if !there {
		order, err := x.order()
		if err != nil {
			return err
		}
		have.Order = order
	}
	if err := put(x, &x.st.connectors, have.ID, have); err != nil {
		return err
	}
	kind := "mcp_server_created"
	if there {
		kind = "mcp_server_updated"
	}
	if !there || old.Name != have.Name || !slices.Equal(old.Tools, have.Tools) {
		if err := x.event(kind, fields{"mcp_server_id": have.ID, "mcp_server_name": have.Name}); err != nil {
			return err
		}
	}
	return x.policyEvents(old, have)
}

// policyEvents notes each policy that changed; the tool * is the connector.
func (x *tx) policyEvents(old, have connector) error {
	note := func(tool string, level any) error {
		return x.event("mcp_tool_policy_updated", fields{"mcp_server_id": have.ID, "mcp_server_name": have.Name,
			"tool_name": tool, "max_permission": level})
	}
	if old.Policy != have.Policy {
		if err := note("*", have.Policy); err != nil {
			return err
		}
	}
	tools := maps.Clone(have.ToolPolicy)
	maps.Copy(tools, old.ToolPolicy)
	for _, tool := range slices.Sorted(maps.Keys(tools)) {
		if old.ToolPolicy[tool] != have.ToolPolicy[tool] {
			if err := note(tool, orNull(have.ToolPolicy[tool])); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *call) consoleSetLimit(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "scope", "amount", "period")
	if err != nil {
		return nil, err
	}
	s := readScope(&p, n.field("scope"))
	amount := p.amount(n.field("amount"))
	period := p.oneOf(n.field("period"), "monthly")
	if err := p.err(); err != nil {
		return nil, err
	}
	if s.Type == "user" {
		if _, ok := c.st.members.get(s.UserID); !ok {
			return nil, notFound("User not found: %s.", s.UserID)
		}
	}
	if s.Type == "rbac_group" {
		if _, ok := c.st.groups.get(s.GroupID); !ok {
			return nil, notFound("RBAC group not found: %s.", s.GroupID)
		}
	}
	v, err := x.setLimit(s, period, amount)
	if err != nil {
		return nil, err
	}
	return v.body(c.st.org()), nil
}

// readScope reads a scope in which everything is given by ID.
func readScope(p *problems, n node) scope {
	if !p.must(n) {
		return scope{}
	}
	p.must(n.field("type"))
	s := scope{Type: p.oneOf(n.field("type"), limitScopes...)}
	names := map[string]string{"user": "user_id", "rbac_group": "rbac_group_id", "seat_tier": "seat_tier",
		"organization_service": "service"}
	name, ok := names[s.Type]
	if !ok {
		p.object(n, "type")
		return s
	}
	p.object(n, "type", name)
	value := p.name(n.field(name), 255)
	switch s.Type {
	case "user":
		s.UserID = value
	case "rbac_group":
		s.GroupID = value
	case "seat_tier":
		s.SeatTier = value
	case "organization_service":
		s.Service = value
	}
	return s
}

func (c *call) consoleDeleteLimit(x *tx) (any, error) {
	x.actor = c.st.consoleActor()
	v, err := c.spendLimit()
	if err != nil {
		return nil, err
	}
	return x.dropLimit(v)
}

func (c *call) consoleSetSpending(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "precedence")
	if err != nil {
		return nil, err
	}
	f := n.field("precedence")
	p.must(f)
	precedence := p.oneOf(f, precedences...)
	if err := p.err(); err != nil {
		return nil, err
	}
	o := c.st.org()
	if o.SpendPrecedence != precedence {
		o.SpendPrecedence = precedence
		if err := put(x, &x.st.organizations, organizationKey, o); err != nil {
			return nil, err
		}
	}
	return fields{"precedence": precedence}, nil
}

// consoleAddMember lets a person join, as by single sign-on or SCIM.
func (c *call) consoleAddMember(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "email", "name", "role", "seat_tier")
	if err != nil {
		return nil, err
	}
	m := member{Email: p.email(n.field("email")), Name: p.str(n.field("name")),
		Role: p.oneOf(n.field("role"), memberRoles...), SeatTier: p.str(n.field("seat_tier"))}
	if err := p.err(); err != nil {
		return nil, err
	}
	if id := c.st.byEmail[m.Email]; id != "" {
		return nil, invalid("%s is already a member of this organization: %s.", m.Email, id)
	}
	if err := c.st.seatFree(c.now); err != nil {
		return nil, invalid("The person cannot join: %s.", err)
	}
	if err := c.st.checkPrimary(m, m.Role == "primary_owner"); err != nil {
		return nil, err
	}
	if m, err = x.newMember(m); err != nil {
		return nil, err
	}
	return consoleMember(m), nil
}

// checkPrimary keeps an organization from having two primary owners, and from
// losing the one it has.
func (st *state) checkPrimary(m member, primary bool) error {
	for _, other := range st.members.rows {
		if other.Role != "primary_owner" {
			continue
		}
		if other.ID == m.ID && !primary {
			return invalid("The organization must have a primary owner.")
		}
		if other.ID != m.ID && primary {
			return invalid("The organization has a primary owner: %s.", other.Email)
		}
	}
	return nil
}

func consoleMember(m member) memberDoc {
	return memberDoc{m.ID, m.Email, m.Name, m.Role, m.SeatTier, stamp(m.Added)}
}

// consoleSetMember gives a member any role or another seat.
func (c *call) consoleSetMember(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "role", "seat_tier")
	if err != nil {
		return nil, err
	}
	m, err := c.user()
	if err != nil {
		return nil, err
	}
	role, tier := m.Role, m.SeatTier
	if f := n.field("role"); !f.absent() {
		role = p.oneOf(f, memberRoles...)
	}
	if f := n.field("seat_tier"); !f.absent() {
		tier = p.str(f)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	if err := c.st.checkPrimary(m, role == "primary_owner"); err != nil {
		return nil, err
	}
	if m, err = x.setSeatTier(m, tier); err != nil {
		return nil, err
	}
	if m, err = x.setMemberRole(m, role); err != nil {
		return nil, err
	}
	return consoleMember(m), nil
}

func (x *tx) setSeatTier(m member, tier string) (member, error) {
	if m.SeatTier == tier {
		return m, nil
	}
	before := m.SeatTier
	m.SeatTier = tier
	if err := put(x, &x.st.members, m.ID, m); err != nil {
		return m, err
	}
	return m, x.event("claude_user_seat_tier_updated", fields{"user_id": m.ID, "user_email": m.Email,
		"previous_seat_tier": orNull(before), "current_seat_tier": orNull(tier)})
}

// consoleAcceptInvite is the invited person's own click.
func (c *call) consoleAcceptInvite(x *tx) (any, error) {
	x.actor = c.st.consoleActor()
	v, err := c.invite()
	if err != nil {
		return nil, err
	}
	if status := v.status(c.now); status != "pending" {
		return nil, invalid("The invite %s cannot be accepted: it is %s.", v.ID, status)
	}
	if id := c.st.byEmail[v.Email]; id != "" {
		return nil, invalid("%s is already a member of this organization: %s.", v.Email, id)
	}
	m, err := x.accept(v)
	if err != nil {
		return nil, err
	}
	return consoleMember(m), nil
}

func (c *call) consoleSetProvisioning(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "mode")
	if err != nil {
		return nil, err
	}
	f := n.field("mode")
	p.must(f)
	mode := p.oneOf(f, provisioningModes...)
	if err := p.err(); err != nil {
		return nil, err
	}
	o := c.st.org()
	if before := o.Provisioning; before != mode {
		o.Provisioning = mode
		if err := put(x, &x.st.organizations, organizationKey, o); err != nil {
			return nil, err
		}
		event := fields{"previous_mode": before, "new_mode": mode}
		if err := x.event("org_sso_provisioning_mode_changed", event); err != nil {
			return nil, err
		}
	}
	return fields{"mode": mode}, nil
}
