package claude

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// lookBack is how far back the feed is asked who made a change. Years of events
// are kept; what drifted longer ago was reported longer ago.
const lookBack = 90 * 24 * time.Hour

// History asks the activity feed for the last change of each object.
func (r *reader) History(ctx context.Context, objects []*schema.Object) (map[schema.Address]providers.Activity, error) {
	events, err := r.api.changesAfter(ctx, r.api.c.pace.now().Add(-lookBack))
	if err != nil {
		return nil, r.explain(err)
	}
	byName := map[string][]schema.Address{}
	for _, o := range objects {
		names := []string{o.ID}
		if o.ID == "" || o.Type == "member" || o.Type == "invite" {
			names = append(names, o.Key)
		}
		for _, n := range names {
			if n != "" {
				byName[n] = append(byName[n], o.Addr)
			}
		}
	}
	last := map[schema.Address]providers.Activity{}
	for _, e := range events { // newest first
		for _, name := range e.subjects() {
			for _, addr := range byName[name] {
				if _, known := last[addr]; !known {
					last[addr] = providers.Activity{At: e.At, By: e.by(), What: e.Type}
				}
			}
		}
	}
	return last, nil
}

// changesAfter returns what changed anything that is read, newest first.
func (r *Reading) changesAfter(ctx context.Context, since time.Time) ([]Event, error) {
	const path = "/v1/compliance/activities"
	list, err := walk(ctx, r.c, "read who changed what", path, byID, func(ctx context.Context, cursor string) (string, error) {
		q := url.Values{"limit": {strconv.Itoa(feedPageSize)}, "activity_types[]": changeTypes,
			"created_at.gte": {since.UTC().Format(time.RFC3339)}}
		if cursor != "" {
			q.Set("after_id", cursor)
		}
		return r.c.comply(ctx, path, q)
	}, decodeEvent)
	return tidy(list, func(e Event) string { return e.ID }, func(a, b Event) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID))
	}), err
}

// subjects returns the texts of an event, of which one or the other names what
// was changed.
func (e Event) subjects() []string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(e.Fields, &fields) != nil {
		return nil
	}
	var list []string
	for name, raw := range fields {
		var text string
		if name != "actor" && json.Unmarshal(raw, &text) == nil && text != "" {
			list = append(list, text)
		}
	}
	return list
}

// by returns who did it, as far as the feed says.
//
// Source: Compliance API reference, activities, actor; read 2026-11-22.
func (e Event) by() string {
	var fields struct {
		Actor struct {
			Type  string
			Email *string `json:"email_address"`
			User  *string `json:"user_id"`
			Key   *string `json:"api_key_id"`
			Admin *string `json:"admin_api_key_id"`
		}
	}
	if json.Unmarshal(e.Fields, &fields) != nil || fields.Actor.Type == "" {
		return "somebody"
	}
	a := fields.Actor
	for _, v := range []*string{a.Email, a.User, a.Key, a.Admin} {
		if v != nil && *v != "" {
			return *v
		}
	}
	return a.Type
}
