package prove

import (
	"fmt"
	"slices"
	"strconv"
)

// A world is everything that decides access in one reading, at one moment.
// Everything is a variable with a number for its value: whether somebody is in
// a group, the level that a role grants, an amount. What is not in the map has
// the value 0, or, of a setting, says nothing.
type world map[variable]int64

// A variable is one thing that a step can move. Which fields count follows
// from the kind, as for the moves of a plan.
type variable struct {
	kind         string
	who, in, per int32 // member, group, source or seat; group or source; permission or setting
}

// The values of settings that are neither amounts nor levels.
const (
	unset     int64 = -1
	unlimited int64 = 1<<63 - 1
)

// model has the names of a document by number.
type model struct {
	*document
	perm, standing, seat, setting, source, group, member map[string]int32
	memberNames                                          []string

	own   [][]int64 // of each standing, the level of each permission
	caps  [][]int64 // of each seat
	from  []world   // of each reading
	goal  []world
	steps map[string]*step

	groupsOf  []map[int32]bool // of each member, every group they are ever in
	sourcesOf []map[int32]bool // of each group, every source it ever has
}

func index(m map[string]int32, name, what string) (int32, error) {
	i, ok := m[name]
	if !ok {
		return 0, fmt.Errorf("there is no %s %.80q", what, name)
	}
	return i, nil
}

func numbered[T any](list []T, name func(T) string) map[string]int32 {
	m := map[string]int32{}
	for _, x := range list {
		if _, ok := m[name(x)]; !ok {
			m[name(x)] = int32(len(m))
		}
	}
	return m
}

// build checks that a document is whole, and numbers what it names.
func build(d *document) (*model, error) {
	m := &model{document: d,
		perm:     numbered(d.permissions, func(p permission) string { return p.Key }),
		standing: numbered(d.standings, func(s standing) string { return s.Name }),
		seat:     numbered(d.seats, func(s seat) string { return s.Name }),
		setting:  numbered(d.settings, func(s setting) string { return s.Key }),
		source:   numbered(d.sources, func(s sides[map[string]string]) string { return s.Name }),
		group:    numbered(d.groups, func(g sides[group]) string { return g.Name }),
		member:   numbered(d.members, func(s sides[member]) string { return s.Name }),
		steps:    map[string]*step{},
	}
	if len(m.perm) != len(d.permissions) || len(m.standing) != len(d.standings) || len(m.seat) != len(d.seats) || len(m.setting) != len(d.settings) {
		return nil, fmt.Errorf("something is there twice")
	}
	if len(d.organization) == 0 {
		return nil, fmt.Errorf("it has no records to prove anything from")
	}
	m.memberNames = make([]string, len(m.member))
	for name, i := range m.member {
		m.memberNames[i] = name
	}
	for _, s := range d.standings {
		levels, err := m.levels(s.Own, 0)
		if err != nil {
			return nil, err
		}
		m.own = append(m.own, levels)
	}
	for _, s := range d.seats {
		levels, err := m.levels(s.Cap, -1)
		if err != nil {
			return nil, err
		}
		m.caps = append(m.caps, levels)
	}
	for _, st := range d.stages {
		for _, s := range st.steps {
			if m.steps[s.ID] != nil {
				return nil, fmt.Errorf("there are two steps %.80q", s.ID)
			}
			m.steps[s.ID] = s
		}
	}
	return m, m.worlds()
}

// levels returns the level of every permission: the default (-1 for the top)
// where the map says nothing.
func (m *model) levels(named map[string]string, def int64) ([]int64, error) {
	list := make([]int64, len(m.permissions))
	for i, p := range m.permissions {
		list[i] = def
		if def < 0 {
			list[i] = int64(len(p.Levels) - 1)
		}
	}
	for key, level := range named {
		p, err := index(m.perm, key, "permission")
		if err != nil {
			return nil, err
		}
		if list[p], err = m.level(p, level); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (m *model) level(p int32, name string) (int64, error) {
	i := slices.Index(m.permissions[p].Levels, name)
	if i < 0 {
		return 0, fmt.Errorf("%s has no level %.80q", m.permissions[p].Key, name)
	}
	return int64(i), nil
}

// value reads the value of a setting.
func (m *model) value(setting int32, s string) (int64, error) {
	levels := m.settings[setting].Levels
	switch {
	case s == "":
		return unset, nil
	case levels != nil:
		if i := slices.Index(levels, s); i >= 0 {
			return int64(i), nil
		}
	case s == "unlimited":
		return unlimited, nil
	default:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 && n < unlimited {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%s has no value %.80q", m.settings[setting].Key, s)
}

// worlds writes the records as worlds, one for each reading and side.
func (m *model) worlds() error {
	readings := 0
	for _, o := range m.organization {
		if o.Reading != readings {
			return fmt.Errorf("reading %d stands where reading %d should", o.Reading, readings)
		}
		readings++
	}
	m.groupsOf = make([]map[int32]bool, len(m.member))
	m.sourcesOf = make([]map[int32]bool, len(m.group))
	for r := range readings {
		for _, after := range []bool{false, true} {
			w := world{}
			if err := m.fill(w, r, after); err != nil {
				return err
			}
			if after {
				m.goal = append(m.goal, w)
			} else {
				m.from = append(m.from, w)
			}
		}
	}
	return nil
}

// pick returns the record of a reading, which is that of the first one unless
// it has one of its own, by name.
func pick[T any](list []sides[T], reading int, after bool) map[string]T {
	out := map[string]T{}
	for _, s := range list {
		if s.Reading != 0 && s.Reading != reading {
			continue
		}
		out[s.Name] = s.Before
		if after {
			out[s.Name] = s.After
		}
	}
	return out
}

func (m *model) fill(w world, r int, after bool) error {
	org := pick(m.organization, r, after)[""]
	ceiling, err := m.levels(org.Ceiling, -1)
	if err != nil {
		return err
	}
	for p, l := range ceiling {
		w.put(variable{kind: "ceiling", per: int32(p)}, l)
	}
	for key, o := range org.Settings {
		s, err := index(m.setting, key, "setting")
		if err != nil {
			return err
		}
		for kind, text := range map[string]string{"default": o.Default, "fallback": o.Fallback, "setting_ceiling": o.Ceiling} {
			if err := m.set(w, variable{kind: kind, per: s}, text); err != nil {
				return err
			}
		}
		for name, text := range o.Seats {
			seat, err := index(m.seat, name, "seat")
			if err != nil {
				return err
			}
			if err := m.set(w, variable{kind: "seat_setting", who: seat, per: s}, text); err != nil {
				return err
			}
		}
		w.put(variable{kind: "precedence", per: s}, truth(o.Highest))
		w.put(variable{kind: "seat_compared", per: s}, truth(o.SeatCompared))
	}
	for name, grants := range pick(m.sources, r, after) {
		for key, level := range grants {
			p, err := index(m.perm, key, "permission")
			if err != nil {
				return err
			}
			if w[variable{kind: "grant", who: m.source[name], per: p}], err = m.level(p, level); err != nil {
				return err
			}
		}
	}
	for name, g := range pick(m.groups, r, after) {
		if err := m.fillGroup(w, m.group[name], g); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for name, s := range pick(m.members, r, after) {
		if err := m.fillMember(w, m.member[name], s); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (m *model) fillGroup(w world, g int32, rec group) error {
	for _, name := range rec.Sources {
		s, err := index(m.source, name, "source")
		if err != nil {
			return err
		}
		w.put(variable{kind: "attachment", who: g, in: s}, 1)
		note(m.sourcesOf, g, s)
	}
	for key, text := range rec.Settings {
		s, err := index(m.setting, key, "setting")
		if err != nil {
			return err
		}
		if err := m.set(w, variable{kind: "group_setting", who: g, per: s}, text); err != nil {
			return err
		}
	}
	for _, key := range rec.Speaks {
		p, err := index(m.perm, key, "permission")
		if err != nil {
			return err
		}
		w.put(variable{kind: "list_speaks", who: g, per: p}, 1)
		if level := rec.Allows[key]; level != "" {
			if w[variable{kind: "list_level", who: g, per: p}], err = m.level(p, level); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *model) fillMember(w world, who int32, rec member) error {
	st, err := index(m.standing, rec.Standing, "standing")
	if err != nil {
		return err
	}
	seat, err := index(m.seat, rec.Seat, "seat")
	if err != nil {
		return err
	}
	w.put(variable{kind: "standing", who: who}, int64(st))
	w.put(variable{kind: "seat", who: who}, int64(seat))
	for _, name := range rec.Groups {
		g, err := index(m.group, name, "group")
		if err != nil {
			return err
		}
		w.put(variable{kind: "membership", who: who, in: g}, 1)
		note(m.groupsOf, who, g)
	}
	for key, text := range rec.Settings {
		s, err := index(m.setting, key, "setting")
		if err != nil {
			return err
		}
		if err := m.set(w, variable{kind: "member_setting", who: who, per: s}, text); err != nil {
			return err
		}
	}
	return nil
}

func note(sets []map[int32]bool, i, x int32) {
	if sets[i] == nil {
		sets[i] = map[int32]bool{}
	}
	sets[i][x] = true
}

// set notes what a scope says of a setting.
func (m *model) set(w world, v variable, text string) error {
	n, err := m.value(v.per, text)
	if err == nil {
		w.put(v, n)
	}
	return err
}

// isSetting reports whether a variable holds a value of a setting.
func (v variable) isSetting() bool {
	switch v.kind {
	case "default", "fallback", "setting_ceiling", "seat_setting", "group_setting", "member_setting":
		return true
	}
	return false
}

// get returns the value of a variable.
func (w world) get(v variable) int64 {
	n, ok := w[v]
	if !ok && v.isSetting() {
		return unset
	}
	return n
}

// put sets a variable. What has the value that it would have if it were not
// there is not there, so that worlds can be compared.
func (w world) put(v variable, n int64) {
	if n == 0 && !v.isSetting() || n == unset && v.isSetting() {
		delete(w, v)
		return
	}
	w[v] = n
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// bound is a move whose names were looked up.
type bound struct {
	variable
	from, to int64
}

func (m *model) bind(v move) (b bound, err error) {
	b.kind = v.Kind
	fail := func(e error) { // the first one counts
		if err == nil && e != nil {
			err = e
		}
	}
	look := func(names map[string]int32, name, what string) int32 {
		i, e := index(names, name, what)
		fail(e)
		return i
	}
	read := func(text string) (n int64, e error) {
		switch v.Kind {
		case "standing":
			i, e := index(m.standing, text, "standing")
			return int64(i), e
		case "membership", "attachment", "list_speaks":
			return choice(text, "out", "in")
		case "precedence":
			return choice(text, "lowest", "highest")
		case "grant", "ceiling", "list_level":
			return m.level(b.per, text)
		}
		return m.value(b.per, text)
	}
	switch v.Kind {
	case "standing":
		b.who = look(m.member, v.Member, "member")
	case "membership":
		b.who, b.in = look(m.member, v.Member, "member"), look(m.group, v.Group, "group")
	case "attachment":
		b.who, b.in = look(m.group, v.Group, "group"), look(m.source, v.Source, "source")
	case "grant":
		b.who, b.per = look(m.source, v.Source, "source"), look(m.perm, v.Permission, "permission")
	case "ceiling":
		b.per = look(m.perm, v.Permission, "permission")
	case "list_speaks", "list_level":
		b.who, b.per = look(m.group, v.Group, "group"), look(m.perm, v.Permission, "permission")
	case "member_setting":
		b.who, b.per = look(m.member, v.Member, "member"), look(m.setting, v.Setting, "setting")
	case "group_setting":
		b.who, b.per = look(m.group, v.Group, "group"), look(m.setting, v.Setting, "setting")
	case "seat_setting":
		b.who, b.per = look(m.seat, v.Seat, "seat"), look(m.setting, v.Setting, "setting")
	case "default", "fallback", "setting_ceiling", "precedence":
		b.per = look(m.setting, v.Setting, "setting")
	default:
		return b, fmt.Errorf("a move of kind %.40q is not known", v.Kind)
	}
	if err != nil {
		return b, err
	}
	if b.from, err = read(v.From); err != nil {
		return b, err
	}
	b.to, err = read(v.To)
	return b, err
}

func choice(text, no, yes string) (int64, error) {
	switch text {
	case no:
		return 0, nil
	case yes:
		return 1, nil
	}
	return 0, fmt.Errorf("%.40q is neither %s nor %s", text, no, yes)
}
