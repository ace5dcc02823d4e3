package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/remote"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// script runs every method of a guard, right and wrong, and writes down what can be compared.
type script struct {
	*testing.T
	keys guard.Keys
	text strings.Builder
}

func (s *script) note(what string, err error, facts ...any) {
	var rv ck.RV
	reason := ""
	if err != nil {
		rv = ck.Code(err)
		var full *ck.Error
		if errors.As(err, &full) {
			reason = full.Reason
		}
	}
	fmt.Fprintln(&s.text, what, rv, reason, fmt.Sprint(facts...))
}

func (s *script) scheme(m ck.MechanismType, params any, op mech.Op) *mech.Scheme {
	return scheme(s.T, m, params, op)
}

func (s *script) run() string {
	v, sealed, err := s.keys.NewMaster(pin(), context, &seal.Terms{PerBoot: true})
	s.note("NewMaster", err, v != 0, len(sealed))
	_, err = s.keys.Unlock(sealed, secret.Copy([]byte("wrong")), context)
	s.note("Unlock, wrong PIN", err)
	_, err = s.keys.Unlock(sealed, nil, context)
	s.note("Unlock, no PIN", err)
	_, err = s.keys.Unlock([]byte("?"), pin(), context)
	s.note("Unlock, damaged", err)
	again, err := s.keys.Unlock(sealed, pin(), context)
	s.note("Unlock", err, again != v)
	resealed, err := s.keys.Reseal(v, nil, context)
	s.note("Reseal", err, bytes.Equal(resealed, sealed))
	s.asymmetric(v, sealed)
	s.symmetric(v)
	s.encapsulated(v)
	s.signedLong(v)
	s.hybrid()
	s.streams()
	s.keys.Lock(again)
	_, err = s.keys.Reseal(again, nil, context)
	s.note("Reseal, locked", err)
	return s.text.String()
}

func (s *script) asymmetric(v guard.Vault, sealed []byte) {
	generate := s.scheme(ck.CKM_EC_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair)
	spec := &guard.KeySpec{KeyType: ck.CKK_EC, ECParams: pubkey.P256.Params}
	p := all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)
	p.Private, p.AlwaysAuthenticate = true, true
	k, err := s.keys.Generate(v, generate, spec, p)
	s.note("Generate", err, len(k.Public), len(k.Record) > 0)
	ecdsa := *s.scheme(ck.CKM_ECDSA, nil, mech.OpSign)
	_, err = s.keys.Sign(nil, k.Ref, &ecdsa, digest[:])
	s.note("Sign, no ticket", err)
	ecdsa.Ticket, err = s.keys.Authorize(k.Ref, sealed, pin(), context)
	s.note("Authorize", err, ecdsa.Ticket != 0)
	out, err := s.keys.Sign([]byte("dst"), k.Ref, &ecdsa, digest[:])
	s.note("Sign", err, len(out), bytes.HasPrefix(out, []byte("dst")))
	_, err = s.keys.Sign(nil, k.Ref, &ecdsa, digest[:])
	s.note("Sign, ticket spent", err)
	_, err = s.keys.Authorize(k.Ref, sealed, secret.Copy([]byte("wrong")), context)
	s.note("Authorize, wrong PIN", err)
	_, err = s.keys.Generate(v, generate, &guard.KeySpec{KeyType: ck.CKK_EC, ECParams: []byte{1}}, p)
	s.note("Generate, no curve", err)
	_, err = s.keys.Generate(v, nil, spec, p)
	s.note("Generate, no mechanism", err)
	_, err = s.keys.Generate(v, generate, spec, nil)
	s.note("Generate, no policy", err)

	rsa, err := s.keys.Generate(0, s.scheme(ck.CKM_RSA_PKCS_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair), &guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 1024}, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	s.note("Generate RSA", err, rsa.Record == nil)
	out, err = s.keys.SignRecover(nil, rsa.Ref, s.scheme(ck.CKM_RSA_PKCS, nil, mech.OpSignRecover), digest[:])
	s.note("SignRecover", err, len(out))
	secretKey, _ := s.keys.Import(0, &guard.Material{Class: ck.CKO_SECRET_KEY, KeyType: ck.CKK_AES, Parts: []guard.Part{part(ck.CKA_VALUE, someKey)}}, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	wrapped, err := s.keys.WrapPublic(nil, rsa.Public, s.scheme(ck.CKM_RSA_PKCS, nil, mech.OpWrap), secretKey.Ref)
	s.note("WrapPublic", err, len(wrapped))
	un, err := s.keys.Unwrap(v, rsa.Ref, s.scheme(ck.CKM_RSA_PKCS, nil, mech.OpUnwrap), wrapped, &guard.KeySpec{KeyType: ck.CKK_AES}, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	s.note("Unwrap", err, len(un.Record) > 0)
	derive := s.scheme(ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{KDF: ck.CKD_NULL, PublicData: pointOf(k)}, mech.OpDerive)
	dp := all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)
	base, _ := s.keys.Generate(v, generate, spec, dp)
	d, err := s.keys.Derive(v, base.Ref, derive, &guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET}, all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET))
	s.note("Derive", err, len(d.Public))
}

func pointOf(k *guard.Key) []byte {
	for _, p := range k.Public {
		if p.Type == ck.CKA_EC_POINT {
			return p.Value
		}
	}
	return nil
}

func (s *script) encapsulated(v guard.Vault) {
	p := &guard.Policy{Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_ML_KEM, Usage: guard.UseDecapsulate, Extractable: true}
	spec := &guard.KeySpec{KeyType: ck.CKK_ML_KEM, ParameterSet: ck.CKP_ML_KEM_768}
	pair, err := s.keys.Generate(v, s.scheme(ck.CKM_ML_KEM_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair), spec, p)
	s.note("Generate ML-KEM", err, len(pair.Public), len(pair.Record) > 0)
	public, err := pubkey.ParseSPKI(pair.Public[1].Value)
	s.note("its public half", err)
	by := []guard.Part{pair.Public[0], part(ck.CKA_VALUE, public.(*pubkey.KEMKey).Bytes())}
	shared, sharedSpec := all(ck.CKO_SECRET_KEY, ck.CKK_AES), &guard.KeySpec{KeyType: ck.CKK_AES}
	ours, ciphertext, err := s.keys.Encapsulate(v, by, s.scheme(ck.CKM_ML_KEM, nil, mech.OpEncapsulate), sharedSpec, shared)
	s.note("Encapsulate", err, len(ciphertext), len(ours.Record) > 0)
	theirs, err := s.keys.Decapsulate(0, pair.Ref, s.scheme(ck.CKM_ML_KEM, nil, mech.OpDecapsulate), ciphertext, sharedSpec, shared)
	s.note("Decapsulate", err, bytes.Equal(s.value(ours), s.value(theirs)))
	_, err = s.keys.Decapsulate(0, pair.Ref, s.scheme(ck.CKM_ML_KEM, nil, mech.OpDecapsulate), ciphertext[1:], sharedSpec, shared)
	s.note("Decapsulate less", err)
	_, _, err = s.keys.Encapsulate(v, by[:1], s.scheme(ck.CKM_ML_KEM, nil, mech.OpEncapsulate), sharedSpec, shared)
	s.note("Encapsulate for nobody", err)
}

// signedLong: the longest signatures, of a message that is several packets long.
func (s *script) signedLong(v guard.Vault) {
	p := &guard.Policy{Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_ML_DSA, Usage: guard.UseSign}
	spec := &guard.KeySpec{KeyType: ck.CKK_ML_DSA, ParameterSet: ck.CKP_ML_DSA_87}
	pair, err := s.keys.Generate(v, s.scheme(ck.CKM_ML_DSA_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair), spec, p)
	s.note("Generate ML-DSA", err, len(pair.Public), len(pair.Record) > 0)
	public, err := pubkey.ParseSPKI(pair.Public[1].Value)
	s.note("its public half", err)
	message, context := make([]byte, 200_000), []byte("context")
	scheme := s.scheme(ck.CKM_ML_DSA, ck.ContextParams{Hedge: ck.CKH_DETERMINISTIC_REQUIRED, Context: context}, mech.OpSign)
	signature, err := s.keys.Sign(nil, pair.Ref, scheme, message)
	again, _ := s.keys.Sign(nil, pair.Ref, scheme, message)
	s.note("Sign", err, len(signature), public.(*pubkey.MLDSAKey).Verify(message, signature, context), bytes.Equal(signature, again))
}

// value is what a key is, by way of Reveal.
func (s *script) value(k *guard.Key) []byte {
	r, err := s.keys.Reveal(k.Ref)
	s.note("Reveal", err)
	defer r.Close()
	return bytes.Clone(r.Parts[0].Value)
}

// hybrid wraps with mechanisms whose parameters have much to say, and derives by one.
func (s *script) hybrid() {
	secretKey := func(keyType ck.KeyType) *guard.Key {
		m := &guard.Material{Class: ck.CKO_SECRET_KEY, KeyType: keyType, Parts: []guard.Part{part(ck.CKA_VALUE, someKey)}}
		k, err := s.keys.Import(0, m, all(ck.CKO_SECRET_KEY, keyType))
		s.note("Import", err)
		return k
	}
	rsa, err := s.keys.Generate(0, s.scheme(ck.CKM_RSA_PKCS_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair), &guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 1024}, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	s.note("Generate RSA", err)
	ec, err := s.keys.Generate(0, s.scheme(ck.CKM_EC_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair), &guard.KeySpec{KeyType: ck.CKK_EC, ECParams: pubkey.P256.Params}, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC))
	s.note("Generate EC", err)
	oaep := ck.OAEPParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA1, Source: ck.CKZ_DATA_SPECIFIED, Label: []byte("label")}
	for _, w := range []struct {
		pair   *guard.Key
		m      ck.MechanismType
		params any
	}{
		{rsa, ck.CKM_RSA_AES_KEY_WRAP, ck.RSAAESParams{AESBits: 192, OAEP: oaep}},
		{ec, ck.CKM_ECDH_AES_KEY_WRAP, ck.ECDHAESParams{AESBits: 256, KDF: ck.CKD_SHA256_KDF, SharedData: []byte("shared")}},
	} {
		key := secretKey(ck.CKK_AES)
		wrapped, err := s.keys.WrapPublic(nil, w.pair.Public, s.scheme(w.m, w.params, mech.OpWrap), key.Ref)
		s.note("WrapPublic", err, len(wrapped))
		back, err := s.keys.Unwrap(0, w.pair.Ref, s.scheme(w.m, w.params, mech.OpUnwrap), wrapped, &guard.KeySpec{KeyType: ck.CKK_AES}, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
		s.note("Unwrap", err, s.value(back))
	}
	params := ck.HKDFParams{Extract: true, Expand: true, Hash: ck.CKM_SHA256, SaltType: uint(ck.CKF_HKDF_SALT_DATA), Salt: []byte("salt"), Info: []byte("info")}
	derived, err := s.keys.Derive(0, secretKey(ck.CKK_GENERIC_SECRET).Ref, s.scheme(ck.CKM_HKDF_DERIVE, params, mech.OpDerive),
		&guard.KeySpec{KeyType: ck.CKK_AES, ValueLen: 16}, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	s.note("HKDF", err, s.value(derived))
}

func (s *script) symmetric(v guard.Vault) {
	m := &guard.Material{Class: ck.CKO_SECRET_KEY, KeyType: ck.CKK_AES, Parts: []guard.Part{part(ck.CKA_VALUE, someKey)}}
	k, err := s.keys.Import(v, m, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	s.note("Import", err, k.Public, len(k.Record))
	_, err = s.keys.Import(v, &guard.Material{}, nil)
	s.note("Import nothing", err)
	cbc := func(op mech.Op) *mech.Scheme { return s.scheme(ck.CKM_AES_CBC_PAD, ck.RawParams(make([]byte, 16)), op) }
	out, err := s.keys.Encrypt(nil, k.Ref, cbc(mech.OpEncrypt), []byte("plaintext"))
	s.note("Encrypt", err, out)
	out, err = s.keys.Decrypt([]byte("dst"), k.Ref, cbc(mech.OpDecrypt), out)
	s.note("Decrypt", err, string(out))
	_, err = s.keys.Decrypt(nil, k.Ref, cbc(mech.OpDecrypt), make([]byte, 16))
	s.note("Decrypt noise", err)
	mac := s.scheme(ck.CKM_AES_CMAC, nil, mech.OpSign)
	sum, err := s.keys.Sign(nil, k.Ref, mac, []byte("data"))
	s.note("Sign a MAC", err, sum)
	s.note("Verify", s.keys.Verify(k.Ref, s.scheme(ck.CKM_AES_CMAC, nil, mech.OpVerify), []byte("data"), sum))
	s.note("Verify another", s.keys.Verify(k.Ref, s.scheme(ck.CKM_AES_CMAC, nil, mech.OpVerify), []byte("Data"), sum))
	s.note("Verify nothing", s.keys.Verify(k.Ref, s.scheme(ck.CKM_AES_CMAC, nil, mech.OpVerify), nil, nil))
	wrapped, err := s.keys.Wrap(nil, k.Ref, s.scheme(ck.CKM_AES_KEY_WRAP, nil, mech.OpWrap), k.Ref)
	s.note("Wrap", err, wrapped)
	r, err := s.keys.Reveal(k.Ref)
	s.note("Reveal", err, r.Parts)
	r.Close()
	narrower := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	narrower.Sensitive = true
	re, err := s.keys.Reissue(v, k.Ref, narrower)
	s.note("Reissue", err, len(re.Record))
	_, err = s.keys.Reveal(re.Ref)
	s.note("Reveal, sensitive", err)
	_, err = s.keys.Reissue(v, re.Ref, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	s.note("Reissue, wider", err)
	ref, err := s.keys.Load(v, re.Record)
	s.note("Load", err, ref != re.Ref)
	_, err = s.keys.Load(v, re.Record[1:])
	s.note("Load, damaged", err)
	s.keys.Forget(ref)
	_, err = s.keys.Encrypt(nil, ref, cbc(mech.OpEncrypt), nil)
	s.note("Encrypt, forgotten", err)
	invalid := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	invalid.Usage = 1 << 15
	_, err = s.keys.Import(v, m, invalid)
	s.note("Import, impossible usage", err)
}

func (s *script) streams() {
	k, _ := s.keys.Import(0, &guard.Material{Class: ck.CKO_SECRET_KEY, KeyType: ck.CKK_AES, Parts: []guard.Part{part(ck.CKA_VALUE, someKey)}}, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	long := bytes.Repeat([]byte("0123456789abcdef"), 150_000) // more than a message of a stream holds
	for _, m := range []struct {
		m      ck.MechanismType
		params any
		op     mech.Op
	}{
		{ck.CKM_AES_CBC_PAD, ck.RawParams(make([]byte, 16)), mech.OpEncrypt},
		{ck.CKM_AES_CTR, ck.CTRParams{CounterBits: 128}, mech.OpDecrypt},
		{ck.CKM_AES_GCM, ck.GCMParams{IV: make([]byte, 12), TagBits: 128}, mech.OpEncrypt},
		{ck.CKM_AES_GCM, ck.GCMParams{IV: make([]byte, 12), TagBits: 128}, mech.OpDecrypt},
		{ck.CKM_AES_CMAC, nil, mech.OpSign},
		{ck.CKM_AES_CMAC, nil, mech.OpVerify},
	} {
		st, err := s.keys.Stream(k.Ref, s.scheme(m.m, m.params, m.op), m.op)
		s.note(fmt.Sprint("Stream ", m.m, m.op), err)
		out, err := st.Update([]byte("dst"), long[:33])
		s.note("Update", err, out, st.Shape(), st.FinalLen())
		out, err = st.Update(nil, long)
		s.note("Update", err, len(out), st.Shape(), st.FinalLen())
		if m.op == mech.OpVerify {
			s.note("Verify", st.Verify(make([]byte, 16)))
		} else {
			out, err = st.Final(nil)
			s.note("Final", err, out)
		}
		_, err = st.Update(nil, long[:1])
		s.note("Update, over", err)
		st.Close()
	}
	_, err := s.keys.Stream(k.Ref, s.scheme(ck.CKM_AES_GCM, ck.GCMParams{IV: make([]byte, 12), TagBits: 128}, mech.OpWrap), mech.OpWrap)
	s.note("Stream to wrap", err)
}

// A guard process answers what the engine in it answers.
func TestRoundTrip(t *testing.T) {
	here := &script{T: t, keys: local.New(newChip())}
	p := start(t, packets, server.Options{UID: 4711})
	keys, err := remote.Open(&remote.Endpoint{Address: "unix:" + p.path(packets)}, guard.Service)
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	there := &script{T: t, keys: keys}
	want, got := strings.Split(here.run(), "\n"), strings.Split(there.run(), "\n")
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("the guard process: %s\nthe engine: %s", got[min(i, len(got)-1)], want[i])
		}
	}
	if len(want) < 60 {
		t.Errorf("%d lines", len(want))
	}
}

// What a stream carries in several packets arrives as it was sent.
func TestLongMessages(t *testing.T) {
	for _, n := range []network{packets, bytestream} {
		c := start(t, n, server.Options{}).greet(n)
		k := c.aes(0, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
		for _, length := range []int{0, 1, 65_000, 65_531, 65_532, 65_533, 1 << 20, 3<<20 + 5, protocol.MaxData} {
			data := bytes.Repeat([]byte{byte(length), 1, 2, 3, 5, 7, 11}, length/7+1)[:length]
			use := func(op mech.Op, data []byte) []byte {
				var out protocol.Output
				s := scheme(t, ck.CKM_AES_CTR, ck.CTRParams{CounterBits: 128}, op)
				c.must(protocol.MethodCrypt, &protocol.Use{Ref: k.Ref, Op: op, Scheme: s, Data: data}, &out)
				return bytes.Clone(out.Data)
			}
			if back := use(mech.OpDecrypt, use(mech.OpEncrypt, data)); !bytes.Equal(back, data) {
				t.Errorf("%s: %d bytes come back as %d others", n.name, length, len(back))
			}
		}
	}
}
