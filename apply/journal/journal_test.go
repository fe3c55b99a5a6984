package journal_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/apply/journal"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

func write(t *testing.T, records ...journal.Record) string {
	t.Helper()
	j, err := journal.Create(t.TempDir(), now, journal.Record{Actor: "jane@acme.com", Commit: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := j.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return j.Path()
}

func steps(records []journal.Record) []string {
	var list []string
	for _, r := range records {
		list = append(list, string(r.Kind)+" "+r.Step)
	}
	return list
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	path := write(t, journal.Record{Kind: journal.Intent, Step: "a"}, journal.Record{Kind: journal.Done, Step: "a", Request: "req_1"})
	got, err := journal.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"begin ", "intent a", "done a"}, steps(got)); diff != "" {
		t.Error(diff)
	}
	if got[0].Actor != "jane@acme.com" || got[2].Request != "req_1" || !got[1].At.Equal(noon) {
		t.Errorf("%+v", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A crash in the middle of a record leaves a part of it.
func TestCutLineIsDropped(t *testing.T) {
	path := write(t, journal.Record{Kind: journal.Intent, Step: "a"}, journal.Record{Kind: journal.Done, Step: "a"})
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	want := []string{"begin ", "intent a"}
	for n := len(lines[0]) + len(lines[1]); n < len(whole); n++ {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := journal.Read(path)
		if err != nil {
			t.Fatalf("after %d bytes: %v", n, err)
		}
		if diff := cmp.Diff(want, steps(got)); diff != "" {
			t.Fatalf("after %d bytes: %s", n, diff)
		}
	}
}

func TestChangedJournalShows(t *testing.T) {
	for name, change := range map[string]func([]string) []string{
		"line-taken-out": func(l []string) []string { return append(l[:1:1], l[2:]...) },
		"line-swapped":   func(l []string) []string { return []string{l[0], l[2], l[1], l[3]} },
		"line-changed": func(l []string) []string {
			return []string{l[0], strings.Replace(l[1], `"a"`, `"b"`, 1), l[2], l[3]}
		},
		"first-line-gone": func(l []string) []string { return l[1:] },
		"no-json":         func(l []string) []string { return []string{l[0], "{\n", l[1]} },
		"begins-twice":    func(l []string) []string { return []string{l[0], l[0]} },
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, journal.Record{Kind: journal.Intent, Step: "a"}, journal.Record{Kind: journal.Done, Step: "a"}, journal.Record{Kind: journal.End})
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.SplitAfter(strings.TrimSuffix(string(whole), "\n"), "\n")
			lines[3] += "\n"
			if err := os.WriteFile(path, []byte(strings.Join(change(lines), "")), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := journal.Read(path); err == nil {
				t.Errorf("read %v", steps(got))
			}
		})
	}
}

func TestOpenAreTheIntentsWithoutOutcome(t *testing.T) {
	i := func(s string) journal.Record { return journal.Record{Kind: journal.Intent, Step: s} }
	d := func(s string) journal.Record { return journal.Record{Kind: journal.Done, Step: s} }
	f := func(s string) journal.Record { return journal.Record{Kind: journal.Failed, Step: s} }
	for name, tt := range map[string]struct{ records, open []journal.Record }{
		"nothing":         {nil, nil},
		"one-killed":      {[]journal.Record{i("a"), d("a"), i("b")}, []journal.Record{i("b")}},
		"several-at-once": {[]journal.Record{i("a"), i("b"), i("c"), d("b"), f("c")}, []journal.Record{i("a"), i("c")}},
		"ended":           {[]journal.Record{i("a"), {Kind: journal.End}}, nil},
	} {
		if diff := cmp.Diff(steps(tt.open), steps(journal.Open(tt.records))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWritersDoNotMix(t *testing.T) {
	j, err := journal.Create(t.TempDir(), now, journal.Record{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 10 {
				if err := j.Write(journal.Record{Kind: journal.Intent, Step: "x"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got, err := journal.Read(j.Path()); err != nil || len(got) != 201 {
		t.Errorf("%d records, %v", len(got), err)
	}
}

func TestNothingIsWrittenAfterAnError(t *testing.T) {
	j, err := journal.Create(t.TempDir(), now, journal.Record{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.Write(journal.Record{Kind: journal.Intent}); err == nil {
		t.Error("wrote to a closed file")
	}
}

func TestLastKnowsWhoChangedWhat(t *testing.T) {
	dir := t.TempDir()
	for _, actor := range []string{"jane", "raj"} {
		j, err := journal.Create(dir, now, journal.Record{Actor: actor})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []journal.Record{{Kind: journal.Done, Step: "s", Address: "group.a"}, {Kind: journal.Intent, Step: "t", Address: "group." + actor}} {
			if err := j.Write(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	last, err := journal.Last(dir)
	if err != nil || len(last) != 1 || last["group.a"].Actor != "raj" {
		t.Errorf("%+v, %v", last, err)
	}
	if none, err := journal.Last(filepath.Join(dir, "nowhere")); err != nil || len(none) > 0 {
		t.Errorf("%v, %v", none, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"kind":"begin","at":"2026-11-25T12:00:00Z","before":""}` + "\n")
	f.Add("{}\n")
	f.Add(strings.Repeat("x", 100000) + "\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "x.jsonl")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		records, _ := journal.Read(path)
		journal.Open(records)
	})
}

func BenchmarkWrite(b *testing.B) {
	j, err := journal.Create(b.TempDir(), time.Now, journal.Record{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := j.Write(journal.Record{Kind: journal.Done, Step: "group.pilot/join/jane@acme.com", Request: "req_1"}); err != nil {
			b.Fatal(err)
		}
	}
}
