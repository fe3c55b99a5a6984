package emulator

import (
	"cmp"
	"slices"
)

const increasesPath = "/v1/organizations/spend_limit_increase_requests"

var increaseRoutes = []route{
	{method: "GET", pattern: increasesPath, family: familySpend, scopes: readLimits, get: (*call).listIncreases},
	{method: "GET", pattern: increasesPath + "/{request_id}", family: familySpend, scopes: readLimits, get: (*call).getIncrease},
	{method: "POST", pattern: increasesPath + "/{request_id}/approve", family: familySpend, scopes: writeLimits, set: (*call).approveIncrease},
	{method: "POST", pattern: increasesPath + "/{request_id}/deny", family: familySpend, scopes: writeLimits, set: (*call).denyIncrease},
}

// increaseStatuses are the statuses of a request; the last two are final.
var increaseStatuses = []string{"pending", "approved", "denied"}

// increaseBody is a member's wish for a higher limit. It carries no amount.
// SpendSummary is the effective limit now, null once the request is resolved.
//
// Source: anthropic-sdk-go v1.84.0, BetaSpendLimitIncreaseRequest.
type increaseBody struct {
	Type         string         `json:"type"`
	ID           string         `json:"id"`
	Actor        actorBody      `json:"actor"`
	Status       string         `json:"status"`
	Period       string         `json:"period"`
	CreatedAt    string         `json:"created_at"`
	ResolvedAt   *string        `json:"resolved_at"`
	ResolvedBy   map[string]any `json:"resolved_by"`
	SpendSummary *effectiveBody `json:"spend_summary"`
}

func (st *state) increaseBody(v increase) increaseBody {
	m := st.members.rows[v.UserID]
	b := increaseBody{Type: "spend_limit_increase_request", ID: v.ID, Status: v.Status, Period: v.Period,
		Actor: actorBody{"user_actor", v.UserID, m.Name, m.Email, m.ID == ""}, CreatedAt: stamp(v.Created), ResolvedBy: v.ResolvedBy}
	if v.Resolved != nil {
		at := stamp(*v.Resolved)
		b.ResolvedAt = &at
	}
	if v.Status == "pending" && m.ID != "" {
		summary := st.effectiveBody(m)
		b.SpendSummary = &summary
	}
	return b
}

func (v increase) sortKey() string { return newestFirst(v.Created, v.Order, v.ID) }

// listIncreases returns requests of members, newest first; those of people who
// have left are not in it.
//
// Source: Spend Limits API guide, read 2026-11-22.
func (c *call) listIncreases() (any, error) {
	statuses, err := c.valuesOf("status", increaseStatuses...)
	if err != nil {
		return nil, err
	}
	actors := c.values("actor_ids")
	list := []increase{}
	for _, v := range c.st.increases.rows {
		_, member := c.st.members.get(v.UserID)
		if member && (len(statuses) == 0 || slices.Contains(statuses, v.Status)) &&
			(len(actors) == 0 || slices.Contains(actors, v.UserID)) {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b increase) int { return cmp.Compare(a.sortKey(), b.sortKey()) })
	page, next, err := paginate(c, adminPage, list, increase.sortKey)
	if err != nil {
		return nil, err
	}
	bodies := []increaseBody{}
	for _, v := range page {
		bodies = append(bodies, c.st.increaseBody(v))
	}
	return spendPage[increaseBody]{bodies, next}, nil
}

func (c *call) increase() (increase, error) {
	v, ok := c.st.increases.get(c.params["request_id"])
	if !ok {
		return increase{}, notFound("Spend limit increase request not found: %s.", c.params["request_id"])
	}
	return v, nil
}

func (c *call) getIncrease() (any, error) {
	v, err := c.increase()
	if err != nil {
		return nil, err
	}
	return c.st.increaseBody(v), nil
}

// approvedBody is a request together with the limit that was written.
//
// Source: anthropic-sdk-go v1.84.0,
// BetaOrganizationSpendLimitIncreaseRequestApproveResponse.
type approvedBody struct {
	increaseBody
	SpendLimit limitBody `json:"spend_limit"`
}

// approveIncrease sets the member's own limit and closes the request.
//
// Errors: 400 for a request that is not pending (inferred).
func (c *call) approveIncrease(x *tx) (any, error) {
	var p problems
	n, err := c.fields(&p, "amount", "period", "suppress_notification")
	if err != nil {
		return nil, err
	}
	f := n.field("amount")
	if f.null() {
		p.add(f, "must not be null")
	}
	amount := p.amount(f)
	period := p.oneOf(n.field("period"), "monthly")
	p.flag(n.field("suppress_notification"), false)
	if err := p.err(); err != nil {
		return nil, err
	}
	v, err := c.increase()
	if err != nil {
		return nil, err
	}
	if v.Status != "pending" {
		return nil, invalid("The request %s is %s and cannot be approved.", v.ID, v.Status)
	}
	if _, ok := c.st.members.get(v.UserID); !ok {
		return nil, notFound("User not found: %s.", v.UserID)
	}
	l, err := x.setLimit(scope{Type: "user", UserID: v.UserID}, period, amount)
	if err != nil {
		return nil, err
	}
	if v, err = x.resolveIncrease(v, "approved", c.key); err != nil {
		return nil, err
	}
	return approvedBody{c.st.increaseBody(v), l.body(c.st.org())}, x.increaseEvent(v, &l)
}

// resolveIncrease closes a request in the name of a key.
func (x *tx) resolveIncrease(v increase, status string, by apiKey) (increase, error) {
	at := x.now
	v.Status, v.Resolved = status, &at
	v.ResolvedBy = map[string]any{"type": "scoped_api_key_actor", "scoped_api_key_id": by.id()}
	return v, put(x, &x.st.increases, v.ID, v)
}

func (x *tx) increaseEvent(v increase, l *limit) error {
	own := fields{"requester_user_id": v.UserID, "spend_limit_increase_request_id": v.ID}
	if l != nil {
		own["spend_limit_id"], own["amount"] = l.ID, number(*l.Amount)
	}
	return x.event("extra_usage_spend_limit_increase_request_"+v.Status, own)
}

// denyIncrease closes a request. One that is denied stays so: 200.
//
// Errors: 400 for an approved one.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationspendlimitincreaserequest.go.
func (c *call) denyIncrease(x *tx) (any, error) {
	var p problems
	n, err := c.fields(&p, "suppress_notification")
	if err != nil {
		return nil, err
	}
	p.flag(n.field("suppress_notification"), false)
	if err := p.err(); err != nil {
		return nil, err
	}
	v, err := c.increase()
	if err != nil {
		return nil, err
	}
	switch v.Status {
	case "approved":
		return nil, invalid("The request %s is approved and cannot be denied.", v.ID)
	case "denied":
		return c.st.increaseBody(v), nil
	}
	if v, err = x.resolveIncrease(v, "denied", c.key); err != nil {
		return nil, err
	}
	return c.st.increaseBody(v), x.increaseEvent(v, nil)
}
