package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// These checks look at what the plan changes.

// authorGains finds that whoever wrote the configuration gains by it, or is the
// only one who is to approve a change.
func (a *analysis) authorGains() {
	author := strings.ToLower(a.Author)
	if author == "" {
		return
	}
	if m := a.model.Member(author); m >= 0 && a.gaining[m] {
		var what []string
		control := false
		for _, c := range a.plan.Access {
			if (c.Direction == "gain" || c.Direction == "raise") && listed(c.Members, author) {
				what = append(what, fmt.Sprintf("%s (%s)", c.Permission, c.To))
				control = control || strings.HasPrefix(c.Permission, "admin.")
			}
		}
		for _, c := range a.plan.Limits {
			if c.Direction == "raise" && listed(c.Members, author) {
				what = append(what, fmt.Sprintf("a higher limit (%s)", c.Period))
			}
		}
		f := &finding{Rule: "author-gains", Members: []string{author}, Message: fmt.Sprintf("%s, who wrote this, gains by it: %s", author, some(what)), Fix: "let somebody else approve it"}
		if control {
			f.Message += ", administration among it"
		}
		a.found = append(a.found, f)
	}
	for _, c := range a.changes {
		if owners := a.Description.Owners[c.Addr]; len(owners) == 1 && owners[0] == author {
			f := &finding{Rule: "author-gains", Address: c.Addr, Members: []string{author},
				Message: fmt.Sprintf("%s, who wrote this, is the only owner of %s and would approve their own change", author, c.Addr), Fix: "name another owner, or let somebody else approve it"}
			if c.After != nil {
				f.Range = c.After.Where("owners")
			}
			a.found = append(a.found, f)
		}
	}
}

// listed looks in a sorted list.
func listed(list []string, s string) bool {
	_, ok := slices.BinarySearch(list, s)
	return ok
}

// wideningRemoval finds that taking something away gives people more: a limit
// that no other replaces, or a list that held them back.
func (a *analysis) wideningRemoval() {
	type about struct {
		addr schema.Address
		what string
	}
	people := map[about]map[string]bool{}
	var order []about
	add := func(k about, email string) {
		if people[k] == nil {
			people[k] = map[string]bool{}
			order = append(order, k)
		}
		people[k][email] = true
	}
	for i := range a.steps {
		if _, held := a.schedule.Held[i]; held {
			continue
		}
		for _, v := range a.steps[i].Moves {
			b, err := a.model.Bind(v)
			if err != nil {
				continue // Order has said so
			}
			switch v.Kind {
			case access.MoveMemberSetting, access.MoveGroupSetting, access.MoveSeatSetting, access.MoveDefault, access.MoveSettingCeiling:
				if v.To != "" {
					continue
				}
				for _, m := range a.raised(b) {
					add(about{a.steps[i].Addr, v.Setting}, a.model.Members[m])
				}
			case access.MoveListSpeaks:
				if v.To != access.Out {
					continue
				}
				for _, m := range a.widened(b) {
					add(about{a.steps[i].Addr, string(connectorOf(v.Permission))}, a.model.Members[m])
				}
			}
		}
	}
	for _, k := range order {
		var members []string
		for e := range people[k] {
			members = append(members, e)
		}
		slices.Sort(members)
		f := &finding{Rule: "widening-removal", Address: k.addr, Members: members,
			Message: fmt.Sprintf("%s no longer says anything of %s, so %s have more than before", k.addr, k.what, schema.CountPeople(len(members))),
			Fix:     "write what is to hold instead, or accept it"}
		if len(members) == 1 {
			f.Message = fmt.Sprintf("%s no longer says anything of %s, so %s has more than before", k.addr, k.what, members[0])
		}
		if o := a.b.desired.Objects[k.addr]; o != nil {
			f.Range = o.Decl
		}
		a.found = append(a.found, f)
	}
}

// raised returns whose value of a setting rises, of those for whom the scope of
// the move spoke.
func (a *analysis) raised(b access.Bound) []int32 {
	last := len(a.from) - 1
	s := a.from[last]
	var list []int32
	for m := range a.model.Members {
		i := int32(m)
		spoke := b.Kind == access.MoveDefault || b.Kind == access.MoveSettingCeiling || b.Kind == access.MoveMemberSetting && b.Member == i ||
			b.Kind == access.MoveSeatSetting && s.Seat[i] == b.Seat || b.Kind == access.MoveGroupSetting && slices.Contains(s.Memberships[i], b.Group)
		if had := a.before[last].Setting(i, b.Setting); spoke && had != access.Unset && a.then[last].Setting(i, b.Setting) > had {
			list = append(list, i)
		}
	}
	return list
}

// widened returns whose level of a permission rises, of those in the group of
// the move.
func (a *analysis) widened(b access.Bound) []int32 {
	last := len(a.from) - 1
	u := a.model.Universe
	var list []int32
	for m := range a.model.Members {
		i := int32(m)
		if slices.Contains(a.from[last].Memberships[i], b.Group) && u.Get(a.then[last].Access(i), b.Perm) > u.Get(a.before[last].Access(i), b.Perm) {
			list = append(list, i)
		}
	}
	return list
}

// opened finds what opens whatever is added tomorrow at the highest level: a
// new role that does (permissive-default), or people who come to it
// (new-connector-exposure).
func (a *analysis) opened() {
	u := a.model.Universe
	p := a.picture()
	for i := range u.Len() {
		perm := access.Perm(i)
		key, scale := u.Key(perm), u.Permission(perm).Scale
		kind, isStar := strings.CutSuffix(key, ".*")
		if !isStar || strings.ContainsAny(kind, ".[") || len(scale.Levels) < 3 {
			continue // the star of a whole kind of permission with levels in between
		}
		a.newRoles(p, perm, kind)
		for _, c := range a.plan.Access {
			if c.Permission != key || c.Direction != "gain" && c.Direction != "raise" || c.To != scale.Levels[scale.Top()] {
				continue
			}
			var members []string
			var role schema.Address
			for _, b := range c.Because {
				if len(b.Via) > 1 { // through a group, not by what they are in the organization
					members = append(members, b.Member)
					role = cmp.Or(role, b.Via[len(b.Via)-1])
				}
			}
			if len(members) == 0 || a.created(role) {
				continue
			}
			f := &finding{Rule: "new-connector-exposure", Members: members, Address: role, Range: p.starRange(role, perm),
				Message: fmt.Sprintf("whatever %s is added later, %s would have all of it at %s at once", kind, who(members), c.To),
				Fix:     fmt.Sprintf("write %s_default = \"custom\" or a lower level in %s, or leave them out of it", kind, role)}
			a.found = append(a.found, f)
		}
	}
}

// created reports whether the plan creates an object; what a new role opens is
// said of the role.
func (a *analysis) created(addr schema.Address) bool {
	return slices.ContainsFunc(a.changes, func(c *schema.Change) bool { return c.Addr == addr && c.Action == schema.Create })
}

// newRoles finds roles that are created with everything open.
func (a *analysis) newRoles(p *Picture, perm access.Perm, kind string) {
	u := a.model.Universe
	scale := u.Permission(perm).Scale
	for _, c := range a.changes {
		if c.Action != schema.Create {
			continue
		}
		for i, name := range a.model.Sources {
			if sourceAddress(name) != c.Addr || u.Get(a.last().Grants[i], perm) < scale.Top() {
				continue
			}
			a.found = append(a.found, &finding{Rule: "permissive-default", Address: c.Addr, Range: p.starRange(c.Addr, perm),
				Message: fmt.Sprintf("%s is new and opens every %s, today's and tomorrow's, at %s", c.Addr, kind, scale.Levels[scale.Top()]),
				Fix:     "write a lower level as its default, or \"custom\" if it only adds to other roles"})
		}
	}
}

// starRange returns where a role says what it says of a star.
func (p *Picture) starRange(role schema.Address, perm access.Perm) hcl.Range {
	for i, name := range p.Model.Sources {
		if sourceAddress(name) == role && p.Model.Universe.Get(p.Readings[0].Grants[i], perm) > 0 {
			return p.says(int32(i), perm, p.Model.Universe.Permission(perm).Scale.Top())
		}
	}
	return p.at(role)
}

// largeGroups finds groups that are filled by hand with more people than an
// hour of requests.
func (a *analysis) largeGroups() {
	joins := map[schema.Address][]schema.Step{}
	var order []schema.Address
	for i := range a.steps {
		if _, held := a.schedule.Held[i]; held || a.steps[i].Via == schema.ByConsole {
			continue
		}
		for _, v := range a.steps[i].Moves {
			if v.Kind == access.MoveMembership && v.To == access.In {
				addr := schema.Address(v.Group)
				if joins[addr] == nil {
					order = append(order, addr)
				}
				joins[addr] = append(joins[addr], a.steps[i])
				break
			}
		}
	}
	slices.Sort(order)
	for _, addr := range order {
		seconds := a.System.Pace(a.b.live, []schema.Batch{{Steps: joins[addr]}})[0].Seconds
		if seconds <= 3600 {
			continue
		}
		f := &finding{Rule: "large-direct-group", Address: addr,
			Message: fmt.Sprintf("putting %s into %s by hand takes %d minutes of requests", schema.CountPeople(len(joins[addr])), addr, seconds/60),
			Fix:     "let the identity provider fill it: source = \"scim\""}
		if o := a.b.desired.Objects[addr]; o != nil {
			f.Range = o.Where("members")
		}
		a.found = append(a.found, f)
	}
}
