package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers/all"
)

func completionCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print what makes a shell complete rolecall's commands and flags",
		UsageText:   "rolecall completion bash|zsh|fish\n\n   rolecall completion bash\n   rolecall completion zsh\n   rolecall completion fish",
		ArgsUsage:   "bash|zsh|fish",
		Description: "In bash:  source <(rolecall completion bash)\nIn zsh:   source <(rolecall completion zsh)\nIn fish:  rolecall completion fish | source",
		Flags:       commonFlags("text"),
		Action: func(c *cli.Context) error {
			if _, err := setUp(c, s, "text"); err != nil {
				return err
			}
			script, ok := completions[c.Args().First()]
			if !ok || c.NArg() != 1 {
				return usage("completion takes the name of one shell: bash, zsh or fish")
			}
			_, err := fmt.Fprint(s.out, script)
			return err
		},
	}
}

// completionFlag is what the scripts add to a line to be completed; the
// library knows it by this name.
const completionFlag = "--generate-bash-completion"

// completions are the scripts. Each asks rolecall itself, so what it offers is
// always what this version has. Where nothing fits, files are offered.
var completions = map[string]string{
	"bash": `_rolecall() {
  local cur="${COMP_WORDS[COMP_CWORD]}" words
  words=$("${COMP_WORDS[@]:0:COMP_CWORD}" -- "$cur" ` + completionFlag + ` 2>/dev/null) || words=""
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [ "${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _rolecall rolecall
`,
	"zsh": `#compdef rolecall
_rolecall() {
  local -a words_
  words_=("${(@f)$(${words[1]} "${(@)words[2,CURRENT-1]}" -- "${words[CURRENT]}" ` + completionFlag + ` 2>/dev/null)}")
  compadd -a words_ || _files
}
if [ "$funcstack[1]" = "_rolecall" ]; then _rolecall; else compdef _rolecall rolecall; fi
`,
	"fish": `function __rolecall
  set -l words (commandline -opc)
  $words -- (commandline -ct) ` + completionFlag + ` 2>/dev/null
end
complete -c rolecall -a '(__rolecall)'
`,
}

// offers returns what may stand in the place of the last of words: commands,
// flags, or the values of the flag before it. Nothing is
// read from a network. ok is false
// if the line is not one to be completed.
func offers(ctx context.Context, app *cli.App, args []string, s streams) (list []string, ok bool) {
	n := len(args)
	if n < 4 || args[n-1] != completionFlag || args[n-3] != "--" {
		return nil, false
	}
	words, current := args[1:n-3], args[n-2]
	if len(words) == 0 {
		for _, c := range app.Commands {
			list = append(list, c.Name)
		}
		return fitting(list, current), true
	}
	cmd := app.Command(words[0])
	if cmd == nil {
		return nil, true
	}
	last := strings.TrimLeft(words[len(words)-1], "-")
	if values := flagValues(cmd, last); len(words) > 1 && strings.HasPrefix(words[len(words)-1], "-") && values != nil {
		return fitting(values, current), true
	}
	if !strings.HasPrefix(current, "-") {
		if cmd.BashComplete != nil { // it knows what may stand here
			return fitting(known(ctx, words, s), current), true
		}
		if strings.Contains(cmd.ArgsUsage, "|") {
			list = strings.Split(cmd.ArgsUsage, "|")
		}
		return fitting(list, current), true
	}
	for _, f := range cmd.Flags {
		for _, name := range f.Names() {
			if len(name) == 1 {
				list = append(list, "-"+name)
			} else {
				list = append(list, "--"+name)
			}
		}
	}
	return fitting(append(list, "--help"), current), true
}

// known returns what a command itself knows may come after words.
func known(ctx context.Context, words []string, s streams) []string {
	var out bytes.Buffer
	s.out, s.err = &out, io.Discard
	app := newApp(s)
	args := reorder(app, append([]string{app.Name}, words...))
	if err := app.RunContext(ctx, append(args, completionFlag)); err != nil { // nothing is known
		return nil
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// flagValues returns the values that a flag can have, nil if it takes none
// that are known, such as a file.
func flagValues(cmd *cli.Command, name string) []string {
	switch name {
	case "system":
		var names []string
		for _, k := range all.Kinds() {
			names = append(names, k.Language.Name)
		}
		return names
	case "accept":
		return plan.Acceptable()
	}
	for _, f := range cmd.Flags { // the usage of a flag with a few values lists them
		if d, ok := f.(cli.DocGenerationFlag); ok && slices.Contains(f.Names(), name) && d.TakesValue() {
			if _, rest, ok := strings.Cut(d.GetUsage(), "`"); ok {
				if values, _, _ := strings.Cut(rest, "`"); strings.Contains(values, "|") {
					return strings.Split(values, "|")
				}
			}
			return []string{}
		}
	}
	return nil
}

func fitting(list []string, start string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return !strings.HasPrefix(s, start) })
}
