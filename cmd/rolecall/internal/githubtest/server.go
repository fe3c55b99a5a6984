// Package githubtest is a small GitHub for tests: pull requests, comments,
// check runs, labels and issues of one repository over real HTTP, with pages,
// rate limits, failures and redirects on demand.
//
// It is written from GitHub's REST documentation and imports nothing of this
// module, so that a misreading of the client is not repeated here. Only tests
// import it.
package githubtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A User is who wrote something.
type User struct {
	Login string `json:"login"`
	Type  string `json:"type,omitempty"`
}

// A Comment is a comment on a pull request or an issue.
type Comment struct {
	ID      int64  `json:"id"`
	Body    string `json:"body"`
	User    User   `json:"user"`
	HTMLURL string `json:"html_url"`
	Edits   int    `json:"-"`
}

// A Label is a label of an issue.
type Label struct {
	Name string `json:"name"`
}

// An Issue is an issue; pull requests are issues too.
type Issue struct {
	Number      int        `json:"number"`
	Title       string     `json:"title"`
	Body        string     `json:"body"`
	State       string     `json:"state"`
	StateReason string     `json:"state_reason,omitempty"`
	User        User       `json:"user"`
	Labels      []Label    `json:"labels"`
	HTMLURL     string     `json:"html_url"`
	PullRequest any        `json:"pull_request,omitempty"`
	Comments    []*Comment `json:"-"`
}

// A Pull is what the server knows of a pull request.
type Pull struct {
	Number   int
	Author   string
	Head     string
	Base     string
	HeadRepo string // "owner/name", that of the server if empty
	Merged   bool
	Commit   string // the one that the merge made
	Branch   string // of the head
}

// An Annotation is a remark of a check run.
type Annotation struct {
	Path      string `json:"path"`
	StartLine int    `json:"start_line"`
	EndLine   int    `json:"end_line"`
	Level     string `json:"annotation_level"`
	Title     string `json:"title"`
	Message   string `json:"message"`
}

// A CheckRun is a check run on a commit.
type CheckRun struct {
	ID          int64        `json:"id"`
	Name        string       `json:"name"`
	HeadSHA     string       `json:"head_sha"`
	Conclusion  string       `json:"conclusion"`
	ExternalID  string       `json:"external_id"`
	App         App          `json:"app"`
	HTMLURL     string       `json:"html_url"`
	Title       string       `json:"-"`
	Summary     string       `json:"-"`
	Annotations []Annotation `json:"-"`
}

// An App is who wrote a check run: only Apps can.
type App struct {
	Slug string `json:"slug"`
}

// A Fault is what happens to the next request that matches it.
type Fault struct {
	Method string // "" matches every method
	Path   string // part of the path
	Status int    // answered instead, 0 for a broken connection
	Header http.Header
	Body   string
	After  bool // the request takes effect before the answer is lost
}

// A Limit is the primary rate limit: how many requests are left until it
// begins again. It only shows in headers. The request after the last one is
// taken to come after Reset: the clock of a test does not wait.
type Limit struct {
	Remaining int
	Reset     time.Time
}

// A Server is one repository.
type Server struct {
	*httptest.Server

	Repository string // "owner/name"
	Private    bool
	Token      string // the one that is taken
	Login      string // whom it belongs to
	PageSize   int    // the largest page, 100 as with GitHub if zero
	Limit      *Limit // nil: none

	mu       sync.Mutex
	pulls    map[int]*Pull
	issues   map[int]*Issue
	checks   []*CheckRun
	faults   []Fault
	requests []string
	nextID   int64
}

// New starts a server for a repository, for a token that belongs to login.
// Close it when done.
func New(repository, token, login string) *Server {
	s := &Server{Repository: repository, Token: token, Login: login, pulls: map[int]*Pull{}, issues: map[int]*Issue{}, nextID: 1000}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// AddPull opens a pull request.
func (s *Server) AddPull(p Pull) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pulls[p.Number] = &p
	s.issues[p.Number] = &Issue{Number: p.Number, State: "open", User: User{Login: p.Author}, PullRequest: map[string]string{}, Labels: []Label{}}
}

// Push gives a pull request a new head.
func (s *Server) Push(number int, head string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pulls[number].Head = head
}

// Say writes a comment as somebody else.
func (s *Server) Say(number int, login, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.comment(s.issues[number], login, body)
}

// Fail makes the next matching request fail; faults are used up in order.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// EditComment changes a comment as somebody who may edit those of others.
func (s *Server) EditComment(number int, change func(string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.issues[number].Comments {
		c.Body = change(c.Body)
	}
}

// Requests returns what was asked so far, as "METHOD path".
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Comments returns the comments of a pull request or issue.
func (s *Server) Comments(number int) []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Comment
	for _, c := range s.issues[number].Comments {
		list = append(list, *c)
	}
	return list
}

// Labels returns the names of the labels of a pull request or issue.
func (s *Server) Labels(number int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, l := range s.issues[number].Labels {
		list = append(list, l.Name)
	}
	return list
}

// Checks returns the check runs on a commit, oldest first.
func (s *Server) Checks(sha string) []CheckRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []CheckRun
	for _, k := range s.checks {
		if k.HeadSHA == sha {
			list = append(list, *k)
		}
	}
	return list
}

// Issues returns the issues that are no pull requests, by number.
func (s *Server) Issues() []Issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Issue
	for _, i := range s.issues {
		if i.PullRequest == nil {
			list = append(list, *i)
		}
	}
	slices.SortFunc(list, func(a, b Issue) int { return a.Number - b.Number })
	return list
}

// Dump returns everything that can be seen, for scripts to look at.
func (s *Server) Dump() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	type issue struct {
		*Issue
		Comments []*Comment `json:"comments"`
	}
	var numbers []int
	for n := range s.issues {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	var list []issue
	for _, n := range numbers {
		list = append(list, issue{s.issues[n], s.issues[n].Comments})
	}
	b, err := json.MarshalIndent(map[string]any{"issues": list, "check_runs": s.checks}, "", "  ")
	if err != nil {
		panic(err)
	}
	return append(b, '\n')
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	if l := s.Limit; l != nil {
		if l.Remaining--; l.Remaining < 0 {
			*l = Limit{Remaining: 4999, Reset: l.Reset.Add(time.Hour)}
		}
		w.Header().Set("X-RateLimit-Limit", "5000")
		w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(l.Remaining))
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(l.Reset.Unix(), 10))
	}
	i := slices.IndexFunc(s.faults, func(f Fault) bool {
		return (f.Method == "" || f.Method == r.Method) && strings.Contains(r.URL.Path, f.Path)
	})
	if i >= 0 {
		f := s.faults[i]
		s.faults = slices.Delete(s.faults, i, i+1)
		if f.After {
			s.route(httptest.NewRecorder(), r)
		}
		if f.Status == 0 {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.Close()
			}
			return
		}
		for k, v := range f.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(f.Status)
		fmt.Fprint(w, f.Body)
		return
	}
	s.route(w, r)
}

func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	if got := r.Header.Get("Authorization"); got != "Bearer "+s.Token {
		refuse(w, http.StatusUnauthorized, "Bad credentials")
		return
	}
	if r.URL.Path == "/user" {
		if strings.HasSuffix(s.Login, "[bot]") { // Apps are no users
			refuse(w, http.StatusForbidden, "Resource not accessible by integration")
			return
		}
		reply(w, http.StatusOK, User{Login: s.Login, Type: "User"})
		return
	}
	if r.URL.Path == "/repos/"+s.Repository {
		reply(w, http.StatusOK, map[string]any{"full_name": s.Repository, "private": s.Private})
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/repos/"+s.Repository+"/")
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	parts := strings.Split(path, "/")
	number := 0
	if len(parts) > 1 {
		number, _ = strconv.Atoi(parts[1])
	}
	switch {
	case parts[0] == "pulls" && len(parts) == 2 && r.Method == http.MethodGet:
		s.pull(w, number)
	case parts[0] == "pulls" && len(parts) == 1 && r.Method == http.MethodGet:
		var list []map[string]any
		for _, p := range s.sortedPulls() {
			if owner, _, _ := strings.Cut(s.headRepo(p), "/"); !p.Merged && owner+":"+p.Branch == r.URL.Query().Get("head") {
				list = append(list, s.pullForm(p))
			}
		}
		page(s, w, r, list)
	case parts[0] == "commits" && len(parts) == 3 && parts[2] == "pulls":
		var list []map[string]any
		for _, p := range s.sortedPulls() {
			if p.Commit == parts[1] || p.Head == parts[1] {
				list = append(list, s.pullForm(p))
			}
		}
		page(s, w, r, list)
	case parts[0] == "issues" && len(parts) == 1 && r.Method == http.MethodGet:
		s.listIssues(w, r)
	case parts[0] == "issues" && len(parts) == 1 && r.Method == http.MethodPost:
		s.createIssue(w, r)
	case parts[0] == "issues" && len(parts) == 2 && r.Method == http.MethodPatch:
		s.editIssue(w, r, number)
	case parts[0] == "issues" && len(parts) == 3 && parts[1] == "comments" && r.Method == http.MethodPatch:
		s.editComment(w, r, parts[2])
	case parts[0] == "issues" && len(parts) == 3 && parts[2] == "comments":
		s.comments(w, r, number)
	case parts[0] == "issues" && len(parts) >= 3 && parts[2] == "labels":
		s.labels(w, r, number, parts[3:])
	case parts[0] == "commits" && len(parts) == 3 && parts[2] == "check-runs":
		var list []*CheckRun
		for _, k := range s.checks {
			if k.HeadSHA == parts[1] && (r.URL.Query().Get("check_name") == "" || k.Name == r.URL.Query().Get("check_name")) {
				list = append(list, k)
			}
		}
		slices.Reverse(list)
		reply(w, http.StatusOK, map[string]any{"total_count": len(list), "check_runs": append([]*CheckRun{}, list...)})
	case parts[0] == "check-runs":
		s.checkRuns(w, r, parts[1:])
	default:
		refuse(w, http.StatusNotFound, "Not Found")
	}
}

func (s *Server) pull(w http.ResponseWriter, n int) {
	p := s.pulls[n]
	if p == nil {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	reply(w, http.StatusOK, s.pullForm(p))
}

func (s *Server) headRepo(p *Pull) string {
	if p.HeadRepo == "" {
		return s.Repository
	}
	return p.HeadRepo
}

func (s *Server) pullForm(p *Pull) map[string]any {
	repo := func(name string) map[string]any {
		return map[string]any{"full_name": name, "private": s.Private && name == s.Repository}
	}
	form := map[string]any{
		"number": p.Number, "merged": p.Merged, "user": User{Login: p.Author},
		"head": map[string]any{"sha": p.Head, "ref": p.Branch, "repo": repo(s.headRepo(p))},
		"base": map[string]any{"sha": p.Base, "repo": repo(s.Repository)},
	}
	if p.Merged {
		form["merged_at"] = "2026-11-25T12:00:00Z"
	}
	return form
}

func (s *Server) sortedPulls() []*Pull {
	var list []*Pull
	for _, p := range s.pulls {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *Pull) int { return a.Number - b.Number })
	return list
}

// Merge merges a pull request; commit is what the default branch has then.
func (s *Server) Merge(number int, commit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pulls[number].Merged, s.pulls[number].Commit = true, commit
}

// page answers with one page of a list, and links to the next one.
func page[T any](s *Server, w http.ResponseWriter, r *http.Request, list []T) {
	limit := s.PageSize
	if limit == 0 {
		limit = 100
	}
	size, err := strconv.Atoi(r.URL.Query().Get("per_page"))
	if err != nil || size < 1 {
		size = 30
	}
	size = min(size, limit)
	n := max(1, atoi(r.URL.Query().Get("page")))
	from := min((n-1)*size, len(list))
	to := min(from+size, len(list))
	if to < len(list) {
		q := r.URL.Query()
		q.Set("page", strconv.Itoa(n+1))
		next := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: q.Encode()}
		w.Header().Set("Link", fmt.Sprintf("<%s>; rel=\"next\"", next.String()))
	}
	reply(w, http.StatusOK, append([]T{}, list[from:to]...))
}

func (s *Server) listIssues(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var list []*Issue
	for _, i := range s.issues {
		if i.State == q.Get("state") && (q.Get("creator") == "" || i.User.Login == q.Get("creator")) {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b *Issue) int { return b.Number - a.Number })
	page(s, w, r, list)
}

func (s *Server) createIssue(w http.ResponseWriter, r *http.Request) {
	var in struct{ Title, Body string }
	if !read(w, r, &in) || tooLong(w, in.Body) {
		return
	}
	n := 1
	for k := range s.issues {
		n = max(n, k+1)
	}
	i := &Issue{Number: n, Title: in.Title, Body: in.Body, State: "open", User: User{Login: s.Login}, Labels: []Label{}, HTMLURL: s.html("issues", n)}
	s.issues[n] = i
	reply(w, http.StatusCreated, i)
}

func (s *Server) editIssue(w http.ResponseWriter, r *http.Request, n int) {
	i := s.issues[n]
	if i == nil {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	var in struct {
		Title, Body, State *string
		StateReason        *string `json:"state_reason"`
	}
	if !read(w, r, &in) {
		return
	}
	if in.Body != nil {
		if tooLong(w, *in.Body) {
			return
		}
		i.Body = *in.Body
	}
	if in.Title != nil {
		i.Title = *in.Title
	}
	if in.State != nil {
		i.State = *in.State
	}
	if in.StateReason != nil {
		i.StateReason = *in.StateReason
	}
	reply(w, http.StatusOK, i)
}

func (s *Server) comments(w http.ResponseWriter, r *http.Request, n int) {
	i := s.issues[n]
	if i == nil {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	if r.Method == http.MethodGet {
		page(s, w, r, i.Comments)
		return
	}
	var in struct{ Body string }
	if read(w, r, &in) && !tooLong(w, in.Body) {
		reply(w, http.StatusCreated, s.comment(i, s.Login, in.Body))
	}
}

func (s *Server) comment(i *Issue, login, body string) *Comment {
	s.nextID++
	c := &Comment{ID: s.nextID, Body: body, User: User{Login: login}, HTMLURL: fmt.Sprintf("%s#issuecomment-%d", s.html("pull", i.Number), s.nextID)}
	i.Comments = append(i.Comments, c)
	return c
}

func (s *Server) editComment(w http.ResponseWriter, r *http.Request, id string) {
	for _, i := range s.issues {
		for _, c := range i.Comments {
			if strconv.FormatInt(c.ID, 10) != id {
				continue
			}
			if c.User.Login != s.Login {
				refuse(w, http.StatusForbidden, "Resource not accessible by integration")
				return
			}
			var in struct{ Body string }
			if read(w, r, &in) && !tooLong(w, in.Body) {
				c.Body = in.Body
				c.Edits++
				reply(w, http.StatusOK, c)
			}
			return
		}
	}
	refuse(w, http.StatusNotFound, "Not Found")
}

func (s *Server) labels(w http.ResponseWriter, r *http.Request, n int, rest []string) {
	i := s.issues[n]
	if i == nil {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	switch r.Method {
	case http.MethodGet:
		page(s, w, r, i.Labels)
	case http.MethodPost:
		var in []string
		if !read(w, r, &in) {
			return
		}
		for _, name := range in {
			if !slices.Contains(i.Labels, Label{name}) {
				i.Labels = append(i.Labels, Label{name})
			}
		}
		reply(w, http.StatusOK, i.Labels)
	case http.MethodDelete:
		name := strings.Join(rest, "/")
		if !slices.Contains(i.Labels, Label{name}) {
			refuse(w, http.StatusNotFound, "Label does not exist")
			return
		}
		i.Labels = slices.DeleteFunc(i.Labels, func(l Label) bool { return l.Name == name })
		reply(w, http.StatusOK, i.Labels)
	}
}

func (s *Server) checkRuns(w http.ResponseWriter, r *http.Request, rest []string) {
	var in struct {
		Name, Conclusion string
		HeadSHA          string `json:"head_sha"`
		ExternalID       string `json:"external_id"`
		Output           struct {
			Title, Summary string
			Annotations    []Annotation
		}
	}
	if !read(w, r, &in) || tooLong(w, in.Output.Summary) {
		return
	}
	if len(in.Output.Annotations) > 50 {
		refuse(w, http.StatusUnprocessableEntity, "Invalid request. No more than 50 items are allowed")
		return
	}
	var run *CheckRun
	if r.Method == http.MethodPost {
		s.nextID++
		run = &CheckRun{ID: s.nextID, Name: in.Name, HeadSHA: in.HeadSHA, Conclusion: in.Conclusion, ExternalID: in.ExternalID, App: App{strings.TrimSuffix(s.Login, "[bot]")},
			HTMLURL: fmt.Sprintf("https://github.example/%s/runs/%d", s.Repository, s.nextID)}
		s.checks = append(s.checks, run)
	} else {
		i := slices.IndexFunc(s.checks, func(k *CheckRun) bool { return len(rest) == 1 && strconv.FormatInt(k.ID, 10) == rest[0] })
		if i < 0 {
			refuse(w, http.StatusNotFound, "Not Found")
			return
		}
		run = s.checks[i]
	}
	run.Title, run.Summary = in.Output.Title, in.Output.Summary
	run.Annotations = append(run.Annotations, in.Output.Annotations...)
	reply(w, http.StatusCreated, run)
}

func (s *Server) html(kind string, n int) string {
	return fmt.Sprintf("https://github.example/%s/%s/%d", s.Repository, kind, n)
}

func atoi(s string) int { n, _ := strconv.Atoi(s); return n }

func read(w http.ResponseWriter, r *http.Request, v any) bool {
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		refuse(w, http.StatusBadRequest, "Problems parsing JSON")
		return false
	}
	return true
}

func tooLong(w http.ResponseWriter, body string) bool {
	if len([]rune(body)) <= 65536 {
		return false
	}
	refuse(w, http.StatusUnprocessableEntity, "Body is too long (maximum is 65536 characters)")
	return true
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]string{"message": message})
}
