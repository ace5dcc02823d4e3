package remote

import (
	"errors"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// request makes the request of a call in a session: references to keys mean something in one session only.
type request func(*session) (protocol.Message, error)

// fixed is a request that is the same in every session.
func fixed(m protocol.Message) request {
	return func(*session) (protocol.Message, error) { return m, nil }
}

// againAfter is the pause before a call is tried once more; a guard that was killed takes a moment to be replaced.
const againAfter = 5 * time.Millisecond

// exchange has the guard answer a request, whatever becomes of the guard meanwhile. Where a guard ends before it answers, the next one is asked: nothing
// that a guard does leaves a trace but its answer, so doing it again does no harm. The byte slices of reply are valid while done runs.
func (g *Keys) exchange(method protocol.Method, make request, reply protocol.Message, done func()) error {
	limit := method.Deadline()
	var until time.Time // known once something went wrong: the clock is not asked for a call that goes well
	for {
		err := g.attempt(method, make, reply, limit, done)
		var cut *broken
		switch lost := errors.Is(err, errRefused); {
		case errors.As(err, &cut) && timedOut(cut):
			return ck.Errorf(ck.CKR_DEVICE_ERROR, "the guard did not answer %v within %v", method, limit)
		case cut == nil && !lost:
			return err
		}
		if until.IsZero() {
			until = time.Now().Add(limit)
		} else if time.Now().After(until) {
			return ck.Errorf(ck.CKR_DEVICE_ERROR, "the guard is lost: %w", err)
		} else {
			time.Sleep(againAfter)
		}
	}
}

// attempt asks the guard of the current session.
func (g *Keys) attempt(method protocol.Method, make request, reply protocol.Message, limit time.Duration, done func()) error {
	s, err := g.session()
	if err != nil {
		return err
	}
	m, err := make(s)
	if err == nil {
		err = g.on(s, method, m, reply, limit, done)
	}
	if errors.Is(err, errRefused) {
		g.lost(s)
	}
	return err
}

// on asks the guard of a session, on a connection of its own.
func (g *Keys) on(s *session, method protocol.Method, m, reply protocol.Message, limit time.Duration, done func()) error {
	l, err := s.take(g.endpoint)
	if err != nil {
		return err
	}
	err = l.call(method, m, reply, limit, done)
	var cut *broken
	s.put(l, errors.As(err, &cut))
	return err
}
