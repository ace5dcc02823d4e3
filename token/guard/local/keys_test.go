package local_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

var digest = sha256.Sum256([]byte("message"))

// pairs are the kinds of key pair, with a mechanism that signs or agrees.
var pairs = []struct {
	name     string
	generate ck.MechanismType
	spec     guard.KeySpec
	use      ck.MechanismType
}{
	{"RSA", ck.CKM_RSA_PKCS_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 1024}, ck.CKM_SHA256_RSA_PKCS},
	{"RSA, odd length", ck.CKM_RSA_PKCS_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 1031, PublicExponent: []byte{3}}, ck.CKM_SHA256_RSA_PKCS},
	{"RSA, 17", ck.CKM_RSA_PKCS_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 1024, PublicExponent: []byte{0, 17}}, ck.CKM_SHA256_RSA_PKCS},
	{"RSA, 2^31-1", ck.CKM_RSA_PKCS_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 1024, PublicExponent: []byte{0x7f, 0xff, 0xff, 0xff}}, ck.CKM_SHA256_RSA_PKCS},
	{"P-256", ck.CKM_EC_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_EC, ECParams: pubkey.P256.Params}, ck.CKM_ECDSA_SHA256},
	{"P-384", ck.CKM_EC_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_EC, ECParams: pubkey.P384.Params}, ck.CKM_ECDSA},
	{"P-521", ck.CKM_EC_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_EC, ECParams: pubkey.P521.Params}, ck.CKM_ECDSA},
	{"Ed25519", ck.CKM_EC_EDWARDS_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_EC_EDWARDS, ECParams: pubkey.Ed25519.Params}, ck.CKM_EDDSA},
}

// Every kind of key signs the same after it was sealed, loaded, reissued, revealed and imported again.
func TestKeyPairLife(t *testing.T) {
	f := setup(t)
	for _, pair := range pairs {
		p := all(ck.CKO_PRIVATE_KEY, pair.spec.KeyType)
		made := f.generate(f.vault, pair.generate, &pair.spec, p)
		public := f.public(made, pair.spec.KeyType)
		s := f.scheme(pair.use, nil, mech.OpSign)
		check := func(how string, ref guard.Ref) {
			t.Helper()
			signature, err := f.Sign([]byte("prefix"), ref, s, digest[:])
			if err != nil || !bytes.HasPrefix(signature, []byte("prefix")) || !verify(public, signature[6:]) {
				t.Errorf("%s, %s: the signature is wrong (%v)", pair.name, how, err)
			}
		}
		check("generated", made.Ref)

		loaded, err := f.Load(f.vault, made.Record)
		want(t, pair.name, err, ck.CKR_OK)
		check("loaded", loaded)

		reissued, err := f.Reissue(f.vault, loaded, p)
		want(t, pair.name, err, ck.CKR_OK)
		check("reissued", reissued.Ref)

		revealed, err := f.Reveal(loaded)
		want(t, pair.name, err, ck.CKR_OK)
		whole := append(made.Public[:len(made.Public):len(made.Public)], revealed.Parts...)
		imported := f.importKey(0, p, whole...)
		check("imported", imported.Ref)
		if imported.Record != nil || len(imported.Public) != len(made.Public) {
			t.Errorf("%s: vault 0 keeps no records, and the public parts are the same", pair.name)
		}
		revealed.Close()
	}
}

func verify(public crypto.PublicKey, signature []byte) bool {
	switch pub := public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		n := (pub.Params().BitSize + 7) / 8
		r, s := new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:])
		return len(signature) == 2*n && ecdsa.Verify(pub, digest[:], r, s)
	case ed25519.PublicKey:
		return ed25519.Verify(pub, digest[:], signature)
	}
	return false
}

func TestGenerateRefuses(t *testing.T) {
	f := setup(t)
	private, secretClass := ck.ObjectClass(ck.CKO_PRIVATE_KEY), ck.ObjectClass(ck.CKO_SECRET_KEY)
	for _, test := range []struct {
		name  string
		m     ck.MechanismType
		spec  guard.KeySpec
		class ck.ObjectClass
		want  ck.RV
	}{
		{"short RSA", ck.CKM_RSA_PKCS_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 1023}, private, ck.CKR_KEY_SIZE_RANGE},
		{"long RSA", ck.CKM_RSA_PKCS_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 8193}, private, ck.CKR_KEY_SIZE_RANGE},
		{"even exponent", ck.CKM_RSA_PKCS_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 1024, PublicExponent: []byte{4}}, private, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"exponent 1", ck.CKM_RSA_PKCS_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 1024, PublicExponent: []byte{1}}, private, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"huge exponent", ck.CKM_RSA_PKCS_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 1024, PublicExponent: []byte{1, 0, 0, 0, 1}}, private, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"no curve", ck.CKM_EC_KEY_PAIR_GEN, guard.KeySpec{KeyType: ck.CKK_EC}, private, ck.CKR_DOMAIN_PARAMS_INVALID},
		{"AES 20", ck.CKM_AES_KEY_GEN, guard.KeySpec{KeyType: ck.CKK_AES, ValueLen: 20}, secretClass, ck.CKR_KEY_SIZE_RANGE},
		{"no length", ck.CKM_AES_KEY_GEN, guard.KeySpec{KeyType: ck.CKK_AES}, secretClass, ck.CKR_TEMPLATE_INCOMPLETE},
		{"huge", ck.CKM_GENERIC_SECRET_KEY_GEN, guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET, ValueLen: 1 << 30}, secretClass, ck.CKR_KEY_SIZE_RANGE},
		{"other type", ck.CKM_AES_KEY_GEN, guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET, ValueLen: 16}, secretClass, ck.CKR_TEMPLATE_INCONSISTENT},
		{"other class", ck.CKM_AES_KEY_GEN, guard.KeySpec{KeyType: ck.CKK_AES, ValueLen: 16}, private, ck.CKR_TEMPLATE_INCONSISTENT},
	} {
		op := mech.OpGenerateKeyPair
		if test.m == ck.CKM_AES_KEY_GEN || test.m == ck.CKM_GENERIC_SECRET_KEY_GEN {
			op = mech.OpGenerate
		}
		_, err := f.Generate(f.vault, f.scheme(test.m, nil, op), &test.spec, all(test.class, test.spec.KeyType))
		want(t, test.name, err, test.want)
	}
}

func TestVaults(t *testing.T) {
	f := setup(t)
	k := f.generateEC(f.vault, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	inMemory := f.generateEC(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	s := f.scheme(ck.CKM_ECDSA, nil, mech.OpSign)

	other, _, err := f.NewMaster(nil, context, nil)
	want(t, "second vault", err, ck.CKR_OK)
	_, err = f.Load(other, k.Record)
	want(t, "record of another vault", err, ck.CKR_DEVICE_ERROR)

	again, err := f.Unlock(f.sealed, pin(), context)
	want(t, "unlocking twice", err, ck.CKR_OK)
	loaded, err := f.Load(again, k.Record)
	want(t, "loading in the second", err, ck.CKR_OK)

	f.Lock(f.vault)
	_, err = f.Sign(nil, k.Ref, s, digest[:])
	want(t, "key of a locked vault", err, ck.CKR_KEY_HANDLE_INVALID)
	_, err = f.Sign(nil, loaded, s, digest[:])
	want(t, "same key through another unlocking", err, ck.CKR_OK)
	_, err = f.Sign(nil, inMemory.Ref, s, digest[:])
	want(t, "key in memory", err, ck.CKR_OK)
	_, err = f.Load(f.vault, k.Record)
	want(t, "loading into a locked vault", err, ck.CKR_USER_NOT_LOGGED_IN)
	_, err = f.Reseal(f.vault, pin(), context)
	want(t, "resealing a locked vault", err, ck.CKR_USER_NOT_LOGGED_IN)
	_, err = f.Reissue(f.vault, loaded, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	want(t, "reissuing into a locked vault", err, ck.CKR_USER_NOT_LOGGED_IN)

	_, err = f.Reseal(again, nil, context)
	want(t, "resealing without a PIN", err, ck.CKR_FUNCTION_REJECTED)
	resealed, err := f.Reseal(again, secret.Copy([]byte("another")), context)
	want(t, "resealing", err, ck.CKR_OK)
	_, err = f.Unlock(resealed, secret.Copy([]byte("another")), context)
	want(t, "unlocking what was resealed", err, ck.CKR_OK)
	open, err := f.Reseal(other, nil, context)
	want(t, "resealing what has no PIN", err, ck.CKR_OK)
	_, err = f.Unlock(open, nil, context)
	want(t, "unlocking it", err, ck.CKR_OK)
	_, err = f.Unlock(f.sealed, nil, context)
	want(t, "no PIN", err, ck.CKR_PIN_INCORRECT)
	_, err = f.Unlock(f.sealed[1:], pin(), context)
	want(t, "damage", err, ck.CKR_DEVICE_ERROR)

	_ = f.Close()
	for _, ref := range []guard.Ref{loaded, inMemory.Ref} {
		_, err = f.Sign(nil, ref, s, digest[:])
		want(t, "after Close", err, ck.CKR_KEY_HANDLE_INVALID)
	}
}
