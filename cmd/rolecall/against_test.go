package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamplesAgainstThemselves: compared with itself, a configuration of any
// system changes nothing, and whatever stands in it is found again. Nothing is
// connected to.
func TestExamplesAgainstThemselves(t *testing.T) {
	root := filepath.Join("..", "..", "examples")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Run(e.Name(), func(t *testing.T) {
			dir := filepath.Join(root, e.Name())
			s, out, errs := silent()
			s.getenv = func(string) string { return "" }
			args := []string{"rolecall", "plan", "-C", dir, "--against", dir, "--detailed-exitcode", "--now", "2026-11-22"}
			if code := run(context.Background(), args, s); code != exitOK {
				t.Fatalf("exits with %d: %s%s", code, out, errs)
			}
			if !strings.HasPrefix(out.String(), "No changes.") {
				t.Errorf("it begins %.100q", out)
			}
		})
	}
}
