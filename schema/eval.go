package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A node is something that has a value and may refer to others: a variable, a
// local, or a block.
type node struct {
	name string    // as references write it
	decl hcl.Range // where it is described
	home *folder   // of the directory that it is in
	refs []reference

	resolved bool     // refs have their targets
	noEach   []string // what is wrongly referred to as each.NAME

	evaluate func()

	// value is what others see. Wherever it is unknown, an error was reported
	// already, so that what becomes unknown through it is passed over.
	value cty.Value

	// Of a block:
	block     *parsed
	instances []*instance // in the order of keys; one with key "" without for_each
	forEach   *parsedAttr

	index, low int // of the search for cycles
	onStack    bool
}

// An instance is one evaluation of a block.
type instance struct {
	key       string
	described *Described
}

// at returns the instance with the given key.
func (n *node) at(key string) *instance {
	i, ok := slices.BinarySearchFunc(n.instances, key, func(i *instance, key string) int { return strings.Compare(i.key, key) })
	if !ok {
		return nil
	}
	return n.instances[i]
}

// A parsed is a block whose structure was checked: labels, names of attributes
// and nested blocks.
type parsed struct {
	decl       *Block
	label      string
	second     string
	labelled   bool      // it has the labels that it needs, if any
	header     hcl.Range // type and labels
	labelRange hcl.Range
	attrs      []*parsedAttr
	blocks     []*parsed
	forEach    *parsedAttr
	dynamic    *dynamic // of a dynamic block, of which the rest is the content; else nil
}

type parsedAttr struct {
	decl *Attr
	attr *hcl.Attribute
	expr hcl.Expression
}

func (p *parsed) attr(name string) *parsedAttr {
	for _, a := range p.attrs {
		if a.decl.Name == name {
			return a
		}
	}
	return nil
}

// gather makes the nodes of everything in the files.
func (l *loader) gather() {
	l.folders[0].files.others = l.folders[1:]
	for _, f := range l.folders {
		f.locals = map[string]*node{}
		f.root = &hcl.EvalContext{
			Functions: functions(f.files, l.meter, l.refersToUnset),
			Variables: map[string]cty.Value{"everyone": peopleValue(&Everyone{})},
		}
	}
	basic := []*Block{variableBlock, localsBlock, includeBlock, organizationBlock(l.options.Systems)}
	var organizations hcl.Blocks
	for _, s := range l.bodies {
		_, blocks := l.content(s.body, basic, nil, s.until)
		for _, b := range blocks {
			switch {
			case b.Type == "locals":
				for _, a := range l.parse(b, localsBlock).attrs {
					l.declareLocal(s.folder, a)
				}
			case s.folder.included() && findBlock(basic, b.Type) != nil:
				l.notInIncluded(b)
			case b.Type == "variable":
				l.declareVariable(s.folder, l.parse(b, variableBlock))
			case b.Type == "organization":
				organizations = append(organizations, b)
			}
		}
	}
	l.unknownValues()

	// What other blocks there are depends on the system.
	l.system = l.findSystem(organizations)
	l.config.System = l.system
	if l.system == nil {
		l.incomplete = true // references to blocks cannot be followed
	} else {
		l.generic = genericBlocks(l.system)
		l.declareBlocks()
	}
	for _, n := range l.nodes {
		l.resolve(n)
	}
}

// unknownValues reports values that are given to variables that are not
// declared. Those of the environment may be meant for another directory.
func (l *loader) unknownValues() {
	for _, name := range slices.Sorted(maps.Keys(l.values)) {
		list := l.values[name]
		g := list[len(list)-1]
		if l.vars[name] != nil || l.incomplete || strings.HasPrefix(g.from, envPrefix) {
			continue
		}
		l.report(problem("Unknown variable", g.place(), "No variable is called %s.%s Declare it with a variable block, or take the value out.",
			quote(name), didYouMean(name, slices.Sorted(maps.Keys(l.vars)))))
	}
}

// localsBlock declares the locals block, whose attributes may have any name.
var localsBlock = &Block{
	Type: "locals", Write: WayLocal, ReadBack: WayLocal,
	Doc: "Values that are used in several places, as `local.name`. The attributes have any names, and values of any type.",
	Example: `teams  = csvdecode("team,lead\nweb,lead@acme.com")
vendor = domain("vendor.com")`,
}

func (l *loader) declareLocal(f *folder, a *parsedAttr) {
	name := a.attr.Name
	if first := f.locals[name]; first != nil {
		l.report(duplicateBlock("local."+name, a.attr.NameRange, first.decl))
		return
	}
	n := &node{name: "local." + name, decl: a.attr.NameRange, home: f}
	n.evaluate = func() {
		v := l.value(a.expr, l.scope(n))
		if tooBig(v) {
			if v.IsWhollyKnown() {
				l.report(problem("Value too large", a.expr.Range(), "%s takes more than %d MiB. Make it smaller.", n.name, maxValue>>20))
			}
			v = cty.DynamicVal
		}
		n.value = v
	}
	l.refer(n, a.expr, nil, false)
	f.locals[name] = n
	l.nodes = append(l.nodes, n)
}

// organizationBlock returns the header of the organization block.
func organizationBlock(systems []*System) *Block {
	for _, s := range systems {
		if b := s.Block("organization"); b != nil {
			return b
		}
	}
	return &Block{Type: "organization", Label: "name"}
}

// findSystem returns the system that the organization block names, or, so that
// the other blocks can be checked even so, the one that was probably meant;
// nil if there is none.
func (l *loader) findSystem(organizations hcl.Blocks) *System {
	var names []string
	for _, s := range l.options.Systems {
		names = append(names, s.Name)
	}
	if len(organizations) == 0 {
		if !l.incomplete {
			l.report(&hcl.Diagnostic{
				Severity: hcl.DiagError,
				Summary:  "No organization block",
				Detail: fmt.Sprintf("No file of the directory %s has an organization block, which says what organization this is and on which system. Write organization \"NAME\" { system = \"…\" } with one of %s.",
					quote(l.dir), oneOf(names)),
			})
		}
		return l.guessSystem()
	}
	b := organizations[0]
	attrs, _ := l.content(b.Body, nil, []*Attr{{Name: "system"}}, 0)
	for _, a := range attrs {
		if a.Name != "system" {
			continue
		}
		v, ok := l.early(a.Expr)
		switch {
		case ok && v.IsMarked():
			l.report(sensitiveValue(`"system"`, a.Expr.Range()))
			return l.guessSystem()
		case ok && v.IsNull():
			l.report(problem("Missing required attribute", a.Expr.Range(),
				"\"system\" of organization is null, which counts as left out. Write one of %s.", oneOf(names)))
			return l.guessSystem()
		case ok && v.IsKnown() && v.Type() != cty.String:
			l.report(wrongType(`"system"`, "a text", describe(v), "Write one of "+oneOf(names)+".", a.Expr.Range()))
			return l.guessSystem()
		case !ok || !v.IsKnown():
			l.undecided = append(l.undecided, a.Expr.Range())
			return l.guessSystem()
		}
		for _, s := range l.options.Systems {
			if s.Name == v.AsString() {
				return s
			}
		}
		l.report(problem("Unknown system", a.Expr.Range(), "No system is called %s.%s Write one of %s.",
			quote(v.AsString()), didYouMean(v.AsString(), names), oneOf(names)))
		if near := nearest(v.AsString(), names); near != "" {
			return l.options.Systems[slices.Index(names, near)]
		}
		return l.guessSystem()
	}
	l.report(missingAttr("system", "organization", header(b), "Write system with one of "+oneOf(names)+"."))
	return l.guessSystem()
}

// guessSystem returns the only system that has all blocks of the files, nil if
// there are none or several.
func (l *loader) guessSystem() *System {
	var found *System
	for _, system := range l.options.Systems {
		fits := true
		for _, s := range l.bodies {
			attrs, blocks := l.content(s.body, slices.Concat(basicBlocks, system.Blocks), nil, s.until)
			for _, b := range blocks {
				fits = fits && (findBlock(basicBlocks, b.Type) != nil || system.Block(b.Type) != nil)
			}
			// What JSON has beside the declared blocks must be something else.
			fits = fits && !slices.ContainsFunc(attrs, func(a *hcl.Attribute) bool { return a.Expr == nil })
		}
		if fits && found != nil {
			return nil
		}
		if fits {
			found = system
		}
	}
	return found
}

// early evaluates an expression before the blocks are known. It may use
// variables and locals that do not need them.
func (l *loader) early(expr hcl.Expression) (cty.Value, bool) {
	n := &node{name: "system", home: l.folders[0]}
	l.refer(n, expr, nil, false)
	if !l.prepare(n, map[*node]bool{}) {
		return cty.DynamicVal, false
	}
	return l.value(expr, l.scope(n)), true
}

// prepare evaluates the variables and locals that n refers to. It reports
// false if that is not possible yet, or at all.
func (l *loader) prepare(n *node, above map[*node]bool) bool {
	above[n] = true
	defer delete(above, n)
	for i := range n.refs {
		r := &n.refs[i]
		if root := r.steps.RootName(); root != "var" && root != "local" {
			l.report(problem("System not known", r.steps.SourceRange(),
				"The system decides what blocks there are, so it must be known before any of them. Write its name out, or use variables and locals that do not refer to blocks."))
			return false
		}
		if d := l.find(n, r); d != nil {
			if !l.incomplete {
				l.report(d)
			}
			return false
		}
		if r.target == r.self {
			continue
		}
		if above[r.target] {
			return false // a circle; it is reported when all is evaluated
		}
		if !l.prepare(r.target, above) {
			return false
		}
	}
	l.resolve(n)
	if n.evaluate != nil {
		n.run()
	}
	return true
}

// run evaluates n if it was not yet.
func (n *node) run() {
	if n.value == cty.NilVal {
		n.value = cty.DynamicVal
		n.evaluate()
	}
}

// declareBlocks makes the nodes of all blocks of the system.
func (l *loader) declareBlocks() {
	decls := slices.Concat(l.generic, l.system.Blocks)
	once := map[string]hcl.Range{}
	for _, s := range l.bodies {
		attrs, blocks := l.content(s.body, decls, nil, s.until)
		for _, a := range attrs {
			l.report(l.unknownTop(a, decls))
		}
		for _, b := range blocks {
			decl := findBlock(decls, b.Type)
			switch {
			case decl == nil:
				l.report(l.unknownBlock(b, decls))
				continue
			case decl == variableBlock || decl == localsBlock || decl == includeBlock ||
				decl.Type == "organization" && s.folder.included():
				continue
			}
			p := l.parse(b, decl)
			if decl.Once {
				if first, ok := once[decl.Type]; ok {
					l.report(duplicateBlock("The "+decl.Type+" block", p.header, first))
				} else {
					once[decl.Type] = p.header
				}
			}
			l.declareBlock(s.folder, p)
		}
	}
}

// declareBlock makes the node of a block.
func (l *loader) declareBlock(f *folder, p *parsed) {
	typ := p.decl.Type
	n := &node{name: string(makeAddress(typ, p.label, p.second, "")), decl: p.header, home: f, block: p, forEach: p.forEach}
	n.evaluate = func() { l.evaluateBlock(n) }
	key := labelKey(p.label, p.second)
	switch first, ok := l.labels[typ+" "+key]; {
	case !p.labelled || p.decl.Label == "" || p.decl.Once: // the last is reported elsewhere
	case ok:
		l.report(duplicateBlock(n.name, p.header, first))
	default:
		l.labels[typ+" "+key] = p.header
	}
	if p.labelled && !l.isGeneric(p.decl) {
		if l.blocks[typ] == nil {
			l.blocks[typ] = map[string]*node{}
		}
		if l.blocks[typ][key] == nil {
			l.blocks[typ][key] = n
		}
	}
	if p.forEach != nil {
		l.refer(n, p.forEach.expr, nil, true)
	}
	l.referAll(n, p, nil)
	l.nodes = append(l.nodes, n)
}

// referAll notes what the expressions in a block refer to, but for the names
// that dynamic blocks around it give a meaning.
func (l *loader) referAll(n *node, p *parsed, bound []*dynamic) {
	refer := func(a *parsedAttr, bound []*dynamic) {
		if a.decl.Type == AddressType || a.isWord() {
			return // what it names need not be there, and a word names nothing
		}
		if n.block.forEach != nil {
			speedUp(a.expr)
		}
		l.refer(n, a.expr, nil, false, bound...)
	}
	if d := p.dynamic; d != nil {
		refer(d.forEach, bound)
		bound = append(slices.Clip(bound), d)
		for _, a := range d.labels {
			refer(a, bound)
		}
	}
	for _, a := range p.attrs {
		refer(a, bound)
	}
	for _, b := range p.blocks {
		l.referAll(n, b, bound)
	}
}

// evaluate evaluates all nodes, each after those that it refers to, and keeps
// the blocks in the order of the files.
func (l *loader) evaluate() {
	for _, group := range l.sorted() {
		l.current.Store(group[0])
		if len(group) > 1 || l.refersTo(group[0], group[0]) {
			l.report(l.cycle(group))
			for _, n := range group {
				if n.value == cty.NilVal {
					n.value = cty.DynamicVal
				}
			}
			// Their own errors are still of interest.
			for _, n := range group {
				n.evaluate()
			}
			continue
		}
		group[0].run()
	}
	var statements []*Described
	for _, n := range l.nodes {
		for _, i := range n.instances {
			if l.isGeneric(n.block.decl) {
				statements = append(statements, i.described)
			} else {
				l.config.Blocks = append(l.config.Blocks, i.described)
				l.addresses[i.described.Addr] = true
			}
		}
	}
	for _, d := range statements {
		l.statement(d)
	}
	l.checkMoves()
}

// evaluateBlock decodes the instances of a block and computes its value.
func (l *loader) evaluateBlock(n *node) {
	n.value = cty.DynamicVal
	scope := l.scope(n)
	if n.forEach == nil {
		i := l.decodeInstance(n, "", scope)
		n.instances = []*instance{i}
		n.value = l.blockValue(n.block.decl, i)
		return
	}
	keys, values, ok := l.forEachValue(n, l.value(n.forEach.expr, scope))
	if !ok {
		l.undecided = append(l.undecided, n.forEach.expr.Range())
		return
	}
	entries := make(map[string]cty.Value, len(keys))
	for k, key := range keys {
		child := scope.NewChild()
		each := map[string]cty.Value{"key": cty.StringVal(key), "value": values[k]}
		for _, name := range n.noEach {
			each[name] = cty.DynamicVal
		}
		child.Variables = map[string]cty.Value{"each": cty.ObjectVal(each)}
		i := l.decodeInstance(n, key, child)
		n.instances = append(n.instances, i)
		entries[key] = l.blockValue(n.block.decl, i)
	}
	if len(entries) == 0 {
		n.value = cty.MapValEmpty(l.objectType(n.block.decl))
		return
	}
	n.value = cty.MapVal(entries)
}

// forEachValue returns the keys of a for_each, sorted, and their values.
func (l *loader) forEachValue(n *node, v cty.Value) (keys []string, values []cty.Value, ok bool) {
	at := n.forEach.expr.Range()
	bad := func(format string, args ...any) ([]string, []cty.Value, bool) {
		l.report(problem("Invalid for_each", at, format, args...))
		return nil, nil, false
	}
	const want = "Use a set of texts, or a map or object."
	v, marks := v.Unmark()
	t := v.Type()
	switch {
	case len(marks) > 0:
		l.report(sensitiveValue("for_each", at))
		return nil, nil, false
	case t == cty.DynamicPseudoType && !v.IsNull() || !v.IsKnown():
		return nil, nil, false
	case v.IsNull():
		return bad("The value of for_each is null. %s", want)
	case t == peopleType:
		return bad("Symbolic sets of people cannot be looped over: who is in them is not known before the plan. Use a set of e-mail addresses written as text.")
	case t.IsListType() || t.IsTupleType():
		return bad("A list has no keys that stay the same when it changes. If it is a list of texts, convert it with toset().")
	case !t.IsSetType() && !t.IsMapType() && !t.IsObjectType():
		return bad("for_each takes a set of texts, or a map or object, and this is %s. Change the expression.", describe(v))
	case v.LengthInt() > maxInstances:
		return bad("for_each has %d elements, and at most %d are allowed. Split the configuration.", v.LengthInt(), maxInstances)
	}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if t.IsSetType() {
			k = e
		}
		switch {
		case !k.IsKnown():
			return nil, nil, false
		case k.IsNull() || k.Type() != cty.String:
			return bad("The set holds %s. Every element must be a text, as it becomes part of an address.", describe(k))
		}
		key := k.AsString()
		if key == "" {
			return bad("One of the keys is empty. Every key must be a text, as it becomes part of an address.")
		}
		if strings.IndexFunc(key, invisible) >= 0 {
			return bad("The key %s has characters that cannot be seen. Take them out.", quote(key))
		}
		keys, values = append(keys, key), append(values, e)
	}
	return keys, values, true
}

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

// value evaluates an expression. If that fails, it says so and returns an
// unknown value.
func (l *loader) value(expr hcl.Expression, scope *hcl.EvalContext) cty.Value {
	v, diags := expr.Value(scope)
	if !diags.HasErrors() {
		return v
	}
	secret := false
	for _, t := range expr.Variables() {
		secret = secret || contextValue(scope, t.RootName()).ContainsMarked()
	}
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		if d.Expression != nil && d.EvalContext != nil {
			if d.Subject != nil && aboutPeople(d) {
				l.report(peopleAreSymbolic(*d.Subject))
				continue
			}
		}
		c := l.clean(d, secret)
		if !secret {
			c.Detail += l.namesThere(d)
		}
		if strings.Contains(c.Detail, "panic in function") { // with a stack of calls
			c.Detail = "A function cannot handle the values that it is given here. Check them."
		}
		if each := contextValue(scope, "each"); each.Type().IsObjectType() && each.Type().HasAttribute("key") && !secret {
			c.Detail += fmt.Sprintf(" (each.key is %s.)", quote(each.GetAttr("key").AsString()))
		}
		l.report(c)
	}
	return cty.DynamicVal
}

// namesThere says which attributes there are, if an error is about one that
// there is not.
func (l *loader) namesThere(d *hcl.Diagnostic) string {
	if d.Summary != "Unsupported attribute" || d.Expression == nil || d.EvalContext == nil || d.Subject == nil {
		return ""
	}
	var from cty.Value
	var steps hcl.Traversal
	switch e := d.Expression.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		from, steps = contextValue(d.EvalContext, e.Traversal.RootName()), e.Traversal[1:]
	case *hclsyntax.RelativeTraversalExpr:
		from, _ = e.Source.Value(d.EvalContext)
		steps = e.Traversal
	}
	for _, step := range steps {
		if step.SourceRange() != *d.Subject {
			var diags hcl.Diagnostics
			if from, diags = step.TraversalStep(from); diags.HasErrors() {
				return ""
			}
			continue
		}
		if t := from.Type(); t.IsObjectType() && !isReference(t) && !from.ContainsMarked() {
			names := slices.Sorted(maps.Keys(t.AttributeTypes()))
			if advice := didYouMean(stepName(step), names); advice != "" || len(names) == 0 || len(names) > 12 {
				return advice
			}
			return " There are: " + strings.Join(names, ", ") + "."
		}
	}
	return ""
}

// aboutPeople reports whether an error is about a set of people, or about an
// argument of a function that is one.
func aboutPeople(d *hcl.Diagnostic) bool {
	if call, ok := d.Expression.(*hclsyntax.FunctionCallExpr); ok {
		return d.Summary == "Error in function call" && slices.ContainsFunc(call.Args, func(e hclsyntax.Expression) bool {
			v, _ := e.Value(d.EvalContext)
			return v.Type() == peopleType
		})
	}
	v, _ := d.Expression.Value(d.EvalContext)
	return v.Type() == peopleType
}

// clean is [plain]. If secret is set it also leaves out the details, in which
// values may be quoted.
func (l *loader) clean(d *hcl.Diagnostic, secret bool) *hcl.Diagnostic {
	c := plain(d)
	c.Detail = unknownFunction(d, l.folders[0].root)
	if secret {
		c.Detail = "The expression uses a sensitive variable, so the details are not shown. Check what the variable is set to."
	}
	return c
}

// unknownFunction returns the detail of a diagnostic. If it is about a function
// that there is not, it proposes the nearest by name: the library proposes one
// in no fixed order.
func unknownFunction(d *hcl.Diagnostic, root *hcl.EvalContext) string {
	call, ok := d.Expression.(*hclsyntax.FunctionCallExpr)
	if !ok || d.Summary != "Call to unknown function" || root == nil {
		return d.Detail
	}
	return fmt.Sprintf("There is no function called %s.%s Correct the name, or write the value.",
		quote(call.Name), didYouMean(call.Name, slices.Sorted(maps.Keys(root.Functions))))
}

// contextValue returns the value of a variable of an evaluation context.
func contextValue(scope *hcl.EvalContext, name string) cty.Value {
	for ; scope != nil; scope = scope.Parent() {
		if v, ok := scope.Variables[name]; ok {
			return v
		}
	}
	return cty.DynamicVal
}

// scopeObject returns the attributes of an object in a context.
func scopeObject(scope *hcl.EvalContext, name string) map[string]cty.Value {
	if v := contextValue(scope, name); v.IsKnown() && v.Type().IsObjectType() {
		return v.AsValueMap()
	}
	return nil
}

// parse checks the structure of a block against its declaration.
func (l *loader) parse(b *hcl.Block, decl *Block) *parsed {
	p := &parsed{decl: decl, header: header(b), labelled: true}
	p.labelRange = p.header
	l.parseLabel(b, p)
	if decl == localsBlock {
		l.parseLocals(b, p)
		return p
	}
	l.parseBody(b.Body, p)
	return p
}

// parseBody checks what is in a block.
func (l *loader) parseBody(body hcl.Body, p *parsed) {
	decl := p.decl
	nestable := decl.Blocks
	if len(nestable) > 0 {
		nestable = append(slices.Clip(nestable), dynamicBlock)
	}
	attrs, blocks := l.content(body, nestable, decl.Attrs, 0)
	for _, a := range attrs {
		switch declared := decl.Attr(a.Name); {
		case declared != nil && declared.For != nil && p.labelled && !slices.Contains(declared.For, p.label):
			l.report(problem("Unknown attribute", a.NameRange, "%s is an attribute of %s %s, and this is %s. Move it there, or take it out.",
				quote(a.Name), decl.Type, oneOf(declared.For), what(p)))
		case declared != nil && declared.NotYet != "":
			l.report(problem("Not available yet", a.NameRange, "%s of %s cannot be written: %s", quote(a.Name), what(p), declared.NotYet))
		case declared != nil:
			p.attrs = append(p.attrs, &parsedAttr{declared, a, a.Expr})
		case a.Name == "for_each" && l.canForEach(decl):
			p.forEach = &parsedAttr{nil, a, a.Expr}
		default:
			l.report(l.unknownAttr(a, decl, p))
		}
	}
	for _, a := range decl.Attrs {
		if a.Required && p.attr(a.Name) == nil && !(a.Name == "system" && decl.Type == "organization") {
			l.report(missingAttr(a.Name, what(p), p.header, hint(a)))
		}
	}
	seen := map[string]hcl.Range{}
	for _, nested := range blocks {
		if nested.Type == dynamicBlock.Type && len(decl.Blocks) > 0 {
			if q := l.parseDynamic(nested, decl, p); q != nil {
				p.blocks = append(p.blocks, q)
			}
			continue
		}
		d := decl.Block(nested.Type)
		if d == nil {
			l.report(l.unknownNested(nested, decl, p))
			continue
		}
		q := l.parse(nested, d)
		key := nested.Type
		if !d.Once {
			key += " " + labelKey(q.label, q.second)
		}
		if first, ok := seen[key]; ok && (d.Once || d.Label != "" && q.labelled) {
			l.report(duplicateBlock("The block "+what(q), q.header, first))
		} else {
			seen[key] = q.header
		}
		p.blocks = append(p.blocks, q)
	}
}

// parseLocals is parse for a block whose attributes may have any name.
func (l *loader) parseLocals(b *hcl.Block, p *parsed) {
	attrs, diags := b.Body.JustAttributes()
	for _, d := range diags {
		l.report(plain(d))
	}
	for _, a := range attrs {
		p.attrs = append(p.attrs, &parsedAttr{&Attr{Name: a.Name}, a, a.Expr})
	}
	slices.SortFunc(p.attrs, func(a, b *parsedAttr) int {
		return a.attr.NameRange.Start.Byte - b.attr.NameRange.Start.Byte
	})
}

// parseLabel checks the labels of a block.
func (l *loader) parseLabel(b *hcl.Block, p *parsed) {
	typ, meanings := upperFirst(aBlock(p.decl.Type)), p.decl.labelMeanings()
	for i, meaning := range meanings {
		has := fmt.Sprintf("%s has a label (%s)", typ, meaning)
		if len(meanings) > 1 {
			has = fmt.Sprintf("%s has two labels (%s)", typ, strings.Join(meanings, ", "))
		}
		if i >= len(b.Labels) {
			p.labelled = false
			after := quote(p.decl.Type)
			if i > 0 {
				after = "the first"
			}
			l.report(problem("Missing label", p.header, "%s. Write %s in quotes after %s.", has, pick(i == 0 && len(meanings) == 1, "it", "the "+meaning), after))
			return
		}
		// Names are compared in the normal form that values have.
		label, at := cty.NormalizeString(b.Labels[i]), b.LabelRanges[i]
		if i == 0 {
			p.label, p.labelRange = label, at
		} else {
			p.second = label
		}
		if label == "" {
			p.labelled = false
			l.report(problem("Empty label", at, "%s. Write one.", has))
		} else if strings.IndexFunc(label, invisible) >= 0 {
			l.report(problem("Invalid label", at, "The label %s has characters that cannot be seen. Take them out.", quote(label)))
		}
	}
	if n := len(meanings); len(b.Labels) > n {
		extra := quote(b.Labels[n])
		switch n {
		case 0:
			l.report(within(problem("Label not allowed", b.LabelRanges[n], "%s has no label. Take %s out.", typ, extra), p.header))
		case 1:
			l.report(within(problem("More than one label", b.LabelRanges[n], "%s has one label (%s). Take %s out.", typ, meanings[0], extra), p.header))
		default:
			l.report(within(problem("More than two labels", b.LabelRanges[n], "%s has two labels (%s). Take %s out.", typ, strings.Join(meanings, ", "), extra), p.header))
		}
	}
}

// pick returns a if the condition holds, else b.
func pick(condition bool, a, b string) string {
	if condition {
		return a
	}
	return b
}

// labelMeanings returns what the labels of a block mean, one for each.
func (b *Block) labelMeanings() []string {
	switch {
	case b.Label == "":
		return nil
	case b.Second == "":
		return []string{b.Label}
	}
	return []string{b.Label, b.Second}
}

// labelKey puts the labels of a block into one text, for maps.
func labelKey(label, second string) string {
	if second == "" {
		return label
	}
	return label + "\x00" + second
}

// invisible reports whether r has no place in a name.
func invisible(r rune) bool { return r == '\n' || r == '\t' || unprintable(r) }

// canForEach reports whether decl declares a block at the top level of which
// there can be several, so that they can be made by for_each. The label of a
// rule and an accept block is a name that there is only one of.
func (l *loader) canForEach(decl *Block) bool {
	return slices.Contains(repeatable, decl) || canRepeat(decl) && l.isTop(decl)
}

// isTop reports whether decl declares a block of the system at the top level.
func (l *loader) isTop(decl *Block) bool {
	return l.system != nil && slices.Contains(l.system.Blocks, decl)
}

// header returns the range of the type and labels of a block.
func header(b *hcl.Block) hcl.Range {
	if _, ok := b.Body.(*hclsyntax.Body); ok {
		return b.DefRange
	}
	// In JSON the properties of an object stand anywhere above it.
	if len(b.LabelRanges) > 0 {
		return b.LabelRanges[len(b.LabelRanges)-1]
	}
	return b.TypeRange
}

// what names a block for messages, by type and label.
func what(p *parsed) string {
	name := p.decl.Type
	for _, label := range [...]string{p.label, p.second} {
		if label != "" {
			name += " " + quote(label)
		}
	}
	return name
}

// content returns the attributes and blocks of a body in the order in which
// they are written. In native syntax that is all of them. In JSON only the
// declarations say what is a block; a property that they do not name is
// returned as an attribute without expression. What does not end before until is left
// out, unless until is 0.
func (l *loader) content(body hcl.Body, blocks []*Block, attrs []*Attr, until int) ([]*hcl.Attribute, hcl.Blocks) {
	var list []*hcl.Attribute
	var nested hcl.Blocks
	if native, ok := body.(*hclsyntax.Body); ok {
		for _, a := range native.Attributes {
			if until == 0 || a.SrcRange.End.Byte < until {
				list = append(list, a.AsHCLAttribute())
			}
		}
		for _, b := range native.Blocks {
			if until == 0 || b.CloseBraceRange.End.Byte < until {
				nested = append(nested, b.AsHCLBlock())
			}
		}
	} else {
		schema := &hcl.BodySchema{}
		for _, a := range attrs {
			schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: a.Name})
		}
		if !slices.ContainsFunc(attrs, func(a *Attr) bool { return a.Name == "for_each" }) {
			schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: "for_each"})
		}
		for _, b := range blocks {
			h := hcl.BlockHeaderSchema{Type: b.Type}
			h.LabelNames = b.labelMeanings()
			schema.Blocks = append(schema.Blocks, h)
		}
		c, diags := body.Content(schema)
		for _, d := range diags {
			if d.Summary == "Extraneous JSON object property" && d.Subject != nil {
				list = append(list, &hcl.Attribute{Name: l.property(*d.Subject), NameRange: *d.Subject, Range: *d.Subject})
				continue
			}
			l.report(plain(d))
		}
		for _, a := range c.Attributes {
			list = append(list, a)
		}
		nested = c.Blocks
	}
	slices.SortFunc(list, func(a, b *hcl.Attribute) int { return a.NameRange.Start.Byte - b.NameRange.Start.Byte })
	return list, nested
}

// property returns the name of the JSON property at r.
func (l *loader) property(r hcl.Range) string {
	var name string
	if file := l.config.Files[r.Filename]; file != nil && r.CanSliceBytes(file.Bytes) {
		if json.Unmarshal(r.SliceBytes(file.Bytes), &name) != nil {
			name = string(r.SliceBytes(file.Bytes))
		}
	}
	return name
}
