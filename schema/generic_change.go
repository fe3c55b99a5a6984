package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

var acceptBlock = &Block{
	Type: "accept", Label: "guard.NAME, or id of a check", Write: WayLocal, ReadBack: WayLocal,
	Doc: "Takes one risk, by name, so that a plan with it is not blocked. It is reviewed like everything else.",
	Attrs: []*Attr{
		{Name: "up_to", Type: shareType, Default: "no bound; of a guard an error", Example: "60",
			Doc: "The bound that holds instead of the guard's, as a number or a share; of a check, how many findings."},
		{Name: "reason", Required: true, Example: `"Team split, ticket 4711"`,
			Doc: "Why it is all right. It is shown in the plan."},
		{Name: "expires", Type: DayType, Default: "never", Example: `"2026-12-15"`,
			Doc: "The day, in UTC, from which on it counts no longer."},
	},
}

var holdBlock = &Block{
	Type: "hold", Label: "name", Write: WayLocal, ReadBack: WayLocal,
	Doc: "Leaves objects exactly as they are: what a plan would change of them is shown as held, and is neither applied nor counted as drift.",
	Attrs: []*Attr{
		{Name: "objects", Type: RefList, Required: true, Example: "[group.pilot]", Doc: "What is left alone."},
		{Name: "until", Type: DayType, Default: "until the block is removed", Example: `"2026-12-01"`,
			Doc: "The day, in UTC, from which on it is managed again."},
		{Name: "reason", Required: true, Example: `"Access cut during the incident"`, Doc: "Why. It is shown in the plan."},
	},
}

var removedBlock = &Block{
	Type: "removed", Write: WayLocal, ReadBack: WayLocal,
	Doc: "Deletes what a block described that is there no longer. Leaving a block out deletes nothing.",
	Attrs: []*Attr{
		{Name: "from", Type: AddressType, Required: true, Example: "group.old_team", Doc: "The address that the object had."},
		{Name: "name", Default: "the label in from", Example: `"Old team"`, Doc: "The name of the live object."},
		{Name: "id", Default: "found by name", Example: `"rbac_group_01AbC"`, Doc: "The live object's id, where its name is not enough."},
	},
}

var movedBlock = &Block{
	Type: "moved", Write: WayLocal, ReadBack: WayLocal,
	Doc: "Says that a block has another address now: another label, or another key of its for_each. Live names change by previous_names.",
	Attrs: []*Attr{
		{Name: "from", Type: AddressType, Required: true, Example: "group.eng", Doc: "The address that it had."},
		{Name: "to", Type: AddressType, Required: true, Example: "group.engineering", Doc: "The address that it has."},
	},
}

// toAccept returns what an accept block says.
func (l *loader) toAccept(d *Described) Accept {
	a := Accept{Name: d.Label, Reason: d.Text("reason", ""), Expires: Day(d.Text("expires", "")), Decl: d.Range}
	if up := d.Attr("up_to"); up != nil {
		s := parseShare(up.Text)
		a.UpTo = &s
	}
	guard, ok := strings.CutPrefix(d.Label, "guard.")
	if !ok {
		return a
	}
	var guards []string
	for _, g := range guardBlock.Attrs {
		if g.Name != "frozen" {
			guards = append(guards, g.Name)
		}
	}
	switch {
	case guard == "frozen":
		l.report(problem("Guard cannot be accepted", d.LabelRange, "A frozen configuration is not applied, whatever is accepted. Write frozen = false in the guard block instead."))
	case !slices.Contains(guards, guard):
		l.report(problem("Unknown guard", d.LabelRange, "No guard is called %s.%s Write \"guard.\" and one of %s.", quote(guard), didYouMean(guard, guards), oneOf(guards)))
	case a.UpTo == nil && guard != "protected" && !d.broken["up_to"]:
		l.report(missingAttr("up_to", "accept "+quote(d.Label), d.Range, "Write the bound that holds instead of the guard's: up_to = 60, for example."))
	}
	return a
}

// toHold returns what a hold block says.
func (l *loader) toHold(d *Described) Hold {
	h := Hold{Name: d.name(), Objects: addresses(d, "objects"), Until: Day(d.Text("until", "")), Reason: d.Text("reason", ""), Decl: d.Range}
	if a := d.Attr("objects"); a != nil && len(a.Items) == 0 {
		l.report(problem("Nothing to hold", a.Range, "\"objects\" is empty, so nothing is held. Name what is to be left alone."))
	}
	return h
}

// toRemoval returns what a removed block says.
func (l *loader) toRemoval(d *Described) Removal {
	r := Removal{ID: d.Text("id", ""), Name: d.Text("name", ""), Decl: d.Range}
	a := d.Attr("from")
	if a == nil {
		return r
	}
	r.From = Address(a.Text)
	if l.described(r.From) {
		l.report(problem("Removed block is still there", a.Range, "%s is still described, so it cannot be removed. Take its block out, or this one.", r.From))
	}
	if other, twice := l.removed[r.From]; twice {
		l.report(duplicateBlock("The removal of "+a.Text, d.Range, other))
	}
	l.removed[r.From] = d.Range
	if r.Name == "" {
		r.Name = l.nameAt(r.From)
	}
	return r
}

// toMoved returns what a moved block says.
func (l *loader) toMoved(d *Described) Moved {
	m := Moved{Decl: d.Range}
	from, to := d.Attr("from"), d.Attr("to")
	if from == nil || to == nil {
		return m
	}
	m.From, m.To = Address(from.Text), Address(to.Text)
	switch {
	case m.From == m.To:
		l.report(problem("Moved to itself", to.Range, "from and to are both %s. Take the block out.", m.To))
	case m.From.Type() != m.To.Type():
		l.report(problem("Moved to another type of block", to.Range, "%s is %s, and %s is %s. Only blocks of one type can take each other's place.",
			m.From, aBlock(m.From.Type()), m.To, aBlock(m.To.Type())))
	case l.described(m.From):
		l.report(problem("Moved block is still there", from.Range, "%s is still described, so it was not moved. Rename its block to %s, or take this one out.", m.From, m.To))
	}
	if other, twice := l.moved[m.From]; twice {
		l.report(duplicateBlock("The move of "+from.Text, d.Range, other.Range))
	}
	l.moved[m.From] = movedTo{to: m.To, Range: to.Range}
	return m
}

// checkMoves checks that every move ends at a block that is described.
func (l *loader) checkMoves() {
	for _, from := range slices.Sorted(maps.Keys(l.moved)) {
		m := l.moved[from]
		if _, further := l.moved[m.to]; further || l.described(m.to) || l.uncertain(m.to.Type()) {
			continue
		}
		var names []string
		for addr := range l.addresses {
			if addr.Type() == m.to.Type() {
				names = append(names, string(addr))
			}
		}
		slices.Sort(names)
		l.report(problem("Moved to nothing", m.Range, "No block has the address %s.%s Describe it, or correct the address.", m.to, didYouMean(string(m.to), names)))
	}
	passed := map[Address]bool{}
	for _, from := range slices.Sorted(maps.Keys(l.moved)) {
		for at := from; at != "" && !passed[at]; at = l.moved[at].to {
			passed[at] = true
			if l.moved[at].to == from && at != from {
				l.report(problem("Moved in a circle", l.moved[from].Range, "From %s the moves lead back to it. Take one of them out.", from))
			}
		}
	}
}

// keepNames tells blocks that were moved which name they gave by default before,
// so that what is live under it is found and renamed, not made again. Whatever
// says its name itself is found by that.
func (l *loader) keepNames() {
	for _, b := range l.config.Blocks {
		decl := l.system.Block(b.Type)
		if decl == nil || b.Attr("name") != nil || !slices.ContainsFunc(decl.Attrs, func(a *Attr) bool { return a.Name == "name" }) {
			continue
		}
		for _, from := range slices.Sorted(maps.Keys(l.moved)) {
			if l.config.Now(from) == b.Addr {
				b.Earlier = append(b.Earlier, l.nameAt(from))
			}
		}
	}
}

// described reports whether a block has the address.
func (l *loader) described(a Address) bool { return l.addresses[a] }

// uncertain reports whether there may be more blocks of a type than are known,
// because something could not be read or evaluated.
func (l *loader) uncertain(typ string) bool {
	return l.incomplete || slices.ContainsFunc(slices.Collect(maps.Values(l.blocks[typ])), func(n *node) bool {
		return n.forEach != nil && !n.value.IsWhollyKnown()
	})
}

// nameAt returns what the name of an object at the address was unless its
// block said something else: its last label, and the key of a for_each after
// it.
func (l *loader) nameAt(a Address) string {
	steps, diags := hclsyntax.ParseTraversalAbs([]byte(a), "", hcl.InitialPos)
	if diags.HasErrors() {
		return ""
	}
	var names []string
	for _, s := range steps[len(l.system.Block(a.Type()).labelMeanings()):] {
		names = append(names, stepName(s))
	}
	return strings.Join(names, " ")
}
