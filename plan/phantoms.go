package plan

import (
	"cmp"
	"slices"

	"github.com/rolecall/rolecall/schema/access"
)

// Whoever joins while a plan is carried out is in no class of members. Phantoms
// stand for them: classes that nobody is in, of which it is only asked that they
// never have more than before and after.
//
// Of grants, nobody has more from several groups than the best of them gives, so
// one phantom for each group covers everybody who joins any set of groups. Where
// lists narrow that is not so, and one group is all that is covered. What comes
// with a standing alone is lessened by ceilings only, so that needs none.
//
// Of settings, there is one for each group, one for each two groups that both
// have a say, and one for whoever joins no group.

// addPhantoms adds a phantom for each of the groups, and where settings come
// into it for each two of pairs and for whoever is in none.
func (p *planner) addPhantoms(groups, pairs []int32) {
	var standings []uint8 // that count groups
	for st := range p.model.Standings {
		if s := &p.model.Standings[st]; s.FromGroups && !s.Absent {
			standings = append(standings, uint8(st))
		}
	}
	for _, g := range groups {
		for _, st := range standings {
			p.addPhantom(st, 0, false, g)
		}
	}
	if !p.limited {
		return
	}
	any := uint8(slices.IndexFunc(p.model.Standings, func(s access.Standing) bool { return !s.Absent }))
	for seat := range p.model.Seats {
		if seat > 0 && !p.seatCounts(uint8(seat)) {
			continue
		}
		p.addPhantom(any, uint8(seat), true)
		for _, g := range groups {
			p.addPhantom(any, uint8(seat), true, g)
		}
		for i, g := range pairs {
			for _, h := range pairs[i+1:] {
				if p.compete(g, h) {
					p.addPhantom(any, uint8(seat), true, min(g, h), max(g, h))
				}
			}
		}
	}
}

// unaware returns the planner that does not mind who joins meanwhile, or only
// not in what settings; nil if that is this one.
func (p *planner) unaware(values bool) *planner {
	if p == nil {
		return nil
	}
	n := len(p.classes)
	for n > p.people && (p.classes[n-1].values || !values) {
		n--
	}
	if n == len(p.classes) {
		return nil
	}
	q := *p
	q.classes, q.units = p.classes[:n:n], slices.Clone(p.units)
	for u := range q.units {
		q.units[u].classes = nil
	}
	q.link()
	return &q
}

// addPhantom adds whoever has a standing and a seat and is in some groups, with
// their permissions or, if values is set, their settings.
func (p *planner) addPhantom(standing, seat uint8, values bool, groups ...int32) {
	cl := class{phantom: true, values: values, groups: groups}
	for r := range p.start {
		v := variables{standing: standing, seat: seat, groups: groups, own: slices.Repeat([]access.Limit{access.Unset}, len(p.model.Settings))}
		e := ending{start: v}
		if values {
			e.from, e.to = settingsOf(p.model, p.start[r], &v), settingsOf(p.model, p.goal[r], &v)
		} else {
			e.before, e.then = grantsOf(p.model, p.start[r], &v, nil), grantsOf(p.model, p.goal[r], &v, nil)
		}
		cl.ends = append(cl.ends, e)
	}
	p.classes = append(p.classes, cl)
}

// anySetting calls yield with what each setting is before and after, in each reading,
// until it returns true, and reports whether it did.
func (p *planner) anySetting(yield func(a, b *access.Setting) bool) bool {
	for r := range p.start {
		for k := range p.model.Settings {
			if yield(&p.start[r].Settings[k], &p.goal[r].Settings[k]) {
				return true
			}
		}
	}
	return false
}

// seatCounts reports whether any setting says something of a seat tier.
func (p *planner) seatCounts(seat uint8) bool {
	return p.anySetting(func(a, b *access.Setting) bool { return a.Seat[seat] != access.Unset || b.Seat[seat] != access.Unset })
}

// compete reports whether two groups both have a say in a setting, and which of
// them decides may change.
func (p *planner) compete(g, h int32) bool {
	return p.anySetting(func(a, b *access.Setting) bool {
		says := func(g int32) bool { return a.Group[g] != access.Unset || b.Group[g] != access.Unset }
		return says(g) && says(h) && (a.Group[g] != b.Group[g] || a.Group[h] != b.Group[h] || a.Highest != b.Highest)
	})
}

// exposed finds the groups that give whoever joins them in a stage more than
// they give before and after, with what is on its way as the waits leave it:
// one group at a time, and two of those that people can enter.
func (p *planner) exposed(stages [][]int32, boundaries []Boundary) []Exposure {
	q := *p
	q.classes, q.people, q.units = nil, 0, slices.Clone(p.units)
	for u := range q.units {
		x := &q.units[u]
		x.own, x.class, x.touches, x.classes = nil, -1, false, nil
	}
	var groups []int32
	for g := range p.model.Groups {
		groups = append(groups, int32(g))
	}
	q.addPhantoms(groups, p.open)
	q.link()
	t := newTransit(&q, len(stages))
	var all []Exposure
	for i, units := range stages {
		for _, u := range units {
			t.status[u] = free
		}
		t.compute()
		for _, c := range t.dirty(units) {
			t.measure(c)
			if b := t.findAny(c); b != nil {
				groups := t.classes[c].groups
				all = append(all, Exposure{Groups: groups, Permission: t.violationOf(c, b).Permission, Stage: i,
					Open: !slices.ContainsFunc(groups, func(g int32) bool { return !slices.Contains(p.open, g) })})
			}
		}
		t.sent(i, units)
		if i < len(boundaries) {
			t.wait(i, boundaries[i].Seconds)
		}
	}
	slices.SortStableFunc(all, func(a, b Exposure) int {
		return cmp.Or(cmp.Compare(len(a.Groups), len(b.Groups)), slices.Compare(a.Groups, b.Groups))
	})
	var list []Exposure
	for _, e := range all {
		if !slices.ContainsFunc(list, func(o Exposure) bool { return o.covers(e) }) {
			list = append(list, e)
		}
	}
	return list
}

// covers reports whether o says enough to leave e out: of the same groups, or of
// one of two.
func (o Exposure) covers(e Exposure) bool {
	if len(o.Groups) == 0 {
		return o.Permission == e.Permission
	}
	return !slices.ContainsFunc(o.Groups, func(g int32) bool { return !slices.Contains(e.Groups, g) })
}
