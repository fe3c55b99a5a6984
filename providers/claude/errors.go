package claude

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/rolecall/rolecall/providers"
)

// An APIError is a request that did not work. It holds nothing of the request
// but its method and path: no header, no body, never the key.
//
// Shape: Status is 0 if there was no usable answer. Type and Message are the
// vendor's words with control characters taken out, or rolecall's own where
// the vendor sent none. Hint says what to do.
//
// Source: Claude API, errors; anthropic-sdk-go v1.84.0, Error; read
// 2026-11-22.
type APIError struct {
	Op            string // what was being done: `read members of group "Pilot"`
	Method, Path  string
	Status        int
	Type          string
	Message       string
	RequestID     string
	MissingScopes []string // the scopes that the endpoint needs and the key lacks
	Hint          string

	// Err is the cause below HTTP, such as a broken connection or a canceled
	// context, nil if there is none.
	Err error
}

// Error says what was being done, what came back, and what to do.
func (e *APIError) Error() string {
	var b strings.Builder
	b.WriteString(e.Op + ": ")
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d", e.Status)
		if e.Type != "" {
			b.WriteString(" " + e.Type)
		} else if t := http.StatusText(e.Status); t != "" {
			b.WriteString(" " + t)
		}
		if e.Message != "" {
			b.WriteString(": ")
		}
	}
	b.WriteString(e.Message)
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause, so that errors.Is finds a canceled context.
func (e *APIError) Unwrap() error { return e.Err }

// Is reports whether e is one of the statuses that a write gets that has nothing
// left to do: adding who is there, removing who is gone.
//
// Source: facts/claude-enterprise 6.5.
func (e *APIError) Is(target error) bool {
	return target == providers.ErrRefused && e.Method != http.MethodGet &&
		(e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound || e.Status == http.StatusConflict)
}

// An UnclearError is a write whose answer was lost or says nothing about
// whether it was carried out. Look before sending it again.
type UnclearError struct {
	Op  string
	Err error // the last failure, usually an *APIError
}

func (e *UnclearError) Error() string {
	cause := e.Err.Error()
	cause = strings.TrimPrefix(cause, e.Op+": ")
	return e.Op + ": the answer was lost or unclear, it may have taken effect: " + cause
}

// Unwrap returns the last failure.
func (e *UnclearError) Unwrap() error { return e.Err }

// A lostError is an attempt without a whole answer: the connection failed, or
// the answer was cut.
type lostError struct {
	err    error
	unsent bool // it is certain that the server never saw the request
}

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// An oddError is an answer that rolecall does not understand, or does not
// dare to follow. Sending the request again would not help.
type oddError struct {
	status int
	what   string
	hint   string
}

func (e *oddError) Error() string { return e.what }

// odd returns an oddError for a reply of status 200 whose content is not what
// it should be.
func odd(format string, args ...any) error {
	return &oddError{
		status: http.StatusOK,
		what:   "unexpected reply: " + fmt.Sprintf(format, args...),
		hint:   "nothing was concluded from it; check that the endpoint is the Claude Admin API",
	}
}

// hintFor says what to do about a status.
func hintFor(status int, method string, missing []string) string {
	switch {
	case status == http.StatusUnauthorized:
		return "the key is missing, wrong or disabled"
	case status == http.StatusForbidden && len(missing) > 0:
		hint := "the key lacks " + strings.Join(missing, ", ")
		if slices.ContainsFunc(missing, func(s string) bool { return strings.HasSuffix(s, ":rbac_groups") }) {
			hint += "; a key with this scope has to be created for all linked organizations"
		}
		return hint
	case status == http.StatusForbidden:
		return "the key may not do this; compare its scopes in the organization settings"
	case status == http.StatusNotFound && method == http.MethodGet:
		return "it does not exist, was deleted while rolecall was reading, or belongs to another organization; run again"
	case status == http.StatusNotFound:
		return "it does not exist any more, or belongs to another organization; plan again"
	case status == http.StatusTooManyRequests:
		return "the request budget of the organization is used up, also by its other tools; run again later"
	case method == http.MethodGet && status < 500:
		return ""
	case status == http.StatusBadRequest:
		return "correct what it complains of, in the configuration or in the organization, and run again"
	case status == http.StatusPaymentRequired:
		return "look at the billing of the organization, and run again"
	case status == http.StatusConflict:
		return "another change of the same got in the way; run again"
	case status == http.StatusRequestEntityTooLarge:
		return "no request of rolecall should be too large: report it"
	case status >= 500:
		return "the trouble is on the server's side; run again later"
	}
	return ""
}

var neededScopes = regexp.MustCompile(`(?i)missing required scopes?\b.*?got:\s*\[([^\]]*)\].*?needed:\s*\[([^\]]*)\]`)

// missingScopes returns the scopes that message says the key lacks. If the
// message does not list scopes it returns nil.
//
// Source: Claude Compliance API, errors: "Missing required scopes. Got:
// ['read:members'] Needed: ['write:members']"; read 2026-11-22. That the
// admin endpoints use the same words is inferred.
func missingScopes(message string) []string {
	m := neededScopes.FindStringSubmatch(message)
	if m == nil {
		return nil
	}
	got, needed := scopeList(m[1]), scopeList(m[2])
	var missing []string
	for _, s := range needed {
		if !slices.Contains(got, s) {
			missing = append(missing, s)
		}
	}
	if missing == nil {
		missing = needed
	}
	return missing
}

func scopeList(s string) []string {
	var list []string
	for _, item := range strings.Split(s, ",") {
		if item = strings.Trim(item, " \t'\""); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// maxMessage bounds what is shown of a vendor's message, in bytes.
const maxMessage = 600

// plain makes a text from the network safe to print: one line, no control or
// invisible formatting characters, bounded length.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	return s
}
