package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/schema"
)

// A Left is something that a way back leaves as it is.
type Left struct {
	Address schema.Address `json:"address"`
	Why     string         `json:"why"`
}

// A Back is a state that was live before, as something to plan.
type Back struct {
	Description *schema.Description
	Removals    []schema.Removal // what was made since
	Left        []Left           // what no plan puts back, sorted by address
}

// WayBack describes a state that was live before, so that a plan of it leads
// back. What has an id is found again by it; what was deleted since is made
// anew, under a new id. Nobody is taken out of the organization or put into it:
// people who came or left since are listed.
//
// Described gives objects the addresses that the configuration has for them,
// and at is what findings name as their place. Observed says which attributes
// of which types are facts that nobody sets, and so do not go back.
func WayBack(described *schema.Description, live, before *schema.State, observed map[string][]string, at hcl.Range) *Back {
	w := &wayBack{live: live, before: before, at: at, observed: observed, back: &Back{Description: &schema.Description{Owners: described.Owners}},
		address: map[*schema.Object]schema.Address{}, refs: map[string]string{}}
	w.name(described)
	met := map[*schema.Object]bool{}
	for _, addr := range slices.Sorted(maps.Keys(before.Objects)) {
		then := before.Objects[addr]
		now := w.find(then)
		if now != nil {
			met[now] = true
		}
		w.object(then, now)
	}
	for _, addr := range slices.Sorted(maps.Keys(live.Objects)) {
		if now := live.Objects[addr]; !met[now] {
			w.since(now, described)
		}
	}
	for _, u := range before.Unread {
		w.leave("", "%s: it was not read at that time: %s", u.What, u.Why)
	}
	slices.SortStableFunc(w.back.Left, func(a, b Left) int { return cmp.Compare(a.Address, b.Address) })
	return w.back
}

type wayBack struct {
	live, before *schema.State
	at           hcl.Range
	observed     map[string][]string
	back         *Back
	address      map[*schema.Object]schema.Address // of objects of before
	refs         map[string]string                 // id or address of before to address
}

func (w *wayBack) leave(addr schema.Address, format string, args ...any) {
	w.back.Left = append(w.back.Left, Left{addr, fmt.Sprintf(format, args...)})
}

// name gives each object of before its address.
func (w *wayBack) name(described *schema.Description) {
	used := map[schema.Address]bool{}
	for _, same := range []func(then, o *schema.Object) bool{
		func(then, o *schema.Object) bool { return o.ID != "" && o.ID == then.ID },
		func(then, o *schema.Object) bool { return o.ID == "" && o.Key == then.Key },
		func(then, o *schema.Object) bool { return o.ID == "" && slices.Contains(o.Keys, then.Key) },
	} {
		for _, addr := range slices.Sorted(maps.Keys(w.before.Objects)) {
			then := w.before.Objects[addr]
			for _, o := range described.Objects {
				if o.Type == then.Type && w.address[then] == "" && !used[o.Addr] && same(then, o) {
					w.address[then], used[o.Addr] = o.Addr, true
				}
			}
		}
	}
	for _, addr := range slices.Sorted(maps.Keys(w.before.Objects)) {
		then := w.before.Objects[addr]
		if w.address[then] == "" {
			w.address[then] = addr
			if used[addr] {
				w.address[then] = schema.MakeAddress(then.Type, cmp.Or(then.ID, then.Key), "")
			}
			used[w.address[then]] = true
		}
		w.refs[string(addr)] = string(w.address[then])
		if then.ID != "" {
			w.refs[then.ID] = string(w.address[then])
		}
	}
}

// find returns the live object that an object of before is now.
func (w *wayBack) find(then *schema.Object) *schema.Object {
	for _, o := range w.live.Of(then.Type) {
		if then.ID != "" && o.ID == then.ID || (then.ID == "" || o.ID == "") && o.Key == then.Key {
			return o
		}
	}
	return nil
}

// made reports whether objects of a type are made and deleted by a plan. All
// others are there or not, whatever a configuration says.
func made(typ string) bool { return typ == "role" || typ == "group" }

// object describes one object as it was.
func (w *wayBack) object(then, now *schema.Object) {
	addr := w.address[then]
	if then.Type == "organization" {
		return // what it says of itself is found to differ, and is changed in the console
	}
	o := &schema.Object{Type: then.Type, Addr: addr, Key: then.Key, Decl: w.at}
	switch {
	case now == nil && then.Type == "member":
		w.leave(addr, "is not a member any more: only an invitation brings somebody back")
		return
	case now == nil && !made(then.Type):
		w.leave(addr, "is not there any more, and no plan makes it again")
		return
	case now == nil && then.Get("source").AsText() == "scim":
		w.leave(addr, "was a group of the identity provider, which has to sync it again")
		return
	case now == nil:
		for name, v := range then.Attrs {
			if v.Kind() != schema.KindUnavailable && name != "source" && !slices.Contains(w.observed[then.Type], name) {
				o.Put(name, w.value(addr, name, v))
			}
		}
	default:
		o.ID = now.ID
		if !w.fields(o, then, now) || len(o.Attrs) == 0 && !made(o.Type) { // what is as it was needs no word
			return
		}
	}
	w.back.Description.Objects = append(w.back.Description.Objects, o)
}

// fields describes what is otherwise now. It returns false where the object
// must be left alone.
func (w *wayBack) fields(o, then, now *schema.Object) bool {
	names := slices.AppendSeq(slices.Collect(maps.Keys(then.Attrs)), maps.Keys(now.Attrs))
	slices.Sort(names)
	var differ []string
	for _, name := range slices.Compact(names) {
		was, is := then.Get(name), now.Get(name)
		if was.Equal(is) || name == "source" || slices.Contains(w.observed[o.Type], name) {
			continue
		}
		if was.Kind() == schema.KindUnavailable || is.Kind() == schema.KindUnavailable {
			if was.Kind() != is.Kind() {
				w.leave(o.Addr, "%s: it is not known what it was and what it is", name)
			}
			continue
		}
		differ = append(differ, name)
	}
	scim := now.Get("source").AsText() == "scim"
	if scim && o.Key != now.Key {
		w.leave(o.Addr, "keeps its name, which the identity provider gives")
		o.Key = now.Key
	}
	for _, name := range differ {
		if why := cmp.Or(now.Fixed, then.Fixed); why != "" && (o.Type != "member" || name == "organization_role") { // limits of administrators can be changed
			w.leave(o.Addr, "%s: was %s, is %s, and is changed by hand: %s", name, then.Get(name), now.Get(name), why)
			continue
		}
		if scim && name == "members" {
			w.leave(o.Addr, "members: the identity provider decides who is in it")
			continue
		}
		o.Put(name, w.value(o.Addr, name, then.Get(name)))
	}
	return true
}

// value returns a value of before as it can be described now: references by
// their addresses, and of people those who are still members.
func (w *wayBack) value(addr schema.Address, name string, v schema.Value) schema.Value {
	if v.Kind() != schema.KindSet {
		return v
	}
	var items []string
	for _, item := range v.AsSet() {
		switch name {
		case "roles", "groups":
			ref, ok := w.refs[item]
			if !ok {
				continue // of another organization; such are left alone
			}
			item = ref
		case "members":
			if !w.member(item) {
				w.leave(addr, "members: %s is not a member of the organization any more", item)
				continue
			}
		}
		items = append(items, item)
	}
	return schema.Set(items...)
}

func (w *wayBack) member(email string) bool {
	return slices.ContainsFunc(w.live.Of("member"), func(m *schema.Object) bool { return m.Key == email })
}

// since removes what was made since, or says that it stays.
func (w *wayBack) since(now *schema.Object, described *schema.Description) {
	addr := now.Addr
	for _, o := range described.Objects {
		if o.Type == now.Type && (o.ID != "" && o.ID == now.ID || o.ID == "" && o.Key == now.Key) {
			addr = o.Addr
		}
	}
	switch {
	case now.Type == "member":
		w.leave(addr, "joined since, and stays a member: a rollback takes nobody out of the organization")
	case !made(now.Type):
		if now.Type != "organization" && !now.Get("enabled").Known() {
			w.leave(addr, "came since, and stays as it is")
		}
	case now.Fixed != "":
		w.leave(addr, "came since, and stays: %s", now.Fixed)
	case now.Get("source").AsText() == "scim":
		w.leave(addr, "came since, and stays: it belongs to the identity provider")
	default:
		w.back.Removals = append(w.back.Removals, schema.Removal{From: addr, ID: now.ID, Name: now.Key, Decl: w.at})
	}
}

// Unwritten returns what the plan p of b does not put back, because no step
// writes it.
func (b *Back) Unwritten(p *Plan) []Left {
	type field struct {
		addr schema.Address
		name string
	}
	written := map[field]bool{}
	for _, o := range p.Drift().Objects {
		for _, f := range o.Fields {
			written[field{o.Address, f.Attr}] = true
		}
	}
	var left []Left
	for _, o := range b.Description.Objects {
		live := p.Live.Objects[o.Addr]
		if live == nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(o.Attrs)) {
			if !o.Get(name).Equal(live.Get(name)) && !written[field{o.Addr, name}] {
				left = append(left, Left{o.Addr, name + ": nothing that rolecall carries out changes it, or it is held"})
			}
		}
	}
	return left
}
