package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// addUntil adds large objects until the store refuses, and checks what it says, that the others are still there, and that it goes on once
// there is room again.
func addUntil(s *store.Store, want ck.RV, makeRoom func() error) error {
	n, err := 0, error(nil)
	for ; err == nil; n++ {
		o := object(n)
		o.Attrs = bytes.Repeat([]byte{1}, 50_000)
		err = s.Add(o)
		if n > 1000 {
			return errors.New("there is no limit")
		}
	}
	if !errors.Is(err, want) {
		return fmt.Errorf("after %d objects: %w, want %s", n-1, err, want)
	}
	for i := range n - 1 {
		if _, err := s.Get(object(i).ID); err != nil {
			return fmt.Errorf("object %d of %d: %w", i, n, err)
		}
	}
	if _, err := s.Get(object(n - 1).ID); !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("the object that was refused: %v", err)
	}
	if err := makeRoom(); err != nil {
		return err
	}
	if err := s.Add(object(n)); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	return s.Close()
}

func fillSmallDisk(dir string, _ []string) error {
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=2m"); err != nil {
		return err
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 600_000), 0o600); err != nil {
		return err
	}
	s, err := store.Create(filepath.Join(dir, "tokens"), header(serial))
	if err != nil {
		return err
	}
	return addUntil(s, ck.CKR_DEVICE_MEMORY, func() error { return os.Remove(ballast) })
}

func TestDiskFull(t *testing.T) {
	cmd := child(t, "fill a small disk", t.TempDir())
	inNamespace(t, cmd)
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
}

func hitSizeLimit(path string, _ []string) error {
	signal.Ignore(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: old.Max}); err != nil {
		return err
	}
	s, err := store.Open(path)
	if err != nil {
		return err
	}
	return addUntil(s, ck.CKR_DEVICE_ERROR, func() error { return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old) })
}

func TestSizeLimit(t *testing.T) {
	s := create(t)
	if err := child(t, "hit the size limit", s.Path()).Run(); err != nil {
		t.Error(err)
	}
}

// readOnly looks at a token through a read-only mount, while another process writes it.
func readOnly(path string, _ []string) error {
	if err := mountReadOnly(path); err != nil {
		return err
	}
	s, err := store.Open(path)
	if err != nil {
		return err
	}
	if !s.ReadOnly() {
		return errors.New("it is not ReadOnly")
	}
	if err := s.Put(object(9)); !errors.Is(err, ck.CKR_TOKEN_WRITE_PROTECTED) {
		return fmt.Errorf("a write: %v, want CKR_TOKEN_WRITE_PROTECTED", err)
	}
	var rev, version int64
	known := map[store.ID]int{}
	for n := 1; n <= 3; n++ {
		now, err := s.Version()
		if err != nil || now == version {
			return fmt.Errorf("version is %d, was %d: %w", now, version, err)
		}
		version = now
		rev, err = s.Since(rev, func(o *store.Object) error { known[o.ID] = int(o.ID[15]); return nil }, nil)
		if err != nil {
			return err
		}
		fmt.Println(numbers(known))
		if _, err := fmt.Scanln(); err != nil {
			return err
		}
	}
	return s.Close()
}

// A token on a read-only mount is readable, and current, whether another process has it open or opens it only to write.
func TestReadOnly(t *testing.T) {
	for _, c := range []struct {
		name string
		open bool // the writer keeps the token open
	}{{"with a writer", true}, {"frozen", false}} {
		t.Run(c.name, func(t *testing.T) {
			s := create(t)
			path := s.Path()
			write := func(n int) {
				t.Helper()
				w := s
				if !c.open {
					var err error
					if w, err = store.Open(path); err != nil {
						t.Fatal(err)
					}
				}
				if err := w.Put(object(n)); err != nil {
					t.Fatal(err)
				}
				if !c.open {
					if err := w.Close(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if !c.open {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			write(1)
			cmd := child(t, "read only", path)
			inNamespace(t, cmd)
			in, out := talk(t, cmd)
			for n, want := range []string{"[1]", "[1 2]", "[1 2 3]"} {
				if !out.Scan() || out.Text() != want {
					t.Fatalf("the reader sees %s, want %s", out.Text(), want)
				}
				if n < 2 {
					write(n + 2)
				}
				fmt.Fprintln(in)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func mountReadOnly(path string) error {
	dir := filepath.Dir(path)
	if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
		return err
	}
	return syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
}

func readOnlyWithLog(path string, _ []string) error {
	if err := mountReadOnly(path); err != nil {
		return err
	}
	_, err := store.Open(path)
	if !errors.Is(err, ck.CKR_DEVICE_ERROR) || !strings.Contains(err.Error(), "where it can be written") {
		return fmt.Errorf("the token opened with %v", err)
	}
	return nil
}

// A log without its index cannot be read without writing. Leaving it out would show an old state of the token as its present one.
func TestReadOnlyWithLog(t *testing.T) {
	s := create(t)
	writer := child(t, "add forever", s.Path(), "1")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, out := talk(t, writer)
	if !out.Scan() {
		t.Fatal("the writer wrote nothing")
	}
	_ = writer.Process.Kill()
	_ = writer.Wait()
	if err := os.Remove(filepath.Join(s.Path(), "token.db-shm")); err != nil {
		t.Fatal(err)
	}
	cmd := child(t, "read only with log", s.Path())
	inNamespace(t, cmd)
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	if _, err := opened(t, s.Path()).Get(object(1).ID); err != nil {
		t.Errorf("where it can be written: %v", err)
	}
}
