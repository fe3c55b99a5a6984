package schema

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// An Edit is one change of the configuration, small enough to say in a line.
type Edit struct {
	Kind    EditKind
	Address Address   // the block that is edited, or that an Insert adds
	Range   hcl.Range // where it is; the zero Range where there is none yet
	Block   string    // the nested block, such as `connector "jira"`; "" for the block itself
	Attr    string
	Key     string // of a PutKey
	Value   string // as HCL; for Insert the body of the block

	// Elsewhere says what to do, and where, if no edit of the configuration
	// does it: somebody else decides. The other fields but Address are empty.
	Elsewhere string
}

// An EditKind is what an edit does.
type EditKind uint8

// The kinds of edits.
const (
	Elsewhere EditKind = iota
	AddItem            // Value to the list Attr
	TakeItem           // Value out of the list Attr
	SetAttr            // Attr = Value
	PutKey             // Key = Value in the map Attr
	Insert             // the block Block with the body Value; a top-level one if Address has no Range
)

// String says what to do, as one would tell a colleague who has the file open.
func (e Edit) String() string {
	place := string(e.Address)
	if e.Block != "" && e.Kind != Insert {
		place = e.Block + " in " + place
	}
	if e.Range.Filename != "" {
		place += fmt.Sprintf(" (%s:%d)", e.Range.Filename, e.Range.Start.Line)
	}
	switch e.Kind {
	case AddItem:
		return fmt.Sprintf("add %s to %s of %s", e.Value, e.Attr, place)
	case TakeItem:
		return fmt.Sprintf("take %s out of %s of %s", e.Value, e.Attr, place)
	case SetAttr:
		return fmt.Sprintf("write %s = %s in %s", e.Attr, e.Value, place)
	case PutKey:
		return fmt.Sprintf("write %s = %s in %s of %s", e.Key, e.Value, e.Attr, place)
	case Insert:
		if e.Range.Filename == "" {
			return fmt.Sprintf("add a block: %s { %s }", e.Block, e.Value)
		}
		return fmt.Sprintf("add %s { %s } to %s", e.Block, e.Value, place)
	}
	return e.Elsewhere
}

// Quote writes s as an HCL string literal.
func Quote(s string) string { return quote(s) }
