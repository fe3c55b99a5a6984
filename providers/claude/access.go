package claude

import (
	"errors"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// The levels of each kind of permission, lowest first.
var (
	capabilityScale = &access.Scale{Name: "capability", Levels: []string{"none", "allowed"}}
	adminScale      = &access.Scale{Name: "admin", Levels: []string{"none", "view", "manage"}}
	toolScale       = &access.Scale{Name: "connector", Levels: connectorLevels}
	pluginScale     = &access.Scale{Name: "plugin", Levels: pluginLevels}
)

// The permissions that stand for whatever nothing names: features that are
// added tomorrow, generally available ones and previews, and connectors that
// are.
const (
	anyCapability = "capability.*"
	anyPreview    = "capability.*preview"
	anyConnector  = "connector.*"
)

// monthlySpend is the setting of what a member may spend in a month.
const monthlySpend = "spend.monthly"

func permCapability(label string) string {
	return string(schema.MakeAddress("capability", label, ""))
}
func permAdmin(area string) string { return "admin." + area }

// mapping turns states into the access model.
type mapping struct {
	*System
	model      *access.Model
	connectors map[string][]string         // tools by connector label, sorted
	labels     []string                    // of capabilities, sorted
	seated     map[schema.Address][]string // who has each seat
}

func newMapping(s *System) *mapping {
	return &mapping{System: s, connectors: map[string][]string{}, seated: map[schema.Address][]string{}}
}

// Access maps states into the access model:
//
//   - organization role user, membership_admin: every feature that is on, every
//     connector, under the organization's tool policy;
//   - owner, primary_owner: the same, and every administration area;
//   - managed: what the roles of the member's groups grant, and nothing else;
//     a feature that is off is off, and the tool policy caps;
//   - a declared seat takes away what it excludes;
//   - spend limits and plugins have one value for each member, see plugin and
//     spendObject.
//
// Source: help centre, custom roles and role-based permissions; product guide
// "Set up role-based permissions on Enterprise plans". Read 2026-11-22.
func (s *System) Access(states ...*schema.State) (*access.Model, [][]*access.State) {
	m := newMapping(s)
	m.vocabulary(states)
	u := access.NewUniverse(m.permissions())
	var members, groups, roles []string
	for _, st := range states {
		for _, o := range st.Objects {
			switch o.Type {
			case "member":
				members = append(members, o.Key)
			case "group":
				groups = append(groups, string(o.Addr))
			case "role":
				for _, part := range roleParts {
					roles = append(roles, sourceName(o.Addr, part))
				}
			}
		}
	}
	m.model = access.NewModel(u, members, groups, roles, m.standings(u), m.settings(states), m.seats(u, states)...)
	n := 1
	for _, st := range states {
		if unknown(st) {
			n = 2
		}
	}
	readings := make([][]*access.State, len(states))
	for i, st := range states {
		for r := range n {
			readings[i] = append(readings[i], m.state(st, r == n-1))
		}
	}
	return m.model, readings
}

// unknown reports whether anything that access depends on could not be read.
func unknown(st *schema.State) bool {
	for _, o := range st.Objects {
		switch o.Type {
		case "feature":
			if !o.Get(attrEnabled).Known() {
				return true
			}
		case "group":
			if o.Get(attrRoles).Kind() == schema.KindUnavailable {
				return true
			}
		case "role":
			if o.Get(attrCapabilities).Kind() == schema.KindUnavailable || o.Get(attrUnsure).Known() {
				return true
			}
		case "connector", "spend":
			for _, attr := range confirmable[o.Type] {
				if o.Get(attr).Kind() == schema.KindUnavailable {
					return true
				}
			}
		case "plugin":
			if v := o.Get(attrInstall); v.Kind() == schema.KindUnavailable || v.Known() && !slices.Contains(pluginLevels, v.AsText()) {
				return true
			}
			if m := marketplaceOf(st, o); m == nil && o.Get(attrMarketplace).AsText() != "" || m != nil && !m.Get(attrInstall).Known() {
				return true
			}
		}
	}
	return false
}

// marketplaceOf returns the marketplace that a plugin is in, nil if it was not
// read.
func marketplaceOf(st *schema.State, plugin *schema.Object) *schema.Object {
	id := plugin.Get(attrMarketplace).AsText()
	for _, o := range st.Objects {
		if o.Type == "marketplace" && o.Key == id && id != "" {
			return o
		}
	}
	return nil
}

// settings are the spend limit, and what everybody has of each plugin.
func (m *mapping) settings(states []*schema.State) []access.SettingKind {
	kinds := []access.SettingKind{{Key: monthlySpend}}
	for _, st := range states {
		for _, o := range st.Of("plugin") {
			key := string(o.Addr)
			if !slices.ContainsFunc(kinds, func(k access.SettingKind) bool { return k.Key == key }) {
				kinds = append(kinds, access.SettingKind{Key: key, Scale: pluginScale})
			}
		}
	}
	slices.SortFunc(kinds[1:], func(a, b access.SettingKind) int { return strings.Compare(a.Key, b.Key) })
	return kinds
}

// seats are the seat tiers, each with what it does not exclude. What is
// declared of them holds before and after.
func (m *mapping) seats(u *access.Universe, states []*schema.State) []access.Seat {
	var seats []access.Seat
	for _, st := range slices.Backward(states) { // the last one is the one that is described
		for _, o := range st.Of("seat_tier") {
			if slices.ContainsFunc(seats, func(s access.Seat) bool { return s.Name == string(o.Addr) }) {
				continue
			}
			c := u.Full()
			for _, label := range o.Get(attrExcludes).AsSet() {
				if p, ok := u.Find(permCapability(label)); ok {
					u.Put(c, p, 0)
				}
			}
			seats = append(seats, access.Seat{Name: string(o.Addr), Cap: c})
			m.seated[o.Addr] = o.Get(attrMembers).AsSet()
		}
	}
	slices.SortFunc(seats, func(a, b access.Seat) int { return strings.Compare(a.Name, b.Name) })
	return seats
}

// vocabulary collects the names of capabilities, connectors and tools.
func (m *mapping) vocabulary(states []*schema.State) {
	labels := map[string]bool{}
	for _, st := range states {
		for _, o := range st.Objects {
			switch o.Type {
			case "feature":
				labels[m.words.label(o.Key)] = true
			case "seat_tier":
				for _, label := range o.Get(attrExcludes).AsSet() {
					labels[label] = true
				}
			case "connector":
				m.addTools(m.connectorLabel(o.Key), o.Get(attrTools).AsSet()...)
				for tool := range o.Get(attrToolPolicy).AsMap() {
					m.addTools(m.connectorLabel(o.Key), tool)
				}
			case "role":
				for _, label := range o.Get(attrCapabilities).AsSet() {
					if label != labelAll && label != labelAllGA {
						labels[label] = true
					}
				}
				for _, attr := range []string{attrConnectors, attrBelow} {
					for label := range o.Get(attr).AsMap() {
						m.addTools(label)
					}
				}
			}
		}
	}
	for _, st := range states {
		for _, o := range st.Objects {
			if o.Type == "role" {
				for key := range o.Get(attrTools).AsMap() {
					label, tool := m.splitTool(key)
					m.addTools(label, tool)
				}
			}
		}
	}
	for l := range labels {
		m.labels = append(m.labels, l)
	}
	slices.Sort(m.labels)
	for l := range m.connectors {
		slices.Sort(m.connectors[l])
		m.connectors[l] = slices.Compact(m.connectors[l])
	}
}

func (m *mapping) addTools(label string, tools ...string) {
	m.connectors[label] = append(m.connectors[label], tools...)
}

// splitTool splits a key of the tools of a role. Labels and tool names may
// both hold dots; the longest label that is known decides.
func (s *System) splitTool(key string) (label, tool string) {
	best := -1
	for i, c := range key {
		if c != '.' {
			continue
		}
		if _, ok := s.connectors[key[:i]]; ok || best < 0 {
			best = i
		}
	}
	if best < 0 {
		return key, ""
	}
	return key[:best], key[best+1:]
}

func (m *mapping) permissions() []access.Permission {
	list := []access.Permission{{Key: anyCapability, Scale: capabilityScale}, {Key: anyPreview, Scale: capabilityScale}}
	for _, l := range m.labels {
		list = append(list, access.Permission{Key: permCapability(l), Scale: capabilityScale})
	}
	for _, a := range adminAreas {
		list = append(list, access.Permission{Key: permAdmin(a.area), Scale: adminScale})
	}
	list = append(list, access.Permission{Key: anyConnector, Scale: toolScale})
	for label, tools := range m.connectors {
		list = append(list, access.Permission{Key: permConnector(label) + ".*", Scale: toolScale})
		for _, t := range tools {
			list = append(list, access.Permission{Key: permTool(label, t), Scale: toolScale})
		}
	}
	return list
}

func (m *mapping) standings(u *access.Universe) []access.Standing {
	everything := u.Full()
	builtin := u.Full()
	for _, a := range adminAreas {
		p, _ := u.Find(permAdmin(a.area))
		u.Put(builtin, p, 0)
	}
	return []access.Standing{
		{Name: roleUser, Own: builtin},
		{Name: roleManaged, Own: u.NewSet(), FromGroups: true},
		{Name: roleMembershipAdmin, Own: builtin},
		{Name: roleOwner, Own: everything},
		{Name: rolePrimaryOwner, Own: everything},
	}
}

// state maps one state; most says which reading of what is unknown to take.
func (m *mapping) state(st *schema.State, most bool) *access.State {
	u := m.model.Universe
	s := m.model.NewState()
	s.Settings[0].Highest = m.precedence == "highest"
	for _, o := range st.Objects {
		switch o.Type {
		case "member":
			i := m.model.Member(o.Key)
			s.Standing[i], _ = m.model.Standing(standingOf(o.Get(attrOrganizationRole).AsText()))
			if l, ok := limitValue(o); ok {
				s.Settings[0].Member[i] = l
			}
		case "spend":
			if l, ok := limitValue(o); ok {
				s.Settings[0].Default = l
			}
			if v := o.Get(attrCeiling); v.Kind() == schema.KindUnavailable && !most { // may be anything
				s.Settings[0].Ceiling = 0
			} else if l, err := parseLimit(v); err == nil {
				s.Settings[0].Ceiling = l
			}
			switch v := o.Get(attrPrecedence); {
			case v.Known():
				s.Settings[0].Highest = v.AsText() == "highest"
			case v.Kind() == schema.KindUnavailable:
				s.Settings[0].Highest = most
			}
		case "plugin":
			m.plugin(s, st, o, most)
		case "feature":
			p, ok := u.Find(permCapability(m.words.label(o.Key)))
			if v := o.Get(attrEnabled); ok && (v.Known() && !v.AsBool() || !v.Known() && !most) {
				u.Put(s.Ceiling, p, 0)
			}
		case "connector":
			m.policy(s, o, most)
		case "role":
			for part, set := range m.grants(o, most) {
				s.Grants[m.model.Source(sourceName(o.Addr, part))] = set
			}
		}
	}
	for _, o := range st.Of("seat_tier") {
		m.seat(s, o)
	}
	for _, g := range st.Of("group") {
		m.group(s, g, most)
	}
	return s
}

// standingOf returns the standing of an organization role. One that the vendor
// added is treated as one that custom roles do not govern.
func standingOf(role string) string {
	if role == roleManaged || role == roleUser || slices.Contains(administrators, role) {
		return role
	}
	return roleUser
}

func limitValue(o *schema.Object) (access.Limit, bool) {
	l, err := parseLimit(o.Get(attrLimit))
	return l, err == nil
}

// parseLimit reads an amount in minor units, or "unlimited".
func parseLimit(v schema.Value) (access.Limit, error) {
	if v.Kind() != schema.KindText {
		return access.Unset, errors.New("no limit")
	}
	return access.ParseLimit(v.AsText())
}

// seat maps who has a seat, and its limit. A seat is constant during a plan:
// that of the last state holds for all of them.
func (m *mapping) seat(s *access.State, o *schema.Object) {
	n, _ := m.model.SeatOf(string(o.Addr))
	for _, email := range m.seated[o.Addr] {
		if i := m.model.Member(email); i >= 0 && s.Seat[i] == 0 {
			s.Seat[i] = n
		}
	}
	if l, ok := limitValue(o); ok {
		s.Settings[0].Seat[n] = l
	}
}

// plugin maps what everybody has of a plugin: the most permissive of the
// settings of their groups, else the organization's, else the default of its
// marketplace, else not_available. Where the settings could not be read it may
// be anything.
//
// Source: Plugins API guide, resolution; read 2026-11-22.
func (m *mapping) plugin(s *access.State, st *schema.State, o *schema.Object, most bool) {
	set := &s.Settings[m.model.Setting(string(o.Addr))]
	set.Highest = true
	level := func(v schema.Value) access.Limit {
		l, ok := pluginScale.Level(v.AsText())
		switch {
		case v.Kind() == schema.KindAbsent:
			return access.Unset
		case ok:
			return access.Limit(l)
		case most: // not read, or a word newer than rolecall
			return access.Limit(pluginScale.Top())
		}
		return 0
	}
	set.Default = level(o.Get(attrInstall))
	if o.Get(attrMarketplace).AsText() != "" {
		set.Fallback = level(schema.Unavailable("not read"))
		if mp := marketplaceOf(st, o); mp != nil {
			set.Fallback = level(mp.Get(attrInstall))
		}
	}
	attr := attrPlugin + m.pluginKey(o.Key)
	for _, g := range st.Of("group") {
		if v := g.Get(attr); v.Kind() != schema.KindUnavailable {
			set.Group[m.model.Group(string(g.Addr))] = level(v)
		}
	}
}

func (m *mapping) group(s *access.State, g *schema.Object, most bool) {
	i := m.model.Group(string(g.Addr))
	if l, ok := limitValue(g); ok {
		s.Settings[0].Group[i] = l
	}
	for _, email := range g.Get(attrMembers).AsSet() {
		if member := m.model.Member(email); member >= 0 && s.Standing[member] != 0 {
			s.Join(member, i)
		}
	}
	roles := g.Get(attrRoles)
	for _, addr := range roles.AsSet() {
		for _, part := range roleParts {
			if r := m.model.Source(sourceName(schema.Address(addr), part)); r >= 0 {
				s.Attach(i, r)
			}
		}
	}
	if roles.Kind() == schema.KindUnavailable && most { // it may have any
		for r := range m.model.Sources {
			s.Attach(i, int32(r))
		}
	}
}

// policy maps the organization's tool policy of a connector. One that nothing
// tells is no ceiling; one that is in doubt may be anything.
func (m *mapping) policy(s *access.State, o *schema.Object, most bool) {
	u := m.model.Universe
	for key, level := range m.ceilings(o, most) {
		if p, ok := u.Find(key); ok {
			u.Put(s.Ceiling, p, access.Level(level))
		}
	}
}

// ceilings returns the level that the policy of a connector allows, by
// permission.
func (m *mapping) ceilings(o *schema.Object, most bool) map[string]int {
	label := m.connectorLabel(o.Key)
	top := int(toolScale.Top())
	doubt := func(v schema.Value) bool { return v.Kind() == schema.KindUnavailable && !most }
	policy, own := o.Get(attrPolicy), o.Get(attrToolPolicy)
	base := top
	switch {
	case policy.Known():
		base = levelOf(policy.AsText())
	case doubt(policy):
		base = 0
	}
	levels := map[string]int{permConnector(label) + ".*": base}
	for _, tool := range m.connectors[label] {
		level := base
		if doubt(own) && m.differs(label, tool) {
			level = 0
		}
		if v, ok := own.AsMap()[tool]; ok {
			level = levelOf(v)
		}
		levels[permTool(label, tool)] = level
	}
	return levels
}

// differs reports whether the configuration says something of its own of a tool.
func (m *mapping) differs(connector, tool string) bool {
	for _, b := range m.config.Of("connector") {
		if a := b.Attr("tool_policy"); b.Label == connector && a != nil {
			_, ok := a.Entries[tool]
			return ok
		}
	}
	return false
}

// A role grants through rows, and rows add up: a tool is at the highest of the
// row for all connectors, the row of its connector and its own. So that each
// row is a variable of its own, every part of a role is a source of its own;
// otherwise taking one row away and adding another could not be told from
// changing one.
const (
	partRows       = "" // single capabilities and admin permissions
	partBlanket    = " (capability access)"
	partDefault    = " (all connectors)"
	partConnectors = " (connector)"
	partTools      = " (tool)"
)

var roleParts = []string{partRows, partBlanket, partDefault, partConnectors, partTools}

// sourceName names a part of a role as a source of the access model.
func sourceName(role schema.Address, part string) string { return string(role) + part }

// grants returns what each part of a role grants. A connector that is held
// under the role's default has only what is named for it; where it is not known
// whether it is held so, most says which reading to take.
func (m *mapping) grants(o *schema.Object, most bool) map[string]access.Set {
	u := m.model.Universe
	parts := map[string]access.Set{}
	for _, part := range roleParts {
		parts[part] = u.NewSet()
	}
	put := func(part, key string, level int) {
		if p, ok := u.Find(key); ok {
			u.Put(parts[part], p, max(u.Get(parts[part], p), access.Level(level)))
		}
	}
	for _, label := range o.Get(attrCapabilities).AsSet() {
		switch label {
		case labelAll, labelAllGA: // a feature of which nothing else is said is taken to be generally available
			if label == labelAll {
				put(partBlanket, anyPreview, 1)
			}
			put(partBlanket, anyCapability, 1)
			for _, l := range m.labels {
				if label == labelAll || !m.previews[l] {
					put(partBlanket, permCapability(l), 1)
				}
			}
		default:
			put(partRows, permCapability(label), 1)
		}
	}
	for area, level := range o.Get(attrAdmin).AsMap() {
		l, _ := adminScale.Level(level)
		put(partRows, permAdmin(area), int(l))
	}
	base := levelOf(o.Get(attrConnectorDefault).AsText())
	if !m.perms { // without connector permissions, whoever has a role has every connector
		base = int(toolScale.Top())
	}
	put(partDefault, anyConnector, base)
	tools, own, below := o.Get(attrTools).AsMap(), o.Get(attrConnectors).AsMap(), o.Get(attrBelow).AsMap()
	if unsure := o.Get(attrUnsure); unsure.Known() && !most {
		below = unsure.AsMap()
	}
	for label, names := range m.connectors {
		level := base
		if held, ok := below[label]; ok {
			level = levelOf(held)
		}
		put(partDefault, permConnector(label)+".*", level)
		put(partConnectors, permConnector(label)+".*", levelOf(own[label]))
		for _, t := range names {
			put(partDefault, permTool(label, t), level)
			put(partConnectors, permTool(label, t), levelOf(own[label]))
			put(partTools, permTool(label, t), levelOf(tools[label+"."+t]))
		}
	}
	return parts
}

// isAdministrator reports whether the API leaves a member alone.
func isAdministrator(o *schema.Object) bool {
	return slices.Contains(administrators, o.Get(attrOrganizationRole).AsText())
}
