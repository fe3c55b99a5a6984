package claude_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/providers/claude"
)

func ptr(s string) *string { return &s }

func TestFetch(t *testing.T) {
	v := newVendor(t)
	r, _, _ := connect(t, v)
	got, err := r.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := &claude.Snapshot{
		Organization: claude.Organization{ID: orgID, Name: "Acme"},
		Users: []claude.User{
			{ID: "user_1", Email: "ana@example.com", Name: "N", Role: "owner", AddedAt: "2026-06-12T09:14:03Z"},
			{ID: "user_2", Email: "ben@example.com", Raw: "Ben@Example.com", Name: "N", Role: "managed", AddedAt: "2026-06-12T09:14:03Z"},
		},
		Invites: []claude.Invite{
			{ID: "invite_1", Email: "new@example.com", Role: "managed", Status: "pending", GroupIDs: []string{"rbac_group_1"}, ExpiresAt: "2026-07-27T16:20:11Z"},
		},
		Groups: []claude.Group{
			{
				ID: "rbac_group_1", Name: "Pilot", SourceType: "direct", RoleIDs: []string{"rbac_role_1"}, RolesKnown: true,
				Members:      []claude.GroupMember{{UserID: "user_1", Email: "ana@example.com"}, {UserID: "user_2", Email: "ben@example.com"}},
				MembersKnown: true,
			},
			{ID: "rbac_group_2", Name: "Empty", SourceType: "scim", RoleIDs: []string{}, RolesKnown: true, Members: []claude.GroupMember{}, MembersKnown: true},
		},
		Roles: []claude.Role{
			{ID: "rbac_role_1", Name: "Engineering", RowsKnown: true, Rows: []claude.Row{
				{Action: "use", ResourceType: "all_connectors"},
				{Action: "use", ResourceType: "connector_tool", ConnectorID: "mcpsrv_1", ToolName: "search"},
				{Action: "chat", ResourceType: "organization", OrganizationID: orgID},
			}},
		},
		Settings: claude.Settings{Known: true, Values: map[string]claude.Setting{
			"chat_enabled":                     {Type: "boolean", Value: json.RawMessage("true")},
			"account_session_duration_seconds": {Type: "integer", Value: json.RawMessage("null")},
		}},
		SpendLimits: []claude.SpendLimit{
			{ID: "spl_1", ScopeType: "rbac_group", GroupID: "rbac_group_1", Amount: ptr("0"), Currency: "USD", Period: "monthly", IsEnabled: true},
			{ID: "spl_2", ScopeType: "user", UserID: "user_2", Amount: nil, Currency: "USD", Period: "monthly", IsEnabled: true},
		},
		Events: []claude.Event{
			{ID: "activity_2", Type: "org_cowork_enabled", At: time.Date(2026, 5, 2, 10, 0, 0, 5e8, time.UTC), Fields: json.RawMessage(`{"actor":{"type":"user_actor","user_id":"user_1"},"current_value":true}`)},
			{ID: "activity_1", Type: "mcp_server_created", At: time.Date(2026, 5, 2, 10, 0, 0, 0, time.UTC), Fields: json.RawMessage(`{"mcp_server_id":"mcpsrv_1","mcp_server_name":"Tickets"}`)},
		},
		Marketplaces: []claude.Marketplace{{ID: "marketplace_1", Name: "Tools", Source: "github", Default: "available"}},
		Plugins: []claude.Plugin{{
			ID: "plugin_1", Name: "lint-kit", DisplayName: "Lint kit", MarketplaceID: "marketplace_1", Reach: "privileged", Preference: "required",
			Settings:      []claude.PluginSetting{{TargetType: "organization", Preference: "required"}, {TargetType: "rbac_group", GroupID: "rbac_group_1", Preference: "available"}},
			SettingsKnown: true,
		}},
		Missing: []claude.Missing{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Fetch (-want +got):\n%s", diff)
	}

	for _, req := range v.log {
		beta := ""
		if req.Path == limitsPath {
			beta = "spend-limit-reads-2026-09-26"
		}
		if strings.HasPrefix(req.Path, "/v1/organizations/plugin") {
			beta = "ce-plugins-2026-09-01"
		}
		if got := req.Header.Get("anthropic-beta"); got != beta {
			t.Errorf("%s: anthropic-beta %q, want %q", req.Path, got, beta)
		}
	}
	if q := v.seen("GET", feedPath)[0].Query; !strings.Contains(q, "limit=5000") || !strings.Contains(q, "activity_types%5B%5D=org_cowork_enabled&") {
		t.Errorf("feed asked with %q", q)
	}
	if q := v.seen("GET", invitesPath)[0].Query; !strings.Contains(q, "statuses%5B%5D=pending") {
		t.Errorf("invites asked with %q", q)
	}

	saved, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var again claude.Snapshot
	if err := json.Unmarshal(saved, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, &again); diff != "" {
		t.Errorf("saved and read again (-want +got):\n%s", diff)
	}
}

// The order in which the API lists things is not promised.
func TestFetchIsDeterministic(t *testing.T) {
	v := newVendor(t)
	r, _, _ := connect(t, v)
	first, err := r.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for path := range v.lists {
		slices.Reverse(v.lists[path])
		v.lists[path] = append(v.lists[path], v.lists[path]...) // pages that overlap
	}
	v.lists[orgsPath] = v.lists[orgsPath][:1]
	v.pageSize = 3
	second, err := r.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("second read (-first +second):\n%s", diff)
	}
}

// One request for each thousand entries of a list, one list for each group
// and role.
func TestFetchSendsTheFewestRequests(t *testing.T) {
	v := newVendor(t)
	v.lists[usersPath] = nil
	for i := range 2500 {
		v.lists[usersPath] = append(v.lists[usersPath], user(fmt.Sprintf("user_%d", i), fmt.Sprintf("u%d@example.com", i), "user"))
	}
	v.lists[groupsPath] = nil
	for i := range 40 {
		id := fmt.Sprintf("rbac_group_%d", i)
		v.lists[groupsPath] = append(v.lists[groupsPath], fmt.Sprintf(`{"id":%q,"name":"G","source_type":"direct","role_ids":[]}`, id))
		v.lists[groupsPath+"/"+id+"/members"] = []string{}
	}
	for i := range 1001 {
		v.lists[membersPath] = append(v.lists[membersPath], fmt.Sprintf(`{"user_id":"user_%d","email":"u%d@example.com"}`, i, i))
	}
	var progress [][2]int
	r, _, c := connect(t, v, func(o *claude.Options) {
		o.Progress = func(done, total int) { progress = append(progress, [2]int{done, total}) }
	})
	s, err := r.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Users) != 2500 || len(s.Groups) != 40 {
		t.Errorf("%d users, %d groups", len(s.Users), len(s.Groups))
	}
	const me, users, invites, groups, members, roles, rows, limits, feed, settings = 1, 3, 1, 1, 41, 1, 1, 1, 1, 1
	const plugins, perPlugin = 2, 1
	if want := me + users + invites + groups + members + roles + rows + limits + feed + settings + plugins + perPlugin; v.total() != want || r.Stats().Total() != want {
		t.Errorf("%d requests, counted %d, want %d", v.total(), r.Stats().Total(), want)
	}
	if c.total() != 0 {
		t.Errorf("a small organization waited %v", c.total())
	}
	last := [2]int{}
	for _, p := range progress {
		if p[0] != last[0]+1 || p[1] < last[1] || p[0] > p[1] {
			t.Errorf("progress %v after %v", p, last)
		}
		last = p
	}
	if last != [2]int{51, 51} {
		t.Errorf("progress ends at %v", last)
	}
}

var essential = map[string]string{
	"users":   usersPath,
	"groups":  groupsPath,
	"members": membersPath,
	"roles":   rolesPath,
	"rows":    rowsPath,
}

// A reply that is no list must not pass for an empty one: everybody would be
// up for removal.
func TestNothingPassesForAnEmptyList(t *testing.T) {
	asText := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", "text/html")
		_, _ = fmt.Fprint(w, "<html>Sign in</html>")
	}
	tests := map[string]http.HandlerFunc{
		"null":           answer(`null`),
		"object":         answer(`{}`),
		"array":          answer(`[]`),
		"string":         answer(`"ok"`),
		"data-null":      answer(`{"data":null,"has_more":false,"next_page":null}`),
		"data-missing":   answer(`{"has_more":false,"next_page":null}`),
		"data-object":    answer(`{"data":{},"has_more":false,"next_page":null}`),
		"data-string":    answer(`{"data":"","has_more":false,"next_page":null}`),
		"no-end":         answer(`{"data":[]}`),
		"more-nowhere":   answer(`{"data":[],"has_more":true,"next_page":null,"last_id":null}`),
		"more-empty":     answer(`{"data":[],"has_more":true,"next_page":"","last_id":""}`),
		"more-is-text":   answer(`{"data":[],"has_more":"false","next_page":null}`),
		"entry-null":     answer(`{"data":[null],"has_more":false,"next_page":null}`),
		"entry-empty":    answer(`{"data":[{}],"has_more":false,"next_page":null}`),
		"entry-is-text":  answer(`{"data":["user_1"],"has_more":false,"next_page":null}`),
		"entry-id-wrong": answer(`{"data":[{"id":7,"user_id":7,"action":7}],"has_more":false,"next_page":null}`),
		"html":           asText,
		"html-as-json":   answer(`<html>Sign in</html>`),
		"error-in-200":   answer(`{"type":"error","error":{"type":"api_error","message":"x"}}`),
	}
	for list, path := range essential {
		for name, h := range tests {
			t.Run(list+"/"+name, func(t *testing.T) {
				v := newVendor(t)
				v.on("GET", path, h)
				r, _, _ := connect(t, v)
				s, err := r.Fetch(t.Context())
				if err == nil || s != nil || !strings.Contains(err.Error(), "unexpected reply") {
					t.Errorf("got %v, error %v, want an unexpected reply", s, err)
				}
				if n := len(v.seen("GET", path)); n != 1 {
					t.Errorf("asked %d times", n)
				}
			})
		}
	}
	for name, path := range map[string]string{"spend": limitsPath, "feed": feedPath, "settings": settingsPath, "invites": invitesPath, "me": mePath} {
		t.Run("optional/"+name, func(t *testing.T) {
			v := newVendor(t)
			v.on("GET", path, answer(`{}`))
			r, _, _ := connect(t, v)
			if s, err := r.Fetch(t.Context()); err == nil {
				t.Errorf("got %v, want an error", s)
			}
		})
	}
}

func TestListThatLeadsInACircle(t *testing.T) {
	const group = `{"id":"rbac_group_%s","name":"G","source_type":"direct","role_ids":[]}`
	turn := func(pages ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			next := pages[0]
			if i := slices.Index(pages, r.URL.Query().Get("page")); i >= 0 {
				next = pages[(i+1)%len(pages)]
			}
			reply(w, 200, fmt.Sprintf(`{"data":[`+group+`],"has_more":true,"next_page":%q}`, next, next))
		}
	}
	for name, pages := range map[string][]string{"same": {"a"}, "loop": {"a", "b", "c"}} {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t)
			v.on("GET", groupsPath, turn(pages...))
			r, _, _ := connect(t, v)
			list, err := r.FetchGroups(t.Context())
			if err == nil || list != nil || !strings.Contains(err.Error(), "read already") {
				t.Errorf("got %v, %v", list, err)
			}
			if n := v.total(); n != len(pages)+1 {
				t.Errorf("%d requests", n)
			}
		})
	}
	t.Run("ids", func(t *testing.T) {
		v := newVendor(t)
		v.on("GET", usersPath, answer(`{"data":[`+user("user_1", "a@b.c", "user")+`],"has_more":true,"last_id":"user_1"}`))
		r, _, _ := connect(t, v)
		if list, err := r.FetchUsers(t.Context()); err == nil || v.total() != 2 {
			t.Errorf("got %v, %v after %d requests", list, err, v.total())
		}
	})
}

// A page may be short or empty although more follow.
func TestEmptyPagesAreFollowed(t *testing.T) {
	v := newVendor(t)
	v.on("GET", membersPath, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("page") {
		case "":
			reply(w, 200, `{"data":[],"has_more":true,"next_page":"p2"}`)
		case "p2":
			reply(w, 200, `{"data":[],"has_more":true,"next_page":"p3"}`)
		default:
			reply(w, 200, `{"data":[{"user_id":"user_1","email":"ana@example.com"}],"has_more":false,"next_page":null}`)
		}
	})
	r, _, _ := connect(t, v)
	list, err := r.FetchMembers(t.Context(), "rbac_group_1")
	if err != nil || len(list) != 1 {
		t.Errorf("got %v, %v", list, err)
	}
}

// An error after two good pages must not leave a short list behind.
func TestThirdPageFails(t *testing.T) {
	for list, path := range essential {
		for name, h := range map[string]http.HandlerFunc{"500": status(500), "403": status(403), "404": status(404), "dropped": drop} {
			t.Run(list+"/"+name, func(t *testing.T) {
				v := newVendor(t)
				entries := v.lists[path]
				v.on("GET", path, func(w http.ResponseWriter, r *http.Request) {
					cursor := r.URL.Query().Get("page") + r.URL.Query().Get("after_id")
					switch cursor {
					case "":
						reply(w, 200, fmt.Sprintf(`{"data":[%s],"has_more":true,"next_page":"2","last_id":"2"}`, entries[0]))
					case "2":
						reply(w, 200, fmt.Sprintf(`{"data":[%s],"has_more":true,"next_page":"3","last_id":"3"}`, entries[0]))
					default:
						h(w, r)
					}
				})
				r, _, _ := connect(t, v)
				s, err := r.Fetch(t.Context())
				if err == nil || s != nil || !strings.HasPrefix(err.Error(), "read ") {
					t.Errorf("got %v, %v", s, err)
				}
			})
		}
	}
}

func TestRolesOfAGroup(t *testing.T) {
	group := func(fields string) string {
		return `{"data":[{"id":"rbac_group_1","name":"Pilot","source_type":"direct"` + fields + `}],"has_more":false,"next_page":null}`
	}
	tests := map[string]struct {
		replies  []string // in turn, the last one for good
		roles    []string
		known    bool
		requests int
		fails    bool
	}{
		"roles":            {[]string{`,"role_ids":["b","a"]`}, []string{"a", "b"}, true, 1, false},
		"none":             {[]string{`,"role_ids":[]`}, []string{}, true, 1, false},
		"null":             {[]string{`,"role_ids":null`}, []string{}, false, 4, false},
		"null-and-old":     {[]string{`,"role_ids":null,"roles":["a"]`}, []string{}, false, 4, false},
		"null-for-a-while": {[]string{`,"role_ids":null`, `,"role_ids":null`, `,"role_ids":["a"]`}, []string{"a"}, true, 3, false},
		"old-name":         {[]string{`,"roles":["a"]`}, []string{"a"}, true, 1, false},
		"old-name-none":    {[]string{`,"roles":[]`}, []string{}, true, 1, false},
		"old-name-null":    {[]string{`,"roles":null`}, []string{}, false, 4, false},
		"new-name-wins":    {[]string{`,"role_ids":[],"roles":["a"]`}, []string{}, true, 1, false},
		"absent":           {[]string{``}, []string{}, false, 4, false},
		"text":             {[]string{`,"role_ids":"a"`}, nil, false, 1, true},
		"null-inside":      {[]string{`,"role_ids":[null]`}, nil, false, 1, true},
		"number-inside":    {[]string{`,"role_ids":[1]`}, nil, false, 1, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t)
			n := 0
			v.on("GET", groupsPath, func(w http.ResponseWriter, _ *http.Request) {
				reply(w, 200, group(tt.replies[min(n, len(tt.replies)-1)]))
				n++
			})
			r, _, c := connect(t, v)
			s, err := r.Fetch(t.Context())
			if (err != nil) != tt.fails {
				t.Fatalf("got error %v", err)
			}
			if n != tt.requests || len(c.slept) != tt.requests-1 {
				t.Errorf("%d requests and %d waits, want %d and one less", n, len(c.slept), tt.requests)
			}
			if err != nil {
				return
			}
			g := s.Groups[0]
			if g.RolesKnown != tt.known || !slices.Equal(g.RoleIDs, tt.roles) || !g.MembersKnown {
				t.Errorf("got %+v", g)
			}
			if missing := len(s.Missing) == 1 && s.Missing[0].What == `roles of group "Pilot"`; missing == tt.known {
				t.Errorf("missing %v", s.Missing)
			}
		})
	}
}

func TestWrongTypesAreRefused(t *testing.T) {
	tests := map[string]struct{ path, entry string }{
		"user-id-number":     {usersPath, `{"id":1,"email":"a@b.c","role":"user"}`},
		"user-no-role":       {usersPath, `{"id":"user_1","email":"a@b.c"}`},
		"user-role-null":     {usersPath, `{"id":"user_1","email":"a@b.c","role":null}`},
		"user-no-email":      {usersPath, `{"id":"user_1","email":"","role":"user"}`},
		"group-no-source":    {groupsPath, `{"id":"rbac_group_1","name":"x","role_ids":[]}`},
		"group-no-name":      {groupsPath, `{"id":"rbac_group_1","source_type":"direct","role_ids":[]}`},
		"role-no-name":       {rolesPath, `{"id":"rbac_role_1"}`},
		"row-no-resource":    {rowsPath, `{"action":"use"}`},
		"row-no-tool":        {rowsPath, `{"action":"use","resource":{"type":"connector_tool","connector_id":"mcpsrv_1"}}`},
		"row-no-connector":   {rowsPath, `{"action":"use","resource":{"type":"connector"}}`},
		"limit-no-amount":    {limitsPath, `{"id":"spl_1","period":"monthly","scope":{"type":"user","user_id":"u"}}`},
		"limit-number":       {limitsPath, `{"id":"spl_1","amount":5,"period":"monthly","scope":{"type":"user","user_id":"u"}}`},
		"limit-no-user":      {limitsPath, `{"id":"spl_1","amount":"5","period":"monthly","scope":{"type":"user"}}`},
		"event-no-time":      {feedPath, `{"id":"activity_1","type":"x"}`},
		"event-time-number":  {feedPath, `{"id":"activity_1","type":"x","created_at":5}`},
		"event-time-invalid": {feedPath, `{"id":"activity_1","type":"x","created_at":"yesterday"}`},
		"invite-no-status":   {invitesPath, `{"id":"invite_1","email":"a@b.c","role":"user"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t)
			v.lists[tt.path] = []string{tt.entry}
			r, _, _ := connect(t, v)
			if s, err := r.Fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "unexpected reply") {
				t.Errorf("got %v, %v", s, err)
			}
		})
	}
	t.Run("new-words-pass", func(t *testing.T) {
		v := newVendor(t)
		v.lists[usersPath] = []string{user("user_1", "a@b.c", "overlord")}
		v.lists[rowsPath] = []string{`{"action":"fly","resource":{"type":"moon"},"new":1}`}
		v.lists[limitsPath] = []string{`{"id":"spl_1","amount":"5","period":"hourly","scope":{"type":"planet"}}`}
		v.lists[feedPath] = []string{`{"id":"activity_1","type":"x","created_at":"2025-03-12T18:22:41.123456"}`}
		r, _, _ := connect(t, v)
		s, err := r.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Users[0].Role != "overlord" || s.Roles[0].Rows[0] != (claude.Row{Action: "fly", ResourceType: "moon"}) || s.SpendLimits[0].ScopeType != "planet" || !s.SpendLimits[0].IsEnabled || s.Events[0].At.Year() != 2025 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestMissing(t *testing.T) {
	scopes := func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, 403, "permission_error", "Missing required scopes. Got: ['read:members', 'x'] Needed: ['read:compliance_activities', 'read:members']")
	}
	tests := map[string]struct {
		hooks map[string]http.HandlerFunc
		want  []claude.Missing
		check func(*claude.Snapshot) bool
	}{
		"feed-scope": {
			hooks: map[string]http.HandlerFunc{feedPath: scopes},
			want:  []claude.Missing{{What: claude.MissingEvents, Why: "403: Missing required scopes. Got: ['read:members', 'x'] Needed: ['read:compliance_activities', 'read:members']", Scope: "read:compliance_activities"}},
			check: func(s *claude.Snapshot) bool { return s.Events == nil },
		},
		"settings-off": {
			hooks: map[string]http.HandlerFunc{settingsPath: status(404)},
			want:  []claude.Missing{{What: claude.MissingSettings, Why: "404: no"}},
			check: func(s *claude.Snapshot) bool { return !s.Settings.Known && s.Settings.Values != nil },
		},
		"no-usage-credits": {
			hooks: map[string]http.HandlerFunc{limitsPath: status(400)},
			want:  []claude.Missing{{What: claude.MissingSpendLimits, Why: "400: no"}},
			check: func(s *claude.Snapshot) bool { return s.SpendLimits == nil },
		},
		"invites": {
			hooks: map[string]http.HandlerFunc{invitesPath: status(403)},
			want:  []claude.Missing{{What: claude.MissingInvites, Why: "403: no"}},
			check: func(s *claude.Snapshot) bool { return s.Invites == nil },
		},
		"organization-from-rows": {
			hooks: map[string]http.HandlerFunc{mePath: status(404)},
			want:  []claude.Missing{},
			check: func(s *claude.Snapshot) bool { return s.Organization.ID == orgID && s.Settings.Known },
		},
		"organization-from-compliance": {
			hooks: map[string]http.HandlerFunc{mePath: status(403), rowsPath: answer(`{"data":[],"has_more":false,"next_page":null}`)},
			want:  []claude.Missing{},
			check: func(s *claude.Snapshot) bool {
				return s.Organization == claude.Organization{ID: orgID, Name: "Acme"} && s.Settings.Known
			},
		},
		"organization-ambiguous": {
			hooks: map[string]http.HandlerFunc{
				mePath: status(400), rowsPath: answer(`{"data":[],"has_more":false,"next_page":null}`),
				orgsPath: answer(`{"data":[{"uuid":"a"},{"uuid":"b"}],"has_more":false,"next_page":null}`),
			},
			want: []claude.Missing{
				{What: claude.MissingOrganization, Why: "the key sees 2 organizations"},
				{What: claude.MissingSettings, Why: "the id of the organization is not known"},
			},
			check: func(s *claude.Snapshot) bool { return s.Organization.ID == "" && !s.Settings.Known },
		},
		"no-compliance": {
			hooks: map[string]http.HandlerFunc{
				mePath: status(404), rowsPath: answer(`{"data":[],"has_more":false,"next_page":null}`),
				orgsPath: status(403), feedPath: status(403),
			},
			want: []claude.Missing{
				{What: claude.MissingEvents, Why: "403: no"},
				{What: claude.MissingOrganization, Why: "403: no"},
				{What: claude.MissingSettings, Why: "the id of the organization is not known"},
			},
			check: func(s *claude.Snapshot) bool { return len(s.Users) == 2 },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t)
			for path, h := range tt.hooks {
				v.on("GET", path, h)
			}
			r, _, _ := connect(t, v)
			s, err := r.Fetch(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, s.Missing); diff != "" {
				t.Errorf("Missing (-want +got):\n%s", diff)
			}
			if !tt.check(s) {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// What a key cannot do is missing; what did not work is an error.
func TestTroubleIsNotMissing(t *testing.T) {
	for _, path := range []string{mePath, invitesPath, limitsPath, feedPath, settingsPath} {
		for name, h := range map[string]http.HandlerFunc{"401": status(401), "500": status(500), "dropped": drop} {
			t.Run(path+"/"+name, func(t *testing.T) {
				v := newVendor(t)
				v.on("GET", path, h)
				r, _, _ := connect(t, v)
				if s, err := r.Fetch(t.Context()); err == nil || s != nil {
					t.Errorf("got %v, %v", s, err)
				}
			})
		}
	}
	for list, path := range essential {
		for _, code := range []int{400, 403, 404} {
			t.Run(fmt.Sprint(list, "/", code), func(t *testing.T) {
				v := newVendor(t)
				v.on("GET", path, status(code))
				r, _, _ := connect(t, v)
				s, err := r.Fetch(t.Context())
				var api *claude.APIError
				if s != nil || !errors.As(err, &api) || api.Status != code {
					t.Errorf("got %v, %v", s, err)
				}
			})
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	v := newVendor(t)
	r, _, _ := connect(t, v)
	v.on("GET", membersPath, func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, 403, "permission_error", "Missing required scopes. Got: ['read:members'] Needed: ['read:rbac_groups']")
	})
	_, err := r.Fetch(t.Context())
	want := `read members of group "Pilot": 403 permission_error: Missing required scopes. Got: ['read:members'] Needed: ['read:rbac_groups'] (request req_1); the key lacks read:rbac_groups; a key with this scope has to be created for all linked organizations`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	var api *claude.APIError
	if !errors.As(err, &api) || !slices.Equal(api.MissingScopes, []string{"read:rbac_groups"}) || api.Path != membersPath || api.RequestID != "req_1" {
		t.Errorf("got %+v", api)
	}

	v.on("GET", usersPath, func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, 400, "invalid\x1b[31m_request", "line one\r\nline\ttwo\x1b]0;title\x07 \u202eevil\u200b"+strings.Repeat("ä", 1000))
	})
	_, err = r.FetchUsers(t.Context())
	if s := err.Error(); strings.ContainsAny(s, "\x1b\x07\r\n\t\u202e\u200b") || len(s) > 800 {
		t.Errorf("got %q", s)
	}

	// A proxy's page is not the vendor's error.
	v.on("GET", usersPath, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(502)
		_, _ = fmt.Fprint(w, "<html>Bad gateway</html>")
	})
	_, err = r.FetchUsers(t.Context())
	if !errors.As(err, &api) || api.Status != 502 || !strings.Contains(err.Error(), "502 Bad Gateway") {
		t.Errorf("got %v", err)
	}
}

func TestFetchEventsAsksForTheGivenTypes(t *testing.T) {
	v := newVendor(t)
	v.pageSize = 1
	r, _, _ := connect(t, v, func(o *claude.Options) { o.EventTypes = []string{"group_created"} })
	if list, err := r.FetchEvents(t.Context(), "rbac_role_created"); err != nil || len(list) != 2 {
		t.Errorf("got %v, %v", list, err)
	}
	if list, err := r.FetchEvents(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("got %v, %v", list, err)
	}
	var queries []string
	for _, req := range v.seen("GET", feedPath) {
		queries = append(queries, req.Query)
	}
	want := []string{
		"activity_types%5B%5D=rbac_role_created&limit=5000",
		"activity_types%5B%5D=rbac_role_created&after_id=at-1&limit=5000",
		"activity_types%5B%5D=group_created&limit=5000",
		"activity_types%5B%5D=group_created&after_id=at-1&limit=5000",
	}
	if diff := cmp.Diff(want, queries); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
}
