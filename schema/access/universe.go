package access

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// A Scale is the chain of levels of one kind of permission, lowest first.
// Levels[0] is what one has with nothing granted.
type Scale struct {
	Name   string
	Levels []string
}

// Level returns the level called name, and false if s has none.
func (s *Scale) Level(name string) (Level, bool) {
	i := slices.Index(s.Levels, name)
	return Level(max(i, 0)), i >= 0
}

// Top returns the highest level of s.
func (s *Scale) Top() Level { return Level(len(s.Levels) - 1) }

// A Level is a position in a scale; 0 is nothing.
type Level uint8

// A Permission is something a member can have a level of, such as
// `capability.cowork` or `connector.jira.delete_issue`.
type Permission struct {
	Key   string
	Scale *Scale
}

// A Perm is a permission by its number in a Universe.
type Perm int32

// A Universe is all permissions there is a question about, sorted by key.
type Universe struct {
	perms []Permission
	index map[string]Perm
	first []uint32 // number of the first bit of each permission
	owner []Perm   // permission of each bit
	words int
}

// NewUniverse returns a universe of the given permissions. A key that comes
// twice counts once; it must come with the same scale.
func NewUniverse(perms []Permission) *Universe {
	perms = slices.Clone(perms)
	slices.SortFunc(perms, func(a, b Permission) int { return cmp.Compare(a.Key, b.Key) })
	perms = slices.CompactFunc(perms, func(a, b Permission) bool {
		if a.Key == b.Key && a.Scale != b.Scale {
			panic(fmt.Sprintf("access: permission %s with two scales", a.Key))
		}
		return a.Key == b.Key
	})
	u := &Universe{perms: perms, index: make(map[string]Perm, len(perms)), first: make([]uint32, len(perms))}
	bit := uint32(0)
	for i, p := range perms {
		width := uint32(p.Scale.Top())
		if width < 1 || width > 63 {
			panic(fmt.Sprintf("access: scale %s has %d levels", p.Scale.Name, len(p.Scale.Levels)))
		}
		if bit%64+width > 64 { // a permission never straddles two words
			bit = (bit + 63) / 64 * 64
		}
		u.first[i] = bit
		u.index[p.Key] = Perm(i)
		for len(u.owner) < int(bit+width) {
			u.owner = append(u.owner, Perm(i))
		}
		bit += width
	}
	u.words = int(bit+63) / 64
	return u
}

// Len returns the number of permissions.
func (u *Universe) Len() int { return len(u.perms) }

// Permission returns the permission numbered p.
func (u *Universe) Permission(p Perm) Permission { return u.perms[p] }

// Key returns the key of the permission numbered p.
func (u *Universe) Key(p Perm) string { return u.perms[p].Key }

// Find returns the number of the permission called key, and false if nothing
// names it; ask then for the star that covers it.
func (u *Universe) Find(key string) (Perm, bool) {
	p, ok := u.index[key]
	return p, ok
}

// LevelName returns the name of level l of the permission p.
func (u *Universe) LevelName(p Perm, l Level) string { return u.perms[p].Scale.Levels[l] }

// NewSet returns a set in which every permission is at level 0.
func (u *Universe) NewSet() Set { return make(Set, u.words) }

// Full returns a set in which every permission is at its top level.
func (u *Universe) Full() Set {
	s := u.NewSet()
	for p := range u.perms {
		u.Put(s, Perm(p), u.perms[p].Scale.Top())
	}
	return s
}

// Get returns the level of p in s.
func (u *Universe) Get(s Set, p Perm) Level {
	return Level(bits.OnesCount64(s[u.first[p]/64] & u.mask(p)))
}

// Put sets the level of p in s.
func (u *Universe) Put(s Set, p Perm, l Level) {
	w, at := u.first[p]/64, u.first[p]%64
	s[w] = s[w]&^u.mask(p) | (uint64(1)<<l-1)<<at
}

func (u *Universe) mask(p Perm) uint64 {
	return (uint64(1)<<u.perms[p].Scale.Top() - 1) << (u.first[p] % 64)
}

// Bit returns which permission the bit numbered i belongs to, and which level
// it stands for.
func (u *Universe) Bit(i int) (Perm, Level) {
	p := u.owner[i]
	return p, Level(uint32(i) - u.first[p] + 1)
}

// Above returns the bits of the levels of p above l, and the word they are in.
func (u *Universe) Above(p Perm, l Level) (word int, bits uint64) {
	return int(u.first[p] / 64), u.mask(p) &^ ((uint64(1)<<l - 1) << (u.first[p] % 64))
}

// Perms returns the permissions of which s has any bit, in order.
func (u *Universe) Perms(s Set) []Perm {
	var list []Perm
	for w, word := range s {
		for word != 0 {
			p := u.owner[w*64+bits.TrailingZeros64(word)]
			list = append(list, p)
			word &^= u.mask(p)
		}
	}
	return list
}

// A Set has a level for every permission of a Universe, one bit for each
// level reached. Sets of different universes must not be mixed.
type Set []uint64

// Clone returns a copy of s.
func (s Set) Clone() Set { return slices.Clone(s) }

// Equal reports whether s and t hold the same levels.
func (s Set) Equal(t Set) bool { return slices.Equal(s, t) }

// Empty reports whether every permission is at level 0.
func (s Set) Empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

// Or raises every permission of s to its level in t, if that is higher.
func (s Set) Or(t Set) {
	for i, w := range t {
		s[i] |= w
	}
}

// And lowers every permission of s to its level in t, if that is lower.
func (s Set) And(t Set) {
	for i, w := range t {
		s[i] &= w
	}
}

// Within reports whether no permission of s is above its level in t.
func (s Set) Within(t Set) bool {
	for i, w := range s {
		if w&^t[i] != 0 {
			return false
		}
	}
	return true
}
