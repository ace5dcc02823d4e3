package golang_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ThalesIgnite/crypto11"
	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// tokens runs a test on a token of each kind, with an RSA key "rsa" and an EC key "ec", and records it.
func tokens(t *testing.T, did string, test func(t *testing.T, k *kit.Token)) {
	t.Helper()
	kit.Tokens(t, kit.Spec{}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "crypto11 (ThalesIgnite)", kit.Required(t, "github.com/ThalesIgnite/crypto11"), did)
		k.Generate(t, "rsa2048", "rsa")
		k.Generate(t, "p256", "ec")
		test(t, k)
	})
}

// signed has a key sign a number and verifies it.
func signed(key crypto.Signer, n uint64) error {
	digest := sha256.Sum256(binary.BigEndian.AppendUint64(nil, n))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return err
	}
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature); err != nil {
			return err
		}
		signature, err = key.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
		if err != nil {
			return err
		}
		return rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, nil)
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(public, digest[:], signature) {
			return fmt.Errorf("signature %d is not good", n)
		}
		return nil
	}
	return fmt.Errorf("a key of type %T", key.Public())
}

// Both runtimes collect garbage meanwhile. crypto11 opens sessions as they are needed.
func TestSignsFromGoroutines(t *testing.T) {
	tokens(t, "100 goroutines sign with RSA (PKCS #1, PSS) and ECDSA", func(t *testing.T, k *kit.Token) {
		const goroutines = 100
		c, _ := configured(t, k, "rsa")
		keys, err := c.FindAllKeyPairs()
		if err != nil || len(keys) != 2 {
			t.Fatalf("%d key pairs, %v", len(keys), err)
		}
		enough := uint64(kit.Count(1000, 20000))
		var done atomic.Uint64
		var signers sync.WaitGroup
		for range goroutines {
			signers.Go(func() {
				for n := done.Add(1); n <= enough; n = done.Add(1) {
					if err := signed(keys[n%2], n); err != nil {
						t.Error(err)
						return
					}
					if n%50 == 0 {
						runtime.GC()
					}
				}
			})
		}
		signers.Wait()
	})
}

func TestGenerates(t *testing.T) {
	tokens(t, "makes, finds and deletes RSA and EC keys; decrypts with RSA (PKCS #1, OAEP)", func(t *testing.T, k *kit.Token) {
		c, _ := configured(t, k, "ec")
		ec, err := c.GenerateECDSAKeyPairWithLabel([]byte{9}, []byte("crypto11"), elliptic.P384())
		if err != nil {
			t.Fatal(err)
		}
		made, err := c.GenerateRSAKeyPairWithLabel([]byte{10}, []byte("crypto11"), 2048)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []crypto11.Signer{ec, made} {
			if err := signed(key, 1); err != nil {
				t.Error(err)
			}
		}
		decrypts(t, made)
		for id, key := range map[byte]crypto11.Signer{9: ec, 10: made} {
			if err := key.Delete(); err != nil {
				t.Error(err)
			}
			if again, err := c.FindKeyPair([]byte{id}, nil); err != nil || again != nil {
				t.Errorf("the key is still there: %v, %v", again, err)
			}
		}
	})
}

func decrypts(t *testing.T, key crypto11.SignerDecrypter) {
	t.Helper()
	public, secret := key.Public().(*rsa.PublicKey), []byte("for the token's eyes only")
	oaep, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public, secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := key.Decrypt(rand.Reader, oaep, &rsa.OAEPOptions{Hash: crypto.SHA256}); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("OAEP: %q, %v", got, err)
	}
	//lint:ignore SA1019 old programs do
	old, err := rsa.EncryptPKCS1v15(rand.Reader, public, secret)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := key.Decrypt(rand.Reader, old, nil); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("PKCS #1: %q, %v", got, err)
	}
}

// An AEAD with IVs of 16 bytes, and an HMAC: what seals of vaults are made of.
func TestSecrets(t *testing.T) {
	tokens(t, "AES-GCM, HMAC, random numbers", func(t *testing.T, k *kit.Token) {
		c, _ := configured(t, k, "ec")
		key, err := c.GenerateSecretKeyWithLabel([]byte{1}, []byte("aes"), 256, crypto11.CipherAES)
		if err != nil {
			t.Fatal(err)
		}
		aead, err := key.NewGCM()
		if err != nil {
			t.Fatal(err)
		}
		nonce := make([]byte, aead.NonceSize())
		sealed := aead.Seal(nil, nonce, []byte("plaintext"), []byte("bound"))
		opened, err := aead.Open(nil, nonce, sealed, []byte("bound"))
		if err != nil || !bytes.Equal(opened, []byte("plaintext")) {
			t.Errorf("%q, %v", opened, err)
		}
		if _, err := aead.Open(nil, nonce, sealed, []byte("other")); err == nil {
			t.Error("changed associated data was not noticed")
		}
		mac, err := c.GenerateSecretKeyWithLabel([]byte{2}, []byte("mac"), 256, crypto11.CipherGeneric)
		if err != nil {
			t.Fatal(err)
		}
		h, err := mac.NewHMAC(pkcs11.CKM_SHA256_HMAC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Write([]byte("message")); err != nil {
			t.Fatal(err)
		}
		sum := h.Sum(nil)
		h.Reset()
		if _, err := h.Write([]byte("message")); err != nil {
			t.Fatal(err)
		}
		if again := h.Sum(nil); len(sum) != 32 || !bytes.Equal(sum, again) {
			t.Errorf("of one message the HMAC is %x, and %x", sum, again)
		}
		random, err := c.NewRandomReader()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := random.Read(make([]byte, 32)); err != nil || n != 32 {
			t.Errorf("%d random bytes, %v", n, err)
		}
	})
}

func TestCertificates(t *testing.T) {
	tokens(t, "imports, finds and deletes certificates", func(t *testing.T, k *kit.Token) {
		c, key := configured(t, k, "ec")
		certificate := certificateOf(t, kit.NewCA(t), key, "localhost")
		leaf := certificate.Leaf
		if err := c.ImportCertificateWithLabel([]byte{7}, []byte("site"), leaf); err != nil {
			t.Fatal(err)
		}
		for what, find := range map[string]struct {
			id, label []byte
			serial    *big.Int
		}{"id": {[]byte{7}, nil, nil}, "label": {nil, []byte("site"), nil}, "serial number": {nil, nil, leaf.SerialNumber}} {
			if got, err := c.FindCertificate(find.id, find.label, find.serial); err != nil || got == nil || !got.Equal(leaf) {
				t.Errorf("by %s: %v, %v", what, got, err)
			}
		}
		if err := c.DeleteCertificate([]byte{7}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := c.FindCertificate([]byte{7}, nil, nil); err != nil || got != nil {
			t.Errorf("it is still there: %v, %v", got, err)
		}
	})
}
