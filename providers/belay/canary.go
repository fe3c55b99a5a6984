package belay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// DefaultEndpoint is where Belay's MCP server is.
//
// Source: help page "MCP"; read 2026-11-22.
const DefaultEndpoint = "https://app.onbelay.ai/api/mcp"

// The tools that tell the caller what the caller may use. Their names are
// documented, what they answer is not: see [seen].
const (
	toolContext      = "get_my_context"
	toolIntegrations = "list_my_integrations"
)

// A canary is a member who is in one group only, so that what the member sees
// is what the group gives.
type canary struct {
	tokenEnv, endpoint string
	group              schema.Address
	at                 hcl.Range
}

// watched is a reader that asks the canary, and believes it over the ledger.
type watched struct {
	providers.Reader
	canary   *canary
	token    string
	requests int
}

// Requests returns how many requests were sent.
func (w *watched) Requests() int { return w.Reader.Requests() + w.requests }

// Read returns the ledger, corrected by what the canary sees. Where the canary
// cannot be asked, or is not understood, the ledger holds and the state says
// so.
func (w *watched) Read(ctx context.Context) (*schema.State, error) {
	s, err := w.Reader.Read(ctx)
	if err != nil {
		return nil, err
	}
	o := s.Objects[w.canary.group]
	if o == nil {
		return s, nil
	}
	see, err := w.ask(ctx)
	if err != nil {
		s.Unread = append(s.Unread, schema.Unread{What: "what the canary of " + string(o.Addr) + " sees", Why: err.Error(),
			Affects: "whether its grants are as the ledger says"})
		return s, ctx.Err()
	}
	for name, v := range see.correct(o) {
		s.Unread = append(s.Unread, schema.Unread{Unverified: true, Addr: o.Addr, What: fmt.Sprintf("%s of %s", name, o.Addr),
			Why:     fmt.Sprintf("the ledger says %s and its canary sees %s", o.Get(name), v),
			Affects: "what the members of " + string(o.Addr) + " may use",
			Fix:     "look at the group in the dashboard: what the canary sees was taken"})
		o.Put(name, v)
	}
	slices.SortFunc(s.Unread, func(a, b schema.Unread) int { return strings.Compare(a.What, b.What) })
	return s, nil
}

// ReadAgain is Read for some objects.
func (w *watched) ReadAgain(ctx context.Context, objects []*schema.Object) ([]*schema.Object, error) {
	found, err := w.Reader.ReadAgain(ctx, objects)
	if err != nil {
		return nil, err
	}
	for i, o := range found {
		if o == nil || objects[i].Addr != w.canary.group {
			continue
		}
		see, err := w.ask(ctx)
		if err != nil {
			return nil, fmt.Errorf("the canary of %s: %w", w.canary.group, err)
		}
		for name, v := range see.correct(o) {
			found[i].Put(name, v)
		}
	}
	return found, nil
}

// seen is what the canary sees.
type seen struct {
	scopes  map[string][]string // by integration, in lower case
	context string              // everything that get_my_context answered
}

// correct returns the attributes of a group that the ledger has otherwise than
// the canary sees. A system prompt counts as seen if the context holds it word
// for word; another one cannot be told from what else is in the context, so it
// is only known to be missing.
func (s *seen) correct(o *schema.Object) map[string]schema.Value {
	diff := map[string]schema.Value{}
	labels := map[string]bool{}
	for name := range o.Attrs {
		if label, ok := strings.CutPrefix(name, attrGrant); ok {
			labels[label] = true
		}
	}
	for label := range s.scopes {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(labels)), func(l string) bool { return strings.EqualFold(l, label) }) {
			labels[label] = true
		}
	}
	for label := range labels {
		v := schema.Absent
		if list := s.scopes[strings.ToLower(label)]; len(list) > 0 {
			v = schema.Set(list...)
		}
		if have := o.Get(attrGrant + label); !have.Equal(v) && len(have.AsSet())+len(v.AsSet()) > 0 {
			diff[attrGrant+label] = v
		}
	}
	if text := o.Get(attrRole).AsText(); text != "" && !strings.Contains(squeeze(s.context), squeeze(text)) {
		diff[attrRole] = schema.Unavailable("the canary's context does not hold it")
	}
	return diff
}

// squeeze joins words by single spaces: the context may break lines elsewhere.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// bearer sends the canary's token, and only to the host that it is for.
type bearer struct {
	token, host string
	count       *int
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	*b.count++
	r = r.Clone(r.Context())
	if r.URL.Host == b.host {
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// ask asks the MCP server as the canary.
func (w *watched) ask(ctx context.Context) (*seen, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	u, err := url.Parse(w.canary.endpoint)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("endpoint %q is not an address", w.canary.endpoint)
	}
	if err := providers.Secure(u); err != nil {
		return nil, err
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "rolecall", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: w.canary.endpoint, MaxRetries: -1, DisableStandaloneSSE: true,
		HTTPClient: &http.Client{
			Transport:     bearer{w.token, u.Host, &w.requests},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}}, nil)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	answers := map[string]*mcp.CallToolResult{}
	for _, tool := range []string{toolContext, toolIntegrations} {
		r, err := session.CallTool(ctx, &mcp.CallToolParams{Name: tool})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", tool, err)
		}
		if r.IsError {
			return nil, fmt.Errorf("%s: %s", tool, text(r))
		}
		answers[tool] = r
	}
	see := &seen{context: text(answers[toolContext])}
	if see.scopes, err = scopesIn(answers[toolIntegrations]); err != nil {
		return nil, err
	}
	return see, nil
}

// text returns the texts of an answer, with the strings of JSON texts as they
// read.
func text(r *mcp.CallToolResult) string {
	var w strings.Builder
	for _, c := range r.Content {
		t, ok := c.(*mcp.TextContent)
		if !ok {
			continue
		}
		var v any
		if json.Unmarshal([]byte(t.Text), &v) == nil {
			writeStrings(&w, v)
		}
		w.WriteString(t.Text)
		w.WriteByte('\n')
	}
	writeStrings(&w, r.StructuredContent)
	return w.String()
}

func writeStrings(w *strings.Builder, v any) {
	switch v := v.(type) {
	case string:
		w.WriteString(v)
		w.WriteByte('\n')
	case []any:
		for _, x := range v {
			writeStrings(w, x)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			writeStrings(w, v[k])
		}
	}
}

// scopesIn finds the scopes by integration in an answer. Its form is not
// documented, so any JSON is taken in which objects have a list called scopes
// beside a name, slug, id or integration; an answer without any such object
// that is not an empty list is not understood.
func scopesIn(r *mcp.CallToolResult) (map[string][]string, error) {
	values := []any{r.StructuredContent}
	for _, c := range r.Content {
		var v any
		if t, ok := c.(*mcp.TextContent); ok && json.Unmarshal([]byte(t.Text), &v) == nil {
			values = append(values, v)
		}
	}
	scopes, understood := map[string][]string{}, false
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			understood = understood || len(v) == 0
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			if list, ok := v["scopes"].([]any); ok {
				for _, key := range []string{"slug", "integration", "name", "id"} {
					if name, ok := v[key].(string); ok {
						understood = true
						scopes[strings.ToLower(name)] = names(list)
						return
					}
				}
			}
			for _, k := range slices.Sorted(maps.Keys(v)) {
				walk(v[k])
			}
		}
	}
	for _, v := range values {
		walk(v)
	}
	if !understood {
		return nil, errors.New("the answer of " + toolIntegrations + " is not understood; what the ledger says holds")
	}
	return scopes, nil
}

func names(list []any) []string {
	var out []string
	for _, x := range list {
		switch x := x.(type) {
		case string:
			out = append(out, x)
		case map[string]any:
			if name, ok := x["name"].(string); ok {
				out = append(out, name)
			}
		}
	}
	return out
}
