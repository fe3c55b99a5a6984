// Package conduit is an emulator of the WYRE gateway Conduit as an HTTP server:
// SCIM 2.0 for teams and their members, the JSON routes of its administration,
// and what MCP tools/list shows to a member.
//
// It has the behaviour that a client must know: without a session every /api
// route answers 302 to the login page; a PUT of an empty tool list is the same
// as taking the list away, so it opens everything; a list with a name twice is
// an error and stores nothing; every PUT stamps who and when anew; a SCIM POST
// of a name that is there adopts that team; a SCIM remove without a filter
// empties the team; a new user has a shadow id until the first login; a name
// that is taken answers 409 on creation and 500 on renaming; deleting a team
// takes the owner; individual access can be written ten times an hour; when the
// service boots, everybody is given every connected vendor; and with two teams
// that hold credentials for a vendor, the organization's are used and no team's
// list narrows.
//
// Behind /emulator/ are an access computation of its own, which shares no code
// with anything else, a login, a boot, and faults on demand.
//
// It imports nothing of this module. The state is one file, replaced as a whole
// before a write is answered.
//
// Source: the vendor's API, SCIM and permissions pages, and behaviour observed
// in June 2026; read 2026-11-22.
package conduit
