package render

import (
	"fmt"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// Whatever comes from the API or from a stranger's pull request can be called
// anything. In Markdown a name must stay a name: no link, no mention, no tag,
// no table cell, no end of a fold.
//
// Punctuation is written as a character reference, which by the CommonMark
// specification never forms any structure. What GitHub looks for after that, in
// the finished text (mentions, issue numbers), is broken up with a space of no
// width.

// mdText writes s, which may hold names, as plain words of one line.
func mdText(s string) string { return references(schema.Printable(short(s)), true) }

// code writes a name. GitHub looks for nothing inside of code.
func code(s string) string {
	return "<code>" + references(schema.Printable(short(s)), false) + "</code>"
}

// longest is how many bytes of a name or a sentence are shown. The vendors'
// names have 255 characters at most; what is longer wants to fill the page.
const longest = 1000

func short(s string) string { return cut(s, longest) }

// harmless is the ASCII punctuation that means nothing inside a line.
const harmless = " ,;%?\"'"

// references writes every character that may mean something as a reference.
func references(s string, words bool) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r >= 0x80, '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
			b.WriteRune(r)
		case words && (r == '.' || r == ')' || r == '(') && closes(s, i):
			b.WriteRune(r) // the end of a sentence is no list, no link, no address
		case r == ' ' && (i == 0 || s[i-1] == ' '): // several would indent, or break the line
			b.WriteString("&#32;")
		case strings.ContainsRune(harmless, r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "&#%d;", r)
			if words && (r == '@' || r == '#') && !inAddress(s, i) {
				b.WriteRune('\u200b')
			}
		}
	}
	return b.String()
}

// closes reports whether the character at i stands at the end of a word, after
// a letter.
func closes(s string, i int) bool {
	after := i+1 == len(s) || s[i+1] == ' '
	return after && i > 0 && (s[i-1] >= 'a' && s[i-1] <= 'z' || s[i-1] == ')' && s[i] == '.')
}

// inAddress reports whether the @ at i stands inside a word, so that nobody is
// mentioned.
func inAddress(s string, i int) bool {
	if s[i] != '@' || i == 0 {
		return false
	}
	c := s[i-1]
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}
