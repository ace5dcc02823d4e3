package guard_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

func statement() *guard.Statement {
	made := time.Unix(1_800_000_000, 0).UTC()
	return &guard.Statement{
		Level: guard.Service, Made: made,
		Keys:  []guard.StatedKey{{Public: []byte("an SPKI"), Policy: confined()}, {Public: []byte("another"), Policy: example()}},
		Asked: guard.Asked{Nonce: []byte("nonce"), Expires: made.Add(24 * time.Hour), Context: bytes.Repeat([]byte{7}, 32)},
	}
}

func TestStatementEncoding(t *testing.T) {
	s := statement()
	b := s.Encode()
	got, err := guard.DecodeStatement(b)
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Fatalf("%+v became %+v (%v)", s, got, err)
	}
	for i := range b {
		if _, err := guard.DecodeStatement(b[:i]); ck.Code(err) != ck.CKR_DATA_INVALID {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
	if _, err := guard.DecodeStatement(append(b, 0)); ck.Code(err) != ck.CKR_DATA_INVALID {
		t.Errorf("a byte more: %v", err)
	}
}

// The bytes are signed: they must not change under the same version.
func TestStatementBytes(t *testing.T) {
	policy := string(confined().Encode())
	s := statement()
	s.Keys = s.Keys[:1]
	want := "N11S\x01\x02" + "\x00\x00\x00\x00\x6b\x49\xd2\x00" + "\x00\x00\x00\x00\x6b\x4b\x23\x80" + "\x05nonce" + strings.Repeat("\x07", 32) +
		"\x01" + "\x00\x07an SPKI" + "\x00" + string(rune(len(policy))) + policy
	if got := s.Encode(); string(got) != want {
		t.Fatalf("%x, want %x", got, want)
	}
}

func TestStatementValid(t *testing.T) {
	for name, spoil := range map[string]func(s *guard.Statement){
		"software":         func(s *guard.Statement) { s.Level = guard.Software },
		"unknown level":    func(s *guard.Statement) { s.Level = 9 },
		"long nonce":       func(s *guard.Statement) { s.Asked.Nonce = make([]byte, 65) },
		"no context":       func(s *guard.Statement) { s.Asked.Context = nil },
		"expired at once":  func(s *guard.Statement) { s.Asked.Expires = s.Made },
		"for two years":    func(s *guard.Statement) { s.Asked.Expires = s.Made.Add(2 * guard.MaxStated) },
		"no keys":          func(s *guard.Statement) { s.Keys = nil },
		"many keys":        func(s *guard.Statement) { s.Keys = make([]guard.StatedKey, 9) },
		"no public half":   func(s *guard.Statement) { s.Keys[0].Public = nil },
		"malformed policy": func(s *guard.Statement) { s.Keys[0].Policy = &guard.Policy{AlwaysAuthenticate: true} },
	} {
		s := statement()
		spoil(s)
		if err := s.Valid(); ck.Code(err) != ck.CKR_ARGUMENTS_BAD {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := statement().Valid(); err != nil {
		t.Error(err)
	}
}

func FuzzDecodeStatement(f *testing.F) {
	f.Add(statement().Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := guard.DecodeStatement(b)
		if err == nil && !bytes.Equal(s.Encode(), b) {
			t.Fatalf("%x has another encoding, %x", b, s.Encode())
		}
	})
}
