package emulator_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/emulator"
)

func TestOrganization(t *testing.T) {
	c := start(t, emulator.Options{})
	want := map[string]any{"id": "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e", "name": "Acme", "type": "organization"}
	if diff := cmp.Diff(want, c.ok("GET", "/v1/organizations/me?beta=true", "")); diff != "" {
		t.Errorf("me (-want +got):\n%s", diff)
	}
}

func TestListUsers(t *testing.T) {
	c := start(t, emulator.Options{})
	tests := map[string]struct {
		query string
		want  []string
		more  bool
	}{
		"newest-joiner-first":        {"", []string{"user_cy", "user_ben", "user_ana", "user_adm", "user_own", "user_po"}, false},
		"limit":                      {"?limit=2", []string{"user_cy", "user_ben"}, true},
		"after":                      {"?limit=2&after_id=user_ben", []string{"user_ana", "user_adm"}, true},
		"after-to-the-end":           {"?limit=2&after_id=user_adm", []string{"user_own", "user_po"}, false},
		"before":                     {"?limit=2&before_id=user_adm", []string{"user_ben", "user_ana"}, true},
		"before-to-the-start":        {"?limit=2&before_id=user_ana", []string{"user_cy", "user_ben"}, false},
		"roles-are-alternatives":     {"?roles[]=owner&roles%5B%5D=user", []string{"user_ben", "user_own"}, false},
		"email-ignores-case-and-tag": {"?email=ANA%2Bhiring@acme.com", []string{"user_ana"}, false},
		"email-of-a-tagged-member":   {"?email=cy@acme.com", []string{"user_cy"}, false},
		"email-of-nobody":            {"?email=no@acme.com", []string{}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := c.ok("GET", "/v1/organizations/users"+tt.query, "")
			if diff := cmp.Diff(tt.want, column(v, "data", "id")); diff != "" {
				t.Errorf("users (-want +got):\n%s", diff)
			}
			if v["has_more"] != tt.more {
				t.Errorf("has_more = %v, want %v", v["has_more"], tt.more)
			}
			var first, last any
			if n := len(tt.want); n > 0 {
				first, last = tt.want[0], tt.want[n-1]
			}
			if v["first_id"] != first || v["last_id"] != last {
				t.Errorf("first_id, last_id = %v, %v", v["first_id"], v["last_id"])
			}
		})
	}
	for _, query := range []string{"?limit=0", "?limit=1001", "?limit=x", "?limit=", "?after_id=user_po&before_id=user_po",
		"?after_id=user_no", "?before_id=user_no", "?roles[]=king"} {
		c.refused("GET", "/v1/organizations/users"+query, "", 400, "invalid_request_error")
	}
}

func TestGetUser(t *testing.T) {
	c := start(t, emulator.Options{})
	want := map[string]any{"type": "user", "id": "user_ana", "email": "ana@acme.com", "name": "Ana", "role": "managed",
		"added_at": "2025-01-04T00:00:00Z"}
	if diff := cmp.Diff(want, c.ok("GET", "/v1/organizations/users/user_ana", "")); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	c.refused("GET", "/v1/organizations/users/user_no", "", 404, "not_found_error")
	c.refused("GET", "/v1/organizations/users/a%2Fb", "", 404, "not_found_error")
}

func TestUpdateUser(t *testing.T) {
	c := start(t, emulator.Options{})
	v := c.ok("POST", "/v1/organizations/users/user_ben?beta=true", `{"role":"managed"}`)
	if v["role"] != "managed" {
		t.Errorf("role = %v", v["role"])
	}
	events := c.events()
	c.ok("POST", "/v1/organizations/users/user_ben", `{"role":"managed"}`)
	if diff := cmp.Diff([]string{"claude_user_role_updated"}, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if len(c.events()) != 1 {
		t.Error("setting the same role again is noted in the feed")
	}
	const path = "/v1/organizations/users/"
	for _, admin := range []string{"user_po", "user_own", "user_adm"} {
		c.refused("POST", path+admin, `{"role":"managed"}`, 400, "invalid_request_error")
		c.refused("DELETE", path+admin, "", 400, "invalid_request_error")
	}
	for _, body := range []string{`{"role":"owner"}`, `{"role":"admin"}`, `{"role":null}`, `{}`, ``, `[]`, `{"role":"user"`, `{"role":"user","x":1}`, `{"role":"user"}{}`, `{"Role":"user"}`} {
		c.refused("POST", path+"user_ben", body, 400, "invalid_request_error")
	}
	c.refused("POST", path+"user_no", `{"role":"user"}`, 404, "not_found_error")
	c.refused("PUT", path+"user_ben", `{"role":"user"}`, 405, "invalid_request_error")
}

func TestRemoveUser(t *testing.T) {
	c := start(t, emulator.Options{})
	want := map[string]any{"id": "user_ben", "type": "user_deleted"}
	if diff := cmp.Diff(want, c.ok("DELETE", "/v1/organizations/users/user_ben", "")); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	c.refused("DELETE", "/v1/organizations/users/user_ben", "", 404, "not_found_error")
	if got := c.all("/v1/organizations/rbac_groups/rbac_group_idp/members", 10, "user_id"); len(got) != 0 {
		t.Errorf("the group still has %v", got)
	}
	// Ana is a member of another organization too: the memberships stay, the limit goes.
	c.ok("DELETE", "/v1/organizations/users/user_ana", "")
	if got := c.all("/v1/organizations/rbac_groups/rbac_group_pilot/members", 10, "user_id"); len(got) != 2 {
		t.Errorf("members of Pilot = %v", got)
	}
	c.refused("GET", "/v1/organizations/spend_limits/spl_ana", "", 404, "not_found_error")
	c.refused("GET", "/v1/organizations/users/user_ana", "", 404, "not_found_error")
}

func TestProvisioning(t *testing.T) {
	tests := map[string]struct{ invite, role, removal int }{
		"login_only":      {200, 200, 200},
		"jit_permissive":  {400, 200, 200},
		"jit_advanced":    {400, 400, 200},
		"scim_permissive": {400, 200, 400},
		"scim_advanced":   {400, 400, 400},
	}
	for mode, tt := range tests {
		t.Run(mode, func(t *testing.T) {
			c := start(t, emulator.Options{})
			c.ok("PUT", "/console/provisioning", `{"mode":"`+mode+`"}`)
			if got, v := c.do("POST", "/v1/organizations/invites", `{"email":"new@acme.com","role":"user"}`); got != tt.invite {
				t.Errorf("invite: %d, want %d: %v", got, tt.invite, v)
			}
			if got, v := c.do("POST", "/v1/organizations/users/user_ben", `{"role":"managed"}`); got != tt.role {
				t.Errorf("role: %d, want %d: %v", got, tt.role, v)
			}
			if got, v := c.do("DELETE", "/v1/organizations/users/user_ben", ""); got != tt.removal {
				t.Errorf("removal: %d, want %d: %v", got, tt.removal, v)
			}
		})
	}
}
