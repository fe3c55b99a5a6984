package schema

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// LoadWithin is Load with other bounds for what an evaluation may take.
func LoadWithin(dir string, o Options, steps int, memory uint64) (*Config, hcl.Diagnostics) {
	l := newLoader(dir, o)
	l.meter = &meter{steps, steps}
	return l.load(memory)
}

// FunctionNames returns the names of all functions of the language.
func FunctionNames() []string { return slices.Sorted(maps.Keys(functions(nil, nil, nil))) }
