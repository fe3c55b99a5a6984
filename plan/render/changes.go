package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sergi/go-diff/diffmatchpatch"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

// changesOf is the changes of one kind: what is done to which type of object.
type changesOf struct {
	typ    string
	action schema.Action
	list   []plan.Change
}

// kindsOfChange groups the changes, what is deleted first.
func (d *digest) kindsOfChange() []changesOf {
	var list []changesOf
	for _, c := range d.p.Changed {
		i := slices.IndexFunc(list, func(k changesOf) bool { return k.typ == c.Address.Type() && k.action == c.Action })
		if i < 0 {
			i = len(list)
			list = append(list, changesOf{typ: c.Address.Type(), action: c.Action})
		}
		list[i].list = append(list[i].list, c)
	}
	slices.SortStableFunc(list, func(a, b changesOf) int {
		rank := func(k changesOf) int {
			if k.action == schema.Delete {
				return 0
			}
			return 1
		}
		return rank(a) - rank(b)
	})
	return list
}

func sign(a schema.Action) string {
	return map[schema.Action]string{schema.Create: "+", schema.Update: "~", schema.Delete: "-", schema.Rename: "~"}[a]
}

// fields says in one line what differs.
func (d *digest) fields(c plan.Change) string {
	if c.Action == schema.Delete {
		return "removed"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.After)) {
		before, after := c.Before[name], c.After[name]
		switch {
		case multiline(before) || multiline(after):
			parts = append(parts, name+" (text)")
		case after.Kind() == schema.KindSet:
			parts = append(parts, name+" "+d.setChange(name, before, after))
		case c.Action == schema.Create && after.Kind() == schema.KindMap && len(after.AsMap()) == 0:
		case c.Action == schema.Create:
			parts = append(parts, name+" = "+value(name, after))
		default:
			parts = append(parts, fmt.Sprintf("%s %s → %s", name, value(name, before), value(name, after)))
		}
	}
	return strings.Join(parts, "; ")
}

func multiline(v schema.Value) bool { return strings.Contains(strings.TrimSpace(v.AsText()), "\n") }

// setChange says what a set gains and loses. Sets of members hold people.
func (d *digest) setChange(name string, before, after schema.Value) string {
	show := d.names
	if name == "members" || name == "owners" {
		show = d.people
	}
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
		parts = append(parts, "+"+show(plus))
	}
	if len(minus) > 0 {
		parts = append(parts, "-"+show(minus))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// value writes a value as people write it: limits in major units.
func value(name string, v schema.Value) string {
	if strings.HasSuffix(name, ".monthly") && v.Kind() == schema.KindText { // limits and ceilings
		return schema.Major(v.AsText())
	}
	return schema.Printable(v.String())
}

// A textDiff is how a text of several lines changes.
type textDiff struct {
	attr  string
	lines []string // each with its first byte '+', '-' or ' '
}

// The bounds of a line diff. Comparing takes time that grows with the product
// of what differs, so texts beyond them are shown by their size only.
const (
	maxDiffLines = 2_000
	diffContext  = 2
)

// diffs returns the line diffs of the texts of several lines in c.
func (d *digest) diffs(c plan.Change) []textDiff {
	var list []textDiff
	for _, name := range slices.Sorted(maps.Keys(c.After)) {
		before, after := c.Before[name], c.After[name]
		if multiline(before) || multiline(after) {
			list = append(list, textDiff{name, lineDiff(before.AsText(), after.AsText())})
		}
	}
	return list
}

// lineDiff compares two texts line by line and returns what differs, with a
// little of what is around it.
func lineDiff(before, after string) []string {
	if n, m := strings.Count(before, "\n"), strings.Count(after, "\n"); n > maxDiffLines || m > maxDiffLines {
		return []string{fmt.Sprintf("-%s", schema.Count(n+1, "line")), fmt.Sprintf("+%s", schema.Count(m+1, "line"))}
	}
	dmp := diffmatchpatch.New()
	dmp.DiffTimeout = 0 // else what is shown depends on how fast the machine is
	a, b, table := dmp.DiffLinesToRunes(ended(before), ended(after))
	var lines []string
	for _, part := range dmp.DiffCharsToLines(dmp.DiffMainRunes(a, b, false), table) {
		mark := map[diffmatchpatch.Operation]string{diffmatchpatch.DiffInsert: "+", diffmatchpatch.DiffDelete: "-", diffmatchpatch.DiffEqual: " "}[part.Type]
		for _, l := range strings.Split(strings.TrimSuffix(part.Text, "\n"), "\n") {
			if part.Text != "" {
				lines = append(lines, mark+schema.Printable(l))
			}
		}
	}
	return around(lines)
}

// ended returns s with its last line ended like the others, unless it is empty.
func ended(s string) string {
	if s == "" || strings.HasSuffix(s, "\n") {
		return s
	}
	return s + "\n"
}

// around leaves out what is far from any difference.
func around(lines []string) []string {
	near := make([]bool, len(lines))
	for i, l := range lines {
		if l[0] == ' ' {
			continue
		}
		for k := max(0, i-diffContext); k <= min(len(lines)-1, i+diffContext); k++ {
			near[k] = true
		}
	}
	var out []string
	skipped := 0
	for i, l := range lines {
		if !near[i] {
			skipped++
			continue
		}
		if skipped > 0 {
			out = append(out, fmt.Sprintf(" … %s", schema.Count(skipped, "line")))
			skipped = 0
		}
		out = append(out, l)
	}
	if skipped > 0 {
		out = append(out, fmt.Sprintf(" … %s", schema.Count(skipped, "line")))
	}
	return out
}
