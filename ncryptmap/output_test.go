package ncryptmap_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
)

// TestB71Outputs: no buffer gives the length, a short one NTE_BUFFER_TOO_SMALL with it, and neither stands in the way of the next call.
func TestB71Outputs(t *testing.T) {
	s := open(t, t.TempDir())
	rsa := s.created("RSA", "", 0)
	hash := make([]byte, 32)
	padding := &ncryptmap.Padding{Hash: "SHA256"}
	encrypted, err := s.Encrypt(rsa, nil, []byte("data"), ncryptmap.NCRYPT_PAD_PKCS1_FLAG)
	s.must(err)
	a, b := s.created("ECDH_P256", "", 0), s.created("ECDH_P256", "", 0)
	agreed, err := s.SecretAgreement(a, b, 0)
	s.must(err)
	for _, c := range []struct {
		name string
		size int // without a buffer
		call func(token.Output) (int, error)
	}{
		{"sign", 128, func(out token.Output) (int, error) {
			return s.SignHashTo(out, rsa, padding, hash, ncryptmap.NCRYPT_PAD_PKCS1_FLAG)
		}},
		{"encrypt", 128, func(out token.Output) (int, error) {
			return s.EncryptTo(out, rsa, nil, hash, ncryptmap.NCRYPT_PAD_PKCS1_FLAG)
		}},
		{"decrypt", 128, func(out token.Output) (int, error) {
			return s.DecryptTo(out, rsa, nil, encrypted, ncryptmap.NCRYPT_PAD_PKCS1_FLAG)
		}},
		{"export", 24 + 3 + 128, func(out token.Output) (int, error) { return s.ExportKeyTo(out, rsa, 0, "RSAPUBLICBLOB", nil, 0) }},
		{"property", 4, func(out token.Output) (int, error) { return s.GetPropertyTo(out, rsa, "Length", 0) }},
		{"raw secret", 32, func(out token.Output) (int, error) { return s.DeriveKeyTo(out, agreed, "TRUNCATE", nil, 0) }},
	} {
		n, err := c.call(token.Output{Null: true})
		if err != nil || n > c.size || c.name != "decrypt" && n != c.size {
			t.Errorf("%s: size %d, %v", c.name, n, err)
		}
		if c.name != "raw secret" { // of a secret as many bytes are given as there is room for
			n, err = c.call(token.Output{Buf: make([]byte, 3)})
			s.want(c.name+" in a short buffer", err, nte.NTE_BUFFER_TOO_SMALL)
			if n <= 3 {
				t.Errorf("%s in a short buffer: size %d", c.name, n)
			}
		}
		buf := make([]byte, c.size+5)
		n, err = c.call(token.Output{Buf: buf})
		if err != nil || n > c.size || bytes.Equal(buf[:n], make([]byte, n)) {
			t.Errorf("%s: %d bytes, %v", c.name, n, err)
		}
	}
}

// A handle that a provider's property gives is not lost where nobody takes it.
func TestProviderHandleIsTaken(t *testing.T) {
	s := open(t, t.TempDir())
	key := s.created("RSA", "", 0)
	buf := make([]byte, 8)
	n, err := s.GetPropertyTo(token.Output{Buf: buf}, key, "Provider Handle", 0)
	if err != nil || n != 8 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	first := ncryptmap.Handle(binary.LittleEndian.Uint64(buf))
	s.must(s.Check(first, ncryptmap.Provider))
	_, err = s.GetPropertyTo(token.Output{Null: true}, key, "Provider Handle", 0)
	s.must(err)
	s.want("the handle of a length", s.Check(first+4, ncryptmap.Object), nte.NTE_INVALID_HANDLE)
	s.must(s.FreeObject(first))
}

// TestB75SizeIsNoArchive: who asks for the length of a blob has not archived the key.
func TestB75SizeIsNoArchive(t *testing.T) {
	s := open(t, t.TempDir())
	key, err := s.CreatePersistedKey(s.provider, "RSA", "archived", 0, 0)
	s.must(err)
	s.must(s.set(key, "Export Policy", 8))
	s.must(s.FinalizeKey(key, 0))
	export := func(out token.Output) (int, error) { return s.ExportKeyTo(out, key, 0, "RSAFULLPRIVATEBLOB", nil, 0) }
	n, err := export(token.Output{Null: true})
	s.must(err)
	_, err = export(token.Output{Buf: make([]byte, n-1)})
	s.want("a short buffer", err, nte.NTE_BUFFER_TOO_SMALL)
	_, err = export(token.Output{Buf: make([]byte, n)})
	s.must(err)
	_, err = export(token.Output{Null: true})
	s.want("archived before", err, nte.NTE_NOT_SUPPORTED)
}

func TestEnumAlgorithms(t *testing.T) {
	s := open(t, t.TempDir())
	all, err := s.EnumAlgorithms(s.provider, 0, 0)
	s.must(err)
	if len(all) != len(ncryptmap.Algorithms()) {
		t.Errorf("%d algorithms, want %d", len(all), len(ncryptmap.Algorithms()))
	}
	for _, a := range all {
		s.must(s.IsAlgSupported(s.provider, a.Name, 0))
		if a.Class == 0 || a.Operations == 0 {
			t.Errorf("%s is for nothing", a.Name)
		}
	}
	ciphers, err := s.EnumAlgorithms(s.provider, ncryptmap.NCRYPT_CIPHER_OPERATION, 0)
	if err != nil || len(ciphers) != 1 || ciphers[0].Name != "AES" {
		t.Errorf("ciphers: %v, %v", ciphers, err)
	}
	_, err = s.EnumAlgorithms(0, 0, 0)
	s.want("handle 0", err, nte.NTE_INVALID_HANDLE)
	_, err = s.EnumAlgorithms(s.provider, 0, 1)
	s.want("flag 1", err, nte.NTE_BAD_FLAGS)
}
