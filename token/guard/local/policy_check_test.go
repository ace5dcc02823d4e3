package local_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// attempt uses a key for op and gives the error.
func (f *fixture) attempt(ref guard.Ref, s *mech.Scheme, op mech.Op) error {
	f.Helper()
	data := make([]byte, 32)
	var err error
	switch op {
	case mech.OpSign:
		_, err = f.Sign(nil, ref, s, data)
	case mech.OpSignRecover:
		_, err = f.SignRecover(nil, ref, s, data)
	case mech.OpVerify:
		mac, _ := f.Sign(nil, ref, s, data)
		if err = f.Verify(ref, s, data, mac); ck.Code(err) == ck.CKR_SIGNATURE_LEN_RANGE { // it was allowed to look
			err = nil
		}
	case mech.OpEncrypt:
		_, err = f.Encrypt(nil, ref, s, data)
	case mech.OpDecrypt:
		if s.Row.Primitive == mech.RSAPKCS1 {
			data = make([]byte, 128)
		}
		_, err = f.Decrypt(nil, ref, s, data)
	case mech.OpWrap:
		_, err = f.Wrap(nil, ref, s, f.secretKey(ck.CKK_AES, data))
	case mech.OpUnwrap:
		_, err = f.Unwrap(0, ref, s, data, &guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET}, all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET))
	case mech.OpDerive:
		_, err = f.Derive(0, ref, s, &guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET}, all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET))
	default:
		f.Fatalf("op %d", op)
	}
	return err
}

// useCases are each operation, with a key and a mechanism that can do it.
var useCases = []struct {
	op     mech.Op
	usage  guard.Usage
	m      ck.MechanismType
	params any
	key    ck.KeyType
}{
	{mech.OpSign, guard.UseSign, ck.CKM_ECDSA, nil, ck.CKK_EC},
	{mech.OpSign, guard.UseSign, ck.CKM_RSA_PKCS, nil, ck.CKK_RSA},
	{mech.OpSign, guard.UseSign, ck.CKM_SHA256_HMAC, nil, ck.CKK_GENERIC_SECRET},
	{mech.OpVerify, guard.UseVerify, ck.CKM_SHA256_HMAC, nil, ck.CKK_GENERIC_SECRET},
	{mech.OpSignRecover, guard.UseSignRecover, ck.CKM_RSA_PKCS, nil, ck.CKK_RSA},
	{mech.OpDecrypt, guard.UseDecrypt, ck.CKM_RSA_PKCS, nil, ck.CKK_RSA},
	{mech.OpEncrypt, guard.UseEncrypt, ck.CKM_AES_ECB, nil, ck.CKK_AES},
	{mech.OpDecrypt, guard.UseDecrypt, ck.CKM_AES_CBC, ck.RawParams(make([]byte, 16)), ck.CKK_AES},
	{mech.OpWrap, guard.UseWrap, ck.CKM_AES_KEY_WRAP, nil, ck.CKK_AES},
	{mech.OpUnwrap, guard.UseUnwrap, ck.CKM_AES_CBC, ck.RawParams(make([]byte, 16)), ck.CKK_AES},
	{mech.OpDerive, guard.UseDerive, ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{KDF: ck.CKD_NULL, PublicData: base256}, ck.CKK_EC},
}

// base256 is the base point of P-256.
var base256 = func() []byte {
	x := pubkey.P256.Elliptic().Params()
	return append(append([]byte{4}, x.Gx.Bytes()...), x.Gy.Bytes()...)
}()

func (f *fixture) keyUnder(p *guard.Policy) guard.Ref {
	f.Helper()
	switch p.KeyType {
	case ck.CKK_RSA:
		return f.generateRSA(0, p).Ref
	case ck.CKK_EC:
		return f.generateEC(0, p).Ref
	}
	return f.importKey(0, p, part(ck.CKA_VALUE, make([]byte, 16))).Ref
}

func classOf(keyType ck.KeyType) ck.ObjectClass {
	if keyType == ck.CKK_RSA || keyType == ck.CKK_EC {
		return ck.CKO_PRIVATE_KEY
	}
	return ck.CKO_SECRET_KEY
}

// Each operation needs its own usage, and no other will do.
func TestUsage(t *testing.T) {
	f := setup(t)
	for _, c := range useCases {
		s := f.scheme(c.m, c.params, c.op)
		p := all(classOf(c.key), c.key)
		p.Usage = c.usage
		want(t, c.m.String()+" with its usage", f.attempt(f.keyUnder(p), s, c.op), ck.CKR_OK)
		p.Usage = (1<<9 - 1) &^ c.usage
		ref := f.keyUnder(p)
		want(t, c.m.String()+" with all others", f.attempt(ref, s, c.op), ck.CKR_KEY_FUNCTION_NOT_PERMITTED)
		if c.key == ck.CKK_AES && c.op != mech.OpWrap && c.op != mech.OpUnwrap {
			_, err := f.Stream(ref, s, c.op)
			want(t, c.m.String()+" as a stream", err, ck.CKR_KEY_FUNCTION_NOT_PERMITTED)
		}
	}
}

func TestAllowedMechanisms(t *testing.T) {
	f := setup(t)
	for _, c := range useCases {
		p := all(classOf(c.key), c.key)
		p.Allowed = []ck.MechanismType{c.m}
		ref := f.keyUnder(p)
		p.Allowed[0] = ck.CKM_SHA512_RSA_PKCS // the guard keeps a copy
		want(t, c.m.String()+" allowed", f.attempt(ref, f.scheme(c.m, c.params, c.op), c.op), ck.CKR_OK)
		want(t, c.m.String()+" not allowed", f.attempt(f.keyUnder(p), f.scheme(c.m, c.params, c.op), c.op), ck.CKR_MECHANISM_INVALID)
	}
}

// A wrong key type is found before a missing usage.
func TestKeyType(t *testing.T) {
	f := setup(t)
	for _, c := range useCases {
		p := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
		if c.key == ck.CKK_AES {
			p.KeyType = ck.CKK_GENERIC_SECRET
		}
		p.Usage = 0
		want(t, c.m.String(), f.attempt(f.keyUnder(p), f.scheme(c.m, c.params, c.op), c.op), ck.CKR_KEY_TYPE_INCONSISTENT)
	}
}

// Data can be read, and used for nothing.
func TestDataIsNoKey(t *testing.T) {
	f := setup(t)
	data := f.importKey(f.vault, &guard.Policy{Class: ck.CKO_DATA, Usage: 1<<9 - 1}, part(ck.CKA_VALUE, []byte("value")))
	ref, err := f.Load(f.vault, data.Record)
	want(t, "loading", err, ck.CKR_OK)
	if got := f.value(ref); string(got) != "value" {
		t.Errorf("%q", got)
	}
	_, err = f.Sign(nil, ref, f.scheme(ck.CKM_RSA_PKCS, nil, mech.OpSign), digest[:])
	want(t, "signing", err, ck.CKR_KEY_TYPE_INCONSISTENT)
	kek := f.secretKey(ck.CKK_AES, make([]byte, 16))
	_, err = f.Wrap(nil, kek, f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpWrap), ref)
	want(t, "wrapping", err, ck.CKR_KEY_NOT_WRAPPABLE)
}

func TestAlwaysAuthenticate(t *testing.T) {
	f := setup(t)
	p := all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)
	p.Private, p.AlwaysAuthenticate = true, true
	kept, inMemory := f.generateEC(f.vault, p), f.generateEC(0, p)
	for _, k := range []*guard.Key{kept, inMemory} {
		with := func(ticket uint64) error {
			s := *f.scheme(ck.CKM_ECDSA, nil, mech.OpSign)
			s.Ticket = ticket
			_, err := f.Sign(nil, k.Ref, &s, digest[:])
			return err
		}
		want(t, "no ticket", with(0), ck.CKR_USER_NOT_LOGGED_IN)
		want(t, "a made-up ticket", with(1), ck.CKR_USER_NOT_LOGGED_IN)
		ticket, err := f.Authorize(k.Ref, f.sealed, pin(), context)
		want(t, "the right PIN", err, ck.CKR_OK)
		want(t, "a ticket", with(ticket), ck.CKR_OK)
		want(t, "a spent ticket", with(ticket), ck.CKR_USER_NOT_LOGGED_IN)
		_, err = f.Authorize(k.Ref, f.sealed, nil, context)
		want(t, "no PIN", err, ck.CKR_PIN_INCORRECT)
	}
	ticket, err := f.Authorize(kept.Ref, f.sealed, pin(), context)
	want(t, "the right PIN", err, ck.CKR_OK)
	s := *f.scheme(ck.CKM_ECDSA, nil, mech.OpSign)
	s.Ticket = ticket
	_, err = f.Sign(nil, inMemory.Ref, &s, digest[:])
	want(t, "another key's ticket", err, ck.CKR_USER_NOT_LOGGED_IN)
	_, err = f.Derive(0, kept.Ref, f.scheme(ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{KDF: ck.CKD_NULL, PublicData: base256}, mech.OpDerive),
		&guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET}, all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET))
	want(t, "deriving without", err, ck.CKR_USER_NOT_LOGGED_IN)

	_, foreign, err := f.NewMaster(pin(), context, nil)
	want(t, "another vault", err, ck.CKR_OK)
	_, err = f.Authorize(kept.Ref, foreign, pin(), context)
	want(t, "another vault's PIN", err, ck.CKR_PIN_INCORRECT)
}

func TestRevealAndReissue(t *testing.T) {
	f := setup(t)
	for _, test := range []struct {
		sensitive, extractable bool
		want                   ck.RV
	}{
		{false, true, ck.CKR_OK}, {true, true, ck.CKR_ATTRIBUTE_SENSITIVE},
		{false, false, ck.CKR_ATTRIBUTE_SENSITIVE}, {true, false, ck.CKR_ATTRIBUTE_SENSITIVE},
	} {
		p := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
		p.Sensitive, p.Extractable = test.sensitive, test.extractable
		k := f.importKey(f.vault, p, part(ck.CKA_VALUE, make([]byte, 16)))
		_, err := f.Reveal(k.Ref)
		want(t, "Reveal", err, test.want)
		open := *p
		open.Sensitive, open.Extractable = false, true
		_, err = f.Reissue(f.vault, k.Ref, &open)
		want(t, "Reissue", err, map[bool]ck.RV{true: ck.CKR_OK, false: ck.CKR_ATTRIBUTE_READ_ONLY}[test.want == ck.CKR_OK])
	}
}
