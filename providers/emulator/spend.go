package emulator

import (
	"cmp"
	"slices"
	"strings"
)

var spendRoutes = []route{
	{method: "GET", pattern: "/v1/organizations/spend_limits", family: familySpend, scopes: readLimits, get: (*call).listLimits},
	{method: "GET", pattern: "/v1/organizations/spend_limits/effective", family: familySpend, scopes: readLimits, get: (*call).listEffective},
	{method: "GET", pattern: "/v1/organizations/spend_limits/{limit_id}", family: familySpend, scopes: readLimits, get: (*call).getLimit},
	{method: "POST", pattern: "/v1/organizations/spend_limits", family: familySpend, scopes: writeLimits, set: (*call).setLimit},
	{method: "DELETE", pattern: "/v1/organizations/spend_limits/{limit_id}", family: familySpend, scopes: writeLimits, set: (*call).deleteLimit},
}

// spendListBeta is the beta header that the list of limits needs. What its
// absence answers is inferred from the other beta endpoints: 404.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationspendlimit.go.
const spendListBeta = "spend-limit-reads-2026-09-26"

// limitBody is a configured limit.
//
// Units: Amount is in minor units of Currency; null is no numeric cap.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationspendlimit.go.
type limitBody struct {
	Type      string  `json:"type"`
	ID        string  `json:"id"`
	Amount    *string `json:"amount"`
	Currency  string  `json:"currency"`
	Period    string  `json:"period"`
	Scope     scope   `json:"scope"`
	IsEnabled bool    `json:"is_enabled"`
	CreatedAt string  `json:"created_at"`
	UpdatedAt string  `json:"updated_at"`
}

// body: only the limit of the organization can be off, while usage credits are.
func (v limit) body(o organization) limitBody {
	return limitBody{"spend_limit", v.ID, v.Amount, o.Currency, v.Period, v.Scope,
		v.Scope.Type != "organization" || o.UsageCredits, stamp(v.Created), stamp(v.Updated)}
}

// scopeOrder is the order of the list of limits.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationspendlimit.go.
var scopeOrder = []string{"organization", "seat_tier", "rbac_group", "organization_service", "user"}

func (v limit) sortKey() string {
	return string(rune('0'+slices.Index(scopeOrder, v.Scope.Type))) + v.ID
}

// listLimits returns configured limits of every scope.
//
// Errors: 404 without the beta header; 400 for a scope type that Claude
// Enterprise does not have, and for more than 100 of them.
func (c *call) listLimits() (any, error) {
	if !slices.Contains(c.betas, spendListBeta) {
		return nil, notFound("No such endpoint: %s. It needs the header anthropic-beta: %s.", c.path, spendListBeta)
	}
	types, err := c.valuesOf("scope_type", limitScopes...)
	if err != nil {
		return nil, err
	}
	if len(types) > 100 {
		return nil, invalid("scope_type[]: at most 100 values")
	}
	if c.query.Has("workspace_id") {
		return nil, invalid("workspace_id: does not apply to this organization")
	}
	all := c.st.limits.sorted(func(a, b limit) int { return cmp.Compare(a.sortKey(), b.sortKey()) })
	if len(types) > 0 {
		all = slices.DeleteFunc(all, func(v limit) bool { return !slices.Contains(types, v.Scope.Type) })
	}
	page, next, err := paginate(c, adminPage, all, limit.sortKey)
	if err != nil {
		return nil, err
	}
	bodies := []limitBody{}
	for _, v := range page {
		bodies = append(bodies, v.body(c.st.org()))
	}
	return spendPage[limitBody]{bodies, next}, nil
}

func (c *call) spendLimit() (limit, error) {
	v, ok := c.st.limits.get(c.params["limit_id"])
	if !ok {
		return limit{}, notFound("Spend limit not found: %s.", c.params["limit_id"])
	}
	return v, nil
}

func (c *call) getLimit() (any, error) {
	v, err := c.spendLimit()
	if err != nil {
		return nil, err
	}
	return v.body(c.st.org()), nil
}

// setLimit sets the limit of one member, and keeps the ID of the one that is
// there.
//
// Errors: 400 for another scope than user, for an amount that is left out or is
// not a whole number of minor units, for another period than monthly
// (inferred), and while usage credits are off (inferred); 404 for somebody who
// is not a member.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationspendlimit.go; Spend Limits
// API guide, read 2026-11-22.
func (c *call) setLimit(x *tx) (any, error) {
	var p problems
	n, err := c.fields(&p, "amount", "scope", "period")
	if err != nil {
		return nil, err
	}
	amount := p.amount(n.field("amount"))
	period := p.oneOf(n.field("period"), "monthly")
	sc := n.field("scope")
	if p.must(sc); len(p.list) > 0 {
		return nil, p.err()
	}
	if kind := sc.field("type"); p.str(kind) != "user" {
		p.add(kind, "must be user; got %q", kind.text)
		return nil, p.err()
	}
	p.object(sc, "type", "user_id")
	userID := p.name(sc.field("user_id"), 255)
	if err := p.err(); err != nil {
		return nil, err
	}
	if !c.st.org().UsageCredits {
		return nil, invalid("Spend limits need usage credits, which are off for this organization.")
	}
	if _, ok := c.st.members.get(userID); !ok {
		return nil, notFound("User not found: %s.", userID)
	}
	v, err := x.setLimit(scope{Type: "user", UserID: userID}, period, amount)
	if err != nil {
		return nil, err
	}
	return v.body(c.st.org()), nil
}

// setLimit sets the limit of a scope and a period. The same amount again
// changes nothing.
func (x *tx) setLimit(s scope, period string, amount *string) (limit, error) {
	key := limitKey(s, period)
	v, there := x.st.limits.get(x.st.scopes[key])
	if there && equalAmount(v.Amount, amount) {
		return v, nil
	}
	kind := "extra_usage_spend_limit_updated"
	if !there {
		id, err := x.newID("spl_", key)
		if err != nil {
			return v, err
		}
		v = limit{ID: id, Scope: s, Period: period, Created: x.now}
		kind = "extra_usage_spend_limit_created"
	}
	v.Amount, v.Updated = amount, x.now
	if err := put(x, &x.st.limits, v.ID, v); err != nil {
		return v, err
	}
	return v, x.limitEvent(kind, v)
}

func equalAmount(a, b *string) bool {
	return (a == nil && b == nil) || (a != nil && b != nil && *a == *b)
}

// deleteLimit removes the limit of a member. Limits of other scopes cannot be
// deleted: 400 (inferred).
func (c *call) deleteLimit(x *tx) (any, error) {
	v, err := c.spendLimit()
	if err != nil {
		return nil, err
	}
	if v.Scope.Type != "user" {
		return nil, invalid("A spend limit with the scope %s cannot be deleted through the API.", v.Scope.Type)
	}
	return x.dropLimit(v)
}

func (x *tx) dropLimit(v limit) (any, error) {
	remove(x, &x.st.limits, v.ID)
	return deletedBody{v.ID, "spend_limit_deleted"},
		x.event("extra_usage_spend_limit_deleted", fields{"spend_limit_id": v.ID})
}

// effectiveBody is the limit that applies to a member.
//
// Units: Amount is in minor units; null is no limit, "0" included usage only.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationspendlimiteffective.go. For
// a member without any limit, Source and SpendLimitID are null (invented).
type effectiveBody struct {
	Actor             actorBody `json:"actor"`
	Scope             scope     `json:"scope"`
	Amount            *string   `json:"amount"`
	Currency          string    `json:"currency"`
	Period            string    `json:"period"`
	Source            *scope    `json:"source"`
	SpendLimitID      *string   `json:"spend_limit_id"`
	PeriodToDateSpend string    `json:"period_to_date_spend"`
}

type actorBody struct {
	Type    string `json:"type"`
	UserID  string `json:"user_id"`
	Name    string `json:"name"`
	Email   string `json:"email_address"`
	Deleted bool   `json:"deleted"`
}

// listEffective returns one row for each member and period; limit counts
// members. A user ID that is not a member's has no row (inferred). Nobody ever
// spends anything here.
func (c *call) listEffective() (any, error) {
	periods, err := c.valuesOf("period", "daily", "weekly", "monthly")
	if err != nil {
		return nil, err
	}
	ids := c.values("user_ids")
	if len(ids) > 100 {
		return nil, invalid("user_ids[]: at most 100 values")
	}
	members := c.st.members.sorted(func(a, b member) int { return cmp.Compare(a.ID, b.ID) })
	if len(ids) > 0 {
		members = slices.DeleteFunc(members, func(m member) bool { return !slices.Contains(ids, m.ID) })
	}
	page, next, err := paginate(c, adminPage, members, func(m member) string { return m.ID })
	if err != nil {
		return nil, err
	}
	bodies := []effectiveBody{}
	if len(periods) == 0 || slices.Contains(periods, "monthly") {
		for _, m := range page {
			bodies = append(bodies, c.st.effectiveBody(m))
		}
	}
	return spendPage[effectiveBody]{bodies, next}, nil
}

func (st *state) effectiveBody(m member) effectiveBody {
	b := effectiveBody{
		Actor: actorBody{"user_actor", m.ID, m.Name, m.Email, false},
		Scope: scope{Type: "user", UserID: m.ID}, Currency: st.org().Currency, Period: "monthly",
		PeriodToDateSpend: "0",
	}
	if v, ok := st.effectiveLimit(m); ok {
		b.Amount, b.Source, b.SpendLimitID = v.Amount, &v.Scope, &v.ID
	}
	return b
}

// effectiveLimit returns the limit that applies to a member each month: the
// member's own; else the lowest or highest of the member's groups; else the
// seat tier's; else the organization's. With SeatDefaultCompared the seat
// tier's takes part in the comparison with the groups'.
//
// Source: Spend Limits API guide and Claude help centre, consumption guide;
// read 2026-11-22. The two disagree on the seat tier, hence the setting. That a
// tie goes to the group with the smaller ID is invented.
func (st *state) effectiveLimit(m member) (limit, bool) {
	if len(st.limits.rows) == 0 {
		return limit{}, false
	}
	if v, ok := st.limitOf(scope{Type: "user", UserID: m.ID}); ok {
		return v, true
	}
	o := st.org()
	seat, hasSeat := limit{}, false
	if m.SeatTier != "" {
		seat, hasSeat = st.limitOf(scope{Type: "seat_tier", SeatTier: m.SeatTier})
	}
	var candidates []limit
	for groupID := range st.ofUser[m.ID] {
		if v, ok := st.limitOf(scope{Type: "rbac_group", GroupID: groupID}); ok {
			candidates = append(candidates, v)
		}
	}
	if len(candidates) > 0 {
		slices.SortFunc(candidates, func(a, b limit) int { return cmp.Compare(a.Scope.GroupID, b.Scope.GroupID) })
		if hasSeat && o.SeatDefaultCompared {
			candidates = append(candidates, seat)
		}
		if o.SpendPrecedence == "highest" {
			return slices.MaxFunc(candidates, compareAmounts), true
		}
		return slices.MinFunc(candidates, compareAmounts), true
	}
	if hasSeat {
		return seat, true
	}
	return st.limitOf(scope{Type: "organization"})
}

func (st *state) limitOf(s scope) (limit, bool) {
	return st.limits.get(st.scopes[limitKey(s, "monthly")])
}

// compareAmounts orders limits by amount; null is more than any number.
func compareAmounts(a, b limit) int {
	switch {
	case a.Amount == nil && b.Amount == nil:
		return 0
	case a.Amount == nil:
		return 1
	case b.Amount == nil:
		return -1
	}
	return cmp.Or(cmp.Compare(len(*a.Amount), len(*b.Amount)), strings.Compare(*a.Amount, *b.Amount))
}

// limitEvent notes a limit in the feed, which has other words for scopes than
// the API, and amounts as numbers.
//
// Source: Compliance API reference, activities; read 2026-11-22.
func (x *tx) limitEvent(kind string, v limit) error {
	types := map[string]string{"user": "member", "rbac_group": "group", "organization_service": "service"}
	name := v.Scope.Type
	if t, ok := types[name]; ok {
		name = t
	}
	f := fields{"spend_limit_id": v.ID, "limit_type": name, "is_enabled": v.body(x.st.org()).IsEnabled}
	if v.Amount != nil {
		f["amount"] = number(*v.Amount)
	}
	return x.event(kind, f)
}
