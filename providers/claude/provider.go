// Package claude is Claude Enterprise: its language, its access semantics, its
// steps, and its API by way of the vendor's Go SDK, which no other package
// imports.
//
// What is pure (language, description, access, steps) is in [System]; reading
// is the type that [Connect] makes; writing is another, which only
// [ConnectToWrite] makes.
package claude

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/emulator"
	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/schema"
)

// Kind registers Claude Enterprise.
func Kind() providers.Kind {
	return providers.Kind{
		Language:       language,
		Starter:        starter,
		New:            func(c *schema.Config) providers.System { return New(c) },
		Connect:        Connect,
		ConnectToWrite: ConnectToWrite,
		Desk:           openDesk,
		Diagnose:       diagnose,
	}
}

// Connect opens the live organization to read it. What it reads it keeps under
// .rolecall beside the configuration, for the next time; ConnectToWrite always
// reads everything.
func Connect(ctx context.Context, c *schema.Config, env providers.Environment) (*providers.Connection, error) {
	conn, _, err := ConnectToWrite(ctx, c, env)
	if err != nil {
		return nil, err
	}
	embedded := apiBlock(c).Attr("emulator") != nil && env.Getenv("ROLECALL_ENDPOINT") == ""
	if r, ok := conn.Reader.(*reader); ok && !env.NoCache && !embedded {
		r.cache = filepath.Join(c.Dir, ".rolecall", "cache.json")
	}
	return conn, nil
}

// keyTimeout is how long a command that prints a key may take.
const keyTimeout = 30 * time.Second

// ConnectToWrite opens the live organization: the embedded emulator if the
// configuration names a seed, else the API at its endpoint.
func ConnectToWrite(ctx context.Context, c *schema.Config, env providers.Environment) (*providers.Connection, providers.Editor, error) {
	s := New(c)
	o := Options{UserAgent: "rolecall", Progress: env.Progress, HTTP: env.HTTP}
	conn := &providers.Connection{Close: func() error { return nil }}
	api := apiBlock(c)
	endpoint := env.Getenv("ROLECALL_ENDPOINT")
	seed := api.Attr("emulator")
	if seed != nil && endpoint == "" {
		base, stop, err := startEmulator(c.Dir, seed, env.Reset)
		if err != nil {
			return nil, nil, err
		}
		conn.Emulated, conn.Close, conn.InForce = true, stop, askHealth(ctx, nil, base).inForce()
		o.Endpoint, o.Key, o.Unpaced = base, "embedded-emulator", true
	} else {
		o.Endpoint = endpoint
		if o.Endpoint == "" {
			o.Endpoint = api.Text("endpoint", DefaultEndpoint)
		}
		h := askHealth(ctx, env.HTTP, o.Endpoint)
		conn.Emulated, conn.InForce, conn.Speed, o.TimeScale = h.emulator, h.inForce(), h.Scale, h.Scale
		o.Unpaced = h.emulator && !h.Limits
		if err := keys(ctx, api, env, &o); err != nil {
			if !conn.Emulated {
				return nil, nil, err
			}
			o.Key = "emulator" // which takes any key, unless its seed says otherwise
		}
	}
	r := &reader{System: s, emulated: conn.Emulated, known: map[schema.Address]*schema.Object{}}
	l, err := r.ledger()
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	o.EventTypes = append(DefaultEventTypes(), doubts(l)...)
	reads, writes, err := NewClient(o)
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	r.api = reads
	conn.Reader = r
	edit := editor{writes: writes, live: r}
	if conn.Emulated {
		return conn, &emulatedEditor{edit, console{System: s, base: o.Endpoint, client: &http.Client{Transport: env.HTTP, Timeout: timeout}, live: r}}, nil
	}
	return conn, &edit, nil
}

// defaultKeyEnv is the variable that holds the key if nothing else is said.
const defaultKeyEnv = "ANTHROPIC_ADMIN_KEY"

// apiBlock returns the api block of the organization, an empty one if it has
// none.
func apiBlock(c *schema.Config) *schema.Described {
	for _, b := range c.Of("organization") {
		if list := b.Of("api"); len(list) > 0 {
			return list[0]
		}
	}
	return &schema.Described{}
}

// A health is what an emulator says of itself.
type health struct {
	Organization string  `json:"organization_id"`
	Limits       bool    `json:"rate_limits"`
	Scale        float64 `json:"time_scale"`  // how many times faster than documented time passes
	InForceMS    int64   `json:"in_force_ms"` // how long a change takes at most, as time passes there

	emulator bool // it is one, on this machine
}

func (h health) inForce() time.Duration { return time.Duration(h.InForceMS) * time.Millisecond }

// askHealth asks whether the endpoint is an emulator on this machine; the zero
// health says that it is not. No key is sent to find out, and nothing at all to
// any other machine.
func askHealth(ctx context.Context, carrier http.RoundTripper, endpoint string) health {
	u, err := url.Parse(endpoint)
	if err != nil || !isLoopback(u.Hostname()) {
		return health{}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(endpoint, "/")+"/emulator/health", nil)
	if err != nil {
		return health{}
	}
	client := &http.Client{Transport: carrier, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return health{}
	}
	defer resp.Body.Close()
	var h health
	err = json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&h)
	if err != nil || resp.StatusCode != http.StatusOK || !uuid.MatchString(h.Organization) {
		return health{}
	}
	h.emulator = true
	return h
}

// keys takes the keys from the environment or from a command. They are never
// printed, and an error names the variable, not what is in it.
func keys(ctx context.Context, api *schema.Described, env providers.Environment, o *Options) error {
	name := api.Text("key_env", defaultKeyEnv)
	if command := api.Texts("key_command"); len(command) > 0 {
		if env.Getenv("ROLECALL_KEY_COMMAND") == "deny" { // a pull request must not choose what runs beside a key
			return fmt.Errorf("key_command %s is not run: ROLECALL_KEY_COMMAND is deny here; set the variable %s instead", command[0], name)
		}
		ctx, cancel := context.WithTimeout(ctx, keyTimeout)
		defer cancel()
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.WaitDelay = time.Second
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("key_command %s: %w", command[0], err)
		}
		o.Key = Key(strings.TrimSpace(string(out)))
	} else {
		o.Key = Key(env.Getenv(name))
	}
	if o.Key == "" {
		return fmt.Errorf("%w for %s: set the variable %s to an Admin API key, or try the configuration on the embedded emulator with api { emulator = \"…\" }", providers.ErrNoKey, o.Endpoint, name)
	}
	if name := api.Text("compliance_key_env", ""); name != "" {
		o.ComplianceKey = Key(env.Getenv(name))
		if o.ComplianceKey == "" {
			return fmt.Errorf("no compliance key: set the variable %s, or remove compliance_key_env", name)
		}
	}
	return nil
}

// startEmulator serves the embedded emulator on a loopback port. Its live copy
// is kept under .rolecall beside the configuration.
func startEmulator(dir string, seed *schema.Attribute, reset bool) (base string, stop func() error, err error) {
	path := seed.Text
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	state := filepath.Join(dir, ".rolecall", filepath.Base(path))
	if err := os.MkdirAll(filepath.Dir(state), 0o700); err != nil {
		return "", nil, fmt.Errorf("live copy of the emulator: %w", err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(state), ".gitignore"), []byte("*\n"), 0o600); err != nil {
		return "", nil, fmt.Errorf("live copy of the emulator: %w", err)
	}
	if reset { // and what was confirmed of it
		if err := os.Remove(filepath.Join(filepath.Dir(state), ledger.FileName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", nil, fmt.Errorf("reset: %w", err)
		}
	}
	server, err := emulator.Open(emulator.Options{Seed: path, State: state, Reset: reset})
	if errors.Is(err, emulator.ErrSeedChanged) {
		return "", nil, fmt.Errorf("%s:%d: the seed %s has changed since its live copy %s was made: start over with --reset", seed.Range.Filename, seed.Range.Start.Line, path, state)
	}
	if err != nil {
		return "", nil, fmt.Errorf("%s:%d: emulator: %w", seed.Range.Filename, seed.Range.Start.Line, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, errors.Join(err, server.Close())
	}
	h := &http.Server{Handler: server.Handler(), ReadHeaderTimeout: timeout}
	done := make(chan error, 1)
	go func() { done <- h.Serve(listener) }()
	return "http://" + listener.Addr().String(), func() error {
		err := h.Close()
		if e := <-done; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return errors.Join(err, server.Close())
	}, nil
}

// A reader reads Claude Enterprise. It has no method that writes.
type reader struct {
	*System
	api      *Reading
	emulated bool
	cache    string                            // file that Read may answer from, "" for none
	known    map[schema.Address]*schema.Object // objects by the addresses of the plan, for their ids
}

// Read returns the whole live state.
func (r *reader) Read(ctx context.Context) (*schema.State, error) {
	read := r.api.Fetch
	if r.cache != "" {
		read = func(ctx context.Context) (*Snapshot, error) { return r.api.FetchCached(ctx, r.cache) }
	}
	snap, err := read(ctx)
	if err != nil {
		return nil, r.explain(err)
	}
	if err := r.mismatch(snap.Organization.ID); err != nil {
		return nil, err
	}
	l, err := r.ledger()
	if err != nil {
		return nil, err
	}
	st := r.State(snap)
	r.recall(st, snap, l)
	return st, nil
}

// ledger reads what was confirmed for the configuration, anew each time. What
// an emulator's console was made to do counts there as if somebody had looked.
func (r *reader) ledger() (*ledger.Ledger, error) {
	l, err := ledger.For(r.config)
	if err != nil || !r.emulated {
		return l, err
	}
	own, err := ledger.Open(emulatedLedger(r.config.Dir))
	if err != nil {
		return nil, err
	}
	own.Move(r.config.Now)
	l.Merge(own)
	return l, nil
}

// emulatedLedger is where the ledger of an emulator is: beside its live copy,
// so that trying something out does not change what is reviewed.
func emulatedLedger(dir string) string { return filepath.Join(dir, ".rolecall") }

// Requests returns how many requests were sent so far.
func (r *reader) Requests() int { return r.api.Stats().Total() }

// explain adds to a refusal where the key comes from.
func (r *reader) explain(err error) error {
	var api *APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.Status {
	case http.StatusUnauthorized:
		return fmt.Errorf("%w (the key comes from %s)", err, r.keySource())
	case http.StatusForbidden:
		return fmt.Errorf("%w: %w (the key comes from %s)", providers.ErrDenied, err, r.keySource())
	}
	return err
}

func (r *reader) keySource() string {
	api := apiBlock(r.config)
	if c := api.Texts("key_command"); len(c) > 0 {
		return "the command " + c[0]
	}
	return "the variable " + api.Text("key_env", defaultKeyEnv)
}

// ReadAgain reads lists, not single objects: what a single read answers can be
// tens of seconds old.
//
// Source: changelog of a third-party Terraform provider; read 2026-11-22.
func (r *reader) ReadAgain(ctx context.Context, objects []*schema.Object) ([]*schema.Object, error) {
	need := map[string]bool{}
	limits := false
	for _, o := range objects {
		need[o.Type] = true
		limits = limits || o.Type == "group" || o.Type == "member" || o.Type == "spend" || o.Type == "seat_tier"
	}
	snap := &Snapshot{}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	g.Go(func() (err error) { snap.Users, err = r.api.FetchUsers(within); return err })
	if need["group"] {
		g.Go(func() (err error) { snap.Groups, err = r.api.FetchGroups(within); return err })
	}
	if need["group"] || need["role"] || need["feature"] { // a row of a role proves that its feature is on
		g.Go(func() (err error) { snap.Roles, err = r.api.FetchRoles(within); return err })
	}
	if need["invite"] {
		g.Go(func() (err error) { snap.Invites, err = r.api.FetchInvites(within); return err })
	}
	if need["plugin"] {
		g.Go(func() (err error) { snap.Plugins, err = r.pluginsAgain(within, objects); return err })
	}
	if need["marketplace"] {
		g.Go(func() (err error) { snap.Marketplaces, err = r.api.FetchMarketplaces(within); return err })
	}
	if need["feature"] || need["role"] || need["connector"] || need["spend"] || need["seat_tier"] || need["role_mapping"] { // rows of features that are off are known from the feed alone
		g.Go(func() error { return r.featureEvidence(within, snap) })
	}
	if limits && r.limited(objects) {
		g.Go(func() error {
			list, err := r.api.FetchSpendLimits(within)
			if err != nil {
				snap.Missing = append(snap.Missing, Missing{What: MissingSpendLimits, Why: err.Error()})
			}
			snap.SpendLimits = list
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, r.explain(err)
	}
	if err := r.details(ctx, snap, objects); err != nil {
		return nil, r.explain(err)
	}
	l, err := r.ledger()
	if err != nil {
		return nil, err
	}
	state := r.State(snap)
	r.recall(state, snap, l)
	found := make([]*schema.Object, len(objects))
	byID, byKey := map[[2]string][]*schema.Object{}, map[[2]string][]*schema.Object{}
	for _, o := range state.Objects {
		byID[[2]string{o.Type, o.ID}] = append(byID[[2]string{o.Type, o.ID}], o)
		byKey[[2]string{o.Type, o.Key}] = append(byKey[[2]string{o.Type, o.Key}], o)
	}
	for i, o := range objects {
		list := byKey[[2]string{o.Type, o.Key}]
		if o.ID != "" && o.Type != "invite" { // one that was sent again has another id
			list = byID[[2]string{o.Type, o.ID}]
		}
		switch len(list) {
		case 0:
			if o.Type == "connector" || o.Type == "seat_tier" { // in no reply unless something is known of it
				found[i] = answered(o, &schema.Object{Type: o.Type, Addr: o.Addr, ID: o.ID, Key: o.Key})
			}
		case 1:
			found[i] = answered(o, list[0])
			assume(o, found[i], state)
			r.known[o.Addr] = found[i]
		default:
			var ids []string
			for _, twin := range list {
				ids = append(ids, twin.ID)
			}
			slices.Sort(ids)
			return nil, fmt.Errorf("%s: %d live %ss are called %q: %s; somebody made another one meanwhile, or the request was delivered twice: delete all but one in the organization settings, or write the id of the right one in the block, and run again",
				o.Addr, len(list), o.Type, o.Key, strings.Join(ids, ", "))
		}
	}
	return found, nil
}

// answered makes sure that what only a confirmation shows is there, absent if
// nobody confirmed it: a caller takes an attribute that is left out as one that
// can be seen nowhere.
func answered(asked, found *schema.Object) *schema.Object {
	for _, attr := range confirmable[asked.Type] {
		_, want := asked.Attrs[attr]
		if v, have := found.Attrs[attr]; want && (!have || v.Kind() == schema.KindUnavailable) {
			found.Put(attr, schema.Absent)
		}
	}
	return found
}

// assume takes for granted what the plan took for granted of a role: the rows
// of features that are off. Whoever switches one on meanwhile makes them
// readable.
func assume(asked, found *schema.Object, state *schema.State) {
	var list []string
	for _, label := range asked.Get(attrAssumed).AsSet() {
		f := state.Objects[schema.MakeAddress("feature", label, "")]
		if f != nil && f.Get(attrEnabled).Known() && !f.Get(attrEnabled).AsBool() {
			list = append(list, label)
		}
	}
	if v := found.Get(attrCapabilities); v.Known() && len(list) > 0 {
		found.Put(attrCapabilities, schema.Set(slices.Concat(v.AsSet(), list)...))
	}
}

// limited reports whether limits matter for any of the objects.
func (r *reader) limited(objects []*schema.Object) bool {
	for _, o := range objects {
		if _, ok := o.Attrs[attrLimit]; ok {
			return true
		}
	}
	return false
}

// pluginsAgain reads the plugins, and the settings of those in question.
func (r *reader) pluginsAgain(ctx context.Context, objects []*schema.Object) ([]Plugin, error) {
	list, err := r.api.FetchPlugins(ctx)
	for i := range list {
		if err == nil && wanted(objects, "plugin", list[i].ID, "") {
			list[i].Settings, err = r.api.FetchPluginSettings(ctx, list[i].ID)
			list[i].SettingsKnown = err == nil
		}
	}
	return list, err
}

// featureEvidence reads what shows whether features are on.
func (r *reader) featureEvidence(ctx context.Context, snap *Snapshot) error {
	org, err := r.api.FetchOrganization(ctx)
	if err == nil {
		snap.Organization = org
		if snap.Settings, err = r.api.FetchSettings(ctx, org.ID); err != nil {
			snap.Missing = append(snap.Missing, Missing{What: MissingSettings, Why: err.Error()})
		}
	}
	if snap.Events, err = r.api.FetchEvents(ctx); err != nil {
		snap.Missing = append(snap.Missing, Missing{What: MissingEvents, Why: err.Error()})
	}
	return ctx.Err()
}

// details reads the members of the groups and the rows of the roles in
// question.
func (r *reader) details(ctx context.Context, snap *Snapshot, objects []*schema.Object) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i := range snap.Groups {
		if wanted(objects, "group", snap.Groups[i].ID, snap.Groups[i].Name) {
			g.Go(func() (err error) {
				snap.Groups[i].Members, err = r.api.FetchMembers(ctx, snap.Groups[i].ID)
				snap.Groups[i].MembersKnown = err == nil
				return err
			})
		}
	}
	for i := range snap.Roles {
		if wanted(objects, "role", snap.Roles[i].ID, snap.Roles[i].Name) || wanted(objects, "feature", "", "") {
			g.Go(func() (err error) {
				snap.Roles[i].Rows, err = r.api.FetchRows(ctx, snap.Roles[i].ID)
				snap.Roles[i].RowsKnown = err == nil
				return err
			})
		}
	}
	return g.Wait()
}

// wanted reports whether any object of a type has this id, or this name and no
// id yet; with neither given, whether there is any object of the type.
func wanted(objects []*schema.Object, typ, id, name string) bool {
	for _, o := range objects {
		if o.Type == typ && (id == "" && name == "" || o.ID == id || o.ID == "" && o.Key == name) {
			return true
		}
	}
	return false
}

// id returns the id of an object of the plan, looked up by what was read of
// it.
func (r *reader) id(ctx context.Context, addr schema.Address) (string, error) {
	if o := r.known[addr]; o != nil && o.ID != "" {
		return o.ID, nil
	}
	return "", fmt.Errorf("%s: its id is not known", addr)
}

// key returns the key of an object of the plan.
func (r *reader) key(addr schema.Address) string {
	if o := r.known[addr]; o != nil {
		return o.Key
	}
	return ""
}

// Remember notes the objects of a plan, so that steps can name them by
// address.
func (r *reader) Remember(objects []*schema.Object) {
	for _, o := range objects {
		r.known[o.Addr] = o
	}
}

// An editor writes to Claude Enterprise.
type editor struct {
	writes *Writing
	live   *reader
}

// Do sends the request of an API step, with ids in the place of addresses.
func (e *editor) Do(ctx context.Context, step schema.Step) (providers.Done, error) {
	if step.Request == nil {
		return providers.Done{}, fmt.Errorf("step %s is not an API step", step.ID)
	}
	req := *step.Request
	path, err := e.fill(ctx, req.Path)
	if err != nil {
		return providers.Done{}, fmt.Errorf("step %s: %w", step.ID, err)
	}
	req.Path = path
	if req.Body, err = e.fillGroups(ctx, req); err != nil {
		return providers.Done{}, fmt.Errorf("step %s: %w", step.ID, err)
	}
	sent, err := e.writes.Send(ctx, req)
	var unclear *UnclearError
	switch {
	case errors.As(err, &unclear):
		return providers.Done{}, fmt.Errorf("%w: %w", providers.ErrUnclear, err)
	case err != nil:
		return providers.Done{}, e.live.explain(err)
	}
	return providers.Done{ID: sent.ID, RequestID: sent.RequestID}, nil
}

// fillGroups replaces placeholders among the groups of an invite, the one body
// that names objects which may not have been there when it was planned.
func (e *editor) fillGroups(ctx context.Context, req schema.Request) (json.RawMessage, error) {
	if req.Method != http.MethodPost || req.Path != "/v1/organizations/invites" {
		return req.Body, nil
	}
	var b map[string]json.RawMessage
	var ids []string
	if err := json.Unmarshal(req.Body, &b); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b["rbac_group_ids"], &ids); err != nil {
		return nil, err
	}
	for i, id := range ids {
		var err error
		if ids[i], err = e.fill(ctx, id); err != nil {
			return nil, err
		}
	}
	var err error
	if b["rbac_group_ids"], err = json.Marshal(ids); err != nil {
		return nil, err
	}
	return json.Marshal(b)
}

// fill replaces placeholders by ids.
func (e *editor) fill(ctx context.Context, path string) (string, error) {
	for {
		i := strings.Index(path, "${")
		if i < 0 {
			return path, nil
		}
		j := strings.Index(path[i:], "}")
		if j < 0 {
			return "", fmt.Errorf("broken placeholder in %q", path)
		}
		addr, err := url.PathUnescape(path[i+2 : i+j])
		if err != nil {
			return "", fmt.Errorf("broken placeholder in %q", path)
		}
		id, err := e.live.id(ctx, schema.Address(addr))
		if err != nil {
			return "", err
		}
		path = path[:i] + id + path[i+j+1:]
	}
}

// An emulatedEditor can do console steps too.
type emulatedEditor struct {
	editor
	console
}
