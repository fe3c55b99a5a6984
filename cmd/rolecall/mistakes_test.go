package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var updateMistakes = flag.Bool("update-mistakes", false, "write the messages in testdata/mistakes")

// organizationFile is added to a mistake that is not about the organization.
const organizationFile = "organization \"acme\" {\n  system = \"claude-enterprise\"\n}\n"

// TestMistakes makes the mistakes in testdata/mistakes, one a file: each has
// what a person wrote, and under "message" the whole message they get.
func TestMistakes(t *testing.T) {
	paths, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(paths) < 60 {
		t.Fatalf("only %d mistakes (%v)", len(paths), err)
	}
	messages := map[string]string{}
	for _, path := range paths {
		path, err := filepath.Abs(path) // the mistake is made in a directory of its own
		if err != nil {
			t.Fatal(err)
		}
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			if len(bytes.TrimSpace(archive.Comment)) == 0 {
				t.Error("the file does not say what the mistake is")
			}
			got := mistake(t, archive)
			at := len(archive.Files) - 1
			if at < 0 || archive.Files[at].Name != "message" {
				archive.Files = append(archive.Files, txtar.File{Name: "message"})
				at++
			}
			if *updateMistakes {
				archive.Files[at].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(archive.Files[at].Data), got); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			if other, twice := messages[got]; twice {
				t.Errorf("it is the same mistake as %s", other)
			}
			messages[got] = path
		})
	}
}

// mistake returns what rolecall says of the files of an archive.
func mistake(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	var args []string
	organization := false
	write := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range archive.Files {
		switch f.Name {
		case "message":
			continue
		case "args":
			args = strings.Fields(string(f.Data))
			continue
		}
		organization = organization || bytes.Contains(f.Data, []byte("organization")) && !bytes.Contains(f.Data, []byte("organization_role"))
		write(f.Name, f.Data)
	}
	if !organization {
		write("organization.hcl", []byte(organizationFile))
	}
	t.Chdir(dir)
	s, out, errs := silent()
	code := run(context.Background(), append([]string{"rolecall", "validate"}, args...), s)
	if code != 1 {
		t.Errorf("status %d, and it should be 1: %s", code, out)
	}
	return errs.String()
}
