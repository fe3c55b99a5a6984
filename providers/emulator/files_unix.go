//go:build unix

package emulator

import (
	"errors"
	"os"
	"syscall"

	"github.com/google/renameio/v2"
)

// replaceFile puts data in place of the file at path, all or nothing.
func replaceFile(path string, data []byte) error {
	return renameio.WriteFile(path, data, 0o600)
}

// lock takes the file for this process. The system lets go of it when the
// process ends, however it ends.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrStateInUse
	}
	return err
}
