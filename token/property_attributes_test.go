package token_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// A program that speaks PKCS #11 makes, finds, reads and changes the properties of NCrypt's keys.
func TestPropertyAttributes(t *testing.T) {
	_, s := userSession(t)
	key, err := s.CreateObject(aesKey(true, true))
	if err != nil {
		t.Fatal(err)
	}
	id := read(t, s, key, ck.CKA_UNIQUE_ID)[0]
	name := attr.Attribute{Type: ck.CKA_NCRYPT_PROP_NAME, Value: []byte("color")}
	value := attr.Attribute{Type: ck.CKA_NCRYPT_PROP_VALUE, Value: []byte("blue")}
	made, err := s.CreateObject(append(token.PropertiesOf(id), name, value))
	if err != nil {
		t.Fatal(err)
	}
	kept := token.Property{Name: "shape", Value: []byte("round")}
	if _, err := s.CreateObject(kept.Template(id)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateObject(attr.Template{ulong(ck.CKA_CLASS, uint(ck.CKO_DATA)), labelled("color"), boolean(ck.CKA_TOKEN, true)}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, value string }{{"color", "blue"}, {"shape", "round"}} {
		all := found(t, s, attr.Attribute{Type: ck.CKA_NCRYPT_PROP_NAME, Value: []byte(test.name)})
		if len(all) != 1 {
			t.Fatalf("%d properties %q", len(all), test.name)
		}
		values := read(t, s, all[0], ck.CKA_NCRYPT_PROP_NAME, ck.CKA_NCRYPT_PROP_VALUE, ck.CKA_LABEL, ck.CKA_VALUE)
		if string(values[0]) != test.name || string(values[1]) != test.value || string(values[2]) != test.name || string(values[3]) != test.value {
			t.Errorf("%s: %q", test.name, values)
		}
	}
	wantCode(t, "another value", s.SetAttributes(made, attr.Template{{Type: ck.CKA_NCRYPT_PROP_VALUE, Value: []byte("red")}}), ck.CKR_OK)
	if got := read(t, s, made, ck.CKA_NCRYPT_PROP_VALUE)[0]; string(got) != "red" {
		t.Errorf("the value is %q", got)
	}
	if got := read(t, s, key, ck.CKA_NCRYPT_PROP_NAME)[0]; got != nil {
		t.Error("a key is a property")
	}
	_, err = s.CreateObject(attr.Template{ulong(ck.CKA_CLASS, uint(ck.CKO_DATA)), name, value})
	wantCode(t, "a property of nothing", err, ck.CKR_TEMPLATE_INCONSISTENT)
	_, err = s.CreateObject(append(token.PropertiesOf(make([]byte, 32)), name, value))
	wantCode(t, "a property of a key that there is not", err, ck.CKR_OBJECT_HANDLE_INVALID)
	_, err = s.CreateObject(append(token.PropertiesOf(id), name, value, labelled("color")))
	wantCode(t, "a name twice", err, ck.CKR_TEMPLATE_INCONSISTENT)
	wantCode(t, "a name for a key", s.SetAttributes(key, attr.Template{name}), ck.CKR_ATTRIBUTE_TYPE_INVALID)
}
