package schema

import (
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
)

// A Description is what a configuration asks for, as objects: not yet bound
// to live ones, people not yet resolved.
type Description struct {
	// Objects are the described objects, in the order of the configuration.
	Objects []*Object

	// Assignments set an attribute of everybody in a set of people.
	Assignments []Assignment

	// Statements are what each source of access says explicitly: the ground
	// for finding sources that contradict each other.
	Statements []Statement

	// Owners are the people who should approve changes of an object.
	Owners map[Address][]string

	// Unmanaged says, for each type of object, what is to be made of live
	// objects that no block describes: "ignore", "report" or "remove".
	Unmanaged map[string]string

	// Temporaries are memberships that end by themselves.
	Temporaries []Temporary

	// Invites says that people in groups who are not members are invited; nil
	// if they are only reported.
	Invites *Invites
}

// A Temporary is a membership of a group that ends by itself.
type Temporary struct {
	Group  Address
	Email  string
	Until  Day // from when on the person is not in the group
	Reason string
	Decl   hcl.Range
}

// Invites say how people are invited. An invite is an object of type "invite"
// whose key is the address; its attribute "groups" has the addresses of the
// groups that the person joins on accepting.
type Invites struct {
	// Attr is set to Value, or to what the first assignment that names the
	// person sets it to, unless that is held.
	Attr  string
	Value Value

	// Impossible returns why nobody can be invited, "" if people can be.
	Impossible func(live *State) string
}

// At returns the description as it holds at the moment now: with the temporary
// memberships that have not ended.
func (d *Description) At(now time.Time) *Description {
	if len(d.Temporaries) == 0 {
		return d
	}
	c := *d
	c.Objects = slices.Clone(d.Objects)
	for i, o := range c.Objects {
		var stay []string
		for _, t := range d.Temporaries {
			if t.Group == o.Addr && !t.Until.Begun(now) {
				stay = append(stay, t.Email)
			}
		}
		if members := o.People["members"]; members != nil && len(stay) > 0 {
			o = o.Clone()
			o.People = maps.Clone(o.People)
			o.People["members"] = &Union{Of: []People{members, &Listed{Emails: stay}}}
			c.Objects[i] = o
		}
	}
	return &c
}

// An Assignment sets one attribute of members: a wave of a migration.
type Assignment struct {
	Name   string // of the wave
	People People
	Except People // nil for nobody
	Attr   string
	Value  Value
	From   []string // only members whose live value is one of these
	Held   string   // why it is not to be carried out now, "" if it is
	Decl   hcl.Range
}

// A Statement is a level that a source of access states for a permission.
type Statement struct {
	Source     Address
	Permission string // a key; one that ends in a star speaks of everything below it
	Level      string
	Default    bool // written as the default for whatever the source does not name
	Decl       hcl.Range
}
