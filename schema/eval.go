package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
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
	l.keepNames()
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
