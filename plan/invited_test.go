package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/prove"
	"github.com/rolecall/rolecall/providers/claude"
	"github.com/rolecall/rolecall/schema"
)

// stageWith returns the number of the stage that has a step.
func stageWith(p *plan.Plan, id string) int {
	safe := 0
	for _, st := range p.Stages {
		for _, s := range st.Steps {
			if s.ID == id {
				return safe
			}
		}
		if !st.Together {
			safe++
		}
	}
	return -1
}

// TestInvitedPeopleAreKeptInBounds: somebody who accepts an invite in the middle
// of an apply has what members of the same groups have, and is as safe.
func TestInvitedPeopleAreKeptInBounds(t *testing.T) {
	const send = "organization \"acme\" {\n system = \"claude-enterprise\"\n invites = \"send\"\n}\nguard {\n max_members_losing_access = \"100%\"\n}\n"
	roles := "role \"a\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n}\nrole \"b\" {\n capabilities = [\"chat\"]\n connector_default = \"custom\"\n}\n"
	zed := "zed@acme.com"
	live := func() org {
		o := org{members: map[string]string{"ann@acme.com": "managed"}, roles: map[string][]string{"a": {"chat"}, "b": {"chat"}}}
		o.groups = []liveGroup{{name: "g", roles: []string{"a"}}, {name: "h", roles: []string{"b"}}}
		return o
	}
	pending := func(o org, role string, groups ...string) *claude.Snapshot {
		snap := o.snapshot()
		i := claude.Invite{ID: "invite_zed", Email: zed, Role: role, Status: "pending"}
		for _, g := range groups {
			i.GroupIDs = append(i.GroupIDs, "rbac_group_"+g)
		}
		snap.Invites = append(snap.Invites, i)
		return snap
	}
	group := func(name, role, members string) string {
		return "group \"" + name + "\" {\n roles = [role." + role + "]\n members = [" + members + "]\n}\n"
	}
	for name, tt := range map[string]struct {
		config        string
		snap          *claude.Snapshot
		before, after string // steps of which one has to be in a stage before the other
		never         string // a step that no wait is long enough for
	}{
		// Nobody is in the group but who may accept at any moment: without the
		// role for a moment they would lose chat.
		"pending invite, the role of its group changes": {
			send + roles + group("g", "b", `"zed@acme.com"`) + group("h", "b", "") + "migration {\n wave \"w\" { members = [\"zed@acme.com\"] }\n}\n", pending(live(), "managed", "g"), "role.b/attach", "group.g/detach", "",
		},
		"invite that nothing describes": {
			strings.Replace(send, "send", "report", 1) + roles + group("g", "b", "") + group("h", "b", ""), pending(live(), "managed", "g"), "role.b/attach", "group.g/detach", "",
		},
		"invite that is sent": {
			send + roles + group("g", "a", `"zed@acme.com"`) + group("h", "b", ""), live().snapshot(), "", "", `invite["zed@acme.com"]/send`,
		},
		"invite that takes the place of another": {
			send + roles + group("g", "a", "") + group("h", "b", `"zed@acme.com"`), pending(live(), "user", "g"), "", "", `invite["zed@acme.com"]/send`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := tryBuild(t, tt.config, tt.snap)
			if err != nil {
				t.Fatal(err)
			}
			fits(t, p)
			var ids []string
			for id := range p.Steps {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			if tt.before != "" {
				if a, b := stageWith(p, tt.before), stageWith(p, tt.after); a < 0 || b < 0 || a >= b {
					t.Errorf("%s is in stage %d and %s in stage %d of %v", tt.before, a, tt.after, b, ids)
				}
			}
			if tt.never != "" {
				step := p.Steps[tt.never]
				if step == nil {
					t.Fatalf("no step %s among %v", tt.never, ids)
				}
				if step.Settle != schema.Never || len(step.Moves) == 0 {
					t.Errorf("%s settles in %d s and moves %v", step.ID, step.Settle, step.Moves)
				}
			}
			for _, c := range p.Access {
				if slices.Contains(c.Members, zed) {
					t.Errorf("%s is no member, and the plan says that they change %s", zed, c.Permission)
				}
			}
			b, err := p.Save()
			if err != nil {
				t.Fatal(err)
			}
			r, err := prove.Verify(b)
			if err != nil || !r.OK() {
				t.Fatalf("the plan is not proved: %v, %+v", err, r)
			}
			if !strings.Contains(string(b), `"name":"`+zed+`"`) {
				t.Error("the proof does not speak of whoever is invited")
			}
			if tt.before == "" {
				return
			}
			// With the two steps in each other's place it is refused, because of them.
			head := len(strings.Join(strings.SplitAfter(string(b), "\n")[:3], ""))
			swapped := swapLines(string(b)[head:], `step {"id":"`+tt.before+`"`, `step {"id":"`+tt.after+`"`)
			if r, err := prove.Verify(plan.Seal([]byte(swapped))); err != nil || r.OK() {
				t.Errorf("with its steps swapped it is proved: %v", err)
			} else if v := r.Violations[0]; v.Member != zed {
				t.Errorf("the witness is %+v", v)
			}
		})
	}
}

// swapLines puts the line that begins with a in the place of the one that begins
// with b, and the other way round.
func swapLines(text, a, b string) string {
	lines := strings.SplitAfter(text, "\n")
	at := func(prefix string) int {
		return slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, prefix) })
	}
	i, j := at(a), at(b)
	if i < 0 || j < 0 {
		return ""
	}
	lines[i], lines[j] = lines[j], lines[i]
	return strings.Join(lines, "")
}
