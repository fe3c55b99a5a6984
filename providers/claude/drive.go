package claude

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

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

// Drive carries out a console step.
func (c *console) Drive(ctx context.Context, step schema.Step) error {
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
	case f.Addr.Type() == "spend":
		return c.limit(ctx, f, map[string]string{"type": "organization"})
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
	case f.Value.Known():
		body["tool_policy"] = map[string]any{f.Item: words[f.Value.AsText()]}
	default:
		body["tool_policy"] = map[string]any{f.Item: nil}
	}
	return c.send(ctx, "PUT", "/console/connectors/"+url.PathEscape(c.live.key(f.Addr)), body)
}

func (c *console) send(ctx context.Context, method, path string, body any) error {
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
	return nil
}
