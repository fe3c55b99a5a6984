// Command rolecall keeps the access rules of an AI workspace in Git: it plans
// who gains and who loses what, and carries changes out in an order in which
// nobody has too much or too little in between.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	code := run(ctx, os.Args, standardStreams())
	stop()
	os.Exit(code)
}
