package main

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/providers/all"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

func initCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "init", Usage: "write a configuration to begin with",
		UsageText: "rolecall init [options]\n\n   rolecall init -C acme\n   rolecall validate -C acme",
		Description: "Writes a small configuration that is valid, with comments that teach. With --from-live it is written\n" +
			"from the live organization instead, as by rolecall import, with guards on top. Nothing is overwritten.",
		Flags: append(append(commonFlags("text", "json"),
			&cli.BoolFlag{Name: "from-live", Usage: "describe the live organization, or the snapshot"}),
			importFlags()...),
		Action: func(c *cli.Context) error { return doInit(c, s) },
	}
}

func doInit(c *cli.Context, s streams) error {
	if _, err := setUp(c, s, "text", "json"); err != nil {
		return err
	}
	dir := c.String("C")
	if !c.Bool("from-live") {
		for _, name := range []string{"snapshot", "csv", "reset"} {
			if c.IsSet(name) {
				return usage("--%s is about the live organization; add --from-live", name)
			}
		}
		return doStarter(c, s, dir)
	}
	w, err := importLive(c, s, dir)
	if err != nil {
		return err
	}
	if _, there := w.files["guards.hcl"]; !there {
		w.files["guards.hcl"] = guardFile().Bytes()
	}
	return w.finish(c, s)
}

// doStarter writes the starter of a system.
func doStarter(c *cli.Context, s streams, dir string) error {
	there, err := configured(dir)
	if err != nil {
		return err
	}
	if there && !c.Bool("force") {
		return fmt.Errorf("%s has a configuration already, and nothing was written; name another directory with -C", schema.Printable(dir))
	}
	name := c.String("system")
	if name == "" {
		name = all.Kinds()[0].Language.Name
	}
	kind, err := kindOf(name, dir)
	if err != nil {
		return err
	}
	files := fileSet{}
	if kind.Starter == nil {
		files["organization.hcl"] = bareFile(kind.Language).Bytes()
	} else if err := fs.WalkDir(kind.Starter, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files[path], err = fs.ReadFile(kind.Starter, path)
		return err
	}); err != nil {
		return err
	}
	if err := files.write(c.Context, dir, c.Bool("force")); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(files))
	if c.String("format") == "json" {
		return writeJSON(s, map[string]any{"format_version": "1.0", "system": name, "directory": dir, "files": names})
	}
	fmt.Fprintf(s.out, "A configuration of %s to begin with is in %s: %s.\n", name, schema.Printable(dir), strings.Join(names, ", "))
	if !c.IsSet("system") {
		var others []string
		for _, k := range all.Kinds()[1:] {
			others = append(others, k.Language.Name)
		}
		if len(others) > 0 {
			fmt.Fprintf(s.out, "For another system, --system NAME: %s.\n", strings.Join(others, ", "))
		}
	}
	_, err = fmt.Fprintf(s.out, "Read it through, then:\n   rolecall validate -C %[1]s\n   rolecall plan -C %[1]s\n", schema.Printable(dir))
	return err
}

// bareFile returns the starter of a system that has none of its own.
func bareFile(language *schema.System) *edit.File {
	b := edit.NewBlock("organization", "my_company")
	b.Set("system", edit.Text(language.Name))
	f := &edit.File{Comment: []string{"Which organization this is. Its other blocks:"}, Blocks: []*edit.Block{b}}
	for _, block := range language.Blocks {
		if block.Type != "organization" {
			label := ""
			if block.Label != "" {
				label = fmt.Sprintf(" %q", block.Label)
			}
			f.Comment = append(f.Comment, "", block.Type+label)
			for _, line := range edit.Wrap(block.Doc) {
				f.Comment = append(f.Comment, "  "+line)
			}
		}
	}
	return f
}

// guardFile returns the guards as they are without a guard block, written out.
func guardFile() *edit.File {
	g := schema.DefaultGuard()
	share := func(s schema.Share) edit.Value {
		if s.Percent {
			return edit.Text(fmt.Sprintf("%d%%", s.N))
		}
		return edit.Source(fmt.Sprint(s.N))
	}
	b := edit.NewBlock("guard")
	b.Set("max_members_losing_access", share(g.MaxMembersLosingAccess), "or a number of members")
	b.Set("max_removals", edit.Source(fmt.Sprint(g.MaxRemovals)), "memberships, groups, roles, members")
	b.Set("max_group_shrink", share(g.MaxGroupShrink), "of any single group")
	b.Set("max_spend_increase", share(g.MaxSpendIncrease))
	b.Set("protected", edit.Texts(nil), "addresses of people who must lose nothing")
	return &edit.File{Comment: edit.Wrap("What one plan may do. A plan that goes beyond is blocked, until the guard is accepted by name or the plan is made smaller. These are the defaults."), Blocks: []*edit.Block{b}}
}
