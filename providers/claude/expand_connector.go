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
	before, after := e.ceilings(c.Before), e.ceilings(c.After)
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
		case f.Value.Known():
			do = append(do, fmt.Sprintf("%s: “%s”", f.Item, levelTitle[f.Value.AsText()]))
		default:
			do = append(do, fmt.Sprintf("%s: as all tools, “%s”", f.Item, levelTitle[c.After.Get(attrPolicy).AsText()]))
		}
	}
	e.add(schema.Step{
		ID: string(c.Addr) + "/" + id, Addr: c.Addr, Via: schema.ByConsole, Phase: phase, Proof: schema.Event, Settle: connectorSettle,
		Action:  "change the organization's tool policy of " + name,
		Console: &schema.Console{Where: "Organization settings › Connectors › " + name, By: byLibraries, Do: append(do, "Leave everything else as it is.")},
		Moves:   moves, Effects: effects,
	})
}

// connectorSettle is how long a change of a connector's permissions takes to
// be in force, in seconds.
//
// Source: product guide, role-based permissions, “about one minute”; read
// 2026-11-22.
const connectorSettle = 60

// ceilings returns the level that the policy of a connector allows, by
// permission.
func (e *expander) ceilings(o *schema.Object) map[string]int {
	label := e.connectorLabel(o.Key)
	base := levelOf(o.Get(attrPolicy).AsText())
	levels := map[string]int{permConnector(label) + ".*": base}
	for _, tool := range e.model.connectors[label] {
		levels[permTool(label, tool)] = base
		if own, ok := o.Get(attrToolPolicy).AsMap()[tool]; ok {
			levels[permTool(label, tool)] = levelOf(own)
		}
	}
	return levels
}
