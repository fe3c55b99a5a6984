package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A fileSet is the files that a command is about to write into a directory,
// by name relative to it, with slashes. They are written all or none.
type fileSet map[string][]byte

// maxStaged is how many bytes of files that are there already are taken into a
// trial. A configuration is far smaller.
const maxStaged = 256 << 20

// trial makes a directory that holds what dir would hold with the files in it.
// The caller removes it.
func (f fileSet) trial(dir string) (string, error) {
	stage, err := os.MkdirTemp("", "rolecall-*")
	if err != nil {
		return "", err
	}
	size := int64(0)
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == dir:
			return nil
		case err != nil:
			return err
		case path != dir && strings.HasPrefix(e.Name(), ".") && e.IsDir():
			return filepath.SkipDir
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		if _, ours := f[filepath.ToSlash(rel)]; ours {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if size += info.Size(); size > maxStaged {
			return fmt.Errorf("%s holds more than %d MiB; is it the directory of a configuration?", dir, maxStaged>>20)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return writeUnder(stage, rel, b)
	})
	for name, b := range f {
		err = errors.Join(err, writeUnder(stage, name, b))
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(stage))
	}
	return stage, nil
}

func writeUnder(dir, name string, b []byte) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// write puts the files into dir. Files that are there are an error, unless
// force says to overwrite them. If anything fails, dir is as it was.
func (f fileSet) write(ctx context.Context, dir string, force bool) (err error) {
	names := slices.Sorted(maps.Keys(f))
	if !force {
		var paths []string
		for _, n := range names {
			paths = append(paths, filepath.Join(dir, filepath.FromSlash(n)))
		}
		if err := absent(paths...); err != nil {
			return err
		}
	}
	var undo []func() error
	defer func() {
		if err == nil {
			return
		}
		for _, u := range slices.Backward(undo) {
			err = errors.Join(err, u())
		}
	}()
	made, err := makeDirs(dir, names)
	undo = append(undo, made...)
	if err != nil {
		return err
	}
	stage, err := os.MkdirTemp(dir, ".rolecall-*")
	if err != nil {
		return err
	}
	undo = append(undo, func() error { return os.RemoveAll(stage) })
	for i, n := range names {
		if err := writeUnder(stage, fmt.Sprintf("new-%d", i), f[n]); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil { // the last moment at which nothing was touched
		return err
	}
	for i, n := range names {
		path, before := filepath.Join(dir, filepath.FromSlash(n)), filepath.Join(stage, fmt.Sprintf("old-%d", i))
		switch err := os.Rename(path, before); {
		case err == nil:
			undo = append(undo, func() error { return os.Rename(before, path) })
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		if err := os.Rename(filepath.Join(stage, fmt.Sprintf("new-%d", i)), path); err != nil {
			return err
		}
		undo = append(undo, func() error { return os.Remove(path) })
	}
	return os.RemoveAll(stage)
}

// makeDirs makes the directories of the files, and returns what takes back
// those that were not there.
func makeDirs(dir string, names []string) (undo []func() error, err error) {
	need := map[string]bool{dir: true}
	for _, n := range names {
		need[filepath.Join(dir, filepath.Dir(filepath.FromSlash(n)))] = true
	}
	for _, d := range slices.Sorted(maps.Keys(need)) {
		top := ""
		for p := d; ; p = filepath.Dir(p) { // the highest that is missing
			if _, err := os.Stat(p); err == nil || filepath.Dir(p) == p {
				break
			}
			top = p
		}
		if err := os.MkdirAll(d, 0o755); err != nil {
			return undo, err
		}
		if top != "" {
			undo = append(undo, func() error { return os.RemoveAll(top) })
		}
	}
	return undo, nil
}
