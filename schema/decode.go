package schema

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// decodeInstance decodes a block, or the instance of it with the given key.
func (l *loader) decodeInstance(n *node, key string, scope *hcl.EvalContext) *instance {
	d := l.decode(n.block, scope)
	d.Key, d.Addr = key, makeAddress(d.Type, d.Label, d.Second, key)
	return &instance{key: key, described: d}
}

// decode decodes a block with its nested blocks.
func (l *loader) decode(p *parsed, scope *hcl.EvalContext) *Described {
	d := &Described{
		Type: p.decl.Type, Label: p.label, Second: p.second,
		Attrs: map[string]*Attribute{},
		Range: p.header, LabelRange: p.labelRange,
		broken: map[string]bool{},
	}
	for _, a := range p.attrs {
		x := &decoder{loader: l, scope: scope, attr: a, name: `"` + a.decl.Name + `"`}
		attribute := &Attribute{Name: a.decl.Name, Range: a.expr.Range(), NameRange: a.attr.NameRange}
		switch null, ok := x.decode(attribute); {
		case !ok:
			d.broken[a.decl.Name] = true
			l.undecided = append(l.undecided, a.expr.Range())
		case null && a.decl.Required:
			l.report(problem("Missing required attribute", a.expr.Range(),
				"%s of %s is null, which counts as left out. %s", quote(a.decl.Name), what(p), hint(a.decl)))
			d.broken[a.decl.Name] = true
		case !null:
			d.Attrs[a.decl.Name] = attribute
		}
	}
	for _, b := range p.blocks {
		if b.dynamic != nil {
			d.Blocks = append(d.Blocks, l.expand(b, scope)...)
			continue
		}
		d.Blocks = append(d.Blocks, l.decode(b, scope))
	}
	l.checkRepeated(p, d)
	return d
}

// A decoder decodes one attribute.
type decoder struct {
	*loader
	scope *hcl.EvalContext
	attr  *parsedAttr
	name  string // of the attribute, quoted
}

// decode fills in a. It reports whether the value is null, and false if there
// is an error, which it has reported.
func (x *decoder) decode(a *Attribute) (null, ok bool) {
	expr := x.attr.expr
	if x.attr.isWord() {
		a.Text = x.attr.decl.Word
		return false, true
	}
	switch x.attr.decl.Type {
	case ListType, RefList, PeopleType:
		if elements, diags := hcl.ExprList(expr); !diags.HasErrors() {
			return false, x.elements(a, elements)
		}
	case MapType, AmountMapType:
		if pairs, diags := hcl.ExprMap(expr); !diags.HasErrors() {
			return false, x.pairs(a, pairs)
		}
	case AddressType:
		a.Text, ok = x.address(expr)
		return false, ok
	}
	v := x.value(expr, x.scope)
	if v.IsMarked() {
		x.report(sensitiveValue(x.name, expr.Range()))
		return false, false
	}
	if v.IsNull() {
		return true, true
	}
	if !v.IsKnown() {
		return false, false
	}
	switch at := expr.Range(); x.attr.decl.Type {
	case TextType:
		a.Text, ok = x.text(v, at)
	case BoolType:
		a.Bool, ok = x.toBool(x.attr, v)
	case NumberType:
		a.Text, ok = x.number(v, at)
	case AmountType:
		a.Text, ok = x.amount(v, at)
	case shareType:
		a.Text, ok = x.share(v, at)
	case DayType:
		a.Text, ok = x.day(v, at)
	case ListType, RefList:
		return false, x.list(a, v)
	case MapType, AmountMapType:
		return false, x.entries(a, v)
	case Ref:
		var item Item
		item, ok = x.reference(v, at)
		a.Items = []Item{item}
	case PeopleType:
		a.People, ok = x.people(v, at)
	default:
		panic(fmt.Sprintf("schema: no such type of attribute: %d", x.attr.decl.Type))
	}
	return false, ok
}

// isWord reports whether the attribute is the bare word that may stand in the
// place of its value.
func (a *parsedAttr) isWord() bool {
	return a.decl.Word != "" && hcl.ExprAsKeyword(a.expr) == a.decl.Word
}

// elements decodes a list that is written out.
func (x *decoder) elements(a *Attribute, list []hcl.Expression) bool {
	all := true
	var people listing
	a.Items = make([]Item, 0, len(list))
	for _, e := range list {
		v := x.value(e, x.scope)
		ok := x.usable(v, e.Range(), "An element")
		if ok {
			switch x.attr.decl.Type {
			case PeopleType:
				ok = x.person(&people, v, e.Range(), a.Range)
			case RefList:
				var item Item
				if item, ok = x.reference(v, e.Range()); ok {
					a.Items = append(a.Items, item)
				}
			default:
				var text string
				if text, ok = x.text(v, e.Range()); ok {
					a.Items = append(a.Items, Item{text, e.Range()})
				}
			}
		}
		all = all && ok
	}
	if x.attr.decl.Type == PeopleType {
		a.People = people.people()
		for _, email := range people.emails {
			a.Items = append(a.Items, Item{email, people.first[email]})
		}
	}
	return all
}

// list decodes a computed list.
func (x *decoder) list(a *Attribute, v cty.Value) bool {
	at := x.attr.expr.Range()
	if v.Type() == peopleType {
		x.report(peopleAreSymbolic(at))
		return false
	}
	if !isList(v.Type()) {
		advice := "Write [ and ] around it."
		if w := x.attr.decl.Word; w != "" && v.Type() == cty.String && v.AsString() == w {
			advice = fmt.Sprintf("Write %s without quotes.", w)
		}
		if x.attr.decl.Type == RefList && v.Type().IsMapType() && isReference(v.Type().ElementType()) {
			advice = fmt.Sprintf("A block with for_each has instances: refer to one of them with its key, or to all with values(%s).", x.source(at, "…"))
		}
		x.report(wrongType(x.name, x.want(), describe(v), advice, at))
		return false
	}
	all := true
	a.Items = make([]Item, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		var item Item
		ok := x.usable(e, at, fmt.Sprintf("Element %d", len(a.Items)+1))
		if ok && x.attr.decl.Type == RefList {
			item, ok = x.reference(e, at)
		} else if ok {
			item = Item{Range: at}
			item.Text, ok = x.text(e, at)
		}
		a.Items = append(a.Items, item)
		all = all && ok
	}
	return all
}

// pairs decodes a map that is written out.
func (x *decoder) pairs(a *Attribute, list []hcl.KeyValuePair) bool {
	all := true
	a.Entries = map[string]Item{}
	for _, p := range list {
		k, v := x.value(p.Key, x.scope), x.value(p.Value, x.scope)
		ok := x.usable(k, p.Key.Range(), "A key") && x.usable(v, p.Value.Range(), "A value")
		if !ok {
			all = false
			continue
		}
		if k.Type() != cty.String {
			x.report(wrongType("A key of "+x.name, "a text", describe(k), "Write it in quotes.", p.Key.Range()))
			all = false
			continue
		}
		ok = x.keyAllowed(k.AsString(), p.Key.Range())
		text, valid := x.entry(v, p.Value.Range())
		ok = ok && valid
		if first, twice := a.Entries[k.AsString()]; twice {
			x.report(within(problem("Duplicate key", p.Key.Range(), "%s already has a value in this map, on line %d. Remove one of the two.",
				quote(k.AsString()), first.Range.Start.Line), a.Range))
			ok = false
		}
		a.Entries[k.AsString()] = Item{text, p.Value.Range()}
		all = all && ok
	}
	return all
}

// entries decodes a computed map.
func (x *decoder) entries(a *Attribute, v cty.Value) bool {
	at := x.attr.expr.Range()
	if t := v.Type(); !t.IsMapType() && !t.IsObjectType() || isReference(t) {
		x.report(wrongType(x.name, x.want(), describe(v), "Write { name = \"…\" }.", at))
		return false
	}
	all := true
	a.Entries = map[string]Item{}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		ok := x.usable(e, at, "The value of "+quote(k.AsString())) && x.keyAllowed(k.AsString(), at)
		text := ""
		if ok {
			text, ok = x.entry(e, at)
		}
		a.Entries[k.AsString()] = Item{text, at}
		all = all && ok
	}
	return all
}

// entry decodes the value of an entry of a map.
func (x *decoder) entry(v cty.Value, at hcl.Range) (string, bool) {
	if x.attr.decl.Type == AmountMapType {
		return x.amount(v, at)
	}
	return x.text(v, at)
}

// keyAllowed reports whether a map may have the key, and says so if not.
func (x *decoder) keyAllowed(key string, at hcl.Range) bool {
	allowed := x.attr.decl.Keys
	if len(allowed) == 0 || slices.Contains(allowed, key) {
		return true
	}
	advice := didYouMean(key, allowed)
	if key == "weekly" || key == "daily" {
		advice = " Only monthly limits work today."
	}
	x.report(problem("Key not allowed", at, "%s is not a key of %s.%s Write %s.", quote(key), x.name, advice, oneOf(allowed)))
	return false
}

// address decodes the address of a block that need not be there: it is not
// evaluated.
func (x *decoder) address(expr hcl.Expression) (string, bool) {
	at := expr.Range()
	steps, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() {
		advice := "Write it without quotes, as in group.old."
		if len(expr.Variables()) > 0 {
			advice = "Write it out, as in group.old: nothing is evaluated here."
		}
		x.report(problem("Not an address", at, "%s is the address of a block. %s", x.name, advice))
		return "", false
	}
	decl := x.system.Block(steps.RootName())
	if decl == nil || decl.Label == "" || decl.Once {
		var types []string
		for _, b := range x.system.Blocks {
			if b.Label != "" && !b.Once {
				types = append(types, b.Type)
			}
		}
		x.report(problem("Not an address", at, "%s is the address of a block, and no block has addresses that begin with %s.%s Write one that begins with %s.",
			x.name, steps.RootName(), didYouMean(steps.RootName(), types), oneOf(types)))
		return "", false
	}
	n := len(decl.labelMeanings())
	var names []string
	for _, s := range steps[1:] {
		names = append(names, stepName(s))
	}
	if len(names) < n || len(names) > n+1 || slices.Contains(names, "") {
		x.report(problem("Not an address", at, "%s is the address of a block, and one of %s is written as %s.LABEL, or %s.LABEL[\"KEY\"] if it has for_each.",
			x.name, aBlock(decl.Type), decl.Type, decl.Type))
		return "", false
	}
	names = append(names, "", "")
	if n == 1 {
		return string(makeAddress(decl.Type, names[0], "", names[1])), true
	}
	return string(makeAddress(decl.Type, names[0], names[1], names[2])), true
}

// reference decodes a reference to a block.
func (x *decoder) reference(v cty.Value, at hcl.Range) (Item, bool) {
	decl := x.attr.decl
	t := v.Type()
	addr, ok := addressOf(v)
	if !ok {
		advice := "Refer to a block."
		if decl.Refs != "" {
			advice = fmt.Sprintf("Write %s.LABEL with the label of %s.", decl.Refs, aBlock(decl.Refs))
		}
		switch {
		case t == cty.String && x.blocks[decl.Refs][v.AsString()] != nil:
			advice = fmt.Sprintf("Write %s, without quotes.", MakeAddress(decl.Refs, v.AsString(), ""))
		case t == cty.String && decl.Refs != "":
			for label := range x.blocks[decl.Refs] {
				if v.AsString() == string(MakeAddress(decl.Refs, label, "")) {
					advice = fmt.Sprintf("Write %s, without quotes.", v.AsString())
				}
			}
		case t.IsMapType() && isReference(t.ElementType()):
			advice = "A block with for_each has instances: add the key of one of them in [ and ], or use values() for all of them."
		case isList(t):
			advice = "Take the list around it away, or join the lists with concat()."
		}
		want := x.want()
		if decl.Type == RefList {
			want = "a list of " + x.wantOne(true)
		}
		x.report(wrongType(x.name, want, describe(v), advice, at))
		return Item{}, false
	}
	if decl.Refs != "" && addr.Type() != decl.Refs {
		x.report(problem("Reference to another type of block", at, "%s wants %s, and %s is %s. Refer to %s.",
			x.name, x.wantOne(false), addr, aBlock(addr.Type()), aBlock(decl.Refs)))
		return Item{}, false
	}
	return Item{string(addr), at}, true
}

// isList reports whether values of type t are a row of elements.
func isList(t cty.Type) bool { return t.IsTupleType() || t.IsListType() || t.IsSetType() }

// isReference reports whether values of type t refer to a block.
func isReference(t cty.Type) bool {
	return t.IsObjectType() && t.HasAttribute(addressAttr) && t.AttributeType(addressAttr) == addressType
}

// addressOf returns the address in a reference, false if v is none, or one
// that was put together so that it has no address.
func addressOf(v cty.Value) (Address, bool) {
	if v.IsMarked() || v.IsNull() || !v.IsKnown() {
		return "", false
	}
	if isReference(v.Type()) {
		return addressOf(v.GetAttr(addressAttr))
	}
	if v.Type() != addressType {
		return "", false
	}
	return toAddress(v), true
}
