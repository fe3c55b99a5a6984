package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/all"
	"github.com/rolecall/rolecall/schema"
)

// TestExamplesAreHealthy wants nothing above info found in the organization
// that each example describes: checks are silent where all is well. What those
// lead to that can be applied is looked at where they are.
func TestExamplesAreHealthy(t *testing.T) {
	for _, name := range []string{"acme", "real-org", "msp", "studio", "corp"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, diags := schema.Load(copyDir(t, filepath.Join("..", "..", "examples", name)), schema.Options{Systems: all.Languages()})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			kind, _ := all.Find(cfg)
			conn, err := kind.Connect(t.Context(), cfg, providers.Environment{Getenv: func(string) string { return "" }})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			live, err := conn.Reader.Read(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			end := planAgainst(t, cfg, kind, live).Desired
			p := planAgainst(t, cfg, kind, end.Clone())
			for _, f := range p.Findings {
				if f.Severity != plan.Info {
					t.Errorf("%s %s %s: %s", f.Severity, f.Rule, f.Address, f.Message)
				}
			}
		})
	}
}

func planAgainst(t *testing.T, cfg *schema.Config, kind providers.Kind, live *schema.State) *plan.Plan {
	t.Helper()
	system := kind.New(cfg)
	description, diags := system.Describe()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	p, err := plan.Build(plan.Input{Config: cfg, Description: description, System: system, Live: live, Version: "test",
		Now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
