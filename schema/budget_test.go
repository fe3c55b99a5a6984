package schema_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/schema"
)

// TestLoopsHaveABudget checks that loops in loops are refused, wherever they
// are written, in a moment and with one error.
func TestLoopsHaveABudget(t *testing.T) {
	const loops = "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]]"
	tests := map[string]map[string]string{
		"local":      {"a.hcl": organization + "locals {\n  x = " + loops + "\n}\n"},
		"attribute":  {"a.hcl": organization + "role \"r\" {\n  description = tostring(length(" + loops + "))\n}\n"},
		"condition":  {"a.hcl": organization + "locals {\n  x = [for a in range(1000) : a if length([for b in range(1000) : b if length([for c in range(1000) : c]) > 0]) > 0]\n}\n"},
		"object":     {"a.hcl": organization + "locals {\n  x = {for a in range(1000) : a => {for b in range(1000) : b => {for c in range(1000) : c => c}}}\n}\n"},
		"template":   {"a.hcl": organization + "locals {\n  x = \"%{for a in range(1000)}%{for b in range(1000)}%{for c in range(1000)}x%{endfor}%{endfor}%{endfor}\"\n}\n"},
		"for-each":   {"a.hcl": organization + "group \"g\" {\n  for_each = toset([for i in range(1000) : tostring(i)])\n  name     = join(\"\", [for a in range(1000) : join(\"\", [for b in range(1000) : \"\"])])\n}\n"},
		"dynamic":    {"a.hcl": organization + "migration {\n  dynamic \"wave\" {\n    for_each = " + loops + "\n    labels = [wave.key]\n    content {}\n  }\n}\n"},
		"default":    {"a.hcl": organization + "variable \"v\" {\n  default = " + loops + "\n}\n"},
		"validation": {"a.hcl": organization + "variable \"v\" {\n  default = 1\n  validation {\n    condition     = length(" + loops + ") == var.v\n    error_message = \"No.\"\n  }\n}\n"},
		"file": {
			"a.hcl":  organization + "locals {\n  x = templatefile(\"t.txt\", {})\n}\n",
			"t.txt":  "%{for a in range(1000)}%{for b in range(1000)}%{for c in range(1000)}x%{endfor}%{endfor}%{endfor}",
			"ignore": "",
		},
	}
	tests["template"]["a.hcl"] = strings.ReplaceAll(tests["template"]["a.hcl"], "range(1000)", "local.n")
	tests["template"]["b.hcl"] = "locals {\n  n = range(1000)\n}\n"
	for name, files := range tests {
		t.Run(name, func(t *testing.T) {
			t.Chdir(directory(t, files))
			c, diags := schema.LoadWithin(".", options(), 50_000, 4<<30)
			if len(diags) != 1 || diags[0].Subject == nil || !strings.Contains(shown(t, c, diags), "more than 50,000 elements") {
				t.Errorf("%d diagnostics:\n%s", len(diags), shown(t, c, diags))
			}
		})
	}
}

// slow is evaluated for seconds, and has no loop that the budget sees.
const slow = `{"locals": {"x": "${length([for a in range(1000) : [for b in range(1000) : [for c in range(2) : \"${a}${b}${c}\"]]])}"}}`

// TestEvaluationIsStopped checks that the clock and the memory stop what no
// budget stops, and that the error says what was being evaluated.
func TestEvaluationIsStopped(t *testing.T) {
	tests := map[string]struct {
		timeout time.Duration
		memory  uint64
		want    string
	}{
		"clock":  {50 * time.Millisecond, 4 << 30, "The evaluation of local.x takes more than 50ms."},
		"memory": {time.Minute, 20 << 20, "The evaluation of local.x takes too much memory."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := directory(t, map[string]string{"a.hcl.json": slow, "b.hcl": organization})
			o := options()
			o.Timeout = tt.timeout
			c, diags := schema.LoadWithin(dir, o, 1000, tt.memory)
			if text := shown(t, c, diags); len(diags) != 1 || !strings.Contains(strings.ReplaceAll(text, "\n", " "), tt.want) {
				t.Errorf("want %q:\n%s", tt.want, text)
			}
		})
	}
}
