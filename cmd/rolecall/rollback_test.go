package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/providers/emulator"
)

// keptSnapshot returns the state before the only apply of a configuration.
func keptSnapshot(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, ownDir, snapshotsDir, "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("states before an apply: %v, %v", files, err)
	}
	return files[0]
}

// rollBack carries out a rollback. Where it is blocked it does what an admin
// does: it enters the command that was printed.
func rollBack(t *testing.T, url string, args ...string) string {
	t.Helper()
	code, out, stderr := call(t, url, append([]string{"rollback"}, args...)...)
	if code == exitBlocked {
		_, command, ok := strings.Cut(stderr, "each risk by its name:\n   rolecall ")
		if !ok {
			t.Fatalf("rollback is blocked, and does not say what to enter:\n%s%s", out, stderr)
		}
		code, out, stderr = call(t, url, strings.Fields(command)...)
	}
	if code != 0 {
		t.Fatalf("rollback exits with %d:\n%s%s", code, out, stderr)
	}
	return out
}

// TestRollbackOfTheExample rolls back the apply that the README begins with: the
// command that it prints is the one that works, features go off first, people
// are moved back next, and everything else comes after that.
func TestRollbackOfTheExample(t *testing.T) {
	t.Parallel()
	dir := copyDir(t, filepath.Join("..", "..", "examples", "acme"))
	e, url := serveEmulator(t, emulator.Options{Seed: filepath.Join(dir, "acme.org.json"), TimeScale: effectScale})
	before := e.Access()
	if code, _, stderr := call(t, url, "apply", "-C", dir, "--auto-approve"); code != 0 {
		t.Fatalf("apply exits with %d:\n%s", code, stderr)
	}
	code, _, stderr := call(t, url, "rollback", "-C", dir, keptSnapshot(t, dir), "--auto-approve")
	if n := strings.Count(stderr, " --accept "); code != exitBlocked || n != 4 {
		t.Errorf("rollback exits with %d, want %d, and prints a command with %d names to accept, want the 4 that block it:\n%s", code, exitBlocked, n, stderr)
	}
	out := rollBack(t, url, "-C", dir, keptSnapshot(t, dir), "--auto-approve")
	var phases []string
	for _, m := range regexp.MustCompile(`(?m)^  [0-9]+\. ([a-z]+)`).FindAllStringSubmatch(out, -1) {
		phases = append(phases, m[1])
	}
	order := func(phase string) int {
		if i := slices.Index([]string{"features", "migration"}, phase); i >= 0 {
			return i
		}
		return 2
	}
	if len(phases) < 4 || !slices.IsSortedFunc(phases, func(a, b string) int { return cmp.Compare(order(a), order(b)) }) {
		t.Errorf("the phases are %v, want features, then migration, then the rest", phases)
	}
	if s := outside(before, before, e.Access()); s != "" {
		t.Error(s)
	}
}

// TestRollbackOfAnything applies a random configuration to a random
// organization and rolls it back: everybody has what they had, and had at no
// moment more or less than the larger and the smaller of what they had before
// and after, by the emulator's own computation.
func TestRollbackOfAnything(t *testing.T) {
	n := runs(t, 8, 24)
	for i := range n {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			people := sketchPeople(8)
			r := rand.New(rand.NewPCG(11, uint64(i)))
			from, to := randomSketch(r, people), randomSketch(r, people)
			dir := to.dir(t, "0s")
			var within *bound
			bad := ""
			e, url := serveEmulator(t, emulator.Options{SeedData: from.seed(), TimeScale: effectScale, AfterWrite: func(e emulator.Event) {
				if within != nil && bad == "" {
					if s := within.outside(e.Access()); s != "" {
						bad = fmt.Sprintf("after %s %s: %s", e.Method, e.Path, s)
					}
				}
			}})
			before := e.Access()
			code, _, stderr := call(t, url, "apply", "-C", dir, "--auto-approve", acceptSpend)
			if code == exitBlocked {
				t.Skip("there is no safe way there: ", stderr)
			}
			if code != 0 {
				t.Fatalf("apply exits with %d:\n%s", code, stderr)
			}
			within = between(before, e.Access())
			out := rollBack(t, url, "-C", dir, keptSnapshot(t, dir), "--auto-approve", "--accept", "guard.max_spend_increase")
			if bad != "" {
				t.Error(bad)
			}
			if s := outside(before, before, e.Access()); s != "" {
				t.Errorf("in the end, %s\n%s", s, out)
			}
		})
	}
}
