package conduit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// The attributes of objects. A list of tools is a set, or the text inherit for
// no list.
const (
	attrName         = "name"
	attrMembers      = "members"
	attrVendors      = "vendors"       // slugs
	attrAllowed      = "allowed"       // of the organization, for members; and "allowed.<slug>" of a team
	attrAllowedAdmin = "allowed_admin" // of the organization, for administrators
	attrCredentials  = "credentials."  // and the slug: team or organization
	attrTools        = "tools"         // that the service discovered
	attrRole         = "organization_role"
	attrSCIM         = "scim"    // of the organization: there is a token
	attrSession      = "session" // of the organization: there is a session

	// What the service says of the last change of a list, for show only.
	attrChangedBy = "changed_by" // and "changed_by.<slug>" of a team: "who, when"
)

const inherit = "inherit"

// allowedOf returns the attribute with a team's list for a vendor.
func allowedOf(slug string) string { return attrAllowed + "." + slug }

// Describe turns the configuration into objects.
func (s *System) Describe() (*schema.Description, hcl.Diagnostics) {
	d := &describer{providers.NewDescriber(), s, map[string]schema.Address{}}
	d.Description.Unmanaged = map[string]string{"team": "report"}
	for _, b := range s.config.Blocks {
		switch b.Type {
		case "organization":
			o := providers.Start(b, b.Label)
			o.Addr, o.ID = "organization", b.Text("id", "")
			for _, api := range b.Of("api") {
				if api.Attr("emulator") != nil && api.Attr("endpoint") != nil {
					d.Problem(api.Where("emulator"), "Emulator and endpoint", "An organization is reached through an endpoint or through the embedded emulator. Remove one of the two.")
				}
			}
			d.Add(o)
		case "vendor":
			d.vendor(b)
		case "team":
			d.team(b)
		case "member":
			d.member(b)
		}
	}
	d.Once("team")
	return &d.Description, d.Diags
}

type describer struct {
	*providers.Describer
	*System
	teamOf map[string]schema.Address
}

// list reads allowed of a block; ok is false if it is not written.
func (d *describer) list(b *schema.Described) (v schema.Value, at hcl.Range, ok bool) {
	a := b.Attr("allowed")
	switch {
	case a == nil:
		return v, b.Range, false
	case a.Text == inherit:
		return schema.Text(inherit), a.Range, true
	}
	var tools []string
	for _, item := range a.Items {
		switch {
		case item.Text == "":
			d.Problem(item.Range, "Tool without name", "An empty name is no tool. Remove it.")
		case slices.Contains(tools, item.Text):
			d.Problem(item.Range, "Tool listed twice", "%s is already in this list, and the service refuses such a list whole. Remove one of the two.", item.Text)
		default:
			tools = append(tools, item.Text)
		}
	}
	if len(a.Items) == 0 {
		d.Problem(a.Range, "Empty allowlist", "The service stores an empty list as no list, which allows every tool. Name what is allowed, or take the vendor itself away; to allow everything write allowed = inherit.")
		return v, a.Range, false
	}
	return schema.Set(tools...), a.Range, len(tools) > 0
}

func (d *describer) vendor(b *schema.Described) {
	o := providers.Start(b, b.Label)
	if v, at, ok := d.list(b); ok {
		o.Put(attrAllowed, v)
		o.Put(attrAllowedAdmin, v)
		o.AttrDecl[attrAllowed], o.AttrDecl[attrAllowedAdmin] = at, at
	}
	d.Add(o)
}

func (d *describer) knownVendor(slug string, at hcl.Range) bool {
	if _, ok := d.vendors[slug]; ok {
		return true
	}
	d.Problem(at, "Unknown vendor", "No vendor block is called %q%s Correct the name, or add the block.", slug, providers.Nearest(slug, d.slugs()))
	return false
}

func (d *describer) team(b *schema.Described) {
	o := d.Named(b)
	d.People(b, o, attrMembers)
	if a := b.Attr("members"); a != nil {
		for _, item := range a.Items {
			email := strings.ToLower(item.Text)
			if other, twice := d.teamOf[email]; twice && other != b.Addr {
				d.Problem(item.Range, "In two teams", "%s is in %s too. With two teams the list of neither narrows what a member can use. Leave them in one.", email, other)
				continue
			}
			d.teamOf[email] = b.Addr
		}
	}
	var slugs []string
	for _, v := range b.Of("vendor") {
		if !d.knownVendor(v.Label, v.LabelRange) {
			continue
		}
		slugs = append(slugs, v.Label)
		if a := v.Attr("credentials"); a != nil {
			o.Put(attrCredentials+v.Label, schema.Text(a.Text))
			o.AttrDecl[attrCredentials+v.Label] = a.Range
		}
		if list, at, ok := d.list(v); ok {
			o.Put(allowedOf(v.Label), list)
			o.AttrDecl[allowedOf(v.Label)] = at
		}
	}
	if len(b.Of("vendor")) > 0 {
		o.Put(attrVendors, schema.Set(slugs...))
		o.AttrDecl[attrVendors] = b.Of("vendor")[0].Range
	}
	d.Add(o)
}

func (d *describer) member(b *schema.Described) {
	o := d.Member(b)
	if o == nil {
		return
	}
	if a := b.Attr("vendors"); a != nil {
		for _, item := range a.Items {
			d.knownVendor(item.Text, item.Range)
		}
		o.Put(attrVendors, schema.Set(b.Texts("vendors")...))
	}
	d.Add(o)
}

// Check finds lists that do nothing or less than they seem to, people in two
// teams, and members who go around their team.
func (s *System) Check(in schema.Inspection) []schema.Finding {
	var found []schema.Finding
	teams := map[string][]string{}
	for _, t := range in.Desired.Of("team") {
		for _, email := range t.Get(attrMembers).AsSet() {
			teams[email] = append(teams[email], string(t.Addr))
		}
		for _, slug := range t.Get(attrVendors).AsSet() {
			found = append(found, s.checkList(in, t, slug)...)
		}
	}
	for _, m := range in.Desired.Of("member") {
		if list := teams[m.Key]; len(list) > 1 {
			t := in.Desired.Objects[schema.Address(list[len(list)-1])]
			found = append(found, schema.Finding{Rule: "team-of-two", Address: t.Addr, Range: t.Where(attrMembers), Members: []string{m.Key},
				Message: fmt.Sprintf("%s is in %s: with two teams the list of neither narrows what they can use", m.Key, strings.Join(list, " and ")),
				Fix:     "leave them in one"})
		}
	}
	for _, v := range in.Desired.Of("vendor") {
		tools := s.toolsOf(v)
		list := v.Get(attrAllowed)
		if list.Kind() != schema.KindSet || len(tools) == 0 {
			continue
		}
		var dead []string
		for _, t := range list.AsSet() {
			if !slices.Contains(tools, t) {
				dead = append(dead, t)
			}
		}
		if len(dead) > 0 {
			found = append(found, schema.Finding{Rule: "dead-allowlist-entry", Address: v.Addr, Range: v.Where(attrAllowed),
				Message: fmt.Sprintf("the list of %s allows %s, which the vendor does not have", v.Addr, strings.Join(dead, ", ")), Fix: "correct the names, or remove them"})
		} else if len(list.AsSet()) == len(tools) && v.Described() {
			found = append(found, schema.Finding{Rule: "full-allowlist", Address: v.Addr, Range: v.Where(attrAllowed),
				Message: fmt.Sprintf("the list of %s names every tool there is today, so tools that are added later are blocked", v.Addr), Fix: "write allowed = inherit to allow them all, or leave some out"})
		}
	}
	return found
}

// checkList looks at the list of one team for one vendor.
func (s *System) checkList(in schema.Inspection, t *schema.Object, slug string) []schema.Finding {
	list := t.Get(allowedOf(slug))
	if list.Kind() != schema.KindSet || !t.Described() {
		return nil
	}
	v := in.Desired.Objects[schema.MakeAddress("vendor", slug, "")]
	about := []schema.Address{schema.MakeAddress("vendor", slug, "")}
	var found []schema.Finding
	org := providers.Before(v, attrAllowed)
	var dead, works []string
	for _, tool := range list.AsSet() {
		if org.Kind() == schema.KindSet && !org.Has(tool) {
			dead = append(dead, tool)
		} else {
			works = append(works, tool)
		}
	}
	at := t.Where(allowedOf(slug))
	switch {
	case len(works) == 0:
		found = append(found, schema.Finding{Rule: "team-without-tools", Address: t.Addr, About: about, Range: at, Members: t.Get(attrMembers).AsSet(),
			Message: fmt.Sprintf("the list of %s for %s and that of the organization have nothing in common, so the team can use no tool of it", t.Addr, slug), Fix: "allow one in both"})
	case len(dead) > 0:
		found = append(found, schema.Finding{Rule: "dead-allowlist-entry", Address: t.Addr, About: about, Range: at,
			Message: fmt.Sprintf("the list of %s for %s allows %s, which the organization blocks", t.Addr, slug, strings.Join(dead, ", ")), Fix: "remove them, or allow them in vendor." + slug + " too"})
	}
	if s.vendors[slug].personal && t.Get(attrCredentials+slug).AsText() == "team" {
		wider := false
		for _, tool := range s.toolsOf(v) {
			wider = wider || (org.Kind() != schema.KindSet || org.Has(tool)) && !list.Has(tool)
		}
		if wider {
			found = append(found, schema.Finding{Rule: "personal-bypass", Address: t.Addr, About: about, Range: at, Members: t.Get(attrMembers).AsSet(),
				Message: fmt.Sprintf("members of %s who use credentials of their own for %s are not held by the team's list", t.Addr, slug), Fix: "narrow allowed in vendor." + slug + ", or write personal = \"ignore\" there"})
		}
	}
	return found
}
