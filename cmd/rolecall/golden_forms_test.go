package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// planned returns the plan of an example in a form.
func planned(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	s, out, errs := silent()
	if code := run(context.Background(), append([]string{"rolecall", "plan", "-C", dir, "--now", "2026-11-22"}, args...), s); code != exitOK {
		t.Fatalf("plan exits with %d: %s", code, errs)
	}
	inMarkdown := regexp.MustCompile(`[/.:_-]`).ReplaceAllStringFunc(dir, func(c string) string { return fmt.Sprintf("&#%d;", c[0]) })
	return bytes.ReplaceAll(bytes.ReplaceAll(out.Bytes(), []byte(dir), []byte("DIR")), []byte(inMarkdown), []byte("DIR"))
}

// goldenForms are the forms of each example that are kept whole. JSON is kept
// of the small ones; that of the others is thousands of people long, and is
// held to its schema.
var goldenForms = map[string][]string{
	"acme": {"markdown", "html"}, "real-org": {"markdown"},
	"corp": {"text", "json", "markdown", "html"}, "msp": {"text", "json", "markdown", "html"}, "studio": {"text", "json", "markdown", "html"},
}

// TestFormsReadAsTheyDid compares the plans of the examples with golden files,
// to the byte. Text of acme and real-org is in TestPlansReadAsTheyDid. Run with
// -update to write them, and read the difference as a reviewer would.
func TestFormsReadAsTheyDid(t *testing.T) {
	for name, forms := range goldenForms {
		t.Run(name, func(t *testing.T) {
			dir := copyDir(t, filepath.Join("..", "..", "examples", name))
			for _, form := range forms {
				got := planned(t, dir, "--format", form)
				if again := planned(t, dir, "--format", form); !bytes.Equal(got, again) {
					t.Errorf("two plans of the same differ as %s", form)
				}
				file := filepath.Join("testdata", name+".plan."+map[string]string{"text": "txt", "json": "json", "markdown": "md", "html": "html"}[form])
				if *update {
					if err := os.WriteFile(file, got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(want, got) {
					t.Errorf("%s (-want +got):\n%s", form, cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")))
				}
			}
		})
	}
}

// TestPlanJSONFitsItsSchema: what plan prints of every example is as the
// published schema says, whoever is named in it and whatever it is compared
// with.
func TestPlanJSONFitsItsSchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(filepath.Join("..", "..", "plan", "plan.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join("..", "..", "examples")
	for name := range goldenForms {
		t.Run(name, func(t *testing.T) {
			dir := copyDir(t, filepath.Join(root, name))
			for _, args := range [][]string{nil, {"--people", "counts"}, {"--people", "initials"}, {"--against", dir}, {"--narrow-only"}} {
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(planned(t, dir, append(args, "--format", "json")...)))
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Validate(v); err != nil {
					t.Errorf("%v: %v", args, err)
				}
			}
		})
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(goldenForms) {
		t.Errorf("%d examples are looked at of %d", len(goldenForms), len(entries))
	}
}
