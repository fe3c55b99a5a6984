package emulator_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/providers/emulator"
)

const invitesPath = "/v1/organizations/invites"

func TestInviteLife(t *testing.T) {
	now := newClock()
	c := start(t, emulator.Options{Now: now.Now})
	v := c.ok("POST", invitesPath, `{"email":"New@acme.com","role":"managed","rbac_group_ids":["rbac_group_pilot"]}`)
	id := v["id"].(string)
	want := map[string]any{"type": "invite", "id": id, "email": "new@acme.com", "role": "managed",
		"invited_at": "2026-11-22T12:00:00Z", "expires_at": "2026-12-13T12:00:00Z", "accepted_at": nil, "status": "pending",
		"rbac_group_ids": []any{"rbac_group_pilot"}}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("invite (-want +got):\n%s", diff)
	}
	c.refused("POST", invitesPath, `{"email":"new@acme.com","role":"user"}`, 400, "invalid_request_error")
	m := c.ok("POST", "/console/invites/"+id+"/accept", "")
	if m["role"] != "managed" {
		t.Errorf("member = %v", m)
	}
	if got := access(t, c.s.Access(), "new@acme.com"); !got.Capabilities["chat"] {
		t.Errorf("the invited person is not in the group: %v", got)
	}
	if v := c.ok("GET", invitesPath+"/"+id, ""); v["status"] != "accepted" || v["accepted_at"] != "2026-11-22T12:00:00Z" {
		t.Errorf("accepted invite = %v", v)
	}
	c.refused("DELETE", invitesPath+"/"+id, "", 400, "invalid_request_error")
	c.refused("POST", "/console/invites/"+id+"/accept", "", 400, "invalid_request_error")

	second := c.ok("POST", invitesPath, `{"email":"two@acme.com","role":"user"}`)["id"].(string)
	third := c.ok("POST", invitesPath, `{"email":"three@acme.com","role":"user"}`)["id"].(string)
	if diff := cmp.Diff(map[string]any{"id": second, "type": "invite_deleted"}, c.ok("DELETE", invitesPath+"/"+second, "")); diff != "" {
		t.Errorf("withdrawn (-want +got):\n%s", diff)
	}
	c.refused("GET", invitesPath+"/"+second, "", 404, "not_found_error")
	now.Add(21 * 24 * time.Hour)
	c.refused("DELETE", invitesPath+"/"+third, "", 400, "invalid_request_error")
	c.refused("POST", "/console/invites/"+third+"/accept", "", 400, "invalid_request_error")
	for query, want := range map[string][]string{"": {third, id}, "?statuses[]=expired": {third}, "?roles[]=managed": {id}, "?email=THREE%2Bx@acme.com": {third}} {
		if diff := cmp.Diff(want, column(c.ok("GET", invitesPath+query, ""), "data", "id")); diff != "" {
			t.Errorf("list%s (-want +got):\n%s", query, diff)
		}
	}
	c.ok("POST", invitesPath, `{"email":"three@acme.com","role":"user"}`)
}

func TestInviteErrors(t *testing.T) {
	c := start(t, emulator.Options{})
	for _, body := range []string{
		`{"email":"x@acme.com","role":"owner"}`, `{"email":"x@acme.com"}`, `{"role":"user"}`, `{"email":"no","role":"user"}`,
		`{"email":"ben@acme.com","role":"user"}`, `{"email":"x@acme.com","role":"user","rbac_group_ids":["rbac_group_idp"]}`,
		`{"email":"x@acme.com","role":"user","rbac_group_ids":["rbac_group_pilot","rbac_group_pilot"]}`,
	} {
		c.refused("POST", invitesPath, body, 400, "invalid_request_error")
	}
	c.refused("POST", invitesPath, `{"email":"x@acme.com","role":"user","rbac_group_ids":["rbac_group_no"]}`, 404, "not_found_error")
	c.refused("GET", invitesPath+"?statuses[]=deleted", "", 400, "invalid_request_error")
}

func TestSeats(t *testing.T) {
	c := start(t, emulator.Options{SeedData: []byte(`{"organization":{"seats":2},"members":[{"email":"a@b.c"}]}`)})
	id := c.ok("POST", invitesPath, `{"email":"b@b.c","role":"user"}`)["id"].(string)
	c.refused("POST", invitesPath, `{"email":"c@b.c","role":"user"}`, 400, "invalid_request_error")
	c.refused("POST", "/console/members", `{"email":"c@b.c"}`, 400, "invalid_request_error")
	c.ok("DELETE", invitesPath+"/"+id, "")
	c.ok("POST", "/console/members", `{"email":"c@b.c"}`)
}
