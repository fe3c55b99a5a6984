package schema_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolecall/rolecall/schema"
)

// secretState is a state of which every text that is somebody's own has the
// word secret in it.
func secretState() *schema.State {
	s := schema.NewState()
	org := &schema.Object{Type: "organization", Addr: "organization", ID: "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e", Key: "Secret Inc"}
	org.Put("mode", schema.Text("invite"))
	s.Add(org)
	for i, email := range []string{"ann.secret@secret.com", "bob.secret@secret.com", "cyd.secret@other-secret.org"} {
		m := &schema.Object{Type: "member", Addr: schema.MakeAddress("member", email, ""), ID: fmt.Sprintf("user_secret%d", i), Key: email, Fixed: "secret", Keys: []string{"old.secret@secret.com"}}
		m.Put("name", schema.Text("Secret Name"))
		m.Put("role", schema.Text("owner"))
		m.Put("note", schema.Text("a secret"))
		s.Add(m)
	}
	role := &schema.Object{Type: "role", Addr: `role["Secret role"]`, ID: "role_secret1", Key: "Secret role"}
	role.Put("capabilities", schema.Set("chat"))
	role.Put("tools", schema.Map(map[string]string{"srv_secret.delete_secret": "allow"}))
	role.Put("broken", schema.Unavailable("GET /secret: 500"))
	s.Add(role)
	for i := range 2 {
		g := &schema.Object{Type: "group", Addr: schema.MakeAddress("group", fmt.Sprintf("Secret %d", i), ""), ID: fmt.Sprintf("group_secret%d", i), Key: "Secret team"}
		g.Put("roles", schema.Set("role_secret1"))
		g.Put("also", schema.Set(`role["Secret role"]`))
		g.Put("members", schema.Set("ann.secret@secret.com", "gone.secret@secret.com"))
		g.Put("limit", schema.Text("20000"))
		g.Put("empty", schema.Set())
		g.Put("absent", schema.Absent)
		s.Add(g)
	}
	f := &schema.Object{Type: "feature", Addr: "feature.chat", Key: "chat"}
	f.Put("enabled", schema.Unavailable("secret"))
	s.Add(f)
	s.Unread = []schema.Unread{{What: "secret", Why: "secret", Affects: "secret", Addr: `role["Secret role"]`, Fix: "secret"}}
	return s
}

var words = schema.Words{Attrs: []string{"mode", "role", "capabilities", "limit"}, Values: []string{"tools"}}

// TestPseudonymise checks that nothing of the organization's own is left, and
// that what hangs together still does.
func TestPseudonymise(t *testing.T) {
	real := schema.NewSnapshot("s", "v1", time.Unix(1795000000, 0), secretState())
	s, err := real.Pseudonymise(words)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if at := regexp.MustCompile(`(?i)secret|3c4f5e6d`).FindIndex(b); at != nil {
		t.Errorf("%q is left in\n%s", b[at[0]:at[1]], b)
	}
	if !s.Pseudonymised || s.ID == "" || s.ID != s.State.Objects["organization"].ID {
		t.Errorf("pseudonymised %v, id %q", s.Pseudonymised, s.ID)
	}
	if _, err := schema.DecodeSnapshot(b); err != nil {
		t.Error(err)
	}
	members, groups, roles := s.State.Of("member"), s.State.Of("group"), s.State.Of("role")
	if len(members) != 3 || len(groups) != 2 || len(roles) != 1 || len(s.State.Objects) != len(real.State.Objects) {
		t.Fatalf("%d members, %d groups, %d roles", len(members), len(groups), len(roles))
	}
	domains := map[string]int{}
	for _, m := range members {
		_, domain, _ := strings.Cut(m.Key, "@")
		domains[domain]++
		if !strings.HasPrefix(m.ID, "user_") || m.Get("role").AsText() != "owner" || m.Addr != schema.MakeAddress("member", m.Key, "") {
			t.Errorf("member %+v", m)
		}
	}
	if len(domains) != 2 {
		t.Errorf("domains %v, want two", domains)
	}
	for _, g := range groups {
		in := g.Get("members").AsSet()
		known := slices.ContainsFunc(members, func(m *schema.Object) bool { return g.Get("members").Has(m.Key) })
		if len(in) != 2 || !known || !g.Get("roles").Has(roles[0].ID) || !g.Get("also").Has(string(roles[0].Addr)) || g.Get("limit").AsText() != "20000" || g.Key != groups[0].Key ||
			g.Get("empty").Kind() != schema.KindSet || g.Get("absent").Kind() != schema.KindAbsent {
			t.Errorf("group %+v", g)
		}
	}
	for key, level := range roles[0].Get("tools").AsMap() {
		if first, rest, ok := strings.Cut(key, "."); !ok || first == "" || rest == "" || level != "allow" {
			t.Errorf("tools %q: %q", key, level)
		}
	}
	if roles[0].Get("broken").Kind() != schema.KindUnavailable {
		t.Error("what could not be read reads")
	}
	again, err := real.Pseudonymise(words)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID == s.ID {
		t.Error("two files can be brought together by their ids")
	}
}

// TestPseudonymiseKeepsTheShape checks that any state keeps its objects, and
// the number of elements of everything.
func TestPseudonymiseKeepsTheShape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		real := schema.NewSnapshot("s", "v1", time.Unix(0, 0), anyState.Draw(t, "state"))
		s, err := real.Pseudonymise(words)
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := schema.DecodeSnapshot(b); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		shape := func(s *schema.State) []string {
			var list []string
			for _, o := range s.Objects {
				for _, v := range o.Attrs {
					list = append(list, fmt.Sprint(o.Type, v.Kind(), len(v.AsSet()), len(v.AsMap())))
				}
			}
			slices.Sort(list)
			return list
		}
		if len(s.State.Unread) != len(real.State.Unread) || !slices.Equal(shape(s.State), shape(real.State)) {
			t.Fatalf("got %v, want %v", shape(s.State), shape(real.State))
		}
	})
}
