package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rolecall/rolecall/apply/journal"
	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/schema"
)

// TestWrittenDown: only what was confirmed for this configuration, with these
// values, and since the step was last asked for, counts.
func TestWrittenDown(t *testing.T) {
	start := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	asked := start.Add(-time.Hour)
	step := &schema.Step{ID: "group.g/hide", Effects: []schema.Effect{{Addr: "group.g", Attr: "invisible", Op: schema.Put, Value: schema.Text("x")}}}
	other := []schema.Effect{{Addr: "group.g", Attr: "invisible", Op: schema.Put, Value: schema.Text("y")}}
	tests := map[string]struct {
		asked   bool // by the last apply
		effects []schema.Effect
		at      time.Time
		digest  string
		want    bool
	}{
		"nothing":                  {true, nil, start, "now", false},
		"since-asked":              {true, step.Effects, asked.Add(time.Minute), "now", true},
		"before-asked":             {true, step.Effects, asked.Add(-time.Minute), "now", false},
		"never-asked-and-before":   {false, step.Effects, start.Add(-time.Minute), "now", false},
		"never-asked-and-meantime": {false, step.Effects, start.Add(time.Minute), "now", true},
		"another-value":            {true, other, start, "now", false},
		"another-configuration":    {true, step.Effects, start, "then", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.asked {
				j, err := journal.Create(filepath.Join(dir, ownDir, journalDir), func() time.Time { return asked }, journal.Record{})
				if err != nil {
					t.Fatal(err)
				}
				if err := j.Write(journal.Record{Kind: journal.Console, Step: step.ID}); err != nil {
					t.Fatal(err)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
			}
			l, err := ledger.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			l.Record(tt.effects, ledger.Entry{By: "Liv", At: tt.at, Configuration: tt.digest})
			if err := l.Save(); err != nil {
				t.Fatal(err)
			}
			cfg := &configuration{Config: &schema.Config{Dir: dir, Digest: "now"}}
			if got, err := writtenDown(cfg, start)(step); err != nil || got != tt.want {
				t.Errorf("%v, %v; want %v", got, err, tt.want)
			}
			if err := os.WriteFile(filepath.Join(dir, ledger.FileName), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := writtenDown(cfg, start)(step); err == nil {
				t.Error("half a ledger is no error")
			}
		})
	}
}
