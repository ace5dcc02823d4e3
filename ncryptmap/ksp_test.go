package ncryptmap_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

var cheap = pinseal.WithCost(pinseal.Cost{Passes: 1, KiB: 8, Threads: 1})

// engine is a token engine in a home of its own, in software.
func engine(t testing.TB, home string) *token.Provider {
	t.Helper()
	return engineOver(t, home, func(*store.Header) (guard.Keys, error) { return local.New(pinseal.New(cheap)), nil })
}

func engineOver(t testing.TB, home string, guardFor token.GuardFor) *token.Provider {
	t.Helper()
	cfg, err := config.Load(func(name string) string { return map[string]string{"NCRYPT11_HOME": home}[name] })
	if err != nil {
		t.Fatal(err)
	}
	p, err := token.New(cfg, guardFor)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// site is a program that uses NCrypt.
type site struct {
	*ncryptmap.KSP
	t        testing.TB
	engine   *token.Provider
	provider ncryptmap.Handle
}

// open starts a program with a provider open.
func open(t testing.TB, home string) *site {
	t.Helper()
	return over(t, engine(t, home))
}

// want fails where an error has another status.
func (s *site) want(what string, err error, status nte.Status) {
	s.t.Helper()
	if nte.Code(err) != status {
		s.t.Errorf("%s: %v, want %v", what, err, status)
	}
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// created makes a key and finalizes it.
func (s *site) created(algorithm, name string, flags uint32) ncryptmap.Handle {
	s.t.Helper()
	h, err := s.CreatePersistedKey(s.provider, algorithm, name, 0, flags)
	s.must(err)
	s.must(s.FinalizeKey(h, 0))
	return h
}

func (s *site) dword(h ncryptmap.Handle, name string) uint32 {
	s.t.Helper()
	value, err := s.GetProperty(h, name, 0)
	s.must(err)
	if len(value) != 4 {
		s.t.Fatalf("%s has %d bytes", name, len(value))
	}
	return binary.LittleEndian.Uint32(value)
}

func (s *site) set(h ncryptmap.Handle, name string, value uint32) error {
	return s.SetProperty(h, name, binary.LittleEndian.AppendUint32(nil, value), 0)
}

func (s *site) export(h ncryptmap.Handle, blobType string) []byte {
	s.t.Helper()
	out, err := s.ExportKey(h, 0, blobType, nil, 0)
	s.must(err)
	defer out.Close()
	return bytes.Clone(out.Bytes())
}

// The steps of the tutorial: a key that is made, used, found by another program, and deleted.
func TestLifeOfAKey(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	for _, algorithm := range ncryptmap.Algorithms() {
		if algorithm == "ECDSA" || algorithm == "ECDH" || strings.HasPrefix(algorithm, "ML-") || algorithm == "AES" {
			continue // these need a curve or a parameter set first, or have no public half
		}
		h := s.created(algorithm, "key", 0)
		public := s.export(h, "PUBLICBLOB")
		hash := make([]byte, 32)
		padding := &ncryptmap.Padding{Hash: "SHA256"}
		flags := uint32(0)
		if algorithm == "RSA" {
			flags = ncryptmap.NCRYPT_PAD_PKCS1_FLAG
		}
		signature, err := s.SignHash(h, padding, hash, flags)
		s.must(err)

		other := open(t, home)
		again, err := other.OpenKey(other.provider, "KEY", 0, 0)
		s.must(err)
		if !bytes.Equal(other.export(again, "PUBLICBLOB"), public) {
			t.Errorf("%s: another key was opened", algorithm)
		}
		s.must(other.VerifySignature(again, padding, hash, signature, flags))
		signature[0] ^= 1
		s.want("changed signature", other.VerifySignature(again, padding, hash, signature, flags), nte.NTE_BAD_SIGNATURE)
		s.must(other.DeleteKey(again, 0))
		_, err = other.OpenKey(other.provider, "key", 0, 0)
		s.want("deleted", err, nte.NTE_BAD_KEYSET)
		s.must(s.FreeObject(h))
		s.want("freed twice", s.FreeObject(h), nte.NTE_INVALID_HANDLE)
	}
}
