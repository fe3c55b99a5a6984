package plan_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
)

func saved(t testing.TB, p *plan.Plan) []byte {
	t.Helper()
	b, err := p.Save()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSavedPlanIsThePlan: a plan that was saved and loaded is shown in the
// same bytes and saved in the same bytes, and has all that it takes to carry
// out its steps.
func TestSavedPlanIsThePlan(t *testing.T) {
	config, live := mixed()
	for name, p := range map[string]*plan.Plan{
		"mixed": build(t, config, live), "empty": build(t, "", org{}), "no-order": build(t, trade, tradeOrg()),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := plan.Load(saved(t, p))
			if err != nil {
				t.Fatal(err)
			}
			want, _ := p.JSON()
			got, err := s.JSON()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("JSON (-made +loaded):\n%s", diff)
			}
			for id, step := range p.Steps {
				if diff := cmp.Diff(*step, *s.Steps[id], cmp.Comparer(func(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") })); diff != "" {
					t.Errorf("step %s (-made +loaded):\n%s", id, diff)
				}
			}
			if diff := cmp.Diff(p.Depends, s.Depends); diff != "" || s.ConfigDigest != p.ConfigDigest || len(p.Depends) == 0 && name == "mixed" {
				t.Errorf("digests (-made +loaded):\n%s", diff)
			}
		})
	}
}

// TestSavedPlanIsStable: the time a plan was made at is outside of the
// checksum, and nothing else differs.
func TestSavedPlanIsStable(t *testing.T) {
	config, live := mixed()
	c := load(t, config)
	p, q := buildAt(t, c, live, time.Unix(0, 0)), buildAt(t, c, live, time.Unix(1e9, 0))
	a, b := strings.SplitAfter(string(saved(t, p)), "\n"), strings.SplitAfter(string(saved(t, q)), "\n")
	if a[1] == b[1] {
		t.Error("the second line does not say when")
	}
	a[1], b[1] = "", ""
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("saved at two times (-a +b):\n%s", diff)
	}
	for _, line := range a {
		if len(line) > 20_000 {
			t.Errorf("a line of %d bytes does not diff well: %.80s…", len(line), line)
		}
	}
}

// TestSavedPlanIsRefusedWhenAltered flips bytes all over the file.
func TestSavedPlanIsRefusedWhenAltered(t *testing.T) {
	config, live := mixed()
	b := saved(t, build(t, config, live))
	whole := bytes.IndexByte(b, '\n') + 1
	created := whole + bytes.IndexByte(b[whole:], '\n') + 1
	for i := created; i < len(b); i += 1 + len(b)/500 {
		c := bytes.Clone(b)
		c[i] ^= 1
		var e *plan.SavedError
		if _, err := plan.Load(c); !errors.As(err, &e) {
			t.Fatalf("byte %d altered: %v", i, err)
		}
	}
	tests := map[string]struct {
		file string
		want string
	}{
		"empty":           {"", "line 1: it does not begin with"},
		"other-file":      {"{}\n", "line 1: it does not begin with"},
		"newer-form":      {"rolecall plan 2\n" + string(b[whole:]), "has format \"2\""},
		"no-time":         {"rolecall plan 1\nx\n", "line 2"},
		"no-checksum":     {"rolecall plan 1\ncreated x\n", "line 3: it has no checksum"},
		"cut-off":         {string(b[:len(b)-40]), "altered or cut off"},
		"line-taken-out":  {strings.Replace(string(b), "\nsummary ", "\nsummarx ", 1), "altered or cut off"},
		"something-added": {string(b) + "step {}\n", "altered or cut off"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := plan.Load([]byte(tt.file)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestPeopleAreCalledAsAsked: no address is left anywhere, and people can
// still be told apart.
func TestPeopleAreCalledAsAsked(t *testing.T) {
	config, live := mixed()
	p := build(t, config, live)
	for _, people := range []plan.People{plan.Counts, plan.Initials} {
		t.Run(string(people), func(t *testing.T) {
			q, err := p.Call(people)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := q.JSON()
			for email := range live.members {
				local, _, _ := strings.Cut(email, "@")
				if bytes.Contains(b, []byte(email)) || bytes.Contains(b, []byte("%40")) || bytes.Contains(b, []byte(local+"@")) {
					t.Errorf("%s is still named", email)
				}
			}
			if len(q.Steps) != len(p.Steps) || q.Summary != p.Summary {
				t.Errorf("%d steps of %d: people are not told apart", len(q.Steps), len(p.Steps))
			}
		})
	}
	if q, err := p.Call(plan.Full); q != p || err != nil {
		t.Errorf("full is not the plan itself: %v", err)
	}
	if _, err := p.Call("some"); err == nil {
		t.Error("people can be called \"some\"")
	}
}

// FuzzLoad: no file brings the reader down, and what it accepts it can show.
func FuzzLoad(f *testing.F) {
	config, live := mixed()
	b := saved(f, build(f, config, live))
	f.Add(b)
	for _, line := range bytes.SplitAfter(b, []byte("\n")) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, file := range [][]byte{b, plan.Seal(b)} {
			s, err := plan.Load(file)
			if err != nil {
				var e *plan.SavedError
				if !errors.As(err, &e) {
					t.Fatalf("%T: %v", err, err)
				}
				continue
			}
			if _, err := s.JSON(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Call(plan.Counts); err != nil {
				t.Skip(fmt.Sprint("masking an odd plan may make it unreadable: ", err))
			}
		}
	})
}
