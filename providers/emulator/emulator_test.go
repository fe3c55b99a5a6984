package emulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/providers/emulator"
)

// acme is the seed of most tests.
const acme = `{
  "organization": {"id": "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e", "name": "Acme"},
  "other_organizations": [
    {"id": "91012d09-e48b-438e-a489-1bebfd8fa6f9", "name": "Acme Labs",
     "members": [{"email": "lab@acme.com", "name": "Lab"}, {"email": "ana@acme.com", "name": "Ana"}],
     "roles": [{"id": "rbac_role_labs", "name": "Labs"}]}
  ],
  "features": {"chat": true, "web_search": true, "saffron": true, "cowork": false, "claude_design": true},
  "beta_features": ["claude_design"],
  "connectors": [
    {"id": "mcpsrv_jira", "name": "Jira", "tools": ["search", "create", "delete"], "policy": "allow",
     "tool_policy": {"create": "ask", "delete": "blocked"}},
    {"id": "mcpsrv_slack", "name": "Slack", "tools": ["post"], "policy": "ask"}
  ],
  "roles": [
    {"id": "rbac_role_std", "name": "Standard", "permissions": [
      {"action": "chat", "resource": {"type": "organization"}},
      {"action": "cowork", "resource": {"type": "organization"}},
      {"action": "use", "resource": {"type": "all_connectors"}}]},
    {"id": "rbac_role_adm", "name": "Identity", "permissions": [
      {"action": "permission_identity_manage", "resource": {"type": "organization"}}]}
  ],
  "groups": [
    {"id": "rbac_group_pilot", "name": "Pilot", "description": "First", "roles": ["Standard", "rbac_role_labs"],
     "members": ["ana@acme.com", "lab@acme.com"]},
    {"id": "rbac_group_idp", "name": "From the IdP", "source_type": "scim", "members": ["ben@acme.com"]}
  ],
  "members": [
    {"id": "user_po", "email": "po@acme.com", "name": "Pat", "role": "primary_owner", "added_at": "2025-01-01T00:00:00Z"},
    {"id": "user_own", "email": "own@acme.com", "name": "Olu", "role": "owner", "added_at": "2025-01-02T00:00:00Z"},
    {"id": "user_adm", "email": "adm@acme.com", "name": "Ada", "role": "membership_admin", "added_at": "2025-01-03T00:00:00Z"},
    {"id": "user_ana", "email": "Ana@acme.com", "name": "Ana", "role": "managed", "added_at": "2025-01-04T00:00:00Z", "seat_tier": "enterprise_standard"},
    {"id": "user_ben", "email": "ben@acme.com", "name": "Ben", "role": "user", "added_at": "2025-01-05T00:00:00Z"},
    {"id": "user_cy", "email": "cy+x@acme.com", "name": "Cy", "role": "managed", "added_at": "2025-01-06T00:00:00Z"}
  ],
  "spend_limits": [
    {"id": "spl_ana", "scope": {"type": "user", "email": "ana@acme.com"}, "amount": "75000"},
    {"id": "spl_pilot", "scope": {"type": "rbac_group", "group": "Pilot"}, "amount": "20000"},
    {"id": "spl_seat", "scope": {"type": "seat_tier", "seat_tier": "enterprise_standard"}, "amount": "10000"},
    {"id": "spl_org", "scope": {"type": "organization"}, "amount": "5000000"}
  ]
}`

// A clock is a time that a test moves by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// A client speaks to one emulator.
type client struct {
	t   testing.TB
	s   *emulator.Server
	url string
	// key and header are sent with every request.
	key    string
	header map[string]string
}

func start(t testing.TB, o emulator.Options) *client {
	t.Helper()
	if o.SeedData == nil && o.Seed == "" {
		o.SeedData = []byte(acme)
	}
	if o.Now == nil {
		o.Now = newClock().Now
	}
	s, err := emulator.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &client{t: t, s: s, url: server.URL, key: "sk-ant-api01-test", header: map[string]string{}}
}

// with returns a client that sends one more header.
func (c *client) with(name, value string) *client {
	copied := *c
	copied.header = maps.Clone(c.header)
	copied.header[name] = value
	return &copied
}

func (c *client) request(method, path, body string) (*http.Response, error) {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, r)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.key != "" {
		req.Header.Set("X-Api-Key", c.key)
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
	return http.DefaultClient.Do(req)
}

// do returns the status and the decoded body.
func (c *client) do(method, path, body string) (int, map[string]any) {
	c.t.Helper()
	resp, err := c.request(method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/json" {
		c.t.Errorf("%s %s: content-type = %q", method, path, got)
	}
	id := resp.Header.Get("Request-Id")
	if !strings.HasPrefix(id, "req_") {
		c.t.Errorf("%s %s: request-id = %q", method, path, id)
	}
	var v map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		c.t.Fatalf("%s %s: %v: %s", method, path, err, raw)
	}
	if resp.StatusCode >= 400 && v["request_id"] != id {
		c.t.Errorf("%s %s: request_id = %v, header %q", method, path, v["request_id"], id)
	}
	return resp.StatusCode, v
}

// ok is do for a request that must be answered 200.
func (c *client) ok(method, path, body string) map[string]any {
	c.t.Helper()
	status, v := c.do(method, path, body)
	if status != http.StatusOK {
		c.t.Fatalf("%s %s: status = %d, want 200: %v", method, path, status, v)
	}
	return v
}

// refused checks the status and error.type and that nothing has changed.
func (c *client) refused(method, path, body string, status int, kind string) string {
	c.t.Helper()
	before := c.s.StateJSON()
	got, v := c.do(method, path, body)
	e, _ := v["error"].(map[string]any)
	if got != status || e["type"] != kind || v["type"] != "error" {
		c.t.Errorf("%s %s %s: got %d %v, want %d %s", method, path, body, got, v, status, kind)
	}
	if !bytes.Equal(before, c.s.StateJSON()) {
		c.t.Errorf("%s %s %s: a refused request changed the state", method, path, body)
	}
	message, _ := e["message"].(string)
	return message
}

// column returns one field of every object of a list.
func column(v map[string]any, list, field string) []string {
	out := []string{}
	for _, item := range v[list].([]any) {
		s, _ := item.(map[string]any)[field].(string)
		out = append(out, s)
	}
	return out
}

// all walks a cursor list to its end.
func (c *client) all(path string, limit int, field string) []string {
	c.t.Helper()
	out := []string{}
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	next := ""
	for range 10_000 {
		v := c.ok("GET", path+sep+"limit="+itoa(limit)+next, "")
		out = append(out, column(v, "data", field)...)
		page, ok := v["next_page"].(string)
		if !ok {
			return out
		}
		next = "&page=" + url.QueryEscape(page)
	}
	c.t.Fatal("the list does not end")
	return nil
}

func itoa(n int) string {
	raw, _ := json.Marshal(n)
	return string(raw)
}

// events returns the types of the feed, oldest first.
func (c *client) events() []string {
	c.t.Helper()
	list := column(c.ok("GET", "/v1/compliance/activities?limit=5000", ""), "data", "type")
	out := make([]string, len(list))
	for i, e := range list {
		out[len(list)-1-i] = e
	}
	return out
}

func access(t testing.TB, a emulator.Access, email string) emulator.MemberAccess {
	t.Helper()
	for _, m := range a.Members {
		if m.Email == email {
			return m
		}
	}
	t.Fatalf("no access of %s", email)
	return emulator.MemberAccess{}
}
