package schema

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

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
