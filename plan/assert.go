package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// A TestResult is what became of one test block.
type TestResult struct {
	Name     string        `json:"name"`
	Outcome  string        `json:"outcome"` // passed, failed, undetermined
	Range    *Range        `json:"range,omitempty"`
	People   int           `json:"people"` // how many it is about
	Failures []TestFailure `json:"failures"`
}

// The outcomes of a test.
const (
	Passed  = "passed"
	Failed  = "failed"
	NotSure = "undetermined"
)

// A TestFailure is one assertion that does not hold, or cannot be decided, and
// everybody for whom it is so.
type TestFailure struct {
	Assertion  string   `json:"assertion"` // can, cannot, at_most, spend_at_most, who
	Permission string   `json:"permission,omitempty"`
	Outcome    string   `json:"outcome"` // failed, undetermined
	Members    []string `json:"members"`
	Because    string   `json:"because"` // of the first of them
	Range      *Range   `json:"range,omitempty"`

	at hcl.Range
}

// Test evaluates the test blocks of the configuration.
func (p *Picture) Test() []TestResult {
	list := []TestResult{}
	for i := range p.in.Config.Tests {
		list = append(list, p.test(&p.in.Config.Tests[i]))
	}
	return list
}

func (p *Picture) test(t *schema.Test) TestResult {
	r := TestResult{Name: t.Name, Outcome: Passed, Range: place(t.Decl), Failures: []TestFailure{}}
	who, err := schema.Resolve(t.Who, p.binder)
	if err != nil {
		r.fail(TestFailure{Assertion: "who", Outcome: NotSure, Because: fmt.Sprintf("who it is about cannot be worked out: %v", err), at: t.Where["who"]})
		return r
	}
	for i := range who {
		who[i] = p.binder.live(who[i])
	}
	r.People = len(who)
	c := checker{p, &r, who}
	for _, it := range t.Can {
		c.check("can", it, func(a held) string { return atLeast(a.least > 0, a.most > 0) }, true)
	}
	for _, it := range t.Cannot {
		c.check("cannot", it, func(a held) string { return atLeast(a.most == 0, a.least == 0) }, false)
	}
	for _, key := range slices.Sorted(maps.Keys(t.AtMost)) {
		it := t.AtMost[key]
		top, err := p.levelOf(key, it.Text)
		if err != nil {
			r.fail(TestFailure{Assertion: "at_most", Permission: key, Outcome: Failed, Because: err.Error(), at: it.Range})
			continue
		}
		c.check("at_most", schema.Item{Text: key, Range: it.Range}, func(a held) string { return atLeast(a.most <= top, a.least <= top) }, false)
	}
	for _, period := range slices.Sorted(maps.Keys(t.SpendAtMost)) {
		amount := t.SpendAtMost[period]
		top := int64(amount.Minor)
		c.check("spend_at_most", schema.Item{Text: "spend." + period, Range: amount.Range}, func(a held) string { return atLeast(a.most <= top, a.least <= top) }, false)
	}
	return r
}

// atLeast turns "it is so for sure" and "it may be so" into an outcome.
func atLeast(sure, maybe bool) string {
	switch {
	case sure:
		return Passed
	case maybe:
		return NotSure
	}
	return Failed
}

func (r *TestResult) fail(f TestFailure) {
	if f.Members == nil {
		f.Members = []string{}
	}
	f.Range = place(f.at)
	r.Failures = append(r.Failures, f)
	if r.Outcome == Passed || f.Outcome == Failed {
		r.Outcome = f.Outcome
	}
}

// levelOf returns the number of a level of what a key asks about.
func (p *Picture) levelOf(key, name string) (int64, error) {
	t, err := p.Topic(key)
	if err != nil {
		return 0, err
	}
	scale := (*access.Scale)(nil)
	if t.Setting >= 0 {
		scale = p.Model.Settings[t.Setting].Scale
	} else {
		scale = p.Model.Universe.Permission(t.Perms[0]).Scale
	}
	if scale == nil {
		return 0, fmt.Errorf("%s is an amount: write spend_at_most instead", key)
	}
	l, ok := scale.Level(name)
	if !ok {
		return 0, fmt.Errorf("%s has no level %q; its levels are %s", key, name, quoteAll(scale.Levels))
	}
	return int64(l), nil
}

func quoteAll(list []string) string {
	s := ""
	for i, x := range list {
		switch {
		case i > 0 && i == len(list)-1:
			s += " and "
		case i > 0:
			s += ", "
		}
		s += schema.Quote(x)
	}
	return s
}

// held is what a member has, in the reading with the least and in the one with
// the most: a level, or an amount in minor units.
type held struct{ least, most int64 }

// checker evaluates the assertions of one test.
type checker struct {
	*Picture
	r   *TestResult
	who []string
}

// check evaluates one assertion for everybody, class by class. Where a key
// speaks of several permissions, one of them is enough if some says so, and
// none may break it otherwise: the member has the best of them either way.
func (c checker) check(assertion string, it schema.Item, holds func(held) string, wanted bool) {
	t, err := c.Topic(it.Text)
	if err != nil {
		c.r.fail(TestFailure{Assertion: assertion, Permission: it.Text, Outcome: Failed, Because: err.Error(), at: it.Range})
		return
	}
	views := c.Views()
	last := len(views) - 1
	type classes struct{ least, most int32 }
	known := map[classes]string{}
	bad := map[string][]string{}
	for _, email := range c.who {
		m := c.Model.Member(email)
		if m < 0 { // somebody else has nothing
			if outcome := holds(held{}); outcome != Passed {
				bad[outcome] = append(bad[outcome], email)
			}
			continue
		}
		k := classes{views[0].Of[m], views[last].Of[m]}
		outcome, ok := known[k]
		if !ok {
			outcome = holds(c.held(t, m))
			known[k] = outcome
		}
		if outcome != Passed {
			bad[outcome] = append(bad[outcome], email)
		}
	}
	for _, outcome := range []string{Failed, NotSure} {
		if list := bad[outcome]; len(list) > 0 {
			c.r.fail(TestFailure{Assertion: assertion, Permission: it.Text, Outcome: outcome, Members: list, Because: c.because(list[0], t), at: it.Range})
		}
	}
}

// held returns the most that a member has of anything a topic speaks of.
func (p *Picture) held(t Topic, m int32) held {
	views := p.Views()
	least, most := views[0], views[len(views)-1]
	if t.Setting >= 0 {
		h := held{int64(least.Setting(m, t.Setting)), int64(most.Setting(m, t.Setting))}
		return held{max(0, min(h.least, h.most)), max(0, h.least, h.most)}
	}
	var h held
	for _, perm := range t.Perms {
		h.least = max(h.least, int64(p.Model.Universe.Get(least.Access(m), perm)))
		h.most = max(h.most, int64(p.Model.Universe.Get(most.Access(m), perm)))
	}
	return h
}

// because explains an answer in one line.
func (p *Picture) because(email string, t Topic) string {
	m := p.Model.Member(email)
	if m < 0 {
		return fmt.Sprintf("%s is not a member of the organization", email)
	}
	return p.Explain(m, t).Text
}

// tests runs the test blocks and reports those that do not hold.
func (a *analysis) tests(p *Picture) {
	for i, r := range p.Test() {
		t := &a.Config.Tests[i]
		if r.People == 0 && r.Outcome == Passed {
			a.found = append(a.found, &finding{Rule: "test-failed", Severity: Warning, Range: t.Where["who"],
				Message: fmt.Sprintf("test %s is about nobody, so it shows nothing", schema.Quote(t.Name)),
				Fix:     "name people who are there, or take the test out"})
		}
		for _, f := range r.Failures {
			a.found = append(a.found, &finding{Rule: "test-failed", Range: f.at, Members: f.Members, Message: f.message(t.Name), Fix: "correct what gives it, or the test"})
		}
	}
}

// message says which assertion does not hold, for whom and why.
func (f *TestFailure) message(test string) string {
	what := map[string]string{"can": "must have %s", "cannot": "must not have %s", "at_most": "has more of %s than it allows", "spend_at_most": "has more of %s than it allows"}[f.Assertion]
	if f.Outcome == NotSure {
		return fmt.Sprintf("test %s cannot be decided: %s", schema.Quote(test), f.Because)
	}
	if len(f.Members) == 0 {
		return fmt.Sprintf("test %s: %s", schema.Quote(test), f.Because)
	}
	others := ""
	if n := len(f.Members) - 1; n > 0 {
		others = fmt.Sprintf(" (and %s more)", schema.Thousands(n))
	}
	return fmt.Sprintf("test %s: %s%s %s. %s", schema.Quote(test), f.Members[0], others, fmt.Sprintf(what, f.Permission), f.Because)
}

// exclusive finds people in two groups that exclude each other, and people in
// none of them where one is required.
func (a *analysis) exclusive() {
	s := a.to[len(a.to)-1]
	for _, x := range a.Config.Exclusives {
		in := map[int32]schema.Address{}
		for _, g := range x.Groups {
			if i := a.model.Group(string(g)); i >= 0 {
				in[i] = g
			}
		}
		pairs := map[string][]string{}
		var none []string
		for m, groups := range s.Memberships {
			var mine []schema.Address
			for _, g := range groups {
				if addr, ok := in[g]; ok {
					mine = append(mine, addr)
				}
			}
			switch st := a.model.Standings[s.Standing[m]]; {
			case st.Absent:
			case len(mine) > 1:
				key := quoteAddresses(mine)
				pairs[key] = append(pairs[key], a.model.Members[m])
			case len(mine) == 0 && x.Required && st.FromGroups:
				none = append(none, a.model.Members[m])
			}
		}
		for _, key := range slices.Sorted(maps.Keys(pairs)) {
			a.found = append(a.found, &finding{Rule: "exclusive-groups", Range: x.Decl, Members: pairs[key], About: x.Groups,
				Message: fmt.Sprintf("exclusive %s: %s would be in %s at once", schema.Quote(x.Name), who(pairs[key]), key),
				Fix:     "take them out of all of these groups but one"})
		}
		if len(none) > 0 {
			a.found = append(a.found, &finding{Rule: "exclusive-groups", Range: x.Decl, Members: none, About: x.Groups,
				Message: fmt.Sprintf("exclusive %s: %s would be in none of its groups, and one is required", schema.Quote(x.Name), who(none)),
				Fix:     "put them into one of these groups, or write required = false"})
		}
	}
}

func quoteAddresses(list []schema.Address) string {
	s := ""
	for i, addr := range list {
		switch {
		case i > 0 && i == len(list)-1:
			s += " and "
		case i > 0:
			s += ", "
		}
		s += string(addr)
	}
	return s
}
