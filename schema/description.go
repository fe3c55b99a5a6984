package schema

import "github.com/hashicorp/hcl/v2"

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
