package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

func requestsCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "requests", Usage: "list, approve or deny members' requests for a higher spend limit", ArgsUsage: "list|approve|deny [ID]",
		UsageText: "rolecall requests list|approve|deny [ID] [options]\n\n   rolecall requests list -C examples/acme\n   rolecall requests approve -C examples/acme",
		Description: "Without an ID, the approval blocks of the configuration decide: each says who, up to which ceiling, and in\n" +
			"which steps. Nothing is decided without --yes. A request names no amount; the rule or --amount does.",
		Flags: append(commonFlags("text", "json"),
			&cli.StringFlag{Name: "amount", Usage: "approve one request with a monthly limit of `AMOUNT`, in major units"},
			&cli.BoolFlag{Name: "all", Usage: "list those that are decided, too"},
			&cli.BoolFlag{Name: "silent", Usage: "send no e-mail to the person"},
			&cli.BoolFlag{Name: "yes", Usage: "carry the decisions out"},
		),
		Action: func(c *cli.Context) error { return doRequests(c, s) },
	}
}

func doRequests(c *cli.Context, s streams) error {
	if _, err := setUp(c, s, "text", "json"); err != nil {
		return err
	}
	verb, id := c.Args().Get(0), c.Args().Get(1)
	amount := ""
	switch {
	case !slices.Contains([]string{"list", "approve", "deny"}, verb) || c.NArg() > 2:
		return usage("requests takes list, approve or deny, and perhaps the ID of one request")
	case verb == "list" && (id != "" || c.Bool("yes")):
		return usage("requests list takes neither an ID nor --yes")
	case verb != "approve" && c.IsSet("amount") || id == "" && c.IsSet("amount"):
		return usage("--amount goes with requests approve ID")
	case verb == "deny" && id == "" && c.IsSet("silent"):
		return usage("--silent goes with an ID; a rule says it by notify = false")
	}
	if c.IsSet("amount") {
		m, err := schema.MinorUnits(c.String("amount"), 2)
		if err != nil {
			return usage("--amount: %v", err)
		}
		amount = strconv.FormatInt(m, 10)
	}
	cfg, err := load(c, s)
	if err != nil {
		return err
	}
	if cfg.kind.Desk == nil {
		return fmt.Errorf("%s has no requests for a higher limit", cfg.System.Name)
	}
	desk, done, err := cfg.kind.Desk(c.Context, cfg.Config, environment(c, s))
	if err != nil {
		return err
	}
	defer done()
	statuses := []string{"pending"}
	if c.Bool("all") || id != "" {
		statuses = nil
	}
	list, err := desk.Requests(c.Context, statuses...)
	if err != nil {
		return err
	}
	if id != "" {
		if list, err = one(list, verb, id, amount, c.Bool("silent")); err != nil {
			return err
		}
	}
	var failed error
	for i := range list {
		if verb == "list" || list[i].Decision.Do != verb || !c.Bool("yes") {
			continue
		}
		r, err := desk.Decide(c.Context, list[i])
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		list[i] = r
	}
	if err := showRequests(c, s, verb, list); err != nil {
		return err
	}
	return failed
}

// one returns the request of an id with the decision that was asked for. One
// that is decided so already, as after a run that was killed, has nothing left
// to decide; which amount it was approved with no read shows.
func one(list []providers.Request, verb, id, amount string, silent bool) ([]providers.Request, error) {
	i := slices.IndexFunc(list, func(r providers.Request) bool { return r.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("there is no request %s: rolecall requests list --all shows those there are", schema.Printable(id))
	}
	r := list[i]
	switch {
	case verb == "approve" && r.Status == "approved" && amount == "", verb == "deny" && r.Status == "denied":
		r.Decision = providers.Decision{Why: "decided already, nothing to do"}
	case r.Status != "pending":
		return nil, fmt.Errorf("request %s of %s is %s already and cannot be decided again", id, schema.Printable(r.Email), r.Status)
	case verb == "deny":
		r.Decision = providers.Decision{Do: "deny", Why: "asked for", Silent: silent}
	case amount != "":
		now, err := strconv.ParseInt(r.Limit, 10, 64)
		to, _ := strconv.ParseInt(amount, 10, 64)
		if err == nil && to <= now || r.Limit == "unlimited" {
			return nil, fmt.Errorf("request %s: %s has %s already, which is not less than %s", id, schema.Printable(r.Email), limitText(r.Limit), schema.Major(amount))
		}
		r.Decision = providers.Decision{Do: "approve", Amount: amount, Why: "asked for", Silent: silent}
	case r.Decision.Do != "approve":
		return nil, fmt.Errorf("request %s of %s: %s. Write --amount to approve it all the same", id, schema.Printable(r.Email), r.Decision.Why)
	default:
		r.Decision.Silent = r.Decision.Silent || silent
	}
	return []providers.Request{r}, nil
}

func limitText(l string) string {
	switch l {
	case "":
		return "?"
	case "unlimited":
		return l
	}
	return schema.Major(l)
}

func showRequests(c *cli.Context, s streams, verb string, list []providers.Request) error {
	if c.String("format") == "json" {
		if list == nil {
			list = []providers.Request{}
		}
		return writeJSON(s, map[string]any{"format_version": "1.0", "dry": !c.Bool("yes"), "requests": list})
	}
	if len(list) == 0 {
		fmt.Fprintln(s.out, "No requests for a higher limit.")
		return nil
	}
	due := 0
	for _, r := range list {
		d := r.Decision
		what := d.Do
		if d.Amount != "" {
			what += " " + schema.Major(d.Amount)
		}
		if r.Status != "pending" {
			what = r.Status
		} else if d.Do == verb {
			due++
		}
		line := fmt.Sprintf("%s  %s  limit %s  %s", r.ID, schema.Printable(r.Email), limitText(r.Limit), what)
		if d.Rule != "" {
			line += " by " + d.Rule
		}
		fmt.Fprintln(s.out, strings.TrimRight(line, " ")+": "+schema.Printable(d.Why))
	}
	if verb != "list" && !c.Bool("yes") {
		fmt.Fprintf(s.out, "\n%s would be decided. Nothing was done: add --yes.\n", schema.Count(due, "request"))
	}
	return nil
}
