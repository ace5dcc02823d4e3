package token

import (
	"sync"
	"sync/atomic"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// maxSessions is how many sessions a process may have open; programs with a pool ask for a thousand.
const maxSessions = 1 << 14

// sessionTable maps handles to sessions without a lock. A handle is an index (plus one, so that it is never CK_INVALID_HANDLE) and a
// generation that grows with each use of the index, so that a closed session's handle, or one from before C_Finalize, is not a newer
// session's.
type sessionTable struct {
	slots [maxSessions]atomic.Pointer[Session]

	mu         sync.Mutex // guards what follows
	free       []uint32   // indexes that were used and are free again, last freed first
	used       uint32     // indexes below this one were handed out before
	generation uint32
}

const indexBits = 15 // of maxSessions + 1

func newSessionTable(seed uint32) *sessionTable { return &sessionTable{generation: seed} }

// add gives the session its handle.
func (t *sessionTable) add(s *Session) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var index uint32
	switch {
	case len(t.free) > 0:
		index = t.free[len(t.free)-1]
		t.free = t.free[:len(t.free)-1]
	case t.used < maxSessions:
		index = t.used
		t.used++
	default:
		return ck.Errorf(ck.CKR_SESSION_COUNT, "%d sessions are open", maxSessions)
	}
	t.generation++
	s.handle = ck.SessionHandle(t.generation)<<indexBits | ck.SessionHandle(index+1)
	t.slots[index].Store(s)
	return nil
}

// get finds a session by its handle.
func (t *sessionTable) get(h ck.SessionHandle) (*Session, error) {
	index := uint32(h&(1<<indexBits-1)) - 1
	if index < maxSessions {
		if s := t.slots[index].Load(); s != nil && s.handle == h {
			return s, nil
		}
	}
	return nil, ck.CKR_SESSION_HANDLE_INVALID
}

// index is the session's place in the table.
func (s *Session) index() uint32 { return uint32(s.handle&(1<<indexBits-1)) - 1 }

// remove takes the session out; it says whether it was still there, so that of two closers one wins.
func (t *sessionTable) remove(s *Session) bool { return t.slots[s.index()].CompareAndSwap(s, nil) }

// release lets another session have the place of one that was removed. Until then the closer may still write to what goes by the place (Board).
func (t *sessionTable) release(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free = append(t.free, s.index())
}

// all gives the open sessions.
func (t *sessionTable) all() []*Session {
	t.mu.Lock()
	used := t.used
	t.mu.Unlock()
	var sessions []*Session
	for i := range t.slots[:used] {
		if s := t.slots[i].Load(); s != nil {
			sessions = append(sessions, s)
		}
	}
	return sessions
}
