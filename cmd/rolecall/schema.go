package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/providers/all"
	"github.com/rolecall/rolecall/schema"
)

func schemaCommand(s streams) *cli.Command {
	formats := []string{"json", "markdown"}
	return &cli.Command{
		Name: "schema", Usage: "print the language: every block and attribute",
		UsageText: "rolecall schema [options]\n\n   rolecall schema --format markdown",
		Description: "Prints what can be written in a configuration, for each system: types, defaults, meanings, examples,\n" +
			"and whether the API can write and read back what is set. As JSON it is for editors and other programs.",
		Flags: commonFlags(formats...),
		Action: func(c *cli.Context) error {
			if _, err := setUp(c, s, formats...); err != nil {
				return err
			}
			if c.String("format") == "json" {
				return writeJSON(s, schema.ReferenceJSON(all.Languages()))
			}
			_, err := io.WriteString(s.out, schema.Reference(all.Languages()))
			return err
		},
	}
}
