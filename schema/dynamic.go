package schema

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// dynamicBlock declares the block that makes nested blocks, one for each
// element of a collection.
var dynamicBlock = &Block{
	Type: "dynamic", Label: "type of block",
	Attrs: []*Attr{{Name: "for_each"}, {Name: "iterator"}, {Name: "labels", Type: ListType}},
	Blocks: []*Block{{
		Type: "content", Once: true,
	}},
}

// A dynamic is a dynamic block whose structure was checked.
type dynamic struct {
	forEach  *parsedAttr
	iterator string        // the name under which the content sees the element
	labels   []*parsedAttr // of the blocks that are made
	broken   bool          // an error in its content was reported: it makes no blocks
}

// parseDynamic checks the structure of a dynamic block in a block that decl
// declares. It returns nil if the block cannot be made sense of.
func (l *loader) parseDynamic(b *hcl.Block, decl *Block, outer *parsed) *parsed {
	shell := &parsed{decl: dynamicBlock, header: header(b), labelled: true}
	l.parseLabel(b, shell)
	if !shell.labelled {
		return nil
	}
	target := decl.Block(shell.label)
	if target == nil {
		var types []string
		for _, n := range decl.Blocks {
			types = append(types, n.Type)
		}
		advice := " Write it without dynamic, or take it out."
		if decl.Attr(shell.label) != nil {
			advice = " It has an attribute of that name: write " + shell.label + " = [for …], for example."
		}
		l.report(problem("Unknown block", shell.labelRange, "%s has no block %s in it.%s%s", upperFirst(aBlock(decl.Type)), quote(shell.label), didYouMean(shell.label, types), advice))
		return nil
	}
	p := &parsed{decl: target, header: shell.header, labelRange: shell.labelRange, labelled: true, dynamic: &dynamic{iterator: target.Type}}
	attrs, blocks := l.content(b.Body, dynamicBlock.Blocks, dynamicBlock.Attrs, 0)
	for _, a := range attrs {
		l.parseDynamicAttr(a, p, outer)
	}
	if p.dynamic.forEach == nil {
		l.report(missingAttr("for_each", "dynamic "+quote(target.Type), p.header, "Write for_each with a list, set or map: there is one block for each element."))
		return nil
	}
	if meanings := target.labelMeanings(); len(p.dynamic.labels) != len(meanings) && !slices.ContainsFunc(attrs, func(a *hcl.Attribute) bool { return a.Name == "labels" }) {
		l.report(missingAttr("labels", "dynamic "+quote(target.Type), p.header, "Write labels = ["+p.dynamic.iterator+".key], for example: "+aBlock(target.Type)+" has a label ("+meanings[0]+")."))
		return nil
	}
	var body *hcl.Block
	for _, c := range blocks {
		switch {
		case c.Type != "content":
			l.report(problem("Unknown block", c.TypeRange, "A dynamic block has only a content block in it. Move %s into content { … }.", quote(c.Type)))
		case body != nil:
			l.report(duplicateBlock("The content block", header(c), header(body)))
		default:
			body = c
		}
	}
	if body == nil {
		l.report(problem("Missing content", p.header, "The dynamic block has no content. Write content { … } with what each %s block holds.", target.Type))
		return nil
	}
	l.parseBody(body.Body, p)
	return p
}

// parseDynamicAttr checks one attribute of a dynamic block.
func (l *loader) parseDynamicAttr(a *hcl.Attribute, p, outer *parsed) {
	switch {
	case a.Expr == nil || dynamicBlock.Attr(a.Name) == nil:
		l.report(problem("Unknown attribute", a.NameRange, "A dynamic block has no attribute %s.%s Move it into content { … }, or take it out.",
			quote(a.Name), didYouMean(a.Name, []string{"for_each", "iterator", "labels"})))
	case a.Name == "for_each":
		p.dynamic.forEach = &parsedAttr{&Attr{Name: "for_each"}, a, a.Expr}
	case a.Name == "iterator":
		name := hcl.ExprAsKeyword(a.Expr)
		if name == "" || slices.Contains([]string{"var", "local", "each", "everyone"}, name) {
			l.report(problem("Invalid iterator", a.Expr.Range(), "\"iterator\" is the name under which content sees the element. Write one without quotes, such as iterator = item."))
			return
		}
		p.dynamic.iterator = name
	case a.Name == "labels":
		list, diags := hcl.ExprList(a.Expr)
		meanings := p.decl.labelMeanings()
		if diags.HasErrors() || len(list) != len(meanings) {
			l.report(problem("Invalid labels", a.Expr.Range(), "%s has %s, so \"labels\" is a list with %s in it. Correct it.",
				upperFirst(aBlock(p.decl.Type)), Count(len(meanings), "label"), Count(len(meanings), "text")))
			return
		}
		for _, e := range list {
			p.dynamic.labels = append(p.dynamic.labels, &parsedAttr{&Attr{Name: "labels"}, a, e})
		}
	}
}

// expand decodes the blocks that a dynamic block makes.
func (l *loader) expand(p *parsed, scope *hcl.EvalContext) []*Described {
	dyn := p.dynamic
	if dyn.broken {
		return nil
	}
	keys, values, ok := l.eachOf(dyn.forEach.expr, l.value(dyn.forEach.expr, scope))
	if !ok {
		l.undecided = append(l.undecided, dyn.forEach.expr.Range())
		return nil
	}
	var list []*Described
	for i, key := range keys {
		child := scope.NewChild()
		child.Variables = map[string]cty.Value{dyn.iterator: cty.ObjectVal(map[string]cty.Value{"key": key, "value": values[i]})}
		d := l.decode(p, child)
		valid := true
		for j, a := range dyn.labels {
			text, ok := l.toText(a, l.value(a.expr, child))
			if ok && text == "" {
				l.report(problem("Empty label", a.expr.Range(), "The label of one of the blocks is empty. Every block needs one."))
			}
			valid = valid && ok && text != ""
			if j == 0 {
				d.Label, d.LabelRange = text, a.expr.Range()
			} else {
				d.Second = text
			}
		}
		if valid {
			list = append(list, d)
		}
	}
	return list
}

// eachOf returns the keys and values of what a dynamic block loops over. Other
// than the keys of for_each, its keys are in no address, so a list will do.
func (l *loader) eachOf(expr hcl.Expression, v cty.Value) (keys, values []cty.Value, ok bool) {
	at := expr.Range()
	v, marks := v.Unmark()
	t := v.Type()
	switch {
	case len(marks) > 0:
		l.report(sensitiveValue("for_each", at))
		return nil, nil, false
	case t == cty.DynamicPseudoType && !v.IsNull() || !v.IsKnown():
		return nil, nil, false
	case v.IsNull():
		l.report(problem("Invalid for_each", at, "The value of for_each is null. Use a list, a set, a map or an object."))
		return nil, nil, false
	case t == peopleType:
		l.report(peopleAreSymbolic(at))
		return nil, nil, false
	case isReference(t) || !isList(t) && !t.IsMapType() && !t.IsObjectType():
		l.report(problem("Invalid for_each", at, "for_each of a dynamic block takes a list, a set, a map or an object, and this is %s. Change the expression.", describe(v)))
		return nil, nil, false
	case v.LengthInt() > maxInstances:
		l.report(problem("Invalid for_each", at, "for_each has %d elements, and at most %d are allowed. Split the configuration.", v.LengthInt(), maxInstances))
		return nil, nil, false
	}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		keys, values = append(keys, k), append(values, e)
	}
	return keys, values, true
}

// checkRepeated reports nested blocks that dynamic blocks made although there
// may be only one of them.
func (l *loader) checkRepeated(p *parsed, d *Described) {
	if !slices.ContainsFunc(p.blocks, func(b *parsed) bool { return b.dynamic != nil }) {
		return // checked when it was parsed
	}
	first := map[string]*Described{}
	for _, b := range d.Blocks {
		decl := p.decl.Block(b.Type)
		key := b.Type
		if !decl.Once {
			key += " " + labelKey(b.Label, b.Second)
		}
		if other := first[key]; other != nil && (decl.Once || decl.Label != "") {
			name := b.Type
			if b.Label != "" {
				name += " " + quote(b.Label)
			}
			l.report(duplicateBlock("The block "+name, b.Range, other.Range))
			continue
		}
		first[key] = b
	}
}
