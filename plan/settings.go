package plan

import "github.com/rolecall/rolecall/schema/access"

// Settings are not grants: a group's value that appears may raise a member's
// value or lower it, depending on what else is set. What a setting can be over
// all subsets of the free units still has a closed form, because different
// scopes are moved by different units; units that move several are decided
// first. See README.md, "Settings".

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

// or fills in for a scope that may be unset what comes after it.
func (s span) or(next span) span {
	if !s.absent {
		return s
	}
	if s.any && next.any {
		next.lo, next.hi = min(s.lo, next.lo), max(s.hi, next.hi)
	}
	return next
}

// settingRules are the rules for moves of settings that are nobody's own.
var settingRules = map[access.MoveKind]rule{
	access.MoveGroupSetting: ruleGroupSetting, access.MoveSeatSetting: ruleSeatSetting, access.MoveDefault: ruleDefault,
	access.MoveFallback: ruleFallback, access.MoveSettingCeiling: ruleSettingCeiling, access.MovePrecedence: rulePrecedence,
}

// settingInterval returns the lowest and the highest value of class c in a
// setting over all subsets of the free units, decided ones apart. A person who
// is not there has nothing.
func (f *frontier) settingInterval(reading int, c int32, setting int) (lo, hi access.Limit) {
	cl, now := &f.classes[c], &f.cur[c][reading]
	here, gone := false, false
	f.standings(cl, now, func(standing uint8, _ int32) {
		if f.model.Standings[standing].Absent {
			gone = true
		} else {
			here = true
		}
	})
	if here {
		lo, hi = f.presentSetting(f.read[reading], cl, now, setting)
	}
	if gone {
		lo = 0
	}
	return lo, hi
}

// presentSetting is the interval of somebody who is there throughout.
func (f *frontier) presentSetting(r *reading, cl *class, now *variables, setting int) (lo, hi access.Limit) {
	s := &r.now.Settings[setting]
	var own, seat, def, fallback, ceiling span
	own.add(now.own[setting])
	for i := range cl.refs {
		if x := &cl.refs[i]; f.moving(x.unit, ruleOwnSetting) {
			for _, b := range x.moves {
				if b.Kind == access.MoveMemberSetting && b.Setting == setting {
					own.add(access.Limit(b.To))
				}
			}
		}
	}
	seat.add(s.Seat[now.seat])
	def.add(s.Default)
	fallback.add(s.Fallback)
	ceiling.add(s.Ceiling)
	highest := []bool{s.Highest}
	for _, v := range f.settingMoves[setting] {
		if !f.moving(v.unit, settingRules[v.Kind]) {
			continue
		}
		switch v.Kind {
		case access.MoveSeatSetting:
			if v.Seat == now.seat {
				seat.add(access.Limit(v.To))
			}
		case access.MoveDefault:
			def.add(access.Limit(v.To))
		case access.MoveFallback:
			fallback.add(access.Limit(v.To))
		case access.MoveSettingCeiling:
			ceiling.add(access.Limit(v.To))
		case access.MovePrecedence:
			if p := v.To == 1; p != s.Highest {
				highest = append(highest, p)
			}
		}
	}
	var nothing, unlimited span
	nothing.add(f.model.Settings[setting].Nothing())
	unlimited.add(access.Unlimited)
	rest := def.or(fallback.or(nothing))
	groups := f.groupSpans(r, cl, now, setting)
	if s.SeatCompared {
		if seat.any {
			groups = append(groups, seat)
		}
	} else {
		rest = seat.or(rest)
	}
	for i, h := range highest {
		l, u := inherited(groups, rest, h)
		if i == 0 {
			lo, hi = l, u
		}
		lo, hi = min(lo, l), max(hi, u)
	}
	if own.any {
		if own.absent {
			lo, hi = min(lo, own.lo), max(hi, own.hi)
		} else {
			lo, hi = own.lo, own.hi
		}
	}
	ceiling = ceiling.or(unlimited)
	return min(lo, ceiling.lo), min(hi, ceiling.hi)
}

// groupSpans returns what each group the class may be in can contribute.
func (f *frontier) groupSpans(r *reading, cl *class, now *variables, setting int) []span {
	var spans []span
	add := func(g int32, mayBeOut bool) {
		s := span{absent: mayBeOut}
		s.add(r.now.Settings[setting].Group[g])
		for _, v := range f.settingMoves[setting] {
			if v.Kind == access.MoveGroupSetting && v.Group == g && f.moving(v.unit, ruleGroupSetting) {
				s.add(access.Limit(v.To))
			}
		}
		if s.any {
			spans = append(spans, s)
		}
	}
	for _, g := range now.groups {
		add(g, f.membership(cl, g, false) >= 0)
	}
	for _, g := range f.joining(cl, now) {
		add(g, true)
	}
	return spans
}

// inherited returns the lowest and highest value that groups and, where none
// says anything, the rest can give.
func inherited(groups []span, rest span, highest bool) (lo, hi access.Limit) {
	certain := false
	for _, s := range groups {
		certain = certain || !s.absent
	}
	var least, most span // of what can win
	for _, s := range groups {
		// The end that the precedence pulls to is reached by any group that
		// can count; the other end is set by those that are certain to.
		switch {
		case highest && certain && !s.absent:
			least.lo, least.any = max(least.lo, s.lo), true
		case !highest && certain && !s.absent:
			if !most.any || s.hi < most.hi {
				most.hi, most.any = s.hi, true
			}
		}
	}
	var all span
	for _, s := range groups {
		all.add(s.lo)
		all.add(s.hi)
	}
	if !certain {
		all.add(rest.lo)
		all.add(rest.hi)
	}
	lo, hi = all.lo, all.hi
	if highest && least.any {
		lo = least.lo
	}
	if !highest && most.any {
		hi = most.hi
	}
	return lo, hi
}

// settingsOf returns the settings of whoever has the variables v; a person who
// is not there has nothing.
func settingsOf(m *access.Model, s *access.State, v *variables) []access.Limit {
	values := make([]access.Limit, len(m.Settings))
	if m.Standings[v.standing].Absent {
		return values
	}
	for i := range values {
		values[i] = s.Settings[i].Resolve(v.own[i], v.groups, v.seat, m.Settings[i].Nothing())
	}
	return values
}

// findSettingBreach returns the first setting in which class c may leave the
// bound, nil if there is none.
func (f *frontier) findSettingBreach(c int32) *breach {
	if cl := &f.classes[c]; !f.limited || cl.phantom && !cl.values {
		return nil
	}
	b := f.closedSettingBreach(c)
	if b == nil || len(f.mixedOf(c)) == 0 {
		return b
	}
	f.combinations(c, func() bool {
		b = f.closedSettingBreach(c)
		return b == nil
	})
	return b
}

func (f *frontier) closedSettingBreach(c int32) *breach {
	for i, r := range f.read {
		if f.off[ruleReadings] && i > 0 {
			break
		}
		for setting := range f.model.Settings {
			lo, hi := f.settingInterval(i, c, setting)
			now, to := r.refSetting[c][setting], f.classes[c].ends[i].to[setting]
			if hi > max(now, to) && !f.noOver && !f.onlyGaps && !f.off[ruleOver] {
				return &breach{reading: i, setting: setting, over: true}
			}
			if lo < min(now, to) && !f.classes[c].phantom && !f.noGaps && !f.off[ruleGap] {
				return &breach{reading: i, setting: setting}
			}
		}
	}
	return nil
}
