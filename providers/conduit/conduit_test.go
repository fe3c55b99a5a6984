package conduit

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	emulator "github.com/rolecall/rolecall/providers/emulator/conduit"
	"github.com/rolecall/rolecall/providers/providertest"
	"github.com/rolecall/rolecall/schema"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		if err := flag.Set("rapid.checks", "60"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// live returns an organization of p@m.co, in team t with the given list and
// credentials, and of a vendor v with the tools A to E and the given list.
// A list is written as letters; "*" is none.
func live(role, org, team, credentials string) *schema.State {
	list := func(letters string) schema.Value {
		if letters == "*" {
			return schema.Text(inherit)
		}
		return schema.Set(strings.Split(letters, "")...)
	}
	s := schema.NewState()
	add := func(typ, key string, attrs map[string]schema.Value) {
		s.Add(&schema.Object{Type: typ, Addr: schema.MakeAddress(typ, key, ""), Key: key, ID: key, Attrs: attrs})
	}
	add("member", "p@m.co", map[string]schema.Value{attrRole: schema.Text(role)})
	add("vendor", "v", map[string]schema.Value{attrAllowed: list(org), attrAllowedAdmin: list(org), attrTools: schema.Set("A", "B", "C", "D", "E")})
	add("team", "t", map[string]schema.Value{attrMembers: schema.Set("p@m.co"), attrVendors: schema.Set("v"),
		allowedOf("v"): list(team), attrCredentials + "v": schema.Text(credentials)})
	return s
}

// letters returns the tools that p@m.co can use through a line of permissions.
func letters(s *schema.State, line string) string {
	got := providertest.Access(&System{}, s)["p@m.co"]
	var w strings.Builder
	for _, tool := range []string{"A", "B", "C", "D", "E"} {
		if got[line+".v."+tool] == "allowed" {
			w.WriteString(tool)
		}
	}
	if got[line+".v.*"] == "allowed" { // whatever comes
		w.WriteString("*")
	}
	return w.String()
}

// TestAcceptance runs the vectors of other-systems.md 4.4 for this system and
// the rows of its table 3.4, by their numbers.
func TestAcceptance(t *testing.T) {
	for name, c := range map[string]struct{ role, org, team, credentials, line, want string }{
		"vector 9 no lists":                             {roleMember, "*", "*", "team", "vendor", "ABCDE*"},
		"vector 10 the team's only":                     {roleMember, "*", "ABC", "team", "vendor", "ABC"},
		"vector 11 the organization's only":             {roleMember, "ABCD", "*", "team", "vendor", "ABCD"},
		"vector 12 both":                                {roleMember, "ABCD", "ABE", "team", "vendor", "AB"},
		"vector 14 personal credentials":                {roleMember, "AB", "A", "team", "personal", "AB"},
		"table 3.4 row 1 no lists":                      {roleMember, "*", "*", "team", "vendor", "ABCDE*"},
		"table 3.4 row 2 the team's only":               {roleMember, "*", "ABC", "team", "vendor", "ABC"},
		"table 3.4 row 3 the organization's only":       {roleMember, "ABCD", "*", "team", "vendor", "ABCD"},
		"table 3.4 row 4 both":                          {roleMember, "ABCD", "ABE", "team", "vendor", "AB"},
		"table 3.4 row 5 nothing in common":             {roleMember, "AB", "CD", "team", "vendor", ""},
		"table 3.4 row 6 personal":                      {roleMember, "ABCD", "A", "team", "personal", "ABCD"},
		"table 3.4 row 7 the organization's credential": {roleMember, "ABCD", "A", "organization", "vendor", "ABCD"},
		"table 3.4 row 8 the owner":                     {roleOwner, "A", "A", "team", "vendor", "ABCDE*"},
		"administrators are held too":                   {roleAdmin, "ABCD", "ABE", "team", "vendor", "AB"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := letters(live(c.role, c.org, c.team, c.credentials), c.line); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	t.Run("table 3.4 row 9 no vendor access", func(t *testing.T) {
		s := live(roleMember, "*", "*", "team")
		s.Objects["team.t"].Put(attrVendors, schema.Set())
		if got := letters(s, "vendor"); got != "" {
			t.Errorf("%q without access", got)
		}
	})
	t.Run("vendor access is a union", func(t *testing.T) {
		s := live(roleMember, "ABC", "A", "team")
		s.Objects["team.t"].Put(attrVendors, schema.Set())
		s.Objects["member[\"p@m.co\"]"].Put(attrVendors, schema.Set("v"))
		if got := letters(s, "vendor"); got != "A" { // the team narrows what the person has by themselves
			t.Errorf("%q, want A", got)
		}
	})
	t.Run("two teams widen", func(t *testing.T) {
		s := live(roleMember, "ABC", "A", "team")
		u := s.Objects["team.t"].Clone()
		u.Addr, u.Key, u.ID = "team.u", "u", "u"
		s.Add(u)
		if got := letters(s, "vendor"); got != "ABC" {
			t.Errorf("%q, want ABC", got)
		}
	})
	t.Run("two teams widen, also where one has credentials and no list", func(t *testing.T) {
		s := live(roleMember, "ABC", "A", "team")
		u := s.Objects["team.t"].Clone()
		u.Addr, u.Key, u.ID = "team.u", "u", "u"
		u.Put(allowedOf("v"), schema.Text(inherit))
		s.Add(u)
		if got := letters(s, "vendor"); got != "ABC" {
			t.Errorf("%q, want ABC", got)
		}
	})
	t.Run("what could not be read is unknown", func(t *testing.T) {
		s := live(roleMember, "ABC", "A", "team")
		s.Objects["team.t"].Put(allowedOf("v"), schema.Unavailable("no session"))
		_, readings := (&System{}).Access(s)
		if len(readings[0]) != 2 {
			t.Fatalf("%d readings", len(readings[0]))
		}
		if got := letters(s, "vendor"); got != "ABC" {
			t.Errorf("at most %q, want ABC", got)
		}
	})
	t.Run("vector 12 a warning on what the organization blocks", func(t *testing.T) {
		text := "organization \"m\" {\n system = \"conduit\"\n}\nvendor \"v\" {\n personal = \"ignore\"\n}\nteam \"t\" {\n vendor \"v\" {\n allowed = [\"A\", \"B\", \"E\"]\n }\n}\n"
		s := live(roleMember, "ABCD", "*", "team")
		s.Objects["team.t"].Put(attrName, schema.Text("t"))
		s.Add(&schema.Object{Type: "organization", Addr: "organization", ID: "m", Key: "m", Attrs: map[string]schema.Value{attrSession: schema.Bool(true)}})
		p, _ := providertest.Plan(t, Kind(), text, s)
		var said []string
		for _, f := range p.Findings {
			if f.Rule == "dead-allowlist-entry" {
				said = append(said, string(f.Severity)+": "+f.Message)
			}
		}
		if len(said) != 1 || !strings.HasPrefix(said[0], "warning: ") || !strings.Contains(said[0], "allows E, which") {
			t.Errorf("%q, want one warning on E", said)
		}
	})
	t.Run("vector 13, table 3.4 row 10 an empty list", func(t *testing.T) {
		head := "organization \"m\" {\n system = \"conduit\"\n}\n"
		providertest.WantProblem(t, Kind(), head+"vendor \"v\" {\n allowed = []\n}\n", "5,12", "Empty allowlist", "allows every tool", "allowed = inherit")
		providertest.WantProblem(t, Kind(), head+"vendor \"v\" {\n}\nteam \"t\" {\n vendor \"v\" {\n allowed = []\n }\n}\n", "8,12", "Empty allowlist", "allows every tool")
	})
	t.Run("inherit is a word", func(t *testing.T) {
		head := "organization \"m\" {\n system = \"conduit\"\n}\n"
		providertest.WantProblem(t, Kind(), head+"vendor \"v\" {\n allowed = \"inherit\"\n}\n", "5,12", "Wrong type of value", "Write inherit without quotes")
		providertest.WantProblem(t, Kind(), head+"vendor \"v\" {\n allowed = [inherit]\n}\n", "5,13", "Unknown reference", "a word that stands alone")
		providertest.WantProblem(t, Kind(), head+"vendor \"v\" {\n tools = inherit\n}\n", "5,10", "Unknown reference", "a word that stands alone")
	})
	t.Run("vector 15 in two teams", func(t *testing.T) {
		head := "organization \"m\" {\n system = \"conduit\"\n}\n"
		providertest.WantProblem(t, Kind(), head+"team \"t\" {\n members = [\"p@m.co\"]\n}\nteam \"u\" {\n members = [\"P@m.co\"]\n}\n", "8,13", "In two teams", "team.t")
	})
	t.Run("vector 16 taking a team's list away widens", func(t *testing.T) {
		text := "organization \"m\" {\n system = \"conduit\"\n}\nvendor \"v\" {\n personal = \"ignore\"\n}\nteam \"t\" {\n vendor \"v\" {\n allowed = inherit\n }\n}\n"
		s := live(roleMember, "*", "A", "team")
		s.Objects["team.t"].Put(attrName, schema.Text("t"))
		s.Add(&schema.Object{Type: "organization", Addr: "organization", ID: "m", Key: "m", Attrs: map[string]schema.Value{attrSession: schema.Bool(true)}})
		p, _ := providertest.Plan(t, Kind(), text, s)
		if p.Summary.Steps != 1 {
			t.Fatalf("%d steps", p.Summary.Steps)
		}
		v := p.Stages[0].Steps[0]
		if v.Direction != "widens" || v.Request.Method != "DELETE" {
			t.Errorf("%s is %s by %s, want widens by DELETE", v.ID, v.Direction, v.Request.Method)
		}
	})
}

func TestEveryAttributeIsDocumented(t *testing.T) { providertest.WantDocumented(t, language) }

// TestNoEmptyListLeaves tries every way to send one.
func TestNoEmptyListLeaves(t *testing.T) {
	if _, ok := newToolList(nil); ok {
		t.Error("an empty list was made")
	}
	if b, err := json.Marshal(toolList{}); err == nil {
		t.Errorf("the zero list was written: %s", b)
	}
	sent := 0
	h := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { sent++ }))
	defer h.Close()
	api, err := newClient(h.URL, "s", "t")
	if err != nil {
		t.Fatal(err)
	}
	e := &editor{&reader{api: api, org: "m"}}
	for _, body := range []string{`{"tools":[]}`, `{"tools":null}`, `{}`, `[]`, ``} {
		step := schema.Step{ID: "x", Request: &schema.Request{Method: "PUT", Path: "/api/orgs/m/tool-access/v/member", Body: json.RawMessage(body)}}
		if _, err := e.Do(t.Context(), step); err == nil || sent > 0 {
			t.Errorf("body %s: error %v, %d sent", body, err, sent)
		}
	}
	if list, ok := newToolList([]string{"b", "a", "b"}); !ok || !slices.Equal(list.tools, []string{"a", "b"}) {
		t.Errorf("%v", list)
	}
}

// A place is an emulator that is served, with a directory for configurations.
type place struct {
	*emulator.Server
	url string
}

func serve(t testing.TB, seed emulator.State) *place {
	t.Helper()
	seed.System = emulator.System
	b, err := json.Marshal(seed)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "seed.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := emulator.Open(emulator.Options{Seed: path})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() { h.Close(); _ = s.Close() })
	return &place{Server: s, url: h.URL}
}

func (p *place) open(t testing.TB, text string, session, token string) (*providers.Connection, providers.Editor, *schema.Config, *schema.Description) {
	t.Helper()
	cfg, d := providertest.MustLoad(t, Kind(), text)
	conn, editor, err := connect(context.Background(), cfg, providers.Environment{Getenv: func(name string) string {
		return map[string]string{"ROLECALL_ENDPOINT": p.url, "CONDUIT_SESSION": session, "CONDUIT_SCIM_TOKEN": token}[name]
	}})
	if err != nil {
		t.Fatal(err)
	}
	return conn, editor, cfg, d
}

func (p *place) reach(t testing.TB) map[string]emulator.Reach {
	t.Helper()
	resp, err := http.Get(p.url + "/emulator/access")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	all := map[string]emulator.Reach{}
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (p *place) post(t testing.TB, path, body string) {
	t.Helper()
	resp, err := http.Post(p.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode >= 300 {
		t.Fatalf("%s: %d", path, resp.StatusCode)
	}
}

var (
	vendorsOf = []string{"v", "w"}
	toolsFor  = []string{"A", "B", "C"}
	people    = []string{"own@m.co", "adm@m.co", "p@m.co", "q@m.co", "r@m.co"}
)

// some draws a subset.
func some(rt *rapid.T, of []string, label string) []string {
	list := []string{}
	for _, x := range of {
		if rapid.Bool().Draw(rt, label+" "+x) {
			list = append(list, x)
		}
	}
	return list
}

// list draws a list of tools, nil for none.
func list(rt *rapid.T, label string) []string {
	if rapid.Bool().Draw(rt, label+" inherits") {
		return nil
	}
	if l := some(rt, toolsFor, label); len(l) > 0 {
		return l
	}
	return []string{"A"}
}

// organization draws a seed. With single, nobody is in two teams.
func organization(rt *rapid.T, single bool) emulator.State {
	st := emulator.State{Organization: emulator.Organization{ID: "org_m", Name: "m"}, Access: map[string][]string{}}
	for i, email := range people {
		role := []string{"owner", "admin", "member", "member", "member"}[i]
		id := "auth0|" + email
		if i == 3 {
			id = "shadow:3"
		}
		st.Users = append(st.Users, emulator.User{ID: id, Email: email, Role: role})
		if l := some(rt, vendorsOf, "own "+email); len(l) > 0 {
			st.Access[id] = l
		}
	}
	for _, slug := range vendorsOf {
		v := emulator.Vendor{Slug: slug, Tools: toolsFor, Connected: true, Lists: map[string][]string{}}
		for _, role := range []string{"admin", "member"} {
			if l := list(rt, slug+" "+role); l != nil {
				v.Lists[role] = l
			}
		}
		st.Vendors = append(st.Vendors, v)
	}
	taken := map[string]bool{}
	for _, name := range []string{"t", "u"} {
		team := emulator.Team{ID: "team_" + name, Name: name, Members: []string{}, Vendors: some(rt, vendorsOf, name+" vendor"),
			Credentials: some(rt, vendorsOf, name+" credentials"), Lists: map[string]emulator.List{}}
		for _, u := range st.Users {
			if rapid.Bool().Draw(rt, name+" has "+u.Email) && !(single && taken[u.ID]) {
				team.Members, taken[u.ID] = append(team.Members, u.ID), true
			}
		}
		for _, slug := range vendorsOf {
			if l := list(rt, name+" "+slug); l != nil {
				team.Lists[slug] = emulator.List{Tools: l, By: "adm@m.co", At: time.Unix(0, 0).UTC()}
			}
		}
		st.Teams = append(st.Teams, team)
	}
	return st
}

const bare = "organization \"m\" {\n system = \"conduit\"\n}\n"

// TestMappingAgreesWithTheEmulator compares who can use what, as read over HTTP
// and mapped, with what the emulator computes by itself: also with people in
// two teams.
func TestMappingAgreesWithTheEmulator(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := serve(t, organization(rt, false))
		conn, _, cfg, _ := p.open(t, bare, emulator.DefaultSession, emulator.DefaultToken)
		live, err := conn.Reader.Read(context.Background())
		if err != nil {
			rt.Fatal(err)
		}
		got := mapped(New(cfg), live)
		if d := cmp.Diff(p.reach(t), got); d != "" {
			rt.Fatalf("(-emulator +mapping):\n%s", d)
		}
	})
}

// mapped returns who can use what, in the emulator's form.
func mapped(s *System, state *schema.State) map[string]emulator.Reach {
	all := map[string]emulator.Reach{}
	for email, levels := range providertest.Access(s, state) {
		r := emulator.Reach{Gateway: []string{}, Personal: []string{}}
		for key := range levels {
			parts := strings.Split(key, ".")
			switch name := parts[1] + "__" + parts[2]; {
			case parts[2] == "*":
			case parts[0] == "vendor":
				r.Gateway = append(r.Gateway, name)
			default:
				r.Personal = append(r.Personal, name)
			}
		}
		slices.Sort(r.Gateway)
		slices.Sort(r.Personal)
		all[email] = r
	}
	return all
}

// configuration draws what is wanted, of everything that the language says.
func configuration(rt *rapid.T) string {
	var w strings.Builder
	w.WriteString(bare)
	tools := func(label string) string {
		if l := list(rt, label); l != nil {
			return fmt.Sprintf("allowed = [\"%s\"]", strings.Join(l, `", "`))
		}
		return "allowed = inherit"
	}
	for _, slug := range vendorsOf {
		fmt.Fprintf(&w, "vendor %q {\n %s\n}\n", slug, tools("want "+slug))
	}
	taken := map[string]bool{}
	for _, name := range []string{"t", "u"} {
		members := []string{}
		for _, email := range some(rt, people, "want in "+name) {
			if !taken[email] {
				taken[email] = true
				members = append(members, fmt.Sprintf("%q", email))
			}
		}
		fmt.Fprintf(&w, "team %q {\n members = [%s]\n", name, strings.Join(members, ", "))
		for _, slug := range some(rt, vendorsOf, "want vendors of "+name) {
			credentials := rapid.SampledFrom([]string{"team", "organization"}).Draw(rt, "want credentials of "+name)
			fmt.Fprintf(&w, " vendor %q {\n credentials = %q\n %s\n }\n", slug, credentials, tools("want "+name+" "+slug))
		}
		w.WriteString("}\n")
	}
	for _, email := range []string{"p@m.co", "q@m.co"} {
		fmt.Fprintf(&w, "member %q {\n vendors = [%s]\n}\n", email, strings.Join(quoted(some(rt, vendorsOf, "want own "+email)), ", "))
	}
	return w.String()
}

func quoted(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fmt.Sprintf("%q", s)
	}
	return out
}

// TestEveryMomentIsWithinBounds carries plans out write by write on the
// emulator and asks it after each one who can use what: nobody has more than
// the larger of before and after, or less than the smaller. Where no safe order
// exists the plan says so, and nothing is claimed.
func TestEveryMomentIsWithinBounds(t *testing.T) {
	safe, unsafe := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		p := serve(t, organization(rt, true))
		conn, edit, cfg, d := p.open(t, configuration(rt), emulator.DefaultSession, emulator.DefaultToken)
		ctx := context.Background()
		live, err := conn.Reader.Read(ctx)
		if err != nil {
			rt.Fatal(err)
		}
		pl, err := plan.Build(plan.Input{Config: cfg, Description: d, System: New(cfg), Live: live, Now: time.Unix(0, 0)})
		if err != nil {
			rt.Fatal(err)
		}
		var known []*schema.Object
		for _, o := range pl.Live.Objects {
			known = append(known, o)
		}
		conn.Reader.Remember(known)
		if len(pl.Unsafe) > 0 {
			unsafe++
			return
		}
		safe++
		before, after := p.reach(t), mapped(New(cfg), pl.Desired)
		drive := &emulated{*edit.(*editor)}
		for _, st := range pl.Stages {
			for i, v := range st.Steps {
				step := pl.Steps[v.ID]
				if step.Via == schema.ByAPI {
					_, err = edit.Do(ctx, *step)
				} else {
					err = drive.Drive(ctx, *step)
				}
				if err != nil {
					rt.Fatalf("%s: %v", v.ID, err)
				}
				if i == 0 && rapid.Bool().Draw(rt, "q logs in") { // and gets another id
					p.post(t, "/emulator/login", `{"email":"q@m.co"}`)
				}
				if _, err := conn.Reader.Read(ctx); err != nil {
					rt.Fatal(err)
				}
				now := p.reach(t)
				for _, email := range people {
					within(rt, v.ID, email, before[email].Gateway, now[email].Gateway, after[email].Gateway)
					within(rt, v.ID, email, before[email].Personal, now[email].Personal, after[email].Personal)
				}
			}
		}
		if d := cmp.Diff(after, p.reach(t)); d != "" {
			rt.Fatalf("in the end (-planned +emulator):\n%s", d)
		}
		live, err = conn.Reader.Read(ctx)
		if err != nil {
			rt.Fatal(err)
		}
		again, err := plan.Build(plan.Input{Config: cfg, Description: d, System: New(cfg), Live: live, Now: time.Unix(0, 0)})
		if err != nil || again.Summary.Steps > 0 {
			rt.Fatalf("%d steps are left: %v %v", again.Summary.Steps, again.Changed, err)
		}
	})
	t.Logf("%d plans carried out, %d without a safe order", safe, unsafe)
	if safe == 0 {
		t.Error("no plan was carried out")
	}
}

func within(rt *rapid.T, step, email string, before, now, after []string) {
	for _, x := range now {
		if !slices.Contains(before, x) && !slices.Contains(after, x) {
			rt.Fatalf("after %s %s has %s, neither before nor in the end", step, email, x)
		}
	}
	for _, x := range before {
		if slices.Contains(after, x) && !slices.Contains(now, x) {
			rt.Fatalf("after %s %s lacks %s, had before and in the end", step, email, x)
		}
	}
}

func small() emulator.State {
	return emulator.State{Organization: emulator.Organization{ID: "org_m", Name: "m"},
		Users:   []emulator.User{{ID: "o", Email: "own@m.co", Role: "owner"}, {ID: "shadow:1", Email: "P@m.co", Role: "member"}},
		Vendors: []emulator.Vendor{{Slug: "v", Tools: toolsFor, Connected: true}},
		Teams:   []emulator.Team{{ID: "team_t", Name: "t", Members: []string{"shadow:1"}, Vendors: []string{"v"}}}}
}

// TestWhatIsMissingComesFromTheLedger reads with each credential alone.
func TestWhatIsMissingComesFromTheLedger(t *testing.T) {
	text := "organization \"m\" {\n system = \"conduit\"\n id = \"org_m\"\n}\nvendor \"v\" {\n allowed = [\"A\"]\n}\nteam \"t\" {\n members = [\"p@m.co\"]\n vendor \"v\" {\n }\n}\n"
	p := serve(t, small())
	for name, c := range map[string]struct {
		session, token string
		lists          schema.Kind
	}{
		"both":         {emulator.DefaultSession, emulator.DefaultToken, schema.KindText},
		"session only": {emulator.DefaultSession, "", schema.KindText},
		"token only":   {"", emulator.DefaultToken, schema.KindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			conn, _, _, _ := p.open(t, text, c.session, c.token)
			s, err := conn.Reader.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Objects["team.t"].Get(attrMembers); !got.Equal(schema.Set("p@m.co")) {
				t.Errorf("members %s", got)
			}
			if got := s.Objects["vendor.v"].Get(attrAllowed); got.Kind() != c.lists {
				t.Errorf("the list is %s", got)
			}
			pl, _ := providertest.Plan(t, Kind(), text, s)
			v := pl.Stages[0].Steps[0]
			if byHand := v.Via == schema.ByConsole; byHand != (c.session == "") || byHand && v.Proof != schema.Attested {
				t.Errorf("%s by %s, proof %s", v.ID, v.Via, v.Proof)
			}
		})
	}
}

// TestCredentialsThatAreNotAccepted wants an error that says what to do, and no
// request to wherever the service redirects.
func TestCredentialsThatAreNotAccepted(t *testing.T) {
	p := serve(t, small())
	for name, c := range map[string]struct{ session, token, want string }{
		"old session": {"old", emulator.DefaultToken, "log in with a browser"},
		"old token":   {emulator.DefaultSession, "old", "make a new SCIM connection"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, _, _, _ := p.open(t, bare, c.session, c.token)
			if _, err := conn.Reader.Read(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), c.token) && c.token != "old" {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	cfg, _ := providertest.MustLoad(t, Kind(), bare)
	if _, _, err := connect(t.Context(), cfg, providers.Environment{Getenv: func(string) string { return "" }}); err == nil || !strings.Contains(err.Error(), "CONDUIT_SCIM_TOKEN") {
		t.Errorf("without any: %v", err)
	}
	if _, err := newClient("http://conduit.example.com", "s", "t"); err == nil {
		t.Error("a session would be sent in the clear")
	}
}

// TestFaults wants lost answers to be unclear, and refusals to be said.
func TestFaults(t *testing.T) {
	step := schema.Step{ID: "team.t/allow/v", Request: &schema.Request{Method: "PUT", Path: "/api/orgs/org_m/teams/team_t/tool-access/v", Body: json.RawMessage(`{"tools":["A"]}`)}}
	for name, c := range map[string]struct {
		fault string
		want  error
	}{
		"dropped":         {`[{"path":"tool-access","times":1}]`, providers.ErrUnclear},
		"dropped after":   {`[{"path":"tool-access","after":true,"times":1}]`, providers.ErrUnclear},
		"500":             {`[{"path":"tool-access","status":500,"times":1}]`, providers.ErrUnclear},
		"403":             {`[{"path":"tool-access","status":403,"times":1}]`, providers.ErrDenied},
		"402":             {`[{"path":"tool-access","status":402,"times":1}]`, providers.ErrDenied},
		"429, then done":  {`[{"path":"tool-access","status":429,"times":2}]`, nil},
		"nothing is done": {`[]`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, small())
			conn, edit, _, _ := p.open(t, bare, emulator.DefaultSession, emulator.DefaultToken)
			if _, err := conn.Reader.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			conn.Reader.(*reader).api.sleep = func(context.Context, time.Duration) error { return nil }
			p.post(t, "/emulator/faults", c.fault)
			if _, err := edit.Do(t.Context(), step); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// TestWhoChangedItLast shows the service's stamp with the list.
func TestWhoChangedItLast(t *testing.T) {
	st := small()
	st.Teams[0].Lists = map[string]emulator.List{"v": {Tools: []string{"A"}, By: "own@m.co", At: time.Date(2026, 6, 1, 9, 30, 0, 0, time.UTC)}}
	p := serve(t, st)
	conn, _, _, _ := p.open(t, bare, emulator.DefaultSession, "")
	s, err := conn.Reader.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pl, _ := providertest.Plan(t, Kind(), bare+"vendor \"v\" {\n}\nteam \"t\" {\n vendor \"v\" {\n allowed = [\"B\"]\n }\n}\n", s)
	if got := pl.Stages[0].Steps[0].Action; !strings.Contains(got, "last changed by own@m.co, 2026-06-01 09:30 UTC") {
		t.Error(got)
	}
}

// TestTheEmulatorHasTheTraps checks the behaviour that the client has to know.
func TestTheEmulatorHasTheTraps(t *testing.T) {
	p := serve(t, small())
	do := func(method, path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.AddCookie(&http.Cookie{Name: "gateway_session", Value: emulator.DefaultSession})
		req.Header.Set("Authorization", "Bearer "+emulator.DefaultToken)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	const org, scim = "/api/orgs/org_m", "/scim/v2/t/org_m/Groups"
	list := org + "/teams/team_t/tool-access/v"
	for _, c := range []struct {
		method, path, body string
		status             int
		part               string
	}{
		{"PUT", list, `{"tools":["A"]}`, 200, "success"},
		{"GET", list, "", 200, `"grantedBy":"own@m.co"`},
		{"PUT", list, `{"tools":["B","B"]}`, 500, "error"},
		{"GET", list, "", 200, `"tools":["A"]`},
		{"PUT", list, `{"tools":[]}`, 200, "success"},
		{"GET", list, "", 200, `"tools":null`},
		{"PUT", list, `{"tools":null}`, 400, "must be an array"},
		{"PUT", org + "/tool-access/v/king", `{"tools":["A"]}`, 400, "Invalid role"},
		{"POST", org + "/teams", `{"name":" t "}`, 409, "already exists"},
		{"POST", org + "/teams", `{"name":"u"}`, 201, "team_e"},
		{"PATCH", org + "/teams/team_t", `{"name":"u"}`, 500, "error"},
		{"POST", scim, `{"displayName":"t"}`, 201, `"id":"team_t"`},
		{"PATCH", scim + "/team_t", `{"Operations":[{"op":"remove","path":"members"}]}`, 200, `"members":[]`},
		{"GET", scim + "?filter=displayName+eq+%22t%22", "", 400, "invalidFilter"},
		{"GET", scim + "?filter=userName+eq+%22t%22", "", 200, `"totalResults":1`},
		{"GET", "/api/orgs/other/teams", "", 403, "Not a member"},
		{"DELETE", org + "/teams/team_x", "", 404, "Team not found"},
	} {
		if status, body := do(c.method, c.path, c.body); status != c.status || !strings.Contains(body, c.part) {
			t.Errorf("%s %s %s: %d %s, want %d with %q", c.method, c.path, c.body, status, body, c.status, c.part)
		}
	}
}

// TestWritesOutliveTheProcess opens the live copy again without closing it.
func TestWritesOutliveTheProcess(t *testing.T) {
	b, err := json.Marshal(emulator.State{System: emulator.System, Organization: small().Organization, Users: small().Users, Teams: small().Teams})
	if err != nil {
		t.Fatal(err)
	}
	seed := filepath.Join(t.TempDir(), "seed.json")
	if err := os.WriteFile(seed, b, 0o600); err != nil {
		t.Fatal(err)
	}
	o := emulator.Options{Seed: seed, State: seed + ".live"}
	first, err := emulator.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest("PATCH", "/scim/v2/t/org_m/Groups/team_t", strings.NewReader(`{"Operations":[{"op":"replace","path":"displayName","value":"renamed"}]}`))
	req.Header.Set("Authorization", "Bearer "+emulator.DefaultToken)
	w := httptest.NewRecorder()
	if first.ServeHTTP(w, req); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	second, err := emulator.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	w = httptest.NewRecorder()
	get := httptest.NewRequest("GET", "/scim/v2/t/org_m/Groups/team_t", nil)
	get.Header.Set("Authorization", "Bearer "+emulator.DefaultToken)
	if second.ServeHTTP(w, get); !strings.Contains(w.Body.String(), "renamed") {
		t.Errorf("after opening again: %s", w.Body)
	}
	if err := os.WriteFile(seed, append(b, ' '), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := emulator.Open(o); !errors.Is(err, emulator.ErrSeedChanged) {
		t.Errorf("with another seed: %v", err)
	}
	o.Reset = true
	if _, err := emulator.Open(o); err != nil {
		t.Errorf("starting over: %v", err)
	}
}
