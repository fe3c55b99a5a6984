package main

import (
	"context"
	"testing"
	"time"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// planOf plans a configuration against a live organization.
func planOf(t testing.TB, cfg *schema.Config, kind providers.Kind, endpoint string) *plan.Plan {
	t.Helper()
	ctx := context.Background()
	conn, err := kind.Connect(ctx, cfg, providers.Environment{Getenv: func(k string) string {
		if k == "ROLECALL_ENDPOINT" {
			return endpoint
		}
		return ""
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	live, err := conn.Reader.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	system := kind.New(cfg)
	description, diags := system.Describe()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	p, err := plan.Build(plan.Input{Config: cfg, Description: description, System: system, Live: live, Version: "test", Now: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
