package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The modes of a token that everybody may read, and nobody but its owner change.
const (
	sharedDir  = 0o755
	sharedFile = 0o644
)

// product is what the directory above the machine's tokens is called, where it is the module's own.
const product = "ncrypt11"

// Share lets everybody read the token in the directory path. It is for a token whose keys are sealed to the machine, with a list of who may use
// them: nothing in its files is secret but labels and certificates, and who is on the list must be able to read them.
//
// The directories above are opened as far as Create made them: the one that tokens lie in, and the one above it that is called ncrypt11. A mode that
// somebody has chosen for them is left alone.
func Share(path string) error {
	db := filepath.Join(path, fileName)
	// Files first: the directory keeps everybody out until all is as it shall be. SQLite gives a log that it makes later the database's mode.
	for _, name := range []string{db, db + "-wal", db + "-shm", filepath.Join(path, createdName)} {
		if err := os.Chmod(name, sharedFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", err)
		}
	}
	if err := os.Chmod(path, sharedDir); err != nil {
		return ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", err)
	}
	home := filepath.Dir(path)
	if err := openUp(home); err != nil {
		return err
	}
	if above := filepath.Dir(home); filepath.Base(above) == product {
		return openUp(above)
	}
	return nil
}

// openUp gives a directory that is as makeHome leaves it to everybody to read.
func openUp(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return inaccessible(dir, err)
	}
	if info.Mode().Perm() != 0o700 || info.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) {
		return nil
	}
	if err := os.Chmod(dir, sharedDir); err != nil {
		return ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", err)
	}
	return nil
}
