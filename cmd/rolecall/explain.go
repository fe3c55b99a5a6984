package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// questionFlags are the flags of the commands that ask who can do what.
func questionFlags(formats ...string) []cli.Flag {
	return append(commonFlags(formats...), snapshotFlag(), cacheFlag(),
		&cli.BoolFlag{Name: "live", Usage: "ask about what is in force now, instead of what the configuration leads to"},
		&cli.BoolFlag{Name: "offline", Usage: "ask about the configuration alone, with the people it lists for members; it is so anyway where there is no key"},
		&cli.BoolFlag{Name: "reset", Usage: "start the embedded emulator over from its seed"},
	)
}

// A standpoint is what a question is asked of.
type standpoint struct {
	*configuration
	asked *plan.Picture // the desired picture, or with --live the live one
	other *plan.Picture // the other of the two
}

// lookAt reads the configuration and the live state that a question is about.
func lookAt(c *cli.Context, s streams, formats ...string) (*standpoint, error) {
	if _, err := setUp(c, s, formats...); err != nil {
		return nil, err
	}
	cfg, err := load(c, s)
	if err != nil {
		return nil, err
	}
	in, err := question(c, s, cfg)
	if err != nil {
		return nil, err
	}
	live, desired := plan.Pictures(in)
	if c.Bool("live") {
		return &standpoint{cfg, live, desired}, nil
	}
	return &standpoint{cfg, desired, live}, nil
}

// question reads what a configuration and its organization hold.
func question(c *cli.Context, s streams, cfg *configuration) (plan.Input, error) {
	at, err := now(c, s)
	if err != nil {
		return plan.Input{}, err
	}
	in := plan.Input{Config: cfg.Config, Description: cfg.description, System: cfg.system, Version: version, Now: at}
	if c.Bool("offline") {
		if c.Bool("live") || c.IsSet("snapshot") {
			return in, usage("--offline asks about the configuration alone, so there is nothing live; leave out --live and --snapshot")
		}
		in.Live = plan.Population(in.System, in.Description, nil)
		return in, nil
	}
	conn, err := connect(c, s, cfg)
	if errors.Is(err, providers.ErrNoKey) && !c.Bool("live") {
		fmt.Fprintf(s.err, "rolecall: the configuration alone is asked, with the people it lists (--offline): %v\n", err)
		if err := c.Set("offline", "true"); err != nil {
			return in, err
		}
		return question(c, s, cfg)
	}
	if err != nil {
		return in, err
	}
	in.Live, err = conn.Reader.Read(c.Context)
	if e := conn.Close(); err == nil {
		err = e
	}
	return in, err
}

// writeAnswer prints the answer to a question as JSON.
func writeAnswer(c *cli.Context, s streams, fields map[string]any) error {
	fields["format_version"] = "1.0"
	if c.Bool("offline") {
		fields["offline"] = true
	}
	return writeJSON(s, fields)
}

func explainCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "explain", Usage: "say whether a member can do something, and why", ArgsUsage: "MEMBER PERMISSION",
		UsageText: "rolecall explain MEMBER PERMISSION [options]\n\n   rolecall explain elif@acme.com capability.cowork -C examples/acme\n   rolecall explain elif@acme.com connector.jira.delete_issue -C examples/acme --live",
		Description: "Answers yes, no or unknown, with where it comes from, what holds it back, and the smallest edit of the\n" +
			"configuration that would turn the answer around. The answer is for what the configuration leads to; --live\n" +
			"asks about now. \"No\" is an answer, and exits with 0; \"unknown\" exits with 5.",
		Flags: questionFlags("text", "json"),
		Action: func(c *cli.Context) error {
			if c.NArg() != 2 {
				return usage("explain takes a member's e-mail address and a permission, such as: explain elif@acme.com capability.cowork")
			}
			at, err := lookAt(c, s, "text", "json")
			if err != nil {
				return err
			}
			member, err := at.asked.Member(c.Args().Get(0))
			if err != nil {
				return err
			}
			topic, err := at.asked.Topic(c.Args().Get(1))
			if err != nil {
				return err
			}
			e, other := at.asked.Explain(member, topic), at.other.Explain(member, topic)
			if err := writeExplanation(c, s, e, other); err != nil {
				return err
			}
			if e.Answer == plan.Unknown {
				return status(exitUndetermined)
			}
			return nil
		},
		BashComplete: completePeopleAndPermissions(s),
	}
}

func writeExplanation(c *cli.Context, s streams, e, other *plan.Explanation) error {
	of, otherOf := "desired", "live"
	if c.Bool("live") {
		of, otherOf = otherOf, of
	}
	if c.String("format") == "json" {
		return writeAnswer(c, s, map[string]any{"of": of, "explanation": e, otherOf: map[string]string{"answer": other.Answer, "level": other.Level}})
	}
	w := &lines{w: s.out}
	w.line("%s.", e.Text)
	if other.Answer != e.Answer || other.Level != e.Level {
		when := map[string]string{"live": "Today", "desired": "With the configuration applied"}[otherOf]
		w.line("%s: %s.", when, other.Text)
	}
	if e.Note != "" {
		w.line("Note: %s.", e.Note)
	}
	w.list("Where it comes from", e.Chain, e.Answer != plan.No)
	w.list("What holds it back", e.Cut, true)
	if len(e.Flip) > 0 {
		turn := map[string]string{plan.Yes: "To take it away", plan.No: "To give it", plan.Unknown: "To know"}[e.Answer]
		w.line("\n%s:", turn)
		for _, f := range e.Flip {
			w.line("  %s", f.Text)
		}
	}
	return w.err
}

// lines writes lines until one fails. What people called things may hold
// anything, so it is made printable.
type lines struct {
	w   io.Writer
	err error
}

func (l *lines) line(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintln(l.w, schema.PrintableLines(fmt.Sprintf(format, args...)))
	}
}

// list writes the links of a chain; where something decides, it is marked.
func (l *lines) list(head string, links []plan.Link, positive bool) {
	if len(links) == 0 {
		return
	}
	if !positive {
		head = "What counts for them"
	}
	l.line("\n%s:", head)
	for i, k := range links {
		if i == 12 && len(links) > 14 {
			l.line("  … and %d more", len(links)-i)
			break
		}
		mark := " "
		if k.Counts {
			mark = "*"
		}
		l.line("%s %s", mark, k.Text)
	}
}
