package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rolecall/rolecall/cmd/rolecall/internal/githubtest"
)

type gitHubKey struct{}

// serveGitHub starts the GitHub of a script that has a github.json, which says
// whether the repository is private and which pull requests there are.
func serveGitHub(e *testscript.Env) error {
	data, err := os.ReadFile(filepath.Join(e.WorkDir, "github.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var in struct {
		Private bool
		Pulls   []githubtest.Pull
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	s := githubtest.New("acme/access", "ghs_script", "github-actions[bot]")
	e.Defer(s.Close)
	s.Private = in.Private
	for _, p := range in.Pulls {
		s.AddPull(p)
	}
	e.Setenv("GITHUB_API_URL", s.URL)
	e.Setenv("GITHUB_REPOSITORY", "acme/access")
	e.Setenv("GITHUB_TOKEN", "ghs_script")
	e.Setenv("GITHUB_ACTIONS", "true")
	e.Values[gitHubKey{}] = s
	return nil
}

// gitHub looks at the GitHub of a script, or lets something happen there:
//
//	github dump FILE             everything there is, as JSON
//	github comment N FILE        the body of the newest comment of our own on #N
//	github issue N FILE          state, title and body of the issue of our own that was opened as the Nth
//	github count WHAT N          how many comments, edits of comments, or labels there are of #N
//	github count checks SHA N    how many check runs there are on a commit
//	github count issues N        how many issues are open
//	github push N SHA            a new commit on a pull request
//	github merge N SHA           a pull request is merged
//	github edit N OLD NEW        somebody edits the comments on #N
//	github fail METHOD PATH CODE the next such request fails
func gitHub(ts *testscript.TestScript, neg bool, args []string) {
	s, ok := ts.Value(gitHubKey{}).(*githubtest.Server)
	if !ok || neg || len(args) < 2 {
		ts.Fatalf("usage: github WHAT …, in a script with github.json")
	}
	number := func(i int) int {
		n, err := strconv.Atoi(args[i])
		ts.Check(err)
		return n
	}
	switch args[0] {
	case "dump":
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), s.Dump(), 0o600))
	case "comment":
		list := s.Comments(number(1))
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].User.Login == s.Login {
				ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(list[i].Body), 0o600))
				return
			}
		}
		ts.Fatalf("no comment of %s on #%d", s.Login, number(1))
	case "issue":
		list := s.Issues()
		if n := number(1); n < 1 || n > len(list) {
			ts.Fatalf("there are %d issues", len(list))
		}
		i := list[number(1)-1]
		ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte("state: "+i.State+"\ntitle: "+i.Title+"\n"+i.Body), 0o600))
	case "count":
		got := 0
		switch args[1] {
		case "comments":
			got = len(s.Comments(number(2)))
		case "edits":
			for _, c := range s.Comments(number(2)) {
				got += c.Edits
			}
		case "labels":
			got = len(s.Labels(number(2)))
		case "checks":
			got = len(s.Checks(args[2]))
		case "issues":
			for _, i := range s.Issues() {
				if i.State == "open" {
					got++
				}
			}
		default:
			ts.Fatalf("github count %s: no such thing", args[1])
		}
		if want := number(len(args) - 1); got != want {
			ts.Fatalf("%d %s, want %d", got, args[1], want)
		}
	case "push":
		s.Push(number(1), args[2])
	case "merge":
		s.Merge(number(1), args[2])
	case "edit":
		s.EditComment(number(1), func(body string) string { return strings.ReplaceAll(body, args[2], args[3]) })
	case "fail":
		s.Fail(githubtest.Fault{Method: args[1], Path: args[2], Status: number(3)})
	default:
		ts.Fatalf("github %s: no such thing", args[0])
	}
}
