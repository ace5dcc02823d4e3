package vectors_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// answer is a row of testdata/openssl.json.
type answer struct {
	Mechanism           string
	Message, Result, IV hexBytes
}

// opensslAnswers runs testdata/openssl.json. What is deterministic must come out the same; the rest must verify.
func opensslAnswers(t *testing.T, tok *token) {
	text, err := os.ReadFile("testdata/openssl.json")
	must(t, err)
	var answers []answer
	must(t, json.Unmarshal(text, &answers))
	key, err := hex.DecodeString("00112233445566778899aabbccddeeff")
	must(t, err)
	rsaPublic, rsaPrivate := tok.importRSA(t, read(t, "rsa.pem").(*rsa.PrivateKey))
	ecPublic, _ := tok.importEC(t, read(t, "ec.pem").(*ecdsa.PrivateKey))
	secret, aes := tok.secret(t, pkcs11.CKK_GENERIC_SECRET, key), tok.secret(t, pkcs11.CKK_AES, key)

	for _, a := range answers {
		m := number(t, a.Mechanism)
		switch {
		case strings.Contains(a.Mechanism, "PSS"):
			check(t, a, tok.verify(tok.with(m, pssOf(a.Mechanism)), rsaPublic, a.Message, a.Result))
		case strings.Contains(a.Mechanism, "ECDSA"):
			check(t, a, tok.verify(tok.with(m, nil), ecPublic, a.Message, concatenated(t, a.Result)))
		case strings.Contains(a.Mechanism, "RSA"):
			tok.sameSignature(t, a, tok.with(m, nil), rsaPrivate, rsaPublic)
		case strings.HasSuffix(a.Mechanism, "_GENERAL"):
			parameter := binary.NativeEndian.AppendUint64(nil, uint64(len(a.Result)))
			tok.sameSignature(t, a, tok.with(m, parameter), pick(a, aes, secret), pick(a, aes, secret))
		case strings.HasSuffix(a.Mechanism, "MAC"):
			tok.sameSignature(t, a, tok.with(m, nil), pick(a, aes, secret), pick(a, aes, secret))
		case strings.Contains(a.Mechanism, "AES"):
			tok.sameCiphertext(t, a, m, aes)
		default:
			check(t, a, tok.DigestInit(tok.h, tok.with(m, nil)))
			digest, err := tok.Digest(tok.h, a.Message)
			check(t, a, err)
			equal(t, a, digest)
		}
	}
}

func pick(a answer, aes, secret pkcs11.ObjectHandle) pkcs11.ObjectHandle {
	if strings.Contains(a.Mechanism, "AES") {
		return aes
	}
	return secret
}

func (tok *token) sameSignature(t *testing.T, a answer, m []*pkcs11.Mechanism, private, public pkcs11.ObjectHandle) {
	t.Helper()
	signature, err := tok.sign(m, private, a.Message)
	check(t, a, err)
	equal(t, a, signature)
	check(t, a, tok.verify(m, public, a.Message, a.Result))
	a.Result[len(a.Result)-1] ^= 1
	if tok.verify(m, public, a.Message, a.Result) == nil {
		t.Errorf("%s: a changed signature is good", a.Mechanism)
	}
}

func (tok *token) sameCiphertext(t *testing.T, a answer, m ck.MechanismType, key pkcs11.ObjectHandle) {
	t.Helper()
	var parameter any
	if len(a.IV) > 0 {
		parameter = []byte(a.IV)
	}
	if m == ck.CKM_AES_CTR { // CK_AES_CTR_PARAMS: the bits that count, then the block
		parameter = append(binary.NativeEndian.AppendUint64(nil, 128), a.IV...)
	}
	out, err := tok.encrypt(tok.with(m, parameter), key, a.Message)
	check(t, a, err)
	equal(t, a, out)
	back, err := tok.decrypt(tok.with(m, parameter), key, a.Result)
	check(t, a, err)
	if !bytes.Equal(back, a.Message) {
		t.Errorf("%s: decrypted to %x", a.Mechanism, back)
	}
}

func check(t *testing.T, a answer, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", a.Mechanism, err)
	}
}

func equal(t *testing.T, a answer, got []byte) {
	t.Helper()
	if !bytes.Equal(got, a.Result) {
		t.Errorf("%s gives\n%x, not\n%x", a.Mechanism, got, []byte(a.Result))
	}
}

// number finds a mechanism by its name.
func number(t *testing.T, name string) ck.MechanismType {
	t.Helper()
	for m := range ck.MechanismType(0x4100) {
		if m.String() == name {
			return m
		}
	}
	t.Fatalf("there is no mechanism %s", name)
	return 0
}

// hashes are what parameters name a hash by, and its length.
var hashes = map[string]struct {
	mechanism ck.MechanismType
	mgf       uint
	size      int
}{
	"SHA1": {ck.CKM_SHA_1, ck.CKG_MGF1_SHA1, 20}, "SHA224": {ck.CKM_SHA224, ck.CKG_MGF1_SHA224, 28}, "SHA256": {ck.CKM_SHA256, ck.CKG_MGF1_SHA256, 32},
	"SHA384": {ck.CKM_SHA384, ck.CKG_MGF1_SHA384, 48}, "SHA512": {ck.CKM_SHA512, ck.CKG_MGF1_SHA512, 64},
	"SHA3_224": {ck.CKM_SHA3_224, ck.CKG_MGF1_SHA3_224, 28}, "SHA3_256": {ck.CKM_SHA3_256, ck.CKG_MGF1_SHA3_256, 32},
	"SHA3_384": {ck.CKM_SHA3_384, ck.CKG_MGF1_SHA3_384, 48}, "SHA3_512": {ck.CKM_SHA3_512, ck.CKG_MGF1_SHA3_512, 64},
}

func pssOf(mechanism string) []byte {
	h := hashes[strings.TrimSuffix(strings.TrimPrefix(mechanism, "CKM_"), "_RSA_PKCS_PSS")]
	return pkcs11.NewPSSParams(uint(h.mechanism), h.mgf, uint(h.size))
}

func read(t *testing.T, name string) any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	must(t, err)
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	must(t, err)
	return key
}

// concatenated turns a DER signature into r and s of 32 bytes each.
func concatenated(t *testing.T, der []byte) []byte {
	t.Helper()
	var s struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &s); err != nil {
		t.Fatal(err)
	}
	return append(s.R.FillBytes(make([]byte, 32)), s.S.FillBytes(make([]byte, 32))...)
}
