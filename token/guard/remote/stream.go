package remote

import (
	"errors"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// stream is a multi-part operation in a guard. It ends with the guard: what it has taken is nowhere else.
type stream struct {
	keys     *Keys
	in       *session
	id       uint64
	shape    guard.StreamShape
	finalLen int
	lost     bool // nothing more can be done with it
	over     bool // the guard has nothing left of it
}

// partLen is how much of a long part goes in one message.
const partLen = 1 << 20

// Stream starts a multi-part use of a secret key.
func (g *Keys) Stream(ref guard.Ref, s *mech.Scheme, op mech.Op) (guard.Stream, error) {
	st := &stream{keys: g}
	var m protocol.Streaming
	request := func(t *turn) (protocol.Message, error) {
		st.in = t.session
		own, err := g.refIn(t, ref)
		return &protocol.Use{Ref: own, Op: op, Scheme: s}, err
	}
	if err := g.exchange(protocol.MethodStream, request, &m, func() {}); err != nil {
		return nil, err
	}
	if !sound(m.Shape) {
		return nil, errUnsound
	}
	st.id, st.shape, st.finalLen = m.Stream, m.Shape, m.FinalLen
	return st, nil
}

// sound says whether an operation may have such a shape: it does not hold back what it could give.
func sound(s guard.StreamShape) bool { return s.Unit == 0 || s.Held <= s.Unit+s.Keep }

// call asks the guard that has the stream.
func (s *stream) call(method protocol.Method, m, reply protocol.Message, done func()) error {
	if s.over || s.lost {
		return ck.CKR_OPERATION_NOT_INITIALIZED
	}
	limit := deadline(method)
	err := s.keys.on(&turn{s.in, time.Now().Add(limit)}, method, m, reply, limit, done)
	var cut *broken
	if errors.As(err, &cut) || errors.Is(err, errRefused) {
		s.lost = true // the guard may still have it, if only the connection failed
		return ck.Errorf(ck.CKR_DEVICE_ERROR, "the guard that had this operation is lost: %w", err)
	}
	return err
}

// Update takes the next part.
func (s *stream) Update(dst, part []byte) ([]byte, error) {
	for {
		n := min(len(part), partLen)
		var m protocol.Streaming
		want, got := s.shape.UpdateLen(n), 0
		err := s.call(protocol.MethodStreamUpdate, &protocol.StreamPart{Stream: s.id, Data: part[:n]}, &m, func() {
			dst, got = append(dst, m.Data...), len(m.Data)
		})
		if err != nil {
			return nil, err
		}
		if got != want || !sound(m.Shape) {
			return nil, errUnsound
		}
		s.shape, s.finalLen = m.Shape, m.FinalLen
		if s.finalLen > protocol.MaxData {
			return nil, ck.Errorf(ck.CKR_DATA_LEN_RANGE, "the guard keeps at most %d bytes of an operation that gives its output at the end", protocol.MaxData)
		}
		if part = part[n:]; len(part) == 0 {
			return dst, nil
		}
	}
}

// Final gives the rest.
func (s *stream) Final(dst []byte) ([]byte, error) {
	var m protocol.Output
	err := s.call(protocol.MethodStreamFinal, &protocol.OneStream{Stream: s.id}, &m, func() { dst = append(dst, m.Data...) })
	if err != nil {
		return nil, err
	}
	s.over = true
	return dst, nil
}

// Verify checks the MAC of what was taken.
func (s *stream) Verify(mac []byte) error {
	err := s.call(protocol.MethodStreamVerify, &protocol.StreamPart{Stream: s.id, Data: mac}, &protocol.Nothing{}, func() {})
	s.over = true
	return err
}

// Shape tells what an Update would append.
func (s *stream) Shape() guard.StreamShape { return s.shape }

// FinalLen is what Final would append, or at most, for CBC_PAD decryption.
func (s *stream) FinalLen() int { return s.finalLen }

// Close ends the operation.
func (s *stream) Close() {
	if s.over {
		return
	}
	s.over = true
	s.keys.tell(s.in, protocol.MethodStreamClose, &protocol.OneStream{Stream: s.id})
}
