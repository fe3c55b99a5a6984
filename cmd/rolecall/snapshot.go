package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

func snapshotCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "snapshot", Usage: "save the live organization in one file, to work on without a network",
		UsageText: "rolecall snapshot [options]\n\n   rolecall snapshot -C examples/acme -o acme.snapshot.json\n   rolecall plan -C examples/acme --snapshot acme.snapshot.json",
		Description: "Reads the live organization and cannot write to it. Beside the snapshot, its members are written as a\n" +
			"CSV file, to keep as a backup before a migration. Pseudonyms are the same throughout one file and cannot be\n" +
			"turned back; roles, groups, limits and who is in what stay as they are. Both can be read by their owner only; no key is in them.",
		Flags: append(commonFlags("text", "json"),
			&cli.StringFlag{Name: "o", Usage: "write to `FILE`, and the members beside it; - is stdout, without members (default: named after the organization and the day)"},
			&cli.BoolFlag{Name: "pseudonymise", Usage: "replace every name, address and id by one that is made up, to show the snapshot to others"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite files that are there"},
			snapshotFlag(),
			&cli.BoolFlag{Name: "reset", Usage: "start the embedded emulator over from its seed"},
		),
		Action: func(c *cli.Context) error { return doSnapshot(c, s) },
	}
}

func doSnapshot(c *cli.Context, s streams) error {
	if _, err := setUp(c, s, "text", "json"); err != nil {
		return err
	}
	at, err := now(c, s)
	if err != nil {
		return err
	}
	cfg, err := load(c, s)
	if err != nil {
		return err
	}
	conn, err := connect(c, s, cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	live, err := conn.Reader.Read(c.Context)
	if err != nil {
		return err
	}
	snap := providers.TakeSnapshot(cfg.system, cfg.System.Name, version, at, live)
	if c.Bool("pseudonymise") {
		if snap, err = providers.Pseudonymise(cfg.system, snap); err != nil {
			return err
		}
		live = snap.State
	}
	b, err := snap.Encode()
	if err != nil {
		return err
	}
	if c.String("o") == "-" {
		_, err := s.out.Write(b)
		return err
	}
	path := c.String("o")
	if path == "" {
		path = fileName(snap.Name) + "-" + at.Format(time.DateOnly) + ".snapshot.json"
	}
	members := strings.TrimSuffix(strings.TrimSuffix(path, ".json"), ".snapshot") + ".members.csv"
	if !c.Bool("force") {
		if err := absent(path, members); err != nil {
			return err
		}
	}
	list, err := membersCSV(live)
	if err != nil {
		return err
	}
	if err := schema.WritePrivate(members, list); err != nil {
		return fmt.Errorf("members: %w", err)
	}
	if err := schema.WritePrivate(path, b); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if c.String("format") == "json" {
		return writeJSON(s, map[string]any{"format_version": "1.0", "snapshot": path, "members": members, "organization": snap.Name, "id": snap.ID,
			"system": snap.System, "taken_at": snap.TakenAt, "objects": len(live.Objects), "unread": live.Unread})
	}
	fmt.Fprintf(s.out, "%s: %s of %s\n%s: %s\n", schema.Printable(path), schema.Count(len(live.Objects), "object"), schema.Printable(snap.Name),
		schema.Printable(members), schema.Count(len(live.Of("member")), "member"))
	for _, u := range live.Unread {
		fmt.Fprintf(s.err, "rolecall: not in it: %s: %s\n", schema.Printable(u.What), schema.Printable(u.Why))
	}
	return nil
}

// absent reports files that are there and must not be overwritten.
func absent(paths ...string) error {
	var there []string
	for _, p := range paths {
		if _, err := os.Lstat(p); err == nil {
			there = append(there, p)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("%s: already there, and nothing was written; remove what is in the way, or overwrite it with --force", strings.Join(there, ", "))
	}
	return nil
}

// fileName turns a name from anywhere into one that is safe for a file.
func fileName(name string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '-'
	}, name)
	for strings.Contains(safe, "--") {
		safe = strings.ReplaceAll(safe, "--", "-")
	}
	safe = strings.ToLower(strings.Trim(safe[:min(len(safe), 60)], "-"))
	if safe == "" {
		return "organization"
	}
	return safe
}

// membersCSV writes the members of a state as a table: address, what is known
// of each, and the groups they are in.
func membersCSV(live *schema.State) ([]byte, error) {
	groups := map[string][]string{}
	for _, g := range live.Of("group") {
		for _, email := range g.Get("members").AsSet() {
			groups[email] = append(groups[email], g.Key)
		}
	}
	attrs := map[string]bool{}
	for _, m := range live.Of("member") {
		for name, v := range m.Attrs {
			attrs[name] = attrs[name] || v.Known()
		}
	}
	maps.DeleteFunc(attrs, func(_ string, known bool) bool { return !known })
	columns := slices.Sorted(maps.Keys(attrs))
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	write := func(row []string) {
		for i := range row {
			row[i] = notFormula(row[i])
		}
		_ = w.Write(row) // into memory; Error says it all
	}
	write(append(append([]string{"email", "id"}, columns...), "groups"))
	for _, m := range live.Of("member") {
		row := []string{m.Key, m.ID}
		for _, name := range columns {
			row = append(row, cell(name, m.Get(name)))
		}
		write(append(row, strings.Join(groups[m.Key], "; ")))
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// cell writes a value for a table; amounts in major units.
func cell(name string, v schema.Value) string {
	switch v.Kind() {
	case schema.KindText:
		if strings.HasPrefix(name, "spend_limit.") {
			return schema.Major(v.AsText())
		}
		return v.AsText()
	case schema.KindSet:
		return strings.Join(v.AsSet(), "; ")
	case schema.KindAbsent:
		return ""
	}
	return v.String()
}

// notFormula returns s so that no spreadsheet takes it for a formula: names
// come from people, and a program that opens the table must not run them.
func notFormula(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r\n") || slices.ContainsFunc([]string{"＝", "＋", "－", "＠"}, func(p string) bool { return strings.HasPrefix(s, p) }) {
		return "'" + s
	}
	return s
}
