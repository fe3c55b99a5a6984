package access

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// A SettingKind is something of which a member has one value: the first scope
// that says something decides, even if it says less than the next one. Spend
// limits of a period and plugins are settings.
type SettingKind struct {
	// Key is what the setting is called where permissions are, such as
	// "spend.monthly" or "plugin.lint-kit".
	Key string

	// Scale is the chain of its levels; nil if its values are amounts of
	// money in the minor unit of the currency.
	Scale *Scale
}

// Nothing is the value where no scope says anything: no limit, or the lowest
// level.
func (k SettingKind) Nothing() Limit {
	if k.Scale == nil {
		return Unlimited
	}
	return 0
}

// Text writes a value: an amount as [Limit.String] does, or the name of a
// level; "" if it is unset.
func (k SettingKind) Text(l Limit) string {
	if k.Scale == nil || l == Unset {
		return l.String()
	}
	return k.Scale.Levels[l]
}

// Parse reads what Text wrote.
func (k SettingKind) Parse(s string) (Limit, error) {
	if k.Scale == nil || s == "" {
		return ParseLimit(s)
	}
	l, ok := k.Scale.Level(s)
	if !ok {
		return Unset, fmt.Errorf("access: %s has no level %q", k.Key, s)
	}
	return Limit(l), nil
}

// A Limit is a value of a setting: an amount of money in the minor unit of the
// currency, or a level.
type Limit int64

// The values that are neither amounts nor levels.
const (
	Unset     Limit = -1            // this scope says nothing
	Unlimited Limit = math.MaxInt64 // this scope says: no limit
)

// String returns the limit in minor units, "unlimited", or "" if it is unset.
func (l Limit) String() string {
	switch l {
	case Unset:
		return ""
	case Unlimited:
		return "unlimited"
	}
	return strconv.FormatInt(int64(l), 10)
}

// ParseLimit reads what String wrote.
func ParseLimit(s string) (Limit, error) {
	switch s {
	case "":
		return Unset, nil
	case "unlimited":
		return Unlimited, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n == math.MaxInt64 {
		return Unset, fmt.Errorf("access: %q is not an amount in minor units", s)
	}
	return Limit(n), nil
}

// A Setting is what each scope says of one setting. The first that says
// something wins, in the order of member, groups, seat tier, default,
// fallback; if none does, the kind has a value for it. Of several groups the
// lowest wins, or the highest if Highest is set. The ceiling caps them all.
//
// Sources: Spend Limits API guide and help centre, group spend limits (the
// first); Plugins API, resolution (the most permissive group replaces the
// organization's own setting, that the default of the marketplace). Read
// 2026-11-22.
type Setting struct {
	Member   map[int32]Limit // only members who have one of their own
	Group    []Limit
	Seat     []Limit // of each seat tier
	Default  Limit   // of the organization
	Fallback Limit   // such as the default of a plugin's marketplace
	Ceiling  Limit   // on whatever won
	Highest  bool

	// SeatCompared says that the seat tier's value is compared with those of
	// the groups, as if it were one of them, instead of coming after them. It
	// is a reading of what the vendor leaves open, and never moved.
	SeatCompared bool
}

func newSetting(groups, seats int) Setting {
	return Setting{
		Member: map[int32]Limit{}, Group: slices.Repeat([]Limit{Unset}, groups), Seat: slices.Repeat([]Limit{Unset}, seats),
		Default: Unset, Fallback: Unset, Ceiling: Unset,
	}
}

func (s Setting) clone() Setting {
	s.Member = maps.Clone(s.Member)
	s.Group = slices.Clone(s.Group)
	s.Seat = slices.Clone(s.Seat)
	return s
}

func (s Setting) equal(t Setting) bool {
	return maps.Equal(s.Member, t.Member) && slices.Equal(s.Group, t.Group) && slices.Equal(s.Seat, t.Seat) &&
		s.Default == t.Default && s.Fallback == t.Fallback && s.Ceiling == t.Ceiling &&
		s.Highest == t.Highest && s.SeatCompared == t.SeatCompared
}

// Own returns what a member's own scope says.
func (s Setting) Own(member int32) Limit {
	if l, ok := s.Member[member]; ok {
		return l
	}
	return Unset
}

// Effective returns the value of a member who is in the given groups, on the
// given seat. Nothing is the value if no scope says anything.
func (s Setting) Effective(member int32, groups []int32, seat uint8, nothing Limit) Limit {
	return s.Resolve(s.Own(member), groups, seat, nothing)
}

// Resolve is Effective for whoever has a value of their own, or Unset.
func (s Setting) Resolve(own Limit, groups []int32, seat uint8, nothing Limit) Limit {
	l := own
	if l == Unset {
		l = s.inherited(groups, seat, nothing)
	}
	if s.Ceiling != Unset {
		l = min(l, s.Ceiling)
	}
	return l
}

func (s Setting) inherited(groups []int32, seat uint8, nothing Limit) Limit {
	best := Unset
	compare := func(l Limit) {
		switch {
		case l == Unset:
		case best == Unset, s.Highest && l > best, !s.Highest && l < best:
			best = l
		}
	}
	for _, g := range groups {
		compare(s.Group[g])
	}
	if s.SeatCompared {
		compare(s.Seat[seat])
	}
	for _, l := range []Limit{best, s.Seat[seat], s.Default, s.Fallback} {
		if l != Unset {
			return l
		}
	}
	return nothing
}
