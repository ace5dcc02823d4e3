package remote

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// session is a guard's memory of this client: its keys live as long as one connection of the session does.
type session struct {
	id       protocol.SessionID
	silent   atomic.Bool   // the guard did not answer in time, and has not answered since
	silences atomic.Uint32 // how often it did not

	mu    sync.Mutex // guards what follows
	ready sync.Cond  // a connection has become free
	idle  []*line
	open  int // connections, those in use included
	over  bool
}

// Connections per session: calls beyond the most wait for each other, and no more than the few are kept when nobody calls.
const (
	mostLines = 64
	fewLines  = 8
)

// errRefused says that the guard does not know the session: it is another guard, or has forgotten us.
var errRefused = errors.New("the guard does not know this session")

const (
	// comeBack is how long a guard that is just going, or has just gone, is waited for: one that is upgraded or restarted is away for a moment.
	comeBack = 3 * time.Second
	// tellTime is how long a guard may take for what it can do at once. A program that ends has many things to be forgotten, and should not wait for each.
	tellTime = 2 * time.Second
)

// newSession greets a guard that is of at least a level as a new client.
func (g *Keys) newSession(least guard.Level, until time.Time) (*session, *protocol.Welcome, error) {
	if g.endpoint.silentJustNow() {
		return nil, nil, errNoAnswer
	}
	back := earlier(until, time.Now().Add(comeBack))
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		s, welcome, err := g.meet(least, until)
		var cut *broken
		switch {
		case err == nil:
			return s, welcome, nil
		case timedOut(err):
			g.endpoint.silent.Store(int64(time.Since(epoch)))
			return nil, nil, errNoAnswer
		case errors.Is(err, errUnsound):
			return nil, nil, err
		case errors.As(err, &cut) && time.Now().Before(back):
		case g.level != guard.Software && time.Now().Before(back) && (errors.Is(err, errNoGuard) || errors.Is(err, errLower)): // there was one
		case cut != nil:
			return nil, nil, unavailable("the guard does not answer: %w", err)
		default:
			return nil, nil, err
		}
		time.Sleep(pause)
	}
}

// meet finds a guard and greets it.
func (g *Keys) meet(least guard.Level, until time.Time) (*session, *protocol.Welcome, error) {
	l, err := g.endpoint.connect(least, until)
	if err != nil {
		return nil, nil, err
	}
	welcome, err := greet(l, protocol.SessionID{}, earlier(until, time.Now().Add(deadline(protocol.MethodHello))))
	if err == nil {
		err = check(welcome, least)
	}
	if err != nil {
		_ = l.Close() // it has nothing of ours
		return nil, nil, err
	}
	s := &session{id: welcome.Session, idle: []*line{l}, open: 1}
	s.ready.L = &s.mu
	return s, welcome, nil
}

func greet(l *line, join protocol.SessionID, until time.Time) (*protocol.Welcome, error) {
	var welcome protocol.Welcome
	hello := &protocol.Hello{Version: protocol.Version, Join: join}
	err := l.call(protocol.MethodHello, hello, &welcome, until, func() {})
	return &welcome, err
}

// errLower is for a guard that isolates less than is asked for.
var errLower = errors.New("the guard's isolation is too low")

// check says whether a guard is what was asked for. Of one that shall only report, nothing is.
func check(w *protocol.Welcome, least guard.Level) error {
	switch {
	case w.Level < guard.Process || w.Level > guard.VM || w.Session == protocol.SessionID{}:
		return errUnsound
	case least == guard.Software:
		return nil
	case w.Unavailable != "":
		return unavailable("%s", w.Unavailable)
	case w.Level < least:
		return unavailable("%w: it is of level %v, and %v is asked for", errLower, w.Level, least)
	}
	return nil
}

// session gives the current session, or a new one where there is none. A guard that takes the place of a lost one must isolate no less. Of those who
// look for it at the same time one does so, and the others hear of its success or failure.
func (g *Keys) session(until time.Time) (*session, error) {
	s, failures, err := g.known()
	if s != nil || err != nil {
		return s, err
	}
	g.seeking.Lock()
	defer g.seeking.Unlock()
	s, now, err := g.known()
	if s != nil || err != nil {
		return s, err
	}
	if now != failures {
		return nil, g.failure
	}
	s, _, err = g.newSession(g.level, until)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err != nil:
		g.failures++
		g.failure = err
		return nil, err
	case g.closed:
		s.end()
		return nil, ck.CKR_CRYPTOKI_NOT_INITIALIZED
	}
	g.current = s
	return s, nil
}

// known gives the current session, if there is one, and how often none was found.
func (g *Keys) known() (*session, uint, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, 0, ck.CKR_CRYPTOKI_NOT_INITIALIZED
	}
	return g.current, g.failures, nil
}

// lost says that the guard no longer has the session.
func (g *Keys) lost(s *session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current == s {
		g.current = nil
	}
	s.end()
}

// end closes the session's connections; those in use are closed when they come back.
func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.hangUp()
	s.ready.Broadcast()
}

// hangUp closes the connections that nobody uses. The session's lock is held.
func (s *session) hangUp() {
	for _, l := range s.idle {
		s.drop(l)
	}
	s.idle = nil
}

// take gives a connection: a free one, a new one, or the next that becomes free, where there can be no more. errRefused: the session is lost.
func (s *session) take(endpoint *Endpoint, until time.Time) (*line, error) {
	for most := mostLines; ; {
		l, err := s.free(most)
		if l != nil || err != nil {
			return l, err
		}
		if l, err = s.join(endpoint, until); err == nil {
			return l, nil
		}
		s.mu.Lock()
		s.open--
		most = s.open
		s.ready.Signal()
		s.mu.Unlock()
		switch {
		case most > 0 && crowded(err): // those that there are will do
		case errors.Is(err, errTurnedAway):
			return nil, errRefused
		default:
			return nil, err
		}
	}
}

// errTurnedAway says that a guard let us in and closed the door without a word. It has far too many connections, or it is just going, which shows on the others.
var errTurnedAway = errors.New("the guard ends connections")

// crowded says that there can be no further connection now: there is no descriptor left, or the user has as many connections as the guard gives to one.
func crowded(err error) bool {
	rv := ck.Code(err)
	return rv == ck.CKR_HOST_MEMORY || rv == ck.CKR_DEVICE_MEMORY || errors.Is(err, errTurnedAway)
}

// free gives a free connection, or none where there may be one more than there are, which it counts. Where there are as many as may be it waits.
func (s *session) free(most int) (*line, error) {
	silences := s.silences.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.over && len(s.idle) == 0 && s.open >= most {
		s.ready.Wait()
		if s.silences.Load() != silences {
			s.ready.Signal() // whoever waits, too, shall see
			return nil, errSilent
		}
	}
	if s.over {
		return nil, errRefused
	}
	if n := len(s.idle); n > 0 {
		l := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return l, nil
	}
	s.open++
	return nil, nil
}

// join makes a further connection. The guard that answers may be another one by now, or none: then the session is lost.
func (s *session) join(endpoint *Endpoint, until time.Time) (*line, error) {
	wait := deadline(protocol.MethodForget) // it costs the guard as little
	if s.silent.Load() {
		wait = tellTime
	}
	until = earlier(until, time.Now().Add(wait))
	l, err := endpoint.find(until)
	if errors.Is(err, errNoGuard) {
		return nil, errRefused
	}
	if timedOut(err) {
		return nil, errSilent
	}
	if err != nil {
		return nil, err
	}
	welcome, err := greet(l, s.id, until)
	if err == nil && welcome.Session == s.id {
		return l, nil
	}
	if err == nil {
		err = errRefused
	}
	_ = l.Close() // it is of no use
	var cut *broken
	switch {
	case ck.Code(err) == ck.CKR_SESSION_HANDLE_INVALID:
		return nil, errRefused
	case errors.As(err, &cut) && !timedOut(err) && !errors.Is(err, errUnsound):
		return nil, errTurnedAway
	}
	return nil, err
}

// put gives a connection back. One that failed is closed, and so are those among the idle on which the guard is gone. The others stay: with its last connection
// the session would end, and all that is in the guard's memory only.
func (s *session) put(l *line, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.ready.Signal()
	switch {
	case failed:
		s.idle = slices.DeleteFunc(s.idle, func(other *line) bool {
			gone := other.socket.gone()
			if gone {
				s.drop(other)
			}
			return gone
		})
	case !s.over && len(s.idle) < fewLines:
		s.idle = append(s.idle, l)
		return
	}
	s.drop(l)
}

// drop closes a connection. The session's lock is held.
func (s *session) drop(l *line) {
	_ = l.Close() // the guard notices
	s.open--
}
