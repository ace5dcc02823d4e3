package remote

import (
	"errors"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// turn is one try at a call.
type turn struct {
	*session
	until time.Time // when the call as a whole must be over
}

// request makes the request of a call in a session: references to keys mean something in one session only.
type request func(*turn) (protocol.Message, error)

// fixed is a request that is the same in every session.
func fixed(m protocol.Message) request {
	return func(*turn) (protocol.Message, error) { return m, nil }
}

const (
	// againAfter is the pause before a call is tried once more; a guard that was killed takes a moment to be replaced.
	againAfter = 5 * time.Millisecond
	// recovery is how much longer than usual a call may take that has to find another guard, and to have its keys opened there.
	recovery = time.Minute
	// mostEnds is how many guards may end over one request until it is taken for the cause.
	mostEnds = 3
	// persistence is for how long a call is tried again that no guard has taken.
	persistence = 15 * time.Second
)

// deadline is how long a guard may take for one request. Tests have less patience.
var deadline = protocol.Method.Deadline

// exchange has the guard answer a request, whatever becomes of the guard meanwhile. Where a guard ends before it answers, the next one is asked: nothing
// that a guard does leaves a trace but its answer, so doing it again does no harm. Only a PIN is not tried again, since a wrong one would be counted twice.
// The byte slices of reply are valid while done runs.
func (g *Keys) exchange(method protocol.Method, make request, reply protocol.Message, done func()) error {
	limit := deadline(method)
	t := &turn{until: time.Now().Add(limit + recovery)}
	var lost time.Time // when it is given up, known once something went wrong
	for ends := 0; ; {
		m, err := g.attempt(t, method, make, reply, limit, done)
		var cut *broken
		switch refused := errors.Is(err, errRefused); {
		case errors.As(err, &cut) && timedOut(cut):
			return ck.Errorf(ck.CKR_DEVICE_ERROR, "the guard did not answer %v in time", method)
		case errors.Is(err, errUnsound) || cut == nil && !refused:
			return err
		case cut != nil && cut.sent:
			if ends++; ends == mostEnds || countsPIN(m) {
				return ck.Errorf(ck.CKR_DEVICE_ERROR, "the guard ended while it did %v: %w", method, err)
			}
		case lost.IsZero():
			lost = earlier(t.until, time.Now().Add(persistence))
		case time.Now().After(lost):
			return ck.Errorf(ck.CKR_DEVICE_ERROR, "the guard is lost: %w", err)
		}
		time.Sleep(againAfter)
	}
}

// countsPIN says whether a request has a PIN checked.
func countsPIN(m protocol.Message) bool {
	switch m := m.(type) {
	case *protocol.Unlock:
		return m.Auth != nil
	case *protocol.Authorize:
		return m.Auth != nil
	}
	return false
}

// attempt asks the guard of the current session, and gives the request if it came to that.
func (g *Keys) attempt(t *turn, method protocol.Method, make request, reply protocol.Message, limit time.Duration, done func()) (m protocol.Message, err error) {
	if t.session, err = g.session(t.until); err != nil {
		return nil, err
	}
	request, err := make(t)
	if err == nil {
		m = request
		err = g.on(t, method, m, reply, limit, done)
	}
	if errors.Is(err, errRefused) {
		g.lost(t.session)
	}
	return m, err
}

// on asks the guard of a session, on a connection of its own.
func (g *Keys) on(t *turn, method protocol.Method, m, reply protocol.Message, limit time.Duration, done func()) error {
	l, err := t.take(g.endpoint, t.until)
	if err == nil {
		if err = t.hears(l); err == nil {
			err = l.call(method, m, reply, earlier(t.until, time.Now().Add(limit)), done)
		}
		if timedOut(err) {
			t.silence() // before others take their turn
		}
		var cut *broken
		t.put(l, errors.As(err, &cut))
	} else if timedOut(err) {
		t.silence()
	}
	return err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
