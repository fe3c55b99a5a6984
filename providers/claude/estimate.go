package claude

import (
	"math"
	"slices"
	"time"

	"github.com/rolecall/rolecall/schema"
)

// Pace estimates the requests of steps and the seconds they take at the
// documented rates. It goes through what an apply sends: the read before each
// stage, the writes, the reads that prove them. A whole budget may be spent at
// once, and what reading the organization has spent of it is not there any
// more; how long a request is on its way does not count.
//
// A wait for somebody at the console is not part of it, although budgets
// recover meanwhile.
func (s *System) Pace(live *schema.State, batches []schema.Batch) []schema.Cost {
	e := estimate{live: live, sent: map[Family][]time.Duration{}, roles: len(live.Of("role")), made: map[schema.Address]bool{}}
	e.send(map[Family]int{FamilyAdmin: e.everything(), FamilySpend: pages(len(live.Of("member")))})
	costs := make([]schema.Cost, len(batches))
	for i, b := range batches {
		from := e.now
		writes := 0
		for _, step := range b.Steps {
			if step.Request != nil {
				writes++
			}
		}
		e.stage(b.Steps)
		costs[i] = schema.Cost{Requests: writes, Seconds: int(math.Ceil((e.now - from).Seconds()))}
		if writes > 0 { // nothing takes no time
			costs[i].Seconds = max(costs[i].Seconds, 1)
		}
		e.now += time.Duration(b.Settle) * time.Second
	}
	return costs
}

// An estimate is an apply that only the clock knows of.
type estimate struct {
	live  *schema.State
	now   time.Duration
	sent  map[Family][]time.Duration // the last requests, at most a budget of them
	roles int
	made  map[schema.Address]bool // what was touched so far
}

func (e *estimate) make(steps []schema.Step) {
	for _, step := range steps {
		for _, f := range step.Effects {
			e.made[f.Addr] = true
		}
	}
}

// send sends requests as early as the budgets allow, and waits for the last.
func (e *estimate) send(requests map[Family]int) {
	last := e.now
	for family, n := range requests {
		b := documented[family]
		b.per += b.per / margin
		sent := e.sent[family]
		for range n {
			at := e.now
			if len(sent) >= b.n {
				at = max(at, sent[len(sent)-b.n]+b.per)
			}
			sent = append(sent, at)
			last = max(last, at)
		}
		e.sent[family] = slices.Clone(sent[max(0, len(sent)-b.n):])
	}
	e.now = last
}

// stage sends what carrying out the steps of a stage takes.
func (e *estimate) stage(steps []schema.Step) {
	e.send(e.reads(steps))
	var api, byHand []schema.Step
	for _, step := range steps {
		if step.Request != nil {
			api = append(api, step)
		} else {
			byHand = append(byHand, step)
		}
	}
	for _, wave := range waves(api) {
		writes := map[Family]int{}
		for _, step := range wave {
			writes[familyOf(step.Request.Method, step.Request.Path)]++
		}
		e.send(writes)
		e.make(wave)
		e.send(e.reads(wave))
	}
	if len(byHand) > 0 {
		e.make(byHand)
		e.send(e.reads(byHand))
	}
}

// waves divides steps: each needs only what is in those before it.
func waves(steps []schema.Step) [][]schema.Step {
	at := map[string]int{} // wave of each step
	byID := map[string]*schema.Step{}
	for i := range steps {
		byID[steps[i].ID] = &steps[i]
	}
	var find func(step *schema.Step) int
	find = func(step *schema.Step) int {
		if n, known := at[step.ID]; known {
			return n
		}
		at[step.ID] = 0 // ends a circle
		n := 0
		for _, id := range step.Needs {
			if need := byID[id]; need != nil && id != step.ID {
				n = max(n, find(need)+1)
			}
		}
		at[step.ID] = n
		return n
	}
	var list [][]schema.Step
	for i := range steps {
		n := find(&steps[i])
		for len(list) <= n {
			list = append(list, nil)
		}
		list[n] = append(list[n], steps[i])
	}
	return slices.DeleteFunc(list, func(w []schema.Step) bool { return len(w) == 0 })
}

// pages is how many requests a list takes.
func pages(entries int) int { return max(1, (entries+pageSize-1)/pageSize) }

// everything is how many requests of the Admin API reading it all takes.
func (e *estimate) everything() int {
	n := 2 + pages(len(e.live.Of("member"))) + pages(len(e.live.Of("group"))) + pages(e.roles) + e.roles // organization, invites
	for _, g := range e.live.Of("group") {
		n += pages(len(g.Get(attrMembers).AsSet()))
	}
	return n
}

// reads is what looking at the objects of steps takes, once; see ReadAgain.
func (e *estimate) reads(steps []schema.Step) map[Family]int {
	seen := map[schema.Address]bool{}
	types := map[string]bool{}
	limits, groups, roles := false, 0, 0
	for _, step := range steps {
		for _, f := range step.Effects {
			if seen[f.Addr] {
				continue
			}
			seen[f.Addr] = true
			types[f.Addr.Type()] = true
			o := e.live.Objects[f.Addr]
			if o != nil {
				_, has := o.Attrs[attrLimit]
				limits = limits || has
			}
			switch f.Addr.Type() {
			case "group":
				if o != nil {
					groups += pages(len(o.Get(attrMembers).AsSet()))
				} else if e.made[f.Addr] {
					groups++
				}
			case "role":
				if o != nil || e.made[f.Addr] {
					roles++
				}
			}
		}
	}
	n := map[Family]int{FamilyAdmin: pages(len(e.live.Of("member"))) + groups}
	if types["group"] {
		n[FamilyAdmin] += pages(len(e.live.Of("group")))
	}
	if types["feature"] { // the row of a role proves that its feature is on
		roles = e.roles
	}
	if types["group"] || types["role"] || types["feature"] {
		n[FamilyAdmin] += pages(e.roles) + roles
	}
	if types["invite"] {
		n[FamilyAdmin]++
	}
	if types["feature"] || types["role"] || types["connector"] {
		n[FamilyAdmin]++
		n[FamilyCompliance] = 2
	}
	if types["plugin"] {
		n[FamilyPluginRead] = 1 + len(e.live.Of("plugin"))
	}
	if limits {
		n[FamilySpend] = 1
	}
	return n
}
