package local_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

var sharedInfo = []byte("info")

func ecdhAES(bits, kdf uint, shared []byte) ck.ECDHAESParams {
	return ck.ECDHAESParams{AESBits: bits, KDF: kdf, SharedData: shared}
}

func (f *fixture) generateOn(curve *pubkey.Curve, p *guard.Policy) *guard.Key {
	f.Helper()
	generate := ck.CKM_EC_KEY_PAIR_GEN
	if curve.KeyType == ck.CKK_EC_MONTGOMERY {
		generate = ck.CKM_EC_MONTGOMERY_KEY_PAIR_GEN
	}
	return f.generate(0, generate, &guard.KeySpec{KeyType: curve.KeyType, ECParams: curve.Params}, p)
}

func TestECDHAESKeyWrap(t *testing.T) {
	f := setup(t)
	for _, curve := range []*pubkey.Curve{pubkey.P256, pubkey.P384, pubkey.P521, pubkey.X25519} {
		pair := f.generateOn(curve, all(ck.CKO_PRIVATE_KEY, curve.KeyType))
		for _, params := range []ck.ECDHAESParams{
			ecdhAES(256, ck.CKD_SHA256_KDF, sharedInfo), ecdhAES(192, ck.CKD_SHA3_512_KDF, nil), ecdhAES(128, ck.CKD_NULL, nil),
		} {
			wrap, unwrap := f.scheme(ck.CKM_ECDH_AES_KEY_WRAP, params, mech.OpWrap), f.scheme(ck.CKM_ECDH_AES_KEY_WRAP, params, mech.OpUnwrap)
			for _, n := range []int{1, 16, 33} {
				value := bytes.Repeat([]byte{0xab}, n)
				wrapped, err := f.WrapPublic([]byte("dst"), pair.Public, wrap, f.secretKey(ck.CKK_GENERIC_SECRET, value))
				want(t, curve.Name, err, ck.CKR_OK)
				k, err := f.unwrapAs(all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET), 0, pair.Ref, unwrap, wrapped[3:])
				if err != nil || !bytes.Equal(f.value(k.Ref), value) {
					t.Errorf("%d bytes on %s: %v", n, curve.Name, err)
				}
			}
		}
		params := ecdhAES(256, ck.CKD_SHA256_KDF, sharedInfo)
		f.comeBack(func(key guard.Ref) ([]byte, error) {
			return f.WrapPublic(nil, pair.Public, f.scheme(ck.CKM_ECDH_AES_KEY_WRAP, params, mech.OpWrap), key)
		}, pair.Ref, f.scheme(ck.CKM_ECDH_AES_KEY_WRAP, params, mech.OpUnwrap))
	}
}

// What somebody else wraps, by crypto/ecdh, SHA-256 and RFC 5649, comes in.
func TestECDHAESKeyWrapByHand(t *testing.T) {
	f := setup(t)
	for _, curve := range []*pubkey.Curve{pubkey.P256, pubkey.X25519} {
		pair := f.generateOn(curve, all(ck.CKO_PRIVATE_KEY, curve.KeyType))
		_, raw := pubkey.Point(f.public(pair, curve.KeyType))
		peer, err := curve.ECDH().NewPublicKey(raw)
		want(t, "the point", err, ck.CKR_OK)
		own, err := curve.ECDH().GenerateKey(rand.Reader)
		want(t, "a fresh key", err, ck.CKR_OK)
		shared, err := own.ECDH(peer)
		want(t, "agreeing", err, ck.CKR_OK)
		aes := sha256.Sum256(append(append(shared, 0, 0, 0, 1), sharedInfo...)) // one block of X9.63
		body, err := f.Encrypt(nil, f.secretKey(ck.CKK_AES, aes[:]), f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpEncrypt), someKey)
		want(t, "wrapping", err, ck.CKR_OK)
		wrapped := append(own.PublicKey().Bytes(), body...)
		s := f.scheme(ck.CKM_ECDH_AES_KEY_WRAP, ecdhAES(256, ck.CKD_SHA256_KDF, sharedInfo), mech.OpUnwrap)
		k, err := f.unwrapAs(all(ck.CKO_SECRET_KEY, ck.CKK_AES), 0, pair.Ref, s, wrapped)
		if err != nil || !bytes.Equal(f.value(k.Ref), someKey) {
			t.Errorf("%s: %v", curve.Name, err)
		}
		// The highest bit of an X25519 point is not looked at (RFC 7748, section 5).
		f.spoiled(wrapped, pair.Ref, s, func(i int) bool { return curve == pubkey.X25519 && i == 31 })
	}
}

func TestECDHAESKeyWrapRefuses(t *testing.T) {
	f := setup(t)
	pair := f.generateEC(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	scheme := func(op mech.Op) *mech.Scheme {
		return f.scheme(ck.CKM_ECDH_AES_KEY_WRAP, ecdhAES(256, ck.CKD_SHA256_KDF, nil), op)
	}
	key := f.secretKey(ck.CKK_AES, someKey)
	wrapped, err := f.WrapPublic(nil, pair.Public, scheme(mech.OpWrap), key)
	want(t, "wrapping", err, ck.CKR_OK)
	p := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	for _, test := range []struct {
		name string
		by   guard.Ref
		kdf  ck.ECDHAESParams
		want ck.RV
	}{
		{"as it should be", pair.Ref, ecdhAES(256, ck.CKD_SHA256_KDF, nil), ck.CKR_OK},
		{"another AES length", pair.Ref, ecdhAES(128, ck.CKD_SHA256_KDF, nil), ck.CKR_WRAPPED_KEY_INVALID},
		{"another KDF", pair.Ref, ecdhAES(256, ck.CKD_NULL, nil), ck.CKR_WRAPPED_KEY_INVALID},
		{"other shared data", pair.Ref, ecdhAES(256, ck.CKD_SHA256_KDF, sharedInfo), ck.CKR_WRAPPED_KEY_INVALID},
		{"another key", f.generateEC(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)).Ref, ecdhAES(256, ck.CKD_SHA256_KDF, nil), ck.CKR_WRAPPED_KEY_INVALID},
		{"another curve", f.generateOn(pubkey.P384, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)).Ref, ecdhAES(256, ck.CKD_SHA256_KDF, nil), ck.CKR_WRAPPED_KEY_LEN_RANGE},
		{"an RSA key", f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA)).Ref, ecdhAES(256, ck.CKD_SHA256_KDF, nil), ck.CKR_KEY_TYPE_INCONSISTENT},
	} {
		_, err := f.unwrapAs(p, 0, test.by, f.scheme(ck.CKM_ECDH_AES_KEY_WRAP, test.kdf, mech.OpUnwrap), wrapped)
		want(t, test.name, err, test.want)
	}
	x := f.generateOn(pubkey.X25519, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC_MONTGOMERY))
	_, err = f.unwrapAs(p, 0, x.Ref, scheme(mech.OpUnwrap), append(make([]byte, 32), wrapped[65:]...))
	want(t, "a point of small order", err, ck.CKR_WRAPPED_KEY_INVALID)
	ed := f.generate(0, ck.CKM_EC_EDWARDS_KEY_PAIR_GEN, &guard.KeySpec{KeyType: ck.CKK_EC_EDWARDS, ECParams: pubkey.Ed25519.Params}, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC_EDWARDS))
	_, err = f.WrapPublic(nil, ed.Public, scheme(mech.OpWrap), key)
	want(t, "an Edwards key", err, ck.CKR_KEY_TYPE_INCONSISTENT)
	forged := *scheme(mech.OpWrap)
	forged.AESLen = 1 << 30
	_, err = f.WrapPublic(nil, pair.Public, &forged, key)
	want(t, "a forged length", err, ck.CKR_MECHANISM_PARAM_INVALID)

	usage := all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)
	usage.Usage = guard.UseDerive
	_, err = f.unwrapAs(p, 0, f.generateEC(0, usage).Ref, scheme(mech.OpUnwrap), wrapped)
	want(t, "a key that derives only", err, ck.CKR_KEY_FUNCTION_NOT_PERMITTED)
}

// Whatever comes, an unwrapping that fails says one of two things, and one that does not makes a key.
func FuzzUnwrapHybrid(f *testing.F) {
	g := local.New(nil)
	p := all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)
	generate, err := mech.Parse(ck.Mechanism{Type: ck.CKM_EC_KEY_PAIR_GEN}, mech.OpGenerateKeyPair)
	want(f, "parsing", err, ck.CKR_OK)
	pair, err := g.Generate(0, generate, &guard.KeySpec{KeyType: ck.CKK_EC, ECParams: pubkey.P256.Params}, p)
	want(f, "generating", err, ck.CKR_OK)
	params := ecdhAES(256, ck.CKD_SHA256_KDF, sharedInfo)
	wrap, err := mech.Parse(ck.Mechanism{Type: ck.CKM_ECDH_AES_KEY_WRAP, Params: params}, mech.OpWrap)
	want(f, "parsing", err, ck.CKR_OK)
	unwrap, err := mech.Parse(ck.Mechanism{Type: ck.CKM_ECDH_AES_KEY_WRAP, Params: params}, mech.OpUnwrap)
	want(f, "parsing", err, ck.CKR_OK)
	wrapped, err := g.WrapPublic(nil, pair.Public, wrap, pair.Ref)
	want(f, "wrapping", err, ck.CKR_OK)
	for _, n := range []int{len(wrapped), 65 + 16, 64, 0} {
		f.Add(wrapped[:n])
	}
	f.Fuzz(func(t *testing.T, wrapped []byte) {
		k, err := g.Unwrap(0, pair.Ref, unwrap, wrapped, &guard.KeySpec{KeyType: ck.CKK_EC}, p)
		if rv := ck.Code(err); err != nil && rv != ck.CKR_WRAPPED_KEY_INVALID && rv != ck.CKR_WRAPPED_KEY_LEN_RANGE {
			t.Fatal(err)
		}
		if err == nil {
			g.Forget(k.Ref)
		}
	})
}
