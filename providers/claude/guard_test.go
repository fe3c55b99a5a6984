package claude

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Whatever code gets hold of the reading half, it cannot write with it.
func TestReadingCannotWrite(t *testing.T) {
	requests := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	defer s.Close()
	r, _, err := NewClient(Options{Endpoint: s.URL, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"POST", "DELETE", "PUT", "PATCH"} {
		err := r.c.admin.Execute(t.Context(), method, "v1/organizations/rbac_groups", nil, nil)
		if err == nil || !strings.Contains(err.Error(), "only reads") {
			t.Errorf("%s: got error %v", method, err)
		}
	}
	err = r.c.admin.Get(t.Context(), "https://example.com/v1/organizations/users", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "not the endpoint") {
		t.Errorf("another host: got error %v", err)
	}
	if requests != 0 {
		t.Errorf("%d requests", requests)
	}
}

func TestFamilyOf(t *testing.T) {
	tests := map[string]struct {
		method, path string
		want         Family
	}{
		"users":         {"GET", "/v1/organizations/users", FamilyAdmin},
		"members":       {"POST", "/v1/organizations/rbac_groups/rbac_group_1/members", FamilyAdmin},
		"invite-list":   {"GET", "/v1/organizations/invites", FamilyAdmin},
		"invite-create": {"POST", "/v1/organizations/invites", FamilyInvite},
		"invite-delete": {"DELETE", "/v1/organizations/invites/invite_1", FamilyAdmin},
		"limits":        {"GET", "/v1/organizations/spend_limits", FamilySpend},
		"limit":         {"DELETE", "/prefix/v1/organizations/spend_limits/spl_1", FamilySpend},
		"requests":      {"POST", "/v1/organizations/spend_limit_increase_requests/slir_1/deny", FamilySpend},
		"plugins":       {"GET", "/v1/organizations/plugins", FamilyPluginRead},
		"plugin":        {"POST", "/v1/organizations/plugins/plugin_1/installation_settings/organization", FamilyPluginWrite},
		"feed":          {"GET", "/v1/compliance/activities", FamilyCompliance},
		"settings":      {"GET", "/prefix/v1/compliance/organizations/x/settings", FamilyCompliance},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := familyOf(tt.method, tt.path); got != tt.want {
				t.Errorf("familyOf(%s %s) = %s, want %s", tt.method, tt.path, got, tt.want)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	for n, want := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second} {
		for range 100 {
			if d := backoff(n); d > want || d < want*3/4 {
				t.Fatalf("backoff(%d) = %v, want %v less up to a quarter", n, d, want)
			}
		}
	}
	if d := backoff(1000); d > 8*time.Second || d <= 0 {
		t.Errorf("backoff(1000) = %v", d)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		value string
		want  time.Duration
	}{
		"seconds":  {"2.5", 2500 * time.Millisecond},
		"negative": {"-5", 0},
		"nan":      {"NaN", 0},
		"huge":     {"1e300", 1e9 * time.Second},
		"words":    {"later", 0},
		"past":     {"Sun, 22 Nov 2026 11:00:00 GMT", 0},
		"future":   {"Sun, 22 Nov 2026 12:01:00 GMT", time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := retryAfter(http.Header{"Retry-After": {tt.value}}, now); got != tt.want {
				t.Errorf("retryAfter(%q) = %v, want %v", tt.value, got, tt.want)
			}
		})
	}
}

func TestMissingScopes(t *testing.T) {
	tests := map[string]struct {
		message string
		want    string
	}{
		"one":     {"Missing required scopes. Got: ['read:members'] Needed: ['write:members']", "write:members"},
		"several": {"Missing required scopes. Got: ['a', 'b'] Needed: ['b', 'c', 'd']", "c d"},
		"empty":   {"Missing required scopes. Got: [] Needed: ['a']", "a"},
		"covered": {"Missing required scopes. Got: ['a'] Needed: ['a']", "a"},
		"other":   {"You may not do this.", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(missingScopes(tt.message), " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
