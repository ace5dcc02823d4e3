package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/store"
)

// All that is open of a token is kept from forked children for as long as it is open, and nothing else is.
func TestFilesAreKeptFromChildren(t *testing.T) {
	var kept []int
	store.KeepFD = func(fd int) bool { kept = append(kept, fd); return true }
	drop := func(fd int) { kept = slices.DeleteFunc(kept, func(other int) bool { return other == fd }) }
	store.DropFD = drop
	t.Cleanup(func() { store.KeepFD, store.DropFD = nil, nil })
	path := create(t).Path() // stays open, and is kept, too

	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	wantKept(t, "after a look", path, kept)
	store.DropFD = func(fd int) { t.Errorf("%d is not kept for a moment, in which another thread may fork", fd) }
	if err := s.Put(object(1)); err != nil {
		t.Fatal(err)
	}
	store.DropFD = drop
	wantKept(t, "after a change", path, kept)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, fd := range kept {
		if link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err != nil || !strings.HasPrefix(link, path) {
			t.Errorf("after Close %d is kept, which is %q", fd, link)
		}
	}
}

// wantKept compares what is kept with what is open of the token.
func wantKept(t *testing.T, when, path string, kept []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, e := range entries {
		link, err := os.Readlink("/proc/self/fd/" + e.Name())
		fd, errNumber := strconv.Atoi(e.Name())
		if err != nil || errNumber != nil || !strings.HasPrefix(link, path) {
			continue
		}
		found[filepath.Base(link)] = true
		if !slices.Contains(kept, fd) {
			t.Errorf("%s: %s is not kept from children", when, link)
		}
	}
	for _, name := range []string{"token.db", "token.db-wal", "token.db-shm"} {
		if !found[name] {
			t.Errorf("%s: %s is not open, and nothing is tested", when, name)
		}
	}
}
