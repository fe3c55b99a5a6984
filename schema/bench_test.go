package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/schema"
)

// directory writes files into a new directory.
func directory(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const organization = `organization "acme" {
  system = "test"
}
`

// csvFiles returns a configuration of groups that are made from a table of
// memberships.
func csvFiles(groups, rows int) map[string]string {
	var table strings.Builder
	table.WriteString("group,email\n")
	for i := range rows {
		fmt.Fprintf(&table, "team%05d,person%05d@example.org\n", i%groups, i)
	}
	return map[string]string{
		"memberships.csv": table.String(),
		"main.hcl": organization + `
role "developer" {
  capabilities = ["chat"]
}
locals {
  rows = csvdecode(file("memberships.csv"))
}
group "team" {
  for_each = toset([for r in local.rows : r.group])
  name     = each.key
  roles    = [role.developer]
  members  = [for r in local.rows : r.email if r.group == each.key]
}
`,
	}
}

// blockFiles returns a configuration of groups that are written out.
func blockFiles(groups int) map[string]string {
	var b strings.Builder
	b.WriteString(organization + "role \"developer\" {\n  capabilities = [\"chat\"]\n}\n")
	for i := range groups {
		fmt.Fprintf(&b, "group \"team%d\" {\n  name    = \"Team %d\"\n  roles   = [role.developer]\n  members = [\"a%d@example.org\", \"b%d@example.org\"]\n}\n", i, i, i, i)
	}
	return map[string]string{"main.hcl": b.String()}
}

func BenchmarkLoad(b *testing.B) {
	benchmarks := map[string]struct {
		files  map[string]string
		groups int
	}{
		"memberships/100":             {csvFiles(10, 100), 10},
		"memberships/5000":            {csvFiles(95, 5_000), 95},
		"memberships/100000":          {csvFiles(95, 100_000), 95},
		"csv-95-groups-1366-rows":     {csvFiles(95, 1366), 95},
		"csv-10000-groups-20000-rows": {csvFiles(10_000, 20_000), 10_000},
		"10000-blocks":                {blockFiles(10_000), 10_000},
	}
	for name, bb := range benchmarks {
		b.Run(name, func(b *testing.B) {
			dir := directory(b, bb.files)
			b.ReportAllocs()
			for b.Loop() {
				c, diags := schema.Load(dir, options())
				if diags.HasErrors() || len(c.Of("group")) != bb.groups {
					b.Fatal(len(c.Of("group")), diags)
				}
			}
		})
	}
}
