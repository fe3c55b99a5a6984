package render

import (
	"fmt"
	"strings"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

// topLines are the lines of a screen that people read without scrolling. The
// verdict and everything that blocks stand in them, at topWidth columns where
// the width is not known.
const (
	topLines = 40
	topWidth = 100
)

// blocked says everything that blocks the plan, as fully as the top has room
// for: each finding in its words; else those of one rule together, the first in
// its words and where the others are; else where they all are; and only if that
// is too much, where some of them are, and how many more there are.
func (t *text) blocked() {
	list := t.blocking()
	room := topLines - strings.Count(t.String(), "\n")
	width := t.width
	if width <= 0 {
		width = topWidth
	}
	lines := func(entries []string) int {
		n := 0
		for _, e := range entries {
			n += len(fold(e, width-blockedIndent))
		}
		return n
	}
	entries := inWords(list)
	rules := byRule(list)
	if lines(entries) > room {
		entries = entries[:0]
		for _, r := range rules {
			entries = append(entries, r.first())
		}
	}
	if lines(entries) > room {
		entries = entries[:0]
		for _, r := range rules {
			entries = append(entries, r.places(len(r.findings)))
		}
	}
	for most := 32; lines(entries) > room && most > 0; most /= 2 {
		entries = entries[:0]
		for _, r := range rules {
			entries = append(entries, r.places(most))
		}
	}
	for _, e := range entries {
		t.line("  "+t.Error("×")+" ", plain, "%s", e)
	}
}

// blockedIndent is how far what blocks is indented.
const blockedIndent = 4

func inWords(list []plan.Finding) []string {
	var entries []string
	for _, f := range list {
		entries = append(entries, fmt.Sprintf("%s: %s", f.Rule, schema.Printable(f.Message)))
	}
	return entries
}

// ruleFindings are the findings of one rule.
type ruleFindings struct {
	rule     string
	findings []plan.Finding
}

// byRule groups findings, in the order in which the rules come up.
func byRule(list []plan.Finding) []ruleFindings {
	var rules []ruleFindings
	at := map[string]int{}
	for _, f := range list {
		i, ok := at[f.Rule]
		if !ok {
			i = len(rules)
			at[f.Rule] = i
			rules = append(rules, ruleFindings{rule: f.Rule})
		}
		rules[i].findings = append(rules[i].findings, f)
	}
	return rules
}

// first is the first finding in its words, and where the others are.
func (r ruleFindings) first() string {
	if len(r.findings) == 1 {
		return inWords(r.findings)[0]
	}
	rest := ruleFindings{r.rule, r.findings[1:]}
	return fmt.Sprintf("%s, %s times: %s; also %s", r.rule, schema.Thousands(len(r.findings)),
		strings.TrimSuffix(schema.Printable(r.findings[0].Message), "."), rest.list(len(rest.findings)))
}

// places is where the findings are, at most so many of them.
func (r ruleFindings) places(most int) string {
	if len(r.findings) == 1 {
		return inWords(r.findings)[0]
	}
	return fmt.Sprintf("%s, %s times: %s", r.rule, schema.Thousands(len(r.findings)), r.list(most))
}

func (r ruleFindings) list(most int) string {
	var parts []string
	seen := map[string]bool{}
	for _, f := range r.findings {
		if p := placeOf(f); !seen[p] {
			seen[p] = true
			parts = append(parts, p)
		}
	}
	if len(parts) > most {
		return fmt.Sprintf("%s and %s more, below", strings.Join(parts[:most], ", "), schema.Thousands(len(parts)-most))
	}
	return strings.Join(parts, ", ")
}

// placeOf says in a few words what a finding is about.
func placeOf(f plan.Finding) string {
	switch {
	case f.Address != "":
		return schema.Printable(string(f.Address))
	case f.Range != nil:
		return place(f.Range)
	case len(f.Members) > 0:
		return schema.Printable(f.Members[0])
	}
	return cut(schema.Printable(f.Message), 60)
}
