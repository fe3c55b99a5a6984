// Package edit writes configurations: whole files, as an import makes them,
// and single values into files that people wrote, whose comments and layout
// stay as they are.
//
// It writes source, and decides nothing: what is to be said comes from its
// callers. Texts may come from anywhere. However hostile, a text is written so
// that it reads back as itself, and no comment can end early.
package edit
