package schema

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/google/renameio/v2/maybe"
)

// A Snapshot is the live state of one organization at one moment, as it is
// kept in a file. Whatever works on live state works on a snapshot.
type Snapshot struct {
	System  string    // the name of the system, as in `system = "…"`
	ID      string    // the organization's id, "" if it has none
	Name    string    // the organization's name
	TakenAt time.Time // in UTC, to the second
	Version string    // of the rolecall that wrote it

	// Pseudonymised says that no name, address or id in it is a real one.
	Pseudonymised bool

	State *State
}

// NewSnapshot returns a snapshot of a state that was read at a moment.
func NewSnapshot(system, version string, at time.Time, live *State) *Snapshot {
	s := &Snapshot{System: system, Version: version, TakenAt: at.UTC().Truncate(time.Second), State: live}
	if o := live.Objects["organization"]; o != nil {
		s.ID, s.Name = o.ID, o.Key
	}
	return s
}

const (
	snapshotKind   = "snapshot"
	snapshotFormat = "1.0"
	maxSnapshot    = 1 << 30 // bytes; a hundred times what 20,000 members take
)

// The file, in the order in which it is written. Each object stands on a line
// of its own, so that two snapshots can be compared line by line.
type (
	snapshotHead struct {
		Kind          string              `json:"kind"`
		FormatVersion string              `json:"format_version"`
		Version       string              `json:"rolecall_version"`
		System        string              `json:"system"`
		Organization  snapshotOrg         `json:"organization"`
		TakenAt       time.Time           `json:"taken_at"`
		Pseudonymised bool                `json:"pseudonymised"`
		Unread        []snapshotUnread    `json:"unread"`
		Objects       []snapshotRawObject `json:"objects"`
	}
	snapshotOrg struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	snapshotUnread struct {
		What       string  `json:"what"`
		Why        string  `json:"why"`
		Affects    string  `json:"affects"`
		Asked      bool    `json:"asked,omitempty"`
		Unverified bool    `json:"unverified,omitempty"`
		Addr       Address `json:"address,omitempty"`
		Fix        string  `json:"fix,omitempty"`
	}
	snapshotRawObject struct {
		Addr  Address                  `json:"address"`
		Type  string                   `json:"type"`
		ID    string                   `json:"id,omitempty"`
		Key   string                   `json:"key"`
		Keys  []string                 `json:"previous_keys,omitempty"`
		Fixed string                   `json:"fixed,omitempty"`
		Attrs map[string]snapshotValue `json:"attributes,omitempty"`
	}
)

// A snapshotValue is a Value of which every kind can be told from every other:
// null is absent, a text, true or false, a list is a set,
// {"map": {…}} is a map and {"unavailable": why} is unavailable.
type snapshotValue Value

func (v snapshotValue) MarshalJSON() ([]byte, error) {
	if v.kind == KindMap {
		m := v.m
		if m == nil {
			m = map[string]string{}
		}
		return json.Marshal(map[string]map[string]string{"map": m})
	}
	return Value(v).MarshalJSON()
}

func (v *snapshotValue) UnmarshalJSON(b []byte) error {
	var x Value
	switch b[0] {
	case 'n':
	case '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		x = Text(s)
	case 't', 'f':
		x = Bool(b[0] == 't')
	case '[':
		items := []*string{}
		if err := json.Unmarshal(b, &items); err != nil {
			return errors.New("a list in an attribute holds something other than texts")
		}
		texts := make([]string, len(items))
		for i, s := range items {
			if s == nil {
				return errors.New("a list in an attribute holds null")
			}
			texts[i] = *s
		}
		x = Set(texts...)
	case '{':
		var o struct {
			Map         map[string]*string `json:"map"`
			Unavailable *string            `json:"unavailable"`
		}
		if err := decodeStrictly(b, &o); err != nil || (o.Map == nil) == (o.Unavailable == nil) {
			return errors.New(`an object in an attribute must be {"map": {…}} with texts, or {"unavailable": "why"}`)
		}
		if o.Unavailable != nil {
			x = Unavailable(*o.Unavailable)
			break
		}
		m := make(map[string]string, len(o.Map))
		for k, s := range o.Map {
			if s == nil {
				return errors.New("a map in an attribute holds null")
			}
			m[k] = *s
		}
		x = Map(m)
	default:
		return fmt.Errorf("an attribute is %s, and must be null, a text, true or false, a list, a map or unavailable", b)
	}
	*v = snapshotValue(x)
	return nil
}

// MarshalValue writes a value as snapshot files have it: every kind can be told
// from every other.
func MarshalValue(v Value) ([]byte, error) { return json.Marshal(snapshotValue(v)) }

// UnmarshalValue reads what MarshalValue wrote.
func UnmarshalValue(b []byte) (Value, error) {
	var v snapshotValue
	if err := json.Unmarshal(b, &v); err != nil {
		return Absent, err
	}
	return Value(v), nil
}

func decodeStrictly(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

// Encode returns the file. The same snapshot gives the same bytes.
func (s *Snapshot) Encode() ([]byte, error) {
	head := snapshotHead{Kind: snapshotKind, FormatVersion: snapshotFormat, Version: s.Version, System: s.System,
		Organization: snapshotOrg{s.ID, s.Name}, TakenAt: s.TakenAt.UTC(), Pseudonymised: s.Pseudonymised,
		Unread: []snapshotUnread{}, Objects: []snapshotRawObject{}}
	for _, u := range s.State.Unread {
		head.Unread = append(head.Unread, snapshotUnread(u))
	}
	b, err := json.MarshalIndent(head, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	out := bytes.NewBuffer(bytes.TrimSuffix(b, []byte("[]\n}")))
	out.WriteByte('[')
	for i, addr := range slices.Sorted(maps.Keys(s.State.Objects)) {
		line, err := json.Marshal(rawObject(s.State.Objects[addr]))
		if err != nil {
			return nil, fmt.Errorf("snapshot: %w", err)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n    ")
		out.Write(line)
	}
	out.WriteString("\n  ]\n}\n")
	return out.Bytes(), nil
}

func rawObject(o *Object) snapshotRawObject {
	raw := snapshotRawObject{Addr: o.Addr, Type: o.Type, ID: o.ID, Key: o.Key, Keys: o.Keys, Fixed: o.Fixed, Attrs: map[string]snapshotValue{}}
	for name, v := range o.Attrs {
		raw.Attrs[name] = snapshotValue(v)
	}
	return raw
}

// Write puts the snapshot into a file that only its owner can read, whole or
// not at all.
func (s *Snapshot) Write(path string) error {
	b, err := s.Encode()
	if err != nil {
		return err
	}
	if err := WritePrivate(path, b); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	return nil
}

// WritePrivate writes a file that only its owner can read, whole or not at
// all, also where a file of that name was open to others.
func WritePrivate(path string, b []byte) error {
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !info.Mode().IsRegular(): // a link, a device: replacing it is not what was meant
		return fmt.Errorf("%s is not a regular file", path)
	default:
		if err := os.Chmod(path, 0o600); err != nil { // the new file takes it over
			return err
		}
	}
	return maybe.WriteFile(path, b, 0o600)
}

// ReadSnapshot reads a file that Write wrote. What is not such a file is an
// error that says what is wrong with it, and where.
func ReadSnapshot(path string) (*Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSnapshot+1))
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	if len(b) > maxSnapshot {
		return nil, fmt.Errorf("snapshot %s: larger than %d MiB; is it a snapshot?", path, maxSnapshot>>20)
	}
	s, err := DecodeSnapshot(b)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", path, err)
	}
	return s, nil
}

// DecodeSnapshot reads the bytes of a snapshot file.
func DecodeSnapshot(b []byte) (*Snapshot, error) {
	var what struct {
		Kind          string `json:"kind"`
		FormatVersion string `json:"format_version"`
		Version       string `json:"rolecall_version"`
	}
	if err := json.Unmarshal(b, &what); err != nil {
		return nil, placed(b, err)
	}
	switch {
	case what.Kind == "":
		return nil, errors.New(`this is not a snapshot: it has no "kind"; make one with rolecall snapshot`)
	case what.Kind != snapshotKind:
		return nil, fmt.Errorf("this is not a snapshot: it says that it is a %q", what.Kind)
	case what.FormatVersion != snapshotFormat:
		return nil, fmt.Errorf("it was written in format %q by rolecall %q, and this version reads format %s: use that version, or make a new snapshot", what.FormatVersion, what.Version, snapshotFormat)
	}
	var head snapshotHead
	if err := decodeStrictly(b, &head); err != nil {
		return nil, placed(b, err)
	}
	s := &Snapshot{System: head.System, ID: head.Organization.ID, Name: head.Organization.Name, TakenAt: head.TakenAt.UTC(),
		Version: head.Version, Pseudonymised: head.Pseudonymised, State: NewState()}
	if s.System == "" {
		return nil, errors.New(`it does not name its system: "system" is empty`)
	}
	for _, u := range head.Unread {
		s.State.Unread = append(s.State.Unread, Unread(u))
	}
	for i, raw := range head.Objects {
		switch {
		case raw.Type == "":
			return nil, fmt.Errorf("object %d (%q) has no type", i+1, raw.Addr)
		case raw.Addr == "" || raw.Addr.Type() != raw.Type:
			return nil, fmt.Errorf("object %d has the address %q, which is not one of a %s", i+1, raw.Addr, raw.Type)
		case s.State.Objects[raw.Addr] != nil:
			return nil, fmt.Errorf("two objects have the address %q", raw.Addr)
		}
		o := &Object{Type: raw.Type, Addr: raw.Addr, ID: raw.ID, Key: raw.Key, Keys: raw.Keys, Fixed: raw.Fixed}
		for name, v := range raw.Attrs {
			o.Put(name, Value(v))
		}
		s.State.Add(o)
	}
	if o := s.State.Objects["organization"]; o != nil && o.ID != s.ID {
		return nil, fmt.Errorf("it says that it is of organization %q, and holds the objects of %q", s.ID, o.ID)
	}
	return s, nil
}

// placed adds line and column to an error of the JSON decoder.
func placed(b []byte, err error) error {
	offset := int64(-1)
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &typ):
		offset = typ.Offset
		if typ.Field != "" {
			err = fmt.Errorf("%q cannot be a JSON %s", typ.Field, typ.Value)
		} else {
			err = fmt.Errorf("a JSON %s is no snapshot", typ.Value)
		}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the file is empty or was cut short")
	}
	if offset < 0 || offset > int64(len(b)) {
		return err
	}
	before := b[:offset]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Errorf("line %d, column %d: %w", line, len(before)-bytes.LastIndexByte(before, '\n')-1, err)
}

// Digest returns the SHA-256, in hex, of what a live object is: its type, id,
// key and attributes. It is the same whatever the configuration calls the
// object, and however an attribute that could not be read failed to be read.
func (o *Object) Digest() string {
	raw := rawObject(o)
	raw.Addr, raw.Keys = "", nil
	for name, v := range raw.Attrs {
		if v.kind == KindUnavailable {
			raw.Attrs[name] = snapshotValue(Unavailable(""))
		}
	}
	if raw.Fixed != "" { // that it is, not in which words
		raw.Fixed = "fixed"
	}
	b, err := json.Marshal(raw)
	if err != nil { // texts, lists and maps of texts can always be written
		panic(fmt.Sprintf("schema: digest of %s: %v", o.Addr, err))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
