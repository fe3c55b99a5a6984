package schema

// A System declares the language of one product: which blocks there are, with
// which attributes. The rest of the language (variables, locals, functions,
// people expressions, for_each, guards and rules) is the same for every system
// and belongs to this package.
type System struct {
	// Name is what `system = "…"` says in the organization block.
	Name string

	// Blocks are the top-level blocks, the organization block among them.
	Blocks []*Block
}

// A Block declares one type of block.
type Block struct {
	Type   string
	Label  string // what the label means ("name", "e-mail address"); "" for a block without label
	Once   bool   // at most one in its parent, or in the configuration
	Doc    string
	Attrs  []*Attr
	Blocks []*Block
}

// An Attr declares one attribute.
type Attr struct {
	Name     string
	Type     AttrType
	Refs     string   // for Ref and RefList: the type of block that is referred to
	OneOf    []string // for TextType: the values that are allowed
	Required bool
	Default  string // as documentation: what holds when it is left out
	Doc      string
	Example  string // as HCL
}

// An AttrType is the type of an attribute's value.
type AttrType uint8

// The types of attributes. The comments say what [Attribute] then holds.
const (
	TextType   AttrType = iota // Text
	BoolType                   // Bool
	NumberType                 // Text: decimal digits, exact
	AmountType                 // Text: an amount in major units as written, exact ("200.00"); number or string
	ListType                   // Items: a list or set of texts
	MapType                    // Entries: texts by name
	Ref                        // Items[0]: the address of a block of type Refs
	RefList                    // Items: addresses of blocks of type Refs
	PeopleType                 // People, and Items: the addresses that are written out
)

// Block returns the declaration of the top-level block typ, nil if the system
// has none.
func (s *System) Block(typ string) *Block { return findBlock(s.Blocks, typ) }

// Block returns the declaration of the nested block typ, nil if b has none.
func (b *Block) Block(typ string) *Block { return findBlock(b.Blocks, typ) }

// Attr returns the declaration of the attribute name, nil if b has none.
func (b *Block) Attr(name string) *Attr {
	for _, a := range b.Attrs {
		if a.Name == name {
			return a
		}
	}
	return nil
}

func findBlock(list []*Block, typ string) *Block {
	for _, b := range list {
		if b.Type == typ {
			return b
		}
	}
	return nil
}
