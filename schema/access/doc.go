// Package access answers who can do what, and why, for one organization.
//
// It knows members, groups, sources of grants, permissions with their levels,
// ceilings and limits, and nothing of HTTP, of HCL or of any product:
//
//	access(m, p) = min( ceiling(p), best over sources s of m of grant(s, p) )
//
// A provider maps what it read and what is desired into one [Model] with a
// [State] for each side; everything here is a pure function of the two. Cost
// follows the classes of members that share their sources, not the members.
//
// A set of permissions with their levels is one bit vector ([Set]): a
// permission whose levels are none < view < manage takes two bits, of which a
// level n has the lowest n set. The best of two sets is then their union and
// the lesser their intersection, for every permission at once.
//
// "Every capability", "every connector" and "every tool of a connector" are
// permissions of their own, written with a star (`connector.jira.*`). They
// stand for everything that nothing names, so that what appears tomorrow is
// already answered for; they are never expanded into today's list.
//
// It may be imported by everything and imports nothing of this module.
package access
