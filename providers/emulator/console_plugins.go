package emulator

import (
	"reflect"
	"slices"
)

// consoleSetSeats sets the number of seats and their kinds.
func (c *call) consoleSetSeats(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "seats", "seat_tiers")
	if err != nil {
		return nil, err
	}
	o := c.st.org()
	if f := n.field("seats"); !f.absent() {
		o.Seats = p.seats(f)
	}
	if f := n.field("seat_tiers"); !f.absent() {
		o.SeatTiers = p.readTiers(f)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	body := fields{"seats": o.Seats, "seat_tiers": orNone(o.SeatTiers)}
	if reflect.DeepEqual(o, c.st.org()) {
		return body, nil
	}
	if err := put(x, &x.st.organizations, organizationKey, o); err != nil {
		return nil, err
	}
	return body, x.event("claude_organization_settings_updated", fields{"updates": []fields{{"type": "subscription_item_quotas"}}})
}

// orNone is a list that is not null.
func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// consoleRequestIncrease is a member's own click on Request more usage.
//
// Errors: 400 while a request of the member is pending.
func (c *call) consoleRequestIncrease(x *tx) (any, error) {
	m, err := c.user()
	if err != nil {
		return nil, err
	}
	x.actor = map[string]any{"type": "user_actor", "user_id": m.ID, "email_address": m.Email}
	if c.st.pendingIncrease(m.ID) {
		return nil, invalid("%s has a pending request already.", m.Email)
	}
	v := increase{UserID: m.ID, Status: "pending", Period: "monthly", Created: x.now}
	if v.Order, err = x.order(); err != nil {
		return nil, err
	}
	if v.ID, err = x.newID("slir_", m.Email); err != nil {
		return nil, err
	}
	if err := put(x, &x.st.increases, v.ID, v); err != nil {
		return nil, err
	}
	return c.st.increaseBody(v), nil
}

// consoleCreateMarketplace connects a marketplace, or makes one for uploads.
func (c *call) consoleCreateMarketplace(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "name", "source", "default_installation_preference")
	if err != nil {
		return nil, err
	}
	m := marketplace{Name: p.name(n.field("name"), 255), Source: p.oneOf(n.field("source"), marketplaceSources[:4]...), Created: x.now}
	if f := n.field("default_installation_preference"); !f.absent() {
		m.Default = p.oneOf(f, preferences...)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	if m.Order, err = x.order(); err != nil {
		return nil, err
	}
	if m.ID, err = x.newID("marketplace_", m.Name); err != nil {
		return nil, err
	}
	if err := put(x, &x.st.marketplaces, m.ID, m); err != nil {
		return nil, err
	}
	return m.body(), x.event("marketplace_created", fields{"marketplace_id": m.ID})
}

// consoleDeleteMarketplace deletes a marketplace with its plugins.
func (c *call) consoleDeleteMarketplace(x *tx) (any, error) {
	x.actor = c.st.consoleActor()
	m, err := c.marketplace()
	if err != nil {
		return nil, err
	}
	for _, v := range c.st.plugins.sorted(func(a, b plugin) int { return a.Order - b.Order }) {
		if v.MarketplaceID != m.ID {
			continue
		}
		if _, err := x.dropPlugin(v); err != nil {
			return nil, err
		}
	}
	remove(x, &x.st.marketplaces, m.ID)
	return deletedBody{m.ID, "plugin_marketplace_deleted"}, x.event("marketplace_deleted", fields{"marketplace_id": m.ID})
}

// consoleUploadPlugin adds a plugin to a marketplace. It inherits the default
// of the marketplace.
//
// Errors: 400 for a name that the marketplace has.
func (c *call) consoleUploadPlugin(x *tx) (any, error) {
	var p problems
	n, err := c.readConsole(x, &p, "marketplace_id", "name", "display_name", "description", "version", "reach", "content_scan", "components")
	if err != nil {
		return nil, err
	}
	v := readPluginContent(&p, n)
	v.MarketplaceID = p.name(n.field("marketplace_id"), 255)
	if err := p.err(); err != nil {
		return nil, err
	}
	m, ok := c.st.marketplaces.get(v.MarketplaceID)
	if !ok {
		return nil, invalid("marketplace_id: no marketplace has the ID %q", v.MarketplaceID)
	}
	v.OwnerID, v.Created, v.Updated = m.OwnerID, x.now, x.now
	if slices.ContainsFunc(c.st.plugins.sorted(func(a, b plugin) int { return a.Order - b.Order }),
		func(o plugin) bool { return o.MarketplaceID == m.ID && o.Name == v.Name }) {
		return nil, invalid("The marketplace %s has a plugin with the name %s.", m.ID, v.Name)
	}
	if v.Order, err = x.order(); err != nil {
		return nil, err
	}
	if v.ID, err = x.newID("plugin_", m.ID+v.Name); err != nil {
		return nil, err
	}
	v.VersionID = makeID("pluginver_", v.ID, v.Version)
	if id, ok := x.actor["user_id"].(string); ok {
		v.CreatedBy = id
	}
	if err := put(x, &x.st.plugins, v.ID, v); err != nil {
		return nil, err
	}
	return c.st.pluginBody(v), x.event("claude_plugin_created", fields{"marketplace_id": m.ID, "plugin_name": v.Name})
}

// consoleDeletePlugin deletes any plugin.
func (c *call) consoleDeletePlugin(x *tx) (any, error) {
	x.actor = c.st.consoleActor()
	v, err := c.plugin()
	if err != nil {
		return nil, err
	}
	return x.dropPlugin(v)
}

// consoleSetPlugin is what [call.setSetting] does, by hand.
func (c *call) consoleSetPlugin(x *tx) (any, error) {
	x.actor = c.st.consoleActor()
	return c.setSetting(x)
}

// consoleUnsetPlugin is what [call.removeSetting] does, by hand.
func (c *call) consoleUnsetPlugin(x *tx) (any, error) {
	x.actor = c.st.consoleActor()
	return c.removeSetting(x)
}
