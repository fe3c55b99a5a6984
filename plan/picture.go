package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// An Adviser is a System that knows which edit of the configuration makes a
// move of the access model; false if it knows of none, and the zero Edit if
// nothing anybody could write does. The objects are those of the state that the
// move is one of.
type Adviser interface {
	Edit(v access.Move, objects *schema.State) (schema.Edit, bool)
}

// A Picture is who can do what in one state of an organization: the live one,
// or the desired one, which is the live one with the configuration written
// over it.
type Picture struct {
	Model    *access.Model
	Readings []*access.State // least access first
	Objects  *schema.State
	Desired  bool

	in     Input
	binder *binder
	wanted *schema.State                        // what the configuration describes, with its places
	waves  map[schema.Address]schema.Assignment // of members that a wave moves
	views  []*access.View
}

// Pictures returns the live and the desired picture of what in holds.
func Pictures(in Input) (live, desired *Picture) {
	binder := bind(in.Description, in.Live)
	b := binder.b
	in.System.Complete(b.live, b.desired)
	model, readings := in.System.Access(b.live, b.desired)
	return &Picture{Model: model, Readings: readings[0], Objects: b.live, in: in, binder: binder, wanted: b.desired, waves: b.waves},
		&Picture{Model: model, Readings: readings[1], Objects: b.desired, Desired: true, in: in, binder: binder, wanted: b.desired, waves: b.waves}
}

// picture returns the desired picture of a plan in the making.
func (a *analysis) picture() *Picture {
	return &Picture{Model: a.model, Readings: a.to, Objects: a.b.desired, Desired: true, in: a.Input, binder: a.binder, wanted: a.b.desired, waves: a.b.waves, views: a.end}
}

// Views returns the access of everybody, in each reading.
func (p *Picture) Views() []*access.View {
	if p.views == nil {
		for _, s := range p.Readings {
			p.views = append(p.views, access.NewView(p.Model, s))
		}
	}
	return p.views
}

// least is the view with the least access.
func (p *Picture) least() *access.View { return p.Views()[0] }

// most is the view with the most access.
func (p *Picture) most() *access.View { return p.Views()[len(p.Readings)-1] }

// Member returns the number of a person, or an error that names the nearest
// one there is.
func (p *Picture) Member(email string) (int32, error) {
	address := strings.ToLower(strings.TrimSpace(email))
	if m := p.Model.Member(address); m >= 0 {
		return m, nil
	}
	if n := p.nearMember(address); n != "" {
		return -1, fmt.Errorf("nobody here has the address %s; did you mean %s?", address, n)
	}
	return -1, fmt.Errorf("nobody here has the address %s", address)
}

// nearMember returns the address that is closest to one that nobody has: among
// those that begin alike if there are very many.
func (p *Picture) nearMember(address string) string {
	known := p.Model.Members
	if len(known) > 5000 {
		first := address[:min(1, len(address))]
		lo, _ := slices.BinarySearch(known, first)
		hi, _ := slices.BinarySearch(known, first+"\xff")
		if known = known[lo:hi]; len(known) > 5000 {
			return ""
		}
	}
	return schema.Nearest(address, known)
}

// A Topic is what a key asks about: permissions, or a setting.
type Topic struct {
	Key string
	access.Subject
	Setting int // in Model.Settings, -1 for permissions
}

// Topic returns what a key asks about, or an error that names the nearest key
// there is.
func (p *Picture) Topic(key string) (Topic, error) {
	if strings.Contains(key, `["`) {
		key = schema.Spelled(key, p.subjects())
	}
	if i := p.Model.Setting(key); i >= 0 {
		return Topic{Key: key, Setting: i}, nil
	}
	t := Topic{Key: key, Subject: p.Model.Universe.Subject(key), Setting: -1}
	if len(t.Perms) > 0 {
		return t, nil
	}
	keys := p.Keys()
	if n := schema.Nearest(key, keys); n != "" {
		return t, fmt.Errorf("there is no permission %s; did you mean %s?", key, n)
	}
	return t, fmt.Errorf("there is no permission %s; there are %s", key, strings.Join(kinds(keys), ", "))
}

// Keys returns every permission and setting that has a name, sorted.
func (p *Picture) Keys() []string {
	var keys []string
	for i := range p.Model.Universe.Len() {
		keys = append(keys, p.Model.Universe.Key(access.Perm(i)))
	}
	for _, s := range p.Model.Settings {
		keys = append(keys, s.Key)
	}
	slices.Sort(keys)
	return keys
}

// subjects returns what a key may name: every permission and setting, and what
// several of them begin with, such as a connector.
func (p *Picture) subjects() []string {
	keys := p.Keys()
	for _, k := range keys {
		for at := access.LastSegment(k); at > 0; at = access.LastSegment(k[:at]) {
			keys = append(keys, k[:at])
		}
	}
	return keys
}

// kinds returns the first segments of keys, each with what may follow.
func kinds(keys []string) []string {
	var list []string
	for _, k := range keys {
		kind, _, _ := strings.Cut(k, ".")
		if kind += ".…"; !slices.Contains(list, kind) {
			list = append(list, kind)
		}
	}
	return list
}

// source returns the address of a source without the remark on which part of
// it grants.
func (p *Picture) source(i int32) schema.Address { return sourceAddress(p.Model.Sources[i]) }

// at returns where an object is described, "" if it is not.
func (p *Picture) at(addr schema.Address) hcl.Range {
	if o := p.wanted.Objects[addr]; o != nil {
		return o.Decl
	}
	return hcl.Range{}
}

// named writes an address with its place in the configuration.
func (p *Picture) named(addr schema.Address) string {
	if r := p.at(addr); r.Filename != "" {
		return fmt.Sprintf("%s (%s:%d)", addr, r.Filename, r.Start.Line)
	}
	return string(addr)
}

// edit returns the edit that makes a move: the system's, or that of the list
// of a group's members, which every system has.
func (p *Picture) edit(v access.Move) (schema.Edit, bool) {
	if a, ok := p.in.System.(Adviser); ok {
		if e, ok := a.Edit(v, p.wanted); ok {
			return e, e != schema.Edit{}
		}
	}
	if v.Kind != access.MoveMembership {
		return schema.Edit{}, false
	}
	o := p.wanted.Objects[sourceAddress(v.Group)]
	if o == nil {
		return schema.Edit{}, false
	}
	if _, described := o.AttrDecl["members"]; !described {
		verb := "put %s into"
		if v.To == access.Out {
			verb = "take %s out of"
		}
		return schema.Edit{Address: o.Addr, Elsewhere: fmt.Sprintf(verb+" %s where its members come from, which is not this configuration", v.Member, cmp.Or(o.Key, string(o.Addr)))}, true
	}
	e := schema.Edit{Kind: schema.AddItem, Address: o.Addr, Range: o.Where("members"), Attr: "members", Value: schema.Quote(v.Member)}
	if v.To == access.Out {
		e.Kind = schema.TakeItem
	}
	return p.people(o, e, v), true
}

// people makes an edit of a list of members one of the whole expression where
// the people are not simply listed, or not all of them.
func (p *Picture) people(o *schema.Object, e schema.Edit, v access.Move) schema.Edit {
	var expr schema.People
	for _, d := range p.in.Description.Objects {
		if d.Addr == o.Addr {
			expr = d.People["members"]
		}
	}
	listed, plain := expr.(*schema.Listed)
	written := plain && (v.To == access.In || slices.Contains(listed.Emails, v.Member))
	if expr == nil || written {
		return e
	}
	e.Kind = schema.SetAttr
	if v.To == access.In {
		e.Value = fmt.Sprintf("union(%s, [%s])", expr, schema.Quote(v.Member))
	} else {
		e.Value = fmt.Sprintf("minus(%s, [%s])", expr, schema.Quote(v.Member))
	}
	return e
}
