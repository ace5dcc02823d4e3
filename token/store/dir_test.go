package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

func TestCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s, err := store.Create(dir, header(serial))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(object(1)); err != nil { // makes the log and its index
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		"": 0o700 | os.ModeDir, "token.db": 0o600, "token.db-wal": 0o600, "token.db-shm": 0o600, "created": 0o600,
	} {
		if info, err := os.Lstat(filepath.Join(s.Path(), name)); err != nil || info.Mode() != want {
			t.Errorf("%q is %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
	if _, err := store.Create(dir, header(serial)); !errors.Is(err, store.ErrExists) {
		t.Errorf("the same serial number again: %v", err)
	}
	if _, err := s.Get(object(1).ID); err != nil {
		t.Errorf("the first token suffered: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(s.Path())
	if err != nil || len(left) != 2 {
		t.Errorf("a closed token has the files %v, want token.db and created", left)
	}
	if around, err := os.ReadDir(dir); err != nil || len(around) != 1 {
		t.Errorf("beside the token there are %v", around)
	}
}

func TestCreateRefuses(t *testing.T) {
	for name, spoil := range map[string]func(h *store.Header){
		"short serial":   func(h *store.Header) { h.Serial = "1" },
		"path as serial": func(h *store.Header) { h.Serial = "../../etc/passwd" },
		"dotted serial":  func(h *store.Header) { h.Serial = "..............ab" },
		"long label":     func(h *store.Header) { h.Label = "123456789012345678901234567890123" },
		"broken label":   func(h *store.Header) { h.Label = "\xff" },
		"no policy":      func(h *store.Header) { h.Policy = "" },
		"no login":       func(h *store.Header) { h.Login = "" },
		"failures":       func(h *store.Header) { h.SOFailures = -1 },
		"large options":  func(h *store.Header) { h.Options = map[string]string{"x": string(make([]byte, 1<<20))} },
	} {
		dir, h := t.TempDir(), header(serial)
		spoil(h)
		if _, err := store.Create(dir, h); !errors.Is(err, ck.CKR_ARGUMENTS_BAD) {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: it left %v", name, left)
		}
	}
}

func TestCreateWhere(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Create(dir, header(serial)); !errors.Is(err, ck.CKR_DEVICE_ERROR) {
		t.Errorf("in everybody's directory: %v", err)
	}
	if _, err := store.List(dir); !errors.Is(err, ck.CKR_DEVICE_ERROR) {
		t.Errorf("listing everybody's directory: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Create(file, header(serial)); !errors.Is(err, ck.CKR_DEVICE_ERROR) {
		t.Errorf("in a file: %v", err)
	}
}

// Whatever stands in the place of the time of creation, listing neither waits for it nor reads it to its end.
func TestListOddCreated(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"a pipe":         func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"an endless one": func(path string) error { return os.Symlink("/dev/zero", path) },
		"a directory":    func(path string) error { return os.Mkdir(path, 0o700) },
		"a large one":    func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<40)) },
	} {
		path, _ := closed(t, 0)
		created := filepath.Join(path, "created")
		if err := errors.Join(os.Remove(created), put(created)); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			list, err := store.List(filepath.Dir(path))
			if err == nil && (len(list) != 1 || list[0].Err != nil || !list[0].Created.IsZero()) {
				err = fmt.Errorf("%+v", list)
			}
			done <- err
		}()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: List hangs", name)
		}
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	if list, err := store.List(filepath.Join(dir, "none")); err != nil || len(list) != 0 {
		t.Errorf("no directory: %v, %v", list, err)
	}
	begin := time.Now().UTC()
	for i, serial := range []string{"cccccccccccccccc", "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"} {
		h := header(serial)
		h.Created = begin.Add(time.Duration(i) * time.Millisecond)
		s, err := store.Create(dir, h)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// One broken, one half made, one long abandoned, one not ours.
	abandoned := filepath.Join(dir, ".new-2")
	for _, name := range []string{"dddddddddddddddd", ".new-1", abandoned[len(dir)+1:], "lost+found"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(abandoned, begin, begin.Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	order := ""
	for _, e := range list {
		order += e.Serial[:1]
		if broken := e.Serial[0] == 'd'; (e.Err != nil) != broken {
			t.Errorf("token %s: %v", e.Serial, e.Err)
		} else if !broken {
			if err := readAll(t, e.Path); err != nil {
				t.Error(err)
			}
		}
	}
	if order != "cabd" { // what has no time of creation comes last
		t.Errorf("the order is %s, want that of creation", order)
	}
	s, err := store.Create(dir, header("eeeeeeeeeeeeeeee"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(abandoned); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a creator's leftover of two hours ago: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, ".new-1")); err != nil {
		t.Errorf("another creator's work was removed: %v", err)
	}
}
