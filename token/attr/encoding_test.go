package attr_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/attr"
)

func sample() *attr.Set {
	s := &attr.Set{}
	s.Put(0x102, []byte{1, 2, 3})
	s.PutULong(0, 4)
	s.PutBool(1, true)
	s.Put(3, nil)
	return s
}

func TestEncodeDecode(t *testing.T) {
	for name, s := range map[string]*attr.Set{"empty": {}, "sample": sample()} {
		enc := s.Encode()
		got, err := attr.Decode(enc)
		if err != nil {
			t.Fatalf("%s: Decode: %v", name, err)
		}
		if !bytes.Equal(got.Encode(), enc) || got.Len() != s.Len() {
			t.Errorf("%s: Decode(Encode) is another set", name)
		}
		for typ, value := range s.All() {
			if v, ok := got.Get(typ); !ok || !bytes.Equal(v, value) {
				t.Errorf("%s: attribute %#x = %x, %v; want %x", name, uint(typ), v, ok, value)
			}
		}
	}
}

func TestDecodeMalformed(t *testing.T) {
	row := func(typ byte, value string) string {
		return "\x00\x00\x00\x00\x00\x00\x00" + string(typ) + "\x00\x00\x00" + string(rune(len(value))) + value
	}
	for name, in := range map[string]string{
		"nothing":         "",
		"short":           "\x01\x00\x00\x00",
		"version":         "\x02\x00\x00\x00\x00",
		"count":           "\x01\xff\xff\xff\xff",
		"count too large": "\x01\x00\x00\x00\x02" + row(1, "a"),
		"count too small": "\x01\x00\x00\x00\x01" + row(1, "a") + row(2, "b"),
		"descending":      "\x01\x00\x00\x00\x02" + row(2, "a") + row(1, "b"),
		"twice":           "\x01\x00\x00\x00\x02" + row(1, "a") + row(1, "b"),
		"value cut":       "\x01\x00\x00\x00\x01" + row(1, "abc")[:13],
		"trailing":        "\x01\x00\x00\x00\x00x",
	} {
		if s, err := attr.Decode([]byte(in)); err == nil {
			t.Errorf("%s: Decode gave a set of %d", name, s.Len())
		}
	}
}

func TestDecodeKeepsCopy(t *testing.T) {
	enc := sample().Encode()
	s, err := attr.Decode(enc)
	if err != nil {
		t.Fatal(err)
	}
	clear(enc)
	if v, _ := s.Get(0x102); !bytes.Equal(v, []byte{1, 2, 3}) {
		t.Fatalf("the set shares its bytes with Decode's caller: %x", v)
	}
}

func FuzzDecodeSet(f *testing.F) {
	f.Add([]byte{})
	f.Add((&attr.Set{}).Encode())
	f.Add(sample().Encode())
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := attr.Decode(in)
		if err != nil {
			return
		}
		if !bytes.Equal(s.Encode(), in) {
			t.Fatal("two encodings of one set")
		}
	})
}
