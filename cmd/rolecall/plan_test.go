package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/all"
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

// TestPlanCannotWrite: what a plan holds has no way to write, whatever one
// asserts it to be, and only apply asks for more.
func TestPlanCannotWrite(t *testing.T) {
	dir := copyDir(t, filepath.Join("..", "..", "examples", "acme"))
	cfg, diags := schema.Load(dir, schema.Options{Systems: all.Languages()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	kind, _ := all.Find(cfg)
	conn, err := kind.Connect(t.Context(), cfg, providers.Environment{Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, writes := conn.Reader.(providers.Editor); writes {
		t.Error("the reader can carry out steps")
	}
	if _, drives := conn.Reader.(providers.Console); drives {
		t.Error("the reader can do console steps")
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file == "apply.go" || file == "rollback.go" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(src), "ConnectToWrite") {
			t.Errorf("%s connects to write", file)
		}
	}
}
