package blob

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf16"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// reader takes a blob apart: a header of little-endian ULONGs, then numbers of the lengths that the header gives. After the last one, end says whether
// everything fitted; until then what does not fit reads as nothing.
type reader struct {
	data []byte
	bad  bool
}

// ulong reads a field of the header.
func (r *reader) ulong() uint32 {
	field := r.take(4)
	if field == nil {
		return 0
	}
	return binary.LittleEndian.Uint32(field)
}

// take gives the next n bytes, of which there may be fewer than a header claims.
func (r *reader) take(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.data)) {
		r.bad = true
		return nil
	}
	taken := r.data[:n:n]
	r.data = r.data[n:]
	return taken
}

// text gives the next n bytes as a string.
func (r *reader) text(n uint32) string {
	s, ok := ParseWide(r.take(n))
	r.bad = r.bad || !ok
	return s
}

// end fails where the blob was too short or is too long.
func (r *reader) end() error {
	if r.bad || len(r.data) != 0 {
		return nte.Errorf(nte.NTE_BAD_DATA, "the lengths in the blob's header do not fit its size, or a string in it is not UTF-16")
	}
	return nil
}

// wrongMagic is the error for a magic number that is not the one that was wanted: if there is one at all.
func (r *reader) wrongMagic(found, want uint32) error {
	if r.bad {
		return r.end()
	}
	return wrongMagic(found, want)
}

// number is a big-endian number as PKCS #11 has it: without leading zeros.
func number(value []byte) []byte { return bytes.TrimLeft(value, "\x00") }

// bitLen is the length in bits of a big-endian number that everybody may know.
func bitLen(value []byte) uint32 {
	value = number(value)
	if len(value) == 0 {
		return 0
	}
	return uint32(8*(len(value)-1) + bits.Len8(value[0]))
}

// writer puts a blob together, in memory that is wiped. Its size is known before; done says whether every number fitted its field.
type writer struct {
	out *secret.Bytes
	at  int
	bad bool
}

func newWriter(size int) *writer { return &writer{out: secret.New(size)} }

func (w *writer) ulong(values ...uint32) {
	for _, v := range values {
		binary.LittleEndian.PutUint32(w.out.Bytes()[w.at:], v)
		w.at += 4
	}
}

// fixed writes a big-endian number into n bytes.
func (w *writer) fixed(value []byte, n int) {
	if len(value) > n {
		value = number(value)
	}
	if len(value) > n {
		w.bad, value = true, nil
	}
	copy(w.out.Bytes()[w.at+n-len(value):], value)
	w.at += n
}

// little writes a big-endian number into n bytes, in the other order, as CAPI has numbers.
func (w *writer) little(value []byte, n int) {
	from := w.at
	w.fixed(value, n)
	slices.Reverse(w.out.Bytes()[from:w.at])
}

func (w *writer) bytes(value []byte) { w.fixed(value, len(value)) }

// done gives the blob.
func (w *writer) done() (*secret.Bytes, error) {
	if w.bad {
		w.out.Close()
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "a number of the key is longer than its field in the blob")
	}
	return w.out, nil
}

// ParseWide reads UTF-16LE with its NUL, or without; false where it is none.
func ParseWide(value []byte) (string, bool) {
	if len(value)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(value)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(value[2*i:])
	}
	if n := len(units); n > 0 && units[n-1] == 0 {
		units = units[:n-1]
	}
	s := string(utf16.Decode(units))
	// A NUL within ends nothing, and half a surrogate pair is no character: either makes the text none.
	return s, !slices.Contains(units, 0) && slices.Equal(utf16.Encode([]rune(s)), units)
}

// Wide writes UTF-16LE with its NUL.
func Wide(s string) []byte {
	out := make([]byte, 0, 2*len(s)+2)
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return append(out, 0, 0)
}
