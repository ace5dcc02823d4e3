package token_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
)

// A private key comes with its public half, or neither comes.
func TestKeepHalves(t *testing.T) {
	p := overReset(t, t.TempDir(), &reset{pinseal.New(cheap), map[string]bool{}})
	slot, err := p.Create(&token.Spec{Label: "test", NoLogin: true, UniqueNames: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, p, slot)
	yes, id := attr.Bool(true), attr.Attribute{Type: ck.CKA_ID, Value: []byte("id")}
	wantCode(t, "KeepHalves", s.KeepHalves(attr.Template{{Type: ck.CKA_TOKEN, Value: yes}, {Type: ck.CKA_VERIFY, Value: yes}, id}), ck.CKR_OK)
	private := attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_EC))},
		{Type: ck.CKA_EC_PARAMS, Value: pubkey.P256.Params}, {Type: ck.CKA_VALUE, Value: bytes.Repeat([]byte{1}, 32)},
		{Type: ck.CKA_SENSITIVE, Value: yes}, id, labelled("pair"),
	}
	_, err = s.CreateObject(private)
	wantCode(t, "a session object", err, ck.CKR_OK)
	if n := len(found(t, s, id)); n != 1 {
		t.Errorf("%d objects of a private key that is not stored", n)
	}
	stored := with(private, attr.Attribute{Type: ck.CKA_TOKEN, Value: yes})
	_, err = s.CreateObject(stored)
	wantCode(t, "a token object", err, ck.CKR_OK)
	pair := []attr.Attribute{id, {Type: ck.CKA_TOKEN, Value: yes}}
	if n := len(found(t, s, pair...)); n != 2 {
		t.Fatalf("%d objects of a pair", n)
	}
	halves := found(t, s, append(pair, attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PUBLIC_KEY))})...)
	info := []token.Reading{{Type: ck.CKA_PUBLIC_KEY_INFO}}
	wantCode(t, "its public half", s.GetAttributes(halves[0], info, func() {}), ck.CKR_OK)
	if n := len(found(t, s, append(pair, attr.Attribute{Type: ck.CKA_PUBLIC_KEY_INFO, Value: info[0].Value})...)); n != 2 {
		t.Errorf("%d objects of the same public key", n)
	}
	_, err = s.CreateObject(stored)
	wantTaken(t, "the name again", err)
	if n := len(found(t, s, pair...)); n != 2 {
		t.Errorf("%d objects after what failed", n)
	}
	wantCode(t, "one of them twice", s.DestroyTogether(halves[0], halves[0]), ck.CKR_OBJECT_HANDLE_INVALID)
	if n := len(found(t, s, pair...)); n != 2 {
		t.Errorf("%d objects after some could not be destroyed", n)
	}
	wantCode(t, "both", s.DestroyTogether(found(t, s, pair...)...), ck.CKR_OK)
	if n := len(found(t, s, id)); n != 1 {
		t.Errorf("%d objects when all that are stored are destroyed", n)
	}
}
