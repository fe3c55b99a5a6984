package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/rolecall/rolecall/schema"
)

// TestAllErrorsAtOnce checks that no error hides another.
func TestAllErrorsAtOnce(t *testing.T) {
	files := map[string]string{"org.hcl": organization}
	var want []string
	for f := range 3 {
		var b strings.Builder
		for i := range 10 {
			fmt.Fprintf(&b, "role \"r%d%d\" {\n  name = %s\n}\n", f, i,
				[]string{"1", "role.nothing.name", "upper(1, 2)", "true", "local.nothing"}[i%5])
			want = append(want, fmt.Sprintf("f%d.hcl:%d: %s", f, 3*i+2,
				[]string{"Wrong type of value", "Unknown reference", "Too many function arguments", "Wrong type of value", "Unknown reference"}[i%5]))
		}
		files[fmt.Sprintf("f%d.hcl", f)] = b.String()
	}
	_, diags := load(t, files, options())
	if diff := cmp.Diff(want, lines(diags)); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if len(diags) != 30 {
		t.Errorf("%d errors, want 30", len(diags))
	}
}

// TestBrokenBlockGivesOneError checks that what refers to something broken is
// passed over.
func TestBrokenBlockGivesOneError(t *testing.T) {
	_, diags := load(t, map[string]string{"main.hcl": organization + `
locals {
  broken = nothing("x")
  uses   = "${local.broken}!"
  also   = [for x in local.broken : x.y.z]
  third  = try(local.broken, 7)
}
role "r" {
  name         = local.uses
  description  = upper(role.other.description)
  capabilities = local.also
  connector "x" {
    tools = { for t in local.broken : t => local.uses }
  }
}
role "other" {
  description = local.broken
}
role "each" {
  for_each = toset(local.broken)
  name     = each.value
}
group "g" {
  roles   = concat(values(role.each), [role.r, role.each["x"]])
  members = union(local.broken, role.r.name)
  owners  = [role.each["x"].name, local.third]
}
guard {
  protected    = local.broken
  max_removals = local.broken
}
`}, options())
	if diff := cmp.Diff([]string{"main.hcl:6: Call to unknown function"}, lines(diags)); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

// TestErrorsInJSON checks places and summaries in JSON syntax.
func TestErrorsInJSON(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"unknown-block":     {`{"rle": {"a": {}}}`, []string{"a.hcl.json:1: Unknown block"}},
		"other-system":      {`{"vendor": {"a": {}}}`, []string{"a.hcl.json:1: Block of another system"}},
		"unknown-attribute": {"{\"role\": {\"a\": {\n\"nmae\": 1}}}", []string{"a.hcl.json:2: Unknown attribute"}},
		"wrong-type":        {"{\"role\": {\"a\": {\n\"name\": 1}}}", []string{"a.hcl.json:2: Wrong type of value"}},
		"reference":         {"{\"group\": {\"a\": {\n\"roles\": [\n\"${role.x}\"]}}}", []string{"a.hcl.json:3: Unknown reference"}},
		"no-reference":      {"{\"group\": {\"a\": {\n\"roles\": [\n\"role.x\"]}}}", []string{"a.hcl.json:3: Wrong type of value"}},
		"missing-label":     {`{"role": {}}`, []string{"a.hcl.json:1: Missing block label"}},
		"label-is-value":    {`{"role": {"name": "x"}}`, []string{"a.hcl.json:1: Incorrect JSON value type"}},
		"not-json":          {`{`, []string{"a.hcl.json:1: Missing value", "a.hcl.json:1: Invalid object property name"}},
		"not-an-object":     {`7`, []string{"a.hcl.json:1: Root value must be object"}},
		"duplicate":         {`{"role": [{"a": {}}, {"a": {}}]}`, []string{"a.hcl.json:1: Duplicate block"}},
		"duplicate-member":  {`{"group": {"a": {"members": ["a@b.c", "A@B.C"]}}}`, []string{"a.hcl.json:1: Member listed twice"}},
		"for-each-in-once":  {`{"guard": {"for_each": {}}}`, []string{"a.hcl.json:1: for_each not allowed"}},
		"deep":              {strings.Repeat("[", 20_000), []string{"a.hcl.json:1: JSON not accepted"}},
		"long-template":     {`{"locals": {"a": "${` + strings.Repeat("-", 70_000) + `1}"}}`, []string{"a.hcl.json:1: JSON not accepted"}},
		"long-number":       {`{"locals": {"a": 1e99999}}`, []string{"a.hcl.json:1: JSON not accepted"}},
		"empty":             {``, nil},
		"array":             {`[{"role": {"a": {}}}, {"role": {"b": {}}}]`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, diags := load(t, map[string]string{"a.hcl.json": tt.text, "org.hcl": organization}, options())
			if diff := cmp.Diff(tt.want, lines(diags)); diff != "" {
				t.Errorf("errors (-want +got):\n%s\n%s", diff, shown(t, c, diags))
			}
		})
	}
}

func TestDirectories(t *testing.T) {
	outside := directory(t, map[string]string{"secret.hcl": "hunter2 = 1\n", "secret.txt": "hunter2"})
	tests := map[string]struct {
		files map[string]string
		setup func(t *testing.T)
		want  []string
	}{
		"empty":           {want: []string{"-: No configuration"}},
		"only-other":      {files: map[string]string{"a.txt": "", ".hidden.hcl": "x", "sub/a.hcl": "x"}, want: []string{"-: No configuration"}},
		"no-organization": {files: map[string]string{"a.hcl": "role \"a\" {\n  name = 1\n}\n"}, want: []string{"-: No organization block", "a.hcl:2: Wrong type of value"}},
		"no-organization-and-two-systems": {files: map[string]string{"a.hcl": "locals {\n  a = local.x\n  b = role.x\n  c = local.a\n}\n"},
			want: []string{"-: No organization block"}},
		"invalid-utf-8":           {files: map[string]string{"a.hcl": organization + "# é\n# \xff\n"}, want: []string{"a.hcl:5: Invalid UTF-8"}},
		"too-large":               {files: map[string]string{"a.hcl": organization, "b.hcl": strings.Repeat("#\n", 6<<20)}, want: []string{"b.hcl:1: Unreadable file"}},
		"directory-with-the-name": {files: map[string]string{"a.hcl": organization, "b.hcl/x": ""}},
		"link-to-outside": {files: map[string]string{"a.hcl": organization}, setup: func(t *testing.T) {
			link(t, filepath.Join(outside, "secret.hcl"), "b.hcl")
		}, want: []string{"b.hcl:1: Unreadable file"}},
		"link-inside": {files: map[string]string{"real/a.hcl": organization}, setup: func(t *testing.T) { link(t, "real/a.hcl", "b.hcl") }},
		"dangling-link": {files: map[string]string{"a.hcl": organization}, setup: func(t *testing.T) { link(t, "nothing", "b.hcl") },
			want: []string{"b.hcl:1: Unreadable file"}},
		"link-loop": {files: map[string]string{"a.hcl": organization}, setup: func(t *testing.T) { link(t, "b.hcl", "b.hcl") },
			want: []string{"b.hcl:1: Unreadable file"}},
		"function-link-to-outside": {files: map[string]string{"a.hcl": organization + "locals {\n  a = file(\"x\")\n}\n"}, setup: func(t *testing.T) {
			link(t, filepath.Join(outside, "secret.txt"), "x")
		}, want: []string{"a.hcl:5: Invalid function argument"}},
		"function-path-through-link": {files: map[string]string{"a.hcl": organization + "locals {\n  a = file(\"x/secret.txt\")\n}\n"}, setup: func(t *testing.T) {
			link(t, outside, "x")
		}, want: []string{"a.hcl:5: Invalid function argument"}},
		"function-exists-outside": {files: map[string]string{"a.hcl": organization + "role \"a\" {\n  description = \"it is ${fileexists(\"x\")}\"\n}\n"}, setup: func(t *testing.T) {
			link(t, filepath.Join(outside, "secret.txt"), "x")
		}},
		"function-too-large": {files: map[string]string{"a.hcl": organization + "locals {\n  a = file(\"x\")\n}\n", "x": strings.Repeat("x", 64<<20+1)},
			want: []string{"a.hcl:5: Invalid function argument"}},
		"function-not-utf-8": {files: map[string]string{"a.hcl": organization + "locals {\n  a = file(\"x\")\n}\n", "x": "\xff"},
			want: []string{"a.hcl:5: Invalid function argument"}},
		"deep-brackets":  {files: map[string]string{"a.hcl": organization + "locals {\n  a = " + strings.Repeat("[", 50_000) + "\n}\n"}, want: []string{"a.hcl:5: Expression nested too deeply"}},
		"deep-operators": {files: map[string]string{"a.hcl": organization + "locals {\n  a = " + strings.Repeat("!", 50_000) + "true\n}\n"}, want: []string{"a.hcl:5: Expression nested too deeply"}},
		"deep-over-lines": {files: map[string]string{"a.hcl": organization + "locals {\n  a = (" + strings.Repeat("1 +\n", 20_000) + "1)\n}\n"},
			want: []string{"a.hcl:10002: Expression nested too deeply"}},
		"deep-templates": {files: map[string]string{"a.hcl": organization + "locals {\n  a = " + strings.Repeat(`"${`, 20_000) + "\n}\n"}, want: []string{"a.hcl:5: Expression nested too deeply"}},
		"deep-blocks":    {files: map[string]string{"a.hcl": organization + strings.Repeat("a {\n", 20_000)}, want: []string{"a.hcl:10004: Expression nested too deeply"}},
		"deep-template-file": {files: map[string]string{"a.hcl": organization + "locals {\n  a = templatefile(\"x\", {})\n}\n", "x": strings.Repeat("%{ if true }", 20_000)},
			want: []string{"a.hcl:5: Invalid function argument"}},
		"deep-json": {files: map[string]string{"a.hcl": organization + "locals {\n  a = jsondecode(file(\"x\"))\n}\n", "x": strings.Repeat("[", 50_000)},
			want: []string{"a.hcl:5: Invalid function argument"}},
		"template-without-variable": {files: map[string]string{"a.hcl": organization + "locals {\n  a = templatefile(\"x\", {})\n}\n", "x": "${name}"},
			want: []string{"a.hcl:5: Invalid function argument"}},
		"template-reads-itself": {files: map[string]string{"a.hcl": organization + "locals {\n  a = templatefile(\"x\", {})\n}\n", "x": "${templatefile(\"x\", {})}"},
			want: []string{"a.hcl:5: Invalid function argument"}},
		"reference-into-broken-file": {files: map[string]string{"a.hcl": organization + "role \"x\" {\n  name = =\n}\nrole \"y\" {\n}\n", "b.hcl": "group \"g\" {\n  roles = [role.x, role.y]\n  name  = 1\n}\n"},
			want: []string{"a.hcl:5: Invalid expression", "b.hcl:3: Wrong type of value"}},
		"organization-in-broken-file": {files: map[string]string{"a.hcl": "x = =\n" + organization, "b.hcl": "role \"x\" {\n  name = 1\n}\n"},
			want: []string{"a.hcl:1: Invalid expression", "b.hcl:2: Wrong type of value"}},
		"too-many-instances": {files: map[string]string{"a.hcl": organization + "group \"g\" {\n  for_each = toset(split(\"\\n\", file(\"x\")))\n}\n", "x": numbers(100_001)},
			want: []string{"a.hcl:5: Invalid for_each"}},
		"long-list-is-no-depth": {files: map[string]string{"a.hcl": organization + "locals {\n  a = [\n" + strings.Repeat("    -1,\n    \"x${1}\",\n", 6_000) + "  ]\n}\n"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Chdir(directory(t, tt.files))
			if tt.setup != nil {
				tt.setup(t)
			}
			c, diags := schema.Load(".", options())
			text := shown(t, c, diags)
			if diff := cmp.Diff(tt.want, lines(diags)); diff != "" {
				t.Errorf("errors (-want +got):\n%s\n%s", diff, text)
			}
			if strings.Contains(text, "hunter2") {
				t.Errorf("what is outside of the directory is shown:\n%s", text)
			}
		})
	}
	t.Run("no-such-directory", func(t *testing.T) {
		c, diags := schema.Load(filepath.Join(t.TempDir(), "nothing"), options())
		if diff := cmp.Diff([]string{"-: No such directory"}, lines(diags)); diff != "" || c == nil {
			t.Errorf("errors (-want +got):\n%s", diff)
		}
	})
	t.Run("file-instead-of-directory", func(t *testing.T) {
		_, diags := schema.Load(filepath.Join(outside, "secret.txt"), options())
		if diff := cmp.Diff([]string{"-: Unreadable directory"}, lines(diags)); diff != "" {
			t.Errorf("errors (-want +got):\n%s", diff)
		}
	})
	t.Run("names-are-as-typed", func(t *testing.T) {
		dir := directory(t, map[string]string{"conf/a.hcl": "x = 1\n" + organization})
		t.Chdir(dir)
		for typed, want := range map[string]string{"conf": "conf/a.hcl", "./conf/": "conf/a.hcl", filepath.Join(dir, "conf"): filepath.Join(dir, "conf/a.hcl")} {
			_, diags := schema.Load(typed, options())
			if len(diags) != 1 || diags[0].Subject.Filename != want {
				t.Errorf("Load(%q): %v, want an error in %s", typed, diags, want)
			}
		}
	})
}

// numbers returns lines with the numbers up to n.
func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i)
	}
	return strings.TrimSpace(b.String())
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// TestHostileText checks that nothing from a file reaches a terminal as a
// command, and that escapes leave the marked place where it is.
func TestHostileText(t *testing.T) {
	hostile := "\x1b[31m\u202egnp\u202c\u200b\x07\r\u2066\u009b"
	c, diags := load(t, map[string]string{
		"main.hcl": organization + "role \"a\" { # " + hostile + "\n  name = 1\n}\n" +
			"role \"" + strings.ReplaceAll(hostile, "\r", "") + "\" {\n}\nrole \"b\" {\n  " + "connector_default = \"" + strings.ReplaceAll(hostile, "\r", "") + "\" # x\n}\n" +
			"group \"g\" {\n  members = [\"" + strings.ReplaceAll(hostile, "\r", "") + "@x.com\"]\n roles = [role[\"" + strings.ReplaceAll(hostile, "\r", "") + "\"]]\n}\n" +
			"feature \"x\" {\n  enabled = \"" + strings.Repeat("y", 5000) + "\"\n}\n",
		"evil\x1b[2J.hcl": "x = 1\n",
	}, options())
	if len(diags) < 5 {
		t.Fatalf("%d errors: %v", len(diags), diags)
	}
	for _, width := range []int{0, 40} {
		for _, color := range []bool{false, true} {
			var b bytes.Buffer
			if err := schema.WriteDiagnostics(&b, c.Files, diags, width, color); err != nil {
				t.Fatal(err)
			}
			text := b.String()
			if color {
				for _, code := range []string{"\x1b[31m", "\x1b[1;4m", "\x1b[0m"} {
					if !strings.Contains(text, code) {
						t.Errorf("no color %q", code)
					}
					text = strings.ReplaceAll(text, code, "")
				}
			}
			for _, r := range text {
				if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
					t.Fatalf("%U is written raw (width %d, color %v):\n%q", r, width, color, text)
				}
			}
			if len(text) > 4_000 {
				t.Errorf("%d bytes are written; long lines are not shortened", len(text))
			}
		}
	}
	for _, d := range schema.DiagnosticsJSON(diags) {
		for _, r := range d.Summary + d.Detail + d.Range.Filename {
			if !unicode.IsPrint(r) {
				t.Errorf("JSON has a raw %U: %+v", r, d)
			}
		}
	}
}

func TestWriteDiagnostics(t *testing.T) {
	src := []byte("first = 1\nsec\u202eond = [\n  \"a\",\n  \"b\",\n]\nlast = 1\n")
	files := map[string]*hcl.File{"a.hcl": {Bytes: src}}
	rng := func(line, from, to int) *hcl.Range {
		return &hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: line, Column: 1, Byte: from}, End: hcl.Pos{Line: line, Column: 1 + to - from, Byte: to}}
	}
	list := rng(2, 10, len(src)-len("\nlast = 1\n"))
	list.End.Line = 5
	at := bytes.Index(src, []byte(`"b"`))
	tests := map[string]struct {
		diag *hcl.Diagnostic
		want string
	}{
		"no-place":      {&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "S", Detail: "D."}, "Warning: S\n\nD.\n\n"},
		"no-file":       {&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "S", Subject: &hcl.Range{Filename: "x"}}, "Error: S\n\n  on x:0:0:\n  (source code not available)\n\n"},
		"one-line":      {&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "S", Detail: "D.", Subject: rng(1, 0, 5)}, "Error: S\n\n  on a.hcl:1:1:\n   1: [first] = 1\n\nD.\n\n"},
		"context":       {&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "S", Subject: rng(4, at, at+3), Context: list}, "Error: S\n\n  on a.hcl:4:1:\n   2: sec\\u202eond = [\n   3:   \"a\",\n   4:   [\"b\"],\n   5: ]\n\n"},
		"outside":       {&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "S", Subject: rng(99, 5000, 5001)}, "Error: S\n\n  on a.hcl:99:1:\n\n"},
		"empty-range":   {&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "S", Subject: rng(1, 5, 5)}, "Error: S\n\n  on a.hcl:1:1:\n   1: first[ ]= 1\n\n"},
		"control":       {&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "S\x1b", Detail: "D\u2066.\nE."}, "Error: S\\u001b\n\nD\\u2066.\nE.\n\n"},
		"invalid-utf-8": {&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "S", Detail: "D\xff."}, "Error: S\n\nD\\xff.\n\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := schema.WriteDiagnostics(&b, files, hcl.Diagnostics{tt.diag}, 0, true); err != nil {
				t.Fatal(err)
			}
			got := b.String()
			for _, code := range []string{"\x1b[31m", "\x1b[33m"} { // of the severity
				got = strings.ReplaceAll(got, code+"Error\x1b[0m", "Error")
				got = strings.ReplaceAll(got, code+"Warning\x1b[0m", "Warning")
			}
			got = strings.ReplaceAll(strings.ReplaceAll(got, "\x1b[1;4m", "["), "\x1b[0m", "]")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestUnderline puts carets where a terminal without colors shows the subject,
// below tabs and wide letters too.
func TestUnderline(t *testing.T) {
	const src = "a = 1\n\tname = \"東京\" + x\nlast"
	at := strings.Index(src, `"東京"`)
	files := map[string]*hcl.File{"a.hcl": {Bytes: []byte(src)}}
	tests := map[string]struct {
		subject hcl.Range
		want    string
	}{
		"tab-and-wide-letters": {hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: 2, Column: 9, Byte: at}, End: hcl.Pos{Line: 2, Column: 13, Byte: at + len(`"東京"`)}},
			"   2: \tname = \"東京\" + x\n      \t       ^^^^^^\n"},
		"empty": {hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: 1, Column: 1}, End: hcl.Pos{Line: 1, Column: 1}},
			"   1: a = 1\n      ^\n"},
		"several-lines": {hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: 1, Column: 5, Byte: 4}, End: hcl.Pos{Line: 3, Column: 5, Byte: len(src)}},
			"   1: a = 1\n          ^\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := schema.WriteDiagnostics(&b, files, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "S", Subject: &tt.subject}}, 0, false); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(b.String(), tt.want) {
				t.Errorf("got\n%s\nwant it to contain\n%s", b.String(), tt.want)
			}
		})
	}
}

func TestDiagnosticsJSON(t *testing.T) {
	data, err := json.Marshal(schema.DiagnosticsJSON(hcl.Diagnostics{
		{Severity: hcl.DiagError, Summary: "S", Detail: "D\u202e", Subject: &hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: 1, Column: 2}, End: hcl.Pos{Line: 3, Column: 4}}},
		{Severity: hcl.DiagWarning, Summary: "W"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"severity":"error","summary":"S","detail":"D\\u202e","range":{"filename":"a.hcl","start":{"line":1,"column":2},"end":{"line":3,"column":4}}},{"severity":"warning","summary":"W","detail":""}]`
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if data, _ := json.Marshal(schema.DiagnosticsJSON(nil)); string(data) != "[]" {
		t.Errorf("without diagnostics: %s", data)
	}
}
