package claude

import (
	"embed"
	"io/fs"
)

//go:embed starter/*.hcl
var starterFiles embed.FS

// starter is a configuration to begin with.
var starter, _ = fs.Sub(starterFiles, "starter") // the pattern above makes the folder
