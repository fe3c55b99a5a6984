package claude

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// State turns what the API said into objects. Roles of groups are still ids;
// they become addresses when described and live objects are bound.
func (s *System) State(snap *Snapshot) *schema.State {
	st := schema.NewState()
	for _, m := range snap.Missing {
		if m.What == MissingPlugins && len(s.plugins) == 0 && strings.HasPrefix(m.Why, "404") {
			continue // the vendor answers so where there are no plugins, such as under HIPAA
		}
		hangs, ok := affects[m.What]
		if !ok { // the roles of one group
			hangs = "the access of its members"
		}
		asked := m.What == MissingSpendLimits && s.limits == "remove" || m.What == MissingInvites && s.uninvites(snap) // what is to be removed, if anything, is not known
		st.Unread = append(st.Unread, schema.Unread{What: m.What, Why: m.Why, Affects: hangs, Asked: asked})
	}
	st.Add(s.organizationObject(snap))
	on := map[string]bool{} // actions of features that are known to be on
	for _, o := range s.featureObjects(snap) {
		st.Add(o)
		on[o.Key] = o.Get(attrEnabled).AsBool()
	}
	for _, o := range strangeFeatures(snap, on) {
		if st.Objects[o.Addr] == nil { // an action may be called like the label of another
			st.Add(o)
		}
	}
	unseen := recordedRows(snap)
	roleIDs := map[string]bool{}
	for _, r := range snap.Roles {
		roleIDs[r.ID] = true
		o := s.roleObject(r)
		for _, action := range unseen[r.ID] { // what the feed shows and the rows cannot
			if v := o.Get(attrCapabilities); v.Known() && !on[action] {
				o.Put(attrCapabilities, schema.Set(append([]string{s.words.label(action)}, v.AsSet()...)...))
			}
		}
		addLive(st, o)
	}
	users := map[string]User{}
	limits := limitsOf(snap)
	for _, u := range snap.Users {
		users[u.ID] = u
		st.Add(memberObject(u, limits))
	}
	for _, g := range snap.Groups {
		o := groupObject(g, users, roleIDs, limits)
		s.groupPlugins(o, snap)
		addLive(st, o)
	}
	st.Add(spendObject(snap, limits))
	for _, o := range seatTiers(snap) {
		st.Add(o)
	}
	for _, o := range s.recordedPolicies(snap) {
		addLive(st, o)
	}
	for _, i := range snap.Invites {
		st.Add(inviteObject(i))
	}
	for _, m := range snap.Marketplaces {
		o := &schema.Object{Type: "marketplace", Addr: schema.MakeAddress("marketplace", m.Name, ""), ID: m.ID, Key: m.ID}
		o.Put(attrName, schema.Text(m.Name))
		o.Put(attrInstall, schema.Text(cmp.Or(m.Default, "not_available"))) // as the vendor counts one that never had a default
		addLive(st, o)
	}
	for _, p := range snap.Plugins {
		addLive(st, s.pluginObject(p))
	}
	for _, o := range s.unreadPlugins(snap) {
		addLive(st, o)
	}
	return st
}

// uninvites reports whether invites are to be withdrawn, if there are any:
// whoever is to be removed and is not a member may have one.
func (s *System) uninvites(snap *Snapshot) bool {
	return s.invites == "remove" || slices.ContainsFunc(s.removed, func(emails []string) bool {
		return !slices.ContainsFunc(snap.Users, func(u User) bool { return slices.Contains(emails, u.Email) })
	})
}

// affects says what hangs on a read that was not possible.
var affects = map[string]string{
	MissingSettings:    "which features are on, and the provisioning mode",
	MissingSpendLimits: "spend limits of members and groups",
	MissingEvents:      "switches that only the activity feed shows",
	MissingInvites:     "who was invited already",
	MissingPlugins:     "how plugins are installed",
}

// addLive adds an object whose name may not be unique: a second one of a name
// gets its id for an address.
func addLive(st *schema.State, o *schema.Object) {
	if _, ok := st.Objects[o.Addr]; ok {
		o.Addr = schema.MakeAddress(o.Type, o.ID, "")
	}
	st.Add(o)
}

func (s *System) organizationObject(snap *Snapshot) *schema.Object {
	o := &schema.Object{Type: "organization", Addr: "organization", ID: snap.Organization.ID, Key: snap.Organization.Name}
	if v, ok := snap.Settings.Values["sso_provisioning_mode"]; ok {
		var mode string
		if json.Unmarshal(v.Value, &mode) == nil {
			o.Put(attrProvisioning, schema.Text(mode))
		}
	}
	return o
}

// featureObjects returns the toggle of every capability that is known by name.
func (s *System) featureObjects(snap *Snapshot) []*schema.Object {
	var list []*schema.Object
	seen := rowsSeen(snap)
	for _, c := range s.words.byLabel {
		o := &schema.Object{Type: "feature", Addr: schema.MakeAddress("feature", c.label, ""), Key: c.action}
		o.Put(attrEnabled, toggle(c, snap, seen))
		list = append(list, o)
	}
	return list
}

// rowsSeen returns the actions of which any role shows a row. Rows of features
// that are off are left out of every reply, so a row proves that its feature
// is on.
//
// Source: Admin API reference, List RBAC Role Permissions; read 2026-11-22.
func rowsSeen(snap *Snapshot) map[string]bool {
	seen := map[string]bool{}
	for _, r := range snap.Roles {
		for _, row := range r.Rows {
			if row.ResourceType == "organization" {
				seen[row.Action] = true
			}
		}
	}
	return seen
}

// recordedRows returns, by role, the capabilities that the activity feed says
// were granted last and not taken away since. It is how rows of features that
// are off can be known, which every other reply leaves out.
//
// Source: Compliance API reference, activities, rbac_role_permission_added and
// rbac_role_permission_removed; read 2026-11-22.
func recordedRows(snap *Snapshot) map[string][]string {
	type row struct{ role, action string }
	seen := map[row]bool{}
	granted := map[string][]string{}
	for _, e := range snap.Events { // newest first
		if e.Type != "rbac_role_permission_added" && e.Type != "rbac_role_permission_removed" {
			continue
		}
		var f struct {
			Role     string `json:"role_id"`
			Action   string `json:"action"`
			Resource string `json:"resource_type"`
		}
		if json.Unmarshal(e.Fields, &f) != nil || f.Resource != "organization" || strings.HasPrefix(f.Action, adminPrefix) ||
			f.Action == actionAll || f.Action == actionAllGA || seen[row{f.Role, f.Action}] {
			continue
		}
		seen[row{f.Role, f.Action}] = true
		if e.Type == "rbac_role_permission_added" {
			granted[f.Role] = append(granted[f.Role], f.Action)
		}
	}
	return granted
}

// toggle finds out whether a feature is on: from its row in the effective
// settings, from permission rows, from the newest event that says so.
func toggle(c capability, snap *Snapshot, seen map[string]bool) schema.Value {
	if v, ok := snap.Settings.Values[c.setting]; ok && c.setting != "" {
		var on bool
		if json.Unmarshal(v.Value, &on) == nil {
			return schema.Bool(on)
		}
	}
	if seen[c.action] {
		return schema.Bool(true)
	}
	for _, e := range snap.Events { // newest first
		if on, ok := eventToggle(e, c); ok {
			return schema.Bool(on)
		}
	}
	if c.setting != "" && snap.Settings.Known {
		return schema.Unavailable("administrators cannot control it here, so the settings do not show it")
	}
	return schema.Unavailable("no settings row, permission row or recorded event shows whether it is on")
}

// eventToggle reports what an event says about a feature.
//
// Source: Compliance API reference, activities. That the `capabilities` update
// lists the features that are on is inferred from its name and type; read
// 2026-11-22.
func eventToggle(e Event, c capability) (on, ok bool) {
	switch {
	case e.Type == "org_cowork_enabled" && c.action == "cowork":
		return true, true
	case e.Type == "org_cowork_disabled" && c.action == "cowork":
		return false, true
	case e.Type != "claude_organization_settings_updated":
		return false, false
	}
	var body struct {
		Updates []struct {
			Type    string          `json:"type"`
			Current json.RawMessage `json:"current_value"`
		} `json:"updates"`
	}
	if json.Unmarshal(e.Fields, &body) != nil {
		return false, false
	}
	for _, u := range body.Updates {
		var list []string
		if u.Type == "capabilities" && json.Unmarshal(u.Current, &list) == nil {
			return slices.Contains(list, c.action), true
		}
	}
	return false, false
}

// roleObject translates the rows of a role. Rows that the language cannot say
// (OAuth scopes, authentication methods, models) are left alone.
func (s *System) roleObject(r Role) *schema.Object {
	name := schema.NormalizeText(r.Name)
	o := &schema.Object{Type: "role", Addr: schema.MakeAddress("role", name, ""), ID: r.ID, Key: name}
	o.Put(attrName, schema.Text(name))
	if !r.RowsKnown {
		why := schema.Unavailable("the permissions of the role could not be read")
		for _, a := range []string{attrCapabilities, attrAdmin, attrConnectorDefault, attrConnectors, attrTools} {
			o.Put(a, why)
		}
		return o
	}
	var labels []string
	admin, connectors, tools := map[string]string{}, map[string]string{}, map[string]string{}
	base := "custom"
	for _, row := range r.Rows {
		level, isLevel := rowLevel[row.Action]
		switch row.ResourceType {
		case "organization":
			switch {
			case row.Action == actionAll:
				labels = append(labels, labelAll)
			case row.Action == actionAllGA:
				labels = append(labels, labelAllGA)
			case strings.HasPrefix(row.Action, adminPrefix):
				if area, level, ok := adminRow(row.Action); ok && admin[area] != "manage" {
					admin[area] = level
				}
			default:
				labels = append(labels, s.words.label(row.Action))
			}
		case "all_connectors":
			if isLevel && levelOf(level) > levelOf(base) {
				base = level
			}
		case "connector":
			if isLevel {
				raise(connectors, s.connectorLabel(row.ConnectorID), level)
			}
		case "connector_tool":
			if isLevel {
				raise(tools, s.connectorLabel(row.ConnectorID)+"."+row.ToolName, level)
			}
		}
	}
	o.Put(attrCapabilities, schema.Set(labels...))
	o.Put(attrAdmin, schema.Map(admin))
	o.Put(attrConnectorDefault, schema.Text(base))
	o.Put(attrConnectors, schema.Map(connectors))
	o.Put(attrTools, schema.Map(tools))
	if other := unsayable(r.Rows); len(other) > 0 {
		o.Put(attrOtherRows, schema.Set(other...))
	}
	return o
}

// rowLevel is the level that an action on a connector or tool stands for; the
// others (grant, interactive, managed) do not count for the level.
var rowLevel = map[string]string{"use": "needs_approval", "always_allow": "always_allow"}

func raise(m map[string]string, key, level string) {
	if levelOf(level) > levelOf(m[key]) {
		m[key] = level
	}
}

// adminRow splits the action of an admin permission.
func adminRow(action string) (area, level string, ok bool) {
	rest := strings.TrimPrefix(action, adminPrefix)
	for _, a := range adminAreas {
		for _, l := range a.levels {
			if rest == a.area+"_"+l {
				return a.area, l, true
			}
		}
	}
	return "", "", false
}

// connectorLabel returns the label of a connector, or its id if no block
// describes it.
func (s *System) connectorLabel(id string) string {
	if l, ok := s.labels[id]; ok {
		return l
	}
	return id
}

type limitKey struct{ scope, id string }

// limitsOf returns the monthly limits of all scopes in minor units.
func limitsOf(snap *Snapshot) map[limitKey]schema.Value {
	limits := map[limitKey]schema.Value{}
	for _, l := range snap.SpendLimits {
		if l.Period != "monthly" {
			continue
		}
		v := schema.Text("unlimited")
		if l.Amount != nil {
			v = schema.Text(*l.Amount)
		}
		switch l.ScopeType {
		case "user":
			limits[limitKey{"user", l.UserID}] = v
			limits[limitKey{"id", l.UserID}] = schema.Text(l.ID)
		case "rbac_group":
			limits[limitKey{"group", l.GroupID}] = v
		case "organization":
			limits[limitKey{"organization", ""}] = v
		case "seat_tier":
			limits[limitKey{"seat_tier", l.SeatTier}] = v
		}
	}
	for _, m := range snap.Missing {
		if m.What == MissingSpendLimits {
			limits[limitKey{"missing", ""}] = schema.Unavailable(m.Why)
		}
	}
	return limits
}

// limit returns the limit of an object: absent if it has none, unavailable if
// limits could not be read.
func limit(limits map[limitKey]schema.Value, scope, id string) schema.Value {
	if v, ok := limits[limitKey{"missing", ""}]; ok {
		return v
	}
	return limits[limitKey{scope, id}]
}

func memberObject(u User, limits map[limitKey]schema.Value) *schema.Object {
	o := &schema.Object{Type: "member", Addr: memberAddress(u.Email), ID: u.ID, Key: u.Email}
	o.Put(attrName, schema.Text(u.Name))
	o.Put(attrOrganizationRole, schema.Text(u.Role))
	if u.AddedAt != "" {
		o.Put(attrAddedAt, schema.Text(u.AddedAt))
	}
	if isAdministrator(o) {
		o.Fixed = "administrators are neither changed nor removed by the API"
	}
	o.Put(attrLimit, limit(limits, "user", u.ID))
	if id, ok := limits[limitKey{"id", u.ID}]; ok {
		o.Put(attrLimitID, id)
	}
	return o
}

func memberAddress(email string) schema.Address { return schema.MakeAddress("member", email, "") }

func groupObject(g Group, users map[string]User, roleIDs map[string]bool, limits map[limitKey]schema.Value) *schema.Object {
	name := schema.NormalizeText(g.Name)
	o := &schema.Object{Type: "group", Addr: schema.MakeAddress("group", name, ""), ID: g.ID, Key: name}
	o.Put(attrName, schema.Text(name))
	o.Put(attrSource, schema.Text(g.SourceType))
	o.Put(attrLimit, limit(limits, "group", g.ID))
	if g.RolesKnown {
		var own, foreign []string
		for _, id := range g.RoleIDs {
			if roleIDs[id] {
				own = append(own, id)
			} else { // a role of another organization under the same parent
				foreign = append(foreign, id)
			}
		}
		o.Put(attrRoles, schema.Set(own...))
		if len(foreign) > 0 {
			o.Put(attrForeignRoles, schema.Set(foreign...))
		}
	} else {
		o.Put(attrRoles, schema.Unavailable("the API says that role data is temporarily unavailable"))
	}
	if !g.MembersKnown {
		o.Put(attrMembers, schema.Unavailable("the members of the group could not be read"))
		return o
	}
	var members []string
	foreign := 0
	for _, m := range g.Members {
		if u, ok := users[m.UserID]; ok {
			members = append(members, u.Email)
		} else { // a person of another organization under the same parent
			foreign++
		}
	}
	o.Put(attrMembers, schema.Set(members...))
	if foreign > 0 {
		o.Put(attrForeignMembers, schema.Text(strconv.Itoa(foreign)))
	}
	return o
}

// mismatch reports a live organization other than the configuration's.
func (s *System) mismatch(id string) error {
	for _, b := range s.config.Of("organization") {
		if a := b.Attr("id"); a != nil && id != "" && !strings.EqualFold(a.Text, id) {
			return fmt.Errorf("%s:%d: the configuration is for organization %s, but the key belongs to %s: nothing was read from it; use the right key, or correct the id",
				a.Range.Filename, a.Range.Start.Line, a.Text, id)
		}
	}
	return nil
}
