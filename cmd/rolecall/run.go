package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/fatih/color"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/rolecall/rolecall/schema"
)

// version is set when a release is built.
var version = "dev"

// streams is what a run has of the outside, so that tests can give it another.
type streams struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	environ  []string
	terminal bool // out is a terminal, and so is in
	width    int  // of the terminal, 0 if there is none
}

func standardStreams() streams {
	s := streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, environ: os.Environ()}
	out := int(os.Stdout.Fd())
	s.terminal = term.IsTerminal(out) && term.IsTerminal(int(os.Stdin.Fd())) && os.Getenv("TERM") != "dumb"
	if w, _, err := term.GetSize(out); err == nil {
		s.width = w
	}
	return s
}

// run is the whole program: it returns the exit status and prints what there
// is to say.
func run(ctx context.Context, args []string, s streams) int {
	out := &counted{Writer: s.out}
	s.out = out
	app := newApp(s)
	if list, ok := offers(ctx, app, args, s); ok {
		fmt.Fprint(s.out, strings.Join(append(list, ""), "\n"))
		return exitOK
	}
	args = reorder(app, args)
	err := app.RunContext(ctx, args)
	code := exitCode(err)
	if err != nil && out.n == 0 && wantsJSON(args) { // a program that reads stdout gets JSON, whatever happened
		if e := writeJSON(s, map[string]any{"format_version": "1.0", "error": map[string]any{"status": code, "message": err.Error()}}); e != nil {
			err = e
		}
	}
	if err != nil && err.Error() != "" {
		fmt.Fprintln(s.err, "rolecall: "+schema.PrintableLines(err.Error()))
	}
	return code
}

// counted counts what is written.
type counted struct {
	io.Writer
	n int
}

func (w *counted) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.n += n
	return n, err
}

// wantsJSON reports whether the arguments ask for JSON.
func wantsJSON(args []string) bool {
	for i, a := range args {
		switch strings.TrimLeft(a, "-") {
		case "format=json":
			return true
		case "format":
			return i+1 < len(args) && args[i+1] == "json"
		}
	}
	return false
}

// newApp declares every command. The library neither prints errors nor exits:
// run does.
func newApp(s streams) *cli.App {
	app := &cli.App{
		Name:      "rolecall",
		Usage:     "keeps an AI workspace's access rules in Git",
		UsageText: "rolecall COMMAND [options]\n\n   rolecall plan -C examples/acme",
		Version:   version, HideVersion: true, HideHelpCommand: true,
		Description:          statuses,
		Writer:               s.out,
		ErrWriter:            s.err,
		EnableBashCompletion: true,
		ExitErrHandler:       func(*cli.Context, error) {},
		OnUsageError:         func(_ *cli.Context, err error, _ bool) error { return usage("%v", err) },
		Commands: []*cli.Command{
			validateCommand(s), fmtCommand(s), schemaCommand(s),
			planCommand(s), showCommand(s), applyCommand(s), rollbackCommand(s), driftCommand(s),
			accessCommand(s), explainCommand(s), whoCanCommand(s), testCommand(s), verifyCommand(s), rulesCommand(s),
			initCommand(s), importCommand(s), snapshotCommand(s),
			reviewCommand(s),
			confirmCommand(s),
			emulateCommand(s), completionCommand(s), versionCommand(s),
			requestsCommand(s), doctorCommand(s),
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				var names []string
				for _, cmd := range c.App.Commands {
					names = append(names, cmd.Name)
				}
				if n := schema.Nearest(c.Args().First(), names); n != "" {
					return usage("there is no command %q; did you mean %q?", c.Args().First(), n)
				}
				return usage("there is no command %q; the commands are %s", c.Args().First(), strings.Join(names, ", "))
			}
			return cli.ShowAppHelp(c)
		},
	}
	for _, cmd := range app.Commands {
		cmd.OnUsageError = app.OnUsageError
		cmd.Before = strict(cmd, cmd.Before)
	}
	return app
}

// commandFirst puts the command before flags that stand in front of it, and
// writes `help COMMAND` and --version as what they are here.
func commandFirst(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	switch args[1] {
	case "--version", "-version", "-v":
		return append([]string{args[0], "version"}, args[2:]...)
	case "help":
		return append(append([]string{args[0]}, args[2:]...), "-h")
	}
	takesValue := valued(commonFlags())
	for i := 1; i < len(args); i++ {
		name := strings.TrimLeft(args[i], "-")
		switch {
		case strings.HasPrefix(args[i], "-"):
			if takesValue[name] {
				i++
			}
		case app.Command(args[i]) != nil:
			return append(append([]string{args[0], args[i]}, args[1:i]...), args[i+1:]...)
		default:
			return args
		}
	}
	return args
}

// valued returns the names of flags, and whether a value follows each.
func valued(flags []cli.Flag) map[string]bool {
	takes := map[string]bool{}
	for _, f := range flags {
		_, boolean := f.(*cli.BoolFlag)
		for _, n := range f.Names() {
			takes[n] = !boolean
		}
	}
	return takes
}

// reorder puts the flags of a command before its arguments, because the
// library ignores flags that come after one, and takes the -h of an argument
// for a question about a command of that name.
func reorder(app *cli.App, args []string) []string {
	args = commandFirst(app, args)
	if len(args) < 2 {
		return args
	}
	cmd := app.Command(args[1])
	if cmd == nil {
		return args
	}
	takesValue := valued(cmd.Flags)
	out := slices.Clone(args[:2])
	var positional []string
	for rest := args[2:]; len(rest) > 0; rest = rest[1:] {
		a := rest[0]
		if a == "--" {
			return append(append(append(out, "--"), positional...), rest[1:]...)
		}
		if !strings.HasPrefix(a, "-") || a == "-" {
			positional = append(positional, a)
			continue
		}
		out = append(out, a)
		name := strings.TrimLeft(a, "-")
		if name == "h" || name == "help" {
			return []string{args[0], args[1], "-h"}
		}
		if !strings.Contains(name, "=") && takesValue[name] && len(rest) > 1 {
			rest = rest[1:]
			out = append(out, rest[0])
		}
	}
	return append(out, positional...)
}

// strict refuses arguments that a command does not take.
func strict(cmd *cli.Command, next cli.BeforeFunc) cli.BeforeFunc {
	return func(c *cli.Context) error {
		if n := c.NArg(); n > 0 && cmd.ArgsUsage == "" {
			return usage("%s takes no argument, and was given %q (the directory goes with -C)", cmd.Name, c.Args().First())
		}
		if next != nil {
			return next(c)
		}
		return nil
	}
}

// commonFlags are the flags of every command that reads a configuration.
func commonFlags(formats ...string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "C", Value: ".", Usage: "use the configuration in `DIR`"},
		formatFlag(formats...),
		&cli.BoolFlag{Name: "no-color", Usage: "no colors (also NO_COLOR)"},
		&cli.StringFlag{Name: "log-level", Value: "warn", Usage: "log to stderr at `debug|info|warn|error`"},
		&cli.StringSliceFlag{Name: "var", Usage: "set a variable: `NAME=VALUE`"},
		&cli.StringSliceFlag{Name: "var-file", Usage: "set variables from `FILE`"},
		&cli.StringFlag{Name: "now", Usage: "take `TIME` for now (RFC 3339, or a day in UTC)"},
	}
}

func formatFlag(formats ...string) cli.Flag {
	first := ""
	if len(formats) > 0 {
		first = formats[0]
	}
	return &cli.StringFlag{Name: "format", Value: first, Usage: "write `" + strings.Join(formats, "|") + "`"}
}

// setUp reads the flags that every command has.
func setUp(c *cli.Context, s streams, formats ...string) (*slog.Logger, error) {
	if f := c.String("format"); !slices.Contains(formats, f) {
		return nil, usage("%s cannot write %q; it can write %s", c.Command.Name, f, strings.Join(formats, ", "))
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return nil, usage("--log-level %q: use debug, info, warn or error", c.String("log-level"))
	}
	if c.Bool("no-color") || s.getenv("NO_COLOR") != "" || !s.terminal {
		color.NoColor = true
	}
	return slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level})), nil
}

func versionCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version, and what it was built from",
		UsageText: "rolecall version [options]\n\n   rolecall version --format json",
		Flags:     commonFlags("text", "json"),
		Action: func(c *cli.Context) error {
			if _, err := setUp(c, s, "text", "json"); err != nil {
				return err
			}
			if c.String("format") == "json" {
				return writeJSON(s, map[string]any{"format_version": "1.0", "version": version, "built": strings.TrimPrefix(built(), ", ")})
			}
			_, err := fmt.Fprintln(s.out, "rolecall "+version+built())
			return err
		},
	}
}

// built says what the program was built from and with, as far as it knows.
func built() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	text := ""
	for _, kv := range info.Settings {
		switch {
		case kv.Key == "vcs.revision" && kv.Value != "":
			text += ", commit " + kv.Value[:min(len(kv.Value), 12)]
		case kv.Key == "vcs.time" && kv.Value != "":
			text += " of " + kv.Value
		case kv.Key == "vcs.modified" && kv.Value == "true":
			text += ", with changes"
		}
	}
	return text + ", " + info.GoVersion + " " + runtime.GOOS + "/" + runtime.GOARCH
}
