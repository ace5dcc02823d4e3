package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// fileName is the database in a token's directory.
const fileName = "token.db"

// smallest is a size that every database has. SQLite takes a smaller file for a new one.
const smallest = 512

// fileID tells one file from another that took its place.
type fileID struct{ device, inode uint64 }

// fileStamp changes with the file's contents.
type fileStamp struct {
	fileID
	size, modified int64
}

func stampOf(path string) (fileStamp, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return fileStamp{}, err
	}
	st := info.Sys().(*syscall.Stat_t)
	return fileStamp{fileID{uint64(st.Dev), st.Ino}, info.Size(), info.ModTime().UnixNano()}, nil
}

// mayWrite asks the kernel, which also knows of read-only file systems. The log and its index are made in the directory.
func mayWrite(db string) bool {
	return unix.Faccessat(unix.AT_FDCWD, db, unix.W_OK, unix.AT_EACCESS) == nil &&
		unix.Faccessat(unix.AT_FDCWD, filepath.Dir(db), unix.W_OK, unix.AT_EACCESS) == nil
}

// checkToken checks a token's directory and database before they are used, and identifies the database.
func checkToken(path string) (fileID, error) {
	if err := checkDir(path); err != nil {
		return fileID{}, err
	}
	return checkFile(filepath.Join(path, fileName))
}

// checkDir refuses a directory in which someone else could put files.
func checkDir(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return inaccessible(path, err)
	}
	if !info.IsDir() {
		return ck.Errorf(ck.CKR_TOKEN_NOT_RECOGNIZED, "%s: not a directory; a token is a directory, not a link to one", path)
	}
	return checkOwner(path, info)
}

// checkFile refuses what is not an ordinary file of ours. A second name would have a log of its own: two logs destroy a database.
func checkFile(path string) (fileID, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return fileID{}, inaccessible(path, err)
	}
	st := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.Mode().IsRegular():
		return fileID{}, ck.Errorf(ck.CKR_TOKEN_NOT_RECOGNIZED, "%s: not a regular file; links are not followed", path)
	case st.Nlink != 1:
		return fileID{}, ck.Errorf(ck.CKR_DEVICE_ERROR, "%s: it has %d hard links; remove all names but this", path, st.Nlink)
	case info.Size() < smallest:
		return fileID{}, ck.Errorf(ck.CKR_DEVICE_ERROR, "%s: it has only %d bytes; restore the token's directory from a backup", path, info.Size())
	}
	return fileID{uint64(st.Dev), st.Ino}, checkOwner(path, info)
}

// checkOwner wants the file to be this user's or root's, and nobody else's to change. A group may be given access on purpose.
func checkOwner(path string, info fs.FileInfo) error {
	owner := info.Sys().(*syscall.Stat_t).Uid
	if self := uint32(os.Geteuid()); owner != self && owner != 0 {
		return ck.Errorf(ck.CKR_DEVICE_ERROR, "%s: it belongs to user %d and this is user %d; use it as its owner", path, owner, self)
	}
	if mode := info.Mode().Perm(); mode&0o002 != 0 {
		return ck.Errorf(ck.CKR_DEVICE_ERROR, "%s: everybody may write it (mode %04o); chmod o-w it, after making sure that nobody did", path, mode)
	}
	return nil
}

func inaccessible(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ck.Errorf(ck.CKR_TOKEN_NOT_PRESENT, "%w", err)
	}
	return ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", err)
}
