package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

func accessCommand(s streams) *cli.Command {
	formats := []string{"text", "csv", "json", "html"}
	return &cli.Command{
		Name: "access", Usage: "show which group gives what, or compare two configurations", ArgsUsage: "[diff OLD NEW]",
		UsageText: "rolecall access [diff OLD NEW] [options]\n\n   rolecall access -C examples/acme\n   rolecall access --member elif@acme.com --permission connector.jira -C examples/acme\n   rolecall access --format csv -C examples/acme\n   rolecall access diff examples/acme examples/acme",
		Description: "A matrix of groups by permissions: what somebody has who is in that group and in no other, under the\n" +
			"organization's ceilings. With --member a row for each member, with what is in force for them.\n\n" +
			"access diff compares two configurations, or a snapshot and a configuration, for everybody: that they are\n" +
			"equal, or the smallest counterexample (exit status 2). OLD and NEW are directories or snapshot files.",
		Flags: append(questionFlags(formats...),
			&cli.StringSliceFlag{Name: "member", Usage: "show what the member with this `EMAIL` has; may be repeated"},
			&cli.StringSliceFlag{Name: "group", Usage: "show only this `GROUP`, by name or address; may be repeated"},
			&cli.StringSliceFlag{Name: "permission", Usage: "show only this `PERMISSION`; may be repeated"},
		),
		Action: func(c *cli.Context) error {
			if c.Args().First() == "diff" {
				return accessDiff(c, s)
			}
			if c.Args().Present() {
				return usage("access takes no argument but diff, and was given %q", c.Args().First())
			}
			if len(c.StringSlice("member")) > 0 && len(c.StringSlice("group")) > 0 {
				return usage("--member asks about people and --group about groups; give one of the two")
			}
			at, err := lookAt(c, s, formats...)
			if err != nil {
				return err
			}
			t, err := at.asked.Table(plan.Selection{Members: c.StringSlice("member"), Groups: c.StringSlice("group"), Permissions: c.StringSlice("permission")})
			if err != nil {
				return err
			}
			if err := writeTable(c, s, t, c.IsSet("permission")); err != nil {
				return err
			}
			for _, row := range t.Rows {
				for _, level := range row.Levels {
					if level == plan.Unknown {
						return status(exitUndetermined)
					}
				}
			}
			return nil
		},
		BashComplete: func(c *cli.Context) {
			if c.NArg() == 0 {
				fmt.Fprintln(s.out, "diff")
			}
		},
	}
}

func writeTable(c *cli.Context, s streams, t *plan.Table, chosen bool) error {
	switch c.String("format") {
	case "json":
		return writeAnswer(c, s, map[string]any{"permissions": t.Permissions, "rows": t.Rows})
	case "csv":
		return tableCSV(s.out, t)
	case "html":
		return tableHTML(s.out, t)
	}
	return tableText(s, t, chosen)
}

// tableCSV writes the whole matrix. A cell that a spreadsheet would take for a
// formula begins with an apostrophe: names come from outside.
func tableCSV(out io.Writer, t *plan.Table) error {
	w := csv.NewWriter(out)
	write := func(cells []string) {
		for i := range cells {
			cells[i] = plainCell(cells[i])
		}
		_ = w.Write(cells) // Error says it
	}
	write(append([]string{"address", "name", "members"}, t.Permissions...))
	for _, r := range t.Rows {
		write(append([]string{string(r.Address), r.Name, strconv.Itoa(r.Members)}, r.Levels...))
	}
	w.Flush()
	return w.Error()
}

// plainCell returns a cell that no spreadsheet evaluates.
func plainCell(cell string) string {
	if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r\n") || strings.HasPrefix(strings.TrimLeft(cell, " "), "=") {
		return "'" + cell
	}
	return cell
}

// tableText writes a table that fits a page: what nobody has by any row is left
// out, and the tools of a connector are one column unless they were asked for.
func tableText(s streams, t *plan.Table, chosen bool) error {
	cols := columnsOf(t, chosen)
	w := table.NewWriter()
	w.SetOutputMirror(s.out)
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	style.Options.DrawBorder, style.Options.SeparateColumns = false, false
	w.SetStyle(style)
	head := table.Row{"", "people"}
	for _, c := range cols {
		head = append(head, c.head)
	}
	w.AppendHeader(head)
	for _, r := range t.Rows {
		row := table.Row{schema.Printable(r.Name), r.Members}
		for _, c := range cols {
			row = append(row, c.cell(r))
		}
		w.AppendRow(row)
	}
	if len(t.Rows) == 0 {
		_, err := fmt.Fprintln(s.out, "There is no group.")
		return err
	}
	w.Render()
	return nil
}

// A column is one permission, or several that are shown as one.
type column struct {
	head string
	of   []int // in Table.Permissions
}

// cell writes the level of a row, or the levels where the column has several.
func (c column) cell(r plan.TableRow) string {
	var seen []string
	for _, i := range c.of {
		level := shortLevel(r.Levels[i])
		if len(seen) == 0 || seen[len(seen)-1] != level {
			seen = append(seen, level)
		}
	}
	distinct := map[string]bool{}
	for _, l := range seen {
		distinct[l] = true
	}
	if len(distinct) > 1 {
		return "mixed"
	}
	return seen[0]
}

// shortLevel shortens the levels that most cells hold.
func shortLevel(level string) string {
	switch level {
	case "", "none", "blocked", "not_available":
		return "·"
	case "allowed":
		return "yes"
	}
	return strings.ReplaceAll(level, "_", " ")
}

func columnsOf(t *plan.Table, chosen bool) []column {
	var cols []column
	index := map[string]int{}
	for i, key := range t.Permissions {
		kind, name, _ := strings.Cut(key, ".")
		head := key
		if !chosen {
			head = name
			if family, _, ok := strings.Cut(name, "."); ok {
				head = family
			}
			switch {
			case strings.HasPrefix(name, "*"):
				head = "new " + kind
			case kind == "spend":
				head = "spend " + name
			case kind == "admin":
				head = "admin"
			}
		}
		at, ok := index[kind+head]
		if !ok {
			at = len(cols)
			index[kind+head] = at
			cols = append(cols, column{head: schema.Printable(head)})
		}
		cols[at].of = append(cols[at].of, i)
	}
	if chosen {
		return cols
	}
	var used []column
	for _, c := range cols {
		any := false
		for _, r := range t.Rows {
			any = any || c.cell(r) != "·"
		}
		if any {
			used = append(used, c)
		}
	}
	return used
}

var pageTemplate = template.Must(template.New("access").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Access</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff }
table { border-collapse: collapse } th, td { padding: .25em .6em; border-bottom: 1px solid #ddd; text-align: left; white-space: nowrap }
thead th { position: sticky; top: 0; background: #fff } tbody th { position: sticky; left: 0; background: #fff; font-weight: 600 }
td.n { text-align: right; color: #666 } td.off { color: #999 } td.unknown { background: #fff3cd } td.on { background: #e6f4ea }
@media (prefers-color-scheme: dark) { body, thead th, tbody th { background: #1b1b1b; color: #ddd } th, td { border-color: #444 } td.on { background: #1d3a27 } td.unknown { background: #4a3d10 } }
</style></head><body><h1>Access</h1>
<p>What somebody has who is in that group and in no other, under the organization's ceilings; with members chosen, what is in force for them.</p>
<table><thead><tr><th></th><th>people</th>{{range .Permissions}}<th>{{.}}</th>{{end}}</tr></thead><tbody>
{{range .Rows}}<tr><th title="{{.Address}}">{{.Name}}</th><td class="n">{{.Members}}</td>{{range .Cells}}<td class="{{.Class}}">{{.Level}}</td>{{end}}</tr>
{{end}}</tbody></table></body></html>
`))

// tableHTML writes one page that needs nothing else.
func tableHTML(out io.Writer, t *plan.Table) error {
	type cell struct{ Class, Level string }
	type row struct {
		plan.TableRow
		Cells []cell
	}
	page := struct {
		Permissions []string
		Rows        []row
	}{Permissions: t.Permissions}
	for _, r := range t.Rows {
		x := row{TableRow: r}
		x.Name = schema.Printable(r.Name)
		for _, level := range r.Levels {
			class := "on"
			switch {
			case level == plan.Unknown:
				class = "unknown"
			case shortLevel(level) == "·":
				class = "off"
			}
			x.Cells = append(x.Cells, cell{class, strings.ReplaceAll(level, "_", " ")})
		}
		page.Rows = append(page.Rows, x)
	}
	return pageTemplate.Execute(out, page)
}

// accessDiff compares two configurations, or a snapshot and a configuration.
func accessDiff(c *cli.Context, s streams) error {
	if _, err := setUp(c, s, "text", "json"); err != nil {
		return err
	}
	if c.NArg() != 3 {
		return usage("access diff takes two directories, or a snapshot and a directory, such as: access diff old/ new/")
	}
	before, after, err := bothSides(c, s, c.Args().Get(1), c.Args().Get(2))
	if err != nil {
		return err
	}
	x := plan.Compare(before, after)
	if err := writeComparison(c, s, x); err != nil {
		return err
	}
	if !x.Equal {
		return status(exitDifferences)
	}
	return nil
}

// bothSides returns the pictures that are compared. The people are those of a
// snapshot (one of the two sides, or --snapshot); else, with --offline or
// without a key, those whom the configurations list; else those of the
// organization that NEW names.
func bothSides(c *cli.Context, s streams, old, new string) (before, after *plan.Picture, err error) {
	oldSnap, newSnap := isFile(old), isFile(new)
	switch {
	case oldSnap && newSnap:
		cfg, err := load(c, s) // whose words describe both
		if err != nil {
			return nil, nil, err
		}
		in := plan.Input{Config: cfg.Config, Description: cfg.description, System: cfg.system}
		other := in
		if in.Live, err = stateOf(c.Context, old, cfg); err != nil {
			return nil, nil, err
		}
		if other.Live, err = stateOf(c.Context, new, cfg); err != nil {
			return nil, nil, err
		}
		return plan.LivePicture(in), plan.LivePicture(other), nil
	case oldSnap || newSnap:
		dir, file := new, old
		if newSnap {
			dir, file = old, new
		}
		cfg, err := loadFrom(c, s, dir)
		if err != nil {
			return nil, nil, err
		}
		in := plan.Input{Config: cfg.Config, Description: cfg.description, System: cfg.system}
		if in.Live, err = stateOf(c.Context, file, cfg); err != nil {
			return nil, nil, err
		}
		live, desired := plan.Pictures(in)
		if newSnap {
			return desired, live, nil
		}
		return live, desired, nil
	}
	a, err := loadFrom(c, s, old)
	if err != nil {
		return nil, nil, err
	}
	b, err := loadFrom(c, s, new)
	if err != nil {
		return nil, nil, err
	}
	if a.System.Name != b.System.Name {
		return nil, nil, fmt.Errorf("%s is for system %q and %s for %q: what they give cannot be compared", old, a.System.Name, new, b.System.Name)
	}
	x := plan.Input{Config: a.Config, Description: a.description, System: a.system}
	y := plan.Input{Config: b.Config, Description: b.description, System: b.system}
	q, err := question(c, s, b)
	if err != nil {
		return nil, nil, err
	}
	x.Live, y.Live = q.Live, q.Live
	if c.Bool("offline") {
		people := plan.ListedBy(a.description, b.description)
		x.Live, y.Live = plan.Population(a.system, a.description, people), plan.Population(b.system, b.description, people)
	}
	before, after = plan.Against(x, y)
	return before, after, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func stateOf(ctx context.Context, path string, cfg *configuration) (*schema.State, error) {
	snap, err := openSnapshot(path, cfg.System.Name)
	if err != nil {
		return nil, err
	}
	return providers.Offline(snap, cfg.system).Reader.Read(ctx)
}

func writeComparison(c *cli.Context, s streams, x *plan.Comparison) error {
	if c.String("format") == "json" {
		return writeAnswer(c, s, map[string]any{"comparison": x})
	}
	w := &lines{w: s.out}
	if x.Equal {
		if c.Bool("offline") {
			w.line("Same access for all %s whom the configurations list.", schema.CountPeople(x.Members))
			return w.err
		}
		w.line("Same access for all %s.", schema.Count(x.Members, "member"))
		return w.err
	}
	w.line("Different for %s of %s.", schema.Thousands(x.Differ), schema.Count(x.Members, "member"))
	w.line("\nThe smallest example is %s and %s.", x.Example.Member, x.Example.Permission)
	w.line("  old: %s.", x.Example.Old.Text)
	w.line("  new: %s.", x.Example.New.Text)
	w.line("\nAll differences:")
	for i, d := range x.Differences {
		if i == 20 && len(x.Differences) > 22 {
			w.line("  … and %d more; --format json has them all", len(x.Differences)-i)
			break
		}
		w.line("  %s: %s → %s for %s", d.Permission, d.Old, d.New, fewPeople(d.Members))
	}
	return w.err
}

// fewPeople names up to three people and counts the rest.
func fewPeople(list []string) string {
	if len(list) > 3 {
		return strings.Join(list[:3], ", ") + fmt.Sprintf(" and %s more", schema.Thousands(len(list)-3))
	}
	return strings.Join(list, ", ")
}
