package access

import (
	"cmp"
	"math/bits"
	"slices"
)

// A Difference is how access differs between two views of one model.
type Difference struct {
	Grants   []Delta        // sorted by permission, then by level before and after
	Settings []SettingDelta // sorted by setting, then by value before and after

	pairOf []int32 // of each member, the pair of classes
	pairs  []pair
}

// A pair is members who share a class before and a class after.
type pair struct {
	before, after int32
	count         int
}

// A Delta is one difference of a permission, and everybody whom it concerns.
type Delta struct {
	Perm     Perm
	From, To Level
	Count    int // of members

	of    *Difference
	pairs []int32
}

// A SettingDelta is one difference of a setting, and everybody whom it
// concerns.
type SettingDelta struct {
	Setting  int   // in Model.Settings
	From, To Limit // Unset for somebody who is not in the organization
	Count    int   // of members

	of    *Difference
	pairs []int32
}

// Members returns the members whom the difference concerns, sorted.
func (d *Delta) Members() []int32 { return d.of.members(d.pairs, d.Count) }

// Members returns the members whom the difference concerns, sorted.
func (d *SettingDelta) Members() []int32 { return d.of.members(d.pairs, d.Count) }

func (d *Difference) members(pairs []int32, count int) []int32 {
	in := make([]bool, len(d.pairs))
	for _, p := range pairs {
		in[p] = true
	}
	list := make([]int32, 0, count)
	for i, p := range d.pairOf {
		if in[p] {
			list = append(list, int32(i))
		}
	}
	return list
}

// Diff returns how access differs from v to w, which must share their model.
func Diff(v, w *View) *Difference {
	d := &Difference{pairOf: make([]int32, len(v.Of))}
	index := map[[2]int32]int32{}
	last, at := [2]int32{-1, -1}, int32(0)
	for i, a := range v.Of {
		if k := [2]int32{a, w.Of[i]}; k != last {
			p, ok := index[k]
			if !ok {
				p = int32(len(d.pairs))
				index[k] = p
				d.pairs = append(d.pairs, pair{before: k[0], after: k[1]})
			}
			last, at = k, p
		}
		d.pairs[at].count++
		d.pairOf[i] = at
	}
	u := v.Model.Universe
	var parts [maxParts][]Delta
	n := spread(u.words, 8, func(part, lo, hi int) {
		for word := lo; word < hi; word++ { // a permission is in one word, so words are independent
			parts[part] = d.word(parts[part], v, w, word)
		}
	})
	for _, list := range parts[:n] {
		d.Grants = append(d.Grants, list...)
	}
	d.settings(v, w)
	return d
}

// word appends the differences of the permissions that are in one word of the
// sets, sorted.
func (d *Difference) word(list []Delta, v, w *View, word int) []Delta {
	u := v.Model.Universe
	byPerm := make([][]Delta, 0, 64)
	first := Perm(-1)
	for p := range d.pairs {
		a, b := v.Classes[d.pairs[p].before].Access, w.Classes[d.pairs[p].after].Access
		for differ := a[word] ^ b[word]; differ != 0; {
			perm := u.owner[word*64+bits.TrailingZeros64(differ)]
			differ &^= u.mask(perm)
			if first < 0 {
				first = u.owner[word*64]
			}
			for int(perm-first) >= len(byPerm) {
				byPerm = append(byPerm, nil)
			}
			from, to := u.Get(a, perm), u.Get(b, perm)
			d.addGrant(&byPerm[perm-first], Delta{Perm: perm, From: from, To: to}, int32(p))
		}
	}
	for _, deltas := range byPerm {
		slices.SortFunc(deltas, func(x, y Delta) int { return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To)) })
		list = append(list, deltas...)
	}
	return list
}

func (d *Difference) addGrant(list *[]Delta, x Delta, p int32) {
	for i := range *list {
		if e := &(*list)[i]; e.From == x.From && e.To == x.To {
			e.pairs, e.Count = append(e.pairs, p), e.Count+d.pairs[p].count
			return
		}
	}
	x.of, x.pairs, x.Count = d, []int32{p}, d.pairs[p].count
	*list = append(*list, x)
}

func (d *Difference) settings(v, w *View) {
	type change struct {
		setting  int
		from, to Limit
	}
	index := map[change]int{}
	for p := range d.pairs {
		a, b := v.Classes[d.pairs[p].before].Settings, w.Classes[d.pairs[p].after].Settings
		for i := range a {
			if a[i] == b[i] {
				continue
			}
			k := change{i, a[i], b[i]}
			at, ok := index[k]
			if !ok {
				at = len(d.Settings)
				index[k] = at
				d.Settings = append(d.Settings, SettingDelta{Setting: i, From: a[i], To: b[i], of: d})
			}
			e := &d.Settings[at]
			e.pairs, e.Count = append(e.pairs, int32(p)), e.Count+d.pairs[p].count
		}
	}
	slices.SortFunc(d.Settings, func(x, y SettingDelta) int {
		return cmp.Or(cmp.Compare(x.Setting, y.Setting), cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To))
	})
}
