package emulator

import (
	"slices"
	"strings"
	"time"
)

// seats reads a number of seats; null and absent is no limit.
func (p *problems) seats(n node) *int {
	if n.absent() || n.null() {
		return nil
	}
	seats := p.whole(n)
	if seats < 0 {
		p.add(n, "must not be negative")
	}
	return &seats
}

// readTiers reads the kinds of seats, lowest first.
func (p *problems) readTiers(n node) []tier {
	tiers := []tier{}
	for _, item := range p.array(n) {
		p.object(item, "name", "seats", "excludes", "no_access")
		t := tier{Name: p.name(item.field("name"), 100), Seats: p.seats(item.field("seats")),
			Excludes: p.strs(item.field("excludes")), NoAccess: p.flag(item.field("no_access"), false)}
		if slices.ContainsFunc(tiers, func(other tier) bool { return other.Name == t.Name }) {
			p.add(item.field("name"), "another seat tier has the name %q", t.Name)
		}
		for i, action := range t.Excludes {
			if !actionForm.MatchString(action) {
				p.add(item.field("excludes").items[i], "%q is not the action of a feature", action)
			}
		}
		slices.Sort(t.Excludes)
		t.Excludes = slices.Compact(t.Excludes)
		tiers = append(tiers, t)
	}
	return tiers
}

// readOwner reads the member whom a marketplace or a plugin belongs to, by
// address or by ID, "" for the organization.
func (r *seedReader) readOwner(n node) string {
	if n.absent() || n.null() {
		return ""
	}
	if strings.HasPrefix(n.text, "user_") && !strings.Contains(n.text, "@") {
		return r.str(n) // somebody who may have left
	}
	id := r.st.byEmail[r.email(n)]
	if id == "" {
		r.add(n, "no member has the address %q", n.text)
	}
	return id
}

func (r *seedReader) readMarketplace(n node) {
	r.object(n, "id", "name", "owner", "source", "default_installation_preference", "created_at")
	m := marketplace{Name: r.name(n.field("name"), 255), OwnerID: r.readOwner(n.field("owner")),
		Source: r.oneOf(n.field("source"), marketplaceSources...), Order: r.order()}
	m.ID = r.id(n, "marketplace_", m.Name)
	if f := n.field("default_installation_preference"); !f.absent() && !f.null() {
		m.Default = r.oneOf(f, preferences...)
		if m.OwnerID != "" {
			r.add(f, "a member's marketplace has no default")
		}
	}
	if m.Source == "directory" {
		r.add(n.field("source"), "the vendor's own directory is not listed by the API")
	}
	m.Created = r.time(n.field("created_at"), seedTime("marketplace", m.ID))
	if _, twice := r.st.marketplaces.get(m.ID); twice {
		r.add(n.field("id"), "another marketplace has the ID %s", m.ID)
	}
	r.st.marketplaces.set(m.ID, m)
}

// findMarketplace returns the ID of a marketplace given by ID or by name.
func (r *seedReader) findMarketplace(n node) string {
	ref := r.str(n)
	if _, ok := r.st.marketplaces.get(ref); ok {
		return ref
	}
	var found []string
	for _, m := range r.st.marketplaces.rows {
		if m.Name == ref {
			found = append(found, m.ID)
		}
	}
	if len(found) != 1 {
		r.add(n, "%d marketplaces have the name or ID %q, and one is needed", len(found), ref)
		return ""
	}
	return found[0]
}

// readPlugin reads a plugin and its settings: organization is its own setting
// for everybody, absent while it inherits, and groups is by name or ID.
func (r *seedReader) readPlugin(n node) {
	r.object(n, "id", "name", "display_name", "description", "marketplace", "owner", "version", "reach", "content_scan",
		"components", "organization", "groups", "created_by", "created_at", "updated_at")
	v := readPluginContent(&r.problems, n)
	v.Order, v.OwnerID = r.order(), r.readOwner(n.field("owner"))
	if f := n.field("marketplace"); r.must(f) {
		v.MarketplaceID = r.findMarketplace(f)
	}
	v.ID = r.id(n, "plugin_", v.MarketplaceID+v.Name)
	v.VersionID = makeID("pluginver_", v.ID, v.Version)
	v.CreatedBy = r.readOwner(n.field("created_by"))
	v.Created = r.time(n.field("created_at"), seedTime("plugin", v.ID))
	v.Updated = r.time(n.field("updated_at"), v.Created)
	if r.st.marketplaces.rows[v.MarketplaceID].OwnerID != v.OwnerID {
		r.add(n.field("owner"), "must be the owner of the marketplace")
	}
	if _, twice := r.st.plugins.get(v.ID); twice {
		r.add(n.field("id"), "another plugin has the ID %s", v.ID)
		return
	}
	r.st.plugins.set(v.ID, v)
	if v.OwnerID != "" && (n.field("organization").kind == 's' || len(n.field("groups").names) > 0) {
		r.add(n, "a member's plugin has no installation settings")
		return
	}
	if f := n.field("organization"); !f.absent() && !f.null() {
		r.setting(v, organizationTarget, f)
	}
	groups := n.field("groups")
	r.object(groups, groups.names...)
	for _, name := range groups.names {
		ref := groups.field(name)
		if id := r.findGroup(node{path: ref.path, kind: 's', text: name}); id != "" {
			r.setting(v, id, ref)
		}
	}
}

func (r *seedReader) setting(v plugin, target string, n node) {
	order := r.order()
	at := v.Created.Add(time.Duration(order) * time.Millisecond)
	s := pluginSetting{PluginID: v.ID, Target: target, Preference: r.oneOf(n, preferences...), Created: at, Updated: at, Order: order}
	if _, twice := r.st.pluginSettings.get(s.key()); twice {
		r.add(n, "the plugin has a setting for this group already")
	}
	r.st.pluginSettings.set(s.key(), s)
}

// readPluginContent reads what an upload says of itself.
//
// Source: Plugins API guide, names of plugins; anthropic-sdk-go v1.84.0,
// BetaPlugin; read 2026-11-22.
func readPluginContent(p *problems, n node) plugin {
	v := plugin{Name: p.name(n.field("name"), 64), DisplayName: p.str(n.field("display_name")),
		Description: p.str(n.field("description")), Version: p.str(n.field("version")), Components: []pluginComponent{}}
	if strings.Trim(v.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		p.add(n.field("name"), "must consist of lower-case letters, digits and hyphens")
	}
	if v.DisplayName == "" {
		v.DisplayName = v.Name
	}
	if f := n.field("reach"); !f.absent() && !f.null() {
		v.Reach = p.oneOf(f, reaches...)
	}
	if f := n.field("content_scan"); !f.absent() && !f.null() {
		p.object(f, "status", "assessment", "reason")
		v.Scan = &scan{Status: p.oneOf(f.field("status"), "completed", "processing", "errored")}
		for name, to := range map[string]**string{"assessment": &v.Scan.Assessment, "reason": &v.Scan.Reason} {
			if g := f.field(name); !g.absent() && !g.null() {
				text := p.str(g)
				*to = &text
			}
		}
	}
	for _, item := range p.array(n.field("components")) {
		p.object(item, "type", "name", "description")
		v.Components = append(v.Components, pluginComponent{
			Type: p.oneOf(item.field("type"), "skill", "command", "agent", "hook", "mcp_server", "cli"),
			Name: p.name(item.field("name"), 255), Description: p.str(item.field("description"))})
	}
	return v
}

func (r *seedReader) readIncrease(n node) {
	r.object(n, "id", "email", "status", "period", "created_at", "resolved_at")
	v := increase{Status: r.oneOf(n.field("status"), increaseStatuses...), Period: r.oneOf(n.field("period"), "monthly"), Order: r.order()}
	email := r.email(n.field("email"))
	if v.UserID = r.st.byEmail[email]; v.UserID == "" {
		r.add(n.field("email"), "no member has the address %q", email)
	}
	v.ID = r.id(n, "slir_", email)
	v.Created = r.time(n.field("created_at"), seedTime("increase", v.ID))
	if f := n.field("resolved_at"); v.Status != "pending" && !f.null() {
		at := r.time(f, v.Created.Add(time.Hour))
		v.Resolved = &at
	}
	if v.Status == "pending" && r.st.pendingIncrease(v.UserID) {
		r.add(n, "%s has a pending request already", email)
	}
	if _, twice := r.st.increases.get(v.ID); twice {
		r.add(n.field("id"), "another request has the ID %s", v.ID)
	}
	r.st.increases.set(v.ID, v)
}

// pendingIncrease reports whether a member has asked and waits: there is at
// most one such request.
//
// Source: Spend Limits API guide, read 2026-11-22.
func (st *state) pendingIncrease(userID string) bool {
	for _, v := range st.increases.rows {
		if v.UserID == userID && v.Status == "pending" {
			return true
		}
	}
	return false
}
