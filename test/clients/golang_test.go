package clients_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/ThalesIgnite/crypto11"
	"github.com/miekg/pkcs11"
)

// A Go program with a Go module has two Go runtimes in one process.

func context11(t *testing.T) *crypto11.Context {
	t.Helper()
	c, err := crypto11.Configure(&crypto11.Config{Path: module(t), TokenLabel: label, Pin: pin})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestCrypto11Signs(t *testing.T) {
	newTokenWithKeys(t)
	c := context11(t)
	digest := sha256.Sum256([]byte("signed by crypto11"))
	signers, err := c.FindAllKeyPairs()
	if err != nil || len(signers) != 2 {
		t.Fatalf("%d key pairs, %v", len(signers), err)
	}
	for _, s := range signers {
		signature, err := s.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		switch public := s.Public().(type) {
		case *rsa.PublicKey:
			if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature); err != nil {
				t.Error(err)
			}
			signature, err = s.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
			if err != nil {
				t.Fatal(err)
			}
			if err := rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, nil); err != nil {
				t.Error(err)
			}
		case *ecdsa.PublicKey:
			if !ecdsa.VerifyASN1(public, digest[:], signature) {
				t.Error("the signature is not good")
			}
		default:
			t.Errorf("a key of type %T", public)
		}
	}
}

func TestCrypto11Generates(t *testing.T) {
	newToken(t)
	c := context11(t)
	pair, err := c.GenerateECDSAKeyPairWithLabel([]byte{9}, []byte("crypto11"), elliptic.P384())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.GenerateRSAKeyPairWithLabel([]byte{10}, []byte("crypto11"), 2048); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(nil)
	signature, err := pair.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if !ecdsa.VerifyASN1(pair.Public().(*ecdsa.PublicKey), digest[:], signature) {
		t.Error("the signature is not good")
	}
	if err := pair.Delete(); err != nil {
		t.Error(err)
	}
	if again, err := c.FindKeyPair([]byte{9}, nil); err != nil || again != nil {
		t.Errorf("the key is still there: %v, %v", again, err)
	}
}

// An AEAD with IVs of 16 bytes, and an HMAC: what seals of vaults are made of.
func TestCrypto11Secrets(t *testing.T) {
	newToken(t)
	c := context11(t)
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
	if n := len(h.Sum(nil)); n != 32 {
		t.Errorf("an HMAC of %d bytes", n)
	}
	random, err := c.NewRandomReader()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := random.Read(make([]byte, 32)); err != nil || n != 32 {
		t.Errorf("%d random bytes, %v", n, err)
	}
}

func TestMiekg(t *testing.T) {
	newTokenWithKeys(t)
	p := pkcs11.New(module(t))
	if err := p.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer p.Destroy()
	defer func() { _ = p.Finalize() }()
	slots, err := p.GetSlotList(true)
	if err != nil || len(slots) != 2 {
		t.Fatalf("slots %v, %v", slots, err)
	}
	session, err := p.OpenSession(slots[0], pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Login(session, pkcs11.CKU_USER, "wrong"); !errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_INCORRECT)) {
		t.Errorf("login with a wrong PIN: %v", err)
	}
	if err := p.Login(session, pkcs11.CKU_USER, pin); err != nil {
		t.Fatal(err)
	}
	if err := p.FindObjectsInit(session, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY)}); err != nil {
		t.Fatal(err)
	}
	keys, _, err := p.FindObjects(session, 10)
	if err != nil || len(keys) != 2 {
		t.Fatalf("keys %v, %v", keys, err)
	}
	// One attribute that cannot be read makes the library give up on all.
	if _, err := p.GetAttributeValue(session, keys[0], []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_ID, nil), pkcs11.NewAttribute(pkcs11.CKA_LABEL, nil), pkcs11.NewAttribute(pkcs11.CKA_SUBJECT, nil),
		pkcs11.NewAttribute(pkcs11.CKA_ALWAYS_AUTHENTICATE, nil), pkcs11.NewAttribute(pkcs11.CKA_START_DATE, nil),
	}); err != nil {
		t.Error(err)
	}
}
