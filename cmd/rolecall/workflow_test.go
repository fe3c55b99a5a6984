package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/rolecall/rolecall/cmd/rolecall/internal/githubtest"
	"github.com/rolecall/rolecall/providers/emulator"
)

const (
	actionDir    = "../../.github/actions/rolecall"
	workflowsDir = actionDir + "/workflows"
)

// A workflow is as much of a workflow as is looked at here.
type workflow struct {
	On          yaml.Node         `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]*job   `yaml:"jobs"`
}

type job struct {
	If          string            `yaml:"if"`
	Permissions map[string]string `yaml:"permissions"`
	Timeout     int               `yaml:"timeout-minutes"`
	Steps       []step            `yaml:"steps"`
}

type step struct {
	Name, ID, If, Uses, Run, Shell string
	With, Env                      map[string]string
}

type action struct {
	Inputs map[string]struct {
		Default  string
		Required bool
	}
	Runs struct{ Steps []step }
}

func readYAML(t *testing.T, path string, v any) string {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(src, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(src)
}

func allWorkflows(t *testing.T) map[string]*workflow {
	t.Helper()
	files, err := filepath.Glob(workflowsDir + "/*.yml")
	if err != nil || len(files) < 4 {
		t.Fatalf("workflows: %v, %v", files, err)
	}
	list := map[string]*workflow{}
	for _, f := range append(files, "../../.github/workflows/ci.yml") {
		w := &workflow{}
		readYAML(t, f, w)
		list[filepath.Base(f)] = w
	}
	return list
}

var pinned = regexp.MustCompile(`^[\w./-]+@[0-9a-f]{40}$`)

// TestWorkflowsAskForLittle checks what SECURITY.md says of the workflows.
func TestWorkflowsAskForLittle(t *testing.T) {
	writes := map[string][]string{ // what each job may write, and nothing else
		"plan.yml/review": {"checks", "pull-requests", "security-events"}, "plan.yml/fork": nil,
		"comment.yml/comment": {"checks", "pull-requests"}, "apply.yml/apply": {"issues"}, "drift.yml/drift": {"issues"}, "ci.yml/run": nil,
	}
	seen := 0
	for name, w := range allWorkflows(t) {
		if len(w.Permissions) != 0 || w.Permissions == nil {
			t.Errorf("%s: permissions of the workflow are %v, want none", name, w.Permissions)
		}
		for _, n := range w.On.Content {
			if n.Value == "pull_request_target" {
				t.Errorf("%s runs on pull_request_target, which has secrets and the code of a fork", name)
			}
		}
		for id, j := range w.Jobs {
			want, known := writes[name+"/"+id]
			if !known {
				t.Errorf("%s: job %s is not in the table", name, id)
			}
			seen++
			var got []string
			for p, level := range j.Permissions {
				if level == "write" {
					got = append(got, p)
				}
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%s: job %s may write %v, want %v", name, id, got, want)
			}
			if j.Timeout == 0 {
				t.Errorf("%s: job %s has no time limit", name, id)
			}
			secret := false
			for _, s := range j.Steps {
				for k, v := range s.Env {
					secret = secret || strings.Contains(v, "secrets.ROLECALL") || strings.HasSuffix(k, "_KEY")
				}
				checkStep(t, name, s)
			}
			if secret && (name == "comment.yml" || id == "fork") {
				t.Errorf("%s: job %s has a key, and data or code of a fork", name, id)
			}
		}
	}
	if seen != len(writes) {
		t.Errorf("%d jobs, want %d", seen, len(writes))
	}
	var a action
	readYAML(t, actionDir+"/action.yml", &a)
	for _, s := range a.Runs.Steps {
		checkStep(t, "action.yml", s)
		if s.Run != "" && s.Shell != "bash" {
			t.Errorf("action.yml: step %q has no shell", s.Name)
		}
	}
}

func checkStep(t *testing.T, where string, s step) {
	t.Helper()
	if s.Uses != "" && !pinned.MatchString(s.Uses) {
		t.Errorf("%s: %s is not pinned by commit", where, s.Uses)
	}
	if strings.Contains(s.Run, "${{") {
		t.Errorf("%s: an expression stands in a script, where its value is code: %s", where, s.Run)
	}
	if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
		t.Errorf("%s: checkout leaves the token in the working tree", where)
	}
}

// A runner carries out the jobs of workflows, step by step: scripts as they
// are, the action by its own steps, and the actions of GitHub by what they are
// documented to do.
type runner struct {
	t         *testing.T
	workspace string
	temp      string
	env       []string
	context   map[string]string // what expressions can name
	checkout  map[string]string // the tree of each commit; "" is the default one
	endpoint  string            // stands in the place of the vendor's API: the only thing that is replaced
	artifacts string
}

// run carries out a job, and returns the exit status of the action in it.
func (r *runner) run(file, id string) (status string, skipped bool) {
	r.t.Helper()
	w := &workflow{}
	readYAML(r.t, filepath.Join(workflowsDir, file), w)
	j := w.Jobs[id]
	if j == nil {
		r.t.Fatalf("%s has no job %s", file, id)
	}
	if j.If != "" && !r.truth(j.If) {
		return "", true
	}
	for _, s := range j.Steps {
		name, _, _ := strings.Cut(s.Uses, "@")
		with := map[string]string{}
		for k, v := range s.With {
			with[k] = r.expand(v)
		}
		switch name {
		case "actions/checkout":
			to := filepath.Join(r.workspace, with["path"])
			if err := os.CopyFS(to, os.DirFS(r.checkout[with["ref"]])); err != nil {
				r.t.Fatal(err)
			}
		case "rolecall/rolecall/.github/actions/rolecall":
			env := map[string]string{}
			for k, v := range s.Env {
				env[k] = r.expand(v)
			}
			status = r.action(with, env)
		case "actions/upload-artifact":
			r.copy(filepath.Join(r.workspace, with["path"]), filepath.Join(r.artifacts, filepath.Base(with["path"])))
		case "actions/download-artifact":
			if err := os.CopyFS(with["path"], os.DirFS(r.artifacts)); err != nil {
				r.t.Fatal(err)
			}
		case "github/codeql-action/upload-sarif":
			if src, err := os.ReadFile(filepath.Join(r.workspace, with["sarif_file"])); err != nil || !strings.Contains(string(src), `"2.1.0"`) {
				r.t.Errorf("no findings for code scanning: %v", err)
			}
		default:
			r.t.Fatalf("%s: this runner does not know %s", file, s.Uses)
		}
	}
	return status, false
}

func (r *runner) copy(from, to string) {
	r.t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// again returns a runner for another run of the same: on a fresh machine.
func (r *runner) again() *runner {
	fresh := *r
	fresh.workspace, fresh.temp, fresh.artifacts = r.t.TempDir(), r.t.TempDir(), r.t.TempDir()
	fresh.context = maps.Clone(r.context)
	fresh.context["runner.temp"] = fresh.temp
	return &fresh
}

// action runs the steps of the action.
func (r *runner) action(with, env map[string]string) string {
	r.t.Helper()
	var a action
	readYAML(r.t, actionDir+"/action.yml", &a)
	scope := map[string]string{}
	for k, in := range a.Inputs {
		scope["inputs."+k] = in.Default
		if v, ok := with[k]; ok {
			scope["inputs."+k] = v
		} else if in.Required {
			r.t.Fatalf("the action wants %s", k)
		}
	}
	for k := range with {
		if _, ok := a.Inputs[k]; !ok {
			r.t.Fatalf("the action has no input %s", k)
		}
	}
	scope["inputs.endpoint"] = r.endpoint
	path, err := filepath.Abs(actionDir)
	if err != nil {
		r.t.Fatal(err)
	}
	scope["github.action_path"] = path
	inner := *r
	inner.context = map[string]string{}
	for _, m := range []map[string]string{r.context, scope} {
		for k, v := range m {
			inner.context[k] = v
		}
	}
	output := filepath.Join(r.temp, "output")
	for _, s := range a.Runs.Steps {
		if s.Run == "" {
			continue // actions/setup-go: this test runs with Go
		}
		cmd := exec.Command("bash", "-eo", "pipefail", "-c", s.Run)
		cmd.Dir = r.workspace
		cmd.Env = append(slices.Clone(r.env), "GITHUB_OUTPUT="+output, "RUNNER_TEMP="+r.temp)
		for k, v := range env {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
		for k, v := range s.Env {
			cmd.Env = append(cmd.Env, k+"="+inner.expand(v))
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			r.t.Fatalf("step %q: %v\n%s", s.Name, err, out)
		}
	}
	b, err := os.ReadFile(output)
	if err != nil {
		r.t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "status=")
}

var expression = regexp.MustCompile(`\$\{\{(.*?)\}\}`)

func (r *runner) expand(s string) string {
	return expression.ReplaceAllStringFunc(s, func(e string) string { return r.value(e[3 : len(e)-2]) })
}

// value evaluates an expression of names, texts and ||.
func (r *runner) value(e string) string {
	r.t.Helper()
	for part := range strings.SplitSeq(e, "||") {
		part = strings.TrimSpace(part)
		if text, ok := strings.CutPrefix(part, "'"); ok {
			return strings.TrimSuffix(text, "'")
		}
		v, ok := r.context[part]
		if !ok && !strings.HasPrefix(part, "vars.") {
			r.t.Fatalf("this runner does not know %q", part)
		}
		if v != "" {
			return v
		}
	}
	return ""
}

// truth evaluates comparisons that are joined by &&.
func (r *runner) truth(e string) bool {
	for part := range strings.SplitSeq(strings.ReplaceAll(e, "\n", " "), "&&") {
		if a, b, ok := strings.Cut(part, "!="); ok {
			if r.value(a) == r.value(b) {
				return false
			}
			continue
		}
		a, b, _ := strings.Cut(part, "==")
		if r.value(a) != r.value(b) {
			return false
		}
	}
	return true
}

const workflowSeed = `{
  "organization": {"id": "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e", "name": "Acme", "provisioning": "login_only"},
  "features": {"chat": true},
  "members": [{"email": "ann@acme.com", "name": "Ann", "role": "user"}, {"email": "bob@acme.com", "name": "Bob", "role": "user"},
    {"email": "own@acme.com", "name": "Own", "role": "primary_owner"}]
}`

func workflowConfig(members string) string {
	return fmt.Sprintf(`organization "acme" {
  system = "claude-enterprise"
  settle = "0s"
}
feature "chat" {
  enabled = true
}
role "base" {
  capabilities      = ["chat"]
  connector_default = "needs_approval"
}
group "all" {
  name    = "All"
  roles   = [role.base]
  members = [%[1]s]
}
migration {
  wave "everyone" {
    members = [%[1]s]
  }
}
`, members)
}

// saysWho matches the line of a drift issue about who changed an object.
var saysWho = regexp.MustCompile(`(?m)^  - last changed 20\d\d.*Z by (own.*acme|apikey).*(removed|added).*$`)

// request sends what a person does, and returns the answer.
func request(t *testing.T, method, url, body string) []byte {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-api-key", "sk-ant-api01-another")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s %v", method, url, resp.Status, answer, err)
	}
	return answer
}

func decode(t *testing.T, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
}

// idOf returns the id of a member.
func idOf(t *testing.T, s *emulator.Server, email string) string {
	t.Helper()
	var all struct{ Members []struct{ ID, Email string } }
	decode(t, s.StateJSON(), &all)
	for _, m := range all.Members {
		if m.Email == email {
			return m.ID
		}
	}
	t.Fatalf("no member %s", email)
	return ""
}

// TestWorkflowsAsShipped carries out the workflows as they are shipped: a pull
// request is opened, merged and applied, a person does the console steps, what
// is changed by hand is reported until it is gone; another comes from a fork.
func TestWorkflowsAsShipped(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command; the long run does it")
	}
	seed := filepath.Join(t.TempDir(), "live.json")
	if err := os.WriteFile(seed, []byte(workflowSeed), 0o600); err != nil {
		t.Fatal(err)
	}
	vendor, err := emulator.Open(emulator.Options{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(vendor.Handler())
	defer api.Close()
	hub := githubtest.New("acme/access", "ghs_workflow", "github-actions[bot]")
	defer hub.Close()
	hub.Private = true
	const head, merged, forked = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222", "3333333333333333333333333333333333333333"
	hub.AddPull(githubtest.Pull{Number: 7, Author: "jane", Head: head})
	hub.AddPull(githubtest.Pull{Number: 8, Author: "mallory", Head: forked, HeadRepo: "mallory/access", Branch: "more"})

	tree := func(members string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "org.hcl"), []byte(workflowConfig(members)), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	new := func(context map[string]string, checkout map[string]string, sha string) *runner {
		r := &runner{t: t, workspace: t.TempDir(), temp: t.TempDir(), context: context, checkout: checkout, endpoint: api.URL, artifacts: t.TempDir()}
		for k, v := range map[string]string{"secrets.GITHUB_TOKEN": hub.Token, "secrets.ROLECALL_READ_KEY": "sk-read", "secrets.ROLECALL_WRITE_KEY": "sk-write",
			"github.repository": "acme/access", "runner.temp": r.temp} {
			r.context[k] = v
		}
		for _, name := range []string{"PATH", "HOME", "GOPATH", "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY"} {
			if v, ok := os.LookupEnv(name); ok {
				r.env = append(r.env, name+"="+v)
			}
		}
		r.env = append(r.env, "CI=true", "GITHUB_ACTIONS=true", "GITHUB_API_URL="+hub.URL, "GITHUB_REPOSITORY=acme/access", "GITHUB_SHA="+sha)
		return r
	}
	event := func(number, repo, sha string) map[string]string {
		return map[string]string{"github.event.pull_request.number": number, "github.event.pull_request.head.repo.full_name": repo,
			"github.event.pull_request.base.sha": "base", "github.event.pull_request.head.sha": sha}
	}
	both := `"ann@acme.com", "bob@acme.com"`

	// A pull request of the repository's own.
	own := new(event("7", "acme/access", head), map[string]string{"": tree(both)}, head)
	if status, skipped := own.run("plan.yml", "review"); skipped || status != "0" {
		t.Fatalf("review: status %q, skipped %v", status, skipped)
	}
	if _, skipped := own.run("plan.yml", "fork"); !skipped {
		t.Error("the job for forks ran for a pull request of the repository's own")
	}
	if c := hub.Comments(7); len(c) != 1 || !strings.Contains(c[0].Body, "rolecall:approval") {
		t.Fatalf("comments: %+v", c)
	}

	// Merged: it is applied up to the console steps, which are in one issue.
	hub.Merge(7, merged)
	apply := new(map[string]string{}, map[string]string{"": tree(both)}, merged)
	if status, _ := apply.run("apply.yml", "apply"); status != "4" {
		t.Fatalf("apply: status %q, want 4", status)
	}
	if list := hub.Issues(); len(list) != 1 || list[0].State != "open" || !strings.Contains(list[0].Body, "- [ ]") {
		t.Fatalf("issues: %+v", list)
	}

	// A person does it; the next run on schedule goes on, and closes the issue.
	do := func(method, path, body string) []byte {
		t.Helper()
		return request(t, method, api.URL+path, body)
	}
	var role, groups struct {
		ID   string
		Data []struct{ ID string }
	}
	decode(t, do("POST", "/console/roles", `{"name": "base"}`), &role)
	for range 3 {
		if status, _ := apply.again().run("apply.yml", "apply"); status == "0" {
			break
		} else if status != "4" {
			t.Fatalf("apply: status %q, want 4", status)
		}
		decode(t, do("GET", "/v1/organizations/rbac_groups", ""), &groups)
		do("PUT", "/console/groups/"+groups.Data[0].ID+"/roles/"+role.ID, "")
	}
	checklist := hub.Issues()[0]
	if checklist.State != "closed" || !strings.Contains(checklist.Body, "Nothing waits") {
		t.Fatalf("after all was done the issue is %+v", checklist)
	}

	// Drift: nothing, found, found again with more, gone.
	drift := new(map[string]string{}, map[string]string{"": tree(both)}, merged)
	drifts := func(wantStatus string) *githubtest.Issue {
		t.Helper()
		if status, _ := drift.again().run("drift.yml", "drift"); status != wantStatus {
			t.Fatalf("drift: status %q, want %s", status, wantStatus)
		}
		list := hub.Issues()
		switch {
		case len(list) == 1:
			return nil
		case len(list) > 2 || list[0].Body != checklist.Body:
			t.Fatalf("issues: %+v, want that of the checklist and one of the drift", list)
		}
		return &list[1]
	}
	if i := drifts("0"); i != nil {
		t.Errorf("drift of nothing: %+v", i)
	}
	do("PATCH", "/console/roles/"+role.ID, `{"add": [{"action": "web_search", "resource": {"type": "organization"}}]}`)
	first := drifts("2")
	if first == nil || first.State != "open" || !strings.Contains(first.Title, "1 object") {
		t.Fatalf("drift: %+v", first)
	}
	if !saysWho.MatchString(first.Body) || !strings.Contains(first.Body, "<code>role&#46;base</code>") || !strings.Contains(first.Body, "web") {
		t.Errorf("the issue does not say what, who and when:\n%s", first.Body)
	}
	do("DELETE", "/v1/organizations/rbac_groups/"+groups.Data[0].ID+"/members/"+idOf(t, vendor, "bob@acme.com"), "")
	second := drifts("2")
	if second == nil || second.Number != first.Number || second.State != "open" || !strings.Contains(second.Title, "2 objects") || second.Body == first.Body {
		t.Fatalf("found again: %+v", second)
	}
	if n := len(saysWho.FindAllString(second.Body, -1)); n != 2 {
		t.Errorf("%d of 2 objects say who changed them:\n%s", n, second.Body)
	}
	if third := drifts("2"); third == nil || third.Title != second.Title || third.Body != second.Body {
		t.Errorf("found a third time, the issue changes: %+v", third)
	}
	do("PATCH", "/console/roles/"+role.ID, `{"remove": [{"action": "web_search", "resource": {"type": "organization"}}]}`)
	do("POST", "/v1/organizations/rbac_groups/"+groups.Data[0].ID+"/members", fmt.Sprintf(`{"user_id": %q}`, idOf(t, vendor, "bob@acme.com")))
	if last := drifts("0"); last == nil || last.Number != first.Number || last.State != "closed" {
		t.Errorf("gone: %+v", last)
	}

	// A fork: it is compared with its base, and another job comments.
	fork := new(event("8", "mallory/access", forked), map[string]string{"base": tree(both), forked: tree(`"ann@acme.com"`)}, forked)
	if _, skipped := fork.run("plan.yml", "review"); !skipped {
		t.Fatal("the job with keys ran for a fork")
	}
	if status, _ := fork.run("plan.yml", "fork"); status == "1" {
		t.Fatal("the plan of a fork failed")
	}
	comment := new(map[string]string{"github.event.workflow_run.event": "pull_request", "github.event.workflow_run.head_repository.full_name": "mallory/access",
		"github.event.workflow_run.id": "1", "github.event.workflow_run.head_repository.owner.login": "mallory", "github.event.workflow_run.head_branch": "more",
		"github.event.workflow_run.head_sha": forked}, map[string]string{"": tree(both)}, merged)
	comment.artifacts = fork.artifacts
	comment.run("comment.yml", "comment")
	if c := hub.Comments(8); len(c) != 1 || strings.Contains(c[0].Body, "rolecall:approval") || strings.Contains(c[0].Body, "bob") {
		t.Errorf("comments of the fork: %+v", c)
	}
	for _, r := range hub.Requests() {
		if strings.Contains(r, "sk-") {
			t.Errorf("a key went to GitHub: %s", r)
		}
	}
}
