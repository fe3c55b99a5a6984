package plan

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// A StaleError says that a saved plan no longer fits.
type StaleError struct {
	Configuration bool             // it was changed
	Objects       []schema.Address // live objects that the plan rests on and that have changed
	Differs       []string         // what would be done or changed now and is not in the plan, or the other way round
}

func (e *StaleError) Error() string {
	switch {
	case e.Configuration:
		return "the saved plan is stale: the configuration has changed since; make the plan again and have it reviewed"
	case len(e.Objects) > 0:
		names := make([]string, len(e.Objects))
		for i, a := range e.Objects {
			names[i] = string(a)
		}
		return fmt.Sprintf("the saved plan is stale: changed in the organization since: %s; make the plan again and have it reviewed", firstFew(names))
	}
	return fmt.Sprintf("the saved plan is stale: the same configuration now asks for something else: %s; make the plan again and have it reviewed", firstFew(e.Differs))
}

// firstFew names the first few entries of a list.
func firstFew(list []string) string {
	if len(list) > 10 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:10], ", "), len(list)-10)
	}
	return strings.Join(list, ", ")
}

// SameConfiguration returns a *StaleError unless the plan was made from the
// configuration with this digest.
func (s *Saved) SameConfiguration(digest string) error {
	if s.ConfigDigest != digest {
		return &StaleError{Configuration: true}
	}
	return nil
}

// Same returns a *StaleError unless p, which was made now, is the saved plan:
// every object that it rests on is what it was, and it does the same steps in
// the same stages, with the same effect on everybody's access. Then to carry
// out p is to carry out what was reviewed.
func (s *Saved) Same(p *Plan) error {
	if err := s.SameConfiguration(p.ConfigDigest); err != nil {
		return err
	}
	e := &StaleError{}
	for _, addr := range slices.Sorted(maps.Keys(s.Depends)) {
		now, ok := p.Depends[addr]
		if !ok {
			if o := p.Live.Objects[addr]; o != nil {
				now, ok = o.Digest(), true
			}
		}
		if !ok && s.Depends[addr] != "" || now != s.Depends[addr] {
			e.Objects = append(e.Objects, addr)
		}
	}
	then, now := s.acts(), p.acts()
	for _, line := range slices.Sorted(maps.Keys(then)) {
		if !now[line] {
			e.Differs = append(e.Differs, "no longer "+about(line))
		}
	}
	for _, line := range slices.Sorted(maps.Keys(now)) {
		if !then[line] {
			e.Differs = append(e.Differs, "now "+about(line))
		}
	}
	if len(e.Objects)+len(e.Differs) > 0 {
		return e
	}
	return nil
}

// acts returns the records of what a plan does, and to whom: its stages with
// their steps in order, and what access and limits change.
func (p *Plan) acts() map[string]bool {
	w := &writer{}
	p.records(w)
	acts := map[string]bool{}
	var parent string
	stage := 0
	for _, line := range bytes.Split(w.Bytes(), []byte("\n")) {
		kind, record, _ := strings.Cut(string(line), " ")
		switch kind {
		case "stage":
			stage++
			acts[fmt.Sprintf("stage %s %d", record, stage)] = true
		case "step":
			acts[fmt.Sprintf("step %s %d", record, stage)] = true
		case "access", "limit":
			parent = string(line)
			acts[parent] = true
		case "member":
			acts["member "+record+" "+parent] = true
		case "finding", "guard":
			parent = ""
		}
	}
	return acts
}

// about says in a few words what a record is about.
func about(line string) string {
	kind, record, _ := strings.Cut(line, " ")
	for _, field := range []string{`{"id":"`, `"permission":"`, `"period":"`, `"phase":"`} {
		if _, rest, ok := strings.Cut(record, field); ok {
			name, _, _ := strings.Cut(rest, `",`)
			return kind + " " + strings.ReplaceAll(name, `\"`, `"`)
		}
	}
	return kind
}
