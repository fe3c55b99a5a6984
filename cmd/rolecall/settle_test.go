package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/providers/emulator"
)

// A bounded watches an organization: after every request and every few
// milliseconds, nobody may have more or less than the larger and the smaller of
// two states.
type bounded struct {
	server *emulator.Server

	mu     sync.Mutex
	within *bound
	bad    string // what was wrong first
}

func (b *bounded) look(when string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bad != "" {
		return
	}
	if s := b.within.outside(b.server.Access()); s != "" {
		b.bad = when + ": " + s
	}
}

// watch serves an organization and looks at it until the test is over or stop
// is called.
func watch(t *testing.T, o emulator.Options, before, after emulator.Access) (b *bounded, url string, stop func()) {
	t.Helper()
	e, err := emulator.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	b = &bounded{server: e, within: between(before, after)}
	handler := e.Handler()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		if r.Method != http.MethodGet {
			b.look("after " + r.Method + " " + r.URL.Path)
		}
	}))
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				b.look("in between")
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		close(end)
		<-done
		h.Close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return b, h.URL, stop
}

// lateEffects are the documented times until members notice a change, each
// change after any part of it, and a time scale that makes a quarter of an hour
// a fraction of a second.
const lateEffects = `{"effect": {"roles": "15m", "groups": "15m", "members": "15m", "features": "15m", "connectors": "1m"}, "spread": true}`

const effectScale = 1800

// acceptSpend lets limits of random organizations grow as they like.
const acceptSpend = "--accept=guard.max_spend_increase"

// ends applies a configuration where every change is in force at once, and
// returns what everybody has in the beginning and in the end.
func ends(t *testing.T, o emulator.Options, dir string) (before, after emulator.Access, code int, stderr string) {
	t.Helper()
	e, url := serveEmulator(t, o)
	before = e.Access()
	code, _, stderr = call(t, url, "apply", "-C", dir, "--auto-approve", acceptSpend)
	return before, e.Access(), code, stderr
}

// TestWaitsAreLongEnough carries out migrations of random organizations where
// every change takes up to the documented time to be in force, so that what was
// done later is often in force earlier. Nobody may ever have too much or too
// little, at no moment between two requests either, by the emulator's own
// computation. Of no order without waits this holds: see TestWithoutWaits.
func TestWaitsAreLongEnough(t *testing.T) {
	n := runs(t, 6, 12)
	for i := range n {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			people := sketchPeople(12)
			r := rand.New(rand.NewPCG(7, uint64(i)))
			from, to := randomSketch(r, people), randomSketch(r, people)
			before, after, code, stderr := ends(t, emulator.Options{SeedData: from.seed()}, to.dir(t, "0s"))
			if code == exitBlocked {
				t.Skip("there is no safe way there: ", stderr)
			}
			if code != 0 {
				t.Fatalf("apply exits with %d:\n%s", code, stderr)
			}
			b, url, stop := watch(t, emulator.Options{SeedData: from.seed(), Delays: []byte(lateEffects), TimeScale: effectScale}, before, after)
			if code, _, stderr := call(t, url, "apply", "-C", to.dir(t, "15m"), "--auto-approve", acceptSpend); code != 0 {
				t.Fatalf("apply exits with %d:\n%s", code, stderr)
			}
			time.Sleep(15 * time.Minute / effectScale)
			stop()
			if b.bad != "" {
				t.Error(b.bad)
			}
			if s := outside(after, after, b.server.Access()); s != "" {
				t.Error("in the end, ", s)
			}
		})
	}
}

// TestMigrationUnderDelays is the same for the example.
func TestMigrationUnderDelays(t *testing.T) {
	t.Parallel()
	dir := copyDir(t, filepath.Join("..", "..", "examples", "acme"))
	seed := filepath.Join(dir, "acme.org.json")
	before, after, code, stderr := ends(t, emulator.Options{Seed: seed}, dir)
	if code != 0 {
		t.Fatalf("apply exits with %d:\n%s", code, stderr)
	}
	late := copyDir(t, filepath.Join("..", "..", "examples", "acme"))
	name := filepath.Join(late, "organization.hcl")
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(src), `settle = "1s"`, `settle = "15m"`, 1)
	if text == string(src) {
		t.Fatal("the example has no settle to replace")
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b, url, stop := watch(t, emulator.Options{Seed: seed, Delays: []byte(lateEffects), TimeScale: effectScale}, before, after)
	if code, _, stderr := call(t, url, "apply", "-C", late, "--auto-approve", acceptSpend); code != 0 {
		t.Fatalf("apply exits with %d:\n%s", code, stderr)
	}
	time.Sleep(15 * time.Minute / effectScale)
	stop()
	if b.bad != "" {
		t.Error(b.bad)
	}
	if s := outside(after, after, b.server.Access()); s != "" {
		t.Error("in the end, ", s)
	}
}

// TestWithoutWaits shows that the waits are what keeps everybody inside: with
// settle = "0s" the same migrations go outside.
func TestWithoutWaits(t *testing.T) {
	t.Parallel()
	people := sketchPeople(12)
	out := 0 // times that somebody was outside
	for i := range uint64(6) {
		r := rand.New(rand.NewPCG(7, i))
		from, to := randomSketch(r, people), randomSketch(r, people)
		before, after, code, _ := ends(t, emulator.Options{SeedData: from.seed()}, to.dir(t, "0s"))
		if code != 0 {
			continue
		}
		b, url, stop := watch(t, emulator.Options{SeedData: from.seed(), Delays: []byte(lateEffects), TimeScale: effectScale}, before, after)
		if code, _, stderr := call(t, url, "apply", "-C", to.dir(t, "0s"), "--auto-approve", acceptSpend); code != 0 {
			t.Fatalf("apply exits with %d:\n%s", code, stderr)
		}
		time.Sleep(15 * time.Minute / effectScale)
		stop()
		if b.bad != "" {
			out++
			break
		}
	}
	if out == 0 {
		t.Error("nobody is outside of the bound without waits either: the test of the waits shows nothing")
	}
}
