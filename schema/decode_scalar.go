package schema

import (
	"math/big"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// day decodes a day.
func (x *decoder) day(v cty.Value, at hcl.Range) (string, bool) {
	text, ok := x.text(v, at)
	if !ok {
		return "", false
	}
	day, err := ParseDay(text)
	if err != nil {
		x.report(problem("Invalid day", at, "%s. Write year, month and day; days are in UTC.", err))
		return "", false
	}
	return string(day), true
}

// usable reports whether a part of a value can be decoded.
func (x *decoder) usable(v cty.Value, at hcl.Range, part string) bool {
	switch {
	case v.IsMarked():
		x.report(sensitiveValue(x.name, at))
		return false
	case v.IsNull():
		x.report(problem("Null in a list or map", at, "%s of %s is null. Take it out, or give it a value.", part, x.name))
		return false
	}
	return v.IsKnown()
}

// text decodes a text, which must be one of those that are allowed.
func (x *decoder) text(v cty.Value, at hcl.Range) (string, bool) {
	if v.Type() != cty.String {
		advice := "Write it in quotes, or convert it with tostring()."
		switch t := v.Type(); {
		case t == peopleType:
			x.report(peopleAreSymbolic(at))
			return "", false
		case isReference(t):
			advice = "Write a text, or one of the attributes of the block."
		case !t.IsPrimitiveType():
			advice = "Write a single text."
		}
		x.report(wrongType(x.name, x.want(), describe(v), advice, at))
		return "", false
	}
	text := v.AsString()
	if allowed := x.attr.decl.OneOf; len(allowed) > 0 && !slices.Contains(allowed, text) {
		x.report(problem("Value not allowed", at, "%s is not a value of %s.%s Write %s.",
			quote(text), x.name, didYouMean(text, allowed), oneOf(allowed)))
		return "", false
	}
	return text, true
}

// toText decodes an attribute that is a text.
func (l *loader) toText(a *parsedAttr, v cty.Value) (string, bool) {
	x := &decoder{loader: l, attr: a, name: `"` + a.decl.Name + `"`}
	if v.IsNull() || !x.usable(v, a.expr.Range(), "The value") {
		return "", false
	}
	return x.text(v, a.expr.Range())
}

// toBool decodes a truth value.
func (l *loader) toBool(a *parsedAttr, v cty.Value) (value, ok bool) {
	switch {
	case v.IsMarked():
		l.report(sensitiveValue(quote(a.decl.Name), a.expr.Range()))
		return false, false
	case v.Type() == cty.Bool && v.IsKnown() && !v.IsNull():
		return v.True(), true
	case !v.IsKnown() || v.IsNull():
		return false, false
	}
	l.report(wrongType(quote(a.decl.Name), "true or false", describe(v), "Write true or false, without quotes.", a.expr.Range()))
	return false, false
}

// number decodes a number, exactly.
func (x *decoder) number(v cty.Value, at hcl.Range) (string, bool) {
	if v.Type() != cty.Number {
		x.report(wrongType(x.name, "a number", describe(v), "Write a number, without quotes.", at))
		return "", false
	}
	text, ok := decimal(v.AsBigFloat())
	if !ok {
		x.report(problem("Invalid number", at, "The number for %s is too large or too small to be meant. Correct it.", x.name))
	}
	return text, ok
}

// decimal writes f in decimal digits, without an exponent.
func decimal(f *big.Float) (string, bool) {
	if f.IsInf() || f.MantExp(nil) > 1024 || f.MantExp(nil) < -1024 {
		return "", false
	}
	return f.Text('f', -1), true
}

var amountForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

// amount decodes an amount of money, exactly.
func (x *decoder) amount(v cty.Value, at hcl.Range) (string, bool) {
	var text string
	switch v.Type() {
	case cty.String:
		text = v.AsString()
	case cty.Number:
		var ok bool
		if text, ok = x.number(v, at); !ok {
			return "", false
		}
	default:
		x.report(wrongType(x.name, "an amount", describe(v), "Write an amount such as \"200.00\".", at))
		return "", false
	}
	if _, err := MinorUnits(text, x.system.minorDigits()); err != nil {
		x.report(problem("Invalid amount", at, "%s.", err))
		return "", false
	}
	return text, true
}

// share decodes a number or percentage.
func (x *decoder) share(v cty.Value, at hcl.Range) (string, bool) {
	var text string
	switch v.Type() {
	case cty.String:
		text = v.AsString()
	case cty.Number:
		var ok bool
		if text, ok = x.number(v, at); !ok {
			return "", false
		}
	default:
		x.report(wrongType(x.name, "a number or a share", describe(v), "Write a number, or a share such as \"5%\".", at))
		return "", false
	}
	if text == "" || !validShare(text) {
		x.report(problem("Invalid share", at, "%s is no number and no share. Write a whole number such as 25, or a share in whole percents such as \"5%%\".", quote(text)))
		return "", false
	}
	return text, true
}
