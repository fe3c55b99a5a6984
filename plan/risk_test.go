package plan

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/schema"
)

func TestRisks(t *testing.T) {
	set, none := schema.Set("a@x.io"), schema.Set()
	members := func(v schema.Value) map[string]schema.Value { return map[string]schema.Value{"members": v} }
	enabled := func(b bool) map[string]schema.Value { return map[string]schema.Value{"enabled": schema.Bool(b)} }
	for name, tt := range map[string]struct {
		plan Plan
		ids  []string
	}{
		"nothing": {},
		"each-person-who-gains-or-loses": {
			plan: Plan{Access: []AccessChange{
				{Permission: "capability.chat", From: "none", To: "allowed", Direction: "gain", Members: []string{"a@x.io", "b@x.io"}},
				{Permission: "connector.j.t", From: "always_allow", To: "needs_approval", Direction: "lower", Members: []string{"a@x.io"}},
			}},
			ids: []string{"gain:capability.chat:allowed:a@x.io", "gain:capability.chat:allowed:b@x.io", "lower:connector.j.t:needs_approval:a@x.io"},
		},
		"limits": {
			plan: Plan{Limits: []LimitChange{{Period: "monthly", From: "100", To: "unlimited", Direction: "raise", Members: []string{"a@x.io"}}}},
			ids:  []string{"raise:spend.monthly:unlimited:a@x.io"},
		},
		"deleted":                {Plan{Changed: []Change{{Address: "group.g", Action: schema.Delete, Before: members(set)}}}, []string{"delete:group.g"}},
		"emptied":                {Plan{Changed: []Change{{Address: "group.g", Action: schema.Update, Before: members(set), After: members(none)}}}, []string{"empty:group.g"}},
		"was-empty":              {Plan{Changed: []Change{{Address: "group.g", Action: schema.Create, After: members(none)}}}, nil},
		"shrunk-is-not-emptied":  {Plan{Changed: []Change{{Address: "group.g", Action: schema.Update, Before: members(set), After: members(set)}}}, nil},
		"renamed-is-not-emptied": {Plan{Changed: []Change{{Address: "group.g", Action: schema.Rename, Before: members(set)}}}, nil},
		"switched-on":            {Plan{Changed: []Change{{Address: "feature.f", Action: schema.Update, Before: enabled(false), After: enabled(true)}}}, []string{"enable:feature.f"}},
		"switched-off":           {Plan{Changed: []Change{{Address: "feature.f", Action: schema.Update, Before: enabled(true), After: enabled(false)}}}, nil},
		"held-is-not-done":       {Plan{Changed: []Change{{Address: "group.g", Action: schema.Delete, Held: true}}}, nil},
		"accepted":               {Plan{Findings: []Finding{{Rule: "protected-loses", Message: "m", Accepted: true, Accept: "--accept protected-loses"}, {Rule: "unread"}}}, []string{"accept:protected-loses"}},
		"accepted-guard-is-one-guard": {Plan{Findings: []Finding{{Rule: "guard-exceeded", Message: "m", Accepted: true, Accept: "--accept guard.max_removals"}, {Rule: "guard-exceeded", Message: "n", Accepted: true, Accept: "--accept guard.max_group_shrink"}}},
			[]string{"accept:guard.max_removals", "accept:guard.max_group_shrink"}},
		"accepted-for-one-object": {Plan{Findings: []Finding{{Rule: "void-grant", Address: "role.r", Accepted: true}}}, []string{"accept:void-grant:role.r"}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.plan.Risks = tt.plan.risks()
			if diff := cmp.Diff(tt.ids, tt.plan.RiskIDs()); diff != "" {
				t.Error(diff)
			}
			if slices.ContainsFunc(tt.plan.Risks, func(r Risk) bool { return r.Members == nil || r.Text == "" }) {
				t.Errorf("a risk without a text, or with null for a list: %+v", tt.plan.Risks)
			}
		})
	}
}
