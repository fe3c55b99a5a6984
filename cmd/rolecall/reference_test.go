package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/rolecall/rolecall/providers/all"
	"github.com/rolecall/rolecall/schema"
)

var updateReference = flag.Bool("update-reference", false, "write schema/README.md")

// TestReferenceIsCurrent compares the page with the declarations;
// -update-reference writes it.
func TestReferenceIsCurrent(t *testing.T) {
	path := filepath.Join("..", "..", "schema", "README.md")
	want := schema.Reference(all.Languages())
	if *updateReference {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("schema/README.md is not current; go test ./cmd/rolecall -run Reference -update-reference writes it (-want +got):\n%s", diff)
	}
}

// TestReferenceIsComplete wants, of every attribute of every system, type,
// default, meaning, example, and how it is written and read back.
func TestReferenceIsComplete(t *testing.T) {
	n := 0
	var walk func(path string, b schema.ReferenceBlock)
	attributes := func(path string, list []schema.ReferenceAttr) {
		for _, a := range list {
			n++
			for what, text := range map[string]string{
				"type": a.Type, "default": a.Default, "meaning": a.Doc, "example": a.Example,
			} {
				if text == "" {
					t.Errorf("%s.%s has no %s", path, a.Name, what)
				}
			}
			if a.Doc != "" && !strings.HasSuffix(a.Doc, ".") {
				t.Errorf("the meaning of %s.%s is no sentence: %s", path, a.Name, a.Doc)
			}
		}
	}
	walk = func(path string, b schema.ReferenceBlock) {
		path = strings.TrimPrefix(path+"."+b.Type, ".")
		if b.Doc == "" || b.Example == "" {
			t.Errorf("%s has no meaning or no example", path)
		}
		attributes(path, b.Attributes)
		for _, nested := range b.Blocks {
			walk(path, nested)
		}
	}
	data := schema.ReferenceJSON(all.Languages())
	for _, s := range data.Systems {
		for _, b := range s.Blocks {
			walk(s.Name, b)
		}
		for _, x := range s.Extend {
			attributes(s.Name+"."+x.Block, x.Attributes)
		}
	}
	for _, b := range data.Blocks {
		walk("", b)
	}
	if n < 60 {
		t.Errorf("only %d attributes", n)
	}
}

// TestReferenceExamplesDecode reads every example of the reference as a
// configuration, with stubs of the blocks that it refers to.
func TestReferenceExamplesDecode(t *testing.T) {
	data := schema.ReferenceJSON(all.Languages())
	for i, s := range data.Systems {
		for _, b := range slices.Concat(data.Blocks, s.Blocks) {
			if slices.ContainsFunc(data.Blocks, func(g schema.ReferenceBlock) bool { return g.Type == b.Type }) && !speaks(s, b.Example) {
				continue // the page shows the example once, in the words of a system that has these blocks
			}
			t.Run(s.Name+"/"+b.Type, func(t *testing.T) {
				text := b.Example
				if b.Type != "organization" {
					text += organizationOf(s)
				}
				for _, stub := range stubs(t, text, s.Blocks) {
					text += stub
				}
				dir := t.TempDir()
				for path, text := range map[string]string{
					"org/main.hcl": text, "org/marketing.prompt.md": "Be kind.", "shared-roles/a.hcl": "locals {\n}\n",
				} {
					if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if _, diags := schema.Load(filepath.Join(dir, "org"), schema.Options{Systems: all.Languages()[i : i+1]}); len(diags) > 0 {
					t.Errorf("%v\n%s", diags, text)
				}
			})
		}
	}
	page := schema.Reference(all.Languages())
	if blocks := regexp.MustCompile("(?s)```hcl\n.*?```").FindAllString(page, -1); len(blocks) != len(data.Blocks)+len(slices.Concat(systemBlocks(data)...)) {
		t.Errorf("the page has %d code blocks that are not examples of blocks", len(blocks))
	}
}

// speaks reports whether a system has every type of block that an example
// refers to with a dot.
func speaks(s schema.ReferenceSystem, example string) bool {
	for _, m := range regexp.MustCompile(`[\[=,(] ?(connector|group|role|feature)\.`).FindAllStringSubmatch(example, -1) {
		if !slices.ContainsFunc(s.Blocks, func(b schema.ReferenceBlock) bool { return b.Type == m[1] }) {
			return false
		}
	}
	return true
}

func systemBlocks(data schema.ReferenceData) [][]schema.ReferenceBlock {
	var list [][]schema.ReferenceBlock
	for _, s := range data.Systems {
		list = append(list, s.Blocks)
	}
	return list
}

// organizationOf returns the shortest organization block of a system.
func organizationOf(s schema.ReferenceSystem) string {
	return fmt.Sprintf("organization \"acme\" {\n  system = %q\n}\n", s.Name)
}

// stubs returns the blocks that a text refers to and does not have, each with
// what is required.
func stubs(t *testing.T, text string, decls []schema.ReferenceBlock) map[string]string {
	t.Helper()
	list := map[string]string{}
	has := map[string]bool{}
	refer := func(text string) {
		file, diags := hclsyntax.ParseConfig([]byte(text), "example.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%v\n%s", diags, text)
		}
		var walk func(typ string, body *hclsyntax.Body)
		walk = func(typ string, body *hclsyntax.Body) {
			for _, b := range body.Blocks {
				if typ == "" {
					has[b.Type+" "+strings.Join(b.Labels, " ")] = true
				}
				walk(b.Type, b.Body)
			}
			for _, a := range body.Attributes {
				if typ == "removed" || typ == "moved" && a.Name == "from" {
					continue
				}
				for _, v := range a.Expr.Variables() {
					i := slices.IndexFunc(decls, func(d schema.ReferenceBlock) bool { return d.Type == v.RootName() })
					if i < 0 {
						continue
					}
					stub := decls[i].Type
					key := decls[i].Type + " "
					for k := range decls[i].Labels {
						label := ""
						switch step := v[k+1].(type) {
						case hcl.TraverseAttr:
							label = step.Name
						case hcl.TraverseIndex:
							label = step.Key.AsString()
						}
						stub += fmt.Sprintf(" %q", label)
						key = strings.TrimSpace(key) + " " + label
					}
					if has[key] {
						continue
					}
					has[key] = true
					stub += " {\n"
					for _, a := range decls[i].Attributes {
						if a.Required {
							stub += fmt.Sprintf("  %s = %s\n", a.Name, a.Example)
						}
					}
					list[key] = stub + "}\n"
				}
			}
		}
		walk("", file.Body.(*hclsyntax.Body))
	}
	refer(text)
	for done := 0; done < len(list); { // stubs may refer to others
		done = len(list)
		for _, key := range slices.Sorted(maps.Keys(list)) {
			refer(list[key])
		}
	}
	return list
}

// TestSchemaCommand checks the JSON that editors read.
func TestSchemaCommand(t *testing.T) {
	s, out, errs := silent()
	if code := run(context.Background(), []string{"rolecall", "schema"}, s); code != 0 {
		t.Fatalf("status %d: %s", code, errs)
	}
	var data schema.ReferenceData
	d := json.NewDecoder(out)
	d.DisallowUnknownFields()
	if err := d.Decode(&data); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(schema.ReferenceJSON(all.Languages()), data); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}
