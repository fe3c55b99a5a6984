package claude

import (
	"encoding/json"
	"fmt"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

const usagePage = "Organization settings › Usage"

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

func (e *expander) organizationLimit(c *schema.Change) {
	for _, f := range c.Fields {
		if f.Name == attrLimit {
			e.consoleLimit(c, f, usagePage+" › Spending defaults", "members who have no other", "Default limit for each member",
				access.Move{Kind: access.MoveDefault})
		}
	}
}

func (e *expander) seatLimit(c *schema.Change) {
	for _, f := range c.Fields {
		if f.Name == attrLimit {
			e.consoleLimit(c, f, usagePage+" › Spending defaults › Seat tiers › "+quoted(c.After.Key), "the seat tier "+quoted(c.After.Key), "Limit for each member",
				access.Move{Kind: access.MoveSeatSetting, Seat: string(c.Addr)})
		}
	}
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
