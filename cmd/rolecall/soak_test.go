package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rolecall/rolecall/apply/journal"
	"github.com/rolecall/rolecall/providers/emulator"
)

// changesPerCycle is how much another admin changes during one cycle.
const changesPerCycle = 10

// A soaked is an organization in which another admin changes things while
// rolecall plans and applies. Beside it there are shadows: the organization as it
// was when the apply began, and as it would be after each write if nobody
// disturbed it. The other admin changes all of them, so that what is between the
// shadows is what the plan and those changes explain.
type soaked struct {
	t     *testing.T
	r     *rand.Rand
	seed  []byte
	state string // file of the organization
	live  *emulator.Server

	mu      sync.Mutex // one request at a time
	quota   int        // changes that the other admin has left
	shadows []*emulator.Server
	within  *bound
	bad     []string
	strange map[string]string // what the other admin made and nobody describes: path to body
	made    int
	writes  map[string]bool // request ids of the answered writes of rolecall
}

// ServeHTTP passes a request of rolecall on, after the other admin perhaps made
// a change.
func (s *soaked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	console := strings.HasPrefix(r.URL.Path, "/console/")
	if s.quota > 0 && !strings.HasPrefix(r.URL.Path, "/emulator/") && s.r.IntN(12) == 0 {
		s.change()
	}
	rec := httptest.NewRecorder()
	s.live.Handler().ServeHTTP(rec, r)
	if r.Method != http.MethodGet {
		if rec.Code < 300 && !console {
			s.writes[rec.Header().Get("Request-Id")] = true
		}
		if bad := s.within.outside(s.live.Access()); bad != "" {
			s.bad = append(s.bad, r.Method+" "+r.URL.Path+": "+bad)
		}
	}
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes()) // rolecall reports what it could not read
}

// send sends a request to an organization, as the other admin.
func send(to *emulator.Server, method, path, body string) (int, []byte) {
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("X-Api-Key", "sk-ant-api01-another")
	r.Header.Set("Anthropic-Beta", "ce-plugins-2026-09-01")
	w := httptest.NewRecorder()
	to.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.Bytes()
}

// change makes one change, in the organization and in both shadows.
func (s *soaked) change() {
	method, path, body := s.pick()
	code, answer := send(s.live, method, path, body)
	if code >= 300 {
		return // such as a membership that is there already
	}
	if method == http.MethodPost && path == "/v1/organizations/rbac_groups" {
		var made struct{ ID, Name string }
		if json.Unmarshal(answer, &made) == nil {
			s.strange["/v1/organizations/rbac_groups/"+made.ID] = made.Name
		}
	}
	s.made++
	s.quota--
	for _, shadow := range s.shadows {
		send(shadow, method, path, body) // which may be refused there, where something is not there any more or yet
		s.within.widen(shadow.Access())
	}
}

// pick chooses a change. What it makes anew has names of its own and gives
// nobody anything: what else nobody describes would stay, as it should.
func (s *soaked) pick() (method, path, body string) {
	var all struct {
		Roles, Groups, Members []struct {
			ID, Name, Email, Role string
			Members               []string
		}
	}
	if err := json.Unmarshal(s.live.StateJSON(), &all); err != nil {
		panic(err)
	}
	group, role, member := all.Groups[s.r.IntN(len(all.Groups))], all.Roles[s.r.IntN(len(all.Roles))], all.Members[1+s.r.IntN(len(all.Members)-1)]
	described := strings.HasPrefix(group.Name, "Group ")
	groups := "/v1/organizations/rbac_groups"
	row := fmt.Sprintf(`[{"action":%q,"resource":{"type":"organization"}}]`, sketchFeatures[s.r.IntN(len(sketchFeatures))].action)
	every := fmt.Sprintf(`[{"action":%q,"resource":{"type":"all_connectors"}}]`, []string{"use", "always_allow"}[s.r.IntN(2)])
	switch s.r.IntN(16) {
	case 0, 1:
		return "POST", groups + "/" + group.ID + "/members", `{"user_id":"` + member.ID + `"}`
	case 2, 3:
		return "DELETE", groups + "/" + group.ID + "/members/" + member.ID, ""
	case 4:
		if !described {
			return "POST", groups + "/" + group.ID, fmt.Sprintf(`{"name":"Other %d"}`, s.made)
		}
		return "PUT", "/console/groups/" + group.ID + "/roles/" + role.ID, ""
	case 5:
		return "DELETE", "/console/groups/" + group.ID + "/roles/" + role.ID, ""
	case 6:
		return "PATCH", "/console/roles/" + role.ID, `{"add":` + row + `}`
	case 7:
		return "PATCH", "/console/roles/" + role.ID, `{"remove":` + row + `}`
	case 8:
		return "PATCH", "/console/roles/" + role.ID, `{"add":` + every + `}`
	case 9:
		f := sketchFeatures[s.r.IntN(len(sketchFeatures))]
		return "PUT", "/console/features/" + f.action, fmt.Sprintf(`{"enabled":%v}`, s.r.IntN(2) == 0)
	case 10:
		return "POST", "/v1/organizations/users/" + member.ID, fmt.Sprintf(`{"role":%q}`, []string{"user", "managed"}[s.r.IntN(2)])
	case 11:
		return "POST", "/v1/organizations/spend_limits", fmt.Sprintf(`{"amount":"%d","scope":{"type":"user","user_id":%q}}`, 1000*s.r.IntN(90), member.ID)
	case 12:
		return "POST", "/v1/organizations/plugins/plugin_lint/installation_settings/" + group.ID, `{"installation_preference":"required"}`
	case 13:
		return "PUT", "/console/connectors/mcpsrv_jira", fmt.Sprintf(`{"tool_policy":{"read":%q}}`, []string{"allow", "ask", "blocked"}[s.r.IntN(3)])
	case 14:
		if described && s.r.IntN(4) == 0 {
			return "DELETE", groups + "/" + group.ID, ""
		}
		return "PATCH", "/console/groups/" + group.ID, fmt.Sprintf(`{"description":"Since %d."}`, s.made)
	default:
		if len(s.strange) < 30 {
			return "POST", groups, fmt.Sprintf(`{"name":"Other %d"}`, s.made)
		}
		return "PUT", "/console/spending", `{"precedence":"lowest"}`
	}
}

// clone opens a copy of the organization, with its feed. Written, if it is not
// nil, is told the state after each write to it.
func (s *soaked) clone(written func(state []byte)) *emulator.Server {
	s.t.Helper()
	dir := s.t.TempDir()
	for _, suffix := range []string{"", ".log"} {
		b, err := os.ReadFile(s.state + suffix)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "state.json"+suffix), b, 0o600)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	var e *emulator.Server
	o := emulator.Options{SeedData: s.seed, State: filepath.Join(dir, "state.json")}
	if written != nil {
		o.AfterWrite = func(emulator.Event) { written(e.StateJSON()) }
	}
	e, err := emulator.Open(o)
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// cycle applies a configuration until nothing differs, while the other admin
// changes things, and returns how many times it had to.
func (s *soaked) cycle(url, dir string) (attempts, gaps int) {
	s.t.Helper()
	for attempts = 1; ; attempts++ {
		if attempts > 3*changesPerCycle {
			s.t.Fatal("it does not converge")
		}
		var path [][]byte // of states
		undisturbed := s.clone(func(state []byte) { path = append(path, state) })
		path = append(path, undisturbed.StateJSON())
		h := httptest.NewServer(undisturbed.Handler())
		args := []string{"apply", "-C", "", "--auto-approve", acceptSpend}
		code, out, stderr := s.call(h.URL, dir, args...)
		if code == exitBlocked { // one of the few changes that no order makes without a gap
			gaps++
			args = append(args, "--accept-gaps")
			code, out, stderr = s.call(h.URL, dir, args...)
		}
		h.Close()
		if code != 0 {
			s.t.Fatalf("undisturbed, apply exits with %d:\n%s%s", code, out, stderr)
		}
		_ = undisturbed.Close() // it has done what it was for
		s.mu.Lock()
		s.shadows, s.within, s.bad = nil, between(), nil
		for _, state := range path {
			shadow, err := emulator.Open(emulator.Options{SeedData: state})
			if err != nil {
				s.t.Fatal(err)
			}
			s.shadows = append(s.shadows, shadow)
		}
		s.within.widen(s.shadows[0].Access())
		s.within.widen(s.shadows[len(s.shadows)-1].Access()) // as long as the other admin does nothing, these two are all
		s.mu.Unlock()
		code, _, stderr = call(s.t, url, append([]string{args[0], "-C", dir}, args[3:]...)...)
		if len(s.bad) > 0 && !slices.Contains(args, "--accept-gaps") {
			s.t.Errorf("outside of the bound after %s", s.bad[0])
		}
		s.mu.Lock()
		left := s.quota
		s.mu.Unlock()
		switch code {
		case 0:
			if left == 0 {
				return attempts, gaps
			}
		case exitStale: // the other admin was quicker
		case exitError: // something that was to be changed is gone, or differs again after the last look
			if left == 0 && attempts > 2*changesPerCycle {
				s.t.Fatalf("apply exits with %d:\n%s", code, stderr)
			}
		case exitBlocked:
		default:
			s.t.Fatalf("apply exits with %d:\n%s", code, stderr)
		}
	}
}

// call applies in a copy of a directory, so that the journal stays that of the
// organization.
func (s *soaked) call(url, dir string, args ...string) (int, string, string) {
	s.t.Helper()
	beside := s.t.TempDir()
	src, err := os.ReadFile(filepath.Join(dir, "org.hcl"))
	if err == nil {
		err = os.WriteFile(filepath.Join(beside, "org.hcl"), src, 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	args = slices.Clone(args)
	args[2] = beside
	return call(s.t, url, args...)
}

// TestSoak lets another admin make random changes while rolecall plans and
// applies one configuration after another. Each time it converges; at no moment
// has anybody more or less than the plan and the other admin's changes explain;
// every write that was answered
// took effect; and what the other admin made and nobody describes is there in
// the end. In the whole (ROLECALL_RUNS=200), there are 2,000 changes.
func TestSoak(t *testing.T) {
	t.Parallel()
	cycles := runs(t, 5, 10)
	r := rand.New(rand.NewPCG(11, 0))
	people := sketchPeople(12)
	first := randomSketch(r, people)
	s := &soaked{t: t, r: r, seed: first.seed(), state: filepath.Join(t.TempDir(), "state.json"), strange: map[string]string{}, writes: map[string]bool{}}
	var err error
	if s.live, err = emulator.Open(emulator.Options{SeedData: s.seed, State: s.state}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.live.Close(); err != nil {
			t.Error(err)
		}
	}()
	h := httptest.NewServer(s)
	defer h.Close()
	dir := t.TempDir()
	attempts, gaps := 0, 0
	for n := range cycles {
		randomSketch(r, people).write(t, dir, "0s")
		s.quota = changesPerCycle
		a, g := s.cycle(h.URL, dir)
		attempts, gaps = attempts+a, gaps+g
		if code, out, stderr := call(t, h.URL, "plan", "-C", dir, "--detailed-exitcode"); code != 0 {
			t.Fatalf("after cycle %d, plan exits with %d:\n%s%s", n, code, out, stderr)
		}
		again := s.clone(nil)
		if string(again.StateJSON()) != string(s.live.StateJSON()) {
			t.Fatalf("after cycle %d, what is on the disk is not what is live", n)
		}
		_ = again.Close() // a copy
	}
	for path, name := range s.strange {
		if code, body := send(s.live, http.MethodGet, path, ""); code != 200 || !strings.Contains(string(body), `"Other `) {
			t.Errorf("%q of the other admin is lost: %d %s", name, code, body)
		}
	}
	answered := 0
	files, err := journal.List(filepath.Join(dir, ownDir, journalDir))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		records, err := journal.Read(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range records {
			if rec.Kind == journal.Done && rec.Request != "" {
				answered++
				if !s.writes[rec.Request] {
					t.Errorf("%s: %s was answered with %s, which was no write that took effect", f, rec.Step, rec.Request)
				}
			}
		}
	}
	if answered != len(s.writes) {
		t.Errorf("%d writes took effect, and the journal knows %d", len(s.writes), answered)
	}
	t.Logf("%d cycles with %d applies and %d changes by another admin; %d answered writes; %d times there was no order without a gap", cycles, attempts, s.made, answered, gaps)
}
