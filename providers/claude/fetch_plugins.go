package claude

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"github.com/anthropics/anthropic-sdk-go"
)

// Page sizes of plugins and of their settings are smaller than elsewhere.
//
// Source: anthropic-sdk-go v1.84.0, BetaOrganizationPluginListParams and
// BetaOrganizationPluginInstallationSettingListParams; read 2026-11-22.
const pluginPageSize = 100

// plugins reads the marketplaces and the plugins of the organization, and what
// each plugin has set itself. Those of members are nobody's policy and are not
// read.
func (f *fetch) plugins() error {
	marketplaces, err := f.c.marketplaces(f.ctx)
	if err != nil {
		return f.optional(MissingPlugins, err)
	}
	if len(marketplaces) == 0 { // every plugin is in one
		f.snap.Marketplaces, f.snap.Plugins = marketplaces, []Plugin{}
		return nil
	}
	plugins, err := f.c.plugins(f.ctx)
	if err != nil {
		return f.optional(MissingPlugins, err)
	}
	f.snap.Marketplaces, f.snap.Plugins = marketplaces, plugins
	for i := range plugins {
		p := &plugins[i]
		f.run(func() error {
			settings, err := f.c.pluginSettings(f.ctx, p.ID, fmt.Sprintf("%q", plain(p.Name)))
			if err != nil {
				return err
			}
			p.Settings, p.SettingsKnown = settings, true
			return nil
		})
	}
	return nil
}

// FetchMarketplaces reads the plugin marketplaces of the organization.
func (r *Reading) FetchMarketplaces(ctx context.Context) ([]Marketplace, error) {
	return r.c.marketplaces(ctx)
}

// FetchPlugins reads the plugins of the organization, without their settings.
func (r *Reading) FetchPlugins(ctx context.Context) ([]Plugin, error) { return r.c.plugins(ctx) }

// FetchPluginSettings reads what one plugin has set itself.
func (r *Reading) FetchPluginSettings(ctx context.Context, pluginID string) ([]PluginSetting, error) {
	return r.c.pluginSettings(ctx, pluginID, pluginID)
}

func (c *core) marketplaces(ctx context.Context) ([]Marketplace, error) {
	list, err := walk(ctx, c, "read plugin marketplaces", "/v1/organizations/plugin_marketplaces", byCursor, func(ctx context.Context, cursor string) (string, error) {
		p := anthropic.BetaOrganizationPluginMarketplaceListParams{
			Limit:     anthropic.Int(pageSize),
			OwnerType: anthropic.BetaOrganizationPluginMarketplaceListParamsOwnerTypeOrganization,
		}
		if cursor != "" {
			p.Page = anthropic.String(cursor)
		}
		return rawOf(c.admin.Beta.Organization.PluginMarketplaces.List(ctx, p))
	}, func(raw json.RawMessage) (Marketplace, error) {
		var w struct {
			ID, Name, Source *string
			Default          *string `json:"default_installation_preference"`
		}
		if err := decode(string(raw), &w); err != nil {
			return Marketplace{}, err
		}
		m := Marketplace{Default: deref(w.Default)}
		return m, texts("marketplace", field{"id", w.ID, &m.ID}, field{"name", w.Name, &m.Name}, field{"source", w.Source, &m.Source})
	})
	return tidy(list, func(m Marketplace) string { return m.ID }, func(a, b Marketplace) int { return cmp.Compare(a.ID, b.ID) }), err
}

func (c *core) plugins(ctx context.Context) ([]Plugin, error) {
	list, err := walk(ctx, c, "read plugins", "/v1/organizations/plugins", byCursor, func(ctx context.Context, cursor string) (string, error) {
		p := anthropic.BetaOrganizationPluginListParams{
			Limit:     anthropic.Int(pluginPageSize),
			OwnerType: anthropic.BetaOrganizationPluginListParamsOwnerTypeOrganization,
		}
		if cursor != "" {
			p.Page = anthropic.String(cursor)
		}
		return rawOf(c.admin.Beta.Organization.Plugins.List(ctx, p))
	}, decodePlugin)
	list = slices.DeleteFunc(list, func(p Plugin) bool { return p.OwnerUserID != "" })
	return tidy(list, func(p Plugin) string { return p.ID }, func(a, b Plugin) int { return cmp.Compare(a.ID, b.ID) }), err
}

func decodePlugin(raw json.RawMessage) (Plugin, error) {
	var w struct {
		ID, Name      *string
		DisplayName   *string `json:"display_name"`
		MarketplaceID *string `json:"marketplace_id"`
		Reach         *string
		Preference    *string `json:"organization_installation_preference"`
		Inherited     *bool   `json:"organization_installation_preference_inherited"`
		Owner         struct {
			Type   *string
			UserID *string `json:"user_id"`
		}
	}
	if err := decode(string(raw), &w); err != nil {
		return Plugin{}, err
	}
	p := Plugin{
		DisplayName: deref(w.DisplayName), Reach: deref(w.Reach), OwnerUserID: deref(w.Owner.UserID),
		Preference: deref(w.Preference), Inherited: w.Inherited != nil && *w.Inherited, Settings: []PluginSetting{},
	}
	owner := ""
	if err := texts("plugin", field{"id", w.ID, &p.ID}, field{"name", w.Name, &p.Name}, field{"owner.type", w.Owner.Type, &owner},
		field{"marketplace_id", w.MarketplaceID, &p.MarketplaceID}); err != nil {
		return Plugin{}, err
	}
	if owner == "organization" && (p.Preference == "" || w.Inherited == nil) {
		return Plugin{}, odd("a plugin of the organization does not say how it is installed")
	}
	return p, nil
}

func (c *core) pluginSettings(ctx context.Context, pluginID, label string) ([]PluginSetting, error) {
	path := "/v1/organizations/plugins/" + url.PathEscape(pluginID) + "/installation_settings"
	list, err := walk(ctx, c, "read settings of plugin "+label, path, byCursor, func(ctx context.Context, cursor string) (string, error) {
		p := anthropic.BetaOrganizationPluginInstallationSettingListParams{Limit: anthropic.Int(pluginPageSize)}
		if cursor != "" {
			p.Page = anthropic.String(cursor)
		}
		return rawOf(c.admin.Beta.Organization.Plugins.InstallationSettings.List(ctx, pluginID, p))
	}, decodePluginSetting)
	return tidy(list, func(s PluginSetting) string { return s.TargetType + s.GroupID }, func(a, b PluginSetting) int {
		return cmp.Or(cmp.Compare(a.TargetType, b.TargetType), cmp.Compare(a.GroupID, b.GroupID))
	}), err
}

func decodePluginSetting(raw json.RawMessage) (PluginSetting, error) {
	var w struct {
		Preference *string `json:"installation_preference"`
		Target     struct {
			Type    *string
			GroupID *string `json:"rbac_group_id"`
		}
	}
	if err := decode(string(raw), &w); err != nil {
		return PluginSetting{}, err
	}
	s := PluginSetting{GroupID: deref(w.Target.GroupID)}
	need := []field{{"target.type", w.Target.Type, &s.TargetType}, {"installation_preference", w.Preference, &s.Preference}}
	if deref(w.Target.Type) == "rbac_group" {
		need = append(need, field{"target.rbac_group_id", w.Target.GroupID, &s.GroupID})
	}
	return s, texts("plugin setting", need...)
}
