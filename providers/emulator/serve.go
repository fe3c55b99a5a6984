package emulator

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody is the largest body that is read, in bytes.
const maxBody = 1 << 20

// A call is one request on its way through a handler.
type call struct {
	s       *Server
	st      *state // what the handler may read; the lock is held
	method  string
	path    string
	params  map[string]string
	query   url.Values
	body    []byte
	now     time.Time
	version string // of the API: version2023 or version2026
	betas   []string
	key     apiKey
	fault   *Fault // what is to go wrong, or nil
}

// An answer is what goes back, unless the connection is dropped.
type answer struct {
	status int
	header http.Header
	body   []byte
	drop   bool // close the connection without an answer
	cut    bool // close it in the middle of the body
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	id := s.requests.nextID(s.started)
	w.Header().Set("Request-Id", id)
	w.Header().Set("Content-Type", "application/json")
	body, err := readBody(r)
	if strings.HasPrefix(r.URL.Path, "/emulator/") {
		s.send(w, s.finish(id, s.serveEmulator(r, body, err)))
		return
	}
	n := s.requests.begin(r, id, body)
	a := s.finish(id, s.answer(r, body, err, n))
	status := a.status
	if a.drop {
		status = 0
	}
	s.requests.end(n, status)
	s.send(w, a)
}

// readBody reads a body up to one byte more than is allowed.
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	return io.ReadAll(io.LimitReader(r.Body, maxBody+1))
}

// result is what a handler made of a request: a value to be sent as JSON, or an
// error.
type result struct {
	value  any
	err    error
	header http.Header
	drop   bool
	cut    bool
}

// finish turns a result into bytes.
func (s *Server) finish(id string, r result) answer {
	a := answer{status: http.StatusOK, header: r.header, drop: r.drop, cut: r.cut}
	if a.header == nil {
		a.header = http.Header{}
	}
	if raw, ok := r.value.([]byte); ok && r.err == nil {
		a.body = raw
		return a
	}
	if r.err == nil {
		a.body, r.err = encode(r.value)
	}
	if r.err == nil {
		return a
	}
	e, ok := errors.AsType[*apiError](r.err)
	if !ok {
		e = fail(http.StatusInternalServerError, "%s", r.err.Error())
	}
	a.status = e.status
	for name, value := range e.header {
		a.header.Set(name, value)
	}
	a.body, _ = encode(errorBody(e, id)) // strings only: cannot fail
	return a
}

func errorBody(e *apiError, id string) any {
	type detail struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	kind := e.kind
	if kind == "" {
		kind = kindOf(e.status)
	}
	return struct {
		Type      string `json:"type"`
		Error     detail `json:"error"`
		RequestID string `json:"request_id"`
	}{"error", detail{kind, e.message}, id}
}

func (s *Server) send(w http.ResponseWriter, a answer) {
	if a.drop {
		panic(http.ErrAbortHandler)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if !a.cut {
		_, _ = w.Write(a.body) // the client has gone: nobody to tell
		return
	}
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// answer serves the vendor's API and the console.
func (s *Server) answer(r *http.Request, body []byte, readErr error, n int) result {
	release, err := s.take(r)
	if err != nil {
		return result{err: err}
	}
	defer release()
	f, err := s.takeFault(r)
	if err != nil {
		return result{err: err}
	}
	if f != nil {
		s.requests.fault(n, f.Do)
		if res, done := s.before(r, f); done {
			return res
		}
	}
	if readErr == nil && len(body) > maxBody {
		readErr = fail(http.StatusRequestEntityTooLarge, "The request body is larger than %d bytes.", maxBody)
	}
	if readErr != nil {
		return result{err: readErr}
	}
	c := &call{s: s, method: r.Method, path: r.URL.Path, query: r.URL.Query(), body: body, now: s.now(), fault: f}
	serve := func(c call) result {
		if strings.HasPrefix(r.URL.Path, "/console/") {
			return s.serveConsole(&c, r)
		}
		return s.serveVendor(&c, r, n)
	}
	res := serve(*c)
	if f != nil {
		switch {
		case f.Do == doDuplicate:
			res = serve(*c)
		case f.Do == doStatusAfter && res.err == nil:
			res.err = f.error()
		}
		res.drop = f.Do == doDropAfter
		res.cut = f.Do == doCutBody
	}
	return res
}

// serveVendor checks in this order: the key (401), the path (404), the budget
// (429), the scopes (403), and then whatever the endpoint checks.
//
// The order of scopes before existence is inferred; the order of the rest is
// read from the Compliance API docs: a 401 costs no budget and a 403 costs one
// request. Source: Compliance API docs, Rate limits; read 2026-11-22.
func (s *Server) serveVendor(c *call, r *http.Request, n int) result {
	compliance := strings.HasPrefix(r.URL.Path, "/v1/compliance/")
	key, err := s.authenticate(r, compliance)
	if err != nil {
		return result{err: err}
	}
	c.key = key
	rt, params, err := s.router.find(r.Method, r.URL)
	if err != nil {
		return result{err: err}
	}
	c.params = params
	c.betas = splitList(r.Header.Values("Anthropic-Beta"))
	if rt.beta != "" && !slices.Contains(c.betas, rt.beta) {
		return result{err: notFound("No such endpoint: %s.", r.URL.Path)}
	}
	s.requests.family(n, rt.family)
	header, err := s.budgets.spend(rt.family, s.options.Now())
	if err != nil {
		return result{err: err, header: header}
	}
	if err := key.allows(rt); err != nil {
		return result{err: err, header: header}
	}
	if !compliance {
		if c.version, err = versionOf(r); err != nil {
			return result{err: err, header: header}
		}
	}
	value, err := s.run(rt, c, key.actor())
	return result{value: value, err: err, header: header}
}

// run calls the handler of a route under the right lock.
func (s *Server) run(rt *route, c *call, actor map[string]any) (any, error) {
	handle := func(st *state, do func() (any, error)) (any, error) {
		c.st = st
		if rt.beta == pluginBeta {
			if err := c.checkPlugins(rt); err != nil {
				return nil, err
			}
		}
		return do()
	}
	if rt.get != nil {
		return s.read(func(st *state) (any, error) {
			show := func(st *state) (any, error) { return handle(st, func() (any, error) { return rt.get(c) }) }
			if late := s.replicaOf(rt); late != nil {
				return late.read(c.now, show)
			}
			return show(st)
		})
	}
	return s.write(c.method, c.path, actor, func(x *tx) (any, error) {
		c.now = x.now
		return handle(x.st, func() (any, error) { return rt.set(c, x) })
	})
}

// The versions of the API. The second drops the deprecated names of fields.
//
// Source: Admin API reference, API versions; read 2026-11-22. That a missing
// header means the first, and that another version is a 400, is inferred.
const (
	version2023 = "2023-06-01"
	version2026 = "2026-10-21"
)

func versionOf(r *http.Request) (string, error) {
	switch v := r.Header.Get("Anthropic-Version"); v {
	case "", version2023:
		return version2023, nil
	case version2026:
		return v, nil
	default:
		return "", invalid("anthropic-version: %q is not a valid version", v)
	}
}

// old reports whether deprecated names are part of the answer.
func (c *call) old() bool { return c.version != version2026 }

func splitList(values []string) []string {
	var list []string
	for _, v := range values {
		for item := range strings.SplitSeq(v, ",") {
			list = append(list, strings.TrimSpace(item))
		}
	}
	return list
}

// local reports whether a request comes from this machine, was sent to this
// machine by name, and does not come from a web page of another one.
func local(r *http.Request) bool {
	if !loopback(r.Host) {
		return false
	}
	if r.RemoteAddr != "" && r.RemoteAddr != "@" && !loopback(r.RemoteAddr) {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && loopback(u.Host)
}

// loopback reports whether a host, with or without port, is this machine.
func loopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// fields reads the body as an object with no fields but names.
//
// That unknown fields are refused is inferred: the vendor's other endpoints do
// so, and it catches a client that invents one.
func (c *call) fields(p *problems, names ...string) (node, error) {
	if len(c.body) == 0 {
		return node{}, invalid("The request body must be a JSON object.")
	}
	n, err := parseJSON(c.body)
	if err != nil {
		return node{}, invalid("The request body is not valid JSON: %s.", err)
	}
	if n.kind != '{' {
		return node{}, invalid("The request body must be a JSON object.")
	}
	p.object(n, names...)
	return n, p.err()
}

// err returns the problems as a 400, or nil.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return invalid("%s", p.String())
}

// values returns a list parameter, written name[]=a&name[]=b.
func (c *call) values(name string) []string {
	return append(append([]string{}, c.query[name+"[]"]...), c.query[name]...)
}

// valuesOf returns a list parameter whose values must be among allowed.
func (c *call) valuesOf(name string, allowed ...string) ([]string, error) {
	list := c.values(name)
	for _, v := range list {
		found := false
		for _, a := range allowed {
			found = found || a == v
		}
		if !found {
			return nil, invalid("%s[]: must be one of %s; got %q", name, strings.Join(allowed, ", "), v)
		}
	}
	return list, nil
}
