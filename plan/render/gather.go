package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

// A group is permissions that change in the same way for the same people.
type group struct {
	title, from, to, direction string
	count                      int
	members                    []string
	why                        []cause
	more                       int
}

func (g group) up() bool { return g.direction == "gain" || g.direction == "raise" }

type cause struct {
	why     string
	members []string
}

// reasons is how many different reasons a group shows.
const reasons = 4

// groups joins access changes that differ in nothing but the permission.
func (d *digest) groups() []group {
	type key struct{ from, to, direction, members string }
	index := map[key]int{}
	var perms [][]string
	var list []group
	for _, a := range d.p.Access {
		k := key{a.From, a.To, a.Direction, strings.Join(a.Members, "\n")}
		i, ok := index[k]
		if !ok {
			i = len(list)
			index[k] = i
			list = append(list, group{from: a.From, to: a.To, direction: a.Direction, count: a.Count, members: a.Members})
			perms = append(perms, nil)
			list[i].why, list[i].more = d.causes(a.Because)
		}
		perms[i] = append(perms[i], a.Permission)
	}
	tools := map[string]int{} // connector to how many of its tools change for anybody
	seen := map[string]bool{}
	for _, a := range d.p.Access {
		if c, tool := splitConnector(a.Permission); c != "" && tool != "*" && !seen[a.Permission] {
			seen[a.Permission] = true
			tools[c]++
		}
	}
	for i := range list {
		list[i].title = title(perms[i], tools)
	}
	for _, l := range d.p.Limits {
		g := group{title: "spend." + l.Period, from: limit(l.From), to: limit(l.To), direction: l.Direction, count: l.Count, members: l.Members}
		g.why, g.more = d.causes(l.Because)
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
func (d *digest) causes(list []plan.Because) (shown []cause, more int) {
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
			return fmt.Sprintf("through %s, in %s", b.Via[1], d.names(groups[b.Via[1]]))
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
