package schema_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/schema"
)

// TestFunctions checks that the texts of testdata/valid/functions say what
// they are expected to be.
func TestFunctions(t *testing.T) {
	c, diags := schema.Load("testdata/valid/functions", options())
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	texts := c.Of("role")[0].Texts("capabilities")
	if len(texts) < 40 {
		t.Errorf("only %d functions are checked", len(texts))
	}
	for _, text := range texts {
		half := len(text) / 2
		if want, got := text[:half-1], text[half+1:]; len(text)%2 != 0 || want != got || text[half-1:half+1] != ": " {
			t.Errorf("%s", text)
		}
	}
}

// TestDefaults checks what holds where nothing is written.
func TestDefaults(t *testing.T) {
	c := mustLoad(t, map[string]string{"a.hcl": organization}, options())
	want := schema.Guard{
		MaxMembersLosingAccess: schema.Share{N: 5, Percent: true}, MaxRemovals: 25,
		MaxGroupShrink: schema.Share{N: 50, Percent: true}, MaxSpendIncrease: schema.Share{N: 20, Percent: true},
	}
	if diff := cmp.Diff(want, c.Guard); diff != "" {
		t.Errorf("guard (-want +got):\n%s", diff)
	}
	if c.System.Name != "test" || len(c.Blocks) != 1 || c.Dir != "." {
		t.Errorf("%+v", c)
	}
}

// TestSystemFromVariable checks that the name of the system may be computed.
func TestSystemFromVariable(t *testing.T) {
	o := options()
	o.Vars = []string{"system=TEST"}
	c := mustLoad(t, map[string]string{"a.hcl": `
variable "system" {
  validation {
    condition     = var.system != ""
    error_message = "Say which."
  }
}
locals {
  name = lower(var.system)
}
organization "acme" {
  system = local.name
}
role "a" {
}
`}, o)
	if c.System.Name != "test" || len(c.Of("role")) != 1 {
		t.Errorf("%+v", c)
	}
}

// TestLabelsAreComparedNormalized checks that a label is found however its
// letters are composed.
func TestLabelsAreComparedNormalized(t *testing.T) {
	composed, decomposed := "caf\u00e9", "cafe\u0301"
	c := mustLoad(t, map[string]string{"a.hcl": organization + `
role "` + decomposed + `" {
}
group "g" {
  roles = [role["` + composed + `"], role["` + decomposed + `"]]
}
`}, options())
	if diff := cmp.Diff([]string{"role." + composed, "role." + composed}, c.Of("group")[0].Texts("roles")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestForEachFiltersRows checks that filters that have an index give what they
// would give without one, in the same order, whatever the condition looks like.
func TestForEachFiltersRows(t *testing.T) {
	conditions := map[string]string{ // with an index, and the same without
		`r.group == each.key`:                            `!(r.group != each.key)`,
		`each.key == r.group`:                            `!(r.group != each.key)`,
		`(r.group == each.key)`:                          `!(r.group != each.key)`,
		`r.group == "team" || each.key == r.group`:       `!(r.group != each.key)`,
		`r.group == lower(each.value) && r.email != "x"`: `!(r.group != each.key)`,
		`r.email != "p3@x.com" && r.group == each.value`: `!(r.group != each.key) && r.email != "p3@x.com"`,
		`r.group != each.key`:                            `!(r.group == each.key)`,
		`r.group == r.group`:                             `true`,
		`r.group == "nothing"`:                           `false`,
		`r.group == r.email`:                             `false`,
		`r.group == each.key && r.group == each.value`:   `!(r.group != each.key)`,
		`contains([for x in local.rows : x.group if x.group == each.key], r.group)`: `!(r.group != each.key)`,
	}
	var table strings.Builder
	for i := range 30 {
		fmt.Fprintf(&table, "{ group = \"t%d\", email = \"p%d@x.com\" },\n", i%4, i)
	}
	for _, rows := range []string{"[" + table.String() + "]", "tolist([" + table.String() + "])", "concat([" + table.String() + "], [{ group = null, email = \"n@x.com\" }])"} {
		for fast, slow := range conditions {
			if strings.Contains(rows, "null") && strings.Contains(fast, "contains") {
				continue // has no definite value
			}
			c := mustLoad(t, map[string]string{"a.hcl": organization + `
locals {
  rows = ` + rows + `
}
group "g" {
  for_each = toset(["t0", "t1", "t3", "t9"])
  owners   = [for r in local.rows : r.email if ` + fast + `]
  members  = [for r in local.rows : r.email if ` + slow + `]
}
`}, options())
			for _, g := range c.Of("group") {
				want := &schema.Listed{Emails: g.Texts("owners")}
				if diff := cmp.Diff(g.Attr("members").People.String(), want.String()); diff != "" {
					t.Errorf("%s: %s (-without +with an index):\n%s", fast, g.Addr, diff)
				}
			}
		}
	}
}

// TestForEachLoopsWithoutIndex checks loops that look like the ones that get an
// index, but in which it would be wrong.
func TestForEachLoopsWithoutIndex(t *testing.T) {
	c := mustLoad(t, map[string]string{"a.hcl": organization + `
locals {
  rows = [{ group = "a", email = "1" }, { group = "b", email = "2" }, { group = "b", email = "3" }]
  more = [{ group = "b", email = "4" }]
}
role "r" {
  for_each       = toset(["a", "b"])
  capabilities   = [for i, r in local.rows : tostring(i) if r.group == each.key]
  previous_names = flatten([for local in [{ rows = local.rows }, { rows = local.more }] : [for r in local.rows : r.email if r.group == each.key]])
  description    = join(",", [for r in [for x in local.rows : x if x.group == each.key] : r.email if r.group == each.key])
}
`}, options())
	var got []string
	for _, r := range c.Of("role") {
		got = append(got, strings.Join(r.Texts("capabilities"), ",")+"|"+strings.Join(r.Texts("previous_names"), ",")+"|"+r.Text("description", ""))
	}
	if diff := cmp.Diff([]string{"0|1|1", "1,2|2,3,4|2,3"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestForEachOverManyRows fails if a filter goes through all rows for every
// instance, which would take a minute.
func TestForEachOverManyRows(t *testing.T) {
	start := time.Now()
	c := mustLoad(t, csvFiles(2_000, 6_000), options())
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	groups := c.Of("group")
	if len(groups) != 2_000 {
		t.Fatalf("%d groups", len(groups))
	}
	if got := groups[1].Attr("members").People.String(); got != `["person00001@example.org", "person02001@example.org", "person04001@example.org"]` {
		t.Error(got)
	}
}

// TestMemberships checks a table as large as a real one.
func TestMemberships(t *testing.T) {
	c := mustLoad(t, csvFiles(95, 1_366), options())
	members := 0
	for _, g := range c.Of("group") {
		members += len(g.Attr("members").People.(*schema.Listed).Emails)
	}
	if len(c.Of("group")) != 95 || members != 1_366 {
		t.Errorf("%d groups with %d members", len(c.Of("group")), members)
	}
}

// TestReferencesCannotBeForged tries to make a reference out of other values.
func TestReferencesCannotBeForged(t *testing.T) {
	for _, e := range []string{
		`{ "#" = "role.a" }`, `{ "#" = null }`, `merge({ "#" = "role.a" }, { name = "a" })`, `jsondecode("{\"#\": \"role.a\"}")`,
		`{ "#" = [for g in [group.h] : g.parent][0] }`, `"role.a"`, `{ "#" = var.s ? values(role.a)[0] : 1 }`, `7`, `everyone`,
		`[for r in [role.a] : r.name][0]`, `yamldecode("{'#': role.a}")`, `tomap({ "#" = "x" })`, `{ role = role.a }`,
	} {
		_, diags := load(t, map[string]string{"a.hcl": organization + `
variable "s" {
  default   = true
  sensitive = true
}
role "a" {
  name = "x"
}
group "h" {
}
group "g" {
  roles = [` + e + `]
}
`}, options())
		if !diags.HasErrors() {
			t.Errorf("%s is taken for a reference", e)
		}
	}
}

// TestDescribedCarriesPlaces checks that messages of other packages can point
// at the element that they are about.
func TestDescribedCarriesPlaces(t *testing.T) {
	c := mustLoad(t, map[string]string{"a.hcl": organization + `role "a" {
  capabilities = [
    "chat",
    upper("x"),
  ]
}
`}, options())
	a := c.Of("role")[0].Attr("capabilities")
	if a.Items[1].Text != "X" || a.Items[1].Range.Start.Line != 7 || a.NameRange.Start.Line != 5 || a.Range.End.Line != 8 {
		t.Errorf("%+v", a)
	}
}

// TestUnknownIsAnError checks that an attribute is not passed over only because
// its value came out as unknown.
func TestUnknownIsAnError(t *testing.T) {
	for _, text := range []string{
		"role \"a\" {\n  capabilities = [for g in [null] : \"x\" if contains([\"a\"], g)]\n}\n",
		"role \"a\" {\n  for_each = toset([for g in [null] : \"x\" if contains([\"a\"], g)])\n}\n",
		"group \"a\" {\n  members = union([for g in [null] : \"x\" if contains([\"a\"], g)], [])\n}\n",
		"variable \"a\" {\n  default = contains([\"a\"], null)\n}\n",
		"variable \"a\" {\n  default = 1\n  validation {\n    condition     = contains([\"a\"], null)\n    error_message = \"x\"\n  }\n}\n",
		"guard {\n  frozen = contains([\"a\"], null)\n}\n",
	} {
		_, diags := load(t, map[string]string{"a.hcl": organization + text}, options())
		if len(diags) != 1 || diags[0].Summary != "Value not known" || diags[0].Subject.Start.Line < 5 {
			t.Errorf("%s%v", text, diags)
		}
	}
}

// TestBounds checks that small configurations cannot make large values.
func TestBounds(t *testing.T) {
	double := func(first, expr string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "  l0 = %s\n", first)
		for i := range 60 {
			fmt.Fprintf(&b, "  l%d = "+expr+"\n", i+1, i)
		}
		return b.String()
	}
	tests := map[string]struct{ locals, want string }{
		"text":        {double(`"x"`, `"${local.l%[2]d}${local.l%[2]d}"`), "Value too large"},
		"nested":      {double(`[1]`, `[local.l%[2]d, local.l%[2]d]`), "Value too large"},
		"format":      {`  a = format("%099999d", 1)` + "\n", "Invalid function argument"},
		"indent":      {`  a = indent(1e9, "x\ny")` + "\n", "Invalid function argument"},
		"negative":    {`  a = indent(-1, "x\ny")` + "\n", "Invalid function argument"},
		"product":     {`  a = setproduct(range(1000), range(1000), range(1000))` + "\n", "Error in function call"},
		"aliases":     {`  a = yamldecode("a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b, *b, *b, *b]\n")` + "\n", "Invalid function argument"},
		"range":       {`  a = range(1e12)` + "\n", "Error in function call"},
		"long-number": {`  a = "${1e999999999}"` + "\n", "Number too long"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, diags := load(t, map[string]string{"a.hcl": organization + "locals {\n" + tt.locals + "}\n"}, options())
			if len(diags) != 1 || diags[0].Summary != tt.want {
				t.Errorf("got %v, want %s", diags, tt.want)
			}
		})
	}
}

// TestFunctionsDoNotPanic calls every function with values of every kind.
func TestFunctionsDoNotPanic(t *testing.T) {
	values := []string{
		`null`, `true`, `-1`, `1.5`, `"a"`, `""`, `"(%d%s["`, `[]`, `["a", "b"]`, `[1, "a", null]`, `{}`, `{ a = 1, b = [] }`, `everyone`, `[everyone]`,
		`role.a`, `role.each`, `group.g.parent`, `local.broken`, `[local.broken]`, `var.s`, `[var.s]`, `toset(["a"])`, `tomap({ a = "x" })`, `tolist([])`,
		`1e300`, `"2026-01-01T00:00:00Z"`, `[[1], [2]]`,
	}
	var b strings.Builder
	b.WriteString(organization + `
variable "s" {
  default   = "s"
  sensitive = true
}
role "a" {
}
role "each" {
  for_each = toset(["x"])
}
group "g" {
}
locals {
  broken = nothing()
`)
	n := 0
	call := func(name string, args ...string) {
		n++
		fmt.Fprintf(&b, "  l%d = %s(%s)\n", n, name, strings.Join(args, ", "))
	}
	for _, name := range schema.FunctionNames() {
		call(name)
		for _, v := range values {
			call(name, v)
			for i, w := range values {
				if i%4 == len(v)%4 { // a quarter of all pairs
					call(name, v, w)
				}
			}
			call(name, v, values[0], values[4])
			call(name, values[8], v, values[4])
			call(name, values[8], values[2], v)
			call(name, v, v, v)
		}
	}
	b.WriteString("}\n")
	_, diags := load(t, map[string]string{"a.hcl": b.String()}, options())
	if len(diags) < n/2 {
		t.Errorf("only %d of %d calls are wrong", len(diags), n)
	}
	for _, d := range diags {
		if strings.Contains(strings.ToLower(d.Detail), "panic") {
			t.Errorf("%s: %s", d.Subject, d.Detail)
		}
	}
}
