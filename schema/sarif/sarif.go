// Package sarif writes what was found in files in the Static Analysis Results
// Interchange Format, which code hosts show beside the lines. It knows nothing
// of what was looked for: its caller says that in rules and results.
//
// Source: SARIF 2.1.0, OASIS standard, sections 3.13 (sarifLog), 3.14 (run),
// 3.19 (toolComponent), 3.27 (result), 3.30 (region) and 3.49
// (reportingDescriptor).
package sarif

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// The levels of a result.
const (
	Error   = "error"
	Warning = "warning"
	Note    = "note"
)

// A Rule is something that is looked for.
type Rule struct {
	ID    string // stable, without spaces
	Short string // in one sentence
	Help  string // what to do about it; may be ""
	Level string // of its results, unless they say another
}

// A Result is one thing that was found.
type Result struct {
	Rule    string // the ID of one of the rules
	Level   string
	Message string
	Range   hcl.Range // the zero Range for none
	Subject string    // what it is about, if it is not about a place: part of what tells results apart
}

// A Report is what one run found.
type Report struct {
	Tool    string // its name
	Version string
	Rules   []Rule
	Results []Result
	Files   map[string]*hcl.File // by name, to count columns as the format does
}

// Write writes a report. Results that cannot be told apart are written once.
// The same report gives the same bytes.
func Write(w io.Writer, r Report) error {
	rules := slices.Clone(r.Rules)
	slices.SortFunc(rules, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	rules = slices.CompactFunc(rules, func(a, b Rule) bool { return a.ID == b.ID })
	out := run{
		Tool:       tool{driver{Name: r.Tool, Version: r.Version, Rules: []descriptor{}}},
		ColumnKind: "unicodeCodePoints",
		Results:    []result{},
	}
	for _, rule := range rules {
		d := descriptor{ID: rule.ID, Short: text{rule.Short}, Default: configuration{rule.Level}}
		if rule.Help != "" {
			d.Help = &text{rule.Help}
		}
		out.Tool.Driver.Rules = append(out.Tool.Driver.Rules, d)
	}
	seen := map[string]bool{}
	for _, res := range r.Results {
		print := fingerprint(res)
		key := print + "\x00" + res.Range.String()
		if seen[key] {
			continue
		}
		seen[key] = true
		index, _ := slices.BinarySearchFunc(rules, res.Rule, func(a Rule, id string) int { return strings.Compare(a.ID, id) })
		entry := result{RuleID: res.Rule, RuleIndex: index, Level: res.Level, Message: text{res.Message}, Fingerprints: map[string]string{"rolecall/v1": print}}
		if res.Range.Filename != "" {
			entry.Locations = []location{{physical{
				Artifact: artifact{URI: uri(res.Range.Filename)},
				Region:   r.region(res.Range),
			}}}
		}
		out.Results = append(out.Results, entry)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(log{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []run{out}})
}

// fingerprint returns what stays the same of a result when lines are added
// before it.
func fingerprint(r Result) string {
	h := sha256.New()
	for _, s := range []string{r.Rule, filepath.ToSlash(r.Range.Filename), r.Subject, r.Message} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// region returns a place, with columns in code points.
func (r *Report) region(at hcl.Range) region {
	line := max(at.Start.Line, 1)
	out := region{StartLine: line, StartColumn: r.column(at.Filename, at.Start), EndLine: max(at.End.Line, line), EndColumn: r.column(at.Filename, at.End)}
	if out.EndLine == out.StartLine && out.EndColumn <= out.StartColumn {
		out.EndColumn = out.StartColumn + 1
	}
	return out
}

// column returns the column of a position, counted in code points from one.
// The positions of the language count what is seen as one letter.
func (r *Report) column(name string, pos hcl.Pos) int {
	file := r.Files[name]
	if file == nil || pos.Byte > len(file.Bytes) || pos.Byte < 0 {
		return max(pos.Column, 1)
	}
	line := bytes.LastIndexByte(file.Bytes[:pos.Byte], '\n') + 1
	return utf8.RuneCount(file.Bytes[line:pos.Byte]) + 1
}

// uri writes the name of a file as a relative URI reference.
func uri(name string) string {
	return (&url.URL{Path: filepath.ToSlash(name)}).EscapedPath()
}

type log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []run  `json:"runs"`
}

type run struct {
	Tool       tool     `json:"tool"`
	ColumnKind string   `json:"columnKind"`
	Results    []result `json:"results"`
}

type tool struct {
	Driver driver `json:"driver"`
}

type driver struct {
	Name    string       `json:"name"`
	Version string       `json:"version,omitempty"`
	Rules   []descriptor `json:"rules"`
}

type descriptor struct {
	ID      string        `json:"id"`
	Short   text          `json:"shortDescription"`
	Help    *text         `json:"help,omitempty"`
	Default configuration `json:"defaultConfiguration"`
}

type configuration struct {
	Level string `json:"level"`
}

type text struct {
	Text string `json:"text"`
}

type result struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      text              `json:"message"`
	Locations    []location        `json:"locations,omitempty"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type location struct {
	Physical physical `json:"physicalLocation"`
}

type physical struct {
	Artifact artifact `json:"artifactLocation"`
	Region   region   `json:"region"`
}

type artifact struct {
	URI string `json:"uri"`
}

type region struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	EndLine     int `json:"endLine"`
	EndColumn   int `json:"endColumn"`
}
