package claude

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

func (m *importer) roleBlocks() []*edit.Block {
	var blocks []*edit.Block
	twins := m.twins("role")
	for _, o := range m.byName("role") {
		b := m.named(o, twins)
		if b == nil {
			continue
		}
		m.roles[o.ID] = b.Address()
		if _, without := m.o.Without[b.Address()]; without {
			delete(m.roles, o.ID)
		}
		m.role(o, b)
		blocks = append(blocks, b)
	}
	return blocks
}

func (m *importer) role(o *schema.Object, b *edit.Block) {
	addr := b.Address()
	if v := o.Get(attrDescription); v.Known() && v.AsText() != "" && schema.NormalizeText(v.AsText()) == v.AsText() {
		b.Set("description", edit.Text(v.AsText()))
	}
	caps := o.Get(attrCapabilities)
	if caps.Kind() == schema.KindUnavailable {
		m.unsaid(addr, "its permissions", caps.Why())
		b.Note("Its permissions could not be read, so they are not managed here.")
		return
	}
	var labels []string
	missing := ""
	for _, l := range caps.AsSet() {
		to := cmp.Or(m.features[l], l)
		if _, without := m.o.Without[schema.MakeAddress("feature", to, "")]; without && newVocabulary().byLabel[to].label == "" {
			missing = to // only its block would make the capability known
		}
		labels = append(labels, to)
	}
	slices.Sort(labels)
	if missing != "" {
		m.unsaid(addr, "its capabilities: "+strings.Join(labels, ", "), "feature."+missing+" is not described")
		b.Note("capabilities are not managed here: " + strings.Join(labels, ", "))
	} else if blanket := slices.Contains(labels, labelAll) || slices.Contains(labels, labelAllGA); blanket && len(labels) > 1 {
		m.unsaid(addr, "its capabilities: "+strings.Join(labels, ", "), "a blanket grant stands alone in the language, and the role has other rows beside it")
		b.Note("capabilities are not managed here: " + strings.Join(labels, ", "))
	} else {
		b.Set("capabilities", edit.Texts(labels))
	}
	if admin := o.Get(attrAdmin).AsMap(); len(admin) > 0 {
		b.Set("admin_permissions", edit.Entries(admin))
	}
	m.roleConnectors(o, b)
	for _, row := range o.Get(attrOtherRows).AsSet() {
		m.unsaid(addr, "the row "+row, "the language has no word for it; it stays as it is")
	}
}

// connectorsOf are the connector levels of a role under the labels that they
// are written with.
type connectorsOf struct {
	base   string                       // what it gives on connectors that it does not name
	levels map[string]string            // by connector
	tools  map[string]map[string]string // by connector and tool
	below  map[string]string            // what was confirmed to be under base
}

// connectorsOf returns the connector levels of a live role.
func (m *importer) connectorsOf(o *schema.Object) connectorsOf {
	c := connectorsOf{o.Get(attrConnectorDefault).AsText(), map[string]string{}, map[string]map[string]string{}, map[string]string{}}
	for key, level := range o.Get(attrConnectors).AsMap() {
		c.levels[cmp.Or(m.connectors[key], key)] = level
	}
	for key, level := range o.Get(attrTools).AsMap() {
		live, tool := m.splitTool(key)
		label := cmp.Or(m.connectors[live], live)
		if c.tools[label] == nil {
			c.tools[label] = map[string]string{}
		}
		c.tools[label][tool] = level
	}
	for key, level := range o.Get(attrBelow).AsMap() {
		label := cmp.Or(m.connectors[key], key)
		c.below[label] = level
		switch { // no row shows these
		case level == "blocked":
			c.levels[label] = level
		case level == "custom" && c.tools[label] == nil:
			c.tools[label] = map[string]string{}
		}
	}
	return c
}

// named returns the connectors that are named, sorted.
func (c connectorsOf) named() []string {
	all := map[string]bool{}
	for label := range c.levels {
		all[label] = true
	}
	for label := range c.tools {
		all[label] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// unclear returns why the language cannot say the levels, if it cannot: not if
// one connector has both a level of its own and tools, and not if something is
// under a default that gives something, unless that was confirmed, because no
// row says what the connector's other tools then have.
func (c connectorsOf) unclear() []string {
	var why []string
	for _, label := range slices.Sorted(maps.Keys(c.tools)) {
		switch {
		case c.levels[label] != "":
			why = append(why, fmt.Sprintf("connector.%s has %s and other levels for single tools", label, c.levels[label]))
		case levelOf(c.base) > 0 && c.below[label] != "custom":
			why = append(why, fmt.Sprintf("no row says what the tools of connector.%s have that are not listed, under the default %s", label, c.base))
		}
	}
	for _, label := range slices.Sorted(maps.Keys(c.levels)) {
		if levelOf(c.levels[label]) < levelOf(c.base) && c.below[label] != c.levels[label] {
			why = append(why, fmt.Sprintf("connector.%s has %s, under the default %s", label, c.levels[label], c.base))
		}
	}
	return why
}

// write puts the levels into a block.
func (c connectorsOf) write(b *edit.Block) {
	b.Set("connector_default", edit.Text(c.base))
	for _, label := range c.named() {
		n := b.Nest("connector", label)
		if c.levels[label] != "" {
			n.Set("access", edit.Text(c.levels[label]))
		}
		if tools, ok := c.tools[label]; ok {
			n.Set("tools", edit.Entries(tools))
		}
	}
}

// roleConnectors writes the connector levels of a role, if the language can
// say them.
func (m *importer) roleConnectors(o *schema.Object, b *edit.Block) {
	c := m.connectorsOf(o)
	if !m.perms && (levelOf(c.base) > 0 || len(c.named()) > 0) {
		m.unsaid(b.Address(), "what it gives on connectors", `the configuration says connector_permissions = "off"`)
	}
	if !m.perms {
		return
	}
	if d := m.configured(o, m.twins("role")); d != nil && !o.Get(attrBelow).Known() {
		for _, n := range d.Of("connector") {
			if level := n.Text("access", ""); level != "" && levelOf(level) < levelOf(c.base) && c.levels[n.Label] != level {
				m.unsaid(b.Address(), "that it gives "+level+" on connector."+n.Label, "the configuration says so, no row shows it, and nobody confirmed it")
			}
		}
	}
	why := c.unclear()
	for _, label := range c.named() {
		if _, without := m.o.Without[schema.MakeAddress("connector", label, "")]; without {
			why = append(why, "connector."+label+" is not described")
		}
	}
	if len(why) == 0 {
		c.write(b)
		return
	}
	m.unsaid(b.Address(), "what it gives on connectors", strings.Join(why, "; "))
	b.Note("What it gives on connectors is not managed here. It has now:")
	shown := edit.NewBlock("")
	c.write(shown)
	for _, line := range shown.Lines() {
		b.Note(line)
	}
}
