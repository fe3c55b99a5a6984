package claude

import (
	"fmt"

	"github.com/rolecall/rolecall/schema"
)

// roleMapping maps a group of the identity provider to an organization role.
// Who is in that group is the identity provider's knowledge, so no member's
// access is moved by it here.
//
// Source: help centre, JIT and SCIM provisioning, group mappings; read
// 2026-11-22.
func (e *expander) roleMapping(c *schema.Change) {
	s := schema.Step{
		ID: string(c.Addr) + "/map", Addr: c.Addr, Via: schema.ByConsole, Phase: phaseMigration, Proof: schema.Attested, Settle: slow,
		Console: &schema.Console{Where: mappingsPage, By: byIdentity},
	}
	if c.Action == schema.Delete {
		s.ID = string(c.Addr) + "/unmap"
		s.Phase = phaseRemovals
		s.Action = fmt.Sprintf("take the identity provider's group %s out of the mappings", quoted(c.Before.Key))
		s.Console.Do = []string{fmt.Sprintf("Remove the mapping of %s.", quoted(c.Before.Key)),
			"Whoever is in no other mapped group may lose their account: look through its members before.", "Save."}
		s.Effects = []schema.Effect{{Addr: c.Addr, Op: schema.Drop}}
		e.add(s)
		return
	}
	role := c.After.Get(attrRole)
	s.Action = fmt.Sprintf("map the identity provider's group %s to %s", quoted(c.After.Key), quoted(roleTitle[role.AsText()]))
	s.Console.Do = []string{fmt.Sprintf("Group %s: %s", quoted(c.After.Key), quoted(roleTitle[role.AsText()])),
		"Leave the other mappings as they are: whoever is in no mapped group may lose their account."}
	if c.Action == schema.Create {
		s.Console.Do = append(s.Console.Do, alreadySo)
		s.Effects = append(s.Effects, schema.Effect{Addr: c.Addr, Op: schema.Put, Value: schema.Text(c.After.Key)})
	}
	s.Console.Do = append(s.Console.Do, "Save.")
	s.Effects = append(s.Effects, schema.Effect{Addr: c.Addr, Attr: attrRole, Op: schema.Put, Value: role})
	e.add(s)
}
