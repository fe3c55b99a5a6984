package schema

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/rolecall/rolecall/schema/access"
)

// An Action is what happens to an object.
type Action string

// The actions of a change.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	Rename Action = "rename"
)

// A Change is the difference of one object between live and desired.
type Change struct {
	Addr   Address
	Action Action
	Before *Object // nil for Create
	After  *Object // nil for Delete
	Fields []Field // what differs, sorted by name; empty for Delete

	// Wave is the migration wave that asks for the change, "" if none does.
	// Held says why it is not to be carried out now, "" if it is.
	Wave string
	Held string
}

// Where returns the place in the configuration that asks for c.
func (c *Change) Where() hcl.Range {
	if c.After != nil {
		return c.After.Decl
	}
	return hcl.Range{}
}

// A Field is one attribute that differs.
type Field struct {
	Name          string
	Before, After Value
}

// Via says who carries a step out.
type Via string

// The ways to carry out a step.
const (
	ByAPI     Via = "api"
	ByConsole Via = "console"
)

// Proof says how it is known that a step is in force.
type Proof string

// The kinds of proof.
const (
	Exact      Proof = "exact"      // an API read shows it
	Event      Proof = "event"      // the activity feed shows it
	Deferred   Proof = "deferred"   // becomes readable later in the same plan, and is proved then
	Canary     Proof = "canary"     // read as a member for whom it holds
	Attested   Proof = "attested"   // someone confirmed it
	Unverified Proof = "unverified" // nothing shows it
)

// A Step is what a system does atomically: one API request, or one save in
// its console. A step is data: it can be saved, compared, shown and reviewed,
// and carried out later by the system's editor.
type Step struct {
	// ID names the step within its plan, such as "group.pilot/join/jane@acme.com".
	ID string

	// Addr is the object the step changes.
	Addr Address

	Via    Via
	Phase  string // one of the system's phases
	Action string // what it does, as a short phrase: "add jane@acme.com to group.pilot"

	// Wave is the migration wave the step belongs to, "" if none. Held says
	// why the step is not to be applied now ("" if it is): its wave is closed.
	Wave string
	Held string

	Request *Request // for ByAPI
	Console *Console // for ByConsole
	Proof   Proof

	// Settle is how long the vendor says it takes until the step is in force
	// everywhere, in seconds; Never if no wait is long enough, because somebody
	// else decides when: an invite is accepted one day, or not.
	Settle int

	// Save names what steps are halves of: steps with the same text are made
	// in one save where they share a stage. Empty for a step of its own.
	Save string

	// Needs are the IDs of steps that must have been carried out before, such
	// as the creation of the group that is filled.
	Needs []string

	// Moves are the variables of the access model that the step moves. A step
	// without any changes nobody's access.
	Moves []access.Move

	// Effects are what a read must show once the step was carried out.
	Effects []Effect
}

// Never is the Settle of a step that is in force at some time later.
const Never = -1

// An Effect is what a step does to one attribute of one object.
type Effect struct {
	Addr  Address
	Attr  string // "" for the object itself: Put creates it, Drop deletes it
	Op    Op
	Value Value  // for Put: the new value
	Item  string // for Include and Exclude of a set, and for PutEntry: the item or key

	// Late says that no read shows the effect before a later step of the plan
	// was carried out.
	Late bool

	// Minor says that nothing hangs on the effect, so that it need not be
	// shown: a description.
	Minor bool
}

// An Op is what an effect does.
type Op string

// The operations of an effect.
const (
	Put      Op = "put"
	Drop     Op = "drop"    // the attribute becomes absent
	Include  Op = "include" // a set gets Item
	Exclude  Op = "exclude" // a set loses Item
	PutEntry Op = "entry"   // a map gets Value under the key Item; an absent Value takes the key out
)

// Make applies e to o, which may be nil before it was created, and returns
// the object after it, nil once deleted.
func (e Effect) Make(o *Object) *Object {
	if e.Attr == "" {
		if e.Op == Drop {
			return nil
		}
		if o == nil {
			o = &Object{Type: e.Addr.Type(), Addr: e.Addr, Key: e.Value.AsText()}
		}
		return o
	}
	if o == nil {
		return nil
	}
	v := o.Get(e.Attr)
	switch e.Op {
	case Put:
		v = e.Value
	case Drop:
		v = Absent
	case Include:
		v = Set(append([]string{e.Item}, v.AsSet()...)...)
	case Exclude:
		items := slices.Clone(v.AsSet())
		v = Set(slices.DeleteFunc(items, func(s string) bool { return s == e.Item })...)
	case PutEntry:
		m := maps.Clone(v.AsMap())
		if m == nil {
			m = map[string]string{}
		}
		if e.Value.Known() {
			m[e.Item] = e.Value.AsText()
		} else {
			delete(m, e.Item)
		}
		v = Map(m)
	}
	o = o.Clone()
	o.Put(e.Attr, v)
	return o
}

// Shown reports whether o, as it was read, shows that e was made. An attribute
// that could not be read shows nothing.
func (e Effect) Shown(o *Object) bool {
	switch {
	case e.Attr == "" && e.Op == Drop:
		return o == nil
	case o == nil:
		return false
	case e.Attr == "":
		return true
	}
	v := o.Get(e.Attr)
	if v.Kind() == KindUnavailable {
		return false
	}
	switch e.Op {
	case Put:
		return v.Equal(e.Value)
	case Drop:
		return v.Kind() == KindAbsent
	case Include:
		return v.Has(e.Item)
	case Exclude:
		return !v.Has(e.Item)
	case PutEntry:
		got, ok := v.AsMap()[e.Item]
		if !e.Value.Known() {
			return !ok
		}
		return ok && got == e.Value.AsText()
	}
	return false
}

// A Request is one API request. An id that an earlier step of the plan will
// return is written as a placeholder, `${group.pilot}`, in the path; the
// address in it is percent-encoded.
type Request struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// A Console is one save that a person makes in the vendor's console.
type Console struct {
	Where string   `json:"where"` // page and tab, as the product names them
	By    string   `json:"by"`    // who may do it
	Do    []string `json:"do"`    // what to do, line by line
}

// A Batch is steps that are carried out together, and the seconds that are
// waited after them.
type Batch struct {
	Steps  []Step
	Settle int
}

// A Cost is what a batch of steps takes at the rate that a system documents:
// the requests that write, and the seconds, which the reads that prove them and
// the requests of the batches before are part of. What people do by hand, and
// waiting until changes are in force, are not.
type Cost struct{ Requests, Seconds int }
