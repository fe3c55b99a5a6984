package pullrequest_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rolecall/rolecall/cmd/rolecall/internal/githubtest"
	"github.com/rolecall/rolecall/cmd/rolecall/internal/pullrequest"
)

const (
	repository = "acme/access"
	token      = "ghs_test-token-that-is-secret"
	bot        = "github-actions[bot]"
	head       = "1111111111111111111111111111111111111111"
)

var marker = pullrequest.Marker("plan", "acme")

// connect returns a server with pull request 7, a client, and how long the
// client has waited.
func connect(t *testing.T) (*githubtest.Server, *pullrequest.Client, *time.Duration) {
	t.Helper()
	s := githubtest.New(repository, token, bot)
	t.Cleanup(s.Close)
	s.AddPull(githubtest.Pull{Number: 7, Author: "jane", Head: head, Base: "0000"})
	waited := new(time.Duration)
	c, err := pullrequest.New(t.Context(), pullrequest.Options{
		Endpoint: s.URL, Repository: repository, Token: token, Login: bot,
		Sleep: func(_ context.Context, d time.Duration) error { *waited += d; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, c, waited
}

func put(t *testing.T, c *pullrequest.Client, body string) {
	t.Helper()
	if _, err := c.PutComment(t.Context(), 7, marker, body); err != nil {
		t.Fatal(err)
	}
}

func TestCommentIsEditedInPlace(t *testing.T) {
	s, c, _ := connect(t)
	put(t, c, "first")
	put(t, c, "second")
	put(t, c, "second")
	got := s.Comments(7)
	if len(got) != 1 || got[0].Body != marker+"\nsecond" || got[0].Edits != 1 {
		t.Errorf("comments: %+v; want one, edited once", got)
	}
}

func TestCommentOfAnotherOrganizationIsLeftAlone(t *testing.T) {
	s, c, _ := connect(t)
	put(t, c, "acme")
	if _, err := c.PutComment(t.Context(), 7, pullrequest.Marker("plan", "studio"), "studio"); err != nil {
		t.Fatal(err)
	}
	if got := s.Comments(7); len(got) != 2 {
		t.Errorf("comments: %+v; want one for each organization", got)
	}
}

// A marker can be planted by anybody who may comment: what is edited is what
// the same author wrote.
func TestPlantedCommentIsNotTakenForOurs(t *testing.T) {
	s, c, _ := connect(t)
	s.Say(7, "mallory", marker+"\nnothing to see")
	put(t, c, "plan")
	got := s.Comments(7)
	if len(got) != 2 || got[0].Edits != 0 || got[1].User.Login != bot {
		t.Errorf("comments: %+v", got)
	}
	if f, err := c.FindComment(t.Context(), 7, marker); err != nil || f.ID != got[1].ID {
		t.Errorf("found %+v, %v", f, err)
	}
}

func TestCommentOnALaterPageIsFound(t *testing.T) {
	s, c, _ := connect(t)
	for i := range 250 {
		s.Say(7, "jane", fmt.Sprint("remark ", i))
	}
	put(t, c, "first")
	put(t, c, "second")
	if got := s.Comments(7); len(got) != 251 || got[250].Body != marker+"\nsecond" {
		t.Errorf("%d comments", len(got))
	}
}

func TestThreeRequestsAreEnough(t *testing.T) {
	_, c, _ := connect(t)
	put(t, c, strings.Repeat("x", pullrequest.MaxBody-len(marker)-1))
	if n := c.Requests(); n > 3 {
		t.Errorf("%d requests", n)
	}
}

func TestTooLongIsRefusedHere(t *testing.T) {
	s, c, _ := connect(t)
	if _, err := c.PutComment(t.Context(), 7, marker, strings.Repeat("x", pullrequest.MaxBody)); err == nil {
		t.Error("no error")
	}
	if r := s.Requests(); len(r) > 0 {
		t.Errorf("asked %v", r)
	}
}

// The answer to a creation can be lost although it took effect.
func TestLostAnswerDoesNotMakeTwoComments(t *testing.T) {
	for name, f := range map[string]githubtest.Fault{
		"connection-cut":     {Method: "POST", Path: "/comments", After: true},
		"bad-gateway":        {Method: "POST", Path: "/comments", Status: 502, After: true},
		"refused-connection": {Method: "POST", Path: "/comments"},
		"error-without":      {Method: "POST", Path: "/comments", Status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			s, c, _ := connect(t)
			s.Fail(f)
			put(t, c, "plan")
			if got := s.Comments(7); len(got) != 1 {
				t.Errorf("%d comments", len(got))
			}
		})
	}
}

func TestRateLimitsAreWaitedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		fault githubtest.Fault
		wait  time.Duration
	}{
		"secondary-429":             {githubtest.Fault{Status: 429, Header: http.Header{"Retry-After": {"7"}}}, 7 * time.Second},
		"secondary-403":             {githubtest.Fault{Status: 403, Header: http.Header{"Retry-After": {"9"}}}, 9 * time.Second},
		"secondary-without-a-time":  {githubtest.Fault{Status: 403, Body: `{"message":"You have exceeded a secondary rate limit."}`}, time.Minute},
		"secondary-429-without":     {githubtest.Fault{Status: 429}, time.Minute},
		"creation-that-was-limited": {githubtest.Fault{Method: "POST", Status: 429, Header: http.Header{"Retry-After": {"3"}}}, 3 * time.Second},
		"server-error-on-a-read":    {githubtest.Fault{Method: "GET", Status: 503}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s, c, waited := connect(t)
			s.Fail(tt.fault)
			put(t, c, "plan")
			if *waited != tt.wait || len(s.Comments(7)) != 1 {
				t.Errorf("waited %s for %d comments, want %s", *waited, len(s.Comments(7)), tt.wait)
			}
		})
	}
}

// A limit that is used up by the last answer is waited for before the next
// request, which would be refused, and not left to go-github, which refuses.
func TestUsedUpLimitIsWaitedForBeforeAsking(t *testing.T) {
	s, c, waited := connect(t)
	reset := time.Now().Add(90 * time.Second)
	s.Limit = &githubtest.Limit{Remaining: 1, Reset: reset}
	put(t, c, "plan")
	if n := len(s.Comments(7)); n != 1 {
		t.Errorf("%d comments", n)
	}
	if *waited < 80*time.Second || *waited > 100*time.Second {
		t.Errorf("waited %s, want until the limit begins again, in a minute and a half", *waited)
	}
}

func TestLongRateLimitIsAnError(t *testing.T) {
	s, c, _ := connect(t)
	s.Fail(githubtest.Fault{Status: 403, Header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {fmt.Sprint(time.Now().Add(time.Hour).Unix())}}})
	for range 2 {
		if _, err := c.PutComment(t.Context(), 7, marker, "plan"); err == nil || !strings.Contains(err.Error(), "run this again then") {
			t.Errorf("error: %v", err)
		}
	}
	if n := len(s.Requests()); n != 1 {
		t.Errorf("%d requests; nothing is asked while the limit is used up", n)
	}
}

// A token that follows a redirect reaches another host (dependencies, G1).
func TestTokenIsNotSentAlongARedirect(t *testing.T) {
	var leaked []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked = append(leaked, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	for _, code := range []int{301, 302, 307, 308} {
		s, c, _ := connect(t)
		s.Fail(githubtest.Fault{Status: code, Header: http.Header{"Location": {other.URL + "/x"}}})
		if _, err := c.PutComment(t.Context(), 7, marker, "plan"); err == nil {
			t.Errorf("%d: no error", code)
		}
	}
	if len(leaked) > 0 {
		t.Errorf("the other host was asked with %q", leaked)
	}
}

func TestTokenIsSentOverTLSOrToThisMachine(t *testing.T) {
	for endpoint, ok := range map[string]bool{
		"http://127.0.0.1:1": true, "http://localhost:1": true, "http://[::1]:1": true, "https://github.example/api/v3": true,
		"http://github.example": false, "http://127.0.0.1.example": false, "ftp://127.0.0.1": false, "https://user:secret@github.example": false, "nowhere": false,
	} {
		_, err := pullrequest.New(t.Context(), pullrequest.Options{Endpoint: endpoint, Repository: repository, Token: token, Login: bot})
		if (err == nil) != ok {
			t.Errorf("%s: %v", endpoint, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows a password: %v", endpoint, err)
		}
	}
}

func TestErrorsSayWhatToDoAndNoToken(t *testing.T) {
	for status, want := range map[int]string{401: "not valid", 403: "permission", 404: "not found", 422: "422"} {
		s, c, _ := connect(t)
		s.Fail(githubtest.Fault{Status: status, Body: `{"message":"no"}`})
		_, err := c.PutComment(t.Context(), 7, marker, "plan")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestCheckHasEveryAnnotation(t *testing.T) {
	s, c, _ := connect(t)
	k := pullrequest.Check{Name: "rolecall acme", Commit: head, Conclusion: pullrequest.Failure, Title: "blocked", Summary: "text", ID: "abc"}
	for i := range 121 {
		k.Annotations = append(k.Annotations, pullrequest.Annotation{Path: "org/groups.hcl", Line: i, Level: "failure", Title: strings.Repeat("é", 300), Message: "m"})
	}
	s.Fail(githubtest.Fault{Method: "POST", Path: "check-runs", Status: 502})
	if _, err := c.PutCheck(t.Context(), k, time.Now()); err != nil {
		t.Fatal(err)
	}
	got := s.Checks(head)
	if len(got) != 1 || len(got[0].Annotations) != 121 || got[0].Conclusion != "failure" || got[0].ExternalID != "abc" {
		t.Fatalf("checks: %+v", got)
	}
	if a := got[0].Annotations[0]; a.StartLine != 1 || len(a.Title) > 255 {
		t.Errorf("annotation: line %d, title of %d bytes", a.StartLine, len(a.Title))
	}
}

func TestLabelsOfOthersStay(t *testing.T) {
	s, c, _ := connect(t)
	for _, want := range [][]string{{"rolecall: removes access", "rolecall: blocked"}, {"rolecall: widens access"}, nil} {
		if err := c.PutLabels(t.Context(), 7, "rolecall: ", want); err != nil {
			t.Fatal(err)
		}
		if got := s.Labels(7); strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("labels %q, want %q", got, want)
		}
	}
	if err := c.PutLabels(t.Context(), 7, "", []string{"urgent"}); err != nil {
		t.Fatal(err)
	}
	if err := c.PutLabels(t.Context(), 7, "rolecall: ", []string{"rolecall: blocked"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.Labels(7), "|"); got != "urgent|rolecall: blocked" {
		t.Errorf("labels %q", got)
	}
}

func TestOneIssueForAllTime(t *testing.T) {
	s, c, _ := connect(t)
	m := pullrequest.Marker("drift", "acme")
	open := func(body string) *pullrequest.Issue {
		t.Helper()
		i, err := c.PutIssue(t.Context(), m, "drift", body)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	s.Fail(githubtest.Fault{Method: "POST", Path: "/issues", After: true})
	first := open("one")
	if again := open("two"); again.Number != first.Number {
		t.Errorf("issue %d, then %d", first.Number, again.Number)
	}
	if i, err := c.CloseIssue(t.Context(), m, "clean"); err != nil || i == nil {
		t.Fatal(i, err)
	}
	if i, err := c.CloseIssue(t.Context(), m, "clean"); err != nil || i != nil {
		t.Errorf("closed twice: %v, %v", i, err)
	}
	if again := open("three"); again.Number != first.Number {
		t.Errorf("issue %d was not opened again, but %d", first.Number, again.Number)
	}
	if got := s.Issues(); len(got) != 1 || got[0].State != "open" || !strings.HasSuffix(got[0].Body, "three") {
		t.Errorf("issues: %+v", got)
	}
}

func TestForkAndVisibility(t *testing.T) {
	s, c, _ := connect(t)
	s.Private = true
	s.AddPull(githubtest.Pull{Number: 8, Author: "mallory", Head: head, HeadRepo: "mallory/access"})
	for n, fork := range map[int]bool{7: false, 8: true} {
		p, err := c.PullRequest(t.Context(), n)
		if err != nil || p.Fork != fork || !p.Private {
			t.Errorf("#%d: %+v, %v", n, p, err)
		}
	}
}

func TestAppCredentials(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	mux := http.NewServeMux()
	asApp := func(h func() any) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			raw := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			claims := jwt.RegisteredClaims{}
			_, err := jwt.ParseWithClaims(raw, &claims, func(*jwt.Token) (any, error) { return &key.PublicKey, nil },
				jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(func() time.Time { return now }))
			if err != nil || claims.Issuer != "42" || claims.ExpiresAt.Sub(claims.IssuedAt.Time) > 10*time.Minute {
				t.Errorf("%s: not signed by the App: %v %+v", r.URL.Path, err, claims)
			}
			if r.Method == http.MethodPost {
				w.WriteHeader(http.StatusCreated)
			}
			json.NewEncoder(w).Encode(h())
		}
	}
	mux.HandleFunc("GET /repos/acme/access/installation", asApp(func() any { return map[string]int{"id": 99} }))
	mux.HandleFunc("POST /app/installations/99/access_tokens", asApp(func() any { return map[string]string{"token": token} }))
	mux.HandleFunc("GET /app", asApp(func() any { return map[string]string{"slug": "rolecall"} }))
	mux.HandleFunc("GET /repos/acme/access/pulls/7", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("the installation's token is not used")
		}
		fmt.Fprint(w, `{"number":7}`)
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	o := pullrequest.Options{Endpoint: s.URL, Repository: repository, AppID: 42, Now: func() time.Time { return now },
		AppKey: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})}
	c, err := pullrequest.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if c.Login() != "rolecall[bot]" {
		t.Errorf("login %q", c.Login())
	}
	if _, err := c.PullRequest(t.Context(), 7); err != nil {
		t.Error(err)
	}
	o.AppKey = []byte("-----BEGIN secret-----")
	if _, err := pullrequest.New(t.Context(), o); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("bad key: %v", err)
	}
}

func TestMarkerCannotBeEnded(t *testing.T) {
	for _, key := range []string{"-->", "--><b>", "\n", "acme\x00"} {
		if m := pullrequest.Marker("plan", key); strings.Count(m, "-->") != 1 || strings.ContainsAny(m, "\n\x00<b") && strings.Contains(m, "<b>") {
			t.Errorf("%q", m)
		}
	}
}
