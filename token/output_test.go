package token

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

func TestOutputPut(t *testing.T) {
	for name, test := range map[string]struct {
		out   Output
		want  int
		code  ck.RV
		wrote string
	}{
		"fits":        {Output{Buf: []byte("......")}, 4, ck.CKR_OK, "abcd.."},
		"exactly":     {Output{Buf: []byte("....")}, 4, ck.CKR_OK, "abcd"},
		"too small":   {Output{Buf: []byte("...")}, 4, ck.CKR_BUFFER_TOO_SMALL, "..."},
		"no room":     {Output{Buf: []byte{}}, 4, ck.CKR_BUFFER_TOO_SMALL, ""},
		"length only": {Output{Null: true}, 4, ck.CKR_OK, ""},
	} {
		n, err := test.out.put([]byte("abcd")) // a result that append has moved elsewhere
		if n != test.want || ck.Code(err) != test.code || string(test.out.Buf) != test.wrote {
			t.Errorf("%s: %d, %v, %q", name, n, err, test.out.Buf)
		}
		in := Output{Null: test.out.Null, Buf: bytes.Repeat([]byte{'.'}, len(test.out.Buf))}
		if n, err := in.put(append(in.room(), "abcd"...)); n != test.want || ck.Code(err) != test.code {
			t.Errorf("%s, in place: %d, %v", name, n, err)
		}
	}
}

func TestOutputNeverGrowsIntoWhatFollows(t *testing.T) {
	memory := []byte("....|neighbour")
	out := Output{Buf: memory[:4]}
	if _, err := out.put(append(out.room(), "too long"...)); ck.Code(err) != ck.CKR_BUFFER_TOO_SMALL {
		t.Fatal(err)
	}
	if string(memory[4:]) != "|neighbour" {
		t.Fatalf("memory behind the buffer was written: %q", memory)
	}
}

func TestPlaintextWithoutRoomIsWiped(t *testing.T) {
	secret := []byte("secret")
	if _, err := (Output{Buf: make([]byte, 2)}).put(secret); ck.Code(err) != ck.CKR_BUFFER_TOO_SMALL {
		t.Fatal(err)
	}
	if !bytes.Equal(secret, make([]byte, 6)) {
		t.Fatal("what the caller had no room for is left in memory")
	}
}
