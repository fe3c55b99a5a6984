package schema

import (
	"maps"
	"slices"
)

// FunctionNames returns the names of all functions of the language.
func FunctionNames() []string { return slices.Sorted(maps.Keys(functions(nil, nil))) }
