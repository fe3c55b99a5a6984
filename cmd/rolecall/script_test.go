package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rolecall/rolecall/providers/emulator"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rolecall": main})
}

// TestScript runs each script of testdata/script in a directory of its own,
// with an emulator of its own that holds what the script's live.json says.
// UPDATE_SCRIPTS=1 writes what was printed into the scripts; read the
// difference as a reviewer would.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup:               serveLive,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "byhand": byHand, "github": gitHub, "requests": requests, "unchanged": unchanged,
		},
	})
}

type liveKey struct{}

// A live is the emulator of one script, and its state in the beginning.
type live struct {
	*emulator.Server
	first string
}

func serveLive(e *testscript.Env) error {
	e.Setenv("ANTHROPIC_ADMIN_KEY", "sk-ant-api01-script")
	e.Setenv("SOURCE_DATE_EPOCH", "1795000000")
	e.Setenv("NO_COLOR", "1")
	if err := serveGitHub(e); err != nil {
		return err
	}
	seed := filepath.Join(e.WorkDir, "live.json")
	if _, err := os.Stat(seed); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	server, err := emulator.Open(emulator.Options{Seed: seed})
	if err != nil {
		return err
	}
	h := httptest.NewServer(server.Handler())
	e.Defer(func() { h.Close(); _ = server.Close() }) // the script is over; nothing is kept
	e.Setenv("ROLECALL_ENDPOINT", h.URL)
	e.Values[liveKey{}] = live{server, state(server)}
	return nil
}

// state returns everything but the faults, of which some are spent.
func state(s *emulator.Server) string {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(s.StateJSON(), &all); err != nil {
		panic(err)
	}
	delete(all, "faults")
	b, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// exits runs a program and wants it to exit with a status: exits 2 rolecall plan.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("%s exits with %d, want %d", args[1], code, want)
	}
}

// requests wants a number of requests to have been sent: requests POST /v1/organizations/rbac_groups 1.
func requests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: requests METHOD PATH NUMBER")
	}
	want, err := strconv.Atoi(args[2])
	ts.Check(err)
	n := 0
	for _, r := range ts.Value(liveKey{}).(live).Requests() {
		if r.Method == args[0] && (r.Path == args[1] || args[1] == "any") {
			n++
		}
	}
	if n != want {
		ts.Fatalf("%d requests of %s %s, want %d", n, args[0], args[1], want)
	}
}

// byHand lets another admin change something: byhand PATCH /console/roles/ID BODY.
// {NAME} in the path or body is the id of the role, group or member of that name.
func byHand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: byhand METHOD PATH [BODY]")
	}
	body := ""
	if len(args) == 3 {
		body = args[2]
	}
	named := strings.NewReplacer(idsByName(ts)...)
	req, err := http.NewRequest(args[0], ts.Getenv("ROLECALL_ENDPOINT")+named.Replace(args[1]), strings.NewReader(named.Replace(body)))
	ts.Check(err)
	req.Header.Set("x-api-key", "sk-ant-api01-another")
	req.Header.Set("content-type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	answer, err := io.ReadAll(resp.Body)
	ts.Check(errors.Join(err, resp.Body.Close()))
	if resp.StatusCode >= 300 {
		ts.Fatalf("%s %s: %s %s", args[0], args[1], resp.Status, answer)
	}
}

// idsByName returns {NAME} and id, in turn, of everything that has a name.
func idsByName(ts *testscript.TestScript) []string {
	type named struct{ ID, Name, Email string }
	var all struct{ Roles, Groups, Members []named }
	ts.Check(json.Unmarshal(ts.Value(liveKey{}).(live).StateJSON(), &all))
	var list []string
	for _, n := range slices.Concat(all.Roles, all.Groups, all.Members) {
		list = append(list, "{"+cmp.Or(n.Email, n.Name)+"}", n.ID)
	}
	return list
}

// unchanged wants the organization to be, to the byte, as it was in the
// beginning.
func unchanged(ts *testscript.TestScript, neg bool, _ []string) {
	l := ts.Value(liveKey{}).(live)
	if same := state(l.Server) == l.first; same == neg {
		ts.Fatalf("the organization is unchanged: %v", same)
	}
}
