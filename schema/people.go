package schema

import (
	"fmt"
	"slices"
	"strings"
)

// People is a set of people, written as an expression that stays symbolic
// until a plan resolves it against the live members: who `everyone` is, is
// not known before.
//
//sumtype:decl
type People interface {
	// String returns the expression as HCL.
	String() string
	isPeople()
}

// The people expressions.
type (
	// Listed is a list of e-mail addresses, in canonical form.
	Listed struct{ Emails []string }

	// Everyone is every member of the organization, administrators included,
	// pending invites not.
	Everyone struct{}

	// Domain is every member whose address is in a domain, exactly.
	Domain struct{ Name string }

	// OrganizationRole is every member of one organization role.
	OrganizationRole struct{ Name string }

	// MembersOf is the members of a group: those that the configuration
	// describes, or the live ones if it does not describe them.
	MembersOf struct{ Group Address }

	// Union is who is in any of the sets.
	Union struct{ Of []People }

	// Minus is who is in From and in none of Without.
	Minus struct {
		From    People
		Without []People
	}

	// Intersect is who is in all of the sets.
	Intersect struct{ Of []People }
)

func (*Listed) isPeople()           {}
func (*Everyone) isPeople()         {}
func (*Domain) isPeople()           {}
func (*OrganizationRole) isPeople() {}
func (*MembersOf) isPeople()        {}
func (*Union) isPeople()            {}
func (*Minus) isPeople()            {}
func (*Intersect) isPeople()        {}

func (p *Listed) String() string {
	quoted := make([]string, len(p.Emails))
	for i, e := range p.Emails {
		quoted[i] = quote(e)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
func (p *Everyone) String() string         { return "everyone" }
func (p *Domain) String() string           { return "domain(" + quote(p.Name) + ")" }
func (p *OrganizationRole) String() string { return "organization_role(" + quote(p.Name) + ")" }
func (p *MembersOf) String() string        { return string(p.Group) + ".members" }
func (p *Union) String() string            { return call("union", p.Of) }
func (p *Intersect) String() string        { return call("intersect", p.Of) }
func (p *Minus) String() string {
	return call("minus", append([]People{p.From}, p.Without...))
}

func call(name string, args []People) string {
	s := make([]string, len(args))
	for i, a := range args {
		s[i] = a.String()
	}
	return name + "(" + strings.Join(s, ", ") + ")"
}

// A Directory answers who is in the live organization. All addresses are in
// canonical form.
type Directory interface {
	// Everyone returns every member's address.
	Everyone() []string
	// OrganizationRole returns the organization role of a member.
	OrganizationRole(email string) string
	// Members returns the members of a group, and false if they are not known.
	Members(group Address) ([]string, bool)
}

// Resolve returns the addresses in p, sorted. Listed addresses are returned
// whether or not the directory knows them. It reports an error if p depends on
// a group whose members are not known.
func Resolve(p People, d Directory) ([]string, error) {
	set, err := resolve(p, d)
	if err != nil {
		return nil, err
	}
	list := make([]string, 0, len(set))
	for e := range set {
		list = append(list, e)
	}
	slices.Sort(list)
	return list, nil
}

func resolve(p People, d Directory) (map[string]bool, error) {
	set := map[string]bool{}
	switch p := p.(type) {
	case *Listed:
		for _, e := range p.Emails {
			set[e] = true
		}
	case *Everyone:
		for _, e := range d.Everyone() {
			set[e] = true
		}
	case *Domain:
		for _, e := range d.Everyone() {
			if strings.HasSuffix(e, "@"+strings.ToLower(p.Name)) {
				set[e] = true
			}
		}
	case *OrganizationRole:
		for _, e := range d.Everyone() {
			if d.OrganizationRole(e) == p.Name {
				set[e] = true
			}
		}
	case *MembersOf:
		members, ok := d.Members(p.Group)
		if !ok {
			return nil, fmt.Errorf("the members of %s are not known", p.Group)
		}
		for _, e := range members {
			set[e] = true
		}
	case *Union:
		for _, q := range p.Of {
			s, err := resolve(q, d)
			if err != nil {
				return nil, err
			}
			for e := range s {
				set[e] = true
			}
		}
	case *Minus:
		set, err := resolve(p.From, d)
		if err != nil {
			return nil, err
		}
		for _, q := range p.Without {
			s, err := resolve(q, d)
			if err != nil {
				return nil, err
			}
			for e := range s {
				delete(set, e)
			}
		}
		return set, nil
	case *Intersect:
		for i, q := range p.Of {
			s, err := resolve(q, d)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				set = s
				continue
			}
			for e := range set {
				if !s[e] {
					delete(set, e)
				}
			}
		}
	default:
		panic(fmt.Sprintf("schema: no such people expression: %T", p))
	}
	return set, nil
}
