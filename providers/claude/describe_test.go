package claude

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/schema"
)

// describe loads a configuration and describes it; problems are written as
// "line: summary".
func describe(t testing.TB, text string) (*schema.Description, []string) {
	t.Helper()
	d, diags := New(configure(t, text)).Describe()
	problems := []string{}
	for _, x := range diags {
		problems = append(problems, fmt.Sprintf("%d: %s", x.Subject.Start.Line, x.Summary))
		if !strings.HasSuffix(x.Detail, ".") {
			t.Errorf("detail %q does not end a sentence", x.Detail)
		}
	}
	slices.Sort(problems)
	return d, problems
}

// TestDescribeErrors has every error of this file with its line. What is
// described starts on line 4, after the organization block.
func TestDescribeErrors(t *testing.T) {
	const jira = "connector \"jira\" {\n  id = \"mcpsrv_1\"\n  tools = [\"search\"]\n}\n" // lines 4 to 7
	role := func(body string) string { return jira + "role \"r\" {\n  capabilities = []\n" + body + "\n}\n" }
	org := func(attrs string) string {
		return "organization \"acme\" {\n  system = \"claude-enterprise\"\n" + attrs + "\n}\n"
	}
	tests := map[string]struct {
		text string // whole if it has an organization block
		want string
	}{
		"duration":                   {org(`settle = "soon"`), "3: Invalid duration"},
		"negative-duration":          {org(`settle = "-5m"`), "3: Invalid duration"},
		"organization-id":            {org(`id = "12345678"`), "3: Invalid organization id"},
		"organization-id-too-long":   {org(`id = "12345678-1234-5678-1234-5678123456789"`), "3: Invalid organization id"},
		"emulator-and-endpoint":      {org("api {\n    emulator = \"x.json\"\n    endpoint = \"https://api.acme.com\"\n  }"), "4: Emulator and endpoint"},
		"tool-policy-unknown-tool":   {"connector \"jira\" {\n  id = \"mcpsrv_1\"\n  tools = [\"search\"]\n  tool_policy = { delete = \"blocked\" }\n}\n", "7: Unknown tool"},
		"role-unknown-tool":          {role("connector \"jira\" {\n  tools = { delete = \"needs_approval\" }\n}"), "11: Unknown tool"},
		"builtin-without-id":         {"role \"r\" {\n  builtin = true\n}\n", "5: Built-in role without id"},
		"empty-name":                 {"group \"g\" {\n  name = \"\"\n}\n", "5: Invalid name"},
		"long-name":                  {"group \"g\" {\n  name = \"" + strings.Repeat("x", 256) + "\"\n}\n", "5: Invalid name"},
		"long-role-name":             {"role \"r\" {\n  capabilities = []\n  name = \"" + strings.Repeat("x", 256) + "\"\n}\n", "6: Invalid name"},
		"unknown-capability":         {"role \"r\" {\n  capabilities = [\"chat\", \"memroy\"]\n}\n", "5: Unknown capability"},
		"capability-twice":           {"role \"r\" {\n  capabilities = [\n    \"chat\",\n    \"chat\",\n  ]\n}\n", "7: Capability listed twice"},
		"blanket-among-capabilities": {"role \"r\" {\n  capabilities = [\n    \"chat\",\n    \"all\",\n  ]\n}\n", "7: Blanket among capabilities"},
		"level-not-offered":          {"role \"r\" {\n  capabilities = []\n  admin_permissions = { analytics = \"manage\" }\n}\n", "6: Level not offered"},
		"level-not-offered-view":     {"role \"r\" {\n  capabilities = []\n  admin_permissions = { libraries = \"view\" }\n}\n", "6: Level not offered"},
		"permissions-off-default":    {org(`connector_permissions = "off"`) + "role \"r\" {\n  capabilities = []\n  connector_default = \"custom\"\n}\n", "7: Connector permissions are off"},
		"permissions-off-block":      {org(`connector_permissions = "off"`) + "role \"r\" {\n  capabilities = []\n  connector \"x\" {\n    access = \"blocked\"\n  }\n}\n", "7: Connector permissions are off"},
		"unknown-connector":          {role("connector \"jria\" {\n  access = \"blocked\"\n}"), "10: Unknown connector"},
		"access-and-tools":           {role("connector \"jira\" {\n  access = \"blocked\"\n  tools = {}\n}"), "10: Both access and tools"},
		"empty-connector":            {role("connector \"jira\" {\n}"), "10: Empty connector block"},
		"members-of-scim":            {"group \"g\" {\n  source = \"scim\"\n  members = []\n}\n", "6: Members of a scim group"},
		"owner-address":              {"group \"g\" {\n  owners = [\n    \"a@acme.com\",\n    \"nobody\",\n  ]\n}\n", "7: Invalid e-mail address"},
		"member-address":             {"member \"nobody\" {\n}\n", "4: Invalid e-mail address"},
		"limit-of-removed-member":    {"member \"a@acme.com\" {\n  remove = true\n  spend_limit {\n    monthly = 5\n  }\n}\n", "6: Limit of a removed member"},
		"seats":                      {org(`billing = "seats"`) + "group \"g\" {\n  spend_limit {\n    monthly = 5\n  }\n}\n", "6: Spend limit under seat billing"},
		"no-limit-at-all":            {"group \"g\" {\n  spend_limit {\n  }\n}\n", "5: Unclear spend limit"},
		"two-limits":                 {"group \"g\" {\n  spend_limit {\n    monthly = 5\n    unlimited = true\n  }\n}\n", "5: Unclear spend limit"},
		"enforce-nothing":            {"group \"g\" {\n  spend_limit {\n    inherit = true\n    enforce = \"members\"\n  }\n}\n", "7: Nothing to enforce"},
		"ceiling-under-seats":        {org("billing = \"seats\"\n  spend_ceiling {\n    monthly = 5\n  }"), "4: Spend limit under seat billing"},
		"seat-unknown-capability":    {"seat_tier \"chat\" {\n  excludes = [\"claude_cod\"]\n}\n", "5: Unknown capability"},
		"group-unknown-plugin":       {"group \"g\" {\n  plugin \"lint\" {\n    install = \"required\"\n  }\n}\n", "5: Unknown plugin"},
		"temporary-of-nothing":       {"group \"g\" {\n  temporary \"a@acme.com\" {\n    until = \"2027-01-31\"\n  }\n}\n", "5: Temporary member of unmanaged members"},
		"temporary-in-scim":          {"group \"g\" {\n  source = \"scim\"\n  temporary \"a@acme.com\" {\n    until = \"2027-01-31\"\n  }\n}\n", "6: Members of a scim group"},
		"temporary-nobody":           {"group \"g\" {\n  members = []\n  temporary \"acme\" {\n    until = \"2027-01-31\"\n  }\n}\n", "6: Invalid e-mail address"},
		"mapping-without-mappings":   {org("provisioning = \"scim\"") + "role_mapping \"okta\" {\n  role = \"managed\"\n}\n", "5: Role mapping without mappings"},
		"step-of-nothing":            {"approval \"a\" {\n  ceiling = 5\n  step = 0\n}\n", "6: Step of nothing"},
		"approval-under-seats":       {org("billing = \"seats\"") + "approval \"a\" {\n  ceiling = 5\n}\n", "5: Spend limit under seat billing"},
		"two-plugins-of-one-id":      {"plugin \"a\" {\n  id = \"plugin_1\"\n}\nplugin \"b\" {\n  id = \"plugin_1\"\n}\n", "7: Described twice"},
		"empty-wave":                 {"migration {\n  wave \"w\" {\n  }\n}\n", "5: Empty wave"},
		"two-blocks-of-one-name":     {"group \"a\" {\n  name = \"Same\"\n}\ngroup \"b\" {\n  name = \"Same\"\n}\n", "8: Described twice"},
		"two-blocks-of-one-id":       {"group \"a\" {\n  id = \"rbac_group_1\"\n}\ngroup \"b\" {\n  id = \"rbac_group_1\"\n}\n", "7: Described twice"},
		"two-connectors-of-one-id":   {"connector \"a\" {\n  id = \"mcpsrv_1\"\n}\nconnector \"b\" {\n  id = \"mcpsrv_1\"\n}\n", "7: Described twice"},
		"one-member-in-two-spellings": {
			"member \"a@acme.com\" {\n}\nmember \"A@Acme.com\" {\n}\n", "6: Described twice"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := tt.text
			if !strings.Contains(text, "organization \"") {
				text = organizationText + text
			}
			_, got := describe(t, text)
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDescribeHints checks that a slip of the pen is answered with the word
// that was meant.
func TestDescribeHints(t *testing.T) {
	for text, want := range map[string]string{
		"role \"r\" {\n capabilities = [\"memroy\"]\n}":                                                           `did you mean "memory"`,
		"connector \"jira\" {\n id = \"m\"\n}\nrole \"r\" {\n connector \"jria\" {\n access = \"blocked\"\n }\n}": `did you mean "jira"`,
		"role \"r\" {\n capabilities = [\"xyzzy\"]\n}":                                                            `add a block: feature "xyzzy"`,
	} {
		_, diags := New(configure(t, organizationText+text)).Describe()
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, want) {
			t.Errorf("%v, want %q in it", diags, want)
		}
	}
}

// TestDescribe covers every attribute once.
func TestDescribe(t *testing.T) {
	d, problems := describe(t, `organization "acme" {
  system           = "claude-enterprise"
  id               = "12345678-1234-5678-1234-567812345678"
  provisioning     = "scim_mapped"
  spend_precedence = "highest"
  settle           = "90s"
  invites          = "report"
  api {
    endpoint = "https://api.acme.com"
  }
  unmanaged {
    roles   = "ignore"
    members = "report"
  }
}
connector "jira" {
  id          = "mcpsrv_jira"
  tools       = ["search", "delete"]
  policy      = "needs_approval"
  tool_policy = { delete = "blocked" }
}
connector "slack" {
  id = "mcpsrv_slack"
}
feature "cowork" {
  enabled = true
}
feature "deep_research" {
  enabled = false
  action  = "compass"
  setting = ""
}
role "standard" {
  id                = "rbac_role_1"
  name              = "Standard Access"
  previous_names    = ["Base"]
  description       = "What everybody has."
  capabilities      = ["memory", "chat", "deep_research"]
  admin_permissions = { billing = "view", libraries = "manage" }
  connector_default = "needs_approval"
  connector "slack" {
    access = "always_allow"
  }
  connector "jira" {
    tools = { search = "always_allow", delete = "blocked" }
  }
}
role "vendor" {
  id      = "rbac_role_2"
  builtin = true
}
group "pilot" {
  previous_names = ["Pilots"]
  roles          = [role.standard, role.vendor]
  members        = ["b@acme.com", "A@acme.com"]
  owners         = ["Lead@acme.com"]
  spend_limit {
    monthly = "200.00"
    enforce = "console"
  }
}
group "idp" {
  source = "scim"
  roles  = []
  spend_limit {
    unlimited = true
  }
}
group "eng" {
  for_each = toset(["backend"])
}
member "jane@acme.com" {
  previous_emails = ["Jane@old.com"]
  spend_limit {
    inherit = true
  }
}
member "old@acme.com" {
  remove = true
}
migration {
  wave "pilot" {
    groups = [group.pilot]
  }
  wave "rest" {
    members = everyone
    except  = ["a@acme.com"]
    state   = "closed"
  }
  wave "back" {
    members = ["b@acme.com"]
    state   = "reverted"
  }
}
`)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got := map[string]string{}
	for _, o := range d.Objects {
		got[string(o.Addr)] = fmt.Sprintf("%s %q %q %q", o.Type, o.ID, o.Key, o.Keys)
		for name, v := range o.Attrs {
			got[string(o.Addr)+"#"+name] = v.String()
		}
		for name, p := range o.People {
			got[string(o.Addr)+"#"+name] = p.String()
		}
	}
	want := map[string]string{
		"organization":                                `organization "12345678-1234-5678-1234-567812345678" "acme" []`,
		"organization#provisioning":                   `"scim_advanced"`,
		"connector.jira":                              `connector "mcpsrv_jira" "mcpsrv_jira" []`,
		"connector.jira#tools":                        `["delete", "search"]`,
		"connector.jira#policy":                       `"needs_approval"`,
		"connector.jira#tool_policy":                  `{ delete = "blocked" }`,
		"connector.slack":                             `connector "mcpsrv_slack" "mcpsrv_slack" []`,
		"connector.slack#tools":                       `[]`,
		"feature.cowork":                              `feature "" "cowork" []`,
		"feature.cowork#enabled":                      `true`,
		"feature.deep_research":                       `feature "" "compass" []`,
		"feature.deep_research#enabled":               `false`,
		"role.standard":                               `role "rbac_role_1" "Standard Access" ["Base"]`,
		"role.standard#name":                          `"Standard Access"`,
		"role.standard#description":                   `"What everybody has."`,
		"role.standard#capabilities":                  `["chat", "deep_research", "memory"]`,
		"role.standard#admin_permissions":             `{ billing = "view", libraries = "manage" }`,
		"role.standard#connector_default":             `"needs_approval"`,
		"role.standard#connectors":                    `{ slack = "always_allow" }`,
		"role.standard#tools":                         `{ jira.search = "always_allow" }`,
		"role.standard#below_default":                 `{ jira = "custom" }`,
		"role.vendor":                                 `role "rbac_role_2" "vendor" []`,
		"group.pilot":                                 `group "" "pilot" ["Pilots"]`,
		"group.pilot#name":                            `"pilot"`,
		"group.pilot#roles":                           `["role.standard", "role.vendor"]`,
		"group.pilot#members":                         `["b@acme.com", "a@acme.com"]`,
		"group.pilot#spend_limit.monthly":             `"20000"`,
		"group.idp":                                   `group "" "idp" []`,
		"group.idp#name":                              `"idp"`,
		"group.idp#source":                            `"scim"`,
		"group.idp#roles":                             `[]`,
		"group.idp#spend_limit.monthly":               `"unlimited"`,
		`group.eng["backend"]`:                        `group "" "eng backend" []`,
		`group.eng["backend"]#name`:                   `"eng backend"`,
		`member["jane@acme.com"]`:                     `member "" "jane@acme.com" ["jane@old.com"]`,
		`member["jane@acme.com"]#spend_limit.monthly`: `null`,
		`member["old@acme.com"]`:                      `member "" "old@acme.com" []`,
		`member["old@acme.com"]#removed`:              `true`,
		"spend.organization":                          `spend "" "organization" []`,
		"spend.organization#spend_precedence":         `"highest"`,
	}
	delete(got, "group.pilot#source") // written or not, a direct group is one
	delete(got, `group.eng["backend"]#source`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	var waves []string
	for _, a := range d.Assignments {
		except := "null"
		if a.Except != nil {
			except = a.Except.String()
		}
		waves = append(waves, fmt.Sprintf("%s %s %s from %v to %s held %q", a.Name, a.People, except, a.From, a.Value, a.Held))
	}
	wantWaves := []string{
		`pilot union(group.pilot.members) null from [user] to "managed" held ""`,
		`rest union(everyone) ["a@acme.com"] from [user] to "managed" held "waits for wave \"rest\", which is closed"`,
		`back union(["b@acme.com"]) null from [managed] to "user" held ""`,
	}
	if diff := cmp.Diff(wantWaves, waves); diff != "" {
		t.Errorf("assignments (-want +got):\n%s", diff)
	}
	var said []string
	for _, s := range d.Statements {
		said = append(said, fmt.Sprintf("%s %s %s %v", s.Source, s.Permission, s.Level, s.Default))
	}
	slices.Sort(said)
	wantSaid := []string{"role.standard connector.* needs_approval true", "role.standard connector.jira.delete blocked false",
		"role.standard connector.jira.search always_allow false", "role.standard connector.slack.* always_allow false"}
	if diff := cmp.Diff(wantSaid, said); diff != "" {
		t.Errorf("statements (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"role": "ignore", "group": "report", "member": "report"}, d.Unmanaged); diff != "" {
		t.Errorf("unmanaged (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[schema.Address][]string{"group.pilot": {"lead@acme.com"}}, d.Owners); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
}

func TestMinorUnits(t *testing.T) {
	tests := map[string]struct{ in, want, err string }{
		"two-decimals":      {"200.00", "20000", ""},
		"whole":             {"200", "20000", ""},
		"one-decimal":       {"200.5", "20050", ""},
		"zero":              {"0", "0", ""},
		"zero-with-cents":   {"0.00", "0", ""},
		"a-cent":            {"0.01", "1", ""},
		"more-zeros":        {"200.000", "20000", ""},
		"largest":           {"10000000000000", "1000000000000000", ""},
		"more-than-largest": {"10000000000000.01", "", "more than any limit"},
		"huge":              {strings.Repeat("9", 40), "", "more than any limit"},
		"too-fine":          {"200.005", "", "finer than"},
		"negative":          {"-1", "", "not an amount"},
		"exponent":          {"1e3", "", "not an amount"},
		"exponent-capital":  {"1E3", "", "not an amount"},
		"fraction":          {"1/2", "", "not an amount"},
		"hexadecimal":       {"0x10", "", "not an amount"},
		"separator":         {"1_000", "", "not an amount"},
		"comma":             {"1,000", "", "not an amount"},
		"empty":             {"", "", "not an amount"},
		"word":              {"much", "", "not an amount"},
		"infinite":          {"Inf", "", "not an amount"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := minorUnits(tt.in)
			if got != tt.want || (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q, %v; want %q, %q", got, err, tt.want, tt.err)
			}
		})
	}
}
