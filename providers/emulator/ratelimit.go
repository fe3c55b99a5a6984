package emulator

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Families of endpoints that share a budget.
const (
	familyAdmin       = "admin"
	familyInvite      = "invite_create"
	familySpend       = "spend"
	familyCompliance  = "compliance"
	familyPluginRead  = "plugin_read"
	familyPluginWrite = "plugin_write"
	familyConsole     = "console" // no budget
	familyUnknown     = "unknown" // not an endpoint, or no valid key
)

// A budget is how many requests a family has in a window of time.
type budget struct {
	requests int
	window   time.Duration
	message  string
}

// documentedBudgets are per organization, and for the Compliance API per
// parent. How the vendor's windows begin and end is not documented: here a
// window begins with the first request after the one before it (invented).
//
// Source: User management guide, Spend Limits API guide and Compliance API
// docs, Rate limits; read 2026-11-22. Only the Compliance text is verbatim.
var documentedBudgets = map[string]budget{
	familyAdmin:       {100, time.Minute, "The rate limit of 100 requests per minute for this organization has been exceeded."},
	familyInvite:      {1200, time.Hour, "The rate limit of 1,200 invites per hour for this organization has been exceeded."},
	familySpend:       {60, time.Minute, "The rate limit of 60 requests per minute for spend limits has been exceeded."},
	familyPluginRead:  {300, time.Minute, "The rate limit of 300 plugin reads per minute for this organization has been exceeded."},
	familyPluginWrite: {60, time.Minute, "The rate limit of 60 plugin writes per minute for this organization has been exceeded."},
	familyCompliance: {600, time.Minute, "Compliance API rate limit of 600 requests per minute per parent organization has been exceeded. " +
		"Retry after the time indicated by the retry-after header. Quote the request-id response header when contacting Anthropic support."},
}

// budgets counts requests by family. The counts do not survive a restart.
type budgets struct {
	enforced bool
	scale    float64 // how many times shorter a window is

	mu      sync.Mutex
	windows map[string]*window
}

type window struct {
	ends time.Time
	used int
}

// spend takes one request off a budget. The error is a 429 with retry-after in
// whole seconds, rounded up. Answers of the Compliance and
// plugin endpoints always say what is left.
func (b *budgets) spend(family string, now time.Time) (http.Header, error) {
	limit, ok := documentedBudgets[family]
	if !b.enforced || !ok {
		return nil, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.windows == nil {
		b.windows = map[string]*window{}
	}
	w := b.windows[family]
	if w == nil || !now.Before(w.ends) {
		w = &window{ends: now.Add(time.Duration(float64(limit.window) / b.scale))}
		b.windows[family] = w
	}
	header := http.Header{}
	var err error
	if w.used >= limit.requests {
		wait := max(1, int(math.Ceil(w.ends.Sub(now).Seconds())))
		header.Set("Retry-After", strconv.Itoa(wait))
		err = fail(http.StatusTooManyRequests, "%s", limit.message)
	} else {
		w.used++
	}
	if family == familyCompliance || family == familyPluginRead || family == familyPluginWrite {
		header.Set("Anthropic-Ratelimit-Requests-Limit", strconv.Itoa(limit.requests))
		header.Set("Anthropic-Ratelimit-Requests-Remaining", strconv.Itoa(limit.requests-w.used))
		header.Set("Anthropic-Ratelimit-Requests-Reset", w.ends.UTC().Format(time.RFC3339))
	}
	return header, err
}
