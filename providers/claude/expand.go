package claude

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// The phases of a plan, in the order of the vendor's guide: roles exist before
// groups have them, groups are filled before members depend on them, and a
// feature is switched on when everybody's access comes from a role.
const (
	phaseRoles     = "roles"
	phaseGroups    = "groups"
	phaseMembers   = "members"
	phaseInvites   = "invites"
	phaseMigration = "migration"
	phaseFeatures  = "features"
	phaseSpend     = "spend"
	phasePlugins   = "plugins"
	phaseRemovals  = "removals"
)

// Phases returns the phases of a plan.
func (s *System) Phases() []string {
	return []string{phaseRoles, phaseGroups, phaseMembers, phaseInvites, phaseMigration, phaseFeatures, phaseSpend, phasePlugins, phaseRemovals}
}

// PhasesBack returns the phases of a rollback: what the migration switched on
// goes off first, because people who are moved back to “User” have every
// feature that is on; then organization roles; then everything else.
//
// Source: product guide, role-based permissions, rollback; read 2026-11-22.
func (s *System) PhasesBack() []string {
	back := []string{phaseFeatures, phaseMigration}
	for _, p := range s.Phases() {
		if !slices.Contains(back, p) {
			back = append(back, p)
		}
	}
	return back
}

// maxGroups is how many groups an organization can have.
//
// Source: help centre, groups; read 2026-11-22.
const maxGroups = 100

// Limits returns how many objects of a type an organization can have.
func (s *System) Limits(typ string) int {
	if typ == "group" {
		return maxGroups
	}
	return 0
}

// slow is how long a change of a role, a group or an organization role takes
// to be in force everywhere, in seconds: the longest that the vendor names.
//
// Source: help centre, custom roles ("up to 15 minutes"); the product guide
// says 5. Read 2026-11-22.
const slow = 15 * 60

// expander turns changes into steps.
type expander struct {
	*System
	live, desired *schema.State
	model         *mapping
	steps         []schema.Step
	exists        map[schema.Address]string // step that creates an object
	idpRoles      bool                      // the identity provider decides organization roles
	scim          bool                      // the identity provider decides who is a member
}

// Expand turns changes into steps.
func (s *System) Expand(changes []*schema.Change, live, desired *schema.State) []schema.Step {
	m := newMapping(s)
	m.vocabulary([]*schema.State{live, desired})
	m.model = access.NewModel(access.NewUniverse(m.permissions()), nil, nil, nil, nil, nil)
	e := &expander{System: s, live: live, desired: desired, model: m, exists: map[schema.Address]string{}}
	if o := live.Objects["organization"]; o != nil {
		mode := o.Get(attrProvisioning).AsText()
		e.idpRoles = strings.HasSuffix(mode, "_advanced")
		e.scim = strings.HasPrefix(mode, "scim_")
	}
	for _, c := range changes {
		if c.Action == schema.Create {
			e.exists[c.Addr] = string(c.Addr) + "/create"
		}
	}
	attach := map[string][]string{} // role to the groups it is attached to
	for _, c := range changes {
		switch c.Addr.Type() {
		case "role":
			e.role(c)
		case "group":
			e.group(c, attach)
		case "member":
			e.member(c)
		case "feature":
			e.feature(c)
		case "spend":
			e.organizationLimit(c)
		case "seat_tier":
			e.seat(c)
		case "role_mapping":
			e.roleMapping(c)
		case "connector":
			e.policy(c)
		case "invite":
			e.invite(c)
		case "plugin":
			e.plugin(c)
		case "marketplace":
			e.marketplace(c)
		}
	}
	e.attach(attach)
	return e.steps
}

func (e *expander) add(s schema.Step) {
	s.Settle = min(s.Settle, int(e.settle.Seconds()))
	e.steps = append(e.steps, s)
}

// needs returns the steps that create the given objects, as far as this plan
// does.
func (e *expander) needs(addrs ...schema.Address) []string {
	var list []string
	for _, a := range addrs {
		if id, ok := e.exists[a]; ok {
			list = append(list, id)
		}
	}
	return list
}

// ref returns the id of an object, or the placeholder for one that is yet to
// be created.
func ref(o *schema.Object) string {
	if o.ID != "" {
		return o.ID
	}
	return "${" + url.PathEscape(string(o.Addr)) + "}"
}

// quoted writes a name into a sentence.
func quoted(name string) string { return "“" + name + "”" }

// role makes one step that adds and one that takes away, since a role of a
// member can only keep the bound in two halves where it trades one thing for
// another.
func (e *expander) role(c *schema.Change) {
	if c.Action == schema.Delete {
		e.deleteRole(c)
		return
	}
	before, after := e.parts(c.Before), e.parts(c.After)
	up, down := e.grantMoves(c.Addr, before, after)
	if c.Action == schema.Create {
		effects := []schema.Effect{{Addr: c.Addr, Op: schema.Put, Value: schema.Text(c.After.Key)}}
		for _, f := range c.Fields { // a connector held under the default is less than the default, and part of the creation
			effects = append(effects, e.fieldEffects(c.Addr, f, true)...)
			effects = append(effects, e.fieldEffects(c.Addr, f, false)...)
		}
		e.add(schema.Step{
			ID: e.exists[c.Addr], Addr: c.Addr, Via: schema.ByConsole, Phase: phaseRoles,
			Action:  "create the role " + quoted(c.After.Key),
			Console: &schema.Console{Where: rolesPage + " › Create role", By: byIdentity, Do: e.roleTable(c.After)},
			Proof:   e.roleProof(effects), Settle: slow, Moves: up, Effects: effects,
		})
		return
	}
	var adds, takes []schema.Effect
	for _, f := range c.Fields {
		adds = append(adds, e.fieldEffects(c.Addr, f, true)...)
		takes = append(takes, e.fieldEffects(c.Addr, f, false)...)
	}
	up, down, adds, takes = withDefault(c, up, down, adds, takes)
	if len(adds) > 0 {
		e.add(schema.Step{
			ID: string(c.Addr) + "/add", Save: string(c.Addr) + "/edit", Addr: c.Addr, Via: schema.ByConsole, Phase: phaseRoles,
			Action:  "edit the role " + quoted(c.Before.Key),
			Console: &schema.Console{Where: rolesPage + " › " + quoted(c.Before.Key), By: byIdentity, Do: e.editLines(adds)},
			Proof:   e.roleProof(adds), Settle: slow, Moves: up, Effects: adds,
		})
	}
	if len(takes) > 0 {
		e.add(schema.Step{
			ID: string(c.Addr) + "/take", Save: string(c.Addr) + "/edit", Addr: c.Addr, Via: schema.ByConsole, Phase: phaseRemovals,
			Action:  "take away from the role " + quoted(c.After.Key),
			Console: &schema.Console{Where: rolesPage + " › " + quoted(c.After.Key), By: byIdentity, Do: e.editLines(takes)},
			Proof:   e.roleProof(takes), Settle: slow, Moves: down, Effects: takes,
		})
	}
}

// withDefault puts what is held under the default into the same save as a
// change of the default itself. A default that is raised before its exceptions
// are made would open what is to stay closed, and one that is lowered after
// they are gone would have opened it.
func withDefault(c *schema.Change, up, down []access.Move, adds, takes []schema.Effect) (_, _ []access.Move, _, _ []schema.Effect) {
	i := slices.IndexFunc(c.Fields, func(f schema.Field) bool { return f.Name == attrConnectorDefault })
	if i < 0 {
		return up, down, adds, takes
	}
	raised := levelOf(c.Fields[i].After.AsText()) > levelOf(c.Fields[i].Before.AsText())
	ofDefault := func(m access.Move) bool { return m.Source == sourceName(c.Addr, partDefault) }
	below := func(e schema.Effect) bool { return e.Attr == attrBelow }
	if raised {
		up, down = pull(up, down, ofDefault)
		adds, takes = pull(adds, takes, below)
	} else {
		down, up = pull(down, up, ofDefault)
		takes, adds = pull(takes, adds, below)
	}
	return up, down, adds, takes
}

// pull moves what is wanted from one list to the end of another.
func pull[T any](to, from []T, wanted func(T) bool) (_, _ []T) {
	var rest []T
	for _, x := range from {
		if wanted(x) {
			to = append(to, x)
		} else {
			rest = append(rest, x)
		}
	}
	return to, rest
}

// parts returns what the parts of a role grant; nothing for no role.
func (e *expander) parts(o *schema.Object) map[string]access.Set {
	if o == nil {
		o = &schema.Object{}
	}
	return e.model.grants(o, true)
}

// grantMoves returns the moves of a role's grants, upwards and downwards.
func (e *expander) grantMoves(role schema.Address, before, after map[string]access.Set) (up, down []access.Move) {
	u := e.model.model.Universe
	for _, part := range roleParts {
		for i := range u.Len() {
			p := access.Perm(i)
			a, b := u.Get(before[part], p), u.Get(after[part], p)
			if a == b {
				continue
			}
			move := access.Move{Kind: access.MoveGrant, Source: sourceName(role, part), Permission: u.Key(p),
				From: u.LevelName(p, a), To: u.LevelName(p, b)}
			if b > a {
				up = append(up, move)
			} else {
				down = append(down, move)
			}
		}
	}
	return up, down
}

// fieldEffects returns what a change of one attribute of a role adds, or what
// it takes away. Names and descriptions count as added.
func (e *expander) fieldEffects(addr schema.Address, f schema.Field, adds bool) []schema.Effect {
	var list []schema.Effect
	entry := func(key, before, after string, level func(string) int) {
		if level(before) == level(after) || (level(after) > level(before)) != adds {
			return
		}
		v := schema.Absent
		if level(after) > 0 || f.Name == attrBelow && after != "" {
			v = schema.Text(after)
		}
		list = append(list, schema.Effect{Addr: addr, Attr: f.Name, Op: schema.PutEntry, Item: key, Value: v})
	}
	switch f.Name {
	case attrCapabilities:
		for _, label := range f.After.AsSet() {
			if adds && !f.Before.Has(label) {
				list = append(list, schema.Effect{Addr: addr, Attr: f.Name, Op: schema.Include, Item: label, Late: e.hidden(label)})
			}
		}
		for _, label := range f.Before.AsSet() {
			if !adds && !f.After.Has(label) {
				list = append(list, schema.Effect{Addr: addr, Attr: f.Name, Op: schema.Exclude, Item: label})
			}
		}
	case attrAdmin:
		level := func(l string) int { return slices.Index([]string{"", "view", "manage"}, l) }
		for _, k := range bothKeys(f) {
			entry(k, f.Before.AsMap()[k], f.After.AsMap()[k], level)
		}
	case attrConnectors, attrTools:
		for _, k := range bothKeys(f) {
			entry(k, f.Before.AsMap()[k], f.After.AsMap()[k], levelOf)
		}
	case attrBelow: // entering the list takes away, leaving it adds
		level := func(l string) int {
			if l == "" {
				return len(connectorLevels)
			}
			return levelOf(l)
		}
		for _, k := range bothKeys(f) {
			before, after := f.Before.AsMap()[k], f.After.AsMap()[k]
			if before != after && (level(after) > level(before)) == adds {
				v := schema.Absent
				if after != "" {
					v = schema.Text(after)
				}
				list = append(list, schema.Effect{Addr: addr, Attr: f.Name, Op: schema.PutEntry, Item: k, Value: v})
			}
		}
	case attrConnectorDefault:
		if (levelOf(f.After.AsText()) > levelOf(f.Before.AsText())) == adds {
			list = append(list, schema.Effect{Addr: addr, Attr: f.Name, Op: schema.Put, Value: f.After})
		}
	case attrName, attrDescription:
		if adds {
			list = append(list, schema.Effect{Addr: addr, Attr: f.Name, Op: schema.Put, Value: f.After, Minor: f.Name == attrDescription})
		}
	}
	return list
}

func bothKeys(f schema.Field) []string {
	keys := slices.Collect(maps.Keys(f.Before.AsMap()))
	keys = slices.AppendSeq(keys, maps.Keys(f.After.AsMap()))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// hidden reports whether the rows of a capability cannot be read yet: its
// feature is not known to be on.
func (e *expander) hidden(label string) bool {
	o := e.live.Objects[schema.MakeAddress("feature", label, "")]
	return o != nil && !o.Get(attrEnabled).AsBool()
}

func (e *expander) roleProof(effects []schema.Effect) schema.Proof {
	proof := schema.Exact
	for _, f := range effects {
		switch {
		case f.Attr == attrBelow:
			return schema.Attested
		case f.Attr == attrDescription && proof == schema.Exact && len(effects) == 1:
			return schema.Unverified
		case f.Late:
			proof = schema.Deferred
		}
	}
	return proof
}

func (e *expander) group(c *schema.Change, attach map[string][]string) {
	after := c.After
	if c.Action == schema.Delete {
		e.deleteGroup(c)
		return
	}
	if c.Action == schema.Create {
		e.add(schema.Step{
			ID: e.exists[c.Addr], Addr: c.Addr, Via: schema.ByAPI, Phase: phaseGroups,
			Action:  "create the group " + quoted(after.Key),
			Request: &schema.Request{Method: "POST", Path: "/v1/organizations/rbac_groups", Body: body("name", after.Key)},
			Proof:   schema.Exact,
			Effects: []schema.Effect{{Addr: c.Addr, Op: schema.Put, Value: schema.Text(after.Key)}},
		})
	}
	for _, f := range c.Fields {
		switch f.Name {
		case attrName:
			if c.Action == schema.Rename {
				e.add(schema.Step{
					ID: string(c.Addr) + "/rename", Addr: c.Addr, Via: schema.ByAPI, Phase: phaseGroups,
					Action:  fmt.Sprintf("rename the group %s to %s", quoted(c.Before.Key), quoted(after.Key)),
					Request: &schema.Request{Method: "POST", Path: "/v1/organizations/rbac_groups/" + ref(after), Body: body("name", after.Key)},
					Proof:   schema.Exact, Effects: []schema.Effect{{Addr: c.Addr, Attr: attrName, Op: schema.Put, Value: f.After}},
				})
			}
		case attrRoles:
			e.attachments(c, f, attach)
		case attrMembers:
			e.memberships(c, f)
		case attrLimit:
			e.groupLimit(c, f)
		default:
			if label, ok := strings.CutPrefix(f.Name, attrPlugin); ok {
				e.groupPlugin(c, label, f)
			}
		}
	}
}

// attachments notes which roles a group is to have, and detaches others in one
// save.
func (e *expander) attachments(c *schema.Change, f schema.Field, attach map[string][]string) {
	for _, r := range f.After.AsSet() {
		if !f.Before.Has(r) {
			attach[r] = append(attach[r], string(c.Addr))
		}
	}
	var downs []string
	for _, r := range f.Before.AsSet() {
		if !f.After.Has(r) {
			downs = append(downs, r)
		}
	}
	if len(downs) > 0 {
		s := e.attachStep(c.Addr, "detach", schema.Exclude, phaseRemovals, []string{string(c.Addr)}, downs)
		s.Action = fmt.Sprintf("detach %s from the group %s", e.roleNames(downs), quoted(c.After.Key))
		s.Console.Where = "Organization settings › Groups › " + quoted(c.After.Key) + " › Roles"
		s.Console.Do = []string{"Remove: " + e.roleNames(downs), "Save."}
		e.add(s)
	}
}

// attach attaches roles to groups in as few saves as possible: on the page of
// each role, or on the page of each group.
func (e *expander) attach(byRole map[string][]string) {
	byGroup := map[string][]string{}
	for role, groups := range byRole {
		for _, g := range groups {
			byGroup[g] = append(byGroup[g], role)
		}
	}
	if len(byGroup) < len(byRole) {
		for _, g := range slices.Sorted(maps.Keys(byGroup)) {
			e.attachToGroup(schema.Address(g), byGroup[g])
		}
		return
	}
	for _, role := range slices.Sorted(maps.Keys(byRole)) {
		e.attachToGroups(schema.Address(role), byRole[role])
	}
}

func (e *expander) attachToGroup(group schema.Address, roles []string) {
	slices.Sort(roles)
	s := e.attachStep(group, "attach", schema.Include, phaseGroups, []string{string(group)}, roles)
	name := quoted(e.objectName(group))
	s.Action = fmt.Sprintf("attach %s to the group %s", e.roleNames(roles), name)
	s.Console.Where = "Organization settings › Groups › " + name + " › Roles"
	s.Console.Do = []string{"Add: " + e.roleNames(roles), "Save."}
	e.add(s)
}

func (e *expander) attachToGroups(role schema.Address, groups []string) {
	slices.Sort(groups)
	s := e.attachStep(role, "attach", schema.Include, phaseGroups, groups, []string{string(role)})
	name := quoted(e.objectName(role))
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = quoted(e.objectName(schema.Address(g)))
	}
	s.Action = fmt.Sprintf("attach the role %s to %s", name, schema.Count(len(groups), "group"))
	if len(groups) == 1 {
		s.Action = fmt.Sprintf("attach the role %s to the group %s", name, names[0])
	}
	s.Console.Where = rolesPage + " › " + name + " › Groups"
	s.Console.Do = []string{"Add: " + strings.Join(names, ", "), "Save."}
	e.add(s)
}

func (e *expander) attachStep(addr schema.Address, verb string, op schema.Op, phase string, groups, roles []string) schema.Step {
	s := schema.Step{
		ID: string(addr) + "/" + verb, Addr: addr, Via: schema.ByConsole, Phase: phase,
		Console: &schema.Console{By: byIdentity}, Proof: schema.Exact, Settle: slow,
	}
	from, to := access.Out, access.In
	if op == schema.Exclude {
		from, to = to, from
	}
	for _, g := range groups {
		s.Needs = append(s.Needs, e.needs(schema.Address(g))...)
		for _, r := range roles {
			s.Effects = append(s.Effects, schema.Effect{Addr: schema.Address(g), Attr: attrRoles, Op: op, Item: r})
			for _, part := range roleParts {
				s.Moves = append(s.Moves, access.Move{Kind: access.MoveAttachment, Group: g,
					Source: sourceName(schema.Address(r), part), From: from, To: to})
			}
		}
	}
	for _, r := range roles {
		s.Needs = append(s.Needs, e.needs(schema.Address(r))...)
	}
	return s
}

func (e *expander) roleNames(addrs []string) string {
	names := make([]string, len(addrs))
	for i, a := range addrs {
		names[i] = quoted(e.objectName(schema.Address(a)))
	}
	return strings.Join(names, ", ")
}

// objectName returns the name that people see of an object.
func (e *expander) objectName(addr schema.Address) string {
	if o := e.desired.Objects[addr]; o != nil {
		return o.Key
	}
	if o := e.live.Objects[addr]; o != nil {
		return o.Key
	}
	return string(addr)
}

func (e *expander) memberships(c *schema.Change, f schema.Field) {
	path := "/v1/organizations/rbac_groups/" + ref(c.After) + "/members"
	for _, email := range f.After.AsSet() {
		if f.Before.Has(email) {
			continue
		}
		user := e.live.Objects[memberAddress(email)]
		e.add(schema.Step{
			ID: string(c.Addr) + "/join/" + email, Addr: c.Addr, Via: schema.ByAPI, Phase: phaseMembers,
			Action:  fmt.Sprintf("add %s to the group %s", email, quoted(c.After.Key)),
			Request: &schema.Request{Method: "POST", Path: path, Body: body("user_id", ref(user))},
			Proof:   schema.Exact, Settle: slow, Needs: e.needs(c.Addr),
			Moves:   []access.Move{membership(email, c.Addr, access.Out, access.In)},
			Effects: []schema.Effect{{Addr: c.Addr, Attr: attrMembers, Op: schema.Include, Item: email}},
		})
	}
	for _, email := range f.Before.AsSet() {
		if f.After.Has(email) || e.desired.Objects[memberAddress(email)] == nil {
			continue // whoever leaves the organization leaves its groups with it
		}
		user := e.live.Objects[memberAddress(email)]
		e.add(schema.Step{
			ID: string(c.Addr) + "/leave/" + email, Addr: c.Addr, Via: schema.ByAPI, Phase: phaseRemovals,
			Action:  fmt.Sprintf("remove %s from the group %s", email, quoted(c.After.Key)),
			Request: &schema.Request{Method: "DELETE", Path: path + "/" + ref(user)},
			Proof:   schema.Exact, Settle: slow,
			Moves:   []access.Move{membership(email, c.Addr, access.In, access.Out)},
			Effects: []schema.Effect{{Addr: c.Addr, Attr: attrMembers, Op: schema.Exclude, Item: email}},
		})
	}
}

func membership(email string, group schema.Address, from, to string) access.Move {
	return access.Move{Kind: access.MoveMembership, Member: email, Group: string(group), From: from, To: to}
}

func (e *expander) member(c *schema.Change) {
	if c.Action == schema.Delete {
		e.removeMember(c)
		return
	}
	for _, f := range c.Fields {
		switch f.Name {
		case attrOrganizationRole:
			e.organizationRole(c, f)
		case attrLimit:
			e.memberLimit(c, f)
		}
	}
}

func (e *expander) organizationRole(c *schema.Change, f schema.Field) {
	title := roleTitle[f.After.AsText()]
	s := schema.Step{
		ID: string(c.Addr) + "/organization_role", Addr: c.Addr, Via: schema.ByAPI, Phase: phaseMigration,
		Action: fmt.Sprintf("move %s to %s", c.After.Key, quoted(title)),
		Request: &schema.Request{Method: "POST", Path: "/v1/organizations/users/" + ref(c.After),
			Body: body("role", f.After.AsText())},
		Proof: schema.Exact, Settle: slow, Wave: c.Wave, Held: c.Held,
		Moves:   []access.Move{{Kind: access.MoveStanding, Member: c.After.Key, From: standingOf(f.Before.AsText()), To: f.After.AsText()}},
		Effects: []schema.Effect{{Addr: c.Addr, Attr: attrOrganizationRole, Op: schema.Put, Value: f.After}},
	}
	if e.idpRoles {
		s.Via, s.Request = schema.ByConsole, nil
		s.Console = &schema.Console{Where: "your identity provider, and " + mappingsPage, By: byIdentity,
			Do: []string{fmt.Sprintf("Put %s into an identity provider group that is mapped to %s, and into none that is mapped to another role.", c.After.Key, quoted(title)),
				"Wait for the next sync, or start one."}}
	}
	e.add(s)
}

// removeMember takes a person out of the organization, and with it out of all
// groups.
func (e *expander) removeMember(c *schema.Change) {
	email := c.Before.Key
	s := schema.Step{
		ID: string(c.Addr) + "/remove", Addr: c.Addr, Via: schema.ByAPI, Phase: phaseRemovals,
		Action:  fmt.Sprintf("remove %s from the organization", email),
		Request: &schema.Request{Method: "DELETE", Path: "/v1/organizations/users/" + ref(c.Before)},
		Proof:   schema.Exact, Settle: slow,
		Effects: []schema.Effect{{Addr: c.Addr, Op: schema.Drop}},
	}
	for _, g := range e.live.Of("group") {
		if g.Get(attrMembers).Has(email) {
			s.Moves = append(s.Moves, membership(email, g.Addr, access.In, access.Out))
			if e.desired.Objects[g.Addr] != nil { // else the deletion of the group shows it
				s.Effects = append(s.Effects, schema.Effect{Addr: g.Addr, Attr: attrMembers, Op: schema.Exclude, Item: email})
			}
		}
	}
	if l := c.Before.Get(attrLimit); l.Kind() == schema.KindText {
		s.Moves = append(s.Moves, access.Move{Kind: access.MoveMemberSetting, Member: email, Setting: monthlySpend, From: l.AsText()})
	}
	s.Moves = append(s.Moves, access.Move{Kind: access.MoveStanding, Member: email, From: standingOf(c.Before.Get(attrOrganizationRole).AsText())})
	if e.scim {
		s.Via, s.Request = schema.ByConsole, nil
		s.Console = &schema.Console{Where: "your identity provider", By: byIdentity,
			Do: []string{"Unassign " + email + " from Claude.", "Wait for the next sync, or start one."}}
	}
	e.add(s)
}

func (e *expander) feature(c *schema.Change) {
	label := e.words.label(c.After.Key)
	on := c.After.Get(attrEnabled).AsBool()
	verb, from, to := "off", "allowed", "none"
	if on {
		verb, from, to = "on", "none", "allowed"
	}
	known := e.words.byLabel[label]
	proof := schema.Exact
	if known.setting == "" {
		proof = schema.Event
	}
	do := []string{fmt.Sprintf("Switch %s %s.", quoted(e.words.title(label)), verb)}
	if unseen(c.Before, attrEnabled) {
		proof = schema.Attested // if it is so already, nothing will ever show it
		do = append(do, "It may be "+verb+" already: rolecall cannot see it. Then leave it.")
	}
	e.add(schema.Step{
		ID: string(c.Addr) + "/" + verb, Addr: c.Addr, Via: schema.ByConsole, Phase: phaseFeatures,
		Action:  fmt.Sprintf("switch %s %s for the organization", e.words.title(label), verb),
		Console: &schema.Console{Where: capabilitiesPage, By: byOwner, Do: append(do, "Save.")},
		Proof:   proof, Settle: slow,
		Moves:   []access.Move{{Kind: access.MoveCeiling, Permission: permCapability(label), From: from, To: to}},
		Effects: []schema.Effect{{Addr: c.Addr, Attr: attrEnabled, Op: schema.Put, Value: schema.Bool(on)}},
	})
}

// body returns a JSON object of one field.
func body(name, value string) json.RawMessage {
	b, _ := json.Marshal(map[string]string{name: value}) // strings always encode
	return b
}
