package target_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/target"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// The imported keys sign as the originals do, are in the guard for good, and the target is done with.
func TestRoundTrip(t *testing.T) {
	for _, suite := range inject.Suites() {
		m := newMachine(t)
		nonce := []byte("the server's nonce")
		to := m.target(target.Options{Suite: suite, Nonce: nonce, Label: "k1"})
		if m.state() != "2 0 0 1" && suite == inject.Hybrid || m.state() != "1 0 0 1" && suite == inject.RSA {
			t.Errorf("%s: after Make the token has %s", suite, m.state())
		}
		originals := some(t)
		aes := inject.DescribeAES()
		aes.Label = "aes"
		keys := []*inject.Key{keyOf(t, "p256", originals["p256"]), keyOf(t, "ed25519", originals["ed25519"]), {Meta: aes, Plain: secret.Copy(bytes.Repeat([]byte{7}, 16))}}
		imported, err := target.Import(m.Session, read(t, sealed(t, inject.SealOptions{}, keys, to)), &target.ImportOptions{})
		if err != nil {
			t.Fatalf("%s: %v", suite, err)
		}
		if len(imported) != 3 || m.state() != "2 1 2 1" { // the note is the data
			t.Fatalf("%s: %d imported, the token has %s", suite, len(imported), m.state())
		}
		for _, k := range keys {
			if k.Plain.Len() != 0 {
				t.Errorf("%s: the plaintext of %s was not wiped", suite, k.Label)
			}
		}
		m.signs(imported[0].Private, ck.CKM_ECDSA_SHA256, func(message, signature []byte) bool {
			digest := sha256.Sum256(message)
			r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
			return ecdsa.Verify(originals["p256"].Public().(*ecdsa.PublicKey), digest[:], r, s)
		})
		m.signs(imported[1].Private, ck.CKM_EDDSA, func(message, signature []byte) bool {
			return ed25519.Verify(originals["ed25519"].Public().(ed25519.PublicKey), message, signature)
		})
		for _, k := range imported {
			m.guarded(k.Private)
		}
		for _, k := range imported[:2] {
			m.has(k.Public, ck.CKA_PUBLIC_KEY_INFO, k.Meta.Public)
			m.has(k.Public, ck.CKA_VERIFY, attr.Bool(true))
			m.has(k.Private, ck.CKA_LABEL, []byte(k.Label))
			m.has(k.Private, ck.CKA_ID, k.ID)
		}
	}
}

// signs has a key sign.
func (m *machine) signs(key ck.ObjectHandle, by ck.MechanismType, verify func(message, signature []byte) bool) {
	m.Helper()
	message := make([]byte, 40)
	rand.Read(message)
	if err := m.SignInit(&ck.Mechanism{Type: by}, key); err != nil {
		m.Fatal(err)
	}
	out := make([]byte, 200)
	n, err := m.Sign(message, token.Output{Buf: out})
	if err != nil || !verify(message, out[:n]) {
		m.Errorf("%v: signed %v, or the signature is another key's", by, err)
	}
}

// guarded checks that a key can never leave.
func (m *machine) guarded(key ck.ObjectHandle) {
	m.Helper()
	m.has(key, ck.CKA_SENSITIVE, attr.Bool(true))
	m.has(key, ck.CKA_EXTRACTABLE, attr.Bool(false))
	m.has(key, ck.CKA_PRIVATE, attr.Bool(true))
	m.has(key, ck.CKA_TOKEN, attr.Bool(true))
	m.has(key, ck.CKA_LOCAL, attr.Bool(false))
}

func (m *machine) has(key ck.ObjectHandle, typ ck.AttributeType, want []byte) {
	m.Helper()
	r := []token.Reading{{Type: typ}}
	if err := m.GetAttributes(key, r, func() {}); err != nil || !bytes.Equal(r[0].Value, want) {
		m.Errorf("%v is %x (%v), want %x", typ, r[0].Value, err, want)
	}
}
