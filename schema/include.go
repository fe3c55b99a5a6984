package schema

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// includeBlock declares the block that adds the blocks of another directory.
var includeBlock = &Block{
	Type: "include", Write: WayLocal, ReadBack: WayLocal,
	Doc: "Adds the blocks of another directory, such as roles that several organizations share. Its locals and the files that it reads are its own; " +
		"it has no variables, no organization block and no include of its own.",
	Attrs: []*Attr{
		{Name: "path", Required: true, Example: `"../shared-roles"`,
			Doc: "The directory, relative to this one. It is written out: nothing is evaluated here."},
	},
}

// A folder is one directory of the configuration: its own, or an included one.
type folder struct {
	rel    string // from the directory of the configuration; "." for that itself
	files  *files
	locals map[string]*node
	root   *hcl.EvalContext
}

// included reports whether f is the directory of an include.
func (f *folder) included() bool { return f.rel != "." }

// readIncludes reads the files of the directories that include blocks name.
func (l *loader) readIncludes() {
	for _, s := range slices.Clone(l.bodies) {
		_, blocks := l.content(s.body, []*Block{includeBlock}, nil, s.until)
		for _, b := range blocks {
			if b.Type == "include" {
				l.readInclude(l.parse(b, includeBlock))
			}
		}
	}
}

// readInclude reads the files of one directory.
func (l *loader) readInclude(p *parsed) {
	a := p.attr("path")
	if a == nil {
		return // reported
	}
	at := a.expr.Range()
	if len(a.expr.Variables()) > 0 {
		l.incomplete = true
		l.report(problem("Reference not allowed", a.expr.Variables()[0].SourceRange(), "The path of an include must be known before anything is evaluated. Write it out."))
		return
	}
	v, diags := a.expr.Value(nil)
	if diags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		l.incomplete = true
		l.report(problem("Invalid path", at, "\"path\" is the name of a directory. Write it out, as in path = \"../shared-roles\"."))
		return
	}
	path := v.AsString()
	bad := func(format string, args ...any) {
		l.incomplete = true
		l.report(problem("Cannot include", at, format, args...))
	}
	if path == "" || filepath.IsAbs(path) || strings.ContainsRune(path, 0) {
		bad("%s is not a path relative to this directory. Write one such as \"../shared-roles\".", quote(path))
		return
	}
	rel := filepath.Clean(path)
	dir := filepath.Join(l.dir, rel)
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		bad("%s is not a directory. Name the directory that holds the *.hcl files.", quote(path))
		return
	}
	var root *os.Root
	if err == nil {
		root, err = os.OpenRoot(dir)
	}
	if err != nil {
		bad("%s: %s. Name a directory that holds *.hcl files and can be read.", quote(path), why(err))
		return
	}
	l.opened = append(l.opened, root)
	for _, f := range l.folders {
		if other, err := f.files.root.Stat("."); err == nil && os.SameFile(other, info) {
			if f.included() {
				bad("%s is already included. Take one of the two blocks out.", quote(path))
			} else {
				bad("%s is the directory of this configuration itself. Take the block out.", quote(path))
			}
			return
		}
	}
	f := &folder{rel: rel, files: newFiles(root)}
	l.folders = append(l.folders, f)
	if l.readFolder(f) == 0 {
		bad("%s has no *.hcl or *.hcl.json files. Name the directory that holds them.", quote(path))
	}
}

// notInIncluded reports a block that an included directory cannot have.
func (l *loader) notInIncluded(b *hcl.Block) {
	why := map[string]string{
		"organization": "One directory describes one organization, and the directory that includes this one does",
		"variable":     "An included directory has no variables, so that it means the same wherever it is included",
		"include":      "An included directory includes no others",
	}[b.Type]
	l.report(problem("Not in an included directory", header(b), "%s. Take the block out, or move it to the directory that includes this one.", why))
}

// newFiles returns the files of a directory.
func newFiles(root *os.Root) *files {
	return &files{root: root, read: map[string]string{}, text: map[string]string{}}
}

// readFolder parses the files of a directory, and returns how many there are.
func (l *loader) readFolder(f *folder) int {
	entries, err := fs.ReadDir(f.files.root.FS(), ".")
	if err != nil {
		l.incomplete = true
		l.report(unreadableDir(l.path(f, "."), err))
		return 0
	}
	n := 0
	for _, e := range entries { // sorted by name
		name := e.Name()
		if strings.HasPrefix(name, ".") || e.IsDir() {
			continue
		}
		if strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hcl.json") {
			n++
			l.rank[l.path(f, name)] = len(l.rank) + 1
			l.readFile(f, name)
		}
	}
	return n
}

// path returns the name of a file of a directory as the user would type it.
func (l *loader) path(f *folder, name string) string { return filepath.Join(l.dir, f.rel, name) }
