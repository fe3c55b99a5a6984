package schema

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
)

// Options are what a configuration is read with, besides its directory.
type Options struct {
	Systems  []*System // the systems that an organization block may name
	Vars     []string  // name=value, in order; a later one wins
	VarFiles []string  // files of values: HCL attributes, or JSON if the name ends in .json
	Environ  []string  // as of os.Environ: ROLECALL_VAR_name=value is read from it

	// Timeout is how long the evaluation may take; 0 stands for five minutes.
	Timeout time.Duration
}

// Load reads the configuration in dir: evaluates it, decodes it and checks it
// against the declarations of the system that it names.
//
// Order: a variable's value is the last of its default, the environment, the
// files of values and the values by name. Blocks are in the order of files and
// lines.
//
// Errors: all of the directory are reported, in the order of files and lines.
// The configuration is never nil, because its Files are wanted to show the
// diagnostics; if there are errors, use it for nothing else.
func Load(dir string, o Options) (*Config, hcl.Diagnostics) {
	return newLoader(dir, o).load(maxMemory)
}

// load is Load, with a bound for the memory that the evaluation may take.
func (l *loader) load(memory uint64) (*Config, hcl.Diagnostics) {
	dir := l.dir
	root, err := os.OpenRoot(dir)
	if err != nil {
		l.report(unreadableDir(dir, err))
		return l.finish()
	}
	l.opened = append(l.opened, root)
	main := &folder{rel: ".", files: newFiles(root)}
	l.folders = append(l.folders, main)

	n := l.readFolder(main)
	l.readIncludes()
	l.readValues()
	if n == 0 && !l.incomplete {
		l.report(noFiles(dir))
		return l.close().finish()
	}
	before := slices.Clone(l.diags)
	finished, why := l.within(cmp.Or(l.options.Timeout, maxTime), memory, func() {
		l.gather()
		l.evaluate()
	})
	if !finished {
		return l.stopped(before, why)
	}
	return l.close().finish()
}

// close closes the directories, from which nothing is read any more.
func (l *loader) close() *loader {
	for _, root := range l.opened {
		root.Close()
	}
	return l
}

// A loader is one call of Load.
type loader struct {
	dir     string
	options Options
	config  *Config
	folders []*folder // the directory itself, then the included ones
	opened  []*os.Root
	meter   *meter
	current current

	diags  hcl.Diagnostics
	seen   map[string]bool // diagnostics that were reported
	rank   map[string]int  // position of files by name
	bodies []*source

	// incomplete is set if something could not be read or parsed. What is
	// not found then may be there, and is not reported.
	incomplete bool

	// undecided are the places of values that are unknown. That follows from
	// an error that is reported, or else is one: see finish.
	undecided []hcl.Range

	values  map[string][]given // values of variables by name
	system  *System
	generic []*Block // the blocks of every system, as this one has them

	nodes   []*node
	vars    map[string]*node
	blocks  map[string]map[string]*node // by type and key of the labels
	labels  map[string]hcl.Range        // of blocks that nothing refers to, by type and label
	objects map[*Block]cty.Type

	// What the blocks described, after all of them were evaluated.
	addresses map[Address]bool
	removed   map[Address]hcl.Range
	moved     map[Address]movedTo
}

// A movedTo is the other end of a move, and where it is written.
type movedTo struct {
	to Address
	hcl.Range
}

// A source is one parsed file.
type source struct {
	name   string
	folder *folder
	body   hcl.Body
	until  int // only what ends before this offset is good; see content
}

func newLoader(dir string, o Options) *loader {
	return &loader{
		dir:     dir,
		options: o,
		config:  &Config{Dir: dir, Guard: DefaultGuard(), Files: map[string]*hcl.File{}},
		meter:   &meter{maxSteps, maxSteps},
		seen:    map[string]bool{},
		rank:    map[string]int{},
		values:  map[string][]given{},
		vars:    map[string]*node{},
		blocks:  map[string]map[string]*node{},
		labels:  map[string]hcl.Range{},
		objects: map[*Block]cty.Type{},

		addresses: map[Address]bool{},
		removed:   map[Address]hcl.Range{},
		moved:     map[Address]movedTo{},
	}
}

// report adds diagnostics, each once: the instances of a block with for_each
// share their expressions, and so their errors.
func (l *loader) report(diags ...*hcl.Diagnostic) {
	for _, d := range diags {
		if d == nil {
			continue
		}
		key := d.Summary + "\x00" + d.Detail
		if d.Subject != nil {
			key = d.Summary + "\x00" + d.Subject.String()
		}
		if l.seen[key] {
			continue
		}
		l.seen[key] = true
		l.diags = append(l.diags, d)
	}
}

// finish sorts what was found and computes the digest.
func (l *loader) finish() (*Config, hcl.Diagnostics) {
	if !l.diags.HasErrors() {
		// Nothing may be left out without a word.
		for _, at := range l.undecided {
			l.report(problem("Value not known", at, "This expression has no definite value, for example because it compares something with null. Handle null by itself, as in x != null && x == y."))
		}
	}
	place := func(d *hcl.Diagnostic) (file, line, column int) {
		if d.Subject == nil {
			return -1, 0, 0
		}
		return l.rank[d.Subject.Filename], d.Subject.Start.Line, d.Subject.Start.Column
	}
	slices.SortStableFunc(l.diags, func(a, b *hcl.Diagnostic) int {
		fileA, lineA, columnA := place(a)
		fileB, lineB, columnB := place(b)
		return cmp.Or(cmp.Compare(fileA, fileB), cmp.Compare(lineA, lineB), cmp.Compare(columnA, columnB))
	})
	l.config.Digest = l.digest()
	return l.config, l.diags
}

// digest returns the digest of everything that was read.
func (l *loader) digest() string {
	h := sha256.New()
	write := func(m map[string]string) {
		names := make([]string, 0, len(m))
		for name := range m {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			fmt.Fprintf(h, "%d %s %d %s\n", len(name), name, len(m[name]), m[name])
		}
	}
	for _, f := range l.folders {
		if f.included() {
			fmt.Fprintf(h, "include %d %s\n", len(f.rel), f.rel)
		}
		write(f.files.read)
	}
	values := map[string]string{}
	for name, list := range l.values {
		// The last one is the one that counts. It is hashed by itself, so that
		// its bytes are never held together with those of other values.
		sum := sha256.Sum256([]byte(list[len(list)-1].key()))
		values["var "+name] = hex.EncodeToString(sum[:])
	}
	write(values)
	return hex.EncodeToString(h.Sum(nil))
}

// readFile parses one file.
func (l *loader) readFile(f *folder, name string) {
	path := l.path(f, name)
	whole := hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}
	text, err := f.files.get(name)
	if err == nil && len(text) > maxFile {
		err = tooLarge(maxFile)
	}
	if err != nil {
		l.incomplete = true
		l.report(problem("Unreadable file", whole, "%s: %s. Make it readable, or take it out of the directory.", path, err))
		return
	}
	src := []byte(text)
	l.config.Files[path] = &hcl.File{Bytes: src}
	if d := checkText(src, path); d != nil {
		l.incomplete = true
		l.report(d)
		return
	}

	until := len(src) + 1
	var file *hcl.File
	var diags hcl.Diagnostics
	if strings.HasSuffix(name, ".json") {
		if len(src) == 0 {
			return // the parser takes this for an object that is not closed
		}
		file, diags = hcljson.Parse(src, path)
		if diags.HasErrors() {
			file = nil
		}
	} else {
		file, diags = hclsyntax.ParseConfig(src, path, hcl.InitialPos)
		diags = uncascaded(diags)
		for _, d := range diags {
			if d.Severity == hcl.DiagError && d.Subject != nil {
				// What is on the same line may be what was not understood.
				line := strings.LastIndex(text[:min(d.Subject.Start.Byte, len(text))], "\n") + 1
				until = min(until, max(line, 1))
			}
		}
	}
	if diags.HasErrors() {
		l.incomplete = true
	}
	l.reportSyntax(diags)
	if file == nil || file.Body == nil {
		return
	}
	l.config.Files[path] = file
	l.bodies = append(l.bodies, &source{name: path, folder: f, body: file.Body, until: until})
}

// uncascaded leaves out what follows from a missing quote: from there on the
// parser takes text for code and code for text.
func uncascaded(diags hcl.Diagnostics) hcl.Diagnostics {
	i := slices.IndexFunc(diags, func(d *hcl.Diagnostic) bool { return d.Summary == "Invalid multi-line string" })
	if i < 0 {
		return diags
	}
	diags[i].Detail = "A closing quote is missing on this line. Add it; what comes after it in this file is checked then."
	return diags[:i+1]
}

// reportSyntax reports what a parser says.
func (l *loader) reportSyntax(diags hcl.Diagnostics) {
	for _, d := range diags {
		if d.Summary == "Root value must be object" && len(diags) > 1 {
			continue // it follows from the others
		}
		l.report(plain(d))
	}
}

// checkText checks that src is text that a parser may be given.
func checkText(src []byte, path string) *hcl.Diagnostic {
	if !utf8.Valid(src) {
		pos := hcl.InitialPos
		for i := 0; i < len(src); {
			r, size := utf8.DecodeRune(src[i:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			pos.Column++
			if r == '\n' {
				pos.Line, pos.Column = pos.Line+1, 1
			}
			i += size
			pos.Byte = i
		}
		return problem("Invalid UTF-8", hcl.Range{Filename: path, Start: pos, End: pos},
			"Byte %d of %s is not UTF-8 text. Save the file as UTF-8.", pos.Byte+1, path)
	}
	if strings.HasSuffix(path, ".json") {
		offset, why := hostileJSON(src)
		if offset < 0 {
			return nil
		}
		pos := position(src, offset)
		return problem("JSON not accepted", hcl.Range{Filename: path, Start: pos, End: pos},
			"Here %s. Write it in another way.", why)
	}
	tokens, _ := hclsyntax.LexConfig(src, path, hcl.InitialPos)
	return hostile(tokens)
}

// position returns the place of the byte at offset.
func position(src []byte, offset int) hcl.Pos {
	before := string(src[:offset])
	line := strings.Count(before, "\n")
	return hcl.Pos{
		Line:   line + 1,
		Column: utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]) + 1,
		Byte:   offset,
	}
}

// Files reads files of one directory and remembers what it read.
type files struct {
	root   *os.Root
	read   map[string]string // digest by name, for the digest of everything
	text   map[string]string // by name
	others []*folder         // whose files may be named, too, by where they are from this one
}

// tooLarge is about a file of more bytes than are read.
func tooLarge(bound int) error { return fmt.Errorf("it is larger than %d MiB", bound>>20) }

// get returns the text of the file called name. A file that is outside of the
// directory, by its name or by a link, is an error.
func (f *files) get(name string) (string, error) {
	if text, ok := f.text[name]; ok {
		return text, nil
	}
	text, err := f.load(name)
	if err != nil {
		f.read["file "+name] = "unreadable"
		return "", err
	}
	sum := sha256.Sum256([]byte(text))
	f.read["file "+name] = hex.EncodeToString(sum[:])
	f.text[name] = text
	return text, nil
}

func (f *files) load(name string) (string, error) {
	info, err := f.root.Stat(name)
	if err != nil {
		return "", why(err)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is not a regular file")
	}
	file, err := f.root.Open(name)
	if err != nil {
		return "", why(err)
	}
	defer file.Close()
	return readAll(file, maxData)
}

// readAll reads all of r, up to a bound.
func readAll(r io.Reader, bound int) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, int64(bound)+1))
	if err != nil {
		return "", why(err)
	}
	if len(data) > bound {
		return "", tooLarge(bound)
	}
	return string(data), nil
}

// why returns the reason in err, without the operation and the name that the
// caller says anyway.
func why(err error) error {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file")
	case errors.As(err, &path):
		if strings.Contains(path.Err.Error(), "escapes") {
			return errors.New("it is outside of the directory of the configuration")
		}
		return path.Err
	}
	return err
}
