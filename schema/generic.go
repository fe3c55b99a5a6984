package schema

import (
	"slices"
	"strconv"
	"strings"
)

// basicBlocks are the blocks that every system has.
var basicBlocks = []*Block{
	variableBlock, localsBlock, includeBlock,
	guardBlock, acceptBlock, ruleBlock, exclusiveBlock, holdBlock, testBlock, removedBlock, movedBlock,
}

// repeatable are those of them that may have for_each.
var repeatable = []*Block{exclusiveBlock, holdBlock, testBlock}

// genericBlocks returns the blocks that every system has, with what the system
// adds to them.
func genericBlocks(s *System) []*Block {
	list := slices.Clone(basicBlocks)
	for i, b := range list {
		if more := s.Extend[b.Type]; len(more) > 0 {
			extended := *b
			extended.Attrs = slices.Concat(b.Attrs, more)
			list[i] = &extended
		}
	}
	return list
}

// isGeneric reports whether decl is one of them. They are no objects, so
// nothing refers to them.
func (l *loader) isGeneric(decl *Block) bool { return slices.Contains(l.generic, decl) }

// The types of attributes of these blocks only.
const (
	shareType AttrType = 128 + iota // Text: a number or a percentage
	anyType                         // of a variable, whatever its type is
	typeType                        // the type of a variable
)

var guardBlock = &Block{
	Type: "guard", Once: true, Write: WayLocal, ReadBack: WayLocal,
	Doc: "Bounds what one plan may do. A plan over a guard is blocked.",
	Attrs: []*Attr{
		{Name: "max_members_losing_access", Type: shareType, Default: `"5%"`, Example: `"5%"`,
			Doc: "How many members, or what share of them, may lose access, outside of what open waves and accepted risks explain."},
		{Name: "max_removals", Type: NumberType, Default: "25", Example: "25",
			Doc: "How many memberships, groups, roles and members may be taken away."},
		{Name: "max_group_shrink", Type: shareType, Default: `"50%"`, Example: `"50%"`,
			Doc: "By how much any single group may shrink. A group that would be emptied always counts."},
		{Name: "max_spend_increase", Type: shareType, Default: `"20%"`, Example: `"20%"`,
			Doc: "By how much the sum of finite monthly limits may grow. From finite to unlimited always counts."},
		{Name: "protected", Type: PeopleType, Default: "[]", Example: `["ceo@acme.com"]`,
			Doc: "Who loses nothing: no access, no limit, no seat."},
		{Name: "frozen", Type: BoolType, Default: "false", Example: "false",
			Doc: "Whether plans can be made, but not applied."},
	},
}

var ruleBlock = &Block{
	Type: "rule", Label: "id of the check", Write: WayLocal, ReadBack: WayLocal,
	Doc: "Changes one check.",
	Attrs: []*Attr{
		{Name: "severity", OneOf: []string{"error", "warning", "info", "off"}, Default: "as the check has it", Example: `"warning"`,
			Doc: "How a finding of the check counts."},
		{Name: "ignore", Type: RefList, Default: "[]", Example: "[connector.slack]",
			Doc: "The objects that the check passes over."},
	},
}

// statement puts what a block that every system has says into the
// configuration.
func (l *loader) statement(d *Described) {
	c := l.config
	switch d.Type {
	case "guard":
		c.Guard = l.toGuard(d)
	case "accept":
		c.Accepts = append(c.Accepts, l.toAccept(d))
	case "rule":
		c.Rules = append(c.Rules, toRule(d))
	case "exclusive":
		c.Exclusives = append(c.Exclusives, l.toExclusive(d))
	case "hold":
		c.Holds = append(c.Holds, l.toHold(d))
	case "test":
		c.Tests = append(c.Tests, l.toTest(d))
	case "removed":
		c.Removals = append(c.Removals, l.toRemoval(d))
	case "moved":
		c.Moves = append(c.Moves, l.toMoved(d))
	default:
		panic("schema: no such generic block: " + d.Type)
	}
}

// toGuard returns what a guard block says.
func (l *loader) toGuard(d *Described) Guard {
	g := DefaultGuard()
	g.Decl = d.Range
	share := func(name string, s *Share) {
		if a := d.Attr(name); a != nil {
			*s = parseShare(a.Text)
		}
	}
	share("max_members_losing_access", &g.MaxMembersLosingAccess)
	share("max_group_shrink", &g.MaxGroupShrink)
	share("max_spend_increase", &g.MaxSpendIncrease)
	if a := d.Attr("max_removals"); a != nil {
		n, err := strconv.Atoi(a.Text)
		if err != nil || n < 0 {
			l.report(problem("Invalid number", a.Range, "%s must be a whole number from 0, and not %s. Write one.", quote(a.Name), a.Text))
		}
		g.MaxRemovals = n
	}
	if a := d.Attr("protected"); a != nil {
		g.Protected = a.People
	}
	g.Frozen = d.Bool("frozen", false)
	return g
}

// validShare reports whether s is a number or a percentage, without fractions.
func validShare(s string) bool {
	n, err := strconv.Atoi(strings.TrimSuffix(s, "%"))
	return err == nil && n >= 0 && n <= 1<<30 && s[0] != '+'
}

// parseShare returns the share in a text for which validShare holds.
func parseShare(s string) Share {
	n, _ := strconv.Atoi(strings.TrimSuffix(s, "%"))
	return Share{N: n, Percent: strings.HasSuffix(s, "%")}
}

// toRule returns what a rule block says.
func toRule(d *Described) Rule {
	return Rule{Name: d.Label, Severity: d.Text("severity", ""), Ignore: addresses(d, "ignore"), Decl: d.Range, Attrs: d.Attrs}
}

// addresses returns the references in a list attribute.
func addresses(d *Described, name string) []Address {
	var list []Address
	for _, a := range d.Texts(name) {
		list = append(list, Address(a))
	}
	return list
}

// name returns the label of a block, with the key if it has for_each.
func (d *Described) name() string {
	if d.Key == "" {
		return d.Label
	}
	return d.Label + "[" + quote(d.Key) + "]"
}
