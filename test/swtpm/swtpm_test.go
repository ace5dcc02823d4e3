package swtpm_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
)

// What the tests of others lean on: state is kept, a clean stop counts as nothing, and a killed TPM does not lock itself.
func TestLife(t *testing.T) {
	s := swtpm.Start(t)
	s.Tolerate(5, 1000)
	s.Lockout(2)
	if n := s.Failures(); n != 2 {
		t.Fatalf("%d failures after 2 wrong tries", n)
	}
	s.Reset()
	if n := s.Failures(); n != 2 {
		t.Fatalf("%d failures after a clean restart, want 2", n)
	}
	for range 4 {
		s.Lockout(1)
		s.Kill()
		s.Start()
	}
	if n := s.Failures(); n != 0 {
		t.Fatalf("%d failures after a restart that makes it forget", n)
	}
	s.Lockout(1)
	s.Replace()
	if n := s.Failures(); n != 0 {
		t.Fatalf("%d failures in a new TPM", n)
	}
	if left := s.Loaded(); len(left) != 0 {
		t.Fatalf("%x are loaded", left)
	}
	s.Clear()
	s.Tool("tpm2_createprimary", "-c", "primary.ctx")
	s.Flush()
	s.PowerCycle()
	s.Stop()
}
