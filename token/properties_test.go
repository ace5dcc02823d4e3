package token_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
)

// Properties come with their key, go when another takes its place, and are refused when it is gone.
func TestProperties(t *testing.T) {
	p := overReset(t, t.TempDir(), &reset{pinseal.New(cheap), map[string]bool{}})
	slot, err := p.Create(&token.Spec{Label: "test", NoLogin: true, UniqueNames: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, p, slot)
	property := token.Property{Name: "one", Value: []byte("1")}
	wantCode(t, "KeepProperties", s.KeepProperties([]token.Property{property, {Name: "none"}}), ck.CKR_OK)
	id := func(key ck.ObjectHandle) []byte {
		reading := []token.Reading{{Type: ck.CKA_UNIQUE_ID}}
		wantCode(t, "CKA_UNIQUE_ID", s.GetAttributes(key, reading, func() {}), ck.CKR_OK)
		return reading[0].Value
	}
	first, err := s.CreateObject(with(aesKey(true, true), labelled("key")))
	wantCode(t, "a key", err, ck.CKR_OK)
	firstID := id(first)
	if n := len(found(t, s, token.PropertiesOf(firstID)...)); n != 2 {
		t.Fatalf("%d properties", n)
	}
	_, err = s.CreateObject(with(aesKey(true, true), labelled("key")))
	wantTaken(t, "the name", err)
	_, err = s.CreateObject(with(aesKey(true, true), labelled("a session's"), attr.Attribute{Type: ck.CKA_TOKEN, Value: attr.Bool(false)}))
	wantCode(t, "a session key", err, ck.CKR_OK)
	second, err := s.CreateObject(with(aesKey(true, true), labelled("key"), overwrite))
	wantCode(t, "a key in its place", err, ck.CKR_OK)
	data := attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_DATA))}
	if old, all := len(found(t, s, token.PropertiesOf(firstID)...)), len(found(t, s, data)); old != 0 || all != 2 {
		t.Errorf("%d properties of a key that is gone, %d of all", old, all)
	}
	_, err = s.CreateObject(property.Template(firstID))
	wantCode(t, "a property of a key that is gone", err, ck.CKR_OBJECT_HANDLE_INVALID)
	_, err = s.CreateObject(property.Template(id(second)))
	wantCode(t, "a property of a key", err, ck.CKR_OK)
}
