package emulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Request is one request that the emulator received. It has no headers, so
// no key.
type Request struct {
	N         int             `json:"n"` // from 1
	Method    string          `json:"method"`
	Path      string          `json:"path"`
	Query     string          `json:"query"`
	Status    int             `json:"status"` // 0: the connection was dropped, or not answered yet
	RequestID string          `json:"request_id"`
	Family    string          `json:"family"`
	Fault     string          `json:"fault,omitempty"` // what went wrong on demand
	Body      json.RawMessage `json:"body,omitempty"`  // a string if it was not JSON
}

// keptRequests is how many requests are remembered; older ones are forgotten.
const keptRequests = 100_000

type requestLog struct {
	mu     sync.Mutex
	ids    int // requests since the start, for request IDs
	n      int // requests since the last reset
	list   []Request
	counts map[string]int
}

// nextID returns a request ID.
func (l *requestLog) nextID(started time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids++
	return makeID("req_", started.String(), strconv.Itoa(l.ids))
}

// begin remembers a request and returns its number.
func (l *requestLog) begin(r *http.Request, id string, body []byte) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	if len(l.list) >= keptRequests {
		l.list = slices.Clone(l.list[keptRequests/2:])
	}
	l.n++
	family := familyUnknown
	if strings.HasPrefix(r.URL.Path, "/console/") {
		family = familyConsole
	}
	l.counts[family]++
	l.list = append(l.list, Request{N: l.n, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		RequestID: id, Family: family, Body: bodyJSON(body)})
	return l.n
}

// bodyJSON returns a body as JSON.
func bodyJSON(body []byte) json.RawMessage {
	if len(body) == 0 {
		return nil
	}
	if json.Valid(body) {
		return slices.Clone(body)
	}
	raw, _ := encode(string(body)) // a string: cannot fail
	return raw
}

// change applies do to the request n, unless it was forgotten.
func (l *requestLog) change(n int, do func(*Request)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.list) - 1; i >= 0; i-- {
		if l.list[i].N == n {
			do(&l.list[i])
			return
		}
	}
}

func (l *requestLog) end(n, status int)        { l.change(n, func(r *Request) { r.Status = status }) }
func (l *requestLog) fault(n int, what string) { l.change(n, func(r *Request) { r.Fault = what }) }
func (l *requestLog) family(n int, family string) {
	l.change(n, func(r *Request) {
		l.counts[r.Family]--
		if l.counts[r.Family] == 0 {
			delete(l.counts, r.Family)
		}
		l.counts[family]++
		r.Family = family
	})
}

func (l *requestLog) all() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}

// requestsBody is the answer of GET /emulator/requests.
type requestsBody struct {
	Requests []Request      `json:"requests"`
	Counts   map[string]int `json:"counts"` // by family
}

func (l *requestLog) body() requestsBody {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := requestsBody{Requests: []Request{}, Counts: map[string]int{}}
	b.Requests = append(b.Requests, l.list...)
	for family, n := range l.counts {
		b.Counts[family] = n
	}
	return b
}

func (l *requestLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n, l.list, l.counts = 0, nil, map[string]int{}
}
