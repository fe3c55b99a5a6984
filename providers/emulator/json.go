package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxDepth is how deep a document may be nested. Nothing that the emulator
// reads is deeper than ten.
const maxDepth = 64

// A node is a value of a JSON document together with its place in it, such as
// groups[0].members[1]. The zero node is a value that is not there.
type node struct {
	path   string
	kind   byte // '{', '[', 's'tring, 'n'umber, 'b'oolean, '0' for null; 0 for absent
	text   string
	truth  bool
	items  []node
	names  []string
	fields map[string]node
}

// value returns n as encoding/json would have decoded it.
func (n node) value() any {
	switch n.kind {
	case '{':
		m := make(map[string]any, len(n.fields))
		for name, f := range n.fields {
			m[name] = f.value()
		}
		return m
	case '[':
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.value()
		}
		return list
	case 's':
		return n.text
	case 'n':
		return number(n.text)
	case 'b':
		return n.truth
	}
	return nil
}

func (n node) absent() bool { return n.kind == 0 }
func (n node) null() bool   { return n.kind == '0' }

// field returns the field name, or an absent node at its place.
func (n node) field(name string) node {
	if f, ok := n.fields[name]; ok {
		return f
	}
	return node{path: join(n.path, name)}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// parseJSON reads one document. It reports text after the document, names that
// occur twice in one object, and nesting beyond maxDepth.
func parseJSON(data []byte) (node, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	n, err := parseNode(dec, "", 0)
	if err != nil {
		return node{}, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return node{}, errors.New("there is text after the JSON document")
	}
	return n, nil
}

func parseNode(dec *json.Decoder, path string, depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fmt.Errorf("%s: nested too deeply", path)
	}
	token, err := dec.Token()
	if errors.Is(err, io.EOF) {
		return node{}, io.ErrUnexpectedEOF
	}
	if err != nil {
		return node{}, err
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return parseObject(dec, path, depth)
		}
		return parseList(dec, path, depth)
	case string:
		return node{path: path, kind: 's', text: v}, nil
	case json.Number:
		return node{path: path, kind: 'n', text: v.String()}, nil
	case bool:
		return node{path: path, kind: 'b', truth: v}, nil
	}
	return node{path: path, kind: '0'}, nil
}

func parseObject(dec *json.Decoder, path string, depth int) (node, error) {
	n := node{path: path, kind: '{', fields: map[string]node{}}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return node{}, err
		}
		name, _ := token.(string)
		f, err := parseNode(dec, join(path, name), depth+1)
		if err != nil {
			return node{}, err
		}
		if _, twice := n.fields[name]; twice {
			return node{}, fmt.Errorf("%s: given twice", f.path)
		}
		n.fields[name] = f
		n.names = append(n.names, name)
	}
	_, err := dec.Token()
	return n, err
}

func parseList(dec *json.Decoder, path string, depth int) (node, error) {
	n := node{path: path, kind: '['}
	for dec.More() {
		item, err := parseNode(dec, path+"["+strconv.Itoa(len(n.items))+"]", depth+1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := dec.Token()
	return n, err
}

// A Problem is one thing that is wrong with a seed.
type Problem struct {
	Path    string // such as groups[0].members[1]; empty for the whole document
	Message string
}

func (p Problem) String() string {
	if p.Path == "" {
		return p.Message
	}
	return p.Path + ": " + p.Message
}

// problems collects what is wrong with a document, so that all of it is
// reported at once. Its methods read a node as a type; an absent node gives the
// zero value and no problem, except where must is called first.
type problems struct {
	list []Problem
}

func (p *problems) add(n node, format string, args ...any) {
	p.list = append(p.list, Problem{n.path, fmt.Sprintf(format, args...)})
}

func (p *problems) String() string {
	texts := make([]string, len(p.list))
	for i, problem := range p.list {
		texts[i] = problem.String()
	}
	return strings.Join(texts, "; ")
}

// object checks that n is an object with no fields but names.
func (p *problems) object(n node, names ...string) {
	if n.absent() {
		return
	}
	if n.kind != '{' {
		p.add(n, "must be an object")
		return
	}
	for _, name := range n.names {
		if !slices.Contains(names, name) {
			p.add(n.field(name), "unknown field")
		}
	}
}

// must reports n if it is absent or null.
func (p *problems) must(n node) bool {
	if n.absent() || n.null() {
		p.add(n, "is required")
		return false
	}
	return true
}

func (p *problems) str(n node) string {
	if n.absent() {
		return ""
	}
	if n.kind != 's' {
		p.add(n, "must be a string")
		return ""
	}
	return n.text
}

// name reads a string of 1 to max characters.
func (p *problems) name(n node, max int) string {
	before := len(p.list)
	s := p.str(n)
	if p.must(n) && len(p.list) == before && (s == "" || len([]rune(s)) > max) {
		p.add(n, "must have 1 to %d characters", max)
	}
	return s
}

// oneOf reads one of values, or the first if n is absent.
func (p *problems) oneOf(n node, values ...string) string {
	if n.absent() {
		return values[0]
	}
	before := len(p.list)
	s := p.str(n)
	if len(p.list) == before && !slices.Contains(values, s) {
		p.add(n, "must be one of %s; got %q", strings.Join(values, ", "), s)
	}
	return s
}

func (p *problems) flag(n node, missing bool) bool {
	if n.absent() {
		return missing
	}
	if n.kind != 'b' {
		p.add(n, "must be true or false")
	}
	return n.truth
}

func (p *problems) whole(n node) int {
	if n.absent() {
		return 0
	}
	i, err := strconv.Atoi(n.text)
	if n.kind != 'n' || err != nil || i > math.MaxInt32 || i < math.MinInt32 {
		p.add(n, "must be a whole number")
		return 0
	}
	return i
}

func (p *problems) array(n node) []node {
	if !n.absent() && n.kind != '[' {
		p.add(n, "must be a list")
	}
	return n.items
}

func (p *problems) strs(n node) []string {
	list := []string{}
	for _, item := range p.array(n) {
		list = append(list, p.str(item))
	}
	return list
}

// email reads an address, in lower case.
func (p *problems) email(n node) string {
	before := len(p.list)
	s := p.str(n)
	if p.must(n) && len(p.list) == before && !validEmail(s) {
		p.add(n, "%q is not an e-mail address", s)
	}
	return normalEmail(s)
}

func (p *problems) time(n node, missing time.Time) time.Time {
	if n.absent() {
		return missing
	}
	t, err := time.Parse(time.RFC3339, p.str(n))
	if err != nil && n.kind == 's' {
		p.add(n, "must be an RFC 3339 time; got %q", n.text)
	}
	if err == nil && (t.Year() < 1970 || t.Year() > 9000) {
		p.add(n, "must lie between the years 1970 and 9000")
		return missing
	}
	return t.UTC().Truncate(time.Microsecond)
}

// amount reads an amount of money: a whole number of minor units in a string,
// or null for no limit.
//
// Source: Spend Limits API guide, read 2026-11-22. That leading zeros and more
// than 15 digits are refused is invented.
func (p *problems) amount(n node) *string {
	if n.null() || !p.must(n) {
		return nil
	}
	s := n.text
	digits := strings.Trim(s, "0123456789") == "" && s != "" && len(s) <= 15
	if n.kind != 's' || !digits || (len(s) > 1 && s[0] == '0') {
		p.add(n, "must be a whole number of minor units as a string, or null")
		return nil
	}
	return &s
}

// encode writes v as JSON without escaping <, > and &, and without a newline.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
