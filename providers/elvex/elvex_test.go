package elvex

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/providers/providertest"
	"github.com/rolecall/rolecall/schema"
)

const head = `
organization "corp" { system = "elvex" }
`

const res = "resource.assistant.x"

// company writes a company in which p@c.co is what the arguments say: company
// role, own share, and the shares of the groups a and b, which p is in.
func company(role, visibility, own, a, b string) string {
	var w strings.Builder
	fmt.Fprintf(&w, "%smember \"p@c.co\" {\n company_role = %q\n}\n", head, role)
	for _, g := range []string{"a", "b"} {
		viewer := `"p@c.co"`
		fmt.Fprintf(&w, "group %q {\n owner = [\"s@c.co\"]\n viewer = [%s]\n}\n", g, viewer)
	}
	fmt.Fprintf(&w, "resource \"assistant\" \"x\" {\n creator = \"s@c.co\"\n visibility = %q\n", visibility)
	for with, share := range map[string]string{`member = "p@c.co"`: own, "group = group.a": a, "group = group.b": b} {
		if share != "" {
			fmt.Fprintf(&w, "share {\n %s\n role = %q\n }\n", with, share)
		}
	}
	w.WriteString("}\n")
	return w.String()
}

// TestAcceptance runs the vectors of other-systems.md 4.4 for elvex and the
// rows of its tables 2.5, by their numbers.
func TestAcceptance(t *testing.T) {
	for name, c := range map[string]struct{ role, visibility, own, a, b, want string }{
		"vector 4 individual viewer, group editor":      {"member", "private", "viewer", "editor", "", "editor"},
		"vector 5 public, no share":                     {"member", "public", "", "", "", "viewer"},
		"vector 6 company admin, private, no share":     {"admin", "private", "", "", "", ""},
		"vector 7 company owner, private, no share":     {"owner", "private", "", "", "", "owner"},
		"table 2.5a row 1 private, nothing":             {"member", "private", "", "", "", ""},
		"table 2.5a row 2 individual viewer":            {"member", "private", "viewer", "", "", "viewer"},
		"table 2.5a row 3 viewer, group editor (Sarah)": {"member", "private", "viewer", "editor", "", "editor"},
		"table 2.5a row 4 editor, group viewer (John)":  {"member", "private", "editor", "viewer", "", "editor"},
		"table 2.5a row 5 viewer and editor by groups":  {"member", "private", "", "viewer", "editor", "editor"},
		"table 2.5a row 6 public":                       {"member", "public", "", "", "", "viewer"},
		"table 2.5a row 7 public, group viewer":         {"member", "public", "", "viewer", "", "viewer"},
		"table 2.5a row 8 public, group editor":         {"member", "public", "", "editor", "", "editor"},
		"table 2.5a row 9 admin":                        {"admin", "private", "", "", "", ""},
		"table 2.5a row 10 owner":                       {"owner", "private", "", "", "", "owner"},
		"table 2.5a row 11 other means remain":          {"member", "private", "viewer", "", "viewer", "viewer"},
	} {
		t.Run(name, func(t *testing.T) {
			text := company(c.role, c.visibility, c.own, c.a, c.b)
			got := providertest.Desired(t, Kind(), text)
			if got["p@c.co"][res] != c.want {
				t.Errorf("%q, want %q", got["p@c.co"][res], c.want)
			}
			if got["s@c.co"][res] != "owner" {
				t.Errorf("who made it has %q", got["s@c.co"][res])
			}
		})
	}
	for name, c := range map[string]struct{ manual, one, two, want, after string }{
		"vector 8 two mappings viewer and editor":   {"", "viewer", "editor", "editor", "editor"},
		"table 2.5b row 1 one mapping":              {"", "viewer", "", "viewer", ""},
		"table 2.5b row 2 two mappings":             {"", "viewer", "editor", "editor", "editor"},
		"table 2.5b row 3 owner by hand, mapped":    {"owner", "viewer", "", "owner", "owner"},
		"table 2.5b row 4 viewer by hand, mapped":   {"viewer", "editor", "", "editor", "viewer"},
		"a mapping gives what the group is granted": {"", "viewer", "", "viewer", ""},
	} {
		t.Run(name, func(t *testing.T) {
			plan, cfg := providertest.Plan(t, Kind(), mapped(c.manual, c.one, c.two), nil)
			for _, o := range plan.Desired.Of("mapping") {
				o.Put(attrMembers, schema.Set("p@c.co"))
			}
			s := New(cfg)
			check := func(when, want string) {
				t.Helper()
				got := providertest.Access(s, plan.Desired)["p@c.co"]
				if got["group.g"] != want {
					t.Errorf("%s: %q in the group, want %q", when, got["group.g"], want)
				}
				if manages := got["group.g.manage"] == "allowed"; manages != (want == "owner" || want == "editor") {
					t.Errorf("%s: as %s, manages: %v", when, want, manages)
				}
				if has := got[res] == "editor"; has != (want != "") {
					t.Errorf("%s: as %q, what is shared with the group is %q", when, want, got[res])
				}
			}
			check("with both mappings", c.want)
			delete(plan.Desired.Objects, "mapping.one")
			check("without the first mapping", c.after)
		})
	}
}

// mapped writes a company in which p@c.co is in a group by hand and two
// mappings lead into it.
func mapped(manual, one, two string) string {
	var w strings.Builder
	w.WriteString(head + "group \"g\" {\n owner = [\"s@c.co\"" + map[bool]string{true: `, "p@c.co"`}[manual == "owner"] + "]\n viewer = [\"q@c.co\"" + map[bool]string{true: `, "p@c.co"`}[manual == "viewer"] + "]\n}\n")
	for name, role := range map[string]string{"one": one, "two": two} {
		if role != "" {
			fmt.Fprintf(&w, "mapping %q {\n values = [\"V\"]\n group = group.g\n role = %q\n}\n", name, role)
		}
	}
	w.WriteString("member \"p@c.co\" {\n}\nresource \"assistant\" \"x\" {\n creator = \"s@c.co\"\n share {\n group = group.g\n role = \"editor\"\n }\n}\n")
	return w.String()
}

// TestProblems wants each mistake reported where it is.
func TestProblems(t *testing.T) {
	r := func(kind, body string) string {
		return head + "group \"g\" {\n owner = [\"s@c.co\"]\n}\nresource \"" + kind + "\" \"x\" {\n creator = \"s@c.co\"\n " + body + "\n}\n"
	}
	for name, c := range map[string]struct{ text, at, summary, part string }{
		"consumer owns":          {head + "member \"t@c.co\" {\n company_role = \"consumer\"\n}\ngroup \"g\" {\n owner = [\"t@c.co\"]\n}\n", "7,11", "Consumer manages a group", "Make them viewer"},
		"consumer edits":         {head + "member \"T@c.co\" {\n company_role = \"consumer\"\n}\ngroup \"g\" {\n editor = [\"t@c.co\"]\n}\n", "7,12", "Consumer manages a group", "Make them viewer"},
		"two roles":              {head + "group \"g\" {\n owner = [\"t@c.co\"]\n viewer = [\"t@c.co\"]\n}\n", "5,12", "Two roles in one group", "leave the higher"},
		"no owner":               {head + "group \"g\" {\n owner = []\n}\n", "4,10", "Group without owner", "at least one"},
		"share as owner":         {r("assistant", "share {\n group = group.g\n role = \"owner\"\n }"), "10,", "Value not allowed", "viewer"},
		"share with nobody":      {r("assistant", "share {\n role = \"viewer\"\n }"), "8,2", "Unclear share", "one of the two"},
		"share with both":        {r("assistant", "share {\n group = group.g\n member = \"t@c.co\"\n role = \"viewer\"\n }"), "8,2", "Unclear share", "one of the two"},
		"shared twice":           {r("assistant", "share {\n group = group.g\n role = \"viewer\"\n }\n share {\n group = group.g\n role = \"editor\"\n }"), "13,", "Shared twice", "Leave one"},
		"public flow":            {r("flow", "visibility = \"public\""), "8,15", "Cannot be public", "share it"},
		"unknown kind":           {r("asistant", ""), "6,", "Unknown kind of resource", `did you mean "assistant"`},
		"mapping without values": {head + "group \"g\" {\n}\nmapping \"m\" {\n values = []\n group = group.g\n role = \"viewer\"\n}\n", "6,11", "Mapping without values", "at least one"},
		"mapping as owner":       {head + "group \"g\" {\n}\nmapping \"m\" {\n values = [\"v\"]\n group = group.g\n role = \"owner\"\n}\n", "8,9", "Value not allowed", "viewer"},
	} {
		t.Run(name, func(t *testing.T) { providertest.WantProblem(t, Kind(), c.text, c.at, c.summary, c.part) })
	}
}

// TestFindings wants each of elvex's own checks to fire where it should, and
// only there.
func TestFindings(t *testing.T) {
	for name, c := range map[string]struct{ kind, visibility, role, want string }{
		"public, shared as viewer": {"assistant", "public", "viewer", "public-floor"},
		"public, shared as editor": {"assistant", "public", "editor", ""},
		"private datasource":       {"datasource", "private", "viewer", "private-datasource-escape"},
		"private assistant":        {"assistant", "private", "viewer", ""},
	} {
		t.Run(name, func(t *testing.T) {
			plan, _ := providertest.Plan(t, Kind(), fmt.Sprintf("%sresource %q \"x\" {\n creator = \"s@c.co\"\n visibility = %q\n share {\n member = \"t@c.co\"\n role = %q\n }\n}\n", head, c.kind, c.visibility, c.role), nil)
			got := ""
			for _, f := range plan.Findings {
				if f.Rule == "public-floor" || f.Rule == "private-datasource-escape" {
					got += f.Rule
				}
			}
			if got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestEveryAttributeIsDocumented(t *testing.T) { providertest.WantDocumented(t, language) }

// TestConfirmingStepByStepConverges goes from one company to another through
// the ledger, one step at a time; what each plan says is left must shrink to
// nothing, and a plan must need no gap.
func TestConfirmingStepByStepConverges(t *testing.T) {
	texts := []string{
		company("member", "private", "viewer", "editor", ""),
		company("owner", "public", "", "viewer", "editor"),
		mapped("viewer", "editor", "viewer"),
		mapped("owner", "viewer", "editor"),
	}
	dir := t.TempDir()
	l, err := ledger.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		cfg, d := providertest.MustLoad(t, Kind(), text)
		for left := -1; left != 0; {
			live := l.State()
			New(cfg).suppose(d, live)
			plan, _ := providertest.Plan(t, Kind(), text, live)
			if len(plan.Unsafe) > 0 {
				t.Fatalf("no safe order: %v", plan.Unsafe)
			}
			if left >= 0 && plan.Summary.Steps >= left {
				t.Fatalf("%d steps are left after one of %d", plan.Summary.Steps, left)
			}
			if left = plan.Summary.Steps; left > 0 {
				l.Record(plan.Steps[plan.Stages[0].Steps[0].ID].Effects, ledger.Entry{By: "test", At: time.Unix(1, 0)})
			}
		}
	}
}
