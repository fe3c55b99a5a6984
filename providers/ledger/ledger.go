// Package ledger keeps what no API can read: ledger.json beside the
// configuration, committed and reviewed like code. Each entry says of one field
// of one object what somebody saw in the console, who that was, when, and for
// which configuration.
//
// For a system without any API the ledger is the live state, and [Reader] reads
// it like one. For the others it answers only for fields that no read shows.
// Losing the file costs questions, not data: what is not in it is asked again.
//
// It is written by one function, [Ledger.Save], which only the command that
// confirms steps calls; nothing here sends anything anywhere.
package ledger

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"

	"github.com/rolecall/rolecall/schema"
)

// FileName is the name of the file, in the directory of the configuration.
const FileName = "ledger.json"

const (
	kind    = "ledger"
	format  = "1.0"
	maxSize = 64 << 20 // bytes; a hundred times what ten thousand fields take
)

// A Ledger is the content of one file.
type Ledger struct {
	path    string
	entries map[at]Entry
}

// at is what an entry is about. The field of the object itself is "".
type at struct {
	object schema.Address
	field  string
}

// An Entry is what somebody confirmed about one field of one object.
type Entry struct {
	Object schema.Address
	Field  string // an attribute; "" for the object itself, whose value is its name
	Value  schema.Value
	By     string    // who confirmed it
	At     time.Time // when, in UTC, to the second

	// Configuration is the digest of the configuration it was confirmed for.
	Configuration string
}

// Outdated reports whether the entry was confirmed before changed, the moment
// at which the vendor says that the field was last changed. The zero time
// stands for a vendor that says nothing.
func (e Entry) Outdated(changed time.Time) bool { return !changed.IsZero() && e.At.Before(changed) }

type (
	fileForm struct {
		Kind    string      `json:"kind"`
		Format  string      `json:"format_version"`
		Entries []entryForm `json:"entries"`
	}
	entryForm struct {
		Object        schema.Address  `json:"object"`
		Field         string          `json:"field"`
		Value         json.RawMessage `json:"value"`
		By            string          `json:"by"`
		At            time.Time       `json:"at"`
		Configuration string          `json:"configuration"`
	}
)

// For returns the ledger of a configuration, under its addresses.
func For(c *schema.Config) (*Ledger, error) {
	l, err := Open(c.Dir)
	if err == nil {
		l.Move(c.Now)
	}
	return l, err
}

// Open reads the ledger of the configuration in dir. Without a file the ledger
// is empty. A file that cannot be read whole is an error: half a ledger would
// ask for things to be done that were done.
func Open(dir string) (*Ledger, error) {
	l := &Ledger{path: filepath.Join(dir, FileName), entries: map[at]Entry{}}
	info, err := os.Stat(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil && info.Size() > maxSize {
		err = fmt.Errorf("larger than %d MiB", maxSize>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	b, err := os.ReadFile(l.path)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	if err := l.decode(b); err != nil {
		return nil, fmt.Errorf("ledger %s: %w; restore it from the repository, or delete it and confirm again what was done", l.path, err)
	}
	return l, nil
}

func (l *Ledger) decode(b []byte) error {
	var f fileForm
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return err
	}
	if d.More() {
		return errors.New("there is something after its end")
	}
	if f.Kind != kind || f.Format != format {
		return fmt.Errorf("its kind is %q in format %q, and this version reads %q in format %s", f.Kind, f.Format, kind, format)
	}
	for i, e := range f.Entries {
		v := schema.Absent
		var err error
		if len(e.Value) > 0 {
			v, err = schema.UnmarshalValue(e.Value)
		}
		switch {
		case err != nil:
			return fmt.Errorf("entry %d (%s %s): %w", i+1, e.Object, e.Field, err)
		case e.Object.Type() == "":
			return fmt.Errorf("entry %d names no object", i+1)
		case e.By == "" || e.At.IsZero():
			return fmt.Errorf("entry %d (%s %s) does not say who confirmed it, and when", i+1, e.Object, e.Field)
		}
		k := at{e.Object, e.Field}
		if _, twice := l.entries[k]; twice {
			return fmt.Errorf("entry %d: %s %s is there twice", i+1, e.Object, e.Field)
		}
		l.entries[k] = Entry{e.Object, e.Field, v, e.By, e.At.UTC(), e.Configuration}
	}
	return nil
}

// Empty reports whether nothing was ever confirmed.
func (l *Ledger) Empty() bool { return len(l.entries) == 0 }

// Entries returns every entry, sorted by object and field.
func (l *Ledger) Entries() []Entry {
	list := make([]Entry, 0, len(l.entries))
	for _, e := range l.entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(strings.Compare(string(a.Object), string(b.Object)), strings.Compare(a.Field, b.Field))
	})
	return list
}

// Lookup returns what was confirmed about a field, and false if nothing was,
// or if the vendor says that the field was changed after that. The zero time
// stands for a vendor that says nothing.
func (l *Ledger) Lookup(object schema.Address, field string, changed time.Time) (Entry, bool) {
	e, ok := l.entries[at{object, field}]
	if !ok || e.Outdated(changed) {
		return Entry{}, false
	}
	return e, true
}

// Record notes that effects are in force. Who confirmed it, when, and for which
// configuration is taken from by; its other fields are ignored. Effects of one
// object are made one after the other, in the given order.
func (l *Ledger) Record(effects []schema.Effect, by Entry) {
	by.At = by.At.UTC().Truncate(time.Second)
	note := func(object schema.Address, field string, v schema.Value) {
		l.entries[at{object, field}] = Entry{object, field, v, by.By, by.At, by.Configuration}
	}
	for _, e := range effects {
		switch {
		case e.Attr == "" && e.Op == schema.Drop:
			l.Forget(e.Addr)
		case e.Attr == "":
			note(e.Addr, "", e.Value)
		default:
			o := &schema.Object{Type: e.Addr.Type(), Addr: e.Addr}
			if had, ok := l.entries[at{e.Addr, e.Attr}]; ok {
				o.Put(e.Attr, had.Value)
			}
			note(e.Addr, e.Attr, e.Make(o).Get(e.Attr))
		}
	}
}

// Move gives what was confirmed under earlier addresses the addresses it has
// now, wherever they stand. What was confirmed under both is taken from the new
// one. The file changes when it is next saved.
func (l *Ledger) Move(now func(schema.Address) schema.Address) {
	moved := map[at]Entry{}
	for _, fresh := range []bool{false, true} { // the new addresses win
		for k, e := range l.entries {
			to := now(k.object)
			if (to == k.object) != fresh {
				continue
			}
			e.Object, e.Value = to, renamed(e.Value, now)
			moved[at{to, k.field}] = e
		}
	}
	l.entries = moved
}

// renamed returns a value with the addresses of now in it.
func renamed(v schema.Value, now func(schema.Address) schema.Address) schema.Value {
	to := func(s string) string { return string(now(schema.Address(s))) }
	switch v.Kind() {
	case schema.KindText:
		return schema.Text(to(v.AsText()))
	case schema.KindSet:
		items := slices.Clone(v.AsSet())
		for i := range items {
			items[i] = to(items[i])
		}
		return schema.Set(items...)
	case schema.KindMap:
		m := map[string]string{}
		for key, s := range v.AsMap() {
			m[to(key)] = s
		}
		return schema.Map(m)
	}
	return v
}

// Forget drops everything about an object.
func (l *Ledger) Forget(object schema.Address) {
	for k := range l.entries {
		if k.object == object {
			delete(l.entries, k)
		}
	}
}

// Merge takes over the entries of o that are newer than those of l, and those
// that l does not have. It changes nothing in a file.
func (l *Ledger) Merge(o *Ledger) {
	for k, e := range o.entries {
		if have, ok := l.entries[k]; !ok || have.At.Before(e.At) {
			l.entries[k] = e
		}
	}
}

// Encode returns the bytes of the file: one entry a line, sorted, so that two
// versions compare line by line. The same entries give the same bytes.
func (l *Ledger) Encode() ([]byte, error) {
	var w bytes.Buffer
	fmt.Fprintf(&w, "{\n  \"kind\": %q,\n  \"format_version\": %q,\n  \"entries\": [", kind, format)
	for i, e := range l.Entries() {
		value, err := schema.MarshalValue(e.Value)
		if err != nil {
			return nil, fmt.Errorf("ledger: %w", err)
		}
		line, err := json.Marshal(entryForm{e.Object, e.Field, value, e.By, e.At, e.Configuration})
		if err != nil {
			return nil, fmt.Errorf("ledger: %w", err)
		}
		if i > 0 {
			w.WriteByte(',')
		}
		w.WriteString("\n    ")
		w.Write(line)
	}
	if len(l.entries) > 0 {
		w.WriteString("\n  ")
	}
	w.WriteString("]\n}\n")
	return w.Bytes(), nil
}

// Save writes the file, whole or not at all.
func (l *Ledger) Save() error {
	b, err := l.Encode()
	if err != nil {
		return err
	}
	if err := maybe.WriteFile(l.path, b, 0o644); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// Path returns where the file is.
func (l *Ledger) Path() string { return l.path }

// State returns the objects that were confirmed to be there, with their fields.
// A field of an object that is not there counts for nothing.
func (l *Ledger) State() *schema.State {
	s := schema.NewState()
	for _, e := range l.Entries() { // the object itself sorts first
		if e.Field == "" {
			s.Add(&schema.Object{Type: e.Object.Type(), Addr: e.Object, Key: e.Value.AsText(), Attrs: map[string]schema.Value{}})
			continue
		}
		o := s.Objects[e.Object]
		if o == nil {
			continue
		}
		o.Put(e.Field, e.Value)
		if e.Field == "name" && e.Value.AsText() != "" {
			o.Key = e.Value.AsText()
		}
	}
	return s
}
