package attr_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

func TestReadable(t *testing.T) {
	for _, test := range []struct {
		name string
		t    tmpl
		typ  ck.AttributeType
		want attr.Access
	}{
		{"label", aes(), ck.CKA_LABEL, attr.Open},
		{"value, extractable and not sensitive", aes(b(ck.CKA_SENSITIVE, false), b(ck.CKA_EXTRACTABLE, true)), ck.CKA_VALUE, attr.Secret},
		{"value, sensitive", aes(b(ck.CKA_SENSITIVE, true), b(ck.CKA_EXTRACTABLE, true)), ck.CKA_VALUE, attr.Sensitive},
		{"value, not extractable", aes(b(ck.CKA_SENSITIVE, false), b(ck.CKA_EXTRACTABLE, false)), ck.CKA_VALUE, attr.Sensitive},
		{"private exponent", rsaPrivate(), ck.CKA_PRIVATE_EXPONENT, attr.Sensitive},
		{"a prime that was not given", rsaPrivate(), ck.CKA_PRIME_1, attr.Sensitive},
		{"modulus of a private key", rsaPrivate(), ck.CKA_MODULUS, attr.Open},
		{"value of public data", object(ck.CKO_DATA, s(ck.CKA_VALUE, "x")), ck.CKA_VALUE, attr.Open},
		{"value of empty private data", object(ck.CKO_DATA, b(ck.CKA_PRIVATE, true)), ck.CKA_VALUE, attr.Open},
		{"certificate type of data", object(ck.CKO_DATA), ck.CKA_CERTIFICATE_TYPE, attr.Missing},
		{"template that was not given", aes(), ck.CKA_WRAP_TEMPLATE, attr.Missing},
		{"unknown", aes(), 0x7fff1234, attr.Missing},
	} {
		if got := attr.Readable(build(t, test.t, attr.Facts{}), test.typ); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestConfirm(t *testing.T) {
	ecPrivate := func(rest ...attr.Attribute) tmpl {
		return append(key(ck.CKO_PRIVATE_KEY, ck.CKK_EC, s(ck.CKA_EC_PARAMS, "given"), s(ck.CKA_VALUE, "d")), rest...)
	}
	long := "\x04" + string(make([]byte, 132))
	for _, test := range []struct {
		name      string
		t         tmpl
		confirmed attr.Attribute
		stored    string
		want      ck.RV
	}{
		{"not given", rsaPrivate(), s(ck.CKA_PUBLIC_EXPONENT, "\x03"), "\x03", ck.CKR_OK},
		{"given, the same number", rsaPrivate(s(ck.CKA_PUBLIC_EXPONENT, "\x00\x03")), s(ck.CKA_PUBLIC_EXPONENT, "\x03"), "\x03", ck.CKR_OK},
		{"given, another number", rsaPrivate(s(ck.CKA_PUBLIC_EXPONENT, "\x03")), s(ck.CKA_PUBLIC_EXPONENT, "\x05"), "\x03", ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"public key info, the same", rsaPrivate(s(ck.CKA_PUBLIC_KEY_INFO, "spki")), s(ck.CKA_PUBLIC_KEY_INFO, "spki"), "spki", ck.CKR_OK},
		{"public key info, another", rsaPrivate(s(ck.CKA_PUBLIC_KEY_INFO, "spki")), s(ck.CKA_PUBLIC_KEY_INFO, "other"), "spki", ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"curve by another name", ecPrivate(), s(ck.CKA_EC_PARAMS, "canonical"), "canonical", ck.CKR_OK},
		{"bare point", ecPrivate(s(ck.CKA_EC_POINT, "\x04xy")), s(ck.CKA_EC_POINT, "\x04\x03\x04xy"), "\x04\x03\x04xy", ck.CKR_OK},
		{"long bare point", ecPrivate(s(ck.CKA_EC_POINT, long)), s(ck.CKA_EC_POINT, "\x04\x81\x85"+long), "\x04\x81\x85" + long, ck.CKR_OK},
		{"bare point like an OCTET STRING", ecPrivate(s(ck.CKA_EC_POINT, "\x04\x01x")), s(ck.CKA_EC_POINT, "\x04\x03\x04\x01x"), "\x04\x03\x04\x01x", ck.CKR_OK},
		{"another point", ecPrivate(s(ck.CKA_EC_POINT, "\x04xy")), s(ck.CKA_EC_POINT, "\x04\x03\x04xz"), "\x04xy", ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"check value", aes(), s(ck.CKA_CHECK_VALUE, "abc"), "abc", ck.CKR_OK},
		{"no check value", aes(s(ck.CKA_CHECK_VALUE, "")), s(ck.CKA_CHECK_VALUE, "abc"), "", ck.CKR_OK},
		{"wrong check value", aes(s(ck.CKA_CHECK_VALUE, "xyz")), s(ck.CKA_CHECK_VALUE, "abc"), "xyz", ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"not this object's", aes(), s(ck.CKA_MODULUS, "m"), "", ck.CKR_OK},
		{"a secret", aes(), s(ck.CKA_VALUE, "v"), "", ck.CKR_OK},
	} {
		set := build(t, test.t, attr.Facts{})
		if err := set.Confirm(test.confirmed.Type, test.confirmed.Value); ck.Code(err) != test.want {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if got, _ := set.Get(test.confirmed.Type); string(got) != test.stored {
			t.Errorf("%s: %q, want %q", test.name, got, test.stored)
		}
	}
}
