package guard_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

func example() *guard.Policy {
	return &guard.Policy{
		ID: [16]byte{1, 2, 3}, Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_EC, Usage: guard.UseSign | guard.UseDerive,
		Private: true, Sensitive: true, AlwaysAuthenticate: true, Token: true,
		Allowed: []ck.MechanismType{ck.CKM_ECDSA_SHA256, ck.CKM_ECDSA},
	}
}

// confined is a policy that takes version 3.
func confined() *guard.Policy {
	return &guard.Policy{Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_EC, Usage: guard.UseDecapsulate, Sensitive: true, Confined: true, Confining: true, WrapBy: ck.CKM_RSA_AES_KEY_WRAP,
		Allowed: []ck.MechanismType{ck.CKM_ECDSA}}
}

// bounded is a policy that takes version 4.
func bounded() *guard.Policy {
	return &guard.Policy{Class: ck.CKO_PRIVATE_KEY, KeyType: ck.CKK_RSA, Usage: guard.UseSign, Sensitive: true, Bounded: true, Most: guard.UseSign | guard.UseDecrypt,
		Allowed: []ck.MechanismType{ck.CKM_RSA_PKCS}}
}

func TestPolicyEncoding(t *testing.T) {
	for _, p := range []*guard.Policy{example(), {}, {Usage: guard.UseDecapsulate | guard.UseUnwrap}, {Class: ^ck.ObjectClass(0), KeyType: 0x80434E00, Extractable: true, WrapWithTrusted: true, Trusted: true}, confined(), bounded(), {Bounded: true}} {
		b := p.Encode()
		got, err := guard.DecodePolicy(b)
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%+v became %+v (%v)", p, got, err)
		}
		for i := range b {
			if _, err := guard.DecodePolicy(b[:i]); ck.Code(err) != ck.CKR_DEVICE_ERROR {
				t.Errorf("cut at %d: %v", i, err)
			}
		}
		if _, err := guard.DecodePolicy(append(b, 0)); ck.Code(err) != ck.CKR_DEVICE_ERROR {
			t.Errorf("a byte more: %v", err)
		}
	}
}

// The bytes are a format: they must not change under the same version.
func TestPolicyBytes(t *testing.T) {
	want := "\x01\x01\x02\x03" + string(make([]byte, 13)) + // version, id
		"\x00\x00\x00\x00\x00\x00\x00\x03" + "\x00\x00\x00\x00\x00\x00\x00\x03" + // CKO_PRIVATE_KEY, CKK_EC
		"\x01\x04" + "\x63" + "\x00\x02" + // derive and sign; private, sensitive, always authenticate, token; two mechanisms
		"\x00\x00\x00\x00\x00\x00\x10\x44" + "\x00\x00\x00\x00\x00\x00\x10\x41"
	if got := example().Encode(); string(got) != want {
		t.Fatalf("%x, want %x", got, want)
	}
}

func TestPolicyBytesOfVersion3(t *testing.T) {
	want := "\x03" + string(make([]byte, 16)) + "\x00\x00\x00\x00\x00\x00\x00\x03" + "\x00\x00\x00\x00\x00\x00\x00\x03" +
		"\x04\x00" + "\x01\x82" + "\x00\x00\x00\x00\x00\x00\x10\x54" + "\x00\x01" + "\x00\x00\x00\x00\x00\x00\x10\x41"
	if got := confined().Encode(); string(got) != want {
		t.Fatalf("%x, want %x", got, want)
	}
}

func TestPolicyBytesOfVersion4(t *testing.T) {
	want := "\x04" + string(make([]byte, 16)) + "\x00\x00\x00\x00\x00\x00\x00\x03" + "\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\x04" + "\x02\x02" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x06" + "\x00\x01" + "\x00\x00\x00\x00\x00\x00\x00\x01"
	if got := bounded().Encode(); string(got) != want {
		t.Fatalf("%x, want %x", got, want)
	}
}

func TestPolicyDecodeRefuses(t *testing.T) {
	for name, spoil := range map[string]func(b []byte){
		"version":            func(b []byte) { b[0] = 5 },
		"a version too high": func(b []byte) { b[0] = 3 },
		"the highest":        func(b []byte) { b[0] = 4 },
		"a higher version":   func(b []byte) { b[0] = 2 },
		"a usage of another": func(b []byte) { b[33] |= 0x02 },
		"unknown usage":      func(b []byte) { b[0], b[33] = 2, 0x0a },
		"unknown flag":       func(b []byte) { b[35] |= 0x80 },
		"count":              func(b []byte) { b[37]++ },
		"AA without PRIVATE": func(b []byte) { b[35] &^= 1 },
	} {
		b := example().Encode()
		spoil(b)
		if _, err := guard.DecodePolicy(b); ck.Code(err) != ck.CKR_DEVICE_ERROR {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPolicyValid(t *testing.T) {
	for _, test := range []struct {
		p    guard.Policy
		want ck.RV
	}{
		{*example(), ck.CKR_OK},
		{guard.Policy{Allowed: make([]ck.MechanismType, 1025)}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{guard.Policy{Usage: 1 << 11}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{guard.Policy{AlwaysAuthenticate: true}, ck.CKR_TEMPLATE_INCONSISTENT},
		{guard.Policy{Bounded: true, Most: guard.UseSign, Usage: guard.UseSign | guard.UseDecrypt}, ck.CKR_TEMPLATE_INCONSISTENT},
		{guard.Policy{Most: guard.UseSign}, ck.CKR_TEMPLATE_INCONSISTENT},
		{guard.Policy{Bounded: true, Most: 1 << 11}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{guard.Policy{Confining: true, Sensitive: true, Usage: guard.UseUnwrap | guard.UseDerive | guard.UseDecapsulate}, ck.CKR_OK},
		{guard.Policy{Confining: true, Sensitive: true, Usage: guard.UseDecrypt}, ck.CKR_TEMPLATE_INCONSISTENT},
		{guard.Policy{Confining: true, Sensitive: true, Usage: guard.UseSign}, ck.CKR_TEMPLATE_INCONSISTENT},
		{guard.Policy{Confining: true, Sensitive: true, Extractable: true}, ck.CKR_TEMPLATE_INCONSISTENT},
		{guard.Policy{Confining: true}, ck.CKR_TEMPLATE_INCONSISTENT},
		{guard.Policy{WrapBy: ck.CKM_AES_GCM, Extractable: true}, ck.CKR_TEMPLATE_INCONSISTENT},
		{guard.Policy{WrapBy: ck.CKM_AES_GCM, Extractable: true, Sensitive: true}, ck.CKR_OK},
	} {
		if err := test.p.Valid(); ck.Code(err) != test.want {
			t.Errorf("%v, want %v", err, test.want)
		}
	}
}

func TestNarrower(t *testing.T) {
	ecdsa, sha, rsa := ck.MechanismType(ck.CKM_ECDSA), ck.MechanismType(ck.CKM_ECDSA_SHA256), ck.MechanismType(ck.CKM_RSA_PKCS)
	for _, test := range []struct {
		name     string
		from, to func(p *guard.Policy)
		ok       bool
	}{
		{"nothing", func(p *guard.Policy) {}, func(p *guard.Policy) {}, true},
		{"sensitive", func(p *guard.Policy) {}, func(p *guard.Policy) { p.Sensitive = true }, true},
		{"not sensitive", func(p *guard.Policy) { p.Sensitive = true }, func(p *guard.Policy) {}, false},
		{"extractable", func(p *guard.Policy) {}, func(p *guard.Policy) { p.Extractable = true }, false},
		{"not extractable", func(p *guard.Policy) { p.Extractable = true }, func(p *guard.Policy) {}, true},
		{"trusted only", func(p *guard.Policy) {}, func(p *guard.Policy) { p.WrapWithTrusted = true }, true},
		{"any wrapping key", func(p *guard.Policy) { p.WrapWithTrusted = true }, func(p *guard.Policy) {}, false},
		{"always authenticate", func(p *guard.Policy) {}, func(p *guard.Policy) { p.AlwaysAuthenticate = true }, true},
		{"never authenticate", func(p *guard.Policy) { p.AlwaysAuthenticate = true }, func(p *guard.Policy) {}, false},
		{"class", func(p *guard.Policy) {}, func(p *guard.Policy) { p.Class = ck.CKO_SECRET_KEY }, false},
		{"type", func(p *guard.Policy) {}, func(p *guard.Policy) { p.KeyType = ck.CKK_AES }, false},
		{"usage", func(p *guard.Policy) {}, func(p *guard.Policy) { p.Usage = guard.UseDecrypt }, true},
		{"identity", func(p *guard.Policy) {}, func(p *guard.Policy) { p.ID[0]++; p.Private = true; p.Token = true; p.Trusted = true }, true},
		{"list", func(p *guard.Policy) {}, func(p *guard.Policy) { p.Allowed = []ck.MechanismType{ecdsa} }, true},
		{"shorter list", func(p *guard.Policy) { p.Allowed = []ck.MechanismType{ecdsa, sha} }, func(p *guard.Policy) { p.Allowed = []ck.MechanismType{sha} }, true},
		{"other list", func(p *guard.Policy) { p.Allowed = []ck.MechanismType{ecdsa, sha} }, func(p *guard.Policy) { p.Allowed = []ck.MechanismType{ecdsa, rsa} }, false},
		{"no list", func(p *guard.Policy) { p.Allowed = []ck.MechanismType{ecdsa} }, func(p *guard.Policy) {}, false},
		{"confining later", func(p *guard.Policy) { p.Sensitive = true }, func(p *guard.Policy) { p.Sensitive, p.Confining = true, true }, false},
		{"confining no more", func(p *guard.Policy) { p.Sensitive, p.Confining = true, true }, func(p *guard.Policy) { p.Sensitive = true }, false},
		{"another use of a confining key", func(p *guard.Policy) { p.Sensitive, p.Confining, p.Usage = true, true, guard.UseDerive },
			func(p *guard.Policy) { p.Sensitive, p.Confining, p.Usage = true, true, guard.UseDerive|guard.UseUnwrap }, false},
		{"no use of a confining key", func(p *guard.Policy) { p.Sensitive, p.Confining, p.Usage = true, true, guard.UseDerive },
			func(p *guard.Policy) { p.Sensitive, p.Confining = true, true }, true},
		{"one way to wrap", func(p *guard.Policy) {}, func(p *guard.Policy) { p.WrapBy = ck.CKM_AES_GCM }, true},
		{"any way to wrap", func(p *guard.Policy) { p.Extractable, p.WrapBy = true, ck.CKM_AES_GCM }, func(p *guard.Policy) { p.Extractable = true }, false},
		{"no way to wrap", func(p *guard.Policy) { p.Extractable, p.WrapBy = true, ck.CKM_AES_GCM }, func(p *guard.Policy) {}, true},
		{"what it came in for", func(p *guard.Policy) { p.Bounded, p.Most = true, guard.UseSign|guard.UseDerive }, func(p *guard.Policy) { p.Usage = guard.UseDerive }, true},
		{"more than it came in for", func(p *guard.Policy) { p.Bounded, p.Most = true, guard.UseSign }, func(p *guard.Policy) { p.Usage = guard.UseSign | guard.UseDerive }, false},
		{"something, where it came in for nothing", func(p *guard.Policy) { p.Bounded = true }, func(p *guard.Policy) { p.Usage = guard.UseSign }, false},
		{"another way to wrap", func(p *guard.Policy) { p.Extractable, p.WrapBy = true, ck.CKM_AES_GCM },
			func(p *guard.Policy) { p.Extractable, p.WrapBy = true, ck.CKM_RSA_AES_KEY_WRAP }, false},
	} {
		from, to := &guard.Policy{Class: ck.CKO_PRIVATE_KEY}, &guard.Policy{Class: ck.CKO_PRIVATE_KEY}
		test.from(from)
		test.to(to)
		err := guard.Narrower(from, to)
		if (err == nil) != test.ok || err != nil && ck.Code(err) != ck.CKR_ATTRIBUTE_READ_ONLY {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func FuzzDecodePolicy(f *testing.F) {
	f.Add(example().Encode())
	f.Add((&guard.Policy{}).Encode())
	f.Add((&guard.Policy{Usage: guard.UseEncapsulate}).Encode())
	f.Add(confined().Encode())
	f.Add(bounded().Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := guard.DecodePolicy(b)
		if err == nil && !bytes.Equal(p.Encode(), b) {
			t.Fatalf("%x has another encoding, %x", b, p.Encode())
		}
	})
}
