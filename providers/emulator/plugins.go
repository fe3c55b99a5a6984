package emulator

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// pluginBeta is the beta header that every plugin endpoint needs. Without it
// the path does not exist: 404.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationplugin.go.
const pluginBeta = "ce-plugins-2026-09-01"

const (
	pluginsPath      = "/v1/organizations/plugins"
	pluginPath       = pluginsPath + "/{plugin_id}"
	settingsPath     = pluginPath + "/installation_settings"
	marketplacesPath = "/v1/organizations/plugin_marketplaces"
)

// Plugin endpoints refuse query parameters that they do not know.
//
// Source: Plugins API guide, read 2026-11-22. That beta is let through is
// inferred from the SDK, which always sends it.
var pluginRoutes = []route{
	{method: "GET", pattern: pluginsPath, family: familyPluginRead, scopes: readPlugins, beta: pluginBeta, get: (*call).listPlugins,
		query: []string{"limit", "page", "owner_type", "owner_user_id", "marketplace_id", "organization_id",
			"created_at[gt]", "created_at[gte]", "created_at[lt]", "created_at[lte]"}},
	{method: "GET", pattern: pluginPath, family: familyPluginRead, scopes: readPlugins, beta: pluginBeta, get: (*call).getPlugin,
		query: []string{"organization_id"}},
	{method: "DELETE", pattern: pluginPath, family: familyPluginWrite, scopes: writePlugins, beta: pluginBeta, set: (*call).deletePlugin,
		query: []string{}},
	{method: "GET", pattern: settingsPath, family: familyPluginRead, scopes: readPlugins, beta: pluginBeta, get: (*call).listSettings,
		query: []string{"limit", "page", "target_type", "organization_id"}},
	{method: "POST", pattern: settingsPath + "/{target}", family: familyPluginWrite, scopes: writePlugins, beta: pluginBeta,
		set: (*call).setSetting, query: []string{}, serial: "plugin_id"},
	{method: "DELETE", pattern: settingsPath + "/{target}", family: familyPluginWrite, scopes: writePlugins, beta: pluginBeta,
		set: (*call).removeSetting, query: []string{}, serial: "plugin_id"},
	{method: "GET", pattern: marketplacesPath, family: familyPluginRead, scopes: readPlugins, beta: pluginBeta, get: (*call).listMarketplaces,
		query: []string{"limit", "page", "owner_type", "source", "organization_id"}},
	{method: "GET", pattern: marketplacesPath + "/{marketplace_id}", family: familyPluginRead, scopes: readPlugins, beta: pluginBeta,
		get: (*call).getMarketplace, query: []string{"organization_id"}},
	{method: "POST", pattern: marketplacesPath + "/{marketplace_id}", family: familyPluginWrite, scopes: writePlugins, beta: pluginBeta,
		set: (*call).updateMarketplace, query: []string{}},
}

// Scopes of the plugin endpoints. To write does not include to read.
//
// Source: Plugins API guide, read 2026-11-22.
var (
	readPlugins  = []string{"read:plugins", "read:org_audit", "read:compliance_org_data"}
	writePlugins = []string{"write:plugins"}
)

// preferences are the values of an installation setting, from most to least.
//
// Source: Plugins API guide, read 2026-11-22.
var preferences = []string{"required", "auto_install", "available", "not_available"}

// Page sizes of plugins and marketplaces.
//
// Source: anthropic-sdk-go v1.84.0, comment of each Limit parameter.
var (
	pluginPage      = pageSize{20, 100}
	marketplacePage = pageSize{20, 1000}
)

// A busySet holds the objects that are being written.
type busySet struct {
	mu   sync.Mutex
	keys map[string]bool
}

// take marks the object of a request and returns what ends the mark. Writes of
// one plugin's settings must not overlap.
//
// Errors: 503 with x-should-retry if the object is being written.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationplugininstallationsetting.go.
func (s *Server) take(r *http.Request) (release func(), err error) {
	rt, params, err := s.router.find(r.Method, r.URL)
	if err != nil || rt.serial == "" {
		return func() {}, nil // what is wrong is found out again later
	}
	key := params[rt.serial]
	s.busy.mu.Lock()
	defer s.busy.mu.Unlock()
	if s.busy.keys[key] {
		e := fail(http.StatusServiceUnavailable, "Another request is changing the installation settings of this plugin.")
		e.header = map[string]string{"X-Should-Retry": "true"}
		return nil, e
	}
	if s.busy.keys == nil {
		s.busy.keys = map[string]bool{}
	}
	s.busy.keys[key] = true
	return func() {
		s.busy.mu.Lock()
		defer s.busy.mu.Unlock()
		delete(s.busy.keys, key)
	}, nil
}

// checkPlugins reports, as a 404, that a plugin endpoint does not exist for
// this request, and as a 400 an unknown query parameter.
func (c *call) checkPlugins(rt *route) error {
	if c.st.org().HIPAA || c.st.org().NoPlugins {
		return notFound("Not found: %s.", c.path)
	}
	for name := range c.query {
		if name != "beta" && !slices.Contains(rt.query, name) {
			return invalid("%s: unknown query parameter", name)
		}
	}
	return nil
}

// elsewhere reports whether the request is about another organization of the
// parent, of which the emulator knows no plugins.
//
// Errors: 400 for what is no ID of an organization; 404 for one that is not
// this one, unless the key was made for all linked organizations with a scope
// that reaches across them, and for one that is not linked.
//
// Source: anthropic-sdk-go v1.84.0, BetaOrganizationPluginListParams.
func (c *call) elsewhere() (bool, error) {
	id := c.query.Get("organization_id")
	own := c.st.org().ID
	switch {
	case !c.query.Has("organization_id"), strings.EqualFold(id, own), id == makeID("org_", own):
		return false, nil
	case !uuidForm.MatchString(id) && !strings.HasPrefix(id, "org_"):
		return false, invalid("organization_id: must be a UUID or an ID that begins with org_; got %q", id)
	}
	if c.key.linked && (c.key.has("read:org_audit") || c.key.has("read:compliance_org_data")) {
		for _, s := range c.st.siblings.rows {
			if strings.EqualFold(id, s.ID) || id == makeID("org_", s.ID) {
				return true, nil
			}
		}
	}
	return false, notFound("Organization not found: %s.", id)
}

type ownerBody struct {
	Type   string `json:"type"` // organization or user
	UserID string `json:"user_id,omitempty"`
}

func ownerOf(userID string) ownerBody {
	if userID == "" {
		return ownerBody{Type: "organization"}
	}
	return ownerBody{"user", userID}
}

// pluginBody is a plugin. Manifest version, content scan and reach can be null.
//
// Source: anthropic-sdk-go v1.84.0, BetaPlugin.
type pluginBody struct {
	ID                                 string            `json:"id"`
	Type                               string            `json:"type"`
	Name                               string            `json:"name"`
	DisplayName                        string            `json:"display_name"`
	Description                        string            `json:"description"`
	ManifestVersion                    *string           `json:"manifest_version"`
	Owner                              ownerBody         `json:"owner"`
	MarketplaceID                      string            `json:"marketplace_id"`
	CreatedBy                          any               `json:"created_by"`
	ServedVersionID                    string            `json:"served_version_id"`
	ServedVersionPinned                bool              `json:"served_version_pinned"`
	LatestVersionID                    string            `json:"latest_version_id"`
	OrganizationInstallationPreference *string           `json:"organization_installation_preference"`
	Inherited                          *bool             `json:"organization_installation_preference_inherited"`
	ContentScan                        *scan             `json:"content_scan"`
	Components                         []pluginComponent `json:"components"`
	Reach                              *string           `json:"reach"`
	CreatedAt                          string            `json:"created_at"`
	UpdatedAt                          string            `json:"updated_at"`
}

func (st *state) pluginBody(v plugin) pluginBody {
	b := pluginBody{
		ID: v.ID, Type: "plugin", Name: v.Name, DisplayName: v.DisplayName, Description: v.Description,
		Owner: ownerOf(v.OwnerID), MarketplaceID: v.MarketplaceID,
		ServedVersionID: v.VersionID, LatestVersionID: v.VersionID, ContentScan: v.Scan,
		Components: v.Components, CreatedAt: stamp(v.Created), UpdatedAt: stamp(v.Updated),
	}
	if v.Components == nil {
		b.Components = []pluginComponent{}
	}
	if v.Version != "" {
		b.ManifestVersion = &v.Version
	}
	if v.Reach != "" {
		b.Reach = &v.Reach
	}
	if v.CreatedBy != "" {
		b.CreatedBy = fields{"type": "user_actor", "user_id": v.CreatedBy, "email_address": orNull(st.members.rows[v.CreatedBy].Email)}
	}
	if v.OwnerID == "" {
		value, inherited := st.organizationPreference(v)
		b.OrganizationInstallationPreference, b.Inherited = &value, &inherited
	}
	return b
}

// organizationPreference is the setting of a plugin for everybody: its own, or
// the default of its marketplace, or not_available.
//
// Source: Plugins API guide, read 2026-11-22.
func (st *state) organizationPreference(v plugin) (value string, inherited bool) {
	if s, ok := st.pluginSettings.get(v.ID + "/" + organizationTarget); ok {
		return s.Preference, false
	}
	return cmp.Or(st.marketplaces.rows[v.MarketplaceID].Default, "not_available"), true
}

// newestFirst is a key of [paginate] for lists that begin with the newest.
func newestFirst(t time.Time, order int, id string) string {
	return timeKey(time.UnixMicro(-t.UnixMicro()), (1<<31)-order, id)
}

func (v plugin) sortKey() string { return newestFirst(v.Created, v.Order, v.ID) }

// listPlugins returns plugins, newest first.
//
// Errors: 400 for a parameter or a value that it does not know.
func (c *call) listPlugins() (any, error) {
	away, err := c.elsewhere()
	if err != nil {
		return nil, err
	}
	owner, err := c.oneOf("owner_type", "organization", "user")
	if err != nil {
		return nil, err
	}
	within, err := c.bounds("created_at[", "]")
	if err != nil {
		return nil, err
	}
	list := []plugin{}
	for _, v := range c.st.plugins.rows {
		switch id := c.query.Get("owner_user_id"); {
		case away, owner != "" && ownerOf(v.OwnerID).Type != owner, id != "" && v.OwnerID != id, !within(v.Created):
			continue
		}
		if id := c.query.Get("marketplace_id"); id != "" && v.MarketplaceID != id {
			continue
		}
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b plugin) int { return cmp.Compare(a.sortKey(), b.sortKey()) })
	page, next, err := paginate(c, pluginPage, list, plugin.sortKey)
	if err != nil {
		return nil, err
	}
	bodies := []pluginBody{}
	for _, v := range page {
		bodies = append(bodies, c.st.pluginBody(v))
	}
	return spendPage[pluginBody]{bodies, next}, nil
}

// oneOf reads a query parameter that is one of a few words, or not there.
func (c *call) oneOf(name string, allowed ...string) (string, error) {
	v := c.query.Get(name)
	if c.query.Has(name) && !slices.Contains(allowed, v) {
		return "", invalid("%s: must be one of %s; got %q", name, strings.Join(allowed, ", "), v)
	}
	return v, nil
}

func (c *call) plugin() (plugin, error) {
	away, err := c.elsewhere()
	if err != nil {
		return plugin{}, err
	}
	v, ok := c.st.plugins.get(c.params["plugin_id"])
	if !ok || away {
		return plugin{}, notFound("Plugin not found: %s.", c.params["plugin_id"])
	}
	return v, nil
}

// sharedPlugin is plugin for what members' own plugins do not have: 404.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationplugininstallationsetting.go.
func (c *call) sharedPlugin() (plugin, error) {
	v, err := c.plugin()
	if err == nil && v.OwnerID != "" {
		return v, notFound("The plugin %s belongs to a member and has no installation settings.", v.ID)
	}
	return v, err
}

func (c *call) getPlugin() (any, error) {
	v, err := c.plugin()
	if err != nil {
		return nil, err
	}
	return c.st.pluginBody(v), nil
}

// deletePlugin deletes an uploaded plugin with its settings.
//
// Errors: 403 for a member's plugin; 400 for one that is synchronized from a
// repository.
//
// Source: Plugins API guide, read 2026-11-22.
func (c *call) deletePlugin(x *tx) (any, error) {
	v, err := c.plugin()
	if err != nil {
		return nil, err
	}
	if v.OwnerID != "" {
		return nil, fail(http.StatusForbidden, "The plugin %s belongs to a member.", v.ID)
	}
	if m := c.st.marketplaces.rows[v.MarketplaceID]; m.Source != "manual" {
		return nil, invalid("The plugin %s is synchronized from a repository and cannot be deleted here.", v.ID)
	}
	return x.dropPlugin(v)
}

func (x *tx) dropPlugin(v plugin) (any, error) {
	for _, s := range x.st.settingsOf(v.ID) {
		remove(x, &x.st.pluginSettings, s.key())
	}
	remove(x, &x.st.plugins, v.ID)
	return deletedBody{v.ID, "plugin_deleted"},
		x.event("claude_plugin_deleted", fields{"marketplace_id": v.MarketplaceID, "plugin_name": v.Name})
}

// organizationTarget is the target of a setting for everybody; any other is
// the ID of a group.
const organizationTarget = "organization"

func (s pluginSetting) key() string { return s.PluginID + "/" + s.Target }

func (s pluginSetting) sortKey() string { return newestFirst(s.Created, s.Order, s.Target) }

// targetBody is what a setting is for.
//
// Source: anthropic-sdk-go v1.84.0, BetaPluginTargetOrganization and
// BetaPluginTargetRBACGroup.
type targetBody struct {
	Type    string `json:"type"`
	GroupID string `json:"rbac_group_id,omitempty"`
}

func targetOf(target string) targetBody {
	if target == organizationTarget {
		return targetBody{Type: "organization"}
	}
	return targetBody{"rbac_group", target}
}

type settingBodyOf struct {
	Type       string     `json:"type"`
	PluginID   string     `json:"plugin_id"`
	Target     targetBody `json:"target"`
	Preference string     `json:"installation_preference"`
	CreatedAt  string     `json:"created_at"`
	UpdatedAt  string     `json:"updated_at"`
}

func (s pluginSetting) body() settingBodyOf {
	return settingBodyOf{"plugin_installation_setting", s.PluginID, targetOf(s.Target), s.Preference, stamp(s.Created), stamp(s.Updated)}
}

// settingsOf returns the settings of a plugin, newest first.
func (st *state) settingsOf(pluginID string) []pluginSetting {
	list := []pluginSetting{}
	for _, s := range st.pluginSettings.rows {
		if s.PluginID == pluginID {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b pluginSetting) int { return cmp.Compare(a.sortKey(), b.sortKey()) })
	return list
}

// listSettings returns the settings that a plugin has itself. While it inherits
// the default of its marketplace there is none for the organization.
func (c *call) listSettings() (any, error) {
	v, err := c.sharedPlugin()
	if err != nil {
		return nil, err
	}
	kind, err := c.oneOf("target_type", "organization", "rbac_group")
	if err != nil {
		return nil, err
	}
	list := c.st.settingsOf(v.ID)
	if kind != "" {
		list = slices.DeleteFunc(list, func(s pluginSetting) bool { return targetOf(s.Target).Type != kind })
	}
	page, next, err := paginate(c, pluginPage, list, pluginSetting.sortKey)
	if err != nil {
		return nil, err
	}
	bodies := []settingBodyOf{}
	for _, s := range page {
		bodies = append(bodies, s.body())
	}
	return spendPage[settingBodyOf]{bodies, next}, nil
}

// target reads the target of the path: 400 for what cannot be one.
func (c *call) target() (string, error) {
	t := c.params["target"]
	if t != organizationTarget && !strings.HasPrefix(t, "rbac_group_") {
		return "", invalid("target: must be organization or the ID of an RBAC group; got %q", t)
	}
	return t, nil
}

// setSetting sets a plugin for the organization or for a group. The same value
// again is a 200 without effect.
//
// Errors: 400 for a bad target or preference; 404 for an unknown group and for
// a member's plugin; 503 while another setting of the plugin is being written.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationplugininstallationsetting.go.
func (c *call) setSetting(x *tx) (any, error) {
	var p problems
	n, err := c.fields(&p, "installation_preference")
	if err != nil {
		return nil, err
	}
	f := n.field("installation_preference")
	preference := ""
	if p.must(f) {
		preference = p.oneOf(f, preferences...)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	target, err := c.target()
	if err != nil {
		return nil, err
	}
	v, err := c.sharedPlugin()
	if err != nil {
		return nil, err
	}
	if _, ok := c.st.groups.get(target); !ok && target != organizationTarget {
		return nil, notFound("RBAC group not found: %s.", target)
	}
	s, err := x.setSetting(v, target, preference)
	if err != nil {
		return nil, err
	}
	return s.body(), nil
}

func (x *tx) setSetting(v plugin, target, preference string) (pluginSetting, error) {
	s, there := x.st.pluginSettings.get(v.ID + "/" + target)
	if there && s.Preference == preference {
		return s, nil
	}
	if !there {
		order, err := x.order()
		if err != nil {
			return s, err
		}
		s = pluginSetting{PluginID: v.ID, Target: target, Created: x.now, Order: order}
	}
	s.Preference, s.Updated = preference, x.now
	if err := put(x, &x.st.pluginSettings, s.key(), s); err != nil {
		return s, err
	}
	return s, x.settingEvent(v, target, fields{"installation_preference": preference})
}

// settingEvent notes a setting in the feed, which names plugins and does not
// give their IDs.
//
// Source: Compliance API reference, activities,
// plugin_installation_preference_updated; read 2026-11-22.
func (x *tx) settingEvent(v plugin, target string, own fields) error {
	own["marketplace_id"], own["plugin_name"] = v.MarketplaceID, v.Name
	if target != organizationTarget {
		own["group_id"], own["group_name"] = target, orNull(x.st.groups.rows[target].Name)
	}
	return x.event("plugin_installation_preference_updated", own)
}

// removeSetting takes a setting away, so that the plugin inherits again, or the
// group has none.
//
// Errors: 404 if there is none, as on a repetition.
func (c *call) removeSetting(x *tx) (any, error) {
	target, err := c.target()
	if err != nil {
		return nil, err
	}
	v, err := c.sharedPlugin()
	if err != nil {
		return nil, err
	}
	s, ok := c.st.pluginSettings.get(v.ID + "/" + target)
	if !ok {
		return nil, notFound("The plugin %s has no installation setting for %s.", v.ID, target)
	}
	remove(x, &x.st.pluginSettings, s.key())
	return struct {
		PluginID string     `json:"plugin_id"`
		Target   targetBody `json:"target"`
		Type     string     `json:"type"`
	}{v.ID, targetOf(target), "plugin_installation_setting_deleted"}, x.settingEvent(v, target, fields{"action": "deleted"})
}

// marketplaceBody is a marketplace. The default of a member's is null, and one
// that was never set is not_available.
//
// Source: anthropic-sdk-go v1.84.0, BetaPluginMarketplace.
type marketplaceBody struct {
	ID              string    `json:"id"`
	Type            string    `json:"type"`
	Name            string    `json:"name"`
	Owner           ownerBody `json:"owner"`
	Source          string    `json:"source"`
	Default         *string   `json:"default_installation_preference"`
	SyncStatus      *string   `json:"sync_status"`
	LastSyncEndedAt *string   `json:"last_sync_ended_at"`
	LastSyncReadSHA *string   `json:"last_sync_read_sha"`
	CreatedAt       string    `json:"created_at"`
}

func (m marketplace) body() marketplaceBody {
	b := marketplaceBody{ID: m.ID, Type: "plugin_marketplace", Name: m.Name, Owner: ownerOf(m.OwnerID), Source: m.Source, CreatedAt: stamp(m.Created)}
	if m.OwnerID == "" {
		value := cmp.Or(m.Default, "not_available")
		b.Default = &value
	}
	if m.Source != "manual" {
		status, at := "success", stamp(m.Created)
		b.SyncStatus, b.LastSyncEndedAt = &status, &at
		sha := strings.ToLower(makeID("", m.ID))
		b.LastSyncReadSHA = &sha
	}
	return b
}

func (m marketplace) sortKey() string { return newestFirst(m.Created, m.Order, m.ID) }

func (c *call) listMarketplaces() (any, error) {
	away, err := c.elsewhere()
	if err != nil {
		return nil, err
	}
	owner, err := c.oneOf("owner_type", "organization", "user")
	if err != nil {
		return nil, err
	}
	source, err := c.oneOf("source", marketplaceSources...)
	if err != nil {
		return nil, err
	}
	list := []marketplace{}
	for _, m := range c.st.marketplaces.rows {
		if away || owner != "" && ownerOf(m.OwnerID).Type != owner || source != "" && m.Source != source {
			continue
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b marketplace) int { return cmp.Compare(a.sortKey(), b.sortKey()) })
	page, next, err := paginate(c, marketplacePage, list, marketplace.sortKey)
	if err != nil {
		return nil, err
	}
	bodies := []marketplaceBody{}
	for _, m := range page {
		bodies = append(bodies, m.body())
	}
	return spendPage[marketplaceBody]{bodies, next}, nil
}

func (c *call) marketplace() (marketplace, error) {
	away, err := c.elsewhere()
	if err != nil {
		return marketplace{}, err
	}
	m, ok := c.st.marketplaces.get(c.params["marketplace_id"])
	if !ok || away {
		return marketplace{}, notFound("Plugin marketplace not found: %s.", c.params["marketplace_id"])
	}
	return m, nil
}

func (c *call) getMarketplace() (any, error) {
	m, err := c.marketplace()
	if err != nil {
		return nil, err
	}
	return m.body(), nil
}

// updateMarketplace sets the default of a marketplace, which can be changed and
// not taken away. Its plugins that inherit follow, without events of their own.
//
// Errors: 403 for a member's marketplace.
//
// Source: Plugins API guide, read 2026-11-22.
func (c *call) updateMarketplace(x *tx) (any, error) {
	var p problems
	n, err := c.fields(&p, "default_installation_preference")
	if err != nil {
		return nil, err
	}
	f := n.field("default_installation_preference")
	value := ""
	if p.must(f) {
		value = p.oneOf(f, preferences...)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	m, err := c.marketplace()
	if err != nil {
		return nil, err
	}
	if m.OwnerID != "" {
		return nil, fail(http.StatusForbidden, "The marketplace %s belongs to a member.", m.ID)
	}
	if m.Default == value {
		return m.body(), nil
	}
	m.Default = value
	if err := put(x, &x.st.marketplaces, m.ID, m); err != nil {
		return nil, err
	}
	return m.body(), x.event("marketplace_updated", fields{"marketplace_id": m.ID})
}

// pluginValue is the setting in force for a member: the most of those of the
// member's groups, which replace that of the organization even if they are
// less.
//
// Source: Plugins API guide and Claude help centre, plugins; read 2026-11-22.
func (st *state) pluginValue(v plugin, userID string) string {
	best := -1
	for groupID := range st.ofUser[userID] {
		if s, ok := st.pluginSettings.get(v.ID + "/" + groupID); ok {
			if i := slices.Index(preferences, s.Preference); best < 0 || i < best {
				best = i
			}
		}
	}
	if best >= 0 {
		return preferences[best]
	}
	value, _ := st.organizationPreference(v)
	return value
}
