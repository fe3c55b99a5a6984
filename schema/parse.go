package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

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
