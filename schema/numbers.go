package schema

import (
	"strconv"
	"strings"
)

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

// Thousands writes n with a comma every three digits.
func Thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Count writes a number of things: "1 step", "1,375 members".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Thousands(n) + " " + noun + "s"
}

// CountPeople writes a number of people: "1 person", "1,375 people".
func CountPeople(n int) string {
	if n == 1 {
		return "1 person"
	}
	return Thousands(n) + " people"
}
