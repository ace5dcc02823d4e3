package remote

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// A guard that is stopped keeps everybody waiting who asks it. Calls that wait for each other here must not each wait their full time as well.

// errSilent is for a call that waited for another one, which the guard did not answer in time.
var errSilent = &broken{cause: os.ErrDeadlineExceeded}

// silence notes that the guard did not answer in time.
func (s *session) silence() {
	s.silent.Store(true)
	s.silences.Add(1)
}

// hears asks a guard that was silent for something that it can do at once, before it is asked for more.
func (s *session) hears(l *line) error {
	if !s.silent.Load() {
		return nil
	}
	err := l.call(protocol.MethodForget, &protocol.OneRef{}, &protocol.Nothing{}, time.Now().Add(tellTime), func() {})
	var cut *broken
	if errors.As(err, &cut) {
		return err
	}
	s.silent.Store(false)
	return nil
}

// alone runs open while nobody else has the lock, unless the guard fell silent while the lock was waited for.
func (s *session) alone(lock *sync.Mutex, open func() error) error {
	silences := s.silences.Load()
	lock.Lock()
	defer lock.Unlock()
	if s.silences.Load() != silences {
		return errSilent
	}
	return open()
}
