package edit

import (
	"maps"
	"slices"

	"github.com/rolecall/rolecall/schema"
)

// Copy returns a block that says what another one says, in the order of its
// declaration.
func Copy(d *schema.Described, decl *schema.Block) *Block {
	b := NewBlock(d.Type)
	if d.Label != "" {
		b.Labels = []string{d.Label}
	}
	for _, a := range decl.Attrs {
		if have := d.Attrs[a.Name]; have != nil {
			b.Set(a.Name, valueOf(have, a))
		}
	}
	for _, n := range d.Blocks {
		if nested := decl.Block(n.Type); nested != nil {
			b.items = append(b.items, item{block: Copy(n, nested)})
		}
	}
	return b
}

// valueOf returns the value of an attribute.
func valueOf(a *schema.Attribute, decl *schema.Attr) Value {
	items := make([]string, len(a.Items))
	for i, it := range a.Items {
		items[i] = it.Text
	}
	switch {
	case a.People != nil:
		return Source(a.People.String())
	case decl.Type == schema.BoolType:
		return Bool(a.Bool)
	case decl.Type == schema.NumberType:
		return Source(a.Text)
	case decl.Type == schema.ListType:
		return Texts(items)
	case decl.Type == schema.MapType, decl.Type == schema.AmountMapType:
		m := map[string]string{}
		for _, k := range slices.Sorted(maps.Keys(a.Entries)) {
			m[k] = a.Entries[k].Text
		}
		return Entries(m)
	case decl.Type == schema.Ref && len(items) == 1:
		return Source(items[0])
	case decl.Type == schema.RefList:
		var refs []schema.Address
		for _, s := range items {
			refs = append(refs, schema.Address(s))
		}
		return Refs(refs)
	}
	return Text(a.Text)
}
