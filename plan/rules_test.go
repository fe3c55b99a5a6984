package plan_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/plan"
)

// TestRulesAreDocumented wants the table in order, each check with what is
// wrong and what to write instead.
func TestRulesAreDocumented(t *testing.T) {
	id := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	var ids []string
	for _, r := range plan.Rules {
		ids = append(ids, r.ID)
		if !id.MatchString(r.ID) {
			t.Errorf("%q is no name for a check", r.ID)
		}
		if r.Severity != plan.Error && r.Severity != plan.Warning && r.Severity != plan.Info {
			t.Errorf("%s has the severity %q", r.ID, r.Severity)
		}
		if n := strings.Count(r.Doc, ". ") + 1; n < 2 || !strings.HasSuffix(r.Doc, ".") {
			t.Errorf("%s says %q, want what is wrong and what to do", r.ID, r.Doc)
		}
	}
	if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("the rules are not sorted, or one comes twice: %v", ids)
	}
}
