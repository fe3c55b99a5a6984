package emulator_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/emulator"
)

func open(t *testing.T, o emulator.Options) *emulator.Server {
	t.Helper()
	s, err := emulator.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// files returns a seed and a path for the state.
func files(t *testing.T) emulator.Options {
	t.Helper()
	dir := t.TempDir()
	seed := filepath.Join(dir, "acme.org.json")
	if err := os.WriteFile(seed, []byte(acme), 0o600); err != nil {
		t.Fatal(err)
	}
	return emulator.Options{Seed: seed, State: filepath.Join(dir, "state", "acme.json"), Now: newClock().Now}
}

// write makes some changes of every kind.
func (c *client) writes() {
	g := c.ok("POST", groupsPath, `{"name":"Durable"}`)["id"].(string)
	c.ok("POST", groupsPath+"/"+g+"/members", `{"user_id":"user_ben"}`)
	c.ok("DELETE", groupsPath+"/rbac_group_pilot/members/user_ana", "")
	c.ok("POST", "/v1/organizations/users/user_cy", `{"role":"user"}`)
	c.ok("POST", "/v1/organizations/invites", `{"email":"inv@acme.com","role":"user"}`)
	c.ok("PUT", "/console/features/cowork", `{"enabled":true}`)
	r := c.ok("POST", "/console/roles", `{"name":"R"}`)["id"].(string)
	c.ok("PUT", "/console/groups/"+g+"/roles/"+r, "")
	c.ok("DELETE", limitsPath+"/spl_ana", "")
	c.ok("PUT", "/console/spending", `{"precedence":"highest"}`)
	c.ok("PUT", "/console/connectors/mcpsrv_slack", `{"policy":"blocked"}`)
}

// crashed copies the files of a running emulator, as a kill would leave them.
func crashed(t *testing.T, o emulator.Options) emulator.Options {
	t.Helper()
	dir := t.TempDir()
	for _, suffix := range []string{"", ".log"} {
		data, err := os.ReadFile(o.State + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "acme.json"+suffix), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.State = filepath.Join(dir, "acme.json")
	return o
}

func TestStateSurvivesAKill(t *testing.T) {
	o := files(t)
	c := start(t, o)
	c.writes()
	want := string(c.s.StateJSON())
	events := c.events()
	o = crashed(t, o)
	for range 2 { // once from the log, once from the snapshot
		again := start(t, o)
		if diff := cmp.Diff(want, string(again.s.StateJSON())); diff != "" {
			t.Errorf("state (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(events, again.events()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if err := again.s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUnfinishedLine: a write that was cut off was never answered.
func TestUnfinishedLine(t *testing.T) {
	o := files(t)
	c := start(t, o)
	c.ok("POST", groupsPath, `{"name":"First"}`)
	want := string(c.s.StateJSON())
	c.ok("POST", groupsPath, `{"name":"Second`+strings.Repeat("x", 200)+`"}`) // longer than what follows it
	o = crashed(t, o)
	data, err := os.ReadFile(o.State + ".log")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.State+".log", data[:len(data)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	again := start(t, o)
	if diff := cmp.Diff(want, string(again.s.StateJSON())); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	again.ok("POST", groupsPath, `{"name":"Third"}`)
	third := start(t, crashed(t, o))
	if names := third.groupNames(); !strings.Contains(fmt.Sprint(names), "Third") || strings.Contains(fmt.Sprint(names), "Second") {
		t.Errorf("groups = %v", names)
	}
}

// TestOldLog: a crash between the snapshot and the emptying of the log must not
// apply the log twice.
func TestOldLog(t *testing.T) {
	o := files(t)
	c := start(t, o)
	c.writes()
	log, err := os.ReadFile(o.State + ".log")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	c = start(t, o)
	c.ok("PUT", "/console/spending", `{"precedence":"lowest"}`)
	want := string(c.s.StateJSON())
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.State+".log", log, 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(start(t, o).s.StateJSON())); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

func TestSeedChanged(t *testing.T) {
	o := files(t)
	s := open(t, o)
	first := s.StateJSON()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.Seed, []byte(strings.Replace(acme, "Standard", "Basic", 2)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := emulator.Open(o)
	if !errors.Is(err, emulator.ErrSeedChanged) || !strings.Contains(err.Error(), "--reset") {
		t.Fatalf("err = %v", err)
	}
	o.Reset = true
	s = open(t, o)
	if bytes.Equal(first, s.StateJSON()) || !bytes.Contains(s.StateJSON(), []byte("Basic")) {
		t.Error("the state was not made anew")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestStateInUse(t *testing.T) {
	o := files(t)
	s := open(t, o)
	if _, err := emulator.Open(o); !errors.Is(err, emulator.ErrStateInUse) {
		t.Errorf("err = %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, o).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedState(t *testing.T) {
	o := files(t)
	if err := open(t, o).Close(); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"", "{}", "[]", "x", `{"format":2}`} {
		if err := os.WriteFile(o.State, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := emulator.Open(o); err == nil {
			t.Errorf("a state of %q was opened", data)
			_ = s.Close()
		}
	}
	o.Reset = true
	if err := open(t, o).Close(); err != nil {
		t.Fatal(err)
	}
}

// TestStateIsASeed: the dump of a state is a seed of the same state, however
// the state was reached.
func TestStateIsASeed(t *testing.T) {
	c := start(t, emulator.Options{})
	c.writes()
	dump := c.s.StateJSON()
	again := start(t, emulator.Options{SeedData: dump})
	if diff := cmp.Diff(string(dump), string(again.s.StateJSON())); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	other := start(t, emulator.Options{})
	other.ok("POST", "/console/roles", `{"name":"R"}`)
	other.writes2()
	if diff := cmp.Diff(string(dump), string(other.s.StateJSON())); diff != "" {
		t.Errorf("state reached on another way (-want +got):\n%s", diff)
	}
}

// writes2 does what writes does in another order; the role R is there already.
func (c *client) writes2() {
	c.ok("PUT", "/console/connectors/mcpsrv_slack", `{"policy":"blocked"}`)
	c.ok("PUT", "/console/spending", `{"precedence":"highest"}`)
	c.ok("DELETE", limitsPath+"/spl_ana", "")
	c.ok("PUT", "/console/features/cowork", `{"enabled":true}`)
	c.ok("POST", "/v1/organizations/users/user_cy", `{"role":"user"}`)
	g := c.ok("POST", groupsPath, `{"name":"Durable"}`)["id"].(string)
	for _, r := range c.ok("GET", rolesPath, "")["data"].([]any) {
		if role := r.(map[string]any); role["name"] == "R" {
			c.ok("PUT", "/console/groups/"+g+"/roles/"+role["id"].(string), "")
		}
	}
	c.ok("DELETE", groupsPath+"/rbac_group_pilot/members/user_ana", "")
	c.ok("POST", groupsPath+"/"+g+"/members", `{"user_id":"user_ben"}`)
	c.ok("POST", "/v1/organizations/invites", `{"email":"inv@acme.com","role":"user"}`)
}

// TestFaultsSurvive: a fault that has fired does not fire again after a
// restart.
func TestFaultsSurvive(t *testing.T) {
	o := files(t)
	seed := strings.TrimSuffix(strings.TrimSpace(acme), "}") + `, "faults": [{"do":"status","status":500}]}`
	if err := os.WriteFile(o.Seed, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, o)
	c.refused("GET", groupsPath, "", 500, "api_error")
	start(t, crashed(t, o)).ok("GET", groupsPath, "")
}

func TestWriteAfterClose(t *testing.T) {
	c := start(t, files(t))
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	c.refused("POST", groupsPath, `{"name":"x"}`, 503, "overloaded_error")
}

func TestAfterWrite(t *testing.T) {
	var mu sync.Mutex // the answer to a dropped request orders nothing
	var seen []string
	var s *emulator.Server
	o := emulator.Options{AfterWrite: func(e emulator.Event) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintf("%s %s %d %d", e.Method, e.Path, len(e.Access().Members), len(s.Access().Members)))
	}}
	c := start(t, o)
	s = c.s
	c.ok("DELETE", "/v1/organizations/users/user_ben", "")
	c.ok("POST", "/v1/organizations/users/user_cy", `{"role":"managed"}`) // is managed already
	c.refused("DELETE", "/v1/organizations/users/user_ben", "", 404, "not_found_error")
	c.ok("GET", "/v1/organizations/users", "")
	c.faulty(`{"do":"edit","edit":{"method":"POST","path":"/console/members","body":{"email":"n@acme.com"}}}`)
	c.ok("GET", "/v1/organizations/users", "")
	c.with("Emulator-Fault", "do=drop_after").broken("POST", groupsPath, `{"name":"x"}`)
	want := []string{"DELETE /v1/organizations/users/user_ben 5 5", "POST /console/members 6 6", "POST " + groupsPath + " 6 6"}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestConcurrentWrites(t *testing.T) {
	o := files(t)
	c := start(t, o)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				_, err := c.request("POST", groupsPath, fmt.Sprintf(`{"name":"G %d %d"}`, i, j))
				if err != nil {
					t.Error(err)
				}
				c.s.Access()
				c.s.StateJSON()
				c.s.Requests()
			}
		})
	}
	wg.Wait()
	if got := len(c.groupNames()); got != 82 {
		t.Errorf("%d groups, want 82", got)
	}
	if diff := cmp.Diff(string(c.s.StateJSON()), string(start(t, crashed(t, o)).s.StateJSON())); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}
