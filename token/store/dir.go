package store

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"zombiezen.com/go/sqlite"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// createdName is the file with a token's time of creation, which orders tokens without opening their databases.
const createdName = "created"

// longestTime is more bytes than a time of creation has.
const longestTime = 64

// unfinished begins the name of a token that is being made.
const unfinished = ".new-"

// Entry is a token in a directory of tokens.
type Entry struct {
	Serial  string
	Path    string // what Open takes
	Created time.Time
	Err     error // why the token cannot be used, as far as that shows without opening it
}

// List gives the tokens in dir in the order of their creation. A directory that does not exist has none. No database is opened, and a
// broken token does not hide the others. Names that are not serial numbers are none of ours, and tokens that others keep to themselves are none of
// this user's.
func List(dir string) ([]Entry, error) {
	names, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, inaccessible(dir, err)
	}
	if err := checkHome(dir); err != nil {
		return nil, err
	}
	var list []Entry
	for _, name := range names {
		if !validSerial(name.Name()) {
			continue
		}
		e := Entry{Serial: name.Name(), Path: filepath.Join(dir, name.Name())}
		if e.Err = checkDir(e.Path); e.Err == nil {
			e.Created = createdAt(e.Path)
			_, e.Err = checkFile(filepath.Join(e.Path, fileName))
		}
		if errors.Is(e.Err, fs.ErrPermission) && !own(e.Path) {
			continue
		}
		list = append(list, e)
	}
	slices.SortFunc(list, byCreation)
	return list, nil
}

// own says whether a path is this user's.
func own(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Sys().(*syscall.Stat_t).Uid == uint32(os.Geteuid())
}

// byCreation puts tokens whose time of creation is unknown last, where they do not move the others.
func byCreation(a, b Entry) int {
	if unknown := a.Created.IsZero(); unknown != b.Created.IsZero() {
		return map[bool]int{true: 1, false: -1}[unknown]
	}
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Serial, b.Serial))
}

// checkHome checks the directory of tokens, which an administrator may have replaced by a link.
func checkHome(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return inaccessible(dir, err)
	}
	return checkOwner(dir, info)
}

// createdAt reads a token's time of creation. Where the file is lost the token sorts last: nothing else hangs on it. Every program that lists
// the slots comes by here, so what is no ordinary short file keeps none of them waiting.
func createdAt(path string) time.Time {
	// Without os, which would start Go's poller for a descriptor that does not block.
	fd, err := unix.Open(filepath.Join(path, createdName), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return time.Time{}
	}
	defer func() { _ = unix.Close(fd) }() // it was read only
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return time.Time{}
	}
	text := make([]byte, longestTime)
	n, err := unix.Read(fd, text)
	if err != nil {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, string(bytes.TrimSpace(text[:n])))
	if err != nil {
		return time.Time{}
	}
	return at
}

// Create makes a token in dir and opens it. The token appears complete and durable, or not at all. ErrExists where the serial number is
// taken. Create sets h.Created where it is zero.
func Create(dir string, h *Header) (*Store, error) {
	if h.Created.IsZero() {
		h.Created = time.Now().UTC()
	}
	if err := h.check(); err != nil {
		return nil, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "token header: %w", err)
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = makeHome(dir)
	}
	if err != nil {
		return nil, inaccessible(dir, err)
	}
	if err := checkHome(dir); err != nil {
		return nil, err
	}
	sweep(dir)
	made, err := os.MkdirTemp(dir, unfinished)
	if err != nil {
		return nil, inaccessible(dir, err)
	}
	path := filepath.Join(dir, h.Serial)
	if err := fill(made, h); err != nil {
		_ = os.RemoveAll(made)
		return nil, err
	}
	if err := publish(made, path); err != nil {
		_ = os.RemoveAll(made)
		return nil, err
	}
	return Open(path)
}

// makeHome makes dir and what is missing above it, on disk when it returns.
func makeHome(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := makeHome(parent); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// fill makes the files of a token in the directory made, on disk when it returns.
func fill(made string, h *Header) error {
	db := filepath.Join(made, fileName)
	for name, text := range map[string]string{db: "", filepath.Join(made, createdName): h.Created.Format(time.RFC3339Nano) + "\n"} {
		if err := writeFile(name, text); err != nil {
			return inaccessible(name, err)
		}
	}
	w := writer{db: db}
	err := w.open()
	if err == nil {
		err = w.transact(func(c *sqlite.Conn) error { return format(c, h) })
	}
	if closeErr := w.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return explain(db, err)
	}
	return syncDir(made)
}

// publish gives a finished token its name. rename refuses to replace a directory that is not empty.
func publish(made, path string) error {
	err := os.Rename(made, path)
	if errors.Is(err, fs.ErrExist) {
		return ck.Errorf(ck.CKR_FUNCTION_FAILED, "%s: %w", path, ErrExists)
	}
	if err != nil {
		return inaccessible(path, err)
	}
	return syncDir(filepath.Dir(path))
}

// writeFile makes a file that only its owner may use, and puts it on disk.
func writeFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return inaccessible(path, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return inaccessible(path, err)
	}
	return nil
}

// sweep removes what creators left that died an hour ago or earlier. A failure is the next one's chance.
func sweep(dir string) {
	names, _ := os.ReadDir(dir)
	for _, name := range names {
		info, err := name.Info()
		if err == nil && strings.HasPrefix(name.Name(), unfinished) && info.IsDir() && time.Since(info.ModTime()) > time.Hour {
			_ = os.RemoveAll(filepath.Join(dir, name.Name()))
		}
	}
}
