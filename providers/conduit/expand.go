package conduit

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// The phases of a plan: what narrows, the teams with their lists before anybody
// is in them, what they may use, the people, and what widens.
const (
	phaseLists       = "organization lists"
	phaseTeams       = "teams"
	phaseTeamLists   = "team lists"
	phaseCredentials = "credentials"
	phaseVendors     = "vendor access"
	phaseMembers     = "members"
	phaseWidening    = "widening"
	phaseRemovals    = "removals"
)

// Phases returns the phases of a plan.
func (s *System) Phases() []string {
	return []string{phaseLists, phaseTeams, phaseTeamLists, phaseCredentials, phaseVendors, phaseMembers, phaseWidening, phaseRemovals}
}

const byAdmin = "an admin or the owner of the organization"

// A toolList is a list of tools that can be sent: it is not empty, because the
// service takes an empty list for none and opens everything. The only way to
// one is newToolList.
type toolList struct{ tools []string }

// newToolList returns the list of the tools, each once; false if there is none.
func newToolList(tools []string) (toolList, bool) {
	list := slices.Compact(slices.Sorted(slices.Values(tools)))
	return toolList{list}, len(list) > 0
}

// MarshalJSON writes the body of the request. The zero value cannot be written.
func (l toolList) MarshalJSON() ([]byte, error) {
	if len(l.tools) == 0 {
		return nil, fmt.Errorf("conduit: an empty tool list would open everything")
	}
	return json.Marshal(map[string][]string{"tools": l.tools})
}

// UnmarshalJSON reads what MarshalJSON wrote, and refuses everything else.
func (l *toolList) UnmarshalJSON(b []byte) error {
	var body struct {
		Tools []string `json:"tools"`
	}
	if err := json.Unmarshal(b, &body); err != nil {
		return err
	}
	list, ok := newToolList(body.Tools)
	if !ok {
		return fmt.Errorf("conduit: an empty tool list would open everything")
	}
	*l = list
	return nil
}

// expander turns changes into steps: one request each.
type expander struct {
	*mapping
	created       map[schema.Address]string
	org           string // its id, or the placeholder
	scim, session bool
	steps         []schema.Step
}

// Expand turns changes into steps.
func (s *System) Expand(changes []*schema.Change, live, desired *schema.State) []schema.Step {
	e := &expander{mapping: s.vocabulary([]*schema.State{live, desired}), created: map[schema.Address]string{}}
	org := live.Objects["organization"]
	e.org = "${organization}"
	if org != nil {
		e.scim, e.session = org.Get(attrSCIM).AsBool(), org.Get(attrSession).AsBool()
		if org.ID != "" {
			e.org = url.PathEscape(org.ID)
		}
	}
	for _, c := range changes {
		if c.Action == schema.Create && c.Addr.Type() == "team" {
			e.created[c.Addr] = string(c.Addr) + "/create"
		}
	}
	for _, c := range changes {
		switch c.Addr.Type() {
		case "vendor":
			e.vendor(c)
		case "team":
			e.team(c)
		case "member":
			e.member(c)
		}
	}
	return e.steps
}

// A request is what a step sends, or what a person does in its place where the
// credential for it is missing.
type request struct {
	verb, phase, action string
	method, path        string
	body                any
	possible            bool // the credential for it is there
	where               string
	do                  []string
	moves               []access.Move
	effects             []schema.Effect
}

func (e *expander) add(c *schema.Change, r request) {
	step := schema.Step{ID: string(c.Addr) + "/" + r.verb, Addr: c.Addr, Phase: r.phase, Action: r.action, Moves: r.moves, Effects: r.effects}
	if id, ok := e.created[c.Addr]; ok && r.verb != "create" {
		step.Needs = []string{id}
	}
	if r.possible {
		step.Via, step.Proof = schema.ByAPI, schema.Exact
		step.Request = &schema.Request{Method: r.method, Path: r.path}
		if r.body != nil {
			b, err := json.Marshal(r.body)
			if err != nil {
				panic("conduit: " + err.Error()) // of our own making
			}
			step.Request.Body = b
		}
	} else {
		step.Via, step.Proof = schema.ByConsole, schema.Attested
		if e.session {
			step.Proof = schema.Exact
		}
		step.Console = &schema.Console{Where: r.where, By: byAdmin, Do: append(r.do, "Save.")}
	}
	e.steps = append(e.steps, step)
}

// id returns the id of an object, or the placeholder for one that is not known
// yet.
func id(o *schema.Object) string {
	if o.Type != "member" && o.ID != "" {
		return url.PathEscape(o.ID)
	}
	return placeholder(o.Addr) // a member's changes at the first login
}

func placeholder(addr schema.Address) string { return "${" + url.PathEscape(string(addr)) + "}" }

func (e *expander) json(format string, args ...any) string {
	return "/api/orgs/" + e.org + fmt.Sprintf(format, args...)
}

func (e *expander) scimPath(rest string) string { return "/scim/v2/t/" + e.org + "/Groups" + rest }

// listText says what a list is.
func listText(v schema.Value) string {
	if v.Kind() == schema.KindSet {
		return strings.Join(v.AsSet(), ", ")
	}
	return "inherit"
}

// put fills in the request that sets a list, or resets it.
func (r *request) put(v schema.Value) {
	r.method = "DELETE"
	if list, ok := newToolList(v.AsSet()); ok {
		r.method, r.body = "PUT", list
	}
}

// vendor sets the organization's list for each of the two roles.
func (e *expander) vendor(c *schema.Change) {
	if c.After == nil {
		return
	}
	for _, f := range c.Fields {
		role, ok := map[string]string{attrAllowed: roleMember, attrAllowedAdmin: roleAdmin}[f.Name]
		if !ok {
			continue
		}
		r := request{verb: "allow/" + role, phase: phaseLists, possible: e.session,
			action:  fmt.Sprintf("allow %ss these tools of %s: %s", role, c.After.Key, listText(f.After)),
			path:    e.json("/tool-access/%s/%s", url.PathEscape(c.After.Key), role),
			where:   "Tool access › " + providers.Quoted(c.After.Key) + " › " + role,
			do:      []string{"Allow: " + listText(f.After)},
			effects: []schema.Effect{{Addr: c.Addr, Attr: f.Name, Op: schema.Put, Value: f.After}}}
		r.put(f.After)
		k := e.vendors[c.After.Key]
		for _, set := range []map[string]string{k.gateway, k.personal} {
			for _, tool := range slices.Sorted(maps.Keys(set)) {
				was, is := allows(f.Before, tool, false), allows(f.After, tool, false)
				if f.Before.Kind() == schema.KindUnavailable { // whichever it was, in both readings
					was = !is
				}
				if was == is {
					continue
				}
				if is {
					r.phase = phaseWidening
				}
				r.moves = append(r.moves, access.Move{Kind: access.MoveGrant, Source: part(c.Addr, role), Permission: set[tool], From: levelName(was), To: levelName(is)})
			}
		}
		e.add(c, r)
	}
}

func levelName(allowed bool) string {
	if allowed {
		return scale.Levels[1]
	}
	return scale.Levels[0]
}

func (e *expander) team(c *schema.Change) {
	if c.Action == schema.Delete {
		r := request{verb: "delete", phase: phaseRemovals, action: "delete the team " + providers.Quoted(c.Before.Key), possible: e.scim || e.session,
			method: "DELETE", path: e.json("/teams/%s", id(c.Before)), effects: []schema.Effect{{Addr: c.Addr, Op: schema.Drop}},
			where: "Teams › " + providers.Quoted(c.Before.Key), do: []string{"Delete the team. Only the owner can."}}
		if e.scim {
			r.path = e.scimPath("/" + id(c.Before))
		}
		r.moves = e.people(c.Addr, c.Before.Get(attrMembers).AsSet(), providers.Leaving)
		e.add(c, r)
		return
	}
	name := c.After.Key
	page := "Teams › " + providers.Quoted(name)
	for _, f := range c.Fields {
		label, slug := f.Name, ""
		for _, prefix := range []string{attrAllowed + ".", attrCredentials} {
			if rest, ok := strings.CutPrefix(f.Name, prefix); ok {
				label, slug = prefix, rest
			}
		}
		switch label {
		case attrName:
			e.name(c, f)
		case attrMembers:
			e.members(c, f, page)
		case attrVendors:
			e.vendorAccess(c, f, page)
		case attrAllowed + ".":
			if c.Action == schema.Create && f.After.AsText() == inherit {
				continue // a new team has no list
			}
			e.teamList(c, f, slug, page)
		case attrCredentials:
			if c.Action == schema.Create && f.After.AsText() != "team" {
				continue // and no credentials
			}
			e.credentials(c, f, slug, page)
		}
	}
}

const scimSchema = "urn:ietf:params:scim:schemas:core:2.0:Group"

func patch(op map[string]any) map[string]any {
	return map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []any{op}}
}

// name creates a team, or renames it in place.
func (e *expander) name(c *schema.Change, f schema.Field) {
	name := c.After.Key
	r := request{phase: phaseTeams, possible: e.scim || e.session, where: "Teams", do: []string{"Name: " + name}}
	switch {
	case c.Action == schema.Create:
		r.verb, r.action, r.method, r.path, r.body = "create", "create the team "+providers.Quoted(name), "POST", e.json("/teams"), map[string]string{"name": name}
		if e.scim {
			r.path, r.body = e.scimPath(""), map[string]any{"schemas": []string{scimSchema}, "displayName": name}
		}
		r.effects = []schema.Effect{{Addr: c.Addr, Op: schema.Put, Value: schema.Text(name)}}
		if !r.possible {
			r.effects = append(r.effects, schema.Effect{Addr: c.Addr, Attr: attrName, Op: schema.Put, Value: f.After})
		}
	default:
		r.verb, r.action = "rename", fmt.Sprintf("rename the team %s to %s", providers.Quoted(c.Before.Key), providers.Quoted(name))
		r.method, r.path, r.body = "PATCH", e.json("/teams/%s", id(c.After)), map[string]string{"name": name}
		if e.scim {
			r.path, r.body = e.scimPath("/"+id(c.After)), patch(map[string]any{"op": "replace", "path": "displayName", "value": name})
		}
		r.effects = []schema.Effect{{Addr: c.Addr, Attr: attrName, Op: schema.Put, Value: f.After}}
	}
	e.add(c, r)
}

// people returns the moves of people into a team or out of it, each in the
// part for the person's role.
func (e *expander) people(team schema.Address, emails []string, moves func(string, []string) []access.Move) []access.Move {
	var list []access.Move
	for _, email := range emails {
		list = append(list, moves(part(team, e.roles[email]), []string{email})...)
	}
	return list
}

func (e *expander) members(c *schema.Change, f schema.Field, page string) {
	one := func(email string, joins bool) {
		r := request{verb: "leave/" + email, phase: phaseRemovals, action: fmt.Sprintf("take %s out of %s", email, c.Addr), possible: e.scim || e.session,
			method: "DELETE", path: e.json("/teams/%s/members/%s", id(c.After), placeholder(providers.MemberAddress(email))),
			where: page + " › Members", do: []string{"Remove: " + email}}
		ref := placeholder(providers.MemberAddress(email))
		op := map[string]any{"op": "remove", "path": `members[value eq "` + ref + `"]`}
		r.moves = e.people(c.Addr, []string{email}, providers.Leaving)
		r.effects = providers.Exclude(c.Addr, attrMembers, []string{email})
		if joins {
			r.verb, r.phase, r.action, r.method = "join/"+email, phaseMembers, fmt.Sprintf("add %s to %s", email, c.Addr), "PUT"
			r.do = []string{"Add: " + email}
			op = map[string]any{"op": "add", "path": "members", "value": []any{map[string]string{"value": ref}}}
			r.moves = e.people(c.Addr, []string{email}, providers.Joining)
			r.effects = providers.Include(c.Addr, attrMembers, []string{email})
		}
		if e.scim {
			r.method, r.path, r.body = "PATCH", e.scimPath("/"+id(c.After)), patch(op)
		}
		e.add(c, r)
	}
	for _, email := range providers.Gained(f.Before, f.After) {
		one(email, true)
	}
	for _, email := range providers.Gained(f.After, f.Before) {
		one(email, false)
	}
}

// vendorAccess gives a team vendors, or takes them away.
func (e *expander) vendorAccess(c *schema.Change, f schema.Field, page string) {
	one := func(slug string, gives bool) {
		r := request{verb: "take/" + slug, phase: phaseRemovals, action: fmt.Sprintf("take %s away from %s", slug, c.Addr), possible: e.session,
			method: "DELETE", path: e.json("/teams/%s/server-access/%s", id(c.After), url.PathEscape(slug)),
			where: page + " › Servers", do: []string{"Untick: " + slug}, effects: providers.Exclude(c.Addr, attrVendors, []string{slug})}
		from, to := access.In, access.Out
		if gives {
			r.verb, r.phase, r.action, r.method = "give/"+slug, phaseVendors, fmt.Sprintf("give %s to %s", slug, c.Addr), "PUT"
			r.do, r.effects = []string{"Tick: " + slug}, providers.Include(c.Addr, attrVendors, []string{slug})
			from, to = to, from
		}
		for _, role := range []string{roleMember, roleAdmin} {
			r.moves = append(r.moves, access.Move{Kind: access.MoveAttachment, Group: part(c.Addr, role), Source: part(vendorAddr(slug), role), From: from, To: to})
		}
		e.add(c, r)
	}
	for _, slug := range providers.Gained(f.Before, f.After) {
		one(slug, true)
	}
	for _, slug := range providers.Gained(f.After, f.Before) {
		one(slug, false)
	}
}

// teamList sets a team's list for a vendor, or resets it.
func (e *expander) teamList(c *schema.Change, f schema.Field, slug, page string) {
	r := request{verb: "allow/" + slug, phase: phaseTeamLists, action: fmt.Sprintf("allow %s these tools of %s: %s", c.Addr, slug, listText(f.After)), possible: e.session,
		path: e.json("/teams/%s/tool-access/%s", id(c.After), url.PathEscape(slug)), where: page + " › Tool access › " + slug,
		do: []string{"Allow: " + listText(f.After)}, effects: []schema.Effect{{Addr: c.Addr, Attr: f.Name, Op: schema.Put, Value: f.After}}}
	if by := providers.Before(c.Before, attrChangedBy+"."+slug).AsText(); by != "" {
		r.action += " (last changed by " + by + ")"
	}
	r.put(f.After)
	k := e.vendors[slug]
	for _, tool := range slices.Sorted(maps.Keys(k.gateway)) {
		was, is := allows(f.Before, tool, false), allows(f.After, tool, false)
		if f.Before.Kind() == schema.KindUnavailable {
			was = !is
		}
		if was == is {
			continue
		}
		if is {
			r.phase = phaseWidening
		}
		for _, role := range []string{roleMember, roleAdmin} {
			r.moves = append(r.moves, access.Move{Kind: access.MoveListLevel, Group: part(c.Addr, role), Permission: k.gateway[tool], From: levelName(was), To: levelName(is)})
		}
	}
	e.add(c, r)
}

// credentials has a team's credentials for a vendor entered or removed. They
// are a secret, so a person does it; that they are there can be read.
func (e *expander) credentials(c *schema.Change, f schema.Field, slug, page string) {
	was, is := f.Before.AsText() == "team", f.After.AsText() == "team"
	r := request{verb: "credentials/" + slug, phase: phaseCredentials, action: fmt.Sprintf("have %s use its own credentials for %s", c.Addr, slug),
		where: page + " › Credentials › " + slug, do: []string{"Enter the team's credentials for " + slug + "."},
		effects: []schema.Effect{{Addr: c.Addr, Attr: f.Name, Op: schema.Put, Value: f.After}}}
	if !is {
		r.action = fmt.Sprintf("have %s use the organization's credentials for %s", c.Addr, slug)
		r.do = []string{"Remove the team's credentials for " + slug + ", if there are any."}
	}
	if was != is {
		from, to := access.Out, access.In
		if was {
			from, to = to, from
		}
		k := e.vendors[slug]
		for _, tool := range slices.Sorted(maps.Keys(k.gateway)) {
			for _, role := range []string{roleMember, roleAdmin} {
				r.moves = append(r.moves, access.Move{Kind: access.MoveListSpeaks, Group: part(c.Addr, role), Permission: k.gateway[tool], From: from, To: to})
			}
		}
	}
	e.add(c, r)
}

// member sets a person's own vendors in one request, which sends no mail.
func (e *expander) member(c *schema.Change) {
	if c.After == nil {
		return
	}
	for _, f := range c.Fields {
		if f.Name != attrVendors {
			continue
		}
		adds, takes := providers.Gained(f.Before, f.After), providers.Gained(f.After, f.Before)
		r := request{verb: "vendors", phase: phaseVendors, possible: e.session, method: "PUT",
			action: fmt.Sprintf("give %s access of their own to: %s", c.After.Key, strings.Join(f.After.AsSet(), ", ")),
			path:   e.json("/members/%s/server-access", placeholder(c.Addr)),
			body:   map[string][]string{"vendors": append([]string{}, f.After.AsSet()...)},
			where:  "Members › " + c.After.Key + " › Servers", do: []string{"Tick exactly: " + strings.Join(f.After.AsSet(), ", ")},
			effects: []schema.Effect{{Addr: c.Addr, Attr: attrVendors, Op: schema.Put, Value: f.After}}}
		if len(takes) > 0 && len(adds) == 0 {
			r.phase, r.action = phaseRemovals, fmt.Sprintf("take from %s access of their own to: %s", c.After.Key, strings.Join(takes, ", "))
		}
		role := c.After.Get(attrRole).AsText()
		for _, slug := range adds {
			r.moves = append(r.moves, access.Move{Kind: access.MoveAttachment, Group: string(c.Addr), Source: part(vendorAddr(slug), role), From: access.Out, To: access.In})
		}
		for _, slug := range takes {
			r.moves = append(r.moves, access.Move{Kind: access.MoveAttachment, Group: string(c.Addr), Source: part(vendorAddr(slug), role), From: access.In, To: access.Out})
		}
		e.add(c, r)
	}
}
