package local_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

func rsaAES(bits uint, hash ck.MechanismType, mgf uint, label string) ck.RSAAESParams {
	return ck.RSAAESParams{AESBits: bits, OAEP: ck.OAEPParams{Hash: hash, MGF: mgf, Source: ck.CKZ_DATA_SPECIFIED, Label: []byte(label)}}
}

var sha256AES = rsaAES(256, ck.CKM_SHA256, ck.CKG_MGF1_SHA256, "")

// unwrapAs unwraps into memory.
func (f *fixture) unwrapAs(p *guard.Policy, valueLen int, by guard.Ref, s *mech.Scheme, wrapped []byte) (*guard.Key, error) {
	return f.Unwrap(0, by, s, wrapped, &guard.KeySpec{KeyType: p.KeyType, ValueLen: valueLen}, p)
}

// standardRSA is the pair as crypto/rsa has it.
func (f *fixture) standardRSA(k *guard.Key) *rsa.PrivateKey {
	f.Helper()
	r, err := f.Reveal(k.Ref)
	want(f.T, "revealing", err, ck.CKR_OK)
	number := func(typ ck.AttributeType) *big.Int { return new(big.Int).SetBytes(get(r.Parts)(typ)) }
	key := &rsa.PrivateKey{PublicKey: *f.public(k, ck.CKK_RSA).(*rsa.PublicKey), D: number(ck.CKA_PRIVATE_EXPONENT)}
	key.Primes = []*big.Int{number(ck.CKA_PRIME_1), number(ck.CKA_PRIME_2)}
	key.Precompute()
	return key
}

// Keys of any length go under RSA and come back, and what stands before them is what crypto/rsa reads.
func TestRSAAESKeyWrap(t *testing.T) {
	f := setup(t)
	pair := f.generate(0, ck.CKM_RSA_PKCS_KEY_PAIR_GEN, &guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 2048}, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	for _, params := range []ck.RSAAESParams{
		sha256AES, rsaAES(192, ck.CKM_SHA_1, ck.CKG_MGF1_SHA1, "label"), rsaAES(128, ck.CKM_SHA3_512, ck.CKG_MGF1_SHA384, ""),
	} {
		wrap, unwrap := f.scheme(ck.CKM_RSA_AES_KEY_WRAP, params, mech.OpWrap), f.scheme(ck.CKM_RSA_AES_KEY_WRAP, params, mech.OpUnwrap)
		for _, n := range []int{1, 8, 16, 33, 1000} {
			value := bytes.Repeat([]byte{0xab}, n)
			wrapped, err := f.WrapPublic([]byte("dst"), pair.Public, wrap, f.secretKey(ck.CKK_GENERIC_SECRET, value))
			want(t, "wrapping", err, ck.CKR_OK)
			k, err := f.unwrapAs(all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET), 0, pair.Ref, unwrap, wrapped[3:])
			if err != nil || !bytes.Equal(f.value(k.Ref), value) {
				t.Errorf("%d bytes with %v: %v", n, wrap.Hash, err)
			}
			options := &rsa.OAEPOptions{Hash: wrap.Hash.Crypto(), MGFHash: wrap.MGFHash.Crypto(), Label: params.OAEP.Label}
			aes, err := f.standardRSA(pair).Decrypt(nil, wrapped[3:3+256], options)
			if err != nil || len(aes) != int(params.AESBits/8) {
				t.Fatalf("an AES key of %d bytes, %v", len(aes), err)
			}
			plain, err := f.Decrypt(nil, f.secretKey(ck.CKK_AES, aes), f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpDecrypt), wrapped[3+256:])
			if err != nil || !bytes.Equal(plain, value) {
				t.Errorf("under the AES key: %x, %v", plain, err)
			}
		}
	}
	f.comeBack(func(key guard.Ref) ([]byte, error) {
		return f.WrapPublic(nil, pair.Public, f.scheme(ck.CKM_RSA_AES_KEY_WRAP, sha256AES, mech.OpWrap), key)
	}, pair.Ref, f.scheme(ck.CKM_RSA_AES_KEY_WRAP, sha256AES, mech.OpUnwrap))
}

// comeBack has private keys of all kinds wrapped, unwrapped and used.
func (f *fixture) comeBack(wrap func(guard.Ref) ([]byte, error), by guard.Ref, unwrap *mech.Scheme) {
	f.Helper()
	for _, pair := range pairs {
		p := all(ck.CKO_PRIVATE_KEY, pair.spec.KeyType)
		made := f.generate(0, pair.generate, &pair.spec, p)
		wrapped, err := wrap(made.Ref)
		want(f.T, pair.name, err, ck.CKR_OK)
		k, err := f.unwrapAs(p, 0, by, unwrap, wrapped)
		if err != nil {
			f.Errorf("%s: %v", pair.name, err)
			continue
		}
		signature, err := f.Sign(nil, k.Ref, f.scheme(pair.use, nil, mech.OpSign), digest[:])
		if err != nil || !verify(f.public(made, p.KeyType), signature) {
			f.Errorf("%s: the unwrapped key does not sign (%v)", pair.name, err)
		}
		_, err = f.unwrapAs(all(ck.CKO_PRIVATE_KEY, ck.CKK_EC_MONTGOMERY), 0, by, unwrap, wrapped)
		want(f.T, pair.name+" as another type", err, ck.CKR_WRAPPED_KEY_INVALID)
		_, err = f.unwrapAs(all(ck.CKO_SECRET_KEY, ck.CKK_AES), 0, by, unwrap, wrapped)
		want(f.T, pair.name+" as an AES key", err, ck.CKR_WRAPPED_KEY_INVALID)
	}
}

// spoiled tries wrapped with each bit position of each byte changed, and cut at each length: it must not become a key.
func (f *fixture) spoiled(wrapped []byte, by guard.Ref, s *mech.Scheme, unspoiled func(i int) bool) {
	f.Helper()
	p := all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET)
	for i := range wrapped {
		if unspoiled != nil && unspoiled(i) {
			continue
		}
		wrapped[i] ^= 1 << (i % 8)
		_, err := f.unwrapAs(p, 0, by, s, wrapped)
		want(f.T, fmt.Sprintf("byte %d", i), err, ck.CKR_WRAPPED_KEY_INVALID)
		wrapped[i] ^= 1 << (i % 8)
	}
	for n := range wrapped {
		_, err := f.unwrapAs(p, 0, by, s, wrapped[:n])
		if rv := ck.Code(err); rv != ck.CKR_WRAPPED_KEY_LEN_RANGE && rv != ck.CKR_WRAPPED_KEY_INVALID {
			f.Errorf("cut at %d: %v", n, err)
		}
	}
}

func TestRSAAESKeyWrapRefuses(t *testing.T) {
	f := setup(t)
	pair, other := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA)), f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	unwrap := func(params any) *mech.Scheme { return f.scheme(ck.CKM_RSA_AES_KEY_WRAP, params, mech.OpUnwrap) }
	wrap := f.scheme(ck.CKM_RSA_AES_KEY_WRAP, sha256AES, mech.OpWrap)
	wrapped, err := f.WrapPublic(nil, pair.Public, wrap, f.secretKey(ck.CKK_AES, someKey))
	want(t, "wrapping", err, ck.CKR_OK)
	secret := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	for _, test := range []struct {
		name string
		by   guard.Ref
		s    *mech.Scheme
		p    *guard.Policy
		n    int
		want ck.RV
	}{
		{"as it should be", pair.Ref, unwrap(sha256AES), secret, 0, ck.CKR_OK},
		{"another length of the AES key", pair.Ref, unwrap(rsaAES(128, ck.CKM_SHA256, ck.CKG_MGF1_SHA256, "")), secret, 0, ck.CKR_OK},
		{"another key", other.Ref, unwrap(sha256AES), secret, 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"another hash", pair.Ref, unwrap(rsaAES(256, ck.CKM_SHA384, ck.CKG_MGF1_SHA256, "")), secret, 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"another mask", pair.Ref, unwrap(rsaAES(256, ck.CKM_SHA256, ck.CKG_MGF1_SHA1, "")), secret, 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"another label", pair.Ref, unwrap(rsaAES(256, ck.CKM_SHA256, ck.CKG_MGF1_SHA256, "l")), secret, 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"no private key", pair.Ref, unwrap(sha256AES), all(ck.CKO_PRIVATE_KEY, ck.CKK_EC), 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"another value length", pair.Ref, unwrap(sha256AES), secret, 16, ck.CKR_WRAPPED_KEY_LEN_RANGE},
		{"a hash too long for the modulus", pair.Ref, unwrap(rsaAES(256, ck.CKM_SHA512, ck.CKG_MGF1_SHA256, "")), secret, 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"an AES key", f.secretKey(ck.CKK_AES, someKey), unwrap(sha256AES), secret, 0, ck.CKR_KEY_TYPE_INCONSISTENT},
		{"an EC key", f.generateEC(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)).Ref, unwrap(sha256AES), secret, 0, ck.CKR_KEY_TYPE_INCONSISTENT},
	} {
		_, err := f.unwrapAs(test.p, test.n, test.by, test.s, wrapped)
		want(t, test.name, err, test.want)
	}
	f.spoiled(wrapped, pair.Ref, unwrap(sha256AES), nil)

	// An AES key in between of no length that AES has, which whoever has the public key can make.
	seventeen, err := rsa.EncryptOAEPWithOptions(rand.Reader, f.public(pair, ck.CKK_RSA).(*rsa.PublicKey), make([]byte, 17),
		&rsa.OAEPOptions{Hash: mech.SHA256.Crypto(), MGFHash: mech.SHA256.Crypto()})
	want(t, "encrypting", err, ck.CKR_OK)
	_, err = f.unwrapAs(secret, 0, pair.Ref, unwrap(sha256AES), append(seventeen, wrapped[128:]...))
	want(t, "an AES key of 17 bytes", err, ck.CKR_WRAPPED_KEY_INVALID)
}

func TestRSAAESKeyWrapPolicy(t *testing.T) {
	f := setup(t)
	s := f.scheme(ck.CKM_RSA_AES_KEY_WRAP, sha256AES, mech.OpWrap)
	pair := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	for _, test := range []struct {
		name string
		set  func(*guard.Policy)
		want ck.RV
	}{
		{"extractable", func(p *guard.Policy) { p.Sensitive = true }, ck.CKR_OK},
		{"not extractable", func(p *guard.Policy) { p.Extractable = false }, ck.CKR_KEY_UNEXTRACTABLE},
		{"with trusted keys only", func(p *guard.Policy) { p.WrapWithTrusted = true }, ck.CKR_KEY_NOT_WRAPPABLE},
	} {
		p := all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)
		test.set(p)
		_, err := f.WrapPublic(nil, pair.Public, s, f.generateEC(0, p).Ref)
		want(t, test.name, err, test.want)
	}
	key := f.secretKey(ck.CKK_AES, someKey)
	_, err := f.WrapPublic(nil, pair.Public, f.scheme(ck.CKM_RSA_AES_KEY_WRAP, rsaAES(256, ck.CKM_SHA512, ck.CKG_MGF1_SHA512, ""), mech.OpWrap), key)
	want(t, "a modulus too short for OAEP", err, ck.CKR_WRAPPING_KEY_SIZE_RANGE)
	_, err = f.WrapPublic(nil, f.generateEC(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)).Public, s, key)
	want(t, "an EC key", err, ck.CKR_KEY_TYPE_INCONSISTENT)
	_, err = f.Wrap(nil, pair.Ref, s, key)
	want(t, "the private half", err, ck.CKR_KEY_TYPE_INCONSISTENT)
	for _, n := range []int{-1, 0, 17, 1 << 30} {
		forged := *s
		forged.AESLen = n
		_, err = f.WrapPublic(nil, pair.Public, &forged, key)
		want(t, "a forged length", err, ck.CKR_MECHANISM_PARAM_INVALID)
	}

	p := all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA)
	p.Allowed = []ck.MechanismType{ck.CKM_RSA_PKCS_OAEP}
	narrow := f.generateRSA(0, p)
	wrapped, err := f.WrapPublic(nil, narrow.Public, s, key)
	want(t, "wrapping", err, ck.CKR_OK)
	_, err = f.unwrapAs(all(ck.CKO_SECRET_KEY, ck.CKK_AES), 0, narrow.Ref, f.scheme(ck.CKM_RSA_AES_KEY_WRAP, sha256AES, mech.OpUnwrap), wrapped)
	want(t, "a key that may do OAEP only", err, ck.CKR_MECHANISM_INVALID)
}
