package local_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// unwrapped takes in a PrivateKeyInfo the way a client can: wrapped.
func (f *fixture) unwrapped(pkcs8 []byte, p *guard.Policy) (*guard.Key, error) {
	f.Helper()
	kek := f.secretKey(ck.CKK_AES, make([]byte, 32))
	wrapped, err := f.Encrypt(nil, kek, f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpEncrypt), pkcs8)
	if err != nil {
		f.Fatal(err)
	}
	return f.Unwrap(0, kek, f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpUnwrap), wrapped, &guard.KeySpec{KeyType: p.KeyType}, p)
}

func (f *fixture) rsaKey(pkcs8 []byte) guard.Ref {
	f.Helper()
	k, err := f.unwrapped(pkcs8, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	if err != nil {
		f.Fatal(err)
	}
	return k.Ref
}

func TestWycheproofECDH(t *testing.T) {
	for _, test := range []struct {
		file    string
		curve   *pubkey.Curve
		keyType ck.KeyType
	}{
		{"ecdh_secp256r1_ecpoint", pubkey.P256, ck.CKK_EC},
		{"ecdh_secp384r1_ecpoint", pubkey.P384, ck.CKK_EC},
		{"ecdh_secp521r1_ecpoint", pubkey.P521, ck.CKK_EC},
		{"x25519", pubkey.X25519, ck.CKK_EC_MONTGOMERY},
	} {
		f := setup(t)
		eachVector(t, test.file, func(t *testing.T, _ *vectorGroup, v *vector) {
			if len(v.Public) == 0 { // refused by Parse
				return
			}
			// The arithmetic is crypto/ecdh's, and slow under the race detector on the large curves: of its edge cases some are enough.
			if v.has("EdgeCaseDoubling") && test.curve.Bits > 256 && v.ID%16 != 0 {
				return
			}
			base := f.importKey(0, all(ck.CKO_PRIVATE_KEY, test.keyType), part(ck.CKA_EC_PARAMS, test.curve.Params), part(ck.CKA_VALUE, v.Private))
			defer f.Forget(base.Ref)
			params := ck.ECDH1Params{KDF: ck.CKD_NULL, PublicData: v.Public}
			spec := &guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET}
			k, err := f.Derive(0, base.Ref, f.scheme(ck.CKM_ECDH1_DERIVE, params, mech.OpDerive), spec, all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET))
			if v.Result == "invalid" || v.has("CompressedPoint") || v.has("ZeroSharedSecret") {
				want(t, "a bad point", err, ck.CKR_PUBLIC_KEY_INVALID)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Forget(k.Ref)
			if got := f.value(k.Ref); !bytes.Equal(got, v.Shared) {
				t.Errorf("shared %x, want %x", got, v.Shared)
			}
		})
	}
}

// value reads a key's CKA_VALUE.
func (f *fixture) value(ref guard.Ref) []byte {
	f.Helper()
	r, err := f.Reveal(ref)
	if err != nil {
		f.Fatal(err)
	}
	defer r.Close()
	return bytes.Clone(get(r.Parts)(ck.CKA_VALUE))
}

// digests and mgfs are the hashes as Wycheproof names them.
var (
	digests = map[string]ck.MechanismType{"SHA-1": ck.CKM_SHA_1, "SHA-224": ck.CKM_SHA224, "SHA-256": ck.CKM_SHA256, "SHA-384": ck.CKM_SHA384, "SHA-512": ck.CKM_SHA512}
	mgfs    = map[string]uint{"SHA-1": ck.CKG_MGF1_SHA1, "SHA-224": ck.CKG_MGF1_SHA224, "SHA-256": ck.CKG_MGF1_SHA256, "SHA-384": ck.CKG_MGF1_SHA384, "SHA-512": ck.CKG_MGF1_SHA512}
	pkcs1   = map[string]ck.MechanismType{"SHA-1": ck.CKM_SHA1_RSA_PKCS, "SHA-224": ck.CKM_SHA224_RSA_PKCS, "SHA-256": ck.CKM_SHA256_RSA_PKCS, "SHA-384": ck.CKM_SHA384_RSA_PKCS, "SHA-512": ck.CKM_SHA512_RSA_PKCS}
)

func TestWycheproofOAEP(t *testing.T) {
	for _, file := range []string{"rsa_oaep_2048_sha1_mgf1sha1", "rsa_oaep_2048_sha256_mgf1sha1", "rsa_oaep_2048_sha256_mgf1sha256", "rsa_oaep_2048_sha512_mgf1sha512"} {
		f := setup(t)
		for _, g := range wycheproofGroups(t, file) {
			key := f.rsaKey(g.PrivateKeyPKCS8)
			for _, v := range g.Tests {
				params := ck.OAEPParams{Hash: digests[g.SHA], MGF: mgfs[g.MGFSHA], Source: 1, Label: v.Label}
				got, err := f.Decrypt(nil, key, f.scheme(ck.CKM_RSA_PKCS_OAEP, params, mech.OpDecrypt), v.CT)
				if (err == nil) != (v.Result != "invalid") || err == nil && !bytes.Equal(got, v.Msg) {
					t.Errorf("%s %d: %x (%v), %s", file, v.ID, got, err, v.Result)
				}
			}
		}
	}
}

// Bad padding must not be told from good: something always comes out, the same each time.
func TestWycheproofPKCS1Decrypt(t *testing.T) {
	f := setup(t)
	s := f.scheme(ck.CKM_RSA_PKCS, nil, mech.OpDecrypt)
	for _, g := range wycheproofGroups(t, "rsa_pkcs1_2048") {
		key := f.rsaKey(g.PrivateKeyPKCS8)
		for _, v := range g.Tests {
			got, err := f.Decrypt(nil, key, s, v.CT)
			switch {
			case v.has("InvalidCiphertextFormat"):
				if err == nil {
					t.Errorf("%d: a ciphertext that is none was decrypted", v.ID)
				}
			case err != nil, v.Result == "valid" && !bytes.Equal(got, v.Msg):
				t.Errorf("%d: %x (%v)", v.ID, got, err)
			case v.Result == "invalid":
				again, _ := f.Decrypt(nil, key, s, v.CT)
				if !bytes.Equal(got, again) || len(v.Msg) > 0 && bytes.Equal(got, v.Msg) {
					t.Errorf("%d: the synthetic plaintext is %x, then %x", v.ID, got, again)
				}
			}
		}
	}
}

func TestWycheproofPKCS1Sign(t *testing.T) {
	for _, file := range []string{"rsa_pkcs1_1024_sig_gen", "rsa_pkcs1_1536_sig_gen", "rsa_pkcs1_2048_sig_gen"} {
		f := setup(t)
		seen := 0
		for _, g := range wycheproofGroups(t, file) {
			if pkcs1[g.SHA] == 0 { // SHA-512/t, for which PKCS #11 has no mechanism
				continue
			}
			key := f.rsaKey(g.PrivateKeyPKCS8)
			s := f.scheme(pkcs1[g.SHA], nil, mech.OpSign)
			info := f.scheme(ck.CKM_RSA_PKCS, nil, mech.OpSign)
			raw := f.scheme(ck.CKM_RSA_X_509, nil, mech.OpSign)
			for _, v := range g.Tests {
				digest := mech.HashOf(digests[g.SHA]).Sum(nil, v.Msg)
				prefixed := append(s.Row.Hash.DigestInfoPrefix(nil), digest...)
				padded := append([]byte("\x00\x01"+strings.Repeat("\xff", len(v.Sig)-len(prefixed)-3)+"\x00"), prefixed...)
				for what, sign := range map[string]struct {
					s    *mech.Scheme
					data []byte
				}{"digest": {s, digest}, "DigestInfo": {info, prefixed}, "padded": {raw, padded}, "without the leading zero": {raw, padded[1:]}} {
					if got, err := f.Sign(nil, key, sign.s, sign.data); err != nil || !bytes.Equal(got, v.Sig) {
						t.Errorf("%s %d, %s: %x (%v)", file, v.ID, what, got, err)
					}
				}
				seen++
			}
		}
		if seen < 20 {
			t.Errorf("%s: only %d vectors", file, seen)
		}
	}
}

// opensslVectors were made with OpenSSL 4.0 and a key of its own: what it decrypts bad PKCS #1 v1.5 ciphertexts to, and PSS without salt.
type opensslVectors struct {
	PrivateKeyPKCS8 hexBytes `json:"privateKeyPkcs8"`
	Rejected        []struct{ CT, Msg hexBytes }
	PSS             []struct {
		SHA, MGFSHA string
		Msg, Sig    hexBytes
	}
}

func TestAgreesWithOpenSSL(t *testing.T) {
	text, err := os.ReadFile("testdata/rsa_openssl.json")
	if err != nil {
		t.Fatal(err)
	}
	var o opensslVectors
	if err := json.Unmarshal(text, &o); err != nil || len(o.Rejected) == 0 || len(o.PSS) == 0 {
		t.Fatal(err)
	}
	f := setup(t)
	key := f.rsaKey(o.PrivateKeyPKCS8)
	decrypt := f.scheme(ck.CKM_RSA_PKCS, nil, mech.OpDecrypt)
	for i, v := range o.Rejected {
		if got, err := f.Decrypt(nil, key, decrypt, v.CT); err != nil || !bytes.Equal(got, v.Msg) {
			t.Errorf("rejected %d: %x (%v), want %x", i, got, err, v.Msg)
		}
	}
	for i, v := range o.PSS {
		params := ck.PSSParams{Hash: digests[v.SHA], MGF: mgfs[v.MGFSHA]}
		digest := mech.HashOf(params.Hash).Sum(nil, v.Msg)
		if got, err := f.Sign(nil, key, f.scheme(ck.CKM_RSA_PKCS_PSS, params, mech.OpSign), digest); err != nil || !bytes.Equal(got, v.Sig) {
			t.Errorf("PSS %d: %x (%v), want %x", i, got, err, v.Sig)
		}
	}
}

// RFC 8032, sections 7.1 to 7.3.
func TestEd25519Vectors(t *testing.T) {
	f := setup(t)
	for _, v := range []struct {
		name, private, message, signature string
		params                            any
	}{
		{"TEST 2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00", nil},
		{"foo", "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6", "f726936d19c800494e3fdaff20b276a8",
			"55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d",
			ck.EdDSAParams{Context: []byte("foo")}},
		{"TEST abc", "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42", "616263",
			"98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
			ck.EdDSAParams{Prehash: true}},
	} {
		k := f.importKey(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_EC_EDWARDS), part(ck.CKA_EC_PARAMS, pubkey.Ed25519.Params), part(ck.CKA_VALUE, unhex(t, v.private)))
		got, err := f.Sign(nil, k.Ref, f.scheme(ck.CKM_EDDSA, v.params, mech.OpSign), unhex(t, v.message))
		if err != nil || !bytes.Equal(got, unhex(t, v.signature)) {
			t.Errorf("%s: %x (%v)", v.name, got, err)
		}
	}
}
