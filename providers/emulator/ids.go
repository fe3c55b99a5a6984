package emulator

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"
)

// base58 is the alphabet of the vendor's sample IDs: no 0, O, I or l.
const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// makeID returns an ID such as rbac_group_01…, 22 characters after the 01. It
// depends on nothing but its arguments, so the same seed gives the same IDs.
//
// Source: sample IDs in the Admin API reference, read 2026-11-22. The form is
// observed, not specified.
func makeID(prefix string, parts ...string) string {
	sum := sha256.Sum256([]byte(prefix + "\x00" + strings.Join(parts, "\x00")))
	var b strings.Builder
	b.WriteString(prefix)
	b.WriteString("01")
	for _, c := range sum[:22] {
		b.WriteByte(base58[int(c)%len(base58)])
	}
	return b.String()
}

// seedID is the ID of the n-th object of a name, counted from zero. Objects
// made later continue the count, so that a group made twice by a lost answer
// and a group made once have the same first ID.
func seedID(prefix, name string, n int) string {
	return makeID(prefix, name, strconv.Itoa(n))
}

// seedTime returns a time in 2024 or 2025 for an object whose seed gives none.
func seedTime(kind, name string) time.Time {
	sum := sha256.Sum256([]byte(kind + "\x00" + name))
	seconds := int64(sum[0])<<24 | int64(sum[1])<<16 | int64(sum[2])<<8 | int64(sum[3])
	start := time.Date(2024, 1, 8, 9, 0, 0, 0, time.UTC)
	return start.Add(time.Duration(seconds%(700*24*3600)) * time.Second)
}

// stamp writes a time as the API does: RFC 3339 in UTC with optional
// microseconds.
func stamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.999999Z")
}

// normalEmail returns the form under which two addresses are the same person:
// lower case.
func normalEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// lookupEmail is the form in which the email filter compares addresses: lower
// case and without a +tag.
//
// Source: User management guide, email parameter; read 2026-11-22. That only
// the +tag is dropped is inferred from its one example.
func lookupEmail(s string) string {
	local, domain, ok := strings.Cut(normalEmail(s), "@")
	if !ok {
		return normalEmail(s)
	}
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}

// validEmail reports whether s can be an address: text, one @, text.
func validEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && len(s) <= 320 &&
		!strings.ContainsAny(s, " \t\r\n,;<>\"") && !strings.Contains(domain, "@")
}
