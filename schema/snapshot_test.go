package schema_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/schema"
)

var (
	anyText  = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "null", "map", "unavailable", "true", "0", "\x00", "\u2028", "</script>", `"`, "営業部"}))
	anyValue = rapid.Custom(func(t *rapid.T) schema.Value {
		switch rapid.SampledFrom([]schema.Kind{schema.KindAbsent, schema.KindUnavailable, schema.KindText, schema.KindBool, schema.KindSet, schema.KindMap}).Draw(t, "kind") {
		case schema.KindUnavailable:
			return schema.Unavailable(anyText.Draw(t, "why"))
		case schema.KindText:
			return schema.Text(anyText.Draw(t, "text"))
		case schema.KindBool:
			return schema.Bool(rapid.Bool().Draw(t, "bool"))
		case schema.KindSet:
			return schema.Set(rapid.SliceOfN(anyText, 0, 4).Draw(t, "set")...)
		case schema.KindMap:
			return schema.Map(rapid.MapOfN(anyText, anyText, 0, 4).Draw(t, "map"))
		}
		return schema.Absent
	})
	anyState = rapid.Custom(func(t *rapid.T) *schema.State {
		s := schema.NewState()
		for range rapid.IntRange(0, 6).Draw(t, "objects") {
			typ := rapid.SampledFrom([]string{"role", "group", "member", "organization"}).Draw(t, "type")
			o := &schema.Object{Type: typ, Addr: schema.MakeAddress(typ, anyText.Draw(t, "label"), ""), ID: "org", Key: anyText.Draw(t, "key"),
				Fixed: anyText.Draw(t, "fixed"), Keys: rapid.SliceOfN(anyText, 0, 2).Draw(t, "keys")}
			if typ == "organization" {
				o.Addr = "organization"
			} else {
				o.ID = anyText.Draw(t, "id")
			}
			for name, v := range rapid.MapOfN(anyText, anyValue, 0, 4).Draw(t, "attrs") {
				o.Put(name, v)
			}
			s.Add(o)
		}
		for range rapid.IntRange(0, 2).Draw(t, "unread") {
			s.Unread = append(s.Unread, schema.Unread{What: anyText.Draw(t, "what"), Why: anyText.Draw(t, "why"), Affects: anyText.Draw(t, "affects"),
				Asked: rapid.Bool().Draw(t, "asked"), Unverified: rapid.Bool().Draw(t, "unverified"), Addr: "role.x", Fix: anyText.Draw(t, "fix")})
		}
		return s
	})
)

// same compares values of every kind, unavailable ones by their reason.
func same(a, b schema.Value) bool {
	if a.Kind() == schema.KindUnavailable || b.Kind() == schema.KindUnavailable {
		return a.Kind() == b.Kind() && a.Why() == b.Why()
	}
	return a.Equal(b)
}

// TestSnapshotRoundTrip writes states of every kind of value and reads them
// back: absent, empty and unavailable are three things.
func TestSnapshotRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := schema.NewSnapshot("system", "v1", time.Unix(1795000000, 5), anyState.Draw(t, "state"))
		want.Pseudonymised = rapid.Bool().Draw(t, "pseudonymised")
		b, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := schema.DecodeSnapshot(b)
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		again, err := got.Encode()
		if err != nil || !bytes.Equal(b, again) {
			t.Fatalf("written again, it differs (%v):\n%s\n%s", err, b, again)
		}
		if got.System != want.System || got.ID != want.ID || got.Name != want.Name || got.Version != want.Version || !got.TakenAt.Equal(want.TakenAt) || got.Pseudonymised != want.Pseudonymised {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		if !slices.Equal(got.State.Unread, want.State.Unread) {
			t.Fatalf("unread %+v, want %+v", got.State.Unread, want.State.Unread)
		}
		if g, w := slices.Sorted(maps.Keys(got.State.Objects)), slices.Sorted(maps.Keys(want.State.Objects)); !slices.Equal(g, w) {
			t.Fatalf("objects %q, want %q", g, w)
		}
		for addr, w := range want.State.Objects {
			g := got.State.Objects[addr]
			if g.Type != w.Type || g.Addr != w.Addr || g.ID != w.ID || g.Key != w.Key || g.Fixed != w.Fixed || !slices.Equal(g.Keys, w.Keys) || !maps.EqualFunc(g.Attrs, w.Attrs, same) {
				t.Fatalf("got %+v, want %+v", g, w)
			}
			if g.Digest() != w.Digest() {
				t.Fatalf("the digest of %s changes", addr)
			}
		}
	})
}

// TestSnapshotHasEveryField fails when a type gets a field that a snapshot
// does not carry.
func TestSnapshotHasEveryField(t *testing.T) {
	for typ, want := range map[reflect.Type]string{
		reflect.TypeFor[schema.State]():  "Objects Unread",
		reflect.TypeFor[schema.Object](): "Type Addr ID Key Keys Attrs People Fixed Decl AttrDecl", // People, Decl and AttrDecl are of described objects
		reflect.TypeFor[schema.Unread](): "What Why Affects Asked Unverified Addr Fix",
		reflect.TypeFor[schema.Value]():  "kind text set m",
	} {
		var names []string
		for i := range typ.NumField() {
			names = append(names, typ.Field(i).Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s has the fields %s, and schema/snapshot.go was written for %s", typ, got, want)
		}
	}
}

func TestObjectDigest(t *testing.T) {
	object := func(change func(*schema.Object)) string {
		o := &schema.Object{Type: "group", Addr: "group.pilot", ID: "g1", Key: "Pilot"}
		o.Put("members", schema.Set("ann@acme.com"))
		o.Put("roles", schema.Unavailable("busy"))
		change(o)
		return o.Digest()
	}
	first := object(func(*schema.Object) {})
	for name, change := range map[string]func(*schema.Object){
		"address":         func(o *schema.Object) { o.Addr = "group.other" },
		"why-unavailable": func(o *schema.Object) { o.Put("roles", schema.Unavailable("still busy")) },
	} {
		if object(change) != first {
			t.Errorf("%s changes the digest", name)
		}
	}
	for name, change := range map[string]func(*schema.Object){
		"type":             func(o *schema.Object) { o.Type = "role" },
		"id":               func(o *schema.Object) { o.ID = "g2" },
		"key":              func(o *schema.Object) { o.Key = "Pilots" },
		"fixed":            func(o *schema.Object) { o.Fixed = "no" },
		"member":           func(o *schema.Object) { o.Put("members", schema.Set("ann@acme.com", "bob@acme.com")) },
		"empty":            func(o *schema.Object) { o.Put("members", schema.Set()) },
		"absent":           func(o *schema.Object) { o.Put("members", schema.Absent) },
		"known":            func(o *schema.Object) { o.Put("roles", schema.Set()) },
		"set-for-map":      func(o *schema.Object) { o.Put("members", schema.Map(map[string]string{"ann@acme.com": ""})) },
		"text-for-bool":    func(o *schema.Object) { o.Put("members", schema.Text("true")) },
		"attribute":        func(o *schema.Object) { o.Put("source", schema.Text("scim")) },
		"map-of-one-entry": func(o *schema.Object) { o.Put("roles", schema.Map(map[string]string{"unavailable": ""})) },
	} {
		if object(change) == first {
			t.Errorf("%s does not change the digest", name)
		}
	}
}

func TestSnapshotFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.snapshot.json")
	if err := os.WriteFile(path, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := schema.NewSnapshot("system", "v1", time.Unix(0, 0), schema.NewState()).Write(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := schema.ReadSnapshot(path); err != nil {
		t.Error(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := schema.WritePrivate(link, nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("over a link: %v", err)
	}
}

const snapshotStart = `{"kind":"snapshot","format_version":"1.0","rolecall_version":"v1","system":"s","organization":{"id":"o","name":"O"},"taken_at":"2026-11-22T09:00:00Z","pseudonymised":false,"unread":[],"objects":[`

// TestSnapshotRefuses lists what is no snapshot, with what is said of it.
func TestSnapshotRefuses(t *testing.T) {
	object := func(s string) string { return snapshotStart + s + "]}" }
	for name, tt := range map[string]struct{ src, want string }{
		"empty":            {"", "line 1, column 0: unexpected end of JSON input"},
		"cut":              {object("")[:90], "unexpected end of JSON input"},
		"not-json":         {"organization \"acme\" {", "line 1, column 1: invalid character 'o'"},
		"a-list":           {"[]", "a JSON array is no snapshot"},
		"no-kind":          {"{}", `has no "kind"`},
		"a-plan":           {`{"kind":"plan"}`, `it says that it is a "plan"`},
		"newer":            {`{"kind":"snapshot","format_version":"2.0","rolecall_version":"v9"}`, `format "2.0" by rolecall "v9"`},
		"unknown-field":    {strings.Replace(object(""), `"unread"`, `"extra":1,"unread"`, 1), `unknown field "extra"`},
		"no-system":        {strings.Replace(object(""), `"system":"s"`, `"system":""`, 1), "does not name its system"},
		"time":             {strings.Replace(object(""), "2026-11-22T09:00:00Z", "yesterday", 1), "parsing time"},
		"wrong-type":       {strings.Replace(object(""), `"unread":[]`, `"unread":{}`, 1), `"unread" cannot be a JSON object`},
		"no-type":          {object(`{"address":"group.a","key":"a"}`), `object 1 ("group.a") has no type`},
		"no-address":       {object(`{"type":"group","key":"a"}`), `the address "", which is not one of a group`},
		"other-address":    {object(`{"type":"group","address":"role.a","key":"a"}`), `the address "role.a", which is not one of a group`},
		"twice":            {object(`{"type":"group","address":"group.a","key":"a"},{"type":"group","address":"group.a","key":"b"}`), `two objects have the address "group.a"`},
		"other-org":        {object(`{"type":"organization","address":"organization","id":"p","key":"P"}`), `of organization "o", and holds the objects of "p"`},
		"number":           {object(`{"type":"group","address":"group.a","key":"a","attributes":{"x":1}}`), "an attribute is 1, and must be"},
		"list-of-numbers":  {object(`{"type":"group","address":"group.a","key":"a","attributes":{"x":[1]}}`), "something other than texts"},
		"list-of-null":     {object(`{"type":"group","address":"group.a","key":"a","attributes":{"x":[null]}}`), "holds null"},
		"map-of-null":      {object(`{"type":"group","address":"group.a","key":"a","attributes":{"x":{"map":{"a":null}}}}`), "holds null"},
		"bare-map":         {object(`{"type":"group","address":"group.a","key":"a","attributes":{"x":{"a":"b"}}}`), "an object in an attribute must be"},
		"map-and-why":      {object(`{"type":"group","address":"group.a","key":"a","attributes":{"x":{"map":{},"unavailable":""}}}`), "an object in an attribute must be"},
		"an-array-of-maps": {object(`{"type":"group","address":"group.a","key":"a","attributes":{"x":[{}]}}`), "something other than texts"},
		"more-after-it":    {object("") + "{}", "line 1, column 198: invalid character '{' after top-level value"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := schema.DecodeSnapshot([]byte(tt.src)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// FuzzSnapshot checks that no file makes the reader panic, and that what it
// reads it also writes.
func FuzzSnapshot(f *testing.F) {
	f.Add([]byte(snapshotStart + `{"type":"group","address":"group.a","id":"g","key":"a","attributes":{"a":null,"b":"t","c":true,"d":["x"],"e":{"map":{"k":"v"}},"f":{"unavailable":"why"}}}]}`))
	f.Add([]byte(snapshotStart + "]}"))
	f.Add([]byte(`{"kind":"snapshot"}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := schema.DecodeSnapshot(src)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error that says nothing")
			}
			return
		}
		b, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := schema.DecodeSnapshot(b); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
	})
}
