package plan

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/schema"
)

// A Severity says how much a finding weighs. A plan with an error that is not
// accepted is blocked.
type Severity string

// The severities, and Off for a check that is switched off.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
	Off     Severity = "off"
)

// A Finding is what a check says.
type Finding struct {
	Rule     string         `json:"rule"`
	Severity Severity       `json:"severity"`
	Message  string         `json:"message"`
	Address  schema.Address `json:"address,omitempty"`
	Range    *Range         `json:"range,omitempty"`
	Members  []string       `json:"members,omitempty"`
	Fix      string         `json:"fix,omitempty"`
	Accepted bool           `json:"accepted"`

	// AcceptedBy is the place of the accept block that takes the risk, or the
	// option that does.
	AcceptedBy string `json:"accepted_by,omitempty"`

	// Accept is the option that takes the risk of an error, such as
	// "--accept guard.max_removals"; "" where it cannot be taken.
	Accept string `json:"accept,omitempty"`
}

// A Range is a place in the configuration.
type Range struct {
	Filename string   `json:"filename"`
	Start    Position `json:"start"`
	Text     string   `json:"text,omitempty"` // the line of the configuration
}

// A Position is a line and a column, both counted from 1.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// finding is a finding before rules and acceptances.
type finding struct {
	Rule     string
	Severity Severity // "" for the rule's default
	Message  string
	Address  schema.Address
	About    []schema.Address // what a rule's ignore list may name, besides Address
	Range    hcl.Range
	Members  []string
	Fix      string
	Accept   string // the name to accept it by, the rule's id if empty
	Much, Of int    // what an accept block's up_to is compared with: how much, out of how much
	Gap      bool   // that somebody has too little for a while, which can be accepted
}

// option returns the option that accepts an error called name.
func (f *finding) option(name string) string {
	switch {
	case f.Rule == "unsafe-order":
		return "--accept-gaps"
	case slices.Contains(unacceptable, f.Rule):
		return ""
	}
	return "--accept " + name
}

// Acceptance returns the options that accept everything that blocks p, each by
// its name. It returns false if some of it cannot be accepted.
func (p *Plan) Acceptance() (options []string, ok bool) {
	for _, f := range p.Findings {
		if f.Severity != Error || f.Accepted {
			continue
		}
		if f.Accept == "" {
			return nil, false
		}
		options = append(options, f.Accept)
	}
	slices.Sort(options)
	return slices.Compact(options), len(options) > 0
}

// Acceptable returns the names that findings can be accepted by.
func Acceptable() []string {
	var names []string
	for _, r := range Rules {
		if r.ID != "guard-exceeded" && !slices.Contains(unacceptable, r.ID) {
			names = append(names, r.ID)
		}
	}
	for _, g := range guardNames {
		names = append(names, "guard."+g)
	}
	return names
}

// defaultSeverity returns the severity of a rule.
func defaultSeverity(rule string) Severity {
	for _, r := range Rules {
		if r.ID == rule {
			return r.Severity
		}
	}
	panic("plan: no such rule: " + rule)
}

// judge turns findings into what the plan says: rules change the severity or
// ignore, and what is accepted no longer blocks.
func (in *Input) judge(found []*finding, members int) []Finding {
	rules := in.Config.Rules
	var list []Finding
	concerned := map[string]int{} // members of all findings of a rule
	for _, f := range found {
		concerned[f.Rule] += max(len(f.Members), 1)
	}
	for _, f := range found {
		sev := f.Severity
		if sev == "" {
			sev = defaultSeverity(f.Rule)
		}
		ignored := false
		for _, r := range rules {
			if r.Name != f.Rule || slices.Contains(firm, r.Name) {
				continue
			}
			if r.Severity != "" {
				sev = Severity(r.Severity)
			}
			for _, a := range r.Ignore {
				ignored = ignored || a == f.Address || slices.Contains(f.About, a)
			}
		}
		if ignored || sev == Off {
			continue
		}
		name := f.Accept
		if name == "" {
			name = f.Rule
		}
		if f.Accept == "" {
			f.Much, f.Of = concerned[f.Rule], members
		}
		by := in.acceptedBy(f, name, members)
		option := ""
		if sev == Error {
			option = f.option(name)
		}
		list = append(list, Finding{
			Rule: f.Rule, Severity: sev, Message: f.Message, Address: f.Address, Range: place(f.Range),
			Members: f.Members, Fix: f.Fix, Accepted: by != "", AcceptedBy: by, Accept: option,
		})
	}
	weight := func(f Finding) int { return slices.Index([]Severity{Error, Warning, Info}, f.Severity) }
	slices.SortStableFunc(list, func(a, b Finding) int {
		if d := weight(a) - weight(b); d != 0 {
			return d
		}
		if d := strings.Compare(a.Rule, b.Rule); d != 0 {
			return d
		}
		return strings.Compare(string(a.Address)+a.Message, string(b.Address)+b.Message)
	})
	return list
}

func place(r hcl.Range) *Range {
	if r.Filename == "" {
		return nil
	}
	return &Range{Filename: r.Filename, Start: Position{Line: r.Start.Line, Column: r.Start.Column}}
}
