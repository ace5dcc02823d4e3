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
		{"certificate type of data", object(ck.CKO_DATA), ck.CKA_CERTIFICATE_TYPE, attr.Missing},
		{"template that was not given", aes(), ck.CKA_WRAP_TEMPLATE, attr.Missing},
		{"unknown", aes(), 0x7fff1234, attr.Missing},
	} {
		if got := attr.Readable(build(t, test.t, attr.Facts{}), test.typ); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// TestReadablePrivateData: the token has taken the value out of the set.
func TestReadablePrivateData(t *testing.T) {
	set := build(t, object(ck.CKO_DATA, b(ck.CKA_PRIVATE, true), s(ck.CKA_VALUE, "x")), attr.Facts{})
	set.Delete(ck.CKA_VALUE)
	if got := attr.Readable(set, ck.CKA_VALUE); got != attr.Secret {
		t.Errorf("Readable = %v", got)
	}
}
