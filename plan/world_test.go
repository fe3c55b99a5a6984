package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

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
	perSeat  *int64             // limit of whoever has the seat chat
	compared bool               // whether that is compared with the groups'
	plugin   map[string]int64   // group: level of the plugin
	org      *int64             // level of the plugin for the organization
	market   *int64             // and of its marketplace
	seat     map[string]bool    // member: has the seat chat, which caps capability.f
	says     map[[2]string]bool // group, permission: the group's list speaks of it
	lets     map[[2]string]int  // group, permission: up to which level
}

var (
	worldMembers = []string{"ann@x.io", "bob@x.io", "cyd@x.io"}
	worldGroups  = []string{"group.p", "group.q", "group.r"}
	worldRoles   = []string{"role.a", "role.b", "role.c"}
	worldPerms   = []string{"capability.f", "connector.j.t", "admin.billing"}
	worldTop     = map[string]int{"capability.f": 1, "connector.j.t": 2, "admin.billing": 2}
	pluginScale  = &access.Scale{Name: "plugin", Levels: []string{"not_available", "available", "auto_install", "required"}}
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
	case "owner":
		return worldTop[perm]
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
	best = min(best, w.ceiling[perm])
	if w.seat[member] && perm == "capability.f" {
		best = 0
	}
	var speak []string
	for _, g := range worldGroups {
		if w.in[[2]string{member, g}] && w.says[[2]string{g, perm}] {
			speak = append(speak, g)
		}
	}
	if len(speak) == 1 {
		best = min(best, w.lets[[2]string{speak[0], perm}])
	}
	return best
}

// install is the definition of how a plugin is resolved, word for word.
func (w *world) install(member string) int64 {
	if w.standing[member] == "" {
		return 0
	}
	best := int64(-1)
	for _, g := range worldGroups {
		if l, ok := w.plugin[g]; ok && w.in[[2]string{member, g}] {
			best = max(best, l)
		}
	}
	switch {
	case best >= 0:
		return best
	case w.org != nil:
		return *w.org
	case w.market != nil:
		return *w.market
	}
	return 0
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
	seat := w.seat[member] && w.perSeat != nil
	if seat && w.compared {
		of = append(of, *w.perSeat)
	}
	switch {
	case len(of) > 0 && w.highest:
		return slices.Max(of)
	case len(of) > 0:
		return slices.Min(of)
	case seat:
		return *w.perSeat
	case w.fallback != nil:
		return *w.fallback
	}
	return int64(access.Unlimited)
}

// A shape is what can differ between the organizations of one system: the
// kinds of variables that exist, each as often as it is listed.
type shape []string

var shapes = map[string]shape{
	"claude":   {"standing", "in", "in", "has", "row", "ceiling", "seat"},
	"settings": {"standing", "in", "in", "has", "row", "ceiling", "personal", "group", "fallback", "highest", "top", "perSeat", "plugin", "plugin", "org", "market", "seat"},
	"conduit":  {"in", "in", "has", "row", "list", "list", "list", "ceiling", "owner"},
	"belay":    {"in", "in", "row", "row", "has", "ceiling"},
	"elvex":    {"in", "in", "has", "row", "standing", "owner"},
	"all":      {"standing", "in", "in", "has", "row", "ceiling", "list", "personal", "group", "fallback", "highest", "plugin", "org", "seat", "owner"},
}

func (s shape) has(kind string) bool { return slices.Contains(s, kind) }

// randomWorld draws an organization of a shape. What the shape does not have
// is as if it did not exist.
func randomWorld(r *rand.Rand, s shape) *world {
	w := &world{
		standing: map[string]string{}, in: map[[2]string]bool{}, has: map[[2]string]bool{}, row: map[[2]string]int{},
		ceiling: map[string]int{}, personal: map[string]int64{}, group: map[string]int64{}, plugin: map[string]int64{},
		seat: map[string]bool{}, says: map[[2]string]bool{}, lets: map[[2]string]int{},
	}
	standings := []string{"managed"}
	if s.has("standing") {
		standings = []string{"user", "managed", "managed", "managed", "user", ""}
	}
	if s.has("owner") {
		standings = append(standings, "managed", "owner")
	}
	for _, m := range worldMembers {
		w.standing[m] = pick(r, standings)
		w.seat[m] = s.has("seat") && r.IntN(4) == 0
		for _, g := range worldGroups {
			w.in[[2]string{m, g}] = r.IntN(2) == 0
		}
	}
	for _, g := range worldGroups {
		for _, role := range worldRoles {
			w.has[[2]string{g, role}] = r.IntN(2) == 0
		}
		for _, p := range worldPerms {
			k := [2]string{g, p}
			if s.has("list") && r.IntN(2) == 0 {
				w.says[k], w.lets[k] = true, r.IntN(worldTop[p]+1)
			}
		}
	}
	for _, p := range worldPerms {
		w.ceiling[p] = worldTop[p]
		if s.has("ceiling") && p != "admin.billing" && r.IntN(3) == 0 {
			w.ceiling[p] = r.IntN(worldTop[p] + 1)
		}
		for _, role := range worldRoles {
			w.row[[2]string{role, p}] = r.IntN(worldTop[p] + 1)
		}
	}
	amounts := []int64{0, 50, 100, 150, 200, int64(access.Unlimited)}
	draw := func(kind string, one int, values []int64) *int64 {
		if !s.has(kind) || r.IntN(one) > 0 {
			return nil
		}
		l := values[r.IntN(len(values))]
		return &l
	}
	put := func(to map[string]int64, k string, l *int64) {
		if l != nil {
			to[k] = *l
		}
	}
	levels := []int64{0, 1, 2, 3}
	for _, m := range worldMembers {
		put(w.personal, m, draw("personal", 4, amounts))
	}
	for _, g := range worldGroups {
		put(w.group, g, draw("group", 2, amounts))
		put(w.plugin, g, draw("plugin", 2, levels))
	}
	w.fallback, w.top, w.perSeat = draw("fallback", 2, amounts), draw("top", 3, amounts), draw("perSeat", 2, amounts)
	w.org, w.market = draw("org", 2, levels), draw("market", 2, levels)
	w.highest, w.compared = s.has("highest") && r.IntN(2) == 0, s.has("perSeat") && r.IntN(3) == 0
	return w
}

// near returns a world that differs from w in about n variables.
func near(r *rand.Rand, w *world, n int, s shape) *world {
	other := randomWorld(r, s)
	c := w.copy()
	for range n {
		m, g := pick(r, worldMembers), pick(r, worldGroups)
		role, p := pick(r, worldRoles), pick(r, worldPerms)
		switch pick(r, s) {
		case "standing":
			if w.standing[m] != "owner" && other.standing[m] != "owner" {
				c.standing[m] = other.standing[m]
			}
		case "in":
			c.in[[2]string{m, g}] = other.in[[2]string{m, g}]
		case "has":
			c.has[[2]string{g, role}] = other.has[[2]string{g, role}]
		case "row":
			c.row[[2]string{role, p}] = other.row[[2]string{role, p}]
		case "ceiling":
			c.ceiling[p] = other.ceiling[p]
		case "list":
			k := [2]string{g, p}
			c.says[k], c.lets[k] = other.says[k], other.lets[k]
		case "personal":
			copyKey(c.personal, other.personal, m)
		case "group":
			copyKey(c.group, other.group, g)
		case "plugin":
			copyKey(c.plugin, other.plugin, g)
		case "fallback":
			c.fallback = other.fallback
		case "perSeat":
			c.perSeat = other.perSeat
		case "org":
			c.org = other.org
		case "market":
			c.market = other.market
		case "highest":
			c.highest = other.highest
		case "top":
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
	return c
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
	for _, g := range worldGroups {
		if a, b := levelText(w.plugin, g), levelText(v.plugin, g); a != b {
			add(func(x *world) { copyKey(x.plugin, v.plugin, g) },
				access.Move{Kind: access.MoveGroupSetting, Group: g, Setting: "plugin.k", From: a, To: b})
		}
		for _, p := range worldPerms {
			k := [2]string{g, p}
			if w.says[k] == v.says[k] && (!w.says[k] || w.lets[k] == v.lets[k]) {
				continue
			}
			var moves []access.Move
			if w.says[k] != v.says[k] {
				move := access.Move{Kind: access.MoveListSpeaks, Group: g, Permission: p, From: access.Out, To: access.In}
				if w.says[k] {
					move = move.Reverse()
				}
				moves = append(moves, move)
			}
			if w.lets[k] != v.lets[k] {
				moves = append(moves, access.Move{Kind: access.MoveListLevel, Group: g, Permission: p,
					From: scales[p].Levels[w.lets[k]], To: scales[p].Levels[v.lets[k]]})
			}
			add(func(x *world) { x.says[k], x.lets[k] = v.says[k], v.lets[k] }, moves...)
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
	if a, b := amountText(w.perSeat), amountText(v.perSeat); a != b {
		add(func(x *world) { x.perSeat = v.perSeat }, access.Move{Kind: access.MoveSeatSetting, Seat: "chat", Setting: "spend.monthly", From: a, To: b})
	}
	if a, b := orgText(w.org), orgText(v.org); a != b {
		add(func(x *world) { x.org = v.org }, access.Move{Kind: access.MoveDefault, Setting: "plugin.k", From: a, To: b})
	}
	if a, b := orgText(w.market), orgText(v.market); a != b {
		add(func(x *world) { x.market = v.market }, access.Move{Kind: access.MoveFallback, Setting: "plugin.k", From: a, To: b})
	}
	if w.highest != v.highest {
		add(func(x *world) { x.highest = v.highest }, access.Move{Kind: access.MovePrecedence, Setting: "spend.monthly",
			From: precedence(w), To: precedence(v)})
	}
	return list
}

// saves puts some of the steps into one: a role saved in one piece, a person
// moved by one request, a group deleted with everything of it, or whatever a
// system may do at once.
func saves(r *rand.Rand, steps []worldStep) []worldStep {
	for n := r.IntN(3); n > 0 && len(steps) > 1; n-- {
		i, j := r.IntN(len(steps)), r.IntN(len(steps))
		if i == j {
			continue
		}
		a, b := steps[min(i, j)], steps[max(i, j)]
		steps[min(i, j)] = worldStep{schema.Step{ID: a.ID, Phase: a.Phase, Moves: slices.Concat(a.Moves, b.Moves)}, func(w *world) { a.do(w); b.do(w) }}
		steps = slices.Delete(steps, max(i, j), max(i, j)+1)
	}
	return steps
}

func levelText(m map[string]int64, k string) string {
	if l, ok := m[k]; ok {
		return pluginScale.Levels[l]
	}
	return ""
}

func orgText(l *int64) string {
	if l == nil {
		return ""
	}
	return pluginScale.Levels[*l]
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
	chat := u.Full()
	f, _ := u.Find("capability.f")
	u.Put(chat, f, 0)
	return access.NewModel(u, worldMembers, worldGroups, worldRoles, []access.Standing{
		{Name: "user", Own: user}, {Name: "managed", Own: u.NewSet(), FromGroups: true}, {Name: "owner", Own: u.Full(), Uncapped: true},
	}, []access.SettingKind{{Key: "spend.monthly"}, {Key: "plugin.k", Scale: pluginScale}}, access.Seat{Name: "chat", Cap: chat})
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
	s.Settings[0].Highest, s.Settings[0].SeatCompared = w.highest, w.compared
	if w.perSeat != nil {
		s.Settings[0].Seat[1] = access.Limit(*w.perSeat)
	}
	s.Settings[1].Highest = true
	for group, l := range w.plugin {
		s.Settings[1].Group[m.Group(group)] = access.Limit(l)
	}
	if w.org != nil {
		s.Settings[1].Default = access.Limit(*w.org)
	}
	if w.market != nil {
		s.Settings[1].Fallback = access.Limit(*w.market)
	}
	for member, chat := range w.seat {
		if chat {
			s.Seat[m.Member(member)] = 1
		}
	}
	for k := range w.says {
		p, _ := m.Universe.Find(k[1])
		s.Speak(m.Universe, m.Group(k[0]), p, w.says[k])
		s.Allow(m.Universe, m.Group(k[0]), p, access.Level(w.lets[k]))
	}
	return s
}

func (w *world) copy() *world {
	c := *w
	c.standing, c.in, c.has, c.row = clone(w.standing), clone(w.in), clone(w.has), clone(w.row)
	c.ceiling, c.personal, c.group, c.plugin = clone(w.ceiling), clone(w.personal), clone(w.group), clone(w.plugin)
	c.says, c.lets = clone(w.says), clone(w.lets)
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
		a, b, l = now.install(m), end.install(m), x.install(m)
		if l < min(a, b) || l > max(a, b) {
			return fmt.Errorf("plugin of %s is %d, outside %d to %d", m, l, a, b)
		}
	}
	return nil
}
