package conduit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/rolecall/rolecall/providers"
	emulator "github.com/rolecall/rolecall/providers/emulator/conduit"
	"github.com/rolecall/rolecall/schema"
)

// connect opens the live organization: the embedded emulator if the
// configuration names a seed, else the service at its endpoint.
func connect(_ context.Context, c *schema.Config, env providers.Environment) (*providers.Connection, providers.Editor, error) {
	endpoint, seed := env.Getenv("ROLECALL_ENDPOINT"), (*schema.Attribute)(nil)
	described := DefaultEndpoint
	for _, o := range c.Of("organization") {
		for _, api := range o.Of("api") {
			seed, described = api.Attr("emulator"), api.Text("endpoint", DefaultEndpoint)
		}
	}
	session, token := env.Getenv("CONDUIT_SESSION"), env.Getenv("CONDUIT_SCIM_TOKEN")
	conn := &providers.Connection{Close: func() error { return nil }}
	if seed != nil && endpoint == "" {
		base, stop, err := embed(c.Dir, seed, env.Reset)
		if err != nil {
			return nil, nil, err
		}
		conn.Close, conn.Emulated = stop, true
		endpoint, session, token = base, emulator.DefaultSession, emulator.DefaultToken
	}
	if endpoint == "" {
		endpoint = described
	}
	if session == "" && token == "" {
		return nil, nil, fmt.Errorf("%w: set CONDUIT_SCIM_TOKEN (a SCIM connection's token) and CONDUIT_SESSION (the cookie gateway_session of an admin's browser)", providers.ErrNoKey)
	}
	api, err := newClient(endpoint, session, token)
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	r := &reader{System: New(c), api: api, known: map[schema.Address]*schema.Object{}, blame: map[*schema.Described]string{}}
	conn.Reader = r
	edit := editor{r}
	if conn.Emulated {
		return conn, &emulated{edit}, nil
	}
	return conn, &edit, nil
}

// emulated is an editor that can do console steps too, which only the
// emulator's can.
type emulated struct{ editor }

// Drive enters or removes the credentials of a team, the one thing that a
// person has to do.
func (e *emulated) Drive(ctx context.Context, step schema.Step) error {
	for _, f := range step.Effects {
		slug, ok := strings.CutPrefix(f.Attr, attrCredentials)
		if !ok {
			return fmt.Errorf("step %s: nobody can do this on the emulator", step.ID)
		}
		id, err := e.id(f.Addr)
		if err != nil {
			return err
		}
		method := http.MethodPost
		if f.Value.AsText() != "team" {
			method = http.MethodDelete
		}
		if err := e.live.api.do(ctx, method, e.live.path("/teams/%s/credentials/%s", url.PathEscape(id), url.PathEscape(slug)), nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// emulate opens the emulator by itself.
func emulate(o providers.Emulation) (providers.Emulator, error) {
	return emulator.Open(emulator.Options{Seed: o.Seed, State: o.State, Reset: o.Reset, RateLimits: o.Limit})
}

// embed starts the emulator in this process, on a port of its own.
func embed(dir string, seed *schema.Attribute, reset bool) (base string, stop func() error, err error) {
	at := fmt.Sprintf("%s:%d", seed.Range.Filename, seed.Range.Start.Line)
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
	server, err := emulator.Open(emulator.Options{Seed: path, State: state, Reset: reset})
	if errors.Is(err, emulator.ErrSeedChanged) {
		return "", nil, fmt.Errorf("%s: the seed %s has changed since its live copy %s was made: start over with --reset", at, path, state)
	}
	if err != nil {
		return "", nil, fmt.Errorf("%s: emulator: %w", at, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, errors.Join(err, server.Close())
	}
	h := &http.Server{Handler: server, ReadHeaderTimeout: timeout}
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
