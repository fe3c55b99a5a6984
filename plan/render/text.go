// Package render writes plans for people: as text for a terminal, as Markdown
// for a pull request, and as one HTML file. It decides nothing: what a plan
// says is in the plan.
package render

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

// A Style colors pieces of text; the zero Style leaves them plain.
type Style struct {
	Bold, Loss, Gain, Warn, Error, Dim func(string) string
}

func plain(s string) string { return s }

func (s Style) fill() Style {
	for _, f := range []*func(string) string{&s.Bold, &s.Loss, &s.Gain, &s.Warn, &s.Error, &s.Dim} {
		if *f == nil {
			*f = plain
		}
	}
	return s
}

// folded is how many names a line shows before it counts the rest.
const folded = 3

// text is a plan being written.
type text struct {
	strings.Builder
	Style
	*digest
	width int
}

// Text writes p for a terminal: the verdict and what blocks it, who loses and
// who gains what and why, what the checks found, the steps in their order, and
// what changes object by object.
func Text(w io.Writer, p *plan.Plan, o Options) error {
	d, err := o.prepare(p)
	if err != nil {
		return err
	}
	t := &text{Style: o.Style.fill(), digest: d, width: o.Width}
	t.verdict()
	t.access()
	t.findings()
	t.stages()
	t.changes()
	_, err = io.WriteString(w, t.String())
	return err
}

func (t *text) head(s string) {
	fmt.Fprintln(t)
	t.line("", t.Bold, "%s", s)
}

// line writes a paragraph behind a mark. It is folded at the width, each line
// under the first one's text.
func (t *text) line(mark string, paint func(string) string, format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	if mark == "" && s == "" {
		return
	}
	indent := columns(mark)
	for i, l := range fold(s, t.width-indent) {
		if i > 0 {
			mark = strings.Repeat(" ", indent)
		}
		fmt.Fprintf(t, "%s%s\n", mark, paint(l))
	}
}

// escape matches what sets a color.
var escape = regexp.MustCompile("\x1b\\[[0-9;]*m")

// columns returns how wide s is on a terminal.
func columns(s string) int { return uniseg.StringWidth(escape.ReplaceAllString(s, "")) }

// fold breaks a text into lines of at most width columns, between words. A
// word that is longer has a line of its own. Without a width there is one line.
func fold(s string, width int) []string {
	if width <= 0 || columns(s) <= width {
		return []string{s}
	}
	var lines []string
	line, used := "", 0
	for _, word := range strings.Split(s, " ") {
		w := columns(word)
		if line != "" && used+1+w > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		if line != "" {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+w
	}
	return append(lines, line)
}

// verdict says it all in a few lines, and what is in the way.
func (t *text) verdict() {
	paint := map[plan.Verdict]func(string) string{plan.Blocked: t.Error, plan.Undetermined: t.Warn}[t.p.Verdict]
	if paint == nil {
		paint = t.Bold
	}
	t.line("", paint, "%s", t.headline())
	t.line("", t.Warn, "%s", t.against())
	t.line("", plain, "%s", t.work())
	t.line("", t.Dim, "%s", t.held())
	if gone := t.removals(); len(gone) > 0 {
		t.line("", t.Loss, "Deletes %s: %s.", schema.Count(len(gone), "object"), t.names(gone))
	}
	t.line("", t.Dim, "%s", t.moved())
	t.blocked()
	t.unread()
}

// unread says what could not be read: in full if the configuration asks about
// it, else a few lines.
func (t *text) unread() {
	shown, left := 0, 0
	for _, u := range t.p.Unread {
		if shown++; shown > folded && !u.Asked {
			left++
			continue
		}
		t.line("  ", t.Dim, "not read: %s (%s); affects %s", schema.Printable(u.What), schema.Printable(u.Why), schema.Printable(u.Affects))
	}
	if left > 0 {
		t.line("  ", t.Dim, "and %s more that could not be read; --format json lists them", schema.Thousands(left))
	}
}

// access says who loses and who gains what.
func (t *text) access() {
	losses, gains := false, false
	for _, g := range t.groups() {
		if !g.up() && !losses {
			t.head("Who loses what")
			losses = true
		}
		if g.up() && !gains {
			t.head("Who gains what")
			gains = true
		}
		sign, paint := "-", t.Loss
		if g.up() {
			sign, paint = "+", t.Gain
		}
		t.line("  "+paint(sign)+" ", paint, "%s: %s → %s, %s", g.title, g.from, g.to, schema.CountPeople(g.count))
		for _, b := range g.why {
			t.line("      ", t.Dim, "%s: %s", t.people(b.members), schema.Printable(b.why))
		}
		if g.more > 0 {
			t.line("      ", t.Dim, "and %s for other reasons", schema.CountPeople(g.more))
		}
	}
}

func (t *text) findings() {
	if len(t.p.Findings) == 0 {
		return
	}
	t.head("Findings")
	for _, f := range t.p.Findings {
		paint := map[plan.Severity]func(string) string{plan.Error: t.Error, plan.Warning: t.Warn}[f.Severity]
		if paint == nil {
			paint = t.Dim
		}
		accepted := ""
		if f.Accepted {
			accepted = " (accepted)"
		}
		t.line("  ", plain, "%s %s%s", paint(string(f.Severity)+" "+f.Rule+":"), schema.Printable(f.Message), accepted)
		if len(f.Members) > 0 && !strings.Contains(f.Message, f.Members[0]) {
			t.line("      ", t.Dim, "%s", t.people(f.Members))
		}
		if f.Range != nil {
			t.line("      ", t.Dim, "%s", place(f.Range))
		}
		if f.Fix != "" {
			t.line("      ", t.Dim, "to fix: %s", schema.Printable(f.Fix))
		}
	}
}

// place writes where a finding is.
func place(r *plan.Range) string {
	return fmt.Sprintf("%s:%d:%d", schema.Printable(r.Filename), r.Start.Line, r.Start.Column)
}

func (t *text) stages() {
	if len(t.p.Stages) == 0 {
		return
	}
	t.head("Steps, " + t.order())
	n := 0
	for _, st := range t.p.Stages {
		if st.Held {
			t.line("  "+t.Dim("·")+" ", plain, "%s: %s, held: %s", phase(st), schema.Count(len(st.Steps), "step"), schema.Printable(st.HeldWhy))
			continue
		}
		n++
		t.line(fmt.Sprintf("  %d. ", n), plain, "%s: %s", t.Bold(phase(st)), kinds(st))
		t.steps(st)
		if st.SettleSeconds > 0 {
			t.line("     ", t.Dim, "then wait %s until it is in force everywhere", duration(st.SettleSeconds))
		}
	}
}

// consoleShown is how many console steps of a stage are shown: more than of
// requests, because somebody has to do them.
const consoleShown = 12

// steps shows some of the steps of a stage.
func (t *text) steps(st plan.Stage) {
	shown := map[schema.Via]int{}
	left := 0
	most := map[schema.Via]int{schema.ByAPI: folded, schema.ByConsole: consoleShown}
	for _, s := range st.Steps {
		if shown[s.Via]++; shown[s.Via] > most[s.Via] && len(st.Steps) > most[s.Via]+1 {
			left++
			continue
		}
		mark := ""
		if s.Via == schema.ByConsole {
			mark = t.Warn(" (console)")
		}
		t.line("     ", plain, "%s%s", schema.Printable(s.Action), mark)
	}
	if left > 0 {
		t.line("     ", t.Dim, "and %s more like these", schema.Thousands(left))
	}
}

// objectsShown is how many objects of one kind are shown.
const objectsShown = 12

func (t *text) changes() {
	if len(t.p.Changed) == 0 {
		return
	}
	t.head("Objects")
	for _, k := range t.kindsOfChange() {
		if k.action == schema.Update && len(k.list) > 10 && k.typ == "member" {
			t.line("  ~ ", plain, "%s updated: %s", schema.Count(len(k.list), "member"), t.fields(k.list[0]))
			continue
		}
		for i, c := range k.list {
			if i == objectsShown {
				t.line("    ", t.Dim, "and %s more: %s %s", schema.Thousands(len(k.list)-i), k.typ, k.action)
				break
			}
			t.change(c)
		}
	}
	fmt.Fprintln(t)
	t.line("", plain, "%s", t.total())
}

func (t *text) change(c plan.Change) {
	paint := map[schema.Action]func(string) string{schema.Create: t.Gain, schema.Delete: t.Loss}[c.Action]
	if paint == nil {
		paint = plain
	}
	more := ""
	if c.Held {
		more = " (held)"
	}
	if len(c.Owners) > 0 {
		more += t.Dim(" (approval of " + t.people(c.Owners) + ")")
	}
	t.line("  "+paint(sign(c.Action))+" ", plain, "%s%s", paint(schema.Printable(string(c.Address))+": "+t.fields(c)), more)
	for _, d := range t.diffs(c) {
		t.line("      ", t.Dim, "%s:", d.attr)
		for _, l := range d.lines {
			p := map[byte]func(string) string{'+': t.Gain, '-': t.Loss}[l[0]]
			if p == nil {
				p = t.Dim
			}
			t.line("        ", p, "%s", l)
		}
	}
}
