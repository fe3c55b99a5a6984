package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ErrSeedChanged means that the durable state was made from a seed with other
// contents than the one given now.
var ErrSeedChanged = errors.New("the seed has changed since the state was made; use --reset to start over from the new seed")

// ErrStateInUse means that another process has the durable state open.
var ErrStateInUse = errors.New("the state is in use by another emulator")

// An apiError is an answer other than 200.
//
// Shape: {"type":"error","error":{"type","message"},"request_id"}.
//
// Source: Claude API docs, Errors; read 2026-11-22.
type apiError struct {
	status  int
	kind    string // error.type; made from the status if empty
	message string
	header  map[string]string
}

func (e *apiError) Error() string { return fmt.Sprintf("%d: %s", e.status, e.message) }

// errorKinds gives error.type for each status.
//
// Source: Claude API docs, Errors; read 2026-11-22. Statuses of 400 to 499
// without a type of their own use invalid_request_error.
var errorKinds = map[int]string{
	http.StatusUnauthorized:          "authentication_error",
	http.StatusPaymentRequired:       "billing_error",
	http.StatusForbidden:             "permission_error",
	http.StatusNotFound:              "not_found_error",
	http.StatusConflict:              "conflict_error",
	http.StatusRequestEntityTooLarge: "request_too_large",
	http.StatusTooManyRequests:       "rate_limit_error",
	http.StatusGatewayTimeout:        "timeout_error",
	http.StatusServiceUnavailable:    "overloaded_error",
	529:                              "overloaded_error",
}

// kindOf returns error.type for a status.
func kindOf(status int) string {
	if kind, ok := errorKinds[status]; ok {
		return kind
	}
	if status >= 500 {
		return "api_error"
	}
	return "invalid_request_error"
}

func fail(status int, format string, args ...any) *apiError {
	return &apiError{status: status, message: fmt.Sprintf(format, args...)}
}

// invalid returns a 400. Except where a test or a comment names a source, the
// texts of 400s and 404s are invented: the vendor publishes none for members,
// invites and groups.
func invalid(format string, args ...any) *apiError {
	return fail(http.StatusBadRequest, format, args...)
}

func notFound(format string, args ...any) *apiError {
	return fail(http.StatusNotFound, format, args...)
}

// missingScopes returns the 403 of a key that lacks a scope.
//
// Source: Compliance API docs, Errors; read 2026-11-22.
func missingScopes(got, needed []string) *apiError {
	return fail(http.StatusForbidden, "Missing required scopes. Got: %s Needed: %s", quoteList(got), quoteList(needed))
}

// quoteList writes a list as Python does: ['a', 'b'].
func quoteList(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = "'" + s + "'"
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
