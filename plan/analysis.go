package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// An analysis is a plan in the making.
type analysis struct {
	Input
	b        *binding
	binder   *binder
	changes  []*schema.Change
	steps    []schema.Step
	schedule *Schedule
	model    *access.Model
	ordered  *access.Model   // model, and behind its members whoever has or gets an invite
	from, to []*access.State // live and desired, in each reading
	after    []*access.State // once everything that is not held was carried out
	plan     *Plan
	found    []*finding

	before, then, end []*access.View // of from, after and to
	losing            map[int32]bool // members who lose something
	gaining           map[int32]bool
	because           map[becauseKey]reason
}

// reach works out the state that the plan leads to, which is the desired one
// but for what is held.
func (a *analysis) reach() {
	u := a.model.Universe
	for r := range a.from {
		s := a.from[r].Clone()
		for _, stage := range a.schedule.Stages {
			for _, i := range stage {
				for _, v := range a.steps[i].Moves {
					if b := a.bound(v); int(b.Member) < len(a.model.Members) {
						s.Apply(u, b)
					}
				}
			}
		}
		a.after = append(a.after, s)
		a.before = append(a.before, access.NewView(a.model, a.from[r]))
		a.then = append(a.then, access.NewView(a.model, s))
		a.end = append(a.end, access.NewView(a.model, a.to[r]))
	}
}

// bound returns a move by numbers. Members from the number of those of the model
// on are people who are invited.
func (a *analysis) bound(v access.Move) access.Bound {
	b, err := a.ordered.Bind(v)
	if err != nil {
		panic("plan: " + err.Error()) // Order has bound it before
	}
	return b
}

// An AccessChange is one permission that changes from one level to another,
// and everybody whom it concerns.
type AccessChange struct {
	Permission string    `json:"permission"`
	From       string    `json:"from"` // a level, or "unknown"
	To         string    `json:"to"`
	Direction  string    `json:"direction"` // gain, loss, raise, lower
	Count      int       `json:"count"`
	Members    []string  `json:"members"`
	Because    []Because `json:"because"`
}

// A Because says why a member's access changes.
type Because struct {
	Member string           `json:"member"`
	Via    []schema.Address `json:"via"` // where it comes from, or came from
	Why    string           `json:"why"`
}

// A LimitChange is one limit that changes, in minor units of the currency.
type LimitChange struct {
	Period    string    `json:"period"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Direction string    `json:"direction"`
	Count     int       `json:"count"`
	Members   []string  `json:"members"`
	Because   []Because `json:"because"`
}

// unknownLevel is the level of what could not be read.
const unknownLevel = "unknown"

type becauseKey struct {
	from, to int32 // classes
	perm     access.Perm
}

type reason struct {
	via []schema.Address
	why string
}

// span is a level in all readings.
type levels struct{ lo, hi access.Level }

func (l levels) name(u *access.Universe, p access.Perm) string {
	if l.lo != l.hi {
		return unknownLevel
	}
	return u.LevelName(p, l.lo)
}

// access compares who can do what before the plan and after it.
func (a *analysis) access() {
	a.losing, a.gaining, a.because = map[int32]bool{}, map[int32]bool{}, map[becauseKey]reason{}
	u := a.model.Universe
	last := len(a.from) - 1
	type pair [4]int32
	members := map[pair][]int32{}
	for i := range a.model.Members {
		k := pair{a.before[0].Of[i], a.before[last].Of[i], a.then[0].Of[i], a.then[last].Of[i]}
		members[k] = append(members[k], int32(i))
	}
	type change struct {
		perm      access.Perm
		from, to  string
		direction string
	}
	groups := map[change][]int32{}
	differ := u.NewSet()
	for k, list := range members {
		b0, b1 := a.before[0].Classes[k[0]].Access, a.before[last].Classes[k[1]].Access
		t0, t1 := a.then[0].Classes[k[2]].Access, a.then[last].Classes[k[3]].Access
		for i := range differ {
			differ[i] = (b0[i] ^ t0[i]) | (b1[i] ^ t1[i])
		}
		for _, p := range u.Perms(differ) {
			from, to := levels{u.Get(b0, p), u.Get(b1, p)}, levels{u.Get(t0, p), u.Get(t1, p)}
			up := int(to.lo)+int(to.hi) > int(from.lo)+int(from.hi)
			c := change{p, from.name(u, p), to.name(u, p), direction(up, from.lo == 0, to.hi == 0)}
			if c.from != c.to {
				groups[c] = append(groups[c], list...)
			}
		}
	}
	for c, list := range groups {
		slices.Sort(list)
		up := c.direction == "gain" || c.direction == "raise"
		ac := AccessChange{Permission: u.Key(c.perm), From: c.from, To: c.to, Count: len(list), Direction: c.direction}
		for _, m := range list {
			if up {
				a.gaining[m] = true
			} else {
				a.losing[m] = true
			}
			ac.Members = append(ac.Members, a.model.Members[m])
			r := a.reason(m, c.perm, up)
			if c.from == unknownLevel {
				r.why = "could not be read before: " + r.why
			}
			ac.Because = append(ac.Because, Because{Member: a.model.Members[m], Via: r.via, Why: r.why})
		}
		a.plan.Access = append(a.plan.Access, ac)
	}
	a.limits()
	slices.SortFunc(a.plan.Access, func(x, y AccessChange) int {
		return cmp.Or(directionRank(x.Direction)-directionRank(y.Direction), compareText(x.Permission, y.Permission),
			compareText(x.From, y.From), compareText(x.To, y.To))
	})
	a.plan.Summary.MembersGaining, a.plan.Summary.MembersLosing = len(a.gaining), len(a.losing)
}

func direction(up, fromNothing, toNothing bool) string {
	switch {
	case up && fromNothing:
		return "gain"
	case up:
		return "raise"
	case toNothing:
		return "loss"
	}
	return "lower"
}

// directionRank puts what is taken away first.
func directionRank(d string) int { return slices.Index([]string{"loss", "lower", "gain", "raise"}, d) }

func compareText(a, b string) int { return strings.Compare(a, b) }

// reason says why a member's level of a permission changes; members of one
// class before and after share it.
func (a *analysis) reason(m int32, p access.Perm, up bool) reason {
	last := len(a.from) - 1
	k := becauseKey{a.before[last].Of[m], a.then[last].Of[m], p}
	if r, ok := a.because[k]; ok {
		return r
	}
	var r reason
	if up {
		r = a.gained(m, p)
	} else {
		r = a.lost(m, p)
	}
	a.because[k] = r
	return r
}

// gained says where a new level comes from.
func (a *analysis) gained(m int32, p access.Perm) reason {
	last := len(a.from) - 1
	had := access.Explain(a.model, a.from[0], m, p)
	has := access.Explain(a.model, a.after[last], m, p)
	var r reason
	if len(has.Paths) > 0 {
		r.via = a.via(has.Paths[0], a.after[last], m)
	}
	switch {
	case len(has.Paths) > 0 && has.Paths[0].Source < 0:
		r.why = "open to the organization, and their access does not come from roles"
	case has.Best > 0 && had.Best >= has.Best && a.sameStanding(m):
		r.why = "open to the organization, and granted through " + a.text(has.Paths)
	default:
		r.why = "through " + a.text(has.Paths)
	}
	return r
}

// lost says where an old level came from and what became of it.
func (a *analysis) lost(m int32, p access.Perm) reason {
	last := len(a.from) - 1
	had := access.Explain(a.model, a.from[last], m, p)
	has := access.Explain(a.model, a.after[last], m, p)
	var r reason
	if len(had.Paths) > 0 {
		r.via = a.via(had.Paths[0], a.from[last], m)
	}
	after := a.model.Standings[a.after[last].Standing[m]]
	migrates := after.FromGroups && !a.model.Standings[a.from[last].Standing[m]].FromGroups
	switch {
	case after.Absent:
		r.why = "is removed from the organization"
	case has.Best >= had.Best:
		r.why = "the organization's setting holds it back"
	case migrates && has.Best == 0:
		r.why = "moves to custom roles, and none of their roles grants it"
	case migrates:
		r.why = "moves to custom roles, and has it through " + a.text(has.Paths)
	case has.Best == 0:
		r.why = "had it through " + a.text(had.Paths) + ", and " + a.nothing() + " any more"
	default:
		r.why = "had it through " + a.text(had.Paths) + ", and now through " + a.text(has.Paths)
	}
	return r
}

// byRoles reports whether groups give what they give through roles: where there
// are none, a group gives it itself, and no role is to be spoken of.
func (a *analysis) byRoles() bool {
	return slices.ContainsFunc(a.model.Sources, func(s string) bool { return schema.Address(s).Type() == "role" })
}

// nothing says that nothing gives somebody something, in the system's words.
func (a *analysis) nothing() string {
	if a.byRoles() {
		return "no role grants it"
	}
	return "nothing gives it"
}

func (a *analysis) sameStanding(m int32) bool {
	last := len(a.from) - 1
	return a.from[last].Standing[m] == a.after[last].Standing[m]
}

// via returns the addresses of a path.
func (a *analysis) via(p access.Path, s *access.State, m int32) []schema.Address {
	if p.Source < 0 {
		return []schema.Address{schema.MakeAddress("organization_role", a.model.Standings[s.Standing[m]].Name, "")}
	}
	if group, source := a.group(p.Group), a.source(p.Source); group != source {
		return []schema.Address{group, source}
	}
	return []schema.Address{a.group(p.Group)}
}

// source returns the address of a source without the remark on which part of
// it grants.
func (a *analysis) source(i int32) schema.Address { return sourceAddress(a.model.Sources[i]) }

// group returns the address of a group without the remark on which part of it
// a member is in.
func (a *analysis) group(i int32) schema.Address { return sourceAddress(a.model.Groups[i]) }

func sourceAddress(name string) schema.Address {
	if strings.HasSuffix(name, ")") {
		if at := strings.LastIndex(name, " ("); at > 0 {
			name = name[:at]
		}
	}
	return schema.Address(name)
}

// text writes up to two paths; a role that comes through several groups is
// named once.
func (a *analysis) text(paths []access.Path) string {
	var list []string
	for _, p := range paths {
		if p.Source < 0 {
			return "the organization role"
		}
		s := a.model.Groups[p.Group]
		if source := a.source(p.Source); source != a.group(p.Group) {
			s = fmt.Sprintf("%s, which has %s", s, source)
		}
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	switch {
	case len(list) == 0:
		return "nothing"
	case len(list) > 2:
		return fmt.Sprintf("%s (and %d more ways)", list[0], len(list)-1)
	}
	return strings.Join(list, " and ")
}

// limits compares settings: spend limits are listed as limits, settings with
// levels, such as plugins, with the other permissions.
func (a *analysis) limits() {
	last := len(a.from) - 1
	type change struct {
		setting  int
		from, to access.Limit
	}
	groups := map[change][]int32{}
	for i := range a.model.Members {
		m := int32(i)
		for setting := range a.model.Settings {
			f, t := a.before[last].Setting(m, setting), a.then[last].Setting(m, setting)
			if f != t && f != access.Unset && t != access.Unset {
				groups[change{setting, f, t}] = append(groups[change{setting, f, t}], m)
			}
		}
	}
	for c, list := range groups {
		kind := a.model.Settings[c.setting]
		lc := LimitChange{Period: strings.TrimPrefix(kind.Key, "spend."), From: kind.Text(c.from), To: kind.Text(c.to), Count: len(list), Direction: "raise"}
		if c.to < c.from {
			lc.Direction = "lower"
		}
		for _, m := range list {
			if c.to > c.from {
				a.gaining[m] = true
			} else {
				a.losing[m] = true
			}
			lc.Members = append(lc.Members, a.model.Members[m])
			lc.Because = append(lc.Because, a.limitBecause(m, c.setting))
		}
		if kind.Scale == nil {
			a.plan.Limits = append(a.plan.Limits, lc)
			continue
		}
		a.plan.Access = append(a.plan.Access, AccessChange{Permission: kind.Key, From: lc.From, To: lc.To, Count: lc.Count,
			Direction: direction(c.to > c.from, c.from == 0, c.to == 0), Members: lc.Members, Because: lc.Because})
	}
	slices.SortFunc(a.plan.Limits, func(x, y LimitChange) int {
		return cmp.Or(directionRank(x.Direction)-directionRank(y.Direction), compareText(x.Period, y.Period), compareText(x.Members[0], y.Members[0]))
	})
}

func (a *analysis) limitBecause(m int32, setting int) Because {
	last := len(a.from) - 1
	s := a.after[last].Settings[setting]
	b := Because{Member: a.model.Members[m], Why: "the default of the organization, or none", Via: []schema.Address{"organization"}}
	if _, ok := s.Member[m]; ok {
		b.Why, b.Via = "their own limit", []schema.Address{memberAddress(a.model.Members[m])}
		return b
	}
	what := "the limit of "
	if a.model.Settings[setting].Scale != nil {
		what = "the setting of "
	}
	for _, g := range a.after[last].Memberships[m] {
		if s.Group[g] != access.Unset && min(s.Group[g], orUnlimited(s.Ceiling)) == a.then[last].Setting(m, setting) {
			b.Why, b.Via = what+a.model.Groups[g], []schema.Address{schema.Address(a.model.Groups[g])}
			return b
		}
	}
	return b
}

func orUnlimited(l access.Limit) access.Limit {
	if l == access.Unset {
		return access.Unlimited
	}
	return l
}

// stages writes the schedule: each stage is split by phase and wave, in the
// order that admins know; any order inside a stage is safe, so this one is.
func (a *analysis) stages() {
	phases := a.phases()
	for n, stage := range a.schedule.Stages {
		parts := a.split(stage, phases)
		settle := 0
		if n < len(a.schedule.Boundaries) { // nothing waits for the last one
			settle = a.schedule.Boundaries[n].Seconds
		}
		for k := range parts {
			if k == len(parts)-1 {
				parts[k].SettleSeconds = settle
			} else {
				parts[k].Together = true
			}
			a.plan.Stages = append(a.plan.Stages, parts[k])
		}
	}
	a.plan.Summary.Stages = len(a.plan.Stages)
	a.pace(a.plan.Stages)
	for i := range a.plan.Stages {
		st := &a.plan.Stages[i]
		a.plan.Summary.Requests += st.Requests
		a.plan.Summary.Seconds += st.Seconds + st.SettleSeconds
		a.plan.Summary.SettleSeconds += st.SettleSeconds
		for _, s := range st.Steps {
			a.plan.Summary.Steps++
			if s.Via == schema.ByConsole {
				a.plan.Summary.ConsoleSteps++
			}
		}
	}
	held := slices.Sorted(maps.Keys(a.schedule.Held))
	for _, why := range heldReasons(a.schedule.Held, held) {
		var same []int
		for _, i := range held {
			if a.schedule.Held[i] == why {
				same = append(same, i)
			}
		}
		parts := a.split(same, phases)
		a.pace(parts)
		for _, st := range parts {
			st.Held, st.HeldWhy = true, why
			a.plan.Stages = append(a.plan.Stages, st)
			a.plan.Summary.HeldSteps += len(st.Steps)
		}
	}
	unsafe := a.schedule.Witness // says why in the fewest words
	if len(unsafe) == 0 {
		unsafe = a.schedule.Stuck
	}
	for _, v := range unsafe {
		a.plan.Unsafe = append(a.plan.Unsafe, a.unsafe(v))
	}
}

// pace estimates what stages take, one after the other.
func (a *analysis) pace(stages []Stage) {
	batches := make([]schema.Batch, len(stages))
	for i, st := range stages {
		batches[i].Settle = st.SettleSeconds
		for _, v := range st.Steps {
			batches[i].Steps = append(batches[i].Steps, *a.plan.Steps[v.ID])
		}
	}
	for i, cost := range a.System.Pace(a.b.live, batches) {
		stages[i].Requests, stages[i].Seconds = cost.Requests, cost.Seconds
	}
}

func heldReasons(held map[int]string, steps []int) []string {
	var list []string
	for _, i := range steps {
		if !slices.Contains(list, held[i]) {
			list = append(list, held[i])
		}
	}
	return list
}

// split divides steps by phase and wave.
func (a *analysis) split(steps []int, phases []string) []Stage {
	type part struct {
		phase int
		wave  string
	}
	waves := map[string]int{}
	for i, as := range a.Description.Assignments {
		waves[as.Name] = i
	}
	by := map[part][]int{}
	for _, i := range steps {
		k := part{slices.Index(phases, a.steps[i].Phase), a.steps[i].Wave}
		by[k] = append(by[k], i)
	}
	keys := slices.SortedFunc(maps.Keys(by), func(x, y part) int {
		return cmp.Or(x.phase-y.phase, waves[x.wave]-waves[y.wave], compareText(x.wave, y.wave))
	})
	var list []Stage
	for _, k := range keys {
		st := Stage{Phase: phases[k.phase], Wave: k.wave}
		for _, i := range by[k] {
			step := &a.steps[i]
			a.plan.Steps[step.ID] = step
			st.Steps = append(st.Steps, StepView{
				ID: step.ID, Via: step.Via, Action: step.Action, Address: step.Addr, Request: step.Request,
				Console: step.Console, Proof: step.Proof, Direction: a.direction(step),
			})
		}
		list = append(list, st)
	}
	return list
}

// direction says what a step does to access, from the kinds of its moves.
func (a *analysis) direction(s *schema.Step) string {
	up, down := false, false
	for _, v := range s.Moves {
		b := a.bound(v)
		switch v.Kind {
		case access.MoveStanding:
			x, y := a.model.Standings[b.From], a.model.Standings[b.To]
			up = up || x.Absent || !y.Own.Within(x.Own) || y.FromGroups
			down = down || y.Absent || !x.Own.Within(y.Own) || x.FromGroups
		case access.MoveMemberSetting, access.MoveGroupSetting, access.MoveSeatSetting, access.MoveDefault, access.MoveFallback, access.MoveSettingCeiling:
			up = up || b.To > b.From || b.From < 0 || b.To < 0
			down = down || b.To < b.From || b.From < 0 || b.To < 0
		default:
			up, down = up || b.To > b.From, down || b.To < b.From
		}
	}
	switch {
	case up && down:
		return "mixed"
	case up:
		return "widens"
	case down:
		return "narrows"
	}
	return "neutral"
}

func (a *analysis) unsafe(v Violation) Unsafe {
	u := Unsafe{Permission: v.Permission, Between: []string{a.steps[v.Step].ID}}
	if v.Member < 0 { // whoever joins meanwhile
		return u
	}
	u.Member = a.ordered.Members[v.Member]
	if int(v.Member) >= len(a.model.Members) { // has nothing before they accept
		return u
	}
	last := len(a.from) - 1
	had, will := a.before[last], a.end[last]
	if p, ok := a.model.Universe.Find(v.Permission); ok {
		u.Had = a.model.Universe.LevelName(p, a.model.Universe.Get(had.Access(v.Member), p))
		u.Will = a.model.Universe.LevelName(p, a.model.Universe.Get(will.Access(v.Member), p))
	} else if k := a.model.Setting(v.Permission); k >= 0 {
		u.Had, u.Will = a.model.Settings[k].Text(had.Setting(v.Member, k)), a.model.Settings[k].Text(will.Setting(v.Member, k))
	}
	return u
}

// objects writes the changes object by object.
func (a *analysis) objects() {
	steps := map[schema.Address][]string{}
	held := map[string]bool{}
	for i := range a.steps {
		on := []schema.Address{a.steps[i].Addr}
		for _, e := range a.steps[i].Effects { // a role is attached on its own page, and changes the group
			if !slices.Contains(on, e.Addr) {
				on = append(on, e.Addr)
			}
		}
		for _, addr := range on {
			steps[addr] = append(steps[addr], a.steps[i].ID)
		}
	}
	for i := range a.schedule.Held {
		held[a.steps[i].ID] = true
	}
	for _, c := range a.changes {
		out := Change{Address: c.Addr, Action: c.Action, Steps: steps[c.Addr], Owners: a.Description.Owners[c.Addr]}
		if out.Steps == nil {
			out.Steps = []string{}
		}
		out.Held = len(out.Steps) > 0 && !slices.ContainsFunc(out.Steps, func(id string) bool { return !held[id] })
		for _, f := range c.Fields {
			if c.Action != schema.Create {
				putValue(&out.Before, f.Name, f.Before)
			}
			putValue(&out.After, f.Name, f.After)
		}
		if c.Before != nil && c.Action == schema.Delete {
			out.Before = c.Before.Attrs
		}
		a.plan.Changed = append(a.plan.Changed, out)
		if out.Held {
			continue
		}
		switch c.Action {
		case schema.Create:
			a.plan.Summary.Create++
		case schema.Update:
			a.plan.Summary.Update++
		case schema.Delete:
			a.plan.Summary.Delete++
		case schema.Rename:
			a.plan.Summary.Rename++
		}
	}
}

func putValue(m *map[string]schema.Value, name string, v schema.Value) {
	if *m == nil {
		*m = map[string]schema.Value{}
	}
	(*m)[name] = v
}
