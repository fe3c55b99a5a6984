package elvex

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// The attributes of objects; those of a group's people are called like the
// roles.
const (
	attrName        = "name"
	attrVisibility  = "visibility"
	attrCompanyRole = "company_role"
	attrValues      = "values"
	attrGroup       = "group"
	attrRole        = "role"
	attrMembers     = "members" // of a mapping: who came in through it; only the ledger has it
	attrShares      = "shares"  // role by the address of a group or member
)

// Describe turns the configuration into objects.
func (s *System) Describe() (*schema.Description, hcl.Diagnostics) {
	d := &describer{providers.NewDescriber(), s, map[string]bool{}}
	for _, b := range s.config.Of("member") {
		if b.Text("company_role", "") == "consumer" {
			d.consumers[strings.ToLower(b.Label)] = true
		}
	}
	for _, b := range s.config.Blocks {
		switch b.Type {
		case "organization":
			o := providers.Start(b, b.Label)
			o.Addr = "organization"
			d.Add(o)
		case "member":
			if o := d.Member(b); o != nil {
				if a := b.Attr("company_role"); a != nil {
					o.Put(attrCompanyRole, schema.Text(a.Text))
				}
				d.Add(o)
			}
		case "group":
			d.group(b)
		case "mapping":
			d.mapping(b)
		case "resource":
			d.resource(b)
		}
	}
	d.Once("group")
	return &d.Description, d.Diags
}

type describer struct {
	*providers.Describer
	*System
	consumers map[string]bool
}

func (d *describer) group(b *schema.Described) {
	o := d.Named(b)
	if a := b.Attr("visibility"); a != nil {
		o.Put(attrVisibility, schema.Text(a.Text))
	}
	listed := map[string]string{} // role by person
	for _, role := range []string{"owner", "editor", "viewer"} {
		a := b.Attr(role)
		if a == nil {
			continue
		}
		d.People(b, o, role)
		for _, item := range a.Items {
			email := strings.ToLower(item.Text)
			switch other, twice := listed[email]; {
			case twice && other != role:
				d.Problem(item.Range, "Two roles in one group", "%s is %s and %s of %s. A person has one role in a group; leave the higher.", email, other, role, b.Addr)
			case role != "viewer" && d.consumers[email]:
				d.Problem(item.Range, "Consumer manages a group", "%s has the company role consumer and cannot be %s of a group. Make them viewer, or give them another company role.", email, role)
			}
			listed[email] = role
		}
	}
	if a := b.Attr("owner"); a != nil && len(a.Items) == 0 {
		if l, ok := a.People.(*schema.Listed); ok && len(l.Emails) == 0 {
			d.Problem(a.Range, "Group without owner", "Somebody has to own %s. List at least one person.", b.Addr)
		}
	}
	d.Add(o)
}

func (d *describer) mapping(b *schema.Described) {
	o := providers.Start(b, b.Label)
	if b.Key != "" {
		o.Key += " " + b.Key
	}
	if a := b.Attr("values"); a != nil {
		if len(a.Items) == 0 {
			d.Problem(a.Range, "Mapping without values", "Nobody comes in through %s. List at least one value, or remove the block.", b.Addr)
		}
		o.Put(attrValues, schema.Set(b.Texts("values")...))
	}
	if a := b.Attr("group"); a != nil {
		o.Put(attrGroup, schema.Text(a.Items[0].Text))
	}
	if a := b.Attr("role"); a != nil {
		o.Put(attrRole, schema.Text(a.Text))
	}
	d.Add(o)
}

func (d *describer) resource(b *schema.Described) {
	o := providers.Start(b, b.Label+" "+b.Second)
	if !slices.Contains(kinds, b.Label) {
		d.Problem(b.LabelRange, "Unknown kind of resource", "There is no %q%s The kinds are: %s.", b.Label, providers.Nearest(b.Label, kinds), strings.Join(kinds, ", "))
	}
	if a := b.Attr("creator"); a != nil {
		if _, err := schema.ParseEmail(a.Text); err != nil {
			d.Problem(a.Range, "Invalid e-mail address", "%v. Correct it.", err)
		}
	}
	if a := b.Attr("visibility"); a != nil {
		if a.Text == "public" && !slices.Contains(publicKinds, b.Label) {
			d.Problem(a.Range, "Cannot be public", "A %s cannot be public; only an %s can. Write \"private\", and share it.", b.Label, strings.Join(publicKinds, " or a "))
		}
		o.Put(attrVisibility, schema.Text(a.Text))
	}
	shares := map[string]string{}
	for _, share := range b.Of("share") {
		d.share(b, share, shares, o)
	}
	if len(b.Of("share")) > 0 {
		o.Put(attrShares, schema.Map(shares))
	}
	d.Add(o)
}

func (d *describer) share(b, share *schema.Described, shares map[string]string, o *schema.Object) {
	group, member := share.Attr("group"), share.Attr("member")
	var with string
	var at hcl.Range
	switch {
	case (group == nil) == (member == nil):
		d.Missing(share.Range, "Unclear share", "A share is with a group or with a member. Write one of the two.")
		return
	case group != nil:
		with, at = group.Items[0].Text, group.Range
	default:
		email, err := schema.ParseEmail(member.Text)
		if err != nil {
			d.Problem(member.Range, "Invalid e-mail address", "%v. Correct it.", err)
			return
		}
		with, at = string(providers.MemberAddress(email)), member.Range
	}
	if _, twice := shares[with]; twice {
		d.Problem(at, "Shared twice", "%s is shared with %s already. Leave one of the two shares.", b.Addr, with)
		return
	}
	shares[with] = share.Text("role", "")
	o.AttrDecl[attrShares+"/"+with] = share.Range
	if _, ok := o.AttrDecl[attrShares]; !ok {
		o.AttrDecl[attrShares] = share.Range
	}
}
