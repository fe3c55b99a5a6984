package claude

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

const byLibraries = "an Owner, or who has Libraries on “Can manage”"

// policy changes the organization's tool policy of a connector: what it raises
// in one save and what it lowers in another, or everything in one where the
// policy for all tools changes, since single tools are kept out of that.
func (e *expander) policy(c *schema.Change) {
	if c.Before == nil || c.After == nil {
		return
	}
	before, after := e.model.ceilings(c.Before, true), e.model.ceilings(c.After, true)
	if unseen(c.Before, attrPolicy) || unseen(c.Before, attrToolPolicy) {
		e.unseenPolicy(c, after)
		return
	}
	var up, down []access.Move
	for _, key := range slices.Sorted(maps.Keys(after)) {
		a, b := before[key], after[key]
		m := access.Move{Kind: access.MoveCeiling, Permission: key, From: connectorLevels[a], To: connectorLevels[b]}
		switch {
		case b > a:
			up = append(up, m)
		case b < a:
			down = append(down, m)
		}
	}
	var raises, lowers []schema.Effect
	base := false
	for _, f := range c.Fields {
		switch f.Name {
		case attrPolicy:
			base = true
			raises = append(raises, schema.Effect{Addr: c.Addr, Attr: attrPolicy, Op: schema.Put, Value: f.After})
		case attrToolPolicy:
			for _, tool := range bothKeys(f) {
				was, is := f.Before.AsMap()[tool], f.After.AsMap()[tool]
				if was == is {
					continue
				}
				v := schema.Absent
				if is != "" {
					v = schema.Text(is)
				}
				effect := schema.Effect{Addr: c.Addr, Attr: attrToolPolicy, Op: schema.PutEntry, Item: tool, Value: v}
				key := permTool(e.connectorLabel(c.After.Key), tool)
				if after[key] < before[key] {
					lowers = append(lowers, effect)
				} else {
					raises = append(raises, effect)
				}
			}
		}
	}
	if base {
		e.policyStep(c, "policy", phaseFeatures, append(raises, lowers...), append(up, down...))
		return
	}
	e.policyStep(c, "raise", phaseFeatures, raises, up)
	e.policyStep(c, "lower", phaseRemovals, lowers, down)
}

// unseenPolicy is the save of a policy of which it is not known whether it is
// in force: everything that is described in one, to look at or to enter.
func (e *expander) unseenPolicy(c *schema.Change, after map[string]int) {
	var effects []schema.Effect
	var moves []access.Move
	for _, f := range c.Fields {
		if f.Name == attrPolicy || f.Name == attrToolPolicy {
			effects = append(effects, schema.Effect{Addr: c.Addr, Attr: f.Name, Op: schema.Put, Value: f.After})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		m := access.Move{Kind: access.MoveCeiling, Permission: key, From: connectorLevels[len(connectorLevels)-1], To: connectorLevels[after[key]]}
		if m.From == m.To {
			m.From = connectorLevels[0]
		}
		moves = append(moves, m)
	}
	e.policyStep(c, "policy", phaseFeatures, effects, moves)
}

func (e *expander) policyStep(c *schema.Change, id, phase string, effects []schema.Effect, moves []access.Move) {
	if len(effects) == 0 {
		return
	}
	name := quoted(e.connectorLabel(c.After.Key))
	var do []string
	for _, f := range effects {
		switch {
		case f.Attr == attrPolicy:
			do = append(do, fmt.Sprintf("All tools: “%s”", levelTitle[f.Value.AsText()]))
		case f.Op == schema.Put: // the whole list
			for _, tool := range slices.Sorted(maps.Keys(f.Value.AsMap())) {
				do = append(do, fmt.Sprintf("%s: “%s”", tool, levelTitle[f.Value.AsMap()[tool]]))
			}
			do = append(do, "Every other tool: as all tools")
		case f.Value.Known():
			do = append(do, fmt.Sprintf("%s: “%s”", f.Item, levelTitle[f.Value.AsText()]))
		default:
			do = append(do, fmt.Sprintf("%s: as all tools, “%s”", f.Item, levelTitle[c.After.Get(attrPolicy).AsText()]))
		}
	}
	proof, action := schema.Event, "change the organization's tool policy of "+name
	if id == "policy" && (unseen(c.Before, attrPolicy) || unseen(c.Before, attrToolPolicy)) {
		proof, action = schema.Attested, "set the organization's tool policy of "+name
		do = append(do, alreadySo)
	}
	e.add(schema.Step{
		ID: string(c.Addr) + "/" + id, Addr: c.Addr, Via: schema.ByConsole, Phase: phase, Proof: proof, Settle: connectorSettle,
		Action:  action,
		Console: &schema.Console{Where: connectorsPage + " › " + name, By: byLibraries, Do: append(do, "Leave everything else as it is, and save.")},
		Moves:   moves, Effects: effects,
	})
}

// connectorSettle is how long a change of a connector's permissions takes to
// be in force, in seconds.
//
// Source: product guide, role-based permissions, “about one minute”; read
// 2026-11-22.
const connectorSettle = 60
