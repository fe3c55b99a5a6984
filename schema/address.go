package schema

import (
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
