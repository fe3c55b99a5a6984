package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/providers/emulator"
)

// FuzzRequest: no request makes the emulator panic, answer other than JSON, or
// change anything while refusing.
func FuzzRequest(f *testing.F) {
	for _, path := range []string{groupsPath, groupsPath + "/rbac_group_pilot", groupsPath + "/rbac_group_pilot/members",
		"/v1/organizations/users/user_ben", invitesPath, limitsPath, "/console/roles", "/console/roles/rbac_role_std",
		"/console/connectors/mcpsrv_jira", "/console/spend_limits", "/console/members", "/console/members/user_ben",
		"/console/features/chat", "/emulator/faults", pluginsPath, pluginsPath + "/plugin_x/installation_settings/organization",
		marketplacesPath, increasesPath, "/console/seats", "/console/plugins", "/console/plugin_marketplaces",
		"/console/members/user_ben/request_more_usage"} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			f.Add(method, path, "limit=2&page=e30%3D", `{"name":"x","role":"managed","amount":null,"scope":{"type":"user","user_id":"user_ben"},"enabled":true,"do":"status","status":500}`)
		}
	}
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		s, err := emulator.Open(emulator.Options{SeedData: []byte(acme)})
		if err != nil {
			t.Fatal(err)
		}
		before := s.StateJSON()
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		r.Method, r.Host, r.RemoteAddr = method, "127.0.0.1", "127.0.0.1:1"
		r.URL = &url.URL{Path: path, RawQuery: query}
		r.Header.Set("X-Api-Key", "k")
		r.Header.Set("Anthropic-Beta", "spend-limit-reads-2026-09-26, ce-plugins-2026-09-01")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: %s is not JSON", method, path, w.Body)
		}
		if w.Code >= 500 {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		if after := s.StateJSON(); w.Code != http.StatusOK && string(after) != string(before) {
			t.Errorf("%s %s: a refused request changed the state", method, path)
		}
		if _, err := emulator.Open(emulator.Options{SeedData: s.StateJSON()}); err != nil {
			t.Errorf("%s %s %s: the state is not a seed any more: %v", method, path, body, err)
		}
	})
}

// TestPagingReturnsEverythingOnce walks lists with pages of any size, while
// some pages come short or empty.
func TestPagingReturnsEverythingOnce(t *testing.T) {
	c := start(t, emulator.Options{SeedData: largeSeed()})
	c.header["anthropic-beta"] = "spend-limit-reads-2026-09-26"
	lists := map[string]string{groupsPath: "id", rolesPath: "id", "/v1/compliance/groups": "id", here + "/users": "id",
		limitsPath + "/effective": "currency", groupsPath + "/" + c.all(groupsPath, 1, "id")[0] + "/members": "user_id"}
	paths := []string{}
	for path := range lists {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	whole := map[string][]string{}
	for path, field := range lists {
		whole[path] = c.all(path, 1000, field)
	}
	rapid.Check(t, func(rt *rapid.T) {
		path := rapid.SampledFrom(paths).Draw(rt, "path")
		limit := rapid.IntRange(1, 40).Draw(rt, "limit") * len(whole[path]) / 40
		limit = min(max(limit, 1), 1000)
		fault := rapid.SampledFrom([]string{"short_page", "empty_page"}).Draw(rt, "fault")
		skip := rapid.IntRange(0, 3).Draw(rt, "skip")
		c.ok("DELETE", "/emulator/faults", "")
		c.faulty(`{"do":"` + fault + `","skip":` + itoa(skip) + `}`)
		if got := c.all(path, limit, lists[path]); !slices.Equal(got, whole[path]) {
			rt.Errorf("%s with limit %d: %d objects, want %d", path, limit, len(got), len(whole[path]))
		}
	})
}

// TestIDPagingReturnsEverythingOnce does the same for lists paged by ID, in
// both directions.
func TestIDPagingReturnsEverythingOnce(t *testing.T) {
	people := []string{}
	for i := range 40 {
		people = append(people, `{"email":"p`+itoa(i)+`@b.c"}`)
	}
	c := start(t, emulator.Options{SeedData: []byte(`{"members":[` + strings.Join(people, ",") + `]}`)})
	want := column(c.ok("GET", "/v1/organizations/users?limit=1000", ""), "data", "id")
	if len(want) != len(people) {
		t.Fatalf("%d members", len(want))
	}
	rapid.Check(t, func(rt *rapid.T) {
		limit := itoa(rapid.IntRange(1, 45).Draw(rt, "limit"))
		got := []string{}
		query := ""
		for {
			v := c.ok("GET", "/v1/organizations/users?limit="+limit+query, "")
			got = append(got, column(v, "data", "id")...)
			if v["has_more"] != true {
				break
			}
			query = "&after_id=" + v["last_id"].(string)
		}
		back := []string{want[len(want)-1]}
		for query = "&before_id=" + back[0]; ; {
			v := c.ok("GET", "/v1/organizations/users?limit="+limit+query, "")
			back = append(column(v, "data", "id"), back...)
			if v["has_more"] != true {
				break
			}
			query = "&before_id=" + v["first_id"].(string)
		}
		if !slices.Equal(got, want) || !slices.Equal(back, want) {
			rt.Errorf("limit %s: %d forward, %d backward, want %d", limit, len(got), len(back), len(want))
		}
	})
}
