package token

import (
	"sync"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Session is one session of an application with a token (section 5.6). Calls on the same session wait for each other.
type Session struct {
	handle ck.SessionHandle
	slotID ck.SlotID
	rw     bool
	own    bool // Attach
	tok    *Token
	table  *sessionTable
	board  Board

	mu     sync.Mutex // guards what follows
	closed bool
	find   *search
	ops    [operationKinds]*operation // the active ones
	room   [operationKinds]operation  // where they are kept, so that starting one makes no garbage
	halves attr.Template              // KeepHalves; nil: private keys are stored alone
	with   []Property                 // KeepProperties

	archives map[*object]bool // those of which something is left that it may archive; guarded by the token's lock
}

// OpenSession is C_OpenSession.
func (p *Provider) OpenSession(id ck.SlotID, flags ck.Flags) (ck.SessionHandle, error) {
	slot, err := p.slot(id)
	if err != nil {
		return 0, err
	}
	if flags&ck.CKF_SERIAL_SESSION == 0 {
		return 0, ck.CKR_SESSION_PARALLEL_NOT_SUPPORTED
	}
	if flags&ck.CKF_ASYNC_SESSION != 0 {
		return 0, ck.CKR_SESSION_ASYNC_NOT_SUPPORTED
	}
	tok, err := p.token(slot)
	if err != nil {
		return 0, err
	}
	s := &Session{slotID: id, rw: flags&ck.CKF_RW_SESSION != 0, tok: tok, table: p.sessions, board: p.board}
	if err := p.enter(s); err != nil {
		return 0, err
	}
	return s.handle, nil
}

// enter makes the session known, unless Close has begun to look for sessions.
func (p *Provider) enter(s *Session) error {
	p.entering.RLock()
	defer p.entering.RUnlock()
	if err := p.running(); err != nil {
		return err
	}
	if err := s.tok.sessionOpened(s.rw); err != nil {
		return err
	}
	if err := p.sessions.add(s); err != nil {
		s.tok.sessionClosed(s.rw)
		return err
	}
	s.board.Idle(s.handle)
	return nil
}

// Session finds an open session. Error: CKR_SESSION_HANDLE_INVALID.
func (p *Provider) Session(h ck.SessionHandle) (*Session, error) {
	s, err := p.sessions.get(h)
	if err == nil && s.own {
		return nil, ck.CKR_SESSION_HANDLE_INVALID
	}
	return s, err
}

// Close is C_CloseSession: its operations and session objects end with it, and with the token's last session the login.
func (s *Session) Close() error {
	if !s.table.remove(s) {
		return ck.CKR_SESSION_HANDLE_INVALID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.find = nil
	for kind := range s.ops {
		s.end(operationKind(kind))
	}
	s.board.Closed(s.handle)
	s.table.release(s)
	s.tok.dropArchives(s)
	s.tok.dropSessionObjects(s)
	s.tok.sessionClosed(s.rw)
	return nil
}

// CloseAllSessions is C_CloseAllSessions. It is CKR_OK where there is none.
func (p *Provider) CloseAllSessions(id ck.SlotID) error {
	slot, err := p.slot(id)
	if err != nil {
		return err
	}
	p.closeSessions(slot, false)
	return nil
}

func (p *Provider) closeSessions(slot *slot, own bool) {
	for _, s := range p.sessions.all() {
		if s.slotID == slot.id && (own || !s.own) {
			_ = s.Close() // another thread may have closed it: then there is nothing left to do
		}
	}
}

// lock takes the session for one call. It fails where the session was closed in the meantime.
func (s *Session) lock() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ck.CKR_SESSION_HANDLE_INVALID
	}
	return nil
}

// Info is C_GetSessionInfo.
func (s *Session) Info() ck.SessionInfo {
	flags := ck.CKF_SERIAL_SESSION
	if s.rw {
		flags |= ck.CKF_RW_SESSION
	}
	return ck.SessionInfo{SlotID: s.slotID, State: s.state(), Flags: flags}
}

// sessionStates: section 5.6, by who is logged in.
var sessionStates = map[login]struct{ ro, rw ck.State }{
	public:  {ck.CKS_RO_PUBLIC_SESSION, ck.CKS_RW_PUBLIC_SESSION},
	user:    {ck.CKS_RO_USER_FUNCTIONS, ck.CKS_RW_USER_FUNCTIONS},
	officer: {ck.CKS_RO_PUBLIC_SESSION, ck.CKS_RW_SO_FUNCTIONS},
}

func (s *Session) state() ck.State {
	states := sessionStates[s.tok.loginState()]
	if s.rw {
		return states.rw
	}
	return states.ro
}

// SessionCancel is C_SessionCancel: ends the operations that flags name. Flags of operations that are not active are ignored.
func (s *Session) SessionCancel(flags ck.Flags) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for kind, flag := range operationFlags {
		if flags&flag != 0 {
			s.end(operationKind(kind))
		}
	}
	if flags&ck.CKF_FIND_OBJECTS != 0 {
		s.find = nil
	}
	return nil
}
