package emulator

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// Delays say how long a change that was answered takes to show. All are off
// unless they are asked for. They are for the clock of the organization: the
// time scale makes them as many times shorter as it does budgets.
type Delays struct {
	// Effect is how long what members may do stays as it was, by kind.
	Effect map[string]time.Duration
	// Lists and Objects are how long lists, and reads of one object, go on
	// answering what was, by kind.
	Lists   map[string]time.Duration
	Objects map[string]time.Duration
	// Feed is how long an event is not in the activity feed yet.
	Feed time.Duration
	// Spread lets each change take anything up to its time, which is what
	// "within 15 minutes" means: a later change may show before an earlier one
	// of something else. The same change after the same ones takes as long.
	Spread bool
}

// The kinds of what changes, for delays.
const (
	kindRoles      = "roles"      // custom roles and their rows
	kindGroups     = "groups"     // groups, who is in them, and their roles
	kindMembers    = "members"    // members and their organization roles
	kindFeatures   = "features"   // the organization's switches
	kindConnectors = "connectors" // the organization's policies
	kindPlugins    = "plugins"    // plugins, marketplaces and installation settings
	kindSpend      = "spend"      // spend limits
	kindInvites    = "invites"
)

var delayKinds = []string{kindRoles, kindGroups, kindMembers, kindFeatures, kindConnectors, kindPlugins, kindSpend, kindInvites}

// kindOfTable is the kind of the rows of a table. What is in no kind shows at
// once.
var kindOfTable = map[string]string{
	"roles": kindRoles, "groups": kindGroups, "memberships": kindGroups, "members": kindMembers,
	"features": kindFeatures, "settings": kindFeatures, "connectors": kindConnectors, "marketplaces": kindPlugins,
	"plugins": kindPlugins, "plugin_settings": kindPlugins, "limits": kindSpend, "invites": kindInvites,
}

// documentedDelays returns the longest times that the vendor names. That a
// switch of the organization takes as long as a role is inferred. Plugins come
// with a member's next session, of which there are none here; limits count at
// once.
//
// Source: User management guide and product guide, role-based permissions;
// Claude help centre, custom roles; Compliance API docs, activity feed; read
// 2026-11-22.
func documentedDelays() Delays {
	return Delays{Feed: time.Minute, Effect: map[string]time.Duration{
		kindRoles: 15 * time.Minute, kindGroups: 15 * time.Minute, kindMembers: 15 * time.Minute,
		kindFeatures: 15 * time.Minute, kindConnectors: time.Minute,
	}}
}

// longest is the longest time until a change is in force.
func (d Delays) longest() time.Duration {
	var most time.Duration
	for _, one := range d.Effect {
		most = max(most, one)
	}
	return most
}

// body is d as it is given in a seed.
func (d Delays) body() any {
	text := func(m map[string]time.Duration) map[string]string {
		out := map[string]string{}
		for kind, one := range m {
			out[kind] = one.String()
		}
		return out
	}
	return fields{"effect": text(d.Effect), "lists": text(d.Lists), "objects": text(d.Objects), "feed": d.Feed.String(), "spread": d.Spread}
}

// maxDelay is the longest delay: more is a mistake.
const maxDelay = 24 * time.Hour

// readDelays reads the delays of a seed, of --delays or of PUT
// /emulator/delays: "documented", or an object of times, each one for all
// kinds or an object by kind.
func readDelays(p *problems, n node) Delays {
	if n.kind == 's' {
		p.oneOf(n, "documented")
		return documentedDelays()
	}
	p.object(n, "effect", "lists", "objects", "feed", "spread")
	d := Delays{Effect: readByKind(p, n.field("effect")), Lists: readByKind(p, n.field("lists")), Objects: readByKind(p, n.field("objects"))}
	if f := n.field("feed"); !f.absent() {
		d.Feed = readDelay(p, f)
	}
	d.Spread = p.flag(n.field("spread"), false)
	return d
}

func readByKind(p *problems, n node) map[string]time.Duration {
	d := map[string]time.Duration{}
	switch n.kind {
	case 0:
	case 's':
		one := readDelay(p, n)
		for _, kind := range delayKinds {
			d[kind] = one
		}
	default:
		p.object(n, delayKinds...)
		for _, kind := range n.names {
			d[kind] = readDelay(p, n.field(kind))
		}
	}
	return d
}

func readDelay(p *problems, n node) time.Duration {
	d, err := time.ParseDuration(p.str(n))
	if err != nil || d < 0 || d > maxDelay {
		p.add(n, "must be a time between 0s and %s, such as 15m or 30s", maxDelay)
		return 0
	}
	return d
}

// A replica is the state as some reader sees it: each change after a while.
// The first reader makes it do what is due.
type replica struct {
	mu      sync.Mutex
	st      *state
	loaders map[string]loader
	delays  map[string]time.Duration // by kind, as they pass here
	spread  bool
	added   int       // changes so far
	waiting []delayed // by when they are due
	// atOnce reports whether a change shows at once, whatever the delay, and
	// overtakes earlier ones of its row.
	atOnce func(change) bool
}

type delayed struct {
	change
	due time.Time
}

// newReplica returns a replica that shows st as it is.
func newReplica(st *state, delays map[string]time.Duration, atOnce func(change) bool) (*replica, error) {
	r := &replica{st: newState(), loaders: map[string]loader{}, delays: delays, atOnce: atOnce}
	for _, t := range r.st.tables() {
		r.loaders[t.tableName()] = t
	}
	for _, t := range st.tables() {
		raw, err := encode(t.dump())
		if err != nil {
			return nil, err
		}
		var rows map[string]json.RawMessage
		if err := json.Unmarshal(raw, &rows); err != nil {
			return nil, fmt.Errorf("%s: %w", t.tableName(), err)
		}
		for key, row := range rows {
			if err := r.loaders[t.tableName()].load(key, row); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// add notes the changes of one write. Later changes of a row never show before
// earlier ones.
func (r *replica) add(changes []change, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.catchUp(now) // keeps the queue short; the next read tells what is wrong
	for _, c := range changes {
		if c.Table == "feed" || c.Table == "counters" || c.Table == "faults" {
			continue // which no replica shows
		}
		due := now.Add(r.takes(c))
		if r.atOnce != nil && r.atOnce(c) {
			r.waiting = slices.DeleteFunc(r.waiting, func(d delayed) bool { return d.Table == c.Table && d.Key == c.Key })
			due = now
		}
		for _, d := range r.waiting {
			if d.Table == c.Table && d.Key == c.Key && d.due.After(due) {
				due = d.due
			}
		}
		at, _ := slices.BinarySearchFunc(r.waiting, due, func(d delayed, t time.Time) int {
			if d.due.After(t) {
				return 1
			}
			return -1 // after all that are due at the same time
		})
		r.waiting = slices.Insert(r.waiting, at, delayed{c, due})
	}
}

// takes returns how long a change takes to show.
func (r *replica) takes(c change) time.Duration {
	d := r.delays[kindOfTable[c.Table]]
	r.added++
	if !r.spread || d == 0 {
		return d
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%d", c.Table, c.Key, r.added)
	return time.Duration(rand.New(rand.NewPCG(h.Sum64(), 0)).Int64N(int64(d) + 1))
}

// catchUp shows what is due; the lock is held.
func (r *replica) catchUp(now time.Time) error {
	n := 0
	for ; n < len(r.waiting) && !r.waiting[n].due.After(now); n++ {
		if err := r.loaders[r.waiting[n].Table].load(r.waiting[n].Key, r.waiting[n].Value); err != nil {
			return err
		}
		r.st.version++
	}
	r.waiting = slices.Delete(r.waiting, 0, n)
	return nil
}

// read runs do on what shows now.
func (r *replica) read(now time.Time, do func(*state) (any, error)) (any, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.catchUp(now); err != nil {
		return nil, err
	}
	return do(r.st)
}

// replicas are what shows late, each nil if it shows at once. The lock of the
// state guards them.
type replicas struct {
	delays  Delays
	effect  *replica
	lists   *replica
	objects *replica
}

func (v *replicas) add(changes []change, now time.Time) {
	for _, r := range []*replica{v.effect, v.lists, v.objects} {
		if r != nil {
			r.add(changes, now)
		}
	}
}

// setDelays begins to delay changes from now on. What waits already goes on
// waiting as long as it would have.
func (s *Server) setDelays(d Delays) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := func(have **replica, delays map[string]time.Duration, atOnce func(change) bool) error {
		scaled := map[string]time.Duration{}
		for kind, t := range delays {
			scaled[kind] = s.scaled(t)
		}
		if *have != nil {
			(*have).mu.Lock()
			defer (*have).mu.Unlock()
			(*have).delays, (*have).spread = scaled, d.Spread
			return nil
		}
		if !slices.ContainsFunc(slices.Collect(maps.Values(scaled)), func(t time.Duration) bool { return t > 0 }) {
			return nil
		}
		r, err := newReplica(s.st, scaled, atOnce)
		if err != nil {
			return err
		}
		r.spread, *have = d.Spread, r
		return nil
	}
	if err := one(&s.late.effect, d.Effect, endsCustomRoles); err != nil {
		return err
	}
	if err := one(&s.late.lists, d.Lists, nil); err != nil {
		return err
	}
	if err := one(&s.late.objects, d.Objects, nil); err != nil {
		return err
	}
	s.late.delays = d
	s.views.reset()
	return nil
}

// scaled is a time as it passes here.
func (s *Server) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.options.TimeScale)
}

// endsCustomRoles reports whether a change is that of a member who has a
// built-in role, or who leaves: both are in force at once.
//
// Source: product guide, role-based permissions, going back; read 2026-11-22.
// That a removal is as quick is inferred.
func endsCustomRoles(c change) bool {
	if c.Table != "members" {
		return false
	}
	var m member
	return string(c.Value) == "null" || json.Unmarshal(c.Value, &m) == nil && m.Role != "managed"
}

// replicaOf returns what shows a route, or nil for the state as it is. The
// organization and its effective settings are always as they are.
//
// Source: Compliance API docs, effective settings; read 2026-11-22.
func (s *Server) replicaOf(rt *route) *replica {
	last := rt.segs[len(rt.segs)-1]
	switch {
	case last == "me", last == "settings", last == "activities", strings.HasPrefix(rt.pattern, "/console/"):
		return nil
	case strings.HasPrefix(last, "{"):
		return s.late.objects
	}
	return s.late.lists
}

// putDelays serves PUT /emulator/delays.
func (s *Server) putDelays(body []byte) (any, error) {
	d, err := parseDelays(body)
	if err != nil {
		return nil, err
	}
	if err := s.setDelays(d); err != nil {
		return nil, err
	}
	return d.body(), nil
}

func parseDelays(body []byte) (Delays, error) {
	n, err := parseJSON(body)
	if err != nil {
		return Delays{}, invalid("The delays are not valid JSON: %s.", err)
	}
	var p problems
	d := readDelays(&p, n)
	return d, p.err()
}
