package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The reference is made from the declarations that configurations are decoded
// by, so that it cannot say anything else than what is true.

// A ReferenceData is the JSON form of the reference.
type ReferenceData struct {
	FormatVersion string            `json:"format_version"`
	Systems       []ReferenceSystem `json:"systems"`
	Blocks        []ReferenceBlock  `json:"blocks"` // of every system
	Functions     []string          `json:"functions"`
}

// A ReferenceSystem is the language of one system, in JSON form.
type ReferenceSystem struct {
	Name   string               `json:"name"`
	Doc    string               `json:"doc"`
	Blocks []ReferenceBlock     `json:"blocks"`
	Extend []ReferenceExtension `json:"extend,omitempty"`
}

// A ReferenceExtension is what a system adds to a block of every system.
type ReferenceExtension struct {
	Block      string          `json:"block"`
	Attributes []ReferenceAttr `json:"attributes"`
}

// A ReferenceBlock is a block, in JSON form.
type ReferenceBlock struct {
	Type       string           `json:"type"`
	Labels     []string         `json:"labels"` // what they mean
	Once       bool             `json:"once"`
	ForEach    bool             `json:"for_each"` // whether it may have for_each
	Doc        string           `json:"doc"`
	Example    string           `json:"example"`
	Attributes []ReferenceAttr  `json:"attributes"`
	Blocks     []ReferenceBlock `json:"blocks"`
}

// A ReferenceAttr is an attribute, in JSON form.
type ReferenceAttr struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Required bool     `json:"required"`
	Default  string   `json:"default"` // what holds when it is left out, in words
	Doc      string   `json:"doc"`
	Example  string   `json:"example"`
	OneOf    []string `json:"one_of,omitempty"`
	Keys     []string `json:"keys,omitempty"`
	Word     string   `json:"word,omitempty"` // a bare word that may stand in the place of the value
	Refs     string   `json:"refs,omitempty"`
	For      []string `json:"for,omitempty"` // labels of the blocks that have it
	Write    Way      `json:"write"`
	ReadBack Way      `json:"read_back"`
	Note     string   `json:"note,omitempty"`
	NotYet   string   `json:"not_yet,omitempty"`
}

// ReferenceJSON returns the reference of systems for programs.
func ReferenceJSON(systems []*System) ReferenceData {
	data := ReferenceData{FormatVersion: "1.0", Functions: slices.Sorted(maps.Keys(functions(nil, nil, nil)))}
	for _, s := range systems {
		out := ReferenceSystem{Name: s.Name, Doc: s.Doc, Blocks: []ReferenceBlock{}}
		for _, b := range s.Blocks {
			out.Blocks = append(out.Blocks, referenceBlock(b, NoWay, NoWay, canRepeat(b)))
		}
		for _, typ := range slices.Sorted(maps.Keys(s.Extend)) {
			x := ReferenceExtension{Block: typ}
			around := findBlock(basicBlocks, typ)
			for _, a := range s.Extend[typ] {
				x.Attributes = append(x.Attributes, referenceAttr(a, around.Write, around.ReadBack))
			}
			out.Extend = append(out.Extend, x)
		}
		data.Systems = append(data.Systems, out)
	}
	for _, b := range basicBlocks {
		data.Blocks = append(data.Blocks, referenceBlock(b, NoWay, NoWay, slices.Contains(repeatable, b)))
	}
	return data
}

// canRepeat reports whether a block of a system can have for_each.
func canRepeat(b *Block) bool { return b.Label != "" && !b.Once }

func referenceBlock(b *Block, write, readBack Way, forEach bool) ReferenceBlock {
	write, readBack = cmp.Or(b.Write, write), cmp.Or(b.ReadBack, readBack)
	out := ReferenceBlock{
		Type: b.Type, Labels: append([]string{}, b.labelMeanings()...), Once: b.Once, ForEach: forEach, Doc: b.Doc,
		Example: example(b, ""), Attributes: []ReferenceAttr{}, Blocks: []ReferenceBlock{},
	}
	for _, a := range b.Attrs {
		out.Attributes = append(out.Attributes, referenceAttr(a, write, readBack))
	}
	for _, n := range b.Blocks {
		out.Blocks = append(out.Blocks, referenceBlock(n, write, readBack, false))
	}
	return out
}

func referenceAttr(a *Attr, write, readBack Way) ReferenceAttr {
	def := a.Default
	switch {
	case a.Required:
		def = "an error"
	case def == "":
		def = "not managed"
	}
	return ReferenceAttr{
		Name: a.Name, Type: typeOf(a), Required: a.Required, Default: def, Doc: a.Doc, Example: a.Example,
		OneOf: a.OneOf, Keys: a.Keys, Word: a.Word, Refs: a.Refs, For: a.For,
		Write: cmp.Or(a.Write, write), ReadBack: cmp.Or(a.ReadBack, readBack), Note: a.Note, NotYet: a.NotYet,
	}
}

// typeOf names the type of an attribute.
func typeOf(a *Attr) string {
	switch a.Type {
	case TextType:
		return "text"
	case BoolType:
		return "true or false"
	case NumberType:
		return "number"
	case AmountType:
		return "amount"
	case ListType:
		return "list of texts"
	case MapType:
		return "map of texts"
	case Ref:
		return "reference to " + cmp.Or(a.Refs, "a block")
	case RefList:
		return "list of references to " + cmp.Or(a.Refs, "blocks")
	case PeopleType:
		return "people"
	case DayType:
		return "day"
	case AddressType:
		return "address"
	case AmountMapType:
		return "map of amounts"
	case shareType:
		return "number or share"
	case anyType:
		return "any"
	case typeType:
		return "type"
	}
	panic(fmt.Sprintf("schema: no such type of attribute: %d", a.Type))
}

// example writes a block with the examples of everything that can be in it, or
// with the one that it declares.
func example(b *Block, indent string) string {
	var w strings.Builder
	w.WriteString(indent + b.Type)
	for _, meaning := range b.labelMeanings() {
		w.WriteString(" " + quote(exampleLabel(meaning)))
	}
	w.WriteString(" {\n")
	inner := indent + "  "
	if b.Example != "" {
		for _, line := range strings.Split(strings.TrimSpace(b.Example), "\n") {
			w.WriteString(strings.TrimRight(inner+line, " ") + "\n")
		}
		w.WriteString(indent + "}\n")
		return w.String()
	}
	width := 0
	for _, a := range b.Attrs {
		if a.NotYet == "" {
			width = max(width, len(a.Name))
		}
	}
	for _, a := range b.Attrs {
		if a.NotYet == "" {
			fmt.Fprintf(&w, "%s%-*s = %s\n", inner, width, a.Name, a.Example)
		}
	}
	for i, n := range b.Blocks {
		if i > 0 || width > 0 {
			w.WriteString("\n")
		}
		w.WriteString(example(n, inner))
	}
	w.WriteString(indent + "}\n")
	return w.String()
}

// exampleLabel returns a label with a meaning.
func exampleLabel(meaning string) string {
	switch {
	case strings.Contains(meaning, "e-mail"):
		return "jane@acme.com"
	case strings.Contains(meaning, "guard"):
		return "guard.max_removals"
	case strings.Contains(meaning, "check"):
		return "cross-role-conflict"
	}
	return "example"
}

// Reference returns the reference of systems as Markdown.
func Reference(systems []*System) string {
	data := ReferenceJSON(systems)
	var w strings.Builder
	w.WriteString(referenceHead)
	for _, s := range data.Systems {
		fmt.Fprintf(&w, "- [%s](#%s)%s\n", s.Name, s.Name, strings.TrimSuffix(": "+s.Doc, ": "))
	}
	w.WriteString("\n## Every system\n")
	for _, b := range data.Blocks {
		writeReference(&w, b, "")
	}
	fmt.Fprintf(&w, "\n### Functions\n\n`%s`\n\n%s", strings.Join(data.Functions, "`, `"), referenceFunctions)
	for _, s := range data.Systems {
		fmt.Fprintf(&w, "\n## %s\n", s.Name)
		if s.Doc != "" {
			fmt.Fprintf(&w, "\n%s\n", s.Doc)
		}
		for _, b := range s.Blocks {
			writeReference(&w, b, "")
		}
		for _, x := range s.Extend {
			fmt.Fprintf(&w, "\n### `%s` (what %s adds)\n", x.Block, s.Name)
			writeAttributes(&w, x.Attributes)
		}
	}
	return w.String()
}

// writeReference writes a block, and those in it after it.
func writeReference(w *strings.Builder, b ReferenceBlock, parent string) {
	heading := b.Type
	for _, l := range b.Labels {
		heading += " " + quote(l)
	}
	in := ""
	if parent != "" {
		in = " in `" + parent + "`"
	}
	fmt.Fprintf(w, "\n### `%s`%s\n\n%s", heading, in, b.Doc)
	switch {
	case b.Once:
		w.WriteString(" There is one at most.")
	case b.ForEach:
		w.WriteString(" It may have `for_each`.")
	}
	w.WriteString("\n")
	writeAttributes(w, b.Attributes)
	path := b.Type
	if parent == "" {
		fmt.Fprintf(w, "\n```hcl\n%s```\n", b.Example)
	} else {
		path = parent + " " + path
	}
	for _, n := range b.Blocks {
		writeReference(w, n, path)
	}
}

func writeAttributes(w *strings.Builder, list []ReferenceAttr) {
	if len(list) == 0 {
		return
	}
	w.WriteString("\n| attribute | type | left out | meaning | example | set by | read back by |\n|---|---|---|---|---|---|---|\n")
	for _, a := range list {
		doc := a.Doc
		if len(a.For) > 0 {
			doc += " Only in " + oneOf(a.For) + "."
		}
		if len(a.OneOf) > 0 {
			doc += " One of `" + strings.Join(a.OneOf, "`, `") + "`."
		}
		if a.Word != "" {
			doc += " Or the word `" + a.Word + "`, without quotes."
		}
		if len(a.Keys) > 0 {
			doc += " Keys: `" + strings.Join(a.Keys, "`, `") + "`."
		}
		if a.NotYet != "" {
			doc = "Not available yet: " + a.NotYet
		}
		if a.Note != "" {
			doc += " " + a.Note
		}
		cell := func(s string) string {
			return strings.ReplaceAll(strings.ReplaceAll(s, "|", "\\|"), "\n", " ")
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s | `%s` | %s | %s |\n",
			a.Name, cell(a.Type), cell(a.Default), cell(doc), cell(a.Example), wayWords(a.Write), wayWords(a.ReadBack))
	}
}

// wayWords names a way for the tables.
func wayWords(w Way) string {
	switch w {
	case WayAPI:
		return "API"
	case WayConsole:
		return "console"
	case WayTrust:
		return "nothing: taken on trust"
	case WayNone:
		return "nothing"
	case WayLocal:
		return "–"
	}
	return string(w)
}

const referenceHead = `<!-- made from the declarations: go test ./cmd/rolecall -run Reference -update -->

# The configuration language

All ` + "`*.hcl` and `*.hcl.json`" + ` files of one directory describe one organization, in any order. ` + "`rolecall validate`" + ` checks them
without a network, ` + "`rolecall fmt`" + ` formats them, and ` + "`rolecall schema`" + ` prints this page as JSON.

- **What is left out is not managed**: not compared and not changed. Deleting is written, with ` + "`removed`" + `.
- ` + "`role.standard`, `group.pilot.members`, `connector.jira[\"tools\"]`" + ` refer to blocks and their attributes. With
  ` + "`for_each`" + ` over a set of texts, a map or an object, a block has instances, ` + "`role.eng[\"backend\"]`" + `, and
  ` + "`each.key` and `each.value`" + ` in it. ` + "`dynamic`" + ` makes nested blocks: it has ` + "`for_each`, `iterator`, `labels` and `content`" + `.
- **People** are a list of e-mail addresses, ` + "`everyone`, `domain(\"vendor.com\")`, `organization_role(\"user\")`, `group.a.members`" + `,
  combined with ` + "`union`, `minus` and `intersect`" + `. Who that is, is known when a plan is made: they cannot be looped over.
- **Amounts** are exact, in major units: ` + "`\"200.00\"` or `200`" + `. **Days** are in UTC: ` + "`\"2026-12-01\"`" + ` begins at 00:00.
- In the tables, *set by* is how what is written gets into the live organization, and *read back by* how it is known
  that it is there: the API, the console (a person, by hand), the ledger (a person said so), or nothing. A dash is
  what concerns rolecall alone.

Systems:

`

const referenceFunctions = `Most are those that are known from elsewhere in HCL. ` + "`file`, `fileexists` and `templatefile`" + ` read files of the directory
(and of one that an ` + "`include`" + ` names), as text; ` + "`csvdecode`, `jsondecode` and `yamldecode`" + ` make values of it. ` + "`try` and `can`" + `
take an attribute that is not set for an error.
`
