package failure

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Write replaces the file by f, in one step: who reads it sees one failure or the other. It makes the file's directory, but none above it. It goes by the
// directory's descriptor and without os, which would start Go's poller in the program.
func Write(path string, f *Failure) error {
	content, err := f.encode()
	if err != nil {
		return err
	}
	if err := mayWrite(len(content)); err != nil {
		return err
	}
	dir, err := openDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer closeQuietly(dir)
	name := filepath.Base(path)
	temporary := fmt.Sprintf(".%s.%d", name, os.Getpid())
	if err = create(dir, temporary, content); err == nil {
		err = unix.Renameat(dir, temporary, dir, name)
	}
	if err != nil {
		_ = unix.Unlinkat(dir, temporary, 0) // there may be none
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// mayWrite asks whether the process may write so much into a file: beyond its limit a write is a signal, SIGXFSZ, which ends the process.
func mayWrite(size int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if limit.Cur < uint64(size) {
		return unix.EFBIG
	}
	return nil
}

// openDir opens the directory, and makes it for its owner alone where there is none. It must be this user's: root, with another user's environment, would
// else leave files where that user cannot remove them, or where that user wants them.
func openDir(path string) (int, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Open(path, flags, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeDir(path); err == nil {
			fd, err = unix.Open(path, flags, 0)
		}
	}
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0 {
		closeQuietly(fd)
		return -1, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	}
	return fd, nil
}

// makeDir makes a directory within one of this user's.
func makeDir(path string) error {
	var parent unix.Stat_t
	if err := unix.Lstat(filepath.Dir(path), &parent); err != nil || int(parent.Uid) != os.Geteuid() {
		return fs.ErrPermission
	}
	if err := unix.Mkdir(path, 0o700); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// create writes a new file. One that a process of the same number left behind makes room.
func create(dir int, name string, content []byte) error {
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Openat(dir, name, flags, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if err := unix.Unlinkat(dir, name, 0); err != nil {
			return err
		}
		fd, err = unix.Openat(dir, name, flags, 0o600)
	}
	if err != nil {
		return err
	}
	n, err := unix.Write(fd, content)
	if err == nil && n < len(content) {
		err = unix.ENOSPC
	}
	if closed := unix.Close(fd); err == nil {
		err = closed
	}
	return err
}

func closeQuietly(fd int) { _ = unix.Close(fd) } // nothing was written through it
