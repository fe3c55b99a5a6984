package main

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/sarif"
)

func validateCommand(s streams) *cli.Command {
	formats := []string{"text", "json", "sarif"}
	return &cli.Command{
		Name: "validate", Usage: "check a configuration, without any network",
		UsageText: "rolecall validate [options]\n\n   rolecall validate -C examples/acme\n   rolecall validate -C examples/acme --format sarif",
		Description: "Reads, evaluates and checks the configuration. Every problem is reported at once, with its place.\n" +
			"With json or sarif the report goes to stdout, whether or not there are problems.",
		Flags: commonFlags(formats...),
		Action: func(c *cli.Context) error {
			if _, err := setUp(c, s, formats...); err != nil {
				return err
			}
			cfg, diags := check(c, s, c.String("C"))
			switch c.String("format") {
			case "json":
				err := writeJSON(s, map[string]any{
					"format_version": "1.0", "valid": !diags.HasErrors(), "diagnostics": schema.DiagnosticsJSON(diags),
				})
				if err != nil {
					return err
				}
			case "sarif":
				if err := sarif.Write(s.out, sarifReport(cfg.Files, diags)); err != nil {
					return err
				}
			default:
				if err := report(c, s, cfg.Config, diags); err != nil {
					return err
				}
				_, err := fmt.Fprintf(s.out, "The configuration is valid: %s in %s.\n", schema.Count(len(cfg.Blocks), "block"), schema.Count(len(cfg.Files), "file"))
				return err
			}
			return configurationError(diags)
		},
	}
}

// configurationError says how many errors there are, nil if there are none.
func configurationError(diags hcl.Diagnostics) error {
	n := 0
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%s in the configuration", schema.Count(n, "error"))
}

// sarifReport returns diagnostics as results. Their rules are the kinds of
// problems that there are: what is wrong is in the message.
func sarifReport(files map[string]*hcl.File, diags hcl.Diagnostics) sarif.Report {
	r := sarif.Report{Tool: "rolecall", Version: version, Files: files}
	for i, d := range schema.DiagnosticsJSON(diags) {
		id := "configuration/" + strings.ReplaceAll(strings.ToLower(d.Summary), " ", "-")
		r.Rules = append(r.Rules, sarif.Rule{ID: id, Short: d.Summary + ".", Level: d.Severity})
		result := sarif.Result{Rule: id, Level: d.Severity, Message: d.Detail}
		if at := diags[i].Subject; at != nil {
			result.Range = *at
		}
		r.Results = append(r.Results, result)
	}
	return r
}
