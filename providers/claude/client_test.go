package claude_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/providers/claude"
)

const testKey = "sk-ant-api01-very-secret"

// A vendor is a small organization behind a real HTTP server. It answers as
// the API's reference says and nothing else; the tests break it on purpose.
type vendor struct {
	*httptest.Server

	mu       sync.Mutex
	lists    map[string][]string // entries of each list, as JSON
	objects  map[string]string   // answers to single reads, as JSON
	pageSize int                 // a smaller page than the client asks for, 0 for none
	hooks    map[string]http.HandlerFunc
	log      []request
}

// A request is what the vendor saw.
type request struct {
	Method, Path, Query, Body string
	Header                    http.Header
}

const orgID = "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e"

const (
	usersPath    = "/v1/organizations/users"
	invitesPath  = "/v1/organizations/invites"
	groupsPath   = "/v1/organizations/rbac_groups"
	rolesPath    = "/v1/organizations/rbac_roles"
	limitsPath   = "/v1/organizations/spend_limits"
	mePath       = "/v1/organizations/me"
	feedPath     = "/v1/compliance/activities"
	orgsPath     = "/v1/compliance/organizations"
	settingsPath = orgsPath + "/" + orgID + "/settings"
	membersPath  = groupsPath + "/rbac_group_1/members"
	rowsPath     = rolesPath + "/rbac_role_1/permissions"

	marketplacesPath   = "/v1/organizations/plugin_marketplaces"
	pluginsPath        = "/v1/organizations/plugins"
	pluginSettingsPath = pluginsPath + "/plugin_1/installation_settings"
	increasesPath      = "/v1/organizations/spend_limit_increase_requests"
	effectivePath      = limitsPath + "/effective"
)

func newVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{
		lists: map[string][]string{
			usersPath: {
				user("user_2", "Ben@Example.com", "managed"),
				user("user_1", "ana@example.com", "owner"),
			},
			invitesPath: {`{"type":"invite","id":"invite_1","email":"new@example.com","role":"managed","status":"pending","rbac_group_ids":["rbac_group_1"],"expires_at":"2026-07-27T16:20:11Z"}`},
			groupsPath: {
				`{"type":"rbac_group","id":"rbac_group_2","name":"Empty","source_type":"scim","role_ids":[]}`,
				`{"type":"rbac_group","id":"rbac_group_1","name":"Pilot","source_type":"direct","role_ids":["rbac_role_1"]}`,
			},
			membersPath: {
				`{"user_id":"user_2","email":"Ben@Example.com"}`,
				`{"user_id":"user_1","email":"ana@example.com"}`,
			},
			groupsPath + "/rbac_group_2/members": {},
			rolesPath:                            {`{"type":"rbac_role","id":"rbac_role_1","display_name":"Engineering","name":"old name"}`},
			rowsPath: {
				`{"action":"use","resource":{"type":"connector_tool","connector_id":"mcpsrv_1","tool_name":"search"}}`,
				`{"action":"chat","resource":{"type":"organization","organization_id":"` + orgID + `"}}`,
				`{"action":"use","resource":{"type":"all_connectors"}}`,
			},
			limitsPath: {
				`{"id":"spl_2","amount":null,"currency":"USD","period":"monthly","scope":{"type":"user","user_id":"user_2"},"is_enabled":true}`,
				`{"id":"spl_1","amount":"0","currency":"USD","period":"monthly","scope":{"type":"rbac_group","rbac_group_id":"rbac_group_1"},"is_enabled":true}`,
			},
			feedPath: {
				`{"id":"activity_2","type":"org_cowork_enabled","created_at":"2026-05-02T10:00:00.5Z","current_value":true,"actor":{"type":"user_actor","user_id":"user_1","ip_address":"192.0.2.1","user_agent":"x"}}`,
				`{"id":"activity_1","type":"mcp_server_created","created_at":"2026-05-02T10:00:00Z","mcp_server_id":"mcpsrv_1","mcp_server_name":"Tickets"}`,
			},
			marketplacesPath: {`{"id":"marketplace_1","type":"plugin_marketplace","name":"Tools","owner":{"type":"organization"},"source":"github","default_installation_preference":"available"}`},
			pluginsPath: {
				`{"id":"plugin_1","type":"plugin","name":"lint-kit","display_name":"Lint kit","marketplace_id":"marketplace_1","owner":{"type":"organization"},"reach":"privileged","organization_installation_preference":"required","organization_installation_preference_inherited":false}`,
			},
			pluginSettingsPath: {
				`{"type":"plugin_installation_setting","plugin_id":"plugin_1","target":{"type":"rbac_group","rbac_group_id":"rbac_group_1"},"installation_preference":"available"}`,
				`{"type":"plugin_installation_setting","plugin_id":"plugin_1","target":{"type":"organization"},"installation_preference":"required"}`,
			},
			orgsPath: {`{"uuid":"` + orgID + `","name":"Acme"}`},
		},
		objects: map[string]string{
			mePath:       `{"id":"` + orgID + `","name":"Acme","type":"organization"}`,
			settingsPath: `{"type":"effective_organization_settings","settings":[{"name":"chat_enabled","type":"boolean","value":true},{"name":"account_session_duration_seconds","type":"integer","value":null}]}`,
		},
		hooks: map[string]http.HandlerFunc{},
	}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

func user(id, email, role string) string {
	return fmt.Sprintf(`{"type":"user","id":%q,"email":%q,"name":"N","role":%q,"added_at":"2026-06-12T09:14:03Z"}`, id, email, role)
}

// on replaces the answer to one method and path.
func (v *vendor) on(method, path string, h http.HandlerFunc) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.hooks[method+" "+path] = h
}

// seen returns what was asked so far, of one method and path.
func (v *vendor) seen(method, path string) []request {
	v.mu.Lock()
	defer v.mu.Unlock()
	var list []request
	for _, r := range v.log {
		if r.Method == method && r.Path == path {
			list = append(list, r)
		}
	}
	return list
}

func (v *vendor) total() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.log)
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	v.mu.Lock()
	v.log = append(v.log, request{r.Method, r.URL.Path, r.URL.RawQuery, string(body), r.Header})
	hook := v.hooks[r.Method+" "+r.URL.Path]
	list, isList := v.lists[r.URL.Path]
	object, isObject := v.objects[r.URL.Path]
	pageSize := v.pageSize
	v.mu.Unlock()

	w.Header().Set("request-id", "req_1")
	switch {
	case hook != nil:
		hook(w, r)
	case r.Method != http.MethodGet:
		reply(w, 200, `{"id":"made_1","type":"thing"}`)
	case isObject:
		reply(w, 200, object)
	case isList:
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		if pageSize > 0 {
			limit = min(limit, pageSize)
		}
		reply(w, 200, page(r.URL, list, limit))
	default:
		refuse(w, 404, "not_found_error", "Not found.")
	}
}

func page(u *url.URL, list []string, limit int) string {
	byID := u.Path == usersPath || u.Path == invitesPath || u.Path == feedPath
	cursor := u.Query().Get("page")
	if byID {
		cursor = u.Query().Get("after_id")
	}
	from, _ := strconv.Atoi(strings.TrimPrefix(cursor, "at-"))
	to := min(from+limit, len(list))
	more := to < len(list)
	next := "null"
	if byID && to > from || more {
		next = fmt.Sprintf(`"at-%d"`, to)
	}
	data := strings.Join(list[from:to], ",")
	switch {
	case byID:
		return fmt.Sprintf(`{"data":[%s],"has_more":%v,"first_id":null,"last_id":%s}`, data, more, next)
	case u.Path == limitsPath, strings.HasPrefix(u.Path, pluginsPath), u.Path == marketplacesPath, u.Path == increasesPath:
		return fmt.Sprintf(`{"data":[%s],"next_page":%s}`, data, next)
	}
	return fmt.Sprintf(`{"data":[%s],"has_more":%v,"next_page":%s}`, data, more, next)
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("content-type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func refuse(w http.ResponseWriter, status int, typ, message string) {
	m, _ := json.Marshal(message)
	reply(w, status, fmt.Sprintf(`{"type":"error","error":{"type":%q,"message":%s},"request_id":"req_1"}`, typ, m))
}

// drop closes the connection without an answer.
func drop(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// cut answers with less than it promises.
func cut(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("content-type", "application/json")
	w.Header().Set("content-length", "1000")
	_, _ = io.WriteString(w, `{"data":[`)
	w.(http.Flusher).Flush()
	drop(w, r)
}

// times answers n times by way of h, and after that by way of then.
func times(n int, h, then http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n--
		first := n >= 0
		mu.Unlock()
		if first {
			h(w, r)
		} else {
			then(w, r)
		}
	}
}

func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		refuse(w, code, "some_error", "no")
	}
}

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, body) }
}

// A clock stands still but for Sleep.
type clock struct {
	mu    sync.Mutex
	t     time.Time
	slept []time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

func (c *clock) total() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum time.Duration
	for _, d := range c.slept {
		sum += d
	}
	return sum
}

// connect returns both halves of a connection to v, and its clock.
func connect(t *testing.T, v *vendor, change ...func(*claude.Options)) (*claude.Reading, *claude.Writing, *clock) {
	t.Helper()
	c := &clock{t: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	o := claude.Options{Endpoint: v.URL, Key: testKey, Now: c.Now, Sleep: c.Sleep}
	for _, f := range change {
		f(&o)
	}
	r, w, err := claude.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	return r, w, c
}

func TestKeyIsNeverShown(t *testing.T) {
	k := claude.Key(testKey)
	o := claude.Options{Key: k, ComplianceKey: k}
	v := newVendor(t)
	r, w, _ := connect(t, v)
	v.on("GET", usersPath, func(w http.ResponseWriter, r *http.Request) {
		refuse(w, 401, "authentication_error", "bad key "+r.Header.Get("X-Api-Key"))
	})
	_, failure := r.FetchUsers(t.Context())
	v.on("GET", usersPath, drop)
	_, lost := r.FetchUsers(t.Context())

	var shown bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10s"} {
		for _, value := range []any{k, &k, o, &o, []claude.Key{k}, map[claude.Key]int{k: 1}, r, w, *r, *w, failure, lost} {
			text := fmt.Sprintf(verb+"\n", value)
			if strings.Contains(text, testKey) {
				t.Errorf("%s of a %T shows the key", verb, value)
			}
			shown.WriteString(text)
		}
	}
	for _, value := range []any{k, struct{ K claude.Key }{k}, map[string]claude.Key{"k": k}, failure} {
		data, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(data)
	}
	slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "key", k, "keys", o.Key)
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "key", k, "err", failure)

	for _, secret := range []string{testKey, "very-secret", fmt.Sprintf("%x", testKey), fmt.Sprintf("%d", []byte(testKey))} {
		if strings.Contains(shown.String(), secret) {
			t.Errorf("%q is shown", secret)
		}
	}
	if !strings.Contains(failure.Error(), "bad key [redacted]") {
		t.Errorf("got %v, want the vendor's message with the key redacted", failure)
	}
}

func TestEndpoint(t *testing.T) {
	tests := map[string]struct {
		endpoint string
		refused  string // part of the error, "" if allowed
	}{
		"default":        {endpoint: ""},
		"https":          {endpoint: "https://gateway.example.com/claude"},
		"loopback":       {endpoint: "http://127.0.0.1:8787"},
		"other-loopback": {endpoint: "http://127.8.8.8:8787"},
		"loopback-6":     {endpoint: "http://[::1]:8787"},
		"localhost":      {endpoint: "http://localhost:8787"},
		"http":           {endpoint: "http://api.anthropic.com", refused: "only over https"},
		"http-private":   {endpoint: "http://10.0.0.1", refused: "only over https"},
		"http-lookalike": {endpoint: "http://localhost.example.com", refused: "only over https"},
		"http-any":       {endpoint: "http://0.0.0.0:80", refused: "only over https"},
		"file":           {endpoint: "file:///etc/passwd", refused: "not a URL"},
		"ftp":            {endpoint: "ftp://example.com", refused: "only over https"},
		"bare-host":      {endpoint: "api.anthropic.com", refused: "not a URL"},
		"port-only":      {endpoint: "http://:80", refused: "not a URL"},
		"password":       {endpoint: "https://me:secret@example.com", refused: "user name or password"},
		"broken":         {endpoint: "https://me:secret@exa mple.com", refused: "not a URL"},
		"query":          {endpoint: "https://example.com?x=1", refused: "query"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := claude.NewClient(claude.Options{Endpoint: tt.endpoint, Key: "k"})
			if (err != nil) != (tt.refused != "") {
				t.Fatalf("got error %v, want one with %q", err, tt.refused)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.refused) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("got error %q, want one with %q and no password", err, tt.refused)
			}
		})
	}
}

func TestRefusesKeysThatCannotBeKeys(t *testing.T) {
	for name, k := range map[string]claude.Key{"empty": "", "line-break": testKey + "\n", "space": " " + testKey, "not-ascii": "sk–ant"} {
		t.Run(name, func(t *testing.T) {
			_, _, err := claude.NewClient(claude.Options{Key: k})
			if err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("got error %v, want one that does not show the key", err)
			}
			if k == "" {
				return // an empty compliance key means the key
			}
			_, _, err = claude.NewClient(claude.Options{Key: "k", ComplianceKey: k})
			if err == nil || !strings.Contains(err.Error(), "compliance key") {
				t.Errorf("got error %v, want one about the compliance key", err)
			}
		})
	}
}

func TestRedirectDoesNotLeakTheKey(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			thief := newVendor(t)
			v := newVendor(t)
			away := func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, thief.URL+r.URL.RequestURI(), code)
			}
			v.on("GET", usersPath, away)
			v.on("POST", groupsPath, away)
			r, w, _ := connect(t, v)

			_, err := r.FetchUsers(t.Context())
			if err == nil || !strings.Contains(err.Error(), "redirect") {
				t.Errorf("FetchUsers: got error %v, want one about a redirect", err)
			}
			_, err = w.Send(t.Context(), createGroup)
			if err == nil || !strings.Contains(err.Error(), "redirect") {
				t.Errorf("Send: got error %v, want one about a redirect", err)
			}
			if n := thief.total(); n != 0 {
				t.Errorf("the other server got %d requests", n)
			}
			if n := v.total(); n != 2 {
				t.Errorf("the server got %d requests, want 2", n)
			}
		})
	}
}

func TestEnvironmentIsIgnored(t *testing.T) {
	thief := newVendor(t)
	tests := map[string]map[string]string{
		"key":        {"ANTHROPIC_API_KEY": "sk-env"},
		"token":      {"ANTHROPIC_AUTH_TOKEN": "token-env"},
		"base-url":   {"ANTHROPIC_BASE_URL": thief.URL},
		"profile":    {"ANTHROPIC_PROFILE": "no-such-profile"},
		"headers":    {"ANTHROPIC_CUSTOM_HEADERS": "X-Env: yes\nX-Api-Key: sk-env"},
		"federation": {"ANTHROPIC_FEDERATION_RULE_ID": "fdrl_1", "ANTHROPIC_ORGANIZATION_ID": orgID, "ANTHROPIC_IDENTITY_TOKEN": "jwt"},
	}
	for name, env := range tests {
		t.Run(name, func(t *testing.T) {
			for k, val := range env {
				t.Setenv(k, val)
			}
			v := newVendor(t)
			r, w, _ := connect(t, v, func(o *claude.Options) { o.ComplianceKey = "sk-compliance"; o.UserAgent = "rolecall/test" })
			if _, err := r.Fetch(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Send(t.Context(), createGroup); err != nil {
				t.Fatal(err)
			}
			if thief.total() != 0 {
				t.Error("ANTHROPIC_BASE_URL was followed")
			}
			for _, req := range v.log {
				checkHeaders(t, req)
			}
		})
	}
}

func checkHeaders(t *testing.T, req request) {
	t.Helper()
	want := testKey
	if strings.HasPrefix(req.Path, "/v1/compliance/") {
		want = "sk-compliance"
	}
	if got := req.Header.Values("X-Api-Key"); !slices.Equal(got, []string{want}) {
		t.Errorf("%s %s: got X-Api-Key %q, want %q", req.Method, req.Path, got, want)
	}
	if req.Header.Get("Authorization") != "" || req.Header.Get("X-Env") != "" {
		t.Errorf("%s %s: headers come from the environment", req.Method, req.Path)
	}
	if got := req.Header.Get("User-Agent"); got != "rolecall/test" {
		t.Errorf("got User-Agent %q", got)
	}
	if req.Header.Get("anthropic-version") == "" {
		t.Error("no anthropic-version")
	}
}

func TestTooManyRequestsIsAWait(t *testing.T) {
	tests := map[string]struct {
		headers []string
		want    time.Duration
	}{
		"seconds":      {headers: []string{"Retry-After", "7"}, want: 7 * time.Second},
		"milliseconds": {headers: []string{"Retry-After-Ms", "1500", "Retry-After", "7"}, want: 1500 * time.Millisecond},
		"date":         {headers: []string{"Retry-After", "Sun, 22 Nov 2026 12:00:09 GMT"}, want: 9 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t)
			r, _, c := connect(t, v)
			v.on("GET", usersPath, times(1, status(429, tt.headers...), answer(`{"data":[],"has_more":false}`)))
			if _, err := r.FetchUsers(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(c.slept, []time.Duration{tt.want}) {
				t.Errorf("GET slept %v, want %v", c.slept, tt.want)
			}

			_, w, c := connect(t, v)
			v.on("POST", groupsPath, times(1, status(429, tt.headers...), answer(`{"id":"rbac_group_9"}`)))
			sent, err := w.Send(t.Context(), createGroup)
			if err != nil || sent.ID != "rbac_group_9" {
				t.Fatalf("Send: %v, %v", sent, err)
			}
			if !slices.Equal(c.slept, []time.Duration{tt.want}) {
				t.Errorf("POST slept %v, want %v", c.slept, tt.want)
			}
		})
	}
}

func TestTooManyRequestsEnds(t *testing.T) {
	v := newVendor(t)
	r, w, c := connect(t, v)

	// Without a Retry-After the waits are rolecall's own.
	v.on("GET", usersPath, status(429))
	_, err := r.FetchUsers(t.Context())
	var api *claude.APIError
	if !errors.As(err, &api) || api.Status != 429 {
		t.Fatalf("got error %v, want a 429", err)
	}
	if got := len(v.seen("GET", usersPath)); got != 6 || len(c.slept) != 5 {
		t.Errorf("%d requests and %d waits, want 6 and 5", got, len(c.slept))
	}

	// A wait of an hour is for a person to decide on.
	c.slept = nil
	v.on("POST", invitesPath, status(429, "Retry-After", "3600"))
	_, err = w.Send(t.Context(), createInvite)
	if !errors.As(err, &api) || !strings.Contains(err.Error(), "1h0m0s") {
		t.Fatalf("got error %v, want a 429 that names the wait", err)
	}
	if errors.As(err, new(*claude.UnclearError)) {
		t.Error("a refusal for want of budget is called unclear")
	}
	if len(c.slept) != 0 {
		t.Errorf("slept %v", c.slept)
	}
}

func TestCanceledContextStopsWaits(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"budget":      status(429, "Retry-After", "200"),
		"retry-after": status(503, "Retry-After", "200"),
	} {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t)
			v.on("GET", usersPath, h)
			r, _, err := claude.NewClient(claude.Options{Endpoint: v.URL, Key: testKey})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			start := time.Now()
			_, err = r.Fetch(ctx)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got error %v, want the context's", err)
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

func TestKeepsWithinBudgets(t *testing.T) {
	v := newVendor(t)
	r, w, c := connect(t, v)
	for range 100 {
		if _, err := r.FetchUsers(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.total(); got != 0 {
		t.Errorf("the first minute's budget took %v", got)
	}
	// Invites and spend limits are paid from other budgets.
	for range 20 {
		if _, err := w.Send(t.Context(), createInvite); err != nil {
			t.Fatal(err)
		}
		if _, err := r.FetchSpendLimits(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.total(); got != 0 {
		t.Errorf("other budgets took %v", got)
	}
	for range 50 {
		if _, err := r.FetchUsers(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.total(); got != 60500*time.Millisecond {
		t.Errorf("50 requests over the budget took %v, want a window and its margin", got)
	}
	s := r.Stats()
	want := map[claude.Family]int{claude.FamilyAdmin: 150, claude.FamilyInvite: 20, claude.FamilySpend: 20}
	for f, n := range want {
		if s.Requests[f] != n {
			t.Errorf("%s: counted %d requests, want %d", f, s.Requests[f], n)
		}
	}
	if s.Total() != 190 || s.Waited != 60500*time.Millisecond || w.Stats().Total() != 190 {
		t.Errorf("got %+v", s)
	}
}

func TestBudgetCanBeChanged(t *testing.T) {
	run := func(t *testing.T, change func(*claude.Options)) time.Duration {
		v := newVendor(t)
		r, _, c := connect(t, v, change)
		for range 110 {
			if _, err := r.FetchUsers(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return c.total().Round(time.Second)
	}
	if d := run(t, func(o *claude.Options) { o.Unpaced = true }); d != 0 {
		t.Errorf("unpaced took %v", d)
	}
	half := func(f claude.Family) (int, time.Duration) {
		if f == claude.FamilyAdmin {
			return 50, time.Minute
		}
		return 0, 0
	}
	if d := run(t, func(o *claude.Options) { o.Budget = half }); d != 121*time.Second {
		t.Errorf("half the budget took %v, want two windows and their margins", d)
	}
}

func TestServerSaysWhatIsLeft(t *testing.T) {
	v := newVendor(t)
	r, _, c := connect(t, v)
	v.on("GET", settingsPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("anthropic-ratelimit-requests-remaining", "0")
		w.Header().Set("anthropic-ratelimit-requests-reset", "2026-11-22T12:00:40Z")
		reply(w, 200, v.objects[settingsPath])
	})
	for range 2 {
		if _, err := r.FetchSettings(t.Context(), orgID); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.total(); got != 40*time.Second {
		t.Errorf("waited %v, want until the reset in 40s", got)
	}
}

// Other tools of the organization spend from the same budget.
func TestServerSaysThatLittleIsLeft(t *testing.T) {
	v := newVendor(t)
	r, _, c := connect(t, v)
	v.on("GET", settingsPath, times(1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("anthropic-ratelimit-requests-remaining", "3")
		reply(w, 200, v.objects[settingsPath])
	}, answer(v.objects[settingsPath])))
	for i := range 5 {
		if c.total() != 0 {
			t.Fatalf("waited %v after %d requests", c.total(), i)
		}
		if _, err := r.FetchSettings(t.Context(), orgID); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.total(); got != time.Minute {
		t.Errorf("waited %v for the fifth, want until the window has ended", got)
	}
}

func TestLostAnswers(t *testing.T) {
	big := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", "application/json")
		chunk := bytes.Repeat([]byte(" "), 1<<20)
		for range 65 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	noLength := func(w http.ResponseWriter, _ *http.Request) { // cut, and it does not show
		conn, _, _ := w.(http.Hijacker).Hijack()
		_, _ = io.WriteString(conn, "HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{\"data\":[")
		_ = conn.Close()
	}
	tests := map[string]struct {
		h        http.HandlerFunc
		requests int
		want     string
	}{
		"dropped":       {drop, 4, "check the network"},
		"cut":           {cut, 4, "cut"},
		"cut-unnoticed": {noLength, 4, "unexpected EOF"},
		"408":           {status(408), 4, "408"},
		"500":           {status(500), 4, "run again later"},
		"503":           {status(503), 4, "run again later"},
		"529":           {status(529), 4, "run again later"},
		"503-no-retry":  {status(503, "x-should-retry", "false"), 1, "503"},
		"503-far-away":  {status(503, "Retry-After", "3600"), 1, "503"},
		"400":           {status(400), 1, "400"},
		"401":           {status(401), 1, "the key is missing, wrong or disabled"},
		"409":           {status(409), 1, "409"},
		"too-large":     {big, 1, "larger than 64 MiB"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t)
			r, _, c := connect(t, v)
			v.on("GET", usersPath, tt.h)
			list, err := r.FetchUsers(t.Context())
			if err == nil || list != nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "read users: ") {
				t.Errorf("got %v, %v; want an error with %q", list, err, tt.want)
			}
			if got := len(v.seen("GET", usersPath)); got != tt.requests || len(c.slept) != tt.requests-1 {
				t.Errorf("%d requests and %d waits, want %d and one less", got, len(c.slept), tt.requests)
			}
		})
		if tt.requests == 4 {
			t.Run(name+"-then-well", func(t *testing.T) {
				v := newVendor(t)
				r, _, _ := connect(t, v)
				v.on("GET", usersPath, times(3, tt.h, answer(page(&url.URL{Path: usersPath}, v.lists[usersPath], 10))))
				if list, err := r.FetchUsers(t.Context()); err != nil || len(list) != 2 {
					t.Errorf("got %v, %v", list, err)
				}
			})
		}
	}
}

func TestUnreachable(t *testing.T) {
	v := newVendor(t)
	r, w, _ := connect(t, v)
	v.Close()
	var api *claude.APIError
	if _, err := r.Fetch(t.Context()); !errors.As(err, &api) || !strings.Contains(err.Error(), "check the network") {
		t.Errorf("got error %v", err)
	}
	// Nobody heard the request, so nothing is unclear.
	_, err := w.Send(t.Context(), createGroup)
	if !errors.As(err, &api) || errors.As(err, new(*claude.UnclearError)) {
		t.Errorf("got error %v", err)
	}
}
