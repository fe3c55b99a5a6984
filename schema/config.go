package schema

import (
	"github.com/hashicorp/hcl/v2"
	"slices"
)

// A Config is a configuration after evaluation: every block with its values,
// no expression left but the people expressions. It was checked against the
// system's declarations; what only the system can judge, it has not been
// checked for.
type Config struct {
	// Dir is the directory it was read from.
	Dir string

	// System is the system that the organization block names.
	System *System

	// Blocks are the blocks of the system, in the order of files and lines,
	// each instance of a for_each by itself.
	Blocks []*Described

	// What follows are the blocks that every system has, in the order of files
	// and lines.
	Guard      Guard
	Rules      []Rule
	Accepts    []Accept
	Exclusives []Exclusive
	Holds      []Hold
	Tests      []Test
	Removals   []Removal
	Moves      []Moved

	// Digest is the SHA-256, in hex, of everything that the evaluation read:
	// the files, what functions read, and the values of variables.
	Digest string

	// Files has the bytes of every file by name, for showing snippets.
	Files map[string]*hcl.File
}

// Now returns the address that what once had the address a has now.
func (c *Config) Now(a Address) Address {
	for range c.Moves { // a circle, which Load refuses, ends too
		i := slices.IndexFunc(c.Moves, func(m Moved) bool { return m.From == a })
		if i < 0 {
			break
		}
		a = c.Moves[i].To
	}
	return a
}

// Of returns the blocks of type typ, in order.
func (c *Config) Of(typ string) []*Described {
	var list []*Described
	for _, b := range c.Blocks {
		if b.Type == typ {
			list = append(list, b)
		}
	}
	return list
}

// A Described is one block, or one instance of a block with for_each.
type Described struct {
	Type   string
	Label  string
	Second string  // the second label, "" for a block with one or none
	Key    string  // the for_each key, "" without
	Addr   Address // of a top-level block; "" for a nested one

	// Earlier are the names that the block gave by default under the addresses
	// it was moved from, newest first; nil if it says its name itself.
	Earlier []string

	// Attrs are the attributes that are written, except those whose value is
	// null, which counts as left out.
	Attrs  map[string]*Attribute
	Blocks []*Described // nested blocks, in order

	Range      hcl.Range // the block's header: type and labels
	LabelRange hcl.Range

	// broken has the attributes that are written and could not be evaluated.
	broken map[string]bool
}

// An Attribute is the value of one attribute. Which of its fields is set
// follows from the declared type, see [AttrType].
type Attribute struct {
	Name    string
	Text    string
	Bool    bool
	Items   []Item
	Entries map[string]Item
	People  People

	Range     hcl.Range // the expression
	NameRange hcl.Range
}

// An Item is one element of a list or map with its place. The place is the
// element's own where the list is written out, else that of the whole
// expression.
type Item struct {
	Text  string
	Range hcl.Range
}

// Attr returns the attribute called name, nil if it is not written.
func (d *Described) Attr(name string) *Attribute { return d.Attrs[name] }

// Text returns the text of the attribute called name, or def if it is not
// written.
func (d *Described) Text(name, def string) string {
	if a := d.Attrs[name]; a != nil {
		return a.Text
	}
	return def
}

// Bool returns the truth value of the attribute called name, or def if it is
// not written.
func (d *Described) Bool(name string, def bool) bool {
	if a := d.Attrs[name]; a != nil {
		return a.Bool
	}
	return def
}

// Texts returns the items of a list attribute as texts, nil if it is not
// written.
func (d *Described) Texts(name string) []string {
	a := d.Attrs[name]
	if a == nil {
		return nil
	}
	list := make([]string, len(a.Items))
	for i, it := range a.Items {
		list[i] = it.Text
	}
	return list
}

// Of returns the nested blocks of type typ, in order.
func (d *Described) Of(typ string) []*Described {
	var list []*Described
	for _, b := range d.Blocks {
		if b.Type == typ {
			list = append(list, b)
		}
	}
	return list
}

// Where returns the place of the attribute called name, or of the block's
// header if it is not written.
func (d *Described) Where(name string) hcl.Range {
	if a := d.Attrs[name]; a != nil {
		return a.Range
	}
	return d.Range
}

// A Guard bounds what one plan may do. The zero Guard is not the default;
// DefaultGuard is.
type Guard struct {
	MaxMembersLosingAccess Share
	MaxRemovals            int
	MaxGroupShrink         Share
	MaxSpendIncrease       Share
	Protected              People // who loses nothing; nil for nobody
	Frozen                 bool
	Decl                   hcl.Range
}

// DefaultGuard holds where the configuration says nothing.
func DefaultGuard() Guard {
	return Guard{
		MaxMembersLosingAccess: Share{Percent: true, N: 5},
		MaxRemovals:            25,
		MaxGroupShrink:         Share{Percent: true, N: 50},
		MaxSpendIncrease:       Share{Percent: true, N: 20},
	}
}

// A Share is a number, or a percentage of some whole.
type Share struct {
	N       int
	Percent bool
}

// Allows reports whether n out of total is within s. With a total of zero
// nothing is allowed but zero.
func (s Share) Allows(n, total int) bool {
	if !s.Percent {
		return n <= s.N
	}
	return n*100 <= s.N*total
}

// A Rule changes one check.
type Rule struct {
	Name     string // id of the check
	Severity string // error, warning, info, off; "" leaves it
	Ignore   []Address
	Decl     hcl.Range

	// Attrs are the attributes that the system adds, see [System.Extend].
	Attrs map[string]*Attribute
}
