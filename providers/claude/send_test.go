package claude_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/providers/claude"
	"github.com/rolecall/rolecall/schema"
)

var (
	createGroup  = schema.Request{Method: "POST", Path: groupsPath, Body: json.RawMessage(`{"name":"Pilot"}`)}
	createInvite = schema.Request{Method: "POST", Path: invitesPath, Body: json.RawMessage(`{"email":"a@example.com","role":"user"}`)}
	addMember    = schema.Request{Method: "POST", Path: membersPath, Body: json.RawMessage(`{"user_id":"user_1"}`)}
	removeMember = schema.Request{Method: "DELETE", Path: membersPath + "/user_1"}
	setRole      = schema.Request{Method: "POST", Path: usersPath + "/user_1", Body: json.RawMessage(`{"role":"managed"}`)}
	setLimit     = schema.Request{Method: "POST", Path: limitsPath, Body: json.RawMessage(`{"amount":null,"scope":{"type":"user","user_id":"user_1"}}`)}
)

// writes are all requests that rolecall makes.
var writes = map[string]struct {
	req    schema.Request
	create bool
}{
	"set-role":        {setRole, false},
	"remove-user":     {schema.Request{Method: "DELETE", Path: usersPath + "/user_1"}, false},
	"create-invite":   {createInvite, true},
	"withdraw-invite": {schema.Request{Method: "DELETE", Path: invitesPath + "/invite_1"}, false},
	"create-group":    {createGroup, true},
	"rename-group":    {schema.Request{Method: "POST", Path: groupsPath + "/rbac_group_1", Body: json.RawMessage(`{"name":"a ${b.c}"}`)}, false},
	"delete-group":    {schema.Request{Method: "DELETE", Path: groupsPath + "/rbac_group_1"}, false},
	"add-member":      {addMember, true},
	"remove-member":   {removeMember, false},
	"set-limit":       {setLimit, false},
	"set-plugin":      {schema.Request{Method: "POST", Path: pluginSettingsPath + "/organization", Body: json.RawMessage(`{"installation_preference":"required"}`)}, false},
	"unset-plugin":    {schema.Request{Method: "DELETE", Path: pluginSettingsPath + "/rbac_group_1"}, false},
	"set-marketplace": {schema.Request{Method: "POST", Path: marketplacesPath + "/marketplace_1", Body: json.RawMessage(`{"default_installation_preference":"available"}`)}, false},
	"approve":         {schema.Request{Method: "POST", Path: increasesPath + "/slir_1/approve", Body: json.RawMessage(`{"amount":"75000"}`)}, true},
	"deny":            {schema.Request{Method: "POST", Path: increasesPath + "/slir_1/deny", Body: json.RawMessage(`{}`)}, false},
	"delete-limit":    {schema.Request{Method: "DELETE", Path: limitsPath + "/spl_1"}, false},
}

func TestSendSendsExactlyTheRequest(t *testing.T) {
	for name, tt := range writes {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t)
			_, w, _ := connect(t, v)
			sent, err := w.Send(t.Context(), tt.req)
			if err != nil {
				t.Fatal(err)
			}
			if sent.ID != "made_1" || sent.RequestID != "req_1" || string(sent.Raw) != `{"id":"made_1","type":"thing"}` {
				t.Errorf("got %+v", sent)
			}
			if v.total() != 1 {
				t.Fatalf("%d requests", v.total())
			}
			got := v.log[0]
			if got.Method != tt.req.Method || got.Path != tt.req.Path || got.Query != "beta=true" || got.Body != string(tt.req.Body) {
				t.Errorf("sent %+v", got)
			}
			want := ""
			if tt.req.Body != nil {
				want = "application/json"
			}
			if ct := got.Header.Get("Content-Type"); ct != want {
				t.Errorf("content type %q, want %q", ct, want)
			}
			wantBeta := ""
			if strings.HasPrefix(tt.req.Path, "/v1/organizations/plugin") {
				wantBeta = "ce-plugins-2026-09-01"
			}
			if beta := got.Header.Get("anthropic-beta"); beta != wantBeta {
				t.Errorf("sent anthropic-beta %q, want %q", beta, wantBeta)
			}
		})
	}
}

func TestSendRefusesWhatRolecallNeverDoes(t *testing.T) {
	tests := map[string]schema.Request{
		"unknown-path":    {Method: "POST", Path: "/v1/organizations/api_keys/apikey_1"},
		"compliance":      {Method: "DELETE", Path: "/v1/compliance/apps/chats/1"},
		"get":             {Method: "GET", Path: usersPath},
		"put":             {Method: "PUT", Path: groupsPath + "/rbac_group_1"},
		"delete-all":      {Method: "DELETE", Path: groupsPath},
		"empty-id":        {Method: "DELETE", Path: groupsPath + "/"},
		"dot-segment":     {Method: "DELETE", Path: membersPath + "/.."},
		"escaped":         {Method: "DELETE", Path: usersPath + "/user_1%2f.."},
		"query":           {Method: "DELETE", Path: usersPath + "/user_1?x=1"},
		"other-host":      {Method: "DELETE", Path: "https://example.com" + usersPath + "/user_1"},
		"placeholder":     {Method: "DELETE", Path: groupsPath + "/${group.pilot}"},
		"body-not-filled": {Method: "POST", Path: invitesPath, Body: json.RawMessage(`{"email":"a@b.c","rbac_group_ids":["${group.pilot}"]}`)},
		"body-not-json":   {Method: "POST", Path: groupsPath, Body: json.RawMessage(`{`)},
		"role":            {Method: "POST", Path: rolesPath},
	}
	for name, req := range tests {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t)
			_, w, _ := connect(t, v)
			_, err := w.Send(t.Context(), req)
			if err == nil || errors.As(err, new(*claude.APIError)) || errors.As(err, new(*claude.UnclearError)) {
				t.Errorf("got error %v, want a plain one", err)
			}
			if v.total() != 0 {
				t.Errorf("%d requests were sent", v.total())
			}
		})
	}
}

// A request whose answer is lost is repeated only if that cannot do harm, and
// what remains in doubt is said to be.
func TestLostWrites(t *testing.T) {
	tests := map[string]struct {
		h       http.HandlerFunc
		repeats bool // of writes that are no creates
		unclear bool
	}{
		"dropped":      {drop, true, true},
		"cut":          {cut, true, true},
		"500":          {status(500), true, true},
		"503":          {status(503), true, true},
		"503-no-retry": {status(503, "x-should-retry", "false"), false, true},
		"408":          {status(408), true, true},
		"not-json":     {answer(`thanks`), false, true},
		"null":         {answer(`null`), false, true},
		"400":          {status(400), false, false},
		"403":          {status(403), false, false},
		"404":          {status(404), false, false},
		"409":          {status(409), false, false},
	}
	for name, tt := range tests {
		for write, what := range writes {
			t.Run(name+"/"+write, func(t *testing.T) {
				v := newVendor(t)
				_, w, _ := connect(t, v)
				v.on(what.req.Method, what.req.Path, tt.h)
				_, err := w.Send(t.Context(), what.req)
				want := 1
				if tt.repeats && !what.create {
					want = 4
				}
				if got := v.total(); got != want {
					t.Errorf("%d requests, want %d", got, want)
				}
				var unclear *claude.UnclearError
				if !errors.As(err, new(*claude.APIError)) || errors.As(err, &unclear) != tt.unclear {
					t.Errorf("got error %v, want unclear %v", err, tt.unclear)
				}
				if tt.unclear && !strings.Contains(err.Error(), "may have taken effect") {
					t.Errorf("got error %v", err)
				}
				if got := claude.Creates(what.req); got != what.create {
					t.Errorf("Creates says %v", got)
				}
			})
		}
	}
}

// The first try worked and its answer was lost; the second finds nothing to
// remove. That is not a refusal.
func TestRefusalAfterALostAnswerIsUnclear(t *testing.T) {
	v := newVendor(t)
	_, w, _ := connect(t, v)
	v.on("DELETE", removeMember.Path, times(1, drop, status(404)))
	_, err := w.Send(t.Context(), removeMember)
	var unclear *claude.UnclearError
	var api *claude.APIError
	if !errors.As(err, &unclear) || !errors.As(err, &api) || api.Status != 404 {
		t.Errorf("got error %v, want an unclear 404", err)
	}
}

func TestCreateWithoutIDIsUnclear(t *testing.T) {
	v := newVendor(t)
	_, w, _ := connect(t, v)
	v.on("POST", groupsPath, answer(`{"type":"rbac_group"}`))
	if _, err := w.Send(t.Context(), createGroup); !errors.As(err, new(*claude.UnclearError)) {
		t.Errorf("got error %v, want an unclear one", err)
	}
	// An added member has no id of its own.
	v.on("POST", membersPath, answer(`{"type":"rbac_group_member","user_id":"user_1"}`))
	if _, err := w.Send(t.Context(), addMember); err != nil {
		t.Error(err)
	}
}

func TestCanceledWriteIsUnclear(t *testing.T) {
	v := newVendor(t)
	_, w, _ := connect(t, v)
	ctx, cancel := context.WithCancel(t.Context())
	v.on("POST", groupsPath, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := w.Send(ctx, createGroup)
	if !errors.As(err, new(*claude.UnclearError)) || !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want an unclear one of the context", err)
	}
	// Canceled before it is sent, it is not.
	_, err = w.Send(ctx, createGroup)
	if errors.As(err, new(*claude.UnclearError)) || !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want the context's", err)
	}
	if v.total() != 1 {
		t.Errorf("%d requests, want 1", v.total())
	}
}
