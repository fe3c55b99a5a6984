package claude

import (
	"encoding/json"
	"time"
)

// A Snapshot is what the API said about one organization, as it said it. It
// can be saved as JSON and read again.
//
// Shape: a list is nil if it could not be read, in which case Missing says
// why, and empty but not nil if there is nothing. Users, Groups with their
// members, and Roles with their rows are never nil: without one of them there
// is no snapshot.
//
// Order: users and invites by address, groups, roles, limits, marketplaces and
// plugins by id, rows
// by resource and action, events newest first. Two reads of the same
// organization give the same bytes.
type Snapshot struct {
	Organization Organization  `json:"organization"`
	Users        []User        `json:"users"`
	Invites      []Invite      `json:"invites"` // pending ones
	Groups       []Group       `json:"groups"`
	Roles        []Role        `json:"roles"`
	Settings     Settings      `json:"settings"`
	SpendLimits  []SpendLimit  `json:"spend_limits"`
	Marketplaces []Marketplace `json:"marketplaces"`
	Plugins      []Plugin      `json:"plugins"`
	Events       []Event       `json:"events"`
	Missing      []Missing     `json:"missing"`
}

// An Organization names the organization that the key belongs to. ID is a
// UUID. Either is "" if no read told it.
//
// Source: anthropic-sdk-go v1.84.0, BetaOrganization; read 2026-11-22.
type Organization struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// A User is one member of the organization.
//
// Shape: Email is lower case. Raw is the address as the API wrote it, and ""
// if that is the same. Role is one of user, managed, owner, membership_admin,
// primary_owner, or a word that is newer than rolecall. AddedAt is an RFC 3339
// timestamp and is not interpreted.
//
// Source: anthropic-sdk-go v1.84.0, BetaOrganizationUser; read 2026-11-22.
type User struct {
	ID      string `json:"id"`
	Email   string `json:"email"`
	Raw     string `json:"raw,omitempty"`
	Name    string `json:"name"`
	Role    string `json:"role"`
	AddedAt string `json:"added_at,omitempty"`
}

// An Invite is an invitation that nobody has accepted yet.
//
// Shape: Email and Raw as in [User]. GroupIDs are the groups that the person
// joins on accepting.
//
// Source: anthropic-sdk-go v1.84.0, BetaOrganizationInvite; read 2026-11-22.
type Invite struct {
	ID        string   `json:"id"`
	Email     string   `json:"email"`
	Raw       string   `json:"raw,omitempty"`
	Role      string   `json:"role"`
	Status    string   `json:"status"`
	GroupIDs  []string `json:"group_ids"`
	ExpiresAt string   `json:"expires_at,omitempty"`
}

// A Group is a group of the parent organization.
//
// Shape: SourceType is direct, or scim for a group that the identity provider
// fills. RoleIDs are the roles attached to the group, sorted; they can name
// roles of another organization under the same parent. RoleIDs means nothing
// unless RolesKnown: the API says null while it cannot tell, which is not the
// same as no roles. Members likewise mean nothing unless MembersKnown; they
// can be people of another organization.
//
// Source: anthropic-sdk-go v1.84.0, BetaRBACGroup and BetaRBACGroupMember;
// read 2026-11-22.
type Group struct {
	ID           string        `json:"id"`
	Name         string        `json:"name"` // not unique
	SourceType   string        `json:"source_type"`
	RoleIDs      []string      `json:"role_ids"`
	RolesKnown   bool          `json:"roles_known"`
	Members      []GroupMember `json:"members"`
	MembersKnown bool          `json:"members_known"`
}

// A GroupMember is one person in a group. Email is lower case.
type GroupMember struct {
	UserID string `json:"user_id"`
	Email  string `json:"email"`
}

// A Role is a custom role of the organization. Rows mean nothing unless
// RowsKnown. Rows of features that are off in the organization are left out
// by the API, so that fewer rows than expected is no proof of fewer grants.
//
// Source: anthropic-sdk-go v1.84.0, BetaRBACRole and BetaRBACRolePermission;
// read 2026-11-22.
type Role struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Rows      []Row  `json:"rows"`
	RowsKnown bool   `json:"rows_known"`
	UpdatedAt string `json:"updated_at"` // as the API writes it, "" if it does not
}

// A Row is one permission of a role.
//
// Shape: ResourceType is organization (with OrganizationID), connector_tool
// (with ConnectorID and ToolName), connector_scope (with ConnectorID and
// Scope), connector (with ConnectorID), all_connectors, or a word that is
// newer than rolecall. The vendor writes a tool or scope with unusual
// characters in an encoded, one-way form.
type Row struct {
	Action         string `json:"action"`
	ResourceType   string `json:"resource_type"`
	OrganizationID string `json:"organization_id,omitempty"`
	ConnectorID    string `json:"connector_id,omitempty"`
	ToolName       string `json:"tool_name,omitempty"`
	Scope          string `json:"scope,omitempty"`
}

// Settings are the settings in force for the organization, by name. A setting
// that is not listed is one that administrators cannot control, not one that
// is off. Values means nothing unless Known.
//
// Source: Claude Compliance API, effective organization settings; read
// 2026-11-22.
type Settings struct {
	Known  bool               `json:"known"`
	Values map[string]Setting `json:"values"`
}

// A Setting is the type and the value of one setting. Value is JSON of the
// shape that Type names: boolean, integer, string, string_list,
// provisioning_mode, data_retention; or null.
type Setting struct {
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

// A SpendLimit is a configured cap on spending.
//
// Shape: ScopeType is user (with UserID), rbac_group (with GroupID),
// seat_tier (with SeatTier), organization_service (with Service),
// organization, or a word that is newer than rolecall. Amount is nil if the
// API says null: no number caps this scope.
//
// Units: Amount is an integer in the minor unit of Currency, "50000" is
// 500.00 USD.
//
// Source: anthropic-sdk-go v1.84.0, BetaSpendLimit; read 2026-11-22.
type SpendLimit struct {
	ID        string  `json:"id"`
	ScopeType string  `json:"scope_type"`
	UserID    string  `json:"user_id,omitempty"`
	GroupID   string  `json:"group_id,omitempty"`
	SeatTier  string  `json:"seat_tier,omitempty"`
	Service   string  `json:"service,omitempty"`
	Amount    *string `json:"amount"`
	Currency  string  `json:"currency"`
	Period    string  `json:"period"`
	IsEnabled bool    `json:"is_enabled"`
}

// A Marketplace is a collection of plugins of the organization.
//
// Shape: Source is manual, github, gitlab or public_git. Default is how the
// plugins that have no setting of their own are installed, "" if the API says
// null; one that was never set reads as not_available.
//
// Source: anthropic-sdk-go v1.84.0, BetaPluginMarketplace; read 2026-11-22.
type Marketplace struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Source  string `json:"source"`
	Default string `json:"default"`
}

// A Plugin is one plugin of the organization.
//
// Shape: Preference is required, auto_install, available, not_available, or a
// word that is newer than rolecall: what everybody has who is in no group with
// a setting. Inherited says that it is the marketplace's default. Reach is
// contained, privileged, remote or "" if the API cannot tell. Settings mean
// nothing unless SettingsKnown.
//
// Source: anthropic-sdk-go v1.84.0, BetaPlugin; read 2026-11-22.
type Plugin struct {
	ID            string          `json:"id"`
	Name          string          `json:"name"`
	DisplayName   string          `json:"display_name"`
	MarketplaceID string          `json:"marketplace_id"`
	OwnerUserID   string          `json:"owner_user_id,omitempty"`
	Reach         string          `json:"reach,omitempty"`
	Preference    string          `json:"preference"`
	Inherited     bool            `json:"inherited"`
	Settings      []PluginSetting `json:"settings"`
	SettingsKnown bool            `json:"settings_known"`
}

// A PluginSetting is how a plugin is installed for a target. TargetType is
// organization, or rbac_group (with GroupID).
//
// Source: anthropic-sdk-go v1.84.0, BetaPluginInstallationSetting; read
// 2026-11-22.
type PluginSetting struct {
	TargetType string `json:"target_type"`
	GroupID    string `json:"group_id,omitempty"`
	Preference string `json:"preference"`
}

// An EffectiveLimit is the limit in force for one member and period.
//
// Shape: Amount is nil for no limit. SourceType is the scope that the value
// comes from (user, rbac_group with GroupID, seat_tier with SeatTier,
// organization, organization_service), "" if there is none.
//
// Units: Amount is an integer in the minor unit of Currency; Spent is too, but
// may have up to three decimals, and is for people to read.
//
// Source: anthropic-sdk-go v1.84.0, BetaEffectiveSpendLimit; read 2026-11-22.
type EffectiveLimit struct {
	UserID       string  `json:"user_id"`
	Email        string  `json:"email"`
	Amount       *string `json:"amount"`
	Currency     string  `json:"currency"`
	Period       string  `json:"period"`
	SourceType   string  `json:"source_type"`
	GroupID      string  `json:"group_id,omitempty"`
	SeatTier     string  `json:"seat_tier,omitempty"`
	SpendLimitID string  `json:"spend_limit_id,omitempty"`
	Spent        string  `json:"spent"`
}

// An IncreaseRequest is a member's wish for a higher limit. It names no amount.
//
// Shape: Status is pending, approved or denied; only a pending one can be
// decided. InForce is the member's limit at the time of reading, nil once the
// request is decided.
//
// Source: anthropic-sdk-go v1.84.0, BetaSpendLimitIncreaseRequest; read
// 2026-11-22.
type IncreaseRequest struct {
	ID        string          `json:"id"`
	UserID    string          `json:"user_id"`
	Email     string          `json:"email"`
	Name      string          `json:"name"`
	Status    string          `json:"status"`
	Period    string          `json:"period"`
	CreatedAt time.Time       `json:"created_at"`
	InForce   *EffectiveLimit `json:"in_force"`
}

// An Event is one entry of the activity feed.
//
// Shape: Fields is the entry as an object with sorted keys, without id, type
// and created_at, which are the fields above, and without the actor's network
// address and browser, which rolecall has no use for.
//
// Source: Claude Compliance API, activity feed; read 2026-11-22.
type Event struct {
	ID     string          `json:"id"`
	Type   string          `json:"type"`
	At     time.Time       `json:"at"`
	Fields json.RawMessage `json:"fields"`
}

// Missing is a read that this key or this organization does not allow.
// Reading went on without it.
type Missing struct {
	What  string `json:"what"`            // one of the Missing constants, or the roles of one group
	Why   string `json:"why"`             // what the API answered
	Scope string `json:"scope,omitempty"` // the scopes that the key lacks, if that is the reason
}

// What can be missing as a whole.
const (
	MissingOrganization = "organization"
	MissingInvites      = "invites"
	MissingSettings     = "settings"
	MissingSpendLimits  = "spend limits"
	MissingEvents       = "activity feed"
	MissingPlugins      = "plugins"
)
