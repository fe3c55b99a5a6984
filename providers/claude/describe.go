package claude

import (
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/rolecall/rolecall/schema"
)

// The attributes of objects, where they are not called as in the language.
const (
	attrEnabled          = "enabled"
	attrName             = "name"
	attrDescription      = "description"
	attrCapabilities     = "capabilities"
	attrAdmin            = "admin_permissions"
	attrConnectorDefault = "connector_default"
	attrConnectors       = "connectors"      // levels above blocked, by connector label
	attrTools            = "tools"           // levels above blocked, by "label.tool"
	attrBelow            = "below_default"   // connectors held under the role's default, which no row shows
	attrAssumed          = "assumed"         // of a live role: capabilities of features that are off and stay off, which are taken for granted since no read can show them
	attrUnsure           = "unsure_below"    // of a live role: levels under its default that may be in force, and were not confirmed
	attrOtherRows        = "other_rows"      // of a live role: rows that the language cannot say
	attrRoles            = "roles"           // addresses
	attrForeignRoles     = "foreign_roles"   // ids of roles of other organizations
	attrMembers          = "members"         // e-mail addresses of this organization's people
	attrForeignMembers   = "foreign_members" // how many people of other organizations
	attrSource           = "source"          // direct or scim
	attrOrganizationRole = "organization_role"
	attrLimit            = "spend_limit.monthly" // minor units, or "unlimited"
	attrProvisioning     = "provisioning"
	attrPolicy           = "policy"
	attrToolPolicy       = "tool_policy"
	attrCeiling          = "spend_ceiling.monthly" // of the whole organization
	attrEnforced         = "enforced.monthly"      // a group's limit that is set as an individual limit of each member
	attrOtherLimits      = "other_limits"          // of live spend: limits of scopes and periods that the language cannot say
	attrLimitID          = "spend_limit.id"        // of a live limit, to delete it by
	attrPrecedence       = "spend_precedence"      // lowest or highest
	attrExcludes         = "excludes"              // capabilities that a seat does not have
	attrInstall          = "install"               // of a plugin or a marketplace; absent where it inherits
	attrMarketplace      = "marketplace"           // id of the marketplace that a plugin is in
	attrReach            = "reach"                 // what a plugin's code can touch: contained, privileged, remote
	attrGroups           = "groups"                // addresses of the groups that an invited person joins
	attrRole             = "role"                  // of a role mapping
	attrPlugin           = "plugin."               // and a label: what a group has of a plugin; absent where it inherits
	attrRemoved          = schema.Removed
	attrAddedAt          = "added_at" // when a member joined, as the API writes it
)

// The organization roles.
//
// Source: anthropic-sdk-go v1.84.0, BetaOrganizationUser.Role, as far as
// Claude Enterprise uses them; read 2026-11-22.
const (
	roleUser            = "user"
	roleManaged         = "managed"
	roleMembershipAdmin = "membership_admin"
	roleOwner           = "owner"
	rolePrimaryOwner    = "primary_owner"
)

// administrators are the organization roles that the API neither changes nor
// removes.
var administrators = []string{roleOwner, rolePrimaryOwner, roleMembershipAdmin}

// System is Claude Enterprise for one configuration.
type System struct {
	config     *schema.Config
	words      *vocabulary
	connectors map[string]string // label to id
	labels     map[string]string // id to label
	perms      bool              // connector permissions are on
	settle     time.Duration
	precedence string
	limits     string            // what is made of individual limits that nothing explains
	invites    string            // what is made of invites that no block describes
	removed    [][]string        // those who are to be removed, each with all their addresses
	plugins    map[string]string // label to id
	pluginOf   map[string]string // id to label
	previews   map[string]bool   // labels of features that are in beta or preview, which all_ga does not cover
}

// New returns Claude Enterprise for the configuration c.
func New(c *schema.Config) *System {
	s := &System{config: c, words: newVocabulary(), connectors: map[string]string{}, labels: map[string]string{}, perms: true,
		settle: 15 * time.Minute, precedence: "lowest", limits: "ignore", plugins: map[string]string{}, pluginOf: map[string]string{}, previews: map[string]bool{}}
	for _, b := range c.Of("organization") {
		s.perms = b.Text("connector_permissions", "on") == "on"
		s.precedence = b.Text("spend_precedence", "lowest")
		if d, err := time.ParseDuration(b.Text("settle", "")); err == nil {
			s.settle = d
		}
		for _, u := range b.Of("unmanaged") {
			s.limits, s.invites = u.Text("limits", "ignore"), u.Text("invites", "ignore")
		}
	}
	for _, b := range c.Of("member") {
		if b.Bool("remove", false) {
			s.removed = append(s.removed, lower(append(b.Texts("previous_emails"), b.Label)))
		}
	}
	for _, b := range c.Of("feature") {
		known, ok := s.words.byLabel[b.Label]
		if !ok {
			known = capability{label: b.Label, title: b.Label, action: b.Label, setting: b.Label + "_enabled"}
		}
		known.action = b.Text("action", known.action)
		known.setting = b.Text("setting", known.setting)
		s.words.add(known)
		s.previews[b.Label] = b.Bool("preview", false)
	}
	for _, b := range c.Of("connector") {
		id := b.Text("id", "")
		s.connectors[b.Label], s.labels[id] = id, b.Label
	}
	for _, b := range c.Of("plugin") {
		id := b.Text("id", "")
		s.plugins[b.Label], s.pluginOf[id] = id, b.Label
	}
	return s
}

// describer collects what the configuration asks for, and what is wrong with
// it.
type describer struct {
	*System
	d     *schema.Description
	diags hcl.Diagnostics
	seats bool // billing = "seats": no spend limits
}

// Describe turns the configuration into objects.
func (s *System) Describe() (*schema.Description, hcl.Diagnostics) {
	d := &describer{System: s, d: &schema.Description{Unmanaged: map[string]string{"role": "report", "group": "report"}, Owners: map[schema.Address][]string{}}}
	for _, b := range s.config.Of("organization") {
		d.seats = b.Text("billing", "usage") == "seats"
	}
	for _, b := range s.config.Blocks {
		switch b.Type {
		case "organization":
			d.organization(b)
		case "connector":
			d.connector(b)
		case "feature":
			o := object(b, b.Text("action", s.words.action(b.Label)))
			o.Put(attrEnabled, schema.Bool(b.Bool("enabled", false)))
			d.add(o)
		case "role":
			d.role(b)
		case "group":
			d.group(b)
		case "member":
			d.member(b)
		case "migration":
			d.migration(b)
		case "seat_tier":
			d.seatTier(b)
		case "plugin":
			o := object(b, b.Text("id", ""))
			if a := b.Attr("install"); a != nil {
				o.Put(attrInstall, installation(a.Text))
			}
			d.add(o)
		case "marketplace":
			o := object(b, b.Text("id", ""))
			if a := b.Attr("install"); a != nil {
				o.Put(attrInstall, schema.Text(a.Text))
			}
			d.add(o)
		case "role_mapping":
			d.roleMapping(b)
		case "approval":
			d.approval(b)
		}
	}
	d.twins()
	return d.d, d.diags
}

func (d *describer) add(o *schema.Object) { d.d.Objects = append(d.d.Objects, o) }

// problem reports an error; detail ends in what to do.
func (d *describer) problem(at hcl.Range, summary, detail string, args ...any) {
	d.diags = append(d.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at,
	})
}

// warn reports something that does no harm and nothing else either.
func (d *describer) warn(at hcl.Range, summary, detail string, args ...any) {
	d.problem(at, summary, detail, args...)
	d.diags[len(d.diags)-1].Severity = hcl.DiagWarning
}

// missing reports an error about something that is not there.
func (d *describer) missing(at hcl.Range, summary, detail string, args ...any) {
	d.problem(at, summary, detail, args...)
	d.diags[len(d.diags)-1].Extra = schema.MayFollow{}
}

// object starts the object that b describes.
func object(b *schema.Described, key string) *schema.Object {
	o := &schema.Object{Type: b.Type, Addr: b.Addr, Key: key, ID: b.Text("id", ""), Keys: slices.Concat(b.Texts("previous_names"), b.Earlier),
		Decl: b.Range, AttrDecl: map[string]hcl.Range{}, Attrs: map[string]schema.Value{}}
	for name, a := range b.Attrs {
		o.AttrDecl[name] = a.Range
	}
	return o
}

// provisioning modes as the language writes them and as the API does; both
// spellings of the API are accepted too.
var provisioning = map[string]string{
	"invite": "login_only", "jit": "jit_permissive", "jit_mapped": "jit_advanced",
	"scim": "scim_permissive", "scim_mapped": "scim_advanced",
}

func (d *describer) organization(b *schema.Described) {
	o := object(b, b.Label)
	o.Addr, o.ID = "organization", b.Text("id", "")
	if p := b.Text("provisioning", ""); p != "" {
		o.Put(attrProvisioning, schema.Text(provisioning[p]))
	}
	if a := b.Attr("settle"); a != nil {
		if t, err := time.ParseDuration(a.Text); err != nil || t < 0 {
			d.problem(a.Range, "Invalid duration", "%q is not a duration. Write for example \"15m\" or \"90s\".", a.Text)
		}
	}
	if a := b.Attr("id"); a != nil && !uuid.MatchString(a.Text) {
		d.problem(a.Range, "Invalid organization id", "%q is not a UUID. Copy the organization's id from its settings page, or leave it out.", a.Text)
	}
	if b.Text("invites", "report") == "send" {
		d.d.Invites = &schema.Invites{Attr: attrOrganizationRole, Value: schema.Text(roleUser), Impossible: noInvites}
	}
	for _, api := range b.Of("api") {
		if api.Attr("emulator") != nil && api.Attr("endpoint") != nil {
			d.problem(api.Where("emulator"), "Emulator and endpoint", "An organization is reached through an endpoint or through the embedded emulator. Remove one of the two.")
		}
	}
	for _, u := range b.Of("unmanaged") {
		for attr, typ := range map[string]string{"roles": "role", "groups": "group", "members": "member", "invites": "invite"} {
			if v := u.Text(attr, ""); v != "" {
				d.d.Unmanaged[typ] = v
			}
		}
	}
	d.add(o)
	d.spending(b)
}

// spending is what limits everybody's spend: an object of its own, because it
// can be changed and what else is said of the organization cannot.
func (d *describer) spending(b *schema.Described) {
	o := object(b, "organization")
	o.Type, o.Addr, o.ID = "spend", spendAddress, ""
	d.limit(b, o)
	for _, c := range b.Of("spend_ceiling") {
		if d.seats {
			d.noLimits(c)
		} else if a := c.Attr("monthly"); a != nil {
			d.amount(a, o, attrCeiling)
		}
	}
	if a := b.Attr("spend_precedence"); a != nil {
		o.Put(attrPrecedence, schema.Text(a.Text))
	}
	if len(o.Attrs) > 0 {
		d.add(o)
	}
}

// spendAddress is the address of what limits everybody's spend.
var spendAddress = schema.MakeAddress("spend", "organization", "")

// noInvites returns why nobody can be invited.
//
// Source: Admin API reference, invites: every invite is refused while the
// organization provisions by JIT or SCIM; read 2026-11-22.
func noInvites(live *schema.State) string {
	if o := live.Objects["organization"]; o != nil {
		switch mode := o.Get(attrProvisioning).AsText(); {
		case strings.HasPrefix(mode, "jit_"):
			return "people come in by signing in through the identity provider, so nobody can be invited"
		case strings.HasPrefix(mode, "scim_"):
			return "the identity provider decides who is a member, so nobody can be invited"
		}
	}
	return ""
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func (d *describer) connector(b *schema.Described) {
	o := object(b, b.Text("id", ""))
	o.Put(attrTools, schema.Set(b.Texts("tools")...))
	if a := b.Attr("policy"); a != nil {
		o.Put(attrPolicy, schema.Text(a.Text))
	}
	if a := b.Attr("tool_policy"); a != nil {
		policy := map[string]string{}
		for tool, item := range a.Entries {
			policy[tool] = item.Text
			d.knownTool(b.Label, tool, item.Range)
		}
		o.Put(attrToolPolicy, schema.Map(policy))
	}
	d.add(o)
}

// knownTool reports a tool that its connector block does not list; a connector
// that lists no tools takes any.
func (d *describer) knownTool(label, tool string, at hcl.Range) {
	for _, c := range d.config.Of("connector") {
		if c.Label == label && c.Attr("tools") != nil && !slices.Contains(c.Texts("tools"), tool) {
			d.problem(at, "Unknown tool", "connector.%s lists no tool %q. Its tools are: %s. Correct the name, or add it to the list.",
				label, tool, strings.Join(c.Texts("tools"), ", "))
		}
	}
}

func (d *describer) role(b *schema.Described) {
	o := object(b, b.Text("name", b.Label))
	if b.Key != "" && b.Attr("name") == nil {
		o.Key = b.Label + " " + b.Key
	}
	if b.Bool("builtin", false) {
		if o.ID == "" {
			d.missing(b.Where("builtin"), "Built-in role without id", "A role of the vendor's own may be renamed at any time. Give its id.")
		}
		d.add(o)
		return
	}
	d.name(b, o)
	if a := b.Attr("description"); a != nil {
		o.Put(attrDescription, schema.Text(a.Text))
	}
	if a := b.Attr("capabilities"); a != nil {
		d.capabilities(b, a, o)
	}
	if a := b.Attr("admin_permissions"); a != nil {
		d.adminPermissions(a, o)
	}
	d.connectorLevels(b, o)
	d.add(o)
}

func (d *describer) name(b *schema.Described, o *schema.Object) {
	if n := len(o.Key); n < 1 || n > 255 {
		d.problem(b.Where("name"), "Invalid name", "A name has 1 to 255 characters; this one has %d. Choose another.", n)
	}
	o.Put(attrName, schema.Text(o.Key))
}

func (d *describer) capabilities(b *schema.Described, a *schema.Attribute, o *schema.Object) {
	var labels []string
	for _, item := range a.Items {
		_, known := d.words.byLabel[item.Text]
		blanket := item.Text == labelAll || item.Text == labelAllGA
		switch {
		case !known && !blanket:
			d.problem(item.Range, "Unknown capability", "No feature is called %q%s Correct the name, or add a block: feature %q with enabled and action.",
				item.Text, d.nearest(item.Text), item.Text)
		case slices.Contains(labels, item.Text):
			d.problem(item.Range, "Capability listed twice", "%s is already in this list. Remove one of the two.", item.Text)
		case blanket && len(a.Items) > 1:
			d.problem(item.Range, "Blanket among capabilities", "%q covers what stands beside it. Write it alone, or list the capabilities.", item.Text)
		default:
			labels = append(labels, item.Text)
		}
	}
	o.Put(attrCapabilities, schema.Set(labels...))
}

func (d *describer) nearest(label string) string {
	known := make([]string, 0, len(d.words.byLabel))
	for l := range d.words.byLabel {
		known = append(known, l)
	}
	slices.Sort(known)
	if n := schema.Nearest(label, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return "."
}

func (d *describer) adminPermissions(a *schema.Attribute, o *schema.Object) {
	levels := map[string]string{}
	for area, item := range a.Entries {
		i := slices.Index(areaNames(), area)
		switch {
		case i < 0: // reported with the areas that there are
		case !slices.Contains(adminAreas[i].levels, item.Text):
			d.problem(item.Range, "Level not offered", "%s can only be granted as %s. Write that.", adminAreas[i].title, strings.Join(adminAreas[i].levels, " or "))
		default:
			levels[area] = item.Text
		}
	}
	o.Put(attrAdmin, schema.Map(levels))
}

// connectorLevels reads connector_default and the connector blocks of a role.
// What is under the default is kept apart, because no row of the API says it.
func (d *describer) connectorLevels(b *schema.Described, o *schema.Object) {
	blocks := b.Of("connector")
	if !d.perms {
		if a := b.Attr("connector_default"); a != nil {
			d.problem(a.Range, "Connector permissions are off", "The organization says connector_permissions = \"off\". Remove this, or switch them on there.")
		}
		for _, c := range blocks {
			d.problem(c.Range, "Connector permissions are off", "The organization says connector_permissions = \"off\". Remove this block, or switch them on there.")
		}
		return
	}
	def := b.Attr("connector_default")
	if def == nil && len(blocks) == 0 {
		return
	}
	base := "custom"
	if def != nil {
		base = def.Text
		if base == "blocked" { // the rows are the same: none
			base = "custom"
		}
		o.Put(attrConnectorDefault, schema.Text(base))
		if def.Text != "custom" {
			d.state(b.Addr, "connector.*", def.Text, true, def.Range)
		}
	}
	connectors, tools, below := map[string]string{}, map[string]string{}, map[string]string{}
	for _, c := range blocks {
		if _, ok := d.connectors[c.Label]; !ok {
			d.problem(c.LabelRange, "Unknown connector", "No connector block is called %q%s Correct the name, or add the block.", c.Label, didYouMean(c.Label, d.connectors))
			continue
		}
		d.connectorBlock(b, c, base, connectors, tools, below)
	}
	o.Put(attrConnectors, schema.Map(connectors))
	o.Put(attrTools, schema.Map(tools))
	o.Put(attrBelow, schema.Map(below))
}

func (d *describer) connectorBlock(b, c *schema.Described, base string, connectors, tools, below map[string]string) {
	level, named := c.Attr("access"), c.Attr("tools")
	switch {
	case level != nil && named != nil:
		d.problem(c.Range, "Both access and tools", "access speaks for all tools of the connector, tools for some. Write one of the two.")
	case level == nil && named == nil:
		d.missing(c.Range, "Empty connector block", "Write access for all tools of the connector, or tools for some of them.")
	case level != nil:
		d.state(b.Addr, permConnector(c.Label)+".*", level.Text, false, level.Range)
		if level.Text != "blocked" {
			connectors[c.Label] = level.Text
		}
		if levelOf(level.Text) < levelOf(base) {
			below[c.Label] = level.Text
		}
	default:
		for tool, item := range named.Entries {
			d.knownTool(c.Label, tool, item.Range)
			d.state(b.Addr, permTool(c.Label, tool), item.Text, false, item.Range)
			if item.Text != "blocked" {
				tools[c.Label+"."+tool] = item.Text
			}
		}
		if levelOf(base) > 0 {
			below[c.Label] = "custom"
		}
	}
}

func (d *describer) state(source schema.Address, perm, level string, def bool, at hcl.Range) {
	d.d.Statements = append(d.d.Statements, schema.Statement{Source: source, Permission: perm, Level: level, Default: def, Decl: at})
}

// levelOf returns the position of a connector level; custom gives nothing.
func levelOf(level string) int { return max(slices.Index(connectorLevels, level), 0) }

func (d *describer) group(b *schema.Described) {
	o := object(b, b.Text("name", b.Label))
	if b.Key != "" && b.Attr("name") == nil {
		o.Key = b.Label + " " + b.Key
	}
	d.name(b, o)
	scim := b.Text("source", "direct") == "scim"
	if a := b.Attr("source"); a != nil {
		o.Put(attrSource, schema.Text(a.Text))
	}
	if a := b.Attr("roles"); a != nil {
		o.Put(attrRoles, schema.Set(b.Texts("roles")...))
	}
	if a := b.Attr("members"); a != nil {
		if scim {
			d.problem(a.Range, "Members of a scim group", "The identity provider owns the members of %s. Remove members, and change them there.", b.Addr)
		} else {
			o.People = map[string]schema.People{attrMembers: a.People}
			for _, item := range a.Items {
				o.AttrDecl[attrMembers+"/"+item.Text] = item.Range
			}
		}
	}
	if a := b.Attr("owners"); a != nil {
		for _, item := range a.Items {
			if _, err := schema.ParseEmail(item.Text); err != nil {
				d.problem(item.Range, "Invalid e-mail address", "%v. Correct it.", err)
			}
		}
		d.d.Owners[b.Addr] = lower(b.Texts("owners"))
	}
	d.limit(b, o)
	for _, p := range b.Of("plugin") {
		if _, ok := d.plugins[p.Label]; !ok {
			d.missing(p.LabelRange, "Unknown plugin", "No plugin block is called %q%s Correct the name, or add the block.", p.Label, didYouMean(p.Label, d.plugins))
			continue
		}
		if a := p.Attr("install"); a != nil {
			o.Put(attrPlugin+p.Label, installation(a.Text))
			o.AttrDecl[attrPlugin+p.Label] = a.Range
		}
	}
	for _, t := range b.Of("temporary") {
		d.temporary(b, t, scim)
	}
	d.add(o)
}

// installation returns the value of a plugin's setting.
func installation(s string) schema.Value {
	if s == inherited {
		return schema.Absent
	}
	return schema.Text(s)
}

// temporary reads a membership that ends by itself.
func (d *describer) temporary(group, t *schema.Described, scim bool) {
	email, err := schema.ParseEmail(t.Label)
	switch {
	case err != nil:
		d.problem(t.LabelRange, "Invalid e-mail address", "%v. Correct the label.", err)
	case scim:
		d.problem(t.Range, "Members of a scim group", "The identity provider owns the members of %s. Remove this block, and change them there.", group.Addr)
	case group.Attr("members") == nil:
		d.missing(t.Range, "Temporary member of unmanaged members", "%s does not say who is in it, so nobody can be taken out of it. Write members too.", group.Addr)
	default:
		d.d.Temporaries = append(d.d.Temporaries, schema.Temporary{Group: group.Addr, Email: email,
			Until: schema.Day(t.Text("until", "")), Reason: t.Text("reason", ""), Decl: t.Range})
	}
}

// seatTier reads who has a seat, and what it excludes.
func (d *describer) seatTier(b *schema.Described) {
	o := object(b, b.Text("id", b.Label))
	o.ID = "" // the API has no id for it, only a name
	var labels []string
	if a := b.Attr("excludes"); a != nil {
		for _, item := range a.Items {
			if _, known := d.words.byLabel[item.Text]; !known {
				d.problem(item.Range, "Unknown capability", "No feature is called %q%s Correct the name, or add a block: feature %q with enabled and action.",
					item.Text, d.nearest(item.Text), item.Text)
				continue
			}
			labels = append(labels, item.Text)
		}
	}
	o.Put(attrExcludes, schema.Set(labels...))
	if a := b.Attr("members"); a != nil {
		o.People = map[string]schema.People{attrMembers: a.People}
		for _, item := range a.Items {
			o.AttrDecl[attrMembers+"/"+item.Text] = item.Range
		}
	}
	d.limit(b, o)
	d.add(o)
}

// roleMapping reads a mapping of the identity provider, which only makes sense
// where mappings decide.
func (d *describer) roleMapping(b *schema.Described) {
	o := object(b, b.Label)
	o.Put(attrRole, schema.Text(b.Text("role", "")))
	for _, org := range d.config.Of("organization") {
		if a := org.Attr("provisioning"); a != nil && !strings.HasSuffix(provisioning[a.Text], "_advanced") {
			d.warn(b.Range, "Role mapping without mappings", "Under provisioning = %q the identity provider decides no organization role, so this block does nothing. Remove it, or write jit_mapped or scim_mapped if that is how it is.", a.Text)
			return
		}
	}
	d.add(o)
}

// approval checks a rule for requests; it describes nothing live.
func (d *describer) approval(b *schema.Described) {
	if d.seats {
		d.noLimits(b)
	}
	for _, name := range []string{"ceiling", "step"} {
		if a := b.Attr(name); a != nil {
			o := &schema.Object{}
			if d.amount(a, o, name); name == "step" && o.Get(name).AsText() == "0" {
				d.problem(a.Range, "Step of nothing", "A step of 0 grants nothing. Write an amount, or leave step out to grant up to the ceiling.")
			}
		}
	}
}

func didYouMean(name string, known map[string]string) string {
	if n := schema.Nearest(name, slices.Sorted(maps.Keys(known))); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return "."
}

func lower(list []string) []string {
	for i := range list {
		list[i] = strings.ToLower(list[i])
	}
	return list
}

func (d *describer) member(b *schema.Described) {
	email, err := schema.ParseEmail(b.Label)
	if err != nil {
		d.problem(b.LabelRange, "Invalid e-mail address", "%v. Correct the label.", err)
		return
	}
	o := object(b, email)
	o.Addr = memberAddress(email) // addresses are in lower case, however they are written
	o.Keys = lower(b.Texts("previous_emails"))
	if b.Bool("remove", false) {
		o.Put(attrRemoved, schema.Bool(true))
		if len(b.Blocks) > 0 {
			d.problem(b.Blocks[0].Range, "Limit of a removed member", "%s is to be removed, so a limit says nothing. Remove one of the two.", email)
		}
	}
	d.limit(b, o)
	d.add(o)
}

// noLimits reports a block about spend where there are no spend limits.
func (d *describer) noLimits(b *schema.Described) {
	d.problem(b.Range, "Spend limit under seat billing", "The organization says billing = \"seats\", where there are no spend limits. Remove this block.")
}

// amount reads an amount into minor units.
func (d *describer) amount(a *schema.Attribute, o *schema.Object, attr string) {
	minor, err := minorUnits(a.Text)
	if err != nil {
		d.problem(a.Range, "Invalid amount", "%v.", err)
		return
	}
	o.Put(attr, schema.Text(minor))
	if o.AttrDecl != nil {
		o.AttrDecl[attr] = a.Range
	}
}

// limit reads a spend_limit block into minor units.
func (d *describer) limit(b *schema.Described, o *schema.Object) {
	for _, l := range b.Of("spend_limit") {
		if d.seats {
			d.noLimits(l)
			continue
		}
		monthly, n := l.Attr("monthly"), 0
		for _, set := range []bool{monthly != nil, l.Bool("unlimited", false), l.Bool("inherit", false)} {
			if set {
				n++
			}
		}
		if n != 1 {
			if l.Attr("weekly") == nil && l.Attr("daily") == nil {
				d.missing(l.Range, "Unclear spend limit", "Write exactly one of monthly, unlimited = true and inherit = true.")
			}
			continue
		}
		attr := attrLimit
		if l.Text("enforce", "console") == "members" {
			attr = attrEnforced
		}
		switch {
		case monthly != nil:
			d.amount(monthly, o, attr)
		case l.Bool("unlimited", false):
			o.Put(attr, schema.Text("unlimited"))
		case attr == attrEnforced:
			d.problem(l.Where("enforce"), "Nothing to enforce", "inherit = true is no limit, so there is nothing to set for each member. Write monthly or unlimited = true, or remove enforce.")
			continue
		default:
			o.Put(attr, schema.Absent)
		}
		o.AttrDecl[attr] = l.Range
	}
}

// minorUnits turns an amount in major units, such as "200.00", into minor
// units, exactly.
func minorUnits(s string) (string, error) {
	amount, ok := new(big.Rat).SetString(s)
	if !ok || !amountForm.MatchString(s) {
		return "", fmt.Errorf("%q is not an amount. Write for example \"200.00\"", s)
	}
	minor := amount.Mul(amount, big.NewRat(100, 1))
	if !minor.IsInt() {
		return "", fmt.Errorf("%s is finer than the currency's minor unit, which is 0.01. Round it", s)
	}
	if !minor.Num().IsInt64() || minor.Num().Int64() > 1e15 {
		return "", fmt.Errorf("%s is more than any limit can be", s)
	}
	return minor.Num().String(), nil
}

// amountForm is how amounts are written: digits, and perhaps a point and more.
var amountForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

func (d *describer) migration(b *schema.Described) {
	for _, w := range b.Of("wave") {
		a := schema.Assignment{Name: w.Label, Attr: attrOrganizationRole, Value: schema.Text(roleManaged), From: []string{roleUser}, Decl: w.Range}
		switch w.Text("state", "open") {
		case "closed":
			a.Held = fmt.Sprintf("waits for wave %q, which is closed", w.Label)
		case "reverted":
			a.Value, a.From = schema.Text(roleUser), []string{roleManaged}
		}
		var of []schema.People
		if g := w.Attr("groups"); g != nil {
			for _, item := range g.Items {
				of = append(of, &schema.MembersOf{Group: schema.Address(item.Text)})
			}
		}
		if m := w.Attr("members"); m != nil {
			of = append(of, m.People)
		}
		if len(of) == 0 {
			d.missing(w.Range, "Empty wave", "Wave %q names nobody. Write groups or members.", w.Label)
			continue
		}
		a.People = &schema.Union{Of: of}
		if e := w.Attr("except"); e != nil {
			a.Except = e.People
		}
		d.d.Assignments = append(d.d.Assignments, a)
	}
}

// twins reports two blocks that describe the same thing.
func (d *describer) twins() {
	type name struct{ typ, key string }
	first := map[name]*schema.Object{}
	for _, o := range d.d.Objects {
		for _, n := range []name{{o.Type, o.Key}, {o.Type + " id", o.ID}} {
			if n.key == "" {
				continue
			}
			other, ok := first[n]
			if !ok {
				first[n] = o
				continue
			}
			if n.typ == o.Type && o.ID != "" && other.ID != "" && o.ID != other.ID {
				continue // names are not unique in the API, and ids tell them apart
			}
			if o.Type == "role" || o.Type == "group" || o.Type == "member" || o.Type == "connector" || o.Type == "feature" ||
				o.Type == "plugin" || o.Type == "marketplace" || o.Type == "seat_tier" {
				d.missing(o.Where("name"), "Described twice", "%s and %s both describe %q. %s is on line %d of %s. Rename one of them, or join the two.",
					other.Addr, o.Addr, n.key, other.Addr, other.Decl.Start.Line, other.Decl.Filename)
				break
			}
		}
	}
}

// permConnector and permTool are keys of permissions.
func permConnector(label string) string { return string(schema.MakeAddress("connector", label, "")) }

func permTool(label, tool string) string {
	key := string(schema.MakeAddress("t", tool, ""))
	return permConnector(label) + strings.TrimPrefix(key, "t")
}
