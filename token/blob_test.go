package token_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// A public half that is not the key's is refused, and with CKA_NCRYPT_NO_VALIDATE computed; a secret that is none is refused all the same.
func TestNoValidate(t *testing.T) {
	_, s := userSession(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wrongPoint, err := other.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	ec := func(scalar, point []byte) attr.Template {
		return attr.Template{ulong(ck.CKA_CLASS, uint(ck.CKO_PRIVATE_KEY)), ulong(ck.CKA_KEY_TYPE, uint(ck.CKK_EC)),
			{Type: ck.CKA_EC_PARAMS, Value: []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}}, {Type: ck.CKA_VALUE, Value: scalar}, {Type: ck.CKA_EC_POINT, Value: point}}
	}
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	numbers := func(modulus []byte) attr.Template {
		return attr.Template{ulong(ck.CKA_CLASS, uint(ck.CKO_PRIVATE_KEY)), ulong(ck.CKA_KEY_TYPE, uint(ck.CKK_RSA)), {Type: ck.CKA_MODULUS, Value: modulus},
			{Type: ck.CKA_PUBLIC_EXPONENT, Value: []byte{1, 0, 1}}, {Type: ck.CKA_PRIVATE_EXPONENT, Value: pair.D.Bytes()},
			{Type: ck.CKA_PRIME_1, Value: pair.Primes[0].Bytes()}, {Type: ck.CKA_PRIME_2, Value: pair.Primes[1].Bytes()}}
	}
	wrongModulus := slices.Clone(pair.N.Bytes())
	wrongModulus[100] ^= 2
	for _, test := range []struct {
		what             string
		template         attr.Template
		refused, without ck.RV
		typ              ck.AttributeType
		want             []byte
	}{
		{"EC", ec(scalar, point), ck.CKR_OK, ck.CKR_OK, ck.CKA_EC_POINT, point},
		{"EC with another's point", ec(scalar, wrongPoint), ck.CKR_ATTRIBUTE_VALUE_INVALID, ck.CKR_OK, ck.CKA_EC_POINT, point},
		{"EC with a scalar of 0", ec(make([]byte, 32), point), ck.CKR_ATTRIBUTE_VALUE_INVALID, ck.CKR_ATTRIBUTE_VALUE_INVALID, 0, nil},
		{"RSA", numbers(pair.N.Bytes()), ck.CKR_OK, ck.CKR_OK, ck.CKA_MODULUS, pair.N.Bytes()},
		{"RSA with another modulus", numbers(wrongModulus), ck.CKR_ATTRIBUTE_VALUE_INVALID, ck.CKR_OK, ck.CKA_MODULUS, pair.N.Bytes()},
	} {
		_, err := s.CreateObject(slices.Clone(test.template))
		wantCode(t, test.what, err, test.refused)
		h, err := s.CreateObject(append(slices.Clone(test.template), boolean(ck.CKA_NCRYPT_NO_VALIDATE, true)))
		wantCode(t, test.what+", not validated", err, test.without)
		if err == nil && test.want != nil && !bytes.HasSuffix(read(t, s, h, test.typ)[0], test.want) {
			t.Errorf("%s: another public half", test.what)
		}
	}
}
