package pullrequest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// attempts is how often a request that may be repeated is sent, and maxWait
// how long one wait for a rate limit may be. GitHub asks for at least a minute
// after a secondary limit without retry-after.
//
// Source: GitHub REST documentation, "Best practices for using the REST API";
// facts/dependencies G2: go-github v60 takes only a 403 for a secondary limit
// and never repeats by itself.
const (
	attempts = 4
	maxWait  = 5 * time.Minute
)

// A transport adds the token, paces and repeats. The token is added here and
// not by a client option, because those add it to every request that a
// redirect makes; this client follows none.
type transport struct {
	next  http.RoundTripper
	token string
	sleep func(context.Context, time.Duration) error
	count *counter

	mu    sync.Mutex
	until time.Time // when the rate limit that is used up begins again; guarded by mu
}

// errRateLimit means that a request was not sent, or refused, because the rate
// limit is used up for longer than a wait is worth. It had no effect.
var errRateLimit = errors.New("the API's rate limit is used up")

// wait waits until a rate limit that is known to be used up begins again.
func (t *transport) wait(ctx context.Context) error {
	t.mu.Lock()
	until := t.until
	t.mu.Unlock()
	d := time.Until(until)
	if d <= 0 {
		return nil
	}
	if err := t.pause(ctx, d); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.until.Equal(until) {
		t.until = time.Time{}
	}
	return nil
}

// pause waits for d if that is not too long.
func (t *transport) pause(ctx context.Context, d time.Duration) error {
	if d > maxWait {
		return fmt.Errorf("%w for another %s; run this again then", errRateLimit, d.Round(time.Second))
	}
	return t.sleep(ctx, d)
}

// observe remembers from an answer when the primary limit begins again, if
// nothing is left of it, and takes away the headers: go-github would remember
// them too, and refuse to send where waiting a few seconds is enough.
func (t *transport) observe(resp *http.Response) {
	if at, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil && resp.Header.Get("X-RateLimit-Remaining") == "0" {
		t.mu.Lock()
		t.until = time.Unix(at, 0)
		t.mu.Unlock()
	}
	for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
		resp.Header.Del(name)
	}
}

// RoundTrip sends a request: again after a rate limit, which means that it had
// no effect; again after a 5xx or a broken connection only where a repetition
// does no harm. A POST creates, so its caller looks first.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body.Close()
	}
	repeatable := r.Method != http.MethodPost
	for n := 1; ; n++ {
		again := r.Clone(r.Context())
		again.Header.Set("Authorization", "Bearer "+t.token)
		again.Header.Set("X-GitHub-Api-Version", "2022-11-28")
		if body != nil {
			again.Body = io.NopCloser(bytes.NewReader(body))
		}
		if err := t.wait(r.Context()); err != nil {
			return nil, err
		}
		t.count.add()
		resp, err := t.next.RoundTrip(again)
		last := n == attempts
		switch {
		case err != nil:
			if last || !repeatable || r.Context().Err() != nil {
				return nil, err
			}
			if err := t.sleep(r.Context(), backoff(n)); err != nil {
				return nil, err
			}
			continue
		case resp.StatusCode >= 300 && resp.StatusCode < 400 && resp.StatusCode != http.StatusNotModified:
			resp.Body.Close()
			return nil, fmt.Errorf("the API redirects to another address, which is not followed with a token (%d); correct GITHUB_API_URL or the name of the repository", resp.StatusCode)
		}
		wait, limited := rateLimited(resp)
		t.observe(resp)
		if !limited && (resp.StatusCode < 500 || !repeatable) || last {
			return resp, nil
		}
		if !limited {
			wait = backoff(n)
		}
		io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
		resp.Body.Close()
		if err := t.pause(r.Context(), wait); err != nil {
			return nil, err
		}
	}
}

// rateLimited reports whether a response refuses for a rate limit, and how
// long to wait. The primary limit shows by x-ratelimit-remaining, a secondary
// one by retry-after or by its message, each with 403 or 429.
func rateLimited(r *http.Response) (time.Duration, bool) {
	if r.StatusCode != http.StatusForbidden && r.StatusCode != http.StatusTooManyRequests {
		return 0, false
	}
	if s, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && s >= 0 {
		return time.Duration(s) * time.Second, true
	}
	if r.Header.Get("X-RateLimit-Remaining") == "0" {
		if at, err := strconv.ParseInt(r.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return max(time.Until(time.Unix(at, 0)), time.Second), true
		}
		return time.Minute, true
	}
	if r.StatusCode == http.StatusTooManyRequests {
		return time.Minute, true
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(text))
	if err == nil && strings.Contains(strings.ToLower(string(text)), "secondary rate limit") {
		return time.Minute, true
	}
	return 0, false
}

func backoff(n int) time.Duration { return time.Second << (n - 1) }
