package schema

import (
	"fmt"
	"strings"
)

// nearest returns the name in names that is most likely meant by name, "" if
// none is near: at most two letters differ, or one is the beginning of the
// other. Of names that are equally near it returns the first.
func nearest(name string, names []string) string {
	best, bestDistance := "", 3
	for _, n := range names {
		if n == name || n == "" {
			continue
		}
		d := distance(strings.ToLower(name), strings.ToLower(n), bestDistance)
		if d < bestDistance && d < len(name) {
			best, bestDistance = n, d
		}
	}
	if best != "" || len(name) < 3 {
		return best
	}
	for _, n := range names {
		if n != name && len(n) >= 3 && (strings.HasPrefix(n, name) || strings.HasPrefix(name, n)) {
			return n
		}
	}
	return ""
}

// didYouMean returns a question with a leading space, "" if nothing is near.
func didYouMean(name string, names []string) string {
	if n := nearest(name, names); n != "" {
		return fmt.Sprintf(" Did you mean %s?", quote(n))
	}
	return ""
}

// distance returns how many letters have to be put in, taken out or changed to
// make b of a, or limit if there are that many or more.
func distance(a, b string, limit int) int {
	ra, rb := []rune(a), []rune(b)
	if len(ra)-len(rb) >= limit || len(rb)-len(ra) >= limit {
		return limit
	}
	row := make([]int, len(rb)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range ra {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range rb {
			cost := diagonal
			if x != y {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(rb)], limit)
}

// oneOf writes names as a choice: "a", "b" or "c".
func oneOf(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quote(n)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
