package schema

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// The types of values that the library does not know. They cannot be converted
// to or from anything.
var (
	peopleType  = cty.Capsule("set of people", reflect.TypeFor[symbolic]())
	addressType = cty.Capsule("reference", reflect.TypeFor[Address]())
)

type symbolic struct{ people People }

func peopleValue(p People) cty.Value { return cty.CapsuleVal(peopleType, &symbolic{p}) }

func toPeople(v cty.Value) People { return v.EncapsulatedValue().(*symbolic).people }

func addressValue(a Address) cty.Value { return cty.CapsuleVal(addressType, &a) }

func toAddress(v cty.Value) Address { return *v.EncapsulatedValue().(*Address) }

// functions returns the functions of the language. Those that read files read
// them through f; unset reports whether an expression refers to an attribute
// that is not set, which try and can take for an error.
func functions(f *files, m *meter, unset func(hcl.Expression) bool) map[string]function.Function {
	all := map[string]function.Function{
		"abs":             stdlib.AbsoluteFunc,
		"can":             canFunc(unset),
		"ceil":            stdlib.CeilFunc,
		"chomp":           stdlib.ChompFunc,
		"chunklist":       stdlib.ChunklistFunc,
		"coalesce":        stdlib.CoalesceFunc,
		"coalescelist":    stdlib.CoalesceListFunc,
		"compact":         stdlib.CompactFunc,
		"concat":          stdlib.ConcatFunc,
		"contains":        stdlib.ContainsFunc,
		"csvdecode":       remembered(stdlib.CSVDecodeFunc, nil),
		"distinct":        distinctFunc,
		"element":         stdlib.ElementFunc,
		"flatten":         stdlib.FlattenFunc,
		"floor":           stdlib.FloorFunc,
		"format":          writing(stdlib.FormatFunc),
		"formatdate":      stdlib.FormatDateFunc,
		"formatlist":      writing(stdlib.FormatListFunc),
		"indent":          indentFunc,
		"join":            stdlib.JoinFunc,
		"jsondecode":      remembered(stdlib.JSONDecodeFunc, hostileJSON),
		"jsonencode":      writing(stdlib.JSONEncodeFunc),
		"keys":            stdlib.KeysFunc,
		"length":          lengthFunc,
		"lookup":          stdlib.LookupFunc,
		"lower":           stdlib.LowerFunc,
		"max":             stdlib.MaxFunc,
		"merge":           stdlib.MergeFunc,
		"min":             stdlib.MinFunc,
		"parseint":        stdlib.ParseIntFunc,
		"range":           stdlib.RangeFunc,
		"regex":           stdlib.RegexFunc,
		"regexall":        stdlib.RegexAllFunc,
		"replace":         replaceFunc,
		"reverse":         stdlib.ReverseListFunc,
		"setintersection": stdlib.SetIntersectionFunc,
		"setproduct":      setProductFunc,
		"setsubtract":     stdlib.SetSubtractFunc,
		"setsubtraction":  stdlib.SetSubtractFunc,
		"setunion":        stdlib.SetUnionFunc,
		"slice":           stdlib.SliceFunc,
		"sort":            stdlib.SortFunc,
		"split":           stdlib.SplitFunc,
		"strrev":          stdlib.ReverseFunc,
		"startswith":      predicate(strings.HasPrefix),
		"endswith":        predicate(strings.HasSuffix),
		"strcontains":     predicate(strings.Contains),
		"substr":          stdlib.SubstrFunc,
		"timeadd":         stdlib.TimeAddFunc,
		"title":           stdlib.TitleFunc,
		"tobool":          stdlib.MakeToFunc(cty.Bool),
		"tolist":          linear(cty.List),
		"tomap":           stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"tonumber":        stdlib.MakeToFunc(cty.Number),
		"toset":           linear(cty.Set),
		"tostring":        stdlib.MakeToFunc(cty.String),
		"trim":            stdlib.TrimFunc,
		"trimprefix":      stdlib.TrimPrefixFunc,
		"trimspace":       stdlib.TrimSpaceFunc,
		"trimsuffix":      stdlib.TrimSuffixFunc,
		"try":             tryFunc(unset),
		"upper":           stdlib.UpperFunc,
		"values":          stdlib.ValuesFunc,
		"yamldecode":      remembered(yaml.YAMLDecodeFunc, hostileYAML),
		"zipmap":          stdlib.ZipmapFunc,

		// People
		"domain":            domainFunc,
		"organization_role": organizationRoleFunc,
		"union":             combination(func(sets []People) People { return &Union{Of: sets} }),
		"intersect":         combination(func(sets []People) People { return &Intersect{Of: sets} }),
		"minus":             combination(func(sets []People) People { return &Minus{From: sets[0], Without: sets[1:]} }),

		// Files
		"file":       fileFunc(f),
		"fileexists": fileExistsFunc(f),
	}
	all["templatefile"] = templateFileFunc(f, m, all)
	return all
}

var domainFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "name", Type: cty.String}},
	Type:   function.StaticReturnType(peopleType),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		name := strings.ToLower(args[0].AsString())
		if _, err := ParseEmail("someone@" + name); err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "%s is not a domain such as \"vendor.com\"", quote(args[0].AsString()))
		}
		return peopleValue(&Domain{Name: name}), nil
	},
})

var organizationRoleFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "name", Type: cty.String}},
	Type:   function.StaticReturnType(peopleType),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if args[0].AsString() == "" {
			return cty.NilVal, function.NewArgErrorf(0, "the name of an organization role is wanted, such as \"user\"")
		}
		return peopleValue(&OrganizationRole{Name: args[0].AsString()}), nil
	},
})

// combination returns a function of two or more sets of people.
func combination(combine func([]People) People) function.Function {
	set := func(name string) function.Parameter {
		return function.Parameter{Name: name, Type: cty.DynamicPseudoType, AllowDynamicType: true}
	}
	more := set("more")
	return function.New(&function.Spec{
		Params:   []function.Parameter{set("first"), set("second")},
		VarParam: &more,
		Type:     function.StaticReturnType(peopleType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			sets := make([]People, len(args))
			for i, arg := range args {
				p, known, err := peopleOf(arg)
				if err != nil {
					return cty.NilVal, function.NewArgError(i, err)
				}
				if !known {
					return cty.UnknownVal(peopleType), nil
				}
				sets[i] = p
			}
			return peopleValue(combine(sets)), nil
		},
	})
}

// distinctFunc is distinct in linear time; that of the library compares every
// element with every other.
var distinctFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		switch t := args[0].Type(); {
		case t.IsListType() || t.IsSetType():
			return cty.List(t.ElementType()), nil
		case t.IsTupleType():
			return cty.DynamicPseudoType, nil // how many remain is not known yet
		}
		return cty.NilType, function.NewArgErrorf(0, "a list is wanted")
	},
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		if !args[0].IsWhollyKnown() {
			return cty.UnknownVal(t), nil
		}
		var items []cty.Value
		seen := map[int][]cty.Value{}
		for it := args[0].ElementIterator(); it.Next(); {
			_, e := it.Element()
			h := e.Hash()
			twice := false
			for _, other := range seen[h] {
				twice = twice || other.RawEquals(e)
			}
			if !twice {
				seen[h] = append(seen[h], e)
				items = append(items, e)
			}
		}
		return makeList(items, args[0].Type()), nil
	},
})

// linear returns tolist or toset, in linear time for tuples whose elements have
// one type; the library compares the types of all elements with each other.
func linear(collection func(cty.Type) cty.Type) function.Function {
	slow := stdlib.MakeToFunc(collection(cty.DynamicPseudoType))
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if t, ok := sameElements(args[0].Type()); ok {
				return collection(t), nil
			}
			return slow.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			_, ok := sameElements(args[0].Type())
			switch {
			case ok && t.IsSetType():
				return cty.SetVal(args[0].AsValueSlice()), nil
			case ok:
				return cty.ListVal(args[0].AsValueSlice()), nil
			}
			return slow.Call(args)
		},
	})
}

// sameElements returns the one type of the elements of a tuple.
func sameElements(t cty.Type) (cty.Type, bool) {
	if !t.IsTupleType() || t.Length() == 0 {
		return cty.NilType, false
	}
	types := t.TupleElementTypes()
	for _, e := range types {
		if !e.Equals(types[0]) || e == cty.DynamicPseudoType {
			return cty.NilType, false
		}
	}
	return types[0], true
}

// makeList makes a list of items that were the elements of a value of type t,
// or a tuple if their types differ.
func makeList(items []cty.Value, t cty.Type) cty.Value {
	if t.IsTupleType() {
		for _, e := range items {
			if !e.Type().Equals(items[0].Type()) || e.Type() == cty.DynamicPseudoType {
				return cty.TupleVal(items)
			}
		}
		if len(items) == 0 {
			return cty.EmptyTupleVal
		}
		return cty.ListVal(items)
	}
	if len(items) == 0 {
		return cty.ListValEmpty(t.ElementType())
	}
	return cty.ListVal(items)
}

// writing returns f, a function that writes values as text, for values that
// can be written: sets of people and references cannot.
func writing(f function.Function) function.Function {
	values := function.Parameter{Name: "values", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true}
	check := func(args []cty.Value) error {
		for i, arg := range args {
			if t := arg.Type(); t == peopleType || hasCapsule(t) {
				return function.NewArgErrorf(i, "sets of people and references to blocks cannot be written as text; use an attribute of the block")
			}
			if i == 0 && isText(arg) && wide.MatchString(arg.AsString()) {
				return function.NewArgErrorf(i, "a width or precision is more than %d", maxPadding)
			}
		}
		return nil
	}
	return function.New(&function.Spec{
		VarParam: &values,
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := check(args); err != nil {
				return cty.NilType, err
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

// wide finds verbs of format that ask for very many letters.
var wide = regexp.MustCompile(`%[^a-zA-Z%]*[0-9]{4}`)

// indentFunc is indent with a bound.
var indentFunc = bounded(stdlib.IndentFunc, func(args []cty.Value) error {
	if n, _ := args[0].AsBigFloat().Float64(); n < 0 || n > maxPadding {
		return function.NewArgErrorf(0, "a number from 0 to %d is wanted", maxPadding)
	}
	return nil
}, function.Parameter{Name: "spaces", Type: cty.Number}, function.Parameter{Name: "text", Type: cty.String})

// setProductFunc is setproduct with a bound.
var setProductFunc = func() function.Function {
	sets := function.Parameter{Name: "sets", Type: cty.DynamicPseudoType}
	check := func(args []cty.Value) error {
		n := 1.0
		for _, arg := range args {
			if isList(arg.Type()) && arg.IsKnown() && !arg.IsNull() {
				n *= float64(arg.LengthInt())
			}
		}
		if n > maxProduct {
			return fmt.Errorf("the result would have more than %d elements", maxProduct)
		}
		return nil
	}
	return function.New(&function.Spec{
		VarParam: &sets,
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := check(args); err != nil {
				return cty.NilType, err
			}
			return stdlib.SetProductFunc.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return stdlib.SetProductFunc.Call(args) },
	})
}()

// bounded returns f for arguments that pass a check.
func bounded(f function.Function, check func([]cty.Value) error, params ...function.Parameter) function.Function {
	return function.New(&function.Spec{
		Params: params,
		Type:   f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if err := check(args); err != nil {
				return cty.NilVal, err
			}
			return f.Call(args)
		},
	})
}

// hasCapsule reports whether values of type t can hold a set of people or a
// reference.
func hasCapsule(t cty.Type) bool {
	switch {
	case t.IsCapsuleType():
		return true
	case t.IsCollectionType():
		return hasCapsule(t.ElementType())
	case t.IsTupleType():
		return slices.ContainsFunc(t.TupleElementTypes(), hasCapsule)
	case t.IsObjectType():
		for _, a := range t.AttributeTypes() {
			if hasCapsule(a) {
				return true
			}
		}
	}
	return false
}

// tryFunc returns the function that evaluates its arguments until one of them
// has no error.
func tryFunc(unset func(hcl.Expression) bool) function.Function {
	expressions := function.Parameter{Name: "expressions", Type: customdecode.ExpressionClosureType}
	try := func(args []cty.Value) (cty.Value, error) {
		set := slices.DeleteFunc(slices.Clone(args), func(arg cty.Value) bool {
			return unset(customdecode.ExpressionClosureFromVal(arg).Expression)
		})
		if len(set) == 0 {
			return cty.NilVal, errors.New("none of the attributes is set; end with a value that always is")
		}
		return tryfunc.TryFunc.Call(set)
	}
	return function.New(&function.Spec{
		VarParam: &expressions,
		Type: func(args []cty.Value) (cty.Type, error) {
			v, err := try(args)
			if err != nil {
				return cty.NilType, err
			}
			return v.Type(), nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return try(args) },
	})
}

// canFunc returns the function that reports whether an expression has no error.
func canFunc(unset func(hcl.Expression) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "expression", Type: customdecode.ExpressionClosureType}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if unset(customdecode.ExpressionClosureFromVal(args[0]).Expression) {
				return cty.False, nil
			}
			return tryfunc.CanFunc.Call(args)
		},
	})
}

// predicate returns a function of two texts that is true or false.
func predicate(f func(a, b string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// lengthFunc is the length of a list, map or text.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true}},
	Type: func(args []cty.Value) (cty.Type, error) {
		t := args[0].Type()
		if t != cty.String && t != cty.DynamicPseudoType && !isList(t) && !t.IsMapType() && (!t.IsObjectType() || isReference(t)) {
			return cty.NilType, function.NewArgErrorf(0, "a list, a map or a text is wanted")
		}
		return cty.Number, nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		switch t := args[0].Type(); {
		case t == cty.String:
			return stdlib.Strlen(args[0])
		case t.IsObjectType():
			return cty.NumberIntVal(int64(len(t.AttributeTypes()))), nil
		case t.IsTupleType():
			return cty.NumberIntVal(int64(t.Length())), nil
		}
		return args[0].Length(), nil
	},
})

// replaceFunc is replace of texts, or of a regular expression written between
// slashes.
var replaceFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "text", Type: cty.String}, {Name: "old", Type: cty.String}, {Name: "new", Type: cty.String},
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		old := args[1].AsString()
		if len(old) > 1 && strings.HasPrefix(old, "/") && strings.HasSuffix(old, "/") {
			return stdlib.RegexReplace(args[0], cty.StringVal(old[1:len(old)-1]), args[2])
		}
		return stdlib.Replace(args[0], args[1], args[2])
	},
})

// remembered returns f, a function of one text, with a memory: in a block
// with for_each the same text may be decoded for every instance.
func remembered(f function.Function, hostile func([]byte) (int, string)) function.Function {
	results := map[string]cty.Value{}
	call := func(args []cty.Value) (cty.Value, error) {
		text := args[0].AsString()
		if v, ok := results[text]; ok {
			return v, nil
		}
		if hostile != nil {
			if offset, why := hostile([]byte(text)); offset >= 0 {
				return cty.NilVal, function.NewArgErrorf(0, "%s", why)
			}
		}
		v, err := f.Call(args)
		if err == nil {
			results[text] = v
		}
		return v, err
	}
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			v, err := call(args)
			if err != nil {
				return cty.NilType, err
			}
			return v.Type(), nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return call(args) },
	})
}

// find returns the directory that a path leads into, and the name of the file
// in it. That is f itself, or a directory that an include names.
func (f *files) find(arg cty.Value) (*files, string, error) {
	path := arg.AsString()
	if filepath.IsAbs(path) {
		return nil, "", function.NewArgErrorf(0, "%s is an absolute path; paths are relative to the directory of the configuration", quote(path))
	}
	if filepath.IsLocal(path) {
		return f, filepath.Clean(path), nil
	}
	for _, other := range f.others {
		if name, err := filepath.Rel(other.rel, filepath.Clean(path)); err == nil && filepath.IsLocal(name) {
			return other.files, name, nil
		}
	}
	return nil, "", function.NewArgErrorf(0, "%s is outside of the directory of the configuration", quote(path))
}

func (f *files) readText(arg cty.Value) (string, error) {
	in, path, err := f.find(arg)
	if err != nil {
		return "", err
	}
	text, err := in.get(path)
	if err != nil {
		return "", function.NewArgErrorf(0, "%s cannot be read: %s", quote(arg.AsString()), err)
	}
	if !utf8.ValidString(text) {
		return "", function.NewArgErrorf(0, "%s is not UTF-8 text", quote(arg.AsString()))
	}
	return text, nil
}

func fileFunc(f *files) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := f.readText(args[0])
			if err != nil {
				return cty.NilVal, err
			}
			return cty.StringVal(text), nil
		},
	})
}

func fileExistsFunc(f *files) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			in, path, err := f.find(args[0])
			if err != nil {
				return cty.NilVal, err
			}
			info, err := in.root.Stat(path)
			exists := err == nil && info.Mode().IsRegular()
			in.read["exists "+path] = fmt.Sprint(exists)
			return cty.BoolVal(exists), nil
		},
	})
}

// templateFileFunc returns the function that renders a file with variables.
// Templates have all functions but this one.
func templateFileFunc(f *files, m *meter, others map[string]function.Function) function.Function {
	known := map[string]function.Function{}
	for name, fn := range others {
		known[name] = fn
	}
	parsed := map[string]hclsyntax.Expression{}
	render := func(args []cty.Value) (cty.Value, error) {
		text, err := f.readText(args[0])
		if err != nil {
			return cty.NilVal, err
		}
		name := args[0].AsString()
		expr := parsed[name]
		if expr == nil {
			tokens, _ := hclsyntax.LexTemplate([]byte(text), name, hcl.InitialPos)
			if hostile(tokens) != nil {
				return cty.NilVal, function.NewArgErrorf(0, "%s is nested too deeply", quote(name))
			}
			var diags hcl.Diagnostics
			expr, diags = hclsyntax.ParseTemplate([]byte(text), name, hcl.InitialPos)
			if diags.HasErrors() {
				return cty.NilVal, function.NewArgError(0, templateError(diags, known))
			}
			m.count(expr)
			parsed[name] = expr
		}
		if t := args[1].Type(); !t.IsObjectType() && !t.IsMapType() {
			return cty.NilVal, function.NewArgErrorf(1, "a map of the variables of the template is wanted")
		}
		vars := args[1].AsValueMap()
		for _, t := range expr.Variables() {
			if _, ok := vars[t.RootName()]; !ok {
				return cty.NilVal, function.NewArgErrorf(1, "%s uses %s (line %d), which is not among the variables given to it",
					quote(name), quote(t.RootName()), t.SourceRange().Start.Line)
			}
		}
		v, diags := expr.Value(&hcl.EvalContext{Variables: vars, Functions: known})
		if diags.HasErrors() {
			return cty.NilVal, function.NewArgError(0, templateError(diags, known))
		}
		return v, nil
	}
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "path", Type: cty.String},
			{Name: "vars", Type: cty.DynamicPseudoType},
		},
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() || !args[1].IsWhollyKnown() {
				return cty.DynamicPseudoType, nil
			}
			v, err := render(args)
			if err != nil {
				return cty.NilType, err
			}
			return v.Type(), nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if !args[1].IsWhollyKnown() {
				return cty.DynamicVal, nil
			}
			return render(args)
		},
	})
}

// templateError returns the first error of a template.
func templateError(diags hcl.Diagnostics, known map[string]function.Function) error {
	for _, d := range diags {
		if d.Severity == hcl.DiagError && d.Subject != nil {
			return fmt.Errorf("%s: %s: %s", place(*d.Subject), d.Summary, unknownFunction(d, &hcl.EvalContext{Functions: known}))
		}
	}
	return errors.New(diags.Error())
}
