package elvex

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// The phases of a plan.
const (
	phaseRoles    = "company roles"
	phaseGroups   = "groups"
	phaseMembers  = "members"
	phaseMappings = "mappings"
	phaseShares   = "shares"
	phaseRemovals = "removals"
)

// Phases returns the phases of a plan.
func (s *System) Phases() []string {
	return []string{phaseRoles, phaseGroups, phaseMembers, phaseMappings, phaseShares, phaseRemovals}
}

// Who may do what, as the help pages say.
const (
	byAdmin      = "a company Admin or Owner"
	byAnybody    = "anybody but a Consumer"
	byGroupOwner = "an Owner of the group"
	byGroupRole  = "an Owner or Editor of the group"
	byEditor     = "an Editor of the resource, or whoever made it"
)

const groupsPage = "Settings › Groups"

// expander turns changes into steps, one for each save.
type expander struct {
	*world
	live    *schema.State
	created map[schema.Address]string
	steps   []schema.Step
}

// Expand turns changes into steps.
func (s *System) Expand(changes []*schema.Change, live, desired *schema.State) []schema.Step {
	e := &expander{world: s.world([]*schema.State{live, desired}), live: live, created: map[schema.Address]string{}}
	for _, c := range changes {
		if c.Action == schema.Create {
			e.created[c.Addr] = string(c.Addr) + "/create"
		}
	}
	for _, c := range changes {
		switch c.Addr.Type() {
		case "member":
			e.member(c)
		case "group":
			e.group(c)
		case "mapping":
			e.mapping(c)
		case "resource":
			e.resource(c)
		}
	}
	return e.steps
}

// A save is what a person does in one go.
type save struct {
	verb, phase, action string
	where, by           string
	do                  []string
	moves               []access.Move
	effects             []schema.Effect
	after               []schema.Address // objects that must be there
}

func (e *expander) add(c *schema.Change, s save) {
	step := schema.Step{ID: string(c.Addr) + "/" + s.verb, Addr: c.Addr, Via: schema.ByConsole, Phase: s.phase, Action: s.action,
		Console: &schema.Console{Where: s.where, By: s.by, Do: s.do}, Proof: schema.Attested, Moves: s.moves, Effects: s.effects}
	if s.verb != "create" {
		s.after = append(s.after, c.Addr)
	}
	for _, addr := range s.after {
		if id, ok := e.created[addr]; ok {
			step.Needs = append(step.Needs, id)
		}
	}
	e.steps = append(e.steps, step)
}

func put(c *schema.Change, attr string) schema.Effect {
	return schema.Effect{Addr: c.Addr, Attr: attr, Op: schema.Put, Value: c.After.Get(attr)}
}

func (e *expander) member(c *schema.Change) {
	if c.After == nil || c.After.Get(attrCompanyRole).Equal(providers.Before(c.Before, attrCompanyRole)) {
		return
	}
	was, is := standing(c.Before), standing(c.After)
	s := save{verb: "role", phase: phaseRoles, action: fmt.Sprintf("give %s the company role %s", c.After.Key, is),
		where: "Settings › Users › " + c.After.Key, by: byAdmin, do: []string{"Role: " + is, "Save."},
		effects: []schema.Effect{{Addr: c.Addr, Op: schema.Put, Value: schema.Text(c.After.Key)}, put(c, attrCompanyRole)}}
	if was == "owner" || is == "owner" {
		s.by = "a company Owner"
	}
	if slices.Index(companyRoles, is) < slices.Index(companyRoles, was) {
		s.phase = phaseRemovals
	}
	if was != is {
		s.moves = []access.Move{{Kind: access.MoveStanding, Member: c.After.Key, From: was, To: is}}
	}
	e.add(c, s)
}

func (e *expander) group(c *schema.Change) {
	if c.Action == schema.Delete {
		s := save{verb: "delete", phase: phaseRemovals, action: "delete the group " + providers.Quoted(c.Before.Key),
			where: groupsPage + " › " + providers.Quoted(c.Before.Key), by: byGroupOwner, do: []string{"Delete the group."},
			effects: []schema.Effect{{Addr: c.Addr, Op: schema.Drop}}}
		for _, role := range groupRoles {
			s.moves = append(s.moves, providers.Leaving(inRole(c.Addr, role), atLeast(c.Before, role))...)
		}
		for _, m := range e.live.Of("mapping") {
			if m.Get(attrGroup).AsText() == string(c.Addr) {
				s.moves = append(s.moves, attachments(string(m.Addr), e.brings(m), nil)...)
			}
		}
		e.add(c, s)
		return
	}
	name := c.After.Key
	page := groupsPage + " › " + providers.Quoted(name)
	visibility := "Visibility: " + c.After.Get(attrVisibility).AsText()
	changed := map[string]bool{}
	for _, f := range c.Fields {
		changed[f.Name] = true
	}
	if c.Action == schema.Create {
		s := save{verb: "create", phase: phaseGroups, action: "create the group " + providers.Quoted(name), where: groupsPage, by: byAnybody,
			do:      []string{"Create a group.", "Name: " + name},
			effects: []schema.Effect{{Addr: c.Addr, Op: schema.Put, Value: schema.Text(name)}, put(c, attrName)}}
		if changed[attrVisibility] {
			s.do, s.effects = append(s.do, visibility), append(s.effects, put(c, attrVisibility))
		}
		s.do = append(s.do, "Save. Whoever creates it owns it: remove yourself at the end, if you are not to.")
		e.add(c, s)
		changed[attrName], changed[attrVisibility] = false, false
	}
	if changed[attrName] {
		was := c.Before.Get(attrName).AsText()
		e.add(c, save{verb: "rename", phase: phaseGroups, action: fmt.Sprintf("rename the group %s to %s", providers.Quoted(was), providers.Quoted(name)),
			where: groupsPage + " › " + providers.Quoted(was), by: byGroupOwner, do: []string{"Name: " + name, "Save."}, effects: []schema.Effect{put(c, attrName)}})
	}
	if changed[attrVisibility] {
		e.add(c, save{verb: "visibility", phase: phaseGroups, action: fmt.Sprintf("make the group %s %s", providers.Quoted(name), c.After.Get(attrVisibility).AsText()),
			where: page, by: byGroupOwner, do: []string{visibility, "Save."}, effects: []schema.Effect{put(c, attrVisibility)}})
	}
	e.people(c, page)
}

// rolesIn returns the roles that a group lists a person in, lowest first.
// Where several are listed the extra ones count too, until they are removed.
func rolesIn(o *schema.Object, email string) []string {
	var list []string
	for _, role := range groupRoles {
		if providers.Before(o, role).Has(email) {
			list = append(list, role)
		}
	}
	return list
}

// people makes a step for everybody whose roles change in the same way: each
// person's change is one save, and those of two people do not touch each other.
func (e *expander) people(c *schema.Change, page string) {
	type way struct{ from, to string }
	who := map[way][]string{}
	seen := map[string]bool{}
	for _, role := range groupRoles {
		for _, email := range slices.Concat(providers.Before(c.Before, role).AsSet(), c.After.Get(role).AsSet()) {
			from, to := rolesIn(c.Before, email), rolesIn(c.After, email)
			if !seen[email] && !slices.Equal(from, to) {
				w := way{strings.Join(from, "+"), strings.Join(to, "+")}
				who[w] = append(who[w], email)
			}
			seen[email] = true
		}
	}
	ways := slices.SortedFunc(maps.Keys(who), func(a, b way) int { return cmp.Or(strings.Compare(a.from, b.from), strings.Compare(a.to, b.to)) })
	for _, w := range ways {
		people := slices.Sorted(slices.Values(who[w]))
		s := save{where: page, by: byGroupRole}
		names := strings.Join(people, ", ")
		top := func(roles string) access.Level {
			all := strings.Split(roles, "+")
			return roleLevel(all[len(all)-1])
		}
		switch {
		case w.from == "":
			s.verb, s.phase, s.action = "join/"+w.to, phaseMembers, fmt.Sprintf("add %s to the group %s as %s", schema.CountPeople(len(people)), providers.Quoted(c.After.Key), w.to)
			s.do = []string{"Add as " + w.to + ": " + names}
		case w.to == "":
			s.verb, s.phase, s.action = "leave/"+w.from, phaseRemovals, fmt.Sprintf("take %s out of the group %s", schema.CountPeople(len(people)), providers.Quoted(c.After.Key))
			s.do = []string{"Remove: " + names, "Whoever came in through a mapping as well stays through it."}
		default:
			s.verb, s.action = "role/"+w.from+"/"+w.to, fmt.Sprintf("make %s %s instead of %s in the group %s", schema.CountPeople(len(people)), w.to, w.from, providers.Quoted(c.After.Key))
			s.do = []string{"Make " + w.to + ": " + names}
			s.phase = phaseMembers
			if top(w.to) < top(w.from) {
				s.phase = phaseRemovals
			}
		}
		if w.from == "owner" || w.to == "owner" {
			s.by = byGroupOwner
		}
		for _, role := range groupRoles {
			in := func(roles string) bool { return slices.Contains(strings.Split(roles, "+"), role) }
			switch {
			case in(w.to) && !in(w.from):
				s.effects = append(s.effects, providers.Include(c.Addr, role, people)...)
			case in(w.from) && !in(w.to):
				s.effects = append(s.effects, providers.Exclude(c.Addr, role, people)...)
			}
			switch from, to, at := top(w.from), top(w.to), roleLevel(role); {
			case from < at && at <= to:
				s.moves = append(s.moves, providers.Joining(inRole(c.Addr, role), people)...)
			case to < at && at <= from:
				s.moves = append(s.moves, providers.Leaving(inRole(c.Addr, role), people)...)
			}
		}
		e.add(c, s)
	}
}

// attachments returns the moves of a group of the access model from one set of
// sources to another.
func attachments(group string, before, after []string) []access.Move {
	var moves []access.Move
	move := func(source string, from, to string) {
		moves = append(moves, access.Move{Kind: access.MoveAttachment, Group: group, Source: source, From: from, To: to})
	}
	for _, s := range after {
		if !slices.Contains(before, s) {
			move(s, access.Out, access.In)
		}
	}
	for _, s := range before {
		if !slices.Contains(after, s) {
			move(s, access.In, access.Out)
		}
	}
	return moves
}

func (e *expander) mapping(c *schema.Change) {
	o := cmp.Or(c.After, c.Before)
	group := schema.Address(o.Get(attrGroup).AsText())
	s := save{by: byAdmin, phase: phaseMappings, after: []schema.Address{group}}
	s.where = groupsPage + " › " + providers.Quoted(e.name(group)) + " › IdP Configuration › Manage Groups"
	switch c.Action {
	case schema.Delete:
		s.verb, s.phase, s.action = "delete", phaseRemovals, "remove the mapping "+providers.Quoted(o.Key)
		s.do = []string{"Remove it. Everybody who came in through it leaves the group, unless the group lists them too."}
		s.effects = []schema.Effect{{Addr: c.Addr, Op: schema.Drop}}
		s.moves = attachments(string(c.Addr), e.brings(c.Before), nil)
	default:
		s.verb, s.action = "map", "map IdP groups into the group "+providers.Quoted(e.name(group))
		s.do = []string{"Values of the attribute groups, exactly: " + strings.Join(o.Get(attrValues).AsSet(), ", "), "Role: " + o.Get(attrRole).AsText(),
			"Save. It shows once people have logged in again."}
		s.moves = attachments(string(c.Addr), e.brings(c.Before), e.brings(c.After))
		if c.Action == schema.Create {
			s.verb, s.do = "create", append([]string{"Create, with the name: " + o.Key}, s.do...)
			s.effects = []schema.Effect{{Addr: c.Addr, Op: schema.Put, Value: schema.Text(o.Key)}}
		}
		for _, f := range c.Fields {
			if f.Name != attrMembers {
				s.effects = append(s.effects, put(c, f.Name))
			}
		}
	}
	e.add(c, s)
}

// name returns the name of a group.
func (e *expander) name(group schema.Address) string {
	if o := e.live.Objects[group]; o != nil {
		return o.Key
	}
	for _, b := range e.config.Of("group") {
		if b.Addr == group {
			return b.Text("name", b.Label)
		}
	}
	return string(group)
}

func (e *expander) resource(c *schema.Change) {
	o := cmp.Or(c.After, c.Before)
	r := e.System.resources[c.Addr]
	title := cmp.Or(r.name, o.Key)
	page := providers.Quoted(title) + " › Security & Permissions"
	if r.kind == "conversation" {
		page = providers.Quoted(title) + " › share icon in the header"
	}
	if c.Action == schema.Delete { // resources are not made by rolecall, and not deleted by it
		return
	}
	if c.Action == schema.Create {
		e.add(c, save{verb: "create", phase: phaseShares, action: fmt.Sprintf("look up the %s %s", r.kind, providers.Quoted(title)),
			where: page, by: byEditor, do: []string{"See that it is there and that " + r.creator + " made it.", "What it is shared with already and no step names: remove it, or describe it."},
			effects: []schema.Effect{{Addr: c.Addr, Op: schema.Put, Value: schema.Text(o.Key)}}})
	}
	for _, f := range c.Fields {
		switch f.Name {
		case attrVisibility:
			e.visibility(c, page, title, f)
		case attrShares:
			e.shares(c, page, title, f)
		}
	}
}

func (e *expander) visibility(c *schema.Change, page, title string, f schema.Field) {
	s := save{verb: "visibility", phase: phaseShares, action: fmt.Sprintf("make %s %s", providers.Quoted(title), f.After.AsText()), where: page, by: byEditor,
		do: []string{"Visibility: " + f.After.AsText(), "Save."}, effects: []schema.Effect{put(c, attrVisibility)}}
	if was, is := isPublic(c.Before), isPublic(c.After); was != is {
		s.moves = []access.Move{{Kind: access.MoveGrant, Source: public(c.Addr), Permission: string(c.Addr), From: roleScale.Levels[0], To: "viewer"}}
		if was {
			s.moves[0], s.phase = s.moves[0].Reverse(), phaseRemovals
		}
	}
	e.add(c, s)
}

func (e *expander) shares(c *schema.Change, page, title string, f schema.Field) {
	before, after := f.Before.AsMap(), f.After.AsMap()
	with := slices.AppendSeq(slices.Collect(maps.Keys(before)), maps.Keys(after))
	slices.Sort(with)
	for _, w := range slices.Compact(with) {
		was, is := before[w], after[w]
		if was == is {
			continue
		}
		whom := w
		if o := e.live.Objects[schema.Address(w)]; o != nil && o.Type == "member" {
			whom = o.Key
		} else if schema.Address(w).Type() == "group" {
			whom = "the group " + providers.Quoted(e.name(schema.Address(w)))
		}
		s := save{verb: "share/" + w, phase: phaseShares, where: page, by: byEditor, after: []schema.Address{schema.Address(w)}}
		effect := schema.Effect{Addr: c.Addr, Attr: attrShares, Op: schema.PutEntry, Item: w}
		switch {
		case is == "":
			s.phase, s.action, s.do = phaseRemovals, fmt.Sprintf("stop sharing %s with %s", providers.Quoted(title), whom), []string{"Remove " + whom + "."}
		default:
			s.action = fmt.Sprintf("share %s with %s as %s", providers.Quoted(title), whom, is)
			s.do = []string{"Share with " + whom + ", role " + is + ".", "Save."}
			effect.Value = schema.Text(is)
			if roleLevel(is) < roleLevel(was) {
				s.phase = phaseRemovals
			}
		}
		s.effects = []schema.Effect{effect}
		s.moves = []access.Move{{Kind: access.MoveGrant, Source: sharedWith(c.Addr, w), Permission: string(c.Addr),
			From: roleScale.Levels[roleLevel(was)], To: roleScale.Levels[roleLevel(is)]}}
		e.add(c, s)
	}
}
