package belay

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// The attributes of objects.
const (
	attrName        = "name"
	attrDescription = "description"
	attrRole        = "claude_role"
	attrMembers     = "members"
	attrConnected   = "connected"
	attrGrant       = "integration." // and the integration's label: the scopes granted
)

// Describe turns the configuration into objects.
func (s *System) Describe() (*schema.Description, hcl.Diagnostics) {
	d := &describer{providers.NewDescriber(), s}
	for _, b := range s.config.Blocks {
		switch b.Type {
		case "organization":
			o := providers.Start(b, b.Label)
			o.Addr = "organization"
			d.Add(o)
		case "integration":
			o := providers.Start(b, b.Label)
			o.Put(attrConnected, schema.Bool(b.Bool("connected", false)))
			d.Add(o)
		case "group":
			d.group(b)
		}
	}
	d.Once("group")
	return &d.Description, d.Diags
}

type describer struct {
	*providers.Describer
	*System
}

func (d *describer) group(b *schema.Described) {
	o := d.Named(b)
	for _, name := range []string{attrDescription, attrRole} {
		if a := b.Attr(name); a != nil {
			o.Put(name, schema.Text(a.Text))
		}
	}
	d.People(b, o, attrMembers)
	grants := b.Of("integration")
	if len(grants) > 0 {
		for label := range d.catalogue {
			o.Put(attrGrant+label, schema.Absent)
		}
	}
	for _, g := range grants {
		scopes := d.scopes(g)
		if len(scopes) > 0 {
			o.Put(attrGrant+g.Label, schema.Set(scopes...))
		}
		o.AttrDecl[attrGrant+g.Label] = g.Where("scopes")
	}
	d.Add(o)
}

// scopes returns the scopes of one grant, and reports those that cannot be
// granted.
func (d *describer) scopes(g *schema.Described) []string {
	catalogue, known := d.catalogue[g.Label]
	if !known {
		d.Problem(g.LabelRange, "Unknown integration", "No integration block is called %q%s Correct the name, or add the block.",
			g.Label, providers.Nearest(g.Label, slices.Sorted(maps.Keys(d.catalogue))))
		return nil
	}
	a := g.Attr("scopes")
	if a == nil {
		return nil
	}
	var list []string
	for _, item := range a.Items {
		switch _, ok := catalogue[item.Text]; {
		case !ok:
			d.Problem(item.Range, "Unknown scope", "integration.%s has no scope %q%s Its scopes are: %s. Correct it, or add it to scopes in the integration's block with its class.",
				g.Label, item.Text, providers.Nearest(item.Text, slices.Sorted(maps.Keys(catalogue))), strings.Join(slices.Sorted(maps.Keys(catalogue)), ", "))
		case slices.Contains(list, item.Text):
			d.Problem(item.Range, "Scope listed twice", "%s is already in this list. Remove one of the two.", item.Text)
		default:
			list = append(list, item.Text)
		}
	}
	if len(list) > 0 && !d.connected(g.Label) {
		d.Problem(a.Range, "Integration not connected", "integration.%s says connected = false, so nobody could use these scopes and the dashboard does not offer them. Connect it, or write scopes = [].", g.Label)
	}
	return list
}

func (d *describer) connected(label string) bool {
	return slices.ContainsFunc(d.config.Of("integration"), func(b *schema.Described) bool { return b.Label == label && b.Bool("connected", false) })
}

// grants returns what a group is granted: scopes by integration label.
func grants(o *schema.Object) map[string]schema.Value {
	m := map[string]schema.Value{}
	for name, v := range o.Attrs {
		if label, ok := strings.CutPrefix(name, attrGrant); ok && len(v.AsSet()) > 0 {
			m[label] = v
		}
	}
	return m
}
