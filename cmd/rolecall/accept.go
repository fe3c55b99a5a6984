package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/edit"
	"github.com/rolecall/rolecall/schema/textdiff"
)

// A takeover writes live values into a configuration, in place.
type takeover struct {
	cfg     *configuration
	plan    *plan.Plan
	files   fileSet                   // what changes, by name in the directory
	written map[schema.Address]bool   // objects of which every difference was written
	byHand  map[schema.Address]string // objects that a person has to decide about, and why
}

// byHandItem is an object that was not taken over.
type byHandItem struct {
	Address schema.Address `json:"address"`
	Why     string         `json:"why"`
}

// acceptDrift writes the live values of what differs into the configuration.
// What it writes was tried: a plan of it finds nothing to change in the objects
// that were taken over.
func acceptDrift(c *cli.Context, s streams, cfg *configuration, live *schema.State, p *plan.Plan, d *plan.Drift) error {
	chosen, err := chosenDrift(c.Args().Slice(), d)
	if err != nil {
		return err
	}
	t, err := takeOver(c, s, cfg, live, p, chosen)
	if err != nil {
		return err
	}
	if err := t.files.write(c.Context, c.String("C"), true); err != nil {
		return err
	}
	written := []schema.Address{}
	byHand := []byHandItem{}
	for _, o := range chosen {
		if why, ok := t.byHand[o.Address]; ok {
			byHand = append(byHand, byHandItem{o.Address, why})
		} else {
			written = append(written, o.Address)
		}
	}
	left := exitOK
	if len(d.Objects) > len(written) {
		left = exitDifferences
	}
	if d.Verdict == plan.DriftUnproven {
		left = exitUndetermined
	}
	if c.String("format") == "json" {
		if err := writeJSON(s, map[string]any{"format_version": "1.0", "organization": d.Organization, "accepted": written, "by_hand": byHand, "left": len(d.Objects) - len(written)}); err != nil {
			return err
		}
		return status(left)
	}
	t.show(s)
	fmt.Fprintf(s.out, "%s of %s taken over into the configuration. Look at the change, and commit it.\n",
		schema.Thousands(len(written)), schema.Count(len(d.Objects), "object"))
	for _, h := range byHand {
		fmt.Fprintf(s.out, "By hand: %s: %s\n", schema.Printable(string(h.Address)), schema.Printable(h.Why))
	}
	return status(left)
}

// chosenDrift returns the objects that the arguments name, all if there are
// none.
func chosenDrift(args []string, d *plan.Drift) ([]plan.Differing, error) {
	if len(args) == 0 {
		return d.Objects, nil
	}
	var chosen []plan.Differing
	var names []string
	for _, o := range d.Objects {
		names = append(names, string(o.Address))
		if slices.Contains(args, string(o.Address)) {
			chosen = append(chosen, o)
		}
	}
	for _, a := range args {
		if slices.Contains(names, a) {
			continue
		}
		if n := schema.Nearest(a, names); n != "" {
			return nil, usage("%s does not differ; did you mean %s?", a, n)
		}
		return nil, usage("%s does not differ, so there is nothing to take over", a)
	}
	return chosen, nil
}

// takeOver makes the edits, and tries them. An object that would differ all the
// same is left as it was.
func takeOver(c *cli.Context, s streams, cfg *configuration, live *schema.State, p *plan.Plan, chosen []plan.Differing) (*takeover, error) {
	refused := map[schema.Address]string{}
	for {
		t := &takeover{cfg: cfg, plan: p, files: fileSet{}, written: map[schema.Address]bool{}, byHand: map[schema.Address]string{}}
		for _, o := range chosen {
			if why, ok := refused[o.Address]; ok {
				t.byHand[o.Address] = why
				continue
			}
			if why := t.object(c.String("C"), o); why != "" {
				t.byHand[o.Address] = why
				continue
			}
			t.written[o.Address] = true
		}
		if len(t.written) == 0 {
			t.files = fileSet{}
			return t, nil
		}
		left, err := t.try(c, s, live)
		if err != nil {
			return nil, err
		}
		again := false
		for _, o := range left {
			if t.written[o.Address] {
				refused[o.Address], again = "its value comes from more than one place, and writing it down would not change all of it", true
			}
		}
		if !again {
			return t, nil
		}
	}
}

// try plans what the files would be and returns what differs then.
func (t *takeover) try(c *cli.Context, s streams, live *schema.State) ([]plan.Differing, error) {
	stage, err := t.files.trial(c.String("C"))
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(stage)
	cfg, diags := check(c, s, stage)
	if diags.HasErrors() {
		return nil, fmt.Errorf("nothing was written, because the configuration would not be valid with it: %s", strings.ReplaceAll(diags.Error(), stage+string(filepath.Separator), ""))
	}
	at, err := now(c, s)
	if err != nil {
		return nil, err
	}
	snap := providers.TakeSnapshot(t.cfg.system, t.cfg.System.Name, version, at, live)
	state, err := providers.Offline(snap, cfg.system).Reader.Read(c.Context)
	if err != nil {
		return nil, err
	}
	p, err := plan.Build(plan.Input{Config: cfg.Config, Description: cfg.description, System: cfg.system, Live: state, Version: version, Now: at})
	if err != nil {
		return nil, err
	}
	return p.Drift().Objects, nil
}

// object writes what is live of one object. It returns why it cannot, and then
// has changed nothing.
func (t *takeover) object(dir string, o plan.Differing) string {
	switch o.How {
	case plan.HowMissing:
		return "it is not there any more: take its block out, or apply to make it again"
	case plan.HowExtra:
		return "it is to be removed, and is there: take out what removes it, or apply"
	}
	described := t.plan.Desired.Objects[o.Address]
	if described == nil || !described.Described() {
		return "no block of its own describes it: another block does, such as a wave"
	}
	name, err := filepath.Rel(dir, described.Decl.Filename)
	if err != nil || !filepath.IsLocal(name) || !strings.HasSuffix(name, ".hcl") {
		return "it is described outside of the directory, or in JSON"
	}
	name = filepath.ToSlash(name)
	src, ok := t.files[name]
	if !ok {
		file := t.cfg.Files[described.Decl.Filename]
		if file == nil {
			return "its file cannot be read"
		}
		src = file.Bytes
	}
	for _, f := range o.Fields {
		v, why := t.value(o.Address, f)
		if why != "" {
			return why
		}
		if src, err = edit.SetAttribute(src, described.Decl.Filename, o.Address, f.Attr, v); err != nil {
			return err.Error()
		}
	}
	t.files[name] = src
	return ""
}

// value returns a live value as the configuration writes it.
func (t *takeover) value(addr schema.Address, f plan.Difference) (v edit.Value, why string) {
	decl := t.cfg.System.Block(addr.Type())
	if decl == nil {
		return v, "the configuration has no such block"
	}
	attr := decl.Attr(f.Attr)
	if attr == nil {
		return v, f.Attr + " is made of several values: see what is live with rolecall import"
	}
	live := f.Live
	switch attr.Type {
	case schema.PeopleType, schema.ListType, schema.RefList:
		if live.Kind() != schema.KindSet && live.Kind() != schema.KindAbsent {
			break
		}
		if attr.Type == schema.RefList {
			var refs []schema.Address
			for _, a := range live.AsSet() {
				if !t.described(schema.Address(a)) {
					return v, fmt.Sprintf("%s of it has %s, which no block describes", f.Attr, a)
				}
				refs = append(refs, schema.Address(a))
			}
			return edit.Refs(refs), ""
		}
		return edit.Texts(live.AsSet()), ""
	case schema.MapType:
		if live.Kind() == schema.KindMap || live.Kind() == schema.KindAbsent {
			return edit.Entries(live.AsMap()), ""
		}
	case schema.BoolType:
		if live.Kind() == schema.KindBool {
			return edit.Bool(live.AsBool()), ""
		}
	case schema.TextType:
		if live.Kind() == schema.KindText {
			return edit.Text(live.AsText()), ""
		}
	}
	return v, f.Attr + " cannot be written down as it is live"
}

func (t *takeover) described(addr schema.Address) bool {
	return slices.ContainsFunc(t.cfg.Blocks, func(b *schema.Described) bool { return b.Addr == addr })
}

// show prints the changes of the files as a diff.
func (t *takeover) show(s streams) {
	for _, name := range slices.Sorted(maps.Keys(t.cfg.Files)) {
		rel, err := filepath.Rel(t.cfg.Dir, name)
		if err != nil {
			continue
		}
		if src, ok := t.files[filepath.ToSlash(rel)]; ok {
			fmt.Fprint(s.out, schema.PrintableLines(textdiff.Unified(name, string(t.cfg.Files[name].Bytes), name, string(src))))
		}
	}
}
