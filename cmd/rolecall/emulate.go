package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/all"
	"github.com/rolecall/rolecall/providers/emulator"
)

func emulateCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "emulate", Usage: "serve the emulator, for trying and testing without a real organization",
		UsageText: "rolecall emulate --file SEED [options]\n\n   rolecall emulate --file examples/acme/acme.org.json --listen 127.0.0.1:8787",
		Description: "Serves the endpoints that rolecall uses from a seed file. The seed is not changed: the live copy\n" +
			"is kept beside it in .rolecall, or where --state says. Point rolecall at it with ROLECALL_ENDPOINT.",
		Flags: append(commonFlags("text"),
			&cli.StringFlag{Name: "file", Usage: "the seed, a JSON `FILE`", Required: true},
			&cli.StringFlag{Name: "system", Usage: "emulate `SYSTEM` (default: what the seed says under \"system\")"},
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8787", Usage: "listen on `ADDRESS`; port 0 takes a free one"},
			&cli.StringFlag{Name: "state", Usage: "keep the live copy in `FILE`"},
			&cli.BoolFlag{Name: "memory", Usage: "keep no live copy"},
			&cli.BoolFlag{Name: "reset", Usage: "start over from the seed"},
			&cli.BoolFlag{Name: "rate-limits", Usage: "enforce the documented rate limits"},
			&cli.Float64Flag{Name: "time-scale", Value: 1, Usage: "make the windows of the rate limits, and the delays, `N` times shorter"},
			&cli.StringFlag{Name: "delays", Usage: "let changes show late, as the JSON in `FILE` says, or as documented: documented"},
			&cli.StringFlag{Name: "faults", Usage: "add the faults in `FILE`, a JSON list"},
		),
		Action: func(c *cli.Context) error {
			if _, err := setUp(c, s, "text"); err != nil {
				return err
			}
			return doEmulate(c, s)
		},
	}
}

func doEmulate(c *cli.Context, s streams) error {
	o := emulator.Options{Seed: c.String("file"), State: c.String("state"), Reset: c.Bool("reset"), RateLimits: c.Bool("rate-limits"), TimeScale: c.Float64("time-scale")}
	if o.State == "" && !c.Bool("memory") {
		o.State = filepath.Join(filepath.Dir(o.Seed), ".rolecall", filepath.Base(o.Seed))
		if err := os.MkdirAll(filepath.Dir(o.State), 0o700); err != nil {
			return fmt.Errorf("live copy: %w", err)
		}
	}
	if path := c.String("faults"); path != "" {
		var err error
		if o.Faults, err = os.ReadFile(path); err != nil {
			return fmt.Errorf("emulate: faults: %w", err)
		}
	}
	switch what := c.String("delays"); what {
	case "":
	case "documented":
		o.Delays = []byte(`"documented"`)
	default:
		var err error
		if o.Delays, err = os.ReadFile(what); err != nil {
			return fmt.Errorf("emulate: delays: %w", err)
		}
	}
	handler, stop, err := emulatorOf(c.String("system"), o)
	if err != nil {
		return err
	}
	defer stop()
	listener, err := net.Listen("tcp", c.String("listen"))
	if err != nil {
		return fmt.Errorf("emulate: %w", err)
	}
	fmt.Fprintf(s.out, "emulator of %s on http://%s\n", o.Seed, listener.Addr())
	h := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- h.Serve(listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("emulate: %w", err)
	case <-c.Context.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("emulate: %w", err)
	}
	return nil
}

// emulatorOf opens the emulator of a system, the one that the seed names if
// none is given. A seed that names none is for the system that the emulator was
// made for first.
func emulatorOf(system string, o emulator.Options) (http.Handler, func() error, error) {
	if system == "" {
		var named struct {
			System string `json:"system"`
		}
		if b, err := os.ReadFile(o.Seed); err == nil && json.Unmarshal(b, &named) == nil {
			system = named.System
		}
	}
	var names []string
	for _, k := range all.Kinds() {
		if k.Emulate == nil {
			continue
		}
		names = append(names, k.Language.Name)
		if k.Language.Name != system {
			continue
		}
		if o.Faults != nil || o.Delays != nil || o.TimeScale != 1 {
			return nil, nil, usage("--faults, --delays and --time-scale are not for the emulator of %s", system)
		}
		e, err := k.Emulate(providers.Emulation{Seed: o.Seed, State: o.State, Reset: o.Reset, Limit: o.RateLimits})
		if err != nil {
			return nil, nil, err
		}
		return e, e.Close, nil
	}
	if first := all.Kinds()[0].Language.Name; system != "" && system != first {
		return nil, nil, usage("there is no emulator of %q; there are those of %s", system, strings.Join(append([]string{first}, names...), ", "))
	}
	server, err := emulator.Open(o)
	if err != nil {
		return nil, nil, err
	}
	return server.Handler(), server.Close, nil
}
