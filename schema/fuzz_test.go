package schema_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/schema"
)

// FuzzLoad checks that no file makes Load panic, that every diagnostic says
// where it belongs, and that it can be written.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/invalid/*.hcl", "testdata/valid/*/*.hcl", "testdata/valid/*/*.json"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			src, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src, strings.HasSuffix(path, ".json"))
		}
	}
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
		c, diags := schema.Load(dir, options())
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
