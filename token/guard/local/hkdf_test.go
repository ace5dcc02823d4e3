package local_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

func hkdfOf(extract, expand bool, salt, info string) ck.HKDFParams {
	return ck.HKDFParams{
		Extract: extract, Expand: expand, Hash: ck.CKM_SHA256, SaltType: uint(ck.CKF_HKDF_SALT_DATA), Salt: []byte(salt), Info: []byte(info),
	}
}

func (f *fixture) hkdf(base guard.Ref, params ck.HKDFParams, keyType ck.KeyType, n int) (*guard.Key, error) {
	f.Helper()
	return f.Derive(0, base, f.scheme(ck.CKM_HKDF_DERIVE, params, mech.OpDerive), &guard.KeySpec{KeyType: keyType, ValueLen: n}, all(ck.CKO_SECRET_KEY, keyType))
}

// RFC 5869, appendix A.1, in one step and in two.
func TestHKDF(t *testing.T) {
	f := setup(t)
	base := f.secretKey(ck.CKK_GENERIC_SECRET, bytes.Repeat([]byte{0x0b}, 22))
	salt, info := string(unhex(t, "000102030405060708090a0b0c")), string(unhex(t, "f0f1f2f3f4f5f6f7f8f9"))
	prk := unhex(t, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
	okm := unhex(t, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
	extracted, err := f.hkdf(base, hkdfOf(true, false, salt, ""), ck.CKK_GENERIC_SECRET, 0)
	if err != nil || !bytes.Equal(f.value(extracted.Ref), prk) {
		t.Errorf("extracted: %v", err)
	}
	for _, from := range []struct {
		base   guard.Ref
		params ck.HKDFParams
	}{{base, hkdfOf(true, true, salt, info)}, {extracted.Ref, hkdfOf(false, true, "", info)}} {
		expanded, err := f.hkdf(from.base, from.params, ck.CKK_GENERIC_SECRET, len(okm))
		if err != nil || !bytes.Equal(f.value(expanded.Ref), okm) {
			t.Errorf("expanded: %v", err)
		}
		aes, err := f.hkdf(from.base, from.params, ck.CKK_AES, 32)
		if err != nil || !bytes.Equal(f.value(aes.Ref), okm[:32]) {
			t.Errorf("an AES key: %v", err)
		}
	}
	none := hkdfOf(true, false, "", "")
	none.SaltType = uint(ck.CKF_HKDF_SALT_NULL)
	a, err := f.hkdf(base, none, ck.CKK_GENERIC_SECRET, 32)
	want(t, "no salt", err, ck.CKR_OK)
	b, err := f.hkdf(base, hkdfOf(true, false, string(make([]byte, 32)), ""), ck.CKK_GENERIC_SECRET, 0)
	if err != nil || !bytes.Equal(f.value(a.Ref), f.value(b.Ref)) {
		t.Errorf("no salt is not zeros (%v)", err)
	}
}

func TestHKDFRefuses(t *testing.T) {
	f := setup(t)
	base := f.secretKey(ck.CKK_GENERIC_SECRET, someKey)
	usage := all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET)
	usage.Usage = guard.UseSign
	for _, test := range []struct {
		name   string
		base   guard.Ref
		params ck.HKDFParams
		key    ck.KeyType
		n      int
		want   ck.RV
	}{
		{"the most", base, hkdfOf(true, true, "", ""), ck.CKK_GENERIC_SECRET, 255 * 32, ck.CKR_OK},
		{"more", base, hkdfOf(true, true, "", ""), ck.CKK_GENERIC_SECRET, 255*32 + 1, ck.CKR_KEY_SIZE_RANGE},
		{"no length", base, hkdfOf(false, true, "", ""), ck.CKK_GENERIC_SECRET, 0, ck.CKR_TEMPLATE_INCOMPLETE},
		{"less than what is extracted", base, hkdfOf(true, false, "", ""), ck.CKK_GENERIC_SECRET, 16, ck.CKR_KEY_SIZE_RANGE},
		{"a negative length", base, hkdfOf(true, true, "", ""), ck.CKK_GENERIC_SECRET, -1, ck.CKR_KEY_SIZE_RANGE},
		{"no AES key", base, hkdfOf(true, true, "", ""), ck.CKK_AES, 17, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"much info", base, hkdfOf(true, true, "", string(make([]byte, 1<<17))), ck.CKK_AES, 16, ck.CKR_MECHANISM_PARAM_INVALID},
		{"an AES key for a base", f.secretKey(ck.CKK_AES, someKey), hkdfOf(true, true, "", ""), ck.CKK_AES, 16, ck.CKR_KEY_TYPE_INCONSISTENT},
		{"a key that signs only", f.importKey(0, usage, part(ck.CKA_VALUE, someKey)).Ref, hkdfOf(true, true, "", ""), ck.CKK_AES, 16, ck.CKR_KEY_FUNCTION_NOT_PERMITTED},
	} {
		_, err := f.hkdf(test.base, test.params, test.key, test.n)
		want(t, test.name, err, test.want)
	}
	forged := *f.scheme(ck.CKM_HKDF_DERIVE, hkdfOf(true, true, "", ""), mech.OpDerive)
	forged.Hash = 0
	_, err := f.Derive(0, base, &forged, &guard.KeySpec{KeyType: ck.CKK_AES, ValueLen: 16}, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	want(t, "a forged hash", err, ck.CKR_MECHANISM_PARAM_INVALID)
}
