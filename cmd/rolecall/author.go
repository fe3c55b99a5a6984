package main

import (
	"os/exec"
	"strings"

	"github.com/urfave/cli/v2"
)

// authorFlag says who wrote the configuration.
func authorFlag() cli.Flag {
	return &cli.StringFlag{Name: "author", Usage: "say when `EMAIL` gains by the plan (default: the author of the last commit in the directory)"}
}

// author returns who wrote the configuration: whom --author names, else the
// author of the last commit that touched the directory. Without Git, or without
// a commit, nobody is known to have.
func author(c *cli.Context) string {
	if c.IsSet("author") {
		return strings.ToLower(strings.TrimSpace(c.String("author")))
	}
	cmd := exec.CommandContext(c.Context, "git", "-c", "log.showSignature=false", "--no-pager", "log", "-1", "--format=%ae", "--", ".")
	cmd.Dir = c.String("C")
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(string(out)))
}
