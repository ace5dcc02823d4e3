package token

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

func TestOnlyThePrivateValueIsWiped(t *testing.T) {
	for _, private := range []bool{true, false} {
		set := &attr.Set{}
		set.PutULong(ck.CKA_CLASS, uint(ck.CKO_DATA))
		set.PutBool(ck.CKA_PRIVATE, private)
		set.Put(ck.CKA_VALUE, []byte("value"))
		set.Put(ck.CKA_LABEL, []byte("label"))
		value, _ := set.Get(ck.CKA_VALUE)
		label, _ := set.Get(ck.CKA_LABEL)
		wipePrivateData(set)
		if wiped := bytes.Equal(value, make([]byte, len(value))); wiped != private {
			t.Errorf("CKA_PRIVATE %v: value wiped %v", private, wiped)
		}
		if string(label) != "label" {
			t.Errorf("CKA_PRIVATE %v: label %q", private, label)
		}
	}
}
