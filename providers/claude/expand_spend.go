package claude

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// consoleLimit is one save of a limit by hand; what is "the group “Pilot”",
// field what the page calls the field.
func (e *expander) consoleLimit(c *schema.Change, f schema.Field, where, what, field string, move access.Move) {
	do := field + ": " + e.money(f.After) + " a month."
	op := schema.Put
	switch {
	case f.After.Kind() == schema.KindAbsent:
		do, op = field+": remove the amount, so that there is none.", schema.Drop
	case f.After.AsText() == "unlimited":
		do = field + ": unlimited."
	}
	move.Setting, move.From, move.To = monthlySpend, f.Before.AsText(), f.After.AsText()
	e.add(schema.Step{
		ID: string(c.Addr) + "/limit", Addr: c.Addr, Via: schema.ByConsole, Phase: phaseSpend,
		Action:  fmt.Sprintf("set the monthly limit of %s to %s", what, e.money(f.After)),
		Console: &schema.Console{Where: where, By: byBilling, Do: []string{do, "Save."}},
		Proof:   schema.Exact, Needs: e.needs(c.Addr), Moves: []access.Move{move},
		Effects: []schema.Effect{{Addr: c.Addr, Attr: attrLimit, Op: op, Value: f.After}},
	})
}

func (e *expander) groupLimit(c *schema.Change, f schema.Field) {
	name := quoted(c.After.Key)
	e.consoleLimit(c, f, usagePage+" › Group limits › "+name, "the group "+name, "Limit for each member",
		access.Move{Kind: access.MoveGroupSetting, Group: string(c.Addr)})
}

// organizationLimit changes what limits everybody's spend. What is on one page
// is one save: the default and which group limit wins.
func (e *expander) organizationLimit(c *schema.Change) {
	for _, f := range c.Fields {
		switch f.Name {
		case attrLimit:
			e.consoleLimit(c, f, defaultsPage, "members who have no other", "Default limit for each member",
				access.Move{Kind: access.MoveDefault})
			e.steps[len(e.steps)-1].Save = string(c.Addr) + "/defaults"
		case attrCeiling:
			e.ceiling(c, f)
		case attrPrecedence:
			e.precedence(c, f)
		}
	}
}

// ceiling sets the limit of the organization as a whole. No read shows it.
func (e *expander) ceiling(c *schema.Change, f schema.Field) {
	do := []string{"Organization limit: " + e.money(f.After) + " a month."}
	if unseen(c.Before, attrCeiling) {
		do = append(do, alreadySo)
	}
	e.add(schema.Step{
		ID: string(c.Addr) + "/ceiling", Addr: c.Addr, Via: schema.ByConsole, Phase: phaseSpend, Proof: schema.Attested,
		Action:  "set the monthly spend ceiling of the organization to " + e.money(f.After),
		Console: &schema.Console{Where: usagePage + " › Organization limit", By: byBilling, Do: append(do, "Save.")},
		Moves:   []access.Move{{Kind: access.MoveSettingCeiling, Setting: monthlySpend, From: f.Before.AsText(), To: f.After.AsText()}},
		Effects: []schema.Effect{{Addr: c.Addr, Attr: attrCeiling, Op: schema.Put, Value: f.After}},
	})
}

// precedenceTitle is how the console names which of several group limits wins.
//
// Source: product guide, role-based permissions, “Multi-group spend limit”;
// read 2026-11-22.
var precedenceTitle = map[string]string{"lowest": "Lower group limit", "highest": "Higher group limit"}

func (e *expander) precedence(c *schema.Change, f schema.Field) {
	to := f.After.AsText()
	from := map[string]string{"lowest": "highest", "highest": "lowest"}[to]
	do := []string{"Multi-group spend limit: " + quoted(precedenceTitle[to])}
	if unseen(c.Before, attrPrecedence) {
		do = append(do, alreadySo)
	}
	e.add(schema.Step{
		ID: string(c.Addr) + "/precedence", Save: string(c.Addr) + "/defaults", Addr: c.Addr, Via: schema.ByConsole, Phase: phaseSpend, Proof: schema.Attested,
		Action:  "let the " + to + " of several group limits win",
		Console: &schema.Console{Where: defaultsPage, By: byBilling, Do: append(do, "Save.")},
		Moves:   []access.Move{{Kind: access.MovePrecedence, Setting: monthlySpend, From: from, To: to}},
		Effects: []schema.Effect{{Addr: c.Addr, Attr: attrPrecedence, Op: schema.Put, Value: f.After}},
	})
}

// seat changes the limit of a seat tier, and who has it.
func (e *expander) seat(c *schema.Change) {
	for _, f := range c.Fields {
		switch f.Name {
		case attrLimit:
			e.consoleLimit(c, f, defaultsPage+" › Seat tiers › "+quoted(c.After.Key), "the seat tier "+quoted(c.After.Key), "Limit for each member",
				access.Move{Kind: access.MoveSeatSetting, Seat: string(c.Addr)})
		case attrMembers:
			e.seated(c, f)
		}
	}
}

// seated gives people a seat, or has it looked up who has it. A seat that
// somebody else is to have is taken there.
func (e *expander) seated(c *schema.Change, f schema.Field) {
	name := quoted(c.After.Key)
	var do []string
	gained, lost := providers.Gained(f.Before, f.After), providers.Gained(f.After, f.Before)
	if len(gained) > 0 {
		do = append(do, "Seat "+name+" for: "+strings.Join(gained, ", "))
	}
	if len(lost) > 0 {
		do = append(do, "Another seat than "+name+" for: "+strings.Join(lost, ", "))
	}
	if unseen(c.Before, attrMembers) {
		do = append(do, "Nobody else has it.", alreadySo)
	}
	e.add(schema.Step{
		ID: string(c.Addr) + "/members", Addr: c.Addr, Via: schema.ByConsole, Phase: phaseMembers, Proof: schema.Attested, Settle: slow,
		Action:  fmt.Sprintf("give the seat %s to %s", name, schema.CountPeople(len(f.After.AsSet()))),
		Console: &schema.Console{Where: membersPage + " › Seat", By: byBilling, Do: append(do, "Save.")},
		Effects: []schema.Effect{{Addr: c.Addr, Attr: attrMembers, Op: schema.Put, Value: f.After}},
	})
}

// money writes a limit in major units.
func (e *expander) money(v schema.Value) string {
	switch s := v.AsText(); {
	case v.Kind() == schema.KindAbsent:
		return "none of its own"
	case s == "unlimited":
		return s
	default:
		return schema.Major(s)
	}
}

func (e *expander) memberLimit(c *schema.Change, f schema.Field) {
	s := schema.Step{
		ID: string(c.Addr) + "/limit", Addr: c.Addr, Via: schema.ByAPI, Phase: phaseSpend,
		Action: fmt.Sprintf("set the monthly limit of %s to %s", c.After.Key, e.money(f.After)),
		Proof:  schema.Exact,
		Moves: []access.Move{{Kind: access.MoveMemberSetting, Member: c.After.Key, Setting: monthlySpend,
			From: f.Before.AsText(), To: f.After.AsText()}},
		Effects: []schema.Effect{{Addr: c.Addr, Attr: attrLimit, Op: schema.Put, Value: f.After}},
	}
	if f.After.Kind() == schema.KindAbsent {
		s.Request = &schema.Request{Method: "DELETE", Path: "/v1/organizations/spend_limits/" + c.Before.Get(attrLimitID).AsText()}
		s.Effects[0].Op = schema.Drop
	} else {
		var amount *string
		if a := f.After.AsText(); a != "unlimited" {
			amount = &a
		}
		b, _ := json.Marshal(map[string]any{"amount": amount, "period": "monthly", "scope": map[string]string{"type": "user", "user_id": ref(c.After)}})
		s.Request = &schema.Request{Method: "POST", Path: "/v1/organizations/spend_limits", Body: b}
	}
	e.add(s)
}
