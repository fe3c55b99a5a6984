package schema

import "github.com/hashicorp/hcl/v2"

var exclusiveBlock = &Block{
	Type: "exclusive", Label: "name", Write: WayLocal, ReadBack: WayLocal,
	Doc: "Groups of which nobody may be in two.",
	Attrs: []*Attr{
		{Name: "groups", Type: RefList, Required: true, Example: "[group.pilot, group.contractors]",
			Doc: "The groups, two at least."},
		{Name: "required", Type: BoolType, Default: "false", Example: "true",
			Doc: "Whether everybody who is managed must be in exactly one of them."},
	},
}

var testBlock = &Block{
	Type: "test", Label: "what it asserts", Write: WayLocal, ReadBack: WayLocal,
	Doc: "Asserts what people can do in the desired state. A plan with a failing test is blocked. Permissions are `capability.<name>`, " +
		"`connector.<label>.<tool>`, `connector.<label>` for some tool under can and no tool under cannot, `plugin.<label>`, `spend.monthly`, and others by system.",
	Attrs: []*Attr{
		{Name: "who", Type: PeopleType, Groups: true, Required: true, Example: `[group.contractors, "sam@vendor.com"]`,
			Doc: "The people it is about: each of them must pass. A group stands for its members."},
		{Name: "can", Type: ListType, Default: "[]", Example: `["capability.chat"]`,
			Doc: "Permissions that they must have."},
		{Name: "cannot", Type: ListType, Default: "[]", Example: `["connector.jira.delete_issue"]`,
			Doc: "Permissions that they must not have."},
		{Name: "at_most", Type: MapType, Default: "{}", Example: `{ "connector.jira.search_issues" = "needs_approval" }`,
			Doc: "The highest level they may have, by permission."},
		{Name: "spend_at_most", Type: AmountMapType, Keys: []string{"monthly"}, Default: "{}", Example: `{ monthly = "100.00" }`,
			Doc: "The highest limit they may have, in major units, by period."},
	},
}

// toExclusive returns what an exclusive block says.
func (l *loader) toExclusive(d *Described) Exclusive {
	e := Exclusive{Name: d.name(), Groups: addresses(d, "groups"), Required: d.Bool("required", false), Decl: d.Range}
	a := d.Attr("groups")
	if a == nil {
		return e
	}
	first := map[string]hcl.Range{}
	for _, it := range a.Items {
		decl := l.system.Block(Address(it.Text).Type())
		if decl != nil && decl.members() == nil {
			l.report(problem("Not a group", it.Range, "%s has no members, so nobody can be in two of them. Refer to groups.", it.Text))
		}
		if r, ok := first[it.Text]; ok {
			l.report(within(problem("Group listed twice", it.Range, "%s is already in this list, on line %d. Remove one of the two.", it.Text, r.Start.Line), a.Range))
		}
		first[it.Text] = it.Range
	}
	if len(a.Items) < 2 {
		l.report(problem("Nothing to exclude", a.Range, "\"groups\" names %s, and nobody can be in two of them. Name two groups at least.", Count(len(a.Items), "group")))
	}
	return e
}

// toTest returns what a test block says.
func (l *loader) toTest(d *Described) Test {
	t := Test{Name: d.name(), SpendAtMost: map[string]Amount{}, Decl: d.Range, Where: map[string]hcl.Range{}}
	asserts := false
	for name, a := range d.Attrs {
		t.Where[name] = a.Range
		switch name {
		case "who":
			t.Who = a.People
			continue
		case "can":
			t.Can = a.Items
		case "cannot":
			t.Cannot = a.Items
		case "at_most":
			t.AtMost = a.Entries
		case "spend_at_most":
			for period, it := range a.Entries {
				minor, _ := MinorUnits(it.Text, l.system.minorDigits()) // checked when it was decoded
				t.SpendAtMost[period] = Amount{minor, it}
			}
		}
		asserts = asserts || len(a.Items) > 0 || len(a.Entries) > 0
	}
	if !asserts && len(d.broken) == 0 {
		l.report(problem("Test without an assertion", d.Range, "The test asserts nothing, so it cannot fail. Write can, cannot, at_most or spend_at_most."))
	}
	return t
}
