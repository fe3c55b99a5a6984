package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/all"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
)

func importCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "import", Usage: "write the configuration of an organization that is there already",
		UsageText: "rolecall import [options]\n\n   rolecall import -C examples/acme -o acme\n   rolecall plan -C acme --detailed-exitcode",
		Description: "Describes the live organization as it is, so that a plan finds nothing to change. What the language cannot\n" +
			"say is listed, and written down as comments. Where the directory has an organization block, it says how the\n" +
			"organization is reached; else --system says what it is. Files are written all or none, and none is overwritten.",
		Flags: append(append(commonFlags("text", "json"),
			&cli.StringFlag{Name: "o", Usage: "write into `DIR` (default: the directory of -C)"}),
			importFlags()...),
		Action: func(c *cli.Context) error { return doImport(c, s) },
	}
}

// importFlags are the flags of every command that writes what is live.
func importFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "system", Usage: "the `NAME` of the system, where no configuration says it"},
		&cli.IntFlag{Name: "csv", Usage: "write the members of groups with `N` or more as CSV files"},
		&cli.BoolFlag{Name: "force", Usage: "overwrite files that are there"},
		snapshotFlag(),
		&cli.BoolFlag{Name: "reset", Usage: "start the embedded emulator over from its seed"},
	}
}

func doImport(c *cli.Context, s streams) error {
	if _, err := setUp(c, s, "text", "json"); err != nil {
		return err
	}
	dir := c.String("C")
	if c.String("o") != "" {
		dir = c.String("o")
	}
	w, err := importLive(c, s, dir)
	if err != nil {
		return err
	}
	return w.finish(c, s)
}

// A written is what an import wrote, or is about to.
type written struct {
	dir      string
	system   string
	snapshot *schema.Snapshot
	imported *providers.Imported
	files    fileSet
	verdict  plan.Verdict
}

// importLive reads the live organization and makes the files that describe it.
// It tries them: a plan of them finds nothing to change.
func importLive(c *cli.Context, s streams, dir string) (*written, error) {
	if c.Int("csv") < 0 || c.IsSet("csv") && c.Int("csv") == 0 {
		return nil, usage("--csv %d: write how many members make a list long, such as 50", c.Int("csv"))
	}
	at, err := now(c, s)
	if err != nil {
		return nil, err
	}
	cfg, err := source(c, s)
	if err != nil {
		return nil, err
	}
	if _, ok := cfg.system.(providers.Importer); !ok {
		return nil, fmt.Errorf("%s cannot be imported: no read shows what it holds; begin with rolecall init --system %s", cfg.System.Name, cfg.System.Name)
	}
	conn, err := connect(c, s, cfg)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	live, err := conn.Reader.Read(c.Context)
	if err != nil {
		return nil, err
	}
	w := &written{dir: dir, system: cfg.System.Name, snapshot: providers.TakeSnapshot(cfg.system, cfg.System.Name, version, at, live)}
	o := providers.ImportOptions{Dir: dir, CSV: c.Int("csv"), Described: map[schema.Address]bool{}, Without: map[schema.Address]string{}}
	if same(dir, c.String("C")) {
		for _, b := range cfg.Blocks {
			o.Described[b.Addr] = true
		}
	}
	return w, w.describe(cfg, live, o, at)
}

// attempts is how many times an import leaves out what does not come back as
// it was, before it gives up.
const attempts = 5

// describe writes the files and tries them. What a plan would change is left
// out and listed: a configuration that changes nothing is worth more than one
// that says everything.
func (w *written) describe(cfg *configuration, live *schema.State, o providers.ImportOptions, at time.Time) error {
	for range attempts {
		w.imported = cfg.system.(providers.Importer).Import(live, o)
		w.files = fileSet{}
		for _, f := range w.imported.Files {
			w.files[f.Name] = f.Bytes()
		}
		for _, t := range w.imported.Tables {
			w.files[t.Name] = t.Data
		}
		if _, err := os.Lstat(filepath.Join(w.dir, notDescribed)); len(w.imported.Unsaid) > 0 || err == nil {
			w.files[notDescribed] = unsaidFile(w.imported.Unsaid).Bytes()
		}
		p, err := w.try(at)
		if err != nil {
			return err
		}
		w.verdict = p.Verdict
		left := maps.Clone(o.Without)
		for _, ch := range p.Changed {
			o.Without[ch.Address] = "a plan of it would find something to change"
		}
		for _, f := range p.Findings {
			if f.Severity == plan.Error && !f.Accepted && f.Address != "" {
				o.Without[f.Address] = f.Message
			}
		}
		if len(left) == len(o.Without) {
			if p.Verdict == plan.Changes || p.Verdict == plan.Blocked {
				break
			}
			return nil
		}
	}
	return fmt.Errorf("nothing was written: what describes %s would not come back as it is (%s); please report it", schema.Printable(w.snapshot.Name), w.verdict)
}

// try plans what would be in the directory against what was read.
func (w *written) try(at time.Time) (*plan.Plan, error) {
	stage, err := w.files.trial(w.dir)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(stage)
	cfg, diags := schema.Load(stage, schema.Options{Systems: all.Languages()})
	kind, ok := all.Find(cfg)
	if !ok {
		return nil, fmt.Errorf("nothing was written: %w", diags)
	}
	system := kind.New(cfg)
	description, more := system.Describe()
	if diags = append(diags, more...); diags.HasErrors() {
		for _, d := range diags {
			if d.Subject != nil {
				d.Subject.Filename = strings.TrimPrefix(d.Subject.Filename, stage+string(filepath.Separator))
			}
			d.Detail = strings.ReplaceAll(d.Detail, stage+string(filepath.Separator), "")
		}
		return nil, fmt.Errorf("nothing was written, because with what is in %s already it would not be valid: %w", schema.Printable(w.dir), errors.Join(diags.Errs()...))
	}
	state, err := providers.Offline(w.snapshot, system).Reader.Read(context.Background())
	if err != nil {
		return nil, err
	}
	return plan.Build(plan.Input{Config: cfg, Description: description, System: system, Live: state, Version: version, Now: at})
}

// source returns the configuration that says how the organization is reached:
// that of the directory, or else one of nothing but the system.
func source(c *cli.Context, s streams) (*configuration, error) {
	files, err := configured(c.String("C"))
	if err != nil {
		return nil, err
	}
	if files {
		cfg, err := load(c, s)
		if err == nil && c.IsSet("system") && c.String("system") != cfg.System.Name {
			return nil, usage("--system %s: the configuration in %s is of %s", c.String("system"), c.String("C"), cfg.System.Name)
		}
		return cfg, err
	}
	name := c.String("system")
	if name == "" && c.IsSet("snapshot") {
		snap, err := schema.ReadSnapshot(c.String("snapshot"))
		if err != nil {
			return nil, err
		}
		name = snap.System
	}
	kind, err := kindOf(name, c.String("C"))
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "rolecall-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	b := edit.NewBlock("organization", bare)
	b.Set("system", edit.Text(name))
	if err := os.WriteFile(filepath.Join(dir, "organization.hcl"), (&edit.File{Blocks: []*edit.Block{b}}).Bytes(), 0o600); err != nil {
		return nil, err
	}
	cfg, diags := schema.Load(dir, schema.Options{Systems: all.Languages()})
	if diags.HasErrors() {
		return nil, diags
	}
	cfg.Blocks = slices.DeleteFunc(cfg.Blocks, func(b *schema.Described) bool { return b.Type == "organization" }) // it was never written
	system := kind.New(cfg)
	description, _ := system.Describe()
	return &configuration{Config: cfg, kind: kind, system: system, description: description}, nil
}

// bare is the label of an organization of which nothing is known yet.
const bare = "organization"

// kindOf returns the kind of system called name.
func kindOf(name, dir string) (providers.Kind, error) {
	var names []string
	for _, k := range all.Kinds() {
		if k.Language.Name == name {
			return k, nil
		}
		names = append(names, k.Language.Name)
	}
	switch n := schema.Nearest(name, names); {
	case name == "":
		return providers.Kind{}, usage("%s has no configuration that says what to reach: name the system with --system (%s)", dir, strings.Join(names, ", "))
	case n != "":
		return providers.Kind{}, usage("--system %q: there is no such system; did you mean %q?", name, n)
	}
	return providers.Kind{}, usage("--system %q: there is no such system; there are %s", name, strings.Join(names, ", "))
}

// configured reports whether a directory has files of a configuration.
func configured(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return strings.HasSuffix(e.Name(), ".hcl") || strings.HasSuffix(e.Name(), ".hcl.json")
	}), err
}

// same reports whether two paths are of one directory.
func same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX == nil && errY == nil {
		return os.SameFile(x, y)
	}
	return filepath.Clean(a) == filepath.Clean(b)
}

// notDescribed is the file that lists what the language cannot say.
const notDescribed = "not-described.hcl"

// unsaidFile returns a file of nothing but comments.
func unsaidFile(list []providers.Unsaid) *edit.File {
	f := &edit.File{Comment: edit.Wrap("What is live and not in this configuration: it stays as it is. Nothing in this file has an effect.")}
	if len(list) == 0 {
		f.Comment = append(f.Comment, "", "There is nothing of the kind.")
	}
	last := schema.Address("")
	for _, u := range list {
		if u.Address != last {
			f.Comment = append(f.Comment, "", string(u.Address))
			last = u.Address
		}
		for i, line := range edit.Wrap(u.What + ": " + u.Why) {
			f.Comment = append(f.Comment, map[bool]string{true: "  - ", false: "    "}[i == 0]+line)
		}
	}
	return f
}

// finish writes the files and says what they are.
func (w *written) finish(c *cli.Context, s streams) error {
	if err := w.files.write(c.Context, w.dir, c.Bool("force")); err != nil {
		return err
	}
	type file struct {
		Name   string `json:"name"`
		Blocks int    `json:"blocks"`
	}
	files := []file{}
	for _, f := range w.imported.Files {
		files = append(files, file{f.Name, len(f.Blocks)})
	}
	if c.String("format") == "json" {
		tables, unsaid := []string{}, w.imported.Unsaid
		for _, t := range w.imported.Tables {
			tables = append(tables, t.Name)
		}
		if unsaid == nil {
			unsaid = []providers.Unsaid{}
		}
		return writeJSON(s, map[string]any{"format_version": "1.0", "organization": w.snapshot.Name, "id": w.snapshot.ID, "system": w.system, "directory": w.dir,
			"files": files, "tables": tables, "not_described": unsaid, "verdict": w.verdict})
	}
	fmt.Fprintf(s.out, "%s, with %s, is described in %s:\n", schema.Printable(w.snapshot.Name), schema.Count(len(w.snapshot.State.Of("member")), "member"), schema.Printable(w.dir))
	for _, f := range files {
		fmt.Fprintf(s.out, "  %-18s %s\n", f.Name, schema.Count(f.Blocks, "block"))
	}
	lists := 0
	for _, t := range w.imported.Tables {
		if strings.HasSuffix(t.Name, ".csv") {
			lists++
			continue
		}
		fmt.Fprintf(s.out, "  %-18s %s\n", t.Name, "what was confirmed")
	}
	if lists > 0 {
		fmt.Fprintf(s.out, "  %-18s %s\n", "members/", schema.Count(lists, "CSV file"))
	}
	if len(w.imported.Unsaid) > 0 {
		fmt.Fprintf(s.out, "\nNot described, so left as it is (also in %s):\n", notDescribed)
		for _, u := range w.imported.Unsaid {
			fmt.Fprintf(s.out, "  %s: %s (%s)\n", schema.Printable(string(u.Address)), schema.Printable(u.What), schema.Printable(u.Why))
		}
	}
	_, err := fmt.Fprintf(s.out, "\nA plan of it finds nothing to change. Look through the files, commit them, and change what should be otherwise:\n   rolecall plan -C %s\n", schema.Printable(w.dir))
	return err
}
