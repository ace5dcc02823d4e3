package local_test

import (
	"bytes"
	"crypto/mlkem"
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

const kemUsage = guard.UseEncapsulate | guard.UseDecapsulate

func kemPolicy() *guard.Policy {
	return &guard.Policy{Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_ML_KEM, Usage: kemUsage, Extractable: true}
}

func (f *fixture) generateKEM(v guard.Vault, kem *pubkey.KEM, p *guard.Policy) *guard.Key {
	f.Helper()
	return f.generate(v, ck.CKM_ML_KEM_KEY_PAIR_GEN, &guard.KeySpec{KeyType: ck.CKK_ML_KEM, ParameterSet: kem.Set}, p)
}

// kemPublic are the parts of the public key object.
func (f *fixture) kemPublic(k *guard.Key) []guard.Part {
	f.Helper()
	public, err := pubkey.ParseSPKI(get(k.Public)(ck.CKA_PUBLIC_KEY_INFO))
	want(f.T, "the public half", err, ck.CKR_OK)
	key := public.(*pubkey.KEMKey)
	return []guard.Part{part(ck.CKA_PARAMETER_SET, attr.ULong(key.Set)), part(ck.CKA_VALUE, key.Bytes())}
}

var (
	sharedPolicy = all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET)
	sharedSpec   = &guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET}
)

func (f *fixture) kem(op mech.Op) *mech.Scheme {
	f.Helper()
	return f.scheme(ck.CKM_ML_KEM, nil, op)
}

// What is encapsulated here is found here, by a loaded key too, and by crypto/mlkem with the same seed.
func TestKEM(t *testing.T) {
	f := setup(t)
	for _, kem := range pubkey.KEMs() {
		pair := f.generateKEM(f.vault, kem, kemPolicy())
		loaded, err := f.Load(f.vault, pair.Record)
		want(t, "loading", err, ck.CKR_OK)
		ours, ciphertext, err := f.Encapsulate(f.vault, f.kemPublic(pair), f.kem(mech.OpEncapsulate), sharedSpec, sharedPolicy)
		want(t, "encapsulating", err, ck.CKR_OK)
		if len(ciphertext) != kem.Ciphertext || ours.Record == nil {
			t.Errorf("%s: a ciphertext of %d bytes", kem.Name, len(ciphertext))
		}
		for _, ref := range []guard.Ref{pair.Ref, loaded} {
			theirs, err := f.Decapsulate(0, ref, f.kem(mech.OpDecapsulate), ciphertext, sharedSpec, sharedPolicy)
			if err != nil || !bytes.Equal(f.value(theirs.Ref), f.value(ours.Ref)) || len(f.value(ours.Ref)) != mlkem.SharedKeySize {
				t.Errorf("%s: the two sides differ (%v)", kem.Name, err)
			}
		}
		r, err := f.Reveal(pair.Ref)
		want(t, "the seed", err, ck.CKR_OK)
		if kem == pubkey.MLKEM768 {
			key, err := mlkem.NewDecapsulationKey768(get(r.Parts)(ck.CKA_SEED))
			want(t, "crypto/mlkem", err, ck.CKR_OK)
			shared, err := key.Decapsulate(ciphertext)
			if err != nil || !bytes.Equal(shared, f.value(ours.Ref)) {
				t.Errorf("crypto/mlkem finds another secret (%v)", err)
			}
		}
		ciphertext[7] ^= 1
		altered, err := f.Decapsulate(0, pair.Ref, f.kem(mech.OpDecapsulate), ciphertext, sharedSpec, sharedPolicy)
		if err != nil || bytes.Equal(f.value(altered.Ref), f.value(ours.Ref)) {
			t.Errorf("%s: an altered ciphertext: %v", kem.Name, err)
		}
	}
}

func TestKEMRefuses(t *testing.T) {
	f := setup(t)
	pair := f.generateKEM(0, pubkey.MLKEM768, kemPolicy())
	public := f.kemPublic(pair)
	_, ciphertext, err := f.Encapsulate(0, public, f.kem(mech.OpEncapsulate), sharedSpec, sharedPolicy)
	want(t, "encapsulating", err, ck.CKR_OK)
	larger := f.generateKEM(0, pubkey.MLKEM1024, kemPolicy())
	usage, narrow := kemPolicy(), kemPolicy()
	usage.Usage = guard.UseDerive | guard.UseDecrypt | guard.UseEncapsulate
	narrow.Allowed = []ck.MechanismType{ck.CKM_ECDH1_DERIVE}
	long := &guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET, ValueLen: 33}
	for _, test := range []struct {
		name       string
		by         guard.Ref
		ciphertext []byte
		spec       *guard.KeySpec
		want       ck.RV
	}{
		{"as it should be", pair.Ref, ciphertext, sharedSpec, ck.CKR_OK},
		{"a byte less", pair.Ref, ciphertext[1:], sharedSpec, ck.CKR_WRAPPED_KEY_LEN_RANGE},
		{"nothing", pair.Ref, nil, sharedSpec, ck.CKR_WRAPPED_KEY_LEN_RANGE},
		{"another parameter set", larger.Ref, ciphertext, sharedSpec, ck.CKR_WRAPPED_KEY_LEN_RANGE},
		{"another length", pair.Ref, ciphertext, long, ck.CKR_KEY_SIZE_RANGE},
		{"no right to", f.generateKEM(0, pubkey.MLKEM768, usage).Ref, ciphertext, sharedSpec, ck.CKR_KEY_FUNCTION_NOT_PERMITTED},
		{"another mechanism's", f.generateKEM(0, pubkey.MLKEM768, narrow).Ref, ciphertext, sharedSpec, ck.CKR_MECHANISM_INVALID},
		{"an EC key", f.generateEC(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)).Ref, ciphertext, sharedSpec, ck.CKR_KEY_TYPE_INCONSISTENT},
		{"no key", 12345, ciphertext, sharedSpec, ck.CKR_KEY_HANDLE_INVALID},
		{"no template", pair.Ref, ciphertext, nil, ck.CKR_ARGUMENTS_BAD},
	} {
		_, err := f.Decapsulate(0, test.by, f.kem(mech.OpDecapsulate), test.ciphertext, test.spec, sharedPolicy)
		want(t, test.name, err, test.want)
	}
	value := get(public)(ck.CKA_VALUE)
	for _, test := range []struct {
		name   string
		public []guard.Part
		s      *mech.Scheme
		p      *guard.Policy
		want   ck.RV
	}{
		{"as it should be", public, f.kem(mech.OpEncapsulate), sharedPolicy, ck.CKR_OK},
		{"no key", nil, f.kem(mech.OpEncapsulate), sharedPolicy, ck.CKR_KEY_TYPE_INCONSISTENT},
		{"a short key", with(public, ck.CKA_VALUE, value[1:]), f.kem(mech.OpEncapsulate), sharedPolicy, ck.CKR_KEY_TYPE_INCONSISTENT},
		{"numbers that are too large", with(public, ck.CKA_VALUE, bytes.Repeat([]byte{0xff}, len(value))), f.kem(mech.OpEncapsulate), sharedPolicy, ck.CKR_KEY_TYPE_INCONSISTENT},
		{"another set", with(public, ck.CKA_PARAMETER_SET, attr.ULong(3)), f.kem(mech.OpEncapsulate), sharedPolicy, ck.CKR_KEY_TYPE_INCONSISTENT},
		{"another mechanism", public, f.scheme(ck.CKM_AES_KEY_WRAP, nil, mech.OpWrap), sharedPolicy, ck.CKR_MECHANISM_INVALID},
		{"a private key of it", public, f.kem(mech.OpEncapsulate), all(ck.CKO_PRIVATE_KEY, ck.CKK_GENERIC_SECRET), ck.CKR_TEMPLATE_INCONSISTENT},
	} {
		_, _, err := f.Encapsulate(0, test.public, test.s, sharedSpec, test.p)
		want(t, test.name, err, test.want)
	}
	for _, set := range []uint{0, 1, 4} {
		_, err := f.Generate(0, f.scheme(ck.CKM_ML_KEM_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair), &guard.KeySpec{KeyType: ck.CKK_ML_KEM, ParameterSet: set}, kemPolicy())
		want(t, "a set that is not here", err, ck.CKR_PARAMETER_SET_NOT_SUPPORTED)
	}
}

// A private key leaves as PKCS #8 of RFC 9935 and comes back; so does one with the key written out beside the seed.
func TestKEMWrap(t *testing.T) {
	f := setup(t)
	kek := f.secretKey(ck.CKK_AES, someKey)
	wrap, unwrap := f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpWrap), f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpUnwrap)
	for _, kem := range pubkey.KEMs() {
		pair := f.generateKEM(0, kem, kemPolicy())
		wrapped, err := f.Wrap(nil, kek, wrap, pair.Ref)
		want(t, kem.Name, err, ck.CKR_OK)
		again, err := f.unwrapAs(kemPolicy(), 0, kek, unwrap, wrapped)
		want(t, kem.Name, err, ck.CKR_OK)
		if !bytes.Equal(get(again.Public)(ck.CKA_PUBLIC_KEY_INFO), get(pair.Public)(ck.CKA_PUBLIC_KEY_INFO)) {
			t.Errorf("%s came back as another key", kem.Name)
		}
		_, err = f.unwrapAs(all(ck.CKO_PRIVATE_KEY, ck.CKK_EC_EDWARDS), 0, kek, unwrap, wrapped)
		want(t, "as an Edwards key", err, ck.CKR_WRAPPED_KEY_INVALID)
		plain, err := f.Decrypt(nil, kek, f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpDecrypt), wrapped)
		want(t, "its PrivateKeyInfo", err, ck.CKR_OK)
		if head := append([]byte{0x30, 84, 2, 1, 0, 0x30, 11}, append(bytes.Clone(kem.OID), 4, 66, 0x80, 64)...); !bytes.HasPrefix(plain, head) || len(plain) != 86 {
			t.Errorf("%s: %x", kem.Name, plain[:24])
		}
		for i := range 22 {
			plain[i] ^= 1
			spoiled, err := f.Encrypt(nil, kek, f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpEncrypt), plain)
			want(t, "wrapping", err, ck.CKR_OK)
			if k, err := f.unwrapAs(kemPolicy(), 0, kek, unwrap, spoiled); ck.Code(err) != ck.CKR_WRAPPED_KEY_INVALID && i != 4 && i != 17 { // version 1 is one, and the other set is another key
				t.Errorf("byte %d: %v %v", i, k, err)
			}
			plain[i] ^= 1
		}
	}
}

type kemVector struct {
	ID                 int `json:"tcId"`
	Result             string
	Seed, EK, DK, C, K hexBytes
}

func kemVectors(t *testing.T, name string) (vectors []kemVector) {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, name+"_test.json")
	want(t, name, err, ck.CKR_OK)
	var file struct {
		TestGroups []struct{ Tests []kemVector }
	}
	want(t, name, json.Unmarshal(text, &file), ck.CKR_OK)
	for _, g := range file.TestGroups {
		vectors = append(vectors, g.Tests...)
	}
	if len(vectors) == 0 {
		t.Fatalf("%s has no vectors", name)
	}
	return vectors
}

func (f *fixture) importSeed(kem *pubkey.KEM, parts ...guard.Part) (*guard.Key, error) {
	parts = append(parts, part(ck.CKA_PARAMETER_SET, attr.ULong(kem.Set)))
	return f.Import(0, &guard.Material{Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_ML_KEM, Parts: parts}, kemPolicy())
}

func TestWycheproofKEM(t *testing.T) {
	f := setup(t)
	for _, kem := range pubkey.KEMs() {
		size := map[*pubkey.KEM]string{pubkey.MLKEM768: "768", pubkey.MLKEM1024: "1024"}[kem]
		for _, v := range kemVectors(t, "mlkem_"+size) {
			k, err := f.importSeed(kem, part(ck.CKA_SEED, v.Seed))
			if err == nil && len(v.EK) > 0 && !bytes.Equal(get(f.kemPublic(k))(ck.CKA_VALUE), v.EK) {
				t.Errorf("%s %d: another public key", size, v.ID)
			}
			var shared *guard.Key
			if err == nil {
				shared, err = f.Decapsulate(0, k.Ref, f.kem(mech.OpDecapsulate), v.C, sharedSpec, sharedPolicy)
			}
			if valid := v.Result == "valid"; valid != (err == nil) || valid && !bytes.Equal(f.value(shared.Ref), v.K) {
				t.Errorf("%s %d: %v", size, v.ID, err)
			}
		}
		for _, v := range kemVectors(t, "mlkem_"+size+"_keygen_seed") {
			k, err := f.importSeed(kem, part(ck.CKA_SEED, v.Seed), part(ck.CKA_VALUE, v.DK))
			if err != nil || !bytes.Equal(get(f.kemPublic(k))(ck.CKA_VALUE), v.EK) {
				t.Errorf("%s, made of seed %d: %v", size, v.ID, err)
			}
		}
		v := kemVectors(t, "mlkem_"+size+"_keygen_seed")[0]
		for _, at := range []int{len(v.DK) - 1, len(v.DK) - 40, len(v.DK) - 100} { // z, the hash, the public key
			v.DK[at] ^= 1
			_, err := f.importSeed(kem, part(ck.CKA_SEED, v.Seed), part(ck.CKA_VALUE, v.DK))
			want(t, "another key's value", err, ck.CKR_ATTRIBUTE_VALUE_INVALID)
			v.DK[at] ^= 1
		}
		_, err := f.importSeed(kem, part(ck.CKA_SEED, v.Seed), part(ck.CKA_VALUE, v.DK[1:]))
		want(t, "a short value", err, ck.CKR_ATTRIBUTE_VALUE_INVALID)
		_, err = f.importSeed(kem, part(ck.CKA_SEED, v.Seed[1:]))
		want(t, "a short seed", err, ck.CKR_ATTRIBUTE_VALUE_INVALID)
		_, err = f.importSeed(kem, part(ck.CKA_VALUE, v.DK))
		want(t, "a value without its seed", err, ck.CKR_TEMPLATE_INCOMPLETE)
	}
}
