package schema

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// envPrefix is before the name of a variable in the environment.
const envPrefix = "ROLECALL_VAR_"

// sensitive marks values that are not to be shown.
const sensitive = "sensitive"

// A given is a value that a variable is given from outside.
type given struct {
	from string         // what the user would call its place
	text string         // as written, unless expr is set
	expr hcl.Expression // from a file
	at   hcl.Range      // of expr
	src  string         // bytes of expr
}

// key returns what the digest has of g.
func (g given) key() string { return g.text + "\x00" + g.src }

// readValues collects the values of variables, in the order in which they win.
func (l *loader) readValues() {
	for _, e := range l.options.Environ {
		if name, text, ok := strings.Cut(strings.TrimPrefix(e, envPrefix), "="); ok && strings.HasPrefix(e, envPrefix) {
			l.give(name, given{from: envPrefix + name, text: text})
		}
	}
	for _, path := range l.options.VarFiles {
		l.readVarFile(path)
	}
	for _, v := range l.options.Vars {
		name, text, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			at := hcl.Range{Filename: "--var", Start: hcl.InitialPos, End: hcl.InitialPos}
			l.report(problem("Invalid value of variable", at, "--var takes name=value, and %s has no name or no \"=\". Write --var name=value.", quote(name)))
			continue
		}
		l.give(name, given{from: "--var " + name, text: text})
	}
}

// place returns where g is from.
func (g given) place() hcl.Range {
	if g.expr != nil {
		return g.at
	}
	return hcl.Range{Filename: g.from, Start: hcl.InitialPos, End: hcl.InitialPos}
}

func (l *loader) give(name string, g given) { l.values[name] = append(l.values[name], g) }

// readVarFile collects the values in one file. The file is not shown in
// diagnostics, as it may hold what is sensitive.
func (l *loader) readVarFile(path string) {
	path = filepath.Clean(path)
	whole := hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}
	text, err := readFile(path)
	if err != nil {
		l.incomplete = true
		l.report(problem("Unreadable file", whole, "%s: %s. Name a file of values with --var-file.", path, err))
		return
	}
	if d := checkText([]byte(text), path); d != nil {
		l.incomplete = true
		l.report(d)
		return
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if strings.HasSuffix(path, ".json") {
		file, diags = hcljson.Parse([]byte(text), path)
	} else {
		file, diags = hclsyntax.ParseConfig([]byte(text), path, hcl.InitialPos)
	}
	var attrs hcl.Attributes
	if !diags.HasErrors() {
		attrs, diags = file.Body.JustAttributes()
	}
	if diags.HasErrors() {
		l.incomplete = true
	}
	l.reportSyntax(diags)
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		a := attrs[name]
		r := a.Expr.Range()
		l.give(name, given{from: place(a.NameRange), expr: a.Expr, at: a.NameRange, src: string(r.SliceBytes([]byte(text)))})
	}
}

func readFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", why(err)
	}
	if info.IsDir() {
		return "", fmt.Errorf("it is a directory")
	}
	file, err := os.Open(path)
	if err != nil {
		return "", why(err)
	}
	defer file.Close()
	return readAll(file, maxFile)
}

// variableBlock declares the variable block.
var variableBlock = &Block{
	Type: "variable", Label: "name", Write: WayLocal, ReadBack: WayLocal,
	Doc: "A value from outside, used as `var.name`. It comes from `--var NAME=VALUE`, else from a file named by `--var-file`, else from the environment as `ROLECALL_VAR_NAME`, else from the default. " +
		"The text of a variable that is neither a text, a number nor a truth value is an HCL expression.",
	Attrs: []*Attr{
		{Name: "description", Default: "\"\"", Example: `"Whose addresses count as ours."`, Doc: "What it is for."},
		{Name: "type", Type: typeType, Default: "any", Example: "string",
			Doc: "The type of the value: string, number, bool, any, list(…), set(…), map(…), object({…}), tuple([…]); an attribute of an object may be optional(type, default)."},
		{Name: "default", Type: anyType, Default: "it must be given a value", Example: `"acme.com"`, Doc: "The value if none is given. Null is a value."},
		{Name: "sensitive", Type: BoolType, Default: "false", Example: "false",
			Doc: "Whether the value is never shown. What is made of it cannot be written where plans show it."},
		{Name: "nullable", Type: BoolType, Default: "true", Example: "false", Doc: "Whether the value may be null. If not, null stands for the default."},
	},
	Blocks: []*Block{{
		Type: "validation", Doc: "A condition that the value must meet.",
		Attrs: []*Attr{
			{Name: "condition", Type: BoolType, Required: true, Example: `strcontains(var.example, ".")`, Doc: "True for values that are allowed. It may use the variable itself and others."},
			{Name: "error_message", Required: true, Example: `"Write a domain such as acme.com."`, Doc: "What is said of a value that is not allowed."},
		},
	}},
}

// A variable is a variable block.
type variable struct {
	name      string
	block     *parsed
	typ       cty.Type // dynamic if none is written
	defaults  *typeexpr.Defaults
	broken    bool // its type is
	fallback  *hcl.Attribute
	sensitive bool
	nullable  bool
}

// declareVariable makes a node of a variable block.
func (l *loader) declareVariable(f *folder, p *parsed) {
	if !p.labelled {
		return
	}
	if first := l.vars[p.label]; first != nil {
		l.report(duplicateBlock("var."+p.label, p.header, first.decl))
		return
	}
	v := &variable{name: p.label, block: p, typ: cty.DynamicPseudoType, nullable: true}
	n := &node{name: "var." + p.label, decl: p.header, home: f}
	n.evaluate = func() { n.value = l.variableValue(n, v) }
	l.vars[p.label] = n
	l.nodes = append(l.nodes, n)

	if !hclsyntax.ValidIdentifier(p.label) {
		l.report(problem("Invalid name of variable", p.labelRange,
			"%s cannot be written after \"var.\". Use letters, digits, - and _, and begin with a letter.", quote(p.label)))
	}
	constant := func(a *parsedAttr) cty.Value {
		if vars := a.expr.Variables(); len(vars) > 0 {
			l.report(problem("Reference not allowed", vars[0].SourceRange(),
				"%s of a variable must be known before anything is evaluated. Write the value out.", quote(a.decl.Name)))
			return cty.DynamicVal
		}
		return l.value(a.expr, f.root)
	}
	for _, a := range p.attrs {
		switch a.decl.Name {
		case "type":
			typ, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.expr)
			for _, d := range diags {
				l.report(plain(d))
			}
			v.typ, v.defaults, v.broken = typ, defaults, diags.HasErrors()
		case "default":
			v.fallback = a.attr
			l.refer(n, a.expr, nil, false)
		case "sensitive":
			if b, ok := l.toBool(a, constant(a)); ok {
				v.sensitive = b
			}
		case "nullable":
			if b, ok := l.toBool(a, constant(a)); ok {
				v.nullable = b
			}
		case "description":
			l.toText(a, constant(a))
		}
	}
	for _, validation := range p.blocks {
		for _, a := range validation.attrs {
			l.refer(n, a.expr, n, false)
		}
	}
}

// variableValue returns the value of a variable, checked.
func (l *loader) variableValue(n *node, v *variable) cty.Value {
	if v.broken {
		return cty.DynamicVal
	}
	scope := l.scope(n)
	value, ok := cty.NilVal, false
	if list := l.values[v.name]; len(list) > 0 {
		g := list[len(list)-1]
		if value, ok = l.givenValue(v, g); !ok {
			return cty.DynamicVal
		}
		if value.IsNull() && !v.nullable && v.fallback != nil {
			ok = false
		}
	}
	if !ok {
		if v.fallback == nil {
			l.report(problem("Variable without a value", n.decl,
				"%s has no default. Give it a value with --var %s=VALUE, in a file named by --var-file, or in the environment as %s%s.",
				n.name, v.name, envPrefix, v.name))
			return cty.DynamicVal
		}
		value = l.value(v.fallback.Expr, scope)
		if !value.IsWhollyKnown() {
			l.undecided = append(l.undecided, v.fallback.Expr.Range())
			return cty.DynamicVal
		}
		converted, err := v.convert(value)
		if err != nil {
			at := v.fallback.Expr.Range()
			if v.sensitive {
				at = n.decl
			}
			l.report(problem("Invalid default", at, "The default of %s does not fit its type %s: %s. Change one of the two.",
				n.name, typeName(v.typ), reason(err)))
			return cty.DynamicVal
		}
		value = converted
	}
	if value.IsNull() && !v.nullable {
		l.report(problem("Variable is null", n.decl, "%s has nullable = false, and its value is null. Give it a value.", n.name))
		return cty.DynamicVal
	}
	if v.sensitive {
		value = value.Mark(sensitive)
	}

	// The conditions see the value of this variable.
	child := scope.NewChild()
	own := map[string]cty.Value{v.name: value}
	for name, other := range scopeObject(scope, "var") {
		if name != v.name {
			own[name] = other
		}
	}
	child.Variables = map[string]cty.Value{"var": cty.ObjectVal(own)}
	valid := true
	for _, validation := range v.block.blocks {
		valid = l.validate(n, validation, child) && valid
	}
	if !valid {
		return cty.DynamicVal
	}
	return value
}

// validate reports whether the condition of one validation block holds.
func (l *loader) validate(n *node, p *parsed, scope *hcl.EvalContext) bool {
	condition, message := p.attr("condition"), p.attr("error_message")
	if condition == nil || message == nil {
		return true // reported
	}
	holds, _ := l.value(condition.expr, scope).Unmark()
	if !holds.IsKnown() || holds.IsNull() {
		l.undecided = append(l.undecided, condition.expr.Range())
		return false
	}
	b, ok := l.toBool(condition, holds)
	if !ok || b {
		return ok
	}
	text := l.value(message.expr, scope)
	advice := "The value is not allowed."
	switch {
	case text.IsMarked():
		advice = "The value is not allowed. (The error message is made from a sensitive variable, and is not shown.)"
	case text.IsKnown() && !text.IsNull() && text.Type() == cty.String:
		advice = text.AsString()
	}
	l.report(within(problem("Invalid value of variable", condition.expr.Range(), "%s: %s", n.name, advice), p.header))
	return false
}

// givenValue returns a value from outside, converted to the variable's type.
func (l *loader) givenValue(v *variable, g given) (cty.Value, bool) {
	var value cty.Value
	switch {
	case g.expr != nil:
		var diags hcl.Diagnostics
		value, diags = g.expr.Value(nil)
		if diags.HasErrors() {
			for _, d := range diags {
				l.report(l.clean(d, v.sensitive))
			}
			return cty.DynamicVal, false
		}
	case v.typ.IsPrimitiveType() || v.typ == cty.DynamicPseudoType:
		value = cty.StringVal(g.text)
	default:
		if d := checkText([]byte(g.text), g.from); d != nil {
			l.report(d)
			return cty.DynamicVal, false
		}
		expr, diags := hclsyntax.ParseExpression([]byte(g.text), g.from, hcl.InitialPos)
		if !diags.HasErrors() {
			value, diags = expr.Value(nil)
		}
		if diags.HasErrors() {
			for _, d := range diags {
				l.report(l.clean(d, v.sensitive))
			}
			return cty.DynamicVal, false
		}
	}
	converted, err := v.convert(value)
	if err != nil {
		l.report(problem("Invalid value of variable", g.place(), "The value of var.%s from %s does not fit its type %s: %s. Give it one that does.",
			v.name, g.from, typeName(v.typ), reason(err)))
		return cty.DynamicVal, false
	}
	return converted, true
}

// convert makes value one of the variable's type.
func (v *variable) convert(value cty.Value) (cty.Value, error) {
	if v.defaults != nil && !value.IsNull() {
		value = v.defaults.Apply(value)
	}
	return convertTo(value, v.typ)
}

// convertTo is [convert.Convert], but takes linear time for long tuples: the
// library compares the types of all elements with each other.
func convertTo(value cty.Value, typ cty.Type) (cty.Value, error) {
	from := value.Type()
	if value.IsNull() || !value.IsKnown() || value.IsMarked() || !typ.IsCollectionType() || typ.HasDynamicTypes() ||
		!from.IsTupleType() && !from.IsObjectType() {
		return convert.Convert(value, typ)
	}
	if typ.IsMapType() != from.IsObjectType() {
		return convert.Convert(value, typ)
	}
	element := typ.ElementType().WithoutOptionalAttributesDeep()
	if typ.IsMapType() {
		entries := make(map[string]cty.Value, value.LengthInt())
		for it := value.ElementIterator(); it.Next(); {
			k, v := it.Element()
			c, err := convertTo(v, typ.ElementType())
			if err != nil {
				return cty.NilVal, fmt.Errorf("%s: %w", quote(k.AsString()), err)
			}
			entries[k.AsString()] = c
		}
		if len(entries) == 0 {
			return cty.MapValEmpty(element), nil
		}
		return cty.MapVal(entries), nil
	}
	items := make([]cty.Value, 0, value.LengthInt())
	for it := value.ElementIterator(); it.Next(); {
		_, v := it.Element()
		c, err := convertTo(v, typ.ElementType())
		if err != nil {
			return cty.NilVal, fmt.Errorf("element %d: %w", len(items)+1, err)
		}
		items = append(items, c)
	}
	switch {
	case typ.IsSetType() && len(items) == 0:
		return cty.SetValEmpty(element), nil
	case typ.IsSetType():
		return cty.SetVal(items), nil
	case len(items) == 0:
		return cty.ListValEmpty(element), nil
	}
	return cty.ListVal(items), nil
}

// typeName writes a type as it is written in a configuration.
func typeName(t cty.Type) string { return typeexpr.TypeString(t) }

// reason returns the text of an error of a conversion, without values.
func reason(err error) string { return strings.TrimSuffix(err.Error(), ".") }
