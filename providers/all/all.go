// Package all lists the systems that rolecall knows. Adding one is adding its
// folder and a line here.
package all

import (
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/providers/belay"
	"github.com/rolecall/rolecall/providers/claude"
	"github.com/rolecall/rolecall/providers/conduit"
	"github.com/rolecall/rolecall/providers/elvex"
	"github.com/rolecall/rolecall/schema"
)

// Kinds returns every kind of system, in the order of the documentation.
func Kinds() []providers.Kind {
	return []providers.Kind{
		claude.Kind(),
		conduit.Kind(),
		belay.Kind(),
		elvex.Kind(),
	}
}

// Languages returns the language of every system.
func Languages() []*schema.System {
	var list []*schema.System
	for _, k := range Kinds() {
		list = append(list, k.Language)
	}
	return list
}

// Find returns the kind of system that a configuration is for.
func Find(c *schema.Config) (providers.Kind, bool) {
	for _, k := range Kinds() {
		if k.Language == c.System {
			return k, true
		}
	}
	return providers.Kind{}, false
}
