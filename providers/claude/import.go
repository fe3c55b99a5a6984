package claude

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
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

	features   map[string]string         // label of a capability in the state to the label it gets
	connectors map[string]string         // the same for connectors
	roles      map[string]schema.Address // id to address, "" for a role that cannot be described
	groups     map[string]schema.Address // id to address

	out providers.Imported
}

// Import describes a live state as it is. Blocks of the configuration that it
// was read with, whose labels stand in the state, are taken over.
func (s *System) Import(live *schema.State, o providers.ImportOptions) *providers.Imported {
	m := &importer{System: s, live: live, o: o, labels: map[string]map[string]bool{}, features: map[string]string{}, connectors: map[string]string{},
		roles: map[string]schema.Address{}, groups: map[string]schema.Address{}}
	for addr := range o.Described {
		m.taken(addr.Type())[strings.TrimPrefix(string(addr), addr.Type()+".")] = true
	}
	m.file("organization.hcl", []string{"The organization, as it was found."}, m.organization()...)
	m.file("connectors.hcl", edit.Wrap("The connectors that roles speak of. No API tells a connector's name or its tool policy: look them up in the console, rename the labels, and write policy or tool_policy where it is not always_allow."), m.connectorBlocks()...)
	m.file("features.hcl", edit.Wrap("The switches of the organization: off means that nobody has the feature, whatever a role says."), m.featureBlocks()...)
	m.file("roles.hcl", edit.Wrap("Custom roles. A member of a group has what any of its roles gives: roles add up, and the most permissive one wins."), m.roleBlocks()...)
	m.file("groups.hcl", edit.Wrap("Groups. A list of members is complete: whoever is not on it is taken out of the group by the next apply."), m.groupBlocks()...)
	m.file("members.hcl", edit.Wrap("People of whom something is said that no group says. All other members of the organization have no block."), m.memberBlocks()...)
	m.ledger()
	return &m.out
}

// ledger has what was confirmed go along with the blocks that it is about: what
// is written is as the ledger beside the configuration says.
func (m *importer) ledger() {
	if same, err := sameDir(m.o.Dir, m.config.Dir); err != nil || same {
		return
	}
	l, err := ledger.Open(m.config.Dir)
	if err != nil || l.Empty() { // a live state was read by it, so it can be read
		return
	}
	if data, err := l.Encode(); err == nil {
		m.out.Tables = append(m.out.Tables, providers.Table{Name: ledger.FileName, Data: data})
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

// byName returns the objects of a type as people look for them: by name, and
// by id where names are the same.
func (m *importer) byName(typ string) []*schema.Object {
	list := m.live.Of(typ)
	slices.SortFunc(list, func(a, b *schema.Object) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Key), strings.ToLower(b.Key)), cmp.Compare(a.Key, b.Key), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// organization returns the organization block: what the configuration says
// already, and what can be read.
func (m *importer) organization() []*edit.Block {
	o := m.live.Objects["organization"]
	if o == nil {
		o = &schema.Object{}
	}
	for _, d := range m.config.Of("organization") {
		if m.o.Described[d.Addr] {
			return nil
		}
		if d.Label != "" {
			b := edit.Copy(d, organizationBlock)
			if o.ID != "" {
				b.Set("id", edit.Text(o.ID))
			}
			m.provisioning(b, o)
			for _, api := range b.Nested("api") {
				if seed := apiBlock(m.config).Text("emulator", ""); seed != "" { // relative to another directory now
					api.Set("emulator", edit.Text(m.elsewhere(seed)))
				}
			}
			return []*edit.Block{b}
		}
	}
	b := edit.NewBlock("organization", edit.Label(o.Key, "organization", m.taken("organization")))
	b.Set("system", edit.Text(language.Name))
	if o.ID != "" {
		b.Set("id", edit.Text(o.ID), "of "+o.Key)
	}
	m.provisioning(b, o)
	for _, line := range []string{
		"",
		"No API shows these. They are what rolecall takes for granted; correct what is",
		"otherwise, because what a role or a limit gives depends on it.",
		`connector_permissions = "on"      # or "off"`,
		`billing               = "usage"   # or "seats"`,
		`spend_precedence      = "lowest"  # or "highest": which of several group limits wins`,
	} {
		b.Note(line)
	}
	if spend := m.live.Objects[spendAddress]; spend != nil {
		m.limit(b, "organization", spend.Get(attrLimit))
	}
	return []*edit.Block{b}
}

// provisioning writes the provisioning mode, if it was read.
func (m *importer) provisioning(b *edit.Block, o *schema.Object) {
	mode := o.Get(attrProvisioning).AsText()
	for word, api := range provisioning {
		if api == mode {
			b.Set("provisioning", edit.Text(word))
			return
		}
	}
	if mode != "" {
		m.unsaid("organization", "the provisioning mode "+mode, "the language has no word for it")
	}
}

// elsewhere turns a path of the configuration into one of the directory that
// is written.
func (m *importer) elsewhere(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	path = filepath.Join(m.config.Dir, path)
	from, errFrom := filepath.Abs(m.o.Dir)
	to, errTo := filepath.Abs(path)
	if rel, err := filepath.Rel(from, to); err == nil && errFrom == nil && errTo == nil {
		return filepath.ToSlash(rel)
	}
	return path
}

// limit adds a spend_limit block for a limit that is known. It returns false
// if the language cannot say it.
func (m *importer) limit(b *edit.Block, addr schema.Address, v schema.Value) bool {
	switch v.Kind() {
	case schema.KindAbsent:
		return true
	case schema.KindUnavailable:
		m.unsaid(addr, "the spend limit", v.Why())
		return true
	}
	if v.AsText() == "unlimited" {
		b.Nest("spend_limit").Set("unlimited", edit.Bool(true))
		return true
	}
	major := schema.Major(v.AsText())
	if minor, err := minorUnits(major); err != nil || minor != v.AsText() {
		m.unsaid(addr, "the spend limit "+v.AsText(), "it is not an amount that the language can say")
		return false
	}
	b.Nest("spend_limit").Set("monthly", edit.Text(major))
	return true
}

// connectorBlocks returns a block for each connector that a role speaks of,
// or that the configuration describes.
func (m *importer) connectorBlocks() []*edit.Block {
	ids := map[string]bool{}
	for _, r := range m.live.Of("role") {
		for key := range r.Get(attrConnectors).AsMap() {
			ids[key] = true
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
		blocks = append(blocks, edit.Copy(d, connectorBlock))
		delete(ids, d.Label)
	}
	for _, o := range m.byName("connector") { // known by more than an id
		if _, described := m.System.labels[o.Key]; described || !ids[o.Key] && !o.Get(attrPolicy).Known() && len(o.Get(attrToolPolicy).AsMap()) == 0 {
			continue
		}
		b := m.newConnector(o.Key, cmp.Or(o.Get(attrName).AsText(), o.Key))
		if v := o.Get(attrPolicy); v.Known() {
			b.Set("policy", edit.Text(v.AsText()))
		}
		if v := o.Get(attrToolPolicy); len(v.AsMap()) > 0 {
			b.Set("tool_policy", edit.Entries(v.AsMap()))
		}
		blocks = append(blocks, b)
		delete(ids, o.Key)
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		blocks = append(blocks, m.newConnector(id, id))
	}
	return blocks
}

// newConnector returns the block of a connector, which is called by its id if
// nothing else is known.
func (m *importer) newConnector(id, name string) *edit.Block {
	label := id
	if plain := schema.MakeAddress("connector", id, "") == schema.Address("connector."+id); name != id || !plain || m.taken("connector")[id] {
		label = edit.Label(name, "connector", m.taken("connector"))
	}
	m.taken("connector")[label] = true
	m.connectors[id] = label
	b := edit.NewBlock("connector", label)
	b.Set("id", edit.Text(id))
	return b
}

// featureBlocks returns a block for each feature that is known to be on or
// off, and for each capability of a role that is not built in.
func (m *importer) featureBlocks() []*edit.Block {
	var blocks []*edit.Block
	builtin := newVocabulary()
	written := map[string]bool{}
	for _, o := range m.live.Of("feature") {
		label := m.words.label(o.Key)
		written[o.Key] = true
		v := o.Get(attrEnabled)
		if !v.Known() {
			m.unsaid(o.Addr, "whether it is on", v.Why())
			if _, ok := builtin.byLabel[label]; ok {
				m.features[label] = label
				continue
			}
		}
		blocks = append(blocks, m.feature(builtin, label, o.Key, v))
	}
	for _, r := range m.live.Of("role") {
		for _, label := range r.Get(attrCapabilities).AsSet() {
			action := m.words.action(label)
			if label == labelAll || label == labelAllGA || written[action] {
				continue
			}
			written[action] = true
			if _, ok := builtin.byLabel[label]; ok {
				m.features[label] = label
				continue
			}
			blocks = append(blocks, m.feature(builtin, label, action, schema.Absent))
		}
	}
	slices.SortFunc(blocks, func(a, b *edit.Block) int { return cmp.Compare(a.Labels[0], b.Labels[0]) })
	return blocks
}

// feature returns the block of a feature. If nothing shows it and a role still
// has it, the activity feed has recorded that; a reply would show it if the
// feature were on.
func (m *importer) feature(builtin *vocabulary, label, action string, v schema.Value) *edit.Block {
	for _, d := range m.config.Of("feature") {
		if d.Label == label {
			m.features[label] = label
			m.taken("feature")[label] = true
			b := edit.Copy(d, featureBlock)
			b.Set("enabled", edit.Bool(v.AsBool()))
			return b
		}
	}
	known, ok := builtin.byLabel[label]
	to := label
	if !ok || known.action != action {
		to = edit.Label(action, "feature", m.taken("feature"))
	}
	m.features[label] = to
	b := edit.NewBlock("feature", to)
	b.Set("enabled", edit.Bool(v.AsBool()))
	if !ok {
		if to != action {
			b.Set("action", edit.Text(action))
		}
		b.Set("setting", edit.Text(""), "none is known for it")
		b.Comment = edit.Wrap("A role grants this capability, which this version of rolecall does not know by name.")
	}
	return b
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

// named starts the block of a role or group, nil if the language cannot say
// its name.
func (m *importer) named(o *schema.Object, twins map[string]bool) *edit.Block {
	label := edit.Label(o.Key, o.Type, m.taken(o.Type))
	b := edit.NewBlock(o.Type, label)
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

// roleConnectors writes the connector levels of a role, if the language can
// say them: not if one connector has both a level of its own and tools, and
// not if tools stand under a default that gives something, because no row says
// what the connector's other tools then have.
func (m *importer) roleConnectors(o *schema.Object, b *edit.Block) {
	base := o.Get(attrConnectorDefault).AsText()
	levels := map[string]string{}
	for key, level := range o.Get(attrConnectors).AsMap() {
		levels[cmp.Or(m.connectors[key], key)] = level
	}
	tools := map[string]map[string]string{}
	for key, level := range o.Get(attrTools).AsMap() {
		live, tool := m.splitTool(key)
		label := cmp.Or(m.connectors[live], live)
		if tools[label] == nil {
			tools[label] = map[string]string{}
		}
		tools[label][tool] = level
	}
	var why []string
	for _, label := range slices.Sorted(maps.Keys(tools)) {
		if levels[label] != "" {
			why = append(why, fmt.Sprintf("connector.%s has %s and other levels for single tools", label, levels[label]))
		} else if levelOf(base) > 0 {
			why = append(why, fmt.Sprintf("no row says what the tools of connector.%s have that are not listed, under the default %s", label, base))
		}
	}
	for _, label := range append(slices.Sorted(maps.Keys(levels)), slices.Sorted(maps.Keys(tools))...) {
		if _, without := m.o.Without[schema.MakeAddress("connector", label, "")]; without {
			why = append(why, "connector."+label+" is not described")
		}
	}
	for _, label := range slices.Sorted(maps.Keys(levels)) {
		if levelOf(levels[label]) < levelOf(base) {
			why = append(why, fmt.Sprintf("connector.%s has %s, under the default %s", label, levels[label], base))
		}
	}
	write := func(b *edit.Block) {
		b.Set("connector_default", edit.Text(base))
		all := maps.Clone(tools)
		for label := range levels {
			if all[label] == nil {
				all[label] = nil
			}
		}
		for _, label := range slices.Sorted(maps.Keys(all)) {
			n := b.Nest("connector", label)
			if levels[label] != "" {
				n.Set("access", edit.Text(levels[label]))
			}
			if len(tools[label]) > 0 {
				n.Set("tools", edit.Entries(tools[label]))
			}
		}
	}
	if len(why) == 0 {
		write(b)
		return
	}
	m.unsaid(b.Address(), "what it gives on connectors", strings.Join(why, "; "))
	b.Note("What it gives on connectors is not managed here. It has now:")
	shown := edit.NewBlock("")
	write(shown)
	for _, line := range shown.Lines() {
		b.Note(line)
	}
}

func (m *importer) groupBlocks() []*edit.Block {
	var blocks []*edit.Block
	twins := m.twins("group")
	everyone := len(m.live.Of("member"))
	for _, o := range m.byName("group") {
		b := m.named(o, twins)
		if b == nil {
			continue
		}
		m.groups[o.ID] = b.Address()
		m.group(o, b, everyone)
		blocks = append(blocks, b)
	}
	return blocks
}

func (m *importer) group(o *schema.Object, b *edit.Block, everyone int) {
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
		m.groupMembers(o, b, everyone)
	}
	m.limit(b, addr, o.Get(attrLimit))
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

// groupMembers writes the members of a group: as a list, or as a table beside
// the configuration if there are many.
func (m *importer) groupMembers(o *schema.Object, b *edit.Block, everyone int) {
	v := o.Get(attrMembers)
	if v.Kind() == schema.KindUnavailable {
		m.unsaid(b.Address(), "its members", v.Why())
		b.Note("Its members could not be read, so they are not managed here.")
		return
	}
	list := v.AsSet()
	for _, email := range list {
		if canonical, err := schema.ParseEmail(email); err != nil || canonical != email {
			m.unsaid(b.Address(), "its members", fmt.Sprintf("%q is not an address that the language can say", email))
			b.Note("Its members are not managed here, because one of them has an address that cannot be written.")
			return
		}
	}
	if len(list) > 1 && len(list) == everyone {
		b.Note("Everybody, as of now. To have whoever joins in it too, write members = everyone.")
	}
	table := m.o.CSV > 0 && len(list) >= m.o.CSV
	for _, email := range list {
		table = table && !strings.ContainsAny(email[:1], "=+-@") // a spreadsheet would take it for a formula
	}
	if !table {
		b.Set("members", edit.Texts(list))
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

func (m *importer) memberBlocks() []*edit.Block {
	var blocks []*edit.Block
	for _, o := range m.byName("member") {
		if !o.Get(attrLimit).Known() {
			continue
		}
		addr := schema.MakeAddress("member", o.Key, "")
		if canonical, err := schema.ParseEmail(o.Key); err != nil || canonical != o.Key {
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
