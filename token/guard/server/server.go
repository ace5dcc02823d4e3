// Package server is a guard process: it keeps keys for programs that reach it through a socket, each client's apart from every other's.
// The engine is package local; here is who may talk to it, how much of it one client may take, and what is written down about it.
//
// Read in this order: accept.go (who is let in), conn.go (one connection), session.go (a client's keys), dispatch.go and its handlers (what is
// done for a request), limits.go and tenant.go (what one client can cost another), ticket.go (how logins survive the guard), observe.go
// (the event log) and report.go (what anybody may know).
package server

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/guard/harden"
	"github.com/ncrypt11/ncrypt11/token/guard/peer"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/tpmseal"
)

// Options is what a guard is made of.
type Options struct {
	Sealer  seal.Sealer
	Log     events.Log    // nil: none
	LogUses bool          // each use of a key is an event; else their number is one, when the key is unloaded
	Idle    time.Duration // for how long nobody may be connected before Idle says so; 0: for ever

	Available func() string                     // why keys are not isolated here (not hardened, no TPM); "": they are. Nil: they are
	Who       func(net.Conn) (peer.Peer, error) // who is at the other end; nil: the kernel says
	Namespace bool                              // there are users without a number of their own here (peer.Distinct); they are not served
	UID       uint32                            // the guard's own
	PID       int                               // likewise, for the report
	CID       uint32                            // this machine's own context identifier, where the guard listens on a vsock

	Version   string                        // of the program, for the report
	Hardening harden.Report                 // for the report
	TPM       func() (*tpmseal.Info, error) // for the report; nil: there is none
}

// Server is a guard.
type Server struct {
	options Options
	since   time.Time
	limits  limits

	available available
	tickets   tickets
	uses      atomic.Uint64 // successful ones

	idle      chan struct{}
	idleTimer *time.Timer

	mu        sync.Mutex // guards what follows
	closing   bool
	abandoned bool // nobody waits any more for what is under way
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	sessions  map[protocol.SessionID]*session
	tenants   map[seal.Principal]*tenant
	ended     sync.Cond // a connection has ended
}

// ErrClosed is what Serve answers once the guard is closed.
var ErrClosed = errors.New("the guard is closed")

// New makes a guard that serves nobody yet.
func New(options Options) *Server {
	options.complete()
	s := &Server{
		options: options, since: time.Now(), limits: newLimits(),
		available: available{probe: options.Available},
		tickets:   tickets{sealer: options.Sealer},
		idle:      make(chan struct{}, 1),
		listeners: map[net.Listener]struct{}{}, conns: map[*conn]struct{}{},
		sessions: map[protocol.SessionID]*session{}, tenants: map[seal.Principal]*tenant{},
	}
	s.ended.L = &s.mu
	if options.Idle > 0 {
		s.idleTimer = time.AfterFunc(options.Idle, s.nobody)
	}
	s.log(s.self(events.GuardStart))
	return s
}

// self is an event of the guard's own.
func (s *Server) self(kind events.Kind) events.Event {
	return events.Event{Kind: kind, User: seal.Principal{Kind: seal.User, ID: s.options.UID}.String(), PID: s.options.PID}
}

// grace is how long requests under way may take when the guard is closed, and last how long those take to notice that they were cut off.
const (
	grace = 5 * time.Second
	last  = time.Second
)

// Close lets nobody in any more, has the requests under way answered, and wipes all keys. What takes longer than a few seconds is cut off. What cannot
// be, like the search for a large prime, is left behind: Close is for the end of the process.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return
	}
	s.shut()
	s.mu.Unlock()
	s.finish()
}

// finish ends what is under way, once the doors are closed.
func (s *Server) finish() {
	s.mu.Lock()
	for c := range s.conns {
		c.hurry()
	}
	cut, leave := time.AfterFunc(grace, s.cutOff), time.AfterFunc(grace+last, s.abandon)
	for len(s.conns) > 0 && !s.abandoned {
		s.ended.Wait()
	}
	s.mu.Unlock()
	cut.Stop()
	leave.Stop()
	s.tickets.close()
	s.log(s.self(events.GuardStop))
	s.options.Log.Flush()
}

// shut closes the doors. The lock is held.
func (s *Server) shut() {
	s.closing = true
	for l := range s.listeners {
		_ = l.Close() // Serve says so
	}
	if s.idleTimer != nil {
		s.idleTimer.Stop()
	}
}

func (s *Server) cutOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.transport.Close() // its goroutine notices
	}
}

func (s *Server) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abandoned = true
	s.ended.Broadcast()
}

// Idle says when nobody has been connected for Options.Idle.
func (s *Server) Idle() <-chan struct{} { return s.idle }

func (s *Server) nobody() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) > 0 || s.closing {
		return
	}
	select {
	case s.idle <- struct{}{}:
	default: // it was said and not heard yet
	}
}

// Retire closes the guard unless somebody is connected, and says whether it did. Before it is called nobody should be able to find the guard any
// more: who found it just before that is let in, for as long as linger, and has the guard go on.
func (s *Server) Retire(linger time.Duration) bool {
	time.Sleep(linger)
	s.mu.Lock()
	if len(s.conns) > 0 || s.closing {
		s.mu.Unlock()
		return false
	}
	s.shut()
	s.mu.Unlock()
	s.finish()
	return true
}

func (o *Options) complete() {
	if o.Log == nil {
		o.Log = events.Discard
	}
	if o.Available == nil {
		o.Available = func() string { return "" }
	}
	if o.Who == nil {
		o.Who = peer.Of
	}
}
