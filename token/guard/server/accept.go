package server

import (
	"errors"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/peer"
)

// acceptPause is how long the guard waits after it could not take a connection: for want of descriptors, most likely.
const acceptPause = 20 * time.Millisecond

// Serve takes connections from l until the guard is closed: ErrClosed. It may run for several listeners at once, and closes its own.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	closing := s.closing
	if !closing {
		s.listeners[l] = struct{}{}
	}
	s.mu.Unlock()
	defer func() { _ = l.Close() }() // it may be closed already
	if closing {
		return ErrClosed
	}
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			s.admit(c)
		case errors.Is(err, net.ErrClosed):
			s.mu.Lock()
			delete(s.listeners, l)
			s.mu.Unlock()
			return ErrClosed
		default:
			time.Sleep(acceptPause)
		}
	}
}

// admit starts serving a connection, unless whoever made it has enough of them.
func (s *Server) admit(transport net.Conn) {
	who, err := s.options.Who(transport)
	if err == nil && s.options.Namespace {
		err = who.Known()
	}
	if err == nil && who.VM && s.isLocal(who.CID) {
		err = errors.New("it comes from this machine itself")
	}
	if err != nil {
		_ = transport.Close() // who cannot be told from others is not served
		return
	}
	c := newConn(s, transport, who)
	if !s.register(c) {
		_ = transport.Close() // there is too much of this already, refusals included
		return
	}
	go c.serve()
}

// register counts a connection with its owner. One more than there may be is let in to be told so, if there are not many such.
func (s *Server) register(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	name := c.who.Principals()[0]
	t := s.tenants[name]
	if t == nil {
		t = newTenant(name)
	}
	switch {
	case t.conns >= s.limits.tenantConns+refusals || len(s.conns) >= s.limits.conns+refusals:
		return false
	case t.conns >= s.limits.tenantConns || len(s.conns) >= s.limits.conns:
		c.refused = true
	}
	s.tenants[name] = t
	t.conns++
	c.tenant = t
	s.conns[c] = struct{}{}
	if s.idleTimer != nil {
		s.idleTimer.Stop()
	}
	return true
}

// unregister forgets a connection, and with the last of a session the session.
func (s *Server) unregister(c *conn) {
	s.mu.Lock()
	if c.tenant.conns--; c.tenant.conns == 0 {
		delete(s.tenants, c.tenant.name)
	}
	over := s.leave(c.session)
	s.mu.Unlock()
	if over != nil {
		over.end()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if len(s.conns) == 0 && s.idleTimer != nil && !s.closing {
		s.idleTimer.Reset(s.options.Idle)
	}
	s.ended.Broadcast()
}

// isLocal refuses what comes over a vsock from this machine: such a peer is a user like any other, and the kernel does not say which.
func (s *Server) isLocal(cid uint32) bool {
	return cid == unix.VMADDR_CID_LOCAL || s.options.CID != 0 && cid == s.options.CID
}

// level is how far a peer is from its keys.
func (s *Server) level(who *peer.Peer) guard.Level {
	switch {
	case who.VM:
		return guard.VM
	case who.UID != s.options.UID:
		return guard.Service
	}
	return guard.Process
}
