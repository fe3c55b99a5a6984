package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestWholeLanguage validates, for each system, one configuration in which
// every block and attribute stands that its page of the language shows.
func TestWholeLanguage(t *testing.T) {
	systems, err := os.ReadDir("testdata/whole")
	if err != nil || len(systems) != 4 {
		t.Fatalf("systems: %v, %v", systems, err)
	}
	for _, s := range systems {
		t.Run(s.Name(), func(t *testing.T) {
			code, out, stderr := call(t, "", "validate", "-C", filepath.Join("testdata/whole", s.Name()), "--now", "2026-11-25")
			if code != 0 {
				t.Errorf("validate exits with %d:\n%s%s", code, out, stderr)
			}
		})
	}
}
