package schema

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Nearest returns the name in names that is most likely meant by name, "" if
// none is near enough to suggest.
func Nearest(name string, names []string) string { return nearest(name, names) }

// PrintableLines is Printable for a text of several lines, whose line ends
// stay.
func PrintableLines(s string) string { return sanitize(s) }

// Printable returns s, which may come from anywhere, fit for one line of a
// terminal or a log: what could move the cursor, hide or turn around text is
// written as an escape.
func Printable(s string) string {
	return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(sanitize(s))
}

// MayFollow is the Extra of a diagnostic about something that is missing from
// a block: if the block has other errors, it may only follow from them.
type MayFollow struct{}

// SortDiagnostics puts diagnostics in the order of files, lines and columns.
func SortDiagnostics(diags hcl.Diagnostics) {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		var x, y hcl.Range
		if a.Subject != nil {
			x = *a.Subject
		}
		if b.Subject != nil {
			y = *b.Subject
		}
		return cmp.Or(strings.Compare(x.Filename, y.Filename), cmp.Compare(x.Start.Line, y.Start.Line), cmp.Compare(x.Start.Column, y.Start.Column))
	})
}

// NormalizeText returns s as a configuration would hold it: in Unicode
// normalization form C. What is to be compared with a text of a configuration
// must be in it.
func NormalizeText(s string) string { return cty.NormalizeString(s) }
