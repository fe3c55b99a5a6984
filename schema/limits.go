package schema

import (
	"fmt"
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A configuration may come from a stranger's pull request. These bounds keep
// it from using up memory or the stack, which no error handling would survive.
const (
	maxFile      = 10 << 20  // bytes of one file of the language
	maxData      = 64 << 20  // bytes of one file that a function reads: a million memberships
	maxNesting   = 10_000    // brackets and operators around one value
	maxTemplate  = 64 << 10  // bytes of a JSON string that is a template
	maxInstances = 100_000   // instances of one for_each
	maxValue     = 128 << 20 // bytes, more or less, in the value of a local
	maxProduct   = 1_000_000 // elements that one call of setproduct makes
	maxAliases   = 16        // references to anchors in one YAML text
	maxPadding   = 1_000     // letters that one call of indent or format adds
)

// longExponent matches numbers that are short to write and long to write out.
var longExponent = regexp.MustCompile(`[eE][+-]?[0-9]{4}`)

// hostile returns an error for the place in tokens where brackets and operators
// nest deeper than the parser, which is recursive, is asked to go, or where a
// number would take very much memory.
func hostile(tokens hclsyntax.Tokens) *hcl.Diagnostic {
	type level struct {
		operators int
		lines     bool // a new line ends an expression
	}
	stack := []level{{lines: true}}
	total := 0
	for _, t := range tokens {
		top := &stack[len(stack)-1]
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			stack = append(stack, level{lines: t.Type == hclsyntax.TokenOBrace})
			total++
		case hclsyntax.TokenTemplateControl:
			// An "if" or "for" holds what follows it, beyond its own end.
			top.operators++
			total++
			stack = append(stack, level{})
			total++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen,
			hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			total -= top.operators
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
				total--
			} else {
				top.operators = 0
			}
		case hclsyntax.TokenComma:
			total -= top.operators
			top.operators = 0
		case hclsyntax.TokenNewline, hclsyntax.TokenComment:
			if top.lines {
				total -= top.operators
				top.operators = 0
			}
		case hclsyntax.TokenNumberLit:
			if longExponent.Match(t.Bytes) {
				return problem("Number too long", t.Range, "%s would take too many digits to write out. Correct it.", t.Bytes)
			}
		case hclsyntax.TokenIdent, hclsyntax.TokenQuotedLit,
			hclsyntax.TokenStringLit, hclsyntax.TokenEOF:
		default:
			top.operators++
			total++
		}
		if total > maxNesting {
			return &hcl.Diagnostic{
				Severity: hcl.DiagError,
				Summary:  "Expression nested too deeply",
				Detail:   fmt.Sprintf("More than %d brackets and operators are around this place. Split the expression into locals.", maxNesting),
				Subject:  t.Range.Ptr(),
			}
		}
	}
	return nil
}

// hostileJSON is hostile for JSON text: it returns the offset of a bracket that
// is nested too deeply, of a number that is too long, or of a string that is
// too long a template, and what is wrong there; -1 if nothing is.
func hostileJSON(src []byte) (offset int, why string) {
	depth, start, escaped, template := 0, -1, false, false
	for i, c := range src {
		switch {
		case start >= 0:
			switch {
			case escaped:
				escaped = false
			case c == '\\':
				escaped = true
			case c == '"':
				if template && i-start > maxTemplate {
					return start, fmt.Sprintf("a template is longer than %d bytes", maxTemplate)
				}
				start, template = -1, false
			case c == '{' && i > 0 && (src[i-1] == '$' || src[i-1] == '%'):
				template = true
			}
		case c == '"':
			start = i
		case c == '[' || c == '{':
			if depth++; depth > maxNesting {
				return i, fmt.Sprintf("more than %d brackets are open", maxNesting)
			}
		case c == ']' || c == '}':
			depth--
		case c == 'e' || c == 'E':
			if longExponent.Match(src[i:min(i+6, len(src))]) {
				return i, "a number would take too many digits to write out"
			}
		}
	}
	return -1, ""
}

// hostileYAML is hostile for YAML text. Anchors can repeat each other without
// end, so there may not be many references to them.
func hostileYAML(src []byte) (offset int, why string) {
	depth := 0
	for i, c := range src {
		switch c {
		case '[', '{':
			if depth++; depth > maxNesting {
				return i, fmt.Sprintf("more than %d brackets are open", maxNesting)
			}
		case ']', '}':
			depth--
		}
	}
	if all := alias.FindAllIndex(src, maxAliases+1); len(all) > maxAliases {
		return all[maxAliases][0], fmt.Sprintf("more than %d places refer to an anchor", maxAliases)
	}
	return -1, ""
}

// alias matches what may be a reference to an anchor.
var alias = regexp.MustCompile(`(^|[\s,:\[{-])\*[^\s*]`)

// tooBig reports whether a value has more elements and letters than a local
// may have. Without a bound each local could hold the one before it twice.
func tooBig(v cty.Value) bool {
	size := 0
	var walk func(v cty.Value) bool
	walk = func(v cty.Value) bool {
		v, _ = v.Unmark()
		size += 16
		if v.IsNull() || !v.IsKnown() {
			return false
		}
		switch t := v.Type(); {
		case t == cty.String:
			size += len(v.AsString())
		case v.CanIterateElements():
			for it := v.ElementIterator(); it.Next(); {
				if _, e := it.Element(); walk(e) {
					return true
				}
			}
		}
		return size > maxValue
	}
	return walk(v)
}
