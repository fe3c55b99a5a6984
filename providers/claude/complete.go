package claude

import (
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// Complete says of everything that the configuration describes and no read
// shows whether it is known: what was confirmed is in live already, the rest is
// unknown, and a step. It takes over what is declared of the product rather
// than wanted of it: the tools of connectors, what a seat excludes,
// descriptions, rows of features that are off and stay off. And it works out
// the individual limits that groups enforce.
func (s *System) Complete(live, desired *schema.State) {
	for _, addr := range slices.Sorted(maps.Keys(desired.Objects)) {
		want := desired.Objects[addr]
		have := live.Objects[addr]
		switch want.Type {
		case "connector":
			s.completeConnector(have, want, live)
		case "seat_tier":
			completeSeat(have, want, live)
		case "spend":
			completeSpend(have, want, live)
		case "role_mapping":
			if have == nil && want.Described() {
				unconfirmed(live, want, []string{"map"}, "whether "+string(addr)+" is in force", "whom the identity provider moves to another organization role",
					"look it up under "+mappingsPage)
			}
		case "role":
			completeBelow(have, want, live)
			if have != nil {
				s.completeRole(have, want, live, desired)
			}
		}
		if have != nil {
			unreadable(have, want, live)
		}
	}
	s.seatsUnknown(live, desired)
	s.enforce(live, desired)
	s.unknownToggles(live, desired)
	slices.SortFunc(live.Unread, func(a, b schema.Unread) int { return strings.Compare(a.What, b.What) })
}

// unconfirmed notes that something is unknown until somebody confirms it. Steps
// are those that ask for it, without the address; fix says where to look.
func unconfirmed(live *schema.State, want *schema.Object, steps []string, what, affects, fix string) {
	ids := make([]string, len(steps))
	for i, step := range steps {
		ids[i] = string(want.Addr) + "/" + step
	}
	fix += ", and where it is as described: rolecall confirm " + strings.Join(ids, " ")
	live.Unread = append(live.Unread, schema.Unread{What: what, Why: nobodyConfirmed, Affects: affects, Unverified: true, Addr: want.Addr, Fix: fix})
}

const nobodyConfirmed = "no API shows it, and nobody confirmed it since it was last changed"

// doubtful reports whether an attribute that is wanted is one that only a
// confirmation shows, and there is none; have then says so.
func doubtful(have, want *schema.Object, attr string) bool {
	if !want.Get(attr).Known() || have.Get(attr).Known() {
		return false
	}
	have.Put(attr, schema.Unavailable(nobodyConfirmed))
	return true
}

// completeConnector takes the tools from the configuration, since no read shows
// them. The policy is known as far as the activity feed or the ledger tells it.
func (s *System) completeConnector(have, want *schema.Object, live *schema.State) {
	if !want.Described() {
		return
	}
	if have == nil {
		have = &schema.Object{Type: want.Type, Addr: want.Addr, ID: want.ID, Key: want.Key}
		live.Add(have)
	}
	have.Put(attrTools, want.Get(attrTools))
	all, some := doubtful(have, want, attrPolicy), doubtful(have, want, attrToolPolicy)
	if all || some {
		var steps []string
		blocked := slices.Contains(slices.Collect(maps.Values(want.Get(attrToolPolicy).AsMap())), connectorLevels[0])
		if some && blocked {
			steps = append(steps, "lower")
		}
		if all || !blocked {
			steps = append(steps, "policy")
		}
		unconfirmed(live, want, steps, "the organization's tool policy of "+string(want.Addr), "the ceiling of "+permConnector(s.connectorLabel(want.Key)),
			"look it up under "+connectorsPage)
	}
}

// completeSeat takes from the configuration what a seat excludes. A seat tier
// without a limit is not in any reply, and who has it in none at all.
func completeSeat(have, want *schema.Object, live *schema.State) {
	if !want.Described() {
		return
	}
	if have == nil {
		have = &schema.Object{Type: want.Type, Addr: want.Addr, Key: want.Key}
		have.Put(attrLimit, schema.Absent)
		if spend := live.Objects[spendAddress]; spend != nil && spend.Get(attrLimit).Kind() == schema.KindUnavailable {
			have.Put(attrLimit, spend.Get(attrLimit))
			if want.Get(attrLimit).Known() {
				want.Put(attrLimit, spend.Get(attrLimit))
			}
		}
		live.Add(have)
	}
	have.Put(attrExcludes, want.Get(attrExcludes))
	if doubtful(have, want, attrMembers) {
		unconfirmed(live, want, []string{"members"}, "who has "+string(want.Addr), "what these people can have at most, and their limit",
			"look them up under "+membersPage)
	}
}

// completeSpend says whether the ceiling and the precedence are known.
func completeSpend(have, want *schema.Object, live *schema.State) {
	if have == nil {
		return
	}
	if doubtful(have, want, attrCeiling) {
		unconfirmed(live, want, []string{"ceiling"}, "the organization's spend ceiling", "the limit of members who have a higher one or none",
			"look it up under "+usagePage)
	}
	if doubtful(have, want, attrPrecedence) {
		unconfirmed(live, want, []string{"precedence"}, "which of several group limits wins", "the limit of members of several groups with limits",
			"look it up under "+defaultsPage)
	}
}

// seatsUnknown says whose limits hang on a seat that nothing declares.
func (s *System) seatsUnknown(live, desired *schema.State) {
	for _, o := range live.Of("seat_tier") {
		want := desired.Objects[o.Addr]
		if o.Get(attrLimit).Known() && (want == nil || !want.Described() || !want.Get(attrMembers).Known()) {
			live.Unread = append(live.Unread, schema.Unread{What: "who has which seat", Why: "no API shows the seat of a member",
				Affects: "the limit of members who would inherit that of the seat tier " + o.Key})
		}
	}
}

// enforce works out the individual limits of members: of the groups that
// enforce theirs on each member, the lowest or the highest, as for limits of
// groups. What a member block says goes before them. A limit that only a group
// explained goes with the membership.
func (s *System) enforce(live, desired *schema.State) {
	own := map[string]bool{}
	for _, b := range s.config.Of("member") {
		if len(b.Of("spend_limit")) > 0 {
			own[strings.ToLower(b.Label)] = true
			for _, e := range b.Texts("previous_emails") {
				own[strings.ToLower(e)] = true
			}
		}
	}
	amounts, left := map[string]schema.Value{}, map[string][]schema.Value{}
	for _, g := range desired.Of("group") {
		v := g.Get(attrEnforced)
		have := live.Objects[g.Addr]
		if !v.Known() {
			continue
		}
		for _, email := range g.Get(attrMembers).AsSet() {
			if now, ok := amounts[email]; !ok || s.decides(v, now) {
				amounts[email] = v
			}
		}
		if have == nil {
			continue
		}
		have.Put(attrEnforced, v)
		for _, email := range have.Get(attrMembers).AsSet() {
			if !g.Get(attrMembers).Has(email) {
				left[email] = append(left[email], v)
			}
		}
	}
	for _, m := range desired.Of("member") {
		have := live.Objects[m.Addr]
		if own[m.Key] || have == nil || have.Get(attrLimit).Kind() == schema.KindUnavailable {
			continue
		}
		now := have.Get(attrLimit)
		switch v, enforced := amounts[m.Key]; {
		case enforced:
			m.Put(attrLimit, v)
		case !now.Known():
		case s.limits == "remove", slices.ContainsFunc(left[m.Key], now.Equal):
			m.Put(attrLimit, schema.Absent)
		}
	}
}

// decides reports whether limit v goes before w where a member has both.
func (s *System) decides(v, w schema.Value) bool {
	a, errA := parseLimit(v)
	b, errB := parseLimit(w)
	if errA != nil || errB != nil {
		return false
	}
	if s.precedence == "highest" {
		return a > b
	}
	return a < b
}

// unreadable keeps what could not be read out of the plan: it is no difference,
// and nothing is taken away on the strength of it.
func unreadable(have, want *schema.Object, live *schema.State) {
	for _, attr := range slices.Sorted(maps.Keys(want.Attrs)) {
		v := have.Get(attr)
		if v.Kind() != schema.KindUnavailable || slices.Contains(confirmable[want.Type], attr) || want.Attrs[attr].Kind() == schema.KindUnavailable {
			continue
		}
		want.Put(attr, v)
		live.Unread = append(live.Unread, schema.Unread{
			What: attr + " of " + string(want.Addr), Why: v.Why(), Affects: "whether it is as described", Asked: true,
		})
	}
}

// unknownToggles lists the features of which it is not known whether they are
// on: those that the configuration describes one by one, the others together.
func (s *System) unknownToggles(live, desired *schema.State) {
	others := map[string][]string{} // features that no block describes, by what is in the way
	for _, o := range live.Of("feature") {
		v := o.Get(attrEnabled)
		if v.Known() {
			continue
		}
		want := desired.Objects[o.Addr]
		if want == nil || !want.Described() {
			others[v.Why()] = append(others[v.Why()], s.words.label(o.Key))
			continue
		}
		what, verb := "whether "+string(o.Addr)+" is on", "on"
		if !want.Get(attrEnabled).AsBool() {
			what, verb = "whether "+string(o.Addr)+" is off", "off"
		}
		live.Unread = append(live.Unread, schema.Unread{What: what, Why: v.Why() + ", and nobody confirmed it",
			Affects: "who has " + permCapability(s.words.label(o.Key)) + " now", Unverified: true, Addr: o.Addr,
			Fix: "look it up under " + capabilitiesPage + ", and where it is as described: rolecall confirm " + string(o.Addr) + "/" + verb})
	}
	for _, why := range slices.Sorted(maps.Keys(others)) {
		live.Unread = append(live.Unread, schema.Unread{What: "whether features that no block describes are on: " + strings.Join(others[why], ", "),
			Why: why, Affects: "who has them now"})
	}
}

func (s *System) completeRole(have, want *schema.Object, live, desired *schema.State) {
	if v := want.Get(attrDescription); v.Known() {
		have.Put(attrDescription, v)
	}
	if !have.Get(attrCapabilities).Known() || !want.Get(attrCapabilities).Known() {
		return
	}
	visible := have.Get(attrCapabilities).AsSet()
	var assumed []string
	for _, label := range want.Get(attrCapabilities).AsSet() {
		now, then := live.Objects[schema.MakeAddress("feature", label, "")], desired.Objects[schema.MakeAddress("feature", label, "")]
		off := now != nil && now.Get(attrEnabled).Known() && !now.Get(attrEnabled).AsBool()
		stays := then == nil || !then.Get(attrEnabled).AsBool()
		if off && stays && !slices.Contains(visible, label) { // as long as it is off, its row can never be seen
			assumed = append(assumed, label)
		}
	}
	if len(assumed) > 0 {
		have.Put(attrCapabilities, schema.Set(slices.Concat(visible, assumed)...))
		have.Put(attrAssumed, schema.Set(assumed...))
	}
}

// belowText says what stands under a role's default, as the console shows it.
func belowText(below schema.Value) string {
	var list []string
	for _, label := range slices.Sorted(maps.Keys(below.AsMap())) {
		list = append(list, label+" on “"+levelTitle[below.AsMap()[label]]+"”")
	}
	return strings.Join(list, ", ")
}

// completeBelow compares what a role holds under its default with what was
// confirmed of it, since no row shows it. As long as nothing was, it is not
// known whether any of the levels that are wanted is in force.
func completeBelow(have, want *schema.Object, live *schema.State) {
	below := want.Get(attrBelow)
	if len(below.AsMap()) == 0 && (have == nil || len(have.Get(attrBelow).AsMap()) == 0) {
		delete(want.Attrs, attrBelow) // nothing is wanted, and nothing is known to be there
		return
	}
	if have == nil || have.Get(attrBelow).Known() || len(below.AsMap()) == 0 {
		return
	}
	have.Put(attrBelow, schema.Absent)
	have.Put(attrUnsure, below)
	unconfirmed(live, want, []string{"take"}, "levels under the connector default of "+string(want.Addr),
		"the tools of "+strings.Join(slices.Sorted(maps.Keys(below.AsMap())), ", "), "look them up in the console: "+belowText(below))
}
