package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a fault does.
const (
	doStatus      = "status"        // answer with an error, without effect
	doDropBefore  = "drop_before"   // close the connection without effect
	doDropAfter   = "drop_after"    // take effect, then close without an answer
	doStatusAfter = "status_after"  // take effect, then answer with an error
	doDuplicate   = "duplicate"     // take effect twice, and answer the second time
	doCutBody     = "cut_body"      // take effect, then send half of the answer
	doDelay       = "delay"         // wait, then serve
	doNullRoleIDs = "null_role_ids" // role data is not available
	doShortPage   = "short_page"    // half a page, though there is more
	doEmptyPage   = "empty_page"    // an empty page, though there is more
	doEdit        = "edit"          // another admin changes something first
)

var faultKinds = []string{doStatus, doDropBefore, doDropAfter, doStatusAfter, doDuplicate, doCutBody, doDelay, doNullRoleIDs, doShortPage, doEmptyPage, doEdit}

// A Fault makes requests go wrong. It counts down Skip at each request that
// matches, and then fires Times times. Faults are part of the durable state, so
// that one that has fired does not fire again after a restart.
type Fault struct {
	Method  string            `json:"method,omitempty"` // empty: any
	Path    string            `json:"path,omitempty"`   // exact, or a prefix and *; empty: any
	Skip    int               `json:"skip,omitempty"`
	Times   int               `json:"times"` // -1: forever
	Do      string            `json:"do"`
	Status  int               `json:"status,omitempty"`
	Type    string            `json:"type,omitempty"`
	Message string            `json:"message,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	DelayMS int               `json:"delay_ms,omitempty"`
	Edit    *Edit             `json:"edit,omitempty"`
}

// An Edit is a request to /console or to the Admin API that a fault makes, as
// if by another admin.
type Edit struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body,omitempty"`
}

func (f *Fault) matches(r *http.Request) bool {
	if f.Method != "" && f.Method != r.Method {
		return false
	}
	if prefix, ok := strings.CutSuffix(f.Path, "*"); ok {
		return strings.HasPrefix(r.URL.Path, prefix)
	}
	return f.Path == "" || f.Path == r.URL.Path
}

// readFault reads a fault of a seed or of POST /emulator/faults.
func readFault(p *problems, n node) Fault {
	p.object(n, "method", "path", "skip", "times", "do", "status", "type", "message", "headers", "delay_ms", "edit")
	f := Fault{
		Method: p.str(n.field("method")), Path: p.str(n.field("path")), Skip: p.whole(n.field("skip")), Times: 1,
		Type: p.str(n.field("type")), Message: p.str(n.field("message")), DelayMS: p.whole(n.field("delay_ms")),
	}
	if t := n.field("times"); !t.absent() {
		f.Times = p.whole(t)
	}
	if f.Skip < 0 || f.Times < -1 {
		p.add(n, "skip must be 0 or more, and times -1 or more")
	}
	if p.must(n.field("do")) {
		f.Do = p.oneOf(n.field("do"), faultKinds...)
	}
	if s := n.field("status"); (f.Do == doStatus || f.Do == doStatusAfter) && p.must(s) {
		if f.Status = p.whole(s); f.Status < 400 || f.Status > 599 {
			p.add(s, "must be between 400 and 599")
		}
	}
	if f.DelayMS < 0 || f.DelayMS > 600_000 {
		p.add(n.field("delay_ms"), "must be between 0 and 600000")
	}
	f.Headers = readHeaders(p, n.field("headers"))
	if e := n.field("edit"); f.Do == doEdit && p.must(e) {
		f.Edit = readEdit(p, e)
	}
	return f
}

func readHeaders(p *problems, n node) map[string]string {
	p.object(n, n.names...)
	if n.absent() {
		return nil
	}
	headers := map[string]string{}
	for _, name := range n.names {
		headers[name] = p.str(n.field(name))
		if strings.ContainsAny(name+headers[name], "\r\n") || name == "" {
			p.add(n.field(name), "is not a header")
		}
	}
	return headers
}

func readEdit(p *problems, n node) *Edit {
	p.object(n, "method", "path", "body")
	e := &Edit{Method: p.name(n.field("method"), 10), Path: p.name(n.field("path"), 1000)}
	if u, err := url.Parse(e.Path); err != nil || u.Path == "" || (!strings.HasPrefix(e.Path, "/console/") && !strings.HasPrefix(e.Path, adminPrefix)) {
		p.add(n.field("path"), "must be a path that begins with /console/ or %s", adminPrefix)
	}
	if b := n.field("body"); !b.absent() {
		raw, err := encode(b.plain())
		if err != nil {
			p.add(b, "is not JSON: %s", err)
		}
		e.Body = raw
	}
	return e
}

// plain returns the value of a node for encoding.
func (n node) plain() any {
	switch n.kind {
	case '{':
		m := map[string]any{}
		for name, f := range n.fields {
			m[name] = f.plain()
		}
		return m
	case '[':
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plain()
		}
		return list
	case 's':
		return n.text
	case 'n':
		return json.Number(n.text)
	case 'b':
		return n.truth
	}
	return nil
}

// takeFault returns the fault of a request: that of its Emulator-Fault header,
// or the first of the state that matches and is due.
func (s *Server) takeFault(r *http.Request) (*Fault, error) {
	if text := r.Header.Get("Emulator-Fault"); text != "" {
		return headerFault(text)
	}
	s.mu.RLock()
	none := len(s.st.faults.rows) == 0
	s.mu.RUnlock()
	if none {
		return nil, nil
	}
	var due *Fault
	_, err := s.write("", "", nil, func(x *tx) (any, error) {
		for _, key := range slices.Sorted(maps.Keys(x.st.faults.rows)) {
			f := x.st.faults.rows[key]
			if f.Times == 0 || !f.matches(r) {
				continue
			}
			if f.Skip > 0 {
				f.Skip--
			} else {
				hit := f
				due = &hit
				f.Times = max(f.Times-1, -1)
				if hit.Times < 0 {
					return nil, nil
				}
			}
			if err := put(x, &x.st.faults, key, f); err != nil || due != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	return due, err
}

// headerFault reads the header Emulator-Fault, such as "status=503" or
// "do=delay, delay_ms=20".
func headerFault(text string) (*Fault, error) {
	f := &Fault{Times: 1}
	for _, part := range splitList([]string{text}) {
		name, value, _ := strings.Cut(part, "=")
		var err error
		switch name {
		case "do":
			f.Do = value
		case "status":
			if f.Do != doStatusAfter {
				f.Do = doStatus
			}
			f.Status, err = strconv.Atoi(value)
		case "delay_ms":
			f.Do = doDelay
			f.DelayMS, err = strconv.Atoi(value)
		case "type":
			f.Type = value
		case "message":
			f.Message = value
		default:
			f.Do = name
		}
		if err != nil {
			return nil, invalid("Emulator-Fault: %s", err)
		}
	}
	bad := !slices.Contains(faultKinds, f.Do) || f.Do == doEdit || f.DelayMS < 0 || f.DelayMS > 600_000
	if bad || ((f.Do == doStatus || f.Do == doStatusAfter) && (f.Status < 400 || f.Status > 599)) {
		return nil, invalid("Emulator-Fault: %q is not a fault", text)
	}
	return f, nil
}

// before does the part of a fault that comes before the request is served;
// done means that the request is not served at all.
func (s *Server) before(r *http.Request, f *Fault) (res result, done bool) {
	switch f.Do {
	case doStatus:
		return result{err: f.error()}, true
	case doDropBefore:
		return result{drop: true}, true
	case doDelay:
		timer := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return result{drop: true}, true
		}
	case doEdit:
		if err := s.edit(f.Edit); err != nil {
			return result{err: fail(http.StatusInternalServerError, "The edit of a fault did not work: %s", err)}, true
		}
	}
	return result{}, false
}

// error is the answer that a fault gives in place of the right one.
func (f *Fault) error() error {
	message := f.Message
	if message == "" {
		message = fmt.Sprintf("The emulator was told to answer %d.", f.Status)
	}
	return &apiError{status: f.Status, kind: f.Type, message: message, header: f.Headers}
}

// adminPrefix begins the paths of the Admin API.
const adminPrefix = "/v1/organizations/"

// otherAdmin is the key of the admin who edits by way of the Admin API.
var otherAdmin = apiKey{secret: "another admin", scopes: knownScopes, linked: true}

// edit makes a request of its own. It is not in the list of requests, and costs
// nothing of a budget.
func (s *Server) edit(e *Edit) error {
	r, err := http.NewRequest(e.Method, "http://localhost"+e.Path, bytes.NewReader(e.Body))
	if err != nil {
		return err
	}
	c := &call{s: s, method: e.Method, path: r.URL.Path, query: r.URL.Query(), body: e.Body, now: s.now()}
	if strings.HasPrefix(c.path, adminPrefix) {
		rt, params, err := s.router.find(e.Method, r.URL)
		if err != nil {
			return err
		}
		c.params, c.key, c.version, c.betas = params, otherAdmin, version2023, []string{pluginBeta, spendListBeta}
		_, err = s.run(rt, c, otherAdmin.actor())
		return err
	}
	return s.serveConsole(c, r).err
}
