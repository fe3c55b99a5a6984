package conduit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/rolecall/rolecall/providers"
)

const (
	timeout = 30 * time.Second
	maxBody = 32 << 20
	perPage = 200 // the most that SCIM gives

	// retryAfter is the wait after a 429 that does not name one: a tenth of
	// the hour in which ten writes of individual access are allowed.
	retryAfter = 6 * time.Minute
)

// errLogin means that the session is not valid (any more): the service
// redirects to its login page then.
var errLogin = errors.New("the session in CONDUIT_SESSION is not valid any more: log in with a browser and copy the cookie gateway_session again")

// A statusError is an answer that is not a success.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.status, http.StatusText(e.status), e.text)
}

// missing reports whether a route or an object is not there.
func missing(err error) bool {
	var e *statusError
	return errors.As(err, &e) && e.status == http.StatusNotFound
}

// client sends requests with the credential that the path wants.
type client struct {
	base           *url.URL
	session, token string
	http           *http.Client
	sent           int
	sleep          func(context.Context, time.Duration) error
}

func newClient(endpoint, session, token string) (*client, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("endpoint %q is not an address such as %s", endpoint, DefaultEndpoint)
	}
	if err := providers.Secure(u); err != nil {
		return nil, err
	}
	return &client{base: u, session: session, token: token, sleep: sleep,
		http: &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
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

// do sends one request; path is escaped. A 429 is waited for and sent again,
// because it was not carried out. A write whose answer was lost is
// providers.ErrUnclear.
func (c *client) do(ctx context.Context, method, path string, body []byte, into any) error {
	for {
		err := c.once(ctx, method, path, body, into)
		var limited *limitedError
		if !errors.As(err, &limited) {
			return err
		}
		if err := c.sleep(ctx, limited.wait); err != nil {
			return err
		}
	}
}

// A limitedError is a 429.
type limitedError struct{ wait time.Duration }

func (e *limitedError) Error() string { return fmt.Sprintf("too many requests; wait %s", e.wait) }

func (c *client) once(ctx context.Context, method, path string, body []byte, into any) error {
	u, err := c.base.Parse(path)
	if err != nil || u.Host != c.base.Host {
		return fmt.Errorf("%q is not a path of %s", path, c.base)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "rolecall")
	scim := len(path) >= 6 && path[:6] == "/scim/"
	if scim {
		req.Header.Set("Authorization", "Bearer "+c.token)
		req.Header.Set("Accept", "application/scim+json")
	} else {
		req.AddCookie(&http.Cookie{Name: "gateway_session", Value: c.session})
		req.Header.Set("Accept", "application/json")
	}
	if body != nil {
		req.Header.Set("Content-Type", map[bool]string{true: "application/scim+json", false: "application/json"}[scim])
	}
	c.sent++
	resp, err := c.http.Do(req)
	if err != nil {
		if method != http.MethodGet {
			return fmt.Errorf("%w: %w", providers.ErrUnclear, err)
		}
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return errLogin
	case resp.StatusCode == http.StatusTooManyRequests:
		wait := retryAfter
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s >= 0 {
			wait = time.Duration(s) * time.Second
		}
		return &limitedError{wait}
	case resp.StatusCode == http.StatusUnauthorized && scim:
		return fmt.Errorf("%w: the token in CONDUIT_SCIM_TOKEN is not valid: make a new SCIM connection", providers.ErrDenied)
	case resp.StatusCode == http.StatusForbidden, resp.StatusCode == http.StatusPaymentRequired:
		return fmt.Errorf("%w: %s %s: %s", providers.ErrDenied, method, path, reason(b))
	case resp.StatusCode >= 500 && method != http.MethodGet:
		return fmt.Errorf("%w: %s %s: %w", providers.ErrUnclear, method, path, &statusError{resp.StatusCode, reason(b)})
	case resp.StatusCode >= 400:
		return fmt.Errorf("%s %s: %w", method, path, &statusError{resp.StatusCode, reason(b)})
	case err != nil && method != http.MethodGet:
		return fmt.Errorf("%w: %w", providers.ErrUnclear, err)
	case err != nil:
		return err
	}
	if into == nil || len(b) == 0 {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s %s: the answer is not understood: %w", method, path, err)
	}
	return nil
}

// reason returns what an error answer says.
func reason(b []byte) string {
	var body struct {
		Error  string `json:"error"`
		Detail string `json:"detail"`
	}
	if json.Unmarshal(b, &body) == nil && body.Error+body.Detail != "" {
		return body.Error + body.Detail
	}
	return "no reason given"
}

func (c *client) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, nil, into)
}

// resource is a User or a Group of SCIM.
type resource struct {
	ID          string `json:"id"`
	UserName    string `json:"userName"`
	DisplayName string `json:"displayName"`
	Members     []struct {
		Value   string `json:"value"`
		Display string `json:"display"`
	} `json:"members"`
}

// scim reads all resources of a kind, page by page. A list that comes short of
// what it says it has is an error.
func (c *client) scim(ctx context.Context, org, kind, filter string) ([]resource, error) {
	var all []resource
	for {
		var page struct {
			Total     int        `json:"totalResults"`
			Resources []resource `json:"Resources"`
		}
		q := url.Values{"startIndex": {strconv.Itoa(len(all) + 1)}, "count": {strconv.Itoa(perPage)}}
		if filter != "" {
			q.Set("filter", filter)
		}
		if err := c.get(ctx, "/scim/v2/t/"+url.PathEscape(org)+"/"+kind+"?"+q.Encode(), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Resources...)
		if len(all) >= page.Total {
			return all, nil
		}
		if len(page.Resources) == 0 {
			return nil, fmt.Errorf("SCIM %s: %d of %d were listed; plan again", kind, len(all), page.Total)
		}
	}
}
