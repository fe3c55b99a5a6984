package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/rivo/uniseg"
)

// problem returns an error at one place.
func problem(summary string, at hcl.Range, format string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  summary,
		Detail:   fmt.Sprintf(format, args...),
		Subject:  &at,
	}
}

// within gives d a context, which is shown around its subject.
func within(d *hcl.Diagnostic, context hcl.Range) *hcl.Diagnostic {
	if d.Subject != nil && d.Subject.Filename == context.Filename {
		d.Context = &context
	}
	return d
}

// plain returns a diagnostic of a library without the expression it is about:
// a writer shows the values in it, and they may be sensitive or long.
func plain(d *hcl.Diagnostic) *hcl.Diagnostic {
	c := *d
	c.Expression, c.EvalContext, c.Extra = nil, nil, nil
	return &c
}

// place writes r as file:line.
func place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

func unreadableDir(dir string, err error) *hcl.Diagnostic {
	if errors.Is(err, fs.ErrNotExist) {
		return &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "No such directory",
			Detail:   fmt.Sprintf("There is no directory %s. Name the directory that holds the *.hcl files.", quote(dir)),
		}
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Unreadable directory",
		Detail:   fmt.Sprintf("%s: %s. Name a directory that holds *.hcl files and can be read.", quote(dir), why(err)),
	}
}

func noFiles(dir string) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "No configuration",
		Detail:   fmt.Sprintf("The directory %s has no *.hcl or *.hcl.json files. Write one with an organization block, or name another directory.", quote(dir)),
	}
}

// duplicateBlock is about the second of two blocks that are the same.
func duplicateBlock(what string, again, first hcl.Range) *hcl.Diagnostic {
	return problem("Duplicate block", again, "%s is already described at %s. Remove one of the two, or put them together.", what, place(first))
}

// wrongType is about a value of a type that the attribute does not take.
func wrongType(attr, want, got, advice string, at hcl.Range) *hcl.Diagnostic {
	return problem("Wrong type of value", at, "%s is %s, and this is %s. %s", attr, want, got, advice)
}

// memberTwice is about the second mention of a member. The subject is the
// repeated text alone; the context is the whole list, so that both mentions
// are shown.
func memberTwice(email string, again, first, list hcl.Range) *hcl.Diagnostic {
	return within(problem("Member listed twice", again,
		"%s is already in this list, on line %d. Remove one of the two.", email, first.Start.Line), list)
}

// peopleAreSymbolic is about a set of people where a value is wanted.
func peopleAreSymbolic(at hcl.Range) *hcl.Diagnostic {
	return problem("People used as a value", at,
		"Who is in this set of people is not known before the plan, so it cannot be indexed, looped over, counted or converted. Combine such sets with union, minus and intersect, or use a list of e-mail addresses.")
}

// sensitiveValue is about a sensitive value where it would be shown.
func sensitiveValue(attr string, at hcl.Range) *hcl.Diagnostic {
	return problem("Sensitive value", at,
		"%s is made from a sensitive variable, and what it is set to is shown in plans. Use a variable that is not sensitive.", attr)
}

// A Diagnostic is the JSON form of a diagnostic.
type Diagnostic struct {
	Severity string           `json:"severity"` // error or warning
	Summary  string           `json:"summary"`
	Detail   string           `json:"detail"`
	Range    *DiagnosticRange `json:"range,omitempty"`
}

// A DiagnosticRange is a place in a file.
type DiagnosticRange struct {
	Filename string             `json:"filename"`
	Start    DiagnosticPosition `json:"start"`
	End      DiagnosticPosition `json:"end"`
}

// A DiagnosticPosition is a position in a file. Lines and columns count from
// one; columns count characters as they are seen.
type DiagnosticPosition struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// DiagnosticsJSON returns the JSON form of diags, in their order. It is never
// nil. Texts are sanitized as those of [WriteDiagnostics].
func DiagnosticsJSON(diags hcl.Diagnostics) []Diagnostic {
	list := make([]Diagnostic, 0, len(diags))
	for _, d := range diags {
		j := Diagnostic{Severity: "error", Summary: sanitize(d.Summary), Detail: sanitize(d.Detail)}
		if d.Severity == hcl.DiagWarning {
			j.Severity = "warning"
		}
		if s := d.Subject; s != nil {
			j.Range = &DiagnosticRange{
				Filename: sanitize(s.Filename),
				Start:    DiagnosticPosition{s.Start.Line, s.Start.Column},
				End:      DiagnosticPosition{s.End.Line, s.End.Column},
			}
		}
		list = append(list, j)
	}
	return list
}

// WriteDiagnostics writes diags for people, in their order, with the lines of
// the files that they are about. The width is that of the terminal, 0 if lines
// are not to be broken.
//
// Control characters and those that change the direction of writing are
// written as escapes, whether they come from a name or from a line of a file.
// Values are never shown, but as they are written in the files.
func WriteDiagnostics(w io.Writer, files map[string]*hcl.File, diags hcl.Diagnostics, width int, color bool) error {
	for _, d := range diags {
		// The library writes to a buffer, without colors, so that what comes
		// from files can be told from what it adds.
		clean := map[string]*hcl.File{}
		c := plain(d)
		c.Summary, c.Detail = sanitize(c.Summary), sanitize(c.Detail)
		if c.Subject != nil {
			subject := *c.Subject
			file := files[subject.Filename]
			subject.Filename = sanitize(subject.Filename)
			context := subject
			if c.Context != nil {
				context = *c.Context
				context.Filename = subject.Filename
			}
			if file != nil {
				clean[subject.Filename], subject, context = excerpt(file, subject, context)
			}
			c.Subject, c.Context = &subject, nil
			if c.Context == nil && d.Context != nil {
				c.Context = &context
			}
		}
		var b bytes.Buffer
		if err := hcl.NewDiagnosticTextWriter(&b, clean, uint(max(width, 0)), color).WriteDiagnostic(c); err != nil {
			return err
		}
		text := b.String()
		if c.Subject != nil {
			text = locate(text, *c.Subject, d.Subject.Start.Column)
			if file := clean[c.Subject.Filename]; file != nil && !color {
				text = underline(text, file.Bytes, *c.Subject)
			}
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

// locate writes the place as editors and terminals understand it:
// file:line:column.
func locate(text string, at hcl.Range, column int) string {
	if strings.HasPrefix(at.Filename, "--var") || strings.HasPrefix(at.Filename, envPrefix) {
		// It is from the command line or the environment, which have no lines.
		before, after, _ := strings.Cut(text, fmt.Sprintf("  on %s line %d", at.Filename, at.Start.Line))
		_, after, _ = strings.Cut(after, "\n\n")
		return before + "  on " + at.Filename + "\n\n" + after
	}
	return strings.Replace(text, fmt.Sprintf("  on %s line %d", at.Filename, at.Start.Line),
		fmt.Sprintf("  on %s:%d:%d", at.Filename, at.Start.Line, column), 1)
}

// underline puts carets below what a diagnostic is about, as far as it stands
// on its first line. With colors the library underlines it itself.
func underline(text string, src []byte, at hcl.Range) string {
	prefix := fmt.Sprintf("%4d: ", at.Start.Line)
	i := strings.Index(text, "\n"+prefix)
	if i < 0 || at.Start.Byte > len(src) || at.End.Byte > len(src) {
		return text
	}
	end := i + 1 + len(prefix)
	if n := strings.IndexByte(text[end:], '\n'); n >= 0 {
		end += n
	} else {
		return text
	}
	before := string(src[bytes.LastIndexByte(src[:at.Start.Byte], '\n')+1 : at.Start.Byte])
	subject, _, _ := strings.Cut(string(src[at.Start.Byte:max(at.Start.Byte, at.End.Byte)]), "\n")
	var line strings.Builder
	line.WriteString("\n" + strings.Repeat(" ", len(prefix)))
	for _, r := range before { // tabs stay, so that the caret stands below whatever their width is
		if r == '\t' {
			line.WriteByte('\t')
		} else {
			line.WriteString(strings.Repeat(" ", uniseg.StringWidth(string(r))))
		}
	}
	line.WriteString(strings.Repeat("^", max(1, uniseg.StringWidth(strings.TrimRight(subject, " \t\r")))))
	return text[:end] + line.String() + text[end:]
}

// The most that is shown of a file.
const (
	maxLines  = 12  // lines of context
	maxLetter = 240 // letters of one line before, in and after the subject
)

// excerpt returns the lines of file around subject and context, sanitized,
// and the two ranges in it. Lines keep their numbers.
func excerpt(file *hcl.File, subject, context hcl.Range) (clean *hcl.File, s, c hcl.Range) {
	src := file.Bytes
	bound := func(i int) int { return max(0, min(i, len(src))) }
	if context.End.Line-context.Start.Line >= maxLines ||
		context.Start.Byte > subject.Start.Byte || context.End.Byte < subject.End.Byte {
		context = subject
	}
	if subject.End.Line-subject.Start.Line >= maxLines { // the first line will do
		subject.End = subject.Start
		if i := bytes.IndexByte(src[bound(subject.Start.Byte):], '\n'); i >= 0 {
			subject.End.Byte += i
		}
		context = subject
	}
	from := bytes.LastIndexByte(src[:bound(context.Start.Byte)], '\n') + 1
	to := bound(context.End.Byte)
	if i := bytes.IndexByte(src[to:], '\n'); i >= 0 {
		to += i
	} else {
		to = len(src)
	}
	start, end := bound(subject.Start.Byte), max(bound(subject.Start.Byte), bound(subject.End.Byte))
	from, to = min(from, start), max(to, end)

	var b bytes.Buffer
	b.WriteString(strings.Repeat("\n", max(0, context.Start.Line-1)))
	first := b.Len()
	b.WriteString(crop(string(src[from:start]), true))
	subject.Start.Byte = b.Len()
	b.WriteString(crop(string(src[start:end]), false))
	subject.End.Byte = b.Len()
	b.WriteString(crop(string(src[end:to]), false))
	context.Start.Byte, context.End.Byte = first, b.Len()
	return &hcl.File{Bytes: b.Bytes(), Nav: nav{file, start}}, subject, context
}

// A nav answers what block an excerpt is from.
type nav struct {
	file   *hcl.File
	offset int
}

// ContextString returns the header of the block that the excerpt is from.
func (n nav) ContextString(int) string {
	if c, ok := n.file.Nav.(interface{ ContextString(int) string }); ok {
		return sanitize(c.ContextString(n.offset))
	}
	return ""
}

// crop sanitizes the lines of text and shortens those that are very long: at
// their beginning if the end is what matters, else at their end.
func crop(text string, end bool) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		line = sanitize(line)
		if utf8.RuneCountInString(line) > maxLetter {
			r := []rune(line)
			if end {
				line = "…" + string(r[len(r)-maxLetter:])
			} else {
				line = string(r[:maxLetter]) + "…"
			}
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

// sanitize writes as escapes what a terminal may take for a command, what
// cannot be seen, and what changes the direction of writing. Line ends and
// tabs stay.
func sanitize(s string) string {
	if strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !unprintable(r):
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// unprintable reports whether r must not be written as it is.
func unprintable(r rune) bool {
	if r == '\n' || r == '\t' {
		return false
	}
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
}
