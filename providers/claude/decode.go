package claude

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// rawOf returns the whole reply that the SDK decoded.
func rawOf[T any, P interface {
	*T
	RawJSON() string
}](reply P, err error) (string, error) {
	if err != nil {
		return "", err
	}
	if reply == nil {
		return "null", nil
	}
	return reply.RawJSON(), nil
}

// decode reads one JSON object. The SDK's own decoder lets a number pass for
// a string; this one does not.
func decode(raw string, into any) error {
	if !strings.HasPrefix(strings.TrimLeft(raw, " \t\r\n"), "{") {
		return odd("not a JSON object")
	}
	if err := json.Unmarshal([]byte(raw), into); err != nil {
		var t *json.UnmarshalTypeError
		if errors.As(err, &t) {
			return odd("field %q is a %s", t.Field, t.Value)
		}
		return odd("not JSON")
	}
	return nil
}

// array returns the elements of raw, which has to be an array.
func array(name string, raw json.RawMessage) ([]json.RawMessage, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); len(raw) == 0 || raw[0] != '[' || err != nil {
		return nil, odd("%s is not a list", name)
	}
	return items, nil
}

// textList reads a list of strings, none of which is null or empty.
func textList(raw json.RawMessage) ([]string, error) {
	var list []*string
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	texts := make([]string, len(list))
	for i, s := range list {
		if deref(s) == "" {
			return nil, errors.New("empty element")
		}
		texts[i] = *s
	}
	return texts, nil
}

// A field is a text that must be there.
type field struct {
	name string
	from *string
	to   *string
}

// texts copies required texts. An absent, null or empty one is an error.
func texts(what string, fields ...field) error {
	for _, f := range fields {
		if deref(f.from) == "" {
			return odd("a %s has no %s", what, f.name)
		}
		*f.to = *f.from
	}
	return nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// canonical returns an address in lower case, and as it was if that differs.
func canonical(email string) (lower, raw string) {
	lower, err := schema.ParseEmail(email)
	if err != nil {
		lower = strings.ToLower(email) // kept, so that the person is seen
	}
	if lower != email {
		raw = email
	}
	return lower, raw
}

func sorted(list []string) []string {
	list = append([]string{}, list...)
	slices.Sort(list)
	return slices.Compact(list)
}

// tidy sorts a list and keeps one of the entries that two pages both had. A
// nil list, which is no list, stays nil.
func tidy[T any, K comparable](list []T, key func(T) K, compare func(a, b T) int) []T {
	seen := make(map[K]bool, len(list))
	list = slices.DeleteFunc(list, func(v T) bool {
		k := key(v)
		dup := seen[k]
		seen[k] = true
		return dup
	})
	slices.SortStableFunc(list, compare)
	return list
}
