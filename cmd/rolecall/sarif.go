package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema/sarif"
)

// sarif writes the findings for code scanning.
func (r *review) sarif() error {
	path := r.c.String("sarif")
	if path == "" {
		return nil
	}
	shown, err := r.p.Call(r.people)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	err = sarif.Write(&b, sarif.Report{Tool: "rolecall", Version: version, Rules: sarifRules(), Results: sarifResults(shown.Findings, func(name string) (string, bool) { return inRepository(r.c, name) })})
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("findings for code scanning: %w", err)
	}
	return nil
}

// sarifRules describes every check there is.
func sarifRules() []sarif.Rule {
	var list []sarif.Rule
	for _, rule := range plan.Rules {
		list = append(list, sarif.Rule{ID: rule.ID, Short: rule.Doc, Level: sarifLevel(rule.Severity)})
	}
	return list
}

// sarifResults turns findings into results; where gives the path of a file in
// the repository.
func sarifResults(findings []plan.Finding, where func(string) (string, bool)) []sarif.Result {
	var list []sarif.Result
	for _, f := range findings {
		r := sarif.Result{Rule: f.Rule, Level: sarifLevel(f.Severity), Message: f.Message, Subject: string(f.Address)}
		if f.Accepted {
			r.Level = sarif.Note
		}
		if f.Fix != "" {
			r.Message += " To fix: " + f.Fix
		}
		if f.Range != nil {
			if path, ok := where(f.Range.Filename); ok {
				at := hcl.Pos{Line: f.Range.Start.Line, Column: f.Range.Start.Column}
				r.Range = hcl.Range{Filename: path, Start: at, End: at}
			}
		}
		list = append(list, r)
	}
	return list
}

func sarifLevel(s plan.Severity) string {
	switch s {
	case plan.Error:
		return sarif.Error
	case plan.Warning:
		return sarif.Warning
	}
	return sarif.Note
}
