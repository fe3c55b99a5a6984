package claude_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/claude"
	"github.com/rolecall/rolecall/providers/emulator"
)

// cacheSeed is an organization in which something happened long ago, so that
// its feed is known to work.
var cacheSeed = strings.TrimSuffix(strings.TrimSpace(seed), "}") + `,
	"invites": [{"id": "invite_1", "email": "new@acme.com"}],
	"plugin_marketplaces": [{"id": "marketplace_1", "name": "Tools"}],
	"plugins": [{"id": "plugin_1", "name": "lint-kit", "marketplace": "Tools", "groups": {"Pilot": "required"}}],
	"activities": [{"type": "group_created", "created_at": "2026-01-01T00:00:00Z", "group_id": "rbac_group_pilot"}]
}`

// A cachedOrg is an emulator and a connection to it that keeps what it reads.
type cachedOrg struct {
	t     *testing.T
	s     *httptest.Server
	e     *emulator.Server
	ago   atomic.Int64 // how far the emulator's clock is behind, in ns
	file  string
	reads *claude.Reading
}

func startCached(t *testing.T, seed string, change ...func(*claude.Options)) *cachedOrg {
	t.Helper()
	c := &cachedOrg{t: t, file: filepath.Join(t.TempDir(), ".rolecall", "cache.json")}
	e, err := emulator.Open(emulator.Options{SeedData: []byte(seed), Now: func() time.Time { return time.Now().Add(-time.Duration(c.ago.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	c.e, c.s = e, httptest.NewServer(e.Handler())
	t.Cleanup(c.s.Close)
	c.connect(change...)
	return c
}

func (c *cachedOrg) connect(change ...func(*claude.Options)) {
	c.t.Helper()
	o := claude.Options{Endpoint: c.s.URL, Key: testKey, Unpaced: true}
	for _, f := range change {
		f(&o)
	}
	r, _, err := claude.NewClient(o)
	if err != nil {
		c.t.Fatal(err)
	}
	c.reads = r
}

// read returns what the connection reads, checks it against a whole read, and
// counts its requests.
func (c *cachedOrg) read(label string) int {
	c.t.Helper()
	before := c.reads.Stats().Total()
	got, err := c.reads.FetchCached(c.t.Context(), c.file)
	if err != nil {
		c.t.Fatalf("%s: %v", label, err)
	}
	n := c.reads.Stats().Total() - before
	want, err := c.reads.Fetch(c.t.Context())
	if err != nil {
		c.t.Fatalf("%s: %v", label, err)
	}
	// Events that change nothing else are not read again, nor is their order.
	for _, s := range []*claude.Snapshot{got, want} {
		s.Events = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.t.Errorf("%s (-live +read):\n%s", label, diff)
	}
	return n
}

func (c *cachedOrg) do(request string) {
	c.t.Helper()
	method, rest, _ := strings.Cut(request, " ")
	path, body, _ := strings.Cut(rest, " ")
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.s.URL+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", "another-admin")
	req.Header.Set("Anthropic-Beta", "ce-plugins-2026-09-01")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %s", request, res.Status)
	}
}

const warm = 3 // the organization, the feed, the settings

// changes are what another admin can do, and whether the feed says so exactly
// what it touches that not everything has to be read again.
var changes = map[string]struct {
	request string
	precise bool
}{
	"role-set":         {request: `POST /v1/organizations/users/user_bob {"role":"managed"}`},
	"user-removed":     {request: `DELETE /v1/organizations/users/user_bob`},
	"user-joined":      {request: `POST /console/members {"email":"zoe@acme.com"}`},
	"invited":          {request: `POST /v1/organizations/invites {"email":"z@acme.com","role":"user"}`},
	"invite-withdrawn": {request: `DELETE /v1/organizations/invites/invite_1`},
	"invite-accepted":  {request: `POST /console/invites/invite_1/accept`},
	"group-made":       {request: `POST /v1/organizations/rbac_groups {"name":"New"}`},
	"group-renamed":    {request: `POST /v1/organizations/rbac_groups/rbac_group_pilot {"name":"New"}`},
	"group-deleted":    {request: `DELETE /v1/organizations/rbac_groups/rbac_group_pilot`},
	"member-added":     {`POST /v1/organizations/rbac_groups/rbac_group_pilot/members {"user_id":"user_bob"}`, true},
	"member-removed":   {`DELETE /v1/organizations/rbac_groups/rbac_group_pilot/members/user_jane`, true},
	"role-made":        {request: `POST /console/roles {"name":"New"}`},
	"role-renamed":     {request: `PATCH /console/roles/rbac_role_std {"name":"New"}`},
	"role-deleted":     {request: `DELETE /console/roles/rbac_role_std`},
	"row-added":        {request: `PATCH /console/roles/rbac_role_std {"add":[{"action":"web_search","resource":{"type":"organization"}}]}`},
	"row-removed":      {request: `PATCH /console/roles/rbac_role_std {"remove":[{"action":"chat","resource":{"type":"organization"}}]}`},
	"attached":         {request: `PUT /console/groups/rbac_group_idp/roles/rbac_role_std`},
	"detached":         {request: `DELETE /console/groups/rbac_group_pilot/roles/rbac_role_std`},
	"feature-on":       {request: `PUT /console/features/cowork {"enabled":true}`},
	"feature-off":      {request: `PUT /console/features/chat {"enabled":false}`},
	"connector":        {request: `PUT /console/connectors/mcpsrv_new {"name":"New"}`},
	"tool-policy":      {request: `PUT /console/connectors/mcpsrv_01AbC {"tool_policy":{"delete_issue":"blocked"}}`},
	"limit-set":        {`POST /v1/organizations/spend_limits {"amount":"5","scope":{"type":"user","user_id":"user_bob"}}`, true},
	"group-limit-set":  {`PUT /console/spend_limits {"scope":{"type":"rbac_group","rbac_group_id":"rbac_group_pilot"},"amount":"7"}`, true},
	"seat":             {request: `PUT /console/members/user_bob {"seat_tier":"full"}`},
	"provisioning":     {request: `PUT /console/provisioning {"mode":"scim_permissive"}`},
	"marketplace-made": {request: `POST /console/plugin_marketplaces {"name":"More"}`},
	"default-set":      {request: `POST /v1/organizations/plugin_marketplaces/marketplace_1 {"default_installation_preference":"required"}`},
	"marketplace-gone": {request: `DELETE /console/plugin_marketplaces/marketplace_1`},
	"plugin-made":      {request: `POST /console/plugins {"marketplace_id":"marketplace_1","name":"docs"}`},
	"plugin-gone":      {request: `DELETE /console/plugins/plugin_1`},
	"plugin-set":       {request: `POST /v1/organizations/plugins/plugin_1/installation_settings/organization {"installation_preference":"required"}`},
	"plugin-unset":     {request: `DELETE /v1/organizations/plugins/plugin_1/installation_settings/rbac_group_pilot`},
}

// TestNextReadSeesEveryChange: whatever another admin does, just now or a while
// ago, the next read shows it.
func TestNextReadSeesEveryChange(t *testing.T) {
	for name, tt := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startCached(t, cacheSeed)
			cold := c.read("first")
			if n := c.read("unchanged"); n != warm {
				t.Errorf("an unchanged organization took %d requests, want %d (the first read took %d)", n, warm, cold)
			}
			c.ago.Store(int64(10 * time.Minute)) // it came late into the feed, and long ago
			c.do(tt.request)
			n := c.read("changed")
			if tt.precise && n != warm+1 || !tt.precise && n <= warm+1 {
				t.Errorf("took %d requests; precise is %v", n, tt.precise)
			}
			if n := c.read("settled"); n != warm {
				t.Errorf("after the change was read, %d requests, want %d", n, warm)
			}
		})
		t.Run(name+"-just-now", func(t *testing.T) {
			t.Parallel()
			c := startCached(t, cacheSeed)
			c.read("first")
			c.do(tt.request)
			c.read("changed")
			if n := c.read("still unsettled"); n <= warm {
				t.Errorf("a change of this minute may not be everywhere yet, and was believed")
			}
		})
	}
}

// TestSameInstant: a change in the very instant of the last one that was known
// is seen.
func TestSameInstant(t *testing.T) {
	instant := time.Now().Add(-time.Hour)
	e, err := emulator.Open(emulator.Options{SeedData: []byte(cacheSeed), Now: func() time.Time { return instant }})
	if err != nil {
		t.Fatal(err)
	}
	c := &cachedOrg{t: t, e: e, s: httptest.NewServer(e.Handler()), file: filepath.Join(t.TempDir(), "cache.json")}
	defer c.s.Close()
	c.connect()
	c.do(`POST /v1/organizations/rbac_groups {"name":"One"}`)
	c.read("first")
	if n := c.read("unchanged"); n != warm {
		t.Errorf("%d requests", n)
	}
	c.do(`POST /v1/organizations/rbac_groups {"name":"Two"}`)
	c.read("changed")
}

// TestCacheIsNotTrusted: every way in which what was kept could be of
// something else, or of another time.
func TestCacheIsNotTrusted(t *testing.T) {
	edit := func(change func(map[string]any)) func(*testing.T, *cachedOrg) {
		return func(t *testing.T, c *cachedOrg) {
			data, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			var v map[string]any
			if err := json.Unmarshal(data, &v); err != nil {
				t.Fatal(err)
			}
			change(v)
			data, err = json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(c.file, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := map[string]func(*testing.T, *cachedOrg){
		"another-key": func(t *testing.T, c *cachedOrg) { c.connect(func(o *claude.Options) { o.Key = "other" }) },
		"another-compliance-key": func(t *testing.T, c *cachedOrg) {
			c.connect(func(o *claude.Options) { o.ComplianceKey = "other" })
		},
		"another-endpoint": func(t *testing.T, c *cachedOrg) {
			c.connect(func(o *claude.Options) { o.Endpoint = strings.Replace(c.s.URL, "127.0.0.1", "localhost", 1) })
		},
		"another-organization": func(t *testing.T, c *cachedOrg) {
			other, err := emulator.Open(emulator.Options{SeedData: []byte(strings.Replace(cacheSeed, orgID, "91012d09-e48b-438e-a489-1bebfd8fa6f9", 1))})
			if err != nil {
				t.Fatal(err)
			}
			c.s.Config.Handler = other.Handler()
		},
		"feed-lost": func(t *testing.T, c *cachedOrg) {
			other, err := emulator.Open(emulator.Options{SeedData: []byte(strings.ReplaceAll(cacheSeed, `"activities": [`, `"activities": [{"type":"chat"},`))})
			if err != nil {
				t.Fatal(err)
			}
			c.s.Config.Handler = other.Handler()
		},
		"feed-off": func(t *testing.T, c *cachedOrg) {
			c.do(`POST /emulator/faults {"path":"/v1/compliance/activities","do":"status","status":403,"times":1}`)
		},
		"feed-down": func(t *testing.T, c *cachedOrg) {
			c.do(`POST /emulator/faults {"path":"/v1/compliance/activities","do":"status","status":500,"times":4}`)
		},
		"settings-down": func(t *testing.T, c *cachedOrg) {
			c.do(`POST /emulator/faults {"path":"/v1/compliance/organizations/*","do":"status","status":404,"times":1}`)
		},
		"a-day-old":       edit(func(v map[string]any) { v["at"] = time.Now().Add(-25 * time.Hour).Format(time.RFC3339) }),
		"from-the-future": edit(func(v map[string]any) { v["at"] = time.Now().Add(time.Hour).Format(time.RFC3339) }),
		"other-format":    edit(func(v map[string]any) { v["format"] = 99 }),
		"no-anchor":       edit(func(v map[string]any) { v["anchor"] = map[string]any{} }),
		"no-snapshot":     edit(func(v map[string]any) { v["snapshot"] = nil }),
		"not-json":        func(t *testing.T, c *cachedOrg) { _ = os.WriteFile(c.file, []byte(`{"format":1,`), 0o600) },
		"gone":            func(t *testing.T, c *cachedOrg) { _ = os.Remove(c.file) },
		"clock-wrong": func(t *testing.T, c *cachedOrg) {
			c.connect(func(o *claude.Options) { o.Now = func() time.Time { return time.Now().Add(10 * time.Minute) } })
		},
		"not-allowed-to-ask-who": func(t *testing.T, c *cachedOrg) {
			c.do(`POST /emulator/faults {"path":"/v1/organizations/me","do":"status","status":403,"times":1}`)
		},
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startCached(t, cacheSeed)
			c.read("first")
			if n := c.read("unchanged"); n != warm {
				t.Fatalf("%d requests", n)
			}
			spoil(t, c)
			before := c.reads.Stats().Total()
			if _, err := c.reads.FetchCached(t.Context(), c.file); err != nil {
				t.Fatal(err)
			}
			if n := c.reads.Stats().Total() - before; n <= warm+4 {
				t.Errorf("answered with %d requests from what was kept", n)
			}
		})
	}
}

// TestWhatIsNotKept: an incomplete snapshot, one of a feed that says nothing,
// and one of a moment in which something was going on.
func TestWhatIsNotKept(t *testing.T) {
	kept := func(c *cachedOrg) bool {
		_, err := os.Stat(c.file)
		return err == nil
	}
	for name, prepare := range map[string]func(*cachedOrg){
		"missing": func(c *cachedOrg) {
			c.do(`POST /emulator/faults {"path":"/v1/organizations/spend_limits","do":"status","status":403}`)
		},
		"null-roles": func(c *cachedOrg) {
			c.do(`POST /emulator/faults {"path":"/v1/organizations/rbac_groups","do":"null_role_ids","times":-1}`)
		},
		"busy": func(c *cachedOrg) { c.do(`POST /v1/organizations/rbac_groups {"name":"x"}`) },
		"no-feed": func(c *cachedOrg) {
			c.do(`POST /emulator/faults {"path":"/v1/compliance/activities","do":"status","status":404,"times":-1}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startCached(t, cacheSeed)
			prepare(c)
			if _, err := c.reads.FetchCached(t.Context(), c.file); err != nil {
				t.Fatal(err)
			}
			if kept(c) {
				t.Error("it was kept")
			}
		})
	}
	quiet := startCached(t, seed) // a feed without any event could be one that is off
	quiet.read("first")
	if kept(quiet) {
		t.Error("kept without any event in the feed")
	}

	c := startCached(t, cacheSeed)
	c.read("first")
	info, err := os.Stat(c.file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info, err)
	}
	if data, _ := os.ReadFile(c.file); strings.Contains(string(data), testKey) {
		t.Error("the key is in the file")
	}
}
