package conduit

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

func (s *Server) controlRoutes() {
	s.mux.HandleFunc("GET /emulator/health", func(w http.ResponseWriter, _ *http.Request) {
		send(w, 200, map[string]any{"system": System, "organization_id": s.st.Organization.ID})
	})
	s.mux.HandleFunc("GET /emulator/access", func(w http.ResponseWriter, _ *http.Request) {
		all := map[string]Reach{}
		for _, u := range s.st.Users {
			all[u.Email] = s.st.reach(&u)
		}
		send(w, 200, all)
	})
	s.mux.HandleFunc("GET /emulator/state", func(w http.ResponseWriter, _ *http.Request) { send(w, 200, s.st) })
	s.control("POST /emulator/faults", func(body []byte) error { return json.Unmarshal(body, &s.faults) })
	s.control("POST /emulator/boot", func([]byte) error { s.boot(); return nil })
	s.control("POST /emulator/login", func(body []byte) error {
		var who struct {
			Email string `json:"email"`
		}
		if err := json.Unmarshal(body, &who); err != nil {
			return err
		}
		s.login(strings.ToLower(who.Email))
		return nil
	})
	s.mux.HandleFunc("POST /v1/mcp", s.mcp)
}

func (s *Server) control(pattern string, do func([]byte) error) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err == nil {
			err = do(body)
		}
		if err != nil {
			send(w, 400, map[string]string{"error": err.Error()})
			return
		}
		s.answer(w, 204, nil, nil)
	})
}

// login gives a user who had a shadow id a lasting one.
func (s *Server) login(email string) {
	u := find(s.st.Users, func(u User) bool { return u.Email == email })
	if u == nil || !strings.HasPrefix(u.ID, "shadow:") {
		return
	}
	old := u.ID
	u.ID = "auth0|" + strings.TrimPrefix(old, "shadow:")
	for i := range s.st.Teams {
		for j, m := range s.st.Teams[i].Members {
			if m == old {
				s.st.Teams[i].Members[j] = u.ID
			}
		}
	}
	if list, ok := s.st.Access[old]; ok {
		delete(s.st.Access, old)
		s.st.Access[u.ID] = list
	}
}

// boot gives everybody every vendor that the organization has connected, as
// the service does each time it starts.
func (s *Server) boot() {
	for _, u := range s.st.Users {
		for _, v := range s.st.Vendors {
			if v.Connected {
				s.st.Access[u.ID] = toggle(s.st.Access[u.ID], v.Slug, true)
			}
		}
	}
}

// Reach is what one user can use, as vendor__tool: through the credentials of
// the team or the organization, and through credentials of their own.
type Reach struct {
	Gateway  []string `json:"gateway"`
	Personal []string `json:"personal"`
}

// reach works out what a user can use, step by step as the gateway does for a
// call.
func (st *State) reach(u *User) Reach {
	r := Reach{Gateway: []string{}, Personal: []string{}}
	for _, v := range st.Vendors {
		if !st.mayUse(u, v.Slug) {
			continue
		}
		for _, tool := range v.Tools {
			if u.Role != "owner" {
				role := "member"
				if u.Role == "admin" {
					role = "admin"
				}
				if list, restricted := v.Lists[role]; restricted && !slices.Contains(list, tool) {
					continue
				}
			}
			r.Personal = append(r.Personal, v.Slug+"__"+tool)
			if t := st.credentialTeam(u, v.Slug); t != nil && u.Role != "owner" {
				if list, restricted := t.Lists[v.Slug]; restricted && !slices.Contains(list.Tools, tool) {
					continue
				}
			}
			r.Gateway = append(r.Gateway, v.Slug+"__"+tool)
		}
	}
	slices.Sort(r.Gateway)
	slices.Sort(r.Personal)
	return r
}

// mayUse reports whether a user can reach a vendor at all.
func (st *State) mayUse(u *User, slug string) bool {
	if u.Role == "owner" || slices.Contains(st.Access[u.ID], slug) {
		return true
	}
	for _, t := range st.Teams {
		if slices.Contains(t.Members, u.ID) && slices.Contains(t.Vendors, slug) {
			return true
		}
	}
	return false
}

// credentialTeam returns the team whose credentials are used: the one of the
// user's teams that has any for the vendor, if it is the only one.
func (st *State) credentialTeam(u *User, slug string) *Team {
	var found *Team
	for i := range st.Teams {
		t := &st.Teams[i]
		if slices.Contains(t.Members, u.ID) && slices.Contains(t.Credentials, slug) {
			if found != nil {
				return nil
			}
			found = t
		}
	}
	return found
}

// mcp answers tools/list to the user whose e-mail address the token is.
func (s *Server) mcp(w http.ResponseWriter, r *http.Request) {
	email := strings.ToLower(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	u := find(s.st.Users, func(u User) bool { return u.Email == email })
	if u == nil {
		send(w, http.StatusUnauthorized, map[string]string{"error": "Unauthorized"})
		return
	}
	var call struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&call); err != nil || call.Method != "tools/list" {
		send(w, 200, map[string]any{"jsonrpc": "2.0", "id": call.ID, "error": map[string]any{"code": -32601, "message": "Method not found"}})
		return
	}
	tools := []any{}
	for _, name := range s.st.reach(u).Gateway {
		tools = append(tools, map[string]any{"name": name, "inputSchema": map[string]string{"type": "object"}})
	}
	send(w, 200, map[string]any{"jsonrpc": "2.0", "id": call.ID, "result": map[string]any{"tools": tools}})
}
