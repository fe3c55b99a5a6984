// Package providertest is what the tests of the systems share: it plans a
// configuration that is written in the test, and says who can do what in a
// state, through the system's real mapping.
//
// Only tests import it.
package providertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// Load reads a configuration in a directory of its own and describes it. Every
// problem is returned.
func Load(t testing.TB, kind providers.Kind, text string) (*schema.Config, *schema.Description, hcl.Diagnostics) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "org.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, diags := schema.Load(dir, schema.Options{Systems: []*schema.System{kind.Language}})
	if diags.HasErrors() || c.System == nil {
		return c, nil, diags
	}
	d, more := kind.New(c).Describe()
	return c, d, append(diags, more...)
}

// MustLoad is Load for a configuration without errors.
func MustLoad(t testing.TB, kind providers.Kind, text string) (*schema.Config, *schema.Description) {
	t.Helper()
	c, d, diags := Load(t, kind, text)
	if diags.HasErrors() {
		t.Fatalf("the configuration has errors: %v", diags)
	}
	return c, d
}

// Plan plans a configuration against a live state; nil stands for what its
// reader reads, without a network.
func Plan(t testing.TB, kind providers.Kind, text string, live *schema.State) (*plan.Plan, *schema.Config) {
	t.Helper()
	c, d := MustLoad(t, kind, text)
	if live == nil {
		conn, err := kind.Connect(t.Context(), c, providers.Environment{Getenv: func(string) string { return "" }})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if live, err = conn.Reader.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p, err := plan.Build(plan.Input{Config: c, Description: d, System: kind.New(c), Live: live, Version: "test",
		Now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	return p, c
}

// Levels is who can do what: the level in force by permission, by member;
// permissions at the lowest level are left out.
type Levels map[string]map[string]string

// Access returns who can do what in a state, in the last of its readings.
func Access(system providers.System, state *schema.State) Levels {
	m, readings := system.Access(state)
	list := readings[0]
	v := access.NewView(m, list[len(list)-1])
	all := Levels{}
	for i, email := range m.Members {
		all[email] = map[string]string{}
		for p := range m.Universe.Len() {
			if l := m.Universe.Get(v.Access(int32(i)), access.Perm(p)); l > 0 {
				all[email][m.Universe.Key(access.Perm(p))] = m.Universe.LevelName(access.Perm(p), l)
			}
		}
	}
	return all
}

// Desired returns who can do what once a configuration is in force.
func Desired(t testing.TB, kind providers.Kind, text string) Levels {
	t.Helper()
	p, c := Plan(t, kind, text, nil)
	return Access(kind.New(c), p.Desired)
}

// WantProblem wants an error with a summary at a place ("3:12") of the
// configuration, with all of the given texts in it.
func WantProblem(t testing.TB, kind providers.Kind, text, at, summary string, parts ...string) {
	t.Helper()
	_, _, diags := Load(t, kind, text)
	for _, d := range diags {
		if d.Severity != hcl.DiagError || d.Summary != summary {
			continue
		}
		if got := strings.SplitN(d.Subject.String(), ":", 2)[1]; !strings.HasPrefix(got, at) {
			t.Errorf("%q is at %s, want %s", summary, got, at)
		}
		for _, part := range parts {
			if !strings.Contains(d.Detail, part) {
				t.Errorf("%q says %q, want %q in it", summary, d.Detail, part)
			}
		}
		return
	}
	t.Errorf("no error %q, but %v", summary, diags)
}

// WantDocumented wants of every block a meaning, and of every attribute a
// meaning, an example, a default where it can be left out, and how it is
// written and read back.
func WantDocumented(t testing.TB, s *schema.System) {
	t.Helper()
	var walk func(path string, b *schema.Block, write, read schema.Way)
	attr := func(path string, a *schema.Attr, write, read schema.Way) {
		if a.Doc == "" || a.Example == "" {
			t.Errorf("%s.%s lacks a meaning or an example", path, a.Name)
		}
		if a.Write == "" && write == "" || a.ReadBack == "" && read == "" {
			t.Errorf("%s.%s does not say how it is written and read back", path, a.Name)
		}
	}
	walk = func(path string, b *schema.Block, write, read schema.Way) {
		path += b.Type
		if b.Write != "" {
			write = b.Write
		}
		if b.ReadBack != "" {
			read = b.ReadBack
		}
		if b.Doc == "" {
			t.Errorf("%s has no meaning", path)
		}
		for _, a := range b.Attrs {
			attr(path, a, write, read)
		}
		for _, n := range b.Blocks {
			walk(path+".", n, write, read)
		}
	}
	for _, b := range s.Blocks {
		walk("", b, "", "")
	}
	for _, list := range s.Extend {
		for _, a := range list {
			attr("", a, "", "")
		}
	}
}
