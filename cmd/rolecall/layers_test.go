package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/rolecall/rolecall"

// mayImport is the architecture: for each package, the packages of this module
// that it may import. Changing it is a decision, not a way to make a build
// pass.
var mayImport = map[string][]string{
	"schema/access":                     {},
	"schema":                            {"schema/access"},
	"schema/sarif":                      {},
	"schema/textdiff":                   {},
	"schema/edit":                       {"schema"},
	"plan":                              {"schema", "schema/access"},
	"plan/prove":                        {},
	"plan/render":                       {"schema", "plan"},
	"providers":                         {"schema", "schema/access", "schema/edit"},
	"providers/emulator":                {},
	"providers/emulator/conduit":        {},
	"providers/conduit":                 {"schema", "schema/access", "providers", "providers/ledger", "providers/emulator/conduit"},
	"providers/belay":                   {"schema", "schema/access", "providers", "providers/ledger"},
	"providers/elvex":                   {"schema", "schema/access", "providers", "providers/ledger"},
	"providers/providertest":            {"schema", "schema/access", "plan", "providers"},
	"providers/ledger":                  {"schema", "providers"},
	"providers/claude":                  {"schema", "schema/access", "schema/edit", "providers", "providers/emulator", "providers/ledger"},
	"providers/all":                     {"schema", "providers", "providers/claude", "providers/conduit", "providers/belay", "providers/elvex"},
	"apply/journal":                     {},
	"apply":                             {"schema", "plan", "providers", "apply/journal"},
	"cmd/rolecall/internal/pullrequest": {},
	"cmd/rolecall/internal/githubtest":  {},
	"cmd/rolecall":                      {"schema", "schema/edit", "schema/sarif", "schema/textdiff", "plan", "plan/prove", "plan/render", "apply", "providers", "providers/all", "providers/ledger", "providers/emulator", "cmd/rolecall/internal/pullrequest", "apply/journal"},
}

// onlyIn gives, for each costly dependency, the one package that imports it,
// itself or in folders below it.
var onlyIn = map[string]string{
	"github.com/anthropics/anthropic-sdk-go": "providers/claude",
	"github.com/google/go-github":            "cmd/rolecall/internal/pullrequest",
	"github.com/golang-jwt/jwt":              "cmd/rolecall/internal/pullrequest",
	"github.com/modelcontextprotocol/go-sdk": "providers/belay",
	"github.com/urfave/cli/v2":               "cmd/rolecall",
	"github.com/zclconf/go-cty":              "schema",
	"github.com/hashicorp/hcl/v2/hclsyntax":  "schema",
}

// noProduct are the folders in whose code no product is named.
var noProduct = []string{"schema", "schema/access", "schema/edit", "schema/sarif", "schema/textdiff", "plan", "plan/prove", "plan/render", "apply", "apply/journal", "cmd/rolecall"}

var product = regexp.MustCompile(`(?i)claude|anthropic|conduit|belay|elvex`)

type pkg struct {
	ImportPath, Dir string
	Imports         []string
	GoFiles         []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// TestImportsRunOneWay compares the imports of every package with mayImport.
func TestImportsRunOneWay(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		allowed, known := mayImport[name]
		if !known {
			t.Errorf("package %s is not in mayImport", name)
		}
		seen[name] = true
		for _, i := range p.Imports {
			if own, ok := strings.CutPrefix(i, module+"/"); ok && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s", name, own)
			}
			for prefix, owner := range onlyIn {
				if (i == prefix || strings.HasPrefix(i, prefix+"/")) && name != owner && !strings.HasPrefix(name, owner+"/") {
					t.Errorf("%s imports %s, which only %s may", name, i, owner)
				}
			}
		}
	}
	for name := range mayImport {
		if !seen[name] {
			t.Errorf("mayImport names %s, which is not there", name)
		}
	}
}

// TestNoProductIsNamed reads the code of the packages that serve every system.
func TestNoProductIsNamed(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if !slices.Contains(noProduct, name) {
			continue
		}
		for _, file := range p.GoFiles {
			src, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range strings.Split(string(src), "\n") {
				line = strings.ReplaceAll(line, `"policy-reaches-claude-code"`, "") // the id of a check is a name, not knowledge
				if product.MatchString(line) {
					t.Errorf("%s/%s:%d names a product: %s", name, file, i+1, strings.TrimSpace(line))
				}
			}
		}
	}
}

// TestEveryPackageSaysWhatItHolds wants one package comment in each package,
// and no package whose name says nothing.
func TestEveryPackageSaysWhatItHolds(t *testing.T) {
	for _, p := range packages(t) {
		if base := filepath.Base(p.ImportPath); slices.Contains([]string{"util", "utils", "common", "helpers", "types", "misc"}, base) {
			t.Errorf("package %s has a name that says nothing", p.ImportPath)
		}
		var comments []string
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if ast.FileExports(f); f.Doc != nil {
				comments = append(comments, file)
			}
		}
		if len(comments) != 1 {
			t.Errorf("package %s has %d package comments: %v", p.ImportPath, len(comments), comments)
		}
	}
}
