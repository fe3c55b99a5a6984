// Package textdiff writes the difference of two texts, line by line, as a
// unified diff. It knows nothing of what is in them.
package textdiff

import (
	"fmt"
	"strings"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// context is how many lines that are equal are shown around a difference.
const context = 3

// A line is one line of a diff: it is in the old text, in the new, or in both.
type line struct {
	sign byte // ' ', '-' or '+'
	text string
}

// Unified returns the unified diff from the text before, called old, to the
// text after, called new; "" if they are equal.
func Unified(old, before, new, after string) string {
	if before == after {
		return ""
	}
	lines := compare(before, after)
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", old, new)
	numberOld, numberNew := 1, 1 // of the first line that is not shown yet
	for i := 0; i < len(lines); {
		first := i
		for first < len(lines) && lines[first].sign == ' ' {
			first++
		}
		if first == len(lines) {
			break
		}
		start := max(i, first-context)
		end := hunkEnd(lines, first)
		numberOld, numberNew = numberOld+start-i, numberNew+start-i
		writeHunk(&b, lines[start:end], &numberOld, &numberNew)
		i = end
	}
	return b.String()
}

// hunkEnd returns where the hunk ends whose first difference is at first:
// before the equal lines that are more than the context of two differences.
func hunkEnd(lines []line, first int) int {
	last := first
	for i := first; i < len(lines) && i-last <= 2*context; i++ {
		if lines[i].sign != ' ' {
			last = i
		}
	}
	return min(last+1+context, len(lines))
}

func writeHunk(b *strings.Builder, hunk []line, numberOld, numberNew *int) {
	inOld, inNew := 0, 0
	for _, l := range hunk {
		if l.sign != '+' {
			inOld++
		}
		if l.sign != '-' {
			inNew++
		}
	}
	// A range of no lines is that of the line before it.
	place := func(number, n int) string {
		if n == 0 {
			return fmt.Sprintf("%d,0", number-1)
		}
		return fmt.Sprintf("%d,%d", number, n)
	}
	fmt.Fprintf(b, "@@ -%s +%s @@\n", place(*numberOld, inOld), place(*numberNew, inNew))
	for _, l := range hunk {
		b.WriteByte(l.sign)
		b.WriteString(strings.TrimSuffix(l.text, "\n"))
		b.WriteByte('\n')
		if !strings.HasSuffix(l.text, "\n") {
			b.WriteString("\\ No newline at end of file\n")
		}
	}
	*numberOld += inOld
	*numberNew += inNew
}

// compare returns the lines of both texts, those that are equal once.
func compare(before, after string) []line {
	d := diffmatchpatch.New()
	d.DiffTimeout = 0 // the same result on slow machines
	a, b, index := d.DiffLinesToRunes(before, after)
	var lines []line
	for _, part := range d.DiffCharsToLines(d.DiffMainRunes(a, b, false), index) {
		sign := map[diffmatchpatch.Operation]byte{
			diffmatchpatch.DiffEqual: ' ', diffmatchpatch.DiffDelete: '-', diffmatchpatch.DiffInsert: '+',
		}[part.Type]
		for _, text := range strings.SplitAfter(part.Text, "\n") {
			if text != "" {
				lines = append(lines, line{sign, text})
			}
		}
	}
	return lines
}
