package schema

import (
	"fmt"
	"time"
)

// A Day is a day in UTC, written as in 2026-12-01. The zero Day is none. Days
// compare as texts do.
type Day string

// ParseDay returns the day that s writes. The error names s and how a day is
// written.
func ParseDay(s string) (Day, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", fmt.Errorf("%s is not a day such as \"2026-12-01\"", quote(s))
	}
	return Day(s), nil
}

// Start returns the first moment of d, which is 00:00 UTC. Only a Day that
// ParseDay made has one.
func (d Day) Start() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d))
	return t
}

// Begun reports whether d has begun at the moment now. What is written to hold
// until a day, or to expire on it, has then ended. The zero Day never begins.
func (d Day) Begun(now time.Time) bool { return d != "" && !now.Before(d.Start()) }
