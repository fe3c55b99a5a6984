package schema

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
)

// objectType returns the type of references to blocks of one type. It is the
// same for every block, whichever attributes are written, so that references
// can be put into lists and chosen between with conditions.
func (l *loader) objectType(decl *Block) cty.Type {
	if t, ok := l.objects[decl]; ok {
		return t
	}
	attrs := map[string]cty.Type{addressAttr: addressType}
	for _, a := range decl.valueAttrs() {
		attrs[a.Name] = valueType(a.Type)
	}
	t := cty.Object(attrs)
	l.objects[decl] = t
	return t
}

// addressAttr is the attribute that makes an object a reference. It is not an
// identifier, and its value cannot be made by an expression, so a reference
// can be copied, but not forged.
const addressAttr = "#"

func valueType(t AttrType) cty.Type {
	switch t {
	case BoolType:
		return cty.Bool
	case NumberType:
		return cty.Number
	case ListType:
		return cty.List(cty.String)
	case MapType, AmountMapType:
		return cty.Map(cty.String)
	case Ref:
		return addressType
	case RefList:
		return cty.List(addressType)
	case PeopleType:
		return peopleType
	}
	return cty.String
}

// blockValue returns what references to an instance see.
func (l *loader) blockValue(decl *Block, i *instance) cty.Value {
	attrs := map[string]cty.Value{addressAttr: addressValue(i.described.Addr)}
	for _, a := range decl.valueAttrs() {
		written := i.described.Attrs[a.Name]
		switch {
		case isMembers(a):
			// The members stay symbolic, and need not even be described.
			attrs[a.Name] = peopleValue(&MembersOf{Group: i.described.Addr})
		case i.described.broken[a.Name]:
			attrs[a.Name] = cty.UnknownVal(valueType(a.Type))
		case written == nil, a.Word != "" && written.Text == a.Word: // a word is no value of the type
			attrs[a.Name] = cty.NullVal(valueType(a.Type))
		default:
			attrs[a.Name] = attrValue(a.Type, written)
		}
	}
	return cty.ObjectVal(attrs)
}

// isMembers reports whether a holds the members of the block.
func isMembers(a *Attr) bool { return a.Name == "members" && a.Type == PeopleType }

// groupMembers is what a reference to the members of a group sees if its block
// has no attribute of that name.
var groupMembers = &Attr{Name: "members", Type: PeopleType}

// members returns the attribute with the people in a block, nil if there are
// none.
func (b *Block) members() *Attr {
	if a := b.Attr("members"); a != nil && isMembers(a) {
		return a
	}
	if b.Group {
		return groupMembers
	}
	return nil
}

// valueAttrs returns the attributes that references can see.
func (b *Block) valueAttrs() []*Attr {
	if m := b.members(); m == groupMembers {
		return append(slices.Clip(b.Attrs), m)
	}
	return b.Attrs
}

// valueAttr returns one of them, nil if there is none of that name.
func (b *Block) valueAttr(name string) *Attr {
	if name == "members" {
		if m := b.members(); m != nil {
			return m
		}
	}
	return b.Attr(name)
}

func attrValue(t AttrType, a *Attribute) cty.Value {
	switch t {
	case BoolType:
		return cty.BoolVal(a.Bool)
	case NumberType:
		return cty.MustParseNumberVal(a.Text)
	case ListType, RefList:
		items := make([]cty.Value, len(a.Items))
		for i, it := range a.Items {
			items[i] = cty.StringVal(it.Text)
			if t == RefList {
				items[i] = addressValue(Address(it.Text))
			}
		}
		if len(items) == 0 {
			return cty.ListValEmpty(valueType(t).ElementType())
		}
		return cty.ListVal(items)
	case MapType, AmountMapType:
		entries := make(map[string]cty.Value, len(a.Entries))
		for k, it := range a.Entries {
			entries[k] = cty.StringVal(it.Text)
		}
		if len(entries) == 0 {
			return cty.MapValEmpty(cty.String)
		}
		return cty.MapVal(entries)
	case Ref:
		return addressValue(Address(a.Items[0].Text))
	case PeopleType:
		return peopleValue(a.People)
	}
	return cty.StringVal(a.Text)
}
