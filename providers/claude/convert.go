package claude

import (
	"encoding/json"
	"fmt"
	"maps"
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
		hangs, ok := affects[m.What]
		if !ok { // the roles of one group
			hangs = "the access of its members"
		}
		st.Unread = append(st.Unread, schema.Unread{What: m.What, Why: m.Why, Affects: hangs})
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
	for _, l := range snap.SpendLimits {
		if l.ScopeType == "seat_tier" {
			st.Unread = append(st.Unread, schema.Unread{What: "who has which seat", Why: "no API shows the seat of a member",
				Affects: "the limit of members who would inherit that of the seat tier " + l.SeatTier})
		}
	}
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
		addLive(st, groupObject(g, users, roleIDs, limits))
	}
	return st
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
	// Inferred from the documented order of resolution, in which the
	// organization comes last: its amount is what a member has who has no other.
	for _, l := range snap.SpendLimits {
		if l.ScopeType == "organization" && l.Period == "monthly" && l.Amount != nil {
			o.Put(attrDefaultLimit, schema.Text(*l.Amount))
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

// limitsOf returns the monthly limits of members and groups in minor units.
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

// Complete takes over from the configuration what no read shows: connectors
// with their policy, what a role holds under its default, descriptions, and
// rows of features that are off and stay off.
func (s *System) Complete(live, desired *schema.State) {
	for addr, want := range desired.Objects {
		have := live.Objects[addr]
		switch {
		case want.Type == "connector" && have == nil:
			live.Add(want.Clone())
			if want.Get(attrPolicy).AsText() != "always_allow" || len(want.Get(attrToolPolicy).AsMap()) > 0 {
				live.Unread = append(live.Unread, schema.Unread{
					What:    "the organization's tool policy of " + string(addr),
					Why:     "no API shows it: what the configuration says is taken on trust",
					Affects: "the ceiling of " + permConnector(s.connectorLabel(want.Key)),
				})
			}
		case want.Type == "role" && have != nil:
			s.completeRole(have, want, live, desired)
		case (want.Type == "group" || want.Type == "member") && have != nil:
			unreadable(have, want, live)
		}
	}
	s.unknownToggles(live, desired)
	slices.SortFunc(live.Unread, func(a, b schema.Unread) int { return strings.Compare(a.What, b.What) })
}

// unknownToggles lists the features of which it is not known whether they are
// on: those that the configuration describes one by one, the others together.
func (s *System) unknownToggles(live, desired *schema.State) {
	others := map[string][]string{} // features that no block describes, by what is in the way
	for _, o := range live.Of("feature") {
		v := o.Get(attrEnabled)
		if v.Known() {
			continue
		}
		want := desired.Objects[o.Addr]
		if want == nil || !want.Described() {
			others[v.Why()] = append(others[v.Why()], s.words.label(o.Key))
			continue
		}
		if !want.Get(attrEnabled).AsBool() { // nothing would ever show that it was switched off
			o.Put(attrEnabled, schema.Bool(false))
			live.Unread = append(live.Unread, schema.Unread{What: "whether " + string(o.Addr) + " is off", Why: v.Why() + "; the configuration's word is taken",
				Affects: "who has " + permCapability(s.words.label(o.Key)) + " now", Unverified: true, Addr: o.Addr,
				Fix: "look it up under Organization settings › Capabilities"})
			continue
		}
		live.Unread = append(live.Unread, schema.Unread{What: "whether " + string(o.Addr) + " is on", Why: v.Why(),
			Affects: "who has " + permCapability(s.words.label(o.Key)) + " now"})
	}
	for _, why := range slices.Sorted(maps.Keys(others)) {
		live.Unread = append(live.Unread, schema.Unread{What: "whether features that no block describes are on: " + strings.Join(others[why], ", "),
			Why: why, Affects: "who has them now"})
	}
}

// unreadable keeps what could not be read out of the plan: it is no difference,
// and nothing is taken away on the strength of it.
func unreadable(have, want *schema.Object, live *schema.State) {
	for _, attr := range []string{attrRoles, attrMembers, attrLimit} {
		v := have.Get(attr)
		if v.Kind() != schema.KindUnavailable {
			continue
		}
		if w, ok := want.Attrs[attr]; ok && w.Kind() != schema.KindUnavailable {
			want.Put(attr, v)
			live.Unread = append(live.Unread, schema.Unread{
				What: attr + " of " + string(want.Addr), Why: v.Why(), Affects: "whether it is as described", Asked: true,
			})
		}
	}
}

func (s *System) completeRole(have, want *schema.Object, live, desired *schema.State) {
	if v := want.Get(attrDescription); v.Known() {
		have.Put(attrDescription, v)
	}
	if below := want.Get(attrBelow); below.Known() && s.sameRows(have, want) {
		have.Put(attrBelow, below)
		live.Unread = append(live.Unread, schema.Unread{
			What:       "levels under the connector default of " + string(want.Addr),
			Why:        "the API has no row for them: what the configuration says is taken on trust",
			Affects:    "the tools of " + strings.Join(slices.Sorted(maps.Keys(below.AsMap())), ", "),
			Unverified: true, Addr: want.Addr, Fix: "look them up in the console: " + belowText(below),
		})
	}
	if !have.Get(attrCapabilities).Known() || !want.Get(attrCapabilities).Known() {
		return
	}
	visible := have.Get(attrCapabilities).AsSet()
	for _, label := range want.Get(attrCapabilities).AsSet() {
		now, then := live.Objects[schema.MakeAddress("feature", label, "")], desired.Objects[schema.MakeAddress("feature", label, "")]
		off := now != nil && now.Get(attrEnabled).Known() && !now.Get(attrEnabled).AsBool()
		stays := then == nil || !then.Get(attrEnabled).AsBool()
		if off && stays && !slices.Contains(visible, label) { // as long as it is off, its row can never be seen
			visible = append(slices.Clone(visible), label)
		}
	}
	have.Put(attrCapabilities, schema.Set(visible...))
}

// belowText says what stands under a role's default, as the console shows it.
func belowText(below schema.Value) string {
	var list []string
	for _, label := range slices.Sorted(maps.Keys(below.AsMap())) {
		list = append(list, label+" on “"+levelTitle[below.AsMap()[label]]+"”")
	}
	return strings.Join(list, ", ")
}

// sameRows reports whether the rows that can be read are those that are
// wanted.
func (s *System) sameRows(have, want *schema.Object) bool {
	for _, a := range []string{attrConnectorDefault, attrConnectors, attrTools} {
		if want.Get(a).Known() && !want.Get(a).Equal(have.Get(a)) {
			return false
		}
	}
	return true
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
