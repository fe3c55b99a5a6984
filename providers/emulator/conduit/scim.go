package conduit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	listSchema  = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	errorSchema = "urn:ietf:params:scim:api:messages:2.0:Error"
	groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group"
	userSchema  = "urn:ietf:params:scim:schemas:core:2.0:User"
)

func (s *Server) scimRoutes() {
	const base = "/scim/v2/t/{org}"
	for pattern, h := range map[string]handler{
		"GET /scim/v2/ServiceProviderConfig": s.config,
		"GET " + base + "/Users":             s.scimUsers,
		"POST " + base + "/Users":            s.scimCreateUser,
		"GET " + base + "/Groups":            s.scimGroups,
		"POST " + base + "/Groups":           s.scimCreateGroup,
		"GET " + base + "/Groups/{id}":       s.scimGroup,
		"PUT " + base + "/Groups/{id}":       s.scimPutGroup,
		"PATCH " + base + "/Groups/{id}":     s.scimPatchGroup,
		"DELETE " + base + "/Groups/{id}":    s.scimDeleteGroup,
	} {
		s.mux.HandleFunc(pattern, s.scim(h))
	}
}

// scim serves a SCIM route to a token.
func (s *Server) scim(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		var status int
		var v any
		err := error(fail(http.StatusUnauthorized, "Unauthorized"))
		if org := r.PathValue("org"); r.Header.Get("Authorization") == "Bearer "+s.st.SCIMToken && (org == "" || org == s.st.Organization.ID) {
			c := &call{Request: r, st: s.st, now: s.options.Now()}
			if c.body, err = io.ReadAll(io.LimitReader(r.Body, maxBody)); err != nil {
				return
			}
			status, v, err = h(c)
		}
		if err == nil {
			err = s.save()
		}
		var f *failure
		switch {
		case err == nil:
			send(w, status, v)
		case errors.As(err, &f):
			body := map[string]any{"schemas": []string{errorSchema}, "status": strconv.Itoa(f.status), "detail": f.text}
			if f.scim != "" {
				body["scimType"] = f.scim
			}
			send(w, f.status, body)
		default:
			send(w, 500, map[string]any{"schemas": []string{errorSchema}, "status": "500"})
		}
	}
}

func (s *Server) config(*call) (int, any, error) {
	yes, no := map[string]any{"supported": true}, map[string]any{"supported": false}
	return 200, map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"}, "patch": yes, "bulk": no,
		"filter": map[string]any{"supported": true, "maxResults": 200}, "changePassword": no, "sort": no, "etag": no}, nil
}

var filterForm = regexp.MustCompile(`^(userName|externalId) eq "([^"]*)"$`)

// list pages through what a filter lets through; name is what it compares.
func list[T any](c *call, all []T, name func(T) string, form func(T) any) (int, any, error) {
	q := c.URL.Query()
	if f := q.Get("filter"); f != "" {
		m := filterForm.FindStringSubmatch(f)
		if m == nil {
			return 0, nil, &failure{400, "Filter not supported", "invalidFilter"}
		}
		all = slices.DeleteFunc(slices.Clone(all), func(x T) bool { return m[1] != "userName" || !strings.EqualFold(name(x), m[2]) })
	}
	start, _ := strconv.Atoi(q.Get("startIndex"))
	start = max(start, 1)
	count, err := strconv.Atoi(q.Get("count"))
	if err != nil {
		count = 100
	}
	count = min(max(count, 0), 200)
	page := []any{}
	for i := start - 1; i < len(all) && len(page) < count; i++ {
		page = append(page, form(all[i]))
	}
	return 200, map[string]any{"schemas": []string{listSchema}, "totalResults": len(all), "startIndex": start, "itemsPerPage": len(page), "Resources": page}, nil
}

func userJSON(u User) any {
	return map[string]any{"schemas": []string{userSchema}, "id": u.ID, "userName": u.Email, "displayName": u.Name, "active": true,
		"emails": []any{map[string]any{"value": u.Email, "primary": true}}}
}

func (s *Server) scimUsers(c *call) (int, any, error) {
	return list(c, c.st.Users, func(u User) string { return u.Email }, userJSON)
}

func (s *Server) scimCreateUser(c *call) (int, any, error) {
	var body struct {
		UserName    string `json:"userName"`
		DisplayName string `json:"displayName"`
	}
	if err := c.into(&body); err != nil {
		return 0, nil, err
	}
	email := strings.ToLower(body.UserName)
	if u := find(c.st.Users, func(u User) bool { return u.Email == email }); u != nil {
		return 201, userJSON(*u), nil
	}
	c.st.Next++
	u := User{ID: fmt.Sprintf("shadow:%d", c.st.Next), Email: email, Name: body.DisplayName, Role: "member"}
	c.st.Users = append(c.st.Users, u)
	return 201, userJSON(u), nil
}

func (s *Server) groupJSON(t *Team) any {
	members := []any{}
	for _, id := range t.Members {
		members = append(members, map[string]string{"value": id, "display": s.st.user(id).Email})
	}
	return map[string]any{"schemas": []string{groupSchema}, "id": t.ID, "displayName": t.Name, "members": members}
}

func (s *Server) scimGroups(c *call) (int, any, error) {
	return list(c, c.st.Teams, func(t Team) string { return t.Name }, func(t Team) any { return s.groupJSON(&t) })
}

type groupBody struct {
	DisplayName string `json:"displayName"`
	Members     []ref  `json:"members"`
}

type ref struct {
	Value string `json:"value"`
}

// ids returns the ids that a body names.
func (st *State) ids(refs []ref) ([]string, error) {
	var list []string
	for _, r := range refs {
		if st.user(r.Value) == nil {
			return nil, &failure{400, "No such user: " + r.Value, "invalidValue"}
		}
		list = append(list, r.Value)
	}
	return unique(list), nil
}

// scimCreateGroup adopts a team of that name.
func (s *Server) scimCreateGroup(c *call) (int, any, error) {
	var body groupBody
	if err := c.into(&body); err != nil {
		return 0, nil, err
	}
	if body.DisplayName == "" {
		return 0, nil, &failure{400, "displayName is required", "invalidValue"}
	}
	ids, err := c.st.ids(body.Members)
	if err != nil {
		return 0, nil, err
	}
	t := c.st.named(body.DisplayName)
	if t == nil {
		t = s.newTeam(body.DisplayName, "scim", c.now)
	}
	t.Members = unique(append(t.Members, ids...))
	return 201, s.groupJSON(t), nil
}

func (s *Server) theGroup(c *call) (*Team, error) {
	if t := c.st.team(c.PathValue("id")); t != nil {
		return t, nil
	}
	return nil, fail(404, "Group not found")
}

func (s *Server) scimGroup(c *call) (int, any, error) {
	t, err := s.theGroup(c)
	if err != nil {
		return 0, nil, err
	}
	return 200, s.groupJSON(t), nil
}

func (s *Server) scimPutGroup(c *call) (int, any, error) {
	t, err := s.theGroup(c)
	if err != nil {
		return 0, nil, err
	}
	var body groupBody
	if err := c.into(&body); err != nil {
		return 0, nil, err
	}
	ids, err := c.st.ids(body.Members)
	if err != nil {
		return 0, nil, err
	}
	if err := c.st.rename(t, body.DisplayName); err != nil {
		return 0, nil, err
	}
	t.Members = ids
	return 200, s.groupJSON(t), nil
}

func (st *State) rename(t *Team, name string) error {
	if other := st.named(name); other != nil && other.ID != t.ID {
		return &failure{409, "A team with that name already exists", "uniqueness"}
	}
	t.Name = name
	return nil
}

var memberFilter = regexp.MustCompile(`^members\[value eq "([^"]*)"\]$`)

func (s *Server) scimPatchGroup(c *call) (int, any, error) {
	t, err := s.theGroup(c)
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		Operations []struct {
			Op    string          `json:"op"`
			Path  string          `json:"path"`
			Value json.RawMessage `json:"value"`
		} `json:"Operations"`
	}
	if err := c.into(&body); err != nil {
		return 0, nil, err
	}
	for _, o := range body.Operations {
		var refs []ref
		switch op, m := strings.ToLower(o.Op), memberFilter.FindStringSubmatch(o.Path); {
		case op == "replace" && o.Path == "displayName":
			var name string
			if json.Unmarshal(o.Value, &name) != nil || name == "" {
				return 0, nil, &failure{400, "displayName must be a string", "invalidValue"}
			}
			if err := c.st.rename(t, name); err != nil {
				return 0, nil, err
			}
		case op == "remove" && m != nil:
			t.Members = toggle(t.Members, m[1], false)
		case op == "remove" && o.Path == "members" && len(o.Value) == 0: // without saying whom
			t.Members = nil
		case o.Path == "members" && json.Unmarshal(o.Value, &refs) == nil && (op == "add" || op == "replace" || op == "remove"):
			ids, err := c.st.ids(refs)
			if err != nil {
				return 0, nil, err
			}
			switch op {
			case "add":
				t.Members = unique(append(t.Members, ids...))
			case "replace":
				t.Members = ids
			default:
				t.Members = slices.DeleteFunc(t.Members, func(id string) bool { return slices.Contains(ids, id) })
			}
		default:
			return 0, nil, &failure{400, "Operation not supported", "invalidPath"}
		}
	}
	return 200, s.groupJSON(t), nil
}

func (s *Server) scimDeleteGroup(c *call) (int, any, error) {
	t, err := s.theGroup(c)
	if err != nil {
		return 0, nil, err
	}
	c.st.Teams = slices.DeleteFunc(c.st.Teams, func(x Team) bool { return x.ID == t.ID })
	return 204, nil, nil
}
