package store

import (
	"math/rand/v2"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// turnstile lets writers take turns. SQLite does not: nobody is told when its write lock is free, and a process that writes without a pause
// gives it up for microseconds, which one that only looks now and then meets hardly ever. So whoever wants the lock first takes the
// turnstile, keeps it while it waits for the lock, and gives it back as soon as it has the lock: the one who had the lock before has to wait
// for the turnstile and cannot overtake.
//
// It is a flock on the token's directory, and mere courtesy: SQLite's lock alone keeps writers apart. Where the turnstile is stuck, as when
// a forked child holds the descriptor of a parent that was killed, it is passed by.
type turnstile struct{ fd int }

const (
	courtesy  = 2 * time.Second        // how long to wait at the turnstile before passing it by
	turnPause = time.Millisecond       // between looks at the turnstile, on average
	lockPause = 100 * time.Microsecond // between looks at the lock, which one process at a time waits for
)

func newTurnstile(db string) (*turnstile, error) {
	fd, err := unix.Open(filepath.Dir(db), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, inaccessible(filepath.Dir(db), err)
	}
	return &turnstile{fd}, nil
}

func (t *turnstile) enter() {
	for until := time.Now().Add(courtesy); ; pause(turnPause) {
		if unix.Flock(t.fd, unix.LOCK_EX|unix.LOCK_NB) == nil || time.Now().After(until) {
			return
		}
	}
}

// leave is needed although close would do it, because a forked child may share the descriptor.
func (t *turnstile) leave() { _ = unix.Flock(t.fd, unix.LOCK_UN) }

func (t *turnstile) close() { _ = unix.Close(t.fd) }

// pause sleeps for about d, so that those who began to wait together do not stay together.
func pause(d time.Duration) { time.Sleep(d/4 + rand.N(3*d/2)) }
