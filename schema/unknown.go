package schema

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
)

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
