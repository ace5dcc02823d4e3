package events

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// FileName is the file in a log's directory; what was before it is in OldName.
const (
	FileName = "events.jsonl"
	OldName  = FileName + ".1"
)

// maxFile is how large the file may get before it is renamed. Where renaming fails it may get twice as large, and then takes no more.
const maxFile = 8 << 20

// Other processes rename the file in no time; who waits for longer waits for nobody.
const (
	rotateTries = 20
	rotateWait  = time.Millisecond
)

var (
	errNoRoom  = errors.New("the file is full")
	errRenamed = errors.New("the file was renamed meanwhile")
)

// file is a directory with the file. It is opened for each event, without os, which would start Go's poller.
type file struct{ dir string }

func (f file) put(_ *Event, line []byte) error {
	room := roomInFile()
	if uint64(len(line)) > room {
		return errNoRoom
	}
	for try := 1; ; try++ {
		err := f.append(line, room, try == rotateTries)
		if !errors.Is(err, errRenamed) || try == rotateTries {
			return err
		}
		time.Sleep(rotateWait)
	}
}

// roomInFile is maxFile, or less where the process may not write so much: beyond its limit a write is a signal, SIGXFSZ, which ends the
// process. Services are given a limit of 0 to keep them from writing files at all.
func roomInFile() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return 0
	}
	return min(maxFile, limit.Cur/2)
}

// append adds the line to the file, which it renames before if it is full. errRenamed: try again, because there is another file now. In the
// last try a file that could not be renamed may get larger.
func (f file) append(line []byte, room uint64, last bool) error {
	fd, st, err := f.open()
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }() // what it could tell of a network's file system comes too late
	size := uint64(st.Size) + uint64(len(line))
	switch {
	case st.Nlink == 0:
		return errRenamed
	case size > room && !last:
		return f.rotate(fd, &st)
	case size > 2*room:
		return errNoRoom
	}
	// One write at the end of the file, so that lines of several processes do not mix.
	n, err := unix.Write(fd, line)
	if err == nil && n < len(line) {
		err = errNoRoom // the reader finds the next line behind this piece
	}
	return err
}

// open opens the file, and makes it where there is none. It must be one that nobody else had a hand in.
func (f file) open() (int, unix.Stat_t, error) {
	const flags = unix.O_WRONLY | unix.O_APPEND | unix.O_CREAT | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	path := filepath.Join(f.dir, FileName)
	var st unix.Stat_t
	fd, err := unix.Open(path, flags, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := MakeDir(f.dir); err != nil {
			return -1, st, err
		}
		fd, err = unix.Open(path, flags, 0o600)
	}
	if err != nil {
		return -1, st, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	if err = unix.Fstat(fd, &st); err == nil {
		err = checkFile(path, &st)
	}
	if err != nil {
		_ = unix.Close(fd) // nothing was written
		return -1, st, err
	}
	return fd, st, nil
}

// checkFile refuses what somebody else may have put there: a device, a file with another name, one that others can change.
func checkFile(path string, st *unix.Stat_t) error {
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return fmt.Errorf("%s: not a regular file", path)
	case int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%s: it belongs to user %d", path, st.Uid)
	case st.Nlink > 1:
		return fmt.Errorf("%s: it has %d hard links", path, st.Nlink)
	case st.Mode&0o022 != 0:
		return fmt.Errorf("%s: others may write it (mode %04o)", path, st.Mode&0o777)
	}
	return nil
}

// rotate renames the file that fd is, unless another process did or is about to.
func (f file) rotate(fd int, st *unix.Stat_t) error {
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return errRenamed
	}
	path := filepath.Join(f.dir, FileName)
	var now unix.Stat_t
	if err := unix.Lstat(path, &now); err != nil || now.Dev != st.Dev || now.Ino != st.Ino {
		return errRenamed
	}
	// A failure shows in the next try: the file is as full as it was.
	_ = unix.Rename(path, filepath.Join(f.dir, OldName))
	return errRenamed
}

// maxMade is how many directories MakeDir makes: .local, state and one of ours. Homes of accounts that have none are not made.
const maxMade = 3

// MakeDir makes a log's directory, for its owner alone. Write does it too; a guard does it before it shuts itself in.
func MakeDir(dir string) error { return makeDir(dir, maxMade) }

func makeDir(dir string, most int) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) && most > 1 {
		if err := makeDir(filepath.Dir(dir), most-1); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
