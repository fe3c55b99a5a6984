package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

func groupPlugin(group, from, to string) access.Move {
	return access.Move{Kind: access.MoveGroupSetting, Group: group, Setting: "plugin.k", From: from, To: to}
}

func speak(group, perm string) access.Move {
	return access.Move{Kind: access.MoveListSpeaks, Group: group, Permission: perm, From: access.Out, To: access.In}
}

// TestKindsOfSteps has one case for each kind of step that moves several
// things at once, or that works another way than granting.
func TestKindsOfSteps(t *testing.T) {
	amount := func(n int64) *int64 { return &n }
	tests := map[string]struct {
		world  *world
		steps  []namedStep
		order  [][2]string // the first is in an earlier stage
		stages int
	}{
		"10-plugin-from-pilot-to-everybody": {
			world: named(func(w *world) { set(w.in, ann, "group.p"); w.plugin["group.p"] = 2 }),
			steps: []namedStep{step("organization", access.Move{Kind: access.MoveDefault, Setting: "plugin.k", From: "", To: "auto_install"}),
				step("pilot", groupPlugin("group.p", "auto_install", ""))},
			order: [][2]string{{"organization", "pilot"}}, stages: 2,
		},
		"weaker-group-setting-lowers": {
			world: named(func(w *world) { set(w.in, ann, "group.p"); w.org = amount(3) }),
			steps: []namedStep{step("group", groupPlugin("group.p", "", "available"))}, stages: 1,
		},
		"group-deleted-after-its-members-are-elsewhere": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p", bob, "group.p")
				set(w.has, "group.p", "role.a", "group.q", "role.a")
				w.row[[2]string{"role.a", permF}] = 1
				w.group["group.p"], w.group["group.q"], w.plugin["group.p"], w.plugin["group.q"] = 100, 100, 1, 1
			}),
			steps: []namedStep{
				step("delete", leave(ann, "group.p"), leave(bob, "group.p"), groupLimit("group.p", "100", ""), groupPlugin("group.p", "available", "")),
				step("ann", join(ann, "group.q")), step("bob", join(bob, "group.q")),
			},
			order: [][2]string{{"ann", "delete"}, {"bob", "delete"}}, stages: 2,
		},
		"baseline-replaced-by-rows-in-one-save": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p")
				set(w.has, "group.p", "role.a", "group.p", "role.b")
				w.row[[2]string{"role.a", permT}] = 1
			}),
			steps: []namedStep{step("save", grant("role.a", permT, 1, 0), grant("role.b", permT, 0, 1))}, stages: 1,
		},
		"moved-between-groups-by-one-request": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p")
				set(w.has, "group.p", "role.a", "group.q", "role.a")
				w.row[[2]string{"role.a", permF}] = 1
			}),
			steps: []namedStep{step("put", leave(ann, "group.p"), join(ann, "group.q"))}, stages: 1,
		},
		// Two teams that speak cancel each other out: leave before joining,
		// which needs access that does not hang on the team.
		"moved-between-teams": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p", ann, "group.r")
				set(w.has, "group.r", "role.a")
				w.row[[2]string{"role.a", permT}], w.row[[2]string{"role.a", permF}] = 2, 1
				w.says[[2]string{"group.p", permT}], w.says[[2]string{"group.q", permT}] = true, true
				w.lets[[2]string{"group.p", permT}], w.lets[[2]string{"group.q", permT}] = 1, 1
			}),
			steps: []namedStep{step("put", leave(ann, "group.p"), join(ann, "group.q"))}, stages: 1,
		},
		"list-removed-is-wider": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p")
				set(w.has, "group.p", "role.a")
				w.row[[2]string{"role.a", permT}] = 2
				w.says[[2]string{"group.p", permT}] = true
				w.ceiling[permT] = 2
			}),
			steps: []namedStep{step("remove", speak("group.p", permT).Reverse()),
				step("policy", access.Move{Kind: access.MoveCeiling, Permission: permT, From: "always_allow", To: "blocked"})},
			order: [][2]string{{"policy", "remove"}}, stages: 2,
		},
		"rollback-of-a-migration": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p")
				set(w.has, "group.p", "role.a")
				w.row[[2]string{"role.a", permT}] = 2
			}),
			steps: []namedStep{step("back", migrate(ann).Reverse()), step("off", switchOn(permF).Reverse()), step("leave", leave(ann, "group.p"))},
			order: [][2]string{{"off", "back"}, {"back", "leave"}}, stages: 3,
		},
		"removed-person-loses-everything-at-once": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p", ann, "group.q")
				w.group["group.p"], w.group["group.q"], w.personal[ann] = 50, 200, 100
			}),
			steps: []namedStep{step("remove", leave(ann, "group.p"), leave(ann, "group.q"),
				access.Move{Kind: access.MoveMemberSetting, Member: ann, Setting: "spend.monthly", From: "100"},
				access.Move{Kind: access.MoveStanding, Member: ann, From: "managed"})}, stages: 1,
		},
		"seat-default-before-the-limit-goes": {
			world: named(func(w *world) { w.seat[ann] = true; w.personal[ann] = 100; w.fallback = amount(50) }),
			steps: []namedStep{step("seat", access.Move{Kind: access.MoveSeatSetting, Seat: "chat", Setting: "spend.monthly", To: "100"}),
				step("own", access.Move{Kind: access.MoveMemberSetting, Member: ann, Setting: "spend.monthly", From: "100"})},
			order: [][2]string{{"seat", "own"}}, stages: 2,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, at := schedule(t, tt.steps, tt.world)
			if len(s.Stuck) > 0 || len(s.Stages) != tt.stages {
				t.Fatalf("%d stages, want %d; stuck %v, at %v", len(s.Stages), tt.stages, s.Stuck, at)
			}
			for _, o := range tt.order {
				if at[o[0]] >= at[o[1]] {
					t.Errorf("%s is in stage %d, %s in %d", o[0], at[o[0]], o[1], at[o[1]])
				}
			}
		})
	}
}

// TestNoOrderWitnesses has the changes that have no safe order, in their
// smallest form, and the steps that say why.
func TestNoOrderWitnesses(t *testing.T) {
	amount := func(n int64) *int64 { return &n }
	tests := map[string]struct {
		world   *world
		steps   []namedStep
		witness int // steps in it
	}{
		"role-moves-one-way-and-somebody-the-other": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p", ann, "group.q", bob, "group.q")
				set(w.has, "group.p", "role.a", "group.p", "role.b", "group.q", "role.b")
				w.row[[2]string{"role.a", permF}], w.row[[2]string{"role.b", permT}] = 1, 1
			}),
			steps: []namedStep{step("attach", attach("group.q", "role.a")), step("detach", attach("group.p", "role.a").Reverse()),
				step("join", join(bob, "group.p")), step("leave", leave(bob, "group.q"))},
			witness: 4,
		},
		"roles-trade-in-one-save-each": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p", ann, "group.q")
				set(w.has, "group.p", "role.a", "group.q", "role.b")
				w.row[[2]string{"role.a", permF}], w.row[[2]string{"role.b", permBill}] = 1, 1
			}),
			steps:   []namedStep{step("a", grant("role.a", permF, 1, 0), grant("role.a", permBill, 0, 1)), step("b", grant("role.b", permBill, 1, 0), grant("role.b", permF, 0, 1))},
			witness: 2,
		},
		"plugin-and-spend-pull-two-joins-apart": {
			world: named(func(w *world) {
				w.fallback, w.group["group.p"], w.group["group.q"] = amount(100), 150, 200
				w.org, w.plugin["group.p"], w.plugin["group.q"] = amount(3), 1, 3
			}),
			steps:   []namedStep{step("p", join(ann, "group.p")), step("q", join(ann, "group.q"))},
			witness: 2,
		},
		"limits-swapped-while-somebody-moves": {
			world: named(func(w *world) {
				set(w.in, ann, "group.p", ann, "group.q", bob, "group.q")
				w.group["group.p"], w.group["group.q"] = 50, 200
			}),
			steps: []namedStep{step("raise", groupLimit("group.p", "50", "200")), step("lower", groupLimit("group.q", "200", "50")),
				step("leave", leave(bob, "group.q")), step("join", join(bob, "group.p"))},
			witness: 4,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, _ := schedule(t, tt.steps, tt.world)
			if len(s.Stuck) == 0 {
				t.Fatalf("an order was found: %v", s.Stages)
			}
			if len(s.Witness) != tt.witness {
				t.Errorf("a witness of %d steps, want %d: %+v", len(s.Witness), tt.witness, s.Witness)
			}
			c := change{before: tt.world}
			var list []schema.Step
			for _, n := range tt.steps {
				list = append(list, schema.Step{ID: n.id, Moves: n.moves})
			}
			end := tt.world.state()
			for _, n := range list {
				for _, v := range n.Moves {
					b, err := worldModel.Bind(v)
					if err != nil {
						t.Fatal(err)
					}
					end.Apply(worldModel.Universe, b)
				}
			}
			g, err := plan.Order(worldModel, []*access.State{c.before.state()}, []*access.State{end}, list, nil, plan.OrderOptions{AcceptGaps: true})
			if err != nil {
				t.Fatal(err)
			}
			if len(slices.Concat(g.Stages...)) != len(list) || len(g.Gaps) == 0 {
				t.Errorf("%d of %d steps with %d gaps", len(slices.Concat(g.Stages...)), len(list), len(g.Gaps))
			}
			for _, gap := range g.Gaps {
				if gap.Over {
					t.Errorf("too much is let through: %+v", gap)
				}
			}
		})
	}
}

// TestHalvesBecomeOneSave: a role edit that adds and takes is one save where
// both halves can share a stage, and two where they cannot.
func TestHalvesBecomeOneSave(t *testing.T) {
	halves := func(moves ...access.Move) []schema.Step {
		return []schema.Step{
			{ID: "role.a/add", Save: "role.a/edit", Phase: "roles", Via: schema.ByConsole, Moves: moves[:1]},
			{ID: "role.a/take", Save: "role.a/edit", Phase: "removals", Via: schema.ByConsole, Moves: moves[1:2]},
			{ID: "swap", Phase: "members", Moves: moves[2:]},
		}
	}
	w := named(func(w *world) {
		set(w.in, ann, "group.p", bob, "group.q")
		set(w.has, "group.p", "role.a", "group.q", "role.b", "group.r", "role.a")
		w.row[[2]string{"role.a", permF}] = 1
	})
	order := func(w *world, steps []schema.Step) *plan.Schedule {
		end := w.state()
		for _, s := range steps {
			for _, v := range s.Moves {
				b, err := worldModel.Bind(v)
				if err != nil {
					t.Fatal(err)
				}
				end.Apply(worldModel.Universe, b)
			}
		}
		s, err := plan.Order(worldModel, []*access.State{w.state()}, []*access.State{end}, steps, []string{"roles", "members", "removals"}, plan.OrderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := order(w, halves(grant("role.a", permBill, 0, 1), grant("role.a", permF, 1, 0), join(cyd, "group.r")))
	if diff := cmp.Diff([][]int{{0, 1}}, s.Joined); diff != "" {
		t.Errorf("joined (-want +got):\n%s\nstages %v", diff, s.Stages)
	}
}

// TestRoom: with no room left, what makes room is a stage earlier; where that
// is not safe, the step is named.
func TestRoom(t *testing.T) {
	w := named(func(w *world) {
		set(w.in, ann, "group.p")
		set(w.has, "group.p", "role.a", "group.q", "role.a")
		w.row[[2]string{"role.a", permF}] = 1
	})
	tests := map[string]struct {
		moves   []access.Move // what fills the new group
		crowded []int
		stages  int
	}{
		"deleted-first":    {[]access.Move{join(bob, "group.r")}, nil, 2},
		"needed-meanwhile": {[]access.Move{join(ann, "group.q")}, []int{0}, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			steps := []schema.Step{{ID: "create", Moves: tt.moves}, {ID: "delete", Moves: []access.Move{leave(ann, "group.p")}}}
			end := w.state()
			for _, s := range steps {
				for _, v := range s.Moves {
					b, _ := worldModel.Bind(v)
					end.Apply(worldModel.Universe, b)
				}
			}
			s, err := plan.Order(worldModel, []*access.State{w.state()}, []*access.State{end}, steps, nil,
				plan.OrderOptions{Room: []plan.Room{{Takes: []string{"create"}, Frees: []string{"delete"}}}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.crowded, s.Crowded); diff != "" || len(s.Stages) != tt.stages || len(s.Stuck) > 0 {
				t.Errorf("%d stages, stuck %v, crowded (-want +got):\n%s", len(s.Stages), s.Stuck, diff)
			}
		})
	}
}

// BenchmarkOrderReorganization moves everybody between groups of their own
// choice while limits change: every member is a class.
func BenchmarkOrderReorganization(b *testing.B) {
	for _, n := range []int{10_000, 30_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m, from, to, steps := reorganization(n / 2)
			b.ReportAllocs()
			for b.Loop() {
				s, err := plan.Order(m, []*access.State{from}, []*access.State{to}, steps, nil, plan.OrderOptions{})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(s.Stages)), "stages")
				b.ReportMetric(float64(len(s.Stuck)), "stuck")
			}
			b.ReportMetric(float64(len(steps)), "steps")
		})
	}
}

// reorganization makes people who each leave one group and join another.
func reorganization(people int) (m *access.Model, from, to *access.State, steps []schema.Step) {
	m, from, _, _, _ = migration(3*people + 120)
	managed, _ := m.Standing("managed")
	for i := range m.Members {
		from.Standing[i] = managed
		from.Join(int32(i), int32(i%97))
		from.Join(int32(i), int32((i/97)%97))
		from.Settings[0].Member[int32(i)] = access.Limit(i + 1) // nobody is like another
	}
	for g := range m.Groups {
		from.Attach(int32(g), int32(g%60))
	}
	add := func(v access.Move) {
		steps = append(steps, schema.Step{ID: fmt.Sprintf("s%06d", len(steps)), Moves: []access.Move{v}})
	}
	for i, e := range m.Members {
		old := from.Memberships[i][0]
		next := (old + 13 + int32(i/9409)) % 100
		if slices.Contains(from.Memberships[i], next) {
			continue
		}
		add(leave(e, m.Groups[old]))
		add(join(e, m.Groups[next]))
	}
	to = from.Clone()
	for _, s := range steps {
		b, err := m.Bind(s.Moves[0])
		if err != nil {
			panic(err)
		}
		to.Apply(m.Universe, b)
	}
	return m, from, to, steps
}
