package schema_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/schema"
)

func TestFormat(t *testing.T) {
	tests := map[string]struct{ src, want string }{
		"empty":            {"", ""},
		"blank-lines":      {"\n\n", ""},
		"no-end":           {"a = 1", "a = 1\n"},
		"ends":             {"a = 1\n\n\n", "a = 1\n"},
		"canonical":        {"group \"a\" {\n  name = \"A\"\n}\n", "group \"a\" {\n  name = \"A\"\n}\n"},
		"indent":           {"group \"a\" {\nname=\"A\"\nspend_limit{\nmonthly=1\n}\n}\n", "group \"a\" {\n  name = \"A\"\n  spend_limit {\n    monthly = 1\n  }\n}\n"},
		"align":            {"a = 1\nlong = 2\n\nb = 3\n", "a    = 1\nlong = 2\n\nb = 3\n"},
		"space-at-the-end": {"a = 1   \n", "a = 1\n"},
		"comments":         {"# one\na = 1   # two\n// three\n/* four */ b = 2\n", "# one\na = 1 # two\n// three\n/* four */ b = 2\n"},
		"heredoc":          {"a = <<EOT\n  keeps   its  space  \n\n\nEOT\n", "a = <<EOT\n  keeps   its  space  \n\n\nEOT\n"},
		"text":             {"a = \"two  spaces\"\n", "a = \"two  spaces\"\n"},
		"one-line-block":   {"removed { from = group.a }\n", "removed { from = group.a }\n"},
		"windows":          {"a=1\r\nbb=2\r\n", "a  = 1\r\nbb = 2\r\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, diags := schema.Format([]byte(tt.src), "a.hcl")
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("Format (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFormatRefuses checks that what cannot be parsed is not formatted.
func TestFormatRefuses(t *testing.T) {
	for name, src := range map[string]string{"syntax": "a = \n", "quote": "a = \"b\n", "encoding": "a = \"\xff\"\n", "nesting": strings.Repeat("[", 20_000)} {
		if out, diags := schema.Format([]byte(src), "a.hcl"); !diags.HasErrors() || out != nil || diags[0].Subject == nil {
			t.Errorf("%s: %q, %v", name, out, diags)
		}
	}
}

// TestExamplesAreFormatted checks that what others will copy is in canonical
// form, and that formatting leaves what it means.
func TestExamplesAreFormatted(t *testing.T) {
	paths, err := filepath.Glob("../examples/*/*.hcl")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if out, diags := schema.Format(src, path); diags.HasErrors() || !bytes.Equal(src, out) {
			t.Errorf("%s is not in canonical form: %v", path, diags)
		}
	}
}

// meaning returns what a configuration says, without places.
func meaning(c *schema.Config) string {
	var b strings.Builder
	var block func(d *schema.Described)
	block = func(d *schema.Described) {
		fmt.Fprintln(&b, d.Type, d.Label, d.Second, d.Key, d.Addr)
		for _, name := range slices.Sorted(maps.Keys(d.Attrs)) {
			a := d.Attrs[name]
			fmt.Fprintln(&b, name, a.Text, a.Bool, a.People)
			for _, it := range a.Items {
				fmt.Fprintln(&b, "-", it.Text)
			}
			for _, k := range slices.Sorted(maps.Keys(a.Entries)) {
				fmt.Fprintln(&b, k, a.Entries[k].Text)
			}
		}
		for _, n := range d.Blocks {
			block(n)
		}
	}
	for _, d := range c.Blocks {
		block(d)
	}
	for _, x := range c.Tests {
		fmt.Fprintln(&b, x.Name, x.Who, len(x.Can), len(x.Cannot))
	}
	fmt.Fprintln(&b, len(c.Rules), len(c.Accepts), len(c.Exclusives), c.Removals == nil, c.Moves == nil)
	return b.String()
}

// FuzzFormat checks that formatting keeps what a file means, and that
// formatting again changes nothing.
func FuzzFormat(f *testing.F) {
	seed(f, func(src []byte, json bool) {
		if !json {
			f.Add(src)
		}
	})
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<14 {
			return
		}
		out, diags := schema.Format(src, "a.hcl")
		if diags.HasErrors() {
			for _, d := range diags {
				if d.Subject == nil {
					t.Errorf("no place: %v", d)
				}
			}
			return
		}
		again, diags := schema.Format(out, "a.hcl")
		if diags.HasErrors() || !bytes.Equal(out, again) {
			t.Fatalf("formatting again: %v\n%q\n%q", diags, out, again)
		}
		read := func(src []byte) (string, []string) {
			dir, err := os.MkdirTemp(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			if err := os.WriteFile(filepath.Join(dir, "a.hcl"), src, 0o644); err != nil {
				t.Fatal(err)
			}
			c, diags := schema.LoadWithin(dir, options(), 10_000, 1<<30)
			var list []string
			for _, d := range diags {
				list = append(list, d.Summary)
			}
			return meaning(c), list
		}
		before, errs := read(src)
		after, errsAfter := read(out)
		if before != after || !slices.Equal(errs, errsAfter) {
			t.Errorf("the meaning changes (-before +after):\n%s%s", cmp.Diff(before, after), cmp.Diff(errs, errsAfter))
		}
	})
}
