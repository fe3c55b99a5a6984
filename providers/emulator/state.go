package emulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// The nouns of the state. They are values: a change replaces the whole value,
// slices and maps included, so an answer may share them with the state.
type (
	organization struct {
		ID                   string    `json:"id"` // UUID
		Name                 string    `json:"name"`
		Provisioning         string    `json:"provisioning"`
		ConnectorPermissions bool      `json:"connector_permissions"`
		SpendPrecedence      string    `json:"spend_precedence"`
		SeatDefaultCompared  bool      `json:"seat_default_compared"`
		Currency             string    `json:"currency"`
		UsageCredits         bool      `json:"usage_credits"`
		HIPAA                bool      `json:"hipaa"`
		Seats                *int      `json:"seats"`      // nil: not finite
		SeatTiers            []tier    `json:"seat_tiers"` // lowest first; empty: one kind of seat
		NoPlugins            bool      `json:"no_plugins"` // plugin endpoints do not exist
		Created              time.Time `json:"created_at"`
	}

	// A tier is a kind of seat.
	tier struct {
		Name     string   `json:"name"`
		Seats    *int     `json:"seats"`    // nil: not finite
		Excludes []string `json:"excludes"` // features that its members do not have, whatever their roles say
		NoAccess bool     `json:"no_access"`
	}

	// A sibling is another organization of the same parent.
	sibling struct {
		ID      string    `json:"id"`
		Name    string    `json:"name"`
		Created time.Time `json:"created_at"`
		Order   int       `json:"order"`
	}

	// An outsider is a member of a sibling. One person may be a member of
	// several organizations under one user ID.
	outsider struct {
		OrganizationID string    `json:"organization_id"`
		UserID         string    `json:"user_id"`
		Email          string    `json:"email"`
		Name           string    `json:"name"`
		Added          time.Time `json:"added_at"`
		Order          int       `json:"order"`
	}

	feature struct {
		Enabled bool `json:"enabled"`
		Beta    bool `json:"beta"` // not covered by capability_access_all_ga
	}

	connector struct {
		ID         string            `json:"id"`
		Name       string            `json:"name"`
		Tools      []string          `json:"tools"`
		Policy     string            `json:"policy"`      // allow, ask or blocked
		ToolPolicy map[string]string `json:"tool_policy"` // overrides Policy for a tool
		Order      int               `json:"order"`
	}

	role struct {
		ID             string    `json:"id"`
		OrganizationID string    `json:"organization_id"` // empty for this organization
		Name           string    `json:"name"`
		Description    string    `json:"description"`
		Rows           []row     `json:"rows"` // sorted
		Created        time.Time `json:"created_at"`
		Updated        time.Time `json:"updated_at"`
		Order          int       `json:"order"`
	}

	// A row is one permission of a custom role.
	row struct {
		Action      string `json:"action"`
		Type        string `json:"type"`
		ConnectorID string `json:"connector_id,omitempty"`
		Tool        string `json:"tool,omitempty"`
		Scope       string `json:"scope,omitempty"`
	}

	group struct {
		ID          string    `json:"id"`
		Name        string    `json:"name"`
		Description string    `json:"description"`
		Source      string    `json:"source_type"` // direct or scim
		Roles       []string  `json:"roles"`       // sorted role IDs, also of siblings
		Created     time.Time `json:"created_at"`
		Updated     time.Time `json:"updated_at"`
		Order       int       `json:"order"`
	}

	membership struct {
		GroupID string    `json:"group_id"`
		UserID  string    `json:"user_id"`
		Created time.Time `json:"created_at"`
		Order   int       `json:"order"`
	}

	member struct {
		ID       string    `json:"id"`
		Email    string    `json:"email"`
		Name     string    `json:"name"`
		Role     string    `json:"role"`
		SeatTier string    `json:"seat_tier"`
		Added    time.Time `json:"added_at"`
		Order    int       `json:"order"`
	}

	invite struct {
		ID       string     `json:"id"`
		Email    string     `json:"email"`
		Role     string     `json:"role"`
		Groups   []string   `json:"groups"` // group IDs
		Status   string     `json:"status"` // pending, accepted or expired
		Invited  time.Time  `json:"invited_at"`
		Expires  time.Time  `json:"expires_at"`
		Accepted *time.Time `json:"accepted_at"`
		Order    int        `json:"order"`
	}

	// A scope is what a spend limit applies to. One of the fields after Type
	// is set, as Type says.
	scope struct {
		Type     string `json:"type"`
		UserID   string `json:"user_id,omitempty"`
		SeatTier string `json:"seat_tier,omitempty"`
		GroupID  string `json:"rbac_group_id,omitempty"`
		Service  string `json:"service,omitempty"`
	}

	limit struct {
		ID      string    `json:"id"`
		Scope   scope     `json:"scope"`
		Amount  *string   `json:"amount"` // minor units; nil: no cap
		Period  string    `json:"period"`
		Created time.Time `json:"created_at"`
		Updated time.Time `json:"updated_at"`
	}

	marketplace struct {
		ID      string    `json:"id"`
		Name    string    `json:"name"`
		OwnerID string    `json:"owner_user_id"` // empty: the organization
		Source  string    `json:"source"`
		Default string    `json:"default_installation_preference"` // empty: never set
		Created time.Time `json:"created_at"`
		Order   int       `json:"order"`
	}

	plugin struct {
		ID            string            `json:"id"`
		Name          string            `json:"name"`
		DisplayName   string            `json:"display_name"`
		Description   string            `json:"description"`
		OwnerID       string            `json:"owner_user_id"` // empty: the organization
		MarketplaceID string            `json:"marketplace_id"`
		Version       string            `json:"manifest_version"`
		VersionID     string            `json:"version_id"`
		CreatedBy     string            `json:"created_by"` // user ID
		Reach         string            `json:"reach"`
		Scan          *scan             `json:"content_scan"`
		Components    []pluginComponent `json:"components"`
		Created       time.Time         `json:"created_at"`
		Updated       time.Time         `json:"updated_at"`
		Order         int               `json:"order"`
	}

	// A scan is what the vendor's scanner says of a plugin's content.
	scan struct {
		Status     string  `json:"status"`
		Assessment *string `json:"assessment"`
		Reason     *string `json:"reason"`
	}

	pluginComponent struct {
		Type        string `json:"type"`
		Name        string `json:"name"`
		Description string `json:"description"`
	}

	// A pluginSetting is how a plugin is installed for a target: the
	// organization or a group.
	pluginSetting struct {
		PluginID   string    `json:"plugin_id"`
		Target     string    `json:"target"` // organization, or a group ID
		Preference string    `json:"installation_preference"`
		Created    time.Time `json:"created_at"`
		Updated    time.Time `json:"updated_at"`
		Order      int       `json:"order"`
	}

	// An increase is a member's request for a higher limit.
	increase struct {
		ID         string         `json:"id"`
		UserID     string         `json:"user_id"`
		Status     string         `json:"status"` // pending, approved or denied
		Period     string         `json:"period"`
		Created    time.Time      `json:"created_at"`
		Resolved   *time.Time     `json:"resolved_at"`
		ResolvedBy map[string]any `json:"resolved_by"` // actor
		Order      int            `json:"order"`
	}

	// An event is an entry of the activity feed.
	event struct {
		ID      string                     `json:"id"`
		Type    string                     `json:"type"`
		Created time.Time                  `json:"created_at"`
		Actor   map[string]any             `json:"actor"`
		Fields  map[string]json.RawMessage `json:"fields"`
	}
)

// organizationKey is the key of the one row of the organization table.
const organizationKey = "organization"

// A table holds the objects of one kind by ID.
type table[T any] struct {
	name string
	rows map[string]T
	// moved, if set, keeps an index; old or have is nil if the row was or is
	// not there.
	moved func(old, have *T)
}

func (t *table[T]) tableName() string { return t.name }

func (t *table[T]) get(key string) (T, bool) {
	v, ok := t.rows[key]
	return v, ok
}

func (t *table[T]) set(key string, v T) {
	var old *T
	if before, ok := t.rows[key]; ok {
		old = &before
	}
	t.rows[key] = v
	if t.moved != nil {
		t.moved(old, &v)
	}
}

func (t *table[T]) unset(key string) {
	before, ok := t.rows[key]
	if !ok {
		return
	}
	delete(t.rows, key)
	if t.moved != nil {
		t.moved(&before, nil)
	}
}

// load sets a row from its JSON; null removes it.
func (t *table[T]) load(key string, raw json.RawMessage) error {
	if string(raw) == "null" {
		t.unset(key)
		return nil
	}
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("%s %q: %w", t.name, key, err)
	}
	t.set(key, v)
	return nil
}

func (t *table[T]) dump() any { return t.rows }

// sorted returns the rows in the order of less.
func (t *table[T]) sorted(compare func(a, b T) int) []T {
	return slices.SortedFunc(maps.Values(t.rows), compare)
}

// A loader is a table of any type, as the store sees it.
type loader interface {
	tableName() string
	load(key string, raw json.RawMessage) error
	dump() any
}

// state is everything that the emulator remembers.
type state struct {
	organizations  table[organization]
	siblings       table[sibling]
	outsiders      table[outsider] // by organization ID, slash, user ID
	features       table[feature]  // by action
	settings       table[string]   // effective-settings row to action
	connectors     table[connector]
	roles          table[role]
	groups         table[group]
	memberships    table[membership] // by group ID, slash, user ID
	members        table[member]
	invites        table[invite]
	limits         table[limit]
	marketplaces   table[marketplace]
	plugins        table[plugin]
	pluginSettings table[pluginSetting] // by plugin ID, slash, target
	increases      table[increase]
	feed           table[event] // by order, in hexadecimal
	counters       table[int]
	faults         table[Fault] // by order, in hexadecimal

	inGroup map[string]map[string]membership // group ID, user ID
	ofUser  map[string]map[string]bool       // user ID, group ID
	scopes  map[string]string                // scope and period to limit ID
	byEmail map[string]string                // address to user ID, this organization

	// version grows with every change, so that results can be cached.
	version uint64
}

func newTable[T any](name string) table[T] {
	return table[T]{name: name, rows: map[string]T{}}
}

func newState() *state {
	st := &state{
		organizations:  newTable[organization]("organizations"),
		siblings:       newTable[sibling]("siblings"),
		outsiders:      newTable[outsider]("outsiders"),
		features:       newTable[feature]("features"),
		settings:       newTable[string]("settings"),
		connectors:     newTable[connector]("connectors"),
		roles:          newTable[role]("roles"),
		groups:         newTable[group]("groups"),
		memberships:    newTable[membership]("memberships"),
		members:        newTable[member]("members"),
		invites:        newTable[invite]("invites"),
		limits:         newTable[limit]("limits"),
		marketplaces:   newTable[marketplace]("marketplaces"),
		plugins:        newTable[plugin]("plugins"),
		pluginSettings: newTable[pluginSetting]("plugin_settings"),
		increases:      newTable[increase]("increases"),
		feed:           newTable[event]("feed"),
		counters:       newTable[int]("counters"),
		faults:         newTable[Fault]("faults"),
		inGroup:        map[string]map[string]membership{},
		ofUser:         map[string]map[string]bool{},
		scopes:         map[string]string{},
		byEmail:        map[string]string{},
	}
	st.memberships.moved = st.moveMembership
	st.members.moved = st.moveMember
	st.limits.moved = st.moveLimit
	return st
}

func (st *state) tables() []loader {
	return []loader{
		&st.organizations, &st.siblings, &st.outsiders, &st.features, &st.settings, &st.connectors, &st.roles,
		&st.groups, &st.memberships, &st.members, &st.invites, &st.limits, &st.marketplaces,
		&st.plugins, &st.pluginSettings, &st.increases, &st.feed, &st.counters, &st.faults,
	}
}

func (st *state) moveMembership(old, have *membership) {
	if old != nil {
		delete(st.inGroup[old.GroupID], old.UserID)
		delete(st.ofUser[old.UserID], old.GroupID)
	}
	if have == nil {
		return
	}
	if st.inGroup[have.GroupID] == nil {
		st.inGroup[have.GroupID] = map[string]membership{}
	}
	if st.ofUser[have.UserID] == nil {
		st.ofUser[have.UserID] = map[string]bool{}
	}
	st.inGroup[have.GroupID][have.UserID] = *have
	st.ofUser[have.UserID][have.GroupID] = true
}

func (st *state) moveMember(old, have *member) {
	if old != nil {
		delete(st.byEmail, old.Email)
	}
	if have != nil {
		st.byEmail[have.Email] = have.ID
	}
}

func (st *state) moveLimit(old, have *limit) {
	if old != nil {
		delete(st.scopes, limitKey(old.Scope, old.Period))
	}
	if have != nil {
		st.scopes[limitKey(have.Scope, have.Period)] = have.ID
	}
}

// limitKey identifies the limit of a scope and a period.
func limitKey(s scope, period string) string {
	return s.Type + "\x00" + s.UserID + s.SeatTier + s.GroupID + s.Service + "\x00" + period
}

// org returns the organization that the API serves.
func (st *state) org() organization { return st.organizations.rows[organizationKey] }

// person returns the address of anybody in the tenant.
func (st *state) person(userID string) (email string, ok bool) {
	if m, ok := st.members.get(userID); ok {
		return m.Email, true
	}
	for _, o := range st.outsiders.rows {
		if o.UserID == userID {
			return o.Email, true
		}
	}
	return "", false
}

// elsewhere reports whether a sibling has the person.
func (st *state) elsewhere(userID string) bool {
	for _, o := range st.outsiders.rows {
		if o.UserID == userID {
			return true
		}
	}
	return false
}

// emails returns the address of everybody in the tenant, by user ID.
func (st *state) emails() map[string]string {
	all := make(map[string]string, len(st.members.rows)+len(st.outsiders.rows))
	for _, o := range st.outsiders.rows {
		all[o.UserID] = o.Email
	}
	for _, m := range st.members.rows {
		all[m.ID] = m.Email
	}
	return all
}

// ownRole returns a role of this organization.
func (st *state) ownRole(id string) (role, bool) {
	r, ok := st.roles.get(id)
	return r, ok && r.OrganizationID == ""
}

// A tx is a change of the state in the making. Its changes take effect at once
// and are either committed together or undone together.
type tx struct {
	st      *state
	now     time.Time
	actor   map[string]any
	changes []change
	undo    []func()
	visible bool // more than the feed, counters and faults changed
}

// A change is one row of a table that a tx sets, or removes if Value is null.
type change struct {
	Table string          `json:"table"`
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

func put[T any](x *tx, t *table[T], key string, v T) error {
	raw, err := encode(v)
	if err != nil {
		return err
	}
	old, had := t.get(key)
	x.undo = append(x.undo, func() {
		if had {
			t.set(key, old)
		} else {
			t.unset(key)
		}
	})
	t.set(key, v)
	x.note(t.name, key, raw)
	return nil
}

func remove[T any](x *tx, t *table[T], key string) {
	old, had := t.get(key)
	if !had {
		return
	}
	x.undo = append(x.undo, func() { t.set(key, old) })
	t.unset(key)
	x.note(t.name, key, json.RawMessage("null"))
}

func (x *tx) note(table, key string, raw json.RawMessage) {
	x.changes = append(x.changes, change{table, key, raw})
	x.st.version++
	if table != x.st.feed.name && table != x.st.counters.name && table != x.st.faults.name {
		x.visible = true
	}
}

func (x *tx) rollback() {
	for _, undo := range slices.Backward(x.undo) {
		undo()
	}
	x.st.version++
}

// count returns how often it was called with a name before.
func (x *tx) count(name string) (int, error) {
	n := x.st.counters.rows[name]
	return n, put(x, &x.st.counters, name, n+1)
}

// order returns a number greater than all it returned before.
func (x *tx) order() (int, error) { return x.count("order") }

// newID returns an ID for an object of a name.
func (x *tx) newID(prefix, name string) (string, error) {
	n, err := x.count(prefix + name)
	return seedID(prefix, name, n), err
}

func orderKey(n int) string { return fmt.Sprintf("%012x", n) }

// byTime compares by time and then by order of creation.
func byTime(at, bt time.Time, ao, bo int) int {
	return cmp.Or(at.Compare(bt), cmp.Compare(ao, bo))
}

// timeKey is a string that sorts as time, order and ID do.
func timeKey(t time.Time, order int, id string) string {
	return fmt.Sprintf("%016x%08x", uint64(t.UnixMicro())^(1<<63), order) + id
}

func compareRoles(a, b role) int     { return byTime(a.Created, b.Created, a.Order, b.Order) }
func compareGroups(a, b group) int   { return byTime(a.Created, b.Created, a.Order, b.Order) }
func compareMembers(a, b member) int { return byTime(a.Added, b.Added, a.Order, b.Order) }
func compareRows(a, b row) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ConnectorID, b.ConnectorID),
		cmp.Compare(a.Tool, b.Tool), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Action, b.Action))
}

// key is a string that is unique among the rows of a role.
func (r row) key() string {
	return r.Type + "\x00" + r.ConnectorID + "\x00" + r.Tool + "\x00" + r.Scope + "\x00" + r.Action
}

var errSeats = errors.New("no seat is free")

// seatFree reports whether another person can join.
//
// Source: User management guide, seats; read 2026-11-22. A pending invite holds
// a seat; that every member holds one is inferred.
func (st *state) seatFree(now time.Time) error {
	o := st.org()
	pending := 0
	for _, i := range st.invites.rows {
		if i.status(now) == "pending" {
			pending++
		}
	}
	if o.Seats != nil && len(st.members.rows)+pending >= *o.Seats {
		return fmt.Errorf("%w: all %s are taken", errSeats, strconv.Itoa(*o.Seats))
	}
	free := len(o.SeatTiers) == 0
	for _, t := range o.SeatTiers {
		switch n := st.freeSeats(t); {
		case t.NoAccess:
		case t.Seats == nil:
			free = true
		case n > 0:
			// Invites are not yet in a tier: each takes one of any.
			used := min(n, pending)
			pending -= used
			free = free || n > used
		}
	}
	if !free {
		return fmt.Errorf("%w: those of every tier are taken", errSeats)
	}
	return nil
}

// freeSeats returns how many seats of a tier nobody has. It means nothing for
// a tier without a number.
func (st *state) freeSeats(t tier) int {
	if t.Seats == nil {
		return 0
	}
	n := *t.Seats
	for _, m := range st.members.rows {
		if m.SeatTier == t.Name {
			n--
		}
	}
	return n
}

// lowestTier returns the tier that a new member gets: the first with a free
// seat, "" if the organization has one kind of seat.
//
// Source: User management guide, seats; read 2026-11-22.
func (st *state) lowestTier() string {
	for _, t := range st.org().SeatTiers {
		if !t.NoAccess && (t.Seats == nil || st.freeSeats(t) > 0) {
			return t.Name
		}
	}
	return ""
}

// tier returns the tier of a name, if the organization has it.
func (o organization) tier(name string) (tier, bool) {
	for _, t := range o.SeatTiers {
		if t.Name == name {
			return t, true
		}
	}
	return tier{}, false
}
