package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func silent() (streams, *bytes.Buffer, *bytes.Buffer) {
	var out, errs bytes.Buffer
	return streams{in: strings.NewReader(""), out: &out, err: &errs, getenv: func(string) string { return "" }}, &out, &errs
}

// TestHelpHasAnExampleThatWorks runs the examples of every command's help, in
// order, where the examples of the repository are and a saved plan.
func TestHelpHasAnExampleThatWorks(t *testing.T) {
	s, _, _ := silent()
	for _, cmd := range newApp(s).Commands {
		t.Run(cmd.Name, func(t *testing.T) {
			s, out, errs := silent()
			if code := run(context.Background(), []string{"rolecall", cmd.Name, "-h"}, s); code != 0 {
				t.Fatalf("-h exits with %d: %s", code, errs)
			}
			for _, line := range strings.Split(cmd.UsageText, "\n") {
				if !strings.Contains(out.String(), strings.TrimSpace(line)) {
					t.Errorf("the help does not show %q:\n%s", line, out)
				}
			}
			examples := regexp.MustCompile(`(?m)^ {3}(rolecall .*)$`).FindAllStringSubmatch(cmd.UsageText, -1)
			if len(examples) == 0 && cmd.Name != "version" {
				t.Error("the help has no example")
			}
			if cmd.Name == "emulate" { // serves until it is interrupted
				return
			}
			all, saved := copyDir(t, filepath.Join("..", "..", "examples")), savedPlan(t)
			t.Chdir(t.TempDir()) // nothing is left in the source tree
			for from, to := range map[string]string{all: "examples", saved: "change.plan"} {
				if err := os.Rename(from, to); err != nil {
					t.Fatal(err)
				}
			}
			for _, e := range examples {
				args := strings.Fields(e[1])
				if cmd.Name == "apply" {
					args = append(args, "--auto-approve")
				}
				s, _, errs := silent()
				want := exitOK
				if cmd.Name == "drift" { // nothing of the example was applied yet
					want = exitDifferences
				}
				if code := run(context.Background(), args, s); code != want {
					t.Errorf("%s exits with %d: %s", e[1], code, errs)
				}
			}
		})
	}
}

// savedPlan saves the plan of an example and returns its file.
func savedPlan(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "change.plan")
	s, _, errs := silent()
	dir := copyDir(t, filepath.Join("..", "..", "examples", "acme"))
	if code := run(context.Background(), []string{"rolecall", "plan", "-C", dir, "--out", file}, s); code != 0 {
		t.Fatalf("plan --out exits with %d: %s", code, errs)
	}
	return file
}

// TestFlagsAfterArguments checks, for every command, that a flag counts
// wherever it stands and that an argument nobody takes is refused.
func TestFlagsAfterArguments(t *testing.T) {
	s, _, _ := silent()
	app := newApp(s)
	for _, cmd := range app.Commands {
		for _, f := range cmd.Flags {
			name := "--" + f.Names()[0]
			if len(f.Names()[0]) == 1 {
				name = "-" + f.Names()[0]
			}
			args := []string{"rolecall", cmd.Name, "argument", name}
			want := []string{"rolecall", cmd.Name, name, "argument"}
			if _, boolean := f.(*cli.BoolFlag); !boolean {
				args = append(args, "value")
				want = []string{"rolecall", cmd.Name, name, "value", "argument"}
			}
			if got := reorder(app, args); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("reorder(%v) = %v, want %v", args, got, want)
			}
		}
		s, _, errs := silent()
		if code := run(context.Background(), []string{"rolecall", cmd.Name, "--", "argument"}, s); code != exitError || errs.Len() == 0 {
			t.Errorf("%s with an argument exits with %d: %s", cmd.Name, code, errs)
		}
	}
}

// TestFlagsBeforeTheCommand checks that the flags of every command may stand
// before its name, as people write them who know other tools.
func TestFlagsBeforeTheCommand(t *testing.T) {
	s, _, _ := silent()
	app := newApp(s)
	for line, want := range map[string]string{
		"plan -C d":                       "plan -C d",
		"-C d plan":                       "plan -C d",
		"-C d --format json plan --stats": "plan -C d --format json --stats",
		"-C=d --no-color plan x":          "plan -C=d --no-color x",
		"--no-color explain a b --live":   "explain --no-color --live a b",
		"-C plan":                         "-C plan", // a directory of that name, and no command
		"-C d plna":                       "-C d plna",
		"-h":                              "-h",
		"plan x -h":                       "plan -h",
		"access diff --help a":            "access -h",
		"help":                            "-h",
		"help access diff":                "access -h",
		"--version":                       "version",
		"plan -- -h":                      "plan -- -h",
		"":                                "",
	} {
		got := reorder(app, append([]string{"rolecall"}, strings.Fields(line)...))
		if strings.Join(got[1:], " ") != want {
			t.Errorf("rolecall %s is read as %v, want %s", line, got[1:], want)
		}
	}
	for _, cmd := range app.Commands {
		for _, f := range commonFlags("text") {
			if !slices.ContainsFunc(cmd.Flags, func(g cli.Flag) bool { return g.Names()[0] == f.Names()[0] }) {
				t.Errorf("%s lacks the flag --%s, which every command has", cmd.Name, f.Names()[0])
			}
		}
	}
}

// TestExitCodes checks that each status has one meaning and a place in the
// precedence and in the help.
func TestExitCodes(t *testing.T) {
	seen := map[int]bool{}
	for _, code := range precedence {
		if seen[code] {
			t.Errorf("status %d comes twice", code)
		}
		seen[code] = true
	}
	for _, code := range []int{exitOK, exitError, exitDifferences, exitBlocked, exitWaiting, exitUndetermined, exitStale, exitDeadline, exitInterrupted} {
		if !seen[code] {
			t.Errorf("status %d has no place in the precedence", code)
		}
	}
	if !strings.Contains(statuses, "130, 1, 6, 5, 3, 7, 4, 2, 0") {
		t.Error("the help does not give the precedence")
	}
}

// TestReadme checks that the README has the two commands, and that what it
// shows of a plan is what the tool prints.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(readme)
	for _, want := range []string{"\n    go run ./cmd/rolecall apply -C examples/acme --auto-approve\n", "\n    go test ./...\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the README lacks the command %q", want)
		}
	}
	dir := copyDir(t, filepath.Join("..", "..", "examples", "acme"))
	s, out, errs := silent()
	if code := run(context.Background(), []string{"rolecall", "plan", "-C", dir}, s); code != 0 {
		t.Fatalf("plan exits with %d: %s", code, errs)
	}
	_, block, ok := strings.Cut(text, "```text\n")
	block, _, end := strings.Cut(block, "```")
	if !ok || !end {
		t.Fatal("the README shows no plan")
	}
	printed := out.String()
	for _, line := range strings.Split(strings.TrimSpace(block), "\n") {
		if line = strings.TrimRight(line, " "); line != "" && line != "  …" && !strings.Contains(printed, line) {
			t.Errorf("the README shows a line that the plan does not have: %s", line)
		}
	}
}
