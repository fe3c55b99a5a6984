// Package elvex is elvex's groups and shared resources: its language, its
// access semantics and its console steps.
//
// elvex has no API for administration, so the live state is the ledger and
// every step is one that a person does in the product.
//
// Source: product guide "What are Groups and how do they work?" and the help
// pages of help.elvex.ai; read 2026-11-22.
package elvex

import (
	"context"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/schema"
)

// Kind registers elvex.
func Kind() providers.Kind {
	return providers.Kind{
		Language: language,
		New:      func(c *schema.Config) providers.System { return New(c) },
		Connect: func(_ context.Context, c *schema.Config, _ providers.Environment) (*providers.Connection, error) {
			return connect(c), nil
		},
		ConnectToWrite: func(_ context.Context, c *schema.Config, _ providers.Environment) (*providers.Connection, providers.Editor, error) {
			return connect(c), ledger.Editor{}, nil
		},
	}
}

func connect(c *schema.Config) *providers.Connection {
	s := New(c)
	described, _ := s.Describe()
	r := ledger.NewReader(c, func(live *schema.State) { s.suppose(described, live) })
	return &providers.Connection{Reader: r, Close: func() error { return nil }}
}

// suppose adds to the ledger what is taken as given: that the people who are
// named are in the company, and that nobody came in through a mapping of whom
// nothing was confirmed.
func (s *System) suppose(described *schema.Description, live *schema.State) {
	for _, o := range live.Of("group") {
		for _, role := range groupRoles {
			if !o.Get(role).Known() {
				o.Put(role, schema.Set())
			}
		}
	}
	for _, o := range live.Of("resource") {
		if !o.Get(attrShares).Known() {
			o.Put(attrShares, schema.Map(nil))
		}
	}
	people := providers.Mentioned(described, live, append([]string{attrMembers}, groupRoles...)...)
	for _, r := range s.resources {
		people = append(people, r.creator)
		people = append(people, r.shared...)
	}
	providers.Suppose(described, live, people...)
	for _, o := range live.Of("mapping") {
		if !o.Get(attrMembers).Known() {
			live.Unread = append(live.Unread, schema.Unread{What: "who comes in through " + string(o.Addr), Addr: o.Addr, Unverified: true,
				Why:     "elvex decides it at each login, and shows it on the page of the group only",
				Affects: "who has what is shared with " + o.Get(attrGroup).AsText(),
				Fix:     "add an entry for its field members to ledger.json, with the people whom the group's page shows as coming from it"})
		}
	}
}

// System is elvex for one configuration.
type System struct {
	config    *schema.Config
	resources map[schema.Address]resource
}

// A resource is what the configuration declares of one and nothing changes.
type resource struct {
	kind, name, creator string
	shared              []string // people whom it is shared with one by one
}

// New returns elvex for the configuration c.
func New(c *schema.Config) *System {
	s := &System{config: c, resources: map[schema.Address]resource{}}
	for _, b := range c.Of("resource") {
		r := resource{kind: b.Label, name: b.Second}
		if email, err := schema.ParseEmail(b.Text("creator", "")); err == nil {
			r.creator = email
		}
		for _, share := range b.Of("share") {
			if email, err := schema.ParseEmail(share.Text("member", "")); err == nil {
				r.shared = append(r.shared, email)
			}
		}
		s.resources[b.Addr] = r
	}
	return s
}

// Complete adds nothing: what is live is what was confirmed.
func (s *System) Complete(_, _ *schema.State) {}

// Limits returns 0: no limit is published.
func (s *System) Limits(string) int { return 0 }

// Pace returns nothing: no step is a request.
func (s *System) Pace(_ *schema.State, batches []schema.Batch) []schema.Cost {
	return make([]schema.Cost, len(batches))
}
