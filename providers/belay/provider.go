// Package belay is Belay's functional groups: its language, its access
// semantics and its console steps.
//
// Belay has no API for administration. The live state is the ledger, every step
// is one that a person does in the dashboard, and what one member sees can be
// read back over MCP, as that member ([canary]).
//
// Source: product guide "Groups" and the help pages of onbelay.ai; read
// 2026-11-22.
package belay

import (
	"context"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/schema"
)

// Kind registers Belay.
func Kind() providers.Kind {
	return providers.Kind{
		Language: language,
		New:      func(c *schema.Config) providers.System { return New(c) },
		Connect: func(_ context.Context, c *schema.Config, env providers.Environment) (*providers.Connection, error) {
			return connect(c, env), nil
		},
		ConnectToWrite: func(_ context.Context, c *schema.Config, env providers.Environment) (*providers.Connection, providers.Editor, error) {
			return connect(c, env), ledger.Editor{}, nil
		},
	}
}

func connect(c *schema.Config, env providers.Environment) *providers.Connection {
	s := New(c)
	described, _ := s.Describe()
	var r providers.Reader = ledger.NewReader(c, func(live *schema.State) {
		for _, o := range live.Of("group") {
			if !o.Get(attrMembers).Known() {
				o.Put(attrMembers, schema.Set())
			}
		}
		providers.Suppose(described, live, providers.Mentioned(described, live, attrMembers)...)
	})
	if s.canary != nil {
		if token := env.Getenv(s.canary.tokenEnv); token != "" {
			r = &watched{Reader: r, canary: s.canary, token: token}
		}
	}
	return &providers.Connection{Reader: r, Close: func() error { return nil }}
}

// System is Belay for one configuration.
type System struct {
	config    *schema.Config
	catalogue map[string]map[string]string // class by scope, by integration label
	canary    *canary
}

// New returns Belay for the configuration c.
func New(c *schema.Config) *System {
	s := &System{config: c, catalogue: map[string]map[string]string{}}
	for _, b := range c.Of("integration") {
		scopes := map[string]string{}
		if a := b.Attr("scopes"); a != nil {
			for scope, class := range a.Entries {
				scopes[scope] = class.Text
			}
		}
		s.catalogue[b.Label] = scopes
	}
	for _, o := range c.Of("organization") {
		for _, b := range o.Of("canary") {
			s.canary = &canary{tokenEnv: b.Text("token_env", "BELAY_CANARY_TOKEN"), endpoint: b.Text("endpoint", DefaultEndpoint), at: b.Range}
			if a := b.Attr("group"); a != nil && len(a.Items) > 0 {
				s.canary.group = schema.Address(a.Items[0].Text)
			}
		}
	}
	return s
}

// Complete adds nothing: what is live is what was confirmed.
func (s *System) Complete(_, _ *schema.State) {}

// Limits returns 0: how many groups a plan allows is not published.
func (s *System) Limits(string) int { return 0 }

// Pace returns nothing: no step is a request.
func (s *System) Pace(_ *schema.State, batches []schema.Batch) []schema.Cost {
	return make([]schema.Cost, len(batches))
}
