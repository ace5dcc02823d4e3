package local

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// state is what a mode keeps between the parts of a multi-part operation.
type state interface {
	update(dst, part []byte) ([]byte, error)
	final(dst []byte) ([]byte, error)
	shape() guard.StreamShape
	finalLen() int
	wipe()
}

// stream is a guard.Stream: a state, and the hold of the key that it runs under.
type stream struct {
	key   *key
	state state // nil when closed
}

// live refuses to go on with a key that has been forgotten since.
func (s *stream) live() error {
	if s.state == nil {
		return ck.CKR_OPERATION_NOT_INITIALIZED
	}
	if s.key.gone.Load() {
		return ck.CKR_KEY_HANDLE_INVALID
	}
	return nil
}

// Update takes the next part.
func (s *stream) Update(dst, part []byte) ([]byte, error) {
	if err := s.live(); err != nil {
		return nil, err
	}
	return s.state.update(dst, part)
}

// Final gives the rest and closes the stream.
func (s *stream) Final(dst []byte) ([]byte, error) {
	if err := s.live(); err != nil {
		return nil, err
	}
	defer s.Close()
	return s.state.final(dst)
}

// Verify checks the MAC of what was taken and closes the stream.
func (s *stream) Verify(mac []byte) error {
	if err := s.live(); err != nil {
		return err
	}
	defer s.Close()
	check, ok := s.state.(*macCheck)
	if !ok {
		return ck.CKR_KEY_FUNCTION_NOT_PERMITTED
	}
	return check.verify(mac)
}

// Shape tells what an Update would append.
func (s *stream) Shape() guard.StreamShape {
	if s.state == nil {
		return guard.StreamShape{}
	}
	return s.state.shape()
}

// FinalLen is what Final would append, or at most, for CBC_PAD decryption.
func (s *stream) FinalLen() int {
	if s.state == nil {
		return 0
	}
	return s.state.finalLen()
}

// Close wipes the state and lets go of the key.
func (s *stream) Close() {
	if s.state == nil {
		return
	}
	s.state.wipe()
	s.state = nil
	s.key.release()
}
