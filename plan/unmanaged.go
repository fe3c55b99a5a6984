package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// removeUnmanaged takes out of the desired state what nothing describes, where
// unmanaged says remove. What is fixed stays, what the identity provider owns,
// and whoever is protected. Where it cannot be worked out who is described,
// nobody is removed.
func (b *binder) removeUnmanaged(g schema.Guard) {
	described := map[schema.Address]bool{}
	for _, o := range b.d.Objects {
		described[b.liveAddress(o)] = true
	}
	if b.d.Unmanaged["member"] == "remove" || b.d.Unmanaged["invite"] == "remove" {
		people, err := b.mentioned(g)
		if err != nil {
			b.found = append(b.found, &finding{Rule: "unread", Severity: Error,
				Message: fmt.Sprintf("people whom no block describes are to be removed, and who they are cannot be worked out: %v", err), Fix: "plan again later, or with a key that may read it"})
			return
		}
		for _, email := range people {
			described[memberAddress(b.live(email))] = true
			described[inviteAddress(email)] = true
		}
	}
	for typ, what := range b.d.Unmanaged {
		if what != "remove" {
			continue
		}
		for _, o := range b.b.live.Of(typ) {
			want := b.b.desired.Objects[o.Addr]
			if !described[o.Addr] && (want == nil || !want.Described()) && o.Fixed == "" && o.Get("source").AsText() != "scim" {
				b.drop(o, nil)
			}
		}
	}
}

// mentioned returns the people of whom some block speaks, other than as part of
// everyone: whoever is listed, is of a domain or an organization role that is
// named, or is in a group that is described. Who is protected is one of them.
func (b *binder) mentioned(g schema.Guard) ([]string, error) {
	var of []schema.People
	for _, o := range b.d.Objects {
		for _, p := range o.People {
			of = append(of, p)
		}
		if _, written := o.People["members"]; o.Type != "group" || written {
			continue
		}
		live := b.b.live.Objects[b.liveAddress(o)]
		if live == nil {
			continue
		}
		members := live.Get("members")
		if members.Kind() == schema.KindUnavailable {
			return nil, fmt.Errorf("%s is described, and its members could not be read", o.Addr)
		}
		of = append(of, &schema.Listed{Emails: members.AsSet()})
	}
	for _, a := range b.d.Assignments {
		of = append(of, a.People)
	}
	if g.Protected != nil {
		of = append(of, g.Protected)
	}
	for i, p := range of {
		of[i] = ofSome(p)
	}
	return schema.Resolve(&schema.Union{Of: of}, awaiting{b})
}

// awaiting is a directory in which whoever is invited is there already: they
// are of a domain, too.
type awaiting struct{ *binder }

func (d awaiting) Everyone() []string {
	list := d.binder.Everyone()
	for _, o := range d.b.live.Of("invite") {
		list = append(list, o.Key)
	}
	return list
}

func (d awaiting) OrganizationRole(email string) string {
	if o := d.b.live.Objects[inviteAddress(email)]; o != nil {
		return o.Get("organization_role").AsText()
	}
	return d.binder.OrganizationRole(email)
}

// ofSome is p without those who are in it only because they are somebody. The
// members of another group are mentioned by that group.
func ofSome(p schema.People) schema.People {
	all := func(list []schema.People) []schema.People {
		var out []schema.People
		for _, q := range list {
			out = append(out, ofSome(q))
		}
		return out
	}
	switch p := p.(type) {
	case *schema.Everyone, *schema.MembersOf:
		return &schema.Listed{}
	case *schema.Union:
		return &schema.Union{Of: all(p.Of)}
	case *schema.Minus:
		return &schema.Minus{From: ofSome(p.From), Without: p.Without}
	case *schema.Intersect:
		var of []schema.People
		for _, q := range p.Of {
			if _, everyone := q.(*schema.Everyone); !everyone {
				of = append(of, ofSome(q))
			}
		}
		if len(of) == 0 {
			return &schema.Listed{}
		}
		return &schema.Intersect{Of: of}
	}
	return p
}

// shownNames is how many names of unmanaged objects a finding lists.
const shownNames = 3

// unmanaged reports live objects that no block describes: those that are left
// alone, and by name those that are removed.
func (a *analysis) unmanaged() {
	for _, typ := range []string{"group", "invite", "member", "role"} {
		what := a.Description.Unmanaged[typ]
		var left, removed []string
		var first schema.Address
		for _, o := range a.b.live.Of(typ) {
			if slices.ContainsFunc(a.Description.Objects, func(d *schema.Object) bool { return d.Addr == o.Addr }) {
				continue
			}
			stays := a.b.desired.Objects[o.Addr] != nil
			switch {
			case what == "report" && stays: // what is removed is not left as found
				left = append(left, o.Key)
			case what == "remove" && !stays && !a.removedByName(o):
				removed = append(removed, o.Key)
			default:
				continue
			}
			if first == "" {
				first = o.Addr
			}
		}
		if len(left) > 0 {
			a.found = append(a.found, &finding{Rule: "unmanaged-object", Address: first,
				Message: fmt.Sprintf("%s live %s that no block describes, left as found: %s", schema.Thousands(len(left)), plural(typ, len(left)), namesOf(left, shownNames)),
				Fix:     fmt.Sprintf("describe them, or write unmanaged { %ss = \"ignore\" }", typ)})
		}
		if len(removed) > 0 {
			f := &finding{Rule: "unmanaged-object", Address: first,
				Message: fmt.Sprintf("%s live %s that no block describes, to be removed: %s", schema.Thousands(len(removed)), plural(typ, len(removed)), namesOf(removed, 10*shownNames)),
				Fix:     "describe what is to stay"}
			if typ == "member" {
				f.Members = removed
			}
			a.found = append(a.found, f)
		}
	}
}

// removedByName reports whether a removed block names a live object.
func (a *analysis) removedByName(o *schema.Object) bool {
	return slices.ContainsFunc(a.Config.Removals, func(r schema.Removal) bool {
		return r.From.Type() == o.Type && (r.ID != "" && r.ID == o.ID || r.ID == "" && r.Name == o.Key)
	})
}

func plural(noun string, n int) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// namesOf writes the first names, and how many more there are.
func namesOf(list []string, most int) string {
	if n := len(list) - most; n > 0 {
		return fmt.Sprintf("%s and %s more", strings.Join(list[:most], ", "), schema.Thousands(n))
	}
	return strings.Join(list, ", ")
}
