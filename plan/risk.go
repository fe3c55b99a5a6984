package plan

import (
	"fmt"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// A Risk is something that a reviewer takes upon themselves by approving a
// plan. Its id is made of what it is about and of nothing else, so two plans
// that do the same have the same risks, however they were made.
type Risk struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"`
	Members []string `json:"members"` // whom it concerns, each a risk of its own
}

// risks returns what a plan risks: everybody who gains or loses, what is
// deleted, emptied or switched on, what is accepted although a check or a guard
// speaks against it. What is held is not among it, because it is not done.
func (p *Plan) risks() []Risk {
	list := []Risk{}
	for _, a := range p.Access {
		list = append(list, Risk{
			ID:   fmt.Sprintf("%s:%s:%s", a.Direction, a.Permission, a.To),
			Text: fmt.Sprintf("%s: %s → %s", a.Permission, a.From, a.To), Members: a.Members,
		})
	}
	for _, l := range p.Limits {
		list = append(list, Risk{
			ID:   fmt.Sprintf("%s:spend.%s:%s", l.Direction, l.Period, l.To),
			Text: fmt.Sprintf("spend.%s: %s → %s", l.Period, schema.Major(l.From), schema.Major(l.To)), Members: l.Members,
		})
	}
	for _, c := range p.Changed {
		if c.Held {
			continue
		}
		add := func(what, text string) {
			list = append(list, Risk{ID: what + ":" + string(c.Address), Text: text + " " + string(c.Address), Members: []string{}})
		}
		before, after := c.Before["members"], c.After["members"]
		switch {
		case c.Action == schema.Delete:
			add("delete", "deletes")
		case len(before.AsSet()) > 0 && after.Kind() == schema.KindSet && len(after.AsSet()) == 0:
			add("empty", "empties")
		case c.After["enabled"].AsBool():
			add("enable", "switches on")
		}
	}
	for _, f := range p.Findings {
		if f.Accepted {
			name := f.Rule // of a guard its own name: to accept one accepts no other
			if guard, ok := strings.CutPrefix(f.Accept, "--accept "); ok {
				name = guard
			}
			list = append(list, Risk{ID: strings.TrimSuffix(fmt.Sprintf("accept:%s:%s", name, f.Address), ":"), Text: "accepted: " + f.Message, Members: []string{}})
		}
	}
	return list
}

// RiskIDs returns the id of every single risk: one for each person concerned.
func (p *Plan) RiskIDs() []string {
	var ids []string
	for _, r := range p.Risks {
		if len(r.Members) == 0 {
			ids = append(ids, r.ID)
		}
		for _, m := range r.Members {
			ids = append(ids, r.ID+":"+m)
		}
	}
	return ids
}
