package emulator

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A SeedError lists everything that is wrong with a seed.
type SeedError struct {
	File     string // empty if the seed was given as bytes
	Problems []Problem
}

func (e *SeedError) Error() string {
	var b strings.Builder
	b.WriteString("the seed is not valid")
	if e.File != "" {
		b.WriteString(": " + e.File)
	}
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// The words of the seed and of the vendor's API.
var (
	provisioningModes  = []string{"login_only", "jit_permissive", "jit_advanced", "scim_permissive", "scim_advanced"}
	memberRoles        = []string{"user", "managed", "membership_admin", "owner", "primary_owner"}
	policies           = []string{"allow", "ask", "blocked"}
	precedences        = []string{"lowest", "highest"}
	marketplaceSources = []string{"manual", "github", "gitlab", "public_git", "directory"}
	reaches            = []string{"contained", "privileged", "remote"}
	limitScopes        = []string{"user", "rbac_group", "seat_tier", "organization", "organization_service"}

	uuidForm   = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	actionForm = regexp.MustCompile(`^[A-Za-z0-9_:.-]{1,128}$`)
)

// defaultOrganization is the ID of an organization whose seed gives none.
const defaultOrganization = "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e"

// A seedReader turns a seed into a state and notes every problem on the way.
type seedReader struct {
	problems
	st     *state
	now    time.Time
	keys   []apiKey
	limits bool // rate limits
	delays Delays
	counts map[string]int
	orders int
}

// readSeed returns the state that a seed describes, its keys, and whether rate
// limits are enforced. The error is a [SeedError].
func readSeed(data []byte, now time.Time) (*seedReader, error) {
	root, err := parseJSON(data)
	if err != nil {
		return nil, &SeedError{Problems: []Problem{{Message: err.Error()}}}
	}
	r := &seedReader{st: newState(), now: now, counts: map[string]int{}}
	r.read(root)
	if len(r.list) > 0 {
		return nil, &SeedError{Problems: r.list}
	}
	r.st.counters.set("order", r.orders)
	r.st.counters.set("feed", len(r.st.feed.rows))
	for name, n := range r.counts {
		r.st.counters.set(name, n)
	}
	return r, nil
}

func (r *seedReader) read(root node) {
	r.object(root, "organization", "other_organizations", "features", "settings", "beta_features", "connectors",
		"roles", "groups", "members", "invites", "spend_limits", "spend_limit_increase_requests", "plugin_marketplaces",
		"plugins", "keys", "rate_limits", "faults", "activities", "delays")
	r.readOrganization(root.field("organization"))
	r.readFeatures(root)
	for _, n := range r.array(root.field("connectors")) {
		r.readConnector(n)
	}
	for _, n := range r.array(root.field("roles")) {
		r.readRole(n, "")
	}
	r.readMembers(root.field("members"))
	for _, n := range r.array(root.field("other_organizations")) {
		r.readSibling(n)
	}
	for _, n := range r.array(root.field("groups")) {
		r.readGroup(n)
	}
	for _, n := range r.array(root.field("invites")) {
		r.readInvite(n)
	}
	for _, n := range r.array(root.field("spend_limits")) {
		r.readLimit(n)
	}
	for _, n := range r.array(root.field("spend_limit_increase_requests")) {
		r.readIncrease(n)
	}
	for _, n := range r.array(root.field("plugin_marketplaces")) {
		r.readMarketplace(n)
	}
	for _, n := range r.array(root.field("plugins")) {
		r.readPlugin(n)
	}
	for _, n := range r.array(root.field("activities")) {
		r.readActivity(n)
	}
	r.readKeys(root.field("keys"))
	r.limits = r.flag(root.field("rate_limits"), false)
	if n := root.field("delays"); !n.absent() {
		r.delays = readDelays(&r.problems, n)
	}
	for _, n := range r.array(root.field("faults")) {
		r.st.faults.set(orderKey(r.order()), readFault(&r.problems, n))
	}
}

func (r *seedReader) order() int {
	r.orders++
	return r.orders - 1
}

// id returns the ID that n gives, or makes one for the name.
func (r *seedReader) id(n node, prefix, name string) string {
	count := r.counts[prefix+name]
	r.counts[prefix+name]++
	f := n.field("id")
	if id := r.str(f); id != "" {
		if strings.ContainsAny(id, "/ ?#%") || len(id) > 200 {
			r.add(f, "must be an ID such as %s", seedID(prefix, name, count))
		}
		return id
	}
	return seedID(prefix, name, count)
}

func (r *seedReader) readOrganization(n node) {
	r.object(n, "id", "name", "provisioning", "connector_permissions", "spend_precedence", "seat_default_compared",
		"currency", "usage_credits", "hipaa", "seats", "seat_tiers", "plugins_api", "created_at")
	o := organization{
		ID:                   defaultOrganization,
		Name:                 "Acme",
		Currency:             "USD",
		Provisioning:         r.oneOf(n.field("provisioning"), provisioningModes...),
		ConnectorPermissions: r.flag(n.field("connector_permissions"), true),
		SpendPrecedence:      r.oneOf(n.field("spend_precedence"), precedences...),
		SeatDefaultCompared:  r.flag(n.field("seat_default_compared"), false),
		UsageCredits:         r.flag(n.field("usage_credits"), true),
		HIPAA:                r.flag(n.field("hipaa"), false),
		SeatTiers:            r.readTiers(n.field("seat_tiers")),
		NoPlugins:            !r.flag(n.field("plugins_api"), true),
		Created:              r.time(n.field("created_at"), time.Date(2024, 1, 8, 9, 0, 0, 0, time.UTC)),
	}
	if f := n.field("id"); !f.absent() {
		if o.ID = r.str(f); !uuidForm.MatchString(o.ID) {
			r.add(f, "must be a UUID")
		}
	}
	if f := n.field("name"); !f.absent() {
		o.Name = r.name(f, 255)
	}
	if f := n.field("currency"); !f.absent() {
		o.Currency = r.name(f, 3)
	}
	o.Seats = r.seats(n.field("seats"))
	r.st.organizations.set(organizationKey, o)
}

func (r *seedReader) readFeatures(root node) {
	n := root.field("features")
	r.object(n, n.names...)
	for _, action := range n.names {
		r.checkAction(n.field(action), action)
		r.st.features.set(action, feature{Enabled: r.flag(n.field(action), false)})
	}
	for _, item := range r.array(root.field("beta_features")) {
		action := r.str(item)
		r.checkAction(item, action)
		f := r.st.features.rows[action]
		f.Beta = true
		r.st.features.set(action, f)
	}
	for setting, action := range defaultSettings(r.st.features.rows) {
		r.st.settings.set(setting, action)
	}
	settings := root.field("settings")
	r.object(settings, settings.names...)
	for _, setting := range settings.names {
		action := r.str(settings.field(setting))
		if action == "" {
			r.st.settings.set(setting, "")
			continue
		}
		r.checkAction(settings.field(setting), action)
		r.st.settings.set(setting, action)
	}
}

func (r *seedReader) checkAction(n node, action string) {
	if !actionForm.MatchString(action) || blanket(action) || adminRow(action) {
		r.add(n, "%q is not the action of a feature", action)
	}
}

func (r *seedReader) readConnector(n node) {
	r.object(n, "id", "name", "tools", "policy", "tool_policy")
	c := connector{Name: r.name(n.field("name"), 255), Order: r.order()}
	c.ID = r.id(n, "mcpsrv_", c.Name)
	c.Tools = readTools(&r.problems, n.field("tools"))
	c.Policy = r.oneOf(n.field("policy"), policies...)
	c.ToolPolicy = map[string]string{}
	f := n.field("tool_policy")
	r.object(f, f.names...)
	for _, tool := range f.names {
		if tool == "" {
			r.add(f, "a tool must have a name")
		}
		c.ToolPolicy[tool] = r.oneOf(f.field(tool), policies...)
	}
	if _, twice := r.st.connectors.get(c.ID); twice {
		r.add(n.field("id"), "another connector has the ID %s", c.ID)
	}
	r.st.connectors.set(c.ID, c)
}

// readTools reads the names of a connector's tools.
func readTools(p *problems, n node) []string {
	tools := p.strs(n)
	for i, tool := range tools {
		if tool == "" || slices.Contains(tools[:i], tool) {
			p.add(n.items[i], "must be a name that is not in the list already")
		}
	}
	return tools
}

func (r *seedReader) readRole(n node, organizationID string) {
	r.object(n, "id", "name", "description", "permissions", "created_at", "updated_at")
	v := role{OrganizationID: organizationID, Name: r.name(n.field("name"), 255), Order: r.order()}
	v.ID = r.id(n, "rbac_role_", organizationID+v.Name)
	v.Description = r.str(n.field("description"))
	v.Created = r.time(n.field("created_at"), seedTime("role", v.ID))
	v.Updated = r.time(n.field("updated_at"), v.Created)
	v.Rows = readRows(&r.problems, r.st, n.field("permissions"))
	if _, twice := r.st.roles.get(v.ID); twice {
		r.add(n.field("id"), "another role has the ID %s", v.ID)
	}
	r.st.roles.set(v.ID, v)
}

func (r *seedReader) readMembers(n node) {
	primary := 0
	for _, item := range r.array(n) {
		r.object(item, "id", "email", "name", "role", "added_at", "seat_tier")
		m := member{Email: r.email(item.field("email")), Order: r.order()}
		m.ID = r.id(item, "user_", m.Email)
		m.Name = r.str(item.field("name"))
		m.Role = r.oneOf(item.field("role"), memberRoles...)
		m.SeatTier = r.str(item.field("seat_tier"))
		m.Added = r.time(item.field("added_at"), seedTime("member", m.Email))
		r.addMember(item, m)
		if m.Role == "primary_owner" {
			primary++
		}
	}
	if primary > 1 {
		r.add(n, "%d members are primary_owner; there can be one", primary)
	}
}

func (r *seedReader) addMember(n node, m member) {
	if _, twice := r.st.byEmail[m.Email]; twice {
		r.add(n.field("email"), "%s is a member already", m.Email)
		return
	}
	if _, twice := r.st.members.get(m.ID); twice {
		r.add(n.field("id"), "another member has the ID %s", m.ID)
		return
	}
	r.st.members.set(m.ID, m)
}

func (r *seedReader) readSibling(n node) {
	r.object(n, "id", "name", "members", "roles", "created_at")
	o := sibling{ID: r.name(n.field("id"), 36), Name: r.name(n.field("name"), 255), Order: r.order()}
	o.Created = r.time(n.field("created_at"), seedTime("organization", o.ID))
	if !uuidForm.MatchString(o.ID) {
		r.add(n.field("id"), "must be a UUID")
	}
	if _, twice := r.st.siblings.get(o.ID); twice || o.ID == r.st.org().ID {
		r.add(n.field("id"), "another organization has the ID %s", o.ID)
	}
	r.st.siblings.set(o.ID, o)
	for _, item := range r.array(n.field("members")) {
		r.readOutsider(item, o.ID)
	}
	for _, item := range r.array(n.field("roles")) {
		r.readRole(item, o.ID)
	}
}

func (r *seedReader) readOutsider(n node, organizationID string) {
	r.object(n, "id", "email", "name", "added_at")
	o := outsider{OrganizationID: organizationID, Email: r.email(n.field("email")), Order: r.order()}
	o.Name = r.str(n.field("name"))
	o.Added = r.time(n.field("added_at"), seedTime("member", organizationID+o.Email))
	switch id := r.str(n.field("id")); {
	case r.st.byEmail[o.Email] != "":
		o.UserID = r.st.byEmail[o.Email]
	case id != "":
		o.UserID = id
	default:
		o.UserID = seedID("user_", o.Email, 0)
	}
	key := organizationID + "/" + o.UserID
	if _, twice := r.st.outsiders.get(key); twice {
		r.add(n.field("email"), "%s is a member of this organization already", o.Email)
	}
	r.st.outsiders.set(key, o)
}

// findRole returns the ID of a role given by ID or by name.
func (r *seedReader) findRole(n node) string {
	ref := r.str(n)
	if _, ok := r.st.roles.get(ref); ok {
		return ref
	}
	var found []string
	for _, v := range r.st.roles.rows {
		if v.Name == ref && v.OrganizationID == "" {
			found = append(found, v.ID)
		}
	}
	switch len(found) {
	case 0:
		r.add(n, "no role has the name or ID %q", ref)
		return ""
	case 1:
		return found[0]
	}
	r.add(n, "%d roles have the name %q; give the ID", len(found), ref)
	return ""
}

// findGroup returns the ID of a group given by ID or by name.
func (r *seedReader) findGroup(n node) string {
	ref := r.str(n)
	if _, ok := r.st.groups.get(ref); ok {
		return ref
	}
	var found []string
	for _, g := range r.st.groups.rows {
		if g.Name == ref {
			found = append(found, g.ID)
		}
	}
	switch len(found) {
	case 0:
		r.add(n, "no group has the name or ID %q", ref)
		return ""
	case 1:
		return found[0]
	}
	r.add(n, "%d groups have the name %q; give the ID", len(found), ref)
	return ""
}

func (r *seedReader) readGroup(n node) {
	r.object(n, "id", "name", "description", "source_type", "roles", "members", "created_at", "updated_at")
	g := group{Name: r.name(n.field("name"), 255), Order: r.order(), Roles: []string{}}
	g.ID = r.id(n, "rbac_group_", g.Name)
	g.Description = r.str(n.field("description"))
	g.Source = r.oneOf(n.field("source_type"), "direct", "scim")
	g.Created = r.time(n.field("created_at"), seedTime("group", g.ID))
	g.Updated = r.time(n.field("updated_at"), g.Created)
	for _, item := range r.array(n.field("roles")) {
		if id := r.findRole(item); id != "" && !slices.Contains(g.Roles, id) {
			g.Roles = append(g.Roles, id)
		}
	}
	slices.Sort(g.Roles)
	if _, twice := r.st.groups.get(g.ID); twice {
		r.add(n.field("id"), "another group has the ID %s", g.ID)
		return
	}
	r.st.groups.set(g.ID, g)
	if len(r.st.groups.rows) == maxGroups+1 {
		r.add(n, "there can be %d groups", maxGroups)
	}
	r.readMemberships(n.field("members"), g)
}

func (r *seedReader) readMemberships(n node, g group) {
	for i, item := range r.array(n) {
		email := normalEmail(r.str(item))
		id := r.findPerson(email)
		switch {
		case id == "":
			r.add(item, "no member of any organization has the address %q", email)
		case r.st.ofUser[id][g.ID]:
			r.add(item, "%s is in the list already", email)
		default:
			at := g.Created.Add(time.Duration(i) * time.Second)
			r.st.memberships.set(g.ID+"/"+id, membership{g.ID, id, at, r.order()})
		}
	}
}

// findPerson returns the ID of anybody in the tenant, or "".
func (r *seedReader) findPerson(email string) string {
	if id := r.st.byEmail[email]; id != "" {
		return id
	}
	for _, o := range r.st.outsiders.rows {
		if o.Email == email {
			return o.UserID
		}
	}
	return ""
}

func (r *seedReader) readInvite(n node) {
	r.object(n, "id", "email", "role", "groups", "status", "invited_at", "expires_at", "accepted_at")
	v := invite{Email: r.email(n.field("email")), Groups: []string{}, Order: r.order()}
	v.ID = r.id(n, "invite_", v.Email)
	v.Role = r.oneOf(n.field("role"), "user", "managed")
	v.Status = r.oneOf(n.field("status"), "pending", "accepted", "expired")
	// A pending invite must not have run out before the emulator starts, so it
	// is as old as the state unless the seed gives it an age.
	missing := r.now
	if v.Status != "pending" {
		missing = seedTime("invite", v.Email)
	}
	v.Invited = r.time(n.field("invited_at"), missing)
	v.Expires = r.time(n.field("expires_at"), v.Invited.Add(inviteLife))
	if f := n.field("accepted_at"); !f.null() && v.Status == "accepted" {
		at := r.time(f, v.Invited.Add(time.Hour))
		v.Accepted = &at
	}
	for _, item := range r.array(n.field("groups")) {
		if id := r.findGroup(item); id != "" {
			v.Groups = append(v.Groups, id)
		}
	}
	if _, twice := r.st.invites.get(v.ID); twice {
		r.add(n.field("id"), "another invite has the ID %s", v.ID)
	}
	r.st.invites.set(v.ID, v)
}

func (r *seedReader) readLimit(n node) {
	r.object(n, "id", "scope", "amount", "period", "created_at", "updated_at")
	v := limit{Scope: r.readSeedScope(n.field("scope")), Period: r.oneOf(n.field("period"), "monthly")}
	key := limitKey(v.Scope, v.Period)
	v.ID = r.id(n, "spl_", key)
	v.Amount = r.amount(n.field("amount"))
	v.Created = r.time(n.field("created_at"), seedTime("limit", v.ID))
	v.Updated = r.time(n.field("updated_at"), v.Created)
	if _, twice := r.st.scopes[key]; twice {
		r.add(n.field("scope"), "another limit has this scope and period")
		return
	}
	if _, twice := r.st.limits.get(v.ID); twice {
		r.add(n.field("id"), "another limit has the ID %s", v.ID)
	}
	r.st.limits.set(v.ID, v)
}

// readSeedScope reads a scope in which people are given by address and groups
// by name or ID.
func (r *seedReader) readSeedScope(n node) scope {
	if !r.must(n) {
		return scope{}
	}
	s := scope{Type: r.oneOf(n.field("type"), limitScopes...)}
	r.must(n.field("type"))
	switch s.Type {
	case "user":
		r.object(n, "type", "email")
		f := n.field("email")
		if s.UserID = r.st.byEmail[r.email(f)]; s.UserID == "" && !f.absent() {
			r.add(f, "no member has the address %q", f.text)
		}
	case "rbac_group":
		r.object(n, "type", "group")
		if f := n.field("group"); r.must(f) {
			s.GroupID = r.findGroup(f)
		}
	case "seat_tier":
		r.object(n, "type", "seat_tier")
		s.SeatTier = r.name(n.field("seat_tier"), 100)
	case "organization_service":
		r.object(n, "type", "service")
		s.Service = r.name(n.field("service"), 100)
	default:
		r.object(n, "type")
	}
	return s
}

func (r *seedReader) readKeys(n node) {
	for _, item := range r.array(n) {
		r.object(item, "key", "scopes", "all_linked")
		k := apiKey{
			secret: r.name(item.field("key"), 500),
			scopes: r.strs(item.field("scopes")),
			linked: r.flag(item.field("all_linked"), true),
		}
		for i, s := range k.scopes {
			if !slices.Contains(knownScopes, s) {
				r.add(item.field("scopes").items[i], "%q is not a scope", s)
			}
		}
		r.keys = append(r.keys, k)
	}
}

// readRows reads permission rows of a custom role, sorted and without doubles.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationrbacrolepermission.go.
func readRows(p *problems, st *state, n node) []row {
	rows := []row{}
	for _, item := range p.array(n) {
		v := readRow(p, st, item)
		if !slices.Contains(rows, v) {
			rows = append(rows, v)
		}
	}
	slices.SortFunc(rows, compareRows)
	return rows
}

func readRow(p *problems, st *state, n node) row {
	p.object(n, "type", "action", "resource")
	res := n.field("resource")
	v := row{Action: p.name(n.field("action"), 128)}
	if !p.must(res) {
		return v
	}
	v.Type = p.str(res.field("type"))
	levels := []string{"use", "always_allow", "grant", "interactive", "managed"}
	switch v.Type {
	case "organization":
		p.object(res, "type", "organization_id")
		if f := res.field("organization_id"); !f.absent() && p.str(f) != st.org().ID {
			p.add(f, "must be the ID of this organization, %s", st.org().ID)
		}
		if slices.Contains(levels, v.Action) || !actionForm.MatchString(v.Action) {
			p.add(n.field("action"), "%q is not the action of a feature, permission_* or capability_access_*", v.Action)
		}
		return v
	case "all_connectors":
		p.object(res, "type")
	case "connector":
		p.object(res, "type", "connector_id")
	case "connector_tool":
		p.object(res, "type", "connector_id", "tool_name")
		v.Tool = p.name(res.field("tool_name"), 255)
		levels = levels[:2]
	case "connector_scope":
		p.object(res, "type", "connector_id", "scope")
		v.Scope = p.name(res.field("scope"), 255)
		levels = []string{"grant"}
	default:
		p.add(res.field("type"), "must be one of organization, all_connectors, connector, connector_tool, connector_scope; got %q", v.Type)
		return v
	}
	if !slices.Contains(levels, v.Action) {
		p.add(n.field("action"), "must be one of %s; got %q", strings.Join(levels, ", "), v.Action)
	}
	if v.Type != "all_connectors" {
		v.ConnectorID = p.name(res.field("connector_id"), 255)
		if _, ok := st.connectors.get(v.ConnectorID); !ok {
			p.add(res.field("connector_id"), "no connector has the ID %q", v.ConnectorID)
		}
	}
	return v
}

// blanket reports whether an action covers features that it does not name.
func blanket(action string) bool {
	return action == "capability_access_all" || action == "capability_access_all_ga"
}

// adminRow reports whether an action is a permission of the admin panel.
func adminRow(action string) bool { return strings.HasPrefix(action, "permission_") }

// readActivity reads an event that happened before, oldest first: its type,
// when, and its own fields as the feed is to show them.
func (r *seedReader) readActivity(n node) {
	if n.kind != '{' {
		r.add(n, "must be an object")
		return
	}
	r.must(n.field("type"))
	order := orderKey(len(r.st.feed.rows))
	e := event{
		ID: makeID("activity_", order), Type: r.str(n.field("type")), Created: r.time(n.field("created_at"), r.now),
		Actor: map[string]any{"type": "system_actor", "service": "seed"}, Fields: map[string]json.RawMessage{},
	}
	for _, name := range n.names {
		switch name {
		case "type", "created_at":
		case "id", "actor", "organization_id", "organization_uuid":
			r.add(n.field(name), "is made by the emulator: leave it out")
		default:
			raw, err := encode(n.field(name).value())
			if err != nil {
				r.add(n.field(name), "cannot be kept: %v", err)
			}
			e.Fields[name] = raw
		}
	}
	r.st.feed.set(order, e)
}
