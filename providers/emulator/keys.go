package emulator

import (
	"net/http"
	"slices"
	"strings"
)

// knownScopes are the scopes that a key can have.
//
// Source: Create an Admin API key guide and Compliance API access guide, read
// 2026-11-22.
var knownScopes = []string{
	"read:members", "write:members",
	"read:rbac_groups", "write:rbac_groups",
	"read:spend_limits", "write:spend_limits",
	"read:plugins", "write:plugins",
	"read:org_audit",
	"read:compliance_org_data", "read:compliance_user_data", "read:compliance_activities",
	"read:analytics", "delete:compliance_user_data", "read:compliance_org_settings",
}

// An apiKey is a key of a seed, or any key at all if the seed has none.
type apiKey struct {
	secret string
	scopes []string
	linked bool // made for all linked organizations
}

// authenticate returns the key of a request, from x-api-key or as a bearer
// token. A missing and an unknown key are the same 401.
//
// Source: Compliance API docs, Errors; read 2026-11-22. The text for the other
// endpoints is invented.
func (s *Server) authenticate(r *http.Request, compliance bool) (apiKey, error) {
	secret := r.Header.Get("X-Api-Key")
	if secret == "" {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if strings.EqualFold(scheme, "bearer") {
			secret = strings.TrimSpace(token)
		}
	}
	if k, ok := s.keys[secret]; ok {
		return k, nil
	}
	if len(s.keys) == 0 && secret != "" {
		return apiKey{secret: secret, scopes: knownScopes, linked: true}, nil
	}
	if compliance {
		return apiKey{}, fail(http.StatusUnauthorized, "The API key provided is invalid or has been revoked.")
	}
	return apiKey{}, fail(http.StatusUnauthorized, "invalid x-api-key")
}

func (k apiKey) has(scope string) bool { return slices.Contains(k.scopes, scope) }

// allows reports, as a 403, that the key lacks the scope of a route. Any one of
// the scopes of a route is enough; the message names the first.
//
// That a key made for one organization is refused on groups with 403 is
// inferred; the text is invented.
func (k apiKey) allows(rt *route) error {
	if len(rt.scopes) > 0 && !slices.ContainsFunc(rt.scopes, k.has) {
		return missingScopes(k.scopes, rt.scopes[:1])
	}
	if rt.linked && !k.linked {
		return fail(http.StatusForbidden, "Groups can only be used with a key that was created for all linked organizations.")
	}
	return nil
}

// needs is allows for a scope that only some bodies need.
func (k apiKey) needs(scopes ...string) error {
	for _, s := range scopes {
		if !k.has(s) {
			return missingScopes(k.scopes, scopes)
		}
	}
	return nil
}

func (k apiKey) id() string { return makeID("apikey_", k.secret) }

// actor is the key as the activity feed shows it.
//
// Source: Compliance API reference, activities, actor types; read 2026-11-22.
func (k apiKey) actor() map[string]any {
	return map[string]any{"type": "api_actor", "api_key_id": k.id()}
}
