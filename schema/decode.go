package schema

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

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

// day decodes a day.
func (x *decoder) day(v cty.Value, at hcl.Range) (string, bool) {
	text, ok := x.text(v, at)
	if !ok {
		return "", false
	}
	day, err := ParseDay(text)
	if err != nil {
		x.report(problem("Invalid day", at, "%s. Write year, month and day; days are in UTC.", err))
		return "", false
	}
	return string(day), true
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

// usable reports whether a part of a value can be decoded.
func (x *decoder) usable(v cty.Value, at hcl.Range, part string) bool {
	switch {
	case v.IsMarked():
		x.report(sensitiveValue(x.name, at))
		return false
	case v.IsNull():
		x.report(problem("Null in a list or map", at, "%s of %s is null. Take it out, or give it a value.", part, x.name))
		return false
	}
	return v.IsKnown()
}

// text decodes a text, which must be one of those that are allowed.
func (x *decoder) text(v cty.Value, at hcl.Range) (string, bool) {
	if v.Type() != cty.String {
		advice := "Write it in quotes, or convert it with tostring()."
		switch t := v.Type(); {
		case t == peopleType:
			x.report(peopleAreSymbolic(at))
			return "", false
		case isReference(t):
			advice = "Write a text, or one of the attributes of the block."
		case !t.IsPrimitiveType():
			advice = "Write a single text."
		}
		x.report(wrongType(x.name, x.want(), describe(v), advice, at))
		return "", false
	}
	text := v.AsString()
	if allowed := x.attr.decl.OneOf; len(allowed) > 0 && !slices.Contains(allowed, text) {
		x.report(problem("Value not allowed", at, "%s is not a value of %s.%s Write %s.",
			quote(text), x.name, didYouMean(text, allowed), oneOf(allowed)))
		return "", false
	}
	return text, true
}

// toText decodes an attribute that is a text.
func (l *loader) toText(a *parsedAttr, v cty.Value) (string, bool) {
	x := &decoder{loader: l, attr: a, name: `"` + a.decl.Name + `"`}
	if v.IsNull() || !x.usable(v, a.expr.Range(), "The value") {
		return "", false
	}
	return x.text(v, a.expr.Range())
}

// toBool decodes a truth value.
func (l *loader) toBool(a *parsedAttr, v cty.Value) (value, ok bool) {
	switch {
	case v.IsMarked():
		l.report(sensitiveValue(quote(a.decl.Name), a.expr.Range()))
		return false, false
	case v.Type() == cty.Bool && v.IsKnown() && !v.IsNull():
		return v.True(), true
	case !v.IsKnown() || v.IsNull():
		return false, false
	}
	l.report(wrongType(quote(a.decl.Name), "true or false", describe(v), "Write true or false, without quotes.", a.expr.Range()))
	return false, false
}

// number decodes a number, exactly.
func (x *decoder) number(v cty.Value, at hcl.Range) (string, bool) {
	if v.Type() != cty.Number {
		x.report(wrongType(x.name, "a number", describe(v), "Write a number, without quotes.", at))
		return "", false
	}
	text, ok := decimal(v.AsBigFloat())
	if !ok {
		x.report(problem("Invalid number", at, "The number for %s is too large or too small to be meant. Correct it.", x.name))
	}
	return text, ok
}

// decimal writes f in decimal digits, without an exponent.
func decimal(f *big.Float) (string, bool) {
	if f.IsInf() || f.MantExp(nil) > 1024 || f.MantExp(nil) < -1024 {
		return "", false
	}
	return f.Text('f', -1), true
}

var amountForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

// amount decodes an amount of money, exactly.
func (x *decoder) amount(v cty.Value, at hcl.Range) (string, bool) {
	var text string
	switch v.Type() {
	case cty.String:
		text = v.AsString()
	case cty.Number:
		var ok bool
		if text, ok = x.number(v, at); !ok {
			return "", false
		}
	default:
		x.report(wrongType(x.name, "an amount", describe(v), "Write an amount such as \"200.00\".", at))
		return "", false
	}
	if _, err := MinorUnits(text, x.system.minorDigits()); err != nil {
		x.report(problem("Invalid amount", at, "%s.", err))
		return "", false
	}
	return text, true
}

// share decodes a number or percentage.
func (x *decoder) share(v cty.Value, at hcl.Range) (string, bool) {
	var text string
	switch v.Type() {
	case cty.String:
		text = v.AsString()
	case cty.Number:
		var ok bool
		if text, ok = x.number(v, at); !ok {
			return "", false
		}
	default:
		x.report(wrongType(x.name, "a number or a share", describe(v), "Write a number, or a share such as \"5%\".", at))
		return "", false
	}
	if text == "" || !validShare(text) {
		x.report(problem("Invalid share", at, "%s is no number and no share. Write a whole number such as 25, or a share in whole percents such as \"5%%\".", quote(text)))
		return "", false
	}
	return text, true
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

// A listing is a list of people while it is decoded.
type listing struct {
	emails []string
	first  map[string]hcl.Range
	sets   []People
}

// people returns the set of all who are listed.
func (s *listing) people() People {
	listed := &Listed{Emails: s.emails}
	if len(s.sets) == 0 {
		return listed
	}
	if len(s.emails) == 0 && len(s.sets) == 1 {
		return s.sets[0]
	}
	var of []People
	if len(s.emails) > 0 {
		of = append(of, listed)
	}
	return &Union{Of: append(of, s.sets...)}
}

// person adds one element of a list that is written out.
func (x *decoder) person(s *listing, v cty.Value, at, list hcl.Range) bool {
	t := v.Type()
	if t == peopleType {
		s.sets = append(s.sets, toPeople(v))
		return true
	}
	if addr, ok := addressOf(v); ok && x.attr.decl.Groups && x.system.Block(addr.Type()).members() != nil {
		s.sets = append(s.sets, &MembersOf{Group: addr})
		return true
	}
	if t != cty.String {
		x.report(wrongType("An element of "+x.name, "an e-mail address or a set of people", describe(v), peopleAdvice(v), at))
		return false
	}
	email, err := ParseEmail(v.AsString())
	if err != nil {
		x.report(notAnEmail(err, at))
		return false
	}
	if first, ok := s.first[email]; ok {
		x.report(memberTwice(email, at, first, list))
		return false
	}
	if s.first == nil {
		s.first = map[string]hcl.Range{}
	}
	s.first[email] = at
	s.emails = append(s.emails, email)
	return true
}

func notAnEmail(err error, at hcl.Range) *hcl.Diagnostic {
	return problem("Invalid e-mail address", at, "%s. Write the address alone, without a name.", err)
}

// peopleAdvice says what to write instead of v where people are wanted.
func peopleAdvice(v cty.Value) string {
	addr, ok := addressOf(v)
	switch {
	case ok:
		return fmt.Sprintf("Write %s.members for the members of a group.", addr)
	case isList(v.Type()):
		return "Join lists with concat(), or sets of people with union()."
	}
	return "Write addresses as texts in [ and ], or everyone, domain(\"…\") or organization_role(\"…\")."
}

// people decodes a computed set of people.
func (x *decoder) people(v cty.Value, at hcl.Range) (People, bool) {
	if v.Type() == peopleType {
		return toPeople(v), true
	}
	if !isList(v.Type()) {
		x.report(wrongType(x.name, "a set of people", describe(v), peopleAdvice(v), at))
		return nil, false
	}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.IsMarked() {
			x.report(sensitiveValue(x.name, at))
			return nil, false
		}
	}
	p, known, err := peopleOf(v)
	if err != nil {
		x.report(problem("Invalid list of people", at, "%s: %s. Correct the list.", x.name, err))
		return nil, false
	}
	return p, known
}

// peopleOf returns the set of people that a value stands for: a people
// expression, or a list of addresses and people expressions. It is linear in
// the length of the list. It reports false if the value is not known.
func peopleOf(v cty.Value) (p People, known bool, err error) {
	if v.Type() == peopleType {
		return toPeople(v), true, nil
	}
	if isReference(v.Type()) || !isList(v.Type()) {
		return nil, false, fmt.Errorf("this is %s, and not a set of people", describe(v))
	}
	var s listing
	seen := make(map[string]bool, v.LengthInt())
	n := 0
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		n++
		switch {
		case !e.IsKnown():
			return nil, false, nil
		case e.IsNull():
			return nil, false, fmt.Errorf("element %d is null", n)
		case e.Type() == peopleType:
			s.sets = append(s.sets, toPeople(e))
		case e.Type() == cty.String:
			email, err := ParseEmail(e.AsString())
			if err != nil {
				return nil, false, fmt.Errorf("element %d: %w", n, err)
			}
			if !seen[email] {
				seen[email] = true
				s.emails = append(s.emails, email)
			}
		default:
			return nil, false, fmt.Errorf("element %d is %s, and not an e-mail address", n, describe(e))
		}
	}
	return s.people(), true, nil
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

// want says what the attribute takes.
func (x *decoder) want() string {
	switch x.attr.decl.Type {
	case ListType:
		return "a list of texts"
	case MapType:
		return "a map of texts"
	case AmountMapType:
		return "a map of amounts"
	case DayType:
		return "a day"
	case Ref:
		return x.wantOne(false)
	case RefList:
		return "a list of " + x.wantOne(true)
	case PeopleType:
		return "a set of people"
	}
	return "a text"
}

// wantOne says what a reference of the attribute is to.
func (x *decoder) wantOne(several bool) string {
	refs := x.attr.decl.Refs
	switch {
	case refs == "" && several:
		return "references"
	case refs == "":
		return "a reference"
	case several:
		return "references to " + refs + " blocks"
	}
	return "a reference to " + aBlock(refs)
}

// describe says what v is, without its value.
func describe(v cty.Value) string {
	if v.IsNull() {
		return "null"
	}
	switch t := v.Type(); {
	case t == cty.String:
		return "a text"
	case t == cty.Number:
		return "a number"
	case t == cty.Bool:
		return "a truth value"
	case t == peopleType:
		return "a set of people"
	case t == addressType, isReference(t):
		if addr, ok := addressOf(v); ok {
			return fmt.Sprintf("a reference to %s", addr)
		}
		return "a reference"
	case t.IsMapType() && isReference(t.ElementType()):
		return "a block with for_each"
	case isList(t):
		return "a list"
	case t.IsMapType(), t.IsObjectType():
		return "a map"
	}
	return "a value of another kind"
}

// aBlock names a type of block: a role block, an organization block.
func aBlock(typ string) string {
	if typ != "" && strings.ContainsRune("aeiou", rune(typ[0])) {
		return "an " + typ + " block"
	}
	return "a " + typ + " block"
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// source returns what is written at r, or def if it is long.
func (l *loader) source(r hcl.Range, def string) string {
	file := l.config.Files[r.Filename]
	if file == nil || !r.CanSliceBytes(file.Bytes) {
		return def
	}
	text := string(r.SliceBytes(file.Bytes))
	if len(text) > 60 || strings.ContainsAny(text, "\n\"") {
		return def
	}
	return text
}

// hint says how an attribute is written.
func hint(a *Attr) string {
	switch {
	case a.Example != "":
		return fmt.Sprintf("Write %s = %s, for example.", a.Name, a.Example)
	case len(a.OneOf) > 0:
		return fmt.Sprintf("Write %s with one of %s.", a.Name, oneOf(a.OneOf))
	}
	return fmt.Sprintf("Write %s = … in the block.", a.Name)
}

// missingAttr is about an attribute that is required and not written.
func missingAttr(name, block string, at hcl.Range, advice string) *hcl.Diagnostic {
	return problem("Missing required attribute", at, "%s has no %s. %s", block, quote(name), advice)
}

// attrNames returns what can be written in a block.
func attrNames(decl *Block) (attrs, blocks []string) {
	for _, a := range decl.Attrs {
		attrs = append(attrs, a.Name)
	}
	for _, b := range decl.Blocks {
		blocks = append(blocks, b.Type)
	}
	return attrs, blocks
}

// unknownAttr is about an attribute that the block does not declare.
func (l *loader) unknownAttr(a *hcl.Attribute, decl *Block, p *parsed) *hcl.Diagnostic {
	attrs, blocks := attrNames(decl)
	if a.Name == "for_each" {
		if l.isTop(decl) {
			return problem("for_each not allowed", a.NameRange, "There is one %s block at most, so it cannot have for_each. Take it out.", decl.Type)
		}
		return problem("for_each not allowed", a.NameRange, "for_each belongs into a block of the system at the top level. Take it out of %s.", what(p))
	}
	if slices.Contains(blocks, a.Name) {
		return problem("Block written as attribute", a.NameRange, "In %s, %s is a block. Write it without the equals sign: %s { … }.", what(p), a.Name, a.Name)
	}
	names := slices.Concat(attrs, blocks)
	if l.canForEach(decl) {
		names = append(names, "for_each")
	}
	return problem("Unknown attribute", a.NameRange, "%s has no attribute %s.%s Correct the name, or take it out.",
		upperFirst(aBlock(decl.Type)), quote(a.Name), didYouMean(a.Name, names))
}

// unknownNested is about a nested block that the block does not declare.
func (l *loader) unknownNested(b *hcl.Block, decl *Block, p *parsed) *hcl.Diagnostic {
	attrs, blocks := attrNames(decl)
	if slices.Contains(attrs, b.Type) {
		return problem("Attribute written as block", b.TypeRange, "In %s, %s is an attribute. Write it with an equals sign: %s = ….", what(p), b.Type, b.Type)
	}
	return problem("Unknown block", b.TypeRange, "%s has no block %s in it.%s Correct the name, or take it out.",
		upperFirst(aBlock(decl.Type)), quote(b.Type), didYouMean(b.Type, slices.Concat(blocks, attrs)))
}

// unknownBlock is about a block at the top level that there is not.
func (l *loader) unknownBlock(b *hcl.Block, decls []*Block) *hcl.Diagnostic {
	return l.unknownName(b.Type, b.TypeRange, decls)
}

// unknownTop is about an attribute at the top level, where there are none.
func (l *loader) unknownTop(a *hcl.Attribute, decls []*Block) *hcl.Diagnostic {
	if a.Expr == nil { // in JSON everything looks like an attribute
		return l.unknownName(a.Name, a.NameRange, decls)
	}
	if findBlock(decls, a.Name) != nil {
		return problem("Block written as attribute", a.NameRange, "%s is a block. Write it without the equals sign: %s { … }.", a.Name, a.Name)
	}
	return problem("Attribute outside of a block", a.NameRange, "%s is not in a block. Put it into one; values that are used in several places belong into locals { … }.", quote(a.Name))
}

func (l *loader) unknownName(typ string, at hcl.Range, decls []*Block) *hcl.Diagnostic {
	var own []string
	for _, s := range l.options.Systems {
		if s != l.system && s.Block(typ) != nil {
			own = append(own, s.Name)
		}
	}
	if len(own) > 0 {
		return problem("Block of another system", at, "%s belongs to system %s, and the organization block says %s. Move it to a directory for that system, or take it out.",
			upperFirst(aBlock(typ)), oneOf(own), quote(l.system.Name))
	}
	if typ == dynamicBlock.Type {
		return problem("Unknown block", at, "dynamic makes blocks in a block. At the top of a file, write the block itself with for_each.")
	}
	var names []string
	for _, d := range decls {
		names = append(names, d.Type)
	}
	return problem("Unknown block", at, "System %[2]s has no block %[1]s.%[3]s Correct the name, or take it out.",
		quote(typ), quote(l.system.Name), didYouMean(typ, names))
}
