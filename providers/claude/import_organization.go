package claude

import (
	"path/filepath"
	"strings"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

// organization returns the organization block: what the configuration says
// already, and what can be read.
func (m *importer) organization() []*edit.Block {
	o := m.object("organization")
	if mode := o.Get(attrProvisioning).AsText(); strings.HasSuffix(mode, "_advanced") && len(m.live.Of("role_mapping")) == 0 {
		m.unsaid("organization", "which groups of the identity provider are mapped to which organization role", "no API shows it, and nobody confirmed it")
	}
	m.otherLimits()
	for _, d := range m.config.Of("organization") {
		if m.o.Described[d.Addr] {
			return nil
		}
		if d.Label != "" {
			return []*edit.Block{m.organizationAgain(d, o)}
		}
	}
	b := edit.NewBlock("organization", edit.Label(o.Key, "organization", m.taken("organization")))
	b.Set("system", edit.Text(language.Name))
	if o.ID != "" {
		b.Set("id", edit.Text(o.ID), "of "+o.Key)
	}
	m.provisioning(b, o)
	precedence := m.object(spendAddress).Get(attrPrecedence)
	if precedence.Known() {
		b.Set("spend_precedence", edit.Text(precedence.AsText()))
	}
	for _, line := range []string{
		"",
		"No API shows these. They are what rolecall takes for granted; correct what is",
		"otherwise, because what a role or a limit gives depends on it.",
		`connector_permissions = "on"      # or "off"`,
		`billing               = "usage"   # or "seats"`,
	} {
		b.Note(line)
	}
	if !precedence.Known() {
		b.Note(`spend_precedence      = "lowest"  # or "highest": which of several group limits wins`)
	}
	m.spending(b)
	return []*edit.Block{b}
}

// organizationAgain returns the organization block of the configuration, with
// what is live in it.
func (m *importer) organizationAgain(d *schema.Described, o *schema.Object) *edit.Block {
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
	for typ, attr := range map[string]string{"spend_limit": attrLimit, "spend_ceiling": attrCeiling} {
		if len(d.Of(typ)) > 0 && !m.object(spendAddress).Get(attr).Known() {
			m.unsaid("organization", "its "+typ, "the configuration has one, and nothing shows that it is in force")
		}
		b.Unnest(typ)
	}
	if a := d.Attr("spend_precedence"); a != nil {
		v := m.object(spendAddress).Get(attrPrecedence)
		if b.Set("spend_precedence", edit.Text(v.AsText())); !v.Known() {
			b.Unset("spend_precedence")
			m.unsaid("organization", "its spend_precedence", "the configuration says "+a.Text+", and nobody confirmed it")
		}
	}
	m.spending(b)
	return b
}

// spending writes what limits everybody's spend.
func (m *importer) spending(b *edit.Block) {
	spend := m.object(spendAddress)
	m.limit(b, "organization", spend.Get(attrLimit))
	if v := spend.Get(attrCeiling); v.Known() {
		m.amount(b, "organization", "spend_ceiling", v)
	}
}

// otherLimits lists the limits of scopes and periods that the language has no
// word for.
func (m *importer) otherLimits() {
	for _, text := range m.object(spendAddress).Get(attrOtherLimits).AsSet() {
		m.unsaid("organization", "the spend limit "+text, "the language has no word for it; it stays as it is")
	}
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
	return m.amount(b, addr, "spend_limit", v)
}

// amount adds a block of type typ for an amount. It returns false if the
// language cannot say it.
func (m *importer) amount(b *edit.Block, addr schema.Address, typ string, v schema.Value) bool {
	if m.seatBilling() {
		m.unsaid(addr, "the "+strings.ReplaceAll(typ, "_", " ")+" "+v.AsText(), `the configuration says billing = "seats", where there are no spend limits`)
		return false
	}
	if v.AsText() == "unlimited" {
		b.Nest(typ).Set("unlimited", edit.Bool(true))
		return true
	}
	major := schema.Major(v.AsText())
	if minor, err := minorUnits(major); err != nil || minor != v.AsText() {
		m.unsaid(addr, "the "+strings.ReplaceAll(typ, "_", " ")+" "+v.AsText(), "it is not an amount that the language can say")
		return false
	}
	b.Nest(typ).Set("monthly", edit.Text(major))
	return true
}

// seatBilling reports whether the configuration says that there are no spend
// limits.
func (m *importer) seatBilling() bool {
	for _, d := range m.config.Of("organization") {
		return d.Text("billing", "usage") == "seats"
	}
	return false
}
