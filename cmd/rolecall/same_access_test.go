package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers/all"
	"github.com/rolecall/rolecall/providers/claude"
	"github.com/rolecall/rolecall/providers/emulator"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// A roundTripper hands requests to a handler, without a socket.
type roundTripper struct{ http.Handler }

func (h roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

// declared is what a seed says that no API shows, and that a configuration
// therefore declares.
type declared struct {
	Organization struct {
		Precedence string `json:"spend_precedence"`
		Connectors bool   `json:"connector_permissions"`
		Tiers      []struct {
			Name     string   `json:"name"`
			Excludes []string `json:"excludes"`
		} `json:"seat_tiers"`
	} `json:"organization"`
	Features   map[string]bool `json:"features"`
	Betas      []string        `json:"beta_features"`
	Connectors []struct {
		ID     string            `json:"id"`
		Tools  []string          `json:"tools"`
		Policy string            `json:"policy"`
		Own    map[string]string `json:"tool_policy"`
	} `json:"connectors"`
	Members []struct {
		Email string `json:"email"`
		Seat  string `json:"seat_tier"`
	} `json:"members"`
	Limits []struct {
		Scope  struct{ Type string }
		Amount *string
	} `json:"spend_limits"`
}

// policyNames are the levels of the console in the words of the language.
var policyNames = map[string]string{"allow": "always_allow", "ask": "needs_approval", "blocked": "blocked"}

// seedActions are the labels of actions that are called otherwise.
var seedActions = map[string]string{"saffron": "memory", "wiggle": "code_execution", "omelette": "claude_design", "claude_code_fast_mode": "fast_mode"}

func labelOf(action string) string {
	if l, ok := seedActions[action]; ok {
		return l
	}
	return action
}

// text declares it. Only with a ceiling is there one: no read shows it.
func (d *declared) text(ceiling bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "organization \"acme\" {\n  system = \"claude-enterprise\"\n  spend_precedence = %q\n", d.Organization.Precedence)
	if !d.Organization.Connectors {
		b.WriteString("  connector_permissions = \"off\"\n")
	}
	if amount := d.ceiling(); ceiling && amount >= 0 {
		fmt.Fprintf(&b, "  spend_ceiling {\n    monthly = \"%d.%02d\"\n  }\n", amount/100, amount%100)
	}
	b.WriteString("}\n")
	list := func(of []string) string {
		j, _ := json.Marshal(of)
		return string(j)
	}
	for i, c := range d.Connectors {
		own := []string{}
		for tool, level := range c.Own {
			own = append(own, fmt.Sprintf("%q = %q", tool, policyNames[level]))
		}
		fmt.Fprintf(&b, "connector \"c%d\" {\n  id = %q\n  tools = %s\n  policy = %q\n  tool_policy = { %s }\n}\n", i, c.ID, list(c.Tools), policyNames[c.Policy], strings.Join(own, ", "))
	}
	for _, action := range d.Betas {
		fmt.Fprintf(&b, "feature %q {\n  enabled = %v\n  preview = true\n}\n", labelOf(action), d.Features[action])
	}
	tiers := map[string][]string{"enterprise_standard": {}, "enterprise_premium": {}}
	for _, t := range d.Organization.Tiers {
		for _, action := range t.Excludes {
			tiers[t.Name] = append(tiers[t.Name], labelOf(action))
		}
	}
	for name, excludes := range tiers {
		who := []string{}
		for _, m := range d.Members {
			if m.Seat == name {
				who = append(who, m.Email)
			}
		}
		fmt.Fprintf(&b, "seat_tier %q {\n  excludes = %s\n  members = %s\n}\n", name, list(excludes), list(who))
	}
	return b.String()
}

// ceiling returns the limit of the organization in minor units, -1 if there is
// none.
func (d *declared) ceiling() int64 {
	for _, l := range d.Limits {
		if l.Scope.Type == "organization" && l.Amount != nil {
			n, _ := strconv.ParseInt(*l.Amount, 10, 64)
			return n
		}
	}
	return -1
}

// TestAccessIsTheEmulatorsOwn compares who can do what, as it is read over the
// API and mapped, with what the emulator works out by itself from other code:
// of random organizations, every member and every permission, limit and
// plugin. Where something cannot be read, the emulator's answer lies between
// the two readings, and where these agree it is theirs.
func TestAccessIsTheEmulatorsOwn(t *testing.T) {
	parts := runtime.GOMAXPROCS(0)
	often(t, 10_000, 500)
	checks := flag.Lookup("rapid.checks").Value
	if n, err := strconv.Atoi(checks.String()); err != nil || checks.Set(strconv.Itoa((n+parts-1)/parts)) != nil { // often puts it back
		t.Fatal(err)
	}
	var compared, open atomic.Int64
	t.Run("organizations", func(t *testing.T) {
		for part := range parts {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				sameAccess(t, &compared, &open)
			})
		}
	})
	t.Logf("%d answers compared, %d of them between two readings", compared.Load(), open.Load())
	if compared.Load() < 1000 || open.Load()*2 > compared.Load() {
		t.Errorf("%d answers are few, or %d of them too many to be open", compared.Load(), open.Load())
	}
}

// sameAccess compares as many organizations as rapid draws, and counts the
// answers.
func sameAccess(t *testing.T, compared, open *atomic.Int64) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		src := seedGen{rt}.seed()
		ceiling := rapid.Bool().Draw(rt, "ceiling")
		e, err := emulator.Open(emulator.Options{SeedData: src})
		if err != nil {
			rt.Fatalf("%v\n%s", err, src)
		}
		var d declared
		if err := json.Unmarshal(src, &d); err != nil {
			rt.Fatal(err)
		}
		live, desired := picturesOf(t, rt, e, dir, d.text(ceiling))
		for what, p := range map[string]*plan.Picture{"live": live, "desired": desired} {
			c := comparison{Picture: p, declared: &d, ceiling: ceiling}
			for _, m := range e.Access().Members {
				c.member(m)
			}
			if c.bad != "" {
				rt.Fatalf("%s: %s\nof\n%s\nwith\n%s", what, c.bad, src, d.text(ceiling))
			}
			if what == "desired" {
				compared.Add(int64(c.compared))
				open.Add(int64(c.open))
			}
		}
	})
}

// picturesOf reads the live organization through the API and maps it: as far
// as reads go, and with what text declares, which is as it is.
func picturesOf(t *testing.T, rt *rapid.T, e *emulator.Server, dir, text string) (live, desired *plan.Picture) {
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
		rt.Fatal(err)
	}
	cfg, diags := schema.Load(dir, schema.Options{Systems: all.Languages()})
	if diags.HasErrors() {
		rt.Fatalf("%v\n%s", diags, text)
	}
	system := claude.New(cfg)
	described, diags := system.Describe()
	if diags.HasErrors() {
		rt.Fatalf("%v\n%s", diags, text)
	}
	reads, _, err := claude.NewClient(claude.Options{Endpoint: "http://127.0.0.1:1", Key: "key", Unpaced: true, HTTP: roundTripper{e.Handler()}})
	if err != nil {
		rt.Fatal(err)
	}
	snap, err := reads.Fetch(t.Context())
	if err != nil {
		rt.Fatal(err)
	}
	return plan.Pictures(plan.Input{Config: cfg, Description: described, System: system, Live: system.State(snap)})
}

// A comparison holds what the model says against what the emulator says.
type comparison struct {
	*plan.Picture
	declared       *declared
	ceiling        bool
	compared, open int
	bad            string
}

func (c *comparison) member(m emulator.MemberAccess) {
	who := c.Model.Member(m.Email)
	if who < 0 {
		c.differ("%s is not in the model", m.Email)
		return
	}
	for action, has := range m.Capabilities {
		c.level(who, "capability."+labelOf(action), map[bool]string{true: "allowed", false: "none"}[has])
	}
	c.level(who, "capability.*", map[bool]string{true: "allowed", false: "none"}[m.AnyCapability != "none"])
	c.level(who, "capability.*preview", map[bool]string{true: "allowed", false: "none"}[m.AnyCapability == "all"])
	for area, has := range map[string]string{"billing": "permission_billing", "privacy": "permission_privacy"} {
		level := "none"
		switch owner := m.Role == "owner" || m.Role == "primary_owner"; {
		case owner, m.Admin[has+"_manage"]:
			level = "manage"
		case m.Admin[has+"_view"]:
			level = "view"
		}
		c.level(who, "admin."+area, level)
	}
	c.level(who, "connector.*", policyNames[m.AnyConnector])
	for i, k := range c.declared.Connectors {
		addr := fmt.Sprintf("connector.c%d", i)
		c.level(who, addr+".*", policyNames[m.Connectors[k.ID].AnyTool])
		for tool, level := range m.Connectors[k.ID].Tools {
			c.level(who, string(schema.MakeAddress("connector", fmt.Sprintf("c%d", i), ""))+"."+tool, policyNames[level])
		}
	}
	for id, level := range m.Plugins {
		for _, o := range c.Objects.Of("plugin") {
			if o.ID == id {
				i := c.Model.Setting(string(o.Addr))
				l, _ := c.Model.Settings[i].Scale.Level(level)
				c.setting(who, i, access.Limit(l))
			}
		}
	}
	spend := m.Spend["monthly"]
	limit := access.Unlimited
	if spend.Amount != nil {
		limit, _ = access.ParseLimit(*spend.Amount)
	}
	if c.ceiling && c.declared.ceiling() >= 0 {
		limit = min(limit, access.Limit(c.declared.ceiling()))
	}
	c.setting(who, c.Model.Setting("spend.monthly"), limit)
}

func (c *comparison) level(who int32, key, want string) {
	perm, named := c.Model.Universe.Find(key)
	if !named { // no read shows it, not even whether it is on: the star bounds it
		topic, err := c.Topic(key)
		if err != nil {
			c.differ("%s: %v", key, err)
			return
		}
		perm = topic.Perms[0]
	}
	level, ok := c.Model.Universe.Permission(perm).Scale.Level(want)
	if !ok {
		c.differ("%s has no level %q", key, want)
		return
	}
	views := c.Views()
	least, most := c.Model.Universe.Get(views[0].Access(who), perm), c.Model.Universe.Get(views[len(views)-1].Access(who), perm)
	if !named {
		least = 0
	}
	if level < least || level > most {
		c.differ("%s: %s of %s by the emulator, %s to %s here", c.Model.Members[who], want, key,
			c.Model.Universe.LevelName(perm, least), c.Model.Universe.LevelName(perm, most))
	}
	c.count(least != most)
}

func (c *comparison) setting(who int32, i int, want access.Limit) {
	views, kind := c.Views(), c.Model.Settings[i]
	least, most := views[0].Setting(who, i), views[len(views)-1].Setting(who, i)
	if want < least || want > most {
		c.differ("%s: %s is %s by the emulator, %s to %s here", c.Model.Members[who], kind.Key, kind.Text(want), kind.Text(least), kind.Text(most))
	}
	c.count(least != most)
}

func (c *comparison) count(open bool) {
	c.compared++
	if open {
		c.open++
	}
}

// differ keeps the first difference.
func (c *comparison) differ(format string, args ...any) {
	if c.bad == "" {
		c.bad = fmt.Sprintf(format, args...)
	}
}
