package emulator_test

import (
	"testing"

	"github.com/rolecall/rolecall/providers/emulator"
)

const keyed = `{
  "members": [{"id": "user_a", "email": "a@b.c"}],
  "groups": [{"id": "g", "name": "G"}],
  "keys": [
    {"key": "reader", "scopes": ["read:members"]},
    {"key": "writer", "scopes": ["read:members", "write:members"]},
    {"key": "single", "scopes": ["read:rbac_groups"], "all_linked": false},
    {"key": "audit", "scopes": ["read:org_audit"]}
  ]
}`

func TestScopes(t *testing.T) {
	tests := map[string]struct {
		key, method, path, body string
		status                  int
		kind, message           string
	}{
		"no-key":           {"", "GET", "/v1/organizations/users", "", 401, "authentication_error", "invalid x-api-key"},
		"unknown-key":      {"nobody", "GET", "/v1/organizations/users", "", 401, "authentication_error", "invalid x-api-key"},
		"compliance-key":   {"nobody", "GET", "/v1/compliance/groups", "", 401, "authentication_error", "The API key provided is invalid or has been revoked."},
		"missing-scope":    {"reader", "POST", "/v1/organizations/users/user_a", `{"role":"user"}`, 403, "permission_error", "Missing required scopes. Got: ['read:members'] Needed: ['write:members']"},
		"before-existence": {"reader", "DELETE", "/v1/organizations/users/user_no", "", 403, "permission_error", "Missing required scopes. Got: ['read:members'] Needed: ['write:members']"},
		"managed-needs-two": {"writer", "POST", "/v1/organizations/users/user_a", `{"role":"managed"}`, 403, "permission_error",
			"Missing required scopes. Got: ['read:members', 'write:members'] Needed: ['write:members', 'write:rbac_groups']"},
		"invite-with-groups-needs-two": {"writer", "POST", "/v1/organizations/invites", `{"email":"x@b.c","role":"user","rbac_group_ids":["g"]}`, 403, "permission_error",
			"Missing required scopes. Got: ['read:members', 'write:members'] Needed: ['write:members', 'write:rbac_groups']"},
		"key-of-one-organization": {"single", "GET", "/v1/organizations/rbac_groups", "", 403, "permission_error",
			"Groups can only be used with a key that was created for all linked organizations."},
		"audit-has-no-spend":  {"audit", "GET", "/v1/organizations/spend_limits/effective", "", 403, "permission_error", "Missing required scopes. Got: ['read:org_audit'] Needed: ['read:spend_limits']"},
		"audit-has-no-writes": {"audit", "DELETE", "/v1/organizations/rbac_groups/g", "", 403, "permission_error", "Missing required scopes. Got: ['read:org_audit'] Needed: ['write:rbac_groups']"},
	}
	c := start(t, emulator.Options{SeedData: []byte(keyed)})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			one := *c
			one.t, one.key = t, tt.key
			if got := one.refused(tt.method, tt.path, tt.body, tt.status, tt.kind); got != tt.message {
				t.Errorf("message = %q\nwant      %q", got, tt.message)
			}
		})
	}
	for _, path := range []string{"/v1/organizations/me", "/v1/organizations/users", "/v1/organizations/invites", "/v1/organizations/rbac_roles",
		"/v1/organizations/rbac_groups", "/v1/compliance/organizations", "/v1/compliance/groups", "/v1/compliance/groups/g/members", "/v1/compliance/activities"} {
		c.key = "audit"
		c.ok("GET", path, "")
	}
	c.key = ""
	c.with("Authorization", "Bearer reader").ok("GET", "/v1/organizations/users", "")
}

func TestUnknownPaths(t *testing.T) {
	c := start(t, emulator.Options{})
	for _, path := range []string{"/", "/v1", "/v1/organizations", "/v1/organizations/users/", "/v1/organizations//users", "/v1/messages", "/console/", "/emulator/", "/emulator/no", "/v1/organizations/users/%zz"} {
		if path == "/v1/organizations/users/%zz" {
			continue // net/http's client refuses to send it
		}
		c.refused("GET", path, "", 404, "not_found_error")
	}
}
