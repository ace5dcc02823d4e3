package remote

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// session is a guard's memory of this client: its keys live as long as one connection of the session does.
type session struct {
	id     protocol.SessionID
	silent atomic.Bool // it did not answer what needs no answer

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

// comeBack is how long a guard that is just going, or has just gone, is waited for: one that is upgraded or restarted is away for a moment.
const comeBack = 3 * time.Second

// newSession greets a guard as a new client.
func (g *Keys) newSession() (*session, *protocol.Welcome, error) {
	for until := time.Now().Add(comeBack); ; time.Sleep(againAfter) {
		l, err := g.endpoint.connect()
		if err != nil {
			if errors.Is(err, errNoGuard) && g.level != guard.Software && time.Now().Before(until) {
				continue // there was one
			}
			return nil, nil, err
		}
		welcome, err := greet(l, protocol.SessionID{})
		if err == nil {
			s := &session{id: welcome.Session, idle: []*line{l}, open: 1}
			s.ready.L = &s.mu
			return s, welcome, nil
		}
		_ = l.Close() // it has nothing of ours
		var cut *broken
		switch {
		case !errors.As(err, &cut):
			return nil, nil, err
		case timedOut(err) || time.Now().After(until):
			return nil, nil, unavailable("the guard does not answer: %w", err)
		}
	}
}

func greet(l *line, join protocol.SessionID) (*protocol.Welcome, error) {
	var welcome protocol.Welcome
	hello := &protocol.Hello{Version: protocol.Version, Join: join}
	err := l.call(protocol.MethodHello, hello, &welcome, protocol.MethodHello.Deadline(), func() {})
	return &welcome, err
}

// check says whether a guard is what was asked for.
func check(w *protocol.Welcome, least guard.Level) error {
	switch {
	case w.Unavailable != "":
		return unavailable("%s", w.Unavailable)
	case w.Level < least:
		return unavailable("the guard's isolation is of level %v, and %v is asked for", w.Level, least)
	}
	return nil
}

// session gives the current session, or a new one where there is none. A guard that takes the place of a lost one must isolate no less.
func (g *Keys) session() (*session, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ck.CKR_CRYPTOKI_NOT_INITIALIZED
	}
	if g.current != nil {
		return g.current, nil
	}
	s, welcome, err := g.newSession()
	if err != nil {
		return nil, err
	}
	if g.level != guard.Software { // else only its report is asked for
		if err := check(welcome, g.level); err != nil {
			s.end()
			return nil, err
		}
	}
	g.current = s
	return s, nil
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
		_ = l.Close() // the guard notices
		s.open--
	}
	s.idle = nil
}

// take gives a connection: a free one, a new one, or the next that becomes free. errRefused: the session is lost.
func (s *session) take(endpoint *Endpoint) (*line, error) {
	s.mu.Lock()
	for !s.over && len(s.idle) == 0 && s.open >= mostLines {
		s.ready.Wait()
	}
	if s.over {
		s.mu.Unlock()
		return nil, errRefused
	}
	if n := len(s.idle); n > 0 {
		l := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		return l, nil
	}
	s.open++
	s.mu.Unlock()
	l, err := s.join(endpoint)
	if err != nil {
		s.mu.Lock()
		s.open--
		s.ready.Signal()
		s.mu.Unlock()
	}
	return l, err
}

// join makes a further connection. The guard that answers may be another one by now, or none: then the session is lost.
func (s *session) join(endpoint *Endpoint) (*line, error) {
	l, err := endpoint.find()
	if errors.Is(err, errNoGuard) {
		return nil, errRefused
	}
	if err != nil {
		return nil, err
	}
	_, err = greet(l, s.id)
	if err == nil {
		return l, nil
	}
	_ = l.Close() // it is of no use
	var cut *broken
	if ck.Code(err) == ck.CKR_SESSION_HANDLE_INVALID || errors.As(err, &cut) && !timedOut(err) {
		return nil, errRefused
	}
	return nil, err
}

// put gives a connection back. One that failed is closed, and with it those that lie idle: they lead to the same guard, and whether it still is there
// shows at the next call.
func (s *session) put(l *line, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.ready.Signal()
	switch {
	case failed:
		s.hangUp()
	case !s.over && len(s.idle) < fewLines:
		s.idle = append(s.idle, l)
		return
	}
	_ = l.Close() // nothing is under way on it
	s.open--
}
