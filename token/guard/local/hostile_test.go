package local_test

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Nothing above the seam is trusted: what follows are calls that package token never makes.

// A row that is not the table's could name one mechanism and compute another.
func TestForgedSchemes(t *testing.T) {
	f := setup(t)
	p := all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET)
	p.Allowed = []ck.MechanismType{ck.CKM_SHA256_HMAC}
	key := f.importKey(0, p, part(ck.CKA_VALUE, someKey)).Ref
	real := f.scheme(ck.CKM_SHA256_HMAC, nil, mech.OpSign)
	row := *real.Row
	row.Hash = mech.MD5
	for _, test := range []struct {
		name   string
		scheme *mech.Scheme
		want   ck.RV
	}{
		{"real", real, ck.CKR_OK},
		{"none", nil, ck.CKR_MECHANISM_INVALID},
		{"no row", &mech.Scheme{}, ck.CKR_MECHANISM_INVALID},
		{"a row of one's own", &mech.Scheme{Row: &row, Hash: mech.MD5}, ck.CKR_MECHANISM_INVALID},
		{"a row of no mechanism", &mech.Scheme{Row: &mech.Row{Type: 1 << 40}}, ck.CKR_MECHANISM_INVALID},
		// One byte at a time a key that only verifies would give away a MAC.
		{"a short MAC", &mech.Scheme{Row: real.Row, Hash: real.Hash, MACLen: 1}, ck.CKR_MECHANISM_PARAM_INVALID},
		{"another hash", &mech.Scheme{Row: real.Row, Hash: mech.SHA1}, ck.CKR_MECHANISM_PARAM_INVALID},
	} {
		_, err := f.Sign(nil, key, test.scheme, digest[:])
		want(t, test.name, err, test.want)
		_, err = f.Stream(key, test.scheme, mech.OpSign)
		want(t, test.name+", in parts", err, test.want)
	}
	pair := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	for _, s := range []*mech.Scheme{nil, {}, {Row: &mech.Row{Type: ck.CKM_RSA_PKCS, Flags: ck.CKF_WRAP | ck.CKF_GENERATE, Primitive: mech.RSARaw}}} {
		_, err := f.WrapPublic(nil, pair.Public, s, f.secretKey(ck.CKK_AES, someKey))
		want(t, "WrapPublic", err, ck.CKR_MECHANISM_INVALID)
		_, err = f.Generate(0, s, &guard.KeySpec{KeyType: ck.CKK_AES, ValueLen: 16}, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
		want(t, "Generate", err, ck.CKR_MECHANISM_INVALID)
	}
}

// What is missing is refused and nothing is made.
func TestMissingArguments(t *testing.T) {
	f := setup(t)
	p, spec := all(ck.CKO_SECRET_KEY, ck.CKK_AES), &guard.KeySpec{KeyType: ck.CKK_AES, ValueLen: 16}
	key := f.secretKey(ck.CKK_AES, someKey)
	generate, unwrap := f.scheme(ck.CKM_AES_KEY_GEN, nil, mech.OpGenerate), f.scheme(ck.CKM_AES_KEY_WRAP, nil, mech.OpUnwrap)
	derive := f.scheme(ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{KDF: ck.CKD_NULL, PublicData: base256}, mech.OpDerive)
	for name, call := range map[string]func() (*guard.Key, error){
		"Generate, no spec":   func() (*guard.Key, error) { return f.Generate(0, generate, nil, p) },
		"Generate, no policy": func() (*guard.Key, error) { return f.Generate(0, generate, spec, nil) },
		"Import, no key":      func() (*guard.Key, error) { return f.Import(0, nil, p) },
		"Import, no policy":   func() (*guard.Key, error) { return f.Import(0, &guard.Material{}, nil) },
		"Unwrap, no spec":     func() (*guard.Key, error) { return f.Unwrap(0, key, unwrap, nil, nil, p) },
		"Unwrap, no policy":   func() (*guard.Key, error) { return f.Unwrap(0, key, unwrap, nil, spec, nil) },
		"Derive, no spec":     func() (*guard.Key, error) { return f.Derive(0, key, derive, nil, p) },
		"Derive, no policy":   func() (*guard.Key, error) { return f.Derive(0, key, derive, spec, nil) },
		"Reissue, no policy":  func() (*guard.Key, error) { return f.Reissue(0, key, nil) },
	} {
		k, err := call()
		want(t, name, err, ck.CKR_ARGUMENTS_BAD)
		if k != nil {
			t.Errorf("%s: a key", name)
		}
	}
}

// A stream encrypts, decrypts, signs or verifies. With the words for wrapping, a key that only unwraps would encrypt.
func TestStreamOperations(t *testing.T) {
	f := setup(t)
	s := f.scheme(ck.CKM_AES_GCM, gcmParams, mech.OpUnwrap)
	for _, op := range []mech.Op{0, mech.OpWrap, mech.OpUnwrap, mech.OpDerive, mech.OpGenerate, 200} {
		p := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
		p.Usage = guard.UseWrap | guard.UseUnwrap
		st, err := f.Stream(f.importKey(0, p, part(ck.CKA_VALUE, someKey)).Ref, s, op)
		want(t, "Stream", err, ck.CKR_MECHANISM_INVALID)
		if st != nil {
			t.Errorf("op %d: a stream", op)
		}
	}
}

// A key that must not be read is sealed by the master key that it came under and by no other: whoever chose that one's PIN could open the record.
func TestReissueElsewhere(t *testing.T) {
	f := setup(t)
	own, _, err := f.NewMaster(secret.Copy([]byte("mine")), context, nil)
	want(t, "NewMaster", err, ck.CKR_OK)
	again, err := f.Unlock(f.sealed, pin(), context)
	want(t, "Unlock", err, ck.CKR_OK)
	for _, test := range []struct {
		name                   string
		sensitive, extractable bool
		want                   ck.RV
	}{
		{"readable", false, true, ck.CKR_OK},
		{"sensitive", true, true, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"not extractable", false, false, ck.CKR_ATTRIBUTE_READ_ONLY},
	} {
		p := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
		p.Sensitive, p.Extractable = test.sensitive, test.extractable
		k := f.importKey(f.vault, p, part(ck.CKA_VALUE, someKey))
		_, err := f.Reissue(own, k.Ref, p)
		want(t, test.name+", to another vault", err, test.want)
		_, err = f.Reissue(again, k.Ref, p)
		want(t, test.name+", to the same vault", err, ck.CKR_OK)
		inMemory, err := f.Reissue(0, k.Ref, p)
		want(t, test.name+", to memory", err, ck.CKR_OK)
		_, err = f.Reissue(own, inMemory.Ref, p)
		want(t, test.name+", through memory", err, test.want)
		loaded, err := f.Load(f.vault, k.Record)
		want(t, "Load", err, ck.CKR_OK)
		_, err = f.Reissue(own, loaded, p)
		want(t, test.name+", when loaded", err, test.want)
		fresh := f.importKey(0, p, part(ck.CKA_VALUE, someKey))
		_, err = f.Reissue(own, fresh.Ref, p)
		want(t, test.name+", made in memory", err, ck.CKR_OK)
	}
}

// A copy in memory wants the PIN of the key that it was copied from.
func TestAuthorizeCopy(t *testing.T) {
	f := setup(t)
	p := all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)
	p.Private, p.AlwaysAuthenticate = true, true
	inMemory, err := f.Reissue(0, f.generateEC(f.vault, p).Ref, p)
	want(t, "Reissue", err, ck.CKR_OK)
	_, mine, err := f.NewMaster(nil, context, nil)
	want(t, "NewMaster", err, ck.CKR_OK)
	_, err = f.Authorize(inMemory.Ref, mine, nil, context)
	want(t, "a master key of one's own", err, ck.CKR_PIN_INCORRECT)
	_, err = f.Authorize(inMemory.Ref, f.sealed, pin(), context)
	want(t, "the right PIN", err, ck.CKR_OK)
}

// A key that was made in memory and wants a PIN for each use is kept under one of the PINs that it wants, and not under one that is chosen later.
func TestAuthorizeKept(t *testing.T) {
	f := setup(t)
	p := all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)
	p.Private, p.AlwaysAuthenticate = true, true
	inMemory := f.generateEC(0, p)
	own, _, err := f.NewMaster(pin(), context, nil)
	want(t, "NewMaster", err, ck.CKR_OK)
	_, err = f.Reissue(own, inMemory.Ref, p)
	want(t, "under another PIN", err, ck.CKR_ATTRIBUTE_READ_ONLY)
	copied, err := f.Reissue(0, inMemory.Ref, p)
	want(t, "in memory", err, ck.CKR_OK)
	_, err = f.Reissue(own, copied.Ref, p)
	want(t, "under another PIN, through memory", err, ck.CKR_ATTRIBUTE_READ_ONLY)
	_, err = f.Reissue(f.vault, copied.Ref, p)
	want(t, "under its PIN", err, ck.CKR_OK)
}

// Numbers that no RSA key has are refused by their length, before anything is computed with them that would take hours.
func TestImportHugeNumbers(t *testing.T) {
	f := setup(t)
	k := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	r, err := f.Reveal(k.Ref)
	want(t, "Reveal", err, ck.CKR_OK)
	defer r.Close()
	huge, other := make([]byte, 4<<20), make([]byte, 4<<20)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(huge)
	_, _ = random.Read(other)
	for _, typ := range []ck.AttributeType{ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT, ck.CKA_PRIVATE_EXPONENT, ck.CKA_PRIME_1, ck.CKA_PRIME_2, ck.CKA_EXPONENT_1, ck.CKA_COEFFICIENT} {
		parts := append(slices.Clone(k.Public), r.Parts...)
		for i := range parts {
			switch {
			case parts[i].Type == typ:
				parts[i].Value = huge
			case typ == ck.CKA_PRIME_1 && parts[i].Type == ck.CKA_PRIME_2:
				parts[i].Value = other
			}
		}
		soon(t, typ.String(), func() {
			p := all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA)
			_, err := f.Import(0, &guard.Material{Class: p.Class, KeyType: p.KeyType, Parts: parts}, p)
			want(t, typ.String(), err, ck.CKR_ATTRIBUTE_VALUE_INVALID)
		})
	}
}

// An exponent that does not belong to the modulus is found out at the first try to factor with it.
func TestImportWrongExponent(t *testing.T) {
	f := setup(t)
	n := new(big.Int).Lsh(big.NewInt(1), 8191)
	n.Add(n, big.NewInt(12345678901))
	d := new(big.Int).Sub(n, big.NewInt(2))
	soon(t, "importing", func() {
		p := all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA)
		_, err := f.Import(0, &guard.Material{Class: p.Class, KeyType: p.KeyType, Parts: []guard.Part{
			part(ck.CKA_MODULUS, n.Bytes()), part(ck.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}), part(ck.CKA_PRIVATE_EXPONENT, d.Bytes()),
		}}, p)
		want(t, "importing", err, ck.CKR_ATTRIBUTE_VALUE_INVALID)
	})
}

// A wrapped PrivateKeyInfo is as untrusted as a template.
func TestUnwrapHugeNumbers(t *testing.T) {
	f := setup(t)
	der := local.HugeRSA(4 << 20)
	kek := f.secretKey(ck.CKK_AES, someKey)
	wrapped, err := f.Encrypt(nil, kek, f.scheme(ck.CKM_AES_CBC_PAD, iv, mech.OpEncrypt), der)
	want(t, "encrypting", err, ck.CKR_OK)
	soon(t, "unwrapping", func() {
		_, err := f.Unwrap(0, kek, f.scheme(ck.CKM_AES_CBC_PAD, iv, mech.OpUnwrap), wrapped, &guard.KeySpec{KeyType: ck.CKK_RSA}, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
		want(t, "unwrapping", err, ck.CKR_WRAPPED_KEY_INVALID)
	})
}

// Shared data goes into each block of a derived key: what is long would be hashed thousands of times.
func TestDeriveHugeSharedData(t *testing.T) {
	f := setup(t)
	k := f.generateEC(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	s := f.scheme(ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{KDF: ck.CKD_SHA1_KDF, PublicData: base256, SharedData: make([]byte, 64<<20)}, mech.OpDerive)
	soon(t, "deriving", func() {
		_, err := f.Derive(0, k.Ref, s, &guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET, ValueLen: 64 << 10}, all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET))
		want(t, "deriving", err, ck.CKR_MECHANISM_PARAM_INVALID)
	})
}

// soon runs what must not take long, whatever it is given: some seconds under the race detector on a busy machine.
func soon(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s takes too long", what)
	}
}

// A length below nothing is no place to cut a plaintext at.
func TestUnwrapNegativeLength(t *testing.T) {
	f := setup(t)
	pair := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	kek := f.secretKey(ck.CKK_AES, someKey)
	for _, test := range []struct {
		m       ck.MechanismType
		params  any
		key     guard.Ref
		wrapped []byte
	}{
		{ck.CKM_RSA_X_509, nil, pair.Ref, make([]byte, 128)},
		{ck.CKM_RSA_PKCS, nil, pair.Ref, make([]byte, 128)},
		{ck.CKM_AES_CBC, iv, kek, nil},
		{ck.CKM_AES_CBC, iv, kek, make([]byte, 32)},
	} {
		spec := &guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET, ValueLen: -5}
		_, err := f.Unwrap(0, test.key, f.scheme(test.m, test.params, mech.OpUnwrap), test.wrapped, spec, all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET))
		want(t, test.m.String(), err, ck.CKR_KEY_SIZE_RANGE)
	}
}

// A room that is too small for a wrapped key gets nothing of the key itself, and no memory that it grew out of does.
func TestWrapLeavesNoPlaintext(t *testing.T) {
	f := setup(t)
	kek := f.secretKey(ck.CKK_AES, someKey)
	value := bytes.Repeat([]byte{0x5a}, 32)
	key := f.secretKey(ck.CKK_AES, value)
	for _, test := range []struct {
		m      ck.MechanismType
		params any
	}{
		{ck.CKM_AES_CBC_PAD, iv}, {ck.CKM_AES_CBC, iv}, {ck.CKM_AES_GCM, gcmParams}, {ck.CKM_AES_KEY_WRAP, nil}, {ck.CKM_AES_KEY_WRAP_KWP, nil},
	} {
		for room := range 49 {
			dst := make([]byte, room)
			_, err := f.Wrap(dst[:0], kek, f.scheme(test.m, test.params, mech.OpWrap), key)
			want(t, test.m.String(), err, ck.CKR_OK)
			if bytes.Contains(dst, value[:8]) {
				t.Errorf("%v: %d bytes of room: %x", test.m, room, dst)
			}
		}
	}
	s := f.scheme(ck.CKM_AES_CBC, iv, mech.OpEncrypt)
	for room := range 32 {
		st, err := f.Stream(kek, s, mech.OpEncrypt)
		want(t, "Stream", err, ck.CKR_OK)
		dst := make([]byte, room)
		_, err = st.Update(dst[:0], value[:15])
		want(t, "Update", err, ck.CKR_OK)
		_, err = st.Update(dst[:0], value[15:])
		want(t, "Update", err, ck.CKR_OK)
		if bytes.Contains(dst, value[:8]) {
			t.Errorf("in parts, %d bytes of room: %x", room, dst)
		}
		st.Close()
	}
}
