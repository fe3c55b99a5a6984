package schema_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/rolecall/rolecall/schema"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares text with a golden file.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// load loads a directory of files that are given as text.
func load(t *testing.T, files map[string]string, o schema.Options) (*schema.Config, hcl.Diagnostics) {
	t.Helper()
	t.Chdir(directory(t, files))
	return schema.Load(".", o)
}

// mustLoad is load for a configuration without errors.
func mustLoad(t *testing.T, files map[string]string, o schema.Options) *schema.Config {
	t.Helper()
	c, diags := load(t, files, o)
	if len(diags) > 0 {
		t.Fatal(shown(t, c, diags))
	}
	return c
}

// shown returns diagnostics as they are shown.
func shown(t testing.TB, c *schema.Config, diags hcl.Diagnostics) string {
	t.Helper()
	var b bytes.Buffer
	if err := schema.WriteDiagnostics(&b, c.Files, diags, 100, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// lines returns diagnostics as file:line: summary.
func lines(diags hcl.Diagnostics) []string {
	var list []string
	for _, d := range diags {
		where := "-"
		if d.Subject != nil {
			where = fmt.Sprintf("%s:%d", d.Subject.Filename, d.Subject.Start.Line)
		}
		list = append(list, where+": "+d.Summary)
	}
	return list
}

// TestLoadInvalid checks the files in testdata/invalid. Each line that should
// be reported ends in "# ERROR: " and the summary, or several with | between
// them; no other line may be. The golden file has the messages in full.
func TestLoadInvalid(t *testing.T) {
	files, err := filepath.Glob("testdata/invalid/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files to check (%v)", err)
	}
	cases := 0
	for _, file := range files {
		name := filepath.Base(file)
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		sc := bufio.NewScanner(bytes.NewReader(src))
		for line := 1; sc.Scan(); line++ {
			if _, summaries, ok := strings.Cut(sc.Text(), "# ERROR: "); ok {
				for _, s := range strings.Split(summaries, " | ") {
					want = append(want, fmt.Sprintf("%s:%d: %s", name, line, s))
				}
			}
		}
		cases += len(want)
		goldenPath, err := filepath.Abs(strings.TrimSuffix(file, ".hcl") + ".golden")
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(name, ".hcl"), func(t *testing.T) {
			dir := map[string]string{name: string(src)}
			if !bytes.Contains(src, []byte("organization \"")) {
				dir["zz-organization.hcl"] = organization
			}
			c, diags := load(t, dir, options())
			if diff := cmp.Diff(want, lines(diags)); diff != "" {
				t.Errorf("errors by line (-want +got):\n%s\n%s", diff, shown(t, c, diags))
			}
			text := shown(t, c, diags)
			golden(t, goldenPath, text)
			if shows := strings.Count(text, "hunter2") - strings.Count(text, `default   = "hunter2"`); shows != 0 {
				t.Errorf("a sensitive value is shown:\n%s", text)
			}
			for _, d := range diags {
				checkStyle(t, d)
			}
		})
	}
	if cases < 150 {
		t.Errorf("only %d errors are checked", cases)
	}
}

// checkStyle checks what every message of ours has in common.
func checkStyle(t *testing.T, d *hcl.Diagnostic) {
	t.Helper()
	if strings.ContainsAny(d.Summary, "\".") || strings.ToUpper(d.Summary[:1]) != d.Summary[:1] && !strings.HasPrefix(d.Summary, "for_each") {
		t.Errorf("summary %q has a name in it, or does not begin with a capital", d.Summary)
	}
	if d.Detail == "" || !strings.HasSuffix(strings.TrimRight(d.Detail, "\n"), ".") && !strings.HasSuffix(d.Detail, ".)") && !strings.HasSuffix(d.Detail, "?") && !strings.HasSuffix(d.Detail, "…\" {.") {
		t.Errorf("detail %q is not a sentence", d.Detail)
	}
	if d.Subject == nil {
		t.Errorf("%q has no place", d.Summary)
	}
	if d.Expression != nil || d.EvalContext != nil {
		t.Errorf("%q carries values that a writer may show", d.Summary)
	}
}

// TestLoadValid checks what the directories in testdata/valid decode to.
func TestLoadValid(t *testing.T) {
	entries, err := os.ReadDir("testdata/valid")
	if err != nil || len(entries) == 0 {
		t.Fatalf("no directories to check (%v)", err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue // a golden file
		}
		dir := filepath.Join("testdata/valid", e.Name())
		t.Run(e.Name(), func(t *testing.T) {
			c, diags := schema.Load(dir, options())
			if len(diags) > 0 {
				t.Fatal(shown(t, c, diags))
			}
			golden(t, dir+".golden", dump(c))
		})
	}
}

// dump writes a configuration with everything that is in it.
func dump(c *schema.Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "system %s\n", c.System.Name)
	var block func(d *schema.Described, indent string)
	block = func(d *schema.Described, indent string) {
		fmt.Fprintf(&b, "%s%s %q %q %s  %s\n", indent, d.Type, d.Label, d.Key, d.Addr, at(d.Range))
		for _, name := range slices.Sorted(maps.Keys(d.Attrs)) {
			a := d.Attrs[name]
			fmt.Fprintf(&b, "%s  %s  %s\n", indent, name, at(a.Range))
			switch {
			case a.People != nil:
				fmt.Fprintf(&b, "%s    people %s\n", indent, a.People)
			case a.Items != nil:
				for _, it := range a.Items {
					fmt.Fprintf(&b, "%s    - %s  %s\n", indent, it.Text, at(it.Range))
				}
			case a.Entries != nil:
				for _, k := range slices.Sorted(maps.Keys(a.Entries)) {
					fmt.Fprintf(&b, "%s    %s: %s  %s\n", indent, k, a.Entries[k].Text, at(a.Entries[k].Range))
				}
			case a.Bool:
				fmt.Fprintf(&b, "%s    true\n", indent)
			default:
				fmt.Fprintf(&b, "%s    %q\n", indent, a.Text)
			}
		}
		for _, nested := range d.Blocks {
			block(nested, indent+"  ")
		}
	}
	for _, d := range c.Blocks {
		block(d, "")
	}
	fmt.Fprintf(&b, "guard %v %v %v %v %v %v\n", c.Guard.MaxMembersLosingAccess, c.Guard.MaxRemovals, c.Guard.MaxGroupShrink, c.Guard.MaxSpendIncrease, c.Guard.Protected, c.Guard.Frozen)
	for _, r := range c.Rules {
		fmt.Fprintf(&b, "rule %s %q %v\n", r.Name, r.Severity, r.Ignore)
	}
	for _, a := range c.Accepts {
		upTo := "-"
		if a.UpTo != nil {
			upTo = fmt.Sprint(*a.UpTo)
		}
		fmt.Fprintf(&b, "accept %s up to %s, %q, expires %q  %s\n", a.Name, upTo, a.Reason, a.Expires, at(a.Decl))
	}
	for _, e := range c.Exclusives {
		fmt.Fprintf(&b, "exclusive %s %v required %v  %s\n", e.Name, e.Groups, e.Required, at(e.Decl))
	}
	for _, h := range c.Holds {
		fmt.Fprintf(&b, "hold %s %v until %q, %q  %s\n", h.Name, h.Objects, h.Until, h.Reason, at(h.Decl))
	}
	for _, x := range c.Tests {
		fmt.Fprintf(&b, "test %s who %v  %s\n", x.Name, x.Who, at(x.Decl))
		for _, it := range x.Can {
			fmt.Fprintf(&b, "  can %s  %s\n", it.Text, at(it.Range))
		}
		for _, it := range x.Cannot {
			fmt.Fprintf(&b, "  cannot %s  %s\n", it.Text, at(it.Range))
		}
		for _, p := range slices.Sorted(maps.Keys(x.AtMost)) {
			fmt.Fprintf(&b, "  at most %s %s  %s\n", p, x.AtMost[p].Text, at(x.AtMost[p].Range))
		}
		for _, p := range slices.Sorted(maps.Keys(x.SpendAtMost)) {
			fmt.Fprintf(&b, "  spend at most %s %d (%q)  %s\n", p, x.SpendAtMost[p].Minor, x.SpendAtMost[p].Text, at(x.SpendAtMost[p].Range))
		}
		for _, name := range slices.Sorted(maps.Keys(x.Where)) {
			fmt.Fprintf(&b, "  %s at %s\n", name, at(x.Where[name]))
		}
	}
	for _, r := range c.Removals {
		fmt.Fprintf(&b, "removed %s id %q name %q  %s\n", r.From, r.ID, r.Name, at(r.Decl))
	}
	for _, m := range c.Moves {
		fmt.Fprintf(&b, "moved %s to %s  %s\n", m.From, m.To, at(m.Decl))
	}
	return b.String()
}

func at(r hcl.Range) string {
	return fmt.Sprintf("%s:%d,%d-%d,%d", filepath.Base(r.Filename), r.Start.Line, r.Start.Column, r.End.Line, r.End.Column)
}
