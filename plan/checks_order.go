package plan

import (
	"fmt"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// These checks look at the order of the steps: what it cannot see to.

// unverifiedOrder finds steps that must be in force before others, and that no
// read shows to be.
func (a *analysis) unverifiedOrder() {
	for i, b := range a.schedule.Boundaries {
		if len(b.Unproven) == 0 {
			continue
		}
		steps := []string{a.steps[b.Doubt.Step].Action}
		for _, s := range b.Unproven {
			if s != b.Doubt.Step {
				steps = append(steps, a.steps[s].Action)
			}
		}
		first := a.steps[b.Doubt.Step].Addr
		f := &finding{Rule: "unverified-order", Address: first,
			Message: fmt.Sprintf("%s must be in force before stage %d begins, and no read shows that it is", someSteps(steps), i+2),
			Fix:     "look in the console that it is, before the next stage is confirmed"}
		who, _ := a.joined(b.Doubt.Groups)
		who = "whoever joins " + who + " meanwhile"
		if m := b.Doubt.Member; m >= 0 {
			who = a.ordered.Members[m]
			f.Members = []string{who}
		}
		much := "less"
		if b.Doubt.Over {
			much = "more"
		}
		f.Message += fmt.Sprintf(": if it were not, %s would have %s of %s than before and after", who, much, b.Doubt.Permission)
		if o := a.b.desired.Objects[first]; o != nil {
			f.Range = o.Decl
		}
		a.found = append(a.found, f)
	}
}

// someSteps writes what one or two steps do, or the first and how many more.
func someSteps(list []string) string {
	for i := range list {
		list[i] = schema.Quote(list[i])
	}
	if len(list) > 2 {
		return fmt.Sprintf("%s and %d more steps", list[0], len(list)-1)
	}
	return strings.Join(list, " and ")
}

// joinersExposed finds groups that give whoever joins meanwhile more than they
// give before and after. It is a note where nobody joins but by hand of an
// administrator.
func (a *analysis) joinersExposed() {
	said := map[string]bool{} // a group may be several of the model: who is a member of it, who runs it
	for _, e := range a.schedule.Exposed {
		what, address := a.joined(e.Groups)
		gives, it := "it gives", "it"
		switch len(e.Groups) {
		case 0:
			gives = "a member in no group has"
		case 2:
			gives, it = "they give", "them"
		}
		f := &finding{Rule: "joiner-exposed", Address: address,
			Message: fmt.Sprintf("whoever joins %s during stage %d would have more of %s than %s before and after", what, e.Stage+1, e.Permission, gives),
			Fix:     fmt.Sprintf("apply when nobody joins %s, or split the change in two and apply one after the other", it)}
		if !e.Open {
			f.Severity = Info
			f.Message += "; only an administrator puts people into it"
		}
		if o := a.b.desired.Objects[address]; o != nil {
			f.Range = o.Decl
		}
		if !said[f.Message] {
			said[f.Message] = true
			a.found = append(a.found, f)
		}
	}
}

// joined names what somebody joins who comes into groups, and the object that
// this is about: the first of them, or the organization if there are none.
func (a *analysis) joined(groups []int32) (string, schema.Address) {
	if len(groups) == 0 {
		return "the organization", "organization"
	}
	var names []string
	for _, g := range groups {
		names = append(names, string(a.group(g)))
	}
	return strings.Join(names, " and "), a.group(groups[0])
}
