package plan_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// A world is a small organization written down as plainly as possible, for
// the brute-force evaluator. It shares nothing with the planner.
type world struct {
	standing map[string]string  // member: user, managed or "" for gone
	in       map[[2]string]bool // member, group
	has      map[[2]string]bool // group, role
	row      map[[2]string]int  // role, permission: level
	ceiling  map[string]int     // permission: level
	personal map[string]int64   // member: limit
	group    map[string]int64   // group: limit
	fallback *int64             // organization default
	top      *int64             // the ceiling on every limit
	highest  bool
}

var (
	worldMembers = []string{"ann@x.io", "bob@x.io", "cyd@x.io"}
	worldGroups  = []string{"group.p", "group.q", "group.r"}
	worldRoles   = []string{"role.a", "role.b", "role.c"}
	worldPerms   = []string{"capability.f", "connector.j.t", "admin.billing"}
	worldTop     = map[string]int{"capability.f": 1, "connector.j.t": 2, "admin.billing": 2}
	scales       = map[string]*access.Scale{
		"capability.f":  {Name: "capability", Levels: []string{"none", "allowed"}},
		"connector.j.t": {Name: "tool", Levels: []string{"blocked", "needs_approval", "always_allow"}},
		"admin.billing": {Name: "admin", Levels: []string{"none", "view", "manage"}},
	}
)

// level is the definition of access, word for word.
func (w *world) level(member, perm string) int {
	best := 0
	switch w.standing[member] {
	case "":
		return 0
	case "user":
		if perm != "admin.billing" {
			best = worldTop[perm]
		}
	case "managed":
		for _, g := range worldGroups {
			for _, r := range worldRoles {
				if w.in[[2]string{member, g}] && w.has[[2]string{g, r}] {
					best = max(best, w.row[[2]string{r, perm}])
				}
			}
		}
	}
	return min(best, w.ceiling[perm])
}

// limit is the definition of spend resolution, word for word.
func (w *world) limit(member string) int64 {
	if w.standing[member] == "" {
		return 0
	}
	if w.top != nil {
		return min(*w.top, w.uncapped(member))
	}
	return w.uncapped(member)
}

func (w *world) uncapped(member string) int64 {
	if l, ok := w.personal[member]; ok {
		return l
	}
	var of []int64
	for _, g := range worldGroups {
		if l, ok := w.group[g]; ok && w.in[[2]string{member, g}] {
			of = append(of, l)
		}
	}
	switch {
	case len(of) > 0 && w.highest:
		return slices.Max(of)
	case len(of) > 0:
		return slices.Min(of)
	case w.fallback != nil:
		return *w.fallback
	}
	return int64(access.Unlimited)
}

func randomWorld(r *rand.Rand, spend bool) *world {
	w := &world{
		standing: map[string]string{}, in: map[[2]string]bool{}, has: map[[2]string]bool{}, row: map[[2]string]int{},
		ceiling: map[string]int{}, personal: map[string]int64{}, group: map[string]int64{},
	}
	for _, m := range worldMembers {
		w.standing[m] = []string{"user", "managed", "managed", "managed", "user", ""}[r.IntN(6)]
		for _, g := range worldGroups {
			w.in[[2]string{m, g}] = r.IntN(2) == 0
		}
	}
	for _, g := range worldGroups {
		for _, role := range worldRoles {
			w.has[[2]string{g, role}] = r.IntN(2) == 0
		}
	}
	for _, p := range worldPerms {
		w.ceiling[p] = worldTop[p]
		if p != "admin.billing" && r.IntN(3) == 0 {
			w.ceiling[p] = r.IntN(worldTop[p] + 1)
		}
		for _, role := range worldRoles {
			w.row[[2]string{role, p}] = r.IntN(worldTop[p] + 1)
		}
	}
	if spend {
		amounts := []int64{0, 50, 100, 150, 200, int64(access.Unlimited)}
		for _, m := range worldMembers {
			if r.IntN(4) == 0 {
				w.personal[m] = amounts[r.IntN(len(amounts))]
			}
		}
		for _, g := range worldGroups {
			if r.IntN(2) == 0 {
				w.group[g] = amounts[r.IntN(len(amounts))]
			}
		}
		if r.IntN(2) == 0 {
			l := amounts[r.IntN(len(amounts))]
			w.fallback = &l
		}
		if r.IntN(3) == 0 {
			l := amounts[r.IntN(len(amounts))]
			w.top = &l
		}
		w.highest = r.IntN(2) == 0
	}
	return w
}

// near returns a world that differs from w in about n variables.
func near(r *rand.Rand, w *world, n int, spend bool) *world {
	other := randomWorld(r, spend)
	c := *w
	c.standing, c.in, c.has, c.row = clone(w.standing), clone(w.in), clone(w.has), clone(w.row)
	c.ceiling, c.personal, c.group = clone(w.ceiling), clone(w.personal), clone(w.group)
	for range n {
		m, g := pick(r, worldMembers), pick(r, worldGroups)
		role, p := pick(r, worldRoles), pick(r, worldPerms)
		kinds := 6
		if spend {
			kinds = 11
		}
		switch r.IntN(kinds) {
		case 0:
			c.standing[m] = other.standing[m]
		case 1, 2:
			c.in[[2]string{m, g}] = other.in[[2]string{m, g}]
		case 3:
			c.has[[2]string{g, role}] = other.has[[2]string{g, role}]
		case 4:
			c.row[[2]string{role, p}] = other.row[[2]string{role, p}]
		case 5:
			c.ceiling[p] = other.ceiling[p]
		case 6:
			copyKey(c.personal, other.personal, m)
		case 7:
			copyKey(c.group, other.group, g)
		case 8:
			c.fallback = other.fallback
		case 9:
			c.highest = other.highest
		case 10:
			c.top = other.top
		}
	}
	for _, m := range worldMembers { // who is not there is in no group and has no limit
		if c.standing[m] == "" {
			for _, g := range worldGroups {
				c.in[[2]string{m, g}] = false
			}
			delete(c.personal, m)
		}
	}
	return &c
}

func clone[K comparable, V any](m map[K]V) map[K]V {
	c := make(map[K]V, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

func copyKey(to, from map[string]int64, k string) {
	if v, ok := from[k]; ok {
		to[k] = v
	} else {
		delete(to, k)
	}
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// A worldStep is a step with its meaning in the world.
type worldStep struct {
	schema.Step
	do func(*world)
}

// stepsBetween returns the steps from w to v: one for each variable, with role
// edits in two halves and removals in one piece.
func stepsBetween(w, v *world) []worldStep {
	var list []worldStep
	add := func(do func(*world), moves ...access.Move) {
		id := fmt.Sprintf("step%03d", len(list))
		list = append(list, worldStep{schema.Step{ID: id, Phase: "one", Moves: moves}, do})
	}
	for _, m := range worldMembers {
		gone := w.standing[m] != "" && v.standing[m] == ""
		var removal []access.Move
		for _, g := range worldGroups {
			k := [2]string{m, g}
			if w.in[k] == v.in[k] {
				continue
			}
			move := access.Move{Kind: access.MoveMembership, Member: m, Group: g, From: access.Out, To: access.In}
			if w.in[k] {
				move = move.Reverse()
			}
			if gone {
				removal = append(removal, move)
				continue
			}
			add(func(x *world) { x.in[k] = v.in[k] }, move)
		}
		if wl, vl := limitText(w.personal, m), limitText(v.personal, m); wl != vl {
			move := access.Move{Kind: access.MoveMemberSetting, Member: m, Setting: "spend.monthly", From: wl, To: vl}
			if gone {
				removal = append(removal, move)
			} else {
				add(func(x *world) { copyKey(x.personal, v.personal, m) }, move)
			}
		}
		if w.standing[m] != v.standing[m] {
			move := access.Move{Kind: access.MoveStanding, Member: m, From: w.standing[m], To: v.standing[m]}
			if gone {
				add(func(x *world) {
					x.standing[m] = ""
					delete(x.personal, m)
					for _, g := range worldGroups {
						x.in[[2]string{m, g}] = false
					}
				}, append(removal, move)...)
			} else {
				add(func(x *world) { x.standing[m] = v.standing[m] }, move)
			}
		}
	}
	for _, g := range worldGroups {
		for _, role := range worldRoles {
			k := [2]string{g, role}
			if w.has[k] != v.has[k] {
				move := access.Move{Kind: access.MoveAttachment, Group: g, Source: role, From: access.Out, To: access.In}
				if w.has[k] {
					move = move.Reverse()
				}
				add(func(x *world) { x.has[k] = v.has[k] }, move)
			}
		}
		if wl, vl := limitText(w.group, g), limitText(v.group, g); wl != vl {
			add(func(x *world) { copyKey(x.group, v.group, g) },
				access.Move{Kind: access.MoveGroupSetting, Group: g, Setting: "spend.monthly", From: wl, To: vl})
		}
	}
	for _, role := range worldRoles {
		for _, up := range []bool{true, false} {
			var moves []access.Move
			for _, p := range worldPerms {
				from, to := w.row[[2]string{role, p}], v.row[[2]string{role, p}]
				if from != to && (to > from) == up {
					moves = append(moves, access.Move{Kind: access.MoveGrant, Source: role, Permission: p,
						From: scales[p].Levels[from], To: scales[p].Levels[to]})
				}
			}
			if len(moves) > 0 {
				add(func(x *world) {
					for _, b := range moves {
						k := [2]string{role, b.Permission}
						x.row[k] = v.row[k]
					}
				}, moves...)
			}
		}
	}
	for _, p := range worldPerms {
		if w.ceiling[p] != v.ceiling[p] {
			add(func(x *world) { x.ceiling[p] = v.ceiling[p] }, access.Move{Kind: access.MoveCeiling, Permission: p,
				From: scales[p].Levels[w.ceiling[p]], To: scales[p].Levels[v.ceiling[p]]})
		}
	}
	if a, b := amountText(w.top), amountText(v.top); a != b {
		add(func(x *world) { x.top = v.top }, access.Move{Kind: access.MoveSettingCeiling, Setting: "spend.monthly", From: a, To: b})
	}
	if a, b := amountText(w.fallback), amountText(v.fallback); a != b {
		add(func(x *world) { x.fallback = v.fallback }, access.Move{Kind: access.MoveDefault, Setting: "spend.monthly", From: a, To: b})
	}
	if w.highest != v.highest {
		add(func(x *world) { x.highest = v.highest }, access.Move{Kind: access.MovePrecedence, Setting: "spend.monthly",
			From: precedence(w), To: precedence(v)})
	}
	return list
}

func limitText(m map[string]int64, k string) string {
	if l, ok := m[k]; ok {
		return access.Limit(l).String()
	}
	return ""
}

func amountText(l *int64) string {
	if l == nil {
		return ""
	}
	return access.Limit(*l).String()
}

func precedence(w *world) string {
	if w.highest {
		return "highest"
	}
	return "lowest"
}

var worldModel = func() *access.Model {
	var perms []access.Permission
	for _, p := range worldPerms {
		perms = append(perms, access.Permission{Key: p, Scale: scales[p]})
	}
	u := access.NewUniverse(perms)
	user := u.Full()
	admin, _ := u.Find("admin.billing")
	u.Put(user, admin, 0)
	return access.NewModel(u, worldMembers, worldGroups, worldRoles, []access.Standing{
		{Name: "user", Own: user}, {Name: "managed", Own: u.NewSet(), FromGroups: true},
	}, []access.SettingKind{{Key: "spend.monthly"}})
}()

func (w *world) state() *access.State {
	m := worldModel
	s := m.NewState()
	for member, standing := range w.standing {
		n, _ := m.Standing(standing)
		s.Standing[m.Member(member)] = n
	}
	for k, in := range w.in {
		if in {
			s.Join(m.Member(k[0]), m.Group(k[1]))
		}
	}
	for k, has := range w.has {
		if has {
			s.Attach(m.Group(k[0]), m.Source(k[1]))
		}
	}
	for k, l := range w.row {
		p, _ := m.Universe.Find(k[1])
		m.Universe.Put(s.Grants[m.Source(k[0])], p, access.Level(l))
	}
	for perm, l := range w.ceiling {
		p, _ := m.Universe.Find(perm)
		m.Universe.Put(s.Ceiling, p, access.Level(l))
	}
	for member, l := range w.personal {
		s.Settings[0].Member[m.Member(member)] = access.Limit(l)
	}
	for group, l := range w.group {
		s.Settings[0].Group[m.Group(group)] = access.Limit(l)
	}
	if w.fallback != nil {
		s.Settings[0].Default = access.Limit(*w.fallback)
	}
	if w.top != nil {
		s.Settings[0].Ceiling = access.Limit(*w.top)
	}
	s.Settings[0].Highest = w.highest
	return s
}

func (w *world) copy() *world {
	c := *w
	c.standing, c.in, c.has, c.row = clone(w.standing), clone(w.in), clone(w.has), clone(w.row)
	c.ceiling, c.personal, c.group = clone(w.ceiling), clone(w.personal), clone(w.group)
	return &c
}

// bound checks that x lies between now and end for everybody.
func bound(now, end, x *world) error {
	for _, m := range worldMembers {
		for _, p := range worldPerms {
			a, b, l := now.level(m, p), end.level(m, p), x.level(m, p)
			if l < min(a, b) || l > max(a, b) {
				return fmt.Errorf("%s of %s is %d, outside %d to %d", p, m, l, a, b)
			}
		}
		a, b, l := now.limit(m), end.limit(m), x.limit(m)
		if l < min(a, b) || l > max(a, b) {
			return fmt.Errorf("limit of %s is %d, outside %d to %d", m, l, a, b)
		}
	}
	return nil
}

// runs is how many random changes a property is tried on: 10,000, or what
// ROLECALL_RUNS says for a longer search.
func runs(t *testing.T) int {
	if s := os.Getenv("ROLECALL_RUNS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 10_000
}

// TestEverySubsetIsSafe plans random changes and puts every subset of every
// stage in force.
func TestEverySubsetIsSafe(t *testing.T) {
	var states, unordered, stages int
	for seed := range runs(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		spend := seed%2 == 1
		before := near(r, randomWorld(r, spend), 0, spend)
		after := near(r, before, 2+r.IntN(8), spend)
		steps := stepsBetween(before, after)
		list := make([]schema.Step, len(steps))
		for i := range steps {
			list[i] = steps[i].Step
		}
		s, err := plan.Order(worldModel, []*access.State{before.state()}, []*access.State{after.state()}, list, []string{"one"}, plan.OrderOptions{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(s.Stuck) > 0 {
			unordered++
			continue
		}
		stages += len(s.Stages)
		now := before.copy()
		seen := 0
		for i, stage := range s.Stages {
			seen += len(stage)
			if len(stage) > 16 {
				t.Fatalf("seed %d: a stage of %d steps cannot be enumerated: make the changes smaller", seed, len(stage))
			}
			for mask := range 1 << len(stage) {
				x := now.copy()
				for k, n := range stage {
					if mask>>k&1 == 1 {
						steps[n].do(x)
					}
				}
				states++
				if err := bound(now, after, x); err != nil {
					t.Fatalf("seed %d, stage %d of %d, subset %b: %v", seed, i+1, len(s.Stages), mask, err)
				}
			}
			for _, n := range stage {
				steps[n].do(now)
			}
		}
		if seen != len(steps) {
			t.Fatalf("seed %d: %d of %d steps scheduled and nothing held", seed, seen, len(steps))
		}
	}
	t.Logf("%d changes, %d states, %d stages, %d without a safe order", runs(t), states, stages, unordered)
	if unordered*20 > runs(t) {
		t.Errorf("%d of %d changes have no order: the planner gives up too early", unordered, runs(t))
	}
}

// orderExists searches all orders of single steps for one that keeps the
// bound, the slow way.
func orderExists(before, after *world, steps []worldStep) bool {
	dead := map[int]bool{}
	var search func(mask int, now *world) bool
	search = func(mask int, now *world) bool {
		if mask == 1<<len(steps)-1 {
			return true
		}
		if dead[mask] {
			return false
		}
		for i := range steps {
			if mask>>i&1 == 1 {
				continue
			}
			next := now.copy()
			steps[i].do(next)
			if bound(now, after, next) == nil && search(mask|1<<i, next) {
				return true
			}
		}
		dead[mask] = true
		return false
	}
	return search(0, before)
}

// TestFindsAnOrderWhereThereIsOne compares "no safe order" with exhaustive
// search.
func TestFindsAnOrderWhereThereIsOne(t *testing.T) {
	var hopeless, missed int
	for seed := range runs(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		spend := seed%2 == 1
		before := near(r, randomWorld(r, spend), 0, spend)
		after := near(r, before, 2+r.IntN(8), spend)
		steps := stepsBetween(before, after)
		list := make([]schema.Step, len(steps))
		for i := range steps {
			list[i] = steps[i].Step
		}
		s, err := plan.Order(worldModel, []*access.State{before.state()}, []*access.State{after.state()}, list, []string{"one"}, plan.OrderOptions{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(s.Stuck) == 0 {
			continue
		}
		if orderExists(before, after, steps) {
			missed++
			t.Logf("seed %d: an order exists for %d steps", seed, len(steps))
		} else {
			hopeless++
		}
	}
	t.Logf("%d changes: %d have no order, %d have one that was not found", runs(t), hopeless, missed)
	if missed*1000 > runs(t) {
		t.Errorf("%d orders missed", missed)
	}
}
