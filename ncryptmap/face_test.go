package ncryptmap_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// The behaviours of this file are those that a program sees that speaks PKCS #11.

func wantCode(t *testing.T, what string, err error, want ck.RV) {
	t.Helper()
	if ck.Code(err) != want {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func flagOf(t *testing.T, s *token.Session, h ck.ObjectHandle, typ ck.AttributeType) bool {
	t.Helper()
	readings := []token.Reading{{Type: typ}}
	value := false
	if err := s.GetAttributes(h, readings, func() { value = bytes.Equal(readings[0].Value, attr.Bool(true)) }); err != nil || readings[0].Err != nil {
		t.Fatal(err, readings[0].Err)
	}
	return value
}

// keyPair makes an RSA pair in the token that wraps and unwraps.
func keyPair(t *testing.T, s *token.Session, private ...attr.Attribute) (ck.ObjectHandle, ck.ObjectHandle) {
	t.Helper()
	public, h, err := s.GenerateKeyPair(ck.Mechanism{Type: ck.CKM_RSA_PKCS_KEY_PAIR_GEN},
		attr.Template{{Type: ck.CKA_MODULUS_BITS, Value: attr.ULong(2048)}, {Type: ck.CKA_WRAP, Value: attr.Bool(true)}},
		append(attr.Template{{Type: ck.CKA_UNWRAP, Value: attr.Bool(true)}}, private...))
	if err != nil {
		t.Fatal(err)
	}
	return public, h
}

var oaepSHA256 = ck.OAEPParams{Hash: ck.CKM_SHA256, MGF: ck.CKG_MGF1_SHA256, Source: ck.CKZ_DATA_SPECIFIED}

// rsaAESWrapped is what CKM_RSA_AES_KEY_WRAP makes of a key.
func rsaAESWrapped(t *testing.T, s *token.Session, public ck.ObjectHandle, key *rsa.PrivateKey) (ck.Mechanism, []byte) {
	t.Helper()
	h, err := s.CreateObject(append(rsaTemplate("outside")[:2], append(attr.Template{
		{Type: ck.CKA_EXTRACTABLE, Value: attr.Bool(true)}, {Type: ck.CKA_SENSITIVE, Value: attr.Bool(true)}},
		inBlob("RSAPRIVATEBLOB", rsaBlob(key, "RSAPRIVATEBLOB"))...)...))
	if err != nil {
		t.Fatal(err)
	}
	m := ck.Mechanism{Type: ck.CKM_RSA_AES_KEY_WRAP, Params: ck.RSAAESParams{AESBits: 256, OAEP: oaepSHA256}}
	out := make([]byte, 4096)
	n, err := s.WrapKey(m, public, h, token.Output{Buf: out})
	if err != nil {
		t.Fatal(err)
	}
	return m, out[:n]
}

func TestB108UnwrappedKeyWasOutside(t *testing.T) {
	s := tokenSession(t, store.PolicySoftware)
	public, private := keyPair(t, s)
	m, wrapped := rsaAESWrapped(t, s, public, someRSA[2048]())
	for _, more := range []attr.Template{nil, {{Type: ck.CKA_SENSITIVE, Value: attr.Bool(true)}, {Type: ck.CKA_EXTRACTABLE, Value: attr.Bool(false)}}} {
		h, err := s.UnwrapKey(m, private, wrapped, append(rsaTemplate("unwrapped"+string(rune('a'+len(more)))), more...))
		if err != nil {
			t.Fatal(err)
		}
		for _, typ := range []ck.AttributeType{ck.CKA_LOCAL, ck.CKA_ALWAYS_SENSITIVE, ck.CKA_NEVER_EXTRACTABLE} {
			if flagOf(t, s, h, typ) {
				t.Errorf("%v is TRUE", typ)
			}
		}
	}
}

func TestB109NothingLeavesATokenThatRequiresIsolation(t *testing.T) {
	s := isolatedSession(t)
	before := len(found(t, s, ck.CKO_PRIVATE_KEY))
	for name, more := range map[string]attr.Attribute{
		"extractable":     {Type: ck.CKA_EXTRACTABLE, Value: attr.Bool(true)},
		"export policy":   {Type: ck.CKA_NCRYPT_EXPORT_POLICY, Value: attr.ULong(1)},
		"archiving":       {Type: ck.CKA_NCRYPT_EXPORT_POLICY, Value: attr.ULong(4)},
		"one mechanism":   {Type: ck.CKA_NCRYPT_EXPORT_POLICY, Value: attr.ULong(0x10)},
		"less protection": {Type: ck.CKA_NCRYPT_PROTECTION, Value: attr.ULong(1)},
	} {
		_, err := s.CreateObject(append(append(rsaTemplate(name), more), inBlob("RSAPRIVATEBLOB", rsa1024(t, "RSAPRIVATEBLOB"))...))
		wantCode(t, name, err, ck.CKR_TEMPLATE_INCONSISTENT)
		begun := attr.Attribute{Type: ck.CKA_NCRYPT_DO_NOT_FINALIZE, Value: attr.Bool(true)}
		_, err = s.CreateObject(append(append(rsaTemplate(name), more, begun), inBlob("RSAPRIVATEBLOB", rsa1024(t, "RSAPRIVATEBLOB"))...))
		wantCode(t, name+", in two steps", err, ck.CKR_TEMPLATE_INCONSISTENT)
	}
	if n := len(found(t, s, ck.CKO_PRIVATE_KEY)); n != before {
		t.Errorf("%d keys more", n-before)
	}
}

func TestB110DefaultsOfNCrypt(t *testing.T) {
	s := tokenSession(t, store.PolicySoftware)
	public, private := keyPair(t, s)
	m, wrapped := rsaAESWrapped(t, s, public, someRSA[2048]())
	h, err := s.UnwrapKey(m, private, wrapped, rsaTemplate("unwrapped"))
	if err != nil {
		t.Fatal(err)
	}
	if flagOf(t, s, h, ck.CKA_EXTRACTABLE) || !flagOf(t, s, h, ck.CKA_SENSITIVE) {
		t.Error("a key whose template does not say may leave")
	}
	h, err = s.UnwrapKey(m, private, wrapped, append(rsaTemplate("said"), attr.Attribute{Type: ck.CKA_EXTRACTABLE, Value: attr.Bool(true)}))
	if err != nil || !flagOf(t, s, h, ck.CKA_EXTRACTABLE) {
		t.Errorf("a template that says so: %v", err)
	}
}

func TestB111UnknownVendorAttribute(t *testing.T) {
	s := tokenSession(t, store.PolicySoftware)
	for _, typ := range []ck.AttributeType{ck.CKA_NCRYPT_PROTECTION + 0x40, ck.AttributeType(ck.CKA_VENDOR_DEFINED) + 1} {
		_, err := s.CreateObject(append(append(rsaTemplate("key"), attr.Attribute{Type: typ, Value: attr.Bool(true)}), inBlob("RSAPRIVATEBLOB", rsa1024(t, "RSAPRIVATEBLOB"))...))
		wantCode(t, typ.String(), err, ck.CKR_ATTRIBUTE_TYPE_INVALID)
	}
}

func TestB112KeyOfAnotherBootInPKCS11(t *testing.T) {
	chip, home := newTPM(), t.TempDir()
	isolating(t, home, chip).makes("a key of one boot", "key", perBoot, nte.ERROR_SUCCESS)
	chip.boot()
	s := sessionOf(t, isolating(t, home, chip).engine)
	h := privateKey(t, s, "key")
	if flagOf(t, s, h, ck.CKA_NCRYPT_USABLE) {
		t.Error("it is said to be usable")
	}
	readings := []token.Reading{{Type: ck.CKA_NCRYPT_STATE}}
	if err := s.GetAttributes(h, readings, func() {
		if !bytes.Equal(readings[0].Value, attr.ULong(ck.CK_NCRYPT_STATE_STALE)) {
			t.Errorf("state %v", readings[0].Value)
		}
	}); err != nil {
		t.Fatal(err)
	}
	err := s.SignInit(&ck.Mechanism{Type: ck.CKM_RSA_PKCS}, h)
	if err == nil {
		_, err = s.Sign(aHash, token.Output{Buf: make([]byte, 1024)})
	}
	wantCode(t, "sign", err, ck.CKR_DEVICE_ERROR)
}

func TestB113UnwrapThatFailsLeavesNothing(t *testing.T) {
	s := tokenSession(t, store.PolicySoftware)
	public, private := keyPair(t, s)
	m, wrapped := rsaAESWrapped(t, s, public, someRSA[2048]())
	damaged := func(i int) []byte {
		out := slices.Clone(wrapped)
		out[i] ^= 1
		return out
	}
	ec := append(rsaTemplate("key")[2:], attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))},
		attr.Attribute{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_EC))})
	for name, test := range map[string]struct {
		data []byte
		t    attr.Template
	}{
		"the AES key": {damaged(10), rsaTemplate("key")}, "the key": {damaged(300), rsaTemplate("key")}, "short": {wrapped[:200], rsaTemplate("key")},
		"a byte less": {wrapped[:len(wrapped)-1], rsaTemplate("key")}, "nothing": {nil, rsaTemplate("key")}, "another type": {wrapped, ec},
		"a contradiction": {wrapped, append(rsaTemplate("key"), attr.Attribute{Type: ck.CKA_NCRYPT_PROTECTION, Value: attr.ULong(2)})},
	} {
		if _, err := s.UnwrapKey(m, private, test.data, test.t); err == nil {
			t.Errorf("%s: there is a key", name)
		}
		if n := len(found(t, s, ck.CKO_PRIVATE_KEY)); n != 0 {
			t.Fatalf("%s: %d keys", name, n)
		}
	}
	if _, err := s.UnwrapKey(m, private, wrapped, rsaTemplate("key")); err != nil {
		t.Errorf("what is whole: %v", err)
	}
}

func TestB114PrimesAloneInCreateObject(t *testing.T) {
	s := tokenSession(t, store.PolicySoftware)
	key := someRSA[2048]()
	primes := append(rsaTemplate("primes"), attr.Attribute{Type: ck.CKA_MODULUS, Value: key.N.Bytes()}, attr.Attribute{Type: ck.CKA_PUBLIC_EXPONENT, Value: []byte{1, 0, 1}},
		attr.Attribute{Type: ck.CKA_PRIME_1, Value: key.Primes[0].Bytes()}, attr.Attribute{Type: ck.CKA_PRIME_2, Value: key.Primes[1].Bytes()})
	digest := sha256.Sum256([]byte("data"))
	var signatures [][]byte
	for _, tmpl := range []attr.Template{primes, append(rsaTemplate("blob"), inBlob("RSAPRIVATEBLOB", rsaBlob(key, "RSAPRIVATEBLOB"))...)} {
		h, err := s.CreateObject(tmpl)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SignInit(&ck.Mechanism{Type: ck.CKM_RSA_PKCS}, h); err != nil {
			t.Fatal(err)
		}
		out := make([]byte, 256)
		if _, err := s.Sign(digest[:], token.Output{Buf: out}); err != nil {
			t.Fatal(err)
		}
		signatures = append(signatures, out)
	}
	if !bytes.Equal(signatures[0], signatures[1]) {
		t.Error("they are two keys")
	}
}

// Each kind of blob comes in as what it says, and what a template says otherwise is refused.
func TestBlobsInCreateObject(t *testing.T) {
	s := tokenSession(t, store.PolicySoftware)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := ec.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	ecs2 := slices.Concat(dwords(0x32534345, 32), ec.X.FillBytes(make([]byte, 32)), ec.Y.FillBytes(make([]byte, 32)), scalar)
	kdbm := slices.Concat(dwords(0x4d42444b, 1, 16), make([]byte, 16))
	number := func(typ ck.AttributeType, value uint) attr.Attribute {
		return attr.Attribute{Type: typ, Value: attr.ULong(value)}
	}
	truth := func(typ ck.AttributeType) attr.Attribute { return attr.Attribute{Type: typ, Value: attr.Bool(true)} }
	wrongPoint := slices.Clone(ecs2)
	wrongPoint[20] ^= 1
	for _, test := range []struct {
		what, name string
		data       []byte
		more       attr.Template
		want       ck.RV
	}{
		{"private RSA", "RSAPRIVATEBLOB", rsa1024(t, "RSAPRIVATEBLOB"), nil, ck.CKR_OK},
		{"by its magic number", "PRIVATEBLOB", rsa1024(t, "RSAFULLPRIVATEBLOB"), nil, ck.CKR_OK},
		{"public RSA", "RSAPUBLICBLOB", rsa1024(t, "RSAPUBLICBLOB"), nil, ck.CKR_OK},
		{"PKCS #8", "PKCS8_PRIVATEKEY", pkcs8, nil, ck.CKR_OK},
		{"a secret key", "KeyDataBlob", kdbm, nil, ck.CKR_OK},
		{"a secret key without a cipher", "KeyDataBlob", kdbm, attr.Template{number(ck.CKA_KEY_TYPE, uint(ck.CKK_GENERIC_SECRET))}, ck.CKR_OK},
		{"EC", "ECCPRIVATEBLOB", ecs2, nil, ck.CKR_OK},
		{"ML-DSA by its seed", "PQDSAPRIVATESEEDBLOB", pqBlob("DSSS", "65", aHash), nil, ck.CKR_OK},
		{"ML-KEM by its seed", "MLKEMPRIVATESEEDBLOB", pqBlob("MLKS", "1024", make([]byte, 64)), nil, ck.CKR_OK},
		{"ML-DSA written out", "PQDSAPRIVATEBLOB", pqBlob("DSSK", "65", make([]byte, 4032)), nil, ck.CKR_TEMPLATE_INCOMPLETE},
		{"EC with a wrong point", "ECCPRIVATEBLOB", wrongPoint, nil, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"the same, not validated", "ECCPRIVATEBLOB", wrongPoint, attr.Template{truth(ck.CKA_NCRYPT_NO_VALIDATE)}, ck.CKR_OK},
		{"a key for ECDSA that agrees", "ECCPRIVATEBLOB", ecs2, attr.Template{truth(ck.CKA_DERIVE)}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"another class", "RSAPRIVATEBLOB", rsa1024(t, "RSAPRIVATEBLOB"), attr.Template{number(ck.CKA_CLASS, uint(ck.CKO_SECRET_KEY))}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"another type", "RSAPRIVATEBLOB", rsa1024(t, "RSAPRIVATEBLOB"), attr.Template{number(ck.CKA_KEY_TYPE, uint(ck.CKK_EC))}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"a number beside it", "RSAPRIVATEBLOB", rsa1024(t, "RSAPRIVATEBLOB"), attr.Template{{Type: ck.CKA_MODULUS, Value: []byte{1}}}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"an unknown type", "NOBLOB", rsa1024(t, "RSAPRIVATEBLOB"), nil, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"damaged", "RSAPRIVATEBLOB", rsa1024(t, "RSAPRIVATEBLOB")[1:], nil, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"one that is under a key", "PKCS7_ENVELOPE", pkcs8, nil, ck.CKR_ATTRIBUTE_VALUE_INVALID},
	} {
		h, err := s.CreateObject(append(slices.Clone(test.more), inBlob(test.name, test.data)...))
		wantCode(t, test.what, err, test.want)
		if err != nil {
			continue
		}
		readings := []token.Reading{{Type: ck.CKA_NCRYPT_BLOB}, {Type: ck.CKA_NCRYPT_BLOB_TYPE}, {Type: ck.CKA_NCRYPT_NO_VALIDATE}}
		if err := s.GetAttributes(h, readings, func() {}); err != nil {
			t.Fatal(err)
		}
		for _, r := range readings {
			wantCode(t, test.what+", read", r.Err, ck.CKR_ATTRIBUTE_TYPE_INVALID)
		}
	}
	_, err = s.CreateObject(inBlob("KeyDataBlob", kdbm)[:1])
	wantCode(t, "a type without a blob", err, ck.CKR_TEMPLATE_INCOMPLETE)
	_, err = s.GenerateKey(ck.Mechanism{Type: ck.CKM_AES_KEY_GEN}, append(attr.Template{number(ck.CKA_VALUE_LEN, 16)}, inBlob("KeyDataBlob", kdbm)...))
	wantCode(t, "a blob for a key that is generated", err, ck.CKR_ATTRIBUTE_READ_ONLY)
}

// tokenSession is a session with a token of NCrypt's semantics and without a login.
func tokenSession(t *testing.T, policy string) *token.Session {
	t.Helper()
	s := open(t, t.TempDir())
	madeToken(t, s.engine, policy)
	return sessionOf(t, s.engine)
}

// isolatedSession is one with a token that requires isolation, under a guard that isolates.
func isolatedSession(t *testing.T) *token.Session {
	t.Helper()
	s := isolating(t, t.TempDir(), newTPM())
	madeToken(t, s.engine, store.PolicyVBSRequired)
	return sessionOf(t, s.engine)
}
