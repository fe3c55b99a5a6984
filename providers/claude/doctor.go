package claude

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// maxClockSkew is how far the clock of this machine may be off before days and
// expiries are judged wrongly enough to say so.
const maxClockSkew = time.Minute

// diagnose looks at the key, its scopes by reads that change nothing, the
// organization, the provisioning mode, the clock and the budget.
func diagnose(ctx context.Context, c *schema.Config, env providers.Environment) (*providers.Diagnosis, error) {
	conn, err := Connect(ctx, c, env)
	d := &providers.Diagnosis{Checks: []providers.Check{}, Unread: []schema.Unread{}}
	add := func(name, status, fix, text string, args ...any) {
		d.Checks = append(d.Checks, providers.Check{Name: name, Status: status, Text: fmt.Sprintf(text, args...), Fix: fix})
	}
	if err != nil {
		add("key", "error", "", "%v", err)
		return d, nil
	}
	defer conn.Close()
	r, ok := conn.Reader.(*reader)
	if !ok {
		return nil, errors.New("claude: not a connection of this system")
	}
	add("key", "ok", "", "a key is there, from %s", r.keySource())
	probes := []struct {
		scope, what string
		required    bool
		read        func() error
	}{
		{"read:members", "members, invites and roles", true, func() error { _, err := r.api.FetchRoles(ctx); return err }},
		{"read:rbac_groups", "groups and who is in them", true, func() error { _, err := r.api.FetchGroups(ctx); return err }},
		{"read:spend_limits", "spend limits and requests for more", false, func() error { _, err := r.api.FetchSpendLimits(ctx); return err }},
		{"read:plugins", "plugins", false, func() error { _, err := r.api.FetchMarketplaces(ctx); return err }},
		{"read:compliance_org_data", "features and the provisioning mode", false, func() error {
			org, err := r.api.FetchOrganization(ctx)
			if err == nil {
				_, err = r.api.FetchSettings(ctx, org.ID)
			}
			return err
		}},
		{"read:compliance_activities", "the activity feed", false, func() error { _, err := r.api.FetchEvents(ctx, "org_cowork_enabled"); return err }},
	}
	readable := true
	for _, p := range probes {
		var api *APIError
		switch err := p.read(); {
		case err == nil:
			add(p.scope, "ok", "", "the key reads %s", p.what)
		case errors.As(err, &api) && dispensable(api.Status):
			status := "warning"
			if p.required {
				status, readable = "error", false
			}
			missing := strings.Join(api.MissingScopes, ", ")
			if missing == "" {
				missing = p.scope
			}
			add(p.scope, status, "make a key that has "+missing, "the key does not read %s: %v", p.what, err)
		default:
			add(p.scope, "error", "", "%v", r.explain(err))
			readable = false
		}
	}
	r.clock(ctx, env, add)
	if readable {
		live, err := conn.Reader.Read(ctx)
		if err != nil {
			add("organization", "error", "", "%v", err)
			return d, nil
		}
		o := live.Objects["organization"]
		add("organization", "ok", "", "%s (%s)", schema.Printable(o.Key), o.ID)
		mode := o.Get(attrProvisioning).AsText()
		switch {
		case mode == "":
			add("provisioning", "warning", "write provisioning in the organization block", "how people come in could not be read")
		default:
			add("provisioning", "ok", "", "%s: %s", mode, modeMeaning(mode))
		}
		d.Unread = append(d.Unread, live.Unread...)
	}
	b := documented[FamilyAdmin]
	add("budget", "ok", "", "%d requests were sent; the vendor allows %d in %s to members, groups and roles together, shared with other tools", conn.Reader.Requests(), b.n, b.per)
	return d, nil
}

// modeMeaning says what a provisioning mode leaves to the API.
//
// Source: Admin API reference, users and invites; read 2026-11-22.
func modeMeaning(mode string) string {
	switch mode {
	case "login_only":
		return "invites, removals and organization roles by API"
	case "jit_permissive":
		return "no invites; removals and organization roles by API"
	case "jit_advanced":
		return "no invites, and the identity provider decides organization roles; removals by API"
	case "scim_permissive":
		return "no invites and no removals; organization roles by API"
	case "scim_advanced":
		return "the identity provider decides who is a member and with which organization role"
	}
	return "a mode that is newer than rolecall"
}

// clock compares this machine's clock with the server's. Nothing but a path
// that needs no key is asked for.
func (r *reader) clock(ctx context.Context, env providers.Environment, add func(name, status, fix, text string, args ...any)) {
	endpoint := env.Getenv("ROLECALL_ENDPOINT")
	if endpoint == "" {
		if apiBlock(r.config).Attr("emulator") != nil {
			add("clock", "ok", "", "the embedded emulator has the clock of this machine")
			return
		}
		endpoint = apiBlock(r.config).Text("endpoint", DefaultEndpoint)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(endpoint, "/")+"/v1/organizations/me", nil)
	if err != nil {
		add("clock", "warning", "", "could not be compared: %v", err)
		return
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	sent := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		add("clock", "warning", "", "could not be compared: %v", err)
		return
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		add("clock", "warning", "", "the server does not say what time it is")
		return
	}
	skew := sent.Sub(at).Round(time.Second)
	if skew.Abs() > maxClockSkew {
		add("clock", "warning", "set the clock of this machine", "this machine is %s off the server's clock", skew)
		return
	}
	add("clock", "ok", "", "within %s of the server's", maxClockSkew)
}
