package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/store"
)

// reachable gives a directory that other users can get to, unlike the test's own.
func reachable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "n11share")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestShare(t *testing.T) {
	top := reachable(t)
	dir := filepath.Join(top, "ncrypt11", "tokens")
	s, err := store.Create(dir, header(serial))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Put(object(1)); err != nil {
		t.Fatal(err)
	}
	if err := store.Share(s.Path()); err != nil {
		t.Fatal(err)
	}
	token := filepath.Join("ncrypt11", "tokens", serial)
	for name, want := range map[string]os.FileMode{
		".": 0o711, "ncrypt11": 0o755, "ncrypt11/tokens": 0o755, token: 0o755,
		token + "/token.db": 0o644, token + "/token.db-wal": 0o644, token + "/token.db-shm": 0o644, token + "/created": 0o644,
	} {
		if info, err := os.Lstat(filepath.Join(top, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s is %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
	mine, err := store.Create(dir, header("fedcba9876543210")) // the other user shall not see it
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	if os.Geteuid() != 0 {
		return // nobody else's eyes are at hand
	}
	cmd := child(t, "read shared", s.Path())
	cmd.Path = "/proc/self/exe" // the other user may not look into the directory that the test binary is in
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if err := cmd.Run(); err != nil {
		t.Errorf("another user: %v", err)
	}
}

// readShared is another user, who sees what its owner wrote a moment ago and can change nothing.
func readShared(path string, _ []string) error {
	if found, err := store.List(filepath.Dir(path)); err != nil || len(found) != 1 || found[0].Err != nil {
		return fmt.Errorf("List = %v, %v", found, err)
	}
	s, err := store.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.Get(object(1).ID); err != nil {
		return err
	}
	if !s.ReadOnly() || s.Put(object(2)) == nil {
		return fmt.Errorf("read-only is %v, or it could be written", s.ReadOnly())
	}
	return nil
}

// What an administrator has chosen stays.
func TestShareLeavesOthers(t *testing.T) {
	top := reachable(t)
	dir := filepath.Join(top, "tokens")
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	s, err := store.Create(dir, header(serial))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := store.Share(s.Path()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{top: 0o711, dir: 0o750, s.Path(): 0o755} {
		if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s is %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	if err := store.Share(filepath.Join(dir, "0000000000000000")); err == nil {
		t.Error("a token that does not exist was shared")
	}
}
