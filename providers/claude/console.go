package claude

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// Who may do the console steps.
//
// Source: help centre, custom roles, "Admin permissions"; read 2026-11-22.
const (
	byIdentity = "an Owner, or who has Identity & Access on “Can manage”"
	byBilling  = "an Owner, or who has Billing on “Can manage”"
	byOwner    = "an Owner"
)

// The pages of the console.
const (
	rolesPage        = "Organization settings › Roles"
	capabilitiesPage = "Organization settings › Capabilities"
	connectorsPage   = "Organization settings › Connectors"
	membersPage      = "Organization settings › Members"
	usagePage        = "Organization settings › Usage"
	defaultsPage     = usagePage + " › Spending defaults"
	mappingsPage     = "Organization settings › Identity and access › Group mappings"
)

// alreadySo is said where it is not known what the console shows now.
const alreadySo = "It may be so already: rolecall cannot see it. Then leave it as it is."

// unseen reports whether an attribute could not be read before, so that it may
// be as it is wanted already.
func unseen(before *schema.Object, attr string) bool {
	return before != nil && before.Get(attr).Kind() == schema.KindUnavailable
}

// levelTitle is how the console names a level.
var levelTitle = map[string]string{
	"always_allow": "Always allow", "needs_approval": "Needs approval", "blocked": "Blocked", "custom": "Custom",
	"view": "Can view", "manage": "Can manage", "": "No access",
}

// roleTable says what to enter for a new role, tab by tab in the order of the
// page. What a new role has by default and should not have is named, because
// the defaults are permissive: Chat, and every connector on approval.
func (e *expander) roleTable(o *schema.Object) []string {
	lines := []string{"Name: " + o.Key}
	if v := o.Get(attrDescription); v.Known() {
		lines = append(lines, "Description: "+v.AsText())
	}
	caps := o.Get(attrCapabilities)
	switch {
	case caps.Has(labelAll):
		lines = append(lines, "Capabilities: Capability access on “All capabilities”")
	case caps.Has(labelAllGA):
		lines = append(lines, "Capabilities: Capability access on “All generally available”")
	default:
		lines = append(lines, "Capabilities: “Only selected”, and exactly these on: "+e.titles(caps.AsSet()))
	}
	if admin := o.Get(attrAdmin).AsMap(); len(admin) > 0 {
		for _, a := range adminAreas { // every row of the page
			lines = append(lines, fmt.Sprintf("Permissions: %s on “%s”", a.title, levelTitle[admin[a.area]]))
		}
	} else {
		lines = append(lines, "Permissions: leave all on “No access”")
	}
	if def := o.Get(attrConnectorDefault); def.Known() {
		lines = append(lines, fmt.Sprintf("Connectors: “All connectors” on “%s”", levelTitle[def.AsText()]))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Get(attrConnectors).AsMap())) {
		lines = append(lines, fmt.Sprintf("Connectors: %s on “%s”", name, levelTitle[o.Get(attrConnectors).AsMap()[name]]))
	}
	for _, key := range slices.Sorted(maps.Keys(o.Get(attrTools).AsMap())) {
		label, tool := e.splitTool(key)
		lines = append(lines, fmt.Sprintf("Connectors: %s on “Custom”, its tool %s on “%s”", label, tool, levelTitle[o.Get(attrTools).AsMap()[key]]))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Get(attrBelow).AsMap())) {
		lines = append(lines, fmt.Sprintf("Connectors: %s on “%s”, with no tool above what stands here", name, levelTitle[o.Get(attrBelow).AsMap()[name]]))
	}
	return append(lines, "Save. Do not attach it to a group yet.")
}

func (e *expander) titles(labels []string) string {
	if len(labels) == 0 {
		return "none (Chat is on in a new role: switch it off)"
	}
	labels = slices.Clone(labels)
	slices.SortStableFunc(labels, func(a, b string) int { return pageOrder(a) - pageOrder(b) })
	names := make([]string, len(labels))
	for i, l := range labels {
		names[i] = e.words.title(l)
	}
	s := strings.Join(names, ", ")
	if !slices.Contains(labels, "chat") {
		s += " (Chat is on in a new role: switch it off)"
	}
	return s
}

// pageOrder is where a capability stands on the page of a role; those that are
// not built in come last.
func pageOrder(label string) int {
	i := slices.IndexFunc(capabilities, func(c capability) bool { return c.label == label })
	if i < 0 {
		return len(capabilities)
	}
	return i
}

// tabs are the attributes of a role in the order of the tabs of its page.
var tabs = []string{attrName, attrDescription, attrCapabilities, attrAdmin, attrConnectorDefault, attrConnectors, attrBelow, attrTools}

// compareEffects puts what is to be changed in a role in the order of the page.
func compareEffects(a, b schema.Effect) int {
	area := func(f schema.Effect) int { return slices.Index(areaNames(), f.Item) }
	return cmp.Or(slices.Index(tabs, a.Attr)-slices.Index(tabs, b.Attr), pageOrder(a.Item)-pageOrder(b.Item), area(a)-area(b))
}

// editLines says what to change in a role that is there, in the order of the
// page.
func (e *expander) editLines(effects []schema.Effect) []string {
	var lines []string
	effects = slices.Clone(effects)
	slices.SortStableFunc(effects, compareEffects)
	for _, f := range effects {
		switch f.Attr {
		case attrName:
			lines = append(lines, "Name: change it to "+f.Value.AsText())
		case attrDescription:
			lines = append(lines, "Description: change it to "+f.Value.AsText())
		case attrCapabilities:
			lines = append(lines, fmt.Sprintf("Capabilities: switch %s %s", e.blanketTitle(f.Item), onOff(f.Op == schema.Include)))
		case attrAdmin:
			for _, a := range adminAreas {
				if a.area == f.Item {
					lines = append(lines, fmt.Sprintf("Permissions: %s to “%s”", a.title, levelTitle[f.Value.AsText()]))
				}
			}
		case attrConnectorDefault:
			lines = append(lines, fmt.Sprintf("Connectors: “All connectors” to “%s”", levelTitle[f.Value.AsText()]))
		case attrConnectors, attrBelow:
			level := f.Value.AsText()
			if level == "" && f.Attr == attrConnectors {
				level = "blocked"
			}
			if level == "" {
				lines = append(lines, fmt.Sprintf("Connectors: remove the exception for %s, so that it follows “All connectors”", f.Item))
				continue
			}
			lines = append(lines, fmt.Sprintf("Connectors: %s to “%s”", f.Item, levelTitle[level]))
		case attrTools:
			label, tool := e.splitTool(f.Item)
			level := f.Value.AsText()
			if level == "" {
				level = "blocked"
			}
			lines = append(lines, fmt.Sprintf("Connectors: %s on “Custom”, its tool %s to “%s”", label, tool, levelTitle[level]))
		}
	}
	return append(lines, "Leave everything else as it is, and save.")
}

func (e *expander) blanketTitle(label string) string {
	switch label {
	case labelAll:
		return "Capability access “All capabilities”"
	case labelAllGA:
		return "Capability access “All generally available”"
	}
	return quoted(e.words.title(label))
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
