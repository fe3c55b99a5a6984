package access_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/schema/access"
)

// runs returns how many random organizations a property is tried on.
func runs(t *testing.T) int {
	if v := os.Getenv("ROLECALL_RUNS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return 300
	}
	return 10_000
}

// plain is access as the definition reads: the least of the ceilings and the
// best of the sources. It shares no line with the engine.
func plain(m *access.Model, s *access.State, member int32, p access.Perm) access.Level {
	st := m.Standings[s.Standing[member]]
	u := m.Universe
	best := u.Get(st.Own, p)
	if st.FromGroups {
		for _, g := range s.Memberships[member] {
			for _, source := range s.Attached[g] {
				best = max(best, u.Get(s.Grants[source], p))
			}
		}
	}
	if st.Uncapped {
		return best
	}
	best = min(best, u.Get(s.Ceiling, p), u.Get(m.Seats[s.Seat[member]].Cap, p))
	speaking, allow := 0, access.Level(0)
	for _, g := range s.Memberships[member] {
		if s.Lists[g].Speaks != nil && u.Get(s.Lists[g].Speaks, p) > 0 {
			speaking++
			allow = u.Get(s.Lists[g].Allow, p)
		}
	}
	if speaking == 1 {
		best = min(best, allow)
	}
	return best
}

// organization draws a small organization with everything that the model has.
func organization(r *rand.Rand) (*access.Model, *access.State) {
	u := universe(1+r.IntN(6), func(i int) *access.Scale { return scales[i%3] })
	set := func(chance int) access.Set {
		s := u.NewSet()
		for p := range access.Perm(u.Len()) {
			if r.IntN(100) < chance {
				u.Put(s, p, access.Level(r.IntN(len(u.Permission(p).Scale.Levels))))
			}
		}
		return s
	}
	list := func(what string, n int) (l []string) {
		for i := range n {
			l = append(l, fmt.Sprintf("%s%d", what, i))
		}
		return l
	}
	m := access.NewModel(u, list("m", 1+r.IntN(6)), list("g", r.IntN(5)), list("s", r.IntN(5)), []access.Standing{
		{Name: "user", Own: set(80)}, {Name: "managed", Own: u.NewSet(), FromGroups: true}, {Name: "owner", Own: u.Full(), Uncapped: r.IntN(2) == 0}},
		nil, access.Seat{Name: "small", Cap: set(70)})
	s := m.NewState()
	s.Ceiling = u.Full()
	for p := range access.Perm(u.Len()) {
		if r.IntN(3) == 0 {
			u.Put(s.Ceiling, p, access.Level(r.IntN(len(u.Permission(p).Scale.Levels))))
		}
	}
	for i := range m.Members {
		s.Standing[i] = uint8([]int{0, 1, 2, 2, 2, 2, 2, 3}[r.IntN(8)])
		s.Seat[i] = uint8(r.IntN(8) / 7)
		for g := range m.Groups {
			if r.IntN(2) == 0 {
				s.Join(int32(i), int32(g))
			}
		}
	}
	for g := range m.Groups {
		for source := range m.Sources {
			if r.IntN(3) == 0 {
				s.Attach(int32(g), int32(source))
			}
		}
		if r.IntN(5) == 0 {
			p := access.Perm(r.IntN(u.Len()))
			s.Speak(u, int32(g), p, true)
			s.Allow(u, int32(g), p, access.Level(r.IntN(len(u.Permission(p).Scale.Levels))))
		}
	}
	for source := range m.Sources {
		s.Grants[source] = set(40)
	}
	return m, s
}

// TestAnswersAreTheDefinition asks everything of random organizations and
// compares with the definition, word for word.
func TestAnswersAreTheDefinition(t *testing.T) {
	for seed := range runs(t) {
		m, s := organization(rand.New(rand.NewPCG(uint64(seed), 4)))
		u := m.Universe
		v := access.NewView(m, s)
		for i := range int32(len(m.Members)) {
			for p := range access.Perm(u.Len()) {
				want := plain(m, s, i, p)
				a := access.Ask(m, []*access.State{s}, i, p)
				if a.Level != want || a.Most != want || u.Get(v.Access(i), p) != want {
					t.Fatalf("seed %d: member %d has %d of permission %d (view %d), want %d", seed, i, a.Level, p, u.Get(v.Access(i), p), want)
				}
				if bad := unsound(m, s, i, p, a); bad != "" {
					t.Fatalf("seed %d: member %d, permission %d: %s: %+v", seed, i, p, bad, a)
				}
			}
		}
		for p := range access.Perm(u.Len()) {
			var want []int32
			for i := range int32(len(m.Members)) {
				if plain(m, s, i, p) >= 1 {
					want = append(want, i)
				}
			}
			got, perhaps := access.Holders([]*access.View{v}, p, 1)
			if !slices.Equal(got, want) || len(perhaps) > 0 {
				t.Fatalf("seed %d: %v hold permission %d, and perhaps %v; want %v", seed, got, p, perhaps, want)
			}
		}
	}
}

// unsound returns what is wrong with the reason of an answer, "" if nothing is.
func unsound(m *access.Model, s *access.State, i int32, p access.Perm, a access.Answer) string {
	st := m.Standings[s.Standing[i]]
	top := m.Universe.Permission(p).Scale.Top()
	switch a.Cause {
	case access.Topmost:
		if a.Level != top {
			return "there is more to have"
		}
	case access.Outside:
		if !st.Absent {
			return "they are a member"
		}
	case access.NoGroup:
		if !st.FromGroups || len(s.Memberships[i]) > 0 {
			return "they have groups"
		}
	case access.NoSource:
		if access.Granted(m, s, i) != 0 {
			return "they have sources"
		}
	case access.NotGranted:
		if a.Level != a.Best || a.Level == top {
			return "more is granted"
		}
	case access.ByOrg, access.BySeat, access.ByList:
		if a.Level >= a.Best || len(a.Caps) == 0 || a.Caps[0].Level != a.Level {
			return "nothing holds it back"
		}
	default:
		return "no such cause"
	}
	return ""
}

// TestFlipsTurnTheAnswer applies every turn that is proposed and asks again.
func TestFlipsTurnTheAnswer(t *testing.T) {
	turned, granted, taken := 0, 0, 0
	for seed := range runs(t) {
		m, s := organization(rand.New(rand.NewPCG(uint64(seed), 5)))
		u := m.Universe
		v := access.NewView(m, s)
		for i := range int32(len(m.Members)) {
			for p := range access.Perm(u.Len()) {
				had := plain(m, s, i, p) > 0
				flips := access.Flips(v, i, p)
				for k, f := range flips {
					after := s.Clone()
					for _, move := range f.Moves {
						b, err := m.Bind(move)
						if err != nil {
							t.Fatalf("seed %d: %v", seed, err)
						}
						after.Apply(u, b)
					}
					if has := plain(m, after, i, p) > 0; has == had {
						t.Fatalf("seed %d: member %d, permission %d: had %v, and so after %+v", seed, i, p, had, f.Moves)
					}
					if k > 0 && f.Others < flips[k-1].Others {
						t.Fatalf("seed %d: the smallest does not come first: %+v", seed, flips)
					}
					turned++
				}
				switch {
				case len(flips) == 0:
				case had:
					taken++
				default:
					granted++
				}
			}
		}
	}
	if turned < 1000 || granted < 100 || taken < 100 {
		t.Errorf("only %d turns were tried, %d to give and %d to take", turned, granted, taken)
	}
}

// TestUncoveredVoidAndRedundant compares with what removing the thing would
// do, and with the definition.
func TestUncoveredVoidAndRedundant(t *testing.T) {
	for seed := range runs(t) / 4 {
		m, s := organization(rand.New(rand.NewPCG(uint64(seed), 6)))
		u := m.Universe
		v := access.NewView(m, s)
		same := func(w *access.State) bool {
			for i := range int32(len(m.Members)) {
				for p := range access.Perm(u.Len()) {
					if plain(m, s, i, p) != plain(m, w, i, p) {
						return false
					}
				}
			}
			return true
		}
		var uncovered []int32
		for i := range int32(len(m.Members)) {
			something := false
			for p := range access.Perm(u.Len()) {
				something = something || plain(m, s, i, p) > 0
			}
			if m.Standings[s.Standing[i]].FromGroups && !something {
				uncovered = append(uncovered, i)
			}
		}
		if got := access.Uncovered(v); !slices.Equal(got, uncovered) {
			t.Fatalf("seed %d: uncovered %v, want %v", seed, got, uncovered)
		}
		for _, g := range access.Void(v) {
			if u.Get(s.Grants[g.Source], g.Perm) != g.Level || u.Get(s.Ceiling, g.Perm) != g.Ceiling || g.Level <= g.Ceiling {
				t.Fatalf("seed %d: %+v is not void", seed, g)
			}
		}
		_, owners := access.Redundant(v, func(source int32) string { return m.Sources[source] })
		for i, name := range m.Sources {
			after := s.Clone()
			used := false
			for g := range m.Groups {
				for j := range m.Members {
					if m.Standings[s.Standing[j]].FromGroups && slices.Contains(s.Memberships[j], int32(g)) && slices.Contains(s.Attached[g], int32(i)) {
						used = true
					}
				}
				after.Detach(int32(g), int32(i))
			}
			if got, want := slices.Contains(owners, name), used && same(after); got != want {
				t.Fatalf("seed %d: %s is redundant: %v, want %v", seed, name, got, want)
			}
		}
	}
}

// TestUnknownIsCarried gives two readings, and wants the difference in every
// answer that hangs on it and in no other.
func TestUnknownIsCarried(t *testing.T) {
	for seed := range runs(t) / 10 {
		m, s := organization(rand.New(rand.NewPCG(uint64(seed), 7)))
		if len(m.Groups) == 0 {
			continue
		}
		most := s.Clone()
		for source := range m.Sources { // what is attached to the first group could not be read
			most.Attach(0, int32(source))
		}
		readings := []*access.State{s, most}
		views := []*access.View{access.NewView(m, s), access.NewView(m, most)}
		for p := range access.Perm(m.Universe.Len()) {
			var certain, possible []int32
			for i := range int32(len(m.Members)) {
				lo, hi := plain(m, s, i, p), plain(m, most, i, p)
				if a := access.Ask(m, readings, i, p); a.Level != lo || a.Most != hi || a.Unknown() != (lo != hi) {
					t.Fatalf("seed %d: member %d: %+v, want %d to %d", seed, i, a, lo, hi)
				}
				switch {
				case lo > 0:
					certain = append(certain, i)
				case hi > 0:
					possible = append(possible, i)
				}
			}
			if a, b := access.Holders(views, p, 1); !slices.Equal(a, certain) || !slices.Equal(b, possible) {
				t.Fatalf("seed %d: %v and perhaps %v, want %v and %v", seed, a, b, certain, possible)
			}
		}
	}
}

// TestSubject finds what a key speaks of, also what nobody named.
func TestSubject(t *testing.T) {
	var perms []access.Permission
	for _, k := range []string{"capability.*", "capability.chat", "connector.*", "connector.jira.*", "connector.jira.search", `connector.jira["get.issue"]`,
		"connector.jiralike.*", `connector["odd one"].*`, `connector["odd one"].tool`, "admin.billing"} {
		perms = append(perms, access.Permission{Key: k, Scale: scales[0]})
	}
	u := access.NewUniverse(perms)
	tests := map[string]struct {
		want        []string
		star, whole bool
	}{
		"capability.chat":             {want: []string{"capability.chat"}},
		"capability.tomorrow":         {want: []string{"capability.*"}, star: true},
		"connector.jira.search":       {want: []string{"connector.jira.search"}},
		`connector.jira["get.issue"]`: {want: []string{`connector.jira["get.issue"]`}},
		"connector.jira.new":          {want: []string{"connector.jira.*"}, star: true},
		`connector.jira["a.new"]`:     {want: []string{"connector.jira.*"}, star: true},
		"connector.jira":              {want: []string{"connector.jira.*", "connector.jira.search", `connector.jira["get.issue"]`}, whole: true},
		"connector.jira.*":            {want: []string{"connector.jira.*"}, star: true},
		"connector.asana":             {want: []string{"connector.*"}, star: true},
		"connector.asana.tool":        {want: []string{"connector.*"}, star: true},
		`connector["odd one"]`:        {want: []string{`connector["odd one"].*`, `connector["odd one"].tool`}, whole: true},
		`connector["odd one"].other`:  {want: []string{`connector["odd one"].*`}, star: true},
		`connector["new one"]`:        {want: []string{"connector.*"}, star: true},
		`connector["new.one"].t`:      {want: []string{"connector.*"}, star: true},
		"admin.nothing":               {},
		"admin":                       {want: []string{"admin.billing"}, whole: true},
		"plugin.x":                    {},
		"":                            {},
		".":                           {},
		`"]`:                          {},
	}
	for key, tt := range tests {
		t.Run(key, func(t *testing.T) {
			s := u.Subject(key)
			var got []string
			for _, p := range s.Perms {
				got = append(got, u.Key(p))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || s.Star != tt.star || s.Whole != tt.whole {
				t.Errorf("star %v, whole %v (-want +got):\n%s", s.Star, s.Whole, diff)
			}
		})
	}
}

// BenchmarkExplain asks one question of 1,000,000 members whose view is there:
// the answer, and every turn of it.
func BenchmarkExplain(b *testing.B) {
	m, s := large(1_000_000, 100, 60, 5000, 4000)
	v := access.NewView(m, s)
	readings := []*access.State{s}
	for i := 0; b.Loop(); i++ {
		member, p := int32(i*7919%len(m.Members)), access.Perm(i*31%m.Universe.Len())
		access.Ask(m, readings, member, p)
		access.Flips(v, member, p)
	}
}
