package plan

import (
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// invited adds to the model that the order is looked for in, and to its states,
// whoever has an invite or will get one. They are not members, so nothing that
// is said of members is about them; but the day they accept they have what their
// groups give, and that can be any day, in the middle of an apply too.
//
// Whoever was invited before may have accepted: they stand for a member who has
// what the invite gives. If they have not, they have nothing, which is never too
// much, and nobody misses it. An invite that is sent is a step that no wait is
// long enough for, from nothing to what it gives; one that takes the place of
// another goes from what that gave. One that is withdrawn takes away.
//
// It returns copies; what it was given stays as it is.
func invited(m *access.Model, from, to []*access.State, steps []schema.Step, live, desired *schema.State, d *schema.Description) (*access.Model, []*access.State, []*access.State, []schema.Step) {
	var people []string
	for _, st := range []*schema.State{live, desired} {
		for _, o := range st.Of("invite") {
			if m.Member(o.Key) < 0 && !slices.Contains(people, o.Key) {
				people = append(people, o.Key)
			}
		}
	}
	if len(people) == 0 {
		return m, from, to, steps
	}
	slices.Sort(people)
	attr := "organization_role"
	if d.Invites != nil {
		attr = d.Invites.Attr
	}
	more := m.With(people)
	put := func(states []*access.State, st *schema.State) []*access.State {
		list := make([]*access.State, len(states))
		for r, s := range states {
			list[r] = s.With(more)
			for _, o := range st.Of("invite") {
				i := more.Member(o.Key)
				standing, known := more.Standing(o.Get(attr).AsText())
				if int(i) < len(m.Members) || !known {
					continue
				}
				list[r].Standing[i] = standing
				for _, g := range o.Get("groups").AsSet() {
					if n := more.Group(g); n >= 0 {
						list[r].Memberships[i] = append(list[r].Memberships[i], n)
					}
				}
				slices.Sort(list[r].Memberships[i])
			}
		}
		return list
	}
	from, to = put(from, live), put(to, desired)
	steps = slices.Clone(steps)
	for _, email := range people {
		i := more.Member(email)
		moves := accepting(more, email, from[0], to[0], i)
		if at := lastStepOf(steps, inviteAddress(email)); at >= 0 {
			steps[at].Moves = append(slices.Clip(steps[at].Moves), moves...)
			if !more.Standings[to[0].Standing[i]].Absent {
				steps[at].Settle = schema.Never
			}
			continue
		}
		for r := range to { // what no step changes stays
			to[r].Standing[i], to[r].Memberships[i] = from[r].Standing[i], from[r].Memberships[i]
		}
	}
	return more, from, to, steps
}

// accepting returns the moves that lead somebody from one state to another.
func accepting(m *access.Model, email string, from, to *access.State, i int32) []access.Move {
	var moves []access.Move
	if a, b := from.Standing[i], to.Standing[i]; a != b {
		moves = append(moves, access.Move{Kind: access.MoveStanding, Member: email, From: m.Standings[a].Name, To: m.Standings[b].Name})
	}
	for _, g := range from.Memberships[i] {
		if !slices.Contains(to.Memberships[i], g) {
			moves = append(moves, access.Move{Kind: access.MoveMembership, Member: email, Group: m.Groups[g], From: access.In, To: access.Out})
		}
	}
	for _, g := range to.Memberships[i] {
		if !slices.Contains(from.Memberships[i], g) {
			moves = append(moves, access.Move{Kind: access.MoveMembership, Member: email, Group: m.Groups[g], From: access.Out, To: access.In})
		}
	}
	return moves
}

// lastStepOf returns the step about an object that needs the others about it,
// -1 if there is none.
func lastStepOf(steps []schema.Step, addr schema.Address) int {
	last := -1
	for i := range steps {
		if steps[i].Addr == addr && (last < 0 || slices.Contains(steps[i].Needs, steps[last].ID)) {
			last = i
		}
	}
	return last
}
