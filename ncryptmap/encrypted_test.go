package ncryptmap_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
)

// utf16z is text as parameters have it.
func utf16z(text string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text + "\x00")) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

// with makes a list of parameters of types and values, one behind the other.
func with(pairs ...any) *ncryptmap.Buffers {
	b := &ncryptmap.Buffers{}
	for i := 0; i < len(pairs); i += 2 {
		value, ok := pairs[i+1].([]byte)
		if text, isText := pairs[i+1].(string); isText && !ok {
			value = utf16z(text)
		}
		b.List = append(b.List, ncryptmap.Buffer{Type: pairs[i].(uint32), Data: value})
	}
	return b
}

const (
	oidAES256 = "2.16.840.1.101.3.4.1.42\x00"
	oidTDES   = "1.2.840.113549.1.12.1.3\x00"
)

// openssl runs the tool in a directory of its own with files, and gives one of them.
func openssl(t testing.TB, files map[string][]byte, out string, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("openssl", args...)
	command.Dir = dir
	if message, err := command.CombinedOutput(); err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, message)
	}
	data, err := os.ReadFile(filepath.Join(dir, out))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// samples are keys of Go's making, as PKCS #8.
var samples = sync.OnceValue(func() map[string]crypto.Signer {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	keys := map[string]crypto.Signer{"RSA": rsaKey}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		if keys[name], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			panic(err)
		}
	}
	return keys
})

func pkcs8(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// took imports a blob and expects that it works.
func (s *site) took(blobType string, params *ncryptmap.Buffers, data []byte, flags uint32) ncryptmap.Handle {
	s.t.Helper()
	h, err := s.ImportKey(s.provider, 0, blobType, params, data, flags)
	s.must(err)
	return h
}

// isKey checks that a handle signs as a key does.
func (s *site) isKey(h ncryptmap.Handle, key crypto.Signer) {
	s.t.Helper()
	hash := sha256.Sum256([]byte("message"))
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		signature, err := s.SignHash(h, &ncryptmap.Padding{Hash: "SHA256"}, hash[:], ncryptmap.NCRYPT_PAD_PKCS1_FLAG)
		s.must(err)
		s.must(rsa.VerifyPKCS1v15(public, crypto.SHA256, hash[:], signature))
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		s.must(err)
		if blob := s.export(h, "ECCPUBLICBLOB"); !bytes.Equal(blob[8:], point[1:]) {
			s.t.Error("the public key is another")
		}
		_, err = s.SignHash(h, nil, hash[:], 0)
		s.must(err)
	}
}

// exporting makes an ephemeral key's handle give it out in plaintext.
func (s *site) plaintext(h ncryptmap.Handle) []byte {
	s.t.Helper()
	s.must(s.set(h, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, 3))
	return s.export(h, "PKCS8_PRIVATEKEY")
}

func TestB28PKCS8(t *testing.T) {
	s := open(t, t.TempDir())
	for name, key := range samples() {
		der := pkcs8(t, key)
		h := s.took("PKCS8_PRIVATEKEY", nil, der, 0)
		s.isKey(h, key)
		if got := s.dword(h, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY); got != 0 {
			t.Errorf("%s: export policy %d", name, got)
		}
		_, err := s.ExportKey(h, 0, "PKCS8_PRIVATEKEY", nil, 0)
		s.want(name+", not exportable", err, nte.NTE_NOT_SUPPORTED)
		if !bytes.Equal(s.plaintext(h), der) { // B29
			t.Errorf("%s: written otherwise than Go does", name)
		}
	}
}

// opensslEncryptions are what keys come under, and how OpenSSL is told.
var opensslEncryptions = []struct {
	name string
	args []string
}{
	{"AES-256, SHA-256", []string{"-v2", "aes-256-cbc"}},
	{"AES-192, SHA-1", []string{"-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA1"}},
	{"AES-128, SHA-224", []string{"-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA224"}},
	{"AES-256, SHA-384", []string{"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA384"}},
	{"AES-256, SHA-512, one round", []string{"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512", "-iter", "1"}},
	{"3DES", []string{"-v2", "des3"}},
	{"PBE-SHA1-3DES", []string{"-v1", "PBE-SHA1-3DES"}},
}

func TestEncryptedPKCS8(t *testing.T) {
	s := open(t, t.TempDir())
	const password = "pässword" // beyond ASCII
	for _, e := range opensslEncryptions {
		for name, key := range samples() {
			args := append([]string{"pkcs8", "-topk8", "-inform", "DER", "-in", "key", "-outform", "DER", "-out", "out", "-passout", "pass:" + password}, e.args...)
			data := openssl(t, map[string][]byte{"key": pkcs8(t, key)}, "out", args...)
			h := s.took("PKCS8_PRIVATEKEY", with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, password), data, 0)
			s.isKey(h, key)
			_, err := s.ImportKey(s.provider, 0, "PKCS8_PRIVATEKEY", with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, "other"), data, 0)
			s.want(e.name+", "+name+": wrong password", err, nte.NTE_DECRYPTION_FAILURE)
			_, err = s.ImportKey(s.provider, 0, "PKCS8_PRIVATEKEY", nil, data, 0)
			s.want(e.name+", "+name+": no password", err, nte.NTE_INVALID_PARAMETER)
			if key == samples()["RSA"] && !bytes.Equal(s.plaintext(h), pkcs8(t, key)) {
				t.Errorf("%s: another key", e.name)
			}
		}
	}
}

func TestB45Passwords(t *testing.T) {
	s := open(t, t.TempDir())
	key := samples()["P-256"]
	for _, oid := range []string{oidAES256, oidTDES} {
		h := s.took("PKCS8_PRIVATEKEY", nil, pkcs8(t, key), 0)
		s.must(s.set(h, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, 1))
		export := func(password []byte) ([]byte, error) {
			out, err := s.ExportKey(h, 0, "PKCS8_PRIVATEKEY", with(
				ncryptmap.NCRYPTBUFFER_PKCS_SECRET, password, ncryptmap.NCRYPTBUFFER_PKCS_ALG_OID, []byte(oid), ncryptmap.NCRYPTBUFFER_PKCS_ALG_PARAM, rounds(7, "saltsalt")), 0)
			if err != nil {
				return nil, err
			}
			defer out.Close()
			return bytes.Clone(out.Bytes()), nil
		}
		whole := utf16z("p€ss𝄞")
		data, err := export(whole)
		s.must(err)
		s.isKey(s.took("PKCS8_PRIVATEKEY", with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, whole), data, 0), key)
		for name, password := range map[string][]byte{
			"no NUL": whole[:len(whole)-2], "half a unit": whole[:len(whole)-1], "NUL within": append(utf16z("a"), whole...), "empty": {}, "too long": utf16z(strings.Repeat("a", 4096)),
		} {
			_, err := s.ImportKey(s.provider, 0, "PKCS8_PRIVATEKEY", with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, password), data, 0)
			s.want(name, err, nte.NTE_INVALID_PARAMETER)
			_, err = export(password)
			s.want(name+", export", err, nte.NTE_INVALID_PARAMETER)
		}
	}
}

// A secret key is in no PrivateKeyInfo, by whoever makes it.
func TestSecretKeysAreNotPKCS8(t *testing.T) {
	s := open(t, t.TempDir())
	for _, policy := range []uint32{plan.NCRYPT_ALLOW_EXPORT_FLAG, plan.NCRYPT_ALLOW_EXPORT_FLAG | plan.NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG} {
		for _, name := range []string{"", "kept"} {
			h := s.begun("AES", name, ncryptmap.NCRYPT_OVERWRITE_KEY_FLAG)
			s.must(s.set(h, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, policy))
			s.must(s.FinalizeKey(h, 0))
			for _, blobType := range []string{"PKCS8_PRIVATEKEY", "PKCS7_ENVELOPE"} {
				_, err := s.ExportKey(h, 0, blobType, with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, "x"), 0)
				s.want(blobType, err, nte.NTE_BAD_TYPE)
			}
			opaque := s.export(h, "OpaqueTransport")
			back := s.took("OpaqueTransport", nil, opaque, ncryptmap.NCRYPT_OVERWRITE_KEY_FLAG)
			if got := s.dword(back, ncryptmap.NCRYPT_LENGTH_PROPERTY); got != 256 {
				t.Errorf("length %d", got)
			}
		}
	}
}

// rounds is a CRYPT_PKCS12_PBE_PARAMS.
func rounds(n uint32, salt string) []byte {
	out := binary.LittleEndian.AppendUint32(nil, n)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(salt))), salt...)
}

// What is exported under a password OpenSSL reads; and of a key that the engine does not show, the guard made it.
func TestB31EncryptedExport(t *testing.T) {
	s := open(t, t.TempDir())
	for name, key := range samples() {
		params := with(ncryptmap.NCRYPTBUFFER_PKCS_KEY_NAME, "kept "+name)
		h := s.took("PKCS8_PRIVATEKEY", params, pkcs8(t, key), ncryptmap.NCRYPT_DO_NOT_FINALIZE_FLAG)
		_, err := s.OpenKey(s.provider, "kept "+name, 0, 0)
		s.want("B36: not final yet", err, nte.NTE_BAD_KEYSET)
		s.must(s.set(h, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY, plan.NCRYPT_ALLOW_EXPORT_FLAG))
		s.must(s.FinalizeKey(h, 0))
		again, err := s.OpenKey(s.provider, "kept "+name, 0, 0)
		s.must(err)
		if got := s.dword(again, ncryptmap.NCRYPT_EXPORT_POLICY_PROPERTY); got != plan.NCRYPT_ALLOW_EXPORT_FLAG {
			t.Errorf("B36: %s: export policy %d", name, got)
		}
		_, err = s.ExportKey(again, 0, "PKCS8_PRIVATEKEY", nil, 0)
		s.want("plaintext", err, nte.NTE_NOT_SUPPORTED)
		_, err = s.ExportKey(again, 0, "RSAFULLPRIVATEBLOB", nil, 0)
		s.want("plaintext blob", err, nte.NTE_NOT_SUPPORTED)
		_, err = s.ExportKey(again, 0, "PKCS8_PRIVATEKEY", with(ncryptmap.NCRYPTBUFFER_PKCS_ALG_OID, []byte(oidAES256)), 0)
		s.want("a cipher without a password", err, nte.NTE_INVALID_PARAMETER)
		_, err = s.ExportKey(again, 0, "PKCS8_PRIVATEKEY", with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, "x", ncryptmap.NCRYPTBUFFER_PKCS_ALG_OID, []byte(oidTDES)), 0)
		s.want("a cipher that the guard has not", err, nte.NTE_NOT_SUPPORTED)
		for what, params := range map[string]*ncryptmap.Buffers{
			"by the OID":      with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, "ö1", ncryptmap.NCRYPTBUFFER_PKCS_ALG_OID, []byte(oidAES256), ncryptmap.NCRYPTBUFFER_PKCS_ALG_PARAM, rounds(10, "12345678")),
			"by PBES2's name": with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, "ö1", ncryptmap.NCRYPTBUFFER_PKCS_ALG_OID, []byte("1.2.840.113549.1.5.13"), ncryptmap.NCRYPTBUFFER_PKCS_ALG_PARAM, rounds(1, "s")),
			"by nothing":      with(ncryptmap.NCRYPTBUFFER_PKCS_SECRET, "ö1"),
		} {
			out, err := s.ExportKey(again, 0, "PKCS8_PRIVATEKEY", params, 0)
			s.must(err)
			der := openssl(t, map[string][]byte{"in": out.Bytes()}, "out",
				"pkcs8", "-inform", "DER", "-in", "in", "-passin", "pass:ö1", "-topk8", "-nocrypt", "-outform", "DER", "-out", "out")
			if !bytes.Equal(der, pkcs8(t, key)) {
				t.Errorf("%s %s: another key", name, what)
			}
			out.Close()
		}
	}
}
