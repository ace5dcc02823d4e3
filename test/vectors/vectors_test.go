// Package vectors_test runs known answers through the C interface of the built library: every mechanism that it lists has at least one.
//
// They are Wycheproof's (https://github.com/c2sp/wycheproof), and where that has none OpenSSL's (testdata/make.sh).
package vectors_test

import (
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

const (
	pin   = "1234"
	soPIN = "12345678"
)

// token is a session with a user logged in, and which mechanisms were tried.
type token struct {
	*pkcs11.Ctx
	slot  uint
	h     pkcs11.SessionHandle
	tried map[ck.MechanismType]int
}

func TestVectors(t *testing.T) {
	tok := start(t)
	for _, family := range []struct {
		name string
		run  func(*testing.T, *token)
	}{
		{"OpenSSL", opensslAnswers}, {"AES", aesVectors}, {"KeyWrap", wrapVectors}, {"WrappedKeys", wrappedKeys}, {"MAC", macVectors}, {"RSA", rsaVectors},
		{"RSAEncryption", rsaEncryptionVectors}, {"ECDSA", ecdsaVectors}, {"EdDSA", eddsaVectors}, {"MLDSA", mldsaVectors}, {"ECDH", ecdhVectors}, {"HKDF", hkdfVectors}, {"Generation", generation},
	} {
		t.Run(family.name, func(t *testing.T) { family.run(t, tok) })
	}
	mechanisms, err := tok.GetMechanismList(tok.slot)
	if err != nil || len(mechanisms) == 0 {
		t.Fatalf("%d mechanisms, %v", len(mechanisms), err)
	}
	total := 0
	for _, m := range mechanisms {
		name := ck.MechanismType(m.Mechanism)
		if tok.tried[name] == 0 && elsewhere[name] == "" {
			t.Errorf("%v is offered without a known answer", name)
		}
		total += tok.tried[name]
	}
	t.Logf("%d answers for %d mechanisms", total, len(mechanisms))
}

// elsewhere has the mechanisms of functions that this client does not know, and of ncrypt11's own, which nobody else has answers for: their tests take what the
// standard library has encrypted, or is made byte by byte.
var elsewhere = map[ck.MechanismType]string{
	ck.CKM_ML_KEM:                    "token/guard/local has Wycheproof's, test/abi the C functions",
	ck.CKM_NCRYPT_IMPORT_BLOB:        "test/abi: ncrypt_blobs.c, and ncryptmap's tests of each type of blob",
	ck.CKM_NCRYPT_ISOLATED_ENVELOPE:  "token/guard/local: envelope_test.go; test/abi the C functions",
	ck.CKM_NCRYPT_PKCS7_ENVELOPE:     "token/guard/local: envelope_test.go; test/abi the C functions",
	ck.CKM_NCRYPT_SKI_SESSION:        "token/guard/local: ski_test.go; test/abi the C functions",
	ck.CKM_NCRYPT_SKI_IMPORT_KEYPAIR: "token/guard/local: ski_test.go; test/abi the C functions",
}

// start makes a token in a home of its own.
func start(t *testing.T) *token {
	t.Helper()
	t.Setenv("NCRYPT11_HOME", filepath.Join(t.TempDir(), "home"))
	module, err := filepath.Abs("../../build/libncrypt11.so")
	if err != nil {
		t.Fatal(err)
	}
	p := pkcs11.New(module)
	if p == nil {
		t.Fatalf("%s cannot be loaded: run make build first", module)
	}
	must(t, p.Initialize())
	t.Cleanup(func() {
		if err := p.Finalize(); err != nil {
			t.Error(err)
		}
		p.Destroy()
	})
	slots, err := p.GetSlotList(true)
	must(t, err)
	tok := &token{Ctx: p, slot: slots[0], tried: map[ck.MechanismType]int{}}
	must(t, p.InitToken(tok.slot, soPIN, "vectors"))
	tok.h, err = p.OpenSession(tok.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	must(t, err)
	must(t, p.Login(tok.h, pkcs11.CKU_SO, soPIN))
	must(t, p.InitPIN(tok.h, pin))
	must(t, p.Logout(tok.h))
	must(t, p.Login(tok.h, pkcs11.CKU_USER, pin))
	return tok
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// with gives the mechanism as a call wants it, and notes that it was tried.
func (tok *token) with(m ck.MechanismType, parameter any) []*pkcs11.Mechanism {
	tok.tried[m]++
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(uint(m), parameter)}
}

// object makes a session object; the caller destroys it.
func (tok *token) object(class, keyType uint, attributes ...*pkcs11.Attribute) (pkcs11.ObjectHandle, error) {
	template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, keyType)}
	return tok.CreateObject(tok.h, append(template, attributes...))
}

// secret imports a secret key that may be used for anything.
func (tok *token) secret(t *testing.T, keyType uint, value []byte) pkcs11.ObjectHandle {
	t.Helper()
	key, err := tok.object(pkcs11.CKO_SECRET_KEY, keyType, append(uses(pkcs11.CKA_ENCRYPT, pkcs11.CKA_DECRYPT, pkcs11.CKA_SIGN, pkcs11.CKA_VERIFY, pkcs11.CKA_WRAP,
		pkcs11.CKA_UNWRAP), pkcs11.NewAttribute(pkcs11.CKA_VALUE, value))...)
	must(t, err)
	return key
}

func uses(types ...uint) (attributes []*pkcs11.Attribute) {
	for _, typ := range types {
		attributes = append(attributes, pkcs11.NewAttribute(typ, true))
	}
	return attributes
}

func (tok *token) destroy(t *testing.T, key pkcs11.ObjectHandle) {
	t.Helper()
	if err := tok.DestroyObject(tok.h, key); err != nil {
		t.Error(err)
	}
}

func (tok *token) sign(m []*pkcs11.Mechanism, key pkcs11.ObjectHandle, data []byte) ([]byte, error) {
	if err := tok.SignInit(tok.h, m, key); err != nil {
		return nil, err
	}
	return tok.Sign(tok.h, data)
}

func (tok *token) verify(m []*pkcs11.Mechanism, key pkcs11.ObjectHandle, data, signature []byte) error {
	if err := tok.VerifyInit(tok.h, m, key); err != nil {
		return err
	}
	return tok.Verify(tok.h, data, signature)
}

func (tok *token) encrypt(m []*pkcs11.Mechanism, key pkcs11.ObjectHandle, data []byte) ([]byte, error) {
	if err := tok.EncryptInit(tok.h, m, key); err != nil {
		return nil, err
	}
	return tok.Encrypt(tok.h, data)
}

func (tok *token) decrypt(m []*pkcs11.Mechanism, key pkcs11.ObjectHandle, data []byte) ([]byte, error) {
	if err := tok.DecryptInit(tok.h, m, key); err != nil {
		return nil, err
	}
	return tok.Decrypt(tok.h, data)
}

// hexBytes are bytes that JSON writes in hexadecimal.
type hexBytes []byte

func (h *hexBytes) UnmarshalJSON(b []byte) (err error) {
	var s string
	if err = json.Unmarshal(b, &s); err == nil {
		*h, err = hex.DecodeString(s)
	}
	return err
}

// keyBytes are hexBytes in some files, and in others the numbers of a key, which are in its DER too.
type keyBytes []byte

func (k *keyBytes) UnmarshalJSON(b []byte) error {
	if b[0] != '"' {
		return nil
	}
	return (*hexBytes)(k).UnmarshalJSON(b)
}

// group and vector have the fields of all Wycheproof files that are read here.
type group struct {
	KeySize, IVSize, TagSize, SLen int
	SHA, MGFSHA                    string
	PublicKey                      keyBytes
	PublicKeyDER                   hexBytes `json:"publicKeyDer"`
	PrivateKeyPKCS8                hexBytes `json:"privateKeyPkcs8"`
	Tests                          []vector
}

type vector struct {
	ID      int `json:"tcId"`
	Comment string
	Flags   []string
	Result  string

	Key, IV, AAD, Msg, CT, Tag, Label, Public, Private, Shared, Sig, Ctx hexBytes
}

func (v *vector) has(flag string) bool { return slices.Contains(v.Flags, flag) }

// each runs test on every group of a Wycheproof file, and stops at the first vector that fails.
func each(t *testing.T, name string, test func(t *testing.T, g *group, v *vector)) {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, name+"_test.json")
	must(t, err)
	var file struct{ TestGroups []group }
	must(t, json.Unmarshal(text, &file))
	if len(file.TestGroups) == 0 {
		t.Fatalf("%s has no vectors", name)
	}
	for _, g := range file.TestGroups {
		for _, v := range g.Tests {
			test(t, &g, &v)
			if t.Failed() {
				t.Fatalf("%s %d: %s [%s]", name, v.ID, v.Comment, strings.Join(v.Flags, " "))
			}
		}
	}
}
