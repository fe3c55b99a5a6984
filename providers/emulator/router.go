package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A route is one method of one path.
type route struct {
	method  string
	pattern string // segments; {name} matches any one segment
	family  string // budget; see ratelimit.go
	scopes  []string
	linked  bool     // the key must have been made for all linked organizations
	beta    string   // the beta header without which the path does not exist
	query   []string // the only query parameters; nil: others are ignored
	serial  string   // parameter of the object whose writes must not overlap
	get     func(*call) (any, error)
	set     func(*call, *tx) (any, error)
	segs    []string
}

// A router finds the route of a request. Patterns without a parameter at a
// place come before those with one.
type router struct{ routes []route }

func newRouter() *router {
	r := &router{}
	r.routes = slices.Concat(userRoutes, inviteRoutes, groupRoutes, roleRoutes, spendRoutes, increaseRoutes,
		pluginRoutes, complianceRoutes, consoleRoutes)
	for i := range r.routes {
		r.routes[i].segs = strings.Split(strings.TrimPrefix(r.routes[i].pattern, "/"), "/")
	}
	return r
}

// find returns the route and its parameters, unescaped. The error is a 404 for
// an unknown path and a 405 for an unknown method of a known path.
func (r *router) find(method string, u *url.URL) (*route, map[string]string, error) {
	segs := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	known := false
	for i := range r.routes {
		params, ok := match(r.routes[i].segs, segs)
		if !ok {
			continue
		}
		if r.routes[i].method == method {
			return &r.routes[i], params, nil
		}
		known = true
	}
	if known {
		return nil, nil, fail(http.StatusMethodNotAllowed, "Method %s is not allowed for %s.", method, u.Path)
	}
	return nil, nil, notFound("No such endpoint: %s.", u.Path)
}

func match(pattern, segs []string) (map[string]string, bool) {
	if len(pattern) != len(segs) {
		return nil, false
	}
	params := map[string]string{}
	for i, p := range pattern {
		seg, err := url.PathUnescape(segs[i])
		if err != nil || seg == "" {
			return nil, false
		}
		if name, ok := strings.CutPrefix(p, "{"); ok {
			params[strings.TrimSuffix(name, "}")] = seg
			continue
		}
		if p != seg {
			return nil, false
		}
	}
	return params, true
}

// An Endpoint is one method of one path of the vendor's API. A segment such as
// {group_id} of the path stands for an id.
type Endpoint struct{ Method, Path string }

// Endpoints returns every endpoint of the vendor's API that is served, those of
// the console not, in no particular order.
func Endpoints() []Endpoint {
	var list []Endpoint
	for _, r := range newRouter().routes {
		if !strings.HasPrefix(r.pattern, "/console/") {
			list = append(list, Endpoint{r.method, r.pattern})
		}
	}
	return list
}
