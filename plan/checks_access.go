package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// These checks look at the state that the configuration describes, with the
// access model alone.

// last is the desired state in the reading with the most access.
func (a *analysis) last() *access.State { return a.to[len(a.to)-1] }

// voidGrants finds what roles grant expressly and a ceiling makes useless. What
// a default or a blanket covers is meant for whatever is not held back, so it
// is silent.
func (a *analysis) voidGrants(p *Picture) {
	type about struct {
		role    schema.Address
		holder  schema.Address
		rule    string
		expr    hcl.Range
		level   string
		ceiling string
	}
	perms := map[about][]string{}
	var order []about
	u := a.model.Universe
	for _, g := range access.Void(p.most()) {
		levels := u.Permission(g.Perm).Scale.Levels
		if strings.HasSuffix(u.Key(g.Perm), "*") || g.Ceiling > 0 && len(levels) == 2 {
			continue
		}
		edit, ok := p.edit(access.Move{Kind: access.MoveGrant, Source: a.model.Sources[g.Source], Permission: u.Key(g.Perm), From: levels[g.Level], To: levels[0]})
		if !ok || edit.Kind == schema.Insert || edit.Kind == schema.Elsewhere || edit.Kind == schema.SetAttr && !a.allVoid(p, g) {
			continue
		}
		k := about{role: sourceAddress(a.model.Sources[g.Source]), holder: "organization", rule: "void-grant", expr: edit.Range, level: levels[g.Level], ceiling: levels[g.Ceiling]}
		if up, ok := p.edit(access.Move{Kind: access.MoveCeiling, Permission: u.Key(g.Perm), From: levels[g.Ceiling], To: levels[g.Level]}); ok {
			k.holder = up.Address
		}
		if k.holder.Type() == "feature" {
			k.rule = "disabled-feature"
		}
		if _, seen := perms[k]; !seen {
			order = append(order, k)
		}
		perms[k] = append(perms[k], u.Key(g.Perm))
	}
	for _, k := range order {
		keys := perms[k]
		f := &finding{Rule: k.rule, Address: k.role, About: []schema.Address{k.holder}, Range: k.expr}
		f.Message = fmt.Sprintf("%s grants %s at %s, and %s holds it at %s for everybody", k.role, some(keys), k.level, k.holder, k.ceiling)
		f.Fix = fmt.Sprintf("lower it in %s, or raise it in %s", k.role, k.holder)
		if k.rule == "disabled-feature" {
			f.Message = fmt.Sprintf("%s grants %s, and %s is switched off, so nobody has it", k.role, some(keys), k.holder)
			f.Fix = fmt.Sprintf("write enabled = true in %s, or take it out of %s", k.holder, k.role)
		}
		a.found = append(a.found, f)
	}
}

// allVoid reports whether everything that the same source grants in the same
// family is held back as well, so that the statement about all of it is void.
func (a *analysis) allVoid(p *Picture, g access.Grant) bool {
	u, s := a.model.Universe, a.last()
	family := string(connectorOf(u.Key(g.Perm)))
	for i := range u.Len() {
		perm := access.Perm(i)
		if connectorOf(u.Key(perm)) == schema.Address(family) && u.Get(s.Grants[g.Source], perm) > 0 && u.Get(s.Ceiling, perm) >= u.Get(s.Grants[g.Source], perm) {
			return false
		}
	}
	return true
}

// some names one or two of a list, or the first and how many more.
func some(list []string) string {
	switch len(list) {
	case 1:
		return list[0]
	case 2:
		return list[0] + " and " + list[1]
	}
	return fmt.Sprintf("%s and %d more", list[0], len(list)-1)
}

// redundant finds groups and roles that add nothing to anyone.
func (a *analysis) redundant(p *Picture) {
	groups, roles := access.Redundant(p.most(), func(source int32) string { return string(sourceAddress(a.model.Sources[source])) })
	var idle []schema.Address
	for _, r := range roles {
		if a.model.Group(r) < 0 { // a group that grants by itself is judged as a group
			idle = append(idle, schema.Address(r))
		}
	}
	a.addsNothing(p, "role", idle, "whoever has it has all of it by other ways", "remove it from its groups, or keep it for who is to come")
	idle = nil
	for _, g := range groups {
		if slices.ContainsFunc(a.last().Attached[g], func(s int32) bool { return slices.Contains(roles, string(sourceAddress(a.model.Sources[s]))) }) {
			continue // its role is said to be redundant already
		}
		idle = append(idle, schema.Address(a.model.Groups[g]))
	}
	a.addsNothing(p, "group", idle, "whoever is in it has all of it by other ways", "remove it, or keep it for who is to come")
}

// addsNothing reports what adds nothing, in one finding for each type.
func (a *analysis) addsNothing(p *Picture, noun string, list []schema.Address, why, fix string) {
	list = slices.DeleteFunc(list, func(addr schema.Address) bool { return a.ignored("redundant", addr) })
	switch len(list) {
	case 0:
	case 1:
		a.found = append(a.found, &finding{Rule: "redundant", Address: list[0], Range: p.at(list[0]),
			Message: fmt.Sprintf("%s adds nothing to anyone: %s", list[0], why), Fix: fix})
	default:
		names := make([]string, len(list))
		for i, addr := range list {
			names[i] = string(addr)
		}
		if len(names) > 5 {
			names = append(names[:4:4], fmt.Sprintf("%d more", len(names)-4))
		}
		a.found = append(a.found, &finding{Rule: "redundant", Address: list[0], Range: p.at(list[0]),
			Message: fmt.Sprintf("%d %ss add nothing to anyone, each taken by itself (%s): %s", len(list), noun, strings.Join(names, ", "), why), Fix: fix})
	}
}

// ignored reports whether a rule block passes over an object.
func (a *analysis) ignored(rule string, addr schema.Address) bool {
	return slices.ContainsFunc(a.Config.Rules, func(r schema.Rule) bool { return r.Name == rule && slices.Contains(r.Ignore, addr) })
}

// withoutEffect finds members who are in groups that grant something, and
// whose access does not come from groups. Whom nothing changes is left out.
func (a *analysis) withoutEffect() {
	s := a.last()
	grants := access.GroupAccess(a.model, s)
	var members []string
	var first schema.Address
	meant := a.leftOut()
	for m, groups := range s.Memberships {
		st := a.model.Standings[s.Standing[m]]
		if st.FromGroups || st.Absent {
			continue
		}
		if o := a.b.desired.Objects[memberAddress(a.model.Members[m])]; o == nil || o.Fixed != "" || meant[a.model.Members[m]] {
			continue
		}
		for _, g := range groups {
			if !grants[g].Empty() {
				members = append(members, a.model.Members[m])
				first = cmp.Or(first, schema.Address(a.model.Groups[g]))
				break
			}
		}
	}
	if len(members) == 0 {
		return
	}
	f := &finding{Rule: "custom-role-without-effect", Address: first, Members: members,
		Message: fmt.Sprintf("%s in groups that have roles, such as %s, get nothing from them: their access comes from the organization", schema.CountPeople(len(members)), first),
		Fix:     "add them to a wave of the migration, or take the roles off these groups"}
	if o := a.b.desired.Objects[first]; o != nil {
		f.Range = o.Decl
	}
	a.found = append(a.found, f)
}

// leftOut returns who is left out of a wave by name, or taken back by one: it
// is meant that groups do not govern them.
func (a *analysis) leftOut() map[string]bool {
	out := map[string]bool{}
	add := func(p schema.People) {
		if p == nil {
			return
		}
		list, err := schema.Resolve(p, a.binder)
		if err != nil {
			return // said where the waves are carried out
		}
		for _, email := range list {
			out[a.binder.live(email)] = true
		}
	}
	for i := range a.Description.Assignments {
		w := &a.Description.Assignments[i]
		add(w.Except)
		if !a.governs(w) {
			add(w.People)
		}
	}
	return out
}

// settingsSaid finds limits that do nothing: above the ceiling, and those of
// groups that a member's own limit overrides.
func (a *analysis) settingsSaid() {
	s := a.last()
	for i, kind := range a.model.Settings {
		set := s.Settings[i]
		if set.Ceiling != access.Unset {
			for g, l := range set.Group {
				a.aboveCeiling(schema.Address(a.model.Groups[g]), kind, l, set.Ceiling)
			}
			for seat, l := range set.Seat {
				a.aboveCeiling(schema.MakeAddress("seat_tier", a.model.Seats[seat].Name, ""), kind, l, set.Ceiling)
			}
			for m := range a.model.Members {
				a.aboveCeiling(memberAddress(a.model.Members[m]), kind, set.Own(int32(m)), set.Ceiling)
			}
			a.aboveCeiling("organization", kind, set.Default, set.Ceiling)
		}
		var over []string
		var first schema.Address
		for m := range a.model.Members {
			own := set.Own(int32(m))
			if own == access.Unset {
				continue
			}
			for _, g := range s.Memberships[m] {
				if l := set.Group[g]; l != access.Unset && l != own {
					over = append(over, a.model.Members[m])
					first = cmp.Or(first, schema.Address(a.model.Groups[g]))
					break
				}
			}
		}
		if len(over) > 0 {
			f := &finding{Rule: "individual-limit-overrides", Address: first, Members: over,
				Message: fmt.Sprintf("%s: what they have of %s themselves wins over what %s says", who(over), kind.Key, first),
				Fix:     "write inherit = true in their member blocks, or leave them as they are meant"}
			if o := a.b.desired.Objects[memberAddress(over[0])]; o != nil {
				f.Range = o.Decl
			}
			a.found = append(a.found, f)
		}
	}
}

func (a *analysis) aboveCeiling(addr schema.Address, kind access.SettingKind, l, ceiling access.Limit) {
	if l == access.Unset || l == access.Unlimited || l <= ceiling {
		return
	}
	text := func(l access.Limit) string {
		if kind.Scale != nil {
			return kind.Text(l)
		}
		return schema.Major(kind.Text(l))
	}
	f := &finding{Rule: "limit-above-ceiling", Address: addr,
		Message: fmt.Sprintf("%s says %s for %s, and nobody can have more than %s, the ceiling of the organization", addr, text(l), kind.Key, text(ceiling)),
		Fix:     "lower it to " + text(ceiling) + ", or raise the ceiling"}
	if o := a.b.desired.Objects[addr]; o != nil {
		f.Range = o.Where("spend_limit.monthly")
	}
	a.found = append(a.found, f)
}

// expiring finds what ends within two weeks.
func (a *analysis) expiring() {
	soon := func(d schema.Day) bool {
		return d != "" && !d.Begun(a.Now) && d.Begun(a.Now.Add(14*24*time.Hour))
	}
	for _, x := range a.Config.Accepts {
		if soon(x.Expires) {
			a.found = append(a.found, &finding{Rule: "expiring", Range: x.Decl,
				Message: fmt.Sprintf("accept %s expires on %s", schema.Quote(x.Name), x.Expires), Fix: "extend expires with a new reason, or make the risk go away until then"})
		}
	}
	for _, t := range a.Description.Temporaries {
		if soon(t.Until) {
			a.found = append(a.found, &finding{Rule: "expiring", Address: t.Group, Range: t.Decl, Members: []string{t.Email},
				Message: fmt.Sprintf("%s is in %s until %s, and the next apply after that takes them out", t.Email, t.Group, t.Until), Fix: "extend until with a new reason, or let it end"})
		}
	}
	for _, h := range a.Config.Holds {
		if soon(h.Until) {
			a.found = append(a.found, &finding{Rule: "expiring", Range: h.Decl, About: h.Objects,
				Message: fmt.Sprintf("hold %s ends on %s, and what it held will be changed by the next apply", schema.Quote(h.Name), h.Until), Fix: "extend until, or take the block out"})
		}
	}
}

// tagged finds addresses that differ from another by nothing but a tag.
func (a *analysis) tagged() {
	for _, email := range a.model.Members {
		local, domain, _ := strings.Cut(email, "@")
		base, _, ok := strings.Cut(local, "+")
		if !ok || base == "" || a.model.Member(base+"@"+domain) < 0 {
			continue
		}
		a.found = append(a.found, &finding{Rule: "tag-address", Address: memberAddress(email), Members: []string{email, base + "@" + domain},
			Message: fmt.Sprintf("%s stands beside %s: they are two people here, and the API may take one for the other", email, base+"@"+domain),
			Fix:     "check which of the two the organization knows, and remove the other"})
	}
}

// unusedGroups finds groups that the identity provider fills and that do
// nothing here.
func (a *analysis) unusedGroups() {
	s := a.last()
	for _, o := range a.b.desired.Of("group") {
		i := a.model.Group(string(o.Addr))
		if o.Get("source").AsText() != "scim" || i < 0 || len(s.Attached[i]) > 0 || !s.Lists[i].Empty() || o.Get("roles").Kind() == schema.KindUnavailable {
			continue
		}
		if slices.ContainsFunc(s.Settings, func(x access.Setting) bool { return x.Group[i] != access.Unset }) {
			continue
		}
		a.found = append(a.found, &finding{Rule: "scim-group-unused", Address: o.Addr, Range: o.Decl,
			Message: fmt.Sprintf("the identity provider fills %s, and it has no role, no limit and no plugin", o.Addr),
			Fix:     "write roles in its block, or have it no longer synced"})
	}
}

// newcomer is a person who is not there yet; the domain cannot be anybody's.
const newcomer = "newcomer@joins.invalid"

// joining is who is there, and one person more.
type joining struct {
	*binder
	inGroup map[schema.Address][]string
}

func (j *joining) Everyone() []string { return append(j.binder.Everyone(), newcomer) }

func (j *joining) Members(group schema.Address) ([]string, bool) {
	if list, ok := j.inGroup[group]; ok {
		return list, true
	}
	p, ok := j.people[group]
	if !ok {
		return j.binder.Members(group)
	}
	list, err := schema.Resolve(p, j)
	j.inGroup[group] = list
	return list, err == nil
}

// joiners finds that somebody who joins would be governed by groups and be in
// none that grants anything.
func (a *analysis) joiners() {
	j := &joining{a.binder, map[schema.Address][]string{}}
	has := func(p schema.People) bool {
		if p == nil {
			return false
		}
		list, err := schema.Resolve(p, j)
		return err == nil && slices.Contains(list, newcomer)
	}
	var wave *schema.Assignment
	for i := range a.Description.Assignments {
		w := &a.Description.Assignments[i]
		if has(w.People) && !has(w.Except) {
			wave = w
			break
		}
	}
	if wave == nil || wave.Held != "" || !a.governs(wave) {
		return
	}
	grants := access.GroupAccess(a.model, a.last())
	for i, addr := range a.model.Groups {
		if grants[i].Empty() {
			continue
		}
		o := a.b.desired.Objects[schema.Address(addr)]
		if o != nil && o.Get("source").AsText() == "scim" { // whoever joins may come by it
			return
		}
		if list, ok := j.Members(schema.Address(addr)); ok && slices.Contains(list, newcomer) {
			return
		}
	}
	a.found = append(a.found, &finding{Rule: "joiner-uncovered", Range: wave.Decl,
		Message: fmt.Sprintf("wave %q takes in whoever joins, and no group with a role does: they would have access to nothing", wave.Name),
		Fix:     "write members = everyone in a group that has a role, or name the people of the wave"})
}

// governs reports whether a wave moves people to where groups govern access.
func (a *analysis) governs(w *schema.Assignment) bool {
	st, ok := a.model.Standing(w.Value.AsText())
	return ok && a.model.Standings[st].FromGroups
}
