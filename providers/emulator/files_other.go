//go:build !unix

package emulator

import (
	"errors"
	"os"
	"path/filepath"
)

// replaceFile puts data in place of the file at path. renameio does not promise
// more on such a system, and does not build on Windows.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// lock does nothing: on this system two emulators must not be given one state.
func lock(*os.File) error { return nil }
