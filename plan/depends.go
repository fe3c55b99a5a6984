package plan

import (
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// depends notes the live objects that the plan rests on: what its steps touch,
// what is linked to that (the roles of a group, the groups of a role), and
// everybody whose access changes. If one of them is no longer what it was, the
// plan is no longer what was reviewed.
func (a *analysis) depends() {
	on := map[schema.Address]bool{"organization": true}
	for i := range a.steps {
		step := &a.steps[i]
		on[step.Addr] = true
		for _, e := range step.Effects {
			on[e.Addr] = true
		}
		for _, v := range step.Moves {
			a.dependsOnMove(on, v)
		}
	}
	a.dependsOnLinks(on)
	for m := range a.model.Members {
		if a.losing[int32(m)] || a.gaining[int32(m)] {
			on[memberAddress(a.model.Members[m])] = true
		}
	}
	a.plan.Depends = map[schema.Address]string{}
	for addr := range on {
		if o := a.b.live.Objects[addr]; o != nil {
			a.plan.Depends[addr] = o.Digest()
		} else if a.b.desired.Objects[addr] != nil {
			a.plan.Depends[addr] = ""
		}
	}
}

func (a *analysis) dependsOnMove(on map[schema.Address]bool, v access.Move) {
	if v.Member != "" {
		on[memberAddress(v.Member)] = true
	}
	if v.Group != "" {
		on[schema.Address(v.Group)] = true
	}
	if v.Source != "" {
		on[a.source(a.model.Source(v.Source))] = true
	}
}

// dependsOnLinks adds the roles of the groups, and the groups of the roles.
func (a *analysis) dependsOnLinks(on map[schema.Address]bool) {
	linked := map[schema.Address]bool{}
	for g, addr := range a.model.Groups {
		for _, s := range []*access.State{a.from[len(a.from)-1], a.to[len(a.to)-1]} {
			for _, src := range s.Attached[g] {
				role, group := a.source(src), schema.Address(addr)
				if on[group] {
					linked[role] = true
				}
				if on[role] {
					linked[group] = true
				}
			}
		}
	}
	for addr := range linked {
		on[addr] = true
	}
}
