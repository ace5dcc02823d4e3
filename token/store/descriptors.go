package store

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// KeepFD names a descriptor that a forked child must not share with this process, as far as there is room to remember it, and DropFD takes that back; nil
// outside of the library.
var (
	KeepFD func(fd int) bool
	DropFD func(fd int)
)

// descriptors are those of the token's files that are kept from forked children: a server that is root has the files open for writing, and its
// workers, who may not write them, would have them too.
type descriptors struct {
	mu   sync.Mutex
	kept map[int]fileID
}

// keep finds what this process has open of the token in the directory path. SQLite opens files by itself and does not tell which descriptors they have.
// Where there is no /proc to look in, children go on sharing them. What is kept already stays so meanwhile: another thread may fork.
func (d *descriptors) keep(path string) {
	if KeepFD == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept == nil {
		d.kept = map[int]fileID{}
	}
	now := openFiles(path)
	for fd, file := range d.kept {
		if now[fd] != file {
			DropFD(fd)
			delete(d.kept, fd)
		}
	}
	for fd, file := range now {
		if _, known := d.kept[fd]; !known && KeepFD(fd) {
			d.kept[fd] = file
		}
	}
}

// drop comes before the files are closed: their descriptors will be others'.
func (d *descriptors) drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for fd := range d.kept {
		DropFD(fd)
	}
	clear(d.kept)
}

// openFiles gives the descriptors of a token's directory and files, with what they are open on. It opens none of the files: see Store.
func openFiles(path string) map[int]fileID {
	ours := map[fileID]bool{}
	for _, name := range []string{path, filepath.Join(path, fileName), filepath.Join(path, fileName+"-wal"), filepath.Join(path, fileName+"-shm")} {
		if stamp, err := stampOf(name); err == nil {
			ours[stamp.fileID] = true
		}
	}
	entries, _ := os.ReadDir("/proc/self/fd") // as many as can be read
	found := map[int]fileID{}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		var st unix.Stat_t
		if unix.Fstat(fd, &st) != nil {
			continue
		}
		if file := (fileID{uint64(st.Dev), st.Ino}); ours[file] {
			found[fd] = file
		}
	}
	return found
}
