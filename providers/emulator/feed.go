package emulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// fields are the own fields of an event.
type fields map[string]any

func number(digits string) json.Number { return json.Number(digits) }

// event notes something in the activity feed, in the name of the tx's actor.
//
// Source of types and fields: Compliance API reference, activities; read
// 2026-11-22.
func (x *tx) event(kind string, own fields) error {
	n, err := x.count("feed")
	if err != nil {
		return err
	}
	e := event{ID: makeID("activity_", orderKey(n)), Type: kind, Created: x.now, Actor: x.actor,
		Fields: map[string]json.RawMessage{}}
	for name, value := range own {
		if e.Fields[name], err = encode(value); err != nil {
			return err
		}
	}
	return put(x, &x.st.feed, orderKey(n), e)
}

// consoleActor is the person at the console: the primary owner, or an owner.
func (st *state) consoleActor() map[string]any {
	actor := map[string]any{"type": "user_actor", "user_id": nil, "email_address": nil,
		"ip_address": "127.0.0.1", "user_agent": "console"}
	for _, role := range []string{"owner", "primary_owner"} {
		for _, m := range st.members.sorted(compareMembers) {
			if m.Role == role {
				actor["user_id"], actor["email_address"] = m.ID, m.Email
				break
			}
		}
	}
	return actor
}

// body is an event as the API shows it.
func (e event) body(organizationID string) map[string]any {
	b := map[string]any{}
	for name, raw := range e.Fields {
		b[name] = raw
	}
	b["id"], b["type"], b["created_at"], b["actor"] = e.ID, e.Type, stamp(e.Created), e.Actor
	b["organization_id"], b["organization_uuid"] = makeID("org_", organizationID), organizationID
	return b
}

// feedPage is the page size of the activity feed.
//
// Source: Compliance API docs, activity feed; read 2026-11-22.
var feedPage = pageSize{100, 5000}

// listActivities returns events, newest first; after_id walks to older ones.
// Reads are not noted in the feed here, though the vendor notes some.
func (c *call) listActivities() (any, error) {
	keep, err := c.feedFilter()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"after_id", "before_id"} {
		if id := c.query.Get(name); id != "" && !c.st.activity(id) {
			return nil, invalid("Invalid `%s`. No activity found for `%s` %q", name, name, id)
		}
	}
	var list []event
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(c.st.feed.rows))) {
		e := c.st.feed.rows[key]
		if keep(e) || e.ID == c.query.Get("after_id") || e.ID == c.query.Get("before_id") {
			list = append(list, e)
		}
	}
	page, more, err := paginateByID(c, feedPage, list, func(e event) string { return e.ID })
	if err != nil {
		return nil, err
	}
	bodies := []map[string]any{}
	for _, e := range page {
		if keep(e) {
			bodies = append(bodies, e.body(c.st.org().ID))
		}
	}
	return newIDPage(bodies, more, func(b map[string]any) string { return b["id"].(string) }), nil
}

func (st *state) activity(id string) bool {
	for _, e := range st.feed.rows {
		if e.ID == id {
			return true
		}
	}
	return false
}

// feedFilter reads the parameters that choose events.
func (c *call) feedFilter() (func(event) bool, error) {
	types, except := c.values("activity_types"), c.values("exclude_activity_types")
	if len(types) > 0 && len(except) > 0 {
		return nil, invalid("Only one of `activity_types` and `exclude_activity_types` can be given.")
	}
	actors, orgs := c.values("actor_ids"), c.values("organization_ids")
	bounds, err := c.bounds("created_at.", "")
	if err != nil {
		return nil, err
	}
	id := c.st.org().ID
	shown := c.now.Add(-c.s.scaled(c.s.late.delays.Feed)) // what is newer is not in the feed yet
	here := len(orgs) == 0 || slices.Contains(orgs, id) || slices.Contains(orgs, makeID("org_", id))
	return func(e event) bool {
		return here && !e.Created.After(shown) && bounds(e.Created) && !slices.Contains(except, e.Type) &&
			(len(types) == 0 || slices.Contains(types, e.Type)) &&
			(len(actors) == 0 || slices.Contains(actors, e.actorID()))
	}, nil
}

func (e event) actorID() string {
	for _, name := range []string{"user_id", "api_key_id"} {
		if id, ok := e.Actor[name].(string); ok {
			return id
		}
	}
	return ""
}

// bounds reads gte, gt, lte and lt, between a prefix and a suffix.
func (c *call) bounds(prefix, suffix string) (func(time.Time) bool, error) {
	compare := map[string]func(int) bool{
		"gte": func(i int) bool { return i >= 0 }, "gt": func(i int) bool { return i > 0 },
		"lte": func(i int) bool { return i <= 0 }, "lt": func(i int) bool { return i < 0 },
	}
	bounds := map[string]time.Time{}
	for op := range compare {
		name := prefix + op + suffix
		text := c.query.Get(name)
		if text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1))
		if err != nil {
			return nil, invalid("The `%s` parameter contains an invalid timestamp format. Timestamps must be provided in RFC 3339 format e.g., \"2024-03-01T00:00:00Z\". Got %q.", name, text)
		}
		bounds[op] = t
	}
	return func(at time.Time) bool {
		for op, t := range bounds {
			if !compare[op](at.Compare(t)) {
				return false
			}
		}
		return true
	}, nil
}
