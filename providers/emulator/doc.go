// Package emulator is an HTTP server of the parts of the Claude Enterprise
// Admin API and Compliance API that deal with people, groups, custom roles and
// spend limits. It runs on a laptop, needs no key and no network, and keeps an
// organization in memory or in a file.
//
// It is written from the vendor's published documents and SDK, and it imports
// no other package of this module: who may do what is worked out here a second
// time, so that a mistake of the planner cannot hide in code that both share.
//
// Three surfaces are served by one handler:
//
//   - /v1/organizations/... and /v1/compliance/...: the vendor's API.
//   - /console/...: what an Owner does by hand in claude.ai. The paths and
//     bodies are this package's own; the vendor has no API for these steps.
//   - /emulator/...: the emulator itself: effective access, the whole state,
//     the requests received, faults on demand.
//
// In comments, "Source" names the vendor document that a behavior was read
// from. "Inferred" marks behavior that the documents suggest but do not state;
// "invented" marks behavior on which they are silent.
//
// Input is a seed: one JSON document that describes an organization (see
// README.md). Open returns a [Server]; its Handler serves the surfaces.
package emulator
