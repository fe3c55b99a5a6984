package emulator_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/emulator"
)

const limitsPath = "/v1/organizations/spend_limits"

func TestListSpendLimits(t *testing.T) {
	c := start(t, emulator.Options{})
	c.refused("GET", limitsPath, "", 404, "not_found_error")
	b := c.with("anthropic-beta", "x, spend-limit-reads-2026-09-26")
	want := []string{"spl_org", "spl_seat", "spl_pilot", "spl_ana"}
	if diff := cmp.Diff(want, b.all(limitsPath, 1, "id")); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	want = []string{"spl_pilot", "spl_ana"}
	if diff := cmp.Diff(want, b.all(limitsPath+"?scope_type[]=user&scope_type[]=rbac_group", 1, "id")); diff != "" {
		t.Errorf("filtered limits (-want +got):\n%s", diff)
	}
	v := b.ok("GET", limitsPath+"?limit=1&scope_type[]=user&scope_type[]=rbac_group", "")
	if _, ok := v["has_more"]; ok {
		t.Error("the list has has_more")
	}
	message := b.refused("GET", limitsPath+"?limit=1&scope_type[]=user&page="+v["next_page"].(string), "", 400, "invalid_request_error")
	if message != "cursor does not match current query parameters" {
		t.Errorf("message = %q", message)
	}
	b.refused("GET", limitsPath+"?scope_type[]=workspace", "", 400, "invalid_request_error")
	b.refused("GET", limitsPath+"?workspace_id=w", "", 400, "invalid_request_error")
}

func TestSetSpendLimit(t *testing.T) {
	c := start(t, emulator.Options{})
	set := func(user, amount string) map[string]any {
		return c.ok("POST", limitsPath+"?beta=true", `{"amount":`+amount+`,"scope":{"user_id":"`+user+`","type":"user"}}`)
	}
	v := set("user_ben", `"100"`)
	want := map[string]any{"type": "spend_limit", "id": v["id"], "amount": "100", "currency": "USD", "period": "monthly",
		"scope": map[string]any{"type": "user", "user_id": "user_ben"}, "is_enabled": true,
		"created_at": "2026-11-22T12:00:00Z", "updated_at": "2026-11-22T12:00:00Z"}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("limit (-want +got):\n%s", diff)
	}
	if again := set("user_ben", "null"); again["id"] != v["id"] || again["amount"] != nil {
		t.Errorf("set again = %v, want the same ID", again)
	}
	if zero := set("user_ben", `"0"`); zero["amount"] != "0" {
		t.Errorf("zero = %v", zero)
	}
	scope := `,"scope":{"type":"user","user_id":"user_ben"}`
	for _, body := range []string{
		`{"scope":{"type":"user","user_id":"user_ben"}}`, `{"amount":100` + scope + `}`, `{"amount":"1.5"` + scope + `}`,
		`{"amount":"-1"` + scope + `}`, `{"amount":""` + scope + `}`, `{"amount":"01"` + scope + `}`, `{"amount":"1"}`,
		`{"amount":"1"` + scope + `,"period":"daily"}`, `{"amount":"1","scope":{"type":"user"}}`, `{"amount":"1","scope":{}}`,
		`{"amount":"1","scope":{"type":"rbac_group","rbac_group_id":"rbac_group_pilot"}}`, `{"amount":"1","scope":{"type":"organization"}}`,
	} {
		c.refused("POST", limitsPath, body, 400, "invalid_request_error")
	}
	c.refused("POST", limitsPath, `{"amount":"1","scope":{"type":"user","user_id":"user_no"}}`, 404, "not_found_error")

	if diff := cmp.Diff(map[string]any{"id": v["id"], "type": "spend_limit_deleted"}, c.ok("DELETE", limitsPath+"/"+v["id"].(string), "")); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	c.refused("DELETE", limitsPath+"/"+v["id"].(string), "", 404, "not_found_error")
	for _, id := range []string{"spl_pilot", "spl_seat", "spl_org"} {
		c.ok("GET", limitsPath+"/"+id, "")
		c.refused("DELETE", limitsPath+"/"+id, "", 400, "invalid_request_error")
	}
	wantEvents := []string{"extra_usage_spend_limit_created", "extra_usage_spend_limit_updated",
		"extra_usage_spend_limit_updated", "extra_usage_spend_limit_deleted"}
	if diff := cmp.Diff(wantEvents, c.events()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestUsageCreditsOff(t *testing.T) {
	c := start(t, emulator.Options{SeedData: []byte(`{"organization":{"usage_credits":false},"members":[{"id":"u","email":"a@b.c"}],
		"spend_limits":[{"id":"l","scope":{"type":"organization"},"amount":"5"}]}`)})
	if v := c.ok("GET", limitsPath+"/l", ""); v["is_enabled"] != false {
		t.Errorf("limit = %v", v)
	}
	c.refused("POST", limitsPath, `{"amount":"1","scope":{"type":"user","user_id":"u"}}`, 400, "invalid_request_error")
}

func TestEffectiveList(t *testing.T) {
	c := start(t, emulator.Options{})
	v := c.ok("GET", limitsPath+"/effective?user_ids[]=user_ana&user_ids[]=user_no&period[]=monthly", "")
	want := []any{map[string]any{
		"actor": map[string]any{"type": "user_actor", "user_id": "user_ana", "name": "Ana", "email_address": "ana@acme.com", "deleted": false},
		"scope": map[string]any{"type": "user", "user_id": "user_ana"}, "amount": "75000", "currency": "USD", "period": "monthly",
		"source": map[string]any{"type": "user", "user_id": "user_ana"}, "spend_limit_id": "spl_ana", "period_to_date_spend": "0",
	}}
	if diff := cmp.Diff(want, v["data"]); diff != "" {
		t.Errorf("effective (-want +got):\n%s", diff)
	}
	if got := c.all(limitsPath+"/effective", 2, "currency"); len(got) != 6 {
		t.Errorf("%d rows, want one for each of 6 members", len(got))
	}
	if v := c.ok("GET", limitsPath+"/effective?period[]=daily", ""); len(v["data"].([]any)) != 0 {
		t.Errorf("daily rows: %v", v)
	}
	c.refused("GET", limitsPath+"/effective?period[]=yearly", "", 400, "invalid_request_error")
}

// TestEffectiveSpend goes through the order of limits for one member of two
// groups with a seat.
func TestEffectiveSpend(t *testing.T) {
	const user, low, high, seat, org = `{"scope":{"type":"user","email":"a@b.c"},"amount":"7"}`,
		`{"scope":{"type":"rbac_group","group":"Low"},"amount":"9"}`, `{"scope":{"type":"rbac_group","group":"High"},"amount":"10"}`,
		`{"scope":{"type":"seat_tier","seat_tier":"s"},"amount":"5"}`, `{"scope":{"type":"organization"},"amount":"1000"}`
	const never = `{"scope":{"type":"rbac_group","group":"High"},"amount":null}`
	tests := map[string]struct {
		precedence, limits string
		compared           bool
		want, source       string
	}{
		"own-limit-wins":                      {"highest", user + "," + high + "," + seat, true, "7", "user"},
		"lowest-group":                        {"lowest", low + "," + high + "," + seat + "," + org, false, "9", "rbac_group"},
		"highest-group":                       {"highest", low + "," + high + "," + seat + "," + org, false, "10", "rbac_group"},
		"lowest-with-the-seat-compared":       {"lowest", low + "," + high + "," + seat, true, "5", "seat_tier"},
		"highest-with-the-seat-compared":      {"highest", low + "," + high + "," + seat, true, "10", "rbac_group"},
		"unlimited-group-is-the-highest":      {"highest", low + "," + never, false, "", "rbac_group"},
		"unlimited-group-is-never-the-lowest": {"lowest", low + "," + never, false, "9", "rbac_group"},
		"own-unlimited-wins":                  {"lowest", `{"scope":{"type":"user","email":"a@b.c"},"amount":null},` + low, false, "", "user"},
		"seat-before-organization":            {"lowest", seat + "," + org, false, "5", "seat_tier"},
		"organization-last":                   {"lowest", org, false, "1000", "organization"},
		"amounts-are-numbers-and-not-letters": {"lowest", low + "," + high, false, "9", "rbac_group"},
		"no-limit-anywhere":                   {"lowest", "", false, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			compared, _ := json.Marshal(tt.compared)
			c := start(t, emulator.Options{SeedData: []byte(`{"organization":{"spend_precedence":"` + tt.precedence + `","seat_default_compared":` + string(compared) + `},
				"members":[{"id":"u","email":"a@b.c","seat_tier":"s"}],
				"groups":[{"name":"Low","members":["a@b.c"]},{"name":"High","members":["a@b.c"]}],
				"spend_limits":[` + tt.limits + `]}`)})
			got := access(t, c.s.Access(), "a@b.c").Spend["monthly"]
			amount, source := "", ""
			if got.Amount != nil {
				amount = *got.Amount
			}
			if got.Source != nil {
				source = got.Source.Type
			}
			if amount != tt.want || source != tt.source {
				t.Errorf("limit = %q from %q, want %q from %q", amount, source, tt.want, tt.source)
			}
			row := c.ok("GET", limitsPath+"/effective", "")["data"].([]any)[0].(map[string]any)
			if s, _ := row["amount"].(string); s != tt.want {
				t.Errorf("the API reports %v", row)
			}
		})
	}
}
