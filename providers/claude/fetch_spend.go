package claude

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/anthropics/anthropic-sdk-go"
)

func (c *core) spendLimits(ctx context.Context) ([]SpendLimit, error) {
	list, err := walk(ctx, c, "read spend limits", "/v1/organizations/spend_limits", byCursor, func(ctx context.Context, cursor string) (string, error) {
		p := anthropic.BetaOrganizationSpendLimitListParams{Limit: anthropic.Int(pageSize)}
		if cursor != "" {
			p.Page = anthropic.String(cursor)
		}
		return rawOf(c.admin.Beta.Organization.SpendLimits.List(ctx, p))
	}, decodeSpendLimit)
	return tidy(list, func(l SpendLimit) string { return l.ID }, func(a, b SpendLimit) int { return cmp.Compare(a.ID, b.ID) }), err
}

// decodeSpendLimit keeps null, "0" and a missing amount apart: no number, no
// extra spending, and an answer that cannot be right.
func decodeSpendLimit(raw json.RawMessage) (SpendLimit, error) {
	var w struct {
		ID, Currency, Period *string
		Amount               json.RawMessage
		IsEnabled            *bool `json:"is_enabled"`
		Scope                struct {
			Type     *string
			UserID   *string `json:"user_id"`
			GroupID  *string `json:"rbac_group_id"`
			SeatTier *string `json:"seat_tier"`
			Service  *string
		}
	}
	if err := decode(string(raw), &w); err != nil {
		return SpendLimit{}, err
	}
	l := SpendLimit{
		UserID:    deref(w.Scope.UserID),
		GroupID:   deref(w.Scope.GroupID),
		SeatTier:  deref(w.Scope.SeatTier),
		Service:   deref(w.Scope.Service),
		Currency:  deref(w.Currency),
		IsEnabled: w.IsEnabled == nil || *w.IsEnabled, // older replies leave it out
	}
	need := []field{{"id", w.ID, &l.ID}, {"scope.type", w.Scope.Type, &l.ScopeType}, {"period", w.Period, &l.Period}}
	switch deref(w.Scope.Type) {
	case "user":
		need = append(need, field{"scope.user_id", w.Scope.UserID, &l.UserID})
	case "rbac_group":
		need = append(need, field{"scope.rbac_group_id", w.Scope.GroupID, &l.GroupID})
	case "seat_tier":
		need = append(need, field{"scope.seat_tier", w.Scope.SeatTier, &l.SeatTier})
	}
	if err := texts("spend limit", need...); err != nil {
		return SpendLimit{}, err
	}
	if err := json.Unmarshal(w.Amount, &l.Amount); err != nil {
		return SpendLimit{}, odd("the amount of a spend limit is missing, or neither a string nor null")
	}
	return l, nil
}

// FetchEffectiveLimits reads the limits in force, of the given members or of
// all: one row for each member and period.
func (r *Reading) FetchEffectiveLimits(ctx context.Context, userIDs ...string) ([]EffectiveLimit, error) {
	if len(userIDs) == 0 {
		return r.c.effectiveLimits(ctx, nil)
	}
	all := []EffectiveLimit{}
	for ids := range slices.Chunk(sorted(userIDs), maxUserIDs) {
		list, err := r.c.effectiveLimits(ctx, ids)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// maxUserIDs is how many members one question can name. The page size is the
// same, also for requests, because the largest one is not documented.
//
// Source: Spend Limits API guide, effective limits; read 2026-11-22.
const maxUserIDs = 100

func (c *core) effectiveLimits(ctx context.Context, userIDs []string) ([]EffectiveLimit, error) {
	list, err := walk(ctx, c, "read spend limits in force", "/v1/organizations/spend_limits/effective", byCursor, func(ctx context.Context, cursor string) (string, error) {
		p := anthropic.BetaOrganizationSpendLimitEffectiveListParams{Limit: anthropic.Int(maxUserIDs), UserIDs: userIDs}
		if cursor != "" {
			p.Page = anthropic.String(cursor)
		}
		return rawOf(c.admin.Beta.Organization.SpendLimits.Effective.List(ctx, p))
	}, decodeEffectiveLimit)
	return tidy(list, func(l EffectiveLimit) string { return l.UserID + " " + l.Period }, func(a, b EffectiveLimit) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Period, b.Period))
	}), err
}

// decodeEffectiveLimit keeps null, which is no limit, apart from an amount that
// is missing. A row that is not a person's has no UserID.
func decodeEffectiveLimit(raw json.RawMessage) (EffectiveLimit, error) {
	var w struct {
		Currency, Period *string
		Amount           json.RawMessage
		SpendLimitID     *string `json:"spend_limit_id"`
		Spent            *string `json:"period_to_date_spend"`
		Actor            struct {
			UserID *string `json:"user_id"`
			Email  *string `json:"email_address"`
		}
		Source *struct {
			Type     *string
			UserID   *string `json:"user_id"`
			GroupID  *string `json:"rbac_group_id"`
			SeatTier *string `json:"seat_tier"`
			Service  *string
		}
	}
	if err := decode(string(raw), &w); err != nil {
		return EffectiveLimit{}, err
	}
	l := EffectiveLimit{UserID: deref(w.Actor.UserID), Currency: deref(w.Currency), Spent: deref(w.Spent), SpendLimitID: deref(w.SpendLimitID)}
	l.Email, _ = canonical(deref(w.Actor.Email))
	if err := texts("limit in force", field{"period", w.Period, &l.Period}); err != nil {
		return EffectiveLimit{}, err
	}
	if err := json.Unmarshal(w.Amount, &l.Amount); err != nil {
		return EffectiveLimit{}, odd("the amount of a limit in force is missing, or neither a string nor null")
	}
	if w.Source != nil {
		l.SourceType, l.GroupID, l.SeatTier = deref(w.Source.Type), deref(w.Source.GroupID), deref(w.Source.SeatTier)
	}
	return l, nil
}

// FetchIncreaseRequests reads the members' requests for a higher limit, of the
// given statuses (pending, approved, denied) or of all, newest first.
func (r *Reading) FetchIncreaseRequests(ctx context.Context, statuses ...string) ([]IncreaseRequest, error) {
	var wanted []anthropic.BetaSpendLimitIncreaseRequestStatus
	for _, s := range statuses {
		wanted = append(wanted, anthropic.BetaSpendLimitIncreaseRequestStatus(s))
	}
	list, err := walk(ctx, r.c, "read requests for more usage", "/v1/organizations/spend_limit_increase_requests", byCursor, func(ctx context.Context, cursor string) (string, error) {
		p := anthropic.BetaOrganizationSpendLimitIncreaseRequestListParams{Status: wanted, Limit: anthropic.Int(maxUserIDs)}
		if cursor != "" {
			p.Page = anthropic.String(cursor)
		}
		return rawOf(r.c.admin.Beta.Organization.SpendLimits.IncreaseRequests.List(ctx, p))
	}, decodeIncreaseRequest)
	return tidy(list, func(q IncreaseRequest) string { return q.ID }, func(a, b IncreaseRequest) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	}), err
}

func decodeIncreaseRequest(raw json.RawMessage) (IncreaseRequest, error) {
	var w struct {
		ID, Status, Period *string
		CreatedAt          *string `json:"created_at"`
		Actor              struct {
			UserID *string `json:"user_id"`
			Email  *string `json:"email_address"`
			Name   *string
		}
		Summary json.RawMessage `json:"spend_summary"`
	}
	if err := decode(string(raw), &w); err != nil {
		return IncreaseRequest{}, err
	}
	q := IncreaseRequest{Name: deref(w.Actor.Name)}
	q.Email, _ = canonical(deref(w.Actor.Email))
	var at string
	if err := texts("request for more usage", field{"id", w.ID, &q.ID}, field{"status", w.Status, &q.Status}, field{"period", w.Period, &q.Period},
		field{"created_at", w.CreatedAt, &at}, field{"actor.user_id", w.Actor.UserID, &q.UserID}); err != nil {
		return IncreaseRequest{}, err
	}
	var err error
	if q.CreatedAt, err = parseTime(at); err != nil {
		return IncreaseRequest{}, odd("a request for more usage has no usable created_at")
	}
	if len(w.Summary) > 0 && string(w.Summary) != "null" {
		l, err := decodeEffectiveLimit(w.Summary)
		if err != nil {
			return IncreaseRequest{}, err
		}
		q.InForce = &l
	}
	return q, nil
}
