package render

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

//go:embed report.html.tmpl
var reportText string

var report = template.Must(template.New("report").Parse(reportText))

// The bounds of what one page holds. What is beyond them is counted.
const (
	htmlPeople  = 1_500 // names under one reason
	htmlSteps   = 4_000 // steps of one stage
	htmlObjects = 1_000 // objects of one kind
	htmlColumns = 24    // of the access matrix
	htmlRows    = 60
)

// A page is what the template shows. Everything in it was made fit for one line
// by schema.Printable; the template escapes it for HTML.
type page struct {
	Title, Verdict, Headline, Work, Held, Against string
	Organization, System, Created                 string
	Tiles                                         []tile
	Removals                                      []string
	Blocking                                      []findingView
	Losses, Gains                                 []accessView
	Matrix                                        matrix
	Graph                                         graph
	Order                                         string // in which the stages are
	Stages                                        []stageView
	Unread                                        []schema.Unread
	Findings                                      []findingView
	Guards                                        []plan.GuardResult
	Objects                                       []objectsView
	Total                                         string
}

type tile struct{ Value, Label, Class string }

type findingView struct {
	Rule, Severity, Message, Place, Quote, Fix string
	Accepted                                   bool
	Who                                        string
}

type accessView struct {
	Title, From, To, Count string
	Reasons                []reasonView
	More                   string
}

type reasonView struct {
	Why, Count string
	People     []string
	Left       string
}

type stageView struct {
	Number, Phase, Kinds, Time, Wait, HeldWhy string
	Held, Console                             bool
	Bar                                       int // of the time of the longest stage, in percent
	Steps                                     []stepView
	Left                                      string
}

type stepView struct {
	Action, Direction, Proof, Where, By string
	Console                             bool
	Do                                  []string
}

type objectsView struct {
	Title   string
	Objects []objectView
	Left    string
}

type objectView struct {
	Sign, Address, Fields, Owners string
	Held                          bool
	Diffs                         []diffView
}

type diffView struct {
	Attr  string
	Lines []diffLine
}

type diffLine struct{ Class, Text string }

// HTML writes p as one page that needs nothing else: no script, no font, no
// image from anywhere.
func HTML(w io.Writer, p *plan.Plan, o Options) error {
	d, err := o.prepare(p)
	if err != nil {
		return err
	}
	return report.Execute(w, d.page())
}

func (d *digest) page() page {
	p, s := d.p, d.p.Summary
	out := page{
		Title: "Plan of " + schema.Printable(p.Organization), Verdict: string(p.Verdict), Headline: d.headline(), Work: d.work(), Held: strings.TrimSpace(d.held() + " " + d.moved()), Against: d.against(),
		Organization: schema.Printable(p.Organization), System: schema.Printable(p.SystemName), Created: p.CreatedAt,
		Tiles: []tile{
			{schema.Thousands(s.MembersLosing), "lose something", "loss"},
			{schema.Thousands(s.MembersGaining), "gain something", "gain"},
			{schema.Thousands(s.Steps), "steps in " + schema.Count(s.Stages, "stage"), ""},
			{schema.Thousands(s.Requests), "requests, about " + duration(s.Seconds-s.SettleSeconds), ""},
			{duration(s.SettleSeconds), "of waiting for changes", ""},
			{schema.Thousands(s.ConsoleSteps), "console steps by hand", ""},
		},
		Guards: slices.Clone(p.Guards), Matrix: d.matrix(), Graph: d.graph(), Total: d.total(),
	}
	for _, r := range d.removals() {
		out.Removals = append(out.Removals, schema.Printable(r))
	}
	for _, f := range d.blocking() {
		out.Blocking = append(out.Blocking, d.findingView(f))
	}
	for _, f := range p.Findings {
		out.Findings = append(out.Findings, d.findingView(f))
	}
	for _, u := range p.Unread {
		out.Unread = append(out.Unread, schema.Unread{What: schema.Printable(u.What), Why: schema.Printable(u.Why), Affects: schema.Printable(u.Affects)})
	}
	for i := range out.Guards {
		out.Guards[i].Value, out.Guards[i].Limit = schema.Printable(out.Guards[i].Value), schema.Printable(out.Guards[i].Limit)
	}
	for _, g := range d.groups() {
		if v := d.accessView(g); g.up() {
			out.Gains = append(out.Gains, v)
		} else {
			out.Losses = append(out.Losses, v)
		}
	}
	out.Stages, out.Order = d.stageViews(), d.order()
	out.Objects = d.objectViews()
	return out
}

func (d *digest) findingView(f plan.Finding) findingView {
	v := findingView{Rule: f.Rule, Severity: string(f.Severity), Message: schema.Printable(f.Message), Fix: schema.Printable(f.Fix), Accepted: f.Accepted}
	if len(f.Members) > 0 && !strings.Contains(f.Message, f.Members[0]) {
		v.Who = d.people(f.Members)
	}
	if f.Range != nil {
		v.Place, v.Quote = place(f.Range), schema.Printable(strings.TrimSpace(f.Range.Text))
	}
	return v
}

func (d *digest) accessView(g group) accessView {
	v := accessView{Title: g.title, From: schema.Printable(g.from), To: schema.Printable(g.to), Count: schema.CountPeople(g.count)}
	for _, c := range g.why {
		r := reasonView{Why: schema.Printable(c.why), Count: schema.CountPeople(len(c.members))}
		if !d.counts {
			r.People, r.Left = shown(c.members, htmlPeople, schema.Printable)
		}
		v.Reasons = append(v.Reasons, r)
	}
	if g.more > 0 {
		v.More = fmt.Sprintf("and %s for other reasons", schema.CountPeople(g.more))
	}
	return v
}

// shown returns at most n entries, and a sentence about the rest.
func shown[T, V any](list []T, n int, view func(T) V) (out []V, left string) {
	for i, x := range list {
		if i == n {
			return out, fmt.Sprintf("and %s more", schema.Thousands(len(list)-n))
		}
		out = append(out, view(x))
	}
	return out, ""
}

func (d *digest) stageViews() []stageView {
	longest := 1
	for _, st := range d.p.Stages {
		longest = max(longest, st.Seconds+st.SettleSeconds)
	}
	var list []stageView
	n := 0
	for _, st := range d.p.Stages {
		v := stageView{Phase: phase(st), Kinds: kinds(st), Held: st.Held, HeldWhy: schema.Printable(st.HeldWhy)}
		if !st.Held {
			n++
			v.Number = fmt.Sprint(n)
			v.Bar = (st.Seconds*100 + longest - 1) / longest
			if st.Requests > 0 {
				v.Time = "about " + duration(st.Seconds)
			}
			if st.SettleSeconds > 0 {
				v.Wait = fmt.Sprintf("then wait %s until it is in force everywhere", duration(st.SettleSeconds))
			}
		}
		v.Steps, v.Left = shown(st.Steps, htmlSteps, func(s plan.StepView) stepView {
			out := stepView{Action: schema.Printable(s.Action), Direction: s.Direction, Proof: string(s.Proof)}
			if s.Via == schema.ByConsole {
				out.Console, v.Console = true, true
			}
			if s.Console != nil {
				out.Where, out.By = schema.Printable(s.Console.Where), schema.Printable(s.Console.By)
				for _, do := range s.Console.Do {
					out.Do = append(out.Do, schema.Printable(do))
				}
			}
			return out
		})
		list = append(list, v)
	}
	return list
}

func (d *digest) objectViews() []objectsView {
	verbs := map[schema.Action]string{schema.Create: "created", schema.Update: "updated", schema.Delete: "deleted", schema.Rename: "renamed"}
	var list []objectsView
	for _, k := range d.kindsOfChange() {
		v := objectsView{Title: fmt.Sprintf("%s %s", schema.Count(len(k.list), k.typ), verbs[k.action])}
		v.Objects, v.Left = shown(k.list, htmlObjects, func(c plan.Change) objectView {
			o := objectView{Sign: sign(c.Action), Address: schema.Printable(string(c.Address)), Fields: d.fields(c), Held: c.Held}
			if len(c.Owners) > 0 {
				o.Owners = d.people(c.Owners)
			}
			for _, diff := range d.diffs(c) {
				dv := diffView{Attr: diff.attr}
				for _, l := range diff.lines {
					dv.Lines = append(dv.Lines, diffLine{map[byte]string{'+': "gain", '-': "loss"}[l[0]], l})
				}
				o.Diffs = append(o.Diffs, dv)
			}
			return o
		})
		list = append(list, v)
	}
	return list
}

// A cluster is groups that have the same roles and give the same: a row of the
// matrix and a node of the graph.
type cluster struct {
	plan.GroupView
	groups []schema.Address
	before int // memberships
	after  int
}

// clusters joins groups that nothing tells apart but their names and members.
func (d *digest) clusters() []cluster {
	index := map[string]int{}
	var list []cluster
	for _, g := range d.p.Groups {
		key := fmt.Sprint(g.RolesBefore, g.RolesAfter, g.Before, g.After) // maps are printed in order
		i, ok := index[key]
		if !ok {
			i = len(list)
			index[key] = i
			list = append(list, cluster{GroupView: g})
		}
		list[i].groups = append(list[i].groups, g.Address)
		list[i].before += g.MembersBefore
		list[i].after += g.MembersAfter
	}
	slices.SortStableFunc(list, func(a, b cluster) int { return max(b.before, b.after) - max(a.before, a.after) })
	return list
}

// label names a cluster: by the group, or by what the addresses have in common.
func (c cluster) label() string {
	if len(c.groups) == 1 {
		return schema.Printable(string(c.groups[0]))
	}
	stem, _, _ := strings.Cut(string(c.groups[0]), "[")
	for _, g := range c.groups {
		if s, _, ok := strings.Cut(string(g), "["); !ok || s != stem || stem == "group" {
			return fmt.Sprintf("%s and %d more", schema.Printable(string(c.groups[0])), len(c.groups)-1)
		}
	}
	return fmt.Sprintf("%s (%d groups)", schema.Printable(stem), len(c.groups))
}

// A matrix is what the groups give, before and after.
type matrix struct {
	Columns []column
	Rows    []matrixRow
	Left    string
	Levels  []string // the levels that occur, for the legend
}

type column struct {
	Lines []string // what it is about
	perms []string
}

type matrixRow struct {
	Name, Members string
	Groups        []string // where there is more than one
	Cells         []cell
}

type cell struct{ Before, After, Class, Mark, Says string }

func (d *digest) matrix() matrix {
	clusters := d.clusters()
	var m matrix
	m.Columns = d.columns(clusters)
	levels := map[string]bool{}
	for _, c := range clusters {
		if len(c.Before)+len(c.After) == 0 && len(c.RolesBefore)+len(c.RolesAfter) == 0 {
			continue
		}
		if len(m.Rows) == htmlRows {
			m.Left = fmt.Sprintf("and %s more", schema.Count(len(clusters)-htmlRows, "kind")+" of groups")
			break
		}
		r := matrixRow{Name: c.label(), Members: moved(c.before, c.after)}
		if len(c.groups) > 1 {
			r.Groups, _ = shown(c.groups, htmlPeople, func(a schema.Address) string { return schema.Printable(string(a)) })
		}
		for _, col := range m.Columns {
			x := cellOf(c.Before[col.perms[0]], c.After[col.perms[0]])
			levels[x.Before], levels[x.After] = true, true
			r.Cells = append(r.Cells, x)
		}
		m.Rows = append(m.Rows, r)
	}
	for _, l := range slices.Sorted(maps.Keys(levels)) {
		if l != "" {
			m.Levels = append(m.Levels, l)
		}
	}
	return m
}

// moved writes a number before and after.
func moved(before, after int) string {
	if before == after {
		return schema.Thousands(after)
	}
	return schema.Thousands(before) + " → " + schema.Thousands(after)
}

func cellOf(before, after string) cell {
	c := cell{Before: before, After: after}
	name := func(l string) string {
		if l == "" {
			return "–"
		}
		return schema.Printable(l)
	}
	switch {
	case before == after && after == "":
		c.Class, c.Says = "none", "nothing"
	case before == after:
		c.Class, c.Mark, c.Says = "same", name(after), "unchanged: "+name(after)
	case after == "":
		c.Class, c.Mark, c.Says = "loss", "− "+name(before), "taken away: "+name(before)
	case before == "":
		c.Class, c.Mark, c.Says = "gain", "+ "+name(after), "new: "+name(after)
	default:
		c.Class, c.Mark, c.Says = "changed", name(before)+" → "+name(after), "from "+name(before)+" to "+name(after)
	}
	return c
}

// columns returns the permissions that any group gives; those that every group
// gives alike share a column.
func (d *digest) columns(clusters []cluster) []column {
	perms := map[string]bool{}
	for _, c := range clusters {
		for _, m := range []map[string]string{c.Before, c.After} {
			for p := range m {
				perms[p] = true
			}
		}
	}
	index := map[string]int{}
	var list []column
	for _, p := range slices.Sorted(maps.Keys(perms)) {
		key := ""
		for _, c := range clusters {
			key += c.Before[p] + ">" + c.After[p] + ";"
		}
		i, ok := index[key]
		if !ok {
			i = len(list)
			index[key] = i
			list = append(list, column{})
		}
		list[i].perms = append(list[i].perms, p)
	}
	changes := func(c column) bool {
		return slices.ContainsFunc(clusters, func(k cluster) bool { return k.Before[c.perms[0]] != k.After[c.perms[0]] })
	}
	if len(list) > htmlColumns { // what changes is what one looks for
		slices.SortStableFunc(list, func(a, b column) int {
			return map[bool]int{true: 0, false: 1}[changes(a)] - map[bool]int{true: 0, false: 1}[changes(b)]
		})
		list = list[:htmlColumns]
	}
	tools := map[string]int{}
	for p := range perms {
		if c, tool := splitConnector(p); c != "" && tool != "*" {
			tools[c]++
		}
	}
	for i := range list {
		list[i].Lines = strings.Split(title(list[i].perms, tools), ", ")
	}
	return list
}
