package claude

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

// An importer writes the configuration of a live state.
type importer struct {
	*System
	live   *schema.State
	o      providers.ImportOptions
	labels map[string]map[string]bool // labels that are in use, by type

	features   map[string]string                 // label of a capability in the state to the label it gets
	connectors map[string]string                 // the same for connectors
	roles      map[string]schema.Address         // id to address, without those that cannot be described
	plugins    []pluginBlockOf                   // that are described, as groups speak of them
	invited    map[string][]string               // who is invited into a group, by its id
	moved      map[schema.Address]schema.Address // addresses of the configuration to those that are written

	out providers.Imported
}

// Import describes a live state as it is. Blocks of the configuration that it
// was read with, whose labels stand in the state, are taken over; what they
// say of it is as it is live.
func (s *System) Import(live *schema.State, o providers.ImportOptions) *providers.Imported {
	m := &importer{System: s, live: live, o: o, labels: map[string]map[string]bool{}, features: map[string]string{}, connectors: map[string]string{},
		roles: map[string]schema.Address{}, moved: map[schema.Address]schema.Address{}}
	for addr := range o.Described {
		m.taken(addr.Type())[strings.TrimPrefix(string(addr), addr.Type()+".")] = true
	}
	m.file("organization.hcl", []string{"The organization, as it was found."}, m.organization()...)
	m.file("connectors.hcl", edit.Wrap("The connectors that roles speak of. No API tells a connector's name or its tool policy: look them up in the console, rename the labels, and write policy or tool_policy where it is not always_allow."), m.connectorBlocks()...)
	m.file("features.hcl", edit.Wrap("The switches of the organization: off means that nobody has the feature, whatever a role says."), m.featureBlocks()...)
	m.file("roles.hcl", edit.Wrap("Custom roles. A member of a group has what any of its roles gives: roles add up, and the most permissive one wins."), m.roleBlocks()...)
	m.file("plugins.hcl", edit.Wrap("Plugin marketplaces, and the plugins of the organization. A plugin that inherits has what its marketplace says; a group that has a setting for a plugin replaces what is said here, for its members."), slices.Concat(m.marketplaceBlocks(), m.pluginBlocks())...)
	m.file("groups.hcl", edit.Wrap("Groups. A list of members is complete: whoever is not on it is taken out of the group by the next apply."), m.groupBlocks()...)
	m.file("seats.hcl", edit.Wrap("Seat tiers. No API shows who has which seat: write members, and confirm them with rolecall confirm. excludes says what a seat does not have, whatever a role gives."), m.seatBlocks()...)
	m.file("members.hcl", edit.Wrap("People of whom something is said that no group says. All other members of the organization have no block."), m.memberBlocks()...)
	m.file("mappings.hcl", edit.Wrap("Which groups of the identity provider are mapped to which organization role. No API shows it: it is as it was confirmed."), m.mappingBlocks()...)
	m.unread()
	m.ledger()
	return &m.out
}

// unread lists what could not be read as a whole, as far as no object says so.
func (m *importer) unread() {
	for _, u := range m.live.Unread {
		if u.What == MissingPlugins || u.What == MissingInvites || u.What == MissingEvents {
			m.unsaid("organization", u.What, u.Why)
		}
	}
}

// ledger has what was confirmed go along with the blocks that it is about: what
// is written is as the ledger beside the configuration says. That of an emulator
// stays apart, as everywhere.
func (m *importer) ledger() {
	if same, err := sameDir(m.o.Dir, m.config.Dir); err != nil || same {
		return
	}
	for _, dir := range []string{".", filepath.Base(emulatedLedger(""))} {
		l, err := ledger.Open(filepath.Join(m.config.Dir, dir))
		if err != nil || l.Empty() { // a live state was read by it, so it can be read
			continue
		}
		l.Move(m.config.Now)
		l.Move(func(a schema.Address) schema.Address { return cmp.Or(m.moved[a], a) })
		if data, err := l.Encode(); err == nil {
			m.out.Tables = append(m.out.Tables, providers.Table{Name: filepath.ToSlash(filepath.Join(dir, ledger.FileName)), Data: data})
		}
	}
}

// sameDir reports whether two paths lead to one directory.
func sameDir(a, b string) (bool, error) {
	a, errA := filepath.Abs(a)
	b, errB := filepath.Abs(b)
	return a == b, errors.Join(errA, errB)
}

func (m *importer) file(name string, comment []string, blocks ...*edit.Block) {
	blocks = slices.DeleteFunc(blocks, func(b *edit.Block) bool { return m.described(b) })
	if len(blocks) > 0 {
		m.out.Files = append(m.out.Files, &edit.File{Name: name, Comment: comment, Blocks: blocks})
	}
}

// described reports whether a block is written already, or must not be.
func (m *importer) described(b *edit.Block) bool {
	addr := b.Address()
	if why, ok := m.o.Without[addr]; ok {
		m.unsaid(addr, "the whole "+b.Type, why)
		return true
	}
	return m.o.Described[addr]
}

func (m *importer) unsaid(addr schema.Address, what, why string) {
	m.out.Unsaid = append(m.out.Unsaid, providers.Unsaid{Address: addr, What: what, Why: why})
}

func (m *importer) taken(typ string) map[string]bool {
	if m.labels[typ] == nil {
		m.labels[typ] = map[string]bool{}
	}
	return m.labels[typ]
}

// object returns what is live at an address, an object without anything if
// nothing is.
func (m *importer) object(addr schema.Address) *schema.Object {
	if o := m.live.Objects[addr]; o != nil {
		return o
	}
	return &schema.Object{}
}

// plainLabel returns a label for what the product calls by a word of its own:
// the word itself if a block can be called so, else one made of name.
func (m *importer) plainLabel(typ, word, name string) string {
	label := word
	if plain := schema.MakeAddress(typ, word, "") == schema.Address(typ+"."+word); name != word || !plain || m.taken(typ)[word] {
		label = edit.Label(name, typ, m.taken(typ))
	}
	m.taken(typ)[label] = true
	return label
}

// byName returns the objects of a type as people look for them: by name, and
// by id where names are the same.
func (m *importer) byName(typ string) []*schema.Object {
	list := m.live.Of(typ)
	slices.SortFunc(list, func(a, b *schema.Object) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Key), strings.ToLower(b.Key)), cmp.Compare(a.Key, b.Key), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// twins returns the names that several live objects of a type have.
func (m *importer) twins(typ string) map[string]bool {
	seen, twins := map[string]bool{}, map[string]bool{}
	for _, o := range m.live.Of(typ) {
		if seen[o.Key] {
			twins[o.Key] = true
		}
		seen[o.Key] = true
	}
	return twins
}

// configured returns the block of the configuration that describes a role or
// group, nil if there is none that is sure to.
func (m *importer) configured(o *schema.Object, twins map[string]bool) *schema.Described {
	for _, d := range m.config.Of(o.Type) {
		name := schema.NormalizeText(d.Text("name", nameOf(d)))
		if id := d.Text("id", ""); id != "" && id == o.ID || id == "" && name == o.Key && !twins[o.Key] {
			return d
		}
	}
	return nil
}

// named starts the block of a role or group, under the label that the
// configuration has for it. It returns nil if the language cannot say its name.
func (m *importer) named(o *schema.Object, twins map[string]bool) *edit.Block {
	d := m.configured(o, twins)
	label := ""
	switch {
	case d == nil || d.Key != "" || m.taken(o.Type)[d.Label]: // an instance of a for_each has no label of its own
		label = edit.Label(o.Key, o.Type, m.taken(o.Type))
	default:
		label = d.Label
		m.taken(o.Type)[label] = true
	}
	b := edit.NewBlock(o.Type, label)
	if d != nil && d.Addr != b.Address() {
		m.moved[d.Addr] = b.Address()
	}
	if n := len(o.Key); n < 1 || n > 255 {
		m.unsaid(b.Address(), "the whole "+o.Type, fmt.Sprintf("its name has %d characters, and one in a configuration has 1 to 255", n))
		return nil
	}
	if twins[o.Key] {
		b.Set("id", edit.Text(o.ID), "not the only one of this name")
	}
	if o.Key != label {
		b.Set("name", edit.Text(o.Key))
	}
	return b
}
