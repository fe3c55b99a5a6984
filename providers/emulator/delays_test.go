package emulator_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/providers/emulator"
)

// late returns a client of an organization whose changes show late, and its
// clock.
func late(t *testing.T, scale float64, delays string) (*client, *clock) {
	t.Helper()
	at := newClock()
	return start(t, emulator.Options{Now: at.Now, TimeScale: scale, Delays: []byte(delays)}), at
}

// may returns what a member may do.
func (c *client) may(email string) emulator.MemberAccess {
	c.t.Helper()
	for _, m := range c.s.Access().Members {
		if m.Email == email {
			return m
		}
	}
	return emulator.MemberAccess{}
}

func TestAccessChangesAfterTheDelay(t *testing.T) {
	c, at := late(t, 60, `"documented"`) // a quarter of an hour is 15 s
	c.ok("POST", groupsPath+"/rbac_group_pilot/members", `{"user_id":"user_cy"}`)
	c.ok("PUT", "/console/connectors/mcpsrv_slack", `{"policy":"blocked"}`) // a minute is 1 s
	if !strings.Contains(c.get(groupsPath+"/rbac_group_pilot/members"), "user_cy") {
		t.Error("the list does not show at once who joined")
	}
	look := func(after time.Duration, chat bool, slack string) {
		t.Helper()
		if got := c.may("cy+x@acme.com").Capabilities["chat"]; got != chat {
			t.Errorf("after %s: chat is %v, want %v", after, got, chat)
		}
		if got := c.may("ben@acme.com").Connectors["mcpsrv_slack"].AnyTool; got != slack {
			t.Errorf("after %s: Slack is %q, want %q", after, got, slack)
		}
	}
	look(0, false, "ask")
	at.Add(time.Second)
	look(time.Second, false, "blocked")
	at.Add(14*time.Second - time.Millisecond)
	look(15*time.Second-time.Millisecond, false, "blocked")
	at.Add(time.Millisecond)
	look(15*time.Second, true, "blocked")
}

// A built-in role is in force at once, and what was under way before does not
// come after it.
func TestBackToABuiltInRoleIsAtOnce(t *testing.T) {
	c, at := late(t, 1, `"documented"`)
	c.ok("POST", "/v1/organizations/users/user_ben", `{"role":"managed"}`)
	at.Add(10 * time.Minute)
	if got := c.may("ben@acme.com").Role; got != "user" {
		t.Errorf("after ten minutes ben is %s", got)
	}
	c.ok("POST", "/v1/organizations/users/user_ben", `{"role":"user"}`)
	c.ok("POST", "/v1/organizations/users/user_cy", `{"role":"user"}`)
	for range 2 {
		if ben, cy := c.may("ben@acme.com").Role, c.may("cy+x@acme.com").Role; ben != "user" || cy != "user" {
			t.Errorf("ben is %s and cy is %s", ben, cy)
		}
		at.Add(time.Hour)
	}
}

func TestLimitsFollowMembershipsAtOnce(t *testing.T) {
	c, _ := late(t, 1, `"documented"`)
	c.ok("POST", groupsPath+"/rbac_group_pilot/members", `{"user_id":"user_cy"}`)
	if got := c.may("cy+x@acme.com").Spend["monthly"].Amount; got == nil || *got != "20000" {
		t.Errorf("the limit is %v", got)
	}
}

func TestReadsShowWhatWas(t *testing.T) {
	c, at := late(t, 1, `{"objects": {"groups": "30s"}, "lists": {"members": "10s"}}`)
	c.ok("POST", groupsPath+"/rbac_group_pilot", `{"name":"Renamed"}`)
	c.ok("POST", "/v1/organizations/users/user_ben", `{"role":"managed"}`)
	made := c.ok("POST", groupsPath, `{"name":"New"}`)["id"].(string)
	renamed := func() (list, one bool) {
		return strings.Contains(c.get(groupsPath), "Renamed"), strings.Contains(c.get(groupsPath+"/rbac_group_pilot"), "Renamed")
	}
	managed := func() (list, one bool) {
		return strings.Count(c.get("/v1/organizations/users"), `"role":"managed"`) == 3,
			strings.Contains(c.get("/v1/organizations/users/user_ben"), `"role":"managed"`)
	}
	check := func(what string, list, one, wantList, wantOne bool) {
		t.Helper()
		if list != wantList || one != wantOne {
			t.Errorf("%s: list %v and object %v, want %v and %v", what, list, one, wantList, wantOne)
		}
	}
	list, one := renamed()
	check("group at once", list, one, true, false)
	list, one = managed()
	check("member at once", list, one, false, true)
	if status, body := c.do("GET", groupsPath+"/"+made, ""); status != 404 {
		t.Errorf("a group that does not show yet: %d, %v", status, body)
	}
	at.Add(10 * time.Second)
	list, one = managed()
	check("member later", list, one, true, true)
	at.Add(20 * time.Second)
	list, one = renamed()
	check("group later", list, one, true, true)
	c.ok("GET", groupsPath+"/"+made, "")
}

func TestFeedIsLate(t *testing.T) {
	c, at := late(t, 1, `{"feed": "1m"}`)
	c.ok("POST", groupsPath, `{"name":"New"}`)
	shown := func() bool { return strings.Contains(c.get("/v1/compliance/activities"), "group") }
	at.Add(time.Minute - time.Millisecond)
	if shown() {
		t.Error("the event shows before its time")
	}
	at.Add(time.Millisecond)
	if !shown() {
		t.Error("the event does not show")
	}
}

// A spread delay is at most the time, mostly less, and the same again.
func TestSpreadDelays(t *testing.T) {
	var first []int
	for run := range 2 {
		c, at := late(t, 1, `{"effect": {"groups": "10m"}, "spread": true}`)
		members := make([]string, 40)
		for i := range members {
			email := fmt.Sprintf("new%d@acme.com", i)
			id := c.ok("POST", "/console/members", `{"email":"`+email+`","role":"managed"}`)["id"].(string)
			c.ok("POST", groupsPath+"/rbac_group_pilot/members", `{"user_id":"`+id+`"}`)
			members[i] = email
		}
		var shown []int
		for range 11 {
			n := 0
			for _, m := range members {
				if c.may(m).Capabilities["chat"] {
					n++
				}
			}
			shown = append(shown, n)
			at.Add(time.Minute)
		}
		if shown[0] > 10 || shown[5] < 10 || shown[5] > 30 || shown[10] != len(members) {
			t.Errorf("by minute, %v of %d changes show", shown, len(members))
		}
		if run == 0 {
			first = shown
		} else if !slices.Equal(first, shown) {
			t.Errorf("the same changes show after %v, and another time after %v", first, shown)
		}
	}
}

func TestDelaysOverHTTP(t *testing.T) {
	at := newClock()
	c := start(t, emulator.Options{Now: at.Now})
	c.ok("PUT", "/emulator/delays", `{"effect": "5m"}`)
	c.ok("PUT", "/console/features/cowork", `{"enabled":true}`)
	if c.may("ben@acme.com").Capabilities["cowork"] {
		t.Error("the switch is in force at once")
	}
	c.ok("PUT", "/emulator/delays", `{}`)
	c.ok("PUT", "/console/features/web_search", `{"enabled":false}`)
	if c.may("ben@acme.com").Capabilities["web_search"] {
		t.Error("the switch is delayed though delays are off")
	}
	at.Add(5 * time.Minute)
	if !c.may("ben@acme.com").Capabilities["cowork"] {
		t.Error("what was under way does not come")
	}
}

func TestBadDelays(t *testing.T) {
	for delays, want := range map[string]string{
		`"soon"`:                      "documented",
		`{"effect": {"rolls": "1m"}}`: "rolls",
		`{"feed": "-1m"}`:             "feed",
		`{"lists": "25h"}`:            "lists",
		`{"objects": 3}`:              "objects",
		`{"spread": "yes"}`:           "spread",
		`{`:                           "JSON",
	} {
		_, err := emulator.Open(emulator.Options{SeedData: []byte(`{}`), Delays: []byte(delays)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a word of %q", delays, err, want)
		}
		if delays == "{" {
			continue
		}
		if _, err = emulator.Open(emulator.Options{SeedData: []byte(`{"delays": ` + delays + `}`)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("in a seed, %s: %v, want a word of %q", delays, err, want)
		}
	}
}

// get returns the body of an answer as it is.
func (c *client) get(path string) string {
	c.t.Helper()
	r, err := c.request("GET", path, "")
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(body)
}
