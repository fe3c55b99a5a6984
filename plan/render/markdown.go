package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

// Markdown writes p for a pull request: the verdict and what blocks it, who
// loses and who gains what and why, findings, stages with the console steps as
// a checklist, and what changes object by object. Lists fold until it fits into
// MaxBytes; the counts and what blocks stay, and it says what was left out.
func Markdown(w io.Writer, p *plan.Plan, o Options) error {
	d, err := o.prepare(p)
	if err != nil {
		return err
	}
	out := ""
	for _, at := range detail {
		m := &markdown{digest: d, most: at.most, removed: at.removed}
		m.folded = min(folded, at.most+1)
		m.write()
		if out = m.String(); o.MaxBytes == 0 || len(out) <= o.MaxBytes {
			break
		}
	}
	if o.MaxBytes > 0 && len(out) > o.MaxBytes {
		m := &markdown{digest: d, bare: true}
		m.write()
		out = m.String()
	}
	if o.MaxBytes > 0 && len(out) > o.MaxBytes {
		return fmt.Errorf("render: %d bytes are too few for the verdict alone, which takes %d", o.MaxBytes, len(out))
	}
	_, err = io.WriteString(w, out)
	return err
}

// detail is how many entries of each list are written, and of the list of who
// loses what: as many as fit. What is taken away goes last.
var detail = []struct{ most, removed int }{
	{200, 400}, {100, 400}, {50, 400}, {20, 400}, {10, 400}, {5, 400}, {2, 400}, {1, 400}, {0, 400}, {0, 200}, {0, 100}, {0, 50}, {0, 20}, {0, 5},
}

// markdown is a plan being written.
type markdown struct {
	strings.Builder
	*digest

	most    int  // entries of a list
	removed int  // entries of the list of who loses what
	left    int  // entries that were left out
	bare    bool // nothing but the verdict and what is counted
}

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

func (m *markdown) write() {
	m.verdict()
	if m.bare {
		m.line("\n_Everything else is too long to stand here; %s._", m.elsewhere)
		return
	}
	m.access(false)
	m.access(true)
	m.findings()
	m.stages()
	m.objects()
	if m.left > 0 {
		m.line("\n_%s folded away to fit; %s._", entries(m.left), m.elsewhere)
	}
}

// verdict says it all, and what blocks.
func (m *markdown) verdict() {
	kind := map[plan.Verdict]string{plan.Blocked: "CAUTION", plan.Undetermined: "WARNING", plan.NoChanges: "TIP"}[m.p.Verdict]
	if kind == "" {
		kind = "NOTE"
	}
	m.line("> [!%s]", kind)
	m.line("> **%s**", mdText(m.headline()))
	for _, s := range []string{m.against(), m.work(), m.heldText(), m.moved()} {
		if s != "" {
			m.line(">\n> %s", mdText(s))
		}
	}
	if gone := m.removals(); len(gone) > 0 {
		m.line(">\n> **Deletes %s:** %s", schema.Count(len(gone), "object"), m.codes(gone))
	}
	blocking := m.blocking()
	for i, f := range blocking {
		if m.bare && i == 3 {
			m.line("> - and %s more errors", schema.Thousands(len(blocking)-i))
			break
		}
		if i == 0 {
			m.line(">")
		}
		message := f.Message
		if m.bare {
			message = cut(message, 200)
		}
		m.line("> - %s: %s%s", code(f.Rule), mdText(message), m.at(f))
	}
	if owners, of := m.owners(); len(owners) > 0 {
		m.line("\n**Approval asked of:** %s, who own %s", m.peopleCode(owners), m.codes(of))
	}
}

func (m *markdown) heldText() string {
	if m.bare {
		return ""
	}
	return m.held()
}

// owners returns who should approve the changes, and of which objects they are
// the owners: where people are only counted, that is where their names stand.
func (m *markdown) owners() (people, of []string) {
	for _, c := range m.p.Changed {
		if !c.Held && len(c.Owners) > 0 {
			people = append(people, c.Owners...)
			of = append(of, string(c.Address))
		}
	}
	slices.Sort(people)
	slices.Sort(of)
	return slices.Compact(people), slices.Compact(of)
}

// at says where a finding is.
func (m *markdown) at(f plan.Finding) string {
	if f.Range == nil {
		return ""
	}
	return fmt.Sprintf(" (%s)", code(fmt.Sprintf("%s:%d", f.Range.Filename, f.Range.Start.Line)))
}

// access says who loses, or who gains, what.
func (m *markdown) access(up bool) {
	var list []group
	for _, g := range m.groups() {
		if g.up() == up {
			list = append(list, g)
		}
	}
	if len(list) == 0 {
		return
	}
	what, who := "loses", m.p.Summary.MembersLosing
	if up {
		what, who = "gains", m.p.Summary.MembersGaining
	}
	m.line("\n### Who %s what: %s\n", what, schema.CountPeople(who))
	m.line("| | before → after | people | why |\n|---|---|--:|---|")
	sign := map[bool]string{true: "➕", false: "➖"}[up]
	n := max(m.most, 5)
	if !up {
		n = m.removed
	}
	for i, g := range list {
		if i == n {
			m.left += len(list) - i
			people := 0
			for _, rest := range list[i:] {
				people = max(people, rest.count)
			}
			m.line("| %s and %s more | | up to %s | |", sign, schema.Count(len(list)-i, "change"), schema.Thousands(people))
			break
		}
		m.line("| %s %s | %s → %s | %s | %s |", sign, code(g.title), code(g.from), code(g.to), schema.Thousands(g.count), m.why(g))
	}
}

// why gives the reasons of a group of changes.
func (m *markdown) why(g group) string {
	if m.most == 0 {
		m.left += len(g.why)
		return ""
	}
	var parts []string
	for _, c := range g.why {
		parts = append(parts, fmt.Sprintf("%s: %s", m.peopleCode(c.members), mdText(c.why)))
	}
	if g.more > 0 {
		parts = append(parts, fmt.Sprintf("and %s for other reasons", schema.CountPeople(g.more)))
	}
	return strings.Join(parts, "<br>")
}

// peopleCode shows a few people and counts the rest.
func (m *markdown) peopleCode(list []string) string {
	if m.counts || m.folded <= 1 {
		return schema.CountPeople(len(list))
	}
	return m.codes(list)
}

// codes shows a few names and counts the rest.
func (m *markdown) codes(list []string) string {
	shown, rest := list, ""
	if len(list) > m.folded {
		shown = list[:max(m.folded-1, 1)]
		rest = fmt.Sprintf(" and %s more", schema.Thousands(len(list)-len(shown)))
	}
	out := make([]string, len(shown))
	for i, s := range shown {
		out[i] = code(s)
	}
	return strings.Join(out, ", ") + rest
}

// open begins a fold.
func (m *markdown) open(summary string) { m.line("\n<details><summary>%s</summary>\n", summary) }

func (m *markdown) close() { m.line("\n</details>") }

func (m *markdown) findings() {
	for _, sev := range []plan.Severity{plan.Error, plan.Warning, plan.Info} {
		var list []plan.Finding
		for _, f := range m.p.Findings {
			if f.Severity == sev {
				list = append(list, f)
			}
		}
		if len(list) == 0 {
			continue
		}
		if sev == plan.Info {
			m.open(fmt.Sprintf("%s for information", schema.Count(len(list), "finding")))
		} else {
			m.line("\n### %s\n", schema.Count(len(list), string(sev)))
		}
		for i, f := range list {
			if i >= m.most {
				m.left += len(list) - i
				m.line("- and %s more", schema.Thousands(len(list)-i))
				break
			}
			m.finding(f)
		}
		if sev == plan.Info {
			m.close()
		}
	}
	if len(m.p.Unread) == 0 {
		return
	}
	m.open(schema.Count(len(m.p.Unread), "thing") + " that could not be read")
	for i, u := range m.p.Unread {
		if i >= m.most {
			m.left += len(m.p.Unread) - i
			m.line("- and %s more", schema.Thousands(len(m.p.Unread)-i))
			break
		}
		m.line("- %s: %s; affects %s", mdText(u.What), mdText(u.Why), mdText(u.Affects))
	}
	m.close()
}

func (m *markdown) finding(f plan.Finding) {
	accepted := ""
	if f.Accepted {
		accepted = " _(accepted)_"
	}
	m.line("- %s%s: %s%s", code(f.Rule), accepted, mdText(f.Message), m.at(f))
	if len(f.Members) > 0 && !strings.Contains(f.Message, f.Members[0]) {
		m.line("  <br>%s", m.peopleCode(f.Members))
	}
	if f.Fix != "" {
		m.line("  <br>To fix: %s", mdText(f.Fix))
	}
}

func (m *markdown) stages() {
	if len(m.p.Stages) == 0 {
		return
	}
	m.open(fmt.Sprintf("Steps: %s, %s", schema.Count(len(m.p.Stages), "stage"), m.order()))
	m.line("| | stage | what | then wait |\n|--:|---|---|---|")
	n := 0
	for _, st := range m.p.Stages {
		number, wait := "·", ""
		if st.Held {
			wait = "held: " + mdText(st.HeldWhy)
		} else {
			n++
			number = fmt.Sprint(n)
			if st.SettleSeconds > 0 {
				wait = duration(st.SettleSeconds)
			}
		}
		m.line("| %s | %s | %s | %s |", number, mdText(phase(st)), kinds(st), wait)
	}
	m.close()
	m.checklist()
	m.requests()
}

// checklist is what people have to do by hand, to be ticked off.
func (m *markdown) checklist() {
	var list []plan.StepView
	for _, st := range m.p.Stages {
		for _, s := range st.Steps {
			if s.Via == schema.ByConsole && !st.Held {
				list = append(list, s)
			}
		}
	}
	if len(list) == 0 {
		return
	}
	m.open(schema.Count(len(list), "console step") + " to do by hand")
	m.boxes(list)
	m.close()
}

// requests is what the API is asked for.
func (m *markdown) requests() {
	n := m.p.Summary.Requests
	if n == 0 {
		return
	}
	m.open(schema.Count(n, "request"))
	shown := 0
	for _, st := range m.p.Stages {
		for _, s := range st.Steps {
			if s.Via != schema.ByAPI || st.Held {
				continue
			}
			if shown++; shown <= min(m.most, 50) {
				m.line("- %s", mdText(s.Action))
			}
		}
	}
	if rest := shown - min(m.most, 50); rest > 0 {
		m.left += rest
		m.line("- and %s more", schema.Thousands(rest))
	}
	m.close()
}

func (m *markdown) objects() {
	if len(m.p.Changed) == 0 {
		return
	}
	m.open(mdText(m.total()))
	for _, k := range m.kindsOfChange() {
		for i, c := range k.list {
			if i >= m.most {
				m.left += len(k.list) - i
				m.line("- and %s more: %s %s", schema.Thousands(len(k.list)-i), mdText(k.typ), k.action)
				break
			}
			held := ""
			if c.Held {
				held = " _(held)_"
			}
			m.line("- %s %s: %s%s", code(sign(c.Action)), code(string(c.Address)), mdText(m.fields(c)), held)
			for _, diff := range m.diffs(c) {
				m.diff(diff)
			}
		}
	}
	m.close()
}

// diff writes a line diff inside a list item, in a fence that is longer than
// any in it.
func (m *markdown) diff(diff textDiff) {
	fence := "```"
	lines := diff.lines
	if n := max(m.most, 5) * 4; len(lines) > n {
		m.left += len(lines) - n
		lines = append(slices.Clone(lines[:n]), fmt.Sprintf(" … %s more", schema.Count(len(lines)-n, "line")))
	}
	for _, l := range lines {
		for strings.Contains(l, fence) {
			fence += "`"
		}
	}
	m.line("\n  %s\n\n  %sdiff", code(diff.attr), fence)
	for _, l := range lines {
		m.line("  %s", l)
	}
	m.line("  %s\n", fence)
}

// cut shortens a text to n bytes, more or less, between letters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}

func entries(n int) string {
	if n == 1 {
		return "1 entry was"
	}
	return schema.Thousands(n) + " entries were"
}
