package plan

import (
	"slices"

	"github.com/rolecall/rolecall/schema"
)

// A Recruiter is a System that knows what a member is like who joins. Governed
// says that access is to come from groups for them.
type Recruiter interface {
	Recruit(email string, governed bool) *schema.Object
}

// Population returns an organization that holds nothing but people: those whom
// a description lists, and more. It stands for the live one where a
// configuration is asked about by itself. Whoever a wave moves starts where
// the wave takes people from; without any wave they are governed by groups.
func Population(system System, d *schema.Description, more []string) *schema.State {
	live := schema.NewState()
	emails := append(Listed(d), more...)
	slices.Sort(emails)
	for _, email := range slices.Compact(emails) {
		o := &schema.Object{Type: "member", Addr: memberAddress(email), Key: email}
		if r, ok := system.(Recruiter); ok {
			o = r.Recruit(email, len(d.Assignments) == 0)
		}
		live.Add(o)
	}
	return live
}

// Listed returns everybody whom a description names by address, sorted, but
// for those it removes.
func Listed(d *schema.Description) []string {
	in := map[string]bool{}
	for _, o := range d.Objects {
		for _, p := range o.People {
			addressesIn(p, in)
		}
		if o.Type == "member" && !o.Get(schema.Removed).AsBool() {
			in[o.Key] = true
		}
	}
	for _, a := range d.Assignments {
		addressesIn(a.People, in)
		if a.Except != nil {
			addressesIn(a.Except, in)
		}
	}
	var list []string
	for email := range in {
		list = append(list, email)
	}
	slices.Sort(list)
	return list
}

// addressesIn adds the addresses that are written in a people expression.
func addressesIn(p schema.People, in map[string]bool) {
	of := func(list []schema.People) {
		for _, q := range list {
			addressesIn(q, in)
		}
	}
	switch p := p.(type) {
	case *schema.Listed:
		for _, e := range p.Emails {
			in[e] = true
		}
	case *schema.Union:
		of(p.Of)
	case *schema.Intersect:
		of(p.Of)
	case *schema.Minus:
		addressesIn(p.From, in)
		of(p.Without)
	}
}
