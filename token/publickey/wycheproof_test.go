package publickey_test

import (
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"math/big"
	"strings"
	"testing"

	"github.com/c2sp/wycheproof"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

type group struct {
	PublicKeyDer hexBytes
	Sha, MgfSha  string
	SLen         uint
	Tests        []vector
}

type vector struct {
	TcID     int
	Comment  string
	Flags    []string
	Msg, Sig hexBytes
	Result   string
}

func groups(t *testing.T, file string) []group {
	t.Helper()
	data, err := fs.ReadFile(wycheproof.TestVectors, file)
	if err != nil {
		t.Fatal(err)
	}
	var content struct{ TestGroups []group }
	if err := json.Unmarshal(data, &content); err != nil {
		t.Fatal(err)
	}
	if len(content.TestGroups) == 0 {
		t.Fatalf("%s is empty", file)
	}
	return content.TestGroups
}

// verifyAll runs a file's vectors. convert makes the signature that PKCS #11 has of the file's; false: there is none, and the vector
// must be an invalid one. accepts says which vectors that the file does not call valid are good all the same.
func verifyAll(t *testing.T, file string, pick func(g *group) *mech.Scheme, convert func(sig []byte) ([]byte, bool), accepts func(v *vector) bool) {
	valid, invalid := 0, 0
	for _, g := range groups(t, file) {
		s := pick(&g)
		if s == nil {
			continue
		}
		public, err := pubkey.ParseSPKI(g.PublicKeyDer)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		key := parse(t, public)
		for _, v := range g.Tests {
			want := v.Result == "valid" || accepts != nil && accepts(&v)
			sig, ok := []byte(v.Sig), true
			if convert != nil {
				sig, ok = convert(sig)
			}
			if !ok {
				if want {
					t.Errorf("%s %d %s: no such signature", file, v.TcID, v.Comment)
				}
				continue
			}
			err := key.Verify(s, digest(s, v.Msg), sig)
			if got := err == nil; got != want {
				t.Errorf("%s %d %s %v: %v, want valid: %v", file, v.TcID, v.Comment, v.Flags, err, want)
			}
			if rv := ck.Code(err); err != nil && rv != ck.CKR_SIGNATURE_INVALID && rv != ck.CKR_SIGNATURE_LEN_RANGE {
				t.Errorf("%s %d %s: %v", file, v.TcID, v.Comment, err)
			}
			if want {
				valid++
			} else {
				invalid++
			}
		}
	}
	if valid == 0 {
		t.Errorf("%s: no valid vector was run", file)
	}
	t.Logf("%s: %d valid, %d invalid", file, valid, invalid)
}

func fixed(s *mech.Scheme) func(*group) *mech.Scheme { return func(*group) *mech.Scheme { return s } }

func TestWycheproofRSAPKCS1(t *testing.T) {
	mechanisms := map[string]ck.MechanismType{
		"sha224": ck.CKM_SHA224_RSA_PKCS, "sha256": ck.CKM_SHA256_RSA_PKCS, "sha384": ck.CKM_SHA384_RSA_PKCS, "sha512": ck.CKM_SHA512_RSA_PKCS,
		"sha3_224": ck.CKM_SHA3_224_RSA_PKCS, "sha3_256": ck.CKM_SHA3_256_RSA_PKCS, "sha3_384": ck.CKM_SHA3_384_RSA_PKCS,
		"sha3_512": ck.CKM_SHA3_512_RSA_PKCS,
	}
	files, err := fs.Glob(wycheproof.TestVectors, "rsa_signature_*_test.json")
	if err != nil {
		t.Fatal(err)
	}
	ran := map[ck.MechanismType]bool{}
	for _, file := range files {
		parts := strings.SplitN(strings.TrimSuffix(file, "_test.json"), "_", 4) // rsa_signature_2048_sha256
		if typ, ok := mechanisms[parts[3]]; ok {
			// "acceptable" is a DigestInfo without the NULL: refused, as RFC 8017 lets a verifier do that compares encodings.
			verifyAll(t, file, fixed(scheme(t, typ, nil, mech.OpVerify)), nil, nil)
			ran[typ] = true
		}
	}
	if len(ran) != len(mechanisms) {
		t.Errorf("only %d of %d mechanisms were run", len(ran), len(mechanisms))
	}
}

func TestWycheproofRSAPSS(t *testing.T) {
	combined := map[mech.Hash]ck.MechanismType{
		mech.SHA1: ck.CKM_SHA1_RSA_PKCS_PSS, mech.SHA224: ck.CKM_SHA224_RSA_PKCS_PSS, mech.SHA256: ck.CKM_SHA256_RSA_PKCS_PSS,
		mech.SHA384: ck.CKM_SHA384_RSA_PKCS_PSS, mech.SHA512: ck.CKM_SHA512_RSA_PKCS_PSS,
	}
	hashes := map[string]mech.Hash{
		"SHA-1": mech.SHA1, "SHA-224": mech.SHA224, "SHA-256": mech.SHA256, "SHA-384": mech.SHA384, "SHA-512": mech.SHA512,
	}
	for _, file := range []string{
		"rsa_pss_2048_sha1_mgf1_20_test.json", "rsa_pss_2048_sha256_mgf1_0_test.json", "rsa_pss_2048_sha256_mgf1_32_test.json",
		"rsa_pss_2048_sha256_mgf1sha1_20_test.json", "rsa_pss_2048_sha384_mgf1_48_test.json", "rsa_pss_3072_sha256_mgf1_32_test.json",
		"rsa_pss_4096_sha256_mgf1_32_test.json", "rsa_pss_4096_sha384_mgf1_48_test.json", "rsa_pss_4096_sha512_mgf1_32_test.json",
		"rsa_pss_4096_sha512_mgf1_64_test.json", "rsa_pss_misc_test.json",
	} {
		verifyAll(t, file, func(g *group) *mech.Scheme {
			hash, mask := hashes[g.Sha], hashes[g.MgfSha]
			if hash == 0 || mask == 0 {
				return nil // truncated SHA-512, for which PKCS #11 has no CKG_MGF1_*
			}
			return scheme(t, combined[hash], ck.PSSParams{Hash: hash.Mechanism(), MGF: mask.MGF(), SaltLen: g.SLen}, mech.OpVerify)
		}, nil, nil)
	}
}

var ecdsaFiles = []struct {
	curve, hash string
	typ         ck.MechanismType
}{
	{"secp256r1", "sha256", ck.CKM_ECDSA_SHA256}, {"secp256r1", "sha512", ck.CKM_ECDSA_SHA512},
	{"secp256r1", "sha3_256", ck.CKM_ECDSA_SHA3_256}, {"secp256r1", "sha3_512", ck.CKM_ECDSA_SHA3_512},
	{"secp384r1", "sha256", ck.CKM_ECDSA_SHA256}, {"secp384r1", "sha384", ck.CKM_ECDSA_SHA384}, {"secp384r1", "sha512", ck.CKM_ECDSA_SHA512},
	{"secp384r1", "sha3_384", ck.CKM_ECDSA_SHA3_384}, {"secp384r1", "sha3_512", ck.CKM_ECDSA_SHA3_512},
	{"secp521r1", "sha512", ck.CKM_ECDSA_SHA512}, {"secp521r1", "sha3_512", ck.CKM_ECDSA_SHA3_512},
}

// The DER vectors say nothing of DER here, since PKCS #11 has r || s; what they say of r and s counts.
func TestWycheproofECDSA(t *testing.T) {
	for _, test := range ecdsaFiles {
		file := "ecdsa_" + test.curve + "_" + test.hash + "_test.json"
		verifyAll(t, file, fixed(scheme(t, test.typ, nil, mech.OpVerify)), fromDER, nil)
	}
}

func fromDER(sig []byte) ([]byte, bool) {
	var numbers struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(sig, &numbers)
	if err != nil || len(rest) != 0 || numbers.R.Sign() < 0 || numbers.S.Sign() < 0 {
		return nil, false
	}
	half := max(len(numbers.R.Bytes()), len(numbers.S.Bytes()), 1)
	out := make([]byte, 2*half)
	numbers.R.FillBytes(out[:half])
	numbers.S.FillBytes(out[half:])
	// encoding/asn1 ignores a trailing element of a sequence, and a strict encoder makes one form only.
	if strict, err := asn1.Marshal(numbers); err != nil || string(strict) != string(sig) {
		return nil, false
	}
	return out, true
}

func TestWycheproofECDSAP1363(t *testing.T) {
	for _, test := range ecdsaFiles {
		file := "ecdsa_" + test.curve + "_" + test.hash + "_p1363_test.json"
		if _, err := fs.Stat(wycheproof.TestVectors, file); err != nil {
			continue
		}
		size := map[string]int{"secp256r1": 32, "secp384r1": 48, "secp521r1": 66}[test.curve]
		verifyAll(t, file, fixed(scheme(t, test.typ, nil, mech.OpVerify)), nil, func(v *vector) bool {
			// The right numbers in fewer bytes are no P1363 signature. In PKCS #11 they are one.
			return v.Comment == "incorrect size of signature" && len(v.Sig) < 2*size && len(v.Sig)%2 == 0
		})
	}
}

func TestWycheproofEd25519(t *testing.T) {
	verifyAll(t, "ed25519_test.json", fixed(scheme(t, ck.CKM_EDDSA, nil, mech.OpVerify)), nil, nil)
}
