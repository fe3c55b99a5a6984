package main

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"github.com/rolecall/rolecall/cmd/rolecall/internal/pullrequest"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/render"
	"github.com/rolecall/rolecall/schema"
)

// hostileNames are names that try to be something else in a comment.
func hostileNames() []string {
	seeds := []string{
		"@everyone", "@acme/admins", "cc @jane", "#1", "GH-1", "acme/access#1", "0123456789abcdef0123456789abcdef01234567",
		"</details>", "</summary></details><h1>x", "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "<!-- rolecall:approval:1 plan=x -->", "-->", "<!--", "<b>bold",
		"</code><a href=https://evil.example>x</a>", "&lt;b&gt;", "&#64;everyone", "&amp;", "]]>", "<?php", "<!DOCTYPE html>",
		"[x](https://evil.example)", "![x](https://evil.example/x.png)", "[x]: https://evil.example", "[x][y]", "https://evil.example", "www.evil.example", "mailto:eve@evil.example", "<https://evil.example>", "ftp://evil.example/a",
		"`", "``", "```", "```\n# x\n```", "~~~", "`code", "*x*", "**x**", "_x_", "__x__", "~~x~~", "# x", "## x", "> x", "> [!WARNING]", "- x", "- [x] x", "+ x", "1. x", "1) x", "---", "***", "===", "    x", "\tx",
		"|", "a|b", "\\|", "\\", "\\n", "a\nb", "a\r\nb", "a\n\nb", "a  \nb", "x\n- y", "x\n# y", "x\n```", "\u2028x", "\u2029x", "\x85x",
		"\u202ex\u202c", "\u2066x\u2069", "\u200fx", "\u200e", "\u061c", "\ufeffx", "\u200b", "\u2060", "a\u0301\u0301\u0301", "\x00", "\x07", "\x08", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x7f", "\x9b31m", "\xff\xfe",
		"$x$", "$$x$$", "$`x`$", ":+1:", ":warning:", "{{ x }}", "${{ secrets.X }}", "${x}", "%s", "%!d(string=x)", "../../x", "C:\\x", "~/x", "x\u00a0y", "\u3000", "😀", "👨‍👩‍👧", "日本語", "עברית", "العربية",
		"::error::x", "::set-output name=x::y", "##[error]x", "javascript:alert(1)", "data:text/html,x", "'\"><", "\"", "'", "a'b\"c", ";", "=1+1", "+1", "-1", "@SUM(A1)", " ", "  x  ", "null", "undefined", "[ ]", "[x]", "[^1]", "[^1]: x", "x^2^", "H~2~O", "==x==", "++x++",
		"<details><summary>x", "<sub>", "<br>", "<code>", "</code>", "<table>", "<td>", "<svg onload=alert(1)>", "<iframe src=x>", "<a name=x>", "<input>", "<style>*{}</style>", "<math>", "<plaintext>", "<xmp>", "<base href=x>", "<form>", "<kbd>",
		strings.Repeat("x", 10000), strings.Repeat("@a ", 3000), strings.Repeat("<", 10000), strings.Repeat("`", 9999), strings.Repeat("[", 5000), strings.Repeat("> ", 5000), strings.Repeat("\n", 3000), strings.Repeat("é", 5000), strings.Repeat("| ", 5000),
	}
	for _, s := range slices.Clone(seeds)[:60] { // and in the middle of a name
		seeds = append(seeds, "team "+s+" team")
	}
	return seeds
}

// planCalled is a plan in which everything that comes from outside is called
// name.
func planCalled(name string) *plan.Plan {
	addr := schema.Address(name)
	value := func(s string) map[string]schema.Value {
		return map[string]schema.Value{"name": schema.Text(s), "members": schema.Set(s), "tools": schema.Map(map[string]string{s: s})}
	}
	because := []plan.Because{{Member: name, Via: []schema.Address{addr}, Why: name}}
	view := func(via schema.Via) plan.StepView {
		return plan.StepView{ID: name + string(via), Via: via, Action: name, Address: addr, Proof: schema.Exact, Direction: "widens",
			Request: &schema.Request{Method: "POST", Path: name}, Console: &schema.Console{Where: name, By: name, Do: []string{name, name}}}
	}
	stage := func(held bool) plan.Stage {
		return plan.Stage{Phase: name, Wave: name, SettleSeconds: 60, Held: held, HeldWhy: name, Steps: []plan.StepView{view(schema.ByConsole), view(schema.ByAPI)}}
	}
	finding := func(s plan.Severity) plan.Finding {
		return plan.Finding{Rule: "void-grant", Severity: s, Message: name, Address: addr, Fix: name, Members: []string{name + "2"}, Range: &plan.Range{Filename: name, Start: plan.Position{Line: 1, Column: 1}}}
	}
	steps := map[string]*schema.Step{}
	for _, via := range []schema.Via{schema.ByAPI, schema.ByConsole} {
		v := view(via)
		steps[v.ID] = &schema.Step{ID: v.ID, Addr: v.Address, Via: via, Phase: name, Action: name, Request: v.Request, Console: v.Console, Proof: v.Proof}
	}
	return &plan.Plan{
		Steps:         steps,
		FormatVersion: "1.0", RolecallVersion: "test", Organization: name, SystemName: name, Verdict: plan.Blocked, Members: 3,
		Summary:  plan.Summary{MembersGaining: 1, MembersLosing: 1, Steps: 2, Requests: 1, ConsoleSteps: 1, HeldSteps: 1, Stages: 1, SettleSeconds: 60, Seconds: 90},
		Access:   []plan.AccessChange{{Permission: name, From: name, To: name, Direction: "loss", Count: 1, Members: []string{name}, Because: because}, {Permission: name, From: name, To: name, Direction: "gain", Count: 1, Members: []string{name}, Because: because}},
		Limits:   []plan.LimitChange{{Period: name, From: "100", To: "200", Direction: "raise", Count: 1, Members: []string{name}, Because: because}},
		Findings: []plan.Finding{finding(plan.Error), finding(plan.Warning), finding(plan.Info)},
		Unread:   []schema.Unread{{What: name, Why: name, Affects: name}},
		Stages:   []plan.Stage{stage(false), stage(true)},
		Changed: []plan.Change{{Address: addr, Action: schema.Update, Before: value("before"), After: value(name), Steps: []string{name}, Owners: []string{name}},
			{Address: addr, Action: schema.Delete, Before: value(name)}},
	}
}

// mention matches what GitHub takes for a mention: it looks for them in the
// finished text, whatever the source was.
var mention = regexp.MustCompile(`(^|[^0-9A-Za-z_])@[0-9A-Za-z]`)

// shape returns what a reader of Markdown makes of a text: every element but
// the words, and the raw HTML as it is written.
func shape(t *testing.T, md string) (elements []string, words string) {
	t.Helper()
	src := []byte(md)
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote)).Parser().Parse(text.NewReader(src))
	var b strings.Builder
	code := false // what is in there, nobody is mentioned by
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			if !code {
				b.WriteString(html.UnescapeString(string(n.Segment.Value(src))))
			}
			return ast.WalkContinue, nil
		case *ast.String:
			b.Write(n.Value)
			return ast.WalkContinue, nil
		case *ast.RawHTML:
			for i := range n.Segments.Len() {
				s := n.Segments.At(i)
				tag := string(s.Value(src))
				code = tag == "<code>" || code && tag != "</code>"
				elements = append(elements, "html "+tag)
			}
		case *ast.HTMLBlock:
			elements = append(elements, "block "+htmlTags(string(n.Lines().Value(src))))
		default:
			elements = append(elements, n.Kind().String())
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return elements, b.String()
}

// htmlTags returns the tags of a piece of HTML without the words between them.
func htmlTags(s string) string {
	var b strings.Builder
	in := false
	for _, r := range s {
		if r == '<' {
			in = true
		}
		if in {
			b.WriteRune(r)
		}
		if r == '>' {
			in = false
		}
	}
	return b.String()
}

// TestNamesStayNames renders a plan in which everything is called by a hostile
// name, reads it as Markdown, and compares with the same plan of harmless
// names: there must be the same elements, and nobody is mentioned.
func TestNamesStayNames(t *testing.T) {
	names := hostileNames()
	if len(names) < 200 {
		t.Fatalf("only %d names", len(names))
	}
	write := func(name string) string {
		var b bytes.Buffer
		if err := render.Markdown(&b, planCalled(name), render.Options{}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	oneLine, _ := shape(t, write("harmless"))
	lines, _ := shape(t, write("harm\nless")) // several lines are shown as a diff
	for i, name := range names {
		md, want := write(name), oneLine
		if strings.Contains(strings.TrimSpace(name), "\n") {
			want = lines
		}
		got, words := shape(t, md)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("name %d, %.60q, changes the elements (-want +got):\n%s", i, name, diff)
		}
		if m := mention.FindString(words); m != "" {
			t.Errorf("name %d, %.60q, mentions somebody: %q", i, name, m)
		}
		for _, r := range md {
			if r == 0x202e || r == 0x2066 || r == 0x200f || r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 {
				t.Errorf("name %d, %.60q: the text has the character %U", i, name, r)
				break
			}
		}
		if n := strings.Count(md, "rolecall:approval"); n > 0 {
			t.Errorf("name %d plants an approval", i)
		}
	}
}

// Whatever it is called, and however many people it concerns, a comment fits.
func TestHostileCommentFits(t *testing.T) {
	for i, name := range hostileNames() {
		var b bytes.Buffer
		if err := render.Markdown(&b, planCalled(name), render.Options{MaxBytes: pullrequest.MaxBody - margin}); err != nil || b.Len() > pullrequest.MaxBody-margin {
			t.Errorf("name %d, %.60q: %d bytes, %v", i, name, b.Len(), err)
		}
	}
}

// TestCommentOfTwentyThousandPeople shows a plan in which everybody loses
// something: each removal keeps its count, whatever is folded.
func TestCommentOfTwentyThousandPeople(t *testing.T) {
	p := planCalled("x")
	p.Verdict, p.Access, p.Findings, p.Stages = plan.Changes, nil, nil, p.Stages[:1]
	var everybody []string
	for i := range 20000 {
		everybody = append(everybody, fmt.Sprintf("person%05d@example.org", i))
	}
	for i := range 30 {
		n := 20000 - 101*i
		a := plan.AccessChange{Permission: fmt.Sprintf("capability.c%03d", i), From: "allowed", To: "none", Direction: "loss", Count: n, Members: everybody[:n]}
		for _, m := range a.Members {
			a.Because = append(a.Because, plan.Because{Member: m, Why: "had it through group.x"})
		}
		p.Access = append(p.Access, a)
	}
	p.Summary.MembersLosing = 20000
	for _, people := range []plan.People{plan.Full, plan.Counts} {
		var b bytes.Buffer
		if err := render.Markdown(&b, p, render.Options{MaxBytes: pullrequest.MaxBody - margin - pullrequest.MaxApproval, People: people}); err != nil {
			t.Fatal(err)
		}
		for _, a := range p.Access {
			if !strings.Contains(b.String(), "| "+schema.Thousands(a.Count)+" |") {
				t.Errorf("%s: the removal of %s from %d people is not counted", people, a.Permission, a.Count)
			}
		}
	}
}
