package schema

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Words say which attributes hold words of the vendor or of the language, and
// nothing of an organization's own.
type Words struct {
	Attrs  []string // the whole value
	Values []string // of maps: the values, and not the keys
	ByID   []string // what the names of attributes start with that end in an id; their values are words
}

// Pseudonymise returns a copy of a snapshot in which no name, address or id is
// a real one. The same thing has the same pseudonym wherever it stands in the
// file, addresses of one domain stay in one domain, and levels, amounts,
// capabilities and the words of the language stay as they are, so that access
// is what it was. Pseudonyms are drawn anew each time and from nothing: nobody
// can turn them back, and two files cannot be brought together. What no word
// vouches for is replaced.
func (s *Snapshot) Pseudonymise(words Words) (*Snapshot, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("pseudonyms: %w", err)
	}
	p := &pseudonyms{key: key, words: words, real: map[string]string{}, count: map[string]int{}, kinds: map[string]bool{}, prefixes: map[string][]string{}, addr: map[Address]Address{}}
	for _, o := range s.State.Objects {
		p.learn(o)
	}
	p.number()
	out := &Snapshot{System: s.System, TakenAt: s.TakenAt, Version: s.Version, Pseudonymised: true, State: NewState()}
	out.ID, out.Name = p.id(s.ID), p.text(s.Name)
	addrs := slices.Sorted(maps.Keys(s.State.Objects))
	used := map[Address]bool{}
	for _, addr := range addrs {
		to := p.address(s.State.Objects[addr])
		if id := s.State.Objects[addr].ID; used[to] && id != "" { // a name of two: the second is known by its id
			to = MakeAddress(addr.Type(), p.id(id), "")
		}
		if used[to] {
			to = MakeAddress(addr.Type(), p.hash(string(addr))[:22], "")
		}
		p.addr[addr], used[to] = to, true
	}
	for _, addr := range addrs {
		out.State.Add(p.object(s.State.Objects[addr]))
	}
	for _, u := range s.State.Unread { // texts of errors, in which anything may stand
		out.State.Unread = append(out.State.Unread, Unread{What: "something that could not be read", Why: "left out of a pseudonymised snapshot",
			Affects: "what hangs on it", Asked: u.Asked, Unverified: u.Unverified})
	}
	return out, nil
}

// pseudonyms are the pseudonyms of one file.
type pseudonyms struct {
	key   []byte
	words Words
	kinds map[string]bool // what ids start with: a word that all of a type have

	prefixes map[string][]string // what the ids of each type start with
	addr     map[Address]Address
	real     map[string]string // by real name or e-mail address
	of       []pseudonymous
	count    map[string]int
}

type pseudonymous struct{ real, typ string }

// openTypes are the types whose names are the vendor's words and no one's secret.
var openTypes = []string{"feature"}

// learn notes the names of an object that are to be replaced.
func (p *pseudonyms) learn(o *Object) {
	if slices.Contains(openTypes, o.Type) {
		return
	}
	if kind := kindOfID(o.ID); kind != "" {
		p.prefixes[o.Type] = append(p.prefixes[o.Type], kind)
	}
	for _, name := range append([]string{o.Key}, o.Keys...) {
		if name != o.ID { // what is known by its id is called by the pseudonym of that, wherever it is named
			p.of = append(p.of, pseudonymous{name, o.Type})
		}
	}
	for _, v := range o.Attrs { // people who are in something and no members
		for _, item := range v.AsSet() {
			if strings.Contains(item, "@") {
				p.of = append(p.of, pseudonymous{item, "member"})
			}
		}
	}
}

// number gives everything that was learned a pseudonym, in an order that says
// nothing of the real names.
func (p *pseudonyms) number() {
	slices.SortFunc(p.of, func(a, b pseudonymous) int { return strings.Compare(p.hash(a.real), p.hash(b.real)) })
	for _, list := range p.prefixes {
		if slices.Sort(list); len(list) > 1 && list[0] == list[len(list)-1] {
			p.kinds[list[0]] = true
		}
	}
	domains := map[string]string{}
	for _, x := range p.of {
		if _, ok := p.real[x.real]; ok || x.real == "" {
			continue
		}
		if i := strings.LastIndex(x.real, "@"); i >= 0 {
			domain := x.real[i+1:]
			if domains[domain] == "" {
				domains[domain] = fmt.Sprintf("domain%d.example", len(domains)+1)
			}
			p.count["person"]++
			p.real[x.real] = fmt.Sprintf("person%05d@%s", p.count["person"], domains[domain])
			continue
		}
		p.count[x.typ]++
		p.real[x.real] = fmt.Sprintf("%s%s %d", strings.ToUpper(x.typ[:1]), x.typ[1:], p.count[x.typ])
	}
}

func (p *pseudonyms) hash(s string) string {
	h := hmac.New(sha256.New, p.key)
	h.Write([]byte(s))
	return hex.EncodeToString(h.Sum(nil))
}

// id returns the pseudonym of an id: with what ids of its kind start with,
// such as "rbac_group_", and of the form of a UUID if it has it.
func (p *pseudonyms) id(s string) string {
	h := p.hash(s)
	switch {
	case s == "":
		return ""
	case len(s) == 36 && strings.Count(s, "-") == 4:
		return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
	}
	kind := kindOfID(s)
	if !p.kinds[kind] {
		kind = ""
	}
	return kind + h[:22]
}

// kindOfID returns what stands before the last underscore of an id, if it is a
// word of small letters.
func kindOfID(s string) string {
	i := strings.LastIndex(s, "_")
	if i < 0 || strings.Trim(s[:i], "abcdefghijklmnopqrstuvwxyz_") != "" {
		return ""
	}
	return s[:i+1]
}

// address returns the address of an object among pseudonyms.
func (p *pseudonyms) address(o *Object) Address {
	switch {
	case o.Addr == Address(o.Type), slices.Contains(openTypes, o.Type): // there is one of its kind, or its name is the vendor's
		return o.Addr
	case o.Key == o.ID:
		return MakeAddress(o.Type, p.id(o.ID), "")
	}
	name := p.text(o.Key)
	if name == "" { // the address of the type alone belongs to what there is one of
		name = p.hash(string(o.Addr))[:12]
	}
	return MakeAddress(o.Type, name, "")
}

// object returns an object with pseudonyms.
func (p *pseudonyms) object(o *Object) *Object {
	c := &Object{Type: o.Type, Addr: p.addr[o.Addr], ID: p.id(o.ID), Key: p.text(o.Key)}
	switch {
	case slices.Contains(openTypes, o.Type):
		c.Key = o.Key
	case o.Key == o.ID:
		c.Key = c.ID
	}
	for _, k := range o.Keys {
		c.Keys = append(c.Keys, p.text(k))
	}
	if o.Fixed != "" {
		c.Fixed = "it is not to be changed"
	}
	for name, v := range o.Attrs {
		if name == "name" && v.Kind() == KindText {
			label, _, _ := strings.Cut(c.Key, "@")
			c.Put(name, Text(label))
			continue
		}
		to, byID := p.attribute(name)
		if byID && v.Kind() != KindUnavailable {
			c.Put(to, v)
			continue
		}
		c.Put(to, p.value(name, v))
	}
	return c
}

// attribute returns the name of an attribute with a pseudonym for the id that
// it ends in, and whether it ends in one.
func (p *pseudonyms) attribute(name string) (string, bool) {
	for _, before := range p.words.ByID {
		if id, ok := strings.CutPrefix(name, before); ok {
			return before + p.text(id), true
		}
	}
	return name, false
}

// value returns the value of an attribute with pseudonyms.
func (p *pseudonyms) value(name string, v Value) Value {
	if v.Kind() == KindUnavailable {
		return Unavailable("it could not be read")
	}
	if slices.Contains(p.words.Attrs, name) {
		return v
	}
	switch v.Kind() {
	case KindText:
		return Text(p.text(v.AsText()))
	case KindSet:
		var items []string
		for _, s := range v.AsSet() {
			items = append(items, p.text(s))
		}
		return Set(items...)
	case KindMap:
		m := map[string]string{}
		for k, s := range v.AsMap() {
			if !slices.Contains(p.words.Values, name) {
				s = p.text(s)
			}
			first, rest, dotted := strings.Cut(k, ".") // as the key of a tool starts with its connector
			if k = p.text(first); dotted {
				k += "." + p.text(rest)
			}
			m[k] = s
		}
		return Map(m)
	}
	return v
}

// text returns what stands for a text.
func (p *pseudonyms) text(s string) string {
	if a, ok := p.addr[Address(s)]; ok {
		return string(a)
	}
	if x, ok := p.real[s]; ok {
		return x
	}
	return p.id(s)
}
