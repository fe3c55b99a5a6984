package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/providers/emulator"
)

func emulateCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "emulate", Usage: "serve the emulator, for trying and testing without a real organization",
		UsageText: "rolecall emulate --file SEED [options]\n\n   rolecall emulate --file examples/acme/acme.org.json --listen 127.0.0.1:8787",
		Description: "Serves the endpoints that rolecall uses from a seed file. The seed is not changed: the live copy\n" +
			"is kept beside it in .rolecall, or where --state says. Point rolecall at it with ROLECALL_ENDPOINT.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Usage: "the seed, a JSON `FILE`", Required: true},
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8787", Usage: "listen on `ADDRESS`; port 0 takes a free one"},
			&cli.StringFlag{Name: "state", Usage: "keep the live copy in `FILE`"},
			&cli.BoolFlag{Name: "memory", Usage: "keep no live copy"},
			&cli.BoolFlag{Name: "reset", Usage: "start over from the seed"},
			&cli.BoolFlag{Name: "rate-limits", Usage: "enforce the documented rate limits"},
		},
		Action: func(c *cli.Context) error { return doEmulate(c, s) },
	}
}

func doEmulate(c *cli.Context, s streams) error {
	o := emulator.Options{Seed: c.String("file"), State: c.String("state"), Reset: c.Bool("reset"), RateLimits: c.Bool("rate-limits")}
	if o.State == "" && !c.Bool("memory") {
		o.State = filepath.Join(filepath.Dir(o.Seed), ".rolecall", filepath.Base(o.Seed))
		if err := os.MkdirAll(filepath.Dir(o.State), 0o700); err != nil {
			return fmt.Errorf("live copy: %w", err)
		}
	}
	server, err := emulator.Open(o)
	if err != nil {
		return err
	}
	defer server.Close()
	listener, err := net.Listen("tcp", c.String("listen"))
	if err != nil {
		return fmt.Errorf("emulate: %w", err)
	}
	fmt.Fprintf(s.out, "emulator of %s on http://%s\n", o.Seed, listener.Addr())
	h := &http.Server{Handler: server.Handler(), ReadHeaderTimeout: 10 * time.Second}
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
