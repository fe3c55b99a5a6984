package ledger_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/schema"
)

var by = ledger.Entry{By: "Liv", At: time.Date(2026, 11, 25, 9, 0, 0, 500, time.UTC), Configuration: "c0ffee"}

func put(addr schema.Address, attr string, v schema.Value) schema.Effect {
	return schema.Effect{Addr: addr, Attr: attr, Op: schema.Put, Value: v}
}

func open(t *testing.T, dir string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestSavedLedgerIsTheSame writes every kind of value and reads it back.
func TestSavedLedgerIsTheSame(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	if !l.Empty() {
		t.Fatal("a ledger without a file is not empty")
	}
	l.Record([]schema.Effect{
		put("group.b", "", schema.Text("B")),
		put("group.b", "members", schema.Set("x@y.z", "a@y.z")),
		put("group.b", "prompt", schema.Text("two\nlines </x> & more")),
		put("feature.a", "enabled", schema.Bool(true)),
		put("connector.j", "policy", schema.Map(map[string]string{"t": "blocked"})),
		put("connector.j", "gone", schema.Absent),
		put("role.r", "rows", schema.Set()),
	}, by)
	if err := l.Save(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if d := cmp.Diff(l.Entries(), again.Entries(), cmp.Comparer(schema.Value.Equal)); d != "" {
		t.Errorf("after saving (-want +got):\n%s", d)
	}
	one, _ := l.Encode()
	two, _ := again.Encode()
	if string(one) != string(two) {
		t.Error("the same entries gave other bytes")
	}
	if n := strings.Count(string(one), "\n"); n != 4+7+2 {
		t.Errorf("%d lines, want one for each entry:\n%s", n, one)
	}
	b := again.State().Objects["group.b"]
	if b == nil || b.Key != "B" || !b.Get("members").Has("a@y.z") {
		t.Errorf("group.b is %+v", b)
	}
	if again.State().Objects["feature.a"] != nil {
		t.Error("a field alone made an object")
	}
}

// TestRecordMakesEffects compares every operation with what a read would show.
func TestRecordMakesEffects(t *testing.T) {
	l := open(t, t.TempDir())
	l.Record([]schema.Effect{
		put("group.g", "", schema.Text("G")),
		{Addr: "group.g", Attr: "members", Op: schema.Include, Item: "a@b.c"},
		{Addr: "group.g", Attr: "members", Op: schema.Include, Item: "d@b.c"},
		{Addr: "group.g", Attr: "members", Op: schema.Exclude, Item: "a@b.c"},
		{Addr: "group.g", Attr: "levels", Op: schema.PutEntry, Item: "k", Value: schema.Text("v")},
		put("group.g", "note", schema.Text("x")),
		{Addr: "group.g", Attr: "note", Op: schema.Drop},
	}, by)
	g := l.State().Objects["group.g"]
	for name, want := range map[string]schema.Value{
		"members": schema.Set("d@b.c"), "levels": schema.Map(map[string]string{"k": "v"}), "note": schema.Absent,
	} {
		if got := g.Get(name); !got.Equal(want) {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	l.Record([]schema.Effect{{Addr: "group.g", Op: schema.Drop}}, by)
	if !l.Empty() {
		t.Errorf("a deleted object left %v", l.Entries())
	}
}

// TestLaterChangeInvalidates asks with and without a later event.
func TestLaterChangeInvalidates(t *testing.T) {
	l := open(t, t.TempDir())
	l.Record([]schema.Effect{put("feature.cowork", "enabled", schema.Bool(true))}, by)
	for name, c := range map[string]struct {
		changed time.Time
		want    bool
	}{
		"vendor says nothing": {time.Time{}, true},
		"changed before":      {by.At.Add(-time.Hour), true},
		"changed after":       {by.At.Add(time.Hour), false},
	} {
		if _, ok := l.Lookup("feature.cowork", "enabled", c.changed); ok != c.want {
			t.Errorf("%s: %v, want %v", name, ok, c.want)
		}
	}
}

// TestBrokenFileIsAnError never takes half a ledger for a whole one.
func TestBrokenFileIsAnError(t *testing.T) {
	entry := `{"object":"group.g","field":"","value":"G","by":"Liv","at":"2026-11-25T09:00:00Z","configuration":""}`
	wrap := func(s string) string { return `{"kind":"ledger","format_version":"1.0","entries":[` + s + `]}` }
	for name, c := range map[string]struct{ text, want string }{
		"cut short":     {wrap(entry)[:60], "unexpected EOF"},
		"other kind":    {`{"kind":"snapshot","format_version":"1.0","entries":[]}`, "its kind is"},
		"other format":  {`{"kind":"ledger","format_version":"2.0","entries":[]}`, `format "2.0"`},
		"unknown field": {`{"kind":"ledger","format_version":"1.0","entries":[],"x":1}`, "unknown field"},
		"twice":         {wrap(entry + "," + entry), "twice"},
		"nobody":        {wrap(strings.Replace(entry, "Liv", "", 1)), "who confirmed it"},
		"no object":     {wrap(strings.Replace(entry, "group.g", "", 1)), "names no object"},
		"bad value":     {wrap(strings.Replace(entry, `"G"`, `[1]`, 1)), "texts"},
		"more after it": {wrap(entry) + "{}", "after its end"},
		"conflict mark": {"<<<<<<< HEAD\n" + wrap(entry), "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, ledger.FileName), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := ledger.Open(dir)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "restore it") {
				t.Errorf("error %v, want %q and what to do", err, c.want)
			}
		})
	}
}

// TestReadAgainAnswersForEveryAttribute wants absent for what nobody
// confirmed: a caller takes an attribute that is left out as unreadable.
func TestReadAgainAnswersForEveryAttribute(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	l.Record([]schema.Effect{put("group.g", "", schema.Text("G"))}, by)
	if err := l.Save(); err != nil {
		t.Fatal(err)
	}
	r := ledger.NewReader(&schema.Config{Dir: dir}, nil)
	asked := &schema.Object{Type: "group", Addr: "group.g", Key: "G", Attrs: map[string]schema.Value{"members": schema.Set("a@b.c")}}
	moved := &schema.Object{Type: "group", Addr: "group.h", Key: "G"}
	found, err := r.ReadAgain(t.Context(), []*schema.Object{asked, moved, {Type: "group", Addr: "group.x", Key: "X"}})
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := found[0].Attrs["members"]; !ok || v.Kind() != schema.KindAbsent {
		t.Errorf("members is %v, %v", v, ok)
	}
	if found[1] == nil || found[2] != nil {
		t.Errorf("by name: %v, absent: %v", found[1], found[2])
	}
}

// TestAnyLedgerSurvives records random effects and reads them back.
func TestAnyLedgerSurvives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "ledger")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		l, err := ledger.Open(dir)
		if err != nil {
			rt.Fatal(err)
		}
		text := rapid.StringMatching(`[a-z"\\\n<&é☃]{0,8}`)
		for range rapid.IntRange(0, 20).Draw(rt, "n") {
			addr := schema.MakeAddress("group", "g"+text.Draw(rt, "label"), "")
			v := rapid.SampledFrom([]schema.Value{schema.Text(text.Draw(rt, "text")), schema.Set(text.Draw(rt, "item")), schema.Bool(true),
				schema.Map(map[string]string{text.Draw(rt, "key"): text.Draw(rt, "value")}), schema.Absent}).Draw(rt, "value")
			l.Record([]schema.Effect{put(addr, text.Draw(rt, "field"), v)}, by)
		}
		if err := l.Save(); err != nil {
			rt.Fatal(err)
		}
		again, err := ledger.Open(dir)
		if err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(l.Entries(), again.Entries(), cmp.Comparer(schema.Value.Equal)); d != "" {
			rt.Fatal(d)
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"kind":"ledger","format_version":"1.0","entries":[{"object":"group.g","field":"m","value":["a"],"by":"L","at":"2026-11-25T09:00:00Z","configuration":""}]}`))
	f.Add([]byte(`{"kind":"ledger","format_version":"1.0","entries":[{"object":"group.g","field":"m","value":{"map":{}},"by":"L","at":"2026-11-25T09:00:00Z","configuration":""}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ledger.FileName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := ledger.Open(dir)
		if err != nil {
			return
		}
		l.State()
		if _, err := l.Encode(); err != nil {
			t.Fatalf("read and cannot be written: %v", err)
		}
	})
}
