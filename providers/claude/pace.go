package claude

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Family is a set of endpoints that share a budget of requests.
type Family string

// The families.
const (
	FamilyAdmin       Family = "admin"
	FamilyInvite      Family = "invite" // creating invites
	FamilySpend       Family = "spend"
	FamilyCompliance  Family = "compliance"
	FamilyPluginRead  Family = "plugin-read"
	FamilyPluginWrite Family = "plugin-write"
)

// A budget is n requests in any stretch of time as long as per.
type budget struct {
	n   int
	per time.Duration
}

// documented has the vendor's budgets.
//
// Source: Claude documentation, User management, Spend Limits API, Plugins
// API, Compliance API; read 2026-11-22.
var documented = map[Family]budget{
	FamilyAdmin:       {100, time.Minute},
	FamilyInvite:      {1200, time.Hour},
	FamilySpend:       {60, time.Minute},
	FamilyCompliance:  {600, time.Minute},
	FamilyPluginRead:  {300, time.Minute},
	FamilyPluginWrite: {60, time.Minute},
}

// familyOf returns the family that pays for a request. path may have a prefix.
func familyOf(method, path string) Family {
	if strings.Contains(path, "/v1/compliance/") {
		return FamilyCompliance
	}
	_, rest, _ := strings.Cut(path, "/v1/organizations/")
	noun, _, _ := strings.Cut(rest, "/")
	switch noun {
	case "spend_limits", "spend_limit_increase_requests":
		return FamilySpend
	case "plugins", "plugin_marketplaces":
		if method == http.MethodGet {
			return FamilyPluginRead
		}
		return FamilyPluginWrite
	case "invites":
		if method == http.MethodPost {
			return FamilyInvite
		}
	}
	return FamilyAdmin
}

// A pacer keeps requests within the budgets, and as close to them as it can:
// a request is held back only while as many as the budget allows were sent in
// the window before it.
//
// A bucket of tokens would not do. A full one lets a whole budget through at
// once and, while it refills, a second one in the same minute; one that is
// small enough never to do so sends below the limit.
type pacer struct {
	now   func() time.Time
	sleep func(context.Context, time.Duration) error

	mu     sync.Mutex
	lanes  map[Family]*lane
	counts map[Family]int
	waited time.Duration

	unpaced bool // the server is the emulator, and works nothing out meanwhile
}

// passing returns how long to wait, the n-th time, for a server that has not
// worked something out yet.
func (p *pacer) passing(n int) time.Duration {
	if p.unpaced {
		return time.Millisecond
	}
	return backoff(n)
}

// A lane is the budget of one family. Reads and writes share it.
type lane struct {
	slots   chan struct{} // requests under way
	unpaced bool
	per     time.Duration // window, with a margin for the way to the server
	cap     int           // requests in a window
	fixed   bool          // cap was chosen by the user, and only ever shrinks
	sent    []time.Time   // the last requests, oldest first, at most cap
	flying  int           // requests that are not answered yet

	left    int       // requests that the server had left, at the least
	foreign int       // requests that others have spent of the server's window
	reset   time.Time // when that window ends
	until   time.Time // nothing is sent before
}

// margin is the part of a window by which it is longer here than at the
// server, so that two requests that come closer together on the way than they
// were sent do not fall into one window.
const margin = 120

// newPacer returns a pacer with full budgets: a window's worth of requests may
// go out at once, so that a small organization is read without waiting.
func newPacer(o Options) *pacer {
	p := &pacer{now: o.Now, sleep: o.Sleep, lanes: map[Family]*lane{}, counts: map[Family]int{}, unpaced: o.Unpaced}
	scale := o.TimeScale
	if scale <= 0 {
		scale = 1
	}
	for family, b := range documented {
		l := &lane{slots: make(chan struct{}, parallel), unpaced: o.Unpaced}
		if o.Budget != nil {
			if n, per := o.Budget(family); n > 0 && per > 0 {
				b, l.fixed = budget{n, per}, true
			}
		}
		l.cap, l.per = b.n, time.Duration(float64(b.per)/scale)
		l.per += l.per / margin
		p.lanes[family] = l
	}
	return p
}

// enter returns when the family may send one more request, or with the
// context's error. The request is sent at once; done is called after it.
func (p *pacer) enter(ctx context.Context, family Family) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	l := p.lanes[family]
	p.mu.Unlock()
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		d := p.take(l)
		if d <= 0 {
			return func() {
				p.land(l)
				<-l.slots
			}, nil
		}
		if err := p.sleep(ctx, d); err != nil {
			<-l.slots
			return nil, err
		}
	}
}

// take spends one request of the lane, or returns how long to wait before it
// is worth asking again.
func (p *pacer) take(l *lane) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	d := l.wait(now)
	if d > 0 {
		p.waited += d
		return d
	}
	l.flying++
	if l.unpaced {
		return 0
	}
	l.sent = append(l.sent, now)
	if extra := len(l.sent) - l.cap; extra > 0 {
		l.sent = append(l.sent[:0], l.sent[extra:]...)
	}
	return 0
}

// land notes that a request was answered, or never will be.
func (p *pacer) land(l *lane) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.flying--
}

// wait returns how long nothing may be sent.
func (l *lane) wait(now time.Time) time.Duration {
	at := l.until
	if !l.unpaced {
		free := l.freeFrom(l.cap)
		if now.Before(l.reset) {
			// Others spend from the same window, until it ends.
			shared := earlier(l.freeFrom(l.cap-l.foreign), later(free, l.reset))
			if soon := now.Add(l.per / 200); l.flying > 0 && shared.After(soon) {
				shared = soon // an answer may tell that fewer were spent
			}
			free = later(free, shared)
		}
		at = later(at, free)
	}
	return at.Sub(now)
}

// freeFrom returns when fewer than n of the lane's requests are in the window.
func (l *lane) freeFrom(n int) time.Time {
	switch {
	case n <= 0:
		return l.reset
	case len(l.sent) < n:
		return time.Time{}
	}
	return l.sent[len(l.sent)-n].Add(l.per)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// pause holds the whole family back for d.
func (p *pacer) pause(family Family, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lanes[family]
	l.until = later(l.until, p.now().Add(d))
}

// observe corrects the family's budget by what the server says of it: how
// large it is, and what is left of the window. What is left and was not spent
// here was spent by others.
func (p *pacer) observe(family Family, h http.Header) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lanes[family]
	if l.unpaced {
		return
	}
	if n, err := strconv.Atoi(h.Get("anthropic-ratelimit-requests-limit")); err == nil && n > 0 && n <= maxBudget && (n < l.cap || !l.fixed) {
		l.cap = n
	}
	left, err := strconv.Atoi(h.Get("anthropic-ratelimit-requests-remaining"))
	if err != nil || left < 0 {
		return
	}
	reset, err := time.Parse(time.RFC3339, h.Get("anthropic-ratelimit-requests-reset"))
	now := p.now()
	if err != nil {
		reset = now.Add(l.per - l.per/(margin+1))
	}
	if !reset.After(now) || reset.Sub(now) > maxRetryAfter {
		return
	}
	switch {
	case reset.Before(l.reset):
		return // this answer is older than one seen before
	case reset.Equal(l.reset):
		left = min(left, l.left)
	}
	l.left = left
	if left == 0 {
		l.until = later(l.until, reset)
	}
	// Of the requests under way the server may have counted some. They pass
	// for those of others until they are answered.
	ours := 1 - l.flying
	for _, t := range l.sent {
		if !t.Before(reset.Add(-l.per + l.per/(margin+1))) {
			ours++
		}
	}
	l.reset, l.foreign = reset, max(0, l.cap-ours-left)
}

// maxBudget is the largest budget that a server is believed to have.
const maxBudget = 100_000

func (p *pacer) count(family Family) {
	p.mu.Lock()
	p.counts[family]++
	p.mu.Unlock()
}

// Stats are what a connection has sent so far.
type Stats struct {
	Requests map[Family]int // attempts, repetitions included
	Waited   time.Duration  // for budgets, over all requests
}

// Total returns the number of attempts of all families.
func (s Stats) Total() int {
	n := 0
	for _, v := range s.Requests {
		n += v
	}
	return n
}

// Stats returns what was sent so far by both halves of the connection.
func (r *Reading) Stats() Stats { return r.c.pace.stats() }

// Stats returns what was sent so far by both halves of the connection.
func (w *Writing) Stats() Stats { return w.c.pace.stats() }

func (p *pacer) stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{Requests: maps.Clone(p.counts), Waited: p.waited}
}
