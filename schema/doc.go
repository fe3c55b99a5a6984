// Package schema is the language and the words of rolecall: the nouns (objects,
// people, changes, steps), the declarations of what a system's language has,
// and the reading of a configuration.
//
// [Load] reads the *.hcl and *.hcl.json files of one directory, evaluates them
// and checks them against the declarations of a [System]. What comes out is a
// [Config], in which no expression is left but the [People] expressions, which
// stay symbolic until a plan resolves them. Problems in the files are
// hcl.Diagnostics, each with its place.
//
// The package knows no product: systems are declared elsewhere and handed in.
// It reads the files of one directory, and the files of values that it is
// given; it uses no network, no clock and no environment of its own.
package schema
