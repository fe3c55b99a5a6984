package conduit

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// An editor writes to Conduit.
type editor struct {
	live *reader
}

// Do sends the request of an API step, with ids in the place of addresses.
//
// A list of tools goes through its type once more on the way out: a plan that
// was saved, or changed by hand, cannot send an empty one either.
func (e *editor) Do(ctx context.Context, step schema.Step) (providers.Done, error) {
	if step.Request == nil {
		return providers.Done{}, fmt.Errorf("step %s is not an API step", step.ID)
	}
	req := *step.Request
	path, err := e.fill(req.Path, url.PathEscape)
	if err != nil {
		return providers.Done{}, fmt.Errorf("step %s: %w", step.ID, err)
	}
	var body []byte
	if len(req.Body) > 0 {
		text, err := e.fill(string(req.Body), inJSON)
		if err != nil {
			return providers.Done{}, fmt.Errorf("step %s: %w", step.ID, err)
		}
		body = []byte(text)
	}
	switch {
	case req.Method == http.MethodPut && strings.Contains(path, "/tool-access/"):
		var list toolList
		if err := json.Unmarshal(body, &list); err != nil {
			return providers.Done{}, fmt.Errorf("step %s: %w", step.ID, err)
		}
		if body, err = json.Marshal(list); err != nil {
			return providers.Done{}, fmt.Errorf("step %s: %w", step.ID, err)
		}
	case strings.HasSuffix(step.ID, "/create"):
		if err := e.free(ctx, step); err != nil {
			return providers.Done{}, fmt.Errorf("step %s: %w", step.ID, err)
		}
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := e.live.api.do(ctx, req.Method, path, body, &made); err != nil {
		return providers.Done{}, fmt.Errorf("step %s: %w", step.ID, err)
	}
	return providers.Done{ID: made.ID}, nil
}

// free reports an error if a team of the name is there: SCIM would take it over
// instead of making one.
func (e *editor) free(ctx context.Context, step schema.Step) error {
	if e.live.api.token == "" || len(step.Effects) == 0 { // the JSON route refuses it by itself
		return nil
	}
	name := step.Effects[0].Value.AsText()
	groups, err := e.live.api.scim(ctx, e.live.org, "Groups", "")
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.DisplayName == name {
			return fmt.Errorf("a team called %q is there already (%s): someone made it meanwhile; plan again", name, g.ID)
		}
	}
	return nil
}

// inJSON writes an id into a JSON text that stands in quotes.
func inJSON(id string) string {
	b, err := json.Marshal(id)
	if err != nil {
		return ""
	}
	return strings.Trim(string(b), `"`)
}

// fill replaces placeholders by ids.
func (e *editor) fill(text string, write func(string) string) (string, error) {
	var w strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		w.WriteString(before)
		if !found {
			return w.String(), nil
		}
		inside, after, closed := strings.Cut(rest, "}")
		addr, err := url.PathUnescape(inside)
		if err != nil || !closed {
			return "", fmt.Errorf("broken placeholder in %q", text)
		}
		id, err := e.id(schema.Address(addr))
		if err != nil {
			return "", err
		}
		w.WriteString(write(id))
		text = after
	}
}

// id returns the id of an object. That of a person is the one that was read
// last, by address: it changes at the first login.
func (e *editor) id(addr schema.Address) (string, error) {
	if addr == "organization" {
		return e.live.org, nil
	}
	if o := e.live.known[addr]; o != nil {
		if o.Type == "member" {
			if id := e.live.ids[o.Key]; id != "" {
				return id, nil
			}
		} else if o.ID != "" {
			return o.ID, nil
		}
	}
	return "", fmt.Errorf("%s: its id is not known", addr)
}
