package belay

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
	phaseIntegrations = "integrations"
	phaseGroups       = "groups"
	phaseGrants       = "grants"
	phaseMembers      = "members"
	phaseRemovals     = "removals"
)

// Phases returns the phases of a plan.
func (s *System) Phases() []string {
	return []string{phaseIntegrations, phaseGroups, phaseGrants, phaseMembers, phaseRemovals}
}

const (
	admin      = "an Admin of the organization"
	groupsPage = "Dashboard › Groups"
)

// expander turns changes into steps: one for each save in the dashboard. A
// change takes effect at the next tool call, a removal at once, so nothing has
// to settle.
type expander struct {
	*System
	created map[schema.Address]string // step that creates an object
	steps   []schema.Step
}

// Expand turns changes into steps.
func (s *System) Expand(changes []*schema.Change, _, _ *schema.State) []schema.Step {
	e := &expander{System: s, created: map[schema.Address]string{}}
	for _, c := range changes {
		if c.Action == schema.Create && c.Addr.Type() == "group" {
			e.created[c.Addr] = string(c.Addr) + "/create"
		}
	}
	for _, c := range changes {
		switch c.Addr.Type() {
		case "integration":
			e.integration(c)
		case "group":
			e.group(c)
		}
	}
	return e.steps
}

// save adds a step that a person makes in the dashboard.
func (e *expander) save(c *schema.Change, verb, phase, action, where string, do []string, moves []access.Move, effects ...schema.Effect) {
	step := schema.Step{ID: string(c.Addr) + "/" + verb, Addr: c.Addr, Via: schema.ByConsole, Phase: phase, Action: action,
		Console: &schema.Console{Where: where, By: admin, Do: do}, Proof: schema.Attested, Moves: moves, Effects: effects}
	if id, ok := e.created[c.Addr]; ok && verb != "create" {
		step.Needs = []string{id}
	}
	if e.canary != nil && e.canary.group == c.Addr && slices.ContainsFunc(effects, readByCanary) {
		step.Proof = schema.Canary
	}
	e.steps = append(e.steps, step)
}

// readByCanary reports whether a member of the group can see an effect.
func readByCanary(f schema.Effect) bool {
	return f.Attr == attrRole || strings.HasPrefix(f.Attr, attrGrant)
}

func (e *expander) integration(c *schema.Change) {
	label := cmp.Or(c.Before, c.After).Key
	where := "Dashboard › Integrations › " + providers.Quoted(label)
	if c.Action == schema.Delete {
		e.save(c, "disconnect", phaseRemovals, "disconnect "+label, where, []string{"Disconnect it. Groups lose its scopes at once."},
			e.ceiling(c, true, false), schema.Effect{Addr: c.Addr, Op: schema.Drop})
		return
	}
	was, is := providers.Before(c.Before, attrConnected).AsBool(), c.After.Get(attrConnected).AsBool()
	effects := []schema.Effect{{Addr: c.Addr, Attr: attrConnected, Op: schema.Put, Value: c.After.Get(attrConnected)}}
	if c.Action == schema.Create {
		effects = append([]schema.Effect{{Addr: c.Addr, Op: schema.Put, Value: schema.Text(c.After.Key)}}, effects...)
	}
	verb, phase, do := "connect", phaseIntegrations, "Connect it with the organization's credential. Nobody has any of it before a group is granted scopes."
	if !is {
		verb, phase, do = "disconnect", phaseRemovals, "Disconnect it, or see that it is not connected."
	}
	e.save(c, verb, phase, verb+" "+label, where, []string{do}, e.ceiling(c, was, is), effects...)
}

// ceiling returns the moves of an integration that is connected or
// disconnected.
func (e *expander) ceiling(c *schema.Change, was, is bool) []access.Move {
	if was == is {
		return nil
	}
	label := c.Addr
	var moves []access.Move
	for name := range e.catalogue {
		if schema.MakeAddress("integration", name, "") != label {
			continue
		}
		for _, scope := range slices.Sorted(maps.Keys(e.catalogue[name])) {
			m := access.Move{Kind: access.MoveCeiling, Permission: permScope(name, scope), From: scale.Levels[0], To: scale.Levels[1]}
			if was {
				m = m.Reverse()
			}
			moves = append(moves, m)
		}
	}
	return moves
}

func (e *expander) group(c *schema.Change) {
	if c.Action == schema.Delete {
		before := c.Before.Get(attrMembers).AsSet()
		e.save(c, "delete", phaseRemovals, "delete the group "+providers.Quoted(c.Before.Key), groupsPage+" › "+providers.Quoted(c.Before.Key),
			[]string{"Delete the group."}, slices.Concat(providers.Leaving(string(c.Addr), before), e.grantMoves(c, false)),
			schema.Effect{Addr: c.Addr, Op: schema.Drop})
		return
	}
	name := c.After.Key
	page := groupsPage + " › " + providers.Quoted(name)
	text := func(attr string) schema.Effect {
		return schema.Effect{Addr: c.Addr, Attr: attr, Op: schema.Put, Value: c.After.Get(attr), Minor: attr == attrDescription}
	}
	changed := map[string]schema.Field{}
	for _, f := range c.Fields {
		changed[f.Name] = f
	}
	if c.Action == schema.Create {
		effects := []schema.Effect{{Addr: c.Addr, Op: schema.Put, Value: schema.Text(name)}, text(attrName)}
		do := []string{"Name: " + name}
		if f, ok := changed[attrDescription]; ok {
			effects, do = append(effects, text(attrDescription)), append(do, "Description: "+f.After.AsText())
		}
		e.save(c, "create", phaseGroups, "create the group "+providers.Quoted(name), groupsPage+" › New group",
			append(do, "Save. A group of that name that is there already is the one that is meant."), nil, effects...)
		delete(changed, attrName)
		delete(changed, attrDescription)
	}
	if f, ok := changed[attrName]; ok {
		e.save(c, "rename", phaseGroups, fmt.Sprintf("rename the group %s to %s", providers.Quoted(f.Before.AsText()), providers.Quoted(name)),
			groupsPage+" › "+providers.Quoted(f.Before.AsText()), []string{"Name: " + name, "Save. Claude knows the group by its name: tell its members."}, nil, text(attrName))
		page = groupsPage + " › " + providers.Quoted(name)
	}
	if f, ok := changed[attrDescription]; ok {
		e.save(c, "describe", phaseGroups, "describe the group "+providers.Quoted(name), page, []string{"Description: " + f.After.AsText(), "Save."}, nil, text(attrDescription))
	}
	if f, ok := changed[attrRole]; ok {
		e.prompt(c, page, f, text(attrRole))
	}
	for _, attr := range slices.Sorted(maps.Keys(changed)) {
		if label, ok := strings.CutPrefix(attr, attrGrant); ok {
			e.grant(c, page, label, changed[attr])
		}
	}
	if f, ok := changed[attrMembers]; ok {
		e.members(c, page, f)
	}
}

// grantMoves returns the moves of what a group gives, those that raise or those
// that lower, but for its system prompt where it has one before and after.
func (e *expander) grantMoves(c *schema.Change, raise bool) []access.Move {
	up, down := providers.Granting(string(c.Addr), scale, granted(c.Before), granted(c.After))
	if raise {
		return up
	}
	return down
}

func (e *expander) prompt(c *schema.Change, page string, f schema.Field, effect schema.Effect) {
	phase, do := phaseGrants, []string{"Claude role: replace the text by what the plan shows (claude_role of " + string(c.Addr) + ").", "Save."}
	if f.After.AsText() == "" {
		phase, do = phaseRemovals, []string{"Claude role: remove the text.", "Save."}
	}
	key := permContext(c.Addr)
	var moves []access.Move
	for _, m := range slices.Concat(e.grantMoves(c, true), e.grantMoves(c, false)) {
		if m.Permission == key {
			moves = append(moves, m)
		}
	}
	e.save(c, "prompt", phase, "write the Claude role of the group "+providers.Quoted(c.After.Key), page, do, moves, effect)
}

// grant adds scopes in one save and takes others away in another, since a
// member can only keep the bound in two halves where one is traded for another.
func (e *expander) grant(c *schema.Change, page, label string, f schema.Field) {
	adds, takes := providers.Gained(f.Before, f.After), providers.Gained(f.After, f.Before)
	of := func(scopes []string, raise bool) []access.Move {
		var moves []access.Move
		for _, m := range e.grantMoves(c, raise) {
			if slices.ContainsFunc(scopes, func(s string) bool { return permScope(label, s) == m.Permission }) {
				moves = append(moves, m)
			}
		}
		return moves
	}
	where := page + " › Permissions"
	attr := attrGrant + label
	if len(adds) > 0 {
		line := "In " + label + ", tick: " + strings.Join(e.classed(label, adds), ", ")
		if len(f.Before.AsSet()) == 0 {
			line = "Add integration " + label + " and tick: " + strings.Join(e.classed(label, adds), ", ")
		}
		e.save(c, "grant/"+label, phaseGrants, fmt.Sprintf("grant %s of %s to the group %s", schema.Count(len(adds), "scope"), label, providers.Quoted(c.After.Key)),
			where, []string{line, "Save."}, of(adds, true), providers.Include(c.Addr, attr, adds)...)
	}
	if len(takes) > 0 {
		line, effects := "In "+label+", untick: "+strings.Join(takes, ", "), providers.Exclude(c.Addr, attr, takes)
		if len(f.After.AsSet()) == 0 {
			line, effects = "Remove the integration "+label, []schema.Effect{{Addr: c.Addr, Attr: attr, Op: schema.Drop}}
		}
		e.save(c, "take/"+label, phaseRemovals, fmt.Sprintf("take %s of %s from the group %s", schema.Count(len(takes), "scope"), label, providers.Quoted(c.After.Key)),
			where, []string{line, "Save."}, of(takes, false), effects...)
	}
}

// classed returns scopes with their classes.
func (e *expander) classed(label string, scopes []string) []string {
	list := make([]string, len(scopes))
	for i, s := range scopes {
		list[i] = s
		if class := e.catalogue[label][s]; class != "" {
			list[i] += " (" + class + ")"
		}
	}
	return list
}

func (e *expander) members(c *schema.Change, page string, f schema.Field) {
	where := page + " › Members"
	if adds := providers.Gained(f.Before, f.After); len(adds) > 0 {
		e.save(c, "join", phaseMembers, fmt.Sprintf("add %s to the group %s", schema.CountPeople(len(adds)), providers.Quoted(c.After.Key)), where,
			[]string{"Add: " + strings.Join(adds, ", "), "Whoever is not found there is not in the organization yet: invite them first, on Dashboard › People."},
			providers.Joining(string(c.Addr), adds), providers.Include(c.Addr, attrMembers, adds)...)
	}
	if takes := providers.Gained(f.After, f.Before); len(takes) > 0 {
		e.save(c, "leave", phaseRemovals, fmt.Sprintf("take %s out of the group %s", schema.CountPeople(len(takes)), providers.Quoted(c.After.Key)), where,
			[]string{"Remove: " + strings.Join(takes, ", ")},
			providers.Leaving(string(c.Addr), takes), providers.Exclude(c.Addr, attrMembers, takes)...)
	}
}
