package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// A binding is the outcome of finding, for each described object, the live one
// that it means.
type binding struct {
	live    *schema.State // live objects under the addresses of the configuration
	desired *schema.State // the same with everything described in the place of what is live
	waves   map[schema.Address]schema.Assignment
}

// A binder binds described objects to live ones.
type binder struct {
	d     *schema.Description
	b     *binding
	found []*finding
	byID  map[[2]string]*schema.Object
	byKey map[[2]string][]*schema.Object
	taken map[*schema.Object]schema.Address // live object to the described one that has it

	alias    map[string]string                // e-mail address to the one that is live
	people   map[schema.Address]schema.People // described members by group
	resolved map[schema.Address][]string

	invites map[string]*invitation // people in groups who are not members, by address
	absent  []*schema.Object       // member blocks of people who are not members
}

// bind finds the live object of each described one: by id, else by exact name,
// then by earlier names. Names are not unique, so a name that two live objects
// have is an error that asks for the id.
func bind(d *schema.Description, live *schema.State) *binder {
	b := &binder{
		d:    d,
		b:    &binding{live: schema.NewState(), waves: map[schema.Address]schema.Assignment{}},
		byID: map[[2]string]*schema.Object{}, byKey: map[[2]string][]*schema.Object{},
		taken:  map[*schema.Object]schema.Address{},
		alias:  map[string]string{},
		people: map[schema.Address]schema.People{}, resolved: map[schema.Address][]string{},
		invites: map[string]*invitation{},
	}
	b.b.live.Unread = slices.Clone(live.Unread)
	for _, addr := range slices.Sorted(maps.Keys(live.Objects)) {
		o := live.Objects[addr]
		b.byID[[2]string{o.Type, o.ID}] = o
		b.byKey[[2]string{o.Type, o.Key}] = append(b.byKey[[2]string{o.Type, o.Key}], o)
	}
	matches := make([]*schema.Object, len(d.Objects))
	lost, pinned := []*schema.Object{}, 0
	for _, pass := range []func(*schema.Object) (*schema.Object, bool){b.byIDOf, b.byNameOf, b.byEarlierNameOf} {
		for i, o := range d.Objects {
			if matches[i] != nil {
				continue
			}
			m, ok := pass(o)
			if !ok {
				lost = append(lost, o)
			}
			if m == nil {
				continue
			}
			if other, taken := b.taken[m]; taken {
				b.found = append(b.found, &finding{Rule: "duplicate-name", Address: o.Addr, Range: o.Decl,
					Message: fmt.Sprintf("%s and %s both mean the live %s %q (%s)", other, o.Addr, o.Type, m.Key, m.ID),
					Fix:     "remove one of the two, or write the id of the one that is meant"})
				continue
			}
			matches[i] = m
			b.taken[m] = o.Addr
		}
	}
	for _, o := range d.Objects {
		if o.ID != "" && o.Type != "organization" {
			pinned++
		}
	}
	b.lost(lost, pinned)
	for i, o := range d.Objects { // a member under an earlier address is the same person
		if m := matches[i]; m != nil && o.Type == "member" && m.Key != o.Key {
			b.alias[o.Key] = m.Key
		}
	}
	b.addresses(live)
	b.overlay(matches)
	b.organization()
	b.assign()
	b.remove()
	b.invite()
	return b
}

// byIDOf returns the live object of o's id. It returns false if o names an id
// that is not there.
func (b *binder) byIDOf(o *schema.Object) (*schema.Object, bool) {
	if o.Type == "organization" {
		if list := b.byKeyType(o.Type); len(list) > 0 {
			return list[0], true
		}
		return nil, true
	}
	if o.ID == "" {
		return nil, true
	}
	m := b.byID[[2]string{o.Type, o.ID}]
	return m, m != nil || o.Type == "connector"
}

// byNameOf returns the live object of o's name.
func (b *binder) byNameOf(o *schema.Object) (*schema.Object, bool) {
	if o.ID != "" || o.Type == "organization" {
		return nil, true
	}
	return b.named(o, o.Key), true
}

// byEarlierNameOf returns the live object of one of o's earlier names, as far
// as no other block means it.
func (b *binder) byEarlierNameOf(o *schema.Object) (*schema.Object, bool) {
	if o.ID != "" || o.Type == "organization" {
		return nil, true
	}
	for _, key := range o.Keys {
		if m := b.named(o, key); m != nil {
			if _, taken := b.taken[m]; !taken {
				return m, true
			}
		}
	}
	return nil, true
}

// named returns the live object called key. Names are not unique: two objects
// of one name are reported with their ids.
func (b *binder) named(o *schema.Object, key string) *schema.Object {
	list := b.byKey[[2]string{o.Type, key}]
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	var ids []string
	free := slices.DeleteFunc(slices.Clone(list), func(l *schema.Object) bool { _, taken := b.taken[l]; return taken })
	if len(free) == 1 { // the others are meant by their ids
		return free[0]
	}
	for _, l := range list {
		ids = append(ids, l.ID)
	}
	slices.Sort(ids)
	b.found = append(b.found, &finding{
		Rule: "duplicate-name", Address: o.Addr, Range: o.Decl,
		Message: fmt.Sprintf("%d live %ss are called %q: %s", len(list), o.Type, key, strings.Join(ids, ", ")),
		Fix:     fmt.Sprintf("write id = %q (or another of them) in the block", ids[0]),
	})
	return list[0]
}

func (b *binder) byKeyType(typ string) []*schema.Object {
	var list []*schema.Object
	for k, objects := range b.byKey {
		if k[0] == typ {
			list = append(list, objects...)
		}
	}
	return list
}

// lost reports described ids that no live object has.
func (b *binder) lost(lost []*schema.Object, pinned int) {
	if len(lost) == 0 {
		return
	}
	if len(lost) > 1 && len(lost)*2 > pinned {
		b.found = append(b.found, &finding{
			Rule: "identity-lost", Address: lost[0].Addr, Range: lost[0].Where("id"),
			Message: fmt.Sprintf("%d of %d objects that the configuration names by id are not there; was the organization moved, or is the key another's?", len(lost), pinned),
			Fix:     "check which organization the key belongs to before anything is created again",
		})
		return
	}
	for _, o := range lost {
		b.found = append(b.found, &finding{
			Rule: "identity-lost", Address: o.Addr, Range: o.Where("id"),
			Message: fmt.Sprintf("no live %s has the id %s", o.Type, o.ID),
			Fix:     "correct the id, or remove it to find the object by its name",
		})
	}
}

// addresses puts the live objects under the addresses of the configuration,
// and turns ids in references into addresses.
func (b *binder) addresses(live *schema.State) {
	used := map[schema.Address]bool{}
	for _, o := range b.d.Objects {
		used[o.Addr] = true
	}
	ids := map[string]string{}
	for _, addr := range slices.Sorted(maps.Keys(live.Objects)) {
		o := live.Objects[addr]
		c := o.Clone()
		if to, ok := b.taken[o]; ok {
			if c.Type != "member" { // members are known by their live address
				c.Addr = to
			}
		} else if used[c.Addr] { // a described object has this address and is not this one
			c.Addr = schema.MakeAddress(c.Type, cmp.Or(c.ID, c.Key), "")
		}
		if c.Type == "role" || c.Type == "group" {
			ids[c.ID] = string(c.Addr)
			ids[string(o.Addr)] = string(c.Addr) // where there is no id, as in a configuration
		}
		b.b.live.Add(c)
	}
	for _, o := range b.b.live.Objects {
		for _, attr := range []string{"roles", "groups"} {
			if v := o.Get(attr); v.Kind() == schema.KindSet {
				var refs []string
				for _, id := range v.AsSet() {
					if addr, ok := ids[id]; ok {
						refs = append(refs, addr)
					}
				}
				o.Put(attr, schema.Set(refs...))
			}
		}
	}
}

// overlay writes what is described over what is live.
func (b *binder) overlay(matches []*schema.Object) {
	b.b.desired = schema.NewState()
	for _, o := range b.b.live.Objects {
		b.b.desired.Add(o.Clone())
	}
	for _, o := range b.d.Objects {
		var all []schema.People
		for _, name := range slices.Sorted(maps.Keys(o.People)) {
			all = append(all, o.People[name])
		}
		switch len(all) {
		case 0:
		case 1:
			b.people[o.Addr] = all[0]
		default: // whatever they are in it
			b.people[o.Addr] = &schema.Union{Of: all}
		}
	}
	for i, o := range b.d.Objects {
		want := b.b.desired.Objects[b.liveAddress(o)]
		switch {
		case want == nil && o.Type == "member":
			if !o.Get(schema.Removed).AsBool() {
				b.absent = append(b.absent, o)
			}
			continue
		case want == nil && o.Get("source").AsText() == "scim":
			b.found = append(b.found, &finding{Rule: "scim-group-missing", Address: o.Addr, Range: o.Decl,
				Message: fmt.Sprintf("no live group is called %q, and only the identity provider can make a scim group", o.Key),
				Fix:     "have it synced, or correct the name"})
			continue
		case want == nil:
			want = &schema.Object{Type: o.Type, Addr: o.Addr, ID: o.ID, Key: o.Key}
			b.b.desired.Add(want)
			b.required(o)
		case matches[i] != nil && o.Type != "organization" && o.Type != "member":
			want.Key = o.Key
		}
		want.Decl, want.AttrDecl, want.Keys = o.Decl, o.AttrDecl, o.Keys
		live := b.b.live.Objects[want.Addr]
		for name, v := range o.Attrs {
			if name == "source" && live != nil { // where a group comes from is not ours to change
				continue
			}
			want.Put(name, v)
		}
		if !b.source(o, live) {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(o.People)) {
			b.fill(o, want, name)
		}
	}
}

// source reports a group that is described as one thing and is another, and
// whether its members may be described.
func (b *binder) source(o, live *schema.Object) bool {
	if live == nil || o.Type != "group" {
		return true
	}
	described, is := o.Get("source").AsText(), live.Get("source").AsText()
	switch {
	case is == "scim" && o.People != nil:
		b.found = append(b.found, &finding{Rule: "scim-membership-described", Address: o.Addr, Range: o.Where("members"),
			Message: fmt.Sprintf("%s is a group of the identity provider, which owns its members", o.Addr),
			Fix:     "write source = \"scim\" and remove members"})
		return false
	case is == "scim" && o.Key != live.Key:
		b.found = append(b.found, &finding{Rule: "scim-membership-described", Address: o.Addr, Range: o.Where("name"),
			Message: fmt.Sprintf("%s is called %q by the identity provider, which owns its name, and %q here", o.Addr, live.Key, o.Key),
			Fix:     "write the name that it has"})
		return false
	case described == "scim" && is != "scim":
		b.found = append(b.found, &finding{Rule: "scim-group-missing", Address: o.Addr, Range: o.Where("source"),
			Message: fmt.Sprintf("the live group %q was made by hand: the identity provider does not fill it", o.Key),
			Fix:     "remove source, or give the id of the group that is meant"})
	}
	return true
}

// organization reports where the configuration says another thing of the
// organization itself than is live.
func (b *binder) organization() {
	have, want := b.b.live.Objects["organization"], b.b.desired.Objects["organization"]
	if have == nil || want == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(want.Attrs)) {
		if v := have.Get(name); v.Known() && !v.Equal(want.Get(name)) {
			b.found = append(b.found, &finding{Rule: "organization-differs", Address: want.Addr, Range: want.Where(name),
				Message: fmt.Sprintf("the configuration says %s = %s, and the live organization has %s", name, want.Get(name), v),
				Fix:     "correct the configuration: what can be done, and in which order, follows from this"})
		}
	}
}

// required reports what a new object needs and a live one does not: nothing
// is ever widened by leaving something out.
func (b *binder) required(o *schema.Object) {
	if o.Type == "role" && o.ID == "" {
		if _, ok := o.Attrs["capabilities"]; !ok {
			b.found = append(b.found, &finding{Rule: "incomplete-object", Address: o.Addr, Range: o.Decl,
				Message: fmt.Sprintf("%s is to be created and does not say which capabilities it grants", o.Addr),
				Fix:     "write capabilities = [\"…\"], or [] for none"})
		}
	}
}

// fill resolves an attribute that holds people, such as the members of a group.
// People who are not members of the organization are left out and reported.
func (b *binder) fill(o, want *schema.Object, attr string) {
	list, err := schema.Resolve(o.People[attr], b)
	if err != nil {
		b.found = append(b.found, &finding{Rule: "unread", Severity: Error, Address: o.Addr, Range: o.Where(attr),
			Message: fmt.Sprintf("the people in %s cannot be worked out: %v", o.Addr, err), Fix: "plan again later"})
		return
	}
	var members, strangers []string
	for _, email := range list {
		email = b.live(email)
		if b.b.live.Objects[memberAddress(email)] != nil {
			members = append(members, email)
		} else {
			strangers = append(strangers, email)
		}
	}
	want.Put(attr, schema.Set(members...))
	if attr == "members" && o.Type == "group" {
		strangers = b.toInvite(o, strangers)
	}
	if len(strangers) > 0 {
		b.strangers(o, attr, strangers)
	}
}

func (b *binder) strangers(o *schema.Object, attr string, emails []string) {
	msg := fmt.Sprintf("%d people listed in %s are not members of the organization", len(emails), o.Addr)
	if len(emails) == 1 {
		msg = fmt.Sprintf("%s, listed in %s, is not a member of the organization", emails[0], o.Addr)
	}
	var known []string
	for _, l := range b.b.live.Of("member") {
		known = append(known, l.Key)
	}
	fix := "invite them, or take them off the list"
	if why := b.cannotInvite(); why != "" {
		fix = why + ": assign them there, or take them off the list"
	}
	if len(emails) == 1 && len(known) <= 5000 {
		if n := schema.Nearest(emails[0], known); n != "" {
			fix = fmt.Sprintf("did you mean %s? Else invite them, or take them off the list", n)
		}
	}
	at := o.Where(attr)
	if r, ok := o.AttrDecl[attr+"/"+emails[0]]; ok { // where the first of them is written
		at = r
	}
	b.found = append(b.found, &finding{Rule: "not-a-member", Address: o.Addr, Range: at, Message: msg, Members: emails, Fix: fix})
}

func memberAddress(email string) schema.Address { return schema.MakeAddress("member", email, "") }

// live returns the address under which a person is live.
func (b *binder) live(email string) string {
	if live, ok := b.alias[email]; ok {
		return live
	}
	return email
}

// liveAddress returns the address under which a described object is live.
func (b *binder) liveAddress(o *schema.Object) schema.Address {
	if o.Type == "member" {
		return memberAddress(b.live(o.Key))
	}
	return o.Addr
}

// resolve returns the described members of a group, or the live ones if it
// describes none.
func (b *binder) resolve(group schema.Address) ([]string, error) {
	if list, ok := b.resolved[group]; ok {
		return list, nil
	}
	p, ok := b.people[group]
	if !ok {
		v := schema.Absent
		if o := b.b.live.Objects[group]; o != nil {
			v = o.Get("members")
		}
		if v.Kind() == schema.KindUnavailable {
			return nil, fmt.Errorf("the members of %s could not be read", group)
		}
		return v.AsSet(), nil
	}
	list, err := schema.Resolve(p, b)
	if err != nil {
		return nil, err
	}
	b.resolved[group] = list
	return list, nil
}

// Everyone returns every live member's address.
func (b *binder) Everyone() []string {
	var list []string
	for _, o := range b.b.live.Objects {
		if o.Type == "member" {
			list = append(list, o.Key)
		}
	}
	slices.Sort(list)
	return list
}

// OrganizationRole returns the live organization role of a member.
func (b *binder) OrganizationRole(email string) string {
	if o := b.b.live.Objects[memberAddress(email)]; o != nil {
		return o.Get("organization_role").AsText()
	}
	return ""
}

// Members returns the members that a group is to have.
func (b *binder) Members(group schema.Address) ([]string, bool) {
	list, err := b.resolve(group)
	return list, err == nil
}

// assign carries out the assignments: the first one that names a member
// decides, also if it is held. A later one that is open does not carry out
// what an earlier one holds back; that is reported.
func (b *binder) assign() {
	seen := map[string]*schema.Assignment{}
	for i := range b.d.Assignments {
		a := &b.d.Assignments[i]
		list, err := schema.Resolve(a.People, b)
		if err != nil {
			b.found = append(b.found, &finding{Rule: "unread", Severity: Error, Range: a.Decl,
				Message: fmt.Sprintf("who is in wave %q cannot be worked out: %v", a.Name, err), Fix: "plan again later"})
			continue
		}
		except := map[string]bool{}
		if a.Except != nil {
			out, err := schema.Resolve(a.Except, b)
			if err != nil {
				b.found = append(b.found, &finding{Rule: "unread", Severity: Error, Range: a.Decl,
					Message: fmt.Sprintf("who is left out of wave %q cannot be worked out: %v", a.Name, err), Fix: "plan again later"})
				continue
			}
			for _, email := range out {
				except[b.live(email)] = true
			}
		}
		var strangers []string
		overruled := map[string][]string{}
		for _, email := range list {
			email = b.live(email)
			if except[email] {
				continue
			}
			if first := seen[email]; first != nil {
				if first.Held != "" && a.Held == "" {
					overruled[first.Name] = append(overruled[first.Name], email)
				}
				continue
			}
			o := b.b.desired.Objects[memberAddress(email)]
			if o == nil {
				if !b.inviteAs(email, a) {
					strangers = append(strangers, email)
				}
				continue
			}
			seen[email] = a
			if v := o.Get(a.Attr); slices.Contains(a.From, v.AsText()) && !v.Equal(a.Value) {
				o.Put(a.Attr, a.Value)
				b.b.waves[o.Addr] = *a
			}
		}
		if len(strangers) > 0 {
			b.found = append(b.found, &finding{Rule: "not-a-member", Range: a.Decl, Members: strangers,
				Message: fmt.Sprintf("%s in wave %q who are not members of the organization", schema.CountPeople(len(strangers)), a.Name),
				Fix:     "invite them, or take them out of the wave"})
		}
		for _, name := range slices.Sorted(maps.Keys(overruled)) {
			b.found = append(b.found, &finding{Rule: "wave-overlap", Range: a.Decl, Members: overruled[name],
				Message: fmt.Sprintf("%s in wave %q stay held: wave %q, which is written before it and closed, names them too", schema.CountPeople(len(overruled[name])), a.Name, name),
				Fix:     fmt.Sprintf("write wave %q before wave %q, or leave them out of one of the two", a.Name, name)})
		}
	}
}

// remove takes objects that are described as removed out of the desired state,
// and members out of every group. Whoever has not accepted an invite yet keeps
// none, and gets none.
func (b *binder) remove() {
	gone := map[string]bool{}
	for _, o := range b.d.Objects {
		if o.Type == "member" && o.Get(schema.Removed).AsBool() {
			b.uninvite(o)
		}
		want := b.b.desired.Objects[b.liveAddress(o)]
		if want == nil || !want.Get(schema.Removed).AsBool() {
			continue
		}
		if want.Fixed != "" {
			delete(want.Attrs, schema.Removed)
			b.found = append(b.found, &finding{Rule: "admin-untouchable", Address: o.Addr, Range: o.Where("remove"), Members: []string{o.Key},
				Message: fmt.Sprintf("%s stays: %s", o.Addr, want.Fixed), Fix: "change the organization role in the console first"})
			continue
		}
		delete(b.b.desired.Objects, want.Addr)
		if o.Type == "member" {
			gone[want.Key] = true
		}
	}
	if len(gone) == 0 {
		return
	}
	for _, o := range b.b.desired.Objects {
		if members := o.Get("members"); members.Kind() == schema.KindSet {
			stay := slices.DeleteFunc(slices.Clone(members.AsSet()), func(e string) bool { return gone[e] })
			o.Put("members", schema.Set(stay...))
		}
	}
}

// diff returns the changes from live to desired, sorted by address.
func diff(b *binding) []*schema.Change {
	var list []*schema.Change
	addrs := slices.AppendSeq(slices.Collect(maps.Keys(b.live.Objects)), maps.Keys(b.desired.Objects))
	slices.Sort(addrs)
	for _, addr := range slices.Compact(addrs) {
		have, want := b.live.Objects[addr], b.desired.Objects[addr]
		switch {
		case have == nil:
			c := &schema.Change{Addr: addr, Action: schema.Create, After: want}
			for _, name := range slices.Sorted(maps.Keys(want.Attrs)) {
				if v := want.Attrs[name]; v.Kind() != schema.KindAbsent { // what is not to be is not there already
					c.Fields = append(c.Fields, schema.Field{Name: name, After: v})
				}
			}
			list = append(list, c)
		case want == nil:
			list = append(list, &schema.Change{Addr: addr, Action: schema.Delete, Before: have})
		case want.Type != "organization":
			if c := update(have, want); c != nil {
				if a, ok := b.waves[addr]; ok {
					c.Wave, c.Held = a.Name, a.Held
				}
				list = append(list, c)
			}
		}
	}
	return list
}

func update(have, want *schema.Object) *schema.Change {
	c := &schema.Change{Addr: want.Addr, Action: schema.Update, Before: have, After: want}
	for _, name := range slices.Sorted(maps.Keys(want.Attrs)) {
		v := want.Attrs[name]
		if before := have.Get(name); v.Kind() != schema.KindUnavailable && !v.Equal(before) {
			c.Fields = append(c.Fields, schema.Field{Name: name, Before: before, After: v})
			if name == "name" {
				c.Action = schema.Rename
			}
		}
	}
	if len(c.Fields) == 0 {
		return nil
	}
	return c
}
