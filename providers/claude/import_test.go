package claude

import (
	"strings"
	"testing"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// imported returns the files of an import of a state, by name, and what it
// could not say.
func imported(t *testing.T, live *schema.State, o providers.ImportOptions) (map[string]string, []providers.Unsaid) {
	t.Helper()
	got := New(configure(t, `organization "acme" {
	  system = "claude-enterprise"
	}`)).Import(live, o)
	files := map[string]string{}
	for _, f := range got.Files {
		files[f.Name] = string(f.Bytes())
	}
	return files, got.Unsaid
}

func connectorState() *schema.State {
	st := schema.NewState()
	role := &schema.Object{Type: "role", Addr: "role.base", ID: "rbac_role_1", Key: "base"}
	role.Put(attrCapabilities, schema.Set("chat", "hologram"))
	role.Put(attrConnectorDefault, schema.Text("custom"))
	role.Put(attrConnectors, schema.Map(map[string]string{"mcpsrv_01A": "always_allow"}))
	role.Put(attrTools, schema.Map(nil))
	st.Add(role)
	for id, policy := range map[string]string{"mcpsrv_01A": "needs_approval", "mcpsrv_01B": "blocked"} {
		o := &schema.Object{Type: "connector", Addr: schema.MakeAddress("connector", id, ""), ID: id, Key: id}
		o.Put(attrPolicy, schema.Text(policy))
		o.Put(attrToolPolicy, schema.Map(map[string]string{"delete": "blocked"}))
		st.Add(o)
	}
	return st
}

// TestImportOfPolicies checks that a tool policy that was read is written,
// also of a connector that no role names: it is a ceiling.
func TestImportOfPolicies(t *testing.T) {
	files, _ := imported(t, connectorState(), providers.ImportOptions{})
	for _, want := range []string{`policy      = "needs_approval"`, `policy      = "blocked"`, `tool_policy = { delete = "blocked" }`} {
		if !strings.Contains(files["connectors.hcl"], want) {
			t.Errorf("no %s in\n%s", want, files["connectors.hcl"])
		}
	}
}

// TestImportWithout checks that whatever hangs on a block that must not be
// written is left out with it, and said.
func TestImportWithout(t *testing.T) {
	live := connectorState()
	files, unsaid := imported(t, live, providers.ImportOptions{Without: map[schema.Address]string{"connector.mcpsrv_01A": "no", "feature.hologram": "no"}})
	for _, gone := range []string{"\n  capabilities ", "\n  connector_default "} {
		if strings.Contains(files["roles.hcl"], gone) {
			t.Errorf("%s is left in\n%s", strings.TrimSpace(gone), files["roles.hcl"])
		}
	}
	var said []string
	for _, u := range unsaid {
		said = append(said, string(u.Address)+": "+u.Why)
	}
	for _, want := range []string{"role.base: feature.hologram is not described", "role.base: connector.mcpsrv_01A is not described", "connector.mcpsrv_01A: no", "feature.hologram: no"} {
		if !strings.Contains(strings.Join(said, "\n"), want) {
			t.Errorf("not said: %s\n%s", want, strings.Join(said, "\n"))
		}
	}
	group := &schema.Object{Type: "group", Addr: "group.g", ID: "g", Key: "g"}
	group.Put(attrRoles, schema.Set("rbac_role_1"))
	group.Put(attrMembers, schema.Set("not an address"))
	live.Add(group)
	files, _ = imported(t, live, providers.ImportOptions{Without: map[schema.Address]string{"role.base": "no"}})
	if strings.Contains(files["groups.hcl"], "\n  roles ") || strings.Contains(files["groups.hcl"], "\n  members ") {
		t.Errorf("roles or members that cannot be said are in\n%s", files["groups.hcl"])
	}
	if strings.Contains(files["roles.hcl"], "role \"base\"") {
		t.Errorf("the role is in\n%s", files["roles.hcl"])
	}
}

// TestRelabel checks that a state that was read with labels is, without them,
// what a reading without a configuration is, and with them what it was.
func TestRelabel(t *testing.T) {
	s := New(configure(t, `organization "acme" {
	  system = "claude-enterprise"
	}
	connector "jira" {
	  id = "mcpsrv_01A"
	}
	feature "remembering" {
	  enabled = true
	  action  = "saffron"
	}`))
	live := schema.NewState()
	role := &schema.Object{Type: "role", Addr: "role.base", ID: "rbac_role_1", Key: "base"}
	role.Put(attrCapabilities, schema.Set("remembering", "all"))
	role.Put(attrConnectors, schema.Map(map[string]string{"jira": "always_allow", "mcpsrv_01B": "needs_approval"}))
	role.Put(attrTools, schema.Map(map[string]string{"jira.get.issue": "needs_approval"}))
	live.Add(role)
	feature := &schema.Object{Type: "feature", Addr: "feature.remembering", Key: "saffron"}
	feature.Put(attrEnabled, schema.Bool(true))
	live.Add(feature)
	neutral := live.Clone()
	s.Unlabel(neutral)
	r := neutral.Objects["role.base"]
	if !r.Get(attrCapabilities).Equal(schema.Set("memory", "all")) || neutral.Objects["feature.memory"] == nil || neutral.Objects["feature.remembering"] != nil ||
		r.Get(attrConnectors).AsMap()["mcpsrv_01A"] != "always_allow" || r.Get(attrTools).AsMap()["mcpsrv_01A.get.issue"] != "needs_approval" {
		t.Errorf("without labels: %+v", r.Attrs)
	}
	s.Relabel(neutral)
	for addr, o := range live.Objects {
		if got := neutral.Objects[addr]; got == nil || got.Digest() != o.Digest() {
			t.Errorf("%s came back as %+v", addr, got)
		}
	}
	if o := neutral.Objects["feature.chat"]; o == nil || o.Get(attrEnabled).Known() {
		t.Errorf("a feature that was not read: %+v", o)
	}
}
