package render

import (
	"io"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/schema"
)

// Checklist writes console steps as a list of boxes to tick, with what to enter
// as far as it fits into max bytes; it says how many were left out.
func Checklist(w io.Writer, steps []plan.StepView, max int) error {
	out := ""
	for _, at := range detail {
		m := &markdown{digest: &digest{folded: folded}, most: at.most}
		m.boxes(steps)
		if out = m.String(); len(out) <= max {
			break
		}
	}
	_, err := io.WriteString(w, out)
	return err
}

// boxes writes console steps; where it has to be short, only what they are
// called.
func (m *markdown) boxes(list []plan.StepView) {
	for i, s := range list {
		if i >= m.most {
			m.left += len(list) - i
			m.line("- and %s more", schema.Thousands(len(list)-i))
			return
		}
		m.line("- [ ] %s", mdText(s.Action))
		if s.Console == nil || m.most < 10 {
			continue
		}
		m.line("  <br>%s, by %s", mdText(s.Console.Where), mdText(s.Console.By))
		for _, do := range s.Console.Do {
			m.line("  <br>%s", mdText(do))
		}
	}
}
