package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
)

// howToAccept returns what to enter where everything that blocks a plan can be
// accepted: the same command with the name of each risk. Nothing is accepted by
// this, and each name is there to be read, or to be left out.
func howToAccept(c *cli.Context, p *plan.Plan) string {
	options, ok := p.Acceptance()
	saved := c.Command.Name == "apply" && c.NArg() > 0 // is applied as it was reviewed
	if p.Verdict != plan.Blocked || !ok || saved {
		return ""
	}
	return fmt.Sprintf(". To accept all of that, each risk by its name:\n   %s", again(c, options...))
}

// again returns the command line of a run, with more options. What variables
// are set to is left out: it may be a secret.
func again(c *cli.Context, more ...string) string {
	words := []string{"rolecall", c.Command.Name}
	for _, f := range c.Command.Flags {
		name := f.Names()[0]
		if !c.IsSet(name) {
			continue
		}
		dashes := "--"
		if len(name) == 1 {
			dashes = "-"
		}
		switch f.(type) {
		case *cli.BoolFlag:
			if c.Bool(name) {
				words = append(words, dashes+name)
			}
		case *cli.StringSliceFlag:
			for _, v := range c.StringSlice(name) {
				if key, _, ok := strings.Cut(v, "="); ok && name == "var" {
					v = key + "=…"
				}
				words = append(words, dashes+name, shellWord(v))
			}
		default:
			words = append(words, dashes+name, shellWord(fmt.Sprint(c.Value(name))))
		}
	}
	for _, a := range c.Args().Slice() {
		words = append(words, shellWord(a))
	}
	return strings.Join(append(words, more...), " ")
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./…-]+$`)

// shellWord writes a word so that a shell takes it for one.
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
