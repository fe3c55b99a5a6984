package claude

import (
	"cmp"
	"maps"
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

// connectorBlocks returns a block for each connector that a role speaks of,
// or that the configuration describes.
func (m *importer) connectorBlocks() []*edit.Block {
	ids := map[string]bool{}
	for _, r := range m.live.Of("role") {
		for _, attr := range []string{attrConnectors, attrBelow} {
			for key := range r.Get(attr).AsMap() {
				ids[key] = true
			}
		}
		for key := range r.Get(attrTools).AsMap() {
			label, _ := m.splitTool(key)
			ids[label] = true
		}
	}
	var blocks []*edit.Block
	for _, d := range m.config.Of("connector") {
		m.taken("connector")[d.Label] = true
		m.connectors[d.Label] = d.Label
		b := edit.Copy(d, connectorBlock)
		m.policies(b, m.live.Objects[schema.MakeAddress("connector", d.Label, "")], d)
		blocks = append(blocks, b)
		delete(ids, d.Label)
	}
	for _, o := range m.byName("connector") { // known by more than an id
		if _, described := m.System.labels[o.Key]; described || !ids[o.Key] && !o.Get(attrPolicy).Known() && len(o.Get(attrToolPolicy).AsMap()) == 0 {
			continue
		}
		b := m.newConnector(o.Key, cmp.Or(o.Get(attrName).AsText(), o.Key))
		m.policies(b, o, nil)
		blocks = append(blocks, b)
		delete(ids, o.Key)
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		blocks = append(blocks, m.newConnector(id, id))
	}
	return blocks
}

// policies writes the tool policy of a connector as it is known to be, in the
// place of what the configuration's block d says.
func (m *importer) policies(b *edit.Block, o *schema.Object, d *schema.Described) {
	for _, attr := range []string{attrPolicy, attrToolPolicy} {
		v := schema.Absent
		if o != nil {
			v = o.Get(attr)
		}
		switch {
		case v.Kind() == schema.KindText:
			b.Set(attr, edit.Text(v.AsText()))
		case v.Kind() == schema.KindMap && (len(v.AsMap()) > 0 || d != nil && d.Attr(attr) != nil):
			b.Set(attr, edit.Entries(v.AsMap()))
		default:
			b.Unset(attr)
		}
		switch {
		case v.Kind() == schema.KindUnavailable:
			m.unsaid(b.Address(), "its "+attr, v.Why())
		case v.Kind() == schema.KindAbsent && d != nil && d.Attr(attr) != nil:
			m.unsaid(b.Address(), "its "+attr, "the configuration has one, and nothing shows or confirmed that it is in force")
		}
	}
}

// newConnector returns the block of a connector, which is called by its id if
// nothing else is known.
func (m *importer) newConnector(id, name string) *edit.Block {
	label := m.plainLabel("connector", id, name)
	m.connectors[id] = label
	b := edit.NewBlock("connector", label)
	b.Set("id", edit.Text(id))
	return b
}
