package claude

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

func (c *core) organization(ctx context.Context) (Organization, error) {
	var org Organization
	k := call{op: "read the organization", method: http.MethodGet, path: "/v1/organizations/me", repeat: true}
	err := c.do(ctx, k, func(ctx context.Context) error {
		raw, err := rawOf(c.admin.Beta.Organization.Get(ctx))
		if err != nil {
			return err
		}
		var w struct{ ID, Name *string }
		if err := decode(raw, &w); err != nil {
			return err
		}
		org.Name = deref(w.Name)
		return texts("organization", field{"id", w.ID, &org.ID})
	})
	return org, err
}

func (c *core) settings(ctx context.Context, orgID string) (Settings, error) {
	s := Settings{Known: true}
	path := "/v1/compliance/organizations/" + url.PathEscape(orgID) + "/settings"
	k := call{op: "read organization settings", method: http.MethodGet, path: path, repeat: true}
	err := c.do(ctx, k, func(ctx context.Context) error {
		raw, err := c.comply(ctx, path, nil)
		if err != nil {
			return err
		}
		var w struct {
			Settings json.RawMessage
		}
		if err := decode(raw, &w); err != nil {
			return err
		}
		items, err := array("settings", w.Settings)
		if err != nil {
			return err
		}
		s.Values = make(map[string]Setting, len(items))
		for _, item := range items {
			var w struct {
				Name, Type *string
				Value      json.RawMessage
			}
			if err := decode(string(item), &w); err != nil {
				return err
			}
			var name string
			v := Setting{Value: w.Value}
			if err := texts("setting", field{"name", w.Name, &name}, field{"type", w.Type, &v.Type}); err != nil {
				return err
			}
			if v.Value == nil {
				return odd("setting %q has no value", plain(name))
			}
			s.Values[name] = v
		}
		return nil
	})
	if err != nil {
		return Settings{Values: map[string]Setting{}}, err
	}
	return s, nil
}

// organizations reads the organizations that the Compliance key sees.
func (c *core) organizations(ctx context.Context) ([]Organization, error) {
	const path = "/v1/compliance/organizations"
	return walk(ctx, c, "read the organizations of the compliance key", path, byToken, func(ctx context.Context, cursor string) (string, error) {
		q := url.Values{"limit": {strconv.Itoa(pageSize)}}
		if cursor != "" {
			q.Set("page", cursor)
		}
		return c.comply(ctx, path, q)
	}, func(raw json.RawMessage) (Organization, error) {
		var w struct{ UUID, Name *string }
		if err := decode(string(raw), &w); err != nil {
			return Organization{}, err
		}
		org := Organization{Name: deref(w.Name)}
		return org, texts("organization", field{"uuid", w.UUID, &org.ID})
	})
}

func (c *core) activity(ctx context.Context, types []string) ([]Event, error) {
	const path = "/v1/compliance/activities"
	list, err := walk(ctx, c, "read the activity feed", path, byID, func(ctx context.Context, cursor string) (string, error) {
		q := url.Values{"limit": {strconv.Itoa(feedPageSize)}, "activity_types[]": types}
		if cursor != "" {
			q.Set("after_id", cursor)
		}
		return c.comply(ctx, path, q)
	}, decodeEvent)
	return tidy(list, func(e Event) string { return e.ID }, func(a, b Event) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID))
	}), err
}

func decodeEvent(raw json.RawMessage) (Event, error) {
	var fields map[string]json.RawMessage
	if err := decode(string(raw), &fields); err != nil {
		return Event{}, err
	}
	var w struct {
		ID, Type  *string
		CreatedAt *string `json:"created_at"`
	}
	if err := decode(string(raw), &w); err != nil {
		return Event{}, err
	}
	var e Event
	var at string
	if err := texts("activity", field{"id", w.ID, &e.ID}, field{"type", w.Type, &e.Type}, field{"created_at", w.CreatedAt, &at}); err != nil {
		return Event{}, err
	}
	t, err := parseTime(at)
	if err != nil {
		return Event{}, odd("an activity has no usable created_at")
	}
	e.At = t
	for _, name := range []string{"id", "type", "created_at"} {
		delete(fields, name)
	}
	var actor map[string]json.RawMessage
	if json.Unmarshal(fields["actor"], &actor) == nil && actor != nil {
		delete(actor, "ip_address")
		delete(actor, "user_agent")
		if fields["actor"], err = json.Marshal(actor); err != nil {
			return Event{}, err
		}
	}
	e.Fields, err = json.Marshal(fields)
	return e, err
}

// parseTime reads an RFC 3339 timestamp. The Compliance API sometimes leaves
// the zone out; it is UTC then, which is inferred.
func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	return time.Parse("2006-01-02T15:04:05", s)
}

// comply gets a path of the Compliance API, which the SDK has no types for.
func (c *core) comply(ctx context.Context, path string, q url.Values) (string, error) {
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	var body []byte
	err := c.compliance.Get(ctx, strings.TrimPrefix(path, "/"), nil, &body)
	return string(body), err
}
