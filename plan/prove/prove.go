package prove

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// enumerated is how many steps may matter for one question so that all their
// combinations are tried. Beyond it the ends are reckoned instead.
const enumerated = 16

// A Report is what was found.
type Report struct {
	Altered    bool        // the checksum is not that of the contents
	Weaker     bool        // the plan promises less, and that was checked: access may move back in between
	Violations []Violation // the first of each stage
	Problems   []string    // where the plan contradicts itself
	Members    int
	Classes    int
	Readings   int
	Stages     int // that are settled in between
	Steps      int
	Checks     int // questions: may this member have this level in this stage?
	Tried      int // combinations of steps that were tried
	Bounded    int // questions with too many steps to try every combination
	Undecided  []string
	states     float64 // decimal logarithm of how many states that stands for
}

// OK reports whether the plan was proved.
func (r *Report) OK() bool {
	return !r.Altered && len(r.Violations)+len(r.Problems)+len(r.Undecided) == 0
}

// States says how many states of the organization were covered.
func (r *Report) States() string {
	if r.states < 7 {
		return fmt.Sprint(int(math.Round(math.Pow(10, r.states))))
	}
	return fmt.Sprintf("10^%d", int(r.states))
}

// A Violation is a moment at which a member has too much or too little.
type Violation struct {
	Member     string
	Others     int    // members of whom the same is true
	Permission string // or the key of a setting
	Had, Will  string // when the stage begins, and in the end
	Gets       string
	Stage      int      // from 1, as the plan numbers them; of several that are together, the last
	InForce    []string // the steps of the stage that are in force at that moment, of those that matter
	Missing    []string // and those that are not
}

func (v Violation) String() string {
	also := ""
	if v.Others > 0 {
		also = fmt.Sprintf(" and %d more", v.Others)
	}
	when := "before any step of stage %d that matters is in force"
	if len(v.InForce) > 0 {
		when = "when of stage %d " + strings.Join(v.InForce, " and ") + " is in force"
	}
	s := fmt.Sprintf("%s%s: %s is %s "+when, v.Member, also, v.Permission, v.Gets, v.Stage)
	if len(v.Missing) > 0 {
		s += " and " + strings.Join(v.Missing, " and ") + " not yet"
	}
	return s + fmt.Sprintf("; it was %s, and will be %s", v.Had, v.Will)
}

// Verify checks a saved plan. The error says why there is nothing to check;
// what is wrong with the plan is in the report.
func Verify(b []byte) (*Report, error) {
	d, err := read(b)
	if err != nil {
		return nil, fmt.Errorf("the saved plan cannot be proved: %w", err)
	}
	m, err := build(d)
	if err != nil {
		return nil, fmt.Errorf("the saved plan cannot be proved: %w", err)
	}
	p := &prover{model: m, report: &Report{Altered: d.altered, Weaker: d.bound == boundOfPlan, Members: len(m.member), Readings: len(m.from)}}
	if err := p.bindAll(); err != nil {
		return nil, fmt.Errorf("the saved plan cannot be proved: %w", err)
	}
	p.classify()
	p.report.Classes = len(p.classes)
	p.run()
	return p.report, nil
}

// prover checks one plan.
type prover struct {
	*model
	report  *Report
	moves   map[string][]bound
	classes []class
	kinds   []kind
	now     []world // of each reading, what is surely in force
	free    []*step // what may be in force beyond that
	touched map[variable][]touch
	goals   map[question]int64 // in the end
	starts  map[question]int64 // before the plan, if it promises no more than that
}

// A touch is a free step that moves a variable.
type touch struct {
	step int // in free
	to   int64
}

// class is members of whom everything is the same.
type class struct {
	member int32 // the first
	count  int
}

// kind is permissions of which everything is the same: tools that no row tells
// apart.
type kind struct {
	perm  int32 // the first
	count int
}

type question struct {
	reading     int
	member, per int32
	setting     bool
}

func (p *prover) bindAll() error {
	p.moves = map[string][]bound{}
	for _, st := range p.stages {
		for _, s := range st.steps {
			for _, v := range s.Moves {
				b, err := p.bind(v)
				if err != nil {
					return fmt.Errorf("step %.80q: %w", s.ID, err)
				}
				p.moves[s.ID] = append(p.moves[s.ID], b)
				switch b.kind {
				case "membership":
					note(p.groupsOf, b.who, b.in)
				case "attachment":
					note(p.sourcesOf, b.who, b.in)
				}
			}
		}
	}
	return nil
}

// classify finds members and permissions that nothing tells apart: neither a
// record nor a step of any stage.
func (p *prover) classify() {
	keys := make([]strings.Builder, len(p.member))
	kinds := make([]strings.Builder, len(p.permissions))
	for i, perm := range p.permissions {
		fmt.Fprint(&kinds[i], len(perm.Levels))
		for _, levels := range slices.Concat(p.own, p.caps) {
			fmt.Fprint(&kinds[i], ",", levels[i])
		}
	}
	for _, list := range [][]world{p.from, p.goal} {
		for _, w := range list {
			p.describe(w, keys, kinds)
		}
	}
	for n, st := range p.stages {
		for k, s := range st.steps {
			for _, b := range p.moves[s.ID] {
				about := b.variable
				about.who, about.per = 0, 0
				switch b.kind {
				case "standing", "membership", "member_setting":
					about.per = b.per
					alone := len(s.Moves) == 1 || p.onlyOf(s, b.who)
					id := ""
					if !alone { // a step that concerns others too is the same step for all of them
						id = fmt.Sprint(k)
					}
					fmt.Fprint(&keys[b.who], "|", n, id, about, b.from, b.to, st.Held, s.Settle)
				case "grant", "ceiling", "list_speaks", "list_level":
					about.who = b.who
					fmt.Fprint(&kinds[b.per], "|", n, "/", k, about, b.from, b.to)
				}
			}
		}
	}
	p.classes = collect(keys, func(i int32, n int) class { return class{i, n} }, func(c *class) { c.count++ })
	p.kinds = collect(kinds, func(i int32, n int) kind { return kind{i, n} }, func(c *kind) { c.count++ })
}

// onlyOf reports whether a step moves nothing but variables of one member.
func (p *prover) onlyOf(s *step, who int32) bool {
	for _, b := range p.moves[s.ID] {
		switch b.kind {
		case "standing", "membership", "member_setting":
			if b.who != who {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// describe appends what a world says of each member and permission, in order.
func (p *prover) describe(w world, members, permissions []strings.Builder) {
	vars := make([]variable, 0, len(w))
	for v := range w {
		vars = append(vars, v)
	}
	slices.SortFunc(vars, func(a, b variable) int {
		if c := strings.Compare(a.kind, b.kind); c != 0 {
			return c
		}
		for _, d := range []int32{a.who - b.who, a.in - b.in, a.per - b.per} {
			if d != 0 {
				return int(d)
			}
		}
		return 0
	})
	for i := range members {
		members[i].WriteByte(';')
	}
	for i := range permissions {
		permissions[i].WriteByte(';')
	}
	for _, v := range vars {
		switch v.kind {
		case "standing", "seat", "membership", "member_setting":
			fmt.Fprint(&members[v.who], v.kind, v.in, ",", v.per, "=", w[v], " ")
		case "grant", "ceiling", "list_speaks", "list_level":
			fmt.Fprint(&permissions[v.per], v.kind, v.who, "=", w[v], " ")
		}
	}
}

func collect[T any](keys []strings.Builder, first func(int32, int) T, more func(*T)) []T {
	at := map[string]int{}
	var list []T
	for i := range keys {
		key := keys[i].String()
		k, ok := at[key]
		if ok {
			more(&list[k])
			continue
		}
		at[key] = len(list)
		list = append(list, first(int32(i), 1))
	}
	return list
}

// run goes through the stages. Steps whose wait is not over when the next
// stage begins are free in it, too.
func (p *prover) run() {
	for r := range p.from {
		w := world{}
		for v, n := range p.from[r] {
			w[v] = n
		}
		p.now = append(p.now, w)
	}
	p.goals = p.answers(p.goal)
	if p.report.Weaker {
		p.starts = p.answers(p.from)
	}
	left := map[*step]int{} // seconds until a free step is surely in force
	done := map[string]bool{}
	var last int
	number := 0
	for i, st := range p.stages {
		if st.Held {
			continue
		}
		number++
		p.report.Steps += len(st.steps)
		for _, s := range st.steps {
			p.needs(s, st, done)
			left[s] = s.Settle
		}
		for _, s := range st.steps {
			done[s.ID] = true
		}
		p.free = append(p.free, st.steps...)
		last = i
		if st.Together {
			continue
		}
		p.report.Stages++
		p.stage(number)
		p.settle(left, st.Settle)
	}
	if len(p.free) > 0 && len(p.stages) > 0 && p.stages[last].Together {
		p.report.Stages++
		p.stage(number)
	}
	p.inForce(p.free)
	for _, st := range p.stages {
		if st.Held {
			p.inForce(st.steps)
		}
	}
	p.ends()
}

// needs checks that what a step needs comes before it, or in its stage.
func (p *prover) needs(s *step, st *stage, done map[string]bool) {
	for _, id := range s.Needs {
		if need := p.steps[id]; need != nil && !done[id] && !slices.Contains(st.steps, need) {
			p.problem("%s needs %s, which comes after it", s.ID, id)
		}
	}
}

func (p *prover) problem(format string, args ...any) {
	if len(p.report.Problems) < 20 {
		p.report.Problems = append(p.report.Problems, fmt.Sprintf(format, args...))
	}
}

// settle puts in force what has been waited for. For what somebody else brings
// into force no wait is long enough.
func (p *prover) settle(left map[*step]int, wait int) {
	var sure, open []*step
	for _, s := range p.free {
		if left[s] -= wait; left[s] <= 0 && s.Settle >= 0 {
			sure = append(sure, s)
		} else {
			open = append(open, s)
		}
	}
	p.inForce(sure)
	p.free = open
}

// inForce makes the moves of steps, each of which must start where things are.
func (p *prover) inForce(steps []*step) {
	for _, s := range steps {
		for _, b := range p.moves[s.ID] {
			for r, w := range p.now {
				if have := w.get(b.variable); have != b.from && len(p.now) == 1 {
					p.problem("%s starts from another value than is in force", s.ID)
				}
				p.now[r].put(b.variable, b.to)
			}
		}
	}
}

// ends checks that the steps lead to what the plan says will be.
func (p *prover) ends() {
	for r, w := range p.now {
		for v, n := range p.goal[r] {
			if w.get(v) != n && v.kind != "seat_compared" {
				p.problem("in the end, %s is not what the plan says", p.named(v))
			}
		}
		for v := range w {
			if _, ok := p.goal[r][v]; !ok {
				p.problem("in the end, %s is something that the plan does not say", p.named(v))
			}
		}
	}
	slices.Sort(p.report.Problems)
	p.report.Problems = slices.Compact(p.report.Problems)
}

// named says which variable v is.
func (p *prover) named(v variable) string {
	parts := []string{"the " + strings.ReplaceAll(v.kind, "_", " ")}
	name := func(m map[string]int32, i int32) string {
		for s, n := range m {
			if n == i {
				return s
			}
		}
		return "?"
	}
	switch v.kind {
	case "standing", "seat", "member_setting":
		parts = append(parts, "of "+name(p.member, v.who))
	case "membership":
		parts = append(parts, fmt.Sprintf("of %s in %s", name(p.member, v.who), name(p.group, v.in)))
	case "attachment":
		parts = append(parts, fmt.Sprintf("of %s to %s", name(p.source, v.in), name(p.group, v.who)))
	case "grant":
		parts = append(parts, fmt.Sprintf("of %s by %s", name(p.perm, v.per), name(p.source, v.who)))
	case "ceiling":
		parts = append(parts, "of "+name(p.perm, v.per))
	case "list_speaks", "list_level":
		parts = append(parts, fmt.Sprintf("of %s for %s", name(p.group, v.who), name(p.perm, v.per)))
	case "group_setting":
		parts = append(parts, "of "+name(p.group, v.who))
	}
	return strings.Join(parts, " ")
}
