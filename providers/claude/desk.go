package claude

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// A desk decides requests for a higher spend limit.
type desk struct {
	*System
	live   *reader
	writes *Writing
}

func openDesk(ctx context.Context, c *schema.Config, env providers.Environment) (providers.Desk, func() error, error) {
	conn, edit, err := ConnectToWrite(ctx, c, env)
	if err != nil {
		return nil, nil, err
	}
	d := &desk{System: New(c)}
	switch e := edit.(type) {
	case *emulatedEditor:
		d.live, d.writes = e.editor.live, e.writes
	case *editor:
		d.live, d.writes = e.live, e.writes
	}
	return d, conn.Close, nil
}

// Requests reads requests, and the organization where rules are to be applied.
func (d *desk) Requests(ctx context.Context, statuses ...string) ([]providers.Request, error) {
	list, err := d.live.api.FetchIncreaseRequests(ctx, statuses...)
	if err != nil {
		return nil, d.live.explain(err)
	}
	var st *schema.State
	var out []providers.Request
	for _, q := range list {
		r := requestOf(q)
		if r.Status == "pending" && len(d.config.Of("approval")) > 0 && st == nil {
			if st, err = d.live.Read(ctx); err != nil {
				return nil, err
			}
		}
		r.Decision = d.decide(r, st)
		out = append(out, r)
	}
	return out, nil
}

func requestOf(q IncreaseRequest) providers.Request {
	r := providers.Request{ID: q.ID, Email: q.Email, Status: q.Status, Created: q.CreatedAt.UTC().Format(time.RFC3339)}
	if q.InForce != nil {
		r.Limit, r.Spent = "unlimited", q.InForce.Spent
		if q.InForce.Amount != nil {
			r.Limit = *q.InForce.Amount
		}
	}
	return r
}

// decide says what the rules make of a request: the first that names the
// person decides. A person whose limit the configuration says is left alone,
// because the next apply would take it back.
func (d *desk) decide(r providers.Request, st *schema.State) providers.Decision {
	leave := func(why string, args ...any) providers.Decision {
		return providers.Decision{Do: "leave", Why: fmt.Sprintf(why, args...)}
	}
	if r.Status != "pending" {
		return leave("it is %s already", r.Status)
	}
	if st == nil {
		return leave("no approval block is written")
	}
	if by := d.owned(r.Email, st); by != "" {
		return leave("%s says the limit of this person: change it there", by)
	}
	dir := liveDirectory{d.System, st}
	for _, b := range d.config.Of("approval") {
		named, err := names(b, dir, r.Email)
		switch {
		case err != nil:
			return leave("%s: %v", b.Addr, err)
		case named:
			return d.rule(b, r)
		}
	}
	return leave("no approval block names this person")
}

func (d *desk) rule(b *schema.Described, r providers.Request) providers.Decision {
	out := providers.Decision{Do: "leave", Rule: string(b.Addr), Silent: !b.Bool("notify", true)}
	ceiling, err := minor(b, "ceiling")
	now, errNow := strconv.ParseInt(r.Limit, 10, 64)
	switch {
	case err != nil:
		out.Why = err.Error()
	case r.Limit == "unlimited":
		out.Why = "nothing limits this person"
	case errNow != nil:
		out.Why = "the limit in force could not be read"
	case now >= ceiling:
		out.Why = fmt.Sprintf("the limit in force, %s, is at the ceiling of %s", schema.Major(r.Limit), schema.Major(strconv.FormatInt(ceiling, 10)))
		if b.Text("otherwise", "leave") == "deny" {
			out.Do = "deny"
		}
	default:
		amount := ceiling
		if step, err := minor(b, "step"); err == nil {
			amount = min(now+step, ceiling)
		}
		out.Do, out.Amount = "approve", strconv.FormatInt(amount, 10)
		out.Why = fmt.Sprintf("from %s to %s, with a ceiling of %s", schema.Major(r.Limit), schema.Major(out.Amount), schema.Major(strconv.FormatInt(ceiling, 10)))
	}
	return out
}

func minor(b *schema.Described, attr string) (int64, error) {
	a := b.Attr(attr)
	if a == nil {
		return 0, errors.New("no " + attr)
	}
	s, err := minorUnits(a.Text)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(s, 10, 64)
}

// names reports whether an approval block is about a person.
func names(b *schema.Described, dir schema.Directory, email string) (bool, error) {
	in := func(p schema.People) (bool, error) {
		list, err := schema.Resolve(p, dir)
		for _, e := range list {
			if e == email {
				return true, err
			}
		}
		return false, err
	}
	if a := b.Attr("except"); a != nil {
		if out, err := in(a.People); out || err != nil {
			return false, err
		}
	}
	var of []schema.People
	if a := b.Attr("groups"); a != nil {
		for _, item := range a.Items {
			of = append(of, &schema.MembersOf{Group: schema.Address(item.Text)})
		}
	}
	if a := b.Attr("members"); a != nil {
		of = append(of, a.People)
	}
	if len(of) == 0 {
		return true, nil
	}
	return in(&schema.Union{Of: of})
}

// owned returns the address of what says the limit of a person, "" if nothing
// does.
func (d *desk) owned(email string, st *schema.State) schema.Address {
	for _, b := range d.config.Of("member") {
		if strings.EqualFold(b.Label, email) && len(b.Of("spend_limit")) > 0 {
			return b.Addr
		}
	}
	for _, b := range d.config.Of("group") {
		for _, l := range b.Of("spend_limit") {
			list, _ := (liveDirectory{d.System, st}).Members(b.Addr)
			for _, e := range list {
				if e == email && l.Text("enforce", "console") == "members" {
					return b.Addr
				}
			}
		}
	}
	return ""
}

// A liveDirectory answers who is in the live organization, with groups under
// the addresses of the configuration.
type liveDirectory struct {
	*System
	st *schema.State
}

// Everyone returns every member's address.
func (l liveDirectory) Everyone() []string {
	var list []string
	for _, o := range l.st.Of("member") {
		list = append(list, o.Key)
	}
	return list
}

// OrganizationRole returns the organization role of a member.
func (l liveDirectory) OrganizationRole(email string) string {
	if o := l.st.Objects[memberAddress(email)]; o != nil {
		return o.Get(attrOrganizationRole).AsText()
	}
	return ""
}

// Members returns the live members of a described group.
func (l liveDirectory) Members(group schema.Address) ([]string, bool) {
	for _, b := range l.config.Of("group") {
		if b.Addr != group {
			continue
		}
		id, name := b.Text("id", ""), b.Text("name", "")
		if name == "" {
			name = strings.TrimSpace(b.Label + " " + b.Key)
		}
		for _, o := range l.st.Of("group") {
			if id != "" && o.ID == id || id == "" && o.Key == name {
				return o.Get(attrMembers).AsSet(), o.Get(attrMembers).Known()
			}
		}
	}
	return nil, false
}

// Decide approves or denies a request. A request that is not pending any more
// is not decided again: somebody else was faster.
//
// Source: Spend Limits API reference, increase requests; read 2026-11-22.
func (d *desk) Decide(ctx context.Context, r providers.Request) (providers.Request, error) {
	body := map[string]any{}
	if r.Decision.Silent {
		body["suppress_notification"] = true
	}
	switch r.Decision.Do {
	case "approve":
		body["amount"], body["period"] = r.Decision.Amount, "monthly"
	case "deny":
	default:
		return r, fmt.Errorf("request %s: nothing to decide", r.ID)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return r, err
	}
	req := schema.Request{Method: "POST", Path: "/v1/organizations/spend_limit_increase_requests/" + url.PathEscape(r.ID) + "/" + r.Decision.Do, Body: b}
	for try := range 2 {
		_, err = d.writes.Send(ctx, req)
		var unclear *UnclearError
		if err == nil || !errors.As(err, &unclear) {
			break
		}
		now, lookErr := d.find(ctx, r.ID)
		switch {
		case lookErr != nil:
			return r, fmt.Errorf("%w; looking whether it did: %w", err, lookErr)
		case now.Status == done[r.Decision.Do]:
			r.Status = now.Status
			return r, nil
		case now.Status != "pending" || try == 1:
			return r, fmt.Errorf("request %s is %s now: %w", r.ID, now.Status, err)
		}
	}
	if err != nil {
		now, lookErr := d.find(ctx, r.ID)
		if lookErr == nil && errors.Is(err, providers.ErrRefused) && d.asDecided(ctx, now, r.Decision) {
			r.Status = now.Status
			return r, nil
		}
		if lookErr == nil && now.Status != "pending" {
			return r, fmt.Errorf("request %s is %s already, by somebody else: %w", r.ID, now.Status, d.live.explain(err))
		}
		return r, d.live.explain(err)
	}
	r.Status = done[r.Decision.Do]
	return r, nil
}

var done = map[string]string{"approve": "approved", "deny": "denied"}

// asDecided reports whether a request is decided as it was to be, by its own
// first delivery or by somebody else: denied, or approved with the same amount.
func (d *desk) asDecided(ctx context.Context, now IncreaseRequest, want providers.Decision) bool {
	if now.Status != done[want.Do] {
		return false
	}
	if want.Do == "deny" {
		return true
	}
	limits, err := d.live.api.FetchSpendLimits(ctx)
	return err == nil && slices.ContainsFunc(limits, func(l SpendLimit) bool {
		return l.ScopeType == "user" && l.UserID == now.UserID && l.Period == "monthly" && l.Amount != nil && *l.Amount == want.Amount
	})
}

func (d *desk) find(ctx context.Context, id string) (IncreaseRequest, error) {
	list, err := d.live.api.FetchIncreaseRequests(ctx)
	if err != nil {
		return IncreaseRequest{}, err
	}
	for _, q := range list {
		if q.ID == id {
			return q, nil
		}
	}
	return IncreaseRequest{}, fmt.Errorf("no request %s is there any more", id)
}
