package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// An Explanation is the answer to "can this member do that, and why". Its JSON
// form is documented in README.md.
type Explanation struct {
	Member     string `json:"member"`
	Permission string `json:"permission"`
	Answer     string `json:"answer"`           // yes, no, unknown
	Level      string `json:"level"`            // of the scale, or an amount in minor units; "unknown"
	Covers     string `json:"covers,omitempty"` // the star that answers, where nothing has the name
	Text       string `json:"text"`             // the answer in one line
	Cause      string `json:"cause,omitempty"`  // why it is not more
	Chain      []Link `json:"chain"`            // where it comes from, best first; also what counts and grants nothing
	Cut        []Link `json:"cut"`              // what holds it back
	Flip       []Fix  `json:"flip"`             // the edits that together turn the answer around; empty if none is known
	Note       string `json:"note,omitempty"`   // what else is worth knowing
}

// A Link is one step of a chain.
type Link struct {
	Group   schema.Address `json:"group,omitempty"`
	Address schema.Address `json:"address"`         // what grants, or holds back
	Level   string         `json:"level"`           // the level that it grants, or holds at
	Range   *Range         `json:"range,omitempty"` // where the configuration says so
	Text    string         `json:"text"`            // in words
	Counts  bool           `json:"counts"`          // whether it decides
}

// A Fix is an edit of the configuration.
type Fix struct {
	Address schema.Address `json:"address,omitempty"`
	Range   *Range         `json:"range,omitempty"`
	Text    string         `json:"text"`
	Edit    schema.Edit    `json:"-"`
}

// The answers.
const (
	Yes     = "yes"
	No      = "no"
	Unknown = unknownLevel
)

// Explain says what a member has of what a key asks about, and why.
func (p *Picture) Explain(member int32, t Topic) *Explanation {
	e := &Explanation{Member: p.Model.Members[member], Permission: t.Key, Chain: []Link{}, Cut: []Link{}, Flip: []Fix{}}
	if t.Setting >= 0 {
		p.explainSetting(e, member, t.Setting)
	} else {
		p.explainPermission(e, member, t)
	}
	if a, ok := p.waves[memberAddress(e.Member)]; ok && p.Desired && a.Held != "" {
		e.Note = joinNotes(e.Note, fmt.Sprintf("not yet: %s %s", e.Member, a.Held))
	}
	return e
}

func joinNotes(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// permission picks the permission of a topic that is worth explaining: the
// one of which the member has most.
func (p *Picture) permission(member int32, t Topic) (access.Perm, access.Answer) {
	best, answer := t.Perms[0], access.Answer{}
	for i, perm := range t.Perms {
		a := access.Ask(p.Model, p.Readings, member, perm)
		if i == 0 || a.Level > answer.Level || a.Level == answer.Level && a.Most > answer.Most {
			best, answer = perm, a
		}
	}
	return best, answer
}

func (p *Picture) explainPermission(e *Explanation, member int32, t Topic) {
	perm, a := p.permission(member, t)
	u := p.Model.Universe
	if t.Star && u.Key(perm) != t.Key {
		e.Covers = u.Key(perm)
		e.Note = fmt.Sprintf("nothing here is called %s; this is what holds for whatever %s covers", t.Key, e.Covers)
	}
	if t.Whole {
		e.Note = p.summary(member, t)
	}
	e.Answer, e.Level = Yes, u.LevelName(perm, a.Level)
	switch {
	case a.Level == 0 && a.Most > 0:
		e.Answer, e.Level = Unknown, unknownLevel
	case a.Level == 0:
		e.Answer = No
	case a.Unknown():
		e.Note = joinNotes(e.Note, fmt.Sprintf("perhaps %s: it hangs on what could not be read", u.LevelName(perm, a.Most)))
	}
	e.Cause = string(a.Cause)
	p.chain(e, member, perm, a)
	p.cut(e, perm, a)
	if e.Answer != Unknown {
		p.flip(e, member, perm)
	} else {
		for _, r := range p.Objects.Unread {
			e.Flip = append(e.Flip, Fix{Text: fmt.Sprintf("let %s be read (%s)", r.What, r.Why)})
		}
	}
	e.Text = p.sentence(e, member, perm, a)
}

// summary counts the levels that a member has of several permissions.
func (p *Picture) summary(member int32, t Topic) string {
	u := p.Model.Universe
	levels := map[string]int{}
	var order []string
	for _, perm := range t.Perms {
		a := access.Ask(p.Model, p.Readings, member, perm)
		name := u.LevelName(perm, a.Level)
		if a.Unknown() {
			name = unknownLevel
		}
		if levels[name]++; levels[name] == 1 {
			order = append(order, name)
		}
	}
	var parts []string
	for _, n := range order {
		parts = append(parts, fmt.Sprintf("%d %s", levels[n], n))
	}
	return fmt.Sprintf("%s speaks of %d permissions: %s", t.Key, len(t.Perms), strings.Join(parts, ", "))
}

// chain writes the ways, a role that comes through several groups once for
// each of them, and of the parts of a role the one that grants most.
func (p *Picture) chain(e *Explanation, member int32, perm access.Perm, a access.Answer) {
	u := p.Model.Universe
	type key struct {
		group  int32
		source schema.Address
	}
	seen := map[key]bool{}
	for _, w := range a.Ways {
		l := Link{Level: u.LevelName(perm, w.Level), Counts: w.Level == a.Best && w.Level > 0}
		if w.Source < 0 {
			standing := p.Model.Standings[p.Readings[0].Standing[member]].Name
			l.Address = schema.MakeAddress("organization_role", standing, "")
			l.Text = fmt.Sprintf("organization role %s: %s", standing, l.Level)
			e.Chain = append(e.Chain, l)
			continue
		}
		k := key{w.Group, p.source(w.Source)}
		if seen[k] {
			continue
		}
		seen[k] = true
		l.Group, l.Address = schema.Address(p.Model.Groups[w.Group]), k.source
		l.Range = place(p.says(w.Source, perm, w.Level))
		says := l.Level
		if w.Level == 0 {
			says = "does not grant it"
		}
		from := ""
		if k.source != l.Group {
			from = p.named(l.Group) + " → "
		}
		l.Text = from + p.quoted(k.source, l.Range) + ": " + says
		e.Chain = append(e.Chain, l)
	}
}

// quoted writes an address with the place that is meant.
func (p *Picture) quoted(addr schema.Address, r *Range) string {
	if r == nil {
		return p.named(addr)
	}
	return fmt.Sprintf("%s (%s:%d)", addr, r.Filename, r.Start.Line)
}

// says returns where a source says what it says of a permission.
func (p *Picture) says(source int32, perm access.Perm, l access.Level) hcl.Range {
	u := p.Model.Universe
	if l > 0 {
		v := access.Move{Kind: access.MoveGrant, Source: p.Model.Sources[source], Permission: u.Key(perm), From: u.LevelName(perm, l), To: u.LevelName(perm, 0)}
		if e, ok := p.edit(v); ok && e.Range.Filename != "" {
			return e.Range
		}
	}
	return p.at(p.source(source))
}

// cut writes what holds a permission back, as far as it does.
func (p *Picture) cut(e *Explanation, perm access.Perm, a access.Answer) {
	u := p.Model.Universe
	for _, c := range a.Caps {
		if c.Level >= a.Best && a.Best > 0 {
			continue
		}
		l := Link{Level: u.LevelName(perm, c.Level), Counts: c.Level < a.Best}
		switch c.By {
		case access.BySeat:
			l.Address = "seat"
			l.Text = "the seat holds it at " + l.Level
		case access.ByList:
			l.Address = schema.Address(p.Model.Groups[c.Group])
			l.Text = fmt.Sprintf("the list of %s holds it at %s", p.named(l.Address), l.Level)
		default:
			l.Address = "organization"
			v := access.Move{Kind: access.MoveCeiling, Permission: u.Key(perm), From: l.Level, To: u.LevelName(perm, 1)}
			what := "the organization's own setting"
			if ed, ok := p.edit(v); ok {
				l.Address, l.Range = ed.Address, place(ed.Range)
				what = p.quoted(l.Address, l.Range)
			}
			l.Text = fmt.Sprintf("%s holds it at %s for everybody", what, l.Level)
			if c.Level == 0 && l.Address.Type() == "feature" {
				l.Text = what + " is switched off for everybody"
			}
		}
		e.Cut = append(e.Cut, l)
	}
}

// flip looks for the smallest turn that edits of the configuration make.
func (p *Picture) flip(e *Explanation, member int32, perm access.Perm) {
	for _, f := range access.Flips(p.least(), member, perm) {
		var fixes []Fix
		for _, v := range f.Moves {
			ed, ok := p.edit(v)
			if !ok {
				break
			}
			fixes = append(fixes, Fix{Address: ed.Address, Range: place(ed.Range), Text: ed.String(), Edit: ed})
		}
		if len(fixes) == len(f.Moves) && len(fixes) > 0 {
			e.Flip = fixes
			return
		}
	}
}

// sentence answers as a colleague would.
func (p *Picture) sentence(e *Explanation, member int32, perm access.Perm, a access.Answer) string {
	s := p.Readings[0]
	standing := p.Model.Standings[s.Standing[member]]
	what := e.Permission
	var through []string
	for _, l := range e.Chain {
		if l.Counts && l.Group != "" {
			t := fmt.Sprintf("%s, which has %s", l.Group, l.Address)
			if l.Group == l.Address {
				t = string(l.Group)
			}
			through = append(through, t)
		}
	}
	switch e.Answer {
	case Unknown:
		return fmt.Sprintf("Unknown: whether %s has %s hangs on something that could not be read", e.Member, what)
	case Yes:
		level := ""
		if len(p.Model.Universe.Permission(perm).Scale.Levels) > 2 {
			level = " at " + e.Level
		}
		text := fmt.Sprintf("Yes, %s has %s%s", e.Member, what, level)
		if len(through) == 0 {
			text += fmt.Sprintf(": it comes with the organization role %s", standing.Name)
		} else {
			text += " through " + severalWays(through)
		}
		if len(e.Cut) > 0 && e.Cut[0].Counts {
			text += fmt.Sprintf("; %s there, but %s", p.Model.Universe.LevelName(perm, a.Best), e.Cut[0].Text)
		}
		return text
	}
	text := fmt.Sprintf("No, %s does not have %s: ", e.Member, what)
	switch a.Cause {
	case access.Outside:
		return text + "they are not a member of the organization"
	case access.NoGroup:
		return text + "access comes from groups for them, and they are in none"
	case access.NoSource:
		return text + fmt.Sprintf("they are in %s, and nothing is attached to %s", p.groupsOf(member), pronoun(len(s.Memberships[member])))
	case access.ByOrg, access.BySeat, access.ByList:
		granted := "their organization role would give it"
		if len(through) > 0 {
			granted = "they would have it through " + severalWays(through)
		}
		return text + granted + ", but " + e.Cut[0].Text
	}
	if !standing.FromGroups {
		return text + fmt.Sprintf("the organization role %s does not give it, and groups do not count for them", standing.Name)
	}
	var roles []string
	for _, l := range e.Chain {
		if !slices.Contains(roles, string(l.Address)) {
			roles = append(roles, string(l.Address))
		}
	}
	text += notGranted(roles)
	if len(e.Cut) > 0 {
		text += "; besides, " + e.Cut[0].Text
	}
	return text
}

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "any of them"
}

func notGranted(roles []string) string {
	switch len(roles) {
	case 1:
		return fmt.Sprintf("all they have is %s, and it does not grant it", roles[0])
	case 2:
		return fmt.Sprintf("they have %s and %s, and neither grants it", roles[0], roles[1])
	}
	return fmt.Sprintf("none of what they have grants it (%s)", strings.Join(roles, ", "))
}

func severalWays(ways []string) string {
	switch len(ways) {
	case 1:
		return ways[0]
	case 2:
		return ways[0] + ", and " + ways[1]
	}
	return fmt.Sprintf("%s, and in %d more ways", ways[0], len(ways)-1)
}

// groupsOf names the groups of a member.
func (p *Picture) groupsOf(member int32) string {
	var names []string
	for _, g := range p.Readings[0].Memberships[member] {
		names = append(names, p.Model.Groups[g])
	}
	if len(names) > 4 {
		names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
	}
	return strings.Join(names, ", ")
}

// explainSetting says which scope decides a setting of a member.
func (p *Picture) explainSetting(e *Explanation, member int32, i int) {
	kind := p.Model.Settings[i]
	v := access.AskSetting(p.Model, p.Readings, member, i)
	e.Level, e.Answer = kind.Text(v.Value), Yes
	switch {
	case v.Unknown():
		e.Answer, e.Level = Unknown, unknownLevel
	case v.Value == access.Unset:
		e.Answer, e.Level, e.Cause = No, "", string(access.Outside)
	case v.Value == 0:
		e.Answer = No
	}
	winner := ""
	for _, w := range v.Voices {
		l := Link{Level: kind.Text(w.Value), Counts: w.Wins}
		l.Address, l.Text = p.voice(e.Member, member, w)
		if r := p.at(l.Address); r.Filename != "" {
			l.Range = place(r)
		}
		if w.Wins && winner == "" {
			winner = l.Text
		}
		l.Text = p.quotedText(l) + ": " + p.amount(kind, w.Value)
		e.Chain = append(e.Chain, l)
	}
	if v.Ceiling != access.Unset {
		e.Cut = append(e.Cut, Link{Address: "organization", Level: kind.Text(v.Ceiling), Counts: v.Capped, Range: place(p.at("organization")),
			Text: "the ceiling of the whole organization is " + p.amount(kind, v.Ceiling)})
	}
	switch {
	case e.Answer == Unknown:
		e.Text = fmt.Sprintf("Unknown: what %s has of %s hangs on something that could not be read", e.Member, kind.Key)
	case v.Value == access.Unset:
		e.Text = fmt.Sprintf("No, %s is not a member of the organization", e.Member)
	default:
		e.Text = fmt.Sprintf("%s has %s: %s decides", e.Member, p.amountOf(kind, v.Value), winner)
		if v.Capped {
			e.Text = fmt.Sprintf("%s has %s: %s says %s, but the ceiling of the whole organization is lower", e.Member, p.amountOf(kind, v.Value), winner, e.Chain[0].Level)
		}
	}
}

func (p *Picture) quotedText(l Link) string {
	if l.Range == nil {
		return l.Text
	}
	return fmt.Sprintf("%s (%s:%d)", l.Text, l.Range.Filename, l.Range.Start.Line)
}

// voice returns what a scope is called.
func (p *Picture) voice(email string, member int32, w access.Voice) (schema.Address, string) {
	switch w.Scope {
	case access.OfMember:
		return memberAddress(email), "their own setting"
	case access.OfGroup:
		return schema.Address(p.Model.Groups[w.Group]), p.Model.Groups[w.Group]
	case access.OfSeat:
		name := p.Model.Seats[p.Readings[0].Seat[member]].Name
		return schema.MakeAddress("seat_tier", name, ""), "the seat " + name
	case access.OfDefault:
		return "organization", "the default of the organization"
	case access.Fallback:
		return "", "the default of where it comes from"
	}
	return "", "nobody says anything, and what holds then"
}

// amount writes a value: money in major units, or a level.
func (p *Picture) amount(kind access.SettingKind, l access.Limit) string {
	if kind.Scale != nil || l == access.Unlimited || l == access.Unset {
		return kind.Text(l)
	}
	return schema.Major(kind.Text(l))
}

func (p *Picture) amountOf(kind access.SettingKind, l access.Limit) string {
	what := strings.TrimPrefix(kind.Key, "spend.")
	switch {
	case kind.Scale != nil:
		return fmt.Sprintf("%s as %s", kind.Key, kind.Text(l))
	case l == access.Unlimited:
		return fmt.Sprintf("no %s spend limit", what)
	}
	return fmt.Sprintf("a %s spend limit of %s", what, p.amount(kind, l))
}
