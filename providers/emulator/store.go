package emulator

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
)

// A store keeps the state in two files: a snapshot, which is replaced as a
// whole, and beside it a log with one line for each write since the snapshot.
//
// Both begin with a generation. A log of an older generation than the snapshot
// is contained in the snapshot and ignored; that is what a crash between
// writing the snapshot and emptying the log leaves behind. A last line without
// its newline is a write that was never answered, and is dropped.
//
// A write is handed to the operating system before it is answered, so it
// survives the end of the process by any signal. It is not flushed to the disk
// one by one; Close and every snapshot do that.
type store struct {
	path       string // snapshot; the log is path + ".log"
	log        *os.File
	generation int
	logged     int64 // bytes in the log
	seed       string
}

// maxLog is the size of the log, in bytes, beyond which a snapshot is made.
const maxLog = 16 << 20

// A snapshot is the state as a whole.
type snapshot struct {
	Format     int                        `json:"format"` // 1
	Generation int                        `json:"generation"`
	Seed       string                     `json:"seed_sha256"`
	Tables     map[string]json.RawMessage `json:"tables"`
}

// A logHeader is the first line of the log.
type logHeader struct {
	Generation int `json:"generation"`
}

func seedSum(seed []byte) string {
	sum := sha256.Sum256(seed)
	return hex.EncodeToString(sum[:])
}

// openStore opens or makes the files at path and returns the state in them, or
// nil if there is none. Nobody else can open them until close.
func openStore(path, seed string, reset bool) (*store, *state, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, nil, err
	}
	log, err := os.OpenFile(path+".log", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	s := &store{path: path, log: log, seed: seed}
	if err := lock(log); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", path, err), log.Close())
	}
	st, err := s.read(reset)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", path, err), log.Close())
	}
	return s, st, nil
}

func (s *store) read(reset bool) (*state, error) {
	data, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var snap snapshot
	if err := json.Unmarshal(data, &snap); err != nil || snap.Format != 1 {
		if reset {
			return nil, nil
		}
		return nil, errors.Join(errors.New("this is not a state of the emulator; use --reset to replace it"), err)
	}
	s.generation = snap.Generation
	switch {
	case reset:
		return nil, nil
	case snap.Seed != s.seed:
		return nil, ErrSeedChanged
	}
	st := newState()
	if err := snap.load(st); err != nil {
		return nil, err
	}
	return st, s.replay(st)
}

func (snap *snapshot) load(st *state) error {
	for _, t := range st.tables() {
		var rows map[string]json.RawMessage
		if raw, ok := snap.Tables[t.tableName()]; ok {
			if err := json.Unmarshal(raw, &rows); err != nil {
				return fmt.Errorf("%s: %w", t.tableName(), err)
			}
		}
		for key, raw := range rows {
			if err := t.load(key, raw); err != nil {
				return err
			}
		}
	}
	return nil
}

// replay applies the log, if it follows the snapshot, and cuts off an
// unfinished last line.
func (s *store) replay(st *state) error {
	r := bufio.NewReader(s.log)
	first, err := r.ReadBytes('\n')
	if err != nil {
		return s.startLog() // empty, or cut short before any write
	}
	var header logHeader
	if err := json.Unmarshal(first, &header); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	switch {
	case header.Generation < s.generation:
		return s.startLog()
	case header.Generation > s.generation:
		return errors.New("the log is newer than the snapshot; use --reset to start over")
	}
	size, err := replayLines(r, st)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	s.logged = int64(len(first)) + size
	if err := s.log.Truncate(s.logged); err != nil {
		return err
	}
	_, err = s.log.Seek(s.logged, io.SeekStart)
	return err
}

// replayLines returns the size of the lines it applied.
func replayLines(r *bufio.Reader, st *state) (size int64, err error) {
	tables := map[string]loader{}
	for _, t := range st.tables() {
		tables[t.tableName()] = t
	}
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return size, err
		}
		var changes []change
		if err := json.Unmarshal(line, &changes); err != nil {
			return size, err
		}
		for _, c := range changes {
			t, ok := tables[c.Table]
			if !ok {
				return size, fmt.Errorf("unknown table %q", c.Table)
			}
			if err := t.load(c.Key, c.Value); err != nil {
				return size, err
			}
		}
		size += int64(len(line))
	}
}

// append writes the changes of one tx. If it fails, the log is as before.
func (s *store) append(changes []change) error {
	line, err := encode(changes)
	if err != nil {
		return err
	}
	n, err := s.log.Write(append(line, '\n'))
	if err != nil {
		_, seekErr := s.log.Seek(s.logged, io.SeekStart)
		return errors.Join(err, s.log.Truncate(s.logged), seekErr)
	}
	s.logged += int64(n)
	return nil
}

// save makes a snapshot and empties the log. The same state gives the same
// bytes, but for the generation.
func (s *store) save(st *state) error {
	snap := snapshot{Format: 1, Generation: s.generation + 1, Seed: s.seed, Tables: map[string]json.RawMessage{}}
	for _, t := range st.tables() {
		raw, err := encode(t.dump())
		if err != nil {
			return err
		}
		snap.Tables[t.tableName()] = raw
	}
	data, err := encode(snap)
	if err != nil {
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, data, "", " "); err != nil {
		return err
	}
	pretty.WriteByte('\n')
	if err := replaceFile(s.path, pretty.Bytes()); err != nil {
		return err
	}
	s.generation++
	return s.startLog()
}

func (s *store) startLog() error {
	if err := s.log.Truncate(0); err != nil {
		return err
	}
	if _, err := s.log.Seek(0, io.SeekStart); err != nil {
		return err
	}
	line, err := encode(logHeader{s.generation})
	if err != nil {
		return err
	}
	n, err := s.log.Write(append(line, '\n'))
	s.logged = int64(n)
	return err
}

// close makes a snapshot, if there was a write since the last, and lets go of
// the files.
func (s *store) close(st *state) error {
	var err error
	header, _ := encode(logHeader{s.generation})
	if s.logged > int64(len(header)+1) {
		err = s.save(st)
	}
	return errors.Join(err, s.log.Close())
}
