// Package conduit is the WYRE gateway Conduit: its language, its access
// semantics, its steps, and its SCIM and JSON interfaces.
//
// What is pure is in [System]; reading is one type, writing another, which only
// connecting to write makes. Routes that are not documented are read where they
// answer and left to the ledger where they do not.
//
// Source: product guide "Tool access", the vendor's API, permissions and SCIM
// pages; read 2026-11-22.
package conduit

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// Kind registers Conduit.
func Kind() providers.Kind {
	return providers.Kind{
		Language: language,
		New:      func(c *schema.Config) providers.System { return New(c) },
		Connect: func(ctx context.Context, c *schema.Config, env providers.Environment) (*providers.Connection, error) {
			conn, _, err := connect(ctx, c, env)
			return conn, err
		},
		ConnectToWrite: connect,
		Emulate:        emulate,
	}
}

// System is Conduit for one configuration.
type System struct {
	config  *schema.Config
	vendors map[string]declared // by slug
}

// declared is what the configuration says of a vendor and nothing changes.
type declared struct {
	tools    []string
	personal bool
}

// New returns Conduit for the configuration c.
func New(c *schema.Config) *System {
	s := &System{config: c, vendors: map[string]declared{}}
	for _, b := range c.Of("vendor") {
		s.vendors[b.Label] = declared{b.Texts("tools"), b.Text("personal", "assume") == "assume"}
	}
	return s
}

func (s *System) slugs() []string { return slices.Sorted(maps.Keys(s.vendors)) }

// toolsOf returns the tools that a vendor has, as declared or as discovered.
func (s *System) toolsOf(v *schema.Object) []string {
	if v == nil {
		return nil
	}
	if list := s.vendors[v.Key].tools; len(list) > 0 {
		return list
	}
	return v.Get(attrTools).AsSet()
}

// Complete adds nothing: what no read shows, the reader took from the ledger.
func (s *System) Complete(_, _ *schema.State) {}

// Limits returns 0: no limit is published.
func (s *System) Limits(string) int { return 0 }

// perHour is how many writes of individual vendor access an hour allows.
//
// Source: observed behaviour of the service, June 2026.
const perHour = 10

// Pace estimates requests, and seconds at ten individual grants an hour and
// ten of everything else a second.
func (s *System) Pace(_ *schema.State, batches []schema.Batch) []schema.Cost {
	costs := make([]schema.Cost, len(batches))
	granted, passed := 0, 0 // individual grants, and seconds until now
	for i, b := range batches {
		individual := granted
		for _, step := range b.Steps {
			if step.Via != schema.ByAPI {
				continue
			}
			costs[i].Requests++
			if strings.HasSuffix(step.ID, "/vendors") {
				individual++
			}
		}
		costs[i].Seconds = (costs[i].Requests + 9) / 10
		if full := (individual - 1) / perHour; individual > granted && full > 0 { // the first ten go at once
			costs[i].Seconds = max(costs[i].Seconds, full*3600-passed)
		}
		granted, passed = individual, passed+costs[i].Seconds+b.Settle
	}
	return costs
}
