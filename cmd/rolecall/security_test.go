package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityPageNamesTests looks for every test that the threat model rests
// on: a row without its test is a promise and nothing else.
func TestSecurityPageNamesTests(t *testing.T) {
	page, err := os.ReadFile("../../.github/SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	cmd := exec.Command("git", "ls-files", "*_test.go")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.FieldsSeq(string(out)) {
		b, err := os.ReadFile(filepath.Join("../..", file))
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(b)
	}
	rows := 0
	for line := range strings.SplitSeq(string(page), "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| who |") {
			continue
		}
		rows++
		cells := strings.Split(line, "|")
		named := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[len(cells)-2], -1)
		if len(named) == 0 {
			t.Errorf("no test is named: %s", line)
		}
		for _, m := range named {
			if script, ok := strings.CutSuffix(m[1], ".txtar"); ok {
				if _, err := os.Stat(filepath.Join("testdata/script", script+".txtar")); err != nil {
					t.Errorf("%s is not there", m[1])
				}
			} else if !strings.Contains(tests.String(), "func "+m[1]+"(") {
				t.Errorf("%s is not there", m[1])
			}
		}
	}
	if rows < 10 {
		t.Errorf("%d rows", rows)
	}
}
