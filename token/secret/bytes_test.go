package secret

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestCloseZeroes(t *testing.T) {
	s := Copy([]byte("hunter2"))
	inside := s.Bytes()
	s.Close()
	s.Close()
	if string(inside) != strings.Repeat("\x00", 7) {
		t.Fatalf("bytes survive Close: %q", inside)
	}
	if s.Len() != 0 || s.Bytes() != nil {
		t.Fatal("closed secret is not empty")
	}
}

func TestFromMovesAndWipes(t *testing.T) {
	src := []byte("1234")
	s := From(src)
	defer s.Close()
	if string(src) != "\x00\x00\x00\x00" {
		t.Fatalf("source survives: %q", src)
	}
	if !s.Equal([]byte("1234")) || s.Equal([]byte("1235")) || s.Equal([]byte("12345")) {
		t.Fatal("Equal is wrong")
	}
}

func TestNeverShown(t *testing.T) {
	s := Copy([]byte("hunter2"))
	defer s.Close()
	wrapped := struct {
		PIN    *Bytes
		hidden Bytes
	}{s, *s}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{s, *s, wrapped} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "hunter") || strings.Contains(text, "68756e") || strings.Contains(text, "104") {
				t.Errorf("%s shows the secret: %s", verb, text)
			}
		}
	}
	if out, err := json.Marshal(wrapped); err == nil {
		t.Errorf("JSON was made: %s", out)
	}
}

func TestNilIsEmpty(t *testing.T) {
	var s *Bytes
	s.Close()
	if s.Len() != 0 || s.Clone().Len() != 0 {
		t.Fatal("nil secret is not empty")
	}
}
