package plan

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rolecall/rolecall/schema"
)

// People says how people are called where a plan is shown.
type People string

// The ways to call people. Counts is for places that everybody can read: it
// names nobody, and numbers people so that they can be told apart.
const (
	Full     People = "full"
	Initials People = "initials"
	Counts   People = "counts"
)

// address matches, beside the escapes of JSON, whose letters must not count as
// part of an address, what may be somebody's e-mail address, also percent-encoded
// as it is in the path of a request.
var address = regexp.MustCompile(`\\(?:u[0-9a-fA-F]{4}|.)|[^\s"'\\\[\](){},;:<>/“”]+(?:@|%40)[^\s"'\\\[\](){},;:<>/“”%]+`)

// Call returns p with every e-mail address in it written as people asks for.
// What it returns is for showing: it cannot be carried out.
func (p *Plan) Call(people People) (*Plan, error) {
	if people == "" || people == Full {
		return p, nil
	}
	if people != Initials && people != Counts {
		return nil, fmt.Errorf("plan: people cannot be shown as %q", people)
	}
	w := &writer{}
	p.records(w)
	if w.err != nil {
		return nil, w.err
	}
	out := &Plan{CreatedAt: p.CreatedAt, Steps: map[string]*schema.Step{}}
	if err := readRecords(&reader{saved: &Saved{Plan: out}}, rename(w.Bytes(), people)); err != nil {
		return nil, fmt.Errorf("plan: bug: %w", err)
	}
	out.complete()
	return out, nil
}

// rename returns JSON in which every e-mail address is written as people asks
// for.
func rename(text []byte, people People) []byte {
	names := pseudonyms(text, people)
	return address.ReplaceAllFunc(text, func(b []byte) []byte {
		if b[0] == '\\' {
			return b
		}
		return []byte(names[canonical(b)])
	})
}

// canonical returns the address that b writes.
func canonical(b []byte) string {
	return strings.ToLower(strings.ReplaceAll(string(b), "%40", "@"))
}

// pseudonyms returns what to call each address that occurs in text. Numbers
// follow the addresses in order, so they say nothing else.
func pseudonyms(text []byte, people People) map[string]string {
	var list []string
	seen := map[string]bool{}
	for _, b := range address.FindAll(text, -1) {
		if a := canonical(b); b[0] != '\\' && !seen[a] {
			seen[a] = true
			list = append(list, a)
		}
	}
	slices.Sort(list)
	names, uses := map[string]string{}, map[string]int{}
	for i, a := range list {
		name := fmt.Sprintf("#%d", i+1)
		if people == Initials {
			name = initials(a)
			if uses[name]++; uses[name] > 1 {
				name = fmt.Sprintf("%s%d", name, uses[name])
			}
		}
		names[a] = name
	}
	return names
}

// initials returns the first letters of the parts of an address before the @.
func initials(address string) string {
	local, _, _ := strings.Cut(address, "@")
	var b strings.Builder
	for _, part := range strings.FieldsFunc(local, func(r rune) bool { return !unicode.IsLetter(r) }) {
		r, _ := utf8.DecodeRuneInString(part)
		b.WriteRune(unicode.ToUpper(r))
		b.WriteByte('.')
	}
	if b.Len() == 0 {
		return "?"
	}
	return b.String()
}

// readRecords reads records, one on a line.
func readRecords(r *reader, body []byte) error {
	for i, line := range bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n")) {
		kind, record, _ := bytes.Cut(line, []byte(" "))
		if err := r.read(string(kind), record); err != nil {
			return &SavedError{Line: i + 4, Why: err.Error()}
		}
	}
	if r.saved.FormatVersion == "" {
		return &SavedError{Line: 4, Why: "there is no plan record"}
	}
	r.sort()
	return nil
}
