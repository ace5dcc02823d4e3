package server

import (
	"crypto/rand"
	"sync"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/guard/peer"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// session is a client's keys. It lives as long as one connection of it does, and no other client can name anything in it.
type session struct {
	id     protocol.SessionID
	server *Server
	tenant *tenant
	pid    int32
	level  guard.Level
	tries  int // the sealer's PINLimit
	keys   *local.Keys
	conns  int // under the server's lock

	loaded  sync.Map // guard.Ref: *loaded
	streams streams

	mu     sync.Mutex
	tokens map[guard.Vault]string // of the open vaults; serial numbers, for the log
}

// welcome answers a Hello: with a new session, or with one that the same process made before.
func (s *Server) welcome(c *conn, hello *protocol.Hello) (*protocol.Welcome, error) {
	if hello.Version != protocol.Version {
		return nil, ck.Errorf(ck.CKR_FUNCTION_REJECTED, "the guard speaks version %d of its protocol and the program speaks version %d: install the same ncrypt11 for both",
			protocol.Version, hello.Version)
	}
	var reason string
	var tries int
	if hello.Join == (protocol.SessionID{}) { // before there is a lock: it may ask the TPM
		if reason = s.available.reason(); reason == "" {
			tries = s.options.Sealer.PINLimit()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if hello.Join == (protocol.SessionID{}) {
		c.session, err = s.newSession(c, tries)
	} else {
		c.session, err = s.join(c, hello.Join)
	}
	if err != nil {
		return nil, err
	}
	c.session.conns++
	return &protocol.Welcome{
		Session: c.session.id, Level: c.session.level, PINLimit: c.session.tries, Unavailable: reason,
	}, nil
}

// newSession makes a session. The server's lock is held.
func (s *Server) newSession(c *conn, tries int) (*session, error) {
	if c.tenant.sessions >= tenantSessions {
		return nil, ck.Errorf(ck.CKR_DEVICE_MEMORY, "%v has %d sessions with the guard, which is all that one user may have", c.tenant.name, tenantSessions)
	}
	level := s.level(&c.who)
	n := &session{
		server: s, tenant: c.tenant, pid: c.who.PID, level: level, tries: tries, tokens: map[guard.Vault]string{},
		keys: local.For(local.Client{Who: c.who.Principals(), Level: level, MaxKeys: sessionKeys}, s.options.Sealer),
	}
	rand.Read(n.id[:])
	c.tenant.sessions++
	s.sessions[n.id] = n
	return n, nil
}

// join finds a session for a further connection of the same process. Whoever may not have it is told the same as for one that there is not. The
// server's lock is held.
func (s *Server) join(c *conn, id protocol.SessionID) (*session, error) {
	found := s.sessions[id]
	if found == nil || !found.madeBy(c.tenant, &c.who) {
		return nil, ck.Errorf(ck.CKR_SESSION_HANDLE_INVALID, "the guard does not know this session")
	}
	return found, nil
}

func (n *session) madeBy(t *tenant, who *peer.Peer) bool {
	return n.tenant.name == t.name && n.pid == who.PID
}

// leave counts a connection out of its session, and gives the session if it was the last. The server's lock is held.
func (s *Server) leave(n *session) *session {
	if n == nil {
		return nil
	}
	if n.conns--; n.conns > 0 {
		return nil
	}
	delete(s.sessions, n.id)
	n.tenant.sessions--
	return n
}

// end wipes the session's keys. Nothing is under way in it.
func (n *session) end() {
	n.streams.closeAll(n.tenant)
	n.unload(func(*loaded) bool { return true })
	_ = n.keys.Close() // it cannot fail
	_ = n.tenant.grow(-vaultMemory * len(n.tokens))
}
