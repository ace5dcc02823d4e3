package local_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// confining is a policy for a key that others come out of.
func confining(class ck.ObjectClass, keyType ck.KeyType, usage guard.Usage) *guard.Policy {
	return &guard.Policy{Class: class, KeyType: keyType, Usage: usage, Sensitive: true, Confining: true}
}

// offspring are what a program could wish for, to see a secret.
func offspring(keyType ck.KeyType, use guard.Usage) map[string]*guard.Policy {
	extractable, visible, usable, plain := confining(ck.CKO_SECRET_KEY, keyType, use), confining(ck.CKO_SECRET_KEY, keyType, use),
		confining(ck.CKO_SECRET_KEY, keyType, use|guard.UseDecrypt|guard.UseSign), confining(ck.CKO_SECRET_KEY, keyType, use)
	extractable.Extractable, visible.Sensitive, plain.Confining = true, false, false
	return map[string]*guard.Policy{"extractable": extractable, "not sensitive": visible, "for other uses": usable, "not confining": plain}
}

// Whatever comes out of a confining key is confining, and long.
func TestConfiningKeysBegetTheirLike(t *testing.T) {
	f := setup(t)
	aes, generic := ck.KeyType(ck.CKK_AES), ck.KeyType(ck.CKK_GENERIC_SECRET)
	x25519 := f.generateOn(pubkey.X25519, confining(ck.CKO_PRIVATE_KEY, ck.CKK_EC_MONTGOMERY, guard.UseDerive))
	kem := f.generateKEM(f.vault, pubkey.MLKEM768, confining(ck.CKO_PRIVATE_KEY, ck.CKK_ML_KEM, guard.UseDecapsulate))
	rsa := f.generateRSA(f.vault, confining(ck.CKO_PRIVATE_KEY, ck.CKK_RSA, guard.UseUnwrap))
	base := f.importKey(0, confining(ck.CKO_SECRET_KEY, generic, guard.UseDerive), part(ck.CKA_VALUE, someKey)).Ref
	open := f.secretKey(generic, someKey)
	wrapping := f.importKey(0, confining(ck.CKO_SECRET_KEY, aes, guard.UseUnwrap), part(ck.CKA_VALUE, someKey)).Ref
	kek := f.secretKey(ck.CKK_AES, someKey)

	i := slices.IndexFunc(x25519.Public, func(p guard.Part) bool { return p.Type == ck.CKA_EC_POINT })
	peer := x25519.Public[i].Value
	agree := f.scheme(ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{KDF: ck.CKD_NULL, PublicData: peer}, mech.OpDerive)
	salted := hkdfOf(true, true, "", "info")
	salted.SaltType, salted.SaltKey = uint(ck.CKF_HKDF_SALT_KEY), ck.ObjectHandle(base)
	_, ciphertext, err := f.Encapsulate(0, f.kemPublic(kem), f.kem(mech.OpEncapsulate), &guard.KeySpec{KeyType: generic}, all(ck.CKO_SECRET_KEY, generic))
	want(t, "encapsulate", err, ck.CKR_OK)
	byOAEP, err := f.WrapPublic(nil, rsa.Public, f.scheme(ck.CKM_RSA_PKCS_OAEP, oaep, mech.OpWrap), open)
	want(t, "wrap by OAEP", err, ck.CKR_OK)
	byGCM, err := f.Wrap(nil, kek, f.scheme(ck.CKM_AES_GCM, gcmParams, mech.OpWrap), open)
	want(t, "wrap by GCM", err, ck.CKR_OK)

	for _, test := range []struct {
		name   string
		length bool // it can be asked for
		last   bool // what comes out is for some other use
		make   func(spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error)
	}{
		{"agreed", true, false, func(spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
			return f.Derive(0, x25519.Ref, agree, spec, p)
		}},
		{"derived", true, false, func(spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
			return f.Derive(0, base, f.scheme(ck.CKM_HKDF_DERIVE, hkdfOf(true, true, "salt", "info"), mech.OpDerive), spec, p)
		}},
		{"salted", true, false, func(spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
			return f.Derive(0, open, f.scheme(ck.CKM_HKDF_DERIVE, salted, mech.OpDerive), spec, p)
		}},
		{"decapsulated", false, false, func(spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
			return f.Decapsulate(0, kem.Ref, f.kem(mech.OpDecapsulate), ciphertext, spec, p)
		}},
		{"unwrapped by RSA", false, false, func(spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
			return f.Unwrap(0, rsa.Ref, f.scheme(ck.CKM_RSA_PKCS_OAEP, oaep, mech.OpUnwrap), byOAEP, spec, p)
		}},
		{"unwrapped by AES", false, true, func(spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
			return f.Unwrap(0, wrapping, f.scheme(ck.CKM_AES_GCM, gcmParams, mech.OpUnwrap), byGCM, spec, p)
		}},
	} {
		_, err := test.make(&guard.KeySpec{KeyType: generic, ValueLen: 32}, confining(ck.CKO_SECRET_KEY, generic, guard.UseDerive))
		want(t, test.name, err, ck.CKR_OK)
		for what, p := range offspring(generic, guard.UseDerive) {
			rv := ck.RV(ck.CKR_TEMPLATE_INCONSISTENT)
			if test.last && what == "not confining" {
				rv = ck.CKR_OK
			}
			_, err := test.make(&guard.KeySpec{KeyType: generic, ValueLen: 32}, p)
			want(t, test.name+", "+what, err, rv)
		}
		if test.length {
			_, err := test.make(&guard.KeySpec{KeyType: generic, ValueLen: 1}, confining(ck.CKO_SECRET_KEY, generic, guard.UseDerive))
			want(t, test.name+", a byte", err, ck.CKR_TEMPLATE_INCONSISTENT)
			_, err = test.make(&guard.KeySpec{KeyType: aes, ValueLen: 16}, confining(ck.CKO_SECRET_KEY, aes, guard.UseUnwrap))
			want(t, test.name+", AES-128", err, ck.CKR_TEMPLATE_INCONSISTENT)
		}
	}
}

// A private key that a confining key unwraps may do what it is for, and does not leave. Ways to unwrap that tell of the plaintext are none.
func TestConfiningKeysUnwrapPrivateKeys(t *testing.T) {
	f := setup(t)
	wrapping := f.importKey(0, confining(ck.CKO_SECRET_KEY, ck.CKK_AES, guard.UseUnwrap), part(ck.CKA_VALUE, someKey)).Ref
	kek := f.secretKey(ck.CKK_AES, someKey)
	pair := f.generate(0, ck.CKM_EC_KEY_PAIR_GEN, &guard.KeySpec{KeyType: ck.CKK_EC, ECParams: pubkey.P256.Params}, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	for _, w := range wrappers[1:] {
		wrapped, err := f.Wrap(nil, kek, f.scheme(w.m, w.params, mech.OpWrap), pair.Ref)
		want(t, "wrap", err, ck.CKR_OK)
		unwrap := func(p *guard.Policy) error {
			_, err := f.Unwrap(0, wrapping, f.scheme(w.m, w.params, mech.OpUnwrap), wrapped, &guard.KeySpec{KeyType: ck.CKK_EC}, p)
			return err
		}
		p := all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)
		p.Sensitive, p.Extractable = true, false
		if w.m == ck.CKM_AES_CBC || w.m == ck.CKM_AES_CBC_PAD {
			want(t, w.m.String(), unwrap(p), ck.CKR_KEY_FUNCTION_NOT_PERMITTED)
			continue
		}
		want(t, w.m.String(), unwrap(p), ck.CKR_OK)
		if w.m == ck.CKM_AES_GCM {
			short := f.scheme(w.m, ck.GCMParams{IV: gcmParams.IV, AAD: gcmParams.AAD, TagBits: 120}, mech.OpUnwrap)
			_, err := f.Unwrap(0, wrapping, short, wrapped[:len(wrapped)-1], &guard.KeySpec{KeyType: ck.CKK_EC}, p)
			want(t, "a tag of 15 bytes", err, ck.CKR_KEY_FUNCTION_NOT_PERMITTED)
		}
		p.Extractable = true
		want(t, w.m.String()+", extractable", unwrap(p), ck.CKR_TEMPLATE_INCONSISTENT)
		p.Extractable, p.Sensitive = false, false
		want(t, w.m.String()+", not sensitive", unwrap(p), ck.CKR_TEMPLATE_INCONSISTENT)
	}
}

// A copy of a confining key is one.
func TestConfiningKeysStaySo(t *testing.T) {
	f := setup(t)
	k := f.importKey(f.vault, confining(ck.CKO_SECRET_KEY, ck.CKK_AES, guard.UseUnwrap), part(ck.CKA_VALUE, bytes.Clone(someKey)))
	plain := confining(ck.CKO_SECRET_KEY, ck.CKK_AES, guard.UseUnwrap)
	plain.Confining = false
	for what, p := range map[string]*guard.Policy{"plain": plain, "for more": confining(ck.CKO_SECRET_KEY, ck.CKK_AES, guard.UseUnwrap|guard.UseDerive)} {
		_, err := f.Reissue(0, k.Ref, p)
		want(t, what, err, ck.CKR_ATTRIBUTE_READ_ONLY)
	}
	_, err := f.Reissue(0, k.Ref, confining(ck.CKO_SECRET_KEY, ck.CKK_AES, guard.UseUnwrap))
	want(t, "as it was", err, ck.CKR_OK)
}
