package plan

import (
	"maps"
	"slices"

	"github.com/rolecall/rolecall/schema"
)

// An invitation is somebody who is in described groups and not a member.
type invitation struct {
	groups   []string // addresses
	value    schema.Value
	assigned bool // an assignment has named them
	o        *schema.Object
}

func inviteAddress(email string) schema.Address { return schema.MakeAddress("invite", email, "") }

// cannotInvite returns why nobody can be invited although the configuration
// asks for it, "" if people can be or are not meant to be.
func (b *binder) cannotInvite() string {
	if b.d.Invites == nil || b.d.Invites.Impossible == nil {
		return ""
	}
	return b.d.Invites.Impossible(b.b.live)
}

// toInvite notes that people are to be in a group on accepting an invite, and
// returns those of whom the configuration should hear that they are not
// members. Whoever has a pending invite is on the way.
func (b *binder) toInvite(group *schema.Object, emails []string) []string {
	var report []string
	invites := b.d.Invites != nil && b.cannotInvite() == ""
	for _, email := range emails {
		switch {
		case invites:
			i := b.invites[email]
			if i == nil {
				i = &invitation{value: b.d.Invites.Value, o: group}
				b.invites[email] = i
			}
			i.groups = append(i.groups, string(group.Addr))
		case b.b.live.Objects[inviteAddress(email)] == nil:
			report = append(report, email)
		}
	}
	return report
}

// inviteAs notes which assignment names somebody who is to be invited, and
// reports whether they are, or have been invited already. The first assignment
// decides, as for members.
func (b *binder) inviteAs(email string, a *schema.Assignment) bool {
	i := b.invites[email]
	if i == nil {
		return b.b.live.Objects[inviteAddress(email)] != nil
	}
	if !i.assigned {
		i.assigned = true
		if a.Held == "" {
			i.value = a.Value
		}
	}
	return true
}

// uninvite sees to it that there is no invite for a person who is described as
// removed, under any of their addresses: it could still be accepted.
func (b *binder) uninvite(o *schema.Object) {
	for _, email := range append([]string{o.Key}, o.Keys...) {
		delete(b.invites, email)
		delete(b.b.desired.Objects, inviteAddress(email))
	}
}

// invite puts the invites into the desired state.
func (b *binder) invite() {
	for _, o := range b.absent {
		if b.invites[o.Key] == nil && b.b.live.Objects[inviteAddress(o.Key)] == nil {
			b.strangers(o, "", []string{o.Key})
		}
	}
	for _, email := range slices.Sorted(maps.Keys(b.invites)) {
		i := b.invites[email]
		addr := inviteAddress(email)
		o := &schema.Object{Type: "invite", Addr: addr, Key: email}
		if live := b.b.live.Objects[addr]; live != nil {
			o = live.Clone()
		}
		if o.ID != "" && !(o.Get("groups").Equal(schema.Set(i.groups...)) && o.Get(b.d.Invites.Attr).Equal(i.value)) {
			o.ID = "" // another one takes its place
		}
		o.Decl = i.o.Decl
		if r, ok := i.o.AttrDecl["members/"+email]; ok {
			o.Decl = r
		}
		o.Put("groups", schema.Set(i.groups...))
		o.Put(b.d.Invites.Attr, i.value)
		b.b.desired.Add(o)
	}
}
