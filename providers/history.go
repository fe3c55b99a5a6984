package providers

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/schema"
)

// A Historian is a Reader that knows who changed what.
type Historian interface {
	// History returns, for each of the objects of which it is known, the last
	// change. Objects are found by what the system calls them, by ID or Key.
	// How far it looks back is the system's.
	History(ctx context.Context, objects []*schema.Object) (map[schema.Address]Activity, error)
}

// An Activity is one change that somebody made.
type Activity struct {
	At   time.Time
	By   string // an e-mail address, or what kind of key or service it was
	What string // as the system calls it
}
