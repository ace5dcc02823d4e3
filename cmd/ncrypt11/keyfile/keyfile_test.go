package keyfile_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/mldsa"
	mldsax509 "filippo.io/mldsa/x509"
	"golang.org/x/crypto/ssh"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/keyfile"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

const passphrase = "correct horse"

// good lists every fixture that can be read. keys and public name the public keys that are expected, as testdata/NAME.pub.pem
// or, for what OpenSSH made, testdata/NAME.pub.
var good = []struct {
	file         string
	keys, public []string
	certificates []string // testdata/NAME.cert.pem
	asks         int      // times the passphrase is needed
	source       string   // of the first key
	comment      string
}{
	{file: "rsa-pkcs8.pem", keys: []string{"rsa"}, source: "PEM block 1 (PRIVATE KEY)"},
	{file: "rsa-pkcs8.der", keys: []string{"rsa"}, source: "DER file"},
	{file: "rsa-pkcs1.pem", keys: []string{"rsa"}, source: "PEM block 1 (RSA PRIVATE KEY)"},
	{file: "rsa-pkcs1.der", keys: []string{"rsa"}},
	{file: "ec-P-256-pkcs8.pem", keys: []string{"ec-P-256"}},
	{file: "ec-P-384-pkcs8.pem", keys: []string{"ec-P-384"}},
	{file: "ec-P-521-pkcs8.pem", keys: []string{"ec-P-521"}},
	{file: "ec-P-256-sec1.pem", keys: []string{"ec-P-256"}},
	{file: "ec-P-384-sec1.der", keys: []string{"ec-P-384"}},
	{file: "ec-P-521-sec1-compressed.pem", keys: []string{"ec-P-521"}},
	{file: "ec-P-256-with-parameters.pem", keys: []string{"ec-P-256"}, source: "PEM block 2 (EC PRIVATE KEY)"},
	{file: "ed25519-pkcs8.pem", keys: []string{"ed25519"}},
	{file: "x25519-pkcs8.pem", keys: []string{"x25519"}},
	{file: "ml-dsa-44-seed.pem", keys: []string{"ml-dsa-44"}},
	{file: "ml-dsa-65-pkcs8.pem", keys: []string{"ml-dsa-65"}, source: "PEM block 1 (PRIVATE KEY)"},

	{file: "rsa-aes256.pem", keys: []string{"rsa"}, asks: 1, source: "PEM block 1 (ENCRYPTED PRIVATE KEY)"},
	{file: "rsa-aes256.der", keys: []string{"rsa"}, asks: 1},
	{file: "ec-P-256-aes128-sha512.pem", keys: []string{"ec-P-256"}, asks: 1},
	{file: "ec-P-384-aes192-sha1.pem", keys: []string{"ec-P-384"}, asks: 1},
	{file: "ec-P-521-des3.pem", keys: []string{"ec-P-521"}, asks: 1},
	{file: "ed25519-scrypt.pem", keys: []string{"ed25519"}, asks: 1},
	{file: "x25519-aes256.pem", keys: []string{"x25519"}, asks: 1},
	{file: "ml-dsa-87-aes256.pem", keys: []string{"ml-dsa-87"}, asks: 1},

	{file: "rsa.p12", keys: []string{"rsa"}, certificates: []string{"rsa"}, asks: 1},
	{file: "rsa-3des.p12", keys: []string{"rsa"}, certificates: []string{"rsa"}, asks: 1},
	{file: "ed25519-chain.p12", keys: []string{"ed25519"}, certificates: []string{"ed25519", "rsa"}, asks: 1},
	{file: "ec-P-256-empty-password.p12", keys: []string{"ec-P-256"}, certificates: []string{"ec-P-256"}},
	{file: "ec-P-256-plain.p12", keys: []string{"ec-P-256"}, certificates: []string{"ec-P-256"}},

	{file: "openssh-ed25519", keys: []string{"openssh-ed25519"}, comment: "alice@example"},
	{file: "openssh-ed25519-encrypted", keys: []string{"openssh-ed25519-encrypted"}, asks: 1},
	{file: "openssh-rsa", keys: []string{"openssh-rsa"}, comment: "rsa with spaces"},
	{file: "openssh-ecdsa-256", keys: []string{"openssh-ecdsa-256"}},
	{file: "openssh-ecdsa-384-cbc", keys: []string{"openssh-ecdsa-384-cbc"}, asks: 1},
	{file: "openssh-ecdsa-521", keys: []string{"openssh-ecdsa-521"}, comment: "k521"},

	{file: "rsa.cert.pem", certificates: []string{"rsa"}},
	{file: "ed25519.cert.pem", certificates: []string{"ed25519"}},
	{file: "ec-P-256.cert.pem", certificates: []string{"ec-P-256"}},
	{file: "ml-dsa-65.cert.pem", certificates: []string{"ml-dsa-65"}},
	{file: "ec-P-256.cert.der", certificates: []string{"ec-P-256"}},
	{file: "rsa.pub.pem", public: []string{"rsa"}},
	{file: "rsa-pkcs1.pub.pem", public: []string{"rsa"}},
	{file: "ec-P-256.pub.pem", public: []string{"ec-P-256"}},
	{file: "ec-P-256.pub.der", public: []string{"ec-P-256"}},
	{file: "ec-P-384.pub.pem", public: []string{"ec-P-384"}},
	{file: "ec-P-521.pub.pem", public: []string{"ec-P-521"}},
	{file: "ed25519.pub.pem", public: []string{"ed25519"}},
	{file: "x25519.pub.pem", public: []string{"x25519"}},
	{file: "ml-dsa-44.pub.pem", public: []string{"ml-dsa-44"}},
	{file: "ml-dsa-65.pub.pem", public: []string{"ml-dsa-65"}},
	{file: "ml-dsa-87.pub.pem", public: []string{"ml-dsa-87"}},

	{file: "server-bundle.pem", keys: []string{"ec-P-256", "rsa"}, certificates: []string{"ec-P-256", "rsa"}, asks: 1, source: "PEM block 3 (EC PRIVATE KEY)"},
	{file: "rsa-bag-attributes.pem", keys: []string{"rsa"}, certificates: []string{"rsa"}, asks: 1},
}

func TestParse(t *testing.T) {
	for _, row := range good {
		t.Run(row.file, func(t *testing.T) {
			data := fixture(t, row.file)
			before := bytes.Clone(data)
			asked := 0
			file, err := keyfile.Parse(data, func(string) (*secret.Bytes, error) {
				asked++
				return secret.Copy([]byte(passphrase)), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			defer file.Wipe()
			if !bytes.Equal(data, before) {
				t.Error("Parse changed its input")
			}
			secret.Wipe(data) // as the caller does: nothing in the file may still point there
			if asked != row.asks {
				t.Errorf("asked %d times for a passphrase, want %d", asked, row.asks)
			}
			var keys, public []crypto.PublicKey
			for _, key := range file.Keys {
				keys = append(keys, key.Private.(interface{ Public() crypto.PublicKey }).Public())
			}
			public = append(public, file.PublicKeys...)
			comparePublic(t, "private", keys, row.keys)
			comparePublic(t, "public", public, row.public)
			compareCertificates(t, file.Certificates, row.certificates)
			if len(file.Keys) > 0 && row.source != "" && file.Keys[0].Source != row.source {
				t.Errorf("source %q, want %q", file.Keys[0].Source, row.source)
			}
			if len(file.Keys) > 0 && file.Keys[0].Comment != row.comment {
				t.Errorf("comment %q, want %q", file.Keys[0].Comment, row.comment)
			}
		})
	}
}

// TestEveryFixtureIsUsed keeps the tables and testdata/ together.
func TestEveryFixtureIsUsed(t *testing.T) {
	used := map[string]bool{"README.md": true}
	for _, row := range good {
		used[row.file] = true
	}
	for _, row := range refused {
		used[row.file] = true
	}
	for _, path := range fixtures(t) {
		name := filepath.Base(path)
		expectation := strings.HasPrefix(name, "openssh-") && strings.HasSuffix(name, ".pub")
		if !used[name] && !expectation {
			t.Errorf("testdata/%s is in no table", name)
		}
	}
}

func TestLineEndingsAndMarks(t *testing.T) {
	text := fixture(t, "server-bundle.pem")
	for name, data := range map[string][]byte{
		"CRLF":            bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")),
		"byte order mark": append([]byte("\xef\xbb\xbf"), text...),
		"blank lines":     append(bytes.Clone(text), "\n\r\n \t\n"...),
		"no last newline": bytes.TrimSpace(text),
		"text before":     append([]byte("the keys of www.example\n"), text...),
	} {
		t.Run(name, func(t *testing.T) {
			file, err := keyfile.Parse(data, answer(passphrase))
			if err != nil {
				t.Fatal(err)
			}
			if len(file.Keys) != 2 || len(file.Certificates) != 2 {
				t.Errorf("%d keys and %d certificates", len(file.Keys), len(file.Certificates))
			}
		})
	}
}

func TestPassphraseIsClosed(t *testing.T) {
	for _, name := range []string{"rsa-aes256.pem", "rsa.p12", "openssh-ed25519-encrypted"} {
		for _, text := range []string{passphrase, "wrong"} {
			var given *secret.Bytes
			_, err := keyfile.Parse(fixture(t, name), func(string) (*secret.Bytes, error) {
				given = secret.Copy([]byte(text))
				return given, nil
			})
			if (err == nil) != (text == passphrase) {
				t.Errorf("%s with %q: %v", name, text, err)
			}
			if given.Len() != 0 {
				t.Errorf("%s with %q: the passphrase survives Parse", name, text)
			}
		}
	}
}

func TestWipe(t *testing.T) {
	for _, name := range []string{"rsa-pkcs8.pem", "ec-P-256-pkcs8.pem", "ed25519-pkcs8.pem", "openssh-ed25519", "ml-dsa-65-pkcs8.pem"} {
		t.Run(name, func(t *testing.T) {
			file, err := keyfile.Parse(fixture(t, name), nil)
			if err != nil {
				t.Fatal(err)
			}
			survives := memoryOf(t, file.Keys[0].Private)
			if !survives() {
				t.Fatal("the key is zero before Wipe")
			}
			file.Wipe()
			if survives() {
				t.Error("the key survives Wipe")
			}
			if len(file.Keys) != 0 {
				t.Error("wiped keys can still be reached")
			}
		})
	}
	var none *keyfile.File
	none.Wipe()
}

// memoryOf returns a function that tells whether anything but zeroes is where the private key is now.
func memoryOf(t *testing.T, private crypto.PrivateKey) func() bool {
	var numbers [][]big.Word
	var octets []byte
	switch key := private.(type) {
	case *rsa.PrivateKey:
		for _, n := range []*big.Int{key.D, key.Primes[0], key.Primes[1], key.Precomputed.Dp, key.Precomputed.Dq, key.Precomputed.Qinv} {
			numbers = append(numbers, n.Bits())
		}
	case *ecdsa.PrivateKey:
		//lint:ignore SA1019 the memory behind the field is what is tested
		numbers = append(numbers, key.D.Bits())
	case ed25519.PrivateKey:
		octets = key
	case *mldsa.PrivateKey:
		return func() bool { return !bytes.Equal(key.Bytes(), make([]byte, mldsa.PrivateKeySize)) }
	default:
		t.Fatalf("unexpected type %T", key)
	}
	return func() bool {
		return slices.ContainsFunc(slices.Concat(numbers...), func(w big.Word) bool { return w != 0 }) || slices.ContainsFunc(octets, func(b byte) bool { return b != 0 })
	}
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func fixtures(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, entry := range entries {
		if !entry.IsDir() { // testdata/fuzz is the fuzzer's
			paths = append(paths, filepath.Join("testdata", entry.Name()))
		}
	}
	return paths
}

func answer(text string) func(string) (*secret.Bytes, error) {
	return func(string) (*secret.Bytes, error) { return secret.Copy([]byte(text)), nil }
}

func comparePublic(t *testing.T, what string, got []crypto.PublicKey, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d %s keys, want %d", len(got), what, len(want))
	}
	for i, name := range want {
		if !got[i].(interface{ Equal(crypto.PublicKey) bool }).Equal(expected(t, name)) {
			t.Errorf("%s key %d is not %s", what, i+1, name)
		}
	}
}

func compareCertificates(t *testing.T, got []*x509.Certificate, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d certificates, want %d", len(got), len(want))
	}
	for i, name := range want {
		if block, _ := pem.Decode(fixture(t, name+".cert.pem")); !bytes.Equal(got[i].Raw, block.Bytes) {
			t.Errorf("certificate %d is not %s", i+1, name)
		}
	}
}

// expected reads a public key without the help of the package under test.
func expected(t *testing.T, name string) crypto.PublicKey {
	t.Helper()
	if strings.HasPrefix(name, "openssh-") {
		line, _, _, _, err := ssh.ParseAuthorizedKey(fixture(t, name+".pub"))
		if err != nil {
			t.Fatal(err)
		}
		return line.(ssh.CryptoPublicKey).CryptoPublicKey()
	}
	block, _ := pem.Decode(fixture(t, name+".pub.pem"))
	if block == nil {
		t.Fatal("no PEM block")
	}
	public, err := mldsax509.ParsePKIXPublicKey(block.Bytes) // Go's own, but for ML-DSA
	if err != nil {
		t.Fatal(err)
	}
	return public
}
