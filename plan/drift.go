package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rolecall/rolecall/schema"
)

// A Drift is what differs in the live organization from what is described, as
// far as an apply would put it back. Held steps are no drift: it is said in the
// configuration that they wait. Its JSON form is documented in README.md.
type Drift struct {
	FormatVersion string          `json:"format_version"`
	Organization  string          `json:"organization"`
	SystemName    string          `json:"system"`
	Verdict       DriftVerdict    `json:"verdict"`
	Objects       []Differing     `json:"objects"`
	HeldSteps     int             `json:"held_steps"`
	Unread        []schema.Unread `json:"unread"`
}

// A DriftVerdict is a drift in one word.
type DriftVerdict string

// The verdicts. Undetermined goes before Differs: there may be more.
const (
	Clean         DriftVerdict = "clean"
	Differs       DriftVerdict = "differs"
	DriftUnproven DriftVerdict = "undetermined"
)

// A Differing is one object that differs.
type Differing struct {
	Address schema.Address `json:"address"`

	// How it differs: "differs", "missing" (described, and not there) or
	// "extra" (to be removed, and there).
	How    string       `json:"how"`
	Fields []Difference `json:"fields"`

	// Changed is the last change of the object that the system tells of, and
	// Applied the last apply that touched it; nil where nothing is known.
	Changed *LastChange `json:"changed"`
	Applied *LastChange `json:"applied"`
}

// The ways in which an object differs.
const (
	HowDiffers = "differs"
	HowMissing = "missing"
	HowExtra   = "extra"
)

// A Difference is one attribute that differs. For a set, Extra are the items
// that are live and not described, and Missing those that are described only.
type Difference struct {
	Attr      string       `json:"attribute"`
	Described schema.Value `json:"described"`
	Live      schema.Value `json:"live"`
	Extra     []string     `json:"extra,omitempty"`
	Missing   []string     `json:"missing,omitempty"`
}

// A LastChange says who did what, when.
type LastChange struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	What   string    `json:"what"`
	Commit string    `json:"commit,omitempty"`
}

// Drift returns p, read from the other side: what is live and not described.
// It takes what the steps that are not held would do, so an object of which a
// part is held differs by the rest.
func (p *Plan) Drift() *Drift {
	d := &Drift{FormatVersion: formatVersion, Organization: p.Organization, SystemName: p.SystemName,
		Objects: []Differing{}, HeldSteps: p.Summary.HeldSteps, Unread: p.Unread}
	after := map[schema.Address]*schema.Object{}
	for _, st := range p.Stages {
		for _, v := range st.Steps {
			if st.Held {
				continue
			}
			for _, e := range p.Steps[v.ID].Effects {
				o, seen := after[e.Addr]
				if !seen {
					o = p.Live.Objects[e.Addr]
				}
				after[e.Addr] = e.Make(o)
			}
		}
	}
	for _, addr := range slices.Sorted(maps.Keys(after)) {
		live, described := p.Live.Objects[addr], after[addr]
		o := Differing{Address: addr, How: HowDiffers, Fields: []Difference{}}
		switch {
		case live == nil && described == nil:
			continue
		case live == nil:
			o.How = HowMissing
			live = &schema.Object{}
		case described == nil:
			o.How = HowExtra
			described = &schema.Object{}
		}
		if o.How != HowExtra {
			o.Fields = append(o.Fields, differences(live, described)...)
		}
		if o.How != HowDiffers || len(o.Fields) > 0 {
			d.Objects = append(d.Objects, o)
		}
	}
	switch {
	case p.Verdict == Undetermined:
		d.Verdict = DriftUnproven
	case len(d.Objects) > 0:
		d.Verdict = Differs
	default:
		d.Verdict = Clean
	}
	return d
}

func differences(live, described *schema.Object) []Difference {
	var list []Difference
	for _, name := range slices.Sorted(maps.Keys(described.Attrs)) {
		is, want := live.Get(name), described.Get(name)
		if is.Equal(want) {
			continue
		}
		f := Difference{Attr: name, Described: want, Live: is}
		if is.Kind() == schema.KindSet || want.Kind() == schema.KindSet {
			f.Extra, f.Missing = lacking(is, want), lacking(want, is)
		}
		list = append(list, f)
	}
	return list
}

// lacking returns the items of a that b does not have.
func lacking(a, b schema.Value) []string {
	var list []string
	for _, s := range a.AsSet() {
		if !b.Has(s) {
			list = append(list, s)
		}
	}
	return list
}

// Call returns d with every e-mail address written as people asks for.
func (d *Drift) Call(people People) (*Drift, error) {
	switch people {
	case "", Full:
		return d, nil
	case Initials, Counts:
	default:
		return nil, fmt.Errorf("plan: people cannot be shown as %q", people)
	}
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("plan: encode: %w", err)
	}
	out := &Drift{}
	if err := json.Unmarshal(rename(b, people), out); err != nil {
		return nil, fmt.Errorf("plan: bug: %w", err)
	}
	return out, nil
}
