package ncryptmap_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// recipient takes in an RSA key that others are under.
func recipient(t *testing.T, s *token.Session, key *rsa.PrivateKey, more ...attr.Attribute) ck.ObjectHandle {
	t.Helper()
	tmpl := append(rsaTemplate("recipient")[:2], append(attr.Template{{Type: ck.CKA_UNWRAP, Value: attr.Bool(true)}}, more...)...)
	h, err := s.CreateObject(append(tmpl, inBlob("RSAPRIVATEBLOB", rsaBlob(key, "RSAPRIVATEBLOB"))...))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// importBlob is C_UnwrapKey with CKM_NCRYPT_IMPORT_BLOB.
func importBlob(name string, buffers ...ck.NCryptBuffer) ck.Mechanism {
	return ck.Mechanism{Type: ck.CKM_NCRYPT_IMPORT_BLOB, Params: ck.NCryptBlobParams{BlobType: name, Buffers: buffers}}
}

func namedAlgorithm(name string) ck.NCryptBuffer {
	return ck.NCryptBuffer{Type: 45, Value: utf16z(name)}
}

func ulongOf(t *testing.T, s *token.Session, h ck.ObjectHandle, typ ck.AttributeType) (number uint) {
	t.Helper()
	readings := []token.Reading{{Type: typ}}
	if err := s.GetAttributes(h, readings, func() { number, _ = attr.ParseULong(readings[0].Value) }); err != nil || readings[0].Err != nil {
		t.Fatal(err, readings[0].Err)
	}
	return number
}

// publicInfo is CKA_PUBLIC_KEY_INFO.
func publicInfo(t *testing.T, s *token.Session, h ck.ObjectHandle) []byte {
	t.Helper()
	set := attributesOf(t, s, h)
	return set[slices.Index(everyAttribute, ck.CKA_PUBLIC_KEY_INFO)]
}

func private(keyType ck.KeyType, more ...attr.Attribute) attr.Template {
	return append(attr.Template{{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(keyType))}}, more...)
}

// Blobs that are under another key come in through C_UnwrapKey, each by the mechanism that opens it, and by the one that takes the blob's type.
func TestSealedBlobsInUnwrapKey(t *testing.T) {
	s := tokenSession(t, store.PolicySoftware)
	owner := someRSA[2048]()
	under := recipient(t, s, owner)
	cert := certificate(t, owner, 1)
	key := samples()["P-256"]
	signer := attr.Attribute{Type: ck.CKA_NCRYPT_PROTECTION, Value: attr.ULong(uint(plan.Prefer))}
	isolatedKey := isolatedEnvelope(t, &owner.PublicKey, plan.NCRYPT_ALLOW_SIGNING_FLAG, 0, "ECDSA_P256", pkcs8(t, key))
	cms := openssl(t, map[string][]byte{"content": withUsage(t, pkcs8(t, key), 0), "pem": inPEM(t, cert)}, "out",
		"cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-out", "out", "-aes256", "pem")
	blob := openssl(t, map[string][]byte{"content": rsaBlob(owner, "RSAPRIVATEBLOB"), "pem": inPEM(t, cert)}, "out",
		"cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-out", "out", "-des3", "pem")
	wrapped := rapw(t, &owner.PublicKey, sha256.New(), "SHA256", "", 32, pkcs8(t, key))
	for _, test := range []struct {
		what  string
		m     ck.Mechanism
		data  []byte
		t     attr.Template
		usage uint
		want  ck.RV
	}{
		{"an isolated key", ck.Mechanism{Type: ck.CKM_NCRYPT_ISOLATED_ENVELOPE}, isolatedKey, attr.Template{signer}, 2, ck.CKR_OK},
		{"an isolated key, by its blob", importBlob("ISOLATED_KEY_ENVELOPE"), isolatedKey, attr.Template{signer}, 2, ck.CKR_OK},
		{"an isolated key that must be", ck.Mechanism{Type: ck.CKM_NCRYPT_ISOLATED_ENVELOPE}, isolatedKey, nil, 0, ck.CKR_FUNCTION_REJECTED},
		{"an isolated key for all", importBlob("ISOLATED_KEY_ENVELOPE"), isolatedKey,
			attr.Template{signer, {Type: ck.CKA_NCRYPT_KEY_USAGE, Value: attr.ULong(3)}}, 0, ck.CKR_TEMPLATE_INCONSISTENT},
		{"an isolated key that agrees", importBlob("ISOLATED_KEY_ENVELOPE"), isolatedKey, attr.Template{signer, {Type: ck.CKA_DERIVE, Value: attr.Bool(true)}}, 0, ck.CKR_TEMPLATE_INCONSISTENT},
		{"an isolated key that leaves", importBlob("ISOLATED_KEY_ENVELOPE"), isolatedKey, attr.Template{signer, {Type: ck.CKA_EXTRACTABLE, Value: attr.Bool(true)}}, 0, ck.CKR_TEMPLATE_INCONSISTENT},
		{"an isolated key of another type", importBlob("ISOLATED_KEY_ENVELOPE"), isolatedKey, append(private(ck.CKK_RSA), signer), 0, ck.CKR_TEMPLATE_INCONSISTENT},

		{"an envelope", ck.Mechanism{Type: ck.CKM_NCRYPT_PKCS7_ENVELOPE}, cms, private(ck.CKK_EC), 2, ck.CKR_OK},
		{"an envelope for a certificate", ck.Mechanism{Type: ck.CKM_NCRYPT_PKCS7_ENVELOPE, Params: ck.RawParams(cert)}, cms, private(ck.CKK_EC), 2, ck.CKR_OK},
		{"an envelope, by its blob", importBlob("PKCS7_ENVELOPE", ck.NCryptBuffer{Type: 47, Value: cert}, namedAlgorithm("ECDSA_P256")), cms, nil, 2, ck.CKR_OK},
		{"an envelope with a CNG blob under 3DES", importBlob("PKCS7_ENVELOPE"), blob, private(ck.CKK_RSA), 0x00ffffff, ck.CKR_OK},
		{"an envelope for another", ck.Mechanism{Type: ck.CKM_NCRYPT_PKCS7_ENVELOPE, Params: ck.RawParams(certificate(t, owner, 2))}, cms, private(ck.CKK_EC), 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"an envelope of another type", ck.Mechanism{Type: ck.CKM_NCRYPT_PKCS7_ENVELOPE}, cms, private(ck.CKK_RSA), 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"an envelope, and more usage", ck.Mechanism{Type: ck.CKM_NCRYPT_PKCS7_ENVELOPE}, cms, private(ck.CKK_EC, attr.Attribute{Type: ck.CKA_DERIVE, Value: attr.Bool(true)}), 0, ck.CKR_TEMPLATE_INCONSISTENT},

		{"RSA and AES", importBlob("PKCS11RsaAesWrapBlob", namedAlgorithm("ECDSA_P256")), wrapped, nil, 2, ck.CKR_OK},
		{"RSA and AES, of the other group", importBlob("PKCS11RsaAesWrapBlob", namedAlgorithm("ECDH_P256")), wrapped, nil, 0x00ffffff, ck.CKR_OK},
		{"RSA and AES without an algorithm", importBlob("PKCS11RsaAesWrapBlob"), wrapped, nil, 0, ck.CKR_TEMPLATE_INCOMPLETE},
		{"RSA and AES, damaged", importBlob("PKCS11RsaAesWrapBlob"), wrapped[:20], private(ck.CKK_EC), 0, ck.CKR_WRAPPED_KEY_INVALID},
		{"no such type", importBlob("RSAPRIVATEBLOB"), wrapped, private(ck.CKK_EC), 0, ck.CKR_MECHANISM_PARAM_INVALID},
		{"AES, under RSA", importBlob("Rfc3565KeyWrapBlob", namedAlgorithm("AES")), wrapped, nil, 0, ck.CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT},
	} {
		h, err := s.UnwrapKey(test.m, under, test.data, slices.Clone(test.t))
		wantCode(t, test.what, err, test.want)
		if err != nil || test.want != ck.CKR_OK {
			continue
		}
		if usage := ulongOf(t, s, h, ck.CKA_NCRYPT_KEY_USAGE); usage != test.usage {
			t.Errorf("%s: usage %#x", test.what, usage)
		}
		if test.usage == 2 && flagOf(t, s, h, ck.CKA_DERIVE) {
			t.Errorf("%s: it agrees on secrets", test.what)
		}
		if len(publicInfo(t, s, h)) == 0 {
			t.Errorf("%s: no public half", test.what)
		}
	}
}

// A key that opens isolated keys and nothing else lets nobody have one that could leave: the guard says so, whatever the program asks for.
func TestKeyThatOpensIsolatedKeysOnly(t *testing.T) {
	s := tokenSession(t, store.PolicySoftware)
	owner := someRSA[2048]()
	only := ck.CKM_NCRYPT_ISOLATED_ENVELOPE
	under := recipient(t, s, owner, attr.Attribute{Type: ck.CKA_ALLOWED_MECHANISMS, Value: attr.ULong(uint(only))})
	data := isolatedEnvelope(t, &owner.PublicKey, plan.NCRYPT_ALLOW_SIGNING_FLAG, 0, "ECDSA_P256", pkcs8(t, samples()["P-256"]))
	preferred := attr.Template{{Type: ck.CKA_NCRYPT_PROTECTION, Value: attr.ULong(uint(plan.Prefer))}}
	for _, m := range []ck.Mechanism{{Type: only}, importBlob("ISOLATED_KEY_ENVELOPE")} {
		if _, err := s.UnwrapKey(m, under, data, preferred); err != nil {
			t.Error(err)
		}
	}
	_, err := s.UnwrapKey(ck.Mechanism{Type: ck.CKM_RSA_PKCS_OAEP, Params: oaepSHA256}, under, make([]byte, 256), private(ck.CKK_EC))
	wantCode(t, "another mechanism", err, ck.CKR_MECHANISM_INVALID)
	_, err = s.UnwrapKey(importBlob("PKCS7_ENVELOPE"), under, data, private(ck.CKK_EC))
	wantCode(t, "another blob", err, ck.CKR_MECHANISM_INVALID)
}

// A blob under AES comes in by its type, and an opaque one goes back into its token with what it was told.
func TestBlobsUnderAES(t *testing.T) {
	site := open(t, t.TempDir())
	madeToken(t, site.engine, store.PolicySoftware)
	s := sessionOf(t, site.engine)
	kek, err := s.GenerateKey(ck.Mechanism{Type: ck.CKM_AES_KEY_GEN}, attr.Template{{Type: ck.CKA_VALUE_LEN, Value: attr.ULong(32)}})
	if err != nil {
		t.Fatal(err)
	}
	inner, err := s.CreateObject(attr.Template{{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_AES))},
		{Type: ck.CKA_VALUE, Value: bytes.Repeat([]byte{7}, 16)}, {Type: ck.CKA_EXTRACTABLE, Value: attr.Bool(true)}})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 100)
	n, err := s.WrapKey(ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP}, kek, inner, token.Output{Buf: out})
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.UnwrapKey(importBlob("Rfc3565KeyWrapBlob", namedAlgorithm("AES")), kek, out[:n], nil)
	if err != nil || ulongOf(t, s, h, ck.CKA_VALUE_LEN) != 16 {
		t.Errorf("AES under AES: %v", err)
	}

	exported := site.imported("RSAPRIVATEBLOB", "opaque", rsaBlob(someRSA[2048](), "RSAPRIVATEBLOB"), notFinal)
	site.must(site.set(exported, "Export Policy", 1))
	site.must(site.FinalizeKey(exported, 0))
	data := site.export(exported, "OpaqueTransport")
	site.must(site.DeleteKey(exported, 0))
	kept := attr.Attribute{Type: ck.CKA_TOKEN, Value: attr.Bool(true)}
	transport := privateOrSecret(t, s, []byte("ncrypt11 transport"))
	_, err = s.UnwrapKey(importBlob("OpaqueTransport"), transport, data, attr.Template{kept, {Type: ck.CKA_NCRYPT_EXPORT_POLICY, Value: attr.ULong(3)}})
	wantCode(t, "more than it may", err, ck.CKR_TEMPLATE_INCONSISTENT)
	_, err = s.UnwrapKey(importBlob("OpaqueTransport"), transport, data, attr.Template{kept, {Type: ck.CKA_NCRYPT_KEY_NAME, Value: []byte("another")}})
	wantCode(t, "another name", err, ck.CKR_TEMPLATE_INCONSISTENT)
	h, err = s.UnwrapKey(importBlob("OpaqueTransport"), transport, data, attr.Template{kept})
	if err != nil || ulongOf(t, s, h, ck.CKA_NCRYPT_EXPORT_POLICY) != 1 {
		t.Errorf("opaque: %v", err)
	}
	site.opened("opaque", 0)
	changed := slices.Clone(data)
	changed[8] |= 2 // the export policy
	_, err = s.UnwrapKey(importBlob("OpaqueTransport"), transport, changed, attr.Template{kept, {Type: ck.CKA_NCRYPT_OVERWRITE, Value: attr.Bool(true)}})
	wantCode(t, "a changed policy", err, ck.CKR_WRAPPED_KEY_INVALID)
}

func privateOrSecret(t *testing.T, s *token.Session, id []byte) ck.ObjectHandle {
	t.Helper()
	if err := s.FindObjectsInit(attr.Template{{Type: ck.CKA_ID, Value: id}}); err != nil {
		t.Fatal(err)
	}
	found, err := s.FindObjects(2)
	if err != nil || len(found) != 1 || s.FindObjectsFinal() != nil {
		t.Fatalf("%d keys, %v", len(found), err)
	}
	return found[0]
}

// What an envelope says that its key is for stays the most that it does, whatever is asked of it later, and however it was taken in.
func TestKeysFromEnvelopesGetNoOtherUse(t *testing.T) {
	s := tokenSession(t, store.PolicySoftware)
	owner := someRSA[2048]()
	under := recipient(t, s, owner)
	key := samples()["P-256"]
	isolatedKey := isolatedEnvelope(t, &owner.PublicKey, plan.NCRYPT_ALLOW_SIGNING_FLAG, 0, "ECDSA_P256", pkcs8(t, key))
	cms := openssl(t, map[string][]byte{"content": withUsage(t, pkcs8(t, key), 0), "pem": inPEM(t, certificate(t, owner, 1))}, "out",
		"cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-out", "out", "-aes256", "pem")
	derive := attr.Attribute{Type: ck.CKA_DERIVE, Value: attr.Bool(true)}
	sign := func(on bool) attr.Template { return attr.Template{{Type: ck.CKA_SIGN, Value: attr.Bool(on)}} }
	begun := attr.Attribute{Type: ck.CKA_NCRYPT_DO_NOT_FINALIZE, Value: attr.Bool(true)}
	final := attr.Attribute{Type: ck.CKA_NCRYPT_STATE, Value: attr.ULong(ck.CK_NCRYPT_STATE_FINAL)}
	for name, test := range map[string]struct {
		m    ck.MechanismType
		data []byte
		t    attr.Template
	}{
		"isolated": {ck.CKM_NCRYPT_ISOLATED_ENVELOPE, isolatedKey, attr.Template{{Type: ck.CKA_NCRYPT_PROTECTION, Value: attr.ULong(uint(plan.Prefer))}}},
		"PKCS #7":  {ck.CKM_NCRYPT_PKCS7_ENVELOPE, cms, private(ck.CKK_EC)},
	} {
		for _, kept := range []bool{false, true} {
			tmpl := append(slices.Clone(test.t), attr.Attribute{Type: ck.CKA_TOKEN, Value: attr.Bool(kept)})
			h, err := s.UnwrapKey(ck.Mechanism{Type: test.m}, under, test.data, slices.Clone(tmpl))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			wantCode(t, name+", another use", s.SetAttributes(h, attr.Template{derive}), ck.CKR_ATTRIBUTE_READ_ONLY)
			_, err = s.CopyObject(h, attr.Template{derive})
			wantCode(t, name+", a copy for another use", err, ck.CKR_ATTRIBUTE_READ_ONLY)
			wantCode(t, name+", no use", s.SetAttributes(h, sign(false)), ck.CKR_OK)
			wantCode(t, name+", its use again", s.SetAttributes(h, sign(true)), ck.CKR_OK)

			h, err = s.UnwrapKey(ck.Mechanism{Type: test.m}, under, test.data, append(slices.Clone(tmpl), begun))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			wantCode(t, name+", another use in two steps", s.SetAttributes(h, attr.Template{derive, final}), ck.CKR_ATTRIBUTE_READ_ONLY)
			wantCode(t, name+", the second step", s.SetAttributes(h, attr.Template{final}), ck.CKR_OK)
		}
	}
}

// A key that dies with the boot by its envelope does so wherever it is said that it is kept.
func TestEnvelopesOfOneBoot(t *testing.T) {
	s := isolatedSession(t)
	owner := someRSA[2048]()
	tokenObjects := attr.EncodeNested(attr.Template{{Type: ck.CKA_TOKEN, Value: attr.Bool(true)}})
	under := recipient(t, s, owner, attr.Attribute{Type: ck.CKA_UNWRAP_TEMPLATE, Value: tokenObjects})
	data := isolatedEnvelope(t, &owner.PublicKey, plan.NCRYPT_ALLOW_SIGNING_FLAG, 1, "ECDSA_P256", pkcs8(t, samples()["P-256"]))
	h, err := s.UnwrapKey(ck.Mechanism{Type: ck.CKM_NCRYPT_ISOLATED_ENVELOPE}, under, data, attr.Template{{Type: ck.CKA_PRIVATE, Value: attr.Bool(true)}})
	if err != nil {
		t.Fatal(err)
	}
	outlives := func(how string, h ck.ObjectHandle) {
		if !flagOf(t, s, h, ck.CKA_TOKEN) || !flagOf(t, s, h, ck.CKA_NCRYPT_PER_BOOT) {
			t.Errorf("%s: it outlives the boot", how)
		}
	}
	outlives("kept by the unwrapping key's template", h)

	under = recipient(t, s, owner, attr.Attribute{Type: ck.CKA_LABEL, Value: []byte("another")})
	kept := attr.Template{{Type: ck.CKA_TOKEN, Value: attr.Bool(true)}}
	h, err = s.UnwrapKey(ck.Mechanism{Type: ck.CKM_NCRYPT_ISOLATED_ENVELOPE}, under, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := s.CopyObject(h, kept)
	if err != nil {
		t.Fatal(err)
	}
	outlives("a copy that is kept", copied)
	h, err = s.UnwrapKey(ck.Mechanism{Type: ck.CKM_NCRYPT_ISOLATED_ENVELOPE}, under, data, attr.Template{{Type: ck.CKA_NCRYPT_DO_NOT_FINALIZE, Value: attr.Bool(true)}})
	if err != nil {
		t.Fatal(err)
	}
	never := attr.Template{{Type: ck.CKA_NCRYPT_PER_BOOT, Value: attr.Bool(false)}}
	wantCode(t, "said otherwise in two steps", s.SetAttributes(h, append(kept, never...)), ck.CKR_ATTRIBUTE_READ_ONLY)
	wantCode(t, "final", s.SetAttributes(h, append(kept, attr.Attribute{Type: ck.CKA_NCRYPT_STATE, Value: attr.ULong(ck.CK_NCRYPT_STATE_FINAL)})), ck.CKR_OK)
	outlives("in two steps", h)
}
