package schema

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A listing is a list of people while it is decoded.
type listing struct {
	emails []string
	first  map[string]hcl.Range
	sets   []People
}

// people returns the set of all who are listed.
func (s *listing) people() People {
	listed := &Listed{Emails: s.emails}
	if len(s.sets) == 0 {
		return listed
	}
	if len(s.emails) == 0 && len(s.sets) == 1 {
		return s.sets[0]
	}
	var of []People
	if len(s.emails) > 0 {
		of = append(of, listed)
	}
	return &Union{Of: append(of, s.sets...)}
}

// person adds one element of a list that is written out.
func (x *decoder) person(s *listing, v cty.Value, at, list hcl.Range) bool {
	t := v.Type()
	if t == peopleType {
		s.sets = append(s.sets, toPeople(v))
		return true
	}
	if addr, ok := addressOf(v); ok && x.attr.decl.Groups && x.system.Block(addr.Type()).members() != nil {
		s.sets = append(s.sets, &MembersOf{Group: addr})
		return true
	}
	if t != cty.String {
		x.report(wrongType("An element of "+x.name, "an e-mail address or a set of people", describe(v), peopleAdvice(v), at))
		return false
	}
	email, err := ParseEmail(v.AsString())
	if err != nil {
		x.report(notAnEmail(err, at))
		return false
	}
	if first, ok := s.first[email]; ok {
		x.report(memberTwice(email, at, first, list))
		return false
	}
	if s.first == nil {
		s.first = map[string]hcl.Range{}
	}
	s.first[email] = at
	s.emails = append(s.emails, email)
	return true
}

func notAnEmail(err error, at hcl.Range) *hcl.Diagnostic {
	return problem("Invalid e-mail address", at, "%s. Write the address alone, without a name.", err)
}

// peopleAdvice says what to write instead of v where people are wanted.
func peopleAdvice(v cty.Value) string {
	addr, ok := addressOf(v)
	switch {
	case ok:
		return fmt.Sprintf("Write %s.members for the members of a group.", addr)
	case isList(v.Type()):
		return "Join lists with concat(), or sets of people with union()."
	}
	return "Write addresses as texts in [ and ], or everyone, domain(\"…\") or organization_role(\"…\")."
}

// people decodes a computed set of people.
func (x *decoder) people(v cty.Value, at hcl.Range) (People, bool) {
	if v.Type() == peopleType {
		return toPeople(v), true
	}
	if !isList(v.Type()) {
		x.report(wrongType(x.name, "a set of people", describe(v), peopleAdvice(v), at))
		return nil, false
	}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.IsMarked() {
			x.report(sensitiveValue(x.name, at))
			return nil, false
		}
	}
	p, known, err := peopleOf(v)
	if err != nil {
		x.report(problem("Invalid list of people", at, "%s: %s. Correct the list.", x.name, err))
		return nil, false
	}
	return p, known
}

// peopleOf returns the set of people that a value stands for: a people
// expression, or a list of addresses and people expressions. It is linear in
// the length of the list. It reports false if the value is not known.
func peopleOf(v cty.Value) (p People, known bool, err error) {
	if v.Type() == peopleType {
		return toPeople(v), true, nil
	}
	if isReference(v.Type()) || !isList(v.Type()) {
		return nil, false, fmt.Errorf("this is %s, and not a set of people", describe(v))
	}
	var s listing
	seen := make(map[string]bool, v.LengthInt())
	n := 0
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		n++
		switch {
		case !e.IsKnown():
			return nil, false, nil
		case e.IsNull():
			return nil, false, fmt.Errorf("element %d is null", n)
		case e.Type() == peopleType:
			s.sets = append(s.sets, toPeople(e))
		case e.Type() == cty.String:
			email, err := ParseEmail(e.AsString())
			if err != nil {
				return nil, false, fmt.Errorf("element %d: %w", n, err)
			}
			if !seen[email] {
				seen[email] = true
				s.emails = append(s.emails, email)
			}
		default:
			return nil, false, fmt.Errorf("element %d is %s, and not an e-mail address", n, describe(e))
		}
	}
	return s.people(), true, nil
}
