package schema

import "strings"

// Major writes an amount in minor units, such as "20000", in major units,
// such as "200.00". Anything that is not digits comes back as it is.
func Major(minor string) string {
	if rest, negative := strings.CutPrefix(minor, "-"); negative && rest != "" {
		return "-" + Major(rest)
	}
	if minor == "" || strings.Trim(minor, "0123456789") != "" {
		return minor
	}
	for len(minor) < 3 {
		minor = "0" + minor
	}
	return minor[:len(minor)-2] + "." + minor[len(minor)-2:]
}
