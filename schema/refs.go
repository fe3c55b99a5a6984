package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A reference is one place where a node refers to something.
type reference struct {
	steps    hcl.Traversal
	self     *node // may be referred to although it is the node itself
	guarded  bool  // in try or can, which take an attribute that is not set
	noEach   bool  // in for_each itself
	target   *node
	all      string // type of block, if all blocks of it are meant
	poisoned bool   // an error was reported; it is evaluated as unknown
}

// refer notes what an expression of n refers to. It is resolved later, when
// all nodes are known.
func (l *loader) refer(n *node, expr hcl.Expression, self *node, noEach bool, bound ...*dynamic) {
	vars := expr.Variables()
	l.meter.count(expr)
	if len(vars) == 0 {
		return
	}
	guarded := guardedPlaces(expr)
	for _, t := range vars {
		if i := slices.IndexFunc(bound, func(d *dynamic) bool { return d.iterator == t.RootName() }); i >= 0 {
			l.checkIterator(t, bound[i])
			continue
		}
		r := t.SourceRange()
		n.refs = append(n.refs, reference{
			steps: t, self: self, noEach: noEach,
			guarded: slices.ContainsFunc(guarded, func(g hcl.Range) bool { return g.ContainsPos(r.Start) }),
		})
	}
}

// checkIterator checks a reference to the element of a dynamic block.
func (l *loader) checkIterator(t hcl.Traversal, d *dynamic) {
	name := ""
	if len(t) > 1 {
		name = stepName(t[1])
	}
	if len(t) == 1 || name == "key" || name == "value" {
		return
	}
	d.broken = true
	root := t.RootName()
	l.report(problem("Invalid reference", t.SourceRange(), "In this dynamic block %[1]s is the element, of which there are %[1]s.key and %[1]s.value. To refer to something else that is called %[1]s, give the element another name with iterator = item.", root))
}

// guardedPlaces returns the places of the calls of try and can in expr.
func guardedPlaces(expr hcl.Expression) []hcl.Range {
	native, ok := expr.(hclsyntax.Expression)
	if !ok {
		return nil
	}
	var list []hcl.Range
	hclsyntax.VisitAll(native, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && (call.Name == "try" || call.Name == "can") {
			list = append(list, call.Range())
		}
		return nil
	})
	return list
}

// stepName returns the name or key of one step of a traversal, "" if it has
// none.
func stepName(step hcl.Traverser) string {
	switch s := step.(type) {
	case hcl.TraverseAttr:
		return cty.NormalizeString(s.Name)
	case hcl.TraverseIndex:
		if s.Key.Type() == cty.String && s.Key.IsKnown() && !s.Key.IsNull() {
			return s.Key.AsString()
		}
	}
	return ""
}

// firstSteps returns the place of the first n steps of a traversal.
func firstSteps(t hcl.Traversal, n int) hcl.Range { return t[:min(n, len(t))].SourceRange() }

// resolve finds the targets of the references of n and reports those that have
// none.
func (l *loader) resolve(n *node) {
	if n.resolved {
		return
	}
	n.resolved = true
	for i := range n.refs {
		r := &n.refs[i]
		if d := l.find(n, r); d != nil {
			r.poisoned = true
			if !l.incomplete || d.Summary != unknownReference {
				l.report(d)
			}
		}
	}
}

const unknownReference = "Unknown reference"

// find finds the target of one reference.
func (l *loader) find(n *node, r *reference) *hcl.Diagnostic {
	root := r.steps.RootName()
	name := ""
	if len(r.steps) > 1 {
		name = stepName(r.steps[1])
	}
	named := func(nodes map[string]*node, what string) *hcl.Diagnostic {
		if len(r.steps) == 1 {
			return problem("Incomplete reference", r.steps.SourceRange(), "%s alone is no value. Write %s.NAME with the name of a %s.", root, root, what)
		}
		if r.target = nodes[name]; r.target == nil {
			return problem(unknownReference, firstSteps(r.steps, 2), "No %s is called %s.%s Declare it, or correct the name.",
				what, quote(name), l.suggest(name, root, nodes))
		}
		return nil
	}
	switch {
	case root == "var":
		if n.home.included() {
			return problem("Variable in an included directory", firstSteps(r.steps, 2), "An included directory has no variables, so that it means the same wherever it is included. Write the value, or use a local.")
		}
		return named(l.vars, "variable")
	case root == "local":
		return named(n.home.locals, "local")
	case root == "each":
		return l.findEach(n, r, name)
	case root == "everyone":
		if len(r.steps) > 1 {
			return peopleAreSymbolic(r.steps.SourceRange())
		}
		return nil
	case l.system != nil && l.system.Block(root) != nil:
		return l.findBlock(n, r, root)
	}
	return l.unknownRoot(r, root)
}

// findEach checks a reference to each.key or each.value.
func (l *loader) findEach(n *node, r *reference, name string) *hcl.Diagnostic {
	at := r.steps.SourceRange()
	switch {
	case n.forEach == nil:
		return problem("No for_each here", at, "%s has a value only in a block with for_each. Write for_each in the block, or the value instead.", written(r))
	case r.noEach:
		return problem("No for_each here", at, "%s has no value in for_each itself. Use variables, locals and other blocks.", written(r))
	case name != "key" && name != "value":
		n.noEach = append(n.noEach, name)
		return problem("Invalid reference", at, "Of each there are each.key and each.value. Write one of the two.")
	}
	return nil
}

// written returns the beginning of a reference as it is written.
func written(r *reference) string {
	if len(r.steps) > 1 {
		return r.steps.RootName() + "." + stepName(r.steps[1])
	}
	return r.steps.RootName()
}

// findBlock finds the target of a reference to a block of a declared type.
func (l *loader) findBlock(n *node, r *reference, typ string) *hcl.Diagnostic {
	decl := l.system.Block(typ)
	labels := len(decl.labelMeanings())
	if labels == 0 {
		return problem("Invalid reference", r.steps.SourceRange(), "%s has no label, and cannot be referred to. Write the value instead.", upperFirst(aBlock(typ)))
	}
	if len(r.steps) <= labels { // an index that is not a literal, or a loop
		if n.block != nil && n.block.decl == decl {
			return problem("Block refers to itself", r.steps.SourceRange(),
				"Without a literal label this refers to every %s block, and %s is one of them. Write the label out.", typ, n.name)
		}
		r.all = typ
		return nil
	}
	key := stepsKey(r.steps, labels)
	if r.target = l.blocks[typ][key]; r.target == nil {
		called := quote(stepName(r.steps[1]))
		if labels == 2 {
			called += " " + quote(stepName(r.steps[2]))
		}
		return problem(unknownReference, firstSteps(r.steps, labels+1), "No %s is called %s.%s Describe it with %s, or correct the name.",
			typ, called, l.suggest(key, typ, l.blocks[typ]), aBlock(typ))
	}
	return nil
}

// stepsKey returns the key of the labels, of which there are n, in a reference.
func stepsKey(t hcl.Traversal, n int) string {
	if n == 2 {
		return labelKey(stepName(t[1]), stepName(t[2]))
	}
	return stepName(t[1])
}

// suggest proposes the nearest of nodes, as it is referred to.
func (l *loader) suggest(name, root string, nodes map[string]*node) string {
	near := nearest(name, slices.Sorted(maps.Keys(nodes)))
	if near == "" {
		return ""
	}
	label, second, _ := strings.Cut(near, "\x00")
	return fmt.Sprintf(" Did you mean %s?", makeAddress(root, label, second, ""))
}

// hasWord reports whether some attribute may be the bare word.
func hasWord(blocks []*Block, word string) bool {
	return slices.ContainsFunc(blocks, func(b *Block) bool {
		return slices.ContainsFunc(b.Attrs, func(a *Attr) bool { return a.Word == word }) || hasWord(b.Blocks, word)
	})
}

// unknownRoot is about a reference that begins with an unknown name.
func (l *loader) unknownRoot(r *reference, root string) *hcl.Diagnostic {
	at := firstSteps(r.steps, 2)
	for _, b := range basicBlocks {
		if b.Type == root {
			return problem("Invalid reference", at, "%s cannot be referred to. Write the value instead.", upperFirst(aBlock(root)))
		}
	}
	for _, s := range l.options.Systems {
		if l.system != nil && s.Block(root) != nil {
			return problem(unknownReference, at, "%s belongs to system %s, and this configuration is for %s. Refer to blocks of %s.",
				upperFirst(aBlock(root)), quote(s.Name), quote(l.system.Name), quote(l.system.Name))
		}
	}
	if len(r.steps) == 1 {
		if near := nearest(root, []string{"everyone"}); near != "" {
			return problem(unknownReference, at, "Nothing is called %s. Did you mean %s?", root, near)
		}
		if l.system != nil && hasWord(l.system.Blocks, root) {
			return problem(unknownReference, at, "%s is a word that stands alone, in the place of a whole value, and not here. Write a value.", root)
		}
		return problem(unknownReference, at, "Nothing is called %s. If it is a text, write it in quotes: %s.", root, quote(root))
	}
	names := []string{"var", "local", "each", "everyone"}
	if l.system != nil {
		for _, b := range l.system.Blocks {
			names = append(names, b.Type)
		}
	}
	return problem(unknownReference, at, "Nothing is called %s.%s References begin with var, local, each or the type of a block.",
		root, didYouMean(root, names))
}

// scope returns the context in which the expressions of n are evaluated. It
// has what n refers to and nothing else, so that it is small however many
// blocks there are.
func (l *loader) scope(n *node) *hcl.EvalContext {
	roots := map[string]*branch{}
	vars := map[string]cty.Value{}
	for i := range n.refs {
		r := &n.refs[i]
		name := r.steps.RootName()
		switch {
		case r.poisoned && r.target == nil:
			if len(r.steps) == 1 || name == "each" || name == "everyone" || l.system == nil || l.system.Block(name) == nil && name != "var" && name != "local" {
				vars[name] = cty.DynamicVal
				continue
			}
			put(roots, cty.DynamicVal, name, stepName(r.steps[1]))
		case r.all != "":
			for _, target := range l.blocks[r.all] {
				put(roots, target.value, name, target.labels()...)
			}
			if len(l.blocks[r.all]) == 0 {
				vars[name] = cty.EmptyObjectVal
			}
		case r.target != nil && r.target != r.self:
			value := r.target.value
			if r.target.block != nil && !l.checkSteps(r) {
				r.poisoned = true
			}
			if r.poisoned {
				value = cty.DynamicVal
			}
			path := []string{stepName(r.steps[1])}
			if r.target.block != nil {
				path = r.target.labels()
			}
			put(roots, value, name, path...)
		}
	}
	if len(roots) == 0 && len(vars) == 0 {
		return n.home.root
	}
	for name, b := range roots {
		if _, ok := vars[name]; !ok {
			vars[name] = b.object()
		}
	}
	child := n.home.root.NewChild()
	child.Variables = vars
	return child
}

// A branch is an object while it is put together.
type branch struct {
	value cty.Value // of a leaf
	below map[string]*branch
}

// put adds a value to the objects, by the names on the way to it, but never
// over an unknown one.
func put(roots map[string]*branch, v cty.Value, root string, path ...string) {
	b := roots[root]
	if b == nil {
		b = &branch{}
		roots[root] = b
	}
	for _, name := range path {
		if b.below == nil {
			b.below = map[string]*branch{}
		}
		next := b.below[name]
		if next == nil {
			next = &branch{value: cty.NilVal}
			b.below[name] = next
		}
		b = next
	}
	if b.value == cty.NilVal || b.value != cty.DynamicVal {
		b.value = v
	}
}

// object returns the value of b.
func (b *branch) object() cty.Value {
	if b.value != cty.NilVal {
		return b.value
	}
	attrs := make(map[string]cty.Value, len(b.below))
	for name, next := range b.below {
		attrs[name] = next.object()
	}
	return cty.ObjectVal(attrs)
}

// labels returns the labels of a block.
func (n *node) labels() []string {
	if n.block.second == "" {
		return []string{n.block.label}
	}
	return []string{n.block.label, n.block.second}
}

// checkSteps checks what is written after the label of a reference: a key if
// the block has for_each, then an attribute that is set.
func (l *loader) checkSteps(r *reference) bool {
	n := r.target
	at, key := 1+len(n.labels()), ""
	steps := r.steps[at:]
	if len(steps) == 0 || n.value == cty.DynamicVal {
		return true
	}
	name := n.name
	if n.forEach != nil {
		if _, ok := steps[0].(hcl.TraverseSplat); ok {
			return true
		}
		key = stepName(steps[0])
		i := n.at(key)
		if i == nil {
			if r.guarded {
				return true
			}
			var keys []string
			for _, i := range n.instances {
				keys = append(keys, i.key)
			}
			l.report(problem(unknownReference, firstSteps(r.steps, at+1), "%s has no instance %s.%s Use one of the keys of its for_each.",
				n.name, quote(key), didYouMean(key, keys)))
			return false
		}
		name = string(i.described.Addr)
		steps, at = steps[1:], at+1
		if len(steps) == 0 {
			return true
		}
	}
	i, decl := n.at(key), n.block.decl
	if i == nil { // the block is still being evaluated
		return true
	}
	attr := decl.valueAttr(stepName(steps[0]))
	where := firstSteps(r.steps, at+1)
	switch {
	case attr == nil:
		var names []string
		for _, a := range decl.valueAttrs() {
			names = append(names, a.Name)
		}
		advice := didYouMean(stepName(steps[0]), names) + " Use one of the attributes of the block."
		if decl.Block(stepName(steps[0])) != nil {
			advice = " Blocks in a block cannot be referred to. Put the value into a local, and use it in both places."
		}
		l.report(problem(unknownReference, where, "%s has no attribute %s.%s",
			upperFirst(aBlock(decl.Type)), quote(stepName(steps[0])), advice))
		return false
	case attr.Type == PeopleType && len(steps) > 1:
		l.report(peopleAreSymbolic(r.steps.SourceRange()))
		return false
	case r.guarded || n.isSet(i, attr):
		return true
	}
	l.report(problem("Attribute not set", where, "%s is not set in this block, %s (%s). Set it there, or write the value here.",
		quote(attr.Name), name, place(n.decl)))
	return false
}

// refersToUnset reports whether an expression refers to an attribute that is
// not set, outside of a try or can of its own.
func (l *loader) refersToUnset(expr hcl.Expression) bool {
	var guarded []hcl.Range
	for _, t := range expr.Variables() {
		typ := t.RootName()
		if l.blocks[typ] == nil {
			continue
		}
		labels := len(l.system.Block(typ).labelMeanings())
		if len(t) < labels+2 {
			continue
		}
		n, steps, key := l.blocks[typ][stepsKey(t, labels)], t[labels+1:], ""
		if n != nil && n.forEach != nil {
			key, steps = stepName(steps[0]), steps[1:]
		}
		if n == nil || len(steps) == 0 {
			continue
		}
		i, attr := n.at(key), n.block.decl.valueAttr(stepName(steps[0]))
		if i == nil || attr == nil || n.isSet(i, attr) {
			continue
		}
		if guarded == nil {
			guarded = guardedPlaces(expr)
		}
		if !slices.ContainsFunc(guarded, func(g hcl.Range) bool { return g.ContainsPos(t.SourceRange().Start) }) {
			return true
		}
	}
	return false
}

// isSet reports whether references to an attribute of an instance have a
// value, or would if there were no error in it.
func (n *node) isSet(i *instance, attr *Attr) bool {
	return isMembers(attr) || i.described.broken[attr.Name] || i.described.Attrs[attr.Name] != nil
}

// targets calls f with each node that n refers to.
func (l *loader) targets(n *node, f func(*node)) {
	for i := range n.refs {
		r := &n.refs[i]
		if r.target != nil && r.target != r.self {
			f(r.target)
		}
		if r.all != "" {
			for _, label := range slices.Sorted(maps.Keys(l.blocks[r.all])) {
				f(l.blocks[r.all][label])
			}
		}
	}
}

// sorted returns the nodes in groups, each after those that it refers to. A
// group of several nodes refers to each other in a circle. This is Tarjan's
// algorithm.
func (l *loader) sorted() [][]*node {
	var groups [][]*node
	var stack []*node
	count := 0
	var visit func(*node)
	visit = func(n *node) {
		count++
		n.index, n.low = count, count
		stack = append(stack, n)
		n.onStack = true
		l.targets(n, func(t *node) {
			if t.index == 0 {
				visit(t)
				n.low = min(n.low, t.low)
			} else if t.onStack {
				n.low = min(n.low, t.index)
			}
		})
		if n.low != n.index {
			return
		}
		var group []*node
		for n.onStack {
			m := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			m.onStack = false
			group = append(group, m)
		}
		groups = append(groups, group)
	}
	for _, n := range l.nodes {
		if n.index == 0 {
			visit(n)
		}
	}
	return groups
}

// refersTo reports whether n refers to m directly.
func (l *loader) refersTo(n, m *node) bool {
	found := false
	l.targets(n, func(t *node) { found = found || t == m })
	return found
}

// cycle returns the error for nodes that refer to each other in a circle. It
// names a shortest circle through the first of them.
func (l *loader) cycle(group []*node) *hcl.Diagnostic {
	in := map[*node]bool{}
	for _, n := range group {
		in[n] = true
	}
	first := l.nodes[slices.IndexFunc(l.nodes, func(n *node) bool { return in[n] })]
	if len(group) == 1 && first.block != nil {
		r := first.placeOf(l, first)
		return problem("Block refers to itself", r, "%s is known only when the whole block is. Write the value instead, or put it into a local.", first.name)
	}

	// Breadth first, from the first node back to it.
	from := map[*node]*node{}
	queue := []*node{first}
	for len(queue) > 0 && from[first] == nil {
		n := queue[0]
		queue = queue[1:]
		l.targets(n, func(t *node) {
			if in[t] && from[t] == nil {
				from[t] = n
				queue = append(queue, t)
			}
		})
	}
	path := []*node{first}
	for n := from[first]; n != first; n = from[n] {
		path = append(path, n)
	}
	slices.Reverse(path[1:])
	var b strings.Builder
	for i, n := range path {
		next := path[(i+1)%len(path)]
		fmt.Fprintf(&b, "%s refers to %s (%s)", n.name, next.name, place(n.placeOf(l, next)))
		switch {
		case i+1 < len(path):
			b.WriteString(", ")
		default:
			b.WriteString(". ")
		}
	}
	return problem("Circular references", first.placeOf(l, path[1%len(path)]),
		"%sNone of them can be evaluated before the others. Write one of the values out.", b.String())
}

// placeOf returns the place where n refers to target.
func (n *node) placeOf(l *loader, target *node) hcl.Range {
	for i := range n.refs {
		r := &n.refs[i]
		if r.target == target && r.target != r.self || r.all != "" && target.block != nil && target.block.decl.Type == r.all {
			return r.steps.SourceRange()
		}
	}
	return n.decl
}
