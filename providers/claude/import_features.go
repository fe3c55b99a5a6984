package claude

import (
	"cmp"
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

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
