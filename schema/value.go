package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Value is what one attribute of an object holds. Desired and live objects
// hold the same kinds of value, so that a difference is found by comparing
// two values of one type.
//
// The zero Value is Absent: the attribute is not set. That is different from
// an empty set, which is known to hold nothing, and from Unavailable, which
// means that it could not be read and nothing may be concluded from it.
type Value struct {
	kind Kind
	text string
	set  []string
	m    map[string]string
}

// A Kind is the kind of a Value.
type Kind uint8

// The kinds of a Value.
const (
	KindAbsent      Kind = iota
	KindUnavailable      // could not be read: never drift, never a reason to take something away
	KindText             // a name, a level, an amount in minor units
	KindBool
	KindSet // a set of texts
	KindMap // texts by name
)

// Absent is the value of an attribute that is not set.
var Absent = Value{}

// Unavailable is the value of an attribute that could not be read; why says
// in a few words what was in the way.
func Unavailable(why string) Value { return Value{kind: KindUnavailable, text: why} }

// Text returns a text value.
func Text(s string) Value { return Value{kind: KindText, text: s} }

// Bool returns a truth value.
func Bool(b bool) Value {
	if b {
		return Value{kind: KindBool, text: "true"}
	}
	return Value{kind: KindBool, text: "false"}
}

// Set returns a set of texts; order and repetitions in items do not matter.
func Set(items ...string) Value {
	s := slices.Clone(items)
	slices.Sort(s)
	return Value{kind: KindSet, set: slices.Compact(s)}
}

// Map returns a map of texts by name.
func Map(m map[string]string) Value { return Value{kind: KindMap, m: maps.Clone(m)} }

// Kind returns the kind of v.
func (v Value) Kind() Kind { return v.kind }

// Known reports whether v was read or described: it is neither absent nor
// unavailable.
func (v Value) Known() bool { return v.kind != KindAbsent && v.kind != KindUnavailable }

// AsText returns the text of a text value, and "" for every other kind.
func (v Value) AsText() string {
	if v.kind == KindText {
		return v.text
	}
	return ""
}

// AsBool reports whether v is the truth value true.
func (v Value) AsBool() bool { return v.kind == KindBool && v.text == "true" }

// AsSet returns the items of a set, sorted. The caller must not change them.
func (v Value) AsSet() []string { return v.set }

// AsMap returns the entries of a map. The caller must not change them.
func (v Value) AsMap() map[string]string { return v.m }

// Why returns why an unavailable value is so.
func (v Value) Why() string {
	if v.kind == KindUnavailable {
		return v.text
	}
	return ""
}

// Has reports whether the set v holds item.
func (v Value) Has(item string) bool {
	_, ok := slices.BinarySearch(v.set, item)
	return ok
}

// Equal reports whether v and w are the same value. Two unavailable values
// are not equal to anything, not even to each other: nothing is known of them.
func (v Value) Equal(w Value) bool {
	if v.kind == KindUnavailable || w.kind == KindUnavailable {
		return false
	}
	return v.kind == w.kind && v.text == w.text && slices.Equal(v.set, w.set) && maps.Equal(v.m, w.m)
}

// String returns v as one would write it in HCL, on one line. Unavailable
// values are written as a remark in angle brackets.
func (v Value) String() string {
	switch v.kind {
	case KindAbsent:
		return "null"
	case KindUnavailable:
		return "<not readable: " + v.text + ">"
	case KindText:
		return quote(v.text)
	case KindBool:
		return v.text
	case KindSet:
		items := make([]string, len(v.set))
		for i, s := range v.set {
			items[i] = quote(s)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case KindMap:
		var items []string
		for _, k := range slices.Sorted(maps.Keys(v.m)) {
			items = append(items, k+" = "+quote(v.m[k]))
		}
		return "{ " + strings.Join(items, ", ") + " }"
	}
	panic(fmt.Sprintf("schema: no such kind of value: %d", v.kind))
}

// MarshalJSON writes v as the JSON value of the same shape; absent is null
// and unavailable is {"unavailable": why}.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case KindAbsent:
		return []byte("null"), nil
	case KindUnavailable:
		return json.Marshal(map[string]string{"unavailable": v.text})
	case KindText:
		return json.Marshal(v.text)
	case KindBool:
		return []byte(v.text), nil
	case KindSet:
		if v.set == nil {
			return []byte("[]"), nil
		}
		return json.Marshal(v.set)
	case KindMap:
		return json.Marshal(v.m)
	}
	panic(fmt.Sprintf("schema: no such kind of value: %d", v.kind))
}

// UnmarshalJSON reads what MarshalJSON wrote. A map of one entry called
// "unavailable" reads as a value that could not be read, of which nothing is
// ever concluded; snapshots write maps so that they can be told apart.
func (v *Value) UnmarshalJSON(b []byte) error {
	var raw any
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	switch x := raw.(type) {
	case nil:
		*v = Absent
		return nil
	case string:
		*v = Text(x)
		return nil
	case bool:
		*v = Bool(x)
		return nil
	case []any:
		items := make([]string, len(x))
		for i, e := range x {
			s, ok := e.(string)
			if !ok {
				return fmt.Errorf("schema: a set holds %T", e)
			}
			items[i] = s
		}
		*v = Set(items...)
		return nil
	case map[string]any:
		m := make(map[string]string, len(x))
		for k, e := range x {
			s, ok := e.(string)
			if !ok {
				return fmt.Errorf("schema: a map holds %T", e)
			}
			m[k] = s
		}
		if why, ok := m["unavailable"]; ok && len(m) == 1 {
			*v = Unavailable(why)
			return nil
		}
		*v = Map(m)
		return nil
	}
	return fmt.Errorf("schema: %T is no value", raw)
}
