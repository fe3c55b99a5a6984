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
