package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/schema"
)

// TestHostileSnapshot plans on snapshots in which anything may have become
// anything: whatever comes of it, it is a status and not a panic.
func TestHostileSnapshot(t *testing.T) {
	dir := copyDir(t, filepath.Join("..", "..", "examples", "acme"))
	_, url := openEmulator(t, filepath.Join(dir, "acme.org.json"), nil)
	if code, _, stderr := call(t, url, "apply", "-C", dir, "--auto-approve"); code != 0 {
		t.Fatalf("apply exits with %d:\n%s", code, stderr)
	}
	good := filepath.Join(t.TempDir(), "good.snapshot.json")
	if code, _, stderr := call(t, url, "snapshot", "-C", dir, "-o", good); code != 0 {
		t.Fatalf("snapshot exits with %d:\n%s", code, stderr)
	}
	first, err := schema.ReadSnapshot(good)
	if err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call(t, url, "plan", "-C", dir, "--detailed-exitcode", "--snapshot", good); code != 0 {
		t.Fatalf("plan exits with %d:\n%s", code, stderr)
	}
	odd := []schema.Value{schema.Absent, schema.Unavailable("gone"), schema.Text(""), schema.Text("\x1b[31m"), schema.Text("-1"), schema.Bool(true), schema.Set(), schema.Set("", "x@y.z"),
		schema.Map(nil), schema.Map(map[string]string{"": "", "a.b": "always_allow", "x": "?"})}
	path := filepath.Join(t.TempDir(), "bad.snapshot.json")
	often(t, 300, 20)
	rapid.Check(t, func(rt *rapid.T) {
		bad := *first
		bad.State = first.State.Clone()
		addrs := slices.Sorted(maps.Keys(bad.State.Objects))
		for range rapid.IntRange(1, 4).Draw(rt, "changes") {
			o := bad.State.Objects[rapid.SampledFrom(addrs).Draw(rt, "object")]
			if o == nil {
				continue
			}
			switch rapid.IntRange(0, 4).Draw(rt, "change") {
			case 0:
				delete(bad.State.Objects, o.Addr)
			case 1:
				if o.Type != "organization" {
					o.ID = rapid.SampledFrom([]string{"", "x", "\x00"}).Draw(rt, "id")
				}
			case 2:
				o.Key = rapid.SampledFrom([]string{"", "x", "\u202e"}).Draw(rt, "key")
			default:
				if names := slices.Sorted(maps.Keys(o.Attrs)); len(names) > 0 {
					o.Put(rapid.SampledFrom(names).Draw(rt, "attribute"), rapid.SampledFrom(odd).Draw(rt, "value"))
				}
			}
		}
		if err := bad.Write(path); err != nil {
			rt.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			rt.Fatal(err)
		}
		for _, args := range [][]string{{"plan", "-C", dir, "--snapshot", path}, {"import", "--snapshot", path, "--system", "claude-enterprise", "-C", filepath.Join(filepath.Dir(path), "new"), "--force"}} {
			func() {
				defer func() {
					if r := recover(); r != nil {
						rt.Fatalf("%v panics: %v\n%s", args, r, b)
					}
				}()
				if code, _, stderr := call(t, url, args...); code != exitOK && stderr == "" && code == exitError {
					rt.Fatalf("%v exits with %d and says nothing", args, code)
				}
			}()
		}
	})
}
