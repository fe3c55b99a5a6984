package claude

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

// A pluginBlockOf is a plugin that has a block.
type pluginBlockOf struct {
	label string // of the block
	attr  string // what groups in the live state call their setting for it
}

// marketplaceBlocks returns a block for each marketplace of the organization.
func (m *importer) marketplaceBlocks() []*edit.Block {
	return m.installable("marketplace", func(o *schema.Object, b *edit.Block) {
		if v := o.Get(attrInstall); m.installed(b.Address(), v) {
			b.Set(attrInstall, edit.Text(v.AsText()))
		}
	})
}

// pluginBlocks returns a block for each plugin of the organization, and notes
// how groups speak of it. Plugins of members are nobody's policy and were not
// read.
func (m *importer) pluginBlocks() []*edit.Block {
	return m.installable("plugin", func(o *schema.Object, b *edit.Block) {
		m.plugins = append(m.plugins, pluginBlockOf{b.Labels[0], attrPlugin + m.pluginKey(o.Key)})
		switch v := o.Get(attrInstall); {
		case v.Kind() == schema.KindAbsent:
			b.Set(attrInstall, edit.Text(inherited))
		case m.installed(b.Address(), v):
			b.Set(attrInstall, edit.Text(v.AsText()))
		}
	})
}

// installable returns a block for each live object of a type that is known by
// its id, under the label that the configuration has for it. say writes what is
// live of it.
func (m *importer) installable(typ string, say func(*schema.Object, *edit.Block)) []*edit.Block {
	labels := map[string]string{}
	for _, d := range m.config.Of(typ) {
		if d.Key == "" { // an instance of a for_each has no label of its own
			labels[d.Text("id", "")] = d.Label
			m.taken(typ)[d.Label] = true
		}
	}
	list := m.live.Of(typ)
	slices.SortFunc(list, func(a, b *schema.Object) int {
		return cmp.Or(cmp.Compare(a.Get(attrName).AsText(), b.Get(attrName).AsText()), cmp.Compare(a.Key, b.Key))
	})
	var blocks []*edit.Block
	for _, o := range list {
		name := cmp.Or(o.Get(attrName).AsText(), o.Key)
		label, ok := labels[o.Key]
		if !ok {
			label = m.plainLabel(typ, strings.ToLower(name), strings.ToLower(name))
		}
		b := edit.NewBlock(typ, label)
		if name == label || name == o.Key {
			b.Set("id", edit.Text(o.Key))
		} else {
			b.Set("id", edit.Text(o.Key), "called "+name)
		}
		say(o, b)
		blocks = append(blocks, b)
	}
	return blocks
}

// installed reports whether a setting is one that the language can say, and
// lists it otherwise.
func (m *importer) installed(addr schema.Address, v schema.Value) bool {
	switch {
	case v.Kind() == schema.KindUnavailable:
		m.unsaid(addr, "how it is installed", v.Why())
	case slices.Contains(pluginLevels, v.AsText()):
		return true
	default:
		m.unsaid(addr, "that it is installed as "+v.AsText(), "the language has no word for it; it stays as it is")
	}
	return false
}

// groupPlugins writes the settings that a group has for plugins. Where it has
// none nothing is written: the plugin's own block says what holds.
func (m *importer) groupPlugins(o *schema.Object, b *edit.Block) {
	for _, p := range m.plugins {
		v := o.Get(p.attr)
		if v.Kind() == schema.KindAbsent {
			continue
		}
		addr := schema.MakeAddress("plugin", p.label, "")
		if _, without := m.o.Without[addr]; without {
			m.unsaid(b.Address(), "its setting for "+string(addr), string(addr)+" is not described")
			continue
		}
		if m.installed(b.Address(), v) {
			b.Nest("plugin", p.label).Set(attrInstall, edit.Text(v.AsText()))
		}
	}
}
