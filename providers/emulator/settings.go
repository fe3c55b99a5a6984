package emulator

import (
	"maps"
	"slices"
	"strings"
)

// settingActions gives the feature whose toggle a row of the effective settings
// shows, for the rows where an action was seen in the wild. The vendor publishes
// no such list, so a seed can give its own.
//
// Source of the rows: Compliance API docs, effective organization settings;
// read 2026-11-22. The actions are inferred.
var settingActions = map[string]string{
	"chat_enabled":                  "chat",
	"claude_code_fast_mode_enabled": "claude_code_fast_mode",
	"claude_code_security_enabled":  "claude_code_security",
	"claude_design_enabled":         "omelette",
	"code_execution_enabled":        "wiggle",
	"memory_enabled":                "saffron",
	"user_skill_creation_enabled":   "skill_creation",
	"web_search_enabled":            "web_search",
}

// toggleRows are the rows that show a capability's toggle. A seed's feature of
// the same name without _enabled is taken for it.
//
// Source: Compliance API docs, effective organization settings; read
// 2026-11-22. There is no row for Cowork, Claude Code as a whole, or Chrome.
var toggleRows = []string{
	"chat_enabled", "claude_code_desktop_enabled", "claude_code_fast_mode_enabled",
	"claude_code_remote_control_enabled", "claude_code_review_enabled", "claude_code_routines_enabled",
	"claude_code_security_enabled", "claude_code_web_enabled", "claude_code_workflows_enabled",
	"claude_design_enabled", "code_execution_enabled", "memory_enabled", "org_wide_skill_sharing_enabled",
	"public_projects_enabled", "skill_sharing_enabled", "skills_enabled", "user_skill_creation_enabled",
	"web_search_enabled",
}

// defaultSettings returns the rows of an organization that has these features.
// A row without a known feature is left out: to the vendor that means that
// administrators cannot control it.
func defaultSettings(features map[string]feature) map[string]string {
	rows := map[string]string{}
	for _, name := range toggleRows {
		for _, action := range []string{settingActions[name], strings.TrimSuffix(name, "_enabled")} {
			if _, ok := features[action]; ok {
				rows[name] = action
				break
			}
		}
		if rows[name] == "" && settingActions[name] != "" {
			rows[name] = settingActions[name]
		}
	}
	return rows
}

type settingBody struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}

// settingsBody is the answer of the effective settings.
//
// Source: Compliance API docs, effective organization settings; read
// 2026-11-22.
type settingsBody struct {
	Type           string        `json:"type"`
	OrganizationID string        `json:"organization_id"`
	Settings       []settingBody `json:"settings"`
	APIKeys        []settingKey  `json:"api_keys"`
}

type settingKey struct {
	Type        string   `json:"type"`
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Scopes      []string `json:"scopes"`
	IsActive    bool     `json:"is_active"`
	CreatedAt   string   `json:"created_at"`
	CreatedByID *string  `json:"created_by_id"`
	ExpiresAt   *string  `json:"expires_at"`
}

// complianceSettings returns the settings in force in this organization,
// sorted by name (the order is invented). The emulator does not know those of a
// sibling: 404, as for an organization that is not linked.
func (c *call) complianceSettings() (any, error) {
	o := c.st.org()
	id := c.params["organization_id"]
	if !strings.EqualFold(id, o.ID) {
		return nil, notFound("organization `%s` not found in this organization's hierarchy", id)
	}
	mode := o.Provisioning
	list := []settingBody{
		{"directory_sync_enabled", "boolean", strings.HasPrefix(mode, "scim_")},
		{"hipaa_compliance_enabled", "boolean", o.HIPAA},
		{"sso_enabled", "boolean", mode != "login_only"},
		{"sso_provisioning_mode", "provisioning_mode", mode},
	}
	for name, action := range c.st.settings.rows {
		list = slices.DeleteFunc(list, func(b settingBody) bool { return b.Name == name })
		if action != "" {
			list = append(list, settingBody{name, "boolean", c.st.features.rows[action].Enabled})
		}
	}
	slices.SortFunc(list, func(a, b settingBody) int { return strings.Compare(a.Name, b.Name) })
	return settingsBody{"effective_organization_settings", o.ID, list, c.s.settingKeys(o)}, nil
}

// settingKeys lists the keys of the seed that have a Compliance scope.
func (s *Server) settingKeys(o organization) []settingKey {
	list := []settingKey{}
	for _, secret := range slices.Sorted(maps.Keys(s.keys)) {
		k := s.keys[secret]
		if slices.ContainsFunc(k.scopes, func(scope string) bool { return strings.Contains(scope, ":compliance_") }) {
			list = append(list, settingKey{"compliance_api_key", makeID("apikey_", k.secret), "Key of the seed",
				k.scopes, true, stamp(o.Created), nil, nil})
		}
	}
	return list
}

// settingUpdates gives the names that the activity feed has for rows of the
// effective settings, where they differ.
//
// Source: Compliance API reference, activities,
// claude_organization_settings_updated; read 2026-11-22.
var settingUpdates = map[string]string{
	"memory_enabled":                 "enabled_saffron",
	"user_skill_creation_enabled":    "claude_ai_skill_creation_enabled",
	"skill_sharing_enabled":          "claude_ai_skill_sharing_enabled",
	"org_wide_skill_sharing_enabled": "claude_ai_skill_sharing_org_enabled",
	"claude_design_enabled":          "claude_ai_design_enabled",
}

// featureEvent notes that a feature was switched. A feature without a row in
// the effective settings is noted under its action (invented), but for Cowork,
// which has events of its own.
func (x *tx) featureEvent(action string, before, enabled bool) error {
	if action == "cowork" {
		kind := "org_cowork_disabled"
		if enabled {
			kind = "org_cowork_enabled"
		}
		return x.event(kind, fields{"previous_value": before, "current_value": enabled})
	}
	name := ""
	for _, row := range slices.Sorted(maps.Keys(x.st.settings.rows)) {
		if x.st.settings.rows[row] != action {
			continue
		}
		name = row
		if update, ok := settingUpdates[row]; ok {
			name = update
		}
	}
	if name == "" { // inferred: the update that lists capabilities is for those without a row of their own
		list := []string{}
		for _, a := range slices.Sorted(maps.Keys(x.st.features.rows)) {
			if x.st.features.rows[a].Enabled {
				list = append(list, a)
			}
		}
		was := slices.DeleteFunc(slices.Clone(list), func(a string) bool { return a == action })
		if before {
			was = append(was, action)
			slices.Sort(was)
		}
		return x.event("claude_organization_settings_updated", fields{
			"updates": []fields{{"type": "capabilities", "previous_value": was, "current_value": list}},
		})
	}
	return x.event("claude_organization_settings_updated", fields{
		"updates": []fields{{"type": name, "previous_value": before, "current_value": enabled}},
	})
}
