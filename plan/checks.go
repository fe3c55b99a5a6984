package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// checks runs every check on the plan.
func (a *analysis) checks() {
	a.uncovered()
	a.conflicts()
	a.unmigrated()
	a.tooMany()
	a.unmanaged()
	a.unsafeOrder()
	a.unverifiedOrder()
	a.joinersExposed()
	a.unread()
	a.deletesUnread()
	p := a.picture()
	a.voidGrants(p)
	a.redundant(p)
	a.withoutEffect()
	a.settingsSaid()
	a.expiring()
	a.tagged()
	a.unusedGroups()
	a.joiners()
	a.authorGains()
	a.wideningRemoval()
	a.opened()
	a.largeGroups()
	a.exclusive()
	a.tests(p)
}

// inspect runs the system's own checks.
func (a *analysis) inspect() {
	c, ok := a.System.(Checker)
	if !ok {
		return
	}
	for _, f := range c.Check(schema.Inspection{Live: a.b.live, Desired: a.b.desired, Changes: a.changes, Now: a.Now}) {
		a.found = append(a.found, &finding{
			Rule: f.Rule, Severity: Severity(f.Severity), Message: f.Message, Address: f.Address, About: f.About,
			Range: f.Range, Members: f.Members, Fix: f.Fix,
		})
	}
}

// uncovered finds members who are governed by roles and have none that gives
// them anything. Made so by this plan it is an error; if they were so before,
// a warning; if only a held step would make them so, a warning too.
func (a *analysis) uncovered() {
	last := len(a.to) - 1
	bare := func(s *access.State, v *access.View, m int32) bool {
		n := access.Granted(a.model, s, m)
		return n == 0 || n > 0 && v.Access(m).Empty()
	}
	var made, were, will []string
	for i, email := range a.model.Members {
		m := int32(i)
		if !bare(a.to[last], a.end[last], m) {
			continue
		}
		switch {
		case bare(a.from[last], a.before[last], m):
			were = append(were, email)
		case bare(a.after[last], a.then[last], m):
			made = append(made, email)
		default:
			will = append(will, email)
		}
	}
	fix := "put them into a group that has a role, or leave them out of the migration"
	text := [3]string{"%s would be governed by custom roles without a role that gives them anything",
		"%s: governed by custom roles already, without a role that gives them anything",
		"%s would be left without a role that gives them anything, once what is held is carried out"}
	if !a.byRoles() {
		fix = "put them into a group that gives them something, or accept that they have nothing"
		text = [3]string{"%s would have access to nothing: nothing gives them anything any more",
			"%s: access to nothing already, because nothing gives them anything",
			"%s would be left with access to nothing, once what is held is carried out"}
	}
	add := func(list []string, sev Severity, format string) {
		if len(list) > 0 {
			a.found = append(a.found, &finding{Rule: "uncovered-member", Severity: sev, Members: list, Fix: fix,
				Range: a.whereUncovered(list[0]), Message: fmt.Sprintf(format, who(list))})
		}
	}
	add(made, Error, text[0])
	add(were, Warning, text[1])
	add(will, Warning, text[2])
}

// whereUncovered returns the wave that moves a member, or the group that has
// no role.
func (a *analysis) whereUncovered(email string) (r hclRange) {
	if as, ok := a.b.waves[memberAddress(email)]; ok {
		return as.Decl
	}
	for _, o := range a.Description.Objects {
		if want := a.b.desired.Objects[o.Addr]; want != nil && want.Get("members").Has(email) {
			return o.Decl
		}
	}
	return r
}

// who names one person, or the first of several and how many more.
func who(list []string) string {
	switch len(list) {
	case 1:
		return list[0]
	case 2:
		return list[0] + " and " + list[1]
	}
	return fmt.Sprintf("%s people (%s, …)", schema.Thousands(len(list)), list[0])
}

// conflicts finds two roles that meet in a member and state different levels
// for the same thing. Roles add up, so the stricter statement does nothing. A
// row above another role's default is what additive roles are for, and silent;
// a row below it is void.
func (a *analysis) conflicts() {
	bySource := map[schema.Address][]schema.Statement{}
	for _, s := range a.Description.Statements {
		bySource[s.Source] = append(bySource[s.Source], s)
	}
	sources := slices.Sorted(maps.Keys(bySource))
	for i, x := range sources {
		for _, y := range sources[i+1:] {
			if disputes := a.disputes(bySource[x], bySource[y]); len(disputes) > 0 {
				a.conflict(x, y, disputes)
			}
		}
	}
}

// A dispute is two statements that contradict each other.
type dispute struct {
	perm         string
	weak, strong schema.Statement
}

func (a *analysis) disputes(xs, ys []schema.Statement) []dispute {
	var list []dispute
	for _, x := range xs {
		for _, y := range ys {
			perm, ok := overlap(x.Permission, y.Permission)
			if !ok || x.Level == y.Level || shadowed(x, xs, perm) || shadowed(y, ys, perm) {
				continue
			}
			lx, ly := a.rank(x), a.rank(y)
			if lx == ly {
				continue
			}
			d := dispute{perm, x, y}
			if lx > ly {
				d.weak, d.strong = y, x
			}
			if d.weak.Default && !d.strong.Default {
				continue // an additive role raises what a base role leaves on its default
			}
			list = append(list, d)
		}
	}
	return list
}

// overlap returns the narrower of two permissions of which one covers the
// other.
func overlap(x, y string) (string, bool) {
	covers := func(wide, narrow string) bool {
		return wide == narrow || strings.HasSuffix(wide, "*") && strings.HasPrefix(narrow, strings.TrimSuffix(wide, "*"))
	}
	switch {
	case covers(x, y):
		return y, true
	case covers(y, x):
		return x, true
	}
	return "", false
}

// shadowed reports whether the same role says something more specific about
// perm than s does, so that s does not speak of it.
func shadowed(s schema.Statement, all []schema.Statement, perm string) bool {
	for _, t := range all {
		if t.Permission == s.Permission {
			continue
		}
		// t speaks of perm, or of all tools of the connector that perm belongs to
		if narrower, ok := overlap(s.Permission, t.Permission); !ok || narrower != t.Permission {
			continue
		}
		if covered, ok := overlap(t.Permission, perm); ok && covered == perm {
			return true
		}
	}
	return false
}

// rank returns the position of a statement's level in its scale.
func (a *analysis) rank(s schema.Statement) int {
	for i := range a.model.Universe.Len() {
		p := a.model.Universe.Permission(access.Perm(i))
		if _, ok := overlap(s.Permission, p.Key); !ok {
			continue
		}
		if l, ok := p.Scale.Level(s.Level); ok {
			return int(l)
		}
	}
	return 0
}

// conflict reports the disputes of two roles, if anybody has both.
func (a *analysis) conflict(x, y schema.Address, disputes []dispute) {
	var members []string
	for i, email := range a.model.Members {
		if a.has(int32(i), x) && a.has(int32(i), y) {
			members = append(members, email)
		}
	}
	if len(members) == 0 {
		return
	}
	byConnector := map[string][]dispute{}
	for _, d := range disputes {
		key := strings.TrimSuffix(d.perm, ".*")
		byConnector[key] = append(byConnector[key], d)
	}
	for _, key := range slices.Sorted(maps.Keys(byConnector)) {
		d := byConnector[key][0]
		a.found = append(a.found, &finding{
			Rule: "cross-role-conflict", Address: d.weak.Source, Range: d.weak.Decl, Members: members,
			About: []schema.Address{x, y, schema.Address(key), connectorOf(key)},
			Message: fmt.Sprintf("%s says %s for %s, but %s %s too, which says %s: roles add up, so %s wins",
				d.weak.Source, d.weak.Level, key, countHave(members), d.strong.Source, d.strong.Level, d.strong.Level),
			Fix: fmt.Sprintf("give both roles the same level for %s, or take the stricter one's members out of the groups with %s", key, d.strong.Source),
		})
	}
}

func countHave(members []string) string {
	if len(members) == 1 {
		return members[0] + ", who has it, has"
	}
	return schema.CountPeople(len(members)) + " who have it have"
}

// connectorOf returns the address of the connector that a permission is about.
func connectorOf(perm string) schema.Address {
	parts := strings.SplitN(perm, ".", 3)
	if len(parts) < 2 {
		return schema.Address(perm)
	}
	return schema.Address(parts[0] + "." + parts[1])
}

// has reports whether a role counts for a member in the end.
func (a *analysis) has(m int32, role schema.Address) bool {
	s := a.to[len(a.to)-1]
	if !a.model.Standings[s.Standing[m]].FromGroups {
		return false
	}
	for _, g := range s.Memberships[m] {
		for _, src := range s.Attached[g] {
			if a.source(src) == role {
				return true
			}
		}
	}
	return false
}

// unmigrated finds features that a plan switches on for members whose access
// does not come from roles, although roles are meant to govern it.
func (a *analysis) unmigrated() {
	from := map[string]bool{}
	for _, as := range a.Description.Assignments {
		for _, f := range as.From {
			from[f] = true
		}
	}
	last := len(a.to) - 1
	u := a.model.Universe
	for _, c := range a.changes {
		if c.After == nil || c.Before == nil || c.Addr.Type() != "feature" || !c.After.Get("enabled").AsBool() {
			continue
		}
		for i := range a.steps {
			if a.steps[i].Addr != c.Addr {
				continue
			}
			for _, v := range a.steps[i].Moves {
				if p, ok := u.Find(v.Permission); ok {
					a.reaches(c, p, last, from, a.schedule.Held[i])
				}
			}
		}
	}
}

func (a *analysis) reaches(c *schema.Change, p access.Perm, last int, from map[string]bool, held string) {
	u := a.model.Universe
	granted := false
	for _, set := range a.to[last].Grants {
		granted = granted || u.Get(set, p) > 0
	}
	var members, waiting []string
	for i, email := range a.model.Members {
		st := a.model.Standings[a.to[last].Standing[i]]
		if from[st.Name] && !st.FromGroups && u.Get(a.end[last].Access(int32(i)), p) > u.Get(a.before[0].Access(int32(i)), p) {
			members = append(members, email)
		}
		if now := a.model.Standings[a.after[last].Standing[i]]; from[now.Name] && st.FromGroups {
			waiting = append(waiting, email)
		}
	}
	if granted && len(members) > 0 {
		a.found = append(a.found, &finding{
			Rule: "feature-reaches-unmigrated", Address: c.Addr, Range: c.After.Decl, Members: members,
			Message: fmt.Sprintf("switching on %s gives it to %s, whose access does not come from roles", c.Addr, who(members)),
			Fix:     "add them to a wave of the migration, or accept this",
		})
	}
	if held != "" && len(waiting) > 0 {
		a.found = append(a.found, &finding{
			Rule: "feature-reaches-unmigrated", Severity: Warning, Address: c.Addr, Range: c.After.Decl, Members: waiting,
			Message: fmt.Sprintf("%s stays off for now: it would reach %s, who still wait (%s)", c.Addr, who(waiting), held),
			Fix:     "open the wave, or set enabled = false until then",
		})
	}
}

// tooMany finds more objects than the system can hold.
func (a *analysis) tooMany() {
	for _, typ := range []string{"group", "role"} {
		limit := a.System.Limits(typ)
		n := len(a.b.desired.Of(typ))
		if limit == 0 || n <= limit {
			continue
		}
		f := &finding{Rule: "group-limit", Fix: fmt.Sprintf("describe at most %d, or remove live ones first", limit),
			Message: fmt.Sprintf("there would be %d %ss, and the organization can have %d", n, typ, limit)}
		for _, c := range a.changes {
			if c.Action == schema.Create && c.Addr.Type() == typ {
				f.Address, f.Range = c.Addr, c.After.Decl
			}
		}
		a.found = append(a.found, f)
	}
}

// unsafeOrder reports that no safe order was found, or, where gaps are
// accepted, who is out of bounds for how long.
func (a *analysis) unsafeOrder() {
	amount := map[bool]string{true: "more than before and after", false: "less than before and after"}
	if len(a.schedule.Gaps) > 0 {
		for _, g := range a.schedule.Gaps {
			var members []string
			for _, m := range g.Members {
				members = append(members, a.ordered.Members[m])
			}
			f := &finding{Rule: "unsafe-order", Members: members, Much: len(members), Of: len(a.model.Members), Gap: !g.Over, Accept: "unsafe-order",
				Message: fmt.Sprintf("%s: %s of %s while stage %d of the order is carried out", who(members), amount[g.Over], g.Permission, g.From+1),
				Fix:     "split the change in two, and apply one after the other"}
			a.found = append(a.found, f)
		}
		return
	}
	violations := a.schedule.Witness
	if len(violations) == 0 {
		violations = a.schedule.Stuck
	}
	for i, u := range a.plan.Unsafe {
		if i == 5 || i == len(violations) { // the rest is in the plan's list
			break
		}
		a.found = append(a.found, &finding{Rule: "unsafe-order", Members: []string{u.Member},
			Message: fmt.Sprintf("whenever %s is carried out, %s has %s of %s for a while", u.Between[0], u.Member, amount[violations[i].Over], u.Permission),
			Fix:     "split the change in two, and apply one after the other, or accept gaps with --accept-gaps"})
	}
}

// unread reports what could not be read and was asked for, and what was taken
// on trust although nothing shows it.
func (a *analysis) unread() {
	for _, u := range a.plan.Unread {
		if u.Unverified {
			f := &finding{Rule: "unverified", Address: u.Addr, Message: fmt.Sprintf("%s: %s", u.What, u.Why), Fix: u.Fix}
			if o := a.b.desired.Objects[u.Addr]; o != nil {
				f.Range = o.Decl
			}
			a.found = append(a.found, f)
		}
		if u.Asked {
			a.found = append(a.found, &finding{Rule: "unread", Message: fmt.Sprintf("%s could not be read: %s", u.What, u.Why),
				Fix: "plan again later, or with a key that may read it"})
		}
	}
}

// deletesUnread finds objects that are deleted although it could not be read
// who has something by them. Nobody is in a group of which it was read that
// nobody is, so nothing can be lost by it.
func (a *analysis) deletesUnread() {
	for _, c := range a.changes {
		if c.Action != schema.Delete {
			continue
		}
		if members := c.Before.Get("members"); members.Kind() == schema.KindSet && len(members.AsSet()) == 0 {
			continue
		}
		var missing []string
		for _, name := range slices.Sorted(maps.Keys(c.Before.Attrs)) {
			if c.Before.Get(name).Kind() == schema.KindUnavailable {
				missing = append(missing, name)
			}
		}
		for _, g := range a.b.live.Objects {
			if c.Before.Type == "role" && g.Get("roles").Kind() == schema.KindUnavailable {
				missing = append(missing, "roles of "+string(g.Addr))
			}
		}
		slices.Sort(missing)
		if len(missing) > 0 {
			a.found = append(a.found, &finding{Rule: "unread", Severity: Error, Address: c.Addr,
				Message: fmt.Sprintf("%s is to be deleted, and not all of it could be read (%s), so who loses what is not known", c.Addr, strings.Join(missing, ", ")),
				Fix:     "plan again later, or with a key that may read it"})
		}
	}
}
