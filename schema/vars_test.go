package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/schema"
)

const variables = organization + `
variable "name" {
  default = "default"
}
variable "count" {
  type    = number
  default = 1
}
variable "list" {
  type    = list(string)
  default = []
}
variable "object" {
  type    = object({ name = string, level = optional(string, "low") })
  default = { name = "x" }
}
role "r" {
  name           = var.name
  description    = "${var.count} ${var.object.name} ${var.object.level}"
  capabilities   = var.list
}
`

func TestVariables(t *testing.T) {
	files := map[string]string{
		"main.hcl":    variables,
		"vars/a.vars": "name = \"file a\"\ncount = 2\n",
		"vars/b.json": `{"name": "file b ${x}", "list": ["b"], "object": {"name": "y", "level": "high"}}`,
	}
	environ := []string{"ROLECALL_VAR_name=env", "ROLECALL_VAR_count=3", "ROLECALL_VAR_nowhere=x", "name=other", "ROLECALL_VAR_list=[\"e\"]"}
	tests := map[string]struct {
		environ, varFiles, vars []string
		want                    string
	}{
		"defaults":                     {want: "default|1 x low|"},
		"environment-over-default":     {environ: environ, want: "env|3 x low|e"},
		"file-over-environment":        {environ: environ, varFiles: []string{"vars/a.vars"}, want: "file a|2 x low|e"},
		"later-file-over-earlier-file": {environ: environ, varFiles: []string{"vars/a.vars", "vars/b.json"}, want: "file b ${x}|2 y high|b"},
		"option-over-file":             {varFiles: []string{"vars/a.vars"}, vars: []string{"name=option"}, want: "option|2 x low|"},
		"later-option-over-earlier":    {vars: []string{"name=a", "name=b=c"}, want: "b=c|1 x low|"},
		"text-is-taken-as-it-is":       {vars: []string{"name=${upper(\"x\")} \"", "count=1.50"}, want: "${upper(\"x\")} \"|1.5 x low|"},
		"other-types-are-expressions":  {vars: []string{`list=["a", "b"]`, `object={ name = "z" }`}, want: "default|1 z low|a,b"},
		"empty-text":                   {vars: []string{"name="}, want: "|1 x low|"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := options()
			o.Environ, o.VarFiles, o.Vars = tt.environ, tt.varFiles, tt.vars
			c := mustLoad(t, files, o)
			r := c.Of("role")[0]
			got := r.Text("name", "") + "|" + r.Text("description", "") + "|" + strings.Join(r.Texts("capabilities"), ",")
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestVariablesInvalid(t *testing.T) {
	files := map[string]string{
		"main.hcl": variables + `
variable "secret" {
  type      = number
  default   = 1
  sensitive = true
}
`,
		"bad.vars":     "name = [\"x\"\n",
		"types.vars":   "count = \"hunter2\"\nnmae = \"hunter2\"\nsecret = \"hunter2\"\nblock {\n}\n",
		"unknown.vars": "nmae = \"hunter2\"\nsecret = [\"hunter2\"]\n",
		"ref.vars":     "name = local.x\n",
		"bad.json":     "{",
		"utf8.vars":    "name = \"\xff\"",
	}
	tests := map[string]struct {
		environ, varFiles, vars []string
		want                    []string
	}{
		"no-equals-sign":          {vars: []string{"name"}, want: []string{"--var:1: Invalid value of variable"}},
		"unknown-option":          {vars: []string{"nmae=x"}, want: []string{"--var nmae:1: Unknown variable"}},
		"wrong-type-of-option":    {vars: []string{"count=many"}, want: []string{"--var count:1: Invalid value of variable"}},
		"syntax-of-option":        {vars: []string{"list=["}, want: []string{"--var list:1: Missing expression"}},
		"reference-in-option":     {vars: []string{"list=[local.x]"}, want: []string{"--var list:1: Variables not allowed"}},
		"wrong-type-in-env":       {environ: []string{"ROLECALL_VAR_count=x"}, want: []string{"ROLECALL_VAR_count:1: Invalid value of variable"}},
		"sensitive-option":        {vars: []string{"secret=hunter2"}, want: []string{"--var secret:1: Invalid value of variable"}},
		"no-such-file":            {varFiles: []string{"nothing"}, want: []string{"nothing:1: Unreadable file"}},
		"directory":               {varFiles: []string{"."}, want: []string{".:1: Unreadable file"}},
		"syntax-of-file":          {varFiles: []string{"bad.vars"}, want: []string{"bad.vars:1: Unterminated tuple constructor expression"}},
		"syntax-of-json":          {varFiles: []string{"bad.json"}, want: []string{"bad.json:1: Missing value", "bad.json:1: Invalid object property name"}},
		"not-utf-8":               {varFiles: []string{"utf8.vars"}, want: []string{"utf8.vars:1: Invalid UTF-8"}},
		"block-in-file":           {varFiles: []string{"types.vars"}, want: []string{"types.vars:1: Invalid value of variable", "types.vars:3: Invalid value of variable", "types.vars:4: Unexpected \"block\" block"}},
		"reference-in-file":       {varFiles: []string{"ref.vars"}, want: []string{"ref.vars:1: Variables not allowed"}},
		"unknown-and-wrong-types": {varFiles: []string{"unknown.vars"}, want: []string{"unknown.vars:1: Unknown variable", "unknown.vars:2: Invalid value of variable"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := options()
			o.Environ, o.VarFiles, o.Vars = tt.environ, tt.varFiles, tt.vars
			c, diags := load(t, files, o)
			text := shown(t, c, diags)
			if diff := cmp.Diff(tt.want, lines(diags)); diff != "" {
				t.Errorf("errors (-want +got):\n%s\n%s", diff, text)
			}
			if strings.Contains(text, "hunter2") {
				t.Errorf("the value of a variable is shown:\n%s", text)
			}
		})
	}
}

// TestSensitiveIsNotShown looks for a sensitive value wherever it might be
// quoted: in messages of functions, in validation, in JSON.
func TestSensitiveIsNotShown(t *testing.T) {
	expressions := []string{
		`parseint(var.s, 10)`, `tonumber(var.s)`, `jsondecode(var.s)`, `file(var.s)`, `domain(var.s)`, `var.s.x`, `var.s[0]`,
		`{ a = 1 }[var.s]`, `lookup({ a = 1 }, var.s)`, `regex(var.s, "x")`, `formatdate("YYYY", var.s)`, `role[var.s].name`,
		`[for x in ["a"] : tonumber("${var.s}${x}")]`, `try(tonumber(var.s))`, `zipmap([var.s], [])`, `element([], var.s)`,
		`yamldecode("a: [${var.s}")`, `var.s + 1`, `templatefile(var.s, {})`, `union(var.s, everyone)`, `"${[var.s]}"`, `local.s.missing`,
		`csvdecode("a,b\n${var.s}")`, `{ for k in ["a", "a"] : var.s => k }`, `upper(local.o)`, `substr(var.s, "x", 1)`,
	}
	for _, e := range expressions {
		t.Run(strings.ReplaceAll(e, "/", "_"), func(t *testing.T) {
			o := options()
			o.Vars = []string{"s=hunter2@hunter2!"}
			c, diags := load(t, map[string]string{"main.hcl": organization + `
variable "s" {
  sensitive = true
}
locals {
  s = { v = var.s }
  o = { a = [var.s] }
}
role "r" {
  name        = ` + e + `
  description = try(` + e + `, "x")
}
`}, o)
			if !diags.HasErrors() {
				t.Fatal("no error")
			}
			if text := shown(t, c, diags) + fmt.Sprint(schema.DiagnosticsJSON(diags)); strings.Contains(text, "hunter2") {
				t.Errorf("the sensitive value is shown:\n%s", text)
			}
			for _, d := range c.Blocks {
				for _, a := range d.Attrs {
					if strings.Contains(a.Text, "hunter2") {
						t.Errorf("the sensitive value is in %s", a.Name)
					}
				}
			}
		})
	}
}

func TestDigest(t *testing.T) {
	files := map[string]string{
		"main.hcl": variables + `
locals {
  rows   = csvdecode(file("rows.csv"))
  exists = fileexists("maybe")
}
`,
		"rows.csv":  "a\n1\n",
		"other.csv": "a\n1\n",
	}
	dir := directory(t, files)
	digest := func(o schema.Options) string {
		t.Helper()
		c, diags := schema.Load(dir, o)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return c.Digest
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	first := digest(options())
	if len(first) != 64 {
		t.Fatalf("digest %q", first)
	}
	seen := map[string]string{first: "first"}
	differs := func(what string, o schema.Options) {
		t.Helper()
		d := digest(o)
		if seen[d] != "" {
			t.Errorf("%s has the digest of %s", what, seen[d])
		}
		seen[d] = what
	}
	if digest(options()) != first {
		t.Error("the digest of the same files differs")
	}
	write("other.csv", "a\n2\n")
	if digest(options()) != first {
		t.Error("a file that is not read changes the digest")
	}
	o := options()
	o.Vars = []string{"name=a"}
	differs("a variable", o)
	o.Vars = []string{"name=b"}
	differs("another value", o)
	write("maybe", "")
	differs("a file that is asked for", options())
	write("rows.csv", "a\n2\n")
	differs("a file that is read", options())
	write("more.hcl", "")
	differs("an empty file", options())
	write("more.hcl", "# comment\n")
	differs("a comment", options())

	moved := directory(t, files)
	if c, _ := schema.Load(moved, options()); c.Digest != first {
		t.Error("the digest depends on where the directory is")
	}
}
