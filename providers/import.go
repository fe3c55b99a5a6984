package providers

import (
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

// An Importer is a system that can write the configuration of an organization
// that is there already.
type Importer interface {
	// Import describes a live state as it is, so that a plan of what is
	// written finds nothing to change. What cannot be said goes into Unsaid.
	Import(live *schema.State, o ImportOptions) *Imported
}

// ImportOptions are what an import is asked for.
type ImportOptions struct {
	// Dir is the directory that the configuration will be in.
	Dir string

	// CSV is how many members a group has whose list goes into a table beside
	// the configuration, 0 for none.
	CSV int

	// Described are the addresses of blocks that are written already, and are
	// left out.
	Described map[schema.Address]bool

	// Without are objects that must not be described, and why.
	Without map[schema.Address]string
}

// An Imported is a configuration that is yet to be written.
type Imported struct {
	Files  []*edit.File
	Tables []Table
	Unsaid []Unsaid
}

// A Table is a file of values that a configuration reads.
type Table struct {
	Name string // relative to the directory of the configuration, with slashes
	Data []byte
}

// An Unsaid is something that is live and not in the configuration.
type Unsaid struct {
	Address schema.Address `json:"address"` // as the configuration calls the object, or would
	What    string         `json:"what"`
	Why     string         `json:"why"`
}
