package attr_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Short ways to write templates.

type tmpl = attr.Template

func b(typ ck.AttributeType, v bool) attr.Attribute {
	return attr.Attribute{Type: typ, Value: attr.Bool(v)}
}
func u[T ~uint | ~int](typ ck.AttributeType, v T) attr.Attribute {
	return attr.Attribute{Type: typ, Value: attr.ULong(uint(v))}
}
func s(typ ck.AttributeType, v string) attr.Attribute {
	return attr.Attribute{Type: typ, Value: []byte(v)}
}

func object(class ck.ObjectClass, rest ...attr.Attribute) tmpl {
	return append(tmpl{u(ck.CKA_CLASS, class)}, rest...)
}

func key(class ck.ObjectClass, keyType ck.KeyType, rest ...attr.Attribute) tmpl {
	return append(tmpl{u(ck.CKA_CLASS, class), u(ck.CKA_KEY_TYPE, keyType)}, rest...)
}

func aes(rest ...attr.Attribute) tmpl {
	return append(key(ck.CKO_SECRET_KEY, ck.CKK_AES, s(ck.CKA_VALUE, "0123456789abcdef")), rest...)
}

func rsaPrivate(rest ...attr.Attribute) tmpl {
	return append(key(ck.CKO_PRIVATE_KEY, ck.CKK_RSA, s(ck.CKA_MODULUS, "\x00\x8fmodulus"), s(ck.CKA_PRIVATE_EXPONENT, "\x00exponent")), rest...)
}

var (
	typeAES    = ck.KeyType(ck.CKK_AES)
	typeRSA    = ck.KeyType(ck.CKK_RSA)
	typeEC     = ck.KeyType(ck.CKK_EC)
	typeX25519 = ck.KeyType(ck.CKK_EC_MONTGOMERY)
)

func TestBuildErrors(t *testing.T) {
	makeAES := attr.Facts{Class: ck.CKO_SECRET_KEY, KeyType: &typeAES}
	makeRSA := attr.Facts{Class: ck.CKO_PUBLIC_KEY, KeyType: &typeRSA}
	for _, test := range []struct {
		name   string
		origin attr.Origin
		t      tmpl
		f      attr.Facts
		want   ck.RV
	}{
		{"no class", attr.Create, tmpl{}, attr.Facts{}, ck.CKR_TEMPLATE_INCOMPLETE},
		{"no key type", attr.Create, object(ck.CKO_SECRET_KEY, s(ck.CKA_VALUE, "x")), attr.Facts{}, ck.CKR_TEMPLATE_INCOMPLETE},
		{"no key type to unwrap", attr.Unwrap, object(ck.CKO_SECRET_KEY), attr.Facts{}, ck.CKR_TEMPLATE_INCOMPLETE},
		{"no certificate type", attr.Create, object(ck.CKO_CERTIFICATE), attr.Facts{}, ck.CKR_TEMPLATE_INCOMPLETE},
		{"no value", attr.Create, key(ck.CKO_SECRET_KEY, ck.CKK_AES), attr.Facts{}, ck.CKR_TEMPLATE_INCOMPLETE},
		{"no modulus", attr.Create, key(ck.CKO_PUBLIC_KEY, ck.CKK_RSA, s(ck.CKA_PUBLIC_EXPONENT, "\x03")), attr.Facts{}, ck.CKR_TEMPLATE_INCOMPLETE},
		{"no length to generate", attr.Generate, tmpl{}, makeAES, ck.CKR_TEMPLATE_INCOMPLETE},
		{"no bits to generate", attr.Generate, tmpl{}, makeRSA, ck.CKR_TEMPLATE_INCOMPLETE},
		{"unknown class", attr.Create, object(0x999), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"unknown key type", attr.Create, key(ck.CKO_SECRET_KEY, 0x999), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"key type of another class", attr.Create, key(ck.CKO_SECRET_KEY, ck.CKK_RSA), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"class too short", attr.Create, tmpl{s(ck.CKA_CLASS, "\x03")}, attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"unknown attribute", attr.Create, aes(s(0x7fff1234, "")), attr.Facts{}, ck.CKR_ATTRIBUTE_TYPE_INVALID},
		{"another class's attribute", attr.Create, aes(s(ck.CKA_MODULUS, "m")), attr.Facts{}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"certificate's attribute on data", attr.Create, object(ck.CKO_DATA, u(ck.CKA_CERTIFICATE_TYPE, ck.CKC_X_509)), attr.Facts{}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"twice", attr.Create, aes(s(ck.CKA_LABEL, "a"), s(ck.CKA_LABEL, "a")), attr.Facts{}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"class twice", attr.Create, aes(u(ck.CKA_CLASS, ck.CKO_SECRET_KEY)), attr.Facts{}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"secret twice", attr.Create, aes(s(ck.CKA_VALUE, "0123456789abcdef")), attr.Facts{}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"too many", attr.Create, make(tmpl, 100_000), attr.Facts{}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"another class than the call's", attr.Generate, object(ck.CKO_DATA), makeAES, ck.CKR_TEMPLATE_INCONSISTENT},
		{"another key type than the mechanism's", attr.Generate, tmpl{u(ck.CKA_KEY_TYPE, ck.CKK_RSA)}, makeAES, ck.CKR_TEMPLATE_INCONSISTENT},
		{"unique id", attr.Create, aes(s(ck.CKA_UNIQUE_ID, "x")), attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"local", attr.Create, aes(b(ck.CKA_LOCAL, false)), attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"key generation mechanism", attr.Unwrap, key(ck.CKO_SECRET_KEY, ck.CKK_AES, u(ck.CKA_KEY_GEN_MECHANISM, 0)), attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"always sensitive", attr.Derive, key(ck.CKO_SECRET_KEY, ck.CKK_AES, b(ck.CKA_ALWAYS_SENSITIVE, true)), attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"never extractable", attr.Generate, tmpl{b(ck.CKA_NEVER_EXTRACTABLE, true)}, makeAES, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"isolated", attr.Create, aes(b(ck.CKA_NCRYPT_ISOLATED, true)), attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"value length on create", attr.Create, aes(u(ck.CKA_VALUE_LEN, 16)), attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"value to generate", attr.Generate, tmpl{s(ck.CKA_VALUE, "x")}, makeAES, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"value to unwrap", attr.Unwrap, aes(), attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"value to derive", attr.Derive, aes(), attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"modulus to generate", attr.Generate, tmpl{s(ck.CKA_MODULUS, "m")}, makeRSA, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"profile", attr.Create, object(ck.CKO_PROFILE, u(ck.CKA_PROFILE_ID, 1)), attr.Facts{}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"trusted by the user", attr.Create, aes(b(ck.CKA_TRUSTED, true)), attr.Facts{LoggedIn: true}, ck.CKR_ATTRIBUTE_READ_ONLY},
		{"trusted by the SO", attr.Create, aes(b(ck.CKA_TRUSTED, true)), attr.Facts{SO: true}, ck.CKR_OK},
		{"not trusted by the user", attr.Create, aes(b(ck.CKA_TRUSTED, false)), attr.Facts{}, ck.CKR_OK},
		{"bool of two bytes", attr.Create, aes(s(ck.CKA_SIGN, "\x01\x00")), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"bool of no bytes", attr.Create, aes(s(ck.CKA_TRUSTED, "")), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"bool of 2", attr.Create, aes(s(ck.CKA_SIGN, "\x02")), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"ulong of four bytes", attr.Generate, tmpl{s(ck.CKA_VALUE_LEN, "\x10\x00\x00\x00")}, makeAES, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"label not UTF-8", attr.Create, aes(s(ck.CKA_LABEL, "\xff")), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"date with letters", attr.Create, aes(s(ck.CKA_START_DATE, "2026112x")), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"date too short", attr.Create, aes(s(ck.CKA_START_DATE, "202611")), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"month 13", attr.Create, aes(s(ck.CKA_START_DATE, "20261301")), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"day 0", attr.Create, aes(s(ck.CKA_END_DATE, "20261200")), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"date", attr.Create, aes(s(ck.CKA_END_DATE, "20261231"), s(ck.CKA_START_DATE, "")), attr.Facts{}, ck.CKR_OK},
		{"mechanisms of nine bytes", attr.Create, aes(s(ck.CKA_ALLOWED_MECHANISMS, "123456789")), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"malformed nested template", attr.Create, aes(s(ck.CKA_WRAP_TEMPLATE, "x")), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"modulus of zeros", attr.Create, key(ck.CKO_PUBLIC_KEY, ck.CKK_RSA, s(ck.CKA_MODULUS, "\x00\x00"), s(ck.CKA_PUBLIC_EXPONENT, "\x03")), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"empty secret", attr.Create, key(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET, s(ck.CKA_VALUE, "")), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"value too long", attr.Create, object(ck.CKO_DATA, attr.Attribute{Type: ck.CKA_VALUE, Value: make([]byte, attr.MaxValueSize+1)}), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"values too long", attr.Create, object(ck.CKO_DATA, attr.Attribute{Type: ck.CKA_VALUE, Value: make([]byte, attr.MaxValueSize)},
			attr.Attribute{Type: ck.CKA_OBJECT_ID, Value: make([]byte, attr.MaxValueSize)}), attr.Facts{}, ck.CKR_DEVICE_MEMORY},
		{"protection 3", attr.Create, aes(u(ck.CKA_NCRYPT_PROTECTION, 3)), attr.Facts{}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"always authenticate, public", attr.Create, rsaPrivate(b(ck.CKA_ALWAYS_AUTHENTICATE, true), b(ck.CKA_PRIVATE, false)), attr.Facts{}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"always authenticate", attr.Create, rsaPrivate(b(ck.CKA_ALWAYS_AUTHENTICATE, true)), attr.Facts{LoggedIn: true}, ck.CKR_OK},
		{"class and type repeated", attr.Generate, key(ck.CKO_SECRET_KEY, ck.CKK_AES, u(ck.CKA_VALUE_LEN, 16)), makeAES, ck.CKR_OK},
		{"class and type implied", attr.Generate, tmpl{u(ck.CKA_VALUE_LEN, 16)}, makeAES, ck.CKR_OK},
	} {
		_, err := attr.Build(test.origin, test.t, test.f)
		if got := ck.Code(err); got != test.want {
			t.Errorf("%s: %v, want %v (%v)", test.name, got, test.want, err)
		}
	}
}

func TestBuildLifeCycle(t *testing.T) {
	const none = ^uint(0)
	yes, no := true, false
	for _, test := range []struct {
		name                       string
		origin                     attr.Origin
		f                          attr.Facts
		sensitive, extractable     *bool
		local                      bool
		mechanism                  uint
		alwaysSensitive, neverExtr bool
	}{
		{"generated, guarded", attr.Generate, attr.Facts{}, &yes, &no, true, uint(ck.CKM_AES_KEY_GEN), true, true},
		{"generated, open", attr.Generate, attr.Facts{}, &no, &yes, true, uint(ck.CKM_AES_KEY_GEN), false, false},
		{"created, guarded", attr.Create, attr.Facts{}, &yes, &no, false, none, false, false},
		{"unwrapped, guarded", attr.Unwrap, attr.Facts{}, &yes, &no, false, none, false, false},
		{"derived of a key that was always inside", attr.Derive, attr.Facts{BaseAlwaysSensitive: true, BaseNeverExtractable: true}, &yes, &no, false, none, true, true},
		{"derived of it, open", attr.Derive, attr.Facts{BaseAlwaysSensitive: true, BaseNeverExtractable: true}, &no, &yes, false, none, false, false},
		{"derived of one that was not", attr.Derive, attr.Facts{}, &yes, &no, false, none, false, false},
	} {
		test.f.Mechanism = ck.CKM_AES_KEY_GEN
		in := key(ck.CKO_SECRET_KEY, ck.CKK_AES, b(ck.CKA_SENSITIVE, *test.sensitive), b(ck.CKA_EXTRACTABLE, *test.extractable))
		switch test.origin {
		case attr.Create:
			in = append(in, s(ck.CKA_VALUE, "0123456789abcdef"))
		case attr.Generate:
			in = append(in, u(ck.CKA_VALUE_LEN, 16))
		}
		n, err := attr.Build(test.origin, in, test.f)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		mechanism, _ := n.Set.ULong(ck.CKA_KEY_GEN_MECHANISM)
		if n.Set.Bool(ck.CKA_LOCAL) != test.local || mechanism != test.mechanism ||
			n.Set.Bool(ck.CKA_ALWAYS_SENSITIVE) != test.alwaysSensitive || n.Set.Bool(ck.CKA_NEVER_EXTRACTABLE) != test.neverExtr {
			t.Errorf("%s: LOCAL %v, KEY_GEN_MECHANISM %#x, ALWAYS_SENSITIVE %v, NEVER_EXTRACTABLE %v", test.name, n.Set.Bool(ck.CKA_LOCAL), mechanism,
				n.Set.Bool(ck.CKA_ALWAYS_SENSITIVE), n.Set.Bool(ck.CKA_NEVER_EXTRACTABLE))
		}
	}
}

func TestBuildSecrets(t *testing.T) {
	in := rsaPrivate(s(ck.CKA_PRIME_1, "\x00\x00prime"), s(ck.CKA_LABEL, "name"))
	n, err := attr.Build(attr.Create, in, attr.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	want := tmpl{s(ck.CKA_PRIVATE_EXPONENT, "exponent"), s(ck.CKA_PRIME_1, "prime")}
	if len(n.Secret) != len(want) {
		t.Fatalf("%d secrets, want %d", len(n.Secret), len(want))
	}
	for i := range want {
		if n.Secret[i].Type != want[i].Type || !bytes.Equal(n.Secret[i].Value, want[i].Value) {
			t.Errorf("secret %d is of %#x, %q", i, uint(n.Secret[i].Type), n.Secret[i].Value)
		}
		if _, ok := n.Set.Get(want[i].Type); ok {
			t.Errorf("the set has the secret %#x", uint(want[i].Type))
		}
	}
	if modulus, _ := n.Set.Get(ck.CKA_MODULUS); string(modulus) != "\x8fmodulus" {
		t.Errorf("modulus %q", modulus)
	}
	in.Wipe()
	if !bytes.Equal(n.Secret[0].Value, make([]byte, len("exponent"))) {
		t.Error("wiping the template does not wipe its secrets")
	}
	if label, _ := n.Set.Get(ck.CKA_LABEL); string(label) != "name" {
		t.Error("the set does not own its values")
	}
}

func TestGenerateWithoutExponent(t *testing.T) {
	n, err := attr.Build(attr.Generate, tmpl{u(ck.CKA_MODULUS_BITS, 2048)}, attr.Facts{Class: ck.CKO_PUBLIC_KEY, KeyType: &typeRSA})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := n.Set.Get(ck.CKA_PUBLIC_EXPONENT); !bytes.Equal(got, []byte{1, 0, 1}) {
		t.Errorf("CKA_PUBLIC_EXPONENT = %x, want 010001", got)
	}
}

func TestBuildTransient(t *testing.T) {
	n, err := attr.Build(attr.Create, aes(b(ck.CKA_NCRYPT_OVERWRITE, true)), attr.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := n.Set.Get(ck.CKA_NCRYPT_OVERWRITE); ok {
		t.Error("an instruction to the call was stored")
	}
}

func FuzzBuild(f *testing.F) {
	seed := func(t tmpl) []byte {
		set := &attr.Set{}
		for _, a := range t {
			set.Put(a.Type, a.Value)
		}
		return set.Encode()
	}
	for origin := range byte(4) {
		f.Add(origin, seed(aes()))
		f.Add(origin, seed(rsaPrivate()))
		f.Add(origin, seed(object(ck.CKO_DATA, b(ck.CKA_PRIVATE, true), s(ck.CKA_VALUE, "x"))))
		f.Add(origin, seed(object(ck.CKO_CERTIFICATE, u(ck.CKA_CERTIFICATE_TYPE, ck.CKC_X_509), s(ck.CKA_VALUE, "\x30\x00"))))
		f.Add(origin, seed(key(ck.CKO_SECRET_KEY, ck.CKK_AES, u(ck.CKA_VALUE_LEN, 16), attr.Attribute{Type: ck.CKA_UNWRAP_TEMPLATE, Value: attr.EncodeNested(tmpl{b(ck.CKA_TOKEN, false)})})))
	}
	f.Fuzz(func(t *testing.T, origin byte, in []byte) {
		given, err := attr.Decode(in)
		if err != nil {
			return
		}
		var template tmpl
		for typ, value := range given.All() {
			template = append(template, attr.Attribute{Type: typ, Value: value})
		}
		n, err := attr.Build(attr.Origin(origin%4+1), template, attr.Facts{})
		if err != nil {
			if ck.Code(err) == ck.CKR_GENERAL_ERROR {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		for _, a := range n.Secret {
			if _, ok := n.Set.Get(a.Type); ok || attr.Readable(n.Set, a.Type) < attr.Secret {
				t.Fatalf("secret %#x is not kept apart", uint(a.Type))
			}
		}
		if again, err := attr.Decode(n.Set.Encode()); err != nil || again.Len() != n.Set.Len() {
			t.Fatalf("the set cannot be stored: %v", err)
		}
	})
}
