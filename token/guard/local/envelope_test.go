package local_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// Usages of NCrypt's, as envelopes of isolated keys say them.
const (
	mayDecrypt = 1
	maySign    = 2
)

// isolatedEnvelope makes an NCRYPT_ISOLATED_KEY_ENVELOPED_BLOB.
func isolatedEnvelope(t *testing.T, to *rsa.PublicKey, usage uint32, name string, key []byte) []byte {
	t.Helper()
	content, nonce := make([]byte, 32), make([]byte, 12)
	rand.Read(content)
	rand.Read(nonce)
	transported, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, to, content, nil)
	if err != nil {
		t.Fatal(err)
	}
	head := numbers(0, usage, 0, uint32(len(blob.Wide(name))), 12, 16, uint32(len(transported)), uint32(len(key)))
	head = slices.Concat(head, blob.Wide(name), nonce)
	block, err := aes.NewCipher(content)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	sealed := aead.Seal(nil, nonce, key, head)
	return slices.Concat(head, sealed[len(key):], transported, sealed[:len(key)])
}

func numbers(values ...uint32) (out []byte) {
	for _, v := range values {
		out = append(out, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return out
}

// envelopeOpener generates a key that envelopes are under.
func (f *fixture) envelopeOpener() (guard.Ref, *rsa.PublicKey) {
	made := f.generateRSA(f.vault, &guard.Policy{Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_RSA, Usage: guard.UseUnwrap, Sensitive: true})
	return made.Ref, f.public(made, ck.CKK_RSA).(*rsa.PublicKey)
}

func somePKCS8(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// What an envelope says of an isolated key holds in the guard, whatever the policy is that the program asks for.
func TestIsolatedEnvelopePolicy(t *testing.T) {
	f := setup(t)
	owner, public := f.envelopeOpener()
	ec := isolatedEnvelope(t, public, maySign, "ECDSA_P256", somePKCS8(t))
	secretKey := isolatedEnvelope(t, public, mayDecrypt, "AES", make([]byte, 16))
	policy := func(class ck.ObjectClass, keyType ck.KeyType, usage guard.Usage) guard.Policy {
		return guard.Policy{Class: class, KeyType: keyType, Usage: usage, Sensitive: true}
	}
	signer := policy(ck.CKO_PRIVATE_KEY, ck.CKK_EC, guard.UseSign)
	leaving, readable := signer, signer
	leaving.Extractable, readable.Sensitive = true, false
	for _, test := range []struct {
		what   string
		data   []byte
		policy guard.Policy
		want   ck.RV
	}{
		{"as it says", ec, signer, ck.CKR_OK},
		{"less", ec, policy(ck.CKO_PRIVATE_KEY, ck.CKK_EC, 0), ck.CKR_OK},
		{"more", ec, policy(ck.CKO_PRIVATE_KEY, ck.CKK_EC, guard.UseSign|guard.UseDerive), ck.CKR_TEMPLATE_INCONSISTENT},
		{"a key that leaves", ec, leaving, ck.CKR_TEMPLATE_INCONSISTENT},
		{"a key that is read", ec, readable, ck.CKR_TEMPLATE_INCONSISTENT},
		{"another type", ec, policy(ck.CKO_PRIVATE_KEY, ck.CKK_RSA, guard.UseSign), ck.CKR_WRAPPED_KEY_INVALID},
		{"a private key as a secret", ec, policy(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET, guard.UseSign), ck.CKR_TEMPLATE_INCONSISTENT},
		{"a secret key", secretKey, policy(ck.CKO_SECRET_KEY, ck.CKK_AES, guard.UseDecrypt), ck.CKR_OK},
		{"a secret key as a private one", secretKey, policy(ck.CKO_PRIVATE_KEY, ck.CKK_EC, 0), ck.CKR_TEMPLATE_INCONSISTENT},
		{"a secret key of no cipher", secretKey, policy(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET, guard.UseDecrypt), ck.CKR_TEMPLATE_INCONSISTENT},
	} {
		scheme := f.scheme(ck.CKM_NCRYPT_ISOLATED_ENVELOPE, nil, mech.OpUnwrap)
		made, err := f.Unwrap(f.vault, owner, scheme, test.data, &guard.KeySpec{KeyType: test.policy.KeyType}, &test.policy)
		want(t, test.what, err, test.want)
		if err == nil && get(made.Public)(ck.CKA_NCRYPT_KEY_USAGE) == nil {
			t.Errorf("%s: it does not tell what the key is for", test.what)
		}
	}
	for i := range ec { // every byte is authenticated, or changes what is unwrapped
		broken := slices.Clone(ec)
		broken[i] ^= 4
		if _, err := f.Unwrap(0, owner, f.scheme(ck.CKM_NCRYPT_ISOLATED_ENVELOPE, nil, mech.OpUnwrap), broken, &guard.KeySpec{KeyType: ck.CKK_EC}, &signer); err == nil {
			t.Errorf("byte %d may be changed", i)
		}
	}
}

// An envelope of PKCS #7 opens for the recipient that the key is, among others, and all that can be wrong with it is one answer.
func TestPKCS7EnvelopeInTheGuard(t *testing.T) {
	f := setup(t)
	owner, public := f.envelopeOpener()
	_, other := f.envelopeOpener()
	envelope := func(plain []byte, to ...*rsa.PublicKey) []byte {
		t.Helper()
		content := make([]byte, 32)
		rand.Read(content)
		block, err := aes.NewCipher(content)
		if err != nil {
			t.Fatal(err)
		}
		fill := aes.BlockSize - len(plain)%aes.BlockSize
		data := append(slices.Clone(plain), slices.Repeat([]byte{byte(fill)}, fill)...)
		e := &blob.Enveloped{IV: make([]byte, 16), Data: data}
		if e.Cipher, err = blob.NewCipher("2.16.840.1.101.3.4.1.42"); err != nil {
			t.Fatal(err)
		}
		cipher.NewCBCEncrypter(block, e.IV).CryptBlocks(e.Data, e.Data)
		for _, recipient := range to {
			r := blob.Recipient{Issuer: []byte{0x30, 0}, Serial: []byte{2, 1, 1}, Hash: "SHA256", MGF: "SHA256"}
			if r.Key, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, recipient, content, nil); err != nil {
				t.Fatal(err)
			}
			e.Recipients = append(e.Recipients, r)
		}
		der, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	key := somePKCS8(t)
	whole := envelope(key, public)
	for _, test := range []struct {
		what  string
		data  []byte
		class ck.ObjectClass
		want  ck.RV
	}{
		{"for the key", whole, ck.CKO_PRIVATE_KEY, ck.CKR_OK},
		{"for two", envelope(key, other, public), ck.CKO_PRIVATE_KEY, ck.CKR_OK},
		{"for another", envelope(key, other), ck.CKO_PRIVATE_KEY, ck.CKR_WRAPPED_KEY_INVALID},
		{"no key", envelope(key[1:], public), ck.CKO_PRIVATE_KEY, ck.CKR_WRAPPED_KEY_INVALID},
		{"cut off", whole[:len(whole)-1], ck.CKO_PRIVATE_KEY, ck.CKR_WRAPPED_KEY_INVALID},
		{"no envelope", key, ck.CKO_PRIVATE_KEY, ck.CKR_WRAPPED_KEY_INVALID},
		{"as a secret key", whole, ck.CKO_SECRET_KEY, ck.CKR_TEMPLATE_INCONSISTENT},
	} {
		p := guard.Policy{Class: test.class, KeyType: ck.CKK_EC, Usage: guard.UseSign}
		_, err := f.Unwrap(0, owner, f.scheme(ck.CKM_NCRYPT_PKCS7_ENVELOPE, nil, mech.OpUnwrap), test.data, &guard.KeySpec{KeyType: p.KeyType}, &p)
		want(t, test.what, err, test.want)
	}
	_, err := f.Unwrap(0, owner, f.scheme(ck.CKM_NCRYPT_IMPORT_BLOB, ck.NCryptBlobParams{BlobType: "PKCS7_ENVELOPE"}, mech.OpUnwrap), whole, &guard.KeySpec{KeyType: ck.CKK_EC},
		&guard.Policy{Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_EC})
	want(t, "a mechanism that stands for another", err, ck.CKR_MECHANISM_INVALID)
	if guard.UsageOf(ck.CKA_SIGN) != guard.UseSign || guard.UsageOf(ck.CKA_TOKEN) != 0 {
		t.Error("usages of attributes")
	}
}
