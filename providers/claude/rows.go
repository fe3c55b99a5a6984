package claude

import (
	"github.com/rolecall/rolecall/schema"
)

// A jsonRow is a permission row as the API and the emulator's console write it.
type jsonRow struct {
	Action   string       `json:"action"`
	Resource jsonResource `json:"resource"`
}

type jsonResource struct {
	Type        string `json:"type"`
	ConnectorID string `json:"connector_id,omitempty"`
	ToolName    string `json:"tool_name,omitempty"`
}

// levelActions are the rows of a connector level. A level can be read back
// from either row alone; to lower one, the higher row must go.
var levelActions = []string{"use", "always_allow"}

func actionOf(level string) string {
	switch level {
	case "needs_approval":
		return "use"
	case "always_allow":
		return "always_allow"
	}
	return ""
}

// rowsOf returns the rows that an effect on a role adds and removes. What is
// held under the default has no row.
func (s *System) rowsOf(f schema.Effect) (add, remove []jsonRow) {
	level := func(r jsonResource, level string) {
		for _, a := range levelActions {
			if row := (jsonRow{a, r}); a == actionOf(level) {
				add = append(add, row)
			} else {
				remove = append(remove, row)
			}
		}
	}
	organization := jsonResource{Type: "organization"}
	switch f.Attr {
	case attrCapabilities:
		labels := []string{f.Item}
		if f.Op == schema.Put {
			labels = f.Value.AsSet()
		}
		for _, l := range labels {
			row := jsonRow{s.capabilityAction(l), organization}
			if f.Op == schema.Exclude {
				remove = append(remove, row)
			} else {
				add = append(add, row)
			}
		}
	case attrAdmin:
		for _, a := range adminAreas {
			if a.area != f.Item {
				continue
			}
			for _, l := range a.levels {
				row := jsonRow{adminPrefix + a.area + "_" + l, organization}
				if l == f.Value.AsText() {
					add = append(add, row)
				} else {
					remove = append(remove, row)
				}
			}
		}
	case attrConnectorDefault:
		level(jsonResource{Type: "all_connectors"}, f.Value.AsText())
	case attrConnectors:
		level(jsonResource{Type: "connector", ConnectorID: s.connectorID(f.Item)}, f.Value.AsText())
	case attrTools:
		label, tool := s.splitTool(f.Item)
		level(jsonResource{Type: "connector_tool", ConnectorID: s.connectorID(label), ToolName: tool}, f.Value.AsText())
	}
	return add, remove
}

func (s *System) capabilityAction(label string) string {
	switch label {
	case labelAll:
		return actionAll
	case labelAllGA:
		return actionAllGA
	}
	return s.words.action(label)
}

// connectorID returns the id of a connector; a label that no block describes
// is an id itself.
func (s *System) connectorID(label string) string {
	if id, ok := s.connectors[label]; ok {
		return id
	}
	return label
}
