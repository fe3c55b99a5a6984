package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

// fewest is how many items of a list are named where it has to be short.
const fewest = 3

// DriftText writes a drift for a terminal. Everything is named.
func DriftText(w io.Writer, d *plan.Drift, s Style) error {
	s = s.fill()
	var b strings.Builder
	fmt.Fprintln(&b, s.Bold(schema.Printable(driftVerdict(d))))
	for _, o := range d.Objects {
		fmt.Fprintf(&b, "\n%s%s\n", schema.Printable(string(o.Address)), how(o))
		for _, f := range o.Fields {
			for _, line := range driftLines(o, f, len(f.Extra)+len(f.Missing)) {
				fmt.Fprintf(&b, "  %s\n", schema.Printable(line))
			}
		}
		for _, line := range lastLines(o) {
			fmt.Fprintf(&b, "  %s\n", s.Dim(schema.Printable(line)))
		}
	}
	for _, u := range d.Unread {
		fmt.Fprintf(&b, "\nNot read: %s (%s): %s\n", schema.Printable(u.What), schema.Printable(u.Why), schema.Printable(u.Affects))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// DriftMarkdown writes a drift for GitHub in at most max bytes, 0 for no limit;
// it says how many objects were left out.
func DriftMarkdown(w io.Writer, d *plan.Drift, max int) error {
	out := driftMarkdown(d, len(d.Objects), 1<<30)
	for most := len(d.Objects); max > 0 && len(out) > max && most > 0; most /= 2 {
		out = driftMarkdown(d, most, fewest)
	}
	if max > 0 && len(out) > max {
		out = driftMarkdown(d, 0, fewest)
	}
	_, err := io.WriteString(w, out)
	return err
}

func driftMarkdown(d *plan.Drift, most, items int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n", mdText(driftVerdict(d)))
	for i, o := range d.Objects {
		if i >= most {
			fmt.Fprintf(&b, "\nand %s more\n", schema.Count(len(d.Objects)-i, "object"))
			break
		}
		fmt.Fprintf(&b, "\n- %s%s\n", code(string(o.Address)), how(o))
		for _, f := range o.Fields {
			for _, line := range driftLines(o, f, items) {
				fmt.Fprintf(&b, "  - %s\n", mdText(line))
			}
		}
		for _, line := range lastLines(o) {
			fmt.Fprintf(&b, "  - %s\n", mdText(line))
		}
	}
	if n := len(d.Unread); n > 0 {
		fmt.Fprintf(&b, "\n%s that could not be read:\n\n", schema.Count(n, "thing"))
		for i, u := range d.Unread {
			if i >= most+fewest {
				fmt.Fprintf(&b, "- and %s more\n", schema.Thousands(n-i))
				break
			}
			fmt.Fprintf(&b, "- %s: %s; affects %s\n", mdText(u.What), mdText(u.Why), mdText(u.Affects))
		}
	}
	return b.String()
}

func driftVerdict(d *plan.Drift) string {
	text := d.Organization + " is as described."
	if n := len(d.Objects); n > 0 {
		text = fmt.Sprintf("%s differs from what is described: %s.", d.Organization, schema.Count(n, "object"))
	} else if d.Verdict == plan.DriftUnproven {
		text = d.Organization + " shows no difference, but a part that was asked about could not be read."
	}
	if d.HeldSteps > 0 {
		text += fmt.Sprintf(" Held on purpose, and no drift: %s.", schema.Count(d.HeldSteps, "step"))
	}
	return text
}

func how(o plan.Differing) string {
	switch o.How {
	case plan.HowMissing:
		return ": described, and not there"
	case plan.HowExtra:
		return ": to be removed, and there"
	}
	return ""
}

// driftLines says how an attribute differs, with at most so many items named.
func driftLines(o plan.Differing, f plan.Difference, most int) []string {
	if o.How == plan.HowMissing {
		return nil
	}
	var lines []string
	list := func(what string, items []string) {
		if len(items) == 0 {
			return
		}
		text := strings.Join(items[:min(most, len(items))], ", ")
		if left := len(items) - most; left > 0 {
			text += fmt.Sprintf(" and %s more", schema.Thousands(left))
		}
		lines = append(lines, fmt.Sprintf("%s: %s %s", f.Attr, what, text))
	}
	list("live has, and is not described:", f.Extra)
	list("described, and live lacks:", f.Missing)
	if lines == nil {
		lines = append(lines, fmt.Sprintf("%s: live is %s, described is %s", f.Attr, f.Live, f.Described))
	}
	return lines
}

// lastLines says who changed an object last, and who applied it.
func lastLines(o plan.Differing) []string {
	var lines []string
	if c := o.Changed; c != nil {
		lines = append(lines, fmt.Sprintf("last changed %s by %s (%s)", c.At.Format(time.RFC3339), c.By, c.What))
	}
	if c := o.Applied; c != nil {
		at := ""
		if c.Commit != "" {
			at = ", commit " + c.Commit[:min(len(c.Commit), 12)]
		}
		lines = append(lines, fmt.Sprintf("last applied %s by %s (%s%s)", c.At.Format(time.RFC3339), c.By, c.What, at))
	}
	return lines
}
