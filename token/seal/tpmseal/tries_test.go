package tpmseal_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/tpmseal"
)

var mine, other = []byte("one name"), []byte("another name")

func TestTries(t *testing.T) {
	dir := t.TempDir()
	tries := tpmseal.FileTries(filepath.Join(dir, "made", "when needed"))
	take := func(id []byte, want error) {
		t.Helper()
		if err := tries.Take(id, 3); !errors.Is(err, want) {
			t.Fatalf("%s: %v, want %v", id, err, want)
		}
	}
	take(mine, nil)
	take(mine, nil)
	tries.Return(mine)
	take(mine, nil)
	take(mine, nil)
	tries = tpmseal.FileTries(filepath.Join(dir, "made", "when needed")) // another guard
	take(mine, seal.ErrLocked)
	take(mine, ck.CKR_PIN_LOCKED)
	take(other, nil)
	tries.Return(other)
	tries.Return(other)
	tries.Return([]byte("never taken"))
	tries.Settle([]byte("never taken"))
	take(mine, seal.ErrLocked)
	tries.Settle(mine)
	for range 3 {
		take(mine, nil)
	}
	take(mine, seal.ErrLocked)
	if n := len(files(t, filepath.Join(dir, "made", "when needed"))); n != 1 {
		t.Errorf("%d files for one count", n)
	}
}

func files(t testing.TB, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.tries"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What is not a count may have been one: it locks, and the message names it.
func TestDamagedTries(t *testing.T) {
	dir := t.TempDir()
	tries := tpmseal.FileTries(dir)
	if err := errors.Join(tries.Take(mine, 9), tries.Take(other, 9)); err != nil {
		t.Fatal(err)
	}
	both := files(t, dir)
	sound, err := os.ReadFile(both[0])
	if err != nil || len(both) != 2 {
		t.Fatal(both, err)
	}
	theirs, _ := os.ReadFile(both[1])
	for name, content := range map[string][]byte{
		"empty": {}, "cut": sound[:len(sound)-1], "longer": append(sound[:len(sound):len(sound)], 0),
		"lower": []byte(strings.Replace(string(sound), "\x00\x00\x00\x01", "\x00\x00\x00\x00", 1)), "another's": theirs,
	} {
		if err := os.WriteFile(both[0], content, 0o600); err != nil {
			t.Fatal(err)
		}
		one, two := tries.Take(mine, 9), tries.Take(other, 9)
		err := errors.Join(one, two)
		if !errors.Is(err, seal.ErrLocked) || !strings.Contains(err.Error(), both[0]) || (one == nil) == (two == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Remove(both[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", both[0]); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tries.Take(mine, 9), tries.Take(other, 9)); err == nil {
		t.Error("a link was followed")
	}
}

// Where nothing can be counted, nothing is tried.
func TestTriesWithoutDisk(t *testing.T) {
	r := newRig(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := tpmseal.New(r.tpm, cheap, tpmseal.WithTries(tpmseal.FileTries(file), limit))
	blob := r.sealed(pin("1234"), nil)
	if _, err := s.Unseal(blob, pin("1234"), context); !errors.Is(err, ck.CKR_FUNCTION_FAILED) {
		t.Errorf("without a directory: %v", err)
	}
	if n := r.tpm.Commands()["TPM2_Unseal"]; n != 0 {
		t.Error("a PIN was tried")
	}
}

// No try is lost between guards that count at the same time.
func TestTriesTogether(t *testing.T) {
	dir := t.TempDir()
	var taken atomic.Int32
	var wait sync.WaitGroup
	for range 8 {
		tries := tpmseal.FileTries(dir)
		wait.Go(func() {
			for range 5 {
				switch err := tries.Take(mine, 25); {
				case err == nil:
					taken.Add(1)
				case !errors.Is(err, seal.ErrLocked):
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if n := taken.Load(); n != 25 {
		t.Errorf("%d were let pass, want 25", n)
	}
}

func TestTriesAreBounded(t *testing.T) {
	dir := t.TempDir()
	tries := tpmseal.FileTries(dir)
	if err := tries.Take(mine, 9); err != nil {
		t.Fatal(err)
	}
	oldest := files(t, dir)[0]
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(oldest, past, past); err != nil {
		t.Fatal(err)
	}
	for i := range tpmseal.MaxTries {
		name := hex.EncodeToString(fmt.Appendf(nil, "%016d", i)) + ".tries"
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := tries.Take(other, 9); err != nil {
		t.Fatal(err)
	}
	if n := len(files(t, dir)); n != tpmseal.MaxTries {
		t.Errorf("%d files", n)
	}
	if _, err := os.Stat(oldest); err == nil {
		t.Error("the oldest is there still")
	}
	if err := tries.Take(other, 1); !errors.Is(err, seal.ErrLocked) {
		t.Errorf("the newest was forgotten: %v", err)
	}
}
