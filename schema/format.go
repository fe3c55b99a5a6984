package schema

import (
	"bytes"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format returns the text of an HCL file in canonical form: indented by two
// spaces for each level, equals signs and comments of neighbouring lines
// aligned, no space at the end of lines, one line end at the end of the file.
// Comments and blank lines stay, and so does the meaning: only space between
// words is changed. What is in canonical form comes back as it is.
//
// Errors: a file that cannot be parsed is an error with its places, and is not
// formatted, because what is code and what is text in it is not certain.
func Format(src []byte, name string) ([]byte, hcl.Diagnostics) {
	if d := checkText(src, name); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	if _, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos); diags.HasErrors() {
		var list hcl.Diagnostics
		for _, d := range uncascaded(diags) {
			list = append(list, plain(d))
		}
		return nil, list
	}
	out := src
	for range 4 { // once is enough but for odd cases
		next := endOnce(hclwrite.Format(out))
		if bytes.Equal(next, out) {
			break
		}
		out = next
	}
	if !sameWords(src, out) {
		// The library took more than space for space; better not formatted
		// than wrong.
		return src, nil
	}
	return out, nil
}

// endOnce returns src with exactly one line end at its end, and nothing if
// there is nothing in it.
func endOnce(src []byte) []byte {
	trimmed := bytes.TrimRight(src, "\n")
	if len(trimmed) == 0 {
		return nil
	}
	return append(slices.Clip(trimmed), '\n')
}

// sameWords reports whether two texts consist of the same words in the same
// lines, whatever the space between them, and blank lines at the end.
func sameWords(a, b []byte) bool {
	words := func(src []byte) hclsyntax.Tokens {
		list, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
		for len(list) > 0 && (list[len(list)-1].Type == hclsyntax.TokenNewline || list[len(list)-1].Type == hclsyntax.TokenEOF) {
			list = list[:len(list)-1]
		}
		return list
	}
	return slices.EqualFunc(words(a), words(b), func(x, y hclsyntax.Token) bool {
		trim := func(t hclsyntax.Token) []byte {
			if t.Type == hclsyntax.TokenComment {
				return bytes.TrimRight(t.Bytes, " \t\r\n")
			}
			return t.Bytes
		}
		return x.Type == y.Type && bytes.Equal(trim(x), trim(y))
	})
}
