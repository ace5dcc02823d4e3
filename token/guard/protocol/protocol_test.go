package protocol_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

func TestRequests(t *testing.T) {
	for method, examples := range requests() {
		for _, m := range examples {
			b := encoded(t, method, m)
			got, back, err := protocol.DecodeRequest(b)
			if err != nil || got != method || reflect.TypeOf(back) != reflect.TypeOf(m) {
				t.Errorf("%v came back as %v %T (%v)", method, got, back, err)
				continue
			}
			if again := encoded(t, method, back); !bytes.Equal(again, b) {
				t.Errorf("%v has two encodings, %x and %x", method, b, again)
			}
			for i := range b {
				if _, _, err := protocol.DecodeRequest(b[:i]); err == nil {
					t.Errorf("%v cut at %d", method, i)
				}
			}
			if _, _, err := protocol.DecodeRequest(append(b, 0)); err == nil {
				t.Errorf("%v and a byte", method)
			}
		}
	}
}

// What is sent is read back as it was, and a client's terms never name an owner.
func TestFields(t *testing.T) {
	for method, examples := range requests() {
		_, back, err := protocol.DecodeRequest(encoded(t, method, examples[0]))
		if err != nil {
			t.Fatal(err)
		}
		if shown, want := show(back), show(examples[0]); shown != want {
			t.Errorf("%v: %s, not %s", method, shown, want)
		}
	}
	owned := &protocol.NewMaster{Terms: &seal.Terms{Access: seal.Access{Owner: seal.Principal{Kind: seal.User, ID: 1}}}}
	_, back, err := protocol.DecodeRequest(encoded(t, protocol.MethodNewMaster, owned))
	if err != nil || !back.(*protocol.NewMaster).Terms.Empty() {
		t.Errorf("%s (%v)", show(back), err)
	}
}

// show is a message with what its pointers lead to, but for PINs, whose lengths count.
func show(m protocol.Message) string {
	var b strings.Builder
	v := reflect.ValueOf(m).Elem()
	for i := range v.NumField() {
		f := v.Field(i).Interface()
		switch f := f.(type) {
		case *secret.Bytes:
			fmt.Fprintf(&b, "PIN of %d bytes; ", f.Len())
		case *mech.Scheme:
			s := *f
			row := *s.Row
			s.Row = nil
			fmt.Fprintf(&b, "%v %+v; ", row.Type, s)
		case *guard.Policy, *guard.KeySpec, *seal.Terms:
			fmt.Fprintf(&b, "%+v; ", reflect.ValueOf(f).Elem())
		case guard.Material:
			fmt.Fprintf(&b, "%d %d %s; ", f.Class, f.KeyType, showParts(f.Parts))
		case []guard.Part:
			fmt.Fprintf(&b, "%s; ", showParts(f))
		default:
			fmt.Fprintf(&b, "%+v; ", f)
		}
	}
	return b.String()
}

func showParts(parts []guard.Part) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "%v %x,", p.Type, p.Value)
	}
	return b.String()
}

func TestReplies(t *testing.T) {
	for _, m := range replies() {
		b, err := protocol.AppendReply(nil, m, nil)
		if err != nil {
			t.Fatal(err)
		}
		back := reflect.New(reflect.TypeOf(m).Elem()).Interface().(protocol.Message)
		if err := protocol.DecodeReply(b[headLen:], back); err != nil {
			t.Errorf("%T: %v", m, err)
		}
		if again, err := protocol.AppendReply(nil, back, nil); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%T has two encodings, %x and %x (%v)", m, b, again, err)
		}
	}
}

// An error arrives with its CK_RV, its reason, and the cause if it is one that clients know.
func TestErrors(t *testing.T) {
	for _, test := range []struct {
		sent  error
		rv    ck.RV
		cause error
		text  string
	}{
		{ck.CKR_KEY_UNEXTRACTABLE, ck.CKR_KEY_UNEXTRACTABLE, nil, "CKR_KEY_UNEXTRACTABLE"},
		{ck.Errorf(ck.CKR_PIN_LOCKED, "so it is"), ck.CKR_PIN_LOCKED, nil, "CKR_PIN_LOCKED: so it is"},
		{errors.New("no CK_RV"), ck.CKR_GENERAL_ERROR, nil, "CKR_GENERAL_ERROR: no CK_RV"},
		{ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", seal.ErrDead), ck.CKR_DEVICE_ERROR, seal.ErrDead, "CKR_DEVICE_ERROR: " + seal.ErrDead.Error()},
		{ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", seal.ErrForeign), ck.CKR_DEVICE_ERROR, seal.ErrForeign, "CKR_DEVICE_ERROR: " + seal.ErrForeign.Error()},
		{ck.Errorf(ck.CKR_DEVICE_REMOVED, "%w", seal.ErrAbsent), ck.CKR_DEVICE_REMOVED, seal.ErrAbsent, "CKR_DEVICE_REMOVED: " + seal.ErrAbsent.Error()},
		{ck.Errorf(ck.CKR_DEVICE_ERROR, "%s", strings.Repeat("x", 5000)), ck.CKR_DEVICE_ERROR, nil, "CKR_DEVICE_ERROR: " + strings.Repeat("x", 1024)},
	} {
		b, err := protocol.AppendReply(nil, nil, test.sent)
		if err != nil {
			t.Fatal(err)
		}
		got := protocol.DecodeReply(b[headLen:], &protocol.Nothing{})
		if !errors.Is(got, test.rv) || got.Error() != test.text || test.cause != nil && !errors.Is(got, test.cause) {
			t.Errorf("%v became %v", test.sent, got)
		}
	}
}

// A PIN that was read is wiped, also where what follows it is no message.
func TestRelease(t *testing.T) {
	b := encoded(t, protocol.MethodUnlock, &protocol.Unlock{Auth: pin()})
	_, m, err := protocol.DecodeRequest(b)
	if err != nil {
		t.Fatal(err)
	}
	auth := m.(*protocol.Unlock).Auth
	if !auth.Equal([]byte("1234")) {
		t.Error("another PIN")
	}
	protocol.Release(m)
	if auth.Len() != 0 {
		t.Error("the PIN is still there")
	}
}

// What cannot be said is an error of who says it, and what is too long is refused before it is sent.
func TestImpossible(t *testing.T) {
	for name, m := range map[string]struct {
		method protocol.Method
		m      protocol.Message
	}{
		"a PIN too long":      {protocol.MethodUnlock, &protocol.Unlock{Auth: secret.New(256)}},
		"data too long":       {protocol.MethodSign, &protocol.Use{Scheme: plain, Data: make([]byte, protocol.MaxData+1)}},
		"a negative length":   {protocol.MethodGenerate, &protocol.Generate{Spec: &guard.KeySpec{Bits: -1}}},
		"an unknown usage":    {protocol.MethodGenerate, &protocol.Generate{Policy: &guard.Policy{Usage: 1 << 12}}},
		"too many parts":      {protocol.MethodImport, &protocol.Import{Material: guard.Material{Parts: make([]guard.Part, 33)}}},
		"too many principals": {protocol.MethodNewMaster, &protocol.NewMaster{Terms: &seal.Terms{Access: seal.Access{Allow: make([]seal.Principal, seal.MaxAllowed+1)}}}},
	} {
		if _, err := protocol.AppendRequest(nil, m.method, m.m); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}
