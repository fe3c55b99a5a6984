package schema

import (
	"time"

	"github.com/hashicorp/hcl/v2"
)

// A Finding is what one of a system's own checks says. The checks that hold
// for every system are in package plan, and so is the table of all rules, in
// which Rule must be: it has the severity that holds where Severity is "".
type Finding struct {
	Rule     string
	Severity string    // error, warning, info; "" for the rule's own
	Message  string    // one sentence without its full stop, in the words of the configuration
	Address  Address   // what it is about
	About    []Address // what else a rule's ignore list may name to pass over it
	Range    hcl.Range // where the configuration says it; the zero Range where it does not
	Members  []string  // whom it concerns, sorted
	Fix      string    // what to write instead, without a full stop
}

// An Inspection is what a system's own checks look at.
type Inspection struct {
	Live, Desired *State
	Changes       []*Change
	Now           time.Time
}
