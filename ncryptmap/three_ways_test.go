package ncryptmap_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// mustDiffer are the attributes by which the same key, taken in in three ways, is three keys.
var mustDiffer = map[ck.AttributeType]string{
	ck.CKA_UNIQUE_ID:          "names the object",
	ck.CKA_LABEL:              "the name",
	ck.CKA_ID:                 "follows the name",
	ck.CKA_NCRYPT_KEY_NAME:    "the name",
	ck.CKA_NCRYPT_UNIQUE_NAME: "the name",
	ck.CKA_NCRYPT_MODIFIED:    "when it was made",
}

// everyAttribute is what a private key can have.
var everyAttribute = []ck.AttributeType{
	ck.CKA_CLASS, ck.CKA_TOKEN, ck.CKA_PRIVATE, ck.CKA_LABEL, ck.CKA_UNIQUE_ID, ck.CKA_KEY_TYPE, ck.CKA_SUBJECT, ck.CKA_ID, ck.CKA_SENSITIVE, ck.CKA_DECRYPT,
	ck.CKA_UNWRAP, ck.CKA_SIGN, ck.CKA_SIGN_RECOVER, ck.CKA_DERIVE, ck.CKA_START_DATE, ck.CKA_END_DATE, ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT, ck.CKA_PUBLIC_KEY_INFO,
	ck.CKA_EXTRACTABLE, ck.CKA_LOCAL, ck.CKA_NEVER_EXTRACTABLE, ck.CKA_ALWAYS_SENSITIVE, ck.CKA_KEY_GEN_MECHANISM, ck.CKA_MODIFIABLE, ck.CKA_COPYABLE, ck.CKA_DESTROYABLE,
	ck.CKA_ALWAYS_AUTHENTICATE, ck.CKA_WRAP_WITH_TRUSTED, ck.CKA_UNWRAP_TEMPLATE, ck.CKA_DERIVE_TEMPLATE, ck.CKA_ALLOWED_MECHANISMS,
	ck.CKA_NCRYPT_PROTECTION, ck.CKA_NCRYPT_ISOLATED, ck.CKA_NCRYPT_PER_BOOT, ck.CKA_NCRYPT_USABLE, ck.CKA_NCRYPT_EXPORT_POLICY, ck.CKA_NCRYPT_KEY_USAGE,
	ck.CKA_NCRYPT_STATE, ck.CKA_NCRYPT_ARCHIVES_LEFT, ck.CKA_NCRYPT_SCOPE, ck.CKA_NCRYPT_UNIQUE_NAME, ck.CKA_NCRYPT_MODIFIED, ck.CKA_NCRYPT_ISO_FLAGS, ck.CKA_NCRYPT_KEY_NAME,
}

// An RSA key that comes in through NCryptImportKey, C_CreateObject or C_UnwrapKey is the same key afterwards.
func TestThreeWaysIn(t *testing.T) {
	s := open(t, t.TempDir())
	key := someRSA[2048]()
	s.imported("RSAFULLPRIVATEBLOB", "by NCrypt", rsaBlob(key, "RSAFULLPRIVATEBLOB"), 0)
	session := sessionOf(t, s.engine)
	ways := map[string]ck.ObjectHandle{
		"NCryptImportKey": privateKey(t, session, "by NCrypt"),
		"C_CreateObject":  createdFrom(t, session, key, "created"),
		"C_UnwrapKey":     unwrappedFrom(t, session, key, "unwrapped"),
		"CKA_NCRYPT_BLOB": blobFrom(t, session, key, "blob"),
	}
	want := attributesOf(t, session, ways["NCryptImportKey"])
	for way, h := range ways {
		got := attributesOf(t, session, h)
		for i, typ := range everyAttribute {
			same := bytes.Equal(got[i], want[i]) && (got[i] == nil) == (want[i] == nil)
			if reason, different := mustDiffer[typ]; way != "NCryptImportKey" && different && typ != ck.CKA_NCRYPT_MODIFIED && same {
				t.Errorf("%s: %v is %x as well, and %s", way, typ, got[i], reason)
			} else if !different && !same {
				t.Errorf("%s: %v is %x, by NCryptImportKey %x", way, typ, got[i], want[i])
			}
		}
	}
}

// sessionOf opens a session with the only token that is initialized.
func sessionOf(t *testing.T, engine *token.Provider) *token.Session {
	t.Helper()
	slots, err := engine.SlotList(true)
	if err != nil || len(slots) != 2 {
		t.Fatalf("slots %v, %v", slots, err)
	}
	h, err := engine.OpenSession(slots[0], ck.CKF_SERIAL_SESSION|ck.CKF_RW_SESSION)
	if err != nil {
		t.Fatal(err)
	}
	session, err := engine.Session(h)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func privateKey(t *testing.T, s *token.Session, label string) ck.ObjectHandle {
	t.Helper()
	err := s.FindObjectsInit(attr.Template{{Type: ck.CKA_LABEL, Value: []byte(label)}, {Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))}})
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.FindObjects(2)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d keys %q, %v", len(found), label, err)
	}
	if err := s.FindObjectsFinal(); err != nil {
		t.Fatal(err)
	}
	return found[0]
}

func attributesOf(t *testing.T, s *token.Session, h ck.ObjectHandle) [][]byte {
	t.Helper()
	readings := make([]token.Reading, len(everyAttribute))
	for i, typ := range everyAttribute {
		readings[i].Type = typ
	}
	values := make([][]byte, len(readings))
	if err := s.GetAttributes(h, readings, func() {
		for i, r := range readings {
			if r.Err == nil {
				values[i] = append([]byte{}, r.Value...)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	return values
}

// rsaTemplate is what a program says of an RSA key that it keeps; the token's semantics say the rest.
func rsaTemplate(label string) attr.Template {
	return attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_RSA))},
		{Type: ck.CKA_TOKEN, Value: attr.Bool(true)}, {Type: ck.CKA_LABEL, Value: []byte(label)}, {Type: ck.CKA_ID, Value: []byte(label)},
	}
}

func createdFrom(t *testing.T, s *token.Session, key *rsa.PrivateKey, label string) ck.ObjectHandle {
	t.Helper()
	template := rsaTemplate(label)
	for typ, number := range map[ck.AttributeType]*big.Int{
		ck.CKA_MODULUS: key.N, ck.CKA_PUBLIC_EXPONENT: big.NewInt(int64(key.E)), ck.CKA_PRIVATE_EXPONENT: key.D, ck.CKA_PRIME_1: key.Primes[0], ck.CKA_PRIME_2: key.Primes[1],
		ck.CKA_EXPONENT_1: key.Precomputed.Dp, ck.CKA_EXPONENT_2: key.Precomputed.Dq, ck.CKA_COEFFICIENT: key.Precomputed.Qinv,
	} {
		template = append(template, attr.Attribute{Type: typ, Value: number.Bytes()})
	}
	h, err := s.CreateObject(template)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// blobFrom has the key come in by C_CreateObject as NCrypt's blob.
func blobFrom(t *testing.T, s *token.Session, key *rsa.PrivateKey, label string) ck.ObjectHandle {
	t.Helper()
	h, err := s.CreateObject(append(rsaTemplate(label), inBlob("RSAFULLPRIVATEBLOB", rsaBlob(key, "RSAFULLPRIVATEBLOB"))...))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func inBlob(name string, data []byte) attr.Template {
	return attr.Template{{Type: ck.CKA_NCRYPT_BLOB_TYPE, Value: []byte(name)}, {Type: ck.CKA_NCRYPT_BLOB, Value: data}}
}

// unwrappedFrom has the key come in under an AES key that the token has for the session.
func unwrappedFrom(t *testing.T, s *token.Session, key *rsa.PrivateKey, label string) ck.ObjectHandle {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	wrapping, iv := make([]byte, 32), make([]byte, aes.BlockSize)
	block, err := aes.NewCipher(wrapping)
	if err != nil {
		t.Fatal(err)
	}
	n := aes.BlockSize - len(der)%aes.BlockSize
	der = append(der, bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(der, der)
	under, err := s.CreateObject(attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_AES))},
		{Type: ck.CKA_VALUE, Value: wrapping}, {Type: ck.CKA_UNWRAP, Value: attr.Bool(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.UnwrapKey(ck.Mechanism{Type: ck.CKM_AES_CBC_PAD, Params: ck.RawParams(iv)}, under, der, rsaTemplate(label))
	if err != nil {
		t.Fatal(err)
	}
	return h
}
