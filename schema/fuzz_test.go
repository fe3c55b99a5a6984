package schema_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/schema"
)

// seed calls add with every file of the fixtures and the examples.
func seed(f *testing.F, add func(src []byte, json bool)) {
	f.Helper()
	for _, pattern := range []string{"testdata/invalid/*.hcl", "testdata/valid/*/*.hcl", "testdata/valid/*/*.json", "testdata/shared/*", "../examples/acme/*.hcl"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			if info, err := os.Stat(path); err != nil || info.IsDir() {
				continue
			}
			src, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			add(src, strings.HasSuffix(path, ".json"))
		}
	}
}

// FuzzLoad checks that no file makes Load panic, that every diagnostic says
// where it belongs, and that it can be written.
func FuzzLoad(f *testing.F) {
	seed(f, func(src []byte, json bool) { f.Add(src, json) })
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, src []byte, json bool) {
		if len(src) > 1<<16 {
			return
		}
		dir, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		name := "a.hcl"
		if json {
			name = "a.hcl.json"
		}
		if err := os.WriteFile(filepath.Join(dir, name), src, 0o644); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(src, []byte("organization")) {
			if err := os.WriteFile(filepath.Join(dir, "b.hcl"), []byte(organization), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		c, diags := schema.LoadWithin(dir, options(), 100_000, 1<<30)
		if strings.Contains(fmt.Sprint(diags), "Evaluation too long") {
			return // stopped: there is nothing else to look at
		}
		if c == nil || c.System == nil && !diags.HasErrors() {
			t.Fatal("neither a system nor an error")
		}
		for _, d := range diags {
			if d.Subject == nil && !strings.Contains(d.Detail, filepath.Base(dir)) {
				t.Errorf("no place: %s: %s", d.Summary, d.Detail)
			}
			if d.Summary == "" || d.Detail == "" {
				t.Errorf("no text: %+v", d)
			}
		}
		var b bytes.Buffer
		if err := schema.WriteDiagnostics(&b, c.Files, diags, 80, false); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(b.String(), func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }) {
			t.Errorf("a control character is written: %q", b.String())
		}
		schema.DiagnosticsJSON(diags)
		for _, d := range c.Blocks {
			if d.Addr == "" || d.Range.Filename == "" {
				t.Errorf("block without address or place: %+v", d)
			}
		}
	})
}

// FuzzEvaluate checks that no expression makes an evaluation panic or go on
// without end, wherever it stands, and that it has the same result twice.
func FuzzEvaluate(f *testing.F) {
	for _, expr := range []string{
		`[for r in csvdecode(file("m.csv")) : r.email if r.group == each.key]`, `union(everyone, domain("a.b"), ["a@b.c"])`,
		`minus(group.a.members, role.r)`, `{ for k, v in { a = [1] } : k => v... }`, `"${each.key}%{ if true }x%{ endif }"`, `try(role.r.name, local.x, null)`,
		`templatefile("t.txt", { a = each.value })`, `setproduct(["a"], range(10))[0]`, `jsondecode("[1e9]")`, `yamldecode("a: &x [*x]")`, `role["r"].capabilities[*]`,
		`format("%9d%s", 1, "x")`, `regexall("(a+)+$", "aaaa")`, `formatdate("YYYY", "2026-01-01T00:00:00Z")`, `slice([1, 2], 0, 9)`, `var.v.x[0]`, `1 / 0`, `-null`, `[][0]`, `resource.a.b`, `squad.s.members`,
		`tolist(toset([1, "a"]))`, `zipmap(["a"], [1, 2])`, `lookup({}, "a")`, `merge(null, {})`, `parseint("ff", 99)`, `substr("äöü", 1, -1)`, `chunklist([1], 0)`, `timeadd("x", "y")`, `indent(-1, "a")`,
	} {
		f.Add(expr)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, expr string) {
		if len(expr) > 1<<12 {
			return
		}
		dir, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		for name, text := range map[string]string{
			"m.csv": "email,group\na@b.c,x\n", "t.txt": "%{ for x in a }${x}%{ endfor }",
			"main.hcl": organization + "role \"r\" {\n}\nresource \"a\" \"b\" {\n}\nsquad \"s\" {\n}\nvariable \"v\" {\n  default = { x = [1] }\n}\n" +
				"locals {\n  x = " + expr + "\n}\n" +
				"group \"a\" {\n  for_each = toset([\"x\", \"y\"])\n  name    = " + expr + "\n  roles   = " + expr + "\n  members = " + expr + "\n}\n" +
				"connector \"c\" {\n  for_each    = " + expr + "\n  id          = \"i\"\n  tool_policy = " + expr + "\n}\n" +
				"role \"d\" {\n  dynamic \"connector\" {\n    for_each = " + expr + "\n    labels   = [" + expr + "]\n    content {\n    }\n  }\n}\n" +
				"moved {\n  from = " + expr + "\n  to   = role.r\n}\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		c, diags := schema.LoadWithin(dir, options(), 20_000, 1<<30)
		again, more := schema.LoadWithin(dir, options(), 20_000, 1<<30)
		if a, b := shown(t, c, diags), shown(t, again, more); a != b || meaning(c) != meaning(again) {
			t.Errorf("two results:\n%s\n%s", a, b)
		}
		if !diags.HasErrors() {
			for _, d := range c.Blocks {
				if d.Addr == "" {
					t.Errorf("no address: %+v", d)
				}
			}
		}
	})
}

// FuzzWords checks the small languages: e-mail addresses, days and amounts
// come out in the one form that they have, and addresses can be read.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"jane@acme.com", "JANE+x@Acme.com", "2026-12-01", "2026-02-30", "200.00", "200.005", "00.1", "9999999999999999999", "pilot", "get.issue", "ä", "${x}", "a\"b", "\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if e, err := schema.ParseEmail(s); err == nil {
			if again, err := schema.ParseEmail(e); err != nil || again != e {
				t.Errorf("e-mail %q becomes %q and then %q (%v)", s, e, again, err)
			}
		}
		if d, err := schema.ParseDay(s); err == nil && (string(d) != s || d.Start().Format("2006-01-02") != s) {
			t.Errorf("day %q becomes %q", s, d)
		}
		if n, err := schema.MinorUnits(s, 2); err == nil {
			if again, err := schema.MinorUnits(schema.Major(fmt.Sprint(n)), 2); err != nil || again != n || n < 0 {
				t.Errorf("amount %q is %d, and then %d (%v)", s, n, again, err)
			}
		}
		if a := schema.MakeAddress("group", s, s); a.Type() != "group" {
			t.Errorf("the address %q is of type %q", a, a.Type())
		}
	})
}
