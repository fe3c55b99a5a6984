package access_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/schema/access"
)

// scales have two, three and four levels, and as many as fit into a word.
var scales = func() []*access.Scale {
	long := &access.Scale{Name: "long"}
	for i := range 64 {
		long.Levels = append(long.Levels, fmt.Sprint(i))
	}
	return []*access.Scale{
		{Name: "two", Levels: []string{"none", "allowed"}},
		{Name: "three", Levels: []string{"none", "view", "manage"}},
		{Name: "four", Levels: []string{"none", "viewer", "editor", "owner"}},
		long,
	}
}()

var (
	monthly          = []access.SettingKind{{Key: "spend.monthly"}}
	monthlyAndWeekly = []access.SettingKind{{Key: "spend.monthly"}, {Key: "spend.weekly"}}
)

func universe(n int, scale func(i int) *access.Scale) *access.Universe {
	var perms []access.Permission
	for i := range n {
		perms = append(perms, access.Permission{Key: fmt.Sprintf("p%05d", i), Scale: scale(i)})
	}
	return access.NewUniverse(perms)
}

// TestLevelsSurvivePacking sets and reads levels across the borders of words.
func TestLevelsSurvivePacking(t *testing.T) {
	tests := map[string]struct {
		n     int
		scale func(int) *access.Scale
	}{
		"two-levels":       {3000, func(int) *access.Scale { return scales[0] }},
		"three-levels":     {3000, func(int) *access.Scale { return scales[1] }},
		"four-levels":      {3000, func(int) *access.Scale { return scales[2] }},
		"a-word-each":      {70, func(int) *access.Scale { return scales[3] }},
		"mixed":            {5000, func(i int) *access.Scale { return scales[i*7%3] }},
		"mixed-with-words": {500, func(i int) *access.Scale { return scales[i*5%4] }},
		"one":              {1, func(int) *access.Scale { return scales[1] }},
		"none":             {0, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			u := universe(tt.n, tt.scale)
			r := rand.New(rand.NewPCG(1, 2))
			s, want := u.NewSet(), make([]access.Level, tt.n)
			for range 2 { // the second time over what was there
				for p := range want {
					want[p] = access.Level(r.IntN(len(tt.scale(p).Levels)))
					u.Put(s, access.Perm(p), want[p])
				}
			}
			full := u.Full()
			var perms []access.Perm
			for p := range want {
				if got := u.Get(s, access.Perm(p)); got != want[p] {
					t.Fatalf("%s is %d, want %d", u.Key(access.Perm(p)), got, want[p])
				}
				if got := u.Get(full, access.Perm(p)); got != tt.scale(p).Top() {
					t.Fatalf("%s of the full set is %d", u.Key(access.Perm(p)), got)
				}
				if want[p] > 0 {
					perms = append(perms, access.Perm(p))
				}
			}
			if diff := cmp.Diff(perms, u.Perms(s)); diff != "" {
				t.Errorf("permissions of the set (-want +got):\n%s", diff)
			}
			if !s.Within(full) || tt.n > 0 && full.Within(s) || s.Empty() != (len(perms) == 0) {
				t.Errorf("within %v, empty %v", s.Within(full), s.Empty())
			}
		})
	}
}

func TestUniverse(t *testing.T) {
	u := access.NewUniverse([]access.Permission{{Key: "b", Scale: scales[1]}, {Key: "a", Scale: scales[0]}, {Key: "b", Scale: scales[1]}})
	if u.Len() != 2 || u.Key(0) != "a" || u.Key(1) != "b" || u.LevelName(1, 2) != "manage" {
		t.Errorf("%d permissions, %s and %s", u.Len(), u.Key(0), u.Key(1))
	}
	if p, ok := u.Find("b"); p != 1 || !ok {
		t.Errorf("b is %d, %v", p, ok)
	}
	if _, ok := u.Find("c"); ok {
		t.Error("c is there")
	}
	for i, want := range []string{"a 1", "b 1", "b 2"} {
		p, l := u.Bit(i)
		if got := fmt.Sprintf("%s %d", u.Key(p), l); got != want {
			t.Errorf("bit %d is %s, want %s", i, got, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a permission with two scales is accepted")
		}
	}()
	access.NewUniverse([]access.Permission{{Key: "a", Scale: scales[0]}, {Key: "a", Scale: scales[1]}})
}

// TestSetsAreChains checks that the union is the best of two sets and the
// intersection the lesser, for every permission at once.
func TestSetsAreChains(t *testing.T) {
	u := universe(150, func(i int) *access.Scale { return scales[i*5%4] })
	rapid.Check(t, func(t *rapid.T) {
		a, b := u.NewSet(), u.NewSet()
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		for p := range access.Perm(u.Len()) {
			n := len(u.Permission(p).Scale.Levels)
			u.Put(a, p, access.Level(r.IntN(n)))
			u.Put(b, p, access.Level(r.IntN(n)))
		}
		or, and := a.Clone(), a.Clone()
		or.Or(b)
		and.And(b)
		for p := range access.Perm(u.Len()) {
			x, y := u.Get(a, p), u.Get(b, p)
			if u.Get(or, p) != max(x, y) || u.Get(and, p) != min(x, y) {
				t.Fatalf("%d and %d give %d and %d", x, y, u.Get(or, p), u.Get(and, p))
			}
		}
		if !and.Within(a) || !a.Within(or) {
			t.Fatal("and, a, or do not contain each other")
		}
	})
}

// random draws a model and two states of it.
func random(r *rand.Rand) (*access.Model, *access.State, *access.State) {
	u := universe(1+r.IntN(60), func(i int) *access.Scale { return scales[i*7%3] })
	list := func(what string, n int) (l []string) {
		for i := range n {
			l = append(l, fmt.Sprintf("%s%02d", what, i))
		}
		return l
	}
	part := u.NewSet()
	for p := range access.Perm(u.Len()) {
		u.Put(part, p, access.Level(r.IntN(2)))
	}
	m := access.NewModel(u, list("m", 12), list("g", 5), list("s", 6), []access.Standing{
		{Name: "user", Own: u.Full()}, {Name: "managed", Own: u.NewSet(), FromGroups: true}, {Name: "both", Own: part, FromGroups: true},
		{Name: "owner", Own: part, FromGroups: true, Uncapped: true}},
		[]access.SettingKind{{Key: "spend.monthly"}, {Key: "plugin.lint", Scale: scales[2]}}, access.Seat{Name: "chat", Cap: part})
	state := func() *access.State {
		s := m.NewState()
		limit := func(setting int) access.Limit {
			if setting == 1 {
				return access.Limit(r.IntN(5) - 1)
			}
			return []access.Limit{access.Unset, access.Unlimited, 0, 100, 200}[r.IntN(5)]
		}
		for i := range m.Members {
			s.Standing[i], s.Seat[i] = uint8(r.IntN(5)), uint8(r.IntN(2))
			for g := range m.Groups {
				if r.IntN(3) == 0 {
					s.Join(int32(i), int32(g))
				}
			}
		}
		for g := range m.Groups {
			for src := range m.Sources {
				if r.IntN(3) == 0 {
					s.Attach(int32(g), int32(src))
				}
			}
		}
		for p := range access.Perm(u.Len()) {
			n := len(u.Permission(p).Scale.Levels)
			for src := range m.Sources {
				u.Put(s.Grants[src], p, access.Level(r.IntN(n)))
			}
			for g := range m.Groups {
				if r.IntN(3) == 0 {
					s.Speak(u, int32(g), p, true)
					s.Allow(u, int32(g), p, access.Level(r.IntN(n)))
				}
			}
			u.Put(s.Ceiling, p, access.Level(r.IntN(n)))
		}
		for i := range s.Settings {
			for g := range m.Groups {
				s.Settings[i].Group[g] = limit(i)
			}
			if l := limit(i); l != access.Unset {
				s.Settings[i].Member[int32(r.IntN(12))] = l
			}
			s.Settings[i].Seat[1], s.Settings[i].Fallback = limit(i), limit(i)
			s.Settings[i].Default, s.Settings[i].Ceiling, s.Settings[i].Highest = limit(i), limit(i), r.IntN(2) == 0
			s.Settings[i].SeatCompared = r.IntN(2) == 0
		}
		return s
	}
	return m, state(), state()
}

// levelOf is the definition of access, word for word.
func levelOf(m *access.Model, s *access.State, member int32, p access.Perm) access.Level {
	st := m.Standings[s.Standing[member]]
	best := m.Universe.Get(st.Own, p)
	for g := range m.Groups {
		for src := range m.Sources {
			if st.FromGroups && slices.Contains(s.Memberships[member], int32(g)) && slices.Contains(s.Attached[g], int32(src)) {
				best = max(best, m.Universe.Get(s.Grants[src], p))
			}
		}
	}
	if st.Uncapped {
		return best
	}
	best = min(best, m.Universe.Get(s.Ceiling, p), m.Universe.Get(m.Seats[s.Seat[member]].Cap, p))
	var speak []int32
	for _, g := range s.Memberships[member] {
		if !s.Lists[g].Empty() && m.Universe.Get(s.Lists[g].Speaks, p) > 0 {
			speak = append(speak, g)
		}
	}
	if len(speak) == 1 {
		best = min(best, m.Universe.Get(s.Lists[speak[0]].Allow, p))
	}
	return best
}

// valueOf is the definition of how a setting is resolved, word for word.
func valueOf(m *access.Model, s *access.State, member int32, setting int) access.Limit {
	if s.Standing[member] == 0 {
		return access.Unset
	}
	sp := s.Settings[setting]
	seat := sp.Seat[s.Seat[member]]
	l, ok := sp.Member[member]
	if !ok {
		var of []access.Limit
		for _, g := range s.Memberships[member] {
			if sp.Group[g] != access.Unset {
				of = append(of, sp.Group[g])
			}
		}
		if sp.SeatCompared && seat != access.Unset {
			of = append(of, seat)
		}
		switch {
		case len(of) > 0 && sp.Highest:
			l = slices.Max(of)
		case len(of) > 0:
			l = slices.Min(of)
		case seat != access.Unset:
			l = seat
		case sp.Default != access.Unset:
			l = sp.Default
		case sp.Fallback != access.Unset:
			l = sp.Fallback
		case m.Settings[setting].Scale != nil:
			l = 0
		default:
			l = access.Unlimited
		}
	}
	if sp.Ceiling != access.Unset {
		l = min(l, sp.Ceiling)
	}
	return l
}

// TestViewAndDiff compares both with the definitions, on random models.
func TestViewAndDiff(t *testing.T) {
	for seed := range runs(t) {
		m, a, b := random(rand.New(rand.NewPCG(uint64(seed), 9)))
		v, w := access.NewView(m, a), access.NewView(m, b)
		want, wantLimits := map[string]bool{}, map[string]bool{}
		for i := range int32(len(m.Members)) {
			for p := range access.Perm(m.Universe.Len()) {
				x, y := levelOf(m, a, i, p), levelOf(m, b, i, p)
				if got := m.Universe.Get(v.Access(i), p); got != x {
					t.Fatalf("seed %d: %d of member %d is %d, want %d", seed, p, i, got, x)
				}
				r := access.Explain(m, a, i, p)
				if r.Level != x || (r.Best > 0) != (len(r.Paths) > 0) {
					t.Fatalf("seed %d: explained as %+v, want level %d", seed, r, x)
				}
				if x != y {
					want[fmt.Sprint(p, x, y, i)] = true
				}
			}
			for setting := range m.Settings {
				x, y := valueOf(m, a, i, setting), valueOf(m, b, i, setting)
				if got := v.Setting(i, setting); got != x {
					t.Fatalf("seed %d: limit of member %d is %d, want %d", seed, i, got, x)
				}
				if x != y {
					wantLimits[fmt.Sprint(setting, x, y, i)] = true
				}
			}
		}
		got, gotLimits := map[string]bool{}, map[string]bool{}
		difference := access.Diff(v, w)
		deltas := difference.Grants
		for k, d := range deltas {
			if k > 0 && deltas[k-1].Perm > d.Perm || !slices.IsSorted(d.Members()) || len(d.Members()) != d.Count {
				t.Fatalf("seed %d: deltas are not sorted", seed)
			}
			for _, i := range d.Members() {
				got[fmt.Sprint(d.Perm, d.From, d.To, i)] = true
			}
		}
		for _, d := range difference.Settings {
			for _, i := range d.Members() {
				gotLimits[fmt.Sprint(d.Setting, d.From, d.To, i)] = true
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: deltas (-want +got):\n%s", seed, diff)
		}
		if diff := cmp.Diff(wantLimits, gotLimits); diff != "" {
			t.Fatalf("seed %d: limits (-want +got):\n%s", seed, diff)
		}
		if none := access.Diff(v, access.NewView(m, a.Clone())); len(none.Grants)+len(none.Settings) > 0 {
			t.Fatalf("seed %d: a state differs from itself", seed)
		}
	}
}

// large makes n members in groups, with different classes.
func large(members, groups, sources, perms, classes int) (*access.Model, *access.State) {
	u := universe(perms, func(i int) *access.Scale { return scales[i%2] })
	name := func(what string, n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("%s%07d", what, i)
		}
		return list
	}
	m := access.NewModel(u, name("m", members), name("g", groups), name("s", sources),
		[]access.Standing{{Name: "user", Own: u.Full()}, {Name: "managed", Own: u.NewSet(), FromGroups: true}}, monthly)
	s := m.NewState()
	managed, _ := m.Standing("managed")
	for i := range members {
		c := i % classes
		s.Standing[i] = managed
		s.Join(int32(i), int32(c%groups))
		s.Join(int32(i), int32((c+1+c/groups)%groups))
	}
	for g := range groups {
		s.Attach(int32(g), int32(g%sources))
	}
	for src := range sources {
		for p := range perms {
			if (p+src)%3 == 0 {
				u.Put(s.Grants[src], access.Perm(p), 1)
			}
		}
	}
	return m, s
}

// TestMembersShareClasses checks that cost follows the classes.
func TestMembersShareClasses(t *testing.T) {
	m, s := large(1000, 7, 3, 20, 7)
	v := access.NewView(m, s)
	total := 0
	for _, c := range v.Classes {
		total += c.Count
	}
	if len(v.Classes) != 7 || total != 1000 {
		t.Errorf("%d classes of %d members, want 7 of 1000", len(v.Classes), total)
	}
	s.Settings[0].Member[5] = 100 // a limit of their own is a class of their own
	s.Standing[6] = 1
	if v = access.NewView(m, s); len(v.Classes) != 9 {
		t.Errorf("%d classes, want 9", len(v.Classes))
	}
}

func TestExplain(t *testing.T) {
	u := universe(1, func(int) *access.Scale { return scales[1] })
	seat := access.Seat{Name: "view", Cap: u.NewSet()}
	u.Put(seat.Cap, 0, 1)
	m := access.NewModel(u, []string{"ann"}, []string{"g", "h"}, []string{"r", "s"},
		[]access.Standing{{Name: "user", Own: u.Full()}, {Name: "managed", Own: u.NewSet(), FromGroups: true}}, nil, seat)
	tests := map[string]struct {
		change  func(*access.State)
		want    access.Reason
		granted int
	}{
		"not-there":   {func(s *access.State) { s.Standing[0] = 0 }, access.Reason{Ceiling: 2}, -1},
		"no-group":    {func(s *access.State) {}, access.Reason{Ceiling: 2}, 0},
		"no-role":     {func(s *access.State) { s.Join(0, 0) }, access.Reason{Ceiling: 2}, 0},
		"not-granted": {func(s *access.State) { s.Join(0, 0); s.Attach(0, 0) }, access.Reason{Ceiling: 2}, 1},
		"granted":     {func(s *access.State) { s.Join(0, 0); s.Attach(0, 0); u.Put(s.Grants[0], 0, 1) }, access.Reason{Level: 1, Best: 1, Ceiling: 2, Paths: []access.Path{{Group: 0, Source: 0, Level: 1}}}, 1},
		"capped":      {func(s *access.State) { s.Join(0, 0); s.Attach(0, 0); u.Put(s.Grants[0], 0, 2); u.Put(s.Ceiling, 0, 1) }, access.Reason{Level: 1, Best: 2, Ceiling: 1, Paths: []access.Path{{Group: 0, Source: 0, Level: 2}}}, 1},
		"off":         {func(s *access.State) { s.Standing[0] = 1; u.Put(s.Ceiling, 0, 0) }, access.Reason{Best: 2, Paths: []access.Path{{Group: -1, Source: -1, Level: 2}}}, -1},
		"best-of-two": {func(s *access.State) {
			s.Join(0, 0)
			s.Join(0, 1)
			s.Attach(0, 0)
			s.Attach(1, 1)
			u.Put(s.Grants[0], 0, 1)
			u.Put(s.Grants[1], 0, 2)
		}, access.Reason{Level: 2, Best: 2, Ceiling: 2, Paths: []access.Path{{Group: 1, Source: 1, Level: 2}}}, 2},
		"two-as-good": {func(s *access.State) {
			s.Join(0, 0)
			s.Join(0, 1)
			s.Attach(0, 0)
			s.Attach(1, 0)
			u.Put(s.Grants[0], 0, 1)
		}, access.Reason{Level: 1, Best: 1, Ceiling: 2, Paths: []access.Path{{Group: 0, Source: 0, Level: 1}, {Group: 1, Source: 0, Level: 1}}}, 2},
		"seat": {func(s *access.State) { s.Standing[0] = 1; s.Seat[0] = 1 }, access.Reason{Level: 1, Best: 2, Ceiling: 1, Paths: []access.Path{{Group: -1, Source: -1, Level: 2}}}, -1},
		"list": {func(s *access.State) { s.Standing[0] = 1; s.Join(0, 0); s.Speak(u, 0, 0, true) }, access.Reason{Best: 2, Paths: []access.Path{{Group: -1, Source: -1, Level: 2}}}, -1},
		"two-lists": {func(s *access.State) {
			s.Standing[0] = 1
			s.Join(0, 0)
			s.Join(0, 1)
			s.Speak(u, 0, 0, true)
			s.Speak(u, 1, 0, true)
		}, access.Reason{Level: 2, Best: 2, Ceiling: 2, Paths: []access.Path{{Group: -1, Source: -1, Level: 2}}}, -1},
		"user-in-group": {func(s *access.State) { s.Standing[0] = 1; s.Join(0, 0); s.Attach(0, 0); u.Put(s.Grants[0], 0, 1) }, access.Reason{Level: 2, Best: 2, Ceiling: 2, Paths: []access.Path{{Group: -1, Source: -1, Level: 2}}}, -1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := m.NewState()
			s.Standing[0] = 2
			tt.change(s)
			if diff := cmp.Diff(tt.want, access.Explain(m, s, 0, 0)); diff != "" {
				t.Errorf("reason (-want +got):\n%s", diff)
			}
			if got := access.Granted(m, s, 0); got != tt.granted {
				t.Errorf("%d sources count, want %d", got, tt.granted)
			}
		})
	}
}

// TestEffectiveLimit is the order of scopes: the member's own limit, else the
// groups', else the default; the ceiling caps them all.
//
// Source: help centre, group spend limits; Spend Limits API guide; read
// 2026-11-22.
func TestEffectiveLimit(t *testing.T) {
	const unset, unlimited = access.Unset, access.Unlimited
	tests := map[string]struct {
		own, a, b, def, ceiling access.Limit
		lowest, highest         access.Limit
	}{
		"nothing":                  {unset, unset, unset, unset, unset, unlimited, unlimited},
		"default":                  {unset, unset, unset, 50, unset, 50, 50},
		"default-unlimited":        {unset, unset, unset, unlimited, unset, unlimited, unlimited},
		"one-group":                {unset, 100, unset, 50, unset, 100, 100},
		"group-under-the-default":  {unset, 20, unset, 50, unset, 20, 20},
		"two-groups":               {unset, 100, 200, 50, unset, 100, 200},
		"two-groups-the-other-way": {unset, 200, 100, 50, unset, 100, 200},
		"group-of-zero":            {unset, 0, 200, 50, unset, 0, 200},
		"unlimited-group":          {unset, unlimited, 200, 50, unset, 200, unlimited},
		"only-unlimited-group":     {unset, unlimited, unset, 50, unset, unlimited, unlimited},
		"own-lower":                {10, 100, 200, 50, unset, 10, 10},
		"own-higher":               {900, 100, 200, 50, unset, 900, 900},
		"own-zero":                 {0, 100, 200, 50, unset, 0, 0},
		"own-unlimited":            {unlimited, 100, 200, 50, unset, unlimited, unlimited},
		"ceiling-over-all":         {900, 100, 200, 50, 500, 500, 500},
		"ceiling-over-groups":      {unset, 100, 800, 50, 500, 100, 500},
		"ceiling-over-nothing":     {unset, unset, unset, unset, 500, 500, 500},
		"ceiling-of-zero":          {10, unset, unset, unset, 0, 0, 0},
		"ceiling-that-is-none":     {10, unset, unset, unset, unlimited, 10, 10},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for highest, want := range map[bool]access.Limit{false: tt.lowest, true: tt.highest} {
				s := access.Setting{Member: map[int32]access.Limit{1: 7}, Group: []access.Limit{tt.a, tt.b, 1},
					Seat: []access.Limit{unset}, Default: tt.def, Fallback: unset, Ceiling: tt.ceiling, Highest: highest}
				if tt.own != unset {
					s.Member[0] = tt.own
				}
				if got := s.Effective(0, []int32{0, 1}, 0, unlimited); got != want {
					t.Errorf("highest=%v: %d, want %d", highest, got, want)
				}
			}
		})
	}
}

func TestParseLimit(t *testing.T) {
	for s, want := range map[string]access.Limit{"": access.Unset, "unlimited": access.Unlimited, "0": 0, "20000": 20000} {
		got, err := access.ParseLimit(s)
		if got != want || err != nil || got.String() != s {
			t.Errorf("%q: %d, %v, written %q", s, got, err, got)
		}
	}
	for _, s := range []string{"-1", "1.5", "much", "9223372036854775807", "9223372036854775808", " 1"} {
		if got, err := access.ParseLimit(s); err == nil {
			t.Errorf("%q is read as %d", s, got)
		}
	}
}

// TestBindErrors has a wrong move of every kind.
func TestBindErrors(t *testing.T) {
	u := access.NewUniverse([]access.Permission{{Key: "p", Scale: scales[1]}})
	m := access.NewModel(u, []string{"ann"}, []string{"g"}, []string{"r"}, []access.Standing{{Name: "user", Own: u.Full()}}, monthly)
	type v = access.Move
	tests := map[string]struct {
		move v
		want string
	}{
		"member":                   {v{Kind: access.MoveStanding, Member: "zoe", To: "user"}, `no member "zoe"`},
		"group":                    {v{Kind: access.MoveMembership, Member: "ann", Group: "x", From: "out", To: "in"}, `no group "x"`},
		"source":                   {v{Kind: access.MoveAttachment, Group: "g", Source: "x", From: "out", To: "in"}, `no source "x"`},
		"permission":               {v{Kind: access.MoveGrant, Source: "r", Permission: "x", From: "none", To: "view"}, `no permission "x"`},
		"setting":                  {v{Kind: access.MoveDefault, Setting: "spend.daily", To: "5"}, `no setting "spend.daily"`},
		"standing-value":           {v{Kind: access.MoveStanding, Member: "ann", To: "king"}, `no value "king"`},
		"membership-value":         {v{Kind: access.MoveMembership, Member: "ann", Group: "g", From: "out", To: "yes"}, `no value "yes"`},
		"attachment-from":          {v{Kind: access.MoveAttachment, Group: "g", Source: "r", From: "", To: "in"}, `no value ""`},
		"grant-value":              {v{Kind: access.MoveGrant, Source: "r", Permission: "p", From: "none", To: "allowed"}, `no value "allowed"`},
		"ceiling-value":            {v{Kind: access.MoveCeiling, Permission: "p", From: "none", To: "top"}, `no value "top"`},
		"limit-value":              {v{Kind: access.MoveGroupSetting, Group: "g", Setting: "spend.monthly", To: "1.5"}, "not an amount"},
		"precedence-value":         {v{Kind: access.MovePrecedence, Setting: "spend.monthly", From: "lowest", To: "middle"}, `no value "middle"`},
		"kind":                     {v{Kind: "dance"}, `no such kind of move: "dance"`},
		"standing-incomplete":      {v{Kind: access.MoveStanding, To: "user"}, "incomplete"},
		"membership-incomplete":    {v{Kind: access.MoveMembership, Member: "ann", From: "out", To: "in"}, "incomplete"},
		"membership-of-nobody":     {v{Kind: access.MoveMembership, Group: "g", From: "out", To: "in"}, "incomplete"},
		"attachment-incomplete":    {v{Kind: access.MoveAttachment, Group: "g", From: "out", To: "in"}, "incomplete"},
		"grant-incomplete":         {v{Kind: access.MoveGrant, Permission: "p", From: "none", To: "view"}, "incomplete"},
		"grant-of-nothing":         {v{Kind: access.MoveGrant, Source: "r", From: "none", To: "view"}, "no value"},
		"ceiling-incomplete":       {v{Kind: access.MoveCeiling, From: "none", To: "view"}, "no value"},
		"member-limit-incomplete":  {v{Kind: access.MoveMemberSetting, Setting: "spend.monthly", To: "5"}, "incomplete"},
		"group-limit-incomplete":   {v{Kind: access.MoveGroupSetting, Setting: "spend.monthly", To: "5"}, "incomplete"},
		"default-incomplete":       {v{Kind: access.MoveDefault, To: "5"}, "no value"},
		"spend-ceiling-incomplete": {v{Kind: access.MoveSettingCeiling, To: "5"}, "no value"},
		"seat":                     {v{Kind: access.MoveSeatSetting, Seat: "x", Setting: "spend.monthly", To: "5"}, `no seat "x"`},
		"seat-incomplete":          {v{Kind: access.MoveSeatSetting, Setting: "spend.monthly", To: "5"}, "incomplete"},
		"list-incomplete":          {v{Kind: access.MoveListSpeaks, Group: "g", From: "out", To: "in"}, "incomplete"},
		"list-level-incomplete":    {v{Kind: access.MoveListLevel, Permission: "p", From: "none", To: "view"}, "incomplete"},
		"list-value":               {v{Kind: access.MoveListSpeaks, Group: "g", Permission: "p", From: "out", To: "maybe"}, `no value "maybe"`},
		"precedence-incomplete":    {v{Kind: access.MovePrecedence, From: "lowest", To: "highest"}, "incomplete"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := m.Bind(tt.move); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestMovesAreReversible makes a move of every kind and takes it back. The
// copy that it was made on shares nothing with the original.
func TestMovesAreReversible(t *testing.T) {
	u := access.NewUniverse([]access.Permission{{Key: "p", Scale: scales[1]}, {Key: "q", Scale: scales[2]}})
	m := access.NewModel(u, []string{"ann", "bob"}, []string{"g", "h"}, []string{"r"}, []access.Standing{{Name: "user", Own: u.Full()}, {Name: "managed", Own: u.NewSet(), FromGroups: true}},
		append(slices.Clone(monthlyAndWeekly), access.SettingKind{Key: "plugin.lint", Scale: scales[2]}), access.Seat{Name: "chat", Cap: u.Full()})
	type v = access.Move
	tests := map[string]v{
		"standing":        {Kind: access.MoveStanding, Member: "ann", From: "user", To: "managed"},
		"removal":         {Kind: access.MoveStanding, Member: "ann", From: "user", To: ""},
		"join":            {Kind: access.MoveMembership, Member: "ann", Group: "h", From: access.Out, To: access.In},
		"leave":           {Kind: access.MoveMembership, Member: "ann", Group: "g", From: access.In, To: access.Out},
		"attach":          {Kind: access.MoveAttachment, Group: "h", Source: "r", From: access.Out, To: access.In},
		"detach":          {Kind: access.MoveAttachment, Group: "g", Source: "r", From: access.In, To: access.Out},
		"grant":           {Kind: access.MoveGrant, Source: "r", Permission: "p", From: "view", To: "manage"},
		"ceiling":         {Kind: access.MoveCeiling, Permission: "q", From: "owner", To: "viewer"},
		"member-limit":    {Kind: access.MoveMemberSetting, Member: "ann", Setting: "spend.weekly", From: "", To: "500"},
		"member-limit-up": {Kind: access.MoveMemberSetting, Member: "bob", Setting: "spend.monthly", From: "100", To: "unlimited"},
		"member-limit-go": {Kind: access.MoveMemberSetting, Member: "bob", Setting: "spend.monthly", From: "100", To: ""},
		"group-limit":     {Kind: access.MoveGroupSetting, Group: "g", Setting: "spend.monthly", From: "", To: "0"},
		"default":         {Kind: access.MoveDefault, Setting: "spend.monthly", From: "", To: "unlimited"},
		"spend-ceiling":   {Kind: access.MoveSettingCeiling, Setting: "spend.weekly", From: "", To: "1000"},
		"seat-setting":    {Kind: access.MoveSeatSetting, Seat: "chat", Setting: "spend.monthly", From: "", To: "300"},
		"fallback":        {Kind: access.MoveFallback, Setting: "plugin.lint", From: "", To: "viewer"},
		"plugin":          {Kind: access.MoveGroupSetting, Group: "g", Setting: "plugin.lint", From: "", To: "none"},
		"list":            {Kind: access.MoveListSpeaks, Group: "g", Permission: "p", From: access.Out, To: access.In},
		"list-gone":       {Kind: access.MoveListSpeaks, Group: "h", Permission: "q", From: access.In, To: access.Out},
		"list-level":      {Kind: access.MoveListLevel, Group: "h", Permission: "q", From: "viewer", To: "owner"},
		"precedence":      {Kind: access.MovePrecedence, Setting: "spend.weekly", From: "lowest", To: "highest"},
	}
	for name, move := range tests {
		t.Run(name, func(t *testing.T) {
			s := m.NewState()
			s.Standing[0], s.Standing[1] = 1, 1
			s.Join(0, 0)
			s.Attach(0, 0)
			u.Put(s.Grants[0], 0, 1)
			s.Settings[0].Member[1] = 100
			s.Speak(u, 1, 1, true)
			s.Allow(u, 1, 1, 1)
			before, moved := s.Clone(), s.Clone()
			for i, v := range []access.Move{move, move.Reverse()} {
				b, err := m.Bind(v)
				if err != nil {
					t.Fatal(err)
				}
				moved.Apply(u, b)
				if moved.Equal(s) != (i == 1) {
					t.Errorf("after %d moves the state is the same: %v", i+1, i == 0)
				}
				if !s.Equal(before) {
					t.Fatal("a move in a copy changed the original")
				}
			}
		})
	}
}

// TestSettingOrder is the order of the scopes that TestEffectiveLimit leaves
// out, and a plugin, where a group replaces the organization's setting even by
// less and the most permissive group wins.
func TestSettingOrder(t *testing.T) {
	const unset = access.Unset
	tests := map[string]struct {
		a, b, seat, def, fallback access.Limit
		compared                  bool
		lowest, highest           access.Limit
	}{
		"nothing":                     {unset, unset, unset, unset, unset, false, 0, 0},
		"marketplace":                 {unset, unset, unset, unset, 2, false, 2, 2},
		"organization-over-market":    {unset, unset, unset, 1, 2, false, 1, 1},
		"organization-of-nothing":     {unset, unset, unset, 0, 2, false, 0, 0},
		"seat-over-organization":      {unset, unset, 3, 1, 2, false, 3, 3},
		"group-over-seat":             {1, unset, 3, 2, unset, false, 1, 1},
		"weaker-group":                {1, unset, unset, 3, unset, false, 1, 1},
		"most-permissive-group":       {1, 2, unset, 3, unset, false, 1, 2},
		"group-that-hides":            {0, unset, unset, 3, 3, false, 0, 0},
		"seat-compared":               {2, unset, 3, 1, unset, true, 2, 3},
		"seat-compared-lower":         {2, unset, 1, 1, unset, true, 1, 2},
		"seat-compared-without-group": {unset, unset, 2, 1, unset, true, 2, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for highest, want := range map[bool]access.Limit{false: tt.lowest, true: tt.highest} {
				s := access.Setting{Group: []access.Limit{tt.a, tt.b}, Seat: []access.Limit{unset, tt.seat}, Default: tt.def,
					Fallback: tt.fallback, Ceiling: unset, Highest: highest, SeatCompared: tt.compared}
				if got := s.Effective(0, []int32{0, 1}, 1, 0); got != want {
					t.Errorf("highest=%v: %d, want %d", highest, got, want)
				}
			}
		})
	}
}

// TestClassesDoNotHangOnProcessors compares a view made in parts with one made
// in one go.
func TestClassesDoNotHangOnProcessors(t *testing.T) {
	m, s := large(20_000, 40, 10, 50, 3_000)
	for i := range int32(500) {
		s.Settings[0].Member[i*37] = access.Limit(i % 7)
	}
	before := runtime.GOMAXPROCS(1)
	one := access.NewView(m, s)
	runtime.GOMAXPROCS(3)
	three := access.NewView(m, s)
	runtime.GOMAXPROCS(before)
	if diff := cmp.Diff(one.Of, three.Of); diff != "" {
		t.Errorf("classes of members differ:\n%s", diff)
	}
	if diff := cmp.Diff(one.Classes, three.Classes); diff != "" {
		t.Errorf("classes differ:\n%s", diff)
	}
}

// BenchmarkViewDiff compares an organization of 100 groups, 60 roles and 50
// connectors of 100 tools before and after a change: members growing at
// constant classes, then classes at constant members.
func BenchmarkViewDiff(b *testing.B) {
	for _, n := range []struct{ members, classes int }{
		{10_000, 3_000}, {100_000, 3_000}, {1_000_000, 3_000},
		{1_000_000, 300}, {1_000_000, 1_000}, {1_000_000, 9_000},
	} {
		b.Run(fmt.Sprintf("members=%d/classes=%d", n.members, n.classes), func(b *testing.B) {
			m, s := large(n.members, 100, 60, 5_000, n.classes)
			after := s.Clone()
			after.Attach(0, 59)
			after.Detach(1, 1)
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				v, w := access.NewView(m, s), access.NewView(m, after)
				if len(access.Diff(v, w).Grants) == 0 {
					b.Fatal("no difference")
				}
				b.ReportMetric(float64(len(v.Classes)), "classes")
			}
		})
	}
}
