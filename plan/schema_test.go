package plan_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rolecall/rolecall/plan"
)

// planSchema is the published schema of the JSON form.
var planSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	b, err := os.ReadFile("plan.schema.json")
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("plan.schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("plan.schema.json")
})

// fits reports where a plan is not as the schema says. Every plan that the
// tests of this package make is looked at.
func fits(t testing.TB, p *plan.Plan) {
	t.Helper()
	b, err := p.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, b); err != nil {
		t.Errorf("the plan does not fit its schema: %v", err)
	}
}

func validate(t testing.TB, b []byte) error {
	t.Helper()
	s, err := planSchema()
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// TestSchemaKnowsEveryField: a field that the schema does not name, one that is
// missing, and one of another type are refused, wherever they are.
func TestSchemaKnowsEveryField(t *testing.T) {
	config, live := mixed()
	p := build(t, config, live)
	p.Unsafe = append(p.Unsafe, plan.Unsafe{Member: "a", Permission: "p", Had: "x", Will: "y", Between: []string{"s"}})
	b, err := p.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, b); err != nil {
		t.Fatal(err)
	}
	var root any
	spoilt := 0
	// spoil walks to every object and tries it with one field more and, in turn,
	// without each of those it must have.
	var spoil func(path string, v any)
	refused := func(path, what string) {
		t.Helper()
		b, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		if spoilt++; validate(t, b) == nil {
			t.Errorf("%s %s is accepted", path, what)
		}
	}
	seen := map[string]bool{}
	free := func(path string) bool { // maps that the configuration makes
		for _, name := range []string{".before", ".after", ".body"} {
			if strings.Contains(path, name) {
				return true
			}
		}
		return false
	}
	spoil = func(path string, v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				spoil(path+"[]", x)
			}
		case map[string]any:
			if free(path) {
				return
			}
			if !seen[path] {
				seen[path] = true
				v["surprise"] = 1
				refused(path, "with a field more")
				delete(v, "surprise")
			}
			for name, x := range v {
				if at := path + "." + name; !seen[at] && !strings.HasSuffix(at, ".body") {
					seen[at] = true
					v[name] = 1.5
					refused(at, "of another type")
					v[name] = x
				}
				spoil(path+"."+name, x)
			}
		}
	}
	if err := json.Unmarshal(b, &root); err != nil {
		t.Fatal(err)
	}
	spoil("plan", root)
	if spoilt < 100 {
		t.Errorf("only %d things were spoilt", spoilt)
	}
	for _, path := range []string{"plan.access[].because[]", "plan.limits[]", "plan.findings[].range.start", "plan.guards[]", "plan.risks[]", "plan.unsafe[]",
		"plan.stages[].steps[].request", "plan.stages[].steps[].console", "plan.changes[]", "plan.groups[]", "plan.memberships[]"} {
		if !seen[path] {
			t.Errorf("the plan has no %s", path)
		}
	}
}

// TestSchemaOfEveryFinding: a finding of each check there is fits.
func TestSchemaOfEveryFinding(t *testing.T) {
	config, live := mixed()
	p := build(t, config, live)
	for _, r := range plan.Rules {
		p.Findings = append(p.Findings, plan.Finding{Rule: r.ID, Severity: r.Severity, Message: r.Doc})
	}
	fits(t, p)
}
