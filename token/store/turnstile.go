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
type turnstile struct {
	fd       int
	courtesy time.Duration // how long to wait before passing it by
}

const (
	courtesy  = 2 * time.Second        // of writers
	patience  = 10 * time.Second       // of those who have a PIN checked, which takes longer
	turnPause = time.Millisecond       // between looks at the turnstile, on average
	lockPause = 100 * time.Microsecond // between looks at the lock, which one process at a time waits for
)

func newTurnstile(path string, courtesy time.Duration) (*turnstile, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, inaccessible(path, err)
	}
	return &turnstile{fd, courtesy}, nil
}

// InTurn runs fn while no other caller of InTurn, in this process or another, is in its own. It is for the check of a PIN, which is counted before
// it is made: programs that log in at once would take each other's tries for wrong ones. As at the turnstile of writers, waiting has an end, and a
// token that has lost the file is used without.
func (s *Store) InTurn(fn func() error) error {
	if turn, err := newTurnstile(filepath.Join(s.path, createdName), patience); err == nil {
		turn.enter()
		defer turn.close()
		defer turn.leave()
	}
	return fn()
}

func (t *turnstile) enter() {
	for until := time.Now().Add(t.courtesy); ; pause(turnPause) {
		if err := unix.Flock(t.fd, unix.LOCK_EX|unix.LOCK_NB); err != unix.EWOULDBLOCK && err != unix.EINTR || time.Now().After(until) {
			return
		}
	}
}

// leave is needed although close would do it, because a forked child may share the descriptor.
func (t *turnstile) leave() { _ = unix.Flock(t.fd, unix.LOCK_UN) }

func (t *turnstile) close() { _ = unix.Close(t.fd) }

// pause sleeps for about d, so that those who began to wait together do not stay together.
func pause(d time.Duration) { time.Sleep(d/4 + rand.N(3*d/2)) }
