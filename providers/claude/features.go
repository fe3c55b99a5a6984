package claude

// A capability is a product feature that roles grant and the organization
// switches on or off.
type capability struct {
	label   string // in the configuration and in permissions: capability.<label>
	title   string // as the console names it
	action  string // in role permissions
	setting string // its row in the effective settings, "" if it has none
}

// capabilities are the features whose action is known well enough to be built
// in. The vendor publishes neither all actions nor all settings; a feature
// block gives those that are missing here.
//
// Source: Admin API reference, role permissions; Compliance API reference,
// effective settings; help centre, custom roles. Read 2026-11-22.
var capabilities = []capability{
	{"chat", "Chat", "chat", "chat_enabled"},
	{"claude_code", "Claude Code", "claude_code", ""},
	{"cowork", "Claude Cowork", "cowork", ""},
	{"web_search", "Web search", "web_search", "web_search_enabled"},
	{"memory", "Memory", "saffron", "memory_enabled"},
	{"code_execution", "Code execution and file creation", "wiggle", "code_execution_enabled"},
	{"public_projects", "Public projects", "public_projects", "public_projects_enabled"},
	{"skill_creation", "Create skills", "skill_creation", "user_skill_creation_enabled"},
	{"fast_mode", "Fast mode", "claude_code_fast_mode", "claude_code_fast_mode_enabled"},
	{"claude_code_security", "Claude Security", "claude_code_security", "claude_code_security_enabled"},
	{"claude_design", "Claude Design", "omelette", "claude_design_enabled"},
	{"claude_browser_extension", "Claude for Chrome", "claude_browser_extension", ""},
}

// Blanket grants, in the configuration and in role permissions.
const (
	labelAll    = "all"
	labelAllGA  = "all_ga"
	actionAll   = "capability_access_all"
	actionAllGA = "capability_access_all_ga"
)

// adminAreas are the administration areas in the order of the console's page,
// with the levels that each has.
//
// Source: help centre, custom roles, "Admin permissions"; read 2026-11-22.
var adminAreas = []struct {
	area, title string
	levels      []string
}{
	{"identity_access", "Identity & Access", []string{"view", "manage"}},
	{"billing", "Billing", []string{"view", "manage"}},
	{"analytics", "Analytics", []string{"view"}},
	{"privacy", "Privacy", []string{"view", "manage"}},
	{"user_management", "User Management", []string{"manage"}},
	{"libraries", "Libraries", []string{"manage"}},
	{"directory", "Directory management", []string{"manage"}},
}

func areaNames() []string {
	names := make([]string, len(adminAreas))
	for i, a := range adminAreas {
		names[i] = a.area
	}
	return names
}

// adminPrefix starts the action of every admin permission. What follows is not
// published; rolecall writes and reads `permission_<area>_<level>`. This is
// inferred, and can be checked with a probe role and the rows it reads back.
const adminPrefix = "permission_"

// A vocabulary translates between labels and actions for one organization:
// what is built in, and what its feature blocks say.
type vocabulary struct {
	byLabel, byAction map[string]capability
}

func newVocabulary() *vocabulary {
	v := &vocabulary{byLabel: map[string]capability{}, byAction: map[string]capability{}}
	for _, c := range capabilities {
		v.add(c)
	}
	return v
}

// add makes c known in place of what had its label or its action.
func (v *vocabulary) add(c capability) {
	if old, ok := v.byLabel[c.label]; ok {
		delete(v.byAction, old.action)
	}
	if old, ok := v.byAction[c.action]; ok && old.label != c.label {
		delete(v.byLabel, old.label)
	}
	v.byLabel[c.label], v.byAction[c.action] = c, c
}

// label returns the label of an action; an action nobody knows is its own.
func (v *vocabulary) label(action string) string {
	if c, ok := v.byAction[action]; ok {
		return c.label
	}
	return action
}

// action returns the action of a label; a label nobody knows is its own.
func (v *vocabulary) action(label string) string {
	if c, ok := v.byLabel[label]; ok {
		return c.action
	}
	return label
}

// title returns the name of a capability on the console's page.
func (v *vocabulary) title(label string) string {
	if c, ok := v.byLabel[label]; ok && c.title != "" {
		return c.title
	}
	return label
}
