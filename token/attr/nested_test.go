package attr_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

func nested(typ ck.AttributeType, t tmpl) attr.Attribute {
	return attr.Attribute{Type: typ, Value: attr.EncodeNested(t)}
}

func TestNested(t *testing.T) {
	in := tmpl{s(ck.CKA_LABEL, "x"), b(ck.CKA_TOKEN, true), u(ck.CKA_KEY_TYPE, ck.CKK_AES), nested(ck.CKA_UNWRAP_TEMPLATE, tmpl{b(ck.CKA_SIGN, false)})}
	got, err := attr.DecodeNested(attr.EncodeNested(in))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(attr.EncodeNested(got), attr.EncodeNested(in)) || len(got) != len(in) {
		t.Error("DecodeNested(EncodeNested) is another template")
	}
	if empty, err := attr.DecodeNested(nil); err != nil || len(empty) != 0 {
		t.Errorf("the empty template: %v, %v", empty, err)
	}
}

func TestNestedErrors(t *testing.T) {
	deep := b(ck.CKA_TOKEN, true)
	for range 5 {
		deep = nested(ck.CKA_UNWRAP_TEMPLATE, tmpl{deep})
	}
	good := attr.EncodeNested(tmpl{s(ck.CKA_LABEL, "name")})
	for _, test := range []struct {
		name string
		in   []byte
		want ck.RV
	}{
		{"cut in a header", good[:11], ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"cut in a value", good[:13], ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"unknown attribute", attr.EncodeNested(tmpl{s(0x7fff1234, "")}), ck.CKR_ATTRIBUTE_TYPE_INVALID},
		{"malformed value", attr.EncodeNested(tmpl{s(ck.CKA_TOKEN, "")}), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"secret", attr.EncodeNested(tmpl{s(ck.CKA_PRIVATE_EXPONENT, "d")}), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"too deep", attr.EncodeNested(tmpl{deep}), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"too many", attr.EncodeNested(slices.Repeat(tmpl{b(ck.CKA_TOKEN, true)}, attr.MaxAttributes+1)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
	} {
		if _, err := attr.DecodeNested(test.in); ck.Code(err) != test.want {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

func FuzzDecodeNested(f *testing.F) {
	f.Add(attr.EncodeNested(tmpl{s(ck.CKA_LABEL, "x"), nested(ck.CKA_WRAP_TEMPLATE, tmpl{b(ck.CKA_SIGN, true)})}))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := attr.DecodeNested(in)
		if err == nil && !bytes.Equal(attr.EncodeNested(got), in) {
			t.Fatal("two encodings of one template")
		}
	})
}
