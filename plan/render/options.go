package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

// Options say how a plan is written. The zero value writes everything, plainly,
// for lines of any length.
type Options struct {
	Style  Style
	Width  int         // columns of the terminal, 0 for no limit
	People plan.People // how people are called; the plan's own names by default

	// MaxBytes is how long Markdown may be, 0 for no limit. Lists fold until
	// it fits; what blocks and what is counted always stays.
	MaxBytes int

	// Elsewhere says in Markdown where what Markdown leaves out can be read,
	// such as "the [summary of the job](https://…) has all of it". Empty names
	// the command that shows it. It is written as it is.
	Elsewhere string
}

// prepare returns the plan with people called as the options ask for.
func (o Options) prepare(p *plan.Plan) (*digest, error) {
	shown, err := p.Call(o.People)
	if err != nil {
		return nil, err
	}
	elsewhere := o.Elsewhere
	if elsewhere == "" {
		elsewhere = "`rolecall plan` shows all of it"
	}
	return &digest{p: shown, counts: o.People == plan.Counts, folded: folded, elsewhere: elsewhere}, nil
}

// A digest is a plan with what all renderers say in the same words.
type digest struct {
	p      *plan.Plan
	counts bool // people are counted and never named
	folded int  // how many names a line shows before it counts the rest

	elsewhere string // where what is left out can be read, in Markdown
}

// people shows a few people and counts the rest.
func (d *digest) people(list []string) string {
	if d.counts || d.folded == 0 {
		return schema.CountPeople(len(list))
	}
	return d.names(list)
}

// names shows a few names and counts the rest.
func (d *digest) names(list []string) string {
	if len(list) <= d.folded {
		return printable(list)
	}
	shown := max(d.folded-1, 1)
	return fmt.Sprintf("%s and %s more", printable(list[:shown]), schema.Thousands(len(list)-shown))
}

// headline says in one line what a plan comes to.
func (d *digest) headline() string {
	p, s := d.p, d.p.Summary
	name := schema.Printable(p.Organization)
	switch p.Verdict {
	case plan.NoChanges:
		return fmt.Sprintf("No changes. %s is as described: %s.", name, schema.Count(p.Members, "member"))
	case plan.Blocked:
		return fmt.Sprintf("Blocked: %s. %s", schema.Count(len(d.blocking()), "error"), d.effect())
	case plan.Undetermined:
		return "Undetermined: something the configuration asks about could not be read. " + d.effect()
	}
	if s.Steps == 0 {
		return fmt.Sprintf("Nothing to do now for %s.", name)
	}
	return d.effect()
}

// effect says who is concerned.
func (d *digest) effect() string {
	s := d.p.Summary
	name, members := schema.Printable(d.p.Organization), schema.Count(d.p.Members, "member")
	if s.MembersGaining+s.MembersLosing == 0 {
		return fmt.Sprintf("%s: the access of %s stays as it is.", name, members)
	}
	return fmt.Sprintf("%s: of %s, %s and %s something.", name, members,
		verb(s.MembersGaining, "gains", "gain"), verb(s.MembersLosing, "loses", "lose"))
}

// work says what it takes to carry the plan out: what the API needs, what is
// only waiting, and what people have to do.
func (d *digest) work() string {
	s := d.p.Summary
	if s.Steps == 0 {
		return ""
	}
	var parts []string
	if s.Requests > 0 {
		parts = append(parts, fmt.Sprintf("%s, about %s", schema.Count(s.Requests, "request"), duration(s.Seconds-s.SettleSeconds)))
	}
	if s.SettleSeconds > 0 {
		parts = append(parts, fmt.Sprintf("%s of waiting until changes are in force", duration(s.SettleSeconds)))
	}
	if s.ConsoleSteps > 0 {
		parts = append(parts, schema.Count(s.ConsoleSteps, "console step")+" by hand")
	}
	return fmt.Sprintf("%s in %s: %s.", schema.Count(s.Steps, "step"), schema.Count(s.Stages, "stage"), strings.Join(parts, "; "))
}

// against says what the plan compares with, if that is not the organization.
func (d *digest) against() string {
	if d.p.Against == "" {
		return ""
	}
	return fmt.Sprintf("Compared with %s and not with the live organization: only to look at.", schema.Printable(d.p.Against))
}

// held says what is held back.
func (d *digest) held() string {
	if d.p.Summary.HeldSteps == 0 {
		return ""
	}
	var why []string
	for _, st := range d.p.Stages {
		if w := schema.Printable(st.HeldWhy); st.Held && !slices.Contains(why, w) {
			why = append(why, w)
		}
	}
	return fmt.Sprintf("%s held: %s.", schema.Count(d.p.Summary.HeldSteps, "step"), strings.Join(why, "; "))
}

// moved says what has another address than it had.
func (d *digest) moved() string {
	var list []string
	for _, m := range d.p.Moved {
		list = append(list, fmt.Sprintf("%s is %s now", m.From, m.To))
	}
	if len(list) == 0 {
		return ""
	}
	return "Moved, and still the same: " + d.names(list) + "."
}

// blocking returns the findings that block the plan.
func (d *digest) blocking() []plan.Finding {
	var list []plan.Finding
	for _, f := range d.p.Findings {
		if f.Severity == plan.Error && !f.Accepted {
			list = append(list, f)
		}
	}
	return list
}

// removals names what is deleted, by kind of object.
func (d *digest) removals() []string {
	var list []string
	for _, c := range d.p.Changed {
		if c.Action == schema.Delete && !c.Held {
			list = append(list, string(c.Address))
		}
	}
	return list
}

func verb(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%s %s", schema.Thousands(n), many)
}

// kinds counts the steps of a stage by who does them.
func kinds(st plan.Stage) string {
	console := 0
	for _, s := range st.Steps {
		if s.Via == schema.ByConsole {
			console++
		}
	}
	var parts []string
	if api := len(st.Steps) - console; api > 0 {
		parts = append(parts, schema.Count(api, "request"))
	}
	if console > 0 {
		parts = append(parts, schema.Count(console, "console step"))
	}
	return strings.Join(parts, " and ")
}

// phase names a stage.
func phase(st plan.Stage) string {
	if st.Wave != "" {
		return schema.Printable(st.Phase) + ", wave " + schema.Printable(st.Wave)
	}
	return schema.Printable(st.Phase)
}

// total counts the objects and what they take.
func (d *digest) total() string {
	s := d.p.Summary
	parts := []string{fmt.Sprintf("%d to create, %d to update, %d to rename, %d to delete", s.Create, s.Update, s.Rename, s.Delete),
		fmt.Sprintf("%s, %s", schema.Count(s.Requests, "request"), schema.Count(s.ConsoleSteps, "console step"))}
	if s.HeldSteps > 0 {
		parts = append(parts, fmt.Sprintf("%s held", schema.Thousands(s.HeldSteps)))
	}
	return "Plan: " + strings.Join(parts, "; ") + "."
}

// order says in which order the steps are.
func (d *digest) order() string {
	if len(d.p.Unsafe) > 0 {
		return "in the best order there is, which is not safe for everybody: see unsafe-order"
	}
	return "in an order in which nobody has too much or too little at any moment"
}
