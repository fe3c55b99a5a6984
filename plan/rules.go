package plan

import "slices"

// A Rule is one check: of every system, or, where only one has it, of that
// system's own (see [Checker]). README.md has the whole list.
type Rule struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Doc      string   `json:"doc"` // what is wrong, and what to write instead
}

// firm are the rules that a rule block does not change: guards and protection
// are passed one at a time and by name, and what the plan itself rests on is
// not passed at all.
var firm = []string{"duplicate-name", "guard-exceeded", "identity-lost", "incomplete-object", "organization-differs",
	"protected-loses", "scim-group-missing", "scim-membership-described", "test-failed", "unsafe-order"}

// unacceptable are the rules whose findings cannot be accepted: there would be
// nothing to carry out, or the wrong thing.
var unacceptable = []string{"duplicate-name", "identity-lost", "incomplete-object", "organization-differs",
	"scim-group-missing", "scim-membership-described", "unsafe-order"}

// Rules are all checks there are, by name.
var Rules = []Rule{
	{"admin-scope", Warning, "A group that is not trusted holds a scope of class admin, which can destroy. Take the scope out of the group, or list the group in trusted."},
	{"admin-untouchable", Info, "An administrator is described as removed. The API leaves administrators alone, and so does rolecall. Change the organization role in the console first."},
	{"author-gains", Warning, "Whoever wrote the change gains something by it, or gains control of the configuration. Let somebody else approve it."},
	{"cross-role-conflict", Warning, "Two roles that meet in a member state different levels for one connector or tool; roles add up, so the stricter one does nothing. Give both the same level, or keep their members apart."},
	{"custom-role-without-effect", Warning, "Members whose access does not come from roles are in a group that has one: it does nothing for them. Add them to a wave of the migration, or take the role off the group."},
	{"dead-allowlist-entry", Warning, "A list allows what nobody can have by it: no such tool is there, or a wider list blocks it. Remove the entry, or allow it in the wider list too."},
	{"disabled-feature", Warning, "A role grants a feature that is switched off, so nobody has it. Write enabled = true in the feature's block, or take it out of the role."},
	{"duplicate-name", Error, "Two live objects have the name that a block describes. Write the id of the one that is meant."},
	{"empty-allowlist", Error, "A list allows nothing, and the service would store that as a list that allows everything. Name what is allowed, or take the access itself away."},
	{"exclusive-groups", Error, "Somebody is in two groups that exclude each other, or in none of them although one is required. Take them out of all but one."},
	{"expiring", Warning, "Something ends within 14 days: a membership, an accepted risk, a hold. Extend it, or let it end."},
	{"feature-reaches-unmigrated", Error, "Switching a feature on gives it to members whose access does not come from roles. Add them to a wave of the migration first."},
	{"full-allowlist", Warning, "A list names every tool there is today, so tools that are added later are blocked. Write inherit to allow them all, or leave some out."},
	{"group-limit", Error, "There would be more groups than the system can hold. Remove some, or join some."},
	{"guard-exceeded", Error, "The plan goes beyond a limit of the guard block. Make the change smaller, or accept this one guard."},
	{"identity-lost", Error, "Objects that the configuration names by id are not there. Check which organization the key belongs to."},
	{"incomplete-object", Error, "A new object does not say what decides access. Write the attribute that is named."},
	{"individual-limit-overrides", Warning, "People have limits of their own, which win over the limits of their groups. Write inherit = true in their member blocks, or leave them."},
	{"joiner-exposed", Warning, "Somebody who joins a group while the plan is carried out would have more for a while than before or after. Apply when nobody joins, or split the change in two."},
	{"joiner-uncovered", Warning, "No path gives a new member a role. Put a role on a group whose members are everyone."},
	{"large-direct-group", Warning, "Filling a group by hand takes more requests than an hour allows. Let the identity provider fill it."},
	{"limit-above-ceiling", Warning, "A limit is above the ceiling of the whole organization, so the ceiling decides. Lower the limit, or raise the ceiling."},
	{"mapping-during-setup", Error, "The identity provider decides who has which organization role, and people it does not name may lose their seat. Finish the roles and groups first, then switch mappings on."},
	{"member-without-chat", Warning, "Roles govern members and none gives them chat, so they cannot start a conversation. Add chat to the capabilities of one of their roles."},
	{"new-connector-exposure", Warning, "A new connector is open to people at once, because a role opens every connector by default. Give it a policy, or set connector_default = \"custom\" in the role."},
	{"not-a-member", Warning, "Listed people are not members of the organization. Invite them, or correct the address."},
	{"organization-differs", Error, "The configuration says another thing of the organization than is live. Correct the configuration."},
	{"permissive-default", Warning, "A new role opens every connector, today's and tomorrow's, without asking. Write connector_default = \"needs_approval\", or \"custom\" for a role that only adds."},
	{"personal-bypass", Warning, "Members may use credentials of their own, which the list of their team does not narrow. Narrow the organization's list, or write personal = \"ignore\"."},
	{"policy-reaches-claude-code", Warning, "Switching connector permissions on makes the tool policy hold in the command line client too, for everybody. Look through tool_policy first."},
	{"private-datasource-escape", Warning, "A private source of data is shared, and whoever has it can attach it to something public. Share it with fewer people, or share what uses it instead."},
	{"protected-loses", Error, "Somebody whom the guard block protects would lose something. Leave them out of the change."},
	{"public-floor", Warning, "Something is public, so everybody may view it whatever its shares say. Write visibility = \"private\", or remove the shares that do nothing."},
	{"redundant", Info, "A group or a role adds nothing to anyone: what it gives, its members have anyway. Remove it, or keep it for what is to come."},
	{"scim-group-missing", Error, "A group is described as the identity provider's, and there is none. Have it synced, or remove source."},
	{"scim-group-unsupported", Error, "Groups of the identity provider do nothing under this kind of provisioning. Write provisioning as it is, or fill the group by hand."},
	{"scim-group-unused", Info, "The identity provider fills a group that has no role, no limit and no plugin. Attach a role, or have it no longer synced."},
	{"scim-membership-described", Error, "Members are described of a group that the identity provider fills. Remove members from the block."},
	{"scope-not-connected", Error, "A group is granted scopes of an integration that is not connected, or that it does not have. Connect it, or correct the scope."},
	{"seat-unknown", Info, "Seats can be neither read nor written, and none is declared for some members. Declare them in a seat_tier block."},
	{"self-widening-role", Warning, "Whoever has the role can change roles, their own among them. Give it to as few as can be, or take identity_access = \"manage\" out."},
	{"shared-group", Error, "A group that is deleted has people or roles of other organizations, who lose by it what is not seen here. Take them out of it first, or accept it."},
	{"shared-membership", Warning, "People join or leave a group that has roles of other organizations; who of them is a member there gains or loses by it what is not seen here. Ask there first, or use a group of this organization alone."},
	{"tag-address", Info, "An address with a tag stands beside the same one without. They are two people here; check which one the system knows."},
	{"team-of-two", Error, "Somebody is in two teams, and then no team's list narrows what they can use. Leave them in one."},
	{"team-without-tools", Warning, "The list of a team and that of the organization have nothing in common, so the team can use no tool. Allow one in both."},
	{"test-failed", Error, "A test block does not hold, or cannot be decided. Correct the change, or the test."},
	{"uncovered-member", Error, "A member is governed by roles and has none, so has access to nothing. Put them into a group with a role."},
	{"unknown-connector-tool", Info, "A role or a policy names a tool that its connector does not list. Correct the name, or add it to tools."},
	{"unmanaged-object", Info, "A live object is described by no block. It is left alone; describe it, or ignore it in unmanaged."},
	{"unread", Warning, "Something could not be read, and what hangs on it is unknown. Give the key the scope that is named, or plan again later."},
	{"unsafe-order", Error, "No order is known in which nobody has too much or too little for a while. Split the change in two."},
	{"unverified", Warning, "No read shows whether something is as described. Look it up in the console."},
	{"unverified-order", Warning, "One step must precede another, and no read shows that it has. Confirm it before the other."},
	{"void-grant", Warning, "A role grants what nobody can have by it, because the organization's policy is stricter. Lower it in the role, or raise the policy."},
	{"wave-overlap", Warning, "People of an open wave are held, because an earlier wave that is closed names them too. Write the open one first."},
	{"widening-removal", Warning, "Taking something away gives people more: a limit, a list, a policy that held them back. Write what is to hold instead, or accept it."},
}

// A RuleInfo is a rule with what can be done about its findings.
type RuleInfo struct {
	Rule
	Changeable bool `json:"changeable"` // a rule block changes its severity and what it passes over
	Acceptable bool `json:"acceptable"` // an accept block, or --accept, takes its findings
}

// RuleInfos returns all rules with what can be done about them.
func RuleInfos() []RuleInfo {
	var list []RuleInfo
	for _, r := range Rules {
		list = append(list, RuleInfo{r, !slices.Contains(firm, r.ID), !slices.Contains(unacceptable, r.ID)})
	}
	return list
}
