package attr_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

func TestSet(t *testing.T) {
	s := sample()
	if s.Len() != 4 {
		t.Fatalf("Len() = %d, want 4", s.Len())
	}
	if u, ok := s.ULong(0); u != 4 || !ok {
		t.Errorf("ULong(0) = %d, %v", u, ok)
	}
	if _, ok := s.ULong(1); ok {
		t.Error("a CK_BBOOL was read as a CK_ULONG")
	}
	if _, ok := s.ULong(9); ok {
		t.Error("an absent attribute was read as a CK_ULONG")
	}
	if !s.Bool(1) || s.Bool(9) || s.Bool(0) {
		t.Error("Bool is wrong")
	}
	if v, ok := s.Get(3); !ok || len(v) != 0 {
		t.Errorf("Get(3) = %x, %v; want an empty value", v, ok)
	}
	s.PutBool(1, false)
	if s.Bool(1) || s.Len() != 4 {
		t.Error("Put did not replace")
	}
	s.Delete(1)
	s.Delete(9)
	if _, ok := s.Get(1); ok || s.Len() != 3 {
		t.Error("Delete is wrong")
	}
	last := ck.AttributeType(0)
	for typ := range s.All() {
		if typ < last {
			t.Error("All does not ascend")
		}
		last = typ
		if typ == 3 {
			break
		}
	}
}

func TestSetOwnsItsValues(t *testing.T) {
	value := []byte{7}
	s := &attr.Set{}
	s.Put(5, value)
	value[0] = 8
	clone := s.Clone()
	clone.Put(5, []byte{9})
	clone.Put(4, nil)
	clone.Delete(5)
	if v, _ := s.Get(5); !bytes.Equal(v, []byte{7}) || s.Len() != 1 {
		t.Fatalf("value %x, %d attributes; want 07, 1", v, s.Len())
	}
}

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		name string
		t    attr.Template
		want bool
	}{
		{"everything", nil, true},
		{"one", attr.Template{{Type: 0, Value: attr.ULong(4)}}, true},
		{"empty value", attr.Template{{Type: 3}}, true},
		{"all must match", attr.Template{{Type: 1, Value: attr.Bool(true)}, {Type: 0, Value: attr.ULong(5)}}, false},
		{"missing", attr.Template{{Type: 9}}, false},
		{"prefix", attr.Template{{Type: 0x102, Value: []byte{1, 2}}}, false},
	} {
		if got := sample().Match(test.t); got != test.want {
			t.Errorf("%s: Match = %v", test.name, got)
		}
	}
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		in string
		ok bool
	}{{"\x00", true}, {"\x01", true}, {"", false}, {"\x02", false}, {"\x01\x00", false}} {
		if _, err := attr.ParseBool([]byte(test.in)); (err == nil) != test.ok {
			t.Errorf("ParseBool(%q): %v", test.in, err)
		}
	}
	if u, err := attr.ParseULong(attr.ULong(1 << 40)); u != 1<<40 || err != nil {
		t.Errorf("ParseULong(ULong(2^40)) = %d, %v", u, err)
	}
	for _, n := range []int{0, 4, 7, 9} {
		if _, err := attr.ParseULong(make([]byte, n)); ck.Code(err) != ck.CKR_ATTRIBUTE_VALUE_INVALID {
			t.Errorf("ParseULong of %d bytes: %v", n, err)
		}
	}
}
