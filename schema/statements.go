package schema

import "github.com/hashicorp/hcl/v2"

// The blocks that every system has, as values. What they say of objects and of
// permissions has been checked only as far as the language knows them.

// An Accept takes one risk, by name: of a guard ("guard.max_removals") or of a
// check (its id).
type Accept struct {
	Name    string
	UpTo    *Share // how much of it; nil for as much as there is, which no guard allows
	Reason  string
	Expires Day // from when on it counts no longer; zero for never
	Decl    hcl.Range
}

// An Exclusive says that nobody is in two of several groups.
type Exclusive struct {
	Name     string
	Groups   []Address
	Required bool // everybody managed is in exactly one of them
	Decl     hcl.Range
}

// A Hold leaves objects exactly as they are.
type Hold struct {
	Name    string
	Objects []Address
	Until   Day // from when on they are managed again; zero for no end
	Reason  string
	Decl    hcl.Range
}

// A Test asserts something of the access of people in the desired state.
// Permissions are texts such as "connector.jira.delete_issue", each with its
// place.
type Test struct {
	Name        string
	Who         People
	Can, Cannot []Item
	AtMost      map[string]Item   // level by permission
	SpendAtMost map[string]Amount // by period: "monthly"
	Decl        hcl.Range

	// Where has the place of each attribute that is written, by name.
	Where map[string]hcl.Range
}

// A Removal deletes what a block, which is there no longer, described.
type Removal struct {
	From Address
	ID   string // of the live object, "" if it is found by name
	Name string // of the live object; the label of From if none is written
	Decl hcl.Range
}

// A Moved says that what had one address has another now.
type Moved struct {
	From, To Address
	Decl     hcl.Range
}
