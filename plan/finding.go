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
}

// A Range is a place in the configuration.
type Range struct {
	Filename string   `json:"filename"`
	Start    Position `json:"start"`
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
}

// A Rule is one check.
type Rule struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Doc      string   `json:"doc"`
}

// firm are the rules that a rule block does not change: guards and protection
// are passed one at a time and by name, and what the plan itself rests on is
// not passed at all.
var firm = []string{"duplicate-name", "guard-exceeded", "identity-lost", "incomplete-object", "organization-differs",
	"protected-loses", "scim-group-missing", "scim-membership-described", "unsafe-order"}

// unacceptable are the rules whose findings cannot be accepted: there would be
// nothing to carry out, or the wrong thing.
var unacceptable = []string{"duplicate-name", "identity-lost", "incomplete-object", "organization-differs",
	"scim-group-missing", "scim-membership-described", "unsafe-order"}

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

// Rules are the checks of a plan.
var Rules = []Rule{
	{"admin-untouchable", Info, "An administrator is described as removed. The API leaves administrators alone, and so does rolecall."},
	{"cross-role-conflict", Warning, "Two roles that meet in a member state different levels for one connector or tool; roles add up, so the stricter one does nothing. Give both the same level, or keep their members apart."},
	{"duplicate-name", Error, "Two live objects have the name that a block describes. Write the id of the one that is meant."},
	{"feature-reaches-unmigrated", Error, "Switching a feature on gives it to members whose access does not come from roles. Migrate them first."},
	{"group-limit", Error, "There would be more groups than the system can hold. Remove some, or join some."},
	{"guard-exceeded", Error, "The plan goes beyond a limit of the guard block. Make the change smaller, or accept this one guard."},
	{"identity-lost", Error, "Objects that the configuration names by id are not there. Check which organization the key belongs to."},
	{"incomplete-object", Error, "A new object does not say what decides access. Write the attribute that is named."},
	{"not-a-member", Warning, "Listed people are not members of the organization. Invite them, or correct the address."},
	{"organization-differs", Error, "The configuration says another thing of the organization than is live. Correct the configuration."},
	{"protected-loses", Error, "Somebody whom the guard block protects would lose something. Leave them out of the change."},
	{"scim-group-missing", Error, "A group is described as the identity provider's, and there is none. Have it synced, or remove source."},
	{"scim-membership-described", Error, "Members are described of a group that the identity provider fills. Remove members from the block."},
	{"uncovered-member", Error, "A member is governed by roles and has none, so has access to nothing. Put them into a group with a role."},
	{"unmanaged-object", Info, "A live object is described by no block. It is left alone; describe it, or ignore it in unmanaged."},
	{"unread", Warning, "Something could not be read, and what hangs on it is unknown. Give the key the scope that is named, or plan again later."},
	{"wave-overlap", Warning, "People of an open wave are held, because an earlier wave that is closed names them too. Write the open one first."},
	{"unverified", Warning, "No read shows whether something is as described. Look it up in the console."},
	{"unsafe-order", Error, "No order is known in which nobody has too much or too little for a while. Split the change in two."},
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
func judge(found []*finding, rules []schema.Rule, accept []string) []Finding {
	var list []Finding
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
		list = append(list, Finding{
			Rule: f.Rule, Severity: sev, Message: f.Message, Address: f.Address, Range: place(f.Range),
			Members: f.Members, Fix: f.Fix,
			Accepted: slices.Contains(accept, name) && !slices.Contains(unacceptable, f.Rule),
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
