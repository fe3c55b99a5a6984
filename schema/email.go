package schema

import (
	"fmt"
	"net/mail"
	"strings"
)

// ParseEmail returns the canonical form of an e-mail address: lower case,
// no display name. Two members are the same person exactly when their
// canonical addresses are equal; `ana+test@acme.com` is not `ana@acme.com`.
// The error names s and the rule it breaks.
func ParseEmail(s string) (string, error) {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || strings.ContainsAny(s, " \t\r\n\"<>") {
		return "", fmt.Errorf("%q is not a plain e-mail address such as jane@acme.com", s)
	}
	return strings.ToLower(s), nil
}
