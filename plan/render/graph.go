package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

// A graph is roles, groups and people in three columns, with lines for what is
// attached and who is in what. Positions are in pixels of its own view.
type graph struct {
	Width, Height int
	Nodes         []node
	Edges         []edge
	Left          []string // what was left out
	Says          string   // the graph in words
}

type node struct {
	X, Y, W, H  int
	Label, Note string
	Full        string // the whole label, where it was cut
	Class       string
}

type edge struct {
	Path, Class, Says string
	Width             int
}

// The measures of a graph, in pixels, and how much of it is drawn.
const (
	nodeWidth   = 250
	nodeHeight  = 44
	nodeGap     = 12
	columnGap   = 150
	labelLen    = 30 // letters of a label
	graphNodes  = 24 // roles and kinds of groups
	graphCrowds = 14
)

// link is a line between two nodes, before the plan and after it.
type link struct {
	from, to      int
	before, after bool
	people        int
}

// graph draws the roles, the groups that have them and the people in the
// groups. Groups that nothing tells apart are one node, and so are people who
// are in the same of these.
func (d *digest) graph() graph {
	clusters, leftGroups := most(d.clusters(), graphNodes)
	roles := rolesOf(clusters)
	of := map[schema.Address]int{}
	for i, c := range clusters {
		for _, g := range c.groups {
			of[g] = i
		}
	}
	crowds, rest := crowdsOf(d.p.Memberships, of)
	g := graph{Width: 3*nodeWidth + 2*columnGap + 2}
	rows := max(len(roles), len(clusters), len(crowds))
	if len(clusters) == 0 {
		return graph{}
	}
	g.Height = rows*(nodeHeight+nodeGap) + nodeGap
	at := func(col, i, n int) (x, y int) { // columns are centered
		top := (g.Height - n*(nodeHeight+nodeGap) + nodeGap) / 2
		return 1 + col*(nodeWidth+columnGap), top + i*(nodeHeight+nodeGap)
	}
	add := func(col, i, n int, label, note, class string) {
		x, y := at(col, i, n)
		g.Nodes = append(g.Nodes, node{X: x, Y: y, W: nodeWidth, H: nodeHeight, Label: shorten(label), Note: note, Full: label, Class: class})
	}
	line := func(col int, l link, n, m int, what string) {
		x1, y1 := at(col, l.from, n)
		x2, y2 := at(col+1, l.to, m)
		x1, y1, y2 = x1+nodeWidth, y1+nodeHeight/2, y2+nodeHeight/2
		mid := (x1 + x2) / 2
		class := map[[2]bool]string{{true, true}: "same", {false, true}: "gain", {true, false}: "loss"}[[2]bool{l.before, l.after}]
		says := map[string]string{"same": "unchanged", "gain": "new", "loss": "taken away"}[class]
		g.Edges = append(g.Edges, edge{Path: fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, mid, y1, mid, y2, x2, y2),
			Class: class, Says: says + ": " + what, Width: thickness(l.people)})
	}
	words := []string{}
	for i, r := range roles {
		add(0, i, len(roles), string(r), "", "role")
	}
	for i, c := range clusters {
		add(1, i, len(clusters), c.label(), moved(c.before, c.after)+" memberships", "group")
		for _, r := range union(c.RolesBefore, c.RolesAfter) {
			l := link{slices.Index(roles, r), i, slices.Contains(c.RolesBefore, r), slices.Contains(c.RolesAfter, r), max(c.before, c.after)}
			line(0, l, len(roles), len(clusters), fmt.Sprintf("%s has %s", c.label(), schema.Printable(string(r))))
		}
		words = append(words, fmt.Sprintf("%s has %s", c.label(), roleNames(c.RolesAfter)))
	}
	for i, c := range crowds {
		add(2, i, len(crowds), schema.CountPeople(c.count), c.note, "people")
		for _, k := range unionInts(c.before, c.after) {
			l := link{k, i, slices.Contains(c.before, k), slices.Contains(c.after, k), c.count}
			line(1, l, len(clusters), len(crowds), fmt.Sprintf("%s in %s", schema.CountPeople(c.count), clusters[k].label()))
		}
	}
	if leftGroups > 0 {
		g.Left = append(g.Left, schema.Count(leftGroups, "smaller kind")+" of groups")
	}
	if rest > 0 {
		g.Left = append(g.Left, schema.CountPeople(rest)+" in rarer combinations of groups")
	}
	g.Says = strings.Join(words, "; ")
	return g
}

func roleNames(list []schema.Address) string {
	if len(list) == 0 {
		return "no role"
	}
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = schema.Printable(string(r))
	}
	return strings.Join(out, " and ")
}

// thickness grows slowly with how many people a line stands for.
func thickness(people int) int {
	w := 1
	for people >= 10 {
		people /= 10
		w++
	}
	return w
}

func shorten(s string) string {
	s = schema.Printable(s)
	if r := []rune(s); len(r) > labelLen {
		return string(r[:labelLen-1]) + "…"
	}
	return s
}

func most[T any](list []T, n int) ([]T, int) {
	if len(list) <= n {
		return list, 0
	}
	return list[:n], len(list) - n
}

func rolesOf(clusters []cluster) []schema.Address {
	var roles []schema.Address
	for _, c := range clusters { // in the order of the groups, so that lines cross less
		for _, r := range union(c.RolesBefore, c.RolesAfter) {
			if !slices.Contains(roles, r) {
				roles = append(roles, r)
			}
		}
	}
	return roles
}

func union(a, b []schema.Address) []schema.Address {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

func unionInts(a, b []int) []int {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// A crowd is people who are in the same kinds of groups.
type crowd struct {
	count         int
	before, after []int // kinds of groups
	note          string
}

// crowdsOf joins people whose groups look the same in the graph, the largest
// crowds first, and says how many people are in none of those shown.
func crowdsOf(memberships []plan.MembershipView, of map[schema.Address]int) (crowds []crowd, rest int) {
	kinds := func(groups []schema.Address) []int {
		list := []int{}
		for _, g := range groups {
			if k, ok := of[g]; ok {
				list = append(list, k)
			}
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	index := map[string]int{}
	for _, m := range memberships {
		before, after := kinds(m.GroupsBefore), kinds(m.GroupsAfter)
		note := standing(m.StandingBefore)
		if m.StandingBefore != m.StandingAfter {
			note += " → " + standing(m.StandingAfter)
		}
		key := fmt.Sprint(before, after, note)
		i, ok := index[key]
		if !ok {
			i = len(crowds)
			index[key] = i
			crowds = append(crowds, crowd{before: before, after: after, note: note})
		}
		crowds[i].count += m.Count
	}
	slices.SortStableFunc(crowds, func(a, b crowd) int { return b.count - a.count })
	for i, c := range crowds {
		if i >= graphCrowds {
			rest += c.count
		}
	}
	crowds, _ = most(crowds, graphCrowds)
	slices.SortStableFunc(crowds, func(a, b crowd) int { // beside their groups
		return slices.Compare(unionInts(a.before, a.after), unionInts(b.before, b.after))
	})
	return crowds, rest
}

func standing(s string) string {
	if s == "" {
		return "not a member"
	}
	return schema.Printable(s)
}

// TextX is where the label of a node begins.
func (n node) TextX() int { return n.X + 14 }

// TextY is the line of its label, and NoteY that of its note.
func (n node) TextY() int {
	if n.Note == "" {
		return n.Y + n.H/2 + 5
	}
	return n.Y + 19
}

// NoteY is the line of a node's note.
func (n node) NoteY() int { return n.Y + 35 }
