package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// want says what the attribute takes.
func (x *decoder) want() string {
	switch x.attr.decl.Type {
	case ListType:
		return "a list of texts"
	case MapType:
		return "a map of texts"
	case AmountMapType:
		return "a map of amounts"
	case DayType:
		return "a day"
	case Ref:
		return x.wantOne(false)
	case RefList:
		return "a list of " + x.wantOne(true)
	case PeopleType:
		return "a set of people"
	}
	return "a text"
}

// wantOne says what a reference of the attribute is to.
func (x *decoder) wantOne(several bool) string {
	refs := x.attr.decl.Refs
	switch {
	case refs == "" && several:
		return "references"
	case refs == "":
		return "a reference"
	case several:
		return "references to " + refs + " blocks"
	}
	return "a reference to " + aBlock(refs)
}

// describe says what v is, without its value.
func describe(v cty.Value) string {
	if v.IsNull() {
		return "null"
	}
	switch t := v.Type(); {
	case t == cty.String:
		return "a text"
	case t == cty.Number:
		return "a number"
	case t == cty.Bool:
		return "a truth value"
	case t == peopleType:
		return "a set of people"
	case t == addressType, isReference(t):
		if addr, ok := addressOf(v); ok {
			return fmt.Sprintf("a reference to %s", addr)
		}
		return "a reference"
	case t.IsMapType() && isReference(t.ElementType()):
		return "a block with for_each"
	case isList(t):
		return "a list"
	case t.IsMapType(), t.IsObjectType():
		return "a map"
	}
	return "a value of another kind"
}

// aBlock names a type of block: a role block, an organization block.
func aBlock(typ string) string {
	if typ != "" && strings.ContainsRune("aeiou", rune(typ[0])) {
		return "an " + typ + " block"
	}
	return "a " + typ + " block"
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// source returns what is written at r, or def if it is long.
func (l *loader) source(r hcl.Range, def string) string {
	file := l.config.Files[r.Filename]
	if file == nil || !r.CanSliceBytes(file.Bytes) {
		return def
	}
	text := string(r.SliceBytes(file.Bytes))
	if len(text) > 60 || strings.ContainsAny(text, "\n\"") {
		return def
	}
	return text
}

// hint says how an attribute is written.
func hint(a *Attr) string {
	switch {
	case a.Example != "":
		return fmt.Sprintf("Write %s = %s, for example.", a.Name, a.Example)
	case len(a.OneOf) > 0:
		return fmt.Sprintf("Write %s with one of %s.", a.Name, oneOf(a.OneOf))
	}
	return fmt.Sprintf("Write %s = … in the block.", a.Name)
}

// missingAttr is about an attribute that is required and not written.
func missingAttr(name, block string, at hcl.Range, advice string) *hcl.Diagnostic {
	return problem("Missing required attribute", at, "%s has no %s. %s", block, quote(name), advice)
}
