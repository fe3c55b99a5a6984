package claude

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/schema"
)

// A console does the console steps of a plan by itself, by way of the
// emulator's own surface for what an Owner does by hand. There is nothing of
// the kind for the real product: it is only made for the embedded emulator.
type console struct {
	*System
	base   string // of the emulator
	client *http.Client
	live   *reader
}

// Drive carries out a console step, and notes in the emulator's ledger what no
// read will show of it.
func (c *console) Drive(ctx context.Context, step schema.Step) error {
	if err := c.drive(ctx, step); err != nil || step.Proof != schema.Attested {
		return err
	}
	dir := emulatedLedger(c.config.Dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("emulator's console: %w", err)
	}
	l, err := ledger.Open(dir)
	if err != nil {
		return err
	}
	var effects []schema.Effect
	for _, f := range step.Effects {
		if f.Attr == "" && f.Addr.Type() == "role_mapping" || slices.Contains(confirmable[f.Addr.Type()], f.Attr) {
			effects = append(effects, f)
		}
	}
	// A second later, so that the step's own events do not count as changes
	// after it.
	l.Record(effects, ledger.Entry{By: "the emulator's console", At: c.live.api.c.pace.now().Add(time.Second), Configuration: c.config.Digest})
	return l.Save()
}

func (c *console) drive(ctx context.Context, step schema.Step) error {
	creates, deletes := "", false
	add, remove := []jsonRow{}, []jsonRow{} // never null: the console wants lists
	var role schema.Address
	patch := map[string]any{}
	for _, f := range step.Effects {
		switch f.Addr.Type() {
		case "role":
			role = f.Addr
			switch f.Attr {
			case "":
				creates, deletes = f.Value.AsText(), f.Op == schema.Drop
			case attrName:
				patch["name"] = f.Value.AsText()
			case attrDescription:
				patch["description"] = f.Value.AsText()
			default:
				a, r := c.rowsOf(f)
				add, remove = append(add, a...), append(remove, r...)
			}
		default:
			if err := c.other(ctx, step, f); err != nil {
				return err
			}
		}
	}
	switch {
	case creates != "":
		patch["name"], patch["permissions"] = creates, add
		return c.send(ctx, "POST", "/console/roles", patch)
	case role != "":
		id, err := c.live.id(ctx, role)
		if err != nil {
			return err
		}
		if deletes {
			return c.send(ctx, "DELETE", "/console/roles/"+url.PathEscape(id), nil)
		}
		patch["add"], patch["remove"] = add, remove
		return c.send(ctx, "PATCH", "/console/roles/"+url.PathEscape(id), patch)
	}
	return nil
}

// other carries out one effect that is not on a role.
func (c *console) other(ctx context.Context, step schema.Step, f schema.Effect) error {
	switch {
	case f.Addr.Type() == "feature":
		label := c.words.label(c.live.key(f.Addr))
		return c.send(ctx, "PUT", "/console/features/"+url.PathEscape(c.words.action(label)), map[string]any{"enabled": f.Value.AsBool()})
	case f.Addr.Type() == "group" && f.Attr == attrRoles:
		group, err := c.live.id(ctx, f.Addr)
		if err != nil {
			return err
		}
		role, err := c.live.id(ctx, schema.Address(f.Item))
		if err != nil {
			return err
		}
		method := "PUT"
		if f.Op == schema.Exclude {
			method = "DELETE"
		}
		return c.send(ctx, method, "/console/groups/"+url.PathEscape(group)+"/roles/"+url.PathEscape(role), nil)
	case f.Addr.Type() == "group" && f.Attr == attrLimit:
		return c.groupLimit(ctx, f)
	case f.Attr == attrPrecedence:
		return c.send(ctx, "PUT", "/console/spending", map[string]any{"precedence": f.Value.AsText()})
	case f.Attr == attrCeiling, f.Addr.Type() == "role_mapping": // the emulator has neither: they are in its ledger alone
		return nil
	case f.Addr.Type() == "spend":
		return c.limit(ctx, f, map[string]string{"type": "organization"})
	case f.Addr.Type() == "seat_tier" && f.Attr == attrMembers:
		return c.seats(ctx, f)
	case f.Addr.Type() == "seat_tier":
		return c.limit(ctx, f, map[string]string{"type": "seat_tier", "seat_tier": c.live.key(f.Addr)})
	case f.Addr.Type() == "connector":
		return c.policy(ctx, f)
	case f.Addr.Type() == "member" && f.Attr == attrOrganizationRole:
		id, err := c.live.id(ctx, f.Addr)
		if err != nil {
			return err
		}
		return c.send(ctx, "PUT", "/console/members/"+url.PathEscape(id), map[string]any{"role": f.Value.AsText()})
	}
	return fmt.Errorf("step %s: the emulator's console cannot do this by itself", step.ID)
}

func (c *console) groupLimit(ctx context.Context, f schema.Effect) error {
	group, err := c.live.id(ctx, f.Addr)
	if err != nil {
		return err
	}
	return c.limit(ctx, f, map[string]string{"type": "rbac_group", "rbac_group_id": group})
}

// limit sets or removes the limit of a scope.
func (c *console) limit(ctx context.Context, f schema.Effect, scope map[string]string) error {
	if f.Op != schema.Drop {
		var amount *string
		if a := f.Value.AsText(); a != "unlimited" {
			amount = &a
		}
		return c.send(ctx, "PUT", "/console/spend_limits", map[string]any{"amount": amount, "period": "monthly", "scope": scope})
	}
	limits, err := c.live.api.FetchSpendLimits(ctx)
	if err != nil {
		return err
	}
	for _, l := range limits {
		if l.ScopeType == scope["type"] && l.GroupID == scope["rbac_group_id"] && l.SeatTier == scope["seat_tier"] && l.Period == "monthly" {
			return c.send(ctx, "DELETE", "/console/spend_limits/"+url.PathEscape(l.ID), nil)
		}
	}
	return nil
}

// policy sets the organization's policy of a connector, or of one tool.
func (c *console) policy(ctx context.Context, f schema.Effect) error {
	words := map[string]string{"always_allow": "allow", "needs_approval": "ask", "blocked": "blocked"}
	body := map[string]any{}
	switch {
	case f.Attr == attrPolicy:
		body["policy"] = words[f.Value.AsText()]
	case f.Op == schema.Put: // no tool differs
		tools := map[string]any{}
		have, err := c.connector(ctx, c.live.key(f.Addr))
		if err != nil {
			return err
		}
		for tool := range have {
			tools[tool] = nil
		}
		body["tool_policy"] = tools
	case f.Value.Known():
		body["tool_policy"] = map[string]any{f.Item: words[f.Value.AsText()]}
	default:
		body["tool_policy"] = map[string]any{f.Item: nil}
	}
	return c.send(ctx, "PUT", "/console/connectors/"+url.PathEscape(c.live.key(f.Addr)), body)
}

// connector returns the policy of the tools of a connector, as the emulator has
// it; nothing if it does not have the connector.
func (c *console) connector(ctx context.Context, id string) (map[string]string, error) {
	var state struct {
		Connectors []struct {
			ID         string            `json:"id"`
			ToolPolicy map[string]string `json:"tool_policy"`
		} `json:"connectors"`
	}
	if err := c.ask(ctx, "GET", "/console/state", nil, &state); err != nil {
		return nil, err
	}
	for _, have := range state.Connectors {
		if have.ID == id {
			return have.ToolPolicy, nil
		}
	}
	return nil, nil
}

// seats gives people a seat, and takes it from everybody else.
func (c *console) seats(ctx context.Context, f schema.Effect) error {
	var state struct {
		Members []struct {
			ID    string `json:"id"`
			Email string `json:"email"`
			Seat  string `json:"seat_tier"`
		} `json:"members"`
	}
	if err := c.ask(ctx, "GET", "/console/state", nil, &state); err != nil {
		return err
	}
	tier := c.live.key(f.Addr)
	for _, m := range state.Members {
		email, _ := canonical(m.Email)
		to := ""
		switch wanted := f.Value.Has(email); {
		case wanted == (m.Seat == tier):
			continue
		case wanted:
			to = tier
		}
		if err := c.send(ctx, "PUT", "/console/members/"+url.PathEscape(m.ID), map[string]any{"seat_tier": to}); err != nil {
			return err
		}
	}
	return nil
}

func (c *console) send(ctx context.Context, method, path string, body any) error {
	return c.ask(ctx, method, path, body, nil)
}

// ask sends a request to the emulator's console and reads the answer into out,
// if it is not nil.
func (c *console) ask(ctx context.Context, method, path string, body, out any) error {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base, "/")+path, in)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return fmt.Errorf("emulator's console: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return fmt.Errorf("emulator's console: %w", err)
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("emulator's console: %s %s: %s: %s", method, path, resp.Status, plain(string(text)))
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			return fmt.Errorf("emulator's console: %s %s: %w", method, path, err)
		}
	}
	return nil
}
