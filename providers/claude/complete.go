package claude

import (
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// Complete takes over from the configuration what no read shows: connectors
// with their policy, who has which seat, the spend ceiling, what a role holds
// under its default, descriptions, and rows of features that are off and stay
// off. It works out the individual limits that groups enforce.
func (s *System) Complete(live, desired *schema.State) {
	for addr, want := range desired.Objects {
		have := live.Objects[addr]
		switch want.Type {
		case "connector":
			s.completeConnector(have, want, live)
		case "seat_tier":
			completeSeat(have, want, live)
		case "spend":
			completeSpend(have, want, live)
		case "role_mapping":
			if have == nil {
				live.Add(want.Clone())
				live.Unread = append(live.Unread, schema.Unread{What: "whether " + string(addr) + " is in force", Affects: "whom the identity provider moves to another organization role",
					Why: "no API shows mappings: what the configuration says is taken on trust"})
			}
		case "role":
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

// completeConnector takes the tools, and the policy as far as the activity
// feed does not tell it, from the configuration.
func (s *System) completeConnector(have, want *schema.Object, live *schema.State) {
	if !want.Described() {
		return
	}
	trust := func() {
		if want.Get(attrPolicy).AsText() != "always_allow" || len(want.Get(attrToolPolicy).AsMap()) > 0 {
			live.Unread = append(live.Unread, schema.Unread{
				What:    "the organization's tool policy of " + string(want.Addr),
				Why:     "no API shows it: what the configuration says is taken on trust",
				Affects: "the ceiling of " + permConnector(s.connectorLabel(want.Key)),
			})
		}
	}
	if have == nil {
		live.Add(want.Clone())
		trust()
		return
	}
	have.Put(attrTools, want.Get(attrTools))
	if !have.Get(attrPolicy).Known() {
		have.Put(attrPolicy, want.Get(attrPolicy))
		trust()
	}
	if !have.Get(attrToolPolicy).Known() {
		have.Put(attrToolPolicy, want.Get(attrToolPolicy))
	}
}

// completeSeat takes from the configuration who has a seat and what it
// excludes, which is constant during a plan. A seat tier without a limit is
// not in any reply.
func completeSeat(have, want *schema.Object, live *schema.State) {
	if !want.Described() {
		return
	}
	if have == nil {
		have = want.Clone()
		have.Put(attrLimit, schema.Absent)
		if spend := live.Objects[spendAddress]; spend != nil && spend.Get(attrLimit).Kind() == schema.KindUnavailable {
			have.Put(attrLimit, spend.Get(attrLimit))
		}
		live.Add(have)
	}
	have.Put(attrExcludes, want.Get(attrExcludes))
	have.Put(attrMembers, want.Get(attrMembers))
}

// completeSpend takes the ceiling and the precedence from the configuration.
func completeSpend(have, want *schema.Object, live *schema.State) {
	if have == nil {
		return
	}
	for _, attr := range []string{attrCeiling, attrPrecedence} {
		if v := want.Get(attr); v.Known() {
			have.Put(attr, v)
		}
	}
	if want.Get(attrCeiling).Known() {
		live.Unread = append(live.Unread, schema.Unread{What: "the organization's spend ceiling", Affects: "the limit of members who have a higher one or none",
			Why: "no API tells it apart from the default limit: what the configuration says is taken on trust"})
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
		if v.Kind() != schema.KindUnavailable || attr == attrEnabled || want.Attrs[attr].Kind() == schema.KindUnavailable {
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
		if !want.Get(attrEnabled).AsBool() { // nothing would ever show that it was switched off
			o.Put(attrEnabled, schema.Bool(false))
			live.Unread = append(live.Unread, schema.Unread{What: "whether " + string(o.Addr) + " is off", Why: v.Why() + "; the configuration's word is taken",
				Affects: "who has " + permCapability(s.words.label(o.Key)) + " now", Unverified: true, Addr: o.Addr,
				Fix: "look it up under Organization settings › Capabilities"})
			continue
		}
		live.Unread = append(live.Unread, schema.Unread{What: "whether " + string(o.Addr) + " is on", Why: v.Why(),
			Affects: "who has " + permCapability(s.words.label(o.Key)) + " now"})
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
	if below := want.Get(attrBelow); below.Known() && s.sameRows(have, want) {
		have.Put(attrBelow, below)
		live.Unread = append(live.Unread, schema.Unread{
			What:       "levels under the connector default of " + string(want.Addr),
			Why:        "the API has no row for them: what the configuration says is taken on trust",
			Affects:    "the tools of " + strings.Join(slices.Sorted(maps.Keys(below.AsMap())), ", "),
			Unverified: true, Addr: want.Addr, Fix: "look them up in the console: " + belowText(below),
		})
	}
	if !have.Get(attrCapabilities).Known() || !want.Get(attrCapabilities).Known() {
		return
	}
	visible := have.Get(attrCapabilities).AsSet()
	for _, label := range want.Get(attrCapabilities).AsSet() {
		now, then := live.Objects[schema.MakeAddress("feature", label, "")], desired.Objects[schema.MakeAddress("feature", label, "")]
		off := now != nil && now.Get(attrEnabled).Known() && !now.Get(attrEnabled).AsBool()
		stays := then == nil || !then.Get(attrEnabled).AsBool()
		if off && stays && !slices.Contains(visible, label) { // as long as it is off, its row can never be seen
			visible = append(slices.Clone(visible), label)
		}
	}
	have.Put(attrCapabilities, schema.Set(visible...))
}

// belowText says what stands under a role's default, as the console shows it.
func belowText(below schema.Value) string {
	var list []string
	for _, label := range slices.Sorted(maps.Keys(below.AsMap())) {
		list = append(list, label+" on “"+levelTitle[below.AsMap()[label]]+"”")
	}
	return strings.Join(list, ", ")
}

// sameRows reports whether the rows that can be read are those that are
// wanted.
func (s *System) sameRows(have, want *schema.Object) bool {
	for _, a := range []string{attrConnectorDefault, attrConnectors, attrTools} {
		if want.Get(a).Known() && !want.Get(a).Equal(have.Get(a)) {
			return false
		}
	}
	return true
}
