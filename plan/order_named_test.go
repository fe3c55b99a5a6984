package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers/claude"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

const (
	ann, bob, cyd          = "ann@x.io", "bob@x.io", "cyd@x.io"
	permF, permT, permBill = "capability.f", "connector.j.t", "admin.billing"
)

// named starts a world in which nobody is anything: everybody is managed, all
// ceilings are open, and nothing is granted, attached or limited.
func named(change func(*world)) *world {
	w := &world{
		standing: map[string]string{ann: "managed", bob: "managed", cyd: "managed"}, in: map[[2]string]bool{}, has: map[[2]string]bool{},
		row: map[[2]string]int{}, ceiling: map[string]int{permF: 1, permT: 2, permBill: 2}, personal: map[string]int64{}, group: map[string]int64{},
		plugin: map[string]int64{}, seat: map[string]bool{}, says: map[[2]string]bool{}, lets: map[[2]string]int{},
	}
	change(w)
	return w
}

func set(m map[[2]string]bool, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		m[[2]string{pairs[i], pairs[i+1]}] = true
	}
}

func join(member, group string) access.Move {
	return access.Move{Kind: access.MoveMembership, Member: member, Group: group, From: access.Out, To: access.In}
}

func leave(member, group string) access.Move { return join(member, group).Reverse() }

func attach(group, role string) access.Move {
	return access.Move{Kind: access.MoveAttachment, Group: group, Source: role, From: access.Out, To: access.In}
}

func grant(role, perm string, from, to int) access.Move {
	return access.Move{Kind: access.MoveGrant, Source: role, Permission: perm, From: scales[perm].Levels[from], To: scales[perm].Levels[to]}
}

func switchOn(perm string) access.Move {
	return access.Move{Kind: access.MoveCeiling, Permission: perm, From: scales[perm].Levels[0], To: scales[perm].Levels[worldTop[perm]]}
}

func migrate(member string) access.Move {
	return access.Move{Kind: access.MoveStanding, Member: member, From: "user", To: "managed"}
}

func groupLimit(group, from, to string) access.Move {
	return access.Move{Kind: access.MoveGroupSetting, Group: group, Setting: "spend.monthly", From: from, To: to}
}

func defaultLimit(from, to string) access.Move {
	return access.Move{Kind: access.MoveDefault, Setting: "spend.monthly", From: from, To: to}
}

// A namedStep is a step with its name, and what it needs or why it is held.
type namedStep struct {
	id    string
	moves []access.Move
	phase string
	held  string
	needs []string
}

func step(id string, moves ...access.Move) namedStep { return namedStep{id: id, moves: moves} }

// schedule orders named steps from every given world.
func schedule(t testing.TB, steps []namedStep, worlds ...*world) (*plan.Schedule, map[string]int) {
	t.Helper()
	var list []schema.Step
	for _, s := range steps {
		list = append(list, schema.Step{ID: s.id, Phase: s.phase, Moves: s.moves, Held: s.held, Needs: s.needs})
	}
	var from, to []*access.State
	for _, w := range worlds {
		end := w.state()
		for _, s := range list {
			for _, v := range s.Moves {
				b, err := worldModel.Bind(v)
				if err != nil {
					t.Fatal(err)
				}
				end.Apply(worldModel.Universe, b)
			}
		}
		from, to = append(from, w.state()), append(to, end)
	}
	s, err := plan.Order(worldModel, from, to, list, []string{"", "roles", "groups", "members", "migration", "features", "removals"}, plan.OrderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, stage := range s.Stages {
		for _, n := range stage {
			at[list[n].ID] = i
		}
	}
	return s, at
}

// TestNamedOrders is the smallest form of each way in which a plausible order
// goes wrong, and the order that does not.
func TestNamedOrders(t *testing.T) {
	amount := func(n int64) *int64 { return &n }
	tests := map[string]struct {
		world  *world
		steps  []namedStep
		order  []string // "a<b": a is in an earlier stage than b
		stages int
	}{
		"1-feature-before-the-migration": {
			world:  named(func(w *world) { w.standing[ann] = "user"; w.ceiling[permF] = 0 }),
			steps:  []namedStep{step("feature", switchOn(permF)), step("migrate", migrate(ann))},
			order:  []string{"migrate<feature"},
			stages: 2,
		},
		"2-feature-before-a-removal": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p")
				set(w.has, "group.p", "role.a")
				w.row[[2]string{"role.a", permF}] = 1
				w.ceiling[permF] = 0
			}),
			steps:  []namedStep{step("feature", switchOn(permF)), step("leave", leave(ann, "group.p"))},
			order:  []string{"leave<feature"},
			stages: 2,
		},
		"3-two-roles-trade": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p", ann, "group.q")
				set(w.has, "group.p", "role.a", "group.q", "role.b")
				w.row[[2]string{"role.a", permF}] = 1
				w.row[[2]string{"role.b", permBill}] = 1
			}),
			steps: []namedStep{
				step("a-add", grant("role.a", permBill, 0, 1)), step("a-take", grant("role.a", permF, 1, 0)),
				step("b-add", grant("role.b", permF, 0, 1)), step("b-take", grant("role.b", permBill, 1, 0)),
			},
			order:  []string{"b-add<a-take", "a-add<b-take"},
			stages: 2,
		},
		"4-default-replaced-by-rows-in-two-saves": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p")
				set(w.has, "group.p", "role.a", "group.p", "role.b")
				w.row[[2]string{"role.a", permT}] = 1
			}),
			steps:  []namedStep{step("default", grant("role.a", permT, 1, 0)), step("rows", grant("role.b", permT, 0, 1))},
			order:  []string{"rows<default"},
			stages: 2,
		},
		"5-lowest-joins-two-limited-groups": {
			world: named(func(w *world) { w.fallback = amount(100); w.group["group.q"], w.group["group.r"] = 200, 150 }),
			steps: []namedStep{step("join-200", join(ann, "group.q")), step("join-150", join(ann, "group.r"))},
			order: []string{"join-150<join-200"}, stages: 2,
		},
		"6-highest-joins-two-limited-groups": {
			world: named(func(w *world) {
				w.highest, w.fallback = true, amount(180)
				w.group["group.q"], w.group["group.r"] = 200, 150
			}),
			steps: []namedStep{step("join-200", join(ann, "group.q")), step("join-150", join(ann, "group.r"))},
			order: []string{"join-200<join-150"}, stages: 2,
		},
		"7-moves-to-a-group-that-is-raised": {
			world: named(func(w *world) { set(w.in, ann, "group.p"); w.group["group.p"], w.group["group.q"] = 100, 50 }),
			steps: []namedStep{step("raise", groupLimit("group.q", "50", "200")), step("join", join(ann, "group.q")), step("leave", leave(ann, "group.p"))},
			order: []string{"raise<join", "join<leave"}, stages: 3,
		},
		"8-precedence-and-a-lower-limit": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p", ann, "group.q")
				w.group["group.p"], w.group["group.q"] = 100, 200
			}),
			steps: []namedStep{
				step("precedence", access.Move{Kind: access.MovePrecedence, Setting: "spend.monthly", From: "lowest", To: "highest"}),
				step("lower", groupLimit("group.q", "200", "100")),
			},
			order: []string{"lower<precedence"}, stages: 2,
		},
		"9-own-limit-removed-while-the-default-rises": {
			world: named(func(w *world) { w.personal[ann] = 100; w.fallback = amount(50) }),
			steps: []namedStep{
				step("remove", access.Move{Kind: access.MoveMemberSetting, Member: ann, Setting: "spend.monthly", From: "100"}),
				step("default", defaultLimit("50", "100")),
			},
			order: []string{"default<remove"}, stages: 2,
		},
		"11-limits-swapped-lowest": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p", ann, "group.q")
				w.group["group.p"], w.group["group.q"] = 50, 200
			}),
			steps: []namedStep{step("raise", groupLimit("group.p", "50", "200")), step("lower", groupLimit("group.q", "200", "50"))},
			order: []string{"lower<raise"}, stages: 2,
		},
		"11-limits-swapped-highest": {
			world: named(func(w *world) {
				w.highest = true
				set(w.in, ann, "group.p", ann, "group.q")
				w.group["group.p"], w.group["group.q"] = 50, 200
			}),
			steps: []namedStep{step("raise", groupLimit("group.p", "50", "200")), step("lower", groupLimit("group.q", "200", "50"))},
			order: []string{"raise<lower"}, stages: 2,
		},
		"groups-before-the-migration": {
			world: named(func(w *world) {
				w.standing[ann] = "user"
				w.row[[2]string{"role.a", permF}] = 1
			}),
			steps:  []namedStep{step("migrate", migrate(ann)), step("join", join(ann, "group.p")), step("attach", attach("group.p", "role.a"))},
			order:  []string{"join<migrate", "attach<migrate"},
			stages: 2,
		},
		"any-order-user-gains-a-feature": {
			world:  named(func(w *world) { w.standing[ann] = "user"; w.ceiling[permF] = 0 }),
			steps:  []namedStep{step("feature", switchOn(permF)), step("join", join(ann, "group.p"))},
			stages: 1,
		},
		"any-order-migration-that-gains-and-loses": {
			world: named(func(w *world) {
				w.standing[ann] = "user"
				set(w.in, ann, "group.p")
				set(w.has, "group.p", "role.a")
				w.row[[2]string{"role.a", permBill}] = 1
			}),
			steps: []namedStep{step("migrate", migrate(ann))}, stages: 1,
		},
		"any-order-one-member-trades-one-thing-for-another": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p")
				set(w.has, "group.p", "role.a")
				w.row[[2]string{"role.a", permF}] = 1
			}),
			steps:  []namedStep{step("add", grant("role.a", permBill, 0, 2)), step("take", grant("role.a", permF, 1, 0))},
			stages: 1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			// The order must not hang on the order of the input.
			for range 2 {
				s, at := schedule(t, tt.steps, tt.world)
				if len(s.Stuck) > 0 || len(s.Held) > 0 || len(at) != len(tt.steps) {
					t.Fatalf("%d of %d steps scheduled, held %v, stuck %v", len(at), len(tt.steps), s.Held, s.Stuck)
				}
				for _, o := range tt.order {
					a, b, _ := strings.Cut(o, "<")
					if at[a] >= at[b] {
						t.Errorf("%s: stages %d and %d", o, at[a], at[b])
					}
				}
				if len(s.Stages) != tt.stages {
					t.Errorf("%d stages, want %d: %v", len(s.Stages), tt.stages, at)
				}
				slices.Reverse(tt.steps)
			}
		})
	}
}

func TestDependentsOfAHeldStepAreHeld(t *testing.T) {
	w := named(func(w *world) { w.standing[ann], w.standing[bob] = "user", "user"; w.ceiling[permF] = 0 })
	hold := step("migrate", migrate(ann))
	hold.held = "waits for wave one"
	s, at := schedule(t, []namedStep{step("feature", switchOn(permF)), hold, step("other", join(cyd, "group.r"))}, w)
	if diff := cmp.Diff(map[string]int{"other": 0}, at); diff != "" {
		t.Errorf("scheduled (-want +got):\n%s", diff)
	}
	want := map[int]string{0: "is safe only after what waits for wave one", 1: "waits for wave one"}
	if diff := cmp.Diff(want, s.Held); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	if len(s.Stuck) > 0 {
		t.Errorf("stuck: %v", s.Stuck)
	}
}

// TestEveryReadingIsSafe gives the planner a group of which nobody knows
// whether it has the role: the stages must be safe either way.
func TestEveryReadingIsSafe(t *testing.T) {
	without := named(func(w *world) {
		w.standing[ann] = "user"
		set(w.in, ann, "group.p")
		w.row[[2]string{"role.a", permF}] = 1
		w.ceiling[permF] = 0
	})
	with := without.copy()
	set(with.has, "group.p", "role.a")
	steps := []namedStep{step("feature", switchOn(permF)), step("migrate", migrate(ann))}
	if s, _ := schedule(t, steps, with); len(s.Stages) != 1 {
		t.Errorf("%d stages where the role is there, want 1", len(s.Stages))
	}
	for name, worlds := range map[string][]*world{"without": {without}, "both": {without, with}, "both-swapped": {with, without}} {
		s, at := schedule(t, steps, worlds...)
		if len(s.Stages) != 2 || at["migrate"] >= at["feature"] {
			t.Errorf("%s: %d stages, %v", name, len(s.Stages), at)
		}
	}
}

// TestNoSafeOrder moves a role from one group to another while somebody moves
// the other way: whichever step is first, somebody is out of bounds.
func TestNoSafeOrder(t *testing.T) {
	w := named(func(w *world) {
		set(w.in, ann, "group.p", ann, "group.q", bob, "group.q")
		set(w.has, "group.p", "role.a", "group.p", "role.b", "group.q", "role.b")
		w.row[[2]string{"role.a", permF}] = 1
		w.row[[2]string{"role.b", permT}] = 1
	})
	s, _ := schedule(t, []namedStep{step("attach", attach("group.q", "role.a")), step("detach", attach("group.p", "role.a").Reverse()),
		step("join", join(bob, "group.p")), step("leave", leave(bob, "group.q"))}, w)
	if len(s.Stuck) != 4 || len(s.Stages) != 0 {
		t.Fatalf("%d steps are stuck and %d stages made, want 4 and 0", len(s.Stuck), len(s.Stages))
	}
	got := map[int]string{}
	for _, v := range s.Stuck {
		got[v.Step] = fmt.Sprintf("%s %s over=%v", worldModel.Members[v.Member], v.Permission, v.Over)
	}
	want := map[int]string{0: bob + " " + permF + " over=true", 1: ann + " " + permF + " over=false",
		2: bob + " " + permF + " over=true", 3: bob + " " + permT + " over=false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
}

// TestPeriodsThatPullApart: the limit of a month wants one group joined first,
// that of a week the other. Whichever is joined first, ann may spend more than
// before and after, so there is no order that may be let through.
func TestPeriodsThatPullApart(t *testing.T) {
	u := access.NewUniverse(nil)
	m := access.NewModel(u, []string{ann}, []string{"group.g", "group.h"}, nil, []access.Standing{{Name: "managed", Own: u.NewSet(), FromGroups: true}},
		[]access.SettingKind{{Key: "spend.monthly"}, {Key: "spend.weekly"}})
	from := m.NewState()
	from.Standing[0], _ = m.Standing("managed")
	g, h := m.Group("group.g"), m.Group("group.h")
	for i, limits := range [][2]access.Limit{{150, 200}, {200, 150}} { // the lowest counts
		from.Settings[i].Default = 100
		from.Settings[i].Group[g], from.Settings[i].Group[h] = limits[0], limits[1]
	}
	to := from.Clone()
	to.Join(0, g)
	to.Join(0, h)
	steps := []schema.Step{{ID: "g", Moves: []access.Move{join(ann, "group.g")}}, {ID: "h", Moves: []access.Move{join(ann, "group.h")}}}
	s, err := plan.Order(m, []*access.State{from}, []*access.State{to}, steps, nil, plan.OrderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Stages) != 0 || len(s.Stuck) != 2 {
		t.Fatalf("stages %v, stuck %v", s.Stages, s.Stuck)
	}
	got := map[int]string{}
	for _, v := range s.Witness {
		got[v.Step] = fmt.Sprintf("%s over=%v", v.Permission, v.Over)
	}
	if diff := cmp.Diff(map[int]string{0: "spend.weekly over=true", 1: "spend.monthly over=true"}, got); diff != "" {
		t.Errorf("witness (-want +got):\n%s", diff)
	}
}

// TestLatePhasesComeLate checks that what may be at any time is where admins
// look for it.
func TestLatePhasesComeLate(t *testing.T) {
	w := named(func(w *world) {
		w.standing[ann] = "user"
		w.ceiling[permF], w.ceiling[permT] = 0, 0
		set(w.in, bob, "group.r")
	})
	in := func(phase string, s namedStep) namedStep { s.phase = phase; return s }
	s, at := schedule(t, []namedStep{
		in("removals", step("leave", leave(bob, "group.r"))),
		in("features", step("feature", switchOn(permF))),
		in("features", step("free-feature", access.Move{Kind: access.MoveCeiling, Permission: permT, From: "blocked", To: "needs_approval"})),
		in("migration", step("migrate", migrate(ann))),
		in("roles", step("role", grant("role.c", permBill, 0, 1))),
	}, w)
	want := map[string]int{"role": 0, "migrate": 0, "feature": 1, "free-feature": 1, "leave": 1}
	if diff := cmp.Diff(want, at); diff != "" || len(s.Stages) != 2 {
		t.Errorf("%d stages (-want +got):\n%s", len(s.Stages), diff)
	}
}

// TestStepsMustLeadToTheDesiredState refuses steps that do something else.
func TestStepsMustLeadToTheDesiredState(t *testing.T) {
	w := named(func(*world) {})
	tests := map[string]struct {
		steps []schema.Step
		want  string
	}{
		"a-step-is-missing": {nil, "groups of ann@x.io"},
		"a-name-is-unknown": {[]schema.Step{{ID: "s", Moves: []access.Move{join("zoe@x.io", "group.p")}}}, `no member "zoe@x.io"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			end := w.copy()
			set(end.in, ann, "group.p")
			_, err := plan.Order(worldModel, []*access.State{w.state()}, []*access.State{end.state()}, tt.steps, []string{"one"}, plan.OrderOptions{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// migration is the change that everybody begins with: groups are filled, roles
// attached, members moved, features switched on.
func migration(n int) (m *access.Model, from, to *access.State, steps []schema.Step, phases []string) {
	scale := &access.Scale{Name: "capability", Levels: []string{"none", "allowed"}}
	tool := &access.Scale{Name: "tool", Levels: []string{"blocked", "needs_approval", "always_allow"}}
	var perms []access.Permission
	for i := range 1000 {
		perms = append(perms, access.Permission{Key: fmt.Sprintf("connector.c%d.t%d", i/10, i%10), Scale: tool})
	}
	for i := range 20 {
		perms = append(perms, access.Permission{Key: fmt.Sprintf("capability.c%d", i), Scale: scale})
	}
	u := access.NewUniverse(perms)
	people := max((n-120)/3, 10) // two groups and one move each
	var members, groups, sources []string
	for i := range people {
		members = append(members, fmt.Sprintf("m%06d@x.io", i))
	}
	for i := range 100 {
		groups = append(groups, fmt.Sprintf("group.g%02d", i))
	}
	for i := range 60 {
		sources = append(sources, fmt.Sprintf("role.r%02d", i))
	}
	m = access.NewModel(u, members, groups, sources, []access.Standing{{Name: "user", Own: u.Full()}, {Name: "managed", Own: u.NewSet(), FromGroups: true}}, []access.SettingKind{{Key: "spend.monthly"}})
	from = m.NewState()
	user, _ := m.Standing("user")
	for i := range from.Standing {
		from.Standing[i] = user
	}
	for r := range sources {
		for p := range u.Len() {
			if (p*7+r*13)%5 == 0 {
				u.Put(from.Grants[r], access.Perm(p), 1)
			}
		}
	}
	for i := range 5 {
		p, _ := u.Find(fmt.Sprintf("capability.c%d", i))
		u.Put(from.Ceiling, p, 0)
	}
	add := func(id, phase string, v access.Move) {
		steps = append(steps, schema.Step{ID: id, Phase: phase, Moves: []access.Move{v}})
	}
	for i := range 100 {
		add(fmt.Sprintf("attach%d", i), "groups", attach(groups[i], sources[i%60]))
	}
	for i, e := range members {
		add("join-a"+e, "members", join(e, groups[i%97]))
		add("join-b"+e, "members", join(e, groups[97+i%3]))
		add("move"+e, "migration", migrate(e))
	}
	for i := range 5 {
		add(fmt.Sprintf("feature%d", i), "features", access.Move{Kind: access.MoveCeiling, Permission: fmt.Sprintf("capability.c%d", i), From: "none", To: "allowed"})
	}
	to = from.Clone()
	for _, s := range steps {
		b, err := m.Bind(s.Moves[0])
		if err != nil {
			panic(err)
		}
		to.Apply(u, b)
	}
	return m, from, to, steps, []string{"roles", "groups", "members", "migration", "features", "removals"}
}

func BenchmarkOrder(b *testing.B) {
	for _, n := range []int{100, 5_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m, from, to, steps, phases := migration(n)
			b.ReportAllocs()
			for b.Loop() {
				s, err := plan.Order(m, []*access.State{from}, []*access.State{to}, steps, phases, plan.OrderOptions{})
				if err != nil || len(s.Stuck) > 0 {
					b.Fatalf("%v, %d stuck", err, len(s.Stuck))
				}
				b.ReportMetric(float64(len(s.Stages)), "stages")
			}
			b.ReportMetric(float64(len(steps)), "steps")
		})
	}
}

// BenchmarkBuild plans the migration of an organization with that many
// memberships, of which a tenth is new.
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{100, 5_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			o := org{off: []string{"cowork"}, members: map[string]string{}, roles: map[string][]string{"base": {"chat"}}}
			var everybody []string
			for i := range n / 2 {
				e := fmt.Sprintf("m%06d@acme.com", i)
				everybody = append(everybody, e)
				o.members[e] = "user"
			}
			o.groups = []liveGroup{{name: "all", members: everybody[len(everybody)/5:]}}
			for i := range 90 {
				g := liveGroup{name: fmt.Sprintf("team%02d", i), roles: []string{"base"}}
				for k := i; k < len(everybody); k += 90 {
					g.members = append(g.members, everybody[k])
				}
				o.groups = append(o.groups, g)
			}
			c := load(b, covered+"role \"extra\" {\n capabilities = [\"cowork\"]\n connector_default = \"custom\"\n}\ngroup \"team00\" { roles = [role.extra, role.base] }\nfeature \"cowork\" { enabled = true }\nmigration {\n wave \"one\" { members = everyone }\n}")
			s := claude.New(c)
			d, diags := s.Describe()
			if diags.HasErrors() {
				b.Fatal(diags)
			}
			live := s.State(o.snapshot())
			b.ReportAllocs()
			for b.Loop() {
				p, err := plan.Build(plan.Input{Config: c, Description: d, System: s, Live: live, Now: time.Unix(0, 0)})
				if err != nil || p.Verdict == plan.NoChanges {
					b.Fatalf("%v", err)
				}
				b.ReportMetric(float64(p.Summary.Steps), "steps")
			}
		})
	}
}
