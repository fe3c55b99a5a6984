package claude_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/claude"
	"github.com/rolecall/rolecall/providers/emulator"
	"github.com/rolecall/rolecall/schema"
)

// A tap writes down what goes over the wire.
type tap struct{ log strings.Builder }

func (w *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	query, _ := url.QueryUnescape(r.URL.RawQuery)
	fmt.Fprintf(&w.log, "%s %s?%s\n", r.Method, r.URL.Path, query)
	for _, name := range []string{"Anthropic-Version", "Anthropic-Beta", "Content-Type", "X-Stainless-Retry-Count"} {
		if v := r.Header.Get(name); v != "" {
			fmt.Fprintf(&w.log, "%s: %s\n", strings.ToLower(name), v)
		}
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if len(body) > 0 {
			fmt.Fprintf(&w.log, "\n%s\n", body)
		}
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "", " ") != nil {
		pretty.Write(body)
	}
	fmt.Fprintf(&w.log, "\n%s %s\n%s\n", res.Status, res.Header.Get("Content-Type"), pretty.String())
	return res, nil
}

// wireSeed has one of everything that the API shows.
var wireSeed = strings.TrimSuffix(strings.TrimSpace(cacheSeed), "}") + `,
	"spend_limit_increase_requests": [{"id": "slir_1", "email": "bob@acme.com"}, {"id": "slir_2", "email": "jane@acme.com"}]
}`

// wireCalls are every read and every write that rolecall makes, in an order in
// which each is possible.
var wireCalls = []struct {
	name string
	read func(*testing.T, *claude.Reading) error
	send schema.Request
}{
	{name: "organization", read: func(t *testing.T, r *claude.Reading) error { _, err := r.FetchOrganization(t.Context()); return err }},
	{name: "users", read: func(t *testing.T, r *claude.Reading) error { _, err := r.FetchUsers(t.Context()); return err }},
	{name: "invites", read: func(t *testing.T, r *claude.Reading) error { _, err := r.FetchInvites(t.Context()); return err }},
	{name: "groups", read: func(t *testing.T, r *claude.Reading) error { _, err := r.FetchGroups(t.Context()); return err }},
	{name: "members", read: func(t *testing.T, r *claude.Reading) error {
		_, err := r.FetchMembers(t.Context(), "rbac_group_pilot")
		return err
	}},
	{name: "roles", read: func(t *testing.T, r *claude.Reading) error { _, err := r.FetchRoles(t.Context()); return err }},
	{name: "permissions", read: func(t *testing.T, r *claude.Reading) error {
		_, err := r.FetchRows(t.Context(), "rbac_role_std")
		return err
	}},
	{name: "settings", read: func(t *testing.T, r *claude.Reading) error {
		_, err := r.FetchSettings(t.Context(), orgID)
		return err
	}},
	{name: "spend-limits", read: func(t *testing.T, r *claude.Reading) error { _, err := r.FetchSpendLimits(t.Context()); return err }},
	{name: "effective", read: func(t *testing.T, r *claude.Reading) error {
		_, err := r.FetchEffectiveLimits(t.Context(), "user_jane")
		return err
	}},
	{name: "increase-requests", read: func(t *testing.T, r *claude.Reading) error {
		_, err := r.FetchIncreaseRequests(t.Context(), "pending")
		return err
	}},
	{name: "marketplaces", read: func(t *testing.T, r *claude.Reading) error { _, err := r.FetchMarketplaces(t.Context()); return err }},
	{name: "plugins", read: func(t *testing.T, r *claude.Reading) error { _, err := r.FetchPlugins(t.Context()); return err }},
	{name: "plugin-settings", read: func(t *testing.T, r *claude.Reading) error {
		_, err := r.FetchPluginSettings(t.Context(), "plugin_1")
		return err
	}},
	{name: "activities", read: func(t *testing.T, r *claude.Reading) error {
		_, err := r.FetchEvents(t.Context(), "group_created")
		return err
	}},
	{name: "set-role", send: req("POST", usersPath+"/user_bob", `{"role":"managed"}`)},
	{name: "create-invite", send: req("POST", invitesPath, `{"email":"z@acme.com","role":"managed","rbac_group_ids":["rbac_group_pilot"]}`)},
	{name: "withdraw-invite", send: req("DELETE", invitesPath+"/invite_1", "")},
	{name: "create-group", send: req("POST", groupsPath, `{"name":"Design"}`)},
	{name: "rename-group", send: req("POST", groupsPath+"/rbac_group_pilot", `{"name":"First"}`)},
	{name: "add-member", send: req("POST", groupsPath+"/rbac_group_pilot/members", `{"user_id":"user_bob"}`)},
	{name: "remove-member", send: req("DELETE", groupsPath+"/rbac_group_pilot/members/user_jane", "")},
	{name: "set-limit", send: req("POST", limitsPath, `{"amount":"75000","scope":{"user_id":"user_jane","type":"user"},"period":"monthly"}`)},
	{name: "lift-limit", send: req("POST", limitsPath, `{"amount":null,"scope":{"user_id":"user_jane","type":"user"},"period":"monthly"}`)},
	{name: "approve", send: req("POST", increasesPath+"/slir_1/approve", `{"amount":"90000"}`)},
	{name: "deny", send: req("POST", increasesPath+"/slir_2/deny", `{"suppress_notification":true}`)},
	{name: "set-plugin", send: req("POST", pluginSettingsPath+"/organization", `{"installation_preference":"required"}`)},
	{name: "unset-plugin", send: req("DELETE", pluginSettingsPath+"/rbac_group_pilot", "")},
	{name: "set-marketplace", send: req("POST", marketplacesPath+"/marketplace_1", `{"default_installation_preference":"available"}`)},
	{name: "delete-group", send: req("DELETE", groupsPath+"/rbac_group_pilot", "")},
	{name: "remove-user", send: req("DELETE", usersPath+"/user_bob", "")},
}

func req(method, path, body string) schema.Request {
	r := schema.Request{Method: method, Path: path}
	if body != "" {
		r.Body = json.RawMessage(body)
	}
	return r
}

// TestWireShapes compares every request and answer with a golden file, which
// was read against the vendor's reference. ROLECALL_UPDATE=1 writes them.
func TestWireShapes(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	e, err := emulator.Open(emulator.Options{SeedData: []byte(wireSeed), Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(e.Handler())
	defer s.Close()
	wire := &tap{}
	c := &clock{t: at}
	r, w, err := claude.NewClient(claude.Options{Endpoint: s.URL, Key: testKey, Unpaced: true, HTTP: wire, Now: c.Now, Sleep: c.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range wireCalls {
		wire.log.Reset()
		if call.read != nil {
			err = call.read(t, r)
		} else {
			_, err = w.Send(t.Context(), call.send)
		}
		if err != nil {
			t.Fatalf("%s: %v", call.name, err)
		}
		file := filepath.Join("testdata", "wire", call.name+".golden")
		got := wire.log.String()
		if os.Getenv("ROLECALL_UPDATE") != "" {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-golden +wire):\n%s", call.name, diff)
		}
	}
}

// faultOf are the ways in which a write goes wrong, whether it may then have
// taken effect, and whether the client gets over it by itself if it may repeat
// the request.
var faultOf = map[string]struct {
	fault   string
	unclear bool
	passing bool
	status  int
}{
	"400":         {`"do":"status","status":400`, false, false, 400},
	"401":         {`"do":"status","status":401`, false, false, 401},
	"402":         {`"do":"status","status":402`, false, false, 402},
	"403":         {`"do":"status","status":403`, false, false, 403},
	"404":         {`"do":"status","status":404`, false, false, 404},
	"409":         {`"do":"status","status":409`, false, false, 409},
	"413":         {`"do":"status","status":413`, false, false, 413},
	"429":         {`"do":"status","status":429,"headers":{"retry-after":"1"}`, false, true, 0},
	"500":         {`"do":"status","status":500`, true, true, 500},
	"503":         {`"do":"status","status":503,"headers":{"x-should-retry":"true"}`, true, true, 503},
	"503-final":   {`"do":"status","status":503,"headers":{"x-should-retry":"false"}`, true, false, 503},
	"504":         {`"do":"status","status":504`, true, true, 504},
	"529":         {`"do":"status","status":529`, true, true, 529},
	"500-after":   {`"do":"status_after","status":500`, true, true, 500},
	"drop-before": {`"do":"drop_before"`, true, true, 0},
	"drop-after":  {`"do":"drop_after"`, true, true, 0},
	"cut":         {`"do":"cut_body"`, true, true, 0},
	"delay":       {`"do":"delay","delay_ms":5`, false, true, 0},
}

// TestEveryWriteTimesEveryFault: each write meets each fault once. A refusal is
// an APIError with the status, a lost answer is unclear unless a repetition
// settled it, what creates is never sent twice blindly, and once the cause is
// gone the same request leads to the same organization as without the fault.
func TestEveryWriteTimesEveryFault(t *testing.T) {
	for _, call := range wireCalls {
		if call.read != nil {
			continue
		}
		want := afterWrite(t, call.send)
		for name, f := range faultOf {
			if f.status == 402 || f.status == 413 {
				if testing.Short() && call.name != "create-group" {
					continue
				}
			}
			t.Run(call.name+"/"+name, func(t *testing.T) {
				e, w, done := openWire(t)
				defer done()
				if err := e.AddFaults([]byte(`{"method":"` + call.send.Method + `","path":"` + call.send.Path + `",` + f.fault + `}`)); err != nil {
					t.Fatal(err)
				}
				_, err := w.Send(t.Context(), call.send)
				creates := claude.Creates(call.send)
				tries := len(slices.DeleteFunc(e.Requests(), func(r emulator.Request) bool { return r.Path != call.send.Path }))
				var api *claude.APIError
				var unclear *claude.UnclearError
				switch {
				case name == "429" || name == "delay":
					if err != nil {
						t.Fatalf("got error %v", err)
					}
				case f.unclear && creates:
					if !errors.As(err, &unclear) || tries != 1 {
						t.Fatalf("got error %v after %d requests, want an unclear one after 1", err, tries)
					}
				case f.passing && f.unclear:
					if err != nil && !errors.As(err, &unclear) && !errors.As(err, &api) {
						t.Fatalf("got error %v", err)
					}
					if tries != 2 {
						t.Fatalf("%d requests, want 2", tries)
					}
				default:
					if !errors.As(err, &api) || api.Status != f.status || api.Message == "" || api.Op == "" {
						t.Fatalf("got error %v, want %d", err, f.status)
					}
					if !f.unclear && errors.As(err, &unclear) {
						t.Fatalf("a refusal is called unclear: %v", err)
					}
				}
				// The cause is gone. Who lost an answer looks first.
				if err != nil && string(e.StateJSON()) != want {
					if _, err := w.Send(t.Context(), call.send); err != nil {
						t.Fatalf("again: %v", err)
					}
				}
				if diff := cmp.Diff(want, string(e.StateJSON())); diff != "" {
					t.Errorf("the organization (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func openWire(t *testing.T) (*emulator.Server, *claude.Writing, func()) {
	t.Helper()
	e, err := emulator.Open(emulator.Options{SeedData: []byte(wireSeed)})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(e.Handler())
	c := &clock{}
	_, w, err := claude.NewClient(claude.Options{Endpoint: s.URL, Key: testKey, Unpaced: true, Now: c.Now, Sleep: c.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	return e, w, s.Close
}

// afterWrite returns the organization after one write without any fault.
func afterWrite(t *testing.T, r schema.Request) string {
	t.Helper()
	e, w, done := openWire(t)
	defer done()
	if _, err := w.Send(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return string(e.StateJSON())
}
