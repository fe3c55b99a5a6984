package render_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/render"
	"github.com/rolecall/rolecall/schema"
)

// hostile names try to be something else than names.
var hostile = []string{
	"@everyone", "<script>alert(1)</script>", "[x](https://evil.example)", "https://evil.example/?a=1", "www.evil.example", "a|b|c",
	"```\nrm -rf\n```", "</details>", "# head", "- [ ] box", "![i](https://evil.example/i.png)", "<img src=x onerror=alert(1)>",
	"\u202egnp.exe", "\x1b[31mred", "~~~", "$math$", "evil@evil.example", "#123", "a\nb\r\nc", "&lt;b&gt;", "*bold* _it_ `code`",
	"1. one", "2) two", "===", "---", "    code", "> quote", ":smile:", "\\", "<!--", "-->", "a@team", "((", "javascript:alert(1)",
}

// planOf is a plan in which everything is called name.
func planOf(name string, n int) *plan.Plan {
	p := &plan.Plan{FormatVersion: "1.0", Organization: name, SystemName: "system", CreatedAt: "2026-11-22T00:00:00Z", Verdict: plan.Blocked, Members: 3,
		Summary: plan.Summary{Steps: 2 * n, Stages: 1, MembersGaining: 1, MembersLosing: 2, Requests: n, ConsoleSteps: n, Seconds: 90, Delete: n, Errors: n},
		Steps:   map[string]*schema.Step{}}
	line := strings.NewReplacer("\n", " ", "\r", " ").Replace(name)
	var st plan.Stage
	st.Phase, st.Wave, st.SettleSeconds = "phase", name, 30
	for i := range n {
		id := fmt.Sprint(name, i)
		addr := schema.MakeAddress("group", id, "")
		p.Access = append(p.Access, plan.AccessChange{Permission: "capability." + id, From: name, To: "none", Direction: "loss", Count: 2, Members: []string{name, id},
			Because: []plan.Because{{Member: name, Why: "had it through " + name}, {Member: id, Why: name}}})
		p.Findings = append(p.Findings, plan.Finding{Rule: "guard-exceeded", Severity: plan.Error, Message: name + " is over", Fix: "rename " + name, Members: []string{id, name},
			Range: &plan.Range{Filename: name, Start: plan.Position{Line: 1, Column: 1}, Text: name}})
		p.Unread = append(p.Unread, schema.Unread{What: name, Why: name, Affects: name})
		st.Steps = append(st.Steps, plan.StepView{ID: id, Via: schema.ByConsole, Action: "create " + name, Address: addr, Console: &schema.Console{Where: name, By: name, Do: []string{name}}, Direction: "widens"},
			plan.StepView{ID: id + "x", Via: schema.ByAPI, Action: "add " + name, Address: addr, Direction: "narrows"})
		p.Changed = append(p.Changed, plan.Change{Address: addr, Action: schema.Delete, Owners: []string{name}},
			plan.Change{Address: addr, Action: schema.Update, Before: map[string]schema.Value{"prompt": schema.Text("a\n" + line)}, After: map[string]schema.Value{"prompt": schema.Text(line + "\nb"), name: schema.Text(line)}})
		p.Groups = append(p.Groups, plan.GroupView{Address: addr, Name: name, MembersAfter: i, RolesAfter: []schema.Address{schema.Address(name)}, After: map[string]string{"capability." + name: name}})
		p.Memberships = append(p.Memberships, plan.MembershipView{Count: i + 1, StandingAfter: name, GroupsAfter: []schema.Address{addr}})
	}
	p.Stages = []plan.Stage{st}
	for _, v := range st.Steps {
		p.Steps[v.ID] = &schema.Step{ID: v.ID, Via: v.Via, Phase: st.Phase, Action: v.Action, Addr: v.Address, Console: v.Console}
	}
	return p
}

func write(t testing.TB, f func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// tags are the HTML that Markdown may hold.
var tags = regexp.MustCompile(`^(</?(details|summary|code)>|<br>)+$`)

// TestMarkdownNamesAreNames parses what is written and finds nothing that a
// name made: no link, no image, no tag, no heading.
func TestMarkdownNamesAreNames(t *testing.T) {
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	shape := ""
	for _, name := range append([]string{"plain"}, hostile...) {
		t.Run(fmt.Sprintf("%q", name), func(t *testing.T) {
			src := []byte(write(t, func(b *bytes.Buffer) error { return render.Markdown(b, planOf(name, 2), render.Options{}) }))
			var kinds []string
			err := ast.Walk(md.Parser().Parse(text.NewReader(src)), func(n ast.Node, in bool) (ast.WalkStatus, error) {
				if !in {
					return ast.WalkContinue, nil
				}
				switch n := n.(type) {
				case *ast.Link, *ast.AutoLink, *ast.Image, *ast.Emphasis:
					if e, ok := n.(*ast.Emphasis); !ok || strings.Contains(words(e, src), name) && e.Level == 1 {
						t.Errorf("a %s: %s", n.Kind(), words(n, src))
					}
				case *ast.RawHTML:
					if raw := string(n.Segments.Value(src)); !tags.MatchString(raw) {
						t.Errorf("a tag: %s", raw)
					}
				case *ast.HTMLBlock:
					for i := range n.Lines().Len() {
						line := n.Lines().At(i)
						for _, tag := range regexp.MustCompile(`<[^>]*>?`).FindAllString(string(line.Value(src)), -1) {
							if !tags.MatchString(tag) {
								t.Errorf("a tag: %s", line.Value(src))
							}
						}
					}
				}
				switch n.Kind() {
				case ast.KindText, ast.KindString, ast.KindRawHTML, ast.KindHTMLBlock, ast.KindTextBlock, ast.KindParagraph:
				default:
					kinds = append(kinds, n.Kind().String())
				}
				return ast.WalkContinue, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(kinds, " "); shape == "" {
				shape = got
			} else if got != shape {
				t.Errorf("the document has another shape:\n%s\nwant\n%s\nin\n%s", got, shape, src)
			}
			for _, r := range []string{"\u202e", "\x1b", "\r"} {
				if strings.Contains(string(src), r) {
					t.Errorf("%q is in the text", r)
				}
			}
			for _, m := range regexp.MustCompile(`(?m)(^|[^A-Za-z0-9_;])(@|&#64;)[A-Za-z]`).FindAllString(regexp.MustCompile(`<code>.*?</code>|(?s)`+"```+diff.*?```+").ReplaceAllString(string(src), ""), -1) {
				t.Errorf("somebody is mentioned: %q", m)
			}
		})
	}
}

// TestMarkdownFits: the counts and what blocks stay however short it must be.
func TestMarkdownFits(t *testing.T) {
	for _, n := range []int{1, 10, 200, 2_000} {
		for _, limit := range []int{0, 65_536, 20_000} {
			src := write(t, func(b *bytes.Buffer) error {
				return render.Markdown(b, planOf("name", n), render.Options{MaxBytes: limit})
			})
			if limit > 0 && len(src) > limit {
				t.Errorf("%d things take %d bytes of %d", n, len(src), limit)
			}
			if !strings.Contains(src, "Blocked&#58; ") || !strings.Contains(src, "1 gains and 2 lose something") {
				t.Errorf("%d things in %d bytes: the verdict is not there:\n%.500s", n, limit, src)
			}
		}
	}
	if err := render.Markdown(&bytes.Buffer{}, planOf("name", 3), render.Options{MaxBytes: 10}); err == nil {
		t.Error("a verdict fits into 10 bytes")
	}
}

// TestHTMLNamesAreNames: no name becomes a tag, and the page asks for nothing.
func TestHTMLNamesAreNames(t *testing.T) {
	count := func(s string) string {
		var list []string
		for _, tag := range regexp.MustCompile(`<[a-zA-Z!/][^>]*`).FindAllString(s, -1) {
			list = append(list, strings.Fields(strings.TrimPrefix(tag, "<") + " ")[0])
		}
		return strings.Join(list, " ")
	}
	want := count(write(t, func(b *bytes.Buffer) error { return render.HTML(b, planOf("plain", 2), render.Options{}) }))
	for _, name := range hostile {
		page := write(t, func(b *bytes.Buffer) error { return render.HTML(b, planOf(name, 2), render.Options{}) })
		if asks := regexp.MustCompile(`<script|<[a-z]+(\s+[a-z-]+="[^"]*")*\s+(src|href="[^#])|url\(`).FindString(page); asks != "" {
			t.Errorf("%q: the page asks for something: %s", name, asks)
		}
		if got := count(page); len(strings.Fields(got)) != len(strings.Fields(want)) {
			t.Errorf("%q makes other tags: %d, want %d", name, len(strings.Fields(got)), len(strings.Fields(want)))
		}
	}
}

// TestPeopleAreNotNamed: in counts, no renderer names anybody.
func TestPeopleAreNotNamed(t *testing.T) {
	p := planOf("jane.doe@acme.com", 2)
	for _, people := range []plan.People{plan.Counts, plan.Initials} {
		o := render.Options{People: people}
		for what, s := range map[string]string{
			"text":     write(t, func(b *bytes.Buffer) error { return render.Text(b, p, o) }),
			"markdown": write(t, func(b *bytes.Buffer) error { return render.Markdown(b, p, o) }),
			"html":     write(t, func(b *bytes.Buffer) error { return render.HTML(b, p, o) }),
		} {
			if strings.Contains(s, "jane") || strings.Contains(s, "acme") {
				t.Errorf("%s with %s names her:\n%s", what, people, s)
			}
		}
	}
}

// TestTextFolds: lines fold at the width of the terminal, between words.
func TestTextFolds(t *testing.T) {
	s := write(t, func(b *bytes.Buffer) error {
		return render.Text(b, planOf("a name of several words", 3), render.Options{Width: 40})
	})
	for _, line := range strings.Split(s, "\n") {
		if len([]rune(line)) > 48 {
			t.Errorf("a line of %d columns: %s", len([]rune(line)), line)
		}
	}
}

// words returns the text below a node.
func words(n ast.Node, src []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, in bool) (ast.WalkStatus, error) { // the function returns no error
		if t, ok := n.(*ast.Text); ok && in {
			b.Write(t.Segment.Value(src))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}
