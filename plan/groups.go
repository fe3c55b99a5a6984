package plan

import (
	"fmt"
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// A GroupView is one group before the plan and after it: who is in it, which
// roles it has, and what they give its members. It is a row of the access
// matrix and a node of the graph.
type GroupView struct {
	Address       schema.Address   `json:"address"`
	Name          string           `json:"name"`
	MembersBefore int              `json:"members_before"`
	MembersAfter  int              `json:"members_after"`
	RolesBefore   []schema.Address `json:"roles_before"`
	RolesAfter    []schema.Address `json:"roles_after"`

	// Before and After are the levels that the group's roles give to members
	// whose access comes from roles, ceilings included, by permission. What
	// is not listed is given at no level.
	Before map[string]string `json:"before"`
	After  map[string]string `json:"after"`
}

// A MembershipView is people who are in the same groups before the plan, and in
// the same after it.
type MembershipView struct {
	Count          int              `json:"count"`
	StandingBefore string           `json:"standing_before"` // organization role, "" for not a member
	StandingAfter  string           `json:"standing_after"`
	GroupsBefore   []schema.Address `json:"groups_before"`
	GroupsAfter    []schema.Address `json:"groups_after"`
}

// memberships counts the people who share their groups, most first.
func (a *analysis) memberships() {
	last := len(a.from) - 1
	index := map[string]int{}
	for m := range a.model.Members {
		key := fmt.Sprint(a.from[last].Standing[m], a.after[last].Standing[m], a.from[last].Memberships[m], a.after[last].Memberships[m])
		i, ok := index[key]
		if !ok {
			i = len(a.plan.Memberships)
			index[key] = i
			v := MembershipView{StandingBefore: a.model.Standings[a.from[last].Standing[m]].Name, StandingAfter: a.model.Standings[a.after[last].Standing[m]].Name,
				GroupsBefore: []schema.Address{}, GroupsAfter: []schema.Address{}}
			for _, g := range a.from[last].Memberships[m] {
				v.GroupsBefore = append(v.GroupsBefore, schema.Address(a.model.Groups[g]))
			}
			for _, g := range a.after[last].Memberships[m] {
				v.GroupsAfter = append(v.GroupsAfter, schema.Address(a.model.Groups[g]))
			}
			a.plan.Memberships = append(a.plan.Memberships, v)
		}
		a.plan.Memberships[i].Count++
	}
	slices.SortStableFunc(a.plan.Memberships, func(x, y MembershipView) int { return y.Count - x.Count })
}

// groups writes what each group gives.
func (a *analysis) groups() {
	size := func(s *access.State) []int {
		n := make([]int, len(a.model.Groups))
		for _, groups := range s.Memberships {
			for _, g := range groups {
				n[g]++
			}
		}
		return n
	}
	last := len(a.from) - 1
	before, after := size(a.from[last]), size(a.after[last])
	for g, addr := range a.model.Groups {
		v := GroupView{Address: schema.Address(addr), Name: addr, MembersBefore: before[g], MembersAfter: after[g],
			RolesBefore: a.attached(a.from[last], int32(g)), RolesAfter: a.attached(a.after[last], int32(g)),
			Before: a.given(a.from, int32(g)), After: a.given(a.after, int32(g))}
		for _, s := range []*schema.State{a.b.live, a.b.desired} {
			if o := s.Objects[v.Address]; o != nil {
				v.Name = o.Key
			}
		}
		a.plan.Groups = append(a.plan.Groups, v)
	}
}

// attached returns the roles of a group, each once however many sources it has.
func (a *analysis) attached(s *access.State, g int32) []schema.Address {
	list := []schema.Address{}
	for _, src := range s.Attached[g] {
		if addr := a.source(src); !slices.Contains(list, addr) {
			list = append(list, addr)
		}
	}
	slices.Sort(list)
	return list
}

// given returns the levels that a group gives, in all readings.
func (a *analysis) given(readings []*access.State, g int32) map[string]string {
	u := a.model.Universe
	sets := make([]access.Set, len(readings))
	all := u.NewSet()
	for r, s := range readings {
		sets[r] = u.NewSet()
		for _, src := range s.Attached[g] {
			sets[r].Or(s.Grants[src])
		}
		sets[r].And(s.Ceiling)
		all.Or(sets[r])
	}
	list := map[string]string{}
	last := len(readings) - 1
	for _, p := range u.Perms(all) {
		list[u.Key(p)] = levels{u.Get(sets[0], p), u.Get(sets[last], p)}.name(u, p)
	}
	return list
}
