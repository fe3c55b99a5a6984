package main

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/rolecall/rolecall/providers/emulator"
)

// TestGitLabRecipe runs the lines of the recipe in the README of the workflows
// as they stand there, the way a runner of GitLab does: a shell that stops at the
// first command that fails. A merge request is planned, merged and applied, once
// by planning again and once from the plan that was looked at.
func TestGitLabRecipe(t *testing.T) {
	readme, err := os.ReadFile(workflowsDir + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, recipe, _ := strings.Cut(string(readme), "    # .gitlab-ci.yml\n")
	var block []string
	for line := range strings.Lines(recipe) {
		if !strings.HasPrefix(line, "    ") {
			break
		}
		block = append(block, strings.TrimPrefix(line, "    "))
	}
	var ci map[string]struct {
		Script    []string
		Artifacts struct{ Paths []string }
	}
	if err := yaml.Unmarshal([]byte(strings.Join(block, "")), &ci); err != nil || len(ci["plan"].Script) == 0 || len(ci["apply"].Script) == 0 {
		t.Fatalf("the recipe is %v, %v:\n%s", ci, err, strings.Join(block, ""))
	}
	open := func() (dir string, server *emulator.Server, shell func(script ...string) (string, bool)) {
		t.Helper()
		dir = t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "org.hcl"), []byte(workflowConfig(`"ann@acme.com", "bob@acme.com"`)), 0o600); err != nil {
			t.Fatal(err)
		}
		server, err := emulator.Open(emulator.Options{SeedData: []byte(workflowSeed)})
		if err != nil {
			t.Fatal(err)
		}
		api := httptest.NewServer(server.Handler())
		t.Cleanup(func() { api.Close(); _ = server.Close() })
		return dir, server, func(script ...string) (string, bool) {
			cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", strings.Join(script, "\n"))
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "ROLECALL_ENDPOINT="+api.URL, "ANTHROPIC_ADMIN_KEY=sk-ant-api01-gitlab", "CI=true", "NO_COLOR=1")
			out, err := cmd.CombinedOutput()
			return string(out), err == nil
		}
	}
	succeeds := func(what, out string, ok bool) {
		t.Helper()
		if !ok {
			t.Fatalf("%s fails:\n%s", what, out)
		}
	}

	dir, server, shell := open()
	first := string(server.StateJSON())
	out, ok := shell(ci["plan"].Script...)
	succeeds("plan", out, ok)
	if string(server.StateJSON()) != first {
		t.Error("the plan changed the organization")
	}
	for _, name := range ci["plan"].Artifacts.Paths {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || len(b) == 0 {
			t.Errorf("artifact %s: %d bytes, %v", name, len(b), err)
		}
		if strings.HasSuffix(name, ".md") && (!strings.Contains(string(b), "of 3 members") || strings.Contains(string(b), "bob")) {
			t.Errorf("%s does not count people, or names them:\n%s", name, b)
		}
	}
	out, ok = shell(ci["apply"].Script...)
	succeeds("apply", out, ok)
	if !strings.Contains(out, "Console step") {
		t.Errorf("the apply does not say what waits to be done by hand:\n%s", out)
	}
	out, ok = shell("rolecall apply --auto-approve")
	succeeds("the apply after all was done", out, ok)

	_, _, shell = open()
	out, ok = shell(append(append([]string{}, ci["plan"].Script...), "rolecall apply rolecall.plan --auto-approve")...)
	succeeds("the apply of the saved plan", out, ok)
	if out, ok = shell("status=0", "rolecall apply rolecall.plan --auto-approve || status=$?", "test $status = 6"); !ok {
		t.Errorf("a saved plan is applied twice, or its status is not 6:\n%s", out)
	}

	// A plan that is blocked fails the job.
	dir, _, shell = open()
	config := workflowConfig(`"ann@acme.com", "bob@acme.com"`) + "guard {\n  protected = [\"ann@acme.com\"]\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "org.hcl"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, job := range map[string][]string{"plan": ci["plan"].Script, "apply": ci["apply"].Script} {
		if out, ok := shell(job...); ok {
			t.Errorf("%s succeeds although it is blocked:\n%s", name, out)
		}
	}
}
