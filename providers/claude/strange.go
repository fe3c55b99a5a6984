package claude

import (
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// strangeFeatures returns the features that nothing describes and of which a
// row proves that they are on. known are the actions of all others.
func strangeFeatures(snap *Snapshot, known map[string]bool) []*schema.Object {
	var list []*schema.Object
	for _, action := range slices.Sorted(maps.Keys(rowsSeen(snap))) {
		if _, ok := known[action]; ok || action == actionAll || action == actionAllGA || strings.HasPrefix(action, adminPrefix) {
			continue
		}
		o := &schema.Object{Type: "feature", Addr: schema.MakeAddress("feature", action, ""), Key: action}
		o.Put(attrEnabled, schema.Bool(true))
		list = append(list, o)
	}
	return list
}

// unsayable returns the rows of a role for which the language has no word, as
// texts for people: OAuth scopes, authentication methods, administration areas
// that nobody knows yet. They are never changed.
func unsayable(rows []Row) []string {
	var list []string
	for _, row := range rows {
		_, level := rowLevel[row.Action]
		said := false
		switch row.ResourceType {
		case "organization":
			_, _, area := adminRow(row.Action)
			said = area || !strings.HasPrefix(row.Action, adminPrefix)
		case "all_connectors", "connector", "connector_tool":
			said = level
		}
		if said {
			continue
		}
		text := row.Action + " on " + row.ResourceType
		for _, part := range []string{row.ConnectorID, row.ToolName, row.Scope} {
			if part != "" {
				text += " " + part
			}
		}
		list = append(list, text)
	}
	return list
}
