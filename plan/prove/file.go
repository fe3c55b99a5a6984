// Package prove checks the order of a saved plan again, from what stands in
// the file and from nothing else. It shares no code with the planner: it
// imports no other package of this module, and it works in another way. The
// planner reasons with intervals over sets of permissions; this package writes
// down, for each member, permission and level, when the member has it, and
// tries every combination of what may be in force.
//
// What it proves of each stage, with X what is in force when the stage begins:
// for every subset S of the stage's steps, every member and every permission
// and setting, what the member has lies between what they have in X and what
// they will have in the end. So nobody ever has more than the larger, or less
// than the smaller, of before and after, and access never moves back. It
// proves as well that the steps start from what is in force, and that they end
// where the plan says. Of a plan that promises less, X is what was in force
// before the plan, and access may move back between stages.
package prove

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// The records of a saved plan that the proof rests on. Their form is described
// in the README of the plan.
type (
	permission struct {
		Key    string   `json:"key"`
		Levels []string `json:"levels"`
	}
	standing struct {
		Name       string            `json:"name"`
		FromGroups bool              `json:"from_groups"`
		Uncapped   bool              `json:"uncapped"`
		Absent     bool              `json:"absent"`
		Own        map[string]string `json:"own"`
	}
	seat struct {
		Name string            `json:"name"`
		Cap  map[string]string `json:"cap"`
	}
	setting struct {
		Key    string   `json:"key"`
		Levels []string `json:"levels"`
	}
	sides[T any] struct {
		Reading int    `json:"reading"`
		Name    string `json:"name"`
		Before  T      `json:"before"`
		After   T      `json:"after"`
	}
	organization struct {
		Ceiling  map[string]string `json:"ceiling"`
		Settings map[string]struct {
			Seats        map[string]string `json:"seats"`
			Default      string            `json:"default"`
			Fallback     string            `json:"fallback"`
			Ceiling      string            `json:"ceiling"`
			Highest      bool              `json:"highest"`
			SeatCompared bool              `json:"seat_compared"`
		} `json:"settings"`
	}
	group struct {
		Sources  []string          `json:"sources"`
		Settings map[string]string `json:"settings"`
		Speaks   []string          `json:"speaks"`
		Allows   map[string]string `json:"allows"`
	}
	member struct {
		Standing string            `json:"standing"`
		Seat     string            `json:"seat"`
		Groups   []string          `json:"groups"`
		Settings map[string]string `json:"settings"`
	}
	move struct {
		Kind       string `json:"kind"`
		Member     string `json:"member"`
		Group      string `json:"group"`
		Source     string `json:"source"`
		Permission string `json:"permission"`
		Setting    string `json:"setting"`
		Seat       string `json:"seat"`
		From       string `json:"from"`
		To         string `json:"to"`
	}
	step struct {
		ID     string   `json:"id"`
		Needs  []string `json:"needs"`
		Moves  []move   `json:"moves"`
		Settle int      `json:"settle"` // seconds until it is in force everywhere, negative for some time or never
	}
	stage struct {
		Phase string `json:"phase"`
		Wave  string `json:"wave"`
		Held  bool   `json:"held"`

		Settle   int  `json:"settle_seconds"`
		Together bool `json:"together"` // with the next stage: nothing is waited for in between
		steps    []*step
	}
)

// boundOfPlan is what a plan promises that keeps everybody between before and
// after the whole plan, and not between where each stage begins and after.
const boundOfPlan = "plan"

// A document is what was read.
type document struct {
	altered      bool // the checksum is not that of the contents
	bound        string
	permissions  []permission
	standings    []standing
	seats        []seat
	settings     []setting
	organization []sides[organization]
	sources      []sides[map[string]string]
	groups       []sides[group]
	members      []sides[member]
	stages       []*stage
}

// read reads a saved plan. A checksum that does not fit is noted and no error:
// what the file says is checked in any case.
func read(b []byte) (*document, error) {
	lines := bytes.SplitN(b, []byte("\n"), 4)
	if len(lines) < 4 || !bytes.HasPrefix(lines[0], []byte("rolecall plan ")) || !bytes.HasPrefix(lines[2], []byte("sha256 ")) {
		return nil, fmt.Errorf("it is no saved plan: it does not begin with \"rolecall plan\", a time and a checksum")
	}
	if v := string(lines[0][len("rolecall plan "):]); v != "1" {
		return nil, fmt.Errorf("it has format %.20q, and format 1 can be proved", v)
	}
	sum := sha256.Sum256(lines[3])
	d := &document{altered: hex.EncodeToString(sum[:]) != string(lines[2][len("sha256 "):])}
	for i, line := range bytes.Split(bytes.TrimSuffix(lines[3], []byte("\n")), []byte("\n")) {
		kind, record, _ := bytes.Cut(line, []byte(" "))
		if err := d.record(string(kind), record); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+4, err)
		}
	}
	return d, nil
}

func (d *document) record(kind string, record []byte) error {
	switch kind {
	case "plan":
		var head struct {
			Bound string `json:"bound"` // "" for the stronger promise
		}
		if err := json.Unmarshal(record, &head); err != nil {
			return err
		}
		if head.Bound != "" && head.Bound != boundOfPlan {
			return fmt.Errorf("it promises %.40q, which is not known", head.Bound)
		}
		d.bound = head.Bound
	case "model.permission":
		return add(record, &d.permissions)
	case "model.standing":
		return add(record, &d.standings)
	case "model.seat":
		return add(record, &d.seats)
	case "model.setting":
		return add(record, &d.settings)
	case "model.organization":
		return add(record, &d.organization)
	case "model.source":
		return add(record, &d.sources)
	case "model.group":
		return add(record, &d.groups)
	case "model.member":
		return add(record, &d.members)
	case "stage":
		s := &stage{}
		if err := json.Unmarshal(record, s); err != nil {
			return err
		}
		d.stages = append(d.stages, s)
	case "step":
		if len(d.stages) == 0 {
			return fmt.Errorf("a step stands under no stage")
		}
		s := &step{}
		if err := json.Unmarshal(record, s); err != nil {
			return err
		}
		st := d.stages[len(d.stages)-1]
		st.steps = append(st.steps, s)
	default:
		if strings.HasPrefix(kind, "model.") {
			return fmt.Errorf("a record of kind %.40q is not known, and may matter", kind)
		}
	}
	return nil
}

func add[T any](record []byte, list *[]T) error {
	var v T
	d := json.NewDecoder(bytes.NewReader(record))
	d.DisallowUnknownFields() // what is not understood may matter
	if err := d.Decode(&v); err != nil {
		return err
	}
	*list = append(*list, v)
	return nil
}
