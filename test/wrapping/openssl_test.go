package wrapping_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/machine"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// openssl is the openssl command, and for AES libcrypto. It knows no keys that wrap others: it encrypts bytes, which are a secret key's or PKCS #8.
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
	must(t, os.WriteFile(o.file("aes"), program(t), 0o700))
	return o
}

// program is testdata/aes.c for this machine. In the machine with the later system there is no compiler, and it comes in by standard input.
func program(t testing.TB) []byte {
	t.Helper()
	if !machine.Outside() {
		program, err := io.ReadAll(os.Stdin)
		must(t, err)
		return program
	}
	out := filepath.Join(t.TempDir(), "aes")
	if said, err := exec.Command("gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", out, "testdata/aes.c", "-lcrypto").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, said)
	}
	program, err := os.ReadFile(out)
	must(t, err)
	return program
}

// opensslReason is what a line of OpenSSL's errors says, without the number of the thread: error:CODE:LIBRARY:FUNCTION:REASON:FILE.
var opensslReason = regexp.MustCompile(`:error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):`)

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
		reason := string(said)
		if found := opensslReason.FindStringSubmatch(reason); found != nil {
			reason = found[1]
		}
		return nil, fmt.Errorf("%s %s: %s", filepath.Base(program), args[0], strings.TrimSpace(reason))
	}
	return os.ReadFile(out)
}

func (o *openssl) wrap(m *mechanism, p *payload) ([]byte, error) {
	plain := p.plain()
	if p.private != nil { // as OpenSSL writes it
		var err error
		if plain, err = o.run(plain, "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER"); err != nil {
			return nil, err
		}
	}
	return o.crypt(m, plain, true)
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
	if _, ok := p.private.(seeded); ok {
		seed, ok := bytes.CutPrefix(plain, p.pkcs8[:len(p.pkcs8)-len(p.parts()[0])])
		if !ok {
			return nil, errors.New("it is not the seed alone")
		}
		return [][]byte{seed}, nil
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
		return o.aes(padded, start, key, data, encrypt)
	case ck.CKM_AES_CBC_PAD:
		return o.aes("aes-%d-cbc", hex.EncodeToString(iv), key, data, encrypt)
	case ck.CKM_AES_GCM:
		return o.aes("aes-%d-gcm", hex.EncodeToString(iv[:gcmIV]), key, data, encrypt)
	case ck.CKM_ECDH_AES_KEY_WRAP:
		return o.ecdhAES(data, encrypt)
	}
	return nil, errors.New("there is no such encryption")
}

func (o *openssl) aes(cipher, iv string, key, data []byte, encrypt bool) ([]byte, error) {
	direction := "-d"
	if encrypt {
		direction = "-e"
	}
	return o.runProgram(data, o.file("aes"), direction, fmt.Sprintf(cipher, 8*len(key)), "-K", hex.EncodeToString(key), "-iv", iv)
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
