package conduit

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const maxBody = 1 << 20

// A Server is an emulator that is open.
type Server struct {
	options Options
	mux     *http.ServeMux
	mu      sync.Mutex
	st      *State
	faults  []Fault
	grants  []time.Time // recent writes of individual access
	Mails   int         // how many mails the service would have sent
}

// A Fault makes requests go wrong.
type Fault struct {
	Method string `json:"method"` // "" for any
	Path   string `json:"path"`   // a part of the path
	Status int    `json:"status"` // the answer; 0 drops the connection
	After  bool   `json:"after"`  // only after the request was carried out
	Times  int    `json:"times"`
}

// Open opens an emulator.
func Open(o Options) (*Server, error) {
	st, err := load(o)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{options: o, st: st, mux: http.NewServeMux()}
	s.routes()
	return s, s.save()
}

// Close writes the state a last time.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.save()
}

// failure is an answer that is not a success.
type failure struct {
	status int
	text   string
	scim   string // the scimType of a SCIM error
}

func (f *failure) Error() string { return f.text }

func fail(status int, text string) error { return &failure{status: status, text: text} }

// A call is one request.
type call struct {
	*http.Request
	st   *State
	body []byte
	user *User // whose session it is
	now  time.Time
}

// into decodes the body.
func (c *call) into(v any) error {
	if err := json.Unmarshal(c.body, v); err != nil {
		return fail(http.StatusBadRequest, "Invalid request body")
	}
	return nil
}

type handler func(*call) (status int, value any, err error)

func (s *Server) routes() {
	api := func(pattern, role string, h handler) { s.mux.HandleFunc(pattern, s.api(role, h)) }
	const org = "/api/orgs/{org}"
	api("GET /api/orgs", "member", s.organizations)
	api("GET "+org+"/members", "member", s.members)
	api("GET "+org+"/credentials", "member", s.orgCredentials)
	api("GET "+org+"/server-access", "admin", s.allAccess)
	api("PUT "+org+"/members/{user}/server-access", "admin", s.putAccess)
	api("PUT "+org+"/members/{user}/server-access/{vendor}", "admin", s.oneAccess)
	api("DELETE "+org+"/members/{user}/server-access/{vendor}", "admin", s.oneAccess)
	api("GET "+org+"/teams", "admin", s.teams)
	api("POST "+org+"/teams", "admin", s.createTeam)
	api("PATCH "+org+"/teams/{team}", "admin", s.renameTeam)
	api("DELETE "+org+"/teams/{team}", "owner", s.deleteTeam)
	api("PUT "+org+"/teams/{team}/members/{user}", "admin", s.joinTeam)
	api("DELETE "+org+"/teams/{team}/members/{user}", "admin", s.leaveTeam)
	api("PUT "+org+"/teams/{team}/server-access/{vendor}", "admin", s.teamVendor)
	api("DELETE "+org+"/teams/{team}/server-access/{vendor}", "admin", s.teamVendor)
	api("GET "+org+"/teams/{team}/credentials", "admin", s.teamCredentials)
	api("POST "+org+"/teams/{team}/credentials/{vendor}", "admin", s.setCredentials)
	api("DELETE "+org+"/teams/{team}/credentials/{vendor}", "admin", s.setCredentials)
	api("GET "+org+"/tool-access/{vendor}", "admin", s.orgLists)
	api("PUT "+org+"/tool-access/{vendor}/{role}", "admin", s.putOrgList)
	api("DELETE "+org+"/tool-access/{vendor}/{role}", "admin", s.putOrgList)
	api("GET "+org+"/tool-access/{vendor}/discover", "admin", s.discover)
	api("GET "+org+"/teams/{team}/tool-access/{vendor}", "admin", s.teamList)
	api("PUT "+org+"/teams/{team}/tool-access/{vendor}", "admin", s.putTeamList)
	api("DELETE "+org+"/teams/{team}/tool-access/{vendor}", "admin", s.putTeamList)
	s.scimRoutes()
	s.controlRoutes()
}

// ServeHTTP answers one request. Requests are answered one after the other.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(r.URL.Path, "/emulator/") {
		if f := s.fault(r); f != nil {
			if f.After {
				s.mux.ServeHTTP(&discard{header: http.Header{}}, r)
			}
			if f.Status == 0 {
				panic(http.ErrAbortHandler)
			}
			send(w, f.Status, map[string]string{"error": "fault on demand"})
			return
		}
	}
	s.mux.ServeHTTP(w, r)
}

// discard takes an answer that nobody gets.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

func (s *Server) fault(r *http.Request) *Fault {
	for i := range s.faults {
		f := &s.faults[i]
		if f.Times > 0 && (f.Method == "" || f.Method == r.Method) && strings.Contains(r.URL.Path, f.Path) {
			f.Times--
			return f
		}
	}
	return nil
}

func send(w http.ResponseWriter, status int, v any) {
	if v == nil {
		w.WriteHeader(status)
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // of our own making
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // whoever asked is gone
}

var rank = map[string]int{"member": 1, "admin": 2, "owner": 3}

// api serves a JSON route to a session whose role is high enough.
func (s *Server) api(role string, h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("gateway_session")
		if err != nil || cookie.Value != s.st.Session {
			http.Redirect(w, r, "/auth/login?return_to="+url.QueryEscape(r.URL.Path), http.StatusFound)
			return
		}
		c := &call{Request: r, st: s.st, user: s.st.user(s.st.SessionUser), now: s.options.Now()}
		org := r.PathValue("org")
		switch {
		case c.user == nil, org != "" && org != s.st.Organization.ID:
			s.answer(w, 0, nil, fail(http.StatusForbidden, "Not a member of this organization"))
			return
		case rank[c.user.Role] < rank[role]:
			s.answer(w, 0, nil, fail(http.StatusForbidden, fmt.Sprintf("Requires %s role or higher", role)))
			return
		}
		if c.body, err = io.ReadAll(io.LimitReader(r.Body, maxBody)); err != nil {
			return
		}
		status, v, err := h(c)
		s.answer(w, status, v, err)
	}
}

// answer sends what a handler made of a request, once it is stored.
func (s *Server) answer(w http.ResponseWriter, status int, v any, err error) {
	if err == nil {
		err = s.save()
	}
	if err != nil {
		f, ok := err.(*failure) //nolint:errorlint // handlers return it bare
		if !ok {
			f = &failure{status: http.StatusInternalServerError, text: "Internal server error"}
		}
		send(w, f.status, map[string]string{"error": f.text})
		return
	}
	send(w, status, v)
}

func (s *Server) organizations(c *call) (int, any, error) {
	return 200, []any{map[string]string{"id": c.st.Organization.ID, "name": c.st.Organization.Name, "role": c.user.Role}}, nil
}

func (s *Server) members(c *call) (int, any, error) {
	list := []any{}
	for _, u := range c.st.Users {
		list = append(list, map[string]string{"id": "m_" + u.ID, "orgId": c.st.Organization.ID, "userId": u.ID, "role": u.Role})
	}
	return 200, list, nil
}

func (s *Server) orgCredentials(c *call) (int, any, error) {
	list := []string{}
	for _, v := range c.st.Vendors {
		if v.Connected {
			list = append(list, v.Slug)
		}
	}
	return 200, list, nil
}

func (s *Server) allAccess(c *call) (int, any, error) {
	list := []any{}
	for _, u := range c.st.Users {
		for _, slug := range c.st.Access[u.ID] {
			list = append(list, map[string]string{"userId": u.ID, "vendorSlug": slug})
		}
	}
	return 200, list, nil
}

// limited counts a write of individual access, and refuses the eleventh of an
// hour.
func (s *Server) limited(c *call) error {
	s.grants = slices.DeleteFunc(s.grants, func(t time.Time) bool { return c.now.Sub(t) >= time.Hour })
	if s.options.RateLimits && len(s.grants) >= 10 {
		return fail(http.StatusTooManyRequests, "Rate limit exceeded")
	}
	s.grants = append(s.grants, c.now)
	return nil
}

func (s *Server) putAccess(c *call) (int, any, error) {
	if err := s.limited(c); err != nil {
		return 0, nil, err
	}
	var body struct {
		Vendors []string `json:"vendors"`
	}
	if err := c.into(&body); err != nil || body.Vendors == nil {
		return 0, nil, fail(http.StatusBadRequest, "vendors must be an array")
	}
	if c.st.user(c.PathValue("user")) == nil {
		return 0, nil, fail(http.StatusNotFound, "Target user is not a member of this organization")
	}
	c.st.Access[c.PathValue("user")] = unique(body.Vendors)
	return 200, map[string]bool{"success": true}, nil
}

func (s *Server) oneAccess(c *call) (int, any, error) {
	if err := s.limited(c); err != nil {
		return 0, nil, err
	}
	id := c.PathValue("user")
	if c.st.user(id) == nil {
		return 0, nil, fail(http.StatusNotFound, "Target user is not a member of this organization")
	}
	c.st.Access[id] = toggle(c.st.Access[id], c.PathValue("vendor"), c.Method == "PUT")
	s.Mails++
	return 200, map[string]bool{"success": true}, nil
}

func unique(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

func toggle(list []string, x string, in bool) []string {
	list = slices.DeleteFunc(slices.Clone(list), func(y string) bool { return x == y })
	if in {
		list = append(list, x)
	}
	slices.Sort(list)
	return list
}

func (s *Server) teams(c *call) (int, any, error) {
	list := []any{}
	for _, t := range c.st.Teams {
		members := []any{}
		for _, id := range t.Members {
			u := c.st.user(id)
			members = append(members, map[string]string{"userId": id, "email": u.Email, "name": u.Name})
		}
		v := s.teamJSON(&t)
		v["members"], v["serverAccess"] = members, append([]string{}, t.Vendors...)
		list = append(list, v)
	}
	return 200, list, nil
}

func (s *Server) teamJSON(t *Team) map[string]any {
	return map[string]any{"id": t.ID, "orgId": s.st.Organization.ID, "name": t.Name, "createdBy": t.CreatedBy, "createdAt": t.Created}
}

// nameIn reads the name in a body.
func nameIn(c *call) (string, error) {
	var body struct {
		Name string `json:"name"`
	}
	if err := c.into(&body); err != nil {
		return "", err
	}
	if body.Name = strings.TrimSpace(body.Name); body.Name == "" {
		return "", fail(http.StatusBadRequest, "Team name is required")
	}
	return body.Name, nil
}

func (st *State) named(name string) *Team {
	return find(st.Teams, func(t Team) bool { return t.Name == name })
}

// newTeam adds a team.
func (s *Server) newTeam(name, by string, now time.Time) *Team {
	s.st.Next++
	s.st.Teams = append(s.st.Teams, Team{ID: fmt.Sprintf("team_e%d", s.st.Next), Name: name, Created: now, CreatedBy: by})
	return &s.st.Teams[len(s.st.Teams)-1]
}

func (s *Server) createTeam(c *call) (int, any, error) {
	name, err := nameIn(c)
	switch {
	case err != nil:
		return 0, nil, err
	case c.st.Organization.Free:
		return 0, nil, fail(http.StatusPaymentRequired, "Upgrade to Pro to use teams")
	case c.st.named(name) != nil:
		return 0, nil, fail(http.StatusConflict, "A team with that name already exists")
	}
	return 201, s.teamJSON(s.newTeam(name, c.user.ID, c.now)), nil
}

// theTeam returns the team of the path.
func theTeam(c *call) (*Team, error) {
	if t := c.st.team(c.PathValue("team")); t != nil {
		return t, nil
	}
	return nil, fail(http.StatusNotFound, "Team not found")
}

func (s *Server) renameTeam(c *call) (int, any, error) {
	t, err := theTeam(c)
	if err != nil {
		return 0, nil, err
	}
	name, err := nameIn(c)
	if err != nil {
		return 0, nil, err
	}
	if other := c.st.named(name); other != nil && other.ID != t.ID {
		return 0, nil, fail(http.StatusInternalServerError, "Internal server error") // a unique index that nobody looks after
	}
	t.Name = name
	return 200, s.teamJSON(t), nil
}

func (s *Server) deleteTeam(c *call) (int, any, error) {
	t, err := theTeam(c)
	if err != nil {
		return 0, nil, err
	}
	c.st.Teams = slices.DeleteFunc(c.st.Teams, func(x Team) bool { return x.ID == t.ID })
	return 204, nil, nil
}

func (s *Server) joinTeam(c *call) (int, any, error) {
	t, err := theTeam(c)
	if err != nil {
		return 0, nil, err
	}
	id := c.PathValue("user")
	if c.st.user(id) == nil {
		return 0, nil, fail(http.StatusBadRequest, "User is not a member of this organization")
	}
	t.Members = toggle(t.Members, id, true)
	return 200, map[string]any{"id": "tm_" + id, "teamId": t.ID, "orgId": c.st.Organization.ID, "userId": id, "addedBy": c.user.ID, "addedAt": c.now}, nil
}

func (s *Server) leaveTeam(c *call) (int, any, error) {
	t, err := theTeam(c)
	if err != nil {
		return 0, nil, err
	}
	t.Members = toggle(t.Members, c.PathValue("user"), false)
	return 204, nil, nil
}

func (s *Server) teamVendor(c *call) (int, any, error) {
	t, err := theTeam(c)
	if err != nil {
		return 0, nil, err
	}
	t.Vendors = toggle(t.Vendors, c.PathValue("vendor"), c.Method == "PUT") // which vendor it is, nobody checks
	return 200, map[string]bool{"success": true}, nil
}

func (s *Server) teamCredentials(c *call) (int, any, error) {
	t, err := theTeam(c)
	if err != nil {
		return 0, nil, err
	}
	return 200, append([]string{}, t.Credentials...), nil
}

func (s *Server) setCredentials(c *call) (int, any, error) {
	t, err := theTeam(c)
	if err != nil {
		return 0, nil, err
	}
	t.Credentials = toggle(t.Credentials, c.PathValue("vendor"), c.Method == "POST")
	return 200, map[string]bool{"success": true}, nil
}

// toolsIn reads a list of tools; an empty one reads as none.
func toolsIn(c *call) ([]string, error) {
	if c.Method == "DELETE" {
		return nil, nil
	}
	var body struct {
		Tools []string `json:"tools"`
	}
	if err := json.Unmarshal(c.body, &body); err != nil || body.Tools == nil {
		return nil, fail(http.StatusBadRequest, "tools must be an array of tool names")
	}
	if len(unique(body.Tools)) != len(body.Tools) {
		return nil, fail(http.StatusInternalServerError, "Internal server error") // a row for each tool, and they are unique
	}
	return unique(body.Tools), nil
}

func (s *Server) orgLists(c *call) (int, any, error) {
	answer := map[string]any{"admin": nil, "member": nil}
	if v := c.st.vendor(c.PathValue("vendor")); v != nil {
		for role, list := range v.Lists {
			answer[role] = list
		}
	}
	return 200, answer, nil
}

func (s *Server) putOrgList(c *call) (int, any, error) {
	role := c.PathValue("role")
	if role != "admin" && role != "member" {
		return 0, nil, fail(http.StatusBadRequest, "Invalid role")
	}
	tools, err := toolsIn(c)
	if err != nil {
		return 0, nil, err
	}
	v := c.st.vendor(c.PathValue("vendor"))
	if v == nil {
		c.st.Vendors = append(c.st.Vendors, Vendor{Slug: c.PathValue("vendor")})
		v = &c.st.Vendors[len(c.st.Vendors)-1]
	}
	if v.Lists == nil {
		v.Lists = map[string][]string{}
	}
	delete(v.Lists, role)
	if len(tools) > 0 {
		v.Lists[role] = tools
	}
	return written(c)
}

func written(c *call) (int, any, error) {
	if c.Method == "DELETE" {
		return 204, nil, nil
	}
	return 200, map[string]bool{"success": true}, nil
}

func (s *Server) discover(c *call) (int, any, error) {
	v := c.st.vendor(c.PathValue("vendor"))
	if v == nil || !v.Connected {
		return 0, nil, fail(http.StatusNotFound, "No organization credential for this vendor")
	}
	tools := []any{}
	for _, t := range v.Tools {
		tools = append(tools, map[string]any{"name": t, "description": "", "inputSchema": map[string]string{"type": "object"}})
	}
	return 200, map[string]any{"tools": tools}, nil
}

func (s *Server) teamList(c *call) (int, any, error) {
	if t := c.st.team(c.PathValue("team")); t != nil {
		if l, ok := t.Lists[c.PathValue("vendor")]; ok {
			return 200, map[string]any{"tools": l.Tools, "grantedBy": l.By, "grantedAt": l.At}, nil
		}
	}
	return 200, map[string]any{"tools": nil}, nil
}

func (s *Server) putTeamList(c *call) (int, any, error) {
	tools, err := toolsIn(c)
	if err != nil {
		return 0, nil, err
	}
	t, err := theTeam(c)
	if err != nil {
		return 0, nil, err
	}
	if t.Lists == nil {
		t.Lists = map[string]List{}
	}
	delete(t.Lists, c.PathValue("vendor"))
	if len(tools) > 0 { // also when nothing changed, it is stamped anew
		t.Lists[c.PathValue("vendor")] = List{Tools: tools, By: c.user.Email, At: c.now.UTC().Truncate(time.Second)}
	}
	return written(c)
}
