package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers/all"
	"github.com/rolecall/rolecall/schema"
)

// The sentences in which explain proposes an edit.
var (
	addItem  = regexp.MustCompile(`^add (.+) to (\w+) of (.+)$`)
	takeItem = regexp.MustCompile(`^take (.+) out of (\w+) of (.+)$`)
	putKey   = regexp.MustCompile(`^write (\S+) = (.+) in (\w+) of (.+)$`)
	setAttr  = regexp.MustCompile(`^write (\w+) = (.+?) in ((?:\S+ "[^"]*" in )?\S+(?: \(\S+\))?)$`)
	newBlock = regexp.MustCompile(`^add a block: (\w+) ("[^"]*") \{ (.+) \}$`)
	nested   = regexp.MustCompile(`^add (\w+) ("[^"]*") \{ (.+) \} to (.+)$`)
	placeOf  = regexp.MustCompile(`^(?:(\w+) "([^"]*)" in )?(\w+)(?:\.([\w-]+)|\["([^"]*)"\])?(?: \(.+:(\d+)\))?$`)
)

// carryOut does in a file what a sentence says, as somebody would who has the
// file open and has never seen rolecall's code. The lines that the sentence names
// are those of the file that was asked about, before any other edit.
func carryOut(src, asked []byte, sentence string) ([]byte, error) {
	f, diags := hclwrite.ParseConfig(src, "main.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	block := func(place string) (*hclwrite.Body, error) {
		m := placeOf.FindStringSubmatch(place)
		if m == nil {
			return nil, fmt.Errorf("no place: %q", place)
		}
		labels := []string{m[4] + m[5]}
		b := f.Body().FirstMatchingBlock(m[3], labels)
		if b == nil && m[4]+m[5] == "" {
			for _, x := range f.Body().Blocks() {
				if x.Type() == m[3] {
					b = x
				}
			}
		}
		if b == nil {
			return nil, fmt.Errorf("no block at %q", place)
		}
		if line, _ := strconv.Atoi(m[6]); line > 0 {
			first, last := linesOf(asked, m[3], labels[0])
			if line < first || line > last {
				return nil, fmt.Errorf("line %d is not in %s, which is %d to %d", line, place, first, last)
			}
		}
		if m[1] != "" {
			inner := b.Body().FirstMatchingBlock(m[1], []string{m[2]})
			if inner == nil {
				return nil, fmt.Errorf("no nested block at %q", place)
			}
			return inner.Body(), nil
		}
		return b.Body(), nil
	}
	raw := func(body *hclwrite.Body, attr, expr string) {
		body.SetAttributeRaw(attr, hclwrite.Tokens{{Bytes: []byte(expr)}})
	}
	value := func(body *hclwrite.Body, attr string) string {
		if a := body.GetAttribute(attr); a != nil {
			return strings.TrimSpace(string(a.Expr().BuildTokens(nil).Bytes()))
		}
		return ""
	}
	items := func(list string) []string {
		var out []string
		for _, x := range strings.Split(strings.Trim(list, "[]{} "), ",") {
			if x = strings.TrimSpace(x); x != "" {
				out = append(out, x)
			}
		}
		return out
	}
	switch {
	case newBlock.MatchString(sentence):
		m := newBlock.FindStringSubmatch(sentence)
		return append(src, fmt.Sprintf("%s %s {\n  %s\n}\n", m[1], m[2], m[3])...), nil
	case nested.MatchString(sentence):
		m := nested.FindStringSubmatch(sentence)
		body, err := block(m[4])
		if err != nil {
			return nil, err
		}
		attr, expr, _ := strings.Cut(m[3], " = ")
		raw(body.AppendNewBlock(m[1], []string{strings.Trim(m[2], `"`)}).Body(), attr, expr)
	case addItem.MatchString(sentence), takeItem.MatchString(sentence):
		m, take := addItem.FindStringSubmatch(sentence), false
		if m == nil {
			m, take = takeItem.FindStringSubmatch(sentence), true
		}
		body, err := block(m[3])
		if err != nil {
			return nil, err
		}
		list := items(value(body, m[2]))
		if has := slices.Contains(list, m[1]); has != take {
			return nil, fmt.Errorf("%v holds %s: %v", list, m[1], has)
		}
		if take {
			list = slices.DeleteFunc(list, func(x string) bool { return x == m[1] })
		} else {
			list = append(list, m[1])
		}
		raw(body, m[2], "["+strings.Join(list, ", ")+"]")
	case putKey.MatchString(sentence):
		m := putKey.FindStringSubmatch(sentence)
		body, err := block(m[4])
		if err != nil {
			return nil, err
		}
		list := slices.DeleteFunc(items(value(body, m[3])), func(x string) bool { return strings.HasPrefix(x, m[1]+" =") })
		raw(body, m[3], "{ "+strings.Join(append(list, m[1]+" = "+m[2]), ", ")+" }")
	case setAttr.MatchString(sentence):
		m := setAttr.FindStringSubmatch(sentence)
		body, err := block(m[3])
		if err != nil {
			return nil, err
		}
		raw(body, m[1], m[2])
	default:
		return nil, fmt.Errorf("nobody can do this: %q", sentence)
	}
	return f.Bytes(), nil
}

// linesOf returns the first and the last line of a block that nothing surrounds,
// read off the text: it ends at the first brace that is not indented.
func linesOf(src []byte, kind, label string) (first, last int) {
	for i, line := range strings.Split(string(src), "\n") {
		switch {
		case first == 0 && (strings.HasPrefix(line, fmt.Sprintf("%s %q {", kind, label)) || label == "" && strings.HasPrefix(line, kind+" ")):
			first = i + 1
		case first > 0 && line == "}":
			return first, i + 1
		}
	}
	return first, 0
}

// flipGen draws configurations to be asked about.
type flipGen struct{ seedGen }

func quoted(of []string) string {
	var list []string
	for _, x := range of {
		list = append(list, schema.Quote(x))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

var flipPeople = []string{"ann@acme.com", "bob@acme.com", "cyd@acme.com"}

func (g flipGen) claude() string {
	var b strings.Builder
	b.WriteString("organization \"acme\" {\n  system = \"claude-enterprise\"\n}\n\nmigration {\n  wave \"all\" {\n    members = everyone\n  }\n}\n")
	for _, f := range g.some("features", "chat", "memory", "web_search") {
		fmt.Fprintf(&b, "feature %q {\n  enabled = %v\n}\n", f, !g.sometimes("off"))
	}
	levels := []string{"blocked", "needs_approval", "always_allow"}
	b.WriteString("connector \"jira\" {\n  id = \"mcpsrv_jira\"\n  tools = [\"a\", \"b\"]\n")
	if g.sometimes("policy") {
		fmt.Fprintf(&b, "  policy = %q\n", g.pick("policy", levels...))
	}
	if g.sometimes("tool policy") {
		fmt.Fprintf(&b, "  tool_policy = { a = %q }\n", g.pick("tool policy", levels...))
	}
	b.WriteString("}\n")
	roles := []string{"r", "s", "t"}[:rapid.IntRange(1, 3).Draw(g.T, "roles")]
	for _, r := range roles {
		capabilities := g.some("capabilities", "chat", "memory", "web_search")
		if g.sometimes("blanket") {
			capabilities = []string{g.pick("blanket", "all", "all_ga")}
		}
		fmt.Fprintf(&b, "role %q {\n  capabilities = %s\n  connector_default = %q\n", r, quoted(capabilities), g.pick("default", "custom", "custom", "needs_approval", "always_allow"))
		if g.sometimes("admin") {
			fmt.Fprintf(&b, "  admin_permissions = { billing = %q }\n", g.pick("admin level", "view", "manage"))
		}
		if g.sometimes("connector") {
			fmt.Fprintf(&b, "  connector \"jira\" {\n    access = %q\n  }\n", g.pick("access", levels...))
		} else if g.sometimes("tools") {
			fmt.Fprintf(&b, "  connector \"jira\" {\n    tools = { a = %q }\n  }\n", g.pick("tool", levels...))
		}
		b.WriteString("}\n")
	}
	for _, name := range []string{"g", "h"} {
		var attached []string
		for _, r := range g.some("attached", roles...) {
			attached = append(attached, "role."+r)
		}
		fmt.Fprintf(&b, "group %q {\n  roles = [%s]\n  members = %s\n}\n", name, strings.Join(attached, ", "), quoted(g.some("members", flipPeople...)))
	}
	if g.sometimes("seats") {
		fmt.Fprintf(&b, "seat_tier \"small\" {\n  excludes = [\"web_search\"]\n  members = %s\n}\n", quoted(g.some("seated", flipPeople...)))
	}
	return b.String()
}

func (g flipGen) conduit() string {
	var b strings.Builder
	b.WriteString("organization \"m\" {\n  system = \"conduit\"\n}\n")
	vendors := []string{"v", "w"}
	for _, v := range vendors {
		fmt.Fprintf(&b, "vendor %q {\n  tools = [\"A\", \"B\"]\n", v)
		if g.sometimes("allowed") {
			fmt.Fprintf(&b, "  allowed = [%q]\n", g.pick("tool", "A", "B"))
		} else {
			b.WriteString("  allowed = inherit\n")
		}
		b.WriteString("}\n")
	}
	left := slices.Clone(flipPeople)
	for _, name := range []string{"t", "u"} {
		var in []string
		for _, p := range g.some("members", left...) { // nobody is in two teams
			in = append(in, p)
			left = slices.DeleteFunc(slices.Clone(left), func(x string) bool { return x == p })
		}
		fmt.Fprintf(&b, "team %q {\n  members = %s\n", name, quoted(in))
		for _, v := range g.some("vendors", vendors...) {
			fmt.Fprintf(&b, "  vendor %q {\n", v)
			if rapid.Bool().Draw(g.T, "credentials") {
				b.WriteString("    credentials = \"team\"\n")
				if rapid.Bool().Draw(g.T, "list") {
					fmt.Fprintf(&b, "    allowed = [%q]\n", g.pick("tool", "A", "B"))
				}
			}
			b.WriteString("  }\n")
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// desiredOf loads a configuration and returns what it leads to, for people.
func desiredOf(dir string, src []byte, people []string) (*plan.Picture, error) {
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), src, 0o600); err != nil {
		return nil, err
	}
	cfg, diags := schema.Load(dir, schema.Options{Systems: all.Languages()})
	if diags.HasErrors() {
		return nil, diags
	}
	kind, _ := all.Find(cfg)
	system := kind.New(cfg)
	described, diags := system.Describe()
	if diags.HasErrors() {
		return nil, diags
	}
	_, desired := plan.Pictures(plan.Input{Config: cfg, Description: described, System: system, Live: plan.Population(system, described, people)})
	return desired, nil
}

// TestTheProposedEditTurnsTheAnswer asks everything of random configurations,
// carries out the edit that explain proposes, word for word, on the file, and
// asks again.
func TestTheProposedEditTurnsTheAnswer(t *testing.T) {
	for name, draw := range map[string]func(flipGen) string{"claude-enterprise": flipGen.claude, "conduit": flipGen.conduit} {
		t.Run(name, func(t *testing.T) {
			often(t, 300, 100)
			dir := t.TempDir()
			turned, elsewhere, none := map[string]int{}, 0, map[string]int{}
			rapid.Check(t, func(rt *rapid.T) {
				src := []byte(draw(flipGen{seedGen{rt}}))
				p, err := desiredOf(dir, src, flipPeople)
				if err != nil {
					rt.Fatalf("%v\n%s", err, src)
				}
				keys := p.Keys()
				for range 6 {
					email, key := rapid.SampledFrom(flipPeople).Draw(rt, "who"), rapid.SampledFrom(keys).Draw(rt, "what")
					before, ok := askOf(rt, p, email, key)
					if !ok {
						continue
					}
					after, did := src, true
					for _, f := range before.Flip {
						if f.Edit.Elsewhere != "" {
							did = false
							break
						}
						if after, err = carryOut(after, src, f.Text); err != nil {
							rt.Fatalf("%q: %v\n%s", f.Text, err, src)
						}
					}
					switch {
					case len(before.Flip) == 0:
						none[before.Answer]++
						continue
					case !did:
						elsewhere++
						continue
					}
					q, err := desiredOf(dir, after, flipPeople)
					if err != nil {
						rt.Fatalf("after %q: %v\n%s", before.Flip[0].Text, err, after)
					}
					now, _ := askOf(rt, q, email, key)
					if now.Answer == before.Answer {
						rt.Fatalf("%s %s is %s, and so after %q: %s\n%s\nbecame\n%s", email, key, before.Answer, before.Flip[0].Text, now.Text, src, after)
					}
					turned[before.Answer]++
				}
			})
			t.Logf("turned %v, done elsewhere %d, no single edit %v", turned, elsewhere, none)
			if turned[plan.Yes] < 20 || turned[plan.No] < 20 {
				t.Errorf("only %v were tried", turned)
			}
		})
	}
}

// askOf asks one question; false for settings, which have no yes and no.
func askOf(rt *rapid.T, p *plan.Picture, email, key string) (*plan.Explanation, bool) {
	who, err := p.Member(email)
	if err != nil {
		rt.Fatal(err)
	}
	topic, err := p.Topic(key)
	if err != nil {
		rt.Fatal(err)
	}
	return p.Explain(who, topic), topic.Setting < 0
}
