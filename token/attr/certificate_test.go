package attr_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

func certificate(rest ...attr.Attribute) tmpl {
	return append(object(ck.CKO_CERTIFICATE, u(ck.CKA_CERTIFICATE_TYPE, ck.CKC_X_509)), rest...)
}

// leaf is a certificate in DER.
func leaf(t *testing.T) []byte {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{SerialNumber: big.NewInt(0xabcdef), Subject: pkix.Name{CommonName: "leaf"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0)}
	issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "issuer"}}
	der, err := x509.CreateCertificate(nil, template, issuer, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestCertificate(t *testing.T) {
	der := leaf(t)
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha1.Sum(der)
	set := build(t, certificate(s(ck.CKA_VALUE, string(der))), attr.Facts{})
	for _, want := range []struct {
		typ   ck.AttributeType
		value []byte
	}{
		{ck.CKA_SUBJECT, parsed.RawSubject},
		{ck.CKA_ISSUER, parsed.RawIssuer},
		{ck.CKA_SERIAL_NUMBER, []byte{2, 4, 0, 0xab, 0xcd, 0xef}},
		{ck.CKA_PUBLIC_KEY_INFO, parsed.RawSubjectPublicKeyInfo},
		{ck.CKA_CHECK_VALUE, digest[:3]},
		{ck.CKA_ID, nil},
		{ck.CKA_TRUSTED, attr.Bool(false)},
		{ck.CKA_CERTIFICATE_CATEGORY, attr.ULong(0)},
	} {
		if got, ok := set.Get(want.typ); !ok || !bytes.Equal(got, want.value) {
			t.Errorf("attribute %#x = %x, want %x", uint(want.typ), got, want.value)
		}
	}
}

func TestCertificateGiven(t *testing.T) {
	der := leaf(t)
	value := s(ck.CKA_VALUE, string(der))
	digest := sha1.Sum(der)
	long := append(bytes.Clone(der), 0)
	for _, test := range []struct {
		name string
		rest tmpl
		want ck.RV
	}{
		{"names of the caller's choice", tmpl{value, s(ck.CKA_SUBJECT, "s"), s(ck.CKA_ISSUER, "i"), s(ck.CKA_SERIAL_NUMBER, "\x01")}, ck.CKR_OK},
		{"the right check value", tmpl{value, s(ck.CKA_CHECK_VALUE, string(digest[:3]))}, ck.CKR_OK},
		{"a wrong check value", tmpl{value, s(ck.CKA_CHECK_VALUE, "abc")}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"no check value", tmpl{value, s(ck.CKA_CHECK_VALUE, "")}, ck.CKR_OK},
		{"a wrong public key", tmpl{value, s(ck.CKA_PUBLIC_KEY_INFO, "abc")}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"the hash of the public key", tmpl{value, s(ck.CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "12345678901234567890"), u(ck.CKA_NAME_HASH_ALGORITHM, ck.CKM_SHA_1)}, ck.CKR_OK},
		{"no certificate", tmpl{s(ck.CKA_VALUE, "hello")}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"an empty sequence", tmpl{s(ck.CKA_VALUE, "\x30\x00")}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"cut short", tmpl{s(ck.CKA_VALUE, string(der[:len(der)-1]))}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"one byte too long", tmpl{s(ck.CKA_VALUE, string(long))}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"nothing", nil, ck.CKR_TEMPLATE_INCOMPLETE},
		{"a URL alone", tmpl{s(ck.CKA_URL, "https://example/")}, ck.CKR_TEMPLATE_INCOMPLETE},
		{"a URL with hashes", tmpl{s(ck.CKA_URL, "https://example/"), s(ck.CKA_SUBJECT, "s"), s(ck.CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "h"), s(ck.CKA_HASH_OF_ISSUER_PUBLIC_KEY, "h")}, ck.CKR_OK},
		{"category 4", tmpl{value, u(ck.CKA_CERTIFICATE_CATEGORY, 4)}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
	} {
		n, err := attr.Build(attr.Create, certificate(test.rest...), attr.Facts{})
		if ck.Code(err) != test.want {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if err == nil && !n.Set.Match(test.rest) {
			t.Errorf("%s: a given value was replaced", test.name)
		}
	}
}
