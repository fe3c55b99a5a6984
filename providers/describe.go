package providers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/schema"
)

// A Describer collects what a configuration asks for, and what is wrong with
// it.
type Describer struct {
	Description schema.Description
	Diags       hcl.Diagnostics
}

// NewDescriber returns one that has collected nothing.
func NewDescriber() *Describer {
	return &Describer{Description: schema.Description{Unmanaged: map[string]string{}, Owners: map[schema.Address][]string{}}}
}

// Add adds an object.
func (d *Describer) Add(o *schema.Object) {
	d.Description.Objects = append(d.Description.Objects, o)
}

// Problem reports an error; detail ends in what to do.
func (d *Describer) Problem(at hcl.Range, summary, detail string, args ...any) {
	d.Diags = append(d.Diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at})
}

// Missing reports an error about something that is not there.
func (d *Describer) Missing(at hcl.Range, summary, detail string, args ...any) {
	d.Problem(at, summary, detail, args...)
	d.Diags[len(d.Diags)-1].Extra = schema.MayFollow{}
}

// Start returns the object that b describes, called key, with the places of
// its attributes and nothing in it.
func Start(b *schema.Described, key string) *schema.Object {
	o := &schema.Object{Type: b.Type, Addr: b.Addr, Key: key, Keys: slices.Concat(b.Texts("previous_names"), b.Earlier),
		Decl: b.Range, AttrDecl: map[string]hcl.Range{}, Attrs: map[string]schema.Value{}}
	for name, a := range b.Attrs {
		o.AttrDecl[name] = a.Range
	}
	return o
}

// Named returns the object that b describes, called as its attribute name says,
// else as its label and key do. Names are compared as people see them, so the
// object has the name as an attribute too.
func (d *Describer) Named(b *schema.Described) *schema.Object {
	key := b.Label
	if b.Key != "" {
		key += " " + b.Key
	}
	o := Start(b, b.Text("name", key))
	if n := len(o.Key); n < 1 || n > 255 || strings.TrimSpace(o.Key) != o.Key {
		d.Problem(b.Where("name"), "Invalid name", "A name has 1 to 255 characters and no space at either end; this is %q. Choose another.", o.Key)
	}
	o.Put("name", schema.Text(o.Key))
	return o
}

// People gives o the people that an attribute of b describes.
func (d *Describer) People(b *schema.Described, o *schema.Object, name string) {
	a := b.Attr(name)
	if a == nil {
		return
	}
	if o.People == nil {
		o.People = map[string]schema.People{}
	}
	o.People[name] = a.People
	for _, item := range a.Items {
		o.AttrDecl[name+"/"+item.Text] = item.Range
	}
}

// Member returns the object of the person that b is about, nil if its label is
// no e-mail address. Addresses are in lower case, however they are written.
func (d *Describer) Member(b *schema.Described) *schema.Object {
	email, err := schema.ParseEmail(b.Label)
	if err != nil {
		d.Problem(b.LabelRange, "Invalid e-mail address", "%v. Correct the label.", err)
		return nil
	}
	o := Start(b, email)
	o.Addr = MemberAddress(email)
	return o
}

// Once reports every block whose name another block of the type has, compared
// without case; what says of what kind they are.
func (d *Describer) Once(what string) {
	first := map[string]*schema.Object{}
	for _, o := range d.Description.Objects {
		if o.Type != what {
			continue
		}
		name := strings.ToLower(o.Key)
		if other := first[name]; other != nil {
			d.Problem(o.Where("name"), "Name used twice", "%s and %s are both called %q, and the system tells them apart by their names. Rename one of the two.", other.Addr, o.Addr, o.Key)
			continue
		}
		first[name] = o
	}
}

// MemberAddress returns the address of a person.
func MemberAddress(email string) schema.Address { return schema.MakeAddress("member", email, "") }

// Below returns the permission called name below an address, such as
// connector.jira.search_issues.
func Below(addr schema.Address, name string) string {
	return string(addr) + strings.TrimPrefix(string(schema.MakeAddress("t", name, "")), "t")
}

// Nearest returns a question for the name that is meant, or a full stop.
func Nearest(name string, known []string) string {
	if n := schema.Nearest(name, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return "."
}

// Quoted writes a name into a sentence.
func Quoted(name string) string { return "“" + name + "”" }

// Suppose adds to a state the organization that is described and people as its
// members: where no API lists them, that the people whom a configuration names
// are in the organization is taken as given.
func Suppose(d *schema.Description, s *schema.State, emails ...string) {
	for _, o := range d.Objects {
		if o.Type == "organization" {
			s.Add(&schema.Object{Type: o.Type, Addr: o.Addr, Key: o.Key})
		}
	}
	for _, e := range emails {
		email, err := schema.ParseEmail(e)
		if err != nil {
			continue
		}
		if addr := MemberAddress(email); s.Objects[addr] == nil {
			s.Add(&schema.Object{Type: "member", Addr: addr, Key: email, Attrs: map[string]schema.Value{}})
		}
	}
}

// Mentioned returns the people whom the objects of a description name one by
// one, and those in the given attributes of a state.
func Mentioned(d *schema.Description, s *schema.State, attrs ...string) []string {
	var list []string
	for _, o := range d.Objects {
		if o.Type == "member" {
			list = append(list, o.Key)
		}
		for _, p := range o.People {
			list = append(list, listed(p)...)
		}
	}
	for _, o := range s.Objects {
		for _, name := range attrs {
			list = append(list, o.Get(name).AsSet()...)
		}
	}
	return list
}

// listed returns the people whom an expression names one by one.
func listed(p schema.People) []string {
	var list []string
	each := func(of ...schema.People) {
		for _, q := range of {
			list = append(list, listed(q)...)
		}
	}
	switch p := p.(type) {
	case *schema.Listed:
		return p.Emails
	case *schema.Union:
		each(p.Of...)
	case *schema.Intersect:
		each(p.Of...)
	case *schema.Minus:
		each(p.From)
		each(p.Without...)
	case *schema.Everyone, *schema.Domain, *schema.OrganizationRole, *schema.MembersOf:
	default:
		panic(fmt.Sprintf("providers: no such people expression: %T", p))
	}
	return list
}
