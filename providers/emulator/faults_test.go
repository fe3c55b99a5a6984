package emulator_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/emulator"
)

func (c *client) faulty(fault string) { c.t.Helper(); c.ok("POST", "/emulator/faults", fault) }

// broken makes a request whose answer cannot be read.
func (c *client) broken(method, path, body string) {
	c.t.Helper()
	resp, err := c.request(method, path, body)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err == nil {
		c.t.Errorf("%s %s was answered", method, path)
	}
}

func (c *client) groupNames() []string { return c.all(groupsPath, 1000, "name") }

func TestFaultStatus(t *testing.T) {
	c := start(t, emulator.Options{})
	c.faulty(`{"method":"POST","path":"/v1/organizations/rbac_groups*","skip":1,"times":2,"do":"status","status":529,"message":"busy","headers":{"retry-after":"7"}}`)
	c.ok("GET", groupsPath, "")
	c.ok("POST", groupsPath, `{"name":"One"}`)
	for range 2 {
		resp, err := c.request("POST", groupsPath, `{"name":"Two"}`)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 529 || resp.Header.Get("Retry-After") != "7" {
			t.Errorf("got %d, %v", resp.StatusCode, resp.Header)
		}
	}
	c.ok("POST", groupsPath, `{"name":"Three"}`)
	if diff := cmp.Diff([]string{"From the IdP", "Pilot", "One", "Three"}, sorted(c.groupNames())); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

// sorted puts the two groups of the seed first.
func sorted(names []string) []string {
	out := []string{"From the IdP", "Pilot"}
	for _, n := range names {
		if n != out[0] && n != out[1] {
			out = append(out, n)
		}
	}
	return out
}

func TestFaultConnections(t *testing.T) {
	tests := map[string]struct {
		do     string
		effect bool
	}{
		"drop-before": {"drop_before", false},
		"drop-after":  {"drop_after", true},
		"cut-body":    {"cut_body", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := start(t, emulator.Options{})
			c.faulty(`[{"path":"/v1/organizations/rbac_groups","do":"` + tt.do + `"}]`)
			c.broken("POST", groupsPath, `{"name":"Lost"}`)
			got := len(c.groupNames()) == 3
			if got != tt.effect {
				t.Errorf("effect = %v, want %v", got, tt.effect)
			}
		})
	}
}

func TestFaultAnswers(t *testing.T) {
	c := start(t, emulator.Options{})
	c.faulty(`{"path":"/v1/organizations/rbac_groups*","times":2,"do":"null_role_ids"}`)
	v := c.ok("GET", groupsPath+"/rbac_group_pilot", "")
	if ids, ok := v["role_ids"]; !ok || ids != nil || v["roles"] != nil {
		t.Errorf("role_ids = %v, want null", v)
	}
	c.ok("GET", groupsPath, "")
	if v := c.ok("GET", groupsPath+"/rbac_group_pilot", ""); v["role_ids"] == nil {
		t.Error("role_ids are null for ever")
	}

	c.faulty(`{"do":"short_page"}`)
	v = c.ok("GET", groupsPath+"?limit=1000", "")
	if len(v["data"].([]any)) != 1 || v["has_more"] != true || v["next_page"] == nil {
		t.Errorf("short page = %v", v)
	}
	c.faulty(`{"do":"empty_page"}`)
	v = c.ok("GET", groupsPath+"?limit=1000", "")
	if len(v["data"].([]any)) != 0 || v["next_page"] == nil {
		t.Errorf("empty page = %v", v)
	}
	c.faulty(`{"do":"empty_page"}`)
	if got := c.groupNames(); len(got) != 2 {
		t.Errorf("groups over an empty page = %v", got)
	}

	c.faulty(`{"do":"edit","edit":{"method":"PUT","path":"/console/features/cowork","body":{"enabled":true}}}`)
	c.ok("GET", groupsPath, "")
	if !access(t, c.s.Access(), "ben@acme.com").Capabilities["cowork"] {
		t.Error("the edit of the other admin did not happen")
	}
	c.faulty(`{"do":"delay","delay_ms":30}`)
	began := time.Now()
	c.ok("GET", groupsPath, "")
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("the delay took %s", took)
	}
	c.faulty(`{"do":"status","status":500,"times":-1}`)
	c.ok("DELETE", "/emulator/faults", "")
	c.ok("GET", groupsPath, "")
}

func TestFaultHeader(t *testing.T) {
	c := start(t, emulator.Options{})
	c.with("Emulator-Fault", "status=503").refused("POST", groupsPath, `{"name":"x"}`, 503, "overloaded_error")
	c.with("Emulator-Fault", "status=500, type=odd_error").refused("POST", groupsPath, `{"name":"x"}`, 500, "odd_error")
	c.with("Emulator-Fault", "do=drop_after").broken("POST", groupsPath, `{"name":"x"}`)
	if v := c.with("Emulator-Fault", "null_role_ids").ok("GET", groupsPath+"/rbac_group_pilot", ""); v["role_ids"] != nil {
		t.Errorf("role_ids = %v", v["role_ids"])
	}
	for _, bad := range []string{"x", "status=200", "status=abc", "do=edit", "delay_ms=-1"} {
		c.with("Emulator-Fault", bad).refused("GET", groupsPath, "", 400, "invalid_request_error")
	}
}

func TestBadFaults(t *testing.T) {
	c := start(t, emulator.Options{})
	for _, body := range []string{``, `{}`, `{"do":"x"}`, `{"do":"status"}`, `{"do":"status","status":200}`, `{"do":"edit"}`,
		`{"do":"edit","edit":{"method":"PUT","path":"/v1/x"}}`, `{"do":"delay","delay_ms":-1}`, `{"do":"delay","skip":-1}`, `{"do":"delay","oops":1}`} {
		c.refused("POST", "/emulator/faults", body, 400, "invalid_request_error")
	}
}

func TestRequests(t *testing.T) {
	c := start(t, emulator.Options{})
	c.ok("POST", groupsPath+"?beta=true", `{"name":"G"}`)
	c.ok("GET", "/v1/organizations/spend_limits/effective", "")
	c.do("GET", "/v1/nothing", "")
	c.with("Emulator-Fault", "do=drop_after").broken("PUT", "/console/spending", `{"precedence":"highest"}`)
	got := c.s.Requests()
	for i := range got {
		got[i].RequestID = ""
	}
	want := []emulator.Request{
		{N: 1, Method: "POST", Path: groupsPath, Query: "beta=true", Status: 200, Family: "admin", Body: json.RawMessage(`{"name":"G"}`)},
		{N: 2, Method: "GET", Path: "/v1/organizations/spend_limits/effective", Status: 200, Family: "spend"},
		{N: 3, Method: "GET", Path: "/v1/nothing", Status: 404, Family: "unknown"},
		{N: 4, Method: "PUT", Path: "/console/spending", Status: 0, Family: "console", Fault: "drop_after", Body: json.RawMessage(`{"precedence":"highest"}`)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	v := c.ok("GET", "/emulator/requests", "")
	raw, _ := json.Marshal(v)
	if strings.Contains(string(raw), c.key) {
		t.Error("the key is in the list of requests")
	}
	wantCounts := map[string]any{"admin": json.Number("1"), "spend": json.Number("1"), "unknown": json.Number("1"), "console": json.Number("1")}
	if diff := cmp.Diff(wantCounts, v["counts"]); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	c.ok("DELETE", "/emulator/requests", "")
	if got := c.s.Requests(); len(got) != 0 {
		t.Errorf("after a reset: %v", got)
	}
}

func TestRateLimits(t *testing.T) {
	tests := map[string]struct {
		method, path string
		budget       int
		window       time.Duration
	}{
		"admin":      {"GET", "/v1/organizations/users", 100, time.Minute},
		"invites":    {"POST", "/v1/organizations/invites", 1200, time.Hour},
		"spend":      {"GET", "/v1/organizations/spend_limits/effective", 60, time.Minute},
		"compliance": {"GET", "/v1/compliance/groups", 600, time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			now := newClock()
			c := start(t, emulator.Options{Now: now.Now, RateLimits: true})
			for i := range tt.budget {
				if status, v := c.do(tt.method, tt.path, ""); status == 429 {
					t.Fatalf("request %d of %d: %v", i+1, tt.budget, v)
				}
			}
			now.Add(tt.window / 4)
			resp, err := c.request(tt.method, tt.path, "")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			want := itoa(int((tt.window - tt.window/4).Seconds()))
			if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != want {
				t.Errorf("got %d, retry-after %q, want 429 and %s", resp.StatusCode, resp.Header.Get("Retry-After"), want)
			}
			now.Add(tt.window)
			if status, v := c.do(tt.method, tt.path, ""); status == 429 {
				t.Errorf("in the next window: %v", v)
			}
		})
	}
}

// TestDuplicateDelivery: the request takes effect twice, and what comes back is
// the answer to the second time.
func TestDuplicateDelivery(t *testing.T) {
	c := start(t, emulator.Options{})
	twice := c.with("Emulator-Fault", "duplicate")
	twice.ok("POST", groupsPath, `{"name":"Twice"}`)
	n := 0
	for _, name := range c.all(groupsPath, 10, "name") {
		if name == "Twice" {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d groups", n)
	}
	if status, v := twice.do("POST", groupsPath+"/rbac_group_pilot/members", `{"user_id":"user_ben"}`); status != 400 {
		t.Errorf("a member added twice: %d %v", status, v)
	}
	if status, _ := twice.do("DELETE", groupsPath+"/rbac_group_pilot/members/user_ben", ""); status != 404 {
		t.Errorf("a member removed twice: %d", status)
	}
	twice.ok("POST", "/v1/organizations/users/user_ben", `{"role":"managed"}`)
}

// TestErrorAfterEffect: the answer says 503, and yet it was done.
func TestErrorAfterEffect(t *testing.T) {
	c := start(t, emulator.Options{})
	c.faulty(`{"do":"status_after","status":503,"method":"POST"}`)
	if status, _ := c.do("POST", groupsPath, `{"name":"There"}`); status != 503 {
		t.Errorf("status = %d", status)
	}
	if names := c.all(groupsPath, 10, "name"); names[len(names)-1] != "There" {
		t.Errorf("groups = %v", names)
	}
	c.refused("POST", "/emulator/faults", `{"do":"status_after"}`, 400, "invalid_request_error")
}

// TestEditByTheAdminAPI: another admin can use the API, too.
func TestEditByTheAdminAPI(t *testing.T) {
	c := start(t, emulator.Options{})
	c.faulty(`{"method":"GET","path":"` + groupsPath + `","do":"edit","edit":{"method":"POST","path":"` + groupsPath + `","body":{"name":"Meanwhile"}}}`)
	if names := c.all(groupsPath, 10, "name"); names[len(names)-1] != "Meanwhile" {
		t.Errorf("groups = %v", names)
	}
	if n := len(c.s.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
	c.refused("POST", "/emulator/faults", `{"do":"edit","edit":{"method":"POST","path":"/v1/compliance/groups"}}`, 400, "invalid_request_error")
}

// FuzzFaultScript: no script makes the emulator panic, and what it takes it
// can list.
func FuzzFaultScript(f *testing.F) {
	for _, s := range []string{`{"do":"status","status":503}`, `[{"do":"edit","edit":{"method":"PUT","path":"/console/features/chat","body":{"enabled":true}}}]`,
		`{"do":"delay","delay_ms":1,"headers":{"a":"b"}}`, `{"do":"duplicate","times":-1,"skip":3}`, `null`, `[]`, `{"do":1}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script string) {
		s, err := emulator.Open(emulator.Options{SeedData: []byte(acme)})
		if err != nil {
			t.Fatal(err)
		}
		before := string(s.StateJSON())
		_ = s.AddFaults([]byte(script))
		if string(s.StateJSON()) != before {
			t.Error("a script changed the organization")
		}
	})
}
