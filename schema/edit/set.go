package edit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/rolecall/rolecall/schema"
)

var (
	// ErrNoBlock means that the file has no block of the address.
	ErrNoBlock = errors.New("no such block in the file")

	// ErrComputed means that a value is worked out, from variables, functions
	// or other blocks, or that its block is one of a for_each: a person has to
	// decide what to change.
	ErrComputed = errors.New("it is worked out, and has to be changed by hand")
)

// SetAttribute returns a file with one attribute of one block set, and
// everything else as it was, comments and layout too. An attribute of a nested
// block is written as `spend_limit.monthly`; the nested block is added if it
// is not there. A list keeps the elements that stay, with their comments; new
// ones come at its end. The error names the place.
func SetAttribute(src []byte, filename string, addr schema.Address, attr string, v Value) ([]byte, error) {
	f, diags := hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	block, err := find(f.Body.(*hclsyntax.Body), filename, addr)
	if err != nil {
		return nil, err
	}
	nested, name, isNested := strings.Cut(attr, ".")
	if !isNested {
		nested, name = "", attr
	}
	into := block
	if nested != "" {
		i := slices.IndexFunc(block.Body.Blocks, func(b *hclsyntax.Block) bool { return b.Type == nested })
		if i < 0 {
			n := NewBlock(nested)
			n.Set(name, v)
			var text strings.Builder
			n.write(&text)
			return insert(src, block, block.CloseBraceRange.Start.Byte, text.String()), nil
		}
		into = block.Body.Blocks[i]
	}
	have := into.Body.Attributes[name]
	if have == nil {
		var text strings.Builder
		text.WriteString(name + " = ")
		v.write(&text, wide-len(name)-len("   = "))
		return insert(src, into, firstNested(into), text.String()+"\n"), nil
	}
	if !literal(have.Expr) {
		return nil, fmt.Errorf("%s:%d: %s of %s: %w", filename, have.SrcRange.Start.Line, attr, addr, ErrComputed)
	}
	if list, ok := have.Expr.(*hclsyntax.TupleConsExpr); ok && v.open == "[" {
		if out, ok := setList(src, list, v); ok {
			return out, nil
		}
	}
	var text strings.Builder
	v.write(&text, wide-len(name)-len("   = "))
	r := have.Expr.Range()
	return splice(src, r.Start.Byte, r.End.Byte, text.String()), nil
}

// find returns the block of an address.
func find(body *hclsyntax.Body, filename string, addr schema.Address) (*hclsyntax.Block, error) {
	for _, b := range body.Blocks {
		label := ""
		if len(b.Labels) == 1 {
			label = b.Labels[0]
		}
		made := schema.MakeAddress(b.Type, label, "")
		_, many := b.Body.Attributes["for_each"]
		switch {
		case len(b.Labels) > 1:
		case many && strings.HasPrefix(string(addr), string(made)+"["):
			return nil, fmt.Errorf("%s:%d: %s is one of a for_each: %w", filename, b.TypeRange.Start.Line, addr, ErrComputed)
		case made == addr && !many:
			return b, nil
		}
	}
	return nil, fmt.Errorf("%s: %s: %w", filename, addr, ErrNoBlock)
}

// literal reports whether an expression is written out: no reference, no
// function, no template.
func literal(e hclsyntax.Expression) bool {
	ok := true
	hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n.(type) {
		case *hclsyntax.FunctionCallExpr, *hclsyntax.ForExpr, *hclsyntax.ConditionalExpr, *hclsyntax.BinaryOpExpr, *hclsyntax.TemplateWrapExpr, *hclsyntax.SplatExpr, *hclsyntax.IndexExpr:
			ok = false
		}
		return nil
	})
	for _, t := range e.Variables() { // a reference to a block is written out, a variable is not
		switch t.RootName() {
		case "var", "local", "each", "everyone":
			ok = false
		}
		if len(t) > 2 { // group.a.members
			ok = false
		}
	}
	return ok
}

// firstNested returns where an attribute is added to a block: before its first
// nested block, or at its end.
func firstNested(b *hclsyntax.Block) int {
	at := b.CloseBraceRange.Start.Byte
	for _, n := range b.Body.Blocks {
		at = min(at, n.TypeRange.Start.Byte)
	}
	return at
}

// insert adds lines to a block, above the line of an offset, in line with
// what is in the block.
func insert(src []byte, b *hclsyntax.Block, at int, lines string) []byte {
	start, end := b.OpenBraceRange.End.Byte, b.CloseBraceRange.Start.Byte
	if inside := src[start:end]; !bytes.ContainsRune(inside, '\n') { // the block is on one line
		text := "\n"
		if one := strings.TrimSpace(string(inside)); one != "" {
			text += one + "\n"
		}
		return splice(src, start, end, text+lines)
	}
	from := lineStart(src, at)
	indent := string(src[from:at])
	if strings.TrimSpace(indent) != "" { // something else is on the line
		return splice(src, at, at, "\n"+lines)
	}
	if at == end {
		indent += "  "
	}
	var text strings.Builder
	for line := range strings.Lines(string(hclwrite.Format([]byte(lines)))) {
		text.WriteString(indent + line)
	}
	return splice(src, from, from, text.String())
}

// lineStart returns the offset of the line that an offset is on.
func lineStart(src []byte, at int) int { return bytes.LastIndexByte(src[:at], '\n') + 1 }

// splice replaces src[from:to]. A file that was in canonical form still is.
func splice(src []byte, from, to int, text string) []byte {
	out := slices.Concat(src[:from], []byte(text), src[to:])
	if bytes.Equal(hclwrite.Format(src), src) {
		return hclwrite.Format(out)
	}
	return out
}

// setList changes a list that has one element a line, line by line. It returns
// false if it is not one.
func setList(src []byte, list *hclsyntax.TupleConsExpr, v Value) ([]byte, bool) {
	want := map[string]entry{}
	for _, it := range v.items {
		want[it.source] = it
	}
	line := list.OpenRange.Start.Line
	var gone []hcl.Range
	for _, e := range list.Exprs {
		r := e.Range()
		if r.Start.Line <= line || r.End.Line != r.Start.Line {
			return nil, false
		}
		line = r.Start.Line
		source := string(src[r.Start.Byte:r.End.Byte])
		if val, diags := e.Value(nil); !diags.HasErrors() && val.Type() == cty.String { // however it is written
			source = quote(val.AsString())
		}
		if _, stays := want[source]; stays {
			delete(want, source)
		} else {
			gone = append(gone, r)
		}
	}
	end := list.Range().End
	if len(list.Exprs) == 0 || end.Line <= line { // the bracket closes on a line of its own
		return nil, false
	}
	closing := lineStart(src, end.Byte-1)
	last := list.Exprs[len(list.Exprs)-1].Range()
	var out bytes.Buffer
	at := 0
	for _, r := range gone {
		from := lineStart(src, r.Start.Byte)
		to := r.End.Byte + bytes.IndexByte(src[r.End.Byte:], '\n') + 1
		out.Write(src[at:from])
		at = to
	}
	if at <= last.End.Byte { // the last element stays, and needs a comma if others follow
		out.Write(src[at:last.End.Byte])
		at = last.End.Byte
		if rest := bytes.TrimLeft(src[at:], " \t"); !bytes.HasPrefix(rest, []byte(",")) {
			out.WriteByte(',')
		}
	}
	out.Write(src[at:max(at, closing)])
	at = max(at, closing)
	indent := src[lineStart(src, last.Start.Byte):last.Start.Byte]
	for _, it := range v.items {
		if _, add := want[it.source]; !add {
			continue
		}
		out.Write(indent)
		out.WriteString(it.source + ",")
		if it.note != "" {
			out.WriteString(" # " + comment(it.note))
		}
		out.WriteByte('\n')
	}
	out.Write(src[at:])
	return splice(src, 0, len(src), out.String()), true
}
