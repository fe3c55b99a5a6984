package emulator

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// An Access is what every member may do.
type Access struct {
	Provisioning ProvisioningAccess `json:"provisioning"`
	Members      []MemberAccess     `json:"members"` // by address
}

// A ProvisioningAccess is the provisioning mode, and what the API may do in it.
//
// Source: User management guide, read 2026-11-22.
type ProvisioningAccess struct {
	Mode     string `json:"mode"`
	Invites  bool   `json:"invites"`
	Removals bool   `json:"removals"`
	Roles    bool   `json:"roles"` // the organization roles of members
}

// A MemberAccess is what one member may do. Members of one class share their
// maps: do not change them.
type MemberAccess struct {
	Email  string `json:"email"`
	UserID string `json:"user_id"`
	Role   string `json:"role"`

	// Capabilities has every action that the organization knows of.
	Capabilities map[string]bool `json:"capabilities"`
	// AnyCapability says which features would come with a switch thrown
	// tomorrow: none, ga (those out of beta) or all.
	AnyCapability string `json:"any_capability"`
	// Admin has the permission_* rows in force.
	Admin map[string]bool `json:"admin"`
	// Connectors is by ID.
	Connectors map[string]ConnectorAccess `json:"connectors"`
	// AnyConnector is the level of a connector added tomorrow: blocked, ask or
	// allow.
	AnyConnector string `json:"any_connector"`
	// Seat is the tier, or "" where there is one kind of seat.
	Seat string `json:"seat"`
	// Plugins is by ID: required, auto_install, available or not_available.
	// The plugins of members are not in it.
	Plugins map[string]string `json:"plugins"`
	// Spend is by period.
	Spend map[string]SpendAccess `json:"spend"`
}

// A ConnectorAccess gives levels: blocked, ask or allow.
type ConnectorAccess struct {
	Tools map[string]string `json:"tools"`
	// AnyTool is the level of a tool that nobody has named yet.
	AnyTool string `json:"any_tool"`
}

// A SpendAccess is a limit in minor units; no amount is no limit.
type SpendAccess struct {
	Amount *string      `json:"amount"`
	Source *SpendSource `json:"source"` // null: no limit anywhere
	// Ceiling is the limit of the organization, which all members together
	// cannot pass; null is none.
	Ceiling *string `json:"ceiling"`
}

// A SpendSource is the scope that a limit comes from.
type SpendSource = scope

// viewCache keeps the last Access until the state changes.
type viewCache struct {
	mu      sync.Mutex
	version [2]uint64 // of what is in force, and of the state
	filled  bool
	access  Access
}

// Access returns what every member may do now, worked out from roles, groups,
// features and policies, as far as they are in force.
func (s *Server) Access() Access {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.late.effect == nil {
		return s.views.get(s.st, s.st, false)
	}
	s.late.effect.mu.Lock()
	defer s.late.effect.mu.Unlock()
	if err := s.late.effect.catchUp(s.now()); err != nil {
		panic(err) // the rows were written by put: they can be read
	}
	return s.views.get(s.late.effect.st, s.st, s.late.delays.Effect[kindSpend] == 0)
}

// get returns the Access of the state that is in force. With spend, limits are
// those of the state as it is: they follow memberships at once.
//
// Source: product guide, group spend limits; read 2026-11-22.
func (v *viewCache) get(inForce, st *state, spend bool) Access {
	v.mu.Lock()
	defer v.mu.Unlock()
	if version := [2]uint64{inForce.version, st.version}; !v.filled || v.version != version {
		v.access, v.version, v.filled = inForce.access(), version, true
		for i, m := range v.access.Members {
			if have, ok := st.members.get(m.UserID); ok && spend {
				v.access.Members[i].Spend = map[string]SpendAccess{"monthly": st.spendAccess(have)}
			}
		}
	}
	return Access{v.access.Provisioning, slices.Clone(v.access.Members)}
}

func (v *viewCache) reset() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.filled = false
}

// access works through the members by class: those with the same organization
// role and the same custom roles have the same rights.
func (st *state) access() Access {
	w := st.newWorld()
	classes := map[string]*MemberAccess{}
	mode := st.org().Provisioning
	all := Access{Provisioning: ProvisioningAccess{Mode: mode, Invites: mode == "login_only",
		Removals: !strings.HasPrefix(mode, "scim_"), Roles: !strings.HasSuffix(mode, "_advanced")}, Members: make([]MemberAccess, 0, len(st.members.rows))}
	for _, email := range slices.Sorted(maps.Keys(st.byEmail)) {
		m := st.members.rows[st.byEmail[email]]
		roles := w.rolesOfMember(m)
		key := m.Role + "\x00" + m.SeatTier + "\x00" + strings.Join(roles, "\x00")
		class := classes[key]
		if class == nil {
			class = w.class(m.Role, roles)
			w.capBySeat(class, m.SeatTier)
			classes[key] = class
		}
		one := *class
		one.Email, one.UserID, one.Role = m.Email, m.ID, m.Role
		one.Plugins = w.pluginsOfMember(m)
		one.Spend = map[string]SpendAccess{"monthly": st.spendAccess(m)}
		all.Members = append(all.Members, one)
	}
	return all
}

func (st *state) spendAccess(m member) SpendAccess {
	var a SpendAccess
	if v, ok := st.limitOf(scope{Type: "organization"}); ok && st.org().UsageCredits {
		a.Ceiling = v.Amount
	}
	if v, ok := st.effectiveLimit(m); ok {
		a.Amount, a.Source = v.Amount, &v.Scope
	}
	return a
}

// pluginsOfMember returns the settings in force. Members in the same groups
// share the map.
func (w *world) pluginsOfMember(m member) map[string]string {
	var groups []string
	for id := range w.st.ofUser[m.ID] {
		if w.pluginGroups[id] {
			groups = append(groups, id)
		}
	}
	slices.Sort(groups)
	key := strings.Join(groups, "\x00")
	if values, ok := w.pluginClasses[key]; ok {
		return values
	}
	values := map[string]string{}
	for _, v := range w.st.plugins.rows {
		if v.OwnerID == "" {
			values[v.ID] = w.st.pluginValue(v, m.ID)
		}
	}
	w.pluginClasses[key] = values
	return values
}

// capBySeat takes away what the seat does not have. Admin permissions do not
// depend on the seat (invented).
//
// Source: Claude help centre, seats; product guide, role-based permissions;
// read 2026-11-22.
func (w *world) capBySeat(a *MemberAccess, name string) {
	a.Seat = name
	t, ok := w.st.org().tier(name)
	if !ok {
		return
	}
	for action := range a.Capabilities {
		if t.NoAccess || slices.Contains(t.Excludes, action) {
			a.Capabilities[action] = false
		}
	}
	if !t.NoAccess {
		return
	}
	a.AnyCapability, a.AnyConnector = "none", "blocked"
	for id, c := range a.Connectors {
		for tool := range c.Tools {
			c.Tools[tool] = "blocked"
		}
		c.AnyTool = "blocked"
		a.Connectors[id] = c
	}
}

// rolesOfMember returns the custom roles in force for a member, sorted: those
// of this organization on the member's groups, and none unless the member's
// role is managed.
//
// Source: Claude help centre, custom roles; read 2026-11-22.
func (w *world) rolesOfMember(m member) []string {
	if m.Role != "managed" {
		return nil
	}
	var ids []string
	for groupID := range w.st.ofUser[m.ID] {
		ids = append(ids, w.groups[groupID]...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// A world is what all members of an organization have in common.
type world struct {
	st         *state
	actions    []string            // every feature known
	admin      []string            // every permission_* row known
	connectors map[string][]string // ID to every tool known
	groups     map[string][]string // ID to the roles of this organization

	pluginGroups  map[string]bool // groups that have a plugin setting
	pluginClasses map[string]map[string]string
}

func (st *state) newWorld() *world {
	w := &world{st: st, connectors: map[string][]string{}, groups: map[string][]string{},
		pluginGroups: map[string]bool{}, pluginClasses: map[string]map[string]string{}}
	for _, s := range st.pluginSettings.rows {
		w.pluginGroups[s.Target] = true
	}
	for _, g := range st.groups.rows {
		for _, id := range g.Roles {
			if _, own := st.ownRole(id); own {
				w.groups[g.ID] = append(w.groups[g.ID], id)
			}
		}
	}
	w.actions = append(slices.Collect(maps.Keys(st.features.rows)), st.roleActions()...)
	for _, action := range st.settings.rows {
		if action != "" {
			w.actions = append(w.actions, action)
		}
	}
	for _, c := range st.connectors.rows {
		w.connectors[c.ID] = append(slices.Collect(maps.Keys(c.ToolPolicy)), c.Tools...)
	}
	for _, v := range st.roles.rows {
		for _, r := range v.Rows {
			switch {
			case v.OrganizationID != "":
			case r.Type == "connector_tool":
				w.connectors[r.ConnectorID] = append(w.connectors[r.ConnectorID], r.Tool)
			case r.Type == "organization" && adminRow(r.Action):
				w.admin = append(w.admin, r.Action)
			}
		}
	}
	return w
}

// Levels of a connector's tool, from less to more.
const (
	levelBlocked = iota
	levelAsk
	levelAllow
)

var levelNames = []string{"blocked", "ask", "allow"}

func policyLevel(name string) int { return slices.Index(levelNames, name) }

// policyOf is the organization's level for a tool; the empty tool is one that
// nobody has named.
func (c connector) policyOf(tool string) int {
	if p, ok := c.ToolPolicy[tool]; ok {
		return policyLevel(p)
	}
	return policyLevel(c.Policy)
}

// rights is what the custom roles of a member add up to.
type rights struct {
	actions map[string]bool
	all, ga bool
	levels  map[row]int // by type, connector and tool, without action
}

func (rt *rights) add(r row) {
	if r.Type == "organization" {
		rt.all = rt.all || r.Action == "capability_access_all"
		rt.ga = rt.ga || r.Action == "capability_access_all_ga"
		rt.actions[r.Action] = true
		return
	}
	level := map[string]int{"use": levelAsk, "always_allow": levelAllow}[r.Action]
	r.Action = ""
	rt.levels[r] = max(rt.levels[r], level)
}

// level is the highest that any row grants on a tool; the empty connector and
// the empty tool are those that nobody has named.
func (rt *rights) level(connectorID, tool string) int {
	level := rt.levels[row{Type: "all_connectors"}]
	if connectorID != "" {
		level = max(level, rt.levels[row{Type: "connector", ConnectorID: connectorID}])
	}
	if tool != "" {
		level = max(level, rt.levels[row{Type: "connector_tool", ConnectorID: connectorID, Tool: tool}])
	}
	return level
}

// class works out the rights of all members with an organization role and
// these custom roles.
//
//   - user, membership_admin, owner and primary_owner have every feature that
//     is on, and every connector under the organization's policy.
//   - managed has what the custom roles add up to, capped by the same switches
//     and policies; without a role, nothing.
//   - Admin permissions do not depend on a feature. Owners have all of them.
//
// While connector permissions are not enabled, custom roles say nothing on
// connectors, and a managed member with any role has them all (inferred: on
// enabling, the vendor gives each role Always allow so that nothing changes).
// A connector added tomorrow starts with the policy allow (invented).
//
// Source: Claude help centre, custom roles; product guide, role-based
// permissions; read 2026-11-22.
func (w *world) class(memberRole string, roles []string) *MemberAccess {
	var own *rights
	if memberRole == "managed" {
		own = &rights{actions: map[string]bool{}, levels: map[row]int{}}
		for _, id := range roles {
			for _, r := range w.st.roles.rows[id].Rows {
				own.add(r)
			}
		}
		if !w.st.org().ConnectorPermissions {
			own.levels = map[row]int{}
			if len(roles) > 0 {
				own.levels[row{Type: "all_connectors"}] = levelAllow
			}
		}
	}
	a := &MemberAccess{Role: memberRole, Admin: map[string]bool{}}
	w.grantCapabilities(a, own)
	w.grantAdmin(a, own)
	w.grantConnectors(a, own)
	return a
}

// grantCapabilities fills in the features. own is nil for members whom custom
// roles do not concern.
func (w *world) grantCapabilities(a *MemberAccess, own *rights) {
	a.Capabilities, a.AnyCapability = map[string]bool{}, "none"
	for _, action := range w.actions {
		f := w.st.features.rows[action]
		granted := own == nil || own.actions[action] || own.all || (own.ga && !f.Beta)
		a.Capabilities[action] = f.Enabled && granted
	}
	switch {
	case own == nil || own.all:
		a.AnyCapability = "all"
	case own.ga:
		a.AnyCapability = "ga"
	}
}

func (w *world) grantAdmin(a *MemberAccess, own *rights) {
	owner := a.Role == "owner" || a.Role == "primary_owner"
	for _, action := range w.admin {
		if owner || (own != nil && own.actions[action]) {
			a.Admin[action] = true
		}
	}
}

func (w *world) grantConnectors(a *MemberAccess, own *rights) {
	level := func(connectorID, tool string) int {
		if own == nil {
			return levelAllow
		}
		return own.level(connectorID, tool)
	}
	a.Connectors = map[string]ConnectorAccess{}
	a.AnyConnector = levelNames[level("", "")]
	for id, tools := range w.connectors {
		c := w.st.connectors.rows[id]
		ca := ConnectorAccess{Tools: map[string]string{}, AnyTool: levelNames[min(level(id, ""), c.policyOf(""))]}
		for _, tool := range tools {
			ca.Tools[tool] = levelNames[min(level(id, tool), c.policyOf(tool))]
		}
		a.Connectors[id] = ca
	}
}
