package pullrequest

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-github/v60/github"
)

// DefaultEndpoint is where the API of github.com is.
const DefaultEndpoint = "https://api.github.com"

// Options say where the API is and who speaks to it: a token, or the
// credentials of a GitHub App.
type Options struct {
	Endpoint   string // DefaultEndpoint if empty; of GitHub Enterprise Server with its path, such as https://host/api/v3
	Repository string // "owner/name"

	Token string // a token of Actions, of an App's installation, or of a person

	AppID      int64  // instead of Token: the App,
	AppKey     []byte // its private key in PEM form
	AppInstall int64  // and its installation, looked up by the repository if zero

	// Login is who writes with the token: "github-actions[bot]" for a token of
	// Actions. Empty asks the API, which answers to people and Apps only.
	Login string

	UserAgent string

	// Sleep waits between attempts; nil is a wait that ends with the context.
	Sleep func(context.Context, time.Duration) error

	// Now is the clock that tokens of Apps are dated by; nil is time.Now.
	Now func() time.Time
}

// A Client speaks to one repository. It is safe for concurrent use.
type Client struct {
	api         *github.Client
	owner, name string
	login       string
	sleep       func(context.Context, time.Duration) error
	count       *counter
}

// New connects to a repository. It sends requests only for the credentials of
// an App, and to learn the login if none is given.
//
// Errors: an endpoint that is neither TLS nor this machine, a repository that
// is not "owner/name", no credentials, a refusal.
func New(ctx context.Context, o Options) (*Client, error) {
	owner, name, ok := strings.Cut(o.Repository, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("github: %q is not a repository; write it as OWNER/NAME", o.Repository)
	}
	base, err := endpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	c := &Client{owner: owner, name: name, login: o.Login, sleep: o.Sleep, count: &counter{}}
	if c.sleep == nil {
		c.sleep = sleep
	}
	next := http.DefaultTransport.(*http.Transport).Clone()
	next.ResponseHeaderTimeout = 2 * time.Minute
	client := func(token string) *github.Client {
		api := github.NewClient(&http.Client{
			Transport:     &transport{next: next, token: token, sleep: c.sleep, count: c.count},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Timeout:       attempts * (maxWait + time.Minute), // waits for a rate limit included
		})
		api.BaseURL = base
		if o.UserAgent != "" {
			api.UserAgent = o.UserAgent
		}
		return api
	}
	token := o.Token
	if token == "" && o.AppID != 0 {
		if token, err = c.installation(ctx, o, client); err != nil {
			return nil, err
		}
	}
	if token == "" {
		return nil, errors.New("github: no credentials: set GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY")
	}
	c.api = client(token)
	if c.login == "" {
		user, _, err := c.api.Users.Get(ctx, "")
		if err != nil {
			return nil, c.explain("ask who the token belongs to", err)
		}
		c.login = user.GetLogin()
	}
	return c, nil
}

// installation exchanges the credentials of an App for a token that lasts an
// hour, and learns the App's login.
func (c *Client) installation(ctx context.Context, o Options, client func(string) *github.Client) (string, error) {
	key, err := jwt.ParseRSAPrivateKeyFromPEM(o.AppKey)
	if err != nil {
		return "", errors.New("github: the private key of the App is not an RSA key in PEM form")
	}
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	signed, err := sign(key, o.AppID, now())
	if err != nil {
		return "", err
	}
	api := client(signed)
	id := o.AppInstall
	if id == 0 {
		found, _, err := api.Apps.FindRepositoryInstallation(ctx, c.owner, c.name)
		if err != nil {
			return "", c.explain("find the App's installation", err)
		}
		id = found.GetID()
	}
	token, _, err := api.Apps.CreateInstallationToken(ctx, id, nil)
	if err != nil {
		return "", c.explain("get a token for the App", err)
	}
	if c.login == "" {
		app, _, err := api.Apps.Get(ctx, "")
		if err != nil {
			return "", c.explain("ask for the App's name", err)
		}
		c.login = app.GetSlug() + "[bot]"
	}
	return token.GetToken(), nil
}

// sign returns the token that an App shows as itself. GitHub refuses one that
// lasts more than ten minutes; it is dated back a minute for clocks that
// differ.
func sign(key *rsa.PrivateKey, id int64, now time.Time) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer:    strconv.FormatInt(id, 10),
		IssuedAt:  jwt.NewNumericDate(now.Add(-time.Minute)),
		ExpiresAt: jwt.NewNumericDate(now.Add(8 * time.Minute)),
	})
	s, err := t.SignedString(key)
	if err != nil {
		return "", errors.New("github: the App's token could not be signed with its private key")
	}
	return s, nil
}

// endpoint checks that a token may be sent to an address.
func endpoint(s string) (*url.URL, error) {
	if s == "" {
		s = DefaultEndpoint
	}
	u, err := url.Parse(strings.TrimSuffix(s, "/") + "/")
	if err != nil || u.Host == "" || u.User != nil {
		return nil, errors.New("github: the address of the API is not an URL such as " + DefaultEndpoint)
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return nil, fmt.Errorf("github: a token is only sent over TLS or to this machine, and %s is neither", u.Redacted())
	}
	return u, nil
}

// Login returns who the client writes as.
func (c *Client) Login() string { return c.login }

// Requests returns how many requests were sent.
func (c *Client) Requests() int { return c.count.get() }

// explain says what was being done. The error never holds a token: go-github
// prints method, address, status and message.
func (c *Client) explain(doing string, err error) error {
	var r *github.ErrorResponse
	if errors.As(err, &r) && r.Response != nil {
		switch r.Response.StatusCode {
		case http.StatusUnauthorized:
			return fmt.Errorf("github: %s: the token is not valid (401)", doing)
		case http.StatusForbidden:
			return fmt.Errorf("github: %s: the token may not (403: %s); give the job the permission it needs", doing, r.Message)
		case http.StatusNotFound:
			return fmt.Errorf("github: %s in %s/%s: not found, or the token may not see it (404)", doing, c.owner, c.name)
		}
	}
	return fmt.Errorf("github: %s: %w", doing, err)
}

type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add() { c.mu.Lock(); c.n++; c.mu.Unlock() }
func (c *counter) get() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
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
