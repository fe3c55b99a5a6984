package claude

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

func (m *importer) memberBlocks() []*edit.Block {
	var blocks []*edit.Block
	for _, o := range m.byName("member") {
		if !o.Get(attrLimit).Known() {
			continue
		}
		addr := schema.MakeAddress("member", o.Key, "")
		if unsayableAddress(o.Key) {
			m.unsaid(addr, "an individual spend limit", "the address is not one that the language can say")
			continue
		}
		b := edit.NewBlock("member", o.Key)
		if m.limit(b, addr, o.Get(attrLimit)); !b.Empty() {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// unsayableAddress reports whether an e-mail address cannot be written as it is.
func unsayableAddress(email string) bool {
	canonical, err := schema.ParseEmail(email)
	return err != nil || canonical != email
}

// invites finds out which groups list people who were invited and have not
// accepted: with their names left out, the apply after they accept would take
// them out of their groups. lists says of which groups the members are written.
// What the language cannot say of an invite is listed.
//
// Where the configuration has rolecall send invites, one that it would send
// otherwise is not described at all, so that it is not withdrawn.
func (m *importer) invites(lists map[string]bool) {
	m.invited = map[string][]string{}
	sends := m.sends()
	for _, o := range m.byName("invite") {
		groups := o.Get(attrGroups).AsSet()
		role := o.Get(attrOrganizationRole).AsText()
		as := fmt.Sprintf("the pending invite as %s into %s", quoted(cmp.Or(roleTitle[role], role)), schema.Count(len(groups), "group"))
		_, without := m.o.Without[o.Addr]
		all := !slices.ContainsFunc(groups, func(id string) bool { return !lists[id] })
		const unmanaged = `invites are not managed where the organization does not say invites = "send"`
		switch {
		case unsayableAddress(o.Key):
			m.unsaid(o.Addr, as, "the address is not one that the language can say")
			continue
		case m.live.Objects[memberAddress(o.Key)] != nil:
			m.unsaid(o.Addr, as, "the person is a member already")
			continue
		case sends && (without || role != roleUser || len(groups) == 0 || !all):
			m.unsaid(o.Addr, as, "rolecall would send another in its place, so no group lists the person until they accept")
			continue
		case sends:
		case len(groups) == 0:
			m.unsaid(o.Addr, as, unmanaged)
		case !all:
			m.unsaid(o.Addr, as, unmanaged+"; those of the groups whose members are described list the person")
		default:
			m.unsaid(o.Addr, as, unmanaged+"; the groups list the person")
		}
		for _, id := range groups {
			m.invited[id] = append(m.invited[id], o.Key)
		}
	}
}

// sends reports whether the configuration has invites sent.
func (m *importer) sends() bool {
	if noInvites(m.live) != "" {
		return false
	}
	for _, d := range m.config.Of("organization") {
		return d.Text("invites", "report") == "send"
	}
	return false
}

// seatBlocks returns a block for each seat tier that the configuration
// describes, that has a limit, or of which it was confirmed who has it.
func (m *importer) seatBlocks() []*edit.Block {
	var blocks []*edit.Block
	written := map[string]bool{}
	add := func(b *edit.Block, key string, d *schema.Described) {
		written[key] = true
		var o *schema.Object
		for _, live := range m.live.Of("seat_tier") {
			if live.Key == key {
				o = live
			}
		}
		if o == nil {
			o = &schema.Object{}
		}
		switch v := o.Get(attrMembers); {
		case v.Known():
			b.Set(attrMembers, edit.Texts(v.AsSet()))
		case d != nil && d.Attr(attrMembers) != nil:
			m.unsaid(b.Address(), "who has it", "the configuration says who, and nobody confirmed it")
		default:
			m.unsaid(b.Address(), "who has it", "no API shows the seat of a member, and nobody confirmed it")
		}
		m.limit(b, b.Address(), o.Get(attrLimit))
		blocks = append(blocks, b)
	}
	for _, d := range m.config.Of("seat_tier") {
		if d.Key != "" { // an instance of a for_each has no label of its own
			continue
		}
		m.taken("seat_tier")[d.Label] = true
		b := edit.Copy(d, seatTierBlock)
		b.Unset(attrMembers)
		b.Unnest("spend_limit")
		add(b, d.Text("id", d.Label), d)
	}
	for _, o := range m.byName("seat_tier") {
		if written[o.Key] {
			continue
		}
		label := m.plainLabel("seat_tier", o.Key, o.Key)
		b := edit.NewBlock("seat_tier", label)
		if label != o.Key {
			b.Set("id", edit.Text(o.Key))
		}
		add(b, o.Key, nil)
	}
	return blocks
}

// mappingBlocks returns a block for each mapping of the identity provider that
// was confirmed.
func (m *importer) mappingBlocks() []*edit.Block {
	mode := m.object("organization").Get(attrProvisioning).AsText()
	mapped := mode == "" || strings.HasSuffix(mode, "_advanced")
	var blocks []*edit.Block
	for _, o := range m.byName("role_mapping") {
		b := edit.NewBlock("role_mapping", o.Key)
		switch role := o.Get(attrRole); {
		case !mapped:
			m.unsaid(b.Address(), "that it was confirmed", "under this provisioning mode the identity provider decides no organization role")
			continue
		case !role.Known():
			continue
		default:
			b.Set(attrRole, edit.Text(role.AsText()))
		}
		blocks = append(blocks, b)
	}
	return blocks
}
