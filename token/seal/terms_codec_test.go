package seal_test

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/seal"
)

var user, group, vm = seal.Principal{Kind: seal.User, ID: 33}, seal.Principal{Kind: seal.Group, ID: 1 << 31}, seal.Principal{Kind: seal.VM, ID: 3}

// The bytes are a format: what was sealed with them must open.
func TestTermsEncoding(t *testing.T) {
	for _, test := range []struct {
		terms seal.Terms
		bytes string
	}{
		{seal.Terms{}, "00" + "0000000000" + "00"},
		{seal.Terms{PerBoot: true, Access: seal.Access{Owner: user}}, "01" + "0100000021" + "00"},
		{seal.Terms{Apart: true, Access: seal.Access{Owner: user}}, "04" + "0100000021" + "00"},
		{seal.Terms{Access: seal.Access{Owner: user, Machine: true, Allow: []seal.Principal{group, vm}}}, "02" + "0100000021" + "02" + "0280000000" + "0300000003"},
	} {
		encoded := test.terms.Append([]byte("before"))
		if got := hex.EncodeToString(encoded[len("before"):]); got != test.bytes || len(got) > 2*seal.MaxTermsLen {
			t.Errorf("%+v: %s, want %s", test.terms, got, test.bytes)
		}
		back, rest, err := seal.CutTerms(append(encoded, "after"...)[len("before"):])
		if err != nil || !reflect.DeepEqual(*back, test.terms) || string(rest) != "after" {
			t.Errorf("%s: %+v, %q, %v", test.bytes, back, rest, err)
		}
	}
}

func TestTermsCheck(t *testing.T) {
	many := make([]seal.Principal, seal.MaxAllowed+1)
	for i := range many {
		many[i] = user
	}
	longest := seal.Terms{Access: seal.Access{Allow: many[1:]}}
	if err := longest.Check(); err != nil || len(longest.Append(nil)) != seal.MaxTermsLen {
		t.Errorf("the longest: %v", err)
	}
	for name, access := range map[string]seal.Access{
		"too many":                      {Allow: many},
		"an owner of no kind":           {Owner: seal.Principal{ID: 1}},
		"an owner of an unknown kind":   {Owner: seal.Principal{Kind: 9}},
		"somebody of no kind":           {Owner: user, Allow: []seal.Principal{{}}},
		"somebody of the kind after VM": {Owner: user, Allow: []seal.Principal{{Kind: seal.VM + 1}}},
	} {
		terms := seal.Terms{Access: access}
		if terms.Check() == nil {
			t.Errorf("%s: terms", name)
		}
		if _, _, err := seal.CutTerms(terms.Append(nil)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

// Whatever is read as terms has that one encoding.
func FuzzCutTerms(f *testing.F) {
	full := seal.Terms{PerBoot: true, Access: seal.Access{Owner: user, Machine: true, Allow: []seal.Principal{group, vm}}}
	f.Add([]byte{})
	f.Add((&seal.Terms{}).Append(nil))
	f.Add(full.Append(nil))
	f.Add(full.Append(nil)[:10])
	f.Add(append([]byte{4}, full.Append(nil)[1:]...))
	f.Fuzz(func(t *testing.T, b []byte) {
		terms, rest, err := seal.CutTerms(b)
		if err != nil {
			return
		}
		if again := append(terms.Append(nil), rest...); !bytes.Equal(again, b) {
			t.Errorf("%x is read, and written as %x", b, again)
		}
	})
}
