package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers/all"
	"github.com/rolecall/rolecall/providers/emulator"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// copyDir copies an example, so that a test never writes beside it. The live
// copy of somebody who tried the example stays behind.
func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{".rolecall", "*/.rolecall"} {
		tried, err := filepath.Glob(filepath.Join(to, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range tried {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
	return to
}

// call runs rolecall against an emulator and returns its exit status and what
// it printed.
func call(t *testing.T, endpoint string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := map[string]string{"ROLECALL_ENDPOINT": endpoint}
	code = run(context.Background(), append([]string{"rolecall"}, args...), streams{
		in: strings.NewReader(""), out: &out, err: &errs, getenv: func(k string) string { return env[k] },
	})
	return code, out.String(), errs.String()
}

// openEmulator serves a seed from memory.
func openEmulator(t *testing.T, seed string, after func(emulator.Event)) (*emulator.Server, string) {
	t.Helper()
	return serveEmulator(t, emulator.Options{Seed: seed, AfterWrite: after})
}

// serveEmulator serves an emulator until the test is over.
func serveEmulator(t *testing.T, o emulator.Options) (*emulator.Server, string) {
	t.Helper()
	e, err := emulator.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(e.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, server.URL
}

// examples are applied as a newcomer would, with the emulator watching.
var examples = map[string]struct {
	seed               string
	managed, untouched int
}{
	"acme":     {"acme.org.json", 63, 4},
	"real-org": {"real-org.org.json", 1375, 9},
}

// TestExamplesStayWithinTheBound applies each example twice. The first time
// shows where it ends; that end is compared with what rolecall says of the
// described state. The second time, after every single write, nobody may have
// more or less than the larger and the smaller of before and after, by the
// emulator's own computation of access.
func TestExamplesStayWithinTheBound(t *testing.T) {
	for name, tt := range examples {
		t.Run(name, func(t *testing.T) {
			dir := copyDir(t, filepath.Join("..", "..", "examples", name))
			seed := filepath.Join(dir, tt.seed)
			first, url := openEmulator(t, seed, nil)
			before := first.Access()
			if code, _, stderr := call(t, url, "apply", "-C", dir, "--auto-approve"); code != 0 {
				t.Fatalf("apply exits with %d:\n%s", code, stderr)
			}
			after := first.Access()
			managed, untouched := 0, 0
			for i, m := range after.Members {
				switch {
				case m.Role == "managed":
					managed++
				case m.Role == before.Members[i].Role:
					untouched++
				}
			}
			if managed != tt.managed || untouched != tt.untouched {
				t.Errorf("%d members are managed and %d untouched, want %d and %d", managed, untouched, tt.managed, tt.untouched)
			}
			compareWithModel(t, dir, after)

			if code, out, stderr := call(t, url, "apply", "-C", dir, "--auto-approve"); code != 0 || !strings.HasPrefix(out, "No changes.") {
				t.Errorf("the second apply exits with %d:\n%s%s", code, out, stderr)
			}
			cfg, _ := schema.Load(dir, schema.Options{Systems: all.Languages()})
			kind, _ := all.Find(cfg)
			for _, f := range planOf(t, cfg, kind, url).Findings {
				if f.Severity != plan.Info {
					t.Errorf("in the end there is %s %s: %s", f.Severity, f.Rule, f.Message)
				}
			}

			writes, bad, within := 0, "", between(before, after)
			_, url = openEmulator(t, seed, func(e emulator.Event) {
				writes++
				if bad == "" {
					if s := within.outside(e.Access()); s != "" {
						bad = fmt.Sprintf("after write %d, %s %s: %s", writes, e.Method, e.Path, s)
					}
				}
			})
			if code, _, stderr := call(t, url, "apply", "-C", dir, "--auto-approve"); code != 0 {
				t.Fatalf("apply exits with %d:\n%s", code, stderr)
			}
			if bad != "" {
				t.Error(bad)
			}
			if writes < tt.managed {
				t.Errorf("%d writes were watched", writes)
			}
			t.Logf("%d writes, each within the bound", writes)
		})
	}
}

// compareWithModel compares the emulator's computation of access with
// rolecall's own, for every member, capability and tool.
func compareWithModel(t *testing.T, dir string, have emulator.Access) {
	t.Helper()
	cfg, diags := schema.Load(dir, schema.Options{Systems: all.Languages()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	kind, _ := all.Find(cfg)
	_, url := openEmulator(t, filepath.Join(dir, filepath.Base(seedOf(t, dir))), nil)
	p := planOf(t, cfg, kind, url)
	model, readings := kind.New(cfg).Access(p.Desired)
	view := access.NewView(model, readings[0][len(readings[0])-1])
	actions := map[string]string{"memory": "saffron", "code_execution": "wiggle"} // as the examples' feature blocks say
	compared := 0
	for _, m := range have.Members {
		set := view.Access(model.Member(m.Email))
		for _, b := range cfg.Of("feature") {
			action := b.Label
			if a, ok := actions[action]; ok {
				action = a
			}
			perm, ok := model.Universe.Find("capability." + b.Label)
			if !ok {
				t.Fatalf("no permission for %s", b.Addr)
			}
			want := model.Universe.Get(set, perm) > 0
			if got := m.Capabilities[action]; got != want {
				t.Errorf("%s: the emulator says %v for %s, rolecall %v", m.Email, got, action, want)
			}
			compared++
		}
		for _, b := range cfg.Of("connector") {
			for tool, level := range m.Connectors[b.Text("id", "")].Tools {
				perm, ok := model.Universe.Find(fmt.Sprintf("connector.%s.%s", b.Label, tool))
				if !ok {
					t.Fatalf("no permission for %s of %s", tool, b.Addr)
				}
				if got, want := connectorRank[level], int(model.Universe.Get(set, perm)); got != want {
					t.Errorf("%s: the emulator says %s for %s of %s, rolecall level %d", m.Email, level, tool, b.Addr, want)
				}
				compared++
			}
		}
	}
	if compared < 10*len(have.Members) {
		t.Errorf("only %d answers were compared", compared)
	}
}

func seedOf(t *testing.T, dir string) string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*.org.json"))
	if err != nil || len(list) != 1 {
		t.Fatalf("seeds in %s: %v, %v", dir, list, err)
	}
	return list[0]
}
