package token_test

import (
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// ncryptAttributes are all of p11.h.
var ncryptAttributes = []ck.AttributeType{
	ck.CKA_NCRYPT_PROTECTION, ck.CKA_NCRYPT_PER_BOOT, ck.CKA_NCRYPT_ISOLATED, ck.CKA_NCRYPT_USABLE, ck.CKA_NCRYPT_STATE, ck.CKA_NCRYPT_EXPORT_POLICY,
	ck.CKA_NCRYPT_ARCHIVES_LEFT, ck.CKA_NCRYPT_KEY_USAGE, ck.CKA_NCRYPT_KEY_NAME, ck.CKA_NCRYPT_UNIQUE_NAME, ck.CKA_NCRYPT_OVERWRITE, ck.CKA_NCRYPT_DO_NOT_FINALIZE,
	ck.CKA_NCRYPT_NO_VALIDATE, ck.CKA_NCRYPT_BLOB_TYPE, ck.CKA_NCRYPT_BLOB, ck.CKA_NCRYPT_SCOPE, ck.CKA_NCRYPT_MODIFIED, ck.CKA_NCRYPT_ISO_FLAGS,
	ck.CKA_NCRYPT_CONFINING, ck.CKA_NCRYPT_CONTAINER, ck.CKA_NCRYPT_KEY_SPEC, ck.CKA_NCRYPT_PROP_NAME, ck.CKA_NCRYPT_PROP_VALUE,
}

// Each attribute of NCrypt's in each kind of change, with values of every form: what may be changed is listed, and nothing else is.
func TestChangesOfNCryptAttributes(t *testing.T) {
	_, s := userSession(t)
	var values = [][]byte{{}, {0}, {1}, {2}, attr.ULong(0), attr.ULong(1), attr.ULong(2), attr.ULong(4), attr.ULong(0x10), attr.ULong(^uint(0)), []byte("name"), make([]byte, 4096)}
	ways := map[string]struct {
		change func(h ck.ObjectHandle, a attr.Attribute) error
		made   attr.Template
		takes  []ck.AttributeType
	}{
		"a final key": {func(h ck.ObjectHandle, a attr.Attribute) error { return s.SetAttributes(h, attr.Template{a}) }, nil,
			[]ck.AttributeType{ck.CKA_NCRYPT_EXPORT_POLICY}},
		"a key that is not final": {func(h ck.ObjectHandle, a attr.Attribute) error { return s.SetAttributes(h, attr.Template{a}) }, attr.Template{begun},
			[]ck.AttributeType{ck.CKA_NCRYPT_EXPORT_POLICY, ck.CKA_NCRYPT_PROTECTION, ck.CKA_NCRYPT_PER_BOOT, ck.CKA_NCRYPT_KEY_USAGE, ck.CKA_NCRYPT_KEY_NAME, ck.CKA_NCRYPT_OVERWRITE}},
		"a copy": {func(h ck.ObjectHandle, a attr.Attribute) error {
			_, err := s.CopyObject(h, attr.Template{a})
			return err
		}, nil,
			[]ck.AttributeType{ck.CKA_NCRYPT_EXPORT_POLICY, ck.CKA_NCRYPT_KEY_NAME, ck.CKA_NCRYPT_OVERWRITE}},
	}
	for name, way := range ways {
		for _, typ := range ncryptAttributes {
			taken := false
			for _, value := range values {
				h, err := s.CreateObject(with(aesKey(true, true), way.made...))
				if err != nil {
					t.Fatal(err)
				}
				err = way.change(h, attr.Attribute{Type: typ, Value: value})
				taken = taken || err == nil
				if code := ck.Code(err); code == ck.CKR_GENERAL_ERROR || code == ck.CKR_DEVICE_ERROR || code == ck.CKR_HOST_MEMORY {
					t.Errorf("%s, %v %x: %v", name, typ, value[:min(len(value), 8)], err)
				}
				_, err = s.ObjectSize(h)
				wantCode(t, "the key is there", err, ck.CKR_OK)
				wantCode(t, "destroyed", s.DestroyObject(h), ck.CKR_OK)
			}
			if want := slices.Contains(way.takes, typ); taken != want {
				t.Errorf("%s takes %v: %t, want %t", name, typ, taken, want)
			}
		}
	}
	for _, h := range found(t, s, ulong(ck.CKA_CLASS, uint(ck.CKO_SECRET_KEY))) {
		for _, typ := range []ck.AttributeType{ck.CKA_NCRYPT_OVERWRITE, ck.CKA_NCRYPT_DO_NOT_FINALIZE, ck.CKA_NCRYPT_NO_VALIDATE, ck.CKA_NCRYPT_BLOB} {
			readings := []token.Reading{{Type: typ}}
			wantCode(t, "read", s.GetAttributes(h, readings, func() {}), ck.CKR_OK)
			wantCode(t, typ.String(), readings[0].Err, ck.CKR_ATTRIBUTE_TYPE_INVALID)
		}
	}
}
