package schema_test

import (
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/schema"
)

func TestMakeAddress(t *testing.T) {
	tests := map[string]struct {
		typ, label, key string
		want            schema.Address
	}{
		"type-alone":  {"organization", "", "", "organization"},
		"identifier":  {"group", "pilot", "", "group.pilot"},
		"key":         {"role", "eng", "backend", `role.eng["backend"]`},
		"e-mail":      {"member", "jane@acme.com", "", `member["jane@acme.com"]`},
		"quotes":      {"group", `a "b" ${c}`, "", `group["a \"b\" $${c}"]`},
		"digit-first": {"group", "1st", "", `group["1st"]`},
		"letters":     {"group", "équipe", "", "group.équipe"},
		"dash":        {"group", "a-b", "", "group.a-b"},
		"control":     {"group", "a\nb", "", `group["a\nb"]`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := schema.MakeAddress(tt.typ, tt.label, tt.key)
			if got != tt.want {
				t.Errorf("MakeAddress(%q, %q, %q) = %s, want %s", tt.typ, tt.label, tt.key, got, tt.want)
			}
			if got.Type() != tt.typ {
				t.Errorf("Type() = %s, want %s", got.Type(), tt.typ)
			}
		})
	}
}

// TestAddressesBracketWhatIsNoIdentifier compares with the scanner.
func TestAddressesBracketWhatIsNoIdentifier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.StringMatching(`[a-zA-Z0-9_@. é-]{1,8}`).Draw(t, "label")
		bare := schema.MakeAddress("x", label, "") == schema.Address("x."+label)
		if want := hclsyntax.ValidIdentifier(label); bare != want {
			t.Errorf("%q is written bare: %v, want %v", label, bare, want)
		}
	})
}

func TestSpelled(t *testing.T) {
	known := []string{"connector.jira", "connector.jira.search", `connector.jira["get.issue"]`, `connector.jira["a \"b\"]"]`, `role.eng["backend"]`, `role.eng["backend"].x`}
	for name, want := range map[string]string{
		"connector.jira.search":             "connector.jira.search",
		`connector.jira["search"]`:          "connector.jira.search",
		`connector["jira"]["search"]`:       "connector.jira.search",
		`connector["jira"].search`:          "connector.jira.search",
		`connector["jira"]`:                 "connector.jira",
		`connector["jira"]["get.issue"]`:    `connector.jira["get.issue"]`,
		`connector["jira"]["a \"b\"]"]`:     `connector.jira["a \"b\"]"]`,
		`role["eng"]["backend"]`:            `role.eng["backend"]`,
		`role.eng["backend"]["x"]`:          `role.eng["backend"].x`,
		`connector.jira["new"]`:             "connector.jira.new", // known to nobody, so as plain as can be
		`connector.jira["a.new"]`:           `connector.jira["a.new"]`,
		`connector.jira["unfinished`:        `connector.jira["unfinished`,
		`connector.jira["unfinished\`:       `connector.jira["unfinished\`,
		`connector.jira["text" behind it"]`: `connector.jira["text" behind it"]`,
		"":                                  "",
	} {
		if got := schema.Spelled(name, known); got != want {
			t.Errorf("Spelled(%s) = %s, want %s", name, got, want)
		}
	}
}

func TestMajor(t *testing.T) {
	for minor, want := range map[string]string{"": "", "0": "0.00", "5": "0.05", "20000": "200.00", "-5000": "-50.00", "unlimited": "unlimited", "-": "-"} {
		if got := schema.Major(minor); got != want {
			t.Errorf("Major(%q) = %q, want %q", minor, got, want)
		}
	}
}

// TestIdentifiersAreTheScanners compares the glance at a label with what the
// language takes for an identifier, on all short ones.
func TestIdentifiersAreTheScanners(t *testing.T) {
	const letters = "aZ_-0.[é "
	labels := []string{""}
	for n := 0; n < len(labels) && len(labels[n]) < 5; n++ {
		for _, r := range letters {
			labels = append(labels, labels[n]+string(r))
		}
	}
	for _, l := range labels {
		plain := schema.MakeAddress("x", l, "") == schema.Address("x."+l)
		if want := hclsyntax.ValidIdentifier(l); plain != want {
			t.Errorf("%q is an identifier: %v, want %v", l, plain, want)
		}
	}
}
