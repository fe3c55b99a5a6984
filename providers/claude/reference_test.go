package claude

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/schema"
)

var update = flag.Bool("update", false, "write README.md")

// TestReferenceIsCurrent compares README.md with the declarations that the
// language is decoded by; -update writes it.
func TestReferenceIsCurrent(t *testing.T) {
	want := reference()
	if *update {
		if err := os.WriteFile("README.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("README.md (-want +got):\n%s", diff)
	}
}

// TestEveryAttributeIsDocumented wants a meaning and an example of each.
func TestEveryAttributeIsDocumented(t *testing.T) {
	var walk func(path string, b *schema.Block)
	walk = func(path string, b *schema.Block) {
		path += b.Type
		if b.Doc == "" {
			t.Errorf("%s has no meaning", path)
		}
		for _, a := range b.Attrs {
			if a.Doc == "" || a.Example == "" {
				t.Errorf("%s.%s lacks a meaning or an example", path, a.Name)
			}
		}
		for _, n := range b.Blocks {
			walk(path+".", n)
		}
	}
	for _, b := range language.Blocks {
		walk("", b)
	}
}

func reference() string {
	var w strings.Builder
	w.WriteString(referenceHead)
	for _, b := range language.Blocks {
		writeBlock(&w, b, "##", "")
	}
	w.WriteString(requestsText)
	w.WriteString(referenceTail)
	return w.String()
}

func writeBlock(w *strings.Builder, b *schema.Block, level, parent string) {
	label := ""
	if b.Label != "" {
		label = fmt.Sprintf(" %q", b.Label)
	}
	in := ""
	if parent != "" {
		in = " (in " + parent + ")"
	}
	fmt.Fprintf(w, "\n%s `%s%s`%s\n\n%s\n", level, b.Type, label, in, b.Doc)
	if len(b.Attrs) > 0 {
		w.WriteString("\n| attribute | example | left out | meaning |\n|---|---|---|---|\n")
	}
	for _, a := range b.Attrs {
		def := a.Default
		switch {
		case a.Required:
			def = "an error"
		case def == "":
			def = "not managed"
		}
		doc := a.Doc
		if len(a.OneOf) > 0 {
			doc += " One of: " + strings.Join(a.OneOf, ", ") + "."
		}
		fmt.Fprintf(w, "| `%s` | `%s` | %s | %s |\n", a.Name, a.Example, def, strings.ReplaceAll(doc, "|", "\\|"))
	}
	for _, n := range b.Blocks {
		writeBlock(w, n, "###", b.Type)
	}
}

const referenceHead = "<!-- made from language.go: go test ./providers/claude -run Reference -update -->\n\n" + `# claude-enterprise

The blocks of a configuration for Claude Enterprise. All ` + "`*.hcl`" + ` and
` + "`*.hcl.json`" + ` files of one directory describe one organization, in any order.
What is left out is not managed: not compared and not changed.

` + "`connector.jira`, `role.base`, `group.pilot`" + ` refer to blocks; with ` + "`for_each`" + ` (on
every labeled block, over a set of texts, a map or an object) an instance is
` + "`role.eng[\"backend\"]`" + `. People are a list of e-mail addresses, or ` + "`everyone`" + `,
` + "`domain(\"vendor.com\")`, `organization_role(\"user\")`, `group.a.members`" + `, combined
with ` + "`union`, `minus` and `intersect`" + `.

` + "`ROLECALL_ENDPOINT`" + ` overrides both ` + "`endpoint`" + ` and ` + "`emulator`" + ` of the api block; an
emulator on this machine needs no key.
`

const referenceTail = `
## Blocks of every system

` + "```hcl" + `
variable "domain" {                # --var domain=…, --var-file FILE, ROLECALL_VAR_domain
  type    = string
  default = "vendor.com"
}

locals {
  team = ["ann@acme.com"]
}

guard {                            # a plan over a guard is blocked; these are the defaults, also without the block
  max_members_losing_access = "5%" # members, outside of what open waves explain
  max_removals              = 25   # memberships, groups, roles, members
  max_group_shrink          = "50%"
  max_spend_increase        = "20%"
  protected                 = []
  frozen                    = false
}

rule "cross-role-conflict" {       # a check: error, warning, info or off
  severity = "warning"
  ignore   = [connector.slack]
}
` + "```" + `
`
