package server

import (
	"sync"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
)

// streams are a session's multi-part operations under way.
type streams struct {
	mu   sync.Mutex
	last uint64
	open map[uint64]*stream
}

// stream is one of them. Its lock is held for as long as a request works on it.
type stream struct {
	guard.Stream
	mu     sync.Mutex
	key    *loaded // nil: it was forgotten while the stream began
	begun  int     // what it takes from its beginning
	memory int     // that its tenant was charged for
	over   bool
}

// add makes room for one more; the caller closes st where there is none.
func (s *streams) add(st *stream) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= sessionStreams {
		return 0, ck.Errorf(ck.CKR_DEVICE_MEMORY, "%d operations in parts are under way, which is all that one program may have", sessionStreams)
	}
	if s.open == nil {
		s.open = make(map[uint64]*stream)
	}
	s.last++
	s.open[s.last] = st
	return s.last, nil
}

// take gives a stream, locked. One is used by one request at a time.
func (s *streams) take(id uint64) (*stream, error) {
	s.mu.Lock()
	st := s.open[id]
	s.mu.Unlock()
	if st == nil {
		return nil, ck.CKR_OPERATION_NOT_INITIALIZED
	}
	if !st.mu.TryLock() {
		return nil, ck.Errorf(ck.CKR_OPERATION_ACTIVE, "another request works on this operation")
	}
	if st.over {
		st.mu.Unlock()
		return nil, ck.CKR_OPERATION_NOT_INITIALIZED
	}
	return st, nil
}

// end closes a stream that is locked.
func (s *streams) end(id uint64, st *stream, t *tenant) {
	st.over = true
	st.Stream.Close()
	_ = t.grow(-st.memory) // giving back cannot fail
	st.memory = 0
	s.mu.Lock()
	delete(s.open, id)
	s.mu.Unlock()
}

// endOf closes those whose keys came through a vault that was locked just now: a key is wiped when the last who holds it lets go. One that a
// request works on holds its key until its next step, which finds the key gone.
func (s *streams) endOf(v guard.Vault, t *tenant) {
	s.mu.Lock()
	ending := make(map[uint64]*stream)
	for id, st := range s.open {
		if st.key != nil && st.key.vault == v && st.mu.TryLock() {
			ending[id] = st
		}
	}
	s.mu.Unlock()
	for id, st := range ending {
		if !st.over {
			s.end(id, st, t)
		}
		st.mu.Unlock()
	}
}

// closeAll closes what is left. No request is under way.
func (s *streams) closeAll(t *tenant) {
	for id, st := range s.open {
		s.end(id, st, t)
	}
}

// The handlers of streams. An error ends the stream, as it does in PKCS #11.

func (c *conn) stream(m *protocol.Use) (*protocol.Streaming, error) {
	k := c.session.find(m.Ref)
	of, err := c.session.keys.Stream(m.Ref, m.Scheme, m.Op)
	if err != nil {
		return nil, err
	}
	st := &stream{Stream: of, key: k, begun: streamMemory + len(m.Scheme.IV) + len(m.Scheme.AAD)}
	if err := c.charge(st); err != nil {
		of.Close()
		return nil, err
	}
	id, err := c.session.streams.add(st)
	if err != nil {
		of.Close()
		_ = c.tenant.grow(-st.memory) // giving back cannot fail
		return nil, err
	}
	return &protocol.Streaming{Stream: id, Shape: of.Shape(), FinalLen: of.FinalLen()}, nil
}

func (c *conn) streamUpdate(m *protocol.StreamPart) (*protocol.Streaming, error) {
	st, err := c.session.streams.take(m.Stream)
	if err != nil {
		return nil, err
	}
	defer st.mu.Unlock()
	out, err := st.Update(c.out, m.Data)
	if err == nil {
		c.out = out // to be wiped, whatever comes of it
		err = c.charge(st)
	}
	if err != nil {
		c.session.streams.end(m.Stream, st, c.tenant)
		return nil, err
	}
	return &protocol.Streaming{Stream: m.Stream, Data: out, Shape: st.Shape(), FinalLen: st.FinalLen()}, nil
}

// charge has the tenant pay for what a stream keeps. What is more than an answer holds could never be given out.
func (c *conn) charge(st *stream) error {
	keeps := st.begun + 2*st.FinalLen() // its buffer grows by doubling
	if st.FinalLen() > protocol.MaxData {
		return ck.Errorf(ck.CKR_DATA_LEN_RANGE, "the guard keeps at most %d bytes of an operation that gives its output at the end", protocol.MaxData)
	}
	if err := c.tenant.grow(keeps - st.memory); err != nil {
		return err
	}
	st.memory = keeps
	return nil
}

func (c *conn) streamFinal(m *protocol.OneStream) (*protocol.Output, error) {
	st, err := c.session.streams.take(m.Stream)
	if err != nil {
		return nil, err
	}
	defer st.mu.Unlock()
	defer c.session.streams.end(m.Stream, st, c.tenant)
	reply, err := c.output(st.Final(c.out))
	if err == nil {
		c.used(st.key, nil)
	}
	return reply, err
}

func (c *conn) streamVerify(m *protocol.StreamPart) (*protocol.Nothing, error) {
	st, err := c.session.streams.take(m.Stream)
	if err != nil {
		return nil, err
	}
	defer st.mu.Unlock()
	defer c.session.streams.end(m.Stream, st, c.tenant)
	if err := st.Verify(m.Data); err != nil {
		return nil, err
	}
	c.used(st.key, nil)
	return &protocol.Nothing{}, nil
}

func (c *conn) streamClose(m *protocol.OneStream) (*protocol.Nothing, error) {
	st, err := c.session.streams.take(m.Stream)
	if err != nil {
		return &protocol.Nothing{}, nil // it is over already
	}
	defer st.mu.Unlock()
	c.session.streams.end(m.Stream, st, c.tenant)
	return &protocol.Nothing{}, nil
}
