package belay

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/providers/providertest"
	"github.com/rolecall/rolecall/schema"
)

const head = `
organization "studio" { system = "belay" }
integration "hubspot" {
  connected = true
  scopes    = { "contacts:read" = "read", "contacts:write" = "write", "deals:read" = "read", "all:delete" = "admin" }
}
`

// group writes a group; grant "-" stands for no integration block.
func group(label, members, grant string) string {
	g := ""
	if grant != "-" {
		g = fmt.Sprintf("integration \"hubspot\" {\n scopes = [%s]\n }", grant)
	}
	return fmt.Sprintf("group %q {\n members = [%s]\n %s\n}\n", label, members, g)
}

var testTime = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)

const p = `"p@studio.co"`

// TestAcceptance runs the vectors of other-systems.md 4.4 for Belay and the
// rows of its table 1.5, by their numbers.
func TestAcceptance(t *testing.T) {
	r, rw := `"contacts:read"`, `"contacts:read", "contacts:write"`
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"vector 1 read in A, read and write in B":    {group("a", p, r) + group("b", p, rw), []string{"contacts:read", "contacts:write"}},
		"vector 2 the same, removed from B":          {group("a", p, r) + group("b", "", rw), []string{"contacts:read"}},
		"table 1.5 row 2 connected, no grants":       {group("a", p, "-") + group("b", p, "-"), nil},
		"table 1.5 row 3 read, and nothing":          {group("a", p, r) + group("b", p, "-"), []string{"contacts:read"}},
		"table 1.5 row 4 read, and read and write":   {group("a", p, r) + group("b", p, rw), []string{"contacts:read", "contacts:write"}},
		"table 1.5 row 5 contacts, and deals":        {group("a", p, r) + group("b", p, `"deals:read"`), []string{"contacts:read", "deals:read"}},
		"table 1.5 row 6 removed from A":             {group("a", "", r) + group("b", p, `"deals:read"`), []string{"deals:read"}},
		"table 1.5 row 1 an empty grant is no grant": {group("a", p, ""), nil},
		"in no group nobody has anything":            {group("a", `"q@studio.co"`, r) + group("b", p, "-"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			want := map[string]string{}
			for _, scope := range c.want {
				want[fmt.Sprintf("integration.hubspot[%q]", scope)] = "allowed"
			}
			if d := cmp.Diff(want, providertest.Desired(t, Kind(), head+c.text)["p@studio.co"]); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	t.Run("table 1.5 row 7 removed from the organization", func(t *testing.T) {
		plan, cfg := providertest.Plan(t, Kind(), head+group("a", p, r), nil)
		delete(plan.Desired.Objects, providers.MemberAddress("p@studio.co"))
		if got := providertest.Access(New(cfg), plan.Desired)["p@studio.co"]; len(got) > 0 {
			t.Errorf("somebody who is gone has %v", got)
		}
	})
	t.Run("vector 3 a grant on what is not connected", func(t *testing.T) {
		text := strings.Replace(head, "connected = true", "connected = false", 1) + group("a", p, r)
		providertest.WantProblem(t, Kind(), text, "10,", "Integration not connected", "connected = false", "Connect it")
	})
	t.Run("ceiling: not connected live, whatever groups were granted", func(t *testing.T) {
		plan, cfg := providertest.Plan(t, Kind(), head+group("a", p, r), nil)
		plan.Desired.Objects["integration.hubspot"].Put(attrConnected, schema.Bool(false))
		if got := providertest.Access(New(cfg), plan.Desired)["p@studio.co"]; len(got) > 0 {
			t.Errorf("without a connection there is %v", got)
		}
	})
	t.Run("context: the prompts of all groups", func(t *testing.T) {
		text := head + strings.Replace(group("a", p, "-"), "members", "claude_role = \"Be kind.\"\n members", 1) + strings.Replace(group("b", p, "-"), "members", "claude_role = \"\"\n members", 1)
		if d := cmp.Diff(map[string]string{"context.a": "allowed"}, providertest.Desired(t, Kind(), text)["p@studio.co"]); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// TestProblems wants each mistake reported where it is.
func TestProblems(t *testing.T) {
	for name, c := range map[string]struct{ text, at, summary, part string }{
		"unknown scope":       {head + group("a", p, `"contacts:reed"`), "10,", "Unknown scope", `did you mean "contacts:read"`},
		"scope twice":         {head + group("a", p, `"contacts:read", "contacts:read"`), "10,", "Scope listed twice", "Remove one"},
		"unknown integration": {head + strings.Replace(group("a", p, `"contacts:read"`), "hubspot", "hubspott", 1), "9,", "Unknown integration", `did you mean "hubspot"`},
		"same name":           {head + group("a", p, "-") + "group \"b\" {\n name = \"A\"\n}\n", "12,", "Name used twice", "Rename one"},
	} {
		t.Run(name, func(t *testing.T) { providertest.WantProblem(t, Kind(), c.text, c.at, c.summary, c.part) })
	}
}

// TestAdminScope finds what can destroy, unless the group is trusted.
func TestAdminScope(t *testing.T) {
	count := func(text string) (n int) {
		plan, _ := providertest.Plan(t, Kind(), text, nil)
		for _, f := range plan.Findings {
			if f.Rule == "admin-scope" {
				n++
			}
		}
		return n
	}
	text := head + group("a", p, `"all:delete"`)
	if n := count(text); n != 1 {
		t.Errorf("%d findings, want 1", n)
	}
	if n := count(text + "rule \"admin-scope\" {\n trusted = [group.a]\n}\n"); n != 0 {
		t.Errorf("%d findings of a trusted group", n)
	}
	if n := count(head + group("a", p, `"contacts:write"`)); n != 0 {
		t.Errorf("%d findings without such a scope", n)
	}
}

func TestEveryAttributeIsDocumented(t *testing.T) { providertest.WantDocumented(t, language) }

// TestConfirmingEverythingConverges makes every step of plans until none is
// left, and then takes everything away again.
func TestConfirmingEverythingConverges(t *testing.T) {
	for _, text := range []string{
		head + group("a", p+`, "q@studio.co"`, `"contacts:read"`) + group("b", `"q@studio.co"`, `"deals:read", "all:delete"`),
		head + group("a", "", `"deals:read"`) + strings.Replace(group("b", p, ""), "members", "claude_role = \"x\"\n description = \"y\"\n members", 1),
	} {
		plan, cfg := providertest.Plan(t, Kind(), text, nil)
		l, err := ledger.Open(cfg.Dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range plan.Stages {
			for _, v := range st.Steps {
				l.Record(plan.Steps[v.ID].Effects, ledger.Entry{By: "test"})
			}
		}
		live := l.State()
		providers.Suppose(&schema.Description{}, live, "p@studio.co", "q@studio.co")
		again, _ := providertest.Plan(t, Kind(), text, live)
		if again.Summary.Steps != 0 {
			t.Errorf("%d steps are left: %v", again.Summary.Steps, again.Stages)
		}
	}
}

// mcpServer answers the two tools with the given texts, to callers with the
// token.
func mcpServer(t *testing.T, context_, integrations string) string {
	server := mcp.NewServer(&mcp.Implementation{Name: "belay", Version: "1"}, nil)
	for name, text := range map[string]string{toolContext: context_, toolIntegrations: integrations} {
		server.AddTool(&mcp.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil
		})
	}
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer canary-token" {
			http.Error(w, "who are you", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	return h.URL
}

// TestCanary reads as a member over the real protocol and compares.
func TestCanary(t *testing.T) {
	for name, c := range map[string]struct {
		context, integrations, token string
		want                         map[string]string // attributes of the group that are not as in the ledger
		unread                       string
	}{
		"as the ledger says": {"You are here.\nBe\n kind.", `{"integrations":[{"slug":"hubspot","scopes":["contacts:read"]}]}`, "canary-token", nil, ""},
		"more than the ledger says": {"Be kind.", `[{"name":"HubSpot","scopes":[{"name":"contacts:read"},{"name":"deals:read"}]}]`, "canary-token",
			map[string]string{"integration.hubspot": `["contacts:read", "deals:read"]`}, "its canary sees"},
		"nothing":        {"Be kind.", `{"integrations":[]}`, "canary-token", map[string]string{"integration.hubspot": "null"}, "its canary sees null"},
		"another prompt": {"Be cruel.", `[{"id":"hubspot","scopes":["contacts:read"]}]`, "canary-token", map[string]string{"claude_role": "<not readable: the canary's context does not hold it>"}, "its canary sees"},
		"not understood": {"Be kind.", `You may use HubSpot.`, "canary-token", nil, "not understood"},
		"wrong token":    {"Be kind.", `[]`, "other", nil, "nauthorized"},
	} {
		t.Run(name, func(t *testing.T) {
			url := mcpServer(t, c.context, c.integrations)
			text := strings.Replace(head, `system = "belay"`, "system = \"belay\"\n canary {\n group = group.a\n endpoint = \""+url+"\"\n }\n", 1)
			text = strings.Replace(text, "organization \"studio\" {", "organization \"studio\" {\n", 1)
			text += strings.Replace(group("a", p, `"contacts:read"`), "members", "claude_role = \"Be kind.\"\n members", 1)
			cfg, _ := providertest.MustLoad(t, Kind(), text)
			l, err := ledger.Open(cfg.Dir)
			if err != nil {
				t.Fatal(err)
			}
			l.Record([]schema.Effect{
				{Addr: "group.a", Op: schema.Put, Value: schema.Text("a")},
				{Addr: "group.a", Attr: attrRole, Op: schema.Put, Value: schema.Text("Be kind.")},
				{Addr: "group.a", Attr: "integration.hubspot", Op: schema.Put, Value: schema.Set("contacts:read")},
			}, ledger.Entry{By: "test", At: testTime})
			if err := l.Save(); err != nil {
				t.Fatal(err)
			}
			conn, err := Kind().Connect(t.Context(), cfg, providers.Environment{Getenv: func(name string) string {
				if name == "BELAY_CANARY_TOKEN" {
					return c.token
				}
				return ""
			}})
			if err != nil {
				t.Fatal(err)
			}
			live, err := conn.Reader.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for name, v := range live.Objects["group.a"].Attrs {
				if !v.Equal(l.State().Objects["group.a"].Get(name)) && name != attrMembers {
					got[name] = v.String()
				}
			}
			if len(c.want)+len(got) > 0 {
				if d := cmp.Diff(c.want, got); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			}
			why := ""
			for _, u := range live.Unread {
				why += u.Why
			}
			if !strings.Contains(why, c.unread) || c.unread == "" && why != "" {
				t.Errorf("unread: %q, want %q", why, c.unread)
			}
			if strings.Contains(why, c.token) && c.token != "other" {
				t.Errorf("the token is in %q", why)
			}
			if conn.Reader.Requests() == 0 {
				t.Error("nobody was asked")
			}
		})
	}
}
