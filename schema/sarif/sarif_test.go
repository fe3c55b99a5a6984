package sarif_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rolecall/rolecall/schema/sarif"
)

var update = flag.Bool("update", false, "write the golden file")

func place(name string, line, column, offset, endColumn, endOffset int) hcl.Range {
	return hcl.Range{Filename: name, Start: hcl.Pos{Line: line, Column: column, Byte: offset}, End: hcl.Pos{Line: line, Column: endColumn, Byte: endOffset}}
}

func report() sarif.Report {
	// The flag is one letter to the eye, and two code points.
	src := []byte("a = \"🇩🇪\" b\n")
	return sarif.Report{
		Tool: "rolecall", Version: "1.2.3",
		Rules: []sarif.Rule{
			{ID: "void-grant", Short: "A grant that changes nothing.", Help: "Take it out.", Level: sarif.Warning},
			{ID: "unknown-block", Short: "Unknown block.", Level: sarif.Error},
			{ID: "unknown-block", Short: "Unknown block.", Level: sarif.Error},
		},
		Results: []sarif.Result{
			{Rule: "unknown-block", Level: sarif.Error, Message: "No block is called b.", Range: place("acme org/a.hcl", 1, 9, 15, 10, 16)},
			{Rule: "unknown-block", Level: sarif.Error, Message: "No block is called b.", Range: place("acme org/a.hcl", 1, 9, 15, 10, 16)},
			{Rule: "unknown-block", Level: sarif.Error, Message: "At the end.", Range: place("acme org/a.hcl", 2, 1, 17, 1, 17)},
			{Rule: "void-grant", Level: sarif.Note, Message: "Nothing <b>live</b> is described.", Subject: "group.pilot"},
		},
		Files: map[string]*hcl.File{"acme org/a.hcl": {Bytes: src}},
	}
}

// TestWrite compares with a golden file, which -update writes.
func TestWrite(t *testing.T) {
	var b bytes.Buffer
	if err := sarif.Write(&b, report()); err != nil {
		t.Fatal(err)
	}
	const path = "testdata/report.sarif"
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

// TestFitsTheStandard checks reports against the rules of the standard.
func TestFitsTheStandard(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("testdata/sarif.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]sarif.Report{"findings": report(), "nothing": {Tool: "rolecall"}} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := sarif.Write(&b, r); err != nil {
				t.Fatal(err)
			}
			var v any
			if err := json.Unmarshal(b.Bytes(), &v); err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(v); err != nil {
				t.Error(err)
			}
		})
	}
	// The rules themselves would notice.
	for _, broken := range []string{`{}`, `{"version": "2.1.0", "runs": [{}]}`, `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{"level": "fatal", "message": {"text": "x"}}]}]}`} {
		var v any
		if err := json.Unmarshal([]byte(broken), &v); err != nil {
			t.Fatal(err)
		}
		if schema.Validate(v) == nil {
			t.Errorf("%s is accepted", broken)
		}
	}
}

// TestFingerprintsOutliveLines checks that a result is the same one after
// lines were added before it, and another in another file.
func TestFingerprintsOutliveLines(t *testing.T) {
	print := func(r hcl.Range, message string) string {
		var b bytes.Buffer
		if err := sarif.Write(&b, sarif.Report{Tool: "t", Rules: []sarif.Rule{{ID: "r", Short: "s", Level: sarif.Error}},
			Results: []sarif.Result{{Rule: "r", Level: sarif.Error, Message: message, Range: r}}}); err != nil {
			t.Fatal(err)
		}
		var v struct {
			Runs []struct {
				Results []struct {
					PartialFingerprints map[string]string
				}
			}
		}
		if err := json.Unmarshal(b.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		return v.Runs[0].Results[0].PartialFingerprints["rolecall/v1"]
	}
	first := print(place("a.hcl", 1, 1, 0, 2, 1), "m")
	if first == "" || print(place("a.hcl", 7, 1, 70, 2, 71), "m") != first {
		t.Error("the fingerprint changes with the line")
	}
	if print(place("b.hcl", 1, 1, 0, 2, 1), "m") == first || print(place("a.hcl", 1, 1, 0, 2, 1), "n") == first {
		t.Error("different results have one fingerprint")
	}
}
