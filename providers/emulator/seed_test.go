package emulator_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/emulator"
)

// TestSeedProblems: every problem is reported at once, with its place.
func TestSeedProblems(t *testing.T) {
	const seed = `{
	  "organisation": {},
	  "organization": {"id": "acme", "provisioning": "magic", "seats": -1, "spend_precedence": "first", "hipaa": "no"},
	  "features": {"chat": "on", "permission_x": true},
	  "connectors": [{"id": "c", "policy": "maybe", "tools": ["a", "a"]}, {"id": "c", "name": "C"}],
	  "roles": [{"name": "R", "permissions": [{"action": "use", "resource": {"type": "connector", "connector_id": "nope"}}, {}]}, {"name": "R"}],
	  "groups": [{"name": "G", "roles": ["R", "Q"], "members": ["a@b.c", "A@b.c", "x@y.z"]}],
	  "members": [{"email": "a@b.c", "role": "king"}, {"email": "A@B.C"}, {"email": "no"}, {"email": "p@b.c", "role": "primary_owner", "added_at": "yesterday"}, {"email": "q@b.c", "role": "primary_owner"}],
	  "invites": [{"email": "i@b.c", "groups": ["H"], "status": "lost"}],
	  "spend_limits": [{"scope": {"type": "user", "email": "x@y.z"}, "amount": "1"}, {"scope": {"type": "organization"}, "amount": 5}, {"amount": "1"}],
	  "keys": [{"key": "", "scopes": ["everything"]}],
	  "rate_limits": 1,
	  "faults": [{"do": "explode"}]
	}`
	_, err := emulator.Open(emulator.Options{SeedData: []byte(seed)})
	bad, ok := errors.AsType[*emulator.SeedError](err)
	if !ok {
		t.Fatalf("err = %v", err)
	}
	var got []string
	for _, p := range bad.Problems {
		got = append(got, p.String())
	}
	want := []string{
		`organisation: unknown field`,
		`organization.provisioning: must be one of login_only, jit_permissive, jit_advanced, scim_permissive, scim_advanced; got "magic"`,
		`organization.spend_precedence: must be one of lowest, highest; got "first"`,
		`organization.hipaa: must be true or false`,
		`organization.id: must be a UUID`,
		`organization.seats: must not be negative`,
		`features.chat: must be true or false`,
		`features.permission_x: "permission_x" is not the action of a feature`,
		`connectors[0].name: is required`,
		`connectors[0].tools[1]: must be a name that is not in the list already`,
		`connectors[0].policy: must be one of allow, ask, blocked; got "maybe"`,
		`connectors[1].id: another connector has the ID c`,
		`roles[0].permissions[0].resource.connector_id: no connector has the ID "nope"`,
		`roles[0].permissions[1].action: is required`,
		`roles[0].permissions[1].resource: is required`,
		`members[0].role: must be one of user, managed, membership_admin, owner, primary_owner; got "king"`,
		`members[1].email: a@b.c is a member already`,
		`members[2].email: "no" is not an e-mail address`,
		`members[3].added_at: must be an RFC 3339 time; got "yesterday"`,
		`members: 2 members are primary_owner; there can be one`,
		`groups[0].roles[0]: 2 roles have the name "R"; give the ID`,
		`groups[0].roles[1]: no role has the name or ID "Q"`,
		`groups[0].members[1]: a@b.c is in the list already`,
		`groups[0].members[2]: no member of any organization has the address "x@y.z"`,
		`invites[0].status: must be one of pending, accepted, expired; got "lost"`,
		`invites[0].groups[0]: no group has the name or ID "H"`,
		`spend_limits[0].scope.email: no member has the address "x@y.z"`,
		`spend_limits[1].amount: must be a whole number of minor units as a string, or null`,
		`spend_limits[2].scope: is required`,
		`keys[0].key: must have 1 to 500 characters`,
		`keys[0].scopes[0]: "everything" is not a scope`,
		`rate_limits: must be true or false`,
		`faults[0].do: must be one of status, drop_before, drop_after, status_after, duplicate, cut_body, delay, null_role_ids, short_page, empty_page, edit; got "explode"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestSeedThatIsNotJSON(t *testing.T) {
	for _, seed := range []string{``, `{`, `{} {}`, `{"features":{"a":true,"a":false}}`, `[` + strings.Repeat(`[`, 1000), `nul`} {
		if _, err := emulator.Open(emulator.Options{SeedData: []byte(seed)}); err == nil {
			t.Errorf("%.40q was read", seed)
		}
	}
	if _, err := emulator.Open(emulator.Options{}); err == nil {
		t.Error("no seed was read")
	}
	if _, err := emulator.Open(emulator.Options{Seed: filepath.Join(t.TempDir(), "none.json")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("err = %v", err)
	}
}

// TestSeedIsDeterministic: the same seed has the same IDs, and a member more
// changes those of nobody else.
func TestSeedIsDeterministic(t *testing.T) {
	const first, second = `{"members":[{"email":"a@b.c"}],"groups":[{"name":"G"},{"name":"G"}]}`,
		`{"members":[{"email":"b@b.c"},{"email":"A@b.c"}],"groups":[{"name":"F"},{"name":"G"},{"name":"G"}]}`
	a, b := start(t, emulator.Options{SeedData: []byte(first)}), start(t, emulator.Options{SeedData: []byte(second)})
	if got, want := access(t, b.s.Access(), "a@b.c").UserID, access(t, a.s.Access(), "a@b.c").UserID; got != want {
		t.Errorf("user ID = %s, want %s", got, want)
	}
	for _, g := range a.ok("GET", groupsPath, "")["data"].([]any) {
		b.ok("GET", groupsPath+"/"+g.(map[string]any)["id"].(string), "")
	}
}

func TestEmptySeed(t *testing.T) {
	c := start(t, emulator.Options{SeedData: []byte(`{}`)})
	for _, path := range []string{"/v1/organizations/users", groupsPath, rolesPath, invitesPath, limitsPath + "/effective", "/v1/compliance/activities", here + "/users"} {
		v := c.ok("GET", path, "")
		if list, ok := v["data"].([]any); !ok || len(list) != 0 {
			t.Errorf("%s: data = %v, want []", path, v["data"])
		}
	}
	c.ok("GET", "/emulator/access", "")
	c.ok("GET", "/emulator/health", "")
}

func TestExampleSeeds(t *testing.T) {
	files, err := filepath.Glob("testdata/*.org.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no seeds (%v)", err)
	}
	for _, file := range files {
		c := start(t, emulator.Options{Seed: file})
		if again := start(t, emulator.Options{SeedData: c.s.StateJSON()}); string(again.s.StateJSON()) != string(c.s.StateJSON()) {
			t.Errorf("%s: the state is not a seed of itself", file)
		}
	}
}

func FuzzSeed(f *testing.F) {
	f.Add([]byte(acme))
	f.Add([]byte(`{"members":[{"email":"a@b.c"}],"groups":[{"members":[null]}],"faults":[{"do":"edit","edit":{"method":"","path":""}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := emulator.Open(emulator.Options{SeedData: data})
		if err != nil {
			if _, ok := errors.AsType[*emulator.SeedError](err); !ok {
				t.Fatalf("err = %v, want a SeedError", err)
			}
			return
		}
		s.Access()
		dump := s.StateJSON()
		again, err := emulator.Open(emulator.Options{SeedData: dump})
		if err != nil {
			t.Fatalf("the state is not a seed: %v\n%s", err, dump)
		}
		if string(again.StateJSON()) != string(dump) {
			t.Fatalf("the state of the state differs:\n%s\n%s", dump, again.StateJSON())
		}
	})
}

// TestSeedActivities seeds the feed with what happened before.
func TestSeedActivities(t *testing.T) {
	c := start(t, emulator.Options{SeedData: []byte(`{"organization":{"name":"A"},"features":{"chat":true,"cowork":false},"activities":[
		{"type":"org_cowork_enabled","created_at":"2026-01-02T03:04:05Z"},
		{"type":"org_cowork_disabled","created_at":"2026-01-03T03:04:05Z","previous_value":true,"current_value":false}]}`)})
	got := c.ok("GET", "/v1/compliance/activities", "")["data"].([]any)
	if len(got) != 2 {
		t.Fatalf("%d events, want 2", len(got))
	}
	newest := got[0].(map[string]any)
	if newest["type"] != "org_cowork_disabled" || newest["created_at"] != "2026-01-03T03:04:05Z" || newest["current_value"] != false {
		t.Errorf("newest event: %v", newest)
	}
}
