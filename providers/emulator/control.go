package emulator

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// serveEmulator serves /emulator: the emulator itself rather than the
// organization in it.
func (s *Server) serveEmulator(r *http.Request, body []byte, readErr error) result {
	if !local(r) {
		return result{err: fail(http.StatusForbidden, "The emulator is served to this machine only.")}
	}
	if readErr == nil && len(body) > maxBody {
		readErr = fail(http.StatusRequestEntityTooLarge, "The request body is larger than %d bytes.", maxBody)
	}
	if readErr != nil {
		return result{err: readErr}
	}
	value, err := s.control(r.Method, r.URL.Path, body)
	return result{value: value, err: err}
}

func (s *Server) control(method, path string, body []byte) (any, error) {
	switch method + " " + path {
	case "GET /emulator/health":
		return fields{"status": "ok", "organization_id": s.organizationID(), "rate_limits": s.budgets.enforced,
			"time_scale": s.options.TimeScale, "in_force_ms": s.inForce().Milliseconds()}, nil
	case "GET /emulator/access":
		return s.Access(), nil
	case "GET /emulator/state":
		return s.StateJSON(), nil
	case "GET /emulator/requests":
		return s.requests.body(), nil
	case "DELETE /emulator/requests":
		s.requests.reset()
		return fields{"status": "ok"}, nil
	case "GET /emulator/delays":
		return s.read(func(*state) (any, error) { return s.late.delays.body(), nil })
	case "PUT /emulator/delays":
		return s.putDelays(body)
	case "GET /emulator/faults":
		return s.read(listFaults)
	case "POST /emulator/faults":
		return s.addFaults(body)
	case "DELETE /emulator/faults":
		return s.clearFaults()
	}
	return nil, notFound("No such endpoint: %s %s.", method, path)
}

// inForce is how long a change takes at most until members notice it.
func (s *Server) inForce() time.Duration {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.scaled(s.late.delays.longest())
}

func (s *Server) organizationID() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.st.org().ID
}

func listFaults(st *state) (any, error) {
	list := []Fault{}
	for _, key := range slices.Sorted(maps.Keys(st.faults.rows)) {
		list = append(list, st.faults.rows[key])
	}
	return fields{"faults": list}, nil
}

// AddFaults adds the faults of a script: one, or a list of them, as JSON.
func (s *Server) AddFaults(script []byte) error {
	_, err := s.addFaults(script)
	return err
}

// addFaults adds one fault, or a list of them.
func (s *Server) addFaults(body []byte) (any, error) {
	n, err := parseJSON(body)
	if err != nil {
		return nil, invalid("The request body is not valid JSON: %s.", err)
	}
	nodes := []node{n}
	if n.kind == '[' {
		nodes = n.items
	}
	var p problems
	var faults []Fault
	for _, item := range nodes {
		faults = append(faults, readFault(&p, item))
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return s.write("", "", nil, func(x *tx) (any, error) {
		for _, f := range faults {
			order, err := x.order()
			if err != nil {
				return nil, err
			}
			if err := put(x, &x.st.faults, orderKey(order), f); err != nil {
				return nil, err
			}
		}
		return listFaults(x.st)
	})
}

func (s *Server) clearFaults() (any, error) {
	return s.write("", "", nil, func(x *tx) (any, error) {
		for _, key := range slices.Sorted(maps.Keys(x.st.faults.rows)) {
			remove(x, &x.st.faults, key)
		}
		return listFaults(x.st)
	})
}
