package protocol_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

func FuzzDecodeRequest(f *testing.F) {
	for method, examples := range requests() {
		for _, m := range examples {
			f.Add(encoded(f, method, m))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		method, m, err := protocol.DecodeRequest(bytes.Clone(b))
		if err != nil {
			if m != nil {
				t.Fatal("a message and an error")
			}
			return
		}
		if hello, ok := m.(*protocol.Hello); ok && hello.Version != protocol.Version {
			return // the rest means something to that version
		}
		if again := encoded(t, method, m); !bytes.Equal(again, b) {
			t.Fatalf("%v %x has another encoding, %x", method, b, again)
		}
		protocol.Release(m)
	})
}

func FuzzDecodeReply(f *testing.F) {
	for i, m := range replies() {
		b, err := protocol.AppendReply(nil, m, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), b[headLen:])
	}
	for _, failure := range []error{ck.CKR_PIN_INCORRECT, ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", seal.ErrDead)} {
		b, err := protocol.AppendReply(nil, nil, failure)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(0), b[headLen:])
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		all := replies()
		m := reflect.New(reflect.TypeOf(all[int(which)%len(all)]).Elem()).Interface().(protocol.Message)
		err := protocol.DecodeReply(bytes.Clone(b), m)
		var rv ck.RV
		var explained *ck.Error
		if err != nil && !errors.As(err, &rv) && !errors.As(err, &explained) {
			return // malformed
		}
		again, failure := protocol.AppendReply(nil, m, err)
		if failure != nil || !bytes.Equal(again[headLen:], b) {
			t.Fatalf("%T %x has another encoding, %x (%v)", m, b, again[headLen:], failure)
		}
	})
}
