package claude

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

func (m *importer) groupBlocks() []*edit.Block {
	var blocks []*edit.Block
	var groups []*schema.Object
	twins := m.twins("group")
	lists := map[string]bool{} // groups whose members are written, by id
	for _, o := range m.byName("group") {
		b := m.named(o, twins)
		if b == nil {
			continue
		}
		_, without := m.o.Without[b.Address()]
		lists[o.ID] = !without && o.Get(attrSource).AsText() != "scim" && o.Get(attrMembers).Known() && !slices.ContainsFunc(o.Get(attrMembers).AsSet(), unsayableAddress)
		blocks, groups = append(blocks, b), append(groups, o)
	}
	m.invites(lists)
	for i, o := range groups {
		m.group(o, blocks[i])
	}
	return blocks
}

func (m *importer) group(o *schema.Object, b *edit.Block) {
	addr := b.Address()
	scim := o.Get(attrSource).AsText() == "scim"
	if scim {
		b.Set("source", edit.Text("scim"), "the identity provider owns its name and its members")
	}
	m.groupRoles(o, b)
	if n := o.Get(attrForeignMembers).AsText(); n != "" {
		b.Note("With people of other organizations under the same parent: " + n)
		m.unsaid(addr, n+" members who are people of other organizations", "they are counted, shown and left alone")
	}
	if !scim {
		m.groupMembers(o, b)
	}
	m.limit(b, addr, o.Get(attrLimit))
	m.groupPlugins(o, b)
}

// groupRoles writes the roles of a group.
func (m *importer) groupRoles(o *schema.Object, b *edit.Block) {
	roles := o.Get(attrRoles)
	if roles.Kind() == schema.KindUnavailable {
		m.unsaid(b.Address(), "its roles", roles.Why())
		b.Note("Its roles could not be read, so they are not managed here.")
		return
	}
	var refs []schema.Address
	for _, id := range roles.AsSet() {
		ref, ok := m.roles[id]
		if !ok {
			m.unsaid(b.Address(), "its roles", fmt.Sprintf("one of them, %s, is not described", id))
			b.Note("Its roles are not managed here, because one of them is not described: " + id)
			return
		}
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	b.Set("roles", edit.Refs(refs))
	for _, id := range o.Get(attrForeignRoles).AsSet() {
		b.Note("And a role of another organization, which stays: " + id)
		m.unsaid(b.Address(), "the role "+id, "it is another organization's, and is left alone")
	}
}

// groupMembers writes the members of a group, and those who are invited into
// it: as a list, or as a table beside the configuration if there are many.
func (m *importer) groupMembers(o *schema.Object, b *edit.Block) {
	v := o.Get(attrMembers)
	if v.Kind() == schema.KindUnavailable {
		m.unsaid(b.Address(), "its members", v.Why())
		b.Note("Its members could not be read, so they are not managed here.")
		return
	}
	list := slices.Clone(v.AsSet())
	if i := slices.IndexFunc(list, unsayableAddress); i >= 0 {
		m.unsaid(b.Address(), "its members", fmt.Sprintf("%q is not an address that the language can say", list[i]))
		b.Note("Its members are not managed here, because one of them has an address that cannot be written.")
		return
	}
	if len(list) > 1 && len(list) == len(m.live.Of("member")) {
		b.Note("Everybody, as of now. To have whoever joins in it too, write members = everyone.")
	}
	notes := map[string]string{}
	for _, email := range m.invited[o.ID] {
		list = append(list, email)
		notes[email] = "invited"
	}
	slices.Sort(list)
	table := m.o.CSV > 0 && len(list) >= m.o.CSV
	for _, email := range list {
		table = table && !strings.ContainsAny(email[:1], "=+-@") // a spreadsheet would take it for a formula
	}
	if !table {
		b.Set("members", edit.TextsWithNotes(list, notes))
		return
	}
	name := "members/" + b.Labels[0] + ".csv"
	m.out.Tables = append(m.out.Tables, providers.Table{Name: name, Data: m.table(list)})
	b.Set("members", edit.Source(fmt.Sprintf("[for p in csvdecode(file(%q)) : p.email]", name)))
}

// table writes members as a table. The names are for people who read it.
func (m *importer) table(emails []string) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{{"email", "name"}}
	for _, email := range emails {
		name := ""
		if o := m.live.Objects[memberAddress(email)]; o != nil {
			name = o.Get(attrName).AsText()
		}
		if name != "" && !isWordStart(name) {
			name = "'" + name
		}
		rows = append(rows, []string{email, name})
	}
	_ = w.WriteAll(rows) // into memory
	return out.Bytes()
}

// isWordStart reports whether a text starts with a letter or digit, so that no
// spreadsheet takes it for a formula.
func isWordStart(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return r > 0x7f && !strings.ContainsRune("＝＋－＠", r) || 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9'
	}) == 0
}
