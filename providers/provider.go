// Package providers is the contract between rolecall and the systems whose
// access it manages. A system is one folder below this one, and one line of
// registration in the command; nothing in schema, plan or apply names it.
//
// Everything about a system that can be pure is pure and in [System]. Only
// reading and writing touch the network, and they are two types: whoever holds
// a [Reader] cannot write, because it has no method for it.
package providers

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// A Kind is one kind of system, as it is registered.
type Kind struct {
	// Language declares the blocks of the configuration.
	Language *schema.System

	// Starter holds the *.hcl files of a configuration to begin with, which is
	// valid and teaches; nil if there is none.
	Starter fs.FS

	// New returns the system for one configuration. It touches nothing.
	New func(*schema.Config) System

	// Connect opens the live organization that the configuration names, to
	// read it. What it returns has no way to write.
	Connect func(context.Context, *schema.Config, Environment) (*Connection, error)

	// ConnectToWrite opens it to change it, too.
	ConnectToWrite func(context.Context, *schema.Config, Environment) (*Connection, Editor, error)

	// Emulate opens an emulator of the system, nil if it has none that is
	// served by itself.
	Emulate func(Emulation) (Emulator, error)

	// Desk opens the members' requests for a higher limit; nil where there is
	// nothing of the kind.
	Desk func(context.Context, *schema.Config, Environment) (Desk, func() error, error)

	// Diagnose looks whether the live organization can be reached, and what
	// cannot be seen of it, by reads alone; nil where there is nothing to look
	// at. An error is one that leaves nothing to say.
	Diagnose func(context.Context, *schema.Config, Environment) (*Diagnosis, error)
}

// An Environment is what a connection may take from outside.
type Environment struct {
	Getenv   func(string) string
	Progress func(done, total int) // called as reading goes on; may be nil
	NoCache  bool                  // read everything, whatever was kept of the last time
	Reset    bool                  // start an embedded emulator over from its seed
	HTTP     http.RoundTripper     // carries the requests, nil for the network
}

// An Emulation says what an emulator starts from and where it keeps its state.
type Emulation struct {
	Seed  string // a file
	State string // a file for the live copy; "" keeps it in memory
	Reset bool   // start over from the seed
	Limit bool   // enforce the documented rate limits
}

// An Emulator serves a system's interfaces.
type Emulator interface {
	http.Handler
	Close() error
}

// A System is what rolecall knows of one product without talking to it, for
// one configuration. Its methods are pure.
type System interface {
	// Phases names the phases of a plan in the order in which admins know
	// them. Steps name theirs.
	Phases() []string

	// Describe turns the blocks of the configuration into objects, and
	// reports everything that only the system can judge. It needs nothing
	// live.
	Describe() (*schema.Description, hcl.Diagnostics)

	// Complete adds to the live state what no read shows and the
	// configuration declares, after described and live objects were bound to
	// each other. It lists what it took on trust in live.Unread.
	Complete(live, desired *schema.State)

	// Expand turns changes into steps. Steps are in no particular order; what
	// must precede what is in their Needs.
	Expand(changes []*schema.Change, live, desired *schema.State) []schema.Step

	// Access maps states of one organization into the access model. There are
	// as many readings of each state as it takes to cover what could not be
	// read: result[i] are the readings of states[i], and all states have the
	// same number of them. The last reading has the most access.
	Access(states ...*schema.State) (*access.Model, [][]*access.State)

	// Limits returns how many objects of a type the system can hold, 0 for no
	// limit.
	Limits(typ string) int

	// Pace estimates what batches of steps cost, one after the other, at the
	// system's documented rate, right after everything was read.
	Pace(live *schema.State, batches []schema.Batch) []schema.Cost
}

// A Checker is a System that has checks of its own: what they find is shown
// with every plan. Their rules, with severity and documentation, are in the one
// table that package plan has.
type Checker interface {
	System
	Check(schema.Inspection) []schema.Finding
}

// An Observer is a System that knows which attributes of its live objects are
// facts: a read shows them, and nobody sets them.
type Observer interface {
	// Observed returns them by type of object.
	Observed() map[string][]string
}

// A Reader reads a live organization.
type Reader interface {
	// Read returns the whole live state. A list that cannot be read whole is
	// an error and no state, because a short answer would plan removals.
	Read(ctx context.Context) (*schema.State, error)

	// ReadAgain reads the given objects once more, at the lowest cost, and
	// returns them in the same order; nil stands for an object that does not
	// exist. Objects are found by ID, or by Key where the ID is not known yet.
	ReadAgain(ctx context.Context, objects []*schema.Object) ([]*schema.Object, error)

	// Remember tells the reader under which addresses a plan knows its
	// objects, so that steps can be carried out that name them so.
	Remember(objects []*schema.Object)

	// Requests returns how many requests were sent so far.
	Requests() int
}

// An Editor carries out steps.
type Editor interface {
	// Do carries out an API step once. It is not repeated if its answer was
	// lost: the error then wraps ErrUnclear, and the caller looks first. It
	// wraps ErrRefused if the step may be refused because it is done already.
	Do(ctx context.Context, step schema.Step) (Done, error)
}

// A Console is an Editor's power to carry out console steps by itself, which
// only the emulator's has.
type Console interface {
	Drive(ctx context.Context, step schema.Step) error
}

// Done is the answer to a step that was carried out.
type Done struct {
	ID        string // of the object created, if any
	RequestID string // of the request, for the journal and for support
}

var (
	// ErrUnclear means that the answer to a write was lost: it may have taken
	// effect.
	ErrUnclear = errors.New("the answer was lost, so it may have taken effect")

	// ErrRefused means that the system did not do what was asked for a reason
	// that it also gives where there is nothing left to do: it was delivered
	// twice, or somebody else was faster.
	ErrRefused = errors.New("refused")

	// ErrDenied means that the key may not do what was asked.
	ErrDenied = errors.New("not allowed with this key")

	// ErrNoKey means that nothing was sent, because the environment holds no
	// credential for it.
	ErrNoKey = errors.New("no key")
)

// A Connection is an organization that is open for reading.
type Connection struct {
	Reader Reader
	// Emulated says that it is the embedded emulator and not the real thing.
	Emulated bool
	// InForce is how long an emulator takes to put a change in force, 0 for at
	// once. Of the real thing it says nothing.
	InForce time.Duration
	// Speed is how many times faster than documented time passes on an
	// emulator; 0 and 1 are as fast.
	Speed float64
	Close func() error
}
