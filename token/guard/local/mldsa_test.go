package local_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/c2sp/wycheproof"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

func mldsaPolicy() *guard.Policy {
	return &guard.Policy{Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_ML_DSA, Usage: guard.UseSign, Extractable: true}
}

func (f *fixture) generateMLDSA(v guard.Vault, dsa *pubkey.MLDSA, p *guard.Policy) *guard.Key {
	f.Helper()
	return f.generate(v, ck.CKM_ML_DSA_KEY_PAIR_GEN, &guard.KeySpec{KeyType: ck.CKK_ML_DSA, ParameterSet: dsa.Set}, p)
}

func (f *fixture) mldsaPublic(k *guard.Key) *pubkey.MLDSAKey {
	f.Helper()
	public, err := pubkey.ParseSPKI(get(k.Public)(ck.CKA_PUBLIC_KEY_INFO))
	want(f.T, "the public half", err, ck.CKR_OK)
	return public.(*pubkey.MLDSAKey)
}

func (f *fixture) importMLDSA(dsa *pubkey.MLDSA, parts ...guard.Part) (*guard.Key, error) {
	parts = append(parts, part(ck.CKA_PARAMETER_SET, attr.ULong(dsa.Set)))
	return f.Import(0, &guard.Material{Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_ML_DSA, Parts: parts}, mldsaPolicy())
}

func signingContext(hedge uint, context string) ck.ContextParams {
	return ck.ContextParams{Hedge: hedge, Context: []byte(context)}
}

// A key signs, by its record too; hedged signatures differ each time, deterministic ones never.
func TestMLDSA(t *testing.T) {
	f := setup(t)
	message := []byte("message")
	for _, dsa := range pubkey.MLDSAs() {
		pair := f.generateMLDSA(f.vault, dsa, mldsaPolicy())
		public := f.mldsaPublic(pair)
		if public.MLDSA != dsa || len(public.Bytes()) != dsa.Public {
			t.Fatalf("%s made a key of %s", dsa.Name, public.Name)
		}
		loaded, err := f.Load(f.vault, pair.Record)
		want(t, "loading", err, ck.CKR_OK)
		for _, params := range []ck.ContextParams{signingContext(ck.CKH_HEDGE_PREFERRED, ""), signingContext(ck.CKH_HEDGE_REQUIRED, "context"),
			signingContext(ck.CKH_DETERMINISTIC_REQUIRED, ""), signingContext(ck.CKH_DETERMINISTIC_REQUIRED, strings.Repeat("c", 255))} {
			s := f.scheme(ck.CKM_ML_DSA, params, mech.OpSign)
			first, err := f.Sign([]byte("before"), pair.Ref, s, message)
			want(t, "signing", err, ck.CKR_OK)
			second, err := f.Sign([]byte("before"), loaded, s, message)
			want(t, "signing with the loaded key", err, ck.CKR_OK)
			if deterministic := params.Hedge == ck.CKH_DETERMINISTIC_REQUIRED; bytes.Equal(first, second) != deterministic {
				t.Errorf("%s, hedge %d: the same signature: %v", dsa.Name, params.Hedge, !deterministic)
			}
			for _, signature := range [][]byte{first, second} {
				signature, ok := bytes.CutPrefix(signature, []byte("before"))
				if !ok || len(signature) != dsa.Signature || !public.Verify(message, signature, params.Context) {
					t.Errorf("%s, hedge %d: the signature is not good", dsa.Name, params.Hedge)
				}
				if public.Verify(message, signature, []byte("another")) || public.Verify([]byte("another"), signature, params.Context) {
					t.Errorf("%s, hedge %d: the signature is good for something else", dsa.Name, params.Hedge)
				}
			}
		}
	}
}

func TestMLDSARefuses(t *testing.T) {
	f := setup(t)
	narrow, usage := mldsaPolicy(), mldsaPolicy()
	narrow.Allowed = []ck.MechanismType{ck.CKM_EDDSA}
	usage.Usage = guard.UseDerive | guard.UseDecrypt | guard.UseSignRecover
	pair, plain := f.generateMLDSA(0, pubkey.MLDSA44, mldsaPolicy()), f.scheme(ck.CKM_ML_DSA, nil, mech.OpSign)
	for _, test := range []struct {
		name string
		ref  guard.Ref
		s    *mech.Scheme
		want ck.RV
	}{
		{"as it should be", pair.Ref, plain, ck.CKR_OK},
		{"another mechanism", pair.Ref, f.scheme(ck.CKM_EDDSA, nil, mech.OpSign), ck.CKR_KEY_TYPE_INCONSISTENT},
		{"no right to", f.generateMLDSA(0, pubkey.MLDSA44, usage).Ref, plain, ck.CKR_KEY_FUNCTION_NOT_PERMITTED},
		{"another mechanism's", f.generateMLDSA(0, pubkey.MLDSA44, narrow).Ref, plain, ck.CKR_MECHANISM_INVALID},
		{"an EC key", f.generateEC(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)).Ref, plain, ck.CKR_KEY_TYPE_INCONSISTENT},
		{"a context that is too long", pair.Ref, &mech.Scheme{Row: plain.Row, Context: make([]byte, 256)}, ck.CKR_MECHANISM_PARAM_INVALID},
	} {
		_, err := f.Sign(nil, test.ref, test.s, []byte("message"))
		want(t, test.name, err, test.want)
	}
	for _, set := range []uint{0, 4} {
		_, err := f.Generate(0, f.scheme(ck.CKM_ML_DSA_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair), &guard.KeySpec{KeyType: ck.CKK_ML_DSA, ParameterSet: set}, mldsaPolicy())
		want(t, "a set that is not here", err, ck.CKR_PARAMETER_SET_NOT_SUPPORTED)
	}
}

// A private key leaves as PKCS #8 of RFC 9881, its seed alone, and comes back; a damaged one does not.
func TestMLDSAWrap(t *testing.T) {
	f := setup(t)
	kek := f.secretKey(ck.CKK_AES, someKey)
	wrap, unwrap := f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpWrap), f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpUnwrap)
	for _, dsa := range pubkey.MLDSAs() {
		pair := f.generateMLDSA(0, dsa, mldsaPolicy())
		wrapped, err := f.Wrap(nil, kek, wrap, pair.Ref)
		want(t, dsa.Name, err, ck.CKR_OK)
		again, err := f.unwrapAs(mldsaPolicy(), 0, kek, unwrap, wrapped)
		want(t, dsa.Name, err, ck.CKR_OK)
		if !bytes.Equal(get(again.Public)(ck.CKA_PUBLIC_KEY_INFO), get(pair.Public)(ck.CKA_PUBLIC_KEY_INFO)) {
			t.Errorf("%s came back as another key", dsa.Name)
		}
		_, err = f.unwrapAs(kemPolicy(), 0, kek, unwrap, wrapped)
		want(t, "as an ML-KEM key", err, ck.CKR_WRAPPED_KEY_INVALID)
		plain, err := f.Decrypt(nil, kek, f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpDecrypt), wrapped)
		want(t, "its PrivateKeyInfo", err, ck.CKR_OK)
		if head := append([]byte{0x30, 52, 2, 1, 0, 0x30, 11}, append(bytes.Clone(dsa.OID), 4, 34, 0x80, 32)...); !bytes.HasPrefix(plain, head) || len(plain) != 54 {
			t.Errorf("%s: %x", dsa.Name, plain[:24])
		}
		for i := range 22 {
			plain[i] ^= 1
			spoiled, err := f.Encrypt(nil, kek, f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpEncrypt), plain)
			want(t, "wrapping", err, ck.CKR_OK)
			if k, err := f.unwrapAs(mldsaPolicy(), 0, kek, unwrap, spoiled); ck.Code(err) != ck.CKR_WRAPPED_KEY_INVALID && i != 4 && i != 17 { // version 1 is one, and the other set is another key
				t.Errorf("byte %d: %v %v", i, k, err)
			}
			plain[i] ^= 1
		}
	}
}

type mldsaGroup struct {
	PrivateSeed, PrivateKey, PublicKey, PrivateKeyPkcs8 hexBytes
	Tests                                               []struct {
		TcID          int
		Flags         []string
		Msg, Ctx, Sig hexBytes
		Mu            *hexBytes
		Result        string
	}
}

func mldsaGroups(t *testing.T, name string) []mldsaGroup {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, name+"_test.json")
	want(t, name, err, ck.CKR_OK)
	var file struct{ TestGroups []mldsaGroup }
	want(t, name, json.Unmarshal(text, &file), ck.CKR_OK)
	if len(file.TestGroups) == 0 {
		t.Fatalf("%s has no vectors", name)
	}
	return file.TestGroups
}

// mldsaNumber is how files of vectors name a parameter set.
func mldsaNumber(dsa *pubkey.MLDSA) string { return strings.TrimPrefix(dsa.Name, "ML-DSA-") }

// Deterministic signatures are known for each key; those of given randomness, and of what is hashed elsewhere (without a message), are not made here.
func TestWycheproofMLDSASign(t *testing.T) {
	f := setup(t)
	for _, dsa := range pubkey.MLDSAs() {
		known := 0
		for _, g := range mldsaGroups(t, "mldsa_"+mldsaNumber(dsa)+"_sign_seed") {
			k, err := f.importMLDSA(dsa, part(ck.CKA_SEED, g.PrivateSeed))
			if err == nil && len(g.PublicKey) > 0 && !bytes.Equal(f.mldsaPublic(k).Bytes(), g.PublicKey) {
				t.Errorf("%s: seed %x makes another public key", dsa.Name, g.PrivateSeed)
			}
			for _, v := range g.Tests {
				if slices.Contains(v.Flags, "Randomized") || slices.Contains(v.Flags, "Internal") {
					continue
				}
				err := err
				var signature []byte
				if err == nil {
					var s *mech.Scheme
					if s, err = mech.Parse(ck.Mechanism{Type: ck.CKM_ML_DSA, Params: signingContext(ck.CKH_DETERMINISTIC_REQUIRED, string(v.Ctx))}, mech.OpSign); err == nil {
						signature, err = f.Sign(nil, k.Ref, s, v.Msg)
					}
				}
				if valid := v.Result == "valid"; valid != (err == nil) || valid && !bytes.Equal(signature, v.Sig) {
					t.Errorf("%s %d: %v", dsa.Name, v.TcID, err)
				}
				known++
			}
			if k != nil {
				f.Forget(k.Ref)
			}
		}
		if known < 50 {
			t.Errorf("%s: %d answers", dsa.Name, known)
		}
	}
}

// The key that is written out must be the seed's, where both are given. The files have it without its seed, for the same keys.
func TestMLDSASeedAndValue(t *testing.T) {
	f := setup(t)
	for _, dsa := range pubkey.MLDSAs() {
		name := "mldsa_" + mldsaNumber(dsa)
		g := mldsaGroups(t, name+"_sign_seed")[0]
		seed := []byte(g.PrivateSeed)
		at := slices.IndexFunc(mldsaGroups(t, name+"_sign_noseed"), func(other mldsaGroup) bool { return bytes.Equal(other.PublicKey, g.PublicKey) })
		if at < 0 {
			t.Fatalf("%s: no key with and without its seed", dsa.Name)
		}
		value := []byte(mldsaGroups(t, name+"_sign_noseed")[at].PrivateKey)
		_, err := f.importMLDSA(dsa, part(ck.CKA_SEED, seed), part(ck.CKA_VALUE, value))
		want(t, "the seed and what it makes", err, ck.CKR_OK)
		for _, byteAt := range []int{0, 40, 100} { // rho, K, tr
			value[byteAt] ^= 1
			_, err = f.importMLDSA(dsa, part(ck.CKA_SEED, seed), part(ck.CKA_VALUE, value))
			want(t, "another key's value", err, ck.CKR_ATTRIBUTE_VALUE_INVALID)
			value[byteAt] ^= 1
		}
		_, err = f.importMLDSA(dsa, part(ck.CKA_SEED, seed), part(ck.CKA_VALUE, value[1:]))
		want(t, "a short value", err, ck.CKR_ATTRIBUTE_VALUE_INVALID)
		_, err = f.importMLDSA(dsa, part(ck.CKA_SEED, seed[1:]))
		want(t, "a short seed", err, ck.CKR_ATTRIBUTE_VALUE_INVALID)
		_, err = f.importMLDSA(dsa, part(ck.CKA_VALUE, value))
		want(t, "a value without its seed", err, ck.CKR_TEMPLATE_INCOMPLETE)
		f.unwrapsForms(dsa, seed, value, g.PrivateKeyPkcs8)
	}
}

// unwrapsForms takes the three forms of RFC 9881, section 6.
func (f *fixture) unwrapsForms(dsa *pubkey.MLDSA, seed, value, known []byte) {
	f.Helper()
	kek := f.secretKey(ck.CKK_AES, someKey)
	tlv := func(tag byte, parts ...[]byte) []byte {
		inside := bytes.Join(parts, nil)
		switch n := len(inside); {
		case n < 128:
			return append([]byte{tag, byte(n)}, inside...)
		case n < 256:
			return append([]byte{tag, 0x81, byte(n)}, inside...)
		default:
			return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, inside...)
		}
	}
	info := func(key []byte) []byte { return tlv(0x30, []byte{2, 1, 0}, tlv(0x30, dsa.OID), tlv(4, key)) }
	other := bytes.Clone(value)
	other[50] ^= 1
	for _, test := range []struct {
		name string
		der  []byte
		want ck.RV
	}{
		{"as others write it", known, ck.CKR_OK},
		{"seed", info(tlv(0x80, seed)), ck.CKR_OK},
		{"both", info(tlv(0x30, tlv(4, seed), tlv(4, value))), ck.CKR_OK},
		{"both, of two keys", info(tlv(0x30, tlv(4, seed), tlv(4, other))), ck.CKR_WRAPPED_KEY_INVALID},
		{"both, with nothing", info(tlv(0x30, tlv(4, seed), tlv(4))), ck.CKR_WRAPPED_KEY_INVALID},
		{"both, with more", info(tlv(0x30, tlv(4, seed), tlv(4, value), []byte{5, 0})), ck.CKR_WRAPPED_KEY_INVALID},
		{"seed, with more", info(append(tlv(0x80, seed), 5, 0)), ck.CKR_WRAPPED_KEY_INVALID},
		{"a short seed", info(tlv(0x80, seed[1:])), ck.CKR_WRAPPED_KEY_INVALID},
		{"written out", info(tlv(4, value)), ck.CKR_WRAPPED_KEY_INVALID},
		{"nothing", info(nil), ck.CKR_WRAPPED_KEY_INVALID},
	} {
		wrapped, err := f.Encrypt(nil, kek, f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpEncrypt), test.der)
		want(f.T, "wrapping", err, ck.CKR_OK)
		_, err = f.unwrapAs(mldsaPolicy(), 0, kek, f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpUnwrap), wrapped)
		want(f.T, dsa.Name+", "+test.name, err, test.want)
	}
}
