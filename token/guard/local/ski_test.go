package local_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

var s1 = bytes.Repeat([]byte{0x51}, 32)

var (
	skiPKCS = ck.SKISessionParams{Padding: ck.CKM_RSA_PKCS}
	skiOAEP = ck.SKISessionParams{Padding: ck.CKM_RSA_PKCS_OAEP, OAEP: ck.OAEPParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, Source: 1}}
)

// opener is the policy of a key that does nothing but open by a mechanism.
func opener(class ck.ObjectClass, keyType ck.KeyType, m ck.MechanismType) *guard.Policy {
	return &guard.Policy{Class: class, KeyType: keyType, Usage: guard.UseUnwrap, Sensitive: true, Allowed: []ck.MechanismType{m}}
}

func k1Policy() *guard.Policy {
	return opener(ck.CKO_PRIVATE_KEY, ck.CKK_RSA, ck.CKM_NCRYPT_SKI_SESSION)
}
func s1Policy() *guard.Policy {
	return opener(ck.CKO_SECRET_KEY, ck.CKK_AES, ck.CKM_NCRYPT_SKI_IMPORT_KEYPAIR)
}
func k2Policy(keyType ck.KeyType) *guard.Policy {
	return &guard.Policy{Class: ck.CKO_PRIVATE_KEY, KeyType: keyType, Usage: guard.UseSign, Sensitive: true}
}

func keyData(key []byte) []byte {
	b := []byte("KDBM")
	b = binary.LittleEndian.AppendUint32(b, 1)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(key))), key...)
}

// k1 generates a key pair for session keys.
func (f *fixture) k1() (guard.Ref, *rsa.PublicKey) {
	made := f.generateRSA(f.vault, k1Policy())
	return made.Ref, f.public(made, ck.CKK_RSA).(*rsa.PublicKey)
}

func (f *fixture) session(k1 guard.Ref, params any, wrapped []byte, p *guard.Policy) (*guard.Key, error) {
	return f.Unwrap(0, k1, f.scheme(ck.CKM_NCRYPT_SKI_SESSION, params, mech.OpUnwrap), wrapped, &guard.KeySpec{KeyType: p.KeyType}, p)
}

func (f *fixture) keyPair(s1 guard.Ref, wrapped []byte, p *guard.Policy) (*guard.Key, error) {
	return f.Unwrap(f.vault, s1, f.scheme(ck.CKM_NCRYPT_SKI_IMPORT_KEYPAIR, iv, mech.OpUnwrap), wrapped, &guard.KeySpec{KeyType: p.KeyType}, p)
}

// sealed encrypts as a server does, with a padding that a test may spoil.
func cbcSealed(t testing.TB, plain []byte, spoil func([]byte)) []byte {
	t.Helper()
	fill := 16 - len(plain)%16
	padded := append(slices.Clone(plain), bytes.Repeat([]byte{byte(fill)}, fill)...)
	if spoil != nil {
		spoil(padded)
	}
	block, err := aes.NewCipher(s1)
	if err != nil {
		t.Fatal(err)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	return padded
}

// k2RSA is a key pair in the blob that cards take.
func k2RSA(t testing.TB) (*rsa.PrivateKey, []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	k := &blob.Key{Algorithm: "RSA", Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_RSA}
	for typ, n := range map[ck.AttributeType]*big.Int{
		ck.CKA_MODULUS: key.N, ck.CKA_PUBLIC_EXPONENT: big.NewInt(int64(key.E)), ck.CKA_PRIVATE_EXPONENT: key.D, ck.CKA_PRIME_1: key.Primes[0],
		ck.CKA_PRIME_2: key.Primes[1], ck.CKA_EXPONENT_1: key.Precomputed.Dp, ck.CKA_EXPONENT_2: key.Precomputed.Dq, ck.CKA_COEFFICIENT: key.Precomputed.Qinv,
	} {
		k.Put(typ, n.Bytes())
	}
	data, err := blob.Write("CAPIPRIVATEBLOB", k, nil)
	if err != nil {
		t.Fatal(err)
	}
	return key, data.Bytes()
}

func k2EC(t testing.TB) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := binary.LittleEndian.AppendUint32([]byte("ECS2"), 32)
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return key, append(append(b, point[1:]...), scalar...)
}

func keyPairMessage(spec, bits uint32, key []byte) []byte {
	return (&message.ImportKeyPair{ContainerIndex: 5, PinID: message.ROLE_USER, KeySpec: spec, KeySize: bits, Input: key}).Bytes().Bytes()
}

func TestInjection(t *testing.T) {
	f := setup(t)
	ref, public := f.k1()
	for name, params := range map[string]any{"v1.5": skiPKCS, "OAEP": skiOAEP} {
		encrypted, err := v15(t, public, keyData(s1)), error(nil)
		if name == "OAEP" {
			encrypted, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, public, keyData(s1), nil)
		}
		want(t, name, err, ck.CKR_OK)
		session, err := f.session(ref, params, encrypted, s1Policy())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rsaKey, rsaBlob := k2RSA(t)
		made, err := f.keyPair(session.Ref, cbcSealed(t, keyPairMessage(message.AT_SIGNATURE, 1024, rsaBlob), nil), k2Policy(ck.CKK_RSA))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !f.public(made, ck.CKK_RSA).(*rsa.PublicKey).Equal(&rsaKey.PublicKey) || made.Record == nil {
			t.Errorf("%s: another key came in", name)
		}
		number := func(typ ck.AttributeType) uint64 { return binary.NativeEndian.Uint64(get(made.Public)(typ)) }
		if number(ck.CKA_NCRYPT_CONTAINER) != 5 || number(ck.CKA_NCRYPT_KEY_SPEC) != uint64(message.AT_SIGNATURE) {
			t.Errorf("%s: %v", name, made.Public)
		}
		ecKey, ecBlob := k2EC(t)
		made, err = f.keyPair(session.Ref, cbcSealed(t, keyPairMessage(message.AT_ECDSA_P256, 256, ecBlob), nil), k2Policy(ck.CKK_EC))
		if err != nil || !f.public(made, ck.CKK_EC).(*ecdsa.PublicKey).Equal(&ecKey.PublicKey) {
			t.Errorf("%s, P-256: %v", name, err)
		}
	}
}

// What is wrong with a session key has one answer, and leaves nothing behind.
func TestInjectionSessionMalformed(t *testing.T) {
	f := setup(t)
	ref, public := f.k1()
	longer := append(keyData(s1), 0)
	version := keyData(s1)
	version[4] = 2
	for name, plain := range map[string][]byte{
		"no key": keyData(nil), "a key of 17 bytes": keyData(s1[:17]), "a byte more": longer, "a byte less": keyData(s1)[:43], "the bare key": s1,
		"another version": version, "another magic number": append([]byte("KDBN"), keyData(s1)[4:]...), "nothing": {},
		"a length that is not the key's": append(keyData(s1)[:12:12], s1[:16]...),
	} {
		for padding, params := range map[string]any{"v1.5": skiPKCS, "OAEP": skiOAEP} {
			encrypted, err := v15(t, public, plain), error(nil)
			if padding == "OAEP" {
				encrypted, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, public, plain, nil)
			}
			want(t, name, err, ck.CKR_OK)
			_, err = f.session(ref, params, encrypted, s1Policy())
			want(t, name+" by "+padding, err, ck.CKR_WRAPPED_KEY_INVALID)
		}
	}
	encrypted := v15(t, public, keyData(s1))
	_, err := f.session(ref, skiOAEP, encrypted, s1Policy())
	want(t, "v1.5 taken for OAEP", err, ck.CKR_WRAPPED_KEY_INVALID)
	_, err = f.session(ref, skiPKCS, encrypted[1:], s1Policy())
	want(t, "a byte less than the modulus", err, ck.CKR_WRAPPED_KEY_LEN_RANGE)
	for i := range encrypted {
		spoiled := slices.Clone(encrypted)
		spoiled[i] ^= 1
		_, err = f.session(ref, skiPKCS, spoiled, s1Policy())
		want(t, fmt.Sprintf("byte %d", i), err, ck.CKR_WRAPPED_KEY_INVALID)
	}
}

// The two keys in between can do this one thing, by the guard's own word: who carries the messages cannot read them with other templates.
func TestInjectionKeysDoNothingElse(t *testing.T) {
	f := setup(t)
	ref, public := f.k1()
	encrypted, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public, keyData(s1), nil)
	want(t, "OAEP", err, ck.CKR_OK)
	for name, change := range map[string]func(*guard.Policy){
		"decrypts too":     func(p *guard.Policy) { p.Usage |= guard.UseDecrypt },
		"any mechanism":    func(p *guard.Policy) { p.Allowed = nil },
		"another one":      func(p *guard.Policy) { p.Allowed = append(p.Allowed, ck.CKM_AES_CBC_PAD) },
		"extractable":      func(p *guard.Policy) { p.Extractable = true },
		"not sensitive":    func(p *guard.Policy) { p.Sensitive = false },
		"kept":             func(p *guard.Policy) { p.Token = true },
		"a generic secret": func(p *guard.Policy) { p.KeyType = ck.CKK_GENERIC_SECRET },
	} {
		p := s1Policy()
		change(p)
		_, err := f.session(ref, skiOAEP, encrypted, p)
		want(t, "S1 that is "+name, err, ck.CKR_TEMPLATE_INCONSISTENT)
	}
	for name, change := range map[string]func(*guard.Policy){
		"decrypts too":  func(p *guard.Policy) { p.Usage |= guard.UseDecrypt },
		"another one":   func(p *guard.Policy) { p.Allowed = append(p.Allowed, ck.CKM_RSA_PKCS_OAEP) },
		"extractable":   func(p *guard.Policy) { p.Extractable = true },
		"not sensitive": func(p *guard.Policy) { p.Sensitive = false },
	} {
		p := k1Policy()
		change(p)
		_, err := f.session(f.generateRSA(f.vault, p).Ref, skiOAEP, encrypted, s1Policy())
		want(t, "K1 that is "+name, err, ck.CKR_KEY_FUNCTION_NOT_PERMITTED)
	}
	session, err := f.session(ref, skiOAEP, encrypted, s1Policy())
	want(t, "S1", err, ck.CKR_OK)
	_, data := k2RSA(t)
	wrapped := cbcSealed(t, keyPairMessage(message.AT_SIGNATURE, 1024, data), nil)
	readable := k2Policy(ck.CKK_RSA)
	readable.Extractable, readable.Sensitive = true, false
	_, err = f.keyPair(session.Ref, wrapped, readable)
	want(t, "K2 that can leave", err, ck.CKR_TEMPLATE_INCONSISTENT)
	_, err = f.Decrypt(nil, session.Ref, f.scheme(ck.CKM_AES_CBC_PAD, iv, mech.OpDecrypt), wrapped)
	want(t, "decrypting with S1", err, ck.CKR_KEY_FUNCTION_NOT_PERMITTED)
	_, err = f.Unwrap(0, session.Ref, f.scheme(ck.CKM_AES_CBC_PAD, iv, mech.OpUnwrap), wrapped,
		&guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET}, all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET))
	want(t, "K2 as a generic secret", err, ck.CKR_MECHANISM_INVALID)
	f.Forget(session.Ref)
	_, err = f.keyPair(session.Ref, wrapped, k2Policy(ck.CKK_RSA))
	want(t, "S1 after its end", err, ck.CKR_KEY_HANDLE_INVALID)
}

// PKCS #11 lets a key's owner change its usage afterwards. Its mechanisms he cannot change, and they serve nothing else.
func TestInjectionKeysCannotBeWidened(t *testing.T) {
	f := setup(t)
	k1, _ := f.k1()
	s1Ref := f.openS1()
	for name, test := range map[string]struct {
		ref     guard.Ref
		policy  *guard.Policy
		decrypt *mech.Scheme
	}{
		"K1": {k1, k1Policy(), f.scheme(ck.CKM_RSA_PKCS_OAEP, skiOAEP.OAEP, mech.OpDecrypt)},
		"S1": {s1Ref, s1Policy(), f.scheme(ck.CKM_AES_CBC_PAD, iv, mech.OpDecrypt)},
	} {
		for what, change := range map[string]func(*guard.Policy){
			"any mechanism": func(p *guard.Policy) { p.Allowed = nil },
			"one more":      func(p *guard.Policy) { p.Allowed = append(p.Allowed, test.decrypt.Row.Type) },
			"extractable":   func(p *guard.Policy) { p.Extractable = true },
			"not sensitive": func(p *guard.Policy) { p.Sensitive = false },
		} {
			p := *test.policy
			change(&p)
			if _, err := f.Reissue(0, test.ref, &p); err == nil {
				t.Errorf("%s has become one with %s", name, what)
			}
		}
		wider := *test.policy
		wider.Usage |= guard.UseDecrypt | guard.UseWrap
		made, err := f.Reissue(0, test.ref, &wider)
		if err != nil {
			continue // the better answer
		}
		_, err = f.Decrypt(nil, made.Ref, test.decrypt, make([]byte, 128))
		want(t, name+" that decrypts", err, ck.CKR_MECHANISM_INVALID)
	}
}

// A K1 that was known outside is no K1: whoever made it could read what is sent to it.
func TestInjectionNeedsItsOwnKeyPair(t *testing.T) {
	f := setup(t)
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	want(t, "a key pair", err, ck.CKR_OK)
	imported := f.importKey(0, k1Policy(), part(ck.CKA_MODULUS, key.N.Bytes()), part(ck.CKA_PRIME_1, key.Primes[0].Bytes()), part(ck.CKA_PRIME_2, key.Primes[1].Bytes()))
	encrypted, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, keyData(s1), nil)
	want(t, "OAEP", err, ck.CKR_OK)
	_, err = f.session(imported.Ref, skiOAEP, encrypted, s1Policy())
	want(t, "a K1 from outside", err, ck.CKR_KEY_FUNCTION_NOT_PERMITTED)
}

func (f *fixture) openS1() guard.Ref {
	f.Helper()
	ref, public := f.k1()
	encrypted, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public, keyData(s1), nil)
	want(f, "OAEP", err, ck.CKR_OK)
	session, err := f.session(ref, skiOAEP, encrypted, s1Policy())
	if err != nil {
		f.Fatal(err)
	}
	return session.Ref
}

func TestB103InjectionKeyPairMalformed(t *testing.T) {
	f := setup(t)
	session := f.openS1()
	_, data := k2RSA(t)
	_, ecData := k2EC(t)
	good := func() []byte { return keyPairMessage(message.AT_SIGNATURE, 1024, data) }
	number := func(at int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[at:], v); return b }
	}
	for name, change := range map[string]func([]byte) []byte{
		"B104: version 6": number(0, 6), "B104: version 8": number(0, 8), "B104: version 0": number(0, 0),
		"the PIN of everyone": number(8, message.ROLE_EVERYONE), "the administrator's PIN": number(8, message.ROLE_ADMIN),
		"key spec 0": number(12, 0), "key spec 9": number(12, 9), "key spec of a curve": number(12, message.AT_ECDSA_P256),
		"B107: another size": number(16, 2048), "cbInput less": number(20, uint32(len(data)-1)), "cbInput more": number(20, uint32(len(data)+1)),
		"cbInput huge": number(20, 1<<31), "cbInput 0": number(20, 0),
		"a byte more":  func(b []byte) []byte { return append(b, 0) },
		"a block more": func(b []byte) []byte { return append(b, make([]byte, 16)...) },
		"a byte less":  func(b []byte) []byte { return b[:len(b)-1] },
		"no key":       func(b []byte) []byte { return b[:24] }, "half the header": func(b []byte) []byte { return b[:12] }, "nothing": func([]byte) []byte { return nil },
		"a P-256 key": func([]byte) []byte { return keyPairMessage(message.AT_SIGNATURE, 1024, ecData) },
	} {
		_, err := f.keyPair(session, cbcSealed(t, change(good()), nil), k2Policy(ck.CKK_RSA))
		want(t, name, err, ck.CKR_WRAPPED_KEY_INVALID)
	}
	// Each number of the key, so that none is there for show: who could change one unnoticed could try the others block by block.
	for at := 24 + 8; at < 24+len(data); at += 7 {
		b := good()
		b[at] ^= 0x10
		_, err := f.keyPair(session, cbcSealed(t, b, nil), k2Policy(ck.CKK_RSA))
		want(t, fmt.Sprintf("byte %d of the key", at), err, ck.CKR_WRAPPED_KEY_INVALID)
	}
	for at := range 4 {
		_, err := f.keyPair(session, cbcSealed(t, good(), func(p []byte) { p[len(p)-1-at] ^= 1 }), k2Policy(ck.CKK_RSA))
		want(t, fmt.Sprintf("padding %d", at), err, ck.CKR_WRAPPED_KEY_INVALID)
	}
	whole := cbcSealed(t, good(), nil)
	for _, wrapped := range [][]byte{nil, whole[:len(whole)-1], make([]byte, 1<<16)} {
		_, err := f.keyPair(session, wrapped, k2Policy(ck.CKK_RSA))
		want(t, fmt.Sprintf("%d bytes", len(wrapped)), err, ck.CKR_WRAPPED_KEY_LEN_RANGE)
	}
	_, err := f.keyPair(session, whole, k2Policy(ck.CKK_EC))
	want(t, "as another type", err, ck.CKR_WRAPPED_KEY_INVALID)
	_, err = f.keyPair(session, whole, k2Policy(ck.CKK_RSA))
	want(t, "whole", err, ck.CKR_OK)
}

// FuzzInjection gives a session key whatever plaintext there is.
func FuzzInjection(f *testing.F) {
	_, data := k2RSA(f)
	_, ecData := k2EC(f)
	f.Add(keyPairMessage(message.AT_SIGNATURE, 1024, data), false)
	f.Add(keyPairMessage(message.AT_ECDSA_P256, 256, ecData), true)
	f.Add([]byte{7, 0, 0, 0}, false)
	f.Fuzz(func(t *testing.T, plain []byte, ec bool) {
		if len(plain) > 1<<13 {
			return
		}
		fix := setup(t)
		keyType := ck.CKK_RSA
		if ec {
			keyType = ck.CKK_EC
		}
		made, err := fix.keyPair(fix.importKey(0, s1Policy(), part(ck.CKA_VALUE, s1)).Ref, cbcSealed(t, plain, nil), k2Policy(keyType))
		if err != nil {
			want(t, "malformed", err, ck.CKR_WRAPPED_KEY_INVALID)
			return
		}
		if _, err := fix.Reveal(made.Ref); err == nil {
			t.Error("the key can be read")
		}
	})
}

// v15 encrypts by PKCS #1 v1.5, which cards have and Go advises against.
func v15(t testing.TB, public *rsa.PublicKey, plain []byte) []byte {
	t.Helper()
	//lint:ignore SA1019 the padding is what is tested
	encrypted, err := rsa.EncryptPKCS1v15(rand.Reader, public, plain)
	if err != nil {
		t.Fatal(err)
	}
	return encrypted
}
