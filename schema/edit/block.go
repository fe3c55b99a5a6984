package edit

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/rolecall/rolecall/schema"
)

// wide is how long a line may be before a list or map is written one element
// a line.
const wide = 80

// A File is a file of a configuration that is yet to be written.
type File struct {
	Name    string // relative to the directory of the configuration
	Comment []string
	Blocks  []*Block
}

// A Block is a block that is yet to be written.
type Block struct {
	Type    string
	Labels  []string
	Comment []string // lines above it

	items []item
}

// An item is an attribute, a nested block or a comment of a block.
type item struct {
	name  string
	value Value
	note  string
	block *Block
}

// NewBlock returns an empty block.
func NewBlock(typ string, labels ...string) *Block { return &Block{Type: typ, Labels: labels} }

// Address returns the address of a top-level block.
func (b *Block) Address() schema.Address {
	label := ""
	if len(b.Labels) > 0 {
		label = b.Labels[0]
	}
	return schema.MakeAddress(b.Type, label, "")
}

// Set adds an attribute, or replaces the one of that name. A note becomes a
// comment at the end of its line.
func (b *Block) Set(name string, v Value, note ...string) {
	it := item{name: name, value: v, note: strings.Join(note, " ")}
	if i := slices.IndexFunc(b.items, func(it item) bool { return it.block == nil && it.name == name }); i >= 0 {
		b.items[i] = it
		return
	}
	b.items = append(b.items, it)
}

// Unset takes the attribute of that name out.
func (b *Block) Unset(name string) {
	b.items = slices.DeleteFunc(b.items, func(it item) bool { return it.block == nil && it.name == name })
}

// Unnest takes the nested blocks of a type out.
func (b *Block) Unnest(typ string) {
	b.items = slices.DeleteFunc(b.items, func(it item) bool { return it.block != nil && it.block.Type == typ })
}

// Nested returns the nested blocks of a type.
func (b *Block) Nested(typ string) []*Block {
	var list []*Block
	for _, it := range b.items {
		if it.block != nil && it.block.Type == typ {
			list = append(list, it.block)
		}
	}
	return list
}

// Nest adds a nested block, which it returns.
func (b *Block) Nest(typ string, labels ...string) *Block {
	n := NewBlock(typ, labels...)
	b.items = append(b.items, item{block: n})
	return n
}

// Note adds a comment in the place of an attribute; an empty one is an empty
// line.
func (b *Block) Note(comment string) { b.items = append(b.items, item{note: comment}) }

// Empty reports whether nothing was added to the block.
func (b *Block) Empty() bool { return len(b.items) == 0 }

// Bytes returns the file in canonical form.
func (f *File) Bytes() []byte {
	var w strings.Builder
	writeComment(&w, f.Comment)
	for i, b := range f.Blocks {
		if i > 0 || len(f.Comment) > 0 {
			w.WriteString("\n")
		}
		b.write(&w)
	}
	return hclwrite.Format([]byte(w.String()))
}

func (b *Block) write(w *strings.Builder) {
	writeComment(w, b.Comment)
	w.WriteString(b.Type)
	for _, l := range b.Labels {
		w.WriteString(" " + quote(l))
	}
	if b.Empty() {
		w.WriteString(" {}\n")
		return
	}
	w.WriteString(" {\n")
	width := 0
	for _, it := range b.items {
		width = max(width, len(it.name))
	}
	for _, it := range b.items {
		switch {
		case it.block != nil:
			it.block.write(w)
		case it.name == "" && it.note == "":
			w.WriteString("\n")
		case it.name == "":
			writeComment(w, []string{it.note})
		default:
			w.WriteString(it.name + " = ")
			it.value.write(w, wide-width-len("   = "))
			if it.note != "" {
				w.WriteString(" # " + comment(it.note))
			}
			w.WriteString("\n")
		}
	}
	w.WriteString("}\n")
}

func writeComment(w *strings.Builder, lines []string) {
	for _, l := range lines {
		w.WriteString(strings.TrimRight("# "+comment(l), " ") + "\n")
	}
}

// comment returns s so that it stays on its line.
func comment(s string) string { return schema.Printable(s) }

// Wrap breaks a text into lines for a comment.
func Wrap(text string) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > wide-len("# ") {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	return append(lines, line)
}

// A Value is an expression that is yet to be written. The zero Value is null.
type Value struct {
	source string  // of everything but lists and maps
	open   string  // "[" or "{"
	items  []entry // of a list or a map
}

type entry struct {
	source string
	note   string
}

// Text returns a string literal.
func Text(s string) Value { return Value{source: quote(s)} }

// Bool returns true or false.
func Bool(b bool) Value {
	if b {
		return Value{source: "true"}
	}
	return Value{source: "false"}
}

// Source returns an expression as it is. The caller vouches for it.
func Source(src string) Value { return Value{source: src} }

// Ref returns a reference to what has an address.
func Ref(a schema.Address) Value { return Value{source: string(a)} }

// Texts returns a list of string literals.
func Texts(items []string) Value { return TextsWithNotes(items, nil) }

// TextsWithNotes returns a list of string literals, of which some have a
// comment.
func TextsWithNotes(items []string, notes map[string]string) Value {
	v := Value{open: "["}
	for _, s := range items {
		v.items = append(v.items, entry{quote(s), notes[s]})
	}
	return v
}

// Refs returns a list of references.
func Refs(list []schema.Address) Value {
	v := Value{open: "["}
	for _, a := range list {
		v.items = append(v.items, entry{source: string(a)})
	}
	return v
}

// Entries returns a map of string literals, sorted by key.
func Entries(m map[string]string) Value {
	v := Value{open: "{"}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
	})
	for _, k := range keys {
		key := quote(k)
		if schema.MakeAddress("t", k, "") == schema.Address("t."+k) && k != "for" { // what starts with for would be taken for a loop
			key = k
		}
		v.items = append(v.items, entry{source: key + " = " + quote(m[k])})
	}
	return v
}

// write writes v; if it is a list or a map and longer than room, or has
// comments, one element a line.
func (v Value) write(w *strings.Builder, room int) {
	end := map[string]string{"[": "]", "{": "}"}[v.open]
	switch {
	case v.open == "" && v.source == "":
		w.WriteString("null")
		return
	case v.open == "":
		w.WriteString(v.source)
		return
	case len(v.items) == 0:
		w.WriteString(v.open + end)
		return
	}
	length := len("{  }")
	noted := false
	for _, it := range v.items {
		length += len(it.source) + len(", ")
		noted = noted || it.note != ""
	}
	if length <= room && !noted {
		pad := ""
		if v.open == "{" {
			pad = " "
		}
		for i, it := range v.items {
			if i == 0 {
				w.WriteString(v.open + pad)
			} else {
				w.WriteString(", ")
			}
			w.WriteString(it.source)
		}
		w.WriteString(pad + end)
		return
	}
	w.WriteString(v.open + "\n")
	for _, it := range v.items {
		w.WriteString(it.source)
		if v.open == "[" {
			w.WriteString(",")
		}
		if it.note != "" {
			w.WriteString(" # " + comment(it.note))
		}
		w.WriteString("\n")
	}
	w.WriteString(end)
}

// Lines returns what is inside the block, line by line, in canonical form.
func (b *Block) Lines() []string {
	var w strings.Builder
	for _, it := range b.items {
		if it.block != nil {
			it.block.write(&w)
			continue
		} else if it.name == "" {
			continue
		}
		w.WriteString(it.name + " = ")
		it.value.write(&w, wide)
		w.WriteString("\n")
	}
	return strings.Split(strings.TrimRight(string(hclwrite.Format([]byte(w.String()))), "\n"), "\n")
}
