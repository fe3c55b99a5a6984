// Package journal records what an apply did: a file of JSON lines, each
// written and synced before anything else happens. It is the audit record (who
// changed what, when, from which commit, with which request) and never needed
// to go on: the live organization is the state.
//
// Each record carries the digest of the one before it, so that a line that was
// taken out or changed later shows. A last line that was cut by a crash is
// dropped when the file is read.
//
// It knows steps by their ids and addresses and holds no secret: no key, no
// header and no body of a request comes near it.
package journal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Kind is what a record says.
type Kind string

// The kinds of records, in the order in which they come.
const (
	Begin   Kind = "begin"   // an apply begins; the header of the file
	Stage   Kind = "stage"   // a stage begins
	Intent  Kind = "intent"  // a step is about to be carried out
	Done    Kind = "done"    // a step was carried out and answered
	Console Kind = "console" // a console step was shown to a person
	Failed  Kind = "failed"  // a step was refused, or its answer was lost for good
	Proven  Kind = "proven"  // a read showed every step of a stage
	Settle  Kind = "settle"  // the wait until a stage is in force begins
	End     Kind = "end"     // the apply ended; Outcome says how
)

// A Record is one line.
type Record struct {
	Kind Kind      `json:"kind"`
	At   time.Time `json:"at"` // UTC

	// Of Begin.
	FormatVersion string `json:"format_version,omitempty"`
	Version       string `json:"rolecall_version,omitempty"`
	Organization  string `json:"organization,omitempty"`
	System        string `json:"system,omitempty"`
	Actor         string `json:"actor,omitempty"`         // who runs the apply
	Commit        string `json:"commit,omitempty"`        // of the configuration, if it is in Git
	Configuration string `json:"configuration,omitempty"` // its digest
	Steps         int    `json:"steps,omitempty"`
	Snapshot      string `json:"snapshot,omitempty"` // name of the file that holds the state before

	// Of Stage, Proven and Settle: the number of the stage from 1.
	Stage   int    `json:"stage,omitempty"`
	Phase   string `json:"phase,omitempty"`
	Seconds int    `json:"seconds,omitempty"`

	// Of Intent, Done, Console and Failed.
	Step    string `json:"step,omitempty"`
	Address string `json:"address,omitempty"`
	Action  string `json:"action,omitempty"`
	Request string `json:"request_id,omitempty"` // as the vendor calls it

	// Of Failed and End.
	Outcome string `json:"outcome,omitempty"`
	Message string `json:"message,omitempty"`

	// Before is the digest of the line before, "" for the first one.
	Before string `json:"before"`
}

const formatVersion = "1.0"

// A Journal is a file that is being written. It is safe for concurrent use.
type Journal struct {
	mu     sync.Mutex
	file   *os.File
	before string
	now    func() time.Time
	err    error // the first error; nothing is written after it
}

// Create starts a journal in dir, which is made if it is not there, under a
// name made of the time, and writes its first record. The file can be read by
// its owner alone.
func Create(dir string, now func() time.Time, begin Record) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	stamp := now().UTC().Format("20060102T150405.000Z")
	var file *os.File
	for n := 0; ; n++ {
		name := fmt.Sprintf("%s-%02d%s", stamp, n, suffix) // sorts by time
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
		if errors.Is(err, fs.ErrExist) && n < 99 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		file = f
		break
	}
	j := &Journal{file: file, now: now}
	begin.Kind, begin.FormatVersion = Begin, formatVersion
	if err := j.Write(begin); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, syncDir(dir)
}

const suffix = ".jsonl"

// Path returns the name of the file.
func (j *Journal) Path() string { return j.file.Name() }

// Write adds a record, with its time and chain filled in, and returns when it
// is on the disk. What cannot be recorded must not be done: after an error
// every further call returns it.
func (j *Journal) Write(r Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	r.At, r.Before = j.now().UTC(), j.before
	line, err := json.Marshal(r)
	if err == nil {
		if _, err = j.file.Write(append(line, '\n')); err == nil {
			err = j.file.Sync()
		}
	}
	if err != nil {
		j.err = fmt.Errorf("journal %s: %w", j.file.Name(), err)
		return j.err
	}
	j.before = digest(line)
	return nil
}

// Close ends the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}

func digest(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// syncDir makes the name of a new file durable. Not every system can; those
// that cannot do not need it.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	_ = d.Sync()
	return d.Close()
}

// maxLine is the longest line that is read, in bytes.
const maxLine = 1 << 20

// Read returns the records of a journal. A last line without an end is
// dropped: a crash cut it.
//
// Errors: a line that is no record, or that does not follow the one before it
// (somebody changed the file); the records before it are returned too.
func Read(path string) ([]Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	return read(f, path)
}

func read(f io.Reader, path string) ([]Record, error) {
	in := bufio.NewReaderSize(f, 64<<10)
	var list []Record
	before := ""
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		var long []byte
		for errors.Is(err, bufio.ErrBufferFull) && len(long) <= maxLine {
			long = append(long, line...)
			line, err = in.ReadSlice('\n')
		}
		line = append(long, line...)
		switch {
		case len(line) > maxLine:
			return list, fmt.Errorf("journal %s:%d: the line is too long", path, n)
		case errors.Is(err, io.EOF): // nothing, or a line that a crash cut
			return list, nil
		case err != nil:
			return list, fmt.Errorf("journal %s: %w", path, err)
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		var r Record
		if err := json.Unmarshal(line, &r); err != nil || r.Kind == "" || (n == 1) != (r.Kind == Begin) {
			return list, fmt.Errorf("journal %s:%d: this is no record of an apply", path, n)
		}
		if r.Before != before {
			return list, fmt.Errorf("journal %s:%d: this line does not follow the one before it: the file was changed", path, n)
		}
		before = digest(line)
		list = append(list, r)
	}
}

// List returns the journals in dir, oldest first; none if there is no dir.
func List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var list []string
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), suffix) {
			list = append(list, filepath.Join(dir, e.Name()))
		}
	}
	slices.Sort(list)
	return list, nil
}

// Open returns the steps that may have taken effect without being known to
// have: those that were about to be carried out when the apply was killed, and
// those that failed, since an answer that was lost is a failure too. It returns
// nil for an apply that ended.
func Open(records []Record) []Record {
	var open []Record
	for _, r := range records {
		switch r.Kind {
		case Intent:
			open = append(open, r)
		case Done:
			open = slices.DeleteFunc(open, func(i Record) bool { return i.Step == r.Step })
		case End:
			return nil
		}
	}
	return open
}

// A Change is the last thing that the journals know of an object.
type Change struct {
	Record
	Actor, Commit string
	File          string
}

// Last returns, for each address, the last step that was carried out on it
// according to the journals in dir.
func Last(dir string) (map[string]Change, error) {
	files, err := List(dir)
	if err != nil {
		return nil, err
	}
	last := map[string]Change{}
	var damaged error
	for _, file := range files {
		records, err := Read(file)
		damaged = errors.Join(damaged, err)
		var begin Record
		for _, r := range records {
			switch r.Kind {
			case Begin:
				begin = r
			case Done:
				last[r.Address] = Change{Record: r, Actor: begin.Actor, Commit: begin.Commit, File: file}
			}
		}
	}
	return last, damaged
}
