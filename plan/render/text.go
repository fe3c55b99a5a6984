// Package render writes plans for people. It decides nothing: what a plan says
// is in the plan.
package render

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

// A Style colors pieces of text; the zero Style leaves them plain.
type Style struct {
	Bold, Loss, Gain, Warn, Error, Dim func(string) string
}

func (s Style) fill() Style {
	plain := func(t string) string { return t }
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
	p *plan.Plan
}

// Text writes p for a terminal: the verdict, who loses and who gains what and
// why, what the checks found, the steps in their order, and what changes
// object by object.
func Text(w io.Writer, p *plan.Plan, style Style) error {
	t := &text{Style: style.fill(), p: p}
	t.verdict()
	t.access()
	t.findings()
	t.stages()
	t.changes()
	_, err := io.WriteString(w, t.String())
	return err
}

func (t *text) line(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

func (t *text) head(s string) { t.line("\n%s", t.Bold(s)) }

// verdict is the one line that says it all, and what limits it.
func (t *text) verdict() {
	p, s := t.p, t.p.Summary
	name := schema.Printable(p.Organization)
	switch p.Verdict {
	case plan.NoChanges:
		t.line("%s", t.Bold(fmt.Sprintf("No changes. %s is as described: %s.", name, schema.Count(p.Members, "member"))))
		if s.HeldSteps > 0 {
			t.line("%s held back by closed waves.", schema.Count(s.HeldSteps, "step"))
		}
	case plan.Blocked:
		t.line("%s", t.Error(fmt.Sprintf("Blocked: %s. %s", schema.Count(t.blocking(), "error"), t.effect())))
	case plan.Undetermined:
		t.line("%s", t.Warn(fmt.Sprintf("Undetermined: something the configuration asks about could not be read. %s", t.effect())))
	default:
		t.line("%s", t.Bold(t.effect()))
	}
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
		t.line("%s", t.Dim(fmt.Sprintf("  not read: %s (%s); affects %s", schema.Printable(u.What), schema.Printable(u.Why), schema.Printable(u.Affects))))
	}
	if left > 0 {
		t.line("%s", t.Dim(fmt.Sprintf("  and %s more that could not be read; --format json lists them", schema.Thousands(left))))
	}
}

func (t *text) blocking() int {
	n := 0
	for _, f := range t.p.Findings {
		if f.Severity == plan.Error && !f.Accepted {
			n++
		}
	}
	return n
}

func (t *text) effect() string {
	s := t.p.Summary
	who := fmt.Sprintf("%s: of %s, %s and %s something", schema.Printable(t.p.Organization), schema.Count(t.p.Members, "member"),
		verb(s.MembersGaining, "gains", "gain"), verb(s.MembersLosing, "loses", "lose"))
	if s.MembersGaining+s.MembersLosing == 0 {
		who = fmt.Sprintf("%s: the access of %s stays as it is", schema.Printable(t.p.Organization), schema.Count(t.p.Members, "member"))
	}
	return fmt.Sprintf("%s. %s in %s, about %s.", who, schema.Count(s.Steps, "step"), schema.Count(s.Stages, "stage"), duration(s.Seconds))
}

func verb(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%s %s", schema.Thousands(n), many)
}

// access says who loses and who gains what.
func (t *text) access() {
	losses, gains := false, false
	for _, g := range t.groups() {
		up := g.direction == "gain" || g.direction == "raise"
		if !up && !losses {
			t.head("Who loses what")
			losses = true
		}
		if up && !gains {
			t.head("Who gains what")
			gains = true
		}
		sign, paint := "-", t.Loss
		if up {
			sign, paint = "+", t.Gain
		}
		t.line("  %s %s", paint(sign), paint(fmt.Sprintf("%s: %s → %s, %s", g.title, g.from, g.to, schema.CountPeople(g.count))))
		for _, b := range g.why {
			t.line("      %s", t.Dim(fmt.Sprintf("%s: %s", names(b.members), schema.Printable(b.why))))
		}
		if g.more > 0 {
			t.line("      %s", t.Dim(fmt.Sprintf("and %s for other reasons", schema.CountPeople(g.more))))
		}
	}
}

// A group is permissions that change in the same way for the same people.
type group struct {
	title, from, to, direction string
	count                      int
	why                        []cause
	more                       int
}

type cause struct {
	why     string
	members []string
}

// reasons is how many different reasons a group shows.
const reasons = 4

// groups joins access changes that differ in nothing but the permission.
func (t *text) groups() []group {
	type key struct{ from, to, direction, members string }
	index := map[key]int{}
	var perms [][]string
	var list []group
	for _, a := range t.p.Access {
		k := key{a.From, a.To, a.Direction, strings.Join(a.Members, "\n")}
		i, ok := index[k]
		if !ok {
			i = len(list)
			index[k] = i
			list = append(list, group{from: a.From, to: a.To, direction: a.Direction, count: a.Count})
			perms = append(perms, nil)
			list[i].why, list[i].more = causes(a.Because)
		}
		perms[i] = append(perms[i], a.Permission)
	}
	tools := map[string]int{} // connector to how many of its tools change for anybody
	seen := map[string]bool{}
	for _, a := range t.p.Access {
		if c, tool := splitConnector(a.Permission); c != "" && tool != "*" && !seen[a.Permission] {
			seen[a.Permission] = true
			tools[c]++
		}
	}
	for i := range list {
		list[i].title = title(perms[i], tools)
	}
	for _, l := range t.p.Limits {
		g := group{title: "spend." + l.Period, from: limit(l.From), to: limit(l.To), direction: l.Direction, count: l.Count}
		g.why, g.more = causes(l.Because)
		list = append(list, g)
	}
	slices.SortStableFunc(list, func(a, b group) int { return rank(a.direction) - rank(b.direction) })
	return list
}

func rank(direction string) int {
	return slices.Index([]string{"loss", "lower", "gain", "raise"}, direction)
}

func limit(s string) string {
	if s == "" {
		return "none"
	}
	return schema.Major(s)
}

// causes groups members by reason, the most frequent first. Where one role
// reaches people through many groups, the role is the reason.
func causes(list []plan.Because) (shown []cause, more int) {
	shown = grouped(list, func(b plan.Because) string { return b.Why })
	if len(shown) > reasons {
		groups := map[schema.Address][]string{}
		for _, b := range list {
			if len(b.Via) == 2 && !slices.Contains(groups[b.Via[1]], string(b.Via[0])) {
				groups[b.Via[1]] = append(groups[b.Via[1]], string(b.Via[0]))
			}
		}
		shown = grouped(list, func(b plan.Because) string {
			if len(b.Via) != 2 || !strings.HasPrefix(b.Why, "through ") {
				return b.Why
			}
			return fmt.Sprintf("through %s, in %s", b.Via[1], names(groups[b.Via[1]]))
		})
	}
	if len(shown) > reasons {
		for _, c := range shown[reasons:] {
			more += len(c.members)
		}
		shown = shown[:reasons]
	}
	return shown, more
}

// grouped groups members by a text, the most frequent first.
func grouped(list []plan.Because, text func(plan.Because) string) []cause {
	by := map[string][]string{}
	for _, b := range list {
		why := text(b)
		by[why] = append(by[why], b.Member)
	}
	var causes []cause
	for _, why := range slices.Sorted(maps.Keys(by)) {
		causes = append(causes, cause{why, by[why]})
	}
	slices.SortStableFunc(causes, func(a, b cause) int { return len(b.members) - len(a.members) })
	return causes
}

// title names permissions: what stands for everything that is not named yet in
// words, the tools of one connector together. tools is how many there are of
// each.
func title(perms []string, tools map[string]int) string {
	named := map[string]int{} // connector to how many of its tools
	whole := map[string]bool{}
	var rest []string
	for _, p := range perms {
		switch connector, tool := splitConnector(p); {
		case p == "connector.*":
			rest = append(rest, "any connector added later")
		case strings.HasSuffix(p, ".*") && connector == "":
			rest = append(rest, "any "+strings.TrimSuffix(p, ".*")+" added later")
		case strings.Contains(p, ".*") && connector == "":
			rest = append(rest, "any "+p[:strings.Index(p, ".*")]+" in preview")
		case connector == "":
			rest = append(rest, p)
		case tool == "*":
			whole[connector] = true
		default:
			named[connector]++
		}
	}
	connectors := map[string]bool{}
	maps.Copy(connectors, whole)
	for c := range named {
		connectors[c] = true
	}
	for _, c := range slices.Sorted(maps.Keys(connectors)) {
		switch {
		case whole[c] && named[c] < tools[c]:
			rest = append(rest, c+" (other tools)")
		case whole[c]:
			rest = append(rest, c)
		case named[c] > folded:
			rest = append(rest, fmt.Sprintf("%s (%d tools)", c, named[c]))
		default:
			for _, p := range perms {
				if of, _ := splitConnector(p); of == c {
					rest = append(rest, p)
				}
			}
		}
	}
	if len(rest) > 2*folded {
		return fmt.Sprintf("%s and %d more", printable(rest[:folded]), len(rest)-folded)
	}
	return printable(rest)
}

// splitConnector splits the key of a tool.
func splitConnector(perm string) (connector, tool string) {
	parts := strings.SplitN(perm, ".", 3)
	if parts[0] != "connector" || len(parts) < 3 {
		return "", ""
	}
	return parts[0] + "." + parts[1], parts[2]
}

func printable(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = schema.Printable(s)
	}
	return strings.Join(out, ", ")
}

// names shows a few people and counts the rest.
func names(list []string) string {
	if len(list) <= folded {
		return printable(list)
	}
	return fmt.Sprintf("%s and %s more", printable(list[:folded-1]), schema.Thousands(len(list)-folded+1))
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
		t.line("  %s %s%s", paint(string(f.Severity)+" "+f.Rule+":"), schema.Printable(f.Message), accepted)
		if len(f.Members) > 0 && !strings.Contains(f.Message, f.Members[0]) {
			t.line("      %s", t.Dim(names(f.Members)))
		}
		if f.Range != nil {
			t.line("      %s", t.Dim(fmt.Sprintf("%s:%d:%d", schema.Printable(f.Range.Filename), f.Range.Start.Line, f.Range.Start.Column)))
		}
		if f.Fix != "" {
			t.line("      %s", t.Dim("to fix: "+schema.Printable(f.Fix)))
		}
	}
}

func (t *text) stages() {
	if len(t.p.Stages) == 0 {
		return
	}
	t.head("Steps, in an order in which nobody has too much or too little at any moment")
	n := 0
	for _, st := range t.p.Stages {
		phase := schema.Printable(st.Phase)
		if st.Wave != "" {
			phase += ", wave " + schema.Printable(st.Wave)
		}
		if st.Held {
			t.line("  %s %s: %s, held: %s", t.Dim("·"), phase, schema.Count(len(st.Steps), "step"), schema.Printable(st.HeldWhy))
			continue
		}
		n++
		t.line("  %d. %s: %s", n, t.Bold(phase), t.kinds(st))
		t.steps(st)
		if st.SettleSeconds > 0 {
			t.line("     %s", t.Dim(fmt.Sprintf("then wait %s until it is in force everywhere", duration(st.SettleSeconds))))
		}
	}
}

// kinds counts the steps of a stage by who does them.
func (t *text) kinds(st plan.Stage) string {
	console := 0
	for _, s := range st.Steps {
		if s.Via == schema.ByConsole {
			console++
		}
	}
	var parts []string
	if api := len(st.Steps) - console; api > 0 {
		parts = append(parts, schema.Count(api, "request"))
	}
	if console > 0 {
		parts = append(parts, schema.Count(console, "console step"))
	}
	return strings.Join(parts, " and ")
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
		t.line("     %s%s", schema.Printable(s.Action), mark)
	}
	if left > 0 {
		t.line("     %s", t.Dim(fmt.Sprintf("and %s more like these", schema.Thousands(left))))
	}
}

func (t *text) changes() {
	if len(t.p.Changed) == 0 {
		return
	}
	t.head("Objects")
	byType := map[string][]plan.Change{}
	var order []string
	for _, c := range t.p.Changed {
		k := c.Address.Type() + " " + string(c.Action)
		if byType[k] == nil {
			order = append(order, k)
		}
		byType[k] = append(byType[k], c)
	}
	for _, k := range order {
		list := byType[k]
		if list[0].Action == schema.Update && len(list) > 10 && list[0].Address.Type() == "member" {
			t.line("  ~ %s", schema.Count(len(list), "member")+" updated: "+fields(list[0]))
			continue
		}
		for i, c := range list {
			if i == 12 {
				t.line("    %s", t.Dim(fmt.Sprintf("and %s more: %s", schema.Thousands(len(list)-i), k)))
				break
			}
			t.change(c)
		}
	}
	t.line("\n%s", t.total())
}

func (t *text) change(c plan.Change) {
	sign := map[schema.Action]string{schema.Create: "+", schema.Update: "~", schema.Delete: "-", schema.Rename: "~"}[c.Action]
	paint := map[schema.Action]func(string) string{schema.Create: t.Gain, schema.Delete: t.Loss}[c.Action]
	if paint == nil {
		paint = func(s string) string { return s }
	}
	held := ""
	if c.Held {
		held = " (held)"
	}
	if len(c.Owners) > 0 {
		held += t.Dim(" (approval of " + names(c.Owners) + ")")
	}
	t.line("  %s%s", paint(fmt.Sprintf("%s %s: %s", sign, schema.Printable(string(c.Address)), fields(c))), held)
}

// fields says in one line what differs.
func fields(c plan.Change) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.After)) {
		before, after := c.Before[name], c.After[name]
		switch {
		case after.Kind() == schema.KindSet:
			parts = append(parts, name+" "+setChange(before, after))
		case c.Action == schema.Create && after.Kind() == schema.KindMap && len(after.AsMap()) == 0:
		case c.Action == schema.Create:
			parts = append(parts, name+" = "+value(name, after))
		default:
			parts = append(parts, fmt.Sprintf("%s %s → %s", name, value(name, before), value(name, after)))
		}
	}
	if c.Action == schema.Delete {
		return "removed"
	}
	return strings.Join(parts, "; ")
}

// value writes a value as people write it: limits in major units.
func value(name string, v schema.Value) string {
	if strings.HasPrefix(name, "spend_limit.") && v.Kind() == schema.KindText {
		return schema.Major(v.AsText())
	}
	return schema.Printable(v.String())
}

func setChange(before, after schema.Value) string {
	var plus, minus []string
	for _, s := range after.AsSet() {
		if !before.Has(s) {
			plus = append(plus, s)
		}
	}
	for _, s := range before.AsSet() {
		if !after.Has(s) {
			minus = append(minus, s)
		}
	}
	var parts []string
	if len(plus) > 0 {
		parts = append(parts, "+"+names(plus))
	}
	if len(minus) > 0 {
		parts = append(parts, "-"+names(minus))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func (t *text) total() string {
	s := t.p.Summary
	parts := []string{fmt.Sprintf("%d to create, %d to update, %d to rename, %d to delete", s.Create, s.Update, s.Rename, s.Delete),
		fmt.Sprintf("%s, %s", schema.Count(s.Requests, "request"), schema.Count(s.ConsoleSteps, "console step"))}
	if s.HeldSteps > 0 {
		parts = append(parts, fmt.Sprintf("%s held", schema.Thousands(s.HeldSteps)))
	}
	return "Plan: " + strings.Join(parts, "; ") + "."
}

// duration writes seconds as people say them.
func duration(seconds int) string {
	switch {
	case seconds < 90:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 90*60:
		return fmt.Sprintf("%d min", (seconds+30)/60)
	}
	return fmt.Sprintf("%.1f h", float64(seconds)/3600)
}
