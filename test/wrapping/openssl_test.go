package wrapping_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// openssl is the openssl command, and for AES-GCM libcrypto. It knows no keys that wrap others: it encrypts bytes, which are a secret key's or PKCS #8.
type openssl struct {
	dir      string
	fixtures *fixtures
}

func newOpenSSL(t testing.TB, f *fixtures) *openssl {
	t.Helper()
	o := &openssl{t.TempDir(), f}
	private, err := x509.MarshalPKCS8PrivateKey(f.rsa)
	must(t, err)
	public, err := x509.MarshalPKIXPublicKey(&f.rsa.PublicKey)
	must(t, err)
	must(t, os.WriteFile(o.file("private"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	must(t, os.WriteFile(o.file("public"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600))
	if out, err := exec.Command("gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", o.file("gcm"), "testdata/gcm.c", "-lcrypto").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return o
}

func (o *openssl) file(name string) string { return filepath.Join(o.dir, name) }

// run gives what the command writes for what it reads.
func (o *openssl) run(input []byte, args ...string) ([]byte, error) {
	return o.runProgram(input, "openssl", args...)
}

func (o *openssl) runProgram(input []byte, program string, args ...string) ([]byte, error) {
	in, out := o.file("in"), o.file("out")
	if err := os.WriteFile(in, input, 0o600); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(out); err != nil {
		return nil, err
	}
	if said, err := exec.Command(program, append(args, "-in", in, "-out", out)...).CombinedOutput(); err != nil {
		last := strings.Split(strings.TrimSpace(string(said)), "\n")
		return nil, fmt.Errorf("%s %s: %w: %s", filepath.Base(program), args[0], err, last[len(last)-1])
	}
	return os.ReadFile(out)
}

func (o *openssl) wrap(m *mechanism, p *payload) ([]byte, error) {
	return o.crypt(m, p.plain(), true)
}

func (o *openssl) unwrap(m *mechanism, p *payload, wrapped []byte) ([][]byte, error) {
	plain, err := o.crypt(m, wrapped, false)
	if err != nil {
		return nil, err
	}
	if p.private == nil {
		return [][]byte{plain}, nil
	}
	if _, err := o.run(plain, "pkey", "-inform", "DER", "-outform", "DER"); err != nil { // it is a key to OpenSSL, too
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, err
	}
	return (&payload{private: key}).parts(), nil
}

// crypt encrypts or decrypts as the mechanism does.
func (o *openssl) crypt(m *mechanism, data []byte, encrypt bool) ([]byte, error) {
	key := o.fixtures.aes[:m.bits/8]
	switch m.typ {
	case ck.CKM_RSA_PKCS, ck.CKM_RSA_PKCS_OAEP:
		return o.rsa(m, data, encrypt)
	case ck.CKM_RSA_AES_KEY_WRAP:
		return o.rsaAES(m, data, encrypt)
	case ck.CKM_AES_KEY_WRAP:
		return o.aes("id-aes%d-wrap", "a6a6a6a6a6a6a6a6", key, data, encrypt)
	case ck.CKM_AES_KEY_WRAP_KWP, ck.CKM_AES_KEY_WRAP_PAD:
		return o.aes("id-aes%d-wrap-pad", "a65959a6", key, data, encrypt)
	case ck.CKM_AES_CBC_PAD:
		return o.aes("aes-%d-cbc", hex.EncodeToString(iv), key, data, encrypt)
	case ck.CKM_AES_GCM:
		return o.runProgram(data, o.file("gcm"), direction(encrypt), "-K", hex.EncodeToString(key), "-iv", hex.EncodeToString(iv[:gcmIV]))
	case ck.CKM_ECDH_AES_KEY_WRAP:
		return o.ecdhAES(data, encrypt)
	}
	return nil, errors.New("there is no such encryption")
}

func direction(encrypt bool) string {
	if encrypt {
		return "-e"
	}
	return "-d"
}

func (o *openssl) aes(cipher, iv string, key, data []byte, encrypt bool) ([]byte, error) {
	return o.run(data, "enc", "-"+fmt.Sprintf(cipher, 8*len(key)), direction(encrypt), "-K", hex.EncodeToString(key), "-iv", iv)
}

func (o *openssl) rsa(m *mechanism, data []byte, encrypt bool) ([]byte, error) {
	args := []string{"pkeyutl", "-decrypt", "-inkey", o.file("private")}
	if encrypt {
		args = []string{"pkeyutl", "-encrypt", "-pubin", "-inkey", o.file("public")}
	}
	if m.typ == ck.CKM_RSA_PKCS {
		return o.run(data, append(args, "-pkeyopt", "rsa_padding_mode:pkcs1")...)
	}
	for _, h := range hashes {
		if h.typ == m.hash {
			args = append(args, "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:"+h.name)
		}
	}
	for _, h := range hashes {
		if h.mgf == m.mgf {
			args = append(args, "-pkeyopt", "rsa_mgf1_md:"+h.name)
		}
	}
	if len(m.label) > 0 {
		args = append(args, "-pkeyopt", "rsa_oaep_label:"+hex.EncodeToString(m.label))
	}
	return o.run(data, args...)
}

// The cipher of what RFC 5649 does, and where it starts.
const (
	padded = "id-aes%d-wrap-pad"
	start  = "a65959a6"
)

// rsaAES puts together what CKM_RSA_AES_KEY_WRAP does: an AES key under RSA-OAEP, then the key under it with padding.
func (o *openssl) rsaAES(m *mechanism, data []byte, encrypt bool) ([]byte, error) {
	if !encrypt {
		n := min(o.fixtures.rsa.Size(), len(data))
		key, err := o.rsa(m, data[:n], false)
		if err != nil {
			return nil, err
		}
		return o.aes(padded, start, key, data[n:], false)
	}
	key := random(int(m.bits / 8))
	under, err := o.rsa(m, key, true)
	if err != nil {
		return nil, err
	}
	wrapped, err := o.aes(padded, start, key, data, true)
	return append(under, wrapped...), err
}

// ecdhAES puts together what CKM_ECDH_AES_KEY_WRAP does: a public key that is there for one use, then the key with padding under what the two agree on.
func (o *openssl) ecdhAES(data []byte, encrypt bool) ([]byte, error) {
	const point = 65 // on P-256
	if !encrypt {
		if len(data) < point {
			return nil, errors.New("there is no point")
		}
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), data[:point])
		if err != nil {
			return nil, err
		}
		key, err := o.agree(o.fixtures.ec, public)
		if err != nil {
			return nil, err
		}
		return o.aes(padded, start, key, data[point:], false)
	}
	once, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	head, err := once.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	key, err := o.agree(once, &o.fixtures.ec.PublicKey)
	if err != nil {
		return nil, err
	}
	wrapped, err := o.aes(padded, start, key, data, true)
	return append(head, wrapped...), err
}

// agree derives the AES key of 256 bits by ANSI X9.63 with SHA-256 (CKD_SHA256_KDF).
func (o *openssl) agree(private *ecdsa.PrivateKey, public *ecdsa.PublicKey) ([]byte, error) {
	own, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	other, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	for name, der := range map[string][]byte{"own": own, "other": other} {
		if err := os.WriteFile(o.file(name), der, 0o600); err != nil {
			return nil, err
		}
	}
	derive := exec.Command("openssl", "pkeyutl", "-derive", "-keyform", "DER", "-inkey", o.file("own"), "-peerform", "DER", "-peerkey", o.file("other"))
	secret, err := derive.Output()
	if err != nil {
		return nil, fmt.Errorf("openssl pkeyutl: %w", err)
	}
	return exec.Command("openssl", "kdf", "-keylen", "32", "-kdfopt", "digest:SHA256", "-kdfopt", "hexsecret:"+hex.EncodeToString(secret),
		"-kdfopt", "hexinfo:"+hex.EncodeToString(someLabel), "-binary", "X963KDF").Output()
}
