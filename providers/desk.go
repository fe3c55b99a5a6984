package providers

import (
	"context"

	"github.com/rolecall/rolecall/schema"
)

// A Desk decides members' requests for a higher spend limit, where a system
// has them.
type Desk interface {
	// Requests returns the requests of the given statuses, all if none is
	// given, newest first, each with what the configuration's rules say of it.
	Requests(ctx context.Context, statuses ...string) ([]Request, error)

	// Decide carries out a decision once and returns the request after it. If
	// the answer is lost, it looks before it asks again.
	Decide(ctx context.Context, r Request) (Request, error)
}

// A Request is a member's request for a higher spend limit. It names no
// amount.
type Request struct {
	ID      string `json:"id"`
	Email   string `json:"member"`
	Status  string `json:"status"` // pending, approved, denied
	Created string `json:"created_at"`
	Limit   string `json:"limit"` // in force, in minor units; "unlimited"; "" if it is not known
	Spent   string `json:"spent"` // in this period, in minor units

	Decision Decision `json:"decision"`
}

// A Decision is what is to become of a request.
type Decision struct {
	Do     string `json:"do"`               // approve, deny or leave
	Amount string `json:"amount,omitempty"` // the new limit, in minor units
	Rule   string `json:"rule,omitempty"`   // the address of the rule that says so
	Why    string `json:"why"`
	Silent bool   `json:"silent"` // no e-mail is sent
}

// A Diagnosis is what can be said of a connection without changing anything.
type Diagnosis struct {
	Checks []Check         `json:"checks"`
	Unread []schema.Unread `json:"unread"` // what a plan cannot see with this key
}

// A Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok, warning, error
	Text   string `json:"text"`
	Fix    string `json:"fix,omitempty"`
}
