package claude

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"
	"golang.org/x/sync/errgroup"
)

// A cached is a snapshot in a file, with what it takes to know whether it is
// still true: the activity feed tells of every change since.
type cached struct {
	Format int    `json:"format"`
	For    string `json:"for"` // digest of endpoint, keys and organization

	// At is when the reading began, by this machine's clock.
	At time.Time `json:"at"`

	Anchor anchor `json:"anchor"`

	Snapshot *Snapshot `json:"snapshot"`
}

// An anchor is the newest change that there was, at Second, and every other of
// the same second. A feed that does not have them any more is not the one that
// the snapshot was taken with; one that has more of that second has got a
// change since.
type anchor struct {
	IDs    []string  `json:"ids"`
	Second time.Time `json:"second"`
}

// anchorOf returns the anchor of events, newest first. Known are ones that were
// seen before.
func anchorOf(events []Event, known anchor) anchor {
	a := known
	for i, e := range events {
		second := e.At.Truncate(time.Second)
		if i == 0 && second.After(a.Second) {
			a = anchor{Second: second}
		}
		if second.Equal(a.Second) {
			a.IDs = append(a.IDs, e.ID)
		}
	}
	a.IDs = sorted(a.IDs)
	return a
}

const (
	cacheFormat = 2

	// anchorPage is how many events are looked at for an anchor.
	anchorPage = 100

	// overlap is how long a change may be on its way into the feed or into the
	// lists. While one could be, nothing is kept.
	//
	// Source: Claude Compliance API, activity feed: events can be queried
	// within a minute; read 2026-11-22. The second minute is for clocks that
	// disagree.
	overlap = 2 * time.Minute

	// maxSkew is by how much the clocks may disagree.
	maxSkew = 30 * time.Second

	// maxAge is how long a snapshot is believed. It bounds what a type of event
	// that is newer than rolecall could hide.
	maxAge = 24 * time.Hour
)

// changeTypes are the types of activity that change what a snapshot shows.
//
// Source: Claude Compliance API, activity types; read 2026-11-22.
var changeTypes = []string{
	"rbac_role_created", "rbac_role_updated", "rbac_role_deleted",
	"rbac_role_permission_added", "rbac_role_permission_removed", "rbac_role_assigned", "rbac_role_unassigned",
	"group_created", "group_updated", "group_deleted", "group_member_added", "group_member_removed",
	"group_member_addition_failed", "group_member_removal_failed",
	"claude_user_role_updated", "claude_user_seat_tier_updated",
	"org_capability_grant_added", "org_capability_grant_removed", "org_model_default_updated",
	"mcp_server_created", "mcp_server_updated", "mcp_server_deleted", "mcp_tool_policy_updated",
	"mcp_server_managed_auth_updated", "org_connector_domain_guard_updated",
	"claude_organization_settings_updated", "org_cowork_enabled", "org_cowork_disabled",
	"org_cowork_mcp_always_allow_enabled", "org_cowork_mcp_always_allow_disabled",
	"org_sso_provisioning_mode_changed", "org_sso_group_role_mappings_updated",
	"org_sso_seat_tier_assignment_toggled", "org_sso_seat_tier_mappings_updated",
	"org_user_invite_sent", "org_user_invite_accepted", "org_user_invite_deleted", "org_user_invite_re_sent",
	"org_user_invite_rejected", "org_user_deleted", "org_user_left",
	"plugin_installation_preference_updated", "marketplace_created", "marketplace_updated", "marketplace_deleted",
	"claude_plugin_created", "claude_plugin_updated", "claude_plugin_deleted",
	"extra_usage_spend_limit_created", "extra_usage_spend_limit_updated", "extra_usage_spend_limit_deleted",
	"extra_usage_spend_limit_increase_request_approved", "extra_usage_billing_enabled",
	"scoped_api_key_updated", "scoped_api_key_deleted", "org_compliance_api_settings_updated",
}

// FetchCached is Fetch by way of a file. If the activity feed shows no change
// since the snapshot in the file was taken, that snapshot is the answer, with
// the settings in force read again, for three requests. Where the feed names
// what has changed, only that is read again; where it does not, everything.
//
// A change is in the feed within a minute, so the answer can be that much
// behind. What writes must not use it.
func (r *Reading) FetchCached(ctx context.Context, path string) (*Snapshot, error) {
	started := r.c.pace.now()
	old := readCache(path)
	org, err := r.c.organization(ctx)
	id := r.cacheID(org.ID)
	if err != nil || org.ID == "" {
		return r.Fetch(ctx) // without an organization there is no telling whose snapshot it is
	}
	if old != nil && old.For == id && !started.Before(old.At) && started.Sub(old.At) < maxAge && r.c.clockAgrees() {
		snap, a, ok := r.renew(ctx, old)
		if ok {
			r.keep(path, id, started, a, snap)
			return snap, nil
		}
	}
	a, quiet := r.newest(ctx, started)
	snap, err := r.fetch(ctx, org)
	if err != nil {
		return nil, err
	}
	if quiet && r.c.clockAgrees() && len(snap.Missing) == 0 && snap.Organization.ID == org.ID {
		r.keep(path, id, started, a, snap)
	} else {
		_ = os.Remove(path) // what cannot be trusted is not kept
	}
	return snap, nil
}

// cacheID says what a snapshot belongs to. Two keys may see different
// things, and another ledger asks for other types of activity.
func (r *Reading) cacheID(organization string) string {
	sum := sha256.Sum256([]byte(r.c.identity + "\x00" + organization + "\x00" + strings.Join(r.events, ",")))
	return hex.EncodeToString(sum[:])
}

func readCache(path string) *cached {
	data, err := os.ReadFile(path)
	var c cached
	if err != nil || json.Unmarshal(data, &c) != nil || c.Format != cacheFormat || c.Snapshot == nil || len(c.Anchor.IDs) == 0 {
		return nil
	}
	return &c
}

// keep writes the file. That it cannot be written costs requests, no more.
func (r *Reading) keep(path, id string, at time.Time, a anchor, snap *Snapshot) {
	data, err := json.Marshal(cached{cacheFormat, id, at, a, snap})
	if err == nil && os.MkdirAll(filepath.Dir(path), 0o700) == nil {
		_ = maybe.WriteFile(path, data, 0o600)
	}
}

// newest returns the newest changes that the feed knows of, and whether none is
// so recent that its effect may not be in every list yet. An empty feed may be
// one that is off.
func (r *Reading) newest(ctx context.Context, now time.Time) (anchor, bool) {
	path := "/v1/compliance/activities"
	var events []Event
	k := call{op: "read the newest activity", method: http.MethodGet, path: path, repeat: true}
	err := r.c.do(ctx, k, func(ctx context.Context) error {
		raw, err := r.c.comply(ctx, path, url.Values{"limit": {strconv.Itoa(anchorPage)}, "activity_types[]": changeTypes})
		if err != nil {
			return err
		}
		items, _, err := openPage(raw, byID)
		if err != nil {
			return err
		}
		events = events[:0]
		for _, item := range items {
			e, err := decodeEvent(item)
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		return nil
	})
	if err != nil || len(events) == 0 {
		return anchor{}, false
	}
	a := anchorOf(events, anchor{})
	return a, len(a.IDs) < anchorPage && now.Sub(events[0].At) > overlap
}

// changesSince returns the changes from the anchor on, newest first, without
// the anchor's own.
func (r *Reading) changesSince(ctx context.Context, old *cached) ([]Event, error) {
	since := earlier(old.Anchor.Second, old.At.Add(-overlap))
	const path = "/v1/compliance/activities"
	list, err := walk(ctx, r.c, "read the activity since the last plan", path, byID, func(ctx context.Context, cursor string) (string, error) {
		q := url.Values{"limit": {strconv.Itoa(feedPageSize)}, "activity_types[]": changeTypes,
			"created_at.gte": {since.UTC().Format(time.RFC3339)}}
		if cursor != "" {
			q.Set("after_id", cursor)
		}
		return r.c.comply(ctx, path, q)
	}, decodeEvent)
	if err != nil {
		return nil, err
	}
	list = tidy(list, func(e Event) string { return e.ID }, func(a, b Event) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) })
	n := len(list)
	list = slices.DeleteFunc(list, func(e Event) bool { return slices.Contains(old.Anchor.IDs, e.ID) })
	if n-len(list) != len(old.Anchor.IDs) {
		return nil, errors.New("the feed does not know the events that the snapshot was taken after")
	}
	return list, nil
}

// renew brings a snapshot up to date, if the feed says what to read again.
// When it does not, or anything fails, ok is false and everything is read.
func (r *Reading) renew(ctx context.Context, old *cached) (snap *Snapshot, a anchor, ok bool) {
	changes, err := r.changesSince(ctx, old)
	if err != nil {
		return nil, anchor{}, false
	}
	snap, a = old.Snapshot, anchorOf(changes, old.Anchor)
	if len(changes) > 0 && r.c.pace.now().Sub(changes[0].At) <= overlap {
		// Their effect may not be in every list yet: read everything, and keep
		// nothing until it has settled.
		return nil, anchor{}, false
	}
	limits, groups, precise := touched(changes)
	if !precise {
		return nil, anchor{}, false
	}
	for _, e := range slices.Backward(changes) {
		if slices.Contains(r.events, e.Type) {
			snap.Events = slices.Insert(snap.Events, 0, e)
		}
	}
	before := mode(snap)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { snap.Settings, err = r.c.settings(ctx, snap.Organization.ID); return err })
	if limits {
		g.Go(func() (err error) { snap.SpendLimits, err = r.c.spendLimits(ctx); return err })
	}
	for i := range snap.Groups {
		group := &snap.Groups[i]
		if !groups[group.ID] {
			continue
		}
		delete(groups, group.ID)
		g.Go(func() (err error) {
			group.Members, err = r.c.members(ctx, group.ID, fmt.Sprintf("%q", plain(group.Name)))
			return err
		})
	}
	if err := g.Wait(); err != nil || len(groups) > 0 || mode(snap) != before {
		return nil, anchor{}, false
	}
	snap.Invites = slices.DeleteFunc(snap.Invites, func(i Invite) bool {
		at, err := parseTime(i.ExpiresAt)
		return err == nil && !at.After(r.c.pace.now())
	})
	return snap, a, true
}

// mode is the part of the settings that decides what the other lists mean.
func mode(s *Snapshot) string {
	raw, _ := json.Marshal(s.Settings) // a map of raw JSON: cannot fail
	return string(raw)
}

// touched returns what changes touch: the limits, and the members of groups.
// precise is false if there is anything else.
func touched(changes []Event) (limits bool, groups map[string]bool, precise bool) {
	groups = map[string]bool{}
	for _, e := range changes {
		switch e.Type {
		case "extra_usage_spend_limit_created", "extra_usage_spend_limit_updated", "extra_usage_spend_limit_deleted",
			"extra_usage_spend_limit_increase_request_approved":
			limits = true
		case "group_member_added", "group_member_removed", "group_member_addition_failed", "group_member_removal_failed":
			var w struct {
				GroupID string `json:"group_id"`
			}
			if json.Unmarshal(e.Fields, &w) != nil || w.GroupID == "" {
				return false, nil, false
			}
			groups[w.GroupID] = true
		default:
			return false, nil, false
		}
	}
	return limits, groups, true
}
