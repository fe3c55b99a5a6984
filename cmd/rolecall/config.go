package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/all"
	"github.com/rolecall/rolecall/schema"
)

// A configuration is a directory that was read and checked, with the system it
// is for.
type configuration struct {
	*schema.Config
	kind        providers.Kind
	system      providers.System
	description *schema.Description
	back        bool // describes an earlier state, so that a plan of it leads back
}

// load reads the configuration of a command. If anything is wrong with it,
// everything that is was printed and the error is silent.
func load(c *cli.Context, s streams) (*configuration, error) { return loadFrom(c, s, c.String("C")) }

// loadFrom is load for a directory that -C does not name.
func loadFrom(c *cli.Context, s streams, dir string) (*configuration, error) {
	cfg, diags := check(c, s, dir)
	return cfg, report(c, s, cfg.Config, diags)
}

// check reads the configuration in a directory, and returns everything that is
// wrong with it, in the order of files and lines.
func check(c *cli.Context, s streams, dir string) (*configuration, hcl.Diagnostics) {
	cfg, diags := schema.Load(dir, schema.Options{
		Systems: all.Languages(), Vars: c.StringSlice("var"), VarFiles: c.StringSlice("var-file"), Environ: s.environ,
	})
	out := &configuration{Config: cfg}
	if kind, ok := all.Find(cfg); ok {
		out.kind, out.system = kind, kind.New(cfg)
		description, more := out.system.Describe()
		out.description = description
		more = append(more, unknownRules(cfg)...)
		diags = append(diags, notFollowing(cfg, diags, more)...)
		schema.SortDiagnostics(diags)
	}
	return out, diags
}

// unknownRules warns of blocks about checks that there are not.
func unknownRules(cfg *schema.Config) hcl.Diagnostics {
	var ids []string
	for _, r := range plan.Rules {
		ids = append(ids, r.ID)
	}
	var diags hcl.Diagnostics
	known := func(name string, decl hcl.Range) {
		if slices.Contains(ids, name) {
			return
		}
		detail := fmt.Sprintf("This version has no check called %q, so the block changes nothing.", name)
		if n := schema.Nearest(name, ids); n != "" {
			detail += fmt.Sprintf(" Did you mean %q?", n)
		}
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Unknown check", Detail: detail, Subject: decl.Ptr()})
	}
	for _, r := range cfg.Rules {
		known(r.Name, r.Decl)
	}
	for _, a := range cfg.Accepts {
		if !strings.HasPrefix(a.Name, "guard.") {
			known(a.Name, a.Decl)
		}
	}
	return diags
}

// notFollowing returns what the system found, without what it found missing in
// blocks that are broken already: that may only follow from it.
func notFollowing(cfg *schema.Config, broken, found hcl.Diagnostics) hcl.Diagnostics {
	blockOf := func(d *hcl.Diagnostic) (block hcl.Pos, ok bool) {
		if d.Subject == nil {
			return block, false
		}
		for _, b := range cfg.Blocks {
			if r := b.Range; r.Filename == d.Subject.Filename && r.Start.Line <= d.Subject.Start.Line && r.Start.Line >= block.Line {
				block, ok = r.Start, true
			}
		}
		return block, ok
	}
	var list hcl.Diagnostics
	for _, d := range found {
		at, ok := blockOf(d)
		_, may := d.Extra.(schema.MayFollow)
		follows := false
		for _, e := range broken {
			if other, known := blockOf(e); may && e.Severity == hcl.DiagError && ok && known && other == at && e.Subject.Filename == d.Subject.Filename {
				follows = true
			}
		}
		if !follows {
			list = append(list, d)
		}
	}
	return list
}

// report prints diagnostics: as text on stderr, or as JSON on stdout.
func report(c *cli.Context, s streams, cfg *schema.Config, diags hcl.Diagnostics) error {
	if c.String("format") == "json" {
		if diags.HasErrors() {
			if err := writeJSON(s, map[string]any{"format_version": "1.0", "valid": false, "diagnostics": schema.DiagnosticsJSON(diags)}); err != nil {
				return err
			}
		}
	} else if err := schema.WriteDiagnostics(s.err, cfg.Files, diags, s.width, !color.NoColor); err != nil {
		return err
	}
	return configurationError(diags)
}

func writeJSON(s streams, v any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// now returns the time that a command takes for now: --now, else
// SOURCE_DATE_EPOCH, else the clock.
func now(c *cli.Context, s streams) (time.Time, error) {
	if v := c.String("now"); v != "" {
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if t, err := time.Parse(layout, v); err == nil {
				return t.UTC(), nil
			}
		}
		return time.Time{}, usage("--now %q is neither a time such as 2026-12-01T09:00:00Z nor a day such as 2026-12-01", v)
	}
	if v := s.getenv("SOURCE_DATE_EPOCH"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %q is not a number of seconds", v)
		}
		return time.Unix(n, 0).UTC(), nil
	}
	return time.Now().UTC(), nil
}
