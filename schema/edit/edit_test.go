package edit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

func TestFile(t *testing.T) {
	pilot := edit.NewBlock("group", "pilot")
	pilot.Comment = []string{"Two of three."}
	pilot.Set("name", edit.Text("Pilot ${group}"))
	pilot.Set("roles", edit.Refs([]schema.Address{"role.base", `role.eng["backend"]`}))
	pilot.Set("members", edit.TextsWithNotes([]string{"ann@acme.com", "bob@acme.com"}, map[string]string{"bob@acme.com": "invited"}))
	limit := pilot.Nest("spend_limit")
	limit.Set("monthly", edit.Text("200.00"), "per member")
	pilot.Note("The rest\nis left alone.")
	long := edit.NewBlock("role", "base")
	long.Set("capabilities", edit.Texts([]string{"chat", "web_search", "code_execution", "public_projects", "memory", "skill_creation"}))
	long.Set("admin_permissions", edit.Entries(map[string]string{"billing": "view", "a b": "manage", "for": "x"}))
	long.Set("empty", edit.Texts(nil))
	long.Set("builtin", edit.Bool(false))
	long.Set("nothing", edit.Value{})
	f := &edit.File{Comment: []string{"Groups.", ""}, Blocks: []*edit.Block{pilot, long, edit.NewBlock("migration")}}
	const want = `# Groups.
#

# Two of three.
group "pilot" {
  name  = "Pilot $${group}"
  roles = [role.base, role.eng["backend"]]
  members = [
    "ann@acme.com",
    "bob@acme.com", # invited
  ]
  spend_limit {
    monthly = "200.00" # per member
  }
  # The rest\nis left alone.
}

role "base" {
  capabilities = [
    "chat",
    "web_search",
    "code_execution",
    "public_projects",
    "memory",
    "skill_creation",
  ]
  admin_permissions = { "a b" = "manage", billing = "view", "for" = "x" }
  empty             = []
  builtin           = false
  nothing           = null
}

migration {}
`
	if got := string(f.Bytes()); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestWhatIsWrittenReadsBack puts hostile texts everywhere a text can be, and
// wants them back, and nothing else.
func TestWhatIsWrittenReadsBack(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[\x00-\x7f]{0,12}`), rapid.SampledFrom([]string{
		"$${", "$$${x}", "%{if true}", "%%{", "a\nb", "*/", "//", "#", "\u202e\u2066", "\\", `\"`, "EOT", "<<EOT", "\xff", "\U0001F600", "e\u0301", "\u2028"}))
	rapid.Check(t, func(t *rapid.T) {
		label, value, note := text.Draw(t, "label"), text.Draw(t, "value"), text.Draw(t, "note")
		list := rapid.SliceOfN(text, 0, 4).Draw(t, "list")
		entries := rapid.MapOfN(text, text, 0, 4).Draw(t, "map")
		b := edit.NewBlock("block", label)
		b.Comment = []string{note}
		b.Set("value", edit.Text(value), note)
		b.Note(note)
		b.Set("list", edit.TextsWithNotes(list, map[string]string{value: note}))
		b.Set("map", edit.Entries(entries))
		src := (&edit.File{Comment: []string{note}, Blocks: []*edit.Block{b}}).Bytes()
		f, diags := hclsyntax.ParseConfig(src, "a.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%v\n%s", diags, src)
		}
		body := f.Body.(*hclsyntax.Body)
		if len(body.Blocks) != 1 || len(body.Attributes) != 0 || len(body.Blocks[0].Body.Attributes) != 3 || len(body.Blocks[0].Body.Blocks) != 0 {
			t.Fatalf("a text became something else:\n%s", src)
		}
		want := func(name string, v cty.Value) {
			got, diags := body.Blocks[0].Body.Attributes[name].Expr.Value(nil)
			if diags.HasErrors() || !got.RawEquals(v) {
				t.Fatalf("%s is %#v (%v), want %#v\n%s", name, got, diags, v, src)
			}
		}
		if got := body.Blocks[0].Labels[0]; got != cty.NormalizeString(valid(label)) {
			t.Fatalf("label %q, want %q", got, label)
		}
		want("value", cty.StringVal(valid(value)))
		items := []cty.Value{}
		for _, s := range list {
			items = append(items, cty.StringVal(valid(s)))
		}
		want("list", cty.TupleVal(items))
		if again := hclwrite.Format(src); string(again) != string(src) {
			t.Fatalf("not in canonical form:\n%s\n%s", src, again)
		}
		if strings.ContainsAny(string(src), "\u202e\u2066\x1b") {
			t.Fatalf("it can turn text around:\n%q", src)
		}
	})
}

func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

func TestLabel(t *testing.T) {
	taken := map[string]bool{}
	for _, tt := range []struct{ name, want string }{
		{"Standard Access", "standard_access"},
		{"Standard access!", "standard_access_2"},
		{"  R&D / Platform—Core ", "r_d_platform_core"},
		{"2026 launch", "group_2026_launch"},
		{"営業部", "営業部"},
		{"Zoë", "zoë"},
		{"Zoe\u0308", "zoë_2"},
		{"🚀", "group_1"},
		{"🔥🔥", "group_2"},
		{"", "group_3"},
		{"$(rm -rf /)\"", "rm_rf"},
		{"\u202eevil", "evil"},
		{strings.Repeat("a", 300), strings.Repeat("a", 48)},
		{strings.Repeat("a", 301), strings.Repeat("a", 48) + "_2"},
	} {
		if got := edit.Label(tt.name, "group", taken); got != tt.want {
			t.Errorf("%q gives %q, want %q", tt.name, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		taken := map[string]bool{}
		for i := range 5 {
			name := rapid.String().Draw(t, fmt.Sprint("name", i))
			n := len(taken)
			label := edit.Label(name, "role", taken)
			if len(taken) != n+1 || !taken[label] {
				t.Fatalf("label %q of %q was taken", label, name)
			}
			if a := schema.MakeAddress("role", label, ""); a != schema.Address("role."+label) {
				t.Fatalf("label %q of %q needs brackets: %s", label, name, a)
			}
		}
	})
}

func TestWrap(t *testing.T) {
	got := edit.Wrap(strings.Repeat("word ", 40))
	if len(got) != 3 || len(got[0]) > 78 || strings.Join(got, " ") != strings.TrimSpace(strings.Repeat("word ", 40)) {
		t.Errorf("got %q", got)
	}
}
