package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/rolecall/rolecall/apply/journal"
	"github.com/rolecall/rolecall/schema"
)

// maxNamed is how many steps of a killed apply are named.
const maxNamed = 10

// sayKilled says on stderr which steps may have been under way when the last
// apply of a configuration was killed. Nothing depends on it: every apply looks
// before it writes. So a journal that cannot be read is said, and is no error.
func sayKilled(s streams, dir string) {
	files, err := journal.List(filepath.Join(dir, ownDir, journalDir))
	if err == nil && len(files) == 0 {
		return
	}
	var records []journal.Record
	if err == nil {
		records, err = journal.Read(files[len(files)-1])
	}
	if err != nil {
		fmt.Fprintf(s.err, "rolecall: what the last apply did is not known: %s\n", schema.PrintableLines(err.Error()))
	}
	if len(records) == 0 || records[len(records)-1].Kind == journal.End {
		return
	}
	begin := records[0]
	open := journal.Open(records)
	fmt.Fprintf(s.err, "rolecall: the last apply, of %s by %s, was killed before its end. ",
		begin.At.UTC().Format(time.RFC3339), schema.Printable(begin.Actor))
	if len(open) == 0 {
		fmt.Fprintln(s.err, "No step was under way.")
		return
	}
	var named []string
	for _, r := range open[:min(len(open), maxNamed)] {
		named = append(named, "  "+schema.Printable(r.Step))
	}
	if more := len(open) - len(named); more > 0 {
		named = append(named, fmt.Sprintf("  and %d more", more))
	}
	fmt.Fprintf(s.err, "These may have taken effect; the plan is made from what is there now:\n%s\n", strings.Join(named, "\n"))
}
