package blob_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The seeds of the fuzz targets are what they are meant to be: all of them are read.
func TestSealedSeeds(t *testing.T) {
	for target, read := range map[string]func([]byte) error{
		"FuzzPrivateKeyInfo": func(data []byte) error {
			k, err := blob.ReadPrivateKeyInfo(data, &blob.Options{})
			k.Close()
			return err
		},
		"FuzzEncrypted":   func(data []byte) error { _, err := blob.ParseEncrypted(data); return err },
		"FuzzEnveloped":   func(data []byte) error { _, err := blob.ParseEnveloped(data); return err },
		"FuzzCertificate": func(data []byte) error { _, err := blob.ParseCertificate(data); return err },
		"FuzzIsolated":    func(data []byte) error { _, err := blob.ParseIsolated(data); return err },
		"FuzzTransport":   func(data []byte) error { _, err := blob.ParseTransport(data); return err },
	} {
		files, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no seeds: %v", target, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, line, _ := strings.Cut(string(text), "\n[]byte(")
			data, err := strconv.Unquote(strings.TrimSuffix(strings.TrimSpace(line), ")"))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if err := read([]byte(data)); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// A head tells what key it is, and there is no secret in it, with a public key behind the private one and without.
func TestHeads(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]struct {
		key     any
		keyType ck.KeyType
		secret  []byte
	}{"RSA": {rsaKey, ck.CKK_RSA, rsaKey.Primes[0].Bytes()[:4]}}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		scalar, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		keys[curve.Params().Name] = struct {
			key     any
			keyType ck.KeyType
			secret  []byte
		}{key, ck.CKK_EC, scalar[2:6]} // P-521's begins with zeros
	}
	for name, test := range keys {
		whole, err := x509.MarshalPKCS8PrivateKey(test.key)
		if err != nil {
			t.Fatal(err)
		}
		k, err := blob.ReadPrivateKeyInfo(whole, &blob.Options{})
		if err != nil {
			t.Fatal(err)
		}
		short, err := blob.Write(blob.PKCS8, k, nil) // what was read of EC keys is the private half
		if err != nil {
			t.Fatal(err)
		}
		for what, der := range map[string][]byte{"with": whole, "without": short.Bytes()} {
			h, ok := blob.ReadHead(der[:blob.MaxHead])
			if !ok || h.KeyType != test.keyType || !h.Bare {
				t.Errorf("%s %s its public half: %+v, %v", name, what, h, ok)
			}
			if bytes.Contains(der[:blob.MaxHead], test.secret) {
				t.Errorf("%s %s its public half: there is a secret in the head", name, what)
			}
			for n := range 20 {
				if _, ok := blob.ReadHead(der[:n]); ok {
					t.Errorf("%s: %d bytes are enough", name, n)
				}
			}
		}
		short.Close()
		k.Close()
	}
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	der, _ := x509.MarshalPKCS8PrivateKey(edwards)
	if _, ok := blob.ReadHead(der[:blob.MaxHead]); ok {
		t.Error("Ed25519 is not among the forms")
	}
}

func TestOpenCBC(t *testing.T) {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	iv := make([]byte, 16)
	for padding := range 40 {
		for _, wrong := range []int{0, 1, padding} {
			plain := bytes.Repeat([]byte{byte(padding)}, 48)
			if wrong > 0 {
				plain[48-wrong] ^= 0x80
			}
			sound := padding >= 1 && padding <= 16 && wrong == 0
			data := make([]byte, 48)
			cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, plain)
			out, ok := blob.OpenCBC(block, iv, data)
			if ok != sound || ok && out.Len() != 48-padding {
				t.Errorf("padding of %d, wrong at %d: %v", padding, wrong, ok)
			}
			if ok {
				out.Close()
			}
		}
	}
	for name, data := range map[string][]byte{"nothing": nil, "half a block": make([]byte, 8)} {
		if _, ok := blob.OpenCBC(block, iv, data); ok {
			t.Errorf("%s was decrypted", name)
		}
	}
}
