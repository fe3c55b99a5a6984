package plan

import (
	"cmp"
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// A Comparison says whether two configurations, or a snapshot and a
// configuration, give everybody the same access.
type Comparison struct {
	Equal       bool             `json:"equal"`
	Members     int              `json:"members"` // of the organization
	Differ      int              `json:"differ"`  // for how many of them something differs
	Differences []DifferentLevel `json:"differences"`
	Example     *Counterexample  `json:"example,omitempty"` // the smallest
}

// A DifferentLevel is one permission or setting of which people have one level
// in the old state and another in the new one.
type DifferentLevel struct {
	Permission string   `json:"permission"`
	Old        string   `json:"old"`
	New        string   `json:"new"`
	Members    []string `json:"members"`
}

// A Counterexample is one member and one permission, explained on both sides.
type Counterexample struct {
	Member     string       `json:"member"`
	Permission string       `json:"permission"`
	Old        *Explanation `json:"old"`
	New        *Explanation `json:"new"`
}

// Compare compares the access of everybody between two pictures, in the words
// of the second one's system.
func Compare(before, after *Picture) *Comparison {
	model, readings := after.in.System.Access(before.Objects, after.Objects)
	c := &Comparison{Differences: []DifferentLevel{}}
	x := &Picture{Model: model, Readings: readings[0]}
	y := &Picture{Model: model, Readings: readings[1]}
	type pair [4]int32
	members := map[pair][]int32{}
	last := len(x.Readings) - 1
	for i := range model.Members {
		m := int32(i)
		if x.absent(m) && y.absent(m) {
			continue
		}
		c.Members++
		k := pair{x.Views()[0].Of[m], x.Views()[last].Of[m], y.Views()[0].Of[m], y.Views()[last].Of[m]}
		members[k] = append(members[k], m)
	}
	type change struct{ key, old, new string }
	lists := map[change][]string{}
	differ := map[int32]bool{}
	add := func(ch change, people []int32) {
		for _, m := range people {
			differ[m] = true
			lists[ch] = append(lists[ch], model.Members[m])
		}
	}
	u := model.Universe
	for k, people := range members {
		a0, a1 := x.Views()[0].Classes[k[0]], x.Views()[last].Classes[k[1]]
		b0, b1 := y.Views()[0].Classes[k[2]], y.Views()[last].Classes[k[3]]
		diff := u.NewSet()
		for i := range diff {
			diff[i] = (a0.Access[i] ^ b0.Access[i]) | (a1.Access[i] ^ b1.Access[i])
		}
		for _, perm := range u.Perms(diff) {
			old, now := levels{u.Get(a0.Access, perm), u.Get(a1.Access, perm)}, levels{u.Get(b0.Access, perm), u.Get(b1.Access, perm)}
			add(change{u.Key(perm), old.name(u, perm), now.name(u, perm)}, people)
		}
		for i, kind := range model.Settings {
			if a0.Settings[i] != b0.Settings[i] || a1.Settings[i] != b1.Settings[i] {
				add(change{kind.Key, settingText(kind, a0.Settings[i], a1.Settings[i]), settingText(kind, b0.Settings[i], b1.Settings[i])}, people)
			}
		}
	}
	for ch, people := range lists {
		slices.Sort(people)
		c.Differences = append(c.Differences, DifferentLevel{ch.key, ch.old, ch.new, people})
	}
	slices.SortFunc(c.Differences, func(a, b DifferentLevel) int {
		return cmp.Or(cmp.Compare(a.Permission, b.Permission), cmp.Compare(a.Old, b.Old), cmp.Compare(a.New, b.New))
	})
	c.Differ, c.Equal = len(differ), len(differ) == 0
	if !c.Equal {
		c.Example = example(before, after, c.Differences)
	}
	return c
}

func settingText(kind access.SettingKind, least, most access.Limit) string {
	switch {
	case least != most:
		return unknownLevel
	case least == access.Unset:
		return "none"
	}
	return kind.Text(least)
}

// example explains the difference that concerns the fewest people, for the
// first of them.
func example(before, after *Picture, list []DifferentLevel) *Counterexample {
	smallest := slices.MinFunc(list, func(a, b DifferentLevel) int { return len(a.Members) - len(b.Members) })
	e := &Counterexample{Member: smallest.Members[0], Permission: smallest.Permission}
	e.Old, e.New = explained(before, e.Member, e.Permission), explained(after, e.Member, e.Permission)
	return e
}

// explained explains what somebody has in a picture who, or whose permission,
// may not be in it.
func explained(p *Picture, email, key string) *Explanation {
	e := &Explanation{Member: email, Permission: key, Answer: No, Chain: []Link{}, Cut: []Link{}, Flip: []Fix{}}
	m := p.Model.Member(email)
	if m < 0 {
		e.Text = "No, " + email + " is not a member of the organization"
		return e
	}
	t, err := p.Topic(key)
	if err != nil {
		e.Text = "No, nothing is called " + key
		return e
	}
	return p.Explain(m, t)
}

// Against returns the pictures of two configurations over one organization.
func Against(before, after Input) (old, new *Picture) {
	_, old = Pictures(before)
	_, new = Pictures(after)
	return old, new
}

// LivePicture returns the picture of a live state by itself, in the words of a
// configuration.
func LivePicture(in Input) *Picture {
	live, _ := Pictures(in)
	return live
}

// ListedBy returns everybody whom two descriptions list, sorted.
func ListedBy(a, b *schema.Description) []string {
	list := append(Listed(a), Listed(b)...)
	slices.Sort(list)
	return slices.Compact(list)
}
