package emulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// A document is the state in the form of a seed: what [readSeed] reads. People
// in groups and limits are given by address, roles and groups by ID.
type document struct {
	Organization orgDoc            `json:"organization"`
	Others       []siblingDoc      `json:"other_organizations"`
	Features     map[string]bool   `json:"features"`
	Settings     map[string]string `json:"settings"`
	BetaFeatures []string          `json:"beta_features"`
	Connectors   []connectorDoc    `json:"connectors"`
	Roles        []roleDoc         `json:"roles"`
	Groups       []groupDoc        `json:"groups"`
	Members      []memberDoc       `json:"members"`
	Invites      []inviteDoc       `json:"invites"`
	SpendLimits  []limitDoc        `json:"spend_limits"`
	Increases    []increaseDoc     `json:"spend_limit_increase_requests"`
	Marketplaces []marketplaceDoc  `json:"plugin_marketplaces"`
	Plugins      []pluginDoc       `json:"plugins"`
}

type (
	orgDoc struct {
		ID                   string `json:"id"`
		Name                 string `json:"name"`
		Provisioning         string `json:"provisioning"`
		ConnectorPermissions bool   `json:"connector_permissions"`
		SpendPrecedence      string `json:"spend_precedence"`
		SeatDefaultCompared  bool   `json:"seat_default_compared"`
		Currency             string `json:"currency"`
		UsageCredits         bool   `json:"usage_credits"`
		HIPAA                bool   `json:"hipaa"`
		Seats                *int   `json:"seats"`
		SeatTiers            []tier `json:"seat_tiers"`
		Plugins              bool   `json:"plugins_api"`
		Created              string `json:"created_at,omitempty"`
	}
	siblingDoc struct {
		ID      string        `json:"id"`
		Name    string        `json:"name"`
		Members []outsiderDoc `json:"members"`
		Roles   []roleDoc     `json:"roles"`
		Created string        `json:"created_at,omitempty"`
	}
	outsiderDoc struct {
		ID    string `json:"id"`
		Email string `json:"email"`
		Name  string `json:"name"`
		Added string `json:"added_at,omitempty"`
	}
	connectorDoc struct {
		ID         string            `json:"id"`
		Name       string            `json:"name"`
		Tools      []string          `json:"tools"`
		Policy     string            `json:"policy"`
		ToolPolicy map[string]string `json:"tool_policy"`
	}
	roleDoc struct {
		ID          string   `json:"id"`
		Name        string   `json:"name"`
		Description string   `json:"description"`
		Permissions []rowDoc `json:"permissions"`
		Created     string   `json:"created_at,omitempty"`
		Updated     string   `json:"updated_at,omitempty"`
	}
	// A rowDoc is a permission row with the names as they were given, not as
	// the API encodes them.
	rowDoc struct {
		Action   string      `json:"action"`
		Resource resourceDoc `json:"resource"`
	}
	resourceDoc struct {
		Type        string `json:"type"`
		ConnectorID string `json:"connector_id,omitempty"`
		Tool        string `json:"tool_name,omitempty"`
		Scope       string `json:"scope,omitempty"`
	}
	groupDoc struct {
		ID          string   `json:"id"`
		Name        string   `json:"name"`
		Description string   `json:"description"`
		Source      string   `json:"source_type"`
		Roles       []string `json:"roles"`
		Members     []string `json:"members"`
		Created     string   `json:"created_at,omitempty"`
		Updated     string   `json:"updated_at,omitempty"`
	}
	memberDoc struct {
		ID       string `json:"id"`
		Email    string `json:"email"`
		Name     string `json:"name"`
		Role     string `json:"role"`
		SeatTier string `json:"seat_tier"`
		Added    string `json:"added_at,omitempty"`
	}
	inviteDoc struct {
		ID       string   `json:"id"`
		Email    string   `json:"email"`
		Role     string   `json:"role"`
		Groups   []string `json:"groups"`
		Status   string   `json:"status"`
		Invited  string   `json:"invited_at,omitempty"`
		Expires  string   `json:"expires_at,omitempty"`
		Accepted string   `json:"accepted_at,omitempty"`
	}
	limitDoc struct {
		ID      string   `json:"id"`
		Scope   scopeDoc `json:"scope"`
		Amount  *string  `json:"amount"`
		Period  string   `json:"period"`
		Created string   `json:"created_at,omitempty"`
		Updated string   `json:"updated_at,omitempty"`
	}
	scopeDoc struct {
		Type     string `json:"type"`
		Email    string `json:"email,omitempty"`
		Group    string `json:"group,omitempty"`
		SeatTier string `json:"seat_tier,omitempty"`
		Service  string `json:"service,omitempty"`
	}
	increaseDoc struct {
		ID       string `json:"id"`
		Email    string `json:"email"`
		Status   string `json:"status"`
		Period   string `json:"period"`
		Created  string `json:"created_at,omitempty"`
		Resolved string `json:"resolved_at,omitempty"`
	}
	marketplaceDoc struct {
		ID      string  `json:"id"`
		Name    string  `json:"name"`
		Owner   *string `json:"owner"` // user ID
		Source  string  `json:"source"`
		Default *string `json:"default_installation_preference"`
		Created string  `json:"created_at,omitempty"`
	}
	pluginDoc struct {
		ID           string            `json:"id"`
		Name         string            `json:"name"`
		DisplayName  string            `json:"display_name"`
		Description  string            `json:"description"`
		Marketplace  string            `json:"marketplace"`
		Owner        *string           `json:"owner"` // user ID
		Version      string            `json:"version"`
		Reach        *string           `json:"reach"`
		Scan         *scan             `json:"content_scan"`
		Components   []pluginComponent `json:"components"`
		Organization *string           `json:"organization"`
		Groups       map[string]string `json:"groups"` // by ID
		CreatedBy    *string           `json:"created_by"`
		Created      string            `json:"created_at,omitempty"`
		Updated      string            `json:"updated_at,omitempty"`
	}
)

// document returns the whole state but for the feed, with or without times.
//
// Order: everything by name or address and then by ID, so that two states that
// were reached on different ways are the same bytes.
func (st *state) document(times bool) document {
	o := st.org()
	d := document{
		Organization: orgDoc{o.ID, o.Name, o.Provisioning, o.ConnectorPermissions, o.SpendPrecedence,
			o.SeatDefaultCompared, o.Currency, o.UsageCredits, o.HIPAA, o.Seats, orNone(o.SeatTiers), !o.NoPlugins, stamp(o.Created)},
		Others: []siblingDoc{}, Features: map[string]bool{}, Settings: maps.Clone(st.settings.rows),
		BetaFeatures: []string{}, Connectors: []connectorDoc{}, Roles: st.roleDocs(""), Groups: []groupDoc{},
		Members: []memberDoc{}, Invites: []inviteDoc{}, SpendLimits: []limitDoc{},
		Increases: []increaseDoc{}, Marketplaces: []marketplaceDoc{}, Plugins: []pluginDoc{},
	}
	for action, f := range st.features.rows {
		d.Features[action] = f.Enabled
		if f.Beta {
			d.BetaFeatures = append(d.BetaFeatures, action)
		}
	}
	slices.Sort(d.BetaFeatures)
	st.documentObjects(&d)
	st.documentPeople(&d)
	st.documentPlugins(&d)
	if !times {
		d.dropTimes()
	}
	return d
}

func (st *state) documentObjects(d *document) {
	for _, s := range st.siblings.sorted(func(a, b sibling) int { return cmp.Compare(a.ID, b.ID) }) {
		d.Others = append(d.Others, siblingDoc{s.ID, s.Name, st.outsiderDocs(s.ID), st.roleDocs(s.ID), stamp(s.Created)})
	}
	byName := func(a, b connector) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) }
	for _, c := range st.connectors.sorted(byName) {
		tools := slices.Sorted(slices.Values(c.Tools))
		d.Connectors = append(d.Connectors, connectorDoc{c.ID, c.Name, orEmpty(tools), c.Policy, c.ToolPolicy})
	}
}

func (st *state) documentPeople(d *document) {
	emails := st.emails()
	byName := func(a, b group) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) }
	for _, g := range st.groups.sorted(byName) {
		people := []string{}
		for id := range st.inGroup[g.ID] {
			people = append(people, emails[id])
		}
		slices.Sort(people)
		d.Groups = append(d.Groups, groupDoc{g.ID, g.Name, g.Description, g.Source, g.Roles, people, stamp(g.Created), stamp(g.Updated)})
	}
	for _, m := range st.members.sorted(func(a, b member) int { return cmp.Compare(a.Email, b.Email) }) {
		d.Members = append(d.Members, memberDoc{m.ID, m.Email, m.Name, m.Role, m.SeatTier, stamp(m.Added)})
	}
	byEmail := func(a, b invite) int { return cmp.Or(cmp.Compare(a.Email, b.Email), cmp.Compare(a.ID, b.ID)) }
	for _, v := range st.invites.sorted(byEmail) {
		d.Invites = append(d.Invites, v.document())
	}
	for _, v := range st.limits.sorted(func(a, b limit) int { return cmp.Compare(a.ID, b.ID) }) {
		s := scopeDoc{v.Scope.Type, emails[v.Scope.UserID], v.Scope.GroupID, v.Scope.SeatTier, v.Scope.Service}
		d.SpendLimits = append(d.SpendLimits, limitDoc{v.ID, s, v.Amount, v.Period, stamp(v.Created), stamp(v.Updated)})
	}
}

func (st *state) documentPlugins(d *document) {
	for _, v := range st.increases.sorted(func(a, b increase) int { return cmp.Compare(a.ID, b.ID) }) {
		doc := increaseDoc{v.ID, st.members.rows[v.UserID].Email, v.Status, v.Period, stamp(v.Created), ""}
		if v.Resolved != nil {
			doc.Resolved = stamp(*v.Resolved)
		}
		d.Increases = append(d.Increases, doc)
	}
	for _, m := range st.marketplaces.sorted(func(a, b marketplace) int { return cmp.Compare(a.ID, b.ID) }) {
		d.Marketplaces = append(d.Marketplaces, marketplaceDoc{m.ID, m.Name, textOrNull(m.OwnerID), m.Source, textOrNull(m.Default), stamp(m.Created)})
	}
	for _, v := range st.plugins.sorted(func(a, b plugin) int { return cmp.Compare(a.ID, b.ID) }) {
		doc := pluginDoc{v.ID, v.Name, v.DisplayName, v.Description, v.MarketplaceID, textOrNull(v.OwnerID), v.Version,
			textOrNull(v.Reach), v.Scan, orNone(v.Components), nil, map[string]string{}, textOrNull(v.CreatedBy), stamp(v.Created), stamp(v.Updated)}
		for _, s := range st.settingsOf(v.ID) {
			if s.Target == organizationTarget {
				doc.Organization = &s.Preference
			} else {
				doc.Groups[s.Target] = s.Preference
			}
		}
		d.Plugins = append(d.Plugins, doc)
	}
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (v invite) document() inviteDoc {
	d := inviteDoc{v.ID, v.Email, v.Role, v.Groups, v.Status, stamp(v.Invited), stamp(v.Expires), ""}
	if v.Accepted != nil {
		d.Accepted = stamp(*v.Accepted)
	}
	return d
}

func (st *state) outsiderDocs(organizationID string) []outsiderDoc {
	docs := []outsiderDoc{}
	for _, o := range st.outsiders.rows {
		if o.OrganizationID == organizationID {
			docs = append(docs, outsiderDoc{o.UserID, o.Email, o.Name, stamp(o.Added)})
		}
	}
	slices.SortFunc(docs, func(a, b outsiderDoc) int { return cmp.Compare(a.Email, b.Email) })
	return docs
}

func (st *state) roleDocs(organizationID string) []roleDoc {
	docs := []roleDoc{}
	for _, v := range st.roles.rows {
		if v.OrganizationID == organizationID {
			docs = append(docs, v.document())
		}
	}
	slices.SortFunc(docs, func(a, b roleDoc) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return docs
}

func (v role) document() roleDoc {
	d := roleDoc{v.ID, v.Name, v.Description, []rowDoc{}, stamp(v.Created), stamp(v.Updated)}
	for _, r := range v.Rows {
		d.Permissions = append(d.Permissions, rowDoc{r.Action, resourceDoc{r.Type, r.ConnectorID, r.Tool, r.Scope}})
	}
	return d
}

func (d *document) dropTimes() {
	d.Organization.Created = ""
	for i := range d.Others {
		o := &d.Others[i]
		o.Created = ""
		for j := range o.Members {
			o.Members[j].Added = ""
		}
		for j := range o.Roles {
			o.Roles[j].Created, o.Roles[j].Updated = "", ""
		}
	}
	for i := range d.Roles {
		d.Roles[i].Created, d.Roles[i].Updated = "", ""
	}
	for i := range d.Groups {
		d.Groups[i].Created, d.Groups[i].Updated = "", ""
	}
	for i := range d.Members {
		d.Members[i].Added = ""
	}
	for i := range d.Invites {
		d.Invites[i].Invited, d.Invites[i].Expires, d.Invites[i].Accepted = "", "", ""
	}
	for i := range d.Increases {
		d.Increases[i].Created, d.Increases[i].Resolved = "", ""
	}
	for i := range d.Marketplaces {
		d.Marketplaces[i].Created = ""
	}
	for i := range d.Plugins {
		d.Plugins[i].Created, d.Plugins[i].Updated = "", ""
	}
	for i := range d.SpendLimits {
		d.SpendLimits[i].Created, d.SpendLimits[i].Updated = "", ""
	}
}

// bytes returns the document as indented JSON, one newline at the end.
func (d document) bytes() []byte {
	raw, err := encode(d)
	if err != nil {
		panic("emulator: encode state: " + err.Error())
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		panic("emulator: indent state: " + err.Error())
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// aboutConnectors reports whether a row is about connectors.
func aboutConnectors(r row) bool {
	return r.Type == "all_connectors" || strings.HasPrefix(r.Type, "connector")
}
