package token_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

func ulong(typ ck.AttributeType, value uint) attr.Attribute {
	return attr.Attribute{Type: typ, Value: attr.ULong(value)}
}

// read gives attributes of an object; nil for one that it has not or does not show.
func read(t *testing.T, s *token.Session, h ck.ObjectHandle, types ...ck.AttributeType) [][]byte {
	t.Helper()
	readings := make([]token.Reading, len(types))
	for i, typ := range types {
		readings[i].Type = typ
	}
	values := make([][]byte, len(types))
	err := s.GetAttributes(h, readings, func() {
		for i, r := range readings {
			if r.Err == nil {
				values[i] = bytes.Clone(r.Value)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// An export policy in a template is what the attributes say, both ways, and only ever shrinks.
func TestExportPolicyAttribute(t *testing.T) {
	_, s := open(t)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	for _, test := range []struct {
		policy                 uint
		sensitive, extractable bool
	}{{0, true, false}, {1, true, true}, {3, false, true}, {2, false, true}} {
		h, err := s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, test.policy)))
		if err != nil {
			t.Fatal(err)
		}
		values := read(t, s, h, ck.CKA_SENSITIVE, ck.CKA_EXTRACTABLE, ck.CKA_NCRYPT_EXPORT_POLICY)
		want := test.policy
		if want == 2 {
			want = 3 // what may leave as plaintext may leave encrypted
		}
		if !bytes.Equal(values[0], attr.Bool(test.sensitive)) || !bytes.Equal(values[1], attr.Bool(test.extractable)) || !bytes.Equal(values[2], attr.ULong(want)) {
			t.Errorf("policy %d: %v", test.policy, values)
		}
		if test.policy == 3 {
			wantCode(t, "less", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 1)}), ck.CKR_OK)
			wantCode(t, "more", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 3)}), ck.CKR_ATTRIBUTE_READ_ONLY)
			wantCode(t, "nothing", s.SetAttributes(h, attr.Template{boolean(ck.CKA_EXTRACTABLE, false)}), ck.CKR_OK)
			if now := read(t, s, h, ck.CKA_NCRYPT_EXPORT_POLICY)[0]; !bytes.Equal(now, attr.ULong(0)) {
				t.Errorf("the policy is %v", now)
			}
		}
	}
	_, err := s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 0), boolean(ck.CKA_EXTRACTABLE, true)))
	wantCode(t, "a contradiction", err, ck.CKR_TEMPLATE_INCONSISTENT)
	_, err = s.CreateObject(with(aesKey(true, true), ulong(ck.CKA_NCRYPT_EXPORT_POLICY, 0x20)))
	wantCode(t, "an unknown bit", err, ck.CKR_ATTRIBUTE_VALUE_INVALID)
}

func boolean(typ ck.AttributeType, value bool) attr.Attribute {
	return attr.Attribute{Type: typ, Value: attr.Bool(value)}
}

func TestKeyUsageAttribute(t *testing.T) {
	_, s := open(t)
	key := attr.Template{}
	for _, a := range aesKey(false, false) {
		if a.Type != ck.CKA_ENCRYPT {
			key = append(key, a)
		}
	}
	for usage, want := range map[uint]map[ck.AttributeType]bool{
		1:          {ck.CKA_ENCRYPT: true, ck.CKA_DECRYPT: true, ck.CKA_UNWRAP: false, ck.CKA_SIGN: false},
		8:          {ck.CKA_ENCRYPT: false, ck.CKA_DECRYPT: false, ck.CKA_UNWRAP: true, ck.CKA_WRAP: true},
		0x20:       {ck.CKA_DECRYPT: false, ck.CKA_UNWRAP: true},
		0x00ffffff: {ck.CKA_ENCRYPT: true, ck.CKA_DECRYPT: true, ck.CKA_UNWRAP: true, ck.CKA_SIGN: true},
	} {
		h, err := s.CreateObject(with(key, ulong(ck.CKA_NCRYPT_KEY_USAGE, usage)))
		if err != nil {
			t.Fatal(err)
		}
		for typ, on := range want {
			if value := read(t, s, h, typ)[0]; !bytes.Equal(value, attr.Bool(on)) {
				t.Errorf("usage %#x: %v is %v", usage, typ, value)
			}
		}
		if back := read(t, s, h, ck.CKA_NCRYPT_KEY_USAGE)[0]; !bytes.Equal(back, attr.ULong(usage)) {
			t.Errorf("usage %#x reads back as %v", usage, back)
		}
		wantCode(t, "later", s.SetAttributes(h, attr.Template{ulong(ck.CKA_NCRYPT_KEY_USAGE, usage)}), ck.CKR_ATTRIBUTE_READ_ONLY)
	}
	_, err := s.CreateObject(with(key, ulong(ck.CKA_NCRYPT_KEY_USAGE, 2), boolean(ck.CKA_SIGN, false)))
	wantCode(t, "a contradiction", err, ck.CKR_TEMPLATE_INCONSISTENT)
}

// CKA_NCRYPT_MODIFIED is when the key was made or last changed; CKA_NCRYPT_SCOPE whose it is.
func TestModifiedAttribute(t *testing.T) {
	_, s := open(t)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	h, err := s.CreateObject(aesKey(true, true))
	if err != nil {
		t.Fatal(err)
	}
	modified := func() time.Time {
		value := read(t, s, h, ck.CKA_NCRYPT_MODIFIED)[0]
		if len(value) != 8 {
			t.Fatalf("%d bytes", len(value))
		}
		return time.Unix(0, int64(binary.LittleEndian.Uint64(value)-116444736000000000)*100)
	}
	made := modified()
	if since := time.Since(made); since < 0 || since > time.Minute {
		t.Errorf("made %v ago", since)
	}
	wantCode(t, "a change", s.SetAttributes(h, attr.Template{labelled("other")}), ck.CKR_OK)
	if !modified().After(made) {
		t.Error("the change was not noted")
	}
	if scope := read(t, s, h, ck.CKA_NCRYPT_SCOPE)[0]; !bytes.Equal(scope, attr.ULong(0)) {
		t.Errorf("the scope is %v", scope)
	}
	wantCode(t, "by hand", s.SetAttributes(h, attr.Template{{Type: ck.CKA_NCRYPT_MODIFIED, Value: make([]byte, 8)}}), ck.CKR_ATTRIBUTE_READ_ONLY)
}
