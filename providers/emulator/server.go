package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

// Options say which organization a [Server] holds and where it keeps it. One
// of Seed and SeedData must be given; SeedData wins.
type Options struct {
	Seed     string // path of the seed
	SeedData []byte // the seed itself

	// State is the path of the durable live copy; empty keeps the state in
	// memory only. A copy that is there wins over the seed it was made from.
	State string
	// Reset starts over from the seed, whatever State holds.
	Reset bool

	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// RateLimits enforces the documented budgets even if the seed does not ask
	// for it.
	RateLimits bool
	// TimeScale makes the windows of the budgets and the delays that many times
	// shorter, so that a test need not wait a minute. Zero means 1.
	TimeScale float64

	// Faults is a script of faults to add, as JSON: one or a list.
	Faults []byte

	// Delays, as JSON, say how long changes take to show, in place of what the
	// seed says; see [Delays].
	Delays []byte

	// AfterWrite, if set, is called after each request that changed the
	// organization, before it is answered. No other write happens until it
	// returns, so it sees the state that the request made. It may read from
	// the Server, but not write through its Handler.
	AfterWrite func(Event)
}

// An Event tells AfterWrite of one change.
type Event struct {
	Method string
	Path   string
	// Access returns what everybody may do now.
	Access func() Access
}

// A Server is one organization and the HTTP surfaces that show it. Its methods
// may be called from several goroutines.
type Server struct {
	options Options
	keys    map[string]apiKey // by secret; empty: any key has every scope
	started time.Time
	router  *router

	writing sync.Mutex // held for a whole write, with its AfterWrite
	mu      sync.RWMutex
	st      *state   // guarded by mu
	late    replicas // guarded by mu
	store   *store   // guarded by writing; nil: memory only
	closed  bool     // guarded by writing

	busy     busySet
	views    viewCache
	requests requestLog
	budgets  budgets
}

// Open reads the seed and the durable copy, if there is one.
//
// Errors: a [*SeedError] lists all that is wrong with the seed. An error that
// wraps [ErrSeedChanged] means that the copy was made from another seed, one
// that wraps [ErrStateInUse] that another process has the copy open.
func Open(o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.TimeScale <= 0 {
		o.TimeScale = 1
	}
	data := o.SeedData
	if data == nil {
		if o.Seed == "" {
			return nil, errors.New("emulator: no seed is given")
		}
		var err error
		if data, err = os.ReadFile(o.Seed); err != nil {
			return nil, fmt.Errorf("emulator: read the seed: %w", err)
		}
	}
	s := &Server{options: o, keys: map[string]apiKey{}, router: newRouter()}
	s.started = s.now()
	seed, err := readSeed(data, s.started)
	if err != nil {
		if bad, ok := errors.AsType[*SeedError](err); ok && o.SeedData == nil {
			bad.File = o.Seed
		}
		return nil, fmt.Errorf("emulator: %w", err)
	}
	s.st = seed.st
	for _, k := range seed.keys {
		s.keys[k.secret] = k
	}
	s.budgets = budgets{enforced: o.RateLimits || seed.limits, scale: o.TimeScale}
	if o.State != "" {
		if err := s.openState(seedSum(data)); err != nil {
			return nil, fmt.Errorf("emulator: open the state: %w", err)
		}
	}
	if o.Delays != nil {
		if seed.delays, err = parseDelays(o.Delays); err != nil {
			return nil, errors.Join(fmt.Errorf("emulator: delays: %w", err), s.Close())
		}
	}
	if err := s.setDelays(seed.delays); err != nil {
		return nil, errors.Join(fmt.Errorf("emulator: delays: %w", err), s.Close())
	}
	if o.Faults != nil {
		if err := s.AddFaults(o.Faults); err != nil {
			return nil, errors.Join(fmt.Errorf("emulator: faults: %w", err), s.Close())
		}
	}
	return s, nil
}

func (s *Server) openState(seed string) error {
	files, st, err := openStore(s.options.State, seed, s.options.Reset)
	if err != nil {
		return err
	}
	s.store = files
	if st != nil {
		s.st = st
		return nil
	}
	if err := files.save(s.st); err != nil {
		return errors.Join(err, files.log.Close())
	}
	return nil
}

// Close writes the state to disk and lets go of it. Writes after Close fail.
func (s *Server) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.store == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.store.close(s.st); err != nil {
		return fmt.Errorf("emulator: close the state: %w", err)
	}
	return nil
}

// Handler serves all three surfaces. A fault that drops a connection panics
// with http.ErrAbortHandler, which net/http's server understands.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// StateJSON returns the whole state but for times, the feed and the keys. It
// is a seed, and the same state gives the same bytes.
func (s *Server) StateJSON() []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.st.document(false).bytes()
}

// Requests returns the requests received since the start or the last reset,
// oldest first, without those to /emulator.
func (s *Server) Requests() []Request { return s.requests.all() }

// now is the time in UTC with the precision that the API shows.
func (s *Server) now() time.Time { return s.options.Now().UTC().Truncate(time.Microsecond) }

// read runs do on the state as it is.
func (s *Server) read(do func(st *state) (any, error)) (any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return do(s.st)
}

// write runs do as one change: if do or the store fails, nothing has changed.
func (s *Server) write(method, path string, actor map[string]any, do func(x *tx) (any, error)) (any, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closed {
		return nil, fail(http.StatusServiceUnavailable, "The emulator is closed.")
	}
	out, visible, err := s.commit(actor, do)
	if err == nil && visible && s.options.AfterWrite != nil {
		s.options.AfterWrite(Event{Method: method, Path: path, Access: s.Access})
	}
	return out, err
}

func (s *Server) commit(actor map[string]any, do func(x *tx) (any, error)) (out any, visible bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &tx{st: s.st, now: s.now(), actor: actor}
	done := false
	defer func() {
		if !done {
			x.rollback()
		}
	}()
	if out, err = do(x); err != nil {
		return nil, false, err
	}
	if s.store != nil && len(x.changes) > 0 {
		if err := s.persist(x); err != nil {
			return nil, false, fmt.Errorf("write the state: %w", err)
		}
	}
	done = true
	s.late.add(x.changes, x.now)
	return out, x.visible, nil
}

// persist makes the changes of x durable. Once they are in the log they stand,
// even if the snapshot that is due now cannot be written: the log goes on.
func (s *Server) persist(x *tx) error {
	if err := s.store.append(x.changes); err != nil {
		return err
	}
	if s.store.logged > maxLog {
		_ = s.store.save(s.st) // tried again at the next write
	}
	return nil
}
