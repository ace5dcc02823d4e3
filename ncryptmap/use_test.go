package ncryptmap_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
)

func TestB72Verify(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.created("RSA", "", 0)
	signature := s.signs("RSA", h, nte.ERROR_SUCCESS)
	verify := func(what string, padding *ncryptmap.Padding, hash, signature []byte, flags uint32, status nte.Status) {
		t.Helper()
		s.want(what, s.VerifySignature(h, padding, hash, signature, flags), status)
	}
	verify("right", sha256Padding, aHash, signature, pkcs1, nte.ERROR_SUCCESS)
	wrong := slices.Clone(signature)
	wrong[7] ^= 1
	verify("wrong", sha256Padding, aHash, wrong, pkcs1, nte.NTE_BAD_SIGNATURE)
	verify("no hash", sha256Padding, nil, signature, pkcs1, nte.RPC_X_NULL_REF_POINTER)
	verify("no signature", sha256Padding, aHash, nil, pkcs1, nte.RPC_X_NULL_REF_POINTER)
	verify("no padding information", nil, aHash, signature, pkcs1, nte.NTE_INVALID_PARAMETER)
	verify("no padding flag", sha256Padding, aHash, signature, 0, nte.NTE_INVALID_PARAMETER)
	verify("short hash", sha256Padding, aHash[1:], signature, pkcs1, nte.NTE_INVALID_PARAMETER)
	verify("short signature", sha256Padding, aHash, signature[1:], pkcs1, nte.NTE_INVALID_PARAMETER)
	verify("hash that there is not", &ncryptmap.Padding{Hash: "MD7"}, aHash, signature, pkcs1, nte.NTE_INVALID_PARAMETER)
	verify("strange flags", sha256Padding, aHash, signature, pkcs1|0x20, nte.NTE_BAD_FLAGS)
	_, err := s.SignHash(h, sha256Padding, nil, pkcs1)
	s.want("nothing to sign", err, nte.RPC_X_NULL_REF_POINTER)
	public := s.imported("PUBLICBLOB", "", s.export(h, "PUBLICBLOB"), 0)
	s.must(s.VerifySignature(public, sha256Padding, aHash, signature, pkcs1))
	s.signs("a public key", public, nte.NTE_BAD_TYPE)
}

func TestB73NoPadding(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.created("RSA", "", 0)
	_, err := s.Encrypt(h, nil, aHash, ncryptmap.NCRYPT_NO_PADDING_FLAG)
	s.want("short", err, nte.NTE_INVALID_PARAMETER)
	n, err := s.EncryptTo(token.Output{Null: true}, h, nil, aHash, ncryptmap.NCRYPT_NO_PADDING_FLAG)
	if s.must(err); n != 128 {
		t.Errorf("the length is %d", n)
	}
	_, err = s.EncryptTo(token.Output{Buf: make([]byte, 128)}, h, nil, aHash, ncryptmap.NCRYPT_NO_PADDING_FLAG)
	s.want("short, with a buffer", err, nte.NTE_INVALID_PARAMETER)
	padded := append(make([]byte, 96), bytes.Repeat([]byte{7}, 32)...)
	encrypted, err := s.Encrypt(h, nil, padded, ncryptmap.NCRYPT_NO_PADDING_FLAG)
	s.must(err)
	decrypted, err := s.Decrypt(h, nil, encrypted, ncryptmap.NCRYPT_NO_PADDING_FLAG)
	s.must(err)
	if !bytes.Equal(decrypted, padded) {
		t.Error("what is decrypted is not what was encrypted")
	}
}

func TestB74EncryptFlags(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.created("RSA", "", 0)
	for _, flags := range []uint32{0x80, 0x20, 0x100, 0x80000000} {
		_, err := s.Encrypt(h, nil, aHash, flags|pkcs1)
		s.want("Encrypt", err, nte.NTE_BAD_FLAGS)
		_, err = s.Decrypt(h, nil, make([]byte, 128), flags|pkcs1)
		s.want("Decrypt", err, nte.NTE_BAD_FLAGS)
	}
	_, err := s.Encrypt(s.provider, nil, aHash, 0x80)
	s.want("a provider", err, nte.NTE_INVALID_HANDLE)
	_, err = s.Encrypt(h, nil, aHash, pkcs1|ncryptmap.NCRYPT_SILENT_FLAG)
	s.must(err)
}

func TestB75Archiving(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	for _, test := range []struct {
		what string
		make func() ncryptmap.Handle
	}{
		{"created", func() ncryptmap.Handle { return s.begun("RSA", "key", overwrite) }},
		{"imported", func() ncryptmap.Handle {
			return s.imported("RSAPRIVATEBLOB", "key", rsa1024(t, "RSAPRIVATEBLOB"), overwrite|notFinal)
		}},
	} {
		h := test.make()
		s.must(s.set(h, "Export Policy", 8))
		s.must(s.FinalizeKey(h, 0))
		opened := s.opened("key", 0)
		s.noExport(test.what+", reopened", opened, "RSAPRIVATEBLOB", nte.NTE_NOT_SUPPORTED)
		if policy := s.dword(opened, "Export Policy"); policy != 0 {
			t.Errorf("%s: policy %#x is kept", test.what, policy)
		}
		s.noExport(test.what+", as what it is not", h, "ECCPRIVATEBLOB", nte.NTE_BAD_TYPE)
		archived := s.imported("RSAPRIVATEBLOB", "", s.export(h, "RSAPRIVATEBLOB"), 0)
		if !bytes.Equal(s.signs("archived", archived, nte.ERROR_SUCCESS), s.signs("kept", opened, nte.ERROR_SUCCESS)) {
			t.Errorf("%s: another key was archived", test.what)
		}
		s.noExport(test.what+", twice", h, "RSAPRIVATEBLOB", nte.NTE_NOT_SUPPORTED)
		s.signs(test.what, h, nte.ERROR_SUCCESS)
		if n := objects(t, home); n != 2 {
			t.Errorf("%s: %d objects of one key and its public half", test.what, n)
		}
		s.must(s.FreeObject(h))
	}
	h := s.begun("RSA", "key", overwrite)
	s.must(s.set(h, "Export Policy", 4))
	s.must(s.FinalizeKey(h, 0))
	s.noExport("archiving under a password only", h, "RSAPRIVATEBLOB", nte.NTE_NOT_SUPPORTED)
}

func TestB76RawSecretIsLittleEndian(t *testing.T) {
	s := open(t, t.TempDir())
	peer, err := ecdh.P256().GenerateKey(rand.Reader)
	s.must(err)
	point := peer.PublicKey().Bytes()[1:]
	public := s.imported("ECCPUBLICBLOB", "", slices.Concat(dwords(0x314b4345, 32), point), 0)
	h := s.created("ECDH_P256", "key", 0)
	blob := s.export(h, "ECCPUBLICBLOB")
	mine, err := ecdh.P256().NewPublicKey(append([]byte{4}, blob[8:]...))
	s.must(err)
	want, err := peer.ECDH(mine)
	s.must(err)
	slices.Reverse(want)
	agreed, err := s.SecretAgreement(h, public, 0)
	s.must(err)
	raw, err := s.DeriveKey(agreed, "TRUNCATE", nil, 0, 0)
	s.must(err)
	defer raw.Close()
	if !bytes.Equal(raw.Bytes(), want) {
		t.Errorf("%x, want %x", raw.Bytes(), want)
	}
	s.must(s.FreeObject(agreed))
	_, err = s.DeriveKey(agreed, "TRUNCATE", nil, 0, 0)
	s.want("freed", err, nte.NTE_INVALID_HANDLE)
}

func TestB77GroupsOfCurves(t *testing.T) {
	s := open(t, t.TempDir())
	public := s.imported("ECCPUBLICBLOB", "", s.export(s.created("ECDH_P256", "", 0), "ECCPUBLICBLOB"), 0)
	for _, name := range []string{"", "key"} {
		s.signs("a key for agreements", s.created("ECDH_P256", name, overwrite), nte.ERROR_SUCCESS)
		_, err := s.SecretAgreement(s.created("ECDSA_P256", name, overwrite), public, 0)
		s.want("a key for signatures", err, nte.NTE_BAD_TYPE)
	}
	_, err := s.SecretAgreement(s.created("ECDH_P384", "", 0), public, 0)
	s.want("another curve", err, nte.NTE_BAD_TYPE)
}

func TestB77aUsage(t *testing.T) {
	s := open(t, t.TempDir())
	for _, name := range []string{"", "key"} {
		h := s.begun("RSA", name, overwrite)
		s.must(s.set(h, "Key Usage", 1)) // decrypt
		s.must(s.FinalizeKey(h, 0))
		s.signs("without SIGNING", h, nte.NTE_PERM)
		encrypted, err := s.Encrypt(h, nil, aHash, pkcs1)
		s.must(err)
		_, err = s.Decrypt(h, nil, encrypted, pkcs1)
		s.must(err)
		h = s.begun("RSA", name, overwrite)
		s.must(s.set(h, "Key Usage", 2)) // sign
		s.must(s.FinalizeKey(h, 0))
		_, err = s.Decrypt(h, nil, encrypted, pkcs1)
		s.want("without DECRYPT", err, nte.NTE_PERM)
		s.signs("with SIGNING", h, nte.ERROR_SUCCESS)
	}
	if usage := s.dword(s.opened("key", 0), "Key Usage"); usage != 2 {
		t.Errorf("usage %#x is kept", usage)
	}
	agrees := s.begun("ECDH_P256", "", 0)
	s.must(s.set(agrees, "Key Usage", 2))
	s.must(s.FinalizeKey(agrees, 0))
	_, err := s.SecretAgreement(agrees, agrees, 0)
	s.want("without KEY_AGREEMENT", err, nte.NTE_PERM)
}

func TestB77bDecryptLength(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.created("RSA", "", 0)
	for _, n := range []int{0, 1, 127, 129, 256} {
		_, err := s.Decrypt(h, nil, make([]byte, n), pkcs1)
		s.want("Decrypt", err, nte.NTE_INVALID_PARAMETER)
	}
}

func TestB77eB77fValues(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.begun("RSA", "", 0)
	for _, length := range []uint32{0, 100, 512, 1025, 1 << 20} {
		s.want("Length", s.set(h, "Length", length), nte.NTE_NOT_SUPPORTED)
	}
	for _, name := range []string{"Length", "Export Policy", "Key Usage"} {
		s.want(name, s.SetProperty(h, name, []byte{1, 0}, 0), nte.NTE_BAD_DATA)
	}
	s.want("Export Policy", s.set(h, "Export Policy", 0x40), nte.NTE_NOT_SUPPORTED)
	s.want("Key Usage", s.set(h, "Key Usage", 0x01000000), nte.NTE_NOT_SUPPORTED)
	s.must(s.FinalizeKey(h, 0))
}

func TestB77gVersionOfParameters(t *testing.T) {
	s := open(t, t.TempDir())
	bad := &ncryptmap.Buffers{Version: 1}
	s.refuses("Import", "RSAPUBLICBLOB", bad, rsa1024(t, "RSAPUBLICBLOB"), 0, nte.NTE_INVALID_PARAMETER)
	_, err := s.ExportKey(s.created("RSA", "", 0), 0, "PUBLICBLOB", bad, 0)
	s.want("Export", err, nte.NTE_INVALID_PARAMETER)
}

func TestB77iLegacyExport(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.created("RSA", "", 0)
	_, err := s.ExportKey(h, 0, "PUBLICBLOB", nil, ncryptmap.NCRYPT_EXPORT_LEGACY_FLAG)
	s.want("legacy", err, nte.NTE_NOT_SUPPORTED)
	_, err = s.ExportKey(h, 0, "PUBLICBLOB", nil, 0x80)
	s.want("strange flags", err, nte.NTE_BAD_FLAGS)
}
