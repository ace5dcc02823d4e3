package tpmseal

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// FileTries counts wrong PINs in files of dir, which only the guard may write: one for each sealed master key that has any. Guards that run at
// the same time share the count.
func FileTries(dir string) Tries { return fileTries{dir} }

type fileTries struct{ dir string }

const (
	triesMagic  = "N11TRY\x00\x01"
	triesSuffix = ".tries"
	triesLen    = len(triesMagic) + sha256.Size + 4 + checksumLen

	// maxTries bounds the files. Beyond, the oldest count is forgotten: by then that many wrong PINs have come, and the TPM counts them all.
	maxTries = 4096

	lockPatience = 10 * time.Second
	lockPause    = 2 * time.Millisecond
)

// Take counts a try.
func (f fileTries) Take(id []byte, limit int) error {
	err := f.locked(id, func(digest []byte, path string) error {
		count, err := readTries(path, digest)
		switch {
		case err != nil:
			return err
		case count >= limit:
			return ck.Errorf(ck.CKR_PIN_LOCKED, "%w: %d", seal.ErrLocked, count)
		case count == 0:
			if err := f.makeRoom(); err != nil {
				return err
			}
		}
		return f.write(path, digest, count+1)
	})
	if err != nil && !errors.Is(err, seal.ErrLocked) && !errors.Is(err, seal.ErrBusy) {
		return ck.Errorf(ck.CKR_FUNCTION_FAILED, "wrong PINs cannot be counted, so none is tried: %w", err)
	}
	return err
}

// Return takes a try back. Where that fails, one too many stays counted, until a right PIN comes.
func (f fileTries) Return(id []byte) {
	_ = f.locked(id, func(digest []byte, path string) error {
		count, err := readTries(path, digest)
		switch {
		case err != nil || count == 0:
			return err
		case count == 1:
			return os.Remove(path)
		}
		return f.write(path, digest, count-1)
	})
}

// Settle forgets all tries. A crash may bring them back, which locks nobody out who has the right PIN.
func (f fileTries) Settle(id []byte) {
	_ = f.locked(id, func(_ []byte, path string) error { return os.Remove(path) })
}

// locked runs do, alone among all guards.
func (f fileTries) locked(id []byte, do func(digest []byte, path string) error) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(f.dir, "lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close() // and with it the lock goes
	for end := time.Now().Add(lockPatience); ; time.Sleep(lockPause) {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if err != unix.EWOULDBLOCK && err != unix.EINTR {
			return err
		}
		if time.Now().After(end) {
			return ck.Errorf(ck.CKR_FUNCTION_FAILED, "%w: another guard holds %s", seal.ErrBusy, lock.Name())
		}
	}
	digest := sha256.Sum256(id)
	return do(digest[:], filepath.Join(f.dir, hex.EncodeToString(digest[:16])+triesSuffix))
}

// encodeTries gives the bytes of a file: magic, whose tries they are, how many, checksum.
func encodeTries(digest []byte, count int) []byte {
	body := append([]byte(triesMagic), digest...)
	return appendChecksum(binary.BigEndian.AppendUint32(body, uint32(count)))
}

// readTries reads a count. What is not a count may have been one that somebody wanted to be rid of: it locks.
func readTries(path string, digest []byte) (int, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	content := make([]byte, triesLen+1)
	n, _ := file.Read(content)
	if n == triesLen {
		count := int(binary.BigEndian.Uint32(content[len(triesMagic)+sha256.Size:]))
		if bytes.Equal(content[:n], encodeTries(digest, count)) {
			return count, nil
		}
	}
	return 0, ck.Errorf(ck.CKR_PIN_LOCKED, "%w: the count of them in %s is damaged; whoever may remove the file unlocks the PIN", seal.ErrLocked, path)
}

// write replaces a count durably: after a crash it is the old one or the new one.
func (f fileTries) write(path string, digest []byte, count int) error {
	fresh := filepath.Join(f.dir, "new") // one at a time, under the lock
	if err := writeSync(fresh, encodeTries(digest, count)); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	dir, err := os.Open(f.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func writeSync(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	if _, err = file.Write(content); err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// makeRoom removes the oldest counts until there is room for one more.
func (f fileTries) makeRoom() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !strings.HasSuffix(e.Name(), triesSuffix) })
	if len(entries) < maxTries {
		return nil
	}
	age := make(map[string]time.Time, len(entries))
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			age[e.Name()] = info.ModTime()
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int {
		return cmp.Or(age[a.Name()].Compare(age[b.Name()]), strings.Compare(a.Name(), b.Name()))
	})
	for _, e := range entries[:len(entries)-maxTries+1] {
		if err := os.Remove(filepath.Join(f.dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
