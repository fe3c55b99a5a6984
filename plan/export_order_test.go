package plan

import (
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// Safeguards are the planner's rules, in words.
var Safeguards = safeguards[:]

// WithoutSafeguard plans as if one rule did not exist, until it is called back.
func WithoutSafeguard(i int) (restore func()) {
	ruleOff = rule(i)
	return func() { ruleOff = -1 }
}

// An Interval is the least and the most that one member may have while all
// steps are free: levels of permissions, then values of settings.
type Interval struct{ Lo, Hi []int64 }

// Intervals returns the interval of each member if all steps were one stage.
func Intervals(m *access.Model, from, to *access.State, steps []schema.Step) ([]Interval, error) {
	p, err := newPlanner(m, []*access.State{from}, []*access.State{to}, steps, nil, OrderOptions{})
	if err != nil {
		return nil, err
	}
	f := newFrontier(p)
	var all []int32
	for u := range p.units {
		all = append(all, int32(u))
	}
	f.begin(all)
	list := make([]Interval, len(m.Members))
	for c := range p.classes {
		var x Interval
		hi, lo := m.Universe.NewSet(), m.Universe.Full()
		his, los := make([]int64, len(m.Settings)), make([]int64, len(m.Settings))
		for k := range los {
			los[k] = int64(access.Unlimited)
		}
		f.combinations(int32(c), func() bool {
			h, l := f.interval(0, int32(c))
			hi.Or(h)
			lo.And(l)
			for k := range m.Settings {
				l, h := f.settingInterval(0, int32(c), k)
				his[k], los[k] = max(his[k], int64(h)), min(los[k], int64(l))
			}
			return true
		})
		for p := range access.Perm(m.Universe.Len()) {
			x.Lo, x.Hi = append(x.Lo, int64(m.Universe.Get(lo, p))), append(x.Hi, int64(m.Universe.Get(hi, p)))
		}
		x.Lo, x.Hi = append(x.Lo, los...), append(x.Hi, his...)
		for _, member := range p.classes[c].members {
			list[member] = x
		}
	}
	return list, nil
}
