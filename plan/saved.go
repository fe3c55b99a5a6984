package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// savedVersion is the version of the form of a saved plan. It changes when a
// reader of the older form would read something else than was meant.
const savedVersion = "1"

// The first lines of a saved plan. The checksum is over every byte that comes
// after its line, so the time a plan was made at is outside of it: the same
// plan made twice has the same checksum.
const (
	savedMagic    = "rolecall plan "
	savedCreated  = "created "
	savedChecksum = "sha256 "
)

// A Saved is a plan as it was read from a file.
type Saved struct {
	*Plan

	// Checksum is what identifies the plan: the SHA-256 of its contents, in hex.
	Checksum string
}

// savedHead is the first record.
type savedHead struct {
	FormatVersion   string  `json:"format_version"`
	RolecallVersion string  `json:"rolecall_version"`
	Organization    string  `json:"organization"`
	System          string  `json:"system"`
	Verdict         Verdict `json:"verdict"`
	Members         int     `json:"members"`
	Frozen          bool    `json:"frozen,omitempty"`
	Configuration   string  `json:"configuration"`
	Options         Options `json:"options"`
	Against         string  `json:"against,omitempty"`
	Bound           string  `json:"bound,omitempty"`
}

// savedStep is a step with everything that it takes to carry it out.
type savedStep struct {
	ID        string          `json:"id"`
	Address   schema.Address  `json:"address"`
	Via       schema.Via      `json:"via"`
	Phase     string          `json:"phase"`
	Wave      string          `json:"wave,omitempty"`
	Held      string          `json:"held,omitempty"`
	Action    string          `json:"action"`
	Direction string          `json:"direction"`
	Proof     schema.Proof    `json:"proof"`
	Settle    int             `json:"settle,omitempty"`
	Request   *schema.Request `json:"request,omitempty"`
	Console   *schema.Console `json:"console,omitempty"`
	Needs     []string        `json:"needs,omitempty"`
	Moves     []access.Move   `json:"moves,omitempty"`
	Effects   []savedEffect   `json:"effects,omitempty"`
}

type savedEffect struct {
	Address schema.Address `json:"address"`
	Attr    string         `json:"attr,omitempty"`
	Op      schema.Op      `json:"op"`
	Value   schema.Value   `json:"value"`
	Item    string         `json:"item,omitempty"`
	Late    bool           `json:"late,omitempty"`
	Minor   bool           `json:"minor,omitempty"`
}

func saveStep(s *schema.Step, direction string) savedStep {
	out := savedStep{ID: s.ID, Address: s.Addr, Via: s.Via, Phase: s.Phase, Wave: s.Wave, Held: s.Held, Action: s.Action, Direction: direction,
		Proof: s.Proof, Settle: s.Settle, Request: s.Request, Console: s.Console, Needs: s.Needs, Moves: s.Moves}
	for _, e := range s.Effects {
		out.Effects = append(out.Effects, savedEffect{e.Addr, e.Attr, e.Op, e.Value, e.Item, e.Late, e.Minor})
	}
	return out
}

func (s savedStep) step() *schema.Step {
	out := &schema.Step{ID: s.ID, Addr: s.Address, Via: s.Via, Phase: s.Phase, Wave: s.Wave, Held: s.Held, Action: s.Action,
		Proof: s.Proof, Settle: s.Settle, Request: s.Request, Console: s.Console, Needs: s.Needs, Moves: s.Moves}
	for _, e := range s.Effects {
		out.Effects = append(out.Effects, schema.Effect{Addr: e.Address, Attr: e.Attr, Op: e.Op, Value: e.Value, Item: e.Item, Late: e.Late, Minor: e.Minor})
	}
	return out
}

// A writer writes records, one on a line: a word that says what it is, and the
// record as JSON.
type writer struct {
	bytes.Buffer
	err error
}

func (w *writer) record(kind string, v any) {
	w.WriteString(kind + " ")
	e := json.NewEncoder(w) // ends the line
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil && w.err == nil {
		w.err = err
	}
}

// Save returns p as one text file: one record on a line, in a fixed order, so
// that two plans can be compared line by line. It holds everything that it
// takes to show the plan, to check it without any other file, and to carry it
// out; and no secret, because a plan knows none.
func (p *Plan) Save() ([]byte, error) {
	w := &writer{}
	p.records(w)
	p.proof.write(w)
	if w.err != nil {
		return nil, fmt.Errorf("plan: save: %w", w.err)
	}
	sum := sha256.Sum256(w.Bytes())
	head := savedMagic + savedVersion + "\n" + savedCreated + p.CreatedAt + "\n" + savedChecksum + hex.EncodeToString(sum[:]) + "\n"
	return append([]byte(head), w.Bytes()...), nil
}

// records writes everything that it takes to show the plan and to carry it out.
func (p *Plan) records(w *writer) {
	w.record("plan", savedHead{p.FormatVersion, p.RolecallVersion, p.Organization, p.SystemName, p.Verdict, p.Members, p.Frozen, p.ConfigDigest, p.Options, p.Against, p.Bound})
	w.record("summary", p.Summary)
	for _, a := range p.Access {
		list, because := a.Members, a.Because
		a.Members, a.Because = nil, nil
		w.record("access", a)
		w.because(list, because)
	}
	for _, l := range p.Limits {
		list, because := l.Members, l.Because
		l.Members, l.Because = nil, nil
		w.record("limit", l)
		w.because(list, because)
	}
	records(w, "finding", p.Findings)
	records(w, "guard", p.Guards)
	for _, u := range p.Unread {
		w.record("unread", savedUnread{u, u.Asked})
	}
	records(w, "unsafe", p.Unsafe)
	for _, st := range p.Stages {
		steps := st.Steps
		st.Steps = nil
		w.record("stage", st)
		for _, v := range steps {
			w.record("step", saveStep(p.Steps[v.ID], v.Direction))
		}
	}
	records(w, "change", p.Changed)
	records(w, "moved", p.Moved)
	records(w, "group", p.Groups)
	records(w, "membership", p.Memberships)
	for _, addr := range slices.Sorted(maps.Keys(p.Depends)) {
		w.record("object", savedObject{addr, p.Depends[addr]})
	}
}

type savedUnread struct {
	schema.Unread
	Asked bool `json:"asked,omitempty"`
}

type savedObject struct {
	Address schema.Address `json:"address"`
	Digest  string         `json:"digest"` // "" for an object that was not there
}

func records[T any](w *writer, kind string, list []T) {
	for _, v := range list {
		w.record(kind, v)
	}
}

// because writes who is concerned, a member on a line under the reason that
// they share.
func (w *writer) because(members []string, list []Because) {
	type key struct{ via, why string }
	var order []key
	by := map[key][]Because{}
	for _, b := range list {
		k := key{fmt.Sprintf("%q", b.Via), b.Why}
		if by[k] == nil {
			order = append(order, k)
		}
		by[k] = append(by[k], b)
	}
	for _, k := range order {
		w.record("because", Because{Via: by[k][0].Via, Why: k.why})
		for _, b := range by[k] {
			w.record("member", b.Member)
		}
	}
	if len(list) == 0 {
		for _, m := range members {
			w.record("member", m)
		}
	}
}

// A SavedError says why a file is no plan that can be used.
type SavedError struct {
	Line int // from 1; 0 if it is about the whole file
	Why  string
}

func (e *SavedError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("the saved plan cannot be used: line %d: %s", e.Line, e.Why)
	}
	return "the saved plan cannot be used: " + e.Why
}

// Load reads what Save wrote. A file that was altered by as much as a byte is
// refused with a *SavedError. The plan has no live and desired state: they are
// not in the file.
func Load(b []byte) (*Saved, error) {
	head, body, err := splitSaved(b)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	if got := hex.EncodeToString(sum[:]); got != head.checksum {
		return nil, &SavedError{Line: 3, Why: fmt.Sprintf("the checksum is %s and the contents have %s, so the file was altered or cut off; make the plan again", short(head.checksum), short(got))}
	}
	r := &reader{saved: &Saved{Plan: &Plan{CreatedAt: head.created, Steps: map[string]*schema.Step{}}, Checksum: head.checksum}}
	if err := readRecords(r, body); err != nil {
		return nil, err
	}
	r.saved.complete()
	return r.saved, nil
}

func short(sum string) string { return sum[:min(12, len(sum))] + "…" }

type savedLines struct{ created, checksum string }

// splitSaved returns what the first three lines say, and the rest.
func splitSaved(b []byte) (savedLines, []byte, error) {
	var h savedLines
	text := string(b[:min(len(b), 256)])
	first, rest, _ := strings.Cut(text, "\n")
	version, ok := strings.CutPrefix(first, savedMagic)
	if !ok {
		return h, nil, &SavedError{Line: 1, Why: "it does not begin with \"" + savedMagic + savedVersion + "\"; only what plan --out wrote can be used"}
	}
	if version != savedVersion {
		return h, nil, &SavedError{Line: 1, Why: fmt.Sprintf("it has format %.20q and this version of rolecall reads format %s; make the plan again", version, savedVersion)}
	}
	second, rest, _ := strings.Cut(rest, "\n")
	third, _, ended := strings.Cut(rest, "\n")
	if h.created, ok = strings.CutPrefix(second, savedCreated); !ok {
		return h, nil, &SavedError{Line: 2, Why: "it does not say when the plan was created"}
	}
	if h.checksum, ok = strings.CutPrefix(third, savedChecksum); !ok || !ended || len(h.checksum) != 2*sha256.Size {
		return h, nil, &SavedError{Line: 3, Why: "it has no checksum"}
	}
	return h, b[len(first)+len(second)+len(third)+3:], nil
}

// A reader puts records together again.
type reader struct {
	saved  *Saved
	access *AccessChange // what because and member records belong to
	limit  *LimitChange
	reason *Because
}

func (r *reader) read(kind string, record []byte) error {
	p := r.saved.Plan
	if kind != "plan" && p.FormatVersion == "" {
		return fmt.Errorf("a record of kind %.20q stands before the plan record", kind)
	}
	if kind != "because" && kind != "member" {
		r.access, r.limit, r.reason = nil, nil, nil
	}
	switch kind {
	case "plan":
		var h savedHead
		if err := decode(record, &h); err != nil {
			return err
		}
		if major, _, _ := strings.Cut(h.FormatVersion, "."); major != strings.Split(formatVersion, ".")[0] {
			return fmt.Errorf("it has plan format %q, and this version of rolecall has %s", h.FormatVersion, formatVersion)
		}
		p.FormatVersion, p.RolecallVersion, p.Organization, p.SystemName = h.FormatVersion, h.RolecallVersion, h.Organization, h.System
		p.Verdict, p.Members, p.Frozen, p.ConfigDigest, p.Options = h.Verdict, h.Members, h.Frozen, h.Configuration, h.Options
		p.Against, p.Bound = h.Against, h.Bound
		return nil
	case "summary":
		return decode(record, &p.Summary)
	case "access":
		p.Access = append(p.Access, AccessChange{Members: []string{}, Because: []Because{}})
		r.access = &p.Access[len(p.Access)-1]
		return keep(record, r.access, &r.access.Members, &r.access.Because)
	case "limit":
		p.Limits = append(p.Limits, LimitChange{Members: []string{}, Because: []Because{}})
		r.limit = &p.Limits[len(p.Limits)-1]
		return keep(record, r.limit, &r.limit.Members, &r.limit.Because)
	case "because":
		r.reason = &Because{}
		return decode(record, r.reason)
	case "member":
		var email string
		if err := decode(record, &email); err != nil {
			return err
		}
		return r.member(email)
	case "finding":
		return add(record, &p.Findings)
	case "guard":
		return add(record, &p.Guards)
	case "unread":
		var u savedUnread
		if err := decode(record, &u); err != nil {
			return err
		}
		u.Unread.Asked = u.Asked
		p.Unread = append(p.Unread, u.Unread)
		return nil
	case "unsafe":
		return add(record, &p.Unsafe)
	case "stage":
		if err := add(record, &p.Stages); err != nil {
			return err
		}
		p.Stages[len(p.Stages)-1].Steps = []StepView{}
		return nil
	case "step":
		return r.step(record)
	case "change":
		return add(record, &p.Changed)
	case "group":
		return add(record, &p.Groups)
	case "moved":
		return add(record, &p.Moved)
	case "membership":
		return add(record, &p.Memberships)
	case "object":
		var o savedObject
		err := decode(record, &o)
		if p.Depends == nil {
			p.Depends = map[schema.Address]string{}
		}
		p.Depends[o.Address] = o.Digest
		return err
	}
	if strings.HasPrefix(kind, "model.") { // for whoever proves the plan
		return nil
	}
	return fmt.Errorf("a record of kind %.20q is not known", kind)
}

func (r *reader) member(email string) error {
	b := Because{Member: email, Via: []schema.Address{}}
	if r.reason != nil {
		b.Via, b.Why = r.reason.Via, r.reason.Why
	}
	var members *[]string
	var because *[]Because
	switch {
	case r.access != nil:
		members, because = &r.access.Members, &r.access.Because
	case r.limit != nil:
		members, because = &r.limit.Members, &r.limit.Because
	default:
		return fmt.Errorf("a member record stands under nothing")
	}
	*members = append(*members, email)
	if r.reason != nil {
		*because = append(*because, b)
	}
	return nil
}

// sort puts members in order again, who were written under the reasons that
// they share.
func (r *reader) sort() {
	byMember := func(a, b Because) int { return strings.Compare(a.Member, b.Member) }
	for i := range r.saved.Access {
		slices.Sort(r.saved.Access[i].Members)
		slices.SortStableFunc(r.saved.Access[i].Because, byMember)
	}
	for i := range r.saved.Limits {
		slices.Sort(r.saved.Limits[i].Members)
		slices.SortStableFunc(r.saved.Limits[i].Because, byMember)
	}
}

func (r *reader) step(record []byte) error {
	p := r.saved.Plan
	var s savedStep
	if err := decode(record, &s); err != nil {
		return err
	}
	if len(p.Stages) == 0 {
		return fmt.Errorf("a step record stands under no stage")
	}
	if p.Steps[s.ID] != nil {
		return fmt.Errorf("there is a second step %.80q", s.ID)
	}
	p.Steps[s.ID] = s.step()
	st := &p.Stages[len(p.Stages)-1]
	st.Steps = append(st.Steps, StepView{ID: s.ID, Via: s.Via, Action: s.Action, Address: s.Address, Request: s.Request,
		Console: s.Console, Proof: s.Proof, Direction: s.Direction})
	return nil
}

// keep decodes a record that leaves out two lists and keeps them.
func keep(record []byte, v any, members *[]string, because *[]Because) error {
	m, b := *members, *because
	err := decode(record, v)
	*members, *because = m, b
	return err
}

func add[T any](record []byte, list *[]T) error {
	var v T
	if err := decode(record, &v); err != nil {
		return err
	}
	*list = append(*list, v)
	return nil
}

// decode reads one record, which may have no field that this version does not
// know: what is not understood must not be carried out.
func decode(record []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(record))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("there is more than one record on the line")
	}
	return nil
}
