package plan

import (
	"slices"

	"github.com/rolecall/rolecall/schema/access"
)

// Limits are not grants: a group limit that appears may raise a member's limit
// or lower it, depending on what else is set. What a limit can be over all
// subsets of the free units still has a closed form, because different scopes
// are moved by different units. See README.md, "Limits".

// A span is the values that one scope can take in a stage.
type span struct {
	lo, hi access.Limit // over the values that are set
	any    bool         // whether it can be set at all
	absent bool         // whether it can be unset
}

func (s *span) add(l access.Limit) {
	if l == access.Unset {
		s.absent = true
		return
	}
	if !s.any {
		s.lo, s.hi, s.any = l, l, true
		return
	}
	s.lo, s.hi = min(s.lo, l), max(s.hi, l)
}

// spendInterval returns the lowest and the highest limit of class c in a
// period over all subsets of the free units. A person who is not a member has
// a limit of zero. Joining and leaving the organization move several scopes at
// once, so they are decided first: the result covers both outcomes.
func (f *frontier) spendInterval(r *reading, c int32, period int) (lo, hi access.Limit) {
	cl := &f.p.classes[c]
	var removals []int32
	present, absent := false, false
	f.standings(r, cl, func(standing uint8, unit int32) {
		switch {
		case !f.p.model.Standings[standing].Absent:
			present = true
		default:
			absent = true
			if unit >= 0 {
				removals = append(removals, unit)
			}
		}
	})
	if present {
		for _, u := range removals {
			f.status[u] = waiting
		}
		lo, hi = f.presentSpend(r, cl, period)
		for _, u := range removals {
			f.status[u] = free
		}
	}
	if absent {
		lo = 0
	}
	return lo, hi
}

// presentSpend is the interval of somebody who is a member throughout.
func (f *frontier) presentSpend(r *reading, cl *class, period int) (lo, hi access.Limit) {
	rep := cl.members[0]
	now := r.now.Settings[period]
	var member, fallback, ceiling span
	if l, ok := now.Member[rep]; ok {
		member.add(l)
	} else {
		member.add(access.Unset)
	}
	for _, u := range cl.units {
		if f.status[u] != free {
			continue
		}
		for _, b := range f.p.units[u].moves {
			if b.Kind == access.MoveMemberSetting && b.Member == rep && b.Setting == period {
				member.add(access.Limit(b.To))
			}
		}
	}
	fallback.add(now.Default)
	ceiling.add(now.Ceiling)
	highest := []bool{now.Highest}
	for _, v := range f.limitMoves {
		if f.status[v.unit] != free || v.Setting != period {
			continue
		}
		switch v.Kind {
		case access.MoveDefault:
			fallback.add(access.Limit(v.To))
		case access.MoveSettingCeiling:
			ceiling.add(access.Limit(v.To))
		case access.MovePrecedence:
			if p := v.To == 1; p != now.Highest {
				highest = append(highest, p)
			}
		}
	}
	if fallback.absent {
		fallback.add(access.Unlimited)
	}
	if ceiling.absent {
		ceiling.add(access.Unlimited)
	}
	groups := f.groupSpans(r, cl, rep, period)
	for i, h := range highest {
		l, u := inherited(groups, fallback, h)
		if i == 0 {
			lo, hi = l, u
		}
		lo, hi = min(lo, l), max(hi, u)
	}
	if member.any {
		if member.absent {
			lo, hi = min(lo, member.lo), max(hi, member.hi)
		} else {
			lo, hi = member.lo, member.hi
		}
	}
	return min(lo, ceiling.lo), min(hi, ceiling.hi)
}

// groupSpans returns what each group the class may be in can contribute.
func (f *frontier) groupSpans(r *reading, cl *class, rep int32, period int) []span {
	var spans []span
	for _, g := range f.mayGroups(r, cl, rep) {
		var s span
		s.add(r.now.Settings[period].Group[g])
		for _, v := range f.limitMoves {
			if v.Kind == access.MoveGroupSetting && f.status[v.unit] == free && v.Group == g && v.Setting == period {
				s.add(access.Limit(v.To))
			}
		}
		if f.ownMove(cl, rep, access.MoveMembership, g) >= 0 {
			s.absent = true // joins or leaves in this stage
		}
		if s.any {
			spans = append(spans, s)
		}
	}
	return spans
}

// inherited returns the lowest and highest limit that groups and, where none
// says anything, the fallback can give.
func inherited(groups []span, fallback span, highest bool) (lo, hi access.Limit) {
	certain := false
	for _, s := range groups {
		certain = certain || !s.absent
	}
	first := true
	pick := func(l *access.Limit, v access.Limit, higher bool) {
		if first || higher && v > *l || !higher && v < *l {
			*l = v
		}
		first = false
	}
	if highest {
		// most: the best any group can give; least: what is certain.
		for _, s := range groups {
			pick(&hi, s.hi, true)
		}
		if !certain {
			pick(&hi, fallback.hi, true)
		}
		first = true
		for _, s := range groups {
			if certain && !s.absent {
				pick(&lo, s.lo, true)
			} else if !certain {
				pick(&lo, s.lo, false)
			}
		}
		if !certain {
			pick(&lo, fallback.lo, false)
		}
		return lo, hi
	}
	for _, s := range groups {
		pick(&lo, s.lo, false)
	}
	if !certain {
		pick(&lo, fallback.lo, false)
	}
	first = true
	for _, s := range groups {
		if certain && !s.absent {
			pick(&hi, s.hi, false)
		} else if !certain {
			pick(&hi, s.hi, true)
		}
	}
	if !certain {
		pick(&hi, fallback.hi, true)
	}
	return lo, hi
}

// spendNow returns the limit of class c at the start of the stage.
func (f *frontier) spendNow(r *reading, c int32, period int) access.Limit {
	rep := f.p.classes[c].members[0]
	if f.p.model.Standings[r.now.Standing[rep]].Absent {
		return 0
	}
	return r.now.Settings[period].Effective(rep, r.now.Memberships[rep], r.now.Seat[rep], f.p.model.Settings[period].Nothing())
}

// spendBreach reports the first period in which the limit of class c may leave
// the bound.
func (f *frontier) spendBreach(c int32) (period int, over, ok bool) {
	if !f.limited {
		return 0, false, false
	}
	for i, r := range f.p.read {
		for period := range f.p.model.Settings {
			lo, hi := f.spendInterval(r, c, period)
			now, to := f.spendNow(r, c, period), f.p.classes[c].limits[i][period]
			if to == access.Unset { // not a member in the end
				to = 0
			}
			if hi > max(now, to) {
				return period, true, true
			}
			if lo < min(now, to) {
				return period, false, true
			}
		}
	}
	return 0, false, false
}

// repairSpend holds units until the limits of class c are within the bound:
// one by one in the order of their rank, and frees again what turns out not to
// matter.
func (f *frontier) repairSpend(c int32) {
	_, _, bad := f.spendBreach(c)
	if !bad {
		return
	}
	var held []int32
	for _, u := range f.spendUnits(c) {
		f.hold(u)
		held = append(held, u)
		if _, _, bad = f.spendBreach(c); !bad {
			break
		}
	}
	for _, u := range slices.Backward(held[:max(len(held)-1, 0)]) {
		if !f.ready(u) {
			continue
		}
		f.free(u)
		if _, _, bad := f.spendBreach(c); bad || f.firstBreach(c) != nil {
			f.hold(u)
		}
	}
}

// spendUnits returns the free units that may move the limit of class c, what
// is to be held first at the front.
func (f *frontier) spendUnits(c int32) []int32 {
	cl := &f.p.classes[c]
	rep := cl.members[0]
	var list []int32
	for _, u := range cl.units {
		if f.status[u] == free {
			list = append(list, u)
		}
	}
	for _, v := range f.limitMoves {
		if f.status[v.unit] != free {
			continue
		}
		if v.Kind != access.MoveGroupSetting || f.mayBeIn(cl, rep, v.Group) {
			list = append(list, v.unit)
		}
	}
	slices.SortStableFunc(list, func(a, b int32) int {
		if d := f.p.units[a].rank - f.p.units[b].rank; d != 0 {
			return d
		}
		return int(a) - int(b)
	})
	return slices.Compact(list)
}

func (f *frontier) mayBeIn(cl *class, rep, group int32) bool {
	for _, r := range f.p.read {
		if slices.Contains(f.mayGroups(r, cl, rep), group) {
			return true
		}
	}
	return false
}
