package attr_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// TestDefaults is the table of DEFAULTS.md.
func TestDefaults(t *testing.T) {
	ec := attr.Facts{Class: ck.CKO_PRIVATE_KEY, KeyType: &typeEC}
	secret := key(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET)
	value := s(ck.CKA_VALUE, "secret")
	length := u(ck.CKA_VALUE_LEN, 16)
	for _, test := range []struct {
		name                   string
		origin                 attr.Origin
		t                      tmpl
		f                      attr.Facts
		sensitive, extractable bool
	}{
		{"private, generated", attr.Generate, nil, ec, true, false},
		{"private, created", attr.Create, rsaPrivate(), attr.Facts{}, true, false},
		{"private, unwrapped", attr.Unwrap, key(ck.CKO_PRIVATE_KEY, ck.CKK_RSA), attr.Facts{}, true, true},
		{"private, unwrapped, NCrypt", attr.Unwrap, key(ck.CKO_PRIVATE_KEY, ck.CKK_RSA), attr.Facts{NCryptDefaults: true}, true, false},
		{"secret, generated", attr.Generate, append(secret, length), attr.Facts{}, false, false},
		{"secret, created", attr.Create, append(secret, value), attr.Facts{}, false, true},
		{"secret, created sensitive", attr.Create, append(secret, value, b(ck.CKA_SENSITIVE, true)), attr.Facts{}, true, false},
		{"secret, created, NCrypt", attr.Create, append(secret, value), attr.Facts{NCryptDefaults: true}, true, false},
		{"secret, unwrapped", attr.Unwrap, secret, attr.Facts{}, false, true},
		{"secret, unwrapped sensitive", attr.Unwrap, append(secret, b(ck.CKA_SENSITIVE, true)), attr.Facts{}, true, true},
		{"secret, derived", attr.Derive, secret, attr.Facts{}, false, true},
		{"secret, derived without a type", attr.Derive, object(ck.CKO_SECRET_KEY), attr.Facts{}, false, true},
		{"secret, derived sensitive", attr.Derive, append(secret, b(ck.CKA_SENSITIVE, true)), attr.Facts{}, true, false},
		{"secret, derived, NCrypt", attr.Derive, secret, attr.Facts{NCryptDefaults: true}, false, true},
		{"secret, derived sensitive, NCrypt", attr.Derive, append(secret, b(ck.CKA_SENSITIVE, true)), attr.Facts{NCryptDefaults: true}, true, false},
		{"secret, derived to stay, NCrypt", attr.Derive, append(secret, b(ck.CKA_TOKEN, true)), attr.Facts{NCryptDefaults: true}, true, false},
		{"secret, created, NCrypt overruled", attr.Create, append(secret, value, b(ck.CKA_SENSITIVE, false), b(ck.CKA_EXTRACTABLE, true)), attr.Facts{NCryptDefaults: true}, false, true},
	} {
		n, err := attr.Build(test.origin, test.t, test.f)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if n.Set.Bool(ck.CKA_SENSITIVE) != test.sensitive || n.Set.Bool(ck.CKA_EXTRACTABLE) != test.extractable {
			t.Errorf("%s: SENSITIVE %v, EXTRACTABLE %v", test.name, n.Set.Bool(ck.CKA_SENSITIVE), n.Set.Bool(ck.CKA_EXTRACTABLE))
		}
	}
}

func TestDefaultPrivate(t *testing.T) {
	for _, test := range []struct {
		name string
		t    tmpl
		f    attr.Facts
		want bool
	}{
		{"key, logged in", aes(), attr.Facts{LoggedIn: true}, true},
		{"session key, not logged in", aes(), attr.Facts{}, false},
		{"token key, not logged in", aes(b(ck.CKA_TOKEN, true)), attr.Facts{}, true},
		{"key, explicit", aes(b(ck.CKA_TOKEN, true), b(ck.CKA_PRIVATE, false)), attr.Facts{LoggedIn: true}, false},
		{"public key", key(ck.CKO_PUBLIC_KEY, ck.CKK_RSA, s(ck.CKA_MODULUS, "m"), s(ck.CKA_PUBLIC_EXPONENT, "\x03")), attr.Facts{LoggedIn: true}, false},
		{"data", object(ck.CKO_DATA), attr.Facts{LoggedIn: true}, false},
	} {
		n, err := attr.Build(attr.Create, test.t, test.f)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got := n.Set.Bool(ck.CKA_PRIVATE); got != test.want {
			t.Errorf("%s: CKA_PRIVATE %v", test.name, got)
		}
	}
}

func TestDefaultUsage(t *testing.T) {
	usages := []ck.AttributeType{ck.CKA_ENCRYPT, ck.CKA_DECRYPT, ck.CKA_WRAP, ck.CKA_UNWRAP, ck.CKA_SIGN, ck.CKA_SIGN_RECOVER, ck.CKA_VERIFY,
		ck.CKA_VERIFY_RECOVER, ck.CKA_DERIVE, ck.CKA_ENCAPSULATE, ck.CKA_DECAPSULATE}
	for _, test := range []struct {
		name string
		t    tmpl
		f    attr.Facts
		want []ck.AttributeType
	}{
		{"RSA private", nil, attr.Facts{Class: ck.CKO_PRIVATE_KEY, KeyType: &typeRSA}, []ck.AttributeType{ck.CKA_DECRYPT, ck.CKA_UNWRAP, ck.CKA_SIGN, ck.CKA_SIGN_RECOVER}},
		{"RSA public", tmpl{u(ck.CKA_MODULUS_BITS, 2048)}, attr.Facts{Class: ck.CKO_PUBLIC_KEY, KeyType: &typeRSA}, []ck.AttributeType{ck.CKA_ENCRYPT, ck.CKA_WRAP, ck.CKA_VERIFY, ck.CKA_VERIFY_RECOVER}},
		{"EC private", nil, attr.Facts{Class: ck.CKO_PRIVATE_KEY, KeyType: &typeEC}, []ck.AttributeType{ck.CKA_SIGN, ck.CKA_DERIVE}},
		{"EC public", tmpl{s(ck.CKA_EC_PARAMS, "p")}, attr.Facts{Class: ck.CKO_PUBLIC_KEY, KeyType: &typeEC}, []ck.AttributeType{ck.CKA_VERIFY}},
		{"X25519 private", nil, attr.Facts{Class: ck.CKO_PRIVATE_KEY, KeyType: &typeX25519}, []ck.AttributeType{ck.CKA_DERIVE}},
		{"AES", tmpl{u(ck.CKA_VALUE_LEN, 16)}, attr.Facts{Class: ck.CKO_SECRET_KEY, KeyType: &typeAES}, []ck.AttributeType{ck.CKA_ENCRYPT, ck.CKA_DECRYPT, ck.CKA_WRAP, ck.CKA_UNWRAP, ck.CKA_SIGN, ck.CKA_VERIFY}},
	} {
		n, err := attr.Build(attr.Generate, test.t, test.f)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		want := map[ck.AttributeType]bool{}
		for _, typ := range test.want {
			want[typ] = true
		}
		for _, typ := range usages {
			if n.Set.Bool(typ) != want[typ] {
				t.Errorf("%s: usage %#x is %v", test.name, uint(typ), n.Set.Bool(typ))
			}
		}
	}
}

// TestExistEmpty: clients that give up at the first error ask for these of every key.
func TestExistEmpty(t *testing.T) {
	n, err := attr.Build(attr.Create, rsaPrivate(), attr.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range []ck.AttributeType{ck.CKA_ID, ck.CKA_LABEL, ck.CKA_SUBJECT, ck.CKA_START_DATE, ck.CKA_END_DATE, ck.CKA_ALLOWED_MECHANISMS} {
		if value, ok := n.Set.Get(typ); !ok || len(value) != 0 {
			t.Errorf("attribute %#x: %x, %v; want an empty value", uint(typ), value, ok)
		}
	}
	for _, typ := range []ck.AttributeType{ck.CKA_ALWAYS_AUTHENTICATE, ck.CKA_WRAP_WITH_TRUSTED, ck.CKA_TOKEN, ck.CKA_MODIFIABLE} {
		if value, ok := n.Set.Get(typ); !ok || len(value) != 1 {
			t.Errorf("attribute %#x: %x, %v; want a CK_BBOOL", uint(typ), value, ok)
		}
	}
}

func TestProfile(t *testing.T) {
	p := attr.Profile(1)
	if !p.Match(tmpl{u(ck.CKA_CLASS, ck.CKO_PROFILE), b(ck.CKA_TOKEN, true), b(ck.CKA_PRIVATE, false), u(ck.CKA_PROFILE_ID, 1)}) {
		t.Error("NSS would not find the profile object")
	}
	if _, err := attr.SetAttributes(p, tmpl{s(ck.CKA_LABEL, "x")}, attr.Facts{SO: true}); ck.Code(err) != ck.CKR_ACTION_PROHIBITED {
		t.Errorf("SetAttributes: %v", err)
	}
}
