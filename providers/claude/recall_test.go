package claude

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/schema"
)

// noon is when everything in these tests was confirmed.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// happened is an event so long after noon.
func happened(after time.Duration, typ, fields string) Event {
	return Event{ID: fmt.Sprint("activity_", typ, after), Type: typ, At: noon.Add(after), Fields: json.RawMessage(fields)}
}

// confirmedAll is a ledger in which effects were confirmed at noon.
func confirmedAll(t testing.TB, effects ...schema.Effect) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l.Record(effects, ledger.Entry{By: "Ann", At: noon})
	return l
}

func put(addr schema.Address, attr string, v schema.Value) schema.Effect {
	return schema.Effect{Addr: addr, Attr: attr, Op: schema.Put, Value: v}
}

const everythingUnread = `connector "jira" {
  id          = "mcpsrv_jira"
  tools       = ["search", "delete"]
  policy      = "needs_approval"
  tool_policy = { delete = "blocked" }
}
feature "claude_chrome" {
  enabled = true
  action  = "browser"
  setting = ""
}
role "base" {
  capabilities      = ["chat"]
  connector_default = "always_allow"
  connector "jira" {
    access = "needs_approval"
  }
}
seat_tier "chat" {
  id      = "enterprise_chat"
  members = ["ann@acme.com"]
}
role_mapping "okta-eng" {
  role = "managed"
}
`

const everythingOrganization = `organization "acme" {
  system           = "claude-enterprise"
  provisioning     = "scim_mapped"
  spend_precedence = "highest"
  spend_ceiling {
    monthly = "500.00"
  }
}
`

// confirmations is what the configuration above says, as it is in a ledger.
var confirmations = []schema.Effect{
	put(spendAddress, attrCeiling, schema.Text("50000")),
	put(spendAddress, attrPrecedence, schema.Text("highest")),
	put("connector.jira", attrPolicy, schema.Text("needs_approval")),
	put("connector.jira", attrToolPolicy, schema.Map(map[string]string{"delete": "blocked"})),
	put("feature.claude_chrome", attrEnabled, schema.Bool(true)),
	put("role.base", attrBelow, schema.Map(map[string]string{"jira": "needs_approval"})),
	put("seat_tier.chat", attrMembers, schema.Set("ann@acme.com")),
	put(`role_mapping.okta-eng`, "", schema.Text("okta-eng")),
	put(`role_mapping.okta-eng`, attrRole, schema.Text("managed")),
}

// unreadWorld is a live organization that is as the configuration above says.
func unreadWorld() *Snapshot {
	w := world{settings: map[string]bool{}, members: map[string][]string{"ann@acme.com": {"managed", "g"}, "usr@acme.com": {"user"}},
		groups: map[string][]string{"g": {"base"}},
		roles: map[string][]Row{"base": {{Action: "chat", ResourceType: "organization"},
			{Action: "always_allow", ResourceType: "all_connectors"}, {Action: "use", ResourceType: "connector", ConnectorID: "mcpsrv_jira"}}}}
	for _, c := range capabilities {
		if c.setting != "" {
			w.settings[c.setting] = true
		}
	}
	snap := w.snapshot()
	snap.Settings.Values["sso_provisioning_mode"] = Setting{Type: "provisioning_mode", Value: []byte(`"scim_advanced"`)}
	snap.Roles[0].UpdatedAt = noon.Add(-time.Hour).Format(time.RFC3339)
	return snap
}

// planned makes a plan of a configuration against what a snapshot and a ledger
// say.
func planned(t testing.TB, text string, snap *Snapshot, l *ledger.Ledger) *plan.Plan {
	t.Helper()
	c := configure(t, text)
	s := New(c)
	d, diags := s.Describe()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	live := s.State(snap)
	s.recall(live, snap, l)
	p, err := plan.Build(plan.Input{Config: c, Description: d, System: s, Live: live, Now: noon.Add(24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// asked returns the console steps of a plan with their proofs.
func asked(p *plan.Plan) []string {
	var list []string
	for _, step := range p.Steps {
		list = append(list, step.ID+" "+string(step.Proof))
	}
	slices.Sort(list)
	return list
}

// unverifiedOf returns the objects of which a finding says that nothing shows
// them.
func unverifiedOf(p *plan.Plan) []string {
	var list []string
	for _, f := range p.Findings {
		if f.Rule == "unverified" {
			list = append(list, string(f.Address))
		}
	}
	slices.Sort(list)
	return list
}

// TestWhatNoReadShowsIsConfirmed is the ledger from one end to the other:
// without it everything is asked for and said to be unknown, with it there is
// nothing to do, and each kind of event and each edit of the configuration
// brings back its own step and no other.
func TestWhatNoReadShowsIsConfirmed(t *testing.T) {
	all := everythingOrganization + everythingUnread
	edit := func(old, new string) string {
		t.Helper()
		if !strings.Contains(all, old) {
			t.Fatalf("no %q in the configuration", old)
		}
		return strings.Replace(all, old, new, 1)
	}
	everyStep := []string{"connector.jira/lower attested", "connector.jira/policy attested", "feature.claude_chrome/on attested", "role.base/take attested",
		"role_mapping.okta-eng/map attested", "seat_tier.chat/members attested", "spend.organization/ceiling attested", "spend.organization/precedence attested"}
	everyObject := []string{"connector.jira", "feature.claude_chrome", "role.base", "role_mapping.okta-eng", "seat_tier.chat", "spend.organization", "spend.organization"}
	tests := map[string]struct {
		config  string
		ledger  []schema.Effect
		events  []Event
		touched bool // the role was edited later
		steps   []string
		doubts  []string
	}{
		"nothing-confirmed": {all, nil, nil, false, everyStep, everyObject},
		"all-confirmed":     {all, confirmations, nil, false, nil, nil},
		"ceiling-edited":    {edit(`"500.00"`, `"600.00"`), confirmations, nil, false, []string{"spend.organization/ceiling attested"}, nil},
		"precedence-edited": {edit(`"highest"`, `"lowest"`), confirmations, nil, false, []string{"spend.organization/precedence attested"}, nil},
		"policy-edited": {edit(`policy      = "needs_approval"`, `policy      = "blocked"`), confirmations, nil, false,
			[]string{"connector.jira/policy event"}, nil},
		"tool-edited": {edit(`delete = "blocked"`, `delete = "needs_approval"`), confirmations, nil, false, []string{"connector.jira/raise event"}, nil},
		"toggle-edited": {edit(`enabled = true`, `enabled = false`), confirmations, nil, false,
			[]string{"feature.claude_chrome/off event"}, nil},
		"level-edited": {edit(`access = "needs_approval"`, `access = "blocked"`), confirmations, nil, false,
			[]string{"role.base/take attested"}, nil},
		"seat-edited":    {edit(`members = ["ann@acme.com"]`, `members = ["ann@acme.com", "usr@acme.com"]`), confirmations, nil, false, []string{"seat_tier.chat/members attested"}, nil},
		"mapping-edited": {edit(`role = "managed"`, `role = "user"`), confirmations, nil, false, []string{"role_mapping.okta-eng/map attested"}, nil},

		"ceiling-touched": {all, confirmations, []Event{happened(time.Minute, "extra_usage_spend_limit_updated", `{"spend_limit_id":"spl_x","limit_type":"organization","amount":90000}`)}, false,
			[]string{"spend.organization/ceiling attested"}, []string{"spend.organization"}},
		"ceiling-touched-before": {all, confirmations, []Event{happened(-time.Minute, "extra_usage_spend_limit_updated", `{"spend_limit_id":"spl_x","limit_type":"organization","amount":90000}`)}, false, nil, nil},
		"limit-of-a-member":      {all, confirmations, []Event{happened(time.Minute, "extra_usage_spend_limit_updated", `{"spend_limit_id":"spl_u","limit_type":"member","amount":1}`)}, false, nil, nil},
		"limit-deleted-by-a-key": {all, confirmations, []Event{happened(time.Minute, "extra_usage_spend_limit_deleted", `{"spend_limit_id":"spl_u","actor":{"type":"api_actor"}}`)}, false, nil, nil},
		"limit-deleted-by-hand": {all, confirmations, []Event{happened(time.Minute, "extra_usage_spend_limit_deleted", `{"spend_limit_id":"spl_u","actor":{"type":"user_actor"}}`)}, false,
			[]string{"spend.organization/ceiling attested"}, []string{"spend.organization"}},
		"limit-of-a-group-deleted": {all, confirmations, []Event{
			happened(2*time.Minute, "extra_usage_spend_limit_deleted", `{"spend_limit_id":"spl_g","actor":{"type":"user_actor"}}`),
			happened(time.Minute, "extra_usage_spend_limit_created", `{"spend_limit_id":"spl_g","limit_type":"group","amount":1}`)}, false, nil, nil},
		"policy-changed-and-told": {all, confirmations, []Event{happened(time.Minute, "mcp_tool_policy_updated", `{"mcp_server_id":"mcpsrv_jira","tool_name":"*","max_permission":"allow"}`)}, false,
			[]string{"connector.jira/policy event"}, nil},
		"tool-changed-and-told": {all, confirmations, []Event{happened(time.Minute, "mcp_tool_policy_updated", `{"mcp_server_id":"mcpsrv_jira","tool_name":"delete","max_permission":null}`)}, false,
			[]string{"connector.jira/lower event"}, nil},
		"policy-of-another":  {all, confirmations, []Event{happened(time.Minute, "mcp_tool_policy_updated", `{"mcp_server_id":"mcpsrv_other","tool_name":"*","max_permission":"blocked"}`)}, false, nil, nil},
		"policy-told-before": {all, confirmations, []Event{happened(-time.Minute, "mcp_tool_policy_updated", `{"mcp_server_id":"mcpsrv_jira","tool_name":"*","max_permission":"blocked"}`)}, false, nil, nil},
		"policy-in-a-new-word": {all, confirmations, []Event{happened(time.Minute, "mcp_tool_policy_updated", `{"mcp_server_id":"mcpsrv_jira","tool_name":"*","max_permission":"allow_mostly"}`)}, false,
			[]string{"connector.jira/policy attested"}, []string{"connector.jira"}},
		"toggle-told": {all, confirmations, []Event{happened(time.Minute, "claude_organization_settings_updated", `{"updates":[{"type":"capabilities","previous_value":[],"current_value":["chat"]}]}`)}, false,
			[]string{"feature.claude_chrome/on event"}, nil},
		"role-touched":  {all, confirmations, nil, true, []string{"role.base/take attested"}, []string{"role.base"}},
		"seat-told":     {all, confirmations, []Event{happened(time.Minute, "claude_user_seat_tier_updated", `{"user_email":"Usr@acme.com","previous_seat_tier":null,"current_seat_tier":"enterprise_chat"}`)}, false, []string{"seat_tier.chat/members attested"}, nil},
		"seat-of-other": {all, confirmations, []Event{happened(time.Minute, "claude_user_seat_tier_updated", `{"user_email":"usr@acme.com","previous_seat_tier":null,"current_seat_tier":"enterprise_code"}`)}, false, nil, nil},
		"mappings-touched": {all, confirmations, []Event{happened(time.Minute, "org_sso_group_role_mappings_updated", `{}`)}, false,
			[]string{"role_mapping.okta-eng/map attested"}, []string{"role_mapping.okta-eng"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			snap := unreadWorld()
			snap.Events = tt.events
			if tt.touched {
				snap.Roles[0].UpdatedAt = noon.Add(time.Hour).Format(time.RFC3339)
			}
			p := planned(t, tt.config, snap, confirmedAll(t, tt.ledger...))
			if diff := cmp.Diff(tt.steps, asked(p)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.doubts, unverifiedOf(p)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}
