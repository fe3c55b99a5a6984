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

// unseenPolicy is the saves of a policy of which it is not known whether it is
// in force, to look at or to enter: what is blocked in one, which can only take
// away, and everything else in another, which can also give.
func (e *expander) unseenPolicy(c *schema.Change, after map[string]int) {
	var lowers, others []schema.Effect
	blocked := map[string]bool{}
	for _, f := range c.Fields {
		switch {
		case f.Name == attrPolicy, f.Name == attrToolPolicy && len(f.After.AsMap()) == 0:
			others = append(others, schema.Effect{Addr: c.Addr, Attr: f.Name, Op: schema.Put, Value: f.After})
		case f.Name == attrToolPolicy:
			for _, tool := range bothKeys(f) {
				level := f.After.AsMap()[tool]
				if f.Before.AsMap()[tool] == level {
					continue
				}
				effect := schema.Effect{Addr: c.Addr, Attr: f.Name, Op: schema.PutEntry, Item: tool, Value: schema.Text(level)}
				switch level {
				case "":
					effect.Value = schema.Absent
					others = append(others, effect)
				case connectorLevels[0]:
					lowers = append(lowers, effect)
					blocked[permTool(e.connectorLabel(c.After.Key), tool)] = true
				default:
					others = append(others, effect)
				}
			}
		}
	}
	var down, rest []access.Move
	least, most := e.model.ceilings(c.Before, false), e.model.ceilings(c.Before, true)
	for _, key := range slices.Sorted(maps.Keys(after)) {
		m := access.Move{Kind: access.MoveCeiling, Permission: key, From: connectorLevels[most[key]], To: connectorLevels[after[key]]}
		if m.From == m.To {
			m.From = connectorLevels[least[key]]
		}
		switch {
		case m.From == m.To: // known
		case blocked[key]:
			down = append(down, m)
		default:
			rest = append(rest, m)
		}
	}
	e.policyStep(c, "lower", phaseRemovals, lowers, down)
	e.policyStep(c, "policy", phaseFeatures, others, rest)
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
		case f.Op == schema.Put: // an empty list
			do = append(do, "Every tool: as all tools")
		case f.Value.Known():
			do = append(do, fmt.Sprintf("%s: “%s”", f.Item, levelTitle[f.Value.AsText()]))
		default:
			do = append(do, fmt.Sprintf("%s: as all tools, “%s”", f.Item, levelTitle[c.After.Get(attrPolicy).AsText()]))
		}
	}
	proof, action := schema.Event, "change the organization's tool policy of "+name
	if unseen(c.Before, attrPolicy) || unseen(c.Before, attrToolPolicy) {
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
