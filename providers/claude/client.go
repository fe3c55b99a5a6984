package claude

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

// DefaultEndpoint is where the API is.
const DefaultEndpoint = "https://api.anthropic.com"

const (
	parallel      = 8                // requests of one family under way at once
	maxTries      = 4                // attempts of one request that may be repeated
	maxLimited    = 5                // waits of one request for its budget
	maxRetryAfter = 5 * time.Minute  // the longest wait that a server may ask for
	maxBody       = 64 << 20         // bytes of one answer
	timeout       = 60 * time.Second // of one attempt
)

// Options say how to reach an organization.
type Options struct {
	// Endpoint is the base URL, DefaultEndpoint if empty. It is https, or http
	// to this machine.
	Endpoint string

	// Key opens the Admin API. ComplianceKey opens the Compliance API; if it
	// is empty, Key is used there too.
	Key, ComplianceKey Key

	// UserAgent names the program and its version.
	UserAgent string

	// Budget overrides the request budget of a family: n requests in per. It
	// is for organizations that share theirs with other tools. A nil Budget,
	// or one that returns n < 1, leaves the documented one.
	Budget func(Family) (n int, per time.Duration)

	// TimeScale makes the documented budgets' windows that many times shorter,
	// for an emulator that does the same. Zero means 1.
	TimeScale float64

	// Unpaced sends as fast as it can. It is for the embedded emulator. A
	// server that answers 429 is still obeyed.
	Unpaced bool

	// EventTypes are the types of activity that Fetch reads, DefaultEventTypes
	// if nil.
	EventTypes []string

	// Progress, if set, is called after each list that a Fetch has read. Both
	// numbers only grow during one Fetch. Calls do not overlap.
	Progress func(done, total int)

	// HTTP carries the requests, a plain transport if nil. Now and Sleep are
	// the clock. They are for tests and for the embedded emulator.
	HTTP  http.RoundTripper
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// A Key is a secret. However it is printed or encoded, it says [redacted]. The
// one exception is a map with Keys for keys, which encoding/json writes as they
// are: make none.
type Key string

const redacted = "[redacted]"

func (k Key) String() string               { return redacted }
func (k Key) GoString() string             { return redacted }
func (k Key) Format(s fmt.State, _ rune)   { _, _ = io.WriteString(s, redacted) }
func (k Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (k Key) LogValue() slog.Value         { return slog.StringValue(redacted) }

// check reports why k cannot be a key. The error never shows k.
func (k Key) check(what string) error {
	switch {
	case k == "":
		return fmt.Errorf("no %s is set", what)
	case strings.ContainsFunc(string(k), func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("the %s contains spaces or characters that a key never has; it may have been copied with a line break", what)
	}
	return nil
}

// A Reading reads an organization. It has no way to change one: its
// connection refuses every method but GET.
type Reading struct {
	c        *core
	events   []string
	progress func(done, total int)
}

// A Writing changes an organization.
type Writing struct {
	c     *core
	lanes *lanes
}

// lanes hold the writes that must not overlap, by parent.
type lanes struct {
	mu   sync.Mutex
	busy map[string]chan struct{}
}

// NewClient returns the two halves of a connection. They share budgets and
// counters.
//
// Errors: an endpoint that would show the key to others, or a key that cannot
// be one. Nothing is sent yet.
func NewClient(o Options) (*Reading, *Writing, error) {
	base, err := checkEndpoint(o.Endpoint)
	if err != nil {
		return nil, nil, err
	}
	if err := o.Key.check("key"); err != nil {
		return nil, nil, err
	}
	if o.ComplianceKey == "" {
		o.ComplianceKey = o.Key
	}
	if err := o.ComplianceKey.check("compliance key"); err != nil {
		return nil, nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.HTTP == nil {
		o.HTTP = newTransport()
	}
	if o.EventTypes == nil {
		o.EventTypes = DefaultEventTypes()
	}

	s := &shared{
		pace:   newPacer(o),
		redact: strings.NewReplacer(string(o.Key), redacted, string(o.ComplianceKey), redacted).Replace,
	}
	sum := sha256.Sum256([]byte(base.String() + "\x00" + string(o.Key) + "\x00" + string(o.ComplianceKey)))
	s.identity = hex.EncodeToString(sum[:])
	read := newCore(o, base, s, true)
	write := newCore(o, base, s, false)
	return &Reading{c: read, events: o.EventTypes, progress: o.Progress}, &Writing{c: write, lanes: &lanes{busy: map[string]chan struct{}{}}}, nil
}

// checkEndpoint returns the base URL that s names.
func checkEndpoint(s string) (*url.URL, error) {
	if s == "" {
		s = DefaultEndpoint
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		// The parser's own error is left out: it can repeat a password.
		return nil, errors.New("the endpoint is not a URL such as " + DefaultEndpoint)
	}
	switch {
	case u.User != nil:
		return nil, errors.New("the endpoint must not contain a user name or password")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the endpoint must not contain a query or fragment")
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
	default:
		return nil, fmt.Errorf("endpoint %q refused: the key is sent only over https, or over http to this machine (127.0.0.0/8, ::1, localhost)", s)
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func newTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = parallel
	return t
}

// A core sends requests with one policy for pace, repetition and doubt.
type core struct {
	*shared
	admin, compliance anthropic.Client
}

// What the two halves of a connection have in common. It holds no key: redact
// closes over them.
type shared struct {
	pace   *pacer
	redact func(string) string

	// identity stands for the endpoint and the keys, which it does not show.
	identity string

	mu   sync.Mutex
	skew time.Duration // of this machine's clock against the server's, the largest seen
}

// clockAgrees reports whether this machine's clock and the server's are close
// enough to compare times of events with.
func (s *shared) clockAgrees() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.skew <= maxSkew
}

func (s *shared) observeClock(date string, now time.Time) {
	t, err := http.ParseTime(date)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = max(s.skew, now.Sub(t).Abs())
}

func newCore(o Options, base *url.URL, s *shared, readOnly bool) *core {
	g := &guard{host: base.Host, pace: s.pace, clock: s.observeClock, readOnly: readOnly}
	client := func(k Key) anthropic.Client {
		opts := []option.RequestOption{
			option.WithoutEnvironmentDefaults(),
			option.WithoutOpenTelemetry(),
			option.WithBaseURL(base.String()),
			option.WithAPIKey(string(k)),
			option.WithMaxRetries(0), // repetition is decided in do
			option.WithRequestTimeout(timeout),
			option.WithHTTPClient(&http.Client{
				Transport:     o.HTTP,
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}),
			option.WithMiddleware(g.handle),
		}
		if o.UserAgent != "" {
			opts = append(opts, option.WithHeader("User-Agent", o.UserAgent))
		}
		return anthropic.NewClient(opts...)
	}
	return &core{shared: s, admin: client(o.Key), compliance: client(o.ComplianceKey)}
}

// A guard stands between the SDK and the network. It sees every attempt.
type guard struct {
	host     string
	pace     *pacer
	clock    func(date string, now time.Time)
	readOnly bool
}

// handle sends one attempt and returns an answer that is complete, in memory
// and not a redirect.
func (g *guard) handle(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	if g.readOnly && req.Method != http.MethodGet {
		return nil, &oddError{what: req.Method + " on a connection that only reads: this is a bug in rolecall"}
	}
	if req.URL.Host != g.host {
		return nil, &oddError{what: fmt.Sprintf("request for %q, which is not the endpoint: this is a bug in rolecall", req.URL.Host)}
	}
	family := familyOf(req.Method, req.URL.Path)
	g.pace.count(family)

	res, err := next(req)
	if err != nil {
		var op *net.OpError
		unsent := errors.As(err, &op) && op.Op == "dial"
		return nil, &lostError{err: err, unsent: unsent}
	}
	g.pace.observe(family, res.Header)
	g.clock(res.Header.Get("Date"), g.pace.now())

	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	_ = res.Body.Close()
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return nil, &oddError{
			status: res.StatusCode,
			what:   "the server answered with a redirect, which is not followed because it would take the key to another place",
			hint:   "check the endpoint",
		}
	case len(body) > maxBody:
		return nil, &oddError{
			status: res.StatusCode,
			what:   fmt.Sprintf("the answer is larger than %d MiB", maxBody>>20),
			hint:   "check the endpoint",
		}
	case err != nil && res.StatusCode < 400:
		return nil, &lostError{err: fmt.Errorf("the answer was cut: %w", err)}
	}
	// Of a cut error answer the status is known, and enough.
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// A call is one request as do sees it.
type call struct {
	op           string
	method, path string

	// repeat allows to send the request again when it is not known what became
	// of it. A refusal for want of budget is always repeated: nothing was done.
	repeat bool
}

// do sends a request by way of fn, which makes exactly one attempt, until it
// works or there is no point in going on.
//
// Errors: *APIError. For a write, *UnclearError as soon as one attempt may
// have taken effect and none is known to have worked.
func (c *core) do(ctx context.Context, k call, fn func(context.Context) error) error {
	family := familyOf(k.method, k.path)
	unclear := false
	tries, limited := 0, 0
	for {
		err := c.attempt(ctx, family, fn)
		if err == nil {
			return nil
		}
		f := c.failure(ctx, k, err)
		unclear = unclear || f.unclear
		tries++
		switch {
		case ctx.Err() != nil:
			return f.final(unclear)
		case f.limited:
			tries--
			if limited++; limited > maxLimited || f.after > maxRetryAfter {
				if f.after > maxRetryAfter {
					f.err.Message += fmt.Sprintf(" (the server asks to wait %s)", f.after.Round(time.Second))
				}
				return f.final(unclear)
			}
			after := f.after
			if after <= 0 {
				after = backoff(limited - 1)
			}
			c.pace.pause(family, after)
		case f.passing && tries < maxTries && k.repeat && f.after <= maxRetryAfter:
			if err := c.pace.sleep(ctx, max(f.after, backoff(tries-1))); err != nil {
				f.err.Err = errors.Join(err, f.err.Err)
				return f.final(unclear)
			}
		default:
			return f.final(unclear)
		}
	}
}

// attempt waits for a free slot and the family's budget, and calls fn.
func (c *core) attempt(ctx context.Context, family Family, fn func(context.Context) error) error {
	done, err := c.pace.enter(ctx, family)
	if err != nil {
		return &lostError{err: err, unsent: true}
	}
	defer done()
	return fn(ctx)
}

// A failure is one failed attempt, judged.
type failure struct {
	err     *APIError
	write   bool
	limited bool          // refused for want of budget
	passing bool          // may work another time
	unclear bool          // it may have taken effect
	after   time.Duration // how long the server asks to wait, 0 if it does not
}

func (f *failure) final(unclear bool) error {
	if f.write && unclear {
		return &UnclearError{Op: f.err.Op, Err: f.err}
	}
	return f.err
}

// failure judges the error of an attempt. The SDK's own error is taken apart
// and dropped, because it holds the request with its headers.
func (c *core) failure(ctx context.Context, k call, err error) *failure {
	f := &failure{
		err:   &APIError{Op: k.op, Method: k.method, Path: k.path},
		write: k.method != http.MethodGet,
	}
	var api *anthropic.Error
	var lost *lostError
	var unusual *oddError
	switch {
	case errors.As(err, &api):
		c.describe(f, api)
		return f
	case errors.As(err, &unusual):
		f.err.Status = unusual.status
		f.err.Message = unusual.what
		f.err.Hint = unusual.hint
		f.unclear = unusual.status >= 200 && unusual.status < 400 || unusual.status >= 500
		return f
	case errors.As(err, &lost):
		f.passing, f.unclear = true, !lost.unsent
		f.err.Err = lost.err
		f.err.Hint = "check the network and the endpoint"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		f.passing, f.unclear = true, true
		f.err.Err = err
		f.err.Hint = "check the network and the endpoint"
	default:
		// The SDK could not make sense of the answer, or refused to send.
		f.unclear = true
		f.err.Message = "unexpected reply: " + c.clean(err.Error())
		f.err.Hint = "nothing was concluded from it; check that the endpoint is the Claude Admin API"
		return f
	}
	f.err.Message = c.clean(f.err.Err.Error())
	if errors.Is(f.err.Err, context.DeadlineExceeded) && ctx.Err() == nil {
		f.err.Message = fmt.Sprintf("no answer within %s", timeout)
	}
	if ctx.Err() != nil {
		f.err.Err = ctx.Err()
		f.err.Message = "stopped: " + ctx.Err().Error()
		f.err.Hint = ""
	}
	return f
}

// describe fills f from the vendor's error.
func (c *core) describe(f *failure, api *anthropic.Error) {
	var body struct {
		Error struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"error"`
		RequestID string `json:"request_id"`
	}
	_ = json.Unmarshal([]byte(api.RawJSON()), &body)

	e := f.err
	e.Status = api.StatusCode
	e.Type = c.clean(body.Error.Type)
	e.Message = c.clean(body.Error.Message)
	e.RequestID = c.clean(api.RequestID)
	if e.RequestID == "" {
		e.RequestID = c.clean(body.RequestID)
	}
	if e.Status == http.StatusForbidden {
		e.MissingScopes = missingScopes(e.Message)
	}
	e.Hint = hintFor(e.Status, e.Method, e.MissingScopes)

	var header http.Header
	if api.Response != nil {
		header = api.Response.Header
	}
	f.after = retryAfter(header, c.pace.now())
	f.limited = e.Status == http.StatusTooManyRequests
	f.passing = e.Status == http.StatusRequestTimeout || e.Status >= 500
	f.unclear = f.passing
	if header.Get("x-should-retry") == "false" {
		f.passing, f.limited = false, false
	}
}

// clean makes a text from the network safe to show.
func (c *core) clean(s string) string { return plain(c.redact(s)) }

// retryAfter returns the wait that an answer asks for, 0 if none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	number := func(name string, unit time.Duration) (time.Duration, bool) {
		n, err := strconv.ParseFloat(strings.TrimSpace(h.Get(name)), 64)
		if err != nil || n != n || n < 0 {
			return 0, false
		}
		// The bound keeps a huge number from overflowing.
		return time.Duration(min(n, 1e9) * float64(unit)), true
	}
	if d, ok := number("Retry-After-Ms", time.Millisecond); ok {
		return d
	}
	if d, ok := number("Retry-After", time.Second); ok {
		return d
	}
	if t, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// backoff returns the wait after n failures: half a second, doubled each time,
// at most 8 seconds, less up to a quarter by chance.
func backoff(n int) time.Duration {
	d := min(500*time.Millisecond<<min(n, 10), 8*time.Second)
	return d - time.Duration(rand.Int64N(int64(d/4)))
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
