package conduit

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/ledger"
	"github.com/rolecall/rolecall/schema"
)

// A reader reads Conduit. It has no method that writes.
type reader struct {
	*System
	api   *client
	org   string
	ids   map[string]string // user id by e-mail address, as last read
	known map[schema.Address]*schema.Object
	blame map[*schema.Described]string // the last commit of blocks, as far as it was asked
}

// The answers of the JSON routes, as far as they are read.
type (
	orgJSON    struct{ ID, Name string }
	memberJSON struct{ UserID, Role string }
	teamJSON   struct {
		ID, Name     string
		Members      []struct{ UserID, Email string }
		ServerAccess []string
	}
	grantJSON struct{ UserID, VendorSlug string }
	listsJSON struct{ Admin, Member []string }
	listJSON  struct {
		Tools     []string
		GrantedBy string
		GrantedAt time.Time
	}
	toolsJSON struct{ Tools []struct{ Name string } }
)

func (r *reader) path(format string, args ...any) string {
	return "/api/orgs/" + url.PathEscape(r.org) + fmt.Sprintf(format, args...)
}

// Remember notes the objects of a plan, so that steps can name them by address.
func (r *reader) Remember(objects []*schema.Object) {
	for _, o := range objects {
		r.known[o.Addr] = o
	}
}

// Requests returns how many requests were sent.
func (r *reader) Requests() int { return r.api.sent }

// ReadAgain reads everything once more: an organization takes some dozen
// requests, and half of them are what joins the ids of people to addresses.
func (r *reader) ReadAgain(ctx context.Context, objects []*schema.Object) ([]*schema.Object, error) {
	s, err := r.Read(ctx)
	if err != nil {
		return nil, err
	}
	found := make([]*schema.Object, len(objects))
	for i, o := range objects {
		for _, have := range s.Of(o.Type) {
			if o.ID != "" && o.Type != "member" && have.ID == o.ID || (o.ID == "" || o.Type == "member") && have.Key == o.Key {
				c := have.Clone()
				for name := range o.Attrs { // what is asked about and not there is absent, not unreadable
					if _, ok := c.Attrs[name]; !ok {
						c.Put(name, r.unset(name))
					}
				}
				found[i] = c
			}
		}
	}
	return found, nil
}

// unset is what an attribute is that a read does not show of an object it
// shows.
func (r *reader) unset(name string) schema.Value {
	if strings.HasPrefix(name, attrAllowed) && r.api.session != "" {
		return schema.Text(inherit)
	}
	if strings.HasPrefix(name, attrCredentials) && r.api.session != "" {
		return schema.Text("organization")
	}
	return schema.Absent
}

// Read returns the whole live state.
func (r *reader) Read(ctx context.Context) (*schema.State, error) {
	f := &fetch{reader: r, s: schema.NewState(), emails: map[string]string{}}
	var err error
	if f.ledger, err = ledger.For(r.config); err != nil {
		return nil, err
	}
	for _, do := range []func(context.Context) error{f.organization, f.people, f.teams, f.vendors, f.lists} {
		if err := do(ctx); err != nil {
			return nil, err
		}
	}
	r.ids = map[string]string{}
	for id, email := range f.emails {
		r.ids[email] = id
	}
	return f.s, nil
}

// fetch is one reading.
type fetch struct {
	*reader
	s      *schema.State
	ledger *ledger.Ledger
	emails map[string]string // by user id
	slugs  []string
}

func (f *fetch) organization(ctx context.Context) error {
	o := &schema.Object{Type: "organization", Addr: "organization"}
	for _, b := range f.config.Of("organization") {
		o.Key, f.org = b.Label, cmp.Or(b.Text("id", ""), f.org)
	}
	if f.api.session != "" {
		var list []orgJSON
		if err := f.api.get(ctx, "/api/orgs", &list); err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(x orgJSON) bool { return x.ID == f.org })
		switch {
		case f.org == "" && len(list) == 1:
			i, f.org = 0, list[0].ID
		case f.org == "":
			return fmt.Errorf("the session sees %d organizations: write id in the organization block", len(list))
		case i < 0:
			return fmt.Errorf("the session does not see the organization %s: correct id, or use the right session", f.org)
		}
		o.Key = list[i].Name
	}
	if f.org == "" {
		return fmt.Errorf("without a session, the organization block must have the id of the organization")
	}
	o.ID = f.org
	o.Put(attrSCIM, schema.Bool(f.api.token != ""))
	o.Put(attrSession, schema.Bool(f.api.session != ""))
	f.s.Add(o)
	return nil
}

// member returns the object of a person.
func (f *fetch) member(email string) *schema.Object {
	addr := providers.MemberAddress(email)
	if f.s.Objects[addr] == nil {
		f.s.Add(&schema.Object{Type: "member", Addr: addr, Key: email, Attrs: map[string]schema.Value{attrRole: schema.Text(roleMember)}})
	}
	return f.s.Objects[addr]
}

func (f *fetch) people(ctx context.Context) error {
	if f.api.token == "" {
		return nil
	}
	users, err := f.api.scim(ctx, f.org, "Users", "")
	if err != nil {
		return err
	}
	for _, u := range users {
		email, err := schema.ParseEmail(u.UserName)
		if err != nil {
			continue // not one that a configuration could name
		}
		f.emails[u.ID] = email
		f.member(email).ID = u.ID
	}
	return nil
}

// team adds a team with its members.
func (f *fetch) team(id, name string, members []string) *schema.Object {
	o := &schema.Object{Type: "team", ID: id, Key: name, Addr: schema.MakeAddress("team", name, "")}
	if f.s.Objects[o.Addr] != nil {
		o.Addr = schema.MakeAddress("team", id, "")
	}
	o.Put(attrName, schema.Text(name))
	o.Put(attrMembers, schema.Set(members...))
	f.s.Add(o)
	return o
}

func (f *fetch) teams(ctx context.Context) error {
	if f.api.session == "" {
		groups, err := f.api.scim(ctx, f.org, "Groups", "")
		if err != nil {
			return err
		}
		for _, g := range groups {
			var members []string
			for _, m := range g.Members {
				if email := cmp.Or(f.emails[m.Value], strings.ToLower(m.Display)); email != "" {
					members = append(members, email)
					f.member(email)
				}
			}
			f.team(g.ID, g.DisplayName, members)
		}
		return nil
	}
	var teams []teamJSON
	if err := f.api.get(ctx, f.path("/teams"), &teams); err != nil {
		return err
	}
	for _, t := range teams {
		var members []string
		for _, m := range t.Members {
			email, err := schema.ParseEmail(m.Email)
			if err != nil {
				continue
			}
			f.emails[m.UserID] = email
			f.member(email).ID = m.UserID
			members = append(members, email)
		}
		f.team(t.ID, t.Name, members).Put(attrVendors, schema.Set(t.ServerAccess...))
		f.slugs = append(f.slugs, t.ServerAccess...)
	}
	return f.roles(ctx)
}

// roles reads the roles of members, which the route lists by id only.
func (f *fetch) roles(ctx context.Context) error {
	var members []memberJSON
	if err := f.api.get(ctx, f.path("/members"), &members); err != nil {
		return err
	}
	unknown := 0
	for _, m := range members {
		email := f.emails[m.UserID]
		if email == "" {
			unknown++
			continue
		}
		o := f.member(email)
		o.Put(attrRole, schema.Text(m.Role))
		if m.Role == roleOwner {
			o.Fixed = "the owner of an organization is never changed"
		}
	}
	if unknown > 0 {
		f.s.Unread = append(f.s.Unread, schema.Unread{What: fmt.Sprintf("who %s are", schema.CountPeople(unknown)),
			Why:     "the service lists members without their addresses, and they are in no team",
			Affects: "what they can use; set CONDUIT_SCIM_TOKEN to read them"})
	}
	return nil
}

// vendors reads which vendors people have of their own, and makes an object of
// every vendor that is named anywhere.
func (f *fetch) vendors(ctx context.Context) error {
	f.slugs = append(f.slugs, f.System.slugs()...)
	if f.api.session == "" {
		for _, o := range append(f.s.Of("member"), f.s.Of("team")...) {
			f.remembered(o, attrVendors)
		}
	} else {
		var connected []string
		if err := f.api.get(ctx, f.path("/credentials"), &connected); err != nil {
			return err
		}
		f.slugs = append(f.slugs, connected...)
		var grants []grantJSON
		if err := f.api.get(ctx, f.path("/server-access"), &grants); err != nil {
			return err
		}
		own := map[string][]string{}
		for _, g := range grants {
			own[f.emails[g.UserID]] = append(own[f.emails[g.UserID]], g.VendorSlug)
			f.slugs = append(f.slugs, g.VendorSlug)
		}
		for _, o := range f.s.Of("member") {
			o.Put(attrVendors, schema.Set(own[o.Key]...))
		}
	}
	slices.Sort(f.slugs)
	f.slugs = slices.Compact(f.slugs)
	for _, slug := range f.slugs {
		f.s.Add(&schema.Object{Type: "vendor", Addr: vendorAddr(slug), Key: slug, Attrs: map[string]schema.Value{}})
	}
	return nil
}

// listValue returns a list as it was read: null is no list.
func listValue(tools []string) schema.Value {
	if tools == nil {
		return schema.Text(inherit)
	}
	return schema.Set(tools...)
}

// lists reads the lists of tools.
func (f *fetch) lists(ctx context.Context) error {
	for _, slug := range f.slugs {
		o := f.s.Objects[vendorAddr(slug)]
		if f.api.session == "" {
			f.remembered(o, attrAllowed)
			f.remembered(o, attrAllowedAdmin)
			continue
		}
		var lists listsJSON
		if err := f.api.get(ctx, f.path("/tool-access/%s", url.PathEscape(slug)), &lists); err != nil {
			return err
		}
		o.Put(attrAllowed, listValue(lists.Member))
		o.Put(attrAllowedAdmin, listValue(lists.Admin))
		var tools toolsJSON
		if err := f.api.get(ctx, f.path("/tool-access/%s/discover", url.PathEscape(slug)), &tools); err == nil {
			var names []string
			for _, t := range tools.Tools {
				names = append(names, t.Name)
			}
			o.Put(attrTools, schema.Set(names...))
		} else if ctx.Err() != nil { // otherwise what is declared, or on lists, is what is known
			return ctx.Err()
		}
	}
	for _, o := range f.s.Of("team") {
		if err := f.teamLists(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// blockOf returns the block that describes a live team, nil if none does.
func (f *fetch) blockOf(o *schema.Object) *schema.Described {
	for _, b := range f.config.Of("team") {
		if b.Text("name", strings.TrimSpace(b.Label+" "+b.Key)) == o.Key || slices.Contains(b.Texts("previous_names"), o.Key) {
			return b
		}
	}
	return nil
}

// teamLists reads the lists and credentials of one team.
func (f *fetch) teamLists(ctx context.Context, o *schema.Object) error {
	slugs := slices.Clone(o.Get(attrVendors).AsSet())
	blocks := map[string]*schema.Described{}
	if b := f.blockOf(o); b != nil {
		for _, v := range b.Of("vendor") {
			slugs = append(slugs, v.Label)
			blocks[v.Label] = v
		}
	}
	if f.api.session == "" {
		slices.Sort(slugs)
		for _, slug := range slices.Compact(slugs) {
			f.remembered(o, allowedOf(slug))
			f.remembered(o, attrCredentials+slug)
		}
		return nil
	}
	var own []string
	err := f.api.get(ctx, f.path("/teams/%s/credentials", url.PathEscape(o.ID)), &own)
	if err != nil && !missing(err) {
		return err
	}
	known := err == nil
	slugs = append(slugs, own...)
	slices.Sort(slugs)
	for _, slug := range slices.Compact(slugs) {
		switch {
		case !known:
			f.remembered(o, attrCredentials+slug)
		case slices.Contains(own, slug):
			o.Put(attrCredentials+slug, schema.Text("team"))
		default:
			o.Put(attrCredentials+slug, schema.Text("organization"))
		}
		var list listJSON
		err := f.api.get(ctx, f.path("/teams/%s/tool-access/%s", url.PathEscape(o.ID), url.PathEscape(slug)), &list)
		if missing(err) { // the route is not documented
			f.remembered(o, allowedOf(slug))
			continue
		}
		if err != nil {
			return err
		}
		o.Put(allowedOf(slug), listValue(list.Tools))
		if list.GrantedBy != "" {
			who := fmt.Sprintf("%s, %s", list.GrantedBy, list.GrantedAt.UTC().Format("2006-01-02 15:04 MST"))
			if b := blocks[slug]; b != nil {
				by, asked := f.blame[b]
				if !asked {
					by = lastCommit(ctx, f.config.Dir, b)
					f.blame[b] = by
				}
				who += by
			}
			o.Put(attrChangedBy+"."+slug, schema.Text(who))
		}
	}
	return nil
}

// lastCommit says which commit last changed the first line of a block, "" if
// that is not known.
func lastCommit(ctx context.Context, dir string, b *schema.Described) string {
	line := strconv.Itoa(b.Range.Start.Line)
	cmd := exec.CommandContext(ctx, "git", "blame", "--porcelain", "-L", line+","+line, "--", filepath.Base(b.Range.Filename))
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	lines := strings.Split(string(out), "\n")
	commit := lines[0][:min(len(lines[0]), 10)]
	author, at := "", ""
	for _, l := range lines {
		if rest, ok := strings.CutPrefix(l, "author "); ok {
			author = rest
		}
		if rest, ok := strings.CutPrefix(l, "author-time "); ok {
			if n, err := strconv.ParseInt(rest, 10, 64); err == nil {
				at = time.Unix(n, 0).UTC().Format(time.DateOnly)
			}
		}
	}
	if strings.Trim(commit, "0") == "" {
		return "; the block is not committed"
	}
	return fmt.Sprintf("; the block: commit %s by %s, %s", commit, author, at)
}

// remembered takes an attribute that cannot be read from the ledger.
func (f *fetch) remembered(o *schema.Object, attr string) {
	if o.Get(attr).Known() {
		return
	}
	addr := o.Addr
	if o.Type == "team" {
		if b := f.blockOf(o); b != nil {
			addr = b.Addr
		}
	}
	if e, ok := f.ledger.Lookup(addr, attr, time.Time{}); ok {
		o.Put(attr, e.Value)
		return
	}
	why := "there is no session, and nobody has confirmed it"
	if f.api.session != "" {
		why = "the service has no route for it, and nobody has confirmed it"
	}
	o.Put(attr, schema.Unavailable(why))
	f.s.Unread = append(f.s.Unread, schema.Unread{What: attr + " of " + string(addr), Why: why, Affects: "who can use which tools"})
}
