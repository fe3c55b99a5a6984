package plan

import (
	"maps"
	"slices"

	"github.com/rolecall/rolecall/schema"
)

// Assumed returns the organization that a configuration describes, as if all
// of it were live and nothing else: what another configuration is compared
// with where there is no organization to look at. The people are those whom
// either of the two names; everyone, and who is in a domain, is worked out from
// them. Closed waves have not been carried out.
//
// Who is in the groups of the identity provider stands in no configuration. It
// is taken to be nobody, on both sides, and listed as unread.
func Assumed(in Input, other *schema.Description) *schema.State {
	in.Live = Population(in.System, in.Description, ListedBy(in.Description, other))
	synced := 0
	for _, o := range in.Description.Objects {
		if o.Type != "group" || o.Get("source").AsText() != "scim" {
			continue
		}
		g := &schema.Object{Type: o.Type, Addr: o.Addr, ID: o.ID, Key: o.Key}
		g.Put("source", schema.Text("scim"))
		g.Put("members", schema.Set())
		in.Live.Add(g)
		synced++
	}
	b := bind(in.Description, in.Live).b
	for addr, wave := range b.waves {
		if wave.Held != "" {
			b.desired.Objects[addr].Put(wave.Attr, b.live.Objects[addr].Get(wave.Attr))
		}
	}
	if synced > 0 {
		b.desired.Unread = append(b.desired.Unread, schema.Unread{
			What: "the members of " + schema.Count(synced, "group") + " that the identity provider fills",
			Why:  "a configuration does not list them", Affects: "who gains or loses by these groups",
		})
	}
	for _, addr := range slices.Sorted(maps.Keys(b.desired.Objects)) {
		o := b.desired.Objects[addr]
		o.Decl, o.AttrDecl = schema.Object{}.Decl, nil // where it stands in the other configuration is no concern of this one
		if o.ID == "" {
			o.ID = pinned(o, other)
		}
	}
	return b.desired
}

// pinned returns the id by which a description means an object that has none
// yet, "" if there is none: to write down an id is not to mean another object.
func pinned(o *schema.Object, d *schema.Description) string {
	for _, same := range []func(*schema.Object) bool{
		func(x *schema.Object) bool { return x.Addr == o.Addr },
		func(x *schema.Object) bool { return x.Key == o.Key },
	} {
		for _, x := range d.Objects {
			if x.Type == o.Type && x.Type != "organization" && x.ID != "" && same(x) {
				return x.ID
			}
		}
	}
	return ""
}
