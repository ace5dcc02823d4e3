package store

import (
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// exclusiveWait is how long Exclusively waits for another process: longer than making a token takes.
const exclusiveWait = 30 * time.Second

// Exclusively runs fn while no other caller of it, in this process or another, is in its own for the same directory of tokens, which it makes where there is
// none. It is for who looks whether there is a token before making one. Error: CKR_FUNCTION_FAILED where another process does not come to an end.
func Exclusively(dir string, fn func() error) error {
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = makeHome(dir)
	}
	if err != nil {
		return inaccessible(dir, err)
	}
	if err := checkHome(dir); err != nil {
		return err
	}
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_DIRECTORY, 0)
	if err != nil {
		return inaccessible(dir, err)
	}
	t := &turnstile{fd: fd}
	defer t.close()
	for until := time.Now().Add(exclusiveWait); ; pause(turnPause) {
		err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			defer t.leave()
			return fn()
		}
		if err != unix.EWOULDBLOCK && err != unix.EINTR || time.Now().After(until) {
			return ck.Errorf(ck.CKR_FUNCTION_FAILED, "%s is locked by another process that makes a token: %w", dir, err)
		}
	}
}
