package claude_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rolecall/rolecall/providers/claude"
	"github.com/rolecall/rolecall/providers/emulator"
	"github.com/rolecall/rolecall/schema"
)

const seed = `{
	"organization": {"id": "` + orgID + `", "name": "Acme", "provisioning": "login_only", "currency": "USD", "usage_credits": true},
	"features": {"chat": true, "web_search": true, "cowork": false},
	"connectors": [{"id": "mcpsrv_01AbC", "name": "Jira", "tools": ["search_issues", "delete_issue"]}],
	"roles": [{"id": "rbac_role_std", "name": "Standard", "permissions": [
		{"action": "chat", "resource": {"type": "organization"}},
		{"action": "cowork", "resource": {"type": "organization"}},
		{"action": "use", "resource": {"type": "all_connectors"}}
	]}],
	"groups": [
		{"id": "rbac_group_pilot", "name": "Pilot", "source_type": "direct", "roles": ["Standard"], "members": ["jane@acme.com"]},
		{"id": "rbac_group_idp", "name": "Everyone", "source_type": "scim", "roles": [], "members": ["jane@acme.com", "bob@acme.com"]}
	],
	"members": [
		{"id": "user_jane", "email": "jane@acme.com", "name": "Jane", "role": "managed"},
		{"id": "user_bob", "email": "bob@acme.com", "name": "Bob", "role": "user"},
		{"id": "user_olga", "email": "olga@acme.com", "name": "Olga", "role": "primary_owner"}
	],
	"spend_limits": [{"scope": {"type": "rbac_group", "group": "Pilot"}, "amount": "20000"}]
}`

// emulate serves seed and returns both halves of a connection to it.
func emulate(t *testing.T) (*claude.Reading, *claude.Writing, *httptest.Server) {
	t.Helper()
	e, err := emulator.Open(emulator.Options{SeedData: []byte(seed)})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(e.Handler())
	t.Cleanup(func() {
		s.Close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &clock{}
	r, w, err := claude.NewClient(claude.Options{Endpoint: s.URL, Key: testKey, Unpaced: true, Now: c.Now, Sleep: c.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	return r, w, s
}

func TestFetchFromEmulator(t *testing.T) {
	r, _, _ := emulate(t)
	s, err := r.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Missing) != 0 {
		t.Errorf("missing: %v", s.Missing)
	}
	if s.Organization != (claude.Organization{ID: orgID, Name: "Acme"}) || len(s.Users) != 3 || len(s.Groups) != 2 || len(s.Roles) != 1 {
		t.Errorf("got %+v", s)
	}
	for _, g := range s.Groups {
		if !g.RolesKnown || !g.MembersKnown {
			t.Errorf("group %+v", g)
		}
	}
	// The row of a feature that is off is not shown.
	want := []claude.Row{
		{Action: "use", ResourceType: "all_connectors"},
		{Action: "chat", ResourceType: "organization", OrganizationID: orgID},
	}
	if got := fmt.Sprint(s.Roles[0].Rows); got != fmt.Sprint(want) {
		t.Errorf("rows %v, want %v", got, want)
	}
	if len(s.SpendLimits) != 1 || s.SpendLimits[0].GroupID != "rbac_group_pilot" || *s.SpendLimits[0].Amount != "20000" {
		t.Errorf("limits %+v", s.SpendLimits)
	}
	if !s.Settings.Known || string(s.Settings.Values["chat_enabled"].Value) != "true" || string(s.Settings.Values["sso_provisioning_mode"].Value) != `"login_only"` {
		t.Errorf("settings %+v", s.Settings)
	}
}

func TestSendToEmulator(t *testing.T) {
	r, w, _ := emulate(t)
	ctx := t.Context()
	send := func(method, path, body string) claude.Sent {
		t.Helper()
		sent, err := w.Send(ctx, schema.Request{Method: method, Path: path, Body: json.RawMessage(body)})
		if err != nil {
			t.Fatal(err)
		}
		return sent
	}
	group := send("POST", groupsPath, `{"name":"Design"}`).ID
	send("POST", groupsPath+"/"+group, `{"name":"Design team"}`)
	send("POST", groupsPath+"/"+group+"/members", `{"user_id":"user_bob"}`)
	send("POST", usersPath+"/user_bob", `{"role":"managed"}`)
	limit := send("POST", limitsPath, `{"amount":null,"scope":{"type":"user","user_id":"user_bob"},"period":"monthly"}`).ID
	invite := send("POST", invitesPath, `{"email":"New@acme.com","role":"managed","rbac_group_ids":["`+group+`"]}`).ID

	s, err := r.Fetch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Invites) != 1 || s.Invites[0].ID != invite || s.Invites[0].Email != "new@acme.com" || s.Invites[0].GroupIDs[0] != group {
		t.Errorf("invites %+v", s.Invites)
	}
	found := false
	for _, g := range s.Groups {
		if g.ID == group {
			found = g.Name == "Design team" && len(g.Members) == 1 && g.Members[0].Email == "bob@acme.com"
		}
	}
	if !found {
		t.Errorf("groups %+v", s.Groups)
	}
	for _, l := range s.SpendLimits {
		if l.ID == limit && (l.Amount != nil || l.UserID != "user_bob") {
			t.Errorf("limit %+v", l)
		}
	}

	send("DELETE", invitesPath+"/"+invite, "")
	send("DELETE", limitsPath+"/"+limit, "")
	send("DELETE", groupsPath+"/"+group+"/members/user_bob", "")
	send("DELETE", groupsPath+"/"+group, "")
	send("DELETE", usersPath+"/user_bob", "")
	if users, err := r.FetchUsers(ctx); err != nil || len(users) != 2 {
		t.Errorf("users %v, %v", users, err)
	}

	// The owner is out of reach, and the answer says so.
	_, err = w.Send(ctx, schema.Request{Method: "DELETE", Path: usersPath + "/user_olga"})
	var api *claude.APIError
	if !errors.As(err, &api) || api.Status != 400 || api.Message == "" {
		t.Errorf("got error %v", err)
	}
}

// The group was made and the answer lost: a second group of the name would
// hide the first.
func TestLostCreateMakesOneGroup(t *testing.T) {
	r, w, s := emulate(t)
	fault := `{"method":"POST","path":"` + groupsPath + `","do":"drop_after"}`
	res, err := http.Post(s.URL+"/emulator/faults", "application/json", bytes.NewReader([]byte(fault)))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode >= 300 {
		t.Fatalf("fault: %s", res.Status)
	}
	_, err = w.Send(t.Context(), createGroup)
	if !errors.As(err, new(*claude.UnclearError)) {
		t.Errorf("got error %v, want an unclear one", err)
	}
	groups, err := r.FetchGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range groups {
		if g.Name == "Pilot" && g.ID != "rbac_group_pilot" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d groups were made, want 1", n)
	}
}
