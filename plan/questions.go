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

// A Holders is who has a permission, by level and by where it comes from; the
// highest level first, then the most people.
type Holders struct {
	Permission string      `json:"permission"`
	Covers     string      `json:"covers,omitempty"` // the star that answers, where nothing has the name
	Count      int         `json:"count"`            // of people who have any of it
	Of         int         `json:"of"`               // of all members
	Ways       []HolderWay `json:"ways"`
	Perhaps    []string    `json:"perhaps"` // who has it only if what could not be read is so
}

// A HolderWay is everybody who has a level in the same way.
type HolderWay struct {
	Level   string           `json:"level"`
	Via     []schema.Address `json:"via"`
	Text    string           `json:"text"`
	Members []string         `json:"members"`
}

// WhoCan returns who has what a key asks about.
func (p *Picture) WhoCan(t Topic) *Holders {
	h := &Holders{Permission: t.Key, Ways: []HolderWay{}, Perhaps: []string{}}
	if t.Star && p.Model.Universe.Key(t.Perms[0]) != t.Key {
		h.Covers = p.Model.Universe.Key(t.Perms[0])
	}
	views := p.Views()
	type classes struct{ least, most int32 }
	type answer struct {
		way     *HolderWay
		perhaps bool
	}
	known := map[classes]answer{}
	ways := map[string]*HolderWay{}
	for i, email := range p.Model.Members {
		m := int32(i)
		if p.absent(m) {
			continue
		}
		h.Of++
		k := classes{views[0].Of[m], views[len(views)-1].Of[m]}
		a, ok := known[k]
		if !ok {
			way, perhaps := p.way(m, t)
			if way != nil {
				key := way.Level + "\x00" + way.Text
				if ways[key] == nil {
					ways[key] = way
				}
				way = ways[key]
			}
			a = answer{way, perhaps}
			known[k] = a
		}
		switch {
		case a.way != nil:
			a.way.Members = append(a.way.Members, email)
			h.Count++
		case a.perhaps:
			h.Perhaps = append(h.Perhaps, email)
		}
	}
	rank := p.levelRank(t)
	for _, key := range slices.Sorted(maps.Keys(ways)) {
		h.Ways = append(h.Ways, *ways[key])
	}
	slices.SortStableFunc(h.Ways, func(a, b HolderWay) int {
		return cmp.Or(rank(b.Level)-rank(a.Level), len(b.Members)-len(a.Members), strings.Compare(a.Text, b.Text))
	})
	return h
}

// absent reports whether somebody is not in the organization.
func (p *Picture) absent(m int32) bool {
	return p.Model.Standings[p.Readings[0].Standing[m]].Absent
}

// levelRank returns how levels of a topic are ordered.
func (p *Picture) levelRank(t Topic) func(string) int {
	scale := (*access.Scale)(nil)
	if t.Setting >= 0 {
		scale = p.Model.Settings[t.Setting].Scale
	} else {
		scale = p.Model.Universe.Permission(t.Perms[0]).Scale
	}
	return func(level string) int {
		if scale == nil {
			l, err := access.ParseLimit(level)
			if err != nil {
				return -1
			}
			return int(min(int64(l), 1<<60))
		}
		return slices.Index(scale.Levels, level)
	}
}

// way returns how a member has anything of a topic, nil if not; perhaps says
// that it hangs on what could not be read.
func (p *Picture) way(m int32, t Topic) (way *HolderWay, perhaps bool) {
	e := p.Explain(m, t)
	if e.Answer != Yes {
		return nil, e.Answer == Unknown
	}
	w := &HolderWay{Level: e.Level, Via: []schema.Address{}}
	var texts []string
	for _, l := range e.Chain {
		if !l.Counts {
			continue
		}
		text := string(l.Address)
		if l.Address == "" {
			text = l.Text
		}
		if l.Group != "" && l.Group != l.Address {
			w.Via = append(w.Via, l.Group)
			text = string(l.Group) + ", which has " + text
		}
		if l.Address != "" {
			w.Via = append(w.Via, l.Address)
		}
		texts = append(texts, text)
	}
	if len(texts) > 0 {
		w.Text = severalWays(texts)
	}
	return w, false
}

// A Table is what each group gives, permission by permission: the matrix of
// groups by permissions. People whose access does not come from groups have a
// row for what they are in the organization.
type Table struct {
	Permissions []string   `json:"permissions"`
	Rows        []TableRow `json:"rows"`
}

// A TableRow is what one group gives, or what one member has; Levels runs
// along Table.Permissions.
type TableRow struct {
	Address schema.Address `json:"address"`
	Name    string         `json:"name"`
	Members int            `json:"members"`
	Levels  []string       `json:"levels"`
}

// A Selection narrows a table. Each list is empty for everything.
type Selection struct {
	Members, Groups, Permissions []string
}

// Table returns the matrix of groups by permissions; with members selected, a
// row for each of them instead, with what is in force for them.
func (p *Picture) Table(sel Selection) (*Table, error) {
	topics, err := p.columns(sel.Permissions)
	if err != nil {
		return nil, err
	}
	t := &Table{Permissions: []string{}, Rows: []TableRow{}}
	for _, c := range topics {
		t.Permissions = append(t.Permissions, c.Key)
	}
	if len(sel.Members) > 0 {
		for _, email := range sel.Members {
			m, err := p.Member(email)
			if err != nil {
				return nil, err
			}
			row := TableRow{Address: memberAddress(p.Model.Members[m]), Name: p.Model.Members[m], Members: 1}
			for _, c := range topics {
				row.Levels = append(row.Levels, p.Explain(m, c).Level)
			}
			t.Rows = append(t.Rows, row)
		}
		return t, nil
	}
	wanted := map[int32]bool{}
	for _, g := range sel.Groups {
		i, err := p.group(g)
		if err != nil {
			return nil, err
		}
		wanted[i] = true
	}
	counts, standings := p.counts()
	if len(wanted) == 0 {
		for i, st := range p.Model.Standings {
			if st.FromGroups || st.Absent || standings[i] == 0 {
				continue
			}
			own := st.Own.Clone()
			if !st.Uncapped {
				own.And(p.Readings[0].Ceiling)
			}
			t.Rows = append(t.Rows, p.row(schema.MakeAddress("organization_role", st.Name, ""), "everybody who is "+st.Name, standings[i], topics, own, -1))
		}
	}
	least, most := access.GroupAccess(p.Model, p.Readings[0]), access.GroupAccess(p.Model, p.Readings[len(p.Readings)-1])
	for i, addr := range p.Model.Groups {
		if len(wanted) > 0 && !wanted[int32(i)] || p.Objects.Objects[schema.Address(addr)] == nil && len(wanted) == 0 {
			continue
		}
		name := addr
		if o := p.Objects.Objects[schema.Address(addr)]; o != nil {
			name = cmp.Or(o.Key, addr)
		}
		row := p.row(schema.Address(addr), name, counts[i], topics, least[i], int32(i))
		for k, c := range topics {
			if c.Setting < 0 && p.best(c, least[i]) != p.best(c, most[i]) {
				row.Levels[k] = unknownLevel
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

// columns returns the permissions of a table: those selected, or all that have
// a name.
func (p *Picture) columns(keys []string) ([]Topic, error) {
	if len(keys) == 0 {
		keys = p.Keys()
	}
	var list []Topic
	for _, k := range keys {
		t, err := p.Topic(k)
		if err != nil {
			return nil, err
		}
		if !t.Whole {
			list = append(list, t)
			continue
		}
		for _, perm := range t.Perms { // all tools of a connector are a column each
			list = append(list, Topic{Key: p.Model.Universe.Key(perm), Subject: access.Subject{Perms: []access.Perm{perm}}, Setting: -1})
		}
	}
	return list, nil
}

// group returns the number of a group, by address or by name.
func (p *Picture) group(name string) (int32, error) {
	name = schema.Spelled(name, p.Model.Groups)
	if i := p.Model.Group(name); i >= 0 {
		return i, nil
	}
	var known []string
	for i, addr := range p.Model.Groups {
		o := p.Objects.Objects[schema.Address(addr)]
		if o != nil && o.Key == name || strings.TrimPrefix(addr, "group.") == name {
			return int32(i), nil
		}
		known = append(known, addr)
	}
	if n := schema.Nearest(name, known); n != "" {
		return -1, fmt.Errorf("there is no group %s; did you mean %s?", name, n)
	}
	return -1, fmt.Errorf("there is no group %s", name)
}

// counts returns how many people are in each group and of each standing.
func (p *Picture) counts() (groups, standings []int) {
	groups, standings = make([]int, len(p.Model.Groups)), make([]int, len(p.Model.Standings))
	s := p.Readings[0]
	for m, st := range s.Standing {
		if standings[st]++; p.absent(int32(m)) {
			continue
		}
		for _, g := range s.Memberships[m] {
			groups[g]++
		}
	}
	return groups, standings
}

func (p *Picture) best(t Topic, set access.Set) access.Level {
	best := access.Level(0)
	for _, perm := range t.Perms {
		best = max(best, p.Model.Universe.Get(set, perm))
	}
	return best
}

func (p *Picture) row(addr schema.Address, name string, members int, topics []Topic, set access.Set, group int32) TableRow {
	r := TableRow{Address: addr, Name: name, Members: members}
	for _, t := range topics {
		switch {
		case t.Setting < 0:
			r.Levels = append(r.Levels, p.Model.Universe.LevelName(t.Perms[0], p.best(t, set)))
		case group >= 0:
			r.Levels = append(r.Levels, p.Model.Settings[t.Setting].Text(p.Readings[0].Settings[t.Setting].Group[group]))
		default:
			r.Levels = append(r.Levels, "")
		}
	}
	return r
}

// A Spot is one person to look at after an apply, and what they should see.
type Spot struct {
	Member string           `json:"member"`
	Why    []string         `json:"why"`    // why this one
	Groups []schema.Address `json:"groups"` // theirs
	Sees   []string         `json:"sees"`   // what the product should show them, line by line
}

// perGroup is how many people of each group are looked at.
const perGroup = 3

// Spots returns the people worth looking at after an apply: up to three of each
// group, preferring those who stand for several, one who is in the most groups,
// one who is in none, and who joined last.
func (p *Picture) Spots() []Spot {
	s := p.Readings[0]
	picked := map[int32][]string{}
	var order []int32
	pick := func(m int32, why string) {
		if picked[m] == nil {
			order = append(order, m)
		}
		picked[m] = append(picked[m], why)
	}
	most, none, newest, when := int32(-1), int32(-1), int32(-1), ""
	for i, email := range p.Model.Members {
		m := int32(i)
		if p.absent(m) {
			continue
		}
		if n := len(s.Memberships[m]); n > 1 && (most < 0 || n > len(s.Memberships[most])) {
			most = m
		}
		if len(s.Memberships[m]) == 0 && none < 0 {
			none = m
		}
		if o := p.Objects.Objects[memberAddress(email)]; o != nil {
			if at := o.Get("added_at").AsText(); at > when {
				newest, when = m, at
			}
		}
	}
	if most >= 0 {
		pick(most, fmt.Sprintf("is in %d groups", len(s.Memberships[most])))
	}
	if none >= 0 {
		pick(none, "is in no group")
	}
	if newest >= 0 {
		pick(newest, "joined last")
	}
	people := make([][]int32, len(p.Model.Groups))
	for i := range p.Model.Members {
		if m := int32(i); !p.absent(m) {
			for _, g := range s.Memberships[m] {
				people[g] = append(people[g], m)
			}
		}
	}
	for g, members := range people {
		n := 0
		for _, m := range members { // who is looked at anyway counts
			if picked[m] != nil && n < perGroup {
				pick(m, "is in "+p.Model.Groups[g])
				n++
			}
		}
		for _, m := range members {
			if n == perGroup {
				break
			}
			if picked[m] == nil {
				pick(m, "is in "+p.Model.Groups[g])
				n++
			}
		}
	}
	list := []Spot{}
	for _, m := range order {
		spot := Spot{Member: p.Model.Members[m], Why: picked[m], Groups: []schema.Address{}, Sees: p.Sees(m)}
		for _, g := range s.Memberships[m] {
			spot.Groups = append(spot.Groups, schema.Address(p.Model.Groups[g]))
		}
		list = append(list, spot)
	}
	return list
}

// Sees says what the product should show a member: by kind of permission what
// they have and what not, and of what has levels the levels.
func (p *Picture) Sees(m int32) []string {
	u := p.Model.Universe
	have := map[string][]string{} // two levels: names by "kind" and "kind not"
	levels := map[string]map[string][]string{}
	var kinds, families []string
	for i := range u.Len() {
		perm := access.Perm(i)
		key := u.Key(perm)
		if strings.HasSuffix(key, "*") {
			if lastDot := strings.Count(key, "."); lastDot < 2 {
				continue
			}
			key = strings.TrimSuffix(key, "*") + "(any other)"
		}
		kind, name, _ := strings.Cut(key, ".")
		if strings.HasPrefix(name, "*") { // what may come one day is not to be looked at
			continue
		}
		a := access.Ask(p.Model, p.Readings, m, perm)
		level := u.LevelName(perm, a.Level)
		if a.Unknown() {
			level = unknownLevel
		}
		if len(u.Permission(perm).Scale.Levels) == 2 {
			k := kind
			switch {
			case a.Unknown():
				k += " unknown"
			case a.Level == 0:
				k += " not"
			}
			if !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
			have[k] = append(have[k], name)
			continue
		}
		family, rest := kind, name
		if f, r, ok := strings.Cut(name, "."); ok {
			family, rest = kind+" "+f, r
		}
		if levels[family] == nil {
			levels[family] = map[string][]string{}
			families = append(families, family)
		}
		levels[family][level] = append(levels[family][level], rest)
	}
	var list []string
	for _, k := range kinds {
		line := fmt.Sprintf("%s: %s", k, orNothing(have[k]))
		if not := have[k+" not"]; len(not) > 0 {
			line += "; not: " + strings.Join(not, ", ")
		}
		if unknown := have[k+" unknown"]; len(unknown) > 0 {
			line += "; unknown: " + strings.Join(unknown, ", ")
		}
		list = append(list, line)
	}
	for _, f := range families {
		by := levels[f]
		if len(by) == 1 {
			for level := range by {
				list = append(list, fmt.Sprintf("%s: %s", f, level))
			}
			continue
		}
		var parts []string
		for _, level := range slices.Sorted(maps.Keys(by)) {
			parts = append(parts, fmt.Sprintf("%s %s", strings.Join(by[level], ", "), level))
		}
		list = append(list, fmt.Sprintf("%s: %s", f, strings.Join(parts, "; ")))
	}
	for i, kind := range p.Model.Settings {
		v := access.AskSetting(p.Model, p.Readings, m, i)
		text := p.amount(kind, v.Value)
		if v.Unknown() {
			text = unknownLevel
		}
		list = append(list, fmt.Sprintf("%s: %s", kind.Key, text))
	}
	return list
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
