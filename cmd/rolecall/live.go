package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// snapshotFlag makes a command work on a snapshot instead of the live
// organization.
func snapshotFlag() cli.Flag {
	return &cli.StringFlag{Name: "snapshot", Usage: "take the live state from `FILE`, made by rolecall snapshot, without any network"}
}

// cacheFlag belongs to the commands that may answer from what the last read
// kept, as long as the system says that nothing has changed. All others always
// read everything.
func cacheFlag() cli.Flag {
	return &cli.BoolFlag{Name: "no-cache", Usage: "read everything, even if nothing seems to have changed since the last time"}
}

// connect opens the live organization of a configuration to read it: the
// system's API, the embedded emulator, a snapshot, or what another configuration
// describes. Every command that needs live state gets it here.
func connect(c *cli.Context, s streams, cfg *configuration) (*providers.Connection, error) {
	path := c.String("snapshot")
	if c.IsSet("against") {
		if c.IsSet("snapshot") {
			return nil, usage("--against and --snapshot both say what to compare with; give one of the two")
		}
		if path = c.String("against"); !isFile(path) {
			return assumed(c, s, cfg, path)
		}
	}
	if path == "" {
		return cfg.kind.Connect(c.Context, cfg.Config, environment(c, s))
	}
	if c.Bool("reset") {
		return nil, errReset
	}
	snap, err := openSnapshot(path, cfg.System.Name)
	if err != nil {
		return nil, err
	}
	for _, o := range cfg.description.Objects {
		if o.Type == "organization" && o.ID != "" && !strings.EqualFold(o.ID, snap.ID) {
			at := o.Where("id")
			return nil, fmt.Errorf("%s:%d: the configuration is for organization %s, and %s is a snapshot of %s (%s): use the right snapshot, or correct the id",
				at.Filename, at.Start.Line, o.ID, path, snap.ID, snap.Name)
		}
	}
	if c.String("format") != "json" {
		fmt.Fprintf(s.err, "rolecall: live state as of %s, from %s\n", snap.TakenAt.Format(time.RFC3339), schema.Printable(path))
	}
	return providers.Offline(snap, cfg.system), nil
}

var errReset = usage("--reset starts the emulator over, and with --snapshot or --against there is none; leave one of them out")

// assumed opens what the configuration in a directory describes, as if it were
// live. It reads files and nothing else.
func assumed(c *cli.Context, s streams, cfg *configuration, dir string) (*providers.Connection, error) {
	if c.Bool("reset") {
		return nil, errReset
	}
	base, err := loadFrom(c, s, dir)
	if err != nil {
		return nil, err
	}
	if base.System.Name != cfg.System.Name {
		return nil, fmt.Errorf("%s is for system %q and %s for %q: they cannot be compared", c.String("C"), cfg.System.Name, dir, base.System.Name)
	}
	at, err := now(c, s)
	if err != nil {
		return nil, err
	}
	live := plan.Assumed(plan.Input{Config: base.Config, Description: base.description, System: base.system, Now: at}, cfg.description)
	described := map[schema.Address]bool{}
	for _, o := range slices.Concat(base.description.Objects, cfg.description.Objects) {
		described[o.Addr] = true
	}
	return providers.Supposed(live, base.system, cfg.system, described), nil
}

// openSnapshot reads a snapshot of a system.
func openSnapshot(path, system string) (*schema.Snapshot, error) {
	snap, err := schema.ReadSnapshot(path)
	if err != nil {
		return nil, err
	}
	if snap.System != system {
		return nil, fmt.Errorf("snapshot %s: it is of system %q, and the configuration of %q", path, snap.System, system)
	}
	return snap, nil
}

// environment returns what a connection may take from outside.
func environment(c *cli.Context, s streams) providers.Environment {
	may := slices.ContainsFunc(c.Command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), "no-cache") })
	return providers.Environment{Getenv: s.getenv, Reset: c.Bool("reset"), NoCache: !may || c.Bool("no-cache"), Progress: readProgress(s)}
}
