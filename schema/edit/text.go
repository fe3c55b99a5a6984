package edit

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// quote writes s as an HCL string literal that reads back as s, but for
// Unicode normalization: a configuration holds texts in form C only.
func quote(s string) string {
	return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes())
}

// maxLabel is how many letters of a name a label takes over.
const maxLabel = 48

// Label makes a label from a name: small letters, digits and underscores, in
// whatever script the name is written. taken are the labels that are in use;
// the new one joins them. A name without any letter gives a label made from
// typ.
func Label(name, typ string, taken map[string]bool) string {
	var b strings.Builder
	gap := false
	n := 0
	for _, r := range strings.ToLower(name) {
		if n >= maxLabel {
			break
		}
		if r == unicode.ReplacementChar || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.In(r, unicode.Mn, unicode.Mc) {
			gap = n > 0
			continue
		}
		if n == 0 && !unicode.IsLetter(r) { // an identifier starts with a letter
			b.WriteString(typ + "_")
		}
		if gap {
			b.WriteByte('_')
			gap = false
		}
		b.WriteRune(r)
		n++
	}
	base := cty.NormalizeString(b.String())
	if base == "" || !validLabel(base) {
		base = typ
		if taken[base] || n == 0 {
			base = typ + "_1"
		}
	}
	label := base
	for i := 2; taken[label]; i++ {
		label = fmt.Sprintf("%s_%d", strings.TrimSuffix(base, "_1"), i)
	}
	taken[label] = true
	return label
}

// validLabel reports whether a label can be referred to without brackets.
func validLabel(s string) bool { return hclsyntax.ValidIdentifier(s) }
