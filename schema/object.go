package schema

import (
	"cmp"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// An Object is one thing of an organization: a role, a group, a member, a
// feature. Live objects come from a provider, described ones from the
// configuration; both are of this one type.
type Object struct {
	// Type is the block type, such as "group".
	Type string

	// Addr is the object's address. A live object that no block describes
	// gets one made from its name.
	Addr Address

	// ID is the vendor's id, and "" for an object that is yet to be created
	// or of a kind that has none.
	ID string

	// Key is what identifies the object to people, and what binds a described
	// object to a live one when no ID is written: the name of a role or group,
	// the e-mail address of a member, the action of a feature.
	Key string

	// Keys are earlier values of Key, newest first (previous_names).
	Keys []string

	// Attrs are the attributes that are set. In a described object only what
	// the configuration manages is here; an attribute left out is not managed.
	Attrs map[string]Value

	// People are the attributes of a described object that hold people
	// expressions. They become sets in Attrs when they are resolved against
	// the live members.
	People map[string]People

	// Fixed says why a live object is never changed or removed, "" if it may
	// be.
	Fixed string

	// Decl is where the configuration describes the object, and the zero
	// Range where it does not. AttrDecl has the place of each attribute.
	Decl     hcl.Range
	AttrDecl map[string]hcl.Range
}

// Removed is the attribute of a described object that is to be deleted.
const Removed = "removed"

// Described reports whether a block of the configuration describes o.
func (o *Object) Described() bool { return o.Decl.Filename != "" }

// Get returns the attribute called name, Absent if it is not set.
func (o *Object) Get(name string) Value { return o.Attrs[name] }

// Put sets the attribute called name.
func (o *Object) Put(name string, v Value) {
	if o.Attrs == nil {
		o.Attrs = map[string]Value{}
	}
	o.Attrs[name] = v
}

// Where returns the place of the attribute called name, or of the whole block
// if it has no place of its own.
func (o *Object) Where(name string) hcl.Range {
	if r, ok := o.AttrDecl[name]; ok {
		return r
	}
	return o.Decl
}

// Clone returns a copy of o that shares nothing that can be changed.
func (o *Object) Clone() *Object {
	c := *o
	c.Attrs = maps.Clone(o.Attrs)
	c.People = maps.Clone(o.People)
	c.AttrDecl = maps.Clone(o.AttrDecl)
	return &c
}

// A State is all objects of one organization at one moment: what is in force
// (live) or what is wanted (desired).
type State struct {
	// Objects has every object by its address.
	Objects map[Address]*Object

	// Unread lists what could not be read, and what hangs on it.
	Unread []Unread
}

// An Unread is something that could not be read.
type Unread struct {
	What    string `json:"what"`    // what it is, in words
	Why     string `json:"why"`     // what was in the way
	Affects string `json:"affects"` // what cannot be said without it

	// Asked says that the configuration describes what could not be read, so
	// that the plan is undetermined.
	Asked bool `json:"-"`

	// Unverified says that the configuration's word was taken for it, about
	// the object Addr; Fix says what to look at instead.
	Unverified bool    `json:"-"`
	Addr       Address `json:"-"`
	Fix        string  `json:"-"`
}

// NewState returns an empty state.
func NewState() *State { return &State{Objects: map[Address]*Object{}} }

// Add puts o into s under its address.
func (s *State) Add(o *Object) { s.Objects[o.Addr] = o }

// Clone returns a copy of s that shares nothing that can be changed.
func (s *State) Clone() *State {
	c := &State{Objects: make(map[Address]*Object, len(s.Objects)), Unread: slices.Clone(s.Unread)}
	for _, o := range s.Objects {
		c.Add(o.Clone())
	}
	return c
}

// Of returns the objects of type typ, sorted by address.
func (s *State) Of(typ string) []*Object {
	var list []*Object
	for _, o := range s.Objects {
		if o.Type == typ {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b *Object) int { return cmp.Compare(a.Addr, b.Addr) })
	return list
}
