package claude

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// spendObject is what limits everybody's spend. That the organization's own
// row is what a member has who has no other is inferred from the documented
// order of resolution, in which the organization comes last. No row is the
// ceiling of them all, nor says which of several group limits wins.
//
// Source: Spend Limits API reference, list and effective report; read
// 2026-11-22.
func spendObject(snap *Snapshot, limits map[limitKey]schema.Value) *schema.Object {
	o := &schema.Object{Type: "spend", Addr: spendAddress, Key: "organization"}
	o.Put(attrLimit, limit(limits, "organization", ""))
	var other []string
	for _, l := range snap.SpendLimits {
		if l.Period == "monthly" && slices.Contains([]string{"user", "rbac_group", "organization", "seat_tier"}, l.ScopeType) {
			continue
		}
		amount := "none"
		if l.Amount != nil {
			amount = schema.Major(*l.Amount)
		}
		other = append(other, strings.Join(slices.DeleteFunc([]string{amount, l.Period, "of", l.ScopeType, l.UserID, l.GroupID, l.SeatTier, l.Service}, func(s string) bool { return s == "" }), " "))
	}
	if len(other) > 0 {
		o.Put(attrOtherLimits, schema.Set(other...))
	}
	return o
}

// seatTiers are the seat tiers that have a limit: no read shows others, nor
// who has which seat.
func seatTiers(snap *Snapshot) []*schema.Object {
	var list []*schema.Object
	limits := limitsOf(snap)
	for _, l := range snap.SpendLimits {
		if l.ScopeType != "seat_tier" || l.Period != "monthly" {
			continue
		}
		o := &schema.Object{Type: "seat_tier", Addr: schema.MakeAddress("seat_tier", l.SeatTier, ""), Key: l.SeatTier}
		o.Put(attrLimit, limit(limits, "seat_tier", l.SeatTier))
		list = append(list, o)
	}
	return list
}

// inviteObject is a pending invite.
func inviteObject(i Invite) *schema.Object {
	o := &schema.Object{Type: "invite", Addr: schema.MakeAddress("invite", i.Email, ""), ID: i.ID, Key: i.Email}
	o.Put(attrOrganizationRole, schema.Text(i.Role))
	o.Put(attrGroups, schema.Set(i.GroupIDs...))
	return o
}

// pluginObject is a plugin, with what the organization has for it.
func (s *System) pluginObject(p Plugin) *schema.Object {
	label, ok := s.pluginOf[p.ID]
	if !ok {
		label = p.Name
	}
	o := &schema.Object{Type: "plugin", Addr: schema.MakeAddress("plugin", label, ""), ID: p.ID, Key: p.ID}
	o.Put(attrName, schema.Text(p.Name))
	if p.Reach != "" {
		o.Put(attrReach, schema.Text(p.Reach))
	}
	o.Put(attrInstall, schema.Absent)
	if p.SettingsKnown {
		for _, t := range p.Settings {
			if t.TargetType == "organization" {
				o.Put(attrInstall, schema.Text(t.Preference))
			}
		}
	} else {
		o.Put(attrInstall, schema.Unavailable("the settings of the plugin could not be read"))
	}
	o.Put(attrMarketplace, schema.Text(p.MarketplaceID))
	return o
}

// pluginKey returns what groups call a plugin in their attributes: its label,
// or its id if no block describes it.
func (s *System) pluginKey(id string) string {
	if l, ok := s.pluginOf[id]; ok {
		return l
	}
	return id
}

// unreadPlugins are the plugins and marketplaces that the configuration
// describes, where they could not be read.
func (s *System) unreadPlugins(snap *Snapshot) []*schema.Object {
	var list []*schema.Object
	add := func(typ string) {
		for _, b := range s.config.Of(typ) {
			o := &schema.Object{Type: typ, Addr: b.Addr, ID: b.Text("id", ""), Key: b.Text("id", "")}
			o.Put(attrInstall, schema.Unavailable("plugins could not be read"))
			list = append(list, o)
		}
	}
	if snap.Plugins == nil {
		add("plugin")
	}
	if snap.Marketplaces == nil && (snap.Plugins == nil || len(snap.Plugins) > 0) {
		add("marketplace")
	}
	return list
}

// groupPlugins writes what a group has of each plugin, an attribute for each.
func (s *System) groupPlugins(o *schema.Object, snap *Snapshot) {
	if snap.Plugins == nil {
		for label := range s.plugins {
			o.Put(attrPlugin+label, schema.Unavailable("plugins could not be read"))
		}
	}
	for _, p := range snap.Plugins {
		attr := attrPlugin + s.pluginKey(p.ID)
		if !p.SettingsKnown {
			o.Put(attr, schema.Unavailable("the settings of the plugin could not be read"))
			continue
		}
		o.Put(attr, schema.Absent)
		for _, t := range p.Settings {
			if t.TargetType == "rbac_group" && t.GroupID == o.ID {
				o.Put(attr, schema.Text(t.Preference))
			}
		}
	}
}

// policyLevel is how the feed names the levels of the tool policy.
//
// Source: Compliance API reference, mcp_tool_policy_updated; read 2026-11-22.
var policyLevel = map[string]string{"allow": "always_allow", "ask": "needs_approval", "blocked": "blocked"}

// recordedPolicies returns the connectors of which the feed says something of
// the organization's tool policy, which no other read shows: what was said
// last of all tools, and of each tool. An event without a level takes the
// policy of the tool back.
func (s *System) recordedPolicies(snap *Snapshot) []*schema.Object {
	type key struct{ server, tool string }
	seen := map[key]bool{}
	byID := map[string]*schema.Object{}
	var list []*schema.Object
	tools, strange := map[string]map[string]string{}, map[string]bool{}
	for _, e := range snap.Events { // newest first
		var f struct {
			Server string  `json:"mcp_server_id"`
			Tool   string  `json:"tool_name"`
			Level  *string `json:"max_permission"`
		}
		if e.Type != "mcp_tool_policy_updated" || json.Unmarshal(e.Fields, &f) != nil || f.Server == "" || seen[key{f.Server, f.Tool}] {
			continue
		}
		seen[key{f.Server, f.Tool}] = true
		o := byID[f.Server]
		if o == nil {
			o = &schema.Object{Type: "connector", Addr: schema.MakeAddress("connector", s.connectorLabel(f.Server), ""), ID: f.Server, Key: f.Server}
			byID[f.Server], tools[f.Server] = o, map[string]string{}
			list = append(list, o)
		}
		level, known := policyLevel[deref(f.Level)]
		switch {
		case f.Level != nil && !known:
			strange[f.Server] = true
		case known && f.Tool != "*":
			tools[f.Server][f.Tool] = level
		case known:
			o.Put(attrPolicy, schema.Text(level))
		}
	}
	for id, o := range byID {
		if seen[key{id, "*"}] && o.Get(attrPolicy).Kind() == schema.KindAbsent {
			o.Put(attrPolicy, schema.Text("always_allow"))
		}
		o.Put(attrToolPolicy, schema.Map(tools[id]))
		if strange[id] {
			why := schema.Unavailable("the activity feed says it in a word that is newer than rolecall")
			o.Put(attrPolicy, why)
			o.Put(attrToolPolicy, why)
		}
	}
	slices.SortFunc(list, func(a, b *schema.Object) int { return strings.Compare(a.Key, b.Key) })
	return list
}
