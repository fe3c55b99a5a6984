package schema

// A System declares the language of one product: which blocks there are, with
// which attributes. The rest of the language (variables, locals, functions,
// people expressions, for_each, guards and rules) is the same for every system
// and belongs to this package.
type System struct {
	// Name is what `system = "…"` says in the organization block.
	Name string
	Doc  string // what product it is

	// Blocks are the top-level blocks, the organization block among them.
	Blocks []*Block

	// Extend has the attributes that the system adds to blocks that every
	// system has, by the type of the block: what its own checks can be told in
	// a rule block.
	Extend map[string][]*Attr

	// MinorDigits is how many digits amounts of money have after the point; 0
	// stands for 2, and a negative number for none.
	MinorDigits int
}

// minorDigits returns how many digits amounts of money have after the point.
func (s *System) minorDigits() int {
	if s.MinorDigits == 0 {
		return 2
	}
	return max(s.MinorDigits, 0)
}

// A Block declares one type of block.
type Block struct {
	Type   string
	Label  string // what the label means ("name", "e-mail address"); "" for a block without label
	Second string // what the second label means; "" for a block with one or none
	Once   bool   // at most one in its parent, or in the configuration
	Group  bool   // people are in it, also if it has no attribute called members
	Doc    string
	Attrs  []*Attr
	Blocks []*Block

	// Example is what may stand in the block, as HCL without the braces; ""
	// for the examples of all attributes and blocks.
	Example string

	// Write and ReadBack hold for the attributes, and for the blocks in it,
	// that do not say it themselves.
	Write, ReadBack Way
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

	// Write says how what is written gets into the live organization, and
	// ReadBack how it is known afterwards; NoWay takes both from the block.
	// Note is what is to be added, such as under what circumstances.
	Write, ReadBack Way
	Note            string

	Keys   []string // for MapType and AmountMapType: the keys that are allowed
	Word   string   // a bare word that may stand in the place of the value; "" for none. [Attribute] then holds it as Text
	Groups bool     // for PeopleType: a reference to a group stands for its members
	For    []string // in System.Extend: the labels of the blocks that have it; nil for all
	NotYet string   // why it cannot be written today, as a sentence; "" if it can
}

// A Way says how a setting gets into a live organization, or how it is known
// that it is there.
type Way string

// The ways. Every attribute or its block names one for each direction.
const (
	NoWay      Way = ""        // not said; the block around says it
	WayAPI     Way = "api"     // rolecall does it with requests
	WayConsole Way = "console" // a person does it by hand; rolecall says where
	WayLedger  Way = "ledger"  // a person says that it is so, and the ledger keeps it
	WayTrust   Way = "trust"   // nothing shows it: what is written is believed
	WayNone    Way = "none"    // the product has no way for it
	WayLocal   Way = "local"   // it is about rolecall itself: nothing is sent
)

// An AttrType is the type of an attribute's value.
type AttrType uint8

// The types of attributes. The comments say what [Attribute] then holds.
const (
	TextType      AttrType = iota // Text
	BoolType                      // Bool
	NumberType                    // Text: decimal digits, exact
	AmountType                    // Text: an amount in major units as written, exact ("200.00"); number or string
	ListType                      // Items: a list or set of texts
	MapType                       // Entries: texts by name
	Ref                           // Items[0]: the address of a block of type Refs
	RefList                       // Items: addresses of blocks of type Refs
	PeopleType                    // People, and Items: the addresses that are written out
	DayType                       // Text: a day in UTC, see [Day]
	AddressType                   // Text: the address of a block that need not be there (any more)
	AmountMapType                 // Entries: amounts by name
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
