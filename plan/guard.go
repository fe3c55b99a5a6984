package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

type hclRange = hcl.Range

// guardNames are the guards, as they are accepted.
var guardNames = []string{"max_members_losing_access", "max_removals", "max_group_shrink", "max_spend_increase"}

// A GuardResult is one limit of the guard block and what the plan makes of it.
type GuardResult struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Limit string `json:"limit"`
	OK    bool   `json:"ok"`
}

// guards compares the plan with the limits of the guard block. Held steps do
// not count, because they are not carried out.
func (a *analysis) guards() {
	g := a.Config.Guard
	a.guardLosing(g)
	a.guardRemovals(g)
	a.guardShrink(g)
	a.guardSpend(g)
	a.guardProtected(g)
	a.plan.Guards = append(a.plan.Guards, GuardResult{Name: "frozen", Value: fmt.Sprint(g.Frozen), Limit: "false", OK: !g.Frozen})
}

// guard records one guard, and a finding if it is exceeded.
func (a *analysis) guard(name, value, limit string, ok bool, members []string, message string, much, of int) {
	a.plan.Guards = append(a.plan.Guards, GuardResult{Name: name, Value: value, Limit: limit, OK: ok})
	if !ok {
		a.found = append(a.found, &finding{Rule: "guard-exceeded", Accept: "guard." + name, Much: much, Of: of, Range: a.Config.Guard.Decl, Members: members,
			Message: message, Fix: fmt.Sprintf("make the change smaller, raise %s in the guard block, or accept it with --accept guard.%s", name, name)})
	}
}

// guardLosing counts members who lose something that no open wave explains.
func (a *analysis) guardLosing(g schema.Guard) {
	total := 0
	for _, standing := range a.from[0].Standing {
		if standing != 0 {
			total++
		}
	}
	unexplained := a.losingAnyway()
	var losing []string
	for i, email := range a.model.Members {
		m := int32(i)
		if !a.losing[m] {
			continue
		}
		if as, ok := a.b.waves[memberAddress(email)]; !ok || as.Held != "" || unexplained[m] {
			losing = append(losing, email)
		}
	}
	a.guard("max_members_losing_access", fmt.Sprint(len(losing)), share(g.MaxMembersLosingAccess),
		g.MaxMembersLosingAccess.Allows(len(losing), total), losing,
		fmt.Sprintf("%s of %s members (%.1f %%) would lose something that no open wave explains; the limit is %s",
			schema.Thousands(len(losing)), schema.Thousands(total), percent(len(losing), total), share(g.MaxMembersLosingAccess)), len(losing), total)
}

// losingAnyway returns the members who would lose something even if nobody's
// standing moved: what the waves do not explain.
func (a *analysis) losingAnyway() map[int32]bool {
	last := len(a.from) - 1
	s := a.after[last].Clone()
	for i, email := range a.model.Members {
		if _, ok := a.b.waves[memberAddress(email)]; ok {
			s.Standing[i] = a.from[last].Standing[i]
		}
	}
	v := access.NewView(a.model, s)
	list := map[int32]bool{}
	for i := range a.model.Members {
		m := int32(i)
		if !a.before[last].Access(m).Within(v.Access(m)) {
			list[m] = true
		}
		for setting := range a.model.Settings {
			f, t := a.before[last].Setting(m, setting), v.Setting(m, setting)
			if f != access.Unset && t != access.Unset && t < f {
				list[m] = true
			}
		}
	}
	return list
}

func percent(n, total int) float64 {
	if total == 0 {
		return 0
	}
	return float64(n) * 100 / float64(total)
}

func share(s schema.Share) string {
	if s.Percent {
		return fmt.Sprintf("%d%%", s.N)
	}
	return fmt.Sprint(s.N)
}

// guardRemovals counts what the plan takes away: memberships, groups, roles and
// members of the organization.
func (a *analysis) guardRemovals(g schema.Guard) {
	n := 0
	for _, t := range a.turnovers() {
		n += len(t.leave)
		if t.deleted {
			n++
		}
	}
	a.guard("max_removals", fmt.Sprint(n), fmt.Sprint(g.MaxRemovals), n <= g.MaxRemovals, nil,
		fmt.Sprintf("%s memberships, groups, roles or members would be taken away; the limit is %d", schema.Thousands(n), g.MaxRemovals), n, a.plan.Members)
}

// guardShrink finds the group that loses the largest share of its members. A
// group that would be emptied always counts.
func (a *analysis) guardShrink(g schema.Guard) {
	worst, ok := GuardResult{Value: "0"}, true
	message := ""
	largest, much, of := 0.0, 0, 0
	turnovers := a.turnovers()
	for _, addr := range slices.Sorted(maps.Keys(turnovers)) {
		have, t := a.b.live.Objects[addr], turnovers[addr]
		if have == nil {
			continue
		}
		before := a.peopleOf(have)
		if len(before) == 0 {
			continue
		}
		lost := len(t.leave)
		left := len(before) - lost + len(t.join)
		if t.deleted {
			lost, left = len(before), 0
		}
		if lost == 0 {
			continue
		}
		emptied := left == 0
		p := percent(lost, len(before))
		if emptied {
			p = 101 // always the worst
		}
		if p <= largest {
			continue
		}
		largest, much, of = p, lost, len(before)
		worst.Value = fmt.Sprintf("%s: %d of %d", have.Addr, lost, len(before))
		if emptied || !g.MaxGroupShrink.Allows(lost, len(before)) {
			ok = false
			message = fmt.Sprintf("%s would lose %d of %d members (%.0f %%); the limit is %s", have.Addr, lost, len(before), percent(lost, len(before)), share(g.MaxGroupShrink))
			if emptied {
				message = fmt.Sprintf("%s would be emptied: it has %s", have.Addr, schema.CountPeople(len(before)))
			}
		}
	}
	a.guard("max_group_shrink", worst.Value, share(g.MaxGroupShrink), ok, nil, message, much, of)
}

// guardSpend compares the sum of the finite limits before and after. A limit
// that becomes unlimited always counts.
func (a *analysis) guardSpend(g schema.Guard) {
	last := len(a.from) - 1
	var before, after, freed int64
	var unlimited []string
	for i, email := range a.model.Members {
		for setting, kind := range a.model.Settings {
			f, t := a.before[last].Setting(int32(i), setting), a.then[last].Setting(int32(i), setting)
			if kind.Scale != nil || f == access.Unset || t == access.Unset {
				continue
			}
			switch {
			case f != access.Unlimited && t == access.Unlimited:
				unlimited = append(unlimited, email)
				freed++
			case f != access.Unlimited && t != access.Unlimited:
				before, after = before+int64(f), after+int64(t)
			}
		}
	}
	rise := after - before
	ok := freed == 0 && (rise <= 0 || g.MaxSpendIncrease.Percent && float64(rise)*100 <= float64(g.MaxSpendIncrease.N)*float64(before) ||
		!g.MaxSpendIncrease.Percent && rise <= int64(g.MaxSpendIncrease.N)*100)
	message := fmt.Sprintf("limits would rise by %s a month, from %s to %s; the limit is %s", money(rise), money(before), money(after), share(g.MaxSpendIncrease))
	if freed > 0 {
		message = fmt.Sprintf("%s would have no spend limit any more", who(unlimited))
	}
	value := money(rise)
	if freed > 0 {
		value = fmt.Sprintf("%d unlimited", freed)
	}
	much, of := int((rise+99)/100), int(before/100) // in major units
	if freed > 0 {
		much, of = int(freed), len(a.model.Members)
	}
	a.guard("max_spend_increase", value, share(g.MaxSpendIncrease), ok, unlimited, message, much, of)
}

func money(minor int64) string { return schema.Major(fmt.Sprint(minor)) }

// guardProtected finds protected people who lose something.
func (a *analysis) guardProtected(g schema.Guard) {
	if g.Protected == nil {
		return
	}
	// Whoever is meant before the change or after it is protected.
	before := &binder{b: a.b, d: a.Description, resolved: map[schema.Address][]string{}}
	list, err := schema.Resolve(g.Protected, before)
	if err == nil {
		var after []string
		after, err = schema.Resolve(g.Protected, a.binder)
		for _, email := range after {
			if live := a.binder.live(email); !slices.Contains(list, live) {
				list = append(list, live)
			}
		}
	}
	if err != nil {
		a.found = append(a.found, &finding{Rule: "protected-loses", Range: g.Decl,
			Message: fmt.Sprintf("who is protected cannot be worked out: %v", err), Fix: "plan again later"})
		return
	}
	var hurt []string
	for _, email := range list {
		if m := a.model.Member(email); m >= 0 && a.losing[m] {
			hurt = append(hurt, email)
		}
	}
	if len(hurt) > 0 {
		a.found = append(a.found, &finding{Rule: "protected-loses", Range: g.Decl, Members: hurt,
			Message: fmt.Sprintf("the guard protects %s, who would lose something", who(hurt)),
			Fix:     "leave them out of the change, take them off the list, or accept it with --accept protected-loses"})
	}
}

// A turnover is who leaves a group and who joins it, of what is carried out.
// Whoever only changes roles in it does neither.
type turnover struct {
	leave, join map[string]bool
	deleted     bool
}

// turnovers returns what becomes of whatever is deleted or has people in it,
// whatever the system calls it: groups, teams, mappings. Held steps are left
// out.
func (a *analysis) turnovers() map[schema.Address]turnover {
	out := map[schema.Address]turnover{}
	for i := range a.steps {
		if a.schedule.Held[i] != "" {
			continue
		}
		for _, e := range a.steps[i].Effects {
			person := e.Item != "" && a.model.Member(e.Item) >= 0
			drop := e.Attr == "" && e.Op == schema.Drop
			if !drop && !person {
				continue
			}
			t, ok := out[e.Addr]
			if !ok {
				t = turnover{leave: map[string]bool{}, join: map[string]bool{}}
			}
			switch {
			case drop:
				t.deleted = true
			case e.Op == schema.Include:
				t.join[e.Item] = true
			case e.Op == schema.Exclude:
				t.leave[e.Item] = true
			}
			out[e.Addr] = t
		}
	}
	for addr, t := range out {
		have := map[string]bool{}
		if o := a.b.live.Objects[addr]; o != nil {
			have = a.peopleOf(o)
		}
		for email := range t.join {
			delete(t.leave, email)
			if have[email] {
				delete(t.join, email)
			}
		}
	}
	return out
}

// peopleOf returns who is in an object, in whatever role.
func (a *analysis) peopleOf(o *schema.Object) map[string]bool {
	list := map[string]bool{}
	for _, v := range o.Attrs {
		for _, item := range v.AsSet() {
			if a.model.Member(item) >= 0 {
				list[item] = true
			}
		}
	}
	return list
}
