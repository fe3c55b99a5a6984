package edit_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

const settled = `# Ours.
group "pilot" { # the first
  name = "Pilot" # as in the console
  members = [
    # from design
    "ann@acme.com", # leads
    "bob@acme.com",
  ]
  roles = [role.base, role.extra]

  spend_limit {
    monthly = "200.00" # ticket 12
  }
}

group "one" { name = "One" }
group "list" {
  members = ["ann@acme.com", "bob@acme.com"] # short
}
group "computed" {
  name    = var.name
  members = domain("acme.com")
  owners  = group.pilot.members
}
role "eng" {
  for_each = { a = 1 }
  name     = "x"
}
`

// TestSetAttribute lists edits, each with the lines that it takes away and
// adds. All other lines stay.
func TestSetAttribute(t *testing.T) {
	for name, tt := range map[string]struct {
		addr schema.Address
		attr string
		v    edit.Value
		diff []string
	}{
		"text":      {"group.pilot", "name", edit.Text("New ${x}"), []string{`-  name = "Pilot" # as in the console`, `+  name = "New $${x}" # as in the console`}},
		"list":      {"group.pilot", "members", edit.Texts([]string{"ann@acme.com", "cyd@acme.com"}), []string{`-    "bob@acme.com",`, `+    "cyd@acme.com",`}},
		"first":     {"group.pilot", "members", edit.Texts([]string{"bob@acme.com"}), []string{`-    "ann@acme.com", # leads`}},
		"empty":     {"group.pilot", "members", edit.Texts(nil), []string{`-    "ann@acme.com", # leads`, `-    "bob@acme.com",`}},
		"none":      {"group.pilot", "members", edit.Texts([]string{"ann@acme.com", "bob@acme.com"}), nil},
		"noted":     {"group.pilot", "members", edit.TextsWithNotes([]string{"ann@acme.com", "bob@acme.com", "z@acme.com"}, map[string]string{"z@acme.com": "new"}), []string{`+    "z@acme.com", # new`}},
		"refs":      {"group.pilot", "roles", edit.Refs([]schema.Address{"role.base"}), []string{`-  roles = [role.base, role.extra]`, `+  roles = [role.base]`}},
		"nested":    {"group.pilot", "spend_limit.monthly", edit.Text("5.00"), []string{`-    monthly = "200.00" # ticket 12`, `+    monthly = "5.00" # ticket 12`}},
		"new":       {"group.pilot", "source", edit.Text("scim"), []string{`+  source = "scim"`}},
		"one-line":  {"group.one", "source", edit.Text("scim"), []string{`-group "one" { name = "One" }`, `+group "one" {`, `+name = "One"`, `+source = "scim"`, `+}`}},
		"short":     {"group.list", "members", edit.Texts([]string{"cyd@acme.com"}), []string{`-  members = ["ann@acme.com", "bob@acme.com"] # short`, `+  members = ["cyd@acme.com"] # short`}},
		"new-block": {"group.list", "spend_limit.unlimited", edit.Bool(true), []string{`+  spend_limit {`, `+    unlimited = true`, `+  }`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := edit.SetAttribute([]byte(settled), "a.hcl", tt.addr, tt.attr, tt.v)
			if err != nil {
				t.Fatal(err)
			}
			if _, diags := hclsyntax.ParseConfig(got, "a.hcl", hcl.InitialPos); diags.HasErrors() {
				t.Fatalf("%v\n%s", diags, got)
			}
			if diff := cmp.Diff(tt.diff, lineDiff(settled, string(got))); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, got)
			}
		})
	}
}

// lineDiff returns the lines that went and those that came, with a sign.
func lineDiff(a, b string) []string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	var list []string
	for _, l := range x {
		list = append(list, "-"+l)
	}
	for _, l := range y {
		list = append(list, "+"+l)
	}
	return list
}

// TestSetAttributeStaysCanonical checks that a file in canonical form is in it
// afterwards.
func TestSetAttributeStaysCanonical(t *testing.T) {
	src := "group \"a\" {\n  name = \"A\"\n}\n"
	got, err := edit.SetAttribute([]byte(src), "a.hcl", "group.a", "members", edit.Texts([]string{"ann@acme.com"}))
	if err != nil {
		t.Fatal(err)
	}
	if got, err = edit.SetAttribute(got, "a.hcl", "group.a", "spend_limit.monthly", edit.Text("1.00")); err != nil {
		t.Fatal(err)
	}
	const want = "group \"a\" {\n  name    = \"A\"\n  members = [\"ann@acme.com\"]\n  spend_limit {\n    monthly = \"1.00\"\n  }\n}\n"
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSetAttributeRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		addr schema.Address
		attr string
		err  error
		want string
	}{
		"no-block": {"group.nobody", "name", edit.ErrNoBlock, "a.hcl: group.nobody"},
		"variable": {"group.computed", "name", edit.ErrComputed, "a.hcl:21: name of group.computed"},
		"function": {"group.computed", "members", edit.ErrComputed, "a.hcl:22: members"},
		"others":   {"group.computed", "owners", edit.ErrComputed, "a.hcl:23: owners"},
		"for-each": {`role.eng["a"]`, "name", edit.ErrComputed, `a.hcl:25: role.eng["a"] is one of a for_each`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := edit.SetAttribute([]byte(settled), "a.hcl", tt.addr, tt.attr, edit.Text("x"))
			if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := edit.SetAttribute([]byte("group {"), "a.hcl", "group.a", "name", edit.Text("x")); err == nil {
		t.Error("a broken file was edited")
	}
}

// TestSetListIsTheList sets lists over lists, however they are laid out, and
// reads them back: the same elements, and every comment of one that stays.
func TestSetListIsTheList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		elements := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "$${", "é\"\\"}), 0, 7, rapid.ID)
		have, want := elements.Draw(t, "have"), elements.Draw(t, "want")
		var src strings.Builder
		src.WriteString("group \"a\" {\n  members = [")
		trailing := rapid.Bool().Draw(t, "trailing comma")
		for i, s := range have {
			if rapid.IntRange(0, 4).Draw(t, "layout") > 0 {
				src.WriteString("\n    ")
			}
			src.WriteString(quoted(s))
			if i < len(have)-1 || trailing {
				src.WriteString(",")
			}
			if rapid.Bool().Draw(t, "comment") {
				fmt.Fprintf(&src, " # about %d\n", i)
			}
		}
		if rapid.Bool().Draw(t, "closing line") {
			src.WriteString("\n  ")
		}
		src.WriteString("]\n}\n")
		got, err := edit.SetAttribute([]byte(src.String()), "a.hcl", "group.a", "members", edit.Texts(want))
		if err != nil {
			t.Fatalf("%v\n%s", err, src.String())
		}
		f, diags := hclsyntax.ParseConfig(got, "a.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%v\n%s\nfrom\n%s", diags, got, src.String())
		}
		v, diags := f.Body.(*hclsyntax.Body).Blocks[0].Body.Attributes["members"].Expr.Value(nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		var list []string
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			list = append(list, e.AsString())
		}
		slices.Sort(list)
		slices.Sort(want)
		if !slices.Equal(list, want) {
			t.Fatalf("got %q, want %q\n%s\nfrom\n%s", list, want, got, src.String())
		}
	})
}

func quoted(s string) string {
	b := edit.NewBlock("x")
	b.Set("v", edit.Text(s))
	_, v, _ := strings.Cut(strings.TrimSpace(b.Lines()[0]), "= ")
	return v
}
