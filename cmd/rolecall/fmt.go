package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fatih/color"
	"github.com/google/renameio/v2/maybe"
	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/textdiff"
)

func fmtCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "fmt", Usage: "write the files of a configuration in canonical form",
		UsageText: "rolecall fmt [options] [FILE|DIR|-]...\n\n   rolecall fmt -C examples/acme --check",
		ArgsUsage: "[FILE|DIR|-]...",
		Description: "Formats the *.hcl files of the directory, or those that are named, and prints the names of those that it changed.\n" +
			"Comments and blank lines stay, and so does the meaning. With - it reads stdin and writes stdout.",
		Flags: append(commonFlags("text"),
			&cli.BoolFlag{Name: "check", Usage: "write nothing; exit with 2 if a file would change"},
			&cli.BoolFlag{Name: "diff", Usage: "write nothing; show what would change"},
		),
		Action: func(c *cli.Context) error {
			if _, err := setUp(c, s, "text"); err != nil {
				return err
			}
			f := &formatter{streams: s, check: c.Bool("check"), diff: c.Bool("diff"), files: map[string]*hcl.File{}}
			paths, err := formatPaths(c.String("C"), c.Args().Slice())
			if err != nil {
				return err
			}
			for _, path := range paths {
				if err := f.file(path); err != nil {
					return err
				}
			}
			return f.finish()
		},
	}
}

// formatPaths returns the files to format: those of the directory, or those
// that the arguments name. "-" stands for stdin.
func formatPaths(dir string, args []string) ([]string, error) {
	if len(args) == 0 {
		args = []string{"."}
	}
	if len(args) > 1 && slices.Contains(args, "-") {
		return nil, usage("- is stdin, and goes with no other file")
	}
	var paths []string
	for _, arg := range args {
		if arg == "-" {
			return []string{arg}, nil
		}
		path := arg
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			if !strings.HasSuffix(path, ".hcl") {
				return nil, usage("%s is no *.hcl file (JSON has no canonical form here)", path)
			}
			paths = append(paths, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if name := e.Name(); strings.HasSuffix(name, ".hcl") && !strings.HasPrefix(name, ".") && !e.IsDir() {
				paths = append(paths, filepath.Join(path, name))
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// A formatter formats files, and notes what came of it.
type formatter struct {
	streams
	check, diff bool

	changed int
	files   map[string]*hcl.File
	diags   hcl.Diagnostics
}

// file formats one file. What is wrong in it is noted; an error is about
// reading and writing.
func (f *formatter) file(path string) error {
	name := path
	var src []byte
	var err error
	if path == "-" {
		name = "<stdin>"
		src, err = io.ReadAll(f.in)
	} else {
		src, err = os.ReadFile(path)
	}
	if err != nil {
		return err
	}
	out, diags := schema.Format(src, name)
	if diags.HasErrors() {
		f.diags = append(f.diags, diags...)
		f.files[name] = &hcl.File{Bytes: src}
		return nil
	}
	same := bytes.Equal(src, out)
	if !same {
		f.changed++
	}
	switch {
	case f.diff:
		_, err = io.WriteString(f.out, schema.PrintableLines(textdiff.Unified(name, string(src), name, string(out))))
	case f.check && !same && path != "-":
		_, err = fmt.Fprintln(f.out, schema.Printable(name))
	case f.check:
	case path == "-":
		_, err = f.out.Write(out)
	case !same:
		if err = replaceFile(path, out); err == nil {
			_, err = fmt.Fprintln(f.out, schema.Printable(name))
		}
	}
	return err
}

// finish reports what is wrong in the files, or that some would change.
func (f *formatter) finish() error {
	if f.diags.HasErrors() {
		if err := schema.WriteDiagnostics(f.err, f.files, f.diags, f.width, !color.NoColor); err != nil {
			return err
		}
		return errors.New("not formatted: " + schema.Count(len(f.files), "file") + " with errors")
	}
	if f.check && f.changed > 0 {
		return status(exitDifferences)
	}
	return nil
}

// replaceFile puts data in place of a file, or leaves it as it is: there is no
// moment at which the file is not whole. A link stays one.
func replaceFile(path string, data []byte) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	return maybe.WriteFile(target, data, info.Mode().Perm())
}
