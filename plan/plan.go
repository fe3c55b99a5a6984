// Package plan says what a configuration would change and whether that is
// safe: which objects differ, who gains and who loses what and why, what the
// checks find, and in which order the steps can be carried out so that nobody
// has too much or too little in between.
//
// It is pure: it holds a live state that someone read and has no way to write.
// A plan is a value that can be saved, compared, rendered and reviewed. Same
// configuration, same live state, same time: same bytes.
//
// It may be imported by apply, by renderers and by commands, and imports
// schema only.
package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// A System is what a plan needs to know of the system it is for.
type System interface {
	Phases() []string
	Complete(live, desired *schema.State)
	Expand(changes []*schema.Change, live, desired *schema.State) []schema.Step
	Access(states ...*schema.State) (*access.Model, [][]*access.State)
	Limits(typ string) int
	Pace(live *schema.State, batches []schema.Batch) []schema.Cost
}

// A Returner is a System that has an order of its own for the phases of a plan
// that leads back to an earlier state.
type Returner interface{ PhasesBack() []string }

// phases returns the phases in the order in which a plan names them.
func (in *Input) phases() []string {
	if r, ok := in.System.(Returner); ok && in.Order.Back {
		return r.PhasesBack()
	}
	return in.System.Phases()
}

// A Checker is a System with checks of its own. What they find is judged like
// everything else; their rules are in [Rules].
type Checker interface {
	Check(schema.Inspection) []schema.Finding
}

// An Input is everything that a plan is made from.
type Input struct {
	Config      *schema.Config
	Description *schema.Description
	System      System
	Live        *schema.State
	Version     string       // of rolecall
	Now         time.Time    // what the plan calls its time; not part of any digest
	Order       OrderOptions // what the order of the steps may and may not do
	Accept      []string     // guards and rules that are accepted for this plan

	// Only are the phases, and Targets the objects, to which what is carried
	// out is limited; nil for all. The analysis covers the whole organization.
	Only    []string
	Targets []schema.Address
	Against string // what Live is where it is not the live organization, "" if it is
	Author  string // e-mail address of who wrote the configuration, "" if that is not known
}

// A Verdict is a plan in one word.
type Verdict string

// The verdicts.
const (
	NoChanges    Verdict = "no_changes"
	Changes      Verdict = "changes"
	Blocked      Verdict = "blocked"
	Undetermined Verdict = "undetermined"
)

// A Plan is what would be done. Its JSON form is the contract that
// README.md documents.
type Plan struct {
	FormatVersion   string `json:"format_version"`
	RolecallVersion string `json:"rolecall_version"`
	Organization    string `json:"organization"`
	SystemName      string `json:"system"`
	CreatedAt       string `json:"created_at"`

	// Against is what the configuration was compared with in the place of the
	// live organization, "" for the organization. Such a plan is only to look at.
	Against string `json:"against,omitempty"`

	// Bound is "plan" where the stages keep everybody between before and after
	// the whole plan, and no order was found that does so between where each
	// stage begins and after, which is the rule: access may move back in
	// between. prove checks what is promised here.
	Bound string `json:"bound,omitempty"`

	Verdict  Verdict         `json:"verdict"`
	Summary  Summary         `json:"summary"`
	Access   []AccessChange  `json:"access"`
	Limits   []LimitChange   `json:"limits"`
	Findings []Finding       `json:"findings"`
	Guards   []GuardResult   `json:"guards"`
	Risks    []Risk          `json:"risks"`
	Unread   []schema.Unread `json:"unread"`
	Unsafe   []Unsafe        `json:"unsafe"`
	Stages   []Stage         `json:"stages"`
	Changed  []Change        `json:"changes"`
	Groups   []GroupView     `json:"groups"`

	// Moved are the addresses that something described has in the place of
	// others: it is the same thing, under another name of the configuration.
	Moved []Moved `json:"moved,omitempty"`

	Memberships []MembershipView `json:"memberships"`

	// Members is how many members the organization has, and Frozen whether
	// the guard forbids to apply.
	Members int  `json:"-"`
	Frozen  bool `json:"-"`

	// Live and Desired are the states that the plan was made from, and Steps
	// the steps of the stages, by id, for whoever carries them out.
	Live    *schema.State           `json:"-"`
	Desired *schema.State           `json:"-"`
	Steps   map[string]*schema.Step `json:"-"`

	// Options are what the plan was made with. ConfigDigest is the digest of
	// the configuration, and Depends that of each live object that the plan
	// rests on, "" for one that is yet to be created.
	Options      Options                   `json:"-"`
	ConfigDigest string                    `json:"-"`
	Depends      map[schema.Address]string `json:"-"`

	proof *proof // what it takes to check the order again
}

// Options are what one plan is asked for, beside what the configuration says.
type Options struct {
	Accept     []string         `json:"accept,omitempty"` // guards and rules that are accepted, each by its name
	AcceptGaps bool             `json:"accept_gaps,omitempty"`
	Only       []string         `json:"only,omitempty"`    // phases
	Targets    []schema.Address `json:"targets,omitempty"` // objects
	NarrowOnly bool             `json:"narrow_only,omitempty"`
}

// A Summary counts.
type Summary struct {
	Create         int `json:"create"`
	Update         int `json:"update"`
	Delete         int `json:"delete"`
	Rename         int `json:"rename"`
	Steps          int `json:"steps"`
	ConsoleSteps   int `json:"console_steps"`
	HeldSteps      int `json:"held_steps"`
	Stages         int `json:"stages"`
	Requests       int `json:"requests"`
	Seconds        int `json:"seconds"`        // requests at the documented rate, and settling
	SettleSeconds  int `json:"settle_seconds"` // of these, until changes are in force
	MembersGaining int `json:"members_gaining"`
	MembersLosing  int `json:"members_losing"`
	Errors         int `json:"errors"`
	Warnings       int `json:"warnings"`
}

// A Stage is steps of one phase that may be carried out in any order. The
// stages of a plan are carried out one after the other; where SettleSeconds is
// not zero, the next one begins only when everything so far is in force
// everywhere.
type Stage struct {
	Phase         string `json:"phase"`
	Wave          string `json:"wave,omitempty"`
	SettleSeconds int    `json:"settle_seconds"`
	Requests      int    `json:"requests"`
	Seconds       int    `json:"seconds"`
	Held          bool   `json:"held"`
	HeldWhy       string `json:"held_why,omitempty"`

	// Together says that any subset of this stage and the next one together is
	// safe: they are apart for reading only, and nothing is waited for.
	Together bool `json:"together,omitempty"`

	Steps []StepView `json:"steps"`
}

// A StepView is what a plan says of a step.
type StepView struct {
	ID        string          `json:"id"`
	Via       schema.Via      `json:"via"`
	Action    string          `json:"action"`
	Address   schema.Address  `json:"address"`
	Request   *schema.Request `json:"request,omitempty"`
	Console   *schema.Console `json:"console,omitempty"`
	Proof     schema.Proof    `json:"proof"`
	Direction string          `json:"direction"` // widens, narrows, mixed, neutral
}

// A Change is one object before and after.
type Change struct {
	Address schema.Address          `json:"address"`
	Action  schema.Action           `json:"action"`
	Before  map[string]schema.Value `json:"before"` // what differs; null for create
	After   map[string]schema.Value `json:"after"`  // what differs; null for delete
	Steps   []string                `json:"steps"`
	Owners  []string                `json:"owners,omitempty"` // who should approve it
	Held    bool                    `json:"held,omitempty"`
}

// A Moved is an address that another one has taken the place of.
type Moved struct {
	From schema.Address `json:"from"`
	To   schema.Address `json:"to"`
}

// An Unsafe is a step that would take somebody out of bounds in every order.
type Unsafe struct {
	Member     string   `json:"member"`
	Permission string   `json:"permission"`
	Had        string   `json:"had"`
	Will       string   `json:"will"`
	Between    []string `json:"between"`
}

// boundOfPlan is the weaker promise, see [Plan.Bound].
const boundOfPlan = "plan"

// formatVersion is the version of the JSON form. The number before the point
// changes when something is removed or changes its meaning.
const formatVersion = "1.0"

// Build makes a plan. The error is a bug or a system that contradicts itself:
// what is wrong with configuration or live state is in the plan's findings.
func Build(in Input) (*Plan, error) {
	in.Description = in.Description.At(in.Now)
	binder := bind(in.Description, in.Live)
	b := binder.b
	binder.erase(in.Config)
	if err := in.named(b); err != nil {
		return nil, err
	}
	in.System.Complete(b.live, b.desired)
	changes := diff(b)
	steps := in.System.Expand(changes, b.live, b.desired)
	slices.SortFunc(steps, func(x, y schema.Step) int { return compareText(x.ID, y.ID) })

	in.hold(steps, changes)
	for _, x := range in.Config.Accepts { // as good as --accept-gaps
		in.Order.AcceptGaps = in.Order.AcceptGaps || x.Name == "unsafe-order" && !x.Expires.Begun(in.Now)
	}

	model, readings := in.System.Access(b.live, b.desired)
	from, to := readings[0], readings[1]
	in.Order.Open = append(in.Order.Open, binder.entered(model)...)
	in.Order.Room = append(in.Order.Room, rooms(in.System, b.live, steps)...)
	ordered, first, last, steps := invited(model, from, to, steps, b.live, b.desired, in.Description)
	schedule, err := Order(ordered, first, last, steps, in.phases(), in.Order)
	if err != nil {
		return nil, err
	}
	steps = schedule.join(steps)
	p := &Plan{
		FormatVersion: formatVersion, RolecallVersion: in.Version, CreatedAt: in.Now.UTC().Format(time.RFC3339),
		Against: in.Against, SystemName: in.Config.System.Name, Live: b.live, Desired: b.desired, Steps: map[string]*schema.Step{},
		Frozen: in.Config.Guard.Frozen, ConfigDigest: in.Config.Digest, Options: in.options(),
	}
	for _, o := range in.Config.Of("organization") {
		p.Organization = o.Label
	}
	for _, m := range in.Config.Moves {
		p.Moved = append(p.Moved, Moved{m.From, in.Config.Now(m.From)})
	}
	if schedule.Relaxed {
		p.Bound = boundOfPlan
	}
	p.Members = len(b.live.Of("member"))
	p.Unread = b.live.Unread

	a := &analysis{
		Input: in, b: b, changes: changes, steps: steps, schedule: schedule,
		model: model, ordered: ordered, from: from, to: to, plan: p, found: binder.found, binder: binder,
	}
	p.proof = &proof{ordered, first, last}
	a.reach()
	a.access()
	a.stages()
	a.objects()
	a.groups()
	a.memberships()
	a.depends()
	a.checks()
	a.inspect()
	a.guards()
	p.Findings = in.judge(a.found, p.Members)
	p.quote(in.Config)
	p.conclude()
	return p, nil
}

// maxQuoted is how long the line of a finding may be, in bytes.
const maxQuoted = 200

// quote notes the line of the configuration that each finding is about.
func (p *Plan) quote(c *schema.Config) {
	for i := range p.Findings {
		r := p.Findings[i].Range
		if r == nil || c.Files[r.Filename] == nil {
			continue
		}
		lines := bytes.SplitN(c.Files[r.Filename].Bytes, []byte("\n"), r.Start.Line+1)
		if r.Start.Line < 1 || r.Start.Line > len(lines) {
			continue
		}
		text := strings.TrimRight(string(lines[r.Start.Line-1]), " \t\r")
		if len(text) > maxQuoted {
			text = strings.ToValidUTF8(text[:maxQuoted], "") + "…"
		}
		r.Text = text
	}
}

// conclude counts and gives the verdict.
func (p *Plan) conclude() {
	blocked, asked := false, false
	for _, f := range p.Findings {
		switch f.Severity {
		case Error:
			p.Summary.Errors++
			blocked = blocked || !f.Accepted
		case Warning:
			p.Summary.Warnings++
		}
	}
	for _, u := range p.Unread {
		asked = asked || u.Asked
	}
	switch {
	case asked:
		p.Verdict = Undetermined
	case blocked:
		p.Verdict = Blocked
	case p.Summary.Steps == 0 && len(p.Unsafe) == 0:
		p.Verdict = NoChanges
	default:
		p.Verdict = Changes
	}
	p.complete()
}

// complete adds what follows from the rest, and makes every list of the JSON
// form a list.
func (p *Plan) complete() {
	p.Risks = p.risks()
	if p.Access == nil {
		p.Access = []AccessChange{}
	}
	if p.Limits == nil {
		p.Limits = []LimitChange{}
	}
	if p.Findings == nil {
		p.Findings = []Finding{}
	}
	if p.Guards == nil {
		p.Guards = []GuardResult{}
	}
	if p.Unread == nil {
		p.Unread = []schema.Unread{}
	}
	if p.Unsafe == nil {
		p.Unsafe = []Unsafe{}
	}
	if p.Stages == nil {
		p.Stages = []Stage{}
	}
	if p.Changed == nil {
		p.Changed = []Change{}
	}
	if p.Memberships == nil {
		p.Memberships = []MembershipView{}
	}
	if p.Groups == nil {
		p.Groups = []GroupView{}
	}
}

// JSON returns the plan in its documented form, ending in a newline.
func (p *Plan) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("plan: encode: %w", err)
	}
	return append(b, '\n'), nil
}
