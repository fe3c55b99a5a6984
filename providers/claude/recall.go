package claude

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/schema"
)

// confirmable are the attributes that no read shows. What somebody confirmed of
// them is in the ledger, and holds until the activity feed tells of a change.
// Nothing is taken on trust: what is neither confirmed nor told is unknown.
var confirmable = map[string][]string{
	"spend":        {attrCeiling, attrPrecedence},
	"connector":    {attrPolicy, attrToolPolicy},
	"feature":      {attrEnabled},
	"role":         {attrBelow},
	"seat_tier":    {attrMembers},
	"role_mapping": {attrRole},
}

// eventsOfLedger are the types of activity that take back what was confirmed.
// They are only asked for where something was.
//
// Source: Compliance API reference, activities; read 2026-11-22.
var eventsOfLedger = map[string][]string{
	"spend":        {"extra_usage_spend_limit_created", "extra_usage_spend_limit_updated", "extra_usage_spend_limit_deleted"},
	"seat_tier":    {"claude_user_seat_tier_updated"},
	"role_mapping": {"org_sso_group_role_mappings_updated"},
}

// doubts returns the types of activity to ask for because of what is in a
// ledger, sorted.
func doubts(l *ledger.Ledger) []string {
	var types []string
	for _, e := range l.Entries() {
		types = append(types, eventsOfLedger[e.Object.Type()]...)
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// recall puts into a live state what was confirmed of what no read shows, as
// far as the activity feed does not tell of a change after that.
func (s *System) recall(st *schema.State, snap *Snapshot, l *ledger.Ledger) {
	if l.Empty() {
		return
	}
	spend := st.Objects[spendAddress]
	for _, attr := range confirmable["spend"] {
		changed := time.Time{}
		if attr == attrCeiling {
			changed = ceilingChanged(snap)
		}
		if e, ok := l.Lookup(spendAddress, attr, changed); ok {
			spend.Put(attr, e.Value)
		}
	}
	for _, o := range st.Of("feature") {
		if e, ok := l.Lookup(o.Addr, attrEnabled, time.Time{}); ok && !o.Get(attrEnabled).Known() {
			o.Put(attrEnabled, e.Value) // what any read shows goes before
		}
	}
	for _, label := range slices.Sorted(maps.Keys(s.connectors)) {
		s.recallPolicy(st, snap, l, label)
	}
	s.recallRoles(st, snap, l)
	s.recallSeats(st, snap, l)
	recallMappings(st, snap, l)
}

// eventFields are the fields of events that recall looks at.
type eventFields struct {
	Server    string  `json:"mcp_server_id"`
	Tool      string  `json:"tool_name"`
	Level     *string `json:"max_permission"`
	LimitType string  `json:"limit_type"`
	LimitID   string  `json:"spend_limit_id"`
	Email     string  `json:"user_email"`
	SeatWas   string  `json:"previous_seat_tier"`
	Seat      string  `json:"current_seat_tier"`
	Actor     struct {
		Type string `json:"type"`
	} `json:"actor"`
}

// of returns the events of a type with their fields, newest first.
func (s *Snapshot) of(types ...string) []struct {
	At time.Time
	eventFields
} {
	var list []struct {
		At time.Time
		eventFields
	}
	for _, e := range s.Events {
		var f eventFields
		if slices.Contains(types, e.Type) && json.Unmarshal(e.Fields, &f) == nil {
			list = append(list, struct {
				At time.Time
				eventFields
			}{e.At, f})
		}
	}
	return list
}

// ceilingChanged returns when a limit of the whole organization was last
// changed, other than the one that the list of limits shows. The deletion of a
// limit does not say which it was; a key can only delete limits of people.
//
// Source: Compliance API reference, extra_usage_spend_limit_*; Spend Limits API
// reference, delete; read 2026-11-22.
func ceilingChanged(snap *Snapshot) time.Time {
	shown, kinds := map[string]bool{}, map[string]string{}
	for _, l := range snap.SpendLimits {
		shown[l.ID] = true
	}
	list := snap.of(eventsOfLedger["spend"]...)
	for _, e := range list {
		if e.LimitID != "" && e.LimitType != "" {
			kinds[e.LimitID] = e.LimitType
		}
	}
	for _, e := range list {
		kind := e.LimitType
		if kind == "" {
			kind = kinds[e.LimitID]
		}
		switch {
		case e.LimitID != "" && shown[e.LimitID]: // a read shows what became of it
		case kind == "organization", kind == "" && e.Actor.Type != "api_actor":
			return e.At
		}
	}
	return time.Time{}
}

// recallPolicy takes the confirmed policy of a connector, and on top of it what
// the feed tells of later changes.
func (s *System) recallPolicy(st *schema.State, snap *Snapshot, l *ledger.Ledger, label string) {
	addr, id := schema.MakeAddress("connector", label, ""), s.connectors[label]
	o := st.Objects[addr]
	put := func(attr string, v schema.Value) {
		if o == nil {
			o = &schema.Object{Type: "connector", Addr: addr, ID: id, Key: id}
			st.Add(o)
		}
		o.Put(attr, v)
	}
	var all time.Time // when the policy for all tools was last changed
	tools, ok := l.Lookup(addr, attrToolPolicy, time.Time{})
	policy := maps.Clone(tools.Value.AsMap())
	if policy == nil {
		policy = map[string]string{}
	}
	strange := false
	for _, e := range slices.Backward(snap.of("mcp_tool_policy_updated")) { // oldest first
		level, known := policyLevel[deref(e.Level)]
		switch {
		case e.Server != id:
		case e.Tool == "*":
			all = e.At
		case !tools.At.Before(e.At): // was confirmed after it
		case known:
			policy[e.Tool] = level
		case e.Level == nil:
			delete(policy, e.Tool)
		default:
			strange = true
		}
	}
	if e, ok := l.Lookup(addr, attrPolicy, all); ok {
		put(attrPolicy, e.Value)
	}
	if ok && !strange {
		put(attrToolPolicy, schema.Map(policy))
	}
}

// recallRoles takes the confirmed levels under the default of a role. Every
// edit of a role after that puts them in doubt.
func (s *System) recallRoles(st *schema.State, snap *Snapshot, l *ledger.Ledger) {
	changed := map[string]time.Time{}
	for _, r := range snap.Roles {
		if at, err := parseTime(r.UpdatedAt); err == nil {
			changed[r.ID] = at
		}
	}
	for _, b := range s.config.Of("role") {
		o := liveRole(st, b)
		if o == nil {
			continue
		}
		if e, ok := l.Lookup(b.Addr, attrBelow, changed[o.ID]); ok {
			o.Put(attrBelow, e.Value)
		}
	}
}

// liveRole returns the live role that a block describes, nil if there is none
// or more than one.
func liveRole(st *schema.State, b *schema.Described) *schema.Object {
	names := append([]string{schema.NormalizeText(b.Text("name", nameOf(b)))}, b.Texts("previous_names")...)
	for _, name := range names {
		var found []*schema.Object
		for _, o := range st.Of("role") {
			if id := b.Text("id", ""); id != "" && o.ID == id || id == "" && o.Key == name {
				found = append(found, o)
			}
		}
		if len(found) == 1 {
			return found[0]
		}
	}
	return nil
}

// nameOf returns the name of an object whose block writes none.
func nameOf(b *schema.Described) string {
	if b.Key == "" {
		return b.Label
	}
	return b.Label + " " + b.Key
}

// recallSeats takes who was confirmed to have a seat, and whom the feed tells
// to have got or lost it since. Whoever is not a member any more has none.
//
// Source: Admin API reference, remove user: it frees the seat; read 2026-11-22.
func (s *System) recallSeats(st *schema.State, snap *Snapshot, l *ledger.Ledger) {
	for _, b := range s.config.Of("seat_tier") {
		e, ok := l.Lookup(b.Addr, attrMembers, time.Time{})
		if !ok {
			continue
		}
		key := b.Text("id", b.Label)
		members := slices.Clone(e.Value.AsSet())
		for _, x := range slices.Backward(snap.of("claude_user_seat_tier_updated")) { // oldest first
			email, _ := canonical(x.Email)
			if !e.At.Before(x.At) {
				continue
			}
			members = slices.DeleteFunc(members, func(m string) bool { return m == email })
			if x.Seat == key {
				members = append(members, email)
			}
		}
		members = slices.DeleteFunc(members, func(m string) bool { return st.Objects[memberAddress(m)] == nil })
		seatObject(st, b, key).Put(attrMembers, schema.Set(members...))
	}
}

// seatObject returns the live seat tier of a name. One without a limit is in no
// reply.
func seatObject(st *schema.State, b *schema.Described, key string) *schema.Object {
	for _, o := range st.Of("seat_tier") {
		if o.Key == key {
			return o
		}
	}
	o := &schema.Object{Type: "seat_tier", Addr: b.Addr, Key: key}
	o.Put(attrLimit, schema.Absent)
	if v := st.Objects[spendAddress].Get(attrLimit); v.Kind() == schema.KindUnavailable {
		o.Put(attrLimit, v)
	}
	st.Add(o)
	return o
}

// recallMappings takes the confirmed mappings of the identity provider. The
// feed tells that mappings were changed, and not which.
func recallMappings(st *schema.State, snap *Snapshot, l *ledger.Ledger) {
	var changed time.Time
	for _, e := range snap.Events { // newest first
		if e.Type == "org_sso_group_role_mappings_updated" {
			changed = e.At
			break
		}
	}
	for _, e := range l.Entries() {
		if e.Object.Type() != "role_mapping" || e.Field != attrRole || e.Outdated(changed) {
			continue
		}
		o := &schema.Object{Type: "role_mapping", Addr: e.Object, Key: string(e.Object)}
		if is, ok := l.Lookup(e.Object, "", changed); ok {
			o.Key = is.Value.AsText()
		}
		o.Put(attrRole, e.Value)
		st.Add(o)
	}
}
