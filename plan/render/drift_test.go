package render_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/plan/render"
	"github.com/rolecall/rolecall/schema"
)

// TestDriftMarkdownFits: however much differs, an issue holds it, says what was
// left out, and what names say means nothing there.
func TestDriftMarkdownFits(t *testing.T) {
	d := &plan.Drift{Organization: "acme", Verdict: plan.Differs}
	for i := range 400 {
		d.Objects = append(d.Objects, plan.Differing{Address: schema.MakeAddress("group", fmt.Sprint("g", i), ""), How: plan.HowDiffers,
			Fields: []plan.Difference{{Attr: "members", Extra: []string{"<script>@everyone", "a", "b", "c", "d"}}}})
	}
	for _, max := range []int{0, 20_000, 300} {
		var b strings.Builder
		if err := render.DriftMarkdown(&b, d, max); err != nil {
			t.Fatal(err)
		}
		if max > 0 && b.Len() > max {
			t.Errorf("%d bytes, want at most %d", b.Len(), max)
		}
		if cut := strings.Contains(b.String(), " more"); cut != (max > 0) {
			t.Errorf("with at most %d bytes it says that something was left out: %v", max, cut)
		}
		if !strings.Contains(b.String(), "400 objects") || strings.ContainsAny(b.String(), "@") || strings.Contains(b.String(), "<script") {
			t.Errorf("with at most %d bytes: %.300s", max, b.String())
		}
	}
}
