package schema

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// An Address names one object the way the configuration refers to it:
// `group.pilot`, `role.eng["backend"]`, `member["jane@acme.com"]`. It is what
// plans, findings, journals and messages call the object, and it is unique
// within one organization.
type Address string

// MakeAddress returns the address of a block of type typ with the given
// label, and with a for_each key if key is not empty. A label that is not an
// identifier is put in brackets and quotes; an empty label gives the type
// alone, as for `organization`.
func MakeAddress(typ, label, key string) Address { return makeAddress(typ, label, "", key) }

// makeAddress is MakeAddress for a block that may have a second label.
func makeAddress(typ, label, second, key string) Address {
	for _, l := range [...]string{label, second} {
		switch {
		case l == "":
		case isIdentifier(l):
			typ += "." + l
		default:
			typ += "[" + quote(l) + "]"
		}
	}
	if key != "" {
		typ += "[" + quote(key) + "]"
	}
	return Address(typ)
}

// isIdentifier reports whether a label can be written without brackets. The
// scanner decides only where a glance at the ASCII characters cannot: there is
// an address for every member and for every tool of a role.
func isIdentifier(label string) bool {
	ascii := label != ""
	for i := range len(label) {
		switch c := label[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
		case c >= 0x80:
			ascii = false
		case i > 0 && ('0' <= c && c <= '9' || c == '-'):
		default:
			return false
		}
	}
	return ascii || hclsyntax.ValidIdentifier(label)
}

// Spelled returns the one of known that name means. People may put any segment
// in brackets and quotes, as in `connector.jira["search"]` or `group["pilot"]`;
// known holds each as MakeAddress writes it. If known has none, it returns name
// with brackets only where they have to be.
func Spelled(name string, known []string) string {
	if !strings.Contains(name, `["`) || slices.Contains(known, name) {
		return name
	}
	plain := unbracketed(name)
	for _, k := range known {
		if unbracketed(k) == plain {
			return k
		}
	}
	return plain
}

// unbracketed writes each segment in brackets that is an identifier behind a dot.
func unbracketed(name string) string {
	var b strings.Builder
	for {
		open := strings.Index(name, `["`)
		if open < 0 {
			break
		}
		end := closing(name[open+2:])
		if end < 0 {
			break
		}
		label := name[open+2 : open+2+end]
		next := open + 2 + end + len(`"]`)
		if b.WriteString(name[:open]); isIdentifier(label) {
			b.WriteString("." + label)
		} else {
			b.WriteString(name[open:next])
		}
		name = name[next:]
	}
	b.WriteString(name)
	return b.String()
}

// closing returns where the text that s begins with ends in `"]`, -1 if it does
// not. A quote within the text has a backslash before it.
func closing(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			if strings.HasPrefix(s[i:], `"]`) {
				return i
			}
			return -1
		}
	}
	return -1
}

// Type returns the block type that the address starts with.
func (a Address) Type() string {
	if i := strings.IndexAny(string(a), ".["); i >= 0 {
		return string(a[:i])
	}
	return string(a)
}

// quote writes s as an HCL string literal. Unlike strconv.Quote it leaves
// letters of every script as they are, so that a name reads as a name.
func quote(s string) string {
	if strings.ContainsAny(s, "\\\"\n\r\t$%") { // rarely: addresses are made for every member
		s = escapes.Replace(s)
	}
	return `"` + s + `"`
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", "$${", "%{", "%%{")
