package local_test

import (
	"bytes"
	"crypto/rsa"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

var (
	iv        = ck.RawParams(make([]byte, 16))
	gcmParams = ck.GCMParams{IV: make([]byte, 12), TagBits: 128}
	oaep      = ck.OAEPParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA1, Source: 1, Label: []byte("label")}
)

// wrappers are the mechanisms that wrap with an AES key.
var wrappers = []struct {
	m      ck.MechanismType
	params any
	any    bool // takes keys of any length
	length bool // CKA_VALUE_LEN is needed to undo it
}{
	{ck.CKM_AES_KEY_WRAP, nil, false, false},
	{ck.CKM_AES_KEY_WRAP_KWP, nil, true, false},
	{ck.CKM_AES_CBC_PAD, iv, true, false},
	{ck.CKM_AES_CBC, iv, true, true},
	{ck.CKM_AES_GCM, gcmParams, true, false},
}

func TestWrapSecret(t *testing.T) {
	f := setup(t)
	kek := f.secretKey(ck.CKK_AES, someKey)
	for _, w := range wrappers {
		for _, n := range []int{16, 24, 32, 21} {
			value := bytes.Repeat([]byte{0xab}, n)
			key := f.secretKey(ck.CKK_GENERIC_SECRET, value)
			wrapped, err := f.Wrap([]byte("dst"), kek, f.scheme(w.m, w.params, mech.OpWrap), key)
			if n == 21 && !w.any {
				want(t, w.m.String()+", odd length", err, ck.CKR_KEY_SIZE_RANGE)
				continue
			}
			want(t, w.m.String(), err, ck.CKR_OK)
			spec := &guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET}
			if w.length {
				spec.ValueLen = n
			}
			k, err := f.Unwrap(f.vault, kek, f.scheme(w.m, w.params, mech.OpUnwrap), wrapped[3:], spec, all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET))
			if err != nil || !bytes.Equal(f.value(k.Ref), value) || k.Record == nil {
				t.Errorf("%v of %d bytes: %v", w.m, n, err)
			}
		}
	}
}

func TestWrapPrivate(t *testing.T) {
	f := setup(t)
	kek := f.secretKey(ck.CKK_AES, someKey)
	for _, pair := range pairs {
		p := all(ck.CKO_PRIVATE_KEY, pair.spec.KeyType)
		made := f.generate(0, pair.generate, &pair.spec, p)
		for _, w := range wrappers[1:] {
			wrapped, err := f.Wrap(nil, kek, f.scheme(w.m, w.params, mech.OpWrap), made.Ref)
			want(t, pair.name, err, ck.CKR_OK)
			k, err := f.Unwrap(0, kek, f.scheme(w.m, w.params, mech.OpUnwrap), wrapped, &guard.KeySpec{KeyType: p.KeyType}, p)
			if err != nil {
				t.Errorf("%s by %v: %v", pair.name, w.m, err)
				continue
			}
			signature, err := f.Sign(nil, k.Ref, f.scheme(pair.use, nil, mech.OpSign), digest[:])
			if err != nil || !verify(f.public(made, p.KeyType), signature) {
				t.Errorf("%s by %v: the unwrapped key does not sign (%v)", pair.name, w.m, err)
			}
			other := all(ck.CKO_PRIVATE_KEY, ck.CKK_EC_MONTGOMERY)
			_, err = f.Unwrap(0, kek, f.scheme(w.m, w.params, mech.OpUnwrap), wrapped, &guard.KeySpec{KeyType: other.KeyType}, other)
			want(t, pair.name+" as another type", err, ck.CKR_WRAPPED_KEY_INVALID)
		}
	}
}

func TestWrapRules(t *testing.T) {
	f := setup(t)
	s := f.scheme(ck.CKM_AES_KEY_WRAP, nil, mech.OpWrap)
	kek := f.secretKey(ck.CKK_AES, someKey)
	trusted := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	trusted.Trusted = true
	trustedKEK := f.importKey(0, trusted, part(ck.CKA_VALUE, someKey)).Ref
	for _, test := range []struct {
		name     string
		wrapping guard.Ref
		set      func(p *guard.Policy)
		want     ck.RV
	}{
		{"plain", kek, func(p *guard.Policy) {}, ck.CKR_OK},
		{"sensitive", kek, func(p *guard.Policy) { p.Sensitive = true }, ck.CKR_OK},
		{"not extractable", kek, func(p *guard.Policy) { p.Extractable = false }, ck.CKR_KEY_UNEXTRACTABLE},
		{"with trusted", kek, func(p *guard.Policy) { p.WrapWithTrusted = true }, ck.CKR_KEY_NOT_WRAPPABLE},
		{"with trusted, trusted", trustedKEK, func(p *guard.Policy) { p.WrapWithTrusted = true }, ck.CKR_OK},
		{"not extractable, trusted", trustedKEK, func(p *guard.Policy) { p.Extractable = false }, ck.CKR_KEY_UNEXTRACTABLE},
		{"no such wrapping key", 12345, func(p *guard.Policy) {}, ck.CKR_KEY_HANDLE_INVALID},
	} {
		p := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
		test.set(p)
		_, err := f.Wrap(nil, test.wrapping, s, f.importKey(0, p, part(ck.CKA_VALUE, someKey)).Ref)
		want(t, test.name, err, test.want)
	}
	_, err := f.Wrap(nil, kek, s, 12345)
	want(t, "no such key", err, ck.CKR_KEY_HANDLE_INVALID)
}

func TestWrapPublic(t *testing.T) {
	f := setup(t)
	pair := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	key := f.secretKey(ck.CKK_AES, someKey)
	for _, m := range []struct {
		m      ck.MechanismType
		params any
		spec   guard.KeySpec
	}{
		{ck.CKM_RSA_PKCS, nil, guard.KeySpec{KeyType: ck.CKK_AES}},
		{ck.CKM_RSA_PKCS, nil, guard.KeySpec{KeyType: ck.CKK_AES, ValueLen: 32}},
		{ck.CKM_RSA_PKCS_OAEP, oaep, guard.KeySpec{KeyType: ck.CKK_AES}},
		{ck.CKM_RSA_X_509, nil, guard.KeySpec{KeyType: ck.CKK_AES, ValueLen: 32}},
	} {
		wrapped, err := f.WrapPublic(nil, pair.Public, f.scheme(m.m, m.params, mech.OpWrap), key)
		want(t, m.m.String(), err, ck.CKR_OK)
		k, err := f.Unwrap(0, pair.Ref, f.scheme(m.m, m.params, mech.OpUnwrap), wrapped, &m.spec, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
		if err != nil || !bytes.Equal(f.value(k.Ref), someKey) {
			t.Errorf("%v: %v", m.m, err)
		}
	}
	pkcs := f.scheme(ck.CKM_RSA_PKCS, nil, mech.OpWrap)
	_, err := f.WrapPublic(nil, pair.Public, pkcs, pair.Ref)
	want(t, "a private key", err, ck.CKR_KEY_NOT_WRAPPABLE)
	_, err = f.WrapPublic(nil, pair.Public, pkcs, f.secretKey(ck.CKK_GENERIC_SECRET, make([]byte, 118)))
	want(t, "too long", err, ck.CKR_KEY_SIZE_RANGE)
	_, err = f.WrapPublic(nil, nil, pkcs, key)
	want(t, "no public key", err, ck.CKR_KEY_TYPE_INCONSISTENT)
	p := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	p.WrapWithTrusted = true
	_, err = f.WrapPublic(nil, pair.Public, pkcs, f.importKey(0, p, part(ck.CKA_VALUE, someKey)).Ref)
	want(t, "with trusted", err, ck.CKR_KEY_NOT_WRAPPABLE)
}

// Whatever is wrong inside a wrapped key, the answer is the same; only its own length has another.
func TestUnwrapRefuses(t *testing.T) {
	f := setup(t)
	kek := f.secretKey(ck.CKK_AES, someKey)
	aes, private := all(ck.CKO_SECRET_KEY, ck.CKK_AES), all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)
	encrypted := func(m ck.MechanismType, params any, plain string) []byte {
		out, err := f.Encrypt(nil, kek, f.scheme(m, params, mech.OpEncrypt), []byte(plain))
		want(t, "encrypting", err, ck.CKR_OK)
		return out
	}
	long := string(make([]byte, 32))
	for _, test := range []struct {
		name    string
		m       ck.MechanismType
		params  any
		wrapped []byte
		p       *guard.Policy
		n       int
		want    ck.RV
	}{
		{"KW of odd length", ck.CKM_AES_KEY_WRAP, nil, make([]byte, 25), aes, 0, ck.CKR_WRAPPED_KEY_LEN_RANGE},
		{"KW of noise", ck.CKM_AES_KEY_WRAP, nil, make([]byte, 24), aes, 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"KWP of noise", ck.CKM_AES_KEY_WRAP_KWP, nil, make([]byte, 24), aes, 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"KWP of no AES key", ck.CKM_AES_KEY_WRAP_KWP, nil, encrypted(ck.CKM_AES_KEY_WRAP_KWP, nil, "seventeen bytes !"), aes, 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"KWP of another length", ck.CKM_AES_KEY_WRAP_KWP, nil, encrypted(ck.CKM_AES_KEY_WRAP_KWP, nil, long), aes, 16, ck.CKR_WRAPPED_KEY_LEN_RANGE},
		{"CBC_PAD of noise", ck.CKM_AES_CBC_PAD, iv, make([]byte, 32), aes, 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"CBC_PAD of no AES key", ck.CKM_AES_CBC_PAD, iv, encrypted(ck.CKM_AES_CBC_PAD, iv, "12345"), aes, 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"CBC_PAD of no DER", ck.CKM_AES_CBC_PAD, iv, encrypted(ck.CKM_AES_CBC_PAD, iv, "0\x0212"), private, 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"CBC_PAD of another length", ck.CKM_AES_CBC_PAD, iv, encrypted(ck.CKM_AES_CBC_PAD, iv, long), aes, 16, ck.CKR_WRAPPED_KEY_INVALID},
		{"CBC with too much padding", ck.CKM_AES_CBC, iv, encrypted(ck.CKM_AES_CBC, iv, long), aes, 16, ck.CKR_WRAPPED_KEY_INVALID},
		{"CBC with padding that is none", ck.CKM_AES_CBC, iv, encrypted(ck.CKM_AES_CBC, iv, long[:31]+"x"), aes, 24, ck.CKR_WRAPPED_KEY_INVALID},
		{"GCM of noise", ck.CKM_AES_GCM, gcmParams, make([]byte, 32), aes, 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"GCM too short", ck.CKM_AES_GCM, gcmParams, make([]byte, 15), aes, 0, ck.CKR_WRAPPED_KEY_LEN_RANGE},
		{"nothing", ck.CKM_AES_CBC, iv, nil, aes, 0, ck.CKR_WRAPPED_KEY_INVALID},
	} {
		_, err := f.Unwrap(f.vault, kek, f.scheme(test.m, test.params, mech.OpUnwrap), test.wrapped, &guard.KeySpec{KeyType: test.p.KeyType, ValueLen: test.n}, test.p)
		want(t, test.name, err, test.want)
	}
}

// With the length known, RSA PKCS #1 unwrapping has no bad padding to tell of: some key always comes out, the same for the same bytes.
func TestUnwrapPKCS1TellsNothing(t *testing.T) {
	f := setup(t)
	pair := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	s := f.scheme(ck.CKM_RSA_PKCS, nil, mech.OpUnwrap)
	spec, p := &guard.KeySpec{KeyType: ck.CKK_AES, ValueLen: 16}, all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	longer, err := f.WrapPublic(nil, pair.Public, f.scheme(ck.CKM_RSA_PKCS, nil, mech.OpWrap), f.secretKey(ck.CKK_AES, someKey))
	want(t, "wrapping", err, ck.CKR_OK)
	seen := map[string]bool{}
	for i, wrapped := range [][]byte{append(make([]byte, 127), 2), append(make([]byte, 127), 3), longer} {
		a, err := f.Unwrap(0, pair.Ref, s, wrapped, spec, p)
		want(t, "noise", err, ck.CKR_OK)
		b, err := f.Unwrap(0, pair.Ref, s, wrapped, spec, p)
		want(t, "noise again", err, ck.CKR_OK)
		value := f.value(a.Ref)
		if len(value) != 16 || !bytes.Equal(value, f.value(b.Ref)) || seen[string(value)] {
			t.Errorf("%d: %x, then %x", i, value, f.value(b.Ref))
		}
		seen[string(value)] = true
	}
	_, err = f.Unwrap(0, pair.Ref, s, make([]byte, 127), spec, p)
	want(t, "a ciphertext too short", err, ck.CKR_WRAPPED_KEY_LEN_RANGE)
	modulus := f.public(pair, ck.CKK_RSA).(*rsa.PublicKey).N.Bytes()
	_, err = f.Unwrap(0, pair.Ref, s, modulus, spec, p)
	want(t, "the modulus itself", err, ck.CKR_WRAPPED_KEY_INVALID)
}

// Without the length an AES key has one of three: the same holds, or altered ciphertexts that unwrap would tell which are padded well.
func TestUnwrapPKCS1TellsNothingOfAES(t *testing.T) {
	f := setup(t)
	pair := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	s, wrap := f.scheme(ck.CKM_RSA_PKCS, nil, mech.OpUnwrap), f.scheme(ck.CKM_RSA_PKCS, nil, mech.OpWrap)
	spec, p := &guard.KeySpec{KeyType: ck.CKK_AES}, all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	unwrap := func(what string, wrapped []byte) []byte {
		t.Helper()
		k, err := f.Unwrap(0, pair.Ref, s, wrapped, spec, p)
		want(t, what, err, ck.CKR_OK)
		if err != nil {
			return nil
		}
		return f.value(k.Ref)
	}
	seen := map[int]bool{}
	for i := range 64 {
		wrapped := append(make([]byte, 127), byte(2+i))
		value := unwrap("noise", wrapped)
		if again := unwrap("noise again", wrapped); !bytes.Equal(value, again) {
			t.Errorf("%d: %x, then %x", i, value, again)
		}
		seen[len(value)] = true
	}
	if len(seen) != 3 || !seen[16] || !seen[24] || !seen[32] {
		t.Errorf("lengths %v", seen)
	}
	for n := range 48 {
		key := bytes.Repeat([]byte{byte(n + 1)}, n+1)
		wrapped, err := f.WrapPublic(nil, pair.Public, wrap, f.secretKey(ck.CKK_GENERIC_SECRET, key))
		want(t, "wrapping", err, ck.CKR_OK)
		if value := unwrap("a key", wrapped); bytes.Equal(value, key) != seen[len(key)] {
			t.Errorf("of %d bytes: %x", len(key), value)
		}
	}
}
