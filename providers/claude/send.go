package claude

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/rolecall/rolecall/schema"
)

// Sent is the answer to a write.
type Sent struct {
	RequestID string          // the vendor's name for the request
	ID        string          // the id in the answer, "" if it has none
	Raw       json.RawMessage // the answer, a JSON object
}

// An endpoint is a write that rolecall uses.
type endpoint struct {
	method string
	path   string // {} stands for one id
	op     string // what it does; %s are the ids

	// create is set if sending the request twice could do something twice, or
	// get a refusal where the first one worked. It is sent once.
	create bool

	// beta is the header anthropic-beta without which the path does not exist.
	beta string

	// serial is set if writes to the same parent must not overlap: the vendor
	// refuses one of them.
	serial bool

	// id is set if the answer must name the object that was made.
	id bool
}

// pluginBeta is what the SDK's own methods for plugins send.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationplugin.go; read 2026-11-22.
const pluginBeta = "ce-plugins-2026-09-01"

// endpoints are all writes that Send allows.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationuser.go,
// betaorganizationinvite.go, betaorganizationrbacgroup.go,
// betaorganizationrbacgroupmember.go, betaorganizationspendlimit.go,
// betaorganizationspendlimitincreaserequest.go,
// betaorganizationplugininstallationsetting.go,
// betaorganizationpluginmarketplace.go; read 2026-11-22. That setting a role, a name or a limit twice is the same as once
// is documented for limits and inferred for the others, from what the requests
// mean.
var endpoints = []endpoint{
	{method: http.MethodPost, path: "/v1/organizations/users/{}", op: "set the role of user %s"},
	{method: http.MethodDelete, path: "/v1/organizations/users/{}", op: "remove user %s"},
	{method: http.MethodPost, path: "/v1/organizations/invites", op: "create an invite", create: true, id: true},
	{method: http.MethodDelete, path: "/v1/organizations/invites/{}", op: "withdraw invite %s"},
	{method: http.MethodPost, path: "/v1/organizations/rbac_groups", op: "create a group", create: true, id: true},
	{method: http.MethodPost, path: "/v1/organizations/rbac_groups/{}", op: "rename group %s"},
	{method: http.MethodDelete, path: "/v1/organizations/rbac_groups/{}", op: "delete group %s"},
	{method: http.MethodPost, path: "/v1/organizations/rbac_groups/{}/members", op: "add a member to group %s", create: true},
	{method: http.MethodDelete, path: "/v1/organizations/rbac_groups/{}/members/{}", op: "remove from group %s user %s"},
	{method: http.MethodPost, path: "/v1/organizations/spend_limits", op: "set a spend limit", id: true},
	{method: http.MethodDelete, path: "/v1/organizations/spend_limits/{}", op: "delete spend limit %s"},
	{method: http.MethodPost, path: "/v1/organizations/spend_limit_increase_requests/{}/approve", op: "approve request %s", create: true, id: true},
	{method: http.MethodPost, path: "/v1/organizations/spend_limit_increase_requests/{}/deny", op: "deny request %s", id: true},
	{method: http.MethodPost, path: "/v1/organizations/plugins/{}/installation_settings/{}", op: "set plugin %s for %s", beta: pluginBeta, serial: true},
	{method: http.MethodDelete, path: "/v1/organizations/plugins/{}/installation_settings/{}", op: "remove the setting of plugin %s for %s", beta: pluginBeta, serial: true},
	{method: http.MethodPost, path: "/v1/organizations/plugin_marketplaces/{}", op: "set the default of marketplace %s", beta: pluginBeta, id: true},
}

// endpointOf returns the endpoint of a request and the ids in its path.
func endpointOf(req schema.Request) (endpoint, []any, error) {
	for _, e := range endpoints {
		if ids, ok := match(e.path, req.Path); ok && e.method == req.Method {
			return e, ids, nil
		}
	}
	return endpoint{}, nil, fmt.Errorf("claude: %q %q is not a write that rolecall makes", req.Method, req.Path)
}

// match reports whether path has the form of pattern, and returns its ids.
func match(pattern, path string) ([]any, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	var ids []any
	for i, w := range want {
		switch {
		case w != "{}" && w != got[i], w == "{}" && !isID(got[i]):
			return nil, false
		case w == "{}":
			ids = append(ids, got[i])
		}
	}
	return ids, true
}

// isID reports whether s can stand in a path as it is. A placeholder that was
// not filled in, a dot segment or a query cannot.
func isID(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

var placeholder = regexp.MustCompile(`"\$\{[a-z_]+[.\[]`)

// hasPlaceholder reports whether a field of body still holds a placeholder
// such as ${group.pilot}. A name may look like one.
func hasPlaceholder(body json.RawMessage) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return placeholder.Match(body)
	}
	for name, value := range fields {
		if name != "name" && placeholder.Match(value) {
			return true
		}
	}
	return false
}

// Creates reports whether sending req twice could do something twice. Such a
// request is sent once; look before sending it again.
func Creates(req schema.Request) bool {
	e, _, err := endpointOf(req)
	return err != nil || e.create
}

// Send makes one change: it sends the method, path and body of req as they
// are. A refusal for want of budget is waited out. A request that may be
// repeated is, when its answer is lost.
//
// Errors: *APIError if the change was refused or never arrived, *UnclearError
// if it may have taken effect, and a plain error for a request that rolecall
// never makes, which is not sent.
func (w *Writing) Send(ctx context.Context, req schema.Request) (Sent, error) {
	e, ids, err := endpointOf(req)
	if err != nil {
		return Sent{}, err
	}
	var body any // a nil interface sends no body and no content type
	switch {
	case len(req.Body) > 0 && !json.Valid(req.Body):
		return Sent{}, errors.New("claude: the body is not JSON")
	case hasPlaceholder(req.Body):
		return Sent{}, errors.New("claude: the body holds a placeholder that was not filled in")
	case len(req.Body) > 0:
		body = []byte(req.Body)
	}

	if e.serial {
		parent, _ := ids[0].(string)
		done, err := w.lanes.alone(ctx, parent)
		if err != nil {
			return Sent{}, err
		}
		defer done()
	}
	k := call{op: fmt.Sprintf(e.op, ids...), method: req.Method, path: req.Path, repeat: !e.create}
	var options []option.RequestOption
	if e.beta != "" {
		options = append(options, option.WithHeader("anthropic-beta", e.beta))
	}
	var sent Sent
	err = w.c.do(ctx, k, func(ctx context.Context) error {
		var raw []byte
		var res *http.Response
		path := strings.TrimPrefix(req.Path, "/") + "?beta=true"
		err := w.c.admin.Execute(ctx, req.Method, path, body, &raw, append(options, option.WithResponseInto(&res))...)
		if err != nil {
			return err
		}
		var reply struct{ ID *string }
		if err := decode(string(raw), &reply); err != nil {
			return err
		}
		sent = Sent{RequestID: w.c.clean(res.Header.Get("request-id")), ID: deref(reply.ID), Raw: raw}
		if e.id && sent.ID == "" {
			return odd("the answer has no id")
		}
		return nil
	})
	if err != nil {
		return Sent{}, err
	}
	return sent, nil
}

// alone waits until no other write to the same parent is under way, and
// returns what ends this one.
func (l *lanes) alone(ctx context.Context, parent string) (done func(), err error) {
	l.mu.Lock()
	lane := l.busy[parent]
	if lane == nil {
		lane = make(chan struct{}, 1)
		l.busy[parent] = lane
	}
	l.mu.Unlock()
	select {
	case lane <- struct{}{}:
		return func() { <-lane }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
