package token

import (
	"crypto/rand"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// SeedRandom is C_SeedRandom. The kernel's generator needs no seed and takes none from programs; NSS seeds every token and wants CKR_OK.
func (s *Session) SeedRandom([]byte) error { return s.check() }

// GenerateRandom is C_GenerateRandom.
func (s *Session) GenerateRandom(out []byte) error {
	if err := s.check(); err != nil {
		return err
	}
	if _, err := rand.Read(out); err != nil {
		return ck.Errorf(ck.CKR_DEVICE_ERROR, "no randomness: %w", err)
	}
	return nil
}

// check says whether the session is still open.
func (s *Session) check() error {
	if err := s.lock(); err != nil {
		return err
	}
	s.mu.Unlock()
	return nil
}
